"""Show an invitation's link, for somebody who passes it on by another way than Clerk's mail."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse

from .. import htmx
from ..clerk import Invitation
from ..clerk import exceptions as exc
from ..services import Workspace
from ..wording import describe_expiry
from .page import InvitationPageMixin


class InvitationLinkView(InvitationPageMixin):
    """The link of one pending invitation: here and nowhere else, kept by nobody.

    Whoever has it can become a member with the invitation's role. So only somebody sees it who
    could give that role to anybody.
    """

    http_method_names = ["get", "options"]

    problem_region = htmx.DIALOG_ID

    link_template_name = "org_invitations/invitation_link.html"
    link_fragment_name = "org_invitations/partials/link.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show it, as a page or in the list's dialog."""
        try:
            workspace = self.service.open(invitation_id=kwargs["invitation_id"], afresh=True)
        except exc.InvitationNotFound:
            return self.show_link(None, None, "InvitationNotFound", HTTPStatus.NOT_FOUND)
        invitation = workspace.invitation
        if invitation is None or not invitation.is_pending:
            status = invitation.status if invitation is not None else "revoked"
            return self.show_link(workspace, invitation, f"Link:{status}", HTTPStatus.CONFLICT)
        if workspace.roles_error is not None:
            return self.show_link(
                workspace, invitation, "Link:roles", HTTPStatus.SERVICE_UNAVAILABLE
            )
        if invitation.role not in workspace.roles:
            return self.show_link(workspace, invitation, "Link:withheld", HTTPStatus.FORBIDDEN)
        if not invitation.url:
            return self.show_link(workspace, invitation, "Link:absent", HTTPStatus.CONFLICT)
        return self.show_link(workspace, invitation)

    def show_link(
        self,
        workspace: Workspace | None,
        invitation: Invitation | None,
        problem: str = "",
        status: int = HTTPStatus.OK,
    ) -> HttpResponse:
        """Return the link, or why there is none to show; ``problem`` names the sentence."""
        values = self.get_values()
        resend_url = ""
        if invitation is not None:
            values["email_address"] = invitation.email_address
            values["role"] = invitation.role_name
            if not invitation.is_accepted and problem != "Link:withheld":
                resend_url = self.find_url("resend", invitation_id=invitation.id)
            if problem:
                invitation = replace(invitation, url="")
        fragment = htmx.get_fragment(self.request, htmx.DIALOG_ID)
        query = self.get_query()
        state = query.urlencode()
        if resend_url and state:
            resend_url = f"{resend_url}?{state}"
        context: dict[str, Any] = {
            "organization": workspace.organization if workspace is not None else None,
            "organization_id": self.get_page_organization_id(),
            # The link stays in it: Django logs the repr of a context, in which it does not show.
            "invitation": invitation,
            "problem": self.wording.say(problem, **values) if problem else "",
            "expires_text": describe_expiry(invitation.expires_at) if invitation else "",
            "resend_url": resend_url,
            "in_dialog": fragment is not None,
            "list_url": self.get_list_url(query),
            "urls": self.get_urls(),
        }
        name = self.link_template_name if fragment is None else self.link_fragment_name
        response: HttpResponse = self.render(name, context, status=status)
        # What is followed from here must not learn where it came from, nor anything of the page.
        response["Referrer-Policy"] = "no-referrer"
        return htmx.mark_fragment(response, fragment) if fragment is not None else response
