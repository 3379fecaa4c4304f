"""Hours of sending in a minute: a clock of its own, killed workers, and a Clerk with faults.

One thread runs at a time, and another one goes on wherever a worker waits: for Clerk, at the end of
a turn, or because it was stopped. Whoever is killed writes nothing down any more.
"""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import inf
from statistics import median
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models import Count

from org_invitations.clerk.exceptions import BULK_INVITATIONS
from org_invitations.clients import get_client
from org_invitations.emulator import Emulator
from org_invitations.emulator.state import Membership, Organization
from org_invitations.models import Batch, BatchItem
from org_invitations.services import InvitationService
from org_invitations.services.batches.estimate import Estimate, estimate
from org_invitations.services.batches.tick import tick
from org_invitations.services.limits import Ledger

State = BatchItem.State

#: What workers may send within an hour: 45 calls of ten and 225 of one.
PER_HOUR = 675

#: Who has so many is small.
SMALL = 5


class Kill(BaseException):
    """kill -9."""


@dataclass
class Worker:
    """A process that sends."""

    number: int
    wake_at: float = 0.0
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    is_dead: bool = False
    #: Whom it was at work for when it was killed or stopped.
    held: set[str] = field(default_factory=set)


@dataclass
class Figures:
    """What came of it."""

    addresses: int
    doubled: int
    lost: int
    #: Of the calls that may be made, as many addresses as these have room for, and of these
    #: addresses, in the whole hours in which enough waited and Clerk's limit was ours. A call that
    #: fails has sent none.
    share: float
    share_of_addresses: float
    #: The same part of those calls that were taken by a worker that did not get to make them.
    share_lost_with_workers: float
    #: Seconds in which at least one worker was at work, and nobody held a part of it.
    longest_wait_of_small: float
    #: Of the worst hour.
    refused_calls: int
    #: What was told after a tenth, of the larger ones: how far what was lay outside of the two
    #: moments that were told, as part of it. The median, the worst, and how many were within a
    #: fifth. Then the same of the first moment alone, which is for those whom nobody follows, and
    #: how many times as far away the last moment was.
    eta_error: float
    worst_eta_error: float
    eta_within_a_fifth: float
    eta_error_of_first: float
    worst_eta_error_of_first: float
    eta_width: float
    kills: int
    stops: int
    hours: float


