"""What people do to a table before it is sent, and what some programs do to theirs.

Each quirk changes a sheet, or says that it does not fit it. It knows what it changes, so that who
is meant stays right.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace

from tests.corpus.table_sheets import Kind, Roles, Row, Sheet

#: An address as it stands in a text. Its domain has a dot.
ADDRESS = re.compile(r"[\w.+'#-]+@[\w-]+(?:\.[\w-]+)+")


def _plain_rows(sheet: Sheet) -> list[Row]:
    """The rows of one person whose cell is the address and nothing else."""
    return [
        row
        for row in sheet.people
        if len(row.meant) == 1 and row.cells[row.meant[0].column] == row.meant[0].address
    ]


def _some(rng: random.Random, rows: list[Row]) -> list[Row]:
    """One at least, in order."""
    if not rows:
        return []
    return [row for row in rows if rng.random() < 0.5] or [rng.choice(rows)]


def _rewrite(sheet: Sheet, old: str, new: str) -> None:
    """An address becomes another one wherever it stands."""
    pattern = re.compile(rf"(?<![\w.+'#-]){re.escape(old)}(?![\w-])")
    for row in sheet.rows:
        row.cells = [pattern.sub(lambda _: new, cell) for cell in row.cells]
        row.meant = [
            replace(
                meant,
                address=new if meant.address == old else meant.address,
                others=tuple(new if other == old else other for other in meant.others),
            )
            for meant in row.meant
        ]


def upper_case(sheet: Sheet, rng: random.Random) -> bool:
    """The same address, in other letters."""
    change = rng.choice((str.upper, str.title))
    changed = _some(rng, _plain_rows(sheet))
    for row in changed:
        meant = row.meant[0]
        if not meant.address.isascii():  # large letters of some scripts have no way back
            return False
        meant.address = row.cells[meant.column] = change(meant.address)
    return bool(changed)


def idn_domain(sheet: Sheet, rng: random.Random) -> bool:
    rows = _some(rng, _plain_rows(sheet))
    for row in rows:
        old = row.meant[0].address
        _rewrite(sheet, old, f"{old.partition('@')[0]}@{sheet.language.idn}")
    return bool(rows)


def unusual_local_part(sheet: Sheet, rng: random.Random) -> bool:
    rows = _some(rng, _plain_rows(sheet))
    for row in rows:
        old = row.meant[0].address
        local, _, domain = old.partition("@")
        shape = rng.choice(("{0}+club", "o'{0}", "{0}_x", "{0}-2026", "{0}.a.b", "1{0}"))
        _rewrite(sheet, old, f"{shape.format(local)}@{domain}")
    return bool(rows)


def name_and_address(sheet: Sheet, rng: random.Random) -> bool:
    shape = rng.choice(("{0} <{1}>", '"{0}" <{1}>', "{0}, MSc <{1}>", "'{0}' <{1}>"))
    rows = _plain_rows(sheet)
    for row in rows:
        address = row.meant[0].address
        row.cells[row.meant[0].column] = shape.format(row.name, address)
    return bool(rows)


def mailto(sheet: Sheet, rng: random.Random) -> bool:
    shape = rng.choice(("mailto:{0}", "<{0}>", "mailto:{0}"))
    rows = _plain_rows(sheet)
    for row in rows:
        row.cells[row.meant[0].column] = shape.format(row.meant[0].address)
    return bool(rows)


def several_in_cell(sheet: Sheet, rng: random.Random) -> bool:
    """Whether one person twice or two people, nobody can know."""
    rows = _some(rng, _plain_rows(sheet))[:2] if sheet.program == "hand_made" else []
    for row in rows:
        meant = row.meant[0]
        local, _, domain = meant.address.partition("@")
        other = f"{local}.2@{domain}" if rng.random() < 0.5 else f"{local}@other.example.org"
        meant.others = (other,)
        between = rng.choice(("; ", ", ", " / ", "\n", " "))
        row.cells[meant.column] = f"{meant.address}{between}{other}"
    return bool(rows)


def padded_cells(sheet: Sheet, rng: random.Random) -> bool:
    blank = rng.choice((" ", "  ", "\u00a0"))
    if blank == "\u00a0" and not sheet.language.code_page.startswith("cp12"):
        blank = " "  # the code pages of the East have none
    for row in sheet.rows:
        if row.kind in {Kind.HEADING, Kind.PERSON}:
            row.cells = [f"{cell}{blank}" if cell else cell for cell in row.cells]
    return True


def other_separator_inside(sheet: Sheet, rng: random.Random) -> bool:
    rows = _some(rng, sheet.people)
    if not sheet.free or not rows:
        return False
    for row in rows:
        row.cells[rng.choice(sheet.free)] = rng.choice(
            ("Acme, Inc.; North", "tea, coffee", "a;b;c", "1|2", 'the "old" one, x')
        )
    return True


def quoted_newlines(sheet: Sheet, rng: random.Random) -> bool:
    rows = _some(rng, sheet.people)
    if not sheet.free or not rows:
        return False
    for row in rows:
        note = rng.choice(sheet.language.notes)
        row.cells[rng.choice(sheet.free)] = f"{note}\n{rng.choice(('', '- '))}2026"
    return True


def _only_here(sheet: Sheet) -> list[Row]:
    """Rows with one address, which stands nowhere else: without it, there is nobody."""
    cells = [cell for row in sheet.rows for cell in row.cells]
    # The last one with a role of the organization tells what the column is.
    kept = next((row for row in sheet.people if row.meant[0].role), None)
    return [
        row
        for row in _plain_rows(sheet)
        if row is not kept
        and sum("@" in cell for cell in row.cells) == 1
        and cells.count(row.meant[0].address) == 1
        and len(row.cells) > 1
    ]


def empty_address(sheet: Sheet, rng: random.Random) -> bool:
    rows = _only_here(sheet)
    if len(rows) < 2:
        return False
    filler = rng.choice(("", "", "", "-", "n/a", "?"))
    for row in _some(rng, rows)[:-1] or rows[:1]:
        row.cells[row.meant[0].column] = filler
        row.kind, row.meant = Kind.NOBODY, []
    return True


def broken_address(sheet: Sheet, rng: random.Random) -> bool:
    """What was typed is no address: nobody is invited, and what was typed stays."""
    rows = _only_here(sheet)
    if len(rows) < 2:
        return False
    row = rng.choice(rows)
    local, _, domain = row.meant[0].address.partition("@")
    broken = rng.choice((f"{local}.{domain}", f"{local}@", f"@{domain}", f"{local}@@{domain}"))
    row.cells[row.meant[0].column] = broken
    row.kind, row.meant = Kind.NOBODY, []
    return True


def repeated_address(sheet: Sheet, rng: random.Random) -> bool:
    """The same person's row once more, in a row of its own."""
    rows = [row for row in sheet.people if not row.meant[0].others]
    if not rows:
        return False
    at = sheet.rows.index(rng.choice(rows))
    row = deepcopy(sheet.rows[at])
    meant = row.meant[0]
    if row.cells[meant.column] == meant.address and meant.address.isascii():
        row.cells[meant.column] = meant.address = meant.address.upper()
    place = at + 1
    while place < len(sheet.rows) and sheet.rows[place].kind is Kind.PERSON and rng.random() < 0.6:
        place += 1
    sheet.rows.insert(place, row)
    return True


