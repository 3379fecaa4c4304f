"""A table while it is made: its rows, and who is meant in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tests.corpus.table_words import Language, Person


class Kind(StrEnum):
    """What a record of a file is."""

    TITLE = "title"
    BLANK = "blank"
    HEADING = "heading"
    #: Someone with an address.
    PERSON = "person"
    #: Someone without one: to be said once, and not to be invited.
    NOBODY = "nobody"
    TOTAL = "total"
    NOTE = "note"
    #: A record about the table, not of it: a meeting, ``sep=;``.
    ABOUT = "about"


class Roles(StrEnum):
    """What the column of roles is."""

    ABSENT = "absent"
    #: It holds roles of the organization, and perhaps others.
    USED = "used"
    #: It is called so and holds none: said once, and the form's role is used.
    NONE_FITS = "none fits"


@dataclass
class Meant:
    """One address that is meant in a row."""

    column: int
    address: str
    role: str | None = None
    refused_role: str = ""
    others: tuple[str, ...] = ()
    or_offered: bool = False
    #: In a table with two columns of addresses of different people: which of them.
    choice: int = 0


@dataclass
class Row:
    kind: Kind
    cells: list[str]
    meant: list[Meant] = field(default_factory=list)
    name: str = ""


@dataclass(frozen=True)
class Saved:
    """How a program writes a table to a file."""

    encoding: str
    separator: str
    newline: str = "\r\n"
    quote_all: bool = False


@dataclass
class Sheet:
    program: str
    language: Language
    rows: list[Row]
    saved: tuple[Saved, ...]
    filename: str = "export.csv"
    #: Columns for any text.
    free: tuple[int, ...] = ()
    #: The two columns to be asked about, by their headings.
    choices: tuple[str, ...] = ()
    roles: Roles = Roles.ABSENT
    role_heading: str = ""
    roles_are_open: bool = False
    quirks: list[str] = field(default_factory=list)

    @property
    def width(self) -> int:
        return max((len(row.cells) for row in self.rows), default=0)

    @property
    def people(self) -> list[Row]:
        return [row for row in self.rows if row.kind is Kind.PERSON]


#: The columns of a table: what is in each, and its heading.
Columns = Sequence[tuple[str, str]]
Values = Callable[[Person], Mapping[str, str]]


def heading(columns: Columns) -> Row:
    return Row(Kind.HEADING, [text for _, text in columns])


def person_rows(
    columns: Columns, people: Sequence[Person], values: Values, *addresses: str
) -> list[Row]:
    """A row for each of `people`; the first filled of the columns `addresses` is who is meant."""
    keys = [key for key, _ in columns]
    rows = []
    for person in people:
        cells = values(person)
        assert set(cells) <= set(keys), set(cells) - set(keys)
        row = Row(Kind.NOBODY, [cells.get(key, "") for key in keys], name=person.full)
        for key in addresses:
            if cells.get(key):
                row.kind = Kind.PERSON
                row.meant = [Meant(keys.index(key), cells[key])]
                break
        rows.append(row)
    return rows


def free_columns(columns: Columns, *keys: str) -> tuple[int, ...]:
    return tuple(at for at, (key, _) in enumerate(columns) if key in keys)


def untouched(headings: str, **known: str) -> list[tuple[str, str]]:
    """The columns of a program, by its comma-separated headings; `known` says what some hold."""
    named = {text: key for key, text in known.items()}
    return [(named.get(text, text), text) for text in headings.split(",")]
