"""The link of an invitation: shown to who may give its role, and known to nobody else."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection

from org_invitations.emulator import Emulator, EmulatorRequest
from org_invitations.emulator.state import Invitation

from .conftest import LIST, Browser, calls, html_of, text_of
from .test_resend import DIALOG, LEE, LISTED, answer, lees, turn, url_of


@pytest.fixture
def row(clerk: Emulator) -> Invitation:
    return clerk.add_invitation("acme", LEE, role="org:billing")


@pytest.fixture
def url(row: Invitation) -> str:
    return url_of(row, "link")


def shown(response: Any) -> str:
    """The link in the field, as a reader would copy it."""
    [value] = re.findall(r'<input type="text"[^>]* value="([^"]*)"', html_of(response))
    return str(value).replace("&amp;", "&")


# --- What is shown -------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, DIALOG])
def test_the_link_is_in_a_field_with_a_label(
    ada: Browser, clerk: Emulator, row: Invitation, url: str, target: str | None
) -> None:
    response = ada.get(url, target=target)
    assert response.status_code == 200
    link = shown(response)
    assert link == clerk.accept_url(row.ticket)
    assert '<label for="org-invitations-link">Link</label>' in response.text
    field = re.search(r'<input type="text" id="org-invitations-link"[^>]*>', html_of(response))
    assert field is not None
    for attribute in ("readonly", 'dir="ltr"', 'autocomplete="off"'):
        assert attribute in field[0]
    words = text_of(response)
    assert f"With this link {LEE} becomes Billing. Give it to nobody else" in words
    assert re.search(r"It expires in \d+\s(weeks|days|month)", words)
    assert ("<html" in response.text) is (target is None)
    answered = clerk.handle(EmulatorRequest("GET", link.removeprefix(clerk.base_url), {}, b""))
    assert answered.status == 302


def test_it_says_how_to_get_back_to_the_list_as_it_was(ada: Browser, url: str) -> None:
    assert f'href="{LIST}?page=2"' in ada.get(f"{url}?page=2").text


def test_so_does_the_way_to_another_link(ada: Browser, row: Invitation, url: str) -> None:
    turn(row, "expired")
    assert f'href="{url_of(row)}?status=expired"' in ada.get(f"{url}?status=expired").text


@pytest.mark.parametrize("target", [None, DIALOG])
def test_nothing_keeps_it(ada: Browser, url: str, target: str | None) -> None:
    response = ada.get(url, target=target)
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    if target is None:
        assert 'hx-history="false"' in response.text
    else:
        assert response["HX-Push-Url"] == "false"


def test_looking_changes_nothing_and_asks_for_the_permission_anew(
    ada: Browser, clerk: Emulator, row: Invitation, url: str
) -> None:
    ada.warm()
    ada.get(url)
    assert sorted(calls(clerk)) == ["GET memberships", f"GET {row.id}"]


# --- Who sees it ---------------------------------------------------------------------------------

ROLES = ("org:admin", "org:member", "org:people_manager", "org:billing")
PEOPLE = {
    "ada@acme.test": set(ROLES),
    "bo@both.test": set(ROLES),
    "mia@acme.test": {"org:people_manager"},
    "max@acme.test": set[str](),
    "nora@nowhere.test": set[str](),
}


def test_only_who_may_give_the_role_sees_the_link(
    subtests: pytest.Subtests, sign_in: Any, clerk: Emulator
) -> None:
    clerk.configure(rate_limits=False)
    for target in [None, DIALOG]:
        for role in ROLES:
            for person, gives in PEOPLE.items():
                with subtests.test(target=target, role=role, person=person):
                    row = clerk.add_invitation("acme", LEE, role=role)
                    browser = sign_in(person, active=None)
                    acme = clerk.organization("acme").id
                    response = browser.get(
                        f"{LIST}organizations/{acme}/{row.id}/link/", target=target
                    )
                    may = role in gives
                    assert response.status_code == (
                        200 if may else 404 if "nora" in person else 403
                    )
                    assert (row.ticket in response.text) is may
                    if person == "mia@acme.test" and not may:
                        assert "you cannot give that role" in text_of(response)
                        assert "resend" not in response.text  # that would be refused as well


def test_who_may_not_any_more_sees_it_no_more(
    ada: Browser, clerk: Emulator, row: Invitation, url: str
) -> None:
    ada.warm()
    acme = clerk.organization("acme")
    membership = clerk.state.membership(acme.id, clerk.user("ada@acme.test").id)
    assert membership is not None
    membership.role = "org:member"
    response = ada.get(url)
    assert response.status_code == 403
    assert row.ticket not in response.text


def test_an_invitation_of_another_organization_has_no_link(ada: Browser, clerk: Emulator) -> None:
    other = clerk.add_invitation("globex", LEE)
    response = ada.get(url_of(other, "link"))
    assert response.status_code == 404
    assert other.ticket not in response.text


# --- Where there is none -------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, DIALOG])
@pytest.mark.parametrize(
    ("status", "words", "again"),
    [
        ("accepted", f"{LEE} has accepted the invitation", False),
        ("revoked", "was revoked, so its link does not work any more", True),
        ("expired", "has expired, so its link does not work any more", True),
    ],
)
def test_what_is_not_pending_has_no_link_to_copy(
    ada: Browser, row: Invitation, url: str,
    status: str, words: str, again: bool, target: str | None,
) -> None:  # fmt: skip
    turn(row, status)
    response = ada.get(url, target=target)
    assert response.status_code == 409
    assert words in text_of(response)
    assert row.ticket not in response.text
    assert (url_of(row) in response.text) is again
    if target:
        assert response["Org-Invitations-Fragment"] == DIALOG


def test_where_clerk_tells_no_link_another_way_is_offered(
    ada: Browser, clerk: Emulator, row: Invitation, url: str
) -> None:
    ada.warm()
    body = {
        "id": row.id,
        "object": "organization_invitation",
        "email_address": LEE,
        "role": "org:billing",
        "role_name": "Billing",
        "status": "pending",
        "organization_id": row.organization_id,
        "url": None,
    }
    clerk.fault("GET", f"*/invitations/{row.id}", status=200, body=body)
    response = ada.get(url)
    assert response.status_code == 409
    assert "Send it again without an email: then the new link can be copied." in text_of(response)
    assert url_of(row) in response.text


def test_one_that_is_gone_is_not_found(ada: Browser) -> None:
    response = ada.get(f"{LIST}orginv_gone/link/")
    assert response.status_code == 404
    assert "There is no such invitation" in text_of(response)


def test_without_the_roles_nobody_sees_it(ada: Browser, clerk: Emulator, url: str) -> None:
    clerk.fault("GET", "*/role_sets/*", times=None, status=500)
    response = ada.get(url)
    assert response.status_code == 503
    assert "ticket" not in response.text


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"drop": "before"}, 503),
        ({"status": 429, "headers": {"Retry-After": "7"}, "body": "{}"}, 503),
    ],
)
def test_where_clerk_cannot_be_asked_it_says_so(
    ada: Browser, clerk: Emulator, url: str, fault: dict[str, Any], status: int
) -> None:
    clerk.fault("GET", "*/memberships", times=None, **fault)
    for target in (None, DIALOG):
        assert ada.get(url, target=target).status_code == status


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_can_only_be_looked_at(ada: Browser, url: str, method: str) -> None:
    assert getattr(ada.client, method)(url).status_code == 405


# --- Where it is not -----------------------------------------------------------------------------


class Everything(logging.Handler):
    """Keeps all that is logged, whoever logs it and at whichever level."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.args!r} {record.__dict__!r}")


