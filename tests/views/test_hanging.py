"""While Clerk hangs: the app says so at once, sends nothing, and goes on when Clerk does."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from org_invitations.clerk.breaker import COOL_DOWN
from org_invitations.clerk.bulkhead import Bulkhead
from org_invitations.clients import get_client
from org_invitations.emulator import Emulator
from org_invitations.models import BatchItem
from org_invitations.testing import SignIn

from .conftest import INVITE, LIST, Browser, pending, text_of

NEW = {"email_addresses": "new@example.com", "role": "org:member"}


@pytest.fixture
def clerk(clerk_emulator: Emulator) -> Emulator:
    """One whose delays are not waited for: a call that takes too long is a time-out at once."""
    return clerk_emulator


@pytest.fixture
def ada(client: Any, clerk: Emulator, clerk_sign_in: SignIn) -> Browser:
    clerk_sign_in(client, "ada@acme.test", organization="acme")
    return Browser(client, clerk)


@pytest.fixture
def hangs(ada: Browser, clerk: Emulator) -> None:
    """Clerk has not answered for a while."""
    ada.warm()
    clerk.fault(times=None, hold=60)
    cache.clear()
    while not get_client().breaker.is_open("read"):
        assert ada.get().status_code == 503
    clerk.clear_requests()


def wait(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    breaker = get_client().breaker
    now = breaker._clock()
    monkeypatch.setattr(breaker, "_clock", lambda: now + seconds)


@pytest.mark.usefixtures("hangs")
@pytest.mark.parametrize("target", [None, "org-invitations-list"])
def test_the_list_says_so_at_once(ada: Browser, clerk: Emulator, target: str | None) -> None:
    response = ada.get(target=target)
    assert response.status_code == 503
    assert "Clerk does not answer, or too slowly, at the moment" in text_of(response)
    assert clerk.requests == []


@pytest.mark.usefixtures("hangs")
def test_nothing_is_sent_and_what_was_typed_comes_back(ada: Browser, clerk: Emulator) -> None:
    response = ada.post(INVITE, NEW)
    assert response.status_code == 503
    words = text_of(response)
    assert "Clerk does not answer at the moment, so it was not asked" in words
    assert "Nothing was changed" in words
    assert "new@example.com" in response.text
    assert clerk.requests == []
    assert not BatchItem.objects.exists()


@pytest.mark.usefixtures("hangs")
def test_a_handshake_is_not_asked_for_either(client: Any, clerk: Emulator) -> None:
    response = client.get(
        f"{LIST}?__clerk_handshake_nonce=made-up", headers={"Accept": "text/html"}
    )
    assert response.status_code < 500
    assert clerk.requests == []


@pytest.mark.usefixtures("hangs")
def test_keys_that_cannot_be_had_are_said_to_be_clerks_fault(
    ada: Browser, clerk: Emulator, settings: Any
) -> None:
    settings.CLERK_JWT_KEY = ""
    response = ada.get()
    assert response.status_code == 503
    assert "configuration" not in text_of(response)
    assert clerk.requests == []


@pytest.mark.usefixtures("hangs")
def test_it_goes_on_by_itself_once_clerk_answers(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk.faults.clear()
    assert ada.get().status_code == 503  # not asked yet
    wait(monkeypatch, COOL_DOWN)
    ada.get()  # of its calls one probes
    assert ada.get().status_code == 200
    assert "Invitation sent to new@example.com" in text_of(ada.htmx_invite("new@example.com"))
    assert "new@example.com" in pending(clerk)


def test_writes_that_hang_leave_the_list_readable(ada: Browser, clerk: Emulator) -> None:
    ada.warm()
    clerk.fault("POST", times=None, hold=60)
    for n in range(4):
        ada.htmx_invite(f"new{n}@example.com")
    acme = clerk.organization("acme").id
    assert get_client().breaker.is_open("write", acme)
    clerk.clear_requests()
    response = ada.htmx_invite("new@example.com")
    assert "so it was not asked. Nothing was changed." in text_of(response)
    assert not any(call.method == "POST" for call in clerk.requests)
    assert ada.get().status_code == 200


def test_who_finds_no_place_is_told_that_too_many_wait(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada.warm()
    full = Bulkhead(1, patience=0)
    full._free = 0
    monkeypatch.setattr("org_invitations.concurrency.get_bulkhead", lambda: full)
    monkeypatch.setattr(get_client(), "bulkhead", full)
    response = ada.post(INVITE, NEW)
    assert response.status_code == 503
    assert "Too many people wait for Clerk at the moment" in text_of(response)
    assert "new@example.com" in response.text
    assert clerk.requests == []
