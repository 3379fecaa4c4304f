"""Text into rows of cells: which sign parts them, and where each row starts."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .entries import MAX_ROWS, TooManyRows
from .headings import plain, read_heading
from .parser import NEWLINE

DELIMITERS: Final = ",;\t|"
#: The delimiter of a table of one column: whatever else a line has in it belongs to the cell.
NONE: Final = "\0"

#: More cells than any program writes into a row.
MAX_COLUMNS: Final = 500
#: So many rows are looked at to find the delimiter.
_SAMPLE: Final = 120
#: And so many characters of them.
_SAMPLE_SIZE: Final = 60_000

#: Nothing but one address, as a cell of a table has it, or a name with one in brackets.
ADDRESS_CELL: Final = re.compile(
    r"\s*+(?:[^@<>]*+<)?+[^\s@<>,;]++@[^\s@<>,;.]++(?:\.[^\s@<>,;.]++)++\.?+>?+\s*+"
)
#: What parts several addresses in a cell; Microsoft writes ``SMTP:a@x.org+smtp:b@x.org``, also with
#: a blank.
BETWEEN: Final = re.compile(r"[;,\n]|[+\s]+(?=\w+:)")
_SEP_LINE: Final = re.compile(r"\s*\"?sep=([^\"\r\n])\"?[ \t]*(?=[\r\n])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """A row that has something in it."""

    line: int
    cells: list[str]
    #: Whether an empty row is above it.
    after_blank: bool = False

    @property
    def filled(self) -> list[str]:
        """The cells that have something in them, bare of white space at their ends."""
        return [bare for cell in self.cells if (bare := cell.strip())]


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows of a text."""

    rows: list[Row]
    delimiter: str
    #: Whether the file itself says which sign parts its cells.
    is_named: bool = False


def read_grid(text: str) -> Grid | None:
    """Return a text's rows, or None where no sign parts it as a table is parted.

    :raises TooManyRows: there are more than ``MAX_ROWS``, headings not counted.
    """
    # As Excel's own first line names it; the line stays as a blank one, so that lines still count.
    if named := _SEP_LINE.match(text):
        return Grid(_read(text[named.end() :], named[1]), named[1], is_named=True)
    sample = text[:_SAMPLE_SIZE]
    if len(text) > len(sample):
        sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
    first = NEWLINE.split(sample.lstrip("\r\n"), maxsplit=1)[0]
    if "\t" in first and _count_headings(first.split("\t")):
        return Grid(_read(text, "\t"), "\t")  # nobody types a tab by chance
    best, score = NONE, _score(sample, NONE)
    for delimiter in DELIMITERS:
        if delimiter in sample and (found := _score(sample, delimiter)) > score:
            best, score = delimiter, found
    return Grid(_read(text, best), best) if any(score) else None


def _score(sample: str, delimiter: str) -> tuple[int, int]:
    """Return how much a text looks like a table whose cells this sign parts."""
    rows: list[list[str]] = [
        row.cells for _, row in zip(range(_SAMPLE), _rows(sample, delimiter), strict=False)
    ]
    if delimiter == NONE:
        single = [cells for cells in rows if not any(sign in cells[0] for sign in DELIMITERS)]
        is_first = bool(single) and single[0] == rows[0] and _count_headings(rows[0]) > 0
        # One word alone names a column; several may be the title of a table.
        sure = (
            is_first
            and '"' not in rows[0][0]
            and len(plain(rows[0][0]).replace("e mail", "email").split()) == 1
        )
        sure = sure or _is_list_of_names([cells[0] for cells in rows])
        return 3 if sure else int(is_first), max(map(_count_headings, single), default=0)
    wide = [cells for cells in rows if len(cells) > 1]
    headings = max(map(_count_headings, wide), default=0)
    addresses = sum(holds_addresses(cell) for cells in wide for cell in cells if "@" in cell)
    widths = Counter(len(cells) for cells in wide)
    even = max(widths.values(), default=0)
    # A heading says more than that rows are of one length.
    return 2 * bool(headings), headings * 100 + addresses * 10 + even


