"""Signing in, the handshake, refreshing, switching and signing out, as a browser sees them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest

from org_invitations.emulator import JWT_KEY, Emulator, EmulatorResponse
from org_invitations.emulator.handshake import with_query

SITE = "http://localhost:8000"
PAGE = f"{SITE}/invitations/?page=2"


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def shake(browser: Any, url: str = PAGE, **params: str) -> EmulatorResponse:
    """The handshake the site starts; a dev browser token in ``url`` is passed on by name."""
    token = query(url).get("__clerk_db_jwt")
    if token and "__clerk_db_jwt" not in params:
        params["__clerk_db_jwt"] = token
    sent = urlencode({"redirect_url": with_query(url, __clerk_db_jwt=None), **params})
    answer: EmulatorResponse = browser.open(f"/v1/client/handshake?{sent}")
    return answer


def directives(answer: EmulatorResponse, name: str = "__clerk_handshake") -> list[str]:
    token = query(answer.header("location") or "")[name]
    assert jwt.get_unverified_header(token).get("cat") is None
    lines: list[str] = jwt.decode(token, JWT_KEY, algorithms=["RS256"])["handshake"]
    return lines


def values(lines: list[str]) -> dict[str, str]:
    return dict(line.partition(";")[0].split("=", 1) for line in lines)


def test_a_stranger_gets_a_dev_browser_and_nothing_else(browser: Any, emulator: Emulator) -> None:
    answer = shake(browser)
    assert answer.status == 307
    assert answer.header("cache-control") == "no-store"
    target = answer.header("location") or ""
    assert target.startswith(f"{SITE}/invitations/?page=2&__clerk_handshake=")
    lines = directives(answer)
    cookies = values(lines)
    suffix = emulator.cookie_suffix
    assert cookies["__session"] == cookies[f"__session_{suffix}"] == ""
    assert cookies["__client_uat"] == cookies[f"__client_uat_{suffix}"] == "0"
    assert cookies["__clerk_db_jwt"] == cookies[f"__clerk_db_jwt_{suffix}"] != ""
    session = next(line for line in lines if line.startswith("__session="))
    assert "Expires=Thu, 01 Jan 1970" in session


def test_signing_in_and_coming_back_signed_in(browser: Any, emulator: Emulator) -> None:
    emulator.clock.freeze()
    back = browser.sign_in("ada@acme.test", PAGE)
    assert back.startswith(f"{SITE}/invitations/?page=2&__clerk_db_jwt=")
    answer = shake(browser, back)
    assert "__clerk_db_jwt" not in query(answer.header("location") or "")
    lines = directives(answer)
    cookies = values(lines)
    claims = jwt.decode(cookies["__session"], JWT_KEY, algorithms=["RS256"])
    assert claims["sub"] == emulator.user("ada@acme.test").id
    assert (claims["azp"], claims["o"]["slg"]) == (SITE, "acme")
    assert int(cookies["__client_uat"]) == claims["iat"] == int(emulator.clock.now())
    assert cookies["__clerk_db_jwt"] == query(back)["__clerk_db_jwt"]
    assert cookies[f"__refresh_{emulator.cookie_suffix}"]
    attributes = {line.split("=")[0]: line for line in lines}
    assert "HttpOnly" in attributes[f"__refresh_{emulator.cookie_suffix}"]
    for line in lines:
        assert "; Path=/; Expires=" in line
        assert "; SameSite=Lax" in line
        assert "Secure" not in line
        assert "Domain" not in line


def test_a_browser_without_cookies_is_known_by_its_dev_browser_token(
    browser: Any, emulator: Emulator
) -> None:
    back = browser.sign_in("ada@acme.test")
    browser.cookies.clear()
    assert values(directives(shake(browser, back)))["__client_uat"] != "0"
    other = type(browser)(emulator)
    assert values(directives(shake(other)))["__client_uat"] == "0"
    stale = values(directives(shake(type(browser)(emulator), __clerk_db_jwt="dvb_gone")))
    assert stale["__client_uat"] == "0"
    assert stale["__clerk_db_jwt"] != "dvb_gone"


def test_https_makes_cookies_secure(browser: Any) -> None:
    lines = directives(shake(browser, "https://localhost:8443/"))
    assert all("; Secure" in line for line in lines)


def test_a_nonce_is_fetched_once(browser: Any, api: Any, emulator: Emulator) -> None:
    answer = shake(browser, browser.sign_in("ada@acme.test"), format="nonce")
    nonce = query(answer.header("location") or "")["__clerk_handshake_nonce"]
    lines = api.get("/clients/handshake_payload", nonce=nonce)["directives"]
    assert values(lines)["__client_uat"] != "0"
    path = "/clients/handshake_payload"
    assert api.refused("GET", path, query={"nonce": nonce})[:2] == (404, "resource_not_found")
    late = query(shake(browser, format="nonce").header("location") or "")
    emulator.clock.advance(61)
    nonce = late["__clerk_handshake_nonce"]
    assert api.refused("GET", path, query={"nonce": nonce})[0] == 404


@pytest.mark.parametrize("wanted", ["token", "nonce"])
def test_production_answers_in_cookies(browser: Any, emulator: Emulator, wanted: str) -> None:
    emulator.configure(kind="production")
    back = browser.sign_in("ada@acme.test", PAGE)
    assert back == PAGE
    assert browser.cookies["__client_uat"] != "0"
    assert "__session" not in browser.cookies
    answer = shake(browser, PAGE, format=wanted)
    assert answer.header("location") == PAGE
    name = "__clerk_handshake" if wanted == "token" else "__clerk_handshake_nonce"
    line = next(c for c in answer.header_list("set-cookie") if c.startswith(f"{name}="))
    assert "HttpOnly" in line
    if wanted == "token":
        lines = jwt.decode(browser.cookies[name], JWT_KEY, algorithms=["RS256"])["handshake"]
        browser.take(lines)
        assert browser.cookies["__session"]
        assert "__clerk_db_jwt" not in browser.cookies
        assert name not in browser.cookies


def test_a_handshake_needs_somewhere_to_go_back_to(browser: Any) -> None:
    missing = browser.open("/v1/client/handshake")
    assert missing.json["errors"][0]["meta"] == {"param_name": "redirect_url"}
    assert shake(browser, format="xml").status == 422


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example/",
        "//evil.example/",
        "javascript:alert(1)",
        "http://localhost.evil.example/",
        "http://localhost@evil.example/",
        "http://localhost\\@evil.example/",
        "data:text/html,x",
        "http://[",
    ],
)
def test_nobody_is_sent_away_to_somewhere_else(browser: Any, target: str) -> None:
    answer = browser.open(f"/v1/client/handshake?{urlencode({'redirect_url': target})}")
    assert answer.status == 403
    for path in ("/sign-in", "/sign-out", "/switch"):
        assert browser.open(f"{path}?{urlencode({'redirect_url': target})}").status == 403
    form = {"user": "ada@acme.test", "redirect_url": target}
    assert browser.open("/sign-in", method="POST", form=form).status == 403


def test_this_machine_and_the_site_are_good_places(subtests: pytest.Subtests) -> None:
    for host in ["127.0.0.1", "[::1]:8000", "acme.localhost", "app.example.com"]:
        with subtests.test(host=host):
            assert Emulator(site="https://app.example.com").may_return_to(f"http://{host}/x?y=z")


def test_only_get_shakes_hands(browser: Any) -> None:
    answer = browser.open("/v1/client/handshake?redirect_url=x", method="POST")
    assert answer.status == 405


def test_the_handshake_switches_the_organization(browser: Any, emulator: Emulator) -> None:
    back = browser.sign_in("bo@both.test")

    def active(organization: str) -> Any:
        answer = shake(browser, back, organization_id=organization)
        token = values(directives(answer))["__session"]
        return jwt.decode(token, JWT_KEY, algorithms=["RS256"]).get("o", {}).get("slg")

    assert active("globex") == "globex"
    assert active(emulator.organization("acme").id) == "acme"
    assert active("elsewhere") == "acme"
    assert active("") is None


def test_switching_on_the_page(browser: Any) -> None:
    back = browser.sign_in("bo@both.test")
    page = browser.open("/switch").body.decode()
    assert "Globex" in page
    assert "Personal account" in page
    answer = browser.open("/switch?organization=globex&redirect_url=http://localhost:8000/x")
    assert answer.status == 303
    assert (answer.header("location") or "").startswith("http://localhost:8000/x?__clerk_db_jwt=")
    token = values(directives(shake(browser, back)))["__session"]
    assert jwt.decode(token, JWT_KEY, algorithms=["RS256"])["o"]["slg"] == "globex"
    browser.sign_in("max@acme.test")
    assert browser.open("/switch?organization=globex").status == 404


@pytest.mark.parametrize("kind", ["development", "production"])
def test_signing_out(browser: Any, api: Any, emulator: Emulator, kind: str) -> None:
    emulator.configure(kind=kind)
    browser.sign_in("ada@acme.test")
    assert len([s for s in emulator.state.sessions.values() if not s.ended]) == 1
    back = browser.open("/sign-out?redirect_url=http://localhost:8000/bye").header("location")
    assert back.startswith("http://localhost:8000/bye")
    assert all(session.ended for session in emulator.state.sessions.values())
    if kind == "production":
        assert browser.cookies["__client_uat"] == "0"
    else:
        assert values(directives(shake(browser, back)))["__client_uat"] == "0"


def test_production_renews_the_session_when_switching(browser: Any, emulator: Emulator) -> None:
    emulator.configure(kind="production")
    browser.sign_in("bo@both.test")
    browser.open("/switch?organization=globex")
    claims = jwt.decode(browser.cookies["__session"], JWT_KEY, algorithms=["RS256"])
    assert claims["o"]["slg"] == "globex"


def test_a_session_ends_after_a_week(browser: Any, emulator: Emulator) -> None:
    back = browser.sign_in("ada@acme.test")
    emulator.clock.advance(7 * 86_400 - 60)
    assert values(directives(shake(browser, back)))["__client_uat"] != "0"
    emulator.clock.advance(60)
    answer = shake(browser, back)
    token = query(answer.header("location") or "")["__clerk_handshake"]
    lines = jwt.decode(token, JWT_KEY, algorithms=["RS256"])["handshake"]
    assert values(lines)["__client_uat"] == "0"


def test_whoever_left_the_organization_has_none_active(browser: Any, emulator: Emulator) -> None:
    back = browser.sign_in("max@acme.test")
    emulator.configure(
        memberships=[{"organization": "acme", "user": "max@acme.test", "removed": True}]
    )
    token = values(directives(shake(browser, back)))["__session"]
    assert "o" not in jwt.decode(token, JWT_KEY, algorithms=["RS256"])


@pytest.mark.parametrize("change", [{"banned": True}, {"deleted": True}])
def test_whoever_is_gone_is_signed_out(
    browser: Any, emulator: Emulator, change: dict[str, bool]
) -> None:
    back = browser.sign_in("max@acme.test")
    emulator.configure(users={"max@acme.test": change})
    assert values(directives(shake(browser, back)))["__client_uat"] == "0"
    form = {"user": "max@acme.test"}
    assert browser.open("/sign-in", method="POST", form=form).status == 422


def refresh(api: Any, cookies: dict[str, str], suffix: str, **changes: Any) -> Any:
    sid = jwt.decode(cookies["__session"], options={"verify_signature": False})["sid"]
    body = {
        "expired_token": cookies["__session"],
        "refresh_token": cookies[f"__refresh_{suffix}"],
        "request_origin": "http://localhost:8000",
        **changes,
    }
    return api.call("POST", f"/sessions/{sid}/refresh", body=body)


def test_refreshing_an_expired_token(api: Any, emulator: Emulator) -> None:
    cookies = emulator.session_cookies("ada@acme.test", issued_ago=300)
    suffix = emulator.cookie_suffix
    token = refresh(api, cookies, suffix).json["jwt"]
    claims = jwt.decode(token, JWT_KEY, algorithms=["RS256"])
    old = jwt.decode(cookies["__session"], options={"verify_signature": False})
    assert (claims["sid"], claims["azp"]) == (old["sid"], "http://localhost:8000")
    lines = refresh(api, cookies, suffix, format="cookie", request_headers={}).json["cookies"]
    assert set(values(lines)) == {"__session", f"__session_{suffix}"}


def test_a_refresh_that_does_not_fit_is_refused(api: Any, emulator: Emulator) -> None:
    cookies = emulator.session_cookies("ada@acme.test", issued_ago=300)
    suffix = emulator.cookie_suffix
    other = emulator.mint_token("ada@acme.test")
    forged = emulator.mint_token("ada@acme.test", key="unknown")
    assert refresh(api, cookies, suffix, refresh_token="rt_x").status == 400
    assert refresh(api, cookies, suffix, expired_token=other).status == 400
    assert refresh(api, cookies, suffix, expired_token=forged).status == 400
    assert refresh(api, cookies, suffix, expired_token="x").status == 400
    assert refresh(api, cookies, suffix, format="xml").status == 422
    emulator.configure(users={"ada@acme.test": {"banned": True}})
    assert refresh(api, cookies, suffix).status == 401


def test_the_public_keys_need_no_secret(browser: Any, api: Any) -> None:
    assert browser.open("/.well-known/jwks.json").json == api.get("/jwks")
