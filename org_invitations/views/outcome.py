"""What became of a press of a button: one answer for each, to be read as often as one likes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext, ngettext

from .. import htmx
from ..addresses import Entry, Refusal, as_text, parse_text
from ..clerk.exceptions import find_kind
from ..csv import write_csv
from ..forms import InviteForm
from ..models import Batch, BatchItem
from ..roles import AssignableRoles
from ..services import Snapshot
from ..services.batches import UNCLEAR, find_done_since, get_items, is_at_work
from ..services.batches.reconcile import OTHER_INVITATION
from ..services.batches.store import DOUBTFUL, as_aware
from ..services.preview import PreviewStatus
from ..wording import Wording, describe_seconds
from .base import SeeOther
from .page import PageMixin

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
        if batch is None:
            return self._render_unknown()
        items = self.service.reconcile(batch)
        since = find_done_since(batch, items)
        presenter = OutcomePresenter(
            batch,
            self.wording,
            self._find_invitation_url,
            since={number: self._get_outcome_url(item.batch) for number, item in since.items()},
        )
        if request.GET.get("format") == "csv":
            return self._as_file(batch, items, presenter)
        at_work = is_at_work(items)
        wants_progress = htmx.get_fragment(request, htmx.OUTCOME_ID) is not None
        if wants_progress and not at_work:
            return htmx.leave_page(self._get_outcome_url(batch))
        context = self._get_outcome_context(snapshot, batch, items, presenter.get_outcome(items))
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

    def _render_unknown(self) -> HttpResponse:
        message = self.wording.say("Outcome:unknown")
        return self.render_problem(message, status=HTTPStatus.NOT_FOUND)

    def _get_outcome_context(
        self, snapshot: Snapshot, batch: Batch, items: Sequence[BatchItem], outcome: Outcome
    ) -> dict[str, Any]:
        """Return the context of the page; docs/templates.md lists it."""
        at_work = is_at_work(items)
        left = [item for item in items if item.number not in outcome.since]
        form = None if at_work else self._get_retry_form(batch, left, snapshot.roles)
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
            "retry_of": batch.id,
            # Its answers are pages: the list that a fragment would come with is on another one.
            "plain_form": True,
            "batch": batch,
            "outcome": outcome,
            "at_work": at_work,
            "outcome_url": url,
            "csv_url": f"{url}?format=csv",
            "selection_url": self._find_url("selection"),
            "retry_text": self._get_retry_text(len(outcome.retry_ids)),
            "go_on_text": self._get_go_on_text(outcome.waiting_count),
            "leave_text": self._get_leave_text(outcome.waiting_count),
        }

    def _get_outcome_url(self, batch: Batch) -> str:
        """Return the page's own URL."""
        return self.get_url("outcome", batch_id=batch.id)

    def _find_invitation_url(self, name: str, invitation_id: str) -> str:
        """Return where something is done with an invitation; empty where it cannot be."""
        return self._find_url(name, invitation_id=invitation_id) if invitation_id else ""

    def _get_retry_text(self, count: int) -> str:
        """Return what the button says that tries again what failed."""
        text = ngettext("Try the other one again", "Try the other %(count)d again", count)
        return text % {"count": count}

    def _get_go_on_text(self, count: int) -> str:
        """Return what the button says that goes on with what waits."""
        text = ngettext("Continue with the other one", "Continue with the other %(count)d", count)
        return text % {"count": count}

    def _get_leave_text(self, count: int) -> str:
        """Return what the button says that leaves what waits."""
        text = ngettext(
            "Do not go on with the other one", "Do not go on with the other %(count)d", count
        )
        return text % {"count": count}

    def _get_retry_form(
        self, batch: Batch, items: Iterable[BatchItem], roles: AssignableRoles
    ) -> InviteForm | None:
        """Return the form with what is left of a batch, and what was chosen; None if nothing is."""
        left = [item for item in items if is_left(item)]
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
        if "hx-trigger" in form["email_addresses"].field.widget.attrs:
            # What is in it already is checked at once, as if it had been typed.
            form["email_addresses"].field.widget.attrs["hx-trigger"] += ", load"
        return form

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


# --- In words ------------------------------------------------------------------------------------

