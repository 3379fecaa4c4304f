"""Working through a batch: the one loop, whatever is done with its items.

What is under way is written down before Clerk is called, and what became of it right after, so a
crash leaves no doubt about the others. Between the calls the rights of the person are asked for
again. What a call is, and what its answer means for the items, a :class:`Worker` knows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable
from typing import Final, Protocol

from ...clerk import ClerkClient, ClerkError, Invitation
from ...clerk import exceptions as exc
from ...models import Batch, BatchItem
from ...roles import AssignableRoles
from ..reasons import Reason
from .store import Halted, LeaseLost, record, release, save_progress, state_after

logger = logging.getLogger("org_invitations")

State = BatchItem.State

#: Seconds to wait for Clerk's limit at least, and at most even where there is no deadline.
MIN_PAUSE: Final = 1
MAX_PAUSE: Final = 60


class Progress:
    """What has become of the items of a batch, kept as it goes; each time somebody is at work."""

    def __init__(
        self,
        batch: Batch,
        by: str,
        announce: Callable[[Invitation], None] = lambda invitation: None,
    ) -> None:
        """Keep the progress of a batch.

        :param by: who has claimed the items that this is about.
        :param announce: called with the invitation of each item that is done, right after that was
            to be saved, even where it could not be.
        """
        self.batch = batch
        self.by = by
        self.announce = announce
        self._changed: dict[int, BatchItem] = {}

    def record(
        self,
        item: BatchItem,
        state: str,
        reason: Reason | None = None,
        *,
        error: ClerkError | None = None,
        invitation: Invitation | None = None,
    ) -> None:
        """Let an item say what became of it; :meth:`save` keeps it.

        :param reason: why; what the error says, unless given.
        :param error: what it ended with.
        :param invitation: the one that was made or revoked, or that stands in the way.
        """
        record(item, state, reason, error=error, invitation=invitation)
        self._changed[item.number] = item

    def begin(self) -> None:
        """Save what is about to be sent; whatever is under way is sent right after this.

        :raises Halted: it was paused, or the rest cancelled, so nothing of it may be sent.
        :raises LeaseLost: somebody else has taken over what is about to be sent.
        :raises NotSaved: the database does not take it.
        """
        self._save(is_beginning=True)

    def save(self) -> None:
        """Save what has changed, and that somebody is at work; what is leased is so for longer.

        :raises LeaseLost: somebody else has taken over what is about to be sent.
        :raises NotSaved: the database does not take it.
        """
        self._save()

    def _save(self, *, is_beginning: bool = False) -> None:
        changed, self._changed = list(self._changed.values()), {}
        try:
            save_progress(self.batch, changed, self.by, is_beginning=is_beginning)
        finally:  # it has happened, whether or not that can be written down
            for item in changed:
                if item.state == State.DONE and item.invitation is not None:
                    self.announce(item.invitation)

    def finish(self) -> None:
        """Save the last of it, and work no more on any of it.

        :raises NotSaved: the database does not take it.
        """
        if self._changed:  # else nothing is to be leased for longer
            self.save()
        release(self.batch, self.by)

    def halt(self, items: Iterable[BatchItem], state: str, error: ClerkError) -> None:
        """Let these say what nobody could go on for, and work no more on any of it."""
        for item in items:
            self.record(item, state, error=error)
        self.finish()


class Worker(Protocol):
    """What is done with the items of one action, a few at a time."""

    @property
    def writes(self) -> int:
        """How many writes what goes next takes, one after the other."""

    @property
    def has_more(self) -> bool:
        """Whether something is left that can be done now."""

    def allow(self, roles: AssignableRoles) -> None:
        """Take note of what the person may grant from now on."""

    def work(self) -> Collection[ClerkError]:
        """Do what goes next, and let its items say what became of them.

        What is under way is saved before Clerk is called. Nothing of Clerk's is raised: what may
        keep the others from being done is returned.

        :raises Halted: nothing more may be sent; :meth:`close` leaves what is left as it was.
        """

    def close(self, state: str, error: ClerkError | None = None) -> None:
        """Let all that is left say that it waits, or why it is not done; :attr:`has_more` ends."""


class Runner:
    """Lets a worker go on until nothing is left, the time is over, or Clerk has had enough."""

    def __init__(
        self,
        worker: Worker,
        progress: Progress,
        *,
        client: ClerkClient,
        ask_again: Callable[[], AssignableRoles],
        may_pause: bool = True,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Prepare.

        :param client: tells how much time is left.
        :param ask_again: returns what the person may grant, asked anew; raises an error of Clerk's
            where they may not do this any more. Not called before the first call, since whoever
            begins has just asked.
        :param may_pause: whether Clerk's limit is waited for where it soon lets go.
        :param should_stop: asked before each call; what is left waits then.
        """
        self.worker = worker
        self.progress = progress
        self.client = client
        self.may_pause = may_pause
        self.should_stop = should_stop
        self._ask_again = ask_again
        self._is_first = True
        #: Whether Clerk said that the person may not do this.
        self.was_denied = False
        #: Whether somebody else has gone on with it or ended it, so that the items are not as they
        #: are kept.
        self.was_overtaken = False

    def run(self) -> None:
        """Go on; nothing of Clerk's is raised. What others have taken over is left to them."""
        try:
            while self.worker.has_more:
                if self.should_stop():
                    self.worker.close(State.WAITING)
                    break
                if not self.client.has_time(self.worker.writes):
                    late = exc.DeadlineExceeded("too little time is left")
                    self.worker.close(State.WAITING, late)
                    break
                error = self._check_rights()
                errors = [error] if error is not None else self.worker.work()
                # Who could not be asked about may not be taken for somebody who may.
                self._stop_or_go_on(errors, is_stuck=error is not None)
                self.progress.save()
        except Halted:
            self.was_overtaken = True
            self.worker.close(State.WAITING)
        except LeaseLost:
            self.was_overtaken = True
            logger.warning("Somebody else has gone on with a batch: %s", self.progress.batch)
        finally:
            self.progress.finish()

    def _check_rights(self) -> ClerkError | None:
        """Ask whether the person still may; return what keeps the work from going on."""
        if self._is_first:
            self._is_first = False
            return None
        try:
            self.worker.allow(self._ask_again())
        except ClerkError as error:
            return error
        return None

    def _stop_or_go_on(self, errors: Collection[ClerkError], *, is_stuck: bool) -> None:
        """Let the worker stop where going on makes no sense; wait where that is all it takes."""
        for error in errors:
            if error.concerns_all and not error.is_transient:
                self.was_denied = self.was_denied or isinstance(error, exc.PermissionDenied)
                self.worker.close(state_after(error), error)
                return
        for error in errors:
            limited = isinstance(error, exc.RateLimited)
            if isinstance(error, exc.ConnectionFailed) or (is_stuck and not limited):
                self.worker.close(State.WAITING, error)
                return
        limits = [error for error in errors if isinstance(error, exc.RateLimited)]
        if limits and self.worker.has_more and not self._pause(limits):
            self.worker.close(State.WAITING, max(limits, key=lambda error: error.retry_after or 0))

    def _pause(self, limits: Collection[exc.RateLimited]) -> bool:
        """Wait until Clerk's limit lets go; False, and at once, where that takes too long."""
        if not self.may_pause:
            return False
        self.progress.save()  # what became of the others is known
        seconds = [error.retry_after for error in limits]
        longest = max(MIN_PAUSE, *(after or 0 for after in seconds))
        if None in seconds or longest > MAX_PAUSE:
            return False
        if not self.client.has_time(self.worker.writes, after=longest):
            return False
        time.sleep(longest)
        return True
