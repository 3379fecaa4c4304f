"""The Frontend API's resources as JSON, after its description. Times in milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import shapes
from .clients import SignedIn, session_token, signed_in
from .state import SESSION_LIFETIME_MS, Client, Invitation, Session, User

if TYPE_CHECKING:
    from .instance import Instance

ATTEMPT_LIFETIME_MS = 24 * 3600 * 1000
"""How long a sign-in or a sign-up may take: Clerk's default of a day."""


def wrapped(instance: Instance, response: Any, client: Client | None) -> dict[str, Any]:
    """Whatever is answered comes with the client as it is now."""
    return {"response": response, "client": client and client_shape(instance, client)}


def client_shape(instance: Instance, client: Client) -> dict[str, Any]:
    who = signed_in(instance, client)
    now = instance.clock.now_ms()
    return {
        "object": "client",
        "id": client.id,
        "sessions": [session_shape(instance, who)] if who else [],
        "sign_in": None,
        "sign_up": None,
        "last_active_session_id": who.session.id if who else None,
        "last_authentication_strategy": None,
        "cookie_expires_at": None,
        "captcha_bypass": False,
        "created_at": who.session.created_at if who else now,
        "updated_at": who.session.created_at if who else now,
    }


def session_shape(instance: Instance, who: SignedIn, *, status: str = "") -> dict[str, Any]:
    session, pending = who.session, who.is_pending(instance)
    status = status or ("pending" if pending else "active")
    token = {"object": "token", "jwt": session_token(instance, who, instance.site)}
    return {
        "object": "session",
        "id": session.id,
        "status": status,
        "expire_at": session.created_at + SESSION_LIFETIME_MS,
        "abandon_at": session.created_at + SESSION_LIFETIME_MS,
        "last_active_at": session.created_at,
        "last_active_token": token if status in ("active", "pending") else None,
        "actor": None,
        "tasks": [{"key": "choose-organization"}] if pending else None,
        "last_active_organization_id": who.organization.id if who.organization else None,
        "user": user_shape(who.user),
        "public_user_data": {
            "first_name": who.user.first_name,
            "last_name": who.user.last_name,
            "image_url": shapes.IMAGE_URL,
            "has_image": False,
            "identifier": who.user.email_address,
            "user_id": who.user.id,
        },
        "factor_verification_age": [_minutes_since(instance, session), -1],
        "created_at": session.created_at,
        "updated_at": session.created_at,
    }


def _minutes_since(instance: Instance, session: Session) -> int:
    return max(0, (instance.clock.now_ms() - session.created_at) // 60_000)


def user_shape(user: User) -> dict[str, Any]:
    """As the Backend API has it, without what is nobody's business in a browser."""
    shaped = shapes.user(user)
    for name in ("private_metadata", "locale"):
        del shaped[name]
    return shaped


def invitation_shape(instance: Instance, row: Invitation) -> dict[str, Any]:
    """One of the person's own invitations: no private metadata, and no link."""
    shaped = shapes.invitation_with_organization(instance, row)
    for name in ("private_metadata", "inviter_id", "public_inviter_data"):
        shaped.pop(name, None)
    return shaped | {"url": None}


def sign_in_shape(instance: Instance, who: SignedIn, attempt_id: str) -> dict[str, Any]:
    return {
        "object": "sign_in_attempt",
        "id": attempt_id,
        "status": "complete",
        "supported_identifiers": ["email_address"],
        "supported_first_factors": None,
        "supported_second_factors": None,
        "first_factor_verification": {
            "object": "verification_ticket",
            "status": "verified",
            "strategy": "ticket",
            "attempts": None,
            "expire_at": None,
        },
        "second_factor_verification": None,
        "identifier": who.user.email_address,
        "user_data": {
            "first_name": who.user.first_name,
            "last_name": who.user.last_name,
            "image_url": shapes.IMAGE_URL,
            "has_image": False,
        },
        "created_session_id": who.session.id,
        "abandon_at": instance.clock.now_ms() + ATTEMPT_LIFETIME_MS,
    }


def sign_up_shape(instance: Instance, who: SignedIn, attempt_id: str) -> dict[str, Any]:
    verification: dict[str, Any] = {
        "object": "verification_ticket",
        "status": "verified",
        "strategy": "ticket",
        "attempts": None,
        "expire_at": None,
        "next_action": "",
        "supported_strategies": [],
    }
    return {
        "object": "sign_up_attempt",
        "id": attempt_id,
        "status": "complete",
        "required_fields": ["email_address"],
        "optional_fields": ["first_name", "last_name"],
        "missing_fields": [],
        "unverified_fields": [],
        "verifications": {
            "email_address": verification,
            "phone_number": None,
            "web3_wallet": None,
            "external_account": None,
        },
        "username": None,
        "email_address": who.user.email_address,
        "phone_number": None,
        "web3_wallet": None,
        "password_enabled": False,
        "first_name": who.user.first_name,
        "last_name": who.user.last_name,
        "unsafe_metadata": {},
        "public_metadata": {},
        "custom_action": False,
        "external_id": None,
        "created_session_id": who.session.id,
        "created_user_id": who.user.id,
        "abandon_at": instance.clock.now_ms() + ATTEMPT_LIFETIME_MS,
        "legal_accepted_at": None,
    }
