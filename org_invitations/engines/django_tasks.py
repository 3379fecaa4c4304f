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
from django.db import transaction
from django.utils import timezone

from ..clients import get_instance
from ..services.batches.background import has_work
from ..services.batches.heartbeat import plan_turn
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
    instance = get_instance()
    if not has_work(instance):
        return
    this = context.task_result.task
    # Together, where the queue is in the same database: nobody notes a turn that is in no queue.
    with transaction.atomic(using=get_alias()):
        if plan_turn(instance, _PAUSE):
            this.using(run_after=timezone.now() + _PAUSE).enqueue()
    tick(max(TURN, 2 * get_least_seconds()))


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
