"""Inviting many: what waits in a batch is sent, and each item learns what became of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from ..clerk import Invitation, OrganizationAPI
from ..clerk.exceptions import RateLimited
from ..clerk.organizations import InvitationRequest
from ..models import Batch, BatchItem
from ..roles import AssignableRoles
from .batches import find_taken, get_items, get_mark, mark, settle_item
from .batches.reconcile import Attempt
from .budget import Budget
from .reasons import Reason
from .screening import Verdict
from .sending import Result, ResultState, Sender

State = BatchItem.State

_STATES: Final = {
    ResultState.SENT: State.DONE,
    ResultState.REFUSED: State.REFUSED,
    ResultState.FAILED: State.FAILED,
    ResultState.UNSETTLED: State.UNSETTLED,
    ResultState.WAITING: State.WAITING,
}


class BatchSender:
    """Sends the items of one batch that wait and are meant for this request."""

    def __init__(
        self,
        api: OrganizationAPI,
        batch: Batch,
        *,
        roles: AssignableRoles,
        options: Mapping[str, Any],
        announce: Callable[[Invitation], None],
        budget: Budget,
        ask_again: Callable[[], AssignableRoles],
    ) -> None:
        """Prepare.

        :param roles: what the person may grant at this moment; anything else is refused here.
        :param ask_again: returns that, asked anew; called before every call but the first, and
            raises an error of Clerk's where the person may not invite any more.
        :param options: what :class:`InvitationRequest` takes besides address, role and inviter.
        :param announce: called with each invitation that was made.
        :param budget: counts the calls for a single address: they have an hourly limit of theirs.
        """
        self.api = api
        self.batch = batch
        self.roles = roles
        self.options = options
        self.announce = announce
        self.budget = budget
        self.ask_again = ask_again
        self._is_single = False
        #: Whether Clerk said that the person may not invite.
        self.was_denied = False

    def send(self) -> list[BatchItem]:
        """Send, and return all items of the batch as they are afterwards."""
        items = get_items(self.batch)
        waiting = [i for i in items if i.state == State.WAITING and i.reason != Verdict.LATER]
        granted = [item for item in waiting if item.role in self.roles]
        refused = [item for item in waiting if item.role not in self.roles]
        for item in refused:
            settle_item(item, State.REFUSED, Reason(str(Verdict.ROLE_NOT_GRANTED)))
        mark(self.batch, refused, is_running=True)
        try:
            self._send(granted)
        finally:
            # Whoever asks after a crash need not wait until this counts as dead.
            mark(self.batch, [], is_running=False)
        return items

    def _send(self, items: Sequence[BatchItem]) -> None:
        begun: set[int] = set()
        is_first = True

        def allow(indices: Sequence[int]) -> Sequence[int]:
            nonlocal is_first
            if not is_first:  # then the request has just asked
                self.roles = self.ask_again()
            is_first = False
            return [index for index in indices if items[index].role in self.roles]

        def before(indices: Sequence[int]) -> None:
            self._is_single = len(indices) == 1
            # Should the process die in the call, this is how the next one knows of it.
            touched = [settle_item(items[index], State.UNDER_WAY) for index in indices]
            for index in indices:
                if index not in begun:  # a call that was refused may have made it
                    items[index].attempt = Attempt.of_request(requests[index]).as_json()
            begun.update(indices)
            mark(self.batch, touched, is_running=True)

        sender = Sender(self.api, find_taken=find_taken)
        requests = [
            InvitationRequest(
                email_address=item.email_address,
                role=item.role,
                inviter_user_id=self.batch.user_id,
                mark=get_mark(item),
                **self.options,
            )
            for item in items
        ]
        for results in sender.send(requests, before, allow):
            touched = [self._settle(items[index], result) for index, result in results.items()]
            mark(self.batch, touched, is_running=True)
            self._count(results.values())
            for result in results.values():
                if result.state is ResultState.SENT and result.invitation is not None:
                    self.announce(result.invitation)

    def _count(self, results: Collection[Result]) -> None:
        if self._is_single:
            for result in results:
                if result.state is ResultState.SENT:
                    self.budget.note_sent()
        # One answer of Clerk's may be about all that is left.
        for error in {result.error for result in results}:
            if isinstance(error, RateLimited):
                self.budget.note_refused(error)

    def _settle(self, item: BatchItem, result: Result) -> BatchItem:
        reason = None
        if result.error is not None:
            reason = Reason.of_error(result.error, result.invitation)
            self.was_denied = self.was_denied or reason.name == "PermissionDenied"
        elif result.state is ResultState.REFUSED:
            reason = Reason(str(Verdict.ROLE_NOT_GRANTED))
        sent = result.invitation if result.state is ResultState.SENT else None
        return settle_item(
            item,
            _STATES[result.state],
            reason,
            invitation_id=sent.id if sent is not None else "",
        )
