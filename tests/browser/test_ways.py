"""The same journeys with htmx 2 and htmx 4, that of the app's and of a site's, boosted or not.

Most are tests of the other files, run here once more: what they say holds in each way.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, Final

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from org_invitations.middleware import ClerkSessionMiddleware

from . import (
    test_inviting,
    test_page,
    test_progress,
    test_reading,
    test_resend,
    test_selection,
    test_shape,
)
from .conftest import Site, action, addresses, focused, open_form, sign_in_at_clerk
from .test_inviting import a_minute_passes
from .test_progress import background, worker
from .test_resend import lee, reader
from .ways import WAYS

__all__ = [
    "a_minute_passes",
    "background",
    "lee",
    "reader",
    "worker",
]  # what some of the journeys need

LIST = "#org-invitations-list"


def list_and_history(ada: Page, site: Site) -> None:
    """Tabs, sorting, search, role and pages; back, forward and reload show each again."""
    heading = ada.locator("#org-invitations-list-title")
    steps: list[tuple[str, str, list[str]]] = []

    def stepped(url: str) -> None:
        expect(ada).to_have_url(re.compile(url))
        expect(ada.locator(f"{LIST}[aria-busy]")).to_have_count(0)
        steps.append((ada.url, heading.inner_text(), addresses(ada)))

    stepped("/invitations/$")
    ada.click("#org-invitations-next")
    expect(ada.locator("#org-invitations-page-2")).to_have_attribute("aria-current", "page")
    stepped(r"\?page=2$")
    ada.click("#org-invitations-sort-address")
    expect(ada.locator("th[aria-sort=ascending]")).to_contain_text("Email")
    stepped(r"\?sort=address$")
    ada.click("#org-invitations-tab-revoked")
    expect(heading).to_have_text("Revoked invitations")
    stepped("status=revoked")
    ada.click("#org-invitations-tab-pending")
    expect(heading).to_have_text("Pending invitations")
    pending = (ada.url, heading.inner_text(), addresses(ada))
    ada.locator("#org-invitations-search").press_sequentially("lumen")
    expect(ada.locator(".org-invitations-found")).to_be_visible()
    expect(ada.locator("#org-invitations-search")).to_be_focused()
    expect(ada.locator("#org-invitations-search")).to_have_value("lumen")
    stepped("q=lumen")
    ada.select_option("#org-invitations-role", "org:member")
    stepped("role=org%3Amember")

    def shows(step: tuple[str, str, list[str]]) -> None:
        expect(ada).to_have_url(step[0])
        expect(heading).to_have_text(step[1])
        expect(ada.locator(f"{LIST} tbody th")).to_have_text(step[2])
        expect(ada.locator("[data-org-invitations]")).to_have_count(1)

    ada.go_back()
    shows(steps[4])
    ada.go_forward()
    shows(steps[-1])
    ada.reload()
    shows(steps[-1])
    ada.go_back()
    shows(steps[4])
    ada.go_back()
    shows(pending)
    ada.go_back()
    shows(steps[3])
    ada.go_back()
    shows(steps[2])
    ada.reload()
    shows(steps[2])
    ada.go_back()
    shows(steps[1])
    # What is shown again can be used.
    person = addresses(ada)[0]
    action(ada, "revoke", person).click()
    ada.get_by_role("dialog").get_by_role("button", name="Revoke invitation").click()
    expect(ada.locator("#org-invitations-status")).to_contain_text(f"{person} revoked")
    assert focused(ada) != "BODY"
    ada.go_forward()
    shows(steps[2])


def back_from_an_outcome(ada: Page, site: Site) -> None:
    """After many were revoked, Back is the list without them, Forward what became of them."""
    names = addresses(ada)[:2]
    test_selection.choose(ada, 2)
    ada.click("#org-invitations-selected-revoke")
    ada.get_by_role("button", name="Revoke 2 invitations").click()
    outcome = ada.locator("#org-invitations-outcome-title")
    expect(outcome).to_contain_text("2 revoked")
    ada.go_back()
    expect(ada.locator(f"{LIST} tbody tr").first).to_be_visible()
    ada.reload()
    assert not set(names) & set(addresses(ada))
    ada.go_forward()
    expect(outcome).to_contain_text("2 revoked")
    ada.get_by_role("link", name="All invitations").click()
    expect(ada.locator(f"{LIST} tbody tr")).to_have_count(10)
    action(ada, "resend").click()
    expect(ada.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()


def no_connection(ada: Page, site: Site) -> None:
    """Offline nothing is lost, each place says so, and what is pressed again works."""
    rows = addresses(ada)
    ada.context.set_offline(True)
    test_page.invite(ada, "new@example.com")
    alert = ada.locator("#org-invitations-alert")
    expect(alert).to_contain_text("could not be reached")
    expect(ada.locator(test_page.EMAIL)).to_have_value("new@example.com")
    assert focused(ada) == "org-invitations-submit"
    ada.click("#org-invitations-next")
    expect(ada.locator("#org-invitations-next")).to_be_focused()
    expect(alert).to_contain_text("could not be reached")
    assert addresses(ada) == rows
    ada.context.set_offline(False)
    action(ada, "revoke", rows[0]).click()
    question = ada.get_by_role("dialog")
    expect(question).to_contain_text(f"{rows[0]} was invited as")
    ada.context.set_offline(True)
    question.get_by_role("button", name="Revoke invitation").click()
    expect(question.locator("[data-problem]")).to_contain_text("could not be reached")
    ada.context.set_offline(False)
    question.get_by_role("button", name="Revoke invitation").click()
    expect(ada.locator("#org-invitations-status")).to_contain_text(f"{rows[0]} revoked")
    ada.click("#org-invitations-submit")
    expect(ada.locator("#org-invitations-status")).to_contain_text("Invitation sent")


def a_page_that_is_not_the_apps(ada: Page, site: Site) -> None:
    """An error page of whatever stands before the site gets into no part of the page."""
    rows = addresses(ada)
    alert = ada.locator("#org-invitations-alert")
    for status_code in (503, 404):
        broken = re.compile(r"\?page=2$")
        ada.route(broken, lambda route: route.fulfill(status=status_code, body="<h1>nginx</h1>"))  # noqa: B023
        with ada.expect_response(broken) as answer:
            ada.click("#org-invitations-next")
        assert answer.value.status == status_code
        expect(ada.locator("[aria-busy]")).to_have_count(0)
        expect(alert).not_to_be_empty()
        assert addresses(ada) == rows
        expect(ada.locator("body")).not_to_contain_text("nginx")
        ada.unroute(broken)
    ada.click("#org-invitations-next")
    expect(ada.locator("#org-invitations-page-2")).to_have_attribute("aria-current", "page")
    expect(alert).to_be_empty()


def an_hour(page: Page, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token expires between any two presses, and nobody notices."""
    monkeypatch.setattr(ClerkSessionMiddleware, "get_time", lambda self: site.clerk.clock.now())

    def a_minute_passes() -> None:
        site.clerk.clock.advance(66)
        page.context.clear_cookies(name="__clerk_redirect_count")

    sign_in_at_clerk(page, site)
    a_minute_passes()
    page.click("#org-invitations-next")
    expect(page.locator("#org-invitations-page-2")).to_have_attribute("aria-current", "page")
    a_minute_passes()
    page.fill("#org-invitations-search", "lumen")
    expect(page.locator(".org-invitations-found")).to_be_visible()
    a_minute_passes()
    page.go_back()
    expect(page.locator("#org-invitations-page-2")).to_have_attribute("aria-current", "page")
    person = addresses(page)[0]
    a_minute_passes()
    action(page, "revoke", person).click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text(f"{person} was invited as")
    a_minute_passes()
    question.get_by_role("button", name="Revoke invitation").click()
    expect(page.locator("#org-invitations-status")).to_contain_text(f"{person} revoked")
    a_minute_passes()
    test_page.invite(page, "new@example.com")
    expect(page.locator("#org-invitations-status")).to_contain_text("Invitation sent")
    assert len([c for c in site.clerk.requests if c.path.endswith("/invitations/bulk")]) <= 1


