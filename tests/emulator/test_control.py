"""``/_emulator/*``: the same orders over HTTP as from Python."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import jwt
import pytest

from org_invitations.emulator import JWT_KEY, SECRET_KEY, Emulator, EmulatorRequest
from org_invitations.emulator.settings import CHOICES, InstanceSettings
from org_invitations.emulator.unknowns import OPEN_QUESTIONS


@pytest.fixture
def order(emulator: Emulator) -> Any:
    def send(method: str, name: str, body: Any = None, status: int = 200) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        url = f"{emulator.base_url}/_emulator/{name}"
        answer = emulator.handle(EmulatorRequest(method, url, {}, content))
        assert answer.status == status, answer.json
        return answer.json

    return send


def test_moving_the_clock(order: Any, emulator: Emulator) -> None:
    start = order("GET", "clock")["now"]
    assert order("POST", "clock", {"advance": 3600})["now"] == pytest.approx(start + 3600, abs=5)
    assert order("POST", "clock", {"set": 1_800_000_000, "frozen": True}) == {
        "now": 1_800_000_000,
        "frozen": True,
    }
    assert order("POST", "clock", {"advance": 1})["now"] == 1_800_000_001
    assert emulator.clock.now_ms() == 1_800_000_001_000
    moved = order("POST", "clock", {"frozen": False})
    assert moved["now"] == pytest.approx(1_800_000_001, abs=5)
    assert order("POST", "clock", {"reset": True})["now"] == pytest.approx(start, abs=5)
    assert "error" in order("POST", "clock", {"forward": 1}, 400)


def test_ordering_and_clearing_faults(order: Any, api: Any) -> None:
    body = {"method": "GET", "path": "/v1/jwks", "times": None, "status": 503, "body": "down"}
    [fault] = order("POST", "faults", body)["faults"]
    assert fault["status"] == 503
    assert fault["times"] is None
    assert order("GET", "faults")["faults"] == [fault]
    assert order("DELETE", "faults") == {"faults": []}
    assert api.get("/jwks")
    assert "error" in order("POST", "faults", {"garbage": "x"}, 400)
    assert "error" in order("POST", "faults", {"nonsense": "x"}, 400)


def test_letting_what_is_late_take_effect(order: Any, api: Any) -> None:
    api.checked = False
    order(
        "POST", "faults", {"method": "POST", "path": "*/invitations", "late": True, "status": 504}
    )
    body = {"email_address": "new@example.com", "role": "org:member"}
    assert api.call("POST", f"/organizations/{api.acme}/invitations", body=body).status == 504
    assert order("POST", "late") == {"finished": 1}
    assert api.invitations(email_address="new@example.com")["total_count"] == 1


def test_a_scanner_tells_counts_and_no_link(order: Any, emulator: Emulator) -> None:
    emulator.add_invitation("acme", "new@example.com")
    told = order("POST", "scan", {"to": "new@example.com"})
    assert told == {"opened": 2, "answers": {"GET 302": 1, "HEAD 204": 1}}
    assert "error" in order("POST", "scan", {"from": "x"}, 400)


def test_the_list_of_calls(order: Any, api: Any, browser: Any) -> None:
    api.invitations(status=["pending", "expired"], limit=1)
    api.invite()
    api.refused("GET", f"/organizations/{api.acme}/invitations/orginv_x")
    browser.open("/sign-in")
    listed = order("GET", "requests")
    first, second, third = listed["requests"]
    assert first["path"] == f"/v1/organizations/{api.acme}/invitations"
    assert first["query"] == {"status": ["pending", "expired"], "limit": ["1"]}
    assert (first["method"], first["body"], first["status"]) == ("GET", None, 200)
    assert second["body"] == {"email_address": "new@example.com", "role": "org:member"}
    assert third["status"] == 404
    assert first["at"] <= third["at"]
    [page] = listed["browser"]
    assert (page["api"], page["path"]) == ("page", "/sign-in")
    assert SECRET_KEY not in json.dumps(listed)
    assert order("DELETE", "requests") == {"requests": [], "browser": []}


def test_changing_the_instance(order: Any, api: Any) -> None:
    instance = order("POST", "instance", {"kind": "production", "rate_limits": False})
    assert instance["publishable_key"].startswith("pk_live_")
    assert order("GET", "instance") == instance
    order("POST", "instance", {"organizations": {"acme": {"role_set_key": None}}})
    assert api.get("/organizations/acme")["role_set_key"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "staging"},
        {"nonsense": 1},
        {"rate_limits": "off"},
        {"rate_limits": {"hourly": 1}},
        {"requests_per_10_seconds": -1},
        {"blocked_domains": "example.com"},
        {"organizations": {"umbrella": {}}},
        {"organizations": {"acme": {"size": 1}}},
        {"organizations": {"acme": {"role_set_key": "x"}}},
        {"memberships": [{"organization": "acme", "user": "nora@nowhere.test"}]},
        {"memberships": [{"organization": "acme", "user": "ada@acme.test", "role": "x"}]},
        {"users": {"nobody@x.co": {}}},
        {"users": {"nora@nowhere.test": {"other_addresses": ["x@x.co"]}}},
        {"redirect_query_lost": ["sign_out"]},
        {"role_migrations": {"x": True}},
        [],
        "x",
    ],
)
def test_a_senseless_change_is_refused(order: Any, body: Any) -> None:
    assert order("POST", "instance", body, 400)["error"]


def test_rotating_the_keys(order: Any, api: Any) -> None:
    answer = order("POST", "keys", {"keep_old": True})
    assert answer["jwt_key"] != JWT_KEY
    assert api.get("/jwks")["keys"][0]["kid"] == answer["kid"]


def test_ordering_a_token(order: Any, emulator: Emulator) -> None:
    body = {
        "user": "bo@both.test",
        "organization": "globex",
        "issued_ago": 30,
        "version": 1,
        "claims": {"azp": None},
    }
    answer = order("POST", "tokens", body)
    claims = jwt.decode(answer["token"], JWT_KEY, algorithms=["RS256"])
    assert (claims["org_slug"], "azp" in claims) == ("globex", False)
    assert answer["cookies"]["__session"] == answer["token"]
    assert "error" in order("POST", "tokens", {"user": "nobody@x.co"}, 400)
    assert "error" in order("POST", "tokens", {"user": "bo@both.test", "age": 1}, 400)


def test_starting_over(order: Any, api: Any, emulator: Emulator) -> None:
    api.invite()
    order("POST", "clock", {"advance": 1e6})
    order("POST", "faults", {"times": None, "status": 503})
    order("POST", "keys")
    order("POST", "instance", {"kind": "production"})
    order("POST", "reset")
    assert api.invitations()["total_count"] == 62
    assert emulator.settings.kind == "development"
    assert emulator.jwt_key == JWT_KEY
    assert len(emulator.requests) == 1


def test_what_can_be_ordered_is_told(order: Any) -> None:
    assert "POST /_emulator/reset" in order("GET", "nothing", status=404)["known"]


def test_every_choice_that_is_said_to_be_a_setting_is_one(emulator: Emulator) -> None:
    named = {setting for _, _, setting in OPEN_QUESTIONS if setting}
    assert named - set(asdict(emulator.settings)) == {"same_kid"}
    for setting in named & set(CHOICES):
        for value in CHOICES[setting][::-1]:
            emulator.configure(**{setting: value})
    assert emulator.settings == InstanceSettings()
