"""pytest fixtures for sites that use the app: a Clerk to test against, and people to sign in.

A site's ``conftest.py`` says ``pytest_plugins = ["org_invitations.testing"]``; what they need is
installed with ``django-org-invitations[testing]``. Who is there, and what can be ordered, is told
by ``org_invitations.emulator``::

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
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urljoin, urlsplit

import pytest

from .emulator import ConnectionDropped, Emulator, EmulatorRequest, EmulatorServer, Opened

if TYPE_CHECKING:
    from django.test import AsyncClient, Client
    from pytest_django import Settings
    from requests import PreparedRequest

TEST_SITE = "http://testserver"
"""The origin of Django's test client, and so the ``azp`` of the tokens made for it."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")

_MAX_REDIRECTS: Final = 5

#: What keeps everything in the process that runs a test.
_OWN_CACHE: Final = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "LOCATION": "org_invitations.testing",
}


class Browser(Protocol):
    """As much as is needed of a ``BrowserContext`` of Playwright's, synchronous."""

    def add_cookies(self, cookies: Any) -> None:
        """Take cookies: dictionaries with ``name``, ``value`` and ``url``."""


class SignIn(Protocol):
    """What ``clerk_sign_in`` is."""

    def __call__(
        self, client: Client | AsyncClient | Browser, user: str, **order: Any
    ) -> dict[str, str]:
        """Signs ``user`` (an address) in and returns the cookies that the client got.

        ``client`` is one of Django's test clients, or the context of a browser of Playwright's;
        the latter is signed in at pytest-django's ``live_server``.

        ``order`` is that of ``Emulator.session_cookies``: the active ``organization``, and a
        token of another age, key, version or content.
        """


class Scan(Protocol):
    """What ``clerk_scan`` is."""

    def __call__(self, client: Client | None = None, to: str = "") -> list[Opened]:
        """Opens every link of the mailbox by HEAD and by GET, and tells what was answered.

        ``to`` is a part of the address of the mails. With one of Django's test clients it also
        opens what the links lead to, as far as that is on the site. No links are in a ``repr``.
        """


@pytest.fixture
def clerk_emulator(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Emulator]:
    """A Clerk without a socket: what ``requests`` sends to ``CLERK_API_URL`` it answers.

    Any other address ``requests`` is asked for in the test is refused. An ordered delay is not
    waited for; one that is longer than the call's timeout is a ``ReadTimeout``.
    """
    import responses

    emulator = _new_emulator(request)
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
def clerk_emulator_server(
    request: pytest.FixtureRequest, settings: Settings
) -> Iterator[EmulatorServer]:
    """A Clerk behind a socket, for a browser; the emulator is its ``.emulator``."""
    with EmulatorServer(_new_emulator(request)) as server:
        for _ in _configured(server.emulator, settings):
            yield server


@pytest.fixture
def clerk_sign_in(request: pytest.FixtureRequest) -> SignIn:
    """Signs people in on test clients and in browsers, at whichever emulator the test uses."""
    from django.test.client import ClientMixin

    emulator = _emulator_of(request)

    def sign_in(client: Client | AsyncClient | Browser, user: str, **order: Any) -> dict[str, str]:
        cookies = emulator.session_cookies(user, **order)
        if isinstance(client, ClientMixin):
            for name, value in cookies.items():
                client.cookies[name] = value
        else:
            client.add_cookies(
                [{"name": k, "value": v, "url": emulator.site} for k, v in cookies.items()]
            )
        return cookies

    return sign_in


@pytest.fixture
def clerk_scan(request: pytest.FixtureRequest) -> Scan:
    """A mail scanner, at whichever emulator the test uses."""
    emulator = _emulator_of(request)

    def scan(client: Client | None = None, to: str = "") -> list[Opened]:
        opened = emulator.scan(to)
        for one in list(opened) if client else []:
            if one.location is not None:
                opened += _follow(client, emulator, one.invitation_id, one.location)
        return opened

    return scan


def _follow(
    client: Client | None, emulator: Emulator, invitation_id: str, location: str
) -> Iterator[Opened]:
    """What is behind a link on the site, by HEAD and GET, and where that leads, five times."""
    for _ in range(_MAX_REDIRECTS):
        parts = urlsplit(urljoin(emulator.site, location))
        if client is None or f"{parts.scheme}://{parts.netloc}" not in emulator.site_origins:
            return
        path = f"{parts.path or '/'}?{parts.query}"
        answers = [("HEAD", client.head(path)), ("GET", client.get(path))]
        for method, answer in answers:
            yield Opened(invitation_id, method, answer.status_code, answer.get("Location"))
        following = answers[-1][1].get("Location")
        if following is None:
            return
        location = following


def _emulator_of(request: pytest.FixtureRequest) -> Emulator:
    """The emulator that the test uses: the one behind a socket, if it asks for that one."""
    if "clerk_emulator_server" in request.fixturenames:
        server: EmulatorServer = request.getfixturevalue("clerk_emulator_server")
        return server.emulator
    emulator: Emulator = request.getfixturevalue("clerk_emulator")
    return emulator


def _new_emulator(request: pytest.FixtureRequest) -> Emulator:
    """Make an emulator for the site as the test sees it: behind a socket, or without one."""
    site = TEST_SITE
    if "live_server" in request.fixturenames:
        site = request.getfixturevalue("live_server").url
    return Emulator(site=site, allowed_hosts=("testserver",))


def _configured(emulator: Emulator, settings: Settings) -> Iterator[Emulator]:
    from django.core.cache import caches
    from django.core.cache.backends.dummy import DummyCache
    from django.core.cache.backends.locmem import LocMemCache

    from .caching import forget_failures
    from .clients import forget_clients
    from .conf import conf

    for name, value in emulator.django_settings().items():
        setattr(settings, name, value)
    # The site's own origin is not where its tests run, and nobody but this emulator makes tokens.
    settings.CLERK_AUTHORIZED_PARTIES = []
    # What one test learned from its emulator must not be believed in the next one: nor that it
    # does not answer. A cache that others share is neither asked nor emptied.
    alias = conf.CACHE_ALIAS
    if not isinstance(caches[alias], (LocMemCache, DummyCache)):
        settings.CACHES = {**settings.CACHES, alias: _OWN_CACHE}
    used = caches[alias]
    used.clear()
    forget_failures()
    forget_clients()
    yield emulator
    used.clear()
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
