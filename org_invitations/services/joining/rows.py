"""What is written down of joining: how far it got, who is at it, and whether it can be finished."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from ...clerk import Invitation
from ...models import Joining
from ..batches.store import stale_after

#: For so long after it was begun, at most, a membership is made by an invitation that we have
#: revoked. Clerk tells of no membership that was taken away, so nobody can tell whether there was
#: one meanwhile: it is as short as somebody needs who presses again.
FINISHABLE: Final = timedelta(minutes=15)

#: So far two clocks may be apart.
_SKEW: Final = timedelta(minutes=1)


def save(row: Joining, state: str, reason: str = "", *, restored_id: str = "") -> None:
    row.state, row.reason, row.worked_at = state, reason, timezone.now()
    row.restored_id = restored_id
    row.save(update_fields=["state", "reason", "restored_id", "worked_at"])


def claim(row: Joining, **news: str) -> bool:
    """Go on with what was begun, or tell that somebody else is at it, or that it is done."""
    # One statement, so that of two requests at the same moment one goes on.
    rows = Joining.objects.filter(get_idle(), pk=row.pk).exclude(state=Joining.State.DONE)
    return bool(rows.update(is_running=True, worked_at=timezone.now(), **news))


def get_idle() -> Q:
    """Return what is true of the rows on which nobody is at work."""
    oldest = timezone.now() - stale_after()
    return Q(is_running=False) | Q(worked_at=None) | Q(worked_at__lte=oldest)


def release(row: Joining) -> None:
    """Let the next press go on with it."""
    Joining.objects.filter(pk=row.pk).update(is_running=False, worked_at=timezone.now())


def is_finishable(row: Joining, invitation: Invitation) -> bool:
    """Whether the membership is still to be made by an invitation that we have revoked.

    Not where it has been there: whoever has taken it away since meant that.
    """
    if row.state != Joining.State.REVOKED or not invitation.is_revoked:
        return False
    now = timezone.now()
    if invitation.expires_at is not None and invitation.expires_at <= now:
        return False
    return row.created_at + FINISHABLE > now and row.member_seen_at is None


def may_be_made_by(row: Joining, member_since: datetime | None) -> bool:
    """Whether a membership of this moment can be the one that a joining was to make.

    Where it is not known whose revocation it was, the moment has to be known.
    """
    if member_since is None:
        return row.state == Joining.State.REVOKED
    # The one moment is by Clerk's clock and the other by ours.
    return -_SKEW <= member_since - row.created_at <= FINISHABLE + _SKEW


def note_member(row: Joining) -> None:
    """Write down, once, that the membership is there.

    The one thing that a look changes. It only ever takes a way away, and a cache may forget.
    """
    if row.member_seen_at is None:
        Joining.objects.filter(pk=row.pk, member_seen_at=None).update(member_seen_at=timezone.now())
