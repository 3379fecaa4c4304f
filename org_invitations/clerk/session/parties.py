"""One handshake for a session token that does not say which site it was made for.

A site that names its authorized parties takes only tokens that name one of them (``azp``), as
Clerk's backend SDK does since 3.11.1. But Clerk's own frontend makes tokens without any on some
navigations (clerk/javascript#7332, #8231, #8877, #9249), and then the SDK signs the person out. So
this layer stands above the decision, which stays as the SDK takes it: where a page load brings a
cookie with such a token, the browser is sent to Clerk once, for another one.

Once, because nobody knows whether Clerk's next token will be a better one. What tells that it was
tried is a cookie of ours, for a minute: Clerk's own counter of handshakes lives for two seconds,
and a Clerk that takes longer would send the browser round for ever. What comes back from a
handshake never begins another one, and neither does a request within two seconds of one. And
where that is refused for a reason that no handshake mends, that is the reason, and the browser
stays where it is, although the SDK would go on by the cookies from before.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final

from . import handshake, reasons, urls
from .authenticate import SessionState
from .request import RequestContext
from .tokens import PartyRefused, TokenError

#: The cookie that says that it was tried; it has the instance's suffix. For so many seconds.
TRIED: Final = "org_invitations_azp"
TRIED_FOR: Final = 60


def renew_without_party(
    state: SessionState,
    request: RequestContext,
    *,
    may_renew: bool,
    frontend_api_url: str,
    is_on: bool = True,
) -> SessionState:
    """Return the decision on a request, with one handshake for a token without a party.

    :param state: the decision as the authenticator has taken it.
    :param may_renew: whether this page may send the browser to Clerk.
    :param is_on: False never sends it there for this reason.
    """
    if state.status == "signed-in":
        return _forgetting(state, request) if may_renew else state
    returned = state.returned_error
    if returned is not None and reasons.is_incurable(returned.reason):
        # The next handshake would bring the same, and so would signing in, which begins with one.
        value = f"{returned.reason}.{_digest_of_return(request)}"
        return SessionState(
            "signed-out",
            returned.reason,
            returned.message,
            directives=(_directive(request, value, TRIED_FOR),),
            error=returned,
        )
    if may_renew and (reason := _refused_before(request)):
        return SessionState("signed-out", reason)
    if not is_on or request.token_in_header or not _is_missing(state.error):
        return state
    if was_tried(request) or request.handshake_nonce or request.handshake_token:
        return state
    if not may_renew or not handshake.is_eligible(request):
        return replace(state, is_renewable=True)
    count = handshake.redirect_count(request)
    if count:
        return state
    return replace(
        state,
        status="handshake",
        location=handshake.build_location(request, state.reason or "", frontend_api_url),
        directives=(
            handshake.redirect_count_directive(count),
            _directive(request, "1", TRIED_FOR),
        ),
    )


def was_tried(request: RequestContext) -> bool:
    """Whether the browser has been sent to Clerk for this within the last minute."""
    return bool(request.jar.suffixed(TRIED))


def _refused_before(request: RequestContext) -> str:
    """Return why that was refused which this very return has brought, if it was; else nothing.

    In production a nonce comes in a cookie, which may stay for a while. It can be looked up only
    once, so the next request with it looks like that of somebody who is merely signed out.
    """
    reason, _, digest = request.jar.suffixed(TRIED).partition(".")
    is_same = bool(digest) and digest == _digest_of_return(request)
    return reason if is_same and reasons.is_incurable(reason) else ""


def _digest_of_return(request: RequestContext) -> str:
    brought = request.handshake_nonce or request.handshake_token
    return hashlib.sha256(brought.encode("utf-8", "replace")).hexdigest()[:16] if brought else ""


def _is_missing(error: TokenError | None) -> bool:
    return isinstance(error, PartyRefused) and error.party is None


def _forgetting(state: SessionState, request: RequestContext) -> SessionState:
    """Let the next token without a party be tried for, once a page with a good one is shown."""
    if state.location is not None or not was_tried(request):
        return state
    return replace(state, directives=(*state.directives, _directive(request, "", 0)))


def _directive(request: RequestContext, value: str, seconds: int) -> str:
    secure = "; Secure" if (urls.origin(request.url) or "").startswith("https:") else ""
    name = f"{TRIED}_{request.key.cookie_suffix}"
    return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly{secure}; SameSite=Lax"
