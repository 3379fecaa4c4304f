"""Backend API: the keys, fresh tokens for expired ones, and what a handshake left to fetch."""

from __future__ import annotations

from typing import Any

import jwt

from . import errors, shapes
from .clients import CookieWriter, SignedIn, active_organization, origin_of, session_token
from .fields import Fields
from .routing import BAPI, Call, Router
from .state import Session

router = Router(BAPI, "/v1")

_REFRESH_FIELDS = (
    "expired_token",
    "refresh_token",
    "request_origin",
    "request_headers",
    "format",
    "request_originating_ip",
)


@router.on("GET", "/jwks")
def get_jwks(call: Call) -> dict[str, Any]:
    return call.emulator.keys.jwks()


@router.on("POST", "/sessions/{session_id}/refresh")
def refresh_session(call: Call) -> dict[str, Any]:
    """A new session token for an expired one and its refresh token."""
    fields = Fields(call.json_body(), _REFRESH_FIELDS)
    expired_token = fields.required_string("expired_token")
    refresh_token = fields.required_string("refresh_token")
    origin = origin_of(fields.required_string("request_origin"))
    wanted = fields.optional_string("format") or "token"
    if wanted not in ("token", "cookie"):
        raise errors.param_value_invalid("format")
    who = _session(call)
    if _session_id(call, expired_token) != who.session.id:
        raise errors.param_value_invalid_400("expired_token")
    if refresh_token != who.session.refresh_token:
        raise errors.param_value_invalid_400("refresh_token")
    if wanted == "token":
        return {"object": "token", "jwt": session_token(call.emulator, who, origin)}
    return {"object": "cookies", "cookies": CookieWriter(call.emulator, origin).session(who)}


@router.on("GET", "/sessions/{session_id}")
def get_session(call: Call) -> dict[str, Any]:
    return shapes.session(call.emulator, _known(call))


@router.on("POST", "/sessions/{session_id}/revoke")
def revoke_session(call: Call) -> dict[str, Any]:
    """Ends a session: its tokens live on for their minute, and cannot be renewed."""
    session = _known(call)
    session.ended = session.revoked = True
    return shapes.session(call.emulator, session)


def _known(call: Call) -> Session:
    session = call.state.sessions.get(call.params["session_id"])
    if session is None:
        raise errors.resource_not_found(f"No session was found with id {call.params['session_id']}")
    return session


def _session(call: Call) -> SignedIn:
    session = call.state.sessions.get(call.params["session_id"])
    user = call.state.users.get(session.user_id) if session else None
    if (
        session is None
        or user is None
        or not user.may_sign_in
        or not session.is_active(call.now_ms)
    ):
        raise errors.authentication_missing()
    return SignedIn(user, session, active_organization(call.emulator, session))


def _session_id(call: Call, token: str) -> str | None:
    """The session an (expired) token was made for, if one of this instance's keys signed it."""
    for key in call.emulator.keys.published:
        try:
            claims = jwt.decode(
                token,
                key.public_pem,
                algorithms=["RS256"],
                options={
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": False,
                },
            )
        except jwt.InvalidTokenError:
            continue
        return str(claims.get("sid"))
    return None


@router.on("GET", "/clients/handshake_payload")
def get_handshake_payload(call: Call) -> dict[str, Any]:
    """The Set-Cookie strings behind a handshake's nonce. It can be asked for once."""
    nonce = call.state.nonces.pop(call.request.argument("nonce") or "", None)
    if nonce is None or nonce.expires_at <= call.now_ms:
        raise errors.resource_not_found("No handshake payload was found for this nonce.")
    return {"directives": nonce.directives}
