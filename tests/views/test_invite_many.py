"""Inviting many: the check first, then exactly what was checked, and the truth about each."""

from __future__ import annotations

import random
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.messages import get_messages
from django.utils import timezone

from org_invitations.clerk import ClerkClient
from org_invitations.clerk.exceptions import BULK_INVITATIONS
from org_invitations.emulator import Emulator
from org_invitations.forms import InviteForm, RoleField
from org_invitations.models import Batch, BatchItem
from org_invitations.roles import AssignableRoles
from org_invitations.services import InvitationService
from org_invitations.services.limits import BULK_LIMIT, SINGLE_LIMIT, Ledger
from org_invitations.views import InviteView
from tests.documents import block
from tests.leases import is_leased

from .conftest import INVITE, LIST, Browser, pending, text_of
from .inviting import (
    BULK,
    DONE,
    FAILED,
    FORM,
    REFUSED,
    UNSETTLED,
    WAITING,
    State,
    a_file,
    batch_of,
    die,
    filled,
    forget,
    items_of,
    mails,
    many,
    posts,
    press,
    review_of,
    seats,
    sent_bodies,
    states_of,
    type_in,
)


@pytest.fixture(params=[None, FORM], ids=["page", "htmx"])
def target(request: pytest.FixtureRequest) -> Any:
    """Without JavaScript, and with htmx."""
    return request.param


# --- One -----------------------------------------------------------------------------------------


def test_one_address_goes_at_once_and_is_written_down(ada: Browser, clerk: Emulator) -> None:
    response = type_in(ada, "new@example.com")
    assert (response.status_code, response["Location"]) == (303, LIST)
    [item] = BatchItem.objects.all()
    [row] = [row for row in clerk.invitations("acme") if row.email_address == "new@example.com"]
    assert (item.state, item.invitation_id, item.role) == (DONE, row.id, "org:member")
    assert (item.text, item.line, item.role_name) == ("new@example.com", 1, "Member")
    batch = item.batch
    assert batch.action == Batch.Action.INVITE
    assert batch.organization_id == clerk.organization("acme").id
    assert batch.user_id == clerk.user("ada@acme.test").id
    assert not is_leased()


