"""Finding out what became of a write whose answer was lost, or says less than was asked."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from ..clerk import MAX_LIMIT, Invitation, OrganizationAPI
from ..clerk.organizations import InvitationRequest

#: Clocks differ: an invitation this much older than our request is still taken for ours.
CLOCK_TOLERANCE: Final = timedelta(minutes=2)


def is_ours(
    found: Invitation, request: InvitationRequest, *, user_id: str, started: datetime
) -> bool:
    """Tell whether an invitation that is there is the one that a lost request asked for.

    :param user_id: who was named as its inviter.
    :param started: when the request was sent, by this machine's clock.
    """
    recent = found.created_at is None or found.created_at >= started - CLOCK_TOLERANCE
    return recent and found.role == request.role and found.inviter_id in ("", user_id)


def find_pending(
    api: OrganizationAPI, addresses: Collection[str], *, started: datetime
) -> dict[str, Invitation]:
    """Return the pending invitations of addresses, by address as ``casefold`` has it.

    What was made since ``started`` is found for certain; what is older only if it is among the
    newest 500. That is one call, unless more than 500 were made meanwhile.

    :param addresses: as ``casefold`` has them.
    :raises ClerkError: Clerk could not be asked.
    """
    found: dict[str, Invitation] = {}
    offset = 0
    while True:
        page = api.get_invitations(order_by="-created_at", limit=MAX_LIMIT, offset=offset)
        for row in page.data:
            address = row.email_address.casefold()
            if row.is_pending and address in addresses:
                found.setdefault(address, row)
        offset += MAX_LIMIT
        oldest = page.data[-1].created_at if page.data else None
        reached = oldest is not None and oldest < started - CLOCK_TOLERANCE
        if not page.data or reached or offset >= page.total_count or len(found) == len(addresses):
            return found
