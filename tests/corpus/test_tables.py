"""The generator of tables keeps to what it says of itself."""

from __future__ import annotations

import ast
import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.corpus.table_programs import PROGRAMS
from tests.corpus.table_quirks import QUIRKS
from tests.corpus.table_sheets import Kind, Roles
from tests.corpus.table_words import LANGUAGES
from tests.corpus.tables import (
    NEWLINES,
    ROLES,
    SEPARATORS,
    Meaning,
    MeaningKind,
    Person,
    Reading,
    Table,
    address_key,
    disagreements,
    table,
    tables,
)

#: Any will do; every facet must be in so many tables.
SEED, COUNT = 7, 3000
CODE_PAGES = (1250, 1251, 1252, 1253, 1254, 932, 936, 949, 950)
ENCODINGS = {
    *(f"cp{page}" for page in CODE_PAGES),
    *("utf-8", "utf-8-sig", "utf-16", "utf-16-be-marked", "utf-16-le", "utf-16-be", "cp850"),
}
#: What some programs do by themselves, or a way of saving does.
OWN_QUIRKS = {
    *("plain", "two_people", "two_addresses", "several_of_one_person", "user_principal_name"),
    *("external_users", "exchange_address", "roles", "mixed_roles", "job_titles_as_roles"),
    *("merged_cells", "numbered", "address_last", "sep_line", "no_final_newline"),
    *("old_excel_file", "pdf_file", "without_addresses", "heading_only", "dos_code_page"),
}


@pytest.fixture(scope="module")
def stream() -> list[Table]:
    return list(tables(SEED, COUNT))


@dataclass(frozen=True)
class Plain:
    """What a plain reader of CSV finds, who is told encoding and separator."""

    table: Table
    records: list[list[str]]
    #: The lines at which they begin, and one more.
    lines: list[int]


def read(one: Table) -> Plain:
    text = one.content.decode(one.codec)
    separator = {name: mark for mark, name in SEPARATORS.items()}[one.facets.separator]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    lines = [1]
    records = []
    for record in reader:
        records.append(record)
        lines.append(reader.line_num + 1)
    return Plain(one, records, lines)


@pytest.fixture(scope="module")
def texts(stream: list[Table]) -> list[Plain]:
    return [read(one) for one in stream if is_text(one)]


def is_text(one: Table) -> bool:
    return one.facets.encoding != "none"


def everyone(meaning: Meaning) -> list[Person]:
    return [*meaning.people, *(person for choice in meaning.choices for person in choice)]


