"""What the emulator starts with: two organizations, people in several roles, invitations.

Ids are derived from names, so they are the same at every start. Dates are relative to the clock.
"""

from __future__ import annotations

import hashlib
from functools import cache

from .seed_data import (
    ACCEPTED,
    ACME,
    EXPIRED,
    GLOBEX,
    GLOBEX_INVITATIONS,
    ORGANIZATIONS,
    PENDING,
    PEOPLE,
    PERMISSIONS,
    REVOKED,
    ROLE_SETS,
    ROLES,
)
from .state import (
    ALPHABET,
    Invitation,
    Mail,
    Membership,
    Organization,
    Permission,
    Role,
    RoleSet,
    State,
    User,
)
from .tickets import ticket_of

HOUR = 3600 * 1000
DAY = 24 * HOUR


@cache
def stable_id(prefix: str, name: str) -> str:
    """An id that looks like Clerk's and depends on ``name`` alone."""
    number = int.from_bytes(hashlib.sha256(f"{prefix}:{name}".encode()).digest(), "big")
    letters = []
    for _ in range(26):
        number, digit = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[digit])
    return f"{prefix}_2{''.join(letters)}"


def seeded_state(now_ms: int) -> State:
    """A fresh state as of ``now_ms`` (milliseconds)."""
    state = State()
    founded = now_ms - 400 * DAY
    for number, (key, name, description) in enumerate(PERMISSIONS):
        state.permissions[key] = Permission(
            stable_id("perm", key), key, name, description, founded + number
        )
    for number, (key, name, description, permissions, may_create) in enumerate(ROLES):
        state.roles[key] = Role(
            stable_id("role", key),
            key,
            name,
            description,
            permissions,
            may_create,
            founded + number,
        )
    for number, (key, name, description, roles, default, creator, kind) in enumerate(ROLE_SETS):
        state.role_sets[key] = RoleSet(
            stable_id("rset", key),
            key,
            name,
            description,
            roles,
            default,
            creator,
            kind,
            founded + number,
        )
    for address, first_name, last_name in PEOPLE:
        add_user(
            state,
            address,
            first_name,
            last_name,
            created_at=founded,
            user_id=stable_id("user", address),
        )
    for slug, name, role_set_key, founder, days, members in ORGANIZATIONS:
        _organization(
            state,
            slug,
            name,
            role_set_key=role_set_key,
            creator=founder,
            created_at=now_ms - days * DAY,
            members=members,
        )
    _invitations(state, now_ms)
    state.invitations = dict(sorted(state.invitations.items(), key=lambda item: item[1].created_at))
    for sequence, invitation in enumerate(state.invitations.values()):
        invitation.sequence = sequence
        send_mail(state, invitation)
    return state


def add_user(
    state: State,
    address: str,
    first_name: str | None,
    last_name: str | None,
    *,
    created_at: int,
    user_id: str | None = None,
) -> User:
    user_id = user_id or state.new_id("user")
    user = User(user_id, address, first_name, last_name, created_at, f"idn_{user_id[5:]}")
    state.users[user_id] = user
    return user


def send_mail(state: State, invitation: Invitation) -> None:
    """Puts the invitation's mail into the mailbox."""
    organization = state.organizations[invitation.organization_id]
    inviter = state.users.get(invitation.inviter_id or "")
    state.mails[invitation.id] = Mail(
        id=invitation.id,
        to=invitation.email_address,
        organization_name=organization.name,
        inviter_name=inviter.name if inviter else None,
        role_name=state.role_name(invitation.role),
        ticket=invitation.ticket,
        sent_at=invitation.created_at,
    )


def _organization(
    state: State,
    slug: str,
    name: str,
    *,
    role_set_key: str,
    creator: str,
    created_at: int,
    members: tuple[tuple[str, str, int], ...],
) -> None:
    created_by = stable_id("user", creator)
    organization_id = stable_id("org", slug)
    state.organizations[organization_id] = Organization(
        organization_id, slug, name, role_set_key, 100, created_at, created_at, created_by
    )
    for address, role, days in members:
        joined = created_at + days * DAY
        state.memberships.append(
            Membership(
                stable_id("orgmem", f"{slug}/{address}"),
                organization_id,
                stable_id("user", address),
                role,
                joined,
                joined,
            )
        )


def _invitations(state: State, now_ms: int) -> None:
    for number, (address, role, inviter) in enumerate(PENDING):
        # Oldest first: the first ones expire within hours, the last one came yesterday.
        age = 29 * DAY + 21 * HOUR - number * 21 * HOUR
        life = None if address == "no.expiry@harbour.example" else 30
        _add(state, ACME, address, role=role, inviter=inviter, created_at=now_ms - age, days=life)
    for number, (address, role, inviter) in enumerate(ACCEPTED):
        created = now_ms - (80 + 9 * number) * DAY
        joined = state.membership(stable_id("org", ACME), stable_id("user", address))
        invitation = _add(
            state,
            ACME,
            address,
            role=role,
            inviter=inviter,
            created_at=created,
            days=30,
            status="accepted",
        )
        invitation.updated_at = joined.created_at if joined else created + 2 * DAY
    for number, (address, role, inviter) in enumerate(REVOKED):
        created = now_ms - (6 + 8 * number) * DAY - 5 * HOUR
        invitation = _add(
            state,
            ACME,
            address,
            role=role,
            inviter=inviter,
            created_at=created,
            days=30,
            status="revoked",
        )
        invitation.updated_at = created + 26 * HOUR
    for number, (address, role, inviter) in enumerate(EXPIRED):
        _add(
            state,
            ACME,
            address,
            role=role,
            inviter=inviter,
            created_at=now_ms - (31 + 7 * number) * DAY - HOUR,
            days=30,
        )
    for address, role, inviter, status, days in GLOBEX_INVITATIONS:
        created = now_ms - days * DAY - 2 * HOUR
        invitation = _add(
            state,
            GLOBEX,
            address,
            role=role,
            inviter=inviter,
            created_at=created,
            days=30,
            status=status,
        )
        if status != "pending":
            invitation.updated_at = created + 3 * HOUR


def _add(
    state: State,
    slug: str,
    address: str,
    *,
    role: str,
    inviter: str | None,
    created_at: int,
    days: int | None,
    status: str = "pending",
) -> Invitation:
    # The status is part of the name: an address may have been invited more than once.
    name = f"{slug}/{address}/{status}/{'open' if days is None else days}"
    if stable_id("orginv", name) in state.invitations:
        name += "/again"
    invitation = Invitation(
        id=stable_id("orginv", name),
        organization_id=stable_id("org", slug),
        email_address=address,
        role=role,
        inviter_id=stable_id("user", inviter) if inviter else None,
        created_at=created_at,
        updated_at=created_at,
        expires_at=None if days is None else created_at + days * DAY,
        ticket="",
        sequence=0,
        state=status,
    )
    invitation.ticket = ticket_of(state, invitation)
    state.invitations[invitation.id] = invitation
    return invitation
