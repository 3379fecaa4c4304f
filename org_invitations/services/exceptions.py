"""What the use cases raise, besides Clerk's own errors."""

from __future__ import annotations

from ..clerk import ClerkError


class NotPermitted(Exception):
    """The person may not manage the members of the organization, as far as is known."""


class NotMember(NotPermitted):
    """The person does not belong to the organization at all."""


class RoleNotGranted(NotPermitted):
    """The person may not give this role to anybody, or the organization may not assign it."""


class OutcomeUnknown(Exception):
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
