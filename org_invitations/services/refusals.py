"""A refusal that says what is there: looked up before anybody is told so.

That an invitation is pending, that somebody is a member, that an invitation is not pending or not
there: Clerk shows that as well. Where it shows the contrary, that it refused and what it shows is
all that is known, and the refusal becomes a :class:`.Contradicted`. Where it cannot be asked, its
word stands.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from ..clerk import ClerkError, Invitation, InvitationRequest, Membership, OrganizationAPI, Page
from ..clerk import exceptions as exc

logger = logging.getLogger("org_invitations")

T = TypeVar("T")

_CONTRARIES: Final[tuple[tuple[type[ClerkError], type[exc.Contradicted]], ...]] = (
    (exc.DuplicateInvitation, exc.InvitationNotShown),
    (exc.AlreadyMember, exc.MemberNotShown),
    (exc.InvitationNotPending, exc.InvitationStillPending),
    (exc.InvitationNotFound, exc.InvitationStillPending),
)


def contradict(refusal: ClerkError) -> ClerkError:
    """Return what a refusal is where Clerk shows the contrary of what it says; else itself."""
    for kind, contrary in _CONTRARIES:
        if isinstance(refusal, kind):
            logger.warning("Clerk refused with what it shows not to be so: %s", refusal)
            return _as(contrary, refusal)
    return refusal


def check_creating(
    api: OrganizationAPI, request: InvitationRequest, refusal: ClerkError
) -> Invitation:
    """Look up what the refusal of an invitation says, if it says what is there; that is one call.

    :returns: the invitation, where the pending one is the very one that was asked for.
    :raises ClerkError: the refusal, with the invitation that is in the way, or its contrary.
    """
    if isinstance(refusal, exc.AlreadyMember):
        members = _ask(partial(find_members, api, [request.email_address]))
        raise contradict(refusal) if is_empty(members) else refusal
    if not isinstance(refusal, exc.DuplicateInvitation):
        raise refusal
    pending = _ask(partial(api.get_invitations, email_address=request.email_address))
    if is_empty(pending):
        raise contradict(refusal)
    wanted = request.email_address.casefold()
    for row in pending.data if pending is not None else ():
        if row.is_pending and row.email_address.casefold() == wanted:
            if row.mark and row.mark == request.sent_mark:
                return row  # what stands before Clerk has sent it twice, and Clerk taken the first
            refusal.invitation = replace(row, url="")
            break
    raise refusal


def check_revoking(api: OrganizationAPI, invitation_id: str, refusal: ClerkError) -> ClerkError:
    """Look up what the refusal of a revocation says, if it says what is there; that is one call.

    :returns: the refusal, with what the invitation is instead of pending; or its contrary.
    """
    if not isinstance(refusal, (exc.InvitationNotPending, exc.InvitationNotFound)):
        return refusal
    found = _ask(partial(api.get_invitation, invitation_id))
    if found is None:
        return refusal
    if found.is_pending:
        return contradict(refusal)
    late = _as(exc.InvitationNotPending, refusal)
    late.invitation = replace(found, url="")
    return late


def find_members(api: OrganizationAPI, email_addresses: Sequence[str]) -> Page[Membership]:
    """Return the memberships of addresses; raises :exc:`ClerkError`."""
    # Lower case is how Clerk keeps what people sign up with.
    folded = [address.casefold() for address in email_addresses]
    return api.get_memberships(email_address=folded, limit=len(folded))


def is_empty(page: Page[Any] | None) -> bool:
    """Whether Clerk was asked and has nothing, not even something that cannot be read."""
    return page is not None and not page.data and not page.total_count


def _ask(call: Callable[[], T]) -> T | None:
    try:
        return call()
    except ClerkError:
        return None


def _as(kind: type[ClerkError], refusal: ClerkError) -> ClerkError:
    """Say the same refusal as another kind."""
    return kind(
        refusal.reason, status=refusal.status, errors=refusal.errors, trace_id=refusal.trace_id
    )
