"""Invite somebody, or many: the form, what would become of it, and sending it."""

from __future__ import annotations

import logging
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID, uuid4

from django.contrib import messages
from django.db import Error as DatabaseFault
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext

from .. import htmx
from ..addresses import Entry, parse_text, write_notes
from ..clerk import ClerkError, Role
from ..clerk import exceptions as exc
from ..conf import conf
from ..forms import InviteForm
from ..models import MAX_ROLE_NAME, Batch, BatchItem
from ..roles import AssignableRoles
from ..services import InvitationQuery, Snapshot
from ..services.batches.store import get_items, record
from ..services.preview import DEFAULT_LIMIT, Preview, PreviewItem, PreviewStatus
from ..services.reasons import Reason
from ..wording import ErrorMessage
from .base import SeeOther, with_retry_after
from .page import PageMixin, get_error, join_action
from .preview import PreviewPresenter, fingerprint_of

logger = logging.getLogger("org_invitations")

State = BatchItem.State

#: Stands for any id where only the question is whether there is such a page.
_ANY: Final = UUID(int=0)

#: So many characters are looked through for an address; in more of them there will be one.
MAX_LOOKED_AT: Final = 1000


class InviteFormMixin(PageMixin):
    """Shows the form again, with everything that was typed and what would become of it."""

    def get_preview(
        self, snapshot: Snapshot, form: InviteForm, *, holds_back: bool = True
    ) -> Preview:
        """Return what would become of each address in a form that was checked.

        Of the roles only those that the form offers: it may offer fewer than the person can give.

        :param holds_back: whether an address that looks like a slip waits until somebody has said
            that it is meant.
        """
        roles = form.offered_roles
        offered = replace(snapshot, roles=roles) if snapshot.roles.roles else snapshot
        return self.service.preview(
            offered,
            form.entries,
            str(form.cleaned_data.get("role", "")),
            as_typed=form.as_typed if holds_back else None,
        )

    def render_form(
        self, snapshot: Snapshot | None, form: InviteForm, *, status: int, **extra: Any
    ) -> HttpResponse:
        """Return the form as a fragment, or the page it is on.

        :param extra: more for the context.
        """
        if snapshot is not None and not self._wants_form:
            snapshot = self.service.with_list(snapshot, InvitationQuery())
        return self._render_page(snapshot, form, status=status, **extra)

    # --- Where it could not be sent ---------------------------------------------------------

    def _handle_switched(self) -> HttpResponseBase:
        """Show the page of the organization that is active now, with what was typed."""
        if htmx.get_fragment(self.request, htmx.FORM_ID, htmx.CHECK_ID):
            return super()._handle_switched()
        snapshot = self.service.open()
        form = self._get_unvalidated_form(snapshot.roles)
        message = self.wording.say("Switched:form", organization=snapshot.organization.name)
        form.add_problem(message, None)
        return self.render_form(snapshot, form, status=HTTPStatus.CONFLICT, focus_errors=True)

    def _render_unavailable(
        self, problem: ErrorMessage, renewal: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Show the form with everything in it; a check below it leaves it as it is.

        Where nobody has been let in, nothing is taken apart: anybody can send a megabyte.
        """
        if renewal is not None:
            message = problem.message
            if self.request.FILES:
                message += " " + gettext("Only the file has to be chosen once more.")
            above = {"form_problem": message} if self._wants_form else {"message": message}
            return self._render_page(
                None, self._get_unread_form(), status=problem.status, **renewal | above
            )
        if htmx.get_fragment(self.request, htmx.CHECK_ID):
            return super()._render_unavailable(problem)
        if hasattr(self, "identity"):
            return self._render_unvalidated(problem)
        if htmx.get_fragment(self.request, *htmx.FRAGMENTS):
            return self.render_problem(problem.message, status=problem.status)
        return self._render_page(
            None, self._get_unread_form(), status=problem.status, form_problem=problem.message
        )

    def _render_unvalidated(
        self, problem: ErrorMessage, snapshot: Snapshot | None = None
    ) -> HttpResponse:
        """Show the form where nothing could be asked of Clerk, not even which roles there are.

        Nothing was begun, so the form is still the same wish.
        """
        form = self._get_unvalidated_form(self._get_typed_roles())
        form.add_problem(problem.message, None)
        response = self._render_page(
            snapshot,
            form,
            status=problem.status,
            batch_id=self._get_batch_id() or uuid4(),
            focus_errors=True,
            form_problem=None,
        )
        return with_retry_after(response, problem)

    def _get_unvalidated_form(self, roles: AssignableRoles) -> InviteForm:
        """Return the form with what was posted, taken apart and without a word about mistakes."""
        form = self.get_invite_form(roles, self.request.POST, self.request.FILES)
        form.is_valid()
        form.retype()
        form.errors.clear()
        return form

    def _get_unread_form(self) -> InviteForm:
        """Return the form with what was posted, as it was posted: nothing of it is read."""
        roles = self._get_posted_role()
        fields = self.get_invite_form(roles).fields
        posted = {
            name: field.widget.value_from_datadict(self.request.POST, MultiValueDict(), name)
            for name, field in fields.items()
        }
        # Not bound: whoever looked for errors, as templates do, would have it read.
        return self.get_invite_form(roles, initial=posted)

    # --- Parts ------------------------------------------------------------------------------

    def _press(self, form: InviteForm) -> bool:
        """Change the list as the button says that was pressed; tell whether there was one."""
        posted = self.request.POST
        if "use" in posted:
            form.take(posted["use"])
        elif "column" in posted:
            form.choose_column(posted["column"])
        elif "keep" in posted:
            form.keep(posted["keep"])
        elif "leave" in posted:
            form.leave_out(posted["leave"])
        elif "roles" in posted:
            form.use_chosen_role()
        else:
            return False
        return True

    def _keep_draft(self, form: InviteForm) -> HttpResponseBase | None:
        """Keep what is too much to go to and fro, and go to its page; None where it is not.

        Where it cannot be kept it stays in the form, as few addresses do.
        """
        is_many = conf.BACKGROUND and count_pieces(form) > DEFAULT_LIMIT
        if not is_many or not self._find_url("draft", draft_id=_ANY):
            return None
        if form.errors.keys() & {"email_addresses", "file"}:
            return None
        try:
            draft_id = self.service.keep_draft(self._get_batch_id(), **self._get_draft_values(form))
        except DatabaseFault:
            logger.exception("A draft could not be kept.")
            return None
        return SeeOther(self._find_url_from_here("draft", draft_id=draft_id))

    def _get_draft_values(self, form: InviteForm) -> dict[str, Any]:
        """Return what is kept of a form: ``text``, ``count`` and ``fields``."""
        return {
            "text": form.data[form.add_prefix("email_addresses")],
            "count": count_pieces(form),
            "fields": self._get_draft_fields(form),
        }

    def _get_draft_fields(self, form: InviteForm) -> dict[str, list[str]]:
        """Return what was posted, but for the addresses."""
        posted = self.request.POST
        apart = ("email_addresses", "file")
        names = [form.add_prefix(name) for name in form.fields if name not in apart]
        fields = {name: posted.getlist(name) for name in names if name in posted}
        as_typed, notes = " ".join(sorted(form.as_typed)), write_notes(form.reading)
        return fields | {
            "as_typed": [as_typed],
            form.add_prefix("notes"): [notes],
            "retry_of": [str(self._get_retry_of() or "")],
        }

    @property
    def _wants_form(self) -> bool:
        return htmx.get_fragment(self.request, htmx.FORM_ID) is not None

    @property
    def _presenter(self) -> PreviewPresenter:
        return PreviewPresenter(self.wording, self._find_url, self.service.limit)

    def _render_page(
        self, snapshot: Snapshot | None, form: InviteForm, *, status: int, **extra: Any
    ) -> HttpResponse:
        context = self._get_page_context(snapshot, form, form_open=True, **extra)
        answer = "org_invitations/answers/form.html"
        name = answer if self._wants_form else self.page_template_name
        response: HttpResponse = self.render(name, context, status=status)
        return htmx.mark_fragment(response, htmx.FORM_ID) if self._wants_form else response


class InviteView(InviteFormMixin):
    """Invite somebody, or many. It is the list's page, with the form open."""

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the page, with the list in the state that the URL says."""
        snapshot = self.service.open(query=self.get_query())
        form = self.get_invite_form(snapshot.roles)
        form["email_addresses"].field.widget.attrs["autofocus"] = True
        return self._render_page(snapshot, form, status=HTTPStatus.OK)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Invite, and say what became of it."""
        snapshot = self.service.open(fresh=True, seats=self._may_be_many())
        form = self.get_invite_form(snapshot.roles, request.POST, request.FILES)
        if snapshot.roles_error is not None:
            return self._render_unvalidated(
                ErrorMessage(self.wording.say("Roles"), status=HTTPStatus.SERVICE_UNAVAILABLE),
                snapshot,
            )
        is_valid = form.is_valid()
        form.retype()
        # One address with a role of its own is no single one: the form's role is not meant for it.
        is_single = len(form.entries) == 1 and not form.entries[0].role
        if not is_single or self.needs_preview(form):
            if not self._is_previewed(form) and (draft := self._keep_draft(form)):
                return draft  # its page has the check
            return self._invite_many(snapshot, form)
        entry = form.entries[0]
        if entry.refusal is not None:
            form.add_problem(
                self._presenter.describe(PreviewItem.refused(entry)), "email_addresses"
            )
        if not is_valid or form.errors:
            extra: dict[str, Any] = {}
            if entry.offers:
                # What was probably meant can be taken by one press.
                extra["review"] = self._presenter.get_report(self.get_preview(snapshot, form), form)
            return self.form_invalid(snapshot, form, **extra)
        return self._invite_one(snapshot, form)

    def needs_preview(self, form: InviteForm) -> bool:
        """Whether it is shown first what would become of each address: a hook.

        Where it is not, all that can be sent is, unless there is a mistake in the form.

        One address goes without: Clerk's answer is enough. Unless it has a role of its own, looks
        like a slip, or was found in a table of which not all was used, and nobody has seen that.
        """
        if len(form.entries) != 1 or form.entries[0].role:
            return True
        entry = form.entries[0]
        if entry.refusal is not None:
            return False
        if entry.suggestion and entry.email_address not in form.as_typed:
            return True  # until somebody says that it is meant
        return bool(form.reading.notes) and not self._is_previewed(form)

    # --- The answer -----------------------------------------------------------------------

    def form_valid(self, snapshot: Snapshot, item: BatchItem) -> HttpResponseBase:
        """Clear the form, show the list anew, and say whom it went to."""
        no_email = item.batch.options.get("notify") is False
        message = (
            gettext("%(email_address)s is invited as %(role)s. No email was sent.")
            if no_email
            else gettext("Invitation sent to %(email_address)s as %(role)s.")
        ) % {"email_address": item.email_address, "role": item.role_name}
        action = self._get_link_action(item.invitation_id) if no_email else {}
        if htmx.get_fragment(self.request, htmx.FORM_ID) is None:
            messages.success(self.request, join_action(message, action), fail_silently=True)
            return SeeOther(self.get_url("list"))
        form = self.get_invite_form(snapshot.roles)
        # Whoever invites one person often invites the next.
        form["email_addresses"].field.widget.attrs["autofocus"] = True
        context = self._get_page_context(
            self.service.with_list(snapshot, InvitationQuery()),
            form,
            status_message=message,
            status_action=action,
            new_id=item.invitation_id,
        )
        response: HttpResponse = self.render("org_invitations/answers/changes.html", context)
        response = htmx.show_url(response, self._get_shown_url(self.get_url("list")))
        return htmx.mark_fragment(response, htmx.FORM_ID)

    def form_invalid(
        self,
        snapshot: Snapshot,
        form: InviteForm,
        problem: ErrorMessage | None = None,
        **extra: Any,
    ) -> HttpResponse:
        """Show the form with what was typed and why it was not sent."""
        status: int = self.invalid_status
        if problem is not None:
            form.add_problem(problem.message, problem.field)
            if self.invalid_status != HTTPStatus.OK:
                status = problem.status
        if problem is not None and self.service.was_denied:
            return self.render_problem(problem.message, status=status)
        response = self.render_form(snapshot, form, status=status, focus_errors=True, **extra)
        return with_retry_after(response, problem) if problem else response

    # --- One ------------------------------------------------------------------------------

    def _invite_one(self, snapshot: Snapshot, form: InviteForm) -> HttpResponseBase:
        """Invite the only address there is, without a check before: Clerk's answer is enough."""
        role = snapshot.roles.get(form.cleaned_data["role"])
        batch, created = self.service.begin(
            Batch.Action.INVITE,
            [make_one(form.entries[0], role)],
            key=self._get_batch_id(),
            options=form.get_options(),
            retry_of=self._get_retry_of(),
        )
        if not created:
            return self._answer_again(snapshot, form, batch)
        return self._item_response(snapshot, form, self._run_one(batch))

    def _item_response(
        self, snapshot: Snapshot, form: InviteForm, item: BatchItem
    ) -> HttpResponseBase:
        """Say what became of it."""
        if item.state == State.DONE:
            return self.form_valid(snapshot, item)
        if item.state in BatchItem.OPEN:  # nobody knows, or somebody else is at work on it
            absent = bool(item.params.get("absent"))
            problem = self.wording.for_unsettled(
                "invite", absent=absent, email_address=item.email_address
            )
            action = self._get_outcome_action(item)
            return self.form_invalid(snapshot, form, problem, problem_action=action)
        if item.reason == PreviewStatus.ROLE_NOT_GRANTED:
            problem = ErrorMessage(self.wording.say("RoleNotGranted"), field="role")
            return self.form_invalid(snapshot, form, problem)
        error = get_error(item)
        if isinstance(error, exc.OrganizationNotFound):
            raise error
        problem = self._explain_item(
            item,
            existing=item.invitation,  # what Clerk has in place of a duplicate
            email_address=item.email_address,
            organization=snapshot.organization.name,
        )
        return self.form_invalid(snapshot, form, problem)

    def _answer_again(self, snapshot: Snapshot, form: InviteForm, batch: Batch) -> HttpResponseBase:
        """Answer a form that came twice as it was answered the first time.

        Where the invitation was revoked since, that would not be true any more, and sending it
        again is another wish, which takes another press.
        """
        items = get_items(batch)
        if len(items) == 1 and items[0].state == State.DONE:
            invitation = self.service.find_invitation(items[0].invitation_id)
            if invitation is not None and invitation.is_revoked:
                message = self.wording.say("Invite:revoked", email_address=invitation.email_address)
                return self.form_invalid(
                    snapshot, form, ErrorMessage(message, status=HTTPStatus.CONFLICT)
                )
            if invitation is not None:
                return self.form_valid(snapshot, items[0])
        return self.batch_response(batch)

    # --- Many -----------------------------------------------------------------------------

    def _invite_many(self, snapshot: Snapshot, form: InviteForm) -> HttpResponseBase:
        """Send what passes the check, once it has been seen if it has to be; otherwise show it."""
        needs_preview = self.needs_preview(form)
        preview = self.get_preview(snapshot, form, holds_back=needs_preview)
        for role in preview.elevated:
            if not form.has_error("confirm_elevated"):
                form.ask_for_confirmation(role)
        is_unseen = needs_preview and not self._is_previewed(form)
        if form.errors or is_unseen:
            return self._render_preview(snapshot, form, preview)
        items, options, key = make_items(preview), form.get_options(), self._get_batch_id()
        action = Batch.Action.INVITE
        if not preview.sendable:
            # What this very form has sent is now refused as invited already.
            before = self.service.find_begun(action, items, key=key, options=options)
            if before is None:
                return self._render_preview(snapshot, form, preview)
            return self.batch_response(before)
        batch, created = self.service.begin(
            action, items, key=key, options=options, retry_of=self._get_retry_of()
        )
        if created:
            self.service.run(batch)
        return self.batch_response(batch)

    def _may_be_many(self) -> bool:
        """Whether more than one address may have been sent, by a look from afar."""
        typed = self.request.POST.get("email_addresses", "").strip()
        is_long = typed.count("@") > 1 or any(mark in typed for mark in " ,;\t\r\n")
        return bool(self.request.FILES) or is_long

    def _is_previewed(self, form: InviteForm) -> bool:
        """Whether the person has seen the check of exactly these addresses."""
        return self.request.POST.get("reviewed", "") == fingerprint_of(form.entries)

    def _render_preview(
        self, snapshot: Snapshot, form: InviteForm, preview: Preview
    ) -> HttpResponseBase:
        """Show the check with the form, and what is wrong with it."""
        # Whoever only has to say whether it is meant has made no mistake.
        is_asked = preview.counts[PreviewStatus.MISTYPED] > 0
        failed = bool(form.errors) or not (preview.sendable or is_asked)
        return self.render_form(
            snapshot,
            form,
            status=self.invalid_status if failed else HTTPStatus.OK,
            focus_errors=bool(form.errors),
            review=self._presenter.get_report(preview, form, focus=not form.errors)
            if form.entries or form.reading.question is not None
            else None,
        )


class PreviewView(InviteFormMixin):
    """Check what was typed without inviting anybody: as it is typed, or on request."""

    http_method_names = ["get", "post", "options"]

    _writes = False

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Go to the page with the form: somebody reloaded the answer to a POST."""
        return SeeOther(self.get_url("invite"))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Say what would become of each address."""
        wants_check = htmx.get_fragment(request, htmx.CHECK_ID) is not None
        try:
            snapshot = self.service.open(seats=self._has_addresses())
        except exc.NotFound:
            raise
        except ClerkError as error:
            return self._render_failure(error)
        form = self.get_invite_form(snapshot.roles, request.POST, request.FILES)
        form.is_valid()
        is_pressed = self._press(form)
        form.retype()
        # Who is typing stays where they are; what was in a file cannot be shown in the field.
        if (not wants_check or form.files) and (draft := self._keep_draft(form)):
            return draft
        preview = None
        if form.entries or form.reading.question is not None:
            preview = self.get_preview(snapshot, form)
        if wants_check:
            return self._render_fragment(preview, form, focus=is_pressed)
        # It is not being sent, so what is missing for that is no mistake yet.
        checked = ("email_addresses", "file")
        kept = {name: form.errors[name] for name in checked if name in form.errors}
        form.errors.clear()
        form.errors.update(kept)
        review = (
            self._presenter.get_report(preview, form, focus=True, is_pressed=is_pressed)
            if preview is not None
            else None
        )
        return self.render_form(
            snapshot,
            form,
            status=self.invalid_status if form.errors else 200,
            focus_errors=bool(form.errors),
            review=review,
        )

    def _has_addresses(self) -> bool:
        """Whether there is anything that Clerk can be asked about, by a closer look."""
        typed = self.request.POST.get("email_addresses", "")
        if self.request.FILES or len(typed) > MAX_LOOKED_AT:
            return True
        return any(entry.refusal is None for entry in parse_text(typed))

    def _render_failure(self, error: ClerkError) -> HttpResponse:
        """Say that the addresses could not be checked, and forget what an earlier check said."""
        problem = self.wording.for_reading(error, "Check")
        if isinstance(error, exc.RateLimited):
            problem = replace(problem, status=HTTPStatus.TOO_MANY_REQUESTS)
        if htmx.get_fragment(self.request, htmx.CHECK_ID) is None:
            return self._render_unvalidated(problem)
        response = self._render_fragment(None, problem=problem)
        return with_retry_after(response, problem)

    def _render_fragment(
        self,
        preview: Preview | None,
        form: InviteForm | None = None,
        problem: ErrorMessage | None = None,
        *,
        focus: bool = False,
    ) -> HttpResponse:
        """Return the check alone, to be shown below the field; or why it could not be made."""
        if preview is not None and len(preview.items) == 1 and not preview.sendable:
            item = preview.items[0]
            is_typing = form is not None and not form.files and not form.is_retyped
            if item.entry.refusal is not None and not item.entry.offers and is_typing:
                preview = None  # somebody is still typing the first address
        review = None
        if preview is not None:
            review = self._presenter.get_report(preview, form, focus=focus, is_pressed=focus)
        context: dict[str, Any] = {
            "review": review,
            "check_problem": problem.message if problem is not None else "",
            "file_errors": form.errors.get("file", []) if form is not None else [],
            "retyped": self._retype(form) if form is not None and form.is_retyped else [],
        }
        status = problem.status if problem is not None else HTTPStatus.OK
        response: HttpResponse = self.render(
            "org_invitations/answers/check.html", context, status=status
        )
        return htmx.mark_fragment(response, htmx.CHECK_ID)

    def _retype(self, form: InviteForm) -> list[str]:
        """Return the fields anew: what was in the file is in the text now, so the file is gone."""
        swap: dict[str, str | bool] = {"hx-swap-oob": "outerHTML"}
        names = ("email_addresses", "file")
        return [form[name].as_widget(attrs=swap) for name in names if name in form.fields]


def count_pieces(form: InviteForm) -> int:
    """Return how many pieces a form holds, also while it is asked which column is meant."""
    question = form.reading.question
    return max(len(form.reading.entries), sum(question.counts) if question is not None else 0)


def make_one(entry: Entry, role: Role | None) -> BatchItem:
    """Return the item of a single address."""
    return BatchItem(
        text=entry.text,
        line=entry.line,
        email_address=entry.email_address,
        role=role.key if role else "",
        role_name=role.name[:MAX_ROLE_NAME] if role else "",
    )


def make_items(preview: Preview) -> list[BatchItem]:
    """Return an item for everything that was typed: to be sent, or refused already."""
    return [_make_item(previewed) for previewed in preview.items]


def _make_item(previewed: PreviewItem) -> BatchItem:
    entry, role = previewed.entry, previewed.role
    waits = previewed.status in (PreviewStatus.NEW, PreviewStatus.LATER)
    item = BatchItem(
        text=entry.text,
        line=entry.line,
        email_address=entry.email_address,
        role=role.key if role else "",
        # What a file says may be longer than the name of any role.
        role_name=(role.name if role else entry.role)[:MAX_ROLE_NAME],
    )
    return record(item, State.WAITING if waits else State.REFUSED, Reason.of_preview(previewed))
