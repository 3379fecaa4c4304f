"""Contacts and calendars: vCard, iCalendar and LDIF, which name what each of their lines holds."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from .entries import MAX_ROWS, Entry, Note, NoteKind, Reading, Refusal, TooManyRows
from .parser import NEWLINE, Piece, core_of, judge

_BEGIN: Final = re.compile(r"\s*BEGIN:(VCARD|VCALENDAR)\b", re.IGNORECASE)
_LDIF: Final = re.compile(r"\s*(?:version:\s*1\s+)?dn::?\s*\S", re.IGNORECASE)
#: ``item1.EMAIL;type=INTERNET;type=pref:ana@x.org``. A quoted parameter may have a colon in it.
_PROPERTY: Final = re.compile(
    r"(?:[\w-]+\.)?([\w-]+)((?:;(?:\"[^\"]*\"|[^:\"])*)?):(.*)", re.DOTALL
)
#: In a calendar, what is invited and no person.
_THING: Final = re.compile(r"CUTYPE=(?:ROOM|RESOURCE|GROUP)", re.IGNORECASE)
_PREFERRED: Final = re.compile(r"\bPREF(?:=1)?+(?![=\w])", re.IGNORECASE)


@dataclass(slots=True)
class _Line:
    number: int
    name: str
    parameters: str
    value: str


@dataclass(slots=True)
class _Contact:
    line: int
    name: str = ""
    #: The addresses, each with whether it is the preferred one.
    found: list[tuple[bool, Piece]] = field(default_factory=list)


def read_contacts(text: str) -> Reading | None:
    """Return the people of a vCard, iCalendar or LDIF text, or None where it is none.

    Of several addresses of a person the preferred one is taken, else the first.

    :raises TooManyRows: there are more than ``MAX_ROWS``.
    """
    if begin := _BEGIN.match(text):
        lines = _unfold(text)
        return _read_calendar(lines) if begin[1].upper() == "VCALENDAR" else _read_cards(lines)
    if _LDIF.match(text):
        return _read_ldif(_unfold(text))
    return None


def _unfold(text: str) -> Iterator[_Line]:
    """Yield the lines, those put together that go on with a blank."""
    whole, first = "", 0
    lines = [*NEWLINE.split(text), ""]
    parts: list[str] = []
    for number, line in enumerate(lines, 1):
        if line[:1] in (" ", "\t") and parts:
            parts.append(line[1:])
            continue
        whole = "".join(parts)
        if found := _PROPERTY.fullmatch(whole):
            yield _Line(first, found[1].upper(), found[2], found[3].strip())
        elif parts:
            yield _Line(first, "", "", whole.strip())
        parts, first = [line], number


def _read_cards(lines: Iterator[_Line]) -> Reading:
    contacts: list[_Contact] = []
    for line in lines:
        if line.name == "BEGIN":
            contacts.append(_Contact(line.number))
        elif contacts and line.name == "FN":
            contacts[-1].name = line.value
        elif contacts and line.name == "N" and not contacts[-1].name:
            contacts[-1].name = " ".join(filter(None, line.value.split(";")))
        elif contacts and line.name == "EMAIL" and "@" in line.value:
            piece = Piece(line.value, line.number, core_of(line.value))
            is_preferred = _PREFERRED.search(line.parameters) is not None
            contacts[-1].found.append((is_preferred, piece))
    return _as_reading(contacts)


def _read_ldif(lines: Iterator[_Line]) -> Reading:
    contacts: list[_Contact] = []
    for line in lines:
        value = line.value
        if value.startswith(":"):
            value = _from_base64(value[1:])
        if line.name == "DN":
            contacts.append(_Contact(line.number, value))
        elif contacts and line.name == "CN":
            contacts[-1].name = value
        elif contacts and line.name in ("MAIL", "USERPRINCIPALNAME") and "@" in value:
            contacts[-1].found.append(
                (line.name == "MAIL", Piece(value, line.number, core_of(value)))
            )
    return _as_reading(contacts)


def _from_base64(value: str) -> str:
    try:
        return base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return value.strip()


def _as_reading(contacts: list[_Contact]) -> Reading:
    if len(contacts) > MAX_ROWS:
        raise TooManyRows(MAX_ROWS)
    entries = []
    for contact in contacts:
        if contact.found:
            _, piece = max(contact.found, key=lambda found: found[0])
            entries.append(judge(piece))
        else:
            name = contact.name or "?"
            entries.append(Entry(name, contact.line, refusal=Refusal.NO_ADDRESS))
    return Reading(tuple(entries), is_table=True)


def _read_calendar(lines: Iterator[_Line]) -> Reading:
    entries: list[Entry] = []
    aside: list[Entry] = []
    for line in lines:
        if line.name not in ("ATTENDEE", "ORGANIZER") or "@" not in line.value + line.parameters:
            continue
        value = line.value
        if "@" not in value:  # an address that is only told beside another kind of name
            value = line.parameters.rpartition("EMAIL=")[2].partition(";")[0].strip('"')
        entry = judge(Piece(value, line.number, core_of(value)))
        is_aside = line.name == "ORGANIZER" or _THING.search(line.parameters) is not None
        (aside if is_aside else entries).append(entry)
        if len(entries) > MAX_ROWS:
            raise TooManyRows(MAX_ROWS)
    known = {entry.email_address for entry in entries}
    left = [entry for entry in aside if entry.email_address and entry.email_address not in known]
    notes = tuple(
        Note(NoteKind.NOT_PEOPLE, entry.line, entry.line, (entry.email_address,))
        for entry in {entry.email_address: entry for entry in left}.values()
    )
    # One event after another has mostly the same guests: that is nobody's mistake.
    once: dict[str, Entry] = {}
    for entry in entries:
        once.setdefault((entry.email_address or entry.text).casefold(), entry)
    return Reading(tuple(once.values()), notes, is_table=True)
