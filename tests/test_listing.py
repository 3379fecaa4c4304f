"""The list: its state as a URL, what is asked of Clerk for it, and what is done in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st

from org_invitations.clerk import Invitation, InvitationStatus, OrganizationAPI
from org_invitations.clerk import exceptions as exc
from org_invitations.clerk.resources import PublicUserData
from org_invitations.clients import get_client
from org_invitations.emulator import Emulator
from org_invitations.emulator.state import State
from org_invitations.services import (
    STATUSES,
    InvitationPage,
    InvitationQuery,
    InvitationService,
    Limit,
    NotPermitted,
    Seats,
    TooManyInvitations,
    get_sizes,
)
from org_invitations.services.listing import MAX_FOUND, SORTS, fold, page_of, select
from tests.gates import rounds

pytestmark = pytest.mark.usefixtures("ten_a_page")

PENDING, EXPIRED, ACCEPTED, REVOKED = STATUSES
ADA, MIA = "ada@acme.test", "mia@acme.test"
LIST = "/v1/organizations/*/invitations"
EVERY_SORT = [f"{direction}{name}" for name in SORTS for direction in ("", "-")]


@pytest.fixture
def emulator(clerk_emulator: Emulator) -> Emulator:
    return clerk_emulator


@pytest.fixture
def service(emulator: Emulator) -> InvitationService:
    return make_service(emulator)


def make_service(emulator: Emulator) -> InvitationService:
    return InvitationService(
        get_client(),
        organization_id=emulator.organization("acme").id,
        user_id=emulator.user(ADA).id,
    )


def fill(emulator: Emulator, total: int, state: str = "pending") -> None:
    """Let Acme have this many invitations in all, the new ones in one state."""
    order: dict[str, Any] = {"state": "pending" if state == "expired" else state}
    for number in range(total - len(emulator.invitations("acme"))):
        age = number * 60.0 + (40 * 86_400 if state == "expired" else 0)
        emulator.add_invitation(
            "acme",
            f"{state}.{number:05}@filled.example",
            role=("org:member", "org:billing")[number % 2],
            inviter=(ADA, MIA, None)[number % 3],
            created_ago=age,
            notify=False,
            **order,
        )


def shown(service: InvitationService, **query: Any) -> InvitationPage:
    page = service.open(query=InvitationQuery(**query)).page
    assert page is not None
    return page


def addresses(page: InvitationPage) -> list[str]:
    return [invitation.email_address for invitation in page.invitations]


def asked(emulator: Emulator) -> list[str]:
    """What was asked about invitations since the last time, as the query says it."""
    found = [
        "&".join(f"{name}={value}" for name, value in sorted(call.query))
        for call in emulator.requests
        if call.path.endswith("/invitations")
    ]
    emulator.clear_requests()
    return sorted(found)


def totals(emulator: Emulator) -> dict[InvitationStatus, int]:
    """What Clerk says how many there are of each."""
    api = OrganizationAPI(get_client(), emulator.organization("acme").id)
    found = {
        status: api.get_invitations(status=[status], limit=1).total_count for status in STATUSES
    }
    emulator.clear_requests()
    return found


# --- The state of the list as a URL ------------------------------------------------------------


def test_the_list_as_it_opens_needs_nothing_in_its_url() -> None:
    assert InvitationQuery().urlencode() == ""
    assert InvitationQuery.parse({}) == InvitationQuery(
        status=PENDING, search="", role="", sort="-invited", page=1, size=10
    )


def test_a_url_says_only_what_differs() -> None:
    query = InvitationQuery(EXPIRED, "ana & co", "role", 3, 50)
    assert query.urlencode() == "status=expired&q=ana+%26+co&sort=role&page=3&size=50"
    assert InvitationQuery(role="org:admin").as_params() == {"role": "org:admin"}
    assert InvitationQuery(size=50).as_params() == {"size": "50"}


queries = st.builds(
    InvitationQuery,
    status=st.sampled_from(STATUSES),
    search=st.text().map(lambda text: InvitationQuery.parse({"q": text}).search),
    role=st.text().map(lambda text: InvitationQuery.parse({"role": text}).role),
    sort=st.sampled_from(EVERY_SORT),
    page=st.integers(1, 999_999_999),
    size=st.sampled_from([10, 25, 50, 100]),
)


@given(queries)
def test_every_state_survives_its_url(query: InvitationQuery) -> None:
    assert InvitationQuery.parse(dict(parse_qsl(query.urlencode()))) == query


@given(
    st.dictionaries(
        st.sampled_from(["status", "q", "role", "sort", "page", "size", "x"]),
        st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text())),
    )
)
def test_whatever_is_wrong_in_a_url_is_as_if_it_were_not_there(data: dict[str, Any]) -> None:
    query = InvitationQuery.parse(data)
    assert query.status in STATUSES
    assert query.sort in EVERY_SORT
    assert query.size in get_sizes()
    assert 1 <= query.page <= 999_999_999
    assert query.search.isprintable()
    assert query.search == query.search.strip()
    assert InvitationQuery.parse(query.as_params()) == query


def test_what_is_searched_for_keeps_nothing_that_cannot_be_seen() -> None:
    query = InvitationQuery.parse({"q": "\ufeff  ana\u200b.b\0c\n x \u202e" + "y" * 9999})
    assert query.search.startswith("ana.b c x yyy")
    assert len(query.search) == 320


def test_another_filter_leads_to_the_first_page() -> None:
    query = InvitationQuery(page=7, search="ana")
    for changes in (
        {"status": EXPIRED},
        {"search": "b"},
        {"role": "r"},
        {"sort": "role"},
        {"size": 25},
    ):
        assert query.with_(**changes) == replace(query, page=1, **changes)
    assert query.with_(page=8) == replace(query, page=8)


def test_the_sites_own_page_size_is_the_usual_one_and_on_offer(settings: Any) -> None:
    settings.ORG_INVITATIONS_PAGE_SIZE = 33
    assert get_sizes() == (10, 25, 33, 50, 100)
    assert InvitationQuery.parse({"size": "33"}).as_params() == {}
    assert InvitationQuery.parse({"size": "34"}).size == 33
    assert InvitationQuery.parse({"size": "10"}).as_params() == {"size": "10"}


# --- In memory --------------------------------------------------------------------------------


def invitation(number: int, **changes: Any) -> Invitation:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    values: dict[str, Any] = {
        "id": f"orginv_{number}",
        "email_address": f"{number}@example.com",
        "role": "org:member",
        "role_name": "Member",
        "status": PENDING,
        "created_at": now - timedelta(days=number),
        "updated_at": now,
        "expires_at": now + timedelta(days=number),
    }
    return Invitation(**values | changes)


def by(name: str, identifier: str = "") -> PublicUserData:
    return PublicUserData(user_id="user_1", first_name=name, identifier=identifier)


def numbers(rows: list[Invitation], **query: Any) -> list[int]:
    return [int(row.id.removeprefix("orginv_")) for row in select(rows, InvitationQuery(**query))]


def test_every_column_can_be_sorted_both_ways() -> None:
    """Capitals and accents do not count, and who has no inviter is last in both directions."""
    end = datetime(2026, 12, 1, tzinfo=UTC)
    rows = [
        invitation(1, email_address="Émile@x.org", expires_at=end),
        invitation(2, email_address="zoe@x.org", role_name="billing", expires_at=None),
        invitation(3, email_address="Ana@x.org", expires_at=end - timedelta(days=9)),
        invitation(4, email_address="bo@x.org", expires_at=end + timedelta(days=9)),
    ]
    inviters = {2: by("Zoe"), 4: by("ada")}
    rows = [replace(row, inviter=inviters.get(number)) for number, row in enumerate(rows, 1)]
    for sort, expected in {
        "-invited": [1, 2, 3, 4],
        "invited": [4, 3, 2, 1],
        "address": [3, 4, 1, 2],
        "-address": [2, 1, 4, 3],
        "role": [2, 1, 3, 4],
        "-role": [1, 3, 4, 2],
        "expires": [3, 1, 4, 2],
        "-expires": [2, 4, 1, 3],
        "inviter": [4, 2, 1, 3],
        "-inviter": [2, 4, 1, 3],
    }.items():
        assert numbers(rows, sort=sort) == expected, sort


def test_one_role_can_be_chosen_of_those_that_are_there() -> None:
    rows = [
        invitation(1),
        invitation(2, role="org:billing", role_name="Billing"),
        invitation(3, status=EXPIRED, role="org:admin", role_name="Admin"),
        invitation(4, role="org:billing", role_name="Billing"),
    ]
    assert numbers(rows, role="org:billing") == [2, 4]
    assert numbers(rows, role="org:billing", search="4@") == [4]
    assert numbers(rows, role="org:admin") == numbers(rows, role="org:bill") == []
    page = page_of(rows, InvitationQuery(role="org:billing"), {})
    assert page.total_count == 2
    # On offer are all of this status, in the order of their names.
    assert list(page.roles.items()) == [("org:billing", "Billing"), ("org:member", "Member")]


def test_equal_rows_stay_newest_first() -> None:
    rows = [invitation(number) for number in range(1, 6)]
    assert numbers(rows, sort="role") == numbers(rows, sort="-role") == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("status", [ACCEPTED, REVOKED])
def test_what_has_ended_is_sorted_by_when_it_ended(status: InvitationStatus) -> None:
    when = datetime(2026, 11, 1, tzinfo=UTC)
    rows = [
        invitation(number, status=status, updated_at=when + timedelta(days=days))
        for number, days in ((1, 3), (2, 1), (3, 2))
    ]
    rows.append(invitation(4, status=status, updated_at=None))
    assert numbers(rows, status=status, sort="expires") == [2, 3, 1, 4]
    assert numbers(rows, status=status, sort="-expires") == [1, 3, 2, 4]


def test_every_word_is_looked_for_in_address_and_inviter() -> None:
    rows = [
        invitation(1, email_address="Ana@x.org", inviter=by("Ada", "ada@acme.test")),
        invitation(2, email_address="anabel@straße.example", inviter=None),
        invitation(3, email_address="kim@y.org", inviter=by("Inês Ferreira")),
    ]
    for search, expected in {
        "ANA": [1, 2],
        "ines": [3],
        "INÊS ferr": [3],
        "ada@acme": [1],
        "ada x.org": [1],
        "ada nobody": [],
        "@": [1, 2, 3],
        "strasse": [2],
    }.items():
        assert numbers(rows, search=search) == expected, search


def test_folding_takes_away_capitals_and_accents() -> None:
    assert fold("Ångström ÇA straße") == "angstrom ca strasse"


def test_the_ends_and_the_neighbours_are_offered() -> None:
    for (total, number), expected in {
        (0, 1): [1],
        (10, 1): [1],
        (30, 2): [1, 2, 3],
        (500, 1): [1, 2, 3, None, 50],
        (500, 4): [1, 2, 3, 4, 5, 6, None, 50],
        (500, 25): [1, None, 23, 24, 25, 26, 27, None, 50],
        (500, 47): [1, None, 45, 46, 47, 48, 49, 50],
        (500, 50): [1, None, 48, 49, 50],
    }.items():
        page = InvitationPage(invitations=(), number=number, size=10, total_count=total)
        assert list(page.page_numbers) == expected, (total, number)


# --- Up to 500: one call answers everything ---------------------------------------------------


def test_the_pages_together_are_all_of_a_status_in_its_order(
    subtests: pytest.Subtests, emulator: Emulator, service: InvitationService
) -> None:
    emulator.configure(rate_limits=False)
    for status in STATUSES:
        for sort in EVERY_SORT:
            with subtests.test(status=status, sort=sort):
                rows = emulator.invitations("acme", status)
                last = -(-len(rows) // 10)
                pages = [
                    shown(service, status=status, sort=sort, page=n) for n in range(1, last + 1)
                ]
                seen = [row for page in pages for row in page.invitations]
                assert sorted(row.id for row in seen) == sorted(row.id for row in rows)
                if sort.removeprefix("-") == "address":
                    names = [row.email_address.casefold() for row in seen]
                    assert names == sorted(names, reverse=sort.startswith("-"))
                if sort.removeprefix("-") == "invited":
                    moments = [row.created_at for row in seen if row.created_at]
                    assert moments == sorted(moments, reverse=sort.startswith("-"))


@pytest.mark.parametrize("total", [0, 62, 499, 500, 501, 700])
def test_the_counts_are_what_clerk_counts(
    emulator: Emulator, service: InvitationService, total: int
) -> None:
    if not total:
        emulator.state.invitations.clear()
    fill(emulator, total, "revoked")
    expected = totals(emulator)
    assert sum(expected.values()) == total
    for status in STATUSES:
        page = shown(service, status=status)
        assert page.counts == expected
        assert page.status_count == page.total_count == expected[status]


def test_five_hundred_take_one_call_whatever_is_asked(
    emulator: Emulator, service: InvitationService
) -> None:
    fill(emulator, 500)
    service.open()
    emulator.clear_requests()
    for status in STATUSES:
        for sort in EVERY_SORT:
            page = shown(service, status=status, sort=sort, search="e", page=2, size=25)
            assert page.is_whole
            assert not page.limits
            assert len(emulator.requests) == 2  # the other one is for the seats
            assert asked(emulator) == ["limit=500&offset=0"]


def test_the_search_says_how_many_match_of_how_many(service: InvitationService) -> None:
    page = shown(service, search="northwind")
    assert 0 < page.total_count < page.status_count == 34
    assert all("northwind" in address for address in addresses(page))


def test_a_page_beyond_those_that_match_is_the_last_of_them(service: InvitationService) -> None:
    page = shown(service, search="northwind", page=99)
    assert page.number == page.query.page == page.num_pages
    assert page.invitations


def test_the_largest_answer_there_can_be_is_read(
    emulator: Emulator, service: InvitationService
) -> None:
    emulator.state.invitations.clear()
    for number in range(500):
        emulator.add_invitation(
            "acme",
            f"{number}@example.com",
            notify=False,
            public_metadata={"text": "x" * 8000},
            private_metadata={"text": "x" * 8000},
        )
    assert shown(service).total_count == 500


def test_the_list_is_not_remembered_and_no_address_is(
    emulator: Emulator, service: InvitationService, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Any] = []
    real = type(service.cache).set

    def spy(self: Any, name: str, value: Any, seconds: int) -> None:
        kept.append(value)
        real(self, name, value, seconds)

    monkeypatch.setattr(type(service.cache), "set", spy)
    fill(emulator, 700)
    shown(service)
    assert ("pending",) in kept
    assert "filled.example" not in repr(kept)
    assert "orginv_" not in repr(kept)


# --- More than 500 ---------------------------------------------------------------------------


def test_of_a_large_organization_one_status_is_fetched_and_the_others_are_counted(
    emulator: Emulator, service: InvitationService
) -> None:
    fill(emulator, 501, "accepted")
    counts = totals(emulator)
    page = shown(service, search="northwind", sort="role")
    assert page.counts == counts
    assert page.is_whole
    assert not page.limits
    assert asked(emulator) == [
        "limit=1&offset=0&status=accepted",
        "limit=1&offset=0&status=expired",
        "limit=1&offset=0&status=revoked",
        "limit=500&offset=0",  # only the first time
        "limit=500&offset=0&status=pending",
    ]
    assert shown(service, search="northwind", sort="role") == page
    assert len(asked(emulator)) == 4


def test_a_status_that_is_too_large_is_paged_by_clerk(
    emulator: Emulator, service: InvitationService
) -> None:
    fill(emulator, 1200)
    rows = [row.email_address for row in emulator.invitations("acme", "pending")]
    everybody = sorted(rows, key=str.casefold)
    shown(service)
    asked(emulator)
    for number in (1, 3, 12, 47, 999):
        page = shown(service, sort="address", page=number, size=25)
        first = (page.number - 1) * 25
        assert addresses(page) == everybody[first : first + 25]
        assert page.total_count == page.status_count == len(rows)
        assert not page.is_whole
        assert not page.limits
    assert shown(service, sort="address", page=999, size=25).number == 47
    asked(emulator)
    shown(service, sort="-address", page=2)
    assert "limit=10&offset=10&order_by=-email_address&status=pending" in asked(emulator)


def test_the_newest_of_many_are_the_same_however_they_were_fetched(
    emulator: Emulator, service: InvitationService
) -> None:
    fill(emulator, 1200)
    rows = sorted(
        emulator.invitations("acme", "pending"),
        key=lambda row: (row.created_at, row.sequence),
        reverse=True,
    )
    for page in (1, 50, 51, 116):
        cache.clear()
        for _ in ("the first time", "remembered"):
            found = addresses(shown(service, page=page))
            assert found == [row.email_address for row in rows[page * 10 - 10 : page * 10]]


def test_what_clerk_cannot_sort_is_newest_first_and_says_so(
    emulator: Emulator, service: InvitationService
) -> None:
    emulator.configure(rate_limits=False)
    fill(emulator, 1200)
    newest = addresses(shown(service))
    for sort in ("role", "-role", "expires", "-expires", "inviter", "-inviter"):
        cache.clear()
        for _ in ("the first time", "remembered"):
            page = shown(service, sort=sort)
            assert page.limits == {Limit.SORT}, sort
            assert addresses(page) == newest, sort


def test_what_clerk_cannot_tell_apart_by_role_is_shown_as_a_whole_and_says_so(
    emulator: Emulator, service: InvitationService
) -> None:
    fill(emulator, 1200)
    for _ in ("the first time", "remembered"):
        page = shown(service, role="org:billing")
        assert page.limits == {Limit.ROLE}
        assert not page.roles
        assert addresses(page) == addresses(shown(service))
    # Of a whole address there are few, and those are at hand.
    one = shown(service, search=addresses(page)[0], role="org:billing")
    assert one.limits == {Limit.WHOLE_ADDRESS}
    assert one.total_count == 0


def test_what_clerk_cannot_search_is_shown_as_a_whole_and_says_so(
    emulator: Emulator, service: InvitationService
) -> None:
    fill(emulator, 1200)
    for _ in ("the first time", "remembered"):
        page = shown(service, search="northwind")
        assert page.limits == {Limit.SEARCH}
        assert page.total_count == page.status_count
        assert addresses(page) == addresses(shown(service))


def test_a_whole_address_is_found_among_any_number(
    emulator: Emulator, service: InvitationService
) -> None:
    fill(emulator, 1200)
    for _ in ("the first time", "remembered"):
        page = shown(service, search="Sofia.Petrova@northwind.example", sort="role")
        assert addresses(page) == ["sofia.petrova@northwind.example"]
        assert page.limits == {Limit.WHOLE_ADDRESS}
        assert (page.total_count, page.status_count) == (1, totals(emulator)[PENDING])
        assert page.query.search == "Sofia.Petrova@northwind.example"
        assert not shown(service, search="sofia@northwind.example").invitations


def test_an_organization_that_became_large_or_small_is_noticed(
    emulator: Emulator, service: InvitationService
) -> None:
    shown(service)
    fill(emulator, 1200)
    page = shown(service)
    assert (page.is_whole, page.counts) == (False, totals(emulator))
    for row in emulator.invitations("acme", "pending")[600:]:
        del emulator.state.invitations[row.id]
    for row in emulator.invitations("acme", "pending")[:400]:
        row.state = "revoked"
    page = shown(service, sort="role", search="filled")
    assert (page.is_whole, page.counts) == (True, totals(emulator))  # large, but this status fits
    for row in emulator.invitations("acme", "revoked"):
        del emulator.state.invitations[row.id]
    shown(service)
    asked(emulator)
    page = shown(service)
    assert asked(emulator) == ["limit=500&offset=0"]
    assert page.counts == totals(emulator)


def test_a_large_list_is_one_round_of_calls(emulator: Emulator, service: InvitationService) -> None:
    fill(emulator, 1200)
    shown(service)
    with rounds(emulator, 5):
        shown(service, page=2)


@pytest.mark.parametrize("total", [62, 501, 1200])
def test_a_fault_of_any_call_of_the_list_is_an_error_of_the_list(
    emulator: Emulator, service: InvitationService, total: int
) -> None:
    fill(emulator, total)
    shown(service)
    emulator.fault("GET", LIST, status=500)
    snapshot = service.open(query=InvitationQuery())
    assert snapshot.page is None
    assert isinstance(snapshot.page_error, exc.ServiceUnavailable)


# --- Seats -----------------------------------------------------------------------------------


def test_seats_are_used_by_members_and_pending_invitations(
    emulator: Emulator, service: InvitationService
) -> None:
    seats = service.open(query=InvitationQuery(status=REVOKED)).seats
    assert seats == Seats(used=44, limit=100, members=10, pending=34)
    assert seats.left == 56
    assert service.open(seats=True).seats == seats
    assert service.open().seats is None
    emulator.add_invitation("acme", "new@example.com")
    later = service.with_list(service.open(), InvitationQuery())
    assert later.seats == Seats(used=45, limit=100, members=10, pending=35)


def test_how_many_are_pending_the_list_knows_best(
    emulator: Emulator, service: InvitationService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(State, "pending_count", lambda *_: 40)  # six come of its domains
    assert service.open(seats=True).seats == Seats(used=50, limit=100, members=10, pending=40)
    seats = service.open(query=InvitationQuery()).seats
    assert seats == Seats(used=44, limit=100, members=10, pending=34)


def test_an_organization_without_a_limit_has_no_seats_to_count(
    emulator: Emulator, service: InvitationService
) -> None:
    emulator.configure(organizations={"acme": {"max_allowed_memberships": 0}})
    for _ in ("asked", "remembered"):
        assert service.open(query=InvitationQuery()).seats is None
    assert Seats(used=5, limit=0, members=3, pending=2).left is None


def test_more_used_than_there_are_leaves_none(
    emulator: Emulator, service: InvitationService
) -> None:
    emulator.configure(organizations={"acme": {"max_allowed_memberships": 20}})
    seats = service.open(query=InvitationQuery()).seats
    assert seats is not None
    assert (seats.used, seats.left) == (44, 0)


def test_seats_that_cannot_be_counted_take_nothing_along(
    emulator: Emulator, service: InvitationService
) -> None:
    service.open(query=InvitationQuery())
    emulator.fault("GET", f"/v1/organizations/{service.organization_id}", status=500, times=None)
    snapshot = service.open(query=InvitationQuery())
    assert snapshot.seats is None
    assert snapshot.page is not None
    assert service.with_list(snapshot, InvitationQuery()).seats is None


def test_without_a_list_the_organization_tells_how_many_are_pending(
    emulator: Emulator, service: InvitationService
) -> None:
    service.open()
    emulator.fault("GET", LIST, status=500)
    snapshot = service.open(query=InvitationQuery())
    assert snapshot.page is None
    assert snapshot.seats == Seats(used=44, limit=100, members=10, pending=34)


# --- All that match --------------------------------------------------------------------------


@pytest.mark.parametrize(("total", "calls"), [(62, 1), (501, 1), (1200, 3)])
def test_all_that_match_are_found_on_all_pages(
    emulator: Emulator, service: InvitationService, total: int, calls: int
) -> None:
    fill(emulator, total)
    service.open()
    emulator.clear_requests()
    found = service.find_all(InvitationQuery(sort="address", page=3))
    assert len(emulator.requests) == calls
    rows = sorted(row.email_address for row in emulator.invitations("acme", "pending"))
    assert [invitation.email_address for invitation in found] == rows
    some = service.find_all(InvitationQuery(search="NORTHWIND"))
    assert len(some) == sum("northwind" in row for row in rows)
    assert all(
        one.created_at >= other.created_at
        for one, other in pairwise(some)
        if one.created_at and other.created_at
    )


def test_too_many_are_told_and_none_is_left_out(
    emulator: Emulator, service: InvitationService
) -> None:
    service.open()
    with pytest.raises(TooManyInvitations) as caught:
        service.find_all(InvitationQuery(), limit=33)
    assert caught.value.count == 34
    assert len(service.find_all(InvitationQuery(), limit=34)) == 34
    body = {"data": [], "total_count": MAX_FOUND + 1}
    emulator.fault("GET", LIST, status=200, body=body)
    with pytest.raises(TooManyInvitations):
        service.find_all(InvitationQuery())
    emulator.fault("GET", LIST, status=200, body=body)
    address = "sofia.petrova@northwind.example"
    assert len(service.find_all(InvitationQuery(search=address))) == 1


def test_a_list_that_changes_while_it_is_read_is_read_again(
    emulator: Emulator, service: InvitationService, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(emulator, 1200)
    service.open()
    real = OrganizationAPI.get_invitations
    went: list[str] = []

    def lively(times: int) -> Callable[..., Any]:
        def get_invitations(self: OrganizationAPI, **order: Any) -> Any:
            page = real(self, **order)
            if order["offset"] == 0 and len(went) < times:
                gone = emulator.invitations("acme", "pending")[3]
                gone.state = "accepted"
                went.append(gone.id)
            return page

        return get_invitations

    monkeypatch.setattr(OrganizationAPI, "get_invitations", lively(1))
    found = service.find_all(InvitationQuery())
    pending = {row.id for row in emulator.invitations("acme", "pending")}
    assert {invitation.id for invitation in found} == pending
    went.clear()
    monkeypatch.setattr(OrganizationAPI, "get_invitations", lively(9))
    with pytest.raises(exc.InvalidResponse):
        service.find_all(InvitationQuery())


def test_a_fault_in_the_middle_gives_nothing(
    emulator: Emulator, service: InvitationService
) -> None:
    fill(emulator, 1200)
    service.open()
    emulator.fault("GET", LIST, delay=0.001)  # the first page comes
    emulator.fault("GET", LIST, status=500)
    with pytest.raises(exc.ServiceUnavailable):
        service.find_all(InvitationQuery())


def test_nothing_is_found_without_having_been_let_in(service: InvitationService) -> None:
    with pytest.raises(NotPermitted):
        service.find_all(InvitationQuery())
