"""Revoking: one so that its fate is known, and many."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from ...clerk import ClerkError, Invitation, OrganizationAPI
from ...clerk import exceptions as exc
from ...concurrency import gather
from ...models import MAX_ROLE_NAME, BatchItem
from ...roles import AssignableRoles
from ..exceptions import OutcomeUnknown
from ..reasons import Reason
from .reconcile import check_revoking
from .runner import Progress
from .store import state_after

State = BatchItem.State

#: How many are under way at the same time.
GROUP_SIZE: Final = 8


def revoke_for_sure(api: OrganizationAPI, invitation_id: str, *, user_id: str) -> Invitation:
    """Revoke an invitation; where Clerk's answer is lost, find out what became of it.

    :returns: the revoked invitation, also where the answer was lost but it was revoked.
    :raises InvitationNotPending: it was accepted, revoked or has expired meanwhile.
    :raises ClerkError: it was not revoked.
    :raises OutcomeUnknown: nobody knows.
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


class RevokeWorker:
    """Revokes those that wait, some at the same time."""

    writes = 1

    def __init__(
        self, api: OrganizationAPI, items: Sequence[BatchItem], progress: Progress, *, user_id: str
    ) -> None:
        """Prepare.

        :param user_id: in whose name.
        """
        self.api = api
        self.progress = progress
        self.user_id = user_id
        self._waiting = list(items)

    @property
    def has_more(self) -> bool:
        """Whether something is left to be revoked."""
        return bool(self._waiting)

    def allow(self, roles: AssignableRoles) -> None:
        """Whoever may manage members may revoke, whatever roles they may give."""

    def work(self) -> Collection[ClerkError]:
        """Revoke some at the same time."""
        group, self._waiting = self._waiting[:GROUP_SIZE], self._waiting[GROUP_SIZE:]
        for item in group:
            self.progress.record(item, State.UNDER_WAY)
        self.progress.begin()
        outcomes = gather(
            {str(item.number): partial(self._revoke, item.invitation_id) for item in group}
        )
        errors: list[ClerkError] = []
        for item in group:
            outcome = outcomes[str(item.number)]
            # An error of the outcome's own: there was no place to wait in, and nothing was sent.
            error: ClerkError | OutcomeUnknown | None = outcome.error
            if error is None:
                revoked, error = outcome.value
            if isinstance(error, OutcomeUnknown):
                reason = Reason.of_error(error.error, absent=error.absent)
                self.progress.record(item, State.UNSETTLED, reason, error=error.error)
                errors.append(error.error)
            elif error is not None:
                self.progress.record(item, state_after(error), error=error)
                errors.append(error)
            else:
                # Whoever was chosen by the id alone has a name now.
                item.email_address = item.email_address or revoked.email_address
                item.role, item.role_name = revoked.role, revoked.role_name[:MAX_ROLE_NAME]
                self.progress.record(item, State.DONE, invitation=revoked)
        self._waiting = [item for item in group if item.state == State.WAITING] + self._waiting
        return errors

    def close(self, state: str, error: ClerkError | None = None) -> None:
        """Revoke nothing more."""
        left, self._waiting = self._waiting, []
        if error is not None:
            for item in left:
                self.progress.record(item, state, error=error)

    def _revoke(
        self, invitation_id: str
    ) -> tuple[Invitation | None, ClerkError | OutcomeUnknown | None]:
        """Revoke one. It runs in a thread: HTTP, and nothing else."""
        try:
            return revoke_for_sure(self.api, invitation_id, user_id=self.user_id), None
        except (ClerkError, OutcomeUnknown) as error:
            return None, error
