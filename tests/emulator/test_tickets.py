"""Tickets: what the link of an invitation does, and what signing in or up with a ticket does."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from org_invitations.emulator import INSTANCE_ID, JWT_KEY, Emulator

SITE = "http://localhost:8000/"
NORA = "nora@nowhere.test"


def led(answer: Any) -> tuple[str, dict[str, str]]:
    """Where an answer leads, and with which query."""
    assert answer.status in (302, 303), answer.body
    parts = urlsplit(answer.header("location"))
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return f"{parts.scheme}://{parts.netloc}{parts.path}", query


def use(browser: Any, page: str, ticket: str, **names: str) -> Any:
    return browser.open(page, method="POST", form={"__clerk_ticket": ticket, **names})


def status_of(api: Any, invitation: Any) -> str:
    row = api.get(f"/organizations/{api.acme}/invitations/{invitation['id']}")
    return str(row["status"])


def active(emulator: Emulator) -> str | None:
    [session] = [s for s in emulator.state.sessions.values() if not s.ended]
    return session.organization_id


def test_somebody_new_signs_up(browser: Any, api: Any, emulator: Emulator) -> None:
    invitation = api.invite(
        "new@example.com",
        role="org:billing",
        public_metadata={"team": "x"},
        private_metadata={"cost": 1},
        redirect_url="https://app.example.com/welcome?a=b",
    )
    target, query = led(browser.open(invitation["url"]))
    assert target == "https://app.example.com/welcome"
    assert (query["__clerk_status"], query["a"]) == ("sign_up", "b")
    assert status_of(api, invitation) == "pending"

    ticket = query["__clerk_ticket"]
    page = browser.open(f"/sign-up?__clerk_ticket={ticket}").body.decode()
    assert 'value="new@example.com" disabled' in page
    back, _ = led(use(browser, "/sign-up", ticket, first_name="Nia", last_name="West"))
    assert back == SITE
    [member] = api.get(f"/organizations/{api.acme}/memberships", email_address="new@example.com")[
        "data"
    ]
    assert (member["role"], member["public_user_data"]["first_name"]) == ("org:billing", "Nia")
    assert (member["public_metadata"], member["private_metadata"]) == ({"team": "x"}, {"cost": 1})
    [address] = api.get(f"/users/{member['public_user_data']['user_id']}")["email_addresses"]
    assert address["verification"]["status"] == "verified"
    settled = api.get(f"/organizations/{api.acme}/invitations/{invitation['id']}")
    assert (settled["status"], settled["url"]) == ("accepted", None)
    assert active(emulator) == api.acme


def test_somebody_known_signs_in(browser: Any, api: Any, emulator: Emulator) -> None:
    invitation = api.invite(NORA)
    target, query = led(browser.open(invitation["url"]))
    assert target == f"{emulator.base_url}/sign-in"
    assert query["__clerk_status"] == "sign_in"
    page = browser.open(f"/sign-in?__clerk_ticket={query['__clerk_ticket']}").body.decode()
    assert f'value="{NORA}" disabled' in page
    assert led(use(browser, "/sign-in", query["__clerk_ticket"]))[0] == SITE
    assert status_of(api, invitation) == "accepted"
    assert active(emulator) == api.acme


def test_a_further_address_that_is_verified_is_theirs(
    browser: Any, api: Any, emulator: Emulator
) -> None:
    others = {"work@example.com": True, "typo@example.com": False}
    emulator.configure(users={NORA: {"other_addresses": others}})
    statuses = [
        led(browser.open(api.invite(address)["url"]))[1]["__clerk_status"] for address in others
    ]
    assert statuses == ["sign_in", "sign_up"]
    nora = emulator.user(NORA).id
    listed = api.get(f"/users/{nora}/organization_invitations")["data"]
    assert [row["email_address"] for row in listed] == ["work@example.com"]
    told = [a["verification"]["status"] for a in api.get(f"/users/{nora}")["email_addresses"]]
    assert told == ["verified", "verified", "unverified"]
    emulator.configure(users={NORA: {"email_verified": False}})
    api.invite(NORA)
    assert api.get(f"/users/{nora}/organization_invitations")["total_count"] == 1


def test_an_invitation_to_a_deleted_organization_is_listed_no_more(
    api: Any, emulator: Emulator
) -> None:
    emulator.add_invitation("globex", NORA)
    kept = api.invite(NORA)
    emulator.configure(organizations={"globex": {"deleted": True}})
    listed = api.get(f"/users/{emulator.user(NORA).id}/organization_invitations")
    assert [row["id"] for row in listed["data"]] == [kept["id"]]


def test_the_invited_person_who_is_signed_in_is_complete(
    browser: Any, api: Any, emulator: Emulator
) -> None:
    browser.sign_in(NORA)
    invitation = api.invite(NORA)
    target, query = led(browser.open(invitation["url"]))
    assert (target, query["__clerk_status"]) == (SITE, "complete")
    assert status_of(api, invitation) == "accepted"
    assert active(emulator) == api.acme


def test_or_nothing_happens_to_them(browser: Any, api: Any, emulator: Emulator) -> None:
    """clerk/javascript#8044: a session that is there swallows the link."""
    emulator.configure(ticket_while_signed_in="sign_in")
    browser.sign_in(NORA)
    invitation = api.invite(NORA)
    target, query = led(browser.open(invitation["url"]))
    assert query["__clerk_status"] == "sign_in"
    assert led(browser.open(f"{target}?__clerk_ticket={query['__clerk_ticket']}"))[0] == SITE
    assert use(browser, "/sign-in", query["__clerk_ticket"]).status == 400
    assert status_of(api, invitation) == "pending"


