"""What is left to workers: whose turn it is, what becomes of it, and who stops it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count
from django.test import override_settings
from django.utils import timezone

from org_invitations.addresses import parse_text
from org_invitations.clerk import exceptions as exc
from org_invitations.clerk.exceptions import BULK_INVITATIONS, SINGLE_INVITATIONS
from org_invitations.clients import forget_clients
from org_invitations.concurrency import gather
from org_invitations.emulator import Emulator
from org_invitations.models import Batch, BatchItem, CallSlot, Heartbeat
from org_invitations.roles import GrantPolicy
from org_invitations.services import InvitationService, NotPermitted
from org_invitations.services.batches.background import is_tried_again
from org_invitations.services.batches.heartbeat import SILENCE, get_last_seen, is_missed
from org_invitations.services.batches.revoke import GROUP_SIZE
from org_invitations.services.batches.store import claim
from org_invitations.services.batches.tick import Tick, tick
from org_invitations.services.limits import BULK_LIMIT, SINGLE_LIMIT, Pool
from org_invitations.services.preview import PreviewStatus
from tests.leases import let_time_pass
from tests.ledger import allow_many

from .ledger import spend
from .test_services import ADA, BO, CREATE, MIA, asked, make_service

State = BatchItem.State

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_in_background")]

BULK = f"{CREATE}/bulk"


@pytest.fixture
def _in_background(settings: Any) -> None:
    settings.ORG_INVITATIONS_BACKGROUND = True


@pytest.fixture
def emulator(clerk_emulator: Emulator) -> Emulator:
    allow_many(clerk_emulator)
    return clerk_emulator


def addresses(count: int, name: str = "person") -> list[BatchItem]:
    return [
        BatchItem(email_address=f"{name}{number}@example.com", role="org:member")
        for number in range(count)
    ]


def begin(service: InvitationService, count: int, name: str = "person", **more: Any) -> Batch:
    """Leave so many invitations to workers."""
    batch, _ = service.begin(
        Batch.Action.INVITE,
        addresses(count, name),
        key=None,
        options={"role": "org:member"},
        at_once=False,
        **more,
    )
    assert batch.in_background
    return batch


def states(batch: Batch) -> Counter[str]:
    return Counter(BatchItem.objects.filter(batch=batch).values_list("state", flat=True))


def pending(emulator: Emulator, organization: str = "acme") -> Counter[str]:
    return Counter(row.email_address for row in emulator.invitations(organization, "pending"))


def creating(emulator: Emulator) -> list[int]:
    """How many addresses each call had that was to create some."""
    calls = [call for call in emulator.requests if call.method == "POST"]
    return [len(call.body) if isinstance(call.body, list) else 1 for call in calls]


# --- One turn ------------------------------------------------------------------------------------


def test_what_is_left_to_workers_is_sent_by_one_and_by_nobody_else(emulator: Emulator) -> None:
    service = make_service(emulator)
    before = pending(emulator)
    batch = begin(service, 25)
    assert [item.state for item in service.run(batch)] == [State.WAITING] * 25
    assert [item.state for item in service.resume(batch)] == [State.WAITING] * 25
    assert pending(emulator) == before
    done = tick()
    assert done == Tick(25, None)
    assert states(batch) == {State.DONE: 25}
    assert set((pending(emulator) - before).values()) == {1}
    batch.refresh_from_db()
    assert batch.finished_at is not None
    assert not BatchItem.objects.exclude(leased_by="").exists()
    assert tick() == Tick(0, None)


def test_what_one_call_takes_is_done_at_once_and_more_is_left_to_workers(
    emulator: Emulator, settings: Any
) -> None:
    def is_left(count: int) -> bool:
        batch, _ = make_service(emulator).begin(
            Batch.Action.INVITE, addresses(count), key=None, options={}
        )
        assert bool(batch.items.exclude(leased_by="").count()) is not batch.in_background
        return batch.in_background

    assert [is_left(count) for count in (1, 10, 11, 500)] == [False, False, True, True]
    settings.ORG_INVITATIONS_BACKGROUND = False
    assert not is_left(500)


def test_tens_go_together_and_what_is_left_over_one_by_one(emulator: Emulator) -> None:
    begin(make_service(emulator), 23)
    emulator.clear_requests()
    tick()
    assert creating(emulator) == [10, 10, 1, 1, 1]
    kept = CallSlot.objects.exclude(called_at=None)
    assert Counter(kept.values_list("limit", "addresses")) == {
        (BULK_INVITATIONS, 10): 2,
        (SINGLE_INVITATIONS, 1): 3,
    }
    assert set(kept.values_list("organization_id", flat=True)) == {emulator.organization("acme").id}


def test_who_has_few_is_not_held_up_by_who_has_many(emulator: Emulator) -> None:
    large = begin(make_service(emulator), 400)
    # They burst through a fifth of the hour, and then leave some to those who may come.
    first = tick(600)
    assert first.next_in is not None
    assert first.next_in > 0
    assert states(large)[State.DONE] == first.items <= (45 * 10 + 225) / 5 + 11
    small = begin(make_service(emulator, BO, "globex"), 5, "few")
    assert tick().items == 5
    assert states(small) == {State.DONE: 5}


def test_a_limit_that_lies_idle_is_used_for_tens_as_well(emulator: Emulator) -> None:
    spend(BULK_LIMIT, BULK_INVITATIONS)
    batch = begin(make_service(emulator), 20)
    tick()
    assert states(batch) == {State.DONE: 20}


def test_where_no_call_is_left_all_waits_until_one_is(emulator: Emulator) -> None:
    spend(BULK_LIMIT, BULK_INVITATIONS)
    spend(SINGLE_LIMIT)
    batch = begin(make_service(emulator), 5)
    emulator.clear_requests()
    done = tick()
    assert done.items == 0
    assert done.next_in == pytest.approx(3605, abs=30)
    assert asked(emulator) == []
    assert states(batch) == {State.WAITING: 5}


def test_what_is_free_and_of_no_use_to_who_waits_does_not_keep_a_worker_turning(
    emulator: Emulator,
) -> None:
    spend(SINGLE_LIMIT)
    batch = begin(make_service(emulator), 3)
    assert tick() == Tick(0, 1.0)
    assert states(batch) == {State.WAITING: 3}


def test_two_or_three_of_a_small_one_take_a_call_of_ten_once_they_have_waited(
    emulator: Emulator,
) -> None:
    spend(SINGLE_LIMIT)
    batch = begin(make_service(emulator), 3)
    assert tick().items == 0
    Batch.objects.update(created_at=batch.created_at - timedelta(seconds=61))
    assert tick().items == 3
    assert states(batch) == {State.DONE: 3}


def test_a_pool_is_used_up_evenly_after_a_burst() -> None:
    assert Pool(45, 45).share == 10
    assert Pool(45, 36, (3605.0,) * 9).wait == 5
    assert Pool(45, 36, (3600.0,) * 9).share == 1
    assert Pool(45, 35, (3605.0,) * 10).share == 0
    assert Pool(45, 35, (3605.0,) * 10).wait == 105


def test_what_comes_back_after_an_hour_goes_again_at_once() -> None:
    even = tuple(100.0 * number for number in range(1, 37))  # as they come back after an hour
    assert Pool(45, 9, even).share == 9
    assert Pool(45, 1, even).share == 1
    assert Pool(45, 0, even).share == 0
    assert Pool(45, 0, even).wait == 100
    # An hour ago those with few took more than evenly: that is none to make up for.
    last = tuple(16.0 * number + 5 for number in range(1, 150)) + (3600.0,) * 70
    assert Pool(225, 6, last).share == 0
    assert Pool(225, 6, last, returned=6).share == 6
    assert Pool(225, 6, last, returned=6).wait == 0


def test_before_a_gap_some_are_held_back_for_who_comes_next() -> None:
    gap = (1.0, 2.0, *(900.0 + 70 * number for number in range(34)))
    assert Pool(45, 9, gap).share == 3
    assert Pool(45, 1, gap, returned=1).share == 0
    assert Pool(45, 1, gap, returned=1).wait == 600


def test_clerks_refusal_is_believed_by_all_workers_and_what_it_met_waits(
    emulator: Emulator,
) -> None:
    emulator.fault("POST", BULK, status=429, headers={"Retry-After": "1200"}, body="{}")
    emulator.fault("POST", CREATE, status=429, headers={"Retry-After": "99999"}, body="{}")
    batch = begin(make_service(emulator), 23)
    emulator.clear_requests()
    tick()
    assert len(creating(emulator)) == 2
    assert states(batch) == {State.WAITING: 23}
    wait = tick().next_in
    assert wait == pytest.approx(1200, abs=30)
    assert len(creating(emulator)) == 2
    CallSlot.objects.update(free_at=timezone.now())
    tick()
    assert states(batch) == {State.DONE: 23}


def test_a_form_can_be_for_more_than_a_request_could_send(
    emulator: Emulator, settings: Any
) -> None:
    entries = parse_text("\n".join(item.email_address for item in addresses(101)))
    service = make_service(emulator)

    def later() -> int:
        preview = service.preview(service.open(), entries, "org:member")
        return sum(item.status == PreviewStatus.LATER for item in preview.items)

    assert later() == 0
    settings.ORG_INVITATIONS_BACKGROUND = False
    assert later() == 1


# --- Rights --------------------------------------------------------------------------------------


def demote(emulator: Emulator, user: str = ADA) -> None:
    row = emulator.state.membership(emulator.organization("acme").id, emulator.user(user).id)
    assert row is not None
    row.role = "org:member"


def test_who_lost_the_right_stops_all_of_it_and_it_says_why(emulator: Emulator) -> None:
    batch = begin(make_service(emulator), 40)
    demote(emulator)
    emulator.clear_requests()
    tick()
    assert creating(emulator) == []
    assert states(batch) == {State.REFUSED: 40}
    assert set(batch.items.values_list("reason", flat=True)) == {"PermissionDenied"}
    batch.refresh_from_db()
    assert batch.finished_at is not None


def test_the_right_is_asked_for_between_the_calls(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = begin(make_service(emulator), 40)
    handle = emulator.handle

    def then_demoted(request: Any, **more: Any) -> Any:
        answer = handle(request, **more)
        if request.method == "POST":
            demote(emulator)
        return answer

    emulator.handle = then_demoted  # type: ignore[method-assign]
    monkeypatch.setattr("org_invitations.services.snapshot._CHECK_SECONDS", 0)
    tick()
    assert states(batch) == {State.DONE: 10, State.REFUSED: 30}


def test_a_role_that_may_not_be_given_any_more_is_refused_and_the_others_go(
    emulator: Emulator,
) -> None:
    service = make_service(emulator)
    items = addresses(12)
    items[3].role = "org:admin"
    batch, _ = service.begin(Batch.Action.INVITE, items, key=None, options={})
    row = emulator.state.membership(emulator.organization("acme").id, emulator.user(ADA).id)
    assert row is not None
    row.permissions = ("org:sys_memberships:manage", "org:sys_memberships:read",
                       "org:sys_billing:read", "org:invoices:read")  # fmt: skip
    tick()
    assert states(batch) == {State.DONE: 11, State.REFUSED: 1}


def test_what_actors_began_stops_where_they_may_do_nothing_any_more(
    emulator: Emulator, settings: Any
) -> None:
    service = make_service(emulator)
    service.actor_id = "user_support"
    batch = begin(service, 12)
    settings.ORG_INVITATIONS_ALLOW_IMPERSONATION = False
    emulator.clear_requests()
    assert tick().items == 0
    assert asked(emulator) == []
    batch.refresh_from_db()
    assert (batch.paused_by, batch.paused_because) == ("", "Impersonation")
    settings.ORG_INVITATIONS_ALLOW_IMPERSONATION = True
    service.unpause(service.open(fresh=True), batch)
    tick()
    assert states(batch) == {State.DONE: 12}


class Nobody(GrantPolicy):
    """A rule by which nobody may give any role."""

    def may_grant(self, role: Any, **about: Any) -> bool:
        return False


class Telling(InvitationService):
    """A service that puts something into the metadata."""

    def get_metadata(self, batch: Batch, item: BatchItem) -> Any:
        return {"public_metadata": {"by": "a worker"}}


def test_a_worker_uses_the_service_and_the_rule_of_the_mount_that_began_it(
    emulator: Emulator,
) -> None:
    whose = {
        "organization_id": emulator.organization("acme").id,
        "user_id": emulator.user(ADA).id,
    }
    plain = make_service(emulator)
    telling = Telling(plain.api.client, **whose)
    strict = Telling(plain.api.client, **whose)
    strict.policy = Nobody()
    told, refused = begin(telling, 11, "told"), begin(strict, 11, "refused")
    assert (told.service, told.policy) == ("tests.test_background.Telling", "")
    assert refused.policy == "tests.test_background.Nobody"
    tick()
    assert states(told) == {State.DONE: 11}
    assert states(refused) == {State.REFUSED: 11}
    made = [row for row in emulator.invitations("acme", "pending") if "told" in row.email_address]
    assert {row.public_metadata["by"] for row in made} == {"a worker"}


def test_what_no_worker_would_find_is_not_begun(emulator: Emulator) -> None:
    class Hidden(GrantPolicy):
        """Nobody finds it by its name."""

    service = make_service(emulator)
    service.policy = Hidden()
    with pytest.raises(ImproperlyConfigured, match=r"Hidden.* cannot be imported"):
        begin(service, 11)
    assert not Batch.objects.exists()


def test_a_class_that_is_gone_stops_the_batch_and_no_other_rule_takes_its_place(
    emulator: Emulator,
) -> None:
    batch, other = begin(make_service(emulator), 11), begin(make_service(emulator), 11, "other")
    for gone in ("tests.test_background.Gone", "tests.test_background.Emulator", "gone"):
        Batch.objects.filter(pk=batch.pk).update(policy=gone, paused_at=None)
        tick()
        batch.refresh_from_db()
        assert batch.paused_because == "Background:class"
        assert states(batch) == {State.WAITING: 11}
    assert states(other) == {State.DONE: 11}


def test_workers_take_what_is_of_their_own_instance(emulator: Emulator) -> None:
    batch = begin(make_service(emulator), 11)
    Batch.objects.update(instance="clerk.other.example")
    assert tick() == Tick(0, None)
    assert states(batch) == {State.WAITING: 11}


# --- What somebody has left ----------------------------------------------------------------------


class Kill(BaseException):
    """The process is gone; nothing that it would still do happens."""


def die_in(emulator: Emulator, method: str, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker be killed in its next call, ``before`` it takes effect or ``after``."""
    handle = emulator.handle

    def killed(request: Any, **more: Any) -> Any:
        if request.method == method:
            if when == "after":
                handle(request, **more)
            raise Kill
        return handle(request, **more)

    with monkeypatch.context() as patch:
        patch.setattr(emulator, "handle", killed)
        # Whoever is dead writes nothing down.
        patch.setattr("org_invitations.services.batches.runner.release", lambda *_: None)
        with pytest.raises(Kill):
            tick()


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_killed_worker_was_at_is_looked_up_and_goes_on(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    before = pending(emulator)
    batch = begin(make_service(emulator), 20)
    die_in(emulator, "POST", when, monkeypatch)
    assert states(batch) == {State.UNDER_WAY: 10, State.WAITING: 10}
    tick()  # the rest goes on at once, and what nobody knows of is left alone
    assert states(batch) == {State.UNDER_WAY: 10, State.DONE: 10}
    let_time_pass()
    tick()
    assert states(batch) == {State.DONE: 20}
    assert set((pending(emulator) - before).values()) == {1}
    assert sum((pending(emulator) - before).values()) == 20
    batch.refresh_from_db()
    assert batch.finished_at is not None


def test_what_somebody_else_found_not_to_have_happened_goes_on(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service(emulator)
    batch = begin(service, 10)
    die_in(emulator, "POST", "before", monkeypatch)
    let_time_pass()
    service.open()
    service.reconcile(batch)
    assert states(batch) == {State.FAILED: 10}
    tick()
    assert states(batch) == {State.DONE: 10}


def test_what_failed_for_a_reason_that_passes_is_tried_again_later_and_not_for_ever(
    emulator: Emulator,
) -> None:
    emulator.fault("POST", "*", status=500, times=None)
    batch = begin(make_service(emulator), 11)
    tick()
    assert states(batch) == {State.WAITING: 11}
    assert tick() == Tick(0, None)  # not at once
    for _ in range(6):
        BatchItem.objects.update(retry_at=None)
        tick()
    assert states(batch) == {State.FAILED: 11}
    assert set(batch.items.values_list("reason", flat=True)) == {"ServiceUnavailable"}
    assert set(batch.items.values_list("tries", flat=True)) == {5}


def test_while_clerk_is_not_reached_it_is_left_alone_and_nothing_is_lost(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: Any, **__: Any) -> Any:
        raise exc.ConnectionFailed

    batches = [begin(make_service(emulator), 11, name) for name in ("a", "b", "c")]
    with monkeypatch.context() as patch:
        patch.setattr("org_invitations.clerk.client.ClerkClient._send", unreachable)
        assert tick().next_in == 30
    assert [states(batch) for batch in batches] == [{State.WAITING: 11}] * 3
    forget_clients()
    Batch.objects.update(not_before=None)
    tick()
    assert [states(batch) for batch in batches] == [{State.DONE: 11}] * 3


def test_a_hook_of_the_sites_that_fails_keeps_back_its_own_batch_alone(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = begin(make_service(emulator), 11, "bad"), begin(make_service(emulator), 11, "good")
    work = InvitationService.work

    def fails(self: InvitationService, batch: Batch, *args: Any, **more: Any) -> Any:
        if batch.pk == bad.pk:
            raise RuntimeError("a hook")
        return work(self, batch, *args, **more)

    monkeypatch.setattr(InvitationService, "work", fails)
    tick()
    assert states(bad) == {State.WAITING: 11}
    assert states(good) == {State.DONE: 11}


def test_a_worker_that_is_to_end_begins_no_further_call(emulator: Emulator) -> None:
    batch = begin(make_service(emulator), 40)
    emulator.clear_requests()
    tick(should_stop=lambda: bool(creating(emulator)))
    assert creating(emulator) == [10]
    assert states(batch) == {State.DONE: 10, State.WAITING: 30}
    assert not BatchItem.objects.exclude(leased_by="").exists()


# --- Sending again and revoking ------------------------------------------------------------------


def test_many_are_sent_again_and_revoked_by_workers(emulator: Emulator) -> None:
    rows = [emulator.add_invitation("acme", f"old{number}@example.com") for number in range(12)]
    service = make_service(emulator)
    again = [
        BatchItem(replaces_id=row.id, email_address=row.email_address, role=row.role)
        for row in rows
    ]
    resent, _ = service.begin(Batch.Action.RESEND, again, key=None, options={})
    tick()
    assert states(resent) == {State.DONE: 12}
    assert CallSlot.objects.filter(limit=SINGLE_INVITATIONS, addresses=1).count() == 12
    ids = resent.items.values_list("invitation_id", flat=True)
    revoking = [BatchItem(invitation_id=invitation_id) for invitation_id in ids]
    revoked, _ = service.begin(Batch.Action.REVOKE, revoking, key=None, options={})
    tick()
    assert states(revoked) == {State.DONE: 12}
    assert not [address for address in pending(emulator) if address.startswith("old")]


def test_a_resend_whose_second_half_is_missing_is_finished_by_a_worker(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [emulator.add_invitation("acme", f"old{number}@example.com") for number in range(11)]
    again = [
        BatchItem(replaces_id=row.id, email_address=row.email_address, role=row.role)
        for row in rows
    ]
    resent, _ = make_service(emulator).begin(Batch.Action.RESEND, again, key=None, options={})
    emulator.fault("POST", CREATE, status=429, headers={"Retry-After": "600"}, body="{}")
    tick()
    assert states(resent) == {State.HALF_DONE: 1, State.WAITING: 10}
    tick()
    assert states(resent) == {State.HALF_DONE: 1, State.WAITING: 10}
    CallSlot.objects.update(free_at=timezone.now())
    tick()
    assert states(resent) == {State.DONE: 11}


# --- Pause, continue, cancel ---------------------------------------------------------------------


def test_who_could_have_begun_it_sees_pauses_continues_and_cancels_it(emulator: Emulator) -> None:
    batch = begin(make_service(emulator), 30)
    other = make_service(emulator, BO)
    snapshot = other.open(fresh=True)
    assert other.get_background_batches() == [batch]
    assert other.find_background_batch(snapshot, batch.pk) == batch
    other.pause(snapshot, batch)
    assert (batch.paused_by, batch.paused_because) == (emulator.user(BO).id, "")
    assert tick() == Tick(0, None)
    other.unpause(snapshot, batch)
    assert batch.paused_at is None
    emulator.clear_requests()
    tick(should_stop=lambda: bool(creating(emulator)))
    assert other.cancel_rest(snapshot, batch) == 20
    assert states(batch) == {State.DONE: 10, State.FAILED: 20}
    assert tick() == Tick(0, None)
    left = batch.items.filter(state=State.FAILED)
    assert set(left.values_list("reason", flat=True)) == {"cancelled"}
    batch.refresh_from_db()
    assert batch.finished_at is not None
    assert other.get_background_batches() == []


def test_who_could_not_have_begun_it_does_not_see_it(emulator: Emulator) -> None:
    items = addresses(11)
    items[0].role = "org:admin"
    service = make_service(emulator)
    batch, _ = service.begin(Batch.Action.INVITE, items, key=None, options={})
    manager = make_service(emulator, MIA)  # who may not give the role of admins
    snapshot = manager.open(fresh=True)
    assert manager.find_background_batch(snapshot, batch.pk) is None
    for steer in (manager.pause, manager.unpause, manager.cancel_rest):
        with pytest.raises(NotPermitted):
            steer(snapshot, batch)
    elsewhere = make_service(emulator, BO, "globex")
    assert elsewhere.find_background_batch(elsewhere.open(fresh=True), batch.pk) is None
    assert elsewhere.get_background_batches() == []
    with pytest.raises(NotPermitted):
        make_service(emulator, BO).pause(snapshot, batch)  # it was not opened
    batch.refresh_from_db()
    assert batch.paused_at is None


def test_what_a_worker_is_at_is_not_cancelled(emulator: Emulator) -> None:
    service = make_service(emulator)
    batch = begin(service, 20)
    snapshot = service.open(fresh=True)
    handle = emulator.handle

    def cancelling(request: Any, **more: Any) -> Any:
        if request.method == "POST":
            service.cancel_rest(snapshot, batch)
        return handle(request, **more)

    emulator.handle = cancelling  # type: ignore[method-assign]
    tick()
    assert states(batch) == {State.DONE: 10, State.FAILED: 10}


def meanwhile(emulator: Emulator, do: Callable[[], Any]) -> None:
    """Let something happen while a call is out that changes something."""
    handle = emulator.handle

    def handled(request: Any, **more: Any) -> Any:
        if request.method == "POST":
            do()
        return handle(request, **more)

    emulator.handle = handled  # type: ignore[method-assign]


def test_nothing_of_a_portion_is_sent_while_it_is_paused(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [emulator.add_invitation("acme", f"old{number}@example.com") for number in range(30)]
    service = make_service(emulator)
    items = [BatchItem(invitation_id=row.id) for row in rows]
    batch, _ = service.begin(Batch.Action.REVOKE, items, key=None, options={})
    snapshot = service.open(fresh=True)

    def pausing(calls: Any) -> Any:
        service.pause(snapshot, batch)
        return gather(calls)

    with monkeypatch.context() as patch:
        patch.setattr("org_invitations.services.batches.revoke.gather", pausing)
        tick()
    assert states(batch) == {State.DONE: GROUP_SIZE, State.WAITING: 30 - GROUP_SIZE}
    assert not BatchItem.objects.exclude(leased_by="").exists()
    service.unpause(snapshot, batch)
    tick()
    assert states(batch) == {State.DONE: 30}


def test_of_several_single_calls_none_goes_out_after_a_pause(emulator: Emulator) -> None:
    service = make_service(emulator)
    batch = begin(service, 3)
    snapshot = service.open(fresh=True)
    meanwhile(emulator, lambda: service.pause(snapshot, batch))
    tick()
    assert states(batch) == {State.DONE: 1, State.WAITING: 2}
    tick()
    assert states(batch) == {State.DONE: 1, State.WAITING: 2}


def test_a_call_that_is_refused_is_not_divided_while_it_is_paused(emulator: Emulator) -> None:
    service = make_service(emulator)
    batch = begin(service, 10)
    snapshot = service.open(fresh=True)
    emulator.add_invitation("acme", "person4@example.com")
    meanwhile(emulator, lambda: service.pause(snapshot, batch))
    emulator.clear_requests()
    tick()
    assert creating(emulator) == [10]
    assert states(batch)[State.DONE] == 0
    assert states(batch)[State.WAITING] >= 9
    service.unpause(snapshot, batch)
    del emulator.handle
    tick()
    assert states(batch) == {State.DONE: 9, State.REFUSED: 1}


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_dead_worker_held_is_cancelled_with_the_rest(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    service = make_service(emulator)
    batch = begin(service, 20)
    die_in(emulator, "POST", when, monkeypatch)
    assert states(batch) == {State.UNDER_WAY: 10, State.WAITING: 10}
    let_time_pass()
    assert service.cancel_rest(service.open(fresh=True), batch) == 10
    emulator.clear_requests()
    for _ in range(2):  # what became of the others is found out, and nothing is sent
        tick()
    assert creating(emulator) == []
    known = {"before": {State.FAILED: 20}, "after": {State.DONE: 10, State.FAILED: 10}}
    assert states(batch) == known[when]
    failed = batch.items.filter(state=State.FAILED)
    assert set(failed.values_list("reason", flat=True)) == {"cancelled"}
    batch.refresh_from_db()
    assert batch.finished_at is not None


def test_what_a_dead_worker_had_only_claimed_is_cancelled_at_once(emulator: Emulator) -> None:
    service = make_service(emulator)
    batch = begin(service, 20)
    assert claim(batch, "dead", at_most=10) == 10
    assert service.cancel_rest(service.open(fresh=True), batch) == 20
    assert states(batch) == {State.FAILED: 20}


def test_what_others_find_not_to_have_happened_after_a_cancel_is_cancelled(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service(emulator)
    batch = begin(service, 10)
    die_in(emulator, "POST", "before", monkeypatch)
    let_time_pass()
    assert service.cancel_rest(service.open(fresh=True), batch) == 0
    service.reconcile(batch)
    tick()
    assert set(batch.items.values_list("state", "reason")) == {(State.FAILED, "cancelled")}


@pytest.mark.parametrize(("status", "headers"), [(500, {}), (503, {}), (429, {"Retry-After": "1"})])
def test_what_is_refused_for_a_reason_that_passes_after_a_cancel_is_not_tried_again(
    emulator: Emulator, status: int, headers: dict[str, str]
) -> None:
    service = make_service(emulator)
    batch = begin(service, 20)
    snapshot = service.open(fresh=True)
    emulator.fault("POST", "*", status=status, headers=headers, body="{}")
    meanwhile(emulator, lambda: service.cancel_rest(snapshot, batch))
    emulator.clear_requests()
    tick()
    let_time_pass()
    BatchItem.objects.update(retry_at=None)
    CallSlot.objects.update(free_at=timezone.now())
    tick()
    assert len(creating(emulator)) == 1
    assert states(batch) == {State.FAILED: 20}
    batch.refresh_from_db()
    assert batch.finished_at is not None


def test_nothing_of_a_portion_is_sent_after_a_cancel(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [emulator.add_invitation("acme", f"old{number}@example.com") for number in range(30)]
    service = make_service(emulator)
    items = [BatchItem(invitation_id=row.id) for row in rows]
    batch, _ = service.begin(Batch.Action.REVOKE, items, key=None, options={})
    snapshot = service.open(fresh=True)

    def cancelling(calls: Any) -> Any:
        service.cancel_rest(snapshot, batch)
        return gather(calls)

    monkeypatch.setattr("org_invitations.services.batches.revoke.gather", cancelling)
    tick()
    assert set(batch.items.values_list("state", "reason").annotate(Count("pk")).order_by()) == {
        (State.DONE, "", GROUP_SIZE),
        (State.FAILED, "cancelled", 30 - GROUP_SIZE),
    }


def test_a_resend_is_finished_that_was_under_way_at_a_cancel_and_no_other_is_begun(
    emulator: Emulator,
) -> None:
    rows = [emulator.add_invitation("acme", f"old{number}@example.com") for number in range(12)]
    again = [
        BatchItem(replaces_id=row.id, email_address=row.email_address, role=row.role)
        for row in rows
    ]
    service = make_service(emulator)
    batch, _ = service.begin(Batch.Action.RESEND, again, key=None, options={})
    snapshot = service.open(fresh=True)
    meanwhile(emulator, lambda: service.cancel_rest(snapshot, batch))
    tick()
    assert states(batch) == {State.DONE: 1, State.FAILED: 11}
    # A call of the hour's that was not made is not counted.
    assert CallSlot.objects.exclude(called_at=None).count() == 1


def test_a_resend_that_is_half_done_at_a_cancel_is_left_to_people(emulator: Emulator) -> None:
    rows = [emulator.add_invitation("acme", f"old{number}@example.com") for number in range(11)]
    again = [
        BatchItem(replaces_id=row.id, email_address=row.email_address, role=row.role)
        for row in rows
    ]
    service = make_service(emulator)
    batch, _ = service.begin(Batch.Action.RESEND, again, key=None, options={})
    emulator.fault("POST", CREATE, status=429, headers={"Retry-After": "600"}, body="{}")
    tick()
    [half] = batch.items.filter(state=State.HALF_DONE).select_related("batch")
    assert is_tried_again(half)
    service.cancel_rest(service.open(fresh=True), batch)
    CallSlot.objects.update(free_at=timezone.now())
    tick()
    assert states(batch) == {State.HALF_DONE: 1, State.FAILED: 10}
    [half] = batch.items.filter(state=State.HALF_DONE).select_related("batch")
    assert not is_tried_again(half)


# --- Whether there are workers -------------------------------------------------------------------


def test_a_worker_says_that_it_is_there_and_is_missed_where_something_waits(
    emulator: Emulator,
) -> None:
    service = make_service(emulator)
    instance = service.ledger.instance
    assert get_last_seen(instance) is None
    batch = begin(service, 11)
    assert not is_missed(instance)  # it has only just begun
    Batch.objects.update(created_at=timezone.now() - SILENCE - timedelta(seconds=1))
    assert is_missed(instance)
    with override_settings(ORG_INVITATIONS_ALLOW_IMPERSONATION=True):
        tick(max_seconds=0)
    assert is_missed(instance)  # a turn without time is none
    Heartbeat.objects.create(instance=instance, seen_at=timezone.now() - SILENCE)
    assert is_missed(instance)
    service.open(fresh=True)
    tick()
    assert get_last_seen(instance) is not None
    assert not is_missed(instance)
    assert states(batch) == {State.DONE: 11}
