"""Send an invitation again, as it was or with another role or expiry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext

from ..clerk import ClerkError
from ..clerk import exceptions as exc
from ..forms import ResendForm
from ..models import BatchItem
from ..services import RoleNotGranted, Workspace
from ..services.batches import BatchTaken
from ..services.batches.reconcile import OTHER_INVITATION
from ..wording import Problem, Stage
from .resend_question import ResendQuestionMixin

State = BatchItem.State

#: What is said of a resend of which nobody knows, or not yet, whether it worked.
_OPEN: Final[Mapping[str, str]] = {
    State.HALF_DONE: "Resend:half-done",
    State.UNDER_WAY: "Resend:under-way",
    State.UNSETTLED: "Unsettled:resend",
}


class ResendInvitationView(ResendQuestionMixin):
    """Ask how to send an invitation again, and send it."""

    http_method_names = ["get", "post", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask, as a page or in the list's dialog; nothing is changed by that."""
        workspace, problem = self.open_invitation()
        if problem is not None:
            return self.tell(workspace, problem)
        return self.ask(workspace, self.get_resend_form(workspace))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send it again, and say what became of it."""
        workspace, problem = self.open_invitation(afresh=True, seats=True)
        if "finish" in request.POST or "leave" in request.POST:
            return self.settle(workspace)
        if problem is not None:
            return self.tell(workspace, problem)
        if workspace.roles_error is not None:
            message = self.wording.say("Roles")
            return self.show_again(Problem(message, status=HTTPStatus.SERVICE_UNAVAILABLE))
        form = self.get_resend_form(workspace, request.POST)
        if not form.is_valid():
            return self.ask(workspace, form, status=self.invalid_status)
        if self.was_revoked_meanwhile(workspace):
            revoked = self.wording.say("Resend:revoked", **self.get_invitation_values(workspace))
            return self.ask(workspace, form, Problem(revoked, status=HTTPStatus.CONFLICT))
        if self.was_revoked_since(workspace):
            message = self.wording.say("Invite:revoked", **self.get_invitation_values(workspace))
            return self.ask(workspace, form, Problem(message, status=HTTPStatus.CONFLICT))
        try:
            item = self.replace(workspace, form)
        except RoleNotGranted:
            form.add_problem(self.wording.say("RoleNotGranted"), "role")
            return self.ask(workspace, form, status=self.invalid_status)
        except ClerkError as error:
            return self.ask(workspace, form, self.explain(error, workspace, self.get_stage()))
        return self.answer(workspace, item, form)

    # --- What is done -----------------------------------------------------------------------

    def replace(self, workspace: Workspace, form: ResendForm) -> BatchItem:
        """Send it again; the same question answered twice does it once."""
        data = form.cleaned_data
        options: dict[str, Any] = {
            "role": data["role"],
            "expires_in_days": data.get("expires_in_days"),
            "notify": False if data.get("no_email") else None,
        }
        batch_id = self.get_batch_id() or uuid4()
        try:
            return self.service.replace_invitation(workspace, batch_id=batch_id, **options)
        except BatchTaken as taken:
            return self.service.replace_invitation(workspace, batch_id=taken.instead, **options)

    def was_revoked_meanwhile(self, workspace: Workspace) -> bool:
        """Whether somebody has taken the invitation back since the question was asked.

        What the answer to this very question has revoked does not count.
        """
        invitation = workspace.invitation
        if invitation is None or not invitation.is_revoked:
            return False
        batch_id = self.get_batch_id()
        if batch_id is not None and self.service.find_replacement(batch_id) is not None:
            return False
        return self.request.POST.get("seen") == "pending"

    def was_revoked_since(self, workspace: Workspace) -> bool:
        """Whether this very question was answered before, and its new invitation revoked then.

        To say again that it was sent would not be true any more.
        """
        old, batch_id = workspace.invitation, self.get_batch_id()
        if old is None or old.is_pending or batch_id is None:
            return False  # nothing has taken its place yet
        before = self.service.find_replacement(batch_id)
        if before is None or before.state != State.DONE or before.replaces_id != old.id:
            return False
        sent = self.service.find_invitation(before.invitation_id)
        return sent is not None and sent.is_revoked

    def settle(self, workspace: Workspace) -> HttpResponseBase:
        """Do the missing half of a resend, or leave it."""
        invitation_id = self.kwargs["invitation_id"]
        item = self.service.find_unfinished(invitation_id)
        if item is None:
            for unknown in self.service.get_unfinished(invitation_id):
                # Nobody knows yet whether anything is missing.
                return self.answer(workspace, unknown, None)
            return self.show(workspace, gettext("There is nothing left to finish."), "notice")
        if "leave" in self.request.POST:
            item = self.service.leave_replacement(item)
            if item.state != State.REFUSED:
                return self.answer(workspace, item, None)
            message = (
                gettext("%(email_address)s keeps the other invitation.")
                if item.reason == OTHER_INVITATION
                else gettext("%(email_address)s stays uninvited.")
            )
            return self.show(workspace, message % {"email_address": item.email_address})
        # The tick was somebody's who may have been somebody else, and perhaps a while ago.
        if item.role in workspace.roles.elevated and "confirm_elevated" not in self.request.POST:
            message = self.wording.say("Resend:elevated", email_address=item.email_address)
            return self.show(workspace, message, "notice")
        try:
            item = self.service.finish_replacement(workspace, item)
        except RoleNotGranted:
            return self.show(workspace, self.wording.say("Item:RoleNotGranted"), "notice")
        except ClerkError as error:
            # Nothing was changed, even where something was sent that was to.
            stage = Stage.WRITING if self.service.has_written else self.get_stage()
            problem = self.explain(error, workspace, stage)
            return self.show(workspace, problem.message, "notice")
        return self.answer(workspace, item, None)

    def answer(
        self, workspace: Workspace, item: BatchItem, form: ResendForm | None
    ) -> HttpResponseBase:
        """Say what became of it."""
        if item.state == State.DONE:
            return self.resent(workspace, item)
        if sentence := _OPEN.get(item.state):
            # The list comes with what can be done about it, as Clerk has it by then.
            if item.state == State.HALF_DONE and item.reason == OTHER_INVITATION:
                sentence = "Resend:other-invitation"
            message = self.wording.say(sentence, email_address=item.email_address)
            return self.show(workspace, message, "summary")
        problem = self.get_problem(workspace, item)
        if item.reason == exc.InvitationNotPending.__name__:
            return self.tell(workspace, problem)
        if form is None:
            return self.show(workspace, problem.message, "notice")
        return self.ask(workspace, form, problem)

    def get_problem(self, workspace: Workspace, item: BatchItem) -> Problem:
        """Return why nothing was done, in words."""
        kind = exc.find_kind(item.reason) or ClerkError
        error = kind()
        if isinstance(error, exc.RateLimited):
            error.retry_after = item.params.get("retry_after")
        problem = self.explain(error, workspace)
        if item.reason in self.wording.messages and kind is not exc.InvitationNotPending:
            return problem
        text = self.wording.for_item(item.reason, item.params)
        return replace(problem, message=f"{item.email_address}: {text}")

    def resent(self, workspace: Workspace, item: BatchItem) -> HttpResponseBase:
        """Show the list anew and say to whom it was sent."""
        no_email = item.batch.options.get("notify") is False
        message = (
            gettext(
                "%(email_address)s is invited anew as %(role)s. No email was sent; an older link "
                "no longer works."
            )
            if no_email
            else gettext(
                "New invitation sent to %(email_address)s as %(role)s. An older link no longer "
                "works."
            )
        ) % {"email_address": item.email_address, "role": item.role_name}
        url = self.find_url("link", invitation_id=item.invitation_id) if no_email else ""
        action = {"url": url, "text": gettext("Copy link")} if url else {}
        return self.show(workspace, message, action=action, new_id=item.invitation_id)


class ChangeInvitationView(ResendInvitationView):
    """Change the role or the expiry of a pending invitation, which takes a new one."""

    is_change = True
