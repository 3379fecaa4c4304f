"""Ten thousand addresses: uploaded or pasted, kept as a draft, checked, sent, or gone in a day."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import OperationalError

from org_invitations.emulator import Emulator
from org_invitations.forms import InviteForm
from org_invitations.models import Batch, BatchItem, Draft
from org_invitations.services.batches.tick import tick
from tests.ledger import allow_many

from .conftest import INVITE, LIST, Browser, calls, text_of
from .inviting import a_file, as_it_opens, filled, many, send, type_in

pytestmark = pytest.mark.usefixtures("_in_background")


@pytest.fixture
def _in_background(settings: Any, clerk: Emulator) -> None:
    settings.ORG_INVITATIONS_BACKGROUND = True
    allow_many(clerk)


def draft_url_of(response: Any) -> str:
    url = response["HX-Redirect"] if response.status_code == 200 else response["Location"]
    assert re.fullmatch(rf"{LIST}drafts/[0-9a-f-]{{36}}/", url), url
    return str(url)


def paste(ada: Browser, count: int = 150, *more: str, **order: Any) -> str:
    """Paste so many and press the button; the address of the draft's page."""
    return draft_url_of(type_in(ada, "\n".join([*many(count), *more]), **order))


def press(ada: Browser, url: str, **changes: Any) -> Any:
    return ada.post(url, filled(ada.get(url)) | changes)


