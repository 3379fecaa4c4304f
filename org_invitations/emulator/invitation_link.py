"""The link of an invitation, and the mailbox its mail lies in."""

from __future__ import annotations

from html import escape

from . import html
from .browser import client_of
from .clients import known_client, signed_in
from .errors import ClerkError
from .handshake import client_cookie, with_query
from .routing import PAGE, Call, Router
from .seed import add_user
from .state import Invitation, Mail
from .wire import EmulatorResponse, redirect

router = Router(PAGE)

_SHOWN_MAILS = 200


@router.on("GET", "/v1/tickets/accept")
def accept(call: Call) -> EmulatorResponse:
    """Accepts the invitation, makes the membership and goes on to its ``redirect_url``.

    There ``__clerk_status`` says "sign_up" when the address was new, "sign_in" when not, and
    "complete" when that person is signed in on this browser already.
    """
    state, emulator = call.state, call.emulator
    row = _open_invitation(call)
    if call.request.method == "HEAD":
        # A mail scanner that looks where a link leads must not use it up.
        return EmulatorResponse(204)
    user = state.user_by_email(row.email_address)
    status = "sign_in"
    if user is None:
        status = "sign_up"
        user = add_user(state, row.email_address, None, None, created_at=call.now_ms)
    if state.membership(row.organization_id, user.id) is None:
        emulator.add_member(
            row.organization_id, user.id, row.role, row.public_metadata, row.private_metadata
        )
    row.state, row.updated_at = "accepted", call.now_ms
    headers = []
    who = signed_in(emulator, known_client(emulator, call.request))
    if who is not None and who.user.id == user.id:
        status = "complete"
        if who.organization is None:
            who.session.organization_id = row.organization_id
        headers.append(client_cookie(client_of(call)))
    target = row.redirect_url or f"{emulator.site}/"
    location = with_query(target, __clerk_ticket=row.ticket, __clerk_status=status)
    return redirect(location, 302, headers)


def _open_invitation(call: Call) -> Invitation:
    ticket = call.request.argument("ticket")
    rows = call.state.invitations.values()
    row = next((row for row in rows if row.ticket == ticket), None)
    if row is None:
        raise ClerkError(
            400, "ticket_invalid_code", "This link is not valid", "There is no such invitation."
        )
    if row.organization_id not in call.state.organizations:
        raise ClerkError(
            400,
            "organization_invitation_to_deleted_organization",
            "This organization is gone",
            "The invitation leads to an organization that has been deleted.",
        )
    name = call.state.organizations[row.organization_id].name
    status = row.status(call.now_ms)
    if status == "revoked":
        raise ClerkError(
            400,
            "organization_invitation_revoked_code",
            "This invitation has been revoked",
            f"Somebody at {name} took it back. Ask them for a new one.",
        )
    if status == "accepted":
        raise ClerkError(
            400,
            "organization_invitation_already_accepted",
            "This invitation has been accepted already",
            f"{row.email_address} is a member of {name}.",
        )
    if status == "expired":
        raise ClerkError(
            400,
            "ticket_expired_code",
            "This invitation has expired",
            f"Ask somebody at {name} for a new one.",
        )
    return row


@router.on("GET", "/mailbox")
def mailbox(call: Call) -> EmulatorResponse:
    wanted = call.request.argument("to") or ""
    mails = [m for m in call.state.mails.values() if wanted.casefold() in m.to.casefold()]
    mails.sort(key=lambda mail: mail.sent_at)
    mails.reverse()
    search = (
        '<form role="search" action="/mailbox"><label for="to" class="dim">Mails to</label>'
        f'<input id="to" name="to" type="search" value="{escape(wanted)}"></form><p></p>'
    )
    listed = [
        html.row_link(f"/mailbox/{m.id}", f"{m.to}", f"{_subject(m)} · {html.moment(m.sent_at)}")
        for m in mails[:_SHOWN_MAILS]
    ]
    return html.page("Mailbox", search + (html.rows(listed) if listed else "<p>No mails.</p>"))


@router.on("GET", "/mailbox/{mail_id}")
def mail(call: Call) -> EmulatorResponse:
    found = call.state.mails.get(call.params["mail_id"])
    if found is None:
        raise ClerkError(404, "resource_not_found", "No such mail", "There is no such mail.")
    row = call.state.invitations[found.id]
    link = f"/v1/tickets/accept?ticket={found.ticket}"
    content = (
        html.paragraph(f"To {found.to}, {html.moment(found.sent_at)}", "note")
        + '<div class="card">'
        + html.paragraph("Hello,")
        + html.paragraph(
            f"{found.inviter_name or 'Somebody'} has invited you to join "
            f"{found.organization_name} as {found.role_name}."
        )
        + html.link(link, "Accept invitation", "button")
        + (
            html.paragraph(f"It expires on {html.moment(row.expires_at)}.")
            if row.expires_at
            else ""
        )
        + "</div>"
        + html.paragraph(f"The invitation is {row.status(call.now_ms)}.", "note")
        + f"<p>{html.link('/mailbox', 'Back to the mailbox')}</p>"
    )
    return html.page(_subject(found), content)


def _subject(mail: Mail) -> str:
    return f"{mail.inviter_name or 'Somebody'} invited you to {mail.organization_name}"
