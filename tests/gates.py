"""Answers that come when a test says so, so that nothing depends on how fast a machine is."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from org_invitations.clerk import ClerkClient
from org_invitations.emulator import Emulator

#: Seconds after which something is taken to hang. Nothing that works takes a tenth of them.
WATCHDOG: Final = 60.0


class Gate:
    """Makes what an emulator was ordered to delay or to hold wait until the gate is opened.

    The orders are given as ever, ``emulator.fault("POST", delay=1)``; their seconds count no more.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._handle = emulator.handle
        self._opened = threading.Event()
        self._reached = threading.Event()
        self._changed = threading.Condition()
        self._under_way = 0
        emulator.handle = self._answer  # type: ignore[method-assign]

    def _answer(self, request: Any, **_: Any) -> Any:
        with self._changed:
            self._under_way += 1
        try:
            return self._handle(request, sleep=self._wait)
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _wait(self, _seconds: float) -> None:
        self._reached.set()
        assert self._opened.wait(WATCHDOG), "nobody opened the gate"

    def wait_for_arrival(self) -> None:
        """Return when a call has arrived at the gate."""
        assert self._reached.wait(WATCHDOG), "no call came to the gate"

    def open(self) -> None:
        """Let everything go on, and return when all of it has ended."""
        self._opened.set()
        with self._changed:
            assert self._changed.wait_for(lambda: not self._under_way, WATCHDOG)

    def remove(self) -> None:
        """Open it, and let delays be delays again."""
        self.open()
        self._emulator.__dict__.pop("handle", None)


@contextmanager
def gate(emulator: Emulator) -> Iterator[Gate]:
    """A closed gate; in the end it is opened and gone."""
    made = Gate(emulator)
    try:
        yield made
    finally:
        made.remove()


@contextmanager
def impatient(client: ClerkClient, write: int = 0) -> Iterator[None]:
    """Let a client wait for one of its writes (0 is the first) a moment only, and long for others.

    With a gate before that write it is sure to be given up, on a machine of any speed.
    """
    post, numbers = client.post, itertools.count()

    def once(*arguments: Any, **more: Any) -> Any:
        patience = client.read_timeout
        client.read_timeout = 0.1 if next(numbers) == write else patience
        try:
            return post(*arguments, **more)
        finally:
            client.read_timeout = patience

    client.post = once  # type: ignore[method-assign]
    try:
        yield
    finally:
        client.__dict__.pop("post", None)


@contextmanager
def rounds(emulator: Emulator, *sizes: int) -> Iterator[None]:
    """Answer no call of a round before all of it are under way: ``sizes`` of them, in turn.

    Whoever asks for one after the other, or in smaller groups, hangs at the first round and fails;
    so does whoever asks more or less than the rounds hold.
    """
    barriers: list[threading.Barrier] = []
    for size in sizes:
        barriers += [threading.Barrier(size, timeout=WATCHDOG)] * size
    handle, lock = emulator.handle, threading.Lock()

    def answer(request: Any, **more: Any) -> Any:
        with lock:
            assert barriers, f"one call too many: {request.method} {request.path}"
            barrier = barriers.pop(0)
        barrier.wait()
        return handle(request, **more)

    emulator.handle = answer  # type: ignore[method-assign]
    try:
        yield
    finally:
        emulator.__dict__.pop("handle", None)
    assert not barriers, f"{len(barriers)} calls were expected, and not made"
