"""The public keys that session tokens are verified with.

Either one PEM, without any network, or the key set of the Backend API (``GET /v1/jwks``), kept
for five minutes as Clerk's backend SDK does (tokens/keys.ts). Unlike there, a key id that is
not in the set is remembered as unknown for a while, and the set is not fetched again for every
token that names a new one: otherwise anybody could make this site call Clerk at will.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any, Final, NoReturn, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from jwt.algorithms import RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from ..deadline import get_deadline
from ..exceptions import ClerkError
from . import reasons
from .tokens import TokenError, VerifyingKey

logger = logging.getLogger("org_invitations.clerk")

#: All in seconds. Clerk's own cache lives for five minutes (MAX_CACHE_LAST_UPDATED_AT_SECONDS).
FRESH_FOR: Final = 300
#: While Clerk does not answer, a set that has been good goes on being used up to this age.
USABLE_FOR: Final = 3600
UNKNOWN_FOR: Final = 60
#: However many unknown key ids arrive, the set is fetched for them this seldom.
REFETCH_EVERY: Final = 10
RETRY_AFTER_FAILURE: Final = 5

_PEM_MARKS: Final = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----")


class Cache(Protocol):
    """What is needed of a cache. Times are in seconds. One that is down must not raise.

    ``org_invitations.caching.SiteCache`` fits.
    """

    def get(self, key: str, default: Any = None) -> Any: ...
    def set(self, key: str, value: Any, timeout: float | None = ...) -> Any: ...
    def add(self, key: str, value: Any, timeout: float | None = ...) -> bool: ...


class PemKeys:
    """One public key given as PEM. The key id of a token is not looked at, as with Clerk."""

    def __init__(self, pem: str) -> None:
        """Read the PEM; one that cannot be read verifies nothing, and is logged."""
        # Clerk pins RS256 here: a token with another algorithm fails.
        self._key = VerifyingKey(_read_pem(pem), "RS256")

    @property
    def is_readable(self) -> bool:
        """Whether the PEM is an RSA public key; if not, no token is ever verified."""
        return self._key.key is not None

    def get_key(self, kid: str) -> VerifyingKey:
        """Return the key."""
        return self._key


class RemoteKeys:
    """The key set of one instance, fetched by one thread for all of the process.

    ``scope`` names the instance (API URL and secret key); only a hash of it is kept. A key id
    is, at Clerk, the id of an instance, so keys of two instances must never meet in one cache.
    """

    def __init__(
        self,
        fetch: Callable[[], Mapping[str, Any]],
        cache: Cache,
        *scope: str,
        clock: Callable[[], float] = time.time,
        place: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Build the source.

        :param fetch: ``get_jwks`` of a client.
        :param clock: gives seconds.
        :param place: what somebody holds who fetches, or waits while another thread does.
        """
        self._fetch = fetch
        self._place = place
        self._cache = cache
        self._clock = clock
        self._lock = threading.Lock()
        self._prefix = "org_invitations:jwks:" + _digest("\0".join(scope))
        self._keys: dict[str, VerifyingKey] = {}
        self._fetched_at = float("-inf")
        self._unknown: dict[str, float] = {}
        self._failure: tuple[float, str] | None = None
        self._asked_at = float("-inf")

    def get_key(self, kid: str) -> VerifyingKey:
        """Return the key with this id; no lock and no cache is touched while it is warm.

        A place is only needed where neither this process nor the cache has it.

        :raises TokenError: ``jwk-kid-mismatch``, ``jwk-remote-failed-to-load`` or
            ``secret-key-invalid``.
        """
        key = self._keys.get(kid) if self._is_fresh() else None
        if key is not None:
            return key
        old = self._keys.get(kid) if self._age() < USABLE_FOR else None
        if self._lock.acquire(blocking=False):
            try:
                self._load()
            finally:
                self._lock.release()
            if self._is_fresh() and kid in self._keys:
                return self._keys[kid]
        elif old is not None:
            return old  # while one thread waits for Clerk, the others go on with what was good
        try:
            # Before the lock: those who wait for it could hold all the places, and whoever has it
            # would find none to fetch in.
            with self._place():
                return self._get_asked(kid, old)
        except ClerkError as error:
            # Whoever had the lock may have found them without Clerk.
            if self._is_fresh() and kid in self._keys:
                return self._keys[kid]
            logger.info("Clerk's keys could not be waited for: %s", error)
            return old or self._unanswered()

    def _get_asked(self, kid: str, old: VerifyingKey | None) -> VerifyingKey:
        """Return a key, fetched if need be, by this thread or another one, if there is time."""
        if not self._lock.acquire(blocking=False):
            if old is not None:
                return old
            seconds = min(get_deadline().left(), threading.TIMEOUT_MAX)
            if not self._lock.acquire(timeout=seconds):
                self._unanswered()
        try:
            if not self._is_fresh():
                self._renew(kid)
            elif kid not in self._keys and self._may_ask_for(kid):
                self._ask(kid)
            key = self._keys.get(kid)
        finally:
            self._lock.release()
        return key or self._nobody()

    def _unanswered(self) -> NoReturn:
        raise TokenError(reasons.REMOTE_JWK_FAILED_TO_LOAD, "Error loading Clerk JWKS.")

    def _nobody(self) -> NoReturn:
        raise TokenError(
            reasons.JWK_KID_MISMATCH,
            "Unable to find a signing key in JWKS that matches the kid of the token.",
        )

    def _age(self) -> float:
        """Seconds since the set was fetched; a clock put back makes it stale, not immortal."""
        age = self._clock() - self._fetched_at
        return age if age >= 0 else float("inf")

    def _is_fresh(self) -> bool:
        return self._age() < FRESH_FOR

    def _load(self) -> None:
        """Take over what another process has fetched since."""
        stored = self._cache.get(self._prefix)
        if isinstance(stored, dict) and stored.get("fetched_at", 0) > self._fetched_at:
            keys = _public_part(stored)
            if keys:
                self._take(keys, stored["fetched_at"])

    def _renew(self, kid: str) -> None:
        """Fetch a set that is missing or too old, unless that failed a moment ago."""
        if self._failed_lately():
            self._make_do(kid)
        else:
            self._ask(kid)

    def _may_ask_for(self, kid: str) -> bool:
        """Whether a fresh set is fetched again because it lacks a key: rotated, or made up."""
        now = self._clock()
        if self._unknown.get(kid, now) > now or self._cache.get(self._unknown_key(kid)):
            return False
        if self._failed_lately() or 0 <= now - self._asked_at < REFETCH_EVERY:
            return False  # also where the cache keeps nothing
        return self._cache.add(f"{self._prefix}:refetch", 1, REFETCH_EVERY)

    def _ask(self, kid: str) -> None:
        try:
            keys = _public_part(self._fetch())
            reason = reasons.REMOTE_JWK_FAILED_TO_LOAD
        except ClerkError as error:
            keys = []
            invalid = error.code == "clerk_key_invalid"
            reason = reasons.SECRET_KEY_INVALID if invalid else reasons.REMOTE_JWK_FAILED_TO_LOAD
        # Read after the fetch: Clerk may have taken longer to fail than a failure counts.
        now = self._asked_at = self._clock()
        if not keys:
            logger.error("Clerk's keys could not be loaded: %s", reason)
            self._failure = (now, reason)
            self._make_do(kid)
            return
        self._failure = None
        self._take(keys, now)
        self._cache.set(self._prefix, {"keys": keys, "fetched_at": now}, USABLE_FOR)
        self._cache.add(f"{self._prefix}:refetch", 1, REFETCH_EVERY)
        if kid not in self._keys:
            self._remember_unknown(kid, now)

    def _failed_lately(self) -> bool:
        return self._failure is not None and self._clock() - self._failure[0] < RETRY_AFTER_FAILURE

    def _make_do(self, kid: str) -> None:
        """Go on with the old set for a while, if it has the key; else fail as fetching did."""
        if kid not in self._keys or self._age() >= USABLE_FOR:
            reason = self._failure[1] if self._failure else reasons.REMOTE_JWK_FAILED_TO_LOAD
            raise TokenError(reason, "Error loading Clerk JWKS.")

    def _remember_unknown(self, kid: str, now: float) -> None:
        self._unknown = {key: until for key, until in self._unknown.items() if until > now}
        self._unknown[kid] = now + UNKNOWN_FOR
        self._cache.set(self._unknown_key(kid), 1, UNKNOWN_FOR)

    def _unknown_key(self, kid: str) -> str:
        return f"{self._prefix}:unknown:{_digest(kid)}"

    def _take(self, keys: list[dict[str, str]], fetched_at: float) -> None:
        self._keys = {jwk["kid"]: _read_jwk(jwk) for jwk in keys}
        self._fetched_at = fetched_at


