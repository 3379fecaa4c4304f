"""Which roles an organization may assign, who may give which of them, and what they may do.

Source: Clerk's guides on role sets and permissions. An organization has one role set; a role
outside it cannot be assigned. A role set's items carry no permissions, so these come from the
instance's list of roles.

Clerk checks that a person may manage members, not which roles they hand out, and the secret key
may assign any. So this app does (:class:`GrantPolicy`): a person grants only roles whose
permissions are among their own. What is not known counts as no.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from .clerk import Membership, Organization, OrganizationSettings, Role, RoleSet
from .conf import conf

#: The one permission that reading, inviting and revoking need. It is never in a session token.
MANAGE_MEMBERS: Final = "org:sys_memberships:manage"


@dataclass(frozen=True, slots=True)
class AssignableRoles:
    """The roles that an organization may assign right now."""

    roles: tuple[Role, ...] = ()
    #: The key of the role to offer first; empty where there is none to prefer.
    default_role: str = ""
    #: Whether a migration is running: until it ends, no role can be assigned.
    locked: bool = False
    #: The keys of those that must be granted with a second thought.
    elevated: frozenset[str] = frozenset()
    #: The roles that the organization may assign, but not this person.
    not_grantable: tuple[Role, ...] = ()
    #: Whether Clerk was asked for them. If not, they only say again what was chosen in a form.
    is_known: bool = True

    def __contains__(self, key: object) -> bool:
        return any(role.key == key for role in self.roles)

    def get(self, key: str) -> Role | None:
        """Return the role with this key, if it may be assigned."""
        return next((role for role in self.roles if role.key == key), None)


#: What Clerk calls its own roles: people write them in their own language.
CLERKS_ROLES: Final = (gettext_noop("Admin"), gettext_noop("Member"))


class RoleMatch(StrEnum):
    """What a word says of a role."""

    GRANTED = "granted"
    #: The organization may assign it, but not this person.
    NOT_GRANTABLE = "not-grantable"
    UNKNOWN = "unknown"
    #: There is no word, or nobody knows the roles.
    NONE = "none"


class RoleNames:
    """Which role a word means, in any case: by its key, with ``org:`` or without, or by its name.

    The name may be that of the reader's language, where the site or the app translates it.
    """

    def __init__(self, roles: AssignableRoles) -> None:
        """Know the roles that may be assigned, those too that this person may not give."""
        self._roles = roles
        self._found: dict[str, tuple[Role | None, RoleMatch]] = {}

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.find(word)[1] in (
            RoleMatch.GRANTED,
            RoleMatch.NOT_GRANTABLE,
        )

    @property
    def are_known(self) -> bool:
        """Whether there are roles to compare with."""
        return bool(self._roles.roles or self._roles.not_grantable)

    def find(self, word: str) -> tuple[Role | None, RoleMatch]:
        """Return the role that a word means, and whether it may be given."""
        word = _plain(word)
        if word not in self._found:
            self._found[word] = self._find(word)
        return self._found[word]

    def _find(self, word: str) -> tuple[Role | None, RoleMatch]:
        granted, not_grantable = self._roles.roles, self._roles.not_grantable
        if not word or not self.are_known:
            return None, RoleMatch.NONE
        every = [(role, _spellings(role)) for role in (*granted, *not_grantable)]
        for number in range(4):
            found = [role for role, spellings in every if spellings[number] == word]
            if len(found) > 1:
                break  # two roles of one name: nobody can tell which is meant
            if found:
                given = found[0].key in self._roles
                return found[0], RoleMatch.GRANTED if given else RoleMatch.NOT_GRANTABLE
        return None, RoleMatch.UNKNOWN


def _spellings(role: Role) -> tuple[str, str, str, str]:
    """Return what a role may be called, the surest first."""
    bare = role.key.removeprefix("org:")
    translated = gettext(role.name) if role.name else ""
    return _plain(role.key), _plain(bare), _plain(role.name), _plain(translated)


def _plain(text: str) -> str:
    return " ".join(text.replace("_", " ").casefold().split())


def role_set_key(organization: Organization, settings: OrganizationSettings | None) -> str | None:
    """Return the key of the role set that decides, or None where there are no role sets.

    ``role_set_key`` may be null in Clerk's answer; then the instance's initial role set
    applies. Clerk does not say so in as many words, it is what the two fields add up to.
    """
    return organization.role_set_key or (settings.initial_role_set_key if settings else None)


def assignable_roles(
    organization_id: str,
    role_set: RoleSet | None,
    instance_roles: Iterable[Role],
    settings: OrganizationSettings | None,
) -> AssignableRoles:
    """Put together what an organization may assign.

    What a role may do is told by the instance's list alone.

    :param role_set: the organization's, or None where the instance knows no role sets; then
        every role of the instance may be assigned.
    """
    known = {role.key: role for role in instance_roles}
    default = settings.domains_default_role if settings else ""
    if role_set is None:
        roles = tuple(known.values())
        locked = False
    else:
        roles = tuple(_as_known(role, known.get(role.key)) for role in role_set.roles)
        default = role_set.default_role or default
        locked = role_set.migrating and role_set.migrating_organization_id in (
            "",
            organization_id,
        )
    keys = [role.key for role in roles]
    if default not in keys:
        # As Clerk's own page: the default where it is offered, else the only one there is.
        default = keys[0] if len(keys) == 1 else ""
    return AssignableRoles(roles=roles, default_role=default, locked=locked)


def _as_known(item: Role, known: Role | None) -> Role:
    """Return a role set's item with the instance's permissions, whatever the item itself says."""
    return replace(
        item,
        permissions=known.permissions if known else None,
        permission_names=known.permission_names if known else {},
    )


def may_manage_members(membership: Membership | None, instance_roles: Iterable[Role]) -> bool:
    """Whether the member may read, invite and revoke. Whatever is not known means no.

    Clerk's membership carries the permissions, the system ones included. That is evidence, not
    documentation, so where it carries none at all the role is looked up in the instance.
    """
    if membership is None:
        return False
    if membership.user is None or membership.user.banned or membership.user.deprovisioned:
        return False
    permissions = membership.permissions
    if not permissions:
        role = next((role for role in instance_roles if role.key == membership.role), None)
        permissions = (role.permissions if role else None) or frozenset()
    return MANAGE_MEMBERS in permissions


class GrantPolicy:
    """The rule. A site replaces it: subclass, and name the class in its settings.

    ``ORG_INVITATIONS_GRANT_POLICY = "mysite.grants.OnlyMembers"``
    """

    def may_grant(self, role: Role, *, membership: Membership, permissions: frozenset[str]) -> bool:
        """Whether the person may give this role to somebody.

        :param role: with its permissions; None of them known means no.
        :param membership: the person's own, as Clerk has it at this moment.
        :param permissions: the person's own permissions.
        """
        return role.permissions is not None and role.permissions <= permissions

    def needs_confirmation(self, role: Role) -> bool:
        """Whether the role is one that must not be given by a slip: it may manage members."""
        return role.permissions is None or MANAGE_MEMBERS in role.permissions

    def restrict(
        self, roles: AssignableRoles, membership: Membership, instance_roles: Iterable[Role]
    ) -> AssignableRoles:
        """Return what is left of the roles for this person to grant."""
        permissions = membership.permissions
        if not permissions:  # Clerk does not document that it sends them
            own = next((role for role in instance_roles if role.key == membership.role), None)
            permissions = (own.permissions if own else None) or frozenset()
        granted = tuple(
            role
            for role in roles.roles
            if self.may_grant(role, membership=membership, permissions=permissions)
        )
        keys = [role.key for role in granted]
        default = roles.default_role if roles.default_role in keys else ""
        return replace(
            roles,
            roles=granted,
            default_role=default or (keys[0] if len(keys) == 1 else ""),
            elevated=frozenset(role.key for role in granted if self.needs_confirmation(role)),
            not_grantable=tuple(role for role in roles.roles if role.key not in keys),
        )


def get_grant_policy() -> GrantPolicy:
    """Return the policy that ``ORG_INVITATIONS_GRANT_POLICY`` names, else the default one.

    :raises ImproperlyConfigured: it names none. No other rule takes its place.
    """
    policy = conf.GRANT_POLICY
    if policy == "":
        return GrantPolicy()
    if isinstance(policy, str):
        try:
            policy = import_string(policy)
        except ImportError as error:
            raise ImproperlyConfigured(
                "ORG_INVITATIONS_GRANT_POLICY does not name a class that can be imported."
            ) from error
    if not (isinstance(policy, type) and issubclass(policy, GrantPolicy)):
        raise ImproperlyConfigured(
            "ORG_INVITATIONS_GRANT_POLICY is not a subclass of org_invitations.roles.GrantPolicy."
        )
    return policy()


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

    @property
    def text(self) -> str:
        """All of that in one sentence, in the reader's language."""
        if self.abilities:
            return "; ".join(self.abilities) + "."
        if self.role.description:
            return self.role.description
        if self.is_known:
            return gettext("Has no permissions of its own.")
        return gettext("Clerk does not say what it may do.")


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
