"""Sending many invitations again, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ..clerk import ClerkError, Invitation, InvitationRequest, InvitationStatus
from ..clerk import exceptions as exc
from ..concurrency import run_together
from ..models import Batch, BatchItem
from ..roles import AssignableRoles
from .batches import refuse, settle_item
from .budget import Budget
from .reasons import Reason
from .replacing import Replacer, check_before, make_request
from .running import BatchRunner
from .screening import Verdict
from .workspace import Workspace

State = BatchItem.State


class BatchResender(BatchRunner):
    """Replaces the invitations that wait in a batch by fresh ones."""

    #: Each has two halves, and how far it got is written down in between: that is done in turn.
    is_parallel = False
    writes = 2

    def __init__(
        self,
        batch: Batch,
        *,
        workspace: Workspace,
        replacer: Replacer,
        budget: Budget,
        ask_again: Callable[[], AssignableRoles],
    ) -> None:
        """Prepare; ``workspace`` is what Clerk has said just now, roles included."""
        super().__init__(replacer.api, batch, ask_again)
        self.workspace = workspace
        self.replacer = replacer
        self.budget = budget
        #: Whether somebody is without an invitation now: then no other one is taken back.
        self.is_half_done = False

    def work(self, items: Sequence[BatchItem]) -> dict[int, ClerkError]:
        """Look at some at the same time, and replace one after the other."""
        found = run_together(
            {
                str(i): partial(self.api.get_invitation, item.replaces_id)
                for i, item in enumerate(items)
            }
        )
        errors: dict[int, ClerkError] = {}
        for number, item in enumerate(items):
            outcome = found[str(number)]
            if (hindrance := self.check_rights()) is not None:
                errors[number] = hindrance
                break
            if outcome.error is None:
                error = self._replace(item, outcome.value)
            else:
                error = outcome.error
                refuse(item, error)
            if error is not None:
                errors[number] = error
            self.is_half_done = item.state in (State.HALF_DONE, State.UNSETTLED)
            if self.is_half_done or (error is not None and error.concerns_all):
                break  # those that are left of the group wait as before
        return errors

    def note_roles(self, roles: AssignableRoles) -> None:
        """Take note of what the person may grant at this moment."""
        self.workspace = replace(self.workspace, roles=roles)

    def _must_stop(self, *what: Any) -> bool:
        return self.is_half_done or super()._must_stop(*what)

    def _replace(self, item: BatchItem, old: Invitation) -> ClerkError | None:
        """Replace one, if that may be done; it says afterwards what became of it."""
        if old.is_revoked and self.batch.options.get("seen") == InvitationStatus.PENDING:
            # It was pending when the person decided: somebody has decided otherwise since.
            refuse(item, exc.InvitationNotPending(), old)
            return None
        wanted = item.role or old.role
        if wanted not in self.workspace.roles:
            params = {"role": item.role_name or old.role_name}
            settle_item(item, State.REFUSED, Reason(str(Verdict.ROLE_NOT_GRANTED), params))
            return None
        try:
            check_before(self.workspace, old, self.budget)
        except ClerkError as hindrance:
            is_late = isinstance(hindrance, exc.InvitationNotPending)
            refuse(item, hindrance, old if is_late else None)
            return hindrance
        chosen = self.batch.options
        request = make_request(
            old,
            user_id=self.batch.user_id,
            role=wanted,
            expires_in_days=chosen.get("expires_in_days"),
            notify=chosen.get("notify"),
            item=item,
        )
        error = self.replacer.replace(item, old, request)
        is_half = item.state == State.HALF_DONE
        if is_half and isinstance(error, exc.RateLimited) and self.pause(error):
            error = self._finish(item, request)
        return error

    def _finish(self, item: BatchItem, request: InvitationRequest) -> ClerkError | None:
        """Do the second half, after a while in which the person may have lost the right."""
        if (hindrance := self.check_rights()) is not None:
            self.replacer.save(settle_item(item, State.HALF_DONE, Reason.of_error(hindrance)))
            return hindrance
        if request.role not in self.workspace.roles:
            reason = Reason(str(Verdict.ROLE_NOT_GRANTED), {"role": item.role_name})
            self.replacer.save(settle_item(item, State.HALF_DONE, reason))
            return None
        return self.replacer.create(item, request)
