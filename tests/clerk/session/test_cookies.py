"""Clerk's cookies: read in its way, chosen between in its way, set in its words."""

from __future__ import annotations

import pytest

from org_invitations.clerk.session.cookies import (
    CookieJar,
    directive_name,
    directive_value,
    is_safe_directive,
    parse_cookies,
)
from org_invitations.clerk.session.publishable_key import parse_publishable_key
from tests.clerk.signing import DEVELOPMENT, NOW, PRODUCTION, sign


def test_the_header_is_split_before_it_is_decoded(subtests: pytest.Subtests) -> None:
    for header, expected in [
        ("", {}),
        ("a=1; b=2", {"a": "1", "b": "2"}),
        ("a=1; a=2", {"a": "1"}),
        (" a = 1 ;b=\t2\t", {"a": "1", "b": "2"}),
        ("a=x=y", {"a": "x=y"}),
        ("nothing; a=1", {"a": "1"}),
        ("a=%2F", {"a": "/"}),
        ("a=%zz", {"a": "%zz"}),
        ("a=%ff", {"a": "%ff"}),
        ('a="quoted"', {"a": '"quoted"'}),
        # An encoded delimiter stays inside its value and forges no cookie.
        ("a=1%3B%20__session%3Dforged", {"a": "1; __session=forged"}),
    ]:
        with subtests.test(header=header, expected=expected):
            assert parse_cookies(header) == expected


def jar(cookies: dict[str, str], key: str = PRODUCTION) -> CookieJar:
    parsed = parse_publishable_key(key)
    suffixed = {
        (f"{name[:-9]}_{parsed.cookie_suffix}" if name.endswith("_suffixed") else name): value
        for name, value in cookies.items()
    }
    return CookieJar(suffixed, parsed, NOW)


def session(iat: int = 0, iss: object = "https://clerk.example.com", exp: int = NOW) -> str:
    return sign({"iat": NOW + iat, "iss": iss, "exp": exp})


OURS_IN_DEVELOPMENT = "https://clean-mole-12.clerk.accounts.dev"


def test_which_of_two_cookies_counts(subtests: pytest.Subtests) -> None:
    for cookies, suffixed in [
        ({}, False),
        ({"__session": "not a token", "__session_suffixed": session()}, False),
        ({"__session": session(iss=None), "__client_uat_suffixed": "1"}, False),
        ({"__session": session(iss="https://clerk.other.com")}, True),
        ({"__session": session(iss=["clerk.example.com"])}, True),
        ({"__session": session(), "__client_uat": "1"}, False),
        ({"__session": session(iss="http://clerk.example.com")}, False),
        ({"__session_suffixed": session(), "__client_uat_suffixed": "1"}, True),
        (
            {
                "__session": session(iat=1),
                "__client_uat": "1",
                "__session_suffixed": session(),
                "__client_uat_suffixed": "1",
            },
            False,
        ),
        (
            {
                "__session": session(iat=-1),
                "__client_uat": "1",
                "__session_suffixed": session(),
                "__client_uat_suffixed": "1",
            },
            True,
        ),
        ({"__client_uat": "1", "__client_uat_suffixed": "0"}, False),
        ({"__client_uat": "0", "__client_uat_suffixed": "0"}, True),
        ({"__session_suffixed": session()}, False),
        # In production the suffixed client_uat is reliable, expired session or not.
        (
            {
                "__client_uat": "0",
                "__client_uat_suffixed": "1",
                "__session_suffixed": session(exp=NOW - 1),
            },
            True,
        ),
    ]:
        with subtests.test(cookies=cookies):
            assert jar(cookies).uses_suffixed is suffixed


@pytest.mark.parametrize(("exp", "suffixed"), [(NOW - 1, False), (NOW, False), (NOW + 1, True)])
def test_in_development_an_expired_suffixed_session_gives_way(exp: int, suffixed: bool) -> None:
    cookies = {
        "__client_uat": "0",
        "__client_uat_suffixed": "1",
        "__session_suffixed": session(iss=OURS_IN_DEVELOPMENT, exp=exp),
    }
    assert jar(cookies, DEVELOPMENT).uses_suffixed is suffixed


def test_a_jar_tells_nothing_when_it_is_printed() -> None:
    assert repr(jar({"__session": "secret"})) == "<CookieJar: 1 cookies>"


@pytest.mark.parametrize(
    ("directive", "name", "value"),
    [
        ("__session=abc; Path=/", "__session", "abc"),
        ("__session=; Max-Age=0", "__session", ""),
        ("a=b=c; Path=/", "a", "b"),
    ],
)
def test_a_directive_is_read_as_clerk_reads_it(directive: str, name: str, value: str) -> None:
    assert (directive_name(directive), directive_value(directive)) == (name, value)


def test_a_directive_that_is_not_one_plain_line_is_not_safe(subtests: pytest.Subtests) -> None:
    for directive in [
        "a=1\r\nSet-Cookie: b=2",
        "a=1\n",
        "a=\x00",
        "a=é",
        "=1",
        "",
        "a",
        "a b=1",
        None,
        1,
    ]:
        with subtests.test(directive=directive):
            assert not is_safe_directive(directive)
