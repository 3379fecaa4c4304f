"""When what is left to workers will be done, as far as that can be told.

Nobody knows who comes later, and whoever does takes from those who have many: that is what is fair.
So two moments are told: when it is done if nobody comes, and when if as many come as in the last
hours. Where nobody came in these, the two are one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Count, Min

from ...clerk.exceptions import BULK_INVITATIONS, SINGLE_INVITATIONS
from ...clerk.organizations import BULK_SIZE
from ...models import Batch
from ..database import get_now
from ..limits import HOUR, Ledger, Pool
from .schedule import Queued, get_queue

#: As many are reckoned with as have come within so long, and no less (seconds).
LOOK_BACK: Final = 3 * HOUR
_AT_LEAST: Final = HOUR


@dataclass(frozen=True, slots=True)
class Estimate:
    """How much of a batch waits, and for how long."""

    #: How many of it wait.
    waiting: int
    #: How many other batches have their turn before it is done.
    ahead: int
    #: Seconds until the last of it has been tried, if nobody comes meanwhile.
    seconds: float
    #: The same if as many come as in the last hours; None where these leave nothing for those who
    #: have many, so that nobody can tell.
    latest: float | None


def estimate(batch: Batch) -> Estimate | None:
    """Return when a batch will be done; None where nothing of it could go at this moment.

    All organizations get the same share of what Clerk lets through, and who has had less within the
    hour catches up first. So until the last address of this one has gone, each other one gets as
    far as this one at most. Revocations are limited by nothing that is counted.

    It takes a few queries, over all that waits; Clerk is not asked.
    """
    ledger = Ledger(is_background=True)
    queue = [one for one in get_queue(ledger) if one.action != Batch.Action.REVOKE]
    own = next((one for one in queue if one.batch_id == batch.pk), None)
    if own is None:
        return None
    others = [one for one in queue if one.organization_id != own.organization_id]
    earlier = [one.waiting for one in queue if one not in others and one.rank < own.rank]
    before = _get_before(own, others)
    due = own.waiting + sum(earlier) + sum(before.values())
    moments = [
        *_get_moments(ledger.get_pool(BULK_INVITATIONS), BULK_SIZE),
        *_get_moments(ledger.get_pool(SINGLE_INVITATIONS), 1),
    ]
    per_hour = sum(count for _, count in moments)
    coming = _get_coming(ledger.instance, own)
    latest = None
    if coming < per_hour:
        latest = _get_time(moments, round(due * per_hour / (per_hour - coming)))
    return Estimate(
        waiting=own.waiting,
        ahead=len(earlier) + sum(before[one.organization_id] > 0 for one in others),
        seconds=_get_time(moments, due),
        latest=latest,
    )


def _get_before(own: Queued, others: Collection[Queued]) -> dict[str, int]:
    """Return how many of each other organization go before the last of this one's."""
    level = own.sent + own.waiting
    waiting = Counter[str]()
    for one in others:
        waiting[one.organization_id] += one.waiting
    sent = {one.organization_id: one.sent for one in others}
    return {whose: min(count, max(level - sent[whose], 0)) for whose, count in waiting.items()}


def _get_moments(pool: Pool, addresses: int) -> Iterator[tuple[float, int]]:
    """Yield after how many seconds each call of a limit can go, and how many addresses it takes.

    What is free now, and what is free at the same moment since Clerk has refused all, goes evenly
    but for some of it.
    """
    held = pool.free - pool.share
    yield from ((0.0, addresses) for _ in range(pool.share))
    yield from ((HOUR * (number + 1) / held, addresses) for number in range(held))
    for end, count in Counter(pool.releases).items():
        late = (max(number - pool.burst, 0) * pool.step for number in range(count))
        yield from ((end + seconds, addresses) for seconds in late)


def _get_time(moments: Sequence[tuple[float, int]], count: int) -> float:
    """Return the seconds until so many have gone, where each call goes again every hour."""

    def get_gone(seconds: float) -> int:
        calls = [(seconds - first, addresses) for first, addresses in moments if first <= seconds]
        return sum(addresses * (1 + int(since // HOUR)) for since, addresses in calls)

    # It is found between these, to a second.
    low, high = 0.0, HOUR * (count / sum(addresses for _, addresses in moments) + 3)
    if get_gone(low) >= count:
        return low
    while high - low > 1:
        middle = (low + high) / 2
        low, high = (low, middle) if get_gone(middle) >= count else (middle, high)
    return high


def _get_coming(instance: str, own: Queued) -> float:
    """Return how many addresses of those who come later go before this one's, an hour.

    It is as if those who came of late came again, evenly from now on. Each of them catches up with
    what this one has had within the hour, and then gets as many as it does, up to what they have.
    """
    now = get_now()
    came = Batch.objects.filter(
        instance=instance, in_background=True, created_at__gt=now - timedelta(seconds=LOOK_BACK)
    ).exclude(action=Batch.Action.REVOKE)
    first = came.aggregate(first=Min("created_at"))["first"]
    if first is None:
        return 0.0
    others = came.exclude(organization_id=own.organization_id)
    counted = others.values_list("organization_id").annotate(Count("items")).order_by()
    seconds: float = max((now - first).total_seconds(), _AT_LEAST)
    return sum(_get_overtaking(own, size) for _, size in counted) * HOUR / seconds


def _get_overtaking(own: Queued, size: int) -> float:
    """Return how many of a later one's go before, on average over the moments it may come at."""
    last = (size - own.sent) / own.waiting  # so much of this one must be left for all of them
    if last <= 0:
        return float(size)
    if last >= 1:
        return own.sent + own.waiting / 2
    return own.sent * last + own.waiting * last**2 / 2 + size * (1 - last)
