"""`make demo`: the example site and, unless `.env` has keys of Clerk's, an emulated Clerk.

Ports come from ``PORT`` (default 8000) and ``EMULATOR_PORT`` (default 8900).
"""

from __future__ import annotations

import io
import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import django
import environ
from django.core.management import call_command

from org_invitations.emulator import Emulator, EmulatorServer


def main() -> int:
    """Run both until Ctrl-C."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "example.settings"
    port = int(os.environ.get("PORT", "8000"))
    emulator_port = int(os.environ.get("EMULATOR_PORT", "8900"))
    if not is_free(port):  # runserver would end the process without a word
        return busy("PORT", port)
    with ExitStack() as stack:
        if not _has_keys():
            emulator = Emulator(
                base_url=f"http://localhost:{emulator_port}", site=f"http://localhost:{port}"
            )
            try:
                stack.enter_context(EmulatorServer(emulator, port=emulator_port))
            except OSError:
                return busy("EMULATOR_PORT", emulator_port)
            os.environ.update(emulator.environment())
            os.environ["ORG_INVITATIONS_JOIN_URL"] = f"http://localhost:{port}/join/"
        django.setup()
        call_command("migrate", verbosity=0)
        print(f"\n  Open http://localhost:{port}/ and sign in. Stop with Ctrl-C.\n", flush=True)
        call_command("runserver", f"127.0.0.1:{port}", use_reloader=False, stdout=io.StringIO())
    return 0


def _has_keys() -> bool:
    # Not by importing the settings: they read the environment once, and it is not complete yet.
    env = environ.Env()
    env.read_env(Path(__file__).resolve().parent.parent / ".env")
    return bool(env.str("CLERK_SECRET_KEY", default=""))


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def busy(name: str, port: int, target: str = "demo") -> int:
    """Say that a port is in use; returns what the process ends with."""
    print(f"Port {port} is in use. Choose another one: make {target} {name}=…")
    return 1


if __name__ == "__main__":
    sys.exit(main())
