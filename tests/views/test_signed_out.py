"""The minute that passes while someone types: the session token has expired, or is gone."""

from __future__ import annotations

from typing import Any

import pytest

from org_invitations.emulator import Emulator

from .conftest import INVITE, LIST, Browser, pending, text_of

EXPIRED = {"issued_ago": 90}


@pytest.fixture
def late(sign_in: Any) -> Browser:
    """Ada, whose token expired half a minute ago."""
    browser: Browser = sign_in("ada@acme.test", "acme", **EXPIRED)
    # With a refresh token a GET is renewed on the spot; not every browser has one.
    browser.client.cookies.pop(f"__refresh_{browser.clerk.cookie_suffix}")
    return browser


@pytest.fixture
def gone(sign_in: Any) -> Browser:
    """Ada after she signed out in another tab."""
    browser: Browser = sign_in("ada@acme.test", "acme")
    suffix = browser.clerk.cookie_suffix
    for name in ("__session", f"__session_{suffix}"):
        browser.client.cookies.pop(name, None)
    for name in ("__client_uat", f"__client_uat_{suffix}"):
        browser.client.cookies[name] = "0"
    return browser


def nothing_of_clerks(response: Any, clerk: Emulator) -> None:
    assert clerk.requests == []
    for row in clerk.invitations("acme"):
        assert row.email_address not in response.text
    assert "Acme" not in text_of(response)


# --- With a refresh token ---------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "org-invitations-list"])
def test_a_refresh_token_renews_the_session_of_a_get_on_the_spot(
    sign_in: Any, clerk: Emulator, target: str | None
) -> None:
    late: Browser = sign_in("ada@acme.test", "acme", **EXPIRED)
    response = late.get(f"{LIST}?page=2", target=target)
    assert response.status_code == 200
    assert response.context["page"].number == 2
    assert clerk.requests[0].path.endswith("/refresh")
    assert "__session" in response.cookies.output()
    clerk.clear_requests()
    late.get()
    assert not any(call.path.endswith("/refresh") for call in clerk.requests)


# --- With htmx -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "target", "place"),
    [
        ("get", "?page=2", "org-invitations-list", "org-invitations-alert"),
        ("post", "invite/", "org-invitations-form", "org-invitations-alert"),
        ("get", "orginv_x/revoke/", "org-invitations-dialog", "org-invitations-dialog"),
        ("post", "orginv_x/revoke/", "org-invitations-list", "org-invitations-dialog"),
    ],
)
def test_htmx_is_told_how_to_renew_the_session(
    late: Browser, clerk: Emulator, method: str, path: str, target: str, place: str
) -> None:
    response = getattr(late, method)(f"{LIST}{path}", target=target)
    assert response.status_code == 401
    assert response["Org-Invitations-Renew"] == f"{LIST}session/"
    # For the second time, and where there is no script, words in a place that loses nothing.
    assert response["HX-Retarget"] == f"#{place}"
    assert response["Org-Invitations-Fragment"] == place
    assert "Sign in in a new tab" in response.text
    assert "no-store" in response["Cache-Control"]
    nothing_of_clerks(response, clerk)


def test_htmx_is_not_sent_round_when_nobody_is_signed_in(gone: Browser, clerk: Emulator) -> None:
    response = gone.htmx_invite("new@example.com")
    assert response.status_code == 401
    assert "Org-Invitations-Renew" not in response
    assert "HX-Redirect" not in response  # that would throw away what was typed
    assert f'href="{clerk.base_url}/sign-in?' in response.text
    assert 'target="_blank"' in response.text
    nothing_of_clerks(response, clerk)


def test_a_boosted_link_leaves_the_page_instead_of_showing_a_login_page_in_it(
    gone: Browser, clerk: Emulator
) -> None:
    response = gone.get(LIST, target="main", HX_Boosted="true")
    assert response["HX-Redirect"].startswith(f"{clerk.base_url}/sign-in?redirect_url=")


# --- Without htmx --------------------------------------------------------------------------------


def test_a_form_comes_back_with_all_that_was_typed_and_a_frame_that_renews(
    late: Browser, clerk: Emulator
) -> None:
    response = late.invite("new@example.com", "org:billing")
    assert response.status_code == 401
    assert f'<iframe class="org-invitations-frame" src="{LIST}session/"' in response.text
    assert "\nnew@example.com</textarea>" in response.text
    assert '<option value="org:billing" selected' in response.text
    assert f'action="{INVITE}"' in response.text
    assert "Nothing was sent just now, and nothing is lost." in text_of(response)
    nothing_of_clerks(response, clerk)


def test_of_a_role_that_nobody_asked_clerk_about_nothing_is_said(late: Browser) -> None:
    response = late.invite("new@example.com", "org:billing")
    assert "Clerk does not say" not in response.text
    assert "What the roles may do" not in response.text


def test_a_form_that_nobody_types_in_is_not_said_to_have_been_typed_in(
    late: Browser, clerk: Emulator
) -> None:
    row = clerk.invitations("acme", "pending")[0]
    for response in (late.post(f"{LIST}{row.id}/revoke/"), late.invite("new@example.com")):
        assert "Your session has ended" in text_of(response)
        assert "while you were typing" not in text_of(response)


def test_what_was_typed_wrong_comes_back_unchanged_too(late: Browser) -> None:
    response = late.invite("<b>not an address", "org:nonsense")
    assert "\n&lt;b&gt;not an address</textarea>" in response.text
    assert '<option value="org:nonsense" selected' in response.text


def test_a_revocation_comes_back_with_a_button_to_send_it_again(
    late: Browser, clerk: Emulator
) -> None:
    row = clerk.invitations("acme", "pending")[0]
    response = late.post(f"{LIST}{row.id}/revoke/", {"state": "page=3"})
    assert response.status_code == 401
    assert 'name="state" value="page=3"' in response.text
    assert f'src="{LIST}session/"' in response.text
    assert "Send it again" in text_of(response)
    assert row.email_address in pending(clerk)


def test_signed_out_for_good_the_form_comes_back_with_the_way_to_sign_in(
    gone: Browser, clerk: Emulator
) -> None:
    response = gone.invite("new@example.com", "org:billing")
    assert response.status_code == 401
    assert "<iframe" not in response.text
    assert f'href="{clerk.base_url}/sign-in?' in response.text
    assert "\nnew@example.com</textarea>" in response.text
    nothing_of_clerks(response, clerk)


# --- The frame -----------------------------------------------------------------------------------


def test_the_frame_is_sent_to_clerk_and_may_be_shown_on_the_sites_own_pages(
    late: Browser, clerk: Emulator
) -> None:
    response = late.get(f"{LIST}session/", Sec_Fetch_Dest="iframe", Accept="text/html")
    assert response.status_code == 307
    assert response["Location"].startswith(f"{clerk.base_url}/v1/client/handshake?")
    assert "no-store" in response["Cache-Control"]


def test_the_frame_says_that_somebody_is_signed_in_and_nothing_else(
    ada: Browser, clerk: Emulator
) -> None:
    response = ada.get(f"{LIST}session/")
    assert response.status_code == 200
    assert text_of(response).endswith("You are signed in again.")
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "no-store" in response["Cache-Control"]
    nothing_of_clerks(response, clerk)


def test_the_frame_shows_where_to_sign_in(gone: Browser, clerk: Emulator) -> None:
    response = gone.get(f"{LIST}session/")
    assert "You are signed out." in text_of(response)
    assert 'target="_blank"' in response.text