_NOT_DONE = (State.REFUSED, State.FAILED, State.HALF_DONE)


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """One item, and what became of it."""

    item: BatchItem
    #: The address, or what was typed in its place; empty where nothing is known of it.
    name: str
    #: Why, in words; empty where there is nothing to say.
    text: str
    #: What can be done about it: a link, and what it says; empty where nothing can.
    action_url: str = ""
    action_text: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeSection:
    """The items that had the same fate."""

    #: ``not-done``, ``unknown``, ``waiting``, ``since`` (when it was tried again) or ``done``.
    name: str
    caption: str
    rows: tuple[OutcomeRow, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch."""

    #: Each a sentence of its own: success and failure are never one.
    sentences: tuple[str, ...]
    #: What failed first, what went well last; without those that nothing is in.
    sections: tuple[OutcomeSection, ...]
    #: Why some wait, and until when; empty where none does.
    waiting: str
    #: How many are dealt with, of how many.
    finished: int
    total: int
    #: The ids of the invitations that can be tried again with another press.
    retry_ids: tuple[str, ...]
    #: How many wait.
    waiting_count: int
    #: The numbers of the items that were done when they were tried again.
    since: frozenset[int] = frozenset()


class OutcomePresenter:
    """Puts the outcome of a batch into words."""

    def __init__(
        self,
        batch: Batch,
        wording: Wording,
        find_url: Callable[[str, str], str],
        since: Mapping[int, str] | None = None,
    ) -> None:
        """Prepare.

        :param find_url: tells where something is done with an invitation, by the name of the URL
            and the invitation's id; empty where it cannot be.
        :param since: of what a later try has done, by the number of the item: the URL of its
            outcome.
        """
        self.since = since or {}
        self.batch = batch
        self.wording = wording
        self.find_url = find_url
        self.revokes = batch.action == Batch.Action.REVOKE
        self.is_silent = batch.options.get("notify") is False

    def get_outcome(self, items: Sequence[BatchItem]) -> Outcome:
        """Return the outcome."""
        left = [item for item in items if item.number not in self.since]
        parts = {
            "not-done": [item for item in left if item.state in _NOT_DONE],
            "unknown": [item for item in left if item.state in DOUBTFUL],
            "waiting": [item for item in left if item.state == State.WAITING],
            "since": [item for item in items if item.number in self.since],
            "done": [item for item in left if item.state == State.DONE],
        }
        counts = {name: len(part) for name, part in parts.items()}
        return Outcome(
            sentences=tuple(self._sentences(counts)),
            sections=tuple(
                OutcomeSection(name, self._caption(name), tuple(map(self._row, part)))
                for name, part in parts.items()
                if part
            ),
            waiting=self._describe_waiting(parts["waiting"]),
            finished=counts["not-done"] + counts["since"] + counts["done"],
            total=len(items),
            retry_ids=tuple(self._retry_ids(parts["not-done"])),
            waiting_count=counts["waiting"],
            since=frozenset(self.since),
        )

    # --- One ------------------------------------------------------------------------------------

    def _row(self, item: BatchItem) -> OutcomeRow:
        """Return what became of an item, and what can be done about it."""
        name = item.email_address or item.text
        url, text = self._action(item)
        return OutcomeRow(item, name, self.describe(item), url, text if url else "")

    def describe(self, item: BatchItem) -> str:
        """Return why an item is as it is, in a sentence."""
        if item.number in self.since:
            return gettext("Not at first, but when it was tried again.")
        values = {"text": item.text, **item.params}
        if item.state in DOUBTFUL and item.reason != UNCLEAR:
            return self.wording.for_item("unsettled", {})
        if item.state == State.WAITING:
            values["status"] = item.state
        if item.state != State.HALF_DONE or item.reason == OTHER_INVITATION:
            return self.wording.for_item(item.reason, values)
        why = self.wording.for_item(item.reason, values | {"status": item.state})
        return self.wording.for_item("half-done", {"why": why})

    def _action(self, item: BatchItem) -> tuple[str, str]:
        """Return where something can be done about an item, and what."""
        if item.number in self.since:
            return self.since[item.number], gettext("See what became of that")
        if item.state == State.DONE:
            if self.revokes:
                return self.find_url("resend", item.invitation_id), gettext("Invite again")
            if self.is_silent:
                return self.find_url("link", item.invitation_id), gettext("Copy link")
            return "", ""
        if item.state == State.HALF_DONE and item.reason != OTHER_INVITATION:
            url = self.find_url("resend", item.replaces_id)
            # So that this outcome tells of it.
            return url and f"{url}?retry_of={self.batch.pk}", gettext("Send it now")
        is_other = item.state in _NOT_DONE or item.reason == UNCLEAR
        if is_other and item.params.get("status") == "pending":
            # Another invitation of the address is in the way, or may be: it can be sent again.
            return self.find_url("resend", item.params.get("invitation_id", "")), gettext("Resend")
        if item.reason == "InvitationNotPending" and item.params.get("status") != "accepted":
            return self.find_url("resend", item.invitation_id), gettext("Invite again")
        return "", ""

    def _retry_ids(self, items: Iterable[BatchItem]) -> Iterable[str]:
        if self.batch.action == Batch.Action.INVITE:
            return
        for item in items:
            if item.state == State.FAILED:
                yield item.invitation_id if self.revokes else item.replaces_id

    # --- All ------------------------------------------------------------------------------------

    def _sentences(self, counts: dict[str, int]) -> Iterable[str]:
        done, not_done = counts["done"], counts["not-done"]
        if done:
            yield self._say_done(done)
        if since := counts["since"]:
            yield self._say_since(since)
        elif not (done or counts["waiting"] or counts["unknown"]):
            yield gettext("Nothing was revoked.") if self.revokes else gettext("Nothing was sent.")
        if not_done:
            yield self._say_not_done(not_done)
        if count := counts["unknown"]:
            yield ngettext(
                "It is not known yet what became of %(count)d.",
                "It is not known yet what became of %(count)d.",
                count,
            ) % {"count": count}
        if count := counts["waiting"]:
            if count == sum(counts.values()):
                yield (
                    gettext("Nothing was revoked yet.")
                    if self.revokes
                    else gettext("Nothing was sent yet.")
                )
            text = ngettext("%(count)d is waiting.", "%(count)d are waiting.", count)
            yield text % {"count": count}

    def _say_done(self, count: int) -> str:
        if self.revokes:
            text = ngettext("%(count)d revoked.", "%(count)d revoked.", count)
        elif self.is_silent:
            text = ngettext(
                "%(count)d invited without an email.", "%(count)d invited without an email.", count
            )
        else:
            text = ngettext("%(count)d sent.", "%(count)d sent.", count)
        return text % {"count": count}

    def _say_since(self, count: int) -> str:
        if self.revokes:
            text = ngettext("%(count)d was revoked since.", "%(count)d were revoked since.", count)
        else:
            text = ngettext("%(count)d was sent since.", "%(count)d were sent since.", count)
        return text % {"count": count}

    def _say_not_done(self, count: int) -> str:
        if self.revokes:
            text = ngettext("%(count)d was not revoked.", "%(count)d were not revoked.", count)
        else:
            text = ngettext("%(count)d not sent.", "%(count)d not sent.", count)
        return text % {"count": count}

    def _caption(self, name: str) -> str:
        captions = {
            "not-done": gettext("Not revoked") if self.revokes else gettext("Not sent"),
            "unknown": gettext("Not known yet"),
            "waiting": gettext("Waiting"),
            "since": gettext("Revoked since") if self.revokes else gettext("Sent since"),
            "done": gettext("Revoked") if self.revokes else gettext("Sent"),
        }
        return captions[name]

    def _describe_waiting(self, items: Sequence[BatchItem]) -> str:
        if not items:
            return ""
        now = datetime.now(UTC)
        moments = [as_aware(item.retry_at) for item in items if item.retry_at is not None]
        last = max(moments, default=now)
        if any(item.reason == "RateLimited" and item.retry_at is None for item in items):
            return self.wording.say("Item:RateLimited")  # Clerk did not say until when
        if last <= now:
            return self.wording.say("Outcome:waiting")
        seconds = int((last - now).total_seconds()) + 1
        local = last.astimezone(timezone.get_current_timezone())
        return self.wording.say(
            "Outcome:limited",
            time=time_format(local, "TIME_FORMAT"),
            wait=describe_seconds(seconds),
        )


# --- What is left -------------------------------------------------------------------------------

#: What the check finds where there is nothing left to do by sending.
_SETTLED: Final = frozenset(
    {
        str(PreviewStatus.MEMBER),
        str(PreviewStatus.SELF),
        str(PreviewStatus.INVITED),
        str(PreviewStatus.TWICE),
    }
)


#: Rows of a table that had no address in its place.
_OF_ROWS: Final = {
    str(PreviewStatus.NO_ADDRESS): Refusal.NO_ADDRESS,
    str(PreviewStatus.SEVERAL): Refusal.SEVERAL,
}


def is_left(item: BatchItem) -> bool:
    """Whether sending it once more, perhaps corrected, may help."""
    # What nobody knows is not sent again before somebody does.
    if item.state in (State.WAITING, State.FAILED):
        return True
    if item.state != State.REFUSED or item.reason in _SETTLED:
        return False
    kind = find_kind(item.reason)
    return kind is None or kind.is_correctable


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
