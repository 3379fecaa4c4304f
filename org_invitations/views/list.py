"""See the invitations."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from .. import htmx
from ..services import InvitationQuery
from .page import InvitationPageMixin


class InvitationListView(InvitationPageMixin):
    """The page: the list of invitations, and the form to invite somebody."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the page, or with htmx the list alone."""
        workspace = self.service.open(query=self.get_query())
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
        response: HttpResponse = self.render("org_invitations/answers/list.html", context)
        url = context["list_url"]
        if context["search"]["is_typed"]:
            # Whoever goes back should not meet every letter that was typed.
            refined = InvitationQuery.parse(htmx.get_shown_params(request)).search
            response = (htmx.show_url if refined else htmx.add_url)(response, url)
        elif url != request.get_full_path():
            response = htmx.add_url(response, url)
        return htmx.mark_fragment(response, htmx.LIST_ID)
