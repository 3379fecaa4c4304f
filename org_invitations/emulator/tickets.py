"""Tickets: what an invitation's link carries, and what signing in or up with one does.

A ticket is a JWT without ``kid`` and with the claims ``iid oid sid rurl eis exp st``. What is done
with it stands in Clerk's documentation, "Accept organization invitations", and in the description
of ``GET /v1/tickets/accept``. Times in it are seconds.
"""

from __future__ import annotations

import base64
import functools
import hmac
import json
from typing import TYPE_CHECKING, Any

from .clients import SignedIn, active_organization, sign_in, signed_in
from .errors import ClerkError
from .keys import INSTANCE_ID, SigningKey
from .state import Client, Invitation, State, User

if TYPE_CHECKING:
    from .instance import Instance

SOURCE = "organization_invitation"

_TO_JSON = json.JSONEncoder(separators=(",", ":")).encode


def ticket_of(state: State, row: Invitation, key: SigningKey | None = None) -> str:
    """The ticket of an invitation, signed by ``key``, or by one that nobody else knows."""
    claims: dict[str, Any] = {
        "iid": INSTANCE_ID,
        "oid": row.organization_id,
        "rurl": row.redirect_url or "",
        "sid": row.id,
        "st": SOURCE,
    }
    if row.expires_at is not None:
        claims["eis"] = (row.expires_at - row.created_at) // 1000
        claims["exp"] = row.expires_at // 1000
    header = _header("RS256" if key else "HS256")
    signing_input = f"{header}.{_encoded(claims)}"
    if key is not None:
        return f"{signing_input}.{key.signature(signing_input)}"
    digest = hmac.digest(state.ticket_key, signing_input.encode(), "sha256")
    return f"{signing_input}.{_base64(digest)}"


@functools.cache
def _header(algorithm: str) -> str:
    return _encoded({"alg": algorithm, "typ": "JWT"})


def _encoded(part: dict[str, Any]) -> str:
    return _base64(_TO_JSON(part).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def invitation_of(instance: Instance, ticket: str) -> Invitation:
    """The invitation a ticket belongs to, in whatever status it is.

    Raises ``ClerkError`` for a ticket that is none, or leads to a deleted organization.
    """
    rows = instance.state.invitations.values()
    row = next((row for row in rows if ticket and row.ticket == ticket), None)
    if row is None:
        raise ClerkError(
            400, "ticket_invalid_code", "This link is not valid", "There is no such invitation."
        )
    if row.organization_id not in instance.state.organizations:
        raise ClerkError(
            400,
            "organization_invitation_to_deleted_organization",
            "This organization is gone",
            "The invitation leads to an organization that has been deleted.",
        )
    return row


def check_open(instance: Instance, row: Invitation) -> None:
    """Raises ``ClerkError`` unless the invitation is pending."""
    name = instance.state.organizations[row.organization_id].name
    status = row.status(instance.clock.now_ms())
    if status == "revoked":
        raise ClerkError(
            400,
            "organization_invitation_revoked_code",
            "This invitation has been revoked",
            f"Somebody at {name} took it back. Ask them for a new one.",
        )
    if status == "accepted":
        raise ClerkError(
            400,
            "organization_invitation_already_accepted",
            "This invitation has been accepted already",
            f"{row.email_address} is a member of {name}.",
        )
    if status == "expired":
        raise ClerkError(
            400,
            "ticket_expired_code",
            "This invitation has expired",
            f"Ask somebody at {name} for a new one.",
        )


def accept(instance: Instance, row: Invitation, user: User) -> None:
    """Makes the membership, with the invitation's role and metadata."""
    if instance.state.membership(row.organization_id, user.id) is None:
        instance.add_member(
            row.organization_id, user.id, row.role, row.public_metadata, row.private_metadata
        )
    row.state, row.updated_at = "accepted", instance.clock.now_ms()


def sign_in_with(instance: Instance, client: Client, ticket: str) -> SignedIn:
    """Begins a session of the person a ticket is for, and accepts the invitation.

    Raises ``ClerkError`` where somebody is signed in, has no account or may not sign in.
    """
    row = _redeemable(instance, client, ticket)
    user = instance.state.user_by_email(row.email_address)
    if user is None:
        raise ClerkError(
            400,
            "organization_invitation_identification_not_exist",
            "identification not found",
            "User not found. If you don't have an account, sign up first to accept this "
            "invitation.",
        )
    return _begin(instance, client, row, user)


def sign_up_with(
    instance: Instance, client: Client, ticket: str, first_name: str = "", last_name: str = ""
) -> SignedIn:
    """Makes the account of the invited person, whose address counts as verified; then as above."""
    row = _redeemable(instance, client, ticket)
    if instance.state.user_by_email(row.email_address) is not None:
        raise ClerkError(
            400,
            "organization_invitation_identification_already_exists",
            "email address already exists",
            "The email address in this invitation already exists. If it belongs to you, try "
            "signing in instead.",
        )
    user = instance.add_user(row.email_address, first_name or None, last_name or None)
    return _begin(instance, client, row, user)


def _redeemable(instance: Instance, client: Client, ticket: str) -> Invitation:
    if signed_in(instance, client) is not None:
        raise ClerkError(
            400, "session_exists", "Session already exists", "You're already signed in."
        )
    row = invitation_of(instance, ticket)
    used_by_link = row.state == "accepted" and instance.settings.ticket_accepts == "link"
    if not used_by_link:
        check_open(instance, row)
    return row


def _begin(instance: Instance, client: Client, row: Invitation, user: User) -> SignedIn:
    if not user.may_sign_in:
        code = "user_banned" if user.banned else "user_locked"
        raise ClerkError(403, code, "This account cannot sign in", f"{user.email_address} may not.")
    if row.state == "pending":
        accept(instance, row, user)
    session = sign_in(instance, client, user)
    activates = instance.settings.ticket_activates_organization
    session.organization_id = row.organization_id if activates else None
    return SignedIn(user, session, active_organization(instance, session))
