"""What somebody who means harm can try on the pages for joining."""

from __future__ import annotations

import logging
import re
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from django.core import signing
from django.core.cache import cache
from django.db import connection
from django.test import Client

from org_invitations.converters import JoinValueConverter
from org_invitations.emulator import Emulator
from org_invitations.models import InvitationAsk, Joining
from org_invitations.services.joining import lookup, strangers
from org_invitations.services.joining.asks import MAX_ASKS
from org_invitations.services.joining.links import (
    JoinValue,
    get_digest,
    loads,
    make_link,
    read_ticket,
)
from org_invitations.testing import SignIn
from tests.views.conftest import Browser, text_of
from tests.views.joining import (
    GUS,
    JOIN_URL,
    NORA,
    Invitee,
    invite,
    is_member,
    joinings,
    make_ticket,
    page_of,
    query_of,
    state_of,
    value_of,
)

pytestmark = pytest.mark.usefixtures("joining")


@pytest.fixture
def invitee(invitee: Invitee) -> Invitee:
    invitee.clerk.configure(rate_limits=False)
    return invitee


# --- The value -----------------------------------------------------------------------------------


def test_a_value_that_is_replayed_shows_what_is_so_now(invitee: Invitee, clerk: Emulator) -> None:
    row = invite(clerk)
    url = page_of(row)
    invitee.sign_in(NORA)
    assert state_of(invitee.press(invitee.open(url), "join")) == "joined"
    nora = clerk.user(NORA).id
    clerk.state.memberships = [m for m in clerk.state.memberships if m.user_id != nora]
    page = invitee.open(url)
    assert state_of(page) == "gone"
    invitee.press(page, "join")
    assert not is_member(clerk)


def test_nobody_makes_up_a_value(
    invitee: Invitee, clerk: Emulator, settings: Any, subtests: pytest.Subtests
) -> None:
    row = invite(clerk)
    good = value_of(row)
    body, stamp, signature = good.split(":")
    other = JoinValue(clerk.organization("globex").id, "a" * 32).dumps()
    forged = {
        "another body": f"{other.split(':')[0]}:{stamp}:{signature}",
        "cut": good[:-1],
        "another stamp": f"{body}:1aaaaa:{signature}",
        "another salt": signing.dumps([row.organization_id, "", "", ""]),
        "other parts": signing.dumps({"a": 1}, salt="org_invitations.joining"),
    }
    settings.SECRET_KEY = "another"
    forged["another key"] = value_of(row)
    settings.SECRET_KEY = "tests-only"
    invitee.sign_in(NORA)
    for name, value in forged.items():
        with subtests.test(name=name):
            assert loads(value) is None
            page = invitee.client.get(f"/join/{value}/invitation/")
            assert page.status_code == 410
            assert "Acme" not in page.text
    assert loads(good) is not None


def test_a_link_of_an_older_version_leads_here_still(invitee: Invitee, clerk: Emulator) -> None:
    row = invite(clerk)
    digest = get_digest(row.organization_id, NORA)
    parts = [row.organization_id, digest, "", "target", "nonce"]
    value = signing.dumps(parts, salt="org_invitations.joining")
    assert loads(value) == JoinValue(row.organization_id, digest, target="target", nonce="nonce")


def test_a_value_survives_its_key(invitee: Invitee, clerk: Emulator, settings: Any) -> None:
    row = invite(clerk, expires_in_days=365)
    url = page_of(row)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["tests-only"]
    invitee.sign_in(NORA)
    clerk.clock.advance(364 * 86400)
    assert state_of(invitee.open(url)) == "join"


def test_a_value_authorizes_nobody(invitee: Invitee, clerk: Emulator) -> None:
    """Whoever has the link of another's invitation joins by it no more than without."""
    row = invite(clerk, GUS)
    named = JoinValue(row.organization_id, invitation_id=row.id).dumps()
    invitee.sign_in(NORA)
    for value in (value_of(row), named):
        page = invitee.client.get(f"/join/{value}/invitation/")
        for action in ("join", "decline", "continue", "sign-in", "sign-up", "ask", "x"):
            invitee.press(page, action)
    assert row.state == "pending"
    assert not is_member(clerk)
    assert joinings() == []


