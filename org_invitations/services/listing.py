"""The list of invitations: what is asked of Clerk for it, and what is done in memory.

Clerk sorts by address and date only, and finds whole addresses only. So as long as all invitations
of an organization fit into one call (500), that one call answers everything: the counts, the
search, every order, every page. Of a larger organization one status is fetched, with the counts of
the others; where that status alone is too large, Clerk pages, and the page says what it cannot do.

Everything here is HTTP and arithmetic, so that it may run in a worker thread: no cache, no setting,
no translation.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Final, Self
from urllib.parse import urlencode

from ..clerk import Invitation, InvitationStatus, OrganizationAPI, Page
from ..clerk.exceptions import InvalidResponse
from ..clerk.organizations import MAX_LIMIT
from ..concurrency import gather
from ..conf import conf
from .exceptions import TooManyInvitations

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

#: What expires sooner than in so long can be shown by itself.
SOON: Final = timedelta(days=3)

#: The page sizes on offer, besides the site's own.
SIZES: Final = (10, 25, 50, 100)

#: Longer than any address or name.
_MAX_SEARCH_LENGTH: Final = 320
#: A longer number is no page's.
_MAX_PAGE_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class InvitationQuery:
    """The state of the list. Without arguments it is the list as it opens: pending, newest first.

    In a URL the names are ``status``, ``q``, ``role``, ``soon``, ``sort``, ``page`` and ``size``.
    """

    status: InvitationStatus = InvitationStatus.PENDING
    #: Words that must all be found in an invitation's address or in its inviter.
    search: str = ""
    #: One of :data:`SORTS`, with ``-`` before it for descending.
    sort: str = DEFAULT_SORT
    #: From 1; a number beyond the end means the last page.
    page: int = 1
    size: int = field(default_factory=lambda: conf.PAGE_SIZE)
    #: The key of the only role to show; empty for all.
    role: str = ""
    #: Whether only those are shown that expire within :data:`SOON`; of pending ones alone.
    soon: bool = False

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
            role=clean_search(text("role")),
            soon=text("soon") == "1" and status in ("", default.status),
            sort=sort if sort.removeprefix("-") in SORTS else default.sort,
            page=max(_number(page), 1),
            size=number if (number := _number(size)) in get_sizes() else default.size,
        )

    @property
    def is_filtered(self) -> bool:
        """Whether not all of the status is asked for."""
        return bool(self.search or self.role or self.soon)

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
            "role": (self.role, ""),
            "soon": ("1" if self.soon else "", ""),
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


class Limit(StrEnum):
    """What could not be done with a list that is too large to be fetched as a whole."""

    #: It is sorted by another column than the one asked for: newest first.
    SORT = "sort"
    #: It was not searched: everything of its status is on it.
    SEARCH = "search"
    #: Only the whole address was looked for, not parts of addresses or inviters.
    WHOLE_ADDRESS = "whole-address"
    #: All roles are on it, not only the one asked for.
    ROLE = "role"
    #: All are on it, not only those that expire soon.
    SOON = "soon"


#: On each side of the page that is shown, the numbers of this many others are, too.
_NEIGHBOURS = 2


@dataclass(frozen=True, slots=True)
class InvitationPage:
    """One page of a list of invitations."""

    invitations: tuple[Invitation, ...]
    #: The page's number, from 1.
    number: int
    #: How many invitations a page holds.
    size: int
    #: How many there are on all pages: those that match, where something is searched for.
    total_count: int
    #: What was asked for; its page is the one that is shown.
    query: InvitationQuery = field(default_factory=InvitationQuery)
    #: How many there are of each status, whatever is searched for.
    counts: Mapping[InvitationStatus, int] = field(default_factory=dict)
    #: The roles of those of the status that is shown, whatever is searched for: each key with its
    #: name, by name. Empty where not all of them were at hand.
    roles: Mapping[str, str] = field(default_factory=dict)
    #: How many of the status that is shown expire soon, whatever is searched for; 0 where not all
    #: of them were at hand.
    soon_count: int = 0
    #: What could not be done as it was asked for.
    limits: frozenset[Limit] = frozenset()
    #: Whether all invitations of the status were at hand, so that everything could be done.
    is_whole: bool = True
    #: All invitations of the organization, of every status, newest first, where one call had them.
    everything: tuple[Invitation, ...] | None = field(default=None, repr=False, compare=False)

    @property
    def status_count(self) -> int:
        """How many there are of the status that is shown, whatever is searched for."""
        return self.counts.get(self.query.status, self.total_count)

    @property
    def page_numbers(self) -> tuple[int | None, ...]:
        """The page numbers to offer: the ends and those around this one; None for a gap."""
        last = self.num_pages
        near = range(self.number - _NEIGHBOURS, self.number + _NEIGHBOURS + 1)
        wanted = sorted({1, last, *(number for number in near if 1 <= number <= last)})
        numbers: list[int | None] = []
        for number in wanted:
            before = numbers[-1] if numbers else None
            if before is not None and number - before == 2:
                numbers.append(number - 1)  # a gap takes as much room as the number left out
            elif before is not None and number - before > 2:
                numbers.append(None)
            numbers.append(number)
        return tuple(numbers)

    @property
    def num_pages(self) -> int:
        """How many pages there are; an empty list has one."""
        return max(-(-self.total_count // self.size), 1)

    @property
    def has_previous(self) -> bool:
        """Whether there is a page before this one."""
        return self.number > 1

    @property
    def has_next(self) -> bool:
        """Whether there is a page after this one."""
        return self.number < self.num_pages

    @property
    def previous_number(self) -> int:
        """The number of the page before."""
        return self.number - 1

    @property
    def next_number(self) -> int:
        """The number of the page after."""
        return self.number + 1

    @property
    def start_index(self) -> int:
        """The position of the first invitation on the page, from 1; 0 on an empty list."""
        return (self.number - 1) * self.size + 1 if self.invitations else 0

    @property
    def end_index(self) -> int:
        """The position of the last invitation on the page."""
        return (self.number - 1) * self.size + len(self.invitations)


#: How many invitations of one status :func:`fetch_all` reads at most.
MAX_FOUND: Final = 10_000

#: Calls of :func:`fetch_all` at the same time: Clerk's limits are shared by everybody.
_TOGETHER: Final = 4

#: The sorts that Clerk knows, by its own names.
_UPSTREAM: Final = {"address": "email_address", "invited": "created_at"}

#: What can be searched for as a whole.
_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list, and what is worth remembering of how it was had."""

    page: InvitationPage
    #: Of an organization that does not fit into one call, the statuses that do not either; None
    #: where everything fits.
    large: frozenset[InvitationStatus] | None


