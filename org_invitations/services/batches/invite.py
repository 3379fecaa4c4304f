"""Inviting, ten in a call, with the truth about each.

Clerk refuses all of a call for one address in it, does not document whether it has made the others
all the same, and knows no idempotency key. So what it names is taken out and the rest is tried
again; where it names nobody, in halves. And what may have been made is looked up, never sent twice.

That somebody is invited or a member already is looked up as well, for all of a call together. Where
Clerk shows nobody of the kind, it is not said; and after a few of these nothing more is sent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from ...clerk import ClerkError, Invitation, OrganizationAPI
from ...clerk import exceptions as exc
from ...clerk.exceptions import (
    BULK_INVITATIONS,
    SINGLE_INVITATIONS,
    AlreadyMember,
    RateLimited,
    RoleNotFound,
)
from ...clerk.organizations import BULK_SIZE, InvitationRequest
from ...conf import conf
from ...models import Batch, BatchItem
from ...roles import AssignableRoles
from ..limits import Ledger
from ..preview import PreviewStatus
from ..reasons import Reason
from .reconcile import (
    Attempt,
    Match,
    contradict,
    find_members,
    find_rows,
    find_write,
    get_rows,
    is_empty,
)
from .runner import Progress
from .store import find_taken, get_mark, state_after

State = BatchItem.State

T = TypeVar("T")

#: Why an item was not sent for which a site's own code was to put metadata together.
NO_METADATA: Final = "no-metadata"

#: So often Clerk may refuse a call for what it shows not to be so, and so often again where it is
#: known of whom it says that. Each costs a look besides.
MAX_CONTRADICTED: Final = 3


def make_request(
    batch: Batch,
    item: BatchItem,
    *,
    public_metadata: Mapping[str, Any] | None = None,
    private_metadata: Mapping[str, Any] | None = None,
) -> InvitationRequest:
    """Return what is asked of Clerk for an item: by the batch's options, else by the settings."""
    chosen = batch.options
    return InvitationRequest(
        email_address=item.email_address,
        role=item.role,
        inviter_user_id=batch.user_id,
        redirect_url=chosen.get("redirect_url") or conf.REDIRECT_URL or None,
        expires_in_days=chosen.get("expires_in_days") or conf.EXPIRES_IN_DAYS,
        notify=chosen.get("notify"),
        public_metadata=public_metadata,
        private_metadata=private_metadata,
        mark=get_mark(item),
    )


