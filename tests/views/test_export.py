"""The list as a file."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from org_invitations.addresses import parse_file
from org_invitations.emulator import Emulator

from .conftest import LIST, Browser, calls, pending, text_of

EXPORT = f"{LIST}export/"


def rows(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


def test_the_file_holds_the_whole_list_as_it_is_shown(ada: Browser, clerk: Emulator) -> None:
    response = ada.get(f"{EXPORT}?sort=address")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert response["Content-Disposition"] == (
        f'attachment; filename="invitations-acme-pending-{today}.csv"'
    )
    assert "no-store" in response["Cache-Control"]
    assert [row["Email"] for row in rows(response)] == sorted(pending(clerk))


@pytest.mark.parametrize("status", ["pending", "expired", "accepted", "revoked"])
def test_each_list_has_its_file(ada: Browser, clerk: Emulator, status: str) -> None:
    response = ada.get(f"{EXPORT}?status={status}")
    assert f"-{status}-" in response["Content-Disposition"]
    found = rows(response)
    assert {row["Status"] for row in found} == {status}
    assert len(found) == len(clerk.invitations("acme", status))


def test_the_link_on_the_page_leads_to_the_file_of_what_is_shown(ada: Browser) -> None:
    page = ada.get(f"{LIST}?q=mia&status=revoked&sort=role&page=1&size=25")
    link = re.search(r'id="org-invitations-export" href="([^"]*)"', page.text)
    assert link is not None
    url = link[1].replace("&amp;", "&")
    assert url == f"{EXPORT}?status=revoked&q=mia&sort=role"
    assert [row["Email"] for row in rows(ada.get(url))] == [
        row.invitation.email_address for row in page.context["rows"]
    ]


def test_a_file_of_more_than_one_call_is_complete(ada: Browser, clerk: Emulator) -> None:
    for number in range(1200):
        clerk.add_invitation("acme", f"{number:04}@filled.example", notify=False)
    ada.warm()
    assert len(rows(ada.get(EXPORT))) == 1234
    assert calls(clerk) == ["GET invitations"] * 3


def test_what_was_exported_can_be_imported(ada: Browser, clerk: Emulator) -> None:
    for address in ("+a@example.com", "-b@example.com", "=c@example.com"):
        clerk.add_invitation("acme", address, role="org:admin")
    found = parse_file(ada.get(EXPORT).content)
    sent = {(row.email_address, row.role) for row in clerk.invitations("acme", "pending")}
    assert {(entry.email_address, entry.role) for entry in found} == sent
    assert all(entry.refusal is None for entry in found)


def test_no_link_is_in_the_file(ada: Browser) -> None:
    assert "ticket" not in ada.get(EXPORT).text


def test_a_fault_in_the_middle_gives_no_file(ada: Browser, clerk: Emulator) -> None:
    for number in range(1200):
        clerk.add_invitation("acme", f"{number:04}@filled.example", notify=False)
    ada.warm()
    clerk.fault("GET", "*/invitations", delay=0.001)
    clerk.fault("GET", "*/invitations", times=None, status=503)
    response = ada.get(EXPORT)
    assert response.status_code == 503
    assert "Content-Disposition" not in response
    assert "The invitations could not be loaded" in text_of(response)


def test_more_than_a_file_can_hold_is_told(ada: Browser, clerk: Emulator) -> None:
    ada.warm()
    clerk.fault("GET", "*/invitations", status=200, body={"data": [], "total_count": 10_001})
    response = ada.get(EXPORT)
    assert response.status_code == 422
    assert "There are 10001 of these invitations" in text_of(response)


@pytest.mark.parametrize("who", ["max@acme.test", "gus@globex.test"])
def test_only_who_manages_members_gets_the_file(sign_in: Any, who: str) -> None:
    response = sign_in(who, organization=None).get(f"{LIST}organizations/acme/export/")
    assert response.status_code in (403, 404)
    assert "@northwind.example" not in response.text


def test_nobody_gets_the_file(client: Any, clerk: Emulator) -> None:
    response = client.get(EXPORT)
    assert response.status_code in (302, 303, 307)
    assert b"@" not in response.content


@pytest.mark.parametrize("query", ["q=%00", "status=x&sort=x&page=x&size=x", "page=999", "q=zzz"])
def test_a_wrong_query_never_fails(ada: Browser, query: str) -> None:
    assert ada.get(f"{EXPORT}?{query}").status_code == 200
