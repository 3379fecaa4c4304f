"""URLs as a browser writes them: origins, and queries without some parameters.

The redirect of a handshake must be the very URL that Clerk's SDK would build, which follows the
URL standard (https://url.spec.whatwg.org), not RFC 3986 as :mod:`urllib.parse` does.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote_plus, urlsplit

_SCHEME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*:")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def origin(url: str) -> str | None:
    """Return ``scheme://host[:port]``, ``"null"`` for a scheme without one, None if no URL."""
    if not _SCHEME.match(url.strip()):
        return None
    try:
        parts = urlsplit(url.strip())
        if parts.scheme not in _DEFAULT_PORTS:
            return "null"
        return _origin(parts)
    except ValueError:
        return None


def hostname(url: str) -> str:
    """Return the host of an absolute URL in lower case; an empty string if there is none."""
    try:
        return urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""


def first_values(url: str) -> dict[str, str]:
    """Return the first value of every query parameter."""
    found: dict[str, str] = {}
    for key, value in _pairs(urlsplit(url)):
        found.setdefault(key, value)
    return found


def without_parameters(url: str, names: Collection[str]) -> str:
    """Return the URL with some query parameters removed and the rest written anew."""
    parts = urlsplit(url)
    query = encode_query((key, value) for key, value in _pairs(parts) if key not in names)
    return (_origin(parts) or "") + (parts.path or "/") + (f"?{query}" if query else "")


def encode_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Write a query as ``URLSearchParams`` does (application/x-www-form-urlencoded)."""
    return "&".join(f"{_encode(key)}={_encode(value)}" for key, value in pairs)


def _origin(parts: SplitResult) -> str | None:
    host = parts.hostname
    if not host or any(character.isspace() for character in host):
        return None
    if ":" in host:
        host = f"[{host}]"
    port = parts.port
    suffix = "" if port is None or port == _DEFAULT_PORTS.get(parts.scheme) else f":{port}"
    return f"{parts.scheme}://{host}{suffix}"


def _pairs(parts: SplitResult) -> list[tuple[str, str]]:
    return parse_qsl(parts.query, keep_blank_values=True, errors="replace")


def _encode(text: str) -> str:
    # Python leaves "~" alone and writes "*" as an escape; the URL standard does the opposite.
    return quote_plus(text, safe="*", errors="replace").replace("~", "%7E")
