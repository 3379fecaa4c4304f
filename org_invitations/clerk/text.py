"""Text that came from Clerk, made fit for pages, databases and logs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

#: Half of a surrogate pair cannot be sent in any answer, and PostgreSQL takes no NUL. JSON can
#: have both, as escapes.
_UNUSABLE: Final = re.compile(r"[\ud800-\udfff\x00]")
_ESCAPED: Final = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")

#: As much of one piece as a log line shows.
_MAX_LOGGED: Final = 200


def decode_json(raw: bytes, *, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """Return what JSON holds, with U+FFFD for what no page and no database takes.

    :raises ValueError: it is not JSON.
    :raises RecursionError: it is nested too deeply.
    """
    text = raw.decode("utf-8", errors="replace").removeprefix("\ufeff")
    value = json.loads(text, parse_constant=parse_constant)
    return _mended(value) if _ESCAPED.search(text) else value


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return _UNUSABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mended(entry) for entry in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(entry) for key, entry in value.items()}
    return value


def one_line(text: str) -> str:
    """Return a text for a log: one printable line that is not long, whatever it was."""
    if len(text) > _MAX_LOGGED:
        text = f"{text[:_MAX_LOGGED]}…"
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
