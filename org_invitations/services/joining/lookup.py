"""Which of the six states somebody finds an invitation in, as Clerk has everything now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Final

from ...clerk import ClerkClient, InstanceAPI, Invitation, Membership, Page
from ...clerk.exceptions import NotFound
from ...clerk.joining import JoiningAPI, OwnInvitation, PeopleAPI, User
from ...clerk.organizations import MAX_LIMIT
from ...clerk.resources import Organization
from ...concurrency import Outcome, gather
from ...models import Joining
from . import strangers
from .links import JoinValue
from .rows import is_finishable, note_member

#: An invitation that only the hash of its address names is looked for in pages of so many, as many
#: as Clerk gives; and in no more than so many pages of those that are pending.
_PAGE: Final = MAX_LIMIT
_MAX_PAGES: Final = 4


class JoinState(StrEnum):
    """What somebody finds."""

    #: 1. Signed in as the invited.
    JOIN = "join"
    #: 2. Signed in as somebody else.
    OTHER_ACCOUNT = "other-account"
    #: 3. Signed out; somebody has the address, or nobody knows.
    SIGN_IN = "sign-in"
    #: 4. Signed out; nobody has the address.
    SIGN_UP = "sign-up"
    #: 5. A member already.
    JOINED = "joined"
    #: 6. Expired, revoked, deleted, or never there.
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in."""

    #: ``user_…``
    user_id: str
    #: ``sess_…``; empty where the site signs people in itself.
    session_id: str = ""
    #: Who really sits there; empty if nobody does.
    actor_id: str = ""
    #: ``org_…``, the active organization; empty where there is none.
    organization_id: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """A state, with what is shown of it. No invitation in it has a link."""

    state: JoinState
    value: JoinValue | None = None
    organization: Organization | None = None
    invitation: Invitation | None = None
    user: User | None = None
    #: Of state 2: the account itself may not join, or the address of it is not verified.
    is_barred: bool = False
    is_unverified: bool = False
    #: Of states 1 and 6: what was begun before, and is to be finished or cannot be.
    joining: Joining | None = None
    #: Of state 5: when the person became a member; None where Clerk does not say.
    member_since: datetime | None = None


