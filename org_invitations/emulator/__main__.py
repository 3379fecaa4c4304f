"""``python -m org_invitations.emulator``: a Clerk on this machine."""

from __future__ import annotations

import argparse
import contextlib
import shlex
from collections.abc import Sequence

from .core import Emulator
from .instance import DEFAULT_SITE
from .seed_data import ADA, BO, GUS, MAX, MIA, NORA
from .server import EmulatorServer


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m org_invitations.emulator",
        description="A Clerk on this machine that forgets everything when it stops.",
    )
    parser.add_argument("--port", type=int, default=8900, help="default: 8900; 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
    parser.add_argument(
        "--site", default=DEFAULT_SITE, help=f"the site under development; default: {DEFAULT_SITE}"
    )
    parser.add_argument("--production", action="store_true", help="a production instance")
    parser.add_argument("--verbose", action="store_true", help="print each request")
    options = parser.parse_args(arguments)

    kind = "production" if options.production else "development"
    emulator = Emulator(site=options.site, kind=kind)
    server = EmulatorServer(emulator, options.host, options.port, verbose=options.verbose)
    print(greeting(emulator), flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


def greeting(emulator: Emulator) -> str:
    """What the command prints: where to go, who is there, and the lines for the site's shell."""
    lines = [f"export {k}={shlex.quote(v)}" for k, v in emulator.environment().items()]
    url = emulator.base_url
    return "\n".join(
        [
            f"Clerk emulator ({emulator.settings.kind} instance), for {emulator.site}",
            "",
            f"  Start    {url}/",
            f"  Sign in  {url}/sign-in",
            f"  Mailbox  {url}/mailbox",
            "",
            f"  People   {ADA} (admin of Acme), {MAX} (member), {MIA} (people manager),",
            f"           {GUS} (admin of Globex), {BO} (admin of both), {NORA} (in none)",
            "",
            "The same keys at every start; they are public and open nothing else. Paste these",
            "lines into the shell that the site is started in:",
            "",
            *lines,
            "",
            "Ctrl+C stops it, and everything is forgotten.",
        ]
    )


if __name__ == "__main__":
    main()
