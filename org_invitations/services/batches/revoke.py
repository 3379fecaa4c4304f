"""Revoking: one so that its fate is known, and many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ...clerk import ClerkError, Invitation, OrganizationAPI
from ...clerk import exceptions as exc
from ...concurrency import gather
from ...models import Batch, BatchItem
from ...roles import AssignableRoles
from ..exceptions import OutcomeUnknown
from ..reasons import Reason
from .reconcile import check_revoking
from .runner import BatchRunner
from .store import record, refuse

State = BatchItem.State


def revoke_for_sure(api: OrganizationAPI, invitation_id: str, *, user_id: str) -> Invitation:
    """Revoke an invitation; where Clerk's answer is lost, find out what became of it.

    :returns: the revoked invitation, also where the answer was lost but it was revoked.
    :raises InvitationNotPending: it was accepted, revoked or has expired meanwhile.
    :raises ClerkError: it was not revoked.
    :raises Unsettled: nobody knows.
    """
    try:
        return api.revoke(invitation_id, requesting_user_id=user_id)
    except ClerkError as error:
        if not error.may_have_happened:
            raise check_revoking(api, invitation_id, error) from None
        lost = error
    try:
        found = api.get_invitation(invitation_id)
    except ClerkError:
        raise OutcomeUnknown(lost) from None
    if found.is_revoked:
        return found
    if not found.is_pending:
        late = exc.InvitationNotPending("no longer pending", trace_id=lost.trace_id)
        late.invitation = replace(found, url="")
        raise late
    raise OutcomeUnknown(lost, absent=True) if lost.may_be_under_way else lost


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What became of one revocation."""

    #: The revoked one.
    invitation: Invitation | None = None
    error: ClerkError | None = None
    is_settled: bool = True


class BatchRevoker(BatchRunner):
    """Revokes what waits in a batch."""

    def __init__(
        self,
        api: OrganizationAPI,
        batch: Batch,
        *,
        announce: Callable[[Invitation], None],
        ask_again: Callable[[], AssignableRoles],
    ) -> None:
        """Prepare; ``announce`` is called with each invitation that was revoked."""
        super().__init__(api, batch, ask_again)
        self.announce = announce
        self._revoked: list[Invitation] = []

    def work(self, items: Sequence[BatchItem]) -> dict[int, ClerkError]:
        """Revoke some at the same time."""
        outcomes = gather(
            {
                str(number): partial(self._attempt, item.invitation_id)
                for number, item in enumerate(items)
            }
        )
        errors: dict[int, ClerkError] = {}
        for number, item in enumerate(items):
            attempt: _Attempt = outcomes[str(number)].get()
            if attempt.error is None:
                record(item, State.DONE)
                if attempt.invitation is not None:
                    self._revoked.append(attempt.invitation)
                continue
            errors[number] = attempt.error
            if not attempt.is_settled:
                record(item, State.UNSETTLED, Reason.of_error(attempt.error))
            else:
                refuse(item, attempt.error)
        return errors

    def after_work(self) -> None:
        """Announce what was revoked."""
        revoked, self._revoked = self._revoked, []
        for invitation in revoked:
            self.announce(invitation)

    def _attempt(self, invitation_id: str) -> _Attempt:
        """Revoke one. It runs in a thread: HTTP, and nothing else."""
        try:
            revoked = revoke_for_sure(self.api, invitation_id, user_id=self.batch.user_id)
            return _Attempt(revoked)
        except OutcomeUnknown as error:
            return _Attempt(error=error.error, is_settled=False)
        except ClerkError as error:
            return _Attempt(error=error)
