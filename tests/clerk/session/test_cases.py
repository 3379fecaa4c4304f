"""What Clerk's own SDK decided for 535 requests, and what the middleware decides.

The requests are those of ``../shared/clerk/session-cases.json``, seen from the project's root.
They are sent to a site through Django's test client. A decision may differ only where
``org_invitations.clerk.session.differences`` says so, and where it says so it must.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.http import JsonResponse
from django.test import Client, override_settings
from django.urls import path

from org_invitations.clerk.session.differences import DIFFERENCES, Difference
from org_invitations.middleware import ClerkHttpRequest, ClerkSessionMiddleware, renews_session

RECORDED = Path(__file__).parents[3].parent / "shared" / "clerk" / "session-cases.json"

WHO = (
    "user_id",
    "session_id",
    "session_status",
    "organization_id",
    "organization_slug",
    "organization_role",
    "organization_permissions",
    "actor",
)

if not RECORDED.exists() and not os.environ.get("CI"):
    pytest.skip(f"{RECORDED.name} is not at ../shared/clerk", allow_module_level=True)


def describe(request: ClerkHttpRequest) -> dict[str, Any]:
    clerk = request.clerk
    who = {name: getattr(clerk, name) for name in WHO}
    return {
        "status": clerk.status,
        "reason": clerk.reason,
        "auth": json.loads(json.dumps(who, default=dict)) if clerk.is_signed_in else None,
    }


def whoami(request: ClerkHttpRequest) -> JsonResponse:
    return JsonResponse(describe(request))


def plain(request: ClerkHttpRequest) -> JsonResponse:
    """Answer likewise; the decorator marks the function it is given, hence a second one."""
    return whoami(request)


urlpatterns = [
    path("invitations/", renews_session(whoami)),
    path("plain/", plain),
]


@cache
def recorded() -> Any:
    return json.loads(RECORDED.read_text())


def cases() -> list[Any]:
    return list(recorded()["cases"])


def decide(
    case: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    *,
    paths: list[str] | None = None,
    trust_proxy: bool = True,
    azp_handshake: bool = False,
) -> dict[str, Any]:
    """Send a recorded request to a site and return its decision in the recorded form."""
    request = case["request"]
    url = urlsplit(request["url"])
    monkeypatch.setattr(ClerkSessionMiddleware, "get_time", lambda self: recorded()["now"])
    settings = override_settings(
        ROOT_URLCONF=__name__,
        MIDDLEWARE=["org_invitations.middleware.ClerkSessionMiddleware"],
        ALLOWED_HOSTS=["app.example.com", "10.0.0.5"],
        CLERK_PUBLISHABLE_KEY=recorded()["instances"][case["instance"]]["publishable_key"],
        CLERK_SECRET_KEY="sk_test_recorded",
        CLERK_JWT_KEY=recorded()["jwt_key"],
        CLERK_PROXY_URL="",
        CLERK_AUTHORIZED_PARTIES=case["authorized_parties"],
        ORG_INVITATIONS_HANDSHAKE_PATHS=paths,
        ORG_INVITATIONS_AZP_HANDSHAKE=azp_handshake,
        USE_X_FORWARDED_HOST=trust_proxy,
        SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https") if trust_proxy else None,
    )
    with settings:
        response = Client().generic(
            request["method"],
            f"{url.path}?{url.query}" if url.query else url.path,
            secure=url.scheme == "https",
            headers={"Host": url.netloc, **dict(request["headers"])},
        )
    sent = [morsel.OutputString() for morsel in response.cookies.values()]
    answer: dict[str, Any] = {
        "location": response.headers.get("Location"),
        "cache_control": response.headers.get("Cache-Control"),
        "set_cookie": sent,
    }
    if response.status_code == 307:
        # The view was not asked; what is on the request must agree with Clerk's headers.
        status = response.headers.get("X-Clerk-Auth-Status", "signed-in")
        reason = response.headers.get("X-Clerk-Auth-Reason")
        described = describe(cast("ClerkHttpRequest", response.wsgi_request))
        assert (described["status"], described["reason"]) == (status, reason)
        return {**described, **answer}
    assert response.status_code == 200
    if request["method"] == "HEAD":
        return {**describe(cast("ClerkHttpRequest", response.wsgi_request)), **answer}
    return {**response.json(), **answer}


def differing(case: dict[str, Any], ours: dict[str, Any]) -> set[str]:
    """Return the parts of the decision that are not Clerk's."""
    expected = case["expect"]
    if "raises" in expected:
        return {"raises"}
    different = {name for name in expected if expected[name] != ours[name]}
    if "location" not in different and expected["location"]:
        assert parse_qsl(urlsplit(ours["location"]).query) == parse_qsl(
            urlsplit(expected["location"]).query
        )
    return different


