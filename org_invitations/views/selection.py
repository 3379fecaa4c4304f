"""Revoke many, or send many again: one question, one run, one outcome."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext, ngettext

from ..clerk import Invitation
from ..converters import INVITATION_ID
from ..forms import SelectionForm
from ..models import MAX_ROLE_NAME, Batch, BatchItem
from ..services import Snapshot, TooManyInvitations
from ..services.batches.background import goes_to_workers
from ..services.batches.store import get_items, record
from ..services.selection import MAX_SELECTED, SelectedInvitation
from ..wording import ErrorMessage, describe_seconds
from .base import SeeOther, with_retry_after
from .confirm import ConfirmationMixin

State = BatchItem.State

#: What can be done with many.
ACTIONS: Final = (Batch.Action.REVOKE, Batch.Action.RESEND)

#: How many are named at once; the others are a click away.
MAX_NAMED: Final = 10

#: Stands for whatever was posted as an id and is none.
NO_ID: Final = "-"

_ID: Final = re.compile(INVITATION_ID)


@dataclass(frozen=True, slots=True)
class Skipped:
    """An invitation that nothing will be done with."""

    #: Empty where it is not known.
    email_address: str
    #: Why, in words.
    text: str


class SelectionView(ConfirmationMixin):
    """Ask whether to do something with many invitations, and do it."""

    http_method_names = ["get", "post", "options"]

    #: The question, on a page of its own and in the dialog.
    selection_template_name = "org_invitations/partials/selection_question.html"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Know whether it is only asked: the question changes nothing."""
        super().setup(request, *args, **kwargs)
        self._writes = bool(request.POST.keys() & {"confirmed", "continue"})

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Go to the list: somebody reloaded the answer to a POST."""
        return SeeOther(self._get_list_url())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask first; do it once that has been confirmed; go on where it stopped."""
        if "continue" in request.POST:
            return self._resume()
        action = request.POST.get("action", "")
        if action not in ACTIONS:
            return self._refuse("Selection:action")
        if not self._get_ids() and "all" not in request.POST:
            return self._refuse("Selection:nothing")
        before = self._find_before()
        if before is not None and self._is_same(before, action):
            return self.batch_response(before)
        is_new = before is None and self._get_batch_id() is not None
        is_confirmed = "confirmed" in request.POST and is_new
        sends = action == Batch.Action.RESEND
        try:
            snapshot = self.service.open(fresh=is_confirmed, roles=sends, seats=sends)
            if sends and snapshot.roles_error is not None:
                raise snapshot.roles_error
            form = self._get_form(snapshot) if sends else None
            chosen = self.service.evaluate(
                snapshot, action, self._with_choice(snapshot, self._get_chosen(), form)
            )
        except TooManyInvitations as error:
            return self._refuse("Selection:many", count=error.count, limit=MAX_SELECTED)
        is_wrong = form is not None and not form.is_valid()
        if not is_confirmed or is_wrong or not any(one.is_possible for one in chosen):
            return self._ask(snapshot, action, chosen, form=form)
        if self._get_elevated(snapshot, action, chosen) and "confirm_elevated" not in request.POST:
            message = self.wording.say("Selection:elevated")
            return self._ask(snapshot, action, chosen, message, form=form)
        return self._start(snapshot, action, chosen, form)

    # --- What was chosen ------------------------------------------------------------------------

    def _get_ids(self) -> list[str]:
        """Return the ids that were posted, each once; what cannot be one is :data:`NO_ID`."""
        posted = self.request.POST.getlist("selected")
        ids = (text if _ID.fullmatch(text) else NO_ID for text in posted)
        return list(dict.fromkeys(ids))

    def _get_chosen(self) -> Sequence[SelectedInvitation]:
        """Return the invitations that were chosen: one by one, or all that a list shows."""
        query = self.get_query()
        if "all" in self.request.POST and "confirmed" not in self.request.POST:
            found = self.service.find_all(query, MAX_SELECTED)
            return [SelectedInvitation(invitation.id, invitation) for invitation in found]
        return self.service.find_selected(self._get_ids(), query.status)

    def _get_form(self, snapshot: Snapshot) -> SelectionForm:
        """Return what can be chosen for all that are sent again; bound once it is answered."""
        is_answered = "confirmed" in self.request.POST
        return SelectionForm(self.request.POST if is_answered else None, roles=snapshot.roles)

    def _with_choice(
        self,
        snapshot: Snapshot,
        chosen: Sequence[SelectedInvitation],
        form: SelectionForm | None,
    ) -> Sequence[SelectedInvitation]:
        """Return the invitations with the role that was chosen for all of them, if one was."""
        is_valid = form is not None and form.is_bound and form.is_valid()
        role = snapshot.roles.get(form.cleaned_data["role"]) if form and is_valid else None
        if role is None:
            return chosen
        return [
            replace(one, invitation=replace(one.invitation, role=role.key, role_name=role.name))
            if one.invitation is not None
            else one
            for one in chosen
        ]

    def _find_before(self) -> Batch | None:
        """Return what has been begun with the same question before."""
        batch_id = self._get_batch_id()
        return self.service.find_batch(batch_id) if batch_id else None

    def _is_same(self, batch: Batch, action: str) -> bool:
        """Whether a batch is what is asked for now: the same form was sent twice."""
        ids = {item.replaces_id or item.invitation_id for item in get_items(batch)}
        return batch.action == action and ids == set(self._get_ids())

    # --- Doing it -------------------------------------------------------------------------------

    def _start(
        self,
        snapshot: Snapshot,
        action: str,
        chosen: Sequence[SelectedInvitation],
        form: SelectionForm | None,
    ) -> HttpResponseBase:
        """Write down what is going to be done, do it, and go to the outcome."""
        items = [self._make_item(action, one) for one in chosen]
        options = self._get_seen()
        if form is not None and (days := form.cleaned_data.get("expires_in_days")):
            options["expires_in_days"] = days
        batch, created = self.service.begin(
            action,
            items,
            key=self._get_batch_id(),
            options=options,
            retry_of=self._get_retry_of(),
        )
        if created:
            self.service.run(batch)
        return self.batch_response(batch)

    def _get_seen(self) -> dict[str, Any]:
        """Return what the person saw when they decided: what is revoked since is not sent again.

        The ids of those that were pending in the question; of a form that comes without one, the
        status that the list had.
        """
        posted = self.request.POST
        if "pending" in posted:
            return {"pending": posted["pending"].split()}
        return {"seen": str(self.get_query().status)} if "state" in posted else {}

    def _make_item(self, action: str, one: SelectedInvitation) -> BatchItem:
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
        return record(item, State.WAITING if one.is_possible else State.REFUSED, one.reason)

    def _resume(self) -> HttpResponseBase:
        """Go on with what waits in a batch; the question has been answered before."""
        batch = self._find_before()
        if batch is None or batch.action not in ACTIONS:
            return self._render_unknown()
        self.service.resume(batch)
        return self.batch_response(batch)

    # --- The question ---------------------------------------------------------------------------

    def _get_elevated(
        self, snapshot: Snapshot, action: str, chosen: Sequence[SelectedInvitation]
    ) -> list[str]:
        """Return the names of the roles that are given and need a second thought."""
        if action != Batch.Action.RESEND:
            return []
        names = {
            one.invitation.role_name: None
            for one in chosen
            if one.is_possible
            and one.invitation is not None
            and one.invitation.role in snapshot.roles.elevated
        }
        return list(names)

    def _ask(
        self,
        snapshot: Snapshot,
        action: str,
        chosen: Sequence[SelectedInvitation],
        message: str = "",
        *,
        form: SelectionForm | None = None,
    ) -> HttpResponse:
        """Return the question, which names the people; or why there is nothing to ask."""
        possible = [one.invitation for one in chosen if one.is_possible and one.invitation]
        people = [invitation.email_address for invitation in possible]
        skipped = [self._describe_skipped(one) for one in chosen if not one.is_possible]
        status = self.invalid_status if message else HTTPStatus.OK
        if not people:
            gone = all(one.invitation is None for one in chosen)
            status = HTTPStatus.NOT_FOUND if gone else HTTPStatus.CONFLICT
        again = not any(invitation.is_pending for invitation in possible)
        return self._render_question(
            action,
            status=status,
            ids=[one.invitation_id for one in chosen],
            pending=" ".join(self._get_pending(possible)),
            title=self._get_title(action, len(people), again=again),
            button=self._get_button(action, len(people), again=again),
            people=people[:MAX_NAMED],
            more_people=people[MAX_NAMED:],
            skipped=skipped[:MAX_NAMED],
            more_skipped=skipped[MAX_NAMED:],
            elevated=self._get_elevated(snapshot, action, chosen),
            notice=self._get_notice(action, len(people)),
            all_again=again,
            message=message,
            selection_form=form,
            may_elevate=action == Batch.Action.RESEND and bool(snapshot.roles.elevated),
        )

    def _get_pending(self, possible: Sequence[Invitation]) -> list[str]:
        """Return the ids of those that are pending, or were when it was asked before.

        Whoever only has to tick a box still has not seen that one was revoked since.
        """
        before = self.request.POST.get("pending", "").split()
        return [one.id for one in possible if one.is_pending or one.id in before]

    def _describe_skipped(self, one: SelectedInvitation) -> Skipped:
        """Return why nothing will be done with an invitation."""
        address = one.invitation.email_address if one.invitation is not None else ""
        return Skipped(address, self.wording.for_item(one.reason.name, one.reason.params))

    def _get_notice(self, action: str, count: int) -> str:
        """Return what else is good to know before."""
        if not count or action != Batch.Action.RESEND or goes_to_workers(count):
            return ""  # workers go on by themselves, and their page says until when
        wait = self.service.get_wait(count)
        if not wait:
            return ""
        return self.wording.say("Selection:limited", wait=describe_seconds(wait))

    def _get_title(self, action: str, count: int, *, again: bool) -> str:
        """Return what is asked."""
        if not count:
            return gettext("There is nothing left to do")
        if action == Batch.Action.REVOKE:
            text = ngettext("Revoke %(count)d invitation?", "Revoke %(count)d invitations?", count)
        elif again:
            text = ngettext(
                "Invite %(count)d person again?", "Invite %(count)d people again?", count
            )
        else:
            text = ngettext(
                "Send %(count)d new invitation?", "Send %(count)d new invitations?", count
            )
        return text % {"count": count}

    def _get_button(self, action: str, count: int, *, again: bool) -> str:
        """Return what the button says: what it does, and how often."""
        if action == Batch.Action.REVOKE:
            text = ngettext("Revoke %(count)d invitation", "Revoke %(count)d invitations", count)
        elif again:
            text = ngettext("Invite %(count)d person", "Invite %(count)d people", count)
        else:
            text = ngettext("Send %(count)d invitation", "Send %(count)d invitations", count)
        return text % {"count": count}

    def _render_question(
        self,
        action: str,
        *,
        title: str,
        status: int = HTTPStatus.OK,
        ids: Sequence[str] = (),
        batch_id: UUID | None = None,
        **extra: Any,
    ) -> HttpResponse:
        """Return the question as a page, or for the list's dialog."""
        context: dict[str, Any] = {
            "action": action,
            "title": title,
            "batch_id": batch_id or uuid4(),
            "retry_of": self._get_retry_of() or "",
            "ids": ids,
            # Where it could not be asked again, what was seen is what was seen before.
            "pending": self.request.POST.get("pending"),
            "is_confirmed": True,
            "list_state": self.get_query().urlencode(),
            "list_url": self._get_list_url(),
            "organization_id": self._get_page_organization_id(),
            "selection_url": self.get_url("selection"),
            "people": [],
            "more_people": [],
            "skipped": [],
            "more_skipped": [],
            "elevated": [],
            "selection_form": None,
            "may_elevate": False,
            "notice": "",
            "message": "",
            "can_try": False,
            **extra,
        }
        return self.render_confirmation(
            self.selection_template_name,
            context,
            title=title,
            status=status,
            has_failed=bool(context["message"]),
        )

    def _refuse(self, name: str, **values: Any) -> HttpResponse:
        """Say what is wrong with what was chosen; nothing is asked of Clerk for that."""
        self.service.open(roles=False)
        return self._render_question(
            "",
            status=self.invalid_status,
            title=gettext("Nothing was done"),
            message=self.wording.say(name, **values),
        )

    def _render_unavailable(
        self, problem: ErrorMessage, renewal: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Say why it cannot be asked or done now, and keep what was chosen."""
        if renewal is not None or "continue" in self.request.POST:
            # What was chosen is in what was posted, or written down already.
            return super()._render_unavailable(problem, renewal)
        confirmed = "confirmed" in self.request.POST
        response = self._render_question(
            self.request.POST.get("action", ""),
            status=problem.status,
            ids=self._get_ids(),
            batch_id=self._get_batch_id(),
            is_confirmed=confirmed,
            wants_all="all" in self.request.POST and not confirmed,
            title=gettext("Nothing was done") if confirmed else gettext("That did not work"),
            button=gettext("Try again"),
            message=problem.message,
            can_try=True,
        )
        return with_retry_after(response, problem)
