"""The question before something is done with many invitations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID, uuid4

from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext, ngettext

from .. import htmx
from ..converters import InvitationIdConverter
from ..models import Batch
from ..services import Workspace
from ..services.choosing import Chosen
from ..wording import Problem, describe_seconds
from .page import InvitationPageMixin

#: How many are named at once; the others are a click away.
MAX_NAMED: Final = 10


#: Stands for whatever was posted as an id and is none.
NO_ID: Final = "-"

_ID: Final = re.compile(InvitationIdConverter.regex)


@dataclass(frozen=True, slots=True)
class Skipped:
    """An invitation that nothing will be done with."""

    #: Empty where it is not known.
    email_address: str
    #: Why, in words.
    text: str


class SelectionQuestionMixin(InvitationPageMixin):
    """Asks whether to do something with many invitations, naming the people."""

    question_template_name = "org_invitations/selection.html"
    question_fragment_name = "org_invitations/partials/selection_question.html"

    def get_ids(self) -> list[str]:
        """Return the ids that were posted, each once; what cannot be one is :data:`NO_ID`."""
        posted = self.request.POST.getlist("selected")
        ids = (text if _ID.fullmatch(text) else NO_ID for text in posted)
        return list(dict.fromkeys(ids))

    def get_elevated(
        self, workspace: Workspace, action: str, chosen: Sequence[Chosen]
    ) -> list[str]:
        """Return the names of the roles that are given and need a second thought."""
        if action != Batch.Action.RESEND:
            return []
        names = {
            one.invitation.role_name: None
            for one in chosen
            if one.is_possible
            and one.invitation is not None
            and one.invitation.role in workspace.roles.elevated
        }
        return list(names)

    def ask(
        self, workspace: Workspace, action: str, chosen: Sequence[Chosen], message: str = ""
    ) -> HttpResponse:
        """Return the question, which names the people; or why there is nothing to ask."""
        possible = [one.invitation for one in chosen if one.is_possible and one.invitation]
        people = [invitation.email_address for invitation in possible]
        skipped = [self.describe_skipped(one) for one in chosen if not one.is_possible]
        status = self.invalid_status if message else HTTPStatus.OK
        if not people:
            gone = all(one.invitation is None for one in chosen)
            status = HTTPStatus.NOT_FOUND if gone else HTTPStatus.CONFLICT
        again = not any(invitation.is_pending for invitation in possible)
        return self.show_question(
            action,
            status=status,
            ids=[one.invitation_id for one in chosen],
            title=self.get_title(action, len(people), again=again),
            button=self.get_button(action, len(people), again=again),
            people=people[:MAX_NAMED],
            more_people=people[MAX_NAMED:],
            skipped=skipped[:MAX_NAMED],
            more_skipped=skipped[MAX_NAMED:],
            elevated=self.get_elevated(workspace, action, chosen),
            notice=self.get_notice(action, len(people)),
            all_again=again,
            message=message,
        )

    def describe_skipped(self, one: Chosen) -> Skipped:
        """Return why nothing will be done with an invitation."""
        address = one.invitation.email_address if one.invitation is not None else ""
        return Skipped(address, self.wording.for_item(one.reason.name, one.reason.params))

    def get_notice(self, action: str, count: int) -> str:
        """Return what else is good to know before."""
        wait = self.service.get_wait(count) if action == Batch.Action.RESEND and count else 0
        if not wait:
            return ""
        return self.wording.say("Selection:limited", wait=describe_seconds(wait))

    def get_title(self, action: str, count: int, *, again: bool) -> str:
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

    def get_button(self, action: str, count: int, *, again: bool) -> str:
        """Return what the button says: what it does, and how often."""
        if action == Batch.Action.REVOKE:
            text = ngettext("Revoke %(count)d invitation", "Revoke %(count)d invitations", count)
        elif again:
            text = ngettext("Invite %(count)d person", "Invite %(count)d people", count)
        else:
            text = ngettext("Send %(count)d invitation", "Send %(count)d invitations", count)
        return text % {"count": count}

    def show_question(
        self,
        action: str,
        *,
        status: int = HTTPStatus.OK,
        ids: Sequence[str] = (),
        batch_id: UUID | None = None,
        **extra: Any,
    ) -> HttpResponse:
        """Return the question as a page, or for the list's dialog."""
        in_dialog = htmx.get_fragment(self.request, htmx.DIALOG_ID) is not None
        query = self.get_query()
        context: dict[str, Any] = {
            "action": action,
            "batch_id": batch_id or uuid4(),
            "retry_of": self.get_retry_of() or "",
            "ids": ids,
            "is_confirmed": True,
            "in_dialog": in_dialog,
            "list_state": query.urlencode(),
            "list_url": self.get_list_url(query),
            "organization_id": self.get_page_organization_id(),
            "selection_url": self.get_url("selection"),
            "urls": self.get_urls(),
            "people": [],
            "more_people": [],
            "skipped": [],
            "more_skipped": [],
            "elevated": [],
            "notice": "",
            "message": "",
            "can_try": False,
            **extra,
        }
        if in_dialog:
            response = self.render(self.question_fragment_name, context, status=status)
            return htmx.mark_fragment(response, htmx.DIALOG_ID)
        return self.render(self.question_template_name, context, status=status)

    def refuse(self, name: str, **values: Any) -> HttpResponse:
        """Say what is wrong with what was chosen; nothing is asked of Clerk for that."""
        self.service.open(roles=False)
        return self.show_question(
            "",
            status=self.invalid_status,
            title=gettext("Nothing was done"),
            message=self.wording.say(name, **values),
        )

    def show_again(self, problem: Problem) -> HttpResponseBase:
        """Say why it cannot be asked or done now, and keep what was chosen."""
        if "continue" in self.request.POST:
            return super().show_again(problem)  # what was chosen is written down already
        confirmed = "confirmed" in self.request.POST
        response = self.show_question(
            self.request.POST.get("action", ""),
            status=problem.status,
            ids=self.get_ids(),
            batch_id=self.get_batch_id(),
            is_confirmed=confirmed,
            wants_all="all" in self.request.POST and not confirmed,
            title=gettext("Nothing was done") if confirmed else gettext("That did not work"),
            button=gettext("Try again"),
            message=problem.message,
            can_try=True,
        )
        return self.with_retry_after(response, problem)
