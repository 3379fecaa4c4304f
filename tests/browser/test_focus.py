"""After everything that one can do: where the focus is, and what is said, in this order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .conftest import Site, action, addresses, focused, menu, open_form, sign_in, watch, write
from .states import SUBMIT
from .test_inviting import MIXED
from .test_resend import break_second_half
from .test_selection import choose

#: Writes down what comes into a live region, as a screen reader would say it: not what goes, and
#: nothing twice in a row. It is there before the page is.
LISTEN: Final = """(() => {
    window.said = [];
    const live = "[role=status], [role=alert], [aria-live]";
    const hear = (place) => {
        const text = place.innerText.replace(/\\s+/g, " ").trim();
        if (text && text !== place.lastSaid) window.said.push(text);
        place.lastSaid = text;
    };
    new MutationObserver((changes) => {
        const places = new Set();
        for (const { target, addedNodes } of changes) {
            const element = target.closest ? target : target.parentElement;
            const around = element?.closest(live);
            if (around) places.add(around);
            // An alert that comes is said whole.
            for (const node of addedNodes)
                for (const one of [node, ...(node.querySelectorAll?.("[role=alert]") ?? [])])
                    if (one.matches?.("[role=alert]")) places.add(one);
        }
        for (const place of places) if (place.isConnected) hear(place);
    }).observe(document, { subtree: true, childList: true, characterData: true });
})()"""

Deed = Callable[[Page, Site], Any]


def invite_one(page: Page, site: Site) -> None:
    write(page, "new@example.com")
    page.locator(SUBMIT).press("Enter")


def refused(page: Page, site: Site) -> None:
    write(page, "nobody")
    page.locator(SUBMIT).press("Enter")


def check(page: Page, site: Site) -> None:
    page.route("**/check/", lambda route: route.abort())
    write(page, MIXED)
    page.locator(SUBMIT).press("Enter")


def typed(page: Page, site: Site) -> None:
    open_form(page)
    page.focus("textarea")
    page.keyboard.type("a@example.com, b@example.com")
    expect(page.locator("input[name=reviewed]")).to_have_count(1)


def press(selector: str) -> Deed:
    return lambda page, site: page.locator(selector).press("Enter")


def search(page: Page, site: Site) -> None:
    page.locator("#org-invitations-search").press_sequentially("lumen")
    expect(page.locator(".org-invitations-found")).to_be_visible()


def role(page: Page, site: Site) -> None:
    page.focus("#org-invitations-role")
    page.select_option("#org-invitations-role", "org:billing")
    page.wait_for_url("**role=**")


def question(name: str) -> Deed:
    return lambda page, site: action(page, name).press("Enter")


def show_the_link(page: Page, site: Site) -> None:
    page.evaluate("delete Navigator.prototype.clipboard")
    action(page, "link").press("Enter")
    expect(page.locator("dialog[open]")).to_be_visible()


def copy_the_link(page: Page, site: Site) -> None:
    page.context.grant_permissions(["clipboard-write"], origin=site.url)
    action(page, "link").press("Enter")
    expect(page.locator("#org-invitations-status")).to_contain_text("Copied")


def close_the_link(page: Page, site: Site) -> None:
    show_the_link(page, site)
    page.keyboard.press("Escape")


def answer(name: str, button: str) -> Deed:
    def do(page: Page, site: Site) -> None:
        action(page, name).press("Enter")
        page.get_by_role("dialog").get_by_role("button", name=button).press("Enter")
        expect(page.locator("dialog[open]")).to_have_count(0)

    return do


def fails_half_way(page: Page, site: Site) -> None:
    action(page, "resend").press("Enter")
    break_second_half(site)
    page.get_by_role("button", name="Send new invitation").press("Enter")
    expect(page.locator("dialog[open]")).to_have_count(0)


def open_menu(page: Page, site: Site) -> None:
    menu(page).press("Enter")


def close_menu(page: Page, site: Site) -> None:
    menu(page).press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")


def ask_of_many(page: Page, site: Site) -> None:
    choose(page, 2)
    page.locator("#org-invitations-selected-revoke").press("Enter")


def revoke_many(page: Page, site: Site) -> None:
    ask_of_many(page, site)
    page.get_by_role("button", name="Revoke 2 invitations").press("Enter")
    page.wait_for_url("**/outcomes/**")


def dismiss(page: Page, site: Site) -> None:
    invite_one(page, site)
    expect(page.locator("#org-invitations-status")).to_contain_text("Invitation sent")
    page.locator("[data-dismiss]").press("Enter")


def offline(page: Page, site: Site) -> None:
    page.route("**/?page=2", lambda route: route.abort())
    page.locator("#org-invitations-next").press("Enter")
    expect(page.locator("#org-invitations-alert")).not_to_be_empty()


def outage(page: Page, site: Site) -> None:
    site.clerk.fault(None, "/v1/*", times=None, drop="before")
    page.locator("#org-invitations-next").press("Enter")
    expect(page.locator("#org-invitations-alert")).not_to_be_empty()


#: What is done, where the focus is then (the beginning of what :func:`focused` says), and what has
#: been said, each by a part of it.
DEEDS: Final[dict[str, tuple[Deed, str, list[str]]]] = {
    "open the form": (press("#org-invitations-invite"), "id_org_invitations_email_addresses", []),
    "invite one": (
        invite_one,
        "id_org_invitations_email_addresses",
        ["Loading…", "Invitation sent to new@example.com as Member."],
    ),
    "be refused": (refused, "org-invitations-summary", ["Loading…", "There is a problem"]),
    "check many": (check, "org-invitations-check-title", ["Loading…"]),
    "type": (typed, "id_org_invitations_email_addresses", ["2 will be sent."]),
    "next page": (
        press("#org-invitations-next"),
        "org-invitations-list-title",
        ["Loading…", "Showing 11 to 20 of 34 pending invitations."],
    ),
    "another tab": (
        press("#org-invitations-tab-expired"),
        "org-invitations-tab-expired",
        ["Loading…", "Showing 1 to 10 of 12 expired invitations."],
    ),
    "sort": (
        press("#org-invitations-sort-role"),
        "org-invitations-sort-role",
        ["Loading…", "Showing 1 to 10 of 34 pending invitations"],
    ),
    "search": (search, "org-invitations-search", ["Loading…", "of 34 invitations match."]),
    "choose a role": (role, "org-invitations-role", ["Loading…", "of 34 invitations match."]),
    "open a menu": (open_menu, "More: ", []),
    "close a menu": (close_menu, "More: ", []),
    "ask to resend": (question("resend"), "Cancel", []),
    "ask to revoke": (question("revoke"), "Cancel", []),
    "ask to change": (question("change"), "Cancel", []),
    "see the link": (show_the_link, "Close", []),
    "copy the link": (copy_the_link, "Copy link", ["Copied"]),
    "cancel a resend": (answer("resend", "Cancel"), "Resend", []),
    "cancel a revocation": (answer("revoke", "Cancel"), "More: ", []),
    "close the link": (close_the_link, "Copy link", []),
    "resend": (
        answer("resend", "Send new invitation"),
        "Resend",
        ["Loading…", "New invitation sent to "],
    ),
    "revoke": (
        answer("revoke", "Revoke invitation"),
        "More: ",
        ["Loading…", "revoked. Its link no longer works."],
    ),
    "change": (
        answer("change", "Send new invitation"),
        "More: ",
        ["Loading…", "New invitation sent to "],
    ),
    "fail half way": (fails_half_way, "Resend", ["Loading…", "is not invited any more"]),
    "choose rows": (lambda page, site: choose(page, 2), "INPUT", ["1 selected", "2 selected"]),
    "ask of many": (ask_of_many, "Cancel", ["1 selected", "2 selected"]),
    "revoke many": (revoke_many, "org-invitations-outcome-title", []),
    "dismiss a message": (
        dismiss,
        "org-invitations-list-title",
        ["Loading…", "Invitation sent to new@example.com as Member."],
    ),
    "be offline": (offline, "org-invitations-next", ["Loading…", "could not be reached"]),
    "meet an outage": (outage, "org-invitations-next", ["Loading…", "could not be loaded"]),
}


@pytest.mark.parametrize("name", DEEDS)
def test_the_focus_is_somewhere_and_what_happened_is_said(
    new_context: Callable[..., BrowserContext], site: Site, name: str
) -> None:
    deed, where, words = DEEDS[name]
    page = new_context().new_page()
    complaints = watch(page)
    page.add_init_script(LISTEN)
    sign_in(page, site)
    page.evaluate("window.said.length = 0")
    deed(page, site)
    expect(page.locator("[aria-busy]")).to_have_count(0)
    page.wait_for_timeout(150)  # htmx takes 20 ms to settle, and no person is faster
    assert focused(page).startswith(where), focused(page)
    said = page.evaluate("window.said")
    rest = iter(said)
    for part in words:
        assert any(part in one for one in rest), f"{part!r} in {said}, in this order"
    others = [one for one in said if not any(part in one for part in words)]
    assert not others, said
    assert addresses(page) or name == "revoke many"
    assert complaints == []
