"""How many requests of one process may wait for Clerk at the same time."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from org_invitations.clerk.bulkhead import Bulkhead
from org_invitations.clerk.deadline import Deadline
from org_invitations.clerk.exceptions import BulkheadFull, ConnectionFailed


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Holder:
    """Somebody who holds a place until told to go."""

    def __init__(self, bulkhead: Bulkhead) -> None:
        self._has_it, self._go = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._hold, args=(bulkhead,))
        self._thread.start()
        assert self._has_it.wait(10)

    def _hold(self, bulkhead: Bulkhead) -> None:
        with bulkhead.place():
            self._has_it.set()
            self._go.wait(10)

    def go(self) -> None:
        self._go.set()
        self._thread.join(10)


def has_place(bulkhead: Bulkhead) -> bool:
    try:
        with bulkhead.place():
            return True
    except BulkheadFull:
        return False


def elsewhere(call: Callable[[], bool]) -> bool:
    """Call in another thread, with a context of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result(10)


def test_there_are_so_many_places_and_no_more(clock: Clock) -> None:
    bulkhead = Bulkhead(3, clock=clock)
    holders = [Holder(bulkhead) for _ in range(3)]
    clock.now += 1
    assert not has_place(bulkhead)
    holders.pop().go()
    assert has_place(bulkhead)
    assert has_place(bulkhead)
    for holder in holders:
        holder.go()


def test_who_finds_none_never_reached_clerk(clock: Clock) -> None:
    bulkhead = Bulkhead(1, clock=clock)
    holder = Holder(bulkhead)
    clock.now += 1
    with pytest.raises(ConnectionFailed) as caught, bulkhead.place():
        raise AssertionError
    assert not caught.value.may_have_happened
    holder.go()


def test_a_place_is_given_back_whatever_happens(clock: Clock) -> None:
    bulkhead = Bulkhead(1, clock=clock)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), bulkhead.place():
            raise ZeroDivisionError
    assert has_place(bulkhead)


def test_one_place_does_for_all_that_is_done_with_it(clock: Clock) -> None:
    bulkhead = Bulkhead(1, clock=clock)
    with bulkhead.place(), bulkhead.place():
        clock.now += 60
        context = contextvars.copy_context()
        assert elsewhere(lambda: context.run(has_place, bulkhead))
        assert not elsewhere(lambda: has_place(bulkhead))
    assert elsewhere(lambda: has_place(bulkhead))


def test_after_a_quiet_hour_somebody_waits_as_usual() -> None:
    """The patience begins with the last that moved, not with the last answer of the day before."""
    clock = Clock()
    bulkhead = Bulkhead(1, patience=30, clock=clock)
    clock.now += 3600
    holder = Holder(bulkhead)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(has_place, bulkhead)
        holder.go()
        assert waits.result(10)


def test_as_long_as_answers_come_it_is_worth_waiting() -> None:
    clock = Clock()
    bulkhead = Bulkhead(1, patience=30, clock=clock)
    holder = Holder(bulkhead)
    clock.now += 29
    bulkhead.note_answer()
    clock.now += 29
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(has_place, bulkhead)
        holder.go()
        assert waits.result(10)


def test_where_nothing_moves_nobody_waits(clock: Clock) -> None:
    bulkhead = Bulkhead(1, patience=30, clock=clock)
    holder = Holder(bulkhead)
    clock.now += 30
    assert not has_place(bulkhead)
    holder.go()
    assert has_place(bulkhead)


def test_nobody_waits_beyond_the_deadline(clock: Clock) -> None:
    bulkhead = Bulkhead(1, patience=30, clock=clock)
    holder = Holder(bulkhead)
    with Deadline(5, clock=clock):
        clock.now += 5
        assert not has_place(bulkhead)
    holder.go()
