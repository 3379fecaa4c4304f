"""How many requests of one process may wait for Clerk at the same time.

A site has so many threads, and most of its pages need no Clerk. If all threads waited for it,
nothing else would be answered. So there are places to wait in, fewer than threads. Who finds none
waits for one as long as calls come and go; where nothing has moved for :data:`PATIENCE` seconds,
Clerk hangs, and whoever else comes is told at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from .deadline import get_deadline
from .exceptions import BulkheadFull

#: How long somebody waits for a place while nothing moves (seconds).
PATIENCE: Final = 1.0

_has_place: ContextVar[bool] = ContextVar("org_invitations_has_place", default=False)


class Bulkhead:
    """The places of one process. Safe to share between threads."""

    def __init__(
        self,
        places: int,
        *,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with all of them free.

        :param places: how many may wait at the same time.
        :param patience: seconds.
        :param clock: tells the time in seconds, and never goes back.
        """
        self.places = places
        self._free = places
        self._patience = patience
        self._clock = clock
        self._changed = threading.Condition()
        self._moved_at = clock()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place; one that the context holds already will do, also in threads of its own.

        :raises BulkheadFull: there is none.
        """
        if _has_place.get():
            yield
            return
        self._take()
        token = _has_place.set(True)
        try:
            yield
        finally:
            _has_place.reset(token)
            with self._changed:
                self._free += 1
                self._changed.notify()

    def note_answer(self) -> None:
        """Note that an answer has come: it does not hang."""
        with self._changed:
            self._moved_at = self._clock()

    def _take(self) -> None:
        with self._changed:
            while not self._free:
                left = self._moved_at + self._patience - self._clock()
                seconds = min(left, get_deadline().left())
                if seconds <= 0:
                    raise BulkheadFull("too many requests wait for Clerk")
                self._changed.wait(seconds)
            self._free -= 1
            self._moved_at = self._clock()
