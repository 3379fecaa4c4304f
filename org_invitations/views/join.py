"""The page that the link of an invitation leads to, whoever opens it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)

from ..clerk import ClerkError, Invitation
from ..clerk.joining import PeopleAPI
from ..clerk.session.cookies import SESSION
from ..clerk.session.publishable_key import InvalidPublishableKey, parse_publishable_key
from ..clients import get_client
from ..conf import conf
from ..identity import get_sign_in_url, get_sign_up_url
from ..services.joining.asks import ask
from ..services.joining.joins import JoinResult, JoinService, may_inviter
from ..services.joining.links import JoinValue, find_target, loads
from ..services.joining.lookup import JoinState, Look, Lookup
from ..wording import describe_expiry
from . import tickets
from .joining import JoiningView, mask

_SIGNED_OUT: Final = (JoinState.SIGN_IN, JoinState.SIGN_UP)

#: What somebody may do who is not signed in.
_FOR_ANYBODY: Final = ("sign-in", "sign-up", "ask")


class JoinEntryView(JoiningView):
    """Where a link arrives: it takes the ticket out of the URL, and goes on to the page.

    It does not renew a session: the URL that would go to Clerk and back holds the ticket still.
    """

    http_method_names = ["get", "head", "options"]
    clerk_renews_session = False
    _has_forms = False

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Go on to the page; the browser holds the ticket."""
        value = kwargs.get("value", "")
        hint = tickets.read(request)
        named = loads(value) if value else None
        if named is None and hint is not None:
            # Not one of our links, or Clerk has dropped a part of it: then the ticket says for
            # what it is, for the look.
            value, named = hint.dumps(), hint
        if not value:
            return HttpResponseRedirect(self.get_url("mine"))
        response = HttpResponseRedirect(self.get_url("invitation", value=value))
        if named and hint and named.organization_id == hint.organization_id:
            tickets.hold(request, response, value)
        return response


