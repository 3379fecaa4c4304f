"""A Clerk that holds an answer back, so that whoever waits for it can be killed or stopped."""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from org_invitations.emulator import Emulator
from org_invitations.emulator.wire import ConnectionDropped
from tests.gates import WATCHDOG

#: What creates invitations, and what asks whether the person may.
CREATE = "create"
CHECK = "check"


@dataclass
class Held:
    """A call of one worker that is not answered until a test says so."""

    #: ``CREATE`` or ``CHECK``.
    what: str
    #: Whether it takes effect, before the answer is held back.
    takes_effect: bool
    #: Whose: the id of the group of processes.
    group: int = 0
    arrived: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> int:
        """Return whose call it is, once it has come; 0 where it does not come."""
        return self.group if self.arrived.wait(2 * WATCHDOG) else 0


class Watch:
    """Holds a call of the first worker that comes, and one of the second."""

    def __init__(self, emulator: Emulator, first: Held, second: Held) -> None:
        self._lock = threading.Lock()
        self._handle = emulator.handle
        self._held = [first, second]
        #: How many calls each group of processes has made that create invitations.
        self.creates: Counter[int] = Counter()
        emulator.handle = self._answer  # type: ignore[method-assign]

    def _answer(self, request: Any, **more: Any) -> Any:
        held = self._get_held(request)
        if held is None:
            return self._handle(request, **more)
        answer = self._handle(request, **more) if held.takes_effect else None
        held.arrived.set()
        assert held.opened.wait(2 * WATCHDOG), "nobody has opened it"
        if answer is None:
            raise ConnectionDropped(after_write=False)
        return answer

    def _get_held(self, request: Any) -> Held | None:
        found = re.search(r" worker/(\d+)$", request.headers.get("User-Agent", ""))
        if found is None:
            return None
        group, what = int(found[1]), _what_is(request)
        with self._lock:
            self.creates[group] += what == CREATE
            for held in self._held:
                held.group = held.group or group
                if held.group == group:
                    is_it = what == held.what and not held.arrived.is_set()
                    return held if is_it else None
        return None

    def open(self) -> None:
        """Hold nothing back any more."""
        for held in self._held:
            held.opened.set()


def _what_is(request: Any) -> str:
    path = request.path.rstrip("/")
    if request.method == "POST" and path.endswith(("/invitations", "/invitations/bulk")):
        return CREATE
    return CHECK if request.method == "GET" and path.endswith("/memberships") else ""
