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
from ..clerk.exceptions import SINGLE_INVITATIONS, RateLimited

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

    def note_refused(self, error: RateLimited) -> None:
        """Remember that the limit is reached, and for how long, if Clerk said so.

        What Clerk says of another kind of call is nothing to go by here.
        """
        if error.limit == SINGLE_INVITATIONS and error.retry_after:
            self._cache.set(_CLOSED, time.time() + error.retry_after, error.retry_after)

    def get_wait(self, count: int = 1) -> int:
        """Return the seconds until the last of so many can go out; 0 if nothing speaks against it.

        For up to :data:`SINGLE_LIMIT` of them that is an hour at most.
        """
        hours, others = divmod(max(count, 1) - 1, SINGLE_LIMIT)
        return hours * HOUR + self._get_wait(others + 1)

    def _get_wait(self, count: int) -> int:
        known = self._cache.get_many([_CLOSED])
        now = time.time()
        wait = float(known.get(_CLOSED, 0)) - now
        if wait > HOUR:
            wait = 0  # no limit is for longer: whoever wrote that believed what nobody should
        sent = self._get_sent()
        excess = len(sent) + count - SINGLE_LIMIT
        if excess > 0:
            # So many of the oldest must have fallen out of the hour first.
            wait = max(wait, sent[min(excess, len(sent)) - 1] + HOUR - now)
        return min(max(math.ceil(wait), 0), HOUR)

    def _get_sent(self) -> list[float]:
        known = self._cache.get_many([_SENT]).get(_SENT, [])
        return [moment for moment in known if moment > time.time() - HOUR]
