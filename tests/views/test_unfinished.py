"""What was begun and not seen to its end: it is found by who looks at the list, and ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from org_invitations.emulator import Emulator
from org_invitations.models import Batch, BatchItem
from org_invitations.services import InvitationService
from tests.leases import let_time_pass

from .conftest import LIST, Browser, calls, text_of
from .inviting import die, filled, mails, many, press, review_of, send, states_of

State = BatchItem.State

#: The last words of every notice about what waits.
OFFER = "Nothing goes on by itself. Continue or leave it"


def begin(clerk: Emulator, count: int = 1, state: str = State.WAITING, **more: Any) -> Batch:
    """Write down a batch of Ada's that nobody is at work on any more."""
    values: dict[str, Any] = {
        "action": Batch.Action.INVITE,
        "organization_id": clerk.organization("acme").id,
        "user_id": clerk.user("ada@acme.test").id,
        "created_at": timezone.now() - timedelta(days=1),
        **more,
    }
    batch = Batch.objects.create(id=uuid4(), **values)
    BatchItem.objects.bulk_create(
        BatchItem(batch=batch, number=n, email_address=f"{n}@x.org", role="org:member", state=state)
        for n in range(count)
    )
    return batch


# --- Nobody knows --------------------------------------------------------------------------------


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize(
    ("action", "happened", "then", "state", "reason"),
    [
        ("invite", True, "pending", State.DONE, ""),
        ("invite", True, "accepted", State.DONE, ""),
        ("invite", False, "", State.FAILED, "absent"),
        ("revoke", True, "revoked", State.DONE, ""),
        ("revoke", False, "pending", State.FAILED, "absent"),
        ("revoke", False, "accepted", State.REFUSED, "InvitationNotPending"),
    ],
)
def test_a_doubt_that_is_over_ends_when_anybody_looks_at_the_list(
    ada: Browser,
    clerk: Emulator,
    sign_in: Any,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    happened: bool,
    then: str,
    state: str,
    reason: str,
    is_large: bool,
) -> None:
    if is_large:  # there are more invitations than a call tells of
        monkeypatch.setattr("org_invitations.services.listing.MAX_LIMIT", 2)
    before = {row.id for row in clerk.invitations("acme")}
    if action == "revoke":
        row = clerk.add_invitation("acme", "lee@example.com")
        lost, asked = "*/revoke", f"*/invitations/{row.id}"
    else:
        lost, asked = "*/invitations", "*/invitations"
    clerk.fault("POST", lost, drop="after" if happened else "before")
    clerk.fault("GET", asked, times=None, status=500)  # nor does Clerk say what became of it
    if action == "revoke":
        ada.post(f"{LIST}{row.id}/revoke/")
    else:
        ada.invite("lee@example.com")
    clerk.faults.clear()
    for made in clerk.invitations("acme"):
        if made.id not in before:
            made.state = then
    mia = sign_in("mia@acme.test", "acme")
    mia.warm()
    item = BatchItem.objects.select_related("batch").get()
    assert item.state == State.UNSETTLED  # Clerk may still be at work on it
    mia.get()
    usual = len(calls(clerk))
    let_time_pass()
    mia.warm()
    item.refresh_from_db()
    assert (item.state, item.reason) == (state, reason)
    assert Batch.objects.get().finished_at is not None  # so it is deleted in its time
    let_time_pass()
    BatchItem.objects.update(state=State.UNSETTLED, reason="")
    Batch.objects.update(finished_at=None)
    mia.get()
    # All that is needed came with the list; or it is one call more, and only this once.
    assert len(calls(clerk)) == usual + is_large
    mia.get()
    assert len(calls(clerk)) == 2 * usual + is_large


# --- Never begun ---------------------------------------------------------------------------------


def test_what_was_written_down_and_never_begun_is_offered_and_sent(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(InvitationService, "run", die)
        with pytest.raises(SystemExit):
            send(ada, many(25))
    assert OFFER not in text_of(ada.get())  # somebody may be at work on it
    let_time_pass()
    words = text_of(page := ada.get())
    assert "25 people whom you wanted to invite on" in words
    assert OFFER in words
    outcome = ada.get(page.context["waiting"][0].url)
    assert outcome.context["outcome"].sentences == ("Nothing was sent yet", "25 waiting")
    assert filled(outcome)["email_addresses"].split() == many(25)
    sent = press(ada, review_of(outcome))  # which has been checked already
    assert set(states_of(sent).values()) == {State.DONE}
    assert sum(mails(clerk)[address] for address in many(25)) == 25
    assert OFFER not in text_of(ada.get())


@pytest.mark.parametrize("action", ["invite", "resend", "revoke"])
def test_it_can_be_left_and_is_not_offered_again(
    ada: Browser, clerk: Emulator, action: str
) -> None:
    batch = begin(clerk, 2, action=action)
    [offer] = ada.get().context["waiting"]
    assert "Do not go on" in text_of(ada.get(offer.url))
    left = ada.post(offer.url, {"leave": "1"})
    assert (left.status_code, left["Location"]) == (303, offer.url)
    assert set(batch.items.values_list("state", flat=True)) == {State.FAILED}
    assert Batch.objects.get().finished_at is not None
    page = ada.get(offer.url)
    assert "Do not go on" not in text_of(page)
    assert ada.get().context["waiting"] == []


def test_what_somebody_is_at_work_on_is_not_left(ada: Browser, clerk: Emulator) -> None:
    batch = begin(clerk)
    soon = timezone.now() + timedelta(minutes=1)
    BatchItem.objects.update(leased_by="me", leased_until=soon)
    assert ada.get().context["waiting"] == []
    ada.post(f"{LIST}outcomes/{batch.pk}/", {"leave": "1"})
    assert BatchItem.objects.get().state == State.WAITING


def test_nobody_elses_is_offered_or_left(ada: Browser, clerk: Emulator) -> None:
    others = [
        begin(clerk, user_id=clerk.user("mia@acme.test").id),
        begin(clerk, organization_id=clerk.organization("globex").id),
        begin(clerk, instance="clerk.elsewhere.example"),
    ]
    assert ada.get().context["waiting"] == []
    for other in others:
        assert ada.post(f"{LIST}outcomes/{other.pk}/", {"leave": "1"}).status_code == 404
    assert set(BatchItem.objects.values_list("state", flat=True)) == {State.WAITING}


# --- More than are shown -------------------------------------------------------------------------


def test_it_says_how_many_more_there_are(ada: Browser, clerk: Emulator) -> None:
    for _ in range(7):
        begin(clerk)
    row = clerk.add_invitation("acme", "lee@example.com")
    row.state = "revoked"
    for _ in range(6):
        batch = begin(clerk, action="resend")
        batch.items.update(state=State.HALF_DONE, replaces_id=row.id, attempt={"revokes": row.id})
    page = ada.get()
    words = text_of(page)
    assert len(page.context["waiting"]) == len(page.context["unfinished"]) == 5
    assert "1 more is not finished. It is shown here once these are." in words
    assert "Something of 2 older lists is waiting." in words
