"""What became of a press of a button: one answer for each, to be read as often as one likes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext, ngettext

from .. import htmx
from ..addresses import Entry, Refusal, as_text, parse_text, read_text
from ..conf import conf
from ..csv import write_csv
from ..forms import CLERKS_EXPIRES_IN_DAYS, InviteForm
from ..models import Batch, BatchItem
from ..roles import AssignableRoles
from ..services import Snapshot
from ..services.batches.background import is_left_to_workers
from ..services.batches.counts import count_items, is_for_workers
from ..services.batches.store import as_aware, find_done_since, get_items, is_at_work
from ..services.preview import Preview, PreviewItem, PreviewStatus
from ..wording import describe_date
from .base import SeeOther
from .outcome_presenter import Outcome, OutcomePresenter, is_left, is_to_fix
from .page import PageMixin
from .preview import PreviewPresenter, PreviewReport

State = BatchItem.State

#: The header of the file, in English whatever the reader's language: a program can read it.
HEADER: Final = ("Email", "Role", "Line", "Result", "Reason")


class OutcomeView(PageMixin):
    """Say what became of each address. It sends nothing, however often it is loaded."""

    http_method_names = ["get", "head", "post", "options"]

    #: The page that says what became of each.
    outcome_template_name = "org_invitations/outcome.html"
    #: How far it has got, while it is being worked on.
    outcome_progress_template_name = "org_invitations/partials/outcome_progress.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the outcome, or how far it has got; as a file with ``?format=csv``."""
        snapshot = self.service.open()
        batch = self.service.find_batch(kwargs["batch_id"])
        if batch is None:  # what workers did is not only for who began it
            batch = self._find_steered(snapshot)
        if batch is None:
            return self._render_unknown()
        as_file = request.GET.get("format") == "csv"
        if is_left_to_workers(batch) and not as_file:
            url = self._find_url_from_here("progress", batch_id=batch.pk)
            if url and count_items([batch.pk])[batch.pk].left:
                return SeeOther(url)
        is_own = batch.user_id == self.service.user_id
        items = self.service.reconcile(batch) if is_own else get_items(batch)
        since = find_done_since(batch, items)
        presenter = OutcomePresenter(
            batch,
            self.wording,
            self._find_invitation_url,
            since={number: self._get_outcome_url(item.batch) for number, item in since.items()},
            is_own=is_own,
        )
        if as_file:
            return self._as_file(batch, items, presenter)
        at_work = is_at_work(items)
        wants_progress = htmx.get_fragment(request, htmx.OUTCOME_ID) is not None
        if wants_progress and not at_work:
            return SeeOther(self._get_outcome_url(batch))
        context = self._get_outcome_context(snapshot, batch, items, presenter)
        if wants_progress:
            response: HttpResponse = self.render(self.outcome_progress_template_name, context)
            return htmx.mark_fragment(response, htmx.OUTCOME_ID)
        return self.render(self.outcome_template_name, context)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Leave what waits, if that is what was pressed; go to the outcome as it is then."""
        self.service.open(fresh=True, roles=False)
        batch = self.service.find_batch(kwargs["batch_id"])
        if batch is None:
            return self._render_unknown()
        if "leave" in request.POST:
            self.service.cancel(batch, get_items(batch))
        return SeeOther(self._get_outcome_url(batch))

    def _get_outcome_context(
        self,
        snapshot: Snapshot,
        batch: Batch,
        items: Sequence[BatchItem],
        presenter: OutcomePresenter,
    ) -> dict[str, Any]:
        """Return the context of the page; docs/templates.md lists it."""
        outcome = presenter.get_outcome(items)
        at_work = is_at_work(items)
        is_own = batch.user_id == self.service.user_id
        goes_on = is_left_to_workers(batch)
        left = [
            item
            for item in items
            if item.number not in outcome.since
            and is_left(item)
            and not (goes_on and is_for_workers(item))
        ]
        form = None
        if is_own and not at_work:
            form = self._get_retry_form(batch, left, snapshot.roles)
        # Without a snapshot: the page has no list, and nothing is fetched for one.
        context = self._get_page_context(
            None,
            form or self.get_invite_form(snapshot.roles),
            organization=snapshot.organization,
            membership=snapshot.membership,
        )
        if snapshot.roles_error is not None:
            context["form_problem"] = self.wording.say("Roles")
        url = self._get_outcome_url(batch)
        return context | {
            "form": form,
            "form_title": self._get_retry_title(left),
            "review": self._get_retry_review(left, form, presenter) if form else None,
            "retry_of": batch.id,
            # Its answers are pages: the list that a fragment would come with is on another one.
            "plain_form": True,
            "batch": batch,
            "about": self._describe_choice(batch, items),
            "outcome": outcome,
            "at_work": at_work,
            # What others have begun can be read.
            "is_own": is_own,
            "goes_on": goes_on,
            "outcome_url": url,
            "csv_url": f"{url}?format=csv",
            "selection_url": self._find_url("selection"),
            "retry_text": self._get_retry_text(len(outcome.retry_ids)),
            "again_text": self._get_again_text(len(outcome.again_ids)),
            "go_on_text": self._get_go_on_text(outcome),
            "leave_text": self._get_leave_text(outcome),
        }

    def _get_outcome_url(self, batch: Batch) -> str:
        """Return the page's own URL."""
        return self.get_url("outcome", batch_id=batch.id)

    def _describe_choice(self, batch: Batch, items: Sequence[BatchItem]) -> str:
        """Return as what, and until when, all were invited; empty where that differs."""
        names = {item.role_name for item in items if item.role_name}
        if batch.action != Batch.Action.INVITE or len(names) != 1:
            return ""
        days = batch.options.get("expires_in_days") or conf.EXPIRES_IN_DAYS
        end = as_aware(batch.created_at) + timedelta(days=days or CLERKS_EXPIRES_IN_DAYS)
        values = {"role": names.pop(), "date": describe_date(end)}
        return gettext("As %(role)s, until %(date)s") % values

    def _get_retry_text(self, count: int) -> str:
        """Return what the button says that tries again what failed."""
        text = ngettext("Try the other one again", "Try the other %(count)d again", count)
        return text % {"count": count}

    def _get_again_text(self, count: int) -> str:
        """Return what the button says that invites all again who were revoked."""
        text = ngettext("Invite this person again", "Invite all %(count)d again", count)
        return text % {"count": count}

    def _get_go_on_text(self, outcome: Outcome) -> str:
        """Return what the button says that goes on with what waits."""
        count = outcome.waiting_count
        if count == outcome.total:
            return gettext("Continue")
        text = ngettext("Continue with the other one", "Continue with the other %(count)d", count)
        return text % {"count": count}

    def _get_leave_text(self, outcome: Outcome) -> str:
        """Return what the button says that leaves what waits."""
        count = outcome.waiting_count
        if count == outcome.total:
            return gettext("Do not go on")
        text = ngettext(
            "Do not go on with the other one", "Do not go on with the other %(count)d", count
        )
        return text % {"count": count}

    def _get_retry_form(
        self, batch: Batch, items: Iterable[BatchItem], roles: AssignableRoles
    ) -> InviteForm | None:
        """Return the form with what is left of a batch, and what was chosen; None if nothing is."""
        left = list(items)
        if not left or batch.action != Batch.Action.INVITE:
            return None
        chosen = batch.options
        # A site's form may have kept more, by the names of its fields.
        initial: dict[str, Any] = {
            **chosen,
            "email_addresses": as_text(_entry_of(item, chosen.get("role", "")) for item in left),
            "no_email": chosen.get("notify") is False,
        }
        if initial.get("role") not in roles:
            initial.pop("role", None)
        form = self.get_invite_form(roles, initial=initial)
        form["email_addresses"].field.widget.attrs["rows"] = min(max(len(left), 2), 12)
        return form

    def _get_retry_title(self, left: Sequence[BatchItem]) -> str:
        """Return what the form is called that tries again what is left."""
        count = sum(is_to_fix(item) for item in left)
        if not count:
            return gettext("What is left")
        text = ngettext("Fix one and send it", "Fix %(count)d and send them", count)
        return text % {"count": count}

    def _get_retry_review(
        self, left: Sequence[BatchItem], form: InviteForm, presenter: OutcomePresenter
    ) -> PreviewReport | None:
        """Return what is to be put right in what is left, as it is known: nobody is asked again.

        The rest of it was seen before, so it goes with one press. None where the text of the form
        would be read as something else; then it is checked as it is typed.
        """
        entries = read_text(str(form["email_addresses"].value())).entries
        if len(entries) != len(left):
            return None
        texts = [presenter.describe(item) for item in left]
        previewed = [
            PreviewItem(entry, _status_of(item)) for entry, item in zip(entries, left, strict=True)
        ]
        report = PreviewPresenter(self.wording, self._find_url, self.service.limit)
        return report.get_rest(Preview(tuple(previewed)), form, texts)

    def _as_file(
        self, batch: Batch, items: Sequence[BatchItem], presenter: OutcomePresenter
    ) -> HttpResponse:
        """Return the outcome as CSV: what was typed, what became of it, and why."""
        rows = (
            (
                item.email_address or item.text,
                item.role or item.role_name,
                str(item.line or ""),
                item.state,
                presenter.describe(item),
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


# --- What is left -------------------------------------------------------------------------------

#: Rows of a table that had no address in its place.
_OF_ROWS: Final = {
    str(PreviewStatus.NO_ADDRESS): Refusal.NO_ADDRESS,
    str(PreviewStatus.SEVERAL): Refusal.SEVERAL,
}


def _status_of(item: BatchItem) -> PreviewStatus:
    if not is_to_fix(item):
        return PreviewStatus.NEW
    known = item.reason in PreviewStatus.__members__.values()
    return PreviewStatus(item.reason) if known else PreviewStatus.REFUSED


def _entry_of(item: BatchItem, usual_role: str) -> Entry:
    role = (item.role or item.role_name) if item.role != usual_role else ""
    if item.email_address:
        return Entry(item.email_address, item.line, item.email_address, role)
    if item.reason in _OF_ROWS:
        return Entry(item.text, item.line, "", role, _OF_ROWS[item.reason])
    # What was no address is left as it was typed, to be corrected.
    found = parse_text(item.text)
    refusal = found[0].refusal if found else None
    return Entry(item.text, item.line, "", role, refusal)
