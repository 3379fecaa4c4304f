"""A real Chromium, a site behind a socket, and the emulated Clerk it talks to."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from org_invitations.emulator import Emulator, EmulatorServer
from tools.browser import find_browser

from .ways import Way

#: Chromium's own housekeeping would look for hosts on the network.
ARGUMENTS = [
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

#: Milliseconds after which something is taken to hang.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all that is in this folder."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def chromium(django_db_setup: None) -> Iterator[Browser]:
    """The browser; in CI it must be there.

    The tests' database comes first: it cannot be made beside Playwright's event loop.

    One for each file, no longer: Playwright keeps an event loop running in this thread, in which
    Django refuses to work and other tests cannot run one of their own.
    """
    path = find_browser()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("There is no Chromium: tools/browser.py gets one.")
        pytest.skip("There is no Chromium: tools/browser.py gets one.")
    arguments = list(ARGUMENTS)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses to start as root with one
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - Django's name
        """Say nothing."""


class Site:
    """The tests' site, served by threads of this process."""

    def __init__(self, url: str, clerk: Emulator, way: Way) -> None:
        self.url = url
        self.clerk = clerk
        self.way = way
        self.invitations = f"{url}/invitations/"

    def open_invitations(self, page: Page) -> None:
        """Come to the page of invitations, in the way of this site."""
        if self.way.page != "arrived":
            page.goto(self.invitations)
            return
        page.goto(f"{self.url}/elsewhere/")
        page.evaluate("window.isBoosted = true")
        page.get_by_role("link", name="Invitations").click()
        page.wait_for_url(self.invitations)
        while not page.evaluate("window.orgInvitations"):  # the script comes with the content
            page.wait_for_timeout(20)
        assert page.evaluate("window.isBoosted"), "the link was not boosted"


@pytest.fixture
def htmx_way(request: pytest.FixtureRequest) -> Way:
    """The htmx of the site: a parameter, or else what the app's own base loads."""
    return getattr(request, "param", Way())


@pytest.fixture
def site(
    clerk_emulator_server: EmulatorServer, settings: Any, ten_a_page: None, htmx_way: Way
) -> Iterator[Site]:
    """The tests' site with the app's own look, under a strict Content-Security-Policy."""
    htmx_way.install(settings)
    clerk = clerk_emulator_server.emulator
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.browser.csp.StrictPolicy"]
    server = ThreadedWSGIServer(("localhost", 0), _QuietHandler)
    server.set_app(StaticFilesHandler(WSGIHandler()))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    url = f"http://localhost:{server.server_port}"
    clerk.site = url
    yield Site(url, clerk, htmx_way)
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def new_context(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """A function that opens a browser window of its own, without any cookie."""
    contexts: list[BrowserContext] = []

    def new(**options: Any) -> BrowserContext:
        context = chromium.new_context(
            **{"viewport": {"width": 1280, "height": 900}, "locale": "en-US"} | options
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        return context

    yield new
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Iterator[Page]:
    """A page on which no script fails and nothing is blocked."""
    page = new_context().new_page()
    complaints = watch(page)
    yield page
    assert complaints == []


def watch(page: Page) -> list[str]:
    """Collect what goes wrong on a page; a refused form is no fault of the page's."""
    complaints: list[str] = []

    def console(message: Any) -> None:
        expected = re.search(
            r"status of (4\d\d|503)|^Response Status Error Code|net::ERR_"
            r"|^htmx:(afterRequest|sendError|sendAbort|xhr:abort)"  # htmx 2
            r"|^htmx: htmx:error: Failed to fetch",  # htmx 4
            message.text,
        )
        if message.type == "error" and not expected:
            complaints.append(message.text)

    page.on("console", console)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


def sign_in(page: Page, site: Site, user: str = "ada@acme.test") -> None:
    """Open the invitations, signed in for an hour."""
    cookies = site.clerk.session_cookies(user, lifetime=3600)
    page.context.add_cookies(
        [{"name": name, "value": value, "url": site.url} for name, value in cookies.items()]
    )
    site.open_invitations(page)


def sign_in_at_clerk(page: Page, site: Site, user: str = "ada@acme.test") -> None:
    """Open the invitations and sign in on the way: so Clerk knows the browser, and can renew."""
    page.goto(site.invitations)
    page.click(f'button[value="{user}"]')
    page.wait_for_url(f"{site.invitations}**")


@pytest.fixture
def ada(page: Page, site: Site) -> Page:
    """The page of invitations, with Ada before it."""
    sign_in(page, site)
    return page


def open_form(page: Page) -> None:
    """Open the form above the list, where it is not open."""
    closed = page.locator(".org-invitations-invite:not([open]) > summary")
    if closed.count():
        closed.click()


def write(page: Page, text: str) -> None:
    """Write whom to invite into the form."""
    open_form(page)
    page.fill("textarea[name=email_addresses]", text)


def action(page: Page, name: str, person: str = "") -> Locator:
    """The link that does something to a person's invitation; to the first one's by default.

    Where it is in the menu, that is opened.
    """
    row = page.locator("#org-invitations-list tbody tr", has_text=person).first
    link = row.locator(f"a[href*='/{name}/']:visible").first
    if not link.is_visible():
        row.locator("summary").click()
    return link


def menu(page: Page, person: str = "") -> Locator:
    """What opens the menu of a person's invitation."""
    return page.locator("#org-invitations-list tbody tr", has_text=person).first.locator("summary")


def focused(page: Page) -> str:
    """What has the focus: its id, else its text, else its tag."""
    script = "(e => e.id || e.innerText || e.tagName)(document.activeElement)"
    return str(page.evaluate(script)).strip()


def status(page: Page) -> str:
    """What the status region says."""
    return page.locator("#org-invitations-status").inner_text().strip()


def addresses(page: Page) -> list[str]:
    """The addresses of the list, from the top."""
    return page.locator("#org-invitations-list tbody th").all_inner_texts()


def assert_accessible(page: Page, **where: Any) -> None:
    """Let axe-core look at the page as it is now, contrast included."""
    found = Axe().run(page)
    report = [
        f"{violation['id']}: {node['html']}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]
    assert report == []


def looks(
    page: Page, *, widths: tuple[int, ...] = (320, 1280), height: int = 900
) -> Iterator[tuple[str, bool]]:
    """Show a page as it is now on each of the screens, in light and in dark, one after the other.

    Gives the name of each, and whether axe-core is to look: at every width, and in both schemes.
    """
    for at, width in enumerate(widths):
        page.set_viewport_size({"width": width, "height": height})
        for number, scheme in enumerate(("light", "dark")):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            yield f"{width}-{scheme}", number == at % 2


def shot(page: Page, name: str) -> None:
    """Save a screenshot where ``SCREENSHOTS`` says, for people to look at."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.wait_for_timeout(150)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True, caret="initial")
