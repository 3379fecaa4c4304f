"""The handshake and the refresh token, where the recorded requests do not reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from org_invitations.clerk.exceptions import APIError, ClerkError, ErrorDetail, TransportError
from org_invitations.clerk.session.authenticate import Authenticator, SessionState
from org_invitations.clerk.session.handshake import arrives_from_elsewhere
from org_invitations.clerk.session.keys import PemKeys
from org_invitations.clerk.session.publishable_key import parse_publishable_key
from org_invitations.clerk.session.request import RequestContext
from org_invitations.clerk.session.tokens import TokenVerifier
from org_invitations.clerk.session.urls import origin, without_parameters
from tests.clerk.signing import DEVELOPMENT, NOW, ORIGIN, PRODUCTION, pem, sign, token

DOCUMENT = {"Sec-Fetch-Dest": "document"}
SUFFIX = parse_publishable_key(PRODUCTION).cookie_suffix


class Backend:
    """The Backend API, with what it was asked."""

    def __init__(self, *answers: list[str] | ClerkError) -> None:
        self.answers = list(answers)
        self.asked: list[Any] = []

    def _next(self, *question: Any) -> list[str]:
        self.asked.append(question)
        answer = self.answers.pop(0)
        if isinstance(answer, ClerkError):
            raise answer
        return answer

    def get_jwks(self) -> Mapping[str, Any]:
        raise AssertionError

    def refresh_session(
        self, session_id: str, body: Mapping[str, Any], *, suffixed_cookies: bool
    ) -> list[str]:
        return self._next(session_id, body, suffixed_cookies)

    def get_handshake_payload(self, nonce: str) -> list[str]:
        return self._next(nonce)


def decide(
    *cookies: str,
    backend: Backend | None = None,
    url: str = f"{ORIGIN}/people/?page=2",
    method: str = "GET",
    headers: Mapping[str, str] = DOCUMENT,
    key: str = PRODUCTION,
    may_renew: bool = True,
    frontend: str = "",
) -> SessionState:
    parsed = parse_publishable_key(key)
    api = backend or Backend()
    site = Authenticator(
        TokenVerifier(PemKeys(pem()), parsed.frontend_api, (ORIGIN,), lambda: NOW),
        lambda: api,
        frontend or f"https://{parsed.frontend_api}",
    )
    request = RequestContext(method, url, {"Cookie": "; ".join(cookies), **headers}, parsed, NOW)
    return site.authenticate(request, may_renew=may_renew)


EXPIRED = token(exp=NOW - 60, iat=NOW - 120, nbf=NOW - 130)
EXPIRED_COOKIES = (f"__session={EXPIRED}", f"__client_uat={NOW - 3600}")
REFRESH = f"__refresh_{SUFFIX}=refresh_1"


# --- The refresh token --------------------------------------------------------------------


def test_a_refresh_token_is_traded_for_a_session_without_a_redirect() -> None:
    directives = [f"__session={token()}; Path=/", "__client_uat=1; Path=/"]
    backend = Backend(directives)
    state = decide(*EXPIRED_COOKIES, REFRESH, backend=backend)
    assert (state.status, state.reason, state.location) == ("signed-in", None, None)
    assert state.directives == tuple(directives)
    assert state.session is not None
    [(session_id, body, suffixed)] = backend.asked
    assert (session_id, suffixed) == ("sess_2abcDEF", False)
    assert body["format"] == "cookie"
    assert body["expired_token"] == EXPIRED
    assert body["refresh_token"] == "refresh_1"
    assert body["request_origin"] == ORIGIN
    assert body["request_headers"]["sec-fetch-dest"] == ["document"]


def test_a_refresh_that_fails_becomes_a_handshake_that_says_why(subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        (APIError(status=401, errors=(ErrorDetail("refresh_token_bad"),)), "refresh_token_bad"),
        (APIError(status=500, errors=(ErrorDetail("unexpected_error"),)), "fetch-error"),
        (TransportError("no answer"), "fetch-error"),
        (APIError(status=502), "unexpected-bapi-error"),
        (APIError(status=400, errors=(ErrorDetail("a\r\nb"),)), "unexpected-bapi-error"),
        ([], "unexpected-sdk-error"),
        (["__session=x\r\n"], "unexpected-sdk-error"),
        (["__session=not-a-token"], "invalid-session-token"),
        (["other=1"], "invalid-session-token"),
    ]
    for answer, why in cases:
        with subtests.test(answer=answer, why=why):
            state = decide(*EXPIRED_COOKIES, REFRESH, backend=Backend(answer))
            assert (state.status, state.reason) == (
                "handshake",
                f"session-token-expired-refresh-{why}",
            )
            assert f"__clerk_hs_reason=session-token-expired-refresh-{why}&" in (
                state.location or ""
            )


def test_a_refresh_that_is_not_eligible_asks_nobody(subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        ((REFRESH,), {"method": "POST"}, "non-eligible-non-get"),
        ((), {}, "non-eligible-no-refresh-cookie"),
        (("__refresh=plain",), {}, "non-eligible-no-refresh-cookie"),
        ((REFRESH,), {"may_renew": False}, "non-eligible-page"),
    ]
    for cookies, options, why in cases:
        with subtests.test(cookies=cookies, options=options, why=why):
            state = decide(*EXPIRED_COOKIES, *cookies, **options)
            assert state.reason == f"session-token-expired-refresh-{why}"


# --- The way out --------------------------------------------------------------------------


def test_a_proxy_takes_the_handshake_and_the_issuer_stays_clerks() -> None:
    state = decide(*EXPIRED_COOKIES, frontend="http://localhost:8900/")
    assert (state.location or "").startswith("http://localhost:8900/v1/client/handshake?redirect")
    state = decide(*EXPIRED_COOKIES, frontend="/__clerk")
    assert (state.location or "").startswith(f"{ORIGIN}/__clerk/v1/client/handshake?redirect")


def test_a_bearer_token_that_expired_on_a_page_load_starts_one_too() -> None:
    state = decide(headers={**DOCUMENT, "Authorization": f"Bearer {EXPIRED}"})
    assert state.status == "handshake"
    assert "token-carrier=header" in state.message
    assert EXPIRED not in state.message + repr(state)


def test_the_loop_guard_counts_like_javascript(subtests: pytest.Subtests) -> None:
    for cookie, directive in [
        ("2", "3"),
        ("4", "5"),
        ("-1", "0"),
        ("1.5", "2.5"),
        ("0x1", "1"),
        ("", "1"),
        ("9" * 500, "1"),
        ("Infinity", "1"),
    ]:
        with subtests.test(cookie=cookie, directive=directive):
            state = decide(*EXPIRED_COOKIES, f"__clerk_redirect_count={cookie}")
            assert state.directives == (
                f"__clerk_redirect_count={directive}; SameSite=Lax; HttpOnly; Max-Age=2",
            )


@pytest.mark.parametrize(
    ("options", "renewable"),
    [
        ({"method": "POST"}, True),
        ({"headers": {"Sec-Fetch-Dest": "empty"}}, True),
        ({"may_renew": False}, True),
    ],
)
def test_signed_out_for_want_of_a_page_load_is_renewable(
    options: dict[str, Any], renewable: bool
) -> None:
    assert decide(*EXPIRED_COOKIES, **options).is_renewable is renewable


def test_signed_out_for_good_is_not_renewable() -> None:
    assert not decide().is_renewable
    assert not decide(*EXPIRED_COOKIES, "__clerk_redirect_count=3").is_renewable
    assert not decide(f"__session={token(key='theirs')}", "__client_uat=1").is_renewable


def test_a_handshake_leads_back_without_what_an_older_one_left_in_the_url() -> None:
    url = f"{ORIGIN}/?a=1&__dev_session=dvb_1&__clerk_db_jwt=dvb_2"
    location = decide(*EXPIRED_COOKIES, url=url).location
    assert location is not None
    assert parse_qs(urlsplit(location).query)["redirect_url"] == [f"{ORIGIN}/?a=1"]


def test_clerks_satellite_parameters_are_ignored() -> None:
    # differences.NO_SATELLITES
    url = f"{ORIGIN}/?__clerk_redirect_url=https%3A%2F%2Fevil.example&__clerk_synced=false"
    state = decide("__clerk_db_jwt=dvb_1", url=url, key=DEVELOPMENT)
    assert (state.status, state.location) == ("signed-out", None)


def test_urls_are_written_as_a_browser_writes_them(subtests: pytest.Subtests) -> None:
    for url, expected in [
        (f"{ORIGIN}/?a=1&drop=2&b=%20", f"{ORIGIN}/?a=1&b=+"),
        (f"{ORIGIN}/?drop=2", f"{ORIGIN}/"),
        (f"{ORIGIN}?a", f"{ORIGIN}/?a="),
        ("HTTPS://App.Example.com:443/x?a=~*", f"{ORIGIN}/x?a=%7E*"),
        ("http://localhost:8000/?q=%ff", "http://localhost:8000/?q=%EF%BF%BD"),
    ]:
        with subtests.test(url=url, expected=expected):
            assert without_parameters(url, {"drop"}) == expected


def test_the_origin_of_a_url(subtests: pytest.Subtests) -> None:
    for url, expected in [
        ("https://A.example:443/x", "https://a.example"),
        ("http://a.example:8000/x", "http://a.example:8000"),
        ("https://[::1]:8000/", "https://[::1]:8000"),
        ("android-app://com.example", "null"),
        ("https://", None),
        ("https://a b/", None),
        ("https://a:99999/", None),
        ("https://[/", None),
        ("not a url", None),
    ]:
        with subtests.test(url=url, expected=expected):
            assert origin(url) == expected


# --- The way back -------------------------------------------------------------------------


def test_a_nonce_is_looked_up_and_its_directives_are_passed_on() -> None:
    directives = [f"__session={token()}; Path=/; Domain=example.com", "x=1"]
    backend = Backend(directives)
    state = decide("__clerk_handshake_nonce=n_1", backend=backend)
    assert backend.asked == [("n_1",)]
    assert (state.status, state.directives) == ("signed-in", tuple(directives))


def test_a_nonce_comes_before_a_token_and_the_query_before_a_cookie() -> None:
    backend = Backend([])
    decide(
        "__clerk_handshake=bad",
        "__clerk_handshake_nonce=cookie",
        url=f"{ORIGIN}/?__clerk_handshake_nonce=query",
        backend=backend,
    )
    assert backend.asked == [("query",)]


def test_a_nonce_that_clerk_does_not_know_ends_signed_out() -> None:
    backend = Backend(APIError(status=404, errors=(ErrorDetail("not_found"),)))
    state = decide("__clerk_handshake_nonce=n_1", backend=backend)
    assert (state.status, state.reason) == ("signed-out", "session-token-missing")


def test_one_bad_directive_spoils_them_all(subtests: pytest.Subtests) -> None:
    for bad in ["a=1\r\nSet-Cookie: b=2", "a=\x00", "=1", "é=1", 7, None]:
        with subtests.test(bad=bad):
            handshake = sign({"handshake": [f"__session={token()}; Path=/", bad]})
            state = decide(f"__clerk_handshake={handshake}")
            assert (state.status, state.directives) == ("signed-out", ())
            assert state.reason == "session-token-and-uat-missing"


def test_what_comes_back_is_not_taken_in_on_a_page_that_may_not_renew() -> None:
    handshake = sign({"handshake": [f"__session={token()}; Path=/"]})
    state = decide(f"__clerk_handshake={handshake}", "__clerk_handshake_nonce=1", may_renew=False)
    assert (state.status, state.directives) == ("signed-out", ())


def test_a_handshake_of_another_instance_signs_nobody_in() -> None:
    theirs = token(iss="https://clerk.other.com")
    handshake = sign({"handshake": [f"__session={theirs}; Path=/"]})
    state = decide(f"__clerk_handshake={handshake}")
    assert (state.status, state.directives) == ("signed-out", ())


@pytest.mark.parametrize(
    ("handshake", "why"),
    [
        (sign({"handshake": []}, "theirs"), "due to an invalid signature. If you have switched"),
        (sign({"handshake": []}, cat="cl_other"), "failed: "),
        ("x", "failed: "),
    ],
    ids=["another key", "another category", "no token"],
)
def test_in_development_a_handshake_that_is_not_good_says_what_to_do(
    handshake: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    state = decide(url=f"{ORIGIN}/?__clerk_handshake={handshake}", key=DEVELOPMENT)
    assert state.status == "signed-out"
    assert state.message.startswith("Handshake token verification failed")
    assert why in state.message
    assert caplog.messages == [state.message]


def test_nothing_that_is_printed_holds_a_token() -> None:
    request = RequestContext(
        "GET",
        f"{ORIGIN}/?__clerk_handshake=secret",
        {"Cookie": "__session=secret", "Authorization": "Bearer secret"},
        parse_publishable_key(PRODUCTION),
        NOW,
    )
    assert "secret" not in repr(request)


# --- From where a page load comes ---------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "host", "is_clerks"),
    [
        (DEVELOPMENT, "clean-mole-12.clerk.accounts.dev", True),  # its own Frontend API
        (DEVELOPMENT, "clean-mole-12.accounts.dev", True),
        (DEVELOPMENT, "other-mole-13.accounts.dev", True),
        (DEVELOPMENT, "other-mole-13.accountsstage.dev", True),
        (DEVELOPMENT, "accounts.clean.mole-12.lcl.dev", True),
        # The Frontend API of another instance is no portal.
        (DEVELOPMENT, "other-mole-13.clerk.accounts.dev", False),
        (DEVELOPMENT, "other-mole-13.clerk.accountsstage.dev", False),
        (DEVELOPMENT, "evil.lcl.dev", False),
        (DEVELOPMENT, "accounts.dev.example.org", False),
        (PRODUCTION, "accounts.example.com", True),
        # Anybody can have one.
        (PRODUCTION, "other-mole-13.accounts.dev", False),
        (PRODUCTION, "accounts.clean.mole-12.lcl.dev", False),
    ],
)
def test_only_clerks_own_pages_are_believed_to_lead_here(
    key: str, host: str, is_clerks: bool
) -> None:
    parsed = parse_publishable_key(key)
    headers = {**DOCUMENT, "Referer": f"https://{host}/sign-in"}
    request = RequestContext("GET", f"{ORIGIN}/people/", headers, parsed, NOW)
    assert arrives_from_elsewhere(request, f"https://{parsed.frontend_api}") is not is_clerks
