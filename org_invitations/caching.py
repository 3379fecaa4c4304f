"""What is remembered of Clerk, for how long, and under which keys.

Remembered are organizations, roles and memberships, in the site's own Django cache. The list
of invitations never is. A key is a digest of the API URL, the secret key and the name of the
entry: two instances of Clerk never see each other's entries, the secret is not in them, and no
id or slug makes a key that a cache refuses.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache

from .conf import conf

logger = logging.getLogger("org_invitations")

#: Raised whenever the pickled classes change shape, so that an old entry is never misread.
_LAYOUT: Final = 2


def get_cache() -> BaseCache:
    """Return the cache that ``ORG_INVITATIONS_CACHE_ALIAS`` names."""
    return caches[conf.CACHE_ALIAS]


@contextmanager
def _or_without() -> Iterator[None]:
    """Go on without a cache that is down: Clerk knows everything, it only takes longer."""
    try:
        yield
    except Exception:
        # Each backend has errors of its own, with no common class but this.
        logger.warning("The cache does not work; Clerk is asked instead.", exc_info=True)


class InstanceCache:
    """The entries of one Clerk instance."""

    def __init__(self) -> None:
        self._identity = f"{conf.CLERK_API_URL}\n{conf.CLERK_SECRET_KEY}"
        self._cache = get_cache()

    def get_many(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the entries there are, in one round to the cache."""
        keys = {self._key(name): name for name in names}
        found: dict[str, Any] = {}
        with _or_without():
            found = self._cache.get_many(keys)
        return {keys[key]: value for key, value in found.items()}

    def set(self, name: str, value: Any, seconds: int) -> None:
        """Remember a value; for no seconds, not at all."""
        if seconds > 0:
            with _or_without():
                self._cache.set(self._key(name), value, seconds)

    def delete(self, name: str) -> None:
        """Forget a value."""
        with _or_without():
            self._cache.delete(self._key(name))

    def _key(self, name: str) -> str:
        digest = hashlib.sha256(f"{self._identity}\n{name}".encode()).hexdigest()
        return f"org_invitations:{_LAYOUT}:{digest[:40]}"
