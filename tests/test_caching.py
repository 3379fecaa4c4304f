"""What is remembered of Clerk, under which keys."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache, caches
from django.core.cache.backends.locmem import LocMemCache
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from org_invitations.caching import InstanceCache, get_cache

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
    assert get_cache() is caches["other"]
    InstanceCache().set("a", 1, 60)
    assert InstanceCache().get_many(["a"]) == {"a": 1}
    cache.clear()
    assert InstanceCache().get_many(["a"]) == {"a": 1}
    caches["other"].clear()


@pytest.mark.parametrize("operation", ["get_many", "set", "delete"])
def test_a_cache_that_is_down_is_as_good_as_none(
    operation: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(*args: object, **kwargs: object) -> None:
        raise OSError("no route to the cache")

    cache = InstanceCache()
    monkeypatch.setattr(type(get_cache()), operation, down)
    assert cache.get_many(["a"]) == {}
    cache.set("a", 1, 60)
    cache.delete("a")
    assert "The cache does not work" in caplog.text
