"""What became of a press of a button: the page that says so for each."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django import forms
from django.test import Client, override_settings
from django.utils import timezone

from org_invitations.addresses import parse_file
from org_invitations.clerk import exceptions as exc
from org_invitations.emulator import Emulator
from org_invitations.forms import InviteForm
from org_invitations.models import Batch, BatchItem
from org_invitations.services.batches.store import STALE_AFTER
from org_invitations.services.preview import PreviewStatus
from org_invitations.testing import SignIn
from org_invitations.views import OutcomeView
from tests.leases import ME, let_go

from .conftest import INVITE, LIST, Browser, calls, html_of, pending, text_of
from .inviting import BULK, batch_of, filled, items_of, send
from .test_resend import answer

State = BatchItem.State
OUTCOME = "org-invitations-outcome"


@pytest.fixture
def make(clerk: Emulator) -> Any:
    """A function that writes down a batch of Ada's in Acme, with items of given states."""

    def batch(
        *items: dict[str, Any],
        action: str = "invite",
        age: float = 0,
        at_work: bool = False,
        **more: Any,
    ) -> Batch:
        then = timezone.now() - timedelta(seconds=age)
        lease = {"leased_by": ME, "leased_until": then + STALE_AFTER} if at_work else {}
        values: dict[str, Any] = {
            "organization_id": clerk.organization("acme").id,
            "user_id": clerk.user("ada@acme.test").id,
            "worked_at": then,
            "created_at": then,
            **more,
        }
        made = Batch.objects.create(action=action, **values)
        for number, item in enumerate(items):
            BatchItem.objects.create(
                batch=made,
                number=number,
                **{
                    "email_address": f"n{number}@example.com",
                    "role": "org:member",
                    "replaces_id": "orginv_old" if action == "resend" else "",
                    **lease,
                    **item,
                },
            )
        return made

    return batch


def url_of(batch: Batch | UUID) -> str:
    return f"{LIST}outcomes/{getattr(batch, 'id', batch)}/"


def title_of(response: Any) -> str:
    found = re.search(r"<title>(.*?)</title>", html_of(response))
    assert found is not None
    return found[1]


# --- What it says --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "states", "sentences"),
    [
        ("invite", ["done"] * 5 + ["refused"] * 2, ("5 sent", "2 to fix")),
        ("invite", ["done"], ("1 sent",)),
        ("invite", ["refused"], ("Nothing was sent", "1 to fix")),
        ("invite", ["waiting"] * 7, ("Nothing was sent yet", "7 waiting")),
        ("invite", ["done", "waiting"], ("1 sent", "1 waiting")),
        ("revoke", ["done"] * 12 + ["failed"], ("12 revoked", "1 not revoked")),
        ("revoke", ["refused"] * 2, ("Nothing was revoked", "2 not revoked")),
        ("resend", ["done", "half-done"], ("1 sent", "1 not sent")),
    ],
)
def test_success_and_failure_are_never_one_sentence(
    ada: Browser, make: Any, action: str, states: list[str], sentences: tuple[str, ...]
) -> None:
    batch = make(*({"state": state, "reason": ""} for state in states), action=action)
    response = ada.get(url_of(batch))
    assert response.context["outcome"].sentences == sentences
    spans = re.findall(r'<span class="org-invitations-sentence">(.*?)</span>', response.text)
    assert tuple(spans) == sentences
    assert title_of(response) == f"{' · '.join(sentences)} – Acme"


def test_what_failed_comes_first_and_what_went_well_last(ada: Browser, make: Any) -> None:
    batch = make({"state": State.DONE}, {"state": State.WAITING}, {"state": State.REFUSED})
    response = ada.get(url_of(batch))
    assert [section.name for section in response.context["outcome"].sections] == [
        "to-fix",
        "waiting",
        "done",
    ]
    headings = re.findall(r"<(h[24])\b[^>]*>(.*?)</\1>", response.text, re.DOTALL)
    words = [" ".join(re.sub(r"<[^>]*>", "", text).split()) for _, text in headings]
    assert words == ["Fix one and send it", "To fix 1", "Waiting 1", "Sent 1"]


