"""What Clerk answers, as frozen dataclasses with aware times."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from org_invitations.clerk import (
    Invitation,
    InvitationStatus,
    Membership,
    Organization,
    OrganizationSettings,
    Page,
    PublicUserData,
    Role,
    RoleSet,
)
from org_invitations.clerk.exceptions import InvalidResponse

ORGANIZATION: dict[str, Any] = {
    "object": "organization",
    "id": "org_1",
    "name": "Acme",
    "slug": "acme",
    "image_url": "https://img.test/1",
    "role_set_key": "role_set:default",
    "max_allowed_memberships": 5,
    "members_count": 3,
    "pending_invitations_count": 2,
    "created_at": 1,
}
USER: dict[str, Any] = {
    "user_id": "user_1",
    "first_name": "Ada",
    "last_name": "Lindqvist",
    "identifier": "ada@acme.test",
    "image_url": "https://img.test/2",
    "banned": False,
    "deprovisioned": False,
}
MEMBERSHIP: dict[str, Any] = {
    "object": "organization_membership",
    "id": "orgmem_1",
    "role": "org:admin",
    "role_name": "Admin",
    "permissions": ["org:sys_memberships:manage", "org:x:read"],
    "organization": ORGANIZATION,
    "public_user_data": USER,
}
INVITATION: dict[str, Any] = {
    "object": "organization_invitation",
    "id": "orginv_1",
    "email_address": "new@example.com",
    "role": "org:member",
    "role_name": "Member",
    "organization_id": "org_1",
    "inviter_id": "user_1",
    "public_inviter_data": USER,
    "status": "pending",
    "public_metadata": {"team": 1},
    "private_metadata": {"salary": 2},
    "url": "https://clerk.test/v1/tickets/accept?ticket=s3cret",
    "expires_at": 1_788_912_000_000,
    "created_at": 1_786_320_000_123,
    "updated_at": 1_786_320_000_123,
}
ROLE: dict[str, Any] = {
    "object": "role",
    "id": "role_1",
    "key": "org:admin",
    "name": "Admin",
    "description": "All of it",
    "permissions": [{"key": "org:a", "type": "system"}, {"key": "org:b"}],
}
ROLE_SET: dict[str, Any] = {
    "object": "role_set",
    "id": "rset_1",
    "key": "role_set:default",
    "roles": [
        {"object": "role_set_item", "key": "org:admin", "name": "Admin"},
        {"object": "role_set_item", "key": "org:member", "name": "Member"},
    ],
    "default_role": {"object": "role_set_item", "key": "org:member", "name": "Member"},
}
SETTINGS: dict[str, Any] = {
    "enabled": True,
    "initial_role_set_key": "role_set:default",
    "domains_default_role": "org:member",
}

PARSERS: list[tuple[Callable[[Any], Any], dict[str, Any], set[str]]] = [
    (Organization.parse, ORGANIZATION, {"id"}),
    (Membership.parse, MEMBERSHIP, {"id", "organization"}),
    (Invitation.parse, INVITATION, {"id"}),
    (Role.parse, ROLE, {"key"}),
    (RoleSet.parse, ROLE_SET, {"key"}),
    (OrganizationSettings.parse, SETTINGS, set()),
    (PublicUserData.parse, USER, set()),
]
NAMES = [parse.__qualname__.partition(".")[0] for parse, _, _ in PARSERS]


# --- Each of them --------------------------------------------------------------------------


def test_an_invitation() -> None:
    invitation = Invitation.parse(INVITATION)
    assert invitation == Invitation(
        id="orginv_1",
        email_address="new@example.com",
        role="org:member",
        role_name="Member",
        status=InvitationStatus.PENDING,
        organization_id="org_1",
        inviter_id="user_1",
        inviter=PublicUserData.parse(USER),
        created_at=datetime(2026, 8, 10, 0, 0, 0, 123_000, tzinfo=UTC),
        updated_at=datetime(2026, 8, 10, 0, 0, 0, 123_000, tzinfo=UTC),
        expires_at=datetime(2026, 9, 9, tzinfo=UTC),
        url="https://clerk.test/v1/tickets/accept?ticket=s3cret",
        public_metadata={"team": 1},
        private_metadata={"salary": 2},
        mark="",
    )


def test_an_organization() -> None:
    assert Organization.parse(ORGANIZATION) == Organization(
        id="org_1",
        name="Acme",
        slug="acme",
        image_url="https://img.test/1",
        role_set_key="role_set:default",
        max_allowed_memberships=5,
        members_count=3,
        pending_invitations_count=2,
    )


def test_a_membership() -> None:
    membership = Membership.parse(MEMBERSHIP)
    assert membership.permissions == {"org:sys_memberships:manage", "org:x:read"}
    assert (membership.role, membership.role_name) == ("org:admin", "Admin")
    assert membership.organization.id == "org_1"
    assert membership.user is not None
    assert membership.user.user_id == "user_1"


def test_a_role_of_the_instance_has_permissions_and_an_item_of_a_role_set_does_not_say() -> None:
    assert Role.parse(ROLE).permissions == frozenset({"org:a", "org:b"})
    assert Role.parse({**ROLE, "permissions": []}).permissions == frozenset()
    assert RoleSet.parse(ROLE_SET).roles[0].permissions is None


def test_a_role_with_a_permission_that_cannot_be_read_does_not_say(
    subtests: pytest.Subtests,
) -> None:
    for entry in ["org:x", {}, {"key": None}, {"key": ""}, {"key": ["a"]}, None]:
        with subtests.test(entry=entry):
            # Left out, it would make the role look weaker than it is.
            role = Role.parse({**ROLE, "permissions": [{"key": "org:a"}, entry]})
            assert role.permissions is None


def test_a_role_set_keeps_the_order_of_its_roles_and_names_the_default() -> None:
    role_set = RoleSet.parse(ROLE_SET)
    assert [role.key for role in role_set.roles] == ["org:admin", "org:member"]
    assert (role_set.key, role_set.default_role) == ("role_set:default", "org:member")
    assert (role_set.migrating, role_set.migrating_organization_id) == (False, "")


@pytest.mark.parametrize("status", ["enqueued", "in_progress"])
def test_a_running_migration_concerns_all_or_one_organization(status: str) -> None:
    for organization_id in (None, "org_1"):
        migration = {"status": status, "organization_id": organization_id}
        role_set = RoleSet.parse({**ROLE_SET, "role_set_migration": migration})
        assert role_set.migrating
        assert role_set.migrating_organization_id == (organization_id or "")


def test_no_running_migration(subtests: pytest.Subtests) -> None:
    cases: list[Any] = [None, {}, {"status": "completed"}, "in_progress", []]
    for migration in cases:
        with subtests.test(migration=migration):
            assert not RoleSet.parse({**ROLE_SET, "role_set_migration": migration}).migrating


def test_the_settings_of_the_instance() -> None:
    settings = OrganizationSettings.parse(SETTINGS)
    assert settings == OrganizationSettings(
        enabled=True,
        initial_role_set_key="role_set:default",
        domains_default_role="org:member",
    )
    assert not OrganizationSettings.parse({"enabled": False}).enabled


def test_a_person_is_called_by_the_best_name_there_is(subtests: pytest.Subtests) -> None:
    for missing, name in [
        ((), "Ada Lindqvist"),
        (("last_name",), "Ada"),
        (("first_name", "last_name"), "ada@acme.test"),
        (("first_name", "last_name", "identifier"), "user_1"),
    ]:
        with subtests.test(missing=missing, name=name):
            user = PublicUserData.parse({**USER, **dict.fromkeys(missing)})
            assert user is not None
            assert user.name == name


def test_a_person_without_an_id_is_nobody() -> None:
    assert PublicUserData.parse(None) is None
    assert PublicUserData.parse({**USER, "user_id": None}) is None


# --- Statuses and times --------------------------------------------------------------------


def test_exactly_one_of_the_questions_about_a_status_is_answered_yes(
    subtests: pytest.Subtests,
) -> None:
    for status in ["pending", "accepted", "revoked", "expired"]:
        with subtests.test(status=status):
            invitation = Invitation.parse({**INVITATION, "status": status})
            assert invitation.status == status
            yes = [
                name
                for name in ("pending", "accepted", "revoked", "expired")
                if getattr(invitation, f"is_{name}")
            ]
            assert yes == [status]


def test_a_status_that_clerk_invents_is_unknown_and_not_pending(subtests: pytest.Subtests) -> None:
    for status in ["invented", "", None, 5, ["pending"], "PENDING"]:
        with subtests.test(status=status):
            invitation = Invitation.parse({**INVITATION, "status": status})
            assert invitation.status is InvitationStatus.UNKNOWN
            assert not invitation.is_pending


def test_times_are_milliseconds_and_odd_ones_are_none(subtests: pytest.Subtests) -> None:
    value: Any
    for value, time in [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (1_786_320_000_123, datetime(2026, 8, 10, 0, 0, 0, 123_000, tzinfo=UTC)),
        (1_786_320_000_000.0, datetime(2026, 8, 10, tzinfo=UTC)),
        (-1_000, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (None, None),
        (True, None),
        ("1786320000123", None),
        (10**15, None),
        (10**400, None),
        (-(10**400), None),
        (float("nan"), None),
        (float("inf"), None),
        ([], None),
    ]:
        with subtests.test(value=value):
            assert Invitation.parse({**INVITATION, "expires_at": value}).expires_at == time


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC)))
def test_every_time_comes_back_aware_and_to_the_millisecond(time: datetime) -> None:
    milliseconds = (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    parsed = Invitation.parse({**INVITATION, "created_at": milliseconds}).created_at
    assert parsed is not None
    assert parsed.tzinfo is UTC
    assert timedelta(0) <= time - parsed < timedelta(milliseconds=1)


def test_odd_counts_are_none(subtests: pytest.Subtests) -> None:
    for value, count in [
        (0, 0),
        (7, 7),
        (10**30, 10**30),
        (None, None),
        (-1, None),
        (True, None),
        ("5", None),
    ]:
        with subtests.test(value=value, count=count):
            assert (
                Organization.parse({**ORGANIZATION, "members_count": value}).members_count == count
            )


# --- What Clerk adds, leaves out or breaks -------------------------------------------------


def test_fields_that_clerk_adds_are_ignored(subtests: pytest.Subtests) -> None:
    for parse, data, required in PARSERS:
        with subtests.test(parse=parse, data=data, required=required):
            assert parse({**data, "added_tomorrow": {"x": [1]}}) == parse(data)


def test_only_what_identifies_an_object_may_not_be_missing(subtests: pytest.Subtests) -> None:
    for nothing in ["null", "missing"]:
        for parse, data, required in PARSERS:
            with subtests.test(nothing=nothing, parse=parse):
                for name in data:
                    broken = {**data, name: None}
                    if nothing == "missing":
                        del broken[name]
                    if name in required:
                        with pytest.raises(InvalidResponse):
                            parse(broken)
                    else:
                        parse(broken)
                bare = {name: value for name, value in data.items() if name in required}
                parse(bare)


def test_what_is_no_object_is_an_invalid_response(subtests: pytest.Subtests) -> None:
    junk: Any
    for junk in [None, [], "x", 5, True]:
        for parse, *_ in PARSERS[:-1]:
            with subtests.test(junk=junk, parse=parse), pytest.raises(InvalidResponse):
                parse(junk)


junk_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@given(st.sampled_from(PARSERS), st.data())
def test_junk_in_any_field_breaks_nothing_but_that_object(
    case: tuple[Callable[[Any], Any], dict[str, Any], set[str]], draw: st.DataObject
) -> None:
    parse, good, _ = case
    name = draw.draw(st.sampled_from(sorted(good)))
    with contextlib.suppress(InvalidResponse):
        parse({**good, name: draw.draw(junk_values)})


def test_nothing_can_be_changed_afterwards(subtests: pytest.Subtests) -> None:
    for parse, data, required in PARSERS:
        with subtests.test(parse=parse, data=data, required=required):
            thing = parse(data)
            for field in dataclasses.fields(thing):
                with pytest.raises(dataclasses.FrozenInstanceError):
                    setattr(thing, field.name, None)


def test_an_invitations_repr_tells_neither_its_link_nor_its_metadata() -> None:
    text = repr(Invitation.parse(INVITATION))
    assert "s3cret" not in text
    assert "salary" not in text
    assert "team" not in text


def test_names_fall_back_to_keys() -> None:
    assert Invitation.parse({**INVITATION, "role_name": None}).role_name == "org:member"
    assert Membership.parse({**MEMBERSHIP, "role_name": None}).role_name == "org:admin"
    assert Role.parse({"key": "org:x"}).name == "org:x"
    assert Organization.parse({"id": "org_1", "slug": "acme"}).name == "acme"
    assert Organization.parse({"id": "org_1"}).name == "org_1"


# --- Pages ---------------------------------------------------------------------------------


def test_a_page_has_its_rows_and_the_number_of_all() -> None:
    page = Page.parse({"data": [ROLE], "total_count": 40}, Role.parse)
    assert page == Page(data=(Role.parse(ROLE),), total_count=40)


def test_a_page_that_does_not_say_how_many_there_are_counts_its_own(
    subtests: pytest.Subtests,
) -> None:
    for total in [None, -1, "40", True]:
        with subtests.test(total=total):
            assert (
                Page.parse({"data": [ROLE, ROLE], "total_count": total}, Role.parse).total_count
                == 2
            )


def test_what_is_no_page_is_an_invalid_response(subtests: pytest.Subtests) -> None:
    cases: list[Any] = [None, [], [ROLE], {}, {"data": None}, {"data": {}}]
    for body in cases:
        with subtests.test(body=body), pytest.raises(InvalidResponse):
            Page.parse(body, Role.parse)
