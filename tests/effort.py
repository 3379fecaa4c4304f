"""How much work something is, counted and not timed: the same on every machine."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

#: Seconds of computing after which something is taken to go on for ever.
FOR_EVER: Final = 120.0


def work(run: Callable[[], object]) -> int:
    """Return how many functions, Python's and C's, are called while something runs."""
    calls = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(before)
    return calls


def assert_grows_with(size: Callable[[int], Callable[[], object]], *, few: int, many: int) -> None:
    """Assert that ``many`` times something are as much more work than ``few`` as they are more.

    ``size(number)`` prepares that many and returns what is to be measured.
    """
    little, much = work(size(few)), work(size(many))
    assert much <= 1.3 * many / few * little, f"{few}: {little} calls; {many}: {much} calls"


@contextmanager
def no_end_in_sight(seconds: float = FOR_EVER) -> Iterator[None]:
    """Stop what computes for so long, in seconds of this process and not of the clock."""

    def stop(*_: Any) -> None:
        raise AssertionError(f"still at it after {seconds:.0f} seconds of computing")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
