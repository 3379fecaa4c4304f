"""Invitations as a CSV file."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from org_invitations.addresses import parse_file
from org_invitations.clerk import Invitation, InvitationStatus
from org_invitations.clerk.resources import PublicUserData
from org_invitations.csv import HEADER, as_csv, neutralise

MOMENT = datetime(2026, 11, 22, 9, 15, tzinfo=UTC)


def invitation(email_address: str = "ana@example.com", **changes: Any) -> Invitation:
    values: dict[str, Any] = {
        "id": "orginv_1",
        "email_address": email_address,
        "role": "org:member",
        "role_name": "Member",
        "status": InvitationStatus.PENDING,
        "inviter": PublicUserData(user_id="user_1", first_name="Ada"),
        "created_at": MOMENT,
        "expires_at": MOMENT.replace(month=12),
        "url": "https://clerk.example/accept?ticket=secret",
        "public_metadata": {"note": "secret"},
    }
    return Invitation(**values | changes)


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_a_row_says_what_the_list_says_and_nothing_secret() -> None:
    content = as_csv([invitation()])
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 2
    header, row = rows(content)
    assert tuple(header) == HEADER
    assert row == [
        "ana@example.com",
        "org:member",
        "Member",
        "pending",
        "Ada",
        "2026-11-22T09:15:00Z",
        "2026-12-22T09:15:00Z",
    ]
    assert b"secret" not in content
    assert b"orginv" not in content


def test_what_is_not_known_is_empty() -> None:
    _, row = rows(as_csv([invitation(inviter=None, created_at=None, expires_at=None)]))
    assert row[4:] == ["", "", ""]


def test_what_no_text_has_is_left_out() -> None:
    name = PublicUserData(user_id="user_1", first_name="A\0d\x1ba")
    assert rows(as_csv([invitation(inviter=name)]))[1][4] == "Ada"


def test_no_invitations_are_a_header() -> None:
    assert rows(as_csv([])) == [list(HEADER)]


def test_no_cell_is_a_formula(subtests: pytest.Subtests) -> None:
    for cell in [
        '=HYPERLINK("https://evil.example","x")',
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        " =1",
        "\u00a0=1",
        "\u200b=1",
        "\ufeff=1",
        "\x00=1",
        " \t @x",
        "\uff1d1",
        "\uff0b1",
    ]:
        with subtests.test(cell=cell):
            assert neutralise(cell).startswith("'")
            content = as_csv([invitation(inviter=PublicUserData(user_id="u", first_name=cell))])
            assert all(
                cell[:1] not in "=+-@\t\r\n" for row in rows(content) for cell in row if cell
            )


def test_what_is_no_formula_stays_as_it_is(subtests: pytest.Subtests) -> None:
    for cell in ["", "ana@example.com", "'x", "Inês", "1-2", "a=b", "2026-11-22", "Jean - Luc"]:
        with subtests.test(cell=cell):
            assert neutralise(cell) == cell


@given(st.text())
def test_nothing_that_begins_like_a_formula_is_left(cell: str) -> None:
    assert neutralise(cell).strip()[:1] not in {"=", "+", "-", "@"}
    assert neutralise(cell).replace("'", "") == cell.replace("'", "")


SEPARATORS = [",", ";", "|", ":", "\t", " "]


def is_formula(cell: str) -> bool:
    return len(cell.strip()) > 1 and cell.strip()[0] in "=+-@\uff1d\uff0b\uff0d\uff20"


def test_no_cell_is_a_formula_with_whichever_separator_the_file_is_opened(
    subtests: pytest.Subtests,
) -> None:
    for name in [
        "Eve{}=1+1",
        "Eve{0}=1+1{0}",
        'Eve{}"=1+1"',
        'Eve"{0}=1+1{0}"',
        'Eve{}""=1+1',
        "Eve{} =1+1",
        "Eve{}\u200b\t=1+1",
        "Eve{}+1",
        "Eve{}@SUM(A1)",
        "Eve{0}{0}-2",
        "Eve{}\uff1d1+1",
        "Eve\r\n=1+1{}",
        "=1{}=1",
    ]:
        for separator in SEPARATORS:
            with subtests.test(separator=separator, name=name):
                inviter = PublicUserData(user_id="u", first_name=name.format(separator))
                content = as_csv([invitation(inviter=inviter)])
                text = content.decode("utf-8-sig")
                for other in SEPARATORS:
                    for row in csv.reader(io.StringIO(text, newline=""), delimiter=other):
                        assert not any(map(is_formula, row))
                    for line in re.split(r"[\r\n]", text):  # as programs do that know no quotes
                        assert not any(is_formula(cell.strip('" ')) for cell in line.split(other))


@given(st.text(alphabet="Ee =+-@;,|:\t\n\"'1\u200b"))
def test_no_part_of_a_cell_is_a_formula(cell: str) -> None:
    text = as_csv([invitation(inviter=PublicUserData(user_id="u", first_name=cell))]).decode()
    for separator in SEPARATORS:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            assert not any(is_formula(part) for part in row)


ODD = [
    "+ana@example.com",
    "-bo@example.com",
    "=cy@example.com",
    "o'neil@example.com",
    "ana+tag@example.com",
    "semi{brace}@example.com",
    "a.b-c_d%e@sub.example.co.uk",
    "x@xn--bcher-kva.example",
]


def test_a_file_that_is_imported_again_has_the_same_addresses_and_roles() -> None:
    roles = ["org:member", "org:admin", "org:people_manager"]
    sent = [(address, roles[number % 3]) for number, address in enumerate(ODD)]
    content = as_csv(
        invitation(address, role=role, role_name="=Odd, “name”\r\nof it") for address, role in sent
    )
    found = parse_file(content)
    assert [(entry.email_address, entry.role) for entry in found] == sent
    assert all(entry.refusal is None for entry in found)


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[a-z0-9+=_-][a-z0-9.+=_'-]{0,20}[a-z0-9]", fullmatch=True).filter(
                # Behind a word and "=" another program has written the address, and nobody can
                # tell: such a piece is offered, and not taken.
                lambda local: ".." not in local and not re.match(r"[a-z_][\w-]*=", local)
            ),
            st.sampled_from(["example.com", "b-c.example", "x.co.uk"]),
        ),
        max_size=20,
        unique=True,
    ),
    st.text(),
)
def test_any_list_comes_back_as_it_was(parts: list[tuple[str, str]], name: str) -> None:
    addresses = [f"{local}@{domain}" for local, domain in parts]
    inviter = PublicUserData(user_id="user_1", first_name=name)
    found = parse_file(as_csv(invitation(address, inviter=inviter) for address in addresses))
    assert [entry.email_address for entry in found] == addresses
    assert {entry.role for entry in found} <= {"org:member"}
