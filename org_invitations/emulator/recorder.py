"""The list of calls the emulator had."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from .wire import EmulatorRequest

KEPT = 10_000
_SECRETS = ("authorization", "cookie")


@dataclass
class RecordedCall:
    """One call. ``at`` in milliseconds; ``status`` is ``None`` when no answer was sent.

    ``took_effect`` tells whether it was carried out and not refused, whatever was answered, and
    ``made`` which invitations it made, by id. What takes effect late changes both when it does.
    ``headers`` are in lower case and without ``Authorization`` and ``Cookie``.
    """

    api: str
    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any
    headers: dict[str, str]
    at: int
    status: int | None = None
    took_effect: bool = False
    made: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        query: dict[str, list[str]] = {}
        for name, value in self.query:
            query.setdefault(name, []).append(value)
        return {
            "api": self.api,
            "method": self.method,
            "path": self.path,
            "query": query,
            "body": self.body,
            "headers": self.headers,
            "status": self.status,
            "took_effect": self.took_effect,
            "made": self.made,
            "at": self.at,
        }


class Recorder:
    """The last calls, oldest first."""

    def __init__(self) -> None:
        self.calls: deque[RecordedCall] = deque(maxlen=KEPT)

    def add(self, api: str, request: EmulatorRequest, at: int) -> RecordedCall:
        headers = {k: v for k, v in request.lowered_headers.items() if k not in _SECRETS}
        call = RecordedCall(
            api, request.method, request.path, request.query, _body(request.body), headers, at
        )
        self.calls.append(call)
        return call

    def clear(self) -> None:
        self.calls.clear()


def _body(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")
