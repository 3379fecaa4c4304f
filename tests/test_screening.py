"""The check before sending: what would become of each address, and that Clerk then agrees."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pytest

from org_invitations.addresses import Entry, parse_file, parse_text
from org_invitations.clerk import (
    ClerkError,
    Invitation,
    InvitationRequest,
    InvitationStatus,
    Membership,
    Organization,
    OrganizationAPI,
    Page,
    PublicUserData,
    Role,
)
from org_invitations.clerk import exceptions as exc
from org_invitations.clients import get_client
from org_invitations.emulator import Emulator, EmulatorServer
from org_invitations.roles import AssignableRoles
from org_invitations.services import InvitationService
from org_invitations.services.directory import look_up
from org_invitations.services.limits import Seats
from org_invitations.services.preview import Preview, PreviewItem, PreviewStatus, preview_entries
from tests.effort import assert_grows_with

ADMIN = Role("org:admin", "Admin", permissions=frozenset({"org:sys_memberships:manage"}))
MEMBER = Role("org:member", "Member", permissions=frozenset())
OWNER = Role("org:owner", "Top  Owner")
ROLES = AssignableRoles(
    roles=(ADMIN, MEMBER),
    default_role="org:member",
    elevated=frozenset({"org:admin"}),
    not_grantable=(OWNER,),
)
ACME = Organization("org_1", "Acme")
ADA = "user_ada"


@dataclass
class FakeClerk(OrganizationAPI):
    """An organization without HTTP, in which people have user names and several addresses."""

    #: For each member what Clerk shows as their identifier, and all their addresses.
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    pending: Sequence[str] = ()
    #: Which calls fail: "members" or "pending", and with what.
    fails: dict[str, ClerkError] = field(default_factory=dict)
    #: What was asked: the addresses, or where a page begins, or the address.
    asked: list[list[str] | int | str] = field(default_factory=list)

    def get_memberships(
        self,
        *,
        user_id: str | None = None,
        email_address: Sequence[str] | None = None,
        limit: int = 500,
        offset: int = 0,
    ) -> Page[Membership]:
        if email_address is None:
            self.asked.append(f"members {offset}")
            if "members" in self.fails:
                raise self.fails["members"]
            names = list(self.members)
            page = tuple(self.membership(name) for name in names[offset : offset + limit])
            return Page(page, len(names))
        assert len(email_address) <= 100
        self.asked.append(list(email_address))
        if "members" in self.fails:
            raise self.fails["members"]
        rows = tuple(
            self.membership(identifier)
            for identifier, addresses in self.members.items()
            if set(addresses) & set(email_address)
        )
        return Page(rows, len(rows))

    @staticmethod
    def membership(identifier: str) -> Membership:
        return Membership(
            id=f"orgmem_{identifier}",
            role="org:admin",
            role_name="Admin",
            permissions=frozenset(),
            organization=ACME,
            user=PublicUserData(f"user_{identifier.partition('@')[0]}", identifier=identifier),
        )

    def get_invitations(
        self,
        *,
        status: Any = (InvitationStatus.PENDING,),
        email_address: str | None = None,
        order_by: str | None = None,
        limit: int = 10,
        offset: int = 0,
    ) -> Page[Invitation]:
        assert tuple(status) == (InvitationStatus.PENDING,)
        self.asked.append(offset if email_address is None else email_address)
        if "pending" in self.fails:
            raise self.fails["pending"]
        found = [a for a in self.pending if email_address in (None, a.casefold())]
        rows = tuple(self.invitation(address) for address in found[offset : offset + limit])
        return Page(rows, len(found))

    @staticmethod
    def invitation(address: str) -> Invitation:
        return Invitation(
            id=f"orginv_{address}",
            email_address=address,
            role="org:member",
            role_name="Member",
            status=InvitationStatus.PENDING,
            url="https://clerk.test/v1/tickets/accept?ticket=secret",
        )

    @property
    def calls(self) -> int:
        return len(self.asked)


def fake(**order: Any) -> FakeClerk:
    members = order.pop("members", {})
    if not isinstance(members, dict):
        members = {address: (address,) for address in members}
    return FakeClerk(members=members, **order)


def preview_of(
    text: str | Sequence[Entry], clerk: FakeClerk | None = None, **order: Any
) -> Preview:
    entries = parse_text(text) if isinstance(text, str) else text
    settled: dict[str, Any] = {"role": "org:member", "roles": ROLES, "user_id": ADA} | order
    return preview_entries(entries, api=clerk or fake(), **settled)


def verdicts(preview: Preview) -> list[str]:
    return [str(item.status) for item in preview.items]


def numbered(number: int, *, name: str = "new") -> str:
    return "\n".join(f"{name}{i}@x.org" for i in range(number))


# --- Each verdict --------------------------------------------------------------------------


def test_an_address_that_nothing_speaks_against_is_new() -> None:
    (item,) = preview_of("new@x.org").items
    assert (item.status, item.role, item.sendable) == (PreviewStatus.NEW, MEMBER, True)
    assert (item.invitation, item.membership) == (None, None)


def test_a_member_is_named_with_the_membership() -> None:
    (item,) = preview_of("bo@x.org", fake(members=["bo@x.org"])).items
    assert (item.status, item.sendable) == (PreviewStatus.MEMBER, False)
    assert item.membership is not None
    assert item.membership.role_name == "Admin"


def test_ones_own_address_is_told_from_those_of_others() -> None:
    preview = preview_of("bo@x.org, ada@x.org", fake(members=["ada@x.org", "bo@x.org"]))
    assert verdicts(preview) == ["member", "self"]
    assert preview.items[1].membership is not None


def test_an_invited_address_comes_with_its_invitation_but_not_with_its_link() -> None:
    (item,) = preview_of("bo@x.org", fake(pending=["bo@x.org"])).items
    assert item.status is PreviewStatus.INVITED
    assert item.invitation is not None
    assert item.invitation.id == "orginv_bo@x.org"
    assert item.invitation.url == ""


def test_capitals_make_no_difference() -> None:
    clerk = fake(members={"MIA@x.org": ("mia@x.org",)}, pending=["Bo@x.org"])
    assert verdicts(preview_of("BO@X.ORG, Mia@X.org", clerk)) == ["invited", "member"]


def test_what_the_parser_refused_stays_refused() -> None:
    long = f"{'x' * 65}@x.org"
    preview = preview_of(f"new@x.org\nNEW@x.org\nnobody\n{long}")
    assert verdicts(preview) == ["new", "twice", "not-an-address", "too-long"]
    assert preview.items[1].entry.first_line == 1


def test_what_is_in_the_text_and_in_the_file_is_there_twice() -> None:
    entries = (*parse_text("new@x.org"), *parse_file(b"b@x.org\nNew@x.org\n"))
    preview = preview_of(entries)
    assert verdicts(preview) == ["new", "new", "twice"]
    # The line of the first one would be taken for one of the file.
    assert preview.items[2].entry.first_line is None


def test_a_suggestion_is_a_warning_and_no_refusal() -> None:
    (item,) = preview_of("ana@gmial.com").items
    assert (item.status, item.entry.suggestion) == (PreviewStatus.NEW, "ana@gmail.com")


def test_whoever_is_a_member_and_invited_counts_as_a_member() -> None:
    clerk = fake(members=["bo@x.org"], pending=["bo@x.org"])
    assert verdicts(preview_of("bo@x.org", clerk)) == ["member"]


# --- Roles ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "verdict", "role"),
    [
        ("org:admin", "new", ADMIN),
        ("ORG:Admin", "new", ADMIN),
        ("admin", "new", ADMIN),
        ("Admin", "new", ADMIN),
        ("", "new", MEMBER),
        ("owner", "role-not-granted", OWNER),
        ("top owner", "role-not-granted", OWNER),
        ("boss", "role-unknown", None),
        ("org:", "role-unknown", None),
    ],
)
def test_the_role_column_wins_over_the_form(said: str, verdict: str, role: Role | None) -> None:
    (item,) = preview_of(parse_file(f"email,role\nnew@x.org,{said}\n".encode())).items
    assert (str(item.status), item.role) == (verdict, role)


@pytest.mark.parametrize(
    ("chosen", "verdict", "role"),
    [
        ("", "new", None),
        ("org:admin", "new", ADMIN),
        ("org:owner", "role-not-granted", OWNER),
        ("org:gone", "role-unknown", None),
    ],
)
def test_the_form_s_role_is_for_those_without_their_own(
    chosen: str, verdict: str, role: Role | None
) -> None:
    entries = parse_file(b"email,role\nnew@x.org,\nbo@x.org,member\n")
    first, second = preview_of(entries, role=chosen).items
    assert (str(first.status), first.role) == (verdict, role)
    assert (second.status, second.role) == (PreviewStatus.NEW, MEMBER)


def test_two_roles_of_one_name_are_neither() -> None:
    twins = AssignableRoles(roles=(Role("org:a", "Crew"),), not_grantable=(Role("org:b", "Crew"),))
    entries = parse_file(b"email,role\nx@x.org,crew\ny@x.org,a\n")
    assert verdicts(preview_of(entries, roles=twins)) == ["role-unknown", "new"]


def test_a_key_comes_before_a_name() -> None:
    roles = AssignableRoles(roles=(Role("org:lead", "Member"), Role("org:member", "Lead")))
    (item,) = preview_of(parse_file(b"email,role\nx@x.org,member\n"), roles=roles).items
    assert item.role is not None
    assert item.role.key == "org:member"


def test_where_no_roles_are_known_none_is_called_unknown() -> None:
    (item,) = preview_of("new@x.org", roles=AssignableRoles()).items
    assert (item.status, item.role) == (PreviewStatus.NEW, None)


def test_the_roles_that_need_a_confirmation_are_told_once() -> None:
    entries = parse_file(b"email,role\na@x.org,admin\nb@x.org,Admin\nc@x.org,member\n")
    assert preview_of(entries).elevated == (ADMIN,)


def test_a_role_that_nobody_would_get_needs_no_confirmation() -> None:
    entries = parse_file(b"email,role\nbo@x.org,admin\nc@x.org,member\n")
    assert preview_of(entries, fake(members=["bo@x.org"])).elevated == ()


# --- Seats and the limit -------------------------------------------------------------------


def seats(left: int) -> Seats:
    return Seats(used=10 - left, limit=10, members=10 - left, pending=0)


def test_the_seats_go_to_the_first_who_would_be_invited() -> None:
    clerk = fake(members=["bo@x.org"], pending=["eve@x.org"])
    preview = preview_of("bo@x.org a@x.org eve@x.org b@x.org c@x.org zz", clerk, seats=seats(2))
    assert verdicts(preview) == ["member", "new", "invited", "new", "no-seat", "not-an-address"]
    assert preview.seats == seats(2)


def test_without_a_seat_left_nobody_is_invited() -> None:
    assert verdicts(preview_of("a@x.org", seats=seats(0))) == ["no-seat"]


def test_without_a_limit_of_seats_there_is_always_one() -> None:
    unlimited = Seats(used=50, limit=0, members=50, pending=0)
    assert verdicts(preview_of("a@x.org", seats=unlimited)) == ["new"]


def test_a_role_that_cannot_be_given_takes_no_seat() -> None:
    entries = parse_file(b"email,role\na@x.org,owner\nb@x.org,boss\nc@x.org,member\n")
    preview = preview_of(entries, seats=seats(1))
    assert verdicts(preview) == ["role-not-granted", "role-unknown", "new"]


def test_what_is_over_the_limit_comes_later_and_what_is_over_the_seats_does_not() -> None:
    preview = preview_of(numbered(8), limit=3, seats=seats(5))
    assert verdicts(preview) == ["new"] * 3 + ["later"] * 2 + ["no-seat"] * 3


def test_a_hundred_go_at_once() -> None:
    assert preview_of(numbered(103)).counts == dict.fromkeys(PreviewStatus, 0) | {
        PreviewStatus.NEW: 100,
        PreviewStatus.LATER: 3,
    }


def test_what_would_be_sent_and_what_not_is_everything_in_its_order() -> None:
    clerk = fake(members=["bo@x.org"])
    preview = preview_of("a@x.org bo@x.org b@x.org nobody", clerk)
    assert [item.entry.email_address for item in preview.sendable] == ["a@x.org", "b@x.org"]
    assert [item.entry.text for item in preview.refused] == ["bo@x.org", "nobody"]
    assert (preview.counts[PreviewStatus.NEW], preview.counts[PreviewStatus.NO_SEAT]) == (2, 0)
    assert sum(preview.counts.values()) == len(preview.items) == 4


# --- How much is asked of Clerk ------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "nobody", "a@b, no at x.org"])
def test_without_an_address_nothing_is_asked(text: str) -> None:
    clerk = fake()
    assert preview_of(text, clerk).complete
    assert clerk.calls == 0


@pytest.mark.parametrize("number", [1, 2, 10, 100])
def test_up_to_a_hundred_addresses_and_500_pending_are_two_calls(number: int) -> None:
    clerk = fake(
        pending=[f"pending{i}@x.org" for i in range(500)],
        members=[f"new{i}@x.org" for i in range(0, number, 2)],
    )
    assert preview_of(numbered(number), clerk).complete
    assert clerk.calls == 2


def test_a_hundred_addresses_are_one_question_however_many_are_typed() -> None:
    clerk = fake(members=["new250@x.org"])
    preview = preview_of(numbered(251), clerk, limit=500)
    assert preview.items[-1].status is PreviewStatus.MEMBER
    assert sorted(len(call) for call in clerk.asked if isinstance(call, list)) == [51, 100, 100]


def test_long_addresses_are_asked_for_in_lines_that_servers_take() -> None:
    clerk = fake()
    preview_of("\n".join(f"{'x' * 50}+{i:02}@{'y' * 60}.org" for i in range(100)), clerk)
    lengths = [
        len(urlencode({"email_address": call}, doseq=True))
        for call in clerk.asked
        if isinstance(call, list)
    ]
    assert len(lengths) == 2
    assert max(lengths) <= 7000


def test_ten_thousand_addresses_cost_a_call_for_each_500_members_and_pending() -> None:
    clerk = fake(
        members=["new3@x.org", "New9999@x.org", *(f"old{i}@x.org" for i in range(2099))],
        pending=["new1200@x.org", *(f"pending{i}@x.org" for i in range(1300))],
    )
    preview = preview_of(numbered(10_000), clerk, limit=10_000)
    assert clerk.calls == 5 + 3
    assert preview.complete
    members = [preview.items[number].status for number in (3, 9999)]
    assert members == [PreviewStatus.MEMBER] * 2
    assert preview.items[1200].status is PreviewStatus.INVITED
    assert preview.counts[PreviewStatus.NEW] == 10_000 - 3
    assert all(item.is_known for item in preview.items)


@pytest.mark.parametrize("what", ["members", "pending"])
def test_of_ten_thousand_it_is_said_where_not_all_could_be_asked_for(what: str) -> None:
    clerk = fake(
        members=["new3@x.org"], pending=["new5@x.org"], fails={what: exc.ServiceUnavailable("no")}
    )
    preview = preview_of(numbered(10_000), clerk, limit=10_000)
    assert not preview.complete
    assert len(preview.sendable) == 10_000 - 1
    assert not any(item.is_known for item in preview.sendable)


def test_where_there_are_too_many_members_to_read_it_is_said() -> None:
    clerk = fake(members=[f"old{i}@x.org" for i in range(20_001)])
    preview = preview_of(numbered(1001), clerk, limit=10_000)
    assert clerk.calls == 40 + 1
    assert not any(item.is_known for item in preview.sendable)


def test_when_clerk_asks_for_patience_no_more_of_ten_thousand_is_asked() -> None:
    clerk = fake(
        members=[f"old{i}@x.org" for i in range(2000)], fails={"pending": exc.RateLimited()}
    )
    preview_of(numbered(10_000), clerk, limit=10_000)
    assert clerk.calls == 2


def test_more_than_500_pending_are_fetched_in_pages() -> None:
    clerk = fake(pending=[f"pending{i}@x.org" for i in range(1300)])
    preview = preview_of(
        numbered(12) + "\npending7@x.org pending700@x.org pending1299@x.org", clerk
    )
    assert verdicts(preview) == ["new"] * 12 + ["invited"] * 3
    assert sorted(call for call in clerk.asked if isinstance(call, int)) == [0, 500, 1000]


def test_a_few_addresses_are_asked_for_one_by_one_where_that_is_less() -> None:
    clerk = fake(pending=[f"pending{i}@x.org" for i in range(1300)])
    preview = preview_of("Pending700@x.org new@x.org pending7@x.org", clerk)
    assert verdicts(preview) == ["invited", "new", "invited"]
    assert [call for call in clerk.asked if not isinstance(call, list)] == [
        0,
        "pending700@x.org",
        "new@x.org",
    ]


def test_very_many_pending_are_not_all_fetched() -> None:
    clerk = fake(pending=[f"pending{i}@x.org" for i in range(20_000)])
    preview = preview_of(numbered(11) + "\npending4999@x.org pending5000@x.org", clerk)
    assert clerk.calls == 1 + 10
    # Clerk refuses the last one when it is sent.
    assert verdicts(preview) == ["new"] * 11 + ["invited", "new"]


# --- Members under another name ------------------------------------------------------------


def test_a_single_address_needs_no_second_question() -> None:
    clerk = fake(members={"bob": ("bo@x.org",)})
    assert verdicts(preview_of("bo@x.org", clerk)) == ["member"]
    assert clerk.calls == 2


@pytest.mark.parametrize(
    ("number", "more"), [(2, 2), (3, 3), (6, 4), (10, 5), (20, 6), (35, 7), (70, 8), (100, 9)]
)
def test_members_whose_identifier_is_no_address_are_found_among_many(
    number: int, more: int
) -> None:
    chance = random.Random(number)
    for _ in range(20):
        some = chance.sample(range(number), chance.randint(1, number))
        clerk = fake(members={f"name{i}": (f"new{i}@x.org", f"other{i}@y.org") for i in some})
        preview = preview_of(numbered(number), clerk)
        found = {
            i: item.membership.user.identifier
            for i, item in enumerate(preview.items)
            if item.membership is not None and item.membership.user is not None
        }
        assert found == {i: f"name{i}" for i in some}
        assert clerk.calls == 2 + more


def test_ones_own_address_is_found_under_a_user_name_too() -> None:
    clerk = fake(members={"ada": ("ada@x.org",), "bo": ("bo@x.org",)})
    assert verdicts(preview_of("new@x.org bo@x.org ada@x.org", clerk)) == ["new", "member", "self"]


def test_whoever_has_two_of_the_addresses_is_never_taken_for_a_third() -> None:
    text = numbered(20)
    for i in range(20):
        for j in range(i):
            clerk = fake(members={"bob": (f"new{i}@x.org", f"new{j}@x.org")})
            assert set(verdicts(preview_of(text, clerk))) == {"new"}  # Clerk decides


def test_a_second_address_of_a_member_with_a_known_one_is_found_along_with_the_others() -> None:
    clerk = fake(
        members={"ana@x.org": ("ana@x.org", "ana2@x.org"), "bob": ("bo@x.org",)},
    )
    preview = preview_of("ana@x.org ana2@x.org bo@x.org new@x.org", clerk)
    assert verdicts(preview) == ["member", "member", "member", "new"]


def test_finding_members_never_costs_more_than_nine_calls() -> None:
    clerk = fake(members={f"name{i}": (f"new{i}@x.org",) for i in (7, 107, 207)})
    preview = preview_of(numbered(300), clerk, limit=500)
    assert clerk.calls == 1 + 3 + 9
    # The others stay new, and Clerk refuses them when they are sent.
    assert [i for i, v in enumerate(verdicts(preview)) if v == "member"] == [7]


# --- When Clerk does not answer ------------------------------------------------------------

LOST = exc.Timeout("lost")
SLOWER = exc.RateLimited("slower", status=429)


def test_without_the_memberships_the_invitations_still_count() -> None:
    clerk = fake(members=["bo@x.org"], pending=["eve@x.org"], fails={"members": LOST})
    preview = preview_of("bo@x.org eve@x.org nobody", clerk)
    assert verdicts(preview) == ["new", "invited", "not-an-address"]
    assert [item.is_known for item in preview.items] == [False, True, True]
    assert preview.error is LOST
    assert not preview.complete


def test_without_the_invitations_the_memberships_still_count() -> None:
    clerk = fake(members={"bob": ("bo@x.org",)}, pending=["eve@x.org"], fails={"pending": LOST})
    preview = preview_of("bo@x.org eve@x.org", clerk)
    assert verdicts(preview) == ["member", "new"]
    assert [item.is_known for item in preview.items] == [True, False]
    assert preview.error is LOST


def test_without_both_everything_else_is_checked_all_the_same() -> None:
    clerk = fake(members=["bo@x.org"], fails={"pending": LOST, "members": SLOWER})
    entries = parse_file(b"email,role\nbo@x.org,\nc@x.org,owner\nd@x.org,\ne@x.org,\n,x\n")
    preview = preview_of(entries, clerk, seats=seats(2))
    assert verdicts(preview) == ["new", "role-not-granted", "new", "no-seat", "no-address"]
    assert not preview.complete


def test_when_clerk_asks_for_patience_nothing_more_is_asked() -> None:
    clerk = fake(
        members={"bob": ("bo@x.org",)},
        fails={"pending": SLOWER},
    )
    preview = preview_of("bo@x.org eve@x.org", clerk)
    assert verdicts(preview) == ["new", "new"]
    assert not any(item.is_known for item in preview.items)
    assert clerk.calls == 2


def test_who_may_be_on_a_page_of_pending_ones_that_was_not_asked_for_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second hundred cannot be looked up as members: then no more pages are asked for."""
    clerk = fake(pending=[f"other{i}@x.org" for i in range(600)])
    ask = clerk.get_memberships

    def limited(*, email_address: Sequence[str], **order: Any) -> Page[Membership]:
        if "new100@x.org" in email_address:
            raise SLOWER
        return ask(email_address=email_address, **order)

    monkeypatch.setattr(clerk, "get_memberships", limited)
    preview = preview_of(numbered(150), clerk, limit=500)
    assert set(verdicts(preview)) == {"new"}
    assert not any(item.is_known for item in preview.items)


