"""What the pages for invited people have in common: public, and Clerk's answer of this moment."""

from __future__ import annotations

import logging
import time
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.generic.base import View

from ..clerk import API_VERSION, ClerkError
from ..clerk import exceptions as exc
from ..clerk.session.publishable_key import InvalidPublishableKey, parse_publishable_key
from ..clerk.session.request import RequestContext
from ..clerk.session.switching import build_switch
from ..conf import conf
from ..identity import can_sign_in, get_actor_id, get_identity, is_clerk_silent, is_renewable
from ..services.joining.lookup import Person
from ..wording import ErrorMessage
from . import tickets
from .base import OrganizationView, with_retry_after

logger = logging.getLogger("org_invitations")

_SALT: Final = "org_invitations.joining.on"
_COOKIE: Final = "org_invitations_on"
_SECONDS: Final = 120


def get_person(request: HttpRequest) -> Person | None:
    """Return who is signed in; None for nobody.

    Also somebody whose session is pending, since an organization must be chosen: who has just been
    invited has none. These pages alone take such a session.
    """
    if conf.IDENTITY:
        identity = get_identity(request)
        if identity is None:
            return None
        return Person(
            identity.user_id,
            actor_id=identity.actor_id,
            organization_id=identity.organization_id or "",
        )
    session = getattr(request, "clerk", None)
    if session is None:
        get_identity(request)  # says what is missing
        return None
    state = session.resolve().state
    claims = state.session if state is not None and state.status == "signed-in" else None
    if claims is None or not claims.user_id:
        return None
    return Person(
        claims.user_id,
        session_id=claims.session_id or "",
        actor_id=get_actor_id(claims),
        organization_id=claims.organization_id or "",
    )


