"""What the app costs, beside what does the same with less: ``make bench``.

All is measured in one run, in turns, and told as ratios, since times belong to a machine. The
emulated Clerk is a process of its own. What a page costs is the processor's time of all threads of
the site's process, which a wait does not add to; only the waits are measured by the wall.

``python -m benchmarks.bench --json FILE --markdown FILE`` also writes the figures down.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import requests

from benchmarks.upstream import Upstream

SITE = "http://testserver"
LIST = "/invitations/"

#: As many turns each contestant has; the first ones do not count.
TURNS, WARM_UP = 60, 5
#: A turn at 100 ms an answer takes its time.
WAITING_TURNS = 12
DELAY = 0.1


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    #: What the app takes, and what it is compared with.
    ours: float
    other: float
    unit: str
    #: The other's name.
    beside: str
    #: The ratio that is aimed at; None where there is none.
    aim: float | None = None

    @property
    def ratio(self) -> float:
        """Ours in terms of the other's."""
        return self.ours / self.other


def in_turns(
    contestants: Mapping[str, Callable[[], object]],
    *,
    turns: int = TURNS,
    clock: Callable[[], float] = time.process_time,
    before: Callable[[], object] = lambda: None,
) -> dict[str, float]:
    """Let each have its turn, over and over; return the median seconds of each.

    :param before: what comes before each turn, and is not measured.
    """
    took: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(turns + WARM_UP):
        for name, run in contestants.items():
            before()
            started = clock()
            run()
            if turn >= WARM_UP:
                took[name].append(clock() - started)
    return {name: statistics.median(times) for name, times in took.items()}


def calls(upstream: Upstream, count: int) -> list[Figure]:
    """Compare one call that lists so many with the same call by other means."""
    import httpx
    from clerk_backend_api import Clerk

    from org_invitations.clerk import InvitationStatus, OrganizationAPI
    from org_invitations.clients import get_client

    key = upstream.settings["CLERK_SECRET_KEY"]
    url = f"{upstream.url}/v1/organizations/{upstream.organization_id}/invitations"
    params: dict[str, str | int] = {"status": "pending", "limit": count, "offset": 0}
    headers = {"Authorization": f"Bearer {key}"}
    ours = OrganizationAPI(get_client(), upstream.organization_id)
    theirs = Clerk(bearer_auth=key, server_url=f"{upstream.url}/v1")
    session, client = requests.Session(), httpx.Client()

    def by_app() -> object:
        return ours.get_invitations(status=[InvitationStatus.PENDING], limit=count)

    def by_clerk() -> object:
        return theirs.organization_invitations.list(
            organization_id=upstream.organization_id,
            status="pending",  # type: ignore[arg-type]
            limit=count,
            offset=0,
        )

    took = in_turns(
        {
            "org_invitations": by_app,
            "requests": lambda: session.get(url, params=params, headers=headers).json(),
            "httpx": lambda: client.get(url, params=params, headers=headers).json(),
            "clerk-backend-api": by_clerk,
        }
    )
    aims = {("requests", 500): 1.0}
    return [
        Figure(
            f"a call that lists {count}",
            took["org_invitations"] * 1000,
            took[name] * 1000,
            "ms CPU",
            name,
            aims.get((name, count)),
        )
        for name in ("requests", "httpx", "clerk-backend-api")
    ]


class Pages:
    """Loads the app's list and the barest page, in this process."""

    def __init__(self, upstream: Upstream) -> None:
        from django.test import Client

        self.client = Client()
        for name, value in upstream.cookies.items():
            self.client.cookies[name] = value

    def ours(self, size: int) -> bytes:
        """Load the list."""
        return self._get(f"{LIST}?size={size}", size)

    def barest(self, size: int) -> bytes:
        """Load the page that it is measured against."""
        return self._get(f"/barest/?size={size}", size)

    def _get(self, path: str, size: int) -> bytes:
        answer = self.client.get(path, headers={"accept": "text/html"})
        content: bytes = answer.content
        shown = content.count(b"@customer-")
        if answer.status_code != 200 or shown < size:
            raise SystemExit(f"{path}: {answer.status_code}, and {shown} of {size} rows")
        return content


