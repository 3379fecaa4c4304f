"""Invite somebody."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext

from .. import htmx
from ..clerk import ClerkError, Invitation, Role
from ..clerk import exceptions as exc
from ..forms import InviteForm
from ..roles import AssignableRoles
from ..services import RoleNotGranted, Unsettled, Workspace
from ..wording import Problem
from .organization import SeeOther
from .page import InvitationPageMixin


class InviteView(InvitationPageMixin):
    """Invite somebody. It has no page of its own: the form is on the list's."""

    http_method_names = ["get", "post", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Go to the page with the form: somebody reloaded the answer to a POST."""
        return SeeOther(self.get_url("list"))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Invite, and say what became of it."""
        try:
            workspace = self.service.open(afresh=True)
        except exc.NO_ANSWER as error:
            return self.show_typed(self.wording.for_writing(error, **self.get_values()))
        form = self.get_form(workspace.roles, request.POST)
        if workspace.roles_error is not None:
            return self.show_typed(
                Problem(self.wording.say("Roles"), status=HTTPStatus.SERVICE_UNAVAILABLE),
                workspace,
            )
        if not form.is_valid():
            return self.form_invalid(workspace, form)
        try:
            invitation = self.service.invite_member(
                form.cleaned_data["email_address"],
                form.cleaned_data["role"],
                **self.get_invitation_options(form),
            )
        except Unsettled as error:
            email_address = form.cleaned_data["email_address"]
            problem = self.wording.for_unsettled("invite", error, email_address=email_address)
            return self.form_invalid(workspace, form, problem)
        except RoleNotGranted:
            message = self.wording.say("RoleNotGranted")
            return self.form_invalid(workspace, form, Problem(message, field="role"))
        except exc.OrganizationNotFound:
            raise
        except ClerkError as error:
            return self.form_invalid(workspace, form, self.explain(error, workspace, form))
        return self.form_valid(workspace, invitation)

    def get_invitation_options(self, form: InviteForm) -> dict[str, Any]:
        """Return what else Clerk is to know of the invitation: a hook for fields of a site's own.

        ``public_metadata``, ``private_metadata``, ``redirect_url``, ``expires_in_days``,
        ``notify``; Clerk passes the metadata on to the membership.
        """
        return {}

    def handle_switched(self) -> HttpResponseBase:
        """Show the page of the organization that is active now, with what was typed."""
        if htmx.get_fragment(self.request, htmx.FORM_ID):
            return super().handle_switched()
        workspace = self.service.open()
        form = self.get_form(workspace.roles, self.request.POST)
        message = self.wording.say("Switched:form", organization=workspace.organization.name)
        return self.form_invalid(workspace, form, Problem(message, status=HTTPStatus.CONFLICT))

    def explain(self, error: ClerkError, workspace: Workspace, form: InviteForm) -> Problem:
        """Return why Clerk refused, with what it has in place of a duplicate."""
        email_address = form.cleaned_data["email_address"]
        existing: Invitation | None = None
        if isinstance(error, exc.DuplicateInvitation):
            try:
                existing = self.service.get_pending(email_address)
            except ClerkError:
                existing = None  # a nicety: the refusal can be said without it
        return self.wording.for_writing(
            error,
            email_address=email_address,
            organization=workspace.organization.name,
            existing=existing,
        )

    def form_valid(self, workspace: Workspace, invitation: Invitation) -> HttpResponseBase:
        """Clear the form, show the list anew, and say whom it went to."""
        message = gettext("Invitation sent to %(email_address)s as %(role)s.") % {
            "email_address": invitation.email_address,
            "role": invitation.role_name,
        }
        if htmx.get_fragment(self.request, htmx.FORM_ID) is None:
            messages.success(self.request, message, fail_silently=True)
            return SeeOther(self.get_url("list"))
        form = self.get_form(workspace.roles)
        # Whoever invites one person often invites the next.
        form["email_address"].field.widget.attrs["autofocus"] = True
        context = self.get_page_context(
            self.service.with_page(workspace, 1),
            form,
            status_message=message,
            new_id=invitation.id,
        )
        response: HttpResponse = self.render(self.changes_template_name, context)
        response = htmx.show_url(response, self.get_url("list"))
        return htmx.mark_fragment(response, htmx.FORM_ID)

    def form_invalid(
        self, workspace: Workspace, form: InviteForm, problem: Problem | None = None
    ) -> HttpResponse:
        """Show the form with what was typed and why it was not sent."""
        status: int = self.invalid_status
        if problem is not None:
            form.add_problem(problem.message, problem.field)
            if self.invalid_status != HTTPStatus.OK:
                status = problem.status
        if htmx.get_fragment(self.request, htmx.FORM_ID):
            response: HttpResponse = self.render(
                self.form_template_name,
                self.get_page_context(workspace, form, focus_errors=True),
                status=status,
            )
            response = htmx.mark_fragment(response, htmx.FORM_ID)
        else:
            listed = self.service.with_page(workspace, 1)
            response = self.render(
                self.template_name,
                self.get_page_context(listed, form, focus_errors=True),
                status=status,
            )
        return self.with_retry_after(response, problem) if problem else response

    def show_typed(self, problem: Problem, workspace: Workspace | None = None) -> HttpResponse:
        """Show the form where nothing could be asked of Clerk, not even which roles there are.

        The roles are those that the person was shown within the last minute, else only what
        was posted: nobody has been let in yet.
        """
        form = self.get_typed_form(self.service.remembered_roles())
        form.add_problem(problem.message, None)
        context = self.get_page_context(workspace, form, focus_errors=True, form_problem=None)
        wants_form = htmx.get_fragment(self.request, htmx.FORM_ID) is not None
        template_name = self.form_template_name if wants_form else self.template_name
        response: HttpResponse = self.render(template_name, context, status=problem.status)
        if wants_form:
            response = htmx.mark_fragment(response, htmx.FORM_ID)
        return self.with_retry_after(response, problem)

    def get_typed_form(self, roles: AssignableRoles | None) -> InviteForm:
        """Return the form with what was posted, unchecked; of roles at least the chosen one."""
        posted = self.request.POST.get("role", "")
        if roles is None:
            name = posted.removeprefix("org:").replace("_", " ").capitalize()
            # A box that was ticked is shown again: it is part of what was typed.
            ticked = "confirm_elevated" in self.request.POST
            roles = AssignableRoles(
                roles=(Role(key=posted, name=name),) if posted else (),
                elevated=frozenset({posted} if ticked else ()),
            )
        form = self.get_form(roles, self.request.POST)
        form.errors.clear()
        return form

    def show_posted(self, **renewal: Any) -> HttpResponse:
        """Show the form with what was typed, the session's renewal above it."""
        context = self.get_page_context(None, self.get_typed_form(None), **renewal)
        return self.render(self.template_name, context, status=HTTPStatus.UNAUTHORIZED)
