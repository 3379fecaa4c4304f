"""Sending many invitations, ten in a call, with the truth about each.

Clerk refuses all of a call for one address in it, does not document whether it has made the others
all the same, and knows no idempotency key. So what it names is taken out and the rest is tried
again; where it names nobody, in halves. And what may have been made is looked up, never sent twice.

That somebody is invited or a member already is looked up as well, for all of a call together. Where
Clerk shows nobody of the kind, it is not said; and after a few of these nothing more is sent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from ...clerk import ClerkError, Invitation, OrganizationAPI
from ...clerk import exceptions as exc
from ...clerk.exceptions import AlreadyMember, RateLimited, RoleNotFound
from ...clerk.organizations import BULK_SIZE, InvitationRequest
from ...conf import conf
from ...models import Batch, BatchItem
from ...roles import AssignableRoles
from ..limits import Budget
from ..preview import PreviewStatus
from ..reasons import Reason
from .reconcile import Attempt, Match, contradict, find_members, find_rows, find_write, is_empty
from .store import find_taken, get_items, get_mark, record, save_progress, state_after

#: So often Clerk may refuse a call for what it shows not to be so, and so often again where it is
#: known of whom it says that. Each costs a look besides.
MAX_CONTRADICTED: Final = 3


class ResultState(StrEnum):
    """What became of one request."""

    #: The invitation exists.
    SENT = "sent"
    #: It was not made, and will not be unless something changes.
    REFUSED = "refused"
    #: It was not made, and trying again may do.
    FAILED = "failed"
    #: Nobody knows (yet). It must not be sent again before that is known.
    UNSETTLED = "unsettled"
    #: It was not tried, or Clerk said to try later.
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one request, and why."""

    state: ResultState
    #: The one that was made; or, where it is known, the one that stands in the way.
    invitation: Invitation | None = None
    #: Why it was not made; None where it was, where there was no time to try, or where it was
    #: refused because it may not be made any more.
    error: ClerkError | None = None
    #: Seconds until trying again makes sense, where Clerk said so.
    retry_after: int | None = None


def _ignore(_indices: Sequence[int]) -> None:
    pass


def _nothing(_ids: Iterable[str]) -> Collection[str]:
    return ()


def _allow(indices: Sequence[int]) -> Sequence[int]:
    return indices


class Sender:
    """Sends invitations of one organization, as one person."""

    def __init__(
        self,
        api: OrganizationAPI,
        *,
        find_taken: Callable[[Iterable[str]], Collection[str]] = _nothing,
    ) -> None:
        """Prepare.

        :param find_taken: returns those of some invitations, by id, that are known to have been
            made before.
        """
        self.api = api
        self.find_taken = find_taken

    def send(
        self,
        requests: Sequence[InvitationRequest],
        before: Callable[[Sequence[int]], None] = _ignore,
        allow: Callable[[Sequence[int]], Collection[int]] = _allow,
    ) -> Iterator[dict[int, Result]]:
        """Send, and yield what became of each request as soon as that is certain.

        Results are by index into ``requests``; each comes exactly once. Nothing of Clerk's is
        raised. An address that comes twice is sent once, and the second time refused. What the
        deadline that holds leaves no time for waits.

        It takes one call for ten requests and, for each that is refused, at most eight more: two
        for each of the four times that ten can be halved. Besides, invitations are listed after a
        call without an answer, and after one that was refused because one is pending; and members
        after one that was refused because somebody is one. After more than
        :data:`MAX_CONTRADICTED` refusals for what Clerk shows not to be so, the rest waits.

        :param before: called right before each call to Clerk, with the requests in it.
        :param allow: called before that; returns which of them may be made at this moment. Where
            it raises an error of Clerk's, nothing more is sent.
        """
        firsts: dict[str, int] = {}
        again: dict[int, list[int]] = {}
        for index, request in enumerate(requests):
            first = firsts.setdefault(request.email_address.casefold(), index)
            if first != index:
                again.setdefault(first, []).append(index)
        for results in _Run(self, requests, firsts.values(), before, allow).work():
            for index in list(results):
                for other in again.get(index, ()):
                    results[other] = _again(results[index])
            yield results


def _again(result: Result) -> Result:
    """Return what becomes of an address that is there a second time."""
    if result.state is not ResultState.SENT:
        return result
    invitation = _without_link(result.invitation)
    error = exc.DuplicateInvitation("asked for twice")
    return Result(ResultState.REFUSED, invitation=invitation, error=error)


