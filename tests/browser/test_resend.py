"""Sending an invitation again, changing it and copying its link, as people do it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from org_invitations.emulator.state import Invitation
from tests.gates import gate

from .conftest import (
    Site,
    addresses,
    assert_accessible,
    focused,
    looks,
    menu,
    shot,
    sign_in,
    status,
    watch,
)
from .conftest import action as action_of

LEE = "lee@example.com"
LONG = "maximiliane.von-und-zu-hohenstein-wolkersdorf@departement-of-long-names.example"
#: The row of the button is gone: the same button of the next one has the focus.
NEIGHBOUR = re.compile(r"/orginv_\w+/resend/")
CREATE = "/v1/organizations/*/invitations"


@pytest.fixture
def lee(site: Site) -> Invitation:
    """A pending invitation, which is the first one of the list."""
    return site.clerk.add_invitation("acme", LEE, role="org:billing", expires_in_days=12)


def lees(site: Site, address: str = LEE) -> list[Invitation]:
    rows = site.clerk.invitations("acme", "pending")
    return [row for row in rows if row.email_address == address]


def action(page: Page, row: Invitation, name: str) -> Locator:
    return action_of(page, name, row.email_address)


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def break_second_half(site: Site) -> None:
    site.clerk.fault("POST", CREATE, status=500)


@pytest.fixture
def reader(new_context: Callable[..., BrowserContext], site: Site) -> Iterator[Page]:
    """Ada's page, in a browser that lets pages write to the clipboard."""
    context = new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url)
    page = context.new_page()
    complaints = watch(page)
    sign_in(page, site)
    yield page
    assert complaints == []


# --- Sending again -------------------------------------------------------------------------------


def test_an_invitation_is_sent_again_by_mouse(site: Site, lee: Invitation, ada: Page) -> None:
    action(ada, lee, "resend").click()
    dialog = ada.locator("dialog[open]")
    expect(dialog).to_contain_text(f"{LEE} gets a new invitation.")
    expect(dialog.get_by_role("heading")).to_have_text("Resend the invitation")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    shot(ada, "resend-question")
    assert_accessible(ada)
    dialog.get_by_role("button", name="Send new invitation").click()
    expect(ada.locator("dialog[open]")).to_have_count(0)
    expect(ada.locator("#org-invitations-status")).to_have_text(
        f"New invitation sent to {LEE} as Billing. An older link no longer works."
    )
    [new] = lees(site)
    assert new.id != lee.id
    expect(ada.locator(f"#org-invitation-{new.id}")).to_have_class("org-invitations-new")
    expect(action(ada, lee, "resend")).to_be_focused()
    shot(ada, "resent")
    assert_accessible(ada)


def test_it_is_sent_again_by_keyboard_alone(site: Site, lee: Invitation, ada: Page) -> None:
    action(ada, lee, "resend").focus()
    ada.keyboard.press("Enter")
    expect(ada.locator("dialog[open]")).to_be_visible()
    presses = 1
    while focused(ada) != "Send new invitation":
        ada.keyboard.press("Tab")
        presses += 1
        assert presses < 10
    ada.keyboard.press("Enter")
    presses += 1
    expect(ada.locator("#org-invitations-status")).to_contain_text("New invitation sent")
    assert presses == 3  # Enter, Tab from "Cancel", Enter
    expect(action(ada, lee, "resend")).to_be_focused()


def test_who_is_sent_one_again_stays_where_they_are_in_the_list(ada: Page, site: Site) -> None:
    ada.goto(f"{site.invitations}?page=2")
    before = addresses(ada)
    person = before[4]
    action_of(ada, "resend", person).click()
    ada.get_by_role("button", name="Send new invitation").click()
    expect(ada.locator("#org-invitations-status")).to_contain_text("New invitation sent")
    assert [address.split()[0] for address in addresses(ada)] == before
    row = ada.locator(".org-invitations-new")
    expect(row).to_contain_text(person)
    expect(row.get_by_text("New", exact=True)).to_be_visible()
    expect(action_of(ada, "resend", person)).to_be_focused()


