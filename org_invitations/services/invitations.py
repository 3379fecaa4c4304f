"""Inviting and revoking, each checked at the moment it happens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.dispatch import Signal

from ..clerk import ClerkError, Invitation, InvitationRequest
from ..clerk.exceptions import DuplicateInvitation, InvitationNotPending, PermissionDenied
from ..conf import conf
from ..signals import invitation_created, invitation_revoked
from .reading import WorkspaceReader
from .workspace import RoleNotGranted, Unsettled

#: Clocks differ: an invitation this much older than our request is still taken for ours.
_CLOCK_TOLERANCE: Final = timedelta(minutes=2)


class InvitationService(WorkspaceReader):
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
    ) -> Invitation:
        """Invite an address, if the person may grant the role at this moment.

        :meth:`open` with ``afresh=True`` just before makes the check; without it, it is made here.

        :param redirect_url: where its link leads in the end; the setting's unless given.
        :param expires_in_days: 1 to 365; the setting's unless given.
        :param notify: False sends no e-mail.
        :param public_metadata: passed on to the membership, as ``private_metadata`` is.
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
        )
        try:
            invitation = self._create(request)
        except PermissionDenied:
            self.forget_membership()  # Clerk knows better than what was remembered
            raise
        self._announce(invitation_created, invitation)
        return invitation

    def _create(self, request: InvitationRequest) -> Invitation:
        started = datetime.now(UTC)
        email_address = request.email_address
        try:
            return self.api.invite_member(request)
        except ClerkError as error:
            if not error.may_have_happened:
                raise
            lost = error
        try:
            found = self.get_pending(email_address)
        except ClerkError:
            raise Unsettled(lost) from None
        if found is None:
            raise Unsettled(lost, absent=True) if lost.may_be_under_way else lost
        if self._is_ours(found, request, started):
            return found
        raise DuplicateInvitation("invited before", trace_id=lost.trace_id)

    def get_pending(self, email_address: str) -> Invitation | None:
        """Return the pending invitation of an address, if there is one.

        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self._require_open()
        page = self.api.get_invitations(email_address=email_address)
        wanted = email_address.casefold()
        return next(
            (
                invitation
                for invitation in page.data
                if invitation.is_pending and invitation.email_address.casefold() == wanted
            ),
            None,
        )

    def _is_ours(self, found: Invitation, request: InvitationRequest, started: datetime) -> bool:
        recent = found.created_at is None or found.created_at >= started - _CLOCK_TOLERANCE
        return recent and found.role == request.role and found.inviter_id in ("", self.user_id)

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
        invitation = self._revoke(invitation_id)
        self._announce(invitation_revoked, invitation)
        return invitation

    def _revoke(self, invitation_id: str) -> Invitation:
        try:
            return self.api.revoke(invitation_id, requesting_user_id=self.user_id)
        except ClerkError as error:
            if not error.may_have_happened:
                raise
            lost = error
        try:
            found = self.api.get_invitation(invitation_id)
        except ClerkError:
            raise Unsettled(lost) from None
        if found.is_revoked:
            return found
        if not found.is_pending:
            raise InvitationNotPending("no longer pending", trace_id=lost.trace_id)
        raise Unsettled(lost, absent=True) if lost.may_be_under_way else lost

    def _announce(self, signal: Signal, invitation: Invitation) -> None:
        signal.send_robust(
            sender=type(self),
            invitation=invitation,
            organization_id=self.organization_id,
            user_id=self.user_id,
        )