def test_members_that_could_not_be_told_apart_stay_new(monkeypatch: pytest.MonkeyPatch) -> None:
    clerk = fake(members={"bob": ("bo@x.org",)})
    ask = clerk.get_memberships

    def ask_once(*, email_address: Sequence[str], **order: Any) -> Page[Membership]:
        answer = ask(email_address=email_address, **order)
        clerk.fails["members"] = LOST
        return answer

    monkeypatch.setattr(clerk, "get_memberships", ask_once)
    preview = preview_of("bo@x.org eve@x.org", clerk)
    assert verdicts(preview) == ["new", "new"]
    assert not any(item.is_known for item in preview.items)
    assert preview.error is LOST


def test_a_bug_is_no_outage() -> None:
    clerk = fake()
    clerk.asked = None  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        look_up(clerk, ["a@x.org"])


# --- As much work as there are lines -------------------------------------------------------


def test_ten_times_the_lines_are_ten_times_the_work() -> None:
    def lines(count: int) -> Callable[[], object]:
        clerk = fake(
            members=[f"ana{i}@example.org" for i in range(0, count, 9)],
            pending=[f"ana{i}@example.org" for i in range(0, count, 7)],
        )
        text = "".join(f'"Doe, Ana {i}" <Ana{i}@example.org>\n' for i in range(count))
        return lambda: preview_of(text, clerk)

    assert_grows_with(lines, few=100, many=1_000)


