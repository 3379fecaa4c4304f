"""A driver for the emulator's Backend API, and a browser, both without a socket."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from org_invitations.emulator import SECRET_KEY, Emulator, EmulatorRequest, EmulatorResponse
from tests.contract.spec import Spec

_SPEC = Spec.load()


class Api:
    """Calls the Backend API. Each answer is held against Clerk's description, where at hand."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.checked = True
        self.acme = emulator.organization("acme").id
        self.globex = emulator.organization("globex").id

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Any = (),
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> EmulatorResponse:
        sent = {"Authorization": f"Bearer {SECRET_KEY}", "Content-Type": "application/json"}
        url = f"{self.emulator.base_url}/v1{path}"
        if query:
            url += f"?{urlencode(query, doseq=True)}"
        content = body if isinstance(body, bytes) else b"" if body is None else _json(body)
        request = EmulatorRequest(method, url, sent | (headers or {}), content)
        answer = self.emulator.handle(request)
        assert answer.header("content-type") == "application/json"
        if _SPEC is not None and self.checked:
            assert _SPEC.check_answer(method, url, answer.status, answer.json) == []
        return answer

    def get(self, path: str, **query: Any) -> Any:
        answer = self.call("GET", path, query=query)
        assert answer.status == 200, answer.json
        return answer.json

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.call("POST", path, body=body)
        assert answer.status == 200, answer.json
        return answer.json

    def refused(self, method: str, path: str, **rest: Any) -> tuple[int, str, Any]:
        """Status, code and meta of an answer that must be an error."""
        answer = self.call(method, path, **rest)
        assert answer.status >= 400, answer.json
        [error] = answer.json["errors"]
        assert answer.json["clerk_trace_id"]
        return answer.status, error["code"], error.get("meta")

    def invite(self, email_address: str = "new@example.com", **fields: Any) -> Any:
        body = {"email_address": email_address, "role": "org:member", **fields}
        return self.post(f"/organizations/{self.acme}/invitations", body)

    def refused_invite(
        self, email_address: str = "new@example.com", **fields: Any
    ) -> tuple[int, str, Any]:
        body = {"email_address": email_address, "role": "org:member", **fields}
        return self.refused("POST", f"/organizations/{self.acme}/invitations", body=body)

    def invitations(self, **query: Any) -> Any:
        return self.get(f"/organizations/{self.acme}/invitations", **query)


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()


class Browser:
    """Keeps cookies, follows nothing, and knows only the emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.cookies: dict[str, str] = {}

    def open(
        self, url: str, *, method: str = "GET", form: dict[str, str] | None = None
    ) -> EmulatorResponse:
        if url.startswith("/"):
            url = self.emulator.base_url + url
        headers = {
            "Accept": "text/html",
            "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()),
        }
        body = urlencode(form or {}).encode()
        answer = self.emulator.handle(EmulatorRequest(method, url, headers, body))
        self.take(answer.header_list("set-cookie"))
        return answer

    def take(self, directives: list[str]) -> None:
        for line in directives:
            name, _, value = line.partition(";")[0].partition("=")
            if value and "Max-Age=0" not in line:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)

    def sign_in(self, address: str, redirect_url: str = "") -> str:
        """Signs in and gives the address the browser is sent to."""
        answer = self.open(
            "/sign-in", method="POST", form={"user": address, "redirect_url": redirect_url}
        )
        assert answer.status == 303, answer.body
        return location(answer)


def location(answer: EmulatorResponse) -> str:
    found = answer.header("location")
    assert found is not None
    assert urlsplit(found).scheme in ("http", "https")
    return found


@pytest.fixture
def emulator() -> Emulator:
    return Emulator()


@pytest.fixture
def api(emulator: Emulator) -> Api:
    return Api(emulator)


@pytest.fixture
def browser(emulator: Emulator) -> Browser:
    return Browser(emulator)
