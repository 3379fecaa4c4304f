"""What is kept of batches, and by which rules."""

from __future__ import annotations

import threading
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import override_settings
from django.utils import timezone

from org_invitations.models import Batch, BatchItem
from org_invitations.services.batches.store import (
    STALE_AFTER,
    KeyReused,
    find_batch,
    forget_old_batches,
    get_items,
    get_or_create,
    record,
    save_found,
    save_progress,
)
from org_invitations.services.reasons import Reason

from .leases import ME

WHOSE = {"organization_id": "org_a", "user_id": "user_a"}

pytestmark = pytest.mark.django_db


def keep(item: BatchItem) -> None:
    """Save what was found out about an item that nobody is at work on."""
    save_found(item, BatchItem.objects.get(pk=item.pk).state)


def begin(*addresses: str, batch_id: Any = None, **changes: Any) -> tuple[Batch, bool]:
    items = [BatchItem(text=address, email_address=address) for address in addresses]
    order: dict[str, Any] = {"options": {"role": "org:member"}, **WHOSE, **changes}
    action = order.pop("action", Batch.Action.INVITE)
    return get_or_create(batch_id or uuid4(), action, items, leased_by=ME, **order)


# --- The tables ----------------------------------------------------------------------------------


def test_the_migrations_say_what_the_models_say() -> None:
    call_command("makemigrations", "org_invitations", check=True, dry_run=True, stdout=StringIO())


def test_the_migrations_go_back_and_forth(transactional_db: None) -> None:
    call_command("migrate", "org_invitations", "zero", verbosity=0)
    try:
        assert "org_invitations_batch" not in connection.introspection.table_names()
    finally:
        call_command("migrate", "org_invitations", verbosity=0)
    assert "org_invitations_batchitem" in connection.introspection.table_names()


def test_no_address_is_in_what_ends_in_a_log() -> None:
    batch, _ = begin("ana@example.com")
    [item] = get_items(batch)
    for text in (str(batch), repr(batch), str(item), repr(item)):
        assert "ana" not in text
        assert "example" not in text


def test_two_items_have_no_place_in_common() -> None:
    batch, _ = begin("ana@example.com")
    with pytest.raises(IntegrityError), transaction.atomic():
        BatchItem.objects.create(batch=batch, number=0)


# --- Once ----------------------------------------------------------------------------------------


def test_a_wish_begins_once() -> None:
    batch_id = uuid4()
    first, is_new = begin("ana@example.com", "bo@example.com", batch_id=batch_id)
    assert is_new
    assert first.pk == batch_id
    again, is_new = begin("ana@example.com", "bo@example.com", batch_id=batch_id)
    assert (again, is_new) == (first, False)
    assert [item.number for item in get_items(again)] == [0, 1]
    assert BatchItem.objects.count() == 2


@pytest.mark.parametrize(
    "other",
    [
        {"options": {"role": "org:admin"}},
        {"options": {"role": "org:member", "expires_in_days": 3}},
        {"action": Batch.Action.RESEND},
    ],
)
def test_another_wish_under_the_same_id_is_told(other: dict[str, Any]) -> None:
    first, _ = begin("ana@example.com")
    with pytest.raises(KeyReused) as caught:
        begin("ana@example.com", batch_id=first.pk, **other)
    assert caught.value.batch == first
    with pytest.raises(KeyReused):
        begin("bo@example.com", batch_id=first.pk)
    assert BatchItem.objects.count() == 1


@pytest.mark.parametrize("other", [{"organization_id": "org_b"}, {"user_id": "user_b"}])
def test_somebody_elses_batch_is_not_shown_not_even_for_the_same_wish(
    other: dict[str, str],
) -> None:
    first, _ = begin("ana@example.com")
    with pytest.raises(KeyReused) as caught:
        begin("ana@example.com", batch_id=first.pk, **other)
    assert caught.value.batch is None
    assert find_batch(first.pk, **WHOSE) == first
    assert find_batch(first.pk, **(WHOSE | other)) is None


