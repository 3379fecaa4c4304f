"""Backend API: a user, and what they belong to and are invited to."""

from __future__ import annotations

from typing import Any

from . import errors, shapes
from .bapi_invitations import with_status
from .params import page
from .routing import BAPI, Call, Router
from .state import User

router = Router(BAPI, "/v1")


def _user(call: Call) -> User:
    user_id = call.params["user_id"]
    user = call.state.users.get(user_id)
    if user is None:
        raise errors.user_not_found(user_id)
    return user


@router.on("GET", "/users/{user_id}")
def get_user(call: Call) -> dict[str, Any]:
    return shapes.user(_user(call))


@router.on("GET", "/users/{user_id}/organization_memberships")
def list_user_memberships(call: Call) -> dict[str, Any]:
    rows = call.state.memberships_of(_user(call).id)
    rows.sort(key=lambda row: row.created_at, reverse=True)
    return page(call, rows, lambda row: shapes.membership(call.emulator, row))


@router.on("GET", "/users/{user_id}/organization_invitations")
def list_user_invitations(call: Call) -> dict[str, Any]:
    user = _user(call)
    rows = [
        row
        for row in with_status(call, call.state.invitations.values())
        if user.owns(row.email_address) and row.organization_id in call.state.organizations
    ]
    rows.sort(key=lambda row: (row.created_at, row.sequence), reverse=True)
    return page(call, rows, lambda row: shapes.invitation_with_organization(call.emulator, row))
