"""Joining in Chromium: what somebody finds, by account and status, with a script and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from org_invitations.emulator import Emulator
from org_invitations.emulator.state import Invitation
from org_invitations.models import Joining
from org_invitations.services.joining.links import JoinValue, get_digest, make_link
from tests.browser.conftest import Site, assert_accessible, shot, sign_in, watch
from tests.browser.csp import StrictPolicy

NORA = "nora@nowhere.test"
GUS = "gus@globex.test"

#: What these are called in the table of the documents.
ACCOUNTS = {
    "right": "the invited person",
    "pending": "the same, their session pending",
    "banned": "the same, banned or locked",
    "other": "somebody else",
    "none": "nobody signed in",
    "new": "nobody signed in, by a link for new people",
}
STATUSES = ("pending", "expired", "revoked", "accepted", "deleted")


def read_table() -> dict[tuple[str, str], str]:
    """What somebody finds, by account and status, as the documents say it."""
    text = (Path(__file__).parents[2] / "docs/joining.md").read_text(encoding="utf-8")
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    rows = {cells[0].strip(): [cell.strip(" `") for cell in cells[1:]] for cells in lines}
    return {
        (account, status): rows[words][number]
        for account, words in ACCOUNTS.items()
        for number, status in enumerate(STATUSES)
    }


EXPECTED = read_table()
CELLS = list(EXPECTED)


@pytest.fixture(autouse=True)
def _mounted(site: Site, settings: Any) -> None:
    settings.ORG_INVITATIONS_JOIN_URL = f"{site.url}/join/"
    site.clerk.configure(rate_limits=False)


@pytest.fixture
def calls_clerk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StrictPolicy, "calls_clerk", True)


def invite(clerk: Emulator, status: str = "pending", address: str = NORA) -> Invitation:
    org = clerk.organization("acme")
    is_old = status == "expired"
    row = clerk.add_invitation(
        "acme",
        address,
        inviter="ada@acme.test",
        redirect_url=make_link(org.id, address, None),
        expires_in_days=1 if is_old else 30,
        created_ago=2 * 86400 if is_old else 0,
    )
    if status in ("revoked", "accepted"):
        row.state = status
    if status == "accepted":
        clerk.add_member("acme", address)
    return row


def url_of(site: Site, row: Invitation) -> str:
    digest = get_digest(row.organization_id, row.email_address)
    return f"{site.url}/join/{JoinValue(row.organization_id, address_digest=digest).dumps()}/"


def arrive(page: Page, site: Site, account: str, row: Invitation) -> None:
    """Open the page of an invitation as somebody."""
    clerk = site.clerk
    user = {"other": GUS, "none": "", "new": ""}.get(account, NORA)
    if user:
        page.goto(f"{clerk.base_url}/sign-in?redirect_url={site.url}/join/mine/")
        page.click(f'button[value="{user}"]')
        page.wait_for_url(f"{site.url}/join/mine/**")
    if account == "banned":
        clerk.configure(users={NORA: {"banned": True}})
    # The ticket itself would be refused by Clerk where the invitation is over; the page is not.
    query = f"?__clerk_ticket={row.ticket}&__clerk_status=sign_up" if account == "new" else ""
    page.goto(f"{url_of(site, row)}{query}")


def state(page: Page) -> str:
    return page.locator("[data-state]").get_attribute("data-state") or ""


#: With a script and without, from left to right and from right to left.
LOOKS = ((True, "en-US"), (False, "en-US"), (True, "ar"), (False, "ar"))


def check(site: Site, new_context: Callable[..., BrowserContext], cell: tuple[str, str]) -> None:
    """Look at one invitation in four browsers: none of them changes it for the next."""
    account, status = cell
    clerk = site.clerk
    clerk.reset()
    clerk.configure(rate_limits=False, force_organization_selection=account == "pending")
    clerk.configure(session_task_shown=False)
    row = invite(clerk, status)
    if status == "deleted":
        clerk.configure(organizations={"acme": {"deleted": True}})
    before = row.state
    for script, locale in LOOKS:
        clerk.configure(users={NORA: {"banned": False}})
        page = new_context(java_script_enabled=script, locale=locale).new_page()
        arrive(page, site, account, row)
        direction = page.locator("html").get_attribute("dir")
        assert direction == ("rtl" if locale == "ar" else "ltr")
        assert state(page) == EXPECTED[cell], f"{cell}, script: {script}"
        if script:
            assert_accessible(page)
        shot(page, f"join-{account}-{status}-{direction}{'' if script else '-plain'}")
        page.set_viewport_size({"width": 320, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        shot(page, f"join-{account}-{status}-{direction}{'' if script else '-plain'}-320")
        page.context.close()
    assert row.state == before
    assert not Joining.objects.exists()


SAMPLE = [
    *(("right", "pending"), ("none", "pending"), ("other", "pending"), ("right", "expired")),
    ("new", "pending"),
]


def test_what_somebody_finds(
    site: Site, new_context: Callable[..., BrowserContext], subtests: pytest.Subtests
) -> None:
    for cell in SAMPLE:
        with subtests.test(cell=cell):
            check(site, new_context, cell)


@pytest.mark.exhaustive
def test_what_anybody_finds(
    site: Site, new_context: Callable[..., BrowserContext], subtests: pytest.Subtests
) -> None:
    for cell in CELLS:
        with subtests.test(cell=cell):
            check(site, new_context, cell)


# --- The whole way -------------------------------------------------------------------------------


def is_member(clerk: Emulator, user: str = NORA) -> bool:
    org = clerk.organization("acme")
    return clerk.state.membership(org.id, clerk.user(user).id) is not None


@pytest.fixture(params=[True, False], ids=["script", "plain"])
def has_script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def guest(has_script: bool, new_context: Callable[..., BrowserContext]) -> Iterator[Page]:
    """A page on which nothing fails, with JavaScript and without."""
    page = new_context(java_script_enabled=has_script).new_page()
    complaints = watch(page)
    yield page
    assert complaints == []


def test_somebody_signed_out_signs_in_and_is_there(guest: Page, site: Site) -> None:
    row = invite(site.clerk)
    guest.goto(site.clerk.accept_url(row.ticket))
    assert state(guest) == "sign-in"
    shot(guest, "join-signed-out")
    guest.click('button[value="sign-in"]')
    expect(guest.locator("h1")).to_have_text("Sign in")
    assert guest.locator("[name=email_address]").input_value() == NORA
    guest.click("button:has-text('Continue')")
    expect(guest.locator("[data-state=joined]")).to_be_visible()
    assert is_member(site.clerk)


def test_somebody_new_signs_up_and_is_there(guest: Page, site: Site) -> None:
    row = invite(site.clerk, address="new@example.com")
    guest.goto(site.clerk.accept_url(row.ticket))
    assert state(guest) == "sign-up"
    shot(guest, "join-sign-up")
    guest.click('button[value="sign-up"]')
    guest.fill("[name=first_name]", "Nia")
    guest.click("button:has-text('Continue')")
    expect(guest.locator("[data-state=joined]")).to_be_visible()
    assert is_member(site.clerk, "new@example.com")


def test_the_wrong_account_is_switched(guest: Page, site: Site) -> None:
    row = invite(site.clerk)
    arrive(guest, site, "other", row)
    site.clerk.configure(ticket_while_signed_in="sign_in")
    guest.goto(site.clerk.accept_url(row.ticket))
    assert state(guest) == "other-account"
    guest.click('button[value="switch"]')
    expect(guest.locator("h1")).to_have_text("Sign in")
    guest.click("button:has-text('Continue')")
    expect(guest.locator("[data-state=joined]")).to_be_visible()
    assert is_member(site.clerk)
    assert not is_member(site.clerk, GUS)


def test_a_session_does_not_swallow_the_link(
    guest: Page, site: Site, calls_clerk: None, has_script: bool
) -> None:
    """clerk/javascript#8044: the link does nothing where a session is there already."""
    clerk = site.clerk
    clerk.configure(ticket_while_signed_in="sign_in")
    row = invite(clerk)
    arrive(guest, site, "right", row)
    guest.goto(clerk.accept_url(row.ticket))
    assert state(guest) == "join"
    guest.click(".org-invitations-primary")
    expect(guest.locator("[data-state=joined]")).to_be_visible()
    shot(guest, "joined")
    # With a script Clerk itself has accepted it; without one the server has made the member.
    assert row.state == ("accepted" if has_script else "revoked")
    [joining] = Joining.objects.all()
    assert (joining.state, joining.way) == ("done", "clerk" if has_script else "server")
    guest.click(".org-invitations-primary")
    guest.wait_for_url(f"{site.url}/")
    [session] = [s for s in clerk.state.sessions.values() if not s.ended]
    assert session.organization_id == row.organization_id


