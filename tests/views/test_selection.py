"""Doing something with many invitations at once."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from org_invitations.clerk import ClerkClient, OrganizationAPI
from org_invitations.emulator import Emulator
from org_invitations.models import Batch, BatchItem
from org_invitations.testing import SignIn
from tests.leases import let_time_pass

from .conftest import LIST, Browser, calls, pending, text_of

SELECTED = f"{LIST}selected/"
DIALOG = "org-invitations-dialog"


@pytest.fixture
def ids(clerk: Emulator) -> list[str]:
    """Twelve pending invitations."""
    return [clerk.add_invitation("acme", f"p{n}@example.com").id for n in range(12)]


def invite(clerk: Emulator, count: int, **more: Any) -> list[str]:
    return [clerk.add_invitation("acme", f"q{n}@many.test", **more).id for n in range(count)]


def left(clerk: Emulator, domain: str = "example.com") -> list[str]:
    return [address for address in pending(clerk) if address.endswith(f"@{domain}")]


def ask(browser: Browser, ids: list[str], action: str = "revoke", **more: Any) -> Any:
    return browser.post(SELECTED, {"action": action, "selected": ids, **more})


def fields_of(response: Any) -> dict[str, Any]:
    """The fields of the question's form, as a browser would send them."""
    form = re.search(r"<form.*?</form>", response.text, flags=re.DOTALL)
    assert form is not None
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[0]):
        found.setdefault(name, []).append(value.replace("&amp;", "&"))
    found.pop("csrfmiddlewaretoken", None)
    return found


def do(browser: Browser, ids: list[str], action: str = "revoke", **more: Any) -> Any:
    """Ask and confirm; return the outcome page."""
    response = browser.post(SELECTED, {**fields_of(ask(browser, ids, action)), **more})
    assert response.status_code == 303, text_of(response)
    return browser.get(response["Location"])


def posts(clerk: Emulator) -> list[str]:
    return [call for call in calls(clerk) if call.startswith("POST")]


# --- The question --------------------------------------------------------------------------------


