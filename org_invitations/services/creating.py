"""Creating one invitation so that its fate is known."""

from __future__ import annotations

from ..clerk import ClerkError, Invitation, InvitationRequest, OrganizationAPI
from ..clerk.exceptions import DuplicateInvitation
from .batches.reconcile import Attempt, Match, find_write, get_rows
from .batches.store import find_taken
from .workspace import Unsettled


def create_for_sure(
    api: OrganizationAPI, request: InvitationRequest, attempt: Attempt
) -> Invitation:
    """Create an invitation; where Clerk's answer is lost, find out what became of it.

    :param attempt: of the request, made right before.
    :returns: the invitation, also where the answer was lost but it was created.
    :raises ClerkError: it was not created.
    :raises Unsettled: nobody knows (yet).
    """
    try:
        return api.invite_member(request)
    except ClerkError as error:
        if not error.may_have_happened:
            raise
        lost = error
    try:
        rows = get_rows(api, request.email_address)
    except ClerkError:
        raise Unsettled(lost) from None
    match, found = find_write(attempt, rows, find_taken(row.id for row in rows))
    if found is None:
        raise Unsettled(lost, absent=True) if lost.may_be_under_way else lost
    if match is Match.UNCLEAR:
        raise Unsettled(lost)
    if match is Match.OURS:
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
