"""What is remembered of Clerk, under which keys."""

from __future__ import annotations

import socket
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import InvalidCacheBackendError, cache, caches
from django.core.cache.backends.locmem import LocMemCache
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from org_invitations.caching import (
    PAUSE_SECONDS,
    InstanceCache,
    SiteCache,
    forget_failures,
)
from org_invitations.emulator import Emulator

from .broken_cache import BrokenCache
from .views.conftest import Browser, ada, clerk, sign_in, text_of

__all__ = ["ada", "clerk", "sign_in"]  # fixtures

SECRET = "sk_test_V3ryS3cret"


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All keys that the cache was asked for, set or deleted under."""
    seen: list[str] = []
    real = LocMemCache.make_and_validate_key

    def spy(self: Any, key: str, version: Any = None) -> str:
        seen.append(key)
        return str(real(self, key, version=version))

    monkeypatch.setattr(LocMemCache, "make_and_validate_key", spy)
    return seen


def test_what_is_set_is_found_under_its_own_name() -> None:
    InstanceCache().set("a", 1, 60)
    InstanceCache().set("b", None, 60)
    assert InstanceCache().get_many(["a", "b", "c"]) == {"a": 1, "b": None}


def test_what_is_deleted_is_forgotten() -> None:
    InstanceCache().set("a", 1, 60)
    InstanceCache().delete("a")
    assert InstanceCache().get_many(["a"]) == {}


def test_what_was_asked_before_something_changed_is_not_remembered_after_it() -> None:
    cache, answers = InstanceCache(), iter([1, 2, 3])

    def ask_meanwhile() -> int:
        found = next(answers)
        if found == 1:
            InstanceCache().forget("a")  # by another process, while this one waits for the answer
        return found

    assert [cache.remember("a", ask_meanwhile, 60) for _ in range(3)] == [1, 2, 2]
    cache.forget("a")
    assert cache.remember("a", ask_meanwhile, 60) == 3


@pytest.mark.parametrize("seconds", [0, -1])
def test_what_may_live_for_no_seconds_is_not_remembered(seconds: int) -> None:
    InstanceCache().set("a", 1, seconds)
    assert InstanceCache().get_many(["a"]) == {}


def test_several_entries_cost_one_round_to_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = []
    real = LocMemCache.get_many

    def spy(self: Any, keys: Any, version: Any = None) -> Any:
        rounds.append(list(keys))
        return real(self, keys, version=version)

    monkeypatch.setattr(LocMemCache, "get_many", spy)
    InstanceCache().get_many(["a", "b", "c"])
    assert [len(names) for names in rounds] == [3]


@pytest.mark.parametrize(
    "other",
    [{"CLERK_SECRET_KEY": "sk_test_other"}, {"CLERK_API_URL": "https://api.other.test"}],
    ids=["another key", "another address"],
)
def test_two_instances_never_see_each_others_entries(other: dict[str, str]) -> None:
    InstanceCache().set("a", "first", 60)
    with override_settings(**other):
        assert InstanceCache().get_many(["a"]) == {}
        InstanceCache().set("a", "second", 60)
        InstanceCache().delete("b")
    assert InstanceCache().get_many(["a"]) == {"a": "first"}


@override_settings(CLERK_SECRET_KEY=SECRET)
def test_the_secret_key_is_in_no_cache_key(keys: list[str]) -> None:
    InstanceCache().set("membership:org_1:user_1", 1, 60)
    InstanceCache().get_many(["membership:org_1:user_1"])
    InstanceCache().delete("membership:org_1:user_1")
    assert len(keys) >= 3
    for key in keys:
        assert key.startswith("org_invitations:")
        assert SECRET not in key
        assert "V3ryS3cret" not in key


@given(st.text(max_size=400))
def test_no_name_makes_a_key_that_a_cache_refuses(name: str) -> None:
    # The warning about keys that memcached refuses is an error in these tests.
    InstanceCache().set(f"slug:{name}", 1, 60)
    assert InstanceCache().get_many([f"slug:{name}"]) == {f"slug:{name}": 1}


@override_settings(
    CACHES={
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        "other": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "other"},
    },
    ORG_INVITATIONS_CACHE_ALIAS="other",
)
def test_the_site_chooses_the_cache() -> None:
    InstanceCache().set("a", 1, 60)
    assert InstanceCache().get_many(["a"]) == {"a": 1}
    cache.clear()
    assert InstanceCache().get_many(["a"]) == {"a": 1}
    caches["other"].clear()


# --- A cache that is down ------------------------------------------------------------------------

BROKEN = {"default": {"BACKEND": "tests.broken_cache.BrokenCache"}}


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still: its only element is the moment, in seconds."""
    moment = [1000.0]
    monkeypatch.setattr("org_invitations.caching.time.monotonic", lambda: moment[0])
    return moment


