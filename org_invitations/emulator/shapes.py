"""Clerk's resources as JSON, after the schemas of the API description. Times in milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .keys import INSTANCE_ID
from .state import (
    SESSION_LIFETIME_MS,
    Invitation,
    Membership,
    Organization,
    Permission,
    Role,
    RoleSet,
    Session,
    State,
    User,
)

if TYPE_CHECKING:
    from .instance import Instance

IMAGE_URL = "https://img.clerk.emulator.test/default.png"


def organization(
    instance: Instance, org: Organization, *, members_count: bool = False
) -> dict[str, Any]:
    state, now = instance.state, instance.clock.now_ms()
    shaped: dict[str, Any] = {
        "object": "organization",
        "id": org.id,
        "name": org.name,
        "slug": org.slug,
        "image_url": IMAGE_URL,
        "has_image": False,
        "pending_invitations_count": state.pending_count(org.id, now),
        "max_allowed_memberships": org.max_allowed_memberships,
        "admin_delete_enabled": True,
        "public_metadata": {},
        "private_metadata": {},
        "created_by": org.created_by,
        "created_at": org.created_at,
        "updated_at": org.updated_at,
        "role_set_key": org.role_set_key,
    }
    if members_count:
        shaped["members_count"] = len(state.members_of(org.id))
    return shaped


def membership(instance: Instance, row: Membership) -> dict[str, Any]:
    state = instance.state
    user = state.users[row.user_id]
    return {
        "object": "organization_membership",
        "id": row.id,
        "role": row.role,
        "role_name": state.role_name(row.role),
        "permissions": list(state.permissions_of(row)),
        "public_metadata": row.public_metadata,
        "private_metadata": row.private_metadata,
        "organization": organization(instance, state.organizations[row.organization_id]),
        "public_user_data": {
            "user_id": user.id,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "profile_image_url": IMAGE_URL,
            "image_url": IMAGE_URL,
            "has_image": False,
            "identifier": user.email_address,
            "username": None,
            "banned": user.banned,
            "deprovisioned": user.deprovisioned,
        },
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def invitation(instance: Instance, row: Invitation) -> dict[str, Any]:
    state, now = instance.state, instance.clock.now_ms()
    status = row.status(now)
    inviter = state.users.get(row.inviter_id or "")
    shape = {
        "object": "organization_invitation",
        "id": row.id,
        "email_address": row.email_address,
        "role": row.role,
        "role_name": state.role_name(row.role),
        "organization_id": row.organization_id,
        "inviter_id": inviter.id if inviter else None,
        "public_inviter_data": _inviter(inviter) if inviter else None,
        "status": status,
        "public_metadata": row.public_metadata,
        "private_metadata": row.private_metadata,
        "url": instance.accept_url(row.ticket) if status == "pending" else None,
        "expires_at": row.expires_at,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
    if not instance.settings.private_metadata_told:
        del shape["private_metadata"]
    return shape


def invitation_with_organization(instance: Instance, row: Invitation) -> dict[str, Any]:
    org = instance.state.organizations[row.organization_id]
    return {
        **invitation(instance, row),
        "public_organization_data": {
            "id": org.id,
            "name": org.name,
            "slug": org.slug,
            "image_url": IMAGE_URL,
            "has_image": False,
        },
    }


def _inviter(user: User) -> dict[str, Any]:
    return {
        "user_id": user.id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "image_url": IMAGE_URL,
        "has_image": False,
        "identifier": user.email_address,
    }


def role(state: State, row: Role) -> dict[str, Any]:
    return {
        "object": "role",
        "id": row.id,
        "name": row.name,
        "key": row.key,
        "description": row.description,
        "is_creator_eligible": row.is_creator_eligible,
        "permissions": [_permission(state.permissions[key]) for key in row.permissions],
        "created_at": row.created_at,
        "updated_at": row.created_at,
    }


def _permission(row: Permission) -> dict[str, Any]:
    return {
        "object": "permission",
        "id": row.id,
        "name": row.name,
        "key": row.key,
        "description": row.description,
        "type": "system" if row.is_system else "user",
        "created_at": row.created_at,
        "updated_at": row.created_at,
    }


def role_set(state: State, row: RoleSet) -> dict[str, Any]:
    items = {key: _role_set_item(state, row, state.roles[key]) for key in row.roles}
    shaped = {
        "object": "role_set",
        "id": row.id,
        "name": row.name,
        "key": row.key,
        "description": row.description,
        "roles": list(items.values()),
        "default_role": items.get(row.default_role),
        "creator_role": items.get(row.creator_role),
        "type": row.type,
        "created_at": row.created_at,
        "updated_at": row.created_at,
    }
    if row.migration is not None:
        shaped["role_set_migration"] = row.migration
    return shaped


def _role_set_item(state: State, role_set: RoleSet, row: Role) -> dict[str, Any]:
    """An item of a role set; unlike a role it does not say its permissions."""
    organizations = {o.id for o in state.organizations.values() if o.role_set_key == role_set.key}
    count = sum(m.role == row.key and m.organization_id in organizations for m in state.memberships)
    return {
        "object": "role_set_item",
        "id": row.id,
        "name": row.name,
        "key": row.key,
        "description": row.description,
        "members_count": count,
        "has_members": count > 0,
        "created_at": row.created_at,
        "updated_at": row.created_at,
    }


def migration(
    row: RoleSet, destination: RoleSet | None, organization_id: str | None, now_ms: int
) -> dict[str, Any]:
    """A role set migration that is going on; Clerk shows it only while it does."""
    return {
        "object": "role_set_migration",
        "id": f"rsm_{row.id[5:]}",
        "organization_id": organization_id,
        "instance_id": INSTANCE_ID,
        "source_role_set_id": row.id,
        "dest_role_set_id": destination.id if destination else None,
        "trigger_type": "role_removal",
        "status": "in_progress",
        "migrated_members": 0,
        "mappings": None,
        "started_at": now_ms,
        "completed_at": None,
        "created_at": now_ms,
        "updated_at": now_ms,
    }


def user(row: User) -> dict[str, Any]:
    return {
        "object": "user",
        "id": row.id,
        "external_id": None,
        "primary_email_address_id": row.email_id,
        "primary_phone_number_id": None,
        "primary_web3_wallet_id": None,
        "username": None,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "locale": None,
        "profile_image_url": IMAGE_URL,
        "image_url": IMAGE_URL,
        "has_image": False,
        "public_metadata": {},
        "private_metadata": {},
        "unsafe_metadata": {},
        "email_addresses": email_addresses(row),
        "phone_numbers": [],
        "web3_wallets": [],
        "passkeys": [],
        "password_enabled": True,
        "two_factor_enabled": False,
        "totp_enabled": False,
        "backup_code_enabled": False,
        "mfa_enabled_at": None,
        "mfa_disabled_at": None,
        "external_accounts": [],
        "saml_accounts": [],
        "enterprise_accounts": [],
        "last_sign_in_at": row.last_sign_in_at,
        "banned": row.banned,
        "locked": row.locked,
        "deprovisioned": row.deprovisioned,
        "lockout_expires_in_seconds": None,
        "verification_attempts_remaining": 100,
        "created_at": row.created_at,
        "updated_at": row.created_at,
        "delete_self_enabled": True,
        "create_organization_enabled": True,
        "last_active_at": row.last_sign_in_at,
        "legal_accepted_at": None,
    }


def session(instance: Instance, row: Session) -> dict[str, Any]:
    """As the Backend API has it. Who is on which client is looked up: a session does not know."""
    clients = instance.state.clients.values()
    client_id = next((client.id for client in clients if client.session_id == row.id), "")
    ends = row.created_at + SESSION_LIFETIME_MS
    over = "revoked" if row.revoked else "ended" if row.ended else "expired"
    return {
        "object": "session",
        "id": row.id,
        "user_id": row.user_id,
        "client_id": client_id,
        "actor": None,
        "status": "active" if row.is_active(instance.clock.now_ms()) else over,
        "last_active_organization_id": row.organization_id,
        "last_active_at": row.created_at,
        "expire_at": ends,
        "abandon_at": ends,
        "updated_at": row.created_at,
        "created_at": row.created_at,
    }


def email_addresses(row: User) -> list[dict[str, Any]]:
    addresses = {row.email_address: row.email_verified, **row.other_addresses}
    return [
        _email_address(
            row,
            f"{row.email_id}{number or ''}",
            address,
            "verified" if verified else "unverified",
        )
        for number, (address, verified) in enumerate(addresses.items())
    ]


def _email_address(row: User, email_id: str, address: str, status: str) -> dict[str, Any]:
    return {
        "object": "email_address",
        "id": email_id,
        "email_address": address,
        "reserved": False,
        "verification": {
            "object": "verification_otp",
            "status": status,
            "strategy": "email_code",
            "attempts": 1,
            "expire_at": row.created_at + 600_000,
        },
        "linked_to": [],
        "created_at": row.created_at,
        "updated_at": row.created_at,
    }
