"""The rows of one table into people.

Each row is one entry at least, so that none is missing:

- of several columns with addresses of the same person the first that is filled is taken;
- where the place of the address is empty, and exactly one stands elsewhere in the row, that one;
  where several could be meant, or it is somebody else's, they are offered;
- columns with addresses of different people are asked about, and the person's own come first.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from .columns import Column, Columns, Table
from .entries import (
    MAX_ROLE_LENGTH,
    ColumnQuestion,
    Entry,
    IsRole,
    QuestionRow,
    Reading,
    Refusal,
)
from .grids import BETWEEN, Row
from .headings import Heading, Rank
from .parser import read_cell

#: What people write into a cell to say that there is nothing.
NOTHING: Final = frozenset({"n/a", "na", "none", "null", "nil", "k.a.", "no", "keine", "tbd", "x"})

#: So much of a row without an address is shown and kept.
_MAX_SHOWN: Final = 80
#: Google writes several values of one kind into a cell.
_MANY_VALUES: Final = ":::"
#: So Microsoft's directories begin each address of a person; the others are for calls and chats.
_SMTP: Final = re.compile(r"\s*(?:smtp|sip|sips|im|x500|x400|eum|notes|spo|ccmail):", re.IGNORECASE)


class People:
    """One table, row by row.

    :param is_role: tells whether a word is the name or key of a role; None where nobody knows.
    """

    def __init__(self, table: Table, is_role: IsRole | None) -> None:
        """Find out which column is which."""
        self._table = table
        self._is_role = is_role
        self._columns = Columns(table, is_role)

    def read(self) -> Reading:
        """Return the people of the table."""
        entries = [entry for row in self._table.rows for entry in self._read_row(row)]
        question = self._ask(self._columns.asked) if self._columns.asked else None
        return Reading(tuple(entries), tuple(self._columns.notes), question, is_table=True)

    def _ask(self, groups: list[list[Column]]) -> ColumnQuestion:
        """Return whom of each row the groups would give."""
        return ColumnQuestion(
            columns=tuple(self._columns.name_of(group[0]) for group in groups),
            counts=tuple(
                sum(self._has_one(row, group) for row in self._table.rows) for group in groups
            ),
            rows=tuple(
                QuestionRow(
                    row.line,
                    tuple(self._cell_of(row, group) for group in groups),
                    self._role_of(row),
                    "" if any(self._has_one(row, group) for group in groups) else self._show(row),
                )
                for row in self._table.rows
            ),
            role_column=self._columns.role_name,
        )

    def _cell_of(self, row: Row, group: list[Column]) -> str:
        """Return the first cell of a person's columns with an address, else with anything."""
        if self._columns.is_shifted(row):
            return ""
        rest = ""
        for column in group:
            if column.number >= len(row.cells):
                continue
            cell = row.cells[column.number].strip()
            if "@" not in cell or (_is_guest(cell) and column is not group[-1]):
                # "yes" below "Accepts email marketing" stands for no address.
                rest = rest or (cell if column.count or column is group[0] else "")
                continue
            if _MANY_VALUES in cell:
                return cell.partition(_MANY_VALUES)[0].strip()
            if column is group[0] and not _SMTP.match(cell):
                return cell
            return _first_address(cell)
        return rest

    def _has_one(self, row: Row, group: list[Column]) -> bool:
        return "@" in self._cell_of(row, group)

    def _role_of(self, row: Row) -> str:
        if self._columns.role is None:
            return ""
        if self._columns.is_shifted(row):
            is_role = self._is_role
            found = [cell.strip() for cell in row.cells if is_role is not None and is_role(cell)]
            return found[0] if len(found) == 1 else ""
        if self._columns.role >= len(row.cells):
            return ""
        role = row.cells[self._columns.role].strip()[:MAX_ROLE_LENGTH].strip()
        if "@" in role and not (self._is_role is not None and self._is_role(role)):
            return ""  # an address, in the wrong place
        return role

    def _read_row(self, row: Row) -> list[Entry]:
        role = self._role_of(row)
        group = self._columns.groups[0] if self._columns.groups else []
        cell = self._cell_of(row, group)
        line = self._line_of(row, cell)
        if "@" in cell or self._columns.width == 1:
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
        says = any(char.isalpha() for char in cell) and cell.casefold() not in NOTHING
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
            columns = self._columns
            heading = columns.every[number].heading if number < columns.width else Heading()
            strange = bool(heading.whose) or heading.rank is Rank.ASIDE
            for entry in read_cell(cell, row.line):
                if entry.refusal is not None:
                    continue
                if strange and not self._columns.is_shifted(row):
                    others.setdefault(entry.email_address.casefold(), entry)
                else:
                    own.setdefault(entry.email_address.casefold(), entry)
        return list(own.values()), [e for key, e in others.items() if key not in own]

    def _show(self, row: Row) -> str:
        """Return what a row without an address has in it, in short: its role and links left out."""
        cells = [
            " ".join(cell.split())
            for number, cell in enumerate(row.cells)
            if number != self._columns.role or self._columns.is_shifted(row)
        ]
        filled = [cell for cell in cells if cell]
        shown = ""
        for cell in [cell for cell in filled if "://" not in cell] or filled:
            if shown and len(shown) + len(cell) > _MAX_SHOWN:
                break
            shown = f"{shown}, {cell}" if shown else cell[: _MAX_SHOWN * 4]
        return shown


def _is_guest(cell: str) -> bool:
    return "#ext#" in cell.casefold()


def _first_address(cell: str) -> str:
    """Return the first of several addresses of one person; a mark before it says which it is."""
    parts = [part.strip() for part in BETWEEN.split(cell)]
    main = [part for part in parts if part.startswith("SMTP:")]
    mails = [part for part in parts if _SMTP.match(part)]
    return next((part for part in (*main, *mails, *parts) if "@" in part), cell)


def choose(question: ColumnQuestion, column: int | None) -> tuple[Entry, ...]:
    """Return the entries of one of the columns in question, or, for None, of all of them."""
    entries: list[Entry] = []
    for row in question.rows:
        numbers = range(len(row.cells)) if column is None else [column]
        found = [
            replace(entry, role=row.role)
            for cell in dict.fromkeys(row.cells[number] for number in numbers if row.cells[number])
            for entry in read_cell(cell, row.line)
        ]
        if found:
            entries += found
        else:
            rest = row.rest or next((cell for cell in row.cells if cell), "") or row.role
            entries.append(Entry(rest, row.line, "", row.role, Refusal.NO_ADDRESS))
    return tuple(entries)
