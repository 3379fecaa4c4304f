"""Addresses out of whatever people paste and upload, slips in them, and the way back into text."""

from __future__ import annotations

from .encodings import MAX_FILE_BYTES, FileTooLarge, UnreadableFile
from .entries import (
    MAX_ROWS,
    ColumnQuestion,
    Entry,
    Note,
    NoteKind,
    QuestionRow,
    Reading,
    Refusal,
    TooManyRows,
    refuse_twice,
)
from .notes import recall_notes, write_notes
from .parser import INVISIBLE, SEPARATORS
from .people import choose
from .reader import parse_file, parse_text, read_file, read_text
from .workbooks import WorkbooksNotInstalled
from .writer import as_text, write_reading

__all__ = [
    "INVISIBLE",
    "MAX_FILE_BYTES",
    "MAX_ROWS",
    "SEPARATORS",
    "ColumnQuestion",
    "Entry",
    "FileTooLarge",
    "Note",
    "NoteKind",
    "QuestionRow",
    "Reading",
    "Refusal",
    "TooManyRows",
    "UnreadableFile",
    "WorkbooksNotInstalled",
    "as_text",
    "choose",
    "parse_file",
    "parse_text",
    "read_file",
    "read_text",
    "recall_notes",
    "refuse_twice",
    "write_notes",
    "write_reading",
]
