"""The table of faults, the calls they strike, and the order in which they come."""

from __future__ import annotations

import itertools
import random
import re
from pathlib import Path

import pytest

from org_invitations.emulator import Emulator, RecordedCall

from . import faults, known
from .calls import BY_NAME, CALLS, Slot, choose_slot, name_of, slots_of
from .failures import KINDS
from .registry import get_actions
from .sample import count_pairs, tickets


def test_there_are_as_many_faults_as_there_should_be() -> None:
    assert len(faults.table()) >= 170


def test_the_emulator_takes_every_order_and_does_what_the_table_says() -> None:
    emulator = Emulator()
    for fault in faults.table():
        ordered = emulator.fault("POST", "*", **fault.order)
        if fault.order:
            assert ordered.takes_effect is (fault.effect == faults.DONE), fault.name
            assert ordered.late is (fault.effect == faults.LATE), fault.name
        assert fault.order or fault.refuses or fault.database, fault.name
        assert set(fault.calls) <= set(BY_NAME), fault.name


def _calls(*made: tuple[str, str]) -> list[RecordedCall]:
    return [RecordedCall("bapi", method, path, [], None, {}, 0) for method, path in made]


ORGANIZATION = f"/v1/organizations/org_{'2' * 27}"


def test_a_call_has_one_name(subtests: pytest.Subtests) -> None:
    for method, path, name in [
        ("GET", ORGANIZATION, "organization"),
        ("GET", "/v1/organizations/acme", "organization by slug"),
        ("GET", f"{ORGANIZATION}/invitations", "list"),
        ("GET", f"{ORGANIZATION}/invitations/orginv_2x", "invitation"),
        ("POST", f"{ORGANIZATION}/invitations", "create"),
        ("POST", f"{ORGANIZATION}/invitations/bulk", "bulk"),
        ("POST", f"{ORGANIZATION}/invitations/orginv_2x/revoke", "revoke"),
        ("GET", f"{ORGANIZATION}/memberships", "memberships"),
        ("GET", f"/v1/users/user_{'2' * 27}/organization_memberships", "user memberships"),
        ("DELETE", ORGANIZATION, ""),
    ]:
        with subtests.test(method=method, path=path, name=name):
            assert name_of(method, path) == name
            assert sum(call.fits(method, path) for call in CALLS) <= 1 or name in ("bulk", "revoke")


def test_a_fault_can_strike_each_write_and_the_first_of_the_others() -> None:
    create, listing = (
        ("POST", f"{ORGANIZATION}/invitations"),
        ("GET", f"{ORGANIZATION}/invitations"),
    )
    slots = slots_of(_calls(create, listing, create, listing, listing, listing))
    assert {str(slot) for slot in slots} == {
        *("create 1", "create 2", "create 1+"),
        *("list 1", "list 2", "list 3", "list 1+"),
    }
    assert all(Slot.parse(str(slot)) == slot for slot in slots)


def test_a_call_that_the_table_lacks_is_a_mistake() -> None:
    with pytest.raises(LookupError, match="DELETE /v1/x"):
        slots_of(_calls(("DELETE", "/v1/x")))


def test_a_fault_strikes_only_what_it_makes_sense_for() -> None:
    slots = slots_of(_calls(("GET", f"{ORGANIZATION}/invitations")))
    rng = random.Random(1)
    of_roles = next(fault for fault in faults.table() if fault.calls == ("roles", "role set"))
    assert choose_slot(rng, of_roles, slots, ["list"]) is None
    anywhere = next(fault for fault in faults.table() if not fault.calls and not fault.onward)
    assert choose_slot(rng, anywhere, slots, ["list"]) in slots
    onward = next(fault for fault in faults.table() if fault.onward)
    assert {choose_slot(rng, onward, slots, ["list"]) for _ in range(20)} == {
        Slot("", 1, onward=True),
        Slot("", 2, onward=True),
    }


def test_what_takes_effect_late_is_a_write_where_there_is_one() -> None:
    create, listing = (
        ("POST", f"{ORGANIZATION}/invitations"),
        ("GET", f"{ORGANIZATION}/invitations"),
    )
    rng, slots = random.Random(1), slots_of(_calls(create, listing))
    for fault in faults.table():
        if fault.effect == faults.LATE:
            chosen = [choose_slot(rng, fault, slots, ["create", "list"]) for _ in range(20)]
            names = {(slot.name, slot.number) for slot in chosen if slot is not None}
            assert names == {("", 1) if fault.onward else ("create", 1)}


def test_the_document_explains_every_kind_of_failure() -> None:
    text = (Path(__file__).parents[2] / "docs/faults.md").read_text()
    table = text.partition("| failure | means |")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)) == KINDS


# --- The sample ---------------------------------------------------------------------------------


def test_every_pair_comes_once_before_any_comes_twice() -> None:
    first = list(itertools.islice(tickets(1), count_pairs()))
    assert len({(ticket.action, ticket.kind) for ticket in first}) == count_pairs()
    assert {ticket.round for ticket in first} == {0}


def test_a_seed_is_an_order() -> None:
    def some(seed: int) -> list[str]:
        return [ticket.name for ticket in itertools.islice(tickets(seed), 50)]

    assert some(3) == some(3)
    assert some(3) != some(4)


# --- What is known ------------------------------------------------------------------------------


def test_the_list_of_the_known_is_sorted_and_names_what_there_is() -> None:
    entries = known.load()
    assert entries == sorted(set(entries))
    actions = {action.name for action in get_actions()}
    for entry in entries:
        assert entry.failure in KINDS
        assert entry.action in actions
        assert entry.fault in faults.kinds()
