"""The question before an invitation is sent again, and what is told in its place."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase

from .. import htmx
from ..clerk import ClerkError, Invitation
from ..clerk import exceptions as exc
from ..forms import ResendForm
from ..roles import AssignableRoles
from ..services import Workspace
from ..services.replacing import get_period
from ..wording import Problem, Stage, describe_expiry
from .organization import SeeOther
from .page import InvitationPageMixin


class ResendQuestionMixin(InvitationPageMixin):
    """Asks how to send an invitation again."""

    #: While the dialog is open nothing beside it can be read.
    problem_region = htmx.DIALOG_ID

    question_template_name = "org_invitations/invitation_resend.html"
    question_fragment_name = "org_invitations/partials/resend.html"
    resend_form_class: type[ResendForm] = ResendForm

    #: Whether the question is about role and expiry first of all.
    is_change: bool = False

    def open_invitation(self, **how: Any) -> tuple[Workspace, Problem | None]:
        """Return the workspace with the invitation, and what makes sending it again senseless."""
        try:
            workspace = self.service.open(invitation_id=self.kwargs["invitation_id"], **how)
        except exc.InvitationNotFound as error:
            workspace = self.service.open(roles=False)
            return workspace, self.explain(error, workspace)
        invitation = workspace.invitation
        if invitation is not None and invitation.is_accepted:
            return workspace, self.explain(exc.InvitationNotPending(), workspace)
        return workspace, None

    def get_resend_form(self, workspace: Workspace, data: Any = None) -> ResendForm:
        """Return the form, with what the invitation has preselected."""
        invitation = workspace.invitation
        initial: dict[str, Any] = {}
        if invitation is not None:
            if days := get_period(invitation):
                initial["expires_in_days"] = days
            # A role that this person cannot give is not replaced by one that nobody chose.
            known = invitation.role in workspace.roles
            initial["role"] = invitation.role if known else ""
        return self.resend_form_class(data, roles=workspace.roles, initial=initial)

    def ask(
        self,
        workspace: Workspace | None,
        form: ResendForm,
        problem: Problem | None = None,
        *,
        status: int = HTTPStatus.OK,
    ) -> HttpResponse:
        """Return the question, with what stands in its way."""
        if problem is not None:
            form.add_problem(problem.message, problem.field)
            status = problem.status
        response = self.show_question(workspace, form, status=status)
        return self.with_retry_after(response, problem) if problem else response

    def show_again(self, problem: Problem) -> HttpResponseBase:
        """Ask again, with what was chosen; of what is half done, with the button pressed."""
        if self.request.POST.keys() & {"finish", "leave"}:
            return super().show_again(problem)
        form = self.resend_form_class(self.request.POST, roles=self.get_typed_roles())
        form.errors.clear()
        return self.ask(None, form, problem)

    def show_question(
        self, workspace: Workspace | None, form: ResendForm | None, *, status: int, told: str = ""
    ) -> HttpResponse:
        """Return the question, or what is ``told`` in its place, as a page or for the dialog."""
        invitation = workspace.invitation if workspace is not None else None
        is_pending = invitation is None or invitation.is_pending
        fragment = htmx.get_fragment(self.request, htmx.DIALOG_ID, htmx.LIST_ID)
        context = self.get_page_context(
            workspace,
            self.get_form(workspace.roles if workspace else AssignableRoles()),
            invitation=invitation,
            resend_form=form,
            roles_problem=(
                self.wording.say("Roles") if workspace and workspace.roles_error else ""
            ),
            in_dialog=fragment is not None,
            resend_url=self.request.path,
            is_change=self.is_change and is_pending,
            told=told,
            # Nothing was begun where nothing is known, so the question is still the same one.
            batch_id=(self.get_batch_id() if workspace is None else None) or uuid4(),
            seen=invitation.status if invitation else self.request.POST.get("seen", ""),
            expires_text=describe_expiry(invitation.expires_at) if invitation else "",
        )
        if fragment is None:
            return self.render(self.question_template_name, context, status=status)
        response: HttpResponse = self.render(self.question_fragment_name, context, status=status)
        return htmx.send_elsewhere(response, htmx.DIALOG_ID)

    # --- What is told in its place ---------------------------------------------------------

    def tell(self, workspace: Workspace, problem: Problem) -> HttpResponseBase:
        """Tell what happened to the invitation meanwhile: it is no failure."""
        if htmx.get_fragment(self.request, htmx.LIST_ID, htmx.DIALOG_ID) is None:
            return self.show_question(workspace, None, status=problem.status, told=problem.message)
        return self.show(workspace, problem.message, "notice")

    def explain(
        self, error: ClerkError, workspace: Workspace, stage: Stage = Stage.WRITING
    ) -> Problem:
        """Return what an error means here, in words."""
        invitation = workspace.invitation
        values = self.get_invitation_values(workspace)
        if isinstance(error, exc.DuplicateInvitation):
            values["existing"] = self.find_existing(workspace)
        if isinstance(error, exc.InvitationNotPending) and invitation is not None:
            message = self.wording.say("Resend:accepted", **values)
            return Problem(message, status=HTTPStatus.CONFLICT)
        return self.wording.for_error(error, stage, **values)

    def get_invitation_values(self, workspace: Workspace) -> dict[str, Any]:
        """Return what the sentences about this invitation may name."""
        values = self.get_values() | {"organization": workspace.organization.name}
        if workspace.invitation is not None:
            values["email_address"] = workspace.invitation.email_address
        return values

    def find_existing(self, workspace: Workspace) -> Invitation | None:
        """Return the pending invitation that is in the way; a nicety, so None if it fails."""
        try:
            address = workspace.invitation.email_address if workspace.invitation else ""
            return self.service.get_pending(address) if address else None
        except ClerkError:
            return None

    def show(
        self,
        workspace: Workspace,
        message: str,
        look: str = "message",
        *,
        action: dict[str, str] | None = None,
        new_id: str = "",
    ) -> HttpResponseBase:
        """Show the list anew with a message, as a fragment or by a redirect."""
        action = action or {}
        if htmx.get_fragment(self.request, htmx.LIST_ID, htmx.DIALOG_ID) is None:
            level = messages.SUCCESS if look == "message" else messages.WARNING
            text = self.join_action(message, action)
            messages.add_message(self.request, level, text, fail_silently=True)
            return SeeOther(self.get_list_url(self.get_query()))
        return self.show_list(
            workspace, message, status_look=look, status_action=action, new_id=new_id
        )
