"""What lets a page of the site call the Frontend API, which is another origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .wire import EmulatorRequest, EmulatorResponse

if TYPE_CHECKING:
    from .instance import Instance

METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"


def is_preflight(request: EmulatorRequest) -> bool:
    """Whether a browser asks what it may send."""
    return request.method == "OPTIONS" and bool(request.header("access-control-request-method"))


def preflight() -> EmulatorResponse:
    return EmulatorResponse(204)


def with_headers(
    instance: Instance, request: EmulatorRequest, answer: EmulatorResponse
) -> EmulatorResponse:
    """The answer, readable for a page of the site with its cookies, and for no other page."""
    origin = request.header("origin")
    answer.headers.append(("Vary", "Origin"))
    if origin is None or not instance.may_return_to(origin):
        return answer
    answer.headers += [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
    ]
    if is_preflight(request):
        wanted = request.header("access-control-request-headers")
        answer.headers.append(("Access-Control-Allow-Methods", METHODS))
        if wanted is not None and wanted.isprintable():
            answer.headers.append(("Access-Control-Allow-Headers", wanted))
    return answer