def allowing(case: dict[str, Any]) -> list[Difference]:
    return [entry for entry in DIFFERENCES if entry.covers(case["about"], case["instance"])]


#: Whether the view says that its session may be renewed, or the setting does for all.
PATHS = [pytest.param(None, marks=pytest.mark.exhaustive), ["/"]]


def test_the_recording_is_complete() -> None:
    assert len(cases()) == 535


@pytest.mark.parametrize("paths", PATHS, ids=["decorated view", "setting"])
def test_every_request_is_decided_as_clerk_decides_it(
    paths: list[str] | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    same, listed, wrong = 0, 0, []
    for case in cases():
        ours = decide(case, monkeypatch, paths=paths)
        different = differing(case, ours)
        allowed = {name for entry in allowing(case) for name in entry.fields}
        if not different:
            same += 1
        if different == allowed:
            listed += bool(different)
        else:
            wrong.append((case["instance"], case["about"], different ^ allowed, ours))
    with capsys.disabled():
        print(  # noqa: T201 - the count is what the test is there to say
            f"\n{same} of {len(cases())} recorded requests are decided exactly as by "
            f"{recorded()['sdk']}, {listed} as listed in differences.py, {len(wrong)} otherwise"
        )
    assert wrong == []
    assert same + listed == 535


@pytest.mark.parametrize(
    "entry", [entry for entry in DIFFERENCES if entry.fields], ids=lambda entry: entry.id
)
def test_a_listed_difference_is_still_one(
    entry: Difference, monkeypatch: pytest.MonkeyPatch
) -> None:
    covered = [case for case in cases() if entry in allowing(case)]
    assert covered
    for case in covered:
        different = differing(case, decide(case, monkeypatch))
        assert set(entry.fields) <= different, case["about"]


def test_a_bad_handshake_in_development_is_signed_out_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reasons = {}
    for case in cases():
        if "raises" in case["expect"]:
            ours = decide(case, monkeypatch)
            assert (ours["status"], ours["auth"], ours["location"]) == ("signed-out", None, None)
            assert ours["set_cookie"] == []
            reasons[case["about"].rpartition(": ")[2]] = ours["reason"]
    assert reasons == {
        "signed by another key": "token-invalid-signature",
        "JWT template": "token-invalid",
        "not a token": "token-invalid",
        "alg none": "token-invalid-algorithm",
    }


def test_forwarded_headers_are_not_believed_unless_django_is_told_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forwarded = [case for case in cases() if "behind a proxy" in case["about"]]
    assert len(forwarded) == 2
    for case in forwarded:
        ours = decide(case, monkeypatch, trust_proxy=False)
        query = dict(parse_qsl(urlsplit(ours["location"]).query))
        assert query["redirect_url"] == "http://10.0.0.5:8000/invitations/"


def test_a_page_that_may_not_renew_answers_yes_or_no_and_sends_nobody_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for case in cases()[::2]:
        expected = case["expect"]
        request = {**case["request"]}
        request["url"] = request["url"].replace("/invitations/", "/plain/")
        ours = decide({**case, "request": request}, monkeypatch)
        assert ours["location"] is None
        assert ours["set_cookie"] == []
        if expected.get("status") == "handshake":
            if expected["reason"] == "primary-domain-cross-origin-sync":
                assert ours["status"] == "signed-in"
            else:
                assert (ours["status"], ours["reason"]) == ("signed-out", expected["reason"])


@pytest.mark.exhaustive
@pytest.mark.parametrize("paths", [None, ["/"]], ids=["decorated view", "setting"])
def test_the_layer_above_sends_a_page_load_with_a_cookie_without_azp_to_clerk_and_nothing_else(
    paths: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    otherwise = []
    for case in cases():
        plain = decide(case, monkeypatch, paths=paths)
        ours = decide(case, monkeypatch, paths=paths, azp_handshake=True)
        if ours == plain:
            continue
        otherwise.append((case["instance"], case["about"]))
        assert (plain["status"], ours["status"]) == ("signed-out", "handshake")
        assert ours["reason"] == plain["reason"] == "token-invalid-authorized-parties"
        query = dict(parse_qsl(urlsplit(ours["location"]).query))
        assert query["redirect_url"] == case["request"]["url"]
        assert ours["cache_control"] == "no-store"
    several = 'authorized parties ["https://other.example.com","https://app.example.com"]'
    assert otherwise == [
        ("development", "cookie token: no azp; page load"),
        ("production", "cookie token: no azp; page load"),
        ("production", f"{several}: no azp"),
        ("production", 'authorized parties ["https://APP.example.com"]: no azp'),
    ]
