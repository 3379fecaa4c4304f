"""Joining on any databases: of two who are at it at the same moment one thing comes about.

Run by ``test_databases`` as ``flows`` is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connections, router

from org_invitations.clerk import ClerkError
from org_invitations.clients import get_client
from org_invitations.emulator import Emulator
from org_invitations.emulator.tickets import accept
from org_invitations.models import InvitationAsk, Joining
from org_invitations.services.joining.asks import ask, get_marks
from org_invitations.services.joining.joins import JoinService
from org_invitations.services.joining.links import JoinValue, get_digest
from org_invitations.services.joining.lookup import JoinState, Lookup, Person
from org_invitations.services.joining.mine import get_my_invitations
from org_invitations.testing import SignIn
from tests.databases.flows import USED, _outside_transactions
from tests.test_services import make_service
from tests.views.conftest import clerk
from tests.views.joining import JOIN_URL, NORA, Invitee, invite, page_of, state_of

__all__ = ["_outside_transactions", "clerk"]  # fixtures

#: So often each race is run: not each time the same one is first.
ROUNDS = 6

pytestmark = pytest.mark.django_db(transaction=True, databases=USED)


@pytest.fixture(autouse=True)
def _mounted(settings: Any, clerk: Emulator) -> None:
    settings.ORG_INVITATIONS_JOIN_URL = JOIN_URL
    clerk.configure(rate_limits=False, organizations={"acme": {"max_allowed_memberships": 0}})


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls at the same moment; what each returned, or the error of Clerk's."""
    ready = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(number: int) -> None:
        ready.wait()
        try:
            results[number] = calls[number]()
        except ClerkError as error:
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def joining(clerk: Emulator, row: Any) -> JoinService:
    value = JoinValue(row.organization_id, get_digest(row.organization_id, NORA))
    return JoinService(Lookup(get_client(), value, Person(clerk.user(NORA).id)))


def memberships(clerk: Emulator) -> Sequence[Any]:
    nora = clerk.user(NORA).id
    return [row for row in clerk.state.memberships if row.user_id == nora]


def start_anew(clerk: Emulator) -> Any:
    with clerk.lock:
        nora = clerk.user(NORA).id
        clerk.state.memberships = [m for m in clerk.state.memberships if m.user_id != nora]
    clerk.clear_requests()
    return invite(clerk, inviter="ada@acme.test")


def test_of_many_presses_at_the_same_moment_one_member_comes_about(clerk: Emulator) -> None:
    for _ in range(ROUNDS):
        row = start_anew(clerk)
        results = at_once(*[joining(clerk, row).join for _ in range(4)])
        assert any(result.is_joined for result in results), results
        for result in results:
            assert result.is_joined or result.problem == "Join:busy", result
        written = [call for call in clerk.requests if call.method == "POST"]
        assert len(written) == 2, [call.path for call in written]
        assert (row.state, len(memberships(clerk))) == ("revoked", 1)
        kept = Joining.objects.get(invitation_id=row.id)
        assert (kept.state, kept.is_running) == ("done", False)


def test_a_managers_revocation_and_a_press_do_not_both_win(clerk: Emulator) -> None:
    for _ in range(ROUNDS):
        row = start_anew(clerk)
        service = make_service(clerk)
        revoked, joined = at_once(lambda: service.revoke(row.id), joining(clerk, row).join)  # noqa: B023
        is_revoked = not isinstance(revoked, ClerkError)
        assert joined.is_joined is not is_revoked, (revoked, joined)
        assert (row.state, bool(memberships(clerk))) == ("revoked", joined.is_joined)
        assert not Joining.objects.filter(invitation_id=row.id, state__in=Joining.OPEN).exists()


def test_clerks_own_acceptance_and_a_press_make_one_member(clerk: Emulator) -> None:
    def accept_at_clerk(row: Any) -> bool:
        with clerk.lock:
            if row.state != "pending":
                return False
            accept(clerk, row, clerk.user(NORA))
            return True

    for _ in range(ROUNDS):
        row = start_anew(clerk)
        accepted, joined = at_once(lambda: accept_at_clerk(row), joining(clerk, row).join)  # noqa: B023
        assert joined.is_joined, joined
        assert len(memberships(clerk)) == 1
        assert row.state == ("accepted" if accepted else "revoked")
        way = "clerk" if accepted else "server"
        kept = [*Joining.objects.filter(invitation_id=row.id).values_list("state", "way")]
        # Where Clerk was first by far, nothing was begun here.
        assert kept == [("done", way)] or (accepted and not kept)


def test_declining_and_a_press_do_not_both_win(clerk: Emulator) -> None:
    for _ in range(ROUNDS):
        row = start_anew(clerk)
        service = joining(clerk, row)
        declined, joined = at_once(service.decline, joining(clerk, row).join)
        assert joined.is_joined is not declined.is_declined, (declined, joined)
        assert (row.state, bool(memberships(clerk))) == ("revoked", joined.is_joined)
        assert not Joining.objects.filter(invitation_id=row.id, state__in=Joining.OPEN).exists()


def test_of_many_who_ask_at_the_same_moment_one_asks(clerk: Emulator) -> None:
    row = invite(clerk, expires_in_days=1, created_ago=2 * 86400)
    look = joining(clerk, row).lookup.look()
    assert look.state is JoinState.GONE
    at_once(*[lambda: ask(look)] * 4)
    assert InvitationAsk.objects.count() == 1
    assert get_marks(row.organization_id, [row.id]) == {row.id: "asks"}


def test_the_pages_work(clerk: Emulator, clerk_sign_in: SignIn, no_pause: None) -> None:
    invitee = Invitee(clerk, clerk_sign_in)
    invitee.sign_in(NORA)
    row = invite(clerk, inviter="ada@acme.test")
    clerk.fault("POST", "*/memberships", status=429)
    page = invitee.press(invitee.open(page_of(row)), "join")
    assert page.context_data["is_begun"]
    [mine] = get_my_invitations(get_client(), clerk.user(NORA).id)
    assert mine.is_begun
    assert state_of(invitee.press(invitee.open(page_of(row)), "join")) == "joined"
    assert Joining.objects.get()._state.db == router.db_for_write(Joining)
