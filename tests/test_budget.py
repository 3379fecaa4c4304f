"""The hourly number of single invitations: counted by this site, and decided by Clerk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache

from org_invitations.addresses import parse_text
from org_invitations.caching import InstanceCache
from org_invitations.clerk import exceptions as exc
from org_invitations.emulator import Emulator
from org_invitations.services.limits import HOUR, SINGLE_LIMIT, Budget
from org_invitations.views.preview import fingerprint_of

from .test_services import CREATE, make_service
from .views.conftest import Browser, ada, clerk

__all__ = ["ada", "clerk"]  # fixtures


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A function that lets time pass, and a clock that stands still otherwise."""
    now = [1_000_000.0]
    monkeypatch.setattr("org_invitations.services.limits.time.time", lambda: now[0])

    def pass_time(seconds: float) -> None:
        now[0] += seconds

    return pass_time


def limited(retry_after: int | None, limit: str = exc.SINGLE_INVITATIONS) -> exc.RateLimited:
    error = exc.RateLimited(retry_after=retry_after)
    error.limit = limit
    return error


def spend(count: int) -> Budget:
    budget = Budget(InstanceCache())
    for _ in range(count):
        budget.note_sent()
    return budget


def test_with_nothing_known_anything_can_go() -> None:
    assert Budget(InstanceCache()).get_wait() == 0
    assert Budget(InstanceCache()).get_wait(SINGLE_LIMIT) == 0


@pytest.mark.usefixtures("wait")
@pytest.mark.parametrize("sent", [0, 1, SINGLE_LIMIT - 1, SINGLE_LIMIT])
@pytest.mark.parametrize("count", [SINGLE_LIMIT + 1, 500, 10_000])
def test_more_than_an_hours_worth_takes_as_many_hours(sent: int, count: int) -> None:
    # So many hours' worth are full, all that was sent having gone out at this moment.
    assert spend(sent).get_wait(count) == HOUR * ((sent + count - 1) // SINGLE_LIMIT)


@pytest.mark.parametrize(("sent", "count"), [(250, 1), (249, 2), (200, 51), (1, 250), (300, 1)])
def test_what_goes_beyond_the_hour_waits_until_enough_of_the_oldest_are_out_of_it(
    wait: Callable[[float], None], sent: int, count: int
) -> None:
    budget = Budget(InstanceCache())
    for _ in range(sent):
        budget.note_sent()
        wait(1)
    excess = sent + count - SINGLE_LIMIT
    # The excess-th one went out ``sent - excess + 1`` seconds ago.
    assert budget.get_wait(count) == HOUR - (sent - excess + 1)
    wait(HOUR - (sent - excess + 1))
    assert budget.get_wait(count) == 0


def test_what_clerk_says_goes_before_what_was_counted(wait: Callable[[float], None]) -> None:
    budget = spend(SINGLE_LIMIT)
    wait(3000)
    budget.note_refused(limited(900))
    assert budget.get_wait() == 900
    wait(900.5)
    assert budget.get_wait() == 0


@pytest.mark.parametrize("limit", [exc.BULK_INVITATIONS, ""])
def test_what_clerk_says_of_other_calls_is_nothing_to_go_by(limit: str) -> None:
    budget = Budget(InstanceCache())
    budget.note_refused(limited(900, limit))
    assert budget.get_wait() == 0


def test_nobody_waits_for_longer_than_an_hour_whatever_clerk_or_the_cache_says(
    wait: Callable[[float], None],
) -> None:
    budget = Budget(InstanceCache())
    budget.note_refused(limited(999_999_999))
    assert budget.get_wait() == HOUR
    wait(HOUR)
    assert budget.get_wait() == 0
    # What a version before this one has written.
    InstanceCache().set("budget:closed", 1_000_000.0 + 999_999_999, 999_999_999)
    assert budget.get_wait() == 0


def test_an_absurd_wait_is_told_and_kept_as_an_hour(ada: Browser, clerk: Emulator) -> None:
    row = clerk.invitations("acme", "pending")[0]
    clerk.fault("POST", CREATE, status=429, headers={"Retry-After": "999999999"}, body="{}")
    response = ada.htmx_invite("new@example.com")
    assert (response.status_code, response["Retry-After"]) == (429, "3600")
    assert "in 60 minutes" in response.text
    again = {"role": "org:admin", "confirm_elevated": "on"}
    response = ada.post(f"/invitations/{row.id}/resend/", again)
    assert response.status_code == 429
    assert 3000 < int(response["Retry-After"]) <= 3600


@pytest.mark.parametrize("path", ["*/invitations/bulk", "*/revoke", "*/memberships"])
def test_a_limit_of_other_calls_keeps_nobody_from_sending_again(
    ada: Browser, clerk: Emulator, path: str
) -> None:
    row, other = clerk.invitations("acme", "pending")[:2]
    clerk.fault(None, path, status=429, headers={"Retry-After": "999999999"}, body="{}")
    many = {"email_addresses": "a@example.com\nb@example.com", "role": "org:member"}
    many["reviewed"] = fingerprint_of(parse_text(many["email_addresses"]))
    ada.post("/invitations/invite/", many)
    ada.post(f"/invitations/{other.id}/revoke/")
    assert not clerk.faults.orders
    again = {"role": "org:admin", "confirm_elevated": "on"}
    assert ada.post(f"/invitations/{row.id}/resend/", again).status_code == 303


def test_an_invitation_that_went_out_is_counted_and_one_that_did_not_is_not(
    clerk_emulator: Emulator,
) -> None:
    service = make_service(clerk_emulator)
    spend(SINGLE_LIMIT - 2)
    clerk_emulator.fault("POST", CREATE, status=500)
    with pytest.raises(exc.ServiceUnavailable):
        service.invite_member("a@example.com", "org:member")
    assert service.budget.get_wait(2) == 0
    clerk_emulator.fault("POST", CREATE, drop="after")  # the answer is lost, and it went out
    service.invite_member("b@example.com", "org:member")
    assert service.budget.get_wait(2) > 0
    assert service.budget.get_wait(1) == 0


def test_nothing_but_moments_is_remembered() -> None:
    budget = spend(3)
    budget.note_refused(limited(60))
    store: Any = cache
    assert isinstance(store._connections[store._alias], LocMemCache)
    kept = InstanceCache().get_many(["budget:sent", "budget:closed"])
    assert all(isinstance(moment, float) for moment in kept["budget:sent"])
    assert isinstance(kept["budget:closed"], float)


def test_a_cache_that_is_down_keeps_nobody_from_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: Any, **__: Any) -> Any:
        raise ConnectionError

    for name in ("get_many", "set"):
        monkeypatch.setattr(LocMemCache, name, down)
    budget = spend(SINGLE_LIMIT + 1)
    budget.note_refused(limited(60))
    assert budget.get_wait() == 0


def test_to_send_a_whole_list_again_says_when_the_last_of_it_can_go(
    ada: Browser, clerk: Emulator
) -> None:
    for number in range(300):
        clerk.add_invitation("acme", f"person{number}@example.com", notify=False)
    clerk.configure(organizations={"acme": {"max_allowed_memberships": 0}})
    response = ada.post("/invitations/selected/", {"action": "resend", "all": "1"})
    assert response.status_code == 200
    assert "the last of them can go in 60 minutes" in response.text
