"""Which invitations somebody wants to see, and how: the state of the list, as its URL says it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self
from urllib.parse import urlencode

from ..clerk import InvitationStatus
from ..conf import conf

#: The statuses a list can be of, in the order in which they are offered.
STATUSES: Final = (
    InvitationStatus.PENDING,
    InvitationStatus.EXPIRED,
    InvitationStatus.ACCEPTED,
    InvitationStatus.REVOKED,
)

#: What a list can be sorted by; with ``-`` before it, the other way round.
SORTS: Final = ("address", "invited", "expires", "role", "inviter")
DEFAULT_SORT: Final = "-invited"

#: The page sizes on offer, besides the site's own.
SIZES: Final = (10, 25, 50, 100)

#: Longer than any address or name.
_MAX_SEARCH_LENGTH: Final = 320
#: A longer number is no page's.
_MAX_PAGE_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class InvitationQuery:
    """The state of the list. Without arguments it is the list as it opens: pending, newest first.

    In a URL the names are ``status``, ``q``, ``sort``, ``page`` and ``size``.
    """

    status: InvitationStatus = InvitationStatus.PENDING
    #: Words that must all be found in an invitation's address or in its inviter.
    search: str = ""
    #: One of :data:`SORTS`, with ``-`` before it for descending.
    sort: str = DEFAULT_SORT
    #: From 1; a number beyond the end means the last page.
    page: int = 1
    size: int = field(default_factory=lambda: conf.PAGE_SIZE)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        """Read what a URL says. Whatever is wrong in it is as if it were not there."""

        def text(name: str) -> str:
            value = data.get(name)
            return value if isinstance(value, str) else ""

        default = cls()
        status, sort, page, size = text("status"), text("sort"), text("page"), text("size")
        return cls(
            status=next((known for known in STATUSES if known == status), default.status),
            search=clean_search(text("q")),
            sort=sort if sort.removeprefix("-") in SORTS else default.sort,
            page=max(_number(page), 1),
            size=number if (number := _number(size)) in get_sizes() else default.size,
        )

    @property
    def sorted_by(self) -> str:
        """What it is sorted by, without the direction."""
        return self.sort.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        """Whether the last comes first."""
        return self.sort.startswith("-")

    def as_params(self) -> dict[str, str]:
        """Return what differs from the list as it opens, as a URL says it."""
        default = type(self)()
        params = {
            "status": (str(self.status), str(default.status)),
            "q": (self.search, ""),
            "sort": (self.sort, default.sort),
            "page": (str(self.page), "1"),
            "size": (str(self.size), str(default.size)),
        }
        return {name: value for name, (value, usual) in params.items() if value != usual}

    def urlencode(self) -> str:
        """Return :meth:`as_params` for a URL, without ``?``; empty for the list as it opens."""
        return urlencode(self.as_params())

    def with_(self, **changes: Any) -> Self:
        """Return the query with other values; on page 1 unless ``page`` is given."""
        return replace(self, **{"page": 1, **changes})


def get_sizes() -> tuple[int, ...]:
    """Return the page sizes on offer, the smallest first."""
    return tuple(sorted({*SIZES, conf.PAGE_SIZE}))


def clean_search(text: str) -> str:
    """Return what somebody searches for, without what cannot be seen."""
    seen = "".join(
        character if character.isprintable() else " "
        for character in text[: 4 * _MAX_SEARCH_LENGTH]
        if unicodedata.category(character) != "Cf"
    )
    return " ".join(seen.split())[:_MAX_SEARCH_LENGTH].strip()


def _number(text: str) -> int:
    is_one = text.isascii() and text.isdigit() and len(text) <= _MAX_PAGE_DIGITS
    return int(text) if is_one else 0
