"""What Clerk's Backend API answers, as frozen dataclasses.

Times are epoch milliseconds on the wire and aware UTC datetimes here. Fields that Clerk may
leave out or send as null are None or empty, fields it adds are ignored, and a status it
invents is :attr:`InvitationStatus.UNKNOWN`: a page never breaks over what Clerk adds.
Schemas: Clerk's OpenAPI description 2026-05-12.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from .exceptions import InvalidResponse
from .marks import get_mark, without_mark

T = TypeVar("T")

logger = logging.getLogger("org_invitations.clerk")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class InvitationStatus(StrEnum):
    """The statuses of an organization invitation; the value is Clerk's word."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REVOKED = "revoked"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, value: object) -> InvitationStatus:
        return cls.UNKNOWN


@dataclass(frozen=True, slots=True)
class PublicUserData:
    """Who somebody is, as far as Clerk shows it to others."""

    user_id: str
    first_name: str = ""
    last_name: str = ""
    identifier: str = ""
    image_url: str = ""
    banned: bool = False
    deprovisioned: bool = False

    @property
    def full_name(self) -> str:
        """First and last name, as far as there are any."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def name(self) -> str:
        """First and last name, else the identifier (mostly an e-mail address), else the id."""
        return self.full_name or self.identifier or self.user_id

    @classmethod
    def parse(cls, data: Any) -> PublicUserData | None:
        """Read ``public_user_data`` or ``public_inviter_data``; None where it is null."""
        if not isinstance(data, dict) or not _text(data, "user_id"):
            return None
        return cls(
            user_id=_text(data, "user_id"),
            first_name=_text(data, "first_name"),
            last_name=_text(data, "last_name"),
            identifier=_text(data, "identifier"),
            image_url=_text(data, "image_url"),
            banned=data.get("banned") is True,
            deprovisioned=data.get("deprovisioned") is True,
        )


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization."""

    id: str
    name: str
    slug: str = ""
    image_url: str = ""
    role_set_key: str | None = None
    #: Seats; 0 means without limit.
    max_allowed_memberships: int = 0
    #: None where Clerk was not asked or did not say.
    members_count: int | None = None
    pending_invitations_count: int | None = None

    @classmethod
    def parse(cls, data: Any) -> Organization:
        """Read an ``organization`` object; raises :exc:`InvalidResponse` without an id."""
        data = _object(data, "organization")
        return cls(
            id=_required(data, "id"),
            name=_text(data, "name") or _text(data, "slug") or _required(data, "id"),
            slug=_text(data, "slug"),
            image_url=_text(data, "image_url"),
            role_set_key=_text(data, "role_set_key") or None,
            max_allowed_memberships=_count(data, "max_allowed_memberships") or 0,
            members_count=_count(data, "members_count"),
            pending_invitations_count=_count(data, "pending_invitations_count"),
        )


