"""What the use cases return and raise."""

from __future__ import annotations

from dataclasses import dataclass

from ..clerk import ClerkError, Invitation, Membership, Organization
from ..roles import AssignableRoles


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


@dataclass(frozen=True, slots=True)
class InvitationPage:
    """One page of a list of invitations."""

    invitations: tuple[Invitation, ...]
    #: The page's number, from 1.
    number: int
    #: How many invitations a page holds.
    size: int
    total_count: int

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
    invitation: Invitation | None = None
