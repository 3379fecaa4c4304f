"""Sending an invitation again: a fresh one takes the place of the old one.

Clerk cannot send an invitation again, nor change one. So the old one is revoked and a new one is
created, with the same role, metadata and redirect unless others are wanted. Between the two the
person is not invited at all, so how far it got is written down at each step, and everything that
can be found to stand in the way is found before the first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

from ...clerk import ClerkError, Invitation, InvitationRequest, InvitationStatus, OrganizationAPI
from ...clerk import exceptions as exc
from ...clerk.exceptions import DuplicateInvitation
from ...concurrency import gather
from ...conf import MAX_EXPIRES_IN_DAYS, conf
from ...models import Batch, BatchItem
from ...roles import AssignableRoles
from ..exceptions import OutcomeUnknown
from ..limits import Budget
from ..preview import PreviewStatus
from ..reasons import Reason
from ..snapshot import Snapshot
from .reconcile import (
    Attempt,
    Match,
    check_creating,
    find_members,
    find_write,
    get_rows,
    is_empty,
    settle_resend,
)
from .revoke import revoke_for_sure
from .runner import BatchRunner
from .store import find_taken, get_mark, record, refuse


def create_for_sure(
    api: OrganizationAPI,
    request: InvitationRequest,
    attempt: Attempt,
    *,
    seen: Collection[str] = (),
    is_looked_at: bool = True,
) -> Invitation:
    """Create an invitation; where Clerk's answer is lost, find out what became of it.

    :param attempt: of the request, made right before.
    :param seen: ids of invitations of the address that are known from before.
    :param is_looked_at: whether a refusal that says what is there is looked up before it is raised.
    :returns: the invitation, also where the answer was lost but it was created.
    :raises ClerkError: it was not created.
    :raises Unsettled: nobody knows (yet).
    """
    try:
        return api.invite_member(request)
    except ClerkError as error:
        if not error.may_have_happened:
            if is_looked_at:
                return check_creating(api, request, error)
            raise
        lost = error
    try:
        rows = get_rows(api, request.email_address)
    except ClerkError:
        raise OutcomeUnknown(lost) from None
    taken = find_taken(row.id for row in rows)
    match, found = find_write(attempt, rows, taken.union(seen))
    if found is None:
        raise OutcomeUnknown(lost, absent=True) if lost.may_be_under_way else lost
    if match is Match.UNCLEAR:
        raise OutcomeUnknown(lost)
    if match is Match.OURS:
        return found
    before = DuplicateInvitation("invited before", trace_id=lost.trace_id)
    before.invitation = replace(found, url="")
    raise before


def find_pending_of(api: OrganizationAPI, email_address: str) -> Invitation | None:
    """Return the pending invitation of an address, if there is one; raises :exc:`ClerkError`."""
    wanted = email_address.casefold()
    page = api.get_invitations(email_address=email_address)
    return next(
        (row for row in page.data if row.is_pending and row.email_address.casefold() == wanted),
        None,
    )


State = BatchItem.State

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Replacer:
    """Replaces invitations of one organization, as one person."""

    api: OrganizationAPI
    user_id: str
    budget: Budget
    #: Keeps an item as it is now; called before each call to Clerk and after it.
    save: Callable[[BatchItem], None]
    announce_revoked: Callable[[Invitation], None]
    announce_created: Callable[[Invitation], None]

    def replace(
        self, item: BatchItem, old: Invitation, request: InvitationRequest
    ) -> ClerkError | None:
        """Revoke the old invitation if it is pending, then create the new one.

        The item says afterwards what became of it. Nothing of Clerk's is raised. It is not begun
        unless there is time for all of it.

        :returns: the error that it ended with, if it did.
        """
        try:
            self.api.client.require_time(2 if old.is_pending else 1)
        except exc.DeadlineExceeded as error:
            self.save(refuse(item, error))
            return error
        item.attempt = {"revokes": old.id if old.is_pending else ""}
        self._settle(item, State.UNDER_WAY)
        if old.is_pending:
            try:
                revoked = revoke_for_sure(self.api, old.id, user_id=self.user_id)
            except OutcomeUnknown as unsettled:
                self._settle(item, State.UNSETTLED, Reason.of_error(unsettled.error))
                return unsettled.error
            except ClerkError as error:
                self.save(refuse(item, error))
                return error
            self._settle(item, State.HALF_DONE)
            self.announce_revoked(revoked)
        return self.create(item, request)

    def finish(
        self, item: BatchItem, request: InvitationRequest, other: Invitation | None = None
    ) -> ClerkError | None:
        """Do the second half of a resend.

        :param other: what somebody else has invited the person with meanwhile; the new invitation
            takes the place of it.
        :returns: the error that it ended with, if it did.
        """
        if other is not None and other.is_pending:
            try:
                self.api.client.require_time(2)
            except exc.DeadlineExceeded as error:
                return error  # it is as it was
            item.attempt = {"revokes": other.id}
            self._settle(item, State.UNDER_WAY)
            try:
                revoked = revoke_for_sure(self.api, other.id, user_id=self.user_id)
            except OutcomeUnknown as unsettled:
                self._settle(item, State.UNSETTLED, Reason.of_error(unsettled.error))
                return unsettled.error
            except ClerkError as error:
                self._look(item, error)
                return error
            self._settle(item, State.HALF_DONE)
            self.announce_revoked(revoked)
        return self.create(item, request)

    def create(self, item: BatchItem, request: InvitationRequest) -> ClerkError | None:
        """Create the new invitation.

        Where that does not work, the item is half done if it was so before: then something was
        revoked for it. Else nothing is lost.

        :returns: the error that it ended with, if it did.
        """
        is_half = item.state == State.HALF_DONE
        attempt = Attempt.of_request(request)
        revoked = (item.attempt.get("revokes") or item.replaces_id) if is_half else ""
        item.attempt = {"revokes": revoked, **attempt.as_json()}
        # Should the process die in the call, nobody knows whether it happened.
        self._settle(item, State.UNDER_WAY)
        try:
            # Where something was revoked for it, more is looked at than what Clerk says.
            created = create_for_sure(
                self.api, request, attempt, seen=[item.replaces_id], is_looked_at=not is_half
            )
        except OutcomeUnknown as unsettled:
            self._settle(item, State.UNSETTLED, Reason.of_error(unsettled.error))
            return unsettled.error
        except ClerkError as error:
            if isinstance(error, exc.RateLimited):
                self.budget.note_refused(error)
            if not is_half:
                refuse(item, error)
                self.save(item)
            elif not error.is_correctable:
                return self._look(item, error)
            else:
                self._settle(item, State.HALF_DONE, Reason.of_error(error))
            return error
        self._announce(item, created)
        return None

    def _announce(self, item: BatchItem, created: Invitation) -> None:
        self.budget.note_sent()
        record(item, State.DONE, invitation_id=created.id)
        self.save(item)
        self.announce_created(created)

    def _look(self, item: BatchItem, refusal: ClerkError) -> ClerkError | None:
        """Look what there is in the place of what we have revoked, before a refusal is believed.

        :returns: the refusal, unless the new invitation exists all the same.
        """
        try:
            rows = get_rows(self.api, item.email_address)
            is_member = isinstance(refusal, exc.AlreadyMember) and not is_empty(
                find_members(self.api, [item.email_address])
            )
        except ClerkError:
            self._settle(item, State.UNSETTLED, Reason.of_error(refusal))
            return refusal
        if is_member:
            refuse(item, refusal)
        else:
            settle_resend(item, rows, find_taken(row.id for row in rows), refusal=refusal)
        made = next((row for row in rows if row.id == item.invitation_id), None)
        if item.state == State.DONE and made is not None:
            self._announce(item, made)
            return None
        self.save(item)
        return refusal

    def _settle(self, item: BatchItem, state: str, reason: Reason | None = None) -> None:
        self.save(record(item, state, reason))


def check_before(snapshot: Snapshot, old: Invitation, budget: Budget) -> None:
    """Raise what stands in the way of a new invitation, before the old one is revoked.

    Who may grant which role is not asked here.

    :param snapshot: with its seats, counted just now.
    :raises InvitationNotPending: it was accepted.
    :raises RoleMigrationInProgress: no role can be assigned.
    :raises QuotaExceeded: no seat is left; a pending invitation gives its own to the new one.
    :raises RateLimited: no more can be created within the hour.
    """
    if not (old.is_pending or old.is_expired or old.is_revoked):
        raise exc.InvitationNotPending("not to be sent again")
    if snapshot.roles.locked:
        raise exc.RoleMigrationInProgress("roles are locked")
    seats = snapshot.seats
    if seats is not None and seats.limit:
        others = seats.used - 1 if old.is_pending else seats.used
        if others >= seats.limit:
            raise exc.QuotaExceeded("no seat left")
    if wait := budget.get_wait():
        raise exc.RateLimited("the hourly limit is reached", retry_after=wait)


def make_request(
    old: Invitation,
    *,
    user_id: str,
    role: str | None = None,
    expires_in_days: int | None = None,
    notify: bool | None = None,
    item: BatchItem | None = None,
) -> InvitationRequest:
    """Return the request for an invitation that takes the place of another one.

    The mark of the old one is not among its metadata: the new one has a mark of its own.

    :param item: which it is sent for.
    :param expires_in_days: None keeps the period that the old one had.
    """
    return InvitationRequest(
        email_address=old.email_address,
        role=role or old.role,
        inviter_user_id=user_id,
        redirect_url=_find_redirect(old.id) or conf.REDIRECT_URL or None,
        expires_in_days=expires_in_days or get_period(old) or conf.EXPIRES_IN_DAYS,
        notify=notify,
        public_metadata=old.public_metadata or None,
        private_metadata=old.private_metadata or None,
        mark=get_mark(item) if item is not None else "",
    )


def get_period(invitation: Invitation) -> int | None:
    """Return for how many days an invitation was made; None where that is not known."""
    if invitation.created_at is None or invitation.expires_at is None:
        return None
    days = round((invitation.expires_at - invitation.created_at) / _DAY)
    return min(max(days, 1), MAX_EXPIRES_IN_DAYS)


def _find_redirect(invitation_id: str) -> str:
    """Return where this site let the invitation's link lead in the end: Clerk does not tell it.

    One of many that were sent again together does not say so itself, so those that it took the
    place of are asked, one after the other.
    """
    seen: set[str] = set()
    while invitation_id and invitation_id not in seen:
        seen.add(invitation_id)
        item = (
            BatchItem.objects.filter(invitation_id=invitation_id)
            .exclude(batch__action=Batch.Action.REVOKE)
            .select_related("batch")
            .order_by("-batch__created_at")
            .first()
        )
        if item is None:
            break
        if redirect_url := item.batch.options.get("redirect_url"):
            return str(redirect_url)
        invitation_id = item.replaces_id
    return ""


class BatchResender(BatchRunner):
    """Replaces the invitations that wait in a batch by fresh ones."""

    #: Each has two halves, and how far it got is written down in between: that is done in turn.
    is_parallel = False
    writes = 2

    def __init__(
        self,
        batch: Batch,
        *,
        snapshot: Snapshot,
        replacer: Replacer,
        budget: Budget,
        ask_again: Callable[[], AssignableRoles],
    ) -> None:
        """Prepare; ``snapshot`` is what Clerk has said just now, roles included."""
        super().__init__(replacer.api, batch, ask_again)
        self.snapshot = snapshot
        self.replacer = replacer
        self.budget = budget
        #: Whether somebody is without an invitation now: then no other one is taken back.
        self.is_half_done = False

    def work(self, items: Sequence[BatchItem]) -> dict[int, ClerkError]:
        """Look at some at the same time, and replace one after the other."""
        found = gather(
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
        self.snapshot = replace(self.snapshot, roles=roles)

    def _must_stop(self, *what: Any) -> bool:
        return self.is_half_done or super()._must_stop(*what)

    def _replace(self, item: BatchItem, old: Invitation) -> ClerkError | None:
        """Replace one, if that may be done; it says afterwards what became of it."""
        if old.is_revoked and self.batch.options.get("seen") == InvitationStatus.PENDING:
            # It was pending when the person decided: somebody has decided otherwise since.
            refuse(item, exc.InvitationNotPending(), old)
            return None
        wanted = item.role or old.role
        if wanted not in self.snapshot.roles:
            params = {"role": item.role_name or old.role_name}
            record(item, State.REFUSED, Reason(str(PreviewStatus.ROLE_NOT_GRANTED), params))
            return None
        try:
            check_before(self.snapshot, old, self.budget)
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
            self.replacer.save(record(item, State.HALF_DONE, Reason.of_error(hindrance)))
            return hindrance
        if request.role not in self.snapshot.roles:
            reason = Reason(str(PreviewStatus.ROLE_NOT_GRANTED), {"role": item.role_name})
            self.replacer.save(record(item, State.HALF_DONE, reason))
            return None
        return self.replacer.create(item, request)
