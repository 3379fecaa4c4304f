"""Faults on order, without a socket."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from org_invitations.emulator import (
    ConnectionDropped,
    Emulator,
    EmulatorRequest,
    EmulatorResponse,
)

INVITE = "/v1/organizations/*/invitations"


def test_a_status_with_body_and_headers_takes_the_place_of_the_call(
    api: Any, emulator: Emulator
) -> None:
    body = {"errors": [{"code": "x", "message": "x", "long_message": "x"}]}
    emulator.fault("POST", INVITE, status=429, headers={"Retry-After": "7"}, body=body)
    wish = {"email_address": "new@example.com", "role": "org:member"}
    answer = api.call("POST", f"/organizations/{api.acme}/invitations", body=wish)
    assert (answer.status, answer.header("retry-after"), answer.json) == (429, "7", body)
    assert api.invitations(email_address="new@example.com")["total_count"] == 0
    api.invite()
    assert [call.status for call in emulator.requests] == [429, 200, 200]


def test_a_fault_hits_only_what_it_names(api: Any, emulator: Emulator) -> None:
    emulator.fault("POST", "/v1/organizations/*/invitations/bulk", status=503, times=None)
    emulator.fault("GET", "/v1/jwks", status=503, times=None)
    api.invite()
    assert api.get("/organizations/acme")["slug"] == "acme"


def test_so_many_times(api: Any, emulator: Emulator) -> None:
    api.checked = False
    emulator.fault("GET", "/v1/jwks", times=2, status=500, body={"errors": []})
    statuses = [api.call("GET", "/jwks").status for _ in range(3)]
    assert statuses == [500, 500, 200]
    emulator.fault(path="/v1/jwks", times=None, status=500, body={"errors": []})
    assert [api.call("GET", "/jwks").status for _ in range(3)] == [500] * 3
    emulator.faults.clear()
    assert api.call("GET", "/jwks").status == 200


@pytest.mark.parametrize(("drop", "made"), [("before", 0), ("after", 1)])
def test_a_connection_dropped_before_or_after_the_write(
    api: Any, emulator: Emulator, drop: str, made: int
) -> None:
    emulator.fault("POST", INVITE, drop=drop)
    with pytest.raises(ConnectionDropped) as caught:
        api.invite("dropped@example.com")
    assert caught.value.after_write is (drop == "after")
    assert emulator.requests[-1].status is None
    assert api.invitations(email_address="dropped@example.com")["total_count"] == made


def test_a_delay_is_spent_after_the_write(emulator: Emulator) -> None:
    emulator.fault(delay=30)
    slept: list[float] = []
    request = EmulatorRequest("GET", f"{emulator.base_url}/.well-known/jwks.json")
    answer = emulator.handle(request, sleep=slept.append)
    assert (answer.status, slept) == (200, [30])


@pytest.mark.parametrize("garbage", ["html", "invalid-json", "wrong-json", "empty", "truncated"])
def test_garbage_hides_a_write_that_happened(api: Any, emulator: Emulator, garbage: str) -> None:
    emulator.fault("POST", INVITE, garbage=garbage)
    request = EmulatorRequest(
        "POST",
        f"{emulator.base_url}/v1/organizations/{api.acme}/invitations",
        {"Authorization": f"Bearer {emulator.secret_key}", "Content-Type": "application/json"},
        b'{"email_address": "garbled@example.com", "role": "org:member"}',
    )
    answer = emulator.handle(request)
    assert answer.status == 200
    assert b"organization_invitation" not in answer.body[-30:]
    assert (answer.header("content-type") or "").startswith("text/html") is (garbage == "html")
    assert (answer.content_length is not None) is (garbage == "truncated")
    assert api.invitations(email_address="garbled@example.com")["total_count"] == 1


def test_a_huge_answer_is_made_piece_by_piece(emulator: Emulator) -> None:
    emulator.fault(garbage="huge", write=False)
    answer = emulator.handle(EmulatorRequest("GET", f"{emulator.base_url}/v1/jwks"))
    assert answer.stream is not None
    assert answer.body == b""
    sizes = [len(chunk) for chunk in answer.stream()]
    assert sum(sizes) == answer.content_length == 50 * 1024 * 1024
    assert max(sizes) <= 64 * 1024


@pytest.mark.parametrize(
    "order",
    [
        {"drop": "sometimes"},
        {"garbage": "x"},
        {"times": 0},
        {"delay": -1},
        {"delay": "1"},
        {"status": 99},
        {"nonsense": 1},
        {"replace": ["id"]},
        {"remove": "id"},
        {"late": True, "garbage": "html"},
        {"late": True, "drop": "after"},
    ],
)
def test_a_senseless_order_is_refused(emulator: Emulator, order: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        emulator.fault(**order)
    assert emulator.faults.orders == []


def _send(emulator: Emulator, api: Any, address: str = "new@example.com") -> EmulatorResponse:
    body = json.dumps({"email_address": address, "role": "org:member"}).encode()
    url = f"{emulator.base_url}/v1/organizations/{api.acme}/invitations"
    headers = {
        "Authorization": f"Bearer {emulator.secret_key}",
        "Content-Type": "application/json",
    }
    return emulator.handle(EmulatorRequest("POST", url, headers, body))


def test_what_takes_effect_late_does_so_when_it_is_let(api: Any, emulator: Emulator) -> None:
    emulator.fault("POST", INVITE, late=True)
    with pytest.raises(ConnectionDropped) as caught:
        _send(emulator, api)
    call = emulator.requests[-1]
    assert (caught.value.after_write, call.took_effect, call.made) == (False, False, [])
    assert emulator.finish_late() == 1
    [made] = api.invitations(email_address="new@example.com")["data"]
    assert (call.took_effect, call.made) == (True, [made["id"]])
    assert emulator.finish_late() == 0


def test_a_gateway_may_answer_before_it_takes_effect(api: Any, emulator: Emulator) -> None:
    emulator.fault("POST", INVITE, late=True, status=504)
    assert _send(emulator, api).status == 504
    assert api.invitations(email_address="new@example.com")["total_count"] == 0
    emulator.finish_late()
    assert api.invitations(email_address="new@example.com")["total_count"] == 1


def test_what_is_late_may_be_refused_by_then(api: Any, emulator: Emulator) -> None:
    emulator.fault("POST", INVITE, late=True, status=504)
    _send(emulator, api)
    api.invite()
    late = emulator.requests[0]
    emulator.finish_late()
    assert (late.took_effect, late.made) == (False, [])
    assert api.invitations(email_address="new@example.com")["total_count"] == 1


def test_starting_over_forgets_what_is_late(api: Any, emulator: Emulator) -> None:
    emulator.fault("POST", INVITE, late=True, status=504)
    _send(emulator, api)
    emulator.reset()
    assert emulator.finish_late() == 0


def test_fields_are_replaced_and_taken_out_at_any_depth(api: Any, emulator: Emulator) -> None:
    emulator.fault(
        "GET", INVITE, replace={"status": None, "email_address": "\ud800"}, remove=["url"]
    )
    request = EmulatorRequest(
        "GET",
        f"{emulator.base_url}/v1/organizations/{api.acme}/invitations",
        {"Authorization": f"Bearer {emulator.secret_key}"},
    )
    rows = emulator.handle(request).json["data"]
    assert {row["status"] for row in rows} == {None}
    assert {row["email_address"] for row in rows} == {"\ud800"}
    assert not any("url" in row for row in rows)


def test_a_spoilt_field_hides_nothing_from_the_list_of_calls(api: Any, emulator: Emulator) -> None:
    emulator.fault("POST", INVITE, replace={"id": 7})
    assert _send(emulator, api).json["id"] == 7
    [made] = api.invitations(email_address="new@example.com")["data"]
    assert emulator.requests[0].made == [made["id"]]


def test_garbage_that_is_about_the_way_and_not_the_text(api: Any, emulator: Emulator) -> None:
    emulator.fault("POST", INVITE, garbage="text")
    plain = _send(emulator, api, "one@example.com")
    assert plain.header("content-type") == "text/plain; charset=utf-8"
    assert plain.json["email_address"] == "one@example.com"
    emulator.fault("POST", INVITE, garbage="gzip")
    unzipped = _send(emulator, api, "two@example.com")
    assert unzipped.header("content-encoding") == "gzip"
    assert unzipped.json["email_address"] == "two@example.com"
    emulator.fault("POST", INVITE, garbage="gzip-bomb", write=False)
    bomb = _send(emulator, api, "three@example.com")
    assert len(bomb.body) < 1024 * 1024
    assert len(gzip.decompress(bomb.body)) == 50 * 1024 * 1024


def test_an_answer_trickles_in_and_is_whole(
    api: Any, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("org_invitations.emulator.faults.time.sleep", slept.append)
    emulator.fault("POST", INVITE, garbage="trickle")
    answer = _send(emulator, api)
    assert answer.stream is not None
    body = b"".join(answer.stream())
    assert json.loads(body)["email_address"] == "new@example.com"
    assert answer.content_length == len(body)
    assert 30 < len(slept) <= 40
