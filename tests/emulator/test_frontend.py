"""The Frontend API as scripts in a page of the site use it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from org_invitations.emulator import Emulator, EmulatorRequest, EmulatorResponse

SITE = "http://localhost:8000"
NORA = "nora@nowhere.test"


class Front:
    """A page's script: forms, with the browser's cookie."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.cookie = ""

    def call(self, method: str, path: str, origin: str = SITE, **fields: str) -> EmulatorResponse:
        headers = {"Origin": origin, "Cookie": self.cookie}
        body = urlencode(fields).encode()
        url = f"{self.emulator.base_url}/v1{path}"
        answer = self.emulator.handle(EmulatorRequest(method, url, headers, body))
        for line in answer.header_list("set-cookie"):
            self.cookie = line.partition(";")[0]
        return answer

    def post(self, path: str, **fields: str) -> Any:
        answer = self.call("POST", path, **fields)
        assert answer.status == 200, answer.json
        return answer.json

    def refused(self, path: str, **fields: str) -> str:
        answer = self.call("POST", path, **fields)
        assert answer.status >= 400
        [error] = answer.json["errors"]
        return str(error["code"])


@pytest.fixture
def front(emulator: Emulator) -> Front:
    return Front(emulator)


def test_a_ticket_signs_in_and_accepts(front: Front, emulator: Emulator) -> None:
    row = emulator.add_invitation("acme", NORA)
    answer = front.post("/client/sign_ins", strategy="ticket", ticket=row.ticket)
    assert answer["response"]["status"] == "complete"
    [session] = answer["client"]["sessions"]
    assert session["id"] == answer["response"]["created_session_id"]
    assert session["last_active_organization_id"] == emulator.organization("acme").id
    assert row.state == "accepted"


def test_a_ticket_signs_up(front: Front, emulator: Emulator) -> None:
    row = emulator.add_invitation("acme", "new@example.com")
    answer = front.post("/client/sign_ups", strategy="ticket", ticket=row.ticket, first_name="Nia")
    assert (answer["response"]["status"], answer["response"]["first_name"]) == ("complete", "Nia")
    assert emulator.user("new@example.com").id == answer["response"]["created_user_id"]
    assert row.state == "accepted"
    assert front.refused("/client/sign_ups") == "sign_up_mode_restricted"


def test_a_person_accepts_what_is_theirs(front: Front, emulator: Emulator) -> None:
    front.post("/client/sign_ins", ticket=emulator.add_invitation("acme", NORA).ticket)
    row = emulator.add_invitation("globex", NORA, private_metadata={"cost": 1})
    other = emulator.add_invitation("globex", "new@example.com")
    listed = front.call("GET", "/me/organization_invitations?status=pending").json["response"]
    assert [found["id"] for found in listed["data"]] == [row.id]
    assert listed["data"][0]["url"] is None
    accept = "/me/organization_invitations/{}/accept"
    assert front.refused(accept.format(other.id)) == "resource_not_found"
    assert front.post(accept.format(row.id))["response"]["status"] == "accepted"
    assert front.refused(accept.format(row.id)) == "organization_invitation_not_pending"
    nora = emulator.user(NORA).id
    assert emulator.state.membership(row.organization_id, nora) is not None


def test_joining_leaves_the_active_organization_to_the_session(
    front: Front, emulator: Emulator
) -> None:
    first = emulator.add_invitation("acme", NORA)
    session = front.post("/client/sign_ins", ticket=first.ticket)["response"]["created_session_id"]
    row = emulator.add_invitation("globex", NORA)
    front.post(f"/me/organization_invitations/{row.id}/accept")
    assert emulator.state.sessions[session].organization_id == first.organization_id
    front.post(f"/client/sessions/{session}/touch", active_organization_id=row.organization_id)
    assert emulator.state.sessions[session].organization_id == row.organization_id
    front.post(f"/client/sessions/{session}/end")
    assert front.refused(f"/client/sessions/{session}/tokens") == "authentication_invalid"


def test_pages_of_the_site_may_call_it_and_no_others(
    front: Front, emulator: Emulator, subtests: pytest.Subtests
) -> None:
    for origin, allowed in ((SITE, True), ("https://evil.example", False), ("null", False)):
        with subtests.test(origin=origin):
            for answer in (
                front.call("GET", "/client", origin=origin),
                front.call("POST", "/me/organization_invitations/x/accept", origin=origin),
            ):
                told = answer.header("access-control-allow-origin")
                assert told == (origin if allowed else None)
                assert (answer.header("access-control-allow-credentials") == "true") is allowed
                assert answer.header("vary") == "Origin"


def test_a_browser_may_ask_what_it_may_send(front: Front, emulator: Emulator) -> None:
    headers = {
        "Origin": SITE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    url = f"{emulator.base_url}/v1/client/sign_ins"
    answer = emulator.handle(EmulatorRequest("OPTIONS", url, headers))
    assert (answer.status, answer.header("access-control-allow-headers")) == (204, "content-type")
    assert "POST" in (answer.header("access-control-allow-methods") or "")
    # The Backend API is for servers.
    url = f"{emulator.base_url}/v1/organizations"
    refused = emulator.handle(EmulatorRequest("OPTIONS", url, headers))
    assert refused.status == 401
    assert refused.header("access-control-allow-origin") is None


def test_a_link_is_refused_in_json_where_no_page_is_wanted(
    front: Front, emulator: Emulator, subtests: pytest.Subtests
) -> None:
    for state, code in (
        ("revoked", "organization_invitation_revoked_code"),
        ("accepted", "organization_invitation_already_accepted"),
    ):
        with subtests.test(state=state):
            row = emulator.add_invitation("acme", NORA, state=state)
            answer = front.call("GET", f"/tickets/accept?ticket={row.ticket}")
            assert (answer.status, answer.header("content-type")) == (400, "application/json")
            assert answer.json["errors"][0]["code"] == code
    assert front.call("GET", "/tickets/accept?ticket=x").json["errors"][0]["code"] == (
        "ticket_invalid_code"
    )


def test_a_session_that_the_server_has_revoked_is_over(
    front: Front, api: Any, emulator: Emulator
) -> None:
    row = emulator.add_invitation("acme", NORA)
    session = front.post("/client/sign_ins", ticket=row.ticket)["response"]["created_session_id"]
    api.checked = False  # described in another file: tests/contract/test_frontend.py
    assert api.get(f"/sessions/{session}")["status"] == "active"
    assert api.post(f"/sessions/{session}/revoke")["status"] == "revoked"
    assert front.call("GET", "/me").status == 401
