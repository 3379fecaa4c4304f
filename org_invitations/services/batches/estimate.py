"""When what is left to workers will be done, as far as that can be told."""

from __future__ import annotations

from dataclasses import dataclass

from ...clerk.exceptions import BULK_INVITATIONS, SINGLE_INVITATIONS
from ...clerk.organizations import BULK_SIZE
from ...models import Batch, BatchItem
from ..limits import HOUR, Ledger
from .schedule import get_queue

State = BatchItem.State


@dataclass(frozen=True, slots=True)
class Estimate:
    """How much of a batch waits, and for how long."""

    #: How many of it wait.
    waiting: int
    #: How many other batches have their turn before it is done.
    ahead: int
    #: Seconds until the last of it has been tried, if nobody comes meanwhile.
    seconds: float


def estimate(batch: Batch) -> Estimate | None:
    """Return when a batch will be done; None where nothing of it could go at this moment.

    All organizations get the same share of what Clerk lets through, and who has had less within the
    hour catches up first. So until the last address of this one has gone, each other one gets as
    far as this one at most. Revocations are limited by nothing that is counted.
    """
    ledger = Ledger(is_background=True)
    queue = [one for one in get_queue(ledger) if one.action != Batch.Action.REVOKE]
    own = next((one for one in queue if one.batch_id == batch.pk), None)
    if own is None:
        return None
    level = own.sent + own.waiting
    sent = {one.organization_id: one.sent for one in queue}
    waiting: dict[str, int] = dict.fromkeys(sent, 0)
    for one in queue:
        waiting[one.organization_id] += one.waiting
    before = {
        whose: min(count, max(level - sent[whose], 0))
        for whose, count in waiting.items()
        if whose != own.organization_id
    }
    same = [one for one in queue if one.organization_id == own.organization_id]
    earlier = [one.waiting for one in same if one.rank < own.rank]
    before[own.organization_id] = own.waiting + sum(earlier)
    bulk, single = (ledger.get_pool(limit) for limit in (BULK_INVITATIONS, SINGLE_INVITATIONS))
    per_hour = bulk.size * BULK_SIZE + single.size
    at_once = bulk.share * BULK_SIZE + single.share
    left = max(sum(before.values()) - at_once, 0)
    # Where no call is free at all, Clerk has said so, or others have used them up.
    closed = min(0.0 if pool.free else pool.next_in for pool in (bulk, single))
    ahead = len(earlier) + sum(
        1 for one in queue if one not in same and before[one.organization_id]
    )
    return Estimate(own.waiting, ahead, closed + left * HOUR / max(per_hour, 1))
