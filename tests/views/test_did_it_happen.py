"""Did my write happen? What is claimed, what is not yet known, and what is corrected later."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import pytest
from django.test import override_settings

from org_invitations.clerk import OrganizationAPI
from org_invitations.clerk.marks import get_mark
from org_invitations.emulator import Emulator
from org_invitations.forms import InviteForm
from org_invitations.models import Batch, BatchItem
from org_invitations.services.batches.invite import InviteWorker
from tests.leases import let_time_pass

from .conftest import LIST, Browser, text_of
from .inviting import BULK, mails, press, review_of, type_in

State = BatchItem.State

LEE: Final = "lee@example.com"
KIM: Final = "kim@example.com"
CREATE: Final = "/v1/organizations/*/invitations"
REVOKE: Final = "/v1/organizations/*/invitations/*/revoke"

EXHAUSTIVE: Final = pytest.mark.exhaustive

#: How a write can get lost without having happened.
LOST: Final[dict[str, dict[str, Any]]] = {
    "reset": {"drop": "before"},
    "500": {"status": 500},
    "503": {"status": 503},
    "Cloudflare's 524": {"status": 524},
}


@pytest.fixture(params=["told", "not told", "not marked"])
def marks(request: pytest.FixtureRequest, clerk: Emulator, settings: Any) -> str:
    """Whether Clerk tells the marks of invitations, or there are none."""
    if request.param == "not told":
        clerk.configure(private_metadata_told=False)
    settings.ORG_INVITATIONS_MARK_INVITATIONS = request.param != "not marked"
    return str(request.param)


def pending_of(clerk: Emulator, address: str) -> list[Any]:
    rows = clerk.invitations("acme", "pending")
    return [row for row in rows if row.email_address == address]


def resend(ada: Browser, invitation_id: str, **more: Any) -> Any:
    data = {"role": "org:billing", "expires_in_days": "30", "batch": str(uuid4()), **more}
    return ada.post(f"{LIST}{invitation_id}/resend/", data)


def resend_unanswered(ada: Browser, clerk: Emulator, row: Any) -> None:
    """Send one again where Clerk revokes it, and answers nothing to the create."""
    clerk.fault("POST", CREATE, drop="before")
    resend(ada, row.id)


def resend_selected(ada: Browser, *ids: str) -> Any:
    data = {"action": "resend", "selected": ids, "confirmed": "1", "batch": str(uuid4())}
    return ada.post(f"{LIST}selected/", data)


def outcome_of(ada: Browser, item: BatchItem) -> str:
    return text_of(ada.get(f"{LIST}outcomes/{item.batch_id}/"))


# --- 1. What was there before is not claimed -----------------------------------------------------


@pytest.mark.exhaustive
@pytest.mark.parametrize("lost", LOST)
def test_an_invitation_that_was_there_before_is_not_claimed(
    ada: Browser, clerk: Emulator, marks: str, lost: str
) -> None:
    type_in(ada, LEE, no_email="on")
    [first] = pending_of(clerk, LEE)
    clerk.fault("POST", CREATE, **LOST[lost])
    response = type_in(ada, LEE, expires_in_days="90")
    words = text_of(response)
    assert "Invitation sent to" not in words + text_of(ada.get())
    assert pending_of(clerk, LEE) == [first]
    assert mails(clerk)[LEE] == 0
    states = BatchItem.objects.order_by("batch__created_at").values_list("state", flat=True)
    assert states[0] == State.DONE
    assert states[1] != State.DONE


@pytest.mark.exhaustive
@pytest.mark.parametrize("lost", LOST)
def test_and_neither_where_it_is_the_very_same_wish(
    ada: Browser, clerk: Emulator, marks: str, lost: str
) -> None:
    type_in(ada, LEE)
    ada.get()  # what is said of the first one is read
    clerk.fault("POST", CREATE, **LOST[lost])
    assert "Invitation sent to" not in text_of(type_in(ada, LEE))
    assert BatchItem.objects.filter(state=State.DONE).count() == 1


@pytest.mark.parametrize(
    "lost", [name if name == "reset" else pytest.param(name, marks=EXHAUSTIVE) for name in LOST]
)
def test_nor_by_one_of_many(
    ada: Browser, clerk: Emulator, marks: str, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = review_of(type_in(ada, f"{LEE} {KIM}"))

    get_options = InviteForm.get_options

    def invite_meanwhile(form: InviteForm) -> dict[str, Any]:
        # The same person, somewhere else, right after the last look at what there is.
        clerk.add_invitation("acme", LEE, inviter="ada@acme.test")
        return get_options(form)

    monkeypatch.setattr(InviteForm, "get_options", invite_meanwhile)
    clerk.fault("POST", BULK, **LOST[lost])
    press(ada, question)
    assert len(pending_of(clerk, LEE)) == 1
    assert not BatchItem.objects.filter(state=State.DONE).exists()
    let_time_pass()
    outcome_of(ada, BatchItem.objects.latest("pk"))
    assert not BatchItem.objects.filter(state=State.DONE).exists()


def test_nor_after_a_crash(
    ada: Browser, clerk: Emulator, marks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(ada, LEE)
    with monkeypatch.context() as patch:
        patch.setattr("org_invitations.clerk.OrganizationAPI.invite_member", _die)
        with pytest.raises(SystemExit):
            type_in(ada, LEE, no_email="on")
    let_time_pass()
    first, second = BatchItem.objects.order_by("batch__created_at")
    assert second.state == State.UNDER_WAY
    outcome_of(ada, second)
    second.refresh_from_db()
    assert (second.state, second.invitation_id) == (State.REFUSED, "")
    first.refresh_from_db()
    assert first.state == State.DONE


def _die(*_: Any, **__: Any) -> Any:
    raise SystemExit("the process was killed")


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "lost", [{"drop": "after"}, {"status": 500, "write": True}, {"status": 503, "write": True}]
)
@pytest.mark.parametrize("text", [LEE, f"{LEE} {KIM}"])
def test_what_did_happen_is_claimed(
    ada: Browser, clerk: Emulator, marks: str, lost: dict[str, Any], text: str
) -> None:
    clerk.fault("POST", "*/invitations*", **lost)
    response = type_in(ada, text)
    if text != LEE:
        press(ada, review_of(response))
    assert set(BatchItem.objects.values_list("state", flat=True)) == {State.DONE}
    ids = set(BatchItem.objects.values_list("invitation_id", flat=True))
    assert ids == {row.id for row in pending_of(clerk, LEE) + pending_of(clerk, KIM)} - (
        {""} if text == LEE else set()
    )


@pytest.mark.parametrize("text", [LEE, f"{LEE} {KIM}"])
def test_and_so_is_what_was_revoked_before_anybody_looked(
    ada: Browser, clerk: Emulator, marks: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = OrganizationAPI.get_invitations

    def look_late(api: OrganizationAPI, **order: Any) -> Any:
        for row in pending_of(clerk, LEE):
            row.state = "revoked"
        return look(api, **order)

    response = type_in(ada, text)
    if text == LEE:
        pending_of(clerk, LEE)[0].state = "revoked"
    clerk.fault("POST", "*/invitations*", status=500, write=True)
    with monkeypatch.context() as patch:
        patch.setattr(OrganizationAPI, "get_invitations", look_late)
        type_in(ada, text) if text == LEE else press(ada, review_of(response))
    assert set(BatchItem.objects.values_list("state", flat=True)) == {State.DONE}


def test_what_was_made_before_a_crash_is_claimed_whatever_became_of_it(
    ada: Browser, clerk: Emulator, marks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(InviteWorker, "_close_done", _die)
        with pytest.raises(SystemExit):
            type_in(ada, LEE)
    [row] = pending_of(clerk, LEE)
    row.state = "revoked"
    let_time_pass()
    item = BatchItem.objects.get()
    outcome_of(ada, item)
    item.refresh_from_db()
    assert (item.state, item.invitation_id) == (State.DONE, row.id)


# --- The mark ------------------------------------------------------------------------------------


def test_the_mark_is_opaque_and_each_item_has_its_own(ada: Browser, clerk: Emulator) -> None:
    press(ada, review_of(type_in(ada, f"{LEE} {KIM}")))
    rows = pending_of(clerk, LEE) + pending_of(clerk, KIM)
    marks = [get_mark(row.private_metadata) for row in rows]
    assert len(set(marks)) == 2
    assert all(list(row.private_metadata) == ["org_invitations"] for row in rows)
    for secret in (LEE, "user_", "org_", str(Batch.objects.get().pk)):
        assert not any(secret in mark for mark in marks)


@override_settings(ORG_INVITATIONS_MARK_INVITATIONS=False)
def test_a_setting_leaves_the_mark_out(ada: Browser, clerk: Emulator) -> None:
    type_in(ada, LEE)
    press(ada, review_of(type_in(ada, f"{KIM} ann@example.com")))
    [row] = pending_of(clerk, LEE)
    resend(ada, row.id)
    assert [call.body for call in clerk.requests if call.method == "POST"]
    assert all(not row.private_metadata for row in clerk.invitations("acme"))


def test_the_mark_is_shown_and_exported_nowhere(ada: Browser, clerk: Emulator) -> None:
    type_in(ada, LEE)
    [row] = pending_of(clerk, LEE)
    mark = get_mark(row.private_metadata)
    item = BatchItem.objects.get()
    pages = [
        ada.get(),
        ada.get(f"{LIST}export/"),
        ada.get(f"{LIST}{row.id}/resend/"),
        ada.get(f"{LIST}{row.id}/link/"),
        ada.get(f"{LIST}outcomes/{item.batch_id}/"),
        ada.get(f"{LIST}outcomes/{item.batch_id}/?format=csv"),
    ]
    for page in pages:
        assert page.status_code == 200
        assert mark not in page.content.decode()


# --- 2. Nobody knows, until the time is over -----------------------------------------------------


@pytest.fixture
def row(clerk: Emulator) -> Any:
    return clerk.add_invitation("acme", LEE, role="org:billing", inviter="ada@acme.test")


def late(clerk: Emulator, item: BatchItem) -> Any:
    """Let Clerk finish the create of a resend that it was still at work on."""
    return clerk.add_invitation(
        "acme",
        LEE,
        role="org:billing",
        inviter="ada@acme.test",
        private_metadata={"org_invitations": item.attempt["mark"]},
    )


def test_a_resend_of_which_nobody_knows_can_neither_be_finished_nor_left(
    ada: Browser, clerk: Emulator, row: Any
) -> None:
    resend_unanswered(ada, clerk, row)
    page = ada.get()
    words = text_of(page)
    assert f"it is not known yet whether {LEE} has a new invitation" in words
    assert "Send it now" not in words
    assert "Leave uninvited" not in words
    for what in ("finish", "leave"):
        clerk.clear_requests()
        ada.post(f"{LIST}{row.id}/resend/", {what: "1"})
        assert not [call for call in clerk.requests if call.method == "POST"]
    assert BatchItem.objects.get().state == State.UNSETTLED
    made = late(clerk, BatchItem.objects.get())
    assert "not known yet" not in text_of(ada.get())
    item = BatchItem.objects.get()
    assert (item.state, item.invitation_id) == (State.DONE, made.id)


def test_once_the_time_is_over_clerk_shows_nothing_and_a_person_decides(
    ada: Browser, clerk: Emulator, row: Any
) -> None:
    resend_unanswered(ada, clerk, row)
    let_time_pass()
    words = text_of(ada.get())
    assert "Clerk did not answer, and shows nothing of it since." in words
    assert "Send it now" in words
    ada.post(f"{LIST}{row.id}/resend/", {"finish": "1"})
    assert [one.role for one in pending_of(clerk, LEE)] == ["org:billing"]


def test_what_was_left_and_shows_up_later_is_corrected(
    ada: Browser, clerk: Emulator, row: Any
) -> None:
    resend_unanswered(ada, clerk, row)
    let_time_pass()
    ada.post(f"{LIST}{row.id}/resend/", {"leave": "1"})
    item = BatchItem.objects.get()
    assert (item.state, item.reason) == (State.REFUSED, "half-done")
    made = late(clerk, item)
    words = outcome_of(ada, item)
    assert "1 sent" in words
    item.refresh_from_db()
    assert (item.state, item.invitation_id) == (State.DONE, made.id)


def test_what_shows_up_while_it_is_finished_is_not_sent_twice(
    ada: Browser, clerk: Emulator, row: Any
) -> None:
    resend_unanswered(ada, clerk, row)
    let_time_pass()
    ada.get()
    clerk.fault("GET", CREATE, status=503, times=3)  # the look before: it stays on offer
    made = late(clerk, BatchItem.objects.get())
    ada.post(f"{LIST}{row.id}/resend/", {"finish": "1"})
    item = BatchItem.objects.get()
    assert (item.state, item.invitation_id) == (State.DONE, made.id)
    assert pending_of(clerk, LEE) == [made]


def test_a_revocation_that_was_given_up_and_took_effect_later_is_corrected(
    ada: Browser, clerk: Emulator, row: Any
) -> None:
    clerk.fault("POST", REVOKE, drop="before")
    data = {"action": "revoke", "selected": [row.id], "confirmed": "1", "batch": str(uuid4())}
    ada.post(f"{LIST}selected/", data)
    item = BatchItem.objects.get()
    assert "1 not known yet" in outcome_of(ada, item)
    let_time_pass()
    assert "the invitation is still pending. Try again." in outcome_of(ada, item)
    item.refresh_from_db()
    assert (item.state, item.reason) == (State.FAILED, "absent")
    row.state = "revoked"
    assert "1 revoked" in outcome_of(ada, item)


# --- What nobody will ever know ------------------------------------------------------------------


@pytest.fixture
def unmarked(clerk: Emulator, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is marked, and this machine's clock is ahead of Clerk's."""
    settings.ORG_INVITATIONS_MARK_INVITATIONS = False

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return super().now(tz) + timedelta(seconds=30)

    monkeypatch.setattr("org_invitations.services.batches.reconcile.datetime", Ahead)


