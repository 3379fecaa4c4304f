"""What was typed comes back into the field as text, and is read again as the same pieces."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from org_invitations.addresses import Entry, as_text, parse_file, parse_text
from tests.addresses.test_parser import one_paste
from tests.effort import assert_grows_with


def essence(entries: tuple[Entry, ...]) -> list[tuple[str, str, bool]]:
    """What must be the same again. White space in a row of it counts as one space."""
    return [(e.email_address, " ".join(e.role.split()), e.refusal is None) for e in entries]


def assert_comes_back(entries: tuple[Entry, ...]) -> str:
    text = as_text(entries)
    assert essence(parse_text(text)) == essence(entries), (entries, text)
    # A browser sends it with other line ends, and a form takes white space off its ends.
    sent = text.replace("\n", "\r\n").strip()
    assert essence(parse_text(sent)) == essence(entries), (entries, sent)
    return text


# --- As a person sees it -------------------------------------------------------------------


def test_without_roles_it_is_one_piece_a_line_as_it_was_typed() -> None:
    text = '"Doe, Ana" <ana@x.org>; bo@x.org, nobody at home; BO@x.org'
    assert assert_comes_back(parse_text(text)).splitlines() == [
        '"Doe, Ana" <ana@x.org>',
        "bo@x.org",
        "nobody at home",
        "BO@x.org",
    ]


def test_with_a_role_it_is_a_table_that_a_spreadsheet_would_paste() -> None:
    entries = parse_file(b"Name,Role,E-mail\nAna,admin,ana@x.org\nBo,,bo@x.org\nC,member,nobody\n")
    assert assert_comes_back(entries) == ("Email\tRole\nana@x.org\tadmin\nbo@x.org\nnobody\tmember")


def test_quotes_are_those_of_a_table_only_where_they_have_to_be() -> None:
    entries = parse_file(b'email,role\n"""Doe, Ana"" <ana@x.org>",admin\nAna "A" <b@x.org>,\n')
    assert assert_comes_back(entries) == (
        'Email\tRole\n"""Doe, Ana"" <ana@x.org>"\tadmin\nAna "A" <b@x.org>'
    )


def test_nothing_comes_back_as_nothing() -> None:
    assert as_text(()) == ""
    assert parse_text("") == ()


def test_a_text_and_a_file_come_back_as_one_list() -> None:
    entries = (*parse_text("ana@x.org"), *parse_file(b"email,role\nbo@x.org,admin\n"))
    assert assert_comes_back(entries) == "Email\tRole\nana@x.org\nbo@x.org\tadmin"


def test_a_row_without_an_address_stays_one_piece() -> None:
    entries = parse_file(b'email,name,city\n,Ana,Bonn\nbo@x.org,Bo,Ulm\n,"Eve, E.",eve@x.org\n')
    assert assert_comes_back(entries).splitlines() == [
        "Email\tRest of the row",
        "\tAna, Bonn",
        "bo@x.org",
        "eve@x.org",
    ]


def test_nothing_is_written_in_another_way_than_it_was_typed() -> None:
    text = "ana at x.org; ana@x..org; Bo <bo@localhost>; a@b@c; [x](y); doe@newco,example"
    assert assert_comes_back(parse_text(text)).splitlines() == text.split("; ")
    table = b"Name,Email,Phone,Home,Other\nAna,,1,ana@home.example,ana@x.org\nBo,bo@x.org,2,,\n"
    written = assert_comes_back(parse_file(table))
    assert " at " not in written
    assert "ana@home.example" in written
    assert "ana@x.org" in written


def test_a_piece_that_would_be_taken_for_a_header_is_not_lost() -> None:
    entries = parse_text("emails; ana@x.org")
    assert assert_comes_back(entries) == "Email\nemails\nana@x.org"


# --- Whatever is typed ---------------------------------------------------------------------


@pytest.mark.exhaustive
def test_a_thousand_pastes_come_back() -> None:
    chance = random.Random(20261105)
    for _ in range(1_000):
        assert_comes_back(parse_text(one_paste(chance)))


FRAGMENTS = st.sampled_from(
    [
        *("ana@x.org", "Ana@X.org", "bo@x.org", "bo@gmial.com", "a@b", "ana at x.org", "a@b@c"),
        *("Doe, Ana <ana@x.org>", '"Doe, Ana" <ana@x.org>', '"a b"@x.org', '"a\\\tb"@x.org'),
        *("email", "E-mail:", "role", "Email\tRole", "name,email", "email,role", "email;role"),
        *("org:admin", "Admin", "boss", "x@y", "sep=;", "sep=,", "1.", "To:", "•", "@", "=1+1"),
        *("(Sales, Berlin)", "<", ">", "<>", '"', '""', "'", "(", ")", "|", "mailto:ana@x.org"),
        *(f"{'x' * 70}@x.org", f"x@{'y' * 300}.org", "x" * 300, "ü@bücher.example", "👍", "\\"),
    ]
)
BETWEEN = st.sampled_from([",", ", ", ";", "; ", "\t", " ", "\n", "\r\n", "\n\n", "|", '"', ""])
TEXTS = st.lists(st.tuples(FRAGMENTS, BETWEEN), max_size=14).map(
    lambda parts: "".join(part + between for part, between in parts)
)
CELLS = st.one_of(FRAGMENTS, TEXTS, st.just("")).map(
    lambda cell: '"' + cell.replace('"', '""') + '"'
)
ROWS = st.lists(st.lists(CELLS, max_size=4).map(",".join), max_size=8).map("\n".join)


@pytest.mark.exhaustive
@settings(max_examples=300)
@given(TEXTS)
@example("sep=a\nana@x.org")
@example("email\tx@y")
def test_any_text_comes_back(text: str) -> None:
    assert_comes_back(parse_text(text))


@pytest.mark.exhaustive
@settings(max_examples=150)
@given(st.text(st.sampled_from('a@.x ,;<>()"\t\n:-\\\u00e9\u200b1'), max_size=40))
def test_any_characters_come_back(text: str) -> None:
    assert_comes_back(parse_text(text))


@pytest.mark.exhaustive
@settings(max_examples=300)
@given(st.sampled_from(["email,role\n", "role,email\n", "email,name,role\n", ""]), ROWS)
@example("email,role\n", '"ana@x.org, foo","x@y"')
def test_any_file_comes_back(head: str, rows: str) -> None:
    assert_comes_back(parse_file((head + rows).encode()))


# --- As much work as there are lines -------------------------------------------------------


@pytest.mark.parametrize("ending", ["", "\tadmin"])
def test_ten_times_the_lines_are_ten_times_the_work(ending: str) -> None:
    def lines(count: int) -> Callable[[], object]:
        rows = "".join(f"Ana {i} <ana{i}@x.org>{ending}\n" for i in range(count))
        entries = parse_text(f"Email\tRole\n{rows}")
        assert len(as_text(entries).splitlines()) >= count
        return lambda: as_text(entries)

    assert_grows_with(lines, few=200, many=2_000)
