"""The pages for a person: start, sign in, sign out, switch the organization."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

from . import html, ticket_pages
from .browser import back_to_site, client_of, return_target
from .clients import known_client, sign_in, sign_out, signed_in, switch_organization
from .errors import ClerkError
from .routing import PAGE, Call, Router
from .seed_data import ADA, BO, GUS, MAX, MIA, NORA
from .state import State, User
from .ticket_pages import TICKET, after_sign_in
from .wire import EmulatorResponse

router = Router(PAGE)

_FIRST_PEOPLE = (ADA, MAX, MIA, GUS, BO, NORA)


def error_page(error: ClerkError) -> EmulatorResponse:
    content = html.paragraph(error.long_message) + html.paragraph(error.code, "note")
    return html.page(error.message.capitalize(), content, error.status)


@router.on("GET", "/")
def start(call: Call) -> EmulatorResponse:
    emulator = call.emulator
    who = signed_in(emulator, known_client(emulator, call.request))
    mails = len(call.state.mails)
    links = [
        html.row_link("/sign-in", "Sign in", who.user.email_address if who else "as anybody"),
        html.row_link("/mailbox", "Mailbox", f"{mails} invitation mails"),
    ]
    if who:
        active = who.organization.name if who.organization else "Personal account"
        links.append(html.row_link("/switch", "Switch organization", f"now: {active}"))
        links.append(html.row_link("/sign-out", "Sign out", who.user.name))
    links.append(html.row_link(f"{emulator.site}/", "The site", emulator.site))
    settings = "\n".join(f"{name}={value}" for name, value in emulator.environment().items())
    people = "".join(
        f"<li>{escape(user.email_address)} <span class=dim>{escape(detail)}</span></li>"
        for user, detail in _people(call.state)
    )
    content = (
        html.paragraph(
            f"A {emulator.settings.kind} instance that forgets everything when it stops.", "note"
        )
        + html.rows(links)
        + f"<h2>People</h2><ul>{people}</ul>"
        + f"<h2>Settings of the site</h2><pre>{escape(settings)}</pre>"
    )
    return html.page("Clerk emulator", content)


def _people(state: State) -> list[tuple[User, str]]:
    """Everybody with what they are, the people of the documentation first."""

    def rank(user: User) -> tuple[int, str]:
        known = user.email_address in _FIRST_PEOPLE
        position = _FIRST_PEOPLE.index(user.email_address) if known else len(_FIRST_PEOPLE)
        return position, user.name

    return [(user, _belongs_to(state, user)) for user in sorted(state.users.values(), key=rank)]


def _belongs_to(state: State, user: User) -> str:
    roles = [
        f"{state.role_name(row.role)} of {state.organizations[row.organization_id].name}"
        for row in state.memberships_of(user.id)
    ]
    return ", ".join(roles) or "in no organization"


@router.on("GET", "/sign-in")
def sign_in_page(call: Call) -> EmulatorResponse:
    ticket = call.request.argument(TICKET)
    if ticket is not None:
        return ticket_pages.sign_in_page(call, ticket)
    return _sign_in_page(call, return_target(call))


def _sign_in_page(call: Call, target: str, problem: str = "") -> EmulatorResponse:
    buttons = [
        html.row_button("user", user.email_address, user.name or user.email_address, detail)
        if not user.name
        else html.row_button(
            "user", user.email_address, user.name, f"{user.email_address} · {detail}"
        )
        for user, detail in _people(call.state)
    ]
    first, rest = buttons[: len(_FIRST_PEOPLE)], buttons[len(_FIRST_PEOPLE) :]
    others = f"<details><summary>Everybody else</summary>{html.rows(rest)}</details>"
    content = (
        (f'<p role="alert">{escape(problem)}</p>' if problem else "")
        + html.paragraph(f"then on to {target}", "note")
        + '<form method="post" action="/sign-in">'
        + html.hidden("redirect_url", target)
        + html.rows(first)
        + (others if rest else "")
        + "</form>"
    )
    return html.page("Who are you?", content, 422 if problem else 200)


@router.on("POST", "/sign-in")
def sign_in_as(call: Call) -> EmulatorResponse:
    ticket = call.request.field(TICKET)
    if ticket is not None:
        return ticket_pages.sign_in_by_ticket(call, ticket)
    target = return_target(call)
    address = call.request.field("user") or ""
    user = call.state.user_by_email(address)
    if user is None:
        return _sign_in_page(call, target, f"There is nobody with the address {address}.")
    if not user.may_sign_in:
        state = "banned" if user.banned else "locked"
        return _sign_in_page(call, target, f"{address} is {state}.")
    client = client_of(call)
    sign_in(call.emulator, client, user)
    return after_sign_in(call, client, target)


@router.on("GET", "/sign-out")
@router.on("POST", "/sign-out")
def sign_out_here(call: Call) -> EmulatorResponse:
    target = return_target(call)
    client = client_of(call)
    sign_out(call.emulator, client)
    return back_to_site(call, client, target, renew_session=True)


@router.on("GET", "/switch")
@router.on("POST", "/switch")
def switch(call: Call) -> EmulatorResponse:
    """With ``organization`` (id, slug, or "" for the personal account) it switches, else asks."""
    target = return_target(call)
    client = client_of(call)
    who = signed_in(call.emulator, client)
    if who is None:
        return _sign_in_page(call, target, "Nobody is signed in here.")
    organization = call.request.field("organization")
    if organization is not None:
        if not switch_organization(call.emulator, who.session, organization):
            raise ClerkError(
                404,
                "organization_not_found_or_unauthorized",
                "Not your organization",
                f"{who.user.email_address} does not belong to {organization}.",
            )
        return back_to_site(call, client, target, renew_session=True)

    def choice(slug: str, name: str, role: str) -> str:
        query = urlencode({"organization": slug, "redirect_url": target})
        active = who.organization.slug if who and who.organization else ""
        return html.row_link(f"/switch?{query}", name, "active" if slug == active else role)

    choices = [
        choice(org.slug, org.name, call.state.role_name(row.role))
        for row in call.state.memberships_of(who.user.id)
        for org in [call.state.organizations[row.organization_id]]
    ]
    if not call.emulator.settings.force_organization_selection:
        choices.append(choice("", "Personal account", "no organization"))
    content = html.paragraph(f"{who.user.name}, then on to {target}", "note") + html.rows(choices)
    return html.page("Switch organization", content)
