"""Creating, reading and revoking invitations, as Clerk does it."""

from __future__ import annotations

from typing import Any

import pytest

from org_invitations.emulator import Emulator

DAY = 86_400_000


def test_an_invitation_is_pending_for_thirty_days(api: Any, emulator: Emulator) -> None:
    invitation = api.invite("New.Person@Example.com")
    assert invitation["status"] == "pending"
    assert invitation["email_address"] == "New.Person@Example.com"
    assert invitation["role_name"] == "Member"
    assert invitation["organization_id"] == api.acme
    assert invitation["expires_at"] - invitation["created_at"] == 30 * DAY
    assert invitation["inviter_id"] is None
    assert invitation["public_inviter_data"] is None
    assert invitation["url"].startswith(f"{emulator.base_url}/v1/tickets/accept?ticket=")
    assert invitation["id"].startswith("orginv_")
    assert invitation["id"][7:].isalnum()


def test_everything_that_can_be_sent_is_kept(api: Any, emulator: Emulator) -> None:
    ada = emulator.user("ada@acme.test")
    invitation = api.invite(
        inviter_user_id=ada.id,
        expires_in_days=7,
        public_metadata={"team": "Support"},
        private_metadata={"cost": 7},
        redirect_url="https://app.example.com/welcome",
        notify=True,
    )
    assert invitation["inviter_id"] == ada.id
    assert invitation["public_inviter_data"]["identifier"] == "ada@acme.test"
    assert invitation["expires_at"] - invitation["created_at"] == 7 * DAY
    assert invitation["public_metadata"] == {"team": "Support"}
    assert invitation["private_metadata"] == {"cost": 7}
    assert api.get(f"/organizations/{api.acme}/invitations/{invitation['id']}") == invitation


def test_null_is_as_good_as_nothing_for_optional_fields(api: Any) -> None:
    names = ("inviter_user_id", "public_metadata", "redirect_url", "expires_in_days", "notify")
    invitation = api.invite(**dict.fromkeys(names))
    assert invitation["expires_at"] - invitation["created_at"] == 30 * DAY


@pytest.mark.parametrize(
    ("body", "status", "code", "param_name"),
    [
        ({"role": "org:member"}, 422, "form_param_missing", "email_address"),
        ({"email_address": "a@b.co"}, 422, "form_param_missing", "role"),
        ({"email_address": "", "role": "org:member"}, 422, "form_param_nil", "email_address"),
        ({"email_address": None, "role": "org:member"}, 422, "form_param_nil", "email_address"),
        ({"email_address": "a@b.co", "role": None}, 422, "form_param_nil", "role"),
        ({"email_address": 7, "role": "x"}, 422, "form_param_type_invalid", "email_address"),
    ],
)
def test_address_and_role_are_required(
    api: Any, body: dict[str, Any], status: int, code: str, param_name: str
) -> None:
    answer = api.refused("POST", f"/organizations/{api.acme}/invitations", body=body)
    assert answer == (status, code, {"param_name": param_name})


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "a@b",
        "a b@c.co",
        "a@b..co",
        ".a@b.co",
        "a..b@c.co",
        "a@-b.co",
        "ü@b.co",
        "a@b.co ",
    ],
)
def test_an_address_must_look_like_one(api: Any, address: str) -> None:
    expected = (422, "form_param_format_invalid", {"param_name": "email_address"})
    assert api.refused_invite(address) == expected


@pytest.mark.parametrize(
    "address", ["o'brien@example.com", "a+tag@example.com", "a@sub.example.co.uk", "A_B@X-Y.io"]
)
def test_unusual_addresses_are_good(api: Any, address: str) -> None:
    assert api.invite(address)["email_address"] == address


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("expires_in_days", 0, "form_param_value_invalid"),
        ("expires_in_days", 366, "form_param_value_too_large"),
        ("expires_in_days", "7", "form_param_type_invalid"),
        ("expires_in_days", True, "form_param_type_invalid"),
        ("notify", "yes", "form_param_type_invalid"),
        ("public_metadata", [], "form_param_type_invalid"),
        ("private_metadata", "x", "form_param_type_invalid"),
        ("redirect_url", "/welcome", "form_param_value_invalid"),
        ("redirect_url", "javascript:alert(1)", "form_param_value_invalid"),
        ("inviter_user_id", 7, "form_param_type_invalid"),
        ("email", "a@b.co", "form_param_unknown"),
    ],
)
def test_optional_fields_are_checked(api: Any, field: str, value: Any, code: str) -> None:
    assert api.refused_invite(**{field: value}) == (422, code, {"param_name": field})


@pytest.mark.parametrize("days", [1, 365])
def test_it_may_last_from_a_day_to_a_year(api: Any, days: int) -> None:
    invitation = api.invite(expires_in_days=days)
    assert invitation["expires_at"] - invitation["created_at"] == days * DAY


