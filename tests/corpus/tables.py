"""Tables of people as programs export them and as people keep them, and what is meant in each.

A stream of files, made from a seed alone: `tables(seed, count)`, or one of them, `table(seed,
number)`. They are written from what is known of the programs (table_programs.py), of languages
(table_words.toml) and of what people do to their tables (table_quirks.py); nothing here knows how
the app reads them, and nothing of the app is imported. So what both have wrong shows.

Each `Table` has the bytes of a file and its name, its facets (program, language, quirks, encoding,
separator, newline), and its `Meaning`, of one of three kinds:

``READ``
    There are people to invite: `Meaning.people`, in the order of the file.
``ASK``
    Each row has two people with an address each (student and parent, employee and manager). The
    owner must be asked which: `Meaning.choices`, the people of each column. Nobody may be invited
    before that.
``REFUSE``
    There is nobody to invite, or it cannot be known who: a workbook of old Excel, a PDF, a table
    without addresses, addresses in an encoding that nothing tells. Nobody may be invited, no choice
    offered, and the person is told in words.

How a reader is compared, which `disagreements` does when it is given what was read as a `Reading`:

* *Addresses* are compared by `address_key`: without regard to small and large letters (Clerk's
  addresses have none), and with the domain as IDNA or in its letters.
* *Altered*: nothing may be invited or offered as a choice that does not stand in the file
  (`Table.written`), whatever the kind.
* *Doubled*: no address may be invited twice. A person marked `repeated` stands in the file again,
  and is to be left out or said to be typed twice.
* *Lost*: everyone else in `people` must be invited, in order, with these exceptions:
  `refused_role`: the role's text is no role of the organization while others of the column are.
  They must be refused for their role alone.
  `or_offered`: the address is not certain (a sign-in name need not be a mailbox; it stands in a
  display name only; Google's ``:::`` puts two of one person into a cell), so that offering it is as
  good as inviting it.
  `others`: more addresses stand in the same cell. Whether of the same person or of others cannot be
  known: the first alone, all of them, or a refusal that offers all of them are right.
* *Nobody else* may be invited: not the address of a manager in a column beside, nor the group's
  own, nor a second address of the same person. Whom `rows` calls ``nobody`` has no address.
* *Role*: `Person.role` is the key of a role, or None for the one chosen in the form. With
  `Meaning.roles` ``none fits`` that is so for all and is to be said once. Where `roles_are_open`,
  the heading does not say that roles are meant: to take the column and to leave it are both right,
  and a refused role may also be invited with the form's role.
* `Meaning.rows` tells what each record is (a title, blank, a total, ...); blank lines count, and
  so does ``sep=;``. Titles, totals, notes and blank rows are to be summed up, not refused cell by
  cell; how often they are named is not compared.
* *Names* are not compared. `Meaning.sure` is False where letters other than ASCII stand in a code
  page that no heading tells. Then a refusal of the whole file, in words, is right as well,
  unless it is read as it is meant; anything else is not.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.corpus.table_programs import PROGRAMS, Order, RoleNames
from tests.corpus.table_quirks import ADDRESS, QUIRKS, all_idn, heading_only, without_addresses
from tests.corpus.table_sheets import Kind, Meant, Roles, Row, Saved, Sheet
from tests.corpus.table_words import LANGUAGES, Language, People

#: The roles of an organization as Clerk makes it.
ROLES: RoleNames = {"org:admin": ("Admin",), "org:member": ("Member",)}

#: Encodings of a table whose name is not that of the codec.
_CODECS = {"utf-16-be-marked": "utf-16"}
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
NEWLINES = {"\r\n": "crlf", "\n": "lf", "\r": "cr"}


class MeaningKind(StrEnum):
    READ = "read"
    ASK = "ask"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Person:
    """Someone to be invited. Records and columns are counted from 0, lines from 1."""

    record: int
    line: int
    column: int
    address: str
    role: str | None = None
    refused_role: str = ""
    others: tuple[str, ...] = ()
    or_offered: bool = False
    repeated: bool = False


@dataclass(frozen=True)
class Meaning:
    kind: MeaningKind
    people: tuple[Person, ...] = ()
    #: With ``ASK``: the people of each of the two columns, and the columns' headings.
    choices: tuple[tuple[Person, ...], ...] = ()
    choice_headings: tuple[str, ...] = ()
    rows: tuple[Kind, ...] = ()
    roles: Roles = Roles.ABSENT
    role_heading: str = ""
    roles_are_open: bool = False
    sure: bool = True


@dataclass(frozen=True)
class Facets:
    """What a table is a case of."""

    program: str
    #: Of its names and notes, and of its headings where the program has that language.
    language: str
    quirks: tuple[str, ...]
    encoding: str
    separator: str
    newline: str

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Each facet with its value; a table with no quirk is ``plain``."""
        yield "program", self.program
        yield "language", self.language
        for quirk in self.quirks or ("plain",):
            yield "quirk", quirk
        yield "encoding", self.encoding
        yield "separator", self.separator
        yield "newline", self.newline


