"""Changes to the instance while it runs: settings, and what becomes of organizations and people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import shapes
from .state import Membership, Organization, User

if TYPE_CHECKING:
    from .instance import Instance

ORGANIZATION_FIELDS = ("max_allowed_memberships", "role_set_key", "name", "slug")
MEMBERSHIP_FIELDS = ("role", "permissions")
USER_FIELDS = (
    "banned",
    "deprovisioned",
    "first_name",
    "last_name",
    "locked",
    "email_verified",
    "other_addresses",
)


def configure(instance: Instance, changes: dict[str, Any]) -> None:
    """Applies a partial update; a ``ValueError`` names what cannot be."""
    rest = dict(changes)
    parts = {
        name: rest.pop(name, None)
        for name in ("role_migrations", "organizations", "memberships", "users")
    }
    instance.settings.update(_with_limits(rest))
    for key, value in (parts["role_migrations"] or {}).items():
        _migrate(instance, key, value)
    for name, fields in (parts["organizations"] or {}).items():
        _organization(instance, name, dict(fields))
    for fields in parts["memberships"] or []:
        _membership(instance, dict(fields))
    for name, fields in (parts["users"] or {}).items():
        _user(instance, find_user(instance, name), dict(fields))


def _with_limits(changes: dict[str, Any]) -> dict[str, Any]:
    """``rate_limits`` may also be the numbers: ``{"requests", "single", "bulk"}``."""
    limits = changes.get("rate_limits")
    if not isinstance(limits, dict):
        return changes
    names = {
        "requests": "requests_per_10_seconds",
        "single": "single_invitations_per_hour",
        "bulk": "bulk_invitations_per_hour",
    }
    if unknown := set(limits) - set(names):
        raise ValueError(f"unknown rate limit: {', '.join(sorted(unknown))}")
    numbers = {names[name]: value for name, value in limits.items()}
    return {**changes, "rate_limits": True, **numbers}


def find_organization(instance: Instance, id_or_slug: str) -> Organization:
    found = instance.state.organization(id_or_slug)
    if found is None:
        raise ValueError(f"no organization {id_or_slug!r}")
    return found


def find_user(instance: Instance, id_or_address: str) -> User:
    state = instance.state
    found = state.users.get(id_or_address) or state.user_by_email(id_or_address)
    if found is None:
        raise ValueError(f"no user {id_or_address!r}")
    return found


def find_membership(instance: Instance, organization: str, user: str) -> Membership:
    org, person = find_organization(instance, organization), find_user(instance, user)
    found = instance.state.membership(org.id, person.id)
    if found is None:
        raise ValueError(f"{user} is no member of {organization}")
    return found


def delete_organization(instance: Instance, org: Organization) -> None:
    """The organization, its memberships and invitations; a followed link still finds its name."""
    state = instance.state
    del state.organizations[org.id]
    state.deleted_organizations[org.id] = org
    state.memberships = [m for m in state.memberships if m.organization_id != org.id]


def delete_user(instance: Instance, user: User) -> None:
    """The user, their memberships and sessions."""
    state = instance.state
    del state.users[user.id]
    state.memberships = [m for m in state.memberships if m.user_id != user.id]
    for session in state.sessions.values():
        session.ended = session.ended or session.user_id == user.id


def _migrate(instance: Instance, key: str, value: Any) -> None:
    """``False`` ends a role set's migration; ``True``, or one organization's slug, starts it."""
    role_set = instance.state.role_sets.get(key)
    if role_set is None:
        raise ValueError(f"no role set {key!r}")
    role_set.migration = None
    if value:
        scope = find_organization(instance, value).id if isinstance(value, str) else None
        other = next((s for s in instance.state.role_sets.values() if s is not role_set), None)
        role_set.migration = shapes.migration(role_set, other, scope, instance.clock.now_ms())


def _organization(instance: Instance, name: str, fields: dict[str, Any]) -> None:
    org = find_organization(instance, name)
    if fields.pop("deleted", False):
        delete_organization(instance, org)
        return
    key = fields.get("role_set_key")
    if key is not None and key not in instance.state.role_sets:
        raise ValueError(f"no role set {key!r}")
    _assign(org, fields, ORGANIZATION_FIELDS)
    org.updated_at = instance.clock.now_ms()


def _membership(instance: Instance, fields: dict[str, Any]) -> None:
    organization, user = fields.pop("organization", ""), fields.pop("user", "")
    row = find_membership(instance, organization, user)
    if fields.pop("removed", False):
        instance.state.memberships.remove(row)
        return
    flags: dict[str, Any] = {
        name: fields.pop(name) for name in ("banned", "deprovisioned") if name in fields
    }
    _user(instance, instance.state.users[row.user_id], flags)
    if fields.get("permissions") is not None:
        fields["permissions"] = tuple(fields["permissions"])
    if "role" in fields and fields["role"] not in instance.state.roles:
        raise ValueError(f"no role {fields['role']!r}")
    _assign(row, fields, MEMBERSHIP_FIELDS)
    row.updated_at = instance.clock.now_ms()


def _user(instance: Instance, user: User, fields: dict[str, Any]) -> None:
    if fields.pop("deleted", False):
        delete_user(instance, user)
        return
    others = fields.get("other_addresses", {})
    if not isinstance(others, dict) or not all(isinstance(v, bool) for v in others.values()):
        raise ValueError("other_addresses are addresses, each with whether it is verified")
    _assign(user, fields, USER_FIELDS)


def _assign(target: object, fields: dict[str, Any], known: tuple[str, ...]) -> None:
    for name, value in fields.items():
        if name not in known:
            raise ValueError(f"unknown field: {name}")
        setattr(target, name, value)