def duplicate_headings(sheet: Sheet, rng: random.Random) -> bool:
    """Two columns of one name: the second has the same address, or none."""
    if sheet.program != "hand_made" or sheet.rows[0].kind is not Kind.HEADING or sheet.choices:
        return False
    rows = _plain_rows(sheet)
    if not rows or "two_addresses" in sheet.quirks:
        return False
    at = rows[0].meant[0].column
    for row in sheet.rows:
        text = row.cells[at]
        if row.kind is not Kind.HEADING and rng.random() < 0.5:
            text = ""
        row.cells.append(text)
    return True


def no_heading(sheet: Sheet, rng: random.Random) -> bool:
    clashes = {"two_addresses", "mixed_roles", "merged_cells", "numbered", "duplicate_headings"}
    if sheet.program != "hand_made" or clashes & set(sheet.quirks):
        return False
    if sheet.roles is Roles.USED and not all(row.meant[0].role for row in sheet.people):
        return False  # without a heading, a column is one of roles where all of it is
    if sheet.roles is Roles.NONE_FITS:
        sheet.roles = Roles.ABSENT
        sheet.quirks.remove("job_titles_as_roles")
    sheet.role_heading = ""
    del sheet.rows[0]
    return True


def several_tables(sheet: Sheet, rng: random.Random) -> bool:
    """A list for each group, one under the other, each with its heading."""
    if sheet.program != "hand_made" or sheet.rows[0].kind is not Kind.HEADING:
        return False
    if len(sheet.rows) < 4 or "mixed_roles" in sheet.quirks:
        return False  # each of the two would have to have a role of the organization
    at = rng.randrange(2, len(sheet.rows) - 1)
    first, second = sheet.rows[:at], [deepcopy(sheet.rows[0]), *sheet.rows[at:]]
    if rng.random() < 0.4:  # the second with its columns in another order
        order = list(range(len(second[0].cells)))
        rng.shuffle(order)
        for row in second:
            row.cells = [row.cells[column] for column in order]
            row.meant = [replace(one, column=order.index(one.column)) for one in row.meant]
    titles = [Row(Kind.TITLE, [text]) for text in sheet.language.departments[:2]]
    between = [Row(Kind.BLANK, []), titles[1]] if rng.random() < 0.6 else [Row(Kind.BLANK, [])]
    sheet.rows = [*([titles[0]] if len(between) > 1 else []), *first, *between, *second]
    return True


def title_rows(sheet: Sheet, rng: random.Random) -> bool:
    if sheet.rows[0].kind is not Kind.HEADING:
        return False
    titles = rng.sample(sheet.language.titles, rng.randint(1, 3))
    rows = [Row(Kind.TITLE, [title]) for title in titles]
    if rng.random() < 0.3:
        rows.append(Row(Kind.TITLE, [sheet.language.total, "12", "2026"]))
    if rng.random() < 0.5:
        rows.append(Row(Kind.BLANK, []))
    sheet.rows[:0] = _filled_up(sheet, rng, rows)
    return True


