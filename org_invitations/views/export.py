"""The list as a file."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header

from ..clerk import Organization
from ..csv import as_csv
from ..services import InvitationQuery, TooManyInvitations
from .listing import ListMixin


class ExportView(ListMixin):
    """All invitations of a list, of all its pages, as CSV."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the file, once all that belongs into it has been fetched."""
        workspace = self.service.open(roles=False)
        query = self.get_query()
        try:
            invitations = self.service.find_all(query)
        except TooManyInvitations as error:
            return self.render_problem(
                self.wording.say("TooManyInvitations", count=error.count),
                status=HTTPStatus.UNPROCESSABLE_ENTITY,
            )
        name = self.get_filename(workspace.organization, query)
        return HttpResponse(
            as_csv(invitations),
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
