"""What is left to workers: what of it waits again, what ends all of it, and who stops it.

The rows say what is to be done, and a worker may die at any moment. So what somebody was at work on
when their lease ran out is nobody's, and what did not happen for a reason that passes is tried
again, later each time, and not for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from ...clerk import exceptions
from ...clerk.exceptions import DevelopmentLimit, QuotaExceeded, RateLimited, find_kind
from ...clerk.organizations import BULK_SIZE
from ...conf import conf
from ...models import Batch, BatchItem
from ..database import get_alias, get_now
from .engine import start_turn
from .reconcile import ABSENT
from .store import DOUBTFUL, LATER, UNCLEAR, is_due, is_free, note_end

State = BatchItem.State

#: Why it was not sent: somebody has cancelled the rest.
CANCELLED: Final = "cancelled"

#: Why a batch has stopped by itself: it was begun by somebody who acted as another person, and
#: these may not do anything any more.
IMPERSONATION: Final = "Impersonation"

#: Why a batch has stopped by itself: the classes of the site's that it needs are not there.
NOT_CONFIGURED: Final = "Background:class"

#: So often a worker tries an item again by itself.
MAX_TRIES: Final = 5

#: So long it waits before the first of these, and twice as long before each further one.
_FIRST_PAUSE: Final = timedelta(minutes=1)

#: So long an organization is left alone after what keeps all of it from being done.
_PAUSE: Final = timedelta(minutes=1)
_LONG_PAUSE: Final = timedelta(hours=1)

#: So many are looked after at once.
_AT_ONCE: Final = 50

#: What of a refusal holds for all that is refused with it.
_SHARED_PARAMS: Final = ("clerk_message", "code", "trace_id")


def get_ours(instance: str) -> Q:
    """Return which batches are for the workers of an instance and not over."""
    return Q(instance=instance, in_background=True, finished_at=None)


def goes_to_workers(count: int) -> bool:
    """Whether so many are left to workers: what takes more than one call."""
    return bool(conf.BACKGROUND) and count > BULK_SIZE


def is_left_to_workers(batch: Batch) -> bool:
    """Whether nobody but workers goes on with a batch."""
    return batch.in_background and bool(conf.BACKGROUND)


def find_work(instance: str) -> QuerySet[BatchItem]:
    """Return what the workers of an instance go on with, now or later; what they look for is in it.

    What waits, unless it is paused or for another press; what nobody knows yet, also where it is
    paused; and what is half done, as long as they try it again. All else is left to people.
    """
    running = Q(batch__paused_at=None)
    waiting = Q(state=State.WAITING) & ~Q(reason=LATER)
    doubtful = Q(state__in=DOUBTFUL) & ~Q(reason=UNCLEAR)
    ours = BatchItem.objects.filter(batch__in=Batch.objects.filter(get_ours(instance)))
    return ours.filter(doubtful | running & (waiting | _is_half()))


def has_work(instance: str) -> bool:
    """Whether anything is left to the workers of an instance, now or later."""
    return find_work(instance).exists()


def _is_half() -> Q:
    """Tell what is half done and tried again by workers."""
    tried = Q(state=State.HALF_DONE, tries__lt=MAX_TRIES, batch__cancelled_at=None)
    return tried & Q(reason__in=["", *_PASSING])


# --- What somebody has left ----------------------------------------------------------------------


def find_doubtful(instance: str) -> list[BatchItem]:
    """Return items of which nobody knows what became of them, and time is over."""
    now = get_now()
    batches = Batch.objects.filter(get_ours(instance))
    is_over = Q(leased_until=None) | Q(leased_until__lte=now)
    found = BatchItem.objects.filter(is_over, is_due(now), batch__in=batches, state__in=DOUBTFUL)
    found = found.exclude(reason=UNCLEAR)
    return _get_first(found)


def find_halves(instance: str) -> list[BatchItem]:
    """Return resends whose second half is missing for a reason that passes."""
    now = get_now()
    batches = Batch.objects.filter(get_ours(instance), paused_at=None)
    found = BatchItem.objects.filter(_is_half(), is_free(now), is_due(now), batch__in=batches)
    return _get_first(found)


def _get_first(found: QuerySet[BatchItem]) -> list[BatchItem]:
    """Return some items, batch by batch; of the database no more is asked than its index gives."""
    items = found.select_related("batch").order_by("batch_id")[:_AT_ONCE]
    return sorted(items, key=lambda item: (item.batch_id, item.number))


def is_tried_again(item: BatchItem) -> bool:
    """Whether workers find out, or do, what is missing of an item, so that nobody else need."""
    if not is_left_to_workers(item.batch) or item.batch.paused_at is not None:
        return False
    if item.state == State.HALF_DONE:
        is_over = item.batch.cancelled_at is not None or item.tries >= MAX_TRIES
        return not is_over and (not item.reason or passes(item.reason))
    return item.state in DOUBTFUL and item.reason != UNCLEAR


def passes(reason: str) -> bool:
    """Whether what kept an item from being done may be over a little later."""
    kind = find_kind(reason)
    if kind is None:
        return reason == ABSENT
    return kind.is_transient or (kind.concerns_all and not kind.is_final)


#: All names of which that holds.
_PASSING: Final = (ABSENT, *filter(passes, vars(exceptions)))


def put_back(items: Iterable[BatchItem]) -> None:
    """Let those wait again that were not done for a reason that passes.

    Where the rest was cancelled, none does: what did not happen is cancelled as well.
    """
    again = [item for item in items if item.state == State.FAILED and passes(item.reason)]
    for item in again:
        if item.tries >= MAX_TRIES:
            continue
        values: dict[str, Any] = {"state": State.WAITING, **get_next_try(item)}
        if item.reason == ABSENT:  # it did not happen, and that is no reason to wait
            values |= {"reason": "", "params": {}, "retry_at": None}
        failed = BatchItem.objects.filter(is_free(get_now()), pk=item.pk, state=State.FAILED)
        going_on = Batch.objects.filter(pk=item.batch_id, cancelled_at=None)
        with transaction.atomic(using=get_alias()):
            if not failed.update(**values) or going_on.update(finished_at=None):
                continue
            transaction.set_rollback(True, using=get_alias())
        failed.filter(reason=ABSENT).update(reason=CANCELLED, params={})


def put_back_absent(instance: str) -> None:
    """Let those wait again of which somebody else has found out that they did not happen.

    Whoever looks at an outcome or a list asks Clerk what became of what nobody knows.
    """
    since = get_now() - timedelta(days=1)
    batches = Batch.objects.filter(instance=instance, in_background=True, worked_at__gt=since)
    absent = BatchItem.objects.filter(batch__in=batches, state=State.FAILED, reason=ABSENT)
    put_back(absent.filter(tries__lt=MAX_TRIES)[:_AT_ONCE])


def look_again_later(items: Iterable[BatchItem]) -> None:
    """Leave those alone for a while of which nobody could find out what became of them."""
    doubtful = [item.pk for item in items if item.state in DOUBTFUL]
    BatchItem.objects.filter(pk__in=doubtful).update(retry_at=get_now() + _FIRST_PAUSE)


def get_next_try(item: BatchItem) -> dict[str, Any]:
    """Return when it makes sense to try an item again, and that it is tried once more."""
    return {"tries": item.tries + 1, "retry_at": get_now() + _FIRST_PAUSE * 2**item.tries}


# --- What ends or delays all of a batch ----------------------------------------------------------


def follow_up(batch: Batch, items: Iterable[BatchItem]) -> None:
    """Draw the conclusions for a batch from what became of some of it.

    Who may not manage the members any more gets no further, and what Clerk refuses for all of an
    organization is not asked ten times more.
    """
    items = list(items)
    put_back(items)
    if any(item.batch.cancelled_at is not None for item in items):
        cancel_waiting([batch.pk])  # what was in a call waits again where Clerk had no time for it
        return
    # Whether there is a call to make the ledger knows better than what was said to one of them.
    limited = BatchItem.objects.filter(pk__in=[item.pk for item in items], state=State.WAITING)
    limited.filter(reason=RateLimited.__name__).update(retry_at=None)
    for item in items:
        kind = find_kind(item.reason)
        if kind is None:
            continue
        ends = kind.concerns_all and kind.is_final
        ends = ends or (kind is QuotaExceeded and batch.action == Batch.Action.INVITE)
        if item.state == State.REFUSED and ends:
            refuse_rest(batch, item.reason, item.params)
            return
        if kind.concerns_all and not kind.is_transient:
            wait(batch, _LONG_PAUSE if kind is DevelopmentLimit else _PAUSE)
            return


def refuse_rest(batch: Batch, reason: str, params: dict[str, Any] | None = None) -> None:
    """Refuse what waits of a batch, for the reason that some of it was refused for."""
    shared = {name: value for name, value in (params or {}).items() if name in _SHARED_PARAMS}
    waiting = BatchItem.objects.filter(is_free(get_now()), batch=batch, state=State.WAITING)
    _end(waiting, Q(pk=batch.pk), state=State.REFUSED, reason=reason, params=shared)


def cancel_rest(batch: Batch) -> int:
    """Let what waits of a batch wait no longer, at this moment or later; return how many wait now.

    A call that is out is answered, and what became of it is still found out. Workers send nothing
    else of it any more: each save before a call fails by the mark.
    """
    running = Batch.objects.filter(pk=batch.pk, cancelled_at=None)
    running.update(cancelled_at=get_now(), paused_at=None, paused_by="", paused_because="")
    batch.refresh_from_db()
    return cancel_waiting([batch.pk])


def find_cancelled(instance: str) -> list[UUID]:
    """Return the batches whose rest was cancelled, and of which something is not over yet."""
    found = Batch.objects.filter(get_ours(instance), cancelled_at__isnull=False)
    return list(found.values_list("pk", flat=True))


def cancel_waiting(batch_ids: Collection[UUID]) -> int:
    """Let what waits of batches wait no longer whose rest was cancelled; return how many.

    Also what somebody has claimed: as long as it waits it is in no call, and will not be in one.
    """
    waiting = BatchItem.objects.filter(batch__in=batch_ids, state=State.WAITING)
    return _end(waiting, Q(pk__in=batch_ids), state=State.FAILED, reason=CANCELLED, params={})


def _end(waiting: QuerySet[BatchItem], of: Q, **values: Any) -> int:
    with transaction.atomic(using=get_alias()):
        ended = waiting.update(retry_at=None, leased_by="", leased_until=None, **values)
        note_end(of, get_now())
    return ended


def wait(batch: Batch, pause: timedelta = _PAUSE) -> None:
    """Let workers leave a batch alone for a while."""
    Batch.objects.filter(pk=batch.pk).update(not_before=get_now() + pause)


# --- Pause and continue --------------------------------------------------------------------------


def pause(batch: Batch, by: str = "", *, because: str = "") -> None:
    """Let workers send nothing more of a batch, but for what is out at this moment.

    That is one call, some revocations at the same time, or the new one of a resend whose old one is
    revoked. Each save before a call fails while it is paused, and what was not sent waits.

    :param by: ``user_…``, who wants that; empty where it stops by itself.
    :param because: why it stops by itself: the name of a sentence.
    """
    running = Batch.objects.filter(pk=batch.pk, paused_at=None)
    running.update(paused_at=get_now(), paused_by=by, paused_because=because)
    batch.refresh_from_db()


def unpause(batch: Batch) -> None:
    """Let workers go on with a batch at once; that they did not before is no fault of theirs."""
    Batch.objects.filter(pk=batch.pk).update(
        paused_at=None, paused_by="", paused_because="", not_before=get_now()
    )
    batch.refresh_from_db()
    transaction.on_commit(start_turn, using=get_alias())
