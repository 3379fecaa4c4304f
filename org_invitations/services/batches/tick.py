"""One turn of a worker: whatever calls this, how often, and in how many processes at once.

An engine decides when and where it runs, may run it twice, late, or kill it: the rows say what is
to be done and what became of it. Each portion is claimed with a lease before Clerk is called, and
no call goes out for which too little of that lease is left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from time import monotonic
from typing import Final
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseFault

from ...clerk import ClerkError
from ...clerk import exceptions as exc
from ...clerk.deadline import WRITE, Deadline
from ...clerk.exceptions import BULK_INVITATIONS, SINGLE_INVITATIONS
from ...clients import get_client, get_instance
from ...conf import conf
from ...models import Batch, BatchItem
from ...roles import GrantPolicy
from ..exceptions import NotPermitted
from ..limits import Ledger
from ..paths import find_class
from ..service import InvitationService
from .background import (
    IMPERSONATION,
    NOT_CONFIGURED,
    cancel_waiting,
    find_cancelled,
    find_doubtful,
    find_halves,
    follow_up,
    get_next_try,
    look_again_later,
    pause,
    put_back,
    put_back_absent,
    refuse_rest,
    wait,
)
from .heartbeat import beat
from .reconcile import reconcile
from .schedule import Portion, choose
from .store import LeaseLost, NotSaved, forget_now_and_then, stale_after

logger = logging.getLogger("org_invitations")

State = BatchItem.State

#: So long nothing is asked of Clerk where it does not answer anybody (seconds).
_PAUSE: Final = 30.0

#: So long a batch is left alone of which nothing could be done.
_MOMENT: Final = timedelta(seconds=5)

#: What says that Clerk was not even reached; that the time was over says nothing of it.
_UNREACHABLE: Final = (exc.ConnectionFailed, exc.CircuitOpen, exc.BulkheadFull)

#: So much of a lease may be worked for; the rest is for writing down what became of it.
_USABLE: Final = 2 / 3

#: So often it is looked for what others have left (seconds).
_LOOK_EVERY: Final = 30.0


@dataclass(frozen=True, slots=True)
class Tick:
    """What one turn has done."""

    #: How many items it has tried.
    items: int = 0
    #: Seconds after which the next turn makes sense; 0 where something could go on right now, None
    #: where nothing waits.
    next_in: float | None = None


def tick(max_seconds: float = 50.0, *, should_stop: Callable[[], bool] = lambda: False) -> Tick:
    """Do what is due, for about so long; any number of processes may do so at the same time.

    :param max_seconds: no call begins that might take longer than this allows; more than
        :func:`get_least_seconds`.
    :param should_stop: asked before each call of Clerk's: a worker that is to end.
    :raises ImproperlyConfigured: there is no ``CLERK_SECRET_KEY``.
    :raises DatabaseFault: the database does not answer; the next turn goes on where this one was.
    """
    return _Turn(max_seconds, should_stop).run()


def get_least_seconds() -> float:
    """Return how many seconds are too few for a turn: three times the time-outs of a call.

    No write is cut short by the end of a turn: it may take a third of the time there is. These are
    24 seconds, unless a site has set other time-outs.
    """
    return (conf.CONNECT_TIMEOUT + conf.READ_TIMEOUT) / WRITE


class _Turn:
    def __init__(self, max_seconds: float, should_stop: Callable[[], bool]) -> None:
        self.client = get_client()
        self.instance = get_instance()
        self.should_stop = should_stop
        self.ledger = Ledger(is_background=True)
        self.items = 0
        #: When something that keeps all from being done may be over.
        self.pause: float | None = None
        self._end = monotonic() + max_seconds
        self._looked: float | None = None
        self._services: dict[UUID, InvitationService] = {}

    def run(self) -> Tick:
        while self._has_time():
            beat(self.instance)
            self._look_after()
            if self.pause is not None or self.should_stop():
                return Tick(self.items, self.pause)
            choice = choose(self.ledger)
            if choice.portion is None:
                return Tick(self.items, choice.next_in)
            self._work(choice.portion)
        return Tick(self.items, 0.0)

    def _has_time(self) -> bool:
        """Whether the longest of what one turn of the loop begins would fit in."""
        return self._end - monotonic() >= get_least_seconds()

    def _within(self) -> Deadline:
        longest = stale_after().total_seconds() * _USABLE
        return Deadline(max(min(self._end - monotonic(), longest), 0.0), clock=monotonic)

    # --- What goes next -------------------------------------------------------------------

    def _work(self, portion: Portion) -> None:
        batch = Batch.objects.filter(pk=portion.batch_id, paused_at=None).first()
        if batch is None:
            return
        with self._within(), self._guarding(batch):
            service = self._get_service(batch)
            if service is None:
                return
            items: list[BatchItem] = []
            try:
                items = service.work(
                    batch,
                    portion.count,
                    at_a_time=portion.at_a_time,
                    should_stop=self.should_stop,
                )
            except NotPermitted:
                refuse_rest(batch, exc.PermissionDenied.__name__)
            self.items += len(items)
            follow_up(batch, items)
            self._note_trouble(batch, portion, items)
            limited = exc.RateLimited.__name__  # for which the ledger has noted how long
            moved = [one for one in items if one.state != State.WAITING or one.reason == limited]
            if items and not moved:
                wait(batch, _MOMENT)  # others go on meanwhile

    def _note_trouble(self, batch: Batch, portion: Portion, items: Iterable[BatchItem]) -> None:
        """Leave Clerk alone for a while where it answers nobody, or knows the key no more."""
        for item in items:
            kind = exc.find_kind(item.reason)
            if kind is None or item.state not in (State.WAITING, State.FAILED):
                continue
            if kind is exc.Unauthorized or kind in _UNREACHABLE:
                self.pause = _PAUSE
            elif kind is exc.RateLimited and self._is_general(batch, portion):
                self.pause = min(float(item.params.get("retry_after") or _PAUSE), _PAUSE)

    def _is_general(self, batch: Batch, portion: Portion) -> bool:
        """Whether Clerk has had enough of calls of any kind: of these the ledger knows nothing."""
        limit = SINGLE_INVITATIONS if portion.at_a_time == 1 else BULK_INVITATIONS
        return batch.action == Batch.Action.REVOKE or self.ledger.get_pool(limit).free > 0

    # --- What others have left ------------------------------------------------------------

    def _look_after(self) -> None:
        """Find out what became of what somebody was at work on, and let it go on."""
        if self._looked is not None and monotonic() - self._looked < _LOOK_EVERY:
            return
        self._looked = monotonic()
        forget_now_and_then()
        put_back_absent(self.instance)
        if cancelled := find_cancelled(self.instance):
            cancel_waiting(cancelled)
        for batch, items in _by_batch(find_doubtful(self.instance)):
            with self._within(), self._guarding(batch):
                service = self._get_service(batch)
                if service is None:
                    continue
                reconcile(service.api, items)
                put_back(items)
                look_again_later(items)
        for item in find_halves(self.instance):
            if self.should_stop() or not self._has_time():
                return
            if self.ledger.get_pool(SINGLE_INVITATIONS).free > 0:
                with self._within(), self._guarding(item.batch):
                    self._finish(item.batch, item)

    def _finish(self, batch: Batch, item: BatchItem) -> None:
        service = self._get_service(batch)
        if service is None:
            return
        BatchItem.objects.filter(pk=item.pk).update(**get_next_try(item))
        try:
            snapshot = service.open(invitation_id=item.replaces_id, fresh=True, seats=True)
            batch.refresh_from_db()
            if batch.paused_at is None and batch.cancelled_at is None:
                service.finish(snapshot, item)
        except NotPermitted:
            logger.warning("%s may not finish what they began: %s", batch.user_id, item)
        except ClerkError as error:
            logger.warning("A resend could not be finished: %s: %s", item, error)
        self.items += 1

    # --- Whose, and how -------------------------------------------------------------------

    def _get_service(self, batch: Batch) -> InvitationService | None:
        """Return the service that a batch was begun with; None where it must not go on.

        It is kept for this turn: for ten seconds it need not ask anew whether the person may.
        """
        if batch.actor_id and not conf.ALLOW_IMPERSONATION:
            pause(batch, because=IMPERSONATION)
            return None
        if batch.pk in self._services:
            return self._services[batch.pk]
        try:
            kind = find_class(batch.service, InvitationService)
            policy = find_class(batch.policy, GrantPolicy)
        except ImproperlyConfigured:
            logger.exception("%s stops: what it was begun with is not there.", batch)
            pause(batch, because=NOT_CONFIGURED)
            return None
        service = kind(self.client, organization_id=batch.organization_id, user_id=batch.user_id)
        if batch.policy:
            service.policy = policy()
        service.actor_id = batch.actor_id
        service.is_worker = True
        self._services[batch.pk] = service
        return service

    @contextmanager
    def _guarding(self, batch: Batch) -> Iterator[None]:
        """Let nothing that goes wrong with one batch keep the others from going on."""
        try:
            yield
        except (DatabaseFault, NotSaved):
            raise  # it concerns all of them
        except LeaseLost:
            logger.warning("Somebody else has gone on with a batch: %s", batch)
        except Exception:  # whatever a site's own service or rule may raise
            logger.exception("%s could not be gone on with.", batch)
            wait(batch)


def _by_batch(items: Iterable[BatchItem]) -> Iterator[tuple[Batch, list[BatchItem]]]:
    for _, group in groupby(items, key=lambda item: item.batch_id):
        found = list(group)
        yield found[0].batch, found
