"""What is done with many invitations that were selected from the list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from ..clerk import ClerkError, InvitationStatus
from ..models import Batch, BatchItem
from ..signals import invitation_revoked
from .batches import mark
from .batches.reconcile import settle_batch
from .choosing import Chosen, find_chosen, judge
from .query import STATUSES
from .replacements import ReplacedInvitations
from .resending import BatchResender
from .revoking import BatchRevoker
from .seats import Seats
from .workspace import Workspace


class SelectedInvitations(ReplacedInvitations):
    """What of :class:`InvitationService` concerns a selection."""

    def find_chosen(
        self, ids: Iterable[str], status: InvitationStatus = STATUSES[0]
    ) -> tuple[Chosen, ...]:
        """Return what the organization has of these ids, in their order, each once.

        :param status: of the list that they were chosen from.
        :raises NotPermitted: :meth:`open` has not let the person in.
        :raises TooManyInvitations: there are more than 500.
        :raises ClerkError: not all of them could be asked for.
        """
        self._require_open()
        return find_chosen(self.api, ids, status)

    def judge_chosen(
        self, workspace: Workspace, action: str, chosen: Iterable[Chosen]
    ) -> tuple[Chosen, ...]:
        """Tell of each whether the action is possible, and if not, why; nothing is changed.

        :param workspace: of :meth:`open`, with roles and seats where invitations are to be sent.
        :param action: one of :class:`.Batch.Action`: revoke or resend.
        """
        self._require_open()
        return judge(self.api, workspace, action, chosen)

    def revoke_invitations(self, batch: Batch) -> list[BatchItem]:
        """Revoke what waits in a batch; each item says what became of it.

        :param batch: of :func:`begin_batch`, or taken up again.
        :returns: the items of the batch.
        :raises NotPermitted: the person may not manage members.
        :raises ClerkError: the permission could not be had; nothing was revoked.
        """
        self._check_for(batch)
        revoker = BatchRevoker(
            self.api,
            batch,
            announce=lambda invitation: self._announce(invitation_revoked, invitation),
            ask_again=partial(self._ask_again, with_roles=False),
        )
        items = revoker.run()
        if revoker.was_denied:
            self._check_denial()
        return items

    def resend_invitations(self, batch: Batch) -> list[BatchItem]:
        """Send again what waits in a batch: a fresh invitation takes the place of each.

        :param batch: of :func:`begin_batch`, or taken up again.
        :returns: the items of the batch; each says what became of it.
        :raises NotPermitted: the person may not manage members.
        :raises ClerkError: the permission or the roles could not be had; nothing was sent.
        """
        workspace = self._check_for(batch, with_roles=True)
        if workspace.seats is None and workspace.organization.max_allowed_memberships:
            workspace = replace(workspace, seats=self._count_seats())
        resender = BatchResender(
            batch,
            workspace=workspace,
            replacer=self.get_replacer(batch),
            budget=self.budget,
            ask_again=self._ask_again,
        )
        items = resender.run()
        if resender.was_denied:
            self._check_denial()
        return items

    def _count_seats(self) -> Seats | None:
        try:
            return Seats.count(self.api.get(include_members_count=True))
        except ClerkError:
            return None  # then Clerk decides, as it does in the end anyhow

    def get_wait(self, count: int) -> int:
        """Return the seconds until so many can be sent again; 0 where nothing is known against it.

        Clerk takes 250 single invitations an hour, for all of the instance's organizations.
        """
        return self.budget.get_wait(count)

    def settle(self, batch: Batch) -> list[BatchItem]:
        """Find out what nobody knows of a batch, and return its items; nothing is sent.

        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self._require_open()
        return settle_batch(self.api, batch)

    def _check_for(self, batch: Batch, *, with_roles: bool = False) -> Workspace:
        """Return a workspace whose permission was confirmed just now; else let the batch rest."""
        try:
            workspace = self._check_afresh(with_roles=with_roles)
            if with_roles and workspace.roles_error is not None:
                raise workspace.roles_error
        except Exception:
            mark(batch, [], is_running=False)
            raise
        return workspace
