"""Pieces of a list back into the text of a field, so that they can be corrected and sent again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from .addresses import SEPARATORS, Entry, Refusal, parse_text

#: What makes a table of the lines below it, whatever is in them.
_TABLE: Final = "Email\tRole\n"
_COLUMN: Final = "Email\n"

_SEPARATORS: Final = re.compile(f"[{SEPARATORS}]")
_BRACKETS: Final = re.compile(r"[<>()\"]")


def as_text(entries: Iterable[Entry]) -> str:
    """Return a text of which ``parse_text`` makes the same pieces, one a line.

    Addresses, roles, refusals and the order are the same, and nearly always what was typed is.
    White space in a row becomes one space. With a role it is a table, parted by tabs, with a
    header. Only a piece that would come apart on a line of its own, such as a row of a table
    without an address in its place, is written in another way.

    :param entries: all that were read together. The second of two is not "typed twice" without
        the first.
    """
    entries = tuple(entries)
    if any(entry.role for entry in entries):
        return _written(entries, _TABLE)
    text = _written(entries, "")
    if _agree(parse_text(text), entries):
        return text
    # The first line is taken for a header, or all of them for a table: below a header they are not.
    return _written(entries, _COLUMN)


def _written(entries: Sequence[Entry], head: str) -> str:
    texts = [_one_line(entry.text) for entry in entries]
    text = head + "\n".join(map(_row, texts, entries) if head == _TABLE else texts)
    if _agree(parse_text(text), entries):
        return text
    return head + "\n".join(_retyped(entry, head) for entry in entries)


def _retyped(entry: Entry, head: str) -> str:
    """Return a line that is this entry and no other, or else what comes nearest."""
    # No first line with an "@" is a header. And alone nothing is there twice.
    above = head or "@\n"
    once = replace(entry, refusal=None) if entry.refusal is Refusal.TWICE else entry
    for text in _ways(entry):
        line = _row(text, entry) if head == _TABLE else text
        found = parse_text(above + line)[0 if head else 1 :]
        if _agree(found, [once]):
            return line
    return line


def _ways(entry: Entry) -> Iterator[str]:
    """Yield how an entry may be written, what was typed first."""
    text = _one_line(entry.text)
    yield text
    if entry.email_address:
        yield entry.email_address
    else:
        for pattern in (_SEPARATORS, _BRACKETS):
            text = _one_line(pattern.sub(" ", text))
            yield text
        text = _one_line(text.replace("@", " at "))
        yield text
        # A role with an "@" is taken for a role only beside another one.
        yield f"{text} @"


def _row(text: str, entry: Entry) -> str:
    role = _one_line(entry.role)
    return f"{_cell(text)}\t{_cell(role)}" if role else _cell(text)


def _cell(text: str) -> str:
    quoted = text.replace('"', '""')
    return f'"{quoted}"' if text.startswith('"') or "\t" in text else text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _agree(found: Sequence[Entry], wanted: Sequence[Entry]) -> bool:
    return list(map(_essence, found)) == list(map(_essence, wanted))


def _essence(entry: Entry) -> tuple[str, str, Refusal | None]:
    return entry.email_address, _one_line(entry.role), entry.refusal
