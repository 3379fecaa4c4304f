"""`make demo`: the example site and, unless `.env` has keys of Clerk's, an emulated Clerk.

Ports come from ``PORT`` (default 8000) and ``EMULATOR_PORT`` (default 8900).
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import ExitStack
from pathlib import Path

import django
import environ
from django.core.management import call_command

from org_invitations.emulator import Emulator, EmulatorServer


def main() -> int:
    """Run both until Ctrl-C."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example.settings")
    port = int(os.environ.get("PORT", "8000"))
    emulator_port = int(os.environ.get("EMULATOR_PORT", "8900"))
    with ExitStack() as stack:
        if not _has_keys():
            emulator = Emulator(
                base_url=f"http://localhost:{emulator_port}", site=f"http://localhost:{port}"
            )
            try:
                stack.enter_context(EmulatorServer(emulator, port=emulator_port))
            except OSError as error:
                return _busy("EMULATOR_PORT", emulator_port, error)
            for name, value in emulator.django_settings().items():
                os.environ[name] = value
        django.setup()
        print(f"\n  Open http://localhost:{port}/ and sign in. Stop with Ctrl-C.\n", flush=True)
        try:
            call_command("runserver", f"127.0.0.1:{port}", use_reloader=False, stdout=io.StringIO())
        except SystemExit:
            return _busy("PORT", port, None)
        except KeyboardInterrupt:
            pass
    return 0


def _has_keys() -> bool:
    # Not by importing the settings: they read the environment once, and it is not complete yet.
    env = environ.Env()
    env.read_env(Path(__file__).resolve().parent.parent / ".env")
    return bool(env.str("CLERK_SECRET_KEY", default=""))


def _busy(name: str, port: int, error: OSError | None) -> int:
    reason = f" ({error.strerror})" if error else ""
    print(f"Port {port} cannot be used{reason}. Choose another one: make demo {name}=…")
    return 1


if __name__ == "__main__":
    sys.exit(main())
