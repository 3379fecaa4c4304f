"""Creating one invitation so that its fate is known."""

from __future__ import annotations

from datetime import UTC, datetime

from ..clerk import ClerkError, Invitation, InvitationRequest, OrganizationAPI
from ..clerk.exceptions import DuplicateInvitation
from .settling import is_ours
from .workspace import Unsettled


def create_for_sure(
    api: OrganizationAPI, request: InvitationRequest, *, user_id: str
) -> Invitation:
    """Create an invitation; where Clerk's answer is lost, find out what became of it.

    :returns: the invitation, also where the answer was lost but it was created.
    :raises ClerkError: it was not created.
    :raises Unsettled: nobody knows (yet).
    """
    started = datetime.now(UTC)
    try:
        return api.invite_member(request)
    except ClerkError as error:
        if not error.may_have_happened:
            raise
        lost = error
    try:
        found = find_pending_of(api, request.email_address)
    except ClerkError:
        raise Unsettled(lost) from None
    if found is None:
        raise Unsettled(lost, absent=True) if lost.may_be_under_way else lost
    if is_ours(found, request, user_id=user_id, started=started):
        return found
    raise DuplicateInvitation("invited before", trace_id=lost.trace_id)


def find_pending_of(api: OrganizationAPI, email_address: str) -> Invitation | None:
    """Return the pending invitation of an address, if there is one; raises :exc:`ClerkError`."""
    wanted = email_address.casefold()
    page = api.get_invitations(email_address=email_address)
    return next(
        (row for row in page.data if row.is_pending and row.email_address.casefold() == wanted),
        None,
    )
