"""Public keys: one PEM, or a key set that is fetched as seldom as can be."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest

from org_invitations.clerk.bulkhead import Bulkhead
from org_invitations.clerk.deadline import Deadline
from org_invitations.clerk.exceptions import (
    APIError,
    BulkheadFull,
    ClerkError,
    ErrorDetail,
    TransportError,
)
from org_invitations.clerk.session import reasons
from org_invitations.clerk.session.keys import PemKeys, RemoteKeys
from org_invitations.clerk.session.tokens import TokenError, TokenVerifier
from tests.clerk.signing import NOW, jwk, pem, sign, token
from tests.gates import WATCHDOG


class FakeCache(dict[str, Any]):
    """A cache with the clock of the test; shared by the processes that are played."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def get(self, key: str, default: Any = None) -> Any:
        value, until = super().get(key, (default, float("inf")))
        return value if until > self.clock() else default

    def set(self, key: str, value: Any, timeout: float | None = None) -> None:
        self[key] = (value, self.clock() + timeout if timeout is not None else float("inf"))

    def add(self, key: str, value: Any, timeout: float | None = None) -> bool:
        if self.get(key) is not None:
            return False
        self.set(key, value, timeout)
        return True


class Clock:
    now = float(NOW)

    def __call__(self) -> float:
        return self.now


class Clerk:
    """The Backend API: what it answers, and how often it was asked."""

    def __init__(self, *entries: dict[str, Any]) -> None:
        self.answer: dict[str, Any] | ClerkError = {"keys": list(entries)}
        self.asked = 0

    def __call__(self) -> Mapping[str, Any]:
        self.asked += 1
        if isinstance(self.answer, ClerkError):
            raise self.answer
        return self.answer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> FakeCache:
    return FakeCache(clock)


@pytest.fixture
def clerk() -> Clerk:
    return Clerk(jwk())


@pytest.fixture
def keys(clerk: Clerk, cache: FakeCache, clock: Clock) -> RemoteKeys:
    return RemoteKeys(clerk, cache, "https://api.clerk.com", "sk_1", clock=clock)


def reason(keys: RemoteKeys, kid: str) -> str | None:
    try:
        keys.get_key(kid)
    except TokenError as error:
        return error.reason
    return None


def test_a_pem_is_read_in_every_form_it_comes_in(subtests: pytest.Subtests) -> None:
    for text in [
        pem(),
        pem().replace("\n", ""),
        pem().replace("\n", "\r\n"),
        "".join(pem().splitlines()[1:-1]),
    ]:
        with subtests.test(text=text):
            verifier = TokenVerifier(PemKeys(text), "clerk.example.com", (), lambda: NOW)
            assert verifier.verify(token())


