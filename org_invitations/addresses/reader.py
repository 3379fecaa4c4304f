"""Read a text or a file: the way in."""

from __future__ import annotations

from dataclasses import replace

from .contacts import read_contacts
from .encodings import MAX_FILE_BYTES, Decoded, FileTooLarge, decode
from .entries import Entry, IsRole, Note, NoteKind, Reading, Refusal, refuse_twice
from .grids import read_grid
from .parser import NEWLINE, read_pieces, without_invisible
from .records import read_records
from .tables import read_tables
from .workbooks import is_workbook, read_workbook

#: So much of a file's first line is shown where it may have been misread.
_MAX_FIRST_LINE = 80


def read_text(text: str, *, is_role: IsRole | None = None) -> Reading:
    """Return all that was typed or pasted.

    :param is_role: whether a word is the name or key of a role: then a column of roles that has
        none is left alone. Without it what is called so is taken at its word.
    :raises TooManyRows: there are more than ``MAX_ROWS`` pieces or rows.
    """
    return _finish(_read(without_invisible(text), is_role=is_role, strict=True))


def read_file(content: bytes, *, is_role: IsRole | None = None) -> Reading:
    """Return all that is in a CSV, TSV or text file, a contact or calendar file, or a workbook.

    :raises FileTooLarge: over ``MAX_FILE_BYTES``.
    :raises UnreadableFile: if it is nothing of all that.
    :raises TooManyRows: there are more than ``MAX_ROWS`` rows.
    """
    if len(content) > MAX_FILE_BYTES:
        raise FileTooLarge(len(content))
    if is_workbook(content):
        return _finish(read_workbook(content, is_role=is_role))
    decoded = decode(content)
    reading = _read(without_invisible(decoded.text), is_role=is_role, strict=False)
    if not decoded.is_sure:
        reading = _with_doubts(reading, decoded)
    return _finish(reading)


def parse_text(text: str) -> tuple[Entry, ...]:
    """Return every piece of what was typed or pasted, in its order.

    :raises TooManyRows: there are more than ``MAX_ROWS``.
    """
    return read_text(text).entries


def parse_file(content: bytes) -> tuple[Entry, ...]:
    """Return every piece of a file, in its order; see :func:`read_file`."""
    return read_file(content).entries


def _read(text: str, *, is_role: IsRole | None, strict: bool) -> Reading:
    found = read_contacts(text)
    if found is not None:
        return found
    grid = read_records(text) or read_grid(text)
    if grid is not None:
        table = read_tables(grid, is_role=is_role, strict=strict)
        if table is not None:
            return table
    return Reading(tuple(read_pieces(text)))


def _with_doubts(reading: Reading, decoded: Decoded) -> Reading:
    """Say how the first line was read, and refuse what may be no address for that reason."""
    lines = [line for line in NEWLINE.split(decoded.text) if line.strip()]
    first = next((line for line in lines if not line.isascii()), lines[0] if lines else "")
    note = Note(NoteKind.ENCODING, names=(first[:_MAX_FIRST_LINE], decoded.encoding))
    entries = tuple(
        entry
        if entry.email_address.casefold() in entry.text.casefold()
        or decoded.reads_alike(entry.text)
        else replace(entry, email_address="", refusal=Refusal.NOT_AN_ADDRESS, suggestion="")
        for entry in reading.entries
    )
    return replace(reading, entries=entries, notes=(note, *reading.notes))


def _finish(reading: Reading) -> Reading:
    return replace(reading, entries=tuple(refuse_twice(reading.entries)))
