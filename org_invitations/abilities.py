"""What a role may do, in words: for somebody who is about to give it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from .clerk import Role

#: Clerk's system permissions, of which every instance has the same.
_SYSTEM: Final[Mapping[str, str | Promise]] = {
    "org:sys_profile:manage": _("Change the organization's profile"),
    "org:sys_profile:delete": _("Delete the organization"),
    "org:sys_memberships:read": _("See members"),
    "org:sys_memberships:manage": _("Invite, change and remove members"),
    "org:sys_domains:read": _("See domains"),
    "org:sys_domains:manage": _("Add and remove domains"),
    "org:sys_billing:read": _("See billing"),
    "org:sys_billing:manage": _("Change billing"),
    "org:sys_api_keys:read": _("See API keys"),
    "org:sys_api_keys:manage": _("Add and remove API keys"),
}


@dataclass(frozen=True, slots=True)
class RoleAbilities:
    """A role, and what it may do."""

    role: Role
    #: In words; empty where it may do nothing, or nobody knows what.
    abilities: tuple[str, ...]
    #: Whether it is known what it may do.
    is_known: bool


def describe_role(role: Role) -> RoleAbilities:
    """Return what a role may do: Clerk's own permissions first, then the site's."""
    keys = sorted(role.permissions or (), key=lambda key: (key not in _SYSTEM, _rank(key), key))
    words = tuple(
        str(_SYSTEM.get(key) or role.permission_names.get(key) or _word(key)) for key in keys
    )
    return RoleAbilities(role, words, is_known=role.permissions is not None)


def _rank(key: str) -> int:
    return list(_SYSTEM).index(key) if key in _SYSTEM else 0


def _word(key: str) -> str:
    """Make words of a permission without a name: ``org:invoices:read`` is "Invoices: read"."""
    parts = key.removeprefix("org:").replace("_", " ").split(":")
    return str(capfirst(": ".join(parts)))
