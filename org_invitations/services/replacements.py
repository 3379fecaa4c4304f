"""Sending one invitation again, and finding those that were left half-way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final
from uuid import UUID

from ..clerk import Invitation
from ..clerk import exceptions as exc
from ..models import Batch, BatchItem
from ..roles import AssignableRoles
from ..signals import invitation_created, invitation_revoked
from .batches import (
    UNCLEAR,
    begin_batch,
    find_batch,
    get_items,
    get_mark,
    is_at_work,
    mark,
    settle_item,
    take_up,
)
from .batches.reconcile import LEFT, OTHER_INVITATION, may_change, reconcile
from .budget import Budget
from .many import ManyInvitations
from .reasons import Reason
from .replacing import Replacer, check_before, make_request
from .workspace import RoleNotGranted, Workspace

State = BatchItem.State

#: States of a resend in which something may be missing.
_OPEN: Final = (State.HALF_DONE, State.UNDER_WAY, State.UNSETTLED)

#: How many unfinished ones are looked after at once: each costs a call.
MAX_UNFINISHED: Final = 5


class ReplacedInvitations(ManyInvitations):
    """What of :class:`InvitationService` concerns sending an invitation again."""

    @property
    def budget(self) -> Budget:
        """The instance's hourly number of single invitations, as far as it is known."""
        return Budget(self.cache)

    def replace_invitation(
        self,
        workspace: Workspace,
        *,
        batch_id: UUID,
        role: str | None = None,
        expires_in_days: int | None = None,
        notify: bool | None = None,
    ) -> BatchItem:
        """Send an invitation again: a fresh link and expiry; the old link dies.

        Role, metadata and redirect stay as they were unless others are given. The inviter is who
        does it, since Clerk names nobody else. The same ``batch_id`` does it once.

        :param workspace: of ``open(invitation_id=…, afresh=True, seats=True)``.
        :param batch_id: also brings back what became of it before.
        :param expires_in_days: 1 to 365; None keeps the period of the old one.
        :param notify: False sends no e-mail.
        :returns: the item, which says what became of it: its state, reason and ``invitation_id``.
        :raises RoleNotGranted: the person may not give the role to anybody.
        :raises InvitationNotPending: it was accepted, so there is nothing to send.
        :raises QuotaExceeded: no seat is left.
        :raises RateLimited: the hourly limit is known to be reached.
        :raises BatchTaken: the id was used for something else.
        :raises ClerkError: something that is needed for it could not be had; nothing was changed.
        """
        self._require_open()
        old = workspace.invitation
        if old is None:
            raise exc.InvitationNotFound("no invitation was asked for")
        wanted = role or old.role
        request = make_request(
            old,
            user_id=self.user_id,
            role=wanted,
            expires_in_days=expires_in_days,
            notify=notify,
        )
        asked = {
            "redirect_url": request.redirect_url,
            "expires_in_days": request.expires_in_days,
            "notify": notify,
        }
        options = {name: value for name, value in asked.items() if value is not None}
        before = self.find_replacement(batch_id)
        if before is not None:
            wish = (before.replaces_id, before.role, before.batch.options)
            if wish == (old.id, wanted, options):
                return before
        roles = self._get_roles_for(workspace, old)
        if wanted not in roles:
            raise RoleNotGranted
        granted = roles.get(wanted)
        item = BatchItem(
            text=old.email_address,
            email_address=old.email_address,
            role=wanted,
            role_name=granted.name if granted else wanted,
            replaces_id=old.id,
        )
        batch, is_new = begin_batch(
            batch_id,
            Batch.Action.RESEND,
            [item],
            organization_id=self.organization_id,
            user_id=self.user_id,
            actor_id=self.actor_id,
            options=options,
        )
        if not is_new:  # the same form at the same moment
            return get_items(batch)[0]
        request = replace(request, mark=get_mark(item))
        try:
            error = self.get_replacer(batch).replace(item, old, request)
        finally:
            mark(batch, [], is_running=False)
        if isinstance(error, exc.PermissionDenied):
            self.forget_membership()  # Clerk knows better than what was remembered
        return item

    def find_replacement(self, batch_id: UUID) -> BatchItem | None:
        """Return what became of a resend of this person's, or how far it has got.

        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self._require_open()
        batch = find_batch(batch_id, organization_id=self.organization_id, user_id=self.user_id)
        if batch is None or batch.action != Batch.Action.RESEND:
            return None
        items = get_items(batch)
        if len(items) != 1:
            return None
        if items[0].state in _OPEN and is_at_work(items[0].batch):
            settle_item(items[0], State.UNDER_WAY)  # whichever half it has got to
        elif may_change(items[0]):
            self.reconcile(items)
        return items[0]

    def _get_roles_for(self, workspace: Workspace, old: Invitation) -> AssignableRoles:
        """Return what the person may grant right now, if nothing is in the way of a new one."""
        checked = self._check_afresh(with_roles=True)
        if checked.roles_error is not None:
            raise checked.roles_error
        check_before(replace(workspace, roles=checked.roles), old, self.budget)
        return checked.roles

    def get_replacer(self, batch: Batch) -> Replacer:
        """Return what replaces invitations, each step of it kept in a batch."""
        return Replacer(
            api=self.api,
            user_id=self.user_id,
            budget=self.budget,
            save=lambda item: mark(batch, [item], is_running=True),
            announce_revoked=partial(self._announce, invitation_revoked),
            announce_created=partial(self._announce, invitation_created),
        )

    # --- What was left half-way ---------------------------------------------------------------

    def get_unfinished(self, replaces_id: str = "") -> list[BatchItem]:
        """Return resends of this organization that are not over, whoever did them.

        Of a half-done one the new invitation is missing, and it can be finished or left. Of an
        unsettled one nobody knows yet, and nothing can be done but wait.

        One look into the database where there are none; else Clerk is asked what has become of
        each, and what has sorted itself out is not returned.

        :param replaces_id: only those of this invitation.
        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self._require_open()
        found = BatchItem.objects.filter(
            batch__organization_id=self.organization_id,
            batch__action=Batch.Action.RESEND,
            state__in=_OPEN,
        ).exclude(reason=UNCLEAR)  # nobody will ever know, and there is an invitation
        if replaces_id:
            found = found.filter(replaces_id=replaces_id)
        newest = found.select_related("batch").order_by("-batch__created_at", "number")
        doubtful = [item for item in newest[:MAX_UNFINISHED] if not is_at_work(item.batch)]
        self.reconcile(doubtful)
        return [item for item in doubtful if item.state in _OPEN and item.reason != UNCLEAR]

    def reconcile(self, items: Sequence[BatchItem]) -> None:
        """Find out how far resends got, and keep it; a call for each."""
        reconcile(self.api, items)

    def find_unfinished(self, replaces_id: str) -> BatchItem | None:
        """Return the resend of an invitation that is half done, as Clerk has it now."""
        found = self.get_unfinished(replaces_id)
        return next((item for item in found if item.state == State.HALF_DONE), None)

    def finish_replacement(self, workspace: Workspace, item: BatchItem) -> BatchItem:
        """Create the invitation that is missing; anybody may who may give its role.

        Where somebody else has invited the person meanwhile, the new one takes the place of theirs.

        :param workspace: of ``open(invitation_id=…, afresh=True, seats=True)``, for the old one.
        :returns: the item, which says what became of it.
        :raises RoleNotGranted: the person may not give the role to anybody.
        :raises QuotaExceeded: no seat is left.
        :raises RateLimited: the hourly limit is known to be reached.
        :raises ClerkError: the roles could not be had, or the other invitation could not be
            revoked; nothing was changed.
        """
        self._require_open()
        old = workspace.invitation
        if old is None:
            raise exc.InvitationNotFound("no invitation was asked for")
        other = None
        if item.reason == OTHER_INVITATION:
            other = self.api.get_invitation(item.params["invitation_id"])
        if item.role not in self._get_roles_for(workspace, other or old):
            raise RoleNotGranted
        chosen = item.batch.options
        request = make_request(
            old,
            user_id=self.user_id,
            role=item.role,
            expires_in_days=chosen.get("expires_in_days"),
            notify=chosen.get("notify"),
            item=item,
        )
        if not take_up(item.batch):  # somebody is finishing it at this moment
            return settle_item(item, State.UNDER_WAY)
        item.refresh_from_db()
        if item.state != State.HALF_DONE:  # somebody has just finished it
            mark(item.batch, [], is_running=False)
            return item
        try:
            error = self.get_replacer(item.batch).finish(item, request, other)
        finally:
            mark(item.batch, [], is_running=False)
        if isinstance(error, exc.PermissionDenied):
            self.forget_membership()
        if error is not None and error.is_correctable and item.reason == OTHER_INVITATION:
            raise error  # the other one could not be revoked: it is as it was
        return item

    def leave_replacement(self, item: BatchItem) -> BatchItem:
        """Leave it at what there is, where a resend is half done: nobody is reminded of it again.

        The person stays uninvited, or keeps what somebody else has invited them with meanwhile.
        Should the new invitation show up after all, the item says so.

        :returns: the item; another state than refused says what somebody else has just done.
        """
        if not take_up(item.batch):  # somebody is finishing it at this moment
            return settle_item(item, State.UNDER_WAY)
        item.refresh_from_db()
        if item.state == State.HALF_DONE:
            is_other = item.reason == OTHER_INVITATION
            reason = Reason(OTHER_INVITATION, item.params) if is_other else Reason(LEFT)
            settle_item(item, State.REFUSED, reason)
        mark(item.batch, [item], is_running=False)
        return item
