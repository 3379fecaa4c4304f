"""Which column of a table is which: whose addresses are in it, and which says the role.

Columns are told by what they are called; with no heading known, by what stands in them. Those with
addresses are put together by person, the table's own person first. Of several columns of one person
the first that is filled counts, the likeliest first; columns of several people are asked about.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from .entries import MAX_ROLE_LENGTH, IsRole, Note, NoteKind
from .grids import Row, has_address, holds_addresses
from .headings import Heading, Rank, read_heading

#: Columns that are not read; but a row without an address in its place may have one there.
NOT_MEANT: Final = (Rank.SHOWN, Rank.ASIDE)

#: So many examples of a column are named.
_EXAMPLES: Final = 3
_ROLE_KEY: Final = re.compile(r"org:\w+")
#: An address within a cell, to compare it with another.
_LIKE_ONE: Final = re.compile(r"[^\s@<>()\[\]:;,\"]++@[^\s@<>()\[\]:;,\"]++")


@dataclass(slots=True)
class Table:
    """A heading, if there is one, and the rows below it."""

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
        """The line of the heading, or of the first row."""
        return self.heading.line if self.heading else self.rows[0].line

    @property
    def last_line(self) -> int:
        """The line of the last row."""
        return self.rows[-1].line if self.rows else self.first_line


def address_columns(rows: Iterable[Row], width: int) -> Counter[int]:
    """Return in how many rows each column has an address, if it has one in half of those filled."""
    found: Counter[int] = Counter()
    filled: Counter[int] = Counter()
    for row in rows:
        for number, cell in enumerate(row.cells[:width]):
            if "@" in cell:
                found[number] += holds_addresses(cell)
                filled[number] += 1
            elif cell and not cell.isspace():
                filled[number] += 1
    return Counter({n: count for n, count in found.items() if count and count * 2 >= filled[n]})


def _count_filled(rows: Iterable[Row], number: int) -> int:
    """Return in how many rows a column has an ``@``."""
    return sum("@" in row.cells[number] for row in rows if number < len(row.cells))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    number: int
    heading: Heading
    #: In how many rows it has an address.
    count: int

    @property
    def rank(self) -> tuple[int, int]:
        """By what the columns of one person are put in order."""
        rank = self.heading.rank
        return (Rank.UNNAMED if rank is None else rank, self.number)


class Columns:
    """The columns of one table.

    :param is_role: tells whether a word is the name or key of a role; None where nobody knows.
    """

    def __init__(self, table: Table, is_role: IsRole | None) -> None:
        """Find out which is which."""
        self._table = table
        self._is_role = is_role
        #: What is said of the columns.
        self.notes: list[Note] = []
        self.width = max(
            len(table.heading.cells) if table.heading else 0,
            0 if table.heading else max((len(row.cells) for row in table.rows), default=0),
        )
        headings = table.headings
        counts = address_columns(table.rows, self.width)
        #: All of them, by their number.
        self.every = [
            Column(
                number,
                headings[number] if headings else Heading(),
                # What is called an address is one, however few rows have it.
                _count_filled(table.rows, number)
                if headings and headings[number].rank is not None
                else counts[number],
            )
            for number in range(self.width)
        ]
        if table.heading is not None and not any(heading.is_known for heading in headings):
            self.notes.append(Note(NoteKind.HEADING, table.heading.line, table.heading.line))
        #: The number of the column that a written list keeps the rest of a row in.
        self.rest = next(
            (column.number for column in self.every if column.heading.whose == "rest"), None
        )
        #: The columns with addresses by person, the table's own person first.
        self.groups = self._group()
        #: The rows whose cells can be told by their number, and that have an address somewhere.
        self._with_address = [
            row
            for row in table.rows
            if any("@" in cell for cell in row.cells) and not self.is_shifted(row)
        ]
        #: The number of the column of roles.
        self.role = self._find_role()
        #: The groups among which has to be chosen; none where there is but one.
        self.asked = self._find_asked()
        self._name_unused()

    def _group(self) -> list[list[Column]]:
        """Return the columns with addresses by person, the table's own person first."""
        found: dict[str, list[Column]] = {}
        unnamed: list[Column] = []
        for column in self.every:
            heading = column.heading
            if heading.whose == "rest" or heading.rank in NOT_MEANT:
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

    def _adopt(self, unnamed: list[Column], found: dict[str, list[Column]]) -> list[Column]:
        """Return the person's columns where none is called so."""
        if unnamed:
            best = max(unnamed, key=lambda column: column.count)
            unnamed.remove(best)
            return [best]
        filled = [whose for whose, columns in found.items() if any(c.count for c in columns)]
        return found.pop(filled[0]) if len(filled) == 1 else []  # a list of nobody but parents

    def _split(self, own: list[Column]) -> list[list[Column]]:
        """Take columns out that are as plainly called an address, and hold other people's."""
        apart = []
        plain = [column for column in own if column.heading.rank is Rank.PLAIN and column.count]
        for column in plain[1:]:
            if not self._is_same(plain[0], column):
                own.remove(column)
                apart.append([column])
        return apart

    def _is_same(self, first: Column, second: Column) -> bool:
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

    def _find_asked(self) -> list[list[Column]]:
        """Return the groups among which has to be chosen; none where there is but one."""
        if not self.groups or not any(c.count for c in self.groups[0]):
            return []
        own = self.groups[0][0].heading
        alike = any(
            group[0].heading.rank is Rank.PLAIN and not group[0].heading.whose
            for group in self.groups[1:]
        )
        if own.rank is not None and not own.is_told and not own.whose and not alike:
            return []  # "Email" beside "Manager email": nobody need be asked
        filled = [
            group
            for group in self.groups
            if group[0].heading.whose != "group" and any(column.count for column in group)
        ]
        return filled if len(filled) > 1 else []

    def name_of(self, column: Column) -> str:
        """Return what a column is called, or an example of what is in it."""
        text = column.heading.text
        if text and sum(other.heading.text == text for other in self.every) == 1:
            return text
        example = next(
            (
                row.cells[column.number].strip()
                for row in self._table.rows
                if column.number < len(row.cells) and "@" in row.cells[column.number]
            ),
            "",
        )
        return f"{example} \u2026" if example else text or str(column.number + 1)

    def _find_role(self) -> int | None:
        """Return the number of the column of roles; say so where it, or another, is not used."""
        called = [column for column in self.every if column.heading.is_role]
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
                names = (self.name_of(best), *values[:_EXAMPLES])
                self.notes.append(Note(NoteKind.NO_ROLES, names=names))
            return None
        return self._find_role_by_values()

    def _find_role_by_values(self) -> int | None:
        """Return a column of a table without a heading that has nothing but roles."""
        without = self._table.heading is None or not any(c.heading.is_known for c in self.every)
        taken = {column.number for group in self.groups for column in group}
        for column in self.every:
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
                self.notes.append(Note(NoteKind.UNUSED, names=(name,)))
        return None

    def _column_of_keys(self) -> int | None:
        """Return a column that has nothing but Clerk's keys of roles."""
        for column in self.every:
            values = self._values(column)
            if column.heading.whose == "rest":
                continue
            if values and all(_ROLE_KEY.fullmatch(value) for value in values):
                return column.number
        return None

    def _values(self, column: Column) -> list[str]:
        """Return what stands in a column beside an address, each value once."""
        values: dict[str, None] = {}
        for row in self._with_address:
            if column.number < len(row.cells) and (value := row.cells[column.number].strip()):
                values[value[:MAX_ROLE_LENGTH]] = None
                if len(values) > 200:
                    break
        return list(values)

    def _known_roles(self, column: Column) -> list[str]:
        is_role = self._is_role
        return [value for value in self._values(column) if is_role is not None and is_role(value)]

    @property
    def role_name(self) -> str:
        """What the column of roles is called; empty where there is none."""
        return "" if self.role is None else self.every[self.role].heading.text or "Role"

    def _name_unused(self) -> None:
        """Name the columns with addresses of which none was taken."""
        used = {column.number for group in (self.asked or self.groups[:1]) for column in group}
        unused = tuple(
            self.name_of(column)
            for column in self.every
            if column.count
            and column.number not in used
            and column.number != self.rest
            and column.heading.text
            and column.heading.rank not in NOT_MEANT
        )
        if unused:
            self.notes.append(Note(NoteKind.UNUSED, names=unused))

    def is_shifted(self, row: Row) -> bool:
        """Whether the cells cannot be told by their number: there are more than headings."""
        if len(row.cells) <= self.width:
            return False
        own = self.groups[0] if self.groups else []
        if any("@" in row.cells[column.number] for column in own):
            return False
        return any(cell.strip() for cell in row.cells[self.width :]) or has_address(row)


def _names_alike(one: str, other: str) -> bool:
    """Whether two addresses may be one person's: equal, or alike before the ``@``."""
    first, second = (text.casefold().partition("@")[0] for text in (one, other))
    bare = ["".join(char for char in local if char.isalpha()) for local in (first, second)]
    return bare[0] == bare[1] or (
        min(map(len, bare)) > 3 and (bare[0] in bare[1] or bare[1] in bare[0])
    )
