"""The emulator itself: one request in, one answer out, no socket needed."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from functools import partial

from . import (
    bapi_invitations,
    bapi_making,
    bapi_organizations,
    bapi_roles,
    bapi_sessions,
    bapi_users,
    control,
    cors,
    fapi,
    handshake,
    invitation_link,
    mailbox,
    pages,
    ticket_pages,
)
from .authentication import check_api_version, check_secret_key
from .errors import ClerkError, method_not_allowed, resource_not_found
from .instance import Instance
from .limits import SHORT_WINDOW
from .recorder import RecordedCall
from .routing import BAPI, FAPI, PAGE, Call, Route, resolve
from .scanner import Opened, scan_mailbox
from .wire import ConnectionDropped, EmulatorRequest, EmulatorResponse, json_response

CONTROL_PREFIX = "/_emulator/"

FRONTEND = ("/v1/client/", "/v1/dev_browser/", "/v1/me/", "/v1/tickets/")
"""Where the Frontend API is, which needs no secret key."""

ROUTES: list[Route] = [
    *bapi_invitations.router.routes,
    *bapi_organizations.router.routes,
    *bapi_making.router.routes,
    *bapi_making.browsers.routes,
    *bapi_roles.router.routes,
    *bapi_users.router.routes,
    *bapi_sessions.router.routes,
    *handshake.router.routes,
    *fapi.router.routes,
    *invitation_link.router.routes,
    *mailbox.router.routes,
    *ticket_pages.router.routes,
    *pages.router.routes,
]


class Emulator(Instance):
    """An instance that answers. Safe to use from several threads."""

    def handle(
        self, request: EmulatorRequest, *, sleep: Callable[[float], None] = time.sleep
    ) -> EmulatorResponse:
        """Answers a request. An ordered delay is spent in ``sleep``, after the request took effect.

        Raises ``ConnectionDropped`` where a fault asks for that.
        """
        with self.lock:
            if request.path.startswith(CONTROL_PREFIX):
                return control.answer(self, request)
            route, params, allowed = resolve(ROUTES, request.method, request.path)
            fault = self.faults.take(request.method, request.path)
            recorded = self.recorder.add(_api_of(route, request), request, self.clock.now_ms())
        if fault is not None and fault.hold:
            sleep(fault.hold)
        with self.lock:
            answer: EmulatorResponse | None = None
            carry_out = partial(self._carry_out, recorded, request, route, params, allowed)
            if fault is None or fault.takes_effect:
                answer = carry_out()
            elif fault.late:
                self.late.append(carry_out)
            if fault is not None:
                answer = None if fault.drop is not None else fault.spoil(answer)
            recorded.status = None if answer is None else answer.status
        if fault is not None and fault.delay:
            sleep(fault.delay)
        if answer is None:
            raise ConnectionDropped(after_write=fault is not None and fault.takes_effect)
        return answer

    def scan(self, to: str = "") -> list[Opened]:
        """Opens every link of the mailbox, as a mail scanner does; see ``scan_mailbox``."""
        return scan_mailbox(self, to)

    def finish_late(self) -> int:
        """Let all that was to take effect late do so now; return how many calls that were."""
        with self.lock:
            calls, self.late = self.late, []
            for carry_out in calls:
                carry_out()
            return len(calls)

    def _carry_out(
        self,
        recorded: RecordedCall,
        request: EmulatorRequest,
        route: Route | None,
        params: Mapping[str, str],
        allowed: list[str],
    ) -> EmulatorResponse:
        known = len(self.state.invitations)
        answer = self._answer(request, route, params, allowed)
        if _api_of(route, request) == FAPI:
            answer = cors.with_headers(self, request, answer)
        recorded.took_effect = answer.status < 400
        recorded.made = list(self.state.invitations)[known:]
        return answer

    def _answer(
        self,
        request: EmulatorRequest,
        route: Route | None,
        params: Mapping[str, str],
        allowed: list[str],
    ) -> EmulatorResponse:
        is_page = _api_of(route, request) == PAGE
        if request.path.startswith("/v1/"):
            # Described as JSON; people who follow a link in a browser may as well read it.
            is_page = is_page and "text/html" in (request.header("accept") or "")
        try:
            if _api_of(route, request) == BAPI:
                check_secret_key(request)
                check_api_version(request)
                if route is None or not route.template.endswith("/jwks"):
                    self.limit("requests", self.settings.request_limit, SHORT_WINDOW)
            if allowed and _api_of(route, request) == FAPI and cors.is_preflight(request):
                return cors.preflight()
            if route is None and allowed:
                raise method_not_allowed(allowed)
            if route is None:
                raise resource_not_found("There is nothing at this path.")
            answer = route.handler(Call(self, request, params))
        except ClerkError as error:
            if is_page:
                return pages.error_page(error)
            return self._error(error)
        return answer if isinstance(answer, EmulatorResponse) else json_response(answer)

    def _error(self, error: ClerkError) -> EmulatorResponse:
        payload = {"errors": [error.as_dict()], "clerk_trace_id": secrets.token_hex(16)}
        return json_response(payload, error.status, error.headers)

    def limit(self, name: str, limit: int, window: float) -> None:
        """Counts a call against a limit, if limits are on; raises the 429."""
        if self.settings.rate_limits:
            self.limiter.hit(name, limit, window, self.clock.now())


def _api_of(route: Route | None, request: EmulatorRequest) -> str:
    if route is not None:
        return route.api
    if request.path.startswith(FRONTEND) or request.path in (
        "/v1/client",
        "/v1/dev_browser",
        "/v1/me",
    ):
        return FAPI
    return BAPI if request.path.startswith("/v1/") else PAGE
