"""`make demo-workers`: the example site, an emulated Clerk, and workers in processes of their own.

Three organizations invite ``ADDRESSES`` (default 300) people; one worker is killed in the midst of
it. Clerk's hour passes in two minutes here, so that one sees the end. Nothing else has to run on
the machine; where Redis or RabbitMQ answers, a worker of Celery's helps (``CELERY_BROKER_URL``
names another one, or none). Ports come from ``PORT`` (default 8000) and ``EMULATOR_PORT`` (default
8900). With ``--end`` it ends when all are sent.
"""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import django
from demo import busy, is_free
from django.core.management import call_command

from org_invitations.emulator import Emulator, EmulatorServer

if TYPE_CHECKING:
    from org_invitations.models import Batch

#: So many times as fast as elsewhere the hour passes here that Clerk's limits are for.
SPEED: Final = 30

#: Who invites, as whom, and how many of fifteen.
WISHES: Final = (
    ("acme", "ada@acme.test", 10),
    ("globex", "gus@globex.test", 4),
    ("initech", "bo@both.test", 1),
)

#: So long Clerk takes to create invitations (seconds): long enough to be killed in.
_DELAY: Final = 0.4

#: After so many of fifteen are sent the first worker is killed.
_KILL_AT: Final = 3

_HERE: Final = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Wish:
    """What one organization wants to send."""

    name: str
    count: int
    batch: Batch


def main() -> int:
    """Run all of it until Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the workers end with it, too
    port = int(os.environ.get("PORT", "8000"))
    emulator_port = int(os.environ.get("EMULATOR_PORT", "8900"))
    if not is_free(port):
        return busy("PORT", port, "demo-workers")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        emulator = _make_emulator(port, emulator_port)
        try:
            stack.enter_context(EmulatorServer(emulator, port=emulator_port))
        except OSError:
            return busy("EMULATOR_PORT", emulator_port, "demo-workers")
        broker = _find_broker()
        _set_environment(emulator, folder, port, broker)
        django.setup()
        call_command("migrate", verbosity=0)
        if broker:
            stack.callback(_empty, broker)
        workers = stack.enter_context(Workers(folder))
        demo = Demo(emulator, workers, port)
        demo.say_what_it_is(broker)
        workers.start("manage.py", "org_invitations", "send", "--loop")
        if broker:
            workers.start("-m", "celery", "--app", "example", "worker", "--concurrency", "1")
            schedule = str(folder / "beat")
            workers.start("-m", "celery", "--app", "example", "beat", "--schedule", schedule)
        demo.press()
        threading.Thread(target=demo.let_time_fly, daemon=True).start()
        if "--end" in sys.argv[1:]:
            demo.tell()
            return 0
        threading.Thread(target=demo.tell, daemon=True).start()
        call_command("runserver", f"127.0.0.1:{port}", use_reloader=False, stdout=io.StringIO())
    return 0


def _make_emulator(port: int, emulator_port: int) -> Emulator:
    emulator = Emulator(
        base_url=f"http://localhost:{emulator_port}", site=f"http://localhost:{port}"
    )
    emulator.add_organization("initech", "Initech")
    emulator.add_member("initech", "bo@both.test", "org:admin")
    no_limit = {"max_allowed_memberships": 0}
    emulator.configure(
        organizations={"acme": no_limit, "globex": no_limit},
        # The site keeps to Clerk's limits by itself, in an hour that is shorter than Clerk's.
        rate_limits={"requests": 100_000, "single": 100_000, "bulk": 100_000},
    )
    for path in ("*/invitations", "*/invitations/bulk"):
        emulator.fault("POST", path, times=None, delay=_DELAY)
    return emulator


def _set_environment(emulator: Emulator, folder: Path, port: int, broker: str) -> None:
    """Let this process and the workers be of one site, whatever ``.env`` says."""
    os.environ.update(emulator.environment())
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "example.settings",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}?timeout=20",
        "ORG_INVITATIONS_JOIN_URL": f"http://localhost:{port}/join/",
        "ORG_INVITATIONS_BACKGROUND": "org_invitations.engines.celery.start" if broker else "True",
        "CELERY_BROKER_URL": broker,
        "CELERY_TASK_DEFAULT_QUEUE": f"org_invitations_demo_{os.getpid()}",
        "CELERY_BEAT_SECONDS": str(60 / SPEED),
    }


def _find_broker() -> str:
    """Return the URL of a broker that answers, where Celery is installed; empty if none does."""
    if find_spec("celery") is None or "CELERY_BROKER_URL" in os.environ:
        return os.environ.get("CELERY_BROKER_URL", "")
    for port, url in ((6379, "redis://127.0.0.1:6379/0"), (5672, "amqp://127.0.0.1:5672//")):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
            return url
    return ""


def _empty(broker: str) -> None:
    """Leave nothing of the demo in the broker."""
    from example.celery import app

    name = os.environ["CELERY_TASK_DEFAULT_QUEUE"]
    with app.connection_for_write() as connection:
        channel = connection.default_channel
        channel.queue_delete(name)
        if broker.startswith("redis"):
            for key in list(channel.client.scan_iter(f"*{name}*")):
                channel.client.delete(key)
        else:
            channel.exchange_delete(name)


class Workers:
    """The processes of the workers; each writes into a file what it says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a command of Python's."""
        log = (self._folder / f"worker-{len(self.processes)}.log").open("wb")
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, *command], cwd=_HERE, stdout=log, stderr=subprocess.STDOUT
        )
        self.processes.append(process)
        return process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