def test_somebody_else_who_is_signed_in_stays_who_they_are(
    browser: Any, api: Any, emulator: Emulator
) -> None:
    browser.sign_in("max@acme.test")
    invitation = api.invite(NORA)
    _, query = led(browser.open(invitation["url"]))
    assert query["__clerk_status"] == "sign_in"
    answer = use(browser, "/sign-in", query["__clerk_ticket"])
    assert b"session_exists" in answer.body
    assert status_of(api, invitation) == "pending"


@pytest.mark.parametrize("page", ["/sign-in", "/sign-up"])
def test_a_ticket_is_used_once(browser: Any, api: Any, emulator: Emulator, page: str) -> None:
    address = NORA if page == "/sign-in" else "new@example.com"
    invitation = api.invite(address)
    _, query = led(browser.open(invitation["url"]))
    led(use(browser, page, query["__clerk_ticket"]))
    browser.cookies.clear()
    again = use(browser, page, query["__clerk_ticket"])
    assert b"organization_invitation_already_accepted" in again.body


def test_a_ticket_for_the_other_page(browser: Any, emulator: Emulator) -> None:
    known, new = (
        emulator.add_invitation("acme", address).ticket for address in (NORA, "new@example.com")
    )
    assert b"identification_already_exists" in use(browser, "/sign-up", known).body
    assert b"identification_not_exist" in use(browser, "/sign-in", new).body
    assert browser.open("/sign-up").status == 403


@pytest.mark.parametrize("state", ["banned", "locked"])
def test_who_may_not_sign_in_does_not_by_ticket(
    browser: Any, emulator: Emulator, state: str
) -> None:
    emulator.configure(users={NORA: {state: True}})
    row = emulator.add_invitation("acme", NORA)
    answer = use(browser, "/sign-in", row.ticket)
    assert (answer.status, row.state) == (403, "pending")
    assert browser.open("/sign-in", method="POST", form={"user": NORA}).status == 422


OVER = [
    ("revoked", b"organization_invitation_revoked_code"),
    ("accepted", b"organization_invitation_already_accepted"),
    ("expired", b"ticket_expired_code"),
]


@pytest.mark.parametrize(("status", "code"), OVER)
def test_a_link_that_is_over_says_so(
    browser: Any, emulator: Emulator, status: str, code: bytes
) -> None:
    row = emulator.invitations("acme", status)[0]
    for answer in (
        browser.open(emulator.accept_url(row.ticket)),
        browser.open(f"/sign-in?__clerk_ticket={row.ticket}"),
        use(browser, "/sign-up", row.ticket),
    ):
        assert answer.status == 400
        assert code in answer.body
        assert b"<h1>This invitation has" in answer.body


