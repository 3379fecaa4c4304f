"""A session token that does not say which site it is for, or says another one."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from django.test import Client, override_settings

from org_invitations.clerk.session.parties import TRIED
from org_invitations.emulator import Emulator

from .conftest import INVITE, LIST, Browser, pending, text_of

UNREADABLE = "This site cannot read your session: its configuration needs attention."
PAGE = {"Accept": "text/html", "Sec_Fetch_Dest": "document"}
FRAME = {"Accept": "text/html", "Sec_Fetch_Dest": "iframe"}


@pytest.fixture(autouse=True)
def parties(clerk: Emulator, settings: Any) -> None:
    """The site names itself."""
    settings.CLERK_AUTHORIZED_PARTIES = ["http://testserver"]


@pytest.fixture(params=["development", "production"])
def kind(request: pytest.FixtureRequest, clerk: Emulator, settings: Any) -> str:
    """What kind of instance it is."""
    clerk.configure(kind=request.param)
    for name, value in clerk.django_settings().items():
        setattr(settings, name, value)
    settings.CLERK_AUTHORIZED_PARTIES = ["http://testserver"]
    return str(request.param)


@pytest.fixture
def without(sign_in: Any) -> Browser:
    """Ada, with a token that names no site."""
    browser: Browser = sign_in("ada@acme.test", "acme", azp=None)
    return browser


def visit(browser: Browser, url: str = LIST, **headers: str) -> tuple[Any, int]:
    """Load a page as a browser does, through Clerk and back; also how often it went there."""
    trips = 0
    for _ in range(20):
        response = browser.get(url, **(headers or PAGE))
        if response.status_code != 307:
            return response, trips
        url = response["Location"]
        if url.startswith(browser.clerk.base_url):
            trips += 1
            (known,) = browser.clerk.state.clients.values()
            there = {"__client": known.cookie}
            answer = requests.get(url, cookies=there, allow_redirects=False, timeout=30)
            url = answer.headers["Location"]
            # In production the way back is a cookie of the domain that both are on.
            for cookie in answer.cookies:
                if cookie.name.startswith("__clerk_"):
                    browser.client.cookies[cookie.name] = cookie.value or ""
        url = url.removeprefix("http://testserver")
    pytest.fail("it goes round for ever")


# --- A token without azp ------------------------------------------------------------------------


@pytest.mark.usefixtures("kind")
def test_a_page_load_goes_to_clerk_once_and_comes_back_signed_in(sign_in: Any) -> None:
    without: Browser = sign_in("ada@acme.test", "acme", azp=None)
    response, trips = visit(without)
    assert (response.status_code, trips) == (200, 1)
    assert "Acme" in text_of(response)
    response, trips = visit(without)
    assert (response.status_code, trips) == (200, 0)


@pytest.mark.usefixtures("kind")
def test_where_clerks_next_token_is_no_better_it_ends_in_words(
    clerk: Emulator, sign_in: Any
) -> None:
    without: Browser = sign_in("ada@acme.test", "acme", azp=None)
    clerk.configure(handshake_azp=False)
    response, trips = visit(without)
    assert (response.status_code, trips) == (503, 1)
    assert UNREADABLE in text_of(response)
    response, trips = visit(without)  # nothing new is to be had within a minute
    assert (response.status_code, trips) == (503, 0)
    assert UNREADABLE in text_of(response)


def test_where_clerk_sends_the_browser_back_with_nothing_it_does_not_go_round(
    without: Browser,
) -> None:
    response = without.get(**PAGE)
    assert response.status_code == 307
    # Clerk's own counter is gone after two seconds.
    without.client.cookies.pop("__clerk_redirect_count")
    response = without.get(**PAGE)
    assert response.status_code == 503
    assert UNREADABLE in text_of(response)


def test_a_browser_that_keeps_nothing_does_not_go_round_either(without: Browser) -> None:
    without.get(**PAGE)
    without.client.cookies.pop(f"{TRIED}_{without.clerk.cookie_suffix}")
    assert without.get(**PAGE).status_code == 503


def test_what_was_tried_is_forgotten_once_a_page_is_shown(without: Browser) -> None:
    visit(without)
    name = f"{TRIED}_{without.clerk.cookie_suffix}"
    assert without.client.cookies[name].value == ""


@pytest.mark.parametrize("target", [None, "org-invitations-form"])
def test_a_form_is_kept_and_the_frame_goes_to_clerk(
    without: Browser, clerk: Emulator, target: str | None
) -> None:
    response = without.invite("new@example.com", target=target)
    assert response.status_code == 401
    assert f"{LIST}session/" in (response.text if target is None else str(response.headers))
    response, trips = visit(without, f"{LIST}session/", **FRAME)
    assert (text_of(response).endswith("You are signed in again."), trips) == (True, 1)
    assert without.invite("new@example.com", target=target).status_code in (200, 303)
    assert "new@example.com" in pending(clerk)


def test_where_the_setting_is_off_nobody_is_sent_anywhere(without: Browser, settings: Any) -> None:
    settings.ORG_INVITATIONS_AZP_HANDSHAKE = False
    assert without.get(**PAGE).status_code == 503
    assert without.invite("new@example.com").status_code == 503


def test_a_bearer_token_is_not_mended_by_cookies(client: Client, clerk: Emulator) -> None:
    token = clerk.mint_token("ada@acme.test", azp=None)
    response = client.get(LIST, headers={"Authorization": f"Bearer {token}", "Accept": "text/html"})
    assert response.status_code == 503


# --- One sentence, whatever is asked ------------------------------------------------------------


@pytest.fixture(
    params=[
        {"CLERK_AUTHORIZED_PARTIES": ["https://elsewhere.example.com"]},
        {"CLERK_AUTHORIZED_PARTIES": ["http://TESTSERVER"]},
    ],
    ids=["another site", "another spelling"],
)
def wrong(request: pytest.FixtureRequest) -> Any:
    with override_settings(**request.param):
        yield


@pytest.mark.usefixtures("wrong")
@pytest.mark.parametrize("target", [None, "org-invitations-form", "org-invitations-dialog"])
def test_every_request_is_told_the_same(ada: Browser, clerk: Emulator, target: str | None) -> None:
    row = clerk.invitations("acme", "pending")[0]
    for response in (
        ada.get(target=target, **PAGE),
        ada.get(f"{LIST}{row.id}/revoke/", target=target),
        ada.invite("new@example.com", target=target),
        ada.post(f"{LIST}{row.id}/revoke/", target=target),
        ada.post(f"{LIST}check/", {"email_addresses": "new@example.com"}, target=target),
    ):
        assert response.status_code == 503
        assert UNREADABLE in text_of(response)
        assert "Org-Invitations-Renew" not in response
    assert clerk.requests == []


@pytest.mark.usefixtures("wrong")
def test_nothing_typed_is_lost_by_that(ada: Browser) -> None:
    response = ada.invite("new@example.com", "org:billing")
    assert "\nnew@example.com</textarea>" in response.text
    assert '<option value="org:billing" selected' in response.text
    assert "Your session ended" not in text_of(response)
    checked = ada.post(f"{LIST}check/", {"email_addresses": "a@example.com"})
    assert "\na@example.com</textarea>" in checked.text


def test_where_it_is_clerk_who_does_not_answer_that_is_what_is_said(
    ada: Browser, clerk: Emulator, settings: Any
) -> None:
    settings.CLERK_JWT_KEY = ""
    clerk.fault("GET", "/v1/jwks", times=None, status=500)
    row = clerk.invitations("acme", "pending")[0]
    for response in (
        ada.get(**PAGE),
        ada.invite("new@example.com"),
        ada.post(f"{LIST}{row.id}/revoke/"),
        ada.post(f"{LIST}{row.id}/revoke/", target="org-invitations-list"),
    ):
        assert response.status_code == 503
        assert "because Clerk does not answer" in text_of(response)
        assert "configuration" not in text_of(response)
    assert "because Clerk does not answer" in text_of(ada.get(f"{LIST}session/"))


@pytest.mark.usefixtures("wrong")
def test_the_frame_says_so_too(ada: Browser) -> None:
    assert UNREADABLE in text_of(ada.get(f"{LIST}session/", **FRAME))


@pytest.mark.usefixtures("kind")
def test_after_signing_in_nobody_goes_round_for_ever(
    clerk: Emulator, sign_in: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CLERK_AUTHORIZED_PARTIES = ["https://elsewhere.example.com"]
    browser: Browser = sign_in("ada@acme.test", "acme")
    # The site has no session yet; Clerk has one: the browser has just signed in there.
    for name in ("__session", f"__session_{clerk.cookie_suffix}"):
        browser.client.cookies.pop(name)
    response, trips = visit(browser)
    assert (response.status_code, trips) == (503, 1)
    assert UNREADABLE in text_of(response)
    assert "made for 'http://testserver'" in caplog.text


def test_a_slash_in_the_setting_does_no_harm(ada: Browser, settings: Any) -> None:
    settings.CLERK_AUTHORIZED_PARTIES = ["http://testserver/"]
    assert ada.get().status_code == 200


def test_the_log_says_what_was_expected_and_what_came(
    sign_in: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CLERK_AUTHORIZED_PARTIES = ["https://app.example.com", "https://b.example.com"]
    settings.ORG_INVITATIONS_AZP_HANDSHAKE = False
    for azp, said in (
        ("https://other.example.com/", "was made for 'https://other.example.com/', and "),
        (None, "was made for no site that it names (it has no azp), and "),
        ("https://x\nERROR forged", "was made for 'https://x\\nERROR forged', and "),
    ):
        for path, post in ((LIST, False), (INVITE, True)):
            caplog.clear()
            browser = sign_in("ada@acme.test", "acme", azp=azp)
            (browser.post if post else browser.get)(path)
            assert said in caplog.text
            allowed = "allows 'https://app.example.com', 'https://b.example.com'"
            assert f"CLERK_AUTHORIZED_PARTIES {allowed}" in caplog.text
