"""What people upload, in a real browser: what is asked and offered is one press."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .conftest import Site, assert_accessible, open_form, shot, sign_in, write
from .test_inviting import CHECK, EMAIL, SEND, SUMMARY, fits

ZOOM = (
    "Meeting ID,Topic,Start Time,End Time,User Email,Duration (Minutes),Participants\r\n"
    "812 3456 7890,Kick-off,11/24/2026 09:00:00 AM,11/24/2026 09:45:00 AM,host@example.com,45,3\r\n"
    "\r\n"
    "Name (Original Name),User Email,Total Duration (Minutes),Guest\r\n"
    "Ana Doe,ana@example.com,44,Yes\r\n"
    "Bo Roe (Bo),bo@example.com,40,Yes\r\n"
    "iPhone,,12,Yes\r\n"
)
MICROSOFT_365 = (
    "Block credential,City,Country/Region,Department,Display name,First name,Last name,Licenses,"
    "Office,Proxy addresses,Title,Usage location,User principal name,When created\r\n"
    + "".join(
        f"False,Oslo,Norway,Sales,Person {n},Per,Son{n},Microsoft 365 Business+Teams,,"
        f"SMTP:person{n}@example.com+smtp:p{n}@old.example,Manager,NO,person{n}@example.com,2024\r\n"
        for n in range(40)
    )
    + "False,,,,Cy (Guest),Cy,,Unlicensed,,,,,cy_outlook.com#EXT#@contoso.onmicrosoft.com,2025\r\n"
)
ROSTER = (
    "Student Last Name,Student First Name,Student Email,Parent Email\n"
    "Hennessy,Noah,noah@example.com,parent@example.com\n"
    "Doe,Ana,ana@example.com,parent2@example.com\n"
)
JAPANESE = (
    "社員名簿 2026年\r\n\r\n氏名,部署,メールアドレス,役割\r\n"
    "山田 太郎,営業部,taro@example.com,Member\r\n鈴木 花子,開発部,hanako@example.com,Billing\r\n"
    "田中 美咲,,misaki at example.com,Member\r\n"
)
TITLES = "Name,Email,Role\nAna Doe,ana@example.com,Engineer\nBo Roe,bo@gmial.com,Sales Manager\n"
FILES = {
    "zoom": ZOOM.encode(),
    "microsoft-365": MICROSOFT_365.encode("utf-8-sig"),
    "roster": ROSTER.encode(),
    "japanese": JAPANESE.encode("cp932"),
    "role-is-none": TITLES.encode(),
}


@pytest.fixture
def choose_file(tmp_path: Path) -> Callable[[Page, str], None]:
    """A function that chooses one of the files."""

    def choose(page: Page, name: str) -> None:
        file = tmp_path / f"{name}.csv"
        file.write_bytes(FILES[name])
        if not page.locator("input[type=file]").is_visible():
            open_form(page)
            page.click("text=More options")
        page.set_input_files("input[type=file]", file)

    return choose


@pytest.mark.parametrize("name", FILES)
def test_the_check_of_a_file_can_be_read(
    new_context: Callable[..., BrowserContext],
    site: Site,
    choose_file: Callable[[Page, str], None],
    name: str,
) -> None:
    page = new_context().new_page()
    sign_in(page, site)
    choose_file(page, name)
    expect(page.locator("#org-invitations-check-title")).to_be_attached()
    expect(page.locator("input[type=file]")).to_have_value("")
    expect(page.locator(EMAIL)).not_to_have_value("")
    if name == "zoom":
        expect(page.locator(EMAIL)).not_to_have_value(re.compile("host@"))
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert fits(page), width
        shot(page, f"reading-{name}-{width}")
        assert_accessible(page)


def test_a_suggestion_is_one_press_and_the_focus_is_not_lost(ada: Page) -> None:
    write(ada, "one@gmial.com, two at example.com")
    expect(ada.locator(SUMMARY)).to_have_text("2 to fix. Nobody to invite.")
    ada.get_by_role("button", name="Use two@example.com").press("Enter")
    expect(ada.locator(EMAIL)).to_have_value("one@gmial.com\ntwo@example.com")
    expect(ada.locator(SUMMARY)).to_have_text("1 to fix. 1 will be sent.")
    # The next one is a press away.
    expect(ada.get_by_role("button", name="Use one@gmail.com")).to_be_focused()
    ada.keyboard.press("Enter")
    expect(ada.locator(EMAIL)).to_have_value("one@gmail.com\ntwo@example.com")
    expect(ada.locator(SEND)).to_have_text("Send 2 invitations")


def test_a_column_is_one_press(
    ada: Page, site: Site, choose_file: Callable[[Page, str], None]
) -> None:
    choose_file(ada, "roster")
    expect(ada.locator(SUMMARY)).to_contain_text(
        "Nothing can be sent before you have said whom you mean."
    )
    ada.get_by_role("button", name="Only “Parent Email”").click()
    expect(ada.locator(SUMMARY)).to_have_text("2 will be sent.")
    expect(ada.locator(EMAIL)).to_have_value("parent@example.com\nparent2@example.com")
    ada.click(SEND)
    expect(ada.locator("#org-invitations-outcome-title")).to_have_text("2 sent")


def test_without_javascript_they_are_too(
    new_context: Callable[..., BrowserContext],
    site: Site,
    choose_file: Callable[[Page, str], None],
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    sign_in(page, site)
    choose_file(page, "roster")
    page.click("text=Check first")
    page.get_by_role("button", name="Only “Student Email”").click()
    expect(page.locator(CHECK)).to_contain_text("noah@example.com")
    expect(page.locator(CHECK)).not_to_contain_text("parent@example.com")
    write(page, "one@gmial.com two@example.com")
    page.click("text=Check again") if page.locator("text=Check again").count() else page.click(SEND)
    page.get_by_role("button", name="Use one@gmail.com").click()
    expect(page.locator(EMAIL)).to_have_value(re.compile("one@gmail.com"))
    page.click(SEND)
    expect(page.locator("#org-invitations-outcome-title")).to_have_text("2 sent")
