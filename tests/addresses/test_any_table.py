"""Tables as programs and people make them, by the thousand: each is read as its owner means it.

The tables come from ``tests/corpus/tables.py``, which knows nothing of the reader. The form reads
them, as the check's does, with the roles of an organization.
"""

from __future__ import annotations

from collections import Counter

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.datastructures import MultiValueDict

from org_invitations.addresses import choose, refuse_twice
from org_invitations.clerk import Role
from org_invitations.forms import InviteForm
from org_invitations.roles import AssignableRoles, RoleMatch
from tests.corpus.tables import ROLES, Reading, Table, disagreements, tables

#: Any will do; another is another thousand tables.
SEED = 20261126

KNOWN = AssignableRoles(
    roles=tuple(Role(key=key, name=names[0]) for key, names in ROLES.items()),
    default_role="org:member",
)


def read(one: Table) -> Reading:
    """What the form finds in a file."""
    file = SimpleUploadedFile(one.filename, one.content)
    data = {"email_addresses": "", "role": "org:member"}
    form = InviteForm(data, MultiValueDict({"file": [file]}), roles=KNOWN)
    form.is_valid()
    names = form.role_names
    invited: list[tuple[str, str | None]] = []
    refused_for_role = set()
    for entry in form.entries:
        if entry.refusal is not None:
            continue
        role, match = names.find(entry.role)
        if match is RoleMatch.UNKNOWN:
            refused_for_role.add(entry.email_address)
        else:
            invited.append((entry.email_address, role.key if role else None))
    question = form.reading.question
    choices: tuple[tuple[str, ...], ...] = ()
    if question is not None:
        choices = tuple(
            tuple(
                entry.email_address
                for entry in refuse_twice(choose(question, number))
                if entry.refusal is None
            )
            for number in range(len(question.columns))
        )
    return Reading(
        invited=tuple(invited),
        refused_for_role=frozenset(refused_for_role),
        offered=frozenset(offer for entry in form.entries for offer in entry.offers),
        choices=choices,
        refused=not invited and not choices and bool(form.errors or form.entries),
    )


def amiss(count: int, seed: int = SEED) -> list[tuple[Table, list[str]]]:
    """The tables that are not read as they are meant, each with what is wrong."""
    found = ((one, disagreements(one, read(one))) for one in tables(seed, count))
    return [(one, what) for one, what in found if what]


@pytest.mark.exhaustive
def test_tables_are_read_as_they_are_meant() -> None:
    count = 5000
    found = amiss(count)
    kinds = Counter(word.partition(":")[0] for _, what in found for word in what)
    report = "\n".join(f"{one}: {what[:3]}" for one, what in found[:20])
    assert not kinds["altered"], report
    assert not kinds["doubled"], report
    assert len(found) <= count / 100, f"{len(found)} of {count}: {kinds}\n{report}"
