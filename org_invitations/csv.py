"""Invitations as a CSV file that a spreadsheet opens without running anything in it.

The header and the statuses are in English whatever the reader's language, so that a program can
read the file, and :func:`.addresses.parse_file` reads it back. The link that accepts an invitation
is not in it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Sequence
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

#: What a spreadsheet takes for the beginning of a formula, also in the wide letters of East Asia.
_SIGNS: Final = r"=+\-@\uff1d\uff0b\uff0d\uff20"
#: What it looks past: white space and what cannot be seen. And the quotes around a cell.
_SKIPPED: Final = r"\s\x00-\x1f\x7f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\""
#: What parts cells, by the country or by choice: a comma here is a semicolon in Europe, and then
#: what follows a semicolon inside of our cell is a cell of its own.
_PARTING: Final = frozenset(",;|:\t\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")

#: A tab or a line break at the beginning moves the rest into a cell of its own, too.
_FORMULA: Final = re.compile(rf"[\t\r\n]|[{_SKIPPED}]*[{_SIGNS}]")
#: Whatever may part cells before a sign, as one run from its first character: linear that way.
_PARTED: Final = re.compile(rf"(?<![{_SKIPPED},;|:])([{_SKIPPED},;|:]++)(?=[{_SIGNS}])")

#: What no text has, and what makes a program refuse the whole file.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def as_csv(invitations: Iterable[Invitation], *, joined: Collection[str] = ()) -> bytes:
    """Return the file: UTF-8 with a byte order mark, which Excel needs; lines end with CRLF.

    :param joined: ids of those that Clerk calls revoked and by which somebody has joined.
    """
    return write_csv(HEADER, (_cells(each, is_joined=each.id in joined) for each in invitations))


def write_csv(header: Sequence[str], rows: Iterable[Iterable[str]]) -> bytes:
    """Return a file like that of any rows; no cell of theirs is run by a spreadsheet."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(header)
    for row in rows:
        writer.writerow(neutralise(_CONTROLS.sub("", cell)) for cell in row)
    return file.getvalue().encode("utf-8-sig", "replace")


def _cells(invitation: Invitation, *, is_joined: bool) -> tuple[str, ...]:
    return (
        invitation.email_address,
        invitation.role,
        invitation.role_name,
        "joined" if is_joined else str(invitation.status),
        invitation.inviter.name if invitation.inviter else "",
        _iso(invitation.created_at),
        _iso(invitation.expires_at),
    )


def neutralise(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula, nor any part of it.

    An apostrophe comes before what it would take for one: at the beginning, and behind whatever may
    part cells, since nobody knows with which separator the file is going to be opened.
    """
    parted = _PARTED.sub(_with_apostrophe, cell)
    return f"'{parted}" if _FORMULA.match(cell) else parted


def _with_apostrophe(match: re.Match[str]) -> str:
    run, following = match[1], match.string[match.end() + 1 : match.end() + 2]
    # A space parts cells where somebody wants it to; "Jean - Luc" has no formula even then.
    parts = not _PARTING.isdisjoint(run) or following != " "
    return f"{run}'" if parts else run


def _iso(moment: datetime | None) -> str:
    """Return a moment as ``2026-11-22T09:15:00Z``."""
    if moment is None:
        return ""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