def pages(upstream: Upstream, count: int, sizes: Sequence[int]) -> list[Figure]:
    """Compare what the page costs with what the barest one does."""
    site = Pages(upstream)
    figures = []
    for size in sizes:
        took = in_turns({"ours": partial(site.ours, size), "barest": partial(site.barest, size)})
        figures.append(
            Figure(
                f"the page with {size} of {count}",
                took["ours"] * 1000,
                took["barest"] * 1000,
                "ms CPU",
                "the barest page",
                1.5 if size >= 50 else 2.0,
            )
        )
    return figures


def waits(upstream: Upstream) -> list[Figure]:
    """Compare what somebody waits for with the slowest call, where each takes 100 ms."""
    from django.core.cache import cache

    site = Pages(upstream)
    url = f"{upstream.url}/v1/organizations/{upstream.organization_id}/invitations?limit=500"
    key = upstream.settings["CLERK_SECRET_KEY"]
    session = requests.Session()

    def call() -> object:
        return session.get(url, headers={"Authorization": f"Bearer {key}"}).content

    upstream.delay(DELAY)
    try:
        warm = in_turns(
            {"page": lambda: site.ours(10), "call": call},
            turns=WAITING_TURNS,
            clock=time.perf_counter,
        )
        cold = in_turns(
            {"page": lambda: site.ours(10), "call": call},
            turns=WAITING_TURNS,
            clock=time.perf_counter,
            before=cache.clear,
        )
    finally:
        upstream.delay(0)
    return [
        Figure(
            f"waiting for the page, {name}",
            took["page"] * 1000,
            took["call"] * 1000,
            "ms",
            "the slowest call",
            aim,
        )
        for name, took, aim in (("warm", warm, 1.15), ("cold", cold, 2.2))
    ]


def main() -> None:
    """Measure, print, and write down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    figures: list[Figure] = []
    _set_up()
    for count in (10, 50, 500):
        with Upstream(pending=count, site=SITE) as upstream:
            _use(upstream)
            if count != 50:
                figures += calls(upstream, count)
            figures += pages(upstream, count, [size for size in (10, 50) if size <= count])
            if count == 10:
                figures += waits(upstream)
    table = as_table(figures)
    print(table)
    if options.json:
        rows = [{**asdict(figure), "ratio": round(figure.ratio, 3)} for figure in figures]
        options.json.write_text(
            json.dumps({"machine": machine(), "figures": rows}, indent=2) + "\n"
        )
    if options.markdown:
        options.markdown.write_text(table + "\n")


def machine() -> str:
    """Name what this was measured on."""
    import django

    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return (
        f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"Django {django.__version__}"
    )


def as_table(figures: Sequence[Figure]) -> str:
    """Return a table in Markdown."""
    lines = [
        "# What it costs",
        "",
        "Written by `make bench`: all measured in one run and in turns, on",
        f"{machine()}.",
        "Times belong to that machine; ratios travel. CPU is that of all threads of the site's",
        "process. The barest page (`benchmarks/barest.py`) shows the same rows with one call and",
        "one template, and nothing else. An aim is what is worked towards, not what is reached.",
        "",
        "| what | here | beside | there | ratio | aim |",
        "|---|---|---|---|---|---|",
    ]
    for one in figures:
        aim = "" if one.aim is None else f"{one.aim:.2f}"
        lines.append(
            f"| {one.what} | {one.ours:.1f} {one.unit} | {one.beside} | "
            f"{one.other:.1f} {one.unit} | **{one.ratio:.2f}** | {aim} |"
        )
    return "\n".join(lines)


def _set_up() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.conf import settings

    settings.ROOT_URLCONF = "benchmarks.site_urls"
    settings.DATABASES["default"]["NAME"] = ":memory:"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _use(upstream: Upstream) -> None:
    from django.conf import settings
    from django.core.cache import cache

    from org_invitations.clients import forget_clients

    for name, value in {
        **upstream.settings,
        "BAREST_ORGANIZATION": upstream.organization_id,
    }.items():
        setattr(settings, name, value)
    cache.clear()
    forget_clients()


if __name__ == "__main__":
    main()
