"""A pasted table or a CSV file: which cells hold addresses, and which the role.

Nothing here knows what an address is, beyond that it has an ``@``: ``addresses`` decides.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Container, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

#: The largest file that is read, in bytes.
MAX_FILE_BYTES: Final = 1_000_000

#: No role has a longer name; and what is in this column is repeated for each address of a row.
MAX_ROLE_LENGTH: Final = 255

DELIMITERS: Final = "\t;,|"
#: The delimiter of a table of one column: whatever else a line has in it belongs to the cell.
_NONE: Final = "\0"

#: What names an e-mail column, and what a role column, as :func:`_plain` leaves a header.
_EMAIL_HEADERS: Final = frozenset(
    word
    for words in (
        "email emails mail mails emailid emailaddress emailaddresses mailaddress",
        "workemail workemailaddress primaryemail primaryemailaddress businessemail companyemail",
        "personalemail homeemail useremail memberemail contactemail guestemail inviteeemail",
        "emailaddressrequired emailvalue email1value email2value email3value",  # Google
        "email1 email2 email3 email1address email2address email3address",  # Outlook
        "emailadresse emailadressen mailadresse epostadresse emailadresser",  # German, Nordic
        "adresseemail adressemail adressemel mel courriel adressecourriel adressedecourriel",
        "adresseelectronique adressedemessagerie",  # French
        "correo correos correoelectronico direcciondecorreo direcciondecorreoelectronico",
        "direccionemail direcciondeemail",  # Spanish
        "indirizzoemail indirizzodiemail indirizzomail postaelettronica",  # Italian
        "enderecodeemail enderecoemail correioeletronico correioelectronico",  # Portuguese
        "emailadres emailadressen mailadres adresemail epost epostadress eposta epostaadresi",
        "sahkoposti sahkopostiosoite почта электроннаяпочта адресэлектроннойпочты",
        "メール メールアドレス eメール 邮箱 邮箱地址 电子邮件 电子邮箱 電子郵件 이메일 이메일주소",
    )
    for word in words.split()
)
_ROLE_HEADERS: Final = frozenset(
    word
    for words in (
        "role roles rolekey rolename orgrole organizationrole organisationrole memberrole",
        "userrole clerkrole rolle rollen rol ruolo ruoli papel funcao rola roll rooli rool роль",
        "ロール 役割 角色 역할",
    )
    for word in words.split()
)

_ROLE_KEY: Final = re.compile(r"org:\w+")
_NEWLINE: Final = re.compile(r"\r\n|\r|\n")
_SEP_LINE: Final = re.compile(r"\s*\"?sep=([^\"\r\n])\"?[ \t]*(?=[\r\n])", re.IGNORECASE)
_NO_TEXT: Final = (b"PK\x03\x04", b"%PDF", b"\xd0\xcf\x11\xe0", b"{\\rtf", b"\x1f\x8b")
_CONTROL_BYTES: Final = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f]")
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class FileTooLarge(ValueError):
    """The file has more than ``MAX_FILE_BYTES``."""


class UnreadableFile(ValueError):
    """The file is no text: a workbook or a PDF, say, that should be saved as CSV first."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell that has something in it, and the line on which it starts."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row that has something in it."""

    line: int
    #: The whole row, its cells parted as they were.
    text: str
    #: What to look for addresses in; empty where the row has none.
    cells: tuple[Cell, ...]
    #: What the role column says, verbatim.
    role: str


def decode(content: bytes) -> str:
    """Return a file's text, its encoding guessed: by its mark, else UTF-8, else Windows' own.

    :raises FileTooLarge: over ``MAX_FILE_BYTES``.
    :raises UnreadableFile: if it is no text.
    """
    if len(content) > MAX_FILE_BYTES:
        raise FileTooLarge(len(content))
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError as error:
                raise UnreadableFile(encoding) from error
            if "\0" in text:
                raise UnreadableFile(encoding)
            return text
    if content.startswith(_NO_TEXT) or _CONTROL_BYTES.search(content):
        raise UnreadableFile("no text")
    # Excel's "CSV (Macintosh)" is the last one that ends its lines with a carriage return.
    macintosh = b"\r" in content and b"\n" not in content
    for encoding in ("utf-8", "mac_roman" if macintosh else "cp1252"):
        with suppress(UnicodeDecodeError):
            return content.decode(encoding)
    return content.decode("latin-1")  # never fails, and what is sent is ASCII anyway


def read_table(text: str, *, headless: str = "\t") -> tuple[Row, ...] | None:
    """Return the rows of a table, the header left out, or None if the text is no table.

    :param headless: the delimiters that make a table without a header, too; its rows must then
        be of one length, and one and the same column hold all that has an ``@``.
    """
    # As Excel's own first line names it; the line stays as a blank one, so that lines still count.
    named = _SEP_LINE.match(text)
    delimiters = named[1] if named else DELIMITERS
    text = text[named.end() :] if named else text
    best = max(delimiters, key=lambda delimiter: _width_of_header(text, delimiter))
    if width := _width_of_header(text, best):
        best = best if width > 1 else _NONE
        return _with_header(_read(text, best), best)
    for delimiter in headless:
        if delimiter in text:
            found = _without_header(_read(text, delimiter), delimiter)
            if found:
                return found
    return None


def _reader(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with the line on which it starts.

    :raises csv.Error: if the quotes do not match.
    """
    if delimiter == _NONE:
        for number, line in enumerate(_NEWLINE.split(text), 1):
            if line.strip():
                yield number, [line]
        return
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1


