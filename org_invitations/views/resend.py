"""Send an invitation again, as it was or with another role or expiry."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext

from ..clerk import ClerkError, Invitation, Membership, Organization
from ..clerk import exceptions as exc
from ..forms import ResendForm
from ..models import MAX_ROLE_NAME, Batch, BatchItem
from ..services import RoleNotGranted, Snapshot
from ..services.batches.reconcile import OTHER_INVITATION
from ..services.batches.resend import get_period
from ..services.batches.store import get_items
from ..services.preview import PreviewStatus
from ..wording import ErrorMessage, Stage, describe_expiry
from .base import with_retry_after
from .confirm import ConfirmationMixin
from .page import get_error

State = BatchItem.State

#: What is said of a resend of which nobody knows, or not yet, whether it worked.
_OPEN: Final[Mapping[str, str]] = {
    State.HALF_DONE: "Resend:half-done",
    State.UNDER_WAY: "Resend:under-way",
    State.UNSETTLED: "Unsettled:resend",
}


class ResendInvitationView(ConfirmationMixin):
    """Ask how to send an invitation again, and send it.

    To change the role or the expiry of a pending one takes a new one, too.
    """

    http_method_names = ["get", "post", "options"]

    #: The question, on a page of its own and in the dialog.
    resend_template_name = "org_invitations/partials/resend.html"
    #: The form of the question.
    resend_form_class: type[ResendForm] = ResendForm

    #: Whether the question is about role and expiry first of all.
    is_change: bool = False

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask, as a page or in the list's dialog; nothing is changed by that."""
        snapshot, problem = self._open()
        if problem is not None:
            return self._render_gone(snapshot, problem)
        return self._ask(snapshot, self.get_resend_form(snapshot))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send it again, and say what became of it."""
        snapshot, problem = self._open(fresh=True, seats=True)
        if "finish" in request.POST or "leave" in request.POST:
            return self._finish_or_leave(snapshot)
        if problem is not None:
            return self._render_gone(snapshot, problem)
        if snapshot.roles_error is not None:
            return self._render_without_roles()
        form = self.get_resend_form(snapshot, request.POST)
        if not form.is_valid():
            return self._ask(snapshot, form, status=self.invalid_status)
        if self._was_revoked_meanwhile(snapshot):
            revoked = self.wording.say("Resend:revoked", **self._get_invitation_values(snapshot))
            return self._ask(snapshot, form, ErrorMessage(revoked, status=HTTPStatus.CONFLICT))
        if self._was_revoked_since(snapshot):
            message = self.wording.say("Invite:revoked", **self._get_invitation_values(snapshot))
            return self._ask(snapshot, form, ErrorMessage(message, status=HTTPStatus.CONFLICT))
        return self._item_response(snapshot, self._replace(snapshot, form), form)

    # --- The question -----------------------------------------------------------------------

    def get_resend_form_class(self) -> type[ResendForm]:
        """Return the class of the form that sends again: :attr:`resend_form_class`."""
        return self.resend_form_class

    def get_resend_form(self, snapshot: Snapshot, data: Any = None) -> ResendForm:
        """Return the form, with what the invitation has preselected.

        :param snapshot: where Clerk could not be asked, it has the roles as they were shown, and
            nothing else is known: names are empty, and there is no invitation.
        """
        invitation = snapshot.invitation
        initial: dict[str, Any] = {}
        if invitation is not None:
            if days := get_period(invitation):
                initial["expires_in_days"] = days
            # A role that this person cannot give is not replaced by one that nobody chose.
            known = invitation.role in snapshot.roles
            initial["role"] = invitation.role if known else ""
        return self.get_resend_form_class()(data, roles=snapshot.roles, initial=initial)

    def _open(self, **how: Any) -> tuple[Snapshot, ErrorMessage | None]:
        """Return the snapshot with the invitation, and what makes sending it again senseless."""
        try:
            snapshot = self.service.open(invitation_id=self.kwargs["invitation_id"], **how)
        except exc.InvitationNotFound as error:
            snapshot = self.service.open(roles=False)
            return snapshot, self._explain(error, snapshot)
        invitation = snapshot.invitation
        if invitation is not None and invitation.is_accepted:
            return snapshot, self._explain(exc.InvitationNotPending(), snapshot)
        return snapshot, None

    def _ask(
        self,
        snapshot: Snapshot | None,
        form: ResendForm,
        problem: ErrorMessage | None = None,
        *,
        status: int = HTTPStatus.OK,
    ) -> HttpResponse:
        """Return the question, with what stands in its way."""
        if problem is not None:
            form.add_problem(problem.message, problem.field)
            status = problem.status
        response = self._render_question(snapshot, form, status=status)
        return with_retry_after(response, problem) if problem else response

    def _render_unavailable(
        self, problem: ErrorMessage, renewal: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Ask again, with what was chosen; of what is half done, with the button pressed."""
        if renewal is not None or self.request.POST.keys() & {"finish", "leave"}:
            return super()._render_unavailable(problem, renewal)
        form = self.get_resend_form(self._get_unasked_snapshot(), self.request.POST)
        form.errors.clear()
        return self._ask(None, form, problem)

    def _get_unasked_snapshot(self) -> Snapshot:
        """Return what is known without asking Clerk: what was typed is shown with it."""
        organization = Organization(id=self._get_page_organization_id(), name="")
        nobody = Membership(
            id="", role="", role_name="", permissions=frozenset(), organization=organization
        )
        return Snapshot(organization, nobody, self._get_typed_roles())

    def _render_without_roles(self) -> HttpResponseBase:
        """Say that nothing can be sent while it is unknown which roles the person can give."""
        return self._render_unavailable(
            ErrorMessage(self.wording.say("Roles"), status=HTTPStatus.SERVICE_UNAVAILABLE)
        )

    def _render_question(
        self, snapshot: Snapshot | None, form: ResendForm | None, *, status: int, told: str = ""
    ) -> HttpResponse:
        """Return the question, or what is ``told`` in its place, as a page or for the dialog."""
        invitation = snapshot.invitation if snapshot is not None else None
        is_pending = invitation is None or invitation.is_pending
        is_changed = self.is_change and is_pending
        context = self._get_question_context(
            snapshot,
            invitation=invitation,
            resend_form=form,
            roles_problem=(self.wording.say("Roles") if snapshot and snapshot.roles_error else ""),
            resend_url=self.request.path,
            is_change=is_changed,
            told=told,
            # Nothing was begun where nothing is known, so the question is still the same one.
            batch_id=(self._get_batch_id() if snapshot is None else None) or uuid4(),
            seen=invitation.status if invitation else self.request.POST.get("seen", ""),
            expires_text=describe_expiry(invitation.expires_at) if invitation else "",
        )
        title = gettext("Resend the invitation") if is_pending else gettext("Invite again")
        return self.render_confirmation(
            self.resend_template_name,
            context,
            title=gettext("Change this invitation") if is_changed else title,
            status=status,
            has_failed=bool(told or (form is not None and form.errors)),
        )

    def _render_gone(self, snapshot: Snapshot, problem: ErrorMessage) -> HttpResponseBase:
        """Tell what happened to the invitation meanwhile: it is no failure."""
        if self._in_dialog:
            return self.list_response(snapshot, problem.message, level="notice")
        return self._render_question(snapshot, None, status=problem.status, told=problem.message)

    # --- What is done -----------------------------------------------------------------------

    def _replace(self, snapshot: Snapshot, form: ResendForm) -> BatchItem:
        """Send it again; the same question answered twice does it once."""
        data, old = form.cleaned_data, snapshot.invitation
        if old is None:
            raise exc.InvitationNotFound("no invitation was asked for")
        options: dict[str, Any] = {}
        if days := data.get("expires_in_days"):
            options["expires_in_days"] = days
        if data.get("no_email"):
            options["notify"] = False
        role = snapshot.roles.get(data["role"])
        batch, created = self.service.begin(
            Batch.Action.RESEND,
            [
                BatchItem(
                    text=old.email_address,
                    email_address=old.email_address,
                    role=data["role"],
                    role_name=(role.name if role else data["role"])[:MAX_ROLE_NAME],
                    replaces_id=old.id,
                )
            ],
            key=self._get_batch_id(),
            options=options,
            retry_of=self._get_retry_of(),
        )
        if created:
            return self._run_one(batch)
        before = self.service.find_replacement(batch.pk)
        return before if before is not None else get_items(batch)[0]

    def _was_revoked_meanwhile(self, snapshot: Snapshot) -> bool:
        """Whether somebody has taken the invitation back since the question was asked.

        What the answer to this very question has revoked does not count.
        """
        invitation = snapshot.invitation
        if invitation is None or not invitation.is_revoked:
            return False
        batch_id = self._get_batch_id()
        if batch_id is not None and self.service.find_replacement(batch_id) is not None:
            return False
        return self.request.POST.get("seen") == "pending"

    def _was_revoked_since(self, snapshot: Snapshot) -> bool:
        """Whether this very question was answered before, and its new invitation revoked then.

        To say again that it was sent would not be true any more.
        """
        old, batch_id = snapshot.invitation, self._get_batch_id()
        if old is None or old.is_pending or batch_id is None:
            return False  # nothing has taken its place yet
        before = self.service.find_replacement(batch_id)
        if before is None or before.state != State.DONE or before.replaces_id != old.id:
            return False
        sent = self.service.find_invitation(before.invitation_id)
        return sent is not None and sent.is_revoked

    def _finish_or_leave(self, snapshot: Snapshot) -> HttpResponseBase:
        """Do the missing half of a resend, or leave it."""
        unfinished = self.service.get_unfinished(self.kwargs["invitation_id"])
        item = next((item for item in unfinished if item.state == State.HALF_DONE), None)
        if item is None:
            if unfinished:  # nobody knows yet whether anything is missing
                return self._item_response(snapshot, unfinished[0], None)
            return self.list_response(
                snapshot, gettext("There is nothing left to finish."), level="notice"
            )
        if "leave" in self.request.POST:
            item = self.service.leave(item)
            if item.state != State.REFUSED:
                return self._item_response(snapshot, item, None)
            message = (
                gettext("%(email_address)s keeps the other invitation.")
                if item.reason == OTHER_INVITATION
                else gettext("%(email_address)s stays uninvited.")
            )
            return self.list_response(snapshot, message % {"email_address": item.email_address})
        if snapshot.roles_error is not None:
            return self._render_without_roles()  # nor is it known whether a tick is needed
        # The tick was somebody's who may have been somebody else, and perhaps a while ago.
        if item.role in snapshot.roles.elevated and "confirm_elevated" not in self.request.POST:
            message = self.wording.say("Resend:elevated", email_address=item.email_address)
            return self.list_response(snapshot, message, level="notice")
        try:
            item = self.service.finish(snapshot, item)
        except RoleNotGranted:
            return self.list_response(
                snapshot, self.wording.say("Item:RoleNotGranted"), level="notice"
            )
        except ClerkError as error:
            # Nothing was changed, even where something was sent that was to.
            stage = Stage.WRITING if self.service.has_written else self._get_stage()
            problem = self._explain(error, snapshot, stage)
            return self.list_response(snapshot, problem.message, level="notice")
        return self._item_response(snapshot, item, None)

    def _item_response(
        self, snapshot: Snapshot, item: BatchItem, form: ResendForm | None
    ) -> HttpResponseBase:
        """Say what became of it."""
        if item.state == State.DONE:
            return self._sent_response(snapshot, item)
        if sentence := _OPEN.get(item.state):
            # The list comes with what can be done about it, as Clerk has it by then.
            if item.state == State.HALF_DONE and item.reason == OTHER_INVITATION:
                sentence = "Resend:other-invitation"
            message = self.wording.say(sentence, email_address=item.email_address)
            # What can be done about one that is half done is asked above the list.
            is_half = item.state == State.HALF_DONE
            action = {} if is_half else self._get_outcome_action(item)
            return self.list_response(snapshot, message, level="summary", action=action)
        if item.reason == PreviewStatus.ROLE_NOT_GRANTED and form is not None:
            form.add_problem(self.wording.say("RoleNotGranted"), "role")
            return self._ask(snapshot, form, status=self.invalid_status)
        problem = self._get_problem(snapshot, item)
        if item.reason == exc.InvitationNotPending.__name__:
            return self._render_gone(snapshot, problem)
        if form is None:
            return self.list_response(snapshot, problem.message, level="notice")
        return self._ask(snapshot, form, problem)

    # --- What is said -----------------------------------------------------------------------

    def _get_problem(self, snapshot: Snapshot, item: BatchItem) -> ErrorMessage:
        """Return why nothing was done, in words."""
        return self._explain_item(item, **self._get_error_values(get_error(item), snapshot))

    def _sent_response(self, snapshot: Snapshot, item: BatchItem) -> HttpResponseBase:
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
        action = self._get_link_action(item.invitation_id) if no_email else {}
        return self.list_response(
            snapshot, message, action=action, new_id=item.invitation_id, old=snapshot.invitation
        )

    def _explain(
        self, error: ClerkError, snapshot: Snapshot, stage: Stage = Stage.WRITING
    ) -> ErrorMessage:
        """Return what an error means here, in words."""
        values = self._get_error_values(error, snapshot)
        if isinstance(error, exc.InvitationNotPending) and snapshot.invitation is not None:
            message = self.wording.say("Resend:accepted", **values)
            return ErrorMessage(message, status=HTTPStatus.CONFLICT)
        return self.wording.for_error(error, stage, **values)

    def _get_error_values(self, error: ClerkError, snapshot: Snapshot) -> dict[str, Any]:
        """Return what the sentence about an error may name, with what is in the way."""
        values = self._get_invitation_values(snapshot)
        if isinstance(error, exc.DuplicateInvitation):
            values["existing"] = self._find_existing(snapshot)
        return values

    def _get_invitation_values(self, snapshot: Snapshot) -> dict[str, Any]:
        """Return what the sentences about this invitation may name."""
        values = self._get_values() | {"organization": snapshot.organization.name}
        if snapshot.invitation is not None:
            values["email_address"] = snapshot.invitation.email_address
        return values

    def _find_existing(self, snapshot: Snapshot) -> Invitation | None:
        """Return the pending invitation that is in the way; a nicety, so None if it fails."""
        try:
            address = snapshot.invitation.email_address if snapshot.invitation else ""
            return self.service.get_pending(address) if address else None
        except ClerkError:
            return None
