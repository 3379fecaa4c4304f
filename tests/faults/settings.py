"""The settings of a world: those of the tests, with time-outs of fractions of a second."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from tests.settings import *  # noqa: F403

#: Where a world keeps its database; each process has its own.
_FOLDER = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else Path(tempfile.gettempdir())
_DATABASE: dict[str, Any] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": str(_FOLDER / f"org_invitations-faults-{os.getpid()}.sqlite3"),
    "CONN_MAX_AGE": None,
    "OPTIONS": {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
    },
}
DATABASES = {"default": _DATABASE}
SECRET_KEY = "faults-only"
LOGGING_CONFIG = None

#: Seconds. Where time is not the matter nothing hurries, however busy the machine is.
PATIENT = {
    "ORG_INVITATIONS_CONNECT_TIMEOUT": 5.0,
    "ORG_INVITATIONS_READ_TIMEOUT": 5.0,
    "ORG_INVITATIONS_REQUEST_SECONDS": 30.0,
}

#: Where it is, a time-out is a few cells' time, and still many times what an answer takes. The time
#: of a whole request is to that as the app's own default is.
HURRIED = {
    "ORG_INVITATIONS_CONNECT_TIMEOUT": 0.3,
    "ORG_INVITATIONS_READ_TIMEOUT": 0.3,
    "ORG_INVITATIONS_REQUEST_SECONDS": 1.25,
}