def test_an_invitation_of_another_organization_is_not_meant(
    invitee: Invitee, clerk: Emulator
) -> None:
    row = invite(clerk)
    globex = clerk.organization("globex").id
    value = JoinValue(globex, invitation_id=row.id).dumps()
    invitee.sign_in(NORA)
    assert state_of(invitee.client.get(f"/join/{value}/invitation/")) == "gone"


def test_an_address_that_is_not_verified_is_not_theirs(invitee: Invitee, clerk: Emulator) -> None:
    clerk.configure(users={NORA: {"other_addresses": {"boss@example.com": False}}})
    row = invite(clerk, "boss@example.com")
    invitee.sign_in(NORA)
    page = invitee.open(page_of(row))
    assert state_of(page) == "other-account"
    assert "nobody has confirmed it" in text_of(page)
    invitee.press(page, "join")
    assert (row.state, is_member(clerk)) == ("pending", False)


def test_it_is_verified_at_clerk_now_and_not_when_the_page_was_made(
    invitee: Invitee, clerk: Emulator
) -> None:
    row = invite(clerk)
    invitee.sign_in(NORA)
    page = invitee.open(page_of(row))
    clerk.configure(users={NORA: {"email_verified": False}})
    assert state_of(invitee.press(page, "join")) == "other-account"
    assert (row.state, is_member(clerk)) == ("pending", False)


def test_what_clerk_lists_is_theirs_only_if_the_address_is_verified(
    invitee: Invitee, clerk: Emulator
) -> None:
    """The list of somebody's invitations and their addresses are two answers of Clerk's."""
    row = invite(clerk)
    invitee.sign_in(NORA)
    page = invitee.open(page_of(row))
    nora = clerk.user(NORA).id
    clerk.fault("GET", f"/v1/users/{nora}", times=None, replace={"status": "unverified"})
    assert state_of(invitee.press(page, "join")) == "other-account"
    assert (row.state, is_member(clerk)) == ("pending", False)


def test_of_two_invitations_the_link_means_its_own(invitee: Invitee, clerk: Emulator) -> None:
    clerk.configure(users={NORA: {"other_addresses": {"n@work.test": True}}})
    wanted = invite(clerk)
    other = invite(clerk, "n@work.test", role="org:admin")
    invitee.sign_in(NORA)
    assert state_of(invitee.press(invitee.open(page_of(wanted)), "join")) == "joined"
    member = clerk.state.membership(wanted.organization_id, clerk.user(NORA).id)
    assert member is not None
    assert (member.role, wanted.state, other.state) == ("org:member", "revoked", "pending")


# --- The ticket ----------------------------------------------------------------------------------


def test_a_planted_ticket_signs_nobody_in(invitee: Invitee, clerk: Emulator) -> None:
    """Somebody's link with another's ticket: the page names the one, so the other is not used."""
    row = invite(clerk)
    planted = clerk.add_invitation("acme", "evil@example.com")
    page = invitee.open(f"{page_of(row)}?__clerk_ticket={planted.ticket}&__clerk_status=sign_in")
    assert "n•••@nowhere.test" in text_of(page)
    assert "evil" not in page.text
    url = invitee.onward(invitee.press(page, "sign-in"))
    assert "__clerk_ticket" not in query_of(url)


def test_a_ticket_to_another_organization_is_not_even_held(
    invitee: Invitee, clerk: Emulator
) -> None:
    row = invite(clerk)
    planted = clerk.add_invitation("globex", NORA)
    invitee.open(f"{page_of(row)}?__clerk_ticket={planted.ticket}")
    assert not invitee.entry.cookies


def test_a_ticket_that_comes_after_the_page_is_not_used(invitee: Invitee, clerk: Emulator) -> None:
    """Session fixation: what the person confirms is whom the page has named."""
    planted = clerk.add_invitation("acme", "evil@example.com")
    ticket_only = f"/join/?__clerk_ticket={planted.ticket}&__clerk_status=sign_in"
    row = invite(clerk)
    page = invitee.follow(row)
    invitee.open(ticket_only)
    url = invitee.onward(invitee.press(page, "sign-in"))
    assert query_of(url)["__clerk_ticket"] == row.ticket
    # And the planted one needs a press of its own, on a page that names it.
    answer = invitee.press(page, "sign-in", invitation=planted.id)
    assert state_of(answer) == "sign-in"
    assert "onward_url" not in answer.context_data


