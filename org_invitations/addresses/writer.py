"""What was read back into the text of a field, so that it can be corrected and sent again.

Nothing is written in another way than it was found: an address keeps its ``@``, whatever was
refused its words. Where a piece would come apart on a line of its own, a table keeps it together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from .entries import ColumnQuestion, Entry, Reading, Refusal, refuse_twice
from .headings import REST
from .parser import read_cell
from .reader import read_text

_EMAIL: Final = "Email"
_ROLE: Final = "Role"
#: Refusals of rows whose address is not in its place.
_OF_ROWS: Final = (Refusal.NO_ADDRESS, Refusal.SEVERAL)


def as_text(entries: Iterable[Entry]) -> str:
    """Return a text of which ``parse_text`` makes the same pieces, one a line.

    Addresses, roles, refusals and the order are the same, and what was typed is. White space in
    a row becomes one space. With a role, or with a row that has no address, it is a table, parted
    by tabs, with a heading.

    :param entries: all that were read together. The second of two is not "typed twice" without
        the first.
    """
    entries = tuple(entries)
    if not entries:
        return ""
    if not any(entry.role or entry.refusal in _OF_ROWS for entry in entries):
        text = "\n".join(_one_line(entry.text) for entry in entries)
        if _agree(_read(text), entries):
            return text
        # The first line is taken for a heading, or a piece comes apart: below one it does not.
        text = "\n".join([_EMAIL, *(_one_line(entry.text) for entry in entries)])
        if _agree(_read(text), entries):
            return text
    return _as_table(entries)


def write_reading(reading: Reading) -> str:
    """Return a text of which ``read_text`` makes the same entries, and asks the same question."""
    if reading.question is not None:
        text = _as_question(reading.question)
        again = read_text(text)
        if again.question is not None and _agree(again.entries, reading.entries):
            return text
    return as_text(reading.entries)


def _read(text: str) -> tuple[Entry, ...]:
    return read_text(text).entries


def _as_table(entries: Sequence[Entry]) -> str:
    has_role = any(entry.role for entry in entries)
    elsewhere = [_elsewhere(entry) for entry in entries]
    has_rest = any(elsewhere)
    head = [_EMAIL, *([_ROLE] if has_role else []), *([REST] if has_rest else [])]
    rows = [head]
    for entry, rest in zip(entries, elsewhere, strict=True):
        cells = ["" if entry.refusal in _OF_ROWS else entry.text]
        if has_role:
            cells.append(entry.role)
        if has_rest:
            cells.append(rest)
        rows.append(cells)
    text = _joined(rows)
    if _agree(_read(text), entries):
        return text
    # A piece may come apart even in a cell of its own: then what it amounts to is written.
    head = [_EMAIL, *([_ROLE] if has_role else []), REST]
    rows = [head, *(_alone(entry, has_role=has_role) for entry in entries)]
    return _joined(rows)


def _alone(entry: Entry, *, has_role: bool) -> list[str]:
    """Return a row that is this entry and no other."""
    role = [entry.role] if has_role else []
    for cells in (
        [entry.text, *role, _elsewhere(entry)],
        [entry.email_address, *role, "" if entry.email_address else entry.text],
    ):
        head = [_EMAIL, *([_ROLE] if has_role else []), REST]
        once = replace(entry, refusal=None) if entry.email_address else entry
        if _agree(_read(_joined([head, cells])), [once]):
            return cells
    return cells


def _joined(rows: Iterable[Sequence[str]]) -> str:
    return "\n".join("\t".join(map(_cell, row)).rstrip("\t") for row in rows)


def _elsewhere(entry: Entry) -> str:
    """Return what stood in other columns of an entry's row and is offered, or shown, for it."""
    if entry.refusal in _OF_ROWS:
        return entry.text
    if entry.refusal is not Refusal.NOT_AN_ADDRESS or not entry.offers:
        return ""
    known = {found.suggestion for found in read_cell(entry.text, 1)}
    return "" if entry.suggestion in known else ", ".join(entry.offers)


def _as_question(question: ColumnQuestion) -> str:
    has_role = any(row.role for row in question.rows)
    has_rest = any(row.rest for row in question.rows)
    rows = [
        [
            *(_EMAIL if "@" in column else column for column in question.columns),
            *([question.role_column or _ROLE] if has_role else []),
            *([REST] if has_rest else []),
        ]
    ]
    for row in question.rows:
        cells = [*row.cells]
        if has_role:
            cells.append(row.role)
        if has_rest:
            cells.append(row.rest)
        rows.append(cells)
    return _joined(rows)


def _cell(text: str) -> str:
    text = _one_line(text)
    quoted = text.replace('"', '""')
    return f'"{quoted}"' if text.startswith('"') or "\t" in text else text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _agree(found: Sequence[Entry], wanted: Sequence[Entry]) -> bool:
    wanted = tuple(refuse_twice(wanted))
    return list(map(_essence, found)) == list(map(_essence, wanted))


def _essence(entry: Entry) -> tuple[str, str, Refusal | None]:
    return entry.email_address, _one_line(entry.role), entry.refusal
