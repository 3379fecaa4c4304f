"""One text field takes one address or a thousand: what in it is an address, and what is not.

Whatever is typed, pasted or uploaded comes back, every piece of it exactly once and in its order:
as an address to invite or as a refusal that says why. The rules for free text:

- Commas, semicolons, white space and new lines part pieces. Tables are ``spreadsheets``' business.
- Words before ``<a@b>`` or ``(a@b)`` are its display name. So is what stands before one comma, if
  it has a capital: ``Doe, Ana <a@b>`` is how Outlook writes names.
- Words in a row that are no address are one refusal, not one each: ``ana at x.org``.
- What has no letter or digit, such as a bullet, goes with its neighbour; so do ``To:``, ``1.``
  and a comment in parentheses.
"""

from __future__ import annotations

import encodings.idna
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import unquote

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from .spreadsheets import MAX_FILE_BYTES, FileTooLarge, UnreadableFile, decode, read_table
from .suggestions import suggest_for_address, suggest_for_text

__all__ = [
    "MAX_FILE_BYTES",
    "Entry",
    "FileTooLarge",
    "Refusal",
    "UnreadableFile",
    "parse_file",
    "parse_text",
]

#: In octets, of a whole address and of what is before its ``@`` (RFC 5321).
MAX_LENGTH: Final = 254
MAX_LOCAL_LENGTH: Final = 64

#: What is not seen and so is never meant: zero width, direction marks, soft hyphen, controls.
INVISIBLE: Final = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e0fff"
)
#: What parts pieces besides white space: commas and semicolons, of Arabic and Chinese too.
SEPARATORS: Final = ",;\u060c\u061b\u3001\uff0c\uff1b"

_COMMAS: Final = ",\u060c\u3001\uff0c"
_NEWLINE: Final = re.compile(r"\r\n|\r|\n")
_INVISIBLE: Final = re.compile(f"[{INVISIBLE}]+")
_RUN: Final = re.compile(rf"[^\s<>{SEPARATORS}]++")

# The quantifiers are possessive, and no alternative looks past the next bracket or quote: a
# megabyte without a separator takes as long as one with.
_TOKEN: Final = re.compile(
    rf"""
      (?P<separator> [{SEPARATORS}] )
    | (?P<address>
          "(?:[^"\\]|\\.)*+"@[^\s<>"{SEPARATORS}]++                   # "ana doe"@x.org
        | [^\s@<>{SEPARATORS}]++@[^\s@<>.{SEPARATORS}]++,             # ana@acme,com
          (?:com|net|org|edu|gov|info|de|fr|es|it|nl|at|ch|be|pl|se|co\.uk)\b(?![^\s<>{SEPARATORS}])
      )
    | (?P<name> "(?:[^"\\]|\\.)*+"(?=\s*+<) )                         # "Doe, Ana" <
    | (?P<bracketed>
          <[^<>{SEPARATORS}]*+(?:<[^<>{SEPARATORS}]*+>)?+\s*+>  # <ana@x.org<mailto:..>>
        | \([^()<>@\s{SEPARATORS}]++@[^()<>@\s{SEPARATORS}]++\)(?![^\s<>{SEPARATORS}])
      )
    | (?P<comment> \([^()<>@]*+\)(?![^\s<>{SEPARATORS}]) )            # (Sales, Berlin)
    | (?P<word> [^\s<>{SEPARATORS}]++ | [<>] )
    """,
    re.VERBOSE,
)
_VISIBLE: Final = re.compile(r"[^\W_]")
_LABEL: Final = re.compile(r"[\w-]+:|\d{1,4}[.)]")
# Only what is known to stand before an address: "john:doe@x.org" may be a slip for anything.
_SCHEME: Final = re.compile(
    r"(?:mailto|smtp|sips?|xmpp|e-?mail|mail|to|cc|bcc|from|an|von|kopie|para|de|pour|à|a|da):\s*+",
    re.IGNORECASE,
)
#: Marks of emphasis, which may be part of an address where they stand at one end only.
_EMPHASIS: Final = "_~"
_MAILTO: Final = re.compile(r"mailto:\s*+([^?]*+)", re.IGNORECASE)
_BEFORE: Final = (
    " \t\"'`<([{|*\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a\u2022\u00b7"
)
_AFTER: Final = _BEFORE + ">)]}.:!?\u2026_~"

_validate: Final = EmailValidator(allowlist=[])  # by default it lets "ana@localhost" pass


class Refusal(StrEnum):
    """Why a piece is not going to be invited."""

    NOT_AN_ADDRESS = "not-an-address"
    TOO_LONG = "too-long"
    TWICE = "typed-twice"