# --- From the paste to the progress --------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "org-invitations-form"], ids=["plain", "htmx"])
def test_many_are_kept_checked_on_a_page_of_their_own_and_sent_once(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    url = paste(ada, 150, "no address", target=target, role="org:admin", expires_in_days="7")
    page = ada.get(url)
    assert page.context["review"].sections[0].name == "to-fix"
    assert "textarea" not in page.text
    sent = press(ada, url, confirm_elevated="on")
    batch = Batch.objects.get()
    assert sent["Location"] == f"{LIST}outcomes/{batch.pk}/progress/"
    assert batch.in_background
    assert batch.options == {"role": "org:admin", "expires_in_days": 7}
    states = list(batch.items.values_list("state", flat=True))
    assert (states.count("waiting"), states.count("refused")) == (150, 1)
    assert not Draft.objects.exists()
    # Another press of the same button, and the page in another tab.
    again = ada.post(url, filled(page) | {"confirm_elevated": "on"})
    assert again["Location"] == sent["Location"]
    assert ada.get(url)["Location"] == sent["Location"]
    assert Batch.objects.count() == 1


def test_ten_thousand_rows_of_a_file_are_a_small_page(ada: Browser, clerk: Emulator) -> None:
    rows = "\n".join(f"person{number}@example.com;org:member" for number in range(10_000))
    form = as_it_opens(ada) | {"file": a_file(f"Email;Role\n{rows}\n")}
    url = draft_url_of(ada.post(INVITE, form))
    clerk.clear_requests()
    page = ada.get(url)
    # The rights with the roles, the seats, one page of members and one of pending invitations.
    assert len(calls(clerk)) <= 6
    assert len(page.content) < 150_000
    assert page.context["review"].sections[0].count == 10_000
    ada.post(url, filled(page))
    assert BatchItem.objects.filter(state="waiting").count() == 10_000


def test_a_hundred_stay_in_the_form(ada: Browser) -> None:
    response = type_in(ada, "\n".join(many(100)))
    assert response.context["review"] is not None
    assert not Draft.objects.exists()


def test_without_workers_many_stay_in_the_form(ada: Browser, settings: Any) -> None:
    settings.ORG_INVITATIONS_BACKGROUND = False
    assert type_in(ada, "\n".join(many(101))).context["review"] is not None


def test_who_types_many_is_not_taken_elsewhere_and_who_chooses_a_file_is(ada: Browser) -> None:
    text = "\n".join(many(150))
    check = {"target": "org-invitations-check"}
    typed = ada.post(f"{LIST}check/", as_it_opens(ada) | {"email_addresses": text}, **check)
    assert "HX-Redirect" not in typed
    assert not Draft.objects.exists()
    chosen = ada.post(f"{LIST}check/", as_it_opens(ada) | {"file": a_file(text)}, **check)
    assert Draft.objects.get().count == 150
    draft_url_of(chosen)


def test_the_same_form_is_one_draft(ada: Browser) -> None:
    form = as_it_opens(ada) | {"email_addresses": "\n".join(many(150))}
    assert draft_url_of(ada.post(INVITE, form)) == draft_url_of(ada.post(INVITE, form))
    assert Draft.objects.count() == 1


def test_an_outcome_says_what_was_sent_since_from_a_draft(ada: Browser, clerk: Emulator) -> None:
    clerk.configure(blocked_domains=["b@example.com"])
    first = send(ada, ["a@example.com", "b@example.com"])["Location"]
    clerk.configure(blocked_domains=[])
    form = filled(ada.get(first))
    again = "\n".join(["b@example.com", *many(101), "no address"])
    url = draft_url_of(ada.post(INVITE, form | {"email_addresses": again}))
    press(ada, url, leave="102:no address")
    press(ada, url)
    assert str(Batch.objects.latest("created_at").retry_of) == form["retry_of"]
    tick()
    assert ada.get(first).context["outcome"].sentences == ("1 sent", "1 sent since")


# --- Changing it ---------------------------------------------------------------------------------


def test_a_press_changes_the_draft_and_keeps_what_was_chosen(ada: Browser) -> None:
    url = paste(ada, 150, "no address", expires_in_days="7")
    pressed = press(ada, url, leave="150:no address", role="org:admin")
    assert draft_url_of(pressed) == url
    draft = Draft.objects.get()
    assert draft.count == 150
    assert "no address" not in draft.text
    form = filled(ada.get(url))
    assert (form["role"], form["expires_in_days"]) == ("org:admin", "7")


def test_which_column_is_meant_is_asked_on_its_page(ada: Browser) -> None:
    rows = "\n".join(f"s{n}@example.com;p{n}@example.org" for n in range(120))
    form = as_it_opens(ada) | {"file": a_file(f"Student email;Parent email\n{rows}\n")}
    url = draft_url_of(ada.post(INVITE, form))
    assert ada.get(url).context["review"].question is not None
    press(ada, url, column="1")
    [section] = ada.get(url).context["review"].sections
    assert section.count == 120
    assert "s1@example.com" not in Draft.objects.get().text


def test_what_a_press_makes_few_is_kept_and_sent_from_its_page(ada: Browser) -> None:
    rows = "\n".join(f"s{n}@example.com;p{n}@example.org" for n in range(80))
    form = as_it_opens(ada) | {"file": a_file(f"Student email;Parent email\n{rows}\n")}
    url = draft_url_of(ada.post(INVITE, form))
    assert draft_url_of(press(ada, url, column="1")) == url
    assert Draft.objects.get().count == 80
    assert not Batch.objects.exists()
    press(ada, url)
    addresses = Batch.objects.get().items.values_list("email_address", flat=True)
    assert sorted(addresses) == sorted(f"p{n}@example.org" for n in range(80))


def test_what_was_left_out_down_to_a_hundred_stays_out(ada: Browser) -> None:
    url = paste(ada, 100, "no address")
    press(ada, url, leave="100:no address")
    press(ada, url)
    assert Batch.objects.get().items.count() == 100
    assert not Draft.objects.exists()


def test_the_last_one_can_be_left_out(ada: Browser) -> None:
    url = paste(ada)
    Draft.objects.update(text="no address", count=1)
    press(ada, url, leave="0:no address")
    page = ada.get(url)
    assert "0 addresses, checked and not sent" in text_of(page)
    assert press(ada, url).status_code == 422
    assert not Batch.objects.exists()


def test_no_press_but_send_sends_once_there_are_no_workers(ada: Browser, settings: Any) -> None:
    url = paste(ada, 150, "ann@gmial.com")
    settings.ORG_INVITATIONS_BACKGROUND = False
    assert draft_url_of(press(ada, url, keep="ann@gmial.com")) == url
    assert not Batch.objects.exists()
    assert Draft.objects.get().fields["as_typed"] == ["ann@gmial.com"]
    press(ada, url)
    assert Batch.objects.get().items.filter(state="done").count() == 100


def test_what_cannot_be_kept_of_a_press_is_not_sent(
    ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = paste(ada, 150, "no address")

    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr("org_invitations.services.service.change_draft", fail)
        response = press(ada, url, leave="150:no address")
    assert response.status_code == 503
    assert not Batch.objects.exists()
    assert Draft.objects.get().count == 151


def test_a_role_of_weight_needs_the_tick_here_too(ada: Browser) -> None:
    url = paste(ada, role="org:admin")
    response = press(ada, url)
    assert response.status_code == 422
    assert "may manage members" in text_of(response)
    assert Draft.objects.exists()
    assert not Batch.objects.exists()


def test_it_can_be_discarded(ada: Browser) -> None:
    url = paste(ada)
    assert ada.post(url, {**filled(ada.get(url)), "discard": "1"})["Location"] == LIST
    assert not Draft.objects.exists()
    assert ada.get(url).status_code == 404


# --- In two tabs, and with the browser's button back ---------------------------------------------


def meanwhile(monkeypatch: pytest.MonkeyPatch, do: Callable[[], Any]) -> None:
    """Let something happen once while a press is at work, before what it changes is kept."""
    retype, left = InviteForm.retype, [do]

    def retype_later(form: InviteForm) -> None:
        retype(form)
        if left:
            left.pop()()

    monkeypatch.setattr(InviteForm, "retype", retype_later)


@pytest.mark.parametrize("what", [{}, {"discard": "1"}], ids=["sent", "discarded"])
def test_a_press_does_not_bring_back_what_another_tab_has_dealt_with(
    ada: Browser, sign_in: Any, monkeypatch: pytest.MonkeyPatch, what: dict[str, str]
) -> None:
    url = paste(ada, 150, "no address")
    form, tab = filled(ada.get(url)), sign_in("ada@acme.test", "acme")
    meanwhile(monkeypatch, lambda: tab.post(url, form | what))
    response = ada.post(url, form | {"leave": "150:no address"})
    assert not Draft.objects.exists()
    if what:
        assert response.status_code == 404
    else:
        assert response["Location"] == f"{LIST}outcomes/{Batch.objects.get().pk}/progress/"


def test_presses_in_two_tabs_both_count(
    ada: Browser, sign_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = paste(ada, 150, "no address", "none either")
    form, tab = filled(ada.get(url)), sign_in("ada@acme.test", "acme")
    meanwhile(monkeypatch, lambda: tab.post(url, form | {"leave": "150:no address"}))
    assert draft_url_of(ada.post(url, form | {"leave": "151:none either"})) == url
    draft = Draft.objects.get()
    assert draft.count == 150
    assert "no" not in draft.text.split()


def test_what_is_being_sent_is_not_said_to_be_discarded(ada: Browser) -> None:
    url = paste(ada)
    draft = Draft.objects.get()
    form = filled(ada.get(url))
    sent = ada.post(url, form)
    draft.save(force_insert=True)  # the other tab has begun it, and not deleted the draft yet
    assert ada.post(url, form | {"discard": "1"})["Location"] == sent["Location"]


def test_the_same_form_with_another_list_leads_each_to_its_own_progress(ada: Browser) -> None:
    form = as_it_opens(ada)
    lists = ["\n".join(many(150)), "\n".join(many(120, start=500))]
    urls, sent = [], []
    for text in lists:
        urls.append(draft_url_of(ada.post(INVITE, form | {"email_addresses": text})))
        sent.append(press(ada, urls[-1])["Location"])
    assert len(set(sent)) == 2
    assert [ada.get(url)["Location"] for url in urls] == sent
    # And the very same once more is not sent once more.
    again = [draft_url_of(ada.post(INVITE, form | {"email_addresses": text})) for text in lists]
    assert [ada.get(url)["Location"] for url in again] == sent
    assert not Draft.objects.exists()
    counts = [batch.items.count() for batch in Batch.objects.order_by("created_at")]
    assert counts == [150, 120]


# --- Where nothing comes of it -------------------------------------------------------------------


def back_to(url: str) -> str:
    return f'<a class="org-invitations-button" href="{url}">Back to the addresses</a>'


def test_where_clerk_fails_the_way_back_to_it_is_shown(ada: Browser, clerk: Emulator) -> None:
    url = paste(ada)
    form = filled(ada.get(url))
    cache.clear()
    clerk.fault("GET", "/v1/*", times=None, status=500)
    response = ada.post(url, form)
    clerk.faults.clear()
    assert response.status_code == 503
    assert "nothing was done" in text_of(response)
    assert back_to(url) in response.text
    assert "textarea" not in response.text
    assert ada.get(url).context["review"].sections[0].count == 150


def test_whoever_has_switched_is_told_and_finds_it_after_switching_back(
    clerk: Emulator, sign_in: Any
) -> None:
    bo = sign_in("bo@both.test", "acme")
    url = paste(bo)
    form = filled(bo.get(url))
    other = sign_in("bo@both.test", "globex")
    response = other.post(url, form)
    assert response.status_code == 409
    assert "Switch back" in text_of(response)
    assert back_to(url) in response.text
    gone = other.get(url)
    assert gone.status_code == 404
    assert "may belong to another organization" in text_of(gone)
    assert sign_in("bo@both.test", "acme").get(url).status_code == 200


def test_a_press_after_the_session_has_ended_can_be_sent_again(ada: Browser) -> None:
    url = paste(ada)
    form = filled(ada.get(url))
    ada.client.cookies.clear()
    response = ada.post(url, form)
    assert response.status_code == 401
    assert "Send it again" in response.text
    assert f'name="reviewed" value="{form["reviewed"]}"' in response.text
    assert "textarea" not in response.text
    assert Draft.objects.exists()


# --- Whose, and for how long ---------------------------------------------------------------------


def test_it_is_in_the_list_of_whoever_made_it_also_after_signing_in_again(
    ada: Browser, sign_in: Any
) -> None:
    url = paste(ada)
    listed = sign_in("ada@acme.test", "acme").get(LIST)
    assert f'href="{url}"' in listed.text
    assert "150 addresses, checked and not sent" in text_of(listed)


def test_nobody_else_sees_it(ada: Browser, sign_in: Any) -> None:
    url = paste(ada)
    bo = sign_in("bo@both.test", "acme")
    assert bo.get(LIST).status_code == 200
    assert f'href="{url}"' not in bo.get(LIST).text
    assert bo.get(url).status_code == 404
    assert bo.post(url, as_it_opens(bo) | {"discard": "1"}).status_code == 404
    assert Draft.objects.exists()


@pytest.mark.parametrize(
    "other", [{"organization_id": "org_other"}, {"instance": "clerk.other.test"}]
)
def test_it_is_of_one_organization_and_one_instance(ada: Browser, other: dict[str, str]) -> None:
    url = paste(ada)
    Draft.objects.update(**other)
    assert ada.get(url).status_code == 404
    assert f'href="{url}"' not in ada.get(LIST).text


def test_the_same_form_of_two_people_is_two_drafts(ada: Browser, sign_in: Any) -> None:
    form = as_it_opens(ada) | {"email_addresses": "\n".join(many(150))}
    bo = sign_in("bo@both.test", "acme")
    assert draft_url_of(ada.post(INVITE, form)) != draft_url_of(bo.post(INVITE, form))
    assert Draft.objects.count() == 2


def test_after_a_day_it_is_not_found(ada: Browser) -> None:
    url = paste(ada)
    draft = Draft.objects.get()
    Draft.objects.update(created_at=draft.created_at - timedelta(days=1))
    response = ada.get(url)
    assert response.status_code == 404
    assert "more than a day ago" in text_of(response)


@pytest.mark.parametrize(
    "look",
    [tick, partial(call_command, "org_invitations", "status", stdout=StringIO())],
    ids=["worker", "status"],
)
def test_whoever_looks_first_after_a_day_deletes_it(ada: Browser, look: Callable[[], Any]) -> None:
    paste(ada)
    look()
    assert Draft.objects.exists()
    cache.clear()  # an hour later
    draft = Draft.objects.get()
    Draft.objects.update(created_at=draft.created_at - timedelta(days=1))
    look()
    assert not Draft.objects.exists()


def test_what_cannot_be_kept_stays_in_the_form(
    ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError

    monkeypatch.setattr("org_invitations.services.service.keep_draft", fail)
    response = type_in(ada, "\n".join(many(150)))
    assert response.context["review"] is not None
    assert "person149@example.com" in response.text
