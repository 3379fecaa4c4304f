"""What some tests need and not every machine has: servers, and packages of other engines.

Without one a test is skipped and says so; with ``CI`` set it fails.
"""

from __future__ import annotations

import importlib
import os
import socket
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

#: By which variables each server is found, and where it is unless they say so.
SERVERS = {
    "postgresql": ("PGHOST", "PGPORT", "5432"),
    "mysql": ("MYSQL_HOST", "MYSQL_TCP_PORT", "3306"),
    "redis": ("REDIS_HOST", "REDIS_PORT", "6379"),
    "rabbitmq": ("RABBITMQ_HOST", "RABBITMQ_PORT", "5672"),
}


def get_address(server: str) -> tuple[str, int]:
    """Return where a server is to be found."""
    host, port, usual = SERVERS[server]
    return os.environ.get(host, "127.0.0.1"), int(os.environ.get(port, usual))


def get_database(engine: str, name: str) -> dict[str, Any]:
    """Return what ``DATABASES`` has of a database that the tests make and drop.

    :param engine: ``sqlite3``, ``postgresql`` or ``mysql``.
    :param name: as which it is made.
    """
    common: dict[str, Any] = {"ENGINE": f"django.db.backends.{engine}"}
    if engine == "mysql":  # MariaDB, too
        import pymysql  # type: ignore[import-untyped]

        pymysql.install_as_MySQLdb()
        host, port = get_address(engine)
        return common | {
            "NAME": "mysql",
            "USER": os.environ.get("MYSQL_USER", "root"),
            "PASSWORD": os.environ.get("MYSQL_PWD", ""),
            "HOST": host,
            "PORT": port,
            "OPTIONS": {"charset": "utf8mb4"},
            "TEST": {"NAME": name, "DEPENDENCIES": [], "CHARSET": "utf8mb4"},
        }
    if engine == "postgresql":
        host, port = get_address(engine)
        return common | {
            "NAME": "postgres",
            "USER": os.environ.get("PGUSER", "postgres"),
            "PASSWORD": os.environ.get("PGPASSWORD", ""),
            "HOST": host,
            "PORT": port,
            "TEST": {"NAME": name, "DEPENDENCIES": []},
        }
    file = str(Path(tempfile.gettempdir()) / f"{name}.sqlite3")
    return common | {"NAME": ":memory:", "TEST": {"NAME": file, "DEPENDENCIES": []}}


def need_server(server: str) -> None:
    """Skip the test where a server does not answer; any other name is no server."""
    if server not in SERVERS:
        return
    try:
        with socket.create_connection(get_address(server), timeout=30):
            return
    except OSError:
        host, port, _ = SERVERS[server]
        _do_without(f"no {server} answers: {host} and {port} say where one is")


def need_package(*names: str) -> ModuleType:
    """Return the first of these modules that is there; skip the test where none is."""
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    _do_without(f"{names[-1]} is not installed: `make .venv/.workers` does that")
    raise AssertionError


def _do_without(reason: str) -> None:
    import pytest  # processes that run no tests look for servers, too

    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
