"""An emulated Clerk in a process of its own, so that its work is not counted as the app's.

``python -m benchmarks.upstream`` serves it: so many pending invitations, as JSON on its standard
input, are in an organization of their own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parent.parent


class Upstream:
    """The emulator, as long as the context lasts."""

    def __init__(self, *, pending: int, site: str) -> None:
        self._order = {"pending": pending, "site": site}
        self._process: subprocess.Popen[str] | None = None
        #: What a site needs to use it; the organization's id; the cookies of an admin of it.
        self.settings: dict[str, str] = {}
        self.organization_id = ""
        self.cookies: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Where it is."""
        return self.settings["CLERK_API_URL"]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.upstream"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(self._order))
        self._process.stdin.close()
        told = json.loads(self._process.stdout.readline())
        self.settings, self.cookies = told["settings"], told["cookies"]
        self.organization_id = told["organization_id"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def delay(self, seconds: float) -> None:
        """Let every answer of the Backend API take so long; 0 for as fast as it can."""
        self._order_fault("DELETE")
        if seconds:
            self._order_fault("POST", {"path": "/v1/*", "times": None, "delay": seconds})

    def _order_fault(self, method: str, order: dict[str, Any] | None = None) -> None:
        request = urllib.request.Request(
            f"{self.url}/_emulator/faults",
            data=json.dumps(order or {}).encode(),
            method=method,
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            answer.read()


def serve() -> None:
    """Serve the emulator until the process is killed."""
    from org_invitations.emulator import Emulator, EmulatorServer

    order = json.load(sys.stdin)
    emulator = Emulator(site=order["site"])
    emulator.configure(rate_limits=False)
    server = EmulatorServer(emulator, "127.0.0.1", 0)
    acme = emulator.organization("acme")
    for row in emulator.invitations("acme"):
        del emulator.state.invitations[row.id]
    for number in range(order["pending"]):
        emulator.add_invitation(
            "acme",
            f"person.{number:03}@customer-{number % 17}.example",
            role="org:admin" if number % 9 == 0 else "org:member",
            inviter="ada@acme.test",
            created_ago=3600 * (number + 1),
            notify=False,
        )
    told = {
        "settings": emulator.django_settings(),
        "organization_id": acme.id,
        "cookies": emulator.session_cookies(
            "ada@acme.test", organization="acme", lifetime=7200, azp=order["site"]
        ),
    }
    print(json.dumps(told), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve()
