"""Creating one invitation so that its fate is known."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ..clerk import ClerkError, Invitation, InvitationRequest, OrganizationAPI
from ..clerk.exceptions import DuplicateInvitation
from .batches.reconcile import Attempt, Match, find_write, get_rows
from .batches.store import find_taken
from .refusals import check_creating
from .workspace import Unsettled


def create_for_sure(
    api: OrganizationAPI,
    request: InvitationRequest,
    attempt: Attempt,
    *,
    seen: Collection[str] = (),
    is_looked_at: bool = True,
) -> Invitation:
    """Create an invitation; where Clerk's answer is lost, find out what became of it.

    :param attempt: of the request, made right before.
    :param seen: ids of invitations of the address that are known from before.
    :param is_looked_at: whether a refusal that says what is there is looked up before it is raised.
    :returns: the invitation, also where the answer was lost but it was created.
    :raises ClerkError: it was not created.
    :raises Unsettled: nobody knows (yet).
    """
    try:
        return api.invite_member(request)
    except ClerkError as error:
        if not error.may_have_happened:
            if is_looked_at:
                return check_creating(api, request, error)
            raise
        lost = error
    try:
        rows = get_rows(api, request.email_address)
    except ClerkError:
        raise Unsettled(lost) from None
    taken = find_taken(row.id for row in rows)
    match, found = find_write(attempt, rows, taken.union(seen))
    if found is None:
        raise Unsettled(lost, absent=True) if lost.may_be_under_way else lost
    if match is Match.UNCLEAR:
        raise Unsettled(lost)
    if match is Match.OURS:
        return found
    before = DuplicateInvitation("invited before", trace_id=lost.trace_id)
    before.invitation = replace(found, url="")
    raise before


def find_pending_of(api: OrganizationAPI, email_address: str) -> Invitation | None:
    """Return the pending invitation of an address, if there is one; raises :exc:`ClerkError`."""
    wanted = email_address.casefold()
    page = api.get_invitations(email_address=email_address)
    return next(
        (row for row in page.data if row.is_pending and row.email_address.casefold() == wanted),
        None,
    )
