"""A site that leaves much to workers, as the documents say; the environment says to which.

``WORKERS_ENGINE`` is one of ``celery-redis``, ``celery-rabbitmq``, ``django-tasks-db``,
``django-ox`` and ``loop``, ``WORKERS_DATABASE`` an engine of Django's, ``WORKERS_NAME`` what
the database, and all that lies in a broker, is called, and ``WORKERS_VHOST`` the virtual host of
RabbitMQ's.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from tests.documents import blocks, section
from tests.servers import get_address, get_database
from tests.settings import *  # noqa: F403

ENGINE = os.environ["WORKERS_ENGINE"]
NAME = os.environ["WORKERS_NAME"]

INSTALLED_APPS = [
    *("django.contrib.contenttypes", "django.contrib.messages", "django.contrib.staticfiles"),
    *("django_htmx", "org_invitations", "tests.workers"),
]
AUTH_USER_MODEL = "auth.User"
USE_TZ = True

_database = get_database(os.environ["WORKERS_DATABASE"], NAME)
if "WORKERS_IS_WORKER" in os.environ:  # it finds what the tests have made
    _database["NAME"] = _database["TEST"]["NAME"]
if os.environ["WORKERS_DATABASE"] == "sqlite3":
    _database["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL;",
    }
DATABASES = {"default": _database}

# Shared by nobody: no process sees what another one has cached.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# What a dead worker was at goes on after five times these, in place of two and a half minutes.
ORG_INVITATIONS_CONNECT_TIMEOUT = 0.5
ORG_INVITATIONS_READ_TIMEOUT = 1.5

for _name in ("SECRET_KEY", "PUBLISHABLE_KEY", "JWT_KEY", "API_URL", "PROXY_URL"):
    globals()[f"CLERK_{_name}"] = os.environ.get(f"CLERK_{_name}", "").replace("\\n", "\n")


def _read(document: str, heading: str) -> dict[str, Any]:
    """Return the settings that a document prints below a heading."""
    [example] = [
        one
        for one in blocks(section(document, heading), "python")
        if "ORG_INVITATIONS_BACKGROUND" in one
    ]
    found: dict[str, Any] = {"INSTALLED_APPS": INSTALLED_APPS}
    exec(example, found)
    return {name: value for name, value in found.items() if name.isupper()}


if ENGINE.startswith("celery"):
    found = _read("docs/celery.md", "# Celery")
    found["CELERY_BEAT_SCHEDULE"]["org_invitations"]["schedule"] = 1.0
    globals().update(found)
    host, port = get_address(ENGINE.removeprefix("celery-"))
    if ENGINE == "celery-redis":
        CELERY_BROKER_URL = f"redis://{host}:{port}/0"
        CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": NAME}
    else:
        CELERY_BROKER_URL = f"amqp://{host}:{port}/{os.environ['WORKERS_VHOST']}"
    CELERY_TASK_DEFAULT_QUEUE = NAME
    CELERY_WORKER_PREFETCH_MULTIPLIER = 1
    CELERY_BEAT_SCHEDULE_FILENAME = str(Path(tempfile.gettempdir()) / f"{NAME}.beat")
elif ENGINE == "loop":
    ORG_INVITATIONS_BACKGROUND = True
else:
    globals().update(_read("docs/django-tasks.md", f"## {ENGINE}"))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"org_invitations": {"handlers": ["console"], "level": "INFO"}},
}