def _read(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    try:
        return list(_reader(text, delimiter))
    except csv.Error:
        # A stray quote: forgiven, it would swallow all rows up to the next one. So line by line.
        rows = []
        for number, line in enumerate(_NEWLINE.split(text), 1):
            try:
                cells = next(csv.reader([line], delimiter=delimiter, strict=True), [])
            except csv.Error:
                cells = line.split(delimiter)
            if any(cell.strip() for cell in cells):
                rows.append((number, cells))
        return rows


def _width_of_header(text: str, delimiter: str) -> int:
    """Return how many cells the first row has if it names an e-mail column, else 0."""
    try:
        _, cells = next(_reader(text, delimiter), (0, []))
    except csv.Error:
        return 0
    if any("@" in cell for cell in cells):
        return 0
    return len(cells) if any(_names(_EMAIL_HEADERS, cell) for cell in cells) else 0


def _names(headers: frozenset[str], cell: str) -> bool:
    return len(cell) <= 60 and _plain(cell) in headers


def _plain(cell: str) -> str:
    """Return a header's bare letters and digits: ``E-Mail Adresse:`` and ``emailadresse`` agree."""
    # Composed again for Korean and Japanese, whose letters would come apart for good.
    bare = "".join(c for c in unicodedata.normalize("NFKD", cell) if not "\u0300" <= c <= "\u036f")
    return "".join(c for c in unicodedata.normalize("NFC", bare).casefold() if c.isalnum())


def _with_header(rows: list[tuple[int, list[str]]], delimiter: str) -> tuple[Row, ...]:
    (_, header), *body = rows
    addresses = {i for i, cell in enumerate(header) if _names(_EMAIL_HEADERS, cell)}
    role = next((i for i, cell in enumerate(header) if _names(_ROLE_HEADERS, cell)), None)
    return tuple(_row(row, addresses, role, len(header), delimiter) for row in body)


def _without_header(rows: list[tuple[int, list[str]]], delimiter: str) -> tuple[Row, ...] | None:
    if not rows:
        return None
    width = len(rows[0][1])
    # A form may have trimmed the empty cells at the very end.
    ragged = any(len(cells) != width for _, cells in rows[:-1]) or len(rows[-1][1]) > width
    with_at = {i for _, cells in rows for i, cell in enumerate(cells) if "@" in cell}
    if width < 2 or ragged or len(with_at) != 1:
        return None
    if delimiter != "\t" and len(rows) < 2:
        return None  # "ana@x.org, please" is no table
    (address,) = with_at
    column = [cells[address] for _, cells in rows if len(cells) > address]
    if sum("@" in cell for cell in column) * 2 < len(rows):
        return None
    role = next((i for i in range(width) if _are_role_keys(rows, i)), None)
    return tuple(_row(row, [address], role, width, delimiter) for row in rows)


def _are_role_keys(rows: list[tuple[int, list[str]]], column: int) -> bool:
    cells = [cells[column].strip() for _, cells in rows if len(cells) > column]
    return any(cells) and all(_ROLE_KEY.fullmatch(cell) for cell in cells if cell)


def _row(
    row: tuple[int, list[str]],
    addresses: Container[int],
    role: int | None,
    width: int,
    delimiter: str,
) -> Row:
    line, cells = row
    if any(cell.strip() for cell in cells[width:]):
        # Longer than its header: which cell is which cannot be told, so all of them are looked at.
        addresses, role = range(len(cells)), None
    found = []
    here = line
    for i, cell in enumerate(cells):
        if i in addresses and cell.strip():
            found.append(Cell(cell, here))
        here += len(_NEWLINE.findall(cell))
    if any("@" in cell for cell in cells) and not any("@" in cell.text for cell in found):
        # The cells have shifted, it seems: the whole row has to be looked at.
        found, role = [], None
    whole = delimiter.join(cells)
    return Row(
        line=line,
        text=whole.strip(delimiter + " \t\r\n") or whole.strip(),
        cells=tuple(found),
        role=cells[role].strip()[:MAX_ROLE_LENGTH].strip()
        if role is not None and role < len(cells)
        else "",
    )