class JoiningView(OrganizationView):
    """A page for somebody who is invited, signed in or not. GET shows, POST acts."""

    #: A page that leads on by itself, to where a form must not.
    onward_template_name = "org_invitations/onward.html"

    #: Whether the page holds forms: then it may tell its own URL to itself, else to nobody.
    _has_forms = True

    person: Person | None

    def _answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        tickets.take_out(request)
        if not conf.JOIN_URL:
            raise ImproperlyConfigured(
                "org_invitations.join_urls is mounted, and ORG_INVITATIONS_JOIN_URL does not say "
                "where: set it to the absolute URL of that place."
            )
        self.person = get_person(request)
        if self.person is None and self._has_forms and not can_sign_in(request):
            # Signing in would not help: the site itself cannot tell who is asking.
            problem = self.wording.for_session(is_clerk_silent=is_clerk_silent(request))
            return self.render_problem(problem.message, status=problem.status)
        try:
            return View.dispatch(self, request, *args, **kwargs)
        except ClerkError as error:
            return self.handle_clerk_error(error)

    def _finish(self, response: HttpResponseBase) -> HttpResponseBase:
        response = super()._finish(response)
        response["X-Robots-Tag"] = "noindex, nofollow"
        # Django logs the path of what is refused, and these paths are links of somebody's.
        response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
        # Nobody else is told the URL. Not "no-referrer" where there are forms: browsers would send
        # them with "Origin: null", and Django's CSRF check would refuse them.
        response["Referrer-Policy"] = "same-origin" if self._has_forms else "no-referrer"
        return response

    # --- Where things are -------------------------------------------------------------------

    def get_url(self, name: str, **kwargs: Any) -> str:
        """Return the URL of another of the pages for joining."""
        match = self.request.resolver_match
        namespace = (match.namespace if match else "") or "org_invitations_join"
        captured = {*getattr(match, "captured_kwargs", {})}
        prefix = {k: v for k, v in self.kwargs.items() if k in captured - {"value"}}
        return reverse(f"{namespace}:{name}", kwargs=prefix | kwargs)

    def _get_absolute_url(self, path: str = "") -> str:
        """Return the absolute URL of a page below ``ORG_INVITATIONS_JOIN_URL``."""
        return f"{conf.JOIN_URL}{path}"

    def _get_urls(self) -> dict[str, str]:
        return {"mine": self._find_url("mine")}

    # --- How somebody joins -----------------------------------------------------------------

    @property
    def _joins_here(self) -> bool:
        """Whether these pages let anybody join, or decline, by whichever way."""
        return bool({"server", "script"} & {*conf.JOIN_WAYS})

    def _find_accept_url(self, invitation_id: str) -> str:
        """Return where a script accepts an invitation of the person; empty where none is to."""
        base = get_frontend_api_url()
        if "script" not in conf.JOIN_WAYS or conf.IDENTITY or not base or self.person is None:
            return ""
        query = urlencode(
            {"__clerk_api_version": API_VERSION, "_clerk_session_id": self.person.session_id}
        )
        return f"{base}/v1/me/organization_invitations/{invitation_id}/accept?{query}"

    # --- Answers ----------------------------------------------------------------------------

    def handle_clerk_error(self, error: ClerkError) -> HttpResponseBase:
        """Say that Clerk could not be asked; nothing was changed."""
        problem = self.wording.for_reading(error)
        if isinstance(error, exc.NotFound):
            message = self.wording.say("Join:gone")
            problem = ErrorMessage(message, status=HTTPStatus.NOT_FOUND)
        return with_retry_after(
            self.render_problem(problem.message, status=problem.status), problem
        )

    def _handle_database_error(self) -> HttpResponseBase:
        """Say that it is to be tried again: what was begun is finished then."""
        message = self.wording.say("Join:database")
        return self.render_problem(message, status=HTTPStatus.SERVICE_UNAVAILABLE)

    def _can_be_sent_again(self) -> bool:
        return False  # a press of a button, which is still there a page back

    def _is_expired(self) -> bool:
        """Whether somebody was signed in here until a moment ago, and a page load would do."""
        return self.person is None and is_renewable(self.request)

    def _refresh_to(self, url: str, message: str) -> HttpResponse:
        """Answer a form with a page that goes on by itself.

        Not with a redirect: a Content-Security-Policy with ``form-action 'self'`` would stop the
        browser on its way to Clerk, which it may have to take for a fresh token alone.
        """
        context = {"onward_url": url, "message": message}
        response = self.render(self.onward_template_name, context)
        # In a header, since the head of the page is a site's own.
        response["Refresh"] = f"0; url={url}"
        return response

    # --- On to Clerk ------------------------------------------------------------------------

    def _get_cookie(self) -> str:
        return tickets.get_cookie_name(self.request, _COOKIE)

    def _allow_onward(self, response: HttpResponseBase, **order: str) -> None:
        """Let the browser go on once, within two minutes, to where this form wanted to."""
        text = signing.dumps(order, salt=_SALT)
        tickets.set_cookie(self.request, response, self._get_cookie(), text, _SECONDS)

    def _get_onward(self) -> dict[str, str]:
        """Return what a form has allowed; empty where none has."""
        text = self.request.COOKIES.get(self._get_cookie(), "")
        try:
            order = signing.loads(text, salt=_SALT, max_age=_SECONDS)
        except signing.BadSignature:
            return {}
        return order if isinstance(order, dict) else {}

    def _forget_onward(self, response: HttpResponseBase) -> None:
        """Let it be for once only."""
        tickets.set_cookie(self.request, response, self._get_cookie(), "", 0)

    def _find_switch(self, organization_id: str, return_to: str) -> str | None:
        """Return where an organization is made the active one; None where that is the site's."""
        if conf.IDENTITY:
            return None
        try:
            key = parse_publishable_key(conf.CLERK_PUBLISHABLE_KEY)
        except InvalidPublishableKey:
            return None
        context = RequestContext(
            method="GET",
            url=return_to,
            headers=self.request.headers,
            key=key,
            now=time.time(),
        )
        return build_switch(
            context,
            organization_id=organization_id,
            return_to=return_to,
            frontend_api_url=get_frontend_api_url(),
        )


def get_frontend_api_url() -> str:
    """Return where browsers reach the Frontend API; empty where the settings do not tell."""
    if conf.CLERK_PROXY_URL:
        return conf.CLERK_PROXY_URL
    try:
        return f"https://{parse_publishable_key(conf.CLERK_PUBLISHABLE_KEY).frontend_api}"
    except InvalidPublishableKey:
        return ""


def mask(email_address: str) -> str:
    """Return an address so that its owner knows it again, and nobody else learns it."""
    local, at, domain = email_address.rpartition("@")
    return f"{local[:1] if len(local) > 1 else ''}•••{at}{domain}"
