"""What lies before a batch that is left to workers, as far as that is known at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ...caching import InstanceCache
from ...clerk.exceptions import BULK_INVITATIONS, SINGLE_INVITATIONS
from ...models import Batch
from ..limits import Ledger
from .estimate import estimate
from .heartbeat import is_missed

#: So long it is remembered (seconds): whoever looks how far it has got does so every few seconds,
#: and to foretell takes a look at all that waits.
_KEPT: Final = 15


@dataclass(frozen=True, slots=True)
class Outlook:
    """When it will be done, and what is before it; by the clock of this machine."""

    #: When the last of it will have been tried if nobody comes; None where that is not known.
    done_at: datetime | None = None
    #: The same if as many come as in the last hours; None where nobody can tell.
    latest_at: datetime | None = None
    #: How many other batches have their turn before that.
    ahead: int = 0
    #: Until when Clerk's hourly limit lets nothing through; None where it does, or does not count.
    limited_until: datetime | None = None
    #: Whether no worker was seen for so long that there may be none.
    is_missed: bool = False


def get_outlook(batch: Batch) -> Outlook:
    """Return what lies before a batch, as it was some seconds ago at most."""
    cache = InstanceCache()
    name = f"outlook:{batch.pk}"
    known: Outlook | None = cache.get_many([name]).get(name)
    if known is None:
        known = _look(batch)
        cache.set(name, known, _KEPT)
    return known


def _look(batch: Batch) -> Outlook:
    missed = is_missed(batch.instance)
    if batch.paused_at is not None or batch.action == Batch.Action.REVOKE:
        return Outlook(is_missed=missed)
    now = datetime.now(UTC)
    found = estimate(batch)
    # Where nobody works, nothing is done by then.
    seconds, latest = (found.seconds, found.latest) if found and not missed else (None, None)
    return Outlook(
        done_at=None if seconds is None else now + timedelta(seconds=seconds),
        latest_at=None if latest is None else now + timedelta(seconds=latest),
        ahead=found.ahead if found else 0,
        limited_until=_get_limit(batch, now),
        is_missed=missed,
    )


def _get_limit(batch: Batch, now: datetime) -> datetime | None:
    """Return when the next call is free, where none is."""
    ledger = Ledger(batch.organization_id, is_background=True)
    pools = [ledger.get_pool(SINGLE_INVITATIONS)]
    if batch.action == Batch.Action.INVITE:
        pools.append(ledger.get_pool(BULK_INVITATIONS))
    if any(pool.free > 0 for pool in pools):
        return None
    return now + timedelta(seconds=min(pool.next_in for pool in pools))