def test_a_warm_key_costs_neither_clerk_nor_the_cache(
    keys: RemoteKeys, clerk: Clerk, cache: FakeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = keys.get_key("ins_test")
    monkeypatch.setattr(cache, "get", None)
    assert keys.get_key("ins_test") is first
    assert clerk.asked == 1


def test_the_set_lives_for_five_minutes(keys: RemoteKeys, clerk: Clerk, clock: Clock) -> None:
    keys.get_key("ins_test")
    clock.now += 299
    keys.get_key("ins_test")
    assert clerk.asked == 1
    clock.now += 1
    keys.get_key("ins_test")
    assert clerk.asked == 2


def test_a_clock_put_back_does_not_keep_a_set_for_ever(
    keys: RemoteKeys, clerk: Clerk, clock: Clock
) -> None:
    keys.get_key("ins_test")
    clock.now -= 10_000
    keys.get_key("ins_test")
    assert clerk.asked == 2


def test_another_process_takes_the_set_from_the_cache(
    keys: RemoteKeys, clerk: Clerk, cache: FakeCache, clock: Clock
) -> None:
    keys.get_key("ins_test")
    other = RemoteKeys(clerk, cache, "https://api.clerk.com", "sk_1", clock=clock)
    assert reason(other, "ins_test") is None
    assert clerk.asked == 1


@pytest.mark.parametrize(
    "scope", [("https://api.clerk.com", "sk_2"), ("http://localhost:8900", "sk_1")]
)
def test_two_instances_never_share_keys(
    scope: tuple[str, str], keys: RemoteKeys, cache: FakeCache, clock: Clock
) -> None:
    keys.get_key("ins_test")
    clerk = Clerk(jwk("theirs", "ins_other"))
    other = RemoteKeys(clerk, cache, *scope, clock=clock)
    assert reason(other, "ins_test") == reasons.JWK_KID_MISMATCH
    assert clerk.asked == 1


def test_the_cache_holds_no_secret(keys: RemoteKeys, cache: FakeCache) -> None:
    keys.get_key("ins_test")
    assert cache
    assert "sk_1" not in repr(dict(cache))


def test_many_threads_fetch_once(clerk: Clerk, cache: FakeCache, clock: Clock) -> None:
    def slow() -> Mapping[str, Any]:
        time.sleep(0.05)
        return clerk()

    keys = RemoteKeys(slow, cache, "scope", clock=clock)
    results: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: results.append(reason(keys, "ins_test"))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [None] * 16
    assert clerk.asked == 1


def test_an_unknown_key_is_fetched_for_once_and_then_remembered(
    keys: RemoteKeys, clerk: Clerk, clock: Clock
) -> None:
    # differences.KEYS_REMEMBERED
    keys.get_key("ins_test")
    clock.now += 11
    for _ in range(5):
        assert reason(keys, "ins_made_up") == reasons.JWK_KID_MISMATCH
        clock.now += 11
    assert clerk.asked == 2
    clock.now += 11
    assert reason(keys, "ins_made_up") == reasons.JWK_KID_MISMATCH
    assert clerk.asked == 3


def test_any_number_of_unknown_keys_are_few_fetches(
    keys: RemoteKeys, clerk: Clerk, clock: Clock
) -> None:
    keys.get_key("ins_test")
    for number in range(1000):
        clock.now += 0.1
        assert reason(keys, f"ins_{number}") == reasons.JWK_KID_MISMATCH
    assert clerk.asked <= 11


def test_a_rotated_key_is_picked_up(keys: RemoteKeys, clerk: Clerk, clock: Clock) -> None:
    keys.get_key("ins_test")
    clock.now += 11
    clerk.answer = {"keys": [jwk(), jwk("new", "ins_new")]}
    verifier = TokenVerifier(keys, "clerk.example.com", (), clock)
    assert verifier.verify(token(key="new", header={"kid": "ins_new"}, exp=NOW + 99))
    assert clerk.asked == 2


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (TransportError("no answer"), reasons.REMOTE_JWK_FAILED_TO_LOAD),
        (APIError(status=500), reasons.REMOTE_JWK_FAILED_TO_LOAD),
        (
            APIError(status=401, errors=(ErrorDetail("clerk_key_invalid"),)),
            reasons.SECRET_KEY_INVALID,
        ),
        ({"keys": []}, reasons.REMOTE_JWK_FAILED_TO_LOAD),
        ({}, reasons.REMOTE_JWK_FAILED_TO_LOAD),
        ({"keys": [{"n": "x"}, None, {"kid": 1}]}, reasons.REMOTE_JWK_FAILED_TO_LOAD),
    ],
)
def test_a_failing_fetch_has_clerks_reason_and_is_not_repeated_at_once(
    answer: Any, expected: str, keys: RemoteKeys, clerk: Clerk, clock: Clock
) -> None:
    clerk.answer = answer
    assert reason(keys, "ins_test") == reason(keys, "ins_test") == expected
    assert clerk.asked == 1
    clerk.answer = {"keys": [jwk()]}
    clock.now += 5
    assert reason(keys, "ins_test") is None


