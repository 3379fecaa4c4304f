"""Many addresses that were checked and are not sent yet: a page of their own, to be sent from."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.utils.translation import gettext

from ..forms import InviteForm
from ..models import Batch, Draft
from ..services import Snapshot
from ..services.batches.store import as_aware
from ..services.drafts import KEPT
from ..wording import ErrorMessage, describe_date
from .base import SeeOther, with_retry_after
from .invite import InviteFormMixin, InviteView
from .page import as_uuid, describe_draft


class DraftView(InviteView):
    """Check a draft again, change it by a press, send it, or discard it.

    It is the form to invite without its text field: ten thousand addresses stay on the server. Only
    who has typed them sees them. What is begun has the draft's id, so it is begun once.
    """

    http_method_names = ["get", "head", "post", "options"]

    #: The page.
    draft_template_name = "org_invitations/draft.html"

    _draft: Draft | None = None

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show what would become of each address."""
        snapshot = self.service.open(seats=True)
        self._draft = self.service.find_draft(self.kwargs["draft_id"])
        if self._draft is None:
            return self._answer_gone()
        form = self._get_draft_form(snapshot, self._draft)
        form.is_valid()
        preview = self.get_preview(snapshot, form)
        form.errors.clear()  # nothing is being sent
        report = self._presenter.get_report(preview, form, focus=True)
        return self._render_page(snapshot, form, status=HTTPStatus.OK, review=report)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Do what the button says."""
        snapshot = self.service.open(fresh=True, seats=True)
        while (draft := self.service.find_draft(self.kwargs["draft_id"])) is not None:
            self._draft = draft
            if "discard" in request.POST:
                return self._discard(draft)
            form = self._get_draft_form(snapshot, draft, request.POST)
            if snapshot.roles_error is not None:
                message = self.wording.say("Roles")
                problem = ErrorMessage(message, status=HTTPStatus.SERVICE_UNAVAILABLE)
                return self.form_invalid(snapshot, form, problem)
            form.is_valid()
            is_pressed = self._press(form)
            form.retype()
            if not is_pressed:
                return self._invite_many(snapshot, form)
            if form.errors.keys() & {"email_addresses", "file"}:
                return self._render_preview(snapshot, form, self.get_preview(snapshot, form))
            # However few are left: only the button to send sends.
            if self.service.change_draft(draft, **self._get_draft_values(form)):
                return SeeOther(self._find_url_from_here("draft", draft_id=draft.pk))
            # Another tab was faster: the press is for what that has left of it.
        return self._answer_gone()

    def needs_preview(self, form: InviteForm) -> bool:
        """Whether it is shown first what would become of each address: always."""
        return True

    def batch_response(self, batch: Batch) -> HttpResponseBase:
        """Go to the page that says how far it is; what is begun is no draft any more."""
        if self._draft is not None:
            self._draft.delete()
        return super().batch_response(batch)

    def _discard(self, draft: Draft) -> HttpResponseBase:
        draft.delete()
        if self.service.find_batch(self.kwargs["draft_id"]) is not None:
            return self._answer_gone()  # it is being sent
        text = gettext("The addresses were discarded.")
        messages.success(self.request, text, fail_silently=True)
        return SeeOther(self.get_url("list"))

    def _answer_gone(self) -> HttpResponseBase:
        """Say that there is no such draft; where it was sent, how far that is."""
        batch = self.service.find_batch(self.kwargs["draft_id"])
        if batch is not None:
            return super().batch_response(batch)
        message = gettext(
            "These addresses are not here. They may belong to another organization, from which you "
            "have switched: then switch back and open this page again. Otherwise they were sent or "
            "discarded, or it is more than a day ago that they were checked: choose the file, or "
            "paste them, once more."
        )
        return self.render_problem(message, status=HTTPStatus.NOT_FOUND)

    def _get_draft_form(
        self, snapshot: Snapshot, draft: Draft, posted: QueryDict | None = None
    ) -> InviteForm:
        """Return the form with the addresses of a draft, and what was chosen for them."""
        data = QueryDict(mutable=True)
        for name, values in draft.fields.items():
            if posted is None or name in ("as_typed", "notes"):
                data.setlist(name, values)
        for name in posted or ():
            data.setlist(name, posted.getlist(name) if posted is not None else [])
        form = self.get_invite_form(snapshot.roles, data)
        for name in ("email_addresses", "notes"):
            stored = [draft.text] if name == "email_addresses" else draft.fields.get(name, [""])
            data.setlist(form.add_prefix(name), stored)
        return form

    # --- Where nothing came of it: the draft is as it was -------------------------------------

    def _handle_switched(self) -> HttpResponseBase:
        problem = ErrorMessage(self.wording.say("Switched:draft"), status=HTTPStatus.CONFLICT)
        return self._render_unavailable(problem)

    def _render_unavailable(
        self, problem: ErrorMessage, renewal: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Say why, with the way back to the draft; or let the press be sent again."""
        if renewal is not None:
            # As every view without a text field does it.
            return super(InviteFormMixin, self)._render_unavailable(problem, renewal)
        url = self._find_url_from_here("draft", draft_id=self.kwargs["draft_id"])
        context: dict[str, Any] = {"message": problem.message, "draft_url": url}
        response = self._render_problem(context, status=problem.status)
        return with_retry_after(response, problem)

    # --- What InviteView does, on this page ---------------------------------------------------

    def _get_batch_id(self) -> UUID | None:
        batch_id: UUID = self.kwargs["draft_id"]
        return batch_id

    def _get_retry_of(self) -> UUID | None:
        [kept] = (self._draft.fields if self._draft is not None else {}).get("retry_of") or [""]
        return as_uuid(kept)

    def _render_preview(self, snapshot: Snapshot, form: InviteForm, preview: Any) -> HttpResponse:
        report = self._presenter.get_report(preview, form, focus=not form.errors)
        return self._render_page(
            snapshot,
            form,
            status=self.invalid_status if form.errors else HTTPStatus.OK,
            focus_errors=bool(form.errors),
            review=report,
        )

    def render_form(
        self, snapshot: Snapshot | None, form: InviteForm, *, status: int, **extra: Any
    ) -> HttpResponse:
        """Return the page."""
        return self._render_page(snapshot, form, status=status, **extra)

    def _render_page(
        self, snapshot: Snapshot | None, form: InviteForm, *, status: int, **extra: Any
    ) -> HttpResponse:
        draft = self._draft
        if draft is None:
            return super()._render_page(snapshot, form, status=status, **extra)
        for name in ("email_addresses", "file"):
            for error in form.errors.pop(name, []):
                form.add_error(None, error)
            form.fields.pop(name, None)
        url = self._find_url_from_here("draft", draft_id=draft.pk)
        context = self._get_page_context(
            None,
            form,
            organization=snapshot.organization if snapshot is not None else None,
            membership=snapshot.membership if snapshot is not None else None,
            batch_id=draft.pk,
            **{"form_open": True, **extra},
        )
        context |= {
            "draft_url": url,
            "draft_title": describe_draft(draft.count),
            "draft_text": gettext("Kept for you until %(date)s. Nothing has been sent.")
            % {"date": describe_date(as_aware(draft.created_at + KEPT))},
            "form_title": gettext("Send them"),
            # All buttons of the form lead to this page, and bring one back to it.
            "urls": {**self._get_urls(), "invite": url, "check": url},
            "plain_form": True,
        }
        return self.render(self.draft_template_name, context, status=status)
