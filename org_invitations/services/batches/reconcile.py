"""Did my write happen? The one rule, for whatever was written and however its answer was lost.

A create is known again by its mark (:mod:`org_invitations.clerk.marks`): where the mark comes back,
the write happened, and an invitation without it is somebody else's. Where Clerk does not tell the
private metadata, or the mark was left out, these decide: which invitations are known from before,
when it was made, its role, inviter and expiry. What they leave open nobody knows. A revocation is
known by the status of the invitation.

As long as Clerk may still be at work, what is not there may come; and what was given up is looked
at again whenever somebody looks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from ...clerk import (
    MAX_LIMIT,
    ClerkError,
    Invitation,
    InvitationRequest,
    Membership,
    OrganizationAPI,
    Page,
)
from ...clerk import exceptions as exc
from ...concurrency import gather
from ...models import MAX_ROLE_NAME, Batch, BatchItem
from ..reasons import Reason
from .store import (
    DOUBTFUL,
    UNCLEAR,
    as_aware,
    find_taken,
    get_items,
    is_at_work,
    is_over,
    record,
    refuse,
    save_found,
    stale_after,
)

State = BatchItem.State

#: Clocks differ by so much at most.
CLOCK_TOLERANCE: Final = timedelta(minutes=2)

#: Clerk's own expiry, where a request names none (its API description).
_USUAL_DAYS: Final = 30

_DAY: Final = timedelta(days=1)

#: Why an item was given up of which Clerk shows nothing, or which somebody has left. What shows up
#: later all the same is believed.
ABSENT: Final = "absent"
LEFT: Final = "half-done"

#: Of a resend whose second half is missing: somebody else has invited the person meanwhile.
OTHER_INVITATION: Final = "other-invitation"

#: Pages of invitations that are read to find those that a batch has made.
_MAX_PAGES: Final = 10


class Reader(Protocol):
    """What the rule looks at: an :class:`.OrganizationAPI`, or a list that was read already."""

    def get_invitations(
        self,
        *,
        status: None = None,
        email_address: str | None = None,
        order_by: str | None = None,
        limit: int = 10,
        offset: int = 0,
    ) -> Page[Invitation]:
        """Return invitations, whatever became of them."""

    def get_invitation(self, invitation_id: str) -> Invitation:
        """Return one invitation; raises :exc:`InvitationNotFound`."""


class Listed:
    """All invitations of an organization, as they were read a moment ago; nobody is asked."""

    def __init__(self, rows: Iterable[Invitation]) -> None:
        """Take them, newest first."""
        self._rows = tuple(rows)

    def get_invitations(
        self,
        *,
        status: None = None,
        email_address: str | None = None,
        order_by: str | None = None,
        limit: int = 10,
        offset: int = 0,
    ) -> Page[Invitation]:
        """Return those of an address, or all, whatever became of them."""
        wanted = email_address.casefold() if email_address is not None else None
        rows = [row for row in self._rows if wanted in (None, row.email_address.casefold())]
        return Page(tuple(rows[offset : offset + limit]), len(rows))

    def get_invitation(self, invitation_id: str) -> Invitation:
        """Return one; raises :exc:`InvitationNotFound`."""
        for row in self._rows:
            if row.id == invitation_id:
                return row
        raise exc.InvitationNotFound("not among those that were listed")


class Match(Enum):
    """Whether an invitation is the one that a create was to make."""

    OURS = "ours"
    OTHER = "other"
    #: Nothing tells it from one that was there before.
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that is to create an invitation, and what the invitation can be known by."""

    role: str
    #: ``user_…``, who is named as the inviter.
    inviter_id: str
    #: For how long the invitation is to hold.
    days: int
    #: When the call went out, by this machine's clock; whole milliseconds, as Clerk's times are.
    started: datetime
    #: Empty where the request carries none.
    mark: str = ""

    @classmethod
    def of_request(cls, request: InvitationRequest) -> Attempt:
        """Return the attempt that a request is about to make."""
        now = datetime.now(UTC)
        return cls(
            role=request.role,
            inviter_id=request.inviter_user_id,
            days=request.expires_in_days or _USUAL_DAYS,
            started=now.replace(microsecond=now.microsecond // 1000 * 1000),
            mark=request.sent_mark,
        )

    @classmethod
    def of_item(cls, item: BatchItem) -> Attempt | None:
        """Return the last attempt for an item; None where none has been made."""
        kept = item.attempt
        if not kept:  # from a version that kept none
            return cls(
                role=item.role,
                inviter_id=item.batch.user_id,
                days=item.batch.options.get("expires_in_days") or 0,
                started=as_aware(item.batch.created_at),
            )
        if "at" not in kept:
            return None
        return cls(
            role=kept["role"],
            inviter_id=kept["inviter"],
            days=kept["days"],
            started=datetime.fromtimestamp(kept["at"] / 1000, UTC),
            mark=kept["mark"],
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as :attr:`.BatchItem.attempt` keeps it."""
        return {
            "at": round(self.started.timestamp() * 1000),
            "role": self.role,
            "inviter": self.inviter_id,
            "days": self.days,
            "mark": self.mark,
        }

    def match(
        self, row: Invitation, taken: Collection[str] = (), *, is_told: bool = False
    ) -> Match:
        """Tell whether an invitation of the address is the one that this attempt has made.

        :param taken: ids of invitations that are known to have been made for something else.
        :param is_told: whether none are among the metadata where there are none; else they may
            have been emptied, since one of ours has some.
        """
        if row.mark:
            return Match.OURS if row.mark == self.mark else Match.OTHER
        if self.mark and row.mark is not None and (is_told or row.private_metadata):
            return Match.OTHER  # Clerk tells metadata, and the mark is not among them
        if row.id in taken or not self._is_alike(row):
            return Match.OTHER
        if row.created_at is None:
            return Match.UNCLEAR
        if row.created_at >= self.started:
            return Match.OURS
        return Match.UNCLEAR if self._may_be_since(row) else Match.OTHER

    def _may_be_since(self, row: Invitation) -> bool:
        """Whether an invitation may have been made after the call went out, for all clocks tell."""
        return row.created_at is None or row.created_at >= self.started - CLOCK_TOLERANCE

    def _is_alike(self, row: Invitation) -> bool:
        if row.role != self.role or row.inviter_id not in ("", self.inviter_id):
            return False
        if not self.days or row.created_at is None or row.expires_at is None:
            return True
        return round((row.expires_at - row.created_at) / _DAY) == self.days


def find_write(
    attempt: Attempt,
    rows: Iterable[Invitation],
    taken: Collection[str] = (),
    *,
    is_told: bool = False,
) -> tuple[Match, Invitation | None]:
    """Find what an attempt has made among the invitations of its address.

    :param is_told: whether an invitation without metadata is somebody else's for certain.
    :returns: ours; or that nobody knows, with the one that it may be; or a pending one of somebody
        else's; or that there is nothing.
    """
    rows = list(rows)
    is_told = is_told or tells_metadata(rows)
    found: dict[Match, Invitation] = {}
    for row in rows:
        match = attempt.match(row, taken, is_told=is_told)
        if match is not Match.OTHER or row.is_pending:
            found.setdefault(match, row)
    for match in (Match.OURS, Match.UNCLEAR, Match.OTHER):
        if match in found:
            return match, found[match]
    return Match.OTHER, None


def tells_metadata(rows: Iterable[Invitation]) -> bool:
    """Whether Clerk tells private metadata of any of these, and so does not empty them."""
    return any(row.mark or row.private_metadata for row in rows)


def get_rows(api: Reader, email_address: str) -> list[Invitation]:
    """Return the invitations of an address, whatever became of them, newest first.

    :raises ClerkError: Clerk could not be asked.
    """
    page = api.get_invitations(
        status=None, email_address=email_address, order_by="-created_at", limit=100
    )
    wanted = email_address.casefold()
    return [row for row in page.data if row.email_address.casefold() == wanted]


def find_rows(
    api: Reader, addresses: Collection[str], *, since: datetime
) -> tuple[dict[str, list[Invitation]], bool]:
    """Return the invitations of some addresses, whatever became of them, newest first.

    And whether all there are were seen, so that there is none where none was found.

    What was made since then is found for certain, unless it is more than 5000; what is older only
    if it is among the newest 500. That is one call, unless more than 500 were made meanwhile.

    :param addresses: as ``casefold`` has them, and so are the keys of what is returned.
    :raises ClerkError: Clerk could not be asked.
    """
    found: dict[str, list[Invitation]] = {}
    for number in range(_MAX_PAGES):
        page = api.get_invitations(
            status=None, order_by="-created_at", limit=MAX_LIMIT, offset=number * MAX_LIMIT
        )
        for row in page.data:
            address = row.email_address.casefold()
            if address in addresses:
                found.setdefault(address, []).append(row)
        oldest = page.data[-1].created_at if page.data else None
        reached = oldest is not None and oldest < since - CLOCK_TOLERANCE
        is_whole = not page.data or (number + 1) * MAX_LIMIT >= page.total_count
        if reached or is_whole:
            return found, is_whole
    return found, False


# --- The items of a batch ------------------------------------------------------------------------


def may_change(item: BatchItem) -> bool:
    """Whether a look at Clerk may tell more about an item than is kept."""
    if item.state == State.REFUSED:
        return item.reason == LEFT
    if item.state == State.FAILED:
        return item.reason == ABSENT
    return item.state in (*DOUBTFUL, State.HALF_DONE)


def reconcile_batch(api: Reader, batch: Batch) -> list[BatchItem]:
    """Find out what can be found out about a batch, and return all of its items.

    Clerk is asked, and nothing is sent. A batch that somebody is at work on is left alone; one
    without doubts costs no call. Raises nothing of Clerk's: what cannot be found out stays as it
    is.
    """
    items = get_items(batch)
    if not is_at_work(items):
        reconcile(api, [item for item in items if may_change(item)])
    return items


def reconcile(api: Reader, items: Sequence[BatchItem]) -> None:
    """Find out what became of some items of one action, and keep it.

    What cannot be found out stays as it is. Nobody may be at work on them.
    """
    if not items:
        return
    before = {item.pk: (item.state, item.reason, item.params) for item in items}
    with suppress(ClerkError):
        _SETTLERS[Batch.Action(items[0].batch.action)](api, items)
    for item in items:
        state = before[item.pk][0]
        # What is as it was is left alone: somebody may just be going on with it.
        if (item.state, item.reason, item.params) != before[item.pk]:
            save_found(item, state)


def _give_up(item: BatchItem) -> None:
    """Settle what Clerk shows nothing of: it did not happen, or it may yet."""
    if is_over(item):
        record(item, State.FAILED, Reason(ABSENT, {"status": str(item.batch.action)}))
    elif item.state != State.FAILED:
        record(item, State.UNSETTLED, Reason(item.reason, item.params))


def _leave_open(item: BatchItem, row: Invitation) -> None:
    """Settle what may have made an invitation, and may not: in the end, nobody will ever know."""
    reason = Reason(item.reason, item.params)
    if is_over(item):
        reason = Reason(UNCLEAR, Reason.of_error(exc.DuplicateInvitation(), row).params)
    record(item, State.UNSETTLED, reason)


def _settle_invites(api: Reader, items: Sequence[BatchItem]) -> None:
    """Settle invitations: what was made is there, whatever became of it since."""
    attempts = {item.pk: Attempt.of_item(item) for item in items}
    begun = [attempt.started for attempt in attempts.values() if attempt is not None]
    addresses = {item.email_address.casefold() for item in items}
    if len(items) == 1:
        rows = {address: get_rows(api, items[0].email_address) for address in addresses}
    else:
        rows, _ = find_rows(api, addresses, since=min(begun)) if begun else ({}, True)
    taken = find_taken(row.id for found in rows.values() for row in found)
    for item in items:
        attempt = attempts[item.pk]
        if attempt is None:
            continue  # an invitation is tried as soon as it is under way
        found = rows.get(item.email_address.casefold(), [])
        # What was known not to have happened only a mark puts right.
        is_told = item.state == State.FAILED
        match, row = find_write(attempt, found, taken, is_told=is_told)
        if row is None:
            _give_up(item)
        elif match is Match.OURS:
            taken.add(row.id)  # one invitation is not two people's
            record(item, State.DONE, invitation_id=row.id)
        elif match is Match.UNCLEAR:
            _leave_open(item, row)
        else:
            refuse(item, exc.DuplicateInvitation(), row)


def _settle_revocations(api: Reader, items: Sequence[BatchItem]) -> None:
    """Settle revocations: the status of each invitation tells."""
    outcomes = _ask_for_each(items, lambda item: partial(api.get_invitation, item.invitation_id))
    for item in items:
        outcome = outcomes[str(item.pk)]
        found: Invitation | None = outcome.value
        if isinstance(outcome.error, exc.InvitationNotFound):
            refuse(item, outcome.error)
        elif found is None:
            continue  # it could not be asked for: nobody knows more than before
        elif found.is_revoked:
            item.email_address = item.email_address or found.email_address
            item.role, item.role_name = found.role, found.role_name[:MAX_ROLE_NAME]
            record(item, State.DONE, invitation=found)
        elif found.is_pending:
            _give_up(item)
        else:
            refuse(item, exc.InvitationNotPending(), found)


def _settle_resends(api: Reader, items: Sequence[BatchItem]) -> None:
    """Settle resends, each with a look at all that its address has."""
    outcomes = _ask_for_each(items, lambda item: partial(get_rows, api, item.email_address))
    rows = {item.pk: outcomes[str(item.pk)].value for item in items}
    taken = find_taken(row.id for found in rows.values() for row in found or ())
    for item in items:
        found = rows[item.pk]
        if found is not None:
            settle_resend(item, found, taken)


def _ask_for_each(
    items: Sequence[BatchItem], call: Callable[[BatchItem], Callable[[], Any]]
) -> Mapping[str, Any]:
    return gather({str(item.pk): call(item) for item in items})


def settle_resend(
    item: BatchItem,
    rows: Sequence[Invitation],
    taken: Collection[str] = (),
    *,
    refusal: ClerkError | None = None,
) -> None:
    """Let a resend say how far it got, by what Clerk shows of its address; it is not saved by that.

    :param rows: all invitations of the address, newest first.
    :param refusal: what Clerk has just answered to the create, where it says what is not believed
        without a look.
    """
    attempt = Attempt.of_item(item)
    old = next((row for row in rows if row.id == item.replaces_id), None)
    others = [row for row in rows if row.id != item.replaces_id]
    is_closed = item.state in (State.FAILED, State.REFUSED)
    if attempt is None:
        match, found = _find_pending(others)
    else:
        # What was known not to have happened only a mark puts right.
        is_told = is_closed or item.state == State.HALF_DONE
        match, found = find_write(attempt, others, taken, is_told=is_told)
    if match is Match.UNCLEAR and found and not found.is_pending and is_over(item):
        match, found = _find_pending(others)  # whoever has made it, nobody is invited by it
    if found is not None and match is Match.OURS:
        record(item, State.DONE, invitation_id=found.id)
    elif is_closed:
        _reopen(item, old)
    elif found is not None and match is Match.UNCLEAR:
        if item.state != State.HALF_DONE:
            _leave_open(item, found)
    elif old is not None and old.is_accepted:
        record(item, State.REFUSED, Reason.of_error(exc.InvitationNotPending(), old))
    elif joined := _find_joined(item, others):
        record(item, State.REFUSED, Reason.of_error(exc.AlreadyMember(), joined))
    elif found is not None:
        _settle_beside(item, attempt, found, refusal)
    else:
        _settle_absent(item, attempt, old, refusal)


def _find_pending(rows: Sequence[Invitation]) -> tuple[Match, Invitation | None]:
    return Match.OTHER, next((row for row in rows if row.is_pending), None)


def _find_joined(item: BatchItem, others: Sequence[Invitation]) -> Invitation | None:
    """Return another invitation that the person has accepted since the resend began."""
    began = as_aware(item.batch.created_at) - CLOCK_TOLERANCE
    accepted = [row for row in others if row.is_accepted]
    moments = ((row, row.updated_at or row.created_at) for row in accepted)
    return next((row for row, moment in moments if moment is None or moment >= began), None)


def _has_lost(item: BatchItem) -> bool:
    """Whether the resend takes the old invitation from the person before it makes a new one."""
    return item.state == State.HALF_DONE or bool(item.attempt.get("revokes", not item.attempt))


def _may_be_revoked_yet(item: BatchItem, other: Invitation) -> bool:
    """Whether Clerk may still be at work on revoking it for this resend."""
    is_asked = item.state in DOUBTFUL and item.attempt.get("revokes") == other.id
    return is_asked and not is_over(item)


def _settle_beside(
    item: BatchItem, attempt: Attempt | None, other: Invitation, refusal: ClerkError | None
) -> None:
    """Settle a resend of somebody whom another invitation has reached meanwhile."""
    if refusal is None and _may_be_revoked_yet(item, other):
        record(item, State.UNSETTLED, Reason(item.reason, item.params))
        return
    inviter_id = attempt.inviter_id if attempt else item.batch.user_id
    # As this site makes them, or as the same person has made it elsewhere.
    is_wanted = other.role == item.role and bool(other.mark or other.inviter_id == inviter_id)
    if is_wanted or not _has_lost(item):
        refuse(item, exc.DuplicateInvitation(), other)
        return
    # It is not what was wanted: what Clerk has is said, and a person decides.
    about = dict(Reason.of_error(exc.DuplicateInvitation(), other).params)
    wanted = {"wanted_role": item.role_name or item.role} if other.role != item.role else {}
    record(item, State.HALF_DONE, Reason(OTHER_INVITATION, about | wanted))


def _settle_absent(
    item: BatchItem, attempt: Attempt | None, old: Invitation | None, refusal: ClerkError | None
) -> None:
    """Settle a resend of somebody of whom Clerk shows nothing new."""
    is_missing = _has_lost(item) and (old is None or not old.is_pending) and not _has_expired(old)
    if isinstance(refusal, (exc.AlreadyMember, exc.DuplicateInvitation)):
        record(item, State.HALF_DONE, Reason.of_error(contradict(refusal)))
    elif refusal is not None:
        record(item, State.HALF_DONE, Reason.of_error(refusal))
    elif item.state == State.HALF_DONE:
        if item.reason == OTHER_INVITATION:  # which is gone as well
            record(item, State.HALF_DONE, Reason(ABSENT))
    elif attempt is None and is_missing:  # the second half has not begun
        record(item, State.HALF_DONE)
    elif not is_over(item):
        record(item, State.UNSETTLED, Reason(item.reason, item.params))
    elif is_missing:
        record(item, State.HALF_DONE, Reason(ABSENT))
    else:
        _give_up(item)


def _has_expired(old: Invitation | None) -> bool:
    return old is not None and old.is_expired


def _reopen(item: BatchItem, old: Invitation | None) -> None:
    """Correct a resend that was given up before its revocation took effect after all."""
    if item.state != State.FAILED or old is None or not old.is_revoked or not _has_lost(item):
        return
    batch, moment = item.batch, old.updated_at
    end = item.leased_until or (batch.worked_at or batch.created_at) + stale_after()
    # Later than that it was somebody else's doing.
    if moment is None or moment <= as_aware(end):
        record(item, State.HALF_DONE, Reason(ABSENT))


_SETTLERS: Final[Mapping[Batch.Action, Callable[[Reader, Sequence[BatchItem]], None]]] = {
    Batch.Action.INVITE: _settle_invites,
    Batch.Action.REVOKE: _settle_revocations,
    Batch.Action.RESEND: _settle_resends,
}


# --- A refusal that says what is there ---

logger = logging.getLogger("org_invitations")

T = TypeVar("T")

_CONTRARIES: Final[tuple[tuple[type[ClerkError], type[exc.Contradicted]], ...]] = (
    (exc.DuplicateInvitation, exc.InvitationNotShown),
    (exc.AlreadyMember, exc.MemberNotShown),
    (exc.InvitationNotPending, exc.InvitationStillPending),
    (exc.InvitationNotFound, exc.InvitationStillPending),
)


def contradict(refusal: ClerkError) -> ClerkError:
    """Return what a refusal is where Clerk shows the contrary of what it says; else itself."""
    for kind, contrary in _CONTRARIES:
        if isinstance(refusal, kind):
            logger.warning("Clerk refused with what it shows not to be so: %s", refusal)
            return _as(contrary, refusal)
    return refusal


def check_creating(
    api: OrganizationAPI, request: InvitationRequest, refusal: ClerkError
) -> Invitation:
    """Look up what the refusal of an invitation says, if it says what is there; that is one call.

    :returns: the invitation, where the pending one is the very one that was asked for.
    :raises ClerkError: the refusal, with the invitation that is in the way, or its contrary.
    """
    if isinstance(refusal, exc.AlreadyMember):
        members = _ask(partial(find_members, api, [request.email_address]))
        raise contradict(refusal) if is_empty(members) else refusal
    if not isinstance(refusal, exc.DuplicateInvitation):
        raise refusal
    pending = _ask(partial(api.get_invitations, email_address=request.email_address))
    if is_empty(pending):
        raise contradict(refusal)
    wanted = request.email_address.casefold()
    for row in pending.data if pending is not None else ():
        if row.is_pending and row.email_address.casefold() == wanted:
            if row.mark and row.mark == request.sent_mark:
                return row  # what stands before Clerk has sent it twice, and Clerk taken the first
            refusal.invitation = replace(row, url="")
            break
    raise refusal


def check_revoking(api: OrganizationAPI, invitation_id: str, refusal: ClerkError) -> ClerkError:
    """Look up what the refusal of a revocation says, if it says what is there; that is one call.

    :returns: the refusal, with what the invitation is instead of pending; or its contrary.
    """
    if not isinstance(refusal, (exc.InvitationNotPending, exc.InvitationNotFound)):
        return refusal
    found = _ask(partial(api.get_invitation, invitation_id))
    if found is None:
        return refusal
    if found.is_pending:
        return contradict(refusal)
    late = _as(exc.InvitationNotPending, refusal)
    late.invitation = replace(found, url="")
    return late


def find_members(api: OrganizationAPI, email_addresses: Sequence[str]) -> Page[Membership]:
    """Return the memberships of addresses; raises :exc:`ClerkError`."""
    # Lower case is how Clerk keeps what people sign up with.
    folded = [address.casefold() for address in email_addresses]
    return api.get_memberships(email_address=folded, limit=len(folded))


def is_empty(page: Page[Any] | None) -> bool:
    """Whether Clerk was asked and has nothing, not even something that cannot be read."""
    return page is not None and not page.data and not page.total_count


def _ask(call: Callable[[], T]) -> T | None:
    try:
        return call()
    except ClerkError:
        return None


def _as(kind: type[ClerkError], refusal: ClerkError) -> ClerkError:
    """Say the same refusal as another kind."""
    return kind(
        refusal.reason, status=refusal.status, errors=refusal.errors, trace_id=refusal.trace_id
    )
