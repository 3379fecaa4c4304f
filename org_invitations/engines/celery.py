"""Turns as a task of Celery's; beat calls for one every minute, and ``start`` for one at once.

Nothing depends on a message: one that is lost, comes late or comes twice begins a turn less, later
or more. Celery finds the task by :mod:`org_invitations.tasks`.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from celery import shared_task

from ..services.batches.tick import get_least_seconds, tick

logger = logging.getLogger("org_invitations")

#: So long the broker may take to answer where a page waits for it (seconds): AMQP's way to say
#: that, and Redis's, unless the site has its own; and how often it is asked.
_PATIENCE: Final = 2.0
_TIMEOUTS: Final = {"socket_connect_timeout": _PATIENCE, "socket_timeout": _PATIENCE}
_TRIES: Final = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}

#: So long a turn takes at most, where the worker's time limits allow it (seconds).
TURN: Final = 50.0

#: So much of a time limit is left for writing down what became of the last call (seconds).
_SPARE: Final = 5.0

#: A turn that nobody has begun by then is none too few: beat has called for another one (seconds).
_EXPIRES: Final = 60.0


@shared_task(name="org_invitations.send", bind=True, ignore_result=True)
def send(task: Any) -> None:
    """Do one turn. It has no arguments: what is to be done is in the rows."""
    seconds = _get_seconds(task)
    if seconds <= get_least_seconds():
        logger.error(
            "Nothing is sent: the time limit of org_invitations.send leaves %.0f seconds for a "
            "turn, and one takes more than %.0f.",
            seconds,
            get_least_seconds(),
        )
        return
    tick(seconds)


def _get_seconds(task: Any) -> float:
    """Return how long a turn may take within the limits that end a task."""
    conf = task.app.conf
    limits: list[float | None] = [
        *(task.request.timelimit or ()),
        task.soft_time_limit or conf.task_soft_time_limit,
        task.time_limit or conf.task_time_limit,
    ]
    wanted = max(TURN, 2 * get_least_seconds())
    return min([wanted, *(limit - _SPARE for limit in limits if limit)])


def start() -> None:
    """Let a worker of Celery's begin a turn: a name of ``ORG_INVITATIONS_BACKGROUND``.

    Somebody waits for the answer of the page, so a broker that does not answer is asked once more
    and given up after a few seconds; Celery's own connections would be tried for longer.

    :raises kombu.exceptions.OperationalError: the broker cannot be reached.
    """
    app = send.app
    options = {**_TIMEOUTS, **app.conf.broker_transport_options, **_TRIES}
    with app.connection_for_write(connect_timeout=_PATIENCE, transport_options=options) as broker:
        send.apply_async(expires=_EXPIRES, retry=False, connection=broker)