@pytest.mark.usefixtures("unmarked")
def test_what_nothing_tells_from_one_before_is_said_to_stay_unknown(
    ada: Browser, clerk: Emulator
) -> None:
    clerk.fault("POST", CREATE, drop="after")
    type_in(ada, LEE)
    item = BatchItem.objects.get()
    assert "nobody knows yet" in outcome_of(ada, item)
    let_time_pass()
    words = outcome_of(ada, item)
    assert "nothing tells whether it is this one or one from before." in words
    assert "yet whether" not in words
    assert f"Resend: {LEE}" in words
    item.refresh_from_db()
    assert (item.state, item.batch.finished_at is None) == (State.UNSETTLED, False)


@pytest.mark.usefixtures("unmarked")
def test_and_nobody_is_reminded_of_such_a_resend(ada: Browser, clerk: Emulator, row: Any) -> None:
    clerk.fault("POST", CREATE, drop="after")
    resend(ada, row.id)
    assert "not known yet" in text_of(ada.get())
    let_time_pass()
    assert "not known yet" not in text_of(ada.get())
    assert "not known yet" not in text_of(ada.get())
    assert "nothing tells whether" in outcome_of(ada, BatchItem.objects.get())


@pytest.mark.usefixtures("unmarked")
def test_unless_the_person_is_not_invited_any_more(ada: Browser, clerk: Emulator, row: Any) -> None:
    clerk.fault("POST", CREATE, drop="after")
    resend(ada, row.id)
    [new] = pending_of(clerk, LEE)
    new.state = "revoked"
    let_time_pass()
    assert "Send it now" in text_of(ada.get())


