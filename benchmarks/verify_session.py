"""How long it takes to verify a session token, here and in Clerk's own Python package.

Run ``python benchmarks/verify_session.py``. The same token is verified with the same public key
in the same process, without any network. ``clerk-backend-api`` is measured where it is
installed. Times are microseconds of wall time per verification: the best of several rounds.
"""

from __future__ import annotations

import json
import time
import timeit
from collections.abc import Callable
from importlib import metadata

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm
from jwt.api_jws import PyJWS

from org_invitations.clerk.session.authenticate import Authenticator
from org_invitations.clerk.session.keys import PemKeys, RemoteKeys
from org_invitations.clerk.session.publishable_key import parse_publishable_key
from org_invitations.clerk.session.request import RequestContext
from org_invitations.clerk.session.tokens import TokenVerifier

ROUNDS = 7
NUMBER = 1000
ORIGIN = "https://app.example.com"
PUBLISHABLE_KEY = "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k"


class NoCache:
    """A cache that must not be needed once the keys are warm."""

    def get(self, key: str, default: object = None) -> object:
        return default

    def set(self, key: str, value: object, timeout: float | None = None) -> None:
        return None

    def add(self, key: str, value: object, timeout: float | None = None) -> bool:
        return True


def measure(name: str, function: Callable[[], object]) -> None:
    """Print the best time of several rounds."""
    function()
    best = min(timeit.repeat(function, repeat=ROUNDS, number=NUMBER)) / NUMBER
    print(f"{name:<58}{best * 1e6:8.1f} µs")


def main() -> None:
    """Measure everything there is."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    now = int(time.time())
    claims = {
        "azp": ORIGIN,
        "exp": now + 3600,
        "iat": now - 10,
        "nbf": now - 20,
        "iss": "https://clerk.example.com",
        "sid": "sess_2abcDEF",
        "sub": "user_2admin",
        "v": 2,
        "sts": "active",
        "fea": "o:dashboard,o:teams",
        "o": {"id": "org_2acme", "slg": "acme", "rol": "admin", "per": "manage,read", "fpm": "3,2"},
    }
    headers = {"kid": "ins_test", "cat": "cl_B7d4PD111AAA"}
    token = PyJWS().encode(json.dumps(claims).encode(), private, algorithm="RS256", headers=headers)
    jwk = RSAAlgorithm.to_jwk(public, as_dict=True) | {"kid": "ins_test", "alg": "RS256"}

    key = parse_publishable_key(PUBLISHABLE_KEY)
    remote = RemoteKeys(lambda: {"keys": [jwk]}, NoCache(), "benchmark")
    by_pem = TokenVerifier(PemKeys(pem), key.frontend_api, [ORIGIN], time.time)
    by_jwks = TokenVerifier(remote, key.frontend_api, [ORIGIN], time.time)
    cookies = f"__session={token}; __client_uat={now - 60}"

    def whole_request() -> object:
        verifier = TokenVerifier(PemKeys(pem), key.frontend_api, [ORIGIN], time.time)
        site = Authenticator(verifier, lambda: None, "https://clerk.example.com")  # type: ignore[arg-type,return-value]
        context = RequestContext("GET", f"{ORIGIN}/people/", {"Cookie": cookies}, key, time.time())
        state = site.authenticate(context, may_renew=True)
        assert state.status == "signed-in", state.reason
        return state

    signed, _, _ = token.rpartition(".")
    algorithm = RSAAlgorithm(RSAAlgorithm.SHA256)
    raw_signature = algorithm.sign(signed.encode(), private)
    measure("RSA-2048 alone", lambda: algorithm.verify(signed.encode(), public, raw_signature))
    measure("org_invitations, PEM", lambda: by_pem.verify(token))
    measure("org_invitations, warm key set", lambda: by_jwks.verify(token))
    measure("org_invitations, a whole request with cookies", whole_request)
    _measure_official(token, pem)


def _measure_official(token: str, pem: str) -> None:
    try:
        from clerk_backend_api.security import verify_token
        from clerk_backend_api.security.types import VerifyTokenOptions
    except ImportError:
        print("clerk-backend-api is not installed: not measured")
        return
    options = VerifyTokenOptions(jwt_key=pem, authorized_parties=[ORIGIN])
    name = f"clerk-backend-api {metadata.version('clerk-backend-api')}, PEM"
    try:
        measure(name, lambda: verify_token(token, options))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is its result
        print(f"{name}: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
