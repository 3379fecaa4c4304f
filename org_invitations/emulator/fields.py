"""The fields of a JSON body, checked one by one; and the checks more than one path shares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from . import errors
from .params import is_http_url
from .state import MANAGE_MEMBERSHIPS, Organization

if TYPE_CHECKING:
    from .instance import Instance


class Fields:
    """A JSON object with known names; every reader raises Clerk's error for a bad value."""

    def __init__(self, body: Any, known: Iterable[str]) -> None:
        if body is None:
            body = {}
        if not isinstance(body, dict):
            raise errors.request_body_invalid()
        self.body: dict[str, Any] = body
        for name in body:
            if name not in set(known):
                raise errors.param_unknown(name)

    def required_string(self, name: str) -> str:
        if name not in self.body:
            raise errors.param_missing(name)
        value = self.body[name]
        if value is None or value == "":
            raise errors.param_nil(name)
        if not isinstance(value, str):
            raise errors.param_type_invalid(name, "a string")
        return value

    def optional_string(self, name: str) -> str | None:
        value = self.body.get(name)
        if value is not None and not isinstance(value, str):
            raise errors.param_type_invalid(name, "a string")
        return value

    def optional_url(self, name: str) -> str | None:
        value = self.optional_string(name)
        if value is not None and not is_http_url(value):
            raise errors.param_value_invalid(name, f"{name} must be a valid url.")
        return value

    def optional_integer(self, name: str, minimum: int, maximum: int) -> int | None:
        value = self.body.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise errors.param_type_invalid(name, "an integer")
        if value < minimum:
            raise errors.param_value_invalid(
                name, f"{name} must be greater than or equal to {minimum}."
            )
        if value > maximum:
            raise errors.param_too_large(name, maximum)
        return value

    def optional_boolean(self, name: str) -> bool | None:
        value = self.body.get(name)
        if value is not None and not isinstance(value, bool):
            raise errors.param_type_invalid(name, "a boolean")
        return value

    def metadata(self, name: str) -> dict[str, Any]:
        value = self.body.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise errors.param_type_invalid(name, "an object")
        return value


def assignable_roles(instance: Instance, org: Organization) -> tuple[str, ...]:
    """The roles of the organization's role set, which alone may be assigned in it.

    Without one the instance's initial role set counts, and without that one every role.
    """
    for key in (org.role_set_key, instance.settings.initial_role_set_key):
        role_set = instance.state.role_sets.get(key or "")
        if role_set is not None:
            return role_set.roles
    return tuple(instance.state.roles)


def check_role(instance: Instance, org: Organization, role: str) -> None:
    role_set = instance.state.role_sets.get(org.role_set_key or "")
    if role_set is not None and role_set.migration is not None:
        scope = role_set.migration["organization_id"]
        if scope is None or scope == org.id:
            raise errors.role_migration_in_progress()
    if role not in assignable_roles(instance, org):
        if instance.settings.role_error == "form_param_value_invalid":
            raise errors.role_value_invalid(role)
        raise errors.role_not_found()


def check_manager(instance: Instance, org: Organization, user_id: str) -> None:
    """An ``inviter_user_id`` or ``requesting_user_id`` must be able to manage members there."""
    if user_id not in instance.state.users:
        raise errors.user_not_found(user_id)
    membership = instance.state.membership(org.id, user_id)
    if membership is None:
        raise errors.not_a_member()
    if MANAGE_MEMBERSHIPS not in instance.state.permissions_of(membership):
        if instance.settings.inviter_error == "not_an_admin_in_organization":
            raise errors.not_an_admin()
        raise errors.missing_permission(MANAGE_MEMBERSHIPS)
