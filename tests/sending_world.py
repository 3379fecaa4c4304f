"""A Clerk of a few lines, fast enough for every subset of failures, and a judge of what was sent.

It holds an organization's pending invitations and counts mails. Which addresses it refuses, how,
whether its bulk call is all or nothing, and which calls go wrong is ordered.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from org_invitations.clerk import (
    Invitation,
    InvitationStatus,
    Membership,
    Organization,
    OrganizationAPI,
    Page,
)
from org_invitations.clerk import exceptions as exc
from org_invitations.clerk.errors import error_from_response
from org_invitations.clerk.organizations import BULK_SIZE, InvitationRequest
from org_invitations.clerk.resources import PublicUserData
from org_invitations.models import Batch, BatchItem
from org_invitations.services.batches.invite import InviteWorker
from org_invitations.services.batches.runner import Progress, Runner

State = BatchItem.State
SENT, REFUSED, FAILED, UNSETTLED, WAITING = (
    *(State.DONE, State.REFUSED, State.FAILED, State.UNSETTLED, State.WAITING),
)

USER = "user_ada"
GONE_ROLE = "org:gone"

Refusal = Callable[[Sequence[str]], exc.ClerkError]


def refusal(status: int, code: str, *, text: str = "", meta: str = "", value: str = "") -> Refusal:
    """Return what Clerk says of addresses: their names in ``meta``, in the text, or nowhere."""

    @cache
    def error(addresses: tuple[str, ...]) -> exc.ClerkError:
        names = {meta: value or list(addresses)} if meta else None
        entry = {"code": code, "message": code, "long_message": text.format(addresses[0])}
        return error_from_response(status, {"errors": [entry | ({"meta": names} if meta else {})]})

    return lambda addresses: error(tuple(addresses))


def unnamed(status: int, code: str, text: str = "", param_name: str = "") -> Refusal:
    """Return what Clerk says without naming anybody."""
    meta = "param_name" if param_name else ""
    error = refusal(status, code, text=text, meta=meta, value=param_name)([""])
    return lambda _addresses: error


#: How an address can be refused, in the order in which Clerk is taken to look.
KINDS: dict[str, Refusal] = {
    "format named": refusal(422, "form_param_format_invalid", meta="email_addresses"),
    "format": unnamed(422, "form_param_format_invalid", "", "email_address"),
    "role": unnamed(404, "resource_not_found", "Organization role not found", "role"),
    "blocked named": refusal(403, "not_allowed_access", meta="identifiers"),
    "blocked": unnamed(403, "not_allowed_access"),
    "member named": refusal(400, "already_a_member_in_organization", text="{} is a member."),
    "member": unnamed(400, "already_a_member_in_organization", "User user_2x is a member."),
    "exclusive": unnamed(422, "exclusive_organization_membership"),
    "unknown": unnamed(418, "never_heard_of"),
    "invalid": unnamed(400, "request_body_invalid"),
    "not found": unnamed(404, "resource_not_found", "It is not there."),
    "pending named": refusal(400, "duplicate_record", meta="email_addresses"),
    "pending": unnamed(400, "organization_invitation_not_unique"),
    "quota": unnamed(403, "organization_membership_quota_exceeded"),
}

#: Those an address can be made to have; seats belong to nobody.
ADDRESS_KINDS = tuple(kind for kind in KINDS if kind != "quota")

#: Whether a refused bulk call makes none, those before the first refused one, or all it can.
ATOMICITIES = ("nothing", "before", "good")

#: What ends a call without an answer of Clerk's.
LOSSES: dict[str, Callable[[], exc.ClerkError]] = {
    "broken": exc.ConnectionBroken,
    "timeout": exc.Timeout,
    "garbage": exc.InvalidResponse,
    "500": lambda: exc.ServiceUnavailable(status=500),
    "503": lambda: exc.ServiceUnavailable(status=503),
}

#: What Clerk says of a call as a whole, or what keeps it from getting there.
STOPS: dict[str, Callable[[], exc.ClerkError]] = {
    "unreachable": exc.ConnectionFailed,
    "429": lambda: exc.RateLimited(status=429),
    "429 wait": lambda: exc.RateLimited(status=429, retry_after=77),
    "denied": lambda: exc.PermissionDenied(status=403),
    "unauthorized": lambda: exc.Unauthorized(status=401),
    "unsupported": lambda: exc.InvitationsNotSupported(status=403),
    "organization": lambda: exc.OrganizationNotFound(status=404),
    "migration": lambda: exc.RoleMigrationInProgress(status=409),
    "development": lambda: exc.DevelopmentLimit(status=400),
    "locked": lambda: exc.ResourceLocked(status=409),
    "identifier": exc.InvalidIdentifier,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one call: an error instead of an answer, and whether it takes effect."""

    error: Callable[[], exc.ClerkError]
    #: "none"; "all": all that it can have; "half": the first half of the call; "late": all, but
    #: only after everything else.
    effect: str = "none"


