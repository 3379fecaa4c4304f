"""What `make demo` starts, used from end to end by a person who sees only the browser."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .conftest import action, addresses, assert_accessible, shot, watch, write

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def demo(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """The addresses of the site and of the emulated Clerk, started as `make demo` does.

    A parameter is the skin.
    """
    port, emulator_port = free_port(), free_port()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CLERK_", "DJANGO_"))}
    process = subprocess.Popen(
        [sys.executable, "example_project/demo.py"],
        cwd=ROOT,
        env=kept
        | {
            "PORT": str(port),
            "EMULATOR_PORT": str(emulator_port),
            "SKIN": getattr(request, "param", ""),
            "DATABASE_URL": f"sqlite:///{tmp_path / 'demo.sqlite3'}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        printed = ""
        while "Open" not in printed:
            line = process.stdout.readline()
            assert line, f"the demo stopped: {printed}"
            printed += line
        assert re.findall(r"http\S+", printed) == [f"http://localhost:{port}/"]
        wait_for(port)
        yield f"http://localhost:{port}", f"http://localhost:{emulator_port}"
    finally:
        process.terminate()
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()


def wait_for(port: int) -> None:
    for _ in range(1_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("the site does not listen")


@pytest.mark.parametrize("javascript", [True, False], ids=["with", "without"])
def test_the_main_job(
    demo: tuple[str, str], new_context: Callable[..., BrowserContext], javascript: bool
) -> None:
    """Sign in, invite, page, revoke, read the mail, follow its link, see it gone, sign out."""
    home, clerk = demo
    page = new_context(java_script_enabled=javascript).new_page()
    complaints = watch(page)

    page.goto(home)
    shot(page, f"demo-home-{javascript}")
    page.get_by_role("banner").get_by_text("Sign in").click()
    page.click('button[value="ada@acme.test"]')
    page.wait_for_url(f"{home}/")
    page.click("text=Invite your crew")
    expect(page.locator("h1")).to_have_text("Invitations")
    expect(page.locator(".org-invitations-organization")).to_have_text("Acme")
    shot(page, f"demo-list-{javascript}")
    if javascript:
        assert_accessible(page)

    write(page, "not an address")
    page.click("#org-invitations-submit")
    expect(page.locator("#org-invitations-summary")).to_contain_text("not an email address")
    expect(page.locator("textarea[name=email_addresses]")).to_have_value("not an address")

    write(page, "sam@harbour.example")
    page.select_option("#org-invitations-form select[name=role]", label="Billing")
    page.click("#org-invitations-submit")
    expect(page.locator("#org-invitations-status")).to_have_text(
        "Invitation sent to sam@harbour.example as Billing."
    )
    assert addresses(page)[0] == "sam@harbour.example"

    first = addresses(page)
    page.click("text=Next")
    page.wait_for_url("**/?page=2")
    expect(page.locator("#org-invitations-list tbody th").first).not_to_have_text(first[0])
    person = addresses(page)[0]
    action(page, "revoke", person).click()
    expect(page.get_by_text(f"{person} was invited as")).to_be_visible()
    page.get_by_role("button", name="Revoke invitation").click()
    expect(page.locator("#org-invitations-status")).to_contain_text(
        f"Invitation to {person} revoked. Its link no longer works."
    )
    page.wait_for_url("**/?page=2")
    assert person not in addresses(page)

    sam = new_context(java_script_enabled=javascript).new_page()
    read_and_accept(sam, home, clerk)
    page.goto(f"{home}/invitations/")
    assert "sam@harbour.example" not in addresses(page)

    page.click("text=Sign out")
    page.wait_for_url(f"{home}/")
    expect(page.get_by_role("banner").get_by_text("Sign in")).to_be_visible()
    page.goto(f"{home}/invitations/")
    assert page.url.startswith(f"{clerk}/sign-in")
    assert complaints == []


@pytest.mark.parametrize("demo", ["bootstrap5"], indirect=True)
def test_the_skin_for_bootstrap(
    demo: tuple[str, str], new_context: Callable[..., BrowserContext], subtests: pytest.Subtests
) -> None:
    home, _ = demo
    page = new_context().new_page()
    complaints = watch(page)
    page.goto(f"{home}/invitations/")
    page.click('button[value="ada@acme.test"]')
    page.wait_for_url(f"{home}/invitations/**")
    field, button = page.locator("textarea"), page.locator("#org-invitations-submit")
    expect(field).to_have_class(re.compile("form-control"))
    expect(button).to_have_css("background-color", "rgb(13, 110, 253)")  # Bootstrap's primary

    page.click("#org-invitations-tab-expired")
    expect(page.locator("#org-invitations-tab-expired")).to_have_class("nav-link active")
    page.click("#org-invitations-tab-pending")
    write(page, "nobody")
    page.click("#org-invitations-submit")
    expect(page.locator("textarea")).to_have_class(re.compile("is-invalid"))
    write(page, "sam@harbour.example")
    page.click("#org-invitations-submit")
    expect(page.locator("#org-invitations-status")).to_contain_text("Invitation sent to sam")
    action(page, "revoke").click()
    expect(page.get_by_role("dialog")).to_contain_text("sam@harbour.example")
    shot(page, "bootstrap5-dialog")

    for theme in ("light", "dark"):
        for width in (320, 1280):
            with subtests.test(theme=theme, width=width):
                page.set_viewport_size({"width": width, "height": 900})
                page.goto(f"{home}/invitations/?theme={theme}")
                page.evaluate(
                    "document.querySelectorAll('details').forEach((one) => { one.open = true })"
                )
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                select = page.locator("#org-invitations-form select[name=role]").bounding_box()
                assert select is not None
                assert select["width"] > 150  # beside the addresses it keeps its room
                shot(page, f"bootstrap5-{theme}-{width}")
                assert_accessible(page)
    assert complaints == []


def read_and_accept(page: Page, home: str, clerk: str) -> None:
    page.goto(f"{clerk}/mailbox?to=sam@harbour.example")
    page.click("a:has-text('Acme')")
    shot(page, "demo-mail")
    link = page.locator("a[href*='ticket=']").first
    link.click()
    expect(page.locator("h1")).to_have_text("You are invited to Acme")
    shot(page, "demo-join")
    page.get_by_role("button", name="Create your account").click()
    page.wait_for_url(f"{clerk}/sign-up?*__clerk_status=sign_up")
    page.get_by_label("First name").fill("Sam")
    shot(page, "demo-sign-up")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{home}/join/**")
    expect(page.locator("h1")).to_have_text("You belong to Acme")
    page.get_by_role("button", name="Go on to Acme").click()
    page.wait_for_url(f"{home}/")
    expect(page.get_by_text("Sign out")).to_be_visible()


@pytest.mark.usefixtures("chromium")  # its event loop may run already, which Django must allow
def test_a_taken_port_is_told(demo: tuple[str, str]) -> None:
    port = demo[0].rsplit(":", 1)[-1]
    done = subprocess.run(
        [sys.executable, "example_project/demo.py"],
        cwd=ROOT,
        env=os.environ | {"PORT": port, "EMULATOR_PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert f"Port {port} is in use." in done.stdout
    assert "make demo PORT=" in done.stdout
