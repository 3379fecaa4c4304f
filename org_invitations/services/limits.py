"""What limits how many can be invited: the instance's hourly number, and the seats."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Final

from ..caching import InstanceCache
from ..clerk import Organization
from ..clerk.exceptions import SINGLE_INVITATIONS, RateLimited

# --- The hour ---
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


@dataclass(frozen=True, slots=True)
class Seats:
    """The seats of an organization. Clerk counts pending invitations as if they were members."""

    #: Members and pending invitations together.
    used: int
    #: How many there are; 0 means without limit.
    limit: int
    members: int
    pending: int

    @property
    def left(self) -> int | None:
        """How many people can still be invited; None where there is no limit."""
        return max(self.limit - self.used, 0) if self.limit else None

    @classmethod
    def count(cls, organization: Organization, pending: int | None = None) -> Seats | None:
        """Count them; None where there is no limit, or Clerk did not say enough.

        :param organization: as fetched just now, with its members counted.
        :param pending: how many invitations are pending, where a list has told; otherwise it is
            the organization's own ``pending_invitations_count``. The two may differ: Clerk leaves
            out of its lists what comes of an organization's domains.
        """
        if pending is None:
            pending = organization.pending_invitations_count
        members, limit = organization.members_count, organization.max_allowed_memberships
        if not limit or members is None or pending is None:
            return None
        return cls(used=members + pending, limit=limit, members=members, pending=pending)
