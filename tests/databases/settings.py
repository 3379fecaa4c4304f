"""The tests' site with other databases; the environment says which.

``DATABASES_LAYOUT`` is one of ``_LAYOUTS``, ``DATABASES_ENGINE`` ``sqlite3``, ``postgresql`` or
``mysql``. All have ``ATOMIC_REQUESTS`` on, whichever alias it is.
"""

from __future__ import annotations

import os
from typing import Any

from tests.servers import get_database
from tests.settings import *  # noqa: F403

ENGINE = os.environ["DATABASES_ENGINE"]


class _Router:
    """Writes the app's rows to the second database."""

    def _is_ours(self, model: Any) -> bool:
        return bool(model._meta.app_label == "org_invitations")

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "outcomes" if self._is_ours(model) else None

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return self.db_for_write(model)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return db == "outcomes" if app_label == "org_invitations" else None


class _ReplicaRouter:
    """Reads from a replica; it has the tables, and nothing ever gets there."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, *args: Any, **hints: Any) -> bool:
        return True


_LAYOUTS: dict[str, tuple[list[str], Any]] = {
    "two_aliases": (["default", "outcomes"], _Router()),
    "no_default": (["outcomes"], _Router()),
    "replica": (["default", "replica"], _ReplicaRouter()),
}
_names, _router = _LAYOUTS[os.environ["DATABASES_LAYOUT"]]
DATABASES = {"default": {}} | {
    name: get_database(ENGINE, f"org_invitations_{name}_{os.getpid()}") | {"ATOMIC_REQUESTS": True}
    for name in _names
}
DATABASE_ROUTERS = [_router]
