"""The pages, as small class-based views made to be subclassed.

Every view follows one shape: who is asking, may they (asked of Clerk, afresh before a write),
do it, choose the answer. For each attribute there is a ``get_…`` method of the same name where
an instance may want another value. Without htmx a write is answered by a redirect, with htmx by
the fragments that changed; what failed is answered by the same page or fragment with the reason
and everything that was typed.
"""

from __future__ import annotations

from .invite import InviteView
from .list import InvitationListView
from .organization import OrganizationMixin
from .page import InvitationPageMixin
from .revoke import RevokeInvitationView
from .session import SessionView

__all__ = [
    "InvitationListView",
    "InvitationPageMixin",
    "InviteView",
    "OrganizationMixin",
    "RevokeInvitationView",
    "SessionView",
]
