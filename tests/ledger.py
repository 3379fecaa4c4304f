"""What Clerk's hourly limits have left, as tests want it."""

from __future__ import annotations

from org_invitations.clerk import exceptions as exc
from org_invitations.emulator import Emulator
from org_invitations.models import CallSlot
from org_invitations.services.limits import Ledger


def spend(count: int, limit: str = exc.SINGLE_INVITATIONS) -> Ledger:
    """Make so many calls at this moment; returns what counts them, for people at the page."""
    ledger = Ledger()
    for _ in range(count):
        ledger.take(limit)
    return ledger


def forget_calls() -> None:
    """Let nothing speak against any call."""
    CallSlot.objects.all().delete()


def limited(retry_after: int | None, limit: str = exc.SINGLE_INVITATIONS) -> exc.RateLimited:
    """Return what Clerk refuses a call with when a limit is reached."""
    error = exc.RateLimited(retry_after=retry_after)
    error.limit = limit
    return error


def allow_many(clerk: Emulator) -> None:
    """Let nothing be in the way of many but the hourly limits of invitations."""
    clerk.configure(
        rate_limits={"requests": 100_000},
        organizations={
            "acme": {"max_allowed_memberships": 0},
            "globex": {"max_allowed_memberships": 0},
        },
    )
