"""Where the links of invitations lead that the app makes: by each way, and by each setting."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured

from org_invitations.clerk import Invitation, InvitationStatus
from org_invitations.emulator import Emulator
from org_invitations.identity import Identity
from org_invitations.services.joining.links import find_target, loads
from org_invitations.testing import SignIn
from tests.views.conftest import Browser, text_of
from tests.views.inviting import press, review_of, type_in
from tests.views.joining import JOIN_URL, NORA, Invitee, invite, is_member, page_of, state_of

WELCOME = "https://app.example.com/welcome"
TEAM = "https://app.example.com/team"
NEW = "new@example.com"


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.ORG_INVITATIONS_REDIRECT_URL = WELCOME
    settings.ORG_INVITATIONS_REDIRECT_URLS = [(TEAM, "Team")]


def newest(clerk: Emulator, address: str = NEW) -> Any:
    rows = [row for row in clerk.invitations("acme", "pending") if row.email_address == address]
    return rows[-1]


def as_read(row: Any) -> Invitation:
    return Invitation(row.id, row.email_address, row.role, row.role, InvitationStatus.PENDING)


def value_in(url: str) -> Any:
    assert url.startswith(JOIN_URL), url
    return loads(urlsplit(url).path.removeprefix("/join/").strip("/"))


def test_without_the_setting_nothing_changes(
    ada: Browser, clerk: Emulator, settings: Any, subtests: pytest.Subtests
) -> None:
    for number, (url, ways) in enumerate(
        [("", None), ("", ["link"]), (JOIN_URL, ["script", "server"]), (JOIN_URL, [])]
    ):
        with subtests.test(url=url, ways=ways):
            settings.ORG_INVITATIONS_JOIN_URL = url
            settings.ORG_INVITATIONS_JOIN_WAYS = ways
            address = f"new{number}@example.com"
            ada.invite(address)
            assert newest(clerk, address).redirect_url == WELCOME


def test_one_many_and_those_sent_again_lead_to_the_pages(
    ada: Browser, clerk: Emulator, settings: Any
) -> None:
    settings.ORG_INVITATIONS_JOIN_URL = JOIN_URL.rstrip("/")  # a slash is added
    ada.invite(NEW)
    first = newest(clerk)
    value = value_in(first.redirect_url)
    assert value.names(as_read(first))
    assert NEW.partition("@")[0] not in first.redirect_url
    url = f"/invitations/{first.id}/resend/"
    batch = ada.get(url).context_data["batch_id"]
    ada.post(url, {"batch": batch, "role": "org:member", "expires_in_days": "3"})
    again = newest(clerk)
    assert again.id != first.id
    assert value_in(again.redirect_url).names(as_read(again))
    assert again.redirect_url != first.redirect_url
    press(ada, review_of(type_in(ada, "a@x.co, b@x.co")))
    made = [newest(clerk, address) for address in ("a@x.co", "b@x.co")]
    values = {row.email_address: value_in(row.redirect_url) for row in made}
    assert len(values) == len({value.address_digest for value in values.values()}) == 2


def test_what_the_inviter_chose_is_where_one_ends_up(
    ada: Browser, clerk: Emulator, settings: Any
) -> None:
    settings.ORG_INVITATIONS_JOIN_URL = JOIN_URL
    ada.invite(NEW, redirect_url=TEAM)
    assert find_target(value_in(newest(clerk).redirect_url)) == TEAM
    ada.invite("other@example.com")
    assert find_target(value_in(newest(clerk, "other@example.com").redirect_url)) == WELCOME


def test_the_ways_that_a_site_leaves_out_are_not_gone(
    clerk: Emulator, clerk_sign_in: SignIn, settings: Any, subtests: pytest.Subtests
) -> None:
    settings.ORG_INVITATIONS_JOIN_URL = JOIN_URL
    invitee = Invitee(clerk, clerk_sign_in)
    invitee.sign_in(NORA)
    row = invite(clerk)
    for ways, script, joins in (
        (["link"], False, False),
        (["script"], True, False),
        (["link", "server"], False, True),
        (["script", "server"], True, True),
    ):
        with subtests.test(ways=ways):
            settings.ORG_INVITATIONS_JOIN_WAYS = ways
            page = invitee.open(page_of(row))
            assert (f"{row.id}/accept" in page.text) is script
            assert ('value="join"' in page.text) is (script or joins)
            if joins:
                continue
            answer = invitee.press(page, "join")
            assert "another page" in text_of(answer)
            assert (row.state, is_member(clerk)) == ("pending", False)
    settings.ORG_INVITATIONS_JOIN_WAYS = ["server"]
    assert state_of(invitee.press(invitee.open(page_of(row)), "join")) == "joined"


def who_it_is(request: Any) -> Any:
    """An identity of a site's own."""
    user = request.COOKIES.get("user", "")
    return Identity(user) if user else None


