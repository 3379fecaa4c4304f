"""The use cases: see a page of invitations, invite somebody, revoke an invitation.

One :class:`InvitationService` serves one person in one organization. It decides what is asked
of Clerk, in how few rounds, and what may be remembered; it knows nothing of requests and HTML.
"""

from __future__ import annotations

from .exceptions import (
    NotMember,
    NotPermitted,
    OutcomeUnknown,
    RoleNotGranted,
    TooManyInvitations,
)
from .limits import Seats
from .listing import STATUSES, InvitationPage, InvitationQuery, Limit, get_sizes
from .organizations import find_organization_id, get_manageable_organizations
from .preview import Preview, PreviewItem, PreviewStatus, preview_entries
from .service import InvitationService
from .snapshot import Snapshot

__all__ = [
    "STATUSES",
    "InvitationPage",
    "InvitationQuery",
    "InvitationService",
    "Limit",
    "NotMember",
    "NotPermitted",
    "OutcomeUnknown",
    "Preview",
    "PreviewItem",
    "PreviewStatus",
    "RoleNotGranted",
    "Seats",
    "Snapshot",
    "TooManyInvitations",
    "find_organization_id",
    "get_manageable_organizations",
    "get_sizes",
    "preview_entries",
]