def fetch_listing(
    api: OrganizationAPI, query: InvitationQuery, large: Iterable[InvitationStatus] | None
) -> Listing:
    """Fetch the page of the list that a query asks for.

    One call for an organization of up to 500 invitations. For a larger one four at the same time,
    and a second round where what was remembered does not hold (any more).

    :param large: what was remembered of the last :class:`Listing`.
    :raises ClerkError: it could not be had.
    """
    if large is None:
        everything = api.get_invitations(status=None, limit=MAX_LIMIT)
        if everything.total_count <= MAX_LIMIT:
            counted = Counter(invitation.status for invitation in everything.data)
            counts = {status: counted[status] for status in STATUSES}
            page = page_of(everything.data, query, counts)
            return Listing(replace(page, everything=everything.data), None)
    return _fetch_large(api, query, frozenset(large or ()))


def fetch_all(
    api: OrganizationAPI, query: InvitationQuery, limit: int = MAX_FOUND
) -> tuple[Invitation, ...]:
    """Fetch all invitations that a query asks for, of all pages, in its order.

    :raises TooManyInvitations: more than ``limit`` match, or too many would have to be read.
    :raises ClerkError: not all of them could be had.
    """
    try:
        rows = _read_all(api, query.status)
        if rows is None:
            rows = _read_all(api, query.status)
    except TooManyInvitations:
        if not (address := _Plan.make(query).address):
            raise
        rows = list(
            api.get_invitations(status=(query.status,), email_address=address, limit=MAX_LIMIT).data
        )
    if rows is None:
        raise InvalidResponse("the list changes faster than it can be read")
    found = select(rows, query)
    if len(found) > limit:
        raise TooManyInvitations(len(found))
    return tuple(found)


