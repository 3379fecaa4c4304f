"""Faults to order: what is to go wrong, with which calls, and how often."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from .wire import EmulatorResponse

HUGE_BYTES = 50 * 1024 * 1024
_CHUNK = 64 * 1024

TRICKLE_PIECES = 40
TRICKLE_SECONDS = 0.05

GARBAGE = (
    "html",
    "truncated",
    "invalid-json",
    "wrong-json",
    "empty",
    "huge",
    "gzip",
    "gzip-bomb",
    "text",
    "trickle",
)
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
    (50 MB), "gzip" (said to be compressed, and is not), "gzip-bomb" (50 MB of it, compressed),
    "text" (the right answer, said to be plain text), "trickle" (the right answer in forty pieces,
    50 ms apart). ``replace`` puts other values into the answer's fields of these names, at any
    depth, and ``remove`` takes fields out. ``write`` says whether the call takes effect all the
    same; by default not with ``status``, and yes with ``garbage``, ``replace`` and ``remove``.
    ``late`` puts the effect off until ``Emulator.finish_late()``; the caller gets the ``status``,
    or, after the ``delay``, an ended connection.
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
    replace: dict[str, Any] = field(default_factory=dict)
    remove: list[str] = field(default_factory=list)
    late: bool = False

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
        self._check_edits()

    def _check_edits(self) -> None:
        if not isinstance(self.replace, dict) or not isinstance(self.remove, list):
            raise ValueError("replace must be an object, remove a list of names")
        if self.late and (self.garbage or self.replace or self.remove or self.drop == "after"):
            raise ValueError("what takes effect late has no answer to spoil")

    def matches(self, method: str, path: str) -> bool:
        wanted = self.method is None or self.method.upper() == method.upper()
        return wanted and fnmatchcase(path, self.path)

    @property
    def takes_effect(self) -> bool:
        """Whether the call takes effect before it is answered."""
        if self.late:
            return False
        if self.drop is not None:
            return self.drop == "after"
        return self.status is None if self.write is None else self.write

    def spoil(self, answer: EmulatorResponse | None) -> EmulatorResponse | None:
        """The answer to send in place of ``answer``, which is ``None`` without effect.

        ``None`` where the connection is to end without one.
        """
        if self.status is not None:
            return self._other_answer(self.status)
        if self.late:
            return None
        answer = answer or EmulatorResponse(200, [("Content-Type", "application/json")], b"{}")
        if self.replace or self.remove:
            answer = self._edited(answer)
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
        if self.garbage == "gzip":
            headers = [*answer.headers, ("Content-Encoding", "gzip")]
            return EmulatorResponse(answer.status, headers, answer.body)
        if self.garbage == "gzip-bomb":
            return EmulatorResponse(200, [*json_type, ("Content-Encoding", "gzip")], _bomb())
        if self.garbage == "text":
            plain = [("Content-Type", "text/plain; charset=utf-8")]
            return EmulatorResponse(answer.status, plain, answer.body)
        if self.garbage == "trickle":
            body = answer.body
            return EmulatorResponse(
                answer.status,
                answer.headers,
                content_length=len(body),
                stream=lambda: _trickle(body),
            )
        return EmulatorResponse(200, json_type, content_length=HUGE_BYTES, stream=_huge)

    def _edited(self, answer: EmulatorResponse) -> EmulatorResponse:
        try:
            payload = json.loads(answer.body)
        except ValueError:
            return answer
        body = json.dumps(_edit(payload, self.replace, self.remove)).encode()
        return EmulatorResponse(answer.status, answer.headers, body)

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


@cache
def _bomb() -> bytes:
    return gzip.compress(b"".join(_huge()), compresslevel=1)


def _trickle(body: bytes) -> Iterator[bytes]:
    size = max(1, -(-len(body) // TRICKLE_PIECES))
    for start in range(0, len(body), size):
        time.sleep(TRICKLE_SECONDS)
        yield body[start : start + size]


def _edit(payload: Any, replace: dict[str, Any], remove: list[str]) -> Any:
    if isinstance(payload, list):
        return [_edit(item, replace, remove) for item in payload]
    if not isinstance(payload, dict):
        return payload
    return {
        name: replace[name] if name in replace else _edit(value, replace, remove)
        for name, value in payload.items()
        if name not in remove
    }


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
