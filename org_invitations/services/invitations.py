"""Inviting and revoking, each checked at the moment it happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from ..clerk import Invitation, InvitationRequest
from ..clerk.exceptions import PermissionDenied, RateLimited
from ..conf import conf
from ..models import BatchItem
from ..signals import invitation_created, invitation_revoked
from .batches import get_mark, mark
from .batches.reconcile import Attempt
from .creating import create_for_sure, find_pending_of
from .replacements import ReplacedInvitations
from .revoking import revoke_for_sure
from .selected import SelectedInvitations
from .workspace import RoleNotGranted


class InvitationService(SelectedInvitations, ReplacedInvitations):
    """The invitations of one organization, as one person may handle them."""

    # --- Inviting -------------------------------------------------------------------------

    def invite_member(
        self,
        email_address: str,
        role: str,
        *,
        redirect_url: str | None = None,
        expires_in_days: int | None = None,
        notify: bool | None = None,
        public_metadata: Mapping[str, Any] | None = None,
        private_metadata: Mapping[str, Any] | None = None,
        item: BatchItem | None = None,
    ) -> Invitation:
        """Invite an address, if the person may grant the role at this moment.

        :meth:`open` with ``afresh=True`` just before makes the check; without it, it is made here.

        :param redirect_url: where its link leads in the end; the setting's unless given.
        :param expires_in_days: 1 to 365; the setting's unless given.
        :param notify: False sends no e-mail.
        :param public_metadata: passed on to the membership, as ``private_metadata`` is.
        :param item: of a batch, which it is done for: by its mark the invitation is known again,
            even after a crash.
        :raises NotPermitted: the person may not manage members.
        :raises RoleNotGranted: the person may not grant this role.
        :returns: the invitation, also where Clerk's answer was lost but it was created.
        :raises ClerkError: it was not created. After a lost answer, that has been made sure.
        :raises Unsettled: the answer was lost, and whether it was created cannot be told (yet).
        """
        workspace = self._check_afresh(with_roles=True)
        if workspace.roles_error is not None:
            raise workspace.roles_error
        if role not in workspace.roles:
            raise RoleNotGranted
        request = InvitationRequest(
            email_address=email_address,
            role=role,
            inviter_user_id=self.user_id,
            redirect_url=redirect_url or conf.REDIRECT_URL or None,
            expires_in_days=expires_in_days or conf.EXPIRES_IN_DAYS,
            notify=notify,
            public_metadata=public_metadata,
            private_metadata=private_metadata,
            mark=self._get_mark(item),
        )
        try:
            invitation = self._create(request, item)
        except PermissionDenied:
            self.forget_membership()  # Clerk knows better than what was remembered
            raise
        self._announce(invitation_created, invitation)
        return invitation

    def _get_mark(self, item: BatchItem | None) -> str:
        if item is not None:
            return get_mark(item)
        return uuid4().hex if conf.MARK_INVITATIONS else ""

    def _create(self, request: InvitationRequest, item: BatchItem | None) -> Invitation:
        attempt = Attempt.of_request(request)
        if item is not None:
            item.attempt = attempt.as_json()
            mark(item.batch, [item], is_running=True)
        try:
            invitation = create_for_sure(self.api, request, attempt)
        except RateLimited as error:
            self.budget.note_refused(error)
            raise
        self.budget.note_sent()
        return invitation

    def get_pending(self, email_address: str) -> Invitation | None:
        """Return the pending invitation of an address, if there is one.

        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self._require_open()
        return find_pending_of(self.api, email_address)

    # --- Revoking -------------------------------------------------------------------------

    def revoke(self, invitation_id: str) -> Invitation:
        """Revoke an invitation, if the person may manage members at this moment.

        :raises NotPermitted: they may not.
        :returns: the revoked invitation, also where Clerk's answer was lost but it was revoked.
        :raises InvitationNotPending: it was accepted, revoked or has expired meanwhile.
        :raises ClerkError: it was not revoked.
        :raises Unsettled: nobody knows.
        """
        self._check_afresh()
        invitation = revoke_for_sure(self.api, invitation_id, user_id=self.user_id)
        self._announce(invitation_revoked, invitation)
        return invitation
