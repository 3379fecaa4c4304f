"""Many workers at once, on any database; run by ``test_databases`` in a process for each."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from org_invitations.clerk import exceptions as exc
from org_invitations.clerk.exceptions import BULK_INVITATIONS, SINGLE_INVITATIONS
from org_invitations.emulator import Emulator
from org_invitations.models import Batch, BatchItem, CallSlot
from org_invitations.services.batches.heartbeat import get_last_seen
from org_invitations.services.batches.tick import tick
from org_invitations.services.database import get_alias, get_now
from org_invitations.services.limits import HOUR, MARGIN, Ledger
from org_invitations.testing import SignIn
from tests.documents import blocks, section
from tests.ledger import allow_many
from tests.test_services import BO, make_service

USED = [alias for alias in connections if connections[alias].vendor != "unknown"]

pytestmark = pytest.mark.django_db(transaction=True, databases=USED)

State = BatchItem.State


@pytest.fixture
def clerk(clerk_emulator: Emulator, settings: Any) -> Emulator:
    settings.ORG_INVITATIONS_BACKGROUND = True
    allow_many(clerk_emulator)
    return clerk_emulator


def at_once(count: int, do: Callable[[], Any]) -> list[Any]:
    """Do something in so many threads at the same moment, and return what came of it."""
    ready, found = threading.Barrier(count), []

    def run() -> None:
        ready.wait()
        try:
            found.append(do())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == count
    return found


def test_no_more_calls_are_taken_than_there_are_by_however_many_at_once() -> None:
    def take_all() -> int:
        ledger, taken = Ledger("org_a", is_background=True), 0
        while True:
            try:
                ledger.take(BULK_INVITATIONS, 10)
            except exc.RateLimited:
                return taken
            taken += 1

    assert sum(at_once(4, take_all)) == 45
    ledger = Ledger(is_background=True)
    slots = CallSlot.objects.filter(instance=ledger.instance, limit=BULK_INVITATIONS)
    assert slots.count() == 50
    assert ledger.get_sent() == {"org_a": 450}
    assert HOUR - 60 < ledger.get_wait(1, BULK_INVITATIONS) <= HOUR
    assert HOUR - 60 < ledger.get_pool(BULK_INVITATIONS).next_in <= HOUR + MARGIN


def test_a_look_at_how_far_they_are_is_two_queries(
    client: Client, clerk: Emulator, clerk_sign_in: SignIn
) -> None:
    items = [
        BatchItem(email_address=f"person{number}@example.com", role="org:member")
        for number in range(30)
    ]
    batch, _ = make_service(clerk).begin(Batch.Action.INVITE, items, key=None, options={})
    clerk.clear_requests()
    tick(should_stop=lambda: any(call.method == "POST" for call in clerk.requests))
    clerk_sign_in(client, "ada@acme.test", organization="acme")
    url = f"/invitations/outcomes/{batch.pk}/progress/"
    progress = client.get(url).context["progress"]
    assert [(one.name, one.count) for one in progress.figures] == [("done", 10), ("waiting", 20)]
    headers = {"HX-Request": "true", "HX-Target": "org-invitations-progress"}
    with CaptureQueriesContext(connections[get_alias()]) as asked:
        assert client.get(f"{url}?state=running", headers=headers).status_code == 200
    # The batch, and how many of it are where; SQLite alone has no clock to be asked.
    assert [query["sql"].split()[0] for query in asked] == ["SELECT", "SELECT"]


def test_many_workers_at_once_send_each_once(clerk: Emulator) -> None:
    before = len(clerk.state.mails)
    batches = []
    for user, organization, count in (("ada@acme.test", "acme", 64), (BO, "globex", 26)):
        items = [
            BatchItem(email_address=f"{organization}{number}@example.com", role="org:member")
            for number in range(count)
        ]
        service = make_service(clerk, user, organization)
        batches.append(service.begin(Batch.Action.INVITE, items, key=None, options={})[0])
    at_once(4, tick)
    for batch in batches:
        batch.refresh_from_db()
        assert Counter(batch.items.values_list("state", flat=True)).keys() == {State.DONE}
        assert batch.finished_at is not None
    assert len(clerk.state.mails) - before == 90
    assert not BatchItem.objects.exclude(leased_by="", leased_until=None).exists()
    made = [call for call in clerk.requests if call.method == "POST"]
    assert len(made) == CallSlot.objects.exclude(called_at=None).count()
    assert not [call for call in made if call.status != 200]
    assert get_last_seen(batches[0].instance) is not None


def test_what_a_worker_has_left_is_found_and_goes_on(clerk: Emulator) -> None:
    items = [BatchItem(email_address=f"p{n}@example.com", role="org:member") for n in range(12)]
    batch, _ = make_service(clerk).begin(Batch.Action.INVITE, items, key=None, options={})
    BatchItem.objects.filter(batch=batch, number__lt=3).update(
        state=State.UNDER_WAY, leased_by="dead", leased_until=get_now() - timedelta(seconds=1)
    )
    tick()
    assert Counter(batch.items.values_list("state", flat=True)) == {State.DONE: 12}


def test_what_is_said_of_vacuum_can_be_followed() -> None:
    database = connections[get_alias()]
    if database.vendor != "postgresql":
        pytest.skip("it is PostgreSQL's")
    [advice] = blocks(section("docs/scaling.md", "## What it costs"), "sql")
    with database.cursor() as cursor:
        cursor.execute(advice)


def test_the_time_is_the_databases_and_close_to_ours() -> None:
    assert abs(get_now() - timezone.now()) < timedelta(minutes=1)
    slot = Ledger().take(SINGLE_INVITATIONS)
    assert slot is not None
    kept = CallSlot.objects.get(pk=slot.pk).called_at
    assert kept is not None
    assert timedelta(0) <= get_now() - kept < timedelta(minutes=1)
