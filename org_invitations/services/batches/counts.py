"""How far batches have got, counted where they are kept: no item is read for that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone

from ...models import BatchItem
from .store import LATER

State = BatchItem.State

#: What somebody may be in the midst of.
_HALFWAY: Final = (State.UNDER_WAY, State.HALF_DONE)


def is_for_workers(one: BatchItem | Part) -> bool:
    """Whether workers will take it up: it waits, and not for another press."""
    return one.state == State.WAITING and one.reason != LATER


@dataclass(frozen=True, slots=True)
class Part:
    """The items of a batch that are in the same state for the same reason."""

    state: str
    #: The name of a sentence; empty where there is nothing to say.
    reason: str
    count: int
    #: How many of them somebody is at work on.
    busy: int = 0

    @property
    def left(self) -> int:
        """How many of them workers have yet to deal with."""
        if is_for_workers(self):
            return self.count
        return self.busy if self.state in _HALFWAY else 0


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of a batch are where."""

    parts: tuple[Part, ...] = ()

    @property
    def total(self) -> int:
        """All there are."""
        return sum(part.count for part in self.parts)

    @property
    def left(self) -> int:
        """How many workers have yet to deal with: they wait, or are being sent."""
        return sum(part.left for part in self.parts)

    @property
    def is_last(self) -> bool:
        """Whether somebody is at work on all that is left at this moment."""
        return 0 < self.left <= sum(part.busy for part in self.parts if part.left)

    @property
    def finished(self) -> int:
        """How many are dealt with, whatever became of them."""
        return self.total - self.left

    def of(self, *states: str) -> int:
        """Return how many are in one of these states."""
        return sum(part.count for part in self.parts if part.state in states)

    def reasons(self) -> set[str]:
        """Return why those wait that were tried, or were to be."""
        return {part.reason for part in self.parts if part.state == State.WAITING and part.reason}


def count_items(batch_ids: Iterable[UUID]) -> dict[UUID, Counts]:
    """Return how many items of each batch are where: one query, which reads them and no others.

    That is a look by this machine's clock, and nothing is decided by it.
    """
    ids = list(batch_ids)
    at_work = Q(leased_until__gt=timezone.now()) & ~Q(leased_by="")
    found = BatchItem.objects.filter(batch__in=ids).order_by()
    rows = found.values_list("batch_id", "state", "reason").annotate(
        count=Count("pk"), busy=Count("pk", filter=at_work)
    )
    parts: dict[UUID, list[Part]] = {batch_id: [] for batch_id in ids}
    for batch_id, *values in rows:
        parts[batch_id].append(Part(*values))
    return {batch_id: Counts(tuple(of)) for batch_id, of in parts.items()}
