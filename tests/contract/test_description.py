"""Every answer of the emulator's Backend API, held against Clerk's own description of it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from org_invitations.emulator import SECRET_KEY, Emulator, EmulatorRequest
from tests.contract.spec import Spec, without_nullable

WISH = {"email_address": "new@example.com", "role": "org:member"}
FULL_WISH = {
    **WISH,
    "inviter_user_id": "{ada}",
    "public_metadata": {"a": 1},
    "private_metadata": None,
    "redirect_url": "https://app.example.com/",
    "expires_in_days": 365,
    "notify": False,
}
INVITATIONS = "/organizations/{acme}/invitations"

CALLS: list[tuple[str, str, dict[str, Any], Any, int]] = [
    ("GET", "/jwks", {}, None, 200),
    ("GET", "/organizations", {"include_members_count": "true"}, None, 200),
    ("GET", "/organizations/{acme}", {}, None, 200),
    ("GET", "/organizations/globex", {"include_members_count": "true"}, None, 200),
    (
        "GET",
        "/organizations/globex",
        {"include_missing_member_with_elevated_permissions": "true"},
        None,
        200,
    ),
    ("GET", "/organizations/none", {}, None, 404),
    ("GET", "/organizations/{acme}/memberships", {"limit": 500}, None, 200),
    ("GET", "/organizations/{acme}/memberships", {"user_id": ["{ada}", "-{max}"]}, None, 200),
    ("GET", "/organizations/{acme}/memberships", {"order_by": "x"}, None, 422),
    (
        "POST",
        "/organizations/{acme}/memberships",
        {},
        {"user_id": "{gus}", "role": "org:member", "public_metadata": None},
        200,
    ),
    (
        "POST",
        "/organizations/{acme}/memberships",
        {},
        {"user_id": "{ada}", "role": "org:member"},
        400,
    ),
    ("POST", "/organizations/{acme}/memberships", {}, {"user_id": "x", "role": "org:member"}, 404),
    ("POST", INVITATIONS, {}, WISH, 200),
    ("POST", INVITATIONS, {}, FULL_WISH, 200),
    ("POST", INVITATIONS, {}, {**WISH, "email_address": "max@acme.test"}, 400),
    ("POST", INVITATIONS, {}, {**WISH, "inviter_user_id": "{max}"}, 403),
    ("POST", INVITATIONS, {}, {**WISH, "role": "org:guest"}, 404),
    ("POST", INVITATIONS, {}, {**WISH, "email_address": "x"}, 422),
    ("GET", INVITATIONS, {"limit": 500}, None, 200),
    ("GET", INVITATIONS, {"status": "expired", "order_by": "+email_address"}, None, 200),
    ("GET", INVITATIONS, {"limit": 0}, None, 422),
    ("GET", "/organizations/none/invitations", {}, None, 404),
    ("POST", f"{INVITATIONS}/bulk", {}, [WISH, {**FULL_WISH, "email_address": "b@x.co"}], 200),
    ("POST", f"{INVITATIONS}/bulk", {}, [{**WISH, "email_address": "{pending_address}"}], 400),
    ("POST", f"{INVITATIONS}/bulk", {}, [{**WISH, "inviter_user_id": "{max}"}], 403),
    ("POST", f"{INVITATIONS}/bulk", {}, [{**WISH, "role": "x"}], 404),
    ("POST", f"{INVITATIONS}/bulk", {}, [{**WISH, "email_address": "x"}], 422),
    ("GET", f"{INVITATIONS}/{{pending}}", {}, None, 200),
    ("GET", f"{INVITATIONS}/{{accepted}}", {}, None, 200),
    ("GET", f"{INVITATIONS}/none", {}, None, 404),
    ("POST", f"{INVITATIONS}/{{pending}}/revoke", {}, {"requesting_user_id": "{mia}"}, 200),
    ("POST", f"{INVITATIONS}/{{pending}}/revoke", {}, {"requesting_user_id": "{max}"}, 403),
    ("POST", f"{INVITATIONS}/{{accepted}}/revoke", {}, {}, 404),
    ("GET", "/organization_invitations", {"status": "pending"}, None, 200),
    ("GET", "/organization_invitations", {"order_by": "x"}, None, 422),
    ("GET", "/organization_roles", {"limit": 500}, None, 200),
    ("GET", "/organization_roles", {"offset": -1}, None, 422),
    ("GET", "/role_sets", {}, None, 200),
    ("GET", "/role_sets", {"order_by": "id"}, None, 422),
    ("GET", "/role_sets/role_set%3Adefault", {}, None, 200),
    ("GET", "/role_sets/none", {}, None, 404),
    ("GET", "/instance/organization_settings", {}, None, 200),
    ("GET", "/users/{ada}", {}, None, 200),
    ("GET", "/users/none", {}, None, 404),
    ("GET", "/users/{bo}/organization_memberships", {}, None, 200),
    ("GET", "/users/{bo}/organization_invitations", {}, None, 200),
    ("GET", "/users/none/organization_invitations", {}, None, 404),
]


@pytest.fixture
def emulator() -> Emulator:
    emulator = Emulator()
    emulator.configure(role_migrations={"role_set:crew": "globex"})
    return emulator


def ids(emulator: Emulator) -> dict[str, str]:
    people = {
        user.email_address.partition("@")[0]: user.id for user in emulator.state.users.values()
    }
    pending = emulator.invitations("acme", "pending")[0]
    return {
        **people,
        "acme": emulator.organization("acme").id,
        "pending": pending.id,
        "pending_address": pending.email_address,
        "accepted": emulator.invitations("acme", "accepted")[0].id,
    }


def filled(value: Any, known: dict[str, str]) -> Any:
    text = json.dumps(value)
    for name, id_ in known.items():
        text = text.replace(f"{{{name}}}", id_)
    return json.loads(text)


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "status"),
    CALLS,
    ids=[f"{method} {path} {status}" for method, path, _, _, status in CALLS],
)
def test_an_answer_is_as_described(
    spec: Spec,
    emulator: Emulator,
    method: str,
    path: str,
    query: dict[str, Any],
    body: Any,
    status: int,
) -> None:
    known = ids(emulator)
    path, query, body = filled(path, known), filled(query, known), filled(body, known)
    url = f"{emulator.base_url}/v1{path}?{urlencode(query, doseq=True)}"
    if body is not None:
        assert spec.check_body(method, path, body) == []
    headers = {"Authorization": f"Bearer {SECRET_KEY}", "Content-Type": "application/json"}
    content = b"" if body is None else json.dumps(body).encode()
    answer = emulator.handle(EmulatorRequest(method, url, headers, content))
    assert answer.status == status, answer.json
    assert spec.check_answer(method, url, status, answer.json) == []


def test_every_described_path_is_there(spec: Spec, emulator: Emulator) -> None:
    called = {(method, path) for method, path, *_ in CALLS}
    operations = [
        (method.upper(), template)
        for template, item in spec.document["paths"].items()
        for method in item
        if method in ("get", "post", "put", "patch", "delete")
    ]
    assert len(operations) == 18
    for method, template in operations:
        if template == "/sessions/{session_id}/refresh":
            continue  # the emulator's tests of the handshake hold it against the description
        pointer = {spec.operation(m, filled(p, ids(emulator)))[0] for m, p in called}
        found = template.replace("/", "~1")
        assert any(f"/paths/{found}/{method.lower()}" == p for p in pointer), (method, template)


def test_the_judge_is_not_blind(spec: Spec) -> None:
    """What is wrong must be found, or the tests above say nothing."""
    schema = "/components/schemas/OrganizationInvitation"
    emulator = Emulator()
    headers = {"Authorization": f"Bearer {SECRET_KEY}"}
    path = f"/v1/organizations/{emulator.organization('acme').id}/invitations?status=pending"
    request = EmulatorRequest("GET", f"{emulator.base_url}{path}", headers)
    [row, *_] = emulator.handle(request).json["data"]
    assert spec.errors(schema, row) == []
    assert spec.errors(schema, {**row, "url": None, "public_inviter_data": None}) == []
    for name, value in {"expires_at": "soon", "role": None, "unknown": 1, "url": 7}.items():
        assert spec.errors(schema, {**row, name: value}), name
    del row["inviter_id"]
    assert spec.errors(schema, row)
    bulk = f"{path.partition('?')[0].removeprefix('/v1')}/bulk"
    assert spec.check_body("POST", bulk, [WISH] * 11)
    assert spec.check_body("POST", bulk, {"email_addresses": ["a@b.co"], "role": "x"})
    assert spec.check_answer("GET", "/v1/nothing", 200, {})
    assert spec.check_answer("GET", "/v1/jwks", 404, {"errors": []})


def test_nullable_is_understood() -> None:
    assert without_nullable({"type": "string", "nullable": True}) == {
        "anyOf": [{"type": "null"}, {"type": "string"}]
    }
    assert without_nullable({"type": "string", "nullable": False}) == {"type": "string"}