def test_a_page_that_names_nobody_hands_no_ticket_on(invitee: Invitee, clerk: Emulator) -> None:
    planted = clerk.add_invitation("acme", "evil@example.com", state="accepted")
    page = invitee.open(f"/join/?__clerk_ticket={planted.ticket}&__clerk_status=sign_in")
    assert state_of(page) == "gone"
    url = invitee.press(page, "sign-in").context_data["onward_url"]
    assert url.startswith(f"{clerk.base_url}/sign-in?")
    assert "__clerk_ticket" not in query_of(url)
    assert not any(c.value for name, c in invitee.client.cookies.items() if "ticket" in name)


def test_tickets_take_no_more_than_a_part_of_what_a_request_may_have(clerk: Emulator) -> None:
    client = Client()
    good = {"st": "organization_invitation", "oid": "org_a", "rurl": "x" * 1000}
    for number in range(5):
        client.get(f"/join/?__clerk_ticket={make_ticket(sid=f'orginv_{number}', **good)}")
    held = [c.value for name, c in client.cookies.items() if "ticket" in name and c.value]
    assert len(held) == 2
    assert sum(map(len, held)) <= 3000
    long = make_ticket(sid="orginv_1", **good | {"rurl": "x" * 1500})
    assert not Client().get(f"/join/?__clerk_ticket={long}").cookies


def test_every_value_is_a_path(clerk: Emulator, settings: Any) -> None:
    for length in (1, 27, 60, 61, 200):
        ids = {"oid": "org_" + "a" * length, "sid": "orginv_" + "a" * length}
        value = read_ticket(make_ticket(st="organization_invitation", **ids))
        assert (value is None) is (length > 60)
        if value is not None:
            assert re.fullmatch(JoinValueConverter.regex, value.dumps())
        url = f"/join/?__clerk_ticket={make_ticket(st='organization_invitation', **ids)}"
        assert Client().get(url).status_code == 302
    settings.ORG_INVITATIONS_REDIRECT_URL = "https://app.example.com/" + "a" * 200
    link = make_link("org_" + "a" * 60, NORA, settings.ORG_INVITATIONS_REDIRECT_URL) or ""
    assert re.fullmatch(JoinValueConverter.regex, link.removeprefix(JOIN_URL).rstrip("/"))