@dataclass(frozen=True, slots=True)
class Entry:
    """One piece of what was typed."""

    #: The piece as it was typed, what cannot be seen left out. Never empty.
    text: str
    #: The line on which it starts, from 1.
    line: int
    #: What to send to Clerk: the local part as typed, the domain in ASCII and lower case. Empty
    #: where there is no address to send.
    email_address: str = ""
    #: What the role column says, verbatim. Empty where there is none.
    role: str = ""
    refusal: Refusal | None = None
    #: A whole address that was probably meant. On an accepted entry it is a warning.
    suggestion: str = ""
    #: For ``TWICE``, the line of the first.
    first_line: int | None = None


def parse_text(text: str) -> tuple[Entry, ...]:
    """Return every piece of what was typed or pasted, in its order."""
    return _parse(text, headless="\t")


def parse_file(content: bytes) -> tuple[Entry, ...]:
    """Return every piece of a CSV, TSV or text file, in its order.

    :raises FileTooLarge: over ``MAX_FILE_BYTES``.
    :raises UnreadableFile: if it is no text but, say, a workbook.
    """
    return _parse(decode(content), headless="\t;,|")


def _parse(text: str, *, headless: str) -> tuple[Entry, ...]:
    text = _without_invisible(text)
    table = read_table(text, headless=headless)
    if table is None:
        return tuple(_refuse_twice(map(_judged, _pieces(text))))
    entries: list[Entry] = []
    for row in table:
        found = [
            replace(_judged(piece), role=row.role)
            for cell in row.cells
            for piece in _pieces(cell.text, cell.line)
        ]
        # Nothing is dropped in silence, so neither is a row without an address.
        entries += found or [Entry(row.text, row.line, "", row.role, Refusal.NOT_AN_ADDRESS)]
    return tuple(_refuse_twice(entries))


def _without_invisible(text: str) -> str:
    """Take out what cannot be seen. A zero-width space between two addresses parts them."""
    if not _INVISIBLE.search(text):
        return text
    return _RUN.sub(_without_invisible_run, text)


def _without_invisible_run(run: re.Match[str]) -> str:
    parts = _INVISIBLE.split(run[0])
    apart = [part for part in parts if part]
    two = len(apart) > 1 and all(part.count("@") == 1 for part in apart)
    return (" " if two else "").join(apart)


def _refuse_twice(entries: Iterable[Entry]) -> Iterator[Entry]:
    lines: dict[str, int] = {}
    for entry in entries:
        key = entry.email_address.casefold()
        if key in lines:
            yield replace(entry, refusal=Refusal.TWICE, suggestion="", first_line=lines[key])
            continue
        if key:
            lines[key] = entry.line
        yield entry


def _judged(piece: _Piece) -> Entry:
    text, line, core = piece
    address, refusal = _address(core)
    if refusal is None:
        return Entry(text, line, address, suggestion=suggest_for_address(address))
    if refusal is Refusal.NOT_AN_ADDRESS:
        for guess in suggest_for_text(core or text):
            meant, no = _address(guess)
            if no is None:
                meant = suggest_for_address(meant) or meant
                return Entry(text, line, refusal=refusal, suggestion=meant)
    return Entry(text, line, refusal=refusal)


def _address(core: str) -> tuple[str, Refusal | None]:
    """Return what to send to Clerk, or why there is nothing to send."""
    local, _, domain = core.rpartition("@")
    if not local or not domain:
        return "", Refusal.NOT_AN_ADDRESS
    if len(core) <= MAX_LENGTH:
        domain = _ascii(domain)
    if len(local) > MAX_LOCAL_LENGTH or len(local) + 1 + len(domain) > MAX_LENGTH:
        like_one = "@" not in local and "." in domain.strip(".")
        return "", Refusal.TOO_LONG if like_one else Refusal.NOT_AN_ADDRESS
    address = f"{local}@{domain}"
    try:
        _validate(address)
    except ValidationError:
        return "", Refusal.NOT_AN_ADDRESS
    return address, None


def _ascii(domain: str) -> str:
    """Return a domain in lower case and as DNS has it, or nothing if it cannot be had so."""
    if domain.isascii():
        return domain.lower()
    labels = []
    for label in encodings.idna.dots.split(domain.lower()):
        if label.isascii():
            labels.append(label)
        elif any(unicodedata.category(char)[0] not in "LMN" for char in label if char != "-"):
            return ""  # Python's IDNA of 2003 would take an emoji; today's does not
        elif "\u00df" in label or "\u03c2" in label:
            # And it would make "ss" of a sharp s: today that is somebody else's domain.
            labels.append("xn--" + label.encode("punycode").decode("ascii"))
        else:
            try:
                labels.append(encodings.idna.ToASCII(label).decode("ascii").lower())
            except UnicodeError:
                return ""
    return ".".join(labels)


