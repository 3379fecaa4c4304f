"""What can be done in one organization, and what must be known about its instance.

The names follow Clerk's JavaScript: ``invite_member``, ``invite_members``, ``get_invitations``,
``get_roles``, ``revoke``. Every path starts with the organization that the caller verified;
Clerk answers 404 for an invitation of another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from .client import ClerkClient
from .exceptions import (
    BULK_INVITATIONS,
    SINGLE_INVITATIONS,
    InvalidResponse,
    InvitationNotFound,
    NotFound,
    OrganizationNotFound,
    RateLimited,
    RoleNotFound,
)
from .marks import add_mark, get_mark
from .resources import (
    Invitation,
    InvitationStatus,
    Membership,
    Organization,
    OrganizationSettings,
    Page,
    Role,
    RoleSet,
)

T = TypeVar("T")

#: Clerk takes this many invitations in one bulk call.
BULK_SIZE: Final = 10

#: Clerk's largest page.
MAX_LIMIT: Final = 500


@dataclass(frozen=True, slots=True)
class InvitationRequest:
    """One invitation to create, in Clerk's terms."""

    email_address: str
    role: str
    inviter_user_id: str
    redirect_url: str | None = None
    #: 1 to 365 days; None leaves it to Clerk, which makes it 30.
    expires_in_days: int | None = None
    #: False sends no e-mail.
    notify: bool | None = None
    public_metadata: Mapping[str, Any] | None = field(default=None, repr=False)
    private_metadata: Mapping[str, Any] | None = field(default=None, repr=False)
    #: By which the invitation is known again, where the answer is lost; empty for none.
    mark: str = field(default="", repr=False)

    @property
    def sent_mark(self) -> str:
        """The mark, if the request really carries it: metadata of the site may leave no room."""
        return self.mark if get_mark(self._marked() or {}) == self.mark else ""

    def _marked(self) -> Mapping[str, Any] | None:
        return add_mark(self.private_metadata, self.mark, public_metadata=self.public_metadata)

    def as_json(self) -> dict[str, Any]:
        """Return the request body; what was not chosen is left out."""
        body = {
            "email_address": self.email_address,
            "role": self.role,
            "inviter_user_id": self.inviter_user_id,
            "redirect_url": self.redirect_url,
            "expires_in_days": self.expires_in_days,
            "notify": self.notify,
            "public_metadata": self.public_metadata,
            "private_metadata": self._marked(),
        }
        return {key: value for key, value in body.items() if value is not None}


class OrganizationAPI:
    """The Backend API of one organization. Every method raises :exc:`ClerkError`."""

    def __init__(self, client: ClerkClient, organization_id: str) -> None:
        """``organization_id`` is Clerk's id; :meth:`get` alone takes a slug as well."""
        self.client = client
        self.organization_id = organization_id
        #: Whether anything has been sent by this object that would change something.
        self.has_written = False

    def get(self, *, include_members_count: bool = False) -> Organization:
        """Return the organization, by id or by slug.

        :raises OrganizationNotFound: there is none.
        """
        params = {"include_members_count": "true" if include_members_count else None}
        try:
            return _parsed(
                Organization.parse,
                self.client.get("organizations", self.organization_id, params=params),
            )
        except NotFound as error:
            raise _as(OrganizationNotFound, error) from None

    def get_memberships(
        self,
        *,
        user_id: str | None = None,
        email_address: Sequence[str] | None = None,
        limit: int = MAX_LIMIT,
        offset: int = 0,
    ) -> Page[Membership]:
        """Return the memberships of users by id, or of up to 100 addresses."""
        return _parsed_page(
            Membership.parse,
            self.client.get(
                "organizations",
                self.organization_id,
                "memberships",
                params={
                    "user_id": user_id,
                    "email_address": list(email_address) if email_address else None,
                    "limit": limit,
                    "offset": offset,
                },
            ),
        )

    def get_membership(self, user_id: str) -> Membership | None:
        """Return the membership of one user; None unless Clerk names exactly this one.

        ``user_id`` goes out bare: Clerk gives a leading ``+`` or ``-`` a meaning.
        """
        page = self.get_memberships(user_id=user_id, limit=2)
        found = [row for row in page.data if self._is_ours(row, user_id)]
        return found[0] if len(found) == 1 == len(page.data) else None

    def _is_ours(self, membership: Membership, user_id: str) -> bool:
        user = membership.user
        return (
            user is not None
            and user.user_id == user_id
            and membership.organization.id == self.organization_id
        )

    def get_invitations(
        self,
        *,
        status: Iterable[InvitationStatus] | None = (InvitationStatus.PENDING,),
        email_address: str | None = None,
        order_by: str | None = None,
        limit: int = 10,
        offset: int = 0,
    ) -> Page[Invitation]:
        """Return invitations, newest first unless ``order_by`` says otherwise.

        :param status: the statuses to include; None for all. Clerk's own default is all, ours
            is what its guide lists, the pending ones.
        :param order_by: ``created_at`` or ``email_address``, with ``+`` or ``-`` before it.
        :param limit: 1 to 500.
        """
        return _parsed_page(
            Invitation.parse,
            self.client.get(
                "organizations",
                self.organization_id,
                "invitations",
                params={
                    "status": [str(item) for item in status] if status else None,
                    "email_address": email_address,
                    "order_by": order_by,
                    "limit": limit,
                    "offset": offset,
                },
            ),
        )

    def get_invitation(self, invitation_id: str) -> Invitation:
        """Return one invitation.

        :raises InvitationNotFound: there is none with this id in this organization.
        """
        try:
            return _parsed(
                Invitation.parse,
                self.client.get(
                    "organizations", self.organization_id, "invitations", invitation_id
                ),
            )
        except NotFound as error:
            raise _missing_invitation(error) from None

    def invite_member(self, request: InvitationRequest) -> Invitation:
        """Invite one person."""
        self.has_written = True
        with _limited_by(SINGLE_INVITATIONS):
            return _parsed(
                Invitation.parse,
                self.client.post(
                    "organizations", self.organization_id, "invitations", json=request.as_json()
                ),
            )

    def invite_members(self, requests: Sequence[InvitationRequest]) -> tuple[Invitation, ...]:
        """Invite one to ten people in one call.

        Clerk does not document what happens to nine when it refuses the tenth; its own page
        treats the call as all or nothing.

        :raises ValueError: for none, or for more than ten.
        """
        if not 1 <= len(requests) <= BULK_SIZE:
            raise ValueError(f"Clerk takes 1 to {BULK_SIZE} invitations in one call")
        self.has_written = True
        with _limited_by(BULK_INVITATIONS):
            return _parsed_page(
                Invitation.parse,
                self.client.post(
                    "organizations",
                    self.organization_id,
                    "invitations",
                    "bulk",
                    json=[request.as_json() for request in requests],
                ),
            ).data

    def revoke(self, invitation_id: str, *, requesting_user_id: str | None) -> Invitation:
        """Revoke a pending invitation.

        :param requesting_user_id: who does it; None for nobody. Clerk's description calls it
            optional.
        :raises InvitationNotPending: it was accepted, revoked or has expired meanwhile.
        :raises InvitationNotFound: there is none with this id in this organization.
        """
        self.has_written = True
        who = {} if requesting_user_id is None else {"requesting_user_id": requesting_user_id}
        try:
            return _parsed(
                Invitation.parse,
                self.client.post(
                    "organizations",
                    self.organization_id,
                    "invitations",
                    invitation_id,
                    "revoke",
                    json=who,
                ),
            )
        except NotFound as error:
            raise _missing_invitation(error) from None


