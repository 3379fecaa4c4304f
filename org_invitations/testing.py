"""pytest fixtures for sites that use the app: a Clerk to test against, and people to sign in.

A site's ``conftest.py`` says ``pytest_plugins = ["org_invitations.testing"]``; needed are
pytest-django and, for ``clerk_emulator``, responses. Who is there, and what can be ordered, is
told by ``org_invitations.emulator``::

    @pytest.mark.django_db
    def test_invite(client, clerk_emulator, clerk_sign_in):
        clerk_sign_in(client, "ada@acme.test", organization="acme")
        new = {"email_addresses": "new@example.com", "role": "org:member"}
        client.post("/invitations/invite/", new)
        assert clerk_emulator.requests[-1].status == 200
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from .emulator import ConnectionDropped, Emulator, EmulatorRequest, EmulatorServer

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings
    from requests import PreparedRequest

TEST_SITE = "http://testserver"
"""The origin of Django's test client, and so the ``azp`` of the tokens made for it."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


class SignIn(Protocol):
    """What ``clerk_sign_in`` is."""

    def __call__(self, client: Client, user: str, **order: Any) -> dict[str, str]:
        """Signs ``user`` (an address) in on a Django test client and returns the cookies it got.

        ``order`` is that of ``Emulator.session_cookies``: the active ``organization``, and a
        token of another age, key, version or content.
        """


@pytest.fixture
def clerk_emulator(settings: Settings) -> Iterator[Emulator]:
    """A Clerk without a socket: what ``requests`` sends to ``CLERK_API_URL`` it answers.

    Any other address ``requests`` is asked for in the test is refused. An ordered delay is not
    waited for; one that is longer than the call's timeout is a ``ReadTimeout``.
    """
    import responses

    emulator = _new_emulator()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in _METHODS:
            mock.add_callback(
                method,
                re.compile(rf"^{re.escape(emulator.base_url)}(/|$)"),
                callback=_answer_with(emulator),
                content_type=None,
            )
        yield from _configured(emulator, settings)


@pytest.fixture
def clerk_emulator_server(settings: Settings) -> Iterator[EmulatorServer]:
    """A Clerk behind a socket, for a browser; the emulator is its ``.emulator``."""
    with EmulatorServer(_new_emulator()) as server:
        for _ in _configured(server.emulator, settings):
            yield server


@pytest.fixture
def clerk_sign_in(request: pytest.FixtureRequest) -> SignIn:
    """Signs people in on Django test clients, at whichever emulator the test uses."""
    emulator: Emulator
    if "clerk_emulator_server" in request.fixturenames:
        emulator = request.getfixturevalue("clerk_emulator_server").emulator
    else:
        emulator = request.getfixturevalue("clerk_emulator")

    def sign_in(client: Client, user: str, **order: Any) -> dict[str, str]:
        cookies = emulator.session_cookies(user, **order)
        for name, value in cookies.items():
            client.cookies[name] = value
        return cookies

    return sign_in


def _new_emulator() -> Emulator:
    return Emulator(site=TEST_SITE, allowed_hosts=("testserver",))


def _configured(emulator: Emulator, settings: Settings) -> Iterator[Emulator]:
    from django.core.cache import cache

    from .clients import forget_clients

    for name, value in emulator.django_settings().items():
        setattr(settings, name, value)
    # What one test learned from its emulator must not be believed in the next one: nor that it
    # does not answer.
    cache.clear()
    forget_clients()
    yield emulator
    cache.clear()
    forget_clients()


def _pass_time(seconds: float) -> None:
    """Let no time pass: a test with a clock of its own may put it forward here."""


def _answer_with(emulator: Emulator) -> Callable[[PreparedRequest], Any]:
    from requests import exceptions
    from urllib3.util.timeout import Timeout

    def answer(request: PreparedRequest) -> Any:
        timeout = getattr(request, "req_kwargs", {}).get("timeout")
        if isinstance(timeout, Timeout):
            read_timeout = timeout.read_timeout
        else:
            read_timeout = timeout[1] if isinstance(timeout, tuple) else timeout

        def sleep(seconds: float) -> None:
            _pass_time(seconds if read_timeout is None else min(seconds, read_timeout))
            if read_timeout is not None and seconds >= read_timeout:
                raise exceptions.ReadTimeout(f"read timed out ({read_timeout} s)", request=request)

        body = request.body or b""
        call = EmulatorRequest(
            method=request.method or "GET",
            url=request.url or "",
            headers=dict(request.headers),
            body=body.encode() if isinstance(body, str) else bytes(body),
        )
        try:
            reply = emulator.handle(call, sleep=sleep)
        except ConnectionDropped as error:
            return exceptions.ConnectionError(str(error), request=request)
        content = b"".join(reply.stream()) if reply.stream else reply.body
        length = len(content) if reply.content_length is None else reply.content_length
        return reply.status, [*reply.headers, ("Content-Length", str(length))], content

    return answer
