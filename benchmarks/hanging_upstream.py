"""What becomes of the other pages of a site while Clerk hangs, and how long it takes to recover.

Run ``python -m benchmarks.hanging_upstream`` from the root of the checkout; it takes a minute. A
site of eight threads in a process of its own, an emulated Clerk that takes every request and
answers none, and thirty requests at once: of somebody who is signed in, then of strangers with a
made-up handshake nonce, then of somebody whose token needs keys that were never fetched. Meanwhile
a page that needs no Clerk is loaded over and over. How long it takes is given as a multiple of
what it takes on a quiet site.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from typing import Self

from benchmarks.site import Site
from org_invitations.emulator import Emulator, EmulatorServer

REQUESTS = 30
LIST = "/invitations/"
NONCE = f"{LIST}?__clerk_handshake_nonce=made-up"


class Watch:
    """Loads the page that needs no Clerk, and remembers the slowest load."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.slowest = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.slowest = max(self.slowest, self.site.get("/plain/")[2])
            self._stop.wait(0.02)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def crowd(site: Site, load: Callable[[], tuple[int, str, float]]) -> tuple[float, float]:
    """Send thirty requests at once; return the slowest load of the other page, and of these."""
    took: list[float] = []
    threads = [threading.Thread(target=lambda: took.append(load()[2])) for _ in range(REQUESTS)]
    with Watch(site) as watch:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return watch.slowest, max(took)


def measure(title: str, emulator: Emulator, *, signed_in: bool, has_keys: bool = True) -> None:
    """Print the figures of one crowd."""
    settings = {"ALLOWED_HOSTS": ["127.0.0.1"], **emulator.django_settings()}
    if not has_keys:
        settings["CLERK_JWT_KEY"] = ""
    with Site(settings) as site:
        emulator.site = site.url
        somebody = emulator.invitations("acme", "pending")[-1].email_address
        cookies = emulator.session_cookies("ada@acme.test", organization="acme", lifetime=3600)

        def load() -> tuple[int, str, float]:
            return site.get(LIST, cookies) if signed_in else site.get(NONCE)

        def works() -> bool:
            return somebody in site.get(LIST, cookies)[1]

        if has_keys and not works():
            raise SystemExit("the list cannot be loaded though Clerk answers")
        quiet = statistics.median([site.get("/plain/")[2] for _ in range(200)][100:])
        print(f"{title}\n  quiet: the other page takes {quiet * 1000:.1f} ms")
        emulator.fault(times=None, hold=3600)
        for when in ("before the circuit opens", "while it is open"):
            other, own = crowd(site, load)
            print(
                f"  Clerk hangs, {when}: the other page takes {other / quiet:.0f} times as long "
                f"at most ({other:.2f} s), the {REQUESTS} requests {own:.1f} s",
                flush=True,
            )
        emulator.faults.clear()
        started = time.monotonic()
        while not works():
            time.sleep(0.1)
        print(f"  Clerk answers again: the list is back after {time.monotonic() - started:.1f} s")
        after = statistics.median(site.get("/plain/")[2] for _ in range(100))
        print(f"  after that: the other page takes {after / quiet:.1f} times as long", flush=True)


def main() -> None:
    """Measure both crowds."""
    with EmulatorServer(Emulator()) as server:
        measure("Thirty lists of somebody who is signed in", server.emulator, signed_in=True)
        measure("Thirty made-up handshake nonces", server.emulator, signed_in=False)
        measure("Thirty lists, no keys yet", server.emulator, signed_in=True, has_keys=False)


if __name__ == "__main__":
    main()
