"""Parts of the page in pages of a site's own, as people use them: tests/embed is such a site."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import set_urlconf
from playwright.sync_api import BrowserContext, Page, expect

from org_invitations.middleware import ClerkSessionMiddleware

from . import ways
from .beside import FRAMEWORKS, put
from .conftest import (
    Site,
    action,
    addresses,
    assert_accessible,
    focused,
    shot,
    sign_in,
    sign_in_at_clerk,
    status,
    watch,
    write,
)

LIST = "#org-invitations-list"
EMAIL = "textarea[name=email_addresses]"
DIALOG = "dialog.org-invitations-dialog"


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.embed.urls"
    settings.STATICFILES_DIRS = [("htmx", str(ways.HERE))]
    set_urlconf(None)


def open_page(page: Page, site: Site, name: str, *, around: str = "harbour") -> str:
    """Open one of the site's pages, signed in; return its URL."""
    sign_in(page, site)
    url = f"{site.url}/{around}/{name}/"
    page.goto(url)
    return url


def invite(page: Page, address: str) -> None:
    write(page, address)
    page.click("#org-invitations-submit")


def revoke(page: Page, person: str) -> None:
    action(page, "revoke", person).click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text(f"{person} was invited as")
    question.get_by_role("button", name="Revoke invitation").click()
    expect(page.locator(DIALOG)).to_be_hidden()


@pytest.mark.parametrize("around", ["harbour", "in-4"])
@pytest.mark.parametrize("name", ["page", "htmx"])
def test_the_whole_page_works_and_the_address_stays(
    page: Page, site: Site, name: str, around: str
) -> None:
    url = open_page(page, site, name, around=around)
    expect(page.locator(f"{LIST} tbody th").first).to_be_visible()  # by htmx it comes later
    expect(page.locator(EMAIL)).to_be_hidden()
    page.evaluate("window.isStillHere = true")
    invite(page, "new@example.com")
    expect(page.locator(f"{LIST} tbody th").first).to_have_text("new@example.com")
    assert status(page) == "Invitation sent to new@example.com as Member."
    for press in ("#org-invitations-tab-expired", "#org-invitations-tab-pending"):
        page.click(press)
        expect(page.locator(press)).to_have_attribute("aria-current", "page")
    page.click("#org-invitations-next")
    expect(page.locator("#org-invitations-page-2")).to_have_attribute("aria-current", "page")
    person = addresses(page)[0]
    revoke(page, person)
    expect(page.locator("#org-invitations-status")).to_contain_text(f"{person} revoked")
    assert focused(page).startswith("More")
    page.fill("#org-invitations-search", "lumen")
    expect(page.locator(".org-invitations-found")).to_be_visible()
    assert page.url == url
    assert page.evaluate("window.isStillHere && history.length") <= 4
    assert [cookie["name"] for cookie in page.context.cookies() if cookie["name"] == "csrftoken"]
    shot(page, f"embed-{name}")
    assert_accessible(page)


@pytest.mark.parametrize("around", ["harbour", "in-4"])
@pytest.mark.parametrize("name", ["several", "htmx-several"])
def test_several_parts_follow_each_other(page: Page, site: Site, name: str, around: str) -> None:
    url = open_page(page, site, name, around=around)
    count = page.locator(".org-invitations-pending-count")
    expect(count).to_have_text("34 pending")
    invite(page, "new@example.com")
    expect(page.locator(f"{LIST} tbody th").first).to_have_text("new@example.com")
    expect(count).to_have_text("35 pending")
    assert status(page) == "Invitation sent to new@example.com as Member."
    revoke(page, "new@example.com")
    expect(page.locator("#org-invitations-status")).to_contain_text("new@example.com revoked")
    expect(count).to_have_text("34 pending")
    expect(page.locator(f"{LIST} tbody th").first).not_to_have_text("new@example.com")
    expect(page.locator("[aria-busy]")).to_have_count(0)
    assert page.url == url
    if name == "htmx-several":
        expect(page.get_by_label("New role")).to_have_value("org:billing")
    shot(page, f"embed-{name}")
    assert_accessible(page)


@pytest.mark.parametrize(
    "around", ["inheriting", "inheriting-nothing", "inheriting-in-4", "inheriting-all-in-4"]
)
def test_nothing_is_inherited_that_is_not_the_apps(page: Page, site: Site, around: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.url} {request.post_data or ''}"))
    sign_in(page, site)
    url = f"{site.url}/{around}/several/"
    page.goto(url)
    invite(page, "new@example.com")
    expect(page.locator(f"{LIST} tbody th").first).to_have_text("new@example.com")
    expect(page.locator(".org-invitations-pending-count")).to_have_text("35 pending")
    [*_, row] = site.clerk.invitations("acme", "pending")
    assert (row.email_address, row.role) == ("new@example.com", "org:member")
    page.click("#org-invitations-next")
    expect(page.locator("#org-invitations-page-2")).to_have_attribute("aria-current", "page")
    page.click("#org-invitations-sort-address")
    expect(page.locator("#org-invitations-page-2")).not_to_have_attribute("aria-current", "page")
    revoke(page, addresses(page)[0])
    expect(page.locator(".org-invitations-pending-count")).to_have_text("34 pending")
    page.click("#org-invitations-tab-expired")
    expect(page.locator("#org-invitations-tab-expired")).to_have_attribute("aria-current", "page")
    assert page.url == url
    mine = [one for one in asked if "/embed/pending-count/" not in one]
    assert not [one for one in mine if "unset" in one or "status=revoked" in one]


