"""A question before something is done, as a page or in the list's dialog; then the list."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase

from .. import htmx
from ..clerk import Invitation
from ..roles import AssignableRoles
from ..services import Snapshot
from .base import SeeOther
from .page import PageMixin, join_action


class ConfirmationMixin(PageMixin):
    """Asks before something is done, and shows the list once it is."""

    #: While the dialog is open nothing beside it can be read.
    _problem_region = htmx.DIALOG_ID

    #: The page around a question. What it asks is a fragment, which the dialog gets alone.
    confirmation_template_name = "org_invitations/confirmation.html"

    def render_confirmation(
        self,
        template_name: str,
        context: dict[str, Any],
        *,
        title: str,
        status: int = HTTPStatus.OK,
        has_failed: bool = False,
    ) -> HttpResponse:
        """Return a question, or what there is in place of it, as a page or for the dialog.

        :param template_name: the fragment with the question.
        :param title: what the page is called.
        :param has_failed: whether it says why something was not done.
        """
        context |= {"in_dialog": self._in_dialog}
        if self._in_dialog:
            response: HttpResponse = self.render(template_name, context, status=status)
            return htmx.send_elsewhere(response, htmx.DIALOG_ID)
        if self._host:
            context["list_url"] = self._host
        context |= {
            "confirmation_template_name": template_name,
            "title": title,
            "has_failed": has_failed,
        }
        return self.render(self.confirmation_template_name, context, status=status)

    def list_response(
        self,
        snapshot: Snapshot,
        message: str,
        *,
        level: str = "message",
        action: dict[str, str] | None = None,
        new_id: str = "",
        old: Invitation | None = None,
    ) -> HttpResponseBase:
        """Show the list anew and say what has happened, as a fragment or by a redirect.

        :param level: ``message``, or ``notice`` or ``summary`` where nothing, or not all, was done.
        :param action: a link after the message: its ``url`` and ``text``.
        :param new_id: the id of an invitation that is new in the list.
        :param old: the one in whose place it is shown, if any.
        """
        action = action or {}
        if self.service.was_denied:
            # Who has lost the right meanwhile may not see the list any more, and is told here.
            return self.render_problem(message, status=HTTPStatus.FORBIDDEN)
        if self._in_dialog:
            return self.render_list(
                snapshot,
                message,
                status_level=level,
                status_action=action,
                new_id=new_id,
                old=old,
            )
        severity = messages.SUCCESS if level == "message" else messages.WARNING
        messages.add_message(
            self.request, severity, join_action(message, action), fail_silently=True
        )
        return SeeOther(self._get_list_url())

    @property
    def _in_dialog(self) -> bool:
        return htmx.get_fragment(self.request, htmx.DIALOG_ID, htmx.LIST_ID) is not None

    def _get_question_context(self, snapshot: Snapshot | None, **extra: Any) -> dict[str, Any]:
        """Return the page's context, without anything typed, and what is asked."""
        roles = snapshot.roles if snapshot is not None else AssignableRoles()
        return self._get_page_context(snapshot, self.get_invite_form(roles), **extra)