@dataclass(frozen=True)
class Table:
    number: int
    filename: str
    content: bytes
    facets: Facets
    meaning: Meaning
    #: The keys of all addresses that stand in the file, whoever's they are.
    written: frozenset[str]

    def __str__(self) -> str:
        quirks = "+".join(self.facets.quirks) or "plain"
        return (
            f"table {self.number}: {self.facets.program} {self.facets.language} {quirks} "
            f"{self.facets.encoding} {self.facets.separator}"
        )

    @property
    def codec(self) -> str:
        """What Python calls its encoding."""
        return _CODECS.get(self.facets.encoding, self.facets.encoding)


@dataclass(frozen=True)
class Reading:
    """What a reader made of a table."""

    #: Address and role's key of all that can be invited as they are, in order.
    invited: tuple[tuple[str, str | None], ...] = ()
    #: The addresses of entries refused for nothing but their role.
    refused_for_role: frozenset[str] = frozenset()
    #: The addresses that refusals offer instead.
    offered: frozenset[str] = frozenset()
    #: Where the owner is asked which column is meant: the addresses of each.
    choices: tuple[tuple[str, ...], ...] = ()
    #: Was nothing found to invite or to ask about, and that said in words?
    refused: bool = False


def address_key(address: str) -> str:
    """What makes two addresses the same: small letters, the domain as IDNA."""
    local, _, domain = address.casefold().rpartition("@")
    if not domain.isascii():
        domain = domain.encode("idna").decode("ascii")
    return f"{local}@{domain}"


def tables(seed: int, count: int, roles: RoleNames = ROLES) -> Iterator[Table]:
    """The first `count` tables of the stream that belongs to `seed`."""
    return (table(seed, number, roles) for number in range(count))


def table(seed: int, number: int, roles: RoleNames = ROLES) -> Table:
    """One table of the stream, without the ones before it."""
    rng = random.Random(f"{seed}/{number}")
    name = rng.choices(list(PROGRAMS), [program.weight for program in PROGRAMS.values()])[0]
    language = LANGUAGES[rng.choice(list(LANGUAGES))]
    count = rng.choices((rng.randint(1, 3), rng.randint(3, 12), rng.randint(30, 60)), (2, 7, 1))[0]
    order = Order(rng, language, People(rng, language), count, roles)
    if rng.random() < 0.04:
        return _refused(order, number)
    sheet = PROGRAMS[name].write(order)
    _change(sheet, rng)
    return _written(sheet, _way(sheet, rng), rng, number)


def _change(sheet: Sheet, rng: random.Random) -> None:
    wanted = rng.choices((0, 1, 2, 3), (25, 40, 25, 10))[0]
    open_to = {
        name: quirk
        for name, quirk in QUIRKS.items()
        if (quirk.to_two or not sheet.choices) and name not in sheet.quirks
    }
    names: list[str] = []
    while len(names) < wanted:
        drawn = rng.choices(list(open_to), [quirk.weight for quirk in open_to.values()])[0]
        if drawn not in names:
            names.append(drawn)
    for name, quirk in QUIRKS.items():
        if name in names and quirk.change(sheet, rng):
            sheet.quirks.append(name)


def _way(sheet: Sheet, rng: random.Random) -> Saved:
    """As its program writes it; or as it was opened and saved again."""
    if rng.random() < 0.6:
        return rng.choice(sheet.saved)
    page, separator = sheet.language.code_page, sheet.language.separator
    return rng.choice(
        (
            Saved(page, separator),
            Saved(page, separator),
            Saved("utf-8-sig", separator),
            Saved("utf-16", "\t"),
            Saved("utf-16", separator),
            Saved("utf-16-be-marked", "\t", "\n"),
            Saved("utf-16-le", rng.choice(",;\t"), rng.choice(("\r\n", "\n"))),
            Saved("utf-16-be", rng.choice(",;\t"), "\n"),
            Saved("utf-8", separator, "\r"),
            Saved(page, separator, "\r"),
            Saved("utf-8", "|", "\n"),
            Saved(page, "|"),
            Saved("utf-8", "\t", "\n"),
            Saved("utf-8", rng.choice(",;"), "\n", quote_all=True),
        )
    )


