"""Rows of cells into people: where the tables are, which column holds whose address, and the role.

A heading is looked for in the first rows, and again after empty ones: files begin with titles and
notes, and some programs write several tables into one. Where there is none that is known, the
column that holds addresses is taken. Each row below is one entry at least, so that none is missing:

- of several columns with addresses of the same person the first that is filled is taken;
- where the place of the address is empty, and exactly one stands elsewhere in the row, that one;
  where several could be meant, or it is somebody else's, they are offered;
- columns with addresses of different people are asked about, and the person's own come first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from .entries import (
    MAX_ROLE_LENGTH,
    MAX_ROWS,
    ColumnQuestion,
    Entry,
    IsRole,
    Note,
    NoteKind,
    QuestionRow,
    Reading,
    Refusal,
    TooManyRows,
)
from .grids import ADDRESS_CELL, DELIMITERS, MAX_COLUMNS, NONE, Grid, Row
from .headings import Heading, Rank, read_heading
from .parser import read_cell, read_pieces

#: So many rows are looked at for a heading, from the top and after an empty row.
_LOOK: Final = 60
#: So much of a row without an address is shown and kept.
_MAX_SHOWN: Final = 80
#: So many examples of a column are named.
_EXAMPLES: Final = 3
#: Google writes several values of one kind into a cell.
_MANY_VALUES: Final = ":::"

_ROLE_KEY: Final = re.compile(r"org:\w+")

#: Both columns of people are to be invited.
ALL: Final = "all"


@dataclass(slots=True)
class _Table:
    heading: Row | None
    rows: list[Row] = field(default_factory=list)
    headings: list[Heading] = field(init=False)

    def __post_init__(self) -> None:
        self.headings = [read_heading(cell) for cell in self.cells]

    @property
    def cells(self) -> list[str]:
        """The cells of the heading."""
        return self.heading.cells if self.heading else []

    @property
    def first_line(self) -> int:
        return self.heading.line if self.heading else self.rows[0].line

    @property
    def last_line(self) -> int:
        return self.rows[-1].line if self.rows else self.first_line


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
    summaries = [table for table in tables if _is_summary(table, tables)]
    if len(summaries) < len(tables):
        for table in summaries:
            outside += [*([table.heading] if table.heading else []), *table.rows]
        tables = [table for table in tables if table not in summaries]
    entries: list[Entry] = []
    notes: list[Note] = []
    question = None
    seen: set[str] = set()
    for table in tables:
        found = _People(table, is_role, asks=len(tables) == 1).read()
        new = {entry.email_address.casefold() for entry in found.entries if entry.email_address}
        if new and new <= seen:
            notes.append(Note(NoteKind.REPEATED, table.first_line, table.last_line))
            continue
        seen |= new
        entries += found.entries
        notes += (note for note in found.notes if note not in notes)
        question = found.question
    reading = Reading(tuple(entries), tuple(notes), question, is_table=True)
    return _with_outside(reading, outside, grid.delimiter)


# --- Where the tables are -----------------------------------------------------------------------


def _find_tables(rows: Sequence[Row]) -> tuple[list[Row], list[_Table]]:
    """Return what is in no table, and the tables whose headings are known."""
    outside: list[Row] = []
    tables: list[_Table] = []
    look = _LOOK
    rows = [row for row in rows if not _is_rule(row)]
    for number, row in enumerate(rows):
        if row.after_blank:
            look = max(look, 10)
        if look > 0 and not (outside and len(row.cells) == 1 and _has_address(outside[-1])):
            look -= 1
            below = rows[number + 1 : number + 4]
            if _is_heading(row, below):
                tables.append(_Table(row))
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
    """Whether it is the line between the heading and the rows: cells of nothing but dashes."""
    filled = row.filled
    return len(filled) > 1 and all(len(cell) > 1 and not cell.strip("-=_:") for cell in filled)


def _is_remark(row: Row) -> bool:
    """Whether a row is a title, a note or the like: one cell, below an empty row."""
    filled = row.filled
    return row.after_blank and len(filled) == 1 and "@" not in filled[0]


def _is_heading(row: Row, below: Sequence[Row]) -> bool:
    """Whether a row names columns, one of which holds addresses."""
    filled = row.filled
    if len(row.cells) > MAX_COLUMNS or any("@" in cell for cell in filled):
        return False
    known = [heading for cell in filled if (heading := read_heading(cell)).is_known]
    if any(heading.rank not in (None, *_NOT_MEANT) for heading in known):
        # "Mail, phone" is a heading; "Mail me as soon as you can, thanks" is none.
        if _is_prose(filled, 4 if len(filled) == 1 else 9):
            return False
        return len(known) * 2 >= len(filled) or len(filled) > 2
    if len(known) < 2 or len(filled) < 2:
        return False
    # Columns are named, though none of them as an address: then one must hold some.
    return any(len(other.cells) == len(row.cells) and _has_address(other) for other in below)


def _is_prose(cells: Iterable[str], words: int) -> bool:
    return any(len(cell.split()) > words for cell in cells)


def _has_address(row: Row) -> bool:
    return any("@" in cell and ADDRESS_CELL.fullmatch(cell) is not None for cell in row.cells)


def _is_summary(table: _Table, tables: Sequence[_Table]) -> bool:
    """Whether it tells of a meeting or a list, and not of people: one row, and nobody's name."""
    headings = table.headings
    return (
        len(table.rows) <= 1
        and any(len({*other.cells} & {*table.cells}) * 2 < len(headings) for other in tables)
        and len(headings) > 2
        and not any(_names_somebody(table, number) for number in range(len(headings)))
    )


