"""What reading a text or a file gives: entries, what is said of the whole, and what is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

#: The most rows, pieces of text and lines of a list that are read at once.
MAX_ROWS: Final = 10_000

#: No role has a longer name; and what is in this column is repeated for each address of a row.
MAX_ROLE_LENGTH: Final = 255


class TooManyRows(ValueError):
    """There are more than ``MAX_ROWS`` pieces or rows, or too many words between them."""


class Refusal(StrEnum):
    """Why a piece is not going to be invited."""

    NOT_AN_ADDRESS = "not-an-address"
    TOO_LONG = "too-long"
    TWICE = "typed-twice"
    #: A row of a table, or a contact, without an address in its place.
    NO_ADDRESS = "no-address"
    #: The same, with several elsewhere in it: nobody can tell which is meant.
    SEVERAL = "several-addresses"


@dataclass(frozen=True, slots=True)
class Entry:
    """One piece of what was typed, or one person of a table."""

    #: The piece as it was typed, what cannot be seen left out; of a row without an address, the
    #: cells that have something in them. Never empty.
    text: str
    #: The line on which it starts, from 1.
    line: int
    #: What to send to Clerk: the local part as typed, the domain in ASCII and lower case. Empty
    #: where there is no address to send.
    email_address: str = ""
    #: What the role column says, verbatim. Empty where there is none.
    role: str = ""
    refusal: Refusal | None = None
    #: A whole address that was probably meant. On an accepted entry it is a warning.
    suggestion: str = ""
    #: For ``TWICE``, the line of the first.
    first_line: int | None = None
    #: More addresses that may have been meant in place of ``suggestion``.
    alternatives: tuple[str, ...] = ()

    @property
    def offers(self) -> tuple[str, ...]:
        """The addresses that may be taken in place of it."""
        return (self.suggestion, *self.alternatives) if self.suggestion else ()

    def take(self, address: str) -> Entry:
        """Return the entry with one of its offers in place of what was typed."""
        return Entry(address, self.line, address, self.role)


class NoteKind(StrEnum):
    """What is said once of a whole text or file."""

    #: Lines that are no people, such as a title or a summary. ``names``: addresses in them.
    NOT_PEOPLE = "not-people"
    #: A table further down that names the same people again.
    REPEATED = "repeated"
    #: A line in a language that is not known was taken for the heading.
    HEADING = "heading"
    #: Columns with addresses or roles that were not used. ``names``: what they are called.
    UNUSED = "unused-columns"
    #: A column is called a role, and nothing in it is one. ``names``: the column, then examples.
    NO_ROLES = "no-roles"
    #: It is not certain how the file is encoded. ``names``: its first line as it was read.
    ENCODING = "encoding"


@dataclass(frozen=True, slots=True)
class Note:
    """Something that concerns many lines, said once."""

    kind: NoteKind
    #: The lines it is about; 0 where it is about all of them.
    first_line: int = 0
    last_line: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A row of a table with addresses of different people."""

    line: int
    #: What stands under each of the columns in question, as it was found.
    cells: tuple[str, ...]
    role: str
    #: What is known of the row where none of the columns in question has an address.
    rest: str


@dataclass(frozen=True, slots=True)
class ColumnQuestion:
    """Several columns hold addresses of different people: whom to invite?"""

    #: What the columns are called, or what stands in them where they have no name.
    columns: tuple[str, ...]
    #: In how many rows each has an address.
    counts: tuple[int, ...]
    rows: tuple[QuestionRow, ...]
    #: What the column of roles is called; empty where there is none.
    role_column: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was found in a text or a file. No piece and no row is missing in it."""

    entries: tuple[Entry, ...] = ()
    notes: tuple[Note, ...] = ()
    #: Where it is asked which column to use. Until then the entries are those of the first, and
    #: nobody should be invited.
    question: ColumnQuestion | None = None
    #: Whether it was read as a table: then what is in other columns is in no entry.
    is_table: bool = False

    def __add__(self, other: Reading) -> Reading:
        """Put two readings together: a text, and a file."""
        return Reading(
            entries=tuple(refuse_twice((*self.entries, *other.entries), lines=False)),
            notes=(*self.notes, *other.notes),
            question=join_questions((self, other)),
            is_table=self.is_table or other.is_table,
        )


#: Whether a word is the name or the key of a role.
IsRole = Callable[[str], bool]


def join_questions(readings: Sequence[Reading]) -> ColumnQuestion | None:
    """Return one question for readings that become one list; None where none of them asks.

    Columns of one name are one, and so are those of other names in the same place: the first is the
    person's own. Whoever is not asked about is meant whatever the answer is.
    """
    asked = [reading.question for reading in readings if reading.question is not None]
    if len(readings) == 1 or not asked:
        return asked[0] if asked else None
    names: list[list[str]] = []
    places = [_place_columns(names, question.columns) for question in asked]
    counts = [0] * len(names)
    for question, at in zip(asked, places, strict=True):
        for place, count in zip(at, question.counts, strict=True):
            counts[place] += count
    placed = iter(places)
    rows: list[QuestionRow] = []
    for reading in readings:
        if reading.question is None:
            rows += (
                QuestionRow(entry.line, (entry.text,) * len(names), entry.role, "")
                for entry in reading.entries
            )
            continue
        at = next(placed)
        for row in reading.question.rows:
            cells = [""] * len(names)
            for place, cell in zip(at, row.cells, strict=True):
                cells[place] = cell
            rows.append(replace(row, cells=tuple(cells)))
    return ColumnQuestion(
        columns=tuple(" / ".join(same) for same in names),
        counts=tuple(counts),
        rows=tuple(rows),
        role_column=next((question.role_column for question in asked if question.role_column), ""),
    )


def _place_columns(names: list[list[str]], columns: Sequence[str]) -> list[int]:
    """Return the place of each column among those known so far; add those that are new."""
    places: list[int] = []
    for number, column in enumerate(columns):
        free = [place for place in range(len(names)) if place not in places]
        same = next((place for place in free if column in names[place]), None)
        if same is None and number in free and not {*names[number]} & {*columns}:
            same = number
            names[number].append(column)
        if same is None:
            same = len(names)
            names.append([column])
        places.append(same)
    return places


def refuse_twice(entries: Iterable[Entry], *, lines: bool = True) -> Iterator[Entry]:
    """Refuse what was accepted before.

    :param lines: whether all of them stand in one text, so that the line of the first can be told.
    """
    first: dict[str, int] = {}
    for entry in entries:
        key = entry.email_address.casefold()
        if not key or entry.refusal not in (None, Refusal.TWICE):
            yield entry
        elif key in first:
            line = first[key] if lines else entry.first_line
            yield replace(
                entry,
                refusal=Refusal.TWICE,
                suggestion="",
                alternatives=(),
                first_line=line,
            )
        else:
            first[key] = entry.line
            yield entry
