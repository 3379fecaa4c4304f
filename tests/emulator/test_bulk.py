"""Several invitations in one call: at most ten, and all of them or none."""

from __future__ import annotations

from typing import Any

import pytest

from org_invitations.emulator import Emulator


def wishes(*addresses: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"email_address": a, "role": "org:member", **fields} for a in addresses]


def refused(api: Any, body: Any) -> Any:
    before = api.invitations()["total_count"]
    answer = api.refused("POST", f"/organizations/{api.acme}/invitations/bulk", body=body)
    assert api.invitations()["total_count"] == before
    return answer


def test_ten_at_once(api: Any) -> None:
    addresses = [f"person{number}@example.com" for number in range(10)]
    answer = api.post(f"/organizations/{api.acme}/invitations/bulk", wishes(*addresses))
    assert [row["email_address"] for row in answer["data"]] == addresses
    assert answer["total_count"] == 10
    newest = api.invitations(limit=10)["data"]
    assert [row["email_address"] for row in newest] == addresses[::-1]


def test_each_has_its_own_role(api: Any) -> None:
    body = wishes("a@example.com") + wishes("b@example.com", role="org:admin")
    answer = api.post(f"/organizations/{api.acme}/invitations/bulk", body)
    assert [row["role"] for row in answer["data"]] == ["org:member", "org:admin"]


def test_eleven_are_too_many(api: Any) -> None:
    addresses = [f"person{number}@example.com" for number in range(11)]
    assert refused(api, wishes(*addresses))[:2] == (400, "bulk_size_exceeded")


@pytest.mark.parametrize("body", [[], {}, {"email_addresses": ["a@b.co"], "role": "x"}, None])
def test_the_body_is_a_list(api: Any, body: Any) -> None:
    assert refused(api, body)[:2] == (400, "request_body_invalid")


def test_a_field_may_miss_in_none(api: Any) -> None:
    body = [*wishes("a@example.com"), {"email_address": "b@example.com"}]
    assert refused(api, body) == (422, "form_param_missing", {"param_name": "role"})


def test_malformed_addresses_are_named(api: Any, emulator: Emulator) -> None:
    body = wishes("good@example.com", "bad", "worse@")
    meta = {"email_addresses": ["bad", "worse@"]}
    assert refused(api, body) == (422, "form_param_format_invalid", meta)
    emulator.configure(bulk_format_meta="param_name")
    assert refused(api, body)[2] == {"param_name": "email_address"}


def test_pending_addresses_are_named(api: Any, emulator: Emulator) -> None:
    taken = [row.email_address for row in emulator.invitations("acme", "pending")[:2]]
    body = wishes("good@example.com", *taken)
    assert refused(api, body) == (400, "duplicate_record", {"email_addresses": taken})
    emulator.configure(bulk_duplicate_code="organization_invitation_not_unique")
    assert refused(api, body) == (400, "organization_invitation_not_unique", None)


def test_an_address_comes_once(api: Any) -> None:
    answer = refused(api, wishes("a@example.com", "A@example.com"))
    assert answer == (422, "form_param_duplicate", {"param_name": "email_address"})


def test_blocked_addresses_are_named(api: Any, emulator: Emulator) -> None:
    emulator.configure(blocked_domains=["bad.example"])
    body = wishes("a@bad.example", "b@good.example", "c@bad.example")
    meta = {"identifiers": ["a@bad.example", "c@bad.example"]}
    assert refused(api, body) == (403, "not_allowed_access", meta)


def test_one_member_among_them_stops_all(api: Any) -> None:
    body = wishes("good@example.com", "max@acme.test")
    assert refused(api, body) == (400, "already_a_member_in_organization", None)


def test_one_foreign_role_stops_all(api: Any) -> None:
    body = wishes("a@example.com") + wishes("b@example.com", role="org:guest")
    assert refused(api, body)[:2] == (404, "resource_not_found")


def test_the_seats_must_do_for_all(api: Any, emulator: Emulator) -> None:
    emulator.configure(organizations={"acme": {"max_allowed_memberships": 46}})
    body = wishes("a@example.com", "b@example.com", "c@example.com")
    assert refused(api, body)[:2] == (403, "organization_membership_quota_exceeded")
    path = f"/organizations/{api.acme}/invitations/bulk"
    assert api.post(path, body[:2])["total_count"] == 2