def page_of(
    rows: Iterable[Invitation], query: InvitationQuery, counts: Mapping[InvitationStatus, int]
) -> InvitationPage:
    """Return the page that a query asks for, of rows that are all there are of its status."""
    rows = [row for row in rows if row.status is query.status]
    found = select(rows, query)
    size = query.size
    number = min(max(query.page, 1), max(-(-len(found) // size), 1))
    return InvitationPage(
        invitations=tuple(found[(number - 1) * size : number * size]),
        number=number,
        size=size,
        total_count=len(found),
        query=replace(query, page=number),
        counts=counts,
        roles=_roles_of(rows),
        soon_count=sum(is_soon(row) for row in rows),
    )


def keep_place(page: InvitationPage, new_id: str, old: Invitation) -> InvitationPage:
    """Return the page with a new invitation where the one was that it replaces.

    Whoever sends one again looks for it there, and nothing else moves. A page that was sorted by
    Clerk is left as it is.

    :param old: as it was before; of another status than the list's it has no place in it.
    """
    if page.everything is None or old.status is not page.query.status:
        return page
    rows = [
        replace(row, created_at=old.created_at, expires_at=old.expires_at)
        if row.id == new_id
        else row
        for row in page.everything
    ]
    as_before = page_of(rows, page.query, page.counts)
    is_so = {row.id: row for row in page.everything}
    return replace(
        as_before,
        invitations=tuple(is_so[row.id] for row in as_before.invitations),
        everything=page.everything,
    )


# --- In memory --------------------------------------------------------------------------------


def select(rows: Iterable[Invitation], query: InvitationQuery) -> list[Invitation]:
    """Return those of the rows that a query asks for, sorted, of all pages.

    :param rows: newest first, as Clerk has them.
    """
    found = [row for row in rows if row.status is query.status]
    if query.soon:
        found = [row for row in found if is_soon(row)]
    if query.role:
        found = [row for row in found if row.role == query.role]
    if query.search:
        words = [fold(word) for word in query.search.split()]
        found = [row for row in found if _matches(row, words)]
    key = _KEYS[query.sorted_by]
    if query.sorted_by == "invited" and not query.is_descending:
        found.reverse()
    # What has no value comes last in either direction: it is neither much nor little.
    known = [row for row in found if key(row) is not None]
    known.sort(key=key, reverse=query.is_descending)
    return known + [row for row in found if key(row) is None]


def is_soon(row: Invitation, now: datetime | None = None) -> bool:
    """Whether an invitation is pending and expires within :data:`SOON`."""
    end = row.expires_at
    return row.is_pending and end is not None and end - (now or datetime.now(UTC)) < SOON


def _roles_of(rows: Iterable[Invitation]) -> dict[str, str]:
    names = {row.role: row.role_name for row in rows}
    return dict(sorted(names.items(), key=lambda item: (fold(item[1]), item[0])))


def _matches(row: Invitation, words: list[str]) -> bool:
    inviter = row.inviter
    text = fold(row.email_address)
    if inviter is not None:
        text = "\n".join((text, fold(inviter.name), fold(inviter.identifier)))
    return all(word in text for word in words)


def fold(text: str) -> str:
    """Return a text as it is compared: without capitals and accents."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in apart if not unicodedata.combining(character))


def _ends(row: Invitation) -> Any:
    """Return the moment that the list shows last: an end that came, or the one to come."""
    if row.is_accepted or row.is_revoked:
        return row.updated_at and row.updated_at.timestamp()
    return row.expires_at.timestamp() if row.expires_at else float("inf")


_KEYS: Final[Mapping[str, Callable[[Invitation], Any]]] = {
    "address": lambda row: fold(row.email_address),
    "invited": lambda row: row.created_at,
    "expires": _ends,
    "role": lambda row: fold(row.role_name),
    "inviter": lambda row: fold(row.inviter.name) if row.inviter else None,
}


# --- Too large for one call --------------------------------------------------------------------


def _fetch_large(
    api: OrganizationAPI, query: InvitationQuery, large: frozenset[InvitationStatus]
) -> Listing:
    status = query.status
    is_large = status in large
    plan = _Plan.make(query)
    calls: dict[str, Callable[[], Any]] = {
        "tab": partial(plan.fetch, api) if is_large else partial(_fetch_status, api, status)
    }
    for other in STATUSES:
        if other is not status or (is_large and plan.address):
            calls[other] = partial(_fetch_status, api, other, limit=1)
    found = gather(calls)
    tab: Page[Invitation] = found["tab"].get()
    counts = {
        other: (found[other].get() if other in found else tab).total_count for other in STATUSES
    }
    now_large = frozenset(other for other in STATUSES if counts[other] > MAX_LIMIT)
    remembered = now_large if sum(counts.values()) > MAX_LIMIT else None
    if status not in now_large:
        if is_large:  # not any more
            tab = _fetch_status(api, status)
        return Listing(page_of(tab.data, query, counts), remembered)
    if not is_large and not plan.is_within(tab.data):
        tab = plan.fetch(api)
    elif not is_large:
        tab = replace(tab, data=tab.data[plan.offset : plan.offset + query.size])
    if plan.address:
        exact = page_of(tab.data, replace(query, search=""), counts)
        page = replace(exact, query=replace(exact.query, search=query.search), roles={})
    else:
        page = plan.page_of(api, tab, counts)
    return Listing(replace(page, is_whole=False, limits=plan.limits), remembered)


def _fetch_status(
    api: OrganizationAPI, status: InvitationStatus, *, limit: int = MAX_LIMIT, offset: int = 0
) -> Page[Invitation]:
    return api.get_invitations(status=(status,), limit=limit, offset=offset)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How Clerk itself is asked for a page of a status that is too large to fetch."""

    query: InvitationQuery
    order_by: str
    #: The whole address to look for, where that is what is searched for.
    address: str
    limits: frozenset[Limit]

    @classmethod
    def make(cls, query: InvitationQuery) -> _Plan:
        address = query.search if _ADDRESS.fullmatch(query.search) else ""
        limits = set()
        if query.search:
            limits.add(Limit.WHOLE_ADDRESS if address else Limit.SEARCH)
        if query.role and not address:
            limits.add(Limit.ROLE)
        if query.soon:
            limits.add(Limit.SOON)
        sort = query.sort
        if query.sorted_by not in _UPSTREAM and not address:
            limits.add(Limit.SORT)
            sort = DEFAULT_SORT
        name = _UPSTREAM.get(sort.removeprefix("-"), "created_at")
        return cls(
            query=query,
            order_by=f"{'-' if sort.startswith('-') else '+'}{name}",
            address=address,
            limits=frozenset(limits),
        )

    @property
    def offset(self) -> int:
        return (max(self.query.page, 1) - 1) * self.query.size

    def is_within(self, newest: Sequence[Invitation]) -> bool:
        """Whether the page is among the newest, which are there already."""
        whole = self.offset + self.query.size <= len(newest)
        return whole and self.order_by == "-created_at" and not self.address

    def fetch(self, api: OrganizationAPI, *, offset: int | None = None) -> Page[Invitation]:
        status = (self.query.status,)
        if self.address:
            return api.get_invitations(status=status, email_address=self.address, limit=MAX_LIMIT)
        return api.get_invitations(
            status=status,
            order_by=self.order_by,
            limit=self.query.size,
            offset=self.offset if offset is None else offset,
        )

    def page_of(
        self,
        api: OrganizationAPI,
        found: Page[Invitation],
        counts: Mapping[InvitationStatus, int],
    ) -> InvitationPage:
        size = self.query.size
        last = max(-(-found.total_count // size), 1)
        number = min(max(self.query.page, 1), last)
        if number < self.query.page:
            found = self.fetch(api, offset=(number - 1) * size)
        return InvitationPage(
            invitations=found.data,
            number=number,
            size=size,
            total_count=found.total_count,
            query=replace(self.query, page=number),
            counts=counts,
        )


def _read_all(api: OrganizationAPI, status: InvitationStatus) -> list[Invitation] | None:
    """Read all invitations of a status, newest first; None where they changed meanwhile."""

    def read(offset: int) -> Page[Invitation]:
        # Oldest first: what is created meanwhile comes at the end and shifts nothing.
        return api.get_invitations(
            status=(status,), order_by="+created_at", limit=MAX_LIMIT, offset=offset
        )

    first = read(0)
    total = first.total_count
    if total <= MAX_LIMIT:
        return list(reversed(first.data))
    if total > MAX_FOUND:
        raise TooManyInvitations(total)
    pages = [first]
    offsets = range(MAX_LIMIT, total, MAX_LIMIT)
    for start in range(0, len(offsets), _TOGETHER):
        calls = {
            str(offset): partial(read, offset) for offset in offsets[start : start + _TOGETHER]
        }
        pages += [outcome.get() for outcome in gather(calls).values()]
    found = {invitation.id: invitation for page in pages for invitation in page.data}
    # One that was accepted or revoked meanwhile moves the others up, and one of them is missed.
    if any(page.total_count < total for page in pages) or len(found) < total:
        return None
    return list(reversed(found.values()))
