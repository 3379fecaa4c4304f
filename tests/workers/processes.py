"""Workers of a site as processes: begun as the documents say, killed, stopped and woken."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.documents import ROOT, blocks, section, text
from tests.gates import WATCHDOG

#: What is printed is shortened by that: nobody waits for what a test does not need.
_MORE = {
    "worker": ["--concurrency", "1", "--without-mingle", "--without-gossip", "-l", "INFO"],
    "beat": ["-l", "INFO"],
    "db_worker": ["--interval", "0.2", "--no-startup-delay"],
    "ox_worker": ["--interval", "0.2"],
    "--loop": [],
}


class Process:
    """A process, and those that it has begun: a group of their own."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._log = log.open("w")
        self.log = log
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.group = self._process.pid

    def kill(self) -> None:
        """Kill all of it, as a machine that is gone would."""
        os.killpg(self.group, signal.SIGKILL)
        assert self._process.wait(WATCHDOG) == -signal.SIGKILL

    def stop(self) -> None:
        """Let none of it do anything until it is woken."""
        os.killpg(self.group, signal.SIGSTOP)

    def wake(self) -> None:
        """Let all of it go on where it was."""
        os.killpg(self.group, signal.SIGCONT)

    def end(self) -> None:
        """Tell it to end, as ``systemctl stop`` does, and wait until it has."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(WATCHDOG)

    def close(self) -> None:
        """Leave nothing behind."""
        with suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)
        self._process.wait(WATCHDOG)
        self._log.close()


class Site:
    """What begins the processes of a site, and ends all of them."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self.processes: list[Process] = []
        self._environment = environment | {
            "WORKERS_IS_WORKER": "1",
            "DJANGO_SETTINGS_MODULE": "tests.workers.settings",
            "PYTHONPATH": os.pathsep.join(
                [str(folder), str(ROOT), os.environ.get("PYTHONPATH", "")]
            ).strip(os.pathsep),
            "PYTHONUNBUFFERED": "1",
        }

    def start(self, command: str) -> Process:
        """Start a command as a document prints it: of ``celery``, or of ``python manage.py``."""
        words = command.split()
        if words[0] == "celery":
            words = [sys.executable, "-m", *words]
        else:
            assert words[0].endswith("python"), command
            assert words[1] == "manage.py", command
            words = [sys.executable, "-m", "django", *words[2:]]
        more = next(more for word, more in _MORE.items() if word in words)
        if "worker" in words:  # of two machines each has a name of its own
            more = [*more, "--hostname", f"number{len(self.processes)}@%h"]
        log = self.folder / f"{len(self.processes)}.log"
        process = Process([*words, *more], self._environment, log)
        self._stack.callback(process.close)
        self.processes.append(process)
        return process

    def get_logs(self) -> str:
        """Return what all of them have printed."""
        return "\n".join(
            f"--- {process.log.name}\n{process.log.read_text()[-3000:]}"
            for process in self.processes
        )

    def close(self) -> None:
        """End all of them."""
        self._stack.close()


def get_commands(engine: str) -> tuple[str, list[str]]:
    """Return how a document starts a worker, and what else it starts."""
    if engine == "loop":
        [unit] = blocks(text("docs/workers.md"), "ini")
        [command] = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
        return command.removeprefix("ExecStart="), []
    document, heading = (
        ("docs/celery.md", "# Celery")
        if engine.startswith("celery")
        else ("docs/django-tasks.md", f"## {engine}")
    )
    lines = "".join(blocks(section(document, heading), "sh")).splitlines()
    worker, *others = [line for line in lines if line.startswith(("celery", "python manage.py"))][
        0 if engine.startswith("celery") else 1 :
    ]
    return worker, others


def write_files(document: str, folder: Path) -> None:
    """Write what a document prints as files of ``mysite``."""
    for example in blocks(text(document), "python"):
        first, _, _ = example.partition("\n")
        if first.startswith("# mysite/"):
            file = folder / first.removeprefix("# ")
            file.parent.mkdir(exist_ok=True)
            file.write_text(example)


@contextmanager
def running(folder: Path, environment: dict[str, str]) -> Iterator[Site]:
    """A site that runs no process when this is over."""
    site = Site(folder, environment)
    try:
        yield site
    finally:
        site.close()
