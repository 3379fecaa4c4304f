"""The tests' site with other databases; the environment says which.

``DATABASES_LAYOUT`` is one of ``_LAYOUTS``, ``DATABASES_ENGINE`` ``sqlite3``, ``postgresql`` or
``mysql``. All have ``ATOMIC_REQUESTS`` on, whichever alias it is.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from tests.settings import *  # noqa: F403

ENGINE = os.environ["DATABASES_ENGINE"]

if ENGINE == "mysql":  # MariaDB, too
    import pymysql  # type: ignore[import-untyped]

    pymysql.install_as_MySQLdb()


def _database(name: str) -> dict[str, Any]:
    name = f"org_invitations_{name}_{os.getpid()}"
    common = {"ENGINE": f"django.db.backends.{ENGINE}", "ATOMIC_REQUESTS": True}
    if ENGINE == "mysql":
        return common | {
            "NAME": "mysql",
            "USER": os.environ.get("MYSQL_USER", "root"),
            "PASSWORD": os.environ.get("MYSQL_PWD", ""),
            "HOST": os.environ.get("MYSQL_HOST", "127.0.0.1"),
            "PORT": os.environ.get("MYSQL_TCP_PORT", "3306"),
            "OPTIONS": {"charset": "utf8mb4"},
            "TEST": {"NAME": name, "DEPENDENCIES": [], "CHARSET": "utf8mb4"},
        }
    if ENGINE == "postgresql":
        return common | {
            "NAME": "postgres",
            "USER": os.environ.get("PGUSER", "postgres"),
            "PASSWORD": os.environ.get("PGPASSWORD", ""),
            "HOST": os.environ.get("PGHOST", "127.0.0.1"),
            "PORT": os.environ.get("PGPORT", "5432"),
            "TEST": {"NAME": name, "DEPENDENCIES": []},
        }
    file = str(Path(tempfile.gettempdir()) / f"{name}.sqlite3")
    return common | {"NAME": ":memory:", "TEST": {"NAME": file, "DEPENDENCIES": []}}


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
DATABASES = {"default": {}} | {name: _database(name) for name in _names}
DATABASE_ROUTERS = [_router]
