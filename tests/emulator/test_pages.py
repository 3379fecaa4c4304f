"""The pages: front, sign-in, and the mailbox whose links accept an invitation."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from org_invitations.emulator import Emulator


def accepted(answer: Any) -> tuple[str, dict[str, list[str]]]:
    assert answer.status == 302, answer.body
    parts = urlsplit(answer.header("location"))
    return f"{parts.scheme}://{parts.netloc}{parts.path}", parse_qs(parts.query)


def test_the_front_page_leads_on(browser: Any) -> None:
    page = browser.open("/").body.decode()
    for text in ("/sign-in", "/mailbox", "ada@acme.test", "CLERK_SECRET_KEY", "pk_test_"):
        assert text in page
    browser.sign_in("ada@acme.test")
    assert "/sign-out" in browser.open("/").body.decode()


def test_one_button_for_each_person(browser: Any, emulator: Emulator) -> None:
    page = browser.open("/sign-in?redirect_url=http://localhost:8000/a?b=%22c").body.decode()
    addresses = re.findall(r'<button class="row" name="user" value="([^"]+)"', page)
    assert addresses[:6] == [
        "ada@acme.test",
        "max@acme.test",
        "mia@acme.test",
        "gus@globex.test",
        "bo@both.test",
        "nora@nowhere.test",
    ]
    assert len(addresses) == len(set(addresses)) == len(emulator.state.users)
    assert 'value="http://localhost:8000/a?b=&quot;c"' in page


def test_nobody_signs_in_who_is_not_there(browser: Any) -> None:
    answer = browser.open("/sign-in", method="POST", form={"user": "<b>@x.co"})
    assert answer.status == 422
    assert "&lt;b&gt;@x.co" in answer.body.decode()


def test_after_signing_in_the_site_is_next(browser: Any) -> None:
    assert browser.sign_in("ada@acme.test").startswith("http://localhost:8000/?__clerk_db_jwt=")


def test_every_invitation_has_a_mail(browser: Any, api: Any, emulator: Emulator) -> None:
    invitation = api.invite("new@example.com", inviter_user_id=emulator.user("mia@acme.test").id)
    page = browser.open("/mailbox").body.decode()
    assert page.count("/mailbox/orginv_") == 72
    assert page.index("new@example.com") < page.index("anna.virtanen@lumen.example")
    one = browser.open("/mailbox?to=NEW@example").body.decode()
    assert one.count("/mailbox/orginv_") == 1
    mail = browser.open(f"/mailbox/{invitation['id']}").body.decode()
    assert "Mia Tanaka has invited you to join Acme as Member" in mail
    assert urlsplit(invitation["url"]).query in mail
    assert browser.open("/mailbox/orginv_none").status == 404


def test_no_mail_when_nobody_is_to_be_notified(browser: Any, api: Any) -> None:
    invitation = api.invite(notify=False)
    assert browser.open(f"/mailbox/{invitation['id']}").status == 404
    assert browser.open(invitation["url"]).status == 302


def test_following_the_link_joins_the_organization(
    browser: Any, api: Any, emulator: Emulator
) -> None:
    invitation = api.invite(
        "new@example.com",
        role="org:billing",
        public_metadata={"team": "x"},
        private_metadata={"cost": 1},
        redirect_url="https://app.example.com/welcome?a=b",
    )
    target, query = accepted(browser.open(invitation["url"]))
    assert target == "https://app.example.com/welcome"
    assert query["__clerk_status"] == ["sign_up"]
    assert query["__clerk_ticket"]
    assert query["a"] == ["b"]
    [member] = api.get(f"/organizations/{api.acme}/memberships", email_address="new@example.com")[
        "data"
    ]
    assert member["role"] == "org:billing"
    assert member["public_metadata"] == {"team": "x"}
    assert member["private_metadata"] == {"cost": 1}
    settled = api.get(f"/organizations/{api.acme}/invitations/{invitation['id']}")
    assert (settled["status"], settled["url"]) == ("accepted", None)
    again = browser.open(invitation["url"])
    assert again.status == 400
    assert b"organization_invitation_already_accepted" in again.body


def test_somebody_known_is_to_sign_in(browser: Any, api: Any) -> None:
    invitation = api.invite("nora@nowhere.test")
    target, query = accepted(browser.open(invitation["url"]))
    assert target == "http://localhost:8000/"
    assert query["__clerk_status"] == ["sign_in"]


def test_somebody_signed_in_is_complete(browser: Any, api: Any, emulator: Emulator) -> None:
    browser.sign_in("nora@nowhere.test")
    _, query = accepted(browser.open(api.invite("nora@nowhere.test")["url"]))
    assert query["__clerk_status"] == ["complete"]
    [session] = emulator.state.sessions.values()
    assert session.organization_id == api.acme


def test_somebody_else_signed_in_stays_who_they_are(browser: Any, api: Any) -> None:
    browser.sign_in("max@acme.test")
    _, query = accepted(browser.open(api.invite("nora@nowhere.test")["url"]))
    assert query["__clerk_status"] == ["sign_in"]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("revoked", b"organization_invitation_revoked_code"),
        ("accepted", b"organization_invitation_already_accepted"),
        ("expired", b"ticket_expired_code"),
    ],
)
def test_a_link_that_is_over_says_so(
    browser: Any, emulator: Emulator, status: str, code: bytes
) -> None:
    row = emulator.invitations("acme", status)[0]
    answer = browser.open(emulator.accept_url(row.ticket))
    assert answer.status == 400
    assert code in answer.body
    assert b"<h1>This invitation has" in answer.body


def test_links_to_nowhere(browser: Any, emulator: Emulator) -> None:
    assert b"ticket_invalid_code" in browser.open("/v1/tickets/accept?ticket=x").body
    row = emulator.invitations("globex", "pending")[0]
    emulator.configure(organizations={"globex": {"deleted": True}})
    answer = browser.open(emulator.accept_url(row.ticket))
    assert b"organization_invitation_to_deleted_organization" in answer.body


def test_a_scanner_that_only_asks_for_the_head_accepts_nothing(
    browser: Any, emulator: Emulator
) -> None:
    row = emulator.invitations("acme", "pending")[0]
    browser.open(emulator.accept_url(row.ticket), method="HEAD")
    assert row.status(emulator.clock.now_ms()) == "pending"


def test_what_is_shown_is_escaped(browser: Any, api: Any, emulator: Emulator) -> None:
    emulator.configure(organizations={"acme": {"name": "<script>alert(1)</script>"}})
    invitation = api.invite()
    browser.sign_in("ada@acme.test")
    for path in ("/", "/sign-in", "/switch", "/mailbox", f"/mailbox/{invitation['id']}"):
        page = browser.open(path).body.decode()
        assert "<script>" not in page, path
        assert "&lt;script&gt;" in page, path
    assert "<script>" not in browser.open("/mailbox?to=%22><script>").body.decode()


def test_a_page_that_is_not_there(browser: Any) -> None:
    answer = browser.open("/nothing")
    assert (answer.status, answer.header("content-type")) == (404, "text/html; charset=utf-8")
