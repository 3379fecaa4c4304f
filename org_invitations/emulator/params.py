"""Reading query parameters and body fields the way Clerk's validation does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from . import errors
from .routing import Call

T = TypeVar("T")

MAX_LIMIT = 500
DEFAULT_LIMIT = 10
MAX_FILTER_VALUES = 100

EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)


def is_email(address: str) -> bool:
    local = address.partition("@")[0]
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    return len(address) <= 254 and not dots and EMAIL.fullmatch(address) is not None


def is_http_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def many(call: Call, name: str) -> list[str]:
    """Every value of a repeated parameter, at most 100 of them; ``name[]`` is taken as well."""
    values = [value for key, value in call.request.query if key in (name, f"{name}[]")]
    if len(values) > MAX_FILTER_VALUES:
        raise errors.param_error(
            "form_param_array_size_exceeded",
            "too many values",
            f"{name} accepts up to {MAX_FILTER_VALUES} values.",
            name,
        )
    return values


def number(call: Call, name: str, default: int, minimum: int, maximum: int | None) -> int:
    raw = call.request.argument(name)
    if raw is None:
        return default
    if re.fullmatch(r"-?[0-9]{1,18}", raw) is None:
        raise errors.param_value_invalid(name)
    value = int(raw)
    if value < minimum or (maximum is not None and value > maximum):
        raise errors.param_value_invalid(name)
    return value


def optional_number(call: Call, name: str) -> int | None:
    if call.request.argument(name) is None:
        return None
    return number(call, name, 0, 0, None)


def flag(call: Call, name: str) -> bool:
    raw = call.request.argument(name)
    if raw is not None and raw.lower() not in ("true", "false", "1", "0"):
        raise errors.param_value_invalid(name)
    return raw is not None and raw.lower() in ("true", "1")


def page(call: Call, rows: Sequence[T], shape: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    """One page of ``rows``: ``limit`` 1 to 500 (default 10) from ``offset`` (default 0)."""
    limit = number(call, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    offset = number(call, "offset", 0, 0, None)
    return {
        "data": [shape(row) for row in rows[offset : offset + limit]],
        "total_count": len(rows),
    }


def ordered(
    call: Call, rows: Iterable[T], keys: dict[str, Callable[[T], Any]], default: str
) -> list[T]:
    """``rows`` by ``order_by``: a key with ``+`` (or nothing) for ascending, ``-`` descending.

    Rows must come oldest first; they keep that order (or its reverse) where the key is equal.
    A ``+`` that was not percent-encoded arrives as a space, and that is not a direction.
    """
    wanted = call.request.argument("order_by")
    wanted = default if wanted is None else wanted
    descending = wanted.startswith("-")
    name = wanted[1:] if wanted[:1] in ("+", "-") else wanted
    if name not in keys:
        raise errors.param_value_invalid("order_by")
    # sorted() keeps equal rows in their order, also with reverse=True.
    listed = list(rows)
    return sorted(listed[::-1] if descending else listed, key=keys[name], reverse=descending)