@pytest.fixture
def logged() -> Any:
    """All log lines of all loggers, those that keep theirs to themselves included."""
    handler = Everything()
    named = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    loggers = [logging.root, *named]
    before = [(logger, logger.level, logger.disabled) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.disabled = False
        if logger is logging.root or not logger.propagate:
            logger.addHandler(handler)
    yield handler.lines
    for logger, level, disabled in before:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.disabled = disabled


def cached() -> str:
    """All that is in Django's caches, as the bytes that they keep."""
    return repr([dict(caches[name]._cache) for name in ("default",)])  # type: ignore[attr-defined]


def kept() -> str:
    """All rows of all tables."""
    rows = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows.append((table, cursor.fetchall()))
    return repr(rows)


def test_the_link_is_in_the_body_of_its_own_page_and_nowhere_else(
    ada: Browser, clerk: Emulator, logged: list[str]
) -> None:
    answers: list[Any] = []

    def note(response: Any) -> Any:
        answers.append(response)
        return response

    # Invited without an email, sent again twice, and each of the failures on the way.
    note(ada.get())
    note(ada.invite(LEE, no_email="on"))
    note(ada.htmx_invite("second@example.com", no_email="on"))
    [row] = lees(clerk)
    seen = [note(ada.get(url_of(row, "link"))), note(ada.get(url_of(row, "link"), target=DIALOG))]
    for target in (None, LISTED):
        [row] = lees(clerk)
        question = note(ada.get(url_of(row), target=DIALOG if target else None))
        note(ada.post(url_of(row), answer(question, no_email="on"), target=target))
        note(ada.get())
        [row] = lees(clerk)
        seen.append(note(ada.get(url_of(row, "link"), target=DIALOG if target else None)))
    data = answer(note(ada.get(url_of(row, "change"))))
    clerk.fault("POST", "*/revoke", garbage="truncated")
    clerk.fault("POST", "/v1/organizations/*/invitations", garbage="invalid-json")
    note(ada.post(url_of(row, "change"), data))
    [row] = lees(clerk)
    data = answer(note(ada.get(url_of(row))))
    clerk.fault("POST", "/v1/organizations/*/invitations", drop="after")
    note(ada.post(url_of(row), data, target=LISTED))
    [row] = lees(clerk)
    data = answer(note(ada.get(url_of(row))))
    clerk.fault("POST", "/v1/organizations/*/invitations", status=500)
    note(ada.post(url_of(row), data, target=LISTED))
    note(ada.post(url_of(row), {"finish": "1"}, target=LISTED))
    [row] = lees(clerk)
    clerk.fault("GET", f"*/invitations/{row.id}", garbage="truncated")
    note(ada.get(url_of(row, "link")))
    clerk.fault("GET", f"*/invitations/{row.id}", garbage="wrong-json")
    note(ada.get(url_of(row, "link")))
    note(ada.get(f"{LIST}?status=revoked"))

    tickets = {one.ticket for one in clerk.state.invitations.values()}
    assert len(tickets) > 8
    for response in seen:
        assert sum(ticket in response.text for ticket in tickets) == 1
    assert logged
    places = {
        "logs": "\n".join(logged),
        "caches": cached(),
        "tables": kept(),
        "cookies": repr(ada.client.cookies),
        "headers": repr([response.headers for response in answers]),
        "pages": "\n".join(one.text for one in answers if one not in seen),
    }
    assert LEE in places["tables"]  # something was kept at all
    for place, text in places.items():
        assert text
        found = [ticket for ticket in tickets if ticket in text]
        assert found == [], place
        assert "tickets/accept" not in text, place