def test_a_form_that_comes_twice_is_answered_twice_and_sent_once(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    form = filled(ada.get()) | {"email_addresses": "new@example.com", "role": "org:member"}
    first = ada.post(INVITE, form, target=target)
    second = ada.post(INVITE, form, target=target)
    assert second.status_code == first.status_code == (303 if target is None else 200)
    for response in (first, second):
        if target is None:
            said = [str(message) for message in get_messages(response.wsgi_request)]
            assert said[-1] == "Invitation sent to new@example.com as Member."
        else:
            assert "Invitation sent to new@example.com as Member." in text_of(response)
    assert mails(clerk)["new@example.com"] == 1
    assert len(posts(clerk)) == 1
    assert Batch.objects.count() == 1


def test_a_form_whose_invitation_was_revoked_since_says_so_and_sends_with_the_next_press(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    form = filled(ada.get()) | {"email_addresses": "new@example.com", "role": "org:member"}
    ada.post(INVITE, form, target=target)
    [row] = [row for row in clerk.invitations("acme") if row.email_address == "new@example.com"]
    ada.post(f"{LIST}{row.id}/revoke/")
    again = ada.post(INVITE, form, target=target)
    assert again.status_code == 409
    assert "Nothing was sent now: press again to send a new one." in text_of(again)
    assert mails(clerk)["new@example.com"] == 1
    sent = ada.post(INVITE, filled(again) | {"role": "org:member"}, target=target)
    assert sent.status_code == (303 if target is None else 200)
    assert mails(clerk)["new@example.com"] == 2


def test_a_form_that_offers_fewer_roles_takes_no_others_from_a_table(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    class MembersOnly(InviteForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            field = self.fields["role"]
            assert isinstance(field, RoleField)
            members = [role for role in field.roles.roles if role.key == "org:member"]
            field.roles = AssignableRoles(roles=tuple(members), default_role="org:member")

    monkeypatch.setattr(InviteView, "invite_form_class", MembersOnly)
    table = "Email\tRole\nlee@x.org\torg:admin\nmae@x.org\torg:member"
    form = filled(ada.get()) | {"email_addresses": table}
    checked = ada.post(INVITE, form)
    assert "1 to fix. 1 will be sent." in text_of(checked)
    press(ada, checked)
    assert [body["email_address"] for body in sent_bodies(clerk)] == ["mae@x.org"]
    assert sent_bodies(clerk)[0]["role"] == "org:member"


def test_where_a_site_shows_no_check_all_are_invited_and_none_of_them_is_lost(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InviteView, "needs_preview", lambda view, form: False)
    addresses = many(3)
    assert states_of(type_in(ada, " ".join(addresses))) == dict.fromkeys(addresses, DONE)
    table = "Email\tRole\nlee@x.org\torg:billing"
    assert states_of(type_in(ada, table)) == {"lee@x.org": DONE}
    assert sent_bodies(clerk)[-1]["role"] == "org:billing"
    nobody = type_in(ada, "")
    assert nobody.status_code == 422
    assert "Enter the email address" in text_of(nobody)


def test_a_likely_slip_is_shown_before_it_is_sent(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    form = filled(ada.get()) | {"email_addresses": "ana@gmial.com", "role": "org:member"}
    asked = ada.post(INVITE, form, target=target)
    assert asked.status_code == 200
    assert "Did you mean ana@gmail.com?" in text_of(asked)
    assert posts(clerk) == []
    assert "Send as typed" in text_of(asked)
    # The button of the form has been pressed once more: that does not say that it is meant.
    again = ada.post(INVITE, filled(asked) | {"role": "org:member"}, target=target)
    assert "Did you mean ana@gmail.com?" in text_of(again)
    assert posts(clerk) == []
    form = filled(again) | {"role": "org:member", "as_typed": "ana@gmial.com"}
    meant = ada.post(INVITE, form, target=target)
    assert meant.status_code == (303 if target is None else 200)
    assert mails(clerk)["ana@gmial.com"] == 1


@pytest.mark.parametrize("text", ["a@x.org，b@x.org", "<a@x.org><b@x.org>", "a@x.org\u00a0b@x.org"])
def test_seats_count_for_two_addresses_however_they_are_parted(
    ada: Browser, clerk: Emulator, text: str
) -> None:
    seats(clerk, 1)
    checked = ada.post(INVITE, filled(ada.get()) | {"email_addresses": text, "role": "org:member"})
    assert "1 to fix. 1 will be sent. Only 1 seat is left." in text_of(checked)


def test_the_same_form_with_another_address_is_another_wish(ada: Browser, clerk: Emulator) -> None:
    # Somebody has gone back in their browser and typed something else.
    form = filled(ada.get()) | {"email_addresses": "one@example.com", "role": "org:member"}
    ada.post(INVITE, form)
    other = form | {"email_addresses": "two@example.com"}
    for _ in range(2):
        assert ada.post(INVITE, other)["Location"] == LIST
    assert mails(clerk)["one@example.com"] == mails(clerk)["two@example.com"] == 1
    assert len(posts(clerk)) == 2  # and the second press of the other one sends nothing either
    assert Batch.objects.count() == 2


def test_the_id_of_somebody_elses_form_leads_to_nothing_of_theirs(
    ada: Browser, sign_in: Any, clerk: Emulator
) -> None:
    mia, batch = sign_in("mia@acme.test"), str(uuid4())
    mia.invite("mias@example.com", "org:people_manager", batch=batch, confirm_elevated="on")
    assert "mias@example.com" in pending(clerk)
    for _ in range(2):
        response = ada.invite("adas@example.com", batch=batch)
        assert response["Location"] == LIST
    assert mails(clerk)["adas@example.com"] == 1
    owners = {batch.user_id for batch in Batch.objects.all()}
    assert owners == {clerk.user("ada@acme.test").id, clerk.user("mia@acme.test").id}


@pytest.mark.parametrize("nonsense", ["", "nonsense", "1' or '1"])
def test_a_form_without_a_usable_id_is_sent_all_the_same(
    ada: Browser, clerk: Emulator, nonsense: str
) -> None:
    assert ada.invite("new@example.com", batch=nonsense)["Location"] == LIST
    assert "new@example.com" in pending(clerk)


@pytest.mark.parametrize(
    ("order", "state"),
    [
        ({"blocked_domains": ["example.com"]}, REFUSED),
        ({"organizations": {"acme": {"max_allowed_memberships": 5}}}, REFUSED),
        # The form came back to be sent again, so nothing waits.
        ({"rate_limits": {"single": 0}}, FAILED),
        ({"role_migrations": {"role_set:default": True}}, FAILED),
    ],
)
def test_a_second_press_after_a_refusal_sends_nothing_and_shows_what_became_of_it(
    ada: Browser, clerk: Emulator, order: dict[str, Any], state: str
) -> None:
    form = filled(ada.get()) | {"email_addresses": "new@example.com", "role": "org:member"}
    clerk.configure(**order)
    assert ada.post(INVITE, form).status_code >= 400
    clerk.reset()
    again = ada.post(INVITE, form)
    assert states_of(again) == {"new@example.com": state}
    assert posts(clerk) == []
    # Trying again by the form that came back is another wish.


def test_a_second_press_is_answered_where_clerk_cannot_be_asked_any_more(
    ada: Browser, clerk: Emulator
) -> None:
    form = filled(ada.get()) | {"email_addresses": "new@example.com", "role": "org:member"}
    ada.post(INVITE, form)
    clerk.fault("GET", "*/invitations/orginv_*", times=None, status=500)
    assert states_of(ada.post(INVITE, form)) == {"new@example.com": DONE}
    assert mails(clerk)["new@example.com"] == 1


def test_after_a_refusal_the_form_that_came_back_can_be_sent_again(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    clerk.configure(blocked_domains=["example.com"])
    refused = type_in(ada, "new@example.com", target=target)
    assert refused.status_code == 422
    clerk.configure(blocked_domains=[])
    press(ada, refused, target=target)
    assert "new@example.com" in pending(clerk)


def test_a_crash_in_the_call_is_known_afterwards(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = filled(ada.get()) | {"email_addresses": "new@example.com", "role": "org:member"}
    with monkeypatch.context() as patch:
        patch.setattr("org_invitations.clerk.OrganizationAPI.invite_member", die)
        with pytest.raises(SystemExit):
            ada.post(INVITE, form)
    [item] = BatchItem.objects.all()
    assert item.state == State.UNDER_WAY
    # The same form once more sends nothing: it may have happened.
    assert batch_of(ada.post(INVITE, form)) == item.batch
    assert posts(clerk) == []


# --- Many: the check first -----------------------------------------------------------------------


def test_many_are_checked_first_and_nothing_is_sent(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    text = "one@example.com, two@example.com\nmax@acme.test; nobody at home"
    response = review_of(type_in(ada, text, target=target))
    words = text_of(response)
    assert "Check before sending" in words
    assert "1 to fix. 2 will be sent. 1 needs nothing." in words
    assert "Send 2 invitations" in words
    assert "Already a member (Member)." in words
    assert "nobody at home Line 2. Not an email address." in words
    assert ("<html" in response.text) is (target is None)
    assert posts(clerk) == []
    assert Batch.objects.count() == 0
    assert filled(response)["email_addresses"] == text.replace("\n", "\r\n")


def test_what_was_checked_is_sent_and_each_has_an_answer(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    checked = review_of(
        type_in(ada, "one@example.com two@example.com max@acme.test", target=target)
    )
    sent = press(ada, checked, target=target)
    assert sent.status_code == (303 if target is None else 200)
    assert states_of(sent) == {
        "one@example.com": DONE,
        "two@example.com": DONE,
        "max@acme.test": REFUSED,
    }
    assert {"one@example.com", "two@example.com"} <= set(pending(clerk))
    assert not is_leased()
    words = text_of(ada.get(f"{LIST}outcomes/{batch_of(sent).pk}/"))
    assert "one@example.com" in words
    assert "Already a member (Member)." in words


def test_thirty_four_go_in_bulk_calls_of_ten(ada: Browser, clerk: Emulator) -> None:
    checked = review_of(type_in(ada, "\n".join(many(34))))
    clerk.clear_requests()
    sent = press(ada, checked)
    assert [len(call.body) for call in posts(clerk)] == [10, 10, 10, 4]
    assert all(call.path.endswith("/invitations/bulk") for call in posts(clerk))
    # Besides: the permission, afresh, and again before every call but the first; the seats; who
    # is a member and who is invited by now.
    assert len(clerk.requests) <= 4 + 4 + 3
    assert set(states_of(sent).values()) == {DONE}
    assert [body["email_address"] for body in sent_bodies(clerk)] == many(34)
    assert {body["inviter_user_id"] for body in sent_bodies(clerk)} == {
        clerk.user("ada@acme.test").id
    }


def test_a_second_press_of_the_checked_form_sends_nothing_twice(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    form = filled(review_of(type_in(ada, " ".join(many(12)), target=target)))
    first = ada.post(INVITE, form, target=target)
    before = mails(clerk)
    second = ada.post(INVITE, form, target=target)
    assert mails(clerk) == before
    # By now all of them are invited, but it was this form that did it.
    assert second.status_code == first.status_code
    assert states_of(second) == states_of(first)
    assert Batch.objects.count() == 1
    assert set(states_of(first).values()) == {DONE}


def test_a_press_while_the_first_one_is_at_work_leads_to_its_outcome(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = filled(review_of(type_in(ada, " ".join(many(12)))))
    answers: list[Any] = []
    run = InvitationService.run

    def send_slowly(service: InvitationService, batch: Batch) -> list[BatchItem]:
        if not answers:
            answers.append(None)
            answers[0] = ada.post(INVITE, form)  # nothing is sent yet, so all is new still
        return run(service, batch)

    monkeypatch.setattr(InvitationService, "run", send_slowly)
    first = ada.post(INVITE, form)
    assert batch_of(answers[0]) == batch_of(first)
    assert set(states_of(first).values()) == {DONE}
    assert {mails(clerk)[address] for address in many(12)} == {1}


def test_another_text_than_the_one_that_was_checked_is_checked_again(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    checked = review_of(type_in(ada, "one@example.com two@example.com", target=target))
    again = press(ada, checked, target=target, email_addresses="one@example.com three@example.com")
    assert "three@example.com" in text_of(review_of(again))
    assert posts(clerk) == []
    assert states_of(press(ada, again, target=target)) == {
        "one@example.com": DONE,
        "three@example.com": DONE,
    }


@pytest.mark.parametrize("claim", ["", "0" * 32, "on"])
def test_who_only_claims_to_have_seen_the_check_is_shown_it(
    ada: Browser, clerk: Emulator, claim: str
) -> None:
    review_of(type_in(ada, "one@example.com two@example.com", reviewed=claim))
    assert posts(clerk) == []


def test_where_the_line_breaks_are_makes_no_difference(ada: Browser, clerk: Emulator) -> None:
    checked = review_of(type_in(ada, "one@example.com\ntwo@example.com"))
    sent = press(ada, checked, email_addresses="one@example.com,  two@example.com\n")
    assert set(states_of(sent).values()) == {DONE}


def test_an_empty_form_is_told_and_not_checked(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    response = type_in(ada, " \n ,; ", target=target)
    assert response.status_code == 422
    words = text_of(response)
    assert "Enter the email address of the person to invite." in words
    assert "Check before sending" not in words


def test_where_nobody_can_be_invited_it_says_so_and_sends_nothing(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    checked = type_in(ada, "max@acme.test mia@acme.test ada@acme.test", target=target)
    assert checked.status_code == 422
    words = text_of(checked)
    assert "Nobody to invite. 3 need nothing." in words
    assert "Check again" in words
    assert "This is your own address" in words
    assert press(ada, checked, target=target).status_code == 422
    assert posts(clerk) == []
    assert Batch.objects.count() == 0


def test_a_likely_slip_is_pointed_out_before_it_is_sent(ada: Browser) -> None:
    words = text_of(review_of(type_in(ada, "ana@gmial.com bo@example.com")))
    assert "ana@gmial.com Looks mistyped. Use ana@gmail.com" in words
    assert "1 to fix. 1 will be sent." in words


# --- What changed meanwhile ----------------------------------------------------------------------


def test_who_became_a_member_meanwhile_is_left_out_and_told(ada: Browser, clerk: Emulator) -> None:
    checked = review_of(type_in(ada, " ".join(many(3))))
    clerk.add_user("person1@example.com", "Pia", "One")
    clerk.add_member("acme", "person1@example.com")
    sent = press(ada, checked)
    assert states_of(sent) == {
        "person0@example.com": DONE,
        "person1@example.com": REFUSED,
        "person2@example.com": DONE,
    }
    assert items_of(sent)[1].reason == "member"


def test_who_was_invited_meanwhile_is_left_out_and_told(ada: Browser, clerk: Emulator) -> None:
    checked = review_of(type_in(ada, " ".join(many(3))))
    clerk.add_invitation("acme", "person2@example.com", inviter="mia@acme.test")
    sent = press(ada, checked)
    assert states_of(sent)["person2@example.com"] == REFUSED
    item = items_of(sent)[2]
    assert (item.reason, item.params["inviter"]) == ("invited", "Mia Tanaka")
    assert mails(clerk)["person2@example.com"] == 1


@pytest.mark.parametrize("atomic", [True, False])
def test_who_is_invited_in_the_very_moment_is_refused_by_clerk_and_the_others_go(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch, atomic: bool
) -> None:
    clerk.configure(bulk_atomic=atomic, rate_limits=False)
    checked = review_of(type_in(ada, " ".join(many(10))))
    run = InvitationService.run

    def somebody_was_faster(service: InvitationService, batch: Batch) -> list[BatchItem]:
        clerk.add_invitation("acme", "person4@example.com", inviter="mia@acme.test")
        return run(service, batch)

    monkeypatch.setattr(InvitationService, "run", somebody_was_faster)
    found = states_of(press(ada, checked))
    assert found.pop("person4@example.com") == REFUSED
    assert set(found.values()) == {DONE}
    assert {mails(clerk)[address] for address in many(10)} == {1}


def test_a_seat_that_went_meanwhile_is_missing_at_the_end_of_the_list(
    ada: Browser, clerk: Emulator
) -> None:
    seats(clerk, 3)
    checked = review_of(type_in(ada, " ".join(many(3))))
    clerk.add_invitation("acme", "faster@example.com")
    sent = press(ada, checked)
    assert list(states_of(sent).values()) == [DONE, DONE, REFUSED]
    assert items_of(sent)[2].reason == "no-seat"


def test_more_than_the_seats_are_told_before_and_only_so_many_are_sent(
    ada: Browser, clerk: Emulator
) -> None:
    seats(clerk, 4)
    checked = review_of(type_in(ada, " ".join(many(6))))
    words = text_of(checked)
    assert "2 to fix. 4 will be sent. Only 4 seats are left." in words
    assert "Send 4 invitations" in words
    sent = press(ada, checked)
    assert list(states_of(sent).values()) == [DONE] * 4 + [REFUSED] * 2
    assert len(sent_bodies(clerk)) == 4


# --- Too many, too often -------------------------------------------------------------------------


def test_of_more_than_a_hundred_the_first_hundred_go_and_the_rest_is_kept(
    ada: Browser, clerk: Emulator
) -> None:
    clerk.configure(rate_limits=False, organizations={"acme": {"max_allowed_memberships": 0}})
    checked = review_of(type_in(ada, "\n".join(many(130))))
    words = text_of(checked)
    assert "100 will be sent." in words
    assert "30 more must wait for the next step: 100 go at a time." in words
    assert "Send 100 invitations" in words
    sent = press(ada, checked)
    assert list(states_of(sent).values()) == [DONE] * 100 + [WAITING] * 30
    assert len(posts(clerk)) == 10
    # The outcome is the form to go on with them.
    rest = ada.get(f"{LIST}outcomes/{batch_of(sent).pk}/")
    assert filled(rest)["email_addresses"].split() == many(30, 100)
    sent = press(ada, rest)  # it has been seen
    assert list(states_of(sent).values()) == [DONE] * 30
    assert all(mails(clerk)[address] == 1 for address in many(130))


def test_the_hourly_limit_in_the_middle_keeps_the_rest_and_says_when(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    checked = review_of(type_in(ada, " ".join(many(25)), target=target))
    clerk.configure(rate_limits={"bulk": 1})
    before = timezone.now()
    sent = press(ada, checked, target=target)
    assert list(states_of(sent).values()) == [DONE] * 10 + [WAITING] * 15
    for item in items_of(sent)[10:]:
        assert item.reason == "RateLimited"
        assert item.retry_at is not None
        assert 0 < (item.retry_at - before).total_seconds() <= 3610
    assert len(posts(clerk)) == 2  # nothing is tried after the first refusal
    page = ada.get(f"{LIST}outcomes/{batch_of(sent).pk}/")
    assert filled(page)["email_addresses"].split() == many(15, 10)


@pytest.mark.parametrize(
    ("fault", "made", "states"),
    [
        ({"drop": "before"}, 0, {UNSETTLED}),
        ({"drop": "after"}, 10, {DONE}),
        ({"status": 500}, 0, {FAILED}),
        ({"status": 503}, 0, {UNSETTLED}),
        ({"status": 500, "write": True}, 10, {DONE}),
        ({"garbage": "truncated"}, 10, {DONE}),
    ],
)
def test_a_lost_answer_in_the_middle_is_settled_and_nothing_is_sent_twice(
    ada: Browser, clerk: Emulator, fault: dict[str, Any], made: int, states: set[str]
) -> None:
    checked = review_of(type_in(ada, " ".join(many(25))))
    clerk.fault("POST", BULK)  # lets one pass
    clerk.fault("POST", BULK, **fault)
    sent = press(ada, checked)
    found = list(states_of(sent).values())
    assert found[:10] == [DONE] * 10
    assert set(found[10:20]) == states
    assert found[20:] == [WAITING] * 5
    assert sum(mails(clerk)[address] for address in many(25)) == 10 + made
    assert {mails(clerk)[address] for address in many(25)} <= {0, 1}


@pytest.mark.parametrize("gone", ["/v1/*", "/v1/role_sets/*"])
def test_clerk_is_gone_at_the_moment_of_sending_and_all_of_it_waits(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    checked = review_of(type_in(ada, " ".join(many(3))))
    run = InvitationService.run

    def send_in_an_outage(service: InvitationService, batch: Batch) -> list[BatchItem]:
        forget()
        clerk.fault(None, gone, times=None, drop="before")
        return run(service, batch)

    monkeypatch.setattr(InvitationService, "run", send_in_an_outage)
    monkeypatch.setattr("org_invitations.services.snapshot._CHECK_SECONDS", 0)
    sent = press(ada, checked)
    assert set(states_of(sent).values()) == {WAITING}
    assert all(item.reason for item in items_of(sent))
    assert not is_leased()


def test_what_was_refused_is_in_the_form_of_the_outcome_to_be_corrected(
    ada: Browser, clerk: Emulator
) -> None:
    text = "one@example.com\nnobody at home\nmax@acme.test\nx@blocked.example\ny@example.com"
    clerk.configure(blocked_domains=["blocked.example"])
    checked = review_of(type_in(ada, text, role="org:billing", expires_in_days="7", no_email="on"))
    outcome = ada.get(press(ada, checked)["Location"])
    back = filled(outcome)
    # Whoever is a member already needs nothing more.
    assert back["email_addresses"].splitlines() == ["nobody at home", "x@blocked.example"]
    assert (back["role"], back["expires_in_days"], back["no_email"]) == ("org:billing", "7", "on")
    corrected = back["email_addresses"].replace("nobody at home", "somebody@example.com")
    corrected = corrected.replace("blocked.example", "example.com")
    checked = review_of(press(ada, outcome, email_addresses=corrected))
    assert set(states_of(press(ada, checked)).values()) == {DONE}


def test_a_role_that_is_gone_by_then_is_not_chosen_in_the_form_of_the_outcome(
    ada: Browser, clerk: Emulator
) -> None:
    clerk.configure(blocked_domains=["example.com"])
    sent = press(ada, review_of(type_in(ada, " ".join(many(2)), role="org:billing")))
    clerk.configure(organizations={"acme": {"role_set_key": "role_set:crew"}})
    forget()
    back = filled(ada.get(sent["Location"]))
    assert back["role"] == "org:guest"  # the organization's default now
    assert back["email_addresses"].split() == many(2)


def test_what_there_is_no_time_for_waits(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = review_of(type_in(ada, " ".join(many(3))))
    monkeypatch.setattr(ClerkClient, "has_time", lambda self, writes: False)
    sent = press(ada, checked)
    assert set(states_of(sent).values()) == {WAITING}
    assert posts(clerk) == []


@pytest.mark.parametrize("warm", [True, False])
def test_when_nothing_can_be_asked_all_that_was_typed_comes_back(
    ada: Browser, clerk: Emulator, target: str | None, warm: bool
) -> None:
    form = filled(ada.get())
    if not warm:
        forget()
    clerk.fault(None, "/v1/*", times=None, drop="before")
    form |= {
        "email_addresses": " ".join(many(3)),
        "role": "org:billing",
        "expires_in_days": "7",
        "no_email": "on",
        "file": a_file("Email,Role\nfiled@example.com,Member\n"),  # type: ignore[dict-item]
    }
    response = ada.post(INVITE, form, target=target)
    assert response.status_code == 503
    back = filled(response)
    for address in (*many(3), "filed@example.com"):
        assert address in back["email_addresses"]
    assert (back["role"], back["expires_in_days"], back["no_email"]) == ("org:billing", "7", "on")


def test_where_the_check_is_incomplete_it_says_so_and_clerk_has_the_last_word(
    ada: Browser, clerk: Emulator
) -> None:
    form = filled(ada.get()) | {"role": "org:member"}
    form["email_addresses"] = "one@example.com two@example.com max@acme.test"
    clerk.fault("GET", "*/memberships")  # the permission passes
    clerk.fault("GET", "*/memberships", status=500)
    checked = review_of(ada.post(INVITE, form))
    assert "Clerk could not be asked about all of these" in text_of(checked)
    clerk.fault("GET", "*/memberships")
    clerk.fault("GET", "*/memberships", status=500)
    sent = press(ada, checked)
    assert states_of(sent) == {
        "one@example.com": DONE,
        "two@example.com": DONE,
        "max@acme.test": REFUSED,
    }


def test_code_of_a_sites_own_invites_many_as_the_documentation_says(
    clerk: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    example = block("docs/service.md", "## Inviting many")
    example = example.replace("org_…", clerk.organization("acme").id)
    exec(example.replace("user_…", clerk.user("ada@acme.test").id), {})
    said = capsys.readouterr().out.splitlines()
    assert said == ["ana@example.com done ", "bo@example.com done "]
    assert {"ana@example.com", "bo@example.com"} <= set(pending(clerk))
    assert [body["expires_in_days"] for body in sent_bodies(clerk)] == [7, 7]


# --- Nothing is lost, and what was told is true --------------------------------------------------

PIECES = (
    [
        "new{}@example.com",
        "New.{}@EXAMPLE.com",
        '"Doe, Ana" <ana{}@example.com>',
        "mailto:m{}@x.org",
    ]
    * 3
    + ["max@acme.test", "ada@acme.test", "nobody {} at home", "a{}@b@c", "x{}@gmial.com"]
    + ["invited{}@example.com", "blocked{}@blocked.example", "tom,{}", "<y{}@example.com>."]
)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(12))
def test_a_sample_of_pastes_every_piece_has_one_true_answer(
    ada: Browser, clerk: Emulator, seed: int
) -> None:
    dice = random.Random(seed)
    clerk.configure(
        rate_limits=False,
        blocked_domains=["blocked.example"],
        bulk_atomic=dice.random() < 0.5,
        bulk_duplicate_code=dice.choice(["duplicate_record", "organization_invitation_not_unique"]),
        member_error_names=dice.choice(["email_address", "user_id"]),
    )
    for number in range(4):
        clerk.add_invitation("acme", f"invited{number}@example.com")
    pieces = [dice.choice(PIECES).format(dice.randrange(4)) for _ in range(dice.randrange(2, 20))]
    before = mails(clerk)
    checked = type_in(ada, dice.choice(["\n", "; ", ",\n"]).join(pieces))
    preview = checked.context["review"].preview
    if not preview.sendable:
        assert checked.status_code == 422
        return
    foretold = {item.entry.email_address for item in preview.sendable}
    fault = dice.choice([None, None, {"drop": "after"}, {"drop": "before"}, {"status": 500}])
    if fault is not None:
        clerk.fault("POST", "*/invitations*", **fault)
    sent = press(ada, checked)

    items = items_of(sent)
    assert [item.text for item in items] == [item.entry.text for item in preview.items]
    done = {item.email_address for item in items if item.state == DONE}
    mailed = mails(clerk) - before
    assert set(mailed.values()) <= {1}
    assert {address.casefold() for address in done} == {
        address
        for address in mailed
        if address
        not in {item.email_address.casefold() for item in items if item.state == UNSETTLED}
    }
    assert done <= foretold
    if fault is None:
        # What the check did not foresee is what only Clerk knows: the blocked ones.
        assert foretold - done == {
            address for address in foretold if address.endswith("@blocked.example")
        }
    for item in items:
        assert item.state in {DONE, REFUSED, FAILED, UNSETTLED, WAITING}
        assert item.state == DONE or item.reason or item.state == WAITING


def test_the_eleventh_goes_in_a_call_of_its_own_which_counts_against_another_limit(
    ada: Browser, clerk: Emulator
) -> None:
    press(ada, review_of(type_in(ada, "\n".join(many(11)))))
    assert len(set(many(11)) & set(pending(clerk))) == 11
    # One of each is used up of what may go in an hour, as far as this site knows.
    ledger = Ledger()
    assert ledger.get_wait(SINGLE_LIMIT - 1) == 0
    assert ledger.get_wait(SINGLE_LIMIT) > 0
    assert ledger.get_wait(BULK_LIMIT - 1, BULK_INVITATIONS) == 0
    assert ledger.get_wait(BULK_LIMIT, BULK_INVITATIONS) > 0
