"""The publishable key: which instance this is, where its Frontend API is, how cookies end.

Everything here follows ``parsePublishableKey`` and ``getCookieSuffix`` of Clerk's shared
package (keys.ts). A publishable key is public: it may be shown, logged and sent to browsers.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

InstanceType = Literal["development", "production"]

_LIVE: Final = "pk_live_"
_TEST: Final = "pk_test_"


class InvalidPublishableKey(ValueError):
    """The publishable key is missing or not one of Clerk's."""


@dataclass(frozen=True, slots=True)
class PublishableKey:
    """A publishable key, taken apart.

    ``frontend_api`` is a host such as ``clerk.example.com``; ``cookie_suffix`` are the eight
    characters that Clerk appends to the names of this instance's cookies.
    """

    key: str
    instance_type: InstanceType
    frontend_api: str
    cookie_suffix: str

    @property
    def is_development(self) -> bool:
        """Whether this is a development instance, which keeps its state outside of cookies."""
        return self.instance_type == "development"


@lru_cache(maxsize=16)
def parse_publishable_key(key: str) -> PublishableKey:
    """Take a publishable key apart.

    :param key: ``pk_test_…`` or ``pk_live_…``, then base64 of ``<frontend api>$``, with or
        without padding.
    :raises InvalidPublishableKey: it is anything else.
    """
    if not key:
        raise InvalidPublishableKey("The publishable key is missing.")
    parts = key.split("_")
    if not key.startswith((_LIVE, _TEST)) or len(parts) != 3:
        raise InvalidPublishableKey("A publishable key begins with pk_test_ or pk_live_.")
    encoded = parts[2].rstrip("=")
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        raise InvalidPublishableKey("The publishable key is not valid base64.") from None
    host, dollar, rest = decoded.partition("$")
    if not dollar or rest or "." not in host:
        raise InvalidPublishableKey("The publishable key does not name a Frontend API.")
    return PublishableKey(
        key=key,
        instance_type="production" if key.startswith(_LIVE) else "development",
        frontend_api=host,
        cookie_suffix=cookie_suffix(key),
    )


def cookie_suffix(key: str) -> str:
    """Return the eight characters after ``__session_`` and its like for this key."""
    # SHA-1 because Clerk's cookies are named so; nothing is protected by it.
    digest = hashlib.sha1(key.encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).decode()[:8]