def has_address(row: Row) -> bool:
    """Whether a cell of a row is an address."""
    return any("@" in cell and ADDRESS_CELL.fullmatch(cell) is not None for cell in row.cells)


def _is_list_of_names(lines: list[str]) -> bool:
    """Whether each line below a heading is ``Doe, Ana <ana@x.org>`` and no more."""
    at = next(
        (
            number
            for number, line in enumerate(lines)
            if not any(sign in line for sign in DELIMITERS) and _count_headings([line])
        ),
        len(lines),
    )
    below = lines[at + 1 :]
    return bool(below) and all(
        line.count("@") == 1 and line.rstrip().endswith(">") and "<" in line for line in below
    )


def holds_addresses(cell: str) -> bool:
    """Whether there is nothing in a cell but an address, or several."""
    if ADDRESS_CELL.fullmatch(cell):
        return True
    # "X500:/o=x/cn=ana" may be among them.
    parts = [part for part in BETWEEN.split(cell) if part.strip()]
    mails = [part for part in parts if "@" in part or ":" not in part]
    return (
        len(parts) > 1
        and bool(mails)
        and all(ADDRESS_CELL.fullmatch(part) is not None for part in mails)
    )


def _count_headings(cells: list[str]) -> int:
    """Return how many cells of a row are headings, if it is one that names an address."""
    if len(cells) > MAX_COLUMNS or any("@" in cell for cell in cells):
        return 0
    filled = [cell for cell in cells if cell.strip()]
    known = [read_heading(cell) for cell in filled]
    if not any(heading.rank is not None for heading in known):
        return 0
    count = sum(heading.is_known for heading in known)
    if count == 1 and any(len(cell.split()) > 4 for cell in filled):
        return 0  # "Email me, please, as soon as you can"
    return count


def _read(text: str, delimiter: str) -> list[Row]:
    rows: list[Row] = []
    for row in _rows(text, delimiter):
        # Not all of them need be people: a heading, a title and a total are rows, too.
        if len(rows) > MAX_ROWS + _SAMPLE:
            raise TooManyRows(MAX_ROWS)
        rows.append(row)
    return rows


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    if delimiter == NONE:
        yield from _single(text)
        return
    if '"' in text:
        try:
            # All at once: whether a quote is a stray one is known only at the end.
            yield from list(_quoted(text, delimiter))
        except csv.Error:
            pass
        else:
            return
        # A stray quote: forgiven, it would swallow all rows up to the next one. So line by line.
        yield from _by_line(text, delimiter)
        return
    blank = False
    for number, line in enumerate(NEWLINE.split(text), 1):
        if not line or line.isspace() or not line.strip(delimiter + " \t"):
            blank = True
            continue
        yield Row(number, line.split(delimiter), blank)
        blank = False


def _single(text: str) -> Iterator[Row]:
    blank = False
    for number, line in enumerate(NEWLINE.split(text), 1):
        if not line.strip():
            blank = True
            continue
        yield Row(number, [line], blank)
        blank = False


def _quoted(text: str, delimiter: str) -> Iterator[Row]:
    """Yield the rows as RFC 4180 has them.

    :raises csv.Error: if the quotes do not match.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line, blank, count = 1, False, 0
    for cells in reader:
        if any(cells) and any(cell.strip() for cell in cells):
            yield Row(line, cells, blank)
            blank = False
            count += 1
            if count > MAX_ROWS + 2 * _SAMPLE:
                return
        else:
            blank = True
        line = reader.line_num + 1


def _by_line(text: str, delimiter: str) -> Iterator[Row]:
    blank = False
    for number, line in enumerate(NEWLINE.split(text), 1):
        try:
            cells = next(csv.reader([line], delimiter=delimiter, strict=True), [])
        except csv.Error:
            cells = line.split(delimiter)
        if any(cell.strip() for cell in cells):
            yield Row(number, cells, blank)
            blank = False
        else:
            blank = True