@pytest.mark.parametrize("name", ["resend", "change"])
@pytest.mark.parametrize("way", ["Escape", "Enter"])
def test_who_thinks_better_of_it_is_back_where_they_were(
    site: Site, lee: Invitation, ada: Page, name: str, way: str
) -> None:
    action(ada, lee, name).focus()
    ada.keyboard.press("Enter")
    expect(ada.locator("dialog[open]")).to_be_visible()
    ada.keyboard.press(way)  # Enter presses "Cancel", or "Close"
    expect(ada.locator("dialog[open]")).to_have_count(0)
    # A menu is closed by what is chosen in it.
    expect(menu(ada, LEE) if name == "change" else action(ada, lee, name)).to_be_focused()
    assert lees(site) == [lee]


def test_what_is_refused_is_told_in_the_dialog_and_kept(
    site: Site, lee: Invitation, ada: Page
) -> None:
    site.clerk.fault("POST", "*/revoke", status=500)
    action(ada, lee, "resend").click()
    days = ada.locator("dialog").get_by_label("Valid for")
    days.select_option("90")
    ada.get_by_role("button", name="Send new invitation").click()
    summary = ada.locator("#org-invitations-resend-summary")
    expect(summary).to_contain_text("We made sure that nothing was changed.")
    expect(summary).to_be_focused()
    expect(days).to_have_value("90")
    shot(ada, "resend-refused")
    assert_accessible(ada)
    ada.get_by_role("button", name="Send new invitation").click()
    expect(ada.locator("#org-invitations-status")).to_contain_text("New invitation sent")
    assert len(lees(site)) == 1


def test_a_double_click_sends_one(site: Site, lee: Invitation, ada: Page) -> None:
    action(ada, lee, "resend").click()
    site.clerk.fault("POST", "*/revoke", delay=1)
    with gate(site.clerk):
        ada.get_by_role("button", name="Send new invitation").dblclick()
    expect(ada.locator("#org-invitations-status")).to_contain_text("New invitation sent")
    created = [
        call
        for call in site.clerk.requests
        if call.method == "POST" and call.path.endswith("/invitations")
    ]
    assert len(created) == 1


def test_who_accepted_meanwhile_is_told_of_in_the_list(
    site: Site, lee: Invitation, ada: Page
) -> None:
    lee.state = "accepted"
    action(ada, lee, "resend").click()
    expect(ada.locator("#org-invitations-status")).to_contain_text(
        f"{LEE} has accepted the invitation and is a member now."
    )
    expect(ada.locator("dialog[open]")).to_have_count(0)
    assert LEE not in addresses(ada)
    expect(ada.locator(":focus")).to_have_attribute("href", NEIGHBOUR)
    assert_accessible(ada)


# --- Changing ------------------------------------------------------------------------------------


def test_the_role_is_changed_and_a_role_of_weight_asks_for_a_tick(
    site: Site, lee: Invitation, ada: Page
) -> None:
    action(ada, lee, "change").click()
    dialog = ada.locator("dialog[open]")
    expect(dialog).to_contain_text("An invitation cannot be changed")
    expect(dialog.get_by_label("Role", exact=True)).to_have_value("org:billing")
    expect(dialog.get_by_label("Valid for")).to_have_value("12")
    shot(ada, "change-question")
    assert_accessible(ada)
    dialog.get_by_label("Role", exact=True).select_option("org:admin")
    dialog.get_by_role("button", name="Send new invitation").click()
    summary = ada.locator("#org-invitations-resend-summary")
    expect(summary).to_contain_text("Tick the box if that is what you want.")
    expect(summary).to_be_focused()
    shot(ada, "change-tick")
    assert_accessible(ada)
    summary.get_by_role("link").click()
    expect(dialog.get_by_label("I mean to give a role that may manage members")).to_be_focused()
    ada.keyboard.press("Space")
    ada.keyboard.press("Enter")
    expect(ada.locator("#org-invitations-status")).to_contain_text(
        f"New invitation sent to {LEE} as Admin."
    )
    assert lees(site)[0].role == "org:admin"