class InstanceAPI:
    """What belongs to the whole Clerk instance. Every method raises :exc:`ClerkError`."""

    def __init__(self, client: ClerkClient) -> None:
        self.client = client

    def get_roles(self) -> tuple[Role, ...]:
        """Return all roles of the instance with their permissions, oldest first.

        ``GET /organization_roles`` is not limited to what one organization may assign: that is
        what its role set says. An instance has far fewer roles than one page holds.
        """
        return _parsed_page(
            Role.parse,
            self.client.get(
                "organization_roles", params={"limit": MAX_LIMIT, "order_by": "+created_at"}
            ),
        ).data

    def get_role_set(self, key: str) -> RoleSet:
        """Return a role set by key or id."""
        try:
            return _parsed(RoleSet.parse, self.client.get("role_sets", key))
        except RoleNotFound as error:  # "Role set not found" names a role, too
            raise _as(NotFound, error) from None

    def get_organization_settings(self) -> OrganizationSettings:
        """Return the instance's organization settings."""
        return _parsed(
            OrganizationSettings.parse, self.client.get("instance", "organization_settings")
        )

    def get_organization_memberships(self, user_id: str) -> Page[Membership]:
        """Return the organizations that a user belongs to, up to 500 of them."""
        return _parsed_page(
            Membership.parse,
            self.client.get(
                "users", user_id, "organization_memberships", params={"limit": MAX_LIMIT}
            ),
        )


@contextmanager
def _limited_by(limit: str) -> Iterator[None]:
    """Let a 429 say which limit a call of this kind has of its own."""
    try:
        yield
    except RateLimited as error:
        error.limit = limit
        raise


def _parsed(parse: Callable[[Any], T], answer: Any) -> T:
    """Read an answer. No traceback keeps it: it may hold the link of an invitation."""
    try:
        return parse(answer)
    except InvalidResponse as error:
        del answer
        raise error.with_traceback(None) from None


def _parsed_page(parse: Callable[[Any], T], answer: Any) -> Page[T]:
    try:
        return Page.parse(answer, parse)
    except InvalidResponse as error:
        del answer
        raise error.with_traceback(None) from None


def _missing_invitation(error: NotFound) -> NotFound:
    if isinstance(error, OrganizationNotFound):
        return error
    return _as(InvitationNotFound, error)


def _as(kind: type[NotFound], error: NotFound) -> NotFound:
    """Say the same error more exactly: only the caller knows what was looked for."""
    return kind(error.reason, status=error.status, errors=error.errors, trace_id=error.trace_id)
