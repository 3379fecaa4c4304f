"""A row of the list: an invitation, and what a template needs to show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from .clerk import Invitation
from .services import InvitationPage
from .wording import describe_expiry


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """One row."""

    invitation: Invitation
    #: The id of the row's element; stable as long as the invitation exists.
    dom_id: str
    #: Where to revoke it, with the way back to this page of the list; empty where it cannot be.
    revoke_url: str
    #: When it expires, seen from now: "in 3 days".
    expires_text: str


def make_rows(page: InvitationPage, revoke_url: Callable[[Invitation], str]) -> list[InvitationRow]:
    """Return the rows of a page; ``revoke_url`` tells where an invitation is revoked."""
    now = datetime.now(UTC)  # not Django's, which is naive where USE_TZ is off
    query = f"?page={page.number}" if page.number > 1 else ""
    return [
        InvitationRow(
            invitation=invitation,
            dom_id=f"org-invitation-{invitation.id}",
            revoke_url=f"{url}{query}" if (url := revoke_url(invitation)) else "",
            expires_text=describe_expiry(invitation.expires_at, now=now),
        )
        for invitation in page.invitations
    ]