def test_a_policy_that_lets_no_script_call_clerk_stops_nobody(
    new_context: Callable[..., BrowserContext], site: Site
) -> None:
    page = new_context().new_page()
    row = invite(site.clerk)
    arrive(page, site, "right", row)
    page.click(".org-invitations-primary")
    expect(page.locator("[data-state=joined]")).to_be_visible()
    assert row.state == "revoked"
    assert is_member(site.clerk)


def test_a_proxy_below_a_path_of_the_site_stops_nobody(
    new_context: Callable[..., BrowserContext], site: Site, settings: Any
) -> None:
    page = new_context().new_page()
    arrive(page, site, "right", invite(site.clerk))
    settings.CLERK_PROXY_URL = "/__clerk"
    page.reload()
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url))
    page.click(".org-invitations-primary")
    expect(page.locator("[data-state=joined]")).to_be_visible()
    assert any(url.startswith(f"{site.url}/__clerk/v1/me/") for url in calls)


def test_a_token_that_expired_while_somebody_read_costs_one_more_press(
    guest: Page, site: Site, settings: Any
) -> None:
    settings.ORG_INVITATIONS_JOIN_WAYS = ["link", "server"]
    row = invite(site.clerk)
    arrive(guest, site, "right", row)
    cookies = [c for c in guest.context.cookies() if c["name"].startswith("__session")]
    old = site.clerk.mint_token(NORA, organization=None, issued_ago=300)
    guest.context.add_cookies([{"name": c["name"], "value": old, "url": site.url} for c in cookies])
    guest.click(".org-invitations-primary")
    expect(guest.locator("[role=alert]")).to_contain_text("has been renewed")
    shot(guest, "join-renewed")
    guest.click(".org-invitations-primary")
    expect(guest.locator("[data-state=joined]")).to_be_visible()
    assert is_member(site.clerk)


