"""Sending many invitations, ten in a call, with the truth about each.

Clerk refuses all of a call for one address in it, does not document whether it has made the others
all the same, and knows no idempotency key. So what it names is taken out and the rest is tried
again; where it names nobody, in halves. And what may have been made is looked up, never sent twice.

That somebody is invited or a member already is looked up as well, for all of a call together. Where
Clerk shows nobody of the kind, it is not said; and after a few of these nothing more is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from ..clerk import ClerkError, Invitation, OrganizationAPI
from ..clerk import exceptions as exc
from ..clerk.organizations import BULK_SIZE, InvitationRequest
from .batches.reconcile import Attempt, Match, find_rows, find_write
from .batches.store import state_after
from .dividing import find_named, get_shared_parameter, group_by, halve
from .refusals import contradict, find_members, is_empty

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
