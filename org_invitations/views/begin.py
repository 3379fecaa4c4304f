"""From a form to a batch: what is written down before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

from django.http import HttpResponseBase

from ..addresses import Entry
from ..clerk import ClerkError, Invitation, Role
from ..clerk import exceptions as exc
from ..forms import InviteForm
from ..models import Batch, BatchItem
from ..services import NotPermitted, Workspace
from ..services.batches import (
    BatchTaken,
    begin_batch,
    find_begun,
    get_items,
    log_not_saved,
    mark,
    refuse,
    settle_item,
    stop_batch,
)
from ..services.reasons import Reason
from ..services.screening import Screened, Screening, Verdict
from ..wording import Problem
from .review import ReviewMixin

State = BatchItem.State

#: As long as the database takes it.
MAX_ROLE_NAME: Final = 255

#: What is kept with a batch. Metadata is the site's own and not ours to keep.
_KEPT = ("expires_in_days", "redirect_url", "notify")


class BeginMixin(ReviewMixin):
    """Begins batches of invitations."""

    def get_chosen_options(self, form: InviteForm) -> dict[str, Any]:
        """Return what was chosen in the form, in the terms of ``invite_member``."""
        data = form.cleaned_data
        options: dict[str, Any] = {}
        days = data.get("expires_in_days")
        if days is not None and days != form.fields["expires_in_days"].initial:
            options["expires_in_days"] = days  # the usual period is the service's to know
        if data.get("redirect_url"):
            options["redirect_url"] = data["redirect_url"]
        if data.get("no_email"):
            options["notify"] = False
        if data.get("language"):
            options["public_metadata"] = {"language": data["language"]}
        return options

    def get_invitation_options(self, form: InviteForm) -> dict[str, Any]:
        """Return what else Clerk is to know of the invitations."""
        return {}

    def get_options(self, form: InviteForm) -> dict[str, Any]:
        """Return both together; a language that was chosen stays in metadata of the site's."""
        options = {**self.get_chosen_options(form), **self.get_invitation_options(form)}
        if language := form.cleaned_data.get("language"):
            added = options.get("public_metadata") or {}
            options["public_metadata"] = {"language": language, **added}
        return options

    def begin(
        self, form: InviteForm, items: Sequence[BatchItem], options: Mapping[str, Any]
    ) -> tuple[Batch, bool]:
        """Write down what is going to be sent; tell whether it is new.

        A form that was sent before with other addresses is another wish, and gets another id.
        """
        wish = self._get_wish(form, items, options)
        more: dict[str, Any] = {"retry_of": self.get_retry_of(), "actor_id": self.identity.actor_id}
        try:
            return begin_batch(self.get_batch_id() or uuid4(), **more, **wish)
        except BatchTaken as taken:
            return begin_batch(taken.instead, **more, **wish)

    def _find_begun(
        self, form: InviteForm, items: Sequence[BatchItem], options: Mapping[str, Any]
    ) -> Batch | None:
        """Return what has been begun with the very same form before, if anything has."""
        batch_id = self.get_batch_id()
        return find_begun(batch_id, **self._get_wish(form, items, options)) if batch_id else None

    def _get_wish(
        self, form: InviteForm, items: Sequence[BatchItem], options: Mapping[str, Any]
    ) -> dict[str, Any]:
        kept = {name: options[name] for name in _KEPT if options.get(name) is not None}
        kept["role"] = form.cleaned_data.get("role", "")
        if language := form.cleaned_data.get("language"):
            kept["language"] = language
        return {
            "action": Batch.Action.INVITE,
            "items": items,
            "organization_id": self.service.organization_id,
            "user_id": self.identity.user_id,
            "options": kept,
        }

    def finish_one(
        self,
        batch: Batch,
        item: BatchItem,
        error: ClerkError | None = None,
        *,
        invitation: Invitation | None = None,
        unsettled: bool = False,
    ) -> None:
        """Write down what became of the only item there is."""
        if invitation is not None:
            settle_item(item, State.DONE, invitation_id=invitation.id)
        elif error is not None and unsettled:
            settle_item(item, State.UNSETTLED, Reason.of_error(error))
        elif error is not None:
            refuse(item, error)
        else:
            settle_item(item, State.REFUSED, Reason(str(Verdict.ROLE_NOT_GRANTED)))
        # What is known is answered all the same; the outcome asks Clerk once more.
        with log_not_saved():
            mark(batch, [item], is_running=False)

    def answer_again(
        self, workspace: Workspace, form: InviteForm, batch: Batch
    ) -> HttpResponseBase:
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
                    workspace, form, Problem(message, status=HTTPStatus.CONFLICT)
                )
            if invitation is not None:
                return self.form_valid(workspace, invitation)
        return self.show_outcome(batch)

    def form_valid(self, workspace: Workspace, invitation: Invitation) -> HttpResponseBase:
        """Say whom it went to."""
        raise NotImplementedError

    def form_invalid(
        self, workspace: Workspace, form: InviteForm, problem: Problem | None = None
    ) -> HttpResponseBase:
        """Show the form with why it was not sent."""
        raise NotImplementedError


