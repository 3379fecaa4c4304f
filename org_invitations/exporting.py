"""Invitations as a CSV file that a spreadsheet opens without running anything in it.

The header and the statuses are in English whatever the reader's language, so that a program can
read the file, and :func:`.addresses.parse_file` reads it back. The link that accepts an invitation
is not in it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from .clerk import Invitation

HEADER: Final = (
    "Email",
    "Role",
    "Role name",
    "Status",
    "Invited by",
    "Invited at",
    "Expires at",
)

#: What a spreadsheet takes for the beginning of a formula, also behind white space and what cannot
#: be seen, and in the wide letters of East Asia. A tab or a line break at the beginning moves the
#: rest into a cell of its own.
_FORMULA: Final = re.compile(
    r"[\t\r\n]|[\s\x00-\x1f\x7f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*"
    r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
)

#: What no text has, and what makes a program refuse the whole file.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def as_csv(invitations: Iterable[Invitation]) -> bytes:
    """Return the file: UTF-8 with a byte order mark, which Excel needs; lines end with CRLF."""
    return write_csv(HEADER, map(_cells, invitations))


def write_csv(header: Sequence[str], rows: Iterable[Iterable[str]]) -> bytes:
    """Return a file like that of any rows; no cell of theirs is run by a spreadsheet."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(header)
    for row in rows:
        writer.writerow(neutralise(_CONTROLS.sub("", cell)) for cell in row)
    return file.getvalue().encode("utf-8-sig", "replace")


def _cells(invitation: Invitation) -> tuple[str, ...]:
    return (
        invitation.email_address,
        invitation.role,
        invitation.role_name,
        str(invitation.status),
        invitation.inviter.name if invitation.inviter else "",
        _iso(invitation.created_at),
        _iso(invitation.expires_at),
    )


def neutralise(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: with an apostrophe before it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _iso(moment: datetime | None) -> str:
    """Return a moment as ``2026-11-22T09:15:00Z``."""
    if moment is None:
        return ""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
