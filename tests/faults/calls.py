"""Every call that the site makes to Clerk's Backend API, by name."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from org_invitations.emulator import RecordedCall

from .faults import LATE, Fault


@dataclass(frozen=True)
class Call:
    """A call: its method, and a pattern of its path."""

    name: str
    method: str
    path: str
    is_write: bool = False

    def fits(self, method: str, path: str) -> bool:
        return method == self.method and fnmatchcase(path, self.path)


#: The first that fits is it.
CALLS: Final = (
    Call("bulk", "POST", "/v1/organizations/*/invitations/bulk", is_write=True),
    Call("revoke", "POST", "/v1/organizations/*/invitations/*/revoke", is_write=True),
    Call("create", "POST", "/v1/organizations/*/invitations", is_write=True),
    Call("add member", "POST", "/v1/organizations/*/memberships", is_write=True),
    Call("end session", "POST", "/v1/sessions/*/revoke", is_write=True),
    Call("invitation", "GET", "/v1/organizations/*/invitations/orginv_*"),
    Call("list", "GET", "/v1/organizations/*/invitations"),
    Call("memberships", "GET", "/v1/organizations/*/memberships"),
    # An id has 31 characters, so nothing below it fits.
    Call("organization", "GET", f"/v1/organizations/org_{'?' * 27}"),
    Call("organization by slug", "GET", "/v1/organizations/acme"),
    Call("roles", "GET", "/v1/organization_roles"),
    Call("role set", "GET", "/v1/role_sets/*"),
    Call("settings", "GET", "/v1/instance/organization_settings"),
    Call("user memberships", "GET", "/v1/users/*/organization_memberships"),
    Call("user", "GET", f"/v1/users/user_{'?' * 27}"),
    Call("own invitations", "GET", "/v1/users/*/organization_invitations"),
    Call("keys", "GET", "/v1/jwks"),
    Call("refresh", "POST", "/v1/sessions/*/refresh"),
    Call("handshake", "GET", "/v1/clients/handshake_payload"),
)
BY_NAME: Final = {call.name: call for call in CALLS}


def name_of(method: str, path: str) -> str:
    """The name of a call that was made; empty where the table lacks it."""
    return next((call.name for call in CALLS if call.fits(method, path)), "")


@dataclass(frozen=True)
class Slot:
    """Where a fault strikes: the n-th call of a name, or all from the k-th one of any on."""

    #: Empty: any call.
    name: str
    #: From 1.
    number: int
    #: Whether it goes on striking: calls of this name, or all calls.
    onward: bool = False

    def __str__(self) -> str:
        return f"{self.name or 'call'} {self.number}{'+' if self.onward else ''}"

    @classmethod
    def parse(cls, text: str) -> Slot:
        name, _, number = text.rpartition(" ")
        name = "" if name == "call" else name
        return cls(name, int(number.rstrip("+")), number.endswith("+"))


def slots_of(calls: Sequence[RecordedCall]) -> list[Slot]:
    """Where a fault can strike an action that makes these calls when nothing goes wrong."""
    names = [name_of(call.method, call.path) for call in calls]
    unknown = [f"{c.method} {c.path}" for c, name in zip(calls, names, strict=True) if not name]
    if unknown:
        raise LookupError(f"calls that the table lacks: {', '.join(unknown)}")
    slots = []
    for name, count in Counter(names).items():
        numbers = range(1, count + 1) if BY_NAME[name].is_write else range(1, min(count, 3) + 1)
        slots += [Slot(name, number) for number in numbers]
        slots.append(Slot(name, 1, onward=True))
    return slots


def choose_slot(
    rng: random.Random, fault: Fault, slots: Sequence[Slot], calls: Sequence[str]
) -> Slot | None:
    """Choose where a fault strikes; writes most often. None where it can strike nowhere.

    :param calls: the names of the calls that the action makes when nothing goes wrong, in order.
    """
    if fault.database:
        return Slot("", 1)
    if fault.onward:
        return _choose_start(rng, fault, calls)
    fitting = [slot for slot in slots if not fault.calls or slot.name in fault.calls]
    if fault.effect == LATE:
        # What only asks has no effect to be late.
        fitting = [slot for slot in fitting if BY_NAME[slot.name].is_write] or fitting
    if not fitting:
        return None
    weights = [6 if BY_NAME[slot.name].is_write else 1 for slot in fitting]
    return rng.choices(fitting, weights)[0]


def _choose_start(rng: random.Random, fault: Fault, calls: Sequence[str]) -> Slot | None:
    """Choose from which call on everything fails: a write, what comes right after it, or any."""
    if not calls:
        return None
    writes = [number for number, name in enumerate(calls, 1) if BY_NAME[name].is_write]
    if writes and fault.effect == LATE:
        return Slot("", rng.choice(writes), onward=True)
    if writes and rng.random() < 0.6:
        return Slot("", rng.choice(writes) + rng.randint(0, 1), onward=True)
    # One further than there are: what is asked because something went wrong comes after.
    return Slot("", rng.randint(1, len(calls) + 1), onward=True)
