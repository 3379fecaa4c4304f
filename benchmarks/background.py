"""What an hour of sending at Clerk's limit costs a database: ``python -m benchmarks.background``.

It needs PostgreSQL (``PGHOST`` and the like say where), makes a database and drops it. More waits
than an hour lets through, nothing is kept for people, and the hour passes as fast as a worker gets
along: it is put forward wherever a worker would wait, and Clerk answers in no time. Counted are
queries, rows and calls of the second hour; times belong to a machine and are not told.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import django

if TYPE_CHECKING:
    from org_invitations.emulator import Emulator

HOUR: Final = 3600.0

#: So often the command looks where nothing was to be done, and so often cron or beat does
#: (seconds).
EVERY: Final = {"the loop, every 5 s": 5.0, "cron or beat, every 60 s": 60.0}

#: The app's tables that are written to meanwhile.
TABLES: Final = (
    "org_invitations_batchitem",
    "org_invitations_batch",
    "org_invitations_callslot",
    "org_invitations_heartbeat",
)


def main() -> None:
    """Count, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organizations", type=int, default=300)
    parser.add_argument("--addresses", type=int, default=10_000)
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.workers.settings")
    os.environ |= {
        "WORKERS_ENGINE": "loop",
        "WORKERS_DATABASE": "postgresql",
        "WORKERS_NAME": f"org_invitations_benchmark_{os.getpid()}",
    }
    django.setup()
    from django.db import connection

    for name, every in EVERY.items():
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            hour = Hour(every, arguments.organizations, arguments.addresses)
            hour.run()
            hour.tell(name)
        finally:
            connection.creation.destroy_test_db("postgres", verbosity=0)


class Hour:
    """An hour of one worker."""

    def __init__(self, every: float, organizations: int, addresses: int) -> None:
        self.every = every
        self.organizations = organizations
        self.addresses = addresses
        self.passed = 0.0
        self._begun = time.time()
        self.turns = self.idle = 0
        self.queries: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.sent = 0
        #: The query that says who has how much.
        self._queue: tuple[str, Any] = ("", None)

    def run(self) -> None:
        """Begin more than is sent, let an hour pass, and count in the next one."""
        from django.db import connection
        from django.test.utils import override_settings

        from org_invitations.emulator import Emulator, EmulatorServer
        from org_invitations.services import database

        emulator = Emulator()
        emulator.configure(rate_limits={"requests": 10_000_000})
        site = {
            **emulator.django_settings(),
            "ORG_INVITATIONS_BACKGROUND": True,
            "ORG_INVITATIONS_RESERVED_PERCENT": 0,
        }
        with EmulatorServer(emulator) as server:
            site["CLERK_API_URL"] = server.url
            clock = mock.patch.dict(database._CLOCKS)  # noqa: SLF001
            with override_settings(**site), clock, connection.execute_wrapper(self._count):
                emulator.clock.freeze()
                self._set_clock(emulator, 0.0)
                self._turn_off_autovacuum()
                self._begin(emulator)
                self._send(emulator, until=HOUR)
                self._forget(emulator)
                self._send(emulator, until=2 * HOUR)
        for call in emulator.requests:
            self.calls[_name_of(call.method, call.path)] += 1
            self.sent += len(call.made)

    def _forget(self, emulator: Emulator) -> None:
        """Count from now on."""
        from django.db import connection

        self.turns = self.idle = 0
        emulator.clear_requests()
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"VACUUM ANALYZE {table}")
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT pg_stat_reset()")
        self.queries.clear()

    def _turn_off_autovacuum(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")

    def _begin(self, emulator: Emulator) -> None:
        from org_invitations.clients import get_client
        from org_invitations.models import Batch, BatchItem
        from org_invitations.services import InvitationService

        ada = emulator.user("ada@acme.test").id
        left = self.addresses
        for number in range(self.organizations):
            # A few have much, and most have little.
            count = max(left // 12, 5) if number + 1 < self.organizations else left
            left -= count
            slug = f"o{number}"
            organization = emulator.add_organization(slug, slug)
            emulator.add_member(slug, ada, "org:admin")
            service = InvitationService(get_client(), organization_id=organization.id, user_id=ada)
            items = [
                BatchItem(email_address=f"p{one}@{slug}.example", role="org:member")
                for one in range(count)
            ]
            service.begin(Batch.Action.INVITE, items, key=None, options={}, at_once=False)

    def _send(self, emulator: Emulator, *, until: float) -> None:
        from org_invitations.services.batches.tick import tick

        while self.passed < until:
            done = tick(50.0)
            self.turns += 1
            self.idle += not done.items
            if done.next_in == 0:
                continue
            # The command looks every five seconds at least; cron does not ask when it makes sense.
            wait = min(done.next_in or self.every, self.every) if self.every < 60 else self.every
            self._set_clock(emulator, wait)

    def _set_clock(self, emulator: Emulator, seconds: float) -> None:
        """Put the clocks forward, the database's and the emulated Clerk's."""
        from org_invitations.services import database

        self.passed += seconds
        emulator.clock.advance(seconds)
        clocks: Any = database._CLOCKS  # noqa: SLF001
        clocks["postgresql"] = f"SELECT {self._begun + self.passed}::numeric -- the time"

    def _count(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,  # noqa: FBT001  # Django calls it
        context: Any,
    ) -> Any:
        if "GROUP BY" in sql and "batchitem" in sql:
            self._queue = sql, params
        kind = sql.split(None, 1)[0].upper()
        self.queries["the time" if sql.endswith("-- the time") else kind] += 1
        return execute(sql, params, many, context)

    def tell(self, name: str) -> None:
        """Print what came of it."""
        from django.db import connection

        print(f"\n{name}: {self.organizations} organizations, {self.addresses} addresses")
        print(f"  sent {self.sent}")
        print(f"  calls of Clerk's: {sum(self.calls.values())}: {_listed(self.calls)}")
        print(f"  turns: {self.turns}, of these with nothing to do: {self.idle}")
        print(f"  queries: {self.queries.total()}: {_listed(self.queries)}")
        with connection.cursor() as cursor:
            sql, params = self._queue
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {sql}", params)
            plan = "\n".join(line for (line,) in cursor.fetchall())
            print(f"  who has how much, with what is left waiting:\n{plan}")
            cursor.execute("SELECT pg_stat_force_next_flush()")
            for table in TABLES:
                cursor.execute(
                    "SELECT n_live_tup, n_tup_upd, n_tup_hot_upd, n_dead_tup, idx_scan, seq_scan,"
                    " pg_table_size(relid), pg_indexes_size(relid)"
                    " FROM pg_stat_user_tables WHERE relname = %s",
                    [table],
                )
                live, updated, hot, dead, by_index, whole, size, indexes = cursor.fetchone()
                print(
                    f"  {table.removeprefix('org_invitations_')}: {live} rows, {updated} updates"
                    f" ({hot} HOT), {dead} dead; {by_index} scans by an index, {whole} of all;"
                    f" {size // 1024} KiB and {indexes // 1024} KiB of indexes"
                )


def _name_of(method: str, path: str) -> str:
    what = re.sub(r"/(org|user|orginv)_\w+", "", path).removeprefix("/v1/organizations")
    return f"{method} {what or '/organization'}"


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


if __name__ == "__main__":
    main()