def test_nobody_is_given_a_role_that_nobody_chose(
    new_context: Callable[..., BrowserContext], site: Site, lee: Invitation
) -> None:
    page = new_context().new_page()
    sign_in(page, site, "mia@acme.test")  # may not give the role that it has
    page.goto(site.invitations)
    action(page, lee, "resend").click()
    page.get_by_role("button", name="Send new invitation").click()
    expect(page.locator("#org-invitations-resend-summary")).to_contain_text("Choose a role.")
    shot(page, "resend-no-role")
    assert_accessible(page)
    assert lees(site) == [lee]


# --- The link ------------------------------------------------------------------------------------


def test_the_link_is_copied_and_lets_the_person_in(
    new_context: Callable[..., BrowserContext], site: Site, lee: Invitation, reader: Page
) -> None:
    referrers: list[str] = []
    reader.on("request", lambda request: referrers.append(request.headers.get("referer", "")))
    action(reader, lee, "link").click()
    expect(reader.locator("#org-invitations-status")).to_contain_text(
        f"Copied: the link with which {LEE} becomes Billing."
    )
    shot(reader, "link-copied")
    assert_accessible(reader)
    copied = reader.evaluate("navigator.clipboard.readText()")
    assert copied == site.clerk.accept_url(lee.ticket)
    # It took one press, which left page, address and focus as they were, and no link on it.
    expect(reader.locator("dialog[open]")).to_have_count(0)
    expect(action(reader, lee, "link")).to_be_focused()
    assert reader.url == site.invitations
    assert lee.ticket not in reader.content()

    # The page goes on to be used, and keeps nothing of it.
    reader.locator("#org-invitations-sort-address").click()
    expect(reader).to_have_url(f"{site.invitations}?sort=address")
    reader.go_back()
    kept = reader.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, history.state])"
    )
    assert "ticket" not in kept
    assert all("ticket" not in referrer for referrer in referrers)

    guest = new_context().new_page()
    guest.goto(copied)
    guest.get_by_role("button", name="Continue").click()
    assert lee.state == "accepted"
    told = [call.headers.get("referer", "") for call in site.clerk.recorder.calls]
    assert all("ticket" not in referrer for referrer in told)


@pytest.mark.parametrize("way", ["no clipboard", "forbidden"])
def test_where_nothing_can_be_copied_at_once_the_link_is_shown(
    new_context: Callable[..., BrowserContext], site: Site, lee: Invitation, way: str
) -> None:
    page = new_context().new_page()
    sign_in(page, site)
    page.evaluate(
        "delete Navigator.prototype.clipboard"
        if way == "no clipboard"
        else "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('No.')); }"
    )
    action(page, lee, "link").focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    field = dialog.get_by_label("Link")
    expect(field).to_have_value(site.clerk.accept_url(lee.ticket))
    expect(field).to_have_attribute("readonly", "")
    shot(page, "link")
    assert_accessible(page)
    dialog.get_by_role("button", name="Copy").click()
    expect(page.locator("#org-invitations-copied")).to_have_text("Copied.")
    expect(dialog.get_by_role("button", name="Copy")).to_be_focused()
    page.keyboard.press("Escape")
    expect(action(page, lee, "link")).to_be_focused()


def test_who_follows_the_link_from_its_page_is_not_said_to_come_from_there(
    site: Site, lee: Invitation, ada: Page
) -> None:
    ada.goto(f"{site.invitations}{lee.id}/link/")
    follow = """async field => {
        const link = document.createElement("a");
        document.body.append(link);
        link.href = field.value;
        link.click();
    }"""
    with ada.expect_response("**/tickets/accept*") as accepted:
        ada.get_by_label("Link").evaluate(follow)
    assert accepted.value.status == 302
    [call] = [one for one in site.clerk.recorder.calls if one.path.endswith("/tickets/accept")]
    assert "referer" not in call.headers