@dataclass(frozen=True, slots=True)
class Membership:
    """A user's membership in an organization."""

    id: str
    role: str
    role_name: str
    permissions: frozenset[str]
    organization: Organization
    user: PublicUserData | None = None
    created_at: datetime | None = None

    @classmethod
    def parse(cls, data: Any) -> Membership:
        """Read an ``organization_membership`` object."""
        data = _object(data, "membership")
        permissions = data.get("permissions")
        return cls(
            id=_required(data, "id"),
            role=_text(data, "role"),
            role_name=_text(data, "role_name") or _text(data, "role"),
            permissions=_strings(permissions),
            organization=Organization.parse(data.get("organization")),
            user=PublicUserData.parse(data.get("public_user_data")),
            created_at=_time(data, "created_at"),
        )


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation into an organization."""

    id: str
    email_address: str
    role: str
    role_name: str
    status: InvitationStatus
    organization_id: str = ""
    inviter_id: str = ""
    inviter: PublicUserData | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    #: None where the invitation does not expire.
    expires_at: datetime | None = None
    #: The link that accepts the invitation: a secret, hence in no ``repr``.
    url: str = field(default="", repr=False)
    public_metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    #: The site's own, without the mark.
    private_metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    #: By which a write of ours is known again; empty where the invitation has none, and None where
    #: the answer does not tell the private metadata.
    mark: str | None = field(default=None, repr=False)

    @property
    def is_pending(self) -> bool:
        """Whether the invitation waits to be accepted."""
        return self.status is InvitationStatus.PENDING

    @property
    def is_accepted(self) -> bool:
        """Whether the person has become a member."""
        return self.status is InvitationStatus.ACCEPTED

    @property
    def is_revoked(self) -> bool:
        """Whether the invitation was taken back."""
        return self.status is InvitationStatus.REVOKED

    @property
    def is_expired(self) -> bool:
        """Whether nobody accepted it in time."""
        return self.status is InvitationStatus.EXPIRED

    @classmethod
    def parse(cls, data: Any) -> Invitation:
        """Read an ``organization_invitation`` object."""
        data = _object(data, "invitation")
        private = _mapping(data, "private_metadata")
        return cls(
            id=_required(data, "id"),
            email_address=_address(data),
            role=_text(data, "role"),
            role_name=_text(data, "role_name") or _text(data, "role"),
            status=InvitationStatus(_text(data, "status")),
            organization_id=_text(data, "organization_id"),
            inviter_id=_text(data, "inviter_id"),
            inviter=PublicUserData.parse(data.get("public_inviter_data")),
            created_at=_time(data, "created_at"),
            updated_at=_time(data, "updated_at"),
            expires_at=_time(data, "expires_at"),
            url=_text(data, "url"),
            public_metadata=_mapping(data, "public_metadata"),
            private_metadata=without_mark(private),
            mark=get_mark(private) if isinstance(data.get("private_metadata"), dict) else None,
        )


@dataclass(frozen=True, slots=True)
class Role:
    """A role. Permissions that are not told, or not readably, are None, which is not "none"."""

    key: str
    name: str
    description: str = ""
    permissions: frozenset[str] | None = None
    #: What the instance calls its permissions, by key, as far as it says so.
    permission_names: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def parse(cls, data: Any) -> Role:
        """Read a ``role`` or a ``role_set_item`` object."""
        data = _object(data, "role")
        return cls(
            key=_required(data, "key"),
            name=_text(data, "name") or _required(data, "key"),
            description=_text(data, "description"),
            permissions=_permission_keys(data.get("permissions")),
            permission_names=_permission_names(data.get("permissions")),
        )


@dataclass(frozen=True, slots=True)
class RoleSet:
    """The roles that an organization may assign."""

    key: str
    roles: tuple[Role, ...]
    default_role: str = ""
    #: Whether roles are being moved right now, for this organization or for all.
    migrating: bool = False
    #: The organization a running migration is limited to; empty where it concerns all.
    migrating_organization_id: str = ""

    @classmethod
    def parse(cls, data: Any) -> RoleSet:
        """Read a ``role_set`` object.

        Clerk sends ``role_set_migration`` only while it is enqueued or in progress; another
        status is taken at its word and counts as not running.
        """
        data = _object(data, "role set")
        roles = data.get("roles")
        default = data.get("default_role")
        migration = data.get("role_set_migration")
        running = isinstance(migration, dict) and migration.get("status") in (
            "enqueued",
            "in_progress",
        )
        return cls(
            key=_required(data, "key"),
            roles=tuple(Role.parse(item) for item in roles) if isinstance(roles, list) else (),
            default_role=_text(default, "key") if isinstance(default, dict) else "",
            migrating=running,
            migrating_organization_id=_text(migration, "organization_id") if running else "",
        )


@dataclass(frozen=True, slots=True)
class OrganizationSettings:
    """The instance's settings for organizations."""

    enabled: bool = True
    initial_role_set_key: str | None = None
    domains_default_role: str = ""

    @classmethod
    def parse(cls, data: Any) -> OrganizationSettings:
        """Read an ``organization_settings`` object."""
        data = _object(data, "organization settings")
        return cls(
            enabled=data.get("enabled") is not False,
            initial_role_set_key=_text(data, "initial_role_set_key") or None,
            domains_default_role=_text(data, "domains_default_role"),
        )


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list: ``data`` and how many there are on all pages together."""

    data: tuple[T, ...]
    total_count: int

    @classmethod
    def parse(cls, body: Any, item: Callable[[Any], T]) -> Page[T]:
        """Read ``{"data": […], "total_count": n}``; raises :exc:`InvalidResponse` otherwise."""
        body = _object(body, "list")
        rows = body.get("data")
        if not isinstance(rows, list):
            raise InvalidResponse("a list without data")
        data = tuple(_readable(rows, item))
        total = _count(body, "total_count")
        return cls(data=data, total_count=len(data) if total is None else total)


def _readable(rows: list[Any], item: Callable[[Any], T]) -> Iterator[T]:
    """Leave out what cannot be shown for want of an id: the others still can."""
    for row in rows:
        try:
            yield item(row)
        except InvalidResponse as error:
            logger.warning("A row of Clerk's was left out: %s", error)


def _object(data: Any, what: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidResponse(f"no {what} in the answer")
    return data


def _required(data: Mapping[str, Any], key: str) -> str:
    value = _text(data, key)
    if not value:
        raise InvalidResponse(f"no {key} in the answer")
    return value


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _address(data: Mapping[str, Any]) -> str:
    """Return the address, in one word: with a line break in it, a sentence that names it breaks."""
    text = _text(data, "email_address")
    if text.isprintable() and " " not in text:  # no other white space is printable
        return text
    return "".join("\ufffd" if c.isspace() or not c.isprintable() else c for c in text)


def _count(data: Mapping[str, Any], key: str) -> int | None:
    value = data.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return None


def _time(data: Mapping[str, Any], key: str) -> datetime | None:
    value = data.get(key)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        moment = _EPOCH + timedelta(milliseconds=value)
    except (OverflowError, ValueError):
        return None
    # At the very edges a change of the time zone would overflow.
    return moment if 2 <= moment.year <= 9998 else None


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _strings(value: Any) -> frozenset[str]:
    if not isinstance(value, list):
        return frozenset()
    return frozenset(item for item in value if isinstance(item, str))


def _permission_keys(entries: Any) -> frozenset[str] | None:
    """Return the keys, or None where one cannot be read: a role must not look weaker than it is."""
    if not isinstance(entries, list):
        return None
    keys = [entry.get("key") if isinstance(entry, dict) else None for entry in entries]
    known = [key for key in keys if isinstance(key, str) and key]
    return frozenset(known) if len(known) == len(keys) else None


def _permission_names(entries: Any) -> dict[str, str]:
    if not isinstance(entries, list):
        return {}
    named = [entry for entry in entries if isinstance(entry, dict)]
    return {_text(entry, "key"): name for entry in named if (name := _text(entry, "name"))}
