"""The one client of the process."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from org_invitations import clients
from org_invitations.clients import forget_clients, get_client


@override_settings(
    CLERK_SECRET_KEY="sk_test_1",
    CLERK_API_URL="https://clerk.test/v1/",
    ORG_INVITATIONS_CONNECT_TIMEOUT=1.5,
    ORG_INVITATIONS_READ_TIMEOUT=2.5,
)
def test_the_client_is_what_the_settings_describe() -> None:
    client = get_client()
    assert client.api_url == "https://clerk.test"
    assert (client.connect_timeout, client.read_timeout) == (1.5, 2.5)


def test_all_threads_of_the_process_share_it() -> None:
    barrier = threading.Barrier(30)

    def ask(_: int) -> int:
        barrier.wait(5)
        return id(get_client())

    with ThreadPoolExecutor(30) as pool:
        assert set(pool.map(ask, range(30))) == {id(get_client())}


@pytest.mark.parametrize(
    "change",
    [
        {"CLERK_SECRET_KEY": "sk_test_other"},
        {"CLERK_API_URL": "https://other.test"},
        {"ORG_INVITATIONS_CONNECT_TIMEOUT": 1},
        {"ORG_INVITATIONS_READ_TIMEOUT": 1},
        {"ORG_INVITATIONS_MAX_WAITING": 1},
    ],
)
def test_other_settings_mean_another_client(change: dict[str, Any]) -> None:
    before = get_client()
    with override_settings(**change):
        assert get_client() is not before
    assert len(clients._clients) == 1  # what was built for others is not kept


@pytest.mark.parametrize("key", ["", None, "   "])
def test_without_a_key_the_site_is_told_which_setting_is_missing(key: Any) -> None:
    with override_settings(CLERK_SECRET_KEY=key), pytest.raises(ImproperlyConfigured) as caught:
        get_client()
    assert "CLERK_SECRET_KEY" in str(caught.value)


def test_a_forgotten_client_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    before = get_client()
    monkeypatch.setattr(before, "close", lambda: closed.append(before))
    forget_clients()
    assert closed == [before]
    assert get_client() is not before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_a_client_of_its_own_even_if_the_lock_was_held() -> None:
    before = id(get_client())
    keep = get_client()  # so that no other object gets its address
    with clients._lock:
        child = os.fork()
        if child == 0:  # pragma: no cover - another process
            signal.alarm(10)  # a child that waits for the lock must not wait for ever
            os._exit(0 if id(get_client()) != before else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert get_client() is keep