@pytest.mark.parametrize("may_keep", [False, True])
def test_htmx_keeps_no_copy_of_a_page_with_a_link_on_it(
    site: Site, lee: Invitation, reader: Page, may_keep: bool
) -> None:
    # As where a head of the site's own lets htmx keep pages for the back button.
    reader.evaluate("htmx.config.historyCacheSize = 10")
    if may_keep:  # the check of this check
        reader.evaluate("document.querySelector('[hx-history]').removeAttribute('hx-history')")
    reader.evaluate("delete Navigator.prototype.clipboard")
    action(reader, lee, "link").click()
    expect(reader.locator("dialog[open]").get_by_label("Link")).to_be_visible()
    reader.keyboard.press("Escape")
    reader.locator("#org-invitations-sort-role").click()
    expect(reader).to_have_url(f"{site.invitations}?sort=role")
    kept = reader.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert ("ticket" in kept) is may_keep


def test_without_an_email_the_status_leads_to_the_link(
    site: Site, lee: Invitation, reader: Page
) -> None:
    mails = len(site.clerk.state.mails)
    action(reader, lee, "resend").click()
    reader.locator("dialog").get_by_label("Send no email: I pass the link on myself").check()
    reader.get_by_role("button", name="Send new invitation").click()
    copy = reader.locator("#org-invitations-status-action")
    expect(copy).to_have_text("Copy link")
    shot(reader, "resent-without-email")
    assert_accessible(reader)
    copy.focus()
    reader.keyboard.press("Enter")
    expect(reader.locator("#org-invitations-status")).to_contain_text("Copied: the link")
    [new] = lees(site)
    copied = reader.evaluate("navigator.clipboard.readText()")
    assert copied == site.clerk.accept_url(new.ticket)
    assert len(site.clerk.state.mails) == mails


def test_who_may_not_give_the_role_gets_no_link(
    new_context: Callable[..., BrowserContext], site: Site, lee: Invitation
) -> None:
    page = new_context().new_page()
    sign_in(page, site, "mia@acme.test")
    action(page, lee, "link").click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("Whoever has this link becomes Billing")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    assert lee.ticket not in page.content()
    shot(page, "link-not_grantable")
    assert_accessible(page)


# --- What is left half-way -----------------------------------------------------------------------


@pytest.mark.parametrize("way", ["mouse", "keyboard"])
def test_what_stopped_half_way_is_finished_from_the_list(
    site: Site, lee: Invitation, ada: Page, way: str
) -> None:
    action(ada, lee, "resend").click()
    break_second_half(site)
    ada.get_by_role("button", name="Send new invitation").click()
    notice = ada.locator(f"#org-invitations-unfinished-{lee.id}")
    expect(notice).to_contain_text(f"The invitation to {LEE} was revoked")
    assert f"{LEE} is not invited any more" in status(ada)
    expect(ada.locator(":focus")).to_have_attribute("href", NEIGHBOUR)
    shot(ada, "unfinished")
    assert_accessible(ada)
    button = notice.get_by_role("button", name="Send it now")
    if way == "mouse":
        button.click()
    else:
        button.focus()
        ada.keyboard.press("Enter")
    expect(notice).to_have_count(0)
    expect(ada.locator("#org-invitations-status")).to_contain_text(f"New invitation sent to {LEE}")
    expect(ada.locator("#org-invitations-list-title")).to_be_focused()
    assert len(lees(site)) == 1
    assert_accessible(ada)


def test_it_can_be_left_at_that(site: Site, lee: Invitation, ada: Page) -> None:
    action(ada, lee, "resend").click()
    break_second_half(site)
    ada.get_by_role("button", name="Send new invitation").click()
    ada.get_by_role("button", name="Leave uninvited").click()
    expect(ada.locator("#org-invitations-status")).to_have_text(f"{LEE} stays uninvited.")
    expect(ada.locator(f"#org-invitations-unfinished-{lee.id}")).to_have_count(0)
    assert lees(site) == []


# --- Without scripts, and on a small screen ------------------------------------------------------


