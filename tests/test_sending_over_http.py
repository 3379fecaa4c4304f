"""Sending many over a socket, to a Clerk that keeps a mailbox: who was mailed is what counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from org_invitations.clerk import ClerkClient, OrganizationAPI
from org_invitations.clerk import exceptions as exc
from org_invitations.clerk.organizations import InvitationRequest
from org_invitations.emulator import Emulator, EmulatorServer
from org_invitations.models import BatchItem
from tests.gates import gate, impatient
from tests.sending_world import FAILED, REFUSED, SENT, UNSETTLED, WAITING, nothing_before, send

__all__ = ["nothing_before"]  # a fixture

INVITE = "/v1/organizations/*/invitations*"
COUNT = 12


@dataclass
class Post:
    """One person who sends, and the mailbox in which it shows."""

    emulator: Emulator
    api: OrganizationAPI

    def start(self, **settings: Any) -> None:
        """Begin with a new instance and its settings."""
        self.emulator.reset()
        self.emulator.configure(rate_limits=False)
        self.emulator.configure(**settings)
        self.earlier = set(self.emulator.state.mails)
        self.user_id = self.emulator.user("ada@acme.test").id

    def requests(self, count: int = COUNT) -> list[InvitationRequest]:
        return [
            InvitationRequest(f"Person{i}@Example.org", "org:member", self.user_id)
            for i in range(count)
        ]

    def send(
        self,
        requests: Sequence[InvitationRequest],
        *,
        afterwards: Callable[[], None] | None = None,
    ) -> dict[int, BatchItem]:
        """Send, do what is to happen afterwards, and hold what is told against the mailbox."""
        results = send(self.api, requests)
        assert sorted(results) == list(range(len(requests)))
        if afterwards is not None:
            afterwards()
        mailed = self.mailed()
        assert set(mailed.values()) <= {1}
        for index, result in results.items():
            if result.state is not UNSETTLED:
                was_mailed = requests[index].email_address.casefold() in mailed
                assert was_mailed == (result.state is SENT)
        assert set(mailed) <= {request.email_address.casefold() for request in requests}
        return results

    def mailed(self) -> Counter[str]:
        mails = self.emulator.state.mails
        return Counter(mail.to.casefold() for id_, mail in mails.items() if id_ not in self.earlier)

    @property
    def calls(self) -> list[str]:
        """What was asked, in short: "bulk 10", "one", "list"."""
        kinds = []
        for call in self.emulator.requests:
            if call.method == "GET":
                kinds.append("list")
            else:
                kinds.append(f"bulk {len(call.body)}" if isinstance(call.body, list) else "one")
        return kinds

    @property
    def sends(self) -> int:
        return sum(call != "list" for call in self.calls)


@pytest.fixture
def post(clerk_emulator_server: EmulatorServer) -> Iterator[Post]:
    emulator = clerk_emulator_server.emulator
    client = ClerkClient(emulator.secret_key, api_url=clerk_emulator_server.url)
    post = Post(emulator, OrganizationAPI(client, emulator.organization("acme").id))
    post.start()
    yield post
    client.close()


def states(results: dict[int, BatchItem]) -> list[str]:
    return [results[index].state for index in sorted(results)]


def as_refused(refused: dict[int, BatchItem]) -> dict[int, type]:
    return {i: type(r.error) for i, r in refused.items() if r.state is REFUSED}


# --- Everyday --------------------------------------------------------------------------------


def test_a_hundred_go_in_ten_calls_within_the_limit_of_an_hour(post: Post) -> None:
    post.start(rate_limits=True, organizations={"acme": {"max_allowed_memberships": 0}})
    assert states(post.send(post.requests(100))) == [SENT] * 100
    assert post.calls == ["bulk 10"] * 10
    assert len(post.mailed()) == 100


def test_who_is_to_get_no_mail_gets_a_link_and_none(post: Post) -> None:
    requests = [replace(request, notify=False) for request in post.requests(3)]
    results = send(post.api, requests)
    assert states(results) == [SENT] * 3
    assert all(result.invitation and result.invitation.url for result in results.values())
    assert post.mailed() == {}


# --- Every kind of refusal -------------------------------------------------------------------

PENDING = "no.expiry@harbour.example"
MEMBER = "max@acme.test"
MEMBER_ELSEWHERE = "gus@globex.test"
BLOCKED = "eve@bad.example"

REFUSALS: dict[str, tuple[dict[str, Any], dict[str, Any], type[exc.ClerkError]]] = {
    "pending, named": ({}, {"email_address": PENDING}, exc.DuplicateInvitation),
    "pending, not named": (
        {"bulk_duplicate_code": "organization_invitation_not_unique"},
        {"email_address": PENDING},
        exc.DuplicateInvitation,
    ),
    "pending, by the other code": (
        {"single_duplicate_code": "duplicate_record"},
        {"email_address": PENDING},
        exc.DuplicateInvitation,
    ),
    "member, named": ({}, {"email_address": MEMBER}, exc.AlreadyMember),
    "member, by id": (
        {"member_error_names": "user_id"},
        {"email_address": MEMBER},
        exc.AlreadyMember,
    ),
    "blocked": (
        {"blocked_domains": ["bad.example"]},
        {"email_address": BLOCKED},
        exc.AddressNotAllowed,
    ),
    "no address, named": ({}, {"email_address": "nobody@nowhere"}, exc.InvalidEmailAddress),
    "no address, not named": (
        {"bulk_format_meta": "param_name"},
        {"email_address": "nobody@nowhere"},
        exc.InvalidEmailAddress,
    ),
    "a role of another set": ({}, {"role": "org:guest"}, exc.RoleNotFound),
    "a role of another set, the older way": (
        {"role_error": "form_param_value_invalid"},
        {"role": "org:guest"},
        exc.RoleNotFound,
    ),
    "member elsewhere": (
        {"exclusive_membership": True},
        {"email_address": MEMBER_ELSEWHERE},
        exc.ExclusiveMembership,
    ),
    "a bad redirect": ({}, {"redirect_url": "/here"}, exc.InvalidParameter),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_one_is_refused_and_the_others_still_go(post: Post, refusal: str, atomic: bool) -> None:
    settings, change, error = REFUSALS[refusal]
    for position in (4, 11):
        post.start(bulk_atomic=atomic, **settings)
        requests = post.requests()
        requests[position] = replace(requests[position], **change)
        results = post.send(requests)
        assert as_refused(results) == {position: error}
        assert [i for i in results if results[i].state is SENT] == [
            i for i in range(COUNT) if i != position
        ]
        assert post.sends <= 2 + 8


@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.parametrize("error", ["organization_membership_quota_exceeded", "insufficient_seats"])
def test_as_many_go_as_there_are_seats(post: Post, error: str, atomic: bool) -> None:
    used = len(post.emulator.invitations("acme", "pending")) + len(
        post.emulator.state.members_of(post.api.organization_id)
    )
    for seats in (0, 1, 7, 10, 11, 12):
        limit = {"acme": {"max_allowed_memberships": used + seats}}
        post.start(organizations=limit, quota_error=error, bulk_atomic=atomic)
        results = post.send(post.requests())
        assert states(results) == [SENT] * seats + [REFUSED] * (COUNT - seats)
        assert {type(r.error) for r in results.values() if r.error} <= {exc.QuotaExceeded}


def test_who_may_no_longer_invite_is_told_so_after_one_call(post: Post) -> None:
    change = {"organization": "acme", "user": "ada@acme.test", "role": "org:member"}
    post.start(memberships=[change])
    results = post.send(post.requests(30))
    assert states(results) == [REFUSED] * 30
    assert {type(result.error) for result in results.values()} == {exc.PermissionDenied}
    assert post.calls == ["bulk 10"]


def test_while_roles_are_migrated_one_call_is_made(post: Post) -> None:
    post.start(role_migrations={"role_set:default": True})
    results = post.send(post.requests(30))
    assert {type(result.error) for result in results.values()} == {exc.RoleMigrationInProgress}
    assert post.calls == ["bulk 10"]


def test_a_deleted_organization_takes_one_call(post: Post) -> None:
    post.start(organizations={"acme": {"deleted": True}})
    results = post.send(post.requests(30))
    assert {type(result.error) for result in results.values()} == {exc.OrganizationNotFound}
    assert post.calls == ["bulk 10"]


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (409, "resource_locked", exc.ResourceLocked),
        (400, "dev_monthly_email_limit_exceeded", exc.DevelopmentLimit),
        (400, "invitations_not_supported", exc.InvitationsNotSupported),
        (401, "clerk_key_invalid", exc.Unauthorized),
    ],
)
def test_what_concerns_all_ends_it(
    post: Post, status: int, code: str, error: type[exc.ClerkError]
) -> None:
    body = {"errors": [{"code": code, "message": code, "long_message": code}]}
    post.emulator.fault("POST", INVITE)
    post.emulator.fault("POST", INVITE, status=status, body=body)
    results = post.send(post.requests(30))
    assert states(results) == [SENT] * 10 + [REFUSED if error.is_final else FAILED] * 20
    assert {type(result.error) for result in results.values() if result.error} == {error}
    assert post.calls == ["bulk 10"] * 2


# --- The hour is full ------------------------------------------------------------------------


def test_where_the_hour_is_full_the_rest_waits_and_goes_later(post: Post) -> None:
    post.start(rate_limits={"bulk": 2, "requests": 1000})
    requests = post.requests(35)
    results = post.send(requests)
    assert states(results) == [SENT] * 20 + [WAITING] * 15
    waits = {results[index].params.get("retry_after") for index in range(20, 35)}
    assert len(waits) == 1
    [seconds] = waits
    assert seconds is not None
    assert 0 < seconds <= 3600
    post.emulator.clock.advance(seconds)
    rest = send(post.api, requests[20:])
    assert states(rest) == [SENT] * 15
    assert set(post.mailed().values()) == {1}
    assert len(post.mailed()) == 35


def test_calls_of_one_and_of_ten_have_budgets_of_their_own(post: Post) -> None:
    post.start(rate_limits={"bulk": 1, "single": 1, "requests": 1000})
    assert states(post.send(post.requests(11))) == [SENT] * 11


# --- Faults, at each call --------------------------------------------------------------------

FAULTS: dict[str, dict[str, Any]] = {
    "drop before": {"drop": "before"},
    "drop after": {"drop": "after"},
    "html": {"garbage": "html"},
    "truncated": {"garbage": "truncated"},
    "invalid json": {"garbage": "invalid-json"},
    "wrong json": {"garbage": "wrong-json"},
    "empty": {"garbage": "empty"},
    "garbage for nothing": {"garbage": "html", "write": False},
    "500": {"status": 500},
    "500 and done": {"status": 500, "write": True},
    "502": {"status": 502, "body": "<h1>Bad gateway</h1>"},
    "502 and done": {"status": 502, "write": True},
    "503": {"status": 503},
    "504 and done": {"status": 504, "write": True},
    "429": {"status": 429},
    "429 with a time": {"status": 429, "headers": {"Retry-After": "77"}},
}

#: With somebody in the fifth place whom Clerk refuses without a name, so many calls are made.
CALLS = 10


def order(post: Post, position: int, **fault: Any) -> list[InvitationRequest]:
    if position:
        post.emulator.fault("POST", INVITE, times=position)
    post.emulator.fault("POST", INVITE, **fault)
    requests = post.requests()
    user = post.emulator.add_user("elsewhere@example.org")
    post.emulator.add_member("globex", user)
    requests[4] = replace(requests[4], email_address=user.email_address)
    return requests


@pytest.mark.exhaustive
@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.parametrize("name", FAULTS)
def test_whatever_goes_wrong_at_whichever_call_nobody_is_lost_or_mailed_twice(
    post: Post, name: str, atomic: bool
) -> None:
    fault = FAULTS[name]
    positions = (0, 1, 4, CALLS - 1) if atomic else (0, 2)
    for position in positions:
        post.start(exclusive_membership=True, bulk_atomic=atomic)
        results = post.send(order(post, position, **fault))
        assert post.emulator.faults.orders == []
        assert post.sends == position + 1
        assert post.calls.count("list") <= 1 + (not atomic)
        if results[11].state is WAITING:
            assert results[11].params.get("retry_after") == (
                77 if name == "429 with a time" else None
            )
        else:
            assert position == CALLS - 1


def test_without_faults_it_takes_the_calls_that_the_tests_above_take_it_to(post: Post) -> None:
    post.start(exclusive_membership=True)
    requests = order(post, 99)
    assert as_refused(post.send(requests)) == {4: exc.ExclusiveMembership}
    assert post.sends == CALLS


@pytest.mark.parametrize(("kind", "position"), [("delay", 2), ("hold", 0), ("hold", 2)])
def test_an_answer_that_comes_too_late_is_not_waited_for(
    post: Post, kind: str, position: int
) -> None:
    post.start(exclusive_membership=True)
    requests = order(post, position, **{kind: 1})
    with gate(post.emulator) as closed, impatient(post.api.client, position):
        results = post.send(requests, afterwards=closed.open)
    assert post.sends == position + 1
    assert post.calls[-1] == "list"
    lost = [index for index in results if isinstance(results[index].error, exc.Timeout)]
    unsettled = [index for index in lost if results[index].state is UNSETTLED]
    if kind == "hold" and position:  # it takes effect when nobody looks any more
        assert unsettled
        assert len(post.mailed()) == sum(r.state is SENT for r in results.values()) + len(unsettled)
    elif position:
        assert not unsettled
    else:  # it would have been refused, but who knows
        assert unsettled == list(range(10))
        assert post.mailed() == {}


def test_where_clerk_is_not_reached_nothing_is_lost(post: Post) -> None:
    post.api.client.api_url = "http://127.0.0.1:9"
    results = post.send(post.requests(30))
    assert states(results) == [FAILED] * 10 + [WAITING] * 20
    assert post.calls == []


def test_where_the_lost_cannot_be_looked_up_either_nobody_knows(post: Post) -> None:
    post.emulator.fault("POST", INVITE)
    post.emulator.fault("POST", INVITE, drop="after")
    post.emulator.fault("GET", INVITE, status=500, times=None)
    results = post.send(post.requests(30))
    assert states(results) == [SENT] * 10 + [UNSETTLED] * 10 + [WAITING] * 10
    assert len(post.mailed()) == 20


def test_somebody_else_who_invites_at_the_same_time_is_not_taken_for_us(post: Post) -> None:
    requests = post.requests(3)
    bo = post.emulator.user("bo@both.test").id
    post.emulator.add_invitation("acme", requests[1].email_address.upper(), inviter=bo)
    post.earlier = set(post.emulator.state.mails)
    post.emulator.configure(bulk_duplicate_code="organization_invitation_not_unique")
    results = post.send(requests)
    assert states(results) == [SENT, REFUSED, SENT]
    assert results[1].invitation is not None
    assert results[1].invitation.inviter_id == bo
    assert results[1].invitation.url == ""
    assert post.calls == ["bulk 3", "list", "bulk 2"]
