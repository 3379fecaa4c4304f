"""What goes in and comes out of the emulator, free of any socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit


class ConnectionDropped(Exception):
    """The connection ends without an answer, as an ordered fault asked.

    ``after_write`` says whether the request had already taken effect.
    """

    def __init__(self, *, after_write: bool) -> None:
        super().__init__(f"connection dropped {'after' if after_write else 'before'} the write")
        self.after_write = after_write


@dataclass(frozen=True)
class EmulatorRequest:
    """One HTTP request: method, full URL, headers (any case), body."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @cached_property
    def path(self) -> str:
        """The path as sent, still percent-encoded, so that an encoded "/" splits nothing."""
        return urlsplit(self.url).path or "/"

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.url).query, keep_blank_values=True)

    @cached_property
    def lowered_headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def header(self, name: str) -> str | None:
        return self.lowered_headers.get(name.lower())

    @cached_property
    def cookies(self) -> dict[str, str]:
        """The cookies of the request; of two with one name the first one counts."""
        found: dict[str, str] = {}
        for part in (self.header("cookie") or "").split(";"):
            name, separator, value = part.strip().partition("=")
            if separator:
                found.setdefault(name, value)
        return found

    @cached_property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    def argument(self, name: str) -> str | None:
        """The first value of a query parameter, ``None`` when it was not sent."""
        return next((value for key, value in self.query if key == name), None)

    def field(self, name: str) -> str | None:
        """The first value of a form field, or of the query parameter of the same name."""
        return next((value for key, value in self.form if key == name), self.argument(name))


@dataclass
class EmulatorResponse:
    """One HTTP answer.

    ``content_length`` is what the header claims when that is not the truth (the connection is
    closed after the body); ``stream`` stands in for a body too large to keep.
    """

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    content_length: int | None = None
    stream: Callable[[], Iterator[bytes]] | None = None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    def header_list(self, name: str) -> list[str]:
        return [v for n, v in self.headers if n.lower() == name.lower()]


def json_response(
    payload: Any, status: int = 200, headers: list[tuple[str, str]] | None = None
) -> EmulatorResponse:
    body = json.dumps(payload, separators=(",", ":")).encode()
    return EmulatorResponse(status, [("Content-Type", "application/json"), *(headers or [])], body)


def redirect(
    location: str, status: int = 302, headers: list[tuple[str, str]] | None = None
) -> EmulatorResponse:
    fixed = [("Location", location), ("Cache-Control", "no-store")]
    return EmulatorResponse(status, fixed + (headers or []))
