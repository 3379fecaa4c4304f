"""The fixtures for sites."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from django import conf
from django.core.cache import cache, caches
from django.test import Client

from org_invitations.clients import get_client
from org_invitations.emulator import JWT_KEY, SECRET_KEY, Emulator, EmulatorServer
from org_invitations.testing import Scan

AUTHORIZED = {"Authorization": f"Bearer {SECRET_KEY}"}
TIMEOUT = 30.0

django_settings: Any = conf.settings
"""Whichever settings there are: those of Clerk come and go with the fixtures."""


def get(path: str, **rest: Any) -> requests.Response:
    url = f"{django_settings.CLERK_API_URL}/v1{path}"
    return requests.get(url, headers=AUTHORIZED, timeout=TIMEOUT, **rest)


def test_requests_reach_the_emulator_without_a_socket(clerk_emulator: Emulator) -> None:
    answer = get("/organizations/acme")
    assert answer.json()["name"] == "Acme"
    assert answer.headers["content-type"] == "application/json"
    [call] = clerk_emulator.requests
    assert (call.method, call.path, call.status) == ("GET", "/v1/organizations/acme", 200)


def test_bodies_and_queries_arrive(clerk_emulator: Emulator) -> None:
    acme = clerk_emulator.organization("acme").id
    body = {"email_address": "new@example.com", "role": "org:member"}
    url = f"{django_settings.CLERK_API_URL}/v1/organizations/{acme}/invitations"
    assert requests.post(url, json=body, headers=AUTHORIZED, timeout=TIMEOUT).status_code == 200
    found = get(f"/organizations/{acme}/invitations", params={"email_address": "new@example.com"})
    assert found.json()["total_count"] == 1


def test_nothing_else_is_reached(clerk_emulator: Emulator) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get("https://api.clerk.com/v1/jwks", timeout=TIMEOUT)


def test_the_settings_are_the_emulators(clerk_emulator: Emulator) -> None:
    assert django_settings.CLERK_SECRET_KEY == SECRET_KEY
    assert clerk_emulator.publishable_key == django_settings.CLERK_PUBLISHABLE_KEY
    assert django_settings.CLERK_JWT_KEY == JWT_KEY
    assert clerk_emulator.base_url == django_settings.CLERK_PROXY_URL
    assert f"{clerk_emulator.base_url}/sign-in" == django_settings.CLERK_SIGN_IN_URL


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_dropped_connection_is_a_connection_error(clerk_emulator: Emulator, drop: str) -> None:
    clerk_emulator.fault(drop=drop)
    with pytest.raises(requests.ConnectionError):
        get("/jwks")
    assert get("/jwks").status_code == 200


def test_a_delay_is_not_waited_for(clerk_emulator: Emulator) -> None:
    clerk_emulator.fault(delay=TIMEOUT / 2)
    clerk_emulator.fault(delay=TIMEOUT * 100)
    assert get("/jwks").status_code == 200
    with pytest.raises(requests.ReadTimeout):
        get("/jwks")


def test_a_truncated_answer_is_noticed(clerk_emulator: Emulator) -> None:
    clerk_emulator.fault(garbage="truncated")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get("/jwks")


def test_a_huge_answer_can_be_streamed(clerk_emulator: Emulator) -> None:
    clerk_emulator.fault(garbage="huge")
    with get("/jwks", stream=True) as answer:
        assert next(answer.iter_content(1024)).startswith(b'{"data":"xxx')


def test_a_signed_in_client(clerk_emulator: Emulator, clerk_sign_in: Any) -> None:
    client = Client()
    cookies = clerk_sign_in(client, "bo@both.test", organization="globex")
    token = client.cookies["__session"].value
    assert cookies["__session"] == token
    claims = jwt.decode(token, JWT_KEY, algorithms=["RS256"])
    assert (claims["azp"], claims["o"]["slg"]) == ("http://testserver", "globex")
    assert client.cookies[f"__session_{clerk_emulator.cookie_suffix}"].value == token
    assert client.cookies["__clerk_db_jwt"].value


def test_a_server_for_a_browser(clerk_emulator_server: EmulatorServer, clerk_sign_in: Any) -> None:
    assert clerk_emulator_server.url == django_settings.CLERK_API_URL
    assert get("/organizations/acme").json()["name"] == "Acme"
    cookies = clerk_sign_in(Client(), "ada@acme.test")
    sid = jwt.decode(cookies["__session"], options={"verify_signature": False})["sid"]
    assert sid in clerk_emulator_server.emulator.state.sessions


@pytest.mark.parametrize("turn", [1, 2])
def test_that_clerk_hung_in_one_test_is_not_known_in_the_next(
    clerk_emulator: Emulator, clerk_sign_in: Any, turn: int
) -> None:
    client = Client()
    clerk_sign_in(client, "ada@acme.test", organization="acme")
    assert client.get("/invitations/").status_code == 200
    assert not get_client().breaker.is_open("read")
    clerk_emulator.fault(times=None, delay=60)
    cache.clear()
    assert client.get("/invitations/").status_code == 503
    assert client.get("/invitations/").status_code == 503
    assert get_client().breaker.is_open("read")


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_starts_afresh(clerk_emulator: Emulator, turn: int) -> None:
    assert clerk_emulator.requests == []
    assert len(clerk_emulator.invitations("acme", "pending")) == 34
    assert cache.get("left-behind") is None
    cache.set("left-behind", True)
    clerk_emulator.add_invitation("acme", "new@example.com")


# --- A site as it is -------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_origin_that_a_site_has_elsewhere_refuses_nobody(
    settings: Any, request: pytest.FixtureRequest
) -> None:
    settings.CLERK_AUTHORIZED_PARTIES = ["https://app.example.com"]
    request.getfixturevalue("clerk_emulator")
    client = Client()
    request.getfixturevalue("clerk_sign_in")(client, "ada@acme.test", organization="acme")
    assert client.get("/invitations/").status_code == 200


def test_a_cache_that_others_share_is_neither_asked_nor_cleared(
    settings: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    shared = {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache"}
    shared["LOCATION"] = str(tmp_path)
    settings.CACHES = {"default": shared}
    cache.set("somebody-elses", 1)
    request.getfixturevalue("clerk_emulator")
    assert cache.get("somebody-elses") is None
    cache.set("mine", 1)
    settings.CACHES = {"default": shared}
    assert (cache.get("somebody-elses"), cache.get("mine")) == (1, None)


def test_only_the_cache_of_the_app_is_cleared(
    settings: Any, request: pytest.FixtureRequest
) -> None:
    kept = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    settings.CACHES = {"default": kept, "app": {**kept, "LOCATION": "app"}}
    settings.ORG_INVITATIONS_CACHE_ALIAS = "app"
    caches["app"].set("old", 1)
    cache.set("old", 1)
    request.getfixturevalue("clerk_emulator")
    assert (caches["app"].get("old"), cache.get("old")) == (None, 1)


class Context:
    """Takes cookies, as the context of a browser does."""

    def __init__(self) -> None:
        self.cookies: list[dict[str, str]] = []

    def add_cookies(self, cookies: list[dict[str, str]]) -> None:
        self.cookies += cookies


@pytest.mark.django_db(transaction=True)
def test_a_browser_is_signed_in_at_the_live_server(
    live_server: Any, clerk_emulator: Emulator, clerk_sign_in: Any
) -> None:
    context = Context()
    given = clerk_sign_in(context, "ada@acme.test", organization="acme")
    assert {cookie["url"] for cookie in context.cookies} == {live_server.url}
    assert {cookie["name"]: cookie["value"] for cookie in context.cookies} == given
    claims = jwt.decode(given["__session"], JWT_KEY, algorithms=["RS256"])
    assert claims["azp"] == live_server.url


@pytest.mark.django_db
def test_a_scanner_opens_the_links_and_what_they_lead_to(
    client: Client, clerk_emulator: Emulator, clerk_scan: Scan
) -> None:
    lee = clerk_emulator.add_invitation(
        "acme", "lee@example.com", redirect_url=f"{clerk_emulator.site}/invitations/"
    )
    assert [one.method for one in clerk_scan(to="lee@example.com")] == ["HEAD", "GET"]
    opened = clerk_scan(client, to="lee@example.com")
    assert [one.method for one in opened] == ["HEAD", "GET"] * 2
    assert {one.invitation_id for one in opened} == {lee.id}
    assert lee.state == "pending"