class JoinView(JoiningView):
    """The invitation as Clerk has it now, in one of six states, and what can be done in each."""

    http_method_names = ["get", "head", "post", "options"]

    #: The page, in all of its states.
    join_template_name = "org_invitations/join.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show how it stands; nothing is changed."""
        again = "Join:session" if request.GET.get("again") and self.person else ""
        return self._render_look(self._get_lookup().look(), again)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Do what the button said, if it is still to be done."""
        action = request.POST.get("action", "")
        if action not in _FOR_ANYBODY and self._is_expired():
            # A token lives for a minute, and people read. A page load renews it.
            url = f"{self.get_url('invitation', value=kwargs['value'])}?again=1"
            return self._refresh_to(url, self.wording.say("Join:renewing"))
        actions = {
            "join": self._join,
            "continue": self._continue,
            "switch": self._switch,
            "sign-in": self._leave_to_sign_in,
            "sign-up": self._leave_to_sign_in,
            "ask": self._ask,
            "decline": self._decline,
        }
        act = actions.get(action)
        if act is None:
            return self._render_look(self._get_lookup().look())
        return act()

    # --- What there is to see ---------------------------------------------------------------

    def _get_value(self) -> JoinValue | None:
        """Return what the URL names."""
        return loads(self.kwargs["value"])

    def _get_lookup(self) -> Lookup:
        """Return what looks at Clerk for this person and this value."""
        held = tickets.get_held(self.request, self.kwargs["value"])
        return Lookup(
            get_client(),
            self._get_value(),
            self.person,
            tickets={invitation_id: ticket.status for invitation_id, ticket in held.items()},
            address=self.request.META.get("REMOTE_ADDR", ""),
        )

    def _render_look(
        self, look: Look, problem: str = "", *, status: int | None = None, **more: Any
    ) -> HttpResponse:
        """Show a state.

        :param problem: the name of a sentence to say above it.
        """
        if status is None:
            status = HTTPStatus.GONE if look.state is JoinState.GONE else HTTPStatus.OK
        context = self._get_look_context(look)
        if problem == "Join:unknown":  # nor whether it holds
            context |= {"expires_at": None, "expires_text": ""}
        context["problem"] = self.wording.say(problem, **self._get_names(look)) if problem else ""
        return self.render(self.join_template_name, context | more, status=status)

    def _get_look_context(self, look: Look) -> dict[str, Any]:
        """Return what the page shows of a state. An address of somebody else's is masked."""
        invitation = look.invitation
        person = self.person
        # Of what was begun the invitation is revoked by us, or may be: it holds until no day.
        is_begun = look.joining is not None and look.state is JoinState.JOIN
        ends_at = invitation.expires_at if invitation and not is_begun else None
        is_own = look.state in (JoinState.JOIN, JoinState.JOINED)
        address = invitation.email_address if invitation else ""
        held = tickets.get_held(self.request, self.kwargs["value"])
        has_ticket = invitation is not None and invitation.id in held
        return {
            "state": str(look.state),
            "organization": look.organization,
            "role_name": invitation.role_name if invitation else "",
            "inviter": _get_inviter(invitation, is_own=is_own),
            "address": address if is_own else mask(address) if address else "",
            "account": look.user.email_address or look.user.id if look.user else "",
            "invitation_id": invitation.id if invitation else "",
            "expires_at": ends_at,
            "expires_text": describe_expiry(ends_at) if ends_at else "",
            "is_barred": look.is_barred,
            "is_unverified": look.is_unverified,
            "is_begun": is_begun,
            "is_half_done": look.state is JoinState.GONE and _is_open(look),
            "can_switch": bool(person is not None and person.session_id),
            "can_sign_up": look.state is JoinState.SIGN_UP or not has_ticket,
            "is_signed_in": person is not None,
            "accept_url": self._get_accept_url(look),
            "joins_here": self._joins_here,
        }

    def _get_names(self, look: Look) -> dict[str, str]:
        return {"organization": look.organization.name if look.organization else ""}

    def _get_accept_url(self, look: Look) -> str:
        """Return where a script accepts the invitation; empty where that is not to be tried."""
        invitation = look.invitation
        if look.state is not JoinState.JOIN or look.joining is not None or invitation is None:
            return ""
        url = self._find_accept_url(invitation.id)
        try:
            # Clerk does not ask that, so it is asked before a script gets to know the URL.
            return url if url and may_inviter(get_client(), invitation) else ""
        except ClerkError:
            return ""  # the press asks again

    # --- What can be done -------------------------------------------------------------------

    def _join(self) -> HttpResponseBase:
        """Join; a script has done it already, maybe."""
        result = JoinService(self._get_lookup()).join()
        return self._render_result(result)

    def _render_result(self, result: JoinResult) -> HttpResponseBase:
        """Say what became of joining."""
        if result.is_joined:
            response = self._render_look(result.look, just_joined=True)
            tickets.drop(self.request, response, self.kwargs["value"])
            return response
        status = HTTPStatus.CONFLICT if result.problem else None
        return self._render_look(result.look, result.problem, status=status)

    def _decline(self) -> HttpResponseBase:
        """Take the invitation back, as who is invited may: the server revokes it."""
        result = JoinService(self._get_lookup()).decline()
        if result.is_declined:
            return self._render_look(result.look, has_declined=True, status=HTTPStatus.OK)
        return self._render_result(result)

    def _continue(self) -> HttpResponseBase:
        """Go on to the organization, which is to be the active one there."""
        look = self._get_lookup().look()
        if look.state is not JoinState.JOINED or look.organization is None:
            return self._render_look(look)
        JoinService(self._get_lookup()).note_joined(look)
        response = self._lead_on("organization", look, organization=look.organization.id)
        tickets.drop(self.request, response, self.kwargs["value"])
        return response

    def _switch(self) -> HttpResponseBase:
        """End this session, then sign in or up with the ticket.

        Without one nobody knows which it is: then on to the page that offers both.
        """
        look = self._get_lookup().look()
        if look.state is not JoinState.OTHER_ACCOUNT or self.person is None:
            return self._render_look(look)
        if not self.person.session_id:
            return self._render_look(look, "Join:switch")
        if not self._may_inviter(look):
            return self._render_look(look, "Join:inviter", status=HTTPStatus.CONFLICT)
        try:
            PeopleAPI(get_client()).revoke_session(self.person.session_id)
        except ClerkError as error:
            if not error.may_have_happened:
                return self._render_look(look, "Join:switch", status=HTTPStatus.CONFLICT)
        held = tickets.get_held(self.request, self.kwargs["value"])
        ticket = held.get(look.invitation.id) if look.invitation else None
        if ticket is None:
            url = self.get_url("invitation", value=self.kwargs["value"])
            response = self._refresh_to(url, self.wording.say("Join:onward"))
        else:
            to = "sign-up" if ticket.status == "sign_up" else "sign-in"
            # Kept: another session of the same browser may stand in the way once more.
            response = self._lead_on(to, look, keep="ticket")
        for name in self._get_session_cookies():
            response.delete_cookie(name)
        return response

    def _get_session_cookies(self) -> list[str]:
        try:
            suffix = parse_publishable_key(conf.CLERK_PUBLISHABLE_KEY).cookie_suffix
        except InvalidPublishableKey:
            return [SESSION]
        return [SESSION, f"{SESSION}_{suffix}"]

    def _leave_to_sign_in(self) -> HttpResponseBase:
        """Go on to sign in, or up, with the ticket: only as the person whom the page has named."""
        look = self._get_lookup().look()
        is_same = look.invitation is not None and (
            self.request.POST.get("invitation") == look.invitation.id
        )
        if look.state is JoinState.GONE and self.person is None:
            # Whoever is a member sees that afterwards. The page has named nobody, so no ticket goes
            # along: it may be somebody else's, put into the link to have this person be them.
            back = f"{self.kwargs['value']}/invitation/" if look.value else "mine/"
            url = get_sign_in_url(self._get_absolute_url(back))
            if url is None:
                return self._render_look(look)
            response = self._refresh_to(url, self.wording.say("Join:onward"))
            tickets.drop(self.request, response, self.kwargs["value"])
            return response
        if look.state not in _SIGNED_OUT or not is_same:
            return self._render_look(look)
        if not self._may_inviter(look):
            return self._render_look(look, "Join:inviter", status=HTTPStatus.CONFLICT)
        return self._lead_on(self.request.POST["action"], look)

    def _may_inviter(self, look: Look) -> bool:
        """Whether a ticket may go on to Clerk, which joins by it without asking that."""
        return look.invitation is None or may_inviter(get_client(), look.invitation)

    def _ask(self) -> HttpResponseBase:
        """Ask for a new invitation; the answer is the same whether or not that helps."""
        look = self._get_lookup().look()
        ask(look)
        return self._render_look(look, has_asked=True)

    def _lead_on(self, to: str, look: Look, **more: str) -> HttpResponse:
        value = self.kwargs["value"]
        message = self.wording.say("Join:onward")
        response = self._refresh_to(self.get_url("onward", value=value), message)
        invitation_id = look.invitation.id if look.invitation else ""
        self._allow_onward(response, value=value, to=to, invitation=invitation_id, **more)
        return response


