"""When and how a browser is sent to Clerk to renew a session, and what it brings back.

Follows ``HandshakeService`` of Clerk's backend SDK (tokens/handshake.ts).
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from ..exceptions import BulkheadFull, CircuitOpen, ClerkError
from . import cookies, reasons, urls
from .javascript import to_number
from .publishable_key import PublishableKey
from .request import RequestContext
from .tokens import KeySource, TokenError, decode_jwt, has_other_category, verify_signature

logger = logging.getLogger("org_invitations.clerk")

#: The version of Clerk's API that the redirect asks for (SUPPORTED_BAPI_VERSION).
API_VERSION: Final = "2026-05-12"

#: So many handshakes in a row, and something is wrong with the keys.
MAX_REDIRECTS: Final = 3

#: Development only: a machine's clock may be this wrong on the way back (milliseconds).
DEVELOPMENT_SKEW_MS: Final = 86_400_000

LEGACY_DEV_BROWSER: Final = "__dev_session"
HELP: Final = "__clerk_help"

_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")


class SessionBackend(Protocol):
    """What is needed of the Backend API; ``ClerkClient`` fits.

    All methods raise :class:`~org_invitations.clerk.exceptions.ClerkError`.
    """

    def get_jwks(self) -> Mapping[str, Any]: ...

    def refresh_session(
        self, session_id: str, body: Mapping[str, Any], *, suffixed_cookies: bool
    ) -> list[str]: ...

    def get_handshake_payload(self, nonce: str) -> list[str]: ...


class HandshakeFailed(Exception):
    """What came back from a handshake is of no use; the request goes on without it."""


def is_eligible(request: RequestContext) -> bool:
    """Whether the request probably loads a page, so that a browser would follow a redirect.

    Clerk's Frontend API answers to GET only, and a script could not follow the redirect.
    """
    if request.method != "GET":
        return False
    if request.fetch_destination:
        return request.fetch_destination in {"document", "iframe"}
    return request.accept.startswith("text/html")


def build_location(request: RequestContext, reason: str, frontend_api_url: str) -> str:
    """Return the URL that a handshake goes to.

    :param frontend_api_url: ``https://<frontend api>``, or a proxy for it: a URL, or a path of
        this site.
    """
    here = urls.without_parameters(request.url, {cookies.DEV_BROWSER, LEGACY_DEV_BROWSER})
    parameters = [
        ("redirect_url", here),
        ("__clerk_api_version", API_VERSION),
        ("suffixed_cookies", "true" if request.jar.uses_suffixed else "false"),
        ("__clerk_hs_reason", reason),
        ("format", "nonce"),
    ]
    if request.session_token:
        parameters.append((cookies.SESSION, request.session_token))
    if request.key.is_development and request.dev_browser:
        parameters.append((cookies.DEV_BROWSER, request.dev_browser))
    base = frontend_api_url.rstrip("/")
    if base.startswith("/"):
        base = f"{urls.origin(request.url)}{base}"
    return f"{base}/v1/client/handshake?{urls.encode_query(parameters)}"


def redirect_count(request: RequestContext) -> float:
    """Return how many handshakes in a row the browser has been through, as the cookie says."""
    count = to_number(request.jar.plain(cookies.REDIRECT_COUNT))
    # "x" counts as none. Clerk compares with exactly three, hence a number and not an int.
    return 0 if math.isnan(count) or abs(count) > 1e15 else count


def redirect_count_directive(count: float) -> str:
    """Return the cookie that remembers one handshake more, for two seconds."""
    following = count + 1
    text = str(int(following)) if following == int(following) else repr(following)
    return f"{cookies.REDIRECT_COUNT}={text}; SameSite=Lax; HttpOnly; Max-Age=2"


def return_location(url: str) -> str:
    """Return the URL without what a handshake in development has left in it."""
    return urls.without_parameters(
        url, {cookies.HANDSHAKE, HELP, cookies.DEV_BROWSER, cookies.HANDSHAKE_NONCE}
    )


def received_directives(
    request: RequestContext, keys: KeySource, backend: Callable[[], SessionBackend]
) -> tuple[str, ...]:
    """Return the ``Set-Cookie`` strings that a handshake brought back, exactly as received.

    :raises TokenError: the handshake token is not good.
    :raises HandshakeFailed: a directive could not be sent as a header.
    """
    directives: list[Any] = []
    if request.handshake_nonce:
        try:
            directives = list(backend().get_handshake_payload(request.handshake_nonce))
        except ClerkError as error:
            # Anybody can send as many of them as they like while Clerk hangs.
            was_asked = not isinstance(error, (BulkheadFull, CircuitOpen))
            level = logging.ERROR if was_asked else logging.INFO
            logger.log(level, "The payload of a handshake could not be had: %s", error)
    else:
        payload = verify_handshake_token(request.handshake_token, keys)
        found = payload.get("handshake")
        directives = found if isinstance(found, list) else []
    return checked_directives(directives)


def checked_directives(directives: list[Any]) -> tuple[str, ...]:
    """Return the directives if every one can be sent as a header.

    :raises HandshakeFailed: one of them cannot. None is sent then: half of them could sign in
        without having signed out.
    """
    if not all(cookies.is_safe_directive(directive) for directive in directives):
        raise HandshakeFailed("A cookie directive is not one printable line.")
    return tuple(directives)


def session_token_of(directives: tuple[str, ...]) -> str:
    """Return the session token among the directives, the last one; an empty string if none."""
    token = ""
    for directive in directives:
        if cookies.directive_name(directive).startswith(cookies.SESSION):
            token = cookies.directive_value(directive)
    return token


def verify_handshake_token(token: str, keys: KeySource) -> Mapping[str, Any]:
    """Return the payload of a handshake token: signed, of the right category; it has no times.

    :raises TokenError: it is not good.
    """
    jwt = decode_jwt(token)
    # Clerk looks at the category after the algorithm; what is refused is the same.
    verify_signature(jwt, keys)
    if has_other_category(jwt):
        # A token from a template could carry cookies of its author's choice.
        raise TokenError(reasons.TOKEN_INVALID, "Invalid handshake token category.")
    return jwt.payload


def refresh_body(request: RequestContext) -> dict[str, Any]:
    """Return the body with which a refresh token is traded for cookies."""
    return {
        "format": "cookie",
        "expired_token": request.session_token,
        "refresh_token": request.refresh_token,
        "request_origin": urls.origin(request.url) or "",
        "request_headers": {name.lower(): [value] for name, value in request.headers.items()},
    }


def refresh_failure(error: ClerkError) -> str:
    """Return why a refresh failed, as the tail of the request's reason."""
    code = error.code
    if error.status is None or code == "unexpected_error":
        return reasons.REFRESH_FETCH_ERROR
    return code if _CODE.fullmatch(code) else reasons.REFRESH_UNEXPECTED_BAPI_ERROR


