"""The emulator's keys. All of them are public.

The private keys below are throwaway test keys: anybody can read them here, so they protect
nothing and must never be given to anything but this emulator. They are fixed so that a site's
settings stay right from one start to the next.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt.algorithms import RSAAlgorithm

INSTANCE_ID = "ins_2emulatorEmulatorEmulator01"
"""Clerk uses the instance id as the ``kid`` of its signing key."""

FRONTEND_API = "clerk.emulator.test"
ISSUER = f"https://{FRONTEND_API}"

_ENCODED_FRONTEND_API = base64.b64encode(f"{FRONTEND_API}$".encode()).decode().rstrip("=")

SECRET_KEY = "sk_test_emulatorThisKeyIsPublicAndOpensNothing"  # noqa: S105
PUBLISHABLE_KEY = f"pk_test_{_ENCODED_FRONTEND_API}"
PRODUCTION_SECRET_KEY = "sk_live_emulatorThisKeyIsPublicAndOpensNothing"  # noqa: S105
PRODUCTION_PUBLISHABLE_KEY = f"pk_live_{_ENCODED_FRONTEND_API}"


def cookie_suffix(publishable_key: str) -> str:
    """The suffix of an instance's cookies: 8 characters of the key's SHA-1, URL-safe base64."""
    digest = hashlib.sha1(publishable_key.encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).decode()[:8]


@dataclass(frozen=True)
class SigningKey:
    """An RSA key pair under a key id."""

    kid: str
    pem: str

    @cached_property
    def private(self) -> RSAPrivateKey:
        key = serialization.load_pem_private_key(self.pem.encode(), password=None)
        return cast("RSAPrivateKey", key)

    @cached_property
    def public_pem(self) -> str:
        return (
            self.private.public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            .decode()
        )

    @cached_property
    def jwk(self) -> dict[str, Any]:
        numbers = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {
            "use": "sig",
            "kty": "RSA",
            "kid": self.kid,
            "alg": "RS256",
            "n": numbers["n"],
            "e": numbers["e"],
        }

    def signature(self, signing_input: str, algorithm: str = "RS256") -> str:
        """The signature of a JWT; RS256 for any algorithm that is not an RSA one.

        A token with a wrong ``alg`` in its header is thus still signed by this key.
        """
        name = algorithm if algorithm in ("RS384", "RS512") else "RS256"
        signed = RSAAlgorithm(_HASHES[name]).sign(signing_input.encode(), self.private)
        return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


_HASHES = {
    "RS256": RSAAlgorithm.SHA256,
    "RS384": RSAAlgorithm.SHA384,
    "RS512": RSAAlgorithm.SHA512,
}

_FIRST_PEM = """\
-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDtBM6vNG9aHRV3
Ec6ZEKrM5GrGSVYm2aV1PmP3HQN6IjeyVrgBuHF1Da6SAZmbDoyV93mkT4D5xWtz
gHGBLQIM/ptq+9kRWcrUSSpYUaMF5xto4eOfYri3TW3xde+WNZhjV5hXMUlVtNTs
DLrQotbacH3vc7Z11bmFiVEL+9sYeY1kvNwKwRBczCfipKgeXecGwcwObezqYsTL
acRAiL58O322PTaM0qD1zL1yfG/3JQOKnWpyeiA60bn7zAq3hM85Nu4DWY7AEYwr
+/xkfhFxbdnDqMSweg+bypEKRDLMpIQmbFg8k2RBGcLBTTz8J1XBKxzDwGXuVAiN
fd0QHbBLAgMBAAECggEACReQHiRyyRAojKLAPBrpkmaIugaCKYdb032LNCWGxp6d
aFfvQxGiOI1Hzw4EqHAMcIxHvEfYeLxb/NhGgmAJnhn+OEJk90dsgmw0FaM8D7Pn
10QjCTAuScnMl+CgSjDQIa9whpe7anA/YrayS+KTP1nlWtQjga2rKjY0R7Nnmi6s
mciILqRNnfvYnKzAKHTbcIUxpPFYl/OMQ1/xwx2dniHzXrC1FjN3gY9ZiNKuPthb
BpDho8AdiBjYuQJFWwR15epFci/nzdMGsXFsn+QBtIzxuGCju0m9ENF5691LasLf
sd6KT/sNae9mBV+vJ9BD9RaCB0NCgUlEYxvcjUlCMQKBgQD3k4+t4Td8sqyftrtM
aVt1hiaALgDnUUy0RhvDWk/8zRVJbks8FdYcIEPmeuMc1qdzYBWygdzBoHLzEuZJ
etRwQa1gaD5ZeXNA1v2IWwNxjoc7gXoDygGo5836z3hvAa/lE6X3pjSyQEprM/tt
ywmyQhO6UEu70Rj0u+jJG/4gFQKBgQD1FUl+FLb3bbDiVvLYbWvzF9xzX2iWrNOm
UfYcSQ9Wyd9hocBO5Bduh9plTr5ILXam4dVKtszlM0euE/jcmZOPzpWiVR0KvRBK
eDcQUEnJlG0BgoCdEEZD0hK13TFCqr9reMjNff7VVuAL6mwHC7OOLZSFgPhAkB4w
51k8kZJG3wKBgQDb8V3djY1r3Jf7M61ljtvPpqQhj70Bw3ovVXFotZ0F63QTzkZM
VOHoDsoDwfxuLEyK9TuRYEksQ0yboZiwgsykBdTvJuztNDYtzlFih+ihQ4vkU3yA
TT/4PCcDwLkvdQI8sp3pSuDZ0r/KSV3/BjfRA17fUGJXssVG9oEx2QqEmQKBgAon
Lps9inLnpWtLBNZ4ef9hHq3c5v1O/ZmnTZXQZQVIaaumwsvB4UKf+Ck4QOPGlmLF
ekuVFRntrOuGQkoJRravbT2DXyehu3oKTuWrHdNvBbEJUgCvuul2W3YTSsYjQrjW
ESOKM7Ns3O1BceY80txyAPQi6qXqEoYeH3FF6pRrAoGAaAbd2rVdzH/X5O4IPmbo
xLuDokiO6AEjXuz8pJQ8wInDDQWiQm8jjoT+SzetBva4gpkGviNBZsRza1hITC81
UKGjCIRzCk/qn4LpGM/+P9Xs+UIBuSp/DBXvkvPsnyvkRbt9kHoDry+5M/57NwR7
w2dTEhmdDp/Ojng9xNESXew=
-----END PRIVATE KEY-----
"""

_SECOND_PEM = """\
-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCg+OGBnuoTUblz
GBqJz7EeWQ0XrXqYYnm25RrXXgZzvhnSuTmcx/5J7075V1wNHdHJ4pPprPxS3jjw
Xj92WqyX4U3GZ8viv4T5D+hoL5C86kwqFKvsijPZeSdxBd+PU1KARpVKL95xelrI
bXAn6dsgctPhhWqjzC/3s3Oqi905ymq/j5fMSbdEJjkmFvVZjPztToHOl+qeiOBK
Ti3f8KwRTl4TtbSI/OgYJ8SIR1bkaocow9peSm89BT7Q6eFfOKA//PrDb+4Pupbv
BlZkwtrBdMdabvuxVMpUH/BwNjqlQT4AG4LEj/6jTrU5yLHmHomZijekCUnkOGkb
t20LEVbXAgMBAAECggEAHRG0z46eIM0CW2l/6WErUBquxZbba8dkyYWIGlptedtb
mHVAlTJ8lmdz8I05H1lCOF4Fbg6CJojg6W9rsHjhcDAMtoaqCBGj9sJLqvzj+2mo
RXUkMvwmLuC1IbD41U4ruOSGMzZ/yihZWpaAyYRuwOZbov9P6bKG+wlaGvNVCQle
efbsQPPzBmQC+YzQZ/29jsjDQ4z8biEpS85o8UBZFcjTgMi/UWz01rujLG1XPtjX
+omC5noPJ9sjChQup00ToTusFm3zglDH7RxOeyb+Tpa/IRmpjGQE9tWmekb80xLK
Ea3j1KAc/Wndz5A0BBIIjeJYno3tG93mE5g3jXlAGQKBgQDLzaJFckEYBPfSUvz7
lXLr8By3G/0OiL69E0vqI2+KSicLV0vMsvnihZC5e8MN5CdKAAhU3LIVv7395zsz
l+2ZRKA/Vk4cRSp76P1O565vgJo6ebQVvBjPRTBSpm4qWj+U8xRyLzGHzc7KgZdg
AebEMlHumiJpzznASCDGHzjr9QKBgQDKMwbn+W0kAk+/lchoMfueuVp/9OXVEwIQ
w7kod6A1Q68MymG6GtW+LRweGqx7cJxiDY29yirMOIIBRT2Tz6X8cOWw7uTomx7R
74M68DA55qb9Gf2+sm0eO60/Fx9+MpJ0HDwiuHSOuX2vHhK+O+hqfay8Ah/muiU6
dKqXqBokGwKBgGAJx/UX0SrjdHDtYH+hvmUGYlG7Y7WMpO1ugXCVQEOXi+yhN3v/
vxeKv1dYxeLu58DMYSC0W0s6buqOI2y9pF58Y1NVdTuHMGzxrySWsrGilYsGvOEd
IUfTH+Fiwjk9DAdBwRnJuXp4doEhLlc0ri04VTmt8peP6nP8yUzze5xdAoGBALhd
BnMFbopiwSxC+lRnHrJ+9xGsztMVXdDDZVSMnrtyV24mKi1ywmmA4B5i29pBt5WA
Hjlq2NMUwxU9eQQJVaNznTtS181vgw6QgOuAjbh9os0sobz7G5txdmoMP17l5buQ
8xQFc+GfKAZAOX7TSPuwU4uptETAfalrLxDQ6eT5AoGAW5MyYwPipWmBtmkFlrg2
I08lRyXixzUDV0KGt/M7Zh77YRQVDgHIrxkvsoma0Eu7i0NifcImO3Txx5koLEdX
zKHc1DT09JT/1Gkx9wt1LIE+oFyTFlWUDcWAM32TwXdMvdsNi4wujqsDlhQ8wp3H
3h/KZL2tQu1o6F36Dc8sdW8=
-----END PRIVATE KEY-----
"""

_STRANGER_PEM = """\
-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDn3OyBRvi93CF+
72MSnqepBWWxoF3Wc6uLGlDDAI7arbt+c/u+Xsj8M+aH97SWcA3IJgN6in3uxT1b
l7+yNmwqhYQkXJOXwc93jnPs7FjX2qmCXBzpFV8qmSIkJ3MjSa0DYvCQQkcfOT+v
dr9Bxm7TaZuvBDZPPt+QmOO44anYmfJzl26hNv/+1EP1ELkPvwaVpYjXQl+/Q8x3
DwzJqCxBFziHpcTXiIKpLuSAnUp/1ZaZdqPhLJmfJJX/0EVIYoo5St4/vhq2dzjE
gvIEsWJZKeiyEg4ytFQJeXAU5BHBk2j4t1iz6u/DosH20TYuh35cAhffHhdJ8RvM
fa5OygKXAgMBAAECggEABNsTFugCGJPOHcbsp7yr3TXQOeaWYIHeo1SjQVo3I6xE
w3KxYHzCr8l0d/9/iDEDkN/+7aeN2JzH2q20ZYqPPFq8eDh6HNEBw8q3ccxHVgnt
x92e+2CntBAt71zmI+SMm4gMarEApU5BH68YdUuvEX1iNcmcS4+RBgm1py8OrAsP
HMcd0+5Lh8eOdzr3+SKQDZCxVxuqWO1Fx6X60xrMy9k+abmrCIPlMFK6Jd5sJ6+O
jsS5k3NRRhgvicUOlSXam7tWSrp5TXOjD4zegjHdtqN9KgUC0SihxQGgcpJtn4R6
uDAkVp0XSrXLikf2x+l7GUK50OFbnPplwJKpIlRL1QKBgQD2H0O2GTNj5npHoyaz
mJreWPdVhZUfyzBQ+40W6MbEWHuW+obIPIW/5XmE0BlnWRtKoIfBT4YI0PvFuRdp
RCiE4AlO9lCfJ/6MVv2/95DgZcz3jBrHdS5Guym6YVWjg4GSTQ62D6ZWNVfK4P8L
Z8QA5AUOOBfYaYr2IN+E30FRSwKBgQDxKygOIrXWdleD3gDs6yaMAHtMQbpoaUg6
rmEjR9EakWbj3X8XDqrHM0OCFbCN+/mTQYfEmYEgWX+FZXr2RxsyeIIvT0Dl+wmw
9nCS793X75hK3QDponzVIyavCvbwcbeEqdHCHbTPT5sHfCB+jCWw/yfUeWM6Pn8w
9d6Q9OjQZQKBgF0ZGm3JPo0tY1exuTP6J6qvkG9DJlNucopPfOELkBQ5PBayEUWw
zw71aG/6n4FeTVp/Opq+z/6JvpLeHqLs6z7H1/2MYpaxdDH1vepdZOnc2BlTX9XO
14Bdz7z2kIRXfC2xBD2N0eeOKfVOAmt4BsYneloUkcCEu9G6QZJrOLPdAoGBAKKv
GxEWBxXJtNVmf7dSFSmh9YqGWCmww6GaGjrDamICraaOtvml0jwX77Ujznqo/D2C
mgRcDIf295fT0fOqGcWdFyy0yLGa+3mddGkaV8sfe9scZE42ZwEb+i9gNR4Th9l8
+Nt6UIr8RzbwW7ch8RcJuCOTUwVqPUCYyu971kUlAoGAbr4dAV/mIqgyHjlbn0ch
KfuBrVGAGRPLe3lx1dEzr+wCZWxFHc7uUWRxgnIyUWqqGSP6WW8pcx7bc7NN5Jm2
yAXvyGS92UUlOWc0PvFs73O3J3/JNYaXe5e6RlO9lVmnFpGLrHUKqMfAf+1eMdGS
vIlvoig9o/jxQwxdDeeolRI=
-----END PRIVATE KEY-----
"""

FIRST_KEY = SigningKey(INSTANCE_ID, _FIRST_PEM)
SECOND_KEY = SigningKey(f"{INSTANCE_ID}r2", _SECOND_PEM)
STRANGER_KEY = SigningKey("ins_2strangerStrangerStranger01", _STRANGER_PEM)
"""A key this instance never had, for tokens of somebody else's instance."""

JWT_KEY = FIRST_KEY.public_pem
"""The public key (PEM) a site can verify session tokens with, until the keys are rotated."""


class KeyRing:
    """The instance's signing keys: the current one, and those it had before."""

    def __init__(self) -> None:
        self.current = FIRST_KEY
        self.old = SECOND_KEY
        self.published: list[SigningKey] = [self.current]

    def rotate(self, *, keep_old: bool = False, same_kid: bool = False) -> None:
        """Signs with the other key from now on.

        ``keep_old`` leaves the former key in the JWKS, ``same_kid`` gives the new key the id of
        the former one (Clerk's id is the instance's id; what a rotation does to it is not public).
        """
        former = self.current
        kid = former.kid if same_kid else self.old.kid
        self.current = SigningKey(kid, self.old.pem)
        self.old = former
        self.published = [self.current, *([former] if keep_old and not same_kid else [])]

    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.jwk for key in self.published]}
