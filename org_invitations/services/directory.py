"""Who of many addresses belongs to an organization already or is invited into it, in few calls.

Clerk can be asked for the memberships of a hundred addresses at once, but its answer does not say
which row is whose: a row's ``identifier`` may be a user name, or another address of the person.
Where an identifier is none of the addresses, all of them are asked for again in groups, at the
same time: each address is in half of the groups and no two are in the same ones, so the groups
that a row turns up in name its address.

Of more than a thousand addresses it takes fewer calls to read all members, five hundred at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations
from math import comb
from typing import Any, Final
from urllib.parse import quote_plus

from ..clerk import MAX_LIMIT, ClerkError, Invitation, Membership, OrganizationAPI, Page
from ..clerk.exceptions import RateLimited
from ..concurrency import Outcome, gather

#: How many addresses Clerk takes in one question, says its API description.
MAX_ADDRESSES: Final = 100
#: And how long they may be together, as sent: common servers refuse a longer line than 8 KiB.
MAX_QUERY: Final = 7000

#: Questions for memberships at most. A thousand addresses need ten.
MAX_CALLS: Final = 10
#: Questions at most that find out whose memberships they are. A hundred addresses need nine.
MAX_LOCATING_CALLS: Final = 9
#: Pages of pending invitations at most: 5000 of them.
MAX_PAGES: Final = 10
#: The same, and pages of members, where there are more than a thousand addresses.
MAX_PAGES_OF_ALL: Final = 40
#: Up to so many addresses are asked for one by one where that takes no more calls than pages do.
FEW: Final = 10


@dataclass(frozen=True, slots=True)
class Directory:
    """What Clerk knows of some addresses in one organization, by address as ``casefold`` has it."""

    memberships: Mapping[str, Membership] = field(default_factory=dict)
    #: The pending ones, without their links.
    invitations: Mapping[str, Invitation] = field(default_factory=dict)
    #: What went wrong first, where not all could be asked. The rest still holds.
    error: ClerkError | None = None
    #: Those of whom nothing was found, where that may be because of what went wrong.
    unknown: frozenset[str] = frozenset()


def look_up(api: OrganizationAPI, addresses: Iterable[str]) -> Directory:
    """Return what Clerk knows of the addresses; raises nothing of Clerk's.

    Up to a hundred of them cost two calls in an organization of up to 500 pending invitations,
    both at the same time; none cost none. What it does not find may still be there: a second
    address of a member whose other one is asked for, too, or one of more than 5000 pending.

    More than a thousand cost a call for each 500 members and each 500 pending, two at first and
    then all others at the same time. Then a member is found whom Clerk names by the address.

    :param addresses: to be compared, and sent, without regard to case. Clerk does not say how
        its own comparison does; lower case is how it keeps what people sign up with.
    """
    folded = list(dict.fromkeys(address.casefold() for address in addresses))
    if not folded:
        return Directory()
    chunks = list(_chunks(folded))
    if len(chunks) > MAX_CALLS:
        return _look_through(api, folded)
    asked = {f"members {i}": chunk for i, chunk in enumerate(chunks)}
    first = gather(
        {"pending": _pending_page(api, 0)}
        | {name: _memberships(api, chunk) for name, chunk in asked.items()}
    )

    invitations = _of(folded, first["pending"])
    searches = [_Search(chunk, first[name]) for name, chunk in asked.items()]
    calls: dict[str, Callable[[], Any]] = {}
    is_limited = any(isinstance(outcome.error, RateLimited) for outcome in first.values())
    if not is_limited:
        missing = [address for address in folded if address not in invitations]
        calls |= _more_pending(api, first["pending"], missing)
        calls |= _locating(api, searches)
    second = gather(calls)

    for name, outcome in second.items():
        if name.startswith("pending"):
            invitations = _of(folded, outcome) | invitations
    for number, search in enumerate(searches):
        search.finish(second, number)
    outcomes = (*first.values(), *second.values())
    memberships = {address: row for search in searches for address, row in search.located.items()}
    doubtful = _of_whom_pending_is_unknown(folded, first["pending"], second, is_limited=is_limited)
    for number, (name, search) in enumerate(zip(asked, searches, strict=True)):
        if first[name].error is not None:
            doubtful.update(asked[name])
        elif search.nameless and (is_limited or search.has_failed(second, number)):
            doubtful.update(search.left)
    return Directory(
        memberships=memberships,
        invitations=invitations,
        unknown=frozenset(doubtful - memberships.keys() - invitations.keys()),
        error=next((outcome.error for outcome in outcomes if outcome.error is not None), None),
    )


# --- Everybody ----------------------------------------------------------------------------------


def _look_through(api: OrganizationAPI, folded: Sequence[str]) -> Directory:
    """Return what Clerk knows of the addresses, by reading all members and pending invitations."""
    pages: Mapping[str, Callable[[int], Callable[[], Page[Any]]]] = {
        "pending": partial(_pending_page, api),
        "members": partial(_members_page, api),
    }
    first = gather({name: page(0) for name, page in pages.items()})
    is_limited = any(isinstance(outcome.error, RateLimited) for outcome in first.values())
    counts = {name: of.value.total_count if of.value else 0 for name, of in first.items()}
    offsets = {name: range(MAX_LIMIT, count, MAX_LIMIT) for name, count in counts.items()}
    calls = {
        f"{name} {offset}": pages[name](offset)
        for name in pages
        for offset in offsets[name][: MAX_PAGES_OF_ALL - 1]
        if not is_limited
    }
    outcomes = {**first, **gather(calls)}
    is_whole = len(calls) == sum(map(len, offsets.values()))
    error = next((of.error for of in outcomes.values() if of.error is not None), None)
    wanted = frozenset(folded)
    invitations: dict[str, Invitation] = {}
    memberships: dict[str, Membership] = {}
    for name, outcome in outcomes.items():
        if name.startswith("pending"):
            invitations = _of(wanted, outcome) | invitations
            continue
        for row in outcome.value.data if outcome.value else ():
            if row.user is not None and row.user.identifier.casefold() in wanted:
                memberships[row.user.identifier.casefold()] = row
    doubtful = frozenset() if is_whole and error is None else wanted
    unknown = doubtful - memberships.keys() - invitations.keys()
    return Directory(memberships, invitations, error, unknown)


def _members_page(api: OrganizationAPI, offset: int) -> Callable[[], Page[Membership]]:
    return lambda: api.get_memberships(limit=MAX_LIMIT, offset=offset)


# --- Pending invitations ------------------------------------------------------------------------


def _pending_page(api: OrganizationAPI, offset: int) -> Callable[[], Page[Invitation]]:
    return lambda: api.get_invitations(limit=MAX_LIMIT, offset=offset)


def _pending_of(api: OrganizationAPI, address: str) -> Callable[[], Page[Invitation]]:
    return lambda: api.get_invitations(email_address=address)


def _more_pending(
    api: OrganizationAPI, first: Outcome, missing: Sequence[str]
) -> dict[str, Callable[[], Any]]:
    """Return the calls for what the first page does not tell: pages or addresses, the fewer."""
    offsets = range(MAX_LIMIT, first.value.total_count if first.value else 0, MAX_LIMIT)
    if len(missing) <= min(FEW, len(offsets)):
        return {f"pending {address}": _pending_of(api, address) for address in missing}
    return {f"pending {offset}": _pending_page(api, offset) for offset in offsets[: MAX_PAGES - 1]}


def _of(folded: Iterable[str], outcome: Outcome) -> dict[str, Invitation]:
    """Return the pending invitations of these addresses, the newest of each."""
    wanted = frozenset(folded)
    found: dict[str, Invitation] = {}
    for row in outcome.value.data if outcome.value else ():
        address = row.email_address.casefold()
        if row.is_pending and address in wanted:
            found.setdefault(address, replace(row, url=""))
    return found


def _of_whom_pending_is_unknown(
    folded: Sequence[str], first: Outcome, more: Mapping[str, Outcome], *, is_limited: bool
) -> set[str]:
    """Return the addresses whose pending invitation may have been missed."""
    if first.value is None or (is_limited and first.value.total_count > MAX_LIMIT):
        return set(folded)
    failed = {
        name.removeprefix("pending ")
        for name, outcome in more.items()
        if name.startswith("pending") and outcome.error is not None
    }
    # Either addresses were asked for one by one, or pages, which may have had any of them.
    return min(failed, set(folded))


# --- Memberships --------------------------------------------------------------------------------


def _memberships(api: OrganizationAPI, addresses: Sequence[str]) -> Callable[[], Page[Membership]]:
    return lambda: api.get_memberships(email_address=addresses)


def _chunks(addresses: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    length = 0
    for address in addresses:
        size = len(f"email_address={quote_plus(address)}&")
        if chunk and (len(chunk) == MAX_ADDRESSES or length + size > MAX_QUERY):
            yield chunk
            chunk, length = [], 0
        chunk.append(address)
        length += size
    yield chunk


class _Search:
    """One question for memberships, and whose they are as far as is known."""

    def __init__(self, chunk: Sequence[str], outcome: Outcome) -> None:
        self.rows: tuple[Membership, ...] = outcome.value.data if outcome.value else ()
        asked = frozenset(chunk)
        named = {row.user.identifier.casefold(): row for row in self.rows if row.user is not None}
        self.located = {address: row for address, row in named.items() if address in asked}
        #: The addresses that no row has named.
        self.left = [address for address in chunk if address not in self.located]
        #: What is asked for again: groups of the addresses, by their number.
        self.groups: dict[int, list[str]] = {}

    @property
    def nameless(self) -> list[Membership]:
        """The rows that no address is known of."""
        known = {row.id for row in self.located.values()}
        return [row for row in self.rows if row.id not in known]

    def has_failed(self, outcomes: Mapping[str, Outcome], number: int) -> bool:
        """Whether what was asked for again could not all be had."""
        return any(outcomes[f"locate {number} {group}"].error is not None for group in self.groups)

    def finish(self, outcomes: Mapping[str, Outcome], number: int) -> None:
        """Locate what the groups tell, once they have been asked for."""
        answers = {group: outcomes[f"locate {number} {group}"] for group in self.groups}
        if not answers or self.has_failed(outcomes, number):
            return
        seen_in: dict[str, set[int]] = {}
        for group, outcome in answers.items():
            for row in outcome.value.data:
                seen_in.setdefault(row.id, set()).add(group)
        addresses: dict[frozenset[int], str] = {
            frozenset(group for group, part in self.groups.items() if address in part): address
            for address in self.left
        }
        for row in self.rows:
            # Somebody who has two of the addresses is in more than half of the groups, and so
            # never taken for a third one.
            address = addresses.get(frozenset(seen_in.get(row.id, ())))
            if address is not None:
                self.located[address] = row


def _locating(api: OrganizationAPI, searches: Sequence[_Search]) -> dict[str, Callable[[], Any]]:
    """Return the calls that find out whose the memberships without a known address are."""
    calls: dict[str, Callable[[], Any]] = {}
    for number, search in enumerate(searches):
        if not search.nameless or not search.left:
            continue
        if len(search.left) == len(search.nameless) == 1:
            search.located[search.left[0]] = search.nameless[0]
            continue
        groups = _groups(search.left)
        if len(calls) + len(groups) > MAX_LOCATING_CALLS:
            continue
        search.groups = groups
        for group, part in groups.items():
            calls[f"locate {number} {group}"] = _memberships(api, part)
    return calls


def _groups(addresses: Sequence[str]) -> dict[int, list[str]]:
    """Put each address into half of the groups, no two into the same; in as few as can be."""
    count = next(n for n in range(1, MAX_ADDRESSES + 1) if comb(n, n // 2) >= len(addresses))
    groups: dict[int, list[str]] = {}
    for address, places in zip(addresses, combinations(range(count), count // 2), strict=False):
        for place in places:
            groups.setdefault(place, []).append(address)
    return groups
