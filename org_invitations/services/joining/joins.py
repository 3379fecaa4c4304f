"""Joining by the server: our revocation is the lock, and then the membership is made.

The Backend API cannot accept. So the server revokes the invitation and adds the person, and only
after Clerk has answered *our* revocation with success: then it stood until that moment, nobody else
can take it any more, and nobody has taken it back. Role and metadata are those of that answer. What
is begun is written down before, and finished by the next press after a crash. Where the answer to
our revocation is lost and the invitation turns out to be revoked, nobody knows by whom, and there
is no membership: somebody else's revocation wins, and both sides are told.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import Error as DatabaseFault
from django.dispatch import Signal
from django.utils import timezone

from ...clerk import ClerkClient, ClerkError, InstanceAPI, Invitation, InvitationRequest
from ...clerk import exceptions as exc
from ...clerk.exceptions import SINGLE_INVITATIONS
from ...clerk.joining import JoiningAPI
from ...clerk.resources import Organization
from ...concurrency import gather
from ...conf import MAX_EXPIRES_IN_DAYS, conf
from ...models import Joining
from ...roles import assignable_roles, may_manage_members, role_set_key
from ...signals import invitation_accepted, invitation_created, invitation_revoked
from ..limits import Ledger
from ..organizations import forget_organizations
from ..pending import forget_pending
from ..snapshot import SnapshotReader
from . import rows
from .asks import forget_asks_of
from .links import LinkingAPI, find_target, get_digest
from .lookup import JoinState, Look, Lookup
from .mine import forget_my_invitations

logger = logging.getLogger("org_invitations")

State = Joining.State

_DAY: Final = timedelta(days=1)

#: Nobody knows who revoked the invitation: our own answer was lost.
UNCLEAR: Final = "unclear"


@dataclass(frozen=True, slots=True)
class JoinResult:
    """What became of a press of the button."""

    look: Look
    #: The name of a sentence in ``Wording.messages``; empty where there is nothing to say but what
    #: ``look`` shows.
    problem: str = ""
    #: Whether the invitation is gone since the person did not want it.
    is_declined: bool = False

    @property
    def is_joined(self) -> bool:
        """Whether the person is a member now."""
        return self.look.state is JoinState.JOINED


class Stopped(Exception):
    """It does not go on: what is there to see now, and what to say."""

    def __init__(self, problem: str = "", *, look_again: bool = False) -> None:
        self.problem = problem
        self.look_again = look_again
        #: What there is to see of what was begun; None where nothing was.
        self.look: Look | None = None
        super().__init__(problem)


class JoinService:
    """Lets one person join by one invitation."""

    def __init__(self, lookup: Lookup) -> None:
        """Prepare; ``lookup`` has the client, the value and the person."""
        self.lookup = lookup
        self.client: ClerkClient = lookup.client

    def join(self) -> JoinResult:
        """Let the person join, or finish what was begun, as far as can be made sure.

        :raises ClerkError: Clerk could not be asked who they are; nothing was changed.
        """
        look = self.lookup.look()
        if look.state is JoinState.JOINED:
            self.note_joined(look)
            return JoinResult(look)
        if look.state is not JoinState.JOIN:
            if look.joining is not None:  # too late to be finished
                Joining.objects.filter(pk=look.joining.pk, state=State.REVOKED).update(
                    state=State.HALF_DONE
                )
            return JoinResult(look)
        if "server" not in conf.JOIN_WAYS:
            may = look.invitation is not None and may_inviter(self.client, look.invitation)
            return JoinResult(look, "Join:clerk" if may else "Join:inviter")
        try:
            return JoinResult(self._join(look))
        except Stopped as stopped:
            problem, look_again = stopped.problem, stopped.look_again
            look = stopped.look or look
        if not look_again:
            return JoinResult(look, problem)
        look, problem = self._look_again(look, problem)
        if look.state is not JoinState.JOINED:
            return JoinResult(look, problem)
        self.note_joined(look)
        return JoinResult(look)

    def _look_again(self, look: Look, problem: str) -> tuple[Look, str]:
        """Return what there is to see after a write, and what to say.

        Where that cannot be seen, nobody may say that nothing was changed.
        """
        try:
            return self.lookup.look(), problem
        except ClerkError:
            return look, problem or "Join:unknown"

    def note_joined(self, look: Look) -> None:
        """Note that a person has joined by an invitation, whoever made the member; announce it.

        Once: it does nothing where that is known. Neither does it where nothing shows that it was
        by this invitation: Clerk calls it accepted, or this person's joining had got as far as our
        revocation. Where somebody else's has won, or the membership is from before that or from
        long after, it is of another origin.
        """
        invitation, user = look.invitation, look.user
        if invitation is None or user is None or look.value is None:
            return
        begun = Joining.objects.filter(invitation_id=invitation.id).first()
        is_ours = (
            begun is not None
            and begun.user_id == user.id
            and begun.state in (State.BEGUN, State.REVOKED)
            and invitation.is_revoked
            and rows.may_be_made_by(begun, look.member_since)
        )
        if not invitation.is_accepted and not is_ours:
            if begun is not None and begun.state in Joining.OPEN and invitation.is_revoked:
                rows.save(begun, State.LOST)  # a member by another way: nothing is missing any more
            return
        way = Joining.Way.CLERK if invitation.is_accepted else Joining.Way.SERVER
        row = (
            begun
            or Joining.objects.get_or_create(
                invitation_id=invitation.id,
                defaults={
                    "organization_id": look.value.organization_id,
                    "user_id": user.id,
                    "address_digest": get_digest(
                        look.value.organization_id, invitation.email_address
                    ),
                    "way": way,
                },
            )[0]
        )
        self._finish(row, invitation, user.id, way)

    def decline(self) -> JoinResult:
        """Take back the invitation of a person who does not want it, and what was begun with it.

        :raises ClerkError: Clerk could not be asked who they are; nothing was changed.
        """
        look = self.lookup.look()
        if look.state is not JoinState.JOIN or look.invitation is None:
            return JoinResult(look)
        if not {"server", "script"} & {*conf.JOIN_WAYS}:
            return JoinResult(look, "Join:clerk")
        invitation, row = look.invitation, look.joining
        if row is not None and not rows.claim(row):
            return JoinResult(look, "Join:busy")
        try:
            revoked = self._take_back(invitation)
            if row is not None:
                rows.save(row, State.LOST)
        except Stopped as stopped:
            look, problem = self._look_again(look, stopped.problem)
            return JoinResult(look, problem if look.state is JoinState.JOIN else "")
        finally:
            forget_pending(invitation.organization_id)
            if row is not None:
                rows.release(row)
        forget_my_invitations(self._user_id(look))
        self._announce(invitation_revoked, look, revoked)
        return JoinResult(Look(JoinState.GONE), is_declined=True)

    def _announce(self, signal: Signal, look: Look, invitation: Invitation) -> None:
        """Tell the site what became of an invitation; the person has caused it."""
        signal.send_robust(
            sender=type(self),
            invitation=replace(invitation, url=""),
            organization_id=look.value.organization_id if look.value else "",
            user_id=self._user_id(look),
        )

    def _take_back(self, invitation: Invitation) -> Invitation:
        """Return the invitation that is revoked now, or was by us before.

        :raises Stopped: it is not, or nobody knows.
        """
        if invitation.is_revoked:
            return invitation
        api = JoiningAPI(self.client, invitation.organization_id)
        try:
            return api.withdraw(invitation.id)
        except ClerkError as error:
            if not error.may_have_happened:
                raise Stopped("Join:later") from None
        try:
            found = api.get_invitation(invitation.id)
        except ClerkError:
            raise Stopped("Join:unknown") from None
        if found.is_pending:
            raise Stopped("Join:unknown")  # it may come yet
        if not found.is_revoked:
            raise Stopped
        return found

    # --- The steps --------------------------------------------------------------------------

    def _join(self, look: Look) -> Look:
        """Return the look of a member.

        :raises Stopped: it did not come to that.
        """
        if look.value is None or look.invitation is None or look.user is None:
            raise Stopped
        api = JoiningAPI(self.client, look.value.organization_id)
        known = look.joining is not None and look.joining.state == State.REVOKED
        told = look.invitation
        if not known:
            told = self._check(look, api)
        row, was_begun = self._begin(look, look.invitation)
        revoked = None
        try:
            if row.state == State.REVOKED:
                told = self._check_again(look, api, row)
                revoked = self._get_revoked(api, look.invitation)
            else:
                revoked = self._revoke(api, row, look.invitation, is_uncertain=was_begun)
            if revoked.mark is None:  # this answer does not tell them
                revoked = replace(revoked, private_metadata=told.private_metadata)
            self._add(api, row, look, revoked)
        except Stopped as stopped:
            rows.release(row)
            if row.state in Joining.OPEN:
                stopped.look = replace(look, invitation=revoked or look.invitation, joining=row)
            raise
        finally:
            if api.has_written:
                forget_pending(api.organization_id)
        self._finish(row, revoked, look.user.id, Joining.Way.SERVER)
        return replace(look, state=JoinState.JOINED, invitation=replace(revoked, url=""))

    def _check_again(self, look: Look, api: JoiningAPI, row: Joining) -> Invitation:
        """Make sure that the membership may still be made: the role and the inviter, as before.

        :returns: as :meth:`_check`.

        :raises Stopped: it may not, and the invitation is revoked already; or nobody knows.
        """
        try:
            return self._check(look, api, checks_seats=False)
        except Stopped as stopped:
            if stopped.problem in ("Join:role", "Join:inviter"):
                rows.save(row, State.HALF_DONE, stopped.problem.removeprefix("Join:"))
                raise Stopped("Join:half-done", look_again=True) from None
            raise Stopped("Join:again") from None

    def _check(self, look: Look, api: JoiningAPI, *, checks_seats: bool = True) -> Invitation:
        """Make sure, as far as can be, that the membership can be made.

        :param checks_seats: not where the invitation's own seat is free already; Clerk counts.
        :returns: the invitation, with its private metadata.
        :raises Stopped: it cannot; nothing was changed.
        """
        invitation, instance = look.invitation, InstanceAPI(self.client)
        if invitation is None or look.value is None:
            raise Stopped
        calls = {
            "organization": lambda: api.get(include_members_count=True),
            "roles": instance.get_roles,
            "settings": instance.get_organization_settings,
        }
        if invitation.mark is None:
            calls["invitation"] = lambda: api.get_invitation(invitation.id)
        if conf.JOIN_CHECKS_INVITER and invitation.inviter_id:
            calls["inviter"] = lambda: api.get_membership(invitation.inviter_id)
        try:
            found = {name: outcome.get() for name, outcome in gather(calls).items()}
            key = role_set_key(found["organization"], found["settings"])
            role_set = instance.get_role_set(key) if key is not None else None
            self.client.require_time(writes=2)
        except exc.OrganizationNotFound:
            raise Stopped(look_again=True) from None
        except ClerkError:
            raise Stopped("Join:later") from None
        told: Invitation = found.get("invitation", invitation)
        if told.mark is None:
            # The membership would be without private metadata of which nobody here knows.
            raise Stopped("Join:clerk")
        roles = assignable_roles(
            look.value.organization_id, role_set, found["roles"], found["settings"]
        )
        if invitation.role not in roles or roles.locked:
            raise Stopped("Join:role")
        if conf.JOIN_CHECKS_INVITER and not may_manage_members(
            found.get("inviter"), found["roles"]
        ):
            raise Stopped("Join:inviter")
        if checks_seats and not _has_seat(found["organization"]):
            raise Stopped("Join:seats")
        return told

    def _begin(self, look: Look, invitation: Invitation) -> tuple[Joining, bool]:
        """Write down what is begun; return it, and whether it was begun before.

        :raises Stopped: somebody is at it.
        """
        now = timezone.now()
        row, is_new = Joining.objects.get_or_create(
            invitation_id=invitation.id,
            defaults={
                "organization_id": invitation.organization_id,
                "user_id": self._user_id(look),
                "address_digest": get_digest(invitation.organization_id, invitation.email_address),
                "worked_at": now,
                "is_running": True,
            },
        )
        if is_new:
            return row, False
        if not rows.claim(row, user_id=self._user_id(look)):
            raise Stopped("Join:busy")
        row.refresh_from_db()
        was_begun = row.state in (State.BEGUN, State.HALF_DONE)
        if row.state != State.REVOKED:
            row.created_at = now
            row.save(update_fields=["created_at"])
            rows.save(row, State.BEGUN)
        return row, was_begun

    def _user_id(self, look: Look) -> str:
        return look.user.id if look.user else ""

    def _revoke(
        self, api: JoiningAPI, row: Joining, invitation: Invitation, *, is_uncertain: bool
    ) -> Invitation:
        """Revoke the invitation; return Clerk's answer to our own revocation.

        :param is_uncertain: whether one of ours may have got to Clerk before.
        :raises Stopped: there is none.
        """
        for _ in range(2):
            try:
                revoked = api.withdraw(invitation.id)
            except ClerkError as error:
                if not error.may_have_happened:
                    self._handle_refused(api, row, error, is_uncertain=is_uncertain)
                is_uncertain = True
                try:
                    found = api.get_invitation(invitation.id)
                except ClerkError:
                    break
                if not found.is_pending:
                    self._handle_settled(row, found, is_uncertain=True)
                # It may come yet, so once more: that one's answer is worth as much.
            else:
                try:
                    rows.save(row, State.REVOKED)
                except DatabaseFault:
                    logger.exception("The database failed while somebody was joining.")
                return revoked
        raise Stopped("Join:unknown")

    def _handle_refused(
        self, api: JoiningAPI, row: Joining, error: ClerkError, *, is_uncertain: bool
    ) -> None:
        """Find out why Clerk did not revoke the invitation.

        :raises Stopped: always.
        """
        if isinstance(error, (exc.InvitationNotPending, exc.NotFound)):
            try:
                found = api.get_invitation(row.invitation_id)
            except exc.NotFound:
                rows.save(row, State.LOST)
                raise Stopped(look_again=True) from None
            except ClerkError:
                raise Stopped("Join:unknown" if is_uncertain else "Join:later") from None
            if not found.is_pending:
                self._handle_settled(row, found, is_uncertain=is_uncertain)
        if not is_uncertain:
            rows.save(row, State.LOST)  # nothing of ours is under way
        raise Stopped("Join:unknown" if is_uncertain else "Join:later")

    def _handle_settled(self, row: Joining, found: Invitation, *, is_uncertain: bool) -> None:
        """Stop where the invitation is no longer pending, and it was not certainly us.

        :raises Stopped: always.
        """
        if found.is_revoked and is_uncertain:
            rows.save(row, State.HALF_DONE, UNCLEAR)
            raise Stopped("Join:half-done", look_again=True)
        rows.save(row, State.LOST)
        raise Stopped(look_again=True)

    def _get_revoked(self, api: JoiningAPI, invitation: Invitation) -> Invitation:
        """Return the invitation that we have revoked before, as it was then: it changes no more.

        :raises Stopped: it could not be had.
        """
        try:
            self.client.require_time(writes=2)
            found = api.get_invitation(invitation.id)
        except ClerkError:
            raise Stopped("Join:later") from None
        if not found.is_revoked:
            raise Stopped("Join:later")
        return found

    def _add(self, api: JoiningAPI, row: Joining, look: Look, revoked: Invitation) -> None:
        """Make the membership; where that cannot be, make the invitation again.

        :raises Stopped: there is no membership, or nobody knows.
        """
        user_id = self._user_id(look)
        for _ in range(2):
            try:
                api.add_member(
                    user_id,
                    revoked.role,
                    public_metadata=revoked.public_metadata,
                    private_metadata=revoked.private_metadata,
                )
            except ClerkError as error:
                is_there = isinstance(error, exc.AlreadyMember)  # or so Clerk says
                if not error.may_have_happened and not is_there:
                    if _may_pass(error):
                        raise Stopped("Join:again") from None
                    self._restore(row, look, revoked, error)
                try:
                    if api.get_membership(user_id) is not None:
                        return
                except ClerkError:
                    raise Stopped("Join:unknown") from None
                # Adding twice does no harm: the second time they are a member already.
            else:
                return
        raise Stopped("Join:again")

    def _restore(self, row: Joining, look: Look, revoked: Invitation, error: ClerkError) -> None:
        """Make an invitation in the place of the one that was revoked.

        In the name of who made that one, who must still be allowed to; no mail goes out.

        :raises Stopped: always.
        """
        reason = type(error).__name__
        made = self._make_again(look, revoked)
        if made is None:
            rows.save(row, State.HALF_DONE, reason)
            self._announce(invitation_revoked, look, revoked)
            raise Stopped("Join:half-done", look_again=True)
        rows.save(row, State.RESTORED, reason, restored_id=made.id)
        self._announce(invitation_revoked, look, revoked)
        self._announce(invitation_created, look, made)
        raise Stopped("Join:restored", look_again=True)

    def _make_again(self, look: Look, revoked: Invitation) -> Invitation | None:
        if not revoked.inviter_id or look.value is None:
            return None
        api = LinkingAPI(self.client, look.value.organization_id)
        request = InvitationRequest(
            email_address=revoked.email_address,
            role=revoked.role,
            inviter_user_id=revoked.inviter_id,
            redirect_url=find_target(look.value) or None,
            expires_in_days=_days_left(revoked),
            notify=False,
            public_metadata=revoked.public_metadata,
            private_metadata=revoked.private_metadata,
        )
        try:
            with Ledger(look.value.organization_id).calling(SINGLE_INVITATIONS):
                return api.invite_member(request)
        except ClerkError as error:
            if _may_pass(error):
                raise Stopped("Join:again") from None  # then the next press tries both again
            if not error.may_have_happened and not isinstance(error, exc.DuplicateInvitation):
                return None
        try:
            rows = api.get_invitations(email_address=revoked.email_address).data
        except ClerkError:
            return None
        return next((r for r in rows if look.value.names(r) and r.is_pending), None)

    def _finish(self, row: Joining, invitation: Invitation, user_id: str, way: str) -> None:
        """Note that the person is a member, and announce it, once."""
        now = timezone.now()
        news = {"state": State.DONE, "way": way, "finished_at": now, "is_running": False}
        is_first = Joining.objects.filter(pk=row.pk, finished_at=None).update(
            **news, worked_at=now, reason=""
        )
        if not is_first:
            return
        forget_asks_of(row.organization_id, invitation.email_address)
        SnapshotReader(
            self.client, organization_id=row.organization_id, user_id=user_id
        ).forget_membership()
        forget_organizations(user_id)
        forget_my_invitations(user_id)
        forget_pending(row.organization_id)
        invitation_accepted.send_robust(
            sender=type(self),
            invitation=replace(invitation, url=""),
            organization_id=row.organization_id,
            user_id=user_id,
        )


def may_inviter(client: ClerkClient, invitation: Invitation) -> bool:
    """Whether who made an invitation may still manage the members; True where no site asks that.

    :raises ClerkError: Clerk could not be asked.
    """
    if not conf.JOIN_CHECKS_INVITER:
        return True
    if not invitation.inviter_id:
        return False
    api, instance = JoiningAPI(client, invitation.organization_id), InstanceAPI(client)
    found = gather(
        {
            "inviter": lambda: api.get_membership(invitation.inviter_id),
            "roles": instance.get_roles,
        }
    )
    return may_manage_members(found["inviter"].get(), found["roles"].get())


def _has_seat(organization: Organization) -> bool:
    """Whether there is one: pending invitations take seats, and the person's own is one of them."""
    limit, members = organization.max_allowed_memberships, organization.members_count or 0
    return not limit or members + max(organization.pending_invitations_count or 0, 1) <= limit


def _may_pass(error: ClerkError) -> bool:
    """Whether the same may succeed a moment later, as far as can be told."""
    passing = (exc.ConnectionFailed, exc.RateLimited, exc.ResourceLocked, exc.Unauthorized)
    return isinstance(error, (*passing, exc.RoleMigrationInProgress))


def _days_left(invitation: Invitation) -> int | None:
    """Return for how many whole days the invitation would have held yet; None for Clerk's own.

    One at least, since Clerk gives no fewer: only the last of them may become longer by that.
    """
    if invitation.expires_at is None:
        return None
    left = (invitation.expires_at - datetime.now(UTC)) // _DAY
    return min(max(left, 1), MAX_EXPIRES_IN_DAYS)
