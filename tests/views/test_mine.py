"""What a signed-in person is invited to: the page, and the number on any page of a site."""

from __future__ import annotations

from typing import Any

import pytest
from django.template import Context, Template
from django.test import Client, RequestFactory

from org_invitations.emulator import Emulator
from org_invitations.middleware import ClerkSessionMiddleware
from org_invitations.testing import SignIn
from tests.views.conftest import text_of
from tests.views.joining import (
    JOIN_URL,
    NORA,
    Invitee,
    invite,
    is_member,
    query_of,
    state_of,
)


@pytest.fixture(autouse=True)
def _mounted(settings: Any) -> None:
    settings.ORG_INVITATIONS_JOIN_URL = JOIN_URL


@pytest.fixture
def invitee(clerk: Emulator, clerk_sign_in: SignIn) -> Invitee:
    return Invitee(clerk, clerk_sign_in)


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
