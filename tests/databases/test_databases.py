"""The flows of ``flows.py``, ``joining.py`` and ``workers.py``, on each database and layout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import need_server

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def _run(engine: str, layout: str, *files: str) -> None:
    need_server(engine)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"),
            *("--ds", "tests.databases.settings"),
            *(f"tests/databases/{file}" for file in files),
        ],
        cwd=ROOT,
        env={**os.environ, "DATABASES_LAYOUT": layout, "DATABASES_ENGINE": engine},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


@pytest.mark.parametrize("layout", ["two_aliases", "no_default", "replica"])
@pytest.mark.parametrize("engine", ["sqlite3", "postgresql"])
def test_what_is_promised_holds_with_any_databases(layout: str, engine: str) -> None:
    _run(engine, layout, "flows.py", "joining.py")


@pytest.mark.parametrize("engine", ["sqlite3", "postgresql", "mysql"])
def test_many_workers_at_once_do_everything_once_on_any_database(engine: str) -> None:
    _run(engine, "two_aliases", "workers.py")
