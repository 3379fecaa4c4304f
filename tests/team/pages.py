"""What the site changes: a form, a sentence, the service, the rule, a template, the context."""

from __future__ import annotations

from typing import Any

from django import forms

from org_invitations.clerk import Membership, Role
from org_invitations.forms import InviteForm, ResendForm
from org_invitations.roles import GrantPolicy
from org_invitations.services import InvitationService
from org_invitations.wording import Wording


class TeamForm(InviteForm):
    """Asks for one thing more."""

    agreed = forms.BooleanField(label="They know of it", required=False)


class TeamResendForm(ResendForm):
    """Asks for one thing more."""

    reason = forms.CharField(label="Why again", required=False)


class TeamWording(Wording):
    """Says two things in the site's own words."""

    messages = {
        **Wording.messages,
        "AlreadyMember": "%(email_address)s is on board already.",
        "Item:self": "That is you.",
        "Outcome:unknown": "Nothing is known of that.",
        "Link:accepted": "They are on board already.",
    }


class TeamService(InvitationService):
    """Sends little at once."""

    max_invitations = 3


class TeamPolicy(GrantPolicy):
    """Lets nobody make others manage members."""

    def may_grant(self, role: Role, *, membership: Membership, permissions: frozenset[str]) -> bool:
        """Refuse the roles that the form would ask about twice."""
        if self.needs_confirmation(role):
            return False
        return super().may_grant(role, membership=membership, permissions=permissions)


class TeamPages:
    """All of it."""

    service_class = TeamService
    wording_class = TeamWording
    grant_policy_class = TeamPolicy
    invite_form_class = TeamForm
    resend_form_class = TeamResendForm
    list_template_name = "team/list.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Let every template know the team."""
        return super().get_context_data(**context) | {"team": "Harbour"}  # type: ignore[misc, no-any-return]


class CrewPages:
    """The second mount of the same site, with other words and nothing else."""

    class wording_class(Wording):
        """Says the same in other words again."""

        messages = {**Wording.messages, "AlreadyMember": "%(email_address)s is crew."}
