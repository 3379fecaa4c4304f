"""The page that the link of an invitation leads to: six states, and what each of them offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve

from org_invitations.clerk import InstanceAPI, Page
from org_invitations.emulator import Emulator
from org_invitations.services.joining import lookup
from org_invitations.signals import invitation_accepted
from tests.views.conftest import Browser, text_of
from tests.views.joining import (
    GUS,
    JOIN_URL,
    MAX,
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


@pytest.fixture
def accepted() -> Any:
    """What listeners of the signal heard."""
    heard: list[dict[str, Any]] = []

    def listen(**kwargs: Any) -> None:
        heard.append(kwargs)

    invitation_accepted.connect(listen)
    yield heard
    invitation_accepted.disconnect(listen)


# --- Arriving ------------------------------------------------------------------------------------


def test_the_ticket_leaves_the_url_by_one_redirect(invitee: Invitee, clerk: Emulator) -> None:
    row = invite(clerk)
    page = invitee.follow(row)
    assert row.ticket not in invitee.entry["Location"]
    [cookie] = [c for name, c in invitee.entry.cookies.items() if "ticket" in name]
    assert cookie.value == f"sign_in~{row.ticket}"
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 600)
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert row.ticket not in page.text
    assert invitee.entry["Referrer-Policy"] == "no-referrer"
    for answer in (invitee.entry, page):
        assert "no-store" in answer["Cache-Control"]
        assert "noindex" in answer["X-Robots-Tag"]
        assert answer["X-Frame-Options"] == "DENY"


def test_over_https_the_cookie_is_bound_to_the_host(clerk: Emulator) -> None:
    row = invite(clerk)
    url = f"{page_of(row)}?__clerk_ticket={row.ticket}&__clerk_status=sign_in"
    answer = Client().get(url, secure=True)
    [name] = [name for name in answer.cookies if "ticket" in name]
    assert name.startswith("__Host-")
    assert answer.cookies[name]["secure"]


def test_a_ticket_of_another_invitation_replaces_none_that_is_held(
    invitee: Invitee, clerk: Emulator
) -> None:
    row = invite(clerk)
    other = clerk.add_invitation("acme", "evil@example.com")
    for ticket in (row.ticket, other.ticket):
        invitee.client.get(f"{page_of(row)}?__clerk_ticket={ticket}")
    held = [c.value for name, c in invitee.client.cookies.items() if "ticket" in name]
    assert held == [f"~{row.ticket}", f"~{other.ticket}"]


def test_without_our_value_the_ticket_says_for_what_it_is(
    invitee: Invitee, clerk: Emulator
) -> None:
    row = invite(clerk, redirect_url=JOIN_URL)
    assert state_of(invitee.follow(row)) == "sign-in"
    clerk.configure(redirect_query_lost=["sign_in"])
    other = Invitee(clerk, invitee._sign_in)
    assert state_of(other.follow(invite(clerk, "gus@globex.test"))) == "sign-in"


def test_without_either_it_leads_to_ones_own_invitations(clerk: Emulator) -> None:
    assert Client().get("/join/")["Location"] == "/join/mine/"


# --- The six states ------------------------------------------------------------------------------


def test_1_the_invited_person_joins(invitee: Invitee, clerk: Emulator, accepted: Any) -> None:
    row = invite(
        clerk,
        role="org:billing",
        inviter="ada@acme.test",
        public_metadata={"team": "x"},
        private_metadata={"cost": 1},
    )
    invitee.sign_in(NORA)
    page = invitee.open(page_of(row))
    assert state_of(page) == "join"
    for words in ("Ada", "Acme", "Billing", NORA):
        assert words in text_of(page)
    assert not is_member(clerk)
    answer = invitee.press(page, "join")
    assert state_of(answer) == "joined", answer.context_data["problem"]
    assert "You have joined Acme" in text_of(answer)
    member = clerk.state.membership(row.organization_id, clerk.user(NORA).id)
    assert member is not None
    assert (member.role, member.public_metadata, member.private_metadata) == (
        "org:billing",
        {"team": "x"},
        {"cost": 1},
    )
    assert joinings() == [("done", "server")]
    [heard] = accepted
    assert heard["user_id"] == clerk.user(NORA).id
    assert (heard["invitation"].id, heard["invitation"].url) == (row.id, "")


def test_who_joined_here_is_joined_in_the_list_and_in_its_file(
    invitee: Invitee, ada: Browser, clerk: Emulator
) -> None:
    row, other = invite(clerk), invite(clerk, "other@example.com", state="revoked")
    invitee.sign_in(NORA)
    invitee.press(invitee.open(page_of(row)), "join")
    listed = ada.get("/invitations/?status=revoked")
    marks = {found.invitation.id: found.mark for found in listed.context_data["rows"]}
    assert (marks[row.id], marks[other.id]) == ("joined", "")
    assert f"/{row.id}/resend/" not in listed.text
    lines = ada.get("/invitations/export/?status=revoked").text.splitlines()
    told = {line.split(",")[0]: line.split(",")[3] for line in lines}
    assert (told[NORA], told["other@example.com"]) == ("joined", "revoked")


def test_2_somebody_else_sees_who_is_meant_and_is_never_joined(
    invitee: Invitee, clerk: Emulator
) -> None:
    row = invite(clerk, "gus@globex.test")
    invitee.sign_in(NORA)
    page = invitee.open(page_of(row))
    assert state_of(page) == "other-account"
    assert "g•••@globex.test" in text_of(page)
    assert NORA in text_of(page)
    assert "gus@globex.test" not in page.text
    assert state_of(invitee.press(page, "join")) == "other-account"
    assert row.state == "pending"
    assert not is_member(clerk, GUS)
    assert joinings() == []


def test_2_switching_ends_this_session_and_signs_in_with_the_ticket(
    invitee: Invitee, clerk: Emulator
) -> None:
    row = invite(clerk, "gus@globex.test")
    invitee.sign_in(NORA)
    page = invitee.follow(row)
    [session] = clerk.state.sessions.values()
    answer = invitee.press(page, "switch")
    assert session.ended
    assert row.ticket not in answer.text
    url = invitee.onward(answer)
    assert url.startswith(f"{clerk.base_url}/sign-in?")
    query = query_of(url)
    assert (query["__clerk_ticket"], query["__clerk_status"]) == (row.ticket, "sign_in")
    assert query["redirect_url"].startswith(JOIN_URL)
    assert not invitee.client.cookies["__session"].value


def test_2_switching_leads_to_where_the_invited_can_go_on(
    invitee: Invitee, clerk: Emulator
) -> None:
    row = invite(clerk, "new@example.com")
    invitee.sign_in(NORA)
    answer = invitee.press(invitee.follow(row), "switch")
    url = invitee.onward(answer)
    assert url.startswith(f"{clerk.base_url}/sign-up?")
    assert query_of(url)["__clerk_status"] == "sign_up"
    # Where that browser is somebody else once more, the same works again.
    path = answer.wsgi_request.path
    invitee.sign_in(GUS)
    url = invitee.onward(invitee.press(invitee.client.get(path), "switch"))
    assert query_of(url)["__clerk_ticket"] == row.ticket


def test_2_without_a_ticket_switching_leads_to_the_page_that_offers_both(
    invitee: Invitee, clerk: Emulator
) -> None:
    row = invite(clerk, "new@example.com")
    invitee.sign_in(NORA)
    page = invitee.open(page_of(row))
    answer = invitee.press(page, "switch")
    assert answer.context_data["onward_url"] == page.wsgi_request.path
    assert not invitee.client.cookies["__session"].value
    text = invitee.client.get(page.wsgi_request.path).text
    assert 'value="sign-in"' in text
    assert 'value="sign-up"' in text


def test_3_an_account_that_exists_signs_in_with_the_ticket(
    invitee: Invitee, clerk: Emulator
) -> None:
    row = invite(clerk, inviter="ada@acme.test")
    page = invitee.follow(row)
    assert state_of(page) == "sign-in"
    assert "n•••@nowhere.test" in text_of(page)
    assert NORA not in page.text
    url = invitee.onward(invitee.press(page, "sign-in"))
    assert query_of(url)["__clerk_ticket"] == row.ticket
    # For once only: the ticket and the permission are gone.
    again = invitee.client.get(f"{page.wsgi_request.path.removesuffix('invitation/')}on/")
    assert again["Location"] == page.wsgi_request.path
    assert not any(c.value for name, c in invitee.client.cookies.items() if "ticket" in name)


def test_4_somebody_without_an_account_signs_up_with_it(invitee: Invitee, clerk: Emulator) -> None:
    row = invite(clerk, "new@example.com")
    page = invitee.follow(row)
    assert state_of(page) == "sign-up"
    url = invitee.onward(invitee.press(page, "sign-up"))
    assert url.startswith(f"{clerk.base_url}/sign-up?")
    query = query_of(url)
    assert (query["__clerk_ticket"], query["__clerk_status"]) == (row.ticket, "sign_up")


def test_5_a_member_goes_on_to_the_organization(
    invitee: Invitee, clerk: Emulator, settings: Any, accepted: Any
) -> None:
    settings.ORG_INVITATIONS_REDIRECT_URL = "https://app.example.com/welcome"
    row = invite(clerk)
    invitee.sign_in(NORA)
    clerk.configure(ticket_while_signed_in="complete")
    org = clerk.organization("acme")
    clerk.add_member(org, NORA)
    row.state = "accepted"
    page = invitee.open(page_of(row))
    assert state_of(page) == "joined"
    assert joinings() == []
    handshake = invitee.onward(invitee.press(page, "continue"))
    query = query_of(handshake)
    assert handshake.startswith(f"{clerk.base_url}/v1/client/handshake?")
    assert query["organization_id"] == org.id
    assert query["redirect_url"].startswith(JOIN_URL)
    back = invitee.client.get(query["redirect_url"].removeprefix("http://testserver"))
    assert back["Location"] == "https://app.example.com/welcome"
    assert joinings() == [("done", "clerk")]
    invitee.press(page, "continue")
    assert len(accepted) == 1


def test_5_who_has_become_a_member_while_they_were_looked_up_is_one(
    invitee: Invitee, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = invite(clerk)
    invitee.sign_in(NORA)
    clerk.add_member(clerk.organization("acme"), NORA)
    row.state = "accepted"
    ask = InstanceAPI.get_organization_memberships
    answers: Iterator[Page[Any]] = iter([Page((), 0)])  # from a moment before
    monkeypatch.setattr(
        InstanceAPI,
        "get_organization_memberships",
        lambda *args, **kwargs: next(answers, None) or ask(*args, **kwargs),
    )
    assert state_of(invitee.open(page_of(row))) == "joined"


def test_6_what_is_over_is_one_neutral_page(
    invitee: Invitee, clerk: Emulator, subtests: pytest.Subtests
) -> None:
    gone = clerk.add_invitation("globex", NORA)
    clerk.configure(organizations={"globex": {"deleted": True}})
    rows = {
        "expired": invite(clerk, expires_in_days=1, created_ago=2 * 86400),
        "revoked": invite(clerk, "r@example.com", state="revoked"),
        "deleted": gone,
    }
    pages = {}
    for name, row in rows.items():
        with subtests.test(name=name):
            page = invitee.open(page_of(row))
            assert page.status_code == 410
            assert state_of(page) == "gone"
            pages[name] = text_of(page)
            for word in ("Acme", "Globex", "nowhere", "example"):
                assert word not in page.text
    invitee.sign_in(NORA)
    for name in ("expired", "deleted"):
        assert state_of(invitee.open(page_of(rows[name]))) == "gone"
    invitee.client.cookies.clear()
    unknown: Any = invitee.client.get("/join/eyJ:1a:aaaaaaaaaaaaaaaaaaaaaaaaaaa/invitation/")
    assert {*pages.values(), text_of(unknown)} == {pages["expired"]}


# --- Whoever may not -----------------------------------------------------------------------------


def test_whoever_may_not_join_does_not(
    invitee: Invitee, clerk: Emulator, subtests: pytest.Subtests
) -> None:
    for change in ({"banned": True}, {"locked": True}, {"email_verified": False}):
        with subtests.test(change=change):
            clerk.configure(users={NORA: {"banned": False, "locked": False}})
            clerk.configure(users={NORA: {"email_verified": True}})
            row = invite(clerk)
            invitee.client = Client()
            invitee.sign_in(NORA)
            clerk.configure(users={NORA: change})
            page = invitee.open(page_of(row))
            assert state_of(page) == "other-account"
            assert state_of(invitee.press(page, "join")) == "other-account"
            assert row.state == "pending"
            row.state = "revoked"
    assert joinings() == []


def test_nobody_joins_as_somebody_else(invitee: Invitee, clerk: Emulator) -> None:
    row = invite(clerk)
    invitee.sign_in(NORA, claims={"act": {"sub": clerk.user(MAX).id}})
    page = invitee.open(page_of(row))
    assert (state_of(page), page.context_data["is_barred"]) == ("other-account", True)
    invitee.press(page, "join")
    assert row.state == "pending"


def test_a_session_that_waits_for_an_organization_is_a_new_members(
    invitee: Invitee, clerk: Emulator
) -> None:
    clerk.configure(force_organization_selection=True)
    row = invite(clerk)
    invitee.sign_in(NORA)
    page = invitee.open(page_of(row))
    assert state_of(page) == "join"
    assert state_of(invitee.press(page, "join")) == "joined"
    assert is_member(clerk)


def test_a_session_that_cannot_be_read_is_not_told_to_sign_in(
    invitee: Invitee, clerk: Emulator, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CLERK_AUTHORIZED_PARTIES = ["https://elsewhere.example"]
    settings.ORG_INVITATIONS_AZP_HANDSHAKE = False
    row = invite(clerk)
    invitee.sign_in(NORA)
    page = invitee.open(page_of(row))
    assert page.status_code == 503
    assert "org_invitations" in {record.name for record in caplog.records}


def test_no_middleware_asks_for_a_login(clerk: Emulator) -> None:
    for path in ("/join/", "/join/mine/", page_of(invite(clerk)), f"{page_of(invite(clerk))}on/"):
        assert resolve(path).func.login_required is False  # type: ignore[attr-defined]


def test_it_goes_on_by_itself_whatever_the_sites_layout(invitee: Invitee, clerk: Emulator) -> None:
    answer = invitee.press(invitee.follow(invite(clerk)), "sign-in")
    assert answer["Refresh"] == f"0; url={answer.context_data['onward_url']}"


# --- GET and HEAD --------------------------------------------------------------------------------


def test_looking_changes_nothing(invitee: Invitee, clerk: Emulator) -> None:
    row = invite(clerk)
    invitee.sign_in(NORA)
    url = page_of(row)
    for _ in range(2):
        for path in (url, f"{url}invitation/", f"{url}on/", "/join/", "/join/mine/"):
            for call in (invitee.client.get, invitee.client.head):
                call(path)
                call(f"{path}?action=join&__clerk_ticket={row.ticket}&__clerk_status=complete")
    assert row.state == "pending"
    assert joinings() == []
    assert {call.method for call in clerk.requests} == {"GET"}


def test_a_scanner_of_mails_changes_nothing(clerk: Emulator) -> None:
    rows = [invite(clerk), invite(clerk, "new@example.com")]
    scanner = Client()
    for opened in clerk.scan():
        if opened.location and opened.location.startswith(JOIN_URL):
            path = opened.location.removeprefix("http://testserver")
            for call in (scanner.head, scanner.get):
                answer = call(path)
                assert call(answer["Location"]).status_code == 200
    assert [row.state for row in rows] == ["pending", "pending"]
    assert joinings() == []


# --- Where there are many ------------------------------------------------------------------------


def test_it_is_found_among_however_many(
    invitee: Invitee, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "_PAGE", 5)
    clerk.configure(rate_limits=False, organizations={"acme": {"max_allowed_memberships": 0}})
    row = invite(clerk, created_ago=86400)
    for number in range(12):
        invite(clerk, f"p{number}@example.com")
        invite(clerk, f"r{number}@example.com", state="revoked")
    url = page_of(row)
    assert state_of(invitee.open(url)) == "sign-in"
    # Whoever has the address, confirmed or not, needs no search.
    clerk.configure(users={NORA: {"email_verified": False}})
    invitee.sign_in(NORA)
    clerk.clear_requests()
    assert invitee.open(url).context_data["is_unverified"]
    listed = [call for call in clerk.requests if call.path.endswith("/invitations")]
    assert len(listed) == 1