def test_or_an_accepted_one_leads_on_once_more(browser: Any, emulator: Emulator) -> None:
    emulator.configure(ticket_accepted_again="complete")
    row = emulator.invitations("acme", "accepted")[0]
    target, query = led(browser.open(emulator.accept_url(row.ticket)))
    assert (target, query["__clerk_status"]) == (SITE, "complete")


def test_links_to_nowhere(browser: Any, emulator: Emulator) -> None:
    assert b"ticket_invalid_code" in browser.open("/v1/tickets/accept?ticket=x").body
    assert b"ticket_invalid_code" in browser.open("/v1/tickets/accept").body
    row = emulator.invitations("globex", "pending")[0]
    emulator.configure(organizations={"globex": {"deleted": True}})
    answer = browser.open(emulator.accept_url(row.ticket))
    assert b"organization_invitation_to_deleted_organization" in answer.body


def test_what_a_ticket_says(emulator: Emulator) -> None:
    row = emulator.add_invitation("acme", NORA, expires_in_days=2, redirect_url="https://a.test/")
    assert jwt.get_unverified_header(row.ticket) == {"alg": "HS256", "typ": "JWT"}
    assert jwt.decode(row.ticket, options={"verify_signature": False}) == {
        "iid": INSTANCE_ID,
        "oid": row.organization_id,
        "sid": row.id,
        "rurl": "https://a.test/",
        "eis": 2 * 86400,
        "exp": (row.expires_at or 0) // 1000,
        "st": "organization_invitation",
    }
    endless = emulator.add_invitation("acme", NORA, expires_in_days=None).ticket
    assert not {"exp", "eis"} & jwt.decode(endless, options={"verify_signature": False}).keys()


def test_or_the_keys_of_the_instance_verify_it(emulator: Emulator) -> None:
    emulator.configure(ticket_verifiable=True)
    ticket = emulator.add_invitation("acme", NORA).ticket
    assert jwt.get_unverified_header(ticket) == {"alg": "RS256", "typ": "JWT"}
    assert jwt.decode(ticket, JWT_KEY, algorithms=["RS256"])["iid"] == INSTANCE_ID


@pytest.mark.parametrize("status", ["sign_in", "sign_up", "complete"])
def test_or_the_query_of_ours_is_lost(
    browser: Any, api: Any, emulator: Emulator, status: str
) -> None:
    emulator.configure(redirect_query_lost=[status])
    if status == "complete":
        browser.sign_in(NORA)
    for address in (NORA, "new@example.com"):
        invitation = api.invite(address, redirect_url="https://app.example.com/x?a=b")
        target, query = led(browser.open(invitation["url"]))
        assert target == "https://app.example.com/x"
        assert ("a" in query) is (query["__clerk_status"] != status)


def test_or_the_link_alone_accepts(browser: Any, api: Any, emulator: Emulator) -> None:
    """As where a mail scanner uses the link up: the person can still sign in with the ticket."""
    emulator.configure(ticket_accepts="link")
    known, new = api.invite(NORA), api.invite("new@example.com")
    emulator.scan()
    assert [status_of(api, one) for one in (known, new)] == ["accepted", "pending"]
    ticket = emulator.state.invitations[known["id"]].ticket
    assert browser.open(f"/sign-in?__clerk_ticket={ticket}").status == 200
    assert led(use(browser, "/sign-in", ticket))[0] == SITE


def test_or_the_organization_is_not_made_active(browser: Any, api: Any, emulator: Emulator) -> None:
    emulator.configure(ticket_activates_organization=False)
    use(browser, "/sign-in", emulator.add_invitation("acme", NORA).ticket)
    assert active(emulator) is None
    browser.open(emulator.accept_url(emulator.add_invitation("globex", NORA).ticket))
    assert active(emulator) is None


def claims(emulator: Emulator, **order: Any) -> dict[str, Any]:
    return jwt.decode(emulator.mint_token(NORA, **order), JWT_KEY, algorithms=["RS256"], leeway=10)


