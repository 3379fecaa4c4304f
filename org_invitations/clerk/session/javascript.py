"""The few rules of JavaScript that Clerk's decisions rest on.

Clerk's SDK compares claims and cookies that nobody has verified yet, with JavaScript's own
conversions. To decide the same, the same conversions are needed; they are kept in one place.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final, TypeGuard

_PARSE_INT: Final = re.compile(r"\s*([+-]?)(?:0[xX]([0-9a-fA-F]+)|([0-9]+))")
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

#: No cookie holds a longer number; Python refuses to read one above 4300 digits at all.
_MAX_DIGITS: Final = 400


def parse_int(text: str) -> int:
    """``Number.parseInt(text) || 0``: the number the text begins with, else 0."""
    match = _PARSE_INT.match(text)
    if match is None:
        return 0
    sign, hexadecimal, decimal = match.groups()
    digits = (hexadecimal or decimal)[:_MAX_DIGITS]
    value = int(digits, 16 if hexadecimal else 10)
    return -value if sign == "-" else value


def to_number(value: Any) -> float:
    """``Number(value)`` for what JSON can hold; NaN for everything that is no number."""
    if value is None:
        return 0.0
    if isinstance(value, (bool, int, float)):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return 0.0
        if len(text) <= _MAX_DIGITS and _DECIMAL.fullmatch(text):
            return float(text)
    return math.nan


def is_number(value: Any) -> TypeGuard[float]:
    """``typeof value === "number"``: unlike in Python, true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
