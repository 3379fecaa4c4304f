"""Backend API: making organizations and people, and deleting them, as a trial run of calls needs.

Only what such a run sends; an organization's slug is made of its name.
"""

from __future__ import annotations

import re
from typing import Any

from . import errors, shapes
from .bapi_organizations import organization_by_id
from .clients import new_client
from .configure import delete_organization, delete_user
from .fields import Fields
from .params import is_email
from .routing import BAPI, FAPI, Call, Router
from .state import Organization

router = Router(BAPI, "/v1")
browsers = Router(FAPI, "/v1")


@router.on("POST", "/organizations")
def create_organization(call: Call) -> dict[str, Any]:
    """Whoever creates it has the creator's role of the initial role set."""
    fields = Fields(call.json_body(), ("name", "created_by", "max_allowed_memberships"))
    name, creator = fields.required_string("name"), fields.optional_string("created_by")
    user = call.state.users.get(creator or "")
    if creator is not None and user is None:
        raise errors.user_not_found(creator)
    state, now = call.state, call.now_ms
    key = call.emulator.settings.initial_role_set_key
    org = Organization(
        id=state.new_id("org"),
        slug=f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}-{now}",
        name=name,
        role_set_key=key,
        max_allowed_memberships=fields.optional_integer("max_allowed_memberships", 0, 10_000) or 0,
        created_at=now,
        updated_at=now,
        created_by=creator or "",
    )
    state.organizations[org.id] = org
    if user is not None:
        role_set = state.role_sets.get(key or "")
        role = role_set.creator_role if role_set else "org:admin"
        call.emulator.add_member(org, user, role)
    return shapes.organization(call.emulator, org)


@router.on("DELETE", "/organizations/{organization_id}")
def remove_organization(call: Call) -> dict[str, Any]:
    org = organization_by_id(call)
    delete_organization(call.emulator, org)
    return {"object": "organization", "id": org.id, "slug": org.slug, "deleted": True}


@router.on("DELETE", "/organizations/{organization_id}/memberships/{user_id}")
def remove_member(call: Call) -> dict[str, Any]:
    org = organization_by_id(call)
    row = call.state.membership(org.id, call.params["user_id"])
    if row is None:
        raise errors.resource_not_found("No membership was found.")
    shaped = shapes.membership(call.emulator, row)
    call.state.memberships.remove(row)
    return shaped


@router.on("POST", "/users")
def create_user(call: Call) -> dict[str, Any]:
    """An account whose addresses count as verified, as Clerk says of those made by this call."""
    body = call.json_body()
    fields = Fields(body, ("email_address", "first_name", "last_name", "skip_password_requirement"))
    addresses = body.get("email_address") if isinstance(body, dict) else None
    if not isinstance(addresses, list) or not addresses or not all(map(is_email, addresses)):
        raise errors.param_value_invalid("email_address")
    if any(call.state.user_by_email(address) is not None for address in addresses):
        raise errors.param_error(
            "form_identifier_exists",
            "That email address is taken. Please try another.",
            "That email address is taken. Please try another.",
            "email_address",
        )
    names = fields.optional_string("first_name"), fields.optional_string("last_name")
    return shapes.user(call.emulator.add_user(addresses[0], *names))


@router.on("DELETE", "/users/{user_id}")
def remove_user(call: Call) -> dict[str, Any]:
    user = call.state.users.get(call.params["user_id"])
    if user is None:
        raise errors.user_not_found(call.params["user_id"])
    delete_user(call.emulator, user)
    return {"object": "user", "id": user.id, "deleted": True}


@browsers.on("POST", "/dev_browser")
def create_dev_browser(call: Call) -> dict[str, Any]:
    """What a development instance knows a browser by, which it sends in each query."""
    return {"id": new_client(call.emulator).dev_browser}
