"""Sending many: each address gets one result, the true one, and nobody is mailed twice."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from org_invitations.clerk import Invitation, InvitationStatus, Page
from org_invitations.clerk import exceptions as exc
from org_invitations.clerk.organizations import InvitationRequest
from org_invitations.models import BatchItem
from org_invitations.services.batches.reconcile import find_rows
from tests.sending_world import (
    ADDRESS_KINDS,
    ATOMICITIES,
    FAILED,
    LOSSES,
    REFUSED,
    SENT,
    STOPS,
    UNSETTLED,
    USER,
    WAITING,
    Fault,
    Kept,
    World,
    address,
    bound,
    chosen,
    judge,
    judge_without_faults,
    nothing_before,
    prepare,
    refusal,
    request,
    run,
    send,
    subsets,
)

__all__ = ["nothing_before"]  # a fixture


def states(results: dict[int, BatchItem]) -> list[str]:
    return [results[index].state for index in sorted(results)]


def sizes(world: World) -> list[int]:
    return [len(call) for call in world.calls]


# --- Without trouble -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, []), (1, [1]), (2, [2]), (10, [10]), (11, [10, 1]), (25, [10, 10, 5])],
)
def test_ten_go_in_one_call_and_a_single_one_in_the_call_for_one(
    count: int, expected: list[int]
) -> None:
    world = World()
    assert states(run(world, count)) == [SENT] * count
    assert sizes(world) == expected
    assert world.listings == 0


def test_results_come_as_soon_as_they_are_certain() -> None:
    requests = [request(index) for index in range(12)]
    world = World()
    progress = Kept(world.calls)
    send(world, requests, progress)
    assert [sorted(part) for part in progress.settled] == [list(range(10)), [10, 11]]


def test_an_address_that_comes_twice_is_sent_once() -> None:
    world = World()
    twice = replace(request(0), email_address=address(0).upper(), role="org:admin")
    results = send(world, [request(0), request(1), twice])
    assert states(results) == [SENT, SENT, REFUSED]
    assert isinstance(results[2].error, exc.DuplicateInvitation)
    assert results[2].invitation is not None
    assert results[2].invitation.id == results[0].invitation.id
    assert results[2].invitation.url == ""
    assert list(world.mails.values()) == [1, 1]


def test_an_address_that_comes_twice_and_is_not_sent_is_told_the_same_twice() -> None:
    results = send(World({0: "blocked"}), [request(0), request(1), request(0)])
    assert states(results) == [REFUSED, SENT, REFUSED]
    assert (results[0].reason, results[0].error) == (results[2].reason, results[2].error)


# --- Every subset of failures --------------------------------------------------------------


@pytest.mark.exhaustive
def test_of_up_to_ten_every_subset_can_be_refused_and_the_others_still_go(
    subtests: pytest.Subtests,
) -> None:
    for kind in [*ADDRESS_KINDS, "mixed"]:
        with subtests.test(kind=kind):
            for count in range(11):
                for kinds in subsets(count, kind):
                    world = World(kinds)
                    judge_without_faults(world, count, run(world, count))


@pytest.mark.exhaustive
@pytest.mark.parametrize("atomicity", ["before", "good"])
@pytest.mark.parametrize("kind", ["format", "pending", "member named"])
def test_and_also_where_a_refused_call_has_made_some_of_them(kind: str, atomicity: str) -> None:
    for kinds in subsets(10, kind):
        world = World(kinds, atomicity=atomicity)
        judge_without_faults(world, 10, run(world, 10))


@pytest.mark.exhaustive
@pytest.mark.parametrize("atomicity", ["before", "good"])
def test_and_also_where_each_is_refused_for_a_reason_of_its_own(atomicity: str) -> None:
    for count in range(11):
        for kinds in subsets(count, "mixed"):
            world = World(kinds, atomicity=atomicity)
            judge_without_faults(world, count, run(world, count))


@pytest.mark.exhaustive
@pytest.mark.parametrize(("kind", "atomicity"), [("format", "nothing"), ("mixed", "before")])
def test_of_up_to_twenty_every_two_can_be_refused(kind: str, atomicity: str) -> None:
    for count in range(11, 21):
        for bad in itertools.chain.from_iterable(
            itertools.combinations(range(count), size) for size in (0, 1, 2)
        ):
            kinds = chosen(sum(1 << index for index in bad), count, kind)
            world = World(kinds, atomicity=atomicity)
            judge_without_faults(world, count, run(world, count))


@pytest.mark.exhaustive
@pytest.mark.parametrize("atomicity", ATOMICITIES)
def test_of_twenty_any_subset_can_be_refused(atomicity: str) -> None:
    """Some of the million; ``python -m benchmarks.every_subset`` tries them all."""
    masks = random.Random(atomicity).sample(range(1 << 20), 500)
    for mask in masks:
        world = World(chosen(mask, 20, "mixed"), atomicity=atomicity)
        judge_without_faults(world, 20, run(world, 20))


@pytest.mark.exhaustive
def test_where_seats_run_out_the_first_ones_get_them(subtests: pytest.Subtests) -> None:
    for seats in range(13):
        for atomicity in ATOMICITIES:
            for kind in ["format", "blocked named"]:
                with subtests.test(seats=seats, atomicity=atomicity, kind=kind):
                    for bad in [
                        (),
                        *itertools.combinations(range(12), 1),
                        *itertools.combinations(range(12), 2),
                    ]:
                        kinds = dict.fromkeys(bad, kind)
                        world = World(kinds, atomicity=atomicity, seats=seats)
                        results = run(world, 12)
                        good = [index for index in range(12) if index not in bad]
                        assert [index for index in good if results[index].state is SENT] == good[
                            :seats
                        ]
                        assert {results[index].state for index in good[seats:]} <= {REFUSED}
                        assert {type(results[index].error) for index in good[seats:]} <= {
                            exc.QuotaExceeded
                        }
                        assert len(world.calls) <= bound(12, 12 - min(seats, len(good)))


def test_where_no_seat_is_left_a_thousand_cost_a_handful_of_calls() -> None:
    world = World(seats=0)
    assert set(states(run(world, 1000))) == {REFUSED}
    assert sizes(world) == [10, 5, 2, 1]


# --- Whom a refusal names ------------------------------------------------------------------


def test_the_named_are_taken_out_and_the_rest_goes_in_the_next_call() -> None:
    world = World(dict.fromkeys([2, 3, 7], "blocked named"))
    results = run(world, 10)
    assert sizes(world) == [10, 7]
    assert [index for index in results if results[index].state is REFUSED] == [2, 3, 7]


def test_where_nobody_is_named_the_one_is_found_by_halves() -> None:
    world = World({9: "exclusive"})
    results = run(world, 10)
    assert sizes(world) == [10, 5, 5, 2, 3, 1, 2, 1, 1]
    assert isinstance(results[9].error, exc.ExclusiveMembership)


class Says(World):
    """A world with an error for all calls that hold the first address."""

    def __init__(self, error: exc.ClerkError) -> None:
        super().__init__()
        self.error = error

    def error_for(self, requests: Sequence[InvitationRequest]) -> exc.ClerkError | None:
        bad = requests[0].email_address == address(0)
        return self.error if bad else super().error_for(requests)


def named_by(text: str, *addresses: str) -> list[int]:
    """Which of the addresses a refusal of a member with this text takes out at once."""
    world = Says(refusal(400, "already_a_member_in_organization", text=text)([""]))
    requests = [request(0)] + [replace(request(0), email_address=other) for other in addresses]
    items, worker = prepare(world, requests, Kept())
    worker.work()
    return [item.number for item in items if item.number not in worker.open]


@pytest.mark.parametrize(
    "text",
    [
        "ana@x.org is already a member of the organization.",
        "User ANA@X.ORG is already a member of the organization.",
        "already a member: ana@x.org.",
        'The user "ana@x.org", or <ana@x.org>, is a member',
    ],
)
def test_a_member_is_found_in_the_text_of_the_refusal(text: str) -> None:
    others = ("susana@x.org", "ana@x.org", "ana@x.org.uk", "na@x.org", "ana@x.or", "d'ana@x.org")
    assert named_by(text, *others) == [2]


@pytest.mark.parametrize(
    "text",
    [
        "User user_2x is already a member.",
        "d'ana@x.org is a member",
        "x-ana@x.org is a member",
        "ana@x.org.uk is a member",
        "ana@x.org-west.example is a member",
        "",
    ],
)
def test_another_address_that_ends_or_begins_like_it_is_not_it(text: str) -> None:
    assert named_by(text, "ana@x.org", "bo@x.org") == []


def test_a_name_that_is_not_among_ours_names_nobody() -> None:
    world = Says(refusal(400, "duplicate_record", meta="email_addresses")(["who@else.example"]))
    results = send(world, [request(index) for index in range(4)])
    assert states(results) == [FAILED, SENT, SENT, SENT]
    assert isinstance(results[0].error, exc.InvitationNotShown)


def test_a_refusal_of_several_kinds_at_once_gives_each_its_own() -> None:
    duplicate = refusal(400, "duplicate_record", meta="email_addresses")([address(0)])
    blocked = refusal(403, "not_allowed_access", meta="identifiers")([address(1)])
    both = exc.DuplicateInvitation(status=400, errors=(*duplicate.errors, *blocked.errors))

    class Both(World):
        def error_for(self, requests: Sequence[InvitationRequest]) -> exc.ClerkError | None:
            names = {r.email_address for r in requests}
            if {address(0), address(1)} <= names:
                return both
            return super().error_for(requests)

    world = Both({0: "pending named", 1: "blocked named"})
    results = run(world, 4)
    assert isinstance(results[0].error, exc.DuplicateInvitation)
    assert isinstance(results[1].error, exc.AddressNotAllowed)
    assert sizes(world) == [4, 3, 2]


# --- What Clerk says is there, and does not show ----------------------------------------------

UNTRUE = {
    "pending": exc.InvitationNotShown,
    "pending named": exc.InvitationNotShown,
    "member": exc.MemberNotShown,
    "member named": exc.MemberNotShown,
}


@pytest.mark.parametrize(
    ("kind", "bad"),
    # Halving finds these before it is given up.
    [(kind, bad) for kind in UNTRUE for bad in (range(10) if "named" in kind else (0, 1, 5, 6))],
)
def test_who_is_not_shown_to_be_there_is_not_said_to_be(kind: str, bad: int) -> None:
    world = World({bad: kind}, hidden=[bad])
    results = run(world, 20)
    assert [i for i in results if results[i].state is not SENT] == [bad]
    assert results[bad].state is FAILED
    assert type(results[bad].error) is UNTRUE[kind]
    assert len(world.calls) <= bound(20, 1)


@pytest.mark.parametrize("kind", UNTRUE)
def test_a_few_such_refusals_end_it_and_the_rest_waits(kind: str) -> None:
    world = World(dict.fromkeys(range(100), kind), hidden=range(100))
    results = run(world, 100)
    assert set(states(results)) == {FAILED, WAITING}
    assert {type(result.error) for result in results.values()} == {UNTRUE[kind]}
    assert len(world.calls) <= 12
    assert world.listings + world.member_looks <= 7


@pytest.mark.parametrize("kind", ["pending named", "member", "member named"])
def test_where_it_cannot_be_looked_up_clerks_word_stands(kind: str) -> None:
    class Silent(World):
        def get_invitations(self, **order: Any) -> Page[Invitation]:
            raise exc.Timeout

        get_memberships = get_invitations  # type: ignore[assignment]

    results = run(Silent({3: kind}, hidden=[3]), 10)
    assert results[3].state is REFUSED
    assert type(results[3].error) in (exc.DuplicateInvitation, exc.AlreadyMember)


def test_who_is_invited_before_is_named_with_the_invitation() -> None:
    results = run(World({3: "pending named", 5: "pending named"}), 10)
    assert [results[index].invitation.id for index in (3, 5)] == [
        f"orginv_{address(index).casefold()}" for index in (3, 5)
    ]


def test_more_pending_ones_than_were_seen_contradict_nothing() -> None:
    class Large(World):
        def get_invitations(self, **order: Any) -> Page[Invitation]:
            old = self.invitation(
                "old@example.org", "org:member", USER, datetime(2020, 1, 1, tzinfo=UTC)
            )
            return Page((*super().get_invitations(**order).data, old), 501)

    results = run(Large({3: "pending named"}, hidden=[3]), 10)
    assert (results[3].state, type(results[3].error)) == (REFUSED, exc.DuplicateInvitation)


# --- What many share -----------------------------------------------------------------------


def test_a_role_that_is_gone_costs_one_call_for_all_who_were_to_get_it() -> None:
    world = World(dict.fromkeys(range(100), "role"))
    results = run(world, 100)
    assert sizes(world) == [10]
    assert {type(result.error) for result in results.values()} == {exc.RoleNotFound}


def test_those_with_another_role_still_go() -> None:
    world = World(dict.fromkeys(range(0, 30, 2), "role"))
    results = run(world, 30)
    assert [index for index in range(30) if results[index].state is SENT] == [*range(1, 30, 2)]
    assert len(world.calls) == 1 + 2 + 2


def test_a_role_that_turns_out_to_be_gone_for_one_is_gone_for_all() -> None:
    world = World({0: "role", 15: "role", 29: "role"})
    assert [i for i, r in run(world, 30).items() if r.state is REFUSED] == [0, 15, 29]
    assert sizes(world) == [10, 1, 9, 9, 9]


def test_a_wrong_redirect_or_expiry_costs_one_call_as_well() -> None:
    error = refusal(422, "form_param_value_invalid", meta="param_name", value="redirect_url")([""])

    class Picky(World):
        def error_for(self, requests: Sequence[InvitationRequest]) -> exc.ClerkError | None:
            return error if any(r.redirect_url == "/bad" for r in requests) else None

    world = Picky()
    requests = [replace(request(i), redirect_url="/bad" if i < 5 else None) for i in range(40)]
    results = send(world, requests)
    assert states(results) == [REFUSED] * 5 + [SENT] * 35
    assert len(world.calls) == 4 + 2


def test_metadata_is_compared_by_its_content() -> None:
    error = refusal(422, "form_param_value_invalid", meta="param_name", value="public_metadata")
    world = Says(error([""]))
    requests = [replace(request(i), public_metadata={"size": ["L"]}) for i in range(10)]
    assert states(send(world, requests)) == [REFUSED] * 10
    assert len(world.calls) == 1


# --- What ends it --------------------------------------------------------------------------

EVERY_STOP = [Fault(error) for error in STOPS.values()]
EVERY_LOSS = [
    Fault(error, effect)
    for name, error in LOSSES.items()
    for effect in ("none", "all", "half", "late")
    # Who says 500 or talks nonsense has come to an end with it.
    if effect != "late" or error().may_be_under_way
]


def one_fault_at_each_position(
    kinds: dict[int, str], count: int, fault: Fault, **order: Any
) -> list[tuple[int, World, dict[int, BatchItem]]]:
    """Send, with the fault at the first call, at the second, and so on to the last."""
    seen: list[tuple[int, World, dict[int, BatchItem]]] = []
    for position in itertools.count():
        world = World(kinds, faults={position: fault}, **order)
        results = run(world, count)
        if len(world.calls) <= position:
            return seen
        seen.append((position, world, results))
    raise AssertionError


def doubtful_ones(world: World) -> set[int]:
    """Those that were in a refused call with others, or in the lost one."""
    names = {address(index): index for index in range(20)}
    return {names[name] for call in world.calls for name in call}


@pytest.mark.exhaustive
def test_whatever_is_lost_at_whichever_call_nothing_is_sent_after_it(
    subtests: pytest.Subtests,
) -> None:
    for atomicity in ATOMICITIES:
        for fault in EVERY_LOSS:
            with subtests.test(atomicity=atomicity, fault=fault):
                cases = [(kinds, 4) for kinds in subsets(4, "mixed")]
                cases += [
                    (dict.fromkeys(bad, "format"), 12) for bad in [(), (0,), (6,), (11,), (3, 8)]
                ]
                for kinds, count in cases:
                    for position, world, results in one_fault_at_each_position(
                        kinds, count, fault, atomicity=atomicity
                    ):
                        assert len(world.calls) == position + 1
                        assert 1 <= world.listings <= 1 + len(kinds)
                        lost = {i for i in range(count) if address(i) in world.calls[-1]}
                        for index, result in results.items():
                            if result.state is UNSETTLED:
                                assert fault.error().may_be_under_way
                                assert index in lost
                                assert isinstance(result.error, type(fault.error()))
                            if result.state is FAILED:
                                assert index in lost
                            if result.state is WAITING:
                                assert isinstance(result.error, type(fault.error()))


@pytest.mark.exhaustive
@pytest.mark.parametrize("atomicity", ATOMICITIES)
@pytest.mark.parametrize(
    "fault", EVERY_LOSS, ids=lambda f: f"{f.error().__class__.__name__}-{f.effect}"
)
def test_and_where_clerk_tells_no_marks_nothing_untrue_is_said_either(
    fault: Fault, atomicity: str
) -> None:
    for kinds, count in [*((kinds, 3) for kinds in subsets(3, "mixed")), ({3: "format"}, 12)]:
        for _, world, results in one_fault_at_each_position(
            kinds, count, fault, atomicity=atomicity, tells_marks=False
        ):
            # Whatever has happened is known to have.
            made = {index for index, r in results.items() if r.state in (SENT, UNSETTLED)}
            assert {address(index).casefold() for index in made} >= set(world.mails)


@pytest.mark.exhaustive
def test_whatever_stops_it_at_whichever_call_nothing_is_sent_after_it(
    subtests: pytest.Subtests,
) -> None:
    for atomicity in ATOMICITIES:
        for fault in EVERY_STOP:
            with subtests.test(atomicity=atomicity, fault=fault):
                error = fault.error()
                cases = [(kinds, 4) for kinds in subsets(4, "mixed")]
                cases += [
                    (dict.fromkeys(bad, "format"), 12) for bad in [(), (0,), (6,), (11,), (3, 8)]
                ]
                for kinds, count in cases:
                    for position, world, results in one_fault_at_each_position(
                        kinds, count, fault, atomicity=atomicity
                    ):
                        assert len(world.calls) == position + 1
                        stopped = {i for i in range(count) if address(i) in world.calls[-1]}
                        for index, result in results.items():
                            assert result.state is not UNSETTLED
                            if not isinstance(result.error, type(error)):
                                assert result.state in (SENT, REFUSED)
                            elif isinstance(error, exc.RateLimited):
                                assert (result.state, result.params.get("retry_after")) == (
                                    WAITING,
                                    error.retry_after,
                                )
                            elif isinstance(error, exc.ConnectionFailed):
                                assert result.state is (FAILED if index in stopped else WAITING)
                            else:
                                assert result.state is (REFUSED if error.is_final else FAILED)


@pytest.mark.exhaustive
def test_where_it_cannot_even_be_looked_up_nobody_knows_and_nothing_is_sent_again(
    subtests: pytest.Subtests,
) -> None:
    for atomicity in ATOMICITIES:
        for fault in [*EVERY_LOSS, *EVERY_STOP]:
            with subtests.test(atomicity=atomicity, fault=fault):
                cases = [(kinds, 4) for kinds in subsets(4, "format")]
                cases += [(dict.fromkeys(bad, "format"), 12) for bad in [(), (5,), (3, 11)]]
                for kinds, count in cases:
                    for _, world, results in one_fault_at_each_position(
                        kinds,
                        count,
                        fault,
                        atomicity=atomicity,
                        list_faults={0: exc.Timeout, 1: exc.Timeout},
                    ):
                        tried = doubtful_ones(world)
                        for index, result in results.items():
                            if result.state is UNSETTLED:
                                assert index in tried
                                in_the_lost = (
                                    fault in EVERY_LOSS and address(index) in world.calls[-1]
                                )
                                assert isinstance(
                                    result.error,
                                    type(fault.error()) if in_the_lost else exc.ClerkError,
                                )
                            if index not in tried:
                                assert result.state in (WAITING, FAILED, REFUSED)


@pytest.mark.parametrize("atomicity", ATOMICITIES)
def test_where_seats_run_out_and_it_cannot_be_looked_up_nobody_is_told_a_lie(
    atomicity: str,
) -> None:
    for seats in range(13):
        world = World({4: "format"}, atomicity=atomicity, seats=seats, list_faults={0: exc.Timeout})
        run(world, 12)


@pytest.mark.parametrize("atomicity", ATOMICITIES)
@pytest.mark.parametrize("count", range(1, 9))
def test_where_it_cannot_be_looked_up_who_is_invited_already_it_is_found_out_by_trying(
    count: int, atomicity: str
) -> None:
    for kinds in subsets(count, "pending"):
        world = World(kinds, atomicity=atomicity, list_faults={0: exc.Timeout})
        results = run(world, count)
        if len(kinds) == 1 and atomicity == "nothing":  # the halves find it
            [bad] = kinds
            assert [i for i in results if results[i].state is not SENT] == [bad]
            assert results[bad].state is REFUSED


def test_what_is_certain_is_not_looked_up() -> None:
    limit = Fault(STOPS["429"])
    world = World({4: "format"}, faults={9: limit})
    assert states(run(world, 12))[10:] == [WAITING] * 2
    assert (len(world.calls), world.listings) == (10, 0)
    world = World({0: "format", 3: "pending"}, faults={5: limit})
    assert states(run(world, 4)) == [REFUSED, SENT, WAITING, REFUSED]
    assert (sizes(world), world.listings) == ([4, 2, 1, 1, 2, 1], 1)


def test_a_lost_call_that_has_happened_was_sent() -> None:
    results = run(World(faults={0: Fault(exc.Timeout, "all")}), 10)
    assert states(results) == [SENT] * 10


def test_a_lost_call_that_has_not_happened_may_come_yet_or_has_failed() -> None:
    assert states(run(World(faults={0: Fault(exc.Timeout)}), 3)) == [UNSETTLED] * 3
    assert states(run(World(faults={0: Fault(LOSSES["500"])}), 3)) == [FAILED] * 3


def test_a_lost_call_for_somebody_whom_another_one_has_invited_is_refused_with_that() -> None:
    for kind, state in (("pending named", REFUSED), ("blocked", UNSETTLED)):
        [result] = run(World({0: kind}, faults={0: Fault(exc.Timeout)}), 1).values()
        assert result.state is state
    world = World({0: "pending"}, faults={0: Fault(exc.Timeout)})
    [result] = run(world, 1).values()
    assert isinstance(result.error, exc.DuplicateInvitation)
    assert result.invitation is not None
    assert (result.invitation.inviter_id, result.invitation.url) == ("user_else", "")


def found_after_a_loss(invitation: Invitation) -> str:
    """What is said of an address whose call was lost, and which has this invitation."""
    world = World(faults={0: Fault(exc.Timeout)})
    world.pending["x"] = invitation
    [result] = send(world, [request(0)]).values()
    return result.state


def test_what_is_found_is_ours_where_our_mark_comes_back_and_nowhere_else() -> None:
    now, mark = datetime.now(UTC), request(0).mark
    alike = World.invitation(address(0), "org:member", USER, now + timedelta(seconds=30), mark)
    assert found_after_a_loss(alike) is SENT
    # Whatever else Clerk makes of it.
    other = replace(alike, role="org:admin", inviter_id="user_else", created_at=now)
    assert found_after_a_loss(other) is SENT
    assert found_after_a_loss(replace(alike, mark=request(1).mark)) is REFUSED
    own = replace(alike, mark="", private_metadata={"cost": 7})
    assert found_after_a_loss(own) is REFUSED
    # Metadata that come back empty may be withheld.
    assert found_after_a_loss(replace(alike, mark="")) is SENT
    assert found_after_a_loss(replace(alike, mark="", role="org:admin")) is REFUSED


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, SENT),
        ({"role": "org:admin"}, REFUSED),
        ({"inviter_id": "user_else"}, REFUSED),
        ({"inviter_id": ""}, SENT),
        ({"expires_at": datetime.now(UTC) + timedelta(days=9)}, REFUSED),
        ({"expires_at": datetime.now(UTC) + timedelta(days=30)}, SENT),
        ({"created_at": datetime.now(UTC) - timedelta(minutes=50)}, REFUSED),
        # So little before the call that it may be the clocks: nobody knows.
        ({"created_at": None}, UNSETTLED),
    ],
    ids=lambda value: next(iter(value), "nothing") if isinstance(value, dict) else value,
)
def test_where_clerk_tells_no_mark_role_inviter_expiry_and_time_decide(
    change: dict[str, Any], state: str
) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=10)  # Clerk's clock
    alike = World.invitation(address(0), "org:member", USER, soon, None)
    assert found_after_a_loss(replace(alike, **change)) is state


def test_what_was_made_a_moment_before_the_call_is_not_claimed_where_clerk_tells_no_mark() -> None:
    before = datetime.now(UTC) - timedelta(seconds=10)
    row = World.invitation(address(0), "org:member", USER, before, None)
    assert found_after_a_loss(row) is UNSETTLED


def test_what_is_known_from_before_is_not_claimed_where_clerk_tells_no_mark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("org_invitations.services.batches.invite.find_taken", set)
    soon = datetime.now(UTC) + timedelta(minutes=10)
    row = World.invitation(address(0), "org:member", USER, soon, None)
    assert found_after_a_loss(row) is REFUSED


# --- Time ----------------------------------------------------------------------------------


def test_a_limit_that_soon_lets_go_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("org_invitations.services.batches.runner.time.sleep", pauses.append)
    for calls in range(4):
        soon = Fault(lambda: exc.RateLimited(status=429, retry_after=3))
        world = World({7: "format"}, faults={calls: soon})
        results = run(world, 25)
        assert [i for i, item in results.items() if item.state is not SENT] == [7]
    assert pauses == [3] * 4


def test_after_the_deadline_nothing_is_sent() -> None:
    world = World(time_for=0)
    results = run(world, 25)
    assert {(item.state, item.reason) for item in results.values()} == {
        (WAITING, "DeadlineExceeded")
    }
    assert world.calls == []


@pytest.mark.parametrize("atomicity", ATOMICITIES)
@pytest.mark.parametrize("calls", range(5))
def test_the_deadline_ends_it_in_the_middle_of_ten_too(calls: int, atomicity: str) -> None:
    world = World({7: "format"}, atomicity=atomicity, time_for=calls)
    results = run(world, 25)
    assert len(world.calls) == calls
    sent = {index for index, result in results.items() if result.state is SENT}
    assert sent == {index for index in range(25) if address(index).casefold() in world.mails}
    rest = set(range(25)) - sent - {7}
    why = {(results[index].state, results[index].reason) for index in rest}
    assert why <= {(WAITING, "DeadlineExceeded")}
    assert len(rest) > 0


# --- Answers that say less or more -----------------------------------------------------------


class Answers(World):
    """Does what it is asked, and tells something else."""

    def __init__(self, told: list[int], **order: Any) -> None:
        super().__init__(**order)
        self.told = told

    def invite_members(self, requests: Sequence[InvitationRequest]) -> tuple[Invitation, ...]:
        rows = list(super().invite_members(requests))
        more = self.invitation("other@example.org", "org:member", USER, self.now)
        return tuple([*rows, more][index] for index in self.told)


def test_an_invitation_that_comes_with_two_addresses_is_nobodys_without_a_look() -> None:
    class Confused(World):
        def invite_members(self, requests: Sequence[InvitationRequest]) -> tuple[Invitation, ...]:
            rows = super().invite_members(requests)
            return (rows[0], replace(rows[1], id=rows[0].id), *rows[2:])

    world = Confused()
    results = run(world, 4)
    assert states(results) == [SENT] * 4
    assert len({item.invitation_id for item in results.values()}) == 4
    assert world.listings == 1


@pytest.mark.parametrize("told", [[3, 2, 1, 0], [0, 1, 2, 3, 4], [4, 3, 1, 2, 0, 0]], ids=str)
def test_rows_are_told_apart_by_their_address(told: list[int]) -> None:
    world = Answers(told)
    assert states(run(world, 4)) == [SENT] * 4
    assert world.listings == 0


@pytest.mark.parametrize("told", [[], [0], [4], [3, 1, 4]], ids=str)
def test_what_an_answer_leaves_out_is_looked_up(told: list[int]) -> None:
    world = Answers(told)
    assert states(run(world, 4)) == [SENT] * 4
    assert world.listings == 1


def test_what_is_left_out_and_not_there_either_is_not_sent_again() -> None:
    class Forgets(Answers):
        def make(self, r: InvitationRequest) -> Invitation:
            row = super().make(r)
            if r.email_address == address(1):
                del self.pending[row.email_address.casefold()]
            return row

    world = Forgets([0, 2, 3])
    results = run(world, 4)
    assert states(results) == [SENT, UNSETTLED, SENT, SENT]
    assert isinstance(results[1].error, exc.InvalidResponse)


def test_what_is_left_out_and_cannot_be_looked_up_ends_it() -> None:
    world = Answers(list(range(9)), list_faults={0: LOSSES["500"]})
    results = run(world, 20)
    assert states(results) == [SENT] * 9 + [UNSETTLED] + [WAITING] * 10
    # Why it is not known is that answer; why the others wait, that Clerk could not be asked.
    assert isinstance(results[9].error, exc.InvalidResponse)
    assert {type(results[index].error) for index in range(10, 20)} == {exc.ServiceUnavailable}


def test_a_single_answer_is_about_the_single_request_however_it_spells_the_address() -> None:
    class Spells(World):
        def invite_member(self, request: InvitationRequest) -> Invitation:
            return replace(super().invite_member(request), email_address="p0@xn--bcher-kva.de")

    [result] = send(Spells(), [request(0)]).values()
    assert result.state is SENT


# --- Looking up ------------------------------------------------------------------------------


class Pages:
    """A list of invitations, newest first, one minute apart."""

    def __init__(self, count: int, minutes: float = 1) -> None:
        now = datetime.now(UTC)
        self.rows = [
            World.invitation(address(i), "org:member", USER, now - i * timedelta(minutes=minutes))
            for i in range(count)
        ]
        self.offsets: list[int] = []

    def get_invitations(
        self, *, status: None, order_by: str, limit: int, offset: int
    ) -> Page[Invitation]:
        assert (status, order_by, limit) == (None, "-created_at", 500)
        self.offsets.append(offset)
        return Page(tuple(self.rows[offset : offset + limit]), len(self.rows))


def looked_up(pages: Pages, *wanted: int) -> list[int]:
    names = {address(index).casefold(): index for index in wanted}
    found, _ = find_rows(pages, names, since=datetime.now(UTC))  # type: ignore[arg-type]
    return sorted(names[name] for name in found)


def test_one_page_does_where_its_end_is_older_than_the_request() -> None:
    pages = Pages(1200)
    assert looked_up(pages, 3, 700) == [3]
    assert pages.offsets == [0]


def test_more_pages_are_read_where_all_on_the_first_are_newer() -> None:
    pages = Pages(1200, minutes=0)
    assert looked_up(pages, 3, 700) == [3, 700]
    assert pages.offsets == [0, 500, 1000]


def test_but_no_more_than_ten() -> None:
    pages = Pages(5100, minutes=0)
    assert looked_up(pages, 3, 5050) == [3]
    assert pages.offsets == list(range(0, 5000, 500))


def test_an_empty_list_is_one_page() -> None:
    pages = Pages(0)
    assert looked_up(pages, 0) == []
    assert pages.offsets == [0]


def test_all_of_an_address_are_found_whatever_became_of_them() -> None:
    pages = Pages(3)
    pages.rows[1] = replace(pages.rows[1], status=InvitationStatus.REVOKED)
    pages.rows[2] = replace(pages.rows[2], email_address=address(1).upper())
    name = address(1).casefold()
    found, _ = find_rows(pages, {name}, since=datetime.now(UTC))  # type: ignore[arg-type]
    assert found == {name: pages.rows[1:]}


# --- The world itself ------------------------------------------------------------------------


def test_the_judge_is_not_blind() -> None:
    """A sender that trusts a refusal, or repeats what it has lost, is found out."""
    world = World({3: "format"}, atomicity="good")
    with pytest.raises(exc.InvalidEmailAddress):
        world.invite_members([request(i) for i in range(4)])
    liar = {i: BatchItem(state=REFUSED) for i in range(4)}
    with pytest.raises(AssertionError):
        judge(world, 4, liar)
    with pytest.raises(AssertionError):
        run(Repeats(faults={0: Fault(exc.Timeout, "all")}), 1)


class Repeats(World):
    """Sends again what was lost, as a careless client would, to a Clerk that makes two of it."""

    def invite_member(self, request: InvitationRequest) -> Invitation:
        try:
            return super().invite_member(request)
        except exc.Timeout:
            self.pending.clear()
            return super().invite_member(request)
