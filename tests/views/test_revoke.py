"""Revoking an invitation."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client, override_settings

from org_invitations.clerk import OrganizationAPI
from org_invitations.emulator import Emulator
from org_invitations.models import BatchItem
from org_invitations.services import InvitationService
from tests.leases import let_time_pass

from .conftest import LIST, Browser, calls, html_of, pending, text_of
from .inviting import die


@pytest.fixture
def url(clerk: Emulator) -> str:
    """The address at which the invitation to lee@example.com is revoked."""
    row = clerk.add_invitation("acme", "lee@example.com", role="org:billing")
    return f"{LIST}{row.id}/revoke/"


def test_the_question_names_the_person_and_the_role(ada: Browser, url: str) -> None:
    response = ada.get(f"{url}?page=2")
    assert response.status_code == 200
    words = text_of(response)
    assert "Revoke this invitation?" in words
    assert "lee@example.com was invited as Billing." in words
    assert 'name="state" value="page=2"' in response.text
    assert 'href="/invitations/?page=2"' in response.text
    assert "hx-post" not in response.text  # a page of its own has no list to swap


def test_htmx_gets_the_question_for_its_dialog(ada: Browser, url: str) -> None:
    response = ada.get(url, target="org-invitations-dialog")
    assert "<html" not in response.text
    assert response["Org-Invitations-Fragment"] == "org-invitations-dialog"
    assert "lee@example.com" in response.text


def test_asking_changes_nothing(ada: Browser, clerk: Emulator, url: str) -> None:
    ada.get(url)
    assert "lee@example.com" in pending(clerk)


def test_without_htmx_the_answer_is_a_redirect_to_the_page_one_came_from(
    ada: Browser, clerk: Emulator, url: str
) -> None:
    response = ada.post(url, {"state": "page=3"})
    assert (response.status_code, response["Location"]) == (303, f"{LIST}?page=3")
    assert "lee@example.com" not in pending(clerk)
    [message] = get_messages(response.wsgi_request)
    text, way_back = str(message).split(" <a ")
    assert text == "Invitation to lee@example.com revoked. Its link no longer works."
    again = f"{url.removesuffix('revoke/')}resend/?page=3"
    assert way_back == f'href="{again}">Invite again as Billing</a>'
    assert ada.get(again).status_code == 200


def test_with_htmx_the_list_comes_back(ada: Browser, clerk: Emulator, url: str) -> None:
    response = ada.post(url, {"state": "page=2"}, target="org-invitations-list")
    assert response.status_code == 200
    assert response.context["page"].number == 2
    assert response["HX-Replace-Url"] == f"{LIST}?page=2"
    assert 'id="org-invitation-orginv' in response.text
    assert "Invitation to lee@example.com revoked." in response.text
    assert "lee@example.com" not in pending(clerk)


@override_settings(ORG_INVITATIONS_PAGE_SIZE=1)
def test_revoking_the_only_row_of_the_last_page_steps_back(ada: Browser, clerk: Emulator) -> None:
    oldest = min(clerk.invitations("acme", "pending"), key=lambda row: row.created_at)
    response = ada.post(
        f"{LIST}{oldest.id}/revoke/", {"state": "page=34"}, target="org-invitations-list"
    )
    assert response.context["page"].number == 33
    assert len(response.context["rows"]) == 1


@pytest.mark.parametrize("htmx", [True, False])
def test_a_revocation_costs_three_calls_and_one_for_the_seats(
    ada: Browser, clerk: Emulator, url: str, htmx: bool
) -> None:
    ada.warm()
    ada.post(url, target="org-invitations-list" if htmx else None)
    if not htmx:
        ada.get()
    check, write, *shown = calls(clerk)
    assert (check, write) == ("GET memberships", "POST revoke")
    assert sorted(shown) == ["GET invitations", f"GET {clerk.organization('acme').id}"]


def test_the_revocation_names_who_asked_for_it(ada: Browser, clerk: Emulator, url: str) -> None:
    ada.post(url)
    sent = next(call.body for call in clerk.requests if call.method == "POST")
    assert sent == {"requesting_user_id": clerk.user("ada@acme.test").id}


# --- What happened meanwhile ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("accepted", "lee@example.com has accepted the invitation meanwhile"),
        ("revoked", "The invitation to lee@example.com was already revoked"),
        ("expired", "The invitation to lee@example.com has expired meanwhile"),
    ],
)
def test_an_invitation_that_is_no_longer_pending_is_told_not_failed(
    ada: Browser, clerk: Emulator, state: str, words: str
) -> None:
    row = clerk.add_invitation("acme", "lee@example.com")
    if state == "expired":
        row.expires_at = row.created_at - 1
    else:
        row.state = state
    url = f"{LIST}{row.id}/revoke/"
    for response in (ada.get(url), ada.post(url)):
        assert response.status_code == 409
        assert words in text_of(response)
        assert "<button" not in response.text
    for response in (
        ada.get(url, target="org-invitations-dialog"),
        ada.post(url, target="org-invitations-list"),
    ):
        assert response.status_code == 200
        assert response["HX-Retarget"] == "#org-invitations-list"
        assert words in text_of(response)
        assert 'id="org-invitations-list"' in response.text


def test_the_same_question_answered_twice_revokes_once(
    ada: Browser, clerk: Emulator, url: str
) -> None:
    batch = str(ada.get(url).context["batch_id"])
    clerk.clear_requests()
    for _ in range(2):
        answer = ada.post(url, {"batch": batch}, target="org-invitations-list")
        assert "Invitation to lee@example.com revoked." in text_of(answer)
        assert "Invite again as Billing" in text_of(answer)
    assert calls(clerk).count("POST revoke") == 1


@pytest.mark.parametrize(
    "place", [(InvitationService, "run"), (OrganizationAPI, "revoke")], ids=["begun", "at work"]
)
def test_a_press_while_the_first_is_at_work_says_so(
    ada: Browser, clerk: Emulator, url: str, monkeypatch: pytest.MonkeyPatch, place: Any
) -> None:
    data = {"batch": str(ada.get(url).context["batch_id"])}
    other = Browser(Client(), clerk)
    other.client.cookies = ada.client.cookies
    owner, name = place
    first = getattr(owner, name)
    inner: list[Any] = []

    def press_again(*arguments: Any, **more: Any) -> Any:
        inner.append(other.post(url, data, target="org-invitations-list"))
        return first(*arguments, **more)

    monkeypatch.setattr(owner, name, press_again)
    assert ada.post(url, data).status_code == 303
    [second] = inner
    assert second.status_code == 200
    assert "The invitation is just being revoked." in text_of(second)
    # The outcome is a page, and no question for the dialog.
    path = re.escape(f"{LIST}outcomes/{data['batch']}/")
    assert re.search(rf'<a id="org-invitations-status-action" href="{path}" ?>', html_of(second))
    assert calls(clerk).count("POST revoke") == 1


def test_a_press_after_one_that_was_never_begun_says_that_nothing_was_changed(
    ada: Browser, clerk: Emulator, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {"batch": str(ada.get(url).context["batch_id"])}
    with monkeypatch.context() as patch:
        patch.setattr(InvitationService, "run", die)
        with pytest.raises(SystemExit):
            ada.post(url, data)
    let_time_pass()
    again = ada.post(url, data)
    assert "Nothing was changed." in text_of(again)
    assert "lee@example.com" in pending(clerk)
    ada.post(url, {"batch": str(again.context["batch_id"])})
    assert "lee@example.com" not in pending(clerk)


@pytest.mark.parametrize("name", ["revoke", "resend"])
@pytest.mark.parametrize("status", [418, 429])
def test_a_refusal_says_the_same_when_the_form_comes_again(
    ada: Browser, clerk: Emulator, url: str, name: str, status: int
) -> None:
    errors = [{"code": "odd", "message": "Odd.", "long_message": "The moon is full."}]
    body = {"errors": errors, "clerk_trace_id": "trace123"}
    clerk.fault("POST", "*/revoke", status=status, body=body, headers={"Retry-After": "90"})
    path = url.replace("revoke", name)
    question = ada.get(path)
    data = {"batch": str(question.context["batch_id"]), "role": "org:billing"}
    first, again = ada.post(path, data), ada.post(path, data)
    said = "The moon is full." if status == 418 else "2 minutes"
    assert said in text_of(first)
    assert said in text_of(again)
    assert again.has_header("Retry-After") is (status == 429)
    assert calls(clerk).count("POST revoke") == 1


def test_revoking_twice_is_told(ada: Browser, url: str) -> None:
    ada.post(url)
    assert "was already revoked" in text_of(ada.post(url))


def test_the_state_of_the_list_is_kept_whatever_it_is(
    ada: Browser, clerk: Emulator, url: str
) -> None:
    state = "q=lee&sort=address&size=25"
    question = ada.get(f"{url}?{state}", target="org-invitations-dialog")
    assert 'name="state" value="q=lee&amp;sort=address&amp;size=25"' in question.text
    response = ada.post(url, {"state": state}, target="org-invitations-list")
    assert response["HX-Replace-Url"] == f"{LIST}?{state}"
    assert response.context["page"].query.search == "lee"
    assert ada.post(url, {"state": state}).status_code == 409
    other = clerk.add_invitation("acme", "lee2@example.com")
    assert ada.post(f"{LIST}{other.id}/revoke/", {"state": state})["Location"] == f"{LIST}?{state}"


@pytest.mark.parametrize("state", ["\0", "page=" + "9" * 5000, "&" * 5000, "a" * 5000, "status=x"])
def test_a_state_that_makes_no_sense_is_the_plain_list(ada: Browser, url: str, state: str) -> None:
    assert ada.post(url, {"state": state})["Location"] == LIST


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_invitation_that_is_gone_is_told_in_the_list(ada: Browser, method: str) -> None:
    gone = f"{LIST}orginv_gone/revoke/"
    if method == "get":
        response = ada.get(gone, target="org-invitations-dialog")
    else:
        response = ada.post(gone, {"state": "page=2"}, target="org-invitations-list")
    assert response.status_code == 200
    assert response["HX-Retarget"] == "#org-invitations-list"
    assert "no such invitation in Acme" in text_of(response)
    assert len(response.context["rows"]) == 10


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_invitation_that_does_not_exist_is_not_found(ada: Browser, method: str) -> None:
    response = getattr(ada, method)(f"{LIST}orginv_nonsense/revoke/")
    assert response.status_code == 404
    assert "no such invitation" in text_of(response)


# --- Faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "revoked"),
    [
        ({"drop": "after"}, True),
        ({"drop": "before"}, False),
        ({"status": 500}, False),
        ({"garbage": "truncated"}, True),
    ],
)
def test_a_lost_answer_is_settled_by_asking(
    ada: Browser, clerk: Emulator, url: str, fault: dict[str, object], revoked: bool
) -> None:
    clerk.fault("POST", "*/revoke", **fault)
    response = ada.post(url, target="org-invitations-list")
    assert ("lee@example.com" not in pending(clerk)) is revoked
    if revoked:
        assert "Invitation to lee@example.com revoked." in text_of(response)
    else:
        assert response.status_code == 503
        assert response["HX-Retarget"] == "#org-invitations-dialog"
        sure = fault.get("status") == 500
        words = "We made sure that nothing was changed" if sure else "still pending, but that may"
        assert words in text_of(response)
        assert "lee@example.com" in response.text


def test_where_nobody_can_tell_it_says_so(ada: Browser, clerk: Emulator, url: str) -> None:
    ada.warm()
    clerk.fault("POST", "*/revoke", drop="after")
    clerk.fault("GET", "*/invitations/*", times=None, drop="before")
    response = ada.post(url)
    assert response.status_code == 503
    assert "we do not know whether the invitation was revoked" in text_of(response)
    outcome = f"{LIST}outcomes/{BatchItem.objects.get().batch_id}/"
    assert f'<a href="{outcome}">See what became of that</a>' in response.text


def test_when_nothing_can_be_asked_it_says_so_in_the_dialog(
    ada: Browser, clerk: Emulator, url: str
) -> None:
    clerk.fault(None, "/v1/*", times=None, drop="before")
    response = ada.post(url, target="org-invitations-list")
    assert response.status_code == 503
    assert response["HX-Retarget"] == "#org-invitations-dialog"
    assert 'form="org-invitations-close"' in response.text


@pytest.mark.parametrize("htmx", [True, False])
@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ({"drop": "before"}, 503, "so nothing was done"),
        ({"status": 429, "headers": {"Retry-After": "7"}, "body": "{}"}, 429, "in 7 seconds"),
    ],
)
def test_where_the_permission_cannot_be_asked_nothing_is_revoked_and_it_can_be_tried_again(
    ada: Browser, clerk: Emulator, url: str, fault: dict[str, object], status: int, words: str,
    htmx: bool,
) -> None:  # fmt: skip
    clerk.fault("GET", "*/memberships", times=None, **fault)
    response = ada.post(url, {"state": "page=3"}, target="org-invitations-list" if htmx else None)
    assert response.status_code == status
    assert words in text_of(response)
    assert "The invitation was not revoked" in text_of(response)
    assert "lee@example.com" not in response.text  # nobody has been let in
    assert f'action="{url}"' in response.text
    assert 'name="state" value="page=3"' in response.text
    assert "lee@example.com" in pending(clerk)


def test_a_rate_limit_keeps_the_question(ada: Browser, clerk: Emulator, url: str) -> None:
    clerk.fault("POST", "*/revoke", status=429, headers={"Retry-After": "90"}, body="{}")
    response = ada.post(url, target="org-invitations-list")
    assert response.status_code == 429
    assert response["Retry-After"] == "90"
    assert "Try again in 2 minutes" in text_of(response)
    assert "lee@example.com" in response.text
