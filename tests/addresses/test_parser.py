"""One text field takes one address or a thousand. Nothing that is typed into it is lost."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from org_invitations.addresses import (
    INVISIBLE,
    SEPARATORS,
    Entry,
    Refusal,
    TooManyRows,
    parse_file,
    parse_text,
    read_text,
)
from org_invitations.addresses.parser import MAX_TOKENS
from tests.corpus.providers import PROVIDERS
from tests.effort import assert_grows_with

#: In the tables below: what stands for each kind of refusal.
NO, LONG, TWICE = Refusal.NOT_AN_ADDRESS, Refusal.TOO_LONG, Refusal.TWICE


def outcome(entry: Entry) -> object:
    """What a table below says of an entry: its address, or its text and why it is refused."""
    return entry.email_address if entry.refusal is None else (entry.text, entry.refusal)


SEVERAL = {
    "spaces": "a@x.org b@x.org",
    "comma": "a@x.org,b@x.org",
    "comma and space": "a@x.org, b@x.org,",
    "semicolon": "a@x.org;b@x.org;",
    "several": " ,; a@x.org ;,, b@x.org\n\n,",
    "new line": "a@x.org\nb@x.org",
    "CRLF": "a@x.org\r\nb@x.org\r\n",
    "CR": "a@x.org\rb@x.org",
    "tab": "a@x.org\tb@x.org",
    "line separator": "a@x.org\u2028b@x.org",
    "no-break space": "a@x.org\u00a0b@x.org",
    "ideographic space and comma": "a@x.org\u3000\uff0cb@x.org",
    "Arabic comma": "a@x.org\u060c b@x.org",
    "zero-width space": "a@x.org\u200bb@x.org",
    "byte order mark": "\ufeffa@x.org\nb@x.org",
    "direction marks": "\u202aa@x.org\u202c \u200fb@x.org\u200e",
    "isolates": "\u2068a@x.org\u2069, \u2067b@x.org\u2069",
    "within": "a\u200b@x\u00ad.org b@x.\u2060org",
    "controls": "\x00a@x.org \x7fb@x.org\x1b",
    "angles": "<a@x.org><b@x.org>",
    "one pair of angles": "<a@x.org, b@x.org>",
    "one pair of quotes": '"a@x.org, b@x.org"',
    "names": '"Doe, Ana" <a@x.org>; Bo <b@x.org>',
    "names and commas": "Ana Doe <a@x.org>, Bo Roe <b@x.org>",
    "typographic quotes": "\u201ea@x.org\u201c, \u00abb@x.org\u00bb",
    "escaped quotes": r'"Ana \"A\" Doe" <a@x.org>, b@x.org',
    "Outlook's To line": "To: Doe, Ana <a@x.org>; Roe, Bo (Sales, Berlin) <b@x.org>",
    "Outlook without names": "To: a@x.org; b@x.org",
    "Outlook as text": "Ana Doe <a@x.org<mailto:a@x.org>>; b@x.org<mailto:b@x.org>",
    "Outlook's quotes": "'a@x.org' <a@x.org>; 'b@x.org'",
    "Google Calendar's guests": "Ana Doe <a@x.org>,\nb@x.org,\n",
    "calendar, with parentheses": "Ana Doe (a@x.org)\nBo Roe (b@x.org)",
    "old style comments": "a@x.org (Ana Doe)\nb@x.org (Bo, of Sales)",
    "bullets": "\u2022 a@x.org\n* b@x.org",
    "dashes": "- a@x.org\n\u2013 b@x.org",
    "numbers": "1. a@x.org\n2) b@x.org",
    "bars": "a@x.org | b@x.org |",
    "a quoted mail": "> a@x.org\n>> b@x.org",
    "labels": "E-mail: a@x.org\nMail:b@x.org",
    "markdown": "**a@x.org** `b@x.org`",
    "a Sheets column": "Email\na@x.org\n\n\nb@x.org\n",
}  # fmt: skip


def test_two_addresses_are_found_however_they_are_parted(subtests: pytest.Subtests) -> None:
    for text in SEVERAL.values():
        with subtests.test(text=text):
            assert [outcome(entry) for entry in parse_text(text)] == ["a@x.org", "b@x.org"]


def test_one_address_is_what_is_sent(subtests: pytest.Subtests) -> None:
    for text, address in [
        ("ana@x.org", "ana@x.org"),
        ("mailto:ana@x.org?subject=hi", "ana@x.org"),
        ("<MAILTO:ana@x.org>", "ana@x.org"),
        ("mailto:ana%2Btag@x.org", "ana+tag@x.org"),
        ("smtp:ana@x.org", "ana@x.org"),
        ("<ana@x.org>", "ana@x.org"),
        ("< ana@x.org >", "ana@x.org"),
        ("<ana@x.org", "ana@x.org"),
        ("(ana@x.org)", "ana@x.org"),
        ("[ana@x.org]", "ana@x.org"),
        ("ana@x.org.", "ana@x.org"),
        ("ana@x.org...", "ana@x.org"),
        ("ana@x.org:", "ana@x.org"),
        ('"ana@x.org"', "ana@x.org"),
        ("'ana@x.org'", "ana@x.org"),
        ("ana+tag@x.org", "ana+tag@x.org"),
        ("o'neil@x.org", "o'neil@x.org"),
        ("Ana.Doe@X.ORG", "Ana.Doe@x.org"),
        ("_ana@x.org", "_ana@x.org"),
        ("_ana@x.org_", "ana@x.org"),  # in italics
        ("~ana@x.org~", "ana@x.org"),
        ("To:ana@x.org", "ana@x.org"),
        ("E-Mail:ana@x.org", "ana@x.org"),
        ('"ana.doe"@x.org', '"ana.doe"@x.org'),
        ("ana@mail.x.co.uk", "ana@mail.x.co.uk"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@BÜCHER.example", "ana@xn--bcher-kva.example"),
        ("ana@bu\u0308cher.example", "ana@xn--bcher-kva.example"),
        ("ana@XN--BCHER-KVA.example", "ana@xn--bcher-kva.example"),
        ("ana@straße.de", "ana@xn--strae-oqa.de"),  # not strasse.de
        ("ana@例え。テスト", "ana@xn--r8jz45g.xn--zckzah"),
        ("a" * 64 + "@x.org", "a" * 64 + "@x.org"),
        ("a@" + "b" * 60 + ("." + "b" * 60) * 2 + "." + "b" * 60 + ".orgorg", None),
    ]:
        with subtests.test(text=text, address=address):
            (entry,) = parse_text(text)
            assert entry == Entry(text, 1, address or text)


def test_what_is_no_address_is_one_refusal(subtests: pytest.Subtests) -> None:
    for text, suggestion in [
        ("ü@bücher.example", ""),
        ("ana@localhost", ""),
        ("ana@x..org", "ana@x.org"),
        ("a@b@c", ""),
        ("ana@x.org/bo@x.org", ""),
        ("ana at x.org", "ana@x.org"),
        ("ana (at) x.org", "ana@x.org"),
        ("ana @x.org", "ana@x.org"),
        ("ana@ x.org", "ana@x.org"),
        ("ana@acme,com", "ana@acme.com"),
        ("hal@newco,example", "hal@newco.example"),
        ("ana [at] x.org", "ana@x.org"),
        ("ana AT x DOT org", "ana@x.org"),
        ("ana (at) x (dot) org", "ana@x.org"),
        ("ana (arroba) x punto org", "ana@x.org"),
        ("* ana at x.org", "ana@x.org"),
        ("1. ana at x.org", "ana@x.org"),
        ("cy_x.org#EXT#@contoso.onmicrosoft.com", "cy@x.org"),
        ("ana@gmial,com", "ana@gmail.com"),
        ("ana@gmail", "ana@gmail.com"),
        ("ana", ""),
        ("Ana Doe", ""),
        ("Ana <ana>", ""),
        ("Ana <ana@localhost>", ""),
        ("@ana", ""),
        ("ana@", ""),
        ("@", ""),
        ("-----", ""),
        ("<>", ""),
        (".ana@x.org", "ana@x.org"),
        ("ana@-x.org", ""),
        ("ana@x_y.org", ""),
        ("ana@[127.0.0.1]", ""),
        ("https://ana@x.org", "ana@x.org"),
        ("\N{THUMBS UP SIGN}", ""),
        ("\N{THUMBS UP SIGN}@x.org", ""),
        ("ana@\N{THUMBS UP SIGN}.ws", ""),
        ("ana@x.org\N{THUMBS UP SIGN}", "ana@x.org"),
        ("müller@x.org", ""),
        ('"ana doe"@x.org', ""),
        ("Name: Ana", ""),
        ("john:doe@x.org", "doe@x.org"),  # perhaps a slip for john.doe
    ]:
        with subtests.test(text=text, suggestion=suggestion):
            assert parse_text(text) == (Entry(text, 1, refusal=NO, suggestion=suggestion),)


def test_an_address_may_be_too_long(subtests: pytest.Subtests) -> None:
    for text in [
        "a" * 255 + "@x.org",
        "a" * 65 + "@x.org",
        "a@" + "b." * 130 + "org",
        "a" * 64 + "@" + "ü." * 60 + "org",  # too long only once in ASCII
        "a" * 500_000 + "@" + "b" * 499_000 + ".org",
    ]:
        with subtests.test(text=text):
            assert parse_text(text) == (Entry(text, 1, refusal=LONG),)


def test_what_is_said_of_each_piece(subtests: pytest.Subtests) -> None:
    for text, outcomes in [
        ("ana bo@x.org", [("ana", NO), "bo@x.org"]),
        ("bo@x.org ana", ["bo@x.org", ("ana", NO)]),
        (
            "Please invite ana@x.org and bo@x.org",
            [
                ("Please invite", NO),
                "ana@x.org",
                ("and", NO),
                "bo@x.org",
            ],
        ),
        ("ana, bo, cy@x.org", [("ana", NO), ("bo", NO), "cy@x.org"]),
        ("ana, Bo <bo@x.org>", [("ana", NO), "bo@x.org"]),  # no capital: no family name
        ("A, Doe, Ana <ana@x.org>", ["ana@x.org"]),
        ("Smith, John, MD <js@x.org>; 田中, 太郎 <t@x.org>", ["js@x.org", "t@x.org"]),
        ("a, B, C, D <d@x.org>", [("a", NO), "d@x.org"]),
        ("Ana\n<ana@x.org>", [("Ana", NO), "ana@x.org"]),
        ("Ana; <ana@x.org>", [("Ana", NO), "ana@x.org"]),
        ("ana@x.org <bo@x.org>", ["bo@x.org"]),  # a program has put it where the name was missing
        ("ana@x.org, <bo@x.org>", ["ana@x.org", "bo@x.org"]),
        ("<ana@x.org> <bo@x.org>", ["ana@x.org", "bo@x.org"]),
        ("ana@x.org <Sales>", ["ana@x.org"]),
        ("ana@localhost bo@localhost", [("ana@localhost", NO), ("bo@localhost", NO)]),
        ("a@x.org, -, b@x.org", ["a@x.org", ("-", NO), "b@x.org"]),
        ("ana@x.org,com", ["ana@x.org", ("com", NO)]),
        ("<br>ana@x.org<br>", [("<br>", NO), "ana@x.org"]),
        ('=HYPERLINK("mailto:ana@x.org","Ana")', ["ana@x.org"]),
        ("<mailto:ana@x.org|ana@x.org>, <mailto:bo@x.org|Bo Roe>", ["ana@x.org", "bo@x.org"]),
        ("[ana@x.org](mailto:ana@x.org) [Roe, Bo](mailto:bo@x.org)", ["ana@x.org", "bo@x.org"]),
        ('<a href="mailto:ana@x.org">', ["ana@x.org"]),
        ("emailAddress=ana@x.org, CN=Ana Doe, O=Acme", ["ana@x.org"]),
        ("/C=DE/CN=ana/emailAddress=ana@x.org", ["ana@x.org"]),
        ("E=ana@x.org", ["ana@x.org"]),
        ("CN=Ana, O=Acme, emailAddress=ana@x.org, CN=Bo, E=bo@x.org", ["ana@x.org", "bo@x.org"]),
        ('"email": "ana@x.org"', ["ana@x.org"]),
        ("[x] ana@x.org\n- [ ] bo@x.org", ["ana@x.org", "bo@x.org"]),
        ('ADMIN_EMAIL="ana@x.org"', ["ana@x.org"]),
        ("mail=ana@x.org; smtp:bo@x.org", ["ana@x.org", "bo@x.org"]),
        ("boss=ana@x.org", [("boss=ana@x.org", NO)]),
        ("_=ana@x.org", [("_=ana@x.org", NO)]),
        (
            "Email\nboss=ana@x.org\n_=0@x.org\nmail=1@x.org",
            [
                ("boss=ana@x.org", NO),
                ("_=0@x.org", NO),
                "1@x.org",
            ],
        ),
        ("bounce+ana=x.org@lists.example", ["bounce+ana=x.org@lists.example"]),
        ("ATTENDEE;CN=Ana;RSVP=TRUE:mailto:ana@x.org", ["ana@x.org"]),
        ("item1.EMAIL;type=INTERNET;type=pref:ana@x.org", ["ana@x.org"]),
        ("hal@newco,example", [("hal@newco,example", NO)]),
        ("Ana@X.ORG\nana@x.org", ["Ana@x.org", ("ana@x.org", TWICE)]),
        ("Email\n", []),
        (" \t\r\n,;\u200b\ufeff", []),
        ("", []),
    ]:
        with subtests.test(text=text, outcomes=outcomes):
            assert [outcome(entry) for entry in parse_text(text)] == outcomes


def test_a_likely_slip_is_a_warning_and_no_refusal() -> None:
    assert parse_text("ana@gmial.com") == (
        Entry("ana@gmial.com", 1, "ana@gmial.com", suggestion="ana@gmail.com"),
    )


def test_typed_twice_names_the_line_of_the_first() -> None:
    entries = parse_text("bo@x.org\n\nAna@x.org\nAna <ANA@X.org>\nana@x.org\nbo@x.org")
    assert [(e.line, e.email_address, e.refusal, e.first_line) for e in entries] == [
        (1, "bo@x.org", None, None),
        (3, "Ana@x.org", None, None),
        (4, "ANA@x.org", TWICE, 3),
        (5, "ana@x.org", TWICE, 3),
        (6, "bo@x.org", TWICE, 1),
    ]


def test_a_domain_and_its_ascii_are_the_same_one() -> None:
    assert parse_text("ana@bücher.example ana@xn--bcher-kva.example")[1].refusal is TWICE


def test_what_is_refused_is_not_counted_as_typed() -> None:
    assert [e.refusal for e in parse_text("ana; ana; ana@localhost; ana@localhost")] == [NO] * 4


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\r\r\n"])
def test_lines_count_from_one(newline: str) -> None:
    text = newline.join(["", "a@x.org", "", "b@x.org, c", "\v"])
    assert [entry.line for entry in parse_text(text)] == [2, 4, 4]


def visible(text: str) -> str:
    """All that can be seen and parts nothing."""
    return re.sub(rf"[\s{SEPARATORS}{INVISIBLE}]+", "", text)


def assert_nothing_lost(text: str) -> None:
    """Every visible character comes back in exactly one piece, and all pieces in their order."""
    reading = read_text(text)
    if reading.is_table:
        return  # what is in its other columns is in no entry
    entries = reading.entries
    assert visible("".join(entry.text for entry in entries)) == visible(text)
    seen: dict[str, int] = {}
    lines = re.split("\r{0,2}\n|\r", text)
    for entry in entries:
        assert visible(entry.text)
        assert entry.text == entry.text.strip()
        # It stands on the line it names.
        assert visible(entry.text) in visible(lines[entry.line - 1])
        key = entry.email_address.lower()
        assert bool(key) is (entry.refusal in (None, TWICE))
        assert (entry.refusal is TWICE) is (entry.first_line is not None)
        assert seen.get(key) == entry.first_line
        if key:
            seen.setdefault(key, entry.line)
            # What is sent is found again as it is.
            assert parse_text(entry.email_address)[0].email_address == entry.email_address
        if entry.suggestion:
            assert parse_text(entry.suggestion)[0].refusal is None


PARTS = st.sampled_from(
    [
        "ana@x.org",
        "Bo@Y.example",
        "@",
        "<",
        ">",
        '"',
        "'",
        "(",
        ")",
        "\\",
        ",",
        ";",
        " ",
        "\n",
        "\r",
        "\r\n",
        "Doe",
        "Ana",
        ".",
        "mailto:",
        "To:",
        "1.",
        "-",
        "\u200b",
        "\u202e",
        "\xa0",
        "ü",
        "com",
        "at",
        "a@b,com",
        "[",
        "👍",
        "\u2028",
        "，",
        "ß",
        "\u0600",
        "\x85",
    ]
)


@given(st.one_of(st.lists(PARTS, max_size=25).map("".join), st.text(max_size=60)))
@settings(max_examples=500, deadline=None)
def test_nothing_is_lost_of_any_text(text: str) -> None:
    assert_nothing_lost(text)


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_text_is_too_odd(text: str) -> None:
    assert all(entry.text for entry in parse_text(text))


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_file_is_too_odd(content: bytes) -> None:
    try:
        entries = parse_file(content)
    except ValueError as error:
        assert type(error).__name__ == "UnreadableFile"  # noqa: PT017
    else:
        assert all(entry.text for entry in entries)


def one_paste(chance: random.Random) -> str:
    """Something like what somebody copies out of a mail, a calendar, a sheet or a chat."""
    first = ["Ana", "Bo", "Zoë", "Seán", "李", "Ölaf", "Mary Jane", "O'Neil", "van der Berg"]
    words = ["please", "invite", "and", "cc", "thanks!", "ASAP", "–", "N/A", "Sent:", "foo@", "@bo"]

    def address() -> str:
        local = chance.choice(["ana", "b.o", "c+tag", "Dee", "o'neil", "ü", "x" * 70, "e_f", ""])
        domain = chance.choice([*PROVIDERS, "x.org", "X.ORG.", "localhost", "x..org", "bücher.de"])
        return f"{local}{chance.randint(0, 99)}@{domain}"

    def piece() -> str:
        mail = address()
        name = chance.choice(first)
        return chance.choice(
            [
                mail,
                mail,
                mail,
                f"<{mail}>",
                f"{name} <{mail}>",
                f'"Doe, {name}" <{mail}>',
                f"Doe, {name} <{mail}>",
                f"'{mail}'",
                f"mailto:{mail}?subject=hi",
                f"({mail})",
                f"{mail}.",
                f"{name} ({mail})",
                f"{mail} ({name})",
                f"{mail}<mailto:{mail}>",
                f"\u202a{mail}\u202c",
                f"\u200b{mail}",
                f"• {mail}",
                f"1. {mail}",
                name,
                "👍",
                chance.choice(words),
                mail.replace("@", " at "),
                f"{mail},com",
                f'"{name} {mail}',
            ]
        )

    separators = [", ", "; ", "\n", "\r\n", " ", ",", ";", "\u00a0", "\n\n", " | ", ",\n", "，"]
    usual = chance.choice(separators)
    text = chance.choice(["", "", "To: ", "\ufeff", "Hi,\n"])
    for _ in range(chance.randint(1, 12)):
        text += piece() + (usual if chance.random() < 0.8 else chance.choice(separators))
    return text


@pytest.mark.exhaustive
def test_nothing_is_lost_of_thousands_of_pastes() -> None:
    chance = random.Random(20261105)
    for _ in range(3_000):
        text = one_paste(chance)
        try:
            assert_nothing_lost(text)
        except AssertionError as error:
            raise AssertionError(repr(text)) from error


# --- What is too much ----------------------------------------------------------------------------


LINES: dict[str, Callable[[int], str]] = {
    "addresses": lambda i: f"ana{i}@example{i}.org\n",
    "names": lambda i: f'"Doe, Ana {i}" <ana{i}@gmial.com>; ',
    "rows": lambda i: f"{'name,email' if i == 0 else f'Ana {i},ana{i}@x.org'}\n",
    "refusals": lambda i: f"ana{i} at foo bar{i}\n",
    "twice": lambda i: f"ana{i % 9}@x.org,",
}


def test_ten_times_the_lines_are_ten_times_the_work(subtests: pytest.Subtests) -> None:
    def lines(line: Callable[[int], str], count: int) -> Callable[[], object]:
        text = "".join(map(line, range(count)))
        assert len(parse_text(text)) >= count - 1
        return lambda: parse_text(text)

    for kind, line in LINES.items():
        with subtests.test(kind=kind):
            assert_grows_with(partial(lines, line), few=200, many=1_000)


def test_ten_thousand_pieces_are_the_most() -> None:
    assert len(parse_text("a@x.org," * 10_000)) == 10_000
    with pytest.raises(TooManyRows):
        parse_text("a@x.org," * 10_001)


def test_words_and_signs_between_them_are_counted_too() -> None:
    assert parse_text("a " * 500_000)[0].refusal is NO  # one piece of many words
    with pytest.raises(TooManyRows):
        parse_text("a@ " * (MAX_TOKENS + 1))
