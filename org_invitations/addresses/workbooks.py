"""Workbooks of Excel (``.xlsx``): the first sheet that has addresses.

A workbook is a ZIP archive of XML, and both can be made to grow without end. So its directory is
looked at before anything is opened, nothing in it may declare a document type, and what the library
gets is a new archive that holds only what is needed, as it was read and measured here. Macros,
pictures and links to other files are never opened.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final
from xml.etree import ElementTree as ET

from .encodings import UnreadableFile
from .entries import MAX_ROWS, Entry, IsRole, Note, NoteKind, Reading, TooManyRows
from .grids import MAX_COLUMNS, Grid, Row
from .parser import Meter, read_pieces, without_invisible
from .tables import read_tables

#: Of the archive: how many parts it may have, how large they may be together (bytes), and how many
#: times smaller than that it may be itself.
MAX_PARTS: Final = 2_000
MAX_UNPACKED: Final = 80_000_000
MAX_RATIO: Final = 300

#: And of a sheet: how many cells it may have, the empty ones between others included.
MAX_AREA: Final = 6_000_000

_ZIP: Final = b"PK\x03\x04"
_WORKBOOK: Final = "xl/workbook.xml"
_NEEDED: Final = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|xl/(?:workbook|sharedStrings|styles)\.xml"
    r"|xl/_rels/workbook\.xml\.rels|xl/worksheets/[^/]+\.xml|xl/worksheets/_rels/[^/]+\.xml\.rels",
    re.IGNORECASE,
)
_DECLARATION: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_MAILTO: Final = re.compile(r"mailto:\s*([^?\s]+)", re.IGNORECASE)
_CELL: Final = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})")
#: Where a cell or a row is: ``r="B12"``, ``r="12"``.
_PLACE: Final = re.compile(rb"\br\s*=\s*[\"']([A-Z]{0,3})(\d{1,7})[\"']")
_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class WorkbooksNotInstalled(ValueError):
    """The library that reads workbooks is not installed; the extra ``xlsx`` brings it."""


def is_workbook(content: bytes) -> bool:
    """Whether a file may be a workbook, by its first bytes and its directory."""
    if not content.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return any(info.filename.lower() == _WORKBOOK for info in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return False


def read_workbook(content: bytes, *, is_role: IsRole | None = None) -> Reading:
    """Return the people of the first sheet that has addresses; lines are numbers of rows.

    :raises WorkbooksNotInstalled: there is no library to read it with.
    :raises UnreadableFile: if it is damaged, protected, or larger inside than it may be.
    :raises TooManyRows: there are more than ``MAX_ROWS`` rows.
    """
    try:
        # An extra: most sites have it, but the app does without.
        from python_calamine import CalamineError, load_workbook
    except ImportError as error:
        raise WorkbooksNotInstalled from error
    parts = _parts_of(content)
    links = _links_of(parts)
    try:
        workbook = load_workbook(io.BytesIO(_packed(parts)))
        first: Reading | None = None
        for name in _names_of_sheets(workbook):
            rows = _rows_of(workbook.get_sheet_by_name(name), links.get(name, {}))
            reading = _read_sheet(rows, is_role)
            if any(entry.email_address for entry in reading.entries):
                return reading
            first = first or reading
    except (CalamineError, OSError, ValueError) as error:
        if isinstance(error, TooManyRows):
            raise
        raise UnreadableFile("workbook") from error
    return first or Reading(is_table=True)


def _names_of_sheets(workbook: Any) -> list[str]:
    """Return the names of the sheets, those that are hidden last."""
    sheets = workbook.sheets_metadata
    hidden = {sheet.name for sheet in sheets if sheet.visible != type(sheet.visible).Visible}
    return sorted(workbook.sheet_names, key=lambda name: name in hidden)


def _read_sheet(rows: list[Row], is_role: IsRole | None) -> Reading:
    if not rows:
        return Reading(is_table=True)
    table = read_tables(Grid(rows, "\t", is_named=True), is_role=is_role, strict=False)
    if table is not None:
        return table
    # No table: every cell is read as if it were typed on a line of its own.
    meter = Meter()
    is_list = all(len(row.filled) == 1 for row in rows)
    entries: list[Entry] = []
    notes: list[Note] = []
    for row in rows:
        found = [entry for cell in row.filled for entry in read_pieces(cell, row.line, meter)]
        told = [entry for entry in found if entry.email_address or entry.suggestion]
        if told or any("@" in entry.text for entry in found) or (is_list and entries):
            entries += found if is_list else [e for e in found if e in told or "@" in e.text]
        elif notes and notes[-1].last_line >= row.line - 3:
            notes[-1] = replace(notes[-1], last_line=row.line)
        else:
            notes.append(Note(NoteKind.NOT_PEOPLE, row.line, row.line))
    return Reading(tuple(entries), tuple(notes), is_table=True)


# --- The archive --------------------------------------------------------------------------------


def _parts_of(content: bytes) -> dict[str, bytes]:
    """Return the parts that are needed, unpacked.

    :raises UnreadableFile: there are too many, they are too large, or one declares a type.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_directory(archive.infolist(), len(content))
            # No more than the directory says is read, and its checksum must be right.
            parts = {
                info.filename: archive.read(info)
                for info in archive.infolist()
                if _NEEDED.fullmatch(info.filename)
            }
    except UnreadableFile:
        raise
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError) as error:
        raise UnreadableFile("damaged") from error
    for name, part in parts.items():
        if _DECLARATION.search(part) or part[:2] in (b"\xfe\xff", b"\xff\xfe"):
            raise UnreadableFile("declares a type")  # or is in UTF-16, where nobody would see one
        if "worksheets/" in name and _area_of(part) > MAX_AREA:
            raise UnreadableFile("too wide")
    return parts


