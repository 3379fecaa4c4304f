"""The check before sending: what would become of each address, found out without inviting anybody.

It is a forecast. Who may invite, and as what, is checked again at the moment of sending, and what
Clerk then says counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ..addresses import Entry, Refusal, refuse_twice
from ..clerk import ClerkError, Invitation, Membership, OrganizationAPI, Role
from ..roles import AssignableRoles, RoleMatch, RoleNames
from .directory import Directory, look_up
from .limits import Seats

#: How many addresses are sent in one request, unless the caller says otherwise.
DEFAULT_LIMIT: Final = 100


class PreviewStatus(StrEnum):
    """What would become of an address."""

    #: It would be invited.
    NEW = "new"
    MEMBER = "member"
    INVITED = "invited"
    TWICE = "twice"
    NOT_AN_ADDRESS = "not-an-address"
    TOO_LONG = "too-long"
    #: A row of a table without an address in its place.
    NO_ADDRESS = "no-address"
    #: The same, with several elsewhere in it.
    SEVERAL = "several-addresses"
    #: It is the person's own.
    SELF = "self"
    #: The organization has no seat left for it.
    NO_SEAT = "no-seat"
    ROLE_UNKNOWN = "role-unknown"
    #: The organization may assign the role, but not this person.
    ROLE_NOT_GRANTED = "role-not-granted"
    #: It would be invited, but not in the same request: there are too many before it.
    LATER = "later"
    #: It may be an address, but looks like a slip, and nobody has said that it is meant.
    MISTYPED = "mistyped"
    #: Clerk has refused it. No check finds that.
    REFUSED = "refused"


#: Where there is nothing to do: the person is a member or invited, or is in the list once more.
SETTLED: Final = frozenset(
    {PreviewStatus.MEMBER, PreviewStatus.SELF, PreviewStatus.INVITED, PreviewStatus.TWICE}
)


_REFUSALS: Final[Mapping[Refusal | None, PreviewStatus]] = {
    Refusal.TWICE: PreviewStatus.TWICE,
    Refusal.NOT_AN_ADDRESS: PreviewStatus.NOT_AN_ADDRESS,
    Refusal.TOO_LONG: PreviewStatus.TOO_LONG,
    Refusal.NO_ADDRESS: PreviewStatus.NO_ADDRESS,
    Refusal.SEVERAL: PreviewStatus.SEVERAL,
}
_MATCHES: Final = {
    RoleMatch.GRANTED: PreviewStatus.NEW,
    RoleMatch.NONE: PreviewStatus.NEW,
    RoleMatch.NOT_GRANTABLE: PreviewStatus.ROLE_NOT_GRANTED,
    RoleMatch.UNKNOWN: PreviewStatus.ROLE_UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class PreviewItem:
    """One piece of what was typed, and what would become of it."""

    entry: Entry
    status: PreviewStatus
    #: What it would be invited as; for ``ROLE_NOT_GRANTED``, what it cannot be invited as. None
    #: where no role is chosen yet, or none is known by this name.
    role: Role | None = None
    #: For ``INVITED``, the pending one, without its link.
    invitation: Invitation | None = None
    #: For ``MEMBER`` and ``SELF``.
    membership: Membership | None = None
    #: Whether Clerk could be asked about it. If not, it may be a member's or invited already.
    is_known: bool = True

    @classmethod
    def refused(cls, entry: Entry) -> PreviewItem:
        """Return what becomes of a piece that the parser has refused.

        :raises KeyError: it has not.
        """
        return cls(entry, _REFUSALS[entry.refusal])

    @property
    def sendable(self) -> bool:
        """Whether it would be invited."""
        return self.status is PreviewStatus.NEW

    @property
    def needs_nothing(self) -> bool:
        """Whether there is nothing to send and nothing to put right."""
        return self.status in SETTLED

    @property
    def is_to_fix(self) -> bool:
        """Whether it would not be invited until somebody puts something right."""
        return not (self.sendable or self.needs_nothing or self.status is PreviewStatus.LATER)


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of everything that was typed, in its order."""

    items: tuple[PreviewItem, ...]
    #: The roles of the sendable ones that need a confirmation, each once.
    elevated: tuple[Role, ...] = ()
    seats: Seats | None = None
    #: Why Clerk could not be asked for all that matters.
    error: ClerkError | None = None

    @property
    def sendable(self) -> tuple[PreviewItem, ...]:
        """Those that would be invited."""
        return tuple(item for item in self.items if item.sendable)

    @property
    def refused(self) -> tuple[PreviewItem, ...]:
        """Those that would not, for now or at all."""
        return tuple(item for item in self.items if not item.sendable)

    @property
    def to_fix(self) -> tuple[PreviewItem, ...]:
        """Those that would not be until somebody puts something right."""
        return tuple(item for item in self.items if item.is_to_fix)

    @property
    def settled(self) -> tuple[PreviewItem, ...]:
        """Those for whom there is nothing to do."""
        return tuple(item for item in self.items if item.needs_nothing)

    @property
    def counts(self) -> Mapping[PreviewStatus, int]:
        """How many there are of each verdict, those without any included."""
        counts = dict.fromkeys(PreviewStatus, 0)
        for item in self.items:
            counts[item.status] += 1
        return counts

    @property
    def complete(self) -> bool:
        """Whether Clerk could be asked. If not, a member or an invited one may count as new."""
        return self.error is None


