"""The link of an invitation: from the mail to the site, or to the Account Portal."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from .browser import client_of
from .clients import SignedIn, known_client, signed_in
from .handshake import client_cookie, with_query
from .routing import PAGE, Call, Router
from .state import Invitation
from .tickets import accept, check_open, invitation_of
from .wire import EmulatorResponse, redirect

router = Router(PAGE)


@router.on("GET", "/v1/tickets/accept")
def follow(call: Call) -> EmulatorResponse:
    """Goes on to the invitation's ``redirect_url`` with ``__clerk_ticket`` and ``__clerk_status``.

    The status is "sign_up" when nobody has the address, "sign_in" when somebody has, and
    "complete" when that person is signed in on this browser; then alone the invitation is
    accepted here, unless the settings ``ticket_accepts`` and ``ticket_while_signed_in`` say
    otherwise. Without a ``redirect_url`` the Account Portal is next.
    """
    emulator, settings = call.emulator, call.emulator.settings
    row = invitation_of(emulator, call.request.argument("ticket") or "")
    again = row.state == "accepted" and settings.ticket_accepted_again == "complete"
    if not again:
        check_open(emulator, row)
    if call.request.method == "HEAD":
        return EmulatorResponse(204)
    if again:
        return _onwards(call, row, "complete")
    user = call.state.user_by_email(row.email_address)
    who = signed_in(emulator, known_client(emulator, call.request))
    is_invited = who is not None and who.user is user
    if who is not None and is_invited and settings.ticket_while_signed_in == "complete":
        accept(emulator, row, who.user)
        _activate(call, who, row)
        return _onwards(call, row, "complete")
    if user is not None and settings.ticket_accepts == "link":
        accept(emulator, row, user)
    return _onwards(call, row, "sign_up" if user is None else "sign_in")


def _activate(call: Call, who: SignedIn, row: Invitation) -> None:
    if who.organization is None and call.emulator.settings.ticket_activates_organization:
        who.session.organization_id = row.organization_id


def _onwards(call: Call, row: Invitation, status: str) -> EmulatorResponse:
    emulator = call.emulator
    portal = {"sign_in": "/sign-in", "sign_up": "/sign-up"}
    target = row.redirect_url
    if target is None:
        base = emulator.base_url if status in portal else emulator.site
        target = f"{base}{portal.get(status, '/')}"
    elif status in emulator.settings.redirect_query_lost:
        target = urlunsplit(urlsplit(target)._replace(query=""))
    headers = [client_cookie(client_of(call))] if status == "complete" else []
    location = with_query(target, __clerk_ticket=row.ticket, __clerk_status=status)
    return redirect(location, 302, headers)