@cache
def address(index: int) -> str:
    return f"Person{index}@Example.org"


@cache
def request(index: int, role: str = "org:member") -> InvitationRequest:
    return InvitationRequest(address(index), role, USER, mark=f"{index:032x}")


class World(OrganizationAPI):
    """The organization, as Clerk has it."""

    def __init__(
        self,
        kinds: Mapping[int, str] | None = None,
        *,
        atomicity: str = "nothing",
        faults: Mapping[int, Fault] | None = None,
        list_faults: Mapping[int, Callable[[], exc.ClerkError]] | None = None,
        seats: int | None = None,
        time_for: int | None = None,
        hidden: Iterable[int] = (),
        tells_marks: bool = True,
    ) -> None:
        """Order a world.

        :param kinds: the refused addresses by number, and how.
        :param faults: by the number of the call that invites, from 0.
        :param list_faults: by the number of the listing, from 0.
        :param hidden: of whom Clerk says that they are there, and does not show it.
        :param tells_marks: whether answers have the private metadata, and with it the marks.
        """
        self.kinds = {address(i).casefold(): kind for i, kind in (kinds or {}).items()}
        self.atomicity = atomicity
        self.faults = faults or {}
        self.list_faults = list_faults or {}
        self.seats = seats
        self.tells_marks = tells_marks
        self.now = datetime.now(UTC)
        self.pending: dict[str, Invitation] = {}
        self.mails: Counter[str] = Counter()
        self.calls: list[tuple[str, ...]] = []
        self.listings = self.member_looks = 0
        self.hidden = {address(i).casefold() for i in hidden}
        self.late: list[Sequence[InvitationRequest]] = []
        #: After so many calls the time is over.
        self.time_for = time_for
        self.client: Any = self
        for name, kind in self.kinds.items():
            if kind.startswith("pending") and name not in self.hidden:
                old = self.now - timedelta(days=3)
                self.pending[name] = self.invitation(name, "org:member", "user_else", old)

    @staticmethod
    def invitation(
        name: str, role: str, inviter: str, created_at: datetime, mark: str | None = ""
    ) -> Invitation:
        return Invitation(
            id=f"orginv_{name}",
            email_address=name,
            role=role,
            role_name=role,
            status=InvitationStatus.PENDING,
            inviter_id=inviter,
            created_at=created_at,
            url="https://secret.example/",
            mark=mark,
        )

    # --- What the sender calls

    def has_time(self, writes: int = 1, *, after: float = 0.0) -> bool:
        return self.time_for is None or len(self.calls) + writes <= self.time_for

    def invite_member(self, request: InvitationRequest) -> Invitation:
        return self.call([request])[0]

    def invite_members(self, requests: Sequence[InvitationRequest]) -> tuple[Invitation, ...]:
        assert 2 <= len(requests) <= BULK_SIZE
        return tuple(self.call(requests))

    def get_invitations(self, **order: Any) -> Page[Invitation]:
        address = order.pop("email_address", None)
        limits = {"limit": 500, "offset": 0} if address is None else {"limit": 100}
        assert order == {"status": None, "order_by": "-created_at"} | limits
        number, self.listings = self.listings, self.listings + 1
        if number in self.list_faults:
            raise self.list_faults[number]()
        rows = sorted(self.pending.values(), key=lambda row: row.created_at or self.now)
        if address is not None:
            rows = [row for row in rows if row.email_address.casefold() == address.casefold()]
        return Page(tuple(reversed(rows)), len(rows))

    def get_memberships(self, *, email_address: Sequence[str], limit: int) -> Page[Membership]:  # type: ignore[override]
        assert limit == len(email_address) <= BULK_SIZE
        self.member_looks += 1
        rows = [
            self.membership(name)
            for name in email_address
            if self.kinds.get(name, "").startswith("member") and name not in self.hidden
        ]
        return Page(tuple(rows), len(rows))

    @staticmethod
    def membership(name: str) -> Membership:
        user = PublicUserData(f"user_{name}", identifier=f"user-name-of-{name}")
        organization = Organization("org_x", "Acme")
        return Membership(f"orgmem_{name}", "org:member", "Member", frozenset(), organization, user)

    # --- What it does

    def call(self, requests: Sequence[InvitationRequest]) -> list[Invitation]:
        number = len(self.calls)
        self.calls.append(tuple(r.email_address for r in requests))
        fault = self.faults.get(number)
        if fault is None:
            return self.invite(requests)
        if fault.effect == "late":
            self.late.append(requests)
        elif fault.effect != "none":
            half = fault.effect == "half"
            with contextlib.suppress(exc.ClerkError):
                self.invite(requests[: len(requests) // 2] if half else requests)
        raise fault.error()

    def invite(self, requests: Sequence[InvitationRequest]) -> list[Invitation]:
        error = self.error_for(requests)
        if error is None:
            return [self.make(r) for r in requests]
        if self.atomicity != "nothing" and len(requests) > 1:
            for r in requests:
                if self.error_for([r]) is None:
                    self.make(r)
                elif self.atomicity == "before":
                    break
        raise error.with_traceback(None)  # one error is many, and would collect all of theirs

    def make(self, r: InvitationRequest) -> Invitation:
        name = r.email_address.casefold()
        assert name not in self.pending
        self.mails[name] += 1
        mark = r.sent_mark if self.tells_marks else None
        self.pending[name] = self.invitation(
            r.email_address, r.role, r.inviter_user_id, datetime.now(UTC), mark
        )
        return self.pending[name]

    def error_for(self, requests: Sequence[InvitationRequest]) -> exc.ClerkError | None:
        bad: dict[str, list[str]] = {}
        for r in requests:
            name = r.email_address.casefold()
            kind = self.kinds.get(name)
            if kind is None and name in self.pending:
                kind = "pending named"
            if kind is not None:
                bad.setdefault(kind, []).append(r.email_address)
        if bad:
            first = next(kind for kind in KINDS if kind in bad) if len(bad) > 1 else next(iter(bad))
            return KINDS[first](bad[first])
        if self.seats is not None and len(self.pending) + len(requests) > self.seats:
            return KINDS["quota"]([""])
        return None

    def finish(self) -> None:
        """Let what Clerk was still at work on take effect."""
        for requests in self.late:
            for r in requests:
                if self.error_for([r]) is None:
                    self.make(r)


@pytest.fixture(autouse=True)
def nothing_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let none of the invitations be known from before, without a database to ask."""
    monkeypatch.setattr("org_invitations.services.batches.invite.find_taken", lambda _ids: set())


# --- The judge ----------------------------------------------------------------------------------


def bound(count: int, bad: int) -> int:
    """How many calls may be made for ``bad`` refused ones among ``count``."""
    return -(-count // BULK_SIZE) + 2 * bad * 4


class Everything:
    """Roles that hold every role there is."""

    def __contains__(self, key: object) -> bool:
        return True


class Uncounted:
    """A ledger that counts nothing."""

    @contextlib.contextmanager
    def calling(self, limit: str, addresses: int = 1) -> Iterator[None]:
        yield


class Kept(Progress):
    """Progress that is kept nowhere, and holds what is promised of it."""

    def __init__(self, calls: Sequence[Any] | None = None) -> None:
        super().__init__(Batch(), "me")
        #: Who was said to be under way, call by call.
        self.announced: list[tuple[str, ...]] = []
        #: What was settled, save by save.
        self.settled: list[dict[int, str]] = []
        self.calls = calls

    def finish(self) -> None:
        self.save()

    def begin(self) -> None:
        self.save()

    def save(self) -> None:
        changed, self._changed = list(self._changed.values()), {}
        under_way = [item for item in changed if item.state == State.UNDER_WAY]
        if under_way:
            assert self.calls is None or len(self.announced) == len(self.calls)
            self.announced.append(tuple(item.email_address for item in under_way))
        settled = {i.number: i.state for i in changed if i.state not in (State.UNDER_WAY, WAITING)}
        before = {number for part in self.settled for number in part}
        assert before.isdisjoint(item.number for item in changed)
        if settled:
            self.settled.append(settled)


def prepare(
    api: Any, requests: Sequence[InvitationRequest], progress: Progress, **options: Any
) -> tuple[list[BatchItem], InviteWorker]:
    """Return an item for each request, and what sends them."""
    items = [
        BatchItem(number=number, email_address=request.email_address, role=request.role)
        for number, request in enumerate(requests)
    ]
    ledger: Any = Uncounted()
    options.setdefault("roles", Everything())
    pairs = list(zip(items, requests, strict=True))
    return items, InviteWorker(api, pairs, progress, ledger=ledger, **options)


def send(
    api: Any,
    requests: Sequence[InvitationRequest],
    progress: Progress | None = None,
    **options: Any,
) -> dict[int, BatchItem]:
    """Send, and return the items by their numbers."""
    progress = progress or Kept()
    items, worker = prepare(api, requests, progress, **options)
    ask_again: Any = Everything
    Runner(worker, progress, client=api.client, ask_again=ask_again).run()
    return {item.number: item for item in items}


def run(world: World, count: int) -> dict[int, BatchItem]:
    """Send to ``count`` addresses; check what holds whatever happens."""
    requests = [
        request(i, GONE_ROLE) if world.kinds.get(address(i).casefold()) == "role" else request(i)
        for i in range(count)
    ]
    progress = Kept(world.calls)
    results = send(world, requests, progress)
    world.finish()
    assert progress.announced == world.calls
    judge(world, count, results)
    return results


def judge(world: World, count: int, results: Mapping[int, BatchItem]) -> None:
    """Nothing is lost, nobody is mailed twice, and each result is the truth."""
    assert len(results) == count
    assert all(mails == 1 for mails in world.mails.values())
    for index, result in results.items():
        name = address(index).casefold()
        if result.state is SENT:
            assert name in world.mails
            assert result.invitation is not None
            assert result.invitation.email_address.casefold() == name
            assert result.error is None
        elif result.state is UNSETTLED:
            assert result.error is not None
        else:
            assert name not in world.mails
            assert result.invitation is None or not result.invitation.url


def judge_without_faults(world: World, count: int, results: Mapping[int, BatchItem]) -> None:
    """Where Clerk answers every call, all good ones go out, the others are told why, in time."""
    for index, result in results.items():
        kind = world.kinds.get(address(index).casefold())
        if kind is None:
            assert result.state is SENT
        else:
            assert result.state is REFUSED
            assert type(result.error) is type(KINDS[kind]([address(index)]))
    assert len(world.calls) <= bound(count, len(world.kinds))
    assert world.listings <= -(-count // BULK_SIZE) + len(world.kinds) * (
        world.atomicity == "before"
    )


def subsets(count: int, kind: str) -> Iterator[dict[int, str]]:
    """Every subset of ``count`` addresses; "mixed" gives each of it one kind of all."""
    for mask in range(1 << count):
        yield chosen(mask, count, kind)


def chosen(mask: int, count: int, kind: str) -> dict[int, str]:
    bad = [index for index in range(count) if mask >> index & 1]
    if kind != "mixed":
        return dict.fromkeys(bad, kind)
    return {i: ADDRESS_KINDS[(mask * 7919 + i * 104729) % len(ADDRESS_KINDS)] for i in bad}
