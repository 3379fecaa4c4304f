"""Turns as a task of ``django.tasks``, which puts the next one into the queue before it begins.

Django's tasks know no clock, and a task whose worker is killed may stay where it is for ever. So
the one that follows is there before anything else happens, for a minute later, and one turn follows
another as long as something is left to workers. However many are begun, one follows: that is noted
in a row. On Django 5.2 the tasks are those of the backport, ``django-tasks``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import django
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseFault
from django.db import connections, transaction
from django.utils import timezone

from ..clients import get_instance
from ..services.batches.background import has_work
from ..services.batches.heartbeat import note_planned, plan_turn
from ..services.batches.tick import get_least_seconds, tick
from ..services.database import get_alias

if TYPE_CHECKING or django.VERSION >= (6, 0):
    from django.tasks import task
else:
    from django_tasks import task

#: So long a turn takes at most (seconds).
TURN: Final = 50.0

#: So long after a turn has begun the next one begins, whatever becomes of it.
_PAUSE: Final = timedelta(seconds=60)


@task(takes_context=True)
def send(context: Any) -> None:
    """Do one turn, and see that another one follows as long as anything is left to workers.

    It has no arguments: what is to be done is in the rows.
    """
    try:
        goes_on = _plan_next(context.task_result)
    except DatabaseFault:
        # Nobody knows whether one is needed; of those that follow without a note, one plans.
        connection = connections[get_alias()]
        if not connection.in_atomic_block:  # the queue may be in it, and the next one be let in
            connection.close_if_unusable_or_obsolete()
        _enqueue_next(context.task_result)
        raise
    if goes_on:
        tick(max(TURN, 2 * get_least_seconds()))


def _plan_next(this: Any) -> bool:
    """Put the next turn into the queue, unless it is there; False where nothing is left."""
    instance = get_instance()
    if not has_work(instance):
        return False
    # Together, where the queue is in the same database: nobody notes a turn that is in no queue.
    with transaction.atomic(using=get_alias()):
        if plan_turn(instance, _PAUSE, this.id):
            note_planned(instance, _enqueue_next(this))
    return True


def _enqueue_next(this: Any) -> str:
    result = this.task.using(run_after=timezone.now() + _PAUSE).enqueue()
    return str(result.id)


def start() -> None:
    """Let a worker begin a turn: a name of ``ORG_INVITATIONS_BACKGROUND``.

    :raises ImproperlyConfigured: :func:`get_problem` says so.
    """
    if problem := get_problem():
        raise ImproperlyConfigured(problem)
    send.enqueue()


def get_problem() -> str:
    """Return why the tasks of this site cannot send in the background; empty where they can."""
    if send.get_backend().supports_defer:
        return ""
    return (
        "The default backend of TASKS runs no task at a later time, and maybe none in a process "
        "of its own: one with workers is needed, such as that of django-tasks-db."
    )