def test_knows_nothing_of_the_app() -> None:
    for path in Path(__file__).parent.glob("table*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in getattr(node, "names", []) if hasattr(alias, "name")]
            module = getattr(node, "module", None) or ""
            assert not any("org_invitations" in name for name in [*names, module]), path


def test_same_seed_same_stream(stream: list[Table]) -> None:
    assert list(tables(SEED, 200)) == stream[:200]
    assert table(SEED, 150) == stream[150]


def test_another_seed_another_stream(stream: list[Table]) -> None:
    others = list(tables(SEED + 1, 50))
    assert not {one.content for one in others} & {one.content for one in stream if is_text(one)}


def test_every_facet_occurs(stream: list[Table]) -> None:
    seen: dict[str, set[str]] = {}
    for one in stream:
        for facet, value in one.facets:
            seen.setdefault(facet, set()).add(value)
    assert seen["program"] == {*PROGRAMS, "none"}
    assert seen["language"] == set(LANGUAGES)
    assert seen["quirk"] == {*QUIRKS, *OWN_QUIRKS}
    assert seen["encoding"] == {*ENCODINGS, "none"}
    assert seen["separator"] == {*SEPARATORS.values(), "none"}
    assert seen["newline"] == {*NEWLINES.values(), "none"}
    assert {one.meaning.kind for one in stream} == set(MeaningKind)
    assert {one.meaning.roles for one in stream} == set(Roles)
    assert {kind for one in stream for kind in one.meaning.rows} == set(Kind)


@pytest.mark.exhaustive
def test_what_is_translated_speaks_every_language() -> None:
    spoken: dict[str, set[str]] = {}
    for one in tables(SEED, 5000):
        spoken.setdefault(one.facets.program, set()).add(one.facets.language)
    for program in (
        *("outlook", "thunderbird", "apple", "microsoft_365", "school_roster", "hr_list"),
        "hand_made",
    ):
        assert spoken[program] == set(LANGUAGES), program


def test_every_language_is_in_its_code_page_with_letters_of_its_own(stream: list[Table]) -> None:
    spoken = {
        one.facets.language
        for one in stream
        if is_text(one)
        and one.facets.encoding == LANGUAGES[one.facets.language].code_page
        and not one.content.isascii()
    }
    assert spoken == set(LANGUAGES)


def test_words_can_be_written_in_their_code_page() -> None:
    for language in LANGUAGES.values():
        repr(language).encode(language.code_page)


def test_whoever_is_meant_stands_where_it_says(texts: list[Plain]) -> None:
    for text in texts:
        one = text.table
        for person in everyone(one.meaning):
            cell = text.records[person.record][person.column]
            assert person.address in cell, one
            assert all(other in cell for other in person.others), one
            assert one.meaning.rows[person.record] is Kind.PERSON, one


def test_lines_are_those_at_which_the_records_begin(texts: list[Plain]) -> None:
    for text in texts:
        for person in everyone(text.table.meaning):
            assert person.line == text.lines[person.record], text.table


def test_every_record_is_told_what_it_is(texts: list[Plain]) -> None:
    for text in texts:
        one = text.table
        assert len(text.records) == len(one.meaning.rows), one
        for row, kind in zip(text.records, one.meaning.rows, strict=True):
            if kind is Kind.BLANK:
                assert not any(row), one
            elif kind is not Kind.NOBODY:
                assert any(row), one
            if kind in {Kind.TITLE, Kind.HEADING, Kind.TOTAL, Kind.NOTE}:
                assert not any("@" in cell for cell in row), one


def test_each_row_of_people_has_its_person(stream: list[Table]) -> None:
    for one in stream:
        if one.meaning.kind is MeaningKind.REFUSE:
            continue
        meant = {person.record for person in everyone(one.meaning)}
        rows = {at for at, kind in enumerate(one.meaning.rows) if kind is Kind.PERSON}
        assert meant == rows, one


def test_nobody_is_meant_twice_unless_said(stream: list[Table]) -> None:
    for one in stream:
        for people in (one.meaning.people, *one.meaning.choices):
            once = [address_key(person.address) for person in people if not person.repeated]
            assert len(once) == len(set(once)), one
            again = [address_key(person.address) for person in people if person.repeated]
            assert set(again) <= set(once), one


def test_all_addresses_that_are_meant_are_written(stream: list[Table]) -> None:
    for one in stream:
        for person in everyone(one.meaning):
            for address in (person.address, *person.others):
                assert address_key(address) in one.written, one


def test_addresses_are_under_domains_nobody_can_have(stream: list[Table]) -> None:
    for one in stream:
        for key in one.written:
            last = key.rpartition("@")[2].split(".")
            assert last[-1] == "example" or last[-2:] in (
                ["example", "com"],
                ["example", "org"],
                ["example", "net"],
            ), key


def test_kinds_of_meaning_have_what_belongs_to_them(stream: list[Table]) -> None:
    for one in stream:
        meaning = one.meaning
        if meaning.kind is MeaningKind.READ:
            assert meaning.people, one
            assert not meaning.choices, one
        elif meaning.kind is MeaningKind.ASK:
            assert not meaning.people, one
            assert len(meaning.choices) == len(meaning.choice_headings) == 2, one
            assert all(meaning.choices), one
        else:
            assert not everyone(meaning), one


def test_roles_are_those_of_the_organization(stream: list[Table]) -> None:
    for one in stream:
        roles = {person.role for person in one.meaning.people} - {None}
        assert roles <= set(ROLES), one
        assert bool(roles) == (one.meaning.roles is Roles.USED), one
        if one.meaning.roles is not Roles.USED:
            assert not any(person.refused_role for person in one.meaning.people), one


def test_other_roles_can_be_given() -> None:
    given = {"org:editor": ("Redaktion",)}
    stream = tables(SEED, 300, given)
    roles = {person.role for one in stream for person in one.meaning.people}
    assert roles == {None, "org:editor"}


def test_unsure_are_only_letters_that_no_heading_tells(stream: list[Table]) -> None:
    unsure = [one for one in stream if not one.meaning.sure]
    assert unsure
    for one in unsure:
        assert not one.facets.encoding.startswith("utf"), one
        assert not one.content.isascii(), one


def test_a_code_page_is_sure_only_by_headings_with_letters_of_its_own(
    texts: list[Plain],
) -> None:
    told = 0
    for text in texts:
        one = text.table
        if not one.meaning.sure or one.facets.encoding.startswith("utf") or one.content.isascii():
            continue
        told += 1
        western = one.content.decode("cp1252", errors="replace")
        headings = "".join(
            cell
            for row, kind in zip(text.records, one.meaning.rows, strict=True)
            if kind is Kind.HEADING
            for cell in row
        )
        if one.facets.encoding == "cp1252":
            assert not headings.isascii(), one
        elif western != one.content.decode(one.codec):
            assert set(headings) - set(western), one
    assert told


# How a reading is compared.


def as_meant(one: Table) -> Reading:
    """What a reader makes of a table who reads everything as it is meant."""
    people = [person for person in one.meaning.people if not person.repeated]
    return Reading(
        invited=tuple((p.address, p.role) for p in people if not p.refused_role),
        refused_for_role=frozenset(p.address for p in people if p.refused_role),
        choices=tuple(
            tuple(person.address for person in choice if not person.repeated)
            for choice in one.meaning.choices
        ),
        refused=one.meaning.kind is MeaningKind.REFUSE,
    )


def test_what_is_meant_agrees(stream: list[Table]) -> None:
    for one in stream:
        assert disagreements(one, as_meant(one)) == [], one


def first(stream: list[Table], *, quirk: str = "", kind: MeaningKind = MeaningKind.READ) -> Table:
    """The first of several people that is certain in every way."""
    for one in stream:
        meaning = one.meaning
        if (
            (not quirk or quirk in one.facets.quirks)
            and meaning.kind is kind
            and meaning.sure
            and not meaning.roles_are_open
            and (kind is not MeaningKind.READ or len(as_meant(one).invited) > 2)
        ):
            return one
    raise AssertionError(quirk)


def plain(stream: list[Table]) -> Table:
    return next(
        one
        for one in stream
        if one.facets.program == "microsoft_365"
        and not one.facets.quirks[1:]
        and len(one.meaning.people) > 2
    )


def test_nothing_read_is_lost(stream: list[Table]) -> None:
    one = plain(stream)
    reading = as_meant(one)
    (address, _), *rest = reading.invited
    lost = [f"lost: {address_key(address)}"]
    assert disagreements(one, replace(reading, invited=tuple(rest))) == lost
    # To offer what is certain is not to read it; nor is it to refuse the whole.
    offered = frozenset({address})
    assert disagreements(one, replace(reading, invited=tuple(rest), offered=offered)) == lost
    assert len(disagreements(one, Reading(refused=True))) == len(one.meaning.people)


def test_an_address_that_does_not_stand_there_is_altered(stream: list[Table]) -> None:
    one = plain(stream)
    invited = as_meant(one).invited
    altered = (("someone@else.example", None), *invited[1:])
    assert disagreements(one, Reading(altered)) == ["altered: someone@else.example"]


def test_an_address_invited_twice_is_doubled(stream: list[Table]) -> None:
    one = plain(stream)
    invited = as_meant(one).invited
    again = (*invited, (invited[0][0].upper(), None))
    assert disagreements(one, Reading(again)) == [f"doubled: {address_key(invited[0][0])}"]


def test_another_order_is_told(stream: list[Table]) -> None:
    one = plain(stream)
    assert disagreements(one, Reading(as_meant(one).invited[::-1])) == ["in another order"]


def test_who_stands_there_and_is_not_meant_is_told(stream: list[Table]) -> None:
    one = next(one for one in stream if one.facets.program == "google_groups" and one.meaning.sure)
    group = next(key for key in one.written if key.startswith("team@"))
    reading = as_meant(one)
    wrong = replace(reading, invited=(*reading.invited, (group, None)))
    assert disagreements(one, wrong) == [f"not meant: {group}"]


def test_the_role_is_compared(stream: list[Table]) -> None:
    one = first(stream, quirk="roles")
    reading = as_meant(one)
    without = replace(reading, invited=tuple((address, None) for address, _ in reading.invited))
    given = [person for person in one.meaning.people if person.role and not person.repeated]
    assert len(disagreements(one, without)) == len(given)


def test_a_text_that_is_no_role_is_to_be_refused(stream: list[Table]) -> None:
    one = first(stream, quirk="mixed_roles")
    reading = as_meant(one)
    (address, *_) = reading.refused_for_role
    found = disagreements(one, replace(reading, refused_for_role=frozenset()))
    assert f"lost: {address_key(address)}, refused for its role" in found


def test_two_columns_of_people_are_to_be_asked_about(stream: list[Table]) -> None:
    one = first(stream, kind=MeaningKind.ASK)
    reading = as_meant(one)
    assert disagreements(one, replace(reading, choices=reading.choices[::-1])) == []
    invited = tuple((address, None) for address in reading.choices[0])
    assert disagreements(one, Reading(invited)) == ["invited without asking"]
    assert disagreements(one, Reading(choices=reading.choices[:1])) == [
        "not asked about these columns"
    ]
    two = plain(stream)
    asked = Reading(choices=(tuple(address for address, _ in as_meant(two).invited),))
    assert disagreements(two, asked) == ["asked without need"]


def test_what_cannot_be_known_is_to_be_refused_in_words(stream: list[Table]) -> None:
    one = first(stream, quirk="dos_code_page", kind=MeaningKind.REFUSE)
    assert disagreements(one, Reading()) == ["not refused"]
    key = next(iter(one.written))
    assert disagreements(one, Reading(((key, None),))) == [f"not meant: {key}"]


def test_an_unsure_table_may_be_refused_whole_and_not_in_part(stream: list[Table]) -> None:
    one = next(
        one
        for one in stream
        if not one.meaning.sure
        and one.meaning.kind is MeaningKind.READ
        and len(as_meant(one).invited) > 1
        and not any(person.others or person.or_offered for person in one.meaning.people)
    )
    assert disagreements(one, Reading(refused=True)) == []
    assert disagreements(one, replace(as_meant(one), invited=as_meant(one).invited[:1]))


def test_an_uncertain_address_may_be_offered(stream: list[Table]) -> None:
    for one in stream:
        uncertain = [person for person in one.meaning.people if person.or_offered]
        if not uncertain or not one.meaning.sure:
            continue
        person = uncertain[0]
        reading = as_meant(one)
        rest = tuple(entry for entry in reading.invited if entry[0] != person.address)
        offered = Reading(rest, offered=frozenset({person.address}))
        if not person.repeated:
            assert disagreements(one, offered) == []
            assert disagreements(one, Reading(rest)) == [f"lost: {address_key(person.address)}"]
            return
    raise AssertionError


def test_several_in_a_cell_are_the_first_or_all_or_offered(stream: list[Table]) -> None:
    one = first(stream, quirk="several_in_cell")
    person = next(person for person in one.meaning.people if person.others)
    reading = as_meant(one)
    both = tuple(
        entry
        for address, role in reading.invited
        for entry in (
            [(address, role)]
            if address != person.address
            else [(address, role), *((other, role) for other in person.others)]
        )
    )
    assert disagreements(one, replace(reading, invited=both)) == []
    rest = tuple(entry for entry in reading.invited if entry[0] != person.address)
    all_of_them = frozenset({person.address, *person.others})
    offered = replace(reading, invited=rest, offered=all_of_them)
    assert disagreements(one, offered) == []
    assert disagreements(one, replace(offered, offered=frozenset()))
