"""The memory of what was set out to be done."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from org_invitations.clerk.exceptions import PermissionDenied, RateLimited
from org_invitations.emulator import Emulator
from org_invitations.models import Batch, BatchItem
from org_invitations.services.batches.reconcile import reconcile_batch
from org_invitations.services.batches.runner import Progress
from org_invitations.services.batches.store import (
    STALE_AFTER,
    KeyReused,
    LeaseLost,
    cancel,
    claim,
    find_batch,
    find_begun,
    get_items,
    get_or_create,
    is_at_work,
    is_over,
    record,
    release,
    save_found,
    save_progress,
)
from org_invitations.services.reasons import Reason
from org_invitations.signals import invitation_created, invitation_revoked

from .leases import ME, let_time_pass
from .views.conftest import Browser, ada, clerk

pytestmark = pytest.mark.django_db

__all__ = ["ada", "clerk"]  # fixtures

State = BatchItem.State

OTHER = "other"

ACME: dict[str, Any] = {"organization_id": "org_acme", "user_id": "user_ada"}


def begin(batch_id: UUID | None = None, *addresses: str, **more: Any) -> tuple[Batch, bool]:
    values: dict[str, Any] = {"action": Batch.Action.INVITE, "options": {}, **ACME, **more}
    items = [BatchItem(email_address=address) for address in addresses or ("a@x.org", "b@x.org")]
    values.setdefault("leased_by", ME)
    return get_or_create(batch_id or uuid4(), values.pop("action"), items, **values)


def over(batch: Batch, ago: timedelta) -> None:
    """Let all of a batch be done, and its end lie a while back."""
    items = [record(item, State.DONE) for item in get_items(batch)]
    save_progress(batch, items)
    Batch.objects.filter(pk=batch.pk).update(finished_at=timezone.now() - ago)


def test_what_is_going_to_be_done_is_written_down_first() -> None:
    batch, is_new = begin(None, "a@x.org", "b@x.org")
    assert is_new
    assert is_at_work(get_items(batch))
    assert [(item.number, item.email_address, item.state) for item in get_items(batch)] == [
        (0, "a@x.org", "waiting"),
        (1, "b@x.org", "waiting"),
    ]


def test_the_same_wish_under_the_same_id_is_the_same_batch() -> None:
    first, _ = begin()
    again, is_new = begin(first.id)
    assert (again, is_new) == (first, False)
    assert BatchItem.objects.count() == 2


@pytest.mark.parametrize(
    "other",
    [
        {"action": Batch.Action.RESEND},
        {"options": {"role": "org:admin"}},
    ],
)
def test_another_wish_under_the_same_id_is_refused_and_shown_what_there_is(
    other: dict[str, Any],
) -> None:
    first, _ = begin()
    with pytest.raises(KeyReused) as taken:
        begin(first.id, **other)
    assert taken.value.batch == first
    with pytest.raises(KeyReused):
        begin(first.id, "a@x.org", "c@x.org")
    assert BatchItem.objects.count() == 2


def test_two_invitations_of_one_address_are_not_one_wish() -> None:
    def revoke(batch_id: UUID, invitation_id: str) -> tuple[Batch, bool]:
        item = BatchItem(email_address="a@x.org", invitation_id=invitation_id)
        return get_or_create(batch_id, Batch.Action.REVOKE, [item], options={}, **ACME)

    batch, _ = revoke(uuid4(), "orginv_1")
    assert revoke(batch.id, "orginv_1") == (batch, False)
    with pytest.raises(KeyReused):
        revoke(batch.id, "orginv_2")


@pytest.mark.parametrize("other", [{"user_id": "user_bo"}, {"organization_id": "org_globex"}])
def test_somebody_elses_batch_does_not_exist_and_cannot_be_begun(other: dict[str, str]) -> None:
    batch, _ = begin()
    assert find_batch(batch.id, **ACME) == batch
    assert find_batch(batch.id, **ACME | other) is None
    with pytest.raises(KeyReused) as taken:
        begin(batch.id, **other)
    assert taken.value.batch is None


def test_nobody_is_at_work_on_what_has_not_moved_for_long() -> None:
    batch, _ = begin()
    assert is_at_work(get_items(batch))
    let_time_pass()
    assert not is_at_work(get_items(batch))
    save_progress(batch, [], ME)
    assert is_at_work(get_items(batch))  # it was only slow, and nobody has taken over
    release(batch, ME)
    assert not is_at_work(get_items(batch))


def test_of_two_who_take_up_a_batch_one_gets_it() -> None:
    batch, _ = begin()
    assert not claim(batch, OTHER)  # who began it is at work
    assert claim(batch, ME) == 2
    release(batch, ME)
    assert [claim(batch, ME), claim(batch, OTHER)] == [2, 0]
    assert is_at_work(get_items(batch))


def test_who_really_sits_there_is_kept_until_it_is_somebody_else() -> None:
    batch, _ = begin(actor_id="user_support")
    for actor_id, kept in (("", "user_support"), ("user_second", "user_second")):
        release(batch, ME)
        assert claim(batch, ME, actor_id=actor_id) == 2
        assert batch.actor_id == Batch.objects.get().actor_id == kept


def test_what_somebody_died_over_can_be_taken_up() -> None:
    batch, _ = begin()
    let_time_pass()
    assert claim(batch, OTHER) == 2


def test_only_what_waits_and_is_meant_for_this_run_is_taken_up() -> None:
    batch, _ = begin(None, "a@x.org", "b@x.org", "c@x.org", leased_by="")
    _, unsettled, later = get_items(batch)
    record(unsettled, State.UNSETTLED)
    record(later, State.WAITING, Reason("later"))
    save_progress(batch, [unsettled, later])
    assert claim(batch, ME) == 1


def test_who_was_stopped_for_too_long_sends_nothing_that_another_one_has_taken_over() -> None:
    batch, _ = begin()
    first, second = get_items(batch)
    let_time_pass()
    assert claim(batch, OTHER) == 2
    with pytest.raises(LeaseLost):
        save_progress(batch, [record(first, State.UNDER_WAY)], ME)
    assert get_items(batch)[0].state == State.WAITING
    # What is known by then the other one finds out by asking Clerk.
    save_progress(batch, [record(second, State.DONE)], ME)
    release(batch, ME)
    found = get_items(batch)
    assert [item.state for item in found] == [State.WAITING] * 2
    assert {item.leased_by for item in found} == {OTHER}


def test_what_is_not_sent_because_of_another_one_is_not_kept_as_under_way() -> None:
    batch, _ = begin(None, "a@x.org", "b@x.org", "c@x.org")
    lost, ours, done = get_items(batch)
    BatchItem.objects.filter(pk=lost.pk).update(leased_by=OTHER)
    changed = [record(lost, State.UNDER_WAY), record(ours, State.UNDER_WAY)]
    with pytest.raises(LeaseLost):
        save_progress(batch, [*changed, record(done, State.DONE)], ME)
    kept = [item.state for item in get_items(batch)]
    assert kept == [State.WAITING, State.WAITING, State.DONE]


def test_what_somebody_has_taken_up_is_not_cancelled() -> None:
    batch, _ = begin()
    release(batch, ME)
    late = get_items(batch)
    claim(batch, OTHER)
    cancel(batch, late)
    assert {item.state for item in (*late, *get_items(batch))} == {State.WAITING}
    release(batch, OTHER)
    cancel(batch, late)
    assert {item.state for item in (*late, *get_items(batch))} == {State.FAILED}
    assert Batch.objects.get().finished_at is not None


def test_the_doubt_about_one_ends_by_its_own_call() -> None:
    batch, _ = begin()
    first, second = get_items(batch)
    save_progress(batch, [record(first, State.UNSETTLED)], ME)
    let_time_pass(STALE_AFTER.total_seconds() - 30)
    assert not is_over(get_items(batch)[0])
    release(batch, ME)
    assert claim(batch, OTHER) == 1
    save_progress(batch, [record(second, State.UNDER_WAY)], OTHER)
    let_time_pass(31)
    first, second = get_items(batch)
    assert is_over(first)
    assert not is_over(second)
    assert is_at_work([second])


def test_a_call_that_was_out_when_somebody_stopped_is_in_doubt_for_as_long_as_ever() -> None:
    batch, _ = begin()
    first, _ = get_items(batch)
    save_progress(batch, [record(first, State.UNDER_WAY)], ME)
    release(batch, ME)
    first, second = get_items(batch)
    assert not is_at_work([first, second])
    assert not is_over(first)
    assert second.leased_until is None


def test_where_calls_may_take_long_a_batch_is_at_work_for_longer() -> None:
    with override_settings(ORG_INVITATIONS_READ_TIMEOUT=120):
        batch, _ = begin()
    let_time_pass()
    assert is_at_work(get_items(batch))
    assert not is_over(get_items(batch)[0])
    assert not claim(batch, OTHER)


def test_a_batch_knows_its_instance() -> None:
    batch, _ = begin()
    host = "clerk.example.com"
    assert "." in batch.instance
    key = "pk_live_" + b64encode(f"{host}$".encode()).decode()
    with override_settings(CLERK_PUBLISHABLE_KEY=key):
        assert begin()[0].instance == host
    with override_settings(CLERK_PUBLISHABLE_KEY=""):
        assert begin()[0].instance == ""


def test_what_was_begun_is_found_by_the_same_wish_and_by_no_other() -> None:
    def find(batch_id: UUID, *addresses: str, **more: Any) -> Batch | None:
        items = [BatchItem(email_address=address) for address in addresses]
        values: dict[str, Any] = {"options": {}, **ACME, **more}
        return find_begun(batch_id, Batch.Action.INVITE, items, **values)

    form = uuid4()
    assert find(form, "a@x.org") is None
    first, _ = begin(form, "a@x.org")
    with pytest.raises(KeyReused) as taken:
        begin(form, "b@x.org")
    second, _ = begin(taken.value.instead, "b@x.org")
    assert find(form, "a@x.org") == first
    assert find(form, "b@x.org") == second
    assert find(form, "c@x.org") is None
    assert find(form, "a@x.org", options={"role": "org:admin"}) is None
    assert find(form, "a@x.org", user_id="user_bo") is None
    assert find(uuid4(), "a@x.org") is None


@pytest.mark.parametrize("ended", [False, True])
def test_what_somebody_else_has_gone_on_with_is_not_in_doubt(ended: bool) -> None:
    batch, _ = begin(None, "a@x.org", action=Batch.Action.REVOKE)
    let_time_pass()
    assert claim(batch, OTHER)
    item = get_items(batch)[0]
    save_progress(batch, [record(item, State.UNDER_WAY)], OTHER)
    if ended:
        save_progress(batch, [record(item, State.DONE)], OTHER)
    no_api: Any = None
    [found] = reconcile_batch(no_api, batch)
    assert found.state == (State.DONE if ended else State.UNDER_WAY)
    assert get_items(batch)[0].state == found.state


def test_what_nobody_could_go_on_with_waits_until_clerk_takes_more() -> None:
    batch, _ = begin(None, "a@x.org", "b@x.org", "c@x.org")
    done = record(get_items(batch)[0], State.DONE)
    save_progress(batch, [done], ME)
    before = timezone.now()
    Progress(batch, ME).halt(get_items(batch)[1:], State.WAITING, RateLimited(retry_after=60))
    after = timezone.now()
    assert not is_at_work(get_items(batch))
    first, *rest = get_items(batch)
    assert (first.state, first.retry_at) == (State.DONE, None)
    for item in rest:
        assert (item.state, item.reason) == (State.WAITING, "RateLimited")
        assert item.retry_at is not None
        assert before <= item.retry_at - timedelta(seconds=60) <= after
    claim(batch, ME)
    Progress(batch, ME).halt(get_items(batch)[1:], State.FAILED, PermissionDenied())
    assert [item.state for item in get_items(batch)] == [State.DONE, State.FAILED, State.FAILED]
    assert {item.retry_at for item in get_items(batch)} == {None}


def test_an_item_keeps_what_became_of_it() -> None:
    batch, _ = begin()
    first, second = get_items(batch)
    record(first, State.DONE, invitation_id="orginv_1")
    record(second, State.REFUSED, Reason("member", {"role": "Admin"}))
    save_progress(batch, [first, second], ME)
    first, second = get_items(batch)
    assert (first.state, first.invitation_id) == ("done", "orginv_1")
    assert (second.state, second.reason, second.params) == ("refused", "member", {"role": "Admin"})
    record(second, State.WAITING)
    before = batch.worked_at
    save_found(second, State.REFUSED)
    assert (get_items(batch)[1].reason, get_items(batch)[1].params) == ("", {})
    assert Batch.objects.get().worked_at == before


def test_what_was_found_out_does_not_overwrite_what_somebody_has_done_since() -> None:
    batch, _ = begin()
    late, now = get_items(batch)[0], get_items(batch)[0]
    save_progress(batch, [record(now, State.DONE, invitation_id="orginv_1")])
    save_found(record(late, State.FAILED), State.WAITING)
    assert (late.state, late.invitation_id) == (State.DONE, "orginv_1")
    assert get_items(batch)[0].state == State.DONE


@override_settings(ORG_INVITATIONS_KEEP_DAYS=7)
def test_old_batches_are_forgotten_with_the_addresses_in_them() -> None:
    old, _ = begin()
    over(old, timedelta(days=8))
    cache.clear()  # old ones are looked for now and then
    new, _ = begin()
    assert list(Batch.objects.all()) == [new]
    assert set(BatchItem.objects.values_list("batch", flat=True)) == {new.id}
    assert old.id != new.id


def test_no_address_is_in_what_ends_in_logs() -> None:
    batch, _ = begin()
    assert "@" not in f"{batch!r}{get_items(batch)!r}"


@pytest.mark.django_db(transaction=True)
def test_nothing_is_begun_that_a_transaction_around_it_could_undo() -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        begin()
    assert not Batch.objects.exists()


def test_what_ends_with_nothing_new_to_keep_is_only_let_go(django_assert_num_queries: Any) -> None:
    batch, _ = begin(None, "a@x.org")
    progress = Progress(batch, ME)
    progress.record(get_items(batch)[0], State.DONE)
    progress.save()
    with django_assert_num_queries(5):  # a transaction of three statements
        progress.finish()
    assert Batch.objects.get().finished_at is not None


def test_a_site_hears_of_every_single_one(ada: Browser, clerk: Emulator) -> None:
    heard: list[tuple[str, str, str]] = []

    def revoked(invitation: Any, user_id: str, **_more: Any) -> None:
        state = BatchItem.objects.get(email_address=invitation.email_address).state
        heard.append(("revoked", invitation.email_address, state))

    def created(invitation: Any, user_id: str, **_more: Any) -> None:
        state = BatchItem.objects.latest("pk").state
        heard.append(("created", invitation.email_address, state))

    url = "/invitations/selected/"
    invitation_revoked.connect(revoked)
    invitation_created.connect(created)
    try:
        ids = [clerk.add_invitation("acme", f"p{n}@example.com").id for n in range(3)]
        fields = {"action": "revoke", "selected": ids, "confirmed": "1", "batch": str(uuid4())}
        ada.post(url, fields)
        # By then what became of it has been written down.
        assert heard == [("revoked", f"p{n}@example.com", "done") for n in range(3)]
        heard.clear()
        invitation_revoked.disconnect(revoked)
        ada.post(url, {**fields, "action": "resend", "selected": ids[:1], "batch": str(uuid4())})
        assert heard == [("created", "p0@example.com", "done")]
    finally:
        invitation_revoked.disconnect(revoked)
        invitation_created.disconnect(created)
