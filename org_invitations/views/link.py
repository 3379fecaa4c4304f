"""Show an invitation's link, for somebody who passes it on by another way than Clerk's mail."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from ..clerk import Invitation
from ..clerk import exceptions as exc
from ..services import Snapshot
from ..wording import describe_expiry
from .confirm import ConfirmationMixin


class InvitationLinkView(ConfirmationMixin):
    """The link of one pending invitation: here and nowhere else, kept by nobody.

    Whoever has it can become a member with the invitation's role. So only somebody sees it who
    could give that role to anybody.
    """

    http_method_names = ["get", "options"]

    #: The link, on a page of its own and in the dialog.
    link_template_name = "org_invitations/partials/link.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show it, as a page or in the list's dialog."""
        try:
            snapshot = self.service.open(invitation_id=kwargs["invitation_id"], fresh=True)
        except exc.InvitationNotFound:
            return self._render_link(None, None, "InvitationNotFound", HTTPStatus.NOT_FOUND)
        invitation = snapshot.invitation
        if invitation is None or not invitation.is_pending:
            status = invitation.status if invitation is not None else "revoked"
            return self._render_link(snapshot, invitation, f"Link:{status}", HTTPStatus.CONFLICT)
        if snapshot.roles_error is not None:
            status_code = HTTPStatus.SERVICE_UNAVAILABLE
            return self._render_link(snapshot, invitation, "Link:roles", status_code)
        if invitation.role not in snapshot.roles:
            return self._render_link(
                snapshot, invitation, "Link:not-grantable", HTTPStatus.FORBIDDEN
            )
        if not invitation.url:
            return self._render_link(snapshot, invitation, "Link:absent", HTTPStatus.CONFLICT)
        return self._render_link(snapshot, invitation)

    def _render_link(
        self,
        snapshot: Snapshot | None,
        invitation: Invitation | None,
        problem: str = "",
        status: int = HTTPStatus.OK,
    ) -> HttpResponse:
        """Return the link, or why there is none to show; ``problem`` names the sentence."""
        values = self._get_values()
        resend_url = ""
        if invitation is not None:
            values["email_address"] = invitation.email_address
            values["role"] = invitation.role_name
            if not invitation.is_accepted and problem != "Link:not-grantable":
                resend_url = self._find_list_url("resend", invitation_id=invitation.id)
            if problem:
                invitation = replace(invitation, url="")
        context: dict[str, Any] = {
            "organization": snapshot.organization if snapshot is not None else None,
            "organization_id": self._get_page_organization_id(),
            # The link stays in it: Django logs the repr of a context, in which it does not show.
            "invitation": invitation,
            "problem": self.wording.say(problem, **values) if problem else "",
            "expires_text": describe_expiry(invitation.expires_at) if invitation else "",
            "resend_url": resend_url,
            "list_url": self._get_list_url(),
        }
        response = self.render_confirmation(
            self.link_template_name,
            context,
            title=gettext("Link of an invitation"),
            status=status,
            has_failed=bool(problem),
        )
        # What is followed from here must not learn where it came from, nor anything of the page.
        response["Referrer-Policy"] = "no-referrer"
        return response
