"""Whom a refusal of several invitations is about, and how to divide the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from ..clerk import ClerkError
from ..clerk.exceptions import AlreadyMember, RoleNotFound

T = TypeVar("T")

#: Parameters that requests share: whatever is wrong with a value is wrong for all that have it.
_SHARED: Final = (
    "role",
    "redirect_url",
    "expires_in_days",
    "notify",
    "public_metadata",
    "private_metadata",
)


def find_named(error: ClerkError, addresses: Mapping[T, str]) -> list[T]:
    """Return the keys of the addresses that a refusal names.

    Clerk names them in ``meta``; only that somebody is a member it says in the text alone.

    :param addresses: as ``casefold`` has them.
    """
    # Other entries are other errors: the next call meets them, if they still stand.
    entries = tuple(entry for entry in error.errors if entry.code == error.code)
    names = {name.casefold() for name in ClerkError(errors=entries).email_addresses}
    if isinstance(error, AlreadyMember) and not names:
        text = error.long_message.casefold()
        return [key for key, address in addresses.items() if _mentions(text, address)]
    return [key for key, address in addresses.items() if address in names]


def _mentions(text: str, address: str) -> bool:
    """Tell whether an address is in a text, and not merely the end or beginning of another one."""
    pattern = rf"(?<![\w.!#$%&'*+/=?^`{{|}}~@-]){re.escape(address)}(?![\w@-]|\.\w)"
    return re.search(pattern, text) is not None


def get_shared_parameter(error: ClerkError) -> str:
    """Return the parameter that a refusal is about, if it is one that many requests share."""
    if isinstance(error, RoleNotFound):
        return "role"
    return error.param_name if error.param_name in _SHARED else ""


def group_by(items: Sequence[T], value: Callable[[T], Any]) -> list[list[T]]:
    """Return the items in groups of equal value, which need not be hashable."""
    groups: list[list[T]] = []
    for item in items:
        group = next((group for group in groups if value(group[0]) == value(item)), None)
        if group is None:
            groups.append([item])
        else:
            group.append(item)
    return groups


def halve(items: Sequence[T]) -> list[list[T]]:
    """Return the first and the second half."""
    middle = len(items) // 2
    return [list(items[:middle]), list(items[middle:])]