class Simulation:
    """Organizations that come at random moments, and workers."""

    def __init__(
        self,
        emulator: Emulator,
        patch: pytest.MonkeyPatch,
        *,
        seed: int,
        sizes: list[int],
        hours: float,
        workers: int = 3,
        kill: float = 0.002,
        stop: float = 0.0005,
        fault: float = 0.01,
        is_spent: bool = False,
        per_hour: int = PER_HOUR,
    ) -> None:
        self.emulator = emulator
        self.per_hour = per_hour
        self.dice = random.Random(seed)
        self.kill, self.stop, self.fault = kill, stop, fault
        self.begun = datetime.now(UTC).replace(microsecond=0)
        self.now = 0.0
        self.workers = [Worker(number, self.dice.uniform(0, 5)) for number in range(workers)]
        self.arrivals = sorted((self.dice.uniform(0, hours * 3600), size) for size in sizes)
        self.batches: list[tuple[float, int, str, Batch]] = []
        self.estimates: dict[Any, tuple[float, Estimate]] = {}
        self.refused: list[float] = []
        self.calls: list[tuple[float, int]] = []
        self.taken: list[tuple[float, int]] = []
        #: From when to when each worker was not there.
        self.away: list[tuple[float, float]] = []
        self.is_spent = is_spent
        self.backlog: list[tuple[float, int]] = []
        self.kills = self.stops = 0
        self._baton = threading.Semaphore(0)
        self._local = threading.local()
        self._is_over = False
        self._errors: list[BaseException] = []
        emulator.configure(rate_limits={"requests": 10_000_000})
        emulator.clock.freeze()
        self._handle = emulator.handle
        self._install(patch)
        self._set(0.0)
        if is_spent:  # by another program, right before
            for _ in range(50):
                emulator.limiter.hit("bulk", 50, 3600, emulator.clock.now())

    def _install(self, patch: pytest.MonkeyPatch) -> None:
        sim = self

        class Moment(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return sim.moment.astimezone(tz) if tz else sim.moment

        class Monotonic:
            @staticmethod
            def monotonic() -> float:
                return sim.now

            @staticmethod
            def time() -> float:
                return sim.moment.timestamp()

        patch.setattr("django.utils.timezone.now", lambda: sim.moment)
        patch.setattr("org_invitations.services.batches.tick.monotonic", lambda: sim.now)
        patch.setattr("org_invitations.services.snapshot.time", Monotonic)
        for name in ("reconcile", "invite"):
            patch.setattr(f"org_invitations.services.batches.{name}.datetime", Moment)
        take = Ledger.take

        def note(ledger: Ledger, limit: str, addresses: int = 1) -> Any:
            slot = take(ledger, limit, addresses)
            self.taken.append((self.now, 10 if limit == BULK_INVITATIONS else 1))
            return slot

        patch.setattr(Ledger, "take", note)
        patch.setattr(self.emulator, "handle", self._answer)
        patch.setattr("org_invitations.clients.forget_clients", lambda **_: None)

    @property
    def moment(self) -> datetime:
        return self.begun + timedelta(seconds=self.now)

    def _set(self, now: float) -> None:
        self.now = now
        self.emulator.clock.set(self.moment.timestamp())

    # --- Who runs ---------------------------------------------------------------------------

    def run(self, longest: float = 60 * 3600) -> Figures:
        threads = [threading.Thread(target=self._live, args=(one,)) for one in self.workers]
        for thread in threads:
            thread.start()
        arrivals = list(self.arrivals)
        checked = 0.0
        while self.now < longest and not self._errors:
            worker = min(self.workers, key=lambda one: one.wake_at)
            if arrivals and arrivals[0][0] <= worker.wake_at:
                moment, size = arrivals.pop(0)
                self._set(moment)
                self._arrive(size)
                continue
            self._set(max(worker.wake_at, self.now))
            worker.turn.release()
            self._baton.acquire()
            if self.now - checked >= 60:
                checked = self.now
                self._look()
                open_batches = Batch.objects.filter(finished_at=None, in_background=True)
                if not arrivals and not open_batches.exists():
                    break
        self._is_over = True
        for worker in self.workers:
            worker.turn.release()
        for thread in threads:
            thread.join(timeout=30)
        if self._errors:
            raise self._errors[0]
        return self._count()

    def _live(self, worker: Worker) -> None:
        self._local.worker = worker
        worker.turn.acquire()
        try:
            while not self._is_over:
                worker.is_dead = False
                try:
                    with connection.execute_wrapper(self._query):
                        done = tick(50)
                    delay = min(30 if done.next_in is None else done.next_in, 30)
                except Kill:
                    connections.close_all()
                    delay = self.dice.uniform(5, 60)  # until somebody starts it again
                    self.away.append((self.now, self.now + delay))
                self._switch(worker, max(delay, 0.1))
        except Kill:
            pass
        except BaseException as error:  # noqa: BLE001 - it is told where the test is
            self._errors.append(error)
            worker.wake_at = float("inf")
            self._baton.release()
        finally:
            connections.close_all()

    def _switch(self, worker: Worker, seconds: float) -> None:
        self._end_with(worker)
        worker.wake_at = self.now + seconds
        self._baton.release()
        worker.turn.acquire()
        self._end_with(worker)

    def _end_with(self, worker: Worker) -> None:
        """Let nobody go on any more when it is over."""
        if self._is_over:
            worker.is_dead = True
            raise Kill

    # --- What happens to it -------------------------------------------------------------------

    def _query(self, execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        worker: Worker = self._local.worker
        if worker.is_dead and not sql.startswith(("ROLLBACK", "RELEASE")):
            raise Kill
        if not connection.in_atomic_block and self.dice.random() < self.stop:
            self.stops += 1
            self._hold(worker)
            seconds = self.dice.uniform(200, 900)  # past its lease, and woken
            self.away.append((self.now, self.now + seconds))
            self._switch(worker, seconds)
        if self.dice.random() < self.kill / 10:
            self._die(worker)
        return execute(sql, *args)

    def _answer(self, request: Any, **more: Any) -> Any:
        worker: Worker | None = getattr(self._local, "worker", None)
        is_create = request.method == "POST" and "/invitations" in request.path
        if worker is None:
            return self._handle(request, **more)
        if worker.is_dead or self.dice.random() < self.kill:
            self._die(worker)
        self._switch(worker, self.dice.uniform(0.05, 0.4))
        if is_create and self.dice.random() < self.fault:
            worker.held.add(request.path.split("/")[3])  # for as long as nobody knows
            self.emulator.fault("POST", "*", **self.dice.choice(FAULTS))
        answer = self._handle(request, **more)
        if is_create and answer.status == 429:
            self.refused.append(self.now)
        elif is_create:
            self.calls.append((self.now, 10 if request.path.endswith("/bulk") else 1))
        self._switch(worker, self.dice.uniform(0.05, 0.4))
        if self.dice.random() < self.kill:
            self._die(worker)
        return answer

    def _die(self, worker: Worker) -> None:
        if not worker.is_dead:
            self.kills += 1
            self._hold(worker)
        worker.is_dead = True
        raise Kill

    def _hold(self, worker: Worker) -> None:
        """Note whom a worker keeps waiting that does not go on."""
        for item in BatchItem.objects.exclude(leased_by="").select_related("batch"):
            worker.held.add(item.batch.organization_id)

    # --- Who comes ----------------------------------------------------------------------------

    def _arrive(self, size: int) -> None:
        state, number = self.emulator.state, len(self.batches)
        ada = self.emulator.user("ada@acme.test")
        now = self.emulator.clock.now_ms()
        organization_id = state.new_id("org")
        state.organizations[organization_id] = Organization(
            organization_id, f"o{number}", f"O {number}", "role_set:default", 0, now, now, ada.id
        )
        state.memberships.append(
            Membership(state.new_id("orgmem"), organization_id, ada.id, "org:admin", now, now)
        )
        service = InvitationService(get_client(), organization_id=organization_id, user_id=ada.id)
        items = [
            BatchItem(email_address=f"p{one}@o{number}.example", role="org:member")
            for one in range(size)
        ]
        batch, _ = service.begin(
            Batch.Action.INVITE, items, key=None, options={"notify": True}, at_once=False
        )
        self.batches.append((self.now, size, organization_id, batch))

    def _look(self) -> None:
        """Note what waits, and what is told of those of which a tenth is done."""
        waiting = BatchItem.objects.filter(state=State.WAITING).order_by()
        counts = dict(waiting.values_list("batch_id").annotate(Count("pk")))
        self.backlog.append((self.now, sum(counts.values())))
        for _, size, _, batch in self.batches:
            left = counts.get(batch.pk, 0)
            if size >= 100 and batch.pk not in self.estimates and 0 < left <= size * 0.9:
                told = estimate(batch)
                if told is not None:
                    self.estimates[batch.pk] = (self.now, told)

    # --- What came of it ------------------------------------------------------------------------

    def _count(self) -> Figures:
        rows = [
            row
            for row in self.emulator.state.invitations.values()
            if ".example" in row.email_address and "@o" in row.email_address
        ]
        times = Counter(row.email_address for row in rows)
        wanted = sum(size for _, size, _, _ in self.batches)
        made: dict[str, list[float]] = defaultdict(list)
        for row in rows:
            made[row.organization_id].append(row.created_at / 1000 - self.begun.timestamp())
        done = BatchItem.objects.filter(state=State.DONE).count()
        held = set().union(*(worker.held for worker in self.workers))
        waits = [
            self._get_seconds_with_workers(moment, max(made[whose]))
            for moment, size, whose, _ in self.batches
            if size <= SMALL and made[whose] and whose not in held
        ]
        errors, first_errors, widths = self._get_eta_errors(made)
        return Figures(
            addresses=wanted,
            doubled=sum(count - 1 for count in times.values()),
            lost=wanted - min(len(times), done),
            share=self._get_share(self.calls),
            share_of_addresses=self._get_share(
                [(moment, 1) for found in made.values() for moment in found]
            ),
            share_lost_with_workers=round(
                self._get_share(self.taken) - self._get_share(self.calls), 4
            ),
            longest_wait_of_small=round(max(waits, default=0.0), 1),
            refused_calls=max(
                (sum(one <= other < one + 3600 for other in self.refused) for one in self.refused),
                default=0,
            ),
            eta_error=median(errors or [0]),
            worst_eta_error=max(errors, default=0),
            eta_within_a_fifth=round(sum(error <= 0.2 for error in errors) / len(errors or [0]), 3),
            eta_error_of_first=median(first_errors or [0]),
            worst_eta_error_of_first=max(first_errors, default=0),
            eta_width=median(widths or [1]),
            kills=self.kills,
            stops=self.stops,
            hours=round(self.now / 3600, 2),
        )

    def _get_seconds_with_workers(self, start: float, end: float) -> float:
        """Return for how much of a time somebody was at work."""
        edges = sorted({start, end, *(edge for away in self.away for edge in away)})
        return sum(
            after - before
            for before, after in pairwise(edge for edge in edges if start <= edge <= end)
            if sum(one <= before and after <= other for one, other in self.away) < len(self.workers)
        )

    def _get_eta_errors(
        self, made: dict[str, list[float]]
    ) -> tuple[list[float], list[float], list[float]]:
        errors, first_errors, widths = [], [], []
        for _, _, whose, batch in self.batches:
            if batch.pk not in self.estimates:
                continue
            moment, told = self.estimates[batch.pk]
            truth = max(max(made[whose]) - moment, 60.0)
            latest = inf if told.latest is None else told.latest
            outside = max(told.seconds - truth, truth - latest, 0)
            errors.append(round(outside / truth, 3))
            first_errors.append(round(abs(told.seconds - truth) / truth, 3))
            if told.latest is not None:
                widths.append(round(told.latest / max(told.seconds, 60.0), 2))
        return errors, first_errors, widths

    def _get_share(self, made: list[tuple[float, int]]) -> float:
        """Return how much of what may be used was, from when enough waited until it did not."""
        since = 3600 if self.is_spent else 0  # until then others have used it up
        enough = [moment for moment, count in self.backlog if count >= 200 and moment > since]
        if not enough:
            return 0.0
        # The longest stretch in which enough waited at each look.
        start = end = best = enough[0]
        longest = 0.0
        for before, after in pairwise(enough):
            if after - before > 130:
                start = after
            if after - start > longest:
                longest, best, end = after - start, start, after
        whole = int(longest // 3605) * 3605
        if not whole:
            return 0.0
        sent = sum(count for moment, count in made if end - whole < moment <= end)
        assert best <= end
        return round(sent / (self.per_hour * whole / 3600), 4)


FAULTS: list[dict[str, Any]] = [
    {"status": 500},
    {"status": 500, "write": True},
    {"status": 502, "write": True},
    {"status": 503},
    {"drop": "before"},
    {"drop": "after"},
    {"garbage": "truncated"},
]


def get_sizes(seed: int, organizations: int, addresses: int) -> list[int]:
    """Return how many each organization has: most have five, some have many."""
    dice = random.Random(seed)
    sizes = [SMALL] * (organizations * 2 // 3)
    others = organizations - len(sizes)
    weights = [dice.paretovariate(1.2) for _ in range(others)]
    left = addresses - sum(sizes)
    sizes += [max(round(left * weight / sum(weights)), 11) for weight in weights]
    dice.shuffle(sizes)
    return sizes
