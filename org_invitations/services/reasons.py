"""Why something was not done, in a form that can be kept: a name, and what its sentence needs.

The sentence itself is made when somebody reads it, in their language. Nothing of a link, and no
moment but as a number, gets in here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..clerk import ClerkError, Invitation
from ..clerk.exceptions import RateLimited
from .preview import PreviewItem, PreviewStatus

#: So much of what was typed is shown with the reason: a sentence is no place for more.
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Reason:
    """Why; ``name`` is that of a :class:`PreviewStatus` or of an exception."""

    name: str = ""
    #: JSON-able.
    params: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_error(
        cls, error: ClerkError, invitation: Invitation | None = None, *, absent: bool = False
    ) -> Reason:
        """Keep what an error of Clerk's says.

        :param invitation: the one that stands in the way, where the error does not know it.
        :param absent: whether Clerk was asked what became of it, and shows nothing of it so far.
        """
        invitation = invitation or error.invitation
        params: dict[str, Any] = {
            "absent": absent or None,
            "clerk_message": error.long_message,
            "code": error.code,
            "trace_id": error.trace_id,
        }
        if isinstance(error, RateLimited):
            params["retry_after"] = error.retry_after
        if invitation is not None:
            params |= _about(invitation)
        known = {name: value for name, value in params.items() if value not in ("", None)}
        return cls(type(error).__name__, known)

    @classmethod
    def of_preview(cls, previewed: PreviewItem) -> Reason:
        """Keep what the check before sending found."""
        entry = previewed.entry
        params: dict[str, Any] = {
            "suggestion": entry.suggestion,
            "first_line": entry.first_line,
            "wanted_role": entry.role[:_SHOWN],
        }
        if previewed.role is not None:
            params["role"] = previewed.role.name
        if previewed.membership is not None:
            params["role"] = previewed.membership.role_name
        if previewed.invitation is not None:
            params |= _about(previewed.invitation)
        known = {name: value for name, value in params.items() if value not in ("", None)}
        return cls("" if previewed.status is PreviewStatus.NEW else str(previewed.status), known)


def _about(invitation: Invitation) -> dict[str, Any]:
    return {
        "invitation_id": invitation.id,
        "status": str(invitation.status),
        "role": invitation.role_name,
        "inviter": invitation.inviter.name if invitation.inviter else "",
        "created_at": invitation.created_at.timestamp() if invitation.created_at else None,
        "expires_at": invitation.expires_at.timestamp() if invitation.expires_at else None,
    }
