"""Whose an invitation is that Clerk shows without a mark: that of one wish, and not of two."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from org_invitations.clerk import OrganizationAPI
from org_invitations.clients import get_client
from org_invitations.emulator import Emulator
from org_invitations.models import Batch, BatchItem
from org_invitations.services.batches.reconcile import reconcile_batch
from org_invitations.services.batches.store import get_items, get_or_create, record, save_progress

from .leases import ME, let_time_pass

State = BatchItem.State

LEE = "lee@example.com"


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("action", [Batch.Action.INVITE, Batch.Action.RESEND])
def test_what_was_made_for_another_wish_is_not_claimed_as_well(
    clerk_emulator: Emulator, settings: Any, action: Batch.Action, is_known: bool
) -> None:
    settings.ORG_INVITATIONS_MARK_INVITATIONS = False
    acme, user = clerk_emulator.organization("acme").id, clerk_emulator.user("ada@acme.test").id
    old = clerk_emulator.add_invitation("acme", LEE, created_ago=86_400, state="revoked")
    made = clerk_emulator.add_invitation("acme", LEE, inviter="ada@acme.test")

    def begin(state: str, invitation_id: str = "") -> Batch:
        item = BatchItem(
            email_address=LEE,
            role="org:member",
            replaces_id=old.id if action == Batch.Action.RESEND else "",
            attempt={
                "at": made.created_at - 1,
                "role": "org:member",
                "inviter": user,
                "days": 30,
                "mark": "",
            },
        )
        batch, _ = get_or_create(
            uuid4(), action, [item], organization_id=acme, user_id=user, options={}, leased_by=ME
        )
        [kept] = get_items(batch)
        save_progress(batch, [record(kept, state, invitation_id=invitation_id)], ME)
        return batch

    if is_known:
        begin(State.DONE, made.id)
    batch = begin(State.UNSETTLED)
    let_time_pass()
    [found] = reconcile_batch(OrganizationAPI(get_client(), acme), batch)
    assert (found.state == State.DONE) is not is_known
    assert found.invitation_id == ("" if is_known else made.id)
