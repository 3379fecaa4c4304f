"""What limits how many can be invited: the instance's hourly number, and the seats."""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import Error as DatabaseFault
from django.db import transaction
from django.db.models import QuerySet, Sum

from ..clerk import Organization
from ..clerk.exceptions import (
    BULK_INVITATIONS,
    SINGLE_INVITATIONS,
    ConnectionFailed,
    RateLimited,
)
from ..clients import get_instance
from ..conf import conf
from ..models import CallSlot
from .database import get_alias, get_now

logger = logging.getLogger("org_invitations")

# --- The hour ---
#: The time that Clerk's limits on invitations are for (seconds).
HOUR: Final = 3600

#: Clerk's limits on calls that invite one, and on calls that invite up to ten.
SINGLE_LIMIT: Final = 250
BULK_LIMIT: Final = 50

#: How many calls of each kind Clerk lets an instance make within an hour.
LIMITS: Final[Mapping[str, int]] = {SINGLE_INVITATIONS: SINGLE_LIMIT, BULK_INVITATIONS: BULK_LIMIT}

#: Clerk counts a call when it arrives, a little after it is written down here (seconds).
MARGIN: Final = 5

#: Where Clerk refuses without saying for how long, a worker waits for this (seconds).
UNTOLD_WAIT: Final = 60

#: So much of an hour's calls may go at once for those who have many.
BURST: Final = 1 / 5

#: A call that may be made again since so long is not one of a quiet hour (seconds).
JUST_NOW: Final = 600

#: Whoever comes next finds a call within this time, whoever has many (seconds).
HELD_EVERY: Final = 100

#: So many free slots are looked at when one is to be taken: somebody else may be faster.
_CANDIDATES: Final = 8