class InviteWorker:
    """Invites those who wait, in bulk calls of ten; an item is open until it has its last word.

    It takes one call for ten items and, for each that is refused, at most eight more: two for each
    of the four times that ten can be halved. Besides, invitations are listed after a call without
    an answer, and after one that was refused because one is pending; and members after one that was
    refused because somebody is one. After more than :data:`MAX_CONTRADICTED` refusals for what
    Clerk shows not to be so, the rest waits.

    An address that comes twice is sent once, and the second time refused.
    """

    writes = 1

    def __init__(
        self,
        api: OrganizationAPI,
        requests: Sequence[tuple[BatchItem, InvitationRequest]],
        progress: Progress,
        *,
        ledger: Ledger,
        roles: AssignableRoles,
        at_a_time: int = BULK_SIZE,
    ) -> None:
        """Prepare.

        :param requests: what is to be sent, with the items it is for, in their order.
        :param ledger: counts the calls: those for one and those for more have a limit of their own.
        :param roles: what the person may grant at this moment; anything else is refused.
        :param at_a_time: how many a call may take, up to ten.
        """
        self.api = api
        self.progress = progress
        self.ledger = ledger
        self.requests = {item.number: request for item, request in requests}
        firsts: dict[str, int] = {}
        #: Those whose address comes a second time, by the number of the first.
        self.again: dict[int, list[BatchItem]] = {}
        self.open: dict[int, BatchItem] = {}
        for item, request in requests:
            first = firsts.setdefault(request.email_address.casefold(), item.number)
            if first == item.number:
                self.open[first] = item
            else:
                self.again.setdefault(first, []).append(item)
        #: The calls to make, the next one last.
        self.calls: list[list[int]] = []
        numbers = list(self.open)
        for start in range(0, len(numbers), at_a_time):
            self.calls.insert(0, numbers[start : start + at_a_time])
        #: Open ones that were in a refused call with others. Unless Clerk does all or nothing, it
        #: may have made them.
        self.doubtful: set[int] = set()
        #: Those of the last look who certainly have no pending invitation.
        self.absent: set[int] = set()
        #: Those who certainly are no members.
        self.strangers: set[int] = set()
        #: How many calls were refused for what Clerk shows not to be so, by whether it is known of
        #: whom it says that.
        self.contradicted: Counter[bool] = Counter()
        self.started = datetime.now(UTC)
        #: Of each that was tried, the first attempt: a call that was refused may have made it.
        self.attempts: dict[int, Attempt] = {}
        self.allow(roles)

    @property
    def has_more(self) -> bool:
        """Whether somebody is left to be invited."""
        return bool(self.open)

    def allow(self, roles: AssignableRoles) -> None:
        """Refuse who was to get a role that the person may not give any more.

        What may have been made is looked up before.
        """
        refused = {number for number, item in self.open.items() if item.role not in roles}
        if lost := refused & self.doubtful:
            failure = self._look_up(lost)
            if failure is not None:
                self._close(lost, State.UNSETTLED, failure)
        self._close(refused, State.REFUSED, reason=Reason(str(PreviewStatus.ROLE_NOT_GRANTED)))

    def work(self) -> Collection[ClerkError]:
        """Make one call, and settle what is certain after it."""
        # Depth first and in order: where seats run out, the first ones get them.
        call = [number for number in self.calls.pop() if number in self.open]
        if not call:
            return ()
        for number in call:
            item = self.open[number]
            if number not in self.attempts:
                self.attempts[number] = Attempt.of_request(self.requests[number])
                item.attempt = self.attempts[number].as_json()
            # Should the process die in the call, this is how the next one knows of it.
            self.progress.record(item, State.UNDER_WAY)
        self.progress.begin()
        try:
            made = self._post(call)
        except ClerkError as error:
            return self._after_error(call, error)
        for number, invitation in made.items():
            self._close([number], State.DONE, invitation=invitation)
        if missing := [number for number in call if number in self.open]:
            self._settle_missing(missing)
        return ()

    def close(
        self,
        state: str,
        error: ClerkError | None = None,
        *,
        call: Iterable[int] = (),
        call_state: str = "",
        lost: Iterable[int] = (),
    ) -> None:
        """Send nothing more: ``call`` becomes ``call_state``, and all else that is open ``state``.

        What may have been made, in a ``lost`` call or a refused one, is looked up before that.
        """
        doubtful = self.doubtful | set(lost)
        failure = self._look_up(doubtful) if doubtful else None
        if failure is not None:
            because = error if error is not None and error.may_have_happened else failure
            self._close(doubtful, State.UNSETTLED, because)
        if call_state:
            self._close(call, call_state, error, absent=True)
        self._close(list(self.open), state, error)

    def _post(self, call: list[int]) -> dict[int, Invitation]:
        requests = [self.requests[number] for number in call]
        if len(requests) == 1:
            # It has an hourly limit of its own, and tells exactly what is wrong.
            with self.ledger.calling(SINGLE_INVITATIONS):
                return {call[0]: self.api.invite_member(requests[0])}
        with self.ledger.calling(BULK_INVITATIONS, len(requests)):
            answered = self.api.invite_members(requests)
        rows = {row.email_address.casefold(): row for row in answered}
        # Whose an invitation is that comes with two addresses, nobody knows.
        times = Counter(row.id for row in rows.values())
        found = {number: rows.get(self._address(number)) for number in call}
        return {number: row for number, row in found.items() if row and times[row.id] == 1}

    # --- No answer, or one that ends it all -------------------------------------------------

    def _after_error(self, call: list[int], error: ClerkError) -> Collection[ClerkError]:
        if error.may_have_happened:
            absent = State.UNSETTLED if error.may_be_under_way else State.FAILED
            self.close(State.WAITING, error, call=call, call_state=absent, lost=call)
        elif isinstance(error, exc.TransportError) and not isinstance(error, exc.DeadlineExceeded):
            self.close(State.WAITING, error, call=call, call_state=State.FAILED)
        elif isinstance(error, RateLimited):
            self._put_back(call, error)
            return [error]
        elif error.concerns_all:
            return [error]
        elif isinstance(error, exc.QuotaExceeded) and len(call) == 1:
            self.close(state_after(error), error)  # seats only become fewer
        else:
            self.calls += reversed(self._divide(call, error))
        return ()

    def _put_back(self, call: list[int], error: ClerkError) -> None:
        """Let a call that Clerk has not taken wait, to be made again; what it may have made not."""
        self.calls.append(call)
        for number in call:
            if number not in self.doubtful:
                self.progress.record(self.open[number], State.WAITING, error=error)

    def _settle_missing(self, missing: list[int]) -> None:
        # Clerk said yes to them and then left them out: whatever that means, do not send again.
        error = exc.InvalidResponse("not in the answer")
        failure = self._look_up(missing)
        self._close(missing, State.UNSETTLED, error)
        if failure is not None:
            self._close(self.doubtful, State.UNSETTLED, failure)
            self._close(list(self.open), State.WAITING, failure)

    # --- Refused: for whom of them? ---------------------------------------------------------

    def _divide(self, call: list[int], error: ClerkError) -> list[list[int]]:
        """Close those for whom a call was refused, and return the calls for the others."""
        named = find_named(error, {number: self._address(number) for number in call})
        # Whom Clerk says it of.
        told = named or (call if len(call) == 1 else [])
        doubtful = not self.doubtful.isdisjoint(call)
        looked = False
        untrue: Collection[int] = ()
        if isinstance(error, exc.DuplicateInvitation):
            before = {} if doubtful else dict.fromkeys(told, error)
            failure = self._look_up(call, before)
            if failure is not None and doubtful:
                self._close(self.doubtful, State.UNSETTLED, failure)
                self._close(list(self.open), State.WAITING, failure)
                return []
            looked = failure is None
            untrue = self.absent.intersection(told or call) if looked else ()
        elif isinstance(error, exc.AlreadyMember):
            members = self._find_members(told or call)
            named = named or [number for number in call if self._address(number) in (members or ())]
            untrue = () if members is None or members else (told or call)
        if len(call) > 1 and not looked:
            self.doubtful.update(call)
        is_untrue = bool(untrue) and (bool(told) or len(untrue) == len(call))
        contrary = contradict(error) if is_untrue else error
        if told:
            self._close(untrue, state_after(contrary), contrary)
        self._close(named, state_after(error), error)
        self.contradicted[bool(told)] += is_untrue
        if max(self.contradicted.values()) > MAX_CONTRADICTED:
            self.close(State.WAITING, contrary, call=call, call_state=state_after(contrary))
            return []
        left = [number for number in call if number in self.open]
        if len(left) < len(call):
            return [left]
        if parameter := get_shared_parameter(error):
            return self._by_value(call, parameter, error)
        if len(call) == 1:
            self._close(call, state_after(error), error)
            return []
        return halve(call)

    def _by_value(self, call: list[int], parameter: str, error: ClerkError) -> list[list[int]]:
        """Divide a call by the values of what Clerk complains about."""

        def value(number: int) -> Any:
            return getattr(self.requests[number], parameter)

        groups = group_by(call, value)
        if len(groups) == 1:
            wrong = value(call[0])
            alike = [number for number in self.open if value(number) == wrong]
            self._close(alike, state_after(error), error)
            return []
        return [[number for group in half for number in group] for half in halve(groups)]

    # --- What is there, and what is known ---------------------------------------------------

    def _look_up(
        self, numbers: Iterable[int], before: Mapping[int, ClerkError] | None = None
    ) -> ClerkError | None:
        """Close those of these, and of the doubtful ones, of whom something was made.

        Return the error where Clerk cannot be asked.

        :param before: what Clerk has just said of those who had one before the call.
        """
        before = before or {}
        asked = [number for number in {*numbers, *self.doubtful} if number in self.open]
        try:
            rows, is_whole = self._find_rows(asked)
        except ClerkError as error:
            return error
        taken = find_taken(row.id for found in rows.values() for row in found)
        self.absent.clear()
        for number in asked:
            found = rows.get(self._address(number), ())
            pending = next((row for row in found if row.is_pending), None)
            if pending is None and is_whole:
                self.absent.add(number)
            match, invitation = find_write(self.attempts[number], found, taken)
            if number in before and not (invitation is not None and invitation.mark):
                match, invitation = Match.OTHER, pending  # which the call cannot have made
            if invitation is None:
                continue
            if match is Match.OURS:
                taken.add(invitation.id)
                self._close([number], State.DONE, invitation=invitation)
            elif match is Match.UNCLEAR:
                unclear = exc.InvalidResponse("it may have been there before")
                self._close([number], State.UNSETTLED, unclear)
            else:
                earlier = before.get(number, exc.DuplicateInvitation("invited before"))
                self._close([number], State.REFUSED, earlier, invitation=invitation)
        self.doubtful.clear()
        return None

    def _find_members(self, numbers: Iterable[int]) -> set[str] | None:
        """Return what members among these are called, which need not be an address of theirs.

        None where Clerk cannot be asked.
        """
        asked = set(numbers)
        if asked <= self.strangers:
            return set()
        try:
            page = find_members(self.api, [self._address(number) for number in asked])
        except ClerkError:
            return None
        if is_empty(page):
            self.strangers |= asked
            return set()
        return {row.user.identifier.casefold() for row in page.data if row.user} or {""}

    def _find_rows(self, asked: Sequence[int]) -> tuple[dict[str, list[Invitation]], bool]:
        """Return the invitations of these, and whether all there are were seen."""
        if len(asked) == 1:
            rows = get_rows(self.api, self.requests[asked[0]].email_address)
            return {self._address(asked[0]): rows}, True
        return find_rows(self.api, {self._address(number) for number in asked}, since=self.started)

    def _close(
        self,
        numbers: Iterable[int],
        state: str,
        error: ClerkError | None = None,
        *,
        reason: Reason | None = None,
        invitation: Invitation | None = None,
        absent: bool = False,
    ) -> None:
        """Give these their last word, unless they have it.

        :param absent: whether Clerk was asked, and shows nothing of it.
        """
        if state == State.UNSETTLED and error is not None:
            reason = Reason.of_error(error, absent=absent)
        for number in tuple(numbers):
            item = self.open.pop(number, None)
            if item is None:
                continue
            self.doubtful.discard(number)
            if state == State.DONE:
                self._close_done(item, invitation)
                continue
            for one in (item, *self.again.get(number, ())):
                if error is not None or reason is not None or one.state != state:
                    there = _without_link(invitation)
                    self.progress.record(one, state, reason, error=error, invitation=there)

    def _close_done(self, item: BatchItem, invitation: Invitation | None) -> None:
        self.progress.record(item, State.DONE, invitation=invitation)
        twice = exc.DuplicateInvitation("asked for twice")
        for one in self.again.get(item.number, ()):
            there = _without_link(invitation)
            self.progress.record(one, State.REFUSED, error=twice, invitation=there)

    def _address(self, number: int) -> str:
        return self.requests[number].email_address.casefold()


