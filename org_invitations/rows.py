"""A row of the list: an invitation, and what a template needs to show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from .clerk import Invitation
from .services import InvitationPage
from .wording import describe_expiry, describe_since


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """One row. A URL is empty where the status does not allow it, or the site has no such view."""

    invitation: Invitation
    #: The id of the row's element; stable as long as the invitation exists.
    dom_id: str
    #: Where to revoke it, with the way back to this state of the list.
    revoke_url: str
    #: When it expires, or how long ago it did, seen from now: "in 3 days"; empty where it was
    #: accepted or revoked.
    expires_text: str
    #: When it was created, to the minute; None where that is not known.
    invited_at: datetime | None = None
    #: When it expires, expired, was accepted or was revoked, to the minute; None for never.
    ends_at: datetime | None = None
    #: Where to send it again, or to invite the person again.
    resend_url: str = ""
    #: Where to change its role or expiry.
    change_url: str = ""
    #: Where its link is.
    link_url: str = ""


#: The names of the URLs that fit an invitation's status.
_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "pending": ("revoke", "resend", "change", "link"),
    "expired": ("resend",),
    "revoked": ("resend",),
}


def make_rows(
    page: InvitationPage, find_url: Callable[[str, Invitation], str], state: str = ""
) -> list[InvitationRow]:
    """Return the rows of a page.

    :param find_url: tells where something is done with an invitation, by the name of the URL;
        empty where it cannot be.
    :param state: the list's state as a URL says it: every URL brings it along.
    """
    now = datetime.now(UTC)  # not Django's, which is naive where USE_TZ is off
    query = f"?{state}" if state else ""
    rows = []
    for invitation in page.invitations:
        urls = {
            f"{name}_url": f"{url}{query}"
            for name in _ACTIONS.get(invitation.status, ())
            if (url := find_url(name, invitation))
        }
        rows.append(
            InvitationRow(
                invitation=invitation,
                dom_id=f"org-invitation-{invitation.id}",
                expires_text=_describe_end(invitation, now),
                invited_at=_minute(invitation.created_at),
                ends_at=_minute(
                    invitation.updated_at if _is_settled(invitation) else invitation.expires_at
                ),
                **{"revoke_url": "", **urls},
            )
        )
    return rows


def _is_settled(invitation: Invitation) -> bool:
    return invitation.is_accepted or invitation.is_revoked


def _minute(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(second=0, microsecond=0)


def _describe_end(invitation: Invitation, now: datetime) -> str:
    if _is_settled(invitation):
        return ""
    if invitation.is_expired and invitation.expires_at is not None:
        return describe_since(invitation.expires_at, now=now)
    return describe_expiry(invitation.expires_at, now=now)
