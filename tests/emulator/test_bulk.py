"""Several invitations in one call: at most ten; all of them or none, unless ordered otherwise."""

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


def test_a_member_may_be_named_by_id_instead(api: Any, emulator: Emulator) -> None:
    path = f"/organizations/{api.acme}/invitations/bulk"
    body = wishes("good@example.com", "max@acme.test")
    answer = api.call("POST", path, body=body)
    assert answer.json["errors"][0]["long_message"].startswith("max@acme.test is already a member")
    emulator.configure(member_error_names="user_id")
    answer = api.call("POST", path, body=body)
    user_id = emulator.user("max@acme.test").id
    assert answer.json["errors"][0]["long_message"].startswith(f"User {user_id} is already")


def test_whoever_belongs_to_another_organization_is_free_to_join_unless_told_otherwise(
    api: Any, emulator: Emulator
) -> None:
    body = wishes("good@example.com", "gus@globex.test")
    emulator.configure(exclusive_membership=True)
    assert refused(api, body) == (422, "exclusive_organization_membership", None)
    expected = (422, "exclusive_organization_membership", None)
    assert api.refused_invite("gus@globex.test") == expected
    assert api.refused_invite("max@acme.test")[1] == "already_a_member_in_organization"
    assert api.invite("nora@nowhere.test")["status"] == "pending"
    emulator.configure(exclusive_membership=False)
    assert api.post(f"/organizations/{api.acme}/invitations/bulk", body)["total_count"] == 2


def test_nobody_is_mailed_where_no_mail_is_wanted(api: Any, emulator: Emulator) -> None:
    before = set(emulator.state.mails)
    body = wishes("a@example.com", notify=False) + wishes("b@example.com", notify=True)
    rows = api.post(f"/organizations/{api.acme}/invitations/bulk", body)["data"]
    mails = [mail.to for id_, mail in emulator.state.mails.items() if id_ not in before]
    assert mails == ["b@example.com"]
    assert all(row["url"] for row in rows)


# --- Not all or nothing: Clerk does not say ----------------------------------------------------


@pytest.fixture
def partial(emulator: Emulator) -> Emulator:
    emulator.configure(bulk_atomic=False, blocked_domains=["bad.example"])
    return emulator


def made(api: Any, body: Any) -> tuple[int, str, list[str]]:
    """What a refused bulk call says, and whom it has invited all the same."""
    before = {row["id"] for row in api.invitations(limit=500)["data"]}
    answer = api.refused("POST", f"/organizations/{api.acme}/invitations/bulk", body=body)
    rows = api.invitations(limit=500, order_by="+created_at")["data"]
    return (*answer[:2], [row["email_address"] for row in rows if row["id"] not in before])


def test_a_refused_call_may_have_made_the_others(api: Any, partial: Emulator) -> None:
    body = wishes("a@example.com", "b@bad.example", "c@example.com")
    expected = ["a@example.com", "c@example.com"]
    assert made(api, body) == (403, "not_allowed_access", expected)
    assert [mail.to for mail in partial.state.mails.values()][-2:] == expected
    body = wishes("d@example.com", *expected)
    assert made(api, body) == (400, "duplicate_record", ["d@example.com"])


def test_as_many_as_there_are_seats(api: Any, partial: Emulator) -> None:
    partial.configure(organizations={"acme": {"max_allowed_memberships": 46}})
    body = wishes("a@example.com", "b@example.com", "c@example.com")
    expected = (403, "organization_membership_quota_exceeded", ["a@example.com", "b@example.com"])
    assert made(api, body) == expected


@pytest.mark.parametrize(
    "body",
    [
        wishes(*(f"person{number}@example.com" for number in range(11))),
        [*wishes("a@example.com"), {"email_address": "b@example.com"}],
        [*wishes("a@example.com"), None],
    ],
    ids=["too many", "a field misses", "not an object"],
)
def test_but_nothing_of_a_body_that_is_none(api: Any, partial: Emulator, body: Any) -> None:
    assert made(api, body)[2] == []


def test_a_call_without_a_fault_is_as_ever(api: Any, partial: Emulator) -> None:
    answer = api.post(f"/organizations/{api.acme}/invitations/bulk", wishes("a@b.co", "b@b.co"))
    assert answer["total_count"] == 2


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_it_is_one_or_the_other(emulator: Emulator, value: Any) -> None:
    for name in ("bulk_atomic", "exclusive_membership"):
        with pytest.raises(ValueError, match=name):
            emulator.configure(**{name: value})


# --- Trouble -----------------------------------------------------------------------------------


def test_a_fault_can_be_ordered_for_the_third_call(api: Any, emulator: Emulator) -> None:
    path = f"/organizations/{api.acme}/invitations/bulk"
    emulator.fault("POST", "*/invitations/bulk", times=2)
    emulator.fault("POST", "*/invitations/bulk", status=429, headers={"Retry-After": "9"})
    api.checked = False  # a fault's answer is whatever was ordered
    answers = [
        api.call("POST", path, body=wishes(f"a{number}@b.co", f"b{number}@b.co"))
        for number in range(4)
    ]
    assert [answer.status for answer in answers] == [200, 200, 429, 200]
    assert answers[2].header("retry-after") == "9"