@dataclass
class Lookup:
    """Looks at Clerk for one value and one person; it changes nothing there."""

    client: ClerkClient
    value: JoinValue | None
    person: Person | None
    #: For which invitations the browser holds tickets, and what their links said of the address,
    #: ``sign_in`` or ``sign_up``: hints.
    tickets: Mapping[str, str] = field(default_factory=dict)
    #: From where the request comes, as the site knows it.
    address: str = ""
    people: PeopleAPI = field(init=False)

    def __post_init__(self) -> None:
        self.people = PeopleAPI(self.client)

    def look(self) -> Look:
        """Return what there is to see.

        :raises ClerkError: Clerk could not be asked.
        """
        if self.value is None:
            return Look(JoinState.GONE)
        if self.person is None:
            return self._look_signed_out(self.value)
        return self._look_signed_in(self.value, self.person)

    # --- Signed in --------------------------------------------------------------------------

    def _look_signed_in(self, value: JoinValue, person: Person) -> Look:
        instance = InstanceAPI(self.client)
        found = gather(
            {
                "user": lambda: self.people.get_user(person.user_id),
                "invitations": lambda: self.people.get_invitations(person.user_id),
                "memberships": lambda: instance.get_organization_memberships(person.user_id),
            }
        )
        user = _or_none(found["user"])
        if user is None:  # deleted a moment ago
            return self._look_signed_out(value)
        page: Page[OwnInvitation] | None = _or_none(found["invitations"])
        memberships: Page[Membership] | None = _or_none(found["memberships"])
        theirs = {
            row.invitation.id: row
            for row in (page.data if page else ())
            if row.invitation.organization_id == value.organization_id
            and value.names(row.invitation)
            and user.owns(row.invitation.email_address)
        }
        chosen = _choose(row.invitation for row in theirs.values())
        member = _member_of(value, memberships)
        if chosen is not None and chosen.is_accepted and member is None:
            # All were asked at the same time, and it may have been accepted in between.
            member = _member_of(value, instance.get_organization_memberships(person.user_id))
        if chosen is not None:
            look = self._look_at_own(value, user, theirs[chosen.id], member)
        else:
            look = self._look_at_others(value, user, member)
        if user.is_barred or person.actor_id:
            return _barred(look)
        return look

    def _look_at_own(
        self, value: JoinValue, user: User, own: OwnInvitation, member: Membership | None
    ) -> Look:
        invitation = own.invitation
        kept = Joining.objects.filter(
            invitation_id=invitation.id, user_id=user.id, state__in=Joining.OPEN
        ).first()
        if member is not None:
            if kept is not None:
                note_member(kept)
            return Look(
                JoinState.JOINED,
                value,
                member.organization,
                invitation,
                user,
                member_since=member.created_at,
            )
        if invitation.is_pending or (kept is not None and is_finishable(kept, invitation)):
            return Look(JoinState.JOIN, value, own.organization, invitation, user, joining=kept)
        return Look(JoinState.GONE, value, None, invitation, user, joining=kept)

    def _look_at_others(self, value: JoinValue, user: User, member: Membership | None) -> Look:
        strangers.count_person(user.id)
        addresses = user.verified | user.unverified
        invitation, organization = self._find(value, addresses)
        if invitation is not None and organization is not None and invitation.is_pending:
            is_unverified = invitation.email_address.casefold() in user.unverified
            return Look(
                JoinState.OTHER_ACCOUNT,
                value,
                organization,
                invitation,
                user,
                is_unverified=is_unverified,
            )
        if member is not None:
            return Look(JoinState.JOINED, value, member.organization, None, user)
        return Look(JoinState.GONE, value, None, invitation, user)

    # --- Signed out -------------------------------------------------------------------------

    def _look_signed_out(self, value: JoinValue) -> Look:
        strangers.count(value, self.address)
        invitation, organization = self._find(value)
        if invitation is None or organization is None or not invitation.is_pending:
            return Look(JoinState.GONE, value, None, invitation)
        is_new = self.tickets.get(invitation.id) == "sign_up"
        state = JoinState.SIGN_UP if is_new else JoinState.SIGN_IN
        return Look(state, value, organization, invitation)

    def _find(
        self, value: JoinValue, addresses: Iterable[str] = ()
    ) -> tuple[Invitation | None, Organization | None]:
        """Return the invitation that a value names, and where it leads, whoever asks.

        :param addresses: those of who asks.
        :raises ClerkError: Clerk could not be asked.
        """
        api = JoiningAPI(self.client, value.organization_id)
        # A ticket may be another's that somebody has put into the link, so every one is looked at.
        ids = [value.invitation_id] if value.invitation_id else [*self.tickets]
        calls: dict[str, Callable[[], Any]] = {"organization": api.get}
        calls |= {id_: partial(api.get_invitation, id_) for id_ in ids}
        found = gather(calls)
        organization: Organization | None = _or_none(found.pop("organization"))
        if organization is None:
            return None, None
        told: list[Invitation] = [row for outcome in found.values() if (row := _or_none(outcome))]
        invitation = _choose(row for row in told if value.names(row))
        if (invitation is None or not invitation.is_pending) and not value.invitation_id:
            invitation = self._search(api, value, addresses) or invitation
        return (invitation and replace(invitation, url="")), organization

    def _search(
        self, api: JoiningAPI, value: JoinValue, addresses: Iterable[str]
    ) -> Invitation | None:
        """Look for the invitation of an address that is known by its hash only: the last resort.

        Somebody has followed a link of ours, and there is no ticket, or that of an older one. If
        the address is one of theirs, one question tells. Else it is looked for among all that are
        pending, and what is over among the newest.
        """
        for address in addresses:
            if value.names_address(address):
                page = api.get_invitations(status=None, email_address=address, limit=_PAGE)
                return _choose(row for row in page.data if value.names(row))
        for number in range(_MAX_PAGES):
            page = api.get_invitations(limit=_PAGE, offset=number * _PAGE)
            found = next((row for row in page.data if value.names(row)), None)
            if found is not None or len(page.data) < _PAGE:
                break
        if found is not None:
            return found
        page = api.get_invitations(status=None, limit=_PAGE)
        return _choose(row for row in page.data if value.names(row))


def _choose(rows: Iterable[Invitation]) -> Invitation | None:
    """Return the pending one, else the newest: Clerk lists the newest first."""
    every = list(rows)
    return next((row for row in every if row.is_pending), next(iter(every), None))


def _barred(look: Look) -> Look:
    """Let an account that may not be used join nothing."""
    if look.state in (JoinState.JOIN, JoinState.OTHER_ACCOUNT):
        return replace(look, state=JoinState.OTHER_ACCOUNT, is_barred=True, joining=None)
    return replace(look, state=JoinState.GONE, organization=None)


def _member_of(value: JoinValue, memberships: Page[Membership] | None) -> Membership | None:
    """Return the membership in the organization that a value names, if there is one."""
    found = memberships.data if memberships is not None else ()
    return next((row for row in found if row.organization.id == value.organization_id), None)


def _or_none(outcome: Outcome) -> Any:
    """Return a value, None where there is no such thing; raise what else went wrong."""
    try:
        return outcome.get()
    except NotFound:
        return None