def table_name(sheet: Sheet, rng: random.Random) -> bool:
    """Numbers writes the name of the table into the first line."""
    if sheet.rows[0].kind is not Kind.HEADING:
        return False
    sheet.rows[:0] = _filled_up(sheet, rng, [Row(Kind.TITLE, [sheet.language.table])])
    return True


def blank_lines(sheet: Sheet, rng: random.Random) -> bool:
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(sheet.rows))
        sheet.rows[at:at] = _filled_up(sheet, rng, [Row(Kind.BLANK, [])])
    return True


def total_row(sheet: Sheet, rng: random.Random) -> bool:
    number = str(len(sheet.people))
    width = sheet.width
    if width < 2:
        row = Row(Kind.TOTAL, [f"{sheet.language.total}: {number}"])
    else:
        row = Row(Kind.TOTAL, [sheet.language.total, *[""] * (width - 2), number])
        if rng.random() < 0.5:
            row.cells = [sheet.language.total, number, *[""] * (width - 2)]
    if rng.random() < 0.5:
        sheet.rows += _filled_up(sheet, rng, [Row(Kind.BLANK, [])])
    sheet.rows.append(row)
    return True


def notes_at_end(sheet: Sheet, rng: random.Random) -> bool:
    rows = [Row(Kind.BLANK, [])] if rng.random() < 0.6 else []
    rows.append(Row(Kind.NOTE, [f"* {rng.choice(sheet.language.titles)}"]))
    sheet.rows += _filled_up(sheet, rng, rows)
    return True


def trailing_separators(sheet: Sheet, rng: random.Random) -> bool:
    more = rng.randint(1, 5)
    width = sheet.width
    for row in sheet.rows:
        if row.cells or rng.random() < 0.5:
            row.cells += [""] * (width + more - len(row.cells))
    return True


def ragged_rows(sheet: Sheet, rng: random.Random) -> bool:
    """Some rows end with their last filled cell, some go on."""
    changed = False
    for row in sheet.rows:
        if row.kind is Kind.HEADING or rng.random() < 0.4:
            continue
        before = len(row.cells)
        if rng.random() < 0.3 and row.kind is Kind.PERSON:
            row.cells.append("")
        while len(row.cells) > 1 and not row.cells[-1] and rng.random() < 0.9:
            row.cells.pop()
        changed = changed or len(row.cells) != before
    return changed


def _filled_up(sheet: Sheet, rng: random.Random, rows: list[Row]) -> list[Row]:
    """Rows as a spreadsheet writes them: as wide as the table; or as a person types them."""
    if rng.random() < 0.6:
        for row in rows:
            row.cells += [""] * (sheet.width - len(row.cells))
    return rows


@dataclass(frozen=True)
class Quirk:
    change: Callable[[Sheet, random.Random], bool]
    #: May it be done to a table with two columns of addresses of different people?
    to_two: bool = True
    weight: int = 2


#: In the order in which they are done.
QUIRKS = {
    quirk.change.__name__: quirk
    for quirk in (
        Quirk(idn_domain, to_two=False, weight=3),
        Quirk(unusual_local_part, to_two=False),
        Quirk(upper_case, to_two=False),
        Quirk(repeated_address, to_two=False),
        Quirk(empty_address, to_two=False, weight=3),
        Quirk(broken_address, to_two=False, weight=1),
        Quirk(duplicate_headings, to_two=False, weight=4),
        Quirk(name_and_address, to_two=False),
        Quirk(mailto, to_two=False),
        Quirk(several_in_cell, to_two=False, weight=3),
        Quirk(other_separator_inside, weight=3),
        Quirk(quoted_newlines, weight=3),
        Quirk(no_heading, to_two=False, weight=8),
        Quirk(several_tables, to_two=False, weight=6),
        Quirk(padded_cells),
        Quirk(title_rows, weight=4),
        Quirk(table_name),
        Quirk(blank_lines, weight=3),
        Quirk(total_row, weight=3),
        Quirk(notes_at_end),
        Quirk(trailing_separators, weight=3),
        Quirk(ragged_rows, weight=3),
    )
}


def without_addresses(sheet: Sheet) -> None:
    """Names and telephones, and nothing to write to."""
    for row in sheet.rows:
        row.cells = [ADDRESS.sub("", cell) for cell in row.cells]
        if row.kind is Kind.PERSON:
            row.kind, row.meant = Kind.NOBODY, []


def heading_only(sheet: Sheet) -> None:
    sheet.rows = [row for row in sheet.rows if row.kind not in {Kind.PERSON, Kind.NOBODY}]


def all_idn(sheet: Sheet) -> None:
    """Every address under a domain with letters that the encoding alone tells."""
    texts = [cell for row in sheet.rows for cell in row.cells]
    for address in dict.fromkeys(ADDRESS.findall(" ".join(texts))):
        _rewrite(sheet, address, f"{address.partition('@')[0]}@{sheet.language.idn}")