def test_a_body_must_be_json(api: Any) -> None:
    path = f"/organizations/{api.acme}/invitations"
    assert api.refused("POST", path, body=b"{")[:2] == (400, "request_body_invalid")
    assert api.refused("POST", path, body=[1])[:2] == (400, "request_body_invalid")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = api.refused("POST", path, body=b"email_address=a%40b.co", headers=form)
    assert answer[:2] == (415, "unsupported_content_type")


@pytest.mark.parametrize("role", ["org:guest", "org:auditor", "admin", "org:nonsense"])
def test_only_roles_of_the_organizations_role_set_can_be_given(
    api: Any, emulator: Emulator, role: str
) -> None:
    expected = (404, "resource_not_found", {"param_name": "role"})
    assert api.refused_invite(role=role) == expected
    emulator.configure(role_error="form_param_value_invalid")
    assert api.refused_invite(role=role)[:2] == (422, "form_param_value_invalid")


def test_another_organization_has_another_role_set(api: Any) -> None:
    path = f"/organizations/{api.globex}/invitations"
    body = {"email_address": "new@example.com", "role": "org:guest"}
    assert api.post(path, body)["role_name"] == "Guest"
    answer = api.refused("POST", path, body={**body, "role": "org:people_manager"})
    assert answer[:2] == (404, "resource_not_found")


def test_without_a_role_set_the_initial_one_counts(api: Any, emulator: Emulator) -> None:
    emulator.configure(organizations={"acme": {"role_set_key": None}})
    assert api.get("/organizations/acme")["role_set_key"] is None
    assert api.refused_invite(role="org:auditor")[0] == 404
    emulator.configure(initial_role_set_key=None)
    assert api.invite(role="org:auditor")["role_name"] == "Auditor"


def test_nobody_is_invited_twice(api: Any, emulator: Emulator) -> None:
    api.invite("twice@example.com")
    expected = (400, "organization_invitation_not_unique", None)
    assert api.refused_invite("TWICE@Example.com") == expected
    emulator.configure(single_duplicate_code="duplicate_record")
    meta = {"email_addresses": ["Twice@example.com"]}
    assert api.refused_invite("Twice@example.com") == (400, "duplicate_record", meta)


def test_after_revoking_or_expiry_the_address_is_free(api: Any, emulator: Emulator) -> None:
    first = api.invite("again@example.com")
    api.post(f"/organizations/{api.acme}/invitations/{first['id']}/revoke")
    second = api.invite("again@example.com", expires_in_days=1)
    assert second["id"] != first["id"]
    emulator.clock.advance(86_400)
    api.invite("again@example.com")
    found = api.invitations(email_address="again@example.com")["data"]
    assert [row["status"] for row in found] == ["pending", "expired", "revoked"]


def test_members_cannot_be_invited(api: Any) -> None:
    expected = (400, "already_a_member_in_organization", None)
    assert api.refused_invite("Max@Acme.test") == expected
    assert api.invite("gus@globex.test")["status"] == "pending"


def test_the_error_for_a_member_names_the_address(api: Any) -> None:
    body = {"email_address": "max@acme.test", "role": "org:member"}
    answer = api.call("POST", f"/organizations/{api.acme}/invitations", body=body)
    assert answer.json["errors"][0]["long_message"] == (
        "max@acme.test is already a member of the organization."
    )


@pytest.mark.parametrize("manager", ["ada@acme.test", "mia@acme.test", "bo@both.test"])
def test_who_manages_members_may_invite_and_revoke(
    api: Any, emulator: Emulator, manager: str
) -> None:
    user_id = emulator.user(manager).id
    invitation = api.invite(inviter_user_id=user_id)
    path = f"/organizations/{api.acme}/invitations/{invitation['id']}/revoke"
    assert api.post(path, {"requesting_user_id": user_id})["status"] == "revoked"


@pytest.mark.parametrize(
    ("person", "status", "code"),
    [
        ("max@acme.test", 403, "missing_organization_permission"),
        ("gus@globex.test", 403, "not_a_member_in_organization"),
        ("nora@nowhere.test", 403, "not_a_member_in_organization"),
    ],
)
def test_nobody_else_may(api: Any, emulator: Emulator, person: str, status: int, code: str) -> None:
    user_id = emulator.user(person).id
    pending = emulator.invitations("acme", "pending")[0]
    path = f"/organizations/{api.acme}/invitations/{pending.id}/revoke"
    assert api.refused_invite(inviter_user_id=user_id)[:2] == (status, code)
    body = {"requesting_user_id": user_id}
    assert api.refused("POST", path, body=body)[:2] == (status, code)
    assert emulator.invitations("acme", "pending")[0] is pending


def test_an_unknown_inviter_is_not_found(api: Any, emulator: Emulator) -> None:
    assert api.refused_invite(inviter_user_id="user_2nobody")[:2] == (404, "resource_not_found")
    emulator.configure(inviter_error="not_an_admin_in_organization")
    user_id = emulator.user("max@acme.test").id
    expected = (403, "not_an_admin_in_organization", None)
    assert api.refused_invite(inviter_user_id=user_id) == expected


