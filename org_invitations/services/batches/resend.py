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
from ...clerk.exceptions import SINGLE_INVITATIONS, DuplicateInvitation
from ...concurrency import Outcome, gather
from ...conf import MAX_EXPIRES_IN_DAYS, conf
from ...models import Batch, BatchItem, CallSlot
from ...roles import AssignableRoles
from ..exceptions import OutcomeUnknown
from ..limits import Ledger
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
from .revoke import GROUP_SIZE, revoke_for_sure
from .runner import Progress
from .store import Halted, LeaseLost, find_taken, get_mark, state_after


def create_for_sure(
    api: OrganizationAPI,
    request: InvitationRequest,
    attempt: Attempt,
    *,
    ledger: Ledger,
    slot: CallSlot | None = None,
    seen: Collection[str] = (),
    is_looked_at: bool = True,
) -> Invitation:
    """Create an invitation; where Clerk's answer is lost, find out what became of it.

    :param attempt: of the request, made right before.
    :param ledger: counts the call.
    :param slot: what the call has taken of the ledger before.
    :param seen: ids of invitations of the address that are known from before.
    :param is_looked_at: whether a refusal that says what is there is looked up before it is raised.
    :returns: the invitation, also where the answer was lost but it was created.
    :raises ClerkError: it was not created.
    :raises OutcomeUnknown: nobody knows (yet).
    """
    try:
        with ledger.calling(SINGLE_INVITATIONS, slot=slot):
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
    ledger: Ledger
    #: Keeps an item as it is now, before each call to Clerk and after it.
    progress: Progress
    announce_revoked: Callable[[Invitation], None]

    def replace(
        self, item: BatchItem, old: Invitation, request: InvitationRequest
    ) -> ClerkError | None:
        """Revoke the old invitation if it is pending, then create the new one.

        The item says afterwards what became of it. Nothing of Clerk's is raised. It is not begun
        unless there is time for all of it.

        :returns: the error that it ended with, if it did.
        """
        try:
            return self._exchange(
                item,
                old,
                request,
                refused=lambda error: self._settle(item, state_after(error), error=error),
            )
        except (exc.DeadlineExceeded, exc.RateLimited) as error:
            self._settle(item, state_after(error), error=error)
            return error

    def finish(
        self, item: BatchItem, request: InvitationRequest, other: Invitation | None = None
    ) -> ClerkError | None:
        """Do the second half of a resend.

        :param other: what somebody else has invited the person with meanwhile; the new invitation
            takes the place of it.
        :returns: the error that it ended with, if it did.
        """
        if other is None or not other.is_pending:
            return self.create(item, request)
        try:
            return self._exchange(
                item, other, request, refused=lambda error: self._look(item, error)
            )
        except (exc.DeadlineExceeded, exc.RateLimited) as error:
            return error  # it is as it was

    def _exchange(
        self,
        item: BatchItem,
        old: Invitation,
        request: InvitationRequest,
        *,
        refused: Callable[[ClerkError], object],
    ) -> ClerkError | None:
        """Revoke an invitation if it is pending, then create the one that takes its place.

        :param refused: lets the item say what became of it where the old one was not revoked.
        :returns: the error that it ended with, if it did.
        :raises DeadlineExceeded: there is no time for all of it; nothing was begun.
        :raises RateLimited: in the background: no call is free for the new one; the same.
        :raises Halted: nothing more may be sent; the same.
        """
        self.api.client.require_time(2 if old.is_pending else 1)
        # First, so that the new one can go as soon as the old one is gone.
        slot = self.ledger.take(SINGLE_INVITATIONS)
        item.attempt = {"revokes": old.id if old.is_pending else ""}
        self.progress.record(item, State.UNDER_WAY)
        try:
            self.progress.begin()
        except (Halted, LeaseLost):  # nothing goes out
            self.ledger.give_back(slot)
            raise
        if old.is_pending:
            try:
                revoked = revoke_for_sure(self.api, old.id, user_id=self.user_id)
            except OutcomeUnknown as unsettled:
                self.ledger.give_back(slot)
                self._settle_unknown(item, unsettled)
                return unsettled.error
            except ClerkError as error:
                self.ledger.give_back(slot)
                refused(error)
                return error
            self._settle(item, State.HALF_DONE)
            self.announce_revoked(revoked)
        return self.create(item, request, slot)

    def create(
        self, item: BatchItem, request: InvitationRequest, slot: CallSlot | None = None
    ) -> ClerkError | None:
        """Create the new invitation.

        Where that does not work, the item is half done if it was so before: then something was
        revoked for it. Else nothing is lost.

        :param slot: what the call has taken of the ledger before.
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
                self.api,
                request,
                attempt,
                ledger=self.ledger,
                slot=slot,
                seen=[item.replaces_id],
                is_looked_at=not is_half,
            )
        except OutcomeUnknown as unsettled:
            self._settle_unknown(item, unsettled)
            return unsettled.error
        except ClerkError as error:
            if not is_half:
                self._settle(item, state_after(error), error=error)
            elif not error.is_correctable:
                return self._look(item, error)
            else:
                self._settle(item, State.HALF_DONE, error=error)
            return error
        self._settle(item, State.DONE, invitation=created)
        return None

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
            self._settle(item, State.UNSETTLED, error=refusal)
            return refusal
        if is_member:
            self._settle(item, state_after(refusal), error=refusal)
            return refusal
        settle_resend(item, rows, find_taken(row.id for row in rows), refusal=refusal)
        made = next((row for row in rows if row.id == item.invitation_id), None)
        if item.state == State.DONE and made is not None:
            self._settle(item, State.DONE, invitation=made)
            return None
        self._settle(item, item.state, Reason(item.reason, item.params), error=refusal)
        return refusal

    def _settle_unknown(self, item: BatchItem, unknown: OutcomeUnknown) -> None:
        reason = Reason.of_error(unknown.error, absent=unknown.absent)
        self._settle(item, State.UNSETTLED, reason, error=unknown.error)

    def _settle(self, item: BatchItem, state: str, *args: Any, **kwargs: Any) -> None:
        self.progress.record(item, state, *args, **kwargs)
        self.progress.save()


def check_before(snapshot: Snapshot, old: Invitation, ledger: Ledger) -> None:
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
    if wait := ledger.get_wait():
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


class ResendWorker:
    """Replaces those that wait by fresh ones, one after the other.

    Each has two halves, and how far it got is written down in between. While somebody is without
    an invitation, no other one is taken back.
    """

    def __init__(
        self,
        items: Sequence[BatchItem],
        replacer: Replacer,
        *,
        batch: Batch,
        snapshot: Snapshot,
    ) -> None:
        """Prepare.

        :param snapshot: what Clerk has said just now, roles and seats included. The invitation in
            it, if there is one, is not asked for again.
        """
        self.replacer = replacer
        self.api = replacer.api
        self.progress = replacer.progress
        self.batch = batch
        self.snapshot = snapshot
        self._waiting = list(items)
        #: What is known of the old ones, by their ids.
        self._known: dict[str, Outcome] = {}
        if snapshot.invitation is not None:
            self._known[snapshot.invitation.id] = Outcome(value=snapshot.invitation)
        #: The one whose second half Clerk's limit keeps back, and what is asked of Clerk for it.
        self._half: tuple[BatchItem, InvitationRequest] | None = None

    @property
    def writes(self) -> int:
        """Two for each, and one where only the second half is missing."""
        return 1 if self._half is not None else 2

    @property
    def has_more(self) -> bool:
        """Whether something is left that may be replaced now."""
        return self._half is not None or bool(self._waiting)

    def allow(self, roles: AssignableRoles) -> None:
        """Take note of what the person may grant from now on."""
        self.snapshot = replace(self.snapshot, roles=roles)

    def work(self) -> Collection[ClerkError]:
        """Replace one, or do the half of it that is missing."""
        if self._half is not None:
            item, request = self._half
            self._half = None
            error = self._finish(item, request)
        else:
            item = self._waiting[0]
            outcome = self._get_old(item)
            if outcome.error is None:
                error = self._replace(item, outcome.value)
            else:
                error = outcome.error
                self.progress.record(item, state_after(error), error=error)
            if item.state != State.WAITING:
                self._waiting.pop(0)
        if item.state in (State.HALF_DONE, State.UNSETTLED) and self._half is None:
            self._waiting = []  # they wait as before
        return [error] if error is not None else ()

    def close(self, state: str, error: ClerkError | None = None) -> None:
        """Replace nothing more; who is without an invitation by then stays so for the moment."""
        if self._half is not None and error is not None:
            self.progress.record(self._half[0], State.HALF_DONE, error=error)
        left, self._waiting, self._half = self._waiting, [], None
        if error is not None:
            for item in left:
                self.progress.record(item, state, error=error)

    def _get_old(self, item: BatchItem) -> Outcome:
        """Return the old invitation; the next few are asked for at the same time."""
        if item.replaces_id not in self._known:
            ids = [one.replaces_id for one in self._waiting[:GROUP_SIZE]]
            self._known = gather({id_: partial(self.api.get_invitation, id_) for id_ in ids})
        outcome = self._known.pop(item.replaces_id)
        if outcome.error is not None and outcome.error.concerns_all:
            self._known = {}  # what is said of one now holds for the others as well
        return outcome

    def _replace(self, item: BatchItem, old: Invitation) -> ClerkError | None:
        """Replace one, if that may be done; it says afterwards what became of it."""
        seen = self.batch.options
        was_pending = seen.get("seen") == InvitationStatus.PENDING or old.id in seen.get(
            "pending", ()
        )
        if old.is_revoked and was_pending:
            # It was pending when the person decided: somebody has decided otherwise since.
            self.progress.record(
                item, State.REFUSED, error=exc.InvitationNotPending(), invitation=old
            )
            return None
        wanted = item.role or old.role
        if wanted not in self.snapshot.roles:
            self.progress.record(item, State.REFUSED, _not_granted(item.role_name or old.role_name))
            return None
        try:
            check_before(self.snapshot, old, self.replacer.ledger)
        except ClerkError as hindrance:
            is_late = isinstance(hindrance, exc.InvitationNotPending)
            there = old if is_late else None
            self.progress.record(item, state_after(hindrance), error=hindrance, invitation=there)
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
        return self._after_half(item, request, error)

    def _finish(self, item: BatchItem, request: InvitationRequest) -> ClerkError | None:
        """Do the second half, after a while in which the person may have lost the right."""
        if request.role not in self.snapshot.roles:
            self.progress.record(item, State.HALF_DONE, _not_granted(item.role_name))
            return None
        return self._after_half(item, request, self.replacer.create(item, request))

    def _after_half(
        self, item: BatchItem, request: InvitationRequest, error: ClerkError | None
    ) -> ClerkError | None:
        if item.state == State.HALF_DONE and isinstance(error, exc.RateLimited):
            self._half = item, request
        return error


def _not_granted(role_name: str) -> Reason:
    return Reason(str(PreviewStatus.ROLE_NOT_GRANTED), {"role": role_name})
