"""Doing something with many invitations, as people do it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from org_invitations.models import Batch, BatchItem

from .conftest import Site, assert_accessible, focused, shot, sign_in

LONG = "maximiliane.von-und-zu-hohenstein-wolkersdorf@departement-of-long-names.example"


def choose(page: Page, count: int) -> None:
    boxes = page.locator("input[name=selected]")
    for number in range(count):
        boxes.nth(number).check()


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_many_are_revoked_after_one_question_with_one_answer(ada: Page, site: Site) -> None:
    choose(ada, 3)
    names = ada.locator("tbody th").all_inner_texts()[:3]
    ada.get_by_role("button", name="Revoke 3…").click()
    dialog = ada.locator("dialog[open]")
    expect(dialog).to_be_visible()
    assert focused(ada) == "Cancel"
    for name in names:
        expect(dialog).to_contain_text(name)
    shot(ada, "selection-question")
    assert_accessible(ada)
    ada.get_by_role("button", name="Revoke 3 invitations").click()
    heading = ada.locator("#org-invitations-outcome-title")
    expect(heading).to_have_text("3 revoked")
    expect(heading).to_be_focused()
    expect(ada).to_have_title("3 revoked – Acme")
    shot(ada, "outcome-revoked")
    assert_accessible(ada)
    ada.reload()
    expect(heading).to_have_text("3 revoked")


def test_going_back_to_the_list_leaves_all_as_it_was(ada: Page, site: Site) -> None:
    choose(ada, 2)
    ada.get_by_role("button", name="Revoke 2…").click()
    expect(ada.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    ada.keyboard.press("Enter")
    expect(ada.locator("dialog[open]")).to_have_count(0)
    assert len(site.clerk.invitations("acme", "pending")) == 34


def test_what_can_be_done_is_in_sight_while_something_is_selected(ada: Page, site: Site) -> None:
    ada.goto(f"{site.invitations}?size=50")
    revoke = ada.locator("#org-invitations-selected-revoke")
    ada.locator("input[name=selected]").nth(1).focus()
    expect(revoke).not_to_be_in_viewport()
    choose(ada, 2)
    expect(revoke).to_be_in_viewport()
    expect(ada.locator("#org-invitations-selected")).to_be_in_viewport()
    shot(ada, "selection-bar")
    # What has the focus is not under the bar.
    ada.locator("input[name=selected]").nth(20).focus()
    for _ in range(12):
        ada.keyboard.press("Tab")
        assert ada.evaluate(
            """(() => { const focused = document.activeElement.getBoundingClientRect();
               const bar = document.querySelector(".org-invitations-selection");
               return focused.bottom <= bar.getBoundingClientRect().top; })()"""
        )


def test_who_takes_all_of_them_sees_the_ticks_and_has_fewer_once_one_is_left_out(
    ada: Page,
) -> None:
    choose(ada, 1)
    everybody = ada.get_by_label("All 34 on all pages")
    everybody.check()
    boxes = ada.locator("input[name=selected]")
    assert all(box.is_checked() and box.is_visible() for box in boxes.all())
    expect(ada.get_by_role("button", name="Revoke 34…")).to_be_visible()
    expect(ada.get_by_role("button", name="Resend 34…")).to_be_visible()
    shot(ada, "selection-all")
    boxes.nth(3).uncheck()
    expect(everybody).not_to_be_checked()
    expect(ada.get_by_role("button", name="Revoke 9…")).to_be_visible()


def test_ticks_survive_turning_the_page_and_lead_back_to_the_same_list(
    ada: Page, site: Site
) -> None:
    ada.goto(f"{site.invitations}?sort=address")
    choose(ada, 2)
    ada.click("#org-invitations-next")
    ada.wait_for_url("**/?sort=address&page=2")
    revoke = ada.get_by_role("button", name="Revoke 2…")
    expect(revoke).to_be_visible()
    choose(ada, 1)
    ada.click("#org-invitations-previous")
    ada.wait_for_url("**/?sort=address")
    expect(ada.locator("input[name=selected]:checked")).to_have_count(2)
    expect(ada.locator("#org-invitations-selected")).to_have_text("3 selected")
    ada.click("#org-invitations-next")
    ada.wait_for_url("**/?sort=address&page=2")
    shot(ada, "selection-pages")
    assert_accessible(ada)
    ada.get_by_role("button", name="Revoke 3…").click()
    ada.get_by_role("button", name="Revoke 3 invitations").click()
    expect(ada.locator("h1")).to_have_text("3 revoked")
    ada.get_by_role("link", name="All invitations").click()
    ada.wait_for_url("**/?sort=address&page=2")
    # Another list is another choice.
    choose(ada, 1)
    ada.click("#org-invitations-tab-revoked")
    expect(ada.locator(".org-invitations-selection")).to_be_hidden()


def test_the_selection_is_cleared_by_one_press(ada: Page) -> None:
    choose(ada, 2)
    ada.get_by_role("button", name="Clear the selection").click()
    expect(ada.locator("input[name=selected]:checked")).to_have_count(0)
    expect(ada.locator(".org-invitations-selection")).to_be_hidden()
    assert ada.evaluate("document.activeElement.matches('[data-selected]')")


@pytest.mark.parametrize("javascript", [True, False], ids=["with", "without"])
def test_many_get_another_role_and_period_and_are_invited_again(
    new_context: Callable[..., BrowserContext], site: Site, javascript: bool
) -> None:
    page = new_context(java_script_enabled=javascript).new_page()
    sign_in(page, site)
    names = page.locator("tbody th").all_inner_texts()[:2]
    choose(page, 2)
    page.locator("#org-invitations-selected-resend").click()
    question = page.locator("dialog[open]" if javascript else "main")
    tick = question.get_by_label("They will manage members, and that is what I mean")
    expect(tick).to_be_hidden()
    question.get_by_label("Role", exact=True).select_option("org:admin")
    expect(tick).to_be_visible()
    question.get_by_label("Role", exact=True).select_option("org:billing")
    expect(tick).to_be_hidden()
    question.get_by_label("Valid for").select_option("7")
    shot(page, f"selection-change-{javascript}")
    question.get_by_role("button", name="Send 2 invitations").click()
    expect(page.locator("h1")).to_have_text("2 sent")
    pending = site.clerk.invitations("acme", "pending")
    made = {row.email_address: row for row in pending if row.email_address in names}
    assert {row.role for row in made.values()} == {"org:billing"}
    periods = {((row.expires_at or 0) - row.created_at) / 86_400_000 for row in made.values()}
    assert {round(period) for period in periods} == {7}
    # And back: revoked together, invited again together.
    page.get_by_role("link", name="All invitations").click()
    choose(page, 2)
    page.locator("#org-invitations-selected-revoke").click()
    page.get_by_role("button", name="Revoke 2 invitations").click()
    expect(page.locator("h1")).to_have_text("2 revoked")
    page.get_by_role("button", name="Invite all 2 again").click()
    page.get_by_role("button", name="Invite 2 people").click()
    expect(page.locator("h1")).to_have_text("2 sent")


def test_what_can_be_done_with_many_is_offered_once_one_is_chosen(ada: Page) -> None:
    revoke = ada.locator("#org-invitations-selected-revoke")
    expect(revoke).to_be_hidden()
    choose(ada, 1)
    expect(revoke).to_be_visible()
    ada.locator("input[name=selected]").first.uncheck()
    expect(revoke).to_be_hidden()


def test_it_works_by_keyboard_without_scripts(
    new_context: Callable[..., BrowserContext], site: Site
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    sign_in(page, site)
    choose(page, 2)
    page.click("text=Resend the selected…")
    expect(page.locator("h1")).to_have_text("Send 2 new invitations?")
    page.click("text=Send 2 invitations")
    expect(page.locator("h1")).to_have_text("2 sent")


def _outcome(site: Site, action: str = "invite", **more: object) -> str:
    batch = Batch.objects.create(
        organization_id=site.clerk.organization("acme").id,
        user_id=site.clerk.user("ada@acme.test").id,
        action=action,
        **more,
    )
    items: list[dict[str, Any]] = [
        {"state": "refused", "reason": "member", "params": {"role": "Admin"}},
        {"state": "failed", "reason": "ServiceUnavailable", "email_address": LONG},
        {"state": "refused", "reason": "not-an-address", "text": "ana at x.org", "line": 7},
        {"state": "waiting", "reason": "RateLimited"},
        {"state": "done", "role_name": "Member"},
    ]
    for number, item in enumerate(items):
        address = "" if "text" in item else f"person{number}@example.com"
        BatchItem.objects.create(
            batch=batch, number=number, **{"email_address": address, "line": number, **item}
        )
    return f"{site.invitations}outcomes/{batch.id}/"


def test_the_outcome_fits_a_small_screen_in_light_and_dark(
    new_context: Callable[..., BrowserContext], site: Site
) -> None:
    for scheme in ("light", "dark"):
        for width in (320, 1280):
            page = new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme
            ).new_page()
            sign_in(page, site)
            for action in ("invite", "revoke"):
                page.goto(_outcome(site, action))
                shot(page, f"outcome-{action}-{width}-{scheme}")
                assert fits(page)
                assert_accessible(page)


def test_who_comes_while_it_is_being_worked_on_is_shown_the_end_of_it(
    ada: Page, site: Site
) -> None:
    url = _outcome(site)
    soon = timezone.now() + timedelta(minutes=2)
    BatchItem.objects.update(leased_by="me", leased_until=soon)
    ada.goto(url)
    expect(ada.locator("h1")).to_have_text("At work…")
    shot(ada, "outcome-at-work")
    assert_accessible(ada)
    BatchItem.objects.update(leased_by="")
    expect(ada.locator("h1")).to_contain_text("1 sent")