def test_an_old_set_goes_on_for_an_hour_while_clerk_does_not_answer(
    keys: RemoteKeys, clerk: Clerk, clock: Clock
) -> None:
    keys.get_key("ins_test")
    clerk.answer = TransportError("no answer")
    clock.now += 3599
    assert reason(keys, "ins_test") is None
    assert reason(keys, "ins_other") == reasons.REMOTE_JWK_FAILED_TO_LOAD
    assert clerk.asked == 2
    clock.now += 1
    assert reason(keys, "ins_test") == reasons.REMOTE_JWK_FAILED_TO_LOAD


@pytest.mark.parametrize(
    "entry",
    [
        jwk(alg="RS512"),
        jwk(use="enc"),
        jwk(kty="EC"),
        {"kid": "ins_test", "kty": "RSA", "n": "!", "e": "AQAB"},
        {"kid": "ins_test", "kty": "oct", "k": "c2VjcmV0"},
    ],
    ids=["another algorithm", "for encryption", "another type", "unreadable", "a shared secret"],
)
def test_an_entry_that_does_not_fit_verifies_nothing(
    entry: dict[str, Any], cache: FakeCache, clock: Clock
) -> None:
    keys = RemoteKeys(Clerk(entry), cache, "scope", clock=clock)
    with pytest.raises(TokenError) as caught:
        TokenVerifier(keys, "clerk.example.com", (), clock).verify(token())
    assert caught.value.reason == reasons.TOKEN_VERIFICATION_FAILED


def test_an_entry_without_algorithm_takes_all_three(cache: FakeCache, clock: Clock) -> None:
    entry = jwk()
    del entry["alg"]
    keys = RemoteKeys(Clerk(entry), cache, "scope", clock=clock)
    verifier = TokenVerifier(keys, "clerk.example.com", (), clock)
    for algorithm in ("RS256", "RS384", "RS512"):
        payload = {"sub": "user_1", "sid": "sess_1", "exp": NOW + 9}
        assert verifier.verify(sign(payload, algorithm=algorithm)) == payload


def test_a_private_part_in_the_answer_is_not_kept(cache: FakeCache, clock: Clock) -> None:
    RemoteKeys(Clerk(jwk(d="private")), cache, "scope", clock=clock).get_key("ins_test")
    assert "private" not in repr(dict(cache))


# --- A Clerk that hangs --------------------------------------------------------------------


