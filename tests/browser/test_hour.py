"""A while of use in fast-forward: the token expires between any two clicks, and nobody notices.

The clocks of the emulated Clerk and of the site are moved together by 66 seconds before every
step: a token lives 60, and Clerk grants it 5 more for clocks that differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from org_invitations.middleware import ClerkSessionMiddleware

from .conftest import Site, action, addresses, shot, sign_in_at_clerk, watch, write

LIST = "#org-invitations-list"
EMAIL = "textarea[name=email_addresses]"
#: With the check that comes as one types the button counts.
SEND = re.compile(r"^Send (1 )?invitation$")


@pytest.fixture(autouse=True)
def _one_clock(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the site's clock be the emulator's."""
    monkeypatch.setattr(ClerkSessionMiddleware, "get_time", lambda self: site.clerk.clock.now())


class Clock:
    """Lets a minute pass, and counts them."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.site = site
        self.minutes = 0.0

    def __call__(self) -> None:
        self.site.clerk.clock.advance(66)
        self.minutes += 1.1
        # Clerk's guard against redirect loops lives two seconds: it would be gone by now.
        self.page.context.clear_cookies(name="__clerk_redirect_count")


@pytest.fixture(params=["with", "without"])
def user(
    request: pytest.FixtureRequest,
    new_context: Callable[..., BrowserContext],
    site: Site,
) -> Iterator[tuple[Page, Clock, bool]]:
    """Ada's page, her clock, and whether her browser has JavaScript."""
    javascript = request.param == "with"
    site.clerk.configure(rate_limits=False)
    page = new_context(java_script_enabled=javascript).new_page()
    complaints = watch(page)
    sign_in_at_clerk(page, site)
    yield page, Clock(page, site), javascript
    assert complaints == []


def send(page: Page, button: str | re.Pattern[str], *, javascript: bool) -> None:
    """Press a button; without JavaScript the form comes back once and is sent again."""
    page.get_by_role("button", name=button).click()
    if javascript:
        return
    expect(page.locator("#org-invitations-renewal")).to_be_visible()
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("signed in again")
    shot(page, "renewal-form" if button is SEND else "renewal-question")
    again = page.get_by_role("button", name=button)
    (again if again.count() else page.get_by_role("button", name="Send it again")).click()


def test_nothing_is_lost_and_nothing_is_asked_for(
    user: tuple[Page, Clock, bool], site: Site
) -> None:
    page, a_minute_passes, javascript = user
    invited: list[str] = []
    revoked: list[str] = []
    for _ in range(3):
        number = len(invited)
        address = f"person{number}@example.com"

        a_minute_passes()
        page.goto(site.invitations)
        write(page, address)
        page.select_option("#org-invitations-form select[name=role]", "org:billing")
        a_minute_passes()
        send(page, SEND, javascript=javascript)
        expect(page.locator("#org-invitations-status")).to_have_text(
            f"Invitation sent to {address} as Billing."
        )
        invited.append(address)
        assert addresses(page)[0] == address

        a_minute_passes()
        page.click("text=Next")
        page.wait_for_url("**/?page=2")
        expect(page.locator("#org-invitations-previous")).to_have_attribute("href", "/invitations/")

        person = addresses(page)[0]
        a_minute_passes()
        action(page, "revoke", person).click()
        expect(page.get_by_text(f"{person} was invited as")).to_be_visible()
        a_minute_passes()
        send(page, "Revoke invitation", javascript=javascript)
        expect(page.locator("#org-invitations-status")).to_contain_text(
            f"Invitation to {person} revoked. Its link no longer works."
        )
        revoked.append(person)
    assert a_minute_passes.minutes > 15
    rows = site.clerk.invitations("acme")
    assert [r.email_address for r in rows if r.email_address in invited] == invited
    assert {r.email_address for r in rows if r.state == "revoked"} >= set(revoked)
    # Nothing was ever sent twice.
    writes = [call for call in site.clerk.requests if call.method == "POST"]
    writes = [call for call in writes if not call.path.endswith("/refresh")]
    assert len(writes) == len(invited) + len(revoked)


def test_signed_out_in_another_tab_nothing_typed_is_lost(
    user: tuple[Page, Clock, bool], site: Site
) -> None:
    page, a_minute_passes, javascript = user
    write(page, "new@example.com")
    page.select_option("#org-invitations-form select[name=role]", "org:billing")
    other = page.context.new_page()
    other.goto(f"{site.clerk.base_url}/sign-out?redirect_url={site.invitations}")
    a_minute_passes()
    page.click("#org-invitations-submit")
    place = "#org-invitations-alert" if javascript else "#org-invitations-renewal"
    expect(page.locator(place)).to_contain_text("nothing is lost")
    expect(page.locator(EMAIL)).to_have_value("new@example.com")
    expect(page.locator("#org-invitations-form select[name=role]")).to_have_value("org:billing")
    shot(page, f"signed-out-{javascript}")
    with page.context.expect_page() as opened:
        page.locator(place).get_by_role("link", name="Sign in in a new tab").click()
    tab = opened.value
    tab.click('button[value="ada@acme.test"]')
    tab.wait_for_url(f"{site.invitations}**")
    page.click("#org-invitations-submit")
    expect(page.locator("#org-invitations-status")).to_contain_text("Invitation sent")
    assert [r.role for r in site.clerk.invitations("acme") if "new@" in r.email_address] == [
        "org:billing"
    ]
