"""``manage.py org_invitations``: a worker in a process of its own, and how that stands."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import Error as DatabaseFault
from django.utils import timezone

from org_invitations.emulator import Emulator
from org_invitations.models import Batch, BatchItem, Heartbeat
from org_invitations.services.batches import tick as turns
from org_invitations.services.batches.tick import Tick
from org_invitations.services.limits import BULK_LIMIT

from .ledger import spend
from .test_background import begin, creating, states
from .test_services import make_service

State = BatchItem.State

COMMAND = "org_invitations.management.commands.org_invitations"

pytestmark = pytest.mark.django_db


@pytest.fixture
def emulator(clerk_emulator: Emulator, settings: Any) -> Emulator:
    settings.ORG_INVITATIONS_BACKGROUND = True
    clerk_emulator.configure(organizations={"acme": {"max_allowed_memberships": 0}})
    return clerk_emulator


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker keep the connection, in whose transaction the test is."""
    monkeypatch.setattr(f"{COMMAND}.close_old_connections", lambda: None)


def run(*args: str) -> list[str]:
    said = StringIO()
    call_command("org_invitations", *args, stdout=said)
    return said.getvalue().splitlines()


def test_once_ends_when_nothing_is_due_and_says_so(emulator: Emulator) -> None:
    assert run("send", "--once") == ["There is nothing to do right now."]
    batch = begin(make_service(emulator), 12)
    assert run("send", "--once") == ["12 dealt with."]
    assert states(batch) == {State.DONE: 12}
    spend(BULK_LIMIT, "bulk-invitations")
    spend(250)
    begin(make_service(emulator), 11, "late")
    assert run("send", "--once") == ["There is nothing to do right now.", "11 wait."]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_loop_finishes_the_call_in_hand_and_ends_when_it_is_told_to(
    emulator: Emulator, number: signal.Signals
) -> None:
    batch = begin(make_service(emulator), 40)
    handle = emulator.handle

    def told_to_end(request: Any, **more: Any) -> Any:
        answer = handle(request, **more)
        if request.method == "POST":
            os.kill(os.getpid(), number)
        return answer

    emulator.handle = told_to_end  # type: ignore[method-assign]
    before = signal.getsignal(number)
    emulator.clear_requests()
    assert run("send", "--loop")[-1] == "Ended."
    assert signal.getsignal(number) is before
    assert creating(emulator) == [10]
    assert states(batch) == {State.DONE: 10, State.WAITING: 30}
    assert not BatchItem.objects.exclude(leased_by="").exists()


def test_a_loop_goes_on_after_a_database_has_failed_and_while_nothing_waits(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []

    def turn(seconds: float, *, should_stop: Any) -> Tick:
        seen.append(seconds)
        if len(seen) == 1:
            raise DatabaseFault
        if len(seen) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return Tick(0, None)

    for name in ("_IDLE", "_BROKEN"):
        monkeypatch.setattr(f"{COMMAND}.{name}", 0.01)
    monkeypatch.setattr(f"{COMMAND}.tick", turn)
    assert run("send", "--loop")[-1] == "Ended."
    assert len(seen) == 3
    assert turns.tick is not turn


def test_where_nothing_is_left_to_workers_none_is_begun(settings: Any) -> None:
    settings.ORG_INVITATIONS_BACKGROUND = False
    with pytest.raises(CommandError, match="ORG_INVITATIONS_BACKGROUND is off"):
        run("send", "--once")


def test_the_status_and_a_check_tell_where_no_worker_is(emulator: Emulator) -> None:
    def found() -> list[str]:
        checked = run_checks(tags=["org_invitations"], databases=["default"])
        return [str(one.id) for one in checked if str(one.id).endswith("W011")]

    batch = begin(make_service(emulator), 12)
    said = run("status")
    assert "A worker was last seen: never" in said
    assert "  waiting: 12" in said
    assert "Calls left of this hour, bulk-invitations: 45 of 45" in said
    assert found() == []
    Batch.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    assert found() == ["org_invitations.W011"]
    with pytest.raises(CommandError, match="no worker was seen"):
        run("status")
    Batch.objects.update(paused_at=timezone.now())  # then nobody is missed
    assert "Batches: 1, of these paused: 1" in run("status")
    Batch.objects.update(paused_at=None)
    Heartbeat.objects.create(instance=batch.instance, seen_at=timezone.now())
    assert found() == []
    run("status")