#: Each with what it is given besides fixtures.
JOURNEYS: Final[dict[str, tuple[Callable[..., None], dict[str, Any]]]] = {
    "invite one": (test_page.test_inviting_clears_the_form_shows_the_row_and_says_so, {}),
    "a slow line": (test_page.test_the_form_is_disabled_while_it_sends, {}),
    "a slow list": (
        test_page.test_rows_stay_while_the_next_page_loads_and_the_page_says_so,
        {},
    ),
    "refused": (
        test_page.test_an_invalid_form_keeps_what_was_typed_and_takes_the_focus_to_the_reason,
        {},
    ),
    "refused by Clerk": (
        test_page.test_a_refusal_of_clerks_is_shown_and_can_be_mended,
        {},
    ),
    "check as one types": (
        test_inviting.test_the_check_comes_as_one_types_and_touches_neither_text_nor_focus,
        {},
    ),
    "check gives way": (
        test_inviting.test_one_that_is_sent_while_the_check_is_under_way_is_sent_once_and_the_form_is_clean,
        {},
    ),
    "invite many": (test_inviting.test_many_are_never_sent_unread, {}),
    "file": (
        test_inviting.test_a_file_is_put_into_the_text_and_the_field_for_it_is_empty_again,
        {},
    ),
    "suggestion": (
        test_reading.test_a_suggestion_is_one_press_and_the_focus_is_not_lost,
        {},
    ),
    "resend": (test_resend.test_an_invitation_is_sent_again_by_mouse, {}),
    "resend by keyboard": (test_resend.test_it_is_sent_again_by_keyboard_alone, {}),
    "resend refused": (
        test_resend.test_what_is_refused_is_told_in_the_dialog_and_kept,
        {},
    ),
    "half done": (
        test_resend.test_what_stopped_half_way_is_finished_from_the_list,
        {"way": "keyboard"},
    ),
    "revoke": (test_page.test_after_revoking_the_focus_is_on_the_next_row, {}),
    "revoke the last": (
        test_page.test_revoking_the_last_row_of_all_leads_to_the_empty_list,
        {},
    ),
    "cancel": (test_page.test_cancel_closes_the_dialog_and_gives_the_focus_back, {}),
    "menu": (
        test_shape.test_what_is_done_often_is_one_press_and_the_rest_is_in_a_menu,
        {"width": 320},
    ),
    "change": (
        test_resend.test_the_role_is_changed_and_a_role_of_weight_asks_for_a_tick,
        {},
    ),
    "copy link": (test_resend.test_the_link_is_copied_and_lets_the_person_in, {}),
    "bulk": (test_selection.test_many_are_revoked_after_one_question_with_one_answer, {}),
    "progress": (
        test_selection.test_who_comes_while_it_is_being_worked_on_is_shown_the_end_of_it,
        {},
    ),
    "pages": (test_page.test_pages_can_be_turned_bookmarked_and_gone_back, {}),
    "list and history": (list_and_history, {}),
    "back from an outcome": (back_from_an_outcome, {}),
    "the form's address": (
        test_shape.test_the_form_opens_above_the_list_and_keeps_what_is_typed,
        {"script": True},
    ),
    "outage": (
        test_page.test_an_outage_keeps_the_rows_and_what_was_typed,
        {"what": "outage"},
    ),
    "no connection": (no_connection, {}),
    "another's error page": (a_page_that_is_not_the_apps, {}),
    "rights lost": (
        test_page.test_rights_that_were_lost_meanwhile_are_told_and_nothing_is_lost,
        {},
    ),
    "switched": (
        test_page.test_who_has_switched_in_another_tab_invites_into_no_wrong_organization,
        {"javascript": True},
    ),
    "an hour": (an_hour, {}),
    "workers": (
        test_progress.test_it_moves_by_itself_while_a_worker_works_and_becomes_the_outcome,
        {},
    ),
    "steering": (test_progress.test_by_keyboard_it_is_paused_gone_on_with_and_cancelled, {}),
    "check after a minute": (
        test_inviting.test_a_session_that_ended_is_renewed_for_the_check_without_a_word,
        {},
    ),
}


@pytest.mark.sampled("Journeys × htmx")
@pytest.mark.parametrize("htmx_way", WAYS, ids=str, indirect=True)
@pytest.mark.parametrize("name", JOURNEYS)
def test_the_journey(
    request: pytest.FixtureRequest,
    new_context: Callable[..., BrowserContext],
    site: Site,
    name: str,
) -> None:
    journey, given = JOURNEYS[name]
    wanted = [one for one in inspect.signature(journey).parameters if one not in given]
    fixtures = {one: request.getfixturevalue(one) for one in wanted}
    if journey.__module__ == test_inviting.__name__:
        open_form(fixtures["ada"])
    journey(**fixtures, **given)