def test_asking_changes_nothing_and_names_the_people(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    response = ask(ada, ids[:3], state="q=p&sort=address")
    assert response.status_code == 200
    words = text_of(response)
    assert "Revoke 3 invitations?" in words
    for address in ("p0@example.com", "p1@example.com", "p2@example.com"):
        assert address in words
    assert "p3@example.com" not in words
    assert "Revoke 3 invitations" in words
    assert 'href="/invitations/?q=p&amp;sort=address" autofocus' in response.text
    data = {"action": "revoke", "selected": ids[:3]}
    in_dialog = ada.post(SELECTED, data, target="org-invitations-dialog")
    assert 'form="org-invitations-close"' in in_dialog.text
    assert not posts(clerk)
    assert not Batch.objects.exists()


def test_one_is_called_one(ada: Browser, ids: list[str]) -> None:
    assert "Revoke 1 invitation?" in text_of(ask(ada, ids[:1]))


def test_the_first_ten_are_named_and_the_others_a_click_away(ada: Browser, ids: list[str]) -> None:
    response = ask(ada, ids)
    shown, hidden = response.text.split("<details>")
    assert len(re.findall(r"p\d+@example\.com", shown)) == 10
    assert "And 2 more" in hidden
    assert len(re.findall(r"p\d+@example\.com", hidden)) == 2


def test_the_question_is_a_dialog_with_htmx_and_a_page_without(
    ada: Browser, ids: list[str]
) -> None:
    data = {"action": "revoke", "selected": ids}
    fragment = ada.post(SELECTED, data, target=DIALOG)
    assert "<html" not in fragment.text
    assert fragment["Org-Invitations-Fragment"] == DIALOG
    assert '<h2 id="org-invitations-dialog-title">' in fragment.text
    assert f'hx-post="{SELECTED}"' in fragment.text
    page = ada.post(SELECTED, data)
    assert '<h1 id="org-invitations-dialog-title">' in page.text
    assert "hx-post" not in page.text


def test_the_form_of_the_question_has_all_that_is_needed_to_do_it(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    fields = fields_of(ask(ada, ids, state="q=p"))
    assert fields["selected"] == ids
    assert fields["state"] == ["q=p"]
    assert fields["organization"] == [clerk.organization("acme").id]
    assert fields["confirmed"] == ["1"]
    assert fields_of(ask(ada, ids))["batch"] != fields["batch"]


@pytest.mark.parametrize("target", [None, DIALOG])
def test_nothing_selected_is_told(ada: Browser, target: str | None) -> None:
    response = ada.post(SELECTED, {"action": "revoke"}, target=target)
    assert response.status_code == 422
    assert "Nothing was selected" in text_of(response)
    assert "<form" not in response.text


@pytest.mark.parametrize("action", ["", "invite", "delete"])
def test_an_action_that_there_is_not_does_nothing(
    ada: Browser, clerk: Emulator, ids: list[str], action: str
) -> None:
    response = ask(ada, ids, action, confirmed="1", batch=str(uuid4()))
    assert response.status_code == 422
    assert "what to do" in text_of(response)
    assert not posts(clerk)


def test_looking_up_a_selection_takes_one_call(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    ada.warm()
    ask(ada, ids)
    assert calls(clerk) == ["GET invitations"]


def test_loading_the_address_of_the_question_leads_to_the_list(ada: Browser) -> None:
    response = ada.get(f"{SELECTED}?q=p")
    assert (response.status_code, response["Location"]) == (303, f"{LIST}?q=p")


# --- All that match ------------------------------------------------------------------------------


def test_all_that_match_are_asked_about_whatever_page_is_shown(
    ada: Browser, clerk: Emulator
) -> None:
    invite(clerk, 143)
    response = ada.post(
        SELECTED,
        {"action": "revoke", "all": "on", "selected": ["orginv_x"], "state": "q=many.test&page=3"},
    )
    words = text_of(response)
    assert "Revoke 143 invitations?" in words
    assert "And 133 more" in words
    assert len(fields_of(response)["selected"]) == 143


def test_more_than_500_are_too_many_for_one_go(ada: Browser, clerk: Emulator) -> None:
    invite(clerk, 501)
    response = ada.post(SELECTED, {"action": "revoke", "all": "on", "state": "q=many.test"})
    assert response.status_code == 422
    assert "These are 501 invitations, and at most 500" in text_of(response)
    assert "Narrow the search" in text_of(response)


def test_143_take_one_question_and_one_answer_though_clerk_lets_100_through_at_a_time(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite(clerk, 143)
    monkeypatch.setattr("org_invitations.services.batches.runner.time.sleep", clerk.clock.advance)
    question = ada.post(SELECTED, {"action": "revoke", "all": "on", "state": "q=many.test"})
    response = ada.post(SELECTED, fields_of(question))
    page = ada.get(response["Location"])
    assert "143 revoked" in text_of(page)
    assert page.context["outcome"].sentences == ("143 revoked",)
    assert not left(clerk, "many.test")


def test_what_came_after_the_question_is_left_alone(ada: Browser, clerk: Emulator) -> None:
    invite(clerk, 3)
    question = ada.post(SELECTED, {"action": "revoke", "all": "on", "state": "q=many.test"})
    clerk.add_invitation("acme", "q900@many.test")
    ada.post(SELECTED, fields_of(question))
    assert "q900@many.test" in pending(clerk)


# --- Doing it ------------------------------------------------------------------------------------


def test_each_is_revoked_and_the_answer_is_the_outcome(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    page = do(ada, ids)
    assert "12 revoked" in text_of(page)
    assert not left(clerk)
    assert len([call for call in posts(clerk) if call == "POST revoke"]) == 12


def test_htmx_goes_to_the_outcome_as_well(ada: Browser, ids: list[str]) -> None:
    response = ada.post(SELECTED, fields_of(ask(ada, ids)), target=DIALOG)
    assert response.status_code == 200
    assert re.fullmatch(rf"{LIST}outcomes/[0-9a-f-]{{36}}/", response["HX-Redirect"])


def test_every_revocation_names_who_asked_for_it(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    do(ada, ids[:2])
    bodies = [call.body for call in clerk.requests if call.path.endswith("/revoke")]
    assert bodies == [{"requesting_user_id": clerk.user("ada@acme.test").id}] * 2


def test_each_gets_a_fresh_invitation(ada: Browser, clerk: Emulator, ids: list[str]) -> None:
    page = do(ada, ids[:3], "resend")
    assert page.context["outcome"].sentences == ("3 sent",)
    addresses = pending(clerk)
    for number, old in enumerate(ids[:3]):
        assert addresses.count(f"p{number}@example.com") == 1
        assert clerk.state.invitations[old].state == "revoked"


def test_a_form_without_an_id_of_its_own_is_only_asked_about(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    for batch in ("", "nonsense"):
        response = ask(ada, ids, confirmed="1", batch=batch)
        assert "Revoke 12 invitations?" in text_of(response)
    assert not posts(clerk)


# --- Twice ---------------------------------------------------------------------------------------


def test_the_same_form_twice_does_it_once(ada: Browser, clerk: Emulator, ids: list[str]) -> None:
    for action in ("resend", "revoke"):
        clerk.clear_requests()
        rows = clerk.invitations("acme", "pending")
        chosen = [row.id for row in rows if row.email_address.endswith("@example.com")]
        fields = fields_of(ask(ada, chosen, action))
        first, second = ada.post(SELECTED, fields), ada.post(SELECTED, fields)
        assert first.status_code == second.status_code == 303
        assert first["Location"] == second["Location"]
        assert posts(clerk).count("POST revoke") == 12
        assert posts(clerk).count("POST invitations") == (12 if action == "resend" else 0)


def test_going_back_to_the_question_and_on_again_does_nothing_more(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    fields = fields_of(ask(ada, ids))
    ada.post(SELECTED, fields)
    clerk.clear_requests()
    response = ada.post(SELECTED, fields)
    assert response.status_code == 303
    assert "12 revoked" in text_of(ada.get(response["Location"]))
    assert not posts(clerk)


def test_another_selection_under_the_same_id_is_asked_about(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    fields = fields_of(ask(ada, ids[:2]))
    ada.post(SELECTED, fields)
    response = ada.post(SELECTED, {**fields, "selected": ids[2:4]})
    assert response.status_code == 200
    assert "Revoke 2 invitations?" in text_of(response)
    assert "p2@example.com" in pending(clerk)


def test_the_id_of_somebody_elses_batch_is_no_way_in(
    ada: Browser, sign_in: Any, clerk: Emulator, ids: list[str]
) -> None:
    fields = fields_of(ask(ada, ids[:2]))
    ada.post(SELECTED, fields)
    mia = sign_in("mia@acme.test", "acme")
    response = mia.post(SELECTED, {**fields, "selected": ids[2:4]})
    # What she has confirmed is done, and is a batch of her own.
    own = BatchItem.objects.filter(batch__user_id=clerk.user("mia@acme.test").id)
    assert {item.invitation_id for item in own} == set(ids[2:4])
    others = BatchItem.objects.exclude(pk__in=own)
    assert {item.invitation_id for item in others} == set(ids[:2])
    assert str(own[0].batch_id) in response["Location"]


# --- What happened meanwhile ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("accepted", "Accepted meanwhile: the person is a member now"),
        ("revoked", "Was revoked already"),
        ("expired", "Has expired already"),
    ],
)
@pytest.mark.parametrize("before", ["the question", "the answer"])
def test_what_is_no_longer_pending_is_told_by_a_sentence_of_its_own(
    ada: Browser, clerk: Emulator, ids: list[str], state: str, words: str, before: str
) -> None:
    row = clerk.state.invitations[ids[1]]

    def happen() -> None:
        if state == "expired":
            row.expires_at = row.created_at - 1
        else:
            row.state = state

    if before == "the question":
        happen()
        response = ask(ada, ids[:3])
        assert "Revoke 2 invitations?" in text_of(response)
        assert f"These are left out: p1@example.com: {words}" in text_of(response)
    else:
        response = ask(ada, ids[:3])
        happen()
    page = ada.get(ada.post(SELECTED, fields_of(response))["Location"])
    rest = "1 not revoked" if state == "accepted" else "1 needed nothing"
    assert page.context["outcome"].sentences == ("2 revoked", rest)
    assert words in text_of(page)


def test_what_is_revoked_between_the_look_and_the_call_is_told(
    ada: Browser, clerk: Emulator, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    revoke = OrganizationAPI.revoke

    def too_late(self: OrganizationAPI, invitation_id: str, **more: Any) -> Any:
        clerk.state.invitations[invitation_id].state = "accepted"
        return revoke(self, invitation_id, **more)

    fields = fields_of(ask(ada, ids[:1]))
    monkeypatch.setattr(OrganizationAPI, "revoke", too_late)
    page = ada.get(ada.post(SELECTED, fields)["Location"])
    assert page.context["outcome"].sentences == ("Nothing was revoked", "1 not revoked")
    assert "Accepted meanwhile" in text_of(page)


@pytest.mark.parametrize(("state", "status"), [("accepted", 409), ("revoked", 409)])
def test_where_there_is_nothing_left_to_do_it_says_so(
    ada: Browser, clerk: Emulator, ids: list[str], state: str, status: int
) -> None:
    fields = fields_of(ask(ada, ids[:2]))
    for invitation_id in ids[:2]:
        clerk.state.invitations[invitation_id].state = state
    for response in (ask(ada, ids[:2]), ada.post(SELECTED, fields)):
        assert response.status_code == status
        assert "There is nothing left to do" in text_of(response)
        assert "<form" not in response.text
    assert not Batch.objects.exists()


def test_what_is_not_this_organizations_is_gone_and_never_touched(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    foreign = clerk.add_invitation("globex", "theirs@example.com").id
    garbage = ["orginv_nonsense", "../../users", "", "\0", "orginv_" + "x" * 999]
    alone = ask(ada, [foreign])
    assert alone.status_code == 404
    assert "There is no such invitation here any more" in text_of(alone)
    assert "theirs@example.com" not in alone.text
    page = do(ada, [*ids[:2], foreign, *garbage])
    assert page.context["outcome"].sentences[0] == "2 revoked"
    assert "An invitation that is gone" in text_of(page)
    assert clerk.state.invitations[foreign].state == "pending"
    assert not [call for call in clerk.requests if foreign in call.path and call.method == "POST"]


def test_made_up_ids_do_not_cost_a_call_each(ada: Browser, clerk: Emulator) -> None:
    ada.warm()
    assert ask(ada, [f"orginv_{n}" for n in range(450)]).status_code == 404
    assert len(clerk.requests) <= 3


def test_those_of_a_list_that_is_longer_than_a_call_are_found(
    ada: Browser, clerk: Emulator
) -> None:
    clerk.configure(rate_limits=False)
    old = invite(clerk, 60, created_ago=90_000)
    for n in range(500):
        clerk.add_invitation("acme", f"new{n}@example.com")
    ada.warm()
    assert "Revoke 60 invitations?" in text_of(ask(ada, old))
    assert len(clerk.requests) == 2
    clerk.clear_requests()
    assert "Revoke 5 invitations?" in text_of(ask(ada, old[:5]))
    assert len(clerk.requests) == 6


def test_somebody_who_may_no_longer_manage_members_does_nothing(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    fields = fields_of(ask(ada, ids))
    clerk.configure(
        memberships=[{"organization": "acme", "user": "ada@acme.test", "role": "org:member"}]
    )
    response = ada.post(SELECTED, fields)
    assert response.status_code == 403
    assert len(left(clerk)) == 12
    assert not Batch.objects.exists()


def test_where_clerk_says_so_in_the_middle_nothing_more_is_tried(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    fields = fields_of(ask(ada, ids))
    denied = {"errors": [{"code": "missing_organization_permission", "message": "no"}]}
    clerk.fault("POST", "*/revoke", times=None, status=403, body=denied)
    page_of = ada.post(SELECTED, fields)["Location"]
    page = ada.get(page_of)
    assert page.context["outcome"].sentences == ("Nothing was revoked", "12 not revoked")
    assert "You may no longer manage members" in text_of(page)
    assert posts(clerk).count("POST revoke") == 8  # one group


def test_who_has_switched_to_another_organization_does_nothing(
    clerk: Emulator, sign_in: Any, ids: list[str], clerk_sign_in: SignIn
) -> None:
    bo = sign_in("bo@both.test", "acme")
    fields = fields_of(ask(bo, ids))
    clerk_sign_in(bo.client, "bo@both.test", organization="globex")
    assert bo.post(SELECTED, fields).status_code == 409
    assert "p0@example.com" in pending(clerk)


# --- Sending again: what is checked before -------------------------------------------------------


def test_a_role_that_one_may_not_give_is_left_out(
    sign_in: Any, clerk: Emulator, ids: list[str]
) -> None:
    mia = sign_in("mia@acme.test", "acme")
    admin = clerk.add_invitation("acme", "boss@example.com", role="org:admin").id
    own = clerk.add_invitation("acme", "peer@example.com", role="org:people_manager").id
    response = ask(mia, [admin, own], "resend")
    assert "Send 1 new invitation?" in text_of(response)
    assert "boss@example.com: You cannot give the role Admin" in text_of(response)
    fields = {**fields_of(response), "confirm_elevated": "1"}
    page = mia.get(mia.post(SELECTED, fields)["Location"])
    assert page.context["outcome"].sentences == ("1 sent", "1 not sent")
    assert clerk.state.invitations[admin].state == "pending"


def test_a_role_lost_between_question_and_answer_is_not_given(
    ada: Browser, clerk: Emulator
) -> None:
    admin = clerk.add_invitation("acme", "boss@example.com", role="org:admin").id
    fields = {**fields_of(ask(ada, [admin], "resend")), "confirm_elevated": "1"}
    clerk.configure(
        memberships=[
            {"organization": "acme", "user": "ada@acme.test", "role": "org:people_manager"}
        ]
    )
    response = ada.post(SELECTED, fields)
    assert response.status_code == 409
    assert "You cannot give the role Admin" in text_of(response)
    assert clerk.state.invitations[admin].state == "pending"


def test_a_role_of_weight_needs_the_tick(ada: Browser, clerk: Emulator) -> None:
    admin = clerk.add_invitation("acme", "boss@example.com", role="org:admin").id
    question = ask(ada, [admin], "resend")
    assert "Some of them will manage members (Admin)" in text_of(question)
    refused = ada.post(SELECTED, fields_of(question))
    assert refused.status_code == 422
    assert "tick the box" in text_of(refused)
    assert clerk.state.invitations[admin].state == "pending"
    page = ada.get(ada.post(SELECTED, {**fields_of(refused), "confirm_elevated": "1"})["Location"])
    assert page.context["outcome"].sentences == ("1 sent",)


def test_only_as_many_are_invited_again_as_there_are_seats(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    gone = invite(clerk, 3, state="revoked")
    organization = clerk.organization("acme")
    members = [m for m in clerk.state.memberships if m.organization_id == organization.id]
    used = len(pending(clerk)) + len(members)
    clerk.configure(organizations={"acme": {"max_allowed_memberships": used + 1}})
    response = ask(ada, [*gone, ids[0]], "resend", state="status=revoked")
    words = text_of(response)
    assert "Send 2 new invitations?" in words  # one seat, and one that has its own
    assert words.count("No seat is left") == 2
    page = ada.get(ada.post(SELECTED, fields_of(response))["Location"])
    assert page.context["outcome"].sentences == ("2 sent", "2 not sent")


@pytest.mark.parametrize("state", ["", "status=revoked"], ids=["a list", "an outcome"])
def test_what_somebody_revokes_between_question_and_answer_is_not_sent(
    ada: Browser, clerk: Emulator, ids: list[str], state: str
) -> None:
    gone = invite(clerk, 1, state="revoked")
    boss = clerk.add_invitation("acme", "boss@many.test", role="org:admin").id
    fields = fields_of(ask(ada, [ids[0], *gone, boss], "resend", state=state))
    clerk.state.invitations[ids[0]].state = "revoked"
    fields = fields_of(ada.post(SELECTED, fields)) | {"confirm_elevated": "1"}  # it was forgotten
    page = ada.get(ada.post(SELECTED, fields)["Location"])
    # Another one was revoked when it was asked, and is meant all the same.
    states = [item.state for item in page.context["batch"].items.all()]
    assert states == ["refused", "done", "done"]


def test_where_there_are_more_people_than_seats_nothing_is_revoked_for_a_new_one(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    clerk.configure(organizations={"acme": {"max_allowed_memberships": 5}})
    response = ask(ada, ids[:2], "resend")
    assert response.status_code == 409
    assert "No seat is left" in text_of(response)


def test_who_is_a_member_or_invited_by_now_is_left_out(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    member = clerk.add_invitation("acme", "max@acme.test", state="revoked").id
    invited = clerk.add_invitation("acme", "p0@example.com", state="revoked").id
    response = ask(ada, [member, invited], "resend", state="status=revoked")
    assert response.status_code == 409
    assert "max@acme.test: Already a member (Member)." in text_of(response)
    day = f"{datetime.fromtimestamp(clerk.clock.now(), UTC):%Y}"
    assert re.search(rf"p0@example\.com: Already invited on \w+\.? \d+, {day}", text_of(response))


def test_of_two_of_one_address_one_is_sent(ada: Browser, clerk: Emulator) -> None:
    twice = [
        clerk.add_invitation("acme", "Twice@example.com", state="revoked", created_ago=n).id
        for n in (5000, 9)
    ]
    response = ask(ada, twice, "resend", state="status=revoked")
    assert "Invite 1 person again?" in text_of(response)
    assert "You chose more than one invitation of this address" in text_of(response)
    ada.post(SELECTED, fields_of(response))
    assert pending(clerk).count("Twice@example.com") == 1


def test_a_newer_one_that_cannot_be_sent_again_does_not_stand_in_for_the_older(
    ada: Browser, clerk: Emulator
) -> None:
    old = clerk.add_invitation("acme", "two@example.com", state="revoked", created_ago=5000).id
    new = clerk.add_invitation("acme", "two@example.com", state="accepted", created_ago=9).id
    assert "Invite 1 person again?" in text_of(ask(ada, [old, new], "resend"))


def test_without_a_limit_of_seats_all_are_invited_again(ada: Browser, clerk: Emulator) -> None:
    clerk.configure(organizations={"acme": {"max_allowed_memberships": 0}})
    assert "Invite 3 people again?" in text_of(
        ask(ada, invite(clerk, 3, state="revoked"), "resend")
    )


def test_accepted_ones_are_not_sent_again(ada: Browser, clerk: Emulator) -> None:
    accepted = clerk.add_invitation("acme", "in@example.com", state="accepted").id
    response = ask(ada, [accepted], "resend", state="status=accepted")
    assert response.status_code == 409
    assert "Accepted meanwhile" in text_of(response)


def test_a_budget_that_is_nearly_used_up_is_told_before(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    clerk.configure(single_invitations_per_hour=1)
    do(ada, ids[:2], "resend")
    words = text_of(ask(ada, ids[2:4], "resend"))
    assert "not all of these can go at once" in words


# --- Faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize("confirmed", [False, True])
@pytest.mark.parametrize(
    ("fault", "status"),
    [({"drop": "before"}, 503), ({"status": 429, "headers": {"Retry-After": "7"}}, 429)],
)
def test_where_nobody_answers_what_was_chosen_is_kept(
    ada: Browser, clerk: Emulator, ids: list[str], fault: dict[str, Any], status: int,
    confirmed: bool,
) -> None:  # fmt: skip
    fields: dict[str, Any] = {"action": "revoke", "selected": ids, "state": "q=p"}
    if confirmed:
        fields = fields_of(ask(ada, ids, state="q=p"))
    clerk.fault("GET", "*/invitations", times=None, **fault)
    response = ada.post(SELECTED, fields)
    assert response.status_code == status
    said = "Nothing was done" if confirmed else "That did not work"
    assert said in text_of(response)
    assert "p0@example.com" not in response.text
    kept = fields_of(response)
    assert kept["selected"] == ids
    assert kept["state"] == ["q=p"]
    clerk.faults.clear()
    again = ada.post(SELECTED, kept)
    assert again.status_code == (303 if confirmed else 200)


def test_a_half_failed_run_can_be_continued(ada: Browser, clerk: Emulator, ids: list[str]) -> None:
    fields = fields_of(ask(ada, ids))
    for n in (9, 10):
        clerk.fault("POST", f"*/{ids[n]}/revoke", status=500)
    page = ada.get(ada.post(SELECTED, fields)["Location"])
    assert page.context["outcome"].sentences == ("10 revoked", "2 not revoked")
    assert "We made sure that nothing was done" in text_of(page)
    assert "Try the other 2 again" in text_of(page)
    forms = fields_of(page)
    assert forms["selected"] == [ids[9], ids[10]]
    question = ada.post(SELECTED, forms)
    assert "Revoke 2 invitations?" in text_of(question)
    page = ada.get(ada.post(SELECTED, fields_of(question))["Location"])
    assert page.context["outcome"].sentences == ("2 revoked",)
    assert not left(clerk)


@pytest.mark.parametrize("action", ["revoke", "resend"])
def test_what_clerks_limit_stops_waits_and_goes_on_where_it_stopped(
    ada: Browser, clerk: Emulator, ids: list[str], action: str
) -> None:
    fields = fields_of(ask(ada, ids, action))
    clerk.fault("POST", f"*/{ids[9]}/revoke", status=429, headers={"Retry-After": "700"})
    location = ada.post(SELECTED, fields)["Location"]
    page = ada.get(location)
    outcome = page.context["outcome"]
    assert outcome.waiting_count >= 1
    assert outcome.sentences[-1].endswith("waiting")
    words = text_of(page)
    assert "Clerk's limit is reached; the next can go at" in words
    assert "(in 12 minutes). Nothing goes on by itself" in words
    assert "Continue with the other" in words
    done = posts(clerk).count("POST revoke")
    response = ada.post(SELECTED, {"continue": "1", "batch": fields["batch"]})
    assert (response.status_code, response["Location"]) == (303, location)
    page = ada.get(location)
    assert page.context["outcome"].sentences == ("12 revoked" if action == "revoke" else "12 sent",)
    assert posts(clerk).count("POST revoke") == done + outcome.waiting_count


def test_where_clerk_is_out_of_reach_the_rest_waits(
    ada: Browser, clerk: Emulator, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from org_invitations.clerk.exceptions import ConnectionFailed

    revoke = OrganizationAPI.revoke

    def fail(self: OrganizationAPI, invitation_id: str, **more: Any) -> Any:
        if invitation_id == ids[3]:
            raise ConnectionFailed
        return revoke(self, invitation_id, **more)

    monkeypatch.setattr(OrganizationAPI, "revoke", fail)
    page = do(ada, ids)
    assert page.context["outcome"].sentences == (
        "7 revoked",
        "1 not revoked",
        "4 waiting",
    )
    assert "Clerk could not be reached" in text_of(page)


def test_an_answer_that_was_lost_is_settled_at_once(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    fields = fields_of(ask(ada, ids[:3]))
    clerk.fault("POST", f"*/{ids[0]}/revoke", drop="after")
    page = ada.get(ada.post(SELECTED, fields)["Location"])
    assert page.context["outcome"].sentences == ("3 revoked",)


def test_when_the_time_is_over_the_rest_waits(
    ada: Browser, clerk: Emulator, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    has_time = iter([True, False])
    monkeypatch.setattr(ClerkClient, "has_time", lambda self, writes: next(has_time))
    page = do(ada, ids)
    assert page.context["outcome"].sentences == ("8 revoked", "4 waiting")
    assert "What is waiting can go now" in text_of(page)


def test_going_on_with_what_is_not_ones_own_is_not_found(
    ada: Browser, sign_in: Any, ids: list[str]
) -> None:
    fields = fields_of(ask(ada, ids[:2]))
    ada.post(SELECTED, fields)
    mia = sign_in("mia@acme.test", "acme")
    for browser, batch in ((mia, fields["batch"]), (ada, str(uuid4())), (ada, "nonsense")):
        response = browser.post(SELECTED, {"continue": "1", "batch": batch})
        assert response.status_code == 404


def test_going_on_needs_the_permission_at_that_moment(
    ada: Browser, clerk: Emulator, ids: list[str]
) -> None:
    fields = fields_of(ask(ada, ids))
    clerk.fault("POST", "*/revoke", times=None, status=429, headers={"Retry-After": "700"})
    ada.post(SELECTED, fields)
    clerk.faults.clear()
    clerk.configure(
        memberships=[{"organization": "acme", "user": "ada@acme.test", "role": "org:member"}]
    )
    response = ada.post(SELECTED, {"continue": "1", "batch": fields["batch"]})
    assert response.status_code == 403
    assert len(left(clerk)) == 12


def test_a_crash_in_the_middle_is_found_out_about_when_the_outcome_is_read(
    ada: Browser, clerk: Emulator, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    revoke = OrganizationAPI.revoke

    def crash(self: OrganizationAPI, invitation_id: str, **more: Any) -> Any:
        if invitation_id == ids[9]:
            raise RuntimeError("out of memory")
        return revoke(self, invitation_id, **more)

    fields = fields_of(ask(ada, ids))
    monkeypatch.setattr(OrganizationAPI, "revoke", crash)
    with pytest.raises(RuntimeError):
        ada.post(SELECTED, fields)
    monkeypatch.undo()
    [batch] = Batch.objects.all()
    assert set(batch.items.values_list("state", flat=True)) == {"done", "under-way"}

    page = ada.get(f"{LIST}outcomes/{batch.id}/")
    assert page.context["outcome"].sentences == (
        "11 revoked",
        "1 not known yet",
    )
    let_time_pass()
    page = ada.get(f"{LIST}outcomes/{batch.id}/")
    assert page.context["outcome"].sentences == ("11 revoked", "1 not revoked")
    assert "Try the other one again" in text_of(page)
    assert BatchItem.objects.get(number=9).state == "failed"


def test_a_crash_between_the_halves_of_a_resend_is_told_and_can_be_mended(
    ada: Browser, clerk: Emulator, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    create = OrganizationAPI.invite_member

    def crash(self: OrganizationAPI, request: Any) -> Any:
        if request.email_address == "p1@example.com":
            raise RuntimeError("out of memory")
        return create(self, request)

    fields = fields_of(ask(ada, ids[:4], "resend"))
    monkeypatch.setattr(OrganizationAPI, "invite_member", crash)
    with pytest.raises(RuntimeError):
        ada.post(SELECTED, fields)
    monkeypatch.undo()
    location = f"{LIST}outcomes/{fields['batch'][0]}/"
    page = ada.get(location)
    unknown = "1 not known yet"
    assert page.context["outcome"].sentences == ("1 sent", unknown, "2 waiting")
    let_time_pass()
    page = ada.get(location)
    assert page.context["outcome"].sentences == ("1 sent", "1 not sent", "2 waiting")
    assert "The old invitation was revoked, but the new one could not be sent" in text_of(page)
    ada.post(SELECTED, {"continue": "1", "batch": fields["batch"]})
    assert ada.get(location).context["outcome"].sentences == ("3 sent", "1 not sent")
    assert len([a for a in left(clerk) if a[:2] in ("p0", "p2")]) == 2


# --- The session ---------------------------------------------------------------------------------


def test_a_session_that_has_ended_loses_nothing_that_was_selected(
    ada: Browser, clerk: Emulator, ids: list[str], clerk_sign_in: SignIn
) -> None:
    fields = fields_of(ask(ada, ids, state="q=p"))
    clerk_sign_in(ada.client, "ada@acme.test", organization="acme", issued_ago=90)
    response = ada.post(SELECTED, fields)
    assert response.status_code == 401
    kept = fields_of(response)
    assert {name: kept[name] for name in fields} == fields
    fragment = ada.post(SELECTED, fields, target=DIALOG)
    assert fragment.status_code == 401
    assert fragment["Org-Invitations-Renew"]
    assert fragment["HX-Retarget"] == f"#{DIALOG}"
    clerk_sign_in(ada.client, "ada@acme.test", organization="acme")
    assert "12 revoked" in text_of(ada.get(ada.post(SELECTED, kept)["Location"]))


# --- What must not be taken back for nothing -----------------------------------------------------


def test_when_a_new_invitation_cannot_be_made_no_other_one_is_taken_back(
    ada: Browser, clerk: Emulator
) -> None:
    rows = clerk.invitations("acme", "pending")[:6]
    clerk.fault("POST", "/v1/organizations/*/invitations", times=None, status=500)
    data = {"action": "resend", "selected": [row.id for row in rows], "confirmed": "1"}
    ada.post("/invitations/selected/", data | {"batch": str(uuid4()), "confirm_elevated": "on"})
    states = [clerk.state.invitations[row.id].state for row in rows]
    assert states.count("revoked") == 1
    assert states.count("pending") == 5


def test_what_somebody_has_revoked_since_is_not_sent_again(ada: Browser, clerk: Emulator) -> None:
    first, second = clerk.invitations("acme", "pending")[:2]
    data = {"action": "resend", "selected": [first.id, second.id], "confirm_elevated": "on"}
    data |= {"state": ""}  # of the list as it opens: the pending ones
    assert ada.post("/invitations/selected/", data).status_code == 200
    clerk.state.invitations[first.id].state = "revoked"
    ada.post("/invitations/selected/", data | {"confirmed": "1", "batch": str(uuid4())})
    assert first.email_address not in pending(clerk)
    assert second.email_address in pending(clerk)