def preview_entries(
    entries: Iterable[Entry],
    *,
    role: str,
    roles: AssignableRoles,
    api: OrganizationAPI,
    user_id: str,
    seats: Seats | None = None,
    limit: int = DEFAULT_LIMIT,
    as_typed: Collection[str] | None = None,
) -> Preview:
    """Return what would become of each entry. Clerk is asked, but nothing is changed there.

    The first reason that applies is the verdict: what the parser says, who is a member or
    invited, the role, the seats, the limit. Raises nothing of Clerk's: see ``Preview.error``.
    It does not ask whether the person may see the organization's members: open it first.

    :param role: the key of the role for whatever names none itself; empty where none is chosen.
    :param roles: what this person may grant. Where there are none at all, as when Clerk did not
        tell them, no role is taken.
    :param user_id: whose own address is ``SELF``.
    :param seats: None where they are not known; then none are counted.
    :param limit: how many are ``NEW`` at most.
    :param as_typed: the addresses that are meant although they look like a slip; the others that do
        are ``MISTYPED``. None where nobody can be asked: then all of them are meant.
    """
    # What is there twice though no parser saw it: a text and a file, put together.
    taken = tuple(refuse_twice(entries, lines=False))
    addresses = [entry.email_address for entry in taken if entry.refusal is None]
    directory = look_up(api, addresses)
    names = RoleNames(roles)
    left = seats.left if seats is not None else None
    items: list[PreviewItem] = []
    passed = 0
    for entry in taken:
        found, match = names.find(entry.role or role)
        item = _preview(entry, directory, user_id, found, _MATCHES[match])
        if item.sendable and entry.suggestion and not _is_meant(entry, as_typed):
            item = replace(item, status=PreviewStatus.MISTYPED)
        if item.sendable:
            if left is not None and passed >= left:
                item = replace(item, status=PreviewStatus.NO_SEAT)
            elif passed >= limit:
                item = replace(item, status=PreviewStatus.LATER)
            passed += 1
        items.append(item)
    elevated = {
        item.role.key: item.role
        for item in items
        if item.sendable and item.role is not None and item.role.key in roles.elevated
    }
    return Preview(tuple(items), tuple(elevated.values()), seats, directory.error)


def _is_meant(entry: Entry, as_typed: Collection[str] | None) -> bool:
    return as_typed is None or entry.email_address in as_typed


def _preview(
    entry: Entry, directory: Directory, user_id: str, role: Role | None, problem: PreviewStatus
) -> PreviewItem:
    """Return the verdict as long as there are seats; ``problem`` is that of the role."""
    if entry.refusal is not None:
        return PreviewItem.refused(entry)
    key = entry.email_address.casefold()
    membership = directory.memberships.get(key)
    if membership is not None:
        own = membership.user is not None and membership.user.user_id == user_id
        status = PreviewStatus.SELF if own else PreviewStatus.MEMBER
        return PreviewItem(entry, status, role, membership=membership)
    if (invitation := directory.invitations.get(key)) is not None:
        return PreviewItem(entry, PreviewStatus.INVITED, role, invitation=invitation)
    return PreviewItem(entry, problem, role, is_known=key not in directory.unknown)
