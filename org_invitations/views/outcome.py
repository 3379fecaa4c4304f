"""What became of a press of a button: one answer for each, to be read as often as one likes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import ngettext

from .. import htmx
from ..csv import write_csv
from ..models import Batch, BatchItem
from ..services import Workspace
from ..services.batches import find_batch, find_done_since, is_at_work
from .outcome_rows import Outcome, OutcomeMaker
from .retry import RetryMixin

#: The header of the file, in English whatever the reader's language: a program can read it.
HEADER = ("Email", "Role", "Line", "Result", "Reason")


class OutcomeView(RetryMixin):
    """Say what became of each address. It sends nothing, however often it is loaded."""

    http_method_names = ["get", "head", "options"]

    outcome_template_name = "org_invitations/outcome.html"
    progress_template_name = "org_invitations/partials/outcome_progress.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the outcome, or how far it has got; as a file with ``?format=csv``."""
        workspace = self.service.open()
        batch = find_batch(
            kwargs["batch_id"],
            organization_id=self.service.organization_id,
            user_id=self.identity.user_id,
        )
        if batch is None:
            return self.render_problem(
                self.wording.say("Outcome:unknown"), status=HTTPStatus.NOT_FOUND
            )
        items = self.service.settle(batch)
        since = find_done_since(batch, items)
        maker = OutcomeMaker(
            batch,
            self.wording,
            self.find_invitation_url,
            since={number: self.get_outcome_url(item.batch) for number, item in since.items()},
        )
        if request.GET.get("format") == "csv":
            return self.as_file(batch, items, maker)
        at_work = is_at_work(batch)
        wants_progress = htmx.get_fragment(request, htmx.OUTCOME_ID) is not None
        if wants_progress and not at_work:
            return htmx.leave_page(self.get_outcome_url(batch))
        context = self.get_outcome_context(workspace, batch, items, maker.make(items))
        if wants_progress:
            response: HttpResponse = self.render(self.progress_template_name, context)
            return htmx.mark_fragment(response, htmx.OUTCOME_ID)
        return self.render(self.outcome_template_name, context)

    def get_outcome_context(
        self, workspace: Workspace, batch: Batch, items: Sequence[BatchItem], outcome: Outcome
    ) -> dict[str, Any]:
        """Return the context of the page; docs/templates.md lists it."""
        at_work = is_at_work(batch)
        left = [item for item in items if item.number not in outcome.since]
        form = None if at_work else self.get_retry_form(batch, left, workspace.roles)
        # Without a workspace: the page has no list, and nothing is fetched for one.
        context = self.get_page_context(
            None,
            form or self.get_form(workspace.roles),
            organization=workspace.organization,
            membership=workspace.membership,
        )
        if workspace.roles_error is not None:
            context["form_problem"] = self.wording.say("Roles")
        url = self.get_outcome_url(batch)
        return context | {
            "form": form,
            "retry_of": batch.id,
            # Its answers are pages: the list that a fragment would come with is on another one.
            "plain_form": True,
            "batch": batch,
            "outcome": outcome,
            "at_work": at_work,
            "outcome_url": url,
            "csv_url": f"{url}?format=csv",
            "selection_url": self.find_url("selection"),
            "retry_text": self.get_retry_text(len(outcome.retry_ids)),
            "go_on_text": self.get_go_on_text(outcome.waiting_count),
        }

    def get_outcome_url(self, batch: Batch) -> str:
        """Return the page's own URL."""
        return self.get_url("outcome", batch_id=batch.id)

    def find_invitation_url(self, name: str, invitation_id: str) -> str:
        """Return where something is done with an invitation; empty where it cannot be."""
        return self.find_url(name, invitation_id=invitation_id) if invitation_id else ""

    def get_retry_text(self, count: int) -> str:
        """Return what the button says that tries again what failed."""
        text = ngettext("Try the other one again", "Try the other %(count)d again", count)
        return text % {"count": count}

    def get_go_on_text(self, count: int) -> str:
        """Return what the button says that goes on with what waits."""
        text = ngettext("Continue with the other one", "Continue with the other %(count)d", count)
        return text % {"count": count}

    def as_file(
        self, batch: Batch, items: Sequence[BatchItem], maker: OutcomeMaker
    ) -> HttpResponse:
        """Return the outcome as CSV: what was typed, what became of it, and why."""
        rows = (
            (
                item.email_address or item.text,
                item.role or item.role_name,
                str(item.line or ""),
                item.state,
                maker.describe(item),
            )
            for item in items
        )
        name = f"{batch.action}-{datetime.now(UTC):%Y-%m-%d}.csv"
        return HttpResponse(
            write_csv(HEADER, rows),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "X-Content-Type-Options": "nosniff",
            },
        )
