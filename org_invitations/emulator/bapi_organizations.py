"""Backend API: organizations and their memberships, and the instance's organization settings."""

from __future__ import annotations

from typing import Any

from . import errors, shapes
from .fields import Fields, check_role
from .params import flag, many, optional_number, ordered, page
from .routing import BAPI, Call, Router
from .seats import check_seats
from .state import Membership, Organization, User

router = Router(BAPI, "/v1")


def organization_by_id(call: Call) -> Organization:
    """The organization of the path. Only "get organization" takes a slug for an id."""
    found = call.state.organizations.get(call.params["organization_id"])
    if found is None:
        raise errors.organization_not_found()
    return found


@router.on("GET", "/organizations")
def list_organizations(call: Call) -> dict[str, Any]:
    state = call.state
    counted = flag(call, "include_members_count")
    query = (call.request.argument("query") or "").casefold()
    members = set(many(call, "user_id"))
    rows = [
        org
        for org in state.organizations.values()
        if query in f"{org.id} {org.slug} {org.name}".casefold()
        and (not members or any(m.user_id in members for m in state.members_of(org.id)))
    ]
    listed = ordered(
        call,
        sorted(rows, key=lambda org: org.created_at),
        {
            "created_at": lambda org: org.created_at,
            "name": lambda org: org.name.casefold(),
            "members_count": lambda org: len(state.members_of(org.id)),
        },
        "-created_at",
    )
    return page(
        call, listed, lambda org: shapes.organization(call.emulator, org, members_count=counted)
    )


@router.on("GET", "/organizations/{organization_id}")
def get_organization(call: Call) -> dict[str, Any]:
    found = call.state.organization(call.params["organization_id"])
    if found is None:
        raise errors.organization_not_found()
    counted = flag(call, "include_members_count")
    answer = shapes.organization(call.emulator, found, members_count=counted)
    if flag(call, "include_missing_member_with_elevated_permissions"):
        answer["missing_member_with_elevated_permissions"] = False
    return answer


@router.on("GET", "/organizations/{organization_id}/memberships")
def list_memberships(call: Call) -> dict[str, Any]:
    org = organization_by_id(call)
    users = call.state.users
    rows = [row for row in call.state.members_of(org.id) if _matches(call, row)]

    def user_of(row: Membership) -> User:
        return users[row.user_id]

    listed = ordered(
        call,
        sorted(rows, key=lambda row: row.created_at),
        {
            "created_at": lambda row: row.created_at,
            "email_address": lambda row: user_of(row).email_address.casefold(),
            "first_name": lambda row: (user_of(row).first_name or "").casefold(),
            "last_name": lambda row: (user_of(row).last_name or "").casefold(),
            "phone_number": lambda row: "",
            "username": lambda row: "",
        },
        "-created_at",
    )
    return page(call, listed, lambda row: shapes.membership(call.emulator, row))


def _matches(call: Call, row: Membership) -> bool:
    user = call.state.users[row.user_id]
    # Nobody here has a phone number, a user name or a wallet.
    if many(call, "phone_number") or many(call, "username") or many(call, "web3_wallet"):
        return False
    ids = many(call, "user_id")
    excluded = {value[1:] for value in ids if value.startswith("-")}
    included = {value.removeprefix("+") for value in ids if not value.startswith("-")}
    if user.id in excluded or (included and user.id not in included):
        return False
    addresses = {value.casefold() for value in many(call, "email_address")}
    if addresses and user.email_address.casefold() not in addresses:
        return False
    roles = many(call, "role")
    if roles and row.role not in roles:
        return False
    before, after = (optional_number(call, f"created_at_{word}") for word in ("before", "after"))
    if before is not None and user.created_at >= before:
        return False
    if after is not None and user.created_at <= after:
        return False
    searched = {
        "query": f"{user.id} {user.email_address} {user.name}",
        "email_address_query": user.email_address,
        "name_query": user.name,
        "phone_number_query": "",
        "username_query": "",
    }
    return all(
        (call.request.argument(name) or "").casefold() in text.casefold()
        for name, text in searched.items()
    )


@router.on("POST", "/organizations/{organization_id}/memberships")
def create_membership(call: Call) -> dict[str, Any]:
    org = organization_by_id(call)
    fields = Fields(call.json_body(), ("user_id", "role", "public_metadata", "private_metadata"))
    user_id = fields.required_string("user_id")
    role = fields.required_string("role")
    public_metadata = fields.metadata("public_metadata")
    private_metadata = fields.metadata("private_metadata")
    user = call.state.users.get(user_id)
    if user is None:
        raise errors.user_not_found(user_id)
    check_role(call.emulator, org, role)
    if call.state.membership(org.id, user.id):
        raise errors.already_a_member(user.email_address)
    check_seats(call.emulator, org, 1)
    row = call.emulator.add_member(org, user, role, public_metadata, private_metadata)
    return shapes.membership(call.emulator, row)


@router.on("GET", "/instance/organization_settings")
def get_organization_settings(call: Call) -> dict[str, Any]:
    return {
        "object": "organization_settings",
        "enabled": True,
        "max_allowed_memberships": 5,
        "max_allowed_roles": 10,
        "max_role_sets_allowed": 5,
        "max_allowed_domains": 10,
        "creator_role": "org:admin",
        "admin_delete_enabled": True,
        "domains_enabled": False,
        "slug_disabled": False,
        "domains_enrollment_modes": [],
        "domains_default_role": "org:member",
        "initial_role_set_key": call.emulator.settings.initial_role_set_key,
    }
