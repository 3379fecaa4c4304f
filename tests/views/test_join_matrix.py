"""Every fault of Clerk's at every call that joining makes, and what is so and said afterwards.

There is no membership that no pending invitation stood for, nobody is left without one and without
being told, and what is said is so.
"""

from __future__ import annotations

from typing import Any

import pytest

from org_invitations.clients import forget_clients
from org_invitations.emulator import Emulator
from org_invitations.models import Joining
from org_invitations.testing import SignIn
from tests.views.conftest import text_of
from tests.views.joining import JOIN_URL, NORA, Invitee, invite, is_member, page_of, state_of

CALLS = (
    ("GET", "*/users/*"),
    ("GET", "*/organization_memberships"),
    ("GET", "*/users/*/organization_invitations"),
    ("GET", "*/organizations/org_*"),
    ("GET", "*/organization_roles"),
    ("GET", "*/organization_settings"),
    ("GET", "*/role_sets/*"),
    ("POST", "*/revoke"),
    ("GET", "*/invitations/orginv_*"),
    ("POST", "*/memberships"),
    ("GET", "*/organizations/*/memberships"),
)

#: Where one fault follows another: the second half, or looking at what became of the first.
PAIRS = (
    (("POST", "*/revoke"), ("GET", "*/invitations/orginv_*")),
    (("POST", "*/memberships"), ("GET", "*/organizations/*/memberships")),
    (("POST", "*/memberships"), ("POST", "*/invitations")),
)

STATUSES = (400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504)
FAULTS: tuple[dict[str, Any], ...] = (
    *({"status": status} for status in STATUSES),
    *({"status": status, "write": True} for status in (500, 502, 503, 504)),
    {"drop": "before"},
    {"drop": "after"},
    {"late": True},
    {"late": True, "status": 504},
    *({"garbage": kind} for kind in ("html", "truncated", "invalid-json", "wrong-json", "empty")),
    {"remove": ["id"]},
    {"replace": {"status": "pending"}},
    {"replace": {"id": "orginv_other"}},
)

CELLS = [
    *(((call,), fault, times) for call in CALLS for fault in FAULTS for times in (1, 2, None)),
    *((pair, fault, 2) for pair in PAIRS for fault in FAULTS),
]

#: Sentences that say that nothing came of it.
NOTHING = "othing was changed"


@pytest.fixture(autouse=True)
def _mounted(settings: Any, clerk: Emulator, no_pause: None) -> None:
    settings.ORG_INVITATIONS_JOIN_URL = JOIN_URL


def play(clerk: Emulator, clerk_sign_in: SignIn, cell: Any) -> None:
    calls, fault, times = cell
    clerk.reset()
    forget_clients()  # with what they know of faults before
    Joining.objects.all().delete()
    clerk.configure(rate_limits=False)
    invitee = Invitee(clerk, clerk_sign_in)
    invitee.sign_in(NORA)
    row = invite(clerk, inviter="ada@acme.test", role="org:billing", private_metadata={"a": 1})
    url = page_of(row)
    page = invitee.open(url)
    assert state_of(page) == "join"
    for method, path in calls:
        clerk.fault(method, path, times=times, **fault)
    answer = invitee.press(page, "join")
    said = text_of(answer)
    if "You have joined" in said:
        assert is_member(clerk), said
    if NOTHING in said:
        assert (row.state, is_member(clerk)) == ("pending", False), said
    check(clerk, row)
    clerk.finish_late()
    clerk.faults.clear()
    forget_clients()
    if NOTHING in said:
        assert (row.state, is_member(clerk)) == ("pending", False), said
    check(clerk, row)
    for _ in range(2):
        page = invitee.open(url)
        if state_of(page) != "join":
            break
        page = invitee.press(page, "join")
        check(clerk, row)
    if state_of(page) == "joined":
        assert is_member(clerk)
        member = clerk.state.membership(row.organization_id, clerk.user(NORA).id)
        assert member is not None
        assert member.role == row.role
    else:
        assert state_of(page) == "gone", text_of(page)
        assert not is_member(clerk)
        assert "could not be finished" in text_of(invitee.open(url))
        assert Joining.objects.filter(state__in=Joining.OPEN).count() == 1


def check(clerk: Emulator, row: Any) -> None:
    """Nobody is a member beside a pending invitation, and nobody is one twice."""
    nora = clerk.user(NORA).id
    memberships = [m for m in clerk.state.memberships if m.user_id == nora]
    assert len(memberships) <= 1
    if memberships:
        assert row.state in ("revoked", "accepted")


def name_of(cell: Any) -> str:
    calls, fault, times = cell
    return f"{' '.join(path for _, path in calls)} {fault} times={times}"


def test_some_faults(clerk: Emulator, clerk_sign_in: SignIn, subtests: pytest.Subtests) -> None:
    for cell in CELLS[::59]:
        with subtests.test(cell=name_of(cell)):
            play(clerk, clerk_sign_in, cell)


@pytest.mark.exhaustive
def test_every_fault(clerk: Emulator, clerk_sign_in: SignIn, subtests: pytest.Subtests) -> None:
    for cell in CELLS:
        with subtests.test(cell=name_of(cell)):
            play(clerk, clerk_sign_in, cell)
