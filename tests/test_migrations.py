"""What a version before had begun is gone on with by this one."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from org_invitations.emulator import Emulator
from org_invitations.models import Batch, BatchItem
from org_invitations.services.batches.store import get_items

from .leases import let_time_pass
from .test_services import asked, make_service

State = BatchItem.State


@pytest.fixture
def begun(transactional_db: None, clerk_emulator: Emulator) -> Any:
    """A function that writes down batches as 0.1.0 did, and then migrates."""
    first = [("org_invitations", "0001_initial")]
    MigrationExecutor(connection).migrate(first)
    old = MigrationExecutor(connection).loader.project_state(first).apps
    service = make_service(clerk_emulator)

    def write(action: str, *items: dict[str, Any]) -> None:
        batch = old.get_model("org_invitations", "Batch").objects.create(
            action=action,
            digest="x",
            organization_id=service.organization_id,
            user_id=service.user_id,
            options={"role": "org:member"},
            worked_at=timezone.now(),
            is_running=True,  # the process died
        )
        for number, item in enumerate(items):
            old.get_model("org_invitations", "BatchItem").objects.create(
                batch=batch, number=number, role="org:member", role_name="Member", **item
            )

    def migrate() -> None:
        call_command("migrate", "org_invitations", verbosity=0)

    try:
        yield write, migrate
    finally:
        migrate()


def states() -> list[str]:
    return [item.state for item in get_items(Batch.objects.get())]


def pending(emulator: Emulator) -> list[str]:
    return [row.email_address for row in emulator.invitations("acme", "pending")]


def test_invitations_that_waited_are_sent_and_those_in_doubt_looked_up(
    begun: Any, clerk_emulator: Emulator
) -> None:
    write, migrate = begun
    write(
        "invite",
        {"email_address": "a@example.com", "state": "under-way"},
        {"email_address": "b@example.com", "state": "under-way"},
        {"email_address": "c@example.com", "state": "waiting"},
        {"email_address": "d@example.com", "state": "refused", "reason": "member"},
    )
    migrate()
    # The call for the first two had taken effect for one of them.
    clerk_emulator.add_invitation("acme", "a@example.com", inviter="ada@acme.test")
    service = make_service(clerk_emulator)
    service.resume(Batch.objects.get())
    assert states() == [State.DONE, State.UNSETTLED, State.DONE, State.REFUSED]
    let_time_pass()
    service.resume(Batch.objects.get())
    assert states() == [State.DONE, State.FAILED, State.DONE, State.REFUSED]
    assert sorted(name for name in pending(clerk_emulator) if name[1:] == "@example.com") == [
        "a@example.com",
        "c@example.com",
    ]


def test_revocations_are_gone_on_with(begun: Any, clerk_emulator: Emulator) -> None:
    write, migrate = begun
    rows = [clerk_emulator.add_invitation("acme", f"{name}@example.com") for name in "abc"]
    write(
        "revoke",
        {"invitation_id": rows[0].id, "state": "under-way"},
        {"invitation_id": rows[1].id, "state": "unsettled"},
        {"invitation_id": rows[2].id, "state": "waiting"},
    )
    migrate()
    rows[0].state = "revoked"
    asked(clerk_emulator)
    make_service(clerk_emulator).resume(Batch.objects.get())
    assert states() == [State.DONE, State.UNSETTLED, State.DONE]
    assert len([call for call in asked(clerk_emulator) if call.endswith("/revoke")]) == 1


def test_what_was_half_done_is_offered_and_finished(begun: Any, clerk_emulator: Emulator) -> None:
    write, migrate = begun
    old = clerk_emulator.add_invitation("acme", "lee@example.com")
    other = clerk_emulator.add_invitation("acme", "kim@example.com")
    half = {"email_address": "lee@example.com", "replaces_id": old.id, "state": "half-done"}
    rest = {"email_address": "kim@example.com", "replaces_id": other.id, "state": "waiting"}
    write("resend", half, rest)
    migrate()
    old.state = "revoked"
    service = make_service(clerk_emulator)
    snapshot = service.open(invitation_id=old.id, fresh=True, seats=True)
    [item] = service.get_unfinished()
    assert service.finish(snapshot, item).state == State.DONE
    service.resume(Batch.objects.get())
    assert states() == [State.DONE, State.DONE]
    assert pending(clerk_emulator).count("lee@example.com") == 1
    assert pending(clerk_emulator).count("kim@example.com") == 1
