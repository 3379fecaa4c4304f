"""Contacts and calendars: who in them is a person with an address."""

from __future__ import annotations

import base64

import pytest

from org_invitations.addresses import NoteKind, Refusal, TooManyRows, parse_text, read_text

CARDS = """BEGIN:VCARD
VERSION:3.0
N:Doe;Ana;;;
FN:Ana Doe
EMAIL;TYPE=INTERNET;TYPE=HOME:ana@home.example
item1.EMAIL;type=INTERNET;type=pref:ana@x.org
item1.X-ABLabel:Work
NOTE:not other@x.org
END:VCARD
BEGIN:VCARD
VERSION:4.0
FN:Bo Roe
EMAIL;PREF=2:bo@home.example
EMAIL;PREF=1:bo@
 x.org
TEL:+1 555 0100
END:VCARD
BEGIN:VCARD
VERSION:2.1
N:Poe;Cy
TEL:1
END:VCARD
"""


def test_of_several_addresses_of_a_card_the_preferred_one_is_taken() -> None:
    found = read_text(CARDS)
    assert [(e.line, e.email_address, e.text) for e in found.entries] == [
        (6, "ana@x.org", "ana@x.org"),
        (14, "bo@x.org", "bo@x.org"),
        (18, "", "Poe Cy"),
    ]
    assert found.entries[2].refusal is Refusal.NO_ADDRESS


def test_a_line_that_is_folded_with_a_tab_goes_on_too() -> None:
    found = read_text("BEGIN:VCARD\nFN:Ana\nEMAIL:ana@\n\tx.org\nEND:VCARD\n")
    assert [e.email_address for e in found.entries] == ["ana@x.org"]


CALENDAR = """BEGIN:VCALENDAR
BEGIN:VEVENT
ORGANIZER;CN=Host:mailto:host@x.org
ATTENDEE;CN="Doe, Ana: Sales";PARTSTAT=NEEDS-ACTION:mailto:ana@x.org
ATTENDEE;CUTYPE=ROOM;CN=Blue:mailto:blue@resource.example
ATTENDEE;CN=Bo;EMAIL=bo@x.org;RSVP=TRUE:/aBc/principal/
DESCRIPTION:write to nobody@x.org
END:VEVENT
BEGIN:VEVENT
ATTENDEE;CN=Ana:MAILTO:ANA@x.org
ATTENDEE:mailto:ana@x.org
END:VEVENT
END:VCALENDAR
"""


def test_the_guests_of_a_calendar_are_taken_once_and_nobody_else() -> None:
    found = read_text(CALENDAR.replace("\n", "\r\n"))
    assert [e.email_address for e in found.entries if e.refusal is None] == [
        "ana@x.org",
        "bo@x.org",
    ]
    assert [(note.kind, note.names) for note in found.notes] == [
        (NoteKind.NOT_PEOPLE, ("host@x.org",)),
        (NoteKind.NOT_PEOPLE, ("blue@resource.example",)),
    ]


def test_ldif_as_thunderbird_writes_it() -> None:
    coded = base64.b64encode(b"zoe@x.org").decode()
    text = (
        "dn: cn=Ana Doe,mail=ana@x.org\nobjectclass: top\ncn: Ana Doe\nmail: ana@x.org\n\n"
        f"dn: cn=Zoe\ncn: Zoe\nmail:: {coded}\n\ndn: cn=Cy\ncn: Cy Poe\n"
    )
    assert [(e.email_address, e.text) for e in parse_text(text)] == [
        ("ana@x.org", "ana@x.org"),
        ("zoe@x.org", "zoe@x.org"),
        ("", "Cy Poe"),
    ]


def test_a_line_of_one_may_be_pasted_alone() -> None:
    text = "Please invite\nATTENDEE;CN=Ana;RSVP=TRUE:mailto:ana@x.org\nEMAIL;TYPE=WORK:bo@x.org\n"
    assert [e.email_address for e in parse_text(text)] == ["", "ana@x.org", "bo@x.org"]


def test_too_many_are_told() -> None:
    card = "BEGIN:VCARD\nFN:Ana\nEND:VCARD\n"
    assert len(parse_text(card * 10_000)) == 10_000
    with pytest.raises(TooManyRows):
        parse_text(card * 10_001)
