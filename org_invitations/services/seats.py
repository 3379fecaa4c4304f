"""How many people fit into an organization, and how many are in it or on their way."""

from __future__ import annotations

from dataclasses import dataclass

from ..clerk import Organization


@dataclass(frozen=True, slots=True)
class Seats:
    """The seats of an organization. Clerk counts pending invitations as if they were members."""

    #: Members and pending invitations together.
    used: int
    #: How many there are; 0 means without limit.
    limit: int
    members: int
    pending: int

    @property
    def left(self) -> int | None:
        """How many people can still be invited; None where there is no limit."""
        return max(self.limit - self.used, 0) if self.limit else None

    @classmethod
    def count(cls, organization: Organization, pending: int | None = None) -> Seats | None:
        """Count them; None where there is no limit, or Clerk did not say enough.

        :param organization: as fetched just now, with its members counted.
        :param pending: how many invitations are pending, where a list has told; otherwise it is
            the organization's own ``pending_invitations_count``. The two may differ: Clerk leaves
            out of its lists what comes of an organization's domains.
        """
        if pending is None:
            pending = organization.pending_invitations_count
        members, limit = organization.members_count, organization.max_allowed_memberships
        if not limit or members is None or pending is None:
            return None
        return cls(used=members + pending, limit=limit, members=members, pending=pending)
