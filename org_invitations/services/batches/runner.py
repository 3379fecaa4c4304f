"""Working through a batch, item by item: a few at the same time, and for a while.

What is under way is written down before Clerk is called, and what became of it right after, so a
crash leaves no doubt about the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Final

from ...clerk import ClerkError, OrganizationAPI
from ...clerk import exceptions as exc
from ...models import Batch, BatchItem
from ...roles import AssignableRoles
from .store import get_items, record, refuse, save_progress

State = BatchItem.State

#: Seconds to wait for Clerk's limit at least, and at most even where there is no deadline.
MIN_PAUSE: Final = 1
MAX_PAUSE: Final = 60


class BatchRunner:
    """Works through the items of one batch that wait."""

    #: How many are under way at the same time.
    group_size: int = 8
    #: Whether a group is under way as a whole; else each says itself when it is.
    is_parallel: bool = True
    #: How many writes one item takes, one after the other.
    writes: int = 1

    def __init__(
        self, api: OrganizationAPI, batch: Batch, ask_again: Callable[[], AssignableRoles]
    ) -> None:
        """Prepare.

        :param ask_again: returns what the person may grant, asked anew; raises an error of Clerk's
            where they may not do this any more.
        """
        self.api = api
        self.batch = batch
        self._ask_again = ask_again
        self._is_first = True
        self._is_stuck = False
        #: Whether Clerk said that the person may not do this.
        self.was_denied = False

    def work(self, items: Sequence[BatchItem]) -> dict[int, ClerkError]:
        """Deal with some items and settle each; return Clerk's errors, by index into ``items``.

        Nothing of Clerk's is raised.
        """
        raise NotImplementedError

    def after_work(self) -> None:
        """Do what is only done once what became of the items has been written down."""

    def run(self) -> list[BatchItem]:
        """Go on until nothing waits, the time is over, or Clerk has had enough.

        :returns: all items of the batch as they are afterwards.
        """
        items = get_items(self.batch)
        waiting = [item for item in items if item.state == State.WAITING]
        try:
            while waiting and self.api.client.has_time(self.writes):
                if self.is_parallel and (error := self.check_rights()) is not None:
                    if self._must_stop([error], waiting):
                        break
                    continue
                group, waiting = waiting[: self.group_size], waiting[self.group_size :]
                if self.is_parallel:
                    for item in group:
                        record(item, State.UNDER_WAY)
                    save_progress(self.batch, group, is_running=True)
                errors = self.work(group)
                save_progress(self.batch, group, is_running=True)
                self.after_work()
                waiting = [item for item in group if item.state == State.WAITING] + waiting
                if self._must_stop(errors.values(), waiting):
                    break
        finally:
            # Whoever asks after a crash need not wait until this counts as dead.
            save_progress(self.batch, [], is_running=False)
        return items

    def check_rights(self) -> ClerkError | None:
        """Ask whether the person still may; return what keeps the work from going on.

        The first time nobody is asked: the request has just done that.
        """
        if self._is_first:
            self._is_first = False
            return None
        try:
            self.note_roles(self._ask_again())
        except ClerkError as error:
            # Who could not be asked about may not be taken for somebody who may.
            self._is_stuck = not isinstance(error, exc.RateLimited)
            return error
        return None

    def note_roles(self, roles: AssignableRoles) -> None:
        """Take note of what the person may grant at this moment."""

    def _must_stop(self, errors: Collection[ClerkError], waiting: Sequence[BatchItem]) -> bool:
        """Tell whether going on makes no sense now; wait where that is all it takes."""
        for error in errors:
            if error.concerns_all and not isinstance(error, exc.NO_ANSWER):
                self.was_denied = self.was_denied or isinstance(error, exc.PermissionDenied)
                left = [refuse(item, error) for item in waiting]
                save_progress(self.batch, left, is_running=True)
                return True
            if isinstance(error, exc.ConnectionFailed):
                return True
        limits = [error for error in errors if isinstance(error, exc.RateLimited)]
        return self._is_stuck or (bool(limits) and not self.pause(*limits))

    def pause(self, *limits: exc.RateLimited) -> bool:
        """Wait until Clerk's limit lets go; False, and at once, where that takes too long."""
        seconds = [error.retry_after for error in limits]
        longest = max(MIN_PAUSE, *(after or 0 for after in seconds))
        if None in seconds or longest > MAX_PAUSE:
            return False
        if not self.api.client.has_time(self.writes, after=longest):
            return False
        time.sleep(longest)
        return True
