"""Sending an invitation again, and changing it."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from org_invitations.clerk.marks import without_mark
from org_invitations.emulator import Emulator
from org_invitations.emulator.state import Invitation
from org_invitations.models import BatchItem
from org_invitations.services.batches.store import STALE_AFTER, get_or_create
from org_invitations.signals import invitation_revoked
from tests.leases import ME, let_time_pass

from .conftest import LIST, Browser, calls, pending, text_of

LEE = "lee@example.com"
DIALOG = "org-invitations-dialog"
LISTED = "org-invitations-list"
CREATE = "/v1/organizations/*/invitations"
REVOKE = "*/revoke"

State = BatchItem.State


@pytest.fixture
def row(clerk: Emulator) -> Invitation:
    """An invitation to Lee, who is to pay the bills."""
    return clerk.add_invitation("acme", LEE, role="org:billing", expires_in_days=12)


def url_of(row: Invitation, name: str = "resend") -> str:
    return f"{LIST}{row.id}/{name}/"


@pytest.fixture
def url(row: Invitation) -> str:
    return url_of(row)


def turn(row: Invitation, status: str) -> None:
    """Let an invitation be in this status by now."""
    if status == "expired":
        row.expires_at = row.created_at - 1
    else:
        row.state = status


def answer(question: Any, **changed: Any) -> dict[str, Any]:
    """What a browser sends when the question is answered as it stands."""
    form = question.context["resend_form"]
    data = {bound.html_name: bound.value() for bound in form if bound.value()}
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', question.text))
    hidden = {name: value.replace("&amp;", "&") for name, value in hidden.items()}
    return hidden | data | changed


def lees(clerk: Emulator) -> list[Invitation]:
    """The pending invitations of Lee."""
    rows = clerk.invitations("acme", "pending")
    return [row for row in rows if row.email_address == LEE]


def said(response: Any) -> str:
    """What is said last on the page that a redirect leads to."""
    *_, message = get_messages(response.wsgi_request)
    return str(message)


# --- The question --------------------------------------------------------------------------------


def test_the_question_names_the_person_the_role_and_the_period(ada: Browser, url: str) -> None:
    response = ada.get(f"{url}?page=2")
    assert response.status_code == 200
    words = text_of(response)
    assert "Resend the invitation" in words
    assert f"{LEE} gets a new invitation. The link in the old email stops working at once." in words
    form = response.context["resend_form"]
    assert form["role"].value() == "org:billing"
    assert form["expires_in_days"].value() == 12
    assert re.search(r'<option value="12" selected>12 days, until \w+', response.text)
    assert f'href="{LIST}?page=2"' in response.text
    assert "hx-post" not in response.text  # a page of its own has no list to swap


def test_htmx_gets_the_question_for_its_dialog(ada: Browser, url: str) -> None:
    response = ada.get(f"{url}?q=lee", target=DIALOG)
    assert "<html" not in response.text
    assert response["Org-Invitations-Fragment"] == DIALOG
    assert 'id="org-invitations-dialog-title"' in response.text
    assert f'hx-post="{url}"' in response.text
    assert 'name="state" value="q=lee"' in response.text


@pytest.mark.parametrize("status", ["expired", "revoked"])
@pytest.mark.parametrize("name", ["resend", "change"])
def test_of_somebody_who_has_none_any_more_it_asks_whether_to_invite_again(
    ada: Browser, row: Invitation, status: str, name: str
) -> None:
    turn(row, status)
    response = ada.get(url_of(row, name))
    words = text_of(response)
    assert words.startswith("Invite again")
    assert "The old link does not work any more." in words
    assert "stops working" not in words


def test_changing_says_that_it_takes_a_new_invitation(ada: Browser, row: Invitation) -> None:
    words = text_of(ada.get(url_of(row, "change")))
    assert words.startswith("Change this invitation")
    assert f"An invitation cannot be changed, so {LEE} gets a new one." in words


def test_asking_changes_nothing(ada: Browser, clerk: Emulator, url: str) -> None:
    ada.warm()
    ada.get(url)
    assert not [call for call in calls(clerk) if not call.startswith("GET")]
    assert not BatchItem.objects.exists()


def test_an_invitation_for_ever_gets_the_usual_period(ada: Browser, clerk: Emulator) -> None:
    row = clerk.add_invitation("acme", LEE, expires_in_days=None)
    response = ada.get(url_of(row))
    assert '<option value="30" selected>' in response.text


def test_a_role_that_one_cannot_give_is_not_preselected(
    sign_in: Any, clerk: Emulator, row: Invitation
) -> None:
    mia = sign_in("mia@acme.test", "acme")
    question = mia.get(url_of(row))
    assert question.context["resend_form"]["role"].value() in ("", None)
    response = mia.post(url_of(row), answer(question))
    assert response.status_code == 422
    assert "Choose a role." in response.text
    assert lees(clerk) == [row]


# --- The answer ----------------------------------------------------------------------------------


def test_without_htmx_the_answer_is_a_redirect_to_the_list_one_came_from(
    ada: Browser, clerk: Emulator, row: Invitation, url: str
) -> None:
    question = ada.get(f"{url}?page=3&q=example")
    response = ada.post(url, answer(question))
    assert (response.status_code, response["Location"]) == (303, f"{LIST}?q=example&page=3")
    assert said(response) == (
        f"New invitation sent to {LEE} as Billing. An older link no longer works."
    )
    assert row.state == "revoked"
    assert len(lees(clerk)) == 1


def test_with_htmx_the_list_comes_back_in_its_state(
    ada: Browser, clerk: Emulator, url: str
) -> None:
    question = ada.get(f"{url}?q=lee", target=DIALOG)
    response = ada.post(url, answer(question), target=LISTED)
    assert response.status_code == 200
    assert response["HX-Replace-Url"] == f"{LIST}?q=lee"
    assert response["Org-Invitations-Fragment"] == LISTED
    assert f"New invitation sent to {LEE} as Billing." in text_of(response)
    [new] = lees(clerk)
    assert f'id="org-invitation-{new.id}" role="row" class="org-invitations-new"' in response.text


def test_another_role_and_period_can_be_chosen(
    ada: Browser, clerk: Emulator, row: Invitation
) -> None:
    row.public_metadata, row.private_metadata = {"team": "blue"}, {"cost": 7}
    url = url_of(row, "change")
    response = ada.post(url, answer(ada.get(url), role="org:member", expires_in_days="3"))
    assert response.status_code == 303
    [new] = lees(clerk)
    assert new.role == "org:member"
    assert new.expires_at is not None
    assert round((new.expires_at - new.created_at) / 86_400_000) == 3
    assert (new.public_metadata, without_mark(new.private_metadata)) == (
        {"team": "blue"},
        {"cost": 7},
    )


def test_the_inviter_is_who_pressed_the_button(
    ada: Browser, clerk: Emulator, row: Invitation
) -> None:
    row.inviter_id = clerk.user("bo@both.test").id
    ada.post(url_of(row, "change"), answer(ada.get(url_of(row, "change"))))
    assert lees(clerk)[0].inviter_id == clerk.user("ada@acme.test").id


@pytest.mark.parametrize("htmx", [True, False])
def test_without_an_email_it_says_where_the_link_is(
    ada: Browser, clerk: Emulator, url: str, htmx: bool
) -> None:
    mails = len(clerk.state.mails)
    data = answer(ada.get(url), no_email="on")
    response = ada.post(url, data, target=LISTED if htmx else None)
    assert len(clerk.state.mails) == mails
    [new] = lees(clerk)
    words = response.text if htmx else said(response)
    assert "No email was sent; an older link no longer works." in words
    assert f'href="{url_of(new, "link")}"' in words
    assert new.ticket not in words


def test_a_role_of_weight_needs_the_tick(ada: Browser, clerk: Emulator, row: Invitation) -> None:
    url = url_of(row, "change")
    data = answer(ada.get(url), role="org:admin")
    response = ada.post(url, data)
    assert response.status_code == 422
    assert "Tick the box if that is what you want." in text_of(response)
    assert response.context["resend_form"]["role"].value() == "org:admin"
    assert lees(clerk) == [row]
    assert ada.post(url, data | {"confirm_elevated": "on"}).status_code == 303
    assert lees(clerk)[0].role == "org:admin"


@pytest.mark.parametrize("days", ["0", "366", "-1", "many"])
def test_a_period_that_clerk_does_not_know_is_refused(
    ada: Browser, clerk: Emulator, row: Invitation, url: str, days: str
) -> None:
    response = ada.post(url, answer(ada.get(url), expires_in_days=days), target=LISTED)
    assert response.status_code == 422
    assert response["HX-Retarget"] == f"#{DIALOG}"
    assert "org-invitations-resend-summary" in response.text
    assert lees(clerk) == [row]


@pytest.mark.parametrize("role", ["org:admin", "org:billing", "org:member", "org:nonsense"])
@pytest.mark.parametrize("name", ["resend", "change"])
def test_a_forged_role_is_never_given(
    sign_in: Any, clerk: Emulator, row: Invitation, role: str, name: str
) -> None:
    mia = sign_in("mia@acme.test", "acme")
    data = {"role": role, "expires_in_days": "3", "batch": str(uuid4()), "confirm_elevated": "on"}
    response = mia.post(url_of(row, name), data)
    assert response.status_code == 422
    assert lees(clerk) == [row]


def test_an_admins_invitation_is_not_sent_again_by_who_cannot_make_admins(
    sign_in: Any, clerk: Emulator
) -> None:
    row = clerk.add_invitation("acme", LEE, role="org:admin")
    mia = sign_in("mia@acme.test", "acme")
    response = mia.post(url_of(row), answer(mia.get(url_of(row)), role="org:admin"))
    assert response.status_code == 422
    assert "You cannot give this role" in text_of(response)
    assert lees(clerk) == [row]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", ["resend", "change"])
def test_who_may_not_manage_members_may_not_send_anything_again(
    sign_in: Any, clerk: Emulator, row: Invitation, method: str, name: str
) -> None:
    browser = sign_in("max@acme.test", "acme")
    assert getattr(browser, method)(url_of(row, name)).status_code == 403
    assert lees(clerk) == [row]


# --- Once ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("htmx", [True, False])
def test_a_second_press_says_the_same_and_sends_nothing(
    ada: Browser, clerk: Emulator, url: str, htmx: bool
) -> None:
    data = answer(ada.get(url))
    target = LISTED if htmx else None
    first = ada.post(url, data, target=target)
    [new] = lees(clerk)
    clerk.clear_requests()
    second = ada.post(url, data, target=target)
    assert second.status_code == first.status_code
    assert f"New invitation sent to {LEE}" in (text_of(second) if htmx else said(second))
    assert not [call for call in calls(clerk) if call.startswith("POST")]
    assert lees(clerk) == [new]


def test_a_press_while_the_first_is_at_work_says_so(
    ada: Browser, clerk: Emulator, row: Invitation, url: str
) -> None:
    data = answer(ada.get(url))
    inner: list[Any] = []
    other = Browser(Client(), clerk)
    other.client.cookies = ada.client.cookies

    def press_again(**_: Any) -> None:
        inner.append(other.post(url, data))

    invitation_revoked.connect(press_again)
    try:
        assert ada.post(url, data).status_code == 303
    finally:
        invitation_revoked.disconnect(press_again)
    assert "is just being sent" in said(inner[0])
    assert len(lees(clerk)) == 1


def test_the_form_of_the_back_button_with_another_wish_is_another_wish(
    ada: Browser, clerk: Emulator, url: str
) -> None:
    data = answer(ada.get(url))
    ada.post(url, data)
    response = ada.post(url, data | {"expires_in_days": "3"})
    assert response.status_code == 422
    assert "was invited on" in text_of(response)
    assert len(lees(clerk)) == 1


@pytest.mark.parametrize("batch", ["", "nonsense"])
def test_a_form_without_an_id_sends_too(
    ada: Browser, clerk: Emulator, url: str, batch: str
) -> None:
    data = answer(ada.get(url)) | {"batch": batch}
    assert ada.post(url, data).status_code == 303
    assert len(lees(clerk)) == 1


# --- What happened meanwhile ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["resend", "change"])
def test_who_has_accepted_is_a_member_and_gets_nothing(
    ada: Browser, clerk: Emulator, row: Invitation, name: str
) -> None:
    url = url_of(row, name)
    data = answer(ada.get(url))
    turn(row, "accepted")
    words = f"{LEE} has accepted the invitation and is a member now."
    for response in (ada.get(url), ada.post(url, data)):
        assert response.status_code == 409
        assert words in text_of(response)
        assert f'href="{LIST}"' in response.text
        assert "<form" not in response.text
    for response in (ada.get(url, target=DIALOG), ada.post(url, data, target=LISTED)):
        assert response.status_code == 200
        assert response["HX-Retarget"] == f"#{LISTED}"
        assert words in text_of(response)
    assert lees(clerk) == []


@pytest.mark.parametrize("htmx", [True, False])
def test_what_somebody_has_revoked_meanwhile_is_not_sent_without_asking_again(
    ada: Browser, clerk: Emulator, row: Invitation, url: str, htmx: bool
) -> None:
    data = answer(ada.get(f"{url}?page=2"), expires_in_days="7")
    turn(row, "revoked")
    response = ada.post(url, data, target=LISTED if htmx else None)
    assert response.status_code == 409
    assert f"Somebody has revoked the invitation to {LEE}" in text_of(response)
    assert "Invite again" in text_of(response)
    assert lees(clerk) == []
    again = answer(response)
    assert (again["expires_in_days"], again["state"]) == ("7", "page=2")
    assert ada.post(url, again).status_code == 303
    assert len(lees(clerk)) == 1


def test_what_has_expired_meanwhile_is_sent_all_the_same(
    ada: Browser, clerk: Emulator, row: Invitation, url: str
) -> None:
    data = answer(ada.get(url))
    turn(row, "expired")
    assert ada.post(url, data).status_code == 303
    assert len(lees(clerk)) == 1


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", ["resend", "change"])
def test_an_invitation_that_is_gone_is_told(ada: Browser, method: str, name: str) -> None:
    gone = f"{LIST}orginv_gone/{name}/"
    response = getattr(ada, method)(gone)
    assert response.status_code == 404
    assert "no such invitation in Acme" in text_of(response)
    response = getattr(ada, method)(gone, target=DIALOG if method == "get" else LISTED)
    assert response.status_code == 200
    assert response["HX-Retarget"] == f"#{LISTED}"
    assert "no such invitation in Acme" in text_of(response)


def test_an_invitation_of_another_organization_is_none(ada: Browser, clerk: Emulator) -> None:
    other = clerk.add_invitation("globex", LEE)
    for response in (ada.get(url_of(other)), ada.post(url_of(other), {"role": "org:member"})):
        assert response.status_code == 404
    assert other.state == "pending"


def test_who_has_switched_the_organization_since_sends_nothing(
    sign_in: Any, clerk: Emulator, row: Invitation, url: str
) -> None:
    bo = sign_in("bo@both.test", "acme")
    data = answer(bo.get(url))
    elsewhere = sign_in("bo@both.test", "globex")
    assert elsewhere.post(url, data).status_code == 409
    assert lees(clerk) == [row]


def test_who_is_invited_again_already_is_told_by_whom(
    ada: Browser, clerk: Emulator, row: Invitation, url: str
) -> None:
    turn(row, "expired")
    clerk.add_invitation("acme", LEE, inviter="bo@both.test", role="org:member")
    response = ada.post(url, answer(ada.get(url)))
    assert response.status_code == 422
    assert f"{LEE} was invited on" in text_of(response)
    assert "by Bo" in text_of(response)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("accepted", f"{LEE}: Accepted meanwhile: the person is a member now"),
        ("revoked", f"{LEE}: Was revoked already."),
        ("expired", f"{LEE}: Has expired already."),
    ],
)
@pytest.mark.parametrize("htmx", [True, False])
def test_what_happens_at_the_very_moment_is_told(
    ada: Browser, clerk: Emulator, row: Invitation, url: str,
    status: str, words: str, htmx: bool, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from org_invitations.services.batches import resend, revoke

    revoke_really = revoke.revoke_for_sure

    def late(*args: Any, **kwargs: Any) -> Any:
        turn(row, status)
        return revoke_really(*args, **kwargs)

    monkeypatch.setattr(resend, "revoke_for_sure", late)
    response = ada.post(url, answer(ada.get(url)), target=LISTED if htmx else None)
    assert response.status_code == (200 if htmx else 409)
    assert words in text_of(response)
    assert lees(clerk) == []


def test_who_has_become_a_member_another_way_needs_no_invitation(
    ada: Browser, clerk: Emulator, row: Invitation, url: str
) -> None:
    turn(row, "expired")
    clerk.add_member("acme", clerk.add_user(LEE).id)
    response = ada.post(url, answer(ada.get(url)))
    assert response.status_code == 422
    assert f"{LEE} is already a member of Acme." in text_of(response)


def test_why_clerk_refused_is_told_in_its_own_words(
    ada: Browser, clerk: Emulator, row: Invitation, url: str
) -> None:
    turn(row, "expired")
    body = {"errors": [{"code": "quite_new", "message": "x", "long_message": "Not on Sundays."}]}
    clerk.fault("POST", CREATE, status=422, body=body)
    response = ada.post(url, answer(ada.get(url)))
    assert response.status_code == 422
    assert "Not on Sundays." in text_of(response)


# --- Faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize("htmx", [True, False])
@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ({"status": 500}, 503, "We made sure that nothing was changed."),
        (
            {"status": 429, "headers": {"Retry-After": "90"}, "body": "{}"},
            429,
            "Try again in 2 minutes",
        ),
        (
            {
                "status": 403,
                "body": {"errors": [{"code": "missing_organization_permission", "message": "no"}]},
            },
            403,
            "",
        ),
    ],
)
def test_where_the_first_half_fails_the_question_stays_as_it_was_answered(
    ada: Browser, clerk: Emulator, row: Invitation, url: str,
    fault: dict[str, Any], status: int, words: str, htmx: bool,
) -> None:  # fmt: skip
    clerk.fault("POST", REVOKE, **fault)
    data = answer(ada.get(url), role="org:member", expires_in_days="7", no_email="on")
    response = ada.post(url, data, target=LISTED if htmx else None)
    assert response.status_code == status
    assert words in text_of(response)
    assert lees(clerk) == [row]
    if status == 429:
        assert response["Retry-After"] == "90"
    if status != 403:
        form = response.context["resend_form"]
        assert (form["role"].value(), form["expires_in_days"].value()) == ("org:member", "7")
        assert form["no_email"].value() is True
        if htmx:
            assert response["HX-Retarget"] == f"#{DIALOG}"
        assert ada.post(url, answer(response)).status_code == 303
        assert lees(clerk)[0].role == "org:member"


@pytest.mark.parametrize("htmx", [True, False])
def test_where_the_first_half_is_lost_nothing_is_claimed_and_nothing_sent(
    ada: Browser, clerk: Emulator, row: Invitation, url: str, htmx: bool
) -> None:
    data = answer(ada.get(url))
    clerk.fault("POST", REVOKE, drop="before")
    response = ada.post(url, data, target=LISTED if htmx else None)
    words = text_of(response) if htmx else said(response)
    assert f"Clerk did not answer, so we do not know whether {LEE} has a new invitation." in words
    assert "sent to" not in words
    assert lees(clerk) == [row]


@pytest.mark.parametrize("htmx", [True, False])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 500}, "Clerk did not answer properly."),
        ({"status": 429, "headers": {"Retry-After": "9"}, "body": "{}"}, "Clerk's limit"),
        (
            {"status": 403, "body": {"errors": [{"code": "x", "long_message": "Because."}]}},
            "Because.",
        ),
    ],
)
def test_where_the_second_half_fails_the_list_says_so_and_offers_to_finish(
    ada: Browser, clerk: Emulator, row: Invitation, url: str,
    fault: dict[str, Any], reason: str, htmx: bool,
) -> None:  # fmt: skip
    data = answer(ada.get(url))
    clerk.fault("POST", CREATE, **fault)
    response = ada.post(url, data, target=LISTED if htmx else None)
    if not htmx:
        assert response.status_code == 303
        assert f"{LEE} is not invited any more" in said(response)
        response = ada.get()
    words = text_of(response)
    assert f"{LEE} is not invited any more" in words
    assert f"The invitation to {LEE} was revoked, but the new one could not be sent." in words
    assert reason in words
    assert row.state == "revoked"
    assert "Send it now" in words
    assert "Leave uninvited" in words


@pytest.fixture
def half(ada: Browser, clerk: Emulator, row: Invitation, url: str) -> str:
    """The URL of a resend that stopped half-way."""
    data = answer(ada.get(url))
    clerk.fault("POST", CREATE, status=500)
    ada.post(url, data)
    assert lees(clerk) == []
    return url


@pytest.mark.parametrize("htmx", [True, False])
def test_the_missing_half_is_done_by_one_press(
    ada: Browser, clerk: Emulator, half: str, htmx: bool
) -> None:
    data = {"finish": "1", "state": "q=lee"}
    response = ada.post(half, data, target=LISTED if htmx else None)
    if htmx:
        assert response["HX-Replace-Url"] == f"{LIST}?q=lee"
        assert "Send it now" not in text_of(response)
    else:
        assert (response.status_code, response["Location"]) == (303, f"{LIST}?q=lee")
    words = text_of(response) if htmx else said(response)
    assert f"New invitation sent to {LEE} as Billing." in words
    assert len(lees(clerk)) == 1
    assert "Send it now" not in text_of(ada.get())
    again = ada.post(half, data)
    assert said(again) == "There is nothing left to finish."
    assert len(lees(clerk)) == 1


def test_another_manager_sees_it_and_can_finish_it(
    sign_in: Any, clerk: Emulator, half: str
) -> None:
    bo = sign_in("bo@both.test", "acme")
    assert "Send it now" in text_of(bo.get())
    bo.post(half, {"finish": "1"})
    assert lees(clerk)[0].inviter_id == clerk.user("bo@both.test").id


def test_who_cannot_give_the_role_cannot_finish_it(
    sign_in: Any, clerk: Emulator, half: str
) -> None:
    mia = sign_in("mia@acme.test", "acme")
    assert "You cannot give this role" in said(mia.post(half, {"finish": "1"}))
    assert lees(clerk) == []


@pytest.mark.parametrize("htmx", [True, False])
def test_the_same_answer_after_the_new_one_was_revoked_is_no_second_success(
    ada: Browser, clerk: Emulator, url: str, htmx: bool
) -> None:
    target = LISTED if htmx else None
    data = answer(ada.get(url))
    ada.post(url, data, target=target)
    [new] = lees(clerk)
    ada.post(url_of(new, "revoke"))
    again = ada.post(url, data, target=target)
    assert again.status_code == 409
    assert "Nothing was sent now: press again to send a new one." in text_of(again)
    assert lees(clerk) == []
    ada.post(url, answer(again), target=target)
    assert len(lees(clerk)) == 1


@pytest.mark.parametrize("htmx", [True, False])
def test_finishing_one_that_may_manage_members_takes_the_tick(
    ada: Browser, clerk: Emulator, htmx: bool
) -> None:
    row = clerk.add_invitation("acme", LEE, role="org:people_manager")
    url, target = url_of(row), LISTED if htmx else None
    data = answer(ada.get(url)) | {"confirm_elevated": "on"}
    clerk.fault("POST", CREATE, status=500)
    ada.post(url, data)
    assert f'id="org-invitations-elevated-{row.id}"' in ada.get().text
    refused = ada.post(url, {"finish": "1"}, target=target)
    words = text_of(refused) if htmx else said(refused)
    assert f"tick the box beside “Send it now” if {LEE} is to manage members." in words
    assert lees(clerk) == []
    shown = refused.text if htmx else ada.get().text
    assert f'id="org-invitations-elevated-{row.id}"' in shown
    ada.post(url, {"finish": "1", "confirm_elevated": "1"}, target=target)
    assert [new.role for new in lees(clerk)] == ["org:people_manager"]


def test_finishing_a_harmless_one_takes_no_tick(ada: Browser, half: str) -> None:
    assert "org-invitations-elevated" not in ada.get().text


def test_it_can_be_left(ada: Browser, clerk: Emulator, half: str) -> None:
    response = ada.post(half, {"leave": "1"}, target=LISTED)
    assert f"{LEE} stays uninvited." in text_of(response)
    assert "Send it now" not in text_of(response)
    assert lees(clerk) == []


def test_finishing_that_fails_stays_on_offer(ada: Browser, clerk: Emulator, half: str) -> None:
    clerk.fault("POST", CREATE, status=500)
    response = ada.post(half, {"finish": "1"}, target=LISTED)
    assert f"{LEE} is not invited any more" in text_of(response)
    assert "Send it now" in text_of(response)


def test_without_a_seat_it_is_told_and_stays_on_offer(
    ada: Browser, clerk: Emulator, half: str
) -> None:
    organization = clerk.organization("acme")
    members = len(clerk.state.members_of(organization.id))
    organization.max_allowed_memberships = members + len(pending(clerk))
    response = ada.post(half, {"finish": "1"}, target=LISTED)
    assert "Acme has no seat left" in text_of(response)
    assert "Send it now" in text_of(response)


def test_that_somebody_is_invited_is_not_believed_while_clerk_shows_none(
    ada: Browser, clerk: Emulator, half: str
) -> None:
    body = {"errors": [{"code": "duplicate_record", "message": "x"}]}
    clerk.fault("POST", CREATE, status=400, body=body)
    response = ada.post(half, {"finish": "1"})
    assert f"{LEE} is not invited any more" in said(response)
    page = text_of(ada.get())
    assert "Clerk says that an invitation is pending, but shows none." in page
    assert "Send it now" in page


def test_in_another_organization_there_is_nothing_to_finish(
    sign_in: Any, clerk: Emulator, half: str
) -> None:
    bo = sign_in("bo@both.test", "globex")
    assert "Send it now" not in text_of(bo.get())
    assert said(bo.post(half, {"finish": "1"})) == "There is nothing left to finish."
    assert lees(clerk) == []


def test_a_crash_between_the_halves_is_offered_on_the_next_view(
    ada: Browser, clerk: Emulator, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(Exception):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Crash

    data = answer(ada.get(url))
    with monkeypatch.context() as patch:
        patch.setattr("org_invitations.services.batches.resend.create_for_sure", die)
        with pytest.raises(Crash):
            ada.post(url, data)
    assert lees(clerk) == []
    page = text_of(ada.get())
    assert f"it is not known yet whether {LEE} has a new invitation" in page
    assert "Send it now" not in page
    let_time_pass()
    page = text_of(ada.get())
    assert f"The invitation to {LEE} was revoked, but the new one could not be sent." in page
    ada.post(url, {"finish": "1"})
    assert len(lees(clerk)) == 1


def test_a_list_with_nothing_unfinished_asks_clerk_nothing_more(
    ada: Browser, clerk: Emulator, url: str
) -> None:
    ada.post(url, answer(ada.get(url)))
    ada.warm()
    before = ada.get()
    assert before.context["unfinished"] == []
    asked = calls(clerk)
    assert len(asked) <= 2, asked


def test_a_question_beside_something_unfinished_does_not_look_after_it(
    ada: Browser, clerk: Emulator, half: str
) -> None:
    other = clerk.add_invitation("acme", "other@example.com")
    ada.warm()
    ada.get(url_of(other))
    assert calls(clerk) == [f"GET {other.id}"]


@pytest.mark.parametrize("htmx", [True, False])
@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ({"drop": "before"}, 503, "so nothing was done"),
        ({"status": 429, "headers": {"Retry-After": "7"}, "body": "{}"}, 429, "in 7 seconds"),
    ],
)
def test_where_the_permission_cannot_be_asked_nothing_is_done_and_all_is_kept(
    ada: Browser, clerk: Emulator, row: Invitation, url: str,
    fault: dict[str, Any], status: int, words: str, htmx: bool,
) -> None:  # fmt: skip
    data = answer(ada.get(f"{url}?page=3"), role="org:member", expires_in_days="7")
    clerk.fault("GET", "*/memberships", times=None, **fault)
    response = ada.post(url, data, target=LISTED if htmx else None)
    assert response.status_code == status
    assert words.casefold() in text_of(response).casefold()
    assert LEE not in response.text  # nobody has been let in
    form = response.context["resend_form"]
    assert (form["role"].value(), form["expires_in_days"].value()) == ("org:member", "7")
    assert 'name="state" value="page=3"' in response.text
    assert lees(clerk) == [row]
    clerk.faults.clear()
    assert ada.post(url, answer(response)).status_code == 303


def test_roles_that_cannot_be_had_are_told(
    ada: Browser, clerk: Emulator, row: Invitation, url: str
) -> None:
    clerk.fault("GET", "*/role_sets/*", times=None, status=500)
    question = ada.get(url)
    assert "The roles could not be loaded" in text_of(question)
    response = ada.post(url, {"role": "org:billing", "batch": str(uuid4())})
    assert response.status_code == 503
    assert "The roles could not be loaded" in text_of(response)
    assert lees(clerk) == [row]


def test_no_seat_left_is_told_before_anything_is_revoked(
    ada: Browser, clerk: Emulator, row: Invitation, url: str
) -> None:
    organization = clerk.organization("acme")
    turn(row, "expired")
    members = len(clerk.state.members_of(organization.id))
    organization.max_allowed_memberships = members + len(pending(clerk))
    response = ada.post(url, answer(ada.get(url)))
    assert response.status_code == 422
    assert "Acme has no seat left" in text_of(response)


def test_a_limit_that_is_known_of_is_told_before_anything_is_revoked(
    ada: Browser, clerk: Emulator, row: Invitation, url: str
) -> None:
    clerk.fault("POST", CREATE, status=429, headers={"Retry-After": "600"}, body="{}")
    ada.invite("new@example.com")
    response = ada.post(url, answer(ada.get(url)))
    assert response.status_code == 429
    assert int(response["Retry-After"]) <= 600
    assert "Try again in 10 minutes" in text_of(response)
    assert lees(clerk) == [row]


def test_whom_nobody_is_looking_after_is_found_whoever_began(
    ada: Browser, clerk: Emulator, row: Invitation
) -> None:
    turn(row, "revoked")
    item = BatchItem(email_address=LEE, role="org:member", replaces_id=row.id, state="under-way")
    get_or_create(
        uuid4(),
        "resend",
        [item],
        organization_id=clerk.organization("acme").id,
        user_id="user_gone",
        options={},
    )
    BatchItem.objects.update(leased_by=ME, leased_until=timezone.now() + STALE_AFTER)
    assert "Send it now" not in text_of(ada.get())  # it counts as being at work
    let_time_pass()
    assert "Send it now" in text_of(ada.get())