class Ledger:
    """The calls that Clerk's hourly limits are for, of the instance and so of all its processes.

    There is a slot for each call that Clerk lets through within an hour. Before a call goes out it
    takes a slot, which is free again an hour later: of what has taken none, none is sent by a
    worker. What sits before a page asks Clerk also where no slot is free, since this is a guess
    (other programs may share the limits, and Clerk may not count what it refuses) and a 429 is the
    truth.
    """

    def __init__(self, organization_id: str = "", *, is_background: bool = False) -> None:
        """Count the calls of an organization, ``org_…``.

        :param is_background: whether nobody is waiting for the answers; then what
            ``ORG_INVITATIONS_RESERVED_PERCENT`` keeps for those who do is not touched.
        """
        self.organization_id = organization_id
        self.is_background = is_background
        self.instance = get_instance()

    @contextmanager
    def calling(
        self, limit: str, addresses: int = 1, slot: CallSlot | None = None
    ) -> Iterator[None]:
        """Write a call down before it goes out, and what Clerk says of its limit after it.

        :param limit: which of :data:`LIMITS` the call is for.
        :param addresses: how many it invites.
        :param slot: what :meth:`take` has returned for it, where that was called before.
        :raises RateLimited: in the background: no slot is free, and nothing was sent.
        """
        if slot is None:
            slot = self.take(limit, addresses)
        try:
            yield
        except ConnectionFailed:  # Clerk knows nothing of it
            self.give_back(slot)
            raise
        except RateLimited as error:
            self.give_back(slot)
            self.note_refused(error)
            raise

    def take(self, limit: str, addresses: int = 1) -> CallSlot | None:
        """Take a slot for a call that goes out at once, and return it as it was before.

        Of two who want the same one, the number of rows that an ``UPDATE`` changes decides.

        :returns: None where the database does not take it; who sits there asks Clerk all the same.
        :raises RateLimited: in the background: none is free; with the seconds until one is.
        """
        try:
            return self._take(limit, addresses)
        except DatabaseFault:
            if self.is_background:
                raise
            # What has become of the batch is written down elsewhere, and matters more.
            logger.warning("A call could not be counted.", exc_info=True)
            return None

    def _take(self, limit: str, addresses: int) -> CallSlot | None:
        now = get_now()
        values = {
            "organization_id": self.organization_id,
            "addresses": addresses,
            "called_at": now,
            "free_at": now + timedelta(seconds=HOUR + MARGIN),
        }
        while found := self._find_free(limit, now):
            for slot in found:
                if CallSlot.objects.filter(pk=slot.pk, free_at__lte=now).update(**values):
                    return slot
        if self.is_background:
            error = RateLimited("the hourly limit is reached", retry_after=self.get_wait(1, limit))
            error.limit = limit
            raise error
        # Where Clerk lets it through, it knows of fewer: the oldest is forgotten.
        oldest = self._get_slots(limit).order_by("free_at").first()
        if oldest is not None:
            CallSlot.objects.filter(pk=oldest.pk).update(**values)
        return oldest

    def _find_free(self, limit: str, now: datetime) -> list[CallSlot]:
        """Return some free slots: of people, those first that are kept for them."""
        reserve = get_reserve(limit)
        slots = self._get_slots(limit).filter(free_at__lte=now)
        parts = [slots.filter(number__gte=reserve)]
        if not self.is_background:
            parts.insert(0, slots.filter(number__lt=reserve))
        for part in parts:
            # Whoever wants one at the same moment should not want the same one.
            if found := list(part[:_CANDIDATES]):
                return random.sample(found, len(found))
        if self._make_missing(limit):
            return self._find_free(limit, now)
        return []

    def _make_missing(self, limit: str) -> bool:
        """Make the rows of a limit where they are missing; whether any were."""
        there = set(self._get_slots(limit, with_reserve=True).values_list("number", flat=True))
        missing = [number for number in range(LIMITS[limit]) if number not in there]
        moment = get_now() - timedelta(seconds=1)
        with transaction.atomic(using=get_alias()):
            CallSlot.objects.bulk_create(
                [
                    CallSlot(instance=self.instance, limit=limit, number=number, free_at=moment)
                    for number in missing
                ],
                ignore_conflicts=True,  # somebody else does so at the same moment
            )
        return bool(missing)

    def give_back(self, slot: CallSlot | None) -> None:
        """Let a slot be as it was: its call has not gone out, or Clerk has not counted it."""
        if slot is None:
            return
        try:
            slot.save(update_fields=["free_at", "called_at", "organization_id", "addresses"])
        except DatabaseFault:
            logger.warning("A call that was not made stays counted.", exc_info=True)

    def note_refused(self, error: RateLimited) -> None:
        """Remember that a limit is reached, and for how long, for all processes.

        What Clerk says of another kind of call is nothing to go by here.
        """
        seconds = error.retry_after or (UNTOLD_WAIT if self.is_background else 0)
        if error.limit not in LIMITS or not seconds:
            return
        try:
            self._make_missing(error.limit)
            until = get_now() + timedelta(seconds=min(seconds, HOUR))
            slots = self._get_slots(error.limit, with_reserve=True)
            slots.filter(free_at__lt=until).update(free_at=until)
        except DatabaseFault:
            logger.warning("Clerk's refusal could not be noted.", exc_info=True)

    def get_wait(self, count: int = 1, limit: str = SINGLE_INVITATIONS) -> int:
        """Return the seconds until the last of so many calls can go; 0 if nothing speaks against.

        For up to as many as the limit lets through that is an hour at most.
        """
        size = LIMITS[limit] - (get_reserve(limit) if self.is_background else 0)
        hours, others = divmod(max(count, 1) - 1, size)
        moments = list(
            self._get_slots(limit).order_by("free_at").values_list("free_at", flat=True)[:size]
        )
        missing = size - len(moments)  # they are made when they are needed
        wait = 0.0
        if others >= missing:
            wait = (moments[others - missing] - get_now()).total_seconds()
        return hours * HOUR + min(max(math.ceil(wait), 0), HOUR)

    def get_pool(self, limit: str) -> Pool:
        """Return how a limit stands at this moment, for those that this is about."""
        now = get_now()
        size = LIMITS[limit] - (get_reserve(limit) if self.is_background else 0)
        taken = self._get_slots(limit).filter(free_at__gt=now).order_by("free_at")
        moments = taken.values_list("free_at", flat=True)
        releases = tuple((moment - now).total_seconds() for moment in moments)
        free = size - len(releases)
        return Pool(size, free, releases, self._count_returned(limit, now) if free else 0)

    def _count_returned(self, limit: str, now: datetime) -> int:
        """Return how many have become free just now because the hour since their call is over."""
        latest = now - timedelta(seconds=HOUR + MARGIN)
        returned = self._get_slots(limit).filter(free_at__lte=now, called_at__lte=latest)
        return returned.filter(called_at__gt=latest - timedelta(seconds=JUST_NOW)).count()

    def get_sent(self) -> dict[str, int]:
        """Return how many addresses each organization has had within the hour, by its id."""
        since = get_now() - timedelta(seconds=HOUR)
        calls = CallSlot.objects.filter(instance=self.instance, called_at__gt=since)
        sums = calls.values_list("organization_id").annotate(Sum("addresses"))
        return dict(sums.order_by())

    def _get_slots(self, limit: str, *, with_reserve: bool = False) -> QuerySet[CallSlot]:
        slots = CallSlot.objects.filter(instance=self.instance, limit=limit)
        if self.is_background and not with_reserve:
            slots = slots.filter(number__gte=get_reserve(limit))
        return slots


