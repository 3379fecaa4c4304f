"""Who may give which role to others.

Clerk checks that a person may manage members, not which roles they hand out, and the secret key
may assign any. So this app does: a person grants only roles whose permissions are among their
own. What is not known counts as no.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from .clerk import Membership, Role
from .conf import conf
from .roles import MANAGE_MEMBERS, AssignableRoles


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
            withheld=tuple(role for role in roles.roles if role.key not in keys),
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
            "ORG_INVITATIONS_GRANT_POLICY is not a subclass of org_invitations.grants.GrantPolicy."
        )
    return policy()