def _names_somebody(table: _Table, column: int) -> bool:
    """Whether a column has somebody's name in it: "Participants" may have but their number."""
    heading = table.headings[column]
    cells = (row.cells[column] for row in table.rows if column < len(row.cells))
    return heading.is_name and not heading.whose and any(map(_has_letters, cells))


def _has_letters(text: str) -> bool:
    return any(char.isalpha() for char in text)


def _is_table_without_heading(grid: Grid, *, strict: bool) -> bool:
    """Whether rows are of one length, and one column holds addresses."""
    rows = grid.rows
    if grid.delimiter == NONE or grid.delimiter not in DELIMITERS:
        return False
    if len(rows) < 2 and grid.delimiter != "\t" and not grid.is_named:
        # "ana@x.org, please" is no table.
        (row,) = rows
        return (
            not strict and len(row.filled) > 2 and _has_address(row) and not _is_prose(row.cells, 3)
        )
    if not rows:
        return False
    widths = Counter(len(row.cells) for row in rows)
    width, count = widths.most_common(1)[0]
    # A form may have trimmed the empty cells at the very end.
    trimmed = len(rows[-1].cells) < width
    even = count + trimmed == len(rows) if strict else count * 10 >= len(rows) * 8
    if not 2 <= width <= MAX_COLUMNS or not even:
        return False
    if all("@" in cell for row in rows for cell in row.filled):
        return False  # a list of addresses, whatever parts them
    columns = _address_columns(rows, width)
    if not columns:
        return False
    best = max(columns, key=lambda column: columns[column])
    if strict and any("@" in cell for row in rows for i, cell in enumerate(row.cells) if i != best):
        return False
    if strict and grid.delimiter != "\t":
        # In a text a comma may be just a comma.
        return all(
            ADDRESS_CELL.fullmatch(row.cells[best]) is not None and "<" not in row.cells[best]
            for row in rows
            if len(row.cells) == width
        )
    return columns[best] * 2 >= len(rows)


def _address_columns(rows: Iterable[Row], width: int) -> Counter[int]:
    """Return in how many rows each column has an address, if it has one in half of those filled."""
    found: Counter[int] = Counter()
    filled: Counter[int] = Counter()
    for row in rows:
        for number, cell in enumerate(row.cells[:width]):
            if "@" in cell:
                found[number] += bool(ADDRESS_CELL.fullmatch(cell)) or _holds_several(cell)
                filled[number] += 1
            elif cell and not cell.isspace():
                filled[number] += 1
    return Counter({n: count for n, count in found.items() if count and count * 2 >= filled[n]})


def _holds_several(cell: str) -> bool:
    """Whether a cell is a list of addresses."""
    parts = [part for part in _BETWEEN.split(cell) if part.strip()]
    return len(parts) > 1 and all(ADDRESS_CELL.fullmatch(part) is not None for part in parts)


def _count_filled(rows: Iterable[Row], number: int) -> int:
    """Return in how many rows a column has an ``@``."""
    return sum("@" in row.cells[number] for row in rows if number < len(row.cells))


