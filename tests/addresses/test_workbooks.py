"""Workbooks of Excel: the first sheet with addresses, and nothing that grows without end."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
import pytest

from org_invitations.addresses import (
    Refusal,
    TooManyRows,
    UnreadableFile,
    WorkbooksNotInstalled,
    parse_file,
    read_file,
    workbooks,
)


def workbook(*sheets: Any, links: dict[str, str] | None = None) -> bytes:
    """A workbook as openpyxl writes it; ``links`` are those of the cells of its first sheet."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"Sheet {number}")
        for row in rows:
            sheet.append(row)
    for cell, target in (links or {}).items():
        book.worksheets[0][cell].hyperlink = target
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def found(content: bytes) -> list[tuple[int, str, str]]:
    return [(e.line, e.email_address, e.role) for e in parse_file(content)]


TABLE: list[list[Any]] = [
    ["Name", "Email", "Role"],
    ["Ana", "ana@x.org", "Admin"],
    ["Bo", "bo@x.org", None],
]


def repacked(content: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """The same archive with its parts changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()


def test_a_table_is_read_as_one_of_csv() -> None:
    assert found(workbook(TABLE)) == [(2, "ana@x.org", "Admin"), (3, "bo@x.org", "")]


def test_rows_count_as_the_spreadsheet_counts_them() -> None:
    rows = [["Members 2026"], [], [], *TABLE, [], ["Total", 2]]
    reading = read_file(workbook(rows))
    assert [(e.line, e.email_address) for e in reading.entries] == [
        (5, "ana@x.org"),
        (6, "bo@x.org"),
        (8, ""),
    ]
    assert [(note.first_line, note.last_line) for note in reading.notes] == [(1, 1)]


def test_a_table_may_stand_anywhere_on_its_sheet() -> None:
    book = openpyxl.Workbook()
    for number, row in enumerate(TABLE):
        for column in range(3):
            book.active.cell(row=4 + number, column=3 + column, value=row[column])
    content = io.BytesIO()
    book.save(content)
    assert found(content.getvalue()) == [(5, "ana@x.org", "Admin"), (6, "bo@x.org", "")]


def test_the_first_sheet_that_has_addresses_counts() -> None:
    sheets = ([["Read me"]], [["Name", "Email"], ["Ana", ""]], TABLE, [["Email"], ["no@x.org"]])
    assert [address for _, address, _ in found(workbook(*sheets))] == ["ana@x.org", "bo@x.org"]


def test_a_link_counts_where_the_cell_shows_a_name() -> None:
    rows = [["Name", "Contact email"], ["Ana", "write to Ana"], ["Bo", "bo@x.org"], ["Cy", "site"]]
    links = {
        "B2": "mailto:ana@x.org?subject=Hello",
        "B3": "mailto:other@x.org",
        "B4": "https://x.org",
    }
    entries = parse_file(workbook(rows, links=links))
    assert [e.email_address for e in entries] == ["ana@x.org", "bo@x.org", ""]


def test_numbers_and_dates_are_what_they_show() -> None:
    rows = [["Email", "No", "Since"], ["", 7.0, date(2026, 3, 1)], ["ana@x.org", 8.5, None]]
    entries = parse_file(workbook(rows))
    assert entries[0].text == "7, 2026-03-01"
    assert entries[0].refusal is Refusal.NO_ADDRESS


def test_a_sheet_without_a_table_gives_its_addresses() -> None:
    assert [a for _, a, _ in found(workbook([["ana@x.org", "Bo <bo@x.org>"], ["cy@x.org"]]))] == [
        "ana@x.org",
        "bo@x.org",
        "cy@x.org",
    ]


def test_an_empty_workbook_has_nobody() -> None:
    assert parse_file(workbook([])) == ()


def test_ten_thousand_rows_are_the_most() -> None:
    rows = [[f"p{number}@x.org"] for number in range(10_000)]
    assert len(parse_file(workbook([["Email"], *rows]))) == 10_000
    with pytest.raises(TooManyRows):
        parse_file(workbook([["Email"], *rows, ["one@x.org"]]))


# --- What is not opened --------------------------------------------------------------------------


def add(name: str, part: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda parts: parts.update({name: part})


def declare(parts: dict[str, bytes]) -> None:
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + sheet


def test_what_may_grow_or_is_damaged_is_not_read(subtests: pytest.Subtests) -> None:
    for change in [
        declare,
        add("xl/sharedStrings.xml", b'<?xml version="1.0"?>\n<!doctype sst>'),
        add("xl/styles.xml", "<!DOCTYPE x><x/>".encode("utf-16")),
        add("xl/media/large.bin", b"\0" * (workbooks.MAX_UNPACKED + 1)),
        add("xl/media/dense.bin", b"\0" * 20_000_000),
        lambda parts: parts.update({f"xl/media/{n}": b"" for n in range(workbooks.MAX_PARTS + 1)}),
        add("xl/worksheets/sheet1.xml", b"<worksheet>"),
        add("xl/_rels/workbook.xml.rels", b"<Relationships"),
    ]:
        with subtests.test(change=change), pytest.raises(UnreadableFile):
            parse_file(repacked(workbook(TABLE, links={"B2": "mailto:ana@x.org"}), change))


@pytest.mark.parametrize("far", ["XFD1048576", "ZZ20000"])
def test_cells_that_are_far_apart_are_not_filled_in_between(far: str) -> None:
    book = openpyxl.Workbook()
    book.active["A1"], book.active[far] = "Email", "ana@x.org"
    content = io.BytesIO()
    book.save(content)
    with pytest.raises(UnreadableFile):
        parse_file(content.getvalue())


@pytest.mark.exhaustive
def test_a_cell_at_the_end_of_a_column_is_read_all_the_same() -> None:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["B1048576"] = "Email", "note"
    book.active["A2"] = "ana@x.org"
    content = io.BytesIO()
    book.save(content)
    assert parse_file(content.getvalue())[0].email_address == "ana@x.org"


def test_a_directory_that_lies_about_a_size_is_not_believed() -> None:
    content = bytearray(workbook([["Email"], *[[f"p{n}@x.org"] for n in range(500)]]))
    name = b"xl/worksheets/sheet1.xml"
    at = content.rindex(name) - 46  # its entry in the directory at the end
    assert content[at : at + 4] == b"PK\x01\x02"
    content[at + 24 : at + 28] = (100).to_bytes(4, "little")
    with pytest.raises(UnreadableFile):
        parse_file(bytes(content))


def test_a_workbook_that_is_cut_off_is_not_read() -> None:
    content = workbook(TABLE)
    for size in (10, len(content) // 2, len(content) - 5):
        with pytest.raises(UnreadableFile):
            parse_file(content[:size])


def test_macros_pictures_and_other_files_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    packed: list[list[str]] = []
    pack = workbooks._packed

    def look(parts: dict[str, bytes]) -> bytes:
        packed.append(sorted(parts))
        return pack(parts)

    monkeypatch.setattr(workbooks, "_packed", look)

    def change(parts: dict[str, bytes]) -> None:
        parts["xl/vbaProject.bin"] = b"macro"
        parts["xl/externalLinks/externalLink1.xml"] = b"<!DOCTYPE x><x/>"
        parts["xl/media/image1.png"] = b"png"

    assert len(found(repacked(workbook(TABLE), change))) == 2
    assert not any("vba" in name or "external" in name or "media" in name for name in packed[0])


def test_another_archive_is_no_workbook() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("people.csv", "Email\nana@x.org\n")
    with pytest.raises(UnreadableFile):
        parse_file(packed.getvalue())


def test_without_the_extra_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(WorkbooksNotInstalled):
        parse_file(workbook(TABLE))
    assert parse_file(b"Email\nana@x.org\n")[0].email_address == "ana@x.org"
