"""Make sure that there is a Chromium for the browser tests, getting one where there is none.

Tried in this order: the one that ``CHROMIUM`` names, one on the PATH, Playwright's own
download, the system's package manager. The tests find it the same way.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
PACKAGE_MANAGERS = (
    ("apt-get", ("apt-get", "update", "-qq"), ("apt-get", "install", "-y", "-qq", "chromium")),
    ("dnf", None, ("dnf", "install", "-y", "chromium")),
    ("apk", None, ("apk", "add", "chromium")),
    ("pacman", None, ("pacman", "-S", "--noconfirm", "chromium")),
)


def find_browser() -> str | None:
    """Return the path of a Chromium, or None."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return (
        found or next((place for place in PLACES if Path(place).exists()), None) or _playwrights()
    )


def _playwrights() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install_browser() -> list[str]:
    """Get a Chromium from Playwright, else from the system's package manager.

    :returns: what was tried without success: each command, and a line of what it said.
    """
    failures = _run(sys.executable, "-m", "playwright", "install", "chromium")
    if find_browser():
        return []
    for name, update, install in PACKAGE_MANAGERS:
        if shutil.which(name):
            for command in filter(None, (update, install)):
                failures += _run(*command)
            break
    return failures


def _run(*command: str) -> list[str]:
    """Run a command without letting it speak; return a line about why it failed, if it did."""
    done = subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode == 0:
        return []
    said = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    why = next((line for line in said if re.match(r"(Error|E)\b", line)), "".join(said[-1:]))
    return [f"{' '.join(command)}: {why or f'exit code {done.returncode}'}"]


def main() -> int:
    """Return 0 if there is a Chromium now; 1 in CI if not. Elsewhere its tests are skipped."""
    if find_browser():
        return 0
    print("Getting a Chromium for the browser tests; this may take minutes ...", flush=True)
    failures = install_browser()
    browser = find_browser()
    if browser:
        print(f"There is one now: {browser}")
        return 0
    print("None could be had:", *failures, sep="\n  ")
    print("Set CHROMIUM to the path of one. Without it the browser tests are skipped.")
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