def _written(sheet: Sheet, saved: Saved, rng: random.Random, number: int) -> Table:
    """The sheet as a file, and what is meant in it."""
    lines = [_line(row, saved) for row in sheet.rows]
    kinds = [row.kind for row in sheet.rows]
    meant = [row.meant for row in sheet.rows]
    if saved.separator != "\t" and rng.random() < 0.04:
        lines.insert(0, f"sep={saved.separator}{saved.newline}")
        kinds.insert(0, Kind.ABOUT)
        meant.insert(0, [])
        sheet.quirks.append("sep_line")
    if lines and rng.random() < 0.08 and lines[-1].strip(saved.newline):
        lines[-1] = lines[-1].removesuffix(saved.newline)
        sheet.quirks.append("no_final_newline")
    text = "".join(lines)

    people: list[list[Person]] = [[] for _ in sheet.choices or ("all",)]
    seen: list[set[str]] = [set() for _ in people]
    line_number = 1
    for record, (line, ones) in enumerate(zip(lines, meant, strict=True)):
        for one in ones:
            people[one.choice].append(_person(one, record, line_number, seen[one.choice]))
        line_number += _line_ends(line)
    headings = "".join(cell for row in sheet.rows if row.kind is Kind.HEADING for cell in row.cells)
    kind = MeaningKind.ASK if sheet.choices else MeaningKind.READ
    if not any(people):
        kind = MeaningKind.REFUSE
    meaning = Meaning(
        kind,
        tuple(people[0]) if kind is MeaningKind.READ else (),
        tuple(map(tuple, people)) if kind is MeaningKind.ASK else (),
        sheet.choices,
        tuple(kinds),
        sheet.roles,
        sheet.role_heading,
        sheet.roles_are_open,
        _is_told(text, headings, saved.encoding),
    )
    return Table(
        number,
        sheet.filename,
        _encode(text, saved.encoding),
        _facets(sheet, saved),
        meaning,
        frozenset(map(address_key, ADDRESS.findall(text))),
    )


def _is_told(text: str, headings: str, encoding: str) -> bool:
    """Do the headings tell in which encoding the text is, as far as it matters to the text?

    The letters of a heading do, in a language that is known; but not those which Western Windows
    reads alike, where others in the text are not.
    """
    if encoding.startswith("utf") or text.isascii():
        return True
    if encoding == "cp1252":
        return not headings.isascii()

    def as_western(of: str) -> str:
        return of.encode(encoding).decode("cp1252", errors="replace")

    return as_western(headings) != headings or as_western(text) == text


def _line(row: Row, saved: Saved) -> str:
    """A record as text. A record of one empty cell is not told from a blank line."""
    if not any(row.cells) and len(row.cells) < 2:
        return saved.newline
    out = io.StringIO()
    writer = csv.writer(
        out,
        delimiter=saved.separator,
        quoting=csv.QUOTE_ALL if saved.quote_all else csv.QUOTE_MINIMAL,
        lineterminator="\r\n",  # so that any newline in a cell is quoted
    )
    writer.writerow(row.cells)
    return out.getvalue().removesuffix("\r\n") + saved.newline


def _line_ends(text: str) -> int:
    return len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")) - 1


def _person(meant: Meant, record: int, line: int, seen: set[str]) -> Person:
    key = address_key(meant.address)
    repeated = key in seen
    seen |= {key, *map(address_key, meant.others)}
    return Person(
        record,
        line,
        meant.column,
        meant.address,
        meant.role,
        meant.refused_role,
        meant.others,
        meant.or_offered,
        repeated,
    )


def _encode(text: str, encoding: str) -> bytes:
    if encoding == "utf-16-be-marked":
        return b"\xfe\xff" + text.encode("utf-16-be")
    if encoding == "utf-16":  # whatever the machine's order
        return b"\xff\xfe" + text.encode("utf-16-le")
    return text.encode(encoding)


def _facets(sheet: Sheet, saved: Saved) -> Facets:
    return Facets(
        sheet.program,
        sheet.language.code,
        tuple(dict.fromkeys(sheet.quirks)),
        saved.encoding,
        SEPARATORS[saved.separator],
        NEWLINES[saved.newline],
    )


