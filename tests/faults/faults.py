"""The faults: what goes wrong with a call of the site's to Clerk, and whether the call is done.

A row of the table is an order for the emulator. ``kind`` is what the sample goes by: every action
meets every kind before any meets one twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

#: Seconds, longer than a world's read time-out; and shorter.
OVER: Final = 0.45
UNDER: Final = (0.05, 0.24)

NONE, DONE, LATE = "none", "done", "late"

#: What a list of many, or one invitation, has in it.
_INVITATION_FIELDS: Final = (
    "id",
    "email_address",
    "role",
    "role_name",
    "status",
    "organization_id",
    "inviter_id",
    "public_inviter_data",
    "url",
    "expires_at",
    "created_at",
    "updated_at",
    "public_metadata",
    "private_metadata",
)
_MEMBERSHIP_FIELDS: Final = (
    "role",
    "role_name",
    "permissions",
    "organization",
    "public_user_data",
    "user_id",
    "identifier",
)
_ORGANIZATION_FIELDS: Final = (
    "name",
    "slug",
    "max_allowed_memberships",
    "pending_invitations_count",
    "members_count",
    "role_set_key",
)
_ROLE_FIELDS: Final = ("key", "permissions", "roles", "default_role", "type")
_PAGE_FIELDS: Final = ("data", "total_count")

#: Whose answers have which fields, by the names in ``calls``.
_INVITATIONS: Final = ("list", "invitation", "create", "bulk", "revoke", "own invitations")
_USER_FIELDS: Final = ("email_addresses", "verification", "banned", "primary_email_address_id")
_OF_CALLS: Final = (
    (_INVITATION_FIELDS, _INVITATIONS),
    (_MEMBERSHIP_FIELDS, ("memberships", "user memberships", "add member")),
    (_USER_FIELDS, ("user",)),
    (_ORGANIZATION_FIELDS, ("organization", "memberships", "user memberships")),
    (_ROLE_FIELDS, ("roles", "role set")),
    (_PAGE_FIELDS, ("list", "bulk", "memberships", "roles", "user memberships", "own invitations")),
    (("keys", "kid", "n"), ("keys",)),
    (("cookies",), ("refresh",)),
    (("directives",), ("handshake",)),
)

#: For each of the types that a field can have, those that it is not.
_WRONG: Final[dict[str, tuple[Any, ...]]] = {
    "id": (7, ["orginv_x"], "../../secret", ""),
    "email_address": ({}, 12, "not an address"),
    "role": ([], 3),
    "role_name": ({"de": "Mitglied"},),
    "status": (3, ["pending"]),
    "inviter_id": (5, {}),
    "public_inviter_data": ("Ada", [1]),
    "url": (1, "javascript:alert(1)"),
    "expires_at": ("tomorrow", 1e300, -1),
    "created_at": ("yesterday", 10**20, -(10**15)),
    "public_metadata": ("text", [1]),
    "private_metadata": ({}, "text"),
    "permissions": ("org:sys_memberships:manage", {"0": 1}, [None, 1]),
    "organization": ("org_x", []),
    "public_user_data": ([], "x"),
    "user_id": (9,),
    "identifier": (9,),
    "name": (4, []),
    "max_allowed_memberships": ("5", -3, 1.5),
    "members_count": ("many", -1),
    "role_set_key": (8, {}),
    "key": (1,),
    "roles": ({}, "all"),
    "data": ({}, "x", 5),
    "total_count": ("3", -1, 10**18, 1.5),
    "keys": ({}, "x"),
    "cookies": ("a=b", [1]),
    "directives": ("a=b", [1]),
}


@dataclass(frozen=True)
class Fault:
    """One row: its name, its kind, and what is ordered of the emulator."""

    name: str
    kind: str
    #: "none", "done" or "late": whether the call takes effect, and when.
    effect: str = NONE
    #: The arguments of ``Emulator.fault``.
    order: dict[str, Any] = field(default_factory=dict)
    #: The names of the calls that it makes sense for; empty for all.
    calls: tuple[str, ...] = ()
    #: Whether it strikes the k-th call of the action and everything after it.
    onward: bool = False
    #: Whether nobody listens, or the database is what fails.
    refuses: bool = False
    database: str = ""

    @property
    def takes_time(self) -> bool:
        """Whether it is about time: an answer that comes late, or one that says to wait."""
        slow = "delay" in self.order or self.order.get("garbage") == "trickle"
        return slow or self.kind == "retry-after"


def error(status: int, code: str, text: str = "No.", **meta: Any) -> dict[str, Any]:
    """The body of a refusal, in Clerk's form."""
    entry: dict[str, Any] = {"code": code, "message": text, "long_message": text}
    if meta:
        entry["meta"] = meta
    return {"errors": [entry], "clerk_trace_id": f"trace{status}"}


