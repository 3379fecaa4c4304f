"""A session token is good, or it is refused with Clerk's reason; and nothing in between."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from org_invitations.clerk.session import reasons
from org_invitations.clerk.session.keys import PemKeys
from org_invitations.clerk.session.tokens import (
    TokenError,
    TokenVerifier,
    decode_jwt,
    has_other_category,
    is_machine_jwt,
)
from tests.clerk.signing import NOW, ORIGIN, claims, pem, sign, token

FEW = settings(max_examples=100, derandomize=True)


def verifier(parties: tuple[str, ...] = (ORIGIN,), now: float = NOW) -> TokenVerifier:
    return TokenVerifier(PemKeys(pem()), "clerk.example.com", parties, lambda: now)


def reason(text: str, **options: Any) -> str | None:
    try:
        verifier(**options).verify(text)
    except TokenError as error:
        return error.reason
    return None


def test_a_good_token_gives_its_claims() -> None:
    assert verifier().verify(token())["sub"] == "user_2admin"


def test_claims_are_checked_in_clerks_order(subtests: pytest.Subtests) -> None:
    cases: list[tuple[dict[str, Any], str | None]] = [
        ({"exp": NOW - 5}, reasons.TOKEN_EXPIRED),
        ({"exp": NOW - 4}, None),
        ({"exp": NOW - 4.5}, reasons.TOKEN_EXPIRED),  # JavaScript's dates drop the half
        ({"exp": True}, reasons.TOKEN_VERIFICATION_FAILED),
        ({"exp": "never"}, reasons.TOKEN_VERIFICATION_FAILED),
        ({"exp": None}, reasons.TOKEN_VERIFICATION_FAILED),
        ({"nbf": NOW + 5}, None),
        ({"nbf": NOW + 6}, reasons.TOKEN_NOT_ACTIVE_YET),
        ({"nbf": "x"}, reasons.TOKEN_VERIFICATION_FAILED),
        ({"iat": NOW + 5}, None),
        ({"iat": NOW + 6}, reasons.TOKEN_IAT_IN_THE_FUTURE),
        ({"iat": []}, reasons.TOKEN_VERIFICATION_FAILED),
        ({"sub": None}, reasons.TOKEN_VERIFICATION_FAILED),
        ({"azp": None}, reasons.TOKEN_INVALID_AUTHORIZED_PARTIES),
        ({"azp": ORIGIN + "/"}, reasons.TOKEN_INVALID_AUTHORIZED_PARTIES),
        ({"azp": [ORIGIN]}, reasons.TOKEN_INVALID_AUTHORIZED_PARTIES),
        ({"iss": "https://clerk.other.com"}, reasons.TOKEN_VERIFICATION_FAILED),
        ({"iss": "https://clerk.example.com/"}, reasons.TOKEN_VERIFICATION_FAILED),
        ({"iss": 1}, reasons.TOKEN_VERIFICATION_FAILED),
        ({"iss": None}, None),
        # differences.NOT_A_SESSION
        ({"sid": None}, reasons.TOKEN_TYPE_MISMATCH),
        ({"sub": "org_1"}, reasons.TOKEN_TYPE_MISMATCH),
        # The first check that fails gives the reason.
        ({"sub": None, "azp": None, "exp": None}, reasons.TOKEN_VERIFICATION_FAILED),
        ({"azp": "x", "exp": NOW - 99}, reasons.TOKEN_INVALID_AUTHORIZED_PARTIES),
        ({"exp": NOW - 99, "nbf": NOW + 99}, reasons.TOKEN_EXPIRED),
    ]
    for changes, expected in cases:
        with subtests.test(changes=changes):
            assert reason(token(**changes)) == expected


def test_no_configured_party_means_any() -> None:
    assert reason(token(azp="https://elsewhere.example"), parties=()) is None
    assert reason(token(azp=None), parties=()) is None


def test_the_signature_comes_before_every_claim(subtests: pytest.Subtests) -> None:
    cases: list[Any] = [{"azp": None}, {"exp": NOW - 99}, {"sub": 1}, {"iss": "x"}]
    for changes in cases:
        with subtests.test(changes=changes):
            assert reason(token(key="theirs", **changes)) == reasons.TOKEN_INVALID_SIGNATURE


def test_what_is_no_token_is_refused(subtests: pytest.Subtests) -> None:
    for text, expected in [
        ("", reasons.TOKEN_INVALID),
        ("a.b", reasons.TOKEN_INVALID),
        ("a.b.c.d", reasons.TOKEN_INVALID),
        ("é.é.é", reasons.TOKEN_INVALID),
        ("bnVsbA.e30.", reasons.UNEXPECTED_ERROR),  # differences.NULL_TOKEN
        ("e30.bnVsbA.", reasons.UNEXPECTED_ERROR),
        ("e30.e30.", reasons.TOKEN_INVALID_ALGORITHM),
    ]:
        with subtests.test(text=text, expected=expected):
            assert reason(text) == expected


def test_what_python_reads_and_json_does_not_is_no_token(subtests: pytest.Subtests) -> None:
    for payload in [b"NaN", b'{"exp": Infinity}', b"[" * 100_000, b"1" * 5000]:
        with subtests.test(payload=payload):
            assert reason(sign(payload)) == reasons.TOKEN_INVALID


def test_base64_must_be_exact_but_may_be_padded() -> None:
    head, body, signature = token().split(".")
    assert reason(f"{head}.{body}.{signature}==") is None
    assert reason(f"{head}.{body}.{signature[:-1]}B") == reasons.TOKEN_INVALID  # leftover bits
    assert reason(f"{head}.{body}.{signature}\n") == reasons.TOKEN_INVALID
    assert reason(f"{head}.{body}.{signature.replace('_', '/').replace('-', '+')}") in (
        reasons.TOKEN_INVALID,
        None if "_" not in signature and "-" not in signature else reasons.TOKEN_INVALID,
    )


def test_the_header_is_checked(subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        ({"typ": None}, None),
        ({"typ": "jwt"}, reasons.TOKEN_INVALID),
        ({"cat": "cl_B7d4PD333AAA"}, reasons.TOKEN_INVALID),
        ({"cat": "cl_I7d4PD111III"}, None),
        ({"kid": "anything"}, None),
    ]
    for header, expected in cases:
        with subtests.test(header=header, expected=expected):
            assert reason(token(header=header)) == expected


def test_the_algorithm_is_pinned_to_the_key() -> None:
    assert reason(sign(claims(), algorithm="RS512")) == reasons.TOKEN_VERIFICATION_FAILED


def test_a_key_that_cannot_be_read_verifies_nothing() -> None:
    broken = TokenVerifier(PemKeys("not a key"), "clerk.example.com", (), lambda: NOW)
    with pytest.raises(TokenError) as caught:
        broken.verify(token())
    assert caught.value.reason == reasons.TOKEN_VERIFICATION_FAILED


def test_a_machines_token_is_one_padded_or_not(subtests: pytest.Subtests) -> None:
    for header, changes in [({"typ": "at+jwt"}, {}), ({}, {"sub": "mch_1"})]:
        for padding in ["", "="]:
            with subtests.test(padding=padding, header=header, changes=changes):
                # differences.MACHINE_TOKEN_PADDING
                assert is_machine_jwt(decode_jwt(token(header=header, **changes) + padding))


def test_the_category_says_what_a_token_is_for(subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        ({}, False),
        ({"cat": "cl_B7d4PD111AAA"}, False),
        ({"cat": "cl_B7d4PD222AAA"}, True),
        ({"cat": 0}, True),
    ]
    for header, other in cases:
        with subtests.test(header=header, other=other):
            assert has_other_category(decode_jwt(token(header=header))) is other


def test_an_error_and_a_decoded_token_tell_nothing_of_the_token() -> None:
    text = token(azp="https://secret.example")
    with pytest.raises(TokenError) as caught:
        verifier().verify(text)
    assert "secret" not in f"{caught.value!r} {caught.value} {decode_jwt(text)!r} {verifier()!r}"


# --- No mutation of a good token signs anyone in ------------------------------------------

GOOD = token()
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.+/ \x00é"

_json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def encode(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def signs_in_as_someone_else(text: str) -> bool:
    try:
        return verifier().verify(text) != claims()
    except TokenError:
        return False


@FEW
@given(st.integers(0, len(GOOD) - 1), st.sampled_from(ALPHABET))
def test_another_byte_anywhere(index: int, character: str) -> None:
    mutated = GOOD[:index] + character + GOOD[index + 1 :]
    assert not signs_in_as_someone_else(mutated)
    assert mutated == GOOD or reason(mutated) is not None


@FEW
@given(st.integers(0, len(GOOD)), st.integers(0, len(GOOD)))
def test_a_piece_cut_out(start: int, end: int) -> None:
    mutated = GOOD[:start] + GOOD[end:]
    assert mutated == GOOD or reason(mutated) is not None


@FEW
@given(st.dictionaries(st.sampled_from(["alg", "typ", "kid", "cat", "jwk", "x"]), _json_values))
def test_another_header(changes: dict[str, Any]) -> None:
    head, body, signature = GOOD.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    mutated = f"{encode({**header, **changes})}.{body}.{signature}"
    assert reason(mutated) is not None or mutated == GOOD


@FEW
@given(st.dictionaries(st.sampled_from([*claims(), "act", "aud"]), _json_values, min_size=1))
def test_another_claim(changes: dict[str, Any]) -> None:
    head, _, signature = GOOD.split(".")
    assert reason(f"{head}.{encode({**claims(), **changes})}.{signature}") is not None


@FEW
@given(st.dictionaries(st.sampled_from(["alg", "typ", "kid", "cat"]), _json_values))
def test_any_header_signed_by_another_key(changes: dict[str, Any]) -> None:
    # "alg" is what PyJWT signs with, so it is changed without being used.
    header = {"alg": "RS256", "typ": "JWT", **changes}
    _, body, signature = token(key="theirs").split(".")
    assert reason(f"{encode(header)}.{body}.{signature}") is not None


@FEW
@given(st.text())
def test_any_text(text: str) -> None:
    assert reason(text) is not None


@FEW
@given(_json_values, _json_values)
def test_whatever_clerk_signs_has_an_answer(header: Any, payload: Any) -> None:
    head = encode({"alg": "RS256", **header} if isinstance(header, dict) else header)
    assert reason(f"{head}.{encode(payload)}.AAAA") is not None
    reason(sign(payload))
