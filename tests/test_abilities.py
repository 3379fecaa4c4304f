"""What a role may do, in words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils.translation import override

from org_invitations.abilities import describe_role
from org_invitations.clerk import Role


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with override("en"):
        yield


def role(*permissions: str, **names: str) -> Role:
    entries = [{"key": key, "name": names.get(key, "")} for key in permissions]
    return Role.parse({"key": "org:x", "name": "X", "permissions": entries})


def test_clerks_own_permissions_come_first_and_in_an_order_of_sense() -> None:
    told = describe_role(role("org:a:read", "org:sys_memberships:manage", "org:sys_profile:manage"))
    assert told.abilities == (
        "Change the organization's profile",
        "Invite, change and remove members",
        "A: read",
    )


def test_a_permission_of_the_sites_has_the_name_that_the_instance_gave_it() -> None:
    told = describe_role(role("org:docs:edit", **{"org:docs:edit": "Edit documents"}))
    assert told.abilities == ("Edit documents",)


def test_clerks_own_permissions_are_in_the_readers_language() -> None:
    with override("de"):
        told = describe_role(role("org:sys_memberships:read"))
    assert told.abilities != ("See members",)


def test_a_role_without_permissions_is_not_one_of_unknown_permissions() -> None:
    assert describe_role(role()).is_known
    assert not describe_role(Role(key="org:x", name="X")).is_known


def test_a_permission_that_cannot_be_read_makes_the_role_an_unknown_one() -> None:
    odd = Role.parse({"key": "org:x", "name": "X", "permissions": [{"name": "Odd"}, "?"]})
    assert not describe_role(odd).is_known
