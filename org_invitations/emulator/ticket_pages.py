"""The Account Portal's part in joining: sign in and sign up with a ticket, and session tasks."""

from __future__ import annotations

from urllib.parse import urlencode

from . import html
from .browser import back_to_site, client_of, return_target
from .clients import signed_in, switch_organization
from .errors import ClerkError
from .routing import PAGE, Call, Router
from .state import Client, Invitation
from .tickets import accept, check_open, invitation_of, sign_in_with, sign_up_with
from .wire import EmulatorResponse, redirect

router = Router(PAGE)

TICKET = "__clerk_ticket"
TASK = "/tasks/choose-organization"


def sign_in_page(call: Call, ticket: str) -> EmulatorResponse:
    """The page to sign in for the holder of a ticket: the address is filled in and locked."""
    return _page(call, "/sign-in", "Sign in", ticket)


def sign_in_by_ticket(call: Call, ticket: str) -> EmulatorResponse:
    client, target = client_of(call), return_target(call)
    sign_in_with(call.emulator, client, ticket)
    return after_sign_in(call, client, target)


@router.on("GET", "/sign-up")
def sign_up_page(call: Call) -> EmulatorResponse:
    ticket = call.request.argument(TICKET)
    if ticket is None:
        raise ClerkError(
            403,
            "sign_up_mode_restricted",
            "Invitations only",
            "This page of the emulator makes accounts for people who have been invited.",
        )
    return _page(call, "/sign-up", "Create your account", ticket)


@router.on("POST", "/sign-up")
def sign_up_by_ticket(call: Call) -> EmulatorResponse:
    client, target = client_of(call), return_target(call)
    field = call.request.field
    names = (field("first_name") or "")[:100], (field("last_name") or "")[:100]
    sign_up_with(call.emulator, client, field(TICKET) or "", *names)
    return after_sign_in(call, client, target)


def _page(call: Call, action: str, title: str, ticket: str) -> EmulatorResponse:
    target, emulator = return_target(call), call.emulator
    client = client_of(call)
    if signed_in(emulator, client) is not None:
        # Clerk's components send somebody who is signed in away, and the ticket is forgotten.
        return back_to_site(call, client, target)
    row = invitation_of(emulator, ticket)
    if not (row.state == "accepted" and emulator.settings.ticket_accepts == "link"):
        check_open(emulator, row)
    names = [html.field("first_name", "First name"), html.field("last_name", "Last name")]
    content = (
        html.paragraph(f"to join {_name(call, row)}, then on to {target}", "note")
        + f'<form method="post" action="{action}">'
        + html.hidden("redirect_url", target)
        + html.hidden(TICKET, ticket)
        + html.field("email_address", "Email address", row.email_address, locked=True)
        + ("".join(names) if action == "/sign-up" else "")
        + html.button("Continue")
        + "</form>"
    )
    return html.page(title, content)


def after_sign_in(call: Call, client: Client, target: str) -> EmulatorResponse:
    """Back to the site, or first to the page on which an organization is chosen."""
    who = signed_in(call.emulator, client)
    pending = who is not None and who.is_pending(call.emulator)
    if pending and call.emulator.settings.session_task_shown:
        base = call.emulator.base_url
        task = f"{base}{TASK}?{urlencode({'redirect_url': target})}"
        back = back_to_site(call, client, target)
        cookies = [pair for pair in back.headers if pair[0] == "Set-Cookie"]
        return redirect(task, 303, cookies)
    return back_to_site(call, client, target)


@router.on("GET", TASK)
def choose_organization(call: Call) -> EmulatorResponse:
    """The task of a pending session: an organization of theirs, or one they are invited to."""
    target, client = return_target(call), client_of(call)
    who = signed_in(call.emulator, client)
    if who is None or not who.is_pending(call.emulator):
        return back_to_site(call, client, target)
    state = call.state
    choices = [
        html.row_button("organization", org.slug, org.name, state.role_name(row.role))
        for row in state.memberships_of(who.user.id)
        for org in [state.organizations[row.organization_id]]
    ]
    choices += [
        html.row_button("invitation", row.id, f"Join {_name(call, row)}", row.email_address)
        for row in state.invitations.values()
        if row.organization_id in state.organizations
        and row.status(call.now_ms) == "pending"
        and who.user.owns(row.email_address)
    ]
    content = (
        html.paragraph(f"{who.user.name or who.user.email_address}, then on to {target}", "note")
        + f'<form method="post" action="{TASK}">'
        + html.hidden("redirect_url", target)
        + (html.rows(choices) if choices else html.paragraph("There is none you could choose."))
        + "</form>"
        + html.link(f"/sign-out?{urlencode({'redirect_url': target})}", "Sign out")
    )
    return html.page("Choose an organization", content)


@router.on("POST", TASK)
def organization_chosen(call: Call) -> EmulatorResponse:
    target, client = return_target(call), client_of(call)
    who = signed_in(call.emulator, client)
    if who is None:
        return back_to_site(call, client, target)
    organization = call.request.field("organization") or ""
    invitation = call.state.invitations.get(call.request.field("invitation") or "")
    if invitation is not None and who.user.owns(invitation.email_address):
        check_open(call.emulator, invitation)
        accept(call.emulator, invitation, who.user)
        organization = invitation.organization_id
    if not organization or not switch_organization(call.emulator, who.session, organization):
        raise ClerkError(
            404,
            "organization_not_found_or_unauthorized",
            "Not your organization",
            f"{who.user.email_address} does not belong to {organization or 'it'}.",
        )
    return back_to_site(call, client, target, renew_session=True)


def _name(call: Call, row: Invitation) -> str:
    return call.state.organizations[row.organization_id].name
