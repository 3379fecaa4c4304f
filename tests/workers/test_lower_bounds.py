"""The oldest versions of the engines that the extras allow."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.documents import ROOT
from tests.servers import need_package

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]


def get_bounds(extra: str) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [re.sub(">=", "==", bound) for bound in project["optional-dependencies"][extra]]


def test_the_engines_do_with_the_oldest_versions_that_the_extras_allow(tmp_path: Path) -> None:
    need_package("celery")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(tmp_path)]
    subprocess.run([*install, *get_bounds("celery")], check=True)
    subprocess.run([*install, "--no-deps", *get_bounds("tasks")], check=True)
    [wanted] = [bound.partition("==")[2] for bound in get_bounds("celery")]
    code = f"import celery, pytest; assert celery.__version__.startswith({wanted!r}), celery"
    run = (
        f"{code}; raise SystemExit(pytest.main(['-q', '-p', 'no:xdist', 'tests/test_engines.py']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", run],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
