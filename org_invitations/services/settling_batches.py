"""Finding out what became of the items of a batch that nobody knows: an answer was lost, or worse.

Clerk is asked, and nothing is sent. Where it shows nothing of a write for a while, the write did
not happen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

from ..clerk import MAX_LIMIT, ClerkError, Invitation, OrganizationAPI
from ..clerk import exceptions as exc
from ..clerk.organizations import InvitationRequest
from ..concurrency import run_together
from ..models import Batch, BatchItem
from .batches import get_items, is_at_work, is_over, refuse, save_items, settle_item
from .reasons import Reason
from .settling import CLOCK_TOLERANCE, is_ours

State = BatchItem.State

#: What does not move by itself.
_DOUBTFUL: Final = (State.UNDER_WAY, State.UNSETTLED)

#: Pages of invitations that are read to find those that a batch has made.
_MAX_PAGES: Final = 10


def settle_batch(
    api: OrganizationAPI, batch: Batch, reconcile: Callable[[Sequence[BatchItem]], None]
) -> list[BatchItem]:
    """Settle what can be settled of a batch, and return all of its items.

    A batch that somebody is at work on is left alone; one without doubts costs no call. Raises
    nothing of Clerk's: what cannot be found out stays as it is.

    :param reconcile: does it for items of a resend, which has two halves.
    """
    # Somebody may have gone on with it since it was read, or may be about to: then what is under
    # way is not in doubt.
    batch.refresh_from_db(fields=["worked_at", "is_running"])
    moved = batch.worked_at
    items = get_items(batch)
    batch.refresh_from_db(fields=["worked_at", "is_running"])
    if is_at_work(batch):
        return items
    if batch.worked_at != moved:
        return get_items(batch)
    if batch.action == Batch.Action.RESEND:
        if half := [item for item in items if item.state in (*_DOUBTFUL, State.HALF_DONE)]:
            reconcile(half)
        return items
    if doubtful := [item for item in items if item.state in _DOUBTFUL]:
        settler = _SETTLERS[Batch.Action(batch.action)](api, batch)
        with suppress(ClerkError):
            settler.settle(doubtful)
            save_items(doubtful)
    return items


class _Settler:
    """Asks Clerk about some items, and lets each say what is known now."""

    def __init__(self, api: OrganizationAPI, batch: Batch) -> None:
        self.api = api
        self.batch = batch

    def settle(self, items: Sequence[BatchItem]) -> None:
        raise NotImplementedError

    def give_up(self, item: BatchItem) -> None:
        """Settle what Clerk shows nothing of: it did not happen, or it may yet."""
        if is_over(self.batch):
            settle_item(item, State.FAILED, Reason(exc.ServiceUnavailable.__name__))
        else:
            reason = Reason(item.reason or exc.Timeout.__name__, item.params)
            settle_item(item, State.UNSETTLED, reason)


class _SentSettler(_Settler):
    """Settles invitations: what the batch has made is there, whatever became of it since."""

    def settle(self, items: Sequence[BatchItem]) -> None:
        started = self.batch.created_at.astimezone(UTC)
        user_id = self.batch.user_id
        rows = self._rows_since(started, {item.email_address.casefold() for item in items})
        for item in items:
            request = InvitationRequest(item.email_address, item.role, user_id)
            found = rows.get(item.email_address.casefold(), [])
            ours = [row for row in found if is_ours(row, request, user_id=user_id, started=started)]
            pending = [row for row in found if row.is_pending]
            if ours:
                settle_item(item, State.DONE, invitation_id=ours[0].id)
            elif pending:
                refuse(item, exc.DuplicateInvitation(), pending[0])
            else:
                self.give_up(item)

    def _rows_since(self, started: datetime, addresses: set[str]) -> dict[str, list[Invitation]]:
        """Return the invitations of addresses, of all statuses, all that were made since then."""
        found: dict[str, list[Invitation]] = {}
        for number in range(_MAX_PAGES):
            page = self.api.get_invitations(
                status=None, order_by="-created_at", limit=MAX_LIMIT, offset=number * MAX_LIMIT
            )
            for row in page.data:
                address = row.email_address.casefold()
                if address in addresses:
                    found.setdefault(address, []).append(row)
            oldest = page.data[-1].created_at if page.data else None
            reached = oldest is not None and oldest < started - CLOCK_TOLERANCE
            if not page.data or reached or (number + 1) * MAX_LIMIT >= page.total_count:
                break
        return found


class _RevokedSettler(_Settler):
    """Settles revocations: the status of each invitation tells."""

    def settle(self, items: Sequence[BatchItem]) -> None:
        outcomes = run_together(
            {
                str(item.number): partial(self.api.get_invitation, item.invitation_id)
                for item in items
            }
        )
        for item in items:
            outcome = outcomes[str(item.number)]
            found: Invitation | None = outcome.value
            if isinstance(outcome.error, exc.InvitationNotFound):
                refuse(item, outcome.error)
            elif found is None:
                continue  # it could not be asked for: nobody knows more than before
            elif found.is_revoked:
                settle_item(item, State.DONE)
            elif found.is_pending:
                self.give_up(item)
            else:
                refuse(item, exc.InvitationNotPending(), found)


_SETTLERS: Final[Mapping[Batch.Action, type[_Settler]]] = {
    Batch.Action.INVITE: _SentSettler,
    Batch.Action.REVOKE: _RevokedSettler,
}