def _check_directory(infos: list[zipfile.ZipInfo], size: int) -> None:
    """Refuse an archive by its directory, before anything in it is unpacked."""
    unpacked = sum(info.file_size for info in infos)
    if len(infos) > MAX_PARTS or unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * size:
        raise UnreadableFile("too large")
    if any(info.flag_bits & 0x1 for info in infos):
        raise UnreadableFile("protected")


def _area_of(sheet: bytes) -> int:
    """Return how many cells a sheet has between its first and its last one, the empty ones too.

    The library keeps them all, and two cells far apart are enough for thousands of millions.
    """
    top, bottom, right = 1_048_576, 1, 1
    for found in _PLACE.finditer(sheet):
        row = int(found[2])
        top, bottom = min(top, row), max(bottom, row)
        right = max(right, _column(found[1].decode()))
    return max(bottom - top + 1, 1) * right


def _packed(parts: dict[str, bytes]) -> bytes:
    """Return a new archive of parts that were measured: what is opened is what was seen."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()


# --- Rows ---------------------------------------------------------------------------------------


def _rows_of(sheet: Any, links: dict[tuple[int, int], str]) -> list[Row]:
    rows: list[Row] = []
    blank = False
    for number, values in enumerate(_padded(sheet), 1):
        cells = [without_invisible(_as_text(value)) for value in values[:MAX_COLUMNS]]
        for column, cell in enumerate(cells):
            if (link := links.get((number, column + 1))) and "@" not in cell:
                cells[column] = link  # the cell shows a name, and its link says whose it is
        if not any(cell.strip() for cell in cells):
            blank = True
            continue
        rows.append(Row(number, cells, blank))
        blank = False
        if len(rows) > MAX_ROWS + 200:
            raise TooManyRows(MAX_ROWS)
    return rows


def _padded(sheet: Any) -> Iterator[list[Any]]:
    """Yield the rows from the first one on, each from the first column on."""
    if sheet.start is None:
        return
    _, left = sheet.start
    for row in sheet.iter_rows():  # those above the first cell are among them
        yield [*[""] * left, *row]


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


# --- Links --------------------------------------------------------------------------------------


def _links_of(parts: dict[str, bytes]) -> dict[str, dict[tuple[int, int], str]]:
    """Return for each sheet the addresses of its cells' links, by row and column from 1."""
    try:
        targets = _targets(parts.get("xl/_rels/workbook.xml.rels", b""))
        found: dict[str, dict[tuple[int, int], str]] = {}
        for sheet in _elements(parts.get(_WORKBOOK, b""), f"{_MAIN}sheet"):
            target = targets.get(sheet.get(_RELATION, ""), "")
            path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            path = posixpath.normpath(path)
            folder, name = posixpath.split(path)
            relations = parts.get(f"{folder}/_rels/{name}.rels", b"")
            if (
                b"mailto:" not in relations.lower()
                and b"mailto:" not in parts.get(path, b"").lower()
            ):
                continue
            found[sheet.get("name", "")] = dict(_cells_linked(parts.get(path, b""), relations))
    except ET.ParseError as error:
        raise UnreadableFile("damaged") from error
    return found


def _cells_linked(sheet: bytes, relations: bytes) -> Iterator[tuple[tuple[int, int], str]]:
    targets = _targets(relations)
    for link in _elements(sheet, f"{_MAIN}hyperlink"):
        target = targets.get(link.get(_RELATION, ""), "") or link.get("location", "")
        mailto = _MAILTO.match(target)
        cell = _CELL.match(link.get("ref", ""))
        if mailto and cell:
            yield (int(cell[2]), _column(cell[1])), mailto[1]


def _targets(relations: bytes) -> dict[str, str]:
    if not relations:
        return {}
    root = ET.fromstring(relations)  # noqa: S314 - nothing in it declares a type
    return {item.get("Id", ""): item.get("Target", "") for item in root}


def _elements(part: bytes, name: str) -> Iterable[ET.Element]:
    if not part:
        return
    for _, element in ET.iterparse(io.BytesIO(part)):  # noqa: S314 - the same
        if element.tag == name:
            yield element
        elif element.tag == f"{_MAIN}row":
            element.clear()


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
