"""Frontend API as scripts in a page use it: the client, its session, and joining organizations.

Bodies are forms, as clerk-js sends them. A browser is known by its cookie or, in development, by
its dev browser token in the query; a page of another origin needs the headers of :mod:`.cors`.
"""

from __future__ import annotations

from typing import Any

from . import errors, fapi_shapes
from .browser import client_of
from .clients import (
    SignedIn,
    known_client,
    session_token,
    sign_out,
    signed_in,
    switch_organization,
)
from .errors import ClerkError
from .handshake import client_cookie
from .params import page
from .routing import FAPI, Call, Router
from .tickets import accept, sign_in_with, sign_up_with
from .wire import EmulatorResponse, json_response

router = Router(FAPI, "/v1")


def _who(call: Call) -> SignedIn:
    who = signed_in(call.emulator, known_client(call.emulator, call.request))
    if who is None:
        raise errors.authentication_missing()
    return who


def _wrapped(call: Call, response: Any) -> dict[str, Any]:
    return fapi_shapes.wrapped(call.emulator, response, known_client(call.emulator, call.request))


# --- The client, and how a session begins --------------------------------------------------------


@router.on("GET", "/client")
def get_client(call: Call) -> dict[str, Any]:
    client = known_client(call.emulator, call.request)
    shaped = client and fapi_shapes.client_shape(call.emulator, client)
    return {"response": shaped, "client": None}


@router.on("POST", "/client/sign_ins")
def create_sign_in(call: Call) -> EmulatorResponse:
    """Signs in with a ticket, which is the only strategy here."""
    ticket, client = _ticket(call), client_of(call)
    who = sign_in_with(call.emulator, client, ticket)
    shaped = fapi_shapes.sign_in_shape(call.emulator, who, call.state.new_id("sia"))
    body = fapi_shapes.wrapped(call.emulator, shaped, client)
    return json_response(body, headers=[client_cookie(client)])


@router.on("POST", "/client/sign_ups")
def create_sign_up(call: Call) -> EmulatorResponse:
    """Signs up with a ticket, which is the only strategy here."""
    field = call.request.field
    if not field("ticket") and field("strategy") != "ticket":
        raise ClerkError(
            403,
            "sign_up_mode_restricted",
            "Sign ups are currently disabled",
            "Sign ups are currently disabled. If you believe this is a mistake, please contact "
            "support.",
        )
    ticket, client = _ticket(call), client_of(call)
    names = (field("first_name") or "")[:100], (field("last_name") or "")[:100]
    who = sign_up_with(call.emulator, client, ticket, *names)
    shaped = fapi_shapes.sign_up_shape(call.emulator, who, call.state.new_id("sua"))
    body = fapi_shapes.wrapped(call.emulator, shaped, client)
    return json_response(body, headers=[client_cookie(client)])


def _ticket(call: Call) -> str:
    if (call.request.field("strategy") or "ticket") != "ticket":
        raise ClerkError(
            400,
            "strategy_for_user_invalid",
            "Invalid verification strategy",
            "The verification strategy is not valid for this account",
        )
    ticket = call.request.field("ticket")
    if not ticket:
        raise errors.param_missing("ticket")
    return ticket


# --- A session -----------------------------------------------------------------------------------


def _session(call: Call) -> SignedIn:
    """The session of the path, which must be this client's."""
    who = _who(call)
    if who.session.id != call.params["session_id"]:
        raise errors.resource_not_found(f"No session was found with id {call.params['session_id']}")
    return who


@router.on("GET", "/client/sessions/{session_id}")
def get_session(call: Call) -> dict[str, Any]:
    return _wrapped(call, fapi_shapes.session_shape(call.emulator, _session(call)))


@router.on("POST", "/client/sessions/{session_id}/touch")
def touch_session(call: Call) -> dict[str, Any]:
    """Makes an organization the active one; "" none, where there are personal accounts."""
    who = _session(call)
    organization = call.request.field("active_organization_id")
    if organization is not None:
        _switch(call, who, organization)
    return _wrapped(call, fapi_shapes.session_shape(call.emulator, _session(call)))


@router.on("POST", "/client/sessions/{session_id}/end")
def end_session(call: Call) -> dict[str, Any]:
    who = _session(call)
    sign_out(call.emulator, client_of(call))
    return _wrapped(call, fapi_shapes.session_shape(call.emulator, who, status="ended"))


@router.on("POST", "/client/sessions/{session_id}/tokens")
def create_token(call: Call) -> dict[str, Any]:
    """A session token for the page that asks: its origin is the token's ``azp``."""
    who = _session(call)
    organization = call.request.field("organization_id")
    if organization is not None:
        _switch(call, who, organization)
    azp = call.request.header("origin")
    return {"jwt": session_token(call.emulator, _session(call), azp)}


def _switch(call: Call, who: SignedIn, organization: str) -> None:
    if not switch_organization(call.emulator, who.session, organization):
        raise ClerkError(
            404,
            "organization_not_found_or_unauthorized",
            "Given organization not found, or you don't have permission to access it.",
            "Given organization not found, or you don't have permission to access it.",
        )


# --- The person ----------------------------------------------------------------------------------


@router.on("GET", "/me")
def get_me(call: Call) -> dict[str, Any]:
    return _wrapped(call, fapi_shapes.user_shape(_who(call).user))


@router.on("GET", "/me/organization_invitations")
def list_own_invitations(call: Call) -> dict[str, Any]:
    """The invitations to verified addresses of the person's, newest first; ``status`` filters."""
    who, status = _who(call), call.request.argument("status")
    if status not in (None, "pending", "accepted", "revoked", "expired"):
        raise errors.param_value_invalid("status")
    rows = [
        row
        for row in call.state.invitations.values()
        if who.user.owns(row.email_address)
        and row.organization_id in call.state.organizations
        and status in (None, row.status(call.now_ms))
    ]
    rows.sort(key=lambda row: (row.created_at, row.sequence), reverse=True)
    found = page(call, rows, lambda row: fapi_shapes.invitation_shape(call.emulator, row))
    return _wrapped(call, found)


@router.on("POST", "/me/organization_invitations/{invitation_id}/accept")
def accept_own_invitation(call: Call) -> dict[str, Any]:
    """Joins the organization. Which one is active stays as it is: that is for the session."""
    who = _who(call)
    row = call.state.invitations.get(call.params["invitation_id"])
    known = row is not None and row.organization_id in call.state.organizations
    if row is None or not known or not who.user.owns(row.email_address):
        raise errors.invitation_not_found(call.params["invitation_id"])
    if row.status(call.now_ms) != "pending":
        raise errors.invitation_not_pending()
    accept(call.emulator, row, who.user)
    return _wrapped(call, fapi_shapes.invitation_shape(call.emulator, row))