# --- And Clerk agrees ----------------------------------------------------------------------


@dataclass
class Town:
    """The emulator's Acme with many members and invitations, and people who paste lists."""

    emulator: Emulator
    api: OrganizationAPI
    roles: AssignableRoles
    ada: str
    chance: random.Random
    names: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.emulator.configure(rate_limits=False)
        self.members = ["ada@acme.test"]
        for number in range(80):
            address = f"member{number}@acme.test"
            self.emulator.add_user(address)
            self.emulator.add_member("acme", address, role="org:member")
            self.members.append(address)
        self.pending = [f"pending{number}@example.org" for number in range(120)]
        for address in self.pending:
            self.emulator.add_invitation("acme", address, notify=False)
        # Neither stands in the way of a new one.
        self.past = [f"past{number}@example.org" for number in range(40)]
        for number, address in enumerate(self.past):
            state = ("revoked", "accepted")[number % 2]
            self.emulator.add_invitation("acme", address, state=state, notify=False)
        self.elsewhere = [f"elsewhere{number}@globex.test" for number in range(20)]
        for address in self.elsewhere:
            self.emulator.add_user(address)
            self.emulator.add_member("globex", address)

    def piece(self) -> str:
        chance = self.chance
        address = chance.choice(
            [
                chance.choice([*self.members, *self.members[:1] * 9]),
                chance.choice(self.pending),
                chance.choice(self.past),
                chance.choice(self.elsewhere),
                f"new{next(self.names)}@example{chance.randint(1, 9)}.org",
                f"new{next(self.names)}@example.org",
                f"o'new+{next(self.names)}@bücher.example",
                f"new{next(self.names)}@gmial.com",
            ]
        )
        address = chance.choice([address, address, address, address.upper(), address.title()])
        return chance.choice(
            [
                *[address] * 8,
                f"Doe, Ana <{address}>",
                f'"Ana Doe" <{address}>',
                f"mailto:{address}",
                f"({address}).",
                address.replace("@", " at "),
                address.replace("@", "@@"),
                f"{'x' * 70}{address}",
                address.partition("@")[0],
                f"{address}..",
                f".{address}",
                "👍",
            ]
        )

    def paste(self) -> tuple[Entry, ...]:
        pieces = [self.piece() for _ in range(self.chance.randint(1, 14))]
        pieces += self.chance.choices(pieces, k=self.chance.choice([0, 0, 1, 2]))
        self.chance.shuffle(pieces)
        if self.chance.random() < 0.7:
            return parse_text(self.chance.choice(["\n", "; ", ", "]).join(pieces))
        roles = ["", "", "org:member", "Admin", "billing", "org:auditor", "boss"]
        rows = [f"{piece}\t{self.chance.choice(roles)}" for piece in pieces]
        return parse_text("\n".join(["Email\tRole", *rows]))

    def send(self, item: PreviewItem) -> str:
        """Really send it, whatever the verdict, and say what Clerk made of it."""
        address = item.entry.email_address or item.entry.text
        role = item.role.key if item.role else "org:member"
        if item.status is PreviewStatus.ROLE_UNKNOWN:
            role = item.entry.role
        try:
            self.api.invite_member(InvitationRequest(address, role, self.ada))
        except exc.AlreadyMember:
            return "member"
        except exc.DuplicateInvitation:
            return "invited"
        except exc.RoleNotFound:
            return "role"
        except exc.QuotaExceeded:
            return "seat"
        except exc.InvalidEmailAddress:
            return "address"
        return "sent"


