"""How many people fit into an organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import errors
from .state import Organization

if TYPE_CHECKING:
    from .instance import Instance


def check_seats(instance: Instance, org: Organization, wanted: int) -> None:
    """Members and pending invitations together may not pass the limit; 0 means no limit."""
    limit = org.max_allowed_memberships
    if limit == 0:
        return
    pending = instance.state.pending_count(org.id, instance.clock.now_ms())
    needed = len(instance.state.members_of(org.id)) + pending + wanted
    if needed <= limit:
        return
    if instance.settings.quota_error == "insufficient_seats":
        raise errors.insufficient_seats(needed)
    raise errors.membership_quota_exceeded(limit)
