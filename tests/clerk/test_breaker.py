"""Not asking Clerk for a while, once it has given no answer a few times in a row."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from org_invitations.clerk.breaker import COOL_DOWN, THRESHOLD, Breaker
from org_invitations.clerk.exceptions import CircuitOpen, ConnectionFailed


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock=clock)


def answer(breaker: Breaker, kind: str = "read", organization: str = "") -> None:
    with breaker.attempt(kind, organization) as attempt:
        attempt.answered()


def fail(
    breaker: Breaker,
    kind: str = "read",
    organization: str = "",
    *,
    times: int = 1,
    is_general: bool = False,
) -> None:
    for _ in range(times):
        with breaker.attempt(kind, organization) as attempt:
            attempt.failed(is_general=is_general)


def lets_through(breaker: Breaker, kind: str = "read", organization: str = "") -> bool:
    """Whether a call is let through; it tells nothing itself."""
    try:
        with breaker.attempt(kind, organization):
            return True
    except CircuitOpen:
        return False


def test_a_few_failures_in_a_row_open_it(breaker: Breaker) -> None:
    fail(breaker, times=THRESHOLD - 1)
    assert lets_through(breaker)
    assert not breaker.is_open("read")
    fail(breaker)
    assert not lets_through(breaker)
    assert breaker.is_open("read")


def test_a_call_that_is_not_let_through_never_reached_clerk(breaker: Breaker) -> None:
    fail(breaker, times=THRESHOLD)
    with pytest.raises(ConnectionFailed) as caught, breaker.attempt("read"):
        raise AssertionError
    assert not caught.value.may_have_happened


def test_any_answer_in_between_begins_anew(breaker: Breaker) -> None:
    for _ in range(3):
        fail(breaker, times=THRESHOLD - 1)
        answer(breaker)
    assert lets_through(breaker)


def test_a_call_that_tells_nothing_changes_nothing(breaker: Breaker) -> None:
    fail(breaker, times=THRESHOLD - 1)
    assert lets_through(breaker)
    fail(breaker)
    assert not lets_through(breaker)


def test_a_bug_tells_nothing_and_is_raised(breaker: Breaker) -> None:
    fail(breaker, times=THRESHOLD - 1)
    with pytest.raises(ZeroDivisionError), breaker.attempt("read"):
        raise ZeroDivisionError
    fail(breaker)
    assert not lets_through(breaker)


def test_reads_and_writes_are_apart(breaker: Breaker) -> None:
    fail(breaker, "write", times=THRESHOLD)
    assert lets_through(breaker, "read")
    answer(breaker, "read")
    assert not lets_through(breaker, "write")


# --- Whom it concerns ----------------------------------------------------------------------------


def test_one_organization_that_takes_too_long_shuts_out_no_other(breaker: Breaker) -> None:
    fail(breaker, organization="org_slow", times=THRESHOLD)
    assert not lets_through(breaker, organization="org_slow")
    assert lets_through(breaker, organization="org_other")
    assert lets_through(breaker)


def test_where_several_take_too_long_it_is_clerk(breaker: Breaker) -> None:
    fail(breaker, organization="org_slow", times=THRESHOLD - 1)
    fail(breaker, organization="org_other")
    assert not lets_through(breaker, organization="org_third")
    assert not lets_through(breaker)


def test_a_connection_that_is_not_made_concerns_everybody(breaker: Breaker) -> None:
    fail(breaker, organization="org_one", times=THRESHOLD, is_general=True)
    assert not lets_through(breaker, organization="org_other")


def test_an_answer_to_somebody_else_leaves_the_slow_one_alone(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, organization="org_slow", times=THRESHOLD)
    answer(breaker, organization="org_other")
    answer(breaker)
    assert not lets_through(breaker, organization="org_slow")
    clock.now += COOL_DOWN
    answer(breaker, organization="org_slow")
    assert lets_through(breaker, organization="org_slow")


# --- Closing again -------------------------------------------------------------------------------


def test_after_a_while_one_call_probes_and_the_others_still_fail(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, times=THRESHOLD)
    clock.now += COOL_DOWN - 0.1
    assert not lets_through(breaker)
    clock.now += 0.1
    with breaker.attempt("read") as probe:
        assert not lets_through(breaker)
        assert not lets_through(breaker, organization="org_one")
        probe.answered()
    assert lets_through(breaker)
    fail(breaker, times=THRESHOLD - 1)
    assert lets_through(breaker)  # it begins anew


def test_a_probe_that_fails_opens_it_for_as_long_again(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, times=THRESHOLD)
    for _ in range(3):
        clock.now += COOL_DOWN
        fail(breaker)
        assert not lets_through(breaker)
        clock.now += COOL_DOWN - 0.1
        assert not lets_through(breaker)
        clock.now += 0.1
        assert breaker.is_open("read")
        clock.now -= COOL_DOWN


def test_a_probe_that_tells_nothing_leaves_it_to_the_next(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, times=THRESHOLD)
    clock.now += COOL_DOWN
    assert lets_through(breaker)
    with pytest.raises(ZeroDivisionError), breaker.attempt("read"):
        raise ZeroDivisionError
    answer(breaker)
    assert not breaker.is_open("read")


def test_what_was_sent_before_it_opened_does_not_keep_it_open(
    breaker: Breaker, clock: Clock
) -> None:
    with breaker.attempt("read") as early:
        fail(breaker, times=THRESHOLD)
        clock.now += COOL_DOWN - 1
        early.failed(is_general=False)
    clock.now += 1
    assert lets_through(breaker)


def test_what_was_sent_before_it_opened_and_is_answered_closes_it(breaker: Breaker) -> None:
    with breaker.attempt("read") as early:
        fail(breaker, times=THRESHOLD)
        early.answered()
    assert lets_through(breaker)


def test_opening_and_closing_are_in_the_log_once(
    breaker: Breaker, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fail(breaker, times=THRESHOLD)
    for _ in range(20):
        lets_through(breaker)
    clock.now += COOL_DOWN
    answer(breaker)
    answer(breaker)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert f"did not answer {THRESHOLD} times in a row (read)" in caplog.messages[0]
    assert "answers again" in caplog.messages[1]


def test_of_many_threads_one_probes(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, times=THRESHOLD)
    clock.now += COOL_DOWN
    start, everybody_tried = threading.Barrier(16), threading.Barrier(16)

    def call(_: int) -> bool:
        start.wait(10)
        try:
            with breaker.attempt("read") as attempt:
                everybody_tried.wait(10)
                attempt.answered()
        except CircuitOpen:
            everybody_tried.wait(10)
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(call, range(16))) == 1
    assert lets_through(breaker)


def test_calls_do_not_wait_for_each_other(breaker: Breaker) -> None:
    together = threading.Barrier(8)

    def call(_: int) -> None:
        with breaker.attempt("read") as attempt:
            together.wait(10)  # all of them are under way
            attempt.answered()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(8)))
