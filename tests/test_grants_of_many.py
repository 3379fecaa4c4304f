"""Who may give which role, by every way that sends more than one, or one again.

As in ``test_grants.py`` what counts is what Clerk has stored in the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from org_invitations.addresses import Entry, parse_file, parse_text
from org_invitations.emulator.seed_data import ROLES
from org_invitations.views.preview import fingerprint_of

from .test_grants import (
    BOSS,
    CALLERS,
    INVITE,
    PAGE,
    Caller,
    Stage,
    elevated,
    expected,
    some_places,
    stage,
)

__all__ = ["stage"]

NAMES = {key: name for key, name, *_ in ROLES}
#: How a button is pressed by somebody who means it.
TICKED: dict[str, Any] = {"confirm_elevated": "on"}

#: The roles' own permissions, and some odd ones. Whom Clerk would refuse anyway says nothing here.
FEWER = [caller for number, caller in enumerate(CALLERS) if caller.known_to_clerk]
FEWER = [caller for number, caller in enumerate(FEWER) if number < 6 or number % 4 == 0]


class Attempt:
    """One try to give somebody a role."""

    def __init__(self, stage: Stage, caller: Caller, role: str, role_set: str | None) -> None:
        self.stage, self.caller, self.role, self.role_set = stage, caller, role, role_set
        #: Whom it is about; nobody else has these addresses.
        self.addresses = [stage.address(), stage.address()]
        #: The invitations that are to be sent again.
        self.old: list[Any] = []

    def start(self, caller: Caller | None = None) -> None:
        self.stage.start(caller or self.caller, self.role_set)

    def change_rights(self) -> None:
        self.stage.be(self.caller)

    def have_invited(self, role: str) -> None:
        self.old = [
            self.stage.clerk.add_invitation("acme", address, role=role)
            for address in self.addresses
        ]

    def post(self, url: str, **data: Any) -> Any:
        return self.stage.client.post(url, data)

    def forge(self, text: str, entries: tuple[Entry, ...] | None = None, **data: Any) -> Any:
        """Send the form as somebody would who has never seen the check."""
        reviewed = fingerprint_of(parse_text(text) if entries is None else entries)
        return self.post(INVITE, email_addresses=text, reviewed=reviewed, **data)

    @property
    def typed(self) -> str:
        return ", ".join(self.addresses)

    def table(self, word: str) -> str:
        return "email\trole\n" + "".join(f"{address}\t{word}\n" for address in self.addresses)

    def paths(self, action: str) -> list[str]:
        return [f"{PAGE}{row.id}/{action}/" for row in self.old]

    def select(self, **data: Any) -> Any:
        ids = [row.id for row in self.old]
        return self.post(f"{PAGE}selected/", action="resend", selected=ids, **data)

    def settle(self, *, ticked: bool) -> bool:
        """Hold what was stored against what may be given; tell whether it was given."""
        may = expected(self.caller, self.role, self.role_set)
        may = may and (ticked or not elevated(self.role))
        old = {row.id for row in self.old}
        stored = [
            (row.email_address, row.role)
            for row in self.stage.clerk.invitations("acme")
            if row.email_address in self.addresses and row.id not in old
        ]
        wanted = [(address, self.role) for address in self.addresses] if may else []
        assert sorted(stored) == sorted(wanted), (self.role, self.role_set)
        return may


# A way takes the attempt to its end. "Old page" means that somebody was more when it was shown.


def by_text(attempt: Attempt) -> None:
    attempt.start()
    attempt.forge(attempt.typed, role=attempt.role, **TICKED)


def by_text_without_tick(attempt: Attempt) -> None:
    attempt.start()
    attempt.forge(attempt.typed, role=attempt.role)


def by_text_and_check(attempt: Attempt) -> None:
    attempt.start()
    checked = attempt.post(INVITE, email_addresses=attempt.typed, role=attempt.role, **TICKED)
    found = re.search(r'name="reviewed" value="(\w+)"', checked.text)
    data = {"reviewed": found[1] if found else fingerprint_of(parse_text(attempt.typed))}
    attempt.post(INVITE, email_addresses=attempt.typed, role=attempt.role, **TICKED, **data)


def by_text_of_an_old_page(attempt: Attempt) -> None:
    attempt.start(BOSS)
    attempt.post(f"{PAGE}check/", email_addresses=attempt.typed, role=attempt.role)
    attempt.change_rights()
    attempt.forge(attempt.typed, role=attempt.role, **TICKED)


def by_pasted_table(attempt: Attempt) -> None:
    attempt.start()
    attempt.forge(attempt.table(attempt.role), role="", **TICKED)


def by_pasted_table_of_an_old_page(attempt: Attempt) -> None:
    attempt.start(BOSS)
    attempt.post(f"{PAGE}check/", email_addresses=attempt.table(attempt.role), role="")
    attempt.change_rights()
    attempt.forge(attempt.table(attempt.role), role="", **TICKED)


def _file(attempt: Attempt, **data: Any) -> None:
    content = attempt.table(NAMES[attempt.role]).replace("\t", ",").encode()
    upload = SimpleUploadedFile("people.csv", content, "text/csv")
    attempt.forge("", parse_file(content), file=upload, **data)


def by_file(attempt: Attempt) -> None:
    attempt.start()
    _file(attempt, role="", **TICKED)


def by_file_without_tick(attempt: Attempt) -> None:
    attempt.start()
    _file(attempt, role="")


def by_file_of_an_old_page(attempt: Attempt) -> None:
    attempt.start(BOSS)
    attempt.stage.client.get(PAGE)
    attempt.change_rights()
    _file(attempt, role="", **TICKED)


def by_resend(attempt: Attempt) -> None:
    attempt.start()
    attempt.have_invited(attempt.role)
    for path in attempt.paths("resend"):
        attempt.post(path, role=attempt.role, batch=uuid4(), **TICKED)


def by_resend_without_a_word_of_the_role(attempt: Attempt) -> None:
    attempt.start()
    attempt.have_invited(attempt.role)
    for path in attempt.paths("resend"):
        attempt.post(path, batch=uuid4(), **TICKED)


def by_resend_of_an_old_page(attempt: Attempt) -> None:
    attempt.start(BOSS)
    attempt.have_invited(attempt.role)
    for path in attempt.paths("resend"):
        attempt.stage.client.get(path)
    attempt.change_rights()
    for path in attempt.paths("resend"):
        attempt.post(path, role=attempt.role, batch=uuid4(), **TICKED)


def by_change(attempt: Attempt) -> None:
    attempt.start()
    attempt.have_invited("org:guest")
    for path in attempt.paths("change"):
        attempt.post(path, role=attempt.role, batch=uuid4(), **TICKED)


def by_change_without_tick(attempt: Attempt) -> None:
    attempt.start()
    attempt.have_invited("org:guest")
    for path in attempt.paths("change"):
        attempt.post(path, role=attempt.role, batch=uuid4())


def by_selection(attempt: Attempt) -> None:
    attempt.start()
    attempt.have_invited(attempt.role)
    attempt.select(confirmed="1", batch=uuid4(), **TICKED)


def by_selection_without_tick(attempt: Attempt) -> None:
    attempt.start()
    attempt.have_invited(attempt.role)
    attempt.select(confirmed="1", batch=uuid4())


def by_selection_of_an_old_page(attempt: Attempt) -> None:
    attempt.start(BOSS)
    attempt.have_invited(attempt.role)
    attempt.select()
    attempt.change_rights()
    attempt.select(confirmed="1", batch=uuid4(), **TICKED)


WAYS: list[Callable[[Attempt], None]] = [
    by_text,
    by_text_without_tick,
    by_text_and_check,
    by_text_of_an_old_page,
    by_pasted_table,
    by_pasted_table_of_an_old_page,
    by_file,
    by_file_without_tick,
    by_file_of_an_old_page,
    by_resend,
    by_resend_without_a_word_of_the_role,
    by_resend_of_an_old_page,
    by_change,
    by_change_without_tick,
    by_selection,
    by_selection_without_tick,
    by_selection_of_an_old_page,
]
#: A caller, a role and a set; of these every one is in some. Each way takes every other one, and
#: with it every caller; the next way takes the others.
TRIES = [(caller, *place) for number, caller in enumerate(FEWER) for place in some_places(number)]


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", WAYS)
def test_nobody_gives_to_many_what_they_do_not_have(
    stage: Stage, subtests: pytest.Subtests, way: Callable[[Attempt], None]
) -> None:
    for caller, role, role_set in TRIES[WAYS.index(way) % 2 :: 2]:
        with subtests.test(caller=str(caller), role=role, role_set=role_set):
            attempt = Attempt(stage, caller, role, role_set)
            way(attempt)
            if way is by_resend_without_a_word_of_the_role:
                continue_without_a_role(attempt)
            elif not attempt.settle(ticked="without_tick" not in way.__name__):
                # What cannot be sent again is not taken away.
                assert {row.state for row in attempt.old} <= {"pending"}


def continue_without_a_role(attempt: Attempt) -> None:
    """A question that is answered with no role gives none, or the one that there was."""
    old = {row.id for row in attempt.old}
    for row in attempt.stage.clerk.invitations("acme"):
        if row.email_address in attempt.addresses and row.id not in old:
            assert row.role == attempt.role
            assert expected(attempt.caller, attempt.role, attempt.role_set)


# --- What was left over from somebody's better days ----------------------------------------------


@pytest.mark.exhaustive
def test_what_was_half_done_is_not_finished_with_fewer_rights(
    stage: Stage, subtests: pytest.Subtests
) -> None:
    for caller, role, role_set in TRIES[0::2]:
        with subtests.test(caller=str(caller), role=role, role_set=role_set):
            attempt = Attempt(stage, caller, role, role_set)
            attempt.start(BOSS)
            attempt.have_invited(role)
            stage.clerk.fault("POST", "*/invitations", status=500, times=None)
            for path in attempt.paths("resend"):
                attempt.post(path, role=role, batch=uuid4(), **TICKED)
            stage.clerk.faults.clear()
            attempt.change_rights()
            for path in attempt.paths("resend"):
                attempt.post(path, finish="1", **TICKED)
            attempt.settle(ticked=True)


@pytest.mark.exhaustive
def test_what_was_left_waiting_is_not_sent_with_fewer_rights(
    stage: Stage, subtests: pytest.Subtests
) -> None:
    for caller, role, role_set in TRIES[1::2]:
        with subtests.test(caller=str(caller), role=role, role_set=role_set):
            attempt = Attempt(stage, caller, role, role_set)
            attempt.start(BOSS)
            attempt.have_invited(role)
            batch = uuid4()
            stage.clerk.fault("POST", "*", status=429, times=None)
            attempt.select(confirmed="1", batch=batch, **TICKED)
            stage.clerk.faults.clear()
            attempt.change_rights()
            attempt.post(f"{PAGE}selected/", **{"continue": "1"}, batch=batch)
            attempt.settle(ticked=True)


def test_both_answers_are_well_tried() -> None:
    allowed = [
        (role, role_set) for caller, role, role_set in TRIES if expected(caller, role, role_set)
    ]
    assert 0.15 < len(allowed) / len(TRIES) < 0.6
    assert len({role for role, _ in allowed}) > 4
