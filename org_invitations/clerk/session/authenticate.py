"""Who sends this request: signed in, signed out, or to be sent to Clerk first.

One decision, as ``authenticateRequest`` of Clerk's backend SDK takes it (tokens/request.ts).
Where it is taken differently on purpose is in :mod:`org_invitations.clerk.session.differences`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from ..exceptions import ClerkError
from . import handshake, reasons
from .claims import SessionClaims, read_claims
from .handshake import HandshakeFailed, SessionBackend
from .javascript import to_number
from .request import RequestContext
from .tokens import (
    CLOCK_SKEW_MS,
    Jwt,
    TokenError,
    TokenVerifier,
    decode_jwt,
    has_other_category,
    is_machine_jwt,
)

logger = logging.getLogger("org_invitations.clerk")

Status = Literal["signed-in", "signed-out", "handshake"]

#: Sent with the cookies of a handshake.
RETURN_HEADERS: Final = {
    "Access-Control-Allow-Origin": "null",
    "Access-Control-Allow-Credentials": "true",
}


@dataclass(frozen=True, slots=True)
class SessionState:
    """The outcome for one request.

    ``location`` is where to send the browser (307), ``directives`` are ``Set-Cookie`` headers to
    send verbatim. ``is_renewable`` is set where the person is signed out only because this
    request could not be sent to Clerk: a page load could be. ``error`` is why the request's token
    was refused, ``returned_error`` why that was refused which a handshake had just brought back.
    """

    status: Status
    reason: str | None = None
    message: str = ""
    session: SessionClaims | None = None
    location: str | None = field(default=None, repr=False)
    directives: tuple[str, ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_renewable: bool = False
    error: TokenError | None = field(default=None, repr=False)
    returned_error: TokenError | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Decides for one instance of Clerk.

    ``frontend_api_url`` is where handshakes go; ``backend`` gives the Backend API when it is
    needed, and is not called before.
    """

    verifier: TokenVerifier
    backend: Callable[[], SessionBackend] = field(repr=False)
    frontend_api_url: str

    def authenticate(self, request: RequestContext, *, may_renew: bool) -> SessionState:
        """Decide who sends the request.

        :param may_renew: whether this page may send the browser to Clerk, take in what comes
            back, or trade a refresh token. If not, the outcome is a plain yes or no.
        """
        return _Decision(self, request, may_renew).decide()


