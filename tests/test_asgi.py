"""The app behind a real ASGI server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import requests
import uvicorn
from django.core.asgi import get_asgi_application

from org_invitations.emulator import EmulatorServer
from tests.gates import WATCHDOG


@pytest.fixture
def site(clerk_emulator_server: EmulatorServer) -> Iterator[str]:
    """The address of the tests' site, served by uvicorn."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(get_asgi_application(), lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://localhost:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(WATCHDOG)


def test_a_session_is_verified_renewed_and_used(
    site: str, clerk_emulator_server: EmulatorServer
) -> None:
    clerk = clerk_emulator_server.emulator
    page = {"Accept": "text/html", "Sec-Fetch-Dest": "document"}
    url = f"{site}/invitations/"

    good = clerk.session_cookies("ada@acme.test", organization="acme", azp=site)
    response = requests.get(url, cookies=good, headers=page, timeout=WATCHDOG)
    assert response.status_code == 200
    assert "Pending invitations" in response.text

    late = clerk.session_cookies("ada@acme.test", organization="acme", azp=site, issued_ago=90)
    late.pop(f"__refresh_{clerk.cookie_suffix}")
    response = requests.get(
        url, cookies=late, headers=page, timeout=WATCHDOG, allow_redirects=False
    )
    assert response.status_code == 307
    assert response.headers["Location"].startswith(f"{clerk.base_url}/v1/client/handshake?")
    assert response.headers["Cache-Control"] == "no-store"
    assert "__clerk_redirect_count=1" in response.headers["Set-Cookie"]


def test_every_directive_of_a_handshake_arrives_as_it_was_sent(
    site: str, clerk_emulator_server: EmulatorServer
) -> None:
    clerk = clerk_emulator_server.emulator
    clerk.site = site
    with requests.Session() as browser:
        browser.post(
            f"{clerk.base_url}/sign-in",
            data={"user": "ada@acme.test", "redirect_url": f"{site}/invitations/"},
            headers={"Accept": "text/html", "Sec-Fetch-Dest": "document"},
            timeout=WATCHDOG,
        )
        response = browser.get(f"{site}/invitations/", timeout=WATCHDOG)
    assert response.status_code == 200
    assert "Acme" in response.text
    assert {"__session", f"__session_{clerk.cookie_suffix}"} <= set(browser.cookies.keys())
