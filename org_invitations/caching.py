"""What is remembered of Clerk, for how long, and under which keys.

Remembered are organizations, roles and memberships, and the keys of session tokens, in the site's
own Django cache. The list of invitations never is. A key is a digest of the API URL, the secret key
and the name of the entry: two instances of Clerk never see each other's entries, the secret is not
in them, and no id or slug makes a key that a cache refuses.

A cache that is down costs speed, and never a page: :class:`SiteCache` is the only one who asks it.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from uuid import uuid4

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.exceptions import ImproperlyConfigured

from .conf import conf

logger = logging.getLogger("org_invitations")

_Value = TypeVar("_Value")

#: Raised whenever the pickled classes change shape, so that an old entry is never misread.
_LAYOUT: Final = 3

#: For so long a cache that has just failed is not asked again (seconds): one that hangs costs its
#: time-out once in a while, and not several times a page.
PAUSE_SECONDS: Final = 5.0

#: So seldom the log says of a cache that it does not work (seconds).
LOG_EVERY: Final = 60.0

#: When each cache failed last, and when the log said so: moments of :func:`time.monotonic`.
_failed: Final[dict[str, float]] = {}
_logged: Final[dict[str, float]] = {}


def forget_failures() -> None:
    """Ask every cache again, whatever it did last. For tests."""
    _failed.clear()
    _logged.clear()


class SiteCache:
    """One of the site's caches, without its faults: one that does not work remembers nothing.

    Times are in seconds. Only a cache that is not configured raises anything.
    """

    def __init__(self, alias: str | None = None) -> None:
        """Prepare; ``alias`` is one of ``CACHES``, that of the settings unless given."""
        self.alias = conf.CACHE_ALIAS if alias is None else alias

    def get(self, key: str, default: Any = None) -> Any:
        """Return an entry, or ``default``."""
        found = default
        with self._or_without() as cache:
            if cache is not None:
                found = cache.get(key, default)
        return found

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the entries there are, in one round to the cache."""
        found: dict[str, Any] = {}
        with self._or_without() as cache:
            if cache is not None:
                found = cache.get_many(keys)
        return found

    def set(self, key: str, value: Any, timeout: float | None = None) -> None:
        """Remember a value."""
        with self._or_without() as cache:
            if cache is not None:
                cache.set(key, value, timeout)

    def add(self, key: str, value: Any, timeout: float | None = None) -> bool:
        """Remember a value unless there is one, and tell whether there was none."""
        was_added = True  # as far as anybody knows
        with self._or_without() as cache:
            if cache is not None:
                was_added = cache.add(key, value, timeout)
        return was_added

    def delete(self, key: str) -> None:
        """Forget a value."""
        # Tried even after a failure: what is to be forgotten should not come back with the cache.
        with self._or_without(always=True) as cache:
            if cache is not None:
                cache.delete(key)

    @contextmanager
    def _or_without(self, *, always: bool = False) -> Iterator[BaseCache | None]:
        """Give the cache, or None while it is not to be asked; go on where it fails."""
        alias = self.alias
        if not always and _is_within(_failed, alias, PAUSE_SECONDS):
            yield None
            return
        try:
            yield caches[alias]  # of this thread: Django's caches belong to one
        except ImproperlyConfigured:
            raise
        except Exception:
            # Each backend has errors of its own, with no common class but this.
            _failed[alias] = time.monotonic()
            if not _is_within(_logged, alias, LOG_EVERY):
                _logged[alias] = _failed[alias]
                logger.warning(
                    "The cache %r does not work; Clerk is asked instead.", alias, exc_info=True
                )


def _is_within(moments: dict[str, float], alias: str, seconds: float) -> bool:
    moment = moments.get(alias)
    return moment is not None and time.monotonic() - moment < seconds


class InstanceCache:
    """The entries of one Clerk instance."""

    def __init__(self) -> None:
        self._identity = f"{conf.CLERK_API_URL}\n{conf.CLERK_SECRET_KEY}"
        self._cache = SiteCache()

    def get_many(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the entries there are, in one round to the cache."""
        keys = {self._key(name): name for name in names}
        found = self._cache.get_many(keys)
        return {keys[key]: value for key, value in found.items()}

    def set(self, name: str, value: Any, seconds: int) -> None:
        """Remember a value; for no seconds, not at all."""
        if seconds > 0:
            self._cache.set(self._key(name), value, seconds)

    def add(self, name: str, seconds: int) -> bool:
        """Whether this is the first who asks for so long; True where no cache can tell."""
        return self._cache.add(self._key(name), 1, seconds)

    def delete(self, name: str) -> None:
        """Forget a value."""
        self._cache.delete(self._key(name))

    def remember(self, name: str, ask: Callable[[], _Value], seconds: int) -> _Value:
        """Return what is remembered, else what ``ask`` returns now, and remember that.

        An answer that was asked for before :meth:`forget`, and comes after it, is not remembered:
        it bears the stamp that there was when it was asked for, and is taken for nothing where
        there is another one.
        """
        of_stamp = f"{name}:stamp"
        known = self.get_many([name, of_stamp])
        stamp: str | None = known.get(of_stamp)
        if stamp is not None and name in known and known[name][0] == stamp:
            value: _Value = known[name][1]
            return value
        if stamp is None:
            stamp = uuid4().hex
            self.set(of_stamp, stamp, seconds)
        value = ask()
        self.set(name, (stamp, value), seconds)
        return value

    def forget(self, name: str) -> None:
        """Let what :meth:`remember` keeps be asked for anew, from now on."""
        self.delete(f"{name}:stamp")

    def _key(self, name: str) -> str:
        digest = hashlib.sha256(f"{self._identity}\n{name}".encode()).hexdigest()
        return f"org_invitations:{_LAYOUT}:{digest[:40]}"
