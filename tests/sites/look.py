"""What a browser does on a site: the page in its look, an invitation, and its revocation."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin

from playwright.sync_api import Page, expect, sync_playwright

from tools.browser import find_browser

from .visit import Wrong

#: Milliseconds after which something is taken to hang.
PATIENCE = 30_000

ADDRESS = "browser@example.com"


@contextmanager
def a_page() -> Iterator[Page]:
    """A browser's page on which no script fails and nothing is blocked."""
    arguments = ["--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses to start as root with one
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=arguments)
        page = browser.new_page(locale="en-US")
        page.set_default_timeout(PATIENCE)
        complaints: list[str] = []
        page.on("console", lambda message: _hear(message, complaints))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        browser.close()
    if complaints:
        raise Wrong(f"the browser complains: {complaints[:3]}")


def _hear(message: Any, complaints: list[str]) -> None:
    # A refused form is no fault of the page's, no site of these has a favicon, and htmx 2 tells
    # that Send has ended the check of what was being typed.
    no_icon = str(message.location.get("url", "")).endswith("/favicon.ico")
    expected = no_icon or re.search(
        r"status of 4\d\d|^htmx:(afterRequest|sendAbort|xhr:abort)", message.text
    )
    if message.type in ("error", "warning") and not expected:
        complaints.append(message.text)


def look(url: str, cookies: dict[str, str]) -> None:
    """Invite somebody on the list at this URL, and revoke it, without leaving the page."""
    with a_page() as page:
        site = urljoin(url, "/")  # or the cookies would be for what is below this page
        page.context.add_cookies([{"name": k, "value": v, "url": site} for k, v in cookies.items()])
        page.goto(url)
        use(page)


def use(page: Page) -> None:
    """Invite somebody on the list that is open, and revoke it, without leaving the page."""
    page.evaluate("window.isStillHere = true")
    form = page.locator('form[action$="/invite/"]').first
    form.wait_for(state="attached")
    for closed in page.locator(".org-invitations-invite:not([open]) > summary").all():
        closed.evaluate("summary => summary.click()")  # a site may have something above it
    form.locator("[name=email_addresses]").fill(ADDRESS)
    form.evaluate("form => form.requestSubmit()")
    rows = page.locator("#org-invitations-list")
    expect(rows).to_contain_text(ADDRESS, timeout=PATIENCE)
    row = rows.locator("tr", has_text=ADDRESS)
    row.locator('a[href$="/revoke/"], a[href*="/revoke/?"]').first.evaluate("a => a.click()")
    question = page.locator('#org-invitations-dialog form[action*="/revoke/"]')
    expect(question).to_be_visible(timeout=PATIENCE)
    question.evaluate("form => form.requestSubmit()")
    expect(rows).not_to_contain_text(ADDRESS, timeout=PATIENCE)
    if not page.evaluate("window.isStillHere === true"):
        raise Wrong("the page was left: htmx does not work")
