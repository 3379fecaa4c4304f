"""What workers do, in a browser: it moves by itself, and is paused, gone on with, cancelled."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from org_invitations.emulator import Emulator
from org_invitations.models import Batch, BatchItem
from org_invitations.services.batches.tick import tick
from tests.ledger import allow_many

from .conftest import (
    PATIENCE,
    Site,
    assert_accessible,
    focused,
    looks,
    shot,
    sign_in,
    write,
)

pytestmark = pytest.mark.usefixtures("background")

PROGRESS = "#org-invitations-progress"
TEXT = "#org-invitations-progress-text"
PAUSE = "#org-invitations-pause"
TITLE = "#org-invitations-outcome-title"


class Worker(threading.Thread):
    """A worker beside the site, which makes as many calls as it is let."""

    def __init__(self, clerk: Emulator) -> None:
        super().__init__(daemon=True)
        self.clerk = clerk
        self._let = threading.Semaphore(0)
        self._is_over = False

    def let(self, calls: int) -> None:
        """Let it make so many calls that invite."""
        for _ in range(calls):
            self._let.release()

    def end(self) -> None:
        """Let it end, and wait for that."""
        self._is_over = True
        self._let.release()
        self.join(PATIENCE / 1000)
        assert not self.is_alive()

    def run(self) -> None:
        """Work."""
        try:
            while self._let.acquire() and not self._is_over:
                before = self._count()
                tick(should_stop=lambda before=before: self._count() > before)  # type: ignore[misc]
        finally:
            connections.close_all()

    def _count(self) -> int:
        return sum(call.method == "POST" for call in list(self.clerk.requests))


@pytest.fixture
def background(site: Site, settings: Any) -> None:
    """The site leaves many to workers."""
    settings.ORG_INVITATIONS_BACKGROUND = True
    settings.TIME_ZONE = "Europe/Helsinki"
    allow_many(site.clerk)


@pytest.fixture
def worker(site: Site, background: None) -> Iterator[Worker]:
    """A worker that waits to be let work."""
    worker = Worker(site.clerk)
    worker.start()
    yield worker
    worker.end()


def press(page: Page, count: int = 40) -> None:
    """Paste so many, see what would become of them, and send."""
    write(page, "\n".join(f"person{number}@example.com" for number in range(count)))
    expect(page.locator("input[name=reviewed]")).to_have_count(1)  # the check has been shown
    page.get_by_role("button", name=f"Send {count} invitations").click()
    expect(page.locator(TITLE)).to_have_text(f"Sending {count} invitations")


def begun(site: Site, count: int = 465, done: int = 195, **more: Any) -> str:
    """Write down what workers are in the middle of; returns where that is shown."""
    values: dict[str, Any] = {
        "organization_id": site.clerk.organization("acme").id,
        "user_id": site.clerk.user("ada@acme.test").id,
        "instance": "clerk.emulator.test",
        "action": "invite",
        "in_background": True,
    }
    batch = Batch.objects.create(**values | more)
    slip = {"text": "hal@newco,example", "email_address": "", "line": 7}
    refused = {"state": "refused", "reason": "not-an-address", **slip}
    BatchItem.objects.bulk_create(
        BatchItem(
            batch=batch,
            number=number,
            **{
                "email_address": f"n{number}@example.com",
                "role": "org:member",
                "state": "done" if number < done else "waiting",
            }
            | (refused if number >= count - 3 else {}),
        )
        for number in range(count)
    )
    return f"{site.invitations}outcomes/{batch.pk}/progress/"


def test_it_moves_by_itself_while_a_worker_works_and_becomes_the_outcome(
    ada: Page, worker: Worker
) -> None:
    press(ada)
    expect(ada.locator(TITLE)).to_be_focused()
    expect(ada.locator(TEXT)).to_have_text("0 of 40 sent")
    address = ada.url
    worker.let(1)
    expect(ada.locator(TEXT)).to_have_text("10 of 40 sent")
    expect(ada.locator("progress")).to_have_js_property("value", 10)
    assert focused(ada) == TITLE.removeprefix("#")  # looking on moves no focus
    worker.let(2)
    expect(ada.locator(TEXT)).to_have_text("30 of 40 sent")
    assert ada.url == address
    worker.let(1)
    expect(ada.locator(TITLE)).to_have_text("40 sent")
    expect(ada.locator(TITLE)).to_be_focused()
    assert ada.url == address.replace("progress/", "")


def test_while_nobody_sees_the_page_it_is_not_looked_at_again(ada: Page, worker: Worker) -> None:
    press(ada, 20)
    hide = """is => Object.defineProperty(document, "hidden", { value: is, configurable: true })"""
    ada.evaluate(hide, arg=True)
    looks_at: list[str] = []
    ada.on("request", lambda request: looks_at.append(request.url))
    worker.let(1)
    wait_for(lambda: BatchItem.objects.filter(state="done").count() == 10)
    ada.locator(PROGRESS).dispatch_event("renewed")
    assert looks_at == []
    ada.evaluate(hide, arg=False)
    expect(ada.locator(TEXT)).to_have_text("10 of 20 sent")


def test_that_the_site_is_not_reached_is_said_once_and_until_it_is(
    ada: Page, worker: Worker
) -> None:
    press(ada, 20)
    alert = ada.locator("#org-invitations-alert")
    ada.context.set_offline(True)
    expect(alert).to_contain_text("The page could not be reached.")
    alert.locator("p").evaluate("said => { said.dataset.first = 'yes' }")
    with ada.expect_event("requestfailed"):
        pass  # the next look
    expect(alert.locator("[data-first]")).to_have_count(1)
    ada.context.set_offline(False)
    expect(alert).to_be_empty()


def test_by_keyboard_it_is_paused_gone_on_with_and_cancelled(ada: Page, worker: Worker) -> None:
    press(ada)
    worker.let(1)
    expect(ada.locator(TEXT)).to_have_text("10 of 40 sent")
    ada.focus(PAUSE)
    ada.keyboard.press("Enter")
    expect(ada.locator(TEXT)).to_have_text("Paused: 10 of 40 sent")
    expect(ada.locator(PAUSE)).to_have_text("Continue")
    expect(ada.locator(PAUSE)).to_be_focused()
    expect(ada.locator("#org-invitations-status")).to_have_text("Paused: 10 of 40 sent")
    ada.keyboard.press("Enter")
    expect(ada.locator(PAUSE)).to_have_text("Pause")
    expect(ada.locator(PAUSE)).to_be_focused()
    ada.keyboard.press("Tab")
    assert focused(ada) == "org-invitations-cancel"
    ada.keyboard.press("Enter")
    dialog = ada.get_by_role("dialog", name="Cancel the other 30 invitations?")
    expect(dialog.get_by_role("button", name="Keep going")).to_be_focused()
    assert_accessible(ada)
    shot(ada, "progress-cancel")
    ada.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(ada.locator("#org-invitations-cancel")).to_be_focused()
    ada.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    ada.keyboard.press("Tab")
    ada.keyboard.press("Enter")
    expect(ada.locator(TITLE)).to_have_text("10 sent · 30 not sent")
    expect(ada.locator(TITLE)).to_be_focused()


def test_what_somebody_else_pauses_is_paused_on_every_page(
    ada: Page, site: Site, new_context: Callable[..., BrowserContext], worker: Worker
) -> None:
    press(ada)
    other = new_context().new_page()
    sign_in(other, site, "bo@both.test")
    other.goto(ada.url)
    ada.focus(PAUSE)
    other.locator(PAUSE).click()
    expect(ada.locator(TEXT)).to_have_text("Paused: 0 of 40 sent")
    expect(ada.locator(PAUSE)).to_be_focused()
    expect(ada.locator("#org-invitations-status")).to_have_text("Paused: 0 of 40 sent")
    expect(ada.locator(PAUSE)).to_have_text("Continue")
    expect(ada.locator(PROGRESS)).to_contain_text("Bo Andersen has paused this.")


def test_without_scripts_it_is_looked_at_again_by_a_link(
    site: Site, new_context: Callable[..., BrowserContext], worker: Worker
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    sign_in(page, site)
    page.goto(f"{site.invitations}invite/")
    page.fill("textarea[name=email_addresses]", "\n".join(f"p{n}@x.example" for n in range(20)))
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Send 20 invitations").click()
    expect(page.locator(TEXT)).to_have_text("0 of 20 sent")
    page.click("text=Pause")
    expect(page.locator(TEXT)).to_have_text("Paused: 0 of 20 sent")
    page.click("text=Continue")
    worker.let(1)
    wait_for(lambda: BatchItem.objects.filter(state="done").count() == 10)
    page.click("text=Refresh")
    expect(page.locator(TEXT)).to_have_text("10 of 20 sent")
    page.click("text=Cancel the rest")
    expect(page.locator("h1")).to_have_text("Cancel the other 10 invitations?")
    page.click("text=Cancel the other 10 >> nth=-1")
    expect(page.locator("h1")).to_contain_text("10 sent")


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait until something is so in the database."""
    over = threading.Event()
    for _ in range(PATIENCE // 20):
        if is_so():
            return
        over.wait(0.02)
    raise AssertionError("it never was so")


@pytest.mark.parametrize("state", ["running", "paused", "stopped", "no-worker", "done"])
def test_it_can_be_used_by_everybody_and_fits(ada: Page, site: Site, state: str) -> None:
    more: dict[str, Any] = {}
    if state in ("paused", "stopped"):
        more = {"paused_at": timezone.now()}
        bo = site.clerk.user("bo@both.test").id
        more |= {"paused_by": bo} if state == "paused" else {"paused_because": "Background:class"}
    if state == "no-worker":
        more = {"created_at": timezone.now() - timedelta(hours=1)}
    ada.goto(begun(site, done=465 if state == "done" else 195, **more))
    for name, is_looked_at in looks(ada):
        if is_looked_at:
            assert_accessible(ada)
        assert ada.evaluate("document.documentElement.scrollWidth <= innerWidth")
        shot(ada, f"progress-{state}-{name}")


def test_it_can_be_read_in_german(site: Site, new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(locale="de-DE").new_page()
    sign_in(page, site)
    page.goto(begun(site))
    expect(page.locator(TEXT)).to_have_text("195 von 465 gesendet")
    expect(page.locator(PROGRESS)).to_contain_text(re.compile(r"fertig gegen \d+:\d\d Uhr \(Hels"))
    shot(page, "progress-german")


def test_the_list_says_what_workers_do(ada: Page, site: Site) -> None:
    address = begun(site)
    begun(site, 24, 3, user_id=site.clerk.user("mia@acme.test").id, paused_at=timezone.now())
    ada.goto(site.invitations)
    for name, is_looked_at in looks(ada):
        if is_looked_at:
            assert_accessible(ada)
        assert ada.evaluate("document.documentElement.scrollWidth <= innerWidth")
        shot(ada, f"list-running-{name}")
    ada.get_by_role("link", name="195 of 465 sent").click()
    expect(ada).to_have_url(address)
