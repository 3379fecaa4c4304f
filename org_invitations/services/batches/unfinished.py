"""What was begun in an organization and is not over: looked after whenever somebody sees the list.

A process may die at any moment, and nobody may ever ask for the outcome it was at. So what waits
is offered to whom it belongs to, what is half done to everybody who may finish it, and what nobody
knew is found out, so that it ends, and is deleted in its time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from ...clerk import Invitation, OrganizationAPI
from ...conf import conf
from ...models import Batch, BatchItem
from ..database import get_now
from .background import is_tried_again
from .reconcile import Listed, reconcile
from .store import DOUBTFUL, LATER, UNCLEAR, get_own_instances, is_free, is_over

State = BatchItem.State

#: How many are looked after at once, where Clerk has to be asked about each; and so many are shown.
MAX_UNFINISHED: Final = 5

#: States in which something may be missing, or nobody knows.
_UNSURE: Final = (*DOUBTFUL, State.HALF_DONE)


@dataclass(frozen=True, slots=True)
class WaitingBatch:
    """A batch of which something waits, and nobody is at work on it."""

    id: UUID
    action: str
    created_at: datetime
    #: How many of its items wait.
    count: int


@dataclass(frozen=True, slots=True)
class UnfinishedBatches:
    """What is not over in an organization, newest first."""

    #: Resends that are half done, or of which nobody knows yet, whoever began them.
    resends: tuple[BatchItem, ...] = ()
    #: How many more of these there are.
    more_resends: int = 0
    #: The person's own batches of which something waits: nobody goes on with them but a person.
    waiting: tuple[WaitingBatch, ...] = ()
    #: How many more of these there are.
    more_waiting: int = 0


def look_after(
    api: OrganizationAPI,
    user_id: str,
    everything: Sequence[Invitation] | None = None,
    *,
    told: Collection[UUID] = (),
) -> UnfinishedBatches:
    """Find out what can be found out, and return what is left, also for a person to decide.

    One look into the database where there is nothing.

    Clerk is asked about each of the resends that are returned: one may be the very one that the
    list is the answer to.

    :param everything: all invitations of the organization, as they were read a moment ago, newest
        first. Then nothing is asked about anything else; without, about one at a time.
    :param told: batches that are told of anyhow: what workers try again of them is left to them.
    """
    begun = Batch.objects.filter(organization_id=api.organization_id, finished_at=None)
    if not begun.exists():
        return UnfinishedBatches()
    unsure = [
        item
        for item in find_unsure(api.organization_id)
        if item.batch_id not in told or not is_tried_again(item)
    ]
    resends = [item for item in unsure if item.batch.action == Batch.Action.RESEND]
    shown = resends[:MAX_UNFINISHED]
    reconcile(api, shown)
    # Until it is over, whoever pressed the button has its outcome; then nobody may ever look.
    others = [item for item in reversed(unsure) if item not in resends and is_over(item)]
    for action in (Batch.Action.INVITE, Batch.Action.REVOKE):
        doubts = [item for item in others if item.batch.action == action]
        if everything is not None:
            reconcile(Listed(everything), doubts)
        else:
            reconcile(api, doubts[:1])
    waiting = [one for one in find_waiting(api.organization_id, user_id) if one.id not in told]
    return UnfinishedBatches(
        resends=tuple(item for item in shown if is_unsure(item)),
        more_resends=len(resends) - len(shown),
        waiting=tuple(waiting[:MAX_UNFINISHED]),
        more_waiting=len(waiting[MAX_UNFINISHED:]),
    )


def is_unsure(item: BatchItem) -> bool:
    """Whether it is half done, or may get known yet."""
    return item.state in _UNSURE and item.reason != UNCLEAR


def find_unsure(organization_id: str) -> list[BatchItem]:
    """Return what is half done or in doubt in an organization, and nobody is at work on it."""
    found = _find_left(organization_id).filter(state__in=_UNSURE)
    found = found.exclude(reason=UNCLEAR)  # nobody will ever know, and there is an invitation
    return list(found.select_related("batch").order_by("-batch__created_at", "number"))


def find_waiting(organization_id: str, user_id: str) -> list[WaitingBatch]:
    """Return a person's batches of which something waits, and nobody is at work on it."""
    found = _find_left(organization_id).filter(batch__user_id=user_id, state=State.WAITING)
    if conf.BACKGROUND:
        # What workers go on with; but for what goes with another press, as nobody had seen it.
        found = found.exclude(Q(batch__in_background=True) & ~Q(reason=LATER))
    rows = found.values_list("batch", "batch__action", "batch__created_at")
    counted = rows.annotate(count=Count("pk")).order_by("-batch__created_at")
    return [WaitingBatch(*row) for row in counted]


def _find_left(organization_id: str) -> QuerySet[BatchItem]:
    return BatchItem.objects.filter(
        is_free(get_now()),
        batch__organization_id=organization_id,
        batch__instance__in=get_own_instances(),
    )