def test_a_report_of_a_fault_has_no_ticket(
    invitee: Invitee, clerk: Emulator, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG = True  # the report of most words
    row, new = invite(clerk), invite(clerk, "new@example.com")
    page = invitee.follow(row)
    invitee.client.raise_request_exception = False

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(JoinValue, "dumps", fail)
    monkeypatch.setattr(lookup.Lookup, "look", fail)
    for path in (f"/join/?__clerk_ticket={new.ticket}&a=b", page.wsgi_request.path):
        report: Any = invitee.client.get(path)
        assert report.status_code == 500
        assert "RuntimeError" in report.text
        for ticket in (row.ticket, new.ticket):
            assert ticket not in report.text


def test_a_form_of_another_site_does_nothing(clerk: Emulator, clerk_sign_in: SignIn) -> None:
    client = Client(enforce_csrf_checks=True)
    clerk_sign_in(client, NORA, organization=None)
    row = invite(clerk)
    url = client.get(page_of(row))["Location"]
    for action in ("join", "decline", "switch", "sign-in", "continue", "ask"):
        answer = client.post(url, {"action": action}, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403
        assert not any("_on" in name for name in answer.cookies)
    assert row.state == "pending"
    assert not any(session.ended for session in clerk.state.sessions.values())


def test_nobody_goes_on_to_clerk_without_having_pressed(invitee: Invitee, clerk: Emulator) -> None:
    row = invite(clerk)
    page = invitee.follow(row)
    on = page.wsgi_request.path.replace("/invitation/", "/on/")
    assert invitee.client.get(on)["Location"] == page.wsgi_request.path
    other = value_of(invite(clerk, "new@example.com"))
    invitee.press(page, "sign-in")
    assert invitee.client.get(f"/join/{other}/on/")["Location"] == f"/join/{other}/invitation/"


def test_what_is_no_ticket_is_none(subtests: pytest.Subtests) -> None:
    good = {"st": "organization_invitation", "oid": "org_a", "sid": "orginv_a"}
    assert read_ticket(make_ticket(**good)) == JoinValue("org_a", invitation_id="orginv_a")
    for name, text in {
        "empty": "",
        "no JWT": "abc",
        "no JSON": "a.YQ.c",
        "no base64": "a.é.c",
        "a list": f"a.{urlsafe_b64encode(b'[1]').decode()}.c",
        "deep": f"a.{urlsafe_b64encode(b'[' * 2000).decode()}.c",
        "another kind": make_ticket(**good | {"st": "sign_in_token"}),
        "no ids": make_ticket(),
        "a path": make_ticket(**good | {"oid": "org_a/../users"}),
        "a number": make_ticket(**good | {"sid": 1}),
        "endless": make_ticket(**good | {"rurl": "x" * 4000}),
    }.items():
        with subtests.test(name=name):
            assert read_ticket(text) is None


# --- Where it leads ------------------------------------------------------------------------------


def test_nobody_is_led_elsewhere(
    invitee: Invitee, clerk: Emulator, settings: Any, subtests: pytest.Subtests
) -> None:
    settings.ORG_INVITATIONS_REDIRECT_URL = "https://app.example.com/"
    settings.ORG_INVITATIONS_REDIRECT_URLS = [("https://app.example.com/team", "Team")]
    org = clerk.organization("acme").id
    chosen = make_link(org, NORA, "https://app.example.com/team") or ""
    clerk.add_member(org, NORA)
    row = invite(clerk, redirect_url=chosen, state="accepted")
    invitee.sign_in(NORA)
    for query in ("", "?redirect_url=https://evil.example", "?next=//evil.example"):
        with subtests.test(query=query):
            page = invitee.open(chosen + query)
            answer = invitee.press(page, "continue", redirect_url="https://evil.example")
            handshake = query_of(invitee.onward(answer))
            assert handshake["redirect_url"].startswith(JOIN_URL)
            back = invitee.client.get(handshake["redirect_url"].removeprefix("http://testserver"))
            assert back["Location"] == "https://app.example.com/team"
    # A page that the site no longer has is not gone to.
    settings.ORG_INVITATIONS_REDIRECT_URLS = []
    invitee.onward(invitee.press(invitee.open(page_of(row)), "continue"))
    on = invitee.client.get(f"{page_of(row)}on/")
    assert on["Location"] == f"{page_of(row)}invitation/" or on["Location"].startswith(
        "https://app.example.com/"
    )


def test_the_host_header_leads_nowhere(invitee: Invitee, clerk: Emulator, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    row = invite(clerk)
    page = invitee.follow(row)
    path = page.wsgi_request.path
    data = {"action": "sign-in", "invitation": row.id}
    answer: Any = invitee.client.post(path, data, headers={"Host": "evil.example"})
    assert "evil.example" not in answer.text
    url: Any = invitee.client.get(answer.context_data["onward_url"], headers={"Host": "evil.test"})
    assert "evil" not in url["Location"]
    assert query_of(url["Location"])["redirect_url"].startswith(JOIN_URL)


# --- Asking --------------------------------------------------------------------------------------


def test_asking_is_seen_by_managers_and_answered_alike(
    invitee: Invitee, ada: Browser, clerk: Emulator
) -> None:
    expired = invite(clerk, expires_in_days=1, created_ago=2 * 86400)
    standing = invite(clerk, "new@example.com")
    said = set()
    for url in (page_of(expired), f"/join/{'a' * 30}:1a:{'b' * 27}/"):
        for _ in range(2):
            said.add(text_of(invitee.press(invitee.open(url), "ask")))
    assert len(said) == 1
    invitee.press(invitee.follow(standing), "ask")
    [asked] = InvitationAsk.objects.all()
    assert asked.invitation_id == expired.id
    listed = ada.get("/invitations/?status=expired")
    assert text_of(listed).count("Asks for a new invitation") == 1
    # One press answers, and then nobody asks any more.
    url = f"/invitations/{expired.id}/resend/"
    batch = ada.get(url).context_data["batch_id"]
    answer = ada.post(url, {"batch": batch, "role": "org:member", "expires_in_days": "3"})
    assert answer.status_code == 303, text_of(answer)
    assert [row.email_address for row in clerk.invitations("acme", "pending")].count(NORA) == 1
    assert not InvitationAsk.objects.exists()


def test_no_more_ask_than_somebody_can_read(invitee: Invitee, clerk: Emulator) -> None:
    org = clerk.organization("acme").id
    InvitationAsk.objects.bulk_create(
        InvitationAsk(invitation_id=f"orginv_{n}", organization_id=org, address_digest=str(n))
        for n in range(MAX_ASKS)
    )
    row = invite(clerk, state="revoked")
    invitee.press(invitee.open(page_of(row)), "ask")
    assert InvitationAsk.objects.count() == MAX_ASKS


# --- What it costs -------------------------------------------------------------------------------


def test_nobody_has_clerk_asked_without_end(
    invitee: Invitee, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers, "MAX_OF_TICKETS", 20)
    monkeypatch.setattr(strangers, "MAX_OF_A_LINK", 10)
    row = invite(clerk)
    for number in range(strangers.MAX_OF_TICKETS + 1):
        ticket = make_ticket(oid=row.organization_id, sid=f"orginv_{number}")
        page = invitee.open(f"/join/?__clerk_ticket={ticket}")
    assert page.status_code == 503
    assert page["Retry-After"] == "60"
    asked = len(clerk.requests)
    assert asked <= 2 * strangers.MAX_OF_TICKETS
    # Links of ours go on, each for itself; and who is signed in is not counted.
    url = page_of(row)
    looks = strangers.MAX_OF_A_LINK + 1
    seen = {invitee.client.get(f"{url}invitation/").status_code for _ in range(looks)}
    assert seen == {200, 503}
    assert state_of(invitee.open(page_of(invite(clerk, "new@example.com")))) == "sign-in"
    invitee.sign_in(NORA)
    assert state_of(invitee.open(url)) == "join"


def test_a_value_that_is_made_up_costs_nothing(invitee: Invitee, clerk: Emulator) -> None:
    invitee.client.get(f"/join/{'a' * 30}:1a:{'b' * 27}/invitation/")
    assert clerk.requests == []


# --- What is left behind -------------------------------------------------------------------------


def test_no_ticket_and_no_link_is_anywhere(
    invitee: Invitee, clerk: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    row = invite(clerk, inviter="ada@acme.test")
    gone = invite(clerk, "gone@example.com", state="revoked")
    pages = [invitee.follow(row)]
    pages.append(invitee.press(pages[0], "sign-in"))
    invitee.sign_in(NORA)
    pages.append(invitee.open(page_of(row)))
    clerk.fault("POST", "*/memberships", drop="after")
    pages.append(invitee.press(pages[-1], "join"))
    pages.append(invitee.open(page_of(gone)))
    pages.append(invitee.press(pages[-1], "ask"))
    secrets = (row.ticket, gone.ticket, "tickets/accept")
    kept = [page.text for page in pages] + [str(dict(page.headers)) for page in pages]
    kept += [record.getMessage() for record in caplog.records]
    kept += [str(list(model.objects.values())) for model in (Joining, InvitationAsk)]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith("org_invitations"):
                cursor.execute(f"SELECT * FROM {table}")
                kept.append(str(cursor.fetchall()))
    kept.append(str(cache._cache))  # type: ignore[attr-defined]
    for secret in secrets:
        assert not any(secret in text for text in kept), secret
    assert not any("/join/" in record.getMessage() for record in caplog.records)
    assert NORA not in str(list(Joining.objects.values()) + list(InvitationAsk.objects.values()))


def test_what_is_refused_leaves_no_link_in_a_log(
    clerk: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    row = invite(clerk)
    url = page_of(row)
    client = Client(enforce_csrf_checks=True)
    assert client.post(f"{url}invitation/", {"action": "join"}).status_code == 403
    assert client.put(f"{url}invitation/").status_code == 403
    assert Client().put(f"{url}invitation/").status_code == 405
    assert client.get(f"{url}elsewhere/").status_code == 404
    assert client.get(f"/join/{row.organization_id}.{row.id}/elsewhere/").status_code == 404
    line = f"GET {url.replace(':', '%3A')}?__clerk_ticket={row.ticket}&x=y HTTP/1.1"
    logging.getLogger("django.server").warning('"%s" %s %s', line, "302", "0")
    said = [record.getMessage() for record in caplog.records]
    assert any("/join/***/invitation/" in text for text in said)
    assert said.count("Not Found: /join/***/elsewhere/") == 2
    assert '"GET /join/***/?__clerk_ticket=***&x=y HTTP/1.1" 302 0' in said
    for text in said:
        assert not any(part in text for part in (*url.strip("/").split(":"), row.ticket))
