"""The page with the form and the list: what it consists of, whichever view shows it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponse, HttpResponseBase
from django.utils.html import format_html
from django.utils.translation import gettext

from .. import htmx
from ..clerk import Invitation, Role
from ..forms import InviteForm
from ..models import Batch, BatchItem
from ..roles import AssignableRoles
from ..services import Workspace
from ..services.batches import get_items
from .listing import ListMixin
from .organization import SeeOther


class InvitationPageMixin(ListMixin):
    """What the page with the form and the list consists of."""

    template_name = "org_invitations/invitation_list.html"
    form_template_name = "org_invitations/partials/form.html"
    #: The fragments that answer htmx after an invitation or a revocation.
    changes_template_name = "org_invitations/answers/changes.html"

    form_class: type[InviteForm] = InviteForm

    #: The statuses of an invalid form, and of one that Clerk refused. A site that does without
    #: the app's script sets 200: htmx by itself swaps nothing else.
    invalid_status: int = HTTPStatus.UNPROCESSABLE_ENTITY

    def get_form_class(self) -> type[InviteForm]:
        """Return the form's class."""
        return self.form_class

    def get_form(
        self, roles: AssignableRoles, data: Any = None, files: Any = None, **kwargs: Any
    ) -> InviteForm:
        """Return the form, bound to ``data`` if there is any; it is checked as it is typed."""
        form = self.get_form_class()(data, files, roles=roles, **kwargs)
        if url := self.find_url("check"):
            role = form["role"].id_for_label
            for name, event in (
                ("email_addresses", f"input changed delay:500ms, change from:#{role}"),
                ("file", "change"),
            ):
                if name in form.fields:
                    form.fields[name].widget.attrs |= {
                        "hx-post": url,
                        "hx-target": f"#{htmx.CHECK_ID}",
                        "hx-swap": "innerHTML",
                        "hx-trigger": f"{event}, renewed",
                        # Sending goes first: a check that is under way gives way.
                        "hx-sync": "closest form:abort",
                    }
            if "file" in form.fields:
                # What is in the file is put into the text, so nothing may be typed meanwhile.
                typed = form["email_addresses"].id_for_label
                form.fields["file"].widget.attrs["hx-disabled-elt"] = f"#{typed}"
        return form

    def get_page_context(
        self, workspace: Workspace | None, form: InviteForm, **extra: Any
    ) -> dict[str, Any]:
        """Return the context of the page and of its fragments; docs/templates.md lists it."""
        context: dict[str, Any] = {
            "form": form,
            # The same form sent twice is one wish: this is what it is known by.
            "batch_id": uuid4(),
            "retry_of": self.get_retry_of() or "",
            "review": None,
            "organization_id": self.get_page_organization_id(),
            "urls": self.get_urls(),
            "organization": None,
            "membership": None,
            "form_problem": None,
            "focus_errors": False,
            "new_id": "",
            "oob": False,
            "renewal": False,
            "status_message": "",
            "status_look": "message",
            "status_action": {},
            **self.get_list_context(workspace),
        }
        if workspace is not None:
            context |= {
                "organization": workspace.organization,
                "membership": workspace.membership,
            }
            if workspace.roles_error is not None:
                context["form_problem"] = self.wording.say("Roles")
        return context | extra

    def get_typed_roles(self) -> AssignableRoles:
        """Return the roles for a form that could not be sent just now, without asking Clerk.

        They are those that the person was shown within the last minute, else only the one that was
        posted: nobody may have been let in yet.
        """
        service = getattr(self, "service", None)
        return (service.remembered_roles() if service is not None else None) or self.posted_role

    @property
    def posted_role(self) -> AssignableRoles:
        """The role that was chosen, as the only one there is."""
        posted = self.request.POST.get("role", "")
        name = posted.removeprefix("org:").replace("_", " ").capitalize()
        # A box that was ticked is shown again: it is part of what was typed.
        ticked = "confirm_elevated" in self.request.POST
        return AssignableRoles(
            roles=(Role(key=posted, name=name),) if posted else (),
            elevated=frozenset({posted} if ticked else ()),
            is_known=False,
        )

    def get_page_organization_id(self) -> str:
        """Return the id of the organization that the page is for; as posted while signed out."""
        service = getattr(self, "service", None)
        if service is not None:
            return str(service.organization_id)
        return self.request.POST.get("organization", "")

    def get_link_action(self, invitation: Invitation) -> dict[str, str]:
        """Return where the link can be copied, with ``url`` and ``text``, if it can be."""
        url = self.find_url("link", invitation_id=invitation.id)
        return {"url": url, "text": gettext("Copy link")} if url else {}

    def join_action(self, message: str, action: dict[str, str]) -> str:
        """Return a message with a link after it: what the status region says with htmx."""
        if not action:
            return message
        link = format_html('<a href="{url}">{text}</a>', **action)
        return format_html("{} {}", message, link)

    def show_list(self, workspace: Workspace, message: str, **extra: Any) -> HttpResponse:
        """Return the list as a fragment, whichever target the request named."""
        listed = self.service.with_list(workspace, self.get_query())
        context = self.get_page_context(
            listed, self.get_form(workspace.roles), status_message=message, **extra
        )
        response: HttpResponse = self.render("org_invitations/answers/list.html", context)
        response = htmx.replace_list(response, context["list_url"])
        return htmx.mark_fragment(response, htmx.LIST_ID)

    def get_batch_id(self) -> UUID | None:
        """Return the id that came with the form, if one did."""
        try:
            return UUID(self.request.POST.get("batch", ""))
        except ValueError:
            return None

    def get_retry_of(self) -> UUID | None:
        """Return the id of the batch from whose outcome a form comes, if it comes from one."""
        try:
            return UUID(self.request.POST.get("retry_of", ""))
        except ValueError:
            return None

    def show_outcome(self, batch: Batch) -> HttpResponseBase:
        """Go to the page that says what became of each.

        Who has lost the right meanwhile may not see that page any more, and is told here.
        """
        if self.service.was_denied:
            items = get_items(batch)
            done = sum(item.state == BatchItem.State.DONE for item in items)
            values = self.get_values() | {"done": done, "count": len(items)}
            message = self.wording.say("PermissionDenied:midway", **values)
            return self.render_problem(message, status=HTTPStatus.FORBIDDEN)
        url = self.get_url("outcome", batch_id=batch.id)
        return htmx.leave_page(url) if htmx.is_htmx(self.request) else SeeOther(url)
