"""See the pending invitations."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from .. import htmx
from .page import InvitationPageMixin


class InvitationListView(InvitationPageMixin):
    """The page: pending invitations, a page at a time, and the form to invite somebody."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the page, or with htmx the list alone."""
        workspace = self.service.open(page=self.get_page_number())
        context = self.get_page_context(workspace, self.get_form(workspace.roles))
        wants_list = htmx.get_fragment(request, htmx.LIST_ID) is not None
        problem = context["list_problem"]
        if not wants_list:
            return self.render(self.template_name, context)
        if problem is not None:
            # The rows that are there stay there; the problem is said above them.
            return self.with_retry_after(
                self.render_problem(problem.message, status=problem.status), problem
            )
        context |= {
            "status_message": self.describe_page(workspace),
            "status_look": "visually-hidden",
        }
        response = self.render("org_invitations/answers/list.html", context)
        return htmx.mark_fragment(response, htmx.LIST_ID)
