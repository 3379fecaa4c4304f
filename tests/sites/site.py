"""A site: what ``startproject`` writes, the README's lines, and what a configuration adds."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .environments import ROOT, bare_environment, run

#: Seconds after which a server that does not listen is taken to have failed.
PATIENCE = 60


def blocks(document: str, language: str) -> list[str]:
    """Return the examples of a document in a language."""
    text = (ROOT / document).read_text()
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [str(block) for block in found]


def free_port() -> int:
    """Return a port on which nobody listens just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Site:
    """A folder with a Django project in it, and the Python that runs it."""

    def __init__(self, folder: Path, python: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.python = python
        self.environment = {"PYTHONWARNINGS": "default", **environment}
        folder.mkdir(parents=True)
        run(str(python), "-m", "django", "startproject", "mysite", str(folder))

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def add(self, name: str, text: str) -> None:
        """Put something at the end of a file."""
        path = self.folder / name
        path.write_text(f"{path.read_text()}\n\n{text}")

    def follow_readme(self, *, urls: str = "") -> None:
        """Put the README's lines where it says, or other URLs than its own."""
        settings, of_readme = blocks("README.md", "python")
        self.add("mysite/settings.py", settings)
        self.add("mysite/urls.py", urls or of_readme)

    def manage(self, *arguments: str) -> str:
        """Run ``manage.py``; return what it printed."""
        command = (str(self.python), "manage.py", *arguments)
        return run(*command, cwd=self.folder, env=self.environment)

    @contextmanager
    def served(self, command: tuple[str, ...], port: int) -> Iterator[Path]:
        """Serve the site while the context lasts; what the server says is in the file."""
        words = [word.format(port=port) for word in command]
        words[0] = str(self.python.parent / words[0])
        with running(tuple(words), port, self.folder, "server", self.environment) as log:
            yield log


@contextmanager
def running(
    command: tuple[str, ...], port: int, folder: Path, name: str, environment: dict[str, str]
) -> Iterator[Path]:
    """Run a server while the context lasts; what it says is in the file.

    :raises RuntimeError: it does not listen on its port.
    """
    log = folder / f"{name}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**bare_environment(), **environment, "PYTHONUNBUFFERED": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # workers end with it
        )
    try:
        _wait(process, port, log)
        yield log
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server does not listen:\n{log.read_text()[-3000:]}")
