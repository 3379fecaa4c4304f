"""The emulator behind a socket, and as a command."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from org_invitations.emulator import SECRET_KEY, Emulator, EmulatorServer
from org_invitations.emulator.__main__ import greeting
from org_invitations.emulator.server import _HTTPServer
from tests.gates import WATCHDOG, gate

ROOT = Path(__file__).resolve().parents[2]
AUTHORIZED = {"Authorization": f"Bearer {SECRET_KEY}"}


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer() as running:
        yield running


@pytest.fixture
def http(server: EmulatorServer) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers.update(AUTHORIZED)
        session.trust_env = False
        yield session


def path_of_invitations(server: EmulatorServer) -> str:
    organization = server.emulator.organization("acme")
    return f"{server.url}/v1/organizations/{organization.id}/invitations"


def invite(http: requests.Session, server: EmulatorServer) -> requests.Response:
    body = {"email_address": "new@example.com", "role": "org:member"}
    return http.post(path_of_invitations(server), json=body, timeout=WATCHDOG)


def invited(server: EmulatorServer) -> int:
    rows = server.emulator.invitations("acme", "pending")
    return sum(row.email_address == "new@example.com" for row in rows)


def test_it_answers_on_localhost_and_on_127_0_0_1(
    http: requests.Session, server: EmulatorServer
) -> None:
    assert server.url == f"http://localhost:{server.port}"
    for host in ("localhost", "127.0.0.1"):
        url = f"http://{host}:{server.port}/v1/organizations/acme"
        assert http.get(url, timeout=WATCHDOG).json()["slug"] == "acme"


def test_a_connection_is_kept_and_an_answer_is_sent_as_one(
    server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    write = socketserver._SocketWriter.write  # type: ignore[attr-defined]

    def counted(writer: Any, data: Any) -> Any:
        sent.append(len(data))
        return write(writer, data)

    monkeypatch.setattr(socketserver._SocketWriter, "write", counted)  # type: ignore[attr-defined]
    parts = urlsplit(server.url)
    connection = HTTPConnection(parts.hostname or "", parts.port)
    connection.request("GET", "/v1/jwks", headers=AUTHORIZED)
    connection.getresponse().read()
    socket = connection.sock
    for _ in range(3):
        connection.request("GET", "/v1/jwks", headers=AUTHORIZED)
        assert connection.getresponse().read()
    # Head and body sent apart would cost the client 40 ms each time.
    assert len(sent) == 4
    assert connection.sock is socket
    connection.close()


def test_links_lead_to_the_server(http: requests.Session, server: EmulatorServer) -> None:
    answer = invite(http, server)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["url"].startswith(f"{server.url}/v1/tickets/accept?ticket=")


@pytest.mark.parametrize(("drop", "made"), [("before", 0), ("after", 1)])
def test_a_dropped_connection(
    http: requests.Session, server: EmulatorServer, drop: str, made: int
) -> None:
    server.emulator.fault("POST", drop=drop)
    with pytest.raises(requests.ConnectionError):
        invite(http, server)
    assert invited(server) == made


def test_a_truncated_answer(http: requests.Session, server: EmulatorServer) -> None:
    server.emulator.fault("POST", garbage="truncated")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        invite(http, server)
    assert invited(server) == 1
    assert http.get(f"{server.url}/v1/jwks", timeout=WATCHDOG).status_code == 200


def test_a_huge_answer(http: requests.Session, server: EmulatorServer) -> None:
    server.emulator.fault("GET", garbage="huge")
    with http.get(f"{server.url}/v1/jwks", stream=True, timeout=WATCHDOG) as answer:
        assert int(answer.headers["content-length"]) == 50 * 1024 * 1024
        assert answer.raw.read(1024).startswith(b'{"data":"xxx')


def test_a_delay_holds_up_nobody_else(http: requests.Session, server: EmulatorServer) -> None:
    server.emulator.fault("POST", delay=1)
    with gate(server.emulator) as closed:
        with pytest.raises(requests.ReadTimeout):
            http.post(
                path_of_invitations(server),
                json={"email_address": "new@example.com", "role": "org:member"},
                timeout=0.2,
            )
        closed.wait_for_arrival()
        assert invited(server) == 1
        assert http.get(f"{server.url}/v1/jwks", timeout=WATCHDOG).status_code == 200


def test_orders_over_http(http: requests.Session, server: EmulatorServer) -> None:
    def order(name: str, body: object) -> requests.Response:
        return http.post(f"{server.url}/_emulator/{name}", json=body, timeout=WATCHDOG)

    order("faults", {"path": "/v1/jwks", "status": 503, "headers": {"Retry-After": 3}})
    answer = http.get(f"{server.url}/v1/jwks", timeout=WATCHDOG)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    order("clock", {"set": 1_900_000_000})
    assert invite(http, server).json()["created_at"] // 1000 in range(1_900_000_000, 1_900_000_060)
    listed = http.get(f"{server.url}/_emulator/requests", timeout=WATCHDOG)
    assert [call["status"] for call in listed.json()["requests"]] == [503, 200]
    assert SECRET_KEY not in listed.text
    order("reset", {})
    assert invited(server) == 0


def test_a_head_has_no_body(http: requests.Session, server: EmulatorServer) -> None:
    answer = http.head(f"{server.url}/v1/jwks", timeout=WATCHDOG)
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_body_without_end_is_not_read(server: EmulatorServer) -> None:
    parts = urlsplit(server.url)
    for headers in ({"Content-Length": "99999999"}, {"Content-Length": "x"}):
        connection = HTTPConnection(parts.hostname or "", parts.port)
        connection.putrequest("POST", "/sign-in", skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == 413
        connection.close()


def test_a_stopped_server_answers_nobody() -> None:
    with requests.Session() as session, EmulatorServer() as running:
        session.trust_env = False
        url = f"{running.url}/.well-known/jwks.json"
        assert session.get(url, timeout=WATCHDOG).status_code == 200
        running.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(url, timeout=WATCHDOG)


PRINT_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"


def test_a_greeting_with_all_one_needs() -> None:
    text = greeting(Emulator(site="http://localhost:8123"))
    for piece in ("http://localhost:8123", "/sign-in", "/mailbox", "ada@acme.test"):
        assert piece in text


def test_the_lines_of_the_greeting_paste_into_a_shell() -> None:
    emulator = Emulator(site="http://localhost:8123")
    lines = [line for line in greeting(emulator).splitlines() if line.startswith("export ")]
    script = "\n".join([*lines, shlex.join([sys.executable, "-c", PRINT_ENVIRONMENT])])
    shell = subprocess.run(["sh", "-eu"], input=script, capture_output=True, text=True, check=True)
    there = json.loads(shell.stdout)
    for name, value in emulator.environment().items():
        assert there[name] == value
    assert there["CLERK_SECRET_KEY"] == SECRET_KEY
    assert there["CLERK_AUTHORIZED_PARTIES"] == "http://localhost:8123,http://127.0.0.1:8123"
    assert there["CLERK_JWT_KEY"].startswith("-----BEGIN PUBLIC KEY-----\\n")


@pytest.mark.parametrize(
    ("site", "origins"),
    [
        ("http://127.0.0.1:8000", ["http://127.0.0.1:8000", "http://localhost:8000"]),
        ("https://app.example.com", ["https://app.example.com"]),
    ],
)
def test_a_site_on_this_machine_is_reached_by_name_and_by_address(
    site: str, origins: list[str]
) -> None:
    assert Emulator(site=site).site_origins == origins


def test_the_command_runs_and_forgets() -> None:
    command = [sys.executable, "-m", "org_invitations.emulator", "--port", "0", "--verbose"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while not lines[-1].startswith("Ctrl+C"):
            lines.append(process.stdout.readline())
        url = next(line.split()[-1] for line in lines if line.startswith("  Start"))
        answer = requests.get(f"{url}v1/organizations/acme", headers=AUTHORIZED, timeout=WATCHDOG)
        assert answer.json()["slug"] == "acme"
        said = process.stdout.readline()
        assert said.strip() == "GET /v1/organizations/acme -> 200"
        process.terminate()
        assert SECRET_KEY not in process.stdout.read()


def test_it_needs_nothing_of_the_app() -> None:
    """The emulator is a second opinion on Clerk, so it may share no code with the client."""
    program = (
        "import json, sys\n"
        "import org_invitations.emulator.__main__\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    modules = json.loads(ran.stdout)
    own = {name for name in modules if name.split(".")[0] == "org_invitations"}
    allowed = ("org_invitations", "org_invitations.emulator")
    assert {n for n in own if n not in allowed and not n.startswith(f"{allowed[1]}.")} == set()
    assert not {"django", "requests", "responses", "pytest"} & {n.split(".")[0] for n in modules}


def test_no_file_imports_another_part_of_the_app() -> None:
    for file in (ROOT / "org_invitations" / "emulator").glob("*.py"):
        text = file.read_text()
        assert not re.search(r"^\s*(from|import) (org_invitations|django)\b", text, re.MULTILINE)
        assert not re.search(r"^\s*from \.\.", text, re.MULTILINE), file.name


# --- Nobody listens -----------------------------------------------------------------------------


def test_it_refuses_connections_until_it_listens_again(
    http: requests.Session, server: EmulatorServer
) -> None:
    url = f"{server.url}/v1/organizations/acme"
    assert http.get(url, timeout=5).ok
    server.refuse()
    with pytest.raises(requests.ConnectionError, match="refused"):
        http.get(url, timeout=5)
    server.refuse()  # once is enough
    server.listen()
    assert http.get(url, timeout=5).json()["slug"] == "acme"
    server.listen()


def test_who_has_an_answer_is_refused_however_late_its_thread_goes_on(
    http: requests.Session, server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    end_call, shutdown = _HTTPServer.end_call, _HTTPServer.shutdown

    def end_late(self: _HTTPServer, connection: socket.socket) -> bool:
        assert begun.wait(WATCHDOG)
        time.sleep(0.05)  # who does not wait for it has looked by now
        return end_call(self, connection)

    def begin(self: _HTTPServer) -> None:
        shutdown(self)
        begun.set()

    monkeypatch.setattr(_HTTPServer, "end_call", end_late)
    monkeypatch.setattr(_HTTPServer, "shutdown", begin)
    url = f"{server.url}/v1/organizations/acme"
    assert http.get(url, timeout=5).ok
    server.refuse()
    with pytest.raises(requests.ConnectionError, match="refused"):
        http.get(url, timeout=5)


def test_it_refuses_after_so_many_answers(http: requests.Session, server: EmulatorServer) -> None:
    url = f"{server.url}/v1/organizations/acme"
    server.refuse(after=2)
    assert http.get(url, timeout=5).ok
    last = http.get(url, timeout=5)
    assert last.headers["Connection"] == "close"
    assert last.json()["slug"] == "acme"
    with pytest.raises(requests.ConnectionError, match="refused"):
        http.get(url, timeout=5)
    server.listen()
    assert http.get(url, timeout=5).ok


def test_listening_takes_an_order_to_refuse_back(
    http: requests.Session, server: EmulatorServer
) -> None:
    server.refuse(after=1)
    server.listen()
    url = f"{server.url}/v1/organizations/acme"
    assert [http.get(url, timeout=5).status_code for _ in range(3)] == [200] * 3


def test_it_can_be_stopped_while_it_refuses() -> None:
    with EmulatorServer() as server:
        server.refuse()
