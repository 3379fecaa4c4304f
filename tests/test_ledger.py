"""The hourly numbers of calls: counted in rows that all processes share, and decided by Clerk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import Error as DatabaseFault
from django.test import override_settings
from django.utils import timezone

from org_invitations.addresses import parse_text
from org_invitations.clerk import exceptions as exc
from org_invitations.clerk.exceptions import BULK_INVITATIONS, SINGLE_INVITATIONS
from org_invitations.emulator import Emulator
from org_invitations.models import CallSlot
from org_invitations.services.batches.store import forget_old_batches
from org_invitations.services.limits import (
    BULK_LIMIT,
    HOUR,
    LIMITS,
    MARGIN,
    SINGLE_LIMIT,
    UNTOLD_WAIT,
    Ledger,
)
from org_invitations.views.preview import fingerprint_of

from .ledger import limited, spend
from .test_services import CREATE, make_service
from .views.conftest import Browser, ada, clerk

__all__ = ["ada", "clerk"]  # fixtures

pytestmark = pytest.mark.django_db

#: Two instances of Clerk's: pk_test_ and the host of the Frontend API.
OTHER_KEY = "pk_test_b3RoZXIuZXhhbXBsZS50ZXN0JA"


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A function that lets time pass, and a clock that stands still otherwise."""
    now = [timezone.now()]
    monkeypatch.setattr("django.utils.timezone.now", lambda: now[0])

    def pass_time(seconds: float) -> None:
        now[0] += timedelta(seconds=seconds)

    return pass_time


def take_all(ledger: Ledger, limit: str) -> int:
    """Take slots until none is left, and return how many there were."""
    taken = 0
    while True:
        try:
            ledger.take(limit)
        except exc.RateLimited:
            return taken
        taken += 1


def test_with_nothing_known_anything_can_go() -> None:
    assert Ledger().get_wait() == 0
    assert Ledger().get_wait(SINGLE_LIMIT) == 0


