"""From ``startproject`` to the page, and to tests of a site's own, by the documents alone."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import requests

from tools.browser import find_browser

from .environments import Environments, run
from .look import PATIENCE, a_page, use
from .site import Site, blocks, free_port, running
from .visit import Skipped, Wrong


def walk(environments: Environments, folder: Path) -> str:
    """Follow the README from an empty folder to the page; return how many edits that took.

    Its lines are run as they are printed, but for the ports, which somebody may use already.
    """
    python = environments.python("newest")
    site = Site(folder, python, {})
    site.follow_readme()
    edits = len(blocks("README.md", "python"))
    emulator = next(b for b in blocks("README.md", "sh") if "-m org_invitations.emulator" in b)
    commands = next(b for b in blocks("README.md", "sh") if "runserver" in b)

    port, clerks_port = free_port(), free_port()
    path = {"PATH": f"{python.parent}:{os.environ['PATH']}"}
    start = f"{emulator.strip()} --port {clerks_port} --site http://localhost:{port}"
    with running(("sh", "-euc", start), clerks_port, folder, "clerk", path) as said:
        lines = [line for line in said.read_text().splitlines() if line.startswith("export ")]
        lines.append(commands.strip().replace("runserver", f"runserver --noreload {port}"))
        with running(("sh", "-euc", "\n".join(lines)), port, folder, "server", path) as log:
            if "WARNINGS" in log.read_text():
                raise Wrong(f"a check complains:\n{log.read_text()}")
            if find_browser() is None:
                raise Skipped("there is no browser")
            for host in ("127.0.0.1", "localhost"):
                _visit(f"http://{host}:{port}", clerks_port)
    return f"{edits} edits, {commands.count('manage.py')} commands, 127.0.0.1 and localhost"


def _visit(url: str, clerks_port: int) -> None:
    """Sign in, invite and revoke; and go on where the session has expired meanwhile."""
    with a_page() as page:
        page.goto(f"{url}/invitations/")
        page.click('button[value="ada@acme.test"]')
        page.wait_for_url(f"{url}/invitations/**", timeout=PATIENCE)
        use(page)
        _expire(page.context, url, clerks_port)
        use(page)


def _expire(context: Any, url: str, clerks_port: int) -> None:
    order = {"user": "ada@acme.test", "issued_ago": 3600}
    answer = requests.post(
        f"http://localhost:{clerks_port}/_emulator/tokens", json=order, timeout=60
    )
    answer.raise_for_status()
    old = next(value for name, value in answer.json()["cookies"].items() if name == "__session")
    kept = [cookie for cookie in context.cookies() if cookie["name"].startswith("__session")]
    if not kept:
        raise Wrong("there was no session")
    context.add_cookies([{"name": c["name"], "value": old, "url": url} for c in kept])


def fixtures(environments: Environments, folder: Path) -> str:
    """Run the tests that the documents print, in a site that followed the README."""
    done = []
    for name in ("newest", "lowest"):
        python = environments.python(name)
        site = Site(folder / name, python, {})
        site.follow_readme()
        plugins, test, unsafe, browser_test = blocks("docs/testing.md", "python")[:4]
        site.write("conftest.py", f"{unsafe}\n{plugins}")
        site.write("tests/test_invite.py", f"{test}\n\n{browser_test}")
        site.write("pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = mysite.settings\n")
        # Where the browser is, is this machine's business.
        site.write("tests/conftest.py", HERE.format(path=find_browser()))
        said = run(str(python), "-m", "pytest", "-q", "-n", "2", cwd=site.folder)
        found = re.search(r"(\d+) passed", said)
        if found is None or int(found[1]) != 2:
            raise Wrong(said)
        done.append(f"{name}: {found[0]}")
    return "; ".join(done)


def types(environments: Environments, folder: Path) -> str:
    """Hold a typed site, and the examples of the documents, against mypy and pyright."""
    python = environments.python("newest")
    folder.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("sample.py"), folder / "sample.py")
    examples = [block for block in blocks("docs/views.md", "python") if "Wording.messages" in block]
    for number, example in enumerate(examples):
        (folder / f"example_{number}.py").write_text(example)
    run(str(python), "-m", "mypy", "--strict", ".", cwd=folder)
    for document in (
        "views",
        "overriding",
        "service",
        "errors",
        "sessions",
        "identity",
        "templates",
    ):
        for number, example in enumerate(blocks(f"docs/{document}.md", "python")):
            (folder / f"{document}_{number}.py").write_text(example)
    # An example is a piece of a site: it names what stands elsewhere.
    elsewhere = [f"--disable-error-code={code}" for code in ("name-defined", "import-not-found")]
    run(str(python), "-m", "mypy", *elsewhere, ".", cwd=folder)
    try:
        run(str(python), "-m", "pyright", "--version", cwd=folder)
    except RuntimeError:  # it gets itself from another registry when it is first used
        return "mypy; pyright cannot be had here"
    names = ("sample.py", *(f"example_{number}.py" for number in range(len(examples))))
    run(str(python), "-m", "pyright", "--pythonpath", str(python), *names, cwd=folder)
    return f"mypy and pyright, {len(examples)} examples of Wording"


HERE = """
import pytest


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {{**browser_type_launch_args, "executable_path": {path!r}, "args": ["--no-sandbox"]}}
"""
