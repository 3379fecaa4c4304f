"""Revoke many, or send many again: one question, one run, one outcome."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase

from .. import htmx
from ..clerk import ClerkError
from ..clerk import exceptions as exc
from ..models import Batch, BatchItem
from ..services import NotPermitted, TooManyInvitations, Workspace
from ..services.batches import (
    BatchTaken,
    begin_batch,
    find_batch,
    get_items,
    settle_item,
    stop_batch,
    take_up,
)
from ..services.choosing import MAX_CHOSEN, Chosen
from ..wording import Stage
from .asking import SelectionQuestionMixin
from .begin import MAX_ROLE_NAME
from .organization import SeeOther

State = BatchItem.State

#: What can be done with many.
ACTIONS: Final = (Batch.Action.REVOKE, Batch.Action.RESEND)


class SelectionView(SelectionQuestionMixin):
    """Ask whether to do something with many invitations, and do it."""

    http_method_names = ["get", "post", "options"]

    #: While the dialog is open nothing beside it can be read.
    problem_region = htmx.DIALOG_ID

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Go to the list: somebody reloaded the answer to a POST."""
        return SeeOther(self.get_list_url(self.get_query()))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask first; do it once that has been confirmed; go on where it stopped."""
        if "continue" in request.POST:
            return self.go_on()
        action = request.POST.get("action", "")
        if action not in ACTIONS:
            return self.refuse("Selection:action")
        if not self.get_ids() and "all" not in request.POST:
            return self.refuse("Selection:nothing")
        before = self.find_before()
        if before is not None and self.is_same(before, action):
            return self.show_outcome(before)
        is_new = before is None and self.get_batch_id() is not None
        is_confirmed = "confirmed" in request.POST and is_new
        sends = action == Batch.Action.RESEND
        try:
            workspace = self.service.open(afresh=is_confirmed, roles=sends, seats=sends)
            if sends and workspace.roles_error is not None:
                raise workspace.roles_error
            chosen = self.service.judge_chosen(workspace, action, self.get_chosen())
        except TooManyInvitations as error:
            return self.refuse("Selection:many", count=error.count, limit=MAX_CHOSEN)
        if not is_confirmed or not any(one.is_possible for one in chosen):
            return self.ask(workspace, action, chosen)
        if self.get_elevated(workspace, action, chosen) and "confirm_elevated" not in request.POST:
            return self.ask(workspace, action, chosen, self.wording.say("Selection:elevated"))
        return self.do(workspace, action, chosen)

    def get_stage(self) -> Stage:
        """Return what an error has stopped: the question changes nothing."""
        is_question = not self.request.POST.keys() & {"confirmed", "continue"}
        return Stage.READING if is_question else super().get_stage()

    # --- What was chosen ------------------------------------------------------------------------

    def get_chosen(self) -> Sequence[Chosen]:
        """Return the invitations that were chosen: one by one, or all that a list shows."""
        query = self.get_query()
        if "all" in self.request.POST and "confirmed" not in self.request.POST:
            found = self.service.find_all(query, MAX_CHOSEN)
            return [Chosen(invitation.id, invitation) for invitation in found]
        return self.service.find_chosen(self.get_ids(), query.status)

    def find_before(self) -> Batch | None:
        """Return what has been begun with the same question before."""
        batch_id = self.get_batch_id()
        if batch_id is None:
            return None
        return find_batch(
            batch_id,
            organization_id=self.service.organization_id,
            user_id=self.identity.user_id,
        )

    def is_same(self, batch: Batch, action: str) -> bool:
        """Whether a batch is what is asked for now: the same form was sent twice."""
        ids = {item.replaces_id or item.invitation_id for item in get_items(batch)}
        return batch.action == action and ids == set(self.get_ids())

    # --- Doing it -------------------------------------------------------------------------------

    def do(self, workspace: Workspace, action: str, chosen: Sequence[Chosen]) -> HttpResponseBase:
        """Write down what is going to be done, do it, and go to the outcome."""
        batch_id = self.get_batch_id()
        if batch_id is None:
            return self.ask(workspace, action, chosen)
        try:
            batch, is_new = begin_batch(
                batch_id,
                action,
                [self.make_item(action, one) for one in chosen],
                organization_id=self.service.organization_id,
                user_id=self.identity.user_id,
                actor_id=self.identity.actor_id,
                options={"seen": str(self.get_query().status)}
                if "state" in self.request.POST
                else {},
                retry_of=self.get_retry_of(),
            )
        except BatchTaken as taken:
            # The same question was sent twice at the same moment, or somebody made up its id.
            if taken.batch is not None and self.is_same(taken.batch, action):
                return self.show_outcome(taken.batch)
            return self.ask(workspace, action, chosen)
        if is_new:
            self.run(batch)
        return self.show_outcome(batch)

    def make_item(self, action: str, one: Chosen) -> BatchItem:
        """Return the item of an invitation that was chosen: to be dealt with, or refused."""
        item = BatchItem()
        if action == Batch.Action.RESEND:
            item.replaces_id = one.invitation_id
        else:
            item.invitation_id = one.invitation_id
        if one.invitation is not None:
            item.email_address = one.invitation.email_address
            item.role = one.invitation.role
            item.role_name = one.invitation.role_name[:MAX_ROLE_NAME]
        return settle_item(item, State.WAITING if one.is_possible else State.REFUSED, one.reason)

    def run(self, batch: Batch) -> None:
        """Do what waits in a batch. What does not work is in its items afterwards.

        :raises NotPermitted: the person may not manage members any more; nothing was done.
        """
        try:
            if batch.action == Batch.Action.REVOKE:
                self.service.revoke_invitations(batch)
            else:
                self.service.resend_invitations(batch)
        except NotPermitted:
            stop_batch(batch, State.REFUSED, exc.PermissionDenied())
            raise
        except ClerkError as error:
            # The permission could not be asked for again: nothing was done, all of it waits.
            stop_batch(batch, State.WAITING, error)

    def go_on(self) -> HttpResponseBase:
        """Go on with what waits in a batch; the question has been answered before."""
        batch = self.find_before()
        if batch is None or batch.action not in ACTIONS:
            return self.render_problem(
                self.wording.say("Outcome:unknown"), status=HTTPStatus.NOT_FOUND
            )
        sends = batch.action == Batch.Action.RESEND
        self.service.open(afresh=True, roles=sends, seats=sends)
        self.service.settle(batch)
        if take_up(batch, actor_id=self.identity.actor_id):
            self.run(batch)
        return self.show_outcome(batch)
