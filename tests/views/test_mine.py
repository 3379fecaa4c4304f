"""What a signed-in person is invited to: the page, and the number on any page of a site."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.utils import timezone

from org_invitations.clients import forget_clients
from org_invitations.emulator import Emulator
from org_invitations.middleware import ClerkSessionMiddleware
from org_invitations.models import Joining
from org_invitations.services.joining.rows import FINISHABLE
from tests.views.conftest import text_of
from tests.views.joining import (
    JOIN_URL,
    NORA,
    Invitee,
    invite,
    is_member,
    joinings,
    page_of,
    query_of,
    state_of,
)

pytestmark = pytest.mark.usefixtures("joining")


def mine(invitee: Invitee) -> Any:
    return invitee.client.get("/join/mine/")


def test_only_what_waits_for_a_verified_address_is_there(invitee: Invitee, clerk: Emulator) -> None:
    clerk.configure(users={NORA: {"other_addresses": {"n@work.test": True, "x@y.test": False}}})
    first, second = invite(clerk), invite(clerk, "n@work.test", "globex")
    invite(clerk, "x@y.test")
    invite(clerk, NORA, "globex", state="revoked")
    invitee.sign_in(NORA)
    page = mine(invitee)
    ids = {row["invitation"].id for row in page.context_data["rows"]}
    assert ids == {first.id, second.id}
    for row in page.context_data["rows"]:
        assert state_of(invitee.client.get(row["url"])) == "join"
    assert not any(one.ticket in page.text for one in (first, second))


def test_a_press_joins_and_another_declines(invitee: Invitee, clerk: Emulator) -> None:
    keep, other = invite(clerk), invite(clerk, NORA, "globex")
    invitee.sign_in(NORA)
    urls = {row["invitation"].id: row["url"] for row in mine(invitee).context_data["rows"]}
    declined: Any = invitee.client.post(urls[other.id], {"action": "decline"})
    assert "You have declined it" in text_of(declined)
    assert (other.state, is_member(clerk, NORA, "globex")) == ("revoked", False)
    joined: Any = invitee.client.post(urls[keep.id], {"action": "join"})
    assert state_of(joined) == "joined"
    assert mine(invitee).context_data["rows"] == []


def test_signed_out_one_signs_in_first(invitee: Invitee, clerk: Emulator) -> None:
    answer = mine(invitee)
    assert answer["Location"].startswith(f"{clerk.base_url}/sign-in?")
    assert query_of(answer["Location"])["redirect_url"] == f"{JOIN_URL}mine/"


def test_nobody_looks_as_somebody_else(invitee: Invitee, clerk: Emulator) -> None:
    invite(clerk)
    invitee.sign_in(NORA, claims={"act": {"sub": "user_x"}})
    assert mine(invitee).context_data["rows"] == []


def test_a_silent_clerk_is_said(invitee: Invitee, clerk: Emulator) -> None:
    invitee.sign_in(NORA)
    clerk.fault("GET", "*/users/*", times=None, status=500)
    assert mine(invitee).status_code == 503


def number(client: Client) -> str:
    request = RequestFactory().get("/", headers={"Cookie": client.cookies.output([], "", ";")})
    ClerkSessionMiddleware(lambda _: None)._attach(request)
    source = "{% load org_invitations %}{% org_invitations_my_count as n %}{{ n }}"
    return Template(source).render(Context({"request": request}))


def test_their_number_stands_on_any_page(invitee: Invitee, clerk: Emulator) -> None:
    assert number(invitee.client) == ""
    invite(clerk), invite(clerk, NORA, "globex")
    invitee.sign_in(NORA)
    assert number(invitee.client) == "2"
    clerk.clear_requests()
    assert number(invitee.client) == "2"
    assert clerk.requests == []
    # Whoever joins or declines sees it at once.
    [first, _] = mine(invitee).context_data["rows"]
    invitee.client.post(first["url"], {"action": "decline"})
    assert number(invitee.client) == "1"


def test_no_page_fails_over_it(invitee: Invitee, clerk: Emulator) -> None:
    invitee.sign_in(NORA)
    clerk.fault("GET", "*/users/*", times=None, drop="before")
    assert number(invitee.client) == ""
    source = "{% load org_invitations %}{% org_invitations_my_count %}"
    assert Template(source).render(Context()) == ""


# --- What was begun ------------------------------------------------------------------------------


def leave_half(invitee: Invitee, clerk: Emulator, row: Any) -> None:
    """Press Join, and let the membership be missing after our revocation."""
    clerk.fault("POST", "*/memberships", status=429, times=None)
    invitee.press(invitee.open(page_of(row)), "join")
    clerk.faults.clear()
    forget_clients()
    assert (row.state, joinings()[-1]) == ("revoked", ("revoked", "server"))


def test_what_was_begun_is_finished_from_there(
    invitee: Invitee, clerk: Emulator, no_pause: None
) -> None:
    """The link of the mail leads nowhere any more, and the page may have been closed."""
    row, waits = invite(clerk), invite(clerk, NORA, "globex")
    invitee.sign_in(NORA)
    leave_half(invitee, clerk, row)
    page = mine(invitee)
    rows = {found["invitation"].id: found for found in page.context_data["rows"]}
    assert {id_: found["is_begun"] for id_, found in rows.items()} == {
        row.id: True,
        waits.id: False,
    }
    assert "Joining was begun" in text_of(page)
    assert number(invitee.client) == "2"
    joined: Any = invitee.client.post(rows[row.id]["url"], {"action": "join"})
    assert state_of(joined) == "joined"
    assert is_member(clerk)
    assert [found["invitation"].id for found in mine(invitee).context_data["rows"]] == [waits.id]


def test_what_can_not_be_finished_is_not_there(
    invitee: Invitee, clerk: Emulator, no_pause: None, subtests: pytest.Subtests
) -> None:
    row = invite(clerk)
    invitee.sign_in(NORA)
    leave_half(invitee, clerk, row)
    begun = Joining.objects.values("created_at", "user_id").get()
    changes: dict[str, dict[str, Any]] = {
        "late": {"created_at": timezone.now() - FINISHABLE},
        "somebody else's": {"user_id": clerk.user("gus@globex.test").id},
    }
    for name, change in changes.items():
        with subtests.test(name=name):
            Joining.objects.update(**change)
            assert mine(invitee).context_data["rows"] == []
            Joining.objects.update(**begun)
    clerk.add_member("acme", NORA)  # by hand, and away again
    assert mine(invitee).context_data["rows"] == []
    clerk.state.memberships.pop()
    cache.clear()
    assert mine(invitee).context_data["rows"] == []
    assert state_of(invitee.open(page_of(row))) == "gone"


def test_what_cannot_be_done_by_the_ways_of_a_site_is_not_offered(
    invitee: Invitee, clerk: Emulator, settings: Any, subtests: pytest.Subtests
) -> None:
    row = invite(clerk)
    invitee.sign_in(NORA)
    for ways, checks, script, buttons in (
        (["link", "script", "server"], False, True, ["join", "decline"]),
        (["link", "server"], False, False, ["join", "decline"]),
        (["script"], False, True, ["join", "decline"]),
        (["link"], False, False, []),
        # Whether the inviter still may is asked on the invitation's own page.
        (["script"], True, False, []),
        (["script", "server"], True, False, ["join", "decline"]),
    ):
        with subtests.test(ways=ways, checks=checks):
            settings.ORG_INVITATIONS_JOIN_WAYS = ways
            settings.ORG_INVITATIONS_JOIN_CHECKS_INVITER = checks
            page = mine(invitee)
            assert (f"{row.id}/accept" in page.text, "join.js" in page.text) == (script, script)
            assert re.findall(r'name="action"\s+value="(\w+)"', page.text) == buttons
            assert "Acme</a>" in page.text
    settings.ORG_INVITATIONS_JOIN_WAYS = ["link"]
    url = mine(invitee).context_data["rows"][0]["url"]
    for action in ("join", "decline"):
        answer: Any = invitee.client.post(url, {"action": action})
        assert (answer.status_code, row.state) == (409, "pending")
