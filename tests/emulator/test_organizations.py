"""Organizations, memberships, roles, role sets and people."""

from __future__ import annotations

from typing import Any

import pytest

from org_invitations.emulator import Emulator


def test_an_organization_by_id_or_slug(api: Any) -> None:
    organization = api.get(f"/organizations/{api.acme}")
    assert organization == api.get("/organizations/acme")
    assert organization["role_set_key"] == "role_set:default"
    assert organization["pending_invitations_count"] == 34
    assert "members_count" not in organization
    counted = api.get("/organizations/acme", include_members_count="true")
    assert counted["members_count"] == 10


def test_an_organization_that_is_not_there(api: Any, emulator: Emulator) -> None:
    answer = api.refused("GET", "/organizations/org_2nothing")
    assert answer[:2] == (404, "resource_not_found")
    emulator.configure(organizations={"acme": {"deleted": True}})
    assert api.refused("GET", f"/organizations/{api.acme}")[0] == 404
    assert api.refused("GET", f"/organizations/{api.acme}/memberships")[0] == 404


def test_all_organizations(api: Any, emulator: Emulator) -> None:
    answer = api.get("/organizations", include_members_count="true", order_by="name")
    assert [(o["slug"], o["members_count"]) for o in answer["data"]] == [
        ("acme", 10),
        ("globex", 2),
    ]
    assert api.get("/organizations", query="glob")["total_count"] == 1
    gus = emulator.user("gus@globex.test").id
    assert [o["slug"] for o in api.get("/organizations", user_id=gus)["data"]] == ["globex"]


def test_an_organization_can_be_added(api: Any, emulator: Emulator) -> None:
    added = emulator.add_organization("initech", "Initech", seats=20)
    emulator.add_member("initech", "bo@both.test", "org:admin")
    shown = api.get(f"/organizations/{added.id}", include_members_count="true")
    assert (shown["slug"], shown["name"], shown["members_count"]) == ("initech", "Initech", 1)
    assert shown["max_allowed_memberships"] == 20
    assert api.get("/organizations")["total_count"] == 3
    emulator.reset()
    assert api.get("/organizations")["total_count"] == 2


@pytest.mark.parametrize(
    ("person", "organization", "role", "manages"),
    [
        ("ada@acme.test", "acme", "org:admin", True),
        ("max@acme.test", "acme", "org:member", False),
        ("mia@acme.test", "acme", "org:people_manager", True),
        ("bo@both.test", "acme", "org:admin", True),
        ("bo@both.test", "globex", "org:admin", True),
        ("gus@globex.test", "globex", "org:admin", True),
    ],
)
def test_who_is_what(
    api: Any, emulator: Emulator, person: str, organization: str, role: str, manages: bool
) -> None:
    org_id = emulator.organization(organization).id
    user_id = emulator.user(person).id
    [row] = api.get(f"/organizations/{org_id}/memberships", user_id=user_id)["data"]
    assert row["role"] == role
    assert row["public_user_data"]["user_id"] == user_id
    assert row["public_user_data"]["identifier"] == person
    assert row["organization"]["id"] == org_id
    assert ("org:sys_memberships:manage" in row["permissions"]) is manages


def test_gus_is_no_member_of_acme(api: Any, emulator: Emulator) -> None:
    gus = emulator.user("gus@globex.test").id
    path = f"/organizations/{api.acme}/memberships"
    assert api.get(path, user_id=gus) == {"data": [], "total_count": 0}


def test_members_are_filtered(api: Any, emulator: Emulator) -> None:
    path = f"/organizations/{api.acme}/memberships"
    ada, max_ = emulator.user("ada@acme.test").id, emulator.user("max@acme.test").id
    assert api.get(path)["total_count"] == 10
    assert api.get(path, user_id=[ada, f"+{max_}"])["total_count"] == 2
    assert api.get(path, user_id=f"-{ada}")["total_count"] == 9
    assert api.get(path, email_address=["ADA@acme.test", "nobody@x.co"])["total_count"] == 1
    assert api.get(path, role=["org:admin"])["total_count"] == 2
    assert api.get(path, query="lindq")["total_count"] == 1
    assert api.get(path, email_address_query="BOTH")["total_count"] == 1
    assert api.get(path, name_query="mia t")["total_count"] == 1
    assert api.get(path, username=["ada"])["total_count"] == 0
    emulator.clock.advance(60)
    emulator.add_member("acme", emulator.add_user("late@example.com"))
    seeded = emulator.user("ada@acme.test").created_at
    assert api.get(path, created_at_after=seeded)["total_count"] == 1
    assert api.get(path, created_at_before=seeded + 1)["total_count"] == 10
    assert api.refused("GET", path, query={"created_at_after": "x"})[0] == 422
    flag = api.refused("GET", "/organizations/acme", query={"include_members_count": "maybe"})
    assert flag[2] == {"param_name": "include_members_count"}
    too_many = api.refused("GET", path, query={"user_id": [f"user_{n}" for n in range(101)]})
    assert too_many[:2] == (422, "form_param_array_size_exceeded")


def test_members_are_ordered(api: Any) -> None:
    path = f"/organizations/{api.acme}/memberships"
    names = [
        row["public_user_data"]["first_name"]
        for row in api.get(path, order_by="first_name")["data"]
    ]
    assert names == sorted(names)
    assert api.refused("GET", path, query={"order_by": "role"})[0] == 422


