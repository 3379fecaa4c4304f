"""``request.clerk`` in a Django site: laziness, caching, cookies, login, and ASGI."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, SynchronousOnlyOperation
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, JsonResponse
from django.test import AsyncClient, Client, RequestFactory
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from org_invitations import middleware as middleware_module
from org_invitations.clerk.exceptions import TransportError
from org_invitations.clerk.session.differences import DIFFERENCES
from org_invitations.middleware import (
    ClerkHttpRequest,
    ClerkSessionMiddleware,
    VerbatimCookie,
    forget_keys,
    renews_session,
    set_cookies,
)
from tests.clerk.signing import DEVELOPMENT, NOW, ORIGIN, PRODUCTION, jwk, pem, sign, token

MIDDLEWARE = "org_invitations.middleware.ClerkSessionMiddleware"
DOCUMENT = {"Host": "app.example.com", "Sec-Fetch-Dest": "document"}


def quiet(request: ClerkHttpRequest) -> HttpResponse:
    return HttpResponse("not asked")


def who(request: ClerkHttpRequest) -> HttpResponse:
    return HttpResponse(request.clerk.user_id or f"nobody: {request.clerk.reason}")


@renews_session
def people(request: ClerkHttpRequest) -> HttpResponse:
    response = HttpResponse(request.clerk.user_id or "nobody")
    response.set_cookie("__session", "the view's own")
    return response


async def async_who(request: ClerkHttpRequest) -> HttpResponse:
    clerk = await request.aclerk()
    return HttpResponse(clerk.user_id or f"nobody: {clerk.reason}")


class PeopleView(View):
    def get(self, request: ClerkHttpRequest) -> HttpResponse:
        return who(request)


@method_decorator(renews_session, name="dispatch")
class MarkedDispatch(PeopleView):
    pass


@renews_session
class MarkedClass(PeopleView):
    pass


urlpatterns = [
    path("quiet/", quiet),
    path("who/", who),
    path("people/", people),
    path("teamwork/", who),
    path("async/", async_who),
    path("view/", PeopleView.as_view()),
    path("marked/", renews_session(PeopleView.as_view())),
    path("marked-dispatch/", MarkedDispatch.as_view()),
    path("marked-class/", MarkedClass.as_view()),
    path("api/", csrf_exempt(PeopleView.as_view())),
    path("marked-api/", renews_session(csrf_exempt(PeopleView.as_view()))),
]


@pytest.fixture(autouse=True)
def site(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [MIDDLEWARE]
    settings.ALLOWED_HOSTS = ["app.example.com", "testserver"]
    settings.CLERK_PUBLISHABLE_KEY = PRODUCTION
    settings.CLERK_SECRET_KEY = "sk_live_middleware"
    settings.CLERK_JWT_KEY = pem()
    settings.CLERK_AUTHORIZED_PARTIES = [ORIGIN]
    settings.CLERK_PROXY_URL = ""
    settings.ORG_INVITATIONS_HANDSHAKE_PATHS = None
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": __name__,
        }
    }
    monkeypatch.setattr(ClerkSessionMiddleware, "get_time", lambda self: NOW)
    forget_keys()
    yield settings
    forget_keys()


def cookies(text: str) -> str:
    return f"__session={text}; __client_uat={NOW - 3600}"


def get(url: str, cookie: str = "", **headers: str) -> Any:
    return Client().get(url, secure=True, headers={**DOCUMENT, "Cookie": cookie, **headers})


EXPIRED = cookies(token(exp=NOW - 60, iat=NOW - 90, nbf=NOW - 90))


# --- Nothing happens until somebody asks --------------------------------------------------


def test_a_page_that_does_not_ask_verifies_nothing_and_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        ClerkSessionMiddleware, "_decide", lambda *args, **options: pytest.fail("asked")
    )
    response = get("/quiet/", EXPIRED)
    assert response.content == b"not asked"
    assert not {"Vary", "Cache-Control", "X-Clerk-Auth-Status"} & set(response.headers)
    assert repr(response.wsgi_request.clerk) == "<ClerkSession: not asked for yet>"


def test_a_page_that_asks_is_told_and_varies() -> None:
    response = get("/who/", cookies(token()))
    assert response.content == b"user_2admin"
    assert response.headers["Vary"] == "Cookie, Authorization"
    assert "X-Clerk-Auth-Status" not in response.headers


def test_a_signed_out_answer_carries_clerks_debug_headers() -> None:
    response = get("/who/", cookies(token(key="theirs")))
    assert response.headers["X-Clerk-Auth-Status"] == "signed-out"
    assert response.headers["X-Clerk-Auth-Reason"] == "token-invalid-signature"
    assert response.headers["X-Clerk-Auth-Message"] == (
        "JWT signature is invalid. (reason=token-invalid-signature, token-carrier=cookie)"
    )


def test_the_session_is_decided_once_and_cannot_be_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clerk: Any = get("/who/", cookies(token())).wsgi_request.clerk
    monkeypatch.setattr(ClerkSessionMiddleware, "_decide", None)
    assert clerk.is_signed_in
    assert (clerk.session_id, clerk.session_status) == ("sess_2abcDEF", "active")
    assert (clerk.organization_id, clerk.organization_slug) == ("org_2acme", "acme")
    assert clerk.organization_role == "org:admin"
    assert clerk.has(permission="teams:read", role="admin")
    assert clerk.claims["sub"] == "user_2admin"
    assert repr(clerk) == "<ClerkSession: user_2admin>"
    with pytest.raises(AttributeError):
        clerk.user_id = "user_2other"
    with pytest.raises(AttributeError):
        clerk.something = 1


def test_a_pending_session_counts_as_signed_out_and_says_so() -> None:
    clerk = get("/who/", cookies(token(sts="pending"))).wsgi_request.clerk
    assert (clerk.is_signed_in, clerk.user_id, clerk.claims) == (False, None, None)
    assert (clerk.session_status, clerk.status, clerk.reason) == ("pending", "signed-in", None)
    assert not clerk.has(role="admin")
    assert repr(clerk) == "<ClerkSession: signed out, pending>"


def test_an_impersonated_session_names_the_actor() -> None:
    clerk = get("/who/", cookies(token(act={"sub": "user_9"}))).wsgi_request.clerk
    assert clerk.actor == {"sub": "user_9"}


@pytest.mark.parametrize("key", ["", "pk_nonsense"])
def test_a_site_without_its_key_is_told_which(key: str, site: Any) -> None:
    site.CLERK_PUBLISHABLE_KEY = key
    with pytest.raises(ImproperlyConfigured, match="CLERK_PUBLISHABLE_KEY"):
        get("/who/")


def test_a_host_that_django_does_not_trust_is_a_bad_request(site: Any) -> None:
    site.ORG_INVITATIONS_HANDSHAKE_PATHS = ["/"]
    assert get("/who/", EXPIRED, Host="evil.example").status_code == 400


# --- Which pages renew a session ----------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "paths", "sent"),
    [
        ("/people/", None, True),
        ("/marked/", None, True),
        ("/marked-dispatch/", None, True),
        ("/marked-class/", None, True),
        ("/view/", None, False),
        ("/who/", None, False),
        ("/who/", ["/"], True),
        ("/who/", ["/who"], True),
        ("/who/", ["/who/"], True),
        ("/teamwork/", ["/team"], False),
        ("/missing/", ["/missing/"], True),
        ("/people/", ["/elsewhere/"], True),
        ("/api/", ["/"], False),
        ("/marked-api/", ["/"], True),
        ("/marked-api/", None, True),
    ],
)
def test_only_the_pages_of_the_sites_choice_send_anyone_to_clerk(
    url: str, paths: list[str] | None, sent: bool, site: Any
) -> None:
    site.ORG_INVITATIONS_HANDSHAKE_PATHS = paths
    response = get(url, EXPIRED)
    assert (response.status_code == 307) is sent
    if sent:
        assert response.headers["Location"].startswith("https://clerk.example.com/v1/client/")
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Clerk-Auth-Status"] == "handshake"
        assert response.headers["X-Clerk-Auth-Reason"].startswith("session-token-expired")
        assert "JWT is expired." in response.headers["X-Clerk-Auth-Message"]


def test_elsewhere_the_session_can_be_asked_whether_it_is_renewable() -> None:
    clerk = get("/who/", EXPIRED).wsgi_request.clerk
    assert (clerk.is_signed_in, clerk.is_renewable) == (False, True)
    assert not get("/who/").wsgi_request.clerk.is_renewable


def test_a_session_arriving_from_another_site_is_synced_only_where_it_may_be() -> None:
    # differences.RENEWAL_IS_OPT_IN
    elsewhere = {"Referer": "https://news.example.org/"}
    assert get("/people/", cookies(token()), **elsewhere).status_code == 307
    assert get("/who/", cookies(token()), **elsewhere).content == b"user_2admin"


def test_the_handshake_goes_to_the_proxy_if_there_is_one(site: Any) -> None:
    site.CLERK_PROXY_URL = "http://localhost:8900"
    assert (
        get("/people/", EXPIRED)
        .headers["Location"]
        .startswith(
            "http://localhost:8900/v1/client/handshake?redirect_url=https%3A%2F%2Fapp.example.com"
        )
    )


def test_before_a_login_page_comes_the_handshake(site: Any) -> None:
    # A stand-in for the middleware of Django's auth, which needs sessions.
    class Anonymous:
        def __init__(self, get_response: Any) -> None:
            self.get_response = get_response

        def __call__(self, request: Any) -> Any:
            request.user = SimpleNamespace(is_authenticated=False)
            return self.get_response(request)

    site.LOGIN_URL = "/login/"
    globals()["Anonymous"] = Anonymous
    site.MIDDLEWARE = [
        f"{__name__}.Anonymous",
        MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    assert get("/people/", EXPIRED).status_code == 307
    response = get("/people/", cookies(token()))
    assert (response.status_code, response.headers["Location"]) == (302, "/login/?next=/people/")


# --- The cookies of a handshake -----------------------------------------------------------

DIRECTIVES = [
    f"__session={token()}; Path=/; SameSite=Lax",
    "__client_uat=1; Path=/; Domain=example.com; Max-Age=315360000; X-Unheard-Of=%20",
    "__session_x=; Path=/a; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "__client_uat=1; Path=/b",
]
HANDSHAKE = f"__clerk_handshake={sign({'handshake': DIRECTIVES})}"


@pytest.mark.django_db  # a handler looks after the connections that other tests have opened
def test_a_wsgi_server_is_given_every_directive_as_clerk_wrote_it() -> None:
    sent: list[tuple[str, str]] = []
    environ = RequestFactory().get("/who/").environ | {
        "PATH_INFO": "/marked/",
        "HTTP_HOST": "app.example.com",
        "wsgi.url_scheme": "https",
        "HTTP_COOKIE": HANDSHAKE,
    }
    handler: Any = WSGIHandler()
    handler(environ, lambda status, headers: sent.extend(headers))
    assert [value.strip() for name, value in sent if name == "Set-Cookie"] == DIRECTIVES
    assert dict(sent)["Cache-Control"] == "private"
    assert dict(sent)["Access-Control-Allow-Origin"] == "null"


@pytest.mark.django_db(transaction=True)
def test_an_asgi_server_is_given_every_directive_as_clerk_wrote_it() -> None:
    from django.core.handlers.asgi import ASGIHandler

    events: list[Any] = []
    received: list[bool] = []

    async def receive() -> dict[str, Any]:
        if not received:
            received.append(True)
            return {"type": "http.request", "body": b""}
        await asyncio.sleep(5)
        return {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        events.append(event)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/marked/",
        "query_string": b"",
        "scheme": "https",
        "headers": [(b"host", b"app.example.com"), (b"cookie", HANDSHAKE.encode())],
    }
    asyncio.run(ASGIHandler()(scope, receive, send))
    headers = events[0]["headers"]
    assert [value.decode() for name, value in headers if name == b"Set-Cookie"] == DIRECTIVES


def test_the_views_own_cookies_stay() -> None:
    response = get("/people/", HANDSHAKE)
    sent = [cookie.OutputString() for cookie in response.cookies.values()]
    assert sent == ['__session="the view\'s own"; Path=/', *DIRECTIVES]


def test_in_development_the_browser_is_sent_to_the_page_without_the_parameter(site: Any) -> None:
    site.CLERK_PUBLISHABLE_KEY = DEVELOPMENT
    ours = token(iss="https://clean-mole-12.clerk.accounts.dev")
    client = Client()
    handshake = sign({"handshake": [f"__session={ours}; Path=/", f"__client_uat={NOW - 99}"]})
    response = client.get(
        f"/marked/?__clerk_handshake={handshake}&page=2", secure=True, headers=DOCUMENT
    )
    assert (response.status_code, response.headers["Cache-Control"]) == (307, "no-store")
    assert response.headers["Location"] == f"{ORIGIN}/marked/?page=2"
    # The test client keeps the cookies, and is signed in on the next page.
    client.cookies["__clerk_db_jwt"] = "dvb_1"
    assert client.get("/marked/", secure=True, headers=DOCUMENT).content == b"user_2admin"


def test_a_verbatim_cookie_survives_copying_and_pickling() -> None:
    cookie = VerbatimCookie(DIRECTIVES[1])
    copies = [cookie.copy(), pickle.loads(pickle.dumps(cookie))]
    assert [copied.OutputString() for copied in copies] == [DIRECTIVES[1]] * 2
    assert (cookie.key, cookie.value) == ("__client_uat", "1")
    response = HttpResponse()
    set_cookies(response, DIRECTIVES)
    restored = pickle.loads(pickle.dumps(response))
    assert [c.OutputString() for c in restored.cookies.values()] == DIRECTIVES


def test_a_cached_page_is_not_shown_to_somebody_else(site: Any) -> None:
    site.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    site.CACHES["default"]["LOCATION"] = "a cached page"
    assert get("/who/", cookies(token())).content == b"user_2admin"
    assert get("/who/", cookies(token(sub="user_2other"))).content == b"user_2other"
    assert get("/who/").content.startswith(b"nobody")


# --- Keys from the Backend API ------------------------------------------------------------


class Backend:
    asked = 0

    def get_jwks(self) -> dict[str, Any]:
        type(self).asked += 1
        return {"keys": [jwk()]}


def test_keys_are_fetched_once_for_all_requests(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    site.CLERK_JWT_KEY = ""
    site.CACHES["default"]["LOCATION"] = "fetched once"
    monkeypatch.setattr(Backend, "asked", 0)
    monkeypatch.setattr(ClerkSessionMiddleware, "get_backend", lambda self: Backend())
    for _ in range(3):
        assert get("/who/", cookies(token())).content == b"user_2admin"
    assert Backend.asked == 1


def test_without_an_answer_of_clerk_nobody_is_signed_in(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_answer(self: Any) -> Any:
        raise TransportError("no answer")

    site.CLERK_JWT_KEY = ""
    site.CACHES["default"]["LOCATION"] = "no answer"
    monkeypatch.setattr(Backend, "get_jwks", no_answer)
    monkeypatch.setattr(ClerkSessionMiddleware, "get_backend", lambda self: Backend())
    assert get("/who/", cookies(token())).content == b"nobody: jwk-remote-failed-to-load"


def test_a_pem_needs_no_backend_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClerkSessionMiddleware, "get_backend", None)
    assert get("/who/", cookies(token())).content == b"user_2admin"
    assert get("/people/", EXPIRED).status_code == 307


# --- No mutation signs anyone in ----------------------------------------------------------

GOOD = token()


@settings(
    deadline=None,
    max_examples=200,
    derandomize=True,
    # The fixture configures the site, the same for all examples.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.integers(0, len(GOOD) - 1),
    st.sampled_from("ABCyz019-_.=+/;, %\t"),
    st.booleans(),
    st.sampled_from(["/who/", "/marked/"]),
)
def test_a_token_with_another_byte_signs_nobody_in(
    index: int, character: str, in_header: bool, url: str
) -> None:
    mutated = GOOD[:index] + character + GOOD[index + 1 :]
    if mutated == GOOD:
        return
    headers = {"Authorization": f"Bearer {mutated}"} if in_header else {}
    response = get(url, "" if in_header else cookies(mutated), **headers)
    assert not response.wsgi_request.clerk.is_signed_in
    assert b"user_" not in response.content
    assert mutated not in str(response.headers)


# --- ASGI ---------------------------------------------------------------------------------


def async_get(url: str, cookie: str = "") -> Any:
    async def fetch() -> Any:
        # The asynchronous client has a host of its own, and would send both.
        headers = {"Sec-Fetch-Dest": "document", "Cookie": cookie}
        return await AsyncClient().get(url, secure=True, headers=headers)

    return asyncio.run(fetch())


@pytest.mark.parametrize("url", ["/who/", "/async/"])
def test_under_asgi_both_kinds_of_views_know_who_asks(url: str) -> None:
    assert async_get(url, cookies(token())).content == b"user_2admin"
    response = async_get(url, EXPIRED)
    assert response.content.startswith(b"nobody: session-token-expired")
    assert response.headers["Vary"] == "Cookie, Authorization"


@pytest.mark.parametrize(
    ("url", "paths"), [("/people/", None), ("/marked-class/", None), ("/async/", ["/async/"])]
)
def test_under_asgi_a_session_is_renewed_too(url: str, paths: Any, site: Any) -> None:
    site.ORG_INVITATIONS_HANDSHAKE_PATHS = paths
    response = async_get(url, EXPIRED)
    assert (response.status_code, response.headers["Cache-Control"]) == (307, "no-store")


def test_under_asgi_the_network_is_waited_for_in_a_thread(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops: list[bool] = []

    def in_a_loop(self: Any) -> dict[str, Any]:
        try:
            asyncio.get_running_loop()
            loops.append(True)
        except RuntimeError:
            loops.append(False)
        return {"keys": [jwk()]}

    site.CLERK_JWT_KEY = ""
    site.CACHES["default"]["LOCATION"] = "in a thread"
    monkeypatch.setattr(Backend, "get_jwks", in_a_loop)
    monkeypatch.setattr(ClerkSessionMiddleware, "get_backend", lambda self: Backend())
    assert async_get("/async/", cookies(token())).content == b"user_2admin"
    assert loops == [False]


def test_the_documentation_lists_every_difference() -> None:
    text = (Path(__file__).parents[1] / "docs" / "sessions.md").read_text()
    listed = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    assert [name for name in listed if "-" in name] == [entry.id for entry in DIFFERENCES]


def test_answers_stay_what_the_view_made_them() -> None:
    factory = RequestFactory(headers={"Host": "app.example.com"})
    middleware = ClerkSessionMiddleware(lambda request: JsonResponse({"a": 1}))
    assert json.loads(middleware(factory.get("/who/")).content) == {"a": 1}


# --- What must not be a 500 ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["iat", "exp", "nbf"])
@pytest.mark.parametrize("number", [10**400, -(10**400)])
def test_a_number_without_bounds_signs_nobody_in_and_breaks_nothing(name: str, number: int) -> None:
    claims: dict[str, Any] = {name: number}
    forged = token(**claims)
    unsigned = forged.rpartition(".")[0] + ".AAAA"
    for text in (forged, unsigned):
        response = Client().get("/who/", secure=True, headers={"Cookie": cookies(text)})
        assert response.status_code == 200
    assert b"user_2admin" not in response.content


def test_a_host_with_an_impossible_port_is_a_bad_request() -> None:
    assert get("/people/", EXPIRED, Host="app.example.com:99999").status_code == 400


def test_keys_are_not_fetched_in_an_event_loop(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading ``request.clerk`` there would hold up everybody: it says so instead."""
    site.CLERK_JWT_KEY = ""
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE", raising=False)
    monkeypatch.setattr(ClerkSessionMiddleware, "get_backend", lambda self: Backend())
    middleware = ClerkSessionMiddleware(lambda request: HttpResponse())

    async def read() -> None:
        with pytest.raises(SynchronousOnlyOperation, match="aclerk"):
            middleware._fetch_keys()

    asyncio.run(read())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_waits_for_no_lock_of_its_parents(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.CLERK_JWT_KEY = ""
    monkeypatch.setattr(ClerkSessionMiddleware, "get_backend", lambda self: Backend())
    get("/who/", cookies(token()))
    assert middleware_module._remote_keys
    child = os.fork()
    if child == 0:
        os._exit(len(middleware_module._remote_keys))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
