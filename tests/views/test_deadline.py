"""However slow Clerk is: a request ends in time, and says what is so. Nobody waits for the time."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client

from org_invitations import concurrency, testing
from org_invitations.addresses import parse_text
from org_invitations.clerk import Deadline
from org_invitations.clerk.deadline import NEVER, get_deadline
from org_invitations.emulator import Emulator
from org_invitations.identity import Identity
from org_invitations.models import Batch, BatchItem
from org_invitations.testing import SignIn
from org_invitations.views import InvitationListView
from org_invitations.views.preview import fingerprint_of

from .conftest import INVITE, LIST, Browser, calls, pending, text_of

State = BatchItem.State

#: What a request has, in seconds, and the margin for a last call that began before the end.
SECONDS = 25.0

CREATE = "/v1/organizations/*/invitations"
REVOKE = "*/revoke"


class Clock:
    """Passes by as much as Clerk takes, and nothing else takes any time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(testing, "_pass_time", clock.pass_by)
    # The worst case: no other thread is free, so calls that could be made at the same time add up.
    monkeypatch.setattr(concurrency, "_free", threading.Semaphore(0))
    return clock


@pytest.fixture
def ada(client: Client, clerk_emulator: Emulator, clerk_sign_in: SignIn) -> Browser:
    clerk_sign_in(client, "ada@acme.test", organization="acme")
    return Browser(client, clerk_emulator)


@pytest.fixture
def clerk(clerk_emulator: Emulator) -> Emulator:
    return clerk_emulator


@pytest.fixture
def ids(clerk: Emulator) -> list[str]:
    rows = [clerk.add_invitation("acme", f"p{n}@example.com", notify=False) for n in range(14)]
    return [row.id for row in rows]


@pytest.fixture
def in_time(clock: Clock) -> Iterator[Any]:
    """A function that sends a request, which must be done in time."""

    def send(method: Any, *args: Any, **kwargs: Any) -> Any:
        began = clock.now
        with Deadline(SECONDS, clock=clock):
            response = method(*args, **kwargs)
        assert clock.now - began <= SECONDS
        return response

    yield send
    assert get_deadline() is NEVER


def select(ids: list[str], action: str) -> dict[str, Any]:
    confirmed = {"confirmed": "1", "confirm_elevated": "on", "batch": str(uuid4())}
    return {"action": action, "selected": ids, **confirmed}


def living(clerk: Emulator) -> int:
    """How many of those that a test is about have a pending invitation, each once."""
    found = [address for address in pending(clerk) if re.fullmatch(r"p\d+@example.com", address)]
    assert len(found) == len(set(found))
    return len(found)


def states() -> list[str]:
    return list(BatchItem.objects.order_by("number").values_list("state", flat=True))


def writes(clerk: Emulator) -> int:
    return sum(call.method == "POST" for call in clerk.requests)


@pytest.mark.parametrize(
    "seconds",
    [
        0.2,
        pytest.param(1, marks=pytest.mark.exhaustive),
        pytest.param(2, marks=pytest.mark.exhaustive),
        4,
    ],
)
def test_many_resends_stop_in_time_and_nobody_is_left_without_an_invitation(
    ada: Browser, clerk: Emulator, ids: list[str], in_time: Any, seconds: float
) -> None:
    clerk.fault("POST", times=None, delay=seconds)
    fields = select(ids, "resend")
    response = in_time(ada.post, "/invitations/selected/", fields)
    done = states().count(State.DONE)
    assert states() == [State.DONE] * done + [State.WAITING] * (14 - done)
    assert done >= 1
    assert done == 14 or seconds > 0.2
    assert living(clerk) == 14
    words = text_of(ada.get(response["Location"]))
    if done < 14:
        assert f"{14 - done} waiting" in words
        assert "What is waiting can go now." in words

    # Each press goes on, until nothing waits.
    presses = 0
    while State.WAITING in states():
        before = states().count(State.WAITING)
        clerk.clock.advance(10)  # for Clerk's limit
        go_on = {"continue": "1", "batch": fields["batch"]}
        again = in_time(ada.post, "/invitations/selected/", go_on)
        assert again.status_code == 303, text_of(again)
        assert states().count(State.WAITING) < before
        presses += 1
    assert states() == [State.DONE] * 14
    assert presses <= 13


@pytest.mark.parametrize("action", ["resend", "revoke"])
def test_where_every_call_is_too_slow_nothing_is_begun_that_cannot_be_finished(
    ada: Browser, clerk: Emulator, ids: list[str], in_time: Any, action: str
) -> None:
    fields = select(ids[:6], action)
    clerk.fault(times=None, delay=9)
    in_time(ada.post, "/invitations/selected/", fields)
    clerk.faults.clear()
    assert living(clerk) == 14  # nothing was revoked
    assert State.HALF_DONE not in states()


@pytest.mark.parametrize("seconds", [2, 4, 5.9])
def test_a_slow_check_of_each_leaves_the_resends_waiting(
    ada: Browser, clerk: Emulator, ids: list[str], in_time: Any, seconds: float
) -> None:
    fields = select(ids[:6], "resend")
    ada.warm()
    clerk.fault("GET", "*/invitations/orginv_*", times=None, delay=seconds)
    in_time(ada.post, "/invitations/selected/", fields)
    assert set(states()) == {State.WAITING}
    assert writes(clerk) == 0


