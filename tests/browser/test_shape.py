"""The shape of the page: the list first, the form a press away, what one can do with a row."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from .conftest import (
    Site,
    action,
    addresses,
    assert_accessible,
    focused,
    looks,
    menu,
    open_form,
    shot,
    sign_in,
    status,
)

LIST = "#org-invitations-list"
EMAIL = "textarea[name=email_addresses]"
INVITE = "#org-invitations-invite"

#: Of a screen, by its width: its height, and where the first row is to end at the latest.
SCREENS: Final = {1280: (900, 500), 1024: (768, 768), 320: (700, 700)}
#: How high a row may be, by the width of the screen, in pixels.
ROWS: Final = {1280: 48, 1024: 48, 320: 130}

LONG = "maximiliana.konstantinopolskaya-wolfeschlegel@engineering.northwind.example"

Contexts = Callable[..., BrowserContext]


@pytest.fixture
def page_of_25(settings: Any, site: Site) -> Site:
    """The site as it is where it sets nothing."""
    del settings.ORG_INVITATIONS_PAGE_SIZE
    return site


def boxes(page: Page, selector: str) -> list[dict[str, float]]:
    """Where elements are, and how large, of those that are seen."""
    found: list[dict[str, float]] = page.evaluate(
        """selector => [...document.querySelectorAll(selector)].filter(e => e.checkVisibility())
           .map(e => e.getBoundingClientRect().toJSON())""",
        selector,
    )
    return found


# --- The list first ------------------------------------------------------------------------------


@pytest.mark.parametrize("touch", [False, True], ids=["mouse", "touch"])
def test_the_first_row_is_seen_at_once_and_rows_are_low(
    new_context: Contexts, page_of_25: Site, touch: bool
) -> None:
    page = new_context(has_touch=touch, is_mobile=touch).new_page()
    sign_in(page, page_of_25)
    for width, highest in ROWS.items():
        height, last = SCREENS[width]
        page.set_viewport_size({"width": width, "height": height})
        rows = boxes(page, f"{LIST} tbody tr")
        assert len(rows) == 25
        assert rows[0]["bottom"] <= last, width
        assert max(row["height"] for row in rows) <= highest, width
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_is_a_table_to_who_sees_it_and_to_who_does_not(ada: Page) -> None:
    for width in (320, 768, 1280):
        ada.set_viewport_size({"width": width, "height": 900})
        table = ada.get_by_role("table", name="Pending invitations")
        heads = table.get_by_role("columnheader").all_inner_texts()
        row = table.get_by_role("row").nth(1)
        cells = row.get_by_role("cell").count() + row.get_by_role("rowheader").count()
        assert cells == len(heads) == 7, width
        assert heads[-1].strip() == "Actions"
        shown = ada.locator(f"{LIST} tbody tr").first.evaluate("e => getComputedStyle(e).display")
        assert (shown == "table-row") is (width >= 768), width


def test_title_seats_button_and_tabs_search_and_roles_are_two_lines(ada: Page) -> None:
    one = ("h1", ".org-invitations-organization", "#org-invitations-seats", INVITE)
    other = ("#org-invitations-tab-pending", "#org-invitations-search", "#org-invitations-role")
    for width in (768, 1024, 1280):
        ada.set_viewport_size({"width": width, "height": 900})
        # At 768 the search has a line of its own where some expire soon, which is told there.
        for line in (one, other) if width > 768 else (one,):
            [places] = [[box for name in line for box in boxes(ada, name)]]
            assert len(places) == len(line)
            assert max(box["top"] for box in places) < min(box["bottom"] for box in places)


@pytest.mark.parametrize("script", [True, False], ids=["with", "without"])
def test_those_of_one_role(new_context: Contexts, site: Site, script: bool) -> None:
    page = new_context(java_script_enabled=script).new_page()
    sign_in(page, site)
    site.clerk.add_invitation("acme", "boss@example.com", role="org:admin")
    wanted = [
        row.email_address
        for row in site.clerk.invitations("acme", "pending")
        if row.role == "org:billing"
    ]
    page.focus("#org-invitations-role")
    page.select_option("#org-invitations-role", "org:billing")
    if not script:
        page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/?*role=org%3Abilling")
    expect(page.locator(f"{LIST} tbody tr")).to_have_count(len(wanted))
    assert sorted(addresses(page)) == sorted(wanted)
    expect(page.locator("#org-invitations-role")).to_have_value("org:billing")
    if script:
        assert status(page) == f"{len(wanted)} of 35 invitations match."
        assert focused(page) == "org-invitations-role"
        assert_accessible(page)
    page.click("#org-invitations-search-clear")
    page.wait_for_url(site.invitations + ("" if script else "*"))
    expect(page.locator(f"{LIST} tbody tr")).to_have_count(10)


# --- The form a press away -----------------------------------------------------------------------


@pytest.mark.parametrize("script", [True, False], ids=["with", "without"])
def test_the_form_opens_above_the_list_and_keeps_what_is_typed(
    new_context: Contexts, site: Site, script: bool
) -> None:
    page = new_context(java_script_enabled=script).new_page()
    sign_in(page, site)
    page.goto(f"{site.invitations}?page=2")
    first = addresses(page)[0]
    expect(page.locator(EMAIL)).to_be_hidden()
    page.locator(INVITE).press("Enter")
    expect(page.locator(EMAIL)).to_be_visible()
    assert boxes(page, EMAIL)[0]["bottom"] < boxes(page, LIST)[0]["top"]
    if script:
        expect(page.locator(EMAIL)).to_be_focused()
        assert page.url == f"{site.invitations}invite/?page=2"
    page.fill(EMAIL, "half an addr")
    page.click(INVITE)
    expect(page.locator(EMAIL)).to_be_hidden()
    page.click(INVITE)
    expect(page.locator(EMAIL)).to_have_value("half an addr")
    # It is a state with a URL, in any state of the list.
    page.goto(f"{site.invitations}invite/?page=2")
    expect(page.locator(EMAIL)).to_be_visible()
    expect(page.locator(EMAIL)).to_be_focused()
    assert addresses(page)[0] == first


def test_the_list_is_used_while_the_form_is_open(ada: Page, site: Site) -> None:
    ada.click(INVITE)
    ada.fill(EMAIL, "half an addr")
    ada.click("#org-invitations-next")
    ada.wait_for_url(f"{site.invitations}invite/?page=2")
    expect(ada.locator(EMAIL)).to_have_value("half an addr")
    ada.reload()
    expect(ada.locator("#org-invitations-page-2")).to_have_attribute("aria-current", "page")
    expect(ada.locator(EMAIL)).to_be_visible()
    ada.click(INVITE)
    assert ada.url == f"{site.invitations}?page=2"


@pytest.mark.parametrize("script", [True, False], ids=["with", "without"])
def test_where_nobody_is_waiting_there_is_the_form(
    new_context: Contexts, site: Site, script: bool
) -> None:
    for row in site.clerk.invitations("acme", "pending"):
        row.state = "revoked"
    page = new_context(java_script_enabled=script).new_page()
    sign_in(page, site)
    expect(page.locator(LIST)).to_contain_text("No pending invitations")
    expect(page.get_by_role("link", name="Invite people")).to_be_hidden()
    page.fill(EMAIL, "new@example.com")
    page.click("#org-invitations-submit")
    expect(page.locator("#org-invitations-status")).to_contain_text("Invitation sent")
    assert addresses(page) == ["new@example.com"]
    expect(page.locator("#org-invitations-seats")).to_contain_text("11 of 100 seats, 1 pending")


def test_where_the_last_one_was_revoked_the_form_is_a_press_away(page: Page, site: Site) -> None:
    for row in site.clerk.invitations("globex", "pending")[1:]:
        row.state = "revoked"
    sign_in(page, site, "gus@globex.test")
    action(page, "revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke invitation").click()
    page.get_by_role("link", name="Invite people").click()
    expect(page.locator(EMAIL)).to_be_focused()
    assert page.url == f"{site.invitations}invite/"


# --- What one can do with a row ------------------------------------------------------------------


@pytest.mark.parametrize("width", [320, 1280])
def test_what_is_done_often_is_one_press_and_the_rest_is_in_a_menu(
    new_context: Contexts, site: Site, width: int
) -> None:
    page = new_context(viewport={"width": width, "height": 900}).new_page()
    sign_in(page, site)
    row = page.locator(f"{LIST} tbody tr").first
    often, rest = ["Resend", "Copy link"], ["Change role or expiry", "Revoke…"]
    seen = [] if width == 320 else often

    def links() -> list[str]:
        return [
            name.partition(":")[0].strip() for name in row.get_by_role("link").all_inner_texts()
        ]

    assert links() == seen
    opener = menu(page)
    opener.press("Enter")
    assert links() == [*seen, *(often if width == 320 else []), *rest]
    shot(page, f"menu-{width}")
    assert_accessible(page)
    # By keyboard from there, and out of it again.
    page.keyboard.press("Tab")
    assert focused(page) == (often if width == 320 else rest)[0]
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    assert links() == seen
    # One is open at a time, and none once something else is pressed.
    opener.click()
    other = page.locator(f"{LIST} tbody tr").nth(5).locator("summary")
    other.click()
    expect(page.locator(".org-invitations-menu[open]")).to_have_count(1)
    page.locator("h1").click()
    expect(page.locator(".org-invitations-menu[open]")).to_have_count(0)


def test_a_menu_needs_no_script(new_context: Contexts, site: Site) -> None:
    page = new_context(java_script_enabled=False).new_page()
    sign_in(page, site)
    person = addresses(page)[2]
    action(page, "change", person).click()
    expect(page.get_by_role("heading", name="Change this invitation")).to_be_visible()
    expect(page.locator("main")).to_contain_text(person)


@pytest.mark.parametrize("width", [320, 1280])
def test_what_is_touched_is_large(new_context: Contexts, site: Site, width: int) -> None:
    page = new_context(
        viewport={"width": width, "height": 900}, has_touch=True, is_mobile=True
    ).new_page()
    sign_in(page, site)
    menu(page).click()
    shot(page, f"touch-{width}")
    small = page.evaluate(
        """[...document.querySelectorAll(
             "a, button, summary, select, [type=search], .org-invitations-tick")]
           .filter(e => e.checkVisibility() && e.closest(".org-invitations"))
           // Links in the line below the list are small, as in a text.
           .filter(e => !e.closest(".org-invitations-sizes, .org-invitations-export"))
           .filter(e => e.getBoundingClientRect().height < 44).map(e => e.outerHTML)"""
    )
    assert small == []


# --- Colour that means something, and never alone ------------------------------------------------


def test_what_is_over_soon_says_so_with_a_shape_and_a_word(ada: Page, site: Site) -> None:
    site.clerk.add_invitation("acme", "soon@example.com", expires_in_days=2)
    site.clerk.add_invitation("acme", LONG, expires_in_days=4)
    ada.reload()
    soon = ada.locator("tr", has_text="soon@example.com").locator(".org-invitations-is-soon")
    expect(soon).to_contain_text(re.compile(r"in \d+\s(day|hour)"))
    expect(soon.locator("svg[aria-hidden=true]")).to_be_visible()
    expect(ada.locator("tr", has_text=LONG).locator(".org-invitations-pill")).to_have_count(0)
    for screen, looked_at in looks(ada, widths=(320, 768, 1280)):
        shot(ada, f"soon-{screen}")
        if looked_at:
            assert_accessible(ada)


def test_what_is_over_what_is_refused_and_what_is_sent_have_a_shape_and_a_word(
    ada: Page, site: Site
) -> None:
    ada.goto(f"{site.invitations}?status=expired")
    over = ada.locator(f"{LIST} tbody tr").first.locator(".org-invitations-quiet")
    expect(over).to_contain_text("ago")
    expect(over.locator("svg.org-invitations-bad")).to_be_visible()
    open_form(ada)
    ada.fill(EMAIL, "a@example.com, b@example.com, nobody")
    headings = ada.locator(".org-invitations-part-head")
    expect(headings).to_have_text([re.compile("To fix 1"), re.compile("Will be sent 2")])
    assert tones(headings) == ["bad", "good"]
    ada.click("#org-invitations-submit")
    ada.wait_for_url("**/outcomes/**")
    expect(headings).to_have_text([re.compile("To fix 1"), re.compile("Sent 2")])
    assert tones(headings) == ["bad", "good"]
    shot(ada, "outcome")
    assert_accessible(ada)


def tones(captions: Locator) -> list[str]:
    """What the drawings beside captions mean, of those that are seen."""
    drawings = captions.locator("svg[aria-hidden=true]:visible")
    classes = [str(drawing.get_attribute("class")) for drawing in drawings.all()]
    return [name.rpartition("org-invitations-")[2] for name in classes]


def test_one_inviter_has_one_face(ada: Page) -> None:
    ada.goto(f"{ada.url}?size=50")
    faces = ada.evaluate(
        """[...document.querySelectorAll(".org-invitations-face")].map(e =>
             [e.nextElementSibling.innerText, e.innerText, e.dataset.hue])"""
    )
    people = {name: (initials, hue) for name, initials, hue in faces}
    assert {(name, *of) for name, of in people.items()} == {tuple(face) for face in faces}
    assert people["Mia Tanaka"][0] == "MT"


def test_a_message_can_be_dismissed_and_the_focus_is_not_lost(ada: Page) -> None:
    person = addresses(ada)[0]
    action(ada, "revoke", person).click()
    ada.get_by_role("dialog").get_by_role("button", name="Revoke invitation").click()
    expect(ada.locator("#org-invitations-status")).to_contain_text("revoked")
    shot(ada, "message")
    ada.get_by_role("button", name="Dismiss the message").click()
    assert status(ada) == ""
    assert focused(ada) == "org-invitations-list-title"
    expect(ada.get_by_role("button", name="Dismiss the message")).to_be_hidden()


def test_without_a_connection_that_is_said_like_everything_else(ada: Page) -> None:
    ada.route("**/invitations/?page=2", lambda route: route.abort())
    ada.click("#org-invitations-next")
    said = ada.locator("#org-invitations-alert .org-invitations-summary")
    expect(said).to_contain_text("could not be reached")
    assert_accessible(ada)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (403, "copy it, then reload the page"),
        (413, "send them in several parts"),
        (500, "not known whether anything was done"),
        (502, "not known whether anything was done"),
    ],
)
def test_what_another_server_says_is_told_apart_from_the_connection(
    new_context: Contexts, site: Site, status: int, words: str
) -> None:
    page = new_context().new_page()
    sign_in(page, site)
    open_form(page)
    page.route("**/invite/", lambda route: route.fulfill(status=status, body="<h1>No</h1>"))
    page.fill(EMAIL, "a@example.com")
    page.click("#org-invitations-submit")
    expect(page.locator("#org-invitations-alert")).to_contain_text(words)
    expect(page.locator(EMAIL)).to_have_value("a@example.com")
    expect(page.locator("#org-invitations-submit")).to_be_enabled()


def test_the_title_says_what_the_page_shows(ada: Page, site: Site) -> None:
    expect(ada).to_have_title("Pending invitations – Acme")
    ada.click("#org-invitations-tab-expired")
    expect(ada).to_have_title("Expired invitations – Acme")
    ada.go_back()
    expect(ada).to_have_title("Pending invitations – Acme")
    open_form(ada)
    ada.fill(EMAIL, "nobody")
    ada.click("#org-invitations-submit")
    expect(ada).to_have_title(re.compile("^Error: "))
    ada.fill(EMAIL, "new@example.com")
    ada.click("#org-invitations-submit")
    expect(ada).to_have_title("Pending invitations – Acme")


@pytest.mark.parametrize("script", [True, False], ids=["with", "without"])
def test_of_many_roles_the_chosen_one_is_explained_beside_the_select(
    new_context: Contexts, site: Site, script: bool
) -> None:
    page = new_context(java_script_enabled=script).new_page()
    sign_in(page, site)
    open_form(page)
    role = page.locator("#org-invitations-form select[name=role]")
    about = page.locator(".org-invitations-about")
    everything = page.get_by_text("What the roles may do")
    if not script:
        expect(about).to_be_hidden()  # it would be wrong of another one
        everything.click()
        expect(page.locator(".org-invitations-roles dt")).to_have_text(
            [re.compile(name) for name in role.locator("option").all_inner_texts()]
        )
        return
    expect(everything).to_be_hidden()
    before = about.inner_text()
    role.select_option("org:admin")
    expect(about).to_contain_text("Invite, change and remove members")
    expect(about).not_to_have_text(before)
    expect(about).to_have_attribute("aria-live", "polite")
    beside, select = about.bounding_box(), role.bounding_box()
    assert beside is not None
    assert select is not None
    assert beside["x"] == select["x"]
    shot(page, "role-about")
    assert_accessible(page)


def test_a_mistake_is_told_once_and_gone_when_its_text_is_changed(ada: Page) -> None:
    open_form(ada)
    ada.fill(EMAIL, "nobody")
    ada.click("#org-invitations-submit")
    expect(ada.get_by_text("is not an email address")).to_have_count(1)
    expect(ada.locator(EMAIL)).to_have_attribute("aria-invalid", "true")
    described = str(ada.get_attribute(EMAIL, "aria-describedby")).split()
    said = " ".join(ada.locator(f"#{part}").inner_text() for part in described)
    assert "“nobody” is not an email address" in said
    ada.locator(EMAIL).press_sequentially("@example.com")
    expect(ada.get_by_text("is not an email address")).to_have_count(0)
    expect(ada.locator("#org-invitations-summary")).to_be_hidden()
    expect(ada.locator(".org-invitations-invalid")).to_have_count(0)


def test_forced_colours(new_context: Contexts, site: Site) -> None:
    page = new_context(forced_colors="active").new_page()
    sign_in(page, site)
    current, other = (
        page.locator(f"#org-invitations-tab-{name}") for name in ("pending", "expired")
    )
    border = "e => getComputedStyle(e).borderBottomColor"
    assert current.evaluate(border) != other.evaluate(border)
    for name in (INVITE, f"{LIST} tbody summary"):
        width = page.locator(name).first.evaluate("e => getComputedStyle(e).borderTopWidth")
        assert width == "1px"
    shot(page, "forced")
