"""What a session token says about a person: both versions of its claims.

Follows ``__experimental_JWTPayloadToAuthObjectProperties`` (jwtPayloadParser.ts) and
``createCheckAuthorization`` (authorization.ts) of Clerk's shared package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

_DECIMAL: Final = re.compile(r"[0-9]{1,4000}")
_ORG_PREFIXES: Final = re.compile(r"^(?:org:)*")


@dataclass(frozen=True, slots=True)
class SessionClaims:
    """Who is signed in, and where.

    ``organization_permissions`` is None where the token says nothing of an organization, and
    empty where the organization grants none. System permissions (``org:sys_…``) are never in a
    token. ``actor`` is the ``act`` claim of an impersonated session: who really sits there.
    """

    user_id: str
    session_id: str | None = None
    session_status: str | None = None
    organization_id: str | None = None
    organization_slug: str | None = None
    organization_role: str | None = None
    organization_permissions: tuple[str, ...] | None = None
    actor: Mapping[str, Any] | None = None
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def has(self, *, permission: str | None = None, role: str | None = None) -> bool:
        """Whether the active organization grants all that is asked for.

        The prefix ``org:`` may be left out. Asking for nothing is answered with False.
        """
        if self.organization_id is None or (permission is None and role is None):
            return False
        if role is not None and (
            not self.organization_role or _prefixed(self.organization_role) != _prefixed(role)
        ):
            return False
        return permission is None or _prefixed(permission) in (self.organization_permissions or ())


def read_claims(payload: Mapping[str, Any]) -> SessionClaims:
    """Read the claims of a verified session token, version 1 or 2.

    :raises ValueError: the features or permissions of a version 2 token cannot be read, where
        Clerk's SDK throws as well.
    """
    actor = payload.get("act")
    common: dict[str, Any] = {
        "user_id": payload["sub"],
        "session_id": _text(payload.get("sid")),
        "session_status": _text(payload.get("sts")),
        "actor": MappingProxyType(dict(actor)) if isinstance(actor, Mapping) else None,
        "claims": MappingProxyType(dict(payload)),
    }
    if payload.get("v") != 2:
        return SessionClaims(**common, **_version_1(payload))
    organization = payload.get("o")
    if not isinstance(organization, Mapping):
        return SessionClaims(**common)
    role = _text(organization.get("rol"))
    return SessionClaims(
        **common,
        organization_id=_text(organization.get("id")),
        organization_slug=_text(organization.get("slg")),
        organization_role=f"org:{role}" if role else None,
        organization_permissions=tuple(
            _permissions(payload.get("fea"), organization.get("per"), organization.get("fpm"))
        ),
    )


def _version_1(payload: Mapping[str, Any]) -> dict[str, Any]:
    granted = payload.get("org_permissions")
    return {
        "organization_id": _text(payload.get("org_id")),
        "organization_slug": _text(payload.get("org_slug")),
        "organization_role": _text(payload.get("org_role")),
        "organization_permissions": (
            tuple(item for item in granted if isinstance(item, str))
            if isinstance(granted, list)
            else None
        ),
    }


def _permissions(features: Any, permissions: Any, masks: Any) -> list[str]:
    """Unfold ``fea``, ``per`` and ``fpm`` into ``org:<feature>:<permission>``.

    The masks belong to the organization's features in order, so the user's features must be
    taken out before the pairing. A mask that is no decimal number grants nothing.
    """
    organization_features = _organization_features(features)
    if not permissions or not masks:
        return []
    names = [name.strip() for name in _string(permissions).split(",")]
    granted: list[str] = []
    for feature, mask in zip(organization_features, _string(masks).split(","), strict=False):
        digits = mask.strip()
        bits = int(digits) if _DECIMAL.fullmatch(digits) else 0
        granted.extend(
            f"org:{feature}:{name}" for index, name in enumerate(names) if bits >> index & 1
        )
    return granted


def _organization_features(features: Any) -> list[str]:
    if not features:
        return []
    found: list[str] = []
    for part in _string(features).split(","):
        scope, colon, name = part.strip().partition(":")
        if not colon:
            raise ValueError("a feature without a scope")
        if scope in {"o", "ou", "uo"}:
            found.append(name)
    return found


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a claim that should be a string is none")
    return value


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _prefixed(value: str) -> str:
    return _ORG_PREFIXES.sub("org:", value, count=1)
