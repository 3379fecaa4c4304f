"""Faults to order: what is to go wrong, with which calls, and how often."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from .wire import EmulatorResponse

HUGE_BYTES = 50 * 1024 * 1024
_CHUNK = 64 * 1024

GARBAGE = ("html", "truncated", "invalid-json", "wrong-json", "empty", "huge")
DROPS = ("before", "after")


@dataclass
class Fault:
    """One order.

    ``method`` (``None``: any) and ``path`` (an fnmatch pattern on the path) say which calls;
    ``times`` how many of them (``None``: all). What happens to them: ``delay`` holds the answer
    back for so many seconds after the request took effect, ``hold`` before it does; ``status``
    with ``headers`` and ``body`` is another answer;
    ``drop`` ends the connection "before" or "after" the request took effect; ``garbage`` spoils
    the answer: "html" (a proxy's page with status 200), "truncated" (half of the body under the
    whole Content-Length), "invalid-json", "wrong-json" (valid, but not Clerk's), "empty", "huge"
    (50 MB). ``write`` says whether the call takes effect all the same; by default not with
    ``status``, and yes with ``garbage``.
    """

    method: str | None = None
    path: str = "*"
    times: int | None = 1
    delay: float = 0.0
    hold: float = 0.0
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    drop: str | None = None
    garbage: str | None = None
    write: bool | None = None

    def __post_init__(self) -> None:
        if self.drop is not None and self.drop not in DROPS:
            raise ValueError(f"drop must be one of {', '.join(DROPS)}")
        if self.garbage is not None and self.garbage not in GARBAGE:
            raise ValueError(f"garbage must be one of {', '.join(GARBAGE)}")
        if self.times is not None and (type(self.times) is not int or self.times < 1):
            raise ValueError("times must be a positive number, or null for always")
        if isinstance(self.delay, bool) or not isinstance(self.delay, (int, float)):
            raise ValueError("delay must be a number of seconds")
        if self.delay < 0:
            raise ValueError("delay must be a number of seconds")
        if isinstance(self.hold, bool) or not isinstance(self.hold, (int, float)) or self.hold < 0:
            raise ValueError("hold must be a number of seconds")
        if self.status is not None and not (type(self.status) is int and 100 <= self.status <= 599):
            raise ValueError("status must be an HTTP status")
        if not isinstance(self.headers, dict) or not isinstance(self.path, str):
            raise ValueError("headers must be an object, path a string")

    def matches(self, method: str, path: str) -> bool:
        wanted = self.method is None or self.method.upper() == method.upper()
        return wanted and fnmatchcase(path, self.path)

    @property
    def takes_effect(self) -> bool:
        if self.drop is not None:
            return self.drop == "after"
        return self.status is None if self.write is None else self.write

    def spoil(self, answer: EmulatorResponse | None) -> EmulatorResponse:
        """The answer to send in place of ``answer``, which is ``None`` without effect."""
        if self.status is not None:
            return self._other_answer(self.status)
        answer = answer or EmulatorResponse(200, [("Content-Type", "application/json")], b"{}")
        if self.garbage is None:
            return answer
        return self._garbage(answer)

    def _other_answer(self, status: int) -> EmulatorResponse:
        headers = dict(self.headers)
        if isinstance(self.body, str):
            body, content_type = self.body.encode(), "text/html; charset=utf-8"
        else:
            body = b"" if self.body is None else json.dumps(self.body).encode()
            content_type = "application/json"
        if "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = content_type
        return EmulatorResponse(status, list(headers.items()), body)

    def _garbage(self, answer: EmulatorResponse) -> EmulatorResponse:
        json_type = [("Content-Type", "application/json"), *self.headers.items()]
        if self.garbage == "html":
            page = b"<!doctype html><title>502</title><h1>Bad gateway</h1>"
            return EmulatorResponse(200, [("Content-Type", "text/html; charset=utf-8")], page)
        if self.garbage == "truncated":
            whole = answer.body or b" " * 64
            return EmulatorResponse(
                answer.status, answer.headers, whole[: len(whole) // 2], content_length=len(whole)
            )
        if self.garbage == "invalid-json":
            return EmulatorResponse(200, json_type, b'{"data": [{"id": "orginv_')
        if self.garbage == "wrong-json":
            return EmulatorResponse(200, json_type, b'["something", {"else": null}]')
        if self.garbage == "empty":
            return EmulatorResponse(200, json_type, b"")
        return EmulatorResponse(200, json_type, content_length=HUGE_BYTES, stream=_huge)

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def _huge() -> Iterator[bytes]:
    head, tail = b'{"data":"', b'"}'
    yield head
    left = HUGE_BYTES - len(head) - len(tail)
    while left > 0:
        yield b"x" * min(_CHUNK, left)
        left -= _CHUNK
    yield tail


class FaultPlan:
    """The orders, in the order they came. A call gets the first one that fits it."""

    def __init__(self) -> None:
        self.orders: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        self.orders.append(fault)
        return fault

    def take(self, method: str, path: str) -> Fault | None:
        for fault in self.orders:
            if fault.matches(method, path):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self.orders.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        self.orders.clear()