@cache
def table() -> tuple[Fault, ...]:
    """All of them."""
    rows = tuple(_rows())
    assert len({row.name for row in rows}) == len(rows)
    return rows


@cache
def kinds() -> tuple[str, ...]:
    """Their kinds, in the order of the table."""
    return tuple(dict.fromkeys(row.kind for row in table()))


def _rows() -> Iterator[Fault]:
    yield from _time()
    yield from _connections()
    yield from _statuses()
    yield from _refusals()
    yield from _bodies()
    yield from _fields()
    yield from _texts()
    yield from _wire()
    yield from _onward()
    yield from _databases()


_Calls = tuple[str, ...]


def _time() -> Iterator[Fault]:
    for seconds in UNDER:
        yield Fault(f"slow {seconds}", "slow", DONE, {"delay": seconds})
    yield Fault("no answer in time", "time-out", DONE, {"delay": OVER})
    gone = {"delay": OVER, "drop": "before"}
    yield Fault("no answer in time and nothing done", "time-out", NONE, gone)
    yield Fault("trickles", "time-out", DONE, {"garbage": "trickle"})
    yield Fault("late after a time-out", "late", LATE, {"late": True, "delay": OVER})
    yield Fault("late after a reset", "late", LATE, {"late": True})
    for status in (502, 503, 504):
        order = {"late": True, "status": status, "body": "<h1>gateway</h1>"}
        yield Fault(f"late after {status}", "late", LATE, order)


def _connections() -> Iterator[Fault]:
    yield Fault("refused", "refused", NONE, refuses=True, onward=True)
    yield Fault("reset before", "reset before", NONE, {"drop": "before"})
    yield Fault("reset after", "reset after", DONE, {"drop": "after"})
    yield Fault("cut off", "reset after", DONE, {"garbage": "truncated"})


def _statuses() -> Iterator[Fault]:
    for status in (400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 415, 418, 422, 425, 451):
        body = error(status, "never_heard_of")
        yield Fault(f"{status} unknown code", "status 4xx", NONE, {"status": status, "body": body})
    for status in (400, 401, 403, 404, 429):
        order = {"status": status, "body": "<h1>No</h1>"}
        yield Fault(f"{status} html", "status 4xx", NONE, order)
    for status in (500, 501, 502, 503, 504, 507, 520, 522, 529):
        body = error(status, "internal_clerk_error")
        yield Fault(f"{status}", "status 5xx", NONE, {"status": status, "body": body})
    for status in (500, 502, 503, 504):
        order = {"status": status, "body": "<h1>gateway</h1>", "write": True}
        yield Fault(f"{status} and done", "status 5xx, done", DONE, order)
    for wait in ("1", "30", "3600", "999999999", "-5", "1.5", "soon", "", "9" * 30, "0"):
        order = {
            "status": 429,
            "headers": {"Retry-After": wait},
            "body": error(429, "too_many_requests", "Too many requests."),
        }
        yield Fault(f"429 after {wait[:12]!r}", "retry-after", NONE, order)
    moment = "Wed, 21 Oct 2099 07:28:00 GMT"
    order = {
        "status": 429,
        "headers": {"Retry-After": moment},
        "body": error(429, "too_many_requests", "Too many requests."),
    }
    yield Fault("429 after a date", "retry-after", NONE, order)
    for wait in ("1", "999999999", "soon"):
        order = {"status": 503, "headers": {"Retry-After": wait}, "body": error(503, "busy")}
        yield Fault(f"503 after {wait}", "retry-after", NONE, order)