def test_revoking_many_stops_in_time(
    ada: Browser, clerk: Emulator, ids: list[str], in_time: Any
) -> None:
    clerk.fault("POST", REVOKE, times=None, delay=4)
    fields = select(ids, "revoke")
    response = in_time(ada.post, "/invitations/selected/", fields)
    done = states().count(State.DONE)
    assert states() == [State.DONE] * done + [State.WAITING] * (14 - done)
    assert 1 <= done < 14
    assert living(clerk) == 14 - done
    assert f"{14 - done} waiting" in text_of(ada.get(response["Location"]))


@pytest.mark.parametrize("seconds", [4, 5.9, 9])
def test_one_invitation_is_answered_in_time(
    ada: Browser, clerk: Emulator, in_time: Any, seconds: float
) -> None:
    ada.warm()
    clerk.fault(times=None, delay=seconds)
    new = {"email_addresses": "new@example.com", "role": "org:member"}
    response = in_time(ada.post, INVITE, new, target="org-invitations-form")
    if seconds < 6:
        assert "Invitation sent to new@example.com" in text_of(response)
        assert "new@example.com" in pending(clerk)
    else:
        assert response.status_code == 503
        assert "Invitation sent" not in text_of(response)


def test_an_invitation_that_there_is_no_time_for_is_not_sent_and_that_is_said(
    ada: Browser, clerk: Emulator, in_time: Any, clock: Clock
) -> None:
    ada.warm()
    clerk.fault("GET", times=None, delay=5.9)
    cache.clear()  # so nothing is remembered
    new = {"email_addresses": "new@example.com", "role": "org:member"}
    response = in_time(ada.post, INVITE, new)
    assert response.status_code == 503
    assert writes(clerk) == 0
    assert "new@example.com" not in pending(clerk)
    assert "new@example.com" in response.text  # as it was typed


def test_what_became_of_a_lost_write_is_still_looked_up(
    ada: Browser, clerk: Emulator, in_time: Any
) -> None:
    """The write used all that it may; what is kept for looking is enough to tell the truth."""
    ada.warm()
    clerk.fault("GET", "*/memberships", delay=5.5)
    clerk.fault("POST", CREATE, delay=9)  # it took effect, and its answer comes too late
    clerk.fault("GET", CREATE, times=None, delay=2)
    new = {"email_addresses": "new@example.com", "role": "org:member"}
    response = in_time(ada.post, INVITE, new, target="org-invitations-form")
    assert "Invitation sent to new@example.com" in text_of(response)


@pytest.mark.parametrize("seconds", [5.9, 9])
def test_a_check_of_many_is_answered_in_time(
    ada: Browser, clerk: Emulator, in_time: Any, seconds: float
) -> None:
    clerk.fault(times=None, delay=seconds)
    many = " ".join(f"p{n}@example.com" for n in range(200))
    typed = {"email_addresses": many, "role": "org:member"}
    response = in_time(ada.post, "/invitations/check/", typed, target="org-invitations-check")
    assert response.status_code in (200, 503)


@pytest.mark.parametrize("seconds", [1, 5.9, 9])
def test_the_list_is_answered_in_time(
    ada: Browser, clerk: Emulator, in_time: Any, seconds: float
) -> None:
    clerk.fault(times=None, delay=seconds)
    response = in_time(ada.get)
    assert response.status_code == (200 if seconds == 1 else response.status_code)


def test_sending_many_stops_in_time_and_the_rest_waits(
    ada: Browser, clerk: Emulator, in_time: Any
) -> None:
    addresses = "\n".join(f"p{n}@example.com" for n in range(60))
    clerk.configure(organizations={"acme": {"max_allowed_memberships": 0}})
    clerk.fault("POST", "*/bulk", times=None, delay=5)
    reviewed = fingerprint_of(parse_text(addresses))
    form = {"email_addresses": addresses, "role": "org:member", "reviewed": reviewed}
    in_time(ada.post, INVITE, {**form, "batch": str(uuid4())})
    assert states() == [State.DONE] * 30 + [State.WAITING] * 30
    assert living(clerk) == 30


# --- Where it begins -----------------------------------------------------------------------------


def test_a_request_has_the_time_of_the_setting_and_its_end_is_forgotten(
    ada: Browser, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    get = InvitationListView.get

    def look(self: InvitationListView, *args: Any, **kwargs: Any) -> Any:
        seen.append(get_deadline().seconds)
        return get(self, *args, **kwargs)

    monkeypatch.setattr(InvitationListView, "get", look)
    ada.get()
    settings.ORG_INVITATIONS_REQUEST_SECONDS = 7
    ada.get()
    assert seen == [25, 7]
    assert get_deadline() is NEVER


def test_what_the_session_asks_of_clerk_counts(
    ada: Browser, clerk: Emulator, settings: Any, in_time: Any, clock: Clock
) -> None:
    settings.CLERK_JWT_KEY = ""
    clerk.fault("GET", "*/jwks", delay=5)
    in_time(ada.get)
    assert clock.now == 5
    assert calls(clerk)[0] == "GET jwks"


def test_a_site_that_knows_who_asks_has_the_same_limit(
    client: Client, clerk: Emulator, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no middleware of the app's then: the view begins it."""
    user, acme = clerk.user("ada@acme.test").id, clerk.organization("acme").id
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "ClerkSession" not in name]
    settings.ORG_INVITATIONS_IDENTITY = lambda request: Identity(user, acme)
    seen = []
    handle = clerk.handle

    def look(*args: Any, **kwargs: Any) -> Any:
        seen.append(get_deadline().seconds)
        return handle(*args, **kwargs)

    monkeypatch.setattr(clerk, "handle", look)
    assert client.get(LIST).status_code == 200
    assert set(seen) == {25}
    assert len(seen) > 1  # other threads, too
    assert Batch.objects.count() == 0
