"""Everything the emulator knows, as plain dataclasses. All times are milliseconds."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, field
from typing import Any

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

MANAGE_MEMBERSHIPS = "org:sys_memberships:manage"
READ_MEMBERSHIPS = "org:sys_memberships:read"

SESSION_LIFETIME_MS = 7 * 24 * 3600 * 1000
"""How long a session lives: Clerk's default of seven days."""


@dataclass
class User:
    """Somebody with an account. ``other_addresses`` are further ones, each verified or not."""

    id: str
    email_address: str
    first_name: str | None
    last_name: str | None
    created_at: int
    email_id: str
    banned: bool = False
    deprovisioned: bool = False
    last_sign_in_at: int | None = None
    locked: bool = False
    email_verified: bool = True
    other_addresses: dict[str, bool] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)

    @property
    def may_sign_in(self) -> bool:
        return not (self.banned or self.locked)

    def owns(self, address: str) -> bool:
        """Whether this is an address of theirs that is verified."""
        known = {self.email_address: self.email_verified, **self.other_addresses}
        return any(known[a] for a in known if a.casefold() == address.casefold())


@dataclass(frozen=True)
class Permission:
    id: str
    key: str
    name: str
    description: str
    created_at: int

    @property
    def is_system(self) -> bool:
        return self.key.startswith("org:sys_")


@dataclass(frozen=True)
class Role:
    id: str
    key: str
    name: str
    description: str
    permissions: tuple[str, ...]
    is_creator_eligible: bool
    created_at: int


@dataclass
class RoleSet:
    id: str
    key: str
    name: str
    description: str
    roles: tuple[str, ...]
    default_role: str
    creator_role: str
    type: str
    created_at: int
    migration: dict[str, Any] | None = None


@dataclass
class Organization:
    id: str
    slug: str
    name: str
    role_set_key: str | None
    max_allowed_memberships: int
    created_at: int
    updated_at: int
    created_by: str


@dataclass
class Membership:
    id: str
    organization_id: str
    user_id: str
    role: str
    created_at: int
    updated_at: int
    permissions: tuple[str, ...] | None = None
    """Overrides the role's permissions when a test asks for that."""
    public_metadata: dict[str, Any] = field(default_factory=dict)
    private_metadata: dict[str, Any] = field(default_factory=dict)


@dataclass
class Invitation:
    id: str
    organization_id: str
    email_address: str
    role: str
    inviter_id: str | None
    created_at: int
    updated_at: int
    expires_at: int | None
    ticket: str = field(repr=False)
    sequence: int
    state: str = "pending"
    """"pending", "accepted" or "revoked"; whether it has expired is a matter of the clock."""
    redirect_url: str | None = None
    public_metadata: dict[str, Any] = field(default_factory=dict)
    private_metadata: dict[str, Any] = field(default_factory=dict)

    def status(self, now_ms: int) -> str:
        expired = self.expires_at is not None and self.expires_at <= now_ms
        return "expired" if self.state == "pending" and expired else self.state


@dataclass(frozen=True)
class Mail:
    """An invitation's mail. ``id`` is the invitation's, which has one mail at most."""

    id: str
    to: str
    organization_name: str
    inviter_name: str | None
    role_name: str
    ticket: str = field(repr=False)
    sent_at: int


@dataclass
class Session:
    id: str
    user_id: str
    created_at: int
    refresh_token: str
    organization_id: str | None = None
    ended: bool = False
    revoked: bool = False
    """Ended by the Backend API."""

    def is_active(self, now_ms: int) -> bool:
        return not self.ended and now_ms < self.created_at + SESSION_LIFETIME_MS


@dataclass
class Client:
    """A browser: its cookie on the Frontend API, its dev browser token, and its session."""

    id: str
    cookie: str
    dev_browser: str
    session_id: str | None = None


@dataclass
class Nonce:
    """Set-Cookie strings that wait for the site to fetch them, once, until ``expires_at``."""

    directives: list[str]
    expires_at: int


@dataclass
class State:
    """The whole of it. Ids made here are the same after every start."""

    users: dict[str, User] = field(default_factory=dict)
    permissions: dict[str, Permission] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    role_sets: dict[str, RoleSet] = field(default_factory=dict)
    organizations: dict[str, Organization] = field(default_factory=dict)
    deleted_organizations: dict[str, Organization] = field(default_factory=dict)
    memberships: list[Membership] = field(default_factory=list)
    invitations: dict[str, Invitation] = field(default_factory=dict)
    mails: dict[str, Mail] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    nonces: dict[str, Nonce] = field(default_factory=dict)
    ticket_key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    """Signs tickets where the instance's own keys do not."""
    _random: random.Random = field(default_factory=lambda: random.Random(20260512))  # noqa: S311

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_2" + "".join(self._random.choices(ALPHABET, k=26))

    @staticmethod
    def new_secret(prefix: str) -> str:
        """Unlike an id different at every start: a browser may still hold one of the last."""
        letters = (ALPHABET[byte % len(ALPHABET)] for byte in secrets.token_bytes(32))
        return f"{prefix}_" + "".join(letters)

    def user_by_email(self, address: str) -> User | None:
        """Whose address it is: their first one, or a further one that is verified."""
        wanted = address.casefold()
        people = self.users.values()
        first = next((u for u in people if u.email_address.casefold() == wanted), None)
        return first or next((u for u in people if u.other_addresses and u.owns(address)), None)

    def organization(self, id_or_slug: str) -> Organization | None:
        found = self.organizations.get(id_or_slug)
        return found or next((o for o in self.organizations.values() if o.slug == id_or_slug), None)

    def membership(self, organization_id: str, user_id: str) -> Membership | None:
        return next(
            (
                m
                for m in self.memberships
                if m.organization_id == organization_id and m.user_id == user_id
            ),
            None,
        )

    def members_of(self, organization_id: str) -> list[Membership]:
        return [m for m in self.memberships if m.organization_id == organization_id]

    def memberships_of(self, user_id: str) -> list[Membership]:
        return [m for m in self.memberships if m.user_id == user_id]

    def invitations_of(self, organization_id: str) -> list[Invitation]:
        return [i for i in self.invitations.values() if i.organization_id == organization_id]

    def pending_count(self, organization_id: str, now_ms: int) -> int:
        return sum(i.status(now_ms) == "pending" for i in self.invitations_of(organization_id))

    def permissions_of(self, membership: Membership) -> tuple[str, ...]:
        if membership.permissions is not None:
            return membership.permissions
        role = self.roles.get(membership.role)
        return role.permissions if role else ()

    def role_name(self, key: str) -> str:
        role = self.roles.get(key)
        return role.name if role else key
