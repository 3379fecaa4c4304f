"""Which of what waits for workers goes next, and how much of it: fair, paced, and nothing idle.

Next is the organization with the fewest addresses sent within the hour, and of those a small batch
before a large one; so who has nine thousand never holds up who has five. Clerk has two limits, for
calls of ten and for calls of one, and both are used at once: tens go together, what is left over
one by one, and where these calls would lie idle, tens are broken up for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Q

from ...clerk.exceptions import BULK_INVITATIONS, SINGLE_INVITATIONS
from ...clerk.organizations import BULK_SIZE
from ...models import Batch, BatchItem
from ..database import get_now
from ..limits import Ledger, Pool
from .background import get_ours
from .store import LATER, is_due, is_free

State = BatchItem.State

#: Who has no more than this, and had no more within the hour, takes any call that is free
#: (addresses): the others leave some to those who may come.
SMALL: Final = BULK_SIZE

#: So many are better sent one by one than in a call that could take ten.
_FEW: Final = 3

#: For so long those that do not fill a call of ten wait for others to be free, where somebody else
#: could fill it.
_PATIENCE: Final = timedelta(seconds=60)

#: So many calls for one address follow each other before it is looked anew who is next.
_MOST_SINGLES: Final = 5

#: So soon it is looked again at most (seconds).
_SOON: Final = 1.0

#: So many are revoked before it is looked anew who is next: no hourly limit is for these.
_MOST_REVOCATIONS: Final = 40


@dataclass(frozen=True, slots=True)
class Portion:
    """What a worker takes next."""

    batch_id: UUID
    #: How many items of it.
    count: int
    #: How many of these a call may take.
    at_a_time: int


@dataclass(frozen=True, slots=True)
class Queued:
    """A batch that waits for workers."""

    batch_id: UUID
    organization_id: str
    action: str
    created_at: datetime
    #: How many of it could go at this moment.
    waiting: int
    #: How many its organization had within the hour.
    sent: int = 0

    @property
    def is_small(self) -> bool:
        """Whether it is so little that nobody is held up by it."""
        return self.waiting <= SMALL and self.sent <= SMALL

    @property
    def rank(self) -> tuple[int, int, datetime]:
        """Its place: the smallest is next."""
        return self.sent, self.waiting, self.created_at


@dataclass(frozen=True, slots=True)
class Choice:
    """What goes next, or for how long nothing does."""

    portion: Portion | None = None
    #: Seconds until something may go; None where nothing waits that could.
    next_in: float | None = None


def get_queue(ledger: Ledger) -> list[Queued]:
    """Return what could go at this moment, the next one first."""
    now = get_now()
    batches = Batch.objects.filter(
        get_ours(ledger.instance),
        Q(not_before=None) | Q(not_before__lte=now),
        paused_at=None,
        cancelled_at=None,
    )
    waiting = BatchItem.objects.filter(is_free(now), is_due(now), state=State.WAITING)
    counted = (
        waiting.filter(batch__in=batches)
        .exclude(reason=LATER)
        .values_list("batch_id", "batch__organization_id", "batch__action", "batch__created_at")
        .annotate(Count("pk"))
        .order_by()
    )
    rows = list(counted)
    sent = ledger.get_sent() if rows else {}
    queue = [
        Queued(batch_id, organization_id, action, created_at, count, sent.get(organization_id, 0))
        for batch_id, organization_id, action, created_at, count in rows
    ]
    return sorted(queue, key=lambda queued: queued.rank)


def choose(ledger: Ledger) -> Choice:
    """Choose what goes next."""
    queue = get_queue(ledger)
    if not queue:
        return Choice()
    now = get_now()
    invites = [queued for queued in queue if queued.action == Batch.Action.INVITE]
    singles = [queued for queued in queue if queued.action == Batch.Action.RESEND]
    waits: list[float] = []
    if invites or singles:
        bulk, single = (ledger.get_pool(limit) for limit in (BULK_INVITATIONS, SINGLE_INVITATIONS))
        portion = _choose_ten(invites, bulk, single, now) or _choose_one(
            sorted([*invites, *singles], key=lambda queued: queued.rank), single
        )
        if portion is not None:
            return Choice(portion)
        waits = [
            bulk.next_in if bulk.free <= 0 else bulk.wait,
            single.next_in if single.free <= 0 else single.wait,
        ]
    for queued in queue:
        if queued.action == Batch.Action.REVOKE:
            return Choice(Portion(queued.batch_id, _MOST_REVOCATIONS, 1))
    # What is free may be of no use to those who wait, as a call of ten to who has three.
    return Choice(next_in=max(min(waits), _SOON))


def _choose_ten(
    invites: Sequence[Queued], bulk: Pool, single: Pool, now: datetime
) -> Portion | None:
    """Choose who gets a call of ten."""
    if bulk.free <= 0:
        return None
    has_tens = any(queued.waiting >= BULK_SIZE for queued in invites)
    share = bulk.share
    for queued in invites:
        may_go = share > 0 or queued.is_small
        if queued.waiting >= BULK_SIZE:
            if may_go:
                return Portion(queued.batch_id, BULK_SIZE, BULK_SIZE)
            continue
        # Not worth a call of ten, unless one by one takes too long, or nobody else needs it.
        has_waited = now - queued.created_at > _PATIENCE
        is_worth_it = queued.waiting > _FEW and (has_waited or not has_tens)
        # What is left of a small one waits for no longer than all of it would.
        is_late = has_waited and queued.is_small and queued.waiting > 1
        if (is_worth_it or is_late) and single.free < queued.waiting and may_go:
            return Portion(queued.batch_id, queued.waiting, BULK_SIZE)
    return None


def _choose_one(queue: Sequence[Queued], single: Pool) -> Portion | None:
    """Choose who gets a call of one: first who has no ten, then those whose tens leave a rest."""
    if single.free <= 0:
        return None

    def is_rest(queued: Queued) -> bool:
        return queued.action == Batch.Action.RESEND or queued.waiting < BULK_SIZE

    tens = [queued for queued in queue if not is_rest(queued)]
    tens.sort(key=lambda queued: queued.waiting % BULK_SIZE == 0)
    share = single.share
    for queued in [*filter(is_rest, queue), *tens]:
        free = single.free if queued.is_small else share
        if free > 0:
            rest = queued.waiting if is_rest(queued) else queued.waiting % BULK_SIZE or BULK_SIZE
            return Portion(queued.batch_id, min(free, rest, _MOST_SINGLES), 1)
    return None