#: What Clerk must have said for a verdict to have been right.
RIGHT: dict[PreviewStatus, Callable[[str], bool]] = {
    PreviewStatus.NEW: lambda said: said == "sent",
    PreviewStatus.MEMBER: lambda said: said == "member",
    PreviewStatus.SELF: lambda said: said == "member",
    PreviewStatus.INVITED: lambda said: said == "invited",
    # Of the second one Clerk says what it says of the first.
    PreviewStatus.TWICE: lambda said: said in ("member", "invited", "seat"),
    PreviewStatus.NOT_AN_ADDRESS: lambda said: said == "address",
    PreviewStatus.TOO_LONG: lambda said: said == "address",
    PreviewStatus.NO_SEAT: lambda said: said == "seat",
    PreviewStatus.ROLE_UNKNOWN: lambda said: said == "role",
}


def first_of(preview: Preview, item: PreviewItem) -> str:
    """The verdict of what is there twice, where it is there first."""
    key = item.entry.email_address.casefold()
    return next(i.status for i in preview.items if i.entry.email_address.casefold() == key)


@pytest.mark.exhaustive
def test_clerk_then_does_what_the_check_said(
    clerk_emulator_server: EmulatorServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "org_invitations.clerk")
    emulator = clerk_emulator_server.emulator
    acme, ada = emulator.organization("acme"), emulator.user("ada@acme.test").id
    service = InvitationService(get_client(), organization_id=acme.id, user_id=ada)
    town = Town(emulator, service.api, service.get_roles(), ada, random.Random(20260512))
    seen: Counter[PreviewStatus] = Counter()
    wrong: list[tuple[str, str, str]] = []
    while seen.total() < 1000:
        there = set(emulator.state.invitations)
        used = len(emulator.state.members_of(acme.id)) + len(
            emulator.invitations("acme", "pending")
        )
        left = town.chance.choice([None, None, 0, 1, 3, 8])
        acme.max_allowed_memberships = 0 if left is None else used + left
        preview = preview_entries(
            town.paste(),
            role="org:member",
            roles=town.roles,
            api=service.api,
            user_id=ada,
            seats=Seats.count(service.api.get(include_members_count=True)),
        )
        assert preview.complete
        for item in preview.items:
            if item.status is PreviewStatus.TWICE and first_of(preview, item) == "role-unknown":
                continue  # Clerk would take it
            seen[item.status] += 1
            said = town.send(item)
            if not RIGHT[item.status](said):
                wrong.append((item.entry.text, item.status, said))
        for invitation_id in set(emulator.state.invitations) - there:
            del emulator.state.invitations[invitation_id]
    assert set(seen) == set(RIGHT), "every verdict that Clerk can confirm has come up"
    assert len(wrong) <= seen.total() / 1000, wrong
