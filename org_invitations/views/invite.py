"""Invite somebody, or many."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext

from .. import htmx
from ..clerk import ClerkError, Invitation
from ..clerk import exceptions as exc
from ..forms import InviteForm
from ..services import InvitationQuery, NotPermitted, RoleNotGranted, Unsettled, Workspace
from ..wording import Problem
from .begin import InviteMany, make_one
from .organization import SeeOther


class InviteView(InviteMany):
    """Invite somebody, or many. It has no page of its own: the form is on the list's."""

    http_method_names = ["get", "post", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Go to the page with the form: somebody reloaded the answer to a POST."""
        return SeeOther(self.get_url("list"))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Invite, and say what became of it."""
        workspace = self.service.open(afresh=True, seats=self.may_be_many())
        form = self.get_form(workspace.roles, request.POST, request.FILES)
        if workspace.roles_error is not None:
            return self.show_typed(
                Problem(self.wording.say("Roles"), status=HTTPStatus.SERVICE_UNAVAILABLE),
                workspace,
            )
        is_valid = form.is_valid()
        form.retype()
        if len(form.entries) != 1 or form.entries[0].role or self.is_doubtful(form):
            return self.invite_many(workspace, form)
        self.explain_refusal(form, form.entries[0])
        if not is_valid or form.errors:
            extra: dict[str, Any] = {}
            if form.entries[0].offers:
                # What was probably meant can be taken by one press.
                extra["review"] = self.get_review(self.screen(workspace, form), form)
            return self.form_invalid(workspace, form, **extra)
        return self.invite_one(workspace, form)

    def is_doubtful(self, form: InviteForm) -> bool:
        """Whether there is something to say of the only address, and nobody has been told yet.

        It looks like a slip, or it was found in a table of which not all was used.
        """
        entry, reading = form.entries[0], form.reading
        is_asked = bool(entry.suggestion or reading.notes)
        return entry.refusal is None and is_asked and not self.is_reviewed(form)

    # --- One ------------------------------------------------------------------------------

    def invite_one(self, workspace: Workspace, form: InviteForm) -> HttpResponseBase:
        """Invite the only address there is, without a check before: Clerk's answer is enough."""
        email_address = form.entries[0].email_address
        item = make_one(form.entries[0], workspace.roles.get(form.cleaned_data["role"]))
        options = self.get_options(form)
        batch, is_new = self.begin(form, [item], options)
        if not is_new:
            return self.answer_again(workspace, form, batch)
        try:
            invitation = self.service.invite_member(
                email_address, form.cleaned_data["role"], item=item, **options
            )
        except Unsettled as error:
            self.finish_one(batch, item, error.error, unsettled=True)
            problem = self.wording.for_unsettled("invite", error, email_address=email_address)
            return self.form_invalid(workspace, form, problem)
        except RoleNotGranted:
            self.finish_one(batch, item, None)
            message = self.wording.say("RoleNotGranted")
            return self.form_invalid(workspace, form, Problem(message, field="role"))
        except NotPermitted:
            self.finish_one(batch, item, exc.PermissionDenied())
            raise
        except ClerkError as error:
            self.finish_one(batch, item, error)
            if isinstance(error, exc.OrganizationNotFound):
                raise
            return self.form_invalid(workspace, form, self.explain(error, workspace, form))
        self.finish_one(batch, item, invitation=invitation)
        return self.form_valid(workspace, invitation)

    def get_invitation_options(self, form: InviteForm) -> dict[str, Any]:
        """Return what else Clerk is to know of the invitations: a hook for fields of a site's own.

        ``public_metadata``, ``private_metadata``, ``redirect_url``, ``expires_in_days``,
        ``notify``; Clerk passes the metadata on to the membership. What is here wins over what
        was chosen in the form.
        """
        return {}

    def explain_refusal(self, form: InviteForm, entry: Any) -> None:
        """Say beside the field why the only thing in it is no address."""
        if entry.refusal is not None:
            form.add_problem(self.describe_entry(entry), "email_addresses")

    def explain(self, error: ClerkError, workspace: Workspace, form: InviteForm) -> Problem:
        """Return why Clerk refused, with what it has in place of a duplicate."""
        email_address = form.entries[0].email_address
        return self.wording.for_writing(
            error,
            email_address=email_address,
            organization=workspace.organization.name,
        )

    # --- The answer -----------------------------------------------------------------------

    def form_valid(self, workspace: Workspace, invitation: Invitation) -> HttpResponseBase:
        """Clear the form, show the list anew, and say whom it went to."""
        no_email = "no_email" in self.request.POST
        message = (
            gettext("%(email_address)s is invited as %(role)s. No email was sent.")
            if no_email
            else gettext("Invitation sent to %(email_address)s as %(role)s.")
        ) % {"email_address": invitation.email_address, "role": invitation.role_name}
        action = self.get_link_action(invitation) if no_email else {}
        if htmx.get_fragment(self.request, htmx.FORM_ID) is None:
            messages.success(self.request, self.join_action(message, action), fail_silently=True)
            return SeeOther(self.get_url("list"))
        form = self.get_form(workspace.roles)
        # Whoever invites one person often invites the next.
        form["email_addresses"].field.widget.attrs["autofocus"] = True
        context = self.get_page_context(
            self.service.with_list(workspace, InvitationQuery()),
            form,
            status_message=message,
            status_action=action,
            new_id=invitation.id,
        )
        response: HttpResponse = self.render(self.changes_template_name, context)
        response = htmx.show_url(response, self.get_url("list"))
        return htmx.mark_fragment(response, htmx.FORM_ID)

    def form_invalid(
        self, workspace: Workspace, form: InviteForm, problem: Problem | None = None, **extra: Any
    ) -> HttpResponse:
        """Show the form with what was typed and why it was not sent."""
        status: int = self.invalid_status
        if problem is not None:
            form.add_problem(problem.message, problem.field)
            if self.invalid_status != HTTPStatus.OK:
                status = problem.status
        response = self.show_form(workspace, form, status=status, focus_errors=True, **extra)
        return self.with_retry_after(response, problem) if problem else response