def test_every_row_says_why_and_where_it_was_typed(ada: Browser, make: Any) -> None:
    expires = (timezone.now() + timedelta(days=3, hours=1)).timestamp()
    batch = make(
        {
            "state": State.REFUSED,
            "reason": "invited",
            "line": 4,
            "params": {"created_at": 1777800000, "expires_at": expires, "inviter": "Lee"},
        },
        {"state": State.REFUSED, "reason": "member", "params": {"role": "Admin"}},
        {
            "state": State.REFUSED,
            "reason": "not-an-address",
            "email_address": "",
            "text": "ana at x.org",
            "line": 9,
            "params": {"suggestion": "ana@x.org"},
        },
    )
    words = text_of(ada.get(url_of(batch)))
    assert (
        "n0@example.com Line 4. Already invited on May 3, 2026 by Lee; it expires in 3 days."
        in (words)
    )
    assert "n1@example.com Already a member (Admin)." in words
    # It is told once, in the form in which it can be put right.
    assert words.count("Not an email address.") == 1
    assert "ana at x.org Not an email address. Use ana@x.org Leave out" in words


def test_what_was_typed_is_never_taken_for_html(ada: Browser, make: Any) -> None:
    batch = make(
        {
            "state": State.REFUSED,
            "reason": "not-an-address",
            "email_address": "",
            "text": "<script>alert(1)</script>%(x)s",
        },
        {"state": State.REFUSED, "reason": "InvalidRequest", "params": {"clerk_message": "<b>%"}},
    )
    response = ada.get(url_of(batch))
    assert "<script>alert" not in response.text
    assert "<b>%" not in response.text
    assert "Clerk refused this: &lt;b&gt;%" in response.text


def test_the_table_is_one_for_everybody(ada: Browser, make: Any) -> None:
    response = ada.get(url_of(make({"state": State.REFUSED, "reason": "self"})))
    assert '<th scope="row" role="rowheader"><bdi dir="ltr">n0@example.com</bdi></th>' in (
        html_of(response)
    )
    assert '<h1 id="org-invitations-outcome-title" tabindex="-1" autofocus>' in response.text


def test_waiting_says_until_when(ada: Browser, make: Any) -> None:
    at = timezone.now() + timedelta(minutes=11, seconds=30)
    batch = make({"state": State.WAITING, "reason": "RateLimited", "retry_at": at}, {})
    words = text_of(ada.get(url_of(batch)))
    assert "the next can go at" in words
    assert "(in 12 minutes). Nothing goes on by itself" in words
    BatchItem.objects.update(retry_at=timezone.now() - timedelta(seconds=1))
    assert "can go now" in text_of(ada.get(url_of(batch)))


@override_settings(USE_TZ=False)
def test_it_works_without_time_zones(ada: Browser, make: Any) -> None:
    at = timezone.now() + timedelta(minutes=11, seconds=30)
    batch = make({"state": State.WAITING, "retry_at": at}, {"state": State.UNSETTLED})
    assert "(in 12 minutes)" in text_of(ada.get(url_of(batch)))


def test_what_was_revoked_can_be_invited_again(ada: Browser, clerk: Emulator, make: Any) -> None:
    gone = clerk.add_invitation("acme", "gone@example.com", state="revoked")
    batch = make({"state": State.DONE, "invitation_id": gone.id}, action="revoke")
    response = ada.get(url_of(batch))
    row = response.context["outcome"].sections[0].rows[0]
    assert row.action_text == "Invite again"
    assert ada.get(row.action_url).status_code == 200


def test_what_stands_in_the_way_can_be_sent_again(ada: Browser, clerk: Emulator, make: Any) -> None:
    other = clerk.add_invitation("acme", "n0@example.com")
    for reason in ("invited", "DuplicateInvitation"):
        params = {"invitation_id": other.id, "status": "pending"}
        batch = make({"state": State.REFUSED, "reason": reason, "params": params})
        row = ada.get(url_of(batch)).context["outcome"].sections[0].rows[0]
        assert row.action_text == "Resend"
        assert ada.get(row.action_url).status_code == 200


def test_what_went_without_an_email_has_its_link_to_copy(
    ada: Browser, clerk: Emulator, make: Any
) -> None:
    made = clerk.add_invitation("acme", "n0@example.com", inviter="ada@acme.test")
    batch = make({"state": State.DONE, "invitation_id": made.id}, options={"notify": False})
    response = ada.get(url_of(batch))
    assert response.context["outcome"].sentences == ("1 invited without an email",)
    row = response.context["outcome"].sections[0].rows[0]
    assert row.action_text == "Copy link"
    assert ada.get(row.action_url).status_code == 200


