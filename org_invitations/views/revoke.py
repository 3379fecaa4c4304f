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
        workspace = self.service.open(invitation_id=kwargs["invitation_id"], roles=False)
        invitation = workspace.invitation
        if invitation is None or not invitation.is_pending:
            return self.nothing_to_revoke(workspace, invitation)
        return self.confirm(workspace, invitation)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Revoke, and say what became of it."""
        invitation_id: str = kwargs["invitation_id"]
        try:
            workspace = self.service.open(afresh=True, roles=False)
        except exc.NO_ANSWER as error:
            return self.revoke_failed(None, self.wording.for_writing(error, **self.get_values()))
        try:
            invitation = self.service.revoke(invitation_id)
        except Unsettled as error:
            return self.revoke_failed(workspace, self.wording.for_unsettled("revoke", error))
        except exc.InvitationNotPending as error:
            return self.nothing_to_revoke(
                workspace, self.service.find_invitation(invitation_id), error
            )
        except exc.OrganizationNotFound:
            raise
        except ClerkError as error:
            values = self.get_values() | {"organization": workspace.organization.name}
            return self.revoke_failed(workspace, self.wording.for_writing(error, **values))
        return self.revoked(workspace, invitation)

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
            number=self.get_page_number(),
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
        number = self.get_page_number()
        if htmx.get_fragment(self.request, htmx.LIST_ID) is None:
            messages.success(self.request, message, fail_silently=True)
            return SeeOther(self.get_list_url(number))
        return self.show_list(workspace, number, message)

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
        return self.show_list(
            workspace, self.get_page_number(), problem.message, status_look="notice"
        )

    def revoke_failed(self, workspace: Workspace | None, problem: Problem) -> HttpResponse:
        """Ask again, with the reason why it was not done.

        Without a workspace nobody has been let in yet, so nothing of the invitation is shown.
        """
        invitation = None
        if workspace is not None:
            invitation = self.service.find_invitation(self.kwargs["invitation_id"])
        response = self.confirm(workspace, invitation, problem)
        return self.with_retry_after(response, problem)

    def show_list(
        self, workspace: Workspace, number: int, message: str, **extra: Any
    ) -> HttpResponse:
        """Return the list as a fragment, whichever target the request named."""
        listed = self.service.with_page(workspace, number)
        context = self.get_page_context(
            listed, self.get_form(workspace.roles), status_message=message, **extra
        )
        response: HttpResponse = self.render("org_invitations/answers/list.html", context)
        response = htmx.replace_list(response, self.get_list_url(number, listed))
        return htmx.mark_fragment(response, htmx.LIST_ID)

    def get_list_url(self, number: int, workspace: Workspace | None = None) -> str:
        """Return the URL of the list's page that the person came from, or that is shown now."""
        if workspace is not None and workspace.page is not None:
            number = workspace.page.number
        base = self.get_url("list")
        return f"{base}?page={number}" if number > 1 else base
