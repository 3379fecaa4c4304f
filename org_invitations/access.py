"""Who is asking, and for which organization.

Whether they may is not decided here: that is what
:meth:`org_invitations.services.InvitationService.open` asks Clerk, each time anew for a write.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.module_loading import import_string

from .clerk.publishable_key import InvalidPublishableKey, parse_publishable_key
from .conf import conf


@dataclass(frozen=True, slots=True)
class Identity:
    """A person that a site vouches for, in Clerk's ids."""

    #: ``user_…``
    user_id: str
    #: ``org_…``; None where no organization is active.
    organization_id: str | None = None
    #: The slug of that organization, where it is known: it saves a question to Clerk.
    organization_slug: str | None = None


def get_identity(request: HttpRequest) -> Identity | None:
    """Return who is asking, or None where nobody is signed in.

    That is the verified Clerk session, ``request.clerk``, or what the callable in
    ``ORG_INVITATIONS_IDENTITY`` says.

    :raises ImproperlyConfigured: there is neither the middleware nor the callable.
    """
    if conf.IDENTITY:
        return _identity_from_site(request)
    session = getattr(request, "clerk", None)
    if session is None:
        raise ImproperlyConfigured(
            "org_invitations does not know who is asking: add "
            "'org_invitations.middleware.ClerkSessionMiddleware' to MIDDLEWARE, or name a "
            "callable in ORG_INVITATIONS_IDENTITY."
        )
    if not session.is_signed_in or not session.user_id:
        return None
    return Identity(
        user_id=session.user_id,
        organization_id=session.organization_id,
        organization_slug=session.organization_slug,
    )


def is_renewable(request: HttpRequest) -> bool:
    """Whether loading a page might sign the person in again: the session token has expired."""
    session = getattr(request, "clerk", None)
    return not conf.IDENTITY and session is not None and bool(session.is_renewable)


def _identity_from_site(request: HttpRequest) -> Identity | None:
    function: Callable[[HttpRequest], Identity | None]
    function = import_string(conf.IDENTITY) if isinstance(conf.IDENTITY, str) else conf.IDENTITY
    identity = function(request)
    if identity is not None and not isinstance(identity, Identity):
        raise ImproperlyConfigured(
            "ORG_INVITATIONS_IDENTITY must return an org_invitations.access.Identity or None, "
            f"not {type(identity).__name__}."
        )
    return identity


def get_sign_in_url(return_to: str) -> str | None:
    """Return where to sign in, with the way back, or None where the settings do not tell.

    ``CLERK_SIGN_IN_URL``, else the instance's Account Portal, whose host follows from the
    publishable key's (Clerk's JavaScript, ``buildAccountsBaseUrl``).

    :param return_to: the absolute URL to come back to.
    """
    url = conf.CLERK_SIGN_IN_URL
    if not url:
        try:
            host = parse_publishable_key(conf.CLERK_PUBLISHABLE_KEY).frontend_api
        except InvalidPublishableKey:
            return None
        for prefix in ("clerk.accounts.", "clerk."):
            if prefix in host:
                host = host.replace(prefix, "accounts.", 1)
                break
        url = f"https://{host}/sign-in"
    separator = "&" if urlsplit(url).query else "?"
    return f"{url}{separator}{urlencode({'redirect_url': return_to})}"