# --- 3. What Clerk says of somebody whose invitation we have just revoked ------------------------

SAYS: Final = {
    "duplicate_record": ("pending", "Clerk says that an invitation is pending, but shows none."),
    "organization_invitation_not_unique": ("pending", "is pending, but shows none."),
    "already_a_member_in_organization": ("member", "Clerk says that this is a member"),
}


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("code", SAYS)
def test_that_nothing_is_missing_is_not_believed_without_a_look(
    ada: Browser, clerk: Emulator, row: Any, code: str, many: bool
) -> None:
    body = {"errors": [{"code": code, "message": code, "long_message": code}]}
    clerk.fault("POST", CREATE, status=400, body=body)
    resend_selected(ada, row.id) if many else resend(ada, row.id)
    assert pending_of(clerk, LEE) == []
    assert BatchItem.objects.get().state == State.HALF_DONE
    words = text_of(ada.get())
    assert SAYS[code][1] in words
    assert "Send it now" in words
    assert "was revoked, but the new one could not be sent" in outcome_of(
        ada, BatchItem.objects.get()
    )
    ada.post(f"{LIST}{row.id}/resend/", {"finish": "1"})
    assert len(pending_of(clerk, LEE)) == 1


def test_who_is_a_member_indeed_lacks_nothing(ada: Browser, clerk: Emulator) -> None:
    row = clerk.add_invitation("acme", "max@acme.test")
    resend_selected(ada, row.id)
    item = BatchItem.objects.get()
    assert (item.state, item.reason) == (State.REFUSED, "AlreadyMember")
    assert "Send it now" not in text_of(ada.get())


