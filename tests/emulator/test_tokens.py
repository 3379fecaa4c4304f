"""Session tokens: what is in them, and what can be ordered instead."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from org_invitations.emulator import INSTANCE_ID, ISSUER, JWT_KEY, Emulator
from org_invitations.emulator.keys import SECOND_KEY, STRANGER_KEY


def read(token: str, key: str = JWT_KEY, *, verify_exp: bool = True) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token, key, algorithms=["RS256"], options={"verify_exp": verify_exp}
    )
    return claims


def test_a_token_of_version_two(emulator: Emulator) -> None:
    emulator.clock.freeze()
    token = emulator.mint_token("ada@acme.test")
    now = int(emulator.clock.now())
    claims = read(token)
    acme = emulator.organization("acme")
    assert jwt.get_unverified_header(token) == {
        "alg": "RS256",
        "cat": "cl_B7d4PD111AAA",
        "kid": INSTANCE_ID,
        "typ": "JWT",
    }
    assert claims.pop("jti")
    sid = claims.pop("sid")
    assert emulator.state.sessions[sid].user_id == emulator.user("ada@acme.test").id
    assert claims == {
        "azp": "http://localhost:8000",
        "exp": now + 60,
        "fea": "o:invoices,o:reports",
        "fva": [0, -1],
        "iat": now,
        "iss": ISSUER,
        "nbf": now - 10,
        "o": {
            "fpm": "3,2",
            "id": acme.id,
            "per": "manage,read",
            "rol": "admin",
            "slg": "acme",
        },
        "sts": "active",
        "sub": emulator.user("ada@acme.test").id,
        "v": 2,
    }


def test_system_permissions_are_never_in_a_token(emulator: Emulator) -> None:
    for version in (1, 2):
        assert "sys_" not in str(read(emulator.mint_token("ada@acme.test", version=version)))
    assert "org:sys_memberships:manage" in emulator.state.permissions_of(
        emulator.state.memberships_of(emulator.user("ada@acme.test").id)[0]
    )


def test_a_token_of_version_one(emulator: Emulator) -> None:
    emulator.configure(token_version=1)
    claims = read(emulator.mint_token("mia@acme.test"))
    assert claims["org_id"] == emulator.organization("acme").id
    assert claims["org_slug"] == "acme"
    assert claims["org_role"] == "org:people_manager"
    assert claims["org_permissions"] == ["org:reports:read"]
    assert not {"v", "o", "fea", "sts"} & set(claims)


def test_the_active_organization(emulator: Emulator) -> None:
    assert read(emulator.mint_token("bo@both.test"))["o"]["slg"] == "acme"
    assert read(emulator.mint_token("bo@both.test", organization="globex"))["o"]["slg"] == "globex"
    assert "o" not in read(emulator.mint_token("bo@both.test", organization=None))
    assert "o" not in read(emulator.mint_token("nora@nowhere.test"))
    assert "o" not in read(emulator.mint_token("max@acme.test", organization="globex"))


def test_of_any_age(emulator: Emulator) -> None:
    token = emulator.mint_token("ada@acme.test", issued_ago=90)
    with pytest.raises(jwt.ExpiredSignatureError):
        read(token)
    claims = read(token, verify_exp=False)
    assert claims["exp"] - claims["iat"] == 60
    assert read(emulator.mint_token("ada@acme.test", issued_ago=90, lifetime=600))
    emulator.clock.advance(-3600)
    with pytest.raises(jwt.ExpiredSignatureError):
        read(emulator.mint_token("ada@acme.test"))


def test_of_any_content(emulator: Emulator) -> None:
    token = emulator.mint_token(
        "ada@acme.test",
        claims={"sts": "pending", "azp": None, "extra": {"a": 1}},
        header={"cat": "cl_B7d4PD222AAA", "typ": None},
    )
    claims, header = read(token), jwt.get_unverified_header(token)
    assert (claims["sts"], "azp" in claims, claims["extra"]) == ("pending", False, {"a": 1})
    assert (header["cat"], "typ" in header) == ("cl_B7d4PD222AAA", False)
    assert "azp" not in read(emulator.mint_token("ada@acme.test", azp=None))
    assert read(emulator.mint_token("ada@acme.test", azp="http://x.test"))["azp"] == "http://x.test"


def test_of_any_key(emulator: Emulator) -> None:
    unknown = emulator.mint_token("ada@acme.test", key="unknown")
    assert read(unknown, STRANGER_KEY.public_pem)
    assert jwt.get_unverified_header(unknown)["kid"] == STRANGER_KEY.kid
    with pytest.raises(jwt.InvalidSignatureError):
        read(unknown)
    forged = emulator.mint_token("ada@acme.test", key="unknown", header={"kid": INSTANCE_ID})
    with pytest.raises(jwt.InvalidSignatureError):
        read(forged)
    unsigned = emulator.mint_token("ada@acme.test", key="none")
    assert unsigned.endswith(".")
    assert jwt.get_unverified_header(unsigned)["alg"] == "none"
    with pytest.raises(ValueError, match="key"):
        emulator.mint_token("ada@acme.test", key="lost")


def test_an_odd_algorithm_in_the_header(emulator: Emulator) -> None:
    token = emulator.mint_token("ada@acme.test", header={"alg": "HS256"})
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    strong = emulator.mint_token("ada@acme.test", header={"alg": "RS512"})
    assert jwt.decode(strong, JWT_KEY, algorithms=["RS512"])


def test_rotating_the_keys(api: Any, emulator: Emulator) -> None:
    before = emulator.mint_token("ada@acme.test")
    emulator.rotate_keys()
    assert [key["kid"] for key in api.get("/jwks")["keys"]] == [SECOND_KEY.kid]
    with pytest.raises(jwt.InvalidSignatureError):
        read(before, emulator.jwt_key)
    assert read(emulator.mint_token("ada@acme.test"), emulator.jwt_key)
    assert read(emulator.mint_token("ada@acme.test", key="old"), JWT_KEY)
    emulator.rotate_keys(keep_old=True)
    assert [key["kid"] for key in api.get("/jwks")["keys"]] == [INSTANCE_ID, SECOND_KEY.kid]
    emulator.rotate_keys(same_kid=True)
    [only] = api.get("/jwks")["keys"]
    assert only["kid"] == INSTANCE_ID
    assert jwt.PyJWK(only).key.public_numbers() == SECOND_KEY.private.public_key().public_numbers()


def test_the_published_key_verifies(api: Any, emulator: Emulator) -> None:
    [jwk] = api.get("/jwks")["keys"]
    token = emulator.mint_token("ada@acme.test")
    assert jwt.decode(token, jwt.PyJWK(jwk).key, algorithms=["RS256"])["iss"] == ISSUER


def test_the_cookies_of_a_signed_in_browser(emulator: Emulator) -> None:
    cookies = emulator.session_cookies("ada@acme.test")
    suffix = emulator.cookie_suffix
    assert set(cookies) == {
        "__session",
        f"__session_{suffix}",
        "__client_uat",
        f"__client_uat_{suffix}",
        "__clerk_db_jwt",
        f"__clerk_db_jwt_{suffix}",
        f"__refresh_{suffix}",
    }
    assert int(cookies["__client_uat"]) <= read(cookies["__session"])["iat"]
    old = emulator.session_cookies("ada@acme.test", issued_ago=500)
    assert int(old["__client_uat"]) == read(old["__session"], verify_exp=False)["iat"]
    emulator.configure(kind="production")
    assert "__clerk_db_jwt" not in emulator.session_cookies("ada@acme.test")


def test_the_suffix_is_clerks() -> None:
    from org_invitations.emulator.keys import cookie_suffix

    # From Clerk's own tests (packages/shared, keys.spec.ts).
    assert cookie_suffix("pk_test_Y2xlcmsuY2xlcmsuZGV2JA") == "QvfNY2dr"
    assert cookie_suffix("pk_live_Y2xlcmsuY2xlcmsuZGV2JA") == "1Z8AzTQD"