def arrives_from_elsewhere(request: RequestContext, frontend_api_url: str) -> bool:
    """Whether a page load comes from a site that is neither this one nor one of Clerk's."""
    if request.fetch_destination != "document" or request.method != "GET":
        return False
    referrer = urls.origin(request.referrer) if request.referrer else None
    if referrer is None or referrer == urls.origin(request.url):
        return False
    return not _is_clerk(request, referrer, frontend_api_url)


def _is_clerk(request: RequestContext, referrer: str, frontend_api_url: str) -> bool:
    host = urls.hostname(referrer)
    if host == urls.hostname(frontend_api_url):
        return True
    if request.key.is_development and _is_development_portal(host):
        return True
    return referrer == urls.origin(f"https://{accounts_host(request.key)}")


def accounts_host(key: PublishableKey) -> str:
    """The Account Portal of an instance (buildAccountsBaseUrl.ts)."""
    host = key.frontend_api.replace("clerk.accountsstage.", "accountsstage.", 1)
    return re.sub(r"clerk\.accounts\.|clerk\.", "accounts.", host, count=1)


def _is_development_portal(host: str) -> bool:
    """Development portals, old and new; anybody can have one, so only there (url.ts)."""
    if host.startswith("accounts.") and host.endswith(
        (".lcl.dev", ".lclstage.dev", ".lclclerk.com")
    ):
        return True
    return any(
        host.endswith(suffix) and not host.endswith(f".clerk{suffix}")
        for suffix in (".accounts.dev", ".accountsstage.dev", ".accounts.lclclerk.com")
    )
