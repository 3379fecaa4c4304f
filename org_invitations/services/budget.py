"""How many single invitations may still go out this hour, as far as this site can know.

Clerk takes 250 an hour for the whole instance (its documentation, "System limits") and says in no
answer how many are left. So the site counts its own, and remembers when Clerk said no.
Other sites of the instance are not counted, and two processes may count one short: an estimate, to
keep an invitation from being revoked where the new one could not be sent. Clerk decides.
"""

from __future__ import annotations

import math
import time
from typing import Final

from ..caching import InstanceCache

#: Clerk's limit on single invitations, and the time it is for (seconds).
SINGLE_LIMIT: Final = 250
HOUR: Final = 3600

_SENT: Final = "budget:sent"
_CLOSED: Final = "budget:closed"


class Budget:
    """The instance's hourly number of single invitations, as this site sees it."""

    def __init__(self, cache: InstanceCache) -> None:
        self._cache = cache

    def note_sent(self) -> None:
        """Count an invitation that has just gone out."""
        self._cache.set(_SENT, [*self._get_sent(), time.time()], HOUR)

    def note_refused(self, retry_after: int | None) -> None:
        """Remember that Clerk's limit is reached, and for how many seconds, if it said so."""
        if retry_after:
            self._cache.set(_CLOSED, time.time() + retry_after, retry_after)

    def get_wait(self, count: int = 1) -> int:
        """Return the seconds until so many more can go out; 0 where nothing is known against it."""
        known = self._cache.get_many([_CLOSED])
        now = time.time()
        wait = float(known.get(_CLOSED, 0)) - now
        sent = self._get_sent()
        excess = len(sent) + count - SINGLE_LIMIT
        if count > SINGLE_LIMIT:
            wait = max(wait, HOUR)  # for the last of them, at least
        elif excess > 0:
            # So many of the oldest must have fallen out of the hour first.
            wait = max(wait, sent[excess - 1] + HOUR - now)
        return max(math.ceil(wait), 0)

    def _get_sent(self) -> list[float]:
        known = self._cache.get_many([_SENT]).get(_SENT, [])
        return [moment for moment in known if moment > time.time() - HOUR]