#: What is no text, by its first bytes: a workbook of Excel before 2007, a PDF.
_NO_TEXT = {
    "old_excel_file": ("members.xls", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504)),
    "pdf_file": ("members.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\n"),
}
#: Languages whose letters in a domain are other bytes in the code page of DOS.
_DOS = ("de", "fr", "es", "sv", "fi")


def _refused(order: Order, number: int) -> Table:
    rng = order.rng
    why = rng.choice(
        ("old_excel_file", "pdf_file", "without_addresses", "heading_only", "dos_code_page")
    )
    if why in _NO_TEXT:
        filename, content = _NO_TEXT[why]
        tail = rng.randbytes(256) if why == "old_excel_file" else b"%%EOF\n"
        facets = Facets("none", order.language.code, (why,), "none", "none", "none")
        meaning = Meaning(MeaningKind.REFUSE)
        return Table(number, filename, content + tail, facets, meaning, frozenset())
    if why == "dos_code_page":
        language: Language = LANGUAGES[rng.choice(_DOS)]
        order = Order(rng, language, People(rng, language), order.count, order.roles)
        sheet = PROGRAMS["hand_made"].write(order)
        all_idn(sheet)
        saved = Saved("cp850", ";")
    else:
        sheet = PROGRAMS["hand_made"].write(order)
        {"without_addresses": without_addresses, "heading_only": heading_only}[why](sheet)
        saved = _way(sheet, rng)
    for row in sheet.rows:
        row.meant = []
    sheet.quirks = [why]
    sheet.roles, sheet.role_heading = Roles.ABSENT, ""
    return _written(sheet, saved, rng, number)


def disagreements(table: Table, reading: Reading) -> list[str]:
    """What was not read as it is meant; empty where all was. See the module for the rules."""
    meaning = table.meaning
    invited = [address_key(address) for address, _ in reading.invited]
    chosen = [[address_key(address) for address in choice] for choice in reading.choices]
    found = [
        f"altered: {key}"
        for key in [*invited, *(key for choice in chosen for key in choice)]
        if key not in table.written
    ]
    found += [f"doubled: {key}" for key in dict.fromkeys(invited) if invited.count(key) > 1]
    if found:
        return found
    told_only = reading.refused and not invited and not chosen
    if told_only and (meaning.kind is MeaningKind.REFUSE or not meaning.sure):
        return []
    if meaning.kind is MeaningKind.REFUSE:
        return [f"not meant: {key}" for key in invited] or ["not refused"]
    if meaning.kind is MeaningKind.ASK:
        if invited:
            return ["invited without asking"]
        wanted = sorted(_keys(choice) for choice in meaning.choices)
        return [] if sorted(chosen) == wanted else ["not asked about these columns"]
    if chosen:
        return ["asked without need"]
    return _disagreements_of_people(meaning, reading)


def _keys(people: Iterable[Person]) -> list[str]:
    return [address_key(person.address) for person in people if not person.repeated]


def _disagreements_of_people(meaning: Meaning, reading: Reading) -> list[str]:
    roles = {address_key(address): role for address, role in reading.invited}
    offered = set(map(address_key, reading.offered))
    refused = set(map(address_key, reading.refused_for_role))
    allowed: set[str] = set()
    order: list[str] = []
    found: list[str] = []
    for person in meaning.people:
        if person.repeated:
            continue
        key = address_key(person.address)
        all_keys = [key, *map(address_key, person.others)]
        allowed.update(all_keys)
        order.append(key)
        if key in roles:
            found += _disagreements_of_role(meaning, person, roles[key])
        elif person.refused_role:
            found += [] if key in refused else [f"lost: {key}, refused for its role"]
        elif not ((person.or_offered or person.others) and offered.issuperset(all_keys)):
            found.append(f"lost: {key}")
    found += [f"not meant: {key}" for key in roles if key not in allowed]
    read = [key for key in roles if key in order]
    if read != [key for key in order if key in roles]:
        found.append("in another order")
    return found


def _disagreements_of_role(meaning: Meaning, person: Person, role: str | None) -> list[str]:
    right = {None} if person.refused_role else {person.role}
    if meaning.roles_are_open:
        right.add(None)
    elif person.refused_role:
        return [f"role: {person.address} has the text {person.refused_role!r}"]
    return [] if role in right else [f"role: {person.address} as {role}, not {person.role}"]
