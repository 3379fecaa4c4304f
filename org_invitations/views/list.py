"""See the invitations, as a page or as a file."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header

from .. import htmx
from ..clerk import Organization
from ..csv import as_csv
from ..services import InvitationQuery, TooManyInvitations
from ..services.joining.asks import Mark, get_marks
from .base import OrganizationView, with_retry_after
from .page import PageMixin


class InvitationListView(PageMixin):
    """The page: the list of invitations, and the form to invite somebody."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the page, or with htmx the list alone."""
        snapshot = self.service.open(query=self.get_query())
        context = self._get_page_context(snapshot, self.get_invite_form(snapshot.roles))
        if htmx.get_fragment(request, htmx.LIST_ID) is None:
            return self.render(self.page_template_name, context)
        problem = context["list_problem"]
        if problem is not None:
            # The rows that are there stay there; the problem is said above them.
            response = self.render_problem(problem.message, status=problem.status)
            return with_retry_after(response, problem)
        if htmx.get_trigger(request) == htmx.FOLLOW_ID:
            # Something else on the page has changed, and says so itself.
            context["is_followed"] = True
            response = self.render("org_invitations/answers/list.html", context)
            return htmx.mark_fragment(response, htmx.LIST_ID)
        context |= {
            "status_message": self.get_list_presenter(snapshot).describe(),
            "status_level": "visually-hidden",
        }
        response = self.render("org_invitations/answers/list.html", context)
        url = self._get_shown_url(context["list_url"])
        if context["search"]["is_typed"]:
            # Whoever goes back should not meet every letter that was typed.
            refined = InvitationQuery.parse(htmx.get_shown_params(request)).search
            response = (htmx.show_url if refined else htmx.add_url)(response, url)
        elif url != request.get_full_path():
            response = htmx.add_url(response, url)
        return htmx.mark_fragment(response, htmx.LIST_ID)


class ExportView(OrganizationView):
    """All invitations of a list, of all its pages, as CSV."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the file, once all that belongs into it has been fetched."""
        snapshot = self.service.open(roles=False)
        query = InvitationQuery.parse(request.GET)
        try:
            invitations = self.service.find_all(query)
        except TooManyInvitations as error:
            return self.render_problem(
                self.wording.say("TooManyInvitations", count=error.count),
                status=HTTPStatus.UNPROCESSABLE_ENTITY,
            )
        name = self.get_filename(snapshot.organization, query)
        ids = [invitation.id for invitation in invitations if invitation.is_revoked]
        marks = get_marks(self.service.organization_id, ids)
        joined = [id_ for id_, mark in marks.items() if mark == Mark.JOINED]
        return HttpResponse(
            as_csv(invitations, joined=joined),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": content_disposition_header(True, name) or "attachment",  # noqa: FBT003
                "X-Content-Type-Options": "nosniff",
            },
        )

    def get_filename(self, organization: Organization, query: InvitationQuery) -> str:
        """Return what the file is called: whose invitations, which, and of when (UTC)."""
        whose = re.sub(r"[^A-Za-z0-9_-]+", "-", organization.slug or organization.id).strip("-")
        return f"invitations-{whose}-{query.status}-{datetime.now(UTC):%Y-%m-%d}.csv"
