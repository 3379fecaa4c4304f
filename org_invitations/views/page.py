"""The page with the form and the list: what it consists of, whichever view shows it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext

from ..clerk import Invitation
from ..forms import InviteForm
from ..roles import AssignableRoles
from ..rows import InvitationRow, make_rows
from ..services import Workspace
from .organization import OrganizationMixin


class InvitationPageMixin(OrganizationMixin):
    """What the page with the form and the list consists of."""

    template_name = "org_invitations/invitation_list.html"
    form_template_name = "org_invitations/partials/form.html"
    list_template_name = "org_invitations/partials/list.html"
    row_template_name = "org_invitations/partials/row.html"
    #: The fragments that answer htmx after an invitation or a revocation.
    changes_template_name = "org_invitations/answers/changes.html"

    form_class: type[InviteForm] = InviteForm

    #: The statuses of an invalid form, and of one that Clerk refused. A site that does without
    #: the app's script sets 200: htmx by itself swaps nothing else.
    invalid_status: int = HTTPStatus.UNPROCESSABLE_ENTITY

    def get_form_class(self) -> type[InviteForm]:
        """Return the form's class."""
        return self.form_class

    def get_form(self, roles: AssignableRoles, data: Any = None) -> InviteForm:
        """Return the form, bound to ``data`` if there is any."""
        return self.get_form_class()(data, roles=roles)

    def get_page_number(self) -> int:
        """Return the page asked for; 1 for whatever is not a number."""
        data = self.request.POST if self.request.method == "POST" else self.request.GET
        text = data.get("page", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1

    def get_rows(self, workspace: Workspace) -> list[InvitationRow]:
        """Return the rows of the list."""
        if workspace.page is None:
            return []

        def revoke_url(invitation: Invitation) -> str:
            return self.find_url("revoke", invitation_id=invitation.id)

        return make_rows(workspace.page, revoke_url)

    def get_page_context(
        self, workspace: Workspace | None, form: InviteForm, **extra: Any
    ) -> dict[str, Any]:
        """Return the context of the page and of its fragments; docs/templates.md lists it."""
        context: dict[str, Any] = {
            "form": form,
            "organization_id": self.get_page_organization_id(),
            "urls": self.get_urls(),
            "row_template_name": self.row_template_name,
            "organization": None,
            "membership": None,
            "page": None,
            "rows": [],
            "list_problem": None,
            "form_problem": None,
            "pagination": {},
            "focus_errors": False,
            "new_id": "",
            "oob": False,
            "renewal": False,
            "status_message": "",
            "status_look": "message",
        }
        if workspace is not None:
            context |= {
                "organization": workspace.organization,
                "membership": workspace.membership,
                "page": workspace.page,
                "rows": self.get_rows(workspace),
                "pagination": self.get_pagination(workspace),
            }
            if workspace.page_error is not None:
                context["list_problem"] = self.wording.for_reading(workspace.page_error)
            if workspace.roles_error is not None:
                context["form_problem"] = self.wording.say("Roles")
        return context | extra

    def get_page_organization_id(self) -> str:
        """Return the id of the organization that the page is for; as posted while signed out."""
        service = getattr(self, "service", None)
        if service is not None:
            return str(service.organization_id)
        return self.request.POST.get("organization", "")

    def get_pagination(self, workspace: Workspace) -> dict[str, str]:
        """Return the URLs of the pages before and after, empty where there is none."""
        page = workspace.page
        if page is None:
            return {}
        base = self.get_url("list")
        return {
            "previous": f"{base}?page={page.previous_number}" if page.has_previous else "",
            "next": f"{base}?page={page.next_number}" if page.has_next else "",
        }

    def describe_page(self, workspace: Workspace) -> str:
        """Return where in the list somebody is, for the status region."""
        page = workspace.page
        if page is None or not page.invitations:
            return gettext("There are no pending invitations.")
        return gettext("Showing %(start)d to %(end)d of %(total)d pending invitations.") % {
            "start": page.start_index,
            "end": page.end_index,
            "total": page.total_count,
        }