def test_a_site_with_an_identity_of_its_own(
    clerk: Emulator, clerk_sign_in: SignIn, settings: Any
) -> None:
    settings.ORG_INVITATIONS_JOIN_URL = JOIN_URL
    settings.ORG_INVITATIONS_IDENTITY = f"{__name__}.who_it_is"
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "ClerkSession" not in name]
    invitee = Invitee(clerk, clerk_sign_in)
    row = invite(clerk)
    assert state_of(invitee.follow(row)) == "sign-in"
    invitee.client.cookies["user"] = clerk.user("gus@globex.test").id
    page = invitee.open(page_of(row))
    assert (state_of(page), page.context_data["can_switch"]) == ("other-account", False)
    assert "Sign out of this site" in text_of(invitee.press(page, "switch"))
    invitee.client.cookies["user"] = clerk.user(NORA).id
    page = invitee.open(page_of(row))
    assert (state_of(page), page.context_data["accept_url"]) == ("join", "")
    joined = invitee.press(page, "join")
    assert state_of(joined) == "joined"
    assert invitee.onward(invitee.press(joined, "continue")) == WELCOME


def test_a_mount_without_the_setting_says_what_is_missing(client: Any, settings: Any) -> None:
    settings.ORG_INVITATIONS_JOIN_URL = ""
    with pytest.raises(ImproperlyConfigured, match="ORG_INVITATIONS_JOIN_URL"):
        client.get("/join/")


def test_an_inviter_who_may_not_any_more_is_asked_for_whatever_the_way(
    clerk: Emulator, clerk_sign_in: SignIn, settings: Any, subtests: pytest.Subtests
) -> None:
    settings.ORG_INVITATIONS_JOIN_URL = JOIN_URL
    settings.ORG_INVITATIONS_JOIN_CHECKS_INVITER = True
    row = invite(clerk, inviter="ada@acme.test")
    ada = {"organization": "acme", "user": "ada@acme.test"}
    for role, may in (("org:admin", True), ("org:member", False)):
        clerk.configure(memberships=[{**ada, "role": role}])
        invitee = Invitee(clerk, clerk_sign_in)
        for user, action in (("", "sign-in"), ("gus@globex.test", "switch")):
            with subtests.test(role=role, action=action):
                if user:
                    invitee.sign_in(user)
                answer = invitee.press(invitee.follow(row), action)
                assert ("may not invite people" in text_of(answer)) is not may
                assert bool(answer.context_data.get("onward_url")) is may
        invitee.sign_in(NORA)
        for ways in (["script"], ["script", "server"]):
            with subtests.test(role=role, ways=ways):
                settings.ORG_INVITATIONS_JOIN_WAYS = ways
                page = invitee.open(page_of(row))
                assert (f"{row.id}/accept" in page.text) is may
                if not may:
                    answer = invitee.press(page, "join")
                    assert "may not invite people" in text_of(answer)
    assert row.state == "pending"
    clerk.fault("GET", "*/organizations/*/memberships", status=500, times=None)
    assert f"{row.id}/accept" not in invitee.open(page_of(row)).text
