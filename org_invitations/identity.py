"""Who is asking, and for which organization.

Whether they may is not decided here: that is what
:meth:`org_invitations.services.InvitationService.open` asks Clerk, each time anew for a write.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.module_loading import import_string

from .clerk.session import reasons
from .clerk.session.handshake import accounts_host, return_location
from .clerk.session.publishable_key import InvalidPublishableKey, parse_publishable_key
from .clerk.session.tokens import PartyRefused
from .conf import conf

logger = logging.getLogger("org_invitations")


@dataclass(frozen=True, slots=True)
class Identity:
    """A person that a site vouches for, in Clerk's ids."""

    #: ``user_…``
    user_id: str
    #: ``org_…``; None where no organization is active.
    organization_id: str | None = None
    #: The slug of that organization, where it is known: it saves a question to Clerk.
    organization_slug: str | None = None
    #: Who really sits there, where somebody acts as this person (``user_…``); empty if nobody does.
    actor_id: str = ""


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
        actor_id=get_actor_id(session),
    )


def get_actor_id(session: Any) -> str:
    """Return who really sits there, by the claims of a session; empty where nobody acts as another.

    That is the ``sub`` of its ``act`` claim; a claim without one is nobody known.
    """
    if session.actor is None:
        return ""
    subject = session.actor.get("sub")
    return subject[:255] if isinstance(subject, str) and subject else "unknown"


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
            "ORG_INVITATIONS_IDENTITY must return an org_invitations.identity.Identity or None, "
            f"not {type(identity).__name__}."
        )
    return identity


def get_sign_in_url(return_to: str) -> str | None:
    """Return where to sign in, with the way back, or None where the settings do not tell.

    ``CLERK_SIGN_IN_URL``, else the instance's Account Portal. The way back is in ``redirect_url``,
    as Clerk reads it, and where the site signs people in itself also in ``next``, as Django does.

    :param return_to: the absolute URL to come back to.
    """
    return _get_portal_url(conf.CLERK_SIGN_IN_URL, "sign-in", return_to)


def get_sign_up_url(return_to: str) -> str | None:
    """Return where to make an account, as :func:`get_sign_in_url` does for signing in.

    ``CLERK_SIGN_UP_URL``, else the instance's Account Portal.
    """
    return _get_portal_url(conf.CLERK_SIGN_UP_URL, "sign-up", return_to)


def _get_portal_url(url: str, page: str, return_to: str) -> str | None:
    if not url:
        try:
            host = accounts_host(parse_publishable_key(conf.CLERK_PUBLISHABLE_KEY))
        except InvalidPublishableKey:
            return None
        url = f"https://{host}/{page}"
    separator = "&" if urlsplit(url).query else "?"
    # Without what a handshake has left in it: that is for this site alone, and only once.
    back = return_location(return_to)
    names = ("redirect_url", "next") if conf.IDENTITY else ("redirect_url",)
    return f"{url}{separator}{urlencode(dict.fromkeys(names, back))}"


def can_sign_in(request: HttpRequest) -> bool:
    """Whether signing in may help: not where the site cannot read any session.

    The log says what is wrong then.
    """
    session = getattr(request, "clerk", None)
    if session is None or conf.IDENTITY or session.is_renewable:
        return True
    if not reasons.is_incurable(session.reason):
        return True
    error = session.state.error if session.state is not None else None
    if isinstance(error, PartyRefused):
        logger.error(
            "A Clerk session was refused, and signing in again does not mend it (%s): its token "
            "was made for %s, and CLERK_AUTHORIZED_PARTIES allows %s.",
            error.reason,
            "no site that it names (it has no azp)" if error.party is None else _quote(error.party),
            ", ".join(map(_quote, conf.CLERK_AUTHORIZED_PARTIES)),
        )
    else:
        logger.error(
            "A Clerk session was refused for a reason that signing in again does not mend: %s. "
            "Check the keys, and CLERK_AUTHORIZED_PARTIES.",
            session.reason,
        )
    return False


def is_clerk_silent(request: HttpRequest) -> bool:
    """Whether the session cannot be read only because Clerk did not give its keys just now."""
    session = getattr(request, "clerk", None)
    return (
        not conf.IDENTITY
        and session is not None
        and session.reason == reasons.REMOTE_JWK_FAILED_TO_LOAD
    )


def _quote(origin: str) -> str:
    """Return an origin for the log: on one line, and not without end."""
    return ascii(origin[:200])