# --- What Clerk refuses for what it shows not to be so -------------------------------------------


def untrue(clerk: Emulator, path: str, code: str) -> None:
    status = 404 if path == REVOKE else 400
    body = {"errors": [{"code": code, "message": code, "long_message": code}]}
    clerk.fault("POST", path, status=status, body=body)


@pytest.mark.parametrize("code", SAYS)
def test_who_is_not_there_is_not_said_to_be(ada: Browser, clerk: Emulator, code: str) -> None:
    untrue(clerk, CREATE, code)
    words = text_of(type_in(ada, LEE))
    assert "already" not in words
    assert f"Clerk refused to invite {LEE}: it says that " in words
    assert SAYS[code][1].partition("is ")[2] in words or "shows no such member" in words
    looks = [call for call in clerk.requests if dict(call.query).get("email_address")]
    assert len(looks) == 1
    item = BatchItem.objects.get()
    assert (item.state, item.reason[-8:]) == (State.FAILED, "NotShown")
    assert "Already" not in outcome_of(ada, item)
    assert "Invitation sent to" in text_of(ada.get()) + text_of(type_in(ada, LEE)) + text_of(
        ada.get()
    )


@pytest.mark.parametrize("code", SAYS)
def test_nor_of_one_of_many(ada: Browser, clerk: Emulator, code: str) -> None:
    question = review_of(type_in(ada, f"{LEE} {KIM}"))
    body = {"errors": [{"code": code, "long_message": LEE, "meta": {"email_addresses": [LEE]}}]}
    clerk.fault("POST", BULK, status=400, body=body)
    press(ada, question)
    first, second = BatchItem.objects.order_by("number")
    assert (first.state, second.state) == (State.FAILED, State.DONE)
    words = outcome_of(ada, first)
    assert "Already" not in words
    assert "Clerk refused this: it says that " in words


