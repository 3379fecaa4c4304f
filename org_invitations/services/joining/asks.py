"""Whose invitation is over and who asks for a new one, and who joined by one of ours."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from ...clerk import Invitation
from ...conf import conf
from ...models import InvitationAsk, Joining
from .links import get_digest, get_digests
from .lookup import JoinState, Look
from .rows import get_idle

#: So many people of an organization can ask at once: a list that asks for everybody says nothing.
MAX_ASKS: Final = 100

#: So many ids every database takes in one query.
_MAX_IDS: Final = 500


class Mark(StrEnum):
    """What a row of the list says besides its status."""

    #: Clerk calls it revoked, and the person is a member by it.
    JOINED = "joined"
    #: The person asks for a new one.
    ASKS = "asks"
    #: Joining was begun, and the person has neither a membership nor an invitation.
    HALF_JOINED = "half-joined"


def ask(look: Look) -> None:
    """Let those who manage the members know that somebody asks for a new invitation.

    Whether anything comes of it nobody is told: there may be no such invitation, or it may stand.
    """
    invitation, value = look.invitation, look.value
    if look.state is not JoinState.GONE or invitation is None or value is None:
        return
    if not (invitation.is_expired or invitation.is_revoked):
        return
    user_id = look.user.id if look.user is not None else ""
    joined = Joining.objects.filter(invitation_id=invitation.id, state=Joining.State.DONE)
    if joined.exclude(user_id=user_id).exists():
        return  # who has joined by it is a member, whatever somebody else with the link wants
    InvitationAsk.objects.filter(created_at__lt=_oldest()).delete()
    organization_id = value.organization_id
    if InvitationAsk.objects.filter(organization_id=organization_id).count() >= MAX_ASKS:
        return
    try:
        with transaction.atomic(using=InvitationAsk.objects.all().db):
            InvitationAsk.objects.create(
                invitation_id=invitation.id,
                organization_id=organization_id,
                address_digest=get_digest(organization_id, invitation.email_address),
            )
    except IntegrityError:
        pass  # they have asked before


def get_marks(organization_id: str, ids: Collection[str]) -> Mapping[str, Mark]:
    """Return what the rows with these ids say besides their status."""
    marks: dict[str, Mark] = {}
    if not ids or not conf.JOIN_URL:
        return marks
    # All of the organization's: a file has more ids than some databases take in one query.
    asks = InvitationAsk.objects.filter(organization_id=organization_id, created_at__gte=_oldest())
    rows = Joining.objects.filter(organization_id=organization_id)
    if len(ids) <= _MAX_IDS:
        rows = rows.filter(invitation_id__in=ids)
    done = rows.filter(state=Joining.State.DONE, way=Joining.Way.SERVER)
    # Whoever is at it right now may get there; and whoever was a member has needed nothing.
    stopped = rows.filter(get_idle(), state__in=Joining.OPEN, member_seen_at=None)
    # Of two marks the later one here counts: who was a member, and asks to be one again.
    for found, mark in ((done, Mark.JOINED), (asks, Mark.ASKS), (stopped, Mark.HALF_JOINED)):
        marks |= dict.fromkeys(found.values_list("invitation_id", flat=True), mark)
    return marks


def forget_asks(
    sender: Any, *, invitation: Invitation, organization_id: str, **kwargs: Any
) -> None:
    """Forget what was asked for: a new invitation is there. Connected to ``invitation_created``.

    It answers a joining as well that could not be finished.
    """
    theirs = _get_theirs(organization_id, invitation.email_address)
    InvitationAsk.objects.filter(**theirs).delete()
    Joining.objects.filter(**theirs, state__in=Joining.OPEN).exclude(
        invitation_id=invitation.id
    ).update(state=Joining.State.LOST)


def forget_asks_of(organization_id: str, email_address: str) -> None:
    """Forget what was asked for: whoever has the address is a member."""
    InvitationAsk.objects.filter(**_get_theirs(organization_id, email_address)).delete()


def forget_begun(
    sender: Any, *, invitation: Invitation, organization_id: str, **kwargs: Any
) -> None:
    """Forget what was begun: somebody has revoked it. Connected to ``invitation_revoked``.

    Not one that somebody is at: that finds out by itself whose revocation was first.
    """
    begun = Joining.objects.filter(get_idle(), invitation_id=invitation.id)
    begun.filter(organization_id=organization_id, state=Joining.State.BEGUN).update(
        state=Joining.State.LOST
    )


def _get_theirs(organization_id: str, email_address: str) -> dict[str, Any]:
    digests = list(get_digests(organization_id, email_address))
    return {"organization_id": organization_id, "address_digest__in": digests}


def _oldest() -> datetime:
    return timezone.now() - timedelta(days=conf.KEEP_DAYS)