class HangingClerk(Clerk):
    """Takes ten seconds of the test's clock to fail, and real time until it is let go."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.asking = threading.Event()
        self.release = threading.Event()
        self.failed = False

    def __call__(self) -> Mapping[str, Any]:
        self.asked += 1
        self.asking.set()
        self.release.wait(10)  # a test that waits for this one has failed
        self.failed = True
        self.clock.now += 10
        raise TransportError("no answer in time")


def test_a_failure_counts_from_its_end_so_a_queue_of_threads_asks_once(
    cache: FakeCache, clock: Clock
) -> None:
    clerk = HangingClerk(clock)
    keys = RemoteKeys(clerk, cache, "here", clock=clock)
    threads = [threading.Thread(target=reason, args=(keys, "ins_test")) for _ in range(8)]
    for thread in threads:
        thread.start()
    clerk.asking.wait(WATCHDOG)
    clerk.release.set()
    for thread in threads:
        thread.join(WATCHDOG)
    assert clerk.asked == 1


def test_nobody_waits_for_clerk_while_a_key_that_was_good_is_at_hand(
    cache: FakeCache, clock: Clock, clerk: Clerk
) -> None:
    keys = RemoteKeys(clerk, cache, "here", clock=clock)
    good = keys.get_key("ins_test")
    clock.now += 301
    cache.clear()
    hanging = HangingClerk(clock)
    keys._fetch = hanging
    first = threading.Thread(target=keys.get_key, args=("ins_test",))
    first.start()
    hanging.asking.wait(WATCHDOG)
    assert keys.get_key("ins_test") == good
    assert not hanging.failed  # else it was waited for
    hanging.release.set()
    first.join(WATCHDOG)


def test_who_waits_for_another_threads_fetch_needs_a_place_and_time(
    cache: FakeCache, clock: Clock
) -> None:
    """Thirty requests at once, while Clerk hangs: one fetches, and not all others may wait."""
    clerk = HangingClerk(clock)
    bulkhead = Bulkhead(2, patience=0)
    keys = RemoteKeys(clerk, cache, "here", clock=clock, place=bulkhead.place)
    first = threading.Thread(target=reason, args=(keys, "ins_test"))
    first.start()
    assert clerk.asking.wait(5)
    with Deadline(0.01):  # a place, but no time
        assert reason(keys, "ins_test") == "jwk-remote-failed-to-load"
    with ThreadPoolExecutor(1) as pool, bulkhead.place():  # time, but no place
        late = pool.submit(reason, keys, "ins_test")
        assert late.result(5) == "jwk-remote-failed-to-load"
    clerk.release.set()
    first.join(5)
    assert clerk.asked == 1


def test_who_waits_for_a_fetch_does_not_keep_it_from_a_place(
    clerk: Clerk, cache: FakeCache, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many at once, as when a process begins: the lock is nothing to have without a place."""
    bulkhead = Bulkhead(1, patience=2)
    taken = threading.Event()

    @contextmanager
    def place() -> Iterator[None]:
        with bulkhead.place():
            taken.set()
            yield

    def fetch() -> Mapping[str, Any]:
        with bulkhead.place():
            return clerk()

    def get(key: str, default: Any = None) -> Any:
        monkeypatch.undo()
        second.start()  # while the first has the lock
        assert taken.wait(WATCHDOG)
        return default

    keys = RemoteKeys(fetch, cache, "here", clock=clock, place=place)
    found: list[str | None] = []
    second = threading.Thread(target=lambda: found.append(reason(keys, "ins_test")))
    monkeypatch.setattr(cache, "get", get)
    found.append(reason(keys, "ins_test"))
    second.join(WATCHDOG)
    assert found == [None, None]
    assert clerk.asked == 1


def test_what_another_thread_takes_from_the_cache_needs_no_place(
    keys: RemoteKeys, clerk: Clerk, cache: FakeCache, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.get_key("ins_test")  # another process, which has filled the cache
    lookup = cache.get
    first = threading.Thread(target=lambda: mine.get_key("ins_test"))
    entered, may_go_on = threading.Event(), threading.Event()

    def get(key: str, default: Any = None) -> Any:
        entered.set()
        assert may_go_on.wait(WATCHDOG)
        return lookup(key, default)

    def place() -> NoReturn:
        may_go_on.set()
        first.join(WATCHDOG)
        raise BulkheadFull("too many wait for Clerk")

    scope = ("https://api.clerk.com", "sk_1")
    mine = RemoteKeys(clerk, cache, *scope, clock=clock, place=place)
    monkeypatch.setattr(cache, "get", get)
    first.start()
    assert entered.wait(WATCHDOG)
    assert reason(mine, "ins_test") is None
    assert clerk.asked == 1


def test_without_a_cache_made_up_keys_are_few_fetches_all_the_same(
    clerk: Clerk, clock: Clock
) -> None:
    class Dummy(FakeCache):
        def get(self, key: str, default: Any = None) -> Any:
            return default

    keys = RemoteKeys(clerk, Dummy(clock), "here", clock=clock)
    keys.get_key("ins_test")
    for number in range(50):
        assert reason(keys, f"made up {number}") == reasons.JWK_KID_MISMATCH
    assert clerk.asked <= 2


@pytest.mark.parametrize("stored", [{"fetched_at": NOW + 9}, {"keys": 3, "fetched_at": NOW + 9}])
def test_an_entry_of_another_shape_in_the_cache_is_ignored(
    clerk: Clerk, cache: FakeCache, clock: Clock, stored: dict[str, Any]
) -> None:
    keys = RemoteKeys(clerk, cache, "here", clock=clock)
    cache.set(keys._prefix, stored)
    assert keys.get_key("ins_test").key is not None