class Demo:
    """Three hundred invitations, and what becomes of them."""

    def __init__(self, emulator: Emulator, workers: Workers, port: int) -> None:
        self.emulator = emulator
        self.workers = workers
        self.port = port
        self.wishes: list[Wish] = []
        #: How many are a fifteenth of all.
        self.part = max(int(os.environ.get("ADDRESSES", "300")) // 15, 1)
        self._begun = time.monotonic()
        self._last = ""

    def say_what_it_is(self, broker: str) -> None:
        """Say what runs, and what is other than elsewhere."""
        helper = f"a worker of Celery's and beat, by {broker.partition(':')[0]}" if broker else ""
        _say(
            f"\n  {len(WISHES)} organizations invite {self.part * 15} people, and workers send it:",
            "    manage.py org_invitations send --loop, in a process of its own",
            f"    {helper or 'Celery would help where Redis or RabbitMQ answers; none does'}",
            "  In an hour Clerk takes 50 calls of ten and 250 of one; a tenth is kept for people.",
            f"  Here an hour passes in {3600 // SPEED} seconds, so that one sees the end; what a",
            "  page says of when it will be done is for an hour of sixty minutes.\n",
        )

    def press(self) -> None:
        """Press the button, as one person of each organization."""
        from org_invitations.clients import get_client
        from org_invitations.models import Batch, BatchItem
        from org_invitations.services import InvitationService

        for slug, person, parts in WISHES:
            count = parts * self.part
            organization = self.emulator.organization(slug)
            service = InvitationService(
                get_client(),
                organization_id=organization.id,
                user_id=self.emulator.user(person).id,
            )
            items = [
                BatchItem(email_address=f"person{n}@{slug}.example", role="org:member")
                for n in range(count)
            ]
            batch, _ = service.begin(
                Batch.Action.INVITE,
                items,
                key=None,
                options={"role": "org:member"},
                at_once=False,  # also few are left to workers here
            )
            self.wishes.append(Wish(organization.name, count, batch))
            site = f"http://localhost:{self.port}/invitations"
            _say(
                f"  {organization.name}: {count}. Sign in as {person} and look at",
                f"    {site}/outcomes/{batch.pk}/",
            )
        _say("")

    def let_time_fly(self) -> None:
        """Let all that the database has of time pass faster: Clerk's hour, leases, pauses."""
        from django.db.models import F

        from org_invitations.models import BatchItem, CallSlot

        before = time.monotonic()
        while True:
            time.sleep(0.5)
            now = time.monotonic()
            passed = timedelta(seconds=(SPEED - 1) * (now - before))
            before = now
            CallSlot.objects.exclude(called_at=None).update(
                free_at=F("free_at") - passed, called_at=F("called_at") - passed
            )
            for name in ("leased_until", "retry_at"):
                timed = BatchItem.objects.exclude(**{name: None})
                timed.update(**{name: F(name) - passed})

    def tell(self) -> None:
        """Say how far it is until all is sent, and kill a worker meanwhile."""
        sent, killed = 0, False
        total = sum(wish.count for wish in self.wishes)
        while sent < total:
            time.sleep(1)
            sent = self._tell_progress()
            if not killed and sent >= _KILL_AT * self.part:
                killed = True
                self._kill()
        self._tell_end(total)

    def _kill(self) -> None:
        """Kill the worker that loops, and begin another one, as systemd would."""
        first = self.workers.processes[0]
        first.kill()
        first.wait()
        self._say_now(
            "kill -9: the worker is gone. What became of what it was at nobody knows; when its "
            "lease is over Clerk is asked. Another one begins."
        )
        self.workers.start("manage.py", "org_invitations", "send", "--loop")

    def _tell_progress(self) -> int:
        from org_invitations.clerk.exceptions import BULK_INVITATIONS, SINGLE_INVITATIONS
        from org_invitations.services.limits import Ledger

        done = Counter({wish.name: self._count_sent(wish) for wish in self.wishes})
        ledger = Ledger(is_background=True)
        tens, ones = (ledger.get_pool(limit) for limit in (BULK_INVITATIONS, SINGLE_INVITATIONS))
        parts = [f"{wish.name} {done[wish.name]:>3} of {wish.count}" for wish in self.wishes]
        line = ", ".join(parts)
        if line != self._last:
            self._last = line
            left = f"{tens.free:>2} of {tens.size} tens and {ones.free:>3} of {ones.size} ones"
            self._say_now(f"{line}; left of the hour: {left}")
        return done.total()

    def _tell_end(self, total: int) -> None:
        made = Counter(
            row.email_address
            for row in self.emulator.state.invitations.values()
            if row.email_address.startswith("person") and row.email_address.endswith(".example")
        )
        calls = [call for call in self.emulator.requests if call.method == "POST" and call.made]
        tens = sum(call.path.endswith("/bulk") for call in calls)
        has = f"{made.total()} invitations for {len(made)} people"
        _say(
            f"\n  All {total} are sent. Clerk has {has},",
            f"  made by {tens} calls of several and {len(calls) - tens} of one.",
            f"  Twice: {sum(count > 1 for count in made.values())}. Lost: {total - len(made)}.",
        )
        if "--end" not in sys.argv[1:]:
            _say(f"  The site goes on at http://localhost:{self.port}/ until Ctrl-C.\n")

    def _count_sent(self, wish: Wish) -> int:
        from org_invitations.models import BatchItem

        return BatchItem.objects.filter(batch=wish.batch, state=BatchItem.State.DONE).count()

    def _say_now(self, line: str) -> None:
        minutes, seconds = divmod(round(time.monotonic() - self._begun), 60)
        _say(f"  {minutes:02}:{seconds:02}  {line}")


def _say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
