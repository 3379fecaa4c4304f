"""A Clerk on this machine, to develop and test against.

``python -m org_invitations.emulator --port 8900`` starts it; it forgets everything when it stops.
From Python ``Emulator`` answers requests without a socket and ``EmulatorServer`` with one. It is
built from Clerk's API description and shares no code with the rest of ``org_invitations``.

What Clerk's public sources leave open, and what was chosen here, stands in ``unknowns``.
"""

from __future__ import annotations

from .clock import Clock
from .core import Emulator
from .faults import Fault
from .instance import DEFAULT_BASE_URL, DEFAULT_SITE
from .keys import (
    FRONTEND_API,
    INSTANCE_ID,
    ISSUER,
    JWT_KEY,
    PRODUCTION_PUBLISHABLE_KEY,
    PRODUCTION_SECRET_KEY,
    PUBLISHABLE_KEY,
    SECRET_KEY,
)
from .recorder import RecordedCall
from .scanner import Opened
from .server import EmulatorServer
from .wire import ConnectionDropped, EmulatorRequest, EmulatorResponse

__all__ = [
    "DEFAULT_BASE_URL",
    "DEFAULT_SITE",
    "FRONTEND_API",
    "INSTANCE_ID",
    "ISSUER",
    "JWT_KEY",
    "PRODUCTION_PUBLISHABLE_KEY",
    "PRODUCTION_SECRET_KEY",
    "PUBLISHABLE_KEY",
    "SECRET_KEY",
    "Clock",
    "ConnectionDropped",
    "Emulator",
    "EmulatorRequest",
    "EmulatorResponse",
    "EmulatorServer",
    "Fault",
    "Opened",
    "RecordedCall",
]