def test_what_is_left_of_invitations_is_a_form_to_try_again(ada: Browser, make: Any) -> None:
    batch = make(
        {"state": State.DONE},
        {"state": State.FAILED, "reason": "ServiceUnavailable"},
        {"state": State.REFUSED, "reason": "member"},
        options={"role": "org:member"},
    )
    response = ada.get(url_of(batch))
    assert response.context["form"]["email_addresses"].value() == "n1@example.com"
    assert f'action="{INVITE}"' in response.text
    assert ada.get(url_of(make({"state": State.DONE}))).context["form"] is None


def test_what_a_sites_form_has_kept_is_in_the_form_to_try_again(
    ada: Browser, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class TeamForm(InviteForm):
        team = forms.CharField()

    monkeypatch.setattr(OutcomeView, "invite_form_class", TeamForm)
    options = {"team": "Harbour", "role": "org:billing", "expires_in_days": 7, "notify": False}
    form = ada.get(url_of(make({}, options=options))).context["form"]
    names = ("team", "role", "expires_in_days", "no_email")
    assert [form[name].value() for name in names] == ["Harbour", "org:billing", 7, True]


# --- What was tried again ------------------------------------------------------------------------


def test_what_is_sent_when_it_is_tried_again_is_not_said_to_be_unsent(
    ada: Browser, clerk: Emulator
) -> None:
    clerk.configure(blocked_domains=["b@example.com"])
    first = send(ada, ["a@example.com", "b@example.com", "nobody"])["Location"]
    clerk.configure(blocked_domains=[])
    page = ada.get(first)
    assert page.context["outcome"].sentences == ("1 sent", "2 to fix")
    form = filled(page) | {"email_addresses": "b@example.com"}
    assert form["retry_of"] == str(page.context["batch"].id)
    assert ada.post(INVITE, form).status_code == 303
    page = ada.get(first)
    outcome = page.context["outcome"]
    assert outcome.sentences == ("1 sent", "1 sent since", "1 to fix")
    row = next(part for part in outcome.sections if part.name == "since").rows[0]
    assert (row.name, row.action_text) == ("b@example.com", "See what became of that")
    assert ada.get(row.action_url).context["outcome"].sentences == ("1 sent",)
    # And it is not offered once more.
    assert page.context["form"]["email_addresses"].value() == "nobody"
    file = ada.get(f"{first}?format=csv").text
    assert "b@example.com" in file
    assert "Not at first, but when it was tried again." in file


def test_what_waited_is_over_once_it_is_invited_from_there(ada: Browser, clerk: Emulator) -> None:
    limited = {"status": 429, "headers": {"Retry-After": "3600"}, "body": "{}"}
    clerk.fault("POST", BULK, **limited)
    first = send(ada, ["a@example.com", "b@example.com", "c@example.com"])
    assert {item.state for item in items_of(first)} == {State.WAITING}
    send(ada, ["b@example.com", "c@example.com"], retry_of=str(batch_of(first).pk))
    assert [item.state for item in items_of(first)] == [State.WAITING, State.FAILED, State.FAILED]
    assert batch_of(first).finished_at is None
    assert ada.get(first["Location"]).context["outcome"].sentences == (
        "2 sent since",
        "1 waiting",
    )
    assert send(ada, ["a@example.com"], retry_of=str(batch_of(first).pk))["Location"] == LIST
    assert batch_of(first).finished_at is not None
    assert ada.get(first["Location"]).context["outcome"].sentences == ("3 sent since",)


def test_it_is_found_over_several_tries_and_after_a_mistake_in_the_form(
    ada: Browser, clerk: Emulator
) -> None:
    clerk.configure(blocked_domains=["b@example.com"])
    first = send(ada, ["a@example.com", "b@example.com"])["Location"]
    clerk.configure(blocked_domains=[])
    form = filled(ada.get(first)) | {"email_addresses": "b@example.com"}
    clerk.fault("POST", "*/invitations", status=500)
    refused = ada.post(INVITE, form)
    assert refused.status_code == 503
    assert filled(refused)["retry_of"] == form["retry_of"]
    assert ada.post(INVITE, filled(refused)).status_code == 303
    assert ada.get(first).context["outcome"].sentences == ("1 sent", "1 sent since")


@pytest.mark.parametrize(
    ("action", "sentence"), [("revoke", "1 revoked since"), ("resend", "1 sent since")]
)
def test_so_is_what_was_done_with_many(
    ada: Browser, clerk: Emulator, action: str, sentence: str
) -> None:
    ids = [row.id for row in clerk.invitations("acme", "pending")[:2]]
    asked = {"action": action, "selected": ids, "batch": str(uuid4()), "confirmed": "1"}
    clerk.fault("POST", f"*/{ids[0]}/revoke", status=500)
    asked["confirm_elevated"] = "1"
    first = ada.post(f"{LIST}selected/", asked)["Location"]
    retry = re.search(r'name="retry_of" value="([\w-]+)"', ada.get(first).text)
    assert retry is not None
    question = ada.post(
        f"{LIST}selected/", {"action": action, "selected": ids[:1], "retry_of": retry[1]}
    )
    assert f'name="retry_of" value="{retry[1]}"' in question.text
    again = {"batch": str(uuid4()), "retry_of": retry[1], "selected": ids[:1]}
    assert ada.post(f"{LIST}selected/", asked | again).status_code == 303
    assert sentence in ada.get(first).context["outcome"].sentences


def test_so_is_the_missing_half_of_a_resend(ada: Browser, clerk: Emulator) -> None:
    row = clerk.add_invitation("acme", "lee@example.com")
    clerk.fault("POST", "*/invitations", status=500)
    ada.post(f"{LIST}{row.id}/resend/", answer(ada.get(f"{LIST}{row.id}/resend/")))
    first = url_of(Batch.objects.get())
    [section] = ada.get(first).context["outcome"].sections
    assert section.rows[0].action_text == "Send it now"
    question = ada.get(section.rows[0].action_url)
    ada.post(f"{LIST}{row.id}/resend/", answer(question))
    assert pending(clerk).count("lee@example.com") == 1
    assert ada.get(first).context["outcome"].sentences == ("1 sent since",)


def test_nobody_elses_try_and_none_that_merely_says_so_counts(
    ada: Browser, make: Any, clerk: Emulator
) -> None:
    failed = make({"state": State.FAILED, "reason": "ServiceUnavailable"})
    theirs = clerk.user("mia@acme.test").id
    make({"state": State.DONE}, retry_of=failed.id, user_id=theirs)
    make({"state": State.DONE}, retry_of=failed.id, action="revoke")
    make({"state": State.DONE})
    make({"state": State.FAILED, "reason": "ServiceUnavailable"}, retry_of=failed.id)
    assert "1 not sent" in ada.get(url_of(failed)).context["outcome"].sentences


def test_tries_that_name_each_other_end(ada: Browser, make: Any) -> None:
    one = make({"state": State.FAILED, "reason": "ServiceUnavailable"})
    other = make({"state": State.DONE}, retry_of=one.id)
    Batch.objects.filter(pk=one.pk).update(retry_of=other.pk)
    assert ada.get(url_of(one)).context["outcome"].sentences == ("1 sent since",)


# --- Whose it is ---------------------------------------------------------------------------------


def test_it_survives_a_reload_and_another_session(
    ada: Browser, clerk: Emulator, clerk_sign_in: SignIn, make: Any
) -> None:
    batch = make({"state": State.DONE}, {"state": State.REFUSED, "reason": "self"})
    first = ada.get(url_of(batch))
    other = Client()
    clerk_sign_in(other, "ada@acme.test", organization="acme")
    for response in (ada.get(url_of(batch)), Browser(other, clerk).get(url_of(batch))):
        assert response.context["outcome"] == first.context["outcome"]


def test_it_says_where_to_sign_in(client: Client, clerk: Emulator, make: Any) -> None:
    response = client.get(url_of(make({"state": State.DONE})))
    assert response.status_code in (303, 307)


@pytest.mark.parametrize(
    ("user", "organization"), [("mia@acme.test", "acme"), ("gus@globex.test", "globex")]
)
def test_somebody_elses_is_as_unknown_as_one_that_never_was(
    ada: Browser, sign_in: Any, make: Any, user: str, organization: str
) -> None:
    browser = sign_in(user, organization)
    theirs, nobodys = browser.get(url_of(make({}))), browser.get(url_of(uuid4()))
    assert theirs.status_code == nobodys.status_code == 404
    assert text_of(theirs) == text_of(nobodys)


def test_ones_own_of_another_organization_is_unknown_in_this_one(
    sign_in: Any, clerk: Emulator, make: Any
) -> None:
    bo = sign_in("bo@both.test", "globex")
    batch = make({"state": State.DONE}, user_id=clerk.user("bo@both.test").id)
    assert bo.get(url_of(batch)).status_code == 404
    acme = f"{LIST}organizations/acme/outcomes/{batch.id}/"
    assert bo.get(acme).status_code == 200


def test_who_may_no_longer_manage_members_does_not_see_it(
    ada: Browser, clerk: Emulator, make: Any
) -> None:
    batch = make({"state": State.DONE})
    clerk.configure(
        memberships=[{"organization": "acme", "user": "ada@acme.test", "role": "org:member"}]
    )
    response = ada.get(url_of(batch))
    assert response.status_code == 403
    assert "n0@example.com" not in response.text


def test_it_is_kept_by_no_cache(ada: Browser, make: Any) -> None:
    assert "no-store" in ada.get(url_of(make({})))["Cache-Control"]


# --- It sends nothing ----------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["invite", "revoke", "resend"])
def test_reading_it_never_writes_to_clerk(
    ada: Browser, clerk: Emulator, make: Any, action: str
) -> None:
    states = [str(state) for state in State]
    row = clerk.add_invitation("acme", "n0@example.com")
    batch = make(
        *({"state": state, "invitation_id": row.id, "replaces_id": row.id} for state in states),
        action=action,
        age=300,
    )
    ada.warm()
    for _ in range(3):
        assert ada.get(url_of(batch)).status_code == 200
    assert not [call for call in calls(clerk) if not call.startswith("GET")]


def test_without_doubts_clerk_is_asked_nothing(ada: Browser, clerk: Emulator, make: Any) -> None:
    batch = make({"state": State.DONE}, {"state": State.WAITING}, age=300)
    ada.warm()
    ada.get(url_of(batch))
    assert calls(clerk) == []


# --- What nobody knows yet -----------------------------------------------------------------------


@pytest.mark.parametrize("doubt", [State.UNDER_WAY, State.UNSETTLED])
@pytest.mark.parametrize("fate", ["pending", "accepted", "revoked"])
def test_an_invitation_that_was_made_is_found_whatever_became_of_it(
    ada: Browser, clerk: Emulator, make: Any, doubt: str, fate: str
) -> None:
    batch = make({"state": doubt}, {"state": doubt}, age=60)
    made = clerk.add_invitation(
        "acme", "N0@example.com", inviter="ada@acme.test", state=fate, created_ago=55
    )
    response = ada.get(url_of(batch))
    assert response.context["outcome"].sentences == (
        "1 sent",
        "1 not known yet",
    )
    assert BatchItem.objects.get(number=0).invitation_id == made.id
    assert "nobody knows yet whether this happened" in text_of(response)


def test_what_clerk_shows_nothing_of_did_not_happen_after_a_while(
    ada: Browser, clerk: Emulator, make: Any
) -> None:
    batch = make({"state": State.UNDER_WAY}, age=160)
    response = ada.get(url_of(batch))
    assert response.context["outcome"].sentences == ("Nothing was sent", "1 not sent")
    assert "Clerk did not answer, and shows nothing of it since. Try again." in text_of(response)


def test_what_was_given_up_is_looked_at_again_whenever_somebody_looks(
    ada: Browser, clerk: Emulator, make: Any
) -> None:
    batch = make({"state": State.UNDER_WAY}, age=160)
    ada.get(url_of(batch))
    clerk.clear_requests()
    ada.get(url_of(batch))
    assert calls(clerk) == ["GET invitations"]
    item = BatchItem.objects.get()
    made = clerk.add_invitation("acme", item.email_address, inviter="ada@acme.test")
    response = ada.get(url_of(batch))
    assert response.context["outcome"].sentences == ("1 sent",)
    assert BatchItem.objects.get().invitation_id == made.id
    clerk.clear_requests()
    ada.get(url_of(batch))
    assert calls(clerk) == []  # it is settled


def test_somebody_elses_invitation_is_not_taken_for_ours(
    ada: Browser, clerk: Emulator, make: Any
) -> None:
    batch = make({"state": State.UNSETTLED}, age=60)
    clerk.add_invitation("acme", "n0@example.com", inviter="mia@acme.test", created_ago=50)
    response = ada.get(url_of(batch))
    assert response.context["outcome"].sentences == (
        "Nothing was sent",
        "1 needed nothing",
    )
    assert "by Mia Tanaka; it expires in" in text_of(response)


@pytest.mark.parametrize(
    ("fate", "age", "sentences"),
    [
        ("revoked", 5, ("1 revoked",)),
        ("accepted", 5, ("Nothing was revoked", "1 not revoked")),
        ("pending", 5, ("1 not known yet",)),
        ("pending", 300, ("Nothing was revoked", "1 not revoked")),
        ("gone", 5, ("Nothing was revoked", "1 not revoked")),
    ],
)
def test_what_became_of_a_revocation_is_told_by_the_invitation(
    ada: Browser, clerk: Emulator, make: Any, fate: str, age: int, sentences: tuple[str, ...]
) -> None:
    row = clerk.add_invitation("acme", "n0@example.com")
    if fate != "gone":
        row.state = fate
    known = row.id if fate != "gone" else "orginv_gone"
    batch = make({"state": State.UNDER_WAY, "invitation_id": known}, action="revoke", age=age)
    assert ada.get(url_of(batch)).context["outcome"].sentences == sentences


def test_where_clerk_does_not_answer_it_stays_unknown(
    ada: Browser, clerk: Emulator, make: Any
) -> None:
    row = clerk.add_invitation("acme", "n0@example.com")
    item = {"state": State.UNSETTLED, "invitation_id": row.id, "replaces_id": row.id}
    ada.warm()
    batches = [make(item, action=action, age=300) for action in Batch.Action.values]
    clerk.fault("GET", "*/invitations*", times=None, drop="before")
    for batch in batches:
        response = ada.get(url_of(batch))
        assert response.context["outcome"].sentences == ("1 not known yet",)


# --- While it is being worked on -----------------------------------------------------------------


def test_while_somebody_is_at_work_it_says_so_and_asks_nothing(
    ada: Browser, clerk: Emulator, make: Any
) -> None:
    batch = make({"state": State.DONE}, {"state": State.UNDER_WAY}, {}, at_work=True)
    ada.warm()
    response = ada.get(url_of(batch))
    assert "1 of 3 are dealt with." in text_of(response)
    assert "Refresh" in text_of(response)
    assert 'hx-trigger="every 2s, renewed"' in response.text
    assert "http-equiv" not in response.text
    assert "Continue" not in response.text
    assert calls(clerk) == []


def test_htmx_looks_how_far_it_is_until_it_is_done(ada: Browser, make: Any) -> None:
    batch = make({"state": State.DONE}, {}, at_work=True)
    progress = ada.get(url_of(batch), target=OUTCOME)
    assert "<html" not in progress.text
    assert progress["Org-Invitations-Fragment"] == OUTCOME
    assert "1 of 2 are dealt with." in text_of(progress)
    let_go()
    done = ada.get(url_of(batch), target=OUTCOME)
    assert done["HX-Redirect"] == url_of(batch)


def test_who_died_at_work_is_not_waited_for(ada: Browser, clerk: Emulator, make: Any) -> None:
    batch = make({"state": State.UNDER_WAY}, at_work=True, age=200)
    assert ada.get(url_of(batch)).context["outcome"].sentences == (
        "Nothing was sent",
        "1 not sent",
    )


# --- As a file -----------------------------------------------------------------------------------


def test_it_can_be_had_as_a_file_with_the_reasons(ada: Browser, make: Any) -> None:
    batch = make(
        {"state": State.DONE, "line": 1},
        {"state": State.REFUSED, "reason": "member", "params": {"role": "Admin"}, "line": 2},
        {
            "state": State.REFUSED,
            "reason": "not-an-address",
            "email_address": "",
            "text": '=HYPERLINK("x")',
            "role": "",
            "line": 3,
        },
    )
    url = ada.get(url_of(batch)).context["csv_url"]
    response = ada.get(url)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith("attachment; filename=")
    header, *rows = csv.reader(io.StringIO(response.content.decode("utf-8-sig")))
    assert header == ["Email", "Role", "Line", "Result", "Reason"]
    assert rows[0] == ["n0@example.com", "org:member", "1", "done", ""]
    assert rows[1][3:] == ["refused", "Already a member (Admin)."]
    assert rows[2][0] == '\'=HYPERLINK("x")'
    assert [entry.email_address for entry in parse_file(response.content)][:2] == [
        "n0@example.com",
        "n1@example.com",
    ]


def test_the_file_is_nobody_elses(sign_in: Any, make: Any) -> None:
    mia = sign_in("mia@acme.test", "acme")
    assert mia.get(f"{url_of(make({}))}?format=csv").status_code == 404


# --- From the form -------------------------------------------------------------------------------


def test_inviting_many_ends_here(ada: Browser, clerk: Emulator) -> None:
    typed = "ana@example.com, max@acme.test, nonsense, ana@example.com"
    response = ada.invite(typed)
    reviewed = re.search(r'name="reviewed" value="(\w+)"', response.text)
    batch = re.search(r'name="batch" value="([\w-]+)"', response.text)
    assert reviewed is not None
    assert batch is not None
    response = ada.invite(typed, reviewed=reviewed[1], batch=batch[1])
    assert response.status_code == 303
    page = ada.get(response["Location"])
    assert page.context["outcome"].sentences == ("1 sent", "1 to fix", "2 needed nothing")
    words = text_of(page)
    assert "max@acme.test Line 1. Already a member (Member)." in words
    assert "nonsense Not an email address." in words
    assert "Typed twice: line 1 counts, this one is left out." in words
    assert "ana@example.com" in pending(clerk)


# --- The sentences -------------------------------------------------------------------------------


def _errors() -> list[str]:
    return [
        name
        for name, kind in vars(exc).items()
        if isinstance(kind, type) and issubclass(kind, exc.ClerkError)
    ]


def sentences(browser: Browser, batch: Batch, reasons: list[str]) -> dict[str, str]:
    """What the outcome says for each of the reasons, which the batch's items have in turn."""
    outcome = browser.get(url_of(batch)).context["outcome"]
    rows = [row for section in outcome.sections for row in section.rows]
    said = {row.item.number: row.text for row in rows}
    return {reason: said[number] for number, reason in enumerate(reasons)}


def test_every_verdict_has_a_sentence(ada: Browser, make: Any) -> None:
    apart = (PreviewStatus.NEW, PreviewStatus.REFUSED)
    verdicts = [str(verdict) for verdict in PreviewStatus if verdict not in apart]
    batch = make(*({"state": State.REFUSED, "reason": each, "text": "x"} for each in verdicts))
    said = sentences(ada, batch, verdicts)
    assert {each for each, text in said.items() if not text or "Clerk" in text} == set()


@pytest.mark.parametrize("params", [{}, {"code": "a_code"}, {"trace_id": "t1"}])
def test_every_error_has_a_sentence_with_whatever_is_known_of_it(
    ada: Browser, make: Any, params: dict[str, str]
) -> None:
    names = _errors()
    batch = make(*({"state": State.FAILED, "reason": name, "params": params} for name in names))
    said = sentences(ada, batch, names)
    wrong = {n: text for n, text in said.items() if not text or "%(" in text or "wrong" in text}
    assert wrong == {}


def test_an_unexpected_refusal_says_whom_to_tell_what(ada: Browser, make: Any) -> None:
    params = {"clerk_message": "Too blue.", "code": "too_blue", "trace_id": "trace_1"}
    batch = make({"state": State.FAILED, "reason": "UnexpectedError", "params": params})
    words = text_of(ada.get(url_of(batch)))
    assert "Clerk refused this: Too blue. Tell whoever runs this site: trace_1" in words


def test_where_clerk_did_not_say_how_long_to_wait_it_is_not_said_that_it_can_go_now(
    ada: Browser, clerk: Emulator
) -> None:
    batch = Batch.objects.create(
        organization_id=clerk.organization("acme").id,
        user_id=clerk.user("ada@acme.test").id,
        action=Batch.Action.INVITE,
        fingerprint="",
    )
    BatchItem.objects.create(
        batch=batch, number=0, email_address="a@example.com", state="waiting", reason="RateLimited"
    )
    text = text_of(ada.get(f"{LIST}outcomes/{batch.pk}/"))
    assert "Clerk's limit is reached" in text
    assert "can go now" not in text
