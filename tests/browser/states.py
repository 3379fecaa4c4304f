"""Every state that a page can be in, and how somebody gets there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from django.utils import timezone
from playwright.sync_api import Page, expect

from .conftest import Site, action, menu, open_form, sign_in, write
from .test_inviting import MIXED
from .test_joining import NORA, arrive, invite
from .test_progress import begun
from .test_resend import break_second_half
from .test_selection import choose

State = Callable[[Page, Site], None]

SUBMIT: Final = "#org-invitations-submit"
LONG: Final = "maximiliane.von-und-zu-hohenstein@departement-of-long-names.example"


def listed(query: str = "") -> State:
    """The list in one of its own states."""

    def get_there(page: Page, site: Site) -> None:
        site.clerk.add_invitation("acme", LONG)
        sign_in(page, site)
        page.goto(f"{site.invitations}{query}")

    return get_there


def nobody_waits(page: Page, site: Site) -> None:
    for row in site.clerk.invitations("acme", "pending"):
        row.state = "revoked"
    sign_in(page, site)


def form_open(page: Page, site: Site) -> None:
    sign_in(page, site)
    open_form(page)
    page.click("text=More options")


def invited(page: Page, site: Site) -> None:
    sign_in(page, site)
    write(page, "new@example.com")
    page.click(SUBMIT)
    expect(page.locator("#org-invitations-status")).to_contain_text("Invitation sent")


def form_refused(page: Page, site: Site) -> None:
    sign_in(page, site)
    write(page, "nobody")
    page.click(SUBMIT)
    expect(page.locator("#org-invitations-summary")).to_be_focused()


def typo(page: Page, site: Site) -> None:
    sign_in(page, site)
    write(page, "joe@gmial.com")
    expect(page.locator("#org-invitations-check")).to_contain_text("gmail.com")


def checked(page: Page, site: Site) -> None:
    sign_in(page, site)
    site.clerk.add_invitation("acme", "lee2@example.com")
    write(page, f"{MIXED}\nlee2@example.com\n{LONG}\n{'x' * 300}\n=HYPERLINK(1)")
    expect(page.locator("#org-invitations-check")).to_contain_text(LONG)


def checked_with_tick(page: Page, site: Site) -> None:
    sign_in(page, site)
    open_form(page)
    page.select_option("#org-invitations-form select[name=role]", "org:admin")
    write(page, MIXED)
    expect(page.locator("#org-invitations-check")).to_contain_text("max@acme.test")
    page.click(SUBMIT)
    expect(page.locator("#org-invitations-summary")).to_be_visible()


def outcome(page: Page, site: Site) -> None:
    sign_in(page, site)
    write(page, f"{MIXED}\n{LONG}")
    expect(page.locator("#org-invitations-check")).to_contain_text(LONG)
    page.click(SUBMIT)
    expect(page.locator("#org-invitations-outcome-title")).to_be_visible()


def worked_on(page: Page, site: Site) -> None:
    sign_in(page, site)
    page.goto(begun(site))


def paused(page: Page, site: Site) -> None:
    sign_in(page, site)
    page.goto(begun(site, paused_at=timezone.now()))


def half_done(page: Page, site: Site) -> None:
    sign_in(page, site)
    action(page, "resend").click()
    break_second_half(site)
    page.get_by_role("button", name="Send new invitation").click()
    expect(page.locator(".org-invitations-unfinished")).to_be_visible()


def selected(page: Page, site: Site) -> None:
    sign_in(page, site)
    choose(page, 3)


def asked_of_many(page: Page, site: Site) -> None:
    selected(page, site)
    page.locator("#org-invitations-selected-revoke").click()
    expect(page.locator("dialog[open]")).to_be_visible()


def menu_open(page: Page, site: Site) -> None:
    sign_in(page, site)
    menu(page).click()


def asked(name: str) -> State:
    """A question, or the link, in the dialog."""

    def get_there(page: Page, site: Site) -> None:
        sign_in(page, site)
        # Where a link can be copied at once, it is not shown.
        page.evaluate("delete Navigator.prototype.clipboard")
        action(page, name).click()
        expect(page.locator("dialog[open]")).to_be_visible()

    return get_there


def on_a_page(name: str) -> State:
    """The same on a page of its own."""

    def get_there(page: Page, site: Site) -> None:
        row = site.clerk.add_invitation("acme", LONG)
        sign_in(page, site)
        page.goto(f"{site.invitations}{row.id}/{name}/")

    return get_there


def change_refused(page: Page, site: Site) -> None:
    asked("change")(page, site)
    page.locator("dialog").get_by_label("Role", exact=True).select_option("org:admin")
    page.get_by_role("button", name="Send new invitation").click()
    expect(page.locator("#org-invitations-resend-summary")).to_be_focused()


def outage_in_the_list(page: Page, site: Site) -> None:
    sign_in(page, site)
    site.clerk.fault(None, "/v1/*", times=None, drop="before")
    page.click("#org-invitations-next")
    expect(page.locator("#org-invitations-alert")).to_contain_text("could not be loaded")


def no_connection(page: Page, site: Site) -> None:
    sign_in(page, site)
    page.route("**/?page=2", lambda route: route.abort())
    page.click("#org-invitations-next")
    expect(page.locator("#org-invitations-alert")).to_contain_text("could not be reached")


def no_access(page: Page, site: Site) -> None:
    sign_in(page, site, "max@acme.test")


def not_found(page: Page, site: Site) -> None:
    sign_in(page, site)
    page.goto(f"{site.invitations}organizations/nowhere/")


def too_many_requests(page: Page, site: Site) -> None:
    site.clerk.configure(rate_limits={"requests": 0})
    sign_in(page, site)


def out_of_order(page: Page, site: Site) -> None:
    site.clerk.fault(None, "/v1/*", times=None, drop="before")
    sign_in(page, site)


def signed_out(page: Page, site: Site) -> None:
    sign_in(page, site)
    write(page, "new@example.com")
    page.context.clear_cookies(name=re.compile("^__"))
    page.click(SUBMIT)
    expect(page.locator("#org-invitations-alert")).to_contain_text("nothing is lost")


def chooser(page: Page, site: Site) -> None:
    cookies = site.clerk.session_cookies("bo@both.test", lifetime=3600, organization=None)
    page.context.add_cookies([{"name": k, "value": v, "url": site.url} for k, v in cookies.items()])
    page.goto(site.invitations)
    expect(page.get_by_role("heading", name="Choose an organization")).to_be_visible()


def joining(account: str, status: str = "pending") -> State:
    """What the link of an invitation leads to, by account and status."""

    def get_there(page: Page, site: Site) -> None:
        arrive(page, site, account, invite(site.clerk, status))
        expect(page.locator("[data-state]")).to_be_visible()

    return get_there


def mine(page: Page, site: Site) -> None:
    keep = invite(site.clerk)
    site.clerk.add_invitation("globex", NORA)
    arrive(page, site, "right", keep)
    page.goto(f"{site.url}/join/mine/")


STATES: Final[dict[str, State]] = {
    "pending": listed(),
    "expired": listed("?status=expired"),
    "accepted": listed("?status=accepted"),
    "revoked": listed("?status=revoked"),
    "no match": listed("?q=nobody-at-all"),
    "empty": nobody_waits,
    "form": form_open,
    "invited": invited,
    "form refused": form_refused,
    "typo": typo,
    "check": checked,
    "check with tick": checked_with_tick,
    "outcome": outcome,
    "progress": worked_on,
    "paused": paused,
    "half done": half_done,
    "selected": selected,
    "bulk question": asked_of_many,
    "menu": menu_open,
    "resend": asked("resend"),
    "change": asked("change"),
    "change refused": change_refused,
    "revoke": asked("revoke"),
    "link": asked("link"),
    "resend page": on_a_page("resend"),
    "revoke page": on_a_page("revoke"),
    "link page": on_a_page("link"),
    "outage": outage_in_the_list,
    "no connection": no_connection,
    "403": no_access,
    "404": not_found,
    "429": too_many_requests,
    "503": out_of_order,
    "signed out": signed_out,
    "chooser": chooser,
    "mine": mine,
    "join": joining("right"),
    "join other account": joining("other"),
    "join sign in": joining("none"),
    "join sign up": joining("new"),
    "join gone": joining("right", "expired"),
    "join joined": joining("right", "accepted"),
}
