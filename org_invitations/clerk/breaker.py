"""Not asking Clerk for a while, once it has given no answer a few times in a row.

A call that hangs keeps a thread of the site for as long as its time-out, and with a few of them
there are no threads left for anything else. So after :data:`THRESHOLD` failures in a row calls
fail at once for :data:`COOL_DOWN` seconds; then one call probes. A failure is a time-out or a
connection that is not made. An answer is an answer: whatever its status, it closes the circuit.

Reads and writes are apart, for one may be slow where the other is not. And so are organizations,
as far as time-outs go: one whose list takes too long must not shut out the others, so their
time-outs count for all of them only where more than one was concerned.

Each client has one of these, and a process has one client.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from .exceptions import CircuitOpen

logger = logging.getLogger("org_invitations.clerk")

#: So many failures in a row open a circuit.
THRESHOLD: Final = 4

#: How long it stays open before a call may probe (seconds).
COOL_DOWN: Final = 10.0


@dataclass(slots=True)
class _Circuit:
    #: Whom the failures since the last answer concerned; an empty text is nobody in particular.
    row: list[str] = field(default_factory=list)
    opened_at: float | None = None
    is_probing: bool = False


@dataclass(slots=True)
class Attempt:
    """One call that was let through, and what it told about the way to Clerk."""

    #: None as long as it has told nothing: it was cut short, say.
    is_answered: bool | None = None
    #: Whether a failure is certain to concern everybody: no connection was made.
    is_general: bool = False

    def answered(self) -> None:
        """Note that Clerk has answered, whatever it said."""
        self.is_answered = True

    def failed(self, *, is_general: bool) -> None:
        """Note that it did not."""
        self.is_answered, self.is_general = False, is_general


class Breaker:
    """The circuits of one client. Safe to share between threads."""

    def __init__(
        self,
        *,
        threshold: int = THRESHOLD,
        cool_down: float = COOL_DOWN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with all of them closed.

        :param clock: tells the time in seconds, and never goes back.
        """
        self._threshold = threshold
        self._cool_down = cool_down
        self._clock = clock
        self._lock = threading.Lock()
        self._circuits: dict[tuple[str, str], _Circuit] = {}

    @contextmanager
    def attempt(self, kind: str, organization_id: str = "") -> Iterator[Attempt]:
        """Let a call through, and learn from it what it notes in the :class:`Attempt`.

        :param kind: ``read`` or ``write``.
        :param organization_id: whom it concerns; empty where nobody in particular.
        :raises CircuitOpen: it is not the time to call.
        """
        names = [(kind, "")] + ([(kind, organization_id)] if organization_id else [])
        probed = self._enter(names)
        attempt = Attempt()
        try:
            yield attempt
        finally:
            with self._lock:
                for name in probed:
                    if name in self._circuits:
                        self._circuits[name].is_probing = False
                if attempt.is_answered:
                    self._close(names)
                elif attempt.is_answered is False:
                    for name in names[:1] if attempt.is_general else names:
                        self._fail(name, organization_id, attempt, was_probe=name in probed)

    def is_open(self, kind: str, organization_id: str = "") -> bool:
        """Whether calls fail at once right now, or one is probing."""
        with self._lock:
            circuit = self._circuits.get((kind, organization_id))
            return circuit is not None and circuit.opened_at is not None

    def _enter(self, names: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return the circuits that the call probes; raise where one of them lets none through."""
        with self._lock:
            probed = []
            for name in names:
                circuit = self._circuits.get(name)
                if circuit is None or circuit.opened_at is None:
                    continue
                if circuit.is_probing or self._clock() - circuit.opened_at < self._cool_down:
                    raise CircuitOpen("no answer a few times in a row; not tried again yet")
                probed.append(name)
            for name in probed:
                self._circuits[name].is_probing = True
            return probed

    def _close(self, names: list[tuple[str, str]]) -> None:
        for name in names:
            circuit = self._circuits.pop(name, None)
            if circuit is not None and circuit.opened_at is not None:
                logger.info("Clerk answers again (%s).", " ".join(filter(None, name)))

    def _fail(
        self, name: tuple[str, str], concerned: str, attempt: Attempt, *, was_probe: bool
    ) -> None:
        circuit = self._circuits.setdefault(name, _Circuit())
        circuit.row.append("" if attempt.is_general else concerned)
        del circuit.row[: -self._threshold]
        if circuit.opened_at is not None:
            if was_probe:  # what was sent before it opened is no news
                circuit.opened_at = self._clock()
            return
        is_for_all = not name[1]
        one_alone = is_for_all and circuit.row[0] != "" and len(set(circuit.row)) == 1
        if len(circuit.row) == self._threshold and not one_alone:
            circuit.opened_at = self._clock()
            logger.warning(
                "Clerk did not answer %d times in a row (%s): it is not asked for %d seconds.",
                self._threshold,
                " ".join(filter(None, name)),
                round(self._cool_down),
            )
