"""Revoke an invitation, after a question that names the person."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext

from .. import htmx
from ..clerk import ClerkError, Invitation
from ..clerk import exceptions as exc
from ..roles import AssignableRoles
from ..services import Unsettled, Workspace
from ..wording import Problem
from .organization import SeeOther
from .page import InvitationPageMixin


class RevokeInvitationView(InvitationPageMixin):
    """Ask whether to revoke an invitation, and revoke it."""

    http_method_names = ["get", "post", "options"]

    #: While the dialog is open nothing beside it can be read.
    problem_region = htmx.DIALOG_ID

    confirm_template_name = "org_invitations/invitation_revoke.html"
    confirm_fragment_name = "org_invitations/partials/revoke.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ask, naming the person: as a page, or in the list's dialog."""
        try:
            workspace = self.service.open(invitation_id=kwargs["invitation_id"], roles=False)
        except exc.InvitationNotFound as error:
            return self.nothing_to_revoke(self.service.open(roles=False), None, error)
        invitation = workspace.invitation
        if invitation is None or not invitation.is_pending:
            return self.nothing_to_revoke(workspace, invitation)
        return self.confirm(workspace, invitation)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Revoke, and say what became of it."""
        invitation_id: str = kwargs["invitation_id"]
        workspace = self.service.open(afresh=True, roles=False)
        try:
            invitation = self.service.revoke(invitation_id)
        except Unsettled as error:
            return self.revoke_failed(workspace, self.wording.for_unsettled("revoke", error))
        except exc.InvitationNotPending as error:
            return self.nothing_to_revoke(workspace, error.invitation, error)
        except exc.InvitationNotFound as error:
            return self.nothing_to_revoke(workspace, None, error)
        except exc.OrganizationNotFound:
            raise
        except ClerkError as error:
            values = self.get_values() | {"organization": workspace.organization.name}
            return self.revoke_failed(workspace, self.wording.for_writing(error, **values))
        return self.revoked(workspace, invitation)

    def show_again(self, problem: Problem) -> HttpResponseBase:
        """Ask again: nobody has been let in yet, so the person is not named."""
        return self.revoke_failed(None, problem)

    def confirm(
        self,
        workspace: Workspace | None,
        invitation: Invitation | None,
        problem: Problem | None = None,
        *,
        can_revoke: bool = True,
    ) -> HttpResponse:
        """Return the question, or what stands in its way."""
        fragment = htmx.get_fragment(self.request, htmx.DIALOG_ID, htmx.LIST_ID)
        context = self.get_page_context(
            workspace,
            self.get_form(workspace.roles if workspace else AssignableRoles()),
            invitation=invitation,
            problem=problem,
            can_revoke=can_revoke,
            in_dialog=fragment is not None,
            revoke_url=self.get_url("revoke", invitation_id=self.kwargs["invitation_id"]),
        )
        status = problem.status if problem else HTTPStatus.OK
        if fragment is not None:
            response = self.render(self.confirm_fragment_name, context, status=status)
            return htmx.send_elsewhere(response, htmx.DIALOG_ID)
        return self.render(self.confirm_template_name, context, status=status)

    def revoked(self, workspace: Workspace, invitation: Invitation) -> HttpResponseBase:
        """Show the list anew and say whose invitation is gone."""
        message = gettext("Invitation to %(email_address)s revoked. Its link no longer works.") % {
            "email_address": invitation.email_address
        }
        way_back = self.get_way_back(invitation)
        if htmx.get_fragment(self.request, htmx.LIST_ID) is None:
            messages.success(self.request, self.join_action(message, way_back), fail_silently=True)
            return SeeOther(self.get_list_url(self.get_query()))
        return self.show_list(workspace, message, status_action=way_back)

    def get_way_back(self, invitation: Invitation) -> dict[str, str]:
        """Return a link that invites the person again, with ``url`` and ``text``, if there is."""
        url = self.find_url("resend", invitation_id=invitation.id)
        if not url:
            return {}
        state = self.get_query().urlencode()
        return {
            "url": f"{url}?{state}" if state else url,
            "text": gettext("Invite again as %(role)s") % {"role": invitation.role_name},
        }

    def nothing_to_revoke(
        self, workspace: Workspace, invitation: Invitation | None, error: ClerkError | None = None
    ) -> HttpResponse:
        """Tell what happened to the invitation meanwhile: it is no failure."""
        problem = self.wording.for_writing(
            error or exc.InvitationNotPending(),
            existing=invitation,
            **self.get_values() | {"organization": workspace.organization.name},
        )
        if htmx.get_fragment(self.request, htmx.LIST_ID, htmx.DIALOG_ID) is None:
            return self.confirm(workspace, None, problem, can_revoke=False)
        return self.show_list(workspace, problem.message, status_look="notice")

    def revoke_failed(self, workspace: Workspace | None, problem: Problem) -> HttpResponse:
        """Ask again, with the reason why it was not done.

        Without a workspace nobody has been let in yet, so nothing of the invitation is shown.
        """
        invitation = None
        if workspace is not None:
            invitation = self.service.find_invitation(self.kwargs["invitation_id"])
        response = self.confirm(workspace, invitation, problem)
        return self.with_retry_after(response, problem)
