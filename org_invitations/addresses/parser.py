"""One text field takes one address or a thousand: what in it is an address, and what is not.

Whatever is typed comes back, every piece of it exactly once and in its order: as an address to
invite or as a refusal that says why. The rules for free text:

- Commas, semicolons, white space and new lines part pieces. Tables are ``tables``' business.
- Words before ``<a@b>`` or ``(a@b)`` are its display name, even where they are an address. So is
  what stands before one or two commas, if it has a capital or its script has none: ``Doe, Ana
  <a@b>`` and ``Doe, Ana, MD <a@b>`` are how address books write names.
- Words in a row that are no address are one refusal, not one each: ``ana at x.org``.
- What has no letter or digit, such as a bullet, goes with its neighbour; so do ``To:``, ``1.``,
  a comment in parentheses, and the other parts of a distinguished name (``O=Acme``).

The cost grows with the length of the text and no faster: every pattern below is looked for once at
each place, and none looks past the next bracket or quote. A text is given up as too much after
``MAX_ROWS`` pieces, or after ``MAX_TOKENS`` words and signs that are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote

from .entries import MAX_ROWS, Entry, Refusal, TooManyRows
from .typos import suggest_for_address, suggest_for_text
from .validation import check_address

#: So many words and signs are looked at: several for each of ``MAX_ROWS`` addresses.
MAX_TOKENS: Final = 6 * MAX_ROWS

#: What is not seen and so is never meant: zero width, direction marks, soft hyphen, controls.
INVISIBLE: Final = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e0fff"
)
#: What parts pieces besides white space: commas and semicolons, of Arabic and Chinese too.
SEPARATORS: Final = ",;\u060c\u061b\u3001\uff0c\uff1b"

#: A text that was converted twice has ``\\r\\r\\n``.
NEWLINE: Final = re.compile(r"\r{0,2}\n|\r")

_COMMAS: Final = ",\u060c\u3001\uff0c"
_INVISIBLE: Final = re.compile(f"[{INVISIBLE}]+")
_RUN: Final = re.compile(rf"[^\s<>{SEPARATORS}]++")

# The quantifiers are possessive, and no alternative looks past the next bracket or quote: a
# megabyte without a separator takes as long as one with.
_TOKEN: Final = re.compile(
    rf"""
      (?P<separator> [{SEPARATORS}][\s{SEPARATORS}]*+ )
    | (?P<link>
          \[[^\[\]@]*+\]\(\s*+[^()<>\s]++\)                           # [Ana](mailto:ana@x.org)
        | \[[^\[\]\s]++\]\(\s*+[^()<>\s]++\)                          # [ana@x.org](mailto:..)
        | =\s*+HYPERLINK\([^()]*+\)
      )
    | (?P<address>
          "(?:[^"\\\t]|\\[^\t])*+"@[^\s<>"{SEPARATORS}]++             # "ana doe"@x.org
        | [^\s@<>{SEPARATORS}]++@[^\s@<>.{SEPARATORS}]++,             # hal@newco,example
          [^\W\d_]{{2,24}}(?:\.[^\W\d_]{{2,24}})?+(?![^\s<>{SEPARATORS}])
      )
    | (?P<name> "(?:[^"\\]|\\.)*+"(?=\s*+<) )                         # "Doe, Ana" <
    | (?P<bracketed>
          <[^<>{SEPARATORS}]*+(?:<[^<>{SEPARATORS}]*+>)?+\s*+>        # <ana@x.org<mailto:..>>
        | \([^()<>@\s{SEPARATORS}]++@[^()<>@\s{SEPARATORS}]++\)(?![^\s<>{SEPARATORS}])
      )
    | (?P<comment> \([^()<>@]*+\)(?![^\s<>{SEPARATORS}]) )            # (Sales, Berlin)
    | (?P<words>
          (?:[^\s<>@"(=\[{SEPARATORS}][^\s<>@{SEPARATORS}]*+(?![^\s<>{SEPARATORS}])\s*+)++
      )
    | (?P<word> [^\s<>{SEPARATORS}]++ | [<>]++ )
    """,
    re.VERBOSE,
)
_VISIBLE: Final = re.compile(r"[^\W_]")
_LABEL: Final = re.compile(r"[\"']?[\w-]+[\"']?:|(?:\d{1,4}|[a-zA-Z])[.)]|\[[xX]\]|export")
#: Parts of a distinguished name, which tell whose address stands beside them.
_ATTRIBUTE: Final = re.compile(
    r"\s*/?(?:CN|OU?|C|DC|L|ST?|SN|GN|UID|T|title|serialNumber)\s*=[^@]*", re.IGNORECASE
)
# Only what is known to stand before an address: "john:doe@x.org" may be a slip for anything.
_SCHEME: Final = re.compile(
    r"(?:mailto|smtp|sips?|xmpp|e-?mail|mail|to|cc|bcc|from|an|von|kopie|para|de|pour|à|a|da"
    r"|email(?:;[\w=;\"-]*)?)[\"']?:\s*+[\"']?",
    re.IGNORECASE,
)
#: A key before an address: ``emailAddress=``, ``E=``, ``ADMIN_EMAIL=``. What has a dot or a plus
#: in it is part of the address: ``bounce+ana=x.org@lists.example``.
_KEY: Final = re.compile(r"([A-Za-z_][\w-]*)=+[\"']?(?=[^@=]++@)")
#: Those of which it is certain; of others only a suggestion is made.
_SURE_KEY: Final = re.compile(
    r"(?i:\w*mail\w*|\w*address|e|smtp|upn|user\w*|to|cc|bcc|from|login|contact|owner|admins?|id)"
    r"|(?=.*[A-Z])[A-Z_][A-Z0-9_]*"
)
_IN_NAME: Final = re.compile(
    r"(?:^|[/,+\s])(?:emailAddress|E|e?mail)=([^\s/,+@]++@[^\s/,+@]++)", re.IGNORECASE
)
#: ``ATTENDEE;CN=Ana:mailto:ana@x.org``, ``item1.EMAIL;TYPE=WORK:ana@x.org``: one line of a calendar
#: or a contact, copied out of it.
_PROPERTY: Final = re.compile(
    r"\s*+(?:[\w-]++\.)?+(?:ATTENDEE|EMAIL)(?:;[^:]*+)?+:[^@]*+@[^@]*+$", re.IGNORECASE
)
#: How SharePoint names an account: ``i:0#.f|membership|ana@x.org``.
_CLAIM: Final = re.compile(r"[ic]:0[^|@\s]{1,8}\|(?:[^|@\s]*\|)?(?=[^|@]+@)", re.IGNORECASE)
#: Marks of emphasis, which may be part of an address where they stand at one end only.
_EMPHASIS: Final = "_~"
_MAILTO: Final = re.compile(r"mailto:\s*+([^?\">|)]*+)", re.IGNORECASE)
_BEFORE: Final = (
    " \t\"'`<([{|*\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a\u2022\u00b7"
)
_AFTER: Final = _BEFORE + ">)]}.:!?\u2026_~"
#: An address that nothing need be taken off: nearly all cells of a table.
_BARE: Final = re.compile(
    r"[A-Za-z0-9][\w.+'-]*+@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)*\.[A-Za-z]{2,}", re.ASCII
)


class Meter:
    """Counts the words and signs of one text, and the pieces of all of it."""

    def __init__(self) -> None:
        self.tokens = 0
        self.rows = 0

    def add_tokens(self, count: int) -> None:
        """Count words and signs.

        :raises TooManyRows: there are more than ``MAX_TOKENS``.
        """
        self.tokens += count
        if self.tokens > MAX_TOKENS:
            raise TooManyRows(MAX_TOKENS)

    def add_row(self) -> None:
        """Count a piece or a row.

        :raises TooManyRows: there are more than ``MAX_ROWS``.
        """
        self.rows += 1
        if self.rows > MAX_ROWS:
            raise TooManyRows(MAX_ROWS)


def read_pieces(text: str, first_line: int = 1, meter: Meter | None = None) -> Iterator[Entry]:
    """Yield every piece of free text, in its order; what is there twice, twice.

    :raises TooManyRows: there are more of them than one form takes.
    """
    meter = meter or Meter()
    for line, content in enumerate(NEWLINE.split(text), first_line):
        if content and (entry := _read_property(content, line)):
            meter.add_row()
            yield entry
        elif content:
            for start, end, core in _Line(content, meter).spans:
                meter.add_row()
                yield judge(Piece(content[start:end].strip(), line, core))


def _read_property(content: str, line: int) -> Entry | None:
    """Return what a line of a contact or a calendar holds, if it is one with an address."""
    if not _PROPERTY.match(content):
        return None
    entry = judge(Piece(content.strip(), line, core_of(content.rpartition(":")[2])))
    return entry if entry.refusal is None else None


def read_cell(text: str, line: int) -> list[Entry]:
    """Return the pieces of a cell of a table; one refusal where nothing in it is an address."""
    bare = text.strip()
    if _BARE.fullmatch(bare):
        return [judge(Piece(bare, line, bare))]
    try:
        found = list(read_pieces(text, line))
    except TooManyRows:
        found = []
    useful = any(entry.email_address or entry.suggestion for entry in found)
    if bare and not useful and len(found) != 1:
        whole = judge(Piece(bare, line, core_of(bare)))
        return [whole if whole.refusal else Entry(bare, line, refusal=Refusal.NOT_AN_ADDRESS)]
    return found


def without_invisible(text: str) -> str:
    """Take out what cannot be seen. A zero-width space between two addresses parts them."""
    if text.isascii() and text.isprintable():
        return text
    if not _INVISIBLE.search(text):
        return text
    return _RUN.sub(_without_invisible_run, text)


def _without_invisible_run(run: re.Match[str]) -> str:
    if not _INVISIBLE.search(run[0]):
        return run[0]
    parts = _INVISIBLE.split(run[0])
    apart = [part for part in parts if part]
    if not apart:
        return " "  # so that what stands around it, such as the two signs of a line's end, stays
    two = len(apart) > 1 and all(part.count("@") == 1 for part in apart)
    return (" " if two else "").join(apart)


class Piece(NamedTuple):
    """A piece that is not judged yet."""

    text: str
    line: int
    #: What of it may be an address, bare of brackets, quotes and the like.
    core: str


def judge(piece: Piece) -> Entry:
    """Return a piece as an address to invite, or as a refusal with what may have been meant."""
    text, line, core = piece
    address, refusal = check_address(core)
    if refusal is None and (key := _KEY.match(core)):
        # "boss=ana@x.org" would be an address, and nobody's.
        meant, no = check_address(core[key.end() :])
        return Entry(
            text, line, refusal=Refusal.NOT_AN_ADDRESS, suggestion="" if no is not None else meant
        )
    if refusal is None:
        return Entry(text, line, address, suggestion=suggest_for_address(address))
    if refusal is Refusal.NOT_AN_ADDRESS:
        for guess in suggest_for_text(core or text):
            meant, no = check_address(guess)
            if no is None:
                meant = suggest_for_address(meant) or meant
                return Entry(text, line, refusal=refusal, suggestion=meant)
    return Entry(text, line, refusal=refusal)


class _Line:
    """One line of free text, cut into pieces."""

    def __init__(self, content: str, meter: Meter) -> None:
        self._content = content
        #: Where each piece starts and ends, and its core.
        self.spans: list[tuple[int, int, str]] = []
        #: Whether the last piece may be added to: no separator has come since.
        self._open = False
        #: Words that are not known yet to be a name or a refusal, cut at commas.
        self._words: list[tuple[int, int]] = []
        self._after_comma = False
        for token in _TOKEN.finditer(content):
            meter.add_tokens(1)
            kind, text = token.lastgroup, token[0]
            if kind == "separator":
                self._add_separator(text)
            elif kind == "link":
                self._add_address(*token.span(), core_of(text))
            elif kind == "bracketed":
                self._add_bracketed(*token.span(), _core_in_brackets(text[1:-1]))
            elif kind == "address" or (kind == "word" and _is_like_one(text)):
                self._add_address(*token.span(), core_of(text))
            else:
                end = token.start() + len(text.rstrip())
                self._add_words(token.start(), end, comment=kind == "comment")
        self._refuse_words()

    def _add_separator(self, text: str) -> None:
        # "Doe, Ana <": whether it parts anything is not known yet.
        if text.strip() in _COMMAS and self._words and self._is_named(*self._words[-1]):
            self._after_comma = True
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
        if not self._words and self._open:
            if "@" not in core and _VISIBLE.search(core):
                self._extend(end)  # "ana@x.org <Sales>"
                return
            if core and self._is_beside(start):
                # "ana@x.org <mailto:ana@x.org>", and "ana@x.org <other@x.org>": the first is a
                # name, which a program has put where it had none.
                self.spans[-1] = (self.spans[-1][0], end, core)
                return
        if self._words and not self._after_comma:
            start = self._words.pop()[0]
            for _ in range(2):
                if not self._words or not self._may_be_name(*self._words[-1]):
                    break
                start = self._words.pop()[0]
        self._add(start, end, core)

    def _is_beside(self, start: int) -> bool:
        """Whether nothing but a blank parts the last piece from this place, and it is bare."""
        first, last, _ = self.spans[-1]
        before = self._content[first:last]
        return not self._content[last:start].strip() and not before.endswith(">")

    def _may_be_name(self, start: int, end: int) -> bool:
        part = self._content[start:end]
        if len(part) > 60 or part.count(" ") > 4:
            return False
        # A capital, or a letter of a script that has none.
        return any(char.isupper() or (char.isalpha() and not char.islower()) for char in part)

    def _add(self, start: int, end: int, core: str) -> None:
        # "CN=Ana Doe, O=Acme, emailAddress=ana@x.org" is one.
        while self._words and _ATTRIBUTE.fullmatch(self._content[slice(*self._words[-1])]):
            start = self._words.pop()[0]
        self._refuse_words()
        self.spans.append((start, end, core))
        self._open = True

    def _extend(self, end: int) -> None:
        start, _, core = self.spans[-1]
        self.spans[-1] = (start, end, core)

    def _refuse_words(self) -> None:
        for start, end in self._words:
            beside = self._open and not self._is_named(start, end)
            if beside or self._is_attribute(start, end):
                self._extend(end)
            else:
                self.spans.append((start, end, ""))
            self._open = False
        self._words.clear()
        self._after_comma = False

    def _is_attribute(self, start: int, end: int) -> bool:
        """Whether it belongs to the address before it: ``emailAddress=ana@x.org, CN=Ana Doe``."""
        return (
            bool(self.spans and self.spans[-1][2])
            and _ATTRIBUTE.fullmatch(self._content[start:end]) is not None
        )

    def _is_named(self, start: int, end: int) -> bool:
        """Whether there is a letter or a digit."""
        return _VISIBLE.search(self._content, start, end) is not None


def _is_like_one(word: str) -> bool:
    """Whether there is something on both sides of an ``@``."""
    at = word.find("@")
    return at > 0 and bool(_VISIBLE.search(word, 0, at) and _VISIBLE.search(word, at))


def _core_in_brackets(text: str) -> str:
    """Return the core of what stood in brackets: ``ana@x.org<mailto:..>``, ``mailto:a@b|a@b``."""
    first = text.partition("<")[0]
    return core_of(first.partition("|")[0] or first)


def core_of(text: str) -> str:
    """Return what of a piece may be an address: no brackets, quotes, scheme, key or last dot."""
    if text.startswith('"') and '"@' in text:
        return text.rstrip(_AFTER)
    if (mailto := _MAILTO.search(text)) and "@" not in text[: mailto.start()]:
        return unquote(mailto[1]).lstrip(_BEFORE).rstrip(_AFTER)
    if text.startswith("[") and (link := text.rfind("](")) > 0:
        text = text[link + 2 :]
    core = text.lstrip(_BEFORE).rstrip(_AFTER)
    for mark in _EMPHASIS:
        if core.startswith(mark) and text.rstrip(_BEFORE).endswith(mark):
            core = core.lstrip(mark)
    if "=" in core:
        core = _without_key(core)
    if "|" in core:
        core = _CLAIM.sub("", core, count=1)
    return _SCHEME.sub("", core, count=1).lstrip(_BEFORE) if _SCHEME.match(core) else core


def _without_key(core: str) -> str:
    """Return what stands behind ``emailAddress=`` and the like."""
    if named := _IN_NAME.search(core):
        return named[1]
    key = _KEY.match(core)
    if key is None or not _SURE_KEY.fullmatch(key[1]):
        return core
    return core[key.end() :].lstrip(_BEFORE).rstrip(_AFTER)
