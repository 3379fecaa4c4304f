"""Sending an invitation again: what is kept, what is checked first, and what a crash leaves."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from org_invitations.clerk import exceptions as exc
from org_invitations.clerk.deadline import Deadline
from org_invitations.clerk.marks import get_mark, without_mark
from org_invitations.emulator import Emulator, EmulatorRequest
from org_invitations.models import Batch, BatchItem
from org_invitations.services import InvitationService, NotPermitted, RoleNotGranted, Snapshot
from org_invitations.services.batches.resend import create_for_sure
from org_invitations.services.batches.store import (
    claim_half,
    get_or_create,
    record,
)
from org_invitations.services.limits import SINGLE_LIMIT, Ledger
from org_invitations.services.preview import PreviewStatus
from org_invitations.services.reasons import Reason
from org_invitations.signals import invitation_created, invitation_revoked
from tests.leases import let_time_pass
from tests.ledger import forget_calls, spend
from tests.test_services import ADA, BO, CREATE, LIST, MAX, MIA, REVOKE, asked, make_service

State = BatchItem.State

LEE = "lee@example.com"
NOT_GRANTED = str(PreviewStatus.ROLE_NOT_GRANTED)
STATUSES = ("pending", "expired", "revoked", "accepted")


@pytest.fixture
def emulator(clerk_emulator: Emulator) -> Emulator:
    return clerk_emulator


def invited(emulator: Emulator, status: str = "pending", **order: Any) -> str:
    """An invitation to Lee in this status; returns its id."""
    row = emulator.add_invitation("acme", LEE, **order)
    if status == "expired":
        row.expires_at = row.created_at - 1
        row.created_at -= 86_400_000 * 30
    else:
        row.state = status
    return row.id


def resend(
    emulator: Emulator,
    invitation_id: str,
    *,
    user: str = ADA,
    batch_id: UUID | None = None,
    **wish: Any,
) -> BatchItem:
    """Send an invitation again as a view does, with a service of its own."""
    service = make_service(emulator, user)
    snapshot = service.open(invitation_id=invitation_id, fresh=True, seats=True)
    return resend_with(service, snapshot, batch_id=batch_id, **wish)


def resend_with(
    service: InvitationService,
    snapshot: Snapshot,
    *,
    batch_id: UUID | None = None,
    role: str = "",
    **options: Any,
) -> BatchItem:
    """Send the invitation of a snapshot again, as a batch of one."""
    old = snapshot.invitation
    assert old is not None
    wanted = role or old.role
    granted = snapshot.roles.get(wanted)
    item = BatchItem(
        email_address=old.email_address,
        role=wanted,
        role_name=granted.name if granted else wanted,
        replaces_id=old.id,
    )
    batch, created = service.begin(
        Batch.Action.RESEND, [item], key=batch_id or uuid4(), options=options
    )
    if not created:
        before = service.find_replacement(batch.pk)
        assert before is not None
        return before
    [item] = service.run(batch)
    return item


def status_of(emulator: Emulator, invitation_id: str) -> str:
    return emulator.state.invitations[invitation_id].status(emulator.clock.now_ms())


def pending(emulator: Emulator) -> list[Any]:
    return [row for row in emulator.invitations("acme", "pending") if row.email_address == LEE]


def follow(emulator: Emulator, invitation_id: str) -> int:
    """Follow the link of an invitation as the person does; return what Clerk answers."""
    ticket = emulator.state.invitations[invitation_id].ticket
    url = urlsplit(emulator.accept_url(ticket))
    target = f"{url.path}?{url.query}"
    return emulator.handle(EmulatorRequest("GET", target, {}, b"")).status


def age(item: BatchItem) -> None:
    """Let so much time pass that nobody is at work on it, and Clerk is not either."""
    let_time_pass()


def unfinished(emulator: Emulator, user: str = ADA) -> list[BatchItem]:
    service = make_service(emulator, user)
    service.open()
    return service.get_unfinished()


# --- A link that works, or a reason --------------------------------------------------------------


@pytest.mark.parametrize("status", STATUSES)
def test_from_each_status_there_is_a_link_that_works_or_a_reason(
    emulator: Emulator, status: str
) -> None:
    old = invited(emulator, status)
    if status == "accepted":
        assert isinstance(resend(emulator, old).error, exc.InvitationNotPending)
        return
    item = resend(emulator, old)
    assert item.state == State.DONE
    assert follow(emulator, old) == 400
    assert follow(emulator, item.invitation_id) == 302


def test_the_old_link_dies_and_the_list_has_one_invitation(emulator: Emulator) -> None:
    old = invited(emulator)
    item = resend(emulator, old)
    assert status_of(emulator, old) == "revoked"
    assert [row.id for row in pending(emulator)] == [item.invitation_id]


@pytest.mark.parametrize("status", ["expired", "revoked"])
def test_what_is_not_pending_is_not_revoked_first(emulator: Emulator, status: str) -> None:
    old = invited(emulator, status)
    asked(emulator)
    resend(emulator, old)
    assert not [call for call in asked(emulator) if call.endswith("/revoke")]
    assert status_of(emulator, old) == status


def test_it_takes_two_rounds_and_the_two_writes(emulator: Emulator) -> None:
    old = invited(emulator)
    make_service(emulator).open()
    asked(emulator)
    resend(emulator, old)
    calls = asked(emulator)
    assert sorted(calls[:-2]) == [
        "GET /organizations/ACME",
        f"GET /organizations/ACME/invitations/{old}",
        "GET /organizations/ACME/memberships",
    ] or sorted(calls[:-2]) == [
        f"GET /organizations/ACME/invitations/{old}",
        "GET /organizations/ACME/memberships",
    ]
    assert calls[-2:] == [
        f"POST /organizations/ACME/invitations/{old}/revoke",
        "POST /organizations/ACME/invitations",
    ]


# --- What is kept --------------------------------------------------------------------------------


def test_role_metadata_and_period_are_kept(emulator: Emulator) -> None:
    old = invited(
        emulator,
        role="org:billing",
        expires_in_days=45,
        public_metadata={"team": "blue"},
        private_metadata={"cost": 7},
    )
    new = emulator.state.invitations[resend(emulator, old).invitation_id]
    assert new.role == "org:billing"
    assert new.public_metadata == {"team": "blue"}
    assert without_mark(new.private_metadata) == {"cost": 7}
    assert new.expires_at is not None
    assert round((new.expires_at - new.created_at) / 86_400_000) == 45


def test_each_has_a_mark_of_its_own_and_none_of_the_one_before(emulator: Emulator) -> None:
    first = resend(emulator, invited(emulator, private_metadata={"cost": 7}))
    second = resend(emulator, first.invitation_id)
    marks = [
        get_mark(emulator.state.invitations[item.invitation_id].private_metadata)
        for item in (first, second)
    ]
    assert all(marks)
    assert marks[0] != marks[1]
    assert marks == [item.attempt["mark"] for item in (first, second)]


def test_metadata_is_nowhere_in_the_database(emulator: Emulator) -> None:
    resend(emulator, invited(emulator, private_metadata={"cost": "s3cret"}))
    assert "s3cret" not in repr(list(Batch.objects.values()) + list(BatchItem.objects.values()))


def test_the_inviter_is_who_does_it(emulator: Emulator) -> None:
    old = invited(emulator, inviter=ADA)
    new = emulator.state.invitations[resend(emulator, old, user=BO).invitation_id]
    assert new.inviter_id == emulator.user(BO).id


def test_the_redirect_is_the_one_this_site_asked_for(emulator: Emulator) -> None:
    service = make_service(emulator)
    service.open(fresh=True)
    chosen = "https://example.com/welcome"
    item = BatchItem(email_address=LEE, role="org:member", state=State.UNDER_WAY)
    get_or_create(
        uuid4(),
        Batch.Action.INVITE,
        [item],
        organization_id=service.organization_id,
        user_id=service.user_id,
        options={"redirect_url": chosen},
    )
    made = service.invite_member(LEE, "org:member", redirect_url=chosen)
    record(item, State.DONE, invitation_id=made.id).save()

    first = resend(emulator, made.id)
    second = resend(emulator, first.invitation_id)
    for one in (first, second):
        assert emulator.state.invitations[one.invitation_id].redirect_url == chosen


def test_what_nobody_knows_comes_from_the_settings(emulator: Emulator, settings: Any) -> None:
    settings.ORG_INVITATIONS_REDIRECT_URL = "https://example.com/join"
    settings.ORG_INVITATIONS_EXPIRES_IN_DAYS = 9
    new = emulator.state.invitations[
        resend(emulator, invited(emulator, expires_in_days=None)).invitation_id
    ]
    assert new.redirect_url == "https://example.com/join"
    assert new.expires_at is not None
    assert round((new.expires_at - new.created_at) / 86_400_000) == 9


def test_role_and_period_can_be_changed_and_the_mail_left_out(emulator: Emulator) -> None:
    old = invited(emulator, public_metadata={"team": "blue"})
    mails = len(emulator.state.mails)
    item = resend(emulator, old, role="org:billing", expires_in_days=3, notify=False)
    new = emulator.state.invitations[item.invitation_id]
    assert (new.role, item.role_name) == ("org:billing", "Billing")
    assert new.public_metadata == {"team": "blue"}
    assert new.expires_at is not None
    assert round((new.expires_at - new.created_at) / 86_400_000) == 3
    assert len(emulator.state.mails) == mails


def test_a_site_is_told_of_both_halves(emulator: Emulator) -> None:
    old = invited(emulator)
    told: list[tuple[str, str]] = []

    def on_revoked(invitation: Any, **_: Any) -> None:
        told.append(("revoked", invitation.id))

    def on_created(invitation: Any, **_: Any) -> None:
        told.append(("created", invitation.id))

    invitation_revoked.connect(on_revoked)
    invitation_created.connect(on_created)
    try:
        item = resend(emulator, old)
    finally:
        invitation_revoked.disconnect(on_revoked)
        invitation_created.disconnect(on_created)
    assert told == [("revoked", old), ("created", item.invitation_id)]


# --- What is checked before the old one is revoked -----------------------------------------------


def test_a_role_above_ones_own_is_not_sent_again(emulator: Emulator) -> None:
    old = invited(emulator, role="org:admin")
    assert resend(emulator, old, user=MIA).reason == NOT_GRANTED
    assert status_of(emulator, old) == "pending"


def test_nobody_changes_an_invitation_to_a_role_above_their_own(emulator: Emulator) -> None:
    old = invited(emulator, role="org:people_manager")
    assert resend(emulator, old, user=MIA, role="org:admin").reason == NOT_GRANTED
    assert status_of(emulator, old) == "pending"


def test_a_workspace_from_before_gives_no_role_that_was_taken_away(emulator: Emulator) -> None:
    old = invited(emulator, role="org:billing")
    service = make_service(emulator)
    snapshot = service.open(invitation_id=old)
    membership = emulator.state.membership(service.organization_id, service.user_id)
    assert membership is not None
    membership.role = "org:people_manager"
    assert resend_with(service, snapshot).reason == NOT_GRANTED
    assert status_of(emulator, old) == "pending"


def test_who_was_not_let_in_sends_nothing(emulator: Emulator) -> None:
    old = invited(emulator)
    snapshot = make_service(emulator).open(invitation_id=old)
    with pytest.raises(NotPermitted):
        resend_with(make_service(emulator, MAX), snapshot)
    assert BatchItem.objects.get().state == State.REFUSED
    assert status_of(emulator, old) == "pending"


def set_seats(emulator: Emulator, left: int) -> None:
    organization = emulator.organization("acme")
    used = len(emulator.state.members_of(organization.id)) + len(
        emulator.invitations("acme", "pending")
    )
    organization.max_allowed_memberships = used + left


def test_a_pending_invitation_gives_its_own_seat_to_the_new_one(emulator: Emulator) -> None:
    old = invited(emulator)
    set_seats(emulator, left=0)
    assert resend(emulator, old).state == State.DONE


@pytest.mark.parametrize("status", ["expired", "revoked"])
def test_without_a_free_seat_nobody_is_invited_again(emulator: Emulator, status: str) -> None:
    old = invited(emulator, status)
    set_seats(emulator, left=0)
    assert isinstance(resend(emulator, old).error, exc.QuotaExceeded)
    set_seats(emulator, left=1)
    assert resend(emulator, old).state == State.DONE


def test_more_used_than_there_are_seats_keeps_even_a_pending_one(emulator: Emulator) -> None:
    old = invited(emulator)
    set_seats(emulator, left=-1)
    assert isinstance(resend(emulator, old).error, exc.QuotaExceeded)
    assert status_of(emulator, old) == "pending"


def test_while_clerk_wants_to_be_left_alone_nothing_is_revoked(emulator: Emulator) -> None:
    old = invited(emulator)
    service = make_service(emulator)
    service.open(fresh=True)
    emulator.fault("POST", CREATE, status=429, headers={"Retry-After": "600"}, body="{}")
    with pytest.raises(exc.RateLimited):
        service.invite_member("new@example.com", "org:member")
    item = resend(emulator, old)
    assert isinstance(item.error, exc.RateLimited)
    assert 590 <= item.params["retry_after"] <= 600
    assert status_of(emulator, old) == "pending"


def test_what_there_is_no_time_for_is_not_begun_and_says_why(emulator: Emulator) -> None:
    invitation_id = invited(emulator)
    service = make_service(emulator)
    snapshot = service.open(invitation_id=invitation_id, fresh=True, seats=True)
    emulator.clear_requests()
    seconds = iter([0.0])
    with Deadline(25, clock=lambda: next(seconds, 24.0)):  # nearly over as soon as it has begun
        item = resend_with(service, snapshot)
    item.refresh_from_db()
    assert (item.state, item.reason) == (State.WAITING, "DeadlineExceeded")
    assert asked(emulator) == []


def test_an_hours_worth_of_invitations_is_counted(emulator: Emulator) -> None:
    old = invited(emulator)
    ledger = spend(SINGLE_LIMIT - 1)
    assert ledger.get_wait() == 0
    assert 3590 <= ledger.get_wait(2) <= 3600
    resend(emulator, old)  # the last one of the hour
    assert isinstance(resend(emulator, pending(emulator)[0].id).error, exc.RateLimited)
    assert len(pending(emulator)) == 1


def test_locked_roles_keep_the_old_one(emulator: Emulator) -> None:
    old = invited(emulator)
    emulator.configure(role_migrations={"role_set:default": True})
    assert isinstance(resend(emulator, old).error, exc.RoleMigrationInProgress)
    assert status_of(emulator, old) == "pending"


def test_roles_that_cannot_be_had_keep_the_old_one(emulator: Emulator) -> None:
    old = invited(emulator)
    emulator.fault("GET", "/v1/role_sets/*", times=None, status=500)
    assert isinstance(resend(emulator, old).error, exc.ServiceUnavailable)
    assert status_of(emulator, old) == "pending"


# --- Once ----------------------------------------------------------------------------------------


def test_the_same_form_sends_once(emulator: Emulator) -> None:
    old, batch_id = invited(emulator), uuid4()
    first = resend(emulator, old, batch_id=batch_id)
    asked(emulator)
    second = resend(emulator, old, batch_id=batch_id)
    assert (second.pk, second.state) == (first.pk, State.DONE)
    assert not [call for call in asked(emulator) if call.startswith("POST")]


def test_the_same_form_is_answered_even_where_no_seat_is_left(emulator: Emulator) -> None:
    old, batch_id = invited(emulator), uuid4()
    set_seats(emulator, left=0)
    resend(emulator, old, batch_id=batch_id)
    assert resend(emulator, old, batch_id=batch_id).state == State.DONE


def test_the_same_form_is_under_way_as_soon_as_it_is_begun(emulator: Emulator) -> None:
    old, batch_id = invited(emulator), uuid4()
    service = make_service(emulator)
    item = BatchItem(email_address=LEE, role="org:member", role_name="Member", replaces_id=old)
    service.begin(Batch.Action.RESEND, [item], key=batch_id, options={})
    assert resend(emulator, old, batch_id=batch_id).state == State.UNDER_WAY


def test_the_same_form_with_another_wish_is_another_wish(emulator: Emulator) -> None:
    old, batch_id = invited(emulator), uuid4()
    first = resend(emulator, old, batch_id=batch_id)
    second = resend(emulator, old, batch_id=batch_id, expires_in_days=3)
    assert (second.state, second.reason) == (State.REFUSED, "DuplicateInvitation")
    assert second.batch_id != first.batch_id
    assert len(pending(emulator)) == 1


def test_somebody_elses_batch_is_nobodys(emulator: Emulator) -> None:
    old, batch_id = invited(emulator), uuid4()
    resend(emulator, old, batch_id=batch_id)
    service = make_service(emulator, MIA)
    service.open()
    assert service.find_replacement(batch_id) is None


# --- Faults at the first half --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "state", "revoked"),
    [
        ({"status": 500}, State.FAILED, False),
        ({"status": 429, "headers": {"Retry-After": "7"}, "body": "{}"}, State.WAITING, False),
        ({"status": 403, "body": "{}"}, State.FAILED, False),
        ({"drop": "before"}, State.UNSETTLED, False),
        ({"drop": "after"}, State.DONE, True),
        ({"delay": 60}, State.DONE, True),
        ({"garbage": "truncated"}, State.DONE, True),
    ],
)
def test_a_fault_while_revoking_creates_only_what_is_certain(
    emulator: Emulator, fault: dict[str, Any], state: str, revoked: bool
) -> None:
    old = invited(emulator)
    emulator.fault("POST", REVOKE, **fault)
    item = resend(emulator, old)
    if fault.get("status") == 403:
        assert item.state in (State.FAILED, State.REFUSED)
    else:
        assert item.state == state
    assert (status_of(emulator, old) == "revoked") is revoked
    assert len(pending(emulator)) == 1


def test_where_nobody_can_tell_whether_it_was_revoked_nothing_is_created(
    emulator: Emulator,
) -> None:
    old = invited(emulator)
    emulator.fault("POST", REVOKE, drop="after")
    service = make_service(emulator)
    snapshot = service.open(invitation_id=old, fresh=True, seats=True)
    emulator.fault("GET", f"*/invitations/{old}", drop="before", times=None)
    item = resend_with(service, snapshot)
    assert item.state == State.UNSETTLED
    assert pending(emulator) == []
    emulator.faults.clear()
    # On the next view of the list it turns out, and is offered.
    [found] = unfinished(emulator)
    assert (found.pk, found.state) == (item.pk, State.HALF_DONE)


@pytest.mark.parametrize("status", ["accepted", "revoked", "expired"])
def test_what_happens_between_the_question_and_the_revocation_is_told(
    emulator: Emulator, status: str
) -> None:
    old = invited(emulator)
    service = make_service(emulator)
    snapshot = service.open(invitation_id=old, fresh=True, seats=True)
    row = emulator.state.invitations[old]
    if status == "expired":
        row.expires_at = row.created_at - 1
    else:
        row.state = status
    item = resend_with(service, snapshot)
    assert (item.state, item.reason) == (State.REFUSED, "InvitationNotPending")
    assert item.params["status"] == status
    assert pending(emulator) == []


# --- Faults at the second half -------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 429, "headers": {"Retry-After": "7"}, "body": "{}"},
        {"status": 422, "body": {"errors": [{"code": "form_param_invalid", "message": "no"}]}},
        {"status": 403, "body": {"errors": [{"code": "not_allowed_access", "message": "no"}]}},
    ],
)
def test_a_fault_while_creating_leaves_it_half_done_and_is_offered(
    emulator: Emulator, fault: dict[str, Any]
) -> None:
    old = invited(emulator, role="org:billing", expires_in_days=12)
    emulator.fault("POST", CREATE, **fault)
    item = resend(emulator, old, notify=False)
    assert item.state == State.HALF_DONE
    assert item.reason
    assert status_of(emulator, old) == "revoked"

    [found] = unfinished(emulator, MIA)  # whoever looks
    assert (found.pk, found.reason) == (item.pk, item.reason)

    forget_calls()
    service = make_service(emulator)
    snapshot = service.open(invitation_id=old, fresh=True, seats=True)
    mails = len(emulator.state.mails)
    assert service.finish(snapshot, found).state == State.DONE
    [new] = pending(emulator)
    assert new.role == "org:billing"
    assert new.expires_at is not None
    assert round((new.expires_at - new.created_at) / 86_400_000) == 12
    assert len(emulator.state.mails) == mails
    assert unfinished(emulator) == []


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"delay": 60}, {"garbage": "truncated"}])
def test_a_lost_answer_to_the_second_half_is_settled_by_asking(
    emulator: Emulator, fault: dict[str, Any]
) -> None:
    old = invited(emulator)
    emulator.fault("POST", CREATE, **fault)
    item = resend(emulator, old)
    assert item.state == State.DONE
    assert [row.id for row in pending(emulator)] == [item.invitation_id]


def test_a_second_half_that_may_be_under_way_is_not_called_sent(emulator: Emulator) -> None:
    old = invited(emulator)
    emulator.fault("POST", CREATE, drop="before")
    item = resend(emulator, old)
    assert item.state == State.UNSETTLED
    assert not item.invitation_id
    # As long as Clerk may be at work on it, nothing can be finished or left.
    [found] = unfinished(emulator)
    assert found.state == State.UNSETTLED
    service = make_service(emulator)
    service.open()
    assert service.find_unfinished(old) is None
    age(item)
    [found] = unfinished(emulator)
    assert (found.state, found.reason) == (State.HALF_DONE, "absent")


def test_a_second_half_that_appears_late_is_found(emulator: Emulator) -> None:
    old = invited(emulator)
    emulator.fault("POST", CREATE, drop="after")
    emulator.fault("GET", LIST, drop="before", times=None)
    item = resend(emulator, old)
    assert item.state == State.UNSETTLED
    emulator.faults.clear()
    assert unfinished(emulator) == []
    item.refresh_from_db()
    assert item.state == State.DONE
    assert item.invitation_id == pending(emulator)[0].id


def test_inviting_again_that_fails_takes_nothing_from_anybody(emulator: Emulator) -> None:
    old = invited(emulator, "expired")
    emulator.fault("POST", CREATE, status=500)
    assert resend(emulator, old).state == State.FAILED
    assert unfinished(emulator) == []


@pytest.mark.parametrize("status", ["expired", "revoked"])
def test_who_has_been_invited_again_by_somebody_else_is_not_invited_twice(
    emulator: Emulator, status: str
) -> None:
    old = invited(emulator, status)
    invited(emulator)
    item = resend(emulator, old)
    assert (item.state, item.reason) == (State.REFUSED, "DuplicateInvitation")
    assert len(pending(emulator)) == 1


# --- A crash -------------------------------------------------------------------------------------


class Crash(BaseException):
    """The process is gone: nothing catches this."""


def crash_at(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def die(*_: Any, **__: Any) -> Any:
        raise Crash

    monkeypatch.setattr(f"org_invitations.services.batches.resend.{name}", die)


def test_a_crash_between_the_halves_is_found_and_offered_on_the_next_view(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = invited(emulator)
    with monkeypatch.context() as patch:
        crash_at(patch, "create_for_sure")
        with pytest.raises(Crash):
            resend(emulator, old)
    assert pending(emulator) == []
    [item] = unfinished(emulator)  # the call may have gone out
    assert item.state == State.UNSETTLED
    age(item)
    [item] = unfinished(emulator)
    assert item.state == State.HALF_DONE
    assert (item.email_address, item.replaces_id) == (LEE, old)
    service = make_service(emulator)
    snapshot = service.open(invitation_id=old, fresh=True, seats=True)
    assert service.finish(snapshot, item).state == State.DONE
    assert len(pending(emulator)) == 1


def kill_during(emulator: Emulator, old: str, patch: pytest.MonkeyPatch, name: str) -> BatchItem:
    """Die without a chance to say so: not even what is done at the very end happens."""
    patch.setattr("org_invitations.services.batches.runner.release", _nothing)
    crash_at(patch, name)
    with pytest.raises(Crash):
        resend(emulator, old)
    return BatchItem.objects.get(replaces_id=old)


def _nothing(*_: Any) -> None: ...


def test_a_process_that_was_killed_between_the_halves_is_believed_dead_after_a_while(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = invited(emulator)
    with monkeypatch.context() as patch:
        item = kill_during(emulator, old, patch, "create_for_sure")
    assert unfinished(emulator) == []  # for all that is known, it is at work
    age(item)
    [found] = unfinished(emulator)
    assert (found.pk, found.state) == (item.pk, State.HALF_DONE)


def test_a_process_that_was_killed_before_the_first_half_has_changed_nothing(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = invited(emulator)
    with monkeypatch.context() as patch:
        item = kill_during(emulator, old, patch, "revoke_for_sure")
    age(item)
    assert unfinished(emulator) == []
    item.refresh_from_db()
    assert item.state == State.FAILED
    assert status_of(emulator, old) == "pending"
    assert resend(emulator, old).state == State.DONE


def test_a_process_that_was_killed_after_both_halves_is_done(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = invited(emulator)
    with monkeypatch.context() as patch:
        patch.setattr("org_invitations.services.batches.resend.create_for_sure", _create_and_die)
        patch.setattr("org_invitations.services.batches.runner.release", _nothing)
        with pytest.raises(Crash):
            resend(emulator, old)
    item = BatchItem.objects.get(replaces_id=old)
    assert item.state == State.UNDER_WAY
    age(item)
    assert unfinished(emulator) == []
    item.refresh_from_db()
    assert (item.state, item.invitation_id) == (State.DONE, pending(emulator)[0].id)


def _create_and_die(*args: Any, **kwargs: Any) -> None:
    create_for_sure(*args, **kwargs)
    raise Crash


def test_the_same_form_after_a_crash_says_how_far_it_got(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, batch_id = invited(emulator), uuid4()
    with monkeypatch.context() as patch:
        crash_at(patch, "create_for_sure")
        with pytest.raises(Crash):
            resend(emulator, old, batch_id=batch_id)
    item = resend(emulator, old, batch_id=batch_id)
    assert item.state == State.UNSETTLED
    age(item)
    assert resend(emulator, old, batch_id=batch_id).state == State.HALF_DONE
    assert pending(emulator) == []


# --- What is left half-way -----------------------------------------------------------------------


@pytest.fixture
def half(emulator: Emulator) -> BatchItem:
    """The resend of an invitation as Billing, whose second half failed."""
    emulator.fault("POST", CREATE, status=500)
    return resend(emulator, invited(emulator, role="org:billing"))


def open_for(emulator: Emulator, item: BatchItem, user: str = ADA) -> tuple[InvitationService, Any]:
    service = make_service(emulator, user)
    return service, service.open(invitation_id=item.replaces_id, fresh=True, seats=True)


def test_nothing_unfinished_costs_one_query_and_no_call(emulator: Emulator) -> None:
    resend(emulator, invited(emulator))
    service = make_service(emulator)
    service.open()
    asked(emulator)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert service.get_unfinished() == []
    assert len(queries) == 1
    assert asked(emulator) == []


def test_another_organization_sees_nothing_of_it(emulator: Emulator, half: BatchItem) -> None:
    service = make_service(emulator, BO, "globex")
    service.open()
    assert service.get_unfinished() == []
    assert service.find_unfinished(half.replaces_id) is None


def test_who_was_not_let_in_is_told_nothing_of_it(emulator: Emulator, half: BatchItem) -> None:
    service = make_service(emulator, MIA)
    with pytest.raises(NotPermitted):
        service.get_unfinished()
    with pytest.raises(NotPermitted):
        service.find_unfinished(half.replaces_id)


def test_only_who_may_give_the_role_can_finish_it(emulator: Emulator, half: BatchItem) -> None:
    service, snapshot = open_for(emulator, half, MIA)
    found = service.find_unfinished(half.replaces_id)
    assert found is not None
    with pytest.raises(RoleNotGranted):
        service.finish(snapshot, found)
    assert pending(emulator) == []


def test_without_a_seat_it_cannot_be_finished(emulator: Emulator, half: BatchItem) -> None:
    set_seats(emulator, left=0)
    service, snapshot = open_for(emulator, half)
    with pytest.raises(exc.QuotaExceeded):
        service.finish(snapshot, half)
    assert len(unfinished(emulator)) == 1


def test_finishing_that_fails_again_stays_on_offer(emulator: Emulator, half: BatchItem) -> None:
    emulator.fault("POST", CREATE, status=500)
    service, snapshot = open_for(emulator, half)
    assert service.finish(snapshot, half).state == State.HALF_DONE
    assert len(unfinished(emulator)) == 1


def test_a_limit_met_while_finishing_is_remembered(emulator: Emulator, half: BatchItem) -> None:
    emulator.fault("POST", CREATE, status=429, headers={"Retry-After": "50"}, body="{}")
    service, snapshot = open_for(emulator, half)
    assert service.finish(snapshot, half).reason == "RateLimited"
    with pytest.raises(exc.RateLimited):
        service.finish(snapshot, half)


def test_clerk_knows_better_than_what_was_remembered_of_a_permission(
    emulator: Emulator, half: BatchItem
) -> None:
    service, snapshot = open_for(emulator, half)
    membership = emulator.state.membership(service.organization_id, service.user_id)
    assert membership is not None
    membership.role = "org:member"
    assert service.finish(snapshot, half).state == State.HALF_DONE
    assert service.was_denied
    with pytest.raises(NotPermitted):
        service.get_unfinished()


def test_what_was_finished_before_is_not_finished_again(
    emulator: Emulator, half: BatchItem
) -> None:
    service, snapshot = open_for(emulator, half)
    late = BatchItem.objects.select_related("batch").get(pk=half.pk)
    service.finish(snapshot, half)
    assert service.finish(snapshot, late).state == State.DONE
    assert len(pending(emulator)) == 1


def test_there_must_be_an_invitation_to_finish(emulator: Emulator, half: BatchItem) -> None:
    service = make_service(emulator)
    snapshot = service.open(fresh=True)
    with pytest.raises(exc.InvitationNotFound):
        service.finish(snapshot, half)


def test_the_batch_of_many_is_no_resend_of_one(emulator: Emulator) -> None:
    service = make_service(emulator)
    service.open()
    batch_id = uuid4()
    get_or_create(
        batch_id,
        Batch.Action.RESEND,
        [BatchItem(replaces_id="orginv_1"), BatchItem(replaces_id="orginv_2")],
        organization_id=service.organization_id,
        user_id=service.user_id,
        options={},
    )
    assert service.find_replacement(batch_id) is None


def test_finishing_twice_invites_once(emulator: Emulator, half: BatchItem) -> None:
    service, snapshot = open_for(emulator, half)
    assert service.finish(snapshot, half).state == State.DONE
    assert service.find_unfinished(half.replaces_id) is None
    assert len(pending(emulator)) == 1


def test_two_who_finish_at_the_same_moment_invite_once(emulator: Emulator, half: BatchItem) -> None:
    service, snapshot = open_for(emulator, half)
    other, other_workspace = open_for(emulator, half)
    found = other.find_unfinished(half.replaces_id)
    assert found is not None
    late: list[BatchItem] = []

    def press_meanwhile(**_: Any) -> None:
        if not late:
            late.append(other.finish(other_workspace, found))

    invitation_created.connect(press_meanwhile)
    try:
        assert service.finish(snapshot, half).state == State.DONE
    finally:
        invitation_created.disconnect(press_meanwhile)
    assert late[0].state == State.DONE
    half.refresh_from_db()
    assert half.state == State.DONE
    assert len(pending(emulator)) == 1


def test_who_is_stopped_for_too_long_while_finishing_leaves_it_to_who_took_over(
    emulator: Emulator, half: BatchItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, snapshot = open_for(emulator, half)
    own_claim = "org_invitations.services.service.claim_half"

    def claim_and_stop(item: BatchItem, by: str) -> bool:
        claimed = claim_half(item, by)
        let_time_pass()
        assert claim_half(BatchItem.objects.get(pk=item.pk), "other")
        return claimed

    monkeypatch.setattr(own_claim, claim_and_stop)
    assert service.finish(snapshot, half).state == State.UNDER_WAY
    kept = BatchItem.objects.get()
    assert (kept.state, kept.leased_by) == (State.HALF_DONE, "other")
    assert pending(emulator) == []


def test_what_is_half_done_elsewhere_is_neither_finished_nor_left(
    emulator: Emulator, half: BatchItem
) -> None:
    elsewhere = make_service(emulator, BO, "globex")
    with pytest.raises(NotPermitted):
        elsewhere.leave(half)
    row = emulator.invitations("globex")[0]
    snapshot = elsewhere.open(invitation_id=row.id, fresh=True, seats=True)
    asked(emulator)
    for touch in (partial(elsewhere.finish, snapshot), elsewhere.leave):
        with pytest.raises(ValueError, match="not of this organization"):
            touch(half)
    assert asked(emulator) == []
    assert BatchItem.objects.get().state == State.HALF_DONE


def test_it_can_be_left(emulator: Emulator, half: BatchItem) -> None:
    service, _ = open_for(emulator, half)
    found = service.find_unfinished(half.replaces_id)
    assert found is not None
    service.leave(found)
    assert unfinished(emulator) == []
    assert pending(emulator) == []
    found.refresh_from_db()
    assert (found.state, found.reason) == (State.REFUSED, "half-done")


def test_who_was_invited_as_wanted_meanwhile_lacks_nothing(
    emulator: Emulator, half: BatchItem
) -> None:
    emulator.add_invitation("acme", LEE, role="org:billing", inviter=ADA)
    assert unfinished(emulator) == []
    half.refresh_from_db()
    assert (half.state, half.reason) == (State.REFUSED, "DuplicateInvitation")


@pytest.mark.parametrize(
    ("role", "inviter", "who"),
    [
        ("org:member", ADA, "Ada Lovelace"),
        ("org:billing", BO, "Bo Both"),
        ("org:billing", None, None),
    ],
)
def test_what_somebody_else_has_sent_does_not_end_it(
    emulator: Emulator, half: BatchItem, role: str, inviter: str | None, who: str | None
) -> None:
    other = emulator.add_invitation("acme", LEE, role=role, inviter=inviter)
    [found] = unfinished(emulator)
    assert (found.state, found.reason) == (State.HALF_DONE, "other-invitation")
    assert found.params["invitation_id"] == other.id
    assert found.params["role"] == emulator.state.role_name(role)
    assert bool(found.params.get("inviter")) is bool(who)
    assert found.params.get("wanted_role") == (None if role == "org:billing" else "Billing")
    # It can be left: then the other one stays.
    service, _ = open_for(emulator, half)
    service.leave(found)
    assert unfinished(emulator) == []
    assert [row.id for row in pending(emulator)] == [other.id]


def test_what_somebody_else_has_sent_can_be_replaced(emulator: Emulator, half: BatchItem) -> None:
    other = emulator.add_invitation("acme", LEE, role="org:member", inviter=BO)
    set_seats(emulator, left=0)  # the other one gives its own
    service, snapshot = open_for(emulator, half)
    found = service.find_unfinished(half.replaces_id)
    assert found is not None
    assert service.finish(snapshot, found).state == State.DONE
    [new] = pending(emulator)
    assert (new.id, new.role) == (found.invitation_id, "org:billing")
    assert status_of(emulator, other.id) == "revoked"


def test_where_no_call_is_left_what_somebody_else_has_sent_is_not_revoked(
    emulator: Emulator, half: BatchItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = emulator.add_invitation("acme", LEE, role="org:member", inviter=BO)
    service, snapshot = open_for(emulator, half)
    service.is_worker = True
    found = service.find_unfinished(half.replaces_id)
    assert found is not None
    spend(SINGLE_LIMIT)
    # One was left when it was looked at, and somebody else takes it.
    monkeypatch.setattr(Ledger, "get_wait", lambda *_: 0)
    with pytest.raises(exc.RateLimited):
        service.finish(snapshot, found)
    assert [row.id for row in pending(emulator)] == [other.id]
    [left] = unfinished(emulator)
    assert (left.state, left.reason) == (State.HALF_DONE, "other-invitation")


def test_what_somebody_else_has_sent_and_is_gone_again_leaves_it_half_done(
    emulator: Emulator, half: BatchItem
) -> None:
    other = emulator.add_invitation("acme", LEE, role="org:member", inviter=BO)
    assert unfinished(emulator)[0].reason == "other-invitation"
    other.state = "revoked"
    [found] = unfinished(emulator)
    assert (found.state, found.reason) == (State.HALF_DONE, "absent")


def test_who_has_accepted_what_somebody_else_has_sent_lacks_nothing(
    emulator: Emulator, half: BatchItem
) -> None:
    other = emulator.add_invitation("acme", LEE, role="org:member", inviter=BO)
    follow(emulator, other.id)
    other.state = "accepted"
    assert unfinished(emulator) == []
    half.refresh_from_db()
    assert (half.state, half.reason) == (State.REFUSED, "AlreadyMember")


def test_who_accepted_before_the_revocation_is_a_member_and_lacks_nothing(
    emulator: Emulator, half: BatchItem
) -> None:
    emulator.state.invitations[half.replaces_id].state = "accepted"
    assert unfinished(emulator) == []
    half.refresh_from_db()
    assert (half.state, half.reason) == (State.REFUSED, "InvitationNotPending")


def test_while_clerk_cannot_be_asked_it_stays_on_offer(emulator: Emulator, half: BatchItem) -> None:
    service = make_service(emulator)
    service.open()
    emulator.fault("GET", LIST, times=None, drop="before")
    assert [item.pk for item in service.get_unfinished()] == [half.pk]


def test_an_invitation_from_before_is_not_taken_for_the_new_one(emulator: Emulator) -> None:
    emulator.add_invitation("acme", LEE, state="accepted", created_ago=9_000_000)
    emulator.fault("POST", CREATE, status=500)
    resend(emulator, invited(emulator))
    assert len(unfinished(emulator)) == 1


def test_no_more_than_five_are_looked_after_at_once(emulator: Emulator) -> None:
    rows = [emulator.add_invitation("acme", f"lee{i}@example.com") for i in range(7)]
    for row in rows:
        emulator.fault("POST", CREATE, status=500)
        resend(emulator, row.id)
    asked(emulator)
    assert len(unfinished(emulator)) == 5
    service = make_service(emulator)
    service.open()
    # But each can be finished by who asks for it.
    assert all(service.find_unfinished(row.id) is not None for row in rows)


def test_the_reason_is_one_that_can_be_said(half: BatchItem) -> None:
    from org_invitations.wording import Wording

    assert Wording().for_item(half.reason, half.params)
    assert Reason(half.reason, half.params).name == "ServiceUnavailable"
