"""``CLERK_LIVE_SECRET_KEY=sk_test_… make live``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import requests

from org_invitations.emulator import EmulatorServer

from .api import PAUSE, Clerk
from .trial import CannotBegin, check_key, compare, plan, report

#: Where the report goes, unless LIVE_REPORT says otherwise.
REPORT = "live.md"


def main(environment: Mapping[str, str], *, pause: float = PAUSE) -> int:
    """Try; return the exit status: 0 where it could be tried, whatever was found."""
    key = environment.get("CLERK_LIVE_SECRET_KEY", "").strip()
    if not key:
        print(plan())
        return 0
    url = environment.get("CLERK_LIVE_API_URL", "") or "https://api.clerk.com"
    try:
        check_key(key)
        with EmulatorServer() as server:
            live = Clerk(url, key, pause=pause)
            emulator = Clerk(server.url, server.emulator.secret_key, pause=0)
            results = compare(live, emulator)
    except CannotBegin as error:
        print(error)
        return 2
    except requests.RequestException as error:
        print(f"Clerk could not be reached: {type(error).__name__}.")
        return 2
    text = report(results, live.calls)
    Path(environment.get("LIVE_REPORT") or REPORT).write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
