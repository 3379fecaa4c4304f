"""``manage.py org_invitations send --once | --loop`` and ``manage.py org_invitations status``."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseFault
from django.db import close_old_connections
from django.db.models import Count

from ...clerk.exceptions import BULK_INVITATIONS, SINGLE_INVITATIONS
from ...clients import get_instance
from ...conf import conf
from ...models import Batch, BatchItem
from ...services.batches.background import get_ours
from ...services.batches.heartbeat import get_last_seen, is_missed
from ...services.batches.store import NotSaved, forget_old_batches
from ...services.batches.tick import Tick, tick
from ...services.database import get_now
from ...services.limits import Ledger

logger = logging.getLogger("org_invitations")

#: So long one turn takes at most (seconds); it is looked for a signal between any two calls.
_TURN: Final = 60.0

#: So often it is looked whether something is to be done, where nothing was (seconds).
_IDLE: Final = 5.0

#: So soon it ends when it is told to, where it only waits (seconds).
_LOOK: Final = 0.2

#: So long is waited where the database does not answer (seconds).
_BROKEN: Final = 10.0


class Command(BaseCommand):
    """Sends what is left to workers, and tells how that stands."""

    help = "Send what is left to workers, or tell how that stands."
    requires_migrations_checks = True

    def add_arguments(self, parser: CommandParser) -> None:
        """Define ``send`` and ``status``."""
        commands = parser.add_subparsers(dest="command", required=True)
        send = commands.add_parser("send", help="Send what is left to workers.")
        how = send.add_mutually_exclusive_group(required=True)
        how.add_argument(
            "--once", action="store_true", help="End when nothing can go on right now: for cron."
        )
        how.add_argument(
            "--loop", action="store_true", help="Go on until SIGTERM or SIGINT: for systemd."
        )
        commands.add_parser("status", help="Tell what waits, and whether there is a worker.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        if options["command"] == "status":
            self._say_status()
            return
        if not conf.BACKGROUND:
            raise CommandError(
                "ORG_INVITATIONS_BACKGROUND is off: nothing is left to workers, and what "
                "waits is sent by whoever presses the button."
            )
        self._is_ending = False
        before = {
            number: signal.signal(number, self._end) for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            self._send_once() if options["once"] else self._send_for_ever()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end(self, number: int, frame: FrameType | None) -> None:
        """Begin no further call; the one in hand is finished, and written down."""
        self._is_ending = True

    # --- Sending ----------------------------------------------------------------------------

    def _send_once(self) -> None:
        items = 0
        while not self._is_ending:
            done = self._turn()
            items += done.items
            if done.next_in != 0:
                break
        self.stdout.write(f"{items} dealt with." if items else "There is nothing to do right now.")
        waiting = self._count().get(BatchItem.State.WAITING, 0)
        if waiting:
            self.stdout.write(f"{waiting} wait.")

    def _send_for_ever(self) -> None:
        self.stdout.write("Sending what is left to workers, until SIGTERM.")
        while not self._is_ending:
            try:
                done = self._turn()
            except (DatabaseFault, NotSaved):
                logger.exception("The database failed; a worker waits for it.")
                self._rest(_BROKEN)
                continue
            if done.items:
                self.stdout.write(f"{get_now():%Y-%m-%d %H:%M:%S} {done.items} dealt with.")
            if done.next_in != 0:
                # Something may be left to workers at any moment.
                self._rest(min(done.next_in or _IDLE, _IDLE))
        self.stdout.write("Ended.")

    def _rest(self, seconds: float) -> None:
        """Wait, unless it is to end."""
        until = time.monotonic() + seconds
        while not self._is_ending and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK))

    def _turn(self) -> Tick:
        close_old_connections()
        return tick(_TURN, should_stop=lambda: self._is_ending)

    # --- How it stands ----------------------------------------------------------------------

    def _say_status(self) -> None:
        forget_old_batches()
        say: Callable[[str], None] = self.stdout.write
        instance = get_instance()
        say(f"Instance: {instance or 'not known (there is no CLERK_PUBLISHABLE_KEY)'}")
        say(f"Left to workers: {'yes' if conf.BACKGROUND else 'no (ORG_INVITATIONS_BACKGROUND)'}")
        seen = get_last_seen(instance)
        say(f"A worker was last seen: {seen.isoformat(timespec='seconds') if seen else 'never'}")
        batches = Batch.objects.filter(get_ours(instance))
        say(f"Batches: {batches.count()}, of these paused: {self._count_paused()}")
        for state, count in sorted(self._count().items()):
            say(f"  {state}: {count}")
        ledger = Ledger(is_background=True)
        for limit in (BULK_INVITATIONS, SINGLE_INVITATIONS):
            pool = ledger.get_pool(limit)
            say(f"Calls left of this hour, {limit}: {pool.free} of {pool.size}")
        if is_missed(instance):
            raise CommandError(
                "Something has waited for ten minutes, and no worker was seen in them. "
                "Is one running? manage.py org_invitations send --loop"
            )

    def _count_paused(self) -> int:
        paused = Batch.objects.filter(get_ours(get_instance())).exclude(paused_at=None)
        return paused.count()

    def _count(self) -> dict[str, int]:
        """Return how many items of batches that are not over are in which state."""
        batches = Batch.objects.filter(get_ours(get_instance()))
        found = BatchItem.objects.filter(batch__in=batches).order_by()
        return dict(found.values_list("state").annotate(Count("pk")))
