"""`make demo-workers`: small, and without a broker."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.documents import ROOT
from tests.sites.site import free_port

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]


def test_the_demo_sends_to_each_once_and_tells_it_although_a_worker_is_killed() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "example_project/demo_workers.py", "--end"],
        cwd=ROOT,
        env={
            **{
                name: value
                for name, value in os.environ.items()
                if name != "DJANGO_SETTINGS_MODULE"
            },
            "ADDRESSES": "45",
            "CELERY_BROKER_URL": "",
            "PORT": str(free_port()),
            "EMULATOR_PORT": str(free_port()),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Acme: 30. Sign in as ada@acme.test" in done.stdout
    assert "kill -9" in done.stdout
    assert "All 45 are sent. Clerk has 45 invitations for 45 people" in done.stdout
    assert "Twice: 0. Lost: 0." in done.stdout