def _refusals() -> Iterator[Fault]:
    """What Clerk may truly say of a call, so that only the words can be wrong."""
    writes = ("create", "bulk", "revoke", "add member")
    refusals: tuple[tuple[int, str, _Calls], ...] = (
        (401, "authentication_invalid", ()),
        (403, "missing_organization_permission", writes),
        (403, "organization_membership_quota_exceeded", ("create", "bulk", "add member")),
        (402, "insufficient_seats", ("create", "bulk")),
        (403, "not_allowed_access", ("create", "bulk")),
        (409, "organization_role_set_migration_in_progress", writes),
        (409, "resource_locked", writes),
        (400, "dev_monthly_email_limit_exceeded", ("create", "bulk")),
        (403, "organization_not_enabled_in_instance", ()),
        (422, "exclusive_organization_membership", ("create", "bulk", "add member")),
        (422, "form_param_format_invalid", ("create", "bulk")),
    )
    for status, code, calls in refusals:
        order = {"status": status, "body": error(status, code)}
        yield Fault(f"{status} {code}", "refusal", NONE, order, calls)
    # And what is not so: nobody is invited, nobody has joined, the invitation is there.
    untrue: tuple[tuple[int, str, _Calls], ...] = (
        (400, "duplicate_record", ("create", "bulk")),
        (400, "organization_invitation_not_unique", ("create", "bulk")),
        (400, "already_a_member_in_organization", ("create", "bulk", "add member")),
        (404, "organization_invitation_not_pending", ("revoke",)),
        (404, "resource_not_found", ("revoke",)),
    )
    for status, code, calls in untrue:
        order = {"status": status, "body": error(status, code)}
        yield Fault(f"untrue {code}", "untrue refusal", NONE, order, calls)


def _bodies() -> Iterator[Fault]:
    order: dict[str, Any]
    for write in (True, False):
        effect, tail = (DONE, "") if write else (NONE, ", nothing done")
        yield Fault(f"html{tail}", "html", effect, {"garbage": "html", "write": write})
        for garbage in ("invalid-json", "empty"):
            order = {"garbage": garbage, "write": write}
            yield Fault(f"{garbage}{tail}", "cut json", effect, order)
        for text in ("null", "[]", "{}", '"text"', "3", "[" * 5000 + "]" * 5000, '{"data": null}'):
            order = {
                "status": 200,
                "headers": {"Content-Type": "application/json"},
                "body": text,
                "write": write,
            }
            yield Fault(f"json {text[:14]}{tail}", "wrong types", effect, order)


def _fields() -> Iterator[Fault]:
    for names, calls in _OF_CALLS:
        for name in names:
            key = f"{name} of {calls[0]}"
            yield Fault(f"null {key}", "null", DONE, {"replace": {name: None}}, calls)
            yield Fault(f"without {key}", "missing", DONE, {"remove": [name]}, calls)
            for value in _WRONG.get(name, ()):
                order = {"replace": {name: value}}
                yield Fault(f"{key} is {value!r}", "wrong types", DONE, order, calls)
    unknown: tuple[tuple[str, Any, _Calls], ...] = (
        ("status", "paused", _INVITATIONS),
        ("role", "org:unheard_of", (*_INVITATIONS, "memberships", "user memberships")),
        ("object", "something_new", ()),
        ("permissions", ["org:never:heard"], ("memberships", "roles", "user memberships")),
        ("type", "never_heard_of", ("role set",)),
    )
    for name, value, whose in unknown:
        yield Fault(f"unknown {name}", "unknown", DONE, {"replace": {name: value}}, whose)


