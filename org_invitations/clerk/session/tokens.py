"""Is this session token good, and what does it say.

The checks, their order and their reasons are those of Clerk's backend SDK (jwt/verifyJwt.ts,
jwt/assertions.ts, tokens/verify.ts). The signature comes before every claim, so that an answer
tells a forger nothing about how the site is configured. The cryptography is PyJWT's.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final, Protocol

from jwt.algorithms import RSAAlgorithm

from ..text import decode_json
from . import reasons
from .javascript import is_number, to_number

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

#: How far the clocks of Clerk and of this machine may be apart, in milliseconds.
CLOCK_SKEW_MS: Final = 5_000

ALGORITHMS: Final = {
    "RS256": RSAAlgorithm(RSAAlgorithm.SHA256),
    "RS384": RSAAlgorithm(RSAAlgorithm.SHA384),
    "RS512": RSAAlgorithm(RSAAlgorithm.SHA512),
}

# Clerk marks in the header what a token is for (tokens/jwtCategories.ts).
CATEGORY_SESSION: Final = "cl_B7d4PD111AAA"
CATEGORY_M2M: Final = "cl_B7d4PD333AAA"
CATEGORY_IGNORE: Final = "cl_I7d4PD111III"

_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*")
_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE)
_OAUTH_TYPES: Final = ("at+jwt", "application/at+jwt")
_ABSENT: Final = object()


class TokenError(Exception):
    """A token is not accepted. Its text is fixed: nothing of the token ever appears in it."""

    def __init__(self, reason: str, message: str = "") -> None:
        """Build the error; ``reason`` is one of :mod:`org_invitations.clerk.session.reasons`."""
        self.reason = reason
        self.message = message
        super().__init__(f"{message} (reason={reason})".strip())


class PartyRefused(TokenError):
    """A good token that was made for no site that is authorized.

    ``party`` is its ``azp``: the origin of the site that it was made for, None where it names none.
    Its signature has been verified by then, so it is what Clerk wrote.
    """

    def __init__(self, party: str | None) -> None:
        """Build the error."""
        self.party = party
        super().__init__(
            reasons.TOKEN_INVALID_AUTHORIZED_PARTIES, "Invalid JWT Authorized party claim (azp)."
        )


@dataclass(frozen=True, slots=True)
class Jwt:
    """A token taken apart; nothing of it is verified yet."""

    header: Mapping[str, Any] = field(repr=False)
    payload: Mapping[str, Any] = field(repr=False)
    signature: bytes = field(repr=False)
    signed: bytes = field(repr=False)

    @property
    def kid(self) -> str:
        """The id of the key that is said to have signed it; an empty string if none is."""
        kid = self.header.get("kid")
        return kid if isinstance(kid, str) else ""


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key. ``algorithm`` is the only one it may be used with; None allows all three.

    ``key`` is None where the key's text could not be read: then nothing verifies.
    """

    key: RSAPublicKey | None = field(repr=False)
    algorithm: str | None = None


class KeySource(Protocol):
    """Where public keys come from; see :mod:`org_invitations.clerk.session.keys`."""

    def get_key(self, kid: str) -> VerifyingKey:
        """Return the key with this id.

        :raises TokenError: there is none, or it cannot be had.
        """
        ...


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """Verifies the session tokens of one instance.

    ``issuer`` is the host of the instance's Frontend API, ``authorized_parties`` the origins
    that may have asked for the token (none: any), ``clock`` gives seconds since the epoch.
    """

    keys: KeySource = field(repr=False)
    issuer: str
    authorized_parties: Sequence[str]
    clock: Callable[[], float] = field(repr=False)

    def verify(self, token: str | Jwt, *, skew_ms: int = CLOCK_SKEW_MS) -> Mapping[str, Any]:
        """Return the claims of a good session token, as text or taken apart already.

        :raises TokenError: it is not good.
        """
        jwt = decode_jwt(token) if isinstance(token, str) else token
        if jwt.header.get("cat", _ABSENT) == CATEGORY_M2M:
            raise TokenError(reasons.TOKEN_INVALID, "Invalid session token category.")
        verify_signature(jwt, self.keys)
        self._check_claims(jwt.payload, skew_ms)
        return jwt.payload

    def _check_claims(self, claims: Mapping[str, Any], skew_ms: int) -> None:
        if not isinstance(claims.get("sub"), str):
            raise _failed("Subject claim (sub) is required and must be a string.")
        # Clerk does not look at the issuer (differences.OTHER_ISSUER).
        if "iss" in claims and issuer_host(claims["iss"]) != self.issuer:
            raise _failed("Invalid JWT issuer claim (iss). It is not this instance.")
        if self.authorized_parties:
            azp = claims.get("azp")
            if not isinstance(azp, str) or azp not in self.authorized_parties:
                raise PartyRefused(azp if isinstance(azp, str) and azp else None)
        self._check_times(claims, skew_ms)
        # Nor at these two (differences.NOT_A_SESSION): a token made from a template has no
        # session, and would outlive the one it was made in.
        if not claims["sub"].startswith("user_") or not _filled(claims.get("sid")):
            raise TokenError(reasons.TOKEN_TYPE_MISMATCH, "The token belongs to no session.")

    def _check_times(self, claims: Mapping[str, Any], skew_ms: int) -> None:
        now = int(self.clock() * 1000)
        today = formatdate(now / 1000, usegmt=True)
        exp = _milliseconds(claims, "exp", required=True)
        if exp is not None and exp <= now - skew_ms:
            raise TokenError(reasons.TOKEN_EXPIRED, f"JWT is expired. Current date: {today}.")
        nbf = _milliseconds(claims, "nbf")
        if nbf is not None and nbf > now + skew_ms:
            raise TokenError(
                reasons.TOKEN_NOT_ACTIVE_YET,
                f"JWT cannot be used prior to not before date claim (nbf). Current date: {today}.",
            )
        iat = _milliseconds(claims, "iat")
        if iat is not None and iat > now + skew_ms:
            raise TokenError(
                reasons.TOKEN_IAT_IN_THE_FUTURE,
                f"JWT issued at date claim (iat) is in the future. Current date: {today}.",
            )


