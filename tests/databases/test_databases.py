"""The flows of ``flows.py`` and ``joining.py``, on each database and in each layout."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def _has_postgresql() -> bool:
    host, port = os.environ.get("PGHOST", "127.0.0.1"), int(os.environ.get("PGPORT", "5432"))
    try:
        with socket.create_connection((host, port), timeout=30):
            return True
    except OSError:
        return False


@pytest.mark.parametrize("layout", ["two_aliases", "no_default", "replica"])
@pytest.mark.parametrize("engine", ["sqlite3", "postgresql"])
def test_what_is_promised_holds_with_any_databases(layout: str, engine: str) -> None:
    if engine == "postgresql" and not _has_postgresql():
        pytest.skip("no PostgreSQL answers: PGHOST and PGPORT say where one is")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"),
            *("--ds", "tests.databases.settings"),
            *("tests/databases/flows.py", "tests/databases/joining.py"),
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