def _texts() -> Iterator[Fault]:
    for label, text in (
        ("surrogate", "A\ud800B"),
        ("newline", "A\r\nSet-Cookie: x=y\r\n\r\nB"),
        ("nul", "A\x00B"),
        ("markup", "</textarea><script>alert(1)</script>"),
        ("long", "A" * 60_000),
        ("direction", "A\u202eB"),
    ):
        for names, calls in (
            (("email_address",), _INVITATIONS),
            (("role_name",), (*_INVITATIONS, "memberships", "user memberships")),
            (("first_name", "last_name", "identifier"), ("list", "memberships")),
            (("name", "slug"), ("organization", "memberships", "roles", "user memberships")),
        ):
            if label == "nul" and names != ("role_name",):
                continue
            order = {"replace": dict.fromkeys(names, text)}
            yield Fault(f"{label} in {names[0]}", "texts", DONE, order, calls)
        body = error(400, f"strange_{text[:200]}", text)
        yield Fault(f"{label} in a refusal", "texts", NONE, {"status": 400, "body": body})


def _wire() -> Iterator[Fault]:
    yield Fault("50 MB", "huge", DONE, {"garbage": "huge"})
    yield Fault("50 MB, compressed", "huge", DONE, {"garbage": "gzip-bomb"})
    order: dict[str, Any]
    for status in (301, 302, 303, 307, 308):
        order = {"status": status, "headers": {"Location": "/v1/jwks"}}
        yield Fault(f"redirect {status}", "redirect", NONE, order)
    order = {"status": 302, "headers": {"Location": "http://localhost:1/"}, "write": True}
    yield Fault("redirect elsewhere, done", "redirect", DONE, order)
    yield Fault("redirect to nowhere", "redirect", NONE, {"status": 302})
    yield Fault("bad gzip", "gzip", DONE, {"garbage": "gzip"})
    yield Fault("text/plain", "content type", DONE, {"garbage": "text"})
    for kind in ("application/problem+json", "application/json; charset=utf-16", ""):
        typed: dict[str, Any] = {"status": 200, "headers": {"Content-Type": kind}, "body": "{}"}
        order = typed | {"write": True}
        yield Fault(f"{kind or 'no type'}", "content type", DONE, order)
    for code in ("api_version_invalid", "api_version_unsupported"):
        yield Fault(code, "version", NONE, {"status": 400, "body": error(400, code)})


def _onward() -> Iterator[Fault]:
    yield Fault("reset from here on", "onward", NONE, {"drop": "before"}, onward=True)
    yield Fault("done and reset from here on", "onward", DONE, {"drop": "after"}, onward=True)
    order: dict[str, Any] = {"status": 500, "body": error(500, "internal_clerk_error")}
    yield Fault("500 from here on", "onward", NONE, order, onward=True)
    order = {"status": 503, "body": "<h1>gateway</h1>", "write": True}
    yield Fault("503 and done from here on", "onward", DONE, order, onward=True)
    order = {"status": 401, "body": error(401, "authentication_invalid")}
    yield Fault("401 from here on", "onward", NONE, order, onward=True)
    order = {"status": 429, "body": error(429, "too_many_requests"), "headers": {}}
    yield Fault("429 from here on", "onward", NONE, order, onward=True)
    order = {"delay": OVER, "drop": "before"}
    yield Fault("no answers from here on", "onward", NONE, order, onward=True)
    yield Fault("late from here on", "late, onward", LATE, {"late": True}, onward=True)
    order = {"delay": UNDER[1]}
    yield Fault("slow from here on", "slow, onward", DONE, order, onward=True)


def _databases() -> Iterator[Fault]:
    for mode in ("after the send", "once after the send", "from the beginning", "reads, too"):
        yield Fault(f"database fails {mode}", "database", NONE, database=mode)