def _without_heading(rows: list[Row]) -> tuple[list[Row], list[_Table]]:
    """Return a table without a known heading; a first row that looks like one becomes it."""
    width = Counter(len(row.cells) for row in rows).most_common(1)[0][0]
    start = 0
    while (
        start < len(rows) - 1
        and not any("@" in cell for cell in rows[start].cells)
        and (len(rows[start].cells) != width or len(rows[start].filled) < 2)
    ):
        start += 1
    outside, rows = rows[:start], rows[start:]
    notes = [row for row in rows[1:] if _is_remark(row)]
    outside += notes
    rows = [row for row in rows if row not in notes]
    columns = _address_columns(rows, width)
    first = rows[0]
    called = [first.cells[column].strip() for column in columns if column < len(first.cells)]
    if (
        len(rows) > 1
        and all(called)
        and not any("@" in cell for cell in first.cells)
        and len(first.cells) == width
        and not any(char.isdigit() for cell in called for char in cell)
        and not any(entry.suggestion for cell in called for entry in read_cell(cell, first.line))
        and not any(cell.casefold() in _NOTHING for cell in called)
    ):
        return outside, [_Table(first, rows[1:])]
    return outside, [_Table(None, rows)]


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


# --- Which column is which ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Column:
    number: int
    heading: Heading
    #: In how many rows it has an address.
    count: int

    @property
    def rank(self) -> tuple[int, int]:
        rank = self.heading.rank
        return (Rank.UNNAMED if rank is None else rank, self.number)


