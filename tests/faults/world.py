"""A site and a Clerk, each behind a socket of its own, and what can be looked up behind both."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIServer

import django
from django.conf import settings
from django.db import DatabaseError, OperationalError, connections, models
from django.db.backends.signals import connection_created

from org_invitations.emulator import Emulator, EmulatorServer, RecordedCall

from .browser import Browser
from .calls import BY_NAME, Slot
from .faults import Fault

ACME = "acme"
ADA = "ada@acme.test"

_KEY = re.compile(r"sk_(?:test|live)_emulator\w+")
_JWT = re.compile(r"eyJ[\w-]{10,}\.(eyJ[\w-]{10,})\.[\w-]{10,}")


def secrets_in(text: str) -> set[str]:
    """What of a text no page, header, log line or row of the database may hold.

    ``link`` is an invitation's ticket, ``token`` any other JWT: a session's, or one to refresh it.
    """
    found = {"key"} if _KEY.search(text) else set()
    return found | {_kind_of(match[1]) for match in _JWT.finditer(text)}


def _kind_of(payload: str) -> str:
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return "token"
    return "link" if isinstance(claims, dict) and "st" in claims else "token"


def setup() -> None:
    """Get Django ready for a world in this process."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.faults.settings"
    django.setup()


class Logs(logging.Handler):
    """Keeps what any logger says, down to the last detail."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[tuple[str, str]] = []
        self.forged: list[str] = []
        self._format = logging.Formatter("%(levelname)s %(name)s %(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.name, self._format.format(record)))
        if record.name.startswith("org_invitations") and "\n" in record.getMessage():
            self.forged.append(record.getMessage())

    def clear(self) -> None:
        self.lines.clear()
        self.forged.clear()


class Database:
    """Lets the site's database fail, from some moment on."""

    def __init__(self, has_sent: Callable[[], bool]) -> None:
        """``has_sent`` tells whether a write has reached Clerk."""
        self.has_sent = has_sent
        self.mode = ""
        self.failures = 0
        connection_created.connect(self._watch, weak=False)

    def _watch(self, connection: Any, **_kwargs: Any) -> None:
        connection.execute_wrappers.append(self._execute)

    def _execute(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if self.mode and self._fails(sql):
            self.failures += 1
            raise OperationalError("the database is not there")
        return execute(sql, params, many, context)

    def _fails(self, sql: str) -> bool:
        reads = sql.lstrip().upper().startswith(("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK"))
        if threading.current_thread() is threading.main_thread():
            return False  # that is the judge, who must be able to look
        if self.mode == "reads, too":
            return self.has_sent()
        if reads:
            return False
        if self.mode == "from the beginning":
            return True
        if self.mode == "once after the send":
            return self.has_sent() and not self.failures
        return self.has_sent()


@dataclass(frozen=True)
class Item:
    """What the database says of one address."""

    batch_id: str
    action: str
    options: dict[str, Any]
    number: int
    text: str
    email_address: str
    role: str
    state: str
    reason: str
    params: dict[str, Any]
    invitation_id: str
    replaces_id: str
    #: Whether it is left to workers, and whether it is not over.
    in_background: bool = False
    is_open: bool = False


class World:
    """One site, one Clerk, one database; started once and begun anew for every cell."""

    def __init__(self) -> None:
        setup()
        from django.core.management import call_command

        name = str(settings.DATABASES["default"]["NAME"])
        Path(name).unlink(missing_ok=True)
        self.server = EmulatorServer()
        self.clerk: Emulator = self.server.emulator
        self.logs = Logs()
        self.database = Database(self._has_sent)
        root = logging.getLogger()
        root.addHandler(self.logs)
        root.setLevel(logging.DEBUG)
        logging.raiseExceptions = False
        call_command("migrate", verbosity=0)
        self._site = _start_site()
        self.site = f"http://localhost:{self._site.server_port}"
        self.clerk.site = self.site
        self.server.start()
        self._mark = 0

    def close(self) -> None:
        """Stop both and take the database away."""
        self._site.shutdown()
        self._site.server_close()
        self.server.stop()
        logging.getLogger().removeHandler(self.logs)
        connections.close_all()
        name = str(settings.DATABASES["default"]["NAME"])
        for ending in ("", "-wal", "-shm"):
            Path(name + ending).unlink(missing_ok=True)

    def reset(self) -> None:
        """Begin anew: nothing is remembered, nothing goes wrong."""
        from django.core.cache import cache

        self.disarm()
        self.hurry(is_hurried=False)
        self.clerk.reset()
        self.clerk.configure(rate_limits=False)
        for model in _models():
            model._default_manager.all().delete()
        cache.clear()
        self.forget()
        for name, value in self.clerk.django_settings().items():
            setattr(settings, name, value)
        settings.CLERK_AUTHORIZED_PARTIES = [self.site]
        settings.ORG_INVITATIONS_JOIN_URL = ""
        settings.ORG_INVITATIONS_BACKGROUND = False
        self.logs.clear()
        self._mark = 0

    def hurry(self, *, is_hurried: bool) -> None:
        """Give calls and requests as little time as a fault of time needs, or all they may want."""
        from .settings import HURRIED, PATIENT

        for name, value in (HURRIED if is_hurried else PATIENT).items():
            setattr(settings, name, value)

    def forget(self) -> None:
        """Let the process forget what it knows of Clerk's health."""
        from org_invitations.clients import forget_clients
        from org_invitations.middleware import forget_keys

        forget_clients()
        forget_keys()

    # --- People -------------------------------------------------------------------------------

    def browser(self, user: str = ADA, **order: Any) -> Browser:
        """A browser on which somebody has just signed in."""
        order.setdefault("organization", ACME)
        return Browser(self.site, self.clerk.session_cookies(user, **order))

    # --- What goes wrong ------------------------------------------------------------------------

    def arm(self, fault: Fault | None, slot: Slot | None) -> None:
        """Let a fault strike from now on; without one, nothing goes wrong."""
        self._mark = len(self.clerk.recorder.calls)
        if fault is None or slot is None:
            return
        self.hurry(is_hurried=fault.takes_time)
        if fault.database:
            self.database.failures = 0
            self.database.mode = fault.database
            return
        if fault.refuses:
            self.server.refuse(after=slot.number - 1)
            return
        call = BY_NAME.get(slot.name)
        method, path = (call.method, call.path) if call else (None, "/v1/*")
        if slot.number > 1:
            self.clerk.fault(method, path, times=slot.number - 1)
        self.clerk.fault(method, path, times=None if slot.onward else 1, **fault.order)

    def disarm(self) -> None:
        """Let nothing go wrong any more; what takes effect late still has to."""
        self.database.mode = ""
        self.hurry(is_hurried=False)
        self.clerk.faults.clear()
        self.server.listen()

    def _has_sent(self) -> bool:
        calls = list(self.clerk.recorder.calls)[self._mark :]
        return any(call.method == "POST" and call.took_effect for call in calls)

    def age(self, seconds: float) -> None:
        """Let time pass: everything that has a moment is so much older."""
        from django.core.cache import cache

        step = timedelta(seconds=seconds)
        for model in _models():
            for column in model._meta.get_fields():
                if isinstance(column, models.DateTimeField):
                    name = column.name
                    rows = model._default_manager.filter(**{f"{name}__isnull": False})
                    rows.update(**{name: models.F(name) - step})
        with self.clerk.lock:
            for row in self.clerk.state.invitations.values():
                row.created_at -= int(seconds * 1000)
                row.updated_at -= int(seconds * 1000)
                if row.expires_at is not None:
                    row.expires_at -= int(seconds * 1000)
        cache.clear()
        self.forget()

    def work(self) -> None:
        """Let a worker take a turn, in a thread of its own; the database may fail for it."""
        from org_invitations.services.batches.store import NotSaved
        from org_invitations.services.batches.tick import tick

        raised: list[BaseException] = []

        def turn() -> None:
            try:
                tick()
            except (DatabaseError, NotSaved):
                pass  # the next one goes on where this one was
            except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
                raised.append(error)
            finally:
                connections.close_all()

        thread = threading.Thread(target=turn, name="worker")
        thread.start()
        thread.join()
        if raised:
            raise raised[0]

    # --- What is so ---------------------------------------------------------------------------

    def calls(self, since: int = 0) -> list[RecordedCall]:
        """The calls of the Backend API since a moment, which :meth:`moment` tells."""
        return [call for call in list(self.clerk.recorder.calls)[since:] if call.api == "bapi"]

    def moment(self) -> int:
        """A moment to count calls from."""
        return len(self.clerk.recorder.calls)

    def items(self) -> list[Item]:
        """What the database says of each address of each batch."""
        from org_invitations.models import BatchItem
        from org_invitations.services.batches.store import UNCLEAR

        rows = BatchItem.objects.select_related("batch").order_by("batch__created_at", "number")
        names = [name for name in Item.__annotations__ if name not in _OF_BATCH]
        return [
            Item(
                batch_id=str(row.batch_id),
                action=row.batch.action,
                options=row.batch.options,
                in_background=row.batch.in_background,
                is_open=row.state in BatchItem.OPEN and row.reason != UNCLEAR,
                **{name: getattr(row, name) for name in names},
            )
            for row in rows
        ]

    def joinings(self) -> list[Joined]:
        """What the database says of each joining."""
        from org_invitations.models import Joining

        return [
            Joined(row.invitation_id, row.state, row.reason, row.state in Joining.OPEN)
            for row in Joining.objects.all()
        ]

    def asks(self) -> set[str]:
        """For which invitations somebody asks for a new one."""
        from org_invitations.models import InvitationAsk

        return set(InvitationAsk.objects.values_list("invitation_id", flat=True))

    def stored(self) -> str:
        """All that is in the app's tables, as one text."""
        return "\n".join(
            repr(row) for model in _models() for row in model._default_manager.values()
        )


@dataclass(frozen=True)
class Joined:
    """What the database says of somebody's joining."""

    invitation_id: str
    state: str
    reason: str
    #: Whether it is not over.
    is_open: bool


_OF_BATCH = ("batch_id", "action", "options", "in_background", "is_open")


def _models() -> list[type[models.Model]]:
    from django.apps import apps

    return list(reversed(list(apps.get_app_config("org_invitations").get_models())))


def _start_site() -> WSGIServer:
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    class Handler(WSGIRequestHandler):
        # A body that comes in a second packet would wait for an ACK, 40 ms each time.
        disable_nagle_algorithm = True

        def log_message(self, *_args: Any) -> None:
            """Nothing: who asked for what is known."""

        def address_string(self) -> str:
            return str(self.client_address[0])

    class Server(ThreadedWSGIServer):
        daemon_threads = True
        request_queue_size = 64

    server = Server(("localhost", 0), Handler, allow_reuse_address=True)
    server.set_app(get_wsgi_application())
    serve = partial(server.serve_forever, poll_interval=0.05)
    threading.Thread(target=serve, name="site", daemon=True).start()
    return server
