"""Where in a grid the tables are, and what stands beside them.

A heading is looked for in the first rows, and again after empty ones: files begin with titles and
notes, and some programs write several tables into one. Where there is none that is known, the
column that holds addresses is taken. What is in no table is summed up in notes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from .columns import NOT_MEANT, Table, address_columns
from .entries import MAX_ROWS, Entry, IsRole, Note, NoteKind, Reading, TooManyRows, join_questions
from .grids import (
    ADDRESS_CELL,
    DELIMITERS,
    MAX_COLUMNS,
    NONE,
    Grid,
    Row,
    has_address,
    holds_addresses,
)
from .headings import Rank, read_heading
from .parser import read_cell, read_pieces
from .people import NOTHING, People

#: So many rows are looked at for a heading, from the top and after an empty row.
_LOOK: Final = 60
#: More tables than any program writes into a file.
_MAX_TABLES: Final = 200


def read_tables(grid: Grid, *, is_role: IsRole | None, strict: bool) -> Reading | None:
    """Return the people of a grid, or None where it is no table.

    :param is_role: tells whether a word is the name or key of a role; None where nobody knows.
    :param strict: whether it was pasted: without a heading it is a table only where every row is.
    :raises TooManyRows: there are more than ``MAX_ROWS`` below the headings.
    """
    outside, tables = _find_tables(grid.rows)
    if not tables:
        if not _is_table_without_heading(grid, strict=strict):
            return None
        outside, tables = _without_heading(grid.rows)
    if sum(len(table.rows) for table in tables) > MAX_ROWS:
        raise TooManyRows(MAX_ROWS)
    outside, tables = _without_summaries(outside, tables)
    entries: list[Entry] = []
    notes: list[Note] = []
    readings: list[Reading] = []
    seen: set[str] = set()
    for table in tables:
        found = People(table, is_role).read()
        new = {entry.email_address.casefold() for entry in found.entries if entry.email_address}
        if new and new <= seen:
            notes.append(Note(NoteKind.REPEATED, table.first_line, table.last_line))
            continue
        seen |= new
        entries += found.entries
        notes += (note for note in found.notes if note not in notes)
        readings.append(found)
    reading = Reading(tuple(entries), tuple(notes), join_questions(readings), is_table=True)
    return _with_outside(reading, outside, grid.delimiter)


# --- Where the tables are -----------------------------------------------------------------------


def _find_tables(rows: Sequence[Row]) -> tuple[list[Row], list[Table]]:
    """Return what is in no table, and the tables whose headings are known."""
    outside: list[Row] = []
    tables: list[Table] = []
    look = _LOOK
    rows = [row for row in rows if not _is_rule(row)]
    for number, row in enumerate(rows):
        if row.after_blank:
            look = max(look, 10)
        if (
            look > 0
            and len(tables) < _MAX_TABLES
            and not (outside and len(row.cells) == 1 and has_address(outside[-1]))
        ):
            look -= 1
            below = rows[number + 1 : number + 4]
            if _is_heading(row, below):
                tables.append(Table(row))
                look = 0
                continue
        if not tables:
            outside.append(row)
        elif len(row.cells) > 1 and row.cells == tables[-1].cells:
            continue  # once more at the top of each page
        elif _is_remark(row) and len(tables[-1].cells) > 1:
            outside.append(row)  # a title, or who has made the list
        else:
            tables[-1].rows.append(row)
    return outside, tables


def _is_rule(row: Row) -> bool:
    """Whether it is a line between rows: cells of nothing but dashes, or ``+-----+----+``."""
    filled = row.filled
    if len(filled) == 1:
        return "+" in filled[0] and "--" in filled[0] and not filled[0].strip("-+")
    return len(filled) > 1 and all(len(cell) > 1 and not cell.strip("-=_:") for cell in filled)


def _is_remark(row: Row) -> bool:
    """Whether a row is a title, a note or the like: one cell, below an empty row.

    It may say whose address to write to: "Made by Ana Doe, ana@x.org".
    """
    filled = row.filled
    if not row.after_blank or len(filled) != 1:
        return False
    return "@" not in filled[0] or (_is_prose(filled, 2) and not holds_addresses(filled[0]))


def _is_heading(row: Row, below: Sequence[Row]) -> bool:
    """Whether a row names columns, one of which holds addresses."""
    filled = row.filled
    if len(row.cells) > MAX_COLUMNS or any("@" in cell for cell in filled):
        return False
    known = [heading for cell in filled if (heading := read_heading(cell)).is_known]
    if any(heading.rank not in (None, *NOT_MEANT) for heading in known):
        # "Mail, phone" is a heading; "Mail me as soon as you can, thanks" is none.
        if _is_prose(filled, 4 if len(filled) == 1 else 9):
            return False
        return len(known) * 2 >= len(filled) or len(filled) > 2
    if len(known) < 2 or len(filled) < 2:
        return False
    # Columns are named, though none of them as an address: then one must hold some.
    return any(len(other.cells) == len(row.cells) and has_address(other) for other in below)


def _is_prose(cells: Iterable[str], words: int) -> bool:
    """Whether a cell has more words than so many; "a@x.org / b@x.org" has two."""
    return any(
        sum(any(char.isalnum() for char in word) for word in cell.split()) > words for cell in cells
    )


def _without_summaries(outside: list[Row], tables: list[Table]) -> tuple[list[Row], list[Table]]:
    """Put the rows of tables that are none of people beside the others, if there are others."""
    are = [_is_summary(table, tables) for table in tables]
    if all(are):
        return outside, tables
    for table in (table for table, is_summary in zip(tables, are, strict=True) if is_summary):
        outside += [*([table.heading] if table.heading else []), *table.rows]
    return outside, [table for table, is_summary in zip(tables, are, strict=True) if not is_summary]


def _is_summary(table: Table, tables: Sequence[Table]) -> bool:
    """Whether it tells of a meeting or a list, and not of people: one row, and nobody's name."""
    headings = table.headings
    return (
        len(table.rows) <= 1
        and any(len({*other.cells} & {*table.cells}) * 2 < len(headings) for other in tables)
        and len(headings) > 2
        and not any(_names_somebody(table, number) for number in range(len(headings)))
    )


