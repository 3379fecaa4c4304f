"""What may be chosen besides whom and as what, and what of it is kept."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from org_invitations.clerk.marks import get_mark, without_mark
from org_invitations.emulator import Emulator
from org_invitations.forms import InviteForm
from org_invitations.models import Batch, BatchItem
from org_invitations.services import InvitationService
from org_invitations.services.batches.store import KeyReused, get_or_create
from tests.leases import let_time_pass
from tests.ledger import forget_calls

from .conftest import INVITE, LIST, Browser, text_of
from .inviting import (
    DONE,
    FORM,
    WAITING,
    State,
    batch_of,
    die,
    filled,
    mails,
    many,
    posts,
    review_of,
    send,
    sent_bodies,
    type_in,
)


@pytest.fixture(params=[None, FORM], ids=["page", "htmx"])
def target(request: pytest.FixtureRequest) -> Any:
    """Without JavaScript, and with htmx."""
    return request.param


# --- Options -------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2])
def test_the_usual_expiry_is_not_sent_and_another_one_is(
    ada: Browser, clerk: Emulator, count: int
) -> None:
    send(ada, many(count))
    assert all("expires_in_days" not in body for body in sent_bodies(clerk))
    clerk.clear_requests()
    send(ada, many(count, 10), expires_in_days="7")
    assert [body["expires_in_days"] for body in sent_bodies(clerk)] == [7] * count


@override_settings(ORG_INVITATIONS_EXPIRES_IN_DAYS=14)
@pytest.mark.parametrize("count", [1, 2])
def test_the_usual_expiry_of_a_site_is_sent_and_preselected(
    ada: Browser, clerk: Emulator, count: int
) -> None:
    assert filled(ada.get())["expires_in_days"] == "14"
    send(ada, many(count))
    assert [body["expires_in_days"] for body in sent_bodies(clerk)] == [14] * count


@pytest.mark.parametrize("days", ["0", "366", "-1", "x", "1.5"])
def test_an_expiry_that_cannot_be_is_told_beside_the_field(
    ada: Browser, clerk: Emulator, days: str, target: str | None
) -> None:
    response = type_in(ada, "new@example.com", expires_in_days=days, target=target)
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"expires_in_days"}
    assert "<details" in response.text
    assert re.search(r"<details[^>]* open>", response.text)  # the mistake can be seen
    assert posts(clerk) == []


@pytest.mark.parametrize("count", [1, 2])
def test_without_an_email_the_answer_says_so(ada: Browser, clerk: Emulator, count: int) -> None:
    response = send(ada, many(count), no_email="on")
    assert [body["notify"] for body in sent_bodies(clerk)] == [False] * count
    assert mails(clerk).keys().isdisjoint(many(count))
    page = ada.get(response["Location"])
    said = text_of(page)
    if count == 1:
        assert "person0@example.com is invited as Member. No email was sent." in said
    assert "Invitation sent" not in said
    # The link is a secret: it is one click away, not in the page.
    for row in clerk.invitations("acme", "pending"):
        assert row.ticket not in page.text


@pytest.mark.parametrize("is_quiet", [True, False])
def test_the_answer_says_of_the_email_what_was_asked_of_clerk(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch, is_quiet: bool
) -> None:
    get_options = InviteForm.get_options
    # A site's own form that decides for itself, and a box whose value says no.
    chosen = {"notify": False} if is_quiet else {}
    monkeypatch.setattr(InviteForm, "get_options", lambda form: get_options(form) | chosen)
    type_in(ada, "new@example.com", **({} if is_quiet else {"no_email": "false"}))
    assert bool(mails(clerk)["new@example.com"]) is not is_quiet
    said = text_of(ada.get())
    assert ("No email was sent. Copy link" in said) is is_quiet
    assert ("Invitation sent to new@example.com" in said) is not is_quiet


def test_without_an_email_the_answer_leads_to_the_link(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    response = type_in(ada, "new@example.com", no_email="on", target=target)
    page = ada.get() if target is None else response
    [row] = [row for row in clerk.invitations("acme") if row.email_address == "new@example.com"]
    assert re.search(rf'<a [^>]*href="{LIST}{row.id}/link/"', page.text)
    assert "Copy link" in text_of(page)


@override_settings(
    ORG_INVITATIONS_LANGUAGES=[("de", "Deutsch"), ("fr", "Français")],
    ORG_INVITATIONS_REDIRECT_URLS=[("https://app.example.com/crew", "The crew's page")],
)
@pytest.mark.parametrize("count", [1, 2])
def test_a_language_and_a_place_are_sent_where_the_site_offers_them(
    ada: Browser, clerk: Emulator, count: int
) -> None:
    page = ada.get()
    assert "Français" in page.text
    assert "The crew&#x27;s page" in page.text
    send(ada, many(count), language="fr", redirect_url="https://app.example.com/crew")
    for body in sent_bodies(clerk):
        assert body["public_metadata"] == {"language": "fr"}
        assert body["redirect_url"] == "https://app.example.com/crew"
    assert Batch.objects.get().options == {
        "role": "org:member",
        "language": "fr",
        "redirect_url": "https://app.example.com/crew",
    }


@override_settings(
    ORG_INVITATIONS_REDIRECT_URL="https://app.example.com/",
    ORG_INVITATIONS_REDIRECT_URLS=[("https://app.example.com/crew", "The crew's page")],
)
@pytest.mark.parametrize("count", [1, 2])
def test_where_no_place_is_chosen_it_is_the_sites_usual_one(
    ada: Browser, clerk: Emulator, count: int
) -> None:
    send(ada, many(count))
    assert {body["redirect_url"] for body in sent_bodies(clerk)} == {"https://app.example.com/"}


def test_a_place_that_the_site_does_not_offer_is_refused(ada: Browser, clerk: Emulator) -> None:
    with override_settings(ORG_INVITATIONS_REDIRECT_URLS=[("https://app.example.com", "Here")]):
        response = type_in(ada, "new@example.com", redirect_url="https://evil.example")
    assert response.status_code == 422
    assert posts(clerk) == []
    # And where it offers none, the field is as if it were not there.
    ada.invite("new@example.com", redirect_url="https://evil.example", language="xx")
    [body] = sent_bodies(clerk)
    assert "redirect_url" not in body
    assert "public_metadata" not in body


METADATA = {
    "public_metadata": {"team": "dock-seven"},
    "private_metadata": {"cost_centre": "secret-4711"},
}


@override_settings(ORG_INVITATIONS_LANGUAGES=[("fr", "Français")])
@pytest.mark.parametrize("count", [1, 3])
def test_metadata_of_the_sites_own_goes_to_clerk_and_is_not_kept(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    asked: list[Any] = []
    get_options = InviteForm.get_options

    def options(form: InviteForm) -> dict[str, Any]:
        asked.append(form)
        return get_options(form) | {"expires_in_days": 3}

    monkeypatch.setattr(InviteForm, "get_options", options)
    monkeypatch.setattr(InvitationService, "get_metadata", lambda *_: METADATA)
    send(ada, many(count), expires_in_days="60", language="fr")
    assert len(sent_bodies(clerk)) == count
    for body in sent_bodies(clerk):
        # The language that somebody chose is still there, and the hook's word is the last one.
        assert body["public_metadata"] == {"team": "dock-seven", "language": "fr"}
        assert without_mark(body["private_metadata"]) == {"cost_centre": "secret-4711"}
        assert get_mark(body["private_metadata"])
        assert body["expires_in_days"] == 3
    assert len(asked) == 1  # a hook may be costly, or write something down
    kept = everything_kept()
    assert "dock-seven" not in kept
    assert "4711" not in kept
    assert Batch.objects.get().options["expires_in_days"] == 3


def everything_kept() -> str:
    """All rows of the app's tables, as text."""
    rows = []
    with connection.cursor() as cursor:
        for model in (Batch, BatchItem):
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")
            rows += cursor.fetchall()
    return repr(rows)