@dataclass(frozen=True, slots=True)
class Pool:
    """How one of Clerk's limits stands: how many calls there are, and how many are left."""

    size: int
    free: int
    #: Seconds until each of the others is free again, the next one first.
    releases: tuple[float, ...] = ()
    #: How many of the free ones have come back within :data:`JUST_NOW`, an hour after their call.
    returned: int = 0

    @property
    def next_in(self) -> float:
        """Seconds until the next one is free again."""
        return self.releases[0] if self.releases else float(HOUR)

    @property
    def share(self) -> int:
        """How many may go now of somebody who has many: the others are for those who may come.

        Where the hour before was quiet, nobody bursts through more than :data:`BURST` of this one
        at once, and the others go evenly. What has just come back goes again, as it did an hour
        ago: else the limit would not be used up. But as many are held back as are needed for
        whoever comes next to find one every :data:`HELD_EVERY`, until whichever release: an hour
        ago there may have been a gap.
        """
        even = min(self.burst + age / self.step - number for number, age in self._calls)
        spare = min(
            self.free + number - end / HELD_EVERY for number, end in enumerate(self._releases)
        )
        most = max(math.floor(even) + 1, self.returned)
        return max(min(self.free, most, math.floor(spare) + 1), 0)

    @property
    def wait(self) -> float:
        """Seconds until somebody who has many may go on."""
        even = max((number - self.burst) * self.step - age for number, age in self._calls)
        held = max(
            end - (self.free + number) * HELD_EVERY for number, end in enumerate(self._releases)
        )
        next_in = 0.0 if self.free > 0 else self.next_in
        return max(min(even, 0.0 if self.returned else self.next_in), held, next_in)

    @property
    def burst(self) -> float:
        """How many may go at once."""
        return self.size * BURST

    @property
    def step(self) -> float:
        """Seconds for which one call has to do, once a burst is over."""
        return HOUR / max(self.size - self.burst, 1)

    @property
    def _calls(self) -> Iterator[tuple[int, float]]:
        """Yield how many were made within how many seconds, the newest first."""
        ages = (HOUR + MARGIN - end for end in reversed(self.releases))
        return enumerate((0.0, *ages))

    @property
    def _releases(self) -> tuple[float, ...]:
        return (*self.releases, float(HOUR))


def get_reserve(limit: str) -> int:
    """Return how many calls of a limit are kept for people who sit before a page."""
    return LIMITS[limit] * conf.RESERVED_PERCENT // 100


def forget_old_calls() -> None:
    """Delete what is written down of calls that no limit counts any more; raises Django's errors.

    The slots are made again when they are needed.
    """
    CallSlot.objects.filter(free_at__lt=get_now() - timedelta(days=1)).delete()


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