def test_a_membership_can_be_changed_under_the_sites_feet(api: Any, emulator: Emulator) -> None:
    ada = emulator.user("ada@acme.test").id
    path = f"/organizations/{api.acme}/memberships"

    def change(**fields: Any) -> Any:
        row = {"organization": "acme", "user": "ada@acme.test", **fields}
        emulator.configure(memberships=[row])
        return api.get(path, user_id=ada)["data"]

    assert change(role="org:member")[0]["role"] == "org:member"
    assert change(permissions=["org:sys_memberships:read"])[0]["permissions"] == [
        "org:sys_memberships:read"
    ]
    assert change(banned=True)[0]["public_user_data"]["banned"] is True
    assert change(deprovisioned=True)[0]["public_user_data"]["deprovisioned"] is True
    assert change(removed=True) == []


def test_adding_a_member(api: Any, emulator: Emulator) -> None:
    nora = emulator.user("nora@nowhere.test").id
    path = f"/organizations/{api.acme}/memberships"
    row = api.post(path, {"user_id": nora, "role": "org:billing", "public_metadata": {"a": 1}})
    assert (row["role"], row["public_metadata"]) == ("org:billing", {"a": 1})
    again = api.refused("POST", path, body={"user_id": nora, "role": "org:billing"})
    assert again[:2] == (400, "already_a_member_in_organization")
    nobody = api.refused("POST", path, body={"user_id": "user_2x", "role": "org:member"})
    assert nobody[:2] == (404, "resource_not_found")
    gus = emulator.user("gus@globex.test").id
    role = api.refused("POST", path, body={"user_id": gus, "role": "org:guest"})
    assert role == (404, "resource_not_found", {"param_name": "role"})
    emulator.configure(organizations={"acme": {"max_allowed_memberships": 5}})
    full = api.refused("POST", path, body={"user_id": gus, "role": "org:member"})
    assert full[:2] == (403, "organization_membership_quota_exceeded")


def test_a_persons_memberships(api: Any, emulator: Emulator) -> None:
    bo, nora = emulator.user("bo@both.test").id, emulator.user("nora@nowhere.test").id
    answer = api.get(f"/users/{bo}/organization_memberships")
    assert {row["organization"]["slug"] for row in answer["data"]} == {"acme", "globex"}
    assert api.get(f"/users/{nora}/organization_memberships")["total_count"] == 0


def test_a_person(api: Any, emulator: Emulator) -> None:
    ada = emulator.user("ada@acme.test")
    user = api.get(f"/users/{ada.id}")
    [address] = user["email_addresses"]
    assert address["id"] == user["primary_email_address_id"]
    assert address["email_address"] == "ada@acme.test"
    for path in ("", "/organization_invitations"):
        assert api.refused("GET", f"/users/user_2nobody{path}")[0] == 404


def test_roles_of_the_instance_say_their_permissions(api: Any) -> None:
    answer = api.get("/organization_roles", limit=500, order_by="key")
    keys = [role["key"] for role in answer["data"]]
    assert keys == sorted(keys)
    assert len(keys) == answer["total_count"] == 6
    manager = next(role for role in answer["data"] if role["key"] == "org:people_manager")
    types = {p["key"]: p["type"] for p in manager["permissions"]}
    assert types["org:sys_memberships:manage"] == "system"
    assert types["org:reports:read"] == "user"
    assert api.get("/organization_roles", query="people")["total_count"] == 1
    assert api.refused("GET", "/organization_roles", query={"order_by": "id"})[0] == 422


def test_some_role_is_in_no_role_set(api: Any) -> None:
    roles = {role["key"] for role in api.get("/organization_roles")["data"]}
    offered = {r["key"] for s in api.get("/role_sets")["data"] for r in s["roles"]}
    assert roles - offered == {"org:auditor"}


def test_a_role_set_by_key_or_id(api: Any) -> None:
    by_key = api.get("/role_sets/role_set%3Adefault")
    assert by_key == api.get("/role_sets/role_set:default")
    assert by_key == api.get(f"/role_sets/{by_key['id']}")
    assert by_key["default_role"]["key"] == "org:member"
    assert by_key["creator_role"]["key"] == "org:admin"
    assert by_key["type"] == "initial"
    assert "permissions" not in by_key["roles"][0]
    assert "role_set_migration" not in by_key
    assert {r["key"]: r["members_count"] for r in by_key["roles"]}["org:admin"] == 2
    assert api.get("/role_sets/role_set%3Acrew")["default_role"]["key"] == "org:guest"
    assert api.refused("GET", "/role_sets/nothing")[:2] == (404, "resource_not_found")


def test_a_migration_shows_while_it_goes_on(api: Any, emulator: Emulator) -> None:
    emulator.configure(role_migrations={"role_set:default": "acme"})
    migration = api.get("/role_sets/role_set:default")["role_set_migration"]
    assert (migration["status"], migration["organization_id"]) == ("in_progress", api.acme)


def test_the_instances_settings(api: Any, emulator: Emulator) -> None:
    assert api.get("/instance/organization_settings")["initial_role_set_key"] == "role_set:default"
    emulator.configure(initial_role_set_key=None)
    assert api.get("/instance/organization_settings")["initial_role_set_key"] is None
