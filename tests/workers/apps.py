"""What is other in a worker that a test begins: it says who it is, and waits for less."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from django.apps import AppConfig


class WorkersConfig(AppConfig):
    """Installed on the site of these tests."""

    name = "tests.workers"

    def ready(self) -> None:
        """Let a worker's calls name its group of processes, and a lease be as short as can be."""
        from org_invitations.clerk import client
        from org_invitations.services.batches import store

        if "WORKERS_IS_WORKER" not in os.environ:
            return
        version: Any = client
        version.__version__ += f" worker/{os.getpgid(0)}"
        store.STALE_AFTER = timedelta(0)  # type: ignore[misc]  # then the time-outs decide
        if os.environ["WORKERS_ENGINE"].startswith("django"):
            from org_invitations.engines import django_tasks

            django_tasks._PAUSE = timedelta(seconds=2)  # type: ignore[misc]
