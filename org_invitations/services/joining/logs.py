"""Keeps links and tickets out of Django's own log lines, which name the path of what is refused."""

from __future__ import annotations

import logging
import re
from typing import Final

#: Who logs paths: of what is not found, not allowed or failed, of forms without a token, and of
#: every request to the server for development.
_LOGGERS: Final = ("django.request", "django.security.csrf", "django.server")

_COLON: Final = r"(?::|%3[Aa])"
_VALUE: Final = re.compile(
    rf"[\w-]+{_COLON}[A-Za-z0-9]+{_COLON}[\w-]{{20,}}|org_\w+\.orginv_\w+", re.ASCII
)
_TICKET: Final = re.compile(r"(__clerk_ticket=)[^&\s]*")


def hide_links() -> None:
    """Let Django's loggers black out what names an invitation, and tickets."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_hide)  # the same one only once


def _hide(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(
            _TICKET.sub(r"\1***", _VALUE.sub("***", arg)) if isinstance(arg, str) else arg
            for arg in record.args
        )
    return True