def decode_jwt(token: str) -> Jwt:
    """Take a token apart without believing any of it.

    :raises TokenError: it is not three parts of base64url, the first two JSON.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError(
            reasons.TOKEN_INVALID,
            "Invalid JWT form. A JWT consists of three parts separated by dots.",
        )
    try:
        header, payload = (_json(_base64url(part)) for part in parts[:2])
        signature = _base64url(parts[2])
    except (ValueError, RecursionError):
        raise TokenError(
            reasons.TOKEN_INVALID,
            "Invalid JWT form. The header, payload, or signature could not be decoded.",
        ) from None
    if header is None or payload is None:
        # Where Clerk's SDK stumbles over a null.
        raise TokenError(reasons.UNEXPECTED_ERROR)
    return Jwt(
        header=header if isinstance(header, dict) else {},
        payload=payload if isinstance(payload, dict) else {},
        signature=signature,
        signed=f"{parts[0]}.{parts[1]}".encode("ascii"),
    )


def verify_signature(jwt: Jwt, keys: KeySource) -> None:
    """Check the type, the algorithm and the signature; common to session and handshake tokens.

    :raises TokenError: one of them is wrong, or the key cannot be had.
    """
    key = keys.get_key(jwt.kid)
    if jwt.header.get("typ", "JWT") != "JWT":
        raise TokenError(reasons.TOKEN_INVALID, "Invalid JWT type. Expected JWT.")
    name = jwt.header.get("alg")
    algorithm = ALGORITHMS.get(name) if isinstance(name, str) else None
    if algorithm is None:
        raise TokenError(
            reasons.TOKEN_INVALID_ALGORITHM,
            f"Invalid JWT algorithm. Supported: {','.join(ALGORITHMS)}.",
        )
    if key.key is None or key.algorithm not in (None, name):
        raise _failed("Error verifying JWT signature. The key does not fit the algorithm.")
    if not algorithm.verify(jwt.signed, key.key, jwt.signature):
        raise TokenError(reasons.TOKEN_INVALID_SIGNATURE, "JWT signature is invalid.")


def is_machine_jwt(jwt: Jwt) -> bool:
    """Whether the token is a machine's: OAuth or machine to machine (tokens/machine.ts)."""
    subject = jwt.payload.get("sub")
    return jwt.header.get("typ") in _OAUTH_TYPES or (
        isinstance(subject, str) and subject.startswith("mch_")
    )


def has_other_category(jwt: Jwt) -> bool:
    """Whether the header says that the token is for something else than a session."""
    category = jwt.header.get("cat", _ABSENT)
    return category is not _ABSENT and category not in (CATEGORY_SESSION, CATEGORY_IGNORE)


def issuer_host(issuer: Any) -> str | None:
    """Return an ``iss`` claim without its scheme, None if it is not a string."""
    return _SCHEME.sub("", issuer) if isinstance(issuer, str) else None


def _base64url(text: str) -> bytes:
    """Decode strictly: no other characters, no leftover bits; padding may be there or not."""
    text = text.rstrip("=")
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    try:
        decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != text.encode("ascii"):
        raise ValueError("leftover bits")
    return decoded


def _json(raw: bytes) -> Any:
    return decode_json(raw, parse_constant=_no_constant)


def _no_constant(name: str) -> Any:
    # Python reads NaN and Infinity, which are not JSON.
    raise ValueError(name)


def _milliseconds(claims: Mapping[str, Any], name: str, *, required: bool = False) -> float | None:
    value = claims.get(name, _ABSENT)
    if value is _ABSENT and not required:
        return None
    if not is_number(value):
        raise _failed(f"Invalid JWT date claim ({name}). Expected number.")
    # JavaScript's dates have whole seconds here; JSON can hold 1e999.
    number = to_number(value)
    return number if math.isinf(number) else math.trunc(number) * 1000


def _filled(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _failed(message: str) -> TokenError:
    return TokenError(reasons.TOKEN_VERIFICATION_FAILED, message)
