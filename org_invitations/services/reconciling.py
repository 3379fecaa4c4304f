"""Finding out how far the resends got that nobody finished: Clerk is asked, and nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..clerk import Invitation, OrganizationAPI
from ..clerk import exceptions as exc
from ..concurrency import run_together
from ..models import BatchItem
from .batches import is_over, save_items, settle_item
from .reasons import Reason
from .settling import CLOCK_TOLERANCE

State = BatchItem.State


def reconcile(api: OrganizationAPI, items: Sequence[BatchItem]) -> None:
    """Find out how far resends got, and keep it. What cannot be found out stays as it is.

    It takes a call for each. Nobody may be at work on them.
    """
    outcomes = run_together(
        {
            str(item.pk): partial(
                api.get_invitations,
                status=None,
                email_address=item.email_address,
                order_by="-created_at",
                limit=100,
            )
            for item in items
        }
    )
    changed = []
    for item in items:
        before, found = item.state, outcomes[str(item.pk)].value
        if found is not None:
            _settle(item, found.data)
        if item.state != before:
            changed.append(item)
    # What is as it was is left alone: somebody may just be finishing it.
    save_items(changed)


def _settle(item: BatchItem, rows: Sequence[Invitation]) -> None:
    address = item.email_address.casefold()
    own = [row for row in rows if row.email_address.casefold() == address]
    old = next((row for row in own if row.id == item.replaces_id), None)
    others = [row for row in own if row.id != item.replaces_id]
    living = [row for row in others if row.is_pending or row.is_accepted]
    made = next((row for row in living if _is_since(row, item)), None)
    earlier = next((row for row in living if row.is_pending), None)
    if made is not None:
        settle_item(item, State.DONE, invitation_id=made.id)
    elif earlier is not None:
        settle_item(item, State.REFUSED, Reason.of_error(exc.DuplicateInvitation(), earlier))
    elif old is not None and old.is_accepted:
        settle_item(item, State.REFUSED, Reason.of_error(exc.InvitationNotPending(), old))
    elif old is not None and not old.is_revoked:
        # Nothing was revoked: the person has what they had, once Clerk is done for certain.
        if is_over(item.batch):
            settle_item(item, State.FAILED, Reason(exc.ServiceUnavailable.__name__))
    elif item.state != State.HALF_DONE:
        # As long as Clerk may still be at work, why it is missing is not known.
        reason = Reason(item.reason, item.params) if is_over(item.batch) else None
        settle_item(item, State.HALF_DONE, reason)


def _is_since(row: Invitation, item: BatchItem) -> bool:
    """Whether the invitation is from the time of the resend, and not from one before it."""
    began = item.batch.created_at - CLOCK_TOLERANCE
    return row.created_at is None or row.created_at >= began
