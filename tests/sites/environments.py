"""The wheel, and the environments that sites are run in: it and what else they use."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: What sites use beside the app.
PACKAGES = (
    "Jinja2",
    "daphne",
    "django-csp",
    "django-debug-toolbar",
    "djangorestframework",
    "gevent",
    "gunicorn",
    "redis",
    "uvicorn",
    "whitenoise",
)
#: What tests of a site use beside the extra ``testing``.
TESTING = ("pytest-playwright", "pytest-xdist")
#: What holds its types against those of the wheel.
TYPES = ("django-stubs", "mypy", "pyright")


def run(*command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a command to its end; return what it printed.

    :param env: what its environment has besides the usual.
    :raises RuntimeError: it failed; with the end of what it said.
    """
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=bare_environment() | (env or {}),
        check=False,
        timeout=600,
    )
    said = done.stdout + done.stderr
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{said.strip()[-3000:]}")
    return said


def bare_environment() -> dict[str, str]:
    """Return the environment without the variables of a coverage run or of an active Python."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("COV", "PYTHON", "VIRTUAL"))}


class Environments:
    """A folder of virtual environments, kept from run to run; the wheel in them is this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheel = self._build()

    @cache  # noqa: B019 - there is one for as long as the process lasts
    def python(self, name: str) -> Path:
        """Return the Python of an environment: ``newest``, ``lowest`` or ``testing``."""
        place = self.folder / name
        python = place / "bin" / "python"
        wanted = self._requirements(name)
        made_with = place / "requirements.txt"
        if not made_with.exists() or made_with.read_text() != "\n".join(wanted):
            shutil.rmtree(place, ignore_errors=True)
            run(self._interpreter(name), "-m", "venv", str(place))
            run(str(python), "-m", "pip", "install", "--quiet", f"{self.wheel}", *wanted)
            made_with.write_text("\n".join(wanted))
        else:
            again = ("--quiet", "--force-reinstall", "--no-deps", str(self.wheel))
            run(str(python), "-m", "pip", "install", *again)
        return python

    def version_of(self, name: str, package: str) -> str:
        """Return which version of a package is in an environment."""
        code = f"from importlib.metadata import version; print(version({package!r}))"
        return run(str(self.python(name)), "-c", code).strip()

    def _interpreter(self, name: str) -> str:
        if name == "lowest":
            return sys.executable
        return run("sh", str(ROOT / "tools" / "python.sh"), "--newest").strip() or sys.executable

    def _requirements(self, name: str) -> list[str]:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        if name == "lowest":
            # The upper bounds of others may still move; what this package names is the lowest.
            bounds = [*project["dependencies"], *project["optional-dependencies"]["testing"]]
            return [re.sub(r">=", "==", bound) for bound in bounds] + list(TESTING)
        return [*PACKAGES, *project["optional-dependencies"]["testing"], *TESTING, *TYPES]

    def _build(self) -> Path:
        dist = self.folder / "dist"
        shutil.rmtree(dist, ignore_errors=True)
        run(sys.executable, "-m", "build", "--outdir", str(dist), str(ROOT))
        [wheel] = dist.glob("*.whl")
        return wheel
