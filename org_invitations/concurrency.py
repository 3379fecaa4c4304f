"""Doing several calls to Clerk at the same time.

Only HTTP happens in the worker threads. Caches, settings and translations stay in the thread
of the request: a cache may be a database, and a database connection belongs to one thread.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Final

from .clerk import ClerkError
from .clerk.bulkhead import Bulkhead
from .clerk.exceptions import BulkheadFull
from .conf import conf

#: Threads of one process that wait for Clerk, besides those of the requests themselves.
MAX_WORKERS: Final = 32

_executor: ThreadPoolExecutor | None = None
_free = threading.Semaphore(MAX_WORKERS)
_lock = threading.Lock()
_bulkhead: Bulkhead | None = None


def get_bulkhead() -> Bulkhead:
    """Return the places of this process in which requests may wait for Clerk."""
    global _bulkhead
    places = conf.MAX_WAITING
    with _lock:
        if _bulkhead is None or _bulkhead.places != places:
            _bulkhead = Bulkhead(places)
        return _bulkhead


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one call: a value, or the error that Clerk or the way to it gave."""

    value: Any = None
    error: ClerkError | None = None

    def get(self) -> Any:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value


def gather(calls: Mapping[str, Callable[[], Any]]) -> dict[str, Outcome]:
    """Run the calls at the same time and return what became of each, when all are done.

    The first runs in the calling thread, so one call costs no thread at all; so does each for
    which no thread is free, so nobody waits for the calls of others. An exception that is not a
    :exc:`ClerkError` is a bug and is raised, once all calls have ended. All of them need one place
    of the :class:`.Bulkhead`; where there is none, that is what became of each.
    """
    if not calls:
        return {}
    try:
        with get_bulkhead().place():
            return _run(calls)
    except BulkheadFull as error:
        return dict.fromkeys(calls, Outcome(error=error))


def _run(calls: Mapping[str, Callable[[], Any]]) -> dict[str, Outcome]:
    futures: dict[str, Future[Outcome]] = {}
    own: list[str] = []
    for name, call in calls.items():
        if own and _free.acquire(blocking=False):
            futures[name] = _submit(call)
        else:
            own.append(name)
    outcomes: dict[str, Outcome] = {}
    try:
        for name in own:
            outcomes[name] = _attempt(calls[name])
    finally:
        wait(futures.values())
    for name, future in futures.items():
        outcomes[name] = future.result()
    return outcomes


def _submit(call: Callable[[], Any]) -> Future[Outcome]:
    free = _free  # the one that was taken from, should the process fork meanwhile
    future = _get_executor().submit(contextvars.copy_context().run, _attempt, call)
    future.add_done_callback(lambda _future: free.release())
    return future


def _attempt(call: Callable[[], Any]) -> Outcome:
    try:
        return Outcome(value=call())
    except ClerkError as error:
        return Outcome(error=error)


def _get_executor() -> ThreadPoolExecutor:
    global _executor
    with _lock:
        if _executor is None:
            _executor = ThreadPoolExecutor(MAX_WORKERS, thread_name_prefix="org_invitations")
        return _executor


def _after_fork() -> None:
    # Threads do not survive a fork; the executor would wait for them for ever. And the lock
    # may have been held while forking.
    global _executor, _free, _lock, _bulkhead
    _executor = None
    _bulkhead = None
    _free = threading.Semaphore(MAX_WORKERS)
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
