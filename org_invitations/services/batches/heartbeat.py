"""Whether there are workers: what waits for one that does not run waits for ever.

And when the next turn begins, where a queue of tasks has to be told.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from ...models import Heartbeat
from ..database import get_now
from .background import find_work

#: A worker is taken to be gone when none was seen for this long.
SILENCE: Final = timedelta(minutes=10)

#: What of a task's id is kept: all of it, of every backend that is known.
_MAX_ID: Final = 255

#: So seldom a worker says that it is there.
_EVERY: Final = timedelta(seconds=15)


def beat(instance: str) -> None:
    """Say that a worker is at work for an instance; one query, mostly."""
    now = get_now()
    seen = Heartbeat.objects.filter(instance=instance)
    if seen.filter(seen_at__gt=now - _EVERY).exists():
        return
    if not seen.update(seen_at=now):
        Heartbeat.objects.get_or_create(instance=instance, defaults={"seen_at": now})


def plan_turn(instance: str, pause: timedelta, this: str = "") -> bool:
    """Note that the next turn begins after a while; False where another one is to begin by then.

    Of two who plan one at the same moment, the number of rows that an ``UPDATE`` changes decides,
    so however many begin one, one follows.

    :param this: the id of the task of this turn. It may be the very one that was to come next, and
        come a little early: the clock of its machine need not be the database's.
    """
    now = get_now()
    planned = Heartbeat.objects.filter(instance=instance)
    is_over = Q(next_turn_at=None) | Q(next_turn_at__lte=now)
    if this:
        is_over |= Q(next_turn_id=this[:_MAX_ID])
    if planned.filter(is_over).update(next_turn_at=now + pause, next_turn_id=""):
        return True
    values = {"seen_at": now, "next_turn_at": now + pause}
    return Heartbeat.objects.get_or_create(instance=instance, defaults=values)[1]


def note_planned(instance: str, task_id: str) -> None:
    """Note which task the turn is that was planned last."""
    Heartbeat.objects.filter(instance=instance).update(next_turn_id=task_id[:_MAX_ID])


def get_last_seen(instance: str) -> datetime | None:
    """Return when a worker was seen last; None where none ever was."""
    return Heartbeat.objects.filter(instance=instance).values_list("seen_at", flat=True).first()


def is_missed(instance: str) -> bool:
    """Whether workers could have gone on for ten minutes, and none was seen in them."""
    since = get_now() - SILENCE
    could = Q(batch__not_before=None) | Q(batch__not_before__lt=since)
    if not find_work(instance).filter(could, batch__created_at__lt=since).exists():
        return False
    seen = get_last_seen(instance)
    return seen is None or seen < since
