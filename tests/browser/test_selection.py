"""Doing something with many invitations, as people do it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

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
    ada.click("text=Revoke the selected")
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
    ada.click("text=Revoke the selected")
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


def test_who_takes_all_of_them_cannot_leave_one_out_by_mistake(ada: Page) -> None:
    choose(ada, 1)
    ada.get_by_label("All 34 on all pages").check()
    expect(ada.locator("input[name=selected]").first).to_be_hidden()
    ada.get_by_label("All 34 on all pages").uncheck()
    expect(ada.locator("input[name=selected]").first).to_be_visible()


def test_what_can_be_done_with_many_is_offered_once_one_is_chosen(ada: Page) -> None:
    revoke = ada.get_by_role("button", name="Revoke the selected")
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
    page.click("text=Resend the selected")
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
