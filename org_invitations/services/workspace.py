"""What the use cases return and raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ..clerk import ClerkError, Invitation, InvitationStatus, Membership, Organization
from ..roles import AssignableRoles
from .query import InvitationQuery
from .seats import Seats


class NotPermitted(Exception):
    """The person may not manage the members of the organization, as far as is known."""


class NotMember(NotPermitted):
    """The person does not belong to the organization at all."""


class RoleNotGranted(NotPermitted):
    """The person may not give this role to anybody, or the organization may not assign it."""


class Unsettled(Exception):
    """A write may or may not have happened.

    ``error`` is what the write ended with. ``absent`` tells that Clerk was asked and shows nothing
    of it so far; it may still be at work. Without it, Clerk could not even be asked.
    """

    def __init__(self, error: ClerkError, *, absent: bool = False) -> None:
        self.error = error
        self.absent = absent
        super().__init__(str(error))


class TooManyInvitations(Exception):
    """There are more invitations than can be handled in one go; ``count`` is how many."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(f"{count} invitations")


class Limit(StrEnum):
    """What could not be done with a list that is too large to be fetched as a whole."""

    #: It is sorted by another column than the one asked for: newest first.
    SORT = "sort"
    #: It was not searched: everything of its status is on it.
    SEARCH = "search"
    #: Only the whole address was looked for, not parts of addresses or inviters.
    WHOLE_ADDRESS = "whole-address"


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
    #: What could not be done as it was asked for.
    limits: frozenset[Limit] = frozenset()
    #: Whether all invitations of the status were at hand, so that everything could be done.
    is_whole: bool = True

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


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a page about an organization's invitations shows, for a person who may see it."""

    organization: Organization
    membership: Membership
    roles: AssignableRoles
    #: Why ``roles`` is empty, where Clerk would not say.
    roles_error: ClerkError | None = None
    page: InvitationPage | None = None
    page_error: ClerkError | None = None
    #: None where there is no limit to them, or it is not known how many are used.
    seats: Seats | None = None
    invitation: Invitation | None = None
