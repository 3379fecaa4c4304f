"""What was said of a file goes along with the list that was found in it, and with no other."""

from __future__ import annotations

import json

import pytest

from org_invitations.addresses import read_text, recall_notes, write_notes, write_reading

FILE = read_text("Members of team@x.org\nEmail,Backup email,Note\nana@x.org,,\nbo@x.org,,\n\nEnd\n")


def test_the_same_list_is_told_the_same() -> None:
    again = read_text(write_reading(FILE))
    assert FILE.notes
    assert not again.notes
    assert recall_notes(again, write_notes(FILE)).notes == FILE.notes


def test_what_is_said_already_is_not_said_twice() -> None:
    assert recall_notes(FILE, write_notes(FILE)).notes == FILE.notes


def test_another_list_is_told_nothing() -> None:
    other = read_text(write_reading(FILE) + "\ncy@x.org")
    assert recall_notes(other, write_notes(FILE)) == other


def test_nothing_is_written_where_nothing_was_said() -> None:
    assert write_notes(read_text("ana@x.org")) == ""


@pytest.mark.parametrize(
    "notes",
    [
        *([["no-such-kind", 1, 2]], [["heading", "1", 2]], [["heading", 1]], [["heading", -1, 2]]),
        *([["heading", True, 2]], [["encoding", 0, 0]], [["no-roles", 0, 0, 5]], [5], 5, None, {}),
    ],
)
def test_what_a_form_sends_need_not_be_ours(notes: object) -> None:
    of = json.loads(write_notes(FILE))["of"]
    for written in (json.dumps({"of": of, "notes": notes}), json.dumps(notes), "[" * 9_000, "x"):
        assert recall_notes(FILE, written) == FILE