class _Run:
    """One pass over the requests. A request is open until it has a result."""

    def __init__(
        self,
        sender: Sender,
        requests: Sequence[InvitationRequest],
        indices: Iterable[int],
        before: Callable[[Sequence[int]], None],
        allow: Callable[[Sequence[int]], Collection[int]],
    ) -> None:
        self.api = sender.api
        self.find_taken = sender.find_taken
        self.requests = requests
        self.before = before
        self.allow = allow
        self.open = dict.fromkeys(indices)
        #: Open ones that were in a refused call with others. Unless Clerk does all or nothing, it
        #: may have made them.
        self.doubtful: set[int] = set()
        self.results: dict[int, Result] = {}
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

    def work(self) -> Iterator[dict[int, Result]]:
        indices = list(self.open)
        for start in range(0, len(indices), BULK_SIZE):
            calls = [indices[start : start + BULK_SIZE]]
            while calls:
                # What ends the work closes all that is open, so that nothing is left to call.
                call = [index for index in calls.pop() if index in self.open]
                if call:
                    # Depth first and in order: where seats run out, the first ones get them.
                    calls += reversed(self._try(call))
                if self.results:
                    yield self.results
                    self.results = {}

    def _try(self, call: list[int]) -> list[list[int]]:
        """Make one call, and return those to make next, in order."""
        if not self.api.client.has_time():
            self._end(ResultState.WAITING)
            return []
        try:
            allowed = self.allow(tuple(call))
        except ClerkError as error:
            waits = isinstance(error, exc.NO_ANSWER)
            self._end(ResultState.WAITING if waits else _state_after(error), error)
            return []
        self._refuse(index for index in call if index not in allowed)
        call = [index for index in call if index in self.open]
        if not call:
            return []
        for index in call:
            self.attempts.setdefault(index, Attempt.of_request(self.requests[index]))
        self.before(tuple(call))
        try:
            made = self._post(call)
        except ClerkError as error:
            return self._after_error(call, error)
        for index, invitation in made.items():
            self._close([index], ResultState.SENT, invitation=invitation)
        if missing := [index for index in call if index in self.open]:
            self._settle_missing(missing)
        return []

    def _refuse(self, indices: Iterable[int]) -> None:
        """Close what may not be made any more; what may have been made is looked up before."""
        refused = set(indices)
        if lost := refused & self.doubtful:
            failure = self._look_up(lost)
            if failure is not None:
                self._close(lost, ResultState.UNSETTLED, failure)
        self._close(refused, ResultState.REFUSED)

    def _post(self, call: list[int]) -> dict[int, Invitation]:
        requests = [self.requests[index] for index in call]
        if len(requests) == 1:
            # It has an hourly budget of its own, and tells exactly what is wrong.
            return {call[0]: self.api.invite_member(requests[0])}
        rows = {row.email_address.casefold(): row for row in self.api.invite_members(requests)}
        return {index: rows[self._address(index)] for index in call if self._address(index) in rows}

    # --- No answer, or one that ends it all -------------------------------------------------

    def _after_error(self, call: list[int], error: ClerkError) -> list[list[int]]:
        if error.may_have_happened:
            absent = ResultState.UNSETTLED if error.may_be_under_way else ResultState.FAILED
            self._end(ResultState.WAITING, error, call=call, state=absent, lost=call)
        elif isinstance(error, exc.TransportError) and not isinstance(error, exc.DeadlineExceeded):
            self._end(ResultState.WAITING, error, call=call, state=ResultState.FAILED)
        elif error.concerns_all:
            self._end(_state_after(error), error)
        elif isinstance(error, exc.QuotaExceeded) and len(call) == 1:
            self._end(_state_after(error), error)  # seats only become fewer
        else:
            return self._divide(call, error)
        return []

    def _end(
        self,
        rest: ResultState,
        error: ClerkError | None = None,
        *,
        call: Iterable[int] = (),
        state: ResultState | None = None,
        lost: Iterable[int] = (),
    ) -> None:
        """Send nothing more: ``call`` becomes ``state``, and all else that is open ``rest``.

        What may have been made, in a ``lost`` call or a refused one, is looked up before that.
        """
        doubtful = self.doubtful | set(lost)
        failure = self._look_up(doubtful) if doubtful else None
        if failure is not None:
            because = error if error is not None and error.may_have_happened else failure
            self._close(doubtful, ResultState.UNSETTLED, because)
        if state is not None:
            self._close(call, state, error)
        self._close(list(self.open), rest, error)

    def _settle_missing(self, missing: list[int]) -> None:
        # Clerk said yes to them and then left them out: whatever that means, do not send again.
        error = exc.InvalidResponse("not in the answer")
        failure = self._look_up(missing)
        self._close(missing, ResultState.UNSETTLED, error)
        if failure is not None:
            self._close(self.doubtful, ResultState.UNSETTLED, failure)
            self._close(list(self.open), ResultState.WAITING, failure)

    # --- Refused: for whom of them? ---------------------------------------------------------

    def _divide(self, call: list[int], error: ClerkError) -> list[list[int]]:
        """Close those for whom a call was refused, and return the calls for the others."""
        named = find_named(error, {index: self._address(index) for index in call})
        # Whom Clerk says it of.
        told = named or (call if len(call) == 1 else [])
        doubtful = not self.doubtful.isdisjoint(call)
        looked = False
        untrue: Collection[int] = ()
        if isinstance(error, exc.DuplicateInvitation):
            before = {} if doubtful else dict.fromkeys(told, error)
            failure = self._look_up(call, before)
            if failure is not None and doubtful:
                self._close(self.doubtful, ResultState.UNSETTLED, failure)
                self._close(list(self.open), ResultState.WAITING, failure)
                return []
            looked = failure is None
            untrue = self.absent.intersection(told or call) if looked else ()
        elif isinstance(error, exc.AlreadyMember):
            members = self._find_members(told or call)
            named = named or [index for index in call if self._address(index) in (members or ())]
            untrue = () if members is None or members else (told or call)
        if len(call) > 1 and not looked:
            self.doubtful.update(call)
        is_untrue = bool(untrue) and (bool(told) or len(untrue) == len(call))
        contrary = contradict(error) if is_untrue else error
        if told:
            self._close(untrue, _state_after(contrary), contrary)
        self._close(named, _state_after(error), error)
        self.contradicted[bool(told)] += is_untrue
        if max(self.contradicted.values()) > MAX_CONTRADICTED:
            self._end(ResultState.WAITING, contrary, call=call, state=_state_after(contrary))
            return []
        left = [index for index in call if index in self.open]
        if len(left) < len(call):
            return [left]
        if parameter := get_shared_parameter(error):
            return self._by_value(call, parameter, error)
        if len(call) == 1:
            self._close(call, _state_after(error), error)
            return []
        return halve(call)

    def _by_value(self, call: list[int], parameter: str, error: ClerkError) -> list[list[int]]:
        """Divide a call by the values of what Clerk complains about."""

        def value(index: int) -> Any:
            return getattr(self.requests[index], parameter)

        groups = group_by(call, value)
        if len(groups) == 1:
            wrong = value(call[0])
            alike = [index for index in self.open if value(index) == wrong]
            self._close(alike, _state_after(error), error)
            return []
        return [[index for group in half for index in group] for half in halve(groups)]

    # --- What is there, and what is known ---------------------------------------------------

    def _look_up(
        self, indices: Iterable[int], before: Mapping[int, ClerkError] | None = None
    ) -> ClerkError | None:
        """Close those of these, and of the doubtful ones, of whom something was made.

        Return the error where Clerk cannot be asked.

        :param before: what Clerk has just said of those who had one before the call.
        """
        before = before or {}
        asked = [index for index in {*indices, *self.doubtful} if index in self.open]
        try:
            rows, is_whole = find_rows(
                self.api, {self._address(index) for index in asked}, since=self.started
            )
        except ClerkError as error:
            return error
        taken = self.find_taken([row.id for found in rows.values() for row in found])
        self.absent.clear()
        for index in asked:
            found = rows.get(self._address(index), ())
            pending = next((row for row in found if row.is_pending), None)
            if pending is None and is_whole:
                self.absent.add(index)
            match, invitation = find_write(self.attempts[index], found, taken)
            if index in before and not (invitation is not None and invitation.mark):
                match, invitation = Match.OTHER, pending  # which the call cannot have made
            if invitation is None:
                continue
            if match is Match.OURS:
                self._close([index], ResultState.SENT, invitation=invitation)
            elif match is Match.UNCLEAR:
                unclear = exc.InvalidResponse("it may have been there before")
                self._close([index], ResultState.UNSETTLED, unclear)
            else:
                earlier = before.get(index, exc.DuplicateInvitation("invited before"))
                invitation = _without_link(invitation)
                self._close([index], ResultState.REFUSED, earlier, invitation=invitation)
        self.doubtful.clear()
        return None

    def _find_members(self, indices: Iterable[int]) -> set[str] | None:
        """Return what members among these are called, which need not be an address of theirs.

        None where Clerk cannot be asked.
        """
        asked = set(indices)
        if asked <= self.strangers:
            return set()
        try:
            page = find_members(self.api, [self._address(index) for index in asked])
        except ClerkError:
            return None
        if is_empty(page):
            self.strangers |= asked
            return set()
        return {row.user.identifier.casefold() for row in page.data if row.user} or {""}

    def _close(
        self,
        indices: Iterable[int],
        state: ResultState,
        error: ClerkError | None = None,
        *,
        invitation: Invitation | None = None,
    ) -> None:
        waits = state is ResultState.WAITING
        retry_after = error.retry_after if waits and isinstance(error, exc.RateLimited) else None
        for index in tuple(indices):
            if index in self.open:
                del self.open[index]
                self.doubtful.discard(index)
                self.results[index] = Result(state, invitation, error, retry_after)

    def _address(self, index: int) -> str:
        return self.requests[index].email_address.casefold()


