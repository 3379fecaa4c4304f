"""The use cases: see a page of invitations, invite somebody, revoke an invitation.

One :class:`InvitationService` serves one person in one organization. It decides what is asked
of Clerk, in how few rounds, and what may be remembered; it knows nothing of requests and HTML.
"""

from __future__ import annotations

from .invitations import InvitationService
from .organizations import find_organization_id, get_manageable_organizations
from .query import STATUSES, InvitationQuery, get_sizes
from .screening import Screened, Screening, Verdict, screen
from .seats import Seats
from .workspace import (
    InvitationPage,
    Limit,
    NotMember,
    NotPermitted,
    RoleNotGranted,
    TooManyInvitations,
    Unsettled,
    Workspace,
)

__all__ = [
    "STATUSES",
    "InvitationPage",
    "InvitationQuery",
    "InvitationService",
    "Limit",
    "NotMember",
    "NotPermitted",
    "RoleNotGranted",
    "Screened",
    "Screening",
    "Seats",
    "TooManyInvitations",
    "Unsettled",
    "Verdict",
    "Workspace",
    "find_organization_id",
    "get_manageable_organizations",
    "get_sizes",
    "screen",
]
