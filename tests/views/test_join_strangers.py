"""What strangers can learn, use up, or put in the way on the pages for joining."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import signing
from django.test import Client

from org_invitations.emulator import Emulator
from org_invitations.services.joining import strangers
from tests.views.conftest import text_of
from tests.views.joining import (
    NORA,
    Invitee,
    invite,
    make_ticket,
    page_of,
    query_of,
    state_of,
)

pytestmark = pytest.mark.usefixtures("joining")


@pytest.fixture
def invitee(invitee: Invitee) -> Invitee:
    invitee.clerk.configure(rate_limits=False)
    return invitee


def ticket_of(url: str) -> str | None:
    return query_of(url).get("__clerk_ticket")


# --- Tickets that stand in the way ---------------------------------------------------------------


def test_a_planted_ticket_takes_nobodys_place(
    invitee: Invitee, clerk: Emulator, subtests: pytest.Subtests
) -> None:
    """Whoever has somebody's link can put another ticket into it; the right one still counts."""
    for order in ("planted first", "planted last"):
        with subtests.test(order=order):
            row = invite(clerk, f"{order[-1]}@example.com")
            url = page_of(row)
            planted = clerk.add_invitation("acme", f"evil-{order[-1]}@example.com")
            invitee.client = Client()
            links = [f"{url}?__clerk_ticket={planted.ticket}&__clerk_status=sign_in"]
            links.insert(order == "planted first", f"{url}?__clerk_ticket={row.ticket}")
            for link in links:
                page = invitee.open(link)
            assert ticket_of(invitee.onward(invitee.press(page, "sign-in"))) == row.ticket


def test_however_many_links_were_opened_the_last_one_works(
    invitee: Invitee, clerk: Emulator
) -> None:
    for number in range(5):
        ids = {"oid": "org_a", "sid": f"orginv_{number}"}
        invitee.client.get(f"/join/?__clerk_ticket={make_ticket(**ids)}")
    row = invite(clerk)
    page = invitee.follow(row)
    assert ticket_of(invitee.onward(invitee.press(page, "sign-in"))) == row.ticket


# --- What is signed ------------------------------------------------------------------------------


def test_nothing_is_signed_that_a_stranger_says(
    invitee: Invitee, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed: list[Any] = []
    dumps = signing.dumps

    def note(value: Any, *args: Any, **kwargs: Any) -> str:
        signed.append(value)
        return dumps(value, *args, **kwargs)

    monkeypatch.setattr(signing, "dumps", note)
    ticket = make_ticket(oid="org_made", sid="orginv_up")
    page = invitee.open(f"/join/?__clerk_ticket={ticket}")
    assert state_of(page) == "gone"
    invitee.press(page, "sign-in")
    unknown: Any = invitee.client.get(f"/join/{'a' * 30}:1a:{'b' * 27}/invitation/")
    answer = invitee.press(unknown, "sign-in")
    assert answer.context_data["onward_url"].startswith(f"{clerk.base_url}/sign-in?")
    assert signed == []


# --- What is shown -------------------------------------------------------------------------------


def test_strangers_do_not_read_the_inviters_address(invitee: Invitee, clerk: Emulator) -> None:
    boss = clerk.add_user("boss@acme.test", "", "")
    clerk.add_member("acme", "boss@acme.test", "org:admin")
    row = invite(clerk, inviter=boss.email_address)
    for page in (invitee.follow(row), invitee.open(page_of(row))):
        assert "boss" not in page.text
        assert "You have been invited to Acme" in text_of(page)
    invitee.sign_in("gus@globex.test")
    page = invitee.open(page_of(row))
    assert (state_of(page), "boss" in page.text) == ("other-account", False)
    invitee.sign_in(NORA)
    assert "boss@acme.test" in text_of(invitee.open(page_of(row)))


# --- What they use up ----------------------------------------------------------------------------


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "MAX_OF_A_CLIENT", 3)
    monkeypatch.setattr(strangers, "MAX_OF_A_LINK", 12)
    monkeypatch.setattr(strangers, "MAX_OF_TICKETS", 12)


