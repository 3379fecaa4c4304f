"""A browser that is signed in, and the Clerk behind the site."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from org_invitations.emulator import Emulator, RecordedCall
from org_invitations.testing import SignIn
from tests.views.joining import JOIN_URL, Invitee

LIST = "/invitations/"
INVITE = "/invitations/invite/"


@pytest.fixture(autouse=True)
def _pages(ten_a_page: None) -> None:
    """All views are tested with several pages."""


@pytest.fixture
def clerk(clerk_emulator: Emulator) -> Emulator:
    """The emulated Clerk behind the site's settings."""
    return clerk_emulator


class Browser:
    """A Django test client with a person in front of it."""

    def __init__(self, client: Client, clerk: Emulator) -> None:
        self.client = client
        self.clerk = clerk

    def get(self, url: str = LIST, *, target: str | None = None, **headers: str) -> Any:
        return self.client.get(url, headers=self._headers(target, headers))

    def post(self, url: str, data: Any = None, *, target: str | None = None, **headers: str) -> Any:
        return self.client.post(url, data or {}, headers=self._headers(target, headers))

    def invite(
        self, address: str, role: str = "org:member", *, target: str | None = None, **more: str
    ) -> Any:
        data = {"email_addresses": address, "role": role, **more}
        return self.post(INVITE, data, target=target)

    def htmx_invite(self, address: str, role: str = "org:member", **more: str) -> Any:
        return self.invite(address, role, target="org-invitations-form", **more)

    def _headers(self, target: str | None, headers: dict[str, str]) -> dict[str, str]:
        if target is not None:
            headers = {"HX-Request": "true", "HX-Target": target} | headers
        return {name.replace("_", "-"): value for name, value in headers.items()}

    def warm(self) -> None:
        """Let the site learn all it may remember, and forget the calls that took."""
        assert self.get().status_code == 200
        self.clerk.clear_requests()


@pytest.fixture
def ada(client: Client, clerk: Emulator, clerk_sign_in: SignIn) -> Browser:
    """Ada, who administers Acme."""
    clerk_sign_in(client, "ada@acme.test", organization="acme")
    return Browser(client, clerk)


@pytest.fixture
def sign_in(clerk: Emulator, clerk_sign_in: SignIn) -> Any:
    """A function that gives somebody a browser of their own."""

    def browser(user: str, organization: str | None = None, **order: Any) -> Browser:
        client = Client()
        if organization is not None:
            order["organization"] = organization
        elif "active" in order:  # active=None: signed in, with no organization active
            order["organization"] = order.pop("active")
        clerk_sign_in(client, user, **order)
        return Browser(client, clerk)

    return browser


def text_of(response: HttpResponse | Any) -> str:
    """The words of an answer, without tags and with single spaces."""
    html = re.sub(r"<(script|style).*?</\1>", " ", response.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html)).replace("&#x27;", "'").strip()


def html_of(response: Any) -> str:
    """The HTML of an answer, however its template is broken into lines and indented."""
    return re.sub(r" ?([<>]) ?", r"\1", re.sub(r"\s+", " ", response.text))


def calls(clerk: Emulator) -> list[str]:
    """What the site asked of Clerk, as ``METHOD last-part-of-the-path``."""
    return [f"{call.method} {_short(call)}" for call in clerk.requests]


def _short(call: RecordedCall) -> str:
    return call.path.rstrip("/").rsplit("/", 1)[-1]


def pending(clerk: Emulator, organization: str = "acme") -> list[str]:
    """The addresses with a pending invitation."""
    return [row.email_address for row in clerk.invitations(organization, "pending")]


@pytest.fixture
def joining(settings: Any) -> None:
    """The pages for people who are invited are there."""
    settings.ORG_INVITATIONS_JOIN_URL = JOIN_URL


@pytest.fixture
def invitee(joining: None, clerk: Emulator, clerk_sign_in: SignIn) -> Invitee:
    """Somebody with a browser, who is not signed in."""
    return Invitee(clerk, clerk_sign_in)