def _get_inviter(invitation: Invitation | None, *, is_own: bool) -> str:
    """Return who invites; strangers do not read an address in the place of a name."""
    inviter = invitation.inviter if invitation is not None else None
    if inviter is None:
        return ""
    return inviter.name if is_own else inviter.full_name


def _is_open(look: Look) -> bool:
    row = look.joining
    return row is not None and row.state in row.OPEN


class JoinOnwardView(JoiningView):
    """Leads on to Clerk or to the site, once, where a form has just allowed it."""

    http_method_names = ["get", "head", "options"]
    _has_forms = False

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Go to where the form wanted to; without one, back to the page."""
        value = kwargs["value"]
        order = self._get_onward()
        page = self.get_url("invitation", value=value)
        if order.get("value") != value:
            return HttpResponseRedirect(page)
        to = order.get("to", "")
        if to == "organization":
            here = self._get_absolute_url(f"{value}/on/")
            url = self._find_switch(order.get("organization", ""), here)
            if url is not None:
                response = HttpResponseRedirect(url)
                # Back from Clerk, this page goes on to the site.
                self._allow_onward(response, value=value, to="site")
                return response
            to = "site"
        if to == "site":
            response = HttpResponseRedirect(find_target(loads(value)) or "/")
        else:
            response = HttpResponseRedirect(self._get_sign_in_url(value, to, order) or page)
            if not order.get("keep"):
                tickets.drop(request, response, value)
        self._forget_onward(response)
        return response

    def _get_sign_in_url(self, value: str, to: str, order: dict[str, str]) -> str | None:
        back = self._get_absolute_url(f"{value}/invitation/")
        url = get_sign_up_url(back) if to == "sign-up" else get_sign_in_url(back)
        held = tickets.get_held(self.request, value).get(order.get("invitation", ""))
        if url is None or held is None:
            return url
        status = "sign_up" if to == "sign-up" else "sign_in"
        query = urlencode({tickets.TICKET: held.text, tickets.STATUS: status})
        return f"{url}&{query}"
