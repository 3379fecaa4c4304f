"""What a person is invited to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q
from django.utils import timezone

from ...caching import InstanceCache
from ...clerk import ClerkClient, InstanceAPI, Invitation, Organization
from ...clerk.joining import PeopleAPI, User
from ...concurrency import gather
from ...models import Joining
from .links import JoinValue
from .rows import FINISHABLE, is_finishable, note_member

#: So long the number is remembered (seconds): it stands on every page of a site.
_COUNT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class MyInvitation:
    """An invitation to a verified address of a person's by which they can join; it has no link."""

    invitation: Invitation
    organization: Organization
    #: What names it in the URL of its page.
    value: str
    #: Whether joining was begun, and is to be finished; the invitation may be revoked by us.
    is_begun: bool = False


def get_my_invitations(client: ClerkClient, user_id: str) -> tuple[MyInvitation, ...]:
    """Return by which invitations a person can join, newest first.

    Those that are pending, and those by which joining was begun here and can be finished: by
    nothing else the person would find these again, since a revoked invitation has no link. None
    to an account that may not be used.

    :raises ClerkError: Clerk could not be asked.
    """
    begun = _get_begun(user_id)
    is_half_done = any(row.state == Joining.State.REVOKED for row in begun.values())
    people, instance = PeopleAPI(client), InstanceAPI(client)
    status = None if is_half_done else "pending"
    calls: dict[str, Callable[[], Any]] = {
        "user": lambda: people.get_user(user_id),
        "invitations": lambda: people.get_invitations(user_id, status=status),
    }
    if is_half_done:
        calls["memberships"] = lambda: instance.get_organization_memberships(user_id)
    found = {name: outcome.get() for name, outcome in gather(calls).items()}
    user: User = found["user"]
    joined = {row.organization.id for row in found["memberships"].data} if is_half_done else set()
    mine = []
    for own in found["invitations"].data:
        invitation, row = own.invitation, begun.get(own.invitation.id)
        if not user.owns(invitation.email_address):
            continue
        if row is not None and own.organization.id in joined:
            note_member(row)
        elif invitation.is_pending or (row is not None and is_finishable(row, invitation)):
            value = JoinValue(own.organization.id, invitation_id=invitation.id).dumps()
            is_begun = row is not None
            mine.append(MyInvitation(invitation, own.organization, value, is_begun=is_begun))
    return () if user.is_barred else tuple(mine)


def _get_begun(user_id: str) -> dict[str, Joining]:
    """Return what a person has begun and can finish yet, by the invitation's id."""
    is_new = Q(created_at__gt=timezone.now() - FINISHABLE, member_seen_at=None)
    which = Q(state=Joining.State.BEGUN) | Q(is_new, state=Joining.State.REVOKED)
    rows = Joining.objects.filter(which, user_id=user_id)
    return {row.invitation_id: row for row in rows}


def count_my_invitations(client: ClerkClient, user_id: str) -> int:
    """Return how many those are; remembered for a minute.

    :raises ClerkError: Clerk could not be asked.
    """
    return InstanceCache().remember(
        _name(user_id), lambda: len(get_my_invitations(client, user_id)), _COUNT_SECONDS
    )


def forget_my_invitations(user_id: str) -> None:
    """Count them anew: one of them was used or declined."""
    InstanceCache().forget(_name(user_id))


def _name(user_id: str) -> str:
    return f"mine:{user_id}"
