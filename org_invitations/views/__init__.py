"""The pages, as small class-based views made to be subclassed.

Every view follows one shape: who is asking, may they (asked of Clerk, afresh before a write),
do it, choose the answer. Where an instance may want another value than a class attribute has, a
``get_…`` method returns it: ``get_wording`` that of ``wording_class``. Without htmx a write is
answered by a redirect, with htmx by the fragments that changed; one of many by its outcome in both
cases. What failed is answered by the same page or fragment with the reason and what was typed.
"""

from __future__ import annotations

from .base import OrganizationView
from .confirm import ConfirmationMixin
from .draft import DraftView
from .embed import EmbedView
from .invite import InviteFormMixin, InviteView, PreviewView
from .link import InvitationLinkView
from .list import ExportView, InvitationListView
from .outcome import OutcomeView
from .page import ListPresenter, PageMixin
from .progress import CancelRestView, ProgressView
from .resend import ResendInvitationView
from .revoke import RevokeInvitationView
from .selection import SelectionView
from .session import SessionView

__all__ = [
    "CancelRestView",
    "ConfirmationMixin",
    "DraftView",
    "EmbedView",
    "ExportView",
    "InvitationLinkView",
    "InvitationListView",
    "InviteFormMixin",
    "InviteView",
    "ListPresenter",
    "OrganizationView",
    "OutcomeView",
    "PageMixin",
    "PreviewView",
    "ProgressView",
    "ResendInvitationView",
    "RevokeInvitationView",
    "SelectionView",
    "SessionView",
]
