"""The page as people use it: with a keyboard, a screen reader, a small screen, a slow line."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Page, Response, expect

from tests.gates import gate

from .conftest import (
    Site,
    action,
    addresses,
    assert_accessible,
    focused,
    menu,
    open_form,
    shot,
    sign_in,
    sign_in_at_clerk,
    status,
    watch,
    write,
)

FORM = "#org-invitations-form"
LIST = "#org-invitations-list"
EMAIL = "textarea[name=email_addresses]"


def invite(page: Page, address: str) -> None:
    write(page, address)
    page.click("#org-invitations-submit")


def test_inviting_clears_the_form_shows_the_row_and_says_so(ada: Page, site: Site) -> None:
    invite(ada, "new@example.com")
    expect(ada.locator(f"{LIST} tbody th").first).to_have_text("new@example.com")
    expect(ada.locator(EMAIL)).to_have_value("")
    expect(ada.locator(EMAIL)).to_be_focused()
    assert status(ada) == "Invitation sent to new@example.com as Member."
    assert ada.url == f"{site.invitations}invite/"  # where the form is open still
    shot(ada, "invited")
    assert_accessible(ada)


def test_an_invalid_form_keeps_what_was_typed_and_takes_the_focus_to_the_reason(
    ada: Page,
) -> None:
    open_form(ada)
    ada.select_option("#org-invitations-form select[name=role]", "org:billing")
    invite(ada, "nobody")
    expect(ada.locator("#org-invitations-summary")).to_be_focused()
    expect(ada.locator(EMAIL)).to_have_value("nobody")
    expect(ada.locator("#org-invitations-form select[name=role]")).to_have_value("org:billing")
    shot(ada, "invalid")
    assert_accessible(ada)
    ada.click("#org-invitations-summary a")
    expect(ada.locator(EMAIL)).to_be_focused()


TICK = "input[name=confirm_elevated]"


@pytest.mark.parametrize(
    ("scheme", "width", "script"),
    # Each with each other once.
    [("light", 320, True), ("dark", 1280, True), ("dark", 320, False), ("light", 1280, False)],
)
def test_who_may_manage_members_is_not_made_by_a_slip(
    new_context: Callable[..., BrowserContext], site: Site, scheme: str, width: int, script: bool
) -> None:
    context = new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=script
    )
    page = context.new_page()
    sign_in(page, site)
    name = f"{scheme}-{width}-{'htmx' if script else 'plain'}"
    open_form(page)
    shot(page, f"tick-before-{name}")
    tick = page.get_by_label("I mean to give a role that may manage members")
    expect(tick).to_be_hidden()  # nobody is asked about roles that need no second thought
    page.select_option("#org-invitations-form select[name=role]", "org:admin")
    expect(tick).to_be_visible()
    expect(tick).not_to_be_checked()
    expect(page.locator(FORM)).to_contain_text("Needed for: Admin, People manager")
    invite(page, "boss@example.com")
    summary = page.locator("#org-invitations-summary")
    expect(summary).to_contain_text("The role Admin may manage members")
    expect(page.locator(EMAIL)).to_have_value("boss@example.com")
    expect(page.locator("#org-invitations-form select[name=role]")).to_have_value("org:admin")
    expect(page.locator(TICK)).to_have_attribute("aria-invalid", "true")
    described = str(page.get_attribute(TICK, "aria-describedby")).split()
    said = " ".join(page.locator(f"#{part}").inner_text() for part in described)
    assert "Needed for: Admin, People manager" in said
    assert "The role Admin may manage members" in said
    shot(page, f"tick-{name}")
    if script:
        expect(summary).to_be_focused()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert_accessible(page)
    assert not any(call.method == "POST" for call in site.clerk.requests)

    page.click("#org-invitations-summary a")
    page.check(TICK)
    invite(page, "nobody")  # another mistake: the tick stays
    expect(summary).to_contain_text("“nobody” is not an email address")
    expect(page.locator(TICK)).to_be_checked()
    invite(page, "boss@example.com")
    expect(page.locator("#org-invitations-status")).to_contain_text("as Admin")
    expect(page.locator(TICK)).not_to_be_checked()  # the next person is another decision
    [row] = [r for r in site.clerk.invitations("acme") if r.email_address == "boss@example.com"]
    assert row.role == "org:admin"


def test_who_can_give_no_role_is_told(page: Page, site: Site) -> None:
    may = ["org:sys_memberships:manage"]
    site.clerk.configure(
        memberships=[{"organization": "acme", "user": "mia@acme.test", "permissions": may}]
    )
    sign_in(page, site, "mia@acme.test")
    open_form(page)
    expect(page.locator("#org-invitations-form select[name=role]")).to_be_disabled()
    expect(page.locator(FORM)).to_contain_text("Ask an administrator of the organization.")
    expect(page.locator(TICK)).to_have_count(0)
    shot(page, "no-role")
    assert_accessible(page)
    invite(page, "new@example.com")
    expect(page.locator("#org-invitations-summary")).to_contain_text("no more than you may")
    assert not any(call.method == "POST" for call in site.clerk.requests)


def test_a_refusal_of_clerks_is_shown_and_can_be_mended(ada: Page) -> None:
    invite(ada, "max@acme.test")
    expect(ada.locator("#org-invitations-summary")).to_contain_text("already a member of Acme")
    invite(ada, "new@example.com")
    expect(ada.locator("#org-invitations-status")).to_contain_text("Invitation sent")
    expect(ada.locator("#org-invitations-summary")).to_have_count(0)


def test_the_form_is_disabled_while_it_sends(ada: Page, site: Site) -> None:
    site.clerk.fault("POST", "*/invitations", delay=1)
    with gate(site.clerk):
        invite(ada, "new@example.com")
        expect(ada.locator("#org-invitations-submit")).to_be_disabled()
        expect(ada.locator(f"{FORM} form")).to_have_attribute("aria-busy", "true")
        expect(ada.locator(f"{FORM} .org-invitations-busy")).to_be_visible()
        shot(ada, "sending")
        ada.keyboard.press("Enter")  # impatience sends nothing twice
    expect(ada.locator("#org-invitations-status")).to_contain_text("Invitation sent")
    expect(ada.locator("#org-invitations-submit")).to_be_enabled()
    assert [call.method for call in site.clerk.requests].count("POST") == 1


def test_rows_stay_while_the_next_page_loads_and_the_page_says_so(ada: Page, site: Site) -> None:
    before = addresses(ada)
    site.clerk.fault("GET", "*/invitations", delay=1)
    with gate(site.clerk):
        ada.click("text=Next")
        expect(ada.locator(LIST)).to_have_attribute("aria-busy", "true")
        expect(ada.locator(f"{LIST} .org-invitations-busy")).to_be_visible()
        assert status(ada) == "Loading…"
        assert addresses(ada) == before
        shot(ada, "loading")
    expect(ada.locator(LIST)).not_to_have_attribute("aria-busy", "true")
    assert addresses(ada) != before


def test_pages_can_be_turned_bookmarked_and_gone_back(ada: Page, site: Site) -> None:
    first = addresses(ada)
    expect(ada.locator("#org-invitations-previous")).to_have_attribute("aria-disabled", "true")
    ada.click("text=Next")
    ada.wait_for_url("**/?page=2")
    # Whoever turns the page begins to read at its top.
    expect(ada.locator("#org-invitations-list-title")).to_be_focused()
    expect(ada.locator(f"{LIST} tbody tr").first).to_be_in_viewport()
    expect(ada.locator("#org-invitations-status")).to_have_text(
        "Showing 11 to 20 of 34 pending invitations."
    )
    second = addresses(ada)
    assert not set(first) & set(second)
    ada.click("text=Next")
    ada.wait_for_url("**/?page=3")
    ada.click("text=Next")
    ada.wait_for_url("**/?page=4")
    expect(ada.locator("#org-invitations-list-title")).to_be_focused()
    assert len(addresses(ada)) == 4
    ada.goto(f"{site.invitations}?page=2")
    assert addresses(ada) == second
    ada.click("text=Previous")
    ada.wait_for_url(site.invitations)  # the first page has no number
    ada.go_back()
    expect(ada.locator(f"{LIST} tbody th").first).to_have_text(second[0])


def test_revoking_asks_in_a_dialog_with_the_focus_on_cancel(ada: Page, site: Site) -> None:
    person = addresses(ada)[1]
    action(ada, "revoke", person).click()
    dialog = ada.locator("dialog")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text(f"{person} was invited as")
    assert focused(ada) == "Cancel"
    shot(ada, "question")
    assert_accessible(ada)
    ada.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(menu(ada, person)).to_be_focused()
    assert person in addresses(ada)


def test_the_question_works_on_a_page_of_its_own(ada: Page) -> None:
    link = action(ada, "revoke")
    person = addresses(ada)[0]
    ada.goto(ada.url.rstrip("/") + (link.get_attribute("href") or "").removeprefix("/invitations"))
    expect(ada.locator("dialog")).to_have_count(0)
    shot(ada, "question-page")
    assert_accessible(ada)
    ada.get_by_role("button", name="Revoke invitation").click()
    expect(ada.locator("#org-invitations-status")).to_contain_text(f"{person} revoked")


def test_cancel_closes_the_dialog_and_gives_the_focus_back(ada: Page) -> None:
    asked: list[str] = []
    ada.on("request", lambda request: asked.append(request.url))
    person = addresses(ada)[2]
    for name, word in [("revoke", "Cancel"), ("resend", "Cancel"), ("change", "Cancel")]:
        link = action(ada, name, person)
        opener = link if name == "resend" else menu(ada, person)
        link.click()
        cancel = ada.get_by_role("dialog").get_by_role("button", name=word)
        expect(cancel).to_be_focused()
        asked.clear()
        ada.keyboard.press("Enter")
        expect(ada.locator("dialog")).to_be_hidden()
        expect(opener).to_be_focused()
        assert asked == []  # it is the browser that closes it


def test_the_dialog_closes_again_however_often_it_is_opened(ada: Page) -> None:
    for person in addresses(ada)[:3]:
        link = action(ada, "resend", person)
        link.click()
        ada.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        expect(ada.locator("dialog")).to_be_hidden()
        expect(link).to_be_focused()
        link.click()
        expect(ada.get_by_role("dialog")).to_contain_text(f"{person} gets a new invitation.")
        ada.keyboard.press("Escape")
        expect(ada.locator("dialog")).to_be_hidden()
        expect(link).to_be_focused()


@pytest.mark.parametrize("how", ["Cancel", "Escape"])
def test_a_dialog_opened_from_the_status_gives_the_focus_back_to_it(ada: Page, how: str) -> None:
    person = addresses(ada)[0]
    action(ada, "revoke").click()
    ada.get_by_role("dialog").get_by_role("button", name="Revoke invitation").click()
    again = ada.locator("#org-invitations-status").get_by_role("link", name="Invite again as")
    again.focus()
    ada.keyboard.press("Enter")
    dialog = ada.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{person} gets a new invitation.")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    if how == "Escape":
        ada.keyboard.press("Escape")
    else:
        dialog.get_by_role("button", name="Cancel").click()
    expect(ada.locator("dialog")).to_be_hidden()
    expect(again).to_be_focused()
    assert status(ada).startswith(f"Invitation to {person} revoked.")


def test_a_dialog_that_could_not_be_filled_can_be_closed_as_well(ada: Page, site: Site) -> None:
    link = action(ada, "revoke")
    site.clerk.fault(None, "/v1/*", times=None, drop="before")
    link.click()
    dialog = ada.get_by_role("dialog")
    expect(dialog).to_contain_text("That did not work")
    assert_accessible(ada)
    dialog.get_by_role("button", name="Close").click()
    expect(ada.locator("dialog")).to_be_hidden()
    expect(menu(ada)).to_be_focused()


def test_after_revoking_the_focus_is_on_the_next_row(ada: Page) -> None:
    _, person, following, *_ = addresses(ada)
    action(ada, "revoke", person).click()
    ada.get_by_role("dialog").get_by_role("button", name="Revoke invitation").click()
    expect(ada.locator("#org-invitations-status")).to_contain_text(
        f"Invitation to {person} revoked. Its link no longer works."
    )
    expect(ada.locator("dialog")).to_be_hidden()
    assert person not in addresses(ada)
    expect(menu(ada, following)).to_be_focused()
    shot(ada, "revoked")


def test_revoking_the_last_row_of_all_leads_to_the_empty_list(page: Page, site: Site) -> None:
    kept, *others = site.clerk.invitations("globex", "pending")
    for row in others:
        row.state = "revoked"
    sign_in(page, site, "gus@globex.test")
    assert addresses(page) == [kept.email_address]
    action(page, "revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke invitation").click()
    expect(page.locator(LIST)).to_contain_text("No pending invitations")
    expect(page.locator("#org-invitations-list-title")).to_be_focused()
    shot(page, "empty")
    assert_accessible(page)


def test_what_was_accepted_meanwhile_is_told(ada: Page, site: Site) -> None:
    person = addresses(ada)[0]
    row = next(r for r in site.clerk.invitations("acme") if r.email_address == person)
    action(ada, "revoke").click()
    expect(ada.locator("dialog")).to_be_visible()
    row.state = "accepted"
    ada.get_by_role("dialog").get_by_role("button", name="Revoke invitation").click()
    expect(ada.locator("#org-invitations-status")).to_contain_text(
        f"{person} has accepted the invitation meanwhile"
    )
    assert person not in addresses(ada)


@pytest.mark.parametrize("what", ["outage", "limit"])
def test_an_outage_keeps_the_rows_and_what_was_typed(ada: Page, site: Site, what: str) -> None:
    rows = addresses(ada)
    if what == "outage":
        site.clerk.fault(None, "/v1/*", times=None, drop="before")
    else:
        site.clerk.configure(rate_limits={"requests": 0})
    ada.click("text=Next")
    expect(ada.locator("#org-invitations-alert")).to_contain_text("could not be loaded")
    assert addresses(ada) == rows
    invite(ada, "new@example.com")
    expect(ada.locator("#org-invitations-summary")).to_be_focused()
    expect(ada.locator(EMAIL)).to_have_value("new@example.com")
    shot(ada, f"trouble-{what}")
    assert_accessible(ada)


def test_the_address_says_what_is_shown(ada: Page, site: Site) -> None:
    ada.click("text=Next")
    ada.wait_for_url("**/?page=2")
    site.clerk.fault("GET", "*/invitations", status=503, times=3)
    ada.click("text=Next")
    expect(ada.locator("#org-invitations-alert")).to_contain_text("could not be loaded")
    assert ada.url.endswith("?page=2")
    invite(ada, "new@example.com")
    expect(ada.locator(f"{LIST} tbody th").first).to_have_text("new@example.com")
    assert ada.url == f"{site.invitations}invite/"


def test_dates_stay_the_readers_after_going_back(ada: Page) -> None:
    ada.click("text=Next")
    ada.wait_for_url("**/?page=2")
    ada.go_back()
    expect(ada.locator(f"{LIST} time").first).to_have_text(re.compile(r"^Nov \d+$"))


def test_a_site_that_is_gone_keeps_what_was_typed(ada: Page) -> None:
    ada.route("**/invite/", lambda route: route.abort())
    invite(ada, "new@example.com")
    expect(ada.locator("#org-invitations-alert")).to_contain_text("could not be reached")
    expect(ada.locator(EMAIL)).to_have_value("new@example.com")
    expect(ada.locator("#org-invitations-submit")).to_be_enabled()
    assert focused(ada) == "org-invitations-submit"


def test_rights_that_were_lost_meanwhile_are_told_and_nothing_is_lost(
    ada: Page, site: Site
) -> None:
    site.clerk.configure(
        memberships=[{"organization": "acme", "user": "ada@acme.test", "role": "org:member"}]
    )
    invite(ada, "new@example.com")
    expect(ada.locator("#org-invitations-alert")).to_contain_text("You may no longer manage")
    expect(ada.locator(EMAIL)).to_have_value("new@example.com")


@pytest.mark.parametrize("javascript", [True, False])
def test_who_has_switched_in_another_tab_invites_into_no_wrong_organization(
    new_context: Callable[..., BrowserContext], site: Site, javascript: bool
) -> None:
    page = new_context(java_script_enabled=javascript).new_page()
    sign_in_at_clerk(page, site, "bo@both.test")
    organization = page.locator(".org-invitations-organization").inner_text()
    other = "globex" if organization == "Acme" else "acme"
    write(page, "new@example.com")
    tab = page.context.new_page()
    switch = f"{site.clerk.base_url}/switch?organization={other}"
    tab.goto(f"{switch}&redirect_url={site.invitations}")
    expect(tab.locator(".org-invitations-organization")).not_to_have_text(organization)
    page.click("#org-invitations-submit")
    place = "#org-invitations-alert" if javascript else "#org-invitations-summary"
    expect(page.locator(place)).to_contain_text("You have switched to")
    expect(page.locator(EMAIL)).to_have_value("new@example.com")
    shot(page, f"switched-{javascript}")
    for name in ("acme", "globex"):
        rows = site.clerk.invitations(name)
        assert "new@example.com" not in [row.email_address for row in rows]


def test_in_debug_django_htmx_does_not_replace_the_page(ada: Page, site: Site, settings) -> None:
    settings.DEBUG = True
    ada.reload()
    site.clerk.configure(
        memberships=[{"organization": "acme", "user": "ada@acme.test", "role": "org:member"}]
    )
    invite(ada, "new@example.com")
    expect(ada.locator("#org-invitations-alert")).to_contain_text("You may no longer manage")
    expect(ada.locator(EMAIL)).to_have_value("new@example.com")


def test_the_whole_job_by_keyboard(ada: Page) -> None:
    ada.keyboard.press("Tab")
    assert focused(ada) == "org-invitations-invite"
    ada.keyboard.press("Enter")
    expect(ada.locator(EMAIL)).to_be_focused()
    ada.keyboard.type("new@example.com")
    for _ in range(3):  # role, more options, the button
        ada.keyboard.press("Tab")
    assert focused(ada) == "org-invitations-submit"
    ada.keyboard.press("Enter")
    expect(ada.locator("#org-invitations-status")).to_contain_text("Invitation sent")
    expect(ada.locator(EMAIL)).to_be_focused()
    ada.wait_for_timeout(100)  # htmx takes 20 ms to settle, and no person is faster
    pressed = 0
    while not focused(ada).startswith("More:"):
        ada.keyboard.press("Tab")
        pressed += 1
    # The form 3, the statuses 4, the search 4, the head of the table 6, the new row 4.
    assert pressed <= 22
    ada.keyboard.press("Enter")
    for _ in range(2):  # change, revoke
        ada.keyboard.press("Tab")
    assert focused(ada).startswith("Revoke…")
    ada.keyboard.press("Enter")
    expect(ada.locator("dialog")).to_be_visible()
    ada.keyboard.press("Tab")
    assert focused(ada) == "Revoke invitation"
    ada.keyboard.press("Enter")
    expect(ada.locator("#org-invitations-status")).to_contain_text("new@example.com revoked")


def test_dates_are_in_the_readers_time_zone(
    new_context: Callable[..., BrowserContext], site: Site
) -> None:
    row = site.clerk.add_invitation("acme", "late@example.com")
    row.created_at = 1_798_671_600_000  # 2026-12-30 23:00 UTC
    page = new_context(timezone_id="Asia/Tokyo").new_page()
    sign_in(page, site)
    expect(page.locator("tr", has_text="late@example.com").locator("time").first).to_have_text(
        "Dec 31"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_it_fits_and_is_accessible(
    new_context: Callable[..., BrowserContext], site: Site, scheme: str, width: int
) -> None:
    long = "a.very.long.address.that.goes.on.and.on.and.on@subdomain.of.a.long.domain.example.com"
    site.clerk.add_invitation("acme", long)
    context = new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    complaints = watch(page)
    sign_in(page, site)
    invite(page, f"{'x' * 60}@{'y' * 60}.example.com")
    expect(page.locator("#org-invitations-status")).to_contain_text("Invitation sent")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    revoke = action(page, "revoke").bounding_box()
    assert revoke is not None
    assert revoke["height"] < 50  # the word is not broken to make room for long addresses
    small = page.evaluate(
        """[...document.querySelectorAll("a, button, input, select, textarea, summary")]
           .filter(e => e.checkVisibility() && e.type !== "hidden")
           // Of a box in a label the label is what one aims at.
           .map(e => [e.outerHTML, (e.closest("label") || e).getBoundingClientRect()])
           .filter(([_, box]) => box.width < 24 || box.height < 24).map(([html]) => html)"""
    )
    assert small == []
    shot(page, f"list-{scheme}-{width}")
    assert_accessible(page)
    assert complaints == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_chosen_period_can_be_read_on_the_narrowest_screen(
    new_context: Callable[..., BrowserContext], site: Site, language: str
) -> None:
    page = new_context(viewport={"width": 320, "height": 900}, locale=language).new_page()
    sign_in(page, site)
    open_form(page)
    page.locator("details.org-invitations-options summary").last.click()
    _assert_all_options_fit(page, "#org-invitations-form select[name=expires_in_days]")
    action(page, "resend").click()
    _assert_all_options_fit(page, "dialog select[name=expires_in_days]")
    shot(page, f"period-in-dialog-320-{language}")


def _assert_all_options_fit(page: Page, select: str) -> None:
    """A select that is as wide as its longest option wants is no wider than it really is."""
    page.locator(select).wait_for()
    wanted, real = page.locator(select).evaluate(
        """(select) => {
            const real = select.getBoundingClientRect().width;
            select.style.cssText = "width: max-content; max-width: none; justify-self: start";
            const wanted = select.getBoundingClientRect().width;
            select.style.cssText = "";
            return [wanted, real];
        }"""
    )
    assert 100 < wanted <= real


def test_the_place_for_messages_takes_no_room_while_it_is_empty(ada: Page) -> None:
    gap = """() => {
        const box = (name) => document.querySelector(name).getBoundingClientRect();
        const form = box("#org-invitations-form");
        return [form.top - box("#org-invitations-invite").bottom,
                box("#org-invitations-list").top - form.bottom];
    }"""
    open_form(ada)
    before, between = ada.evaluate(gap)
    assert before == between > 0
    ada.evaluate("document.getElementById('org-invitations-status').textContent = 'Loading…'")
    assert ada.evaluate(gap) == [before, between]  # nothing moves while something loads
    ada.evaluate("document.getElementById('org-invitations-status').textContent = ''")
    invite(ada, "new@example.com")
    expect(ada.locator(".org-invitations-message")).to_be_visible()
    message = ada.locator(".org-invitations-message").bounding_box()
    assert message is not None
    after, between = ada.evaluate(gap)
    assert after == pytest.approx(2 * between + message["height"])


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_list_fits_whatever_the_words_are_long(
    new_context: Callable[..., BrowserContext], site: Site, language: str
) -> None:
    page = new_context(locale=language).new_page()
    sign_in(page, site)
    assert page.get_attribute("html", "lang") == language
    for width in (800, 1024, 1030, 1060, 1180, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        # Not only the page: nothing sticks out of the card either.
        assert page.evaluate(
            """(() => { const card = document.querySelector("#org-invitations-list");
               const end = card.getBoundingClientRect().right;
               return [...card.querySelectorAll("a, th, td")].filter(e => e.checkVisibility())
                 .every(e => e.getBoundingClientRect().right <= end); })()"""
        ), width
        shot(page, f"list-{language}-{width}")


def test_it_reads_from_right_to_left(
    new_context: Callable[..., BrowserContext], site: Site
) -> None:
    page = new_context(locale="ar", extra_http_headers={"Accept-Language": "ar"}).new_page()
    sign_in(page, site)
    assert page.get_attribute("html", "dir") == "rtl"
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    shot(page, "list-rtl")
    assert_accessible(page)


#: Bytes, gzipped: of the first load with 25 rows, and of what a row more adds on average.
FIRST_LOAD: Final = 34 * 1024
ROW: Final = 130


def test_the_first_load_is_small(ada: Page, site: Site) -> None:
    for number, name in enumerate(NAMES):  # and 34 that are there
        address = f"{name}@{DOMAINS[number % 3]}.example"
        ago = 26_000 * number + 311
        site.clerk.add_invitation("acme", address, inviter="ada@acme.test", created_ago=ago)
    responses: list[Response] = []
    ada.on("response", lambda response: responses.append(response))  # noqa: PLW0108 - Playwright marks its listeners
    totals = {}
    for size in (25, 50):
        responses.clear()
        ada.goto(f"{site.invitations}?size={size}", wait_until="networkidle")
        assert len(addresses(ada)) == size
        for name, count in {"revoke": 1, "resend": 2, "link": 2, "change": 1}.items():
            assert ada.locator(f"{LIST} tbody a[href*='/{name}/']").count() == count * size
        sizes = {
            response.url.rsplit("/", 1)[-1]: len(gzip.compress(response.body(), 9))
            for response in responses
            if response.ok  # and not elsewhere, as when the session has just to be renewed
        }
        print(size, "rows:", sizes, sum(sizes.values()))  # noqa: T201 - seen with pytest -s
        totals[size] = sizes[f"?size={size}"]
        if size == 25:
            assert sizes["org_invitations.css"] < 6 * 1024
            assert sizes["org_invitations.js"] < 3 * 1024
            assert sum(sizes.values()) < FIRST_LOAD, sizes
    assert (totals[50] - totals[25]) / 25 <= ROW
    assert len(ada.locator(".org-invitations-icons").evaluate("e => e.outerHTML")) < 1536


NAMES = (
    *("sofia.ricci", "john.smith", "emma.jones", "li.wei", "omar.haddad", "priya.nair"),
    *("jonas.berg", "clara.meyer", "noah.dubois", "zoe.martin", "ivan.petrov", "hana.sato"),
    *("lucas.silva", "mei.chen", "adam.kowal", "nina.rossi"),
)
DOMAINS = ("northwind", "contoso", "lumen")


@pytest.mark.parametrize("width", [320, 1280])
def test_a_hundred_rows_of_five_hundred_are_on_one_page(
    new_context: Callable[..., BrowserContext], site: Site, width: int
) -> None:
    for number in range(438):  # and 62 that are there, in all statuses
        site.clerk.add_invitation("acme", f"person{number:03}@example.com")
    page = new_context(viewport={"width": width, "height": 900}).new_page()
    sign_in(page, site)
    site.clerk.clear_requests()
    page.goto(f"{site.invitations}?size=100&sort=address&page=4")
    assert len(addresses(page)) == 100
    assert len([call for call in site.clerk.requests if "/invitations" in call.path]) <= 2
    # What a browser has to lay out, which is what it takes its time for.
    assert page.locator(f"{LIST} tbody tr:first-child *").count() < 50
    assert page.locator("*").count() < 4_000
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(f"{LIST} thead input[type=checkbox]").check()
    expect(page.locator("#org-invitations-selected")).to_have_text("100 selected")
    person = addresses(page)[50]
    action(page, "revoke", person).click()
    expect(page.get_by_role("dialog")).to_contain_text(f"{person} was invited as")
    page.get_by_role("dialog").get_by_role("button", name="Revoke invitation").click()
    expect(page.locator("#org-invitations-status")).to_contain_text(f"{person} revoked")
    assert focused(page).startswith("More")
    shot(page, f"five-hundred-{width}")
    assert_accessible(page)