class InviteMany(BeginMixin):
    """Invites many: check, let it be read, send."""

    def invite_many(self, workspace: Workspace, form: InviteForm) -> HttpResponseBase:
        """Send what passes the check, once the check has been seen; otherwise show it."""
        screening = self.screen(workspace, form)
        for role in screening.elevated:
            if not form.has_error("confirm_elevated"):
                form.ask_for_confirmation(role)
        if form.errors or not self.is_reviewed(form):
            return self.show_review(workspace, form, screening)
        items, options = make_items(screening), self.get_options(form)
        # What this very form has sent would now be refused as invited already.
        before = self._find_begun(form, items, options)
        if before is not None:
            return self.show_outcome(before)
        if not screening.sendable:
            return self.show_review(workspace, form, screening)
        batch, is_new = self.begin(form, items, options)
        if is_new:
            self.send(batch, options)
        return self.show_outcome(batch)

    def show_review(
        self, workspace: Workspace, form: InviteForm, screening: Screening
    ) -> HttpResponseBase:
        """Show the check with the form, and what is wrong with it."""
        failed = bool(form.errors) or not screening.sendable
        return self.show_form(
            workspace,
            form,
            status=self.invalid_status if failed else HTTPStatus.OK,
            focus_errors=bool(form.errors),
            review=self.get_review(screening, form, focus=not form.errors)
            if form.entries or form.reading.question is not None
            else None,
        )

    def send(self, batch: Batch, options: Mapping[str, Any]) -> None:
        """Send a batch that has begun. What does not work is in its items afterwards.

        :raises NotPermitted: the person may not manage members any more; nothing was sent.
        """
        metadata = {
            name: options[name]
            for name in ("public_metadata", "private_metadata")
            if options.get(name) is not None
        }
        try:
            self.service.invite_members(batch, **metadata)
        except NotPermitted:
            stop_batch(batch, State.REFUSED, exc.PermissionDenied())
            raise
        except ClerkError as error:
            # The permission could not be asked for again: nothing was sent, all of it waits.
            stop_batch(batch, State.WAITING, error)


def make_one(entry: Entry, role: Role | None) -> BatchItem:
    """Return the item of a single address, whose call to Clerk is about to go out."""
    return BatchItem(
        text=entry.text,
        line=entry.line,
        email_address=entry.email_address,
        role=role.key if role else "",
        role_name=role.name[:MAX_ROLE_NAME] if role else "",
        state=State.UNDER_WAY,
    )


def make_items(screening: Screening) -> list[BatchItem]:
    """Return an item for everything that was typed: to be sent, or refused already."""
    return [_make_item(screened) for screened in screening.items]


def _make_item(screened: Screened) -> BatchItem:
    entry, role = screened.entry, screened.role
    waits = screened.verdict in (Verdict.NEW, Verdict.LATER)
    item = BatchItem(
        text=entry.text,
        line=entry.line,
        email_address=entry.email_address,
        role=role.key if role else "",
        # What a file says may be longer than the name of any role.
        role_name=(role.name if role else entry.role)[:MAX_ROLE_NAME],
    )
    return settle_item(
        item, State.WAITING if waits else State.REFUSED, Reason.of_screened(screened)
    )
