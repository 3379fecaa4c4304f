"""What ten thousand addresses cost a process of the site, from the paste to the progress.

Run ``python -m benchmarks.drafts`` from the root of the checkout. It pastes as many several times,
in an organization of 2000 members and 4000 pending invitations at a Clerk that takes its time, and
prints for each step how long it took, how much of that the process of the site was computing, how
large the answer is, and how much memory the process takes after it, which has to stay the same from
round to round.
"""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.site import Site
from org_invitations.emulator import Emulator, EmulatorServer

COUNT = 10_000
MEMBERS = 2_000
PENDING = 4_000
ROUNDS = 5

#: What a call of Clerk's takes (seconds), and what proves that a form is the site's own.
DELAY = 0.3
TOKEN = "t" * 32


def get_memory(process: int) -> float:
    """Return what a process has in memory, in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def get_seconds(process: int) -> float:
    """Return for how long a process has been computing."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fill(emulator: Emulator) -> None:
    """Give Acme its members and pending invitations."""
    emulator.configure(rate_limits=False, organizations={"acme": {"max_allowed_memberships": 0}})
    for number in range(MEMBERS):
        emulator.add_user(f"member{number}@example.com")
        emulator.add_member("acme", f"member{number}@example.com")
    for number in range(PENDING):
        emulator.add_invitation("acme", f"pending{number}@example.com", notify=False)


def main() -> None:
    """Measure."""
    with EmulatorServer(Emulator()) as server:
        emulator = server.emulator
        settings = {
            "ALLOWED_HOSTS": ["127.0.0.1"],
            "ORG_INVITATIONS_BACKGROUND": True,
            # A request has 25 unless a site says otherwise; a busy machine is measured, too.
            "ORG_INVITATIONS_REQUEST_SECONDS": 300,
            **emulator.django_settings(),
        }
        fill(emulator)
        with Site(settings) as site:
            emulator.site = site.url
            emulator.fault(times=None, delay=DELAY)
            cookies = emulator.session_cookies("ada@acme.test", organization="acme", lifetime=3600)
            cookies["csrftoken"] = TOKEN
            for number in range(1, ROUNDS + 1):
                print(f"Round {number}")
                measure(site, cookies, number)


def measure(site: Site, cookies: dict[str, str], number: int) -> None:
    """Paste, find it in the list, check, send, and see how far it is."""
    before = get_seconds(site.pid)

    def tell(name: str, sent: tuple[int, str, float], expected: int) -> str:
        status, text, seconds = sent
        assert status == expected, (name, status, text[:500])
        nonlocal before
        computing, before = get_seconds(site.pid) - before, get_seconds(site.pid)
        size, memory = len(text) / 1000, get_memory(site.pid)
        print(f"  {name:8} {seconds:5.1f} s {computing:5.1f} s {size:6.1f} kB {memory:6.1f} MB")
        return text

    def post(path: str, **fields: str) -> tuple[int, str, float]:
        form = urlencode({"csrfmiddlewaretoken": TOKEN, "role": "org:member", **fields})
        return site.post(path, cookies, form)

    text = "\n".join(f"r{number}person{one}@example.com" for one in range(COUNT))
    batch = str(uuid.uuid4())
    tell("paste", post("/invitations/invite/", batch=batch, email_addresses=text), 303)
    listed = tell("list", site.get("/invitations/", cookies), 200)
    link = re.search(r"/invitations/drafts/([0-9a-f-]{36})/", listed)
    assert link is not None
    draft, batch = link[0], link[1]
    page = tell("check", site.get(draft, cookies), 200)
    found = re.search(r'name="reviewed"\s+value="([^"]+)"', page)
    assert found is not None
    tell("send", post(draft, reviewed=found[1]), 303)
    tell("progress", site.get(f"/invitations/outcomes/{batch}/progress/", cookies), 200)


if __name__ == "__main__":
    main()