class _Piece(NamedTuple):
    text: str
    line: int
    #: What of it may be an address, bare of brackets, quotes and the like.
    core: str


def _pieces(text: str, first_line: int = 1) -> Iterator[_Piece]:
    """Yield the pieces of free text, not yet judged."""
    for line, content in enumerate(_NEWLINE.split(text), first_line):
        if content:
            for start, end, core in _Line(content).spans:
                yield _Piece(content[start:end], line, core)


class _Line:
    """One line of free text, cut into pieces."""

    def __init__(self, content: str) -> None:
        self._content = content
        #: Where each piece starts and ends, and its core.
        self.spans: list[tuple[int, int, str]] = []
        #: Whether the last piece may be added to: no separator has come since.
        self._open = False
        #: Words that are not known yet to be a name or a refusal, cut at commas.
        self._words: list[tuple[int, int]] = []
        self._after_comma = False
        for token in _TOKEN.finditer(content):
            kind, text = token.lastgroup, token[0]
            if kind == "separator":
                self._add_separator(text)
            elif kind == "bracketed":
                self._add_bracketed(*token.span(), _core(text[1:-1].partition("<")[0]))
            elif kind == "address" or (kind == "word" and _is_like_one(text)):
                self._add_address(*token.span(), _core(text))
            else:
                self._add_words(*token.span(), comment=kind == "comment")
        self._refuse_words()

    def _add_separator(self, text: str) -> None:
        if text in _COMMAS and self._words and self._is_named(*self._words[-1]):
            self._after_comma = True  # "Doe, Ana <": whether it parts anything is not known yet
        else:
            self._refuse_words()
        self._open = False

    def _add_words(self, start: int, end: int, *, comment: bool) -> None:
        if self._words and not self._after_comma:
            self._words[-1] = (self._words[-1][0], end)
        elif comment and self._open:
            self._extend(end)
        else:
            self._words.append((start, end))
        self._after_comma = False

    def _add_address(self, start: int, end: int, core: str) -> None:
        if self._words and not self._after_comma:
            before = self._words[-1]
            if not self._is_named(*before) or _LABEL.fullmatch(self._content[slice(*before)]):
                start = self._words.pop()[0]
        self._add(start, end, core)

    def _add_bracketed(self, start: int, end: int, core: str) -> None:
        if not self._words and self._open and self.spans[-1][2].casefold() == core.casefold():
            self._extend(end)  # "ana@x.org <mailto:ana@x.org>"
            return
        if self._words and not self._after_comma:
            start = self._words.pop()[0]
            if self._words and any(map(str.isupper, self._content[slice(*self._words[-1])])):
                start = self._words.pop()[0]
        self._add(start, end, core)

    def _add(self, start: int, end: int, core: str) -> None:
        self._refuse_words()
        self.spans.append((start, end, core))
        self._open = True

    def _extend(self, end: int) -> None:
        start, _, core = self.spans[-1]
        self.spans[-1] = (start, end, core)

    def _refuse_words(self) -> None:
        for start, end in self._words:
            if self._open and not self._is_named(start, end):
                self._extend(end)
            else:
                self.spans.append((start, end, ""))
            self._open = False
        self._words.clear()
        self._after_comma = False

    def _is_named(self, start: int, end: int) -> bool:
        """Whether there is a letter or a digit."""
        return _VISIBLE.search(self._content, start, end) is not None


def _is_like_one(word: str) -> bool:
    """Whether there is something on both sides of an ``@``."""
    at = word.find("@")
    return at > 0 and bool(_VISIBLE.search(word, 0, at) and _VISIBLE.search(word, at))


def _core(text: str) -> str:
    """Return what of a piece may be an address: no brackets, quotes, scheme or last dot."""
    if text.startswith('"') and '"@' in text:
        return text.rstrip(_AFTER)
    core = text.lstrip(_BEFORE).rstrip(_AFTER)
    for mark in _EMPHASIS:
        if core.startswith(mark) and text.rstrip(_BEFORE).endswith(mark):
            core = core.lstrip(mark)
    if mailto := _MAILTO.match(core):
        return unquote(mailto[1]).lstrip(_BEFORE).rstrip(_AFTER)
    return _SCHEME.sub("", core, count=1).lstrip(_BEFORE) if _SCHEME.match(core) else core
