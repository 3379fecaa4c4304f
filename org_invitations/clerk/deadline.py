"""How long there is for all that is asked of Clerk: one moment for a whole request.

A request makes many calls, one after the other, and who waits for it waits for their sum. So each
looks at what is left before it begins. The deadline that holds is that of the context
(:mod:`contextvars`), not an argument of every function: the middleware begins it before there is
any view, the keys that it has fetched belong to the process and not to a request, and the hooks of
a site's own (``get_service``, ``get_backend``) call what has no request. The threads that
:mod:`org_invitations.concurrency` uses have a copy of the context, and so have those of ASGI.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Final, Self

#: What is kept of the time for finding out what became of a write whose answer was lost.
RESERVE: Final = 1 / 8

#: What one write may take of it at most: so two of them, one after the other, fit in with what
#: must be asked before them and the reserve after.
WRITE: Final = 1 / 3


class Deadline:
    """A moment after which nothing more is asked of Clerk.

    It holds within a ``with`` statement, for everything that is called there::

        with Deadline(60):
            service.run(batch)

    Where another one holds already, the earlier moment counts.
    """

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Let it begin now.

        :param seconds: how long it is; ``math.inf`` for no end.
        :param clock: tells the time in seconds, and never goes back.
        """
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds
        self._outer: Token[Deadline] | None = None

    def __repr__(self) -> str:
        return f"<Deadline: {self.left():.1f} s of {self.seconds:g}>"

    def left(self) -> float:
        """Return the seconds that are left, at least 0."""
        return max(self._end - self._clock(), 0.0)

    @property
    def reserve(self) -> float:
        """Seconds of it that no write may use."""
        return self.seconds * RESERVE if math.isfinite(self.seconds) else 0.0

    @property
    def longest_write(self) -> float:
        """Seconds that one write may take."""
        return self.seconds * WRITE

    def __enter__(self) -> Self:
        outer = get_deadline()
        holds = outer if outer.left() < self.left() else self
        self._outer = _deadline.set(holds)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._outer is not None:
            _deadline.reset(self._outer)
            self._outer = None


NEVER: Final = Deadline(math.inf)
"""What holds where nobody has begun another one."""

_deadline: ContextVar[Deadline] = ContextVar("org_invitations_deadline", default=NEVER)


def get_deadline() -> Deadline:
    """Return the deadline that holds here."""
    return _deadline.get()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let a deadline hold, unless one does already: for all that belongs to one request."""
    if get_deadline() is not NEVER:
        yield
        return
    with Deadline(seconds):
        yield
