"""Every answer of the emulator's Frontend API, held against Clerk's own description of it."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlencode

import pytest

from org_invitations.emulator import SECRET_KEY, Emulator, EmulatorRequest
from tests.contract.spec import FRONTEND_FILE, MORE_FILE, Spec

NORA = "nora@nowhere.test"
ME = "/v1/me/organization_invitations"
SESSION = "/v1/client/sessions/{session}"

CALLS: list[tuple[str, str, dict[str, str], str, int]] = [
    ("GET", "/v1/client", {}, NORA, 200),
    ("GET", "/v1/client", {}, "", 200),
    ("POST", "/v1/client/sign_ins", {"strategy": "ticket", "ticket": "{known}"}, "", 200),
    ("POST", "/v1/client/sign_ins", {"strategy": "ticket", "ticket": "{new}"}, "", 400),
    ("POST", "/v1/client/sign_ins", {"strategy": "ticket", "ticket": "x"}, "", 400),
    ("POST", "/v1/client/sign_ins", {"strategy": "ticket", "ticket": "{known}"}, NORA, 400),
    ("POST", "/v1/client/sign_ins", {"strategy": "ticket"}, "", 422),
    ("POST", "/v1/client/sign_ins", {"strategy": "password"}, "", 400),
    ("POST", "/v1/client/sign_ups", {"strategy": "ticket", "ticket": "{new}"}, "", 200),
    ("POST", "/v1/client/sign_ups", {"strategy": "ticket", "ticket": "{known}"}, "", 400),
    ("POST", "/v1/client/sign_ups", {"email_address": "a@b.co"}, "", 403),
    ("GET", SESSION, {}, NORA, 200),
    ("GET", "/v1/client/sessions/sess_other", {}, NORA, 404),
    ("POST", f"{SESSION}/touch", {"intent": "focus"}, NORA, 200),
    ("POST", f"{SESSION}/touch", {"active_organization_id": "globex"}, NORA, 404),
    ("POST", f"{SESSION}/touch", {}, "", 401),
    ("POST", f"{SESSION}/tokens", {}, NORA, 200),
    ("POST", f"{SESSION}/tokens", {"organization_id": "globex"}, NORA, 404),
    ("POST", f"{SESSION}/end", {}, NORA, 200),
    ("GET", "/v1/me", {}, NORA, 200),
    ("GET", "/v1/me", {}, "", 401),
    ("GET", ME, {"status": "pending", "limit": "1"}, NORA, 200),
    ("GET", ME, {"status": "x"}, NORA, 422),
    ("GET", ME, {}, "", 401),
    ("POST", f"{ME}/{{pending}}/accept", {}, NORA, 200),
    ("POST", f"{ME}/{{revoked}}/accept", {}, NORA, 404),
    ("POST", f"{ME}/{{others}}/accept", {}, NORA, 404),
    ("POST", f"{ME}/{{pending}}/accept", {}, "", 401),
]


def load(file: Any) -> Spec:
    found = Spec.load(file)
    if found is None:
        reason = f"Clerk's API description is not at hand: ../shared/clerk/{file.name}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def frontend() -> Spec:
    return load(FRONTEND_FILE)


def test_an_answer_is_as_described(frontend: Spec, subtests: pytest.Subtests) -> None:
    for method, path, fields, user, status in CALLS:
        with subtests.test(call=f"{method} {path} {fields} {status}"):
            emulator = Emulator()
            known = emulator.add_invitation("acme", NORA)
            revoked = emulator.add_invitation("globex", NORA, state="revoked")
            others = emulator.add_invitation("acme", "new@example.com")
            cookies = emulator.session_cookies(user) if user else {}
            [session] = emulator.state.sessions or ["sess_none"]
            values = {
                "known": known.ticket,
                "new": others.ticket,
                "pending": known.id,
                "revoked": revoked.id,
                "others": others.id,
                "session": session,
            }
            query = urlencode({"__clerk_db_jwt": cookies.get("__clerk_db_jwt", "")})
            sent = urlencode({name: value.format(**values) for name, value in fields.items()})
            url = f"{emulator.base_url}{path.format(**values)}?{query}"
            url += f"&{sent}" if method == "GET" else ""
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            body = sent.encode() if method == "POST" else b""
            answer = emulator.handle(EmulatorRequest(method, url, headers, body))
            assert answer.status == status, answer.json
            assert frontend.check_answer(method, url, status, answer.json) == []
            assert known.ticket not in answer.body.decode()


def test_sessions_are_as_described(subtests: pytest.Subtests) -> None:
    spec, emulator = load(MORE_FILE), Emulator()
    emulator.session_cookies(NORA)
    [session] = emulator.state.sessions
    for method, path, status in (
        ("GET", f"/sessions/{session}", 200),
        ("POST", f"/sessions/{session}/revoke", 200),
        ("GET", f"/sessions/{session}", 200),
        ("POST", "/sessions/sess_none/revoke", 404),
    ):
        with subtests.test(call=f"{method} {path}"):
            url = f"{emulator.base_url}/v1{path}"
            headers = {"Authorization": f"Bearer {SECRET_KEY}"}
            answer = emulator.handle(EmulatorRequest(method, url, headers))
            assert answer.status == status, answer.json
            assert spec.check_answer(method, url, status, answer.json) == []
    assert emulator.state.sessions[session].ended


def test_the_judge_is_not_blind(frontend: Spec) -> None:
    emulator = Emulator()
    url = f"{emulator.base_url}/v1/client"
    right = emulator.handle(EmulatorRequest("GET", url)).json
    assert frontend.check_answer("GET", url, 200, right) == []
    assert frontend.check_answer("GET", url, 200, {"response": None})
    assert frontend.check_answer("GET", url, 200, right | {"response": {"object": "client"}})