def _names_somebody(table: Table, column: int) -> bool:
    """Whether a column has somebody's name in it: "Participants" may have but their number."""
    heading = table.headings[column]
    if heading.whose or not (heading.is_name or heading.rank is Rank.SIGN_IN):
        return False
    cells = [row.cells[column] for row in table.rows if column < len(row.cells)]
    return any("@" not in cell and _has_letters(cell) for cell in cells)


def _has_letters(text: str) -> bool:
    return any(char.isalpha() for char in text)


def _is_table_without_heading(grid: Grid, *, strict: bool) -> bool:
    """Whether rows are of one length or break off early, and one column holds addresses."""
    rows = [row for row in grid.rows if not _is_remark(row)]
    if grid.delimiter == NONE or grid.delimiter not in DELIMITERS or not rows:
        return False
    if len(rows) < 2 and grid.delimiter != "\t" and not grid.is_named:
        # "ana@x.org, please" is no table.
        (row,) = rows
        is_list = any("<" in cell for cell in row.cells)  # "Doe, Ana <ana@x.org>, Roe, Bo <.."
        return (
            not (strict or is_list)
            and len(row.filled) > 2
            and has_address(row)
            and not _is_prose(row.cells, 3)
        )
    width, count = _most_common_width(rows)
    # A form may have trimmed the empty cells at the very end.
    trimmed = len(rows[-1].cells) < width
    even = count + trimmed == len(rows) if strict else count * 10 >= len(rows) * 8
    if not strict and not even:
        # Some programs leave out the empty cells at the end of a row.
        even = any(
            all(len(row.cells) > number and holds_addresses(row.cells[number]) for row in rows)
            for number in range(width)
        )
    if not 2 <= width <= MAX_COLUMNS or not even:
        return False
    if all("@" in cell for row in rows for cell in row.filled):
        return False  # a list of addresses, whatever parts them
    columns = address_columns(rows, width)
    if not columns:
        return False
    best = max(columns, key=lambda column: columns[column])
    several = any("@" in cell for row in rows for i, cell in enumerate(row.cells) if i != best)
    if strict and several and not (grid.delimiter == "\t" and _has_names(rows, width)):
        return False
    if strict and grid.delimiter != "\t":
        # In a text a comma may be just a comma.
        return all(
            ADDRESS_CELL.fullmatch(row.cells[best]) is not None and "<" not in row.cells[best]
            for row in rows
            if len(row.cells) == width
        )
    return columns[best] * 2 >= len(rows) - 1  # the first may be a heading