def test_a_list_of_another_organization_than_the_forms_has_its_questions(
    page: Page, site: Site
) -> None:
    sign_in(page, site, "bo@both.test")
    page.goto(f"{site.url}/harbour/two/")
    person = addresses(page)[0]
    revoke(page, person)
    expect(page.locator("#org-invitations-status")).to_contain_text(f"{person} revoked")
    invite(page, "new@example.com")
    expect(page.locator("#org-invitations-status")).to_contain_text("Invitation sent")
    [*_, row] = site.clerk.invitations("globex", "pending")
    assert row.email_address == "new@example.com"


def test_the_dialog_is_there_where_the_part_that_brings_it_is_not(page: Page, site: Site) -> None:
    sign_in(page, site)
    cache.clear()
    site.clerk.fault("GET", "*/memberships", status=400)
    page.goto(f"{site.url}/harbour/parts/")
    expect(page.locator(EMAIL)).to_have_count(0)
    person = addresses(page)[0]
    revoke(page, person)
    expect(page.locator("#org-invitations-status")).to_contain_text(f"{person} revoked")
    shot(page, "embed-first-part-fails")


@pytest.mark.parametrize("name", ["list", "form", "roles"])
def test_one_part_alone(page: Page, site: Site, name: str) -> None:
    url = open_page(page, site, name)
    if name == "form":
        invite(page, "new@example.com")
        expect(page.locator("#org-invitations-status")).to_contain_text("Invitation sent")
        invite(page, "nobody")
        expect(page.locator("#org-invitations-summary")).to_be_focused()
    elif name == "list":
        person = addresses(page)[3]
        revoke(page, person)
        expect(page.locator("#org-invitations-status")).to_contain_text(f"{person} revoked")
    else:
        expect(page.get_by_label("New role")).to_have_value("org:billing")
    assert page.url == url
    shot(page, f"embed-{name}")
    assert_accessible(page)


@pytest.mark.parametrize("width", [320, 1280])
def test_it_fits_into_a_page_that_is_made_with_a_framework(
    new_context: Callable[..., BrowserContext], site: Site, width: int, subtests: pytest.Subtests
) -> None:
    page = new_context(viewport={"width": width, "height": 900}).new_page()
    open_page(page, site, "columns")
    for name, text in FRAMEWORKS.items():
        with subtests.test(name):
            put(page, text, "before")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            shot(page, f"embed-in-{name}-{width}")
            assert_accessible(page)


def test_the_list_of_an_outage_does_not_take_the_page_with_it(page: Page, site: Site) -> None:
    site.clerk.fault("GET", "*/memberships", times=None, status=500)
    open_page(page, site, "several")
    expect(page.get_by_role("heading", name="Harbour")).to_be_visible()
    expect(page.locator(".org-invitations").first).to_contain_text("Clerk")
    shot(page, "embed-outage")


def test_without_javascript_it_comes_back_to_the_page(
    new_context: Callable[..., BrowserContext], site: Site
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    url = open_page(page, site, "page")
    write(page, "nobody")
    page.click("#org-invitations-submit")
    expect(page.locator("#org-invitations-summary")).to_be_visible()
    write(page, "new@example.com")
    page.click("#org-invitations-submit")
    page.wait_for_url(url)
    assert status(page) == "Invitation sent to new@example.com as Member."
    person = addresses(page)[0]
    action(page, "revoke").click()
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url(url)
    action(page, "revoke").click()
    page.get_by_role("button", name="Revoke invitation").click()
    page.wait_for_url(url)
    assert f"{person} revoked" in status(page)
    shot(page, "embed-without-javascript")


@pytest.mark.parametrize("javascript", [True, False])
def test_an_expired_minute_is_renewed_and_the_parts_come(
    new_context: Callable[..., BrowserContext],
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    javascript: bool,
) -> None:
    monkeypatch.setattr(ClerkSessionMiddleware, "get_time", lambda self: site.clerk.clock.now())
    page = new_context(java_script_enabled=javascript).new_page()
    complaints = watch(page)
    sign_in_at_clerk(page, site)
    for name in ("page", "several"):
        site.clerk.clock.advance(66)
        page.context.clear_cookies(name="__clerk_redirect_count")
        page.goto(f"{site.url}/harbour/{name}/")
        if not javascript:
            shot(page, f"embed-expired-{name}")
            frame = page.frame_locator("iframe").first
            expect(frame.locator("body")).to_contain_text("signed in again")
            page.get_by_role("link", name="Try again").first.click()
        expect(page.locator(EMAIL)).to_have_count(1)
        expect(page.locator(f"{LIST} tbody tr").first).to_be_visible()
        if name == "several":
            expect(page.locator(".org-invitations-pending-count")).to_have_text("34 pending")
    assert complaints == []
