"""What the signed-in person is invited to."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.utils.translation import gettext

from ..clients import get_client
from ..conf import conf
from ..identity import get_sign_in_url
from ..services.joining.mine import MyInvitation, get_my_invitations
from .joining import JoiningView


class MyInvitationsView(JoiningView):
    """What the person who is signed in can join, as Clerk has it now, and what they have begun.

    Joining and declining are each invitation's own page's: its buttons send there.
    """

    http_method_names = ["get", "head", "options"]

    #: The page.
    mine_template_name = "org_invitations/my_invitations.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show them; nothing is changed."""
        if self.person is None:
            url = get_sign_in_url(self._get_absolute_url("mine/"))
            if url is not None:
                return HttpResponseRedirect(url)
            message = gettext("You are signed out. Sign in and open this page again.")
            return self.render_problem(message, status=HTTPStatus.UNAUTHORIZED)
        # Nobody joins as somebody else, so there is nothing to offer then.
        mine = () if self.person.actor_id else get_my_invitations(get_client(), self.person.user_id)
        rows = [
            {
                "invitation": row.invitation,
                "organization": row.organization,
                "url": self.get_url("invitation", value=row.value),
                "is_begun": row.is_begun,
                "accept_url": accept_url,
                "can_join": bool(accept_url) or "server" in conf.JOIN_WAYS,
            }
            for row in mine
            for accept_url in [self._get_accept_url(row)]
        ]
        has_script = any(row["accept_url"] for row in rows)
        return self.render(self.mine_template_name, {"rows": rows, "has_script": has_script})

    def _get_accept_url(self, row: MyInvitation) -> str:
        # Of what was begun our own revocation may be out. And whether each inviter still may would
        # be two questions to Clerk for each: they are asked on the invitation's own page.
        is_for_script = not row.is_begun and not conf.JOIN_CHECKS_INVITER
        return self._find_accept_url(row.invitation.id) if is_for_script else ""