class _People:
    """One table, row by row."""

    def __init__(self, table: _Table, is_role: IsRole | None, *, asks: bool) -> None:
        self._table = table
        self._asks = asks
        self._is_role = is_role
        self._notes: list[Note] = []
        self._width = max(
            len(table.heading.cells) if table.heading else 0,
            0 if table.heading else max((len(row.cells) for row in table.rows), default=0),
        )
        headings = table.headings
        counts = _address_columns(table.rows, self._width)
        self._columns = [
            _Column(
                number,
                headings[number] if headings else Heading(),
                # What is called an address is one, however few rows have it.
                _count_filled(table.rows, number)
                if headings and headings[number].rank is not None
                else counts[number],
            )
            for number in range(self._width)
        ]
        if table.heading is not None and not any(heading.is_known for heading in headings):
            self._notes.append(Note(NoteKind.HEADING, table.heading.line, table.heading.line))
        self._rest = next(
            (column.number for column in self._columns if column.heading.whose == "rest"), None
        )
        self._groups = self._group()
        #: The rows whose cells can be told by their number, and that have an address somewhere.
        self._with_address = [
            row
            for row in table.rows
            if any("@" in cell for cell in row.cells) and not self._is_shifted(row)
        ]
        self._role = self._find_role()

    def read(self) -> Reading:
        """Return the people of the table."""
        asked = self._asked()
        if asked:
            question = ColumnQuestion(
                columns=tuple(self._name(group[0]) for group in asked),
                counts=tuple(
                    sum(self._has_one(row, group) for row in self._table.rows) for group in asked
                ),
                rows=tuple(
                    QuestionRow(
                        row.line,
                        tuple(self._cell_of(row, group) for group in asked),
                        self._role_of(row),
                        ""
                        if any(self._has_one(row, group) for group in asked)
                        else self._show(row),
                    )
                    for row in self._table.rows
                ),
                role_column=self._role_name(),
            )
        else:
            question = None
        entries = [entry for row in self._table.rows for entry in self._read_row(row)]
        self._name_unused(asked)
        return Reading(tuple(entries), tuple(self._notes), question, is_table=True)

    # --- Columns ---------------------------------------------------------------------------

    def _group(self) -> list[list[_Column]]:
        """Return the columns with addresses by person, the table's own person first."""
        found: dict[str, list[_Column]] = {}
        unnamed: list[_Column] = []
        for column in self._columns:
            heading = column.heading
            if heading.whose == "rest" or heading.rank in _NOT_MEANT:
                continue
            if heading.rank is None and not column.count:
                continue
            if heading.rank is None and not heading.whose:
                unnamed.append(column)
            else:
                found.setdefault(heading.whose, []).append(column)
        for columns in found.values():
            columns.sort(key=lambda column: column.rank)
        own = found.pop("", [])
        if not own:
            own = self._adopt(unnamed, found)
        groups = [own] if own else []
        groups += self._split(own)
        # What is not called an address, and seems to be the same person's, is only looked at where
        # the others are empty.
        groups += [[column] for column in unnamed if own and not self._is_same(own[0], column)]
        return [group for group in groups if group] + list(found.values())

    def _adopt(self, unnamed: list[_Column], found: dict[str, list[_Column]]) -> list[_Column]:
        """Return the person's columns where none is called so."""
        if unnamed:
            best = max(unnamed, key=lambda column: column.count)
            unnamed.remove(best)
            return [best]
        filled = [whose for whose, columns in found.items() if any(c.count for c in columns)]
        return found.pop(filled[0]) if len(filled) == 1 else []  # a list of nobody but parents

    def _split(self, own: list[_Column]) -> list[list[_Column]]:
        """Take columns out that are as plainly called an address, and hold other people's."""
        apart = []
        plain = [column for column in own if column.heading.rank is Rank.PLAIN and column.count]
        for column in plain[1:]:
            if not self._is_same(plain[0], column):
                own.remove(column)
                apart.append([column])
        return apart

    def _is_same(self, first: _Column, second: _Column) -> bool:
        """Whether two columns seem to be of one person: mostly the same name before the ``@``."""
        both = same = 0
        for row in self._table.rows[:500]:
            if max(first.number, second.number) >= len(row.cells):
                continue
            one, other = row.cells[first.number], row.cells[second.number]
            found, beside = _LIKE_ONE.search(one), _LIKE_ONE.search(other)
            if found and beside:
                both += 1
                same += _names_alike(found[0], beside[0])
        return both == 0 or same * 2 >= both

    def _asked(self) -> list[list[_Column]]:
        """Return the groups among which has to be chosen; none where there is but one."""
        if not self._asks or not self._groups or not any(c.count for c in self._groups[0]):
            return []
        own = self._groups[0][0].heading
        alike = any(
            group[0].heading.rank is Rank.PLAIN and not group[0].heading.whose
            for group in self._groups[1:]
        )
        if own.rank is not None and not own.is_told and not own.whose and not alike:
            return []  # "Email" beside "Manager email": nobody need be asked
        filled = [group for group in self._groups if any(column.count for column in group)]
        return filled if len(filled) > 1 else []

    def _name(self, column: _Column) -> str:
        if column.heading.text:
            return column.heading.text
        example = next(
            (
                row.cells[column.number].strip()
                for row in self._table.rows
                if column.number < len(row.cells) and "@" in row.cells[column.number]
            ),
            "",
        )
        return f"{column.number + 1}: {example}"

    def _find_role(self) -> int | None:
        """Return the number of the column of roles; say so where it, or another, is not used."""
        called = [column for column in self._columns if column.heading.is_role]
        if self._is_role is None:
            if called:
                return called[0].number
            return self._column_of_keys()
        known = {column: self._known_roles(column) for column in called}
        best = max(called, key=lambda column: len(known[column]), default=None)
        if best is not None and known[best]:
            return best.number
        if best is not None:
            values = self._values(best)
            if values:
                names = (self._name(best), *values[:_EXAMPLES])
                self._notes.append(Note(NoteKind.NO_ROLES, names=names))
            return None
        return self._find_role_by_values()

    def _find_role_by_values(self) -> int | None:
        """Return a column of a table without a heading that has nothing but roles."""
        without = self._table.heading is None or not any(c.heading.is_known for c in self._columns)
        taken = {column.number for group in self._groups for column in group}
        for column in self._columns:
            if column.number in taken or column.heading.whose == "rest":
                continue
            values = self._values(column)
            roles = self._known_roles(column)
            if not roles:
                continue
            if without and len(roles) == len(values):
                return column.number
            if len(roles) == len(values) or without:
                name = column.heading.text or f"{column.number + 1}: {roles[0]}"
                self._notes.append(Note(NoteKind.UNUSED, names=(name,)))
        return None

    def _column_of_keys(self) -> int | None:
        """Return a column that has nothing but Clerk's keys of roles."""
        for column in self._columns:
            values = self._values(column)
            if column.heading.whose == "rest":
                continue
            if values and all(_ROLE_KEY.fullmatch(value) for value in values):
                return column.number
        return None

    def _values(self, column: _Column) -> list[str]:
        """Return what stands in a column beside an address, each value once."""
        values: dict[str, None] = {}
        for row in self._with_address:
            if column.number < len(row.cells) and (value := row.cells[column.number].strip()):
                values[value[:MAX_ROLE_LENGTH]] = None
                if len(values) > 200:
                    break
        return list(values)

    def _known_roles(self, column: _Column) -> list[str]:
        is_role = self._is_role
        return [value for value in self._values(column) if is_role is not None and is_role(value)]

    def _role_name(self) -> str:
        return "" if self._role is None else self._columns[self._role].heading.text or "Role"

    def _name_unused(self, asked: list[list[_Column]]) -> None:
        """Name the columns with addresses of which none was taken."""
        used = {column.number for group in (asked or self._groups[:1]) for column in group}
        unused = tuple(
            self._name(column)
            for column in self._columns
            if column.count
            and column.number not in used
            and column.number != self._rest
            and column.heading.text
            and column.heading.rank not in _NOT_MEANT
        )
        if unused:
            self._notes.append(Note(NoteKind.UNUSED, names=unused))

    # --- Rows ------------------------------------------------------------------------------

    def _is_shifted(self, row: Row) -> bool:
        """Whether the cells cannot be told by their number: there are more than headings."""
        if len(row.cells) <= self._width:
            return False
        own = self._groups[0] if self._groups else []
        if any("@" in row.cells[column.number] for column in own):
            return False
        return any(cell.strip() for cell in row.cells[self._width :]) or _has_address(row)

    def _cell_of(self, row: Row, group: list[_Column]) -> str:
        """Return the first cell of a person's columns with an address, else with anything."""
        if self._is_shifted(row):
            return ""
        rest = ""
        for column in group:
            if column.number >= len(row.cells):
                continue
            cell = row.cells[column.number].strip()
            if "@" not in cell or (_is_guest(cell) and column is not group[-1]):
                rest = rest or cell
                continue
            if _MANY_VALUES in cell:
                return cell.partition(_MANY_VALUES)[0].strip()
            return cell if column is group[0] else _first_address(cell)
        return rest

    def _has_one(self, row: Row, group: list[_Column]) -> bool:
        return "@" in self._cell_of(row, group)

    def _role_of(self, row: Row) -> str:
        if self._role is None:
            return ""
        if self._is_shifted(row):
            is_role = self._is_role
            found = [cell.strip() for cell in row.cells if is_role is not None and is_role(cell)]
            return found[0] if len(found) == 1 else ""
        if self._role >= len(row.cells):
            return ""
        role = row.cells[self._role].strip()[:MAX_ROLE_LENGTH].strip()
        if "@" in role and not (self._is_role is not None and self._is_role(role)):
            return ""  # an address, in the wrong place
        return role

    def _read_row(self, row: Row) -> list[Entry]:
        role = self._role_of(row)
        group = self._groups[0] if self._groups else []
        cell = self._cell_of(row, group)
        line = self._line_of(row, cell)
        if "@" in cell or len(self._columns) == 1:
            found = read_cell(cell or row.cells[0], line)
            if len(found) == 1 and found[0].refusal is Refusal.NOT_AN_ADDRESS:
                found = [self._with_offers(found[0], row)]
            if found:
                return [replace(entry, role=role) for entry in found]
        own, others = self._elsewhere(row)
        if len(own) == 1 and not others:
            return [replace(own[0], role=role)]
        offers = tuple(dict.fromkeys(entry.email_address for entry in (*own, *others)))
        if offers:
            refusal = Refusal.SEVERAL if len(offers) > 1 else Refusal.NO_ADDRESS
            shown = self._show(row)
            missing = [offer for offer in offers if offer.casefold() not in shown.casefold()]
            text = ", ".join([shown, *missing]) if shown else ", ".join(offers)
            return [Entry(text, row.line, "", role, refusal, offers[0], None, offers[1:])]
        says = any(char.isalpha() for char in cell) and cell.casefold() not in _NOTHING
        alone = len(row.filled) == 1 + bool(role)
        if cell and (says or alone):
            return [replace(entry, role=role) for entry in read_cell(cell, line)[:1]]
        shown = self._show(row) or cell or " ".join(" ".join(row.filled).split())
        return [Entry(shown, row.line, "", role, Refusal.NO_ADDRESS)]

    def _with_offers(self, entry: Entry, row: Row) -> Entry:
        """Offer what stands elsewhere in a row whose address is none and nothing like one."""
        if entry.suggestion:
            return entry
        own, others = self._elsewhere(row)
        offers = tuple(dict.fromkeys(found.email_address for found in (*own, *others)))
        return replace(entry, suggestion=offers[0], alternatives=offers[1:]) if offers else entry

    def _line_of(self, row: Row, cell: str) -> int:
        """Return the line on which a cell starts, where one above it has several."""
        line = row.line
        if not any("\n" in other or "\r" in other for other in row.cells):
            return line
        for other in row.cells:
            if cell and other.strip().startswith(cell):
                return line
            line += other.count("\n") or other.count("\r")
        return row.line

    def _elsewhere(self, row: Row) -> tuple[list[Entry], list[Entry]]:
        """Return the addresses of a row that are not in their place: maybe the person's, or not."""
        own: dict[str, Entry] = {}
        others: dict[str, Entry] = {}
        for number, cell in enumerate(row.cells):
            if "@" not in cell:
                continue
            heading = self._columns[number].heading if number < self._width else Heading()
            strange = bool(heading.whose) or heading.rank is Rank.ASIDE
            for entry in read_cell(cell, row.line):
                if entry.refusal is not None:
                    continue
                if strange and not self._is_shifted(row):
                    others.setdefault(entry.email_address.casefold(), entry)
                else:
                    own.setdefault(entry.email_address.casefold(), entry)
        return list(own.values()), [e for key, e in others.items() if key not in own]

    def _show(self, row: Row) -> str:
        """Return what a row without an address has in it, in short: its role and links left out."""
        cells = [
            " ".join(cell.split())
            for number, cell in enumerate(row.cells)
            if number != self._role or self._is_shifted(row)
        ]
        filled = [cell for cell in cells if cell]
        shown = ""
        for cell in [cell for cell in filled if "://" not in cell] or filled:
            if shown and len(shown) + len(cell) > _MAX_SHOWN:
                break
            shown = f"{shown}, {cell}" if shown else cell[: _MAX_SHOWN * 4]
        return shown


