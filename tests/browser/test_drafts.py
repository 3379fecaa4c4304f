"""Many addresses of a file, in a browser: their page, and the way from it to the progress."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ledger import allow_many

from .conftest import Site, assert_accessible, looks, open_form, shot, write


@pytest.fixture(autouse=True)
def _background(site: Site, settings: Any) -> None:
    settings.ORG_INVITATIONS_BACKGROUND = True
    allow_many(site.clerk)


def test_a_file_of_many_is_checked_on_a_page_of_its_own_and_sent_from_it(ada: Page) -> None:
    open_form(ada)
    rows = [*(f"person{number}@example.com" for number in range(1500)), "hal@newco,example"]
    ada.locator("summary", has_text="More options").click()
    ada.set_input_files(
        "input[name=file]",
        {"name": "people.csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode()},
    )
    title = ada.get_by_role("heading", level=1)
    expect(title).to_have_text("1501 addresses, checked and not sent")
    assert "/drafts/" in ada.url
    for name, is_read in looks(ada):
        shot(ada, f"draft-{name}")
        if is_read:
            assert_accessible(ada)
    address = ada.url
    ada.goto(address.partition("drafts/")[0])
    ada.locator(".org-invitations-bar", has_text="1501 addresses").get_by_role("link").click()
    expect(title).to_have_text("1501 addresses, checked and not sent")
    ada.get_by_role("button", name="Send 1500 invitations").click()
    expect(title).to_contain_text("Sending")
    ada.goto(address)
    expect(title).to_contain_text("Sending")


def test_from_where_nothing_came_of_it_one_comes_back_to_it(ada: Page, site: Site) -> None:
    open_form(ada)
    write(ada, " ".join(f"person{number}@example.com" for number in range(150)))
    ada.locator("#org-invitations-submit").click()
    send = ada.get_by_role("button", name="Send 150 invitations")
    expect(send).to_be_visible()
    site.clerk.fault("GET", "/v1/*", times=None, status=500)
    send.click()
    back = ada.get_by_role("link", name="Back to the addresses")
    expect(back).to_be_visible()
    for name, is_read in looks(ada):
        shot(ada, f"draft-failed-{name}")
        if is_read:
            assert_accessible(ada)
    site.clerk.faults.clear()
    back.click()
    expect(send).to_be_visible()