@dataclass(frozen=True, slots=True)
class _Decision:
    site: Authenticator
    request: RequestContext
    may_renew: bool

    def decide(self) -> SessionState:
        if self.request.token_in_header:
            return self._decide_by_header(self.request.token_in_header)
        if self.may_renew and (self.request.handshake_nonce or self.request.handshake_token):
            state = self._resolve_handshake()
            if isinstance(state, SessionState):
                return state
            return replace(self._decide_by_cookie(), returned_error=state)
        return self._decide_by_cookie()

    # --- Tokens -------------------------------------------------------------------------

    def _decide_by_header(self, token: str) -> SessionState:
        try:
            return self._verified(_session_jwt(token))
        except TokenError as error:
            return self._refused(error, "header")

    def _decide_by_cookie(self) -> SessionState:
        request = self.request
        token, client_uat = request.token_in_cookie, request.client_uat
        if request.key.is_development:
            if request.has_dev_browser_in_url:
                return self._renew(reasons.DEV_BROWSER_SYNC)
            if not request.dev_browser:
                return self._renew(reasons.DEV_BROWSER_MISSING)
        if not client_uat and not token:
            return _signed_out(reasons.SESSION_TOKEN_AND_UAT_MISSING)
        if not client_uat:
            return self._renew(reasons.SESSION_TOKEN_WITHOUT_CLIENT_UAT)
        if not token:
            return self._renew(reasons.CLIENT_UAT_WITHOUT_SESSION_TOKEN)
        try:
            jwt = _session_jwt(token)
            if "iat" in jwt.payload and to_number(jwt.payload["iat"]) < client_uat:
                return self._renew(reasons.SESSION_TOKEN_IAT_BEFORE_CLIENT_UAT)
            state = self._verified(jwt)
        except TokenError as error:
            return self._refused(error, "cookie")
        if self._is_to_be_synced():
            return self._renew(
                reasons.PRIMARY_DOMAIN_CROSS_ORIGIN_SYNC,
                "Cross-origin request from satellite domain requires handshake",
            )
        return state

    def _verified(self, token: str | Jwt, *, skew_ms: int = CLOCK_SKEW_MS) -> SessionState:
        claims = self.site.verifier.verify(token, skew_ms=skew_ms)
        try:
            return SessionState("signed-in", session=read_claims(claims))
        except ValueError:
            raise TokenError(reasons.UNEXPECTED_ERROR) from None

    def _refused(self, error: TokenError, carrier: str) -> SessionState:
        message = (
            f"{error.message} (reason={error.reason}, token-carrier={carrier})"
            if error.message
            else ""
        )
        reason = reasons.RENEWABLE.get(error.reason)
        if reason is None:
            return replace(_signed_out(error.reason, message), error=error)
        if error.reason == reasons.TOKEN_EXPIRED:
            outcome = self._refresh()
            if isinstance(outcome, SessionState):
                return outcome
            reason = f"{reason}-refresh-{outcome}"
        return self._renew(reason, message)

    # --- Renewing -----------------------------------------------------------------------

    def _renew(self, reason: str, message: str = "") -> SessionState:
        """Send the browser to Clerk, or say that it is signed out if that cannot be done."""
        request = self.request
        if not self.may_renew or not handshake.is_eligible(request):
            return replace(_signed_out(reason, message), is_renewable=True)
        count = handshake.redirect_count(request)
        if count == handshake.MAX_REDIRECTS:
            logger.error(
                "Clerk sent a browser back %d times without a session (%s). This usually means "
                "that CLERK_PUBLISHABLE_KEY and CLERK_SECRET_KEY are of different instances.",
                handshake.MAX_REDIRECTS,
                reason,
            )
            return _signed_out(reason, message)
        return SessionState(
            "handshake",
            reason,
            message,
            location=handshake.build_location(request, reason, self.site.frontend_api_url),
            directives=(handshake.redirect_count_directive(count),),
        )

    def _is_to_be_synced(self) -> bool:
        # Only where the browser may be sent to Clerk: elsewhere a good session stays good.
        return (
            self.may_renew
            and handshake.arrives_from_elsewhere(self.request, self.site.frontend_api_url)
            and handshake.redirect_count(self.request) == 0
        )

    def _refresh(self) -> SessionState | str:
        """Trade the refresh token for a new session, or say why that was not done."""
        request = self.request
        if request.method != "GET":
            return reasons.REFRESH_NON_GET
        if not request.refresh_token:
            return reasons.REFRESH_NO_COOKIE
        if not self.may_renew:
            return reasons.REFRESH_PAGE
        try:
            session_id = decode_jwt(request.session_token).payload.get("sid")
        except TokenError:
            return reasons.REFRESH_DECODE_FAILED
        if not isinstance(session_id, str) or not session_id:
            return reasons.REFRESH_MISSING_SID
        try:
            directives = handshake.checked_directives(
                self.site.backend().refresh_session(
                    session_id,
                    handshake.refresh_body(request),
                    suffixed_cookies=request.jar.uses_suffixed,
                )
            )
            if not directives:
                return reasons.REFRESH_UNEXPECTED_SDK_ERROR
            state = self._verified(handshake.session_token_of(directives))
        except ClerkError as error:
            return handshake.refresh_failure(error)
        except HandshakeFailed:
            return reasons.REFRESH_UNEXPECTED_SDK_ERROR
        except TokenError:
            return reasons.REFRESH_INVALID_SESSION_TOKEN
        return replace(state, directives=directives)

    # --- Coming back --------------------------------------------------------------------

    def _resolve_handshake(self) -> SessionState | TokenError | None:
        """Take in what a handshake brought back.

        If the request goes on without it, why its session was refused, or None.
        """
        request = self.request
        development = request.key.is_development
        try:
            directives = handshake.received_directives(
                request, self.site.verifier.keys, self.site.backend
            )
        except TokenError as error:
            if development:
                # Here the token is in the URL and cannot be another application's. Clerk's SDK
                # throws; going on would send the browser round in circles.
                return _signed_out(error.reason, _explain(error))
            logger.warning("A handshake could not be resolved: %s", error)
            return None
        except HandshakeFailed as error:
            logger.warning("A handshake could not be resolved: %s", error)
            return None
        returned: dict[str, Any] = {
            "location": handshake.return_location(request.url) if development else None,
            "directives": directives,
            "headers": RETURN_HEADERS,
        }
        token = handshake.session_token_of(directives)
        if not token:
            return replace(_signed_out(reasons.SESSION_TOKEN_MISSING), **returned)
        try:
            return replace(self._verified_on_return(token), **returned)
        except TokenError as error:
            logger.warning("A handshake brought no good session: %s", error)
            return error

    def _verified_on_return(self, token: str) -> SessionState:
        try:
            return self._verified(token)
        except TokenError as error:
            if not self.request.key.is_development or error.reason not in reasons.RENEWABLE:
                raise
            logger.error("The clock of this machine seems to be wrong: %s", error)
        return self._verified(token, skew_ms=handshake.DEVELOPMENT_SKEW_MS)


def _session_jwt(token: str) -> Jwt:
    """Take apart a token from the browser, if it is meant for a session at all."""
    jwt = decode_jwt(token)
    # Tokens for something else are signed with the same key and would pass.
    if is_machine_jwt(jwt) or has_other_category(jwt):
        raise TokenError(reasons.TOKEN_TYPE_MISMATCH)
    return jwt


def _signed_out(reason: str, message: str = "") -> SessionState:
    return SessionState("signed-out", reason, message)


def _explain(error: TokenError) -> str:
    message = (
        "Handshake token verification failed due to an invalid signature. If you have switched "
        "Clerk keys locally, clear your cookies and try again."
        if error.reason == reasons.TOKEN_INVALID_SIGNATURE
        else f"Handshake token verification failed: {error}"
    )
    logger.error("%s", message)
    return message
