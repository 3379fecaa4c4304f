"""How long a request takes while Clerk is slow, and what it says then.

Run ``python -m benchmarks.deadline`` from the root of the checkout; it takes a minute. All times
are a tenth of what they stand for, those of Clerk and those of the settings. Of each request it
prints how long it took, as a share of what a request has; what became of its parts; and what there
is at Clerk's after that.
"""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlencode

from benchmarks.site import Site
from org_invitations.emulator import Emulator, EmulatorServer

#: All seconds by this.
SCALE = 10
REQUEST_SECONDS = 25
SETTINGS = {
    "ORG_INVITATIONS_REQUEST_SECONDS": REQUEST_SECONDS / SCALE,
    "ORG_INVITATIONS_CONNECT_TIMEOUT": 2 / SCALE,
    "ORG_INVITATIONS_READ_TIMEOUT": 6 / SCALE,
}

#: What a form proves with that it is the site's own.
TOKEN = "t" * 32

Sent = tuple[int, str, float]


class Bench:
    """A site, a Clerk that is slow when told to be, and somebody who is signed in."""

    def __init__(self, site: Site, emulator: Emulator) -> None:
        self.site = site
        self.emulator = emulator
        self.cookies = emulator.session_cookies("ada@acme.test", organization="acme", lifetime=3600)

    def invite(self, addresses: list[str]) -> list[str]:
        """Put pending invitations there; return their ids."""
        return [
            self.emulator.add_invitation("acme", address, notify=False).id for address in addresses
        ]

    def post(self, path: str, *pairs: tuple[str, str]) -> Sent:
        """Send a form."""
        form = urlencode([("csrfmiddlewaretoken", TOKEN), *pairs])
        return self.site.post(f"/invitations/{path}", self.cookies | {"csrftoken": TOKEN}, form)

    def measure(
        self, title: str, addresses: list[str], send: Callable[[], Sent], **slow: object
    ) -> None:
        """Send a request while Clerk is slow, and print what there is to say of it."""
        self.site.get("/invitations/", self.cookies)
        self.emulator.clock.advance(11)  # for Clerk's limit
        self.emulator.fault(times=None, **slow)  # type: ignore[arg-type]
        before = len(self.emulator.requests)
        status, _, took = send()
        self.emulator.faults.clear()
        took *= SCALE
        calls = Counter(call.method for call in self.emulator.requests[before:])
        rows = [row for row in self.emulator.invitations("acme") if row.email_address in addresses]
        pending = [row for row in rows if row.state == "pending"]
        print(
            f"{title}: {took:.0f} s ({took / REQUEST_SECONDS:.0%} of what it has), "
            f"status {status}, {calls['GET']} reads and {calls['POST']} writes; "
            f"of {len(addresses)} people {len({row.email_address for row in pending})} are invited",
            flush=True,
        )


def names(kind: str, count: int) -> list[str]:
    """Return some addresses."""
    return [f"{kind}{number}@example.com" for number in range(count)]


def main() -> None:
    """Measure one request of each kind."""
    with EmulatorServer(Emulator()) as server:
        emulator = server.emulator
        settings = {"ALLOWED_HOSTS": ["127.0.0.1"], **emulator.django_settings(), **SETTINGS}
        emulator.configure(organizations={"acme": {"max_allowed_memberships": 0}})
        with Site(settings) as site:
            emulator.site = site.url
            bench = Bench(site, emulator)

            def select(action: str, ids: list[str]) -> Callable[[], Sent]:
                fields = [("action", action), ("confirmed", "1"), ("batch", str(uuid.uuid4()))]
                return lambda: bench.post(
                    "selected/", *fields, *(("selected", name) for name in ids)
                )

            def type_in(path: str, addresses: list[str]) -> Callable[[], Sent]:
                text = "\n".join(addresses)
                return lambda: bench.post(path, ("email_addresses", text), ("role", "org:member"))

            many = names("resend", 14)
            bench.measure(
                "14 resends, 4 s a write",
                many,
                select("resend", bench.invite(many)),
                method="POST",
                delay=4 / SCALE,
            )
            few = names("slow", 6)
            bench.measure(
                "6 resends, 9 s a call",
                few,
                select("resend", bench.invite(few)),
                delay=9 / SCALE,
            )
            one = names("one", 1)
            bench.measure("1 invitation, 9 s a call", one, type_in("invite/", one), delay=9 / SCALE)
            other = names("other", 1)
            bench.measure(
                "1 invitation, 5 s a call", other, type_in("invite/", other), delay=5 / SCALE
            )
            checked = names("check", 100)
            bench.measure(
                "a check of 100, 9 s a call", checked, type_in("check/", checked), delay=9 / SCALE
            )
            crowd = names("crowd", 60)
            text = "\n".join(crowd)
            form = (("email_addresses", text), ("role", "org:member"))
            _, page, _ = bench.post("invite/", *form)
            found = re.search(r'name="reviewed"\s+value="([^"]+)"', page)
            reviewed = found[1] if found else ""
            bench.measure(
                "60 invitations, 5 s a write",
                crowd,
                lambda: bench.post("invite/", *form, ("reviewed", reviewed)),
                method="POST",
                delay=5 / SCALE,
            )


if __name__ == "__main__":
    main()