def test_a_blocklist_and_an_allowlist(api: Any, emulator: Emulator) -> None:
    emulator.configure(blocked_domains=["example.com", "one@else.test"])
    meta = {"identifiers": ["Some@Example.com"]}
    assert api.refused_invite("Some@Example.com") == (403, "not_allowed_access", meta)
    assert api.refused_invite("one@else.test")[1] == "not_allowed_access"
    assert api.invite("two@else.test")["status"] == "pending"
    emulator.configure(blocked_domains=[], allowed_domains=["else.test"])
    assert api.refused_invite("some@example.com")[1] == "not_allowed_access"
    assert api.invite("three@else.test")["status"] == "pending"


def test_members_and_pending_invitations_share_the_seats(api: Any, emulator: Emulator) -> None:
    organization = api.get("/organizations/acme", include_members_count="true")
    taken = organization["members_count"] + organization["pending_invitations_count"]
    emulator.configure(organizations={"acme": {"max_allowed_memberships": taken + 1}})
    api.invite("last@example.com")
    expected = (403, "organization_membership_quota_exceeded", None)
    assert api.refused_invite("more@example.com") == expected
    emulator.configure(quota_error="insufficient_seats")
    meta = {"seats_quantity": taken + 2}
    assert api.refused_invite("more@example.com") == (402, "insufficient_seats", meta)
    emulator.configure(organizations={"acme": {"max_allowed_memberships": 0}})
    assert api.invite("more@example.com")["status"] == "pending"


def test_no_invitation_during_a_role_set_migration(api: Any, emulator: Emulator) -> None:
    emulator.configure(role_migrations={"role_set:default": True})
    assert api.refused_invite()[:2] == (409, "role_migration_in_progress")
    emulator.configure(role_migrations={"role_set:default": "globex"})
    assert api.invite("one@example.com")["status"] == "pending"
    emulator.configure(role_migrations={"role_set:default": False})
    assert api.invite("two@example.com")["status"] == "pending"


def test_revoking(api: Any, emulator: Emulator) -> None:
    pending = emulator.invitations("acme", "pending")[0]
    path = f"/organizations/{api.acme}/invitations/{pending.id}"
    emulator.clock.advance(60)
    revoked = api.post(f"{path}/revoke")
    assert (revoked["status"], revoked["url"]) == ("revoked", None)
    assert revoked["updated_at"] >= revoked["created_at"] + 60_000
    assert api.get(path) == revoked
    again = api.refused("POST", f"{path}/revoke", body={"requesting_user_id": None})
    assert again == (404, "organization_invitation_not_pending", None)


@pytest.mark.parametrize("status", ["accepted", "revoked", "expired"])
def test_only_what_is_pending_can_be_revoked(api: Any, emulator: Emulator, status: str) -> None:
    row = emulator.invitations("acme", status)[0]
    answer = api.refused("POST", f"/organizations/{api.acme}/invitations/{row.id}/revoke")
    assert answer == (404, "organization_invitation_not_pending", None)


def test_one_organization_does_not_see_another_ones_invitations(
    api: Any, emulator: Emulator
) -> None:
    foreign = emulator.invitations("globex", "pending")[0]
    path = f"/organizations/{api.acme}/invitations/{foreign.id}"
    assert api.refused("GET", path)[:2] == (404, "resource_not_found")
    assert api.refused("POST", f"{path}/revoke")[:2] == (404, "resource_not_found")
    assert foreign.status(emulator.clock.now_ms()) == "pending"
    listed = api.invitations(limit=500)["data"]
    assert {row["organization_id"] for row in listed} == {api.acme}


def test_an_organization_is_named_by_its_id_everywhere_but_in_get(api: Any) -> None:
    assert api.get("/organizations/acme")["id"] == api.acme
    answer = api.refused("GET", "/organizations/acme/invitations")
    assert answer[:2] == (404, "resource_not_found")


def test_ids_cannot_climb_out_of_their_place(api: Any) -> None:
    for path in ("..%2F..%2Fjwks", "%2e%2e", "orginv_x%2Frevoke"):
        answer = api.refused("GET", f"/organizations/{api.acme}/invitations/{path}")
        assert answer[:2] == (404, "resource_not_found")


def test_time_makes_an_invitation_expire(api: Any, emulator: Emulator) -> None:
    invitation = api.invite(expires_in_days=1)
    path = f"/organizations/{api.acme}/invitations/{invitation['id']}"
    emulator.clock.advance(86_400 - 60)
    assert api.get(path)["status"] == "pending"
    emulator.clock.advance(60)
    expired = api.get(path)
    assert (expired["status"], expired["url"]) == ("expired", None)
    assert expired["expires_at"] == invitation["expires_at"]


def test_deleting_the_inviter_leaves_the_invitation(api: Any, emulator: Emulator) -> None:
    invitation = api.invite(inviter_user_id=emulator.user("mia@acme.test").id)
    emulator.configure(users={"mia@acme.test": {"deleted": True}})
    found = api.get(f"/organizations/{api.acme}/invitations/{invitation['id']}")
    assert (found["inviter_id"], found["public_inviter_data"]) == (None, None)
    assert found["status"] == "pending"