def test_a_session_is_pending_where_an_organization_must_be_chosen(emulator: Emulator) -> None:
    assert claims(emulator)["sts"] == "active"
    assert "sts" not in claims(emulator, version=1)
    emulator.configure(force_organization_selection=True)
    assert [claims(emulator, version=v)["sts"] for v in (1, 2)] == ["pending", "pending"]
    emulator.add_member("acme", NORA)
    assert claims(emulator)["sts"] == "active"
    assert claims(emulator, organization=None)["sts"] == "pending"


def test_who_has_to_choose_is_asked(browser: Any, api: Any, emulator: Emulator) -> None:
    emulator.configure(force_organization_selection=True)
    invitation = api.invite(NORA)
    sent = browser.open("/sign-in", method="POST", form={"user": NORA})
    task, query = led(sent)
    assert task == f"{emulator.base_url}/tasks/choose-organization"
    assert query["redirect_url"] == SITE
    assert "Join Acme" in browser.open(sent.header("location")).body.decode()
    assert browser.open(task, method="POST", form={"organization": "globex"}).status == 404
    assert led(browser.open(task, method="POST", form={"invitation": invitation["id"]}))[0] == SITE
    assert (status_of(api, invitation), active(emulator)) == ("accepted", api.acme)
    assert led(browser.open(task))[0] == SITE
    browser.open("/switch?organization=")
    assert active(emulator) == api.acme
    assert "Personal account" not in browser.open("/switch").body.decode()


def test_the_task_is_for_the_signed_in_and_for_their_own_invitations(
    browser: Any, api: Any, emulator: Emulator
) -> None:
    task = "/tasks/choose-organization"
    assert led(browser.open(task))[0] == led(browser.open(task, method="POST"))[0] == SITE
    emulator.configure(force_organization_selection=True)
    browser.sign_in(NORA)
    other = api.invite("other@example.com")
    assert browser.open(task, method="POST", form={"invitation": other["id"]}).status == 404
    assert status_of(api, other) == "pending"


def test_or_the_site_asks_them(browser: Any, emulator: Emulator) -> None:
    emulator.configure(force_organization_selection=True, session_task_shown=False)
    assert browser.sign_in(NORA).startswith(f"{SITE}?")
    assert active(emulator) is None


def test_who_joins_by_ticket_has_nothing_left_to_choose(browser: Any, emulator: Emulator) -> None:
    emulator.configure(force_organization_selection=True)
    ticket = emulator.add_invitation("acme", NORA).ticket
    assert led(use(browser, "/sign-in", ticket))[0] == SITE


def test_a_scanner_opens_everything_and_changes_nothing(api: Any, emulator: Emulator) -> None:
    before = json.dumps(api.invitations(limit=500))
    people, members = len(emulator.state.users), len(emulator.state.memberships)
    opened = emulator.scan()
    assert len(opened) == 2 * len(emulator.state.mails)
    assert {one.method for one in opened} == {"HEAD", "GET"}
    assert json.dumps(api.invitations(limit=500)) == before
    assert (len(emulator.state.users), len(emulator.state.memberships)) == (people, members)
    assert emulator.state.sessions == {}


def test_a_scanner_of_one_mailbox(api: Any, emulator: Emulator) -> None:
    invitation = api.invite(NORA)
    emulator.fault("HEAD", "*/tickets/accept", drop="before")
    head, get = emulator.scan("NORA@")
    assert (head.status, get.status, get.invitation_id) == (None, 302, invitation["id"])
    assert "ticket=" in (get.location or "")
    assert "ticket" not in repr(get)


def test_no_ticket_is_in_the_list_of_calls(browser: Any, api: Any, emulator: Emulator) -> None:
    invitation = api.invite(NORA)
    link = browser.open(invitation["url"]).header("location")
    ticket = emulator.state.invitations[invitation["id"]].ticket
    browser.open(f"/sign-in?redirect_url={link.replace('&', '%26')}")
    use(browser, "/sign-in", ticket)
    assert len(emulator.recorder.calls) == 4
    assert ticket not in repr(list(emulator.recorder.calls))
    assert ticket not in repr(emulator.state)
