"""The mailbox in which the mails of invitations lie."""

from __future__ import annotations

from html import escape

from . import html
from .errors import ClerkError
from .routing import PAGE, Call, Router
from .state import Mail
from .wire import EmulatorResponse

router = Router(PAGE)

_SHOWN_MAILS = 200


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