@override_settings(CACHES=BROKEN)
def test_a_cache_that_is_down_remembers_nothing_and_raises_nothing() -> None:
    for operation in (
        lambda cache: cache.get("a", 7) == 7,
        lambda cache: cache.get_many(["a"]) == {},
        lambda cache: cache.set("a", 1, 60) is None,
        lambda cache: cache.add("a", 1, 60) is True,
        lambda cache: cache.delete("a") is None,
    ):
        forget_failures()
        assert operation(SiteCache())
        assert operation(SiteCache())  # and while it is left alone


@override_settings(CACHES=BROKEN)
def test_a_cache_that_is_down_is_told_once_a_minute(
    now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(59):
        SiteCache().get("a")
        now[0] += 1
    assert caplog.text.count("The cache 'default' does not work") == 1
    now[0] += 2
    SiteCache().get("a")
    assert caplog.text.count("The cache 'default' does not work") == 2


@override_settings(CACHES=BROKEN)
def test_a_cache_that_failed_is_left_alone_for_a_moment(
    now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BrokenCache, "tried", 0)
    for _ in range(5):
        SiteCache().get("a")
        SiteCache().set("a", 1, 60)
    assert BrokenCache.tried == 1
    SiteCache().delete("a")  # what is to be forgotten must not come back with the cache
    assert BrokenCache.tried == 2
    now[0] += PAUSE_SECONDS
    SiteCache().get("a")
    assert BrokenCache.tried == 3


def test_a_cache_that_is_back_is_used_again(
    now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as outage:
        outage.setattr(LocMemCache, "get", BrokenCache._fail)
        SiteCache().get("a")
    SiteCache().set("a", 1, 60)
    assert SiteCache().get("a") is None
    now[0] += PAUSE_SECONDS
    SiteCache().set("a", 1, 60)
    assert SiteCache().get("a") == 1


def test_a_cache_that_is_not_configured_is_a_mistake_and_no_outage() -> None:
    with pytest.raises(InvalidCacheBackendError):
        SiteCache("nobody-configured-it").get("a")


def _closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _redis_where_nothing_listens() -> dict[str, Any]:
    pytest.importorskip("redis", reason="Django's Redis cache needs the package redis")
    backend = "django.core.cache.backends.redis.RedisCache"
    return {"default": {"BACKEND": backend, "LOCATION": f"redis://127.0.0.1:{_closed_port()}"}}


no_cache = pytest.mark.parametrize(
    "get_caches",
    [lambda: BROKEN, _redis_where_nothing_listens],
    ids=["raises on everything", "Redis, where nothing listens"],
)


@no_cache
def test_no_page_needs_a_cache(ada: Browser, clerk: Emulator, get_caches: Any) -> None:
    with override_settings(CACHES=get_caches(), CLERK_JWT_KEY=""):
        _visit_all_pages(ada, clerk)


def _visit_all_pages(ada: Browser, clerk: Emulator) -> None:
    clerk.configure(rate_limits=False)
    row, other, third = clerk.invitations("acme", "pending")[:3]
    assert ada.get().status_code == 200
    assert ada.get("/invitations/organizations/acme/").status_code == 200
    assert ada.get("/invitations/organizations/nobodys/").status_code == 404
    assert ada.get("/invitations/export/").status_code == 200
    assert "sent to new@example.com" in text_of(ada.htmx_invite("new@example.com"))
    many = {"email_addresses": "a@example.com, b@example.com", "role": "org:member"}
    assert "2 will be sent" in text_of(ada.post("/invitations/check/", many))
    assert ada.get(f"/invitations/{row.id}/revoke/").status_code == 200
    listed = {"target": "org-invitations-list"}
    assert "revoked" in text_of(ada.post(f"/invitations/{row.id}/revoke/", **listed))
    again = {"role": "org:admin", "confirm_elevated": "on"}
    assert "New invitation" in text_of(
        ada.post(f"/invitations/{other.id}/resend/", again, **listed)
    )
    chosen = {"action": "revoke", "selected": [third.id], "batch": str(uuid4()), "confirmed": "1"}
    assert ada.get(ada.post("/invitations/selected/", chosen).url).status_code == 200
    clerk.fault("POST", "*/invitations", status=429, headers={"Retry-After": "90"})
    assert ada.htmx_invite("late@example.com").status_code == 429


@no_cache
def test_without_a_cache_made_up_keys_are_no_way_to_make_the_site_call(
    ada: Browser, clerk: Emulator, sign_in: Any, get_caches: Any
) -> None:
    stranger = sign_in("ada@acme.test", "acme", header={"kid": "ins_made_up"})
    with override_settings(CACHES=get_caches(), CLERK_JWT_KEY=""):
        assert ada.get().status_code == 200
        clerk.clear_requests()
        for _ in range(5):
            assert stranger.get().status_code != 500
    assert len([call for call in clerk.requests if call.path == "/v1/jwks"]) <= 1
