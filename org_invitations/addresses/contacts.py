"""Contacts and calendars: vCard, iCalendar and LDIF, which name what each of their lines holds."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from .entries import MAX_ROWS, Entry, Note, NoteKind, Reading, Refusal, TooManyRows
from .parser import NEWLINE, Piece, core_of, judge

_BEGIN: Final = re.compile(r"^[ \t]*BEGIN:(VCARD|VCALENDAR)\b", re.IGNORECASE | re.MULTILINE)
#: Lines of a calendar that somebody has copied out of it.
_GUESTS: Final = re.compile(r"\s*(?:ATTENDEE|ORGANIZER)[;:]", re.IGNORECASE)
#: Comments may stand above, as ``ldapsearch`` writes them.
_LDIF: Final = re.compile(r"(?:\s++|\#.*+)*+(?:version:\s*+1\s++)?dn::?\s*\S", re.IGNORECASE)
#: Names of the addresses of an entry, the surest first.
_LDIF_MAIL: Final = ("MAIL", "PROXYADDRESSES", "USERPRINCIPALNAME")
#: ``item1.EMAIL;type=INTERNET;type=pref:ana@x.org``. A quoted parameter may have a colon in it.
_PROPERTY: Final = re.compile(
    r"(?:[\w-]+\.)?([\w-]+)((?:;(?:\"[^\"]*\"|[^:\"])*)?):(.*)", re.DOTALL
)
#: In a calendar, what is invited and no person.
_THING: Final = re.compile(r"CUTYPE=(?:ROOM|RESOURCE|GROUP)", re.IGNORECASE)
_COMMON_NAME: Final = re.compile(r";CN=(?:\"([^\"]*)\"|([^;]*))", re.IGNORECASE)
_QUOTED_PRINTABLE: Final = re.compile(r"QUOTED-PRINTABLE", re.IGNORECASE)
_CHARSET: Final = re.compile(r";CHARSET=\"?([\w-]+)", re.IGNORECASE)
_ESCAPED: Final = re.compile(r"\\([,;\\])")
_PREFERRED: Final = re.compile(r"\bPREF(?:=1)?+(?![=\w])", re.IGNORECASE)


@dataclass(slots=True)
class _Line:
    number: int
    name: str
    parameters: str
    value: str

    @property
    def text(self) -> str:
        """The value as people read it: signs that were written in another way are themselves."""
        text = self.value
        if _QUOTED_PRINTABLE.search(self.parameters):
            content = quopri.decodestring(text.encode("latin-1", "replace"))
            charset = _CHARSET.search(self.parameters)
            try:
                text = content.decode(charset[1] if charset else "utf-8")
            except (LookupError, UnicodeDecodeError):
                return text
        return _ESCAPED.sub(r"\1", text)


@dataclass(slots=True)
class _Contact:
    line: int
    name: str = ""
    #: The addresses, each with how much it is preferred.
    found: list[tuple[int, Piece]] = field(default_factory=list)


def read_contacts(text: str) -> Reading | None:
    """Return the people of a vCard, iCalendar or LDIF text, or None where it is none.

    Of several addresses of a person the preferred one is taken, else the first. What stands above
    the first contact is a note.

    :raises TooManyRows: there are more than ``MAX_ROWS``.
    """
    begin = _BEGIN.search(text)
    if begin is not None and "@" not in text[: begin.start()]:
        lines = _unfold(text)
        if begin[1].upper() == "VCALENDAR":
            return _read_calendar(lines)
        found = _read_cards(lines)
        above = NEWLINE.split(text[: begin.start()])
        told = [number for number, line in enumerate(above, 1) if line.strip()]
        notes = (Note(NoteKind.NOT_PEOPLE, told[0], told[-1]),) if told else ()
        return replace(found, notes=notes)
    if _GUESTS.match(text) and all(line.name for line in _unfold(text.strip())):
        return _read_calendar(_unfold(text))
    if _LDIF.match(text):
        return _read_ldif(_unfold(text))
    return None


def _unfold(text: str) -> Iterator[_Line]:
    """Yield the lines, those put together that go on: with a blank, or behind a ``=`` at the end.

    The latter only where the line says that it is quoted-printable.
    """
    whole, first = "", 0
    lines = [*NEWLINE.split(text), ""]
    parts: list[str] = []
    is_soft = False
    for number, line in enumerate(lines, 1):
        goes_on = is_soft and line.endswith("=")
        if is_soft and number < len(lines):
            parts[-1] = parts[-1][:-1]
            parts.append(line)
            is_soft = goes_on
            continue
        is_soft = line.endswith("=") and _QUOTED_PRINTABLE.search(line) is not None
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
            contacts[-1].name = line.text
        elif contacts and line.name == "N" and not contacts[-1].name:
            contacts[-1].name = " ".join(filter(None, line.text.split(";")))
        elif contacts and line.name == "EMAIL" and "@" in line.text:
            piece = Piece(line.text, line.number, core_of(line.text))
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
        elif contacts and line.name in _LDIF_MAIL and "@" in value:
            is_main = line.name != "PROXYADDRESSES" or value.startswith("SMTP:")
            if is_main or value.startswith("smtp:"):
                preference = is_main - _LDIF_MAIL.index(line.name)
                contacts[-1].found.append((preference, Piece(value, line.number, core_of(value))))
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
        if line.name not in ("ATTENDEE", "ORGANIZER"):
            continue
        value = line.value
        if "@" not in value:  # an address that is only told beside another kind of name
            value = line.parameters.rpartition("EMAIL=")[2].partition(";")[0].strip('"')
        if "@" not in value:
            name = _COMMON_NAME.search(line.parameters)
            if line.name == "ATTENDEE" and not _THING.search(line.parameters):
                text = (name[1] or name[2]).strip() if name else ""
                text = text or line.value or "?"
                entries.append(Entry(text, line.number, refusal=Refusal.NO_ADDRESS))
            continue
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
