"""Every fault at every step of a resend: what is kept, shown and true at Clerk's must agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.core.cache import cache
from django.db import connection

from org_invitations.clients import get_client
from org_invitations.emulator import ConnectionDropped, Emulator, EmulatorRequest, EmulatorServer
from org_invitations.emulator.state import Invitation
from org_invitations.models import Batch, BatchItem
from org_invitations.services import InvitationService
from org_invitations.services.limits import SINGLE_LIMIT
from org_invitations.signals import invitation_created, invitation_revoked
from tests.gates import Gate, impatient
from tests.leases import let_time_pass
from tests.ledger import spend

from .conftest import LIST, Browser, pending, text_of
from .test_resend import (
    CREATE,
    LEE,
    LISTED,
    REVOKE,
    answer,
    lees,
    said,
    turn,
    url_of,
)

State = BatchItem.State

FAULTS: Final[dict[str, dict[str, Any]]] = {
    "none": {},
    "dropped before": {"drop": "before"},
    "dropped after": {"drop": "after"},
    "500": {"status": 500},
    "500, and it happened": {"status": 500, "write": True},
    "502": {"status": 502},
    "502, and it happened": {"status": 502, "write": True},
    "503": {"status": 503, "headers": {"Retry-After": "9"}},
    "504, and it happened": {"status": 504, "write": True},
    "429": {"status": 429, "headers": {"Retry-After": "90"}, "body": "{}"},
    "429 without a time": {"status": 429, "body": "{}"},
    "403": {"status": 403, "body": {"errors": [{"code": "x", "long_message": "Because."}]}},
    "404": {"status": 404, "body": {"errors": [{"code": "resource_not_found"}]}},
    "422": {"status": 422, "body": {"errors": [{"code": "form_param_invalid"}]}},
    "the answer is late": {"delay": 1},
    "the call is late": {"hold": 1},
    "html": {"garbage": "html"},
    "truncated": {"garbage": "truncated"},
    "invalid json": {"garbage": "invalid-json"},
    "another json": {"garbage": "wrong-json"},
    "empty": {"garbage": "empty"},
}

#: Where the fault is, and in which status the old invitation was.
PLACES: Final = (
    ("revoke", "pending"),
    ("create", "pending"),
    ("create", "expired"),
    ("create", "revoked"),
)


@pytest.fixture
def clerk(clerk_emulator_server: EmulatorServer) -> Emulator:
    """A Clerk behind a socket: what comes late takes effect when nobody listens any more."""
    return clerk_emulator_server.emulator


@pytest.fixture
def row(clerk: Emulator) -> Invitation:
    return clerk.add_invitation("acme", LEE, role="org:billing", expires_in_days=12, notify=False)


def mails(clerk: Emulator) -> int:
    return sum(mail.to == LEE for mail in clerk.state.mails.values())


def writes(clerk: Emulator) -> int:
    return sum(call.method == "POST" for call in clerk.requests)


def works(clerk: Emulator, row: Invitation) -> bool:
    """Whether the link of an invitation lets somebody in; it is not used up by looking."""
    link = clerk.accept_url(row.ticket).removeprefix(clerk.base_url)
    return clerk.handle(EmulatorRequest("HEAD", link, {}, b"")).status == 204


def lose_lookups(clerk: Emulator, row: Invitation) -> None:
    """Let nobody find out what has become of a write: of an invitation, or of an address."""
    handle = clerk.handle

    def lose(request: EmulatorRequest, **more: Any) -> Any:
        is_lookup = request.argument("email_address") or request.path.endswith(row.id)
        if request.method == "GET" and is_lookup and writes(clerk):
            raise ConnectionDropped(after_write=False)
        return handle(request, **more)

    clerk.handle = lose  # type: ignore[method-assign]


def agrees(clerk: Emulator, old: Invitation, status: str, words: str) -> BatchItem:
    """Hold what is kept and what was said against what is true."""
    item = BatchItem.objects.get()
    living = lees(clerk)
    sent = "New invitation sent to" in words
    match item.state:
        case State.DONE:
            assert sent
            assert [one.id for one in living] == [item.invitation_id] != [old.id]
            assert works(clerk, living[0])
            assert not works(clerk, old)
            assert mails(clerk) == 1
        case State.HALF_DONE:
            assert f"The invitation to {LEE} was revoked" in words
            assert "Send it now" in words
            assert old.state == "revoked"
            assert status != "expired"
            assert living == []
        case State.UNSETTLED:
            assert "we do not know whether" in words
        case _:
            assert item.state in (State.REFUSED, State.FAILED, State.WAITING)
            assert old.status(clerk.clock.now_ms()) == status
            assert [one.id for one in living] == ([old.id] if status == "pending" else [])
            assert "Send it now" not in words
    assert sent is (item.state == State.DONE)
    assert mails(clerk) <= 1
    assert len(living) <= 1
    return item


def show(browser: Browser, response: Any, *, htmx: bool) -> str:
    """What somebody reads after their press, on the page that it leads to."""
    if htmx or response.status_code != 303:
        return text_of(response)
    return f"{said(response)} {text_of(browser.get(response['Location']))}"


#: After which nobody knows whether it happened: there it matters whether that can be looked up.
IN_DOUBT: Final = tuple(
    fault
    for fault in FAULTS
    if fault == "500" or "happened" in fault or "late" in fault or "dropped" in fault
)
#: One of each kind. Whether htmx asks or not is a matter of how it is said, and an invitation that
#: is pending no more one of what is not asked.
SOME: Final = ("none", "dropped after", "500", "429", "403", "truncated")


def cases() -> Iterator[Any]:
    """A place, a status, a fault, whether it can be looked up, and whether htmx asks."""
    for place, status in PLACES:
        for fault in FAULTS if status == "pending" else SOME:
            yield place, status, fault, "answered", True
        for fault in IN_DOUBT if status == "pending" else ("dropped after",):
            yield place, status, fault, "lost", True
        for fault in SOME if status == "pending" else ():
            yield place, status, fault, "answered", False


@pytest.mark.exhaustive
@pytest.mark.parametrize(("place", "status", "fault", "lookup", "htmx"), list(cases()))
def test_what_is_kept_what_is_said_and_what_is_true_agree(
    ada: Browser, clerk: Emulator, row: Invitation,
    place: str, status: str, fault: str, lookup: str, htmx: bool,
) -> None:  # fmt: skip
    turn(row, status)
    url = url_of(row)
    data = answer(ada.get(url))
    clerk.clear_requests()
    if FAULTS[fault]:
        clerk.fault("POST", REVOKE if place == "revoke" else CREATE, **FAULTS[fault])
    late = Gate(clerk)
    if lookup == "lost":
        lose_lookups(clerk, row)
    with impatient(get_client(), int((place, status) == ("create", "pending"))):
        response = ada.post(url, data, target=LISTED if htmx else None)
    clerk.__dict__.pop("handle", None)
    clerk.faults.clear()
    first = BatchItem.objects.get().state
    words = show(ada, response, htmx=htmx)
    item = BatchItem.objects.get()
    if first == item.state:
        agrees(clerk, row, status, words)

    # The same press again does nothing more.
    before = writes(clerk)
    again = ada.post(url, data, target=LISTED if htmx else None)
    assert writes(clerk) == before
    assert again.status_code < 500 or again.status_code == 503

    # Whatever was late has come by now, and the list tells the truth.
    late.open()
    let_time_pass()
    listed = text_of(ada.get())
    item = BatchItem.objects.get()
    assert item.state not in (State.UNDER_WAY, State.UNSETTLED)
    assert ("Send it now" in listed) is (item.state == State.HALF_DONE)
    sent = "New invitation sent to" if item.state == State.DONE else ""
    agrees(clerk, row, status, f"{listed} {sent}")

    if item.state == State.HALF_DONE and "429" not in fault:
        response = ada.post(url, {"finish": "1"}, target=LISTED if htmx else None)
        agrees(clerk, row, status, show(ada, response, htmx=htmx))
        assert BatchItem.objects.get().state == State.DONE
    assert mails(clerk) == len(lees(clerk)) or lees(clerk) == [row]


# --- Before anything is revoked ------------------------------------------------------------------


def _full(clerk: Emulator) -> None:
    organization = clerk.organization("acme")
    members = len(clerk.state.members_of(organization.id))
    organization.max_allowed_memberships = members + len(pending(clerk)) - 1


def _spent(clerk: Emulator) -> None:
    spend(SINGLE_LIMIT)


def _locked(clerk: Emulator) -> None:
    clerk.configure(role_migrations={"role_set:default": True})


def _silent(clerk: Emulator) -> None:
    clerk.fault("GET", "*/role_sets/*", times=None, status=500)


def _demoted(clerk: Emulator) -> None:
    acme = clerk.organization("acme").id
    row = clerk.state.membership(acme, clerk.user("ada@acme.test").id)
    assert row is not None
    row.role = "org:people_manager"


HINDRANCES: Final = {
    "no seat is left": (_full, 422, "has no seat left"),
    "the hour is used up": (_spent, 429, "Try again in 60 minutes"),
    "the roles are locked": (_locked, 422, "Roles are being changed"),
    "the roles cannot be had": (_silent, 503, "roles could not be loaded"),
    "the role is above one's own": (_demoted, 422, "You cannot give this role"),
}


@pytest.mark.parametrize("htmx", [True, False])
@pytest.mark.parametrize("name", ["resend", "change"])
@pytest.mark.parametrize("hindrance", HINDRANCES)
def test_what_stands_in_the_way_is_found_before_anything_is_revoked(
    ada: Browser, clerk: Emulator, row: Invitation, hindrance: str, name: str, htmx: bool
) -> None:
    happen, status, words = HINDRANCES[hindrance]
    url = url_of(row, name)
    data = answer(ada.get(url))
    from django.core.cache import cache

    cache.clear()  # what the question had learned is old by now
    happen(clerk)
    clerk.clear_requests()
    response = ada.post(url, data, target=LISTED if htmx else None)
    assert response.status_code == status
    assert words in text_of(response)
    assert [call.path for call in clerk.requests if call.method == "POST"] == []
    assert lees(clerk) == [row]
    assert works(clerk, row)
    assert not BatchItem.objects.filter(state__in=BatchItem.OPEN).exists()


# --- What was found missing ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["resend", "change"])
def test_a_role_that_cannot_be_given_leaves_the_choice_open_in_a_browser_too(
    sign_in: Any, clerk: Emulator, name: str
) -> None:
    row = clerk.add_invitation("acme", LEE, role="org:admin")
    mia = sign_in("mia@acme.test", "acme")
    select = re.search(
        r'<select name="role".*?</select>', mia.get(url_of(row, name)).text, re.DOTALL
    )
    assert select is not None
    # With nothing selected, a browser sends the first option.
    options = re.findall(r'<option value="([^"]*)"( selected)?', select[0])
    assert options[0] in (("", ""), ("", " selected"))
    assert not any(selected for value, selected in options if value)


def resend_selected(browser: Browser, row: Invitation) -> None:
    url = f"{LIST}selected/"
    chosen = {"action": "resend", "selected": [row.id]}
    question = browser.post(url, chosen)
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', question.text))
    assert browser.post(url, hidden | chosen | {"confirmed": "1"}).status_code == 303


def test_the_redirect_outlives_however_many_resends_of_many(ada: Browser, clerk: Emulator) -> None:
    chosen = "https://example.com/welcome"
    row = clerk.add_invitation("acme", LEE, redirect_url=chosen)
    batch = Batch.objects.create(
        organization_id=row.organization_id,
        user_id="user_x",
        action="invite",
        options={"redirect_url": chosen},
    )
    BatchItem.objects.create(batch=batch, number=0, invitation_id=row.id, state=State.DONE)
    for _ in range(3):
        [before] = lees(clerk)
        resend_selected(ada, before)
        [after] = lees(clerk)
        assert after.id != before.id
        assert after.redirect_url == chosen
    ada.post(url_of(after), answer(ada.get(url_of(after))))
    assert lees(clerk)[0].redirect_url == chosen


@pytest.mark.django_db
def test_two_that_each_took_the_place_of_the_other_end_no_search() -> None:
    from org_invitations.services.batches.resend import _find_redirect

    batch = Batch.objects.create(organization_id="o", user_id="u", action="resend")
    for number, (new, old) in enumerate((("a", "b"), ("b", "a"))):
        BatchItem.objects.create(batch=batch, number=number, invitation_id=new, replaces_id=old)
    assert _find_redirect("a") == ""


def test_nobody_is_said_to_have_lost_an_invitation_that_had_expired(
    ada: Browser, clerk: Emulator, row: Invitation
) -> None:
    turn(row, "expired")
    data = answer(ada.get(url_of(row)))
    clerk.fault("POST", CREATE, drop="before")
    response = ada.post(url_of(row), data, target=LISTED)
    assert "we do not know whether" in text_of(response)
    assert "was revoked, but" not in text_of(response)
    let_time_pass()
    assert "was revoked, but" not in text_of(ada.get())
    assert BatchItem.objects.get().state == State.FAILED


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"status": 500}, "Clerk did not answer properly."),
        (
            {
                "status": 403,
                "body": {"errors": [{"code": "missing_organization_permission", "message": "no"}]},
            },
            "Whoever sent it may not manage members any more.",
        ),
    ],
)
def test_why_the_second_half_is_missing_does_not_say_that_nothing_was_done(
    ada: Browser, clerk: Emulator, row: Invitation, fault: dict[str, Any], why: str
) -> None:
    data = answer(ada.get(url_of(row)))
    clerk.fault("POST", CREATE, **fault)
    ada.post(url_of(row), data)
    words = text_of(ada.get())
    assert f"was revoked, but the new one could not be sent. {why} {LEE}" in words
    batch = BatchItem.objects.get().batch_id
    told = text_of(ada.get(f"{LIST}outcomes/{batch}/"))
    assert f"was revoked, but the new one could not be sent. {why}" in told
    assert "nothing was done" not in words + told


# --- At the same moment --------------------------------------------------------------------------


@pytest.fixture
def half(ada: Browser, clerk: Emulator, row: Invitation) -> str:
    """The URL of a resend that stopped half-way."""
    data = answer(ada.get(url_of(row)))
    clerk.fault("POST", CREATE, status=500)
    ada.post(url_of(row), data)
    assert lees(clerk) == []
    return url_of(row)


def test_a_role_that_needs_the_tick_is_not_given_without_it_while_the_roles_are_not_known(
    ada: Browser, clerk: Emulator, row: Invitation
) -> None:
    row.role = "org:admin"
    data = answer(ada.get(url_of(row)), confirm_elevated="on")
    clerk.fault("POST", CREATE, status=500)
    ada.post(url_of(row), data)
    cache.clear()
    clerk.fault("GET", "*/organization_roles", status=500)  # once: the next look succeeds
    response = ada.post(url_of(row), {"finish": "1"})
    assert response.status_code == 503
    assert "The roles could not be loaded" in text_of(response)
    assert (BatchItem.objects.get().state, lees(clerk)) == (State.HALF_DONE, [])


def test_one_of_which_nobody_knows_leads_to_its_outcome(
    ada: Browser, sign_in: Any, clerk: Emulator, row: Invitation
) -> None:
    data = answer(ada.get(url_of(row)))
    clerk.fault("POST", CREATE, drop="after")
    clerk.fault("GET", CREATE, times=None, drop="before")
    response = ada.post(url_of(row), data)
    outcome = f'href="{LIST}outcomes/{BatchItem.objects.get().batch_id}/"'
    assert "do not know whether" in said(response)
    assert outcome in said(response)
    # A colleague's outcomes are nobody's business.
    assert outcome not in said(sign_in("bo@both.test", "acme").post(url_of(row), {"finish": "1"}))


def test_who_leaves_what_somebody_is_just_finishing_is_told(
    ada: Browser, sign_in: Any, clerk: Emulator, half: str
) -> None:
    bo = sign_in("bo@both.test", "acme")
    late: list[Any] = []

    def leave(**_: Any) -> None:
        late.append(bo.post(half, {"leave": "1"}))

    invitation_created.connect(leave)
    try:
        ada.post(half, {"finish": "1"})
    finally:
        invitation_created.disconnect(leave)
    assert "stays uninvited" not in said(late[0])
    assert BatchItem.objects.get().state == State.DONE
    assert len(lees(clerk)) == 1


@pytest.mark.parametrize("press", ["finish", "leave"])
def test_who_presses_after_somebody_has_finished_undoes_nothing(
    ada: Browser, sign_in: Any, clerk: Emulator, half: str, press: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    bo = sign_in("bo@both.test", "acme")
    get_unfinished = InvitationService.get_unfinished
    done: list[Any] = []

    def find_late(service: Any, replaces_id: str = "") -> Any:
        found = get_unfinished(service, replaces_id)
        if not done:  # between the look and the press
            done.append(1)
            ada.post(half, {"finish": "1"})
        return found

    with monkeypatch.context() as patch:
        patch.setattr(InvitationService, "get_unfinished", find_late)
        response = bo.post(half, {press: "1"})
    assert f"New invitation sent to {LEE}" in said(response)
    item = BatchItem.objects.get()
    [new] = lees(clerk)
    assert (item.state, item.invitation_id) == (State.DONE, new.id)
    assert mails(clerk) == 1


def test_a_look_at_the_list_does_not_overwrite_what_is_finished_meanwhile(
    ada: Browser, sign_in: Any, clerk: Emulator, half: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bo = sign_in("bo@both.test", "acme")
    from org_invitations.services.batches import reconcile

    settle = reconcile.settle_resend
    done: list[Any] = []

    def settle_late(item: BatchItem, *arguments: Any) -> None:
        settle(item, *arguments)
        item.reason = "absent"  # something else than it was
        if not done:  # Clerk has answered, and before that is kept somebody finishes it
            done.append(1)
            ada.post(half, {"finish": "1"})

    with monkeypatch.context() as patch:
        patch.setattr(reconcile, "settle_resend", settle_late)
        bo.get()
    item = BatchItem.objects.get()
    assert (item.state, item.invitation_id) == (State.DONE, lees(clerk)[0].id)


def test_of_two_presses_in_two_tabs_one_sends_and_the_other_is_told(
    ada: Browser, sign_in: Any, clerk: Emulator, row: Invitation
) -> None:
    bo = sign_in("bo@both.test", "acme")
    mine, other = answer(ada.get(url_of(row))), answer(bo.get(url_of(row)))
    told: list[Any] = []

    def press(**_: Any) -> None:
        invitation_revoked.disconnect(press)
        told.append(bo.post(url_of(row), other))

    invitation_revoked.connect(press)
    ada.post(url_of(row), mine)
    assert told[0].status_code == 409
    assert f"Somebody has revoked the invitation to {LEE}" in text_of(told[0])
    assert len(lees(clerk)) == mails(clerk) == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("accepted", "Accepted meanwhile: the person is a member now"),
        ("revoked", "Was revoked already."),
        ("expired", "Has expired already."),
    ],
)
@pytest.mark.parametrize("htmx", [True, False])
def test_what_happens_between_the_look_and_the_revocation_is_told_and_names_the_person(
    ada: Browser, clerk: Emulator, row: Invitation, monkeypatch: pytest.MonkeyPatch,
    status: str, words: str, htmx: bool,
) -> None:  # fmt: skip
    from org_invitations.services.batches import resend, revoke

    data = answer(ada.get(url_of(row)))
    revoke_really = revoke.revoke_for_sure

    def late(*arguments: Any, **more: Any) -> Any:
        turn(row, status)
        return revoke_really(*arguments, **more)

    monkeypatch.setattr(resend, "revoke_for_sure", late)
    response = ada.post(url_of(row), data, target=LISTED if htmx else None)
    assert response.status_code == (200 if htmx else 409)
    assert f"{LEE}: {words}" in text_of(response)
    assert mails(clerk) == 0
    assert row.status(clerk.clock.now_ms()) == status


# --- Sites that wrap every request in a transaction ----------------------------------------------


def test_with_atomic_requests_a_crash_between_the_halves_is_found_too(
    ada: Browser, clerk: Emulator, row: Invitation, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(Exception):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Crash

    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    data = answer(ada.get(url_of(row)))
    with monkeypatch.context() as patch:
        patch.setattr("org_invitations.services.batches.resend.create_for_sure", die)
        with pytest.raises(Crash):
            ada.post(url_of(row), data)
    assert BatchItem.objects.get().state == State.UNDER_WAY
    assert "Send it now" not in text_of(ada.get())
    let_time_pass()
    assert "Send it now" in text_of(ada.get())
    assert BatchItem.objects.get().state == State.HALF_DONE
    ada.post(url_of(row), {"finish": "1"})
    assert works(clerk, lees(clerk)[0])


@pytest.mark.parametrize("failing", ["revoked", "created"])
def test_a_listener_that_fails_stops_nothing(
    ada: Browser, clerk: Emulator, row: Invitation, failing: str
) -> None:
    def fail(**_: Any) -> None:
        raise ValueError

    signal = invitation_revoked if failing == "revoked" else invitation_created
    signal.connect(fail)
    try:
        assert ada.post(url_of(row), answer(ada.get(url_of(row)))).status_code == 303
    finally:
        signal.disconnect(fail)
    assert BatchItem.objects.get().state == State.DONE
    assert len(lees(clerk)) == 1
