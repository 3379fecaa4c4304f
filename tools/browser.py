"""Make sure that there is a Chromium for the browser tests, getting one where there is none.

Tried in this order: the one that ``CHROMIUM`` names, one on the PATH, Playwright's own
download, the system's package manager. The tests find it the same way.
"""

from __future__ import annotations

import os
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


def install_browser() -> None:
    """Get a Chromium from Playwright, else from the system's package manager."""
    _run(sys.executable, "-m", "playwright", "install", "chromium")
    if find_browser():
        return
    for name, update, install in PACKAGE_MANAGERS:
        if shutil.which(name):
            if update:
                _run(*update)
            _run(*install)
            return


def _run(*command: str) -> None:
    print("+", " ".join(command), flush=True)
    subprocess.run(command, check=False)


def main() -> int:
    """Return 0 if there is a Chromium now; 1 in CI if not. Elsewhere its tests are skipped."""
    if not find_browser():
        install_browser()
    browser = find_browser()
    if browser:
        return 0
    print("There is no Chromium and none could be installed; set CHROMIUM to the path of one.")
    print("The browser tests will be skipped.")
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
