"""How far workers have got with a press of a button; pause, continue, cancel the rest."""

from __future__ import annotations

import time
from itertools import islice
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext, ngettext

from .. import htmx
from ..models import Batch, BatchItem
from ..services import Snapshot
from ..services.batches.background import is_left_to_workers
from ..services.batches.counts import Counts, count_items
from ..services.batches.outlook import get_outlook
from ..services.batches.store import as_aware
from ..wording import describe_date
from .base import SeeOther
from .confirm import ConfirmationMixin
from .outcome_presenter import OutcomePresenter, is_left
from .page import PageMixin
from .progress_presenter import Progress, ProgressPresenter

State = BatchItem.State

#: So many that are to be put right are shown meanwhile: the page is not what they are put right on.
_MOST_TO_FIX: Final = 20

#: How seldom it is said aloud how far it has got: a tenth more, and so many seconds later.
_TENTH: Final = 10
_TELL_EVERY: Final = 15


class ProgressView(PageMixin):
    """Show how far workers have got; pause and continue. Once all is dealt with, see the outcome.

    It asks Clerk for nothing but the rights, which are remembered for a while.
    """

    http_method_names = ["get", "head", "post", "options"]

    #: The page.
    progress_template_name = "org_invitations/progress.html"
    #: What is on it: how far it has got, and what can be done about that.
    progress_card_template_name = "org_invitations/partials/progress.html"
    #: What of that is asked for again and again.
    progress_figures_template_name = "org_invitations/partials/progress_figures.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show how far it has got: as a page, or with htmx the figures alone."""
        snapshot = self.service.open()
        batch = self._find_steered(snapshot)
        if batch is None:
            return self._render_unknown()
        counts = count_items([batch.pk])[batch.pk]
        if not is_at_hand(batch, counts):
            return SeeOther(self._find_url_from_here("outcome", batch_id=batch.pk))
        progress = self._get_progress(batch, counts)
        if htmx.get_fragment(request, htmx.PROGRESS_ID) is None:
            context = self._get_progress_context(snapshot, batch, counts, progress)
            return self.render(self.progress_template_name, context)
        if request.GET.get("state") != progress.state:
            # Somebody has paused it, or it has stopped: what can be done about it is another thing.
            return self._render_card(snapshot, batch, counts, progress)
        return self._render_figures(batch, progress)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Pause it, or let it go on; what the button says is what is to be so."""
        snapshot = self.service.open(fresh=True)
        batch = self._find_steered(snapshot)
        if batch is None:
            return self._render_unknown()
        if "pause" in request.POST:
            self.service.pause(snapshot, batch)
        elif "continue" in request.POST:
            self.service.unpause(snapshot, batch)
        counts = count_items([batch.pk])[batch.pk]
        wants_card = htmx.get_fragment(request, htmx.OUTCOME_ID) is not None
        if not wants_card or not is_at_hand(batch, counts):
            return SeeOther(self.get_url("progress", batch_id=batch.pk))
        progress = self._get_progress(batch, counts)
        return self._render_card(snapshot, batch, counts, progress)

    # --- What is shown ----------------------------------------------------------------------

    def _get_progress(self, batch: Batch, counts: Counts) -> Progress:
        outlook = get_outlook(batch) if batch.paused_at is None else None
        return ProgressPresenter(batch, counts, self.wording).get_progress(outlook)

    def _get_progress_context(
        self, snapshot: Snapshot, batch: Batch, counts: Counts, progress: Progress
    ) -> dict[str, Any]:
        """Return the context of the page; docs/templates.md lists it."""
        # Without a snapshot: the page has no list, and nothing is fetched for one.
        context = self._get_page_context(
            None,
            self.get_invite_form(snapshot.roles),
            organization=snapshot.organization,
            membership=snapshot.membership,
        )
        is_own = batch.user_id == self.service.user_id
        to_fix = self._find_to_fix(batch) if progress.to_fix else []
        presenter = OutcomePresenter(batch, self.wording, self._find_invitation_url, is_own=is_own)
        return context | {
            "batch": batch,
            "is_own": is_own,
            "outcome": presenter.get_outcome(to_fix),
            "more_to_fix": max(progress.to_fix - len(to_fix), 0),
            "progress": progress,
            "progress_title": ProgressPresenter(batch, counts, self.wording).get_title(),
            "progress_url": self._find_url_from_here("progress", batch_id=batch.pk),
            "poll_url": self._get_poll_url(batch, progress, progress.percent),
            "cancel_url": self._find_url_from_here("cancel", batch_id=batch.pk),
            "csv_url": f"{self.get_url('outcome', batch_id=batch.pk)}?format=csv",
            "begun_text": self._describe_beginning(batch),
            "paused_text": self._describe_pause(batch),
        }

    def _render_card(
        self, snapshot: Snapshot, batch: Batch, counts: Counts, progress: Progress
    ) -> HttpResponse:
        """Return what is on the page, and let it be read aloud that it is paused, or goes on."""
        context = self._get_progress_context(snapshot, batch, counts, progress)
        context |= {
            "status_message": gettext("It goes on.") if progress.is_running else progress.text,
            "status_level": "visually-hidden",
        }
        response: HttpResponse = self.render("org_invitations/answers/progress.html", context)
        return htmx.replace_fragment(response, htmx.OUTCOME_ID)

    def _find_to_fix(self, batch: Batch) -> list[BatchItem]:
        """Return the first of those that were not done, and may be once something is put right."""
        not_done = [State.REFUSED, State.FAILED, State.HALF_DONE]
        found = batch.items.filter(state__in=not_done, leased_by="").order_by("number")
        needs = (item for item in found.iterator() if item.state != State.REFUSED or is_left(item))
        return list(islice(needs, _MOST_TO_FIX))

    def _render_figures(self, batch: Batch, progress: Progress) -> HttpResponse:
        """Return the figures, and let them be read aloud once in a while."""
        told, since = _as_number(self.request.GET, "told"), _as_number(self.request.GET, "since")
        is_told = progress.percent - told >= _TENTH and time.time() - since >= _TELL_EVERY
        url = (
            self._get_poll_url(batch, progress, progress.percent)
            if is_told
            else self._get_poll_url(batch, progress, told, since)
        )
        context = {
            "batch": batch,
            "progress": progress,
            "progress_url": self._find_url_from_here("progress", batch_id=batch.pk),
            "poll_url": url,
            "status_message": progress.text if is_told else "",
            "status_level": "visually-hidden",
            "status_action": {},
        }
        response: HttpResponse = self.render("org_invitations/answers/figures.html", context)
        return htmx.mark_fragment(response, htmx.PROGRESS_ID)

    def _get_poll_url(
        self, batch: Batch, progress: Progress, told: int, since: int | None = None
    ) -> str:
        """Return where to ask next, with what is shown by now and what was read aloud of it."""
        now = int(time.time()) if since is None else since
        query = urlencode({"state": progress.state, "told": told, "since": now})
        url = self._find_url_from_here("progress", batch_id=batch.pk)
        return f"{url}{'&' if '?' in url else '?'}{query}"

    def _describe_beginning(self, batch: Batch) -> str:
        """Return who began it, and when."""
        date = describe_date(as_aware(batch.created_at))
        if batch.user_id == self.service.user_id:
            return gettext("Begun by you on %(date)s") % {"date": date}
        name = self._find_name(batch.user_id)
        if not name:
            return gettext("Begun on %(date)s") % {"date": date}
        return gettext("Begun by %(name)s on %(date)s") % {"name": name, "date": date}

    def _describe_pause(self, batch: Batch) -> str:
        """Return who has paused it; empty where nobody has."""
        if not batch.paused_by:
            return ""
        if batch.paused_by == self.service.user_id:
            return gettext("You have paused this. What was done stays as it is.")
        name = self._find_name(batch.paused_by)
        if not name:
            return gettext("Somebody has paused this. What was done stays as it is.")
        text = gettext("%(name)s has paused this. What was done stays as it is.")
        return text % {"name": name}


class CancelRestView(ConfirmationMixin):
    """Ask whether to cancel what workers have yet to do of a batch, and cancel it."""

    http_method_names = ["get", "post", "options"]

    #: The question, on a page of its own and in the dialog.
    cancel_template_name = "org_invitations/partials/cancel_rest.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask, and say what stays as it is."""
        snapshot = self.service.open()
        batch = self._find_steered(snapshot)
        if batch is None:
            return self._render_unknown()
        counts = count_items([batch.pk])[batch.pk]
        if not is_at_hand(batch, counts):
            return SeeOther(self._find_url_from_here("outcome", batch_id=batch.pk))
        return self._ask(snapshot, batch, counts)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Cancel it, and show what became of all of it."""
        snapshot = self.service.open(fresh=True)
        batch = self._find_steered(snapshot)
        if batch is None:
            return self._render_unknown()
        self.service.cancel_rest(snapshot, batch)
        return SeeOther(self.get_url("progress", batch_id=batch.pk))

    def _ask(self, snapshot: Snapshot, batch: Batch, counts: Counts) -> HttpResponse:
        revokes = batch.action == Batch.Action.REVOKE
        done = counts.of(State.DONE)
        if revokes:
            title = ngettext(
                "Leave the other %(count)d invitation unrevoked?",
                "Leave the other %(count)d invitations unrevoked?",
                counts.left,
            )
            stays = ngettext(
                "%(count)d is revoked already and stays so.",
                "%(count)d are revoked already and stay so.",
                done,
            )
        else:
            title = ngettext(
                "Cancel the other %(count)d invitation?",
                "Cancel the other %(count)d invitations?",
                counts.left,
            )
            stays = ngettext(
                "%(count)d is invited already and stays so.",
                "%(count)d are invited already and stay so.",
                done,
            )
        context = self._get_question_context(
            snapshot,
            organization=snapshot.organization,
            batch=batch,
            cancel_title=title % {"count": counts.left},
            stays_text=stays % {"count": done},
            left=counts.left,
            cancel_url=self._find_url_from_here("cancel", batch_id=batch.pk),
            progress_url=self._find_url_from_here("progress", batch_id=batch.pk),
        )
        return self.render_confirmation(
            self.cancel_template_name, context, title=context["cancel_title"]
        )


def is_at_hand(batch: Batch, counts: Counts) -> bool:
    """Whether workers have something left to do of a batch; else its outcome is what there is."""
    return is_left_to_workers(batch) and counts.left > 0


def _as_number(query: Any, name: str) -> int:
    """Return what a URL says, which anybody may write; 0 where that is no number."""
    text = query.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 12 else 0
