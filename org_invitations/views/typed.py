"""The form as it was typed, where nobody can be asked about it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import uuid4

from django.http import HttpResponse, HttpResponseBase
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext

from .. import htmx
from ..forms import InviteForm
from ..roles import AssignableRoles
from ..services import InvitationQuery, Workspace
from ..wording import Problem
from .page import InvitationPageMixin


class TypedFormMixin(InvitationPageMixin):
    """Shows the form again with everything that was typed, whatever went wrong."""

    def handle_switched(self) -> HttpResponseBase:
        """Show the page of the organization that is active now, with what was typed."""
        if htmx.get_fragment(self.request, htmx.FORM_ID, htmx.CHECK_ID):
            return super().handle_switched()
        workspace = self.service.open()
        form = self.get_form(workspace.roles, self.request.POST, self.request.FILES)
        form.is_valid()
        form.retype()
        form.errors.clear()
        message = self.wording.say("Switched:form", organization=workspace.organization.name)
        form.add_problem(message, None)
        return self.show_form(workspace, form, status=HTTPStatus.CONFLICT, focus_errors=True)

    def show_form(
        self, workspace: Workspace | None, form: InviteForm, *, status: int, **extra: Any
    ) -> HttpResponse:
        """Return the form as a fragment, or the page it is on."""
        if htmx.get_fragment(self.request, htmx.FORM_ID):
            context = self.get_page_context(workspace, form, **extra)
            response: HttpResponse = self.render(self.form_template_name, context, status=status)
            return htmx.mark_fragment(response, htmx.FORM_ID)
        if workspace is not None:
            workspace = self.service.with_list(workspace, InvitationQuery())
        context = self.get_page_context(workspace, form, **extra)
        return self.render(self.template_name, context, status=status)

    def show_again(self, problem: Problem) -> HttpResponseBase:
        """Show the form with everything in it; a check below it leaves it as it is."""
        if htmx.get_fragment(self.request, htmx.CHECK_ID):
            return super().show_again(problem)
        if not hasattr(self, "identity"):  # so nobody knows who it is, and nothing is taken apart
            return self.handle_unreadable_session(problem)
        return self.show_typed(problem)

    def show_typed(self, problem: Problem, workspace: Workspace | None = None) -> HttpResponse:
        """Show the form where nothing could be asked of Clerk, not even which roles there are.

        Nothing was begun, so the form is still the same wish.
        """
        form = self.get_typed_form(self.get_typed_roles())
        form.add_problem(problem.message, None)
        context = self.get_page_context(
            workspace,
            form,
            batch_id=self.get_batch_id() or uuid4(),
            focus_errors=True,
            form_problem=None,
        )
        wants_form = htmx.get_fragment(self.request, htmx.FORM_ID) is not None
        template_name = self.form_template_name if wants_form else self.template_name
        response: HttpResponse = self.render(template_name, context, status=problem.status)
        if wants_form:
            response = htmx.mark_fragment(response, htmx.FORM_ID)
        return self.with_retry_after(response, problem)

    def get_typed_form(self, roles: AssignableRoles) -> InviteForm:
        """Return the form with what was posted, unchecked."""
        form = self.get_form(roles, self.request.POST, self.request.FILES)
        form.is_valid()
        form.retype()
        form.errors.clear()
        return form

    def handle_unreadable_session(self, problem: Problem) -> HttpResponseBase:
        """Say so above the form, with what was typed; with htmx that is on the page anyway."""
        if self.request.method != "POST" or htmx.get_fragment(self.request, *htmx.FRAGMENTS):
            return self.render_problem(problem.message, status=problem.status)
        context = self.get_page_context(None, self._get_unread_form(), form_problem=problem.message)
        return self.render(self.template_name, context, status=problem.status)

    def show_posted(self, status: int = HTTPStatus.UNAUTHORIZED, **renewal: Any) -> HttpResponse:
        """Show the form as it was posted, and above it why it was not sent.

        Nobody has been let in yet, so nothing is taken apart: anybody can send a megabyte.
        """
        form = self._get_unread_form()
        if self.request.FILES:
            renewal["message"] += " " + gettext("Only the file has to be chosen once more.")
        if htmx.get_fragment(self.request, htmx.FORM_ID):
            context = self.get_page_context(None, form, form_problem=renewal["message"])
            response: HttpResponse = self.render(self.form_template_name, context, status=status)
            return htmx.mark_fragment(response, htmx.FORM_ID)
        context = self.get_page_context(None, form, **renewal)
        return self.render(self.template_name, context, status=status)

    def _get_unread_form(self) -> InviteForm:
        """Return the form with what was posted, as it was posted: nothing of it is read."""
        roles = self.posted_role
        fields = self.get_form(roles).fields
        posted = {
            name: field.widget.value_from_datadict(self.request.POST, MultiValueDict(), name)
            for name, field in fields.items()
        }
        # Not bound: whoever looked for errors, as templates do, would have it read.
        return self.get_form(roles, initial=posted)