def look(url: str, address: str) -> int:
    client = Client(REMOTE_ADDR=address)
    entry = client.get(url)
    return client.get(entry["Location"]).status_code if entry.status_code == 302 else 0


def test_one_stranger_uses_nothing_up_for_the_others(clerk: Emulator, few: None) -> None:
    clerk.configure(rate_limits=False)
    row = invite(clerk)
    link, by_ticket = page_of(row), f"/join/?__clerk_ticket={row.ticket}"
    for url in (link, by_ticket):
        seen = [look(url, "8.8.8.8") for _ in range(strangers.MAX_OF_A_CLIENT * 3)]
        assert seen.count(200) == strangers.MAX_OF_A_CLIENT
        assert look(url, "8.8.8.8") == 503
        assert look(url, "9.9.9.9") == 200
    # Of one network there are many addresses.
    net = [look(link, f"2600:1f16::{n:x}") for n in range(1, strangers.MAX_OF_A_CLIENT + 2)]
    assert (net[0], net[-1]) == (200, 503)
    assert look(link, "2600:1f17::1") == 200


def test_who_is_signed_in_looks_at_others_no_more_often(
    invitee: Invitee, clerk: Emulator, few: None
) -> None:
    own, others = invite(clerk), invite(clerk, "gus@globex.test")
    invitee.sign_in(NORA)
    seen = [invitee.open(page_of(others)).status_code for _ in range(4)]
    assert seen == [200, 200, 200, 503]
    assert state_of(invitee.open(page_of(own))) == "join"
    other = Invitee(clerk, invitee._sign_in)
    other.sign_in("max@acme.test")
    assert state_of(other.open(page_of(others))) == "other-account"


def test_which_networks_are_told_apart() -> None:
    for address, network in {
        "8.8.8.8": "8.8.8.8",
        "::ffff:8.8.8.8": "8.8.8.8",
        "2600:1f16::5": "26001f1600000000",
        "10.0.0.1": "",
        "::1": "",
        "fe80::1%eth0": "",
        "unix:": "",
        "": "",
    }.items():
        assert strangers.get_network(address) == network


def test_behind_a_proxy_that_is_not_told_apart_all_share_what_there_is(
    clerk: Emulator, few: None
) -> None:
    clerk.configure(rate_limits=False)
    url = page_of(invite(clerk))
    seen = [look(url, "10.0.0.1") for _ in range(strangers.MAX_OF_A_LINK + 1)]
    assert seen.count(200) == strangers.MAX_OF_A_LINK


# --- Behind a proxy that ends TLS ----------------------------------------------------------------


def test_cookies_are_bound_to_https_by_what_the_settings_say(
    clerk: Emulator, settings: Any
) -> None:
    """The proxy speaks http to the site, which has no SECURE_PROXY_SSL_HEADER."""
    settings.ORG_INVITATIONS_JOIN_URL = "https://testserver/join/"
    row = invite(clerk)
    client = Client()
    entry = client.get(f"{page_of(row)}?__clerk_ticket={row.ticket}&__clerk_status=sign_in")
    page: Any = client.get(entry["Location"])
    answer = client.post(entry["Location"], {"action": "sign-in", "invitation": row.id})
    gone = client.get(entry["Location"].replace("/invitation/", "/on/"))
    assert ticket_of(gone["Location"]) == row.ticket
    assert state_of(page) == "sign-in"
    cookies = [*entry.cookies.items(), *answer.cookies.items(), *gone.cookies.items()]
    ours = [(name, cookie) for name, cookie in cookies if "org_invitations" in name]
    assert len(ours) == 4  # set and dropped, both
    for name, cookie in ours:
        assert name.startswith("__Host-")
        assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
