"""``/_emulator/*``: what a test or a person may order over HTTP. None of it is Clerk's."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .wire import EmulatorRequest, EmulatorResponse, json_response

if TYPE_CHECKING:
    from .core import Emulator

Body = dict[str, Any]


def answer(emulator: Emulator, request: EmulatorRequest) -> EmulatorResponse:
    handler = _HANDLERS.get((request.method, request.path.rstrip("/")))
    if handler is None:
        known = sorted(f"{method} {path}" for method, path in _HANDLERS)
        return json_response({"error": "not found", "known": known}, 404)
    try:
        body = json.loads(request.body) if request.body.strip() else {}
        if not isinstance(body, dict):
            raise ValueError("the body must be a JSON object")
        return json_response(handler(emulator, body))
    except (ValueError, TypeError, AttributeError) as error:
        return json_response({"error": str(error)}, 400)


def _reset(emulator: Emulator, body: Body) -> Body:
    emulator.reset()
    return {"reset": True}


def _get_clock(emulator: Emulator, body: Body) -> Body:
    return {"now": emulator.clock.now(), "frozen": emulator.clock.frozen}


def _move_clock(emulator: Emulator, body: Body) -> Body:
    """``set`` to epoch seconds, ``advance`` by seconds, ``frozen`` or not, ``reset``."""
    _known(body, "set", "advance", "frozen", "reset")
    if body.get("reset"):
        emulator.clock.reset()
    if "frozen" in body:
        (emulator.clock.freeze if body["frozen"] else emulator.clock.thaw)()
    if "set" in body:
        emulator.clock.set(float(body["set"]))
    if "advance" in body:
        emulator.clock.advance(float(body["advance"]))
    return _get_clock(emulator, body)


def _get_faults(emulator: Emulator, body: Body) -> Body:
    return {"faults": [fault.as_dict() for fault in emulator.faults.orders]}


def _order_fault(emulator: Emulator, body: Body) -> Body:
    order = dict(body)
    order["headers"] = {k: str(v) for k, v in (body.get("headers") or {}).items()}
    emulator.fault(order.pop("method", None), order.pop("path", "*"), **order)
    return _get_faults(emulator, body)


def _clear_faults(emulator: Emulator, body: Body) -> Body:
    emulator.faults.clear()
    return _get_faults(emulator, body)


def _finish_late(emulator: Emulator, body: Body) -> Body:
    return {"finished": emulator.finish_late()}


def _scan(emulator: Emulator, body: Body) -> Body:
    """How often each answer was given; no link, since each holds a ticket."""
    _known(body, "to")
    opened = emulator.scan(str(body.get("to") or ""))
    counts = Counter(f"{one.method} {one.status}" for one in opened)
    return {"opened": len(opened), "answers": dict(sorted(counts.items()))}


def _get_requests(emulator: Emulator, body: Body) -> Body:
    """The calls of the Backend API under "requests", those of a browser under "browser"."""
    calls = [call.as_dict() for call in emulator.recorder.calls]
    return {
        "requests": [call for call in calls if call["api"] == "bapi"],
        "browser": [call for call in calls if call["api"] != "bapi"],
    }


def _clear_requests(emulator: Emulator, body: Body) -> Body:
    emulator.clear_requests()
    return _get_requests(emulator, body)


def _get_instance(emulator: Emulator, body: Body) -> Body:
    state = emulator.state
    return {
        **asdict(emulator.settings),
        "secret_key": emulator.secret_key,
        "publishable_key": emulator.publishable_key,
        "jwt_key": emulator.jwt_key,
        "site": emulator.site,
        "organizations": [asdict(org) for org in state.organizations.values()],
        "users": [asdict(user) for user in state.users.values()],
        "role_sets": [asdict(role_set) for role_set in state.role_sets.values()],
    }


def _change_instance(emulator: Emulator, body: Body) -> Body:
    emulator.configure(**body)
    return _get_instance(emulator, body)


def _rotate(emulator: Emulator, body: Body) -> Body:
    _known(body, "keep_old", "same_kid")
    emulator.rotate_keys(keep_old=bool(body.get("keep_old")), same_kid=bool(body.get("same_kid")))
    return {"kid": emulator.keys.current.kid, "jwt_key": emulator.jwt_key}


def _mint(emulator: Emulator, body: Body) -> Body:
    """A token and the cookies around it, for the arguments of ``Emulator.session_cookies``."""
    order = dict(body)
    cookies = emulator.session_cookies(str(order.pop("user", "")), **order)
    return {"token": cookies["__session"], "cookies": cookies}


def _known(body: Body, *names: str) -> None:
    if unknown := set(body) - set(names):
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")


_HANDLERS: dict[tuple[str, str], Callable[[Emulator, Body], Body]] = {
    ("POST", "/_emulator/reset"): _reset,
    ("GET", "/_emulator/clock"): _get_clock,
    ("POST", "/_emulator/clock"): _move_clock,
    ("GET", "/_emulator/faults"): _get_faults,
    ("POST", "/_emulator/faults"): _order_fault,
    ("DELETE", "/_emulator/faults"): _clear_faults,
    ("POST", "/_emulator/late"): _finish_late,
    ("POST", "/_emulator/scan"): _scan,
    ("GET", "/_emulator/requests"): _get_requests,
    ("DELETE", "/_emulator/requests"): _clear_requests,
    ("GET", "/_emulator/instance"): _get_instance,
    ("POST", "/_emulator/instance"): _change_instance,
    ("POST", "/_emulator/keys"): _rotate,
    ("POST", "/_emulator/tokens"): _mint,
}
