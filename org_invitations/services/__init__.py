"""The use cases: see a page of invitations, invite somebody, revoke an invitation.

One :class:`InvitationService` serves one person in one organization. It decides what is asked
of Clerk, in how few rounds, and what may be remembered; it knows nothing of requests and HTML.
"""

from __future__ import annotations

from .invitations import InvitationService
from .organizations import find_organization_id, get_manageable_organizations
from .workspace import (
    InvitationPage,
    NotMember,
    NotPermitted,
    RoleNotGranted,
    Unsettled,
    Workspace,
)

__all__ = [
    "InvitationPage",
    "InvitationService",
    "NotMember",
    "NotPermitted",
    "RoleNotGranted",
    "Unsettled",
    "Workspace",
    "find_organization_id",
    "get_manageable_organizations",
]