def test_the_link_is_not_kept(ada: Browser, clerk: Emulator) -> None:
    send(ada, many(1))
    send(ada, many(3, 10), no_email="on")
    kept = everything_kept()
    assert "person10@example.com" in kept
    for row in clerk.invitations("acme"):
        assert row.ticket not in kept


# --- What is kept, and for how long --------------------------------------------------------------


@override_settings(ORG_INVITATIONS_KEEP_DAYS=7)
def test_what_is_older_than_the_site_keeps_is_deleted_when_the_next_one_begins(
    ada: Browser,
) -> None:
    old, recent = send(ada, many(2)), send(ada, many(2, 2))
    age(batch_of(old), days=7.1)
    age(batch_of(recent), days=6.9)
    ada.get()
    assert Batch.objects.count() == 2  # a page that is only read deletes nothing
    cache.clear()  # it is looked for once an hour
    send(ada, many(1, 4))
    assert not Batch.objects.filter(pk=old_id(old)).exists()
    assert Batch.objects.count() == 2
    assert not BatchItem.objects.filter(email_address="person0@example.com").exists()


@override_settings(ORG_INVITATIONS_KEEP_DAYS=7)
def test_what_was_limited_and_came_back_as_a_form_is_over(ada: Browser, clerk: Emulator) -> None:
    row = clerk.invitations("acme", "pending")[0]
    limited: dict[str, Any] = {"status": 429, "headers": {"Retry-After": "90"}, "body": "{}"}
    for method in ("*/invitations", "*/revoke", "*/revoke"):
        clerk.fault("POST", method, **limited)
    assert ada.invite("new@example.com").status_code == 429
    assert ada.post(f"{LIST}{row.id}/revoke/").status_code == 429
    answer = {"role": row.role, "seen": "pending", "confirm_elevated": "on"}
    forget_calls()
    assert ada.post(f"{LIST}{row.id}/resend/", answer).status_code == 429
    assert not BatchItem.objects.filter(state__in=BatchItem.OPEN).exists()
    for batch in Batch.objects.all():
        age(batch, days=7.1)
    cache.clear()  # it is looked for once an hour
    send(ada, many(1, 4))
    assert Batch.objects.count() == 1