def test_without_scripts_each_is_a_page(
    new_context: Callable[..., BrowserContext], site: Site, lee: Invitation
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    sign_in(page, site)
    page.goto(f"{site.invitations}?q=lee")
    action(page, lee, "change").click()
    expect(page.locator("h1")).to_have_text("Change this invitation")
    page.get_by_label("Role", exact=True).select_option("org:admin")
    page.get_by_role("button", name="Send new invitation").click()
    expect(page).to_have_title("Error: Change this invitation")
    expect(page.locator("#org-invitations-resend-summary")).to_be_visible()
    page.get_by_label("I mean to give a role that may manage members").check()
    page.get_by_role("button", name="Send new invitation").click()
    expect(page).to_have_url(f"{site.invitations}?q=lee")
    expect(page.locator("#org-invitations-status")).to_contain_text(
        f"New invitation sent to {LEE} as Admin."
    )
    [new] = lees(site)
    action(page, new, "link").click()
    expect(page.locator("h1")).to_have_text("Link of the invitation")
    expect(page.get_by_label("Link")).to_have_value(site.clerk.accept_url(new.ticket))
    page.get_by_role("link", name="All invitations").click()
    expect(page).to_have_url(f"{site.invitations}?q=lee")
    break_second_half(site)
    action(page, new, "resend").click()
    page.get_by_label("I mean to give a role that may manage members").check()
    page.get_by_role("button", name="Send new invitation").click()
    page.get_by_label("I mean to give a role that may manage members").nth(1).check()
    page.get_by_role("button", name="Send it now").click()
    expect(page.locator("#org-invitations-status")).to_contain_text("New invitation sent")
    assert len(lees(site)) == 1


STATES: dict[str, Any] = {
    "resend": ("pending", "resend"),
    "change": ("pending", "change"),
    "again": ("expired", "resend"),
    "accepted": ("accepted", "resend"),
    "link": ("pending", "link"),
    "no-link": ("revoked", "link"),
}


def test_each_page_fits_the_screen(new_context: Callable[..., BrowserContext], site: Site) -> None:
    page = new_context().new_page()
    sign_in(page, site)

    def look(name: str) -> None:
        for screen, by_axe in looks(page, height=800):
            shot(page, f"{name}-{screen}")
            assert fits(page), (name, screen)
            if by_axe:
                assert_accessible(page)

    for name, (state, view) in STATES.items():
        row = site.clerk.add_invitation("acme", LONG, role="org:admin")
        if state == "expired":
            row.expires_at = row.created_at - 1
        else:
            row.state = state
        page.goto(f"{site.invitations}{row.id}/{view}/")
        look(name)
        if name == "change":  # what is refused
            page.get_by_role("button", name="Send new invitation").click()
            expect(page.locator("#org-invitations-resend-summary")).to_be_visible()
            look("refused")
        row.state = "revoked"


def test_each_dialog_fits_a_small_screen(
    new_context: Callable[..., BrowserContext], site: Site
) -> None:
    page = new_context(viewport={"width": 320, "height": 700}).new_page()
    sign_in(page, site)

    def look(name: str) -> None:
        for screen, _ in looks(page, widths=(320,), height=700):
            shot(page, f"{name}-{screen}")
            assert fits(page), (name, screen)
            assert_accessible(page)

    row = site.clerk.add_invitation("acme", LONG)
    page.goto(site.invitations)
    page.evaluate("delete Navigator.prototype.clipboard")  # or the link would not be seen
    for name in ("resend", "change", "link"):
        action(page, row, name).click()
        expect(page.locator("dialog[open]")).to_be_visible()
        look(f"dialog-{name}")
        inside = "(d => d.scrollWidth <= d.clientWidth)(document.querySelector('dialog[open]'))"
        assert page.evaluate(inside)
        page.keyboard.press("Escape")
    break_second_half(site)
    action(page, row, "resend").click()
    page.get_by_role("button", name="Send new invitation").click()
    expect(page.locator(f"#org-invitations-unfinished-{row.id}")).to_be_visible()
    look("unfinished")
