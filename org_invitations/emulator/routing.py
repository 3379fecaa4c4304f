"""From a method and a path to the function that answers, and what that function is given."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from . import errors
from .wire import EmulatorRequest, EmulatorResponse

if TYPE_CHECKING:
    from .core import Emulator
    from .state import State

BAPI = "bapi"
FAPI = "fapi"
PAGE = "page"


@dataclass(frozen=True)
class Call:
    """One request on its way through the emulator, with what its path held."""

    emulator: Emulator
    request: EmulatorRequest
    params: Mapping[str, str]

    @property
    def state(self) -> State:
        return self.emulator.state

    @property
    def now_ms(self) -> int:
        return self.emulator.clock.now_ms()

    def json_body(self) -> Any:
        """The body as JSON; no body at all is ``None``."""
        if not self.request.body.strip():
            return None
        content_type = (self.request.header("content-type") or "").partition(";")[0].strip()
        if content_type.lower() != "application/json":
            raise errors.content_type_unsupported(content_type)
        try:
            return json.loads(self.request.body)
        except ValueError:
            raise errors.request_body_invalid() from None


Handler = Callable[[Call], Any]
"""Answers with an ``EmulatorResponse``, or with what is to be sent as JSON."""


@dataclass(frozen=True)
class Route:
    method: str
    template: str
    pattern: re.Pattern[str]
    api: str
    handler: Handler
    public: bool


class Router:
    """The routes of one part of the emulator."""

    def __init__(self, api: str, prefix: str = "") -> None:
        self.api = api
        self.prefix = prefix
        self.routes: list[Route] = []

    def on(
        self, method: str, template: str, *, public: bool = False
    ) -> Callable[[Handler], Handler]:
        """Registers a handler; ``public`` ones of the Backend API need no secret key."""

        def register(handler: Handler) -> Handler:
            path = self.prefix + template
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
            self.routes.append(Route(method, path, re.compile(pattern), self.api, handler, public))
            return handler

        return register


def resolve(
    routes: list[Route], method: str, path: str
) -> tuple[Route | None, dict[str, str], list[str]]:
    """The route, its decoded parameters, and the methods the path would have allowed."""
    allowed: list[str] = []
    for route in routes:
        match = route.pattern.fullmatch(path)
        if match is None:
            continue
        if route.method == method or (method == "HEAD" and route.method == "GET"):
            params = {name: unquote(value) for name, value in match.groupdict().items()}
            return route, params, []
        allowed.append(route.method)
    return None, {}, allowed


__all__ = [
    "BAPI",
    "FAPI",
    "PAGE",
    "Call",
    "EmulatorResponse",
    "Handler",
    "Route",
    "Router",
    "resolve",
]
