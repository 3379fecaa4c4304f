"""Keys and tokens for the tests of sessions: what Clerk would have signed."""

from __future__ import annotations

import functools
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm
from jwt.api_jws import PyJWS

NOW = 1_795_000_000
DEVELOPMENT = "pk_test_Y2xlYW4tbW9sZS0xMi5jbGVyay5hY2NvdW50cy5kZXYk"
PRODUCTION = "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k"
ORIGIN = "https://app.example.com"

_jws = PyJWS()


@functools.cache
def private_key(name: str = "ours") -> rsa.RSAPrivateKey:
    """Return a key, the same for the same name."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.cache
def pem(name: str = "ours") -> str:
    """Return its public part as PEM."""
    return (
        private_key(name)
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def jwk(name: str = "ours", kid: str = "ins_test", **more: Any) -> dict[str, Any]:
    """Return its public part as one entry of a key set."""
    entry = RSAAlgorithm.to_jwk(private_key(name).public_key(), as_dict=True)
    return {**entry, "kid": kid, "use": "sig", "alg": "RS256", **more}


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a good session, changed; None takes a claim away."""
    good = {
        "azp": ORIGIN,
        "exp": NOW + 40,
        "iat": NOW - 20,
        "nbf": NOW - 30,
        "iss": "https://clerk.example.com",
        "sid": "sess_2abcDEF",
        "sub": "user_2admin",
        "v": 2,
        "sts": "active",
        "fea": "o:dashboard,o:teams",
        "o": {"id": "org_2acme", "slg": "acme", "rol": "admin", "per": "manage,read", "fpm": "3,2"},
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def sign(payload: Any, key: str = "ours", algorithm: str = "RS256", **headers: Any) -> str:
    """Sign a payload; header parameters of None are left out."""
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return _jws.encode(
        raw, private_key(key), algorithm=algorithm, headers={"kid": "ins_test", **headers}
    )


def token(key: str = "ours", header: dict[str, Any] | None = None, **changes: Any) -> str:
    """Return a session token that is good but for the changes."""
    return sign(claims(**changes), key, **(header or {}))
