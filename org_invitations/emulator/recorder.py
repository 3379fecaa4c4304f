"""The list of calls the emulator had."""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from .wire import EmulatorRequest

KEPT = 10_000
_SECRETS = ("authorization", "cookie")
_TICKETS = ("ticket", "__clerk_ticket")
_TICKET_IN_TEXT = re.compile(r"(ticket(?:=|%3D))[\w.\-]+", re.IGNORECASE)


@dataclass
class RecordedCall:
    """One call. ``at`` in milliseconds; ``status`` is ``None`` when no answer was sent.

    ``took_effect`` tells whether it was carried out and not refused, whatever was answered, and
    ``made`` which invitations it made, by id. What takes effect late changes both when it does.
    ``headers`` are in lower case and without ``Authorization`` and ``Cookie``. A ticket is left out
    wherever one is sent.
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
        sent = request.lowered_headers.items()
        headers = {k: _without_tickets(v) for k, v in sent if k not in _SECRETS}
        query = [(k, "…" if k in _TICKETS else _without_tickets(v)) for k, v in request.query]
        body = _body(request)
        call = RecordedCall(api, request.method, request.path, query, body, headers, at)
        self.calls.append(call)
        return call

    def clear(self) -> None:
        self.calls.clear()


def _body(request: EmulatorRequest) -> Any:
    if not request.body:
        return None
    try:
        return json.loads(request.body)
    except ValueError:
        return _without_tickets(request.body.decode("utf-8", "replace"))


def _without_tickets(text: str) -> str:
    """The text, in it "…" for each ticket in an address or a form."""
    return _TICKET_IN_TEXT.sub(r"\1…", text)
