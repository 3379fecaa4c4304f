"""What becomes of leases while nobody looks: time passes, or somebody stops."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from org_invitations.models import Batch, BatchItem
from org_invitations.services.batches.store import STALE_AFTER

#: A name for whoever works on something in a test.
ME = "me"


def let_time_pass(seconds: float = STALE_AFTER.total_seconds() + 1) -> None:
    """Let so much time pass that nobody is at work on anything, and Clerk is not either."""
    passed = timedelta(seconds=seconds)
    BatchItem.objects.exclude(leased_until=None).update(leased_until=F("leased_until") - passed)
    Batch.objects.exclude(worked_at=None).update(worked_at=F("worked_at") - passed)
    Batch.objects.update(created_at=F("created_at") - passed)


def let_go() -> None:
    """Let nobody be at work on anything, as who ended has written down."""
    BatchItem.objects.update(leased_by="")


def is_leased() -> bool:
    """Whether somebody says to be at work on something."""
    return BatchItem.objects.exclude(leased_by="").filter(leased_until__gt=timezone.now()).exists()