def _state_after(error: ClerkError) -> ResultState:
    """Return what becomes of a request that was answered with this error, and not carried out."""
    return ResultState(state_after(error))


def _without_link(invitation: Invitation | None) -> Invitation | None:
    """Return it without what only somebody who has just made it is meant to have."""
    return replace(invitation, url="") if invitation is not None else None


# --- Dividing a refused call ---

T = TypeVar("T")

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


# --- The batch ---

State = BatchItem.State

_STATES: Final = {
    ResultState.SENT: State.DONE,
    ResultState.REFUSED: State.REFUSED,
    ResultState.FAILED: State.FAILED,
    ResultState.UNSETTLED: State.UNSETTLED,
    ResultState.WAITING: State.WAITING,
}


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


class BatchSender:
    """Sends the items of one batch that wait and are meant for this request."""

    def __init__(
        self,
        api: OrganizationAPI,
        batch: Batch,
        *,
        roles: AssignableRoles,
        get_metadata: Callable[[BatchItem], Mapping[str, Any]],
        announce: Callable[[Invitation], None],
        budget: Budget,
        ask_again: Callable[[], AssignableRoles],
    ) -> None:
        """Prepare.

        :param roles: what the person may grant at this moment; anything else is refused here.
        :param ask_again: returns that, asked anew; called before every call but the first, and
            raises an error of Clerk's where the person may not invite any more.
        :param get_metadata: returns the metadata of an item's invitation, as
            :class:`InvitationRequest` takes them.
        :param announce: called with each invitation that was made.
        :param budget: counts the calls for a single address: they have an hourly limit of theirs.
        """
        self.api = api
        self.batch = batch
        self.roles = roles
        self.get_metadata = get_metadata
        self.announce = announce
        self.budget = budget
        self.ask_again = ask_again
        self._is_single = False
        #: Whether Clerk said that the person may not invite.
        self.was_denied = False

    def run(self) -> list[BatchItem]:
        """Send, and return all items of the batch as they are afterwards."""
        items = get_items(self.batch)
        waiting = [i for i in items if i.state == State.WAITING and i.reason != PreviewStatus.LATER]
        granted = [item for item in waiting if item.role in self.roles]
        refused = [item for item in waiting if item.role not in self.roles]
        for item in refused:
            record(item, State.REFUSED, Reason(str(PreviewStatus.ROLE_NOT_GRANTED)))
        save_progress(self.batch, refused, is_running=True)
        try:
            self._send(granted)
        finally:
            # Whoever asks after a crash need not wait until this counts as dead.
            save_progress(self.batch, [], is_running=False)
        return items

    def _send(self, items: Sequence[BatchItem]) -> None:
        begun: set[int] = set()
        is_first = True

        def allow(indices: Sequence[int]) -> Sequence[int]:
            nonlocal is_first
            if not is_first:  # then the request has just asked
                self.roles = self.ask_again()
            is_first = False
            return [index for index in indices if items[index].role in self.roles]

        def before(indices: Sequence[int]) -> None:
            self._is_single = len(indices) == 1
            # Should the process die in the call, this is how the next one knows of it.
            touched = [record(items[index], State.UNDER_WAY) for index in indices]
            for index in indices:
                if index not in begun:  # a call that was refused may have made it
                    items[index].attempt = Attempt.of_request(requests[index]).as_json()
            begun.update(indices)
            save_progress(self.batch, touched, is_running=True)

        sender = Sender(self.api, find_taken=find_taken)
        requests = [make_request(self.batch, item, **self.get_metadata(item)) for item in items]
        for results in sender.send(requests, before, allow):
            touched = [self._settle(items[index], result) for index, result in results.items()]
            save_progress(self.batch, touched, is_running=True)
            self._count(results.values())
            for result in results.values():
                if result.state is ResultState.SENT and result.invitation is not None:
                    self.announce(result.invitation)

    def _count(self, results: Collection[Result]) -> None:
        if self._is_single:
            for result in results:
                if result.state is ResultState.SENT:
                    self.budget.note_sent()
        # One answer of Clerk's may be about all that is left.
        for error in {result.error for result in results}:
            if isinstance(error, RateLimited):
                self.budget.note_refused(error)

    def _settle(self, item: BatchItem, result: Result) -> BatchItem:
        reason = None
        if result.error is not None:
            reason = Reason.of_error(result.error, result.invitation)
            self.was_denied = self.was_denied or reason.name == "PermissionDenied"
        elif result.state is ResultState.REFUSED:
            reason = Reason(str(PreviewStatus.ROLE_NOT_GRANTED))
        sent = result.invitation if result.state is ResultState.SENT else None
        return record(
            item,
            _STATES[result.state],
            reason,
            invitation_id=sent.id if sent is not None else "",
        )