@pytest.mark.parametrize("code", SAYS)
def test_nor_of_somebody_who_is_invited_again(ada: Browser, clerk: Emulator, code: str) -> None:
    row = clerk.add_invitation("acme", LEE)
    row.state = "revoked"
    untrue(clerk, CREATE, code)
    assert f"Clerk refused to invite {LEE}" in text_of(resend(ada, row.id))
    assert BatchItem.objects.get().state == State.FAILED


GONE: Final = ("organization_invitation_not_pending", "resource_not_found")


@pytest.mark.parametrize("code", GONE)
@pytest.mark.parametrize("target", [None, "org-invitations-list"])
def test_what_is_pending_is_not_said_to_be_gone(
    ada: Browser, clerk: Emulator, code: str, target: str | None
) -> None:
    row = clerk.add_invitation("acme", LEE)
    untrue(clerk, REVOKE, code)
    words = text_of(ada.post(f"{LIST}{row.id}/revoke/", target=target))
    assert "but shows it as pending. Nothing was changed." in words
    assert "no longer pending" not in words
    assert "no such invitation" not in words
    assert row in pending_of(clerk, LEE)


@pytest.mark.parametrize("code", GONE)
@pytest.mark.parametrize("action", ["revoke", "resend"])
def test_nor_of_one_of_many_that_are_chosen(
    ada: Browser, clerk: Emulator, code: str, action: str
) -> None:
    row = clerk.add_invitation("acme", LEE)
    untrue(clerk, REVOKE, code)
    data = {"action": action, "selected": [row.id], "confirmed": "1", "batch": str(uuid4())}
    ada.post(f"{LIST}selected/", data)
    item = BatchItem.objects.get()
    assert (item.state, item.reason) == (State.FAILED, "InvitationStillPending")
    outcome = ada.get(f"{LIST}outcomes/{item.batch_id}/")
    assert "but shows it as pending. Try again." in text_of(outcome)
    assert outcome.context["outcome"].retry_ids == (row.id,)


