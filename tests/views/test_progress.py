"""What workers do, as people see it: how far it is, pause, continue, cancel, and who may."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from org_invitations.caching import InstanceCache
from org_invitations.clerk import exceptions as exc
from org_invitations.emulator import Emulator
from org_invitations.emulator.keys import FRONTEND_API
from org_invitations.models import Batch, BatchItem, Heartbeat
from org_invitations.services.batches.counts import count_items
from org_invitations.services.batches.estimate import Estimate
from org_invitations.services.batches.heartbeat import beat
from org_invitations.services.batches.outlook import Outlook, get_outlook
from org_invitations.services.batches.schedule import get_queue
from org_invitations.services.batches.tick import tick
from org_invitations.services.limits import Ledger
from org_invitations.views.progress_presenter import describe_moment, round_up
from tests.leases import let_time_pass
from tests.ledger import allow_many, spend

from .conftest import LIST, Browser, calls, html_of, pending, text_of
from .inviting import forget, mails, many, press, review_of, send, type_in

State = BatchItem.State

pytestmark = pytest.mark.usefixtures("_in_background")

FIGURES = "org-invitations-progress"
CARD = "org-invitations-outcome"
DIALOG = "org-invitations-dialog"


@pytest.fixture
def _in_background(settings: Any, clerk: Emulator) -> None:
    settings.ORG_INVITATIONS_BACKGROUND = True
    allow_many(clerk)


def batch_of(response: Any) -> Batch:
    """The batch to whose progress an answer leads."""
    url = response["HX-Redirect"] if response.status_code == 200 else response["Location"]
    found = re.fullmatch(rf"{LIST}outcomes/([0-9a-f-]{{36}})/progress/", urlsplit(url).path)
    assert found is not None, url
    return Batch.objects.get(pk=UUID(found[1]))


def progress_url(batch: Batch) -> str:
    return f"{LIST}outcomes/{batch.pk}/progress/"


def outcome_url(batch: Batch) -> str:
    return f"{LIST}outcomes/{batch.pk}/"


def cancel_url(batch: Batch) -> str:
    return f"{LIST}outcomes/{batch.pk}/cancel/"


def begin(ada: Browser, count: int = 25, **more: Any) -> Batch:
    """Send so many as somebody does who pastes them; workers have not been there yet."""
    return batch_of(send(ada, many(count), **more))


def make(clerk: Emulator, *items: dict[str, Any], action: str = "invite", **more: Any) -> Batch:
    """Write down what workers are to do for Ada in Acme, with items of given states."""
    values: dict[str, Any] = {
        "organization_id": clerk.organization("acme").id,
        "user_id": clerk.user("ada@acme.test").id,
        "instance": FRONTEND_API,
        "in_background": True,
        **more,
    }
    batch = Batch.objects.create(action=action, **values)
    for number, item in enumerate(items):
        target = {"replaces_id": f"orginv_{number}"} if action == "resend" else {}
        address = f"n{number}@example.com"
        BatchItem.objects.create(
            **{"batch": batch, "number": number, "email_address": address, "role": "org:member"}
            | target
            | item
        )
    return batch


def poll_url_of(response: Any) -> str:
    found = re.search(r'hx-get="([^"]*progress/\?[^"]*)"', response.text)
    assert found is not None
    return found[1].replace("&amp;", "&")


def poll(browser: Browser, url: str) -> Any:
    return browser.get(url, target=FIGURES)


def figures_of(response: Any) -> dict[str, int]:
    return {figure.name: figure.count for figure in response.context["progress"].figures}


def work(calls_of_clerk: int, clerk: Emulator) -> None:
    """Let a worker make so many calls that invite, and then end."""

    def made() -> int:
        return sum(call.method == "POST" for call in clerk.requests)

    clerk.clear_requests()
    tick(should_stop=lambda: made() >= calls_of_clerk)


# --- From the press to the outcome ---------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "org-invitations-form"], ids=["plain", "htmx"])
def test_a_press_leads_at_once_to_how_far_it_is_and_in_the_end_to_the_outcome(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    check = review_of(type_in(ada, " ".join(many(25))))
    response = press(ada, check, target=target)
    batch = batch_of(response)
    assert "person0@example.com" not in mails(clerk)
    page = ada.get(progress_url(batch))
    assert page.status_code == 200
    assert figures_of(page) == {"waiting": 25}
    assert "0 of 25 sent" in text_of(page)
    assert '<progress aria-labelledby="org-invitations-progress-text"' in html_of(page)
    assert "Sending 25 invitations – Acme" in text_of(page)

    work(1, clerk)
    polled = poll(ada, poll_url_of(page))
    assert figures_of(polled) == {"done": 10, "waiting": 15}
    assert polled["Org-Invitations-Fragment"] == FIGURES
    assert 'value="10"' in polled.text
    # Whoever comes by the outcome's address is where it is to be seen, too.
    assert ada.get(outcome_url(batch))["Location"] == progress_url(batch)

    tick()
    assert poll(ada, poll_url_of(polled))["HX-Redirect"] == outcome_url(batch)
    assert ada.get(progress_url(batch))["Location"] == outcome_url(batch)
    assert ada.get(outcome_url(batch)).context["outcome"].sentences == ("25 sent",)


def test_what_one_call_takes_goes_at_once_as_ever(ada: Browser) -> None:
    response = send(ada, many(10))
    assert response["Location"].endswith("/")
    assert "progress" not in response["Location"]
    assert ada.get(response["Location"]).context["outcome"].sentences == ("10 sent",)


def test_the_same_press_twice_leads_to_the_same_place(ada: Browser, clerk: Emulator) -> None:
    check = review_of(type_in(ada, " ".join(many(11))))
    first, second = press(ada, check), press(ada, check)
    assert batch_of(first) == batch_of(second)
    assert Batch.objects.count() == 1


@pytest.mark.parametrize(
    ("action", "change"),
    [("resend", {}), ("resend", {"role": "org:member", "expires_in_days": "3"}), ("revoke", {})],
    ids=["resend", "change", "revoke"],
)
def test_many_chosen_ones_go_the_same_way(
    ada: Browser, clerk: Emulator, action: str, change: dict[str, str]
) -> None:
    before = pending(clerk)
    question = ada.post(f"{LIST}selected/", {"action": action, "all": "on"})
    form = {
        "action": action,
        "confirmed": "1",
        "batch": str(uuid4()),
        "confirm_elevated": "1",
        "selected": question.context["ids"],
        "pending": question.context["pending"],
        **change,
    }
    batch = batch_of(ada.post(f"{LIST}selected/", form))
    assert batch.action == action
    page = ada.get(progress_url(batch))
    verb, title = {
        "resend": ("sent", "Sending 34 invitations again"),
        "revoke": ("revoked", "Revoking 34 invitations"),
    }[action]
    assert f"0 of 34 {verb}" in text_of(page)
    assert title in text_of(page)
    assert pending(clerk) == before
    tick()
    assert ada.get(progress_url(batch))["Location"] == outcome_url(batch)
    left = pending(clerk)
    assert sorted(left) == (sorted(before) if action == "resend" else [])
    if change:
        assert {row.role for row in clerk.invitations("acme", "pending")} == {"org:member"}


def test_what_goes_on_by_itself_is_not_said_to_be_kept_for_another_press(
    ada: Browser, clerk: Emulator
) -> None:
    spend(250)

    def notice(count: int) -> str:
        ids = [row.id for row in clerk.invitations("acme", "pending")][:count]
        form = {"action": "resend", "selected": ids}
        return str(ada.post(f"{LIST}selected/", form).context["notice"])

    assert "What cannot go is left as it is" in notice(10)
    assert notice(11) == ""


def test_without_an_email_nothing_is_said_to_be_sent(ada: Browser, clerk: Emulator) -> None:
    batch = begin(ada, 11, no_email="on")
    page = ada.get(progress_url(batch))
    assert "Inviting 11 people without an email" in text_of(page)
    figures = text_of(poll(ada, poll_url_of(page)))
    assert "0 of 11 invited" in figures
    assert "sent" not in figures.split()


def test_nothing_of_it_needs_the_session_that_began_it(
    ada: Browser, sign_in: Any, clerk: Emulator
) -> None:
    batch = begin(ada)
    ada.client.logout()
    ada.client.cookies.clear()
    work(1, clerk)
    again = sign_in("ada@acme.test", "acme")
    assert figures_of(again.get(progress_url(batch))) == {"done": 10, "waiting": 15}


def test_who_comes_from_a_page_of_the_sites_finds_back_to_it(ada: Browser, clerk: Emulator) -> None:
    host = "/harbour/page/"
    response = send(ada, many(25), host=host)
    batch, query = batch_of(response), "?host=%2Fharbour%2Fpage%2F"
    assert response["Location"] == progress_url(batch) + query
    page = ada.get(response["Location"])
    assert f'<a href="{host}">' in page.text
    assert page.text.count(query) >= 4  # to look again, to refresh, to pause, to cancel
    paused = ada.post(progress_url(batch), {"pause": "1", "host": host})
    assert paused["Location"] == progress_url(batch) + query
    cancelled = ada.post(cancel_url(batch), {"host": host})
    assert cancelled["Location"] == progress_url(batch) + query
    assert ada.get(cancelled["Location"])["Location"] == outcome_url(batch) + query


# --- Looking again and again ---------------------------------------------------------------------


def test_a_look_is_two_small_queries_and_no_call_to_clerk(
    ada: Browser, sign_in: Any, clerk: Emulator
) -> None:
    batch = begin(ada, 30)
    for browser, queries in ((ada, 2), (sign_in("bo@both.test", "acme"), 3)):
        url = poll_url_of(browser.get(progress_url(batch)))
        poll(browser, url)  # what lies before it is looked up now, and remembered for a while
        clerk.clear_requests()
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert poll(browser, url).status_code == 200
        # The batch, how many of it are where; and of who did not begin it, whether they could have.
        assert len(asked) == queries, [query["sql"] for query in asked]
        assert calls(clerk) == []


def explain(ask: Callable[[], Any]) -> list[str]:
    """What the database does for what is asked of the items."""
    with CaptureQueriesContext(connection) as asked:
        ask()
    [query] = [one["sql"] for one in asked if '"org_invitations_batchitem"' in one["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {query}")
        return [row[-1] for row in cursor.fetchall()]


def test_what_is_counted_is_found_by_an_index(ada: Browser, clerk: Emulator) -> None:
    batch = begin(ada, 11)
    # All of a batch is read to tell how far it is, and nothing of others.
    [of_items] = [step for step in explain(lambda: count_items([batch.pk])) if "batchitem" in step]
    assert re.search(r"SEARCH .* USING INDEX \w+ \(batch_id=\?\)", of_items)
    # To choose who is next, what waits is.
    ledger = Ledger(is_background=True)
    [of_items] = [step for step in explain(lambda: get_queue(ledger)) if "batchitem" in step]
    assert re.search(r"SEARCH .* USING INDEX oi_item_state \(batch_id=\? AND state=\?\)", of_items)


def test_what_does_not_go_on_by_itself_is_not_looked_at_again(
    ada: Browser, clerk: Emulator
) -> None:
    batch = begin(ada)
    page = ada.get(progress_url(batch))
    url = poll_url_of(page)
    assert re.search(r'hx-trigger="every \d+s, renewed"', page.text)
    ada.post(progress_url(batch), {"pause": "1"})
    # The page that is open elsewhere gets other buttons, and looks no further.
    answer = poll(ada, url)
    assert (answer["HX-Retarget"], answer["HX-Reswap"]) == (f"#{CARD}", "outerHTML")
    assert 'name="continue"' in answer.text
    assert "hx-trigger" not in answer.text
    assert answer.context["status_message"] == "Paused: 0 of 25 sent"
    assert "hx-trigger" not in ada.get(progress_url(batch)).text
    ada.post(progress_url(batch), {"continue": "1"})
    assert poll_url_of(ada.get(progress_url(batch)))


def test_it_is_read_aloud_once_in_a_while_and_not_at_each_look(
    ada: Browser, clerk: Emulator
) -> None:
    batch = begin(ada, 100)

    def told(response: Any) -> str:
        return str(response.context["status_message"])

    url = poll_url_of(ada.get(progress_url(batch)))
    work(2, clerk)
    assert told(poll(ada, url)) == ""  # a fifth more, but it was read a moment ago
    assert "org-invitations-status" not in poll(ada, url).text
    later = re.sub(r"since=\d+", "since=0", url)
    answer = poll(ada, later)
    assert told(answer) == "20 of 100 sent"
    assert 'id="org-invitations-status" hx-swap-oob' in answer.text
    # What comes next is asked for with what was read by now.
    following = re.sub(r"since=\d+", "since=0", poll_url_of(answer))
    assert parse_qs(urlsplit(following).query)["told"] == ["20"]
    assert told(poll(ada, following)) == ""
    for wrong in ("told=x&since=y", "told=-1", ""):
        assert poll(ada, f"{progress_url(batch)}?state=running&{wrong}").status_code == 200


# --- Pause, continue, cancel ---------------------------------------------------------------------


def test_who_did_not_begin_it_pauses_it_and_lets_it_go_on(
    ada: Browser, sign_in: Any, clerk: Emulator
) -> None:
    batch = begin(ada)
    bo = sign_in("bo@both.test", "acme")
    assert re.search(r"Begun by Ada \w+ on", text_of(bo.get(progress_url(batch))))
    answer = bo.post(progress_url(batch), {"pause": "1"}, target=CARD)
    assert answer["Org-Invitations-Fragment"] == CARD
    assert 'name="continue"' in answer.text
    assert "Paused: 0 of 25 sent" in text_of(answer)
    assert tick().items == 0
    page = text_of(ada.get(progress_url(batch)))
    assert re.search(r"Bo \w+ has paused this\.", page)
    assert "You have paused this." in text_of(bo.get(progress_url(batch)))
    answer = ada.post(progress_url(batch), {"continue": "1"})
    assert (answer.status_code, answer["Location"]) == (303, progress_url(batch))
    assert tick().items == 25


def test_cancelling_asks_first_and_says_what_stays(ada: Browser, clerk: Emulator) -> None:
    batch = begin(ada)
    work(1, clerk)
    question = ada.get(cancel_url(batch))
    assert question.status_code == 200
    assert "Cancel the other 15 invitations?" in text_of(question)
    assert "10 are invited already and stay so." in text_of(question)
    assert figures_of(ada.get(progress_url(batch))) == {"done": 10, "waiting": 15}
    in_dialog = ada.get(cancel_url(batch), target=DIALOG)
    assert in_dialog["Org-Invitations-Fragment"] == DIALOG
    answer = ada.post(cancel_url(batch), target=DIALOG)
    assert answer["HX-Redirect"] == progress_url(batch)
    assert ada.get(progress_url(batch))["Location"] == outcome_url(batch)
    outcome = ada.get(outcome_url(batch))
    assert outcome.context["outcome"].sentences == ("10 sent", "15 not sent")
    assert "Somebody has cancelled the rest before this was sent." in text_of(outcome)
    assert outcome.context["form"] is not None  # they can be sent again
    assert tick().items == 0
    assert ada.get(cancel_url(batch))["Location"] == outcome_url(batch)


def test_the_question_of_revocations_speaks_of_revoking(ada: Browser, clerk: Emulator) -> None:
    items = [{"state": State.WAITING, "invitation_id": f"orginv_{n}"} for n in range(3)]
    batch = make(clerk, {"state": State.DONE}, *items, action="revoke")
    question = text_of(ada.get(cancel_url(batch)))
    assert "Leave the other 3 invitations unrevoked?" in question
    assert "1 is revoked already and stays so." in question


# --- Who may -------------------------------------------------------------------------------------


def test_whoever_could_not_have_begun_it_does_not_find_it(
    ada: Browser, sign_in: Any, clerk: Emulator
) -> None:
    batch = make(clerk, {"state": State.WAITING, "role": "org:admin"}, {"state": State.DONE})
    manager, stranger = sign_in("mia@acme.test", "acme"), sign_in("bo@both.test", "globex")
    for browser in (manager, stranger):
        for url in (progress_url(batch), cancel_url(batch), outcome_url(batch)):
            assert browser.get(url).status_code == 404
        for url, data in (
            (progress_url(batch), {"pause": "1"}),
            (progress_url(batch), {"continue": "1"}),
            (cancel_url(batch), {}),
        ):
            assert browser.post(url, data).status_code == 404
        assert "n0@example.com" not in browser.get(f"{outcome_url(batch)}?format=csv").text
        assert browser.get().context["running"] == []
    member = sign_in("max@acme.test", "acme")
    assert member.get(progress_url(batch)).status_code == 403
    assert member.post(progress_url(batch), {"pause": "1"}).status_code == 403
    assert member.post(cancel_url(batch)).status_code == 403
    batch.refresh_from_db()
    assert batch.paused_at is None
    assert batch.items.filter(state=State.WAITING).count() == 1
    assert ada.get(f"{LIST}outcomes/{uuid4()}/progress/").status_code == 404


def test_what_was_begun_at_another_instance_of_clerks_is_not_there(
    ada: Browser, clerk: Emulator
) -> None:
    batch = make(clerk, {"state": State.WAITING}, instance="clerk.elsewhere.test")
    assert ada.get(progress_url(batch)).status_code == 404
    assert ada.get(cancel_url(batch)).status_code == 404


def test_who_has_lost_the_rights_meanwhile_stops_nothing(ada: Browser, clerk: Emulator) -> None:
    batch = begin(ada)
    page = ada.get(progress_url(batch))
    who = {"organization": "acme", "user": "ada@acme.test", "permissions": ["org:reports:read"]}
    clerk.configure(memberships=[who])
    assert ada.post(progress_url(batch), {"pause": "1"}).status_code == 403
    assert ada.post(cancel_url(batch)).status_code == 403
    # What was remembered of the rights is forgotten with that.
    assert poll(ada, poll_url_of(page)).status_code == 403
    batch.refresh_from_db()
    assert batch.paused_at is None


def test_what_ended_since_its_sender_lost_the_rights_is_told_to_the_others(
    ada: Browser, sign_in: Any, clerk: Emulator
) -> None:
    batch = begin(ada)
    who = {"organization": "acme", "user": "ada@acme.test", "permissions": ["org:reports:read"]}
    clerk.configure(memberships=[who])
    tick()
    bo = sign_in("bo@both.test", "acme")
    assert bo.get(progress_url(batch))["Location"] == outcome_url(batch)
    outcome = bo.get(outcome_url(batch))
    assert "Whoever began this may no longer manage members" in text_of(outcome)
    assert "You may no longer" not in text_of(outcome)


def test_where_the_roles_are_not_known_it_is_not_said_that_there_is_nothing(
    ada: Browser, sign_in: Any, clerk: Emulator
) -> None:
    batch = begin(ada)
    forget()
    clerk.fault("GET", "*/organization_roles", status=500, times=None)
    assert sign_in("bo@both.test", "acme").get(progress_url(batch)).status_code == 503


def test_others_read_the_outcome_and_change_nothing_in_it(
    ada: Browser, sign_in: Any, clerk: Emulator
) -> None:
    failed = {"state": State.FAILED, "reason": "ServiceUnavailable"}
    batch = make(clerk, {"state": State.DONE}, failed, finished_at=timezone.now())
    bo = sign_in("bo@both.test", "acme")
    page = bo.get(outcome_url(batch))
    assert page.context["outcome"].sentences == ("1 sent", "1 not sent")
    assert page.context["form"] is None
    assert '<button type="submit"' not in page.text.partition("<dialog")[0]
    assert bo.post(outcome_url(batch), {"leave": "1"}).status_code == 404
    assert ada.get(outcome_url(batch)).context["form"] is not None


# --- What is said --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"paused_because": "Impersonation"}, "by somebody who acted as another person"),
        ({"paused_because": "Background:class"}, "A part of this site that it was begun with"),
        ({"paused_because": "something new"}, "It has stopped by itself."),
    ],
)
def test_it_says_why_it_has_stopped_by_itself(
    ada: Browser, clerk: Emulator, more: dict[str, str], words: str
) -> None:
    batch = make(clerk, {"state": State.WAITING}, paused_at=timezone.now(), **more)
    page = ada.get(progress_url(batch))
    assert page.context["progress"].state == "stopped"
    assert "Stopped: 0 of 1 sent" in text_of(page)
    assert words in text_of(page)
    assert 'name="continue"' in page.text


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("ConnectionFailed", "Clerk could not be reached."),
        ("CircuitOpen", "Clerk could not be reached."),
        ("ServiceUnavailable", "Clerk does not answer properly."),
        ("Unauthorized", "its configuration needs attention"),
        ("DevelopmentLimit", "has used up its emails of the month"),
        ("DeadlineExceeded", ""),
    ],
)
def test_it_says_what_keeps_it_from_going_on(
    ada: Browser, clerk: Emulator, reason: str, words: str
) -> None:
    batch = make(clerk, {"state": State.WAITING, "reason": reason}, {"state": State.WAITING})
    page = ada.get(progress_url(batch))
    problems = page.context["progress"].problems
    assert [words in problem for problem in problems] == ([True] if words else [])


def test_where_clerks_limit_is_reached_it_says_until_when(ada: Browser, clerk: Emulator) -> None:
    batch = begin(ada)
    spend(250)
    spend(50, exc.BULK_INVITATIONS)
    page = ada.get(progress_url(batch))
    assert re.search(
        r"Clerk's hourly limit is reached\. It goes on by itself about .* \(UTC\)", text_of(page)
    )


def test_without_a_worker_for_ten_minutes_it_asks_for_one(ada: Browser, clerk: Emulator) -> None:
    batch = begin(ada)
    words = "Nobody has worked on this for ten minutes: is a worker running?"
    assert words not in text_of(ada.get(progress_url(batch)))
    let_time_pass(601)
    forget_outlook(batch)
    page = ada.get(progress_url(batch))
    assert words in text_of(page)
    assert "done about" not in text_of(page)
    beat(batch.instance)
    forget_outlook(batch)
    assert words not in text_of(ada.get(progress_url(batch)))
    Heartbeat.objects.update(seen_at=timezone.now() - timedelta(seconds=601))
    forget_outlook(batch)
    assert words in text_of(ada.get(progress_url(batch)))


def forget_outlook(batch: Batch) -> None:
    InstanceCache().delete(f"outlook:{batch.pk}")


def test_it_says_when_it_will_be_done_with_the_time_zone_or_that_it_is_not_known(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = begin(ada)
    later = datetime.now(UTC) + timedelta(days=1, hours=3)
    foretold = Outlook(done_at=later, latest_at=later + timedelta(hours=1), ahead=2)
    monkeypatch.setattr("org_invitations.views.progress.get_outlook", lambda batch: foretold)
    with override_settings(TIME_ZONE="Europe/Helsinki"):
        page = text_of(ada.get(progress_url(batch)))
    assert re.search(r"About 27 hours left, done about .* on \w+day \(Helsinki\)\.", page)
    assert "2 other lists on this site have their turn before or in between." in page
    monkeypatch.setattr("org_invitations.views.progress.get_outlook", lambda batch: Outlook())
    assert "When it will be done is not known yet." in text_of(ada.get(progress_url(batch)))


@pytest.mark.parametrize(
    ("language", "first", "latest", "words"),
    [
        ("en", 61, 241, r"Done between .* and .* \(UTC\)\."),
        ("en", 0, 30, r"Done between .* and .* \(UTC\)\."),
        ("en", 0, 0, r"Done in less than a minute\."),
        ("en", 61, None, r"Done at .* \(UTC\) at the earliest\."),
        ("en", 0, None, r"Done at .* \(UTC\) at the earliest\."),
        ("de", 61, 241, r"Fertig zwischen \d+:\d\d( am \w+tag)? und \d+:\d\d .*\(UTC\)\."),
        ("de", 61, None, r"Frühestens fertig um \d+:\d\d Uhr .*\(UTC\)\."),
    ],
)
def test_of_two_moments_both_are_told_where_they_differ(
    ada: Browser,
    clerk: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    first: int,
    latest: int | None,
    words: str,
) -> None:
    batch = begin(ada)
    now = datetime.now(UTC)
    foretold = Outlook(
        done_at=now + timedelta(minutes=first),
        latest_at=None if latest is None else now + timedelta(minutes=latest),
    )
    monkeypatch.setattr("org_invitations.views.progress.get_outlook", lambda batch: foretold)
    with override_settings(LANGUAGE_CODE=language), translation.override(language):
        page = text_of(ada.get(progress_url(batch)))
    assert re.search(words, page), page


def test_what_an_estimate_knows_of_later_ones_reaches_the_page(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = begin(ada)
    foretold = Estimate(waiting=12, ahead=0, seconds=3600, latest=7200)
    monkeypatch.setattr("org_invitations.services.batches.outlook.estimate", lambda batch: foretold)
    found = get_outlook(batch)
    assert found.done_at is not None
    assert found.latest_at == found.done_at + timedelta(hours=1)


def test_of_what_somebody_is_at_work_on_it_is_said_that_these_are_the_last(
    ada: Browser, clerk: Emulator
) -> None:
    lease = {"leased_by": "me", "leased_until": timezone.now() + timedelta(minutes=2)}
    waiting = {"state": State.WAITING}
    last = make(clerk, {"state": State.DONE}, waiting | lease, {"state": State.UNDER_WAY, **lease})
    assert "The last ones are being worked on." in text_of(ada.get(progress_url(last)))
    more = make(clerk, waiting | lease, waiting)
    assert "The last ones" not in text_of(ada.get(progress_url(more)))


def test_a_moment_is_told_no_more_exactly_than_it_is_known() -> None:
    now = datetime(2026, 11, 26, 10, 0, 30, tzinfo=UTC)  # a Thursday
    with override_settings(TIME_ZONE="Europe/Helsinki"), translation.override("en"):
        for minutes, words in (
            (3, "12:04 p.m. (Helsinki)"),
            (61, "1:05 p.m. (Helsinki)"),
            (200, "3:30 p.m. (Helsinki)"),
            (24 * 60, "12:15 p.m. on Friday (Helsinki)"),
            (14 * 24 * 60, "12:15 p.m. on Dec. 10, 2026 (Helsinki)"),
        ):
            moment = round_up(now + timedelta(minutes=minutes), now)
            assert describe_moment(moment, now) == words


def test_what_is_to_be_put_right_is_told_apart_from_what_needed_nothing(
    ada: Browser, clerk: Emulator
) -> None:
    lease = {"leased_by": "me", "leased_until": timezone.now() + timedelta(minutes=2)}
    batch = make(
        clerk,
        {"state": State.DONE},
        {"state": State.REFUSED, "reason": "member"},
        {"state": State.REFUSED, "reason": "not-an-address"},
        {"state": State.FAILED, "reason": "no-metadata"},
        {"state": State.UNDER_WAY, **lease},
        {"state": State.UNDER_WAY},
        {"state": State.WAITING, **lease},
        {"state": State.WAITING},
    )
    page = ada.get(progress_url(batch))
    wanted = {"done": 1, "waiting": 3, "to-fix": 2, "settled": 1, "unknown": 1}
    assert figures_of(page) == wanted
    progress = page.context["progress"]
    assert (progress.finished, progress.total, progress.percent) == (5, 8, 62)


def test_what_is_to_be_put_right_is_shown_while_the_rest_goes_on(
    ada: Browser, clerk: Emulator
) -> None:
    wrong = {"state": State.REFUSED, "reason": "not-an-address", "email_address": ""}
    member = {"state": State.REFUSED, "reason": "member"}
    slips = [wrong | {"text": f"nobody{number}"} for number in range(22)]
    page = ada.get(progress_url(make(clerk, {"state": State.WAITING}, member, *slips)))
    [section] = page.context["outcome"].sections
    assert [row.name for row in section.rows] == [f"nobody{number}" for number in range(20)]
    assert "And 2 more, which are in the CSV file." in text_of(page)
    page = ada.get(progress_url(make(clerk, {"state": State.WAITING}, member)))
    assert page.context["outcome"].sections == ()
    assert "To fix so far" not in page.text


def test_it_says_who_really_sat_there(ada: Browser, sign_in: Any, clerk: Emulator) -> None:
    batch = make(clerk, {"state": State.WAITING}, actor_id="user_support")
    url = progress_url(batch)
    assert "the session was one of user_support, who acted as you." in text_of(ada.get(url))
    others = text_of(sign_in("bo@both.test", "acme").get(url))
    assert "in the name of who began it: the session was one of user_support." in others


# --- The list ------------------------------------------------------------------------------------


def test_the_list_says_what_workers_do_whoever_began_it(
    ada: Browser, sign_in: Any, clerk: Emulator
) -> None:
    assert ada.get().context["running"] == []
    batch = begin(ada)
    work(1, clerk)
    page = ada.get()
    assert "10 of 25 sent begun by you" in text_of(page)
    assert f'href="{progress_url(batch)}"' in page.text
    assert "Nothing goes on by itself" not in text_of(page)  # once is enough
    bo = sign_in("bo@both.test", "acme")
    assert re.search(r"10 of 25 sent begun by Ada \w+", text_of(bo.get()))
    bo.post(progress_url(batch), {"pause": "1"})
    assert "Paused: 10 of 25 sent" in text_of(bo.get())
    bo.post(progress_url(batch), {"continue": "1"})
    tick()
    assert bo.get().context["running"] == []


def test_of_many_lists_the_newest_are_named_and_the_others_counted(
    ada: Browser, clerk: Emulator
) -> None:
    for _ in range(7):
        make(clerk, {"state": State.WAITING})
    page = ada.get()
    assert len(page.context["running"]) == 5
    assert "2 more lists are being worked on." in text_of(page)


def test_what_workers_try_again_by_themselves_is_not_told_a_second_time(
    ada: Browser, clerk: Emulator
) -> None:
    half = {"state": State.HALF_DONE, "reason": "ServiceUnavailable"}
    batch = make(clerk, half, {"state": State.WAITING}, action="resend")
    assert len(ada.get().context["running"]) == 1
    assert ada.get().context["unfinished"] == []
    # Once workers have given up, somebody has to decide.
    batch.items.filter(number=0).update(tries=5)
    assert len(ada.get().context["unfinished"]) == 1


def test_without_workers_any_more_what_waits_is_gone_on_with_as_ever(
    ada: Browser, clerk: Emulator, settings: Any
) -> None:
    batch = begin(ada, 11)
    settings.ORG_INVITATIONS_BACKGROUND = False
    page = ada.get()
    assert page.context["running"] == []
    assert "Nothing goes on by itself." in text_of(page)
    assert ada.get(progress_url(batch))["Location"] == outcome_url(batch)
    assert "11 waiting" in text_of(ada.get(outcome_url(batch)))


def test_a_site_without_the_background_asks_the_database_no_more_for_its_list(
    ada: Browser, settings: Any
) -> None:
    settings.ORG_INVITATIONS_BACKGROUND = False
    ada.warm()
    with CaptureQueriesContext(connection) as without:
        ada.get()
    settings.ORG_INVITATIONS_BACKGROUND = True
    with CaptureQueriesContext(connection) as asked:
        ada.get()
    assert len(asked) == len(without) + 2  # what workers do, and what is to be left to them


def test_the_file_can_be_had_while_it_goes_on(ada: Browser, clerk: Emulator) -> None:
    batch = begin(ada, 11)
    page = ada.get(progress_url(batch))
    assert page.context["csv_url"] == f"{outcome_url(batch)}?format=csv"
    assert ada.get(page.context["csv_url"]).text.count("waiting") == 11


# --- The outcome ---------------------------------------------------------------------------------


def test_an_outcome_that_workers_go_on_with_offers_no_press_that_does_nothing(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where the site has no page that tells how far it is.
    monkeypatch.setattr("org_invitations.views.outcome.OutcomeView._find_url_from_here", no_url)
    batch = make(clerk, {"state": State.WAITING}, {"state": State.DONE}, action="resend")
    page = ada.get(outcome_url(batch))
    assert "goes on by itself" in text_of(page)
    assert "Nothing goes on by itself" not in text_of(page)
    assert 'name="continue"' not in page.text


def no_url(*args: Any, **kwargs: Any) -> str:
    return ""