def _without_link(invitation: Invitation | None) -> Invitation | None:
    """Return it without what only somebody who has just made it is meant to have."""
    return replace(invitation, url="") if invitation is not None else None


# --- Dividing a refused call ---

#: Parameters that requests share: whatever is wrong with a value is wrong for all that have it.
_SHARED: Final = (
    "role",
    "redirect_url",
    "expires_in_days",
    "notify",
    "public_metadata",
    "private_metadata",
)


def find_named(error: ClerkError, addresses: Mapping[T, str]) -> list[T]:
    """Return the keys of the addresses that a refusal names.

    Clerk names them in ``meta``; only that somebody is a member it says in the text alone.

    :param addresses: as ``casefold`` has them.
    """
    # Other entries are other errors: the next call meets them, if they still stand.
    entries = tuple(entry for entry in error.errors if entry.code == error.code)
    names = {name.casefold() for name in ClerkError(errors=entries).email_addresses}
    if isinstance(error, AlreadyMember) and not names:
        text = error.long_message.casefold()
        return [key for key, address in addresses.items() if _mentions(text, address)]
    return [key for key, address in addresses.items() if address in names]


def _mentions(text: str, address: str) -> bool:
    """Tell whether an address is in a text, and not merely the end or beginning of another one."""
    pattern = rf"(?<![\w.!#$%&'*+/=?^`{{|}}~@-]){re.escape(address)}(?![\w@-]|\.\w)"
    return re.search(pattern, text) is not None


def get_shared_parameter(error: ClerkError) -> str:
    """Return the parameter that a refusal is about, if it is one that many requests share."""
    if isinstance(error, RoleNotFound):
        return "role"
    return error.param_name if error.param_name in _SHARED else ""


def group_by(items: Sequence[T], value: Callable[[T], Any]) -> list[list[T]]:
    """Return the items in groups of equal value, which need not be hashable."""
    groups: list[list[T]] = []
    for item in items:
        group = next((group for group in groups if value(group[0]) == value(item)), None)
        if group is None:
            groups.append([item])
        else:
            group.append(item)
    return groups


def halve(items: Sequence[T]) -> list[list[T]]:
    """Return the first and the second half."""
    middle = len(items) // 2
    return [list(items[:middle]), list(items[middle:])]