def age(batch: Batch, *, days: float) -> None:
    moment = timezone.now() - timedelta(days=days)
    Batch.objects.filter(pk=batch.pk).update(finished_at=moment)


def old_id(response: Any) -> str:
    return str(response["Location"].rstrip("/").rpartition("/")[2])


@pytest.mark.parametrize("atomic_requests", [True, False])
def test_a_crash_in_the_middle_leaves_what_was_done_written_down(
    ada: Browser,
    clerk: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    atomic_requests: bool,
) -> None:
    from org_invitations.clerk import OrganizationAPI

    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic_requests)
    form = filled(review_of(type_in(ada, " ".join(many(25)))))
    invite_members = OrganizationAPI.invite_members
    rounds: list[int] = []

    def die_in_the_second(api: OrganizationAPI, requests: Any) -> Any:
        rounds.append(len(requests))
        made = invite_members(api, requests)
        return die() if len(rounds) == 2 else made

    with monkeypatch.context() as patch:
        patch.setattr(OrganizationAPI, "invite_members", die_in_the_second)
        with pytest.raises(SystemExit):
            ada.post(INVITE, form)
    [batch] = Batch.objects.all()
    states = [item.state for item in batch.items.order_by("number")]
    assert states == [DONE] * 10 + [str(State.UNDER_WAY)] * 10 + [WAITING] * 5
    assert sum(mails(clerk)[address] for address in many(25)) == 20
    # Once it is clear that nobody is at work on it any more, the outcome tells the truth.
    let_time_pass()
    page = ada.get(f"{LIST}outcomes/{batch.pk}/")
    states = [item.state for item in batch.items.order_by("number")]
    assert states == [DONE] * 20 + [WAITING] * 5
    assert filled(page)["email_addresses"].split() == many(5, 20)


@pytest.mark.django_db
def test_an_id_that_is_taken_names_the_same_other_one_each_time() -> None:
    batch_id, found = uuid4(), []
    for text in ("a", "b", "b", "c"):
        try:
            get_or_create(
                batch_id,
                Batch.Action.INVITE,
                [BatchItem(text=text)],
                organization_id="org_a",
                user_id="user_a",
                options={},
            )
        except KeyReused as taken:
            found.append(taken.instead)
    assert found[0] == found[1] != found[2]
    assert batch_id not in found
