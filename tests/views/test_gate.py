"""What is too large, broken, or from elsewhere: words, and nothing done."""

from __future__ import annotations

import logging
import re
from itertools import product
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.test import Client

from org_invitations.emulator import Emulator
from org_invitations.testing import TEST_SITE, SignIn
from org_invitations.views import InviteView

from .conftest import INVITE, LIST, Browser, pending, text_of
from .inviting import a_file, filled

TYPED = "ana@example.com, bo@example.com"
HERE = {"Origin": TEST_SITE, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def strict(clerk: Emulator, clerk_sign_in: SignIn) -> Browser:
    """Ada, in a browser whose forms are checked as in a real site."""
    client = Client(enforce_csrf_checks=True)
    clerk_sign_in(client, "ada@acme.test", organization="acme")
    return Browser(client, clerk)


def in_words(response: Any, status: int) -> str:
    assert response.status_code == status
    assert "no-store" in response["Cache-Control"]
    assert response["X-Frame-Options"] == "DENY"
    assert "org-invitations-" in response.text
    return text_of(response)


# --- What cannot be read -------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ada", "nobody"])
@pytest.mark.parametrize("target", [None, "org-invitations-form"])
def test_a_form_that_is_too_large_ends_in_words(
    ada: Browser, client: Client, clerk: Emulator, who: str, target: str | None
) -> None:
    if who == "nobody":
        client.cookies.clear()
    body = "email_addresses=" + "x" * (django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    headers = {"HX-Request": "true", "HX-Target": target} if target else {}
    response = client.post(
        INVITE, body, content_type="application/x-www-form-urlencoded", headers=headers
    )
    assert "Nothing was sent, and your browser has kept it" in in_words(response, 413)
    if target:  # the form stays where it is
        assert response["HX-Retarget"] == "#org-invitations-alert"
    assert clerk.requests == []


def test_of_what_is_far_too_large_nothing_is_read(client: Client, clerk: Emulator) -> None:
    class Unread:
        def read(self, *args: Any) -> bytes:
            raise AssertionError("it was read")

        readline = read

    more: dict[str, Any] = {"CONTENT_LENGTH": str(10**10), "wsgi.input": Unread()}
    kind = "multipart/form-data; boundary=x"
    response: Any = client.generic("POST", INVITE, content_type=kind, **more)
    assert "more than this site takes" in in_words(response, 413)


@pytest.mark.parametrize("path", [INVITE, f"{LIST}check/", f"{LIST}selected/"])
def test_a_form_of_too_many_fields_ends_in_words_and_with_what_was_typed(
    ada: Browser, path: str
) -> None:
    body = f"email_addresses={TYPED}&" + "&".join(f"x{n}=" for n in range(2000))
    response = ada.client.post(path, body, content_type="application/x-www-form-urlencoded")
    assert "more fields or files than this site takes" in in_words(response, 400)
    assert f"{TYPED}</textarea>" in response.text


def test_a_form_in_parts_of_too_many_fields_ends_in_words(ada: Browser) -> None:
    """As a page with a file to choose sends it: read as it arrives, and not a second time."""
    fields = {"email_addresses": TYPED, **{f"x{n}": "" for n in range(2000)}}
    response = ada.client.post(INVITE, fields)
    assert "more fields or files than this site takes" in in_words(response, 400)


def test_what_was_typed_elsewhere_is_not_shown_as_typed_here(strict: Browser) -> None:
    body = f"email_addresses={TYPED}&" + "&".join(f"x{n}=" for n in range(2000))
    own = f"csrfmiddlewaretoken={token_of(strict.get())}&{body}"
    for sent, kept in ((body, False), (own, True)):
        response = strict.client.post(
            INVITE, sent, content_type="application/x-www-form-urlencoded"
        )
        in_words(response, 400)
        assert (TYPED in response.text) is kept


def test_a_form_of_too_many_files_ends_in_words(ada: Browser) -> None:
    files = {f"file{n}": a_file("a@example.com") for n in range(101)}
    response = ada.client.post(INVITE, {"email_addresses": TYPED, **files})
    assert "more fields or files than this site takes" in in_words(response, 400)


def test_a_url_of_too_many_parameters_ends_in_words(ada: Browser) -> None:
    url = INVITE + "?" + "&".join(f"x{n}=" for n in range(2000))
    response = ada.get(url)
    assert "more fields or files than this site takes" in in_words(response, 400)
    posted = ada.client.post(url, {"email_addresses": TYPED})
    assert "more fields or files than this site takes" in in_words(posted, 400)
    assert f"{TYPED}</textarea>" in posted.text
    body = "email_addresses=" + "x" * (django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    large = ada.client.post(url, body, content_type="application/x-www-form-urlencoded")
    assert "more than this site takes" in in_words(large, 413)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=é".encode("latin-1").decode("latin-1"), b"x"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a"),
        ("application/x-www-form-urlencoded; charset=latin-1", b"email_addresses=x"),
    ],
)
@pytest.mark.parametrize("who", ["ada", "nobody"])
def test_a_form_that_is_broken_is_no_fault_of_the_site(
    ada: Browser, client: Client, content_type: str, body: bytes, who: str
) -> None:
    if who == "nobody":
        client.cookies.clear()
    response = client.post(INVITE, body, content_type=content_type)
    assert response.status_code in (303, 400, 401, 422)
    assert "no-store" in response["Cache-Control"]
    if response.status_code == 400:
        in_words(response, 400)


