"""The pages: front, sign-in, and the mailbox."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from org_invitations.emulator import Emulator


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