def test_an_id_that_is_taken_names_another_one_for_each_wish() -> None:
    first, _ = begin("ana@example.com")
    found = []
    for address, changes in (
        ("bo@example.com", {}),
        ("bo@example.com", {}),
        ("cy@example.com", {}),
        ("bo@example.com", {"user_id": "user_b"}),
    ):
        with pytest.raises(KeyReused) as caught:
            begin(address, batch_id=first.pk, **changes)
        found.append(caught.value.instead)
    assert found[0] == found[1]
    assert len({first.pk, *found}) == 4


def test_of_two_requests_at_the_same_moment_one_begins(transactional_db: None) -> None:
    batch_id, ready = uuid4(), threading.Barrier(4)
    answers: list[bool] = []

    def press() -> None:
        ready.wait()
        try:
            answers.append(begin("ana@example.com", batch_id=batch_id)[1])
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False, False, False, True]
    assert BatchItem.objects.count() == 1


def test_what_became_of_an_item_is_kept_with_its_reason() -> None:
    batch, _ = begin("ana@example.com", "bo@example.com")
    items = get_items(batch)
    limited = Reason("RateLimited", {"retry_after": 300})
    record(items[0], BatchItem.State.DONE, invitation_id="orginv_1")
    before = timezone.now()
    record(items[1], BatchItem.State.WAITING, limited)
    after = timezone.now()
    save_progress(batch, items)
    kept = get_items(Batch.objects.get())
    assert [(item.state, item.invitation_id) for item in kept] == [
        ("done", "orginv_1"),
        ("waiting", ""),
    ]
    assert (kept[1].reason, kept[1].params) == ("RateLimited", {"retry_after": 300})
    assert kept[1].retry_at is not None
    assert before <= kept[1].retry_at - timedelta(seconds=300) <= after
    # Whatever stood in the way before is gone with the next answer; who was invited stays known.
    record(kept[1], BatchItem.State.DONE, invitation_id="orginv_2")
    record(kept[0], BatchItem.State.DONE)
    for item in kept:
        keep(item)
    kept = get_items(batch)
    assert (kept[1].reason, kept[1].params, kept[1].retry_at) == ("", {}, None)
    assert [item.invitation_id for item in kept] == ["orginv_1", "orginv_2"]


# --- Not for ever --------------------------------------------------------------------------------


def finish(batch: Batch, state: str = BatchItem.State.DONE) -> None:
    save_progress(batch, [record(item, state) for item in get_items(batch)])


def age(batch: Batch, days: float) -> None:
    """Let all that a batch remembers of times lie so many days further back."""
    found = Batch.objects.get(pk=batch.pk)
    for name in ("created_at", "worked_at", "finished_at"):
        if moment := getattr(found, name):
            setattr(found, name, moment - timedelta(days=days))
    found.save()


@pytest.mark.parametrize("state", BatchItem.OPEN)
def test_what_is_not_over_is_never_deleted_and_can_be_found(state: str) -> None:
    batch, _ = begin("ana@example.com", "bo@example.com")
    finish(batch)
    second = get_items(batch)[1]
    save_progress(batch, [record(second, state)])
    Batch.objects.update(finished_at=None)
    age(batch, 400)
    forget_old_batches()
    assert find_batch(batch.pk, **WHOSE) == batch
    assert len(get_items(batch)) == 2


def test_the_days_count_from_the_end() -> None:
    batch, _ = begin("ana@example.com")
    finish(batch, BatchItem.State.UNSETTLED)
    assert Batch.objects.get().finished_at is None
    age(batch, 40)
    [item] = get_items(batch)
    keep(record(item, BatchItem.State.DONE))  # Clerk has told only now
    age(batch, 29)
    forget_old_batches()
    assert find_batch(batch.pk, **WHOSE) == batch
    age(batch, 2)
    assert find_batch(batch.pk, **WHOSE) is None
    forget_old_batches()
    assert not Batch.objects.exists()


