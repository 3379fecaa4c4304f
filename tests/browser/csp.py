"""The strictest policy that a site may have: nothing inline, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from org_invitations.conf import conf


class StrictPolicy:
    """Adds the header by hand: Django has a middleware for it from 6.0 on only."""

    #: Whether scripts may call Clerk's Frontend API, as Clerk's own have to.
    calls_clerk = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["Content-Security-Policy"] = (
            "default-src 'self'; base-uri 'none'; frame-ancestors 'self'; form-action 'self'; "
            f"frame-src 'self' {conf.CLERK_PROXY_URL}"
        )
        if self.calls_clerk:
            policy = response["Content-Security-Policy"]
            response["Content-Security-Policy"] = (
                f"{policy}; connect-src 'self' {conf.CLERK_PROXY_URL}"
            )
        return response
