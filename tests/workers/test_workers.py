"""The flows of ``flows.py``, with each engine on a database of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import need_package, need_server

from .brokers import of_its_own

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

#: The package that each engine needs, and its broker.
NEEDS = {
    "celery-redis": ("celery", "redis"),
    "celery-rabbitmq": ("celery", "rabbitmq"),
    "django-tasks-db": ("django_tasks_db", ""),
    "django-ox": ("django_ox", ""),
    "loop": ("django", ""),
}


@pytest.mark.parametrize(
    ("engine", "database"),
    [
        # Another Python, and so another Django, has other tasks, and the same of all the rest.
        pytest.param("celery-redis", "postgresql", marks=pytest.mark.exhaustive),
        pytest.param("celery-rabbitmq", "postgresql", marks=pytest.mark.exhaustive),
        ("django-tasks-db", "postgresql"),
        ("django-ox", "postgresql"),
        pytest.param("loop", "mysql", marks=pytest.mark.exhaustive),
        pytest.param("loop", "sqlite3", marks=pytest.mark.exhaustive),
    ],
)
def test_each_is_invited_once_whatever_becomes_of_the_workers(engine: str, database: str) -> None:
    if engine == "django-ox" and sys.version_info < (3, 12):
        pytest.skip("django-ox needs Python 3.12")
    package, broker = NEEDS[engine]
    need_package(package)
    for server in (database, broker):
        need_server(server)
    name = f"org_invitations_{engine}_{database}_{os.getpid()}".replace("-", "_")
    with of_its_own(broker, name) as more:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
                *("-p", "no:xdist", "--ds", "tests.workers.settings", "tests/workers/flows.py"),
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "WORKERS_ENGINE": engine,
                "WORKERS_DATABASE": database,
                "WORKERS_NAME": name,
                **more,
            },
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-9000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
