"""Several calls to Clerk at the same time."""

from __future__ import annotations

import contextvars
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.test import override_settings

from org_invitations import concurrency
from org_invitations.clerk.bulkhead import Bulkhead
from org_invitations.clerk.exceptions import BulkheadFull, ConnectionFailed
from org_invitations.clients import get_client
from org_invitations.concurrency import MAX_WORKERS, Outcome, gather, get_bulkhead


def test_no_calls_have_no_outcomes() -> None:
    assert gather({}) == {}


def test_every_call_has_its_outcome_under_its_name() -> None:
    outcomes = gather({"a": lambda: 1, "b": lambda: None, "c": lambda: "x"})
    assert {name: outcome.get() for name, outcome in outcomes.items()} == {
        "a": 1,
        "b": None,
        "c": "x",
    }


def test_the_calls_run_at_the_same_time() -> None:
    # Nobody passes the barrier unless all five are there.
    barrier = threading.Barrier(5, timeout=5)
    outcomes = gather({str(n): barrier.wait for n in range(5)})
    assert sorted(outcome.get() for outcome in outcomes.values()) == [0, 1, 2, 3, 4]


def test_a_single_call_costs_no_thread() -> None:
    outcomes = gather({"only": threading.current_thread})
    assert outcomes["only"].get() is threading.current_thread()


def test_an_error_of_clerks_is_the_outcome_of_its_call_alone() -> None:
    error = ConnectionFailed("x")

    def fail() -> None:
        raise error

    for calls in ({"bad": fail, "good": lambda: 1}, {"good": lambda: 1, "bad": fail}):
        outcomes = gather(calls)
        assert outcomes["good"].get() == 1
        assert outcomes["bad"].error is error
        with pytest.raises(ConnectionFailed) as caught:
            outcomes["bad"].get()
        assert caught.value is error


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_bug_is_raised_once_all_calls_have_ended(position: int) -> None:
    ended = []

    def slow() -> None:
        time.sleep(0.05)
        ended.append(1)

    def bug() -> None:
        raise ZeroDivisionError

    calls: list[Any] = [slow, slow]
    calls.insert(position, bug)
    with pytest.raises(ZeroDivisionError):
        gather({str(n): call for n, call in enumerate(calls)})
    assert len(ended) == 2


def test_context_variables_reach_every_call() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    variable.set("seen")
    outcomes = gather({str(n): variable.get for n in range(4)})
    assert [outcome.get() for outcome in outcomes.values()] == ["seen"] * 4


def test_more_calls_than_threads_are_all_made() -> None:
    numbers = range(MAX_WORKERS * 3)
    outcomes = gather({str(n): partial(int, n) for n in numbers})
    assert [outcomes[str(n)].value for n in numbers] == list(numbers)


def test_nobody_waits_for_the_calls_of_others() -> None:
    """With every thread busy, a request makes its calls by itself, one after the other."""
    release, busy = threading.Event(), threading.Barrier(MAX_WORKERS + 2)

    def slow() -> None:
        busy.wait(60)
        release.wait(60)

    crowd = threading.Thread(target=gather, args=({str(n): slow for n in range(MAX_WORKERS + 1)},))
    crowd.start()
    busy.wait(60)
    me = threading.get_ident()
    outcomes = gather(dict.fromkeys("abc", threading.get_ident))
    release.set()
    crowd.join(60)
    assert {outcome.value for outcome in outcomes.values()} == {me}


def test_many_requests_share_one_set_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Counted(ThreadPoolExecutor):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            made.append(self)
            time.sleep(0.02)  # invites others to make one as well
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(concurrency, "ThreadPoolExecutor", Counted)
    monkeypatch.setattr(concurrency, "_executor", None)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: gather({"a": int, "b": int}), range(16)))
    assert len(made) == 1
    made[0].shutdown()


def test_all_of_them_need_one_place_to_wait_in() -> None:
    with override_settings(ORG_INVITATIONS_MAX_WAITING=1):
        barrier = threading.Barrier(4, timeout=5)
        outcomes = gather({str(n): barrier.wait for n in range(4)})
        assert sorted(outcome.get() for outcome in outcomes.values()) == [0, 1, 2, 3]


def test_where_there_is_none_that_is_what_became_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Bulkhead(1, patience=0)
    monkeypatch.setattr(concurrency, "get_bulkhead", lambda: full)
    has_it, go = threading.Event(), threading.Event()

    def hold() -> None:
        has_it.set()
        go.wait(60)

    holder = threading.Thread(target=gather, args=({"a": hold},))
    holder.start()
    assert has_it.wait(60)
    outcomes = gather({"a": int, "b": int})
    go.set()
    holder.join(60)
    assert [type(outcome.error) for outcome in outcomes.values()] == [BulkheadFull] * 2
    assert gather({"a": int})["a"].value == 0


def test_the_places_of_a_process_are_as_many_as_the_setting_says() -> None:
    assert get_bulkhead() is get_bulkhead()
    assert get_bulkhead().places == 4
    with override_settings(ORG_INVITATIONS_MAX_WAITING=7):
        assert get_bulkhead().places == 7
        assert get_client().bulkhead is get_bulkhead()


def test_an_outcome_is_a_value_or_an_error() -> None:
    assert Outcome().get() is None
    assert Outcome(value=3).get() == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_makes_threads_of_its_own() -> None:
    gather({"a": int, "b": int})
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        os._exit(0 if gather({"a": lambda: 1, "b": lambda: 2})["b"].value == 2 else 1)
    until = time.monotonic() + 60
    done, status = 0, -1
    while not done and time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.01)
    if not done:  # pragma: no cover - only where it hangs
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert (done, status) == (child, 0)
