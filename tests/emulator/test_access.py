"""Keys, versions and rate limits of the Backend API."""

from __future__ import annotations

from typing import Any

import pytest

from org_invitations.emulator import PRODUCTION_SECRET_KEY, SECRET_KEY, Emulator


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "authentication_invalid"),
        ("Bearer sk_test_wrong", "clerk_key_invalid"),
        (SECRET_KEY, "authorization_header_format_invalid"),
        ("Bearer ", "authorization_header_format_invalid"),
        (f"Basic {SECRET_KEY}", "authorization_header_format_invalid"),
    ],
)
def test_a_wrong_key_is_refused(api: Any, authorization: str, code: str) -> None:
    headers = {"Authorization": authorization}
    assert api.refused("GET", "/organizations/acme", headers=headers) == (401, code, None)
    assert api.refused("GET", "/jwks", headers=headers) == (401, code, None)


def test_the_keys_of_both_kinds_of_instance_are_good(api: Any) -> None:
    headers = {"Authorization": f"Bearer {PRODUCTION_SECRET_KEY}"}
    assert api.call("GET", "/organizations/acme", headers=headers).status == 200


def test_the_version_comes_once(api: Any, emulator: Emulator) -> None:
    header = {"Clerk-API-Version": "2026-05-12"}
    query = {"__clerk_api_version": "2026-05-12"}
    path = "/organizations/acme"
    assert api.call("GET", path).status == 200
    assert api.call("GET", path, headers=header).status == 200
    assert api.call("GET", path, query=query).status == 200
    both = api.refused("GET", path, headers=header, query=query)
    assert both[:2] == (400, "api_version_invalid")
    bad = api.refused("GET", path, headers={"Clerk-API-Version": "latest"})
    assert bad[:2] == (400, "api_version_invalid")
    versions = [call.headers.get("clerk-api-version") for call in emulator.requests]
    assert versions == [None, "2026-05-12", None, "2026-05-12", "latest"]


def test_what_is_not_there(api: Any) -> None:
    assert api.refused("GET", "/nothing")[:2] == (404, "resource_not_found")
    answer = api.call("DELETE", "/organizations")
    assert (answer.status, answer.header("allow")) == (405, "GET, POST")


@pytest.mark.parametrize(("kind", "limit"), [("development", 100), ("production", 1000)])
def test_so_many_requests_in_ten_seconds(
    api: Any, emulator: Emulator, kind: str, limit: int
) -> None:
    emulator.clock.freeze()
    emulator.configure(kind=kind)
    for _ in range(limit):
        emulator.limiter.hit("requests", limit, 10, emulator.clock.now())
    answer = api.call("GET", "/organizations/acme")
    assert (answer.status, answer.header("retry-after")) == (429, "10")
    assert answer.json["errors"][0]["code"] == "too_many_requests"
    assert api.call("GET", "/jwks").status == 200
    emulator.clock.advance(7.5)
    assert api.call("GET", "/organizations/acme").header("retry-after") == "3"
    emulator.clock.advance(2.5)
    assert api.call("GET", "/organizations/acme").status == 200


def test_250_single_invitations_an_hour(api: Any, emulator: Emulator) -> None:
    emulator.clock.freeze()
    emulator.configure(
        requests_per_10_seconds=1000, organizations={"acme": {"max_allowed_memberships": 0}}
    )
    for number in range(250):
        api.invite(f"person{number}@example.com")
    emulator.clock.advance(1200)
    body = {"email_address": "more@example.com", "role": "org:member"}
    for organization in (api.acme, api.globex):
        path = f"/organizations/{organization}/invitations"
        answer = api.call("POST", path, body=body)
        assert (answer.status, answer.header("retry-after")) == (429, "2400")
    bulk = api.post(f"/organizations/{api.acme}/invitations/bulk", [body])
    assert bulk["total_count"] == 1
    emulator.clock.advance(2400)
    api.invite("still.more@example.com")


def test_50_bulk_requests_an_hour(api: Any, emulator: Emulator) -> None:
    path = f"/organizations/{api.acme}/invitations/bulk"
    emulator.clock.freeze()
    for _ in range(50):
        assert api.refused("POST", path, body=[])[0] == 400
    assert api.refused("POST", path, body=[])[:2] == (429, "too_many_requests")
    api.invite("single@example.com")


def test_limits_can_be_set_and_taken_away(api: Any, emulator: Emulator) -> None:
    emulator.configure(rate_limits={"requests": 2, "single": 1})
    api.invite("one@example.com")
    assert api.refused_invite("two@example.com")[0] == 429
    assert api.refused("GET", "/organizations/acme")[0] == 429
    emulator.configure(rate_limits=False)
    api.invite("two@example.com")