def test_what_turns_out_to_be_open_again_is_not_over() -> None:
    batch, _ = begin("ana@example.com", action=Batch.Action.RESEND)
    finish(batch, BatchItem.State.FAILED)
    age(batch, 29)
    [item] = get_items(batch)
    keep(record(item, BatchItem.State.HALF_DONE))  # what was revoked has shown up
    assert Batch.objects.get().finished_at is None
    age(batch, 2)
    assert find_batch(batch.pk, **WHOSE) == batch
    keep(record(item, BatchItem.State.DONE))
    assert find_batch(batch.pk, **WHOSE) == batch  # the days count from here


@pytest.mark.parametrize("state", [BatchItem.State.REFUSED, BatchItem.State.FAILED])
def test_what_is_not_tried_again_is_over(state: str) -> None:
    batch, _ = begin("ana@example.com")
    finish(batch, state)
    assert Batch.objects.get().finished_at is not None


def test_an_end_that_nobody_lived_to_note_is_noted() -> None:
    batch, _ = begin("ana@example.com")
    [item] = get_items(batch)
    save_progress(batch, [record(item, BatchItem.State.DONE)], ME)
    age(batch, 31)
    forget_old_batches()
    assert not Batch.objects.exists()


def test_what_was_begun_before_is_kept_through_the_migration(transactional_db: None) -> None:
    first = [("org_invitations", "0001_initial")]
    MigrationExecutor(connection).migrate(first)
    old = MigrationExecutor(connection).loader.project_state(first).apps
    made = {}
    for state in BatchItem.State.values:
        batch = old.get_model("org_invitations", "Batch").objects.create(
            action="invite", digest="x", worked_at=timezone.now(), **WHOSE
        )
        old.get_model("org_invitations", "BatchItem").objects.create(
            batch=batch, number=0, state=state
        )
        made[batch.pk] = (state, batch.worked_at)
    call_command("migrate", "org_invitations", verbosity=0)
    for batch in Batch.objects.all():
        state, worked_at = made.pop(batch.pk)
        assert batch.finished_at == (None if state in BatchItem.OPEN else worked_at)
        assert batch.actor_id == ""
        [item] = batch.items.all()
        assert (batch.instance, item.leased_by) == ("", "")
        # What was in doubt is so for as long as before.
        is_doubtful = state in (BatchItem.State.UNDER_WAY, BatchItem.State.UNSETTLED)
        assert item.leased_until == (worked_at + STALE_AFTER if is_doubtful else None)
    assert not made


@pytest.mark.parametrize(("setting", "days"), [(None, 30), (7, 7), (0, 1), (1000, 365)])
def test_batches_are_forgotten_after_the_days_of_the_setting(setting: Any, days: int) -> None:
    now = timezone.now()
    ages = (days - 0.1, days + 0.1)
    batches = [begin(f"day{age}@example.com")[0] for age in ages]
    for age, batch in zip(ages, batches, strict=True):
        finish(batch)
        Batch.objects.filter(pk=batch.pk).update(finished_at=now - timedelta(days=age))
    settings = {} if setting is None else {"ORG_INVITATIONS_KEEP_DAYS": setting}
    with override_settings(**settings):
        forget_old_batches()
    assert [item.text for item in BatchItem.objects.all()] == [f"day{days - 0.1}@example.com"]


def test_with_the_next_batch_the_old_ones_go_once_an_hour(
    django_assert_num_queries: Any,
) -> None:
    old, _ = begin("ana@example.com")
    finish(old)
    Batch.objects.update(finished_at=timezone.now() - timedelta(days=31))
    with django_assert_num_queries(4):  # a transaction of two statements, and nothing else
        begin("bo@example.com")
    assert find_batch(old.pk, **WHOSE) is None  # from the day it is too old, deleted or not
    cache.clear()  # the hour is over
    begin("cy@example.com")
    assert not Batch.objects.filter(pk=old.pk).exists()
    texts = BatchItem.objects.order_by("text").values_list("text", flat=True)
    assert list(texts) == ["bo@example.com", "cy@example.com"]