# --- What does not show that it is from here -----------------------------------------------------


def token_of(response: Any) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', response.text)
    assert found is not None
    return found[1]


def without_cookie(strict: Browser) -> dict[str, str]:
    """The form as it is on the page, whose cookie is gone by now."""
    page = strict.get()
    form = filled(page) | {"csrfmiddlewaretoken": token_of(page)}
    del strict.client.cookies["csrftoken"]
    strict.clerk.clear_requests()
    return form | {"email_addresses": TYPED, "role": "org:member", "expires_in_days": "7"}


@pytest.mark.parametrize("target", [None, "org-invitations-form"])
def test_a_form_whose_cookie_is_gone_comes_back_and_can_be_sent(
    strict: Browser, clerk: Emulator, target: str | None
) -> None:
    response = strict.client.post(
        INVITE,
        without_cookie(strict),
        headers=HERE | ({"HX-Request": "true", "HX-Target": target} if target else {}),
    )
    assert "did not send the cookie" in in_words(response, 403)
    back = filled(response)
    assert (back["email_addresses"], back["role"]) == (TYPED, "org:member")
    assert back["expires_in_days"] == "7"
    assert clerk.requests == []
    again = back | {"csrfmiddlewaretoken": token_of(response)}
    assert strict.client.post(INVITE, again, headers=HERE).status_code == 200  # the check


def test_the_cookie_comes_with_it_where_the_site_has_no_middleware_for_that(
    strict: Browser, settings: Any
) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Csrf" not in name]
    response = strict.client.post(INVITE, without_cookie(strict), headers=HERE)
    assert response.status_code == 403
    again = filled(response) | {"csrfmiddlewaretoken": token_of(response)}
    assert strict.client.post(INVITE, again, headers=HERE).status_code == 200  # the check


def test_a_revocation_whose_cookie_is_gone_comes_back_with_a_button(
    strict: Browser, clerk: Emulator
) -> None:
    row = clerk.invitations("acme", "pending")[0]
    url = f"{LIST}{row.id}/revoke/"
    response = strict.client.post(url, {"state": "page=3"}, headers=HERE)
    assert "did not send the cookie" in in_words(response, 403)
    assert 'name="state" value="page=3"' in response.text
    assert row.email_address in pending(clerk)
    in_dialog = {"HX-Request": "true", "HX-Target": "org-invitations-dialog"}
    told = strict.client.post(url, {}, headers=HERE | in_dialog)
    assert "Reload the page" in in_words(told, 403)
    again = {"csrfmiddlewaretoken": token_of(response)}
    assert strict.client.post(url, again, headers=HERE).status_code == 303
    assert row.email_address not in pending(clerk)


ELSEWHERE: list[dict[str, str]] = [
    {},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "null"},
    {"Origin": TEST_SITE, "Sec-Fetch-Site": "same-site"},
    {"Origin": f"{TEST_SITE}.evil.example"},
    {"Origin": TEST_SITE.replace("http:", "https:")},
    {"Referer": f"{TEST_SITE}/"},
    {"Sec-Fetch-Site": "same-origin"},
]


@pytest.mark.exhaustive
@pytest.mark.parametrize("path", ["invite/", "check/", "selected/", "revoke/", "resend/"])
def test_nothing_is_done_or_shown_for_a_form_from_elsewhere(
    strict: Browser, clerk: Emulator, path: str, subtests: pytest.Subtests
) -> None:
    row = clerk.invitations("acme", "pending")[0]
    form = {"email_addresses": TYPED, "role": "org:member", "selected": row.id, "all": "on"}
    form |= {"action": "revoke", "confirmed": "1", "batch": "00000000-0000-4000-8000-000000000000"}
    url = f"{LIST}{row.id}/{path}" if path in ("revoke/", "resend/") else f"{LIST}{path}"
    own = token_of(strict.get())
    before = pending(clerk)
    clerk.clear_requests()
    for headers, token in product(ELSEWHERE, (None, "x" * 64, own)):
        if token == own and headers.get("Origin", TEST_SITE) == TEST_SITE:
            continue  # that is from here: Django looks at the origin, too
        with subtests.test(headers=headers, token=token):
            sent = form | ({"csrfmiddlewaretoken": token} if token else {})
            response = strict.client.post(url, sent, headers=headers)
            assert "did not come from a page of this site" in in_words(response, 403)
            assert TYPED not in response.text
            assert clerk.requests == []
            assert pending(clerk) == before


