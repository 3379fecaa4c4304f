"""What a decision about a session needs to know of a request, whatever the web framework.

Follows ``AuthenticateContext`` of Clerk's backend SDK (tokens/authenticateContext.ts).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from . import cookies, urls
from .cookies import CookieJar, parse_cookies
from .javascript import parse_int
from .publishable_key import PublishableKey


@dataclass(frozen=True)
class RequestContext:
    """One request, seen by one instance.

    ``url`` is the absolute URL as the browser wrote it, and its host must be one that the site
    trusts: a browser is redirected to it. ``headers`` are read regardless of case. ``now`` is
    in seconds since the epoch. The repr is bare, since nearly everything here is a credential.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    key: PublishableKey = field(repr=False)
    now: float = field(repr=False)

    @cached_property
    def _headers(self) -> dict[str, str]:
        return {name.lower(): value.strip(" \t\r\n") for name, value in self.headers.items()}

    @cached_property
    def _query(self) -> dict[str, str]:
        return urls.first_values(self.url)

    @cached_property
    def jar(self) -> CookieJar:
        """The request's cookies."""
        return CookieJar(parse_cookies(self._headers.get("cookie", "")), self.key, self.now)

    @property
    def accept(self) -> str:
        """The ``Accept`` header."""
        return self._headers.get("accept", "")

    @property
    def fetch_destination(self) -> str:
        """The ``Sec-Fetch-Dest`` header; an empty string from an old browser."""
        return self._headers.get("sec-fetch-dest", "")

    @property
    def referrer(self) -> str:
        """The ``Referer`` header."""
        return self._headers.get("referer", "")

    @property
    def token_in_header(self) -> str:
        """The bearer token: with the scheme ``Bearer``, spelt so, or without any scheme."""
        scheme, *rest = self._headers.get("authorization", "").split(" ")
        token = rest[0] if rest else ""
        if not token:
            return scheme
        return token if scheme == "Bearer" else ""

    @property
    def token_in_cookie(self) -> str:
        """The session token among the cookies."""
        return self.jar.get(cookies.SESSION)

    @property
    def session_token(self) -> str:
        """The session token that is passed on to Clerk; the cookie's comes first."""
        return self.token_in_cookie or self.token_in_header

    @property
    def refresh_token(self) -> str:
        """The refresh token, which has never had a cookie without suffix."""
        return self.jar.suffixed(cookies.REFRESH)

    @property
    def client_uat(self) -> int:
        """When Clerk last changed the browser's sign-in, seconds; 0 means signed out."""
        return parse_int(self.jar.get(cookies.CLIENT_UAT))

    @property
    def handshake_nonce(self) -> str:
        """What a handshake brought back, to be looked up at the Backend API."""
        return self._returned(cookies.HANDSHAKE_NONCE)

    @property
    def handshake_token(self) -> str:
        """What a handshake brought back, as a token."""
        return self._returned(cookies.HANDSHAKE)

    @property
    def dev_browser(self) -> str:
        """The development browser, which stands in for Clerk's own cookies."""
        return self._query.get(cookies.DEV_BROWSER) or self.jar.get(cookies.DEV_BROWSER)

    @property
    def has_dev_browser_in_url(self) -> bool:
        """Whether the URL names a development browser, be it an empty one."""
        return cookies.DEV_BROWSER in self._query

    def _returned(self, name: str) -> str:
        return self._query.get(name) or self.jar.plain(name)
