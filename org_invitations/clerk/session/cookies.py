"""Clerk's cookies: reading them, choosing between two of a kind, and directives to set them.

Two applications on one domain share cookies, so Clerk writes each of its cookies twice: plain,
and with a suffix made from the publishable key. Which of the two counts is decided as in
Clerk's backend SDK (tokens/authenticateContext.ts, ``usesSuffixedCookies``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from .javascript import to_number
from .publishable_key import PublishableKey
from .tokens import Jwt, TokenError, decode_jwt, issuer_host

SESSION: Final = "__session"
REFRESH: Final = "__refresh"
CLIENT_UAT: Final = "__client_uat"
HANDSHAKE: Final = "__clerk_handshake"
HANDSHAKE_NONCE: Final = "__clerk_handshake_nonce"
DEV_BROWSER: Final = "__clerk_db_jwt"
REDIRECT_COUNT: Final = "__clerk_redirect_count"

_DIRECTIVE: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+=[\x20-\x7e\t]*")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def parse_cookies(header: str) -> dict[str, str]:
    """Read a ``Cookie`` header as Clerk's SDK does.

    The header is split before anything is decoded, and the first of several cookies with one
    name counts. Django decodes differently and takes the last one, hence a reader of our own.
    """
    found: dict[str, str] = {}
    for part in header.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            found.setdefault(name.strip(" \t"), _decode(value.strip(" \t")))
    return found


def _decode(value: str) -> str:
    if "%" not in value:
        return value
    try:
        if _BAD_ESCAPE.search(value):
            return value
        return unquote_to_bytes(value).decode("utf-8")
    except UnicodeError:
        return value


class CookieJar:
    """The cookies of one request, seen by one instance."""

    def __init__(self, cookies: Mapping[str, str], key: PublishableKey, now: float) -> None:
        """Look at the cookies; ``now`` is in seconds since the epoch."""
        self._cookies = cookies
        self._suffix = key.cookie_suffix
        self.uses_suffixed = _uses_suffixed(self, key, now)

    def __repr__(self) -> str:
        return f"<CookieJar: {len(self._cookies)} cookies>"

    def plain(self, name: str) -> str:
        """Return the cookie without a suffix; an empty string if there is none."""
        return self._cookies.get(name, "")

    def suffixed(self, name: str) -> str:
        """Return the cookie with this instance's suffix; an empty string if there is none."""
        return self._cookies.get(f"{name}_{self._suffix}", "")

    def get(self, name: str) -> str:
        """Return the one of the two that counts; an empty string if it is not there."""
        return self.suffixed(name) if self.uses_suffixed else self.plain(name)


def _uses_suffixed(jar: CookieJar, key: PublishableKey, now: float) -> bool:
    # Nothing here is verified: a forged token can only choose which cookie is verified later.
    suffixed_uat, uat = jar.suffixed(CLIENT_UAT), jar.plain(CLIENT_UAT)
    suffixed_session, session = jar.suffixed(SESSION), jar.plain(SESSION)
    if session:
        issuer = _claim(_decoded(session), "iss")
        if not issuer:
            return False
        if issuer_host(issuer) != key.frontend_api:
            return True
    if not suffixed_uat and not suffixed_session:
        return False
    plain_jwt, suffixed_jwt = _decoded(session), _decoded(suffixed_session)
    plain_is_newer = _issued_at(plain_jwt) > _issued_at(suffixed_jwt)
    if suffixed_uat != "0" and uat != "0" and plain_is_newer:
        return False
    if suffixed_uat == "0" and uat != "0":
        return False
    if key.is_development and suffixed_uat != "0" and uat == "0" and _expired(suffixed_jwt, now):
        return False
    # A suffixed session whose client_uat is missing is not to be trusted.
    return bool(suffixed_uat) or not suffixed_session


def _decoded(token: str) -> Jwt | None:
    try:
        return decode_jwt(token)
    except TokenError:
        return None


def _claim(jwt: Jwt | None, name: str) -> Any:
    return jwt.payload.get(name) if jwt else None


def _issued_at(jwt: Jwt | None) -> float:
    return to_number(_claim(jwt, "iat") or 0)


def _expired(jwt: Jwt | None, now: float) -> bool:
    return jwt is not None and "exp" in jwt.payload and to_number(jwt.payload["exp"]) <= int(now)


def is_safe_directive(directive: object) -> bool:
    """Whether a text may be sent as a ``Set-Cookie`` header: named, printable ASCII, one line."""
    return isinstance(directive, str) and _DIRECTIVE.fullmatch(directive) is not None


def directive_name(directive: str) -> str:
    """Return the name of the cookie that a ``Set-Cookie`` directive sets."""
    return directive.split(";", 1)[0].split("=", 1)[0]


def directive_value(directive: str) -> str:
    """Return its value, up to a second ``=`` as in Clerk's SDK (tokens/cookie.ts)."""
    parts = directive.split(";", 1)[0].split("=")
    return parts[1] if len(parts) > 1 else ""
