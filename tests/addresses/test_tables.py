"""Tables and files: which cells hold addresses, and which the role."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from org_invitations.addresses import (
    MAX_FILE_BYTES,
    Entry,
    FileTooLarge,
    Refusal,
    UnreadableFile,
    parse_file,
    parse_text,
    read_file,
    read_text,
)
from tests.corpus.files import FILES, NO_TEXT
from tests.effort import assert_grows_with


def shown(entries: tuple[Entry, ...]) -> str:
    return "\n".join(
        f"{e.line} {e.email_address or '-'} {e.role} {e.refusal or ''}".rstrip() for e in entries
    )


def test_a_file_is_read_as_it_was_meant(subtests: pytest.Subtests) -> None:
    for file in FILES:
        with subtests.test(file=file):
            assert shown(parse_file(file.content)) == file.expected


def test_the_corpus_is_worth_the_name() -> None:
    assert len(FILES) >= 30
    assert len({file.name for file in FILES}) == len(FILES)


def test_what_is_no_text_is_not_guessed_at(subtests: pytest.Subtests) -> None:
    for content in NO_TEXT.values():
        with subtests.test(content=content), pytest.raises(UnreadableFile):
            parse_file(content)


def test_a_file_of_five_megabytes_is_the_largest() -> None:
    assert parse_file(b"a" * MAX_FILE_BYTES)[0].refusal is Refusal.NOT_AN_ADDRESS
    with pytest.raises(FileTooLarge):
        parse_file(b"a" * (MAX_FILE_BYTES + 1))


def test_an_email_column_has_many_names(subtests: pytest.Subtests) -> None:
    for header in [
        *["email", "E-Mail", "e-mail address", "Email Address", "EMAIL:", "mail", "E-mails"],
        *["E-Mail-Adresse", "Mailadresse", "Adresse e-mail", "Courriel", "Adresse électronique"],
        *["Correo electrónico", "Correo", "Indirizzo e-mail", "Posta elettronica"],
        *["E-mailadres", "E-postadress", "Endereço de e-mail", "Sähköposti", "E-posta adresi"],
        *["Adres e-mail", "Электронная почта", "メールアドレス", "邮箱", "이메일", '"Email"'],
    ]:
        with subtests.test(header=header):
            (entry,) = parse_text(f"x\t{header}\nAna\tana@x.org")
            assert (entry.email_address, entry.line) == ("ana@x.org", 2)
            (alone,) = parse_text(f"{header}\nana@x.org")
            assert (alone.email_address, alone.line) == ("ana@x.org", 2)


def test_so_has_a_role_column(subtests: pytest.Subtests) -> None:
    for header in [
        "role",
        "Role",
        "ROLES",
        "Rolle",
        "Rôle",
        "rol",
        "Ruolo",
        "Role key",
        "役割",
        "роль",
    ]:
        with subtests.test(header=header):
            (entry,) = parse_text(f"{header};email\n org:admin ;ana@x.org")
            assert entry.role == "org:admin"


@pytest.mark.parametrize("header", ["E-mail Type", "Email sent", "Mailing list"])
def test_not_every_header_with_mail_in_it_is_one(header: str) -> None:
    assert not read_text(f"{header}\tx\nAna\tana").is_table


def test_a_row_without_an_address_comes_back_whole() -> None:
    entries = parse_text("Name\tEmail\tRole\nAna Doe\t\tAdmin\n")
    assert entries == (Entry("Ana Doe", 2, role="Admin", refusal=Refusal.NO_ADDRESS),)


def test_a_pasted_range_without_a_header_is_a_table() -> None:
    entries = parse_text("Ana\tana@x.org\torg:admin\nBo\tbo@x.org\torg:member\nCy\t\t\n")
    assert shown(entries) == "1 ana@x.org org:admin\n2 bo@x.org org:member\n3 -  no-address"
    assert entries[2].text == "Cy"


def test_addresses_in_several_columns_are_no_table_but_all_found() -> None:
    entries = parse_text("a@x.org\tb@x.org\nc@x.org\t\n")
    assert [e.email_address for e in entries] == ["a@x.org", "b@x.org", "c@x.org"]


@pytest.mark.parametrize(
    "text",
    [
        "Ana\tana@x.org\nBo",  # trimmed by the form
        "Ana\tana@x.org\t\nBo\tbo@x.org",
    ],
)
def test_the_last_row_may_be_shorter(text: str) -> None:
    assert read_text(text).is_table


def test_a_file_without_a_heading_may_end_in_a_note_and_its_rows_early(
    subtests: pytest.Subtests,
) -> None:
    for rows in [
        "admin;Ana;ana@x.org;1\nadmin;Bo;bo@x.org;;\n\n* as of May\n",
        "Ana\tana@x.org\tadmin\tB\tC, Inc.\nBo\tbo@x.org\tadmin\tB\nCy\tcy@x.org\tadmin\n",
        "Ana\tadmin\tana@x.org\n\n* as of May\n",
    ]:
        with subtests.test(rows=rows):
            entries = read_file(rows.encode(), is_role=lambda word: word == "admin").entries
            assert {(entry.role, entry.refusal) for entry in entries} == {("admin", None)}


def test_two_addresses_in_a_cell_below_an_empty_row_are_somebody() -> None:
    file = b"note;email\n;ana@x.org\n;\n;bo@x.org / bo@y.org\n\n;Made by Cy Doe, cy@x.org\n"
    assert shown(parse_file(file)) == "2 ana@x.org\n4 bo@x.org\n4 bo@y.org"


def test_tabs_alone_make_no_table(subtests: pytest.Subtests) -> None:
    for text in ["Hello\tana@x.org\nbo\tis\tcoming", "a\tb", "\t", "", "a\tana@x.org\nb\tc\nd\te"]:
        with subtests.test(text=text):
            assert not read_text(text).is_table


def test_commas_make_a_table_of_a_paste_where_every_line_is_a_row() -> None:
    table = read_text("Ana,ana@x.org\nBo,bo@x.org")
    assert [e.text for e in table.entries] == ["ana@x.org", "bo@x.org"]
    assert [e.text for e in parse_text("Ana,ana@x.org\nBo bo@x.org")] == [
        "Ana", "ana@x.org", "Bo", "bo@x.org",
    ]  # fmt: skip


def test_a_cell_larger_than_csv_allows_loses_nothing() -> None:
    entries = parse_text(f"email,x\n{'a' * 200_000},y\nana@x.org,z")
    assert [len(e.text) for e in entries] == [200_000, 9]


def test_a_cell_of_separators_loses_no_row() -> None:
    assert [e.text for e in parse_text('email\tx\n;\ty\n\t","\n')] == [";, y", ","]


def test_a_line_below_the_heading_is_no_row() -> None:
    table = "| Name | Email |\n|---|:--|\n| Ana | ana@x.org |\n| -- | |\n"
    assert [e.email_address for e in parse_text(table)] == ["ana@x.org", ""]


def test_a_line_that_names_no_delimiter_is_a_line_like_any_other(subtests: pytest.Subtests) -> None:
    for end in ["\n", "\r\n", "\r"]:
        for line in ["sep=", 'sep="', 'sep=""', '"sep=""']:
            with subtests.test(line=line, end=end):
                # Since Python 3.13 csv raises a ValueError for such a delimiter.
                assert [e.text for e in parse_text(f"{line}{end}ana@x.org")] == [line, "ana@x.org"]


def test_no_row_and_no_address_of_one_is_ever_lost() -> None:
    chance = random.Random(20261101)
    cells = ["", " ", "Ana", "ana@x.org", "<bo@x.org>", "a@b@c", "x;y", 'q"q', "a\nb", "-", "ü"]
    for _ in range(2_000):
        delimiter = chance.choice("\t;,|")
        width = chance.randint(2, 4)
        rows = [[chance.choice(cells) for _ in range(width)] for _ in range(chance.randint(1, 6))]
        quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in rows]
        head = ["email", *"abc"][:width]
        text = "\r\n".join(delimiter.join(row) for row in [head, *quoted])
        reading = read_text(text)
        asked = reading.question.rows if reading.question else ()
        found = [letters(" ".join((e.text, *e.offers))) for e in reading.entries]
        found += [letters(cell) for row in asked for cell in row.cells]
        for row in rows:
            own = row[0] if "@" in row[0] else "".join(row)
            for address in ("ana@x.org", "bo@x.org"):
                assert address not in own or any(letters(address) in text for text in found), text
        noted = sum(note.last_line - note.first_line + 1 for note in reading.notes)
        filled = sum(any(map(str.strip, row)) for row in rows)
        assert len(reading.entries) + noted >= filled, text


def letters(text: str) -> str:
    return "".join(char for char in text if char.isalnum() or char == "@")


def test_ten_times_the_rows_are_ten_times_the_work() -> None:
    def rows(count: int) -> Callable[[], object]:
        rows = "".join(f'"Doe, {i}",ana{i}@example.org,Admin\r\n' for i in range(count))
        content = f"name,email,role\r\n{rows}".encode()
        entries = parse_file(content)
        assert len(entries) == count
        address = f"ana{count - 1}@example.org"
        assert entries[-1] == Entry(address, count + 1, address, "Admin")
        return lambda: parse_file(content)

    assert_grows_with(rows, few=200, many=2_000)
