"""How long there is for all that is asked of Clerk."""

from __future__ import annotations

import contextvars
import math
import threading

import pytest

from org_invitations.clerk.deadline import NEVER, Deadline, get_deadline, within


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_where_none_was_begun_there_is_no_end() -> None:
    assert get_deadline() is NEVER
    assert get_deadline().left() == math.inf
    assert get_deadline().reserve == 0
    assert get_deadline().longest_write == math.inf


def test_what_is_left_becomes_less_and_never_negative(clock: Clock) -> None:
    deadline = Deadline(25, clock=clock)
    assert deadline.left() == 25
    clock.now += 10
    assert deadline.left() == 15
    clock.now += 100
    assert deadline.left() == 0


def test_two_writes_and_the_reserve_leave_a_fifth_for_what_comes_before(clock: Clock) -> None:
    deadline = Deadline(24, clock=clock)
    assert (deadline.longest_write, deadline.reserve) == (8, 3)


def test_it_holds_within_its_block_and_not_after_it(clock: Clock) -> None:
    with Deadline(25, clock=clock) as deadline:
        assert get_deadline() is deadline
        with pytest.raises(ZeroDivisionError), Deadline(5, clock=clock):
            raise ZeroDivisionError
        assert get_deadline() is deadline
    assert get_deadline() is NEVER


def test_of_two_the_earlier_one_holds(clock: Clock) -> None:
    with Deadline(5, clock=clock) as outer:
        with Deadline(60, clock=clock):
            assert get_deadline() is outer
        with Deadline(1, clock=clock) as inner:
            assert get_deadline() is inner
        assert get_deadline() is outer


def test_one_request_has_one_though_several_would_begin_it() -> None:
    with within(25):
        first = get_deadline()
        assert first.seconds == 25
        with within(60):
            assert get_deadline() is first
        assert get_deadline() is first
    assert get_deadline() is NEVER


def test_it_holds_for_one_thread_and_those_that_take_over_its_context(clock: Clock) -> None:
    seen: list[Deadline] = []

    def look() -> None:
        seen.append(get_deadline())

    with Deadline(25, clock=clock) as deadline:
        context = contextvars.copy_context()
        for target in (look, lambda: context.run(look)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert seen == [NEVER, deadline]


def test_it_says_what_is_left(clock: Clock) -> None:
    deadline = Deadline(25, clock=clock)
    clock.now += 1.5
    assert repr(deadline) == "<Deadline: 23.5 s of 25>"
