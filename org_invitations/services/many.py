"""Many at once: the check before sending, and the sending."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.dispatch import Signal

from ..addresses import Entry
from ..clerk import Invitation
from ..conf import conf
from ..models import Batch, BatchItem
from ..signals import invitation_created
from .budget import Budget
from .inviting import BatchSender
from .reading import WorkspaceReader
from .screening import DEFAULT_LIMIT, Screening, screen
from .workspace import Workspace


class ManyInvitations(WorkspaceReader):
    """What of :class:`InvitationService` concerns many addresses."""

    #: How many invitations one request sends at most.
    max_invitations: int = DEFAULT_LIMIT

    def screen(self, workspace: Workspace, entries: Iterable[Entry], role: str) -> Screening:
        """Return what would become of each entry, without inviting anybody.

        :param workspace: of :meth:`open`, with the seats if they are to count.
        :param role: the key of the role of those that name none of their own.
        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self._require_open()
        return screen(
            entries,
            role=role,
            roles=workspace.roles,
            api=self.api,
            user_id=self.user_id,
            seats=workspace.seats,
            limit=self.max_invitations,
        )

    def invite_members(
        self,
        batch: Batch,
        *,
        public_metadata: Mapping[str, Any] | None = None,
        private_metadata: Mapping[str, Any] | None = None,
    ) -> list[BatchItem]:
        """Send what waits in a batch, in bulk calls of ten; each item says what became of it.

        What Clerk refuses is taken out and the others still go. No address is sent to twice,
        not even where an answer was lost.

        :param batch: of :func:`begin_batch`; its options are those of :meth:`invite_member`.
        :param public_metadata: passed on to the memberships, as ``private_metadata`` is.
        :returns: the items of the batch.
        :raises NotPermitted: the person may not manage members.
        :raises ClerkError: the permission or the roles could not be had; nothing was sent.
        """
        workspace = self._check_afresh(with_roles=True)
        if workspace.roles_error is not None:
            raise workspace.roles_error
        chosen = batch.options
        options = {
            "redirect_url": chosen.get("redirect_url") or conf.REDIRECT_URL or None,
            "expires_in_days": chosen.get("expires_in_days") or conf.EXPIRES_IN_DAYS,
            "notify": chosen.get("notify"),
            "public_metadata": public_metadata,
            "private_metadata": private_metadata,
        }
        sender = BatchSender(
            self.api,
            batch,
            roles=workspace.roles,
            options=options,
            announce=lambda invitation: self._announce(invitation_created, invitation),
            budget=Budget(self.cache),
            ask_again=self._ask_again,
        )
        items = sender.send()
        if sender.was_denied:
            self._check_denial()
        return items

    def _announce(self, signal: Signal, invitation: Invitation) -> None:
        signal.send_robust(
            sender=type(self),
            invitation=invitation,
            organization_id=self.organization_id,
            user_id=self.user_id,
        )
