"""What is said once of a text or a file, kept beside the list that was found in it.

A form carries the list and not the file, so nothing in it tells of title rows or of an encoding any
more. What was said of them goes along, and holds for just this list.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Final

from .entries import Note, NoteKind, Reading

#: A longer text is not kept: it would be larger than the list.
_MAX_LENGTH: Final = 20_000
#: Of these notes the first name is what they are about.
_NAMED: Final = (NoteKind.NO_ROLES, NoteKind.ENCODING)


def write_notes(reading: Reading) -> str:
    """Return the notes of a reading for :func:`recall_notes`; empty where there are none."""
    if not reading.notes:
        return ""
    notes = [[note.kind, note.first_line, note.last_line, *note.names] for note in reading.notes]
    text = json.dumps({"of": _digest(reading), "notes": notes}, ensure_ascii=False)
    return text if len(text) <= _MAX_LENGTH else ""


def recall_notes(reading: Reading, written: str) -> Reading:
    """Return a reading with what was said of the same list before.

    :param written: what :func:`write_notes` has returned, or anything: it comes from a form.
    """
    if not written or len(written) > _MAX_LENGTH:
        return reading
    try:
        kept = json.loads(written)
        if kept["of"] != _digest(reading):
            return reading
        notes = [_as_note(*values) for values in kept["notes"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        return reading
    return replace(reading, notes=(*notes, *(n for n in reading.notes if n not in notes)))


def _as_note(kind: object, first: object, last: object, *names: object) -> Note:
    """Return a note.

    :raises ValueError: if it is none.
    """
    found = NoteKind(str(kind))
    lines = [line for line in (first, last) if type(line) is int and line >= 0]
    told = [name for name in names if isinstance(name, str)]
    if len(lines) != 2 or len(told) != len(names) or (found in _NAMED and not told):
        raise ValueError(kind)
    return Note(found, lines[0], lines[1], tuple(told))


def _digest(reading: Reading) -> str:
    columns = reading.question.columns if reading.question else ()
    what = "\n".join(
        [*columns, *(f"{e.email_address}\t{e.role}\t{e.refusal}" for e in reading.entries)]
    )
    return hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()[:32]