@pytest.mark.parametrize("code", GONE)
def test_nor_in_the_question_before_it_is_sent_again(
    ada: Browser, clerk: Emulator, code: str
) -> None:
    row = clerk.add_invitation("acme", LEE)
    untrue(clerk, REVOKE, code)
    response = resend(ada, row.id, expires_in_days="90")
    assert "but shows it as pending. Nothing was changed." in text_of(response)
    assert 'value="90"' in response.text


def test_what_was_revoked_and_is_said_not_to_be_there_is_told_as_it_is(
    ada: Browser, clerk: Emulator
) -> None:
    row = clerk.add_invitation("acme", LEE)
    row.state = "accepted"
    untrue(clerk, REVOKE, "resource_not_found")
    words = text_of(ada.post(f"{LIST}{row.id}/revoke/"))
    assert f"{LEE} has accepted the invitation meanwhile" in words


# --- Metadata that come back empty are not told --------------------------------------------------


def test_a_lost_invitation_is_known_where_its_metadata_come_back_empty(
    ada: Browser, clerk: Emulator
) -> None:
    clerk.fault("POST", CREATE, drop="after")
    clerk.fault("GET", "*/invitations", replace={"private_metadata": {}}, times=None)
    type_in(ada, LEE)
    assert BatchItem.objects.get().state == State.DONE


def test_but_not_somebody_elses_after_it_was_known_that_nothing_was_made(
    ada: Browser, clerk: Emulator, row: Any
) -> None:
    clerk.fault("POST", CREATE, status=500)
    resend(ada, row.id)
    other = clerk.add_invitation("acme", LEE, role="org:billing", inviter="ada@acme.test")
    item = BatchItem.objects.get()
    outcome_of(ada, item)
    item.refresh_from_db()
    assert (item.state, item.reason) == (State.REFUSED, "DuplicateInvitation")
    assert item.params["invitation_id"] == other.id


@pytest.mark.parametrize("told", ["A\r\nB: C", ""])
def test_whatever_address_clerk_names_whom_it_went_to_is_said(
    ada: Browser, clerk: Emulator, told: str
) -> None:
    clerk.fault("POST", CREATE, replace={"email_address": told})
    type_in(ada, LEE)
    assert f"Invitation sent to {LEE} as Member." in text_of(ada.get())


# --- 4. Somebody else's invitation ---------------------------------------------------------------


def half_done(ada: Browser, clerk: Emulator, row: Any) -> BatchItem:
    clerk.fault("POST", CREATE, status=500)
    resend(ada, row.id)
    return BatchItem.objects.get()