def test_who_joined_here_is_shown_as_joined(
    guest: Page, site: Site, new_context: Callable[..., BrowserContext], settings: Any
) -> None:
    settings.ORG_INVITATIONS_JOIN_WAYS = ["link", "server"]
    row = invite(site.clerk)
    arrive(guest, site, "right", row)
    guest.click(".org-invitations-primary")
    expect(guest.locator("[data-state=joined]")).to_be_visible()
    asks = invite(site.clerk, "expired", "late@example.com")
    guest.context.clear_cookies()
    guest.goto(url_of(site, asks))
    guest.click('button[value="ask"]')
    expect(guest.locator("[role=status]")).to_be_visible()
    shot(guest, "join-asked")
    manager = new_context().new_page()
    sign_in(manager, site)
    manager.goto(f"{site.invitations}?status=revoked")
    joined = manager.locator(f"#org-invitation-{row.id}")
    expect(joined.locator("[data-mark=joined]")).to_have_text("Joined")
    expect(joined.locator(".org-invitations-row-actions a")).to_have_count(0)
    shot(manager, "list-joined")
    manager.goto(f"{site.invitations}?status=expired")
    expect(manager.locator("[data-mark=asks]")).to_have_count(1)
    shot(manager, "list-asks")


def test_ones_own_invitations(guest: Page, site: Site, settings: Any, has_script: bool) -> None:
    settings.ORG_INVITATIONS_JOIN_WAYS = ["link", "server"]
    keep = invite(site.clerk)
    other = site.clerk.add_invitation("globex", NORA)
    arrive(guest, site, "right", keep)
    guest.goto(f"{site.url}/join/mine/")
    expect(guest.locator("li")).to_have_count(2)
    if has_script:
        assert_accessible(guest)
    shot(guest, "my-invitations")
    guest.click("li:has-text('Globex') button[value=decline]")
    expect(guest.locator("h1")).to_have_text("Invitation declined")
    shot(guest, "declined")
    assert other.state == "revoked"
    guest.goto(f"{site.url}/join/mine/")
    guest.click("li:has-text('Acme') button:has-text('Join')")
    expect(guest.locator("[data-state=joined]")).to_be_visible()
    assert is_member(site.clerk)
