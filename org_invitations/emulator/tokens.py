"""Session tokens: RS256 JWTs as Clerk makes them. All times in them are seconds."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .keys import ISSUER, STRANGER_KEY
from .state import Organization, Session, User

if TYPE_CHECKING:
    from .instance import Instance

LIFETIME = 60
"""Seconds a session token lives."""

NOT_BEFORE = 10
"""Seconds by which ``nbf`` lies before ``iat``."""

CATEGORY = "cl_B7d4PD111AAA"
"""The header ``cat`` of a session token (a JWT template's or a machine's is another one)."""

KEYS = ("current", "old", "unknown", "none")


def session_claims(
    instance: Instance,
    user: User,
    session: Session,
    organization: Organization | None,
    *,
    azp: str | None,
    issued_at: int,
    lifetime: int = LIFETIME,
    version: int | None = None,
) -> dict[str, Any]:
    """The claims of a session token, version 2 or (deprecated) 1."""
    version = version or instance.settings.token_version
    claims: dict[str, Any] = {
        "exp": issued_at + lifetime,
        "fva": [max(0, (issued_at - session.created_at // 1000) // 60), -1],
        "iat": issued_at,
        "iss": ISSUER,
        "jti": instance.state.new_secret("jti")[4:24],
        "nbf": issued_at - NOT_BEFORE,
        "sid": session.id,
        "sub": user.id,
    }
    if azp is not None:
        claims["azp"] = azp
    membership = instance.state.membership(organization.id, user.id) if organization else None
    pending = membership is None and instance.settings.force_organization_selection
    if version == 2:
        claims |= {"v": 2, "sts": "pending" if pending else "active"}
    elif pending:
        claims["sts"] = "pending"
    if organization is None or membership is None:
        return claims
    # System permissions are in no session token (Clerk's documentation, roles and permissions).
    custom = [
        key for key in instance.state.permissions_of(membership) if not key.startswith("org:sys_")
    ]
    if version == 2:
        return claims | _organization_v2(organization, membership.role, custom)
    return claims | {
        "org_id": organization.id,
        "org_role": membership.role,
        "org_slug": organization.slug,
        "org_permissions": custom,
    }


def _organization_v2(organization: Organization, role: str, custom: list[str]) -> dict[str, Any]:
    """``o`` and ``fea``: bit j of the n-th mask of ``fpm`` is permission j of feature n."""
    claim: dict[str, Any] = {
        "id": organization.id,
        "slg": organization.slug,
        "rol": role.removeprefix("org:"),
    }
    if not custom:
        return {"o": claim}
    pairs = [tuple(key.removeprefix("org:").split(":", 1)) for key in custom]
    features = list(dict.fromkeys(pair[0] for pair in pairs))
    actions = sorted({pair[1] for pair in pairs})
    masks = [
        sum(1 << bit for bit, action in enumerate(actions) if (feature, action) in pairs)
        for feature in features
    ]
    claim["per"] = ",".join(actions)
    claim["fpm"] = ",".join(map(str, masks))
    return {"o": claim, "fea": ",".join(f"o:{feature}" for feature in features)}


def sign(
    instance: Instance,
    claims: Mapping[str, Any],
    *,
    header: Mapping[str, Any] | None = None,
    key: str = "current",
    category: str | None = CATEGORY,
) -> str:
    """A JWT over ``claims``. In ``claims`` and ``header`` a ``None`` takes the name away."""
    if key not in KEYS:
        raise ValueError(f"key must be one of {', '.join(KEYS)}")
    ring = instance.keys
    signer = {"old": ring.old, "unknown": STRANGER_KEY}.get(key, ring.current)
    fields: dict[str, Any] = {"alg": "RS256", "cat": category, "kid": signer.kid, "typ": "JWT"}
    if key == "none":
        fields["alg"] = "none"
    fields |= header or {}
    body = {name: value for name, value in claims.items() if value is not None}
    fields = {name: value for name, value in fields.items() if value is not None}
    signing_input = f"{_encoded(fields)}.{_encoded(body)}"
    if key == "none":
        return f"{signing_input}."
    return f"{signing_input}.{signer.signature(signing_input, str(fields.get('alg')))}"


def _encoded(part: Mapping[str, Any]) -> str:
    text = json.dumps(part, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()