def _public_part(answer: Mapping[str, Any]) -> list[dict[str, str]]:
    """Keep of a key set what verifying needs, and only entries with an id."""
    wanted = ("kid", "kty", "alg", "use", "n", "e")
    entries = answer.get("keys")
    return [
        {name: entry[name] for name in wanted if isinstance(entry.get(name), str)}
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("kid"), str)
    ]


def _read_jwk(jwk: Mapping[str, str]) -> VerifyingKey:
    """Read one entry; one that cannot be used stays in the set and verifies nothing."""
    key: Any = None
    if jwk.get("use", "sig") == "sig":
        try:
            key = RSAAlgorithm.from_jwk(
                {name: jwk[name] for name in ("kty", "n", "e") if name in jwk}
            )
        except (InvalidKeyError, KeyError, ValueError):
            key = None
    return VerifyingKey(key if isinstance(key, RSAPublicKey) else None, jwk.get("alg"))


@lru_cache(maxsize=8)
def _read_pem(pem: str) -> RSAPublicKey | None:
    # Environment files bring a PEM on one line, or without its first and last one; Clerk takes
    # both (loadClerkJwkFromPem).
    for mark in _PEM_MARKS:
        pem = pem.replace(mark, "")
    try:
        key = load_der_public_key(base64.b64decode("".join(pem.split()), validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, RSAPublicKey):
        return key
    logger.error("CLERK_JWT_KEY is not an RSA public key; no session token can be verified.")
    return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", errors="replace")).hexdigest()[:32]