@pytest.mark.parametrize("when", ["after it", "before the answer"])
def test_what_somebody_else_has_sent_is_said_and_a_person_decides(
    ada: Browser, clerk: Emulator, row: Any, when: str
) -> None:
    bo = clerk.user("bo@both.test")
    if when == "after it":
        item = half_done(ada, clerk, row)
        clerk.add_invitation("acme", LEE, role="org:member", inviter=bo.id)
    else:  # Clerk refuses ours for theirs
        clerk.fault("POST", CREATE, status=400, body={"errors": [{"code": "duplicate_record"}]})
        clerk.add_invitation("acme", LEE, role="org:member", inviter=bo.id)
        resend(ada, row.id)
        item = BatchItem.objects.get()
    page = text_of(ada.get())
    assert "its old link no longer works" in page
    assert f"The invitation to {LEE} was revoked, but" not in page
    said = "has sent another invitation meanwhile, as Member; wanted was Billing."
    assert said in page
    assert "Replace it" in page
    assert "Leave it as it is" in page
    item.refresh_from_db()
    assert item.state == State.HALF_DONE
    assert said in outcome_of(ada, item)
    ada.post(f"{LIST}{row.id}/resend/", {"finish": "1"})
    [new] = pending_of(clerk, LEE)
    assert new.role == "org:billing"
    item.refresh_from_db()
    assert (item.state, item.invitation_id) == (State.DONE, new.id)


def test_what_somebody_else_has_sent_can_be_left(ada: Browser, clerk: Emulator, row: Any) -> None:
    item = half_done(ada, clerk, row)
    other = clerk.add_invitation("acme", LEE, role="org:member", inviter="bo@both.test")
    response = ada.post(f"{LIST}{row.id}/resend/", {"leave": "1"}, target="org-invitations-list")
    words = text_of(response)
    assert f"{LEE} keeps the other invitation." in words
    assert "uninvited" not in words
    assert pending_of(clerk, LEE) == [other]
    item.refresh_from_db()
    assert (item.state, item.reason) == (State.REFUSED, "other-invitation")
    assert "as Member; wanted was Billing." in outcome_of(ada, item)


@pytest.fixture
def other(ada: Browser, clerk: Emulator, row: Any) -> Any:
    """An invitation that somebody else has sent in the place of what we have revoked."""
    half_done(ada, clerk, row)
    bo = clerk.user("bo@both.test")
    other = clerk.add_invitation("acme", LEE, role="org:member", inviter=bo.id)
    assert "Replace it" in text_of(ada.get())
    return other


#: Why the invitation of somebody else cannot be replaced, and what is said then.
IN_THE_WAY: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "500": ({"status": 500}, "We made sure that nothing was changed."),
    "429": ({"status": 429}, "Too many requests were made to Clerk, so nothing was done."),
}


@pytest.mark.parametrize("why", IN_THE_WAY)
def test_why_it_could_not_be_replaced_is_said(
    ada: Browser, clerk: Emulator, row: Any, other: Any, why: str
) -> None:
    fault, words = IN_THE_WAY[why]
    clerk.fault("POST", REVOKE, **fault)
    response = ada.post(f"{LIST}{row.id}/resend/", {"finish": "1"}, target="org-invitations-list")
    assert words in text_of(response)
    assert "Replace it" in text_of(response)
    assert pending_of(clerk, LEE) == [other]


def test_what_may_still_be_revoked_can_neither_be_replaced_nor_left(
    ada: Browser, clerk: Emulator, row: Any, other: Any
) -> None:
    clerk.fault("POST", REVOKE, drop="before")
    ada.post(f"{LIST}{row.id}/resend/", {"finish": "1"})
    words = text_of(ada.get())
    assert "Leave it as it is" not in words
    assert f"it is not known yet whether {LEE} has a new invitation" in words
    other.state = "revoked"  # Clerk has done it, late
    words = text_of(ada.get())
    assert f"The invitation to {LEE} was revoked, but the new one could not be sent." in words
    assert "Send it now" in words


def test_and_once_the_time_is_over_a_person_decides_again(
    ada: Browser, clerk: Emulator, row: Any, other: Any
) -> None:
    clerk.fault("POST", REVOKE, drop="before")
    ada.post(f"{LIST}{row.id}/resend/", {"finish": "1"})
    let_time_pass()
    assert "Leave it as it is" in text_of(ada.get())
    ada.post(f"{LIST}{row.id}/resend/", {"leave": "1"})
    assert pending_of(clerk, LEE) == [other]
