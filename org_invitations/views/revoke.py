"""Revoke an invitation, after a question that names the person."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext

from ..clerk import ClerkError, Invitation
from ..clerk import exceptions as exc
from ..models import Batch, BatchItem
from ..services import Snapshot
from ..services.batches.store import is_at_work
from ..wording import ErrorMessage
from .base import with_retry_after
from .confirm import ConfirmationMixin
from .page import get_error

State = BatchItem.State


class RevokeInvitationView(ConfirmationMixin):
    """Ask whether to revoke an invitation, and revoke it."""

    http_method_names = ["get", "post", "options"]

    #: The question, on a page of its own and in the dialog.
    revoke_template_name = "org_invitations/partials/revoke.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask, naming the person: as a page, or in the list's dialog."""
        try:
            snapshot = self.service.open(invitation_id=kwargs["invitation_id"], roles=False)
        except exc.InvitationNotFound as error:
            return self._render_gone(self.service.open(roles=False), None, error)
        invitation = snapshot.invitation
        if invitation is None or not invitation.is_pending:
            return self._render_gone(snapshot, invitation)
        return self._ask(snapshot, invitation)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Revoke, and say what became of it."""
        snapshot = self.service.open(fresh=True, roles=False)
        batch, created = self.service.begin(
            Batch.Action.REVOKE,
            [BatchItem(invitation_id=kwargs["invitation_id"])],
            key=self._get_batch_id(),
            options={},
        )
        if created:
            return self._item_response(snapshot, self._run_one(batch))
        [item] = self.service.reconcile(batch)
        if is_at_work([item]):
            # The first press of the two, which may just have begun.
            return self.list_response(
                snapshot,
                self.wording.say("Revoke:under-way"),
                level="summary",
                action=self._get_outcome_action(item),
            )
        return self._item_response(snapshot, item)

    def _item_response(self, snapshot: Snapshot, item: BatchItem) -> HttpResponseBase:
        """Say what became of it."""
        if item.state == State.DONE:
            text = gettext("Invitation to %(email_address)s revoked. Its link no longer works.")
            message = text % {"email_address": item.email_address}
            return self.list_response(snapshot, message, action=self._get_way_back(item))
        if item.state in (State.UNDER_WAY, State.UNSETTLED):
            absent = bool(item.params.get("absent"))
            problem = self.wording.for_unsettled("revoke", absent=absent)
            return self._ask_again(snapshot, problem, self._get_outcome_action(item))
        error = get_error(item)  # also where it waits: it was never begun
        if isinstance(error, exc.OrganizationNotFound):
            raise error
        if isinstance(error, exc.InvitationNotPending):
            existing = error.invitation or self.service.find_invitation(item.invitation_id)
            return self._render_gone(snapshot, existing, error)
        if isinstance(error, exc.InvitationNotFound):
            return self._render_gone(snapshot, None, error)
        values = self._get_values() | {"organization": snapshot.organization.name}
        return self._ask_again(snapshot, self._explain_item(item, **values))

    def _render_unavailable(
        self, problem: ErrorMessage, renewal: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Ask again: nobody has been let in yet, so the person is not named."""
        if renewal is not None:
            return super()._render_unavailable(problem, renewal)
        return with_retry_after(self._ask(None, None, problem), problem)

    def _ask(
        self,
        snapshot: Snapshot | None,
        invitation: Invitation | None,
        problem: ErrorMessage | None = None,
        *,
        can_revoke: bool = True,
        action: dict[str, str] | None = None,
    ) -> HttpResponse:
        """Return the question, or what stands in its way."""
        context = self._get_question_context(
            snapshot,
            invitation=invitation,
            problem=problem,
            problem_action=action or {},
            can_revoke=can_revoke,
            # Nothing was begun where nothing is known, so the question is still the same one.
            batch_id=(self._get_batch_id() if snapshot is None else None) or uuid4(),
            revoke_url=self.get_url("revoke", invitation_id=self.kwargs["invitation_id"]),
        )
        return self.render_confirmation(
            self.revoke_template_name,
            context,
            title=gettext("Revoke invitation"),
            status=problem.status if problem else HTTPStatus.OK,
            has_failed=problem is not None,
        )

    def _ask_again(
        self, snapshot: Snapshot, problem: ErrorMessage, action: dict[str, str] | None = None
    ) -> HttpResponse:
        """Ask again, with the reason why it was not done, and a link after it."""
        if self.service.was_denied:
            return self.render_problem(problem.message, status=problem.status)
        invitation = self.service.find_invitation(self.kwargs["invitation_id"])
        return with_retry_after(self._ask(snapshot, invitation, problem, action=action), problem)

    def _render_gone(
        self, snapshot: Snapshot, invitation: Invitation | None, error: ClerkError | None = None
    ) -> HttpResponseBase:
        """Tell what happened to the invitation meanwhile: it is no failure."""
        problem = self.wording.for_writing(
            error or exc.InvitationNotPending(),
            existing=invitation,
            **self._get_values() | {"organization": snapshot.organization.name},
        )
        if self._in_dialog:
            return self.list_response(snapshot, problem.message, level="notice")
        return self._ask(snapshot, None, problem, can_revoke=False)

    def _get_way_back(self, item: BatchItem) -> dict[str, str]:
        """Return a link that invites the person again, with ``url`` and ``text``, if there is."""
        url = self._find_list_url("resend", invitation_id=item.invitation_id)
        if not url:
            return {}
        return {
            "url": url,
            "text": gettext("Invite again as %(role)s") % {"role": item.role_name},
        }