def own_page(request: HttpRequest, reason: str = "") -> HttpResponse:
    return HttpResponse(f"the site's own page: {bool(reason)}", status=418)


def test_a_site_that_has_a_page_of_its_own_for_that_keeps_it(
    strict: Browser, settings: Any
) -> None:
    settings.CSRF_FAILURE_VIEW = f"{__name__}.own_page"
    response = strict.client.post(INVITE, {"email_addresses": TYPED}, headers=HERE)
    assert (response.status_code, response.text) == (418, "the site's own page: True")


class Stricter(CsrfViewMiddleware):
    """A site's own middleware: what it refuses is refused."""

    def process_view(self, request: Any, *args: Any) -> Any:
        if "X-Strict" not in request.headers:
            return self._reject(request, "not strict")  # type: ignore[attr-defined]
        return super().process_view(request, *args)


def test_the_check_is_that_of_the_sites_own_middleware(strict: Browser, settings: Any) -> None:
    settings.MIDDLEWARE = [
        f"{__name__}.Stricter" if name.endswith("CsrfViewMiddleware") else name
        for name in settings.MIDDLEWARE
    ]
    page = strict.get(X_Strict="yes")
    form = filled(page) | {"csrfmiddlewaretoken": token_of(page), "email_addresses": TYPED}
    assert strict.client.post(INVITE, form, headers=HERE).status_code == 403
    passed = strict.client.post(INVITE, form, headers=HERE | {"X-Strict": "yes"})
    assert passed.status_code != 403


def test_nothing_of_a_view_runs_before_the_check(
    strict: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dispatch(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the view ran")

    monkeypatch.setattr(InviteView, "dispatch", dispatch)
    assert strict.client.post(INVITE, {"email_addresses": TYPED}).status_code == 403


# --- Signed out ----------------------------------------------------------------------------------


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "text", ["a@a," * 250_000, "<" * 1_000_000, "a\t" * 500_000, '"' * 900_000]
)
@pytest.mark.parametrize("path", [INVITE, f"{LIST}check/"])
def test_signed_out_nothing_is_read_and_all_of_it_comes_back(
    client: Client, clerk: Emulator, monkeypatch: pytest.MonkeyPatch, text: str, path: str
) -> None:
    def read(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("it was read")

    for name in ("read_text", "read_file"):
        monkeypatch.setattr(f"org_invitations.forms.{name}", read)
    form = {"email_addresses": text, "file": a_file(text[:1000])}
    response = client.post(path, form)
    assert response.status_code == 401
    assert filled(response)["email_addresses"] == text
    assert clerk.requests == []
    # As large as what was sent, each character of it escaped; and a page around it.
    assert len(response.content) <= 6 * len(text) + 50_000


def test_signed_out_clerk_is_asked_nothing(client: Client, clerk: Emulator) -> None:
    for path in ("", "export/", "orginv_x/revoke/", "organizations/acme/"):
        for method in ("get", "post", "put", "head", "options"):
            getattr(client, method)(f"{LIST}{path}")
            assert clerk.requests == [], (method, path)


# --- Frames, surrogates, logs --------------------------------------------------------------------


def test_the_views_themselves_deny_frames(ada: Browser, clerk: Emulator) -> None:
    row = clerk.invitations("acme", "pending")[0]
    assert not any("XFrame" in name for name in django_settings.MIDDLEWARE)
    for path in ("", "export/", "invite/", f"{row.id}/revoke/", f"{row.id}/link/", "outcomes/x/"):
        response = ada.get(f"{LIST}{path}")
        if "outcomes" not in path:
            assert response["X-Frame-Options"] == "DENY", path
    assert ada.invite("x@example.com")["X-Frame-Options"] == "DENY"
    assert Client().get(LIST)["X-Frame-Options"] == "DENY"
    assert ada.get(f"{LIST}session/")["X-Frame-Options"] == "SAMEORIGIN"


def test_half_a_surrogate_pair_of_clerks_breaks_no_page(
    ada: Browser, clerk: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    row = clerk.invitations("acme", "pending")[0]
    clerk.organization("acme").name = "Ac\ud800me\x00"
    for one in clerk.invitations("acme"):
        one.public_metadata = {"x": "\udfff"}
    clerk.user("ada@acme.test").first_name = "A\udc00da"
    for path in ("", "export/", f"{row.id}/revoke/", f"{row.id}/resend/", f"{row.id}/link/"):
        assert ada.get(f"{LIST}{path}").status_code == 200, path
    assert "Ac\ufffdme" in ada.get().text
    form = filled(ada.get()) | {"email_addresses": "new@example.com", "role": "org:member"}
    assert ada.post(INVITE, form).status_code == 303
    assert ada.post(f"{LIST}{row.id}/revoke/").status_code == 303