def _most_common_width(rows: Iterable[Row]) -> tuple[int, int]:
    """Return how many cells most rows have, the longest of several, and how many rows those are."""
    widths = Counter(len(row.cells) for row in rows)
    return max(widths.items(), key=lambda found: (found[1], found[0]))


def _has_names(rows: Sequence[Row], width: int) -> bool:
    """Whether a column is filled in every row, and never with an address."""
    return any(
        all(number < len(row.cells) and _has_letters(row.cells[number]) for row in rows)
        and not any("@" in row.cells[number] for row in rows)
        for number in range(width)
    )


def _without_heading(rows: list[Row]) -> tuple[list[Row], list[Table]]:
    """Return a table without a known heading; a first row that looks like one becomes it."""
    width, _ = _most_common_width([row for row in rows if not _is_remark(row)] or rows)
    start = 0
    while (
        start < len(rows) - 1
        and not any("@" in cell for cell in rows[start].cells)
        and (len(rows[start].cells) != width or len(rows[start].filled) < 2)
    ):
        start += 1
    outside, rows = rows[:start], rows[start:]
    outside += (row for row in rows[1:] if _is_remark(row))
    rows = [rows[0], *(row for row in rows[1:] if not _is_remark(row))]
    columns = address_columns(rows, width)
    first = rows[0]
    called = [first.cells[column].strip() for column in columns if column < len(first.cells)]
    if (
        len(rows) > 1
        and all(called)
        and not any("@" in cell for cell in first.cells)
        and len(first.cells) == width
        and not any(char.isdigit() for cell in called for char in cell)
        and not any(entry.suggestion for cell in called for entry in read_cell(cell, first.line))
        and not any(cell.casefold() in NOTHING for cell in called)
    ):
        return outside, [Table(first, rows[1:])]
    return outside, [Table(None, rows)]


def _with_outside(reading: Reading, outside: list[Row], delimiter: str) -> Reading:
    """Say once what is in no table; take what is a list of addresses.

    A title may have an address in it, which is named: ``Members of team@x.org``. What has
    several lines with some is a list that stands beside the table.
    """
    outside.sort(key=lambda row: row.line)
    with_some = [row for row in outside if any("@" in cell for cell in row.cells)]
    entries: list[Entry] = []
    notes: list[Note] = []
    for row in outside:
        filled = row.filled
        is_bare = all("@" in cell and " " not in cell for cell in filled)
        if "@" in "".join(filled) and (is_bare or len(with_some) > 2):
            entries += read_pieces(delimiter.join(row.cells).replace(NONE, ""), row.line)
            continue
        found = tuple(
            entry.email_address or entry.suggestion
            for cell in filled
            if "@" in cell
            for entry in read_cell(cell, row.line)
            if entry.email_address or entry.suggestion
        )
        last = notes[-1] if notes else None
        if last is not None and row.line - last.last_line <= 3:
            notes[-1] = replace(last, last_line=row.line, names=(*last.names, *found))
        else:
            notes.append(Note(NoteKind.NOT_PEOPLE, row.line, row.line, found))
    return replace(
        reading,
        entries=tuple(sorted((*entries, *reading.entries), key=lambda entry: entry.line)),
        notes=(*notes, *reading.notes),
    )