@pytest.mark.usefixtures("wait")
def test_more_than_an_hours_worth_takes_as_many_hours() -> None:
    for sent in (0, 1, SINGLE_LIMIT - 1, SINGLE_LIMIT):
        CallSlot.objects.all().delete()
        ledger = spend(sent)
        for count in (SINGLE_LIMIT + 1, 500, 10_000):
            # So many hours' worth are full, all that was sent having gone out at this moment.
            expected = HOUR * ((sent + count - 1) // SINGLE_LIMIT)
            assert ledger.get_wait(count) == expected, (sent, count)


@pytest.mark.parametrize(("sent", "count"), [(250, 1), (249, 2), (200, 51), (1, 250), (300, 1)])
def test_what_goes_beyond_the_hour_waits_until_enough_of_the_oldest_are_out_of_it(
    wait: Callable[[float], None], sent: int, count: int
) -> None:
    ledger = Ledger()
    for _ in range(sent):
        ledger.take(SINGLE_INVITATIONS)
        wait(1)
    # Clerk lets no more through than the limit: of more, it does not know of the oldest.
    excess = min(sent, SINGLE_LIMIT) + count - SINGLE_LIMIT
    # The excess-th one went out so long ago.
    ago = min(sent, SINGLE_LIMIT) - excess + 1
    assert ledger.get_wait(count) == min(HOUR + MARGIN - ago, HOUR)
    wait(HOUR + MARGIN - ago)
    assert ledger.get_wait(count) == 0


def test_no_hour_has_more_calls_than_the_limit_and_workers_leave_a_tenth_to_people(
    wait: Callable[[float], None],
) -> None:
    worker, person = Ledger("org_a", is_background=True), Ledger("org_b")
    for limit, size in LIMITS.items():
        assert take_all(worker, limit) == size * 9 // 10
        with pytest.raises(exc.RateLimited) as refused:
            worker.take(limit)
        assert (refused.value.limit, refused.value.retry_after) == (limit, HOUR)
        assert worker.get_wait(1, limit) == HOUR
        # Of what is kept for people they can take all, and then what nobody has counted.
        assert person.get_wait(size // 10, limit) == 0
        for _ in range(size // 10):
            person.take(limit)
        assert person.get_wait(1, limit) == HOUR
        slots = CallSlot.objects.filter(instance=worker.instance, limit=limit)
        assert slots.count() == size
        by_whom = Counter(slots.values_list("organization_id"))
        assert by_whom == {("org_a",): size * 9 // 10, ("org_b",): size // 10}
    wait(HOUR)
    assert take_all(worker, BULK_INVITATIONS) == 0  # Clerk counts them a little later than we do
    wait(MARGIN)
    assert take_all(worker, BULK_INVITATIONS) == BULK_LIMIT * 9 // 10


@override_settings(ORG_INVITATIONS_RESERVED_PERCENT=0)
def test_with_nothing_kept_for_people_workers_take_all_and_people_still_ask_clerk() -> None:
    assert take_all(Ledger("org_a", is_background=True), BULK_INVITATIONS) == BULK_LIMIT
    assert Ledger("org_b").take(BULK_INVITATIONS) is not None


def test_who_sits_before_a_page_takes_first_what_is_kept_for_them() -> None:
    Ledger("org_a").take(BULK_INVITATIONS)
    [slot] = CallSlot.objects.exclude(called_at=None)
    assert slot.number < BULK_LIMIT // 10
    assert take_all(Ledger("org_a", is_background=True), BULK_INVITATIONS) == 45


def test_a_slot_that_somebody_else_takes_at_the_same_moment_is_not_taken_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find = Ledger._find_free
    other = Ledger("org_b", is_background=True)

    def found_by_both(self: Ledger, limit: str, now: Any) -> list[CallSlot]:
        found = find(self, limit, now)
        if self is not other:
            for _ in found[1:]:  # the other one is faster, but for the last of them
                other.take(limit)
        return found

    ledger = Ledger("org_a", is_background=True)
    monkeypatch.setattr(Ledger, "_find_free", found_by_both)
    taken = take_all(ledger, BULK_INVITATIONS)
    assert taken
    slots = CallSlot.objects.filter(instance=ledger.instance, limit=BULK_INVITATIONS)
    by_whom = dict(Counter(slots.values_list("organization_id", flat=True)))
    assert by_whom == {"org_a": taken, "org_b": 45 - taken, "": 5}


def test_what_clerk_says_goes_before_what_was_counted(wait: Callable[[float], None]) -> None:
    ledger = spend(SINGLE_LIMIT)
    wait(3000)
    ledger.note_refused(limited(900))
    assert Ledger("org_other", is_background=True).get_wait() == 900  # whoever asks
    wait(900.5)
    assert ledger.get_wait() == 0


@pytest.mark.parametrize("limit", [BULK_INVITATIONS, ""])
def test_what_clerk_says_of_other_calls_is_nothing_to_go_by(limit: str) -> None:
    ledger = Ledger()
    ledger.note_refused(limited(900, limit))
    assert ledger.get_wait() == 0
    assert ledger.get_wait(1, BULK_INVITATIONS) == (900 if limit else 0)


def test_nobody_waits_for_longer_than_an_hour_whatever_clerk_or_a_row_says(
    wait: Callable[[float], None],
) -> None:
    ledger = Ledger()
    ledger.note_refused(limited(999_999_999))
    assert ledger.get_wait() == HOUR
    wait(HOUR)
    assert ledger.get_wait() == 0
    CallSlot.objects.update(free_at=timezone.now() + timedelta(days=9))
    assert ledger.get_wait() == HOUR


def test_a_refusal_without_a_time_keeps_a_worker_waiting_and_nobody_else() -> None:
    Ledger().note_refused(limited(None))
    assert Ledger().get_wait() == 0
    Ledger(is_background=True).note_refused(limited(None))
    assert Ledger().get_wait() == UNTOLD_WAIT


@pytest.mark.usefixtures("wait")
def test_each_instance_has_a_limit_of_its_own() -> None:
    Ledger().note_refused(limited(100))
    assert Ledger().get_wait() == 100
    with override_settings(CLERK_PUBLISHABLE_KEY=OTHER_KEY):
        assert Ledger().get_wait() == 0
        spend(SINGLE_LIMIT)
        assert Ledger().get_wait() == HOUR
    assert Ledger().get_wait() == 100


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


def test_a_call_counts_before_it_goes_out_unless_clerk_has_not_had_it(
    clerk_emulator: Emulator,
) -> None:
    service = make_service(clerk_emulator)
    service.open(fresh=True)
    spend(SINGLE_LIMIT - 3)

    def left() -> int:
        return next(count for count in range(4) if service.ledger.get_wait(count + 1))

    clerk_emulator.fault("POST", CREATE, status=429, headers={"Retry-After": "1"}, body="{}")
    with pytest.raises(exc.RateLimited):
        service.invite_member("a@example.com", "org:member")
    CallSlot.objects.filter(called_at=None).update(free_at=timezone.now())
    assert left() == 3
    clerk_emulator.fault("POST", CREATE, status=500)
    with pytest.raises(exc.ServiceUnavailable):
        service.invite_member("a@example.com", "org:member")
    assert left() == 2
    clerk_emulator.fault("POST", CREATE, drop="after")  # the answer is lost, and it went out
    service.invite_member("b@example.com", "org:member")
    assert left() == 1


def test_a_database_that_does_not_count_keeps_people_from_nothing_and_workers_from_sending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def down(*_: Any, **__: Any) -> Any:
        raise DatabaseFault

    monkeypatch.setattr(Ledger, "_find_free", down)
    with Ledger().calling(SINGLE_INVITATIONS):
        pass
    with pytest.raises(DatabaseFault), Ledger(is_background=True).calling(SINGLE_INVITATIONS):
        pytest.fail("the call would go out uncounted")


def test_what_no_limit_counts_any_more_is_deleted(wait: Callable[[float], None]) -> None:
    spend(3, BULK_INVITATIONS)
    wait(86_000)
    spend(1)
    wait(5_000)
    forget_old_batches()
    assert list(CallSlot.objects.exclude(called_at=None).values_list("limit", "addresses")) == [
        (SINGLE_INVITATIONS, 1)
    ]
    assert not CallSlot.objects.filter(limit=BULK_INVITATIONS).exists()
    assert take_all(Ledger(is_background=True), BULK_INVITATIONS) == BULK_LIMIT * 9 // 10


def test_to_send_a_whole_list_again_says_when_the_last_of_it_can_go(
    ada: Browser, clerk: Emulator
) -> None:
    for number in range(300):
        clerk.add_invitation("acme", f"person{number}@example.com", notify=False)
    clerk.configure(organizations={"acme": {"max_allowed_memberships": 0}})
    response = ada.post("/invitations/selected/", {"action": "resend", "all": "1"})
    assert response.status_code == 200
    assert "the last of them can go in 60 minutes" in response.text
