"""What joining asks of Clerk: who somebody is, what they are invited to, and the two writes.

The Backend API cannot accept an invitation, only the Frontend API can. A server reaches the same
end by revoking the invitation and adding the person (Clerk's documents recommend that for existing
users); the order in which that is safe is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from .client import ClerkClient
from .exceptions import InvalidResponse
from .organizations import MAX_LIMIT, OrganizationAPI, _parsed, _parsed_page
from .resources import (
    Invitation,
    Membership,
    Organization,
    Page,
    _object,
    _required,
    _text,
)

_VERIFIED: Final = "verified"


@dataclass(frozen=True, slots=True)
class User:
    """A person, with their addresses."""

    id: str
    name: str = field(default="", repr=False)
    #: The first address, else any; empty where there is none.
    email_address: str = field(default="", repr=False)
    #: Addresses that the person has shown to be theirs, casefolded.
    verified: frozenset[str] = field(default=frozenset(), repr=False)
    #: Those that nobody knows to be theirs, casefolded.
    unverified: frozenset[str] = field(default=frozenset(), repr=False)
    banned: bool = False
    locked: bool = False
    deprovisioned: bool = False

    @property
    def is_barred(self) -> bool:
        """Whether the account may not be used."""
        return self.banned or self.locked or self.deprovisioned

    def owns(self, email_address: str) -> bool:
        """Whether the address is a verified one of theirs."""
        return email_address.casefold() in self.verified

    @classmethod
    def parse(cls, data: Any) -> User:
        """Read a ``user`` object. What is not told to be verified is not."""
        data = _object(data, "user")
        rows = data.get("email_addresses")
        rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        verified: set[str] = set()
        unverified: set[str] = set()
        first = ""
        for row in rows:
            address = _text(row, "email_address")
            check = row.get("verification")
            is_verified = isinstance(check, dict) and check.get("status") == _VERIFIED
            (verified if is_verified else unverified).add(address.casefold())
            if not first or row.get("id") == data.get("primary_email_address_id"):
                first = address
        return cls(
            id=_required(data, "id"),
            name=f"{_text(data, 'first_name')} {_text(data, 'last_name')}".strip(),
            email_address=first,
            verified=frozenset(verified - {""}),
            unverified=frozenset(unverified - verified - {""}),
            banned=data.get("banned") is True,
            locked=data.get("locked") is True,
            deprovisioned=data.get("deprovisioned") is True,
        )


@dataclass(frozen=True, slots=True)
class OwnInvitation:
    """An invitation of a person's, with the organization that it leads to."""

    invitation: Invitation
    organization: Organization

    @classmethod
    def parse(cls, data: Any) -> OwnInvitation:
        """Read an ``organization_invitation`` with ``public_organization_data``; no link is kept.

        The organization lies beside the invitation, or in another one of Clerk's versions in
        ``organization``.
        """
        data = _object(data, "invitation")
        invitation = Invitation.parse(data)
        organization = data.get("public_organization_data")
        if not isinstance(organization, dict):
            organization = {"id": invitation.organization_id}
        found = Organization.parse(organization)
        return cls(replace(invitation, url="", organization_id=found.id), found)


class PeopleAPI:
    """The people of an instance. Every method raises :exc:`ClerkError`."""

    def __init__(self, client: ClerkClient) -> None:
        self.client = client

    def get_user(self, user_id: str) -> User:
        """Return a person, as Clerk knows them now."""
        return _parsed(User.parse, self.client.get("users", user_id))

    def get_invitations(self, user_id: str, *, status: str | None = None) -> Page[OwnInvitation]:
        """Return the invitations to verified addresses of a person's, up to 500 of them.

        :param status: only those in this one.
        """
        return _parsed_page(
            OwnInvitation.parse,
            self.client.get(
                "users",
                user_id,
                "organization_invitations",
                params={"status": status, "limit": MAX_LIMIT},
            ),
        )

    def revoke_session(self, session_id: str) -> None:
        """End a session. Its token lives on for its minute, and is renewed no more."""
        self.client.post("sessions", session_id, "revoke")


class JoiningAPI(OrganizationAPI):
    """The Backend API of an organization that somebody joins."""

    def withdraw(self, invitation_id: str) -> Invitation:
        """Revoke a pending invitation in nobody's name: that of who joins may not do it.

        :returns: as Clerk answered: with the role and metadata that the membership is to get.
        :raises InvitationNotPending: it was accepted, revoked or has expired meanwhile.
        :raises InvitationNotFound: there is none with this id in this organization.
        :raises InvalidResponse: what came back is another invitation, or not a revoked one.
        """
        revoked = self.revoke(invitation_id, requesting_user_id=None)
        if revoked.id != invitation_id or not revoked.is_revoked:
            raise InvalidResponse("not the invitation that was to be revoked")
        return revoked

    def add_member(
        self,
        user_id: str,
        role: str,
        *,
        public_metadata: Mapping[str, Any],
        private_metadata: Mapping[str, Any],
    ) -> Membership:
        """Make somebody a member.

        :raises AlreadyMember: they are one.
        """
        self.has_written = True
        body = {
            "user_id": user_id,
            "role": role,
            "public_metadata": dict(public_metadata),
            "private_metadata": dict(private_metadata),
        }
        return _parsed(
            Membership.parse,
            self.client.post("organizations", self.organization_id, "memberships", json=body),
        )
