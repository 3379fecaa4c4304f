"""What a person is invited to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ...caching import InstanceCache
from ...clerk import ClerkClient, Invitation, Organization
from ...clerk.joining import PeopleAPI
from ...concurrency import gather
from .links import JoinValue

#: So long the number is remembered (seconds): it stands on every page of a site.
_COUNT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class MyInvitation:
    """A pending invitation to a verified address of a person's; it has no link."""

    invitation: Invitation
    organization: Organization
    #: What names it in the URL of its page.
    value: str


def get_my_invitations(client: ClerkClient, user_id: str) -> tuple[MyInvitation, ...]:
    """Return the pending invitations to verified addresses of a person's, newest first.

    None to an account that may not be used.

    :raises ClerkError: Clerk could not be asked.
    """
    people = PeopleAPI(client)
    found = gather(
        {
            "user": lambda: people.get_user(user_id),
            "invitations": lambda: people.get_invitations(user_id, status="pending"),
        }
    )
    user = found["user"].get()
    rows = found["invitations"].get().data
    mine = tuple(
        MyInvitation(
            row.invitation,
            row.organization,
            JoinValue(row.organization.id, invitation_id=row.invitation.id).dumps(),
        )
        for row in rows
        if row.invitation.is_pending and user.owns(row.invitation.email_address)
    )
    return () if user.is_barred else mine


def count_my_invitations(client: ClerkClient, user_id: str) -> int:
    """Return how many those are; remembered for a minute.

    :raises ClerkError: Clerk could not be asked.
    """
    cache, name = InstanceCache(), f"mine:{user_id}"
    known: int | None = cache.get_many([name]).get(name)
    if known is None:
        known = len(get_my_invitations(client, user_id))
        cache.set(name, known, _COUNT_SECONDS)
    return known


def forget_my_invitations(user_id: str) -> None:
    """Count them anew: one of them was used or declined."""
    InstanceCache().delete(f"mine:{user_id}")
