"""The pages, as small class-based views made to be subclassed.

Every view follows one shape: who is asking, may they (asked of Clerk, afresh before a write),
do it, choose the answer. For each attribute there is a ``get_…`` method of the same name where
an instance may want another value. Without htmx a write is answered by a redirect, with htmx by
the fragments that changed; what failed is answered by the same page or fragment with the reason
and everything that was typed.
"""

from __future__ import annotations

from .export import ExportView
from .invite import InviteView
from .link import InvitationLinkView
from .list import InvitationListView
from .listing import ListMixin
from .organization import OrganizationMixin
from .outcome import OutcomeView
from .page import InvitationPageMixin
from .resend import ChangeInvitationView, ResendInvitationView
from .review import CheckView
from .revoke import RevokeInvitationView
from .selection import SelectionView
from .session import SessionView

__all__ = [
    "ChangeInvitationView",
    "CheckView",
    "ExportView",
    "InvitationLinkView",
    "InvitationListView",
    "InvitationPageMixin",
    "InviteView",
    "ListMixin",
    "OrganizationMixin",
    "OutcomeView",
    "ResendInvitationView",
    "RevokeInvitationView",
    "SelectionView",
    "SessionView",
]
