"""What a job costs: clicks, counted by the page itself, and keys of who uses the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .conftest import Site, action, menu

EMAIL = "textarea[name=email_addresses]"
SEND = "#org-invitations-submit"
STATUS = "#org-invitations-status"
OUTCOME = "#org-invitations-outcome-title"


def invite_one(page: Page) -> None:
    page.click("#org-invitations-invite")
    page.locator(EMAIL).fill("new@example.com")
    page.click(SEND)
    expect(page.locator(STATUS)).to_contain_text("Invitation sent")


def invite_many(page: Page) -> None:
    page.click("#org-invitations-invite")
    page.locator(EMAIL).fill("a@example.com b@example.com")
    expect(page.locator(SEND)).to_have_text("Send 2 invitations")
    page.click(SEND)
    expect(page.locator(OUTCOME)).to_have_text("2 sent")


def put_right(page: Page) -> None:
    page.click("#org-invitations-invite")
    page.locator(EMAIL).fill("a@gmial.com, b at example.com, c@newco,example")
    page.get_by_role("button", name="Use all 3 suggestions").click()
    expect(page.locator(SEND)).to_have_text("Send 3 invitations")
    page.click(SEND)
    expect(page.locator(OUTCOME)).to_have_text("3 sent")


def resend(page: Page) -> None:
    action(page, "resend").click()
    page.get_by_role("button", name="Send new invitation").click()
    expect(page.locator(STATUS)).to_contain_text("New invitation sent")


def copy_link(page: Page) -> None:
    action(page, "link").click()
    expect(page.locator(STATUS)).to_contain_text("Copied")


def revoke(page: Page) -> None:
    menu(page).click()
    page.locator("#org-invitations-list a[href*='/revoke/']:visible").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke invitation").click()
    expect(page.locator(STATUS)).to_contain_text("revoked")


def revoke_all(page: Page) -> None:
    page.locator("[data-selected]").click()
    page.get_by_label("All 34 on all pages").click()
    page.get_by_role("button", name="Revoke 34…").click()
    page.get_by_role("button", name="Revoke 34 invitations").click()
    expect(page.locator(OUTCOME)).to_have_text("34 revoked")


#: The job, and the clicks that it takes; what is typed is not counted.
CLICKS: list[tuple[Callable[[Page], None], int]] = [
    (invite_one, 2),
    (invite_many, 2),
    (put_right, 3),
    (resend, 2),
    (copy_link, 1),
    (revoke, 3),
    (revoke_all, 4),
]


@pytest.mark.parametrize(
    ("job", "clicks"), CLICKS, ids=[job.__name__.replace("_", " ") for job, _ in CLICKS]
)
def test_a_job_takes_so_many_clicks(
    ada: Page, site: Site, job: Callable[[Page], None], clicks: int
) -> None:
    site.clerk.configure(rate_limits=False)
    ada.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url)
    counted: list[None] = []
    ada.expose_function("count", lambda: counted.append(None))
    # What a script clicks is not trusted, and what a label passes on is no click of anybody's.
    ada.evaluate(
        "addEventListener('click', e => e.isTrusted && e.detail && count(), {capture: true})"
    )
    job(ada)
    assert len(counted) == clicks


def keys(page: Page, *pressed: str) -> int:
    for key in pressed:
        page.keyboard.press(key)
    return len(pressed)


def test_the_same_by_keyboard_from_where_one_is(ada: Page) -> None:
    """From the button that begins it; to get there is the page's order, held elsewhere."""
    ada.focus("#org-invitations-invite")
    cost = keys(ada, "Enter")
    ada.keyboard.insert_text("new@example.com")
    cost += keys(ada, "Control+Enter")
    expect(ada.locator(STATUS)).to_contain_text("Invitation sent")
    assert cost == 2
    action(ada, "resend").focus()
    cost = keys(ada, "Enter")
    expect(ada.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    cost += keys(ada, "Tab", "Enter")
    expect(ada.locator(STATUS)).to_contain_text("New invitation sent")
    assert cost == 3
    menu(ada).focus()
    cost = keys(ada, "Enter", "Tab", "Tab", "Enter")
    expect(ada.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    cost += keys(ada, "Tab", "Enter")
    expect(ada.locator(STATUS)).to_contain_text("revoked")
    assert cost == 6
