"""Which roles an organization may assign, and who may manage its members."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import override

from org_invitations.clerk import (
    Membership,
    Organization,
    OrganizationSettings,
    PublicUserData,
    Role,
    RoleSet,
)
from org_invitations.roles import (
    MANAGE_MEMBERS,
    AssignableRoles,
    assignable_roles,
    describe_role,
    may_manage_members,
    role_set_key,
)

ADMIN = Role("org:admin", "Admin", permissions=frozenset({MANAGE_MEMBERS, "org:x"}))
MEMBER = Role("org:member", "Member", permissions=frozenset({"org:x"}))
AUDITOR = Role("org:auditor", "Auditor", permissions=frozenset())
INSTANCE = (ADMIN, MEMBER, AUDITOR)

ADMIN_ITEM = Role("org:admin", "Admin")
MEMBER_ITEM = Role("org:member", "Member")


def role_set(**changes: Any) -> RoleSet:
    order: dict[str, Any] = {
        "key": "role_set:default",
        "roles": (ADMIN_ITEM, MEMBER_ITEM),
        "default_role": "org:member",
        **changes,
    }
    return RoleSet(**order)


def settings(**order: Any) -> OrganizationSettings:
    return OrganizationSettings(**order)


# --- Which role set decides ----------------------------------------------------------------


def test_the_organizations_role_set_decides_else_the_instances_initial_one(
    subtests: pytest.Subtests,
) -> None:
    for own, initial, decides in [
        ("role_set:crew", "role_set:default", "role_set:crew"),
        (None, "role_set:default", "role_set:default"),
        ("role_set:crew", None, "role_set:crew"),
        (None, None, None),
    ]:
        with subtests.test(own=own, initial=initial, decides=decides):
            organization = Organization(id="org_1", name="A", role_set_key=own)
            assert role_set_key(organization, settings(initial_role_set_key=initial)) == decides


def test_where_the_settings_are_not_known_only_the_organization_can_decide() -> None:
    assert role_set_key(Organization("org_1", "A", role_set_key="k"), None) == "k"
    assert role_set_key(Organization("org_1", "A"), None) is None


# --- What may be assigned ------------------------------------------------------------------


def test_only_the_roles_of_the_role_set_may_be_assigned_with_the_instances_permissions() -> None:
    roles = assignable_roles("org_1", role_set(), INSTANCE, settings())
    assert roles.roles == (ADMIN, MEMBER)
    assert "org:admin" in roles
    assert "org:auditor" not in roles
    assert roles.get("org:admin") == ADMIN
    assert roles.get("org:auditor") is None


def test_what_a_role_may_do_is_told_by_the_instance_alone() -> None:
    weak = role_set(roles=(Role("org:admin", "Admin", permissions=frozenset()), MEMBER_ITEM))
    roles = assignable_roles("org_1", weak, INSTANCE, settings())
    assert roles.roles == (ADMIN, MEMBER)
    [admin, _] = assignable_roles("org_1", weak, (MEMBER,), settings()).roles
    assert admin.permissions is None


def test_without_role_sets_every_role_of_the_instance_may_be_assigned() -> None:
    roles = assignable_roles("org_1", None, INSTANCE, None)
    assert roles.roles == INSTANCE
    assert not roles.locked


def test_a_role_that_the_instance_does_not_list_has_unknown_permissions() -> None:
    roles = assignable_roles("org_1", role_set(), (), None)
    assert [role.permissions for role in roles.roles] == [None, None]


def test_the_default_role_is_the_sets_else_the_instances_if_it_is_offered_at_all(
    subtests: pytest.Subtests,
) -> None:
    for of_the_set, of_the_instance, offered in [
        ("org:admin", "org:member", "org:admin"),
        ("", "org:member", "org:member"),
        ("org:auditor", "org:member", ""),
        ("", "org:auditor", ""),
        ("", "", ""),
    ]:
        with subtests.test(of_the_set=of_the_set, of_the_instance=of_the_instance, offered=offered):
            roles = assignable_roles(
                "org_1",
                role_set(default_role=of_the_set),
                INSTANCE,
                settings(domains_default_role=of_the_instance),
            )
            assert roles.default_role == offered


def test_the_only_role_is_the_default_one() -> None:
    only = role_set(roles=(MEMBER_ITEM,), default_role="")
    assert assignable_roles("org_1", only, INSTANCE, None).default_role == "org:member"
    assert assignable_roles("org_1", None, (ADMIN,), None).default_role == "org:admin"


def test_a_running_migration_locks_the_roles_of_whom_it_concerns(subtests: pytest.Subtests) -> None:
    for migrating, concerns, locked in [
        (False, "", False),
        (True, "", True),
        (True, "org_1", True),
        (True, "org_2", False),
    ]:
        with subtests.test(migrating=migrating, concerns=concerns, locked=locked):
            moving = role_set(migrating=migrating, migrating_organization_id=concerns)
            assert assignable_roles("org_1", moving, INSTANCE, None).locked is locked


def test_nothing_is_assignable_by_default() -> None:
    assert AssignableRoles().roles == ()
    assert "org:admin" not in AssignableRoles()


# --- Who may -------------------------------------------------------------------------------


def membership(*permissions: str, role: str = "org:admin", user: Any = "somebody") -> Membership:
    return Membership(
        id="orgmem_1",
        role=role,
        role_name=role,
        permissions=frozenset(permissions),
        organization=Organization("org_1", "Acme"),
        user=PublicUserData("user_1") if user == "somebody" else user,
    )


def test_the_permission_is_clerks_own_one_for_managing_members() -> None:
    assert MANAGE_MEMBERS == "org:sys_memberships:manage"


def test_whose_membership_has_the_permission_may_whatever_the_role_is_called() -> None:
    assert may_manage_members(membership(MANAGE_MEMBERS, role="org:people"), ())


def test_no_other_permission_will_do_and_no_role_makes_up_for_it(subtests: pytest.Subtests) -> None:
    for other in [
        "org:sys_memberships:read",
        "sys_memberships:manage",
        "org:sys_memberships:manage2",
        "*",
    ]:
        with subtests.test(other=other):
            assert not may_manage_members(membership(other, role="org:admin"), INSTANCE)


def test_where_the_membership_names_no_permissions_its_role_is_looked_up() -> None:
    assert may_manage_members(membership(role="org:admin"), INSTANCE)
    assert not may_manage_members(membership(role="org:member"), INSTANCE)
    assert not may_manage_members(membership(role="org:auditor"), INSTANCE)


def test_a_role_that_is_not_found_or_says_nothing_means_no() -> None:
    assert not may_manage_members(membership(role="org:admin"), ())
    assert not may_manage_members(membership(role="org:gone"), INSTANCE)
    assert not may_manage_members(membership(role="org:admin"), (ADMIN_ITEM,))


@pytest.mark.parametrize(
    "user",
    [
        None,
        PublicUserData("user_1", banned=True),
        PublicUserData("user_1", deprovisioned=True),
    ],
    ids=["unknown", "banned", "deprovisioned"],
)
def test_who_is_banned_deprovisioned_or_unknown_may_not(user: PublicUserData | None) -> None:
    assert not may_manage_members(membership(MANAGE_MEMBERS, user=user), INSTANCE)


def test_who_is_no_member_may_not() -> None:
    assert not may_manage_members(None, INSTANCE)


# --- What a role may do, in words ----------------------------------------------------------------


def role_of(*permissions: str, **names: str) -> Role:
    entries = [{"key": key, "name": names.get(key, "")} for key in permissions]
    return Role.parse({"key": "org:x", "name": "X", "permissions": entries})


def test_clerks_own_permissions_come_first_and_in_an_order_of_sense() -> None:
    told = describe_role(
        role_of("org:a:read", "org:sys_memberships:manage", "org:sys_profile:manage")
    )
    assert told.abilities == (
        "Change the organization's profile",
        "Invite, change and remove members",
        "A: read",
    )


def test_a_permission_of_the_sites_has_the_name_that_the_instance_gave_it() -> None:
    told = describe_role(role_of("org:docs:edit", **{"org:docs:edit": "Edit documents"}))
    assert told.abilities == ("Edit documents",)


def test_clerks_own_permissions_are_in_the_readers_language() -> None:
    with override("de"):
        told = describe_role(role_of("org:sys_memberships:read"))
    assert told.abilities != ("See members",)


def test_a_role_without_permissions_is_not_one_of_unknown_permissions() -> None:
    assert describe_role(role_of()).is_known
    assert not describe_role(Role(key="org:x", name="X")).is_known


def test_a_permission_that_cannot_be_read_makes_the_role_an_unknown_one() -> None:
    odd = Role.parse({"key": "org:x", "name": "X", "permissions": [{"name": "Odd"}, "?"]})
    assert not describe_role(odd).is_known