#: Columns that are not read; but a row without an address in its place may have one there.
_NOT_MEANT: Final = (Rank.SHOWN, Rank.ASIDE)
#: An address within a cell, to compare it with another.
_LIKE_ONE: Final = re.compile(r"[^\s@<>()\[\]:;,\"]++@[^\s@<>()\[\]:;,\"]++")
#: What people write into a cell to say that there is nothing.
_NOTHING: Final = frozenset({"n/a", "na", "none", "null", "nil", "k.a.", "no", "keine", "tbd", "x"})


def _names_alike(one: str, other: str) -> bool:
    """Whether two addresses may be one person's: equal, or alike before the ``@``."""
    first, second = (text.casefold().partition("@")[0] for text in (one, other))
    bare = ["".join(char for char in local if char.isalpha()) for local in (first, second)]
    return bare[0] == bare[1] or (
        min(map(len, bare)) > 3 and (bare[0] in bare[1] or bare[1] in bare[0])
    )


def _is_guest(cell: str) -> bool:
    return "#ext#" in cell.casefold()


def _first_address(cell: str) -> str:
    """Return the first of several addresses of one person; a mark before it says which it is."""
    parts = [part.strip() for part in _BETWEEN.split(cell)]
    main = [part for part in parts if part.startswith("SMTP:")]
    return next((part for part in (*main, *parts) if "@" in part), cell)


#: What parts several addresses in a cell; Microsoft 365 writes ``SMTP:a@x.org+smtp:b@x.org``.
_BETWEEN: Final = re.compile(r"[;,\n]|\+(?=\w+:)")


def choose(question: ColumnQuestion, column: int | None) -> tuple[Entry, ...]:
    """Return the entries of one of the columns in question, or, for None, of all of them."""
    entries: list[Entry] = []
    for row in question.rows:
        numbers = range(len(row.cells)) if column is None else [column]
        found = [
            replace(entry, role=row.role)
            for number in numbers
            if row.cells[number]
            for entry in read_cell(row.cells[number], row.line)
        ]
        if found:
            entries += found
        else:
            rest = row.rest or next((cell for cell in row.cells if cell), "") or row.role
            entries.append(Entry(rest, row.line, "", row.role, Refusal.NO_ADDRESS))
    return tuple(entries)
