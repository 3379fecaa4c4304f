"""What ``manage.py check`` says about a site: one test for each id."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connections, router
from django.test import override_settings
from django.urls import include, path
from django.utils.translation import gettext_lazy

from org_invitations import checks
from org_invitations.emulator import JWT_KEY
from org_invitations.middleware import ClerkSessionMiddleware
from org_invitations.roles import GrantPolicy
from org_invitations.services import InvitationService
from org_invitations.urls import get_urls
from org_invitations.views import InviteView

LIVE = "pk_live_Y2xlcmsuZXhhbXBsZS50ZXN0JA"
SECRET = "sk_live_N0b0dyMayS33This"
SQLITE = {"ENGINE": "django.db.backends.sqlite3", "AUTOCOMMIT": True, "ATOMIC_REQUESTS": False}


def found(*, deploy: bool = False) -> list[CheckMessage]:
    messages = run_checks(tags=["org_invitations"], include_deployment_checks=deploy)
    return [message for message in messages if str(message.id).startswith("org_invitations.")]


def ids(**settings: Any) -> list[str]:
    """The ids, without the app's name, that ``manage.py check`` gives for these settings."""
    with override_settings(**settings):
        return [str(message.id).partition(".")[2] for message in found()]


def ids_on_deployment(**settings: Any) -> list[str]:
    with override_settings(**settings):
        return [str(message.id).partition(".")[2] for message in found(deploy=True)]


def without(name: str, setting: str) -> list[str]:
    return [entry for entry in getattr(django_settings, setting) if entry != name]


def test_a_site_that_is_set_up_hears_nothing() -> None:
    assert ids() == []
    assert ids_on_deployment(CLERK_AUTHORIZED_PARTIES=["https://app.test"]) == []


# --- Keys ----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", None, "  "])
def test_e001_no_secret_key_where_the_site_runs_and_w008_elsewhere(key: Any) -> None:
    assert ids(CLERK_SECRET_KEY=key) == ["W008"]
    parties = {"CLERK_AUTHORIZED_PARTIES": ["https://app.test"]}
    assert ids_on_deployment(CLERK_SECRET_KEY=key, **parties) == ["W008", "E001"]


@pytest.mark.parametrize("key", ["", None, "  "])
def test_e003_no_publishable_key_where_the_site_runs_and_w009_elsewhere(key: Any) -> None:
    assert ids(CLERK_PUBLISHABLE_KEY=key) == ["W009"]
    parties = {"CLERK_AUTHORIZED_PARTIES": ["https://app.test"]}
    assert ids_on_deployment(CLERK_PUBLISHABLE_KEY=key, **parties) == ["W009", "E003"]


def test_e002_a_secret_key_that_is_none(subtests: pytest.Subtests) -> None:
    for key in ["pk_test_abc", "sk_abc", "whsec_abc", "hello"]:
        with subtests.test(key=key):
            assert "E002" in ids(CLERK_SECRET_KEY=key)


def test_e003_a_publishable_key_that_cannot_be_used(subtests: pytest.Subtests) -> None:
    for key in ["nonsense", "pk_test_!!!!", "sk_test_abc", "pk_test_YWJj"]:
        with subtests.test(key=key):
            assert ids(CLERK_PUBLISHABLE_KEY=key) == ["E003"]


@pytest.mark.parametrize(
    "keys",
    [
        {"CLERK_SECRET_KEY": "sk_live_x"},
        {"CLERK_PUBLISHABLE_KEY": LIVE},
    ],
)
def test_e004_the_keys_of_different_instances(keys: dict[str, str]) -> None:
    assert ids(**keys) == ["E004"]
    assert ids(CLERK_SECRET_KEY="sk_live_x", CLERK_PUBLISHABLE_KEY=LIVE) == []


def test_w001_a_live_key_while_debugging() -> None:
    live = {"CLERK_SECRET_KEY": "sk_live_x", "CLERK_PUBLISHABLE_KEY": LIVE}
    assert ids(DEBUG=True, **live) == ["W001"]
    assert ids(DEBUG=True) == []


@pytest.mark.parametrize("pem", ["nonsense", "-----BEGIN PUBLIC KEY-----\nAAAA", "sk_test_x"])
def test_e015_a_public_key_that_is_none(pem: str) -> None:
    assert ids(CLERK_JWT_KEY=pem) == ["E015"]
    assert ids(CLERK_JWT_KEY=JWT_KEY) == []
    assert ids(CLERK_JWT_KEY=JWT_KEY.replace("\n", "\\n")) == []


@pytest.mark.parametrize("paths", [["people/"], ["/ok/", ""], "people"])
def test_e016_a_handshake_path_that_is_none(paths: Any) -> None:
    assert ids(ORG_INVITATIONS_HANDSHAKE_PATHS=paths) == ["E016"]
    assert ids(ORG_INVITATIONS_HANDSHAKE_PATHS=["/"]) == []


# --- URLs ----------------------------------------------------------------------------------

URLS = {
    "E005": "CLERK_API_URL",
    "E006": "CLERK_PROXY_URL",
    "E007": "CLERK_SIGN_IN_URL",
    "E008": "ORG_INVITATIONS_REDIRECT_URL",
}


def test_e005_to_e008_a_url_that_is_not_absolute_and_safe(subtests: pytest.Subtests) -> None:
    for message_id, setting in URLS.items():
        for url in [
            "http://clerk.test",
            "clerk.test",
            "/path",
            "//clerk.test",
            "ftp://x.test",
            "https://",
            "http://[::1",
        ]:
            with subtests.test(message_id=message_id, url=url):
                # A path is a page of the site's own.
                own = message_id in ("E006", "E007") and url == "/path"
                assert ids(**{setting: url}) == ([] if own else [message_id])


def test_a_url_is_safe_with_https_or_on_this_machine(subtests: pytest.Subtests) -> None:
    for setting in URLS.values():
        for url in [
            "https://clerk.test",
            "https://clerk.test:8443/x",
            "http://localhost:8900",
            "http://127.0.0.1:8900",
            "http://[::1]:8900",
        ]:
            with subtests.test(setting=setting, url=url):
                assert ids(**{setting: url}) == []


# --- Apps ----------------------------------------------------------------------------------


def test_e009_no_django_htmx() -> None:
    assert ids(INSTALLED_APPS=without("django_htmx", "INSTALLED_APPS")) == ["E009"]


def test_e010_no_middleware_unless_the_site_tells_who_asks() -> None:
    bare = {"MIDDLEWARE": without(checks.MIDDLEWARE, "MIDDLEWARE")}
    assert ids(**bare) == ["E010"]
    assert ids(**bare, ORG_INVITATIONS_IDENTITY=len) == []


class OwnMiddleware(ClerkSessionMiddleware):
    """A site's own."""


@pytest.mark.parametrize("name", ["tests.test_checks.OwnMiddleware", "tests.no.such", "os.getcwd"])
def test_a_middleware_may_be_one_that_the_site_has_made_of_it(name: str) -> None:
    others = without(checks.MIDDLEWARE, "MIDDLEWARE")
    assert ids(MIDDLEWARE=[*others, name]) == ([] if "Own" in name else ["E010"])


def test_e026_to_e028_where_and_how_people_join(subtests: pytest.Subtests) -> None:
    for message_id, setting, wrong, right in (
        (
            "E026",
            "ORG_INVITATIONS_JOIN_URL",
            ["/join/", "http://app.test/join/", "https://app.test/?a=b", "https://"],
            ["https://app.test/join", "http://localhost:8000/join/", ""],
        ),
        ("E027", "ORG_INVITATIONS_JOIN_WAYS", [["link", "mail"], "nothing"], [[], ["server"]]),
        (
            "E028",
            "CLERK_SIGN_UP_URL",
            ["http://app.test/", "//app.test/", "app.test"],
            ["/sign-up/", "https://accounts.app.test/sign-up"],
        ),
    ):
        for value in [*wrong, *right]:
            with subtests.test(setting=setting, value=value):
                assert ids(**{setting: value}) == ([message_id] if value in wrong else [])


def test_w010_where_nobody_can_join(subtests: pytest.Subtests) -> None:
    for where, there in (("join/", True), ("join", True), ("", False), ("invitations/", False)):
        with subtests.test(where=where):
            url = f"https://app.test/{where}"
            assert ids(ORG_INVITATIONS_JOIN_URL=url) == ([] if there else ["W010"])


DJANGOS_ENGINE = "django.template.backends.django.DjangoTemplates"


@pytest.mark.parametrize("engines", [[], [{"BACKEND": DJANGOS_ENGINE}]])
def test_e025_no_engine_that_finds_the_templates(engines: Any) -> None:
    assert ids(TEMPLATES=engines) == ["E025"]


def test_what_a_sites_own_template_gets_wrong_its_page_tells(tmp_path: Path) -> None:
    (tmp_path / "org_invitations").mkdir()
    (tmp_path / "org_invitations" / "base.html").write_text("{% nonsense %}")
    assert ids(TEMPLATES=[{"BACKEND": DJANGOS_ENGINE, "DIRS": [tmp_path]}]) == []


def test_w002_no_messages() -> None:
    apps = without("django.contrib.messages", "INSTALLED_APPS")
    assert ids(INSTALLED_APPS=apps) == ["W002"]


def test_w006_messages_without_their_middleware() -> None:
    name = "django.contrib.messages.middleware.MessageMiddleware"
    assert ids(MIDDLEWARE=without(name, "MIDDLEWARE")) == ["W006"]


def test_w003_no_static_files() -> None:
    apps = without("django.contrib.staticfiles", "INSTALLED_APPS")
    assert ids(INSTALLED_APPS=apps) == ["W003"]


def test_an_app_may_be_named_by_its_configuration() -> None:
    apps = without("django.contrib.staticfiles", "INSTALLED_APPS")
    apps.append("django.contrib.staticfiles.apps.StaticFilesConfig")
    assert ids(INSTALLED_APPS=apps) == []


# --- Numbers and the rest ------------------------------------------------------------------

BOUNDS = {
    "PAGE_SIZE": (1, 500),
    "EXPIRES_IN_DAYS": (1, 365),
    "KEEP_DAYS": (1, 365),
    "RESERVED_PERCENT": (0, 90),
    "MEMBERSHIP_CACHE_SECONDS": (0, 60),
    "ROLES_CACHE_SECONDS": (0, 86_400),
    "CONNECT_TIMEOUT": (0.01, 60),
    "READ_TIMEOUT": (0.01, 120),
    "REQUEST_SECONDS": (1, 600),
    "MAX_WAITING": (1, 1_000),
}

#: Time-outs that fit into every request.
FITTING = {"ORG_INVITATIONS_CONNECT_TIMEOUT": 0.1, "ORG_INVITATIONS_READ_TIMEOUT": 0.2}


def test_e011_a_number_out_of_bounds(subtests: pytest.Subtests) -> None:
    for name, (low, high) in BOUNDS.items():
        with subtests.test(name=name):
            setting = f"ORG_INVITATIONS_{name}"
            others = {} if "TIMEOUT" in name else FITTING
            for good in (low, high, None):
                assert set(ids(**{**others, setting: good})) <= {"W007"}
            wrong: list[Any] = [low - 1, high + 1, "5", True, float("nan"), 10**400, []]
            for bad in wrong:
                assert set(ids(**{**others, setting: bad})) - {"W007"} == {"E011"}, bad
            with override_settings(**{**others, setting: -1}):
                [message] = found()
            assert str(message.msg) == f"{setting} must be a number from {low} to {high}."
            assert message.obj == setting


def test_w007_time_outs_that_do_not_fit_into_a_request(subtests: pytest.Subtests) -> None:
    for connect, read, request_seconds, fits in [
        (2, 6, 24, True),
        (2, 6, 23.9, False),
        (3.05, 10, 25, False),
        (3.05, 10, 40, True),
        (None, None, None, True),
        (None, None, 20, False),
    ]:
        with subtests.test(connect=connect, read=read, request_seconds=request_seconds, fits=fits):
            times = {
                "ORG_INVITATIONS_CONNECT_TIMEOUT": connect,
                "ORG_INVITATIONS_READ_TIMEOUT": read,
                "ORG_INVITATIONS_REQUEST_SECONDS": request_seconds,
            }
            assert ids(**times) == ([] if fits else ["W007"])


def test_e012_an_identity_that_cannot_be_called(subtests: pytest.Subtests) -> None:
    for identity in ["nonsense", "no.such.module", "os.path", "os.sep", 5, ["os.getcwd"]]:
        with subtests.test(identity=identity):
            assert ids(ORG_INVITATIONS_IDENTITY=identity) == ["E012"]


@pytest.mark.parametrize("identity", ["os.getcwd", len])
def test_who_tells_who_asks_needs_no_publishable_key(identity: Any) -> None:
    assert ids(ORG_INVITATIONS_IDENTITY=identity, CLERK_PUBLISHABLE_KEY="") == []


def test_e013_a_cache_that_does_not_exist() -> None:
    assert ids(ORG_INVITATIONS_CACHE_ALIAS="nowhere") == ["E013"]


def test_e014_a_rule_of_granting_that_is_none(subtests: pytest.Subtests) -> None:
    for policy in [
        "nonsense",
        "no.such.Module",
        "org_invitations.roles.Nothing",
        "builtins.dict",
        int,
        0,
        [],
    ]:
        with subtests.test(policy=policy):
            assert ids(ORG_INVITATIONS_GRANT_POLICY=policy) == ["E014"]


def test_a_rule_of_granting_may_be_named_or_given(subtests: pytest.Subtests) -> None:
    for policy in ["org_invitations.roles.GrantPolicy", GrantPolicy, "", None]:
        with subtests.test(policy=policy):
            assert ids(ORG_INVITATIONS_GRANT_POLICY=policy) == []


SWITCHES = [f"ORG_INVITATIONS_{n}" for n in ("MARK_INVITATIONS", "AZP_HANDSHAKE")]
SWITCHES += ["ORG_INVITATIONS_ALLOW_IMPERSONATION"]


def test_e024_a_switch_that_is_neither_on_nor_off(subtests: pytest.Subtests) -> None:
    for value in ["False", 2, 0, []]:
        for name in SWITCHES:
            with subtests.test(name=name, value=value):
                assert ids(**{name: value}) == ["E024"]


@pytest.mark.django_db  # with workers a newer Django asks it whether one was seen
def test_a_switch_is_on_or_off(subtests: pytest.Subtests) -> None:
    for value in [True, False, None]:
        for name in SWITCHES:
            with subtests.test(name=name, value=value):
                assert ids(**{name: value}) == []


@pytest.mark.django_db
def test_e029_what_begins_no_turn_of_a_worker(subtests: pytest.Subtests) -> None:
    for value in ["False", "mysite.nothing", "django", 2, 0, [], "tests.test_checks.NO_PAIRS"]:
        with subtests.test(value=value):
            assert ids(ORG_INVITATIONS_BACKGROUND=value) == ["E029"]
    for value in [True, False, None, "", print, "builtins.print"]:
        with subtests.test(value=value):
            assert ids(ORG_INVITATIONS_BACKGROUND=value) == []


NO_PAIRS: list[Any] = [
    "de",
    5,
    ["de"],
    [("de",)],
    [("de", "German", "Deutsch")],
    [(5, "Five")],
    [("https://app.test", 5)],
    [("", "Nothing")],
    {"https://app.test": "The app"},
    [("https://app.test", "The app"), None],
]


def test_e017_languages_that_are_no_pairs(subtests: pytest.Subtests) -> None:
    for languages in NO_PAIRS:
        with subtests.test(languages=languages):
            assert ids(ORG_INVITATIONS_LANGUAGES=languages) == ["E017"]


def test_e018_places_that_are_no_urls_or_no_pairs(subtests: pytest.Subtests) -> None:
    for urls in [
        *NO_PAIRS,
        [("/welcome", "Here")],
        [("app.test", "The app")],
        [("http://app.test", "The app")],
        [("javascript:alert(1)", "The app")],
    ]:
        with subtests.test(urls=urls):
            assert ids(ORG_INVITATIONS_REDIRECT_URLS=urls) == ["E018"]


def test_a_site_need_not_offer_languages_or_places(subtests: pytest.Subtests) -> None:
    cases: list[Any] = [None, "", [], ()]
    for nothing in cases:
        with subtests.test(nothing=nothing):
            assert (
                ids(ORG_INVITATIONS_LANGUAGES=nothing, ORG_INVITATIONS_REDIRECT_URLS=nothing) == []
            )


def test_languages_and_places_are_pairs_and_their_names_may_be_translated() -> None:
    name = gettext_lazy("Member")
    languages: Any = [("de", name), ["pt-br", "Português"]]
    urls: Any = (("https://app.test/welcome", name), ["http://localhost:8000/", "Here"])
    assert ids(ORG_INVITATIONS_LANGUAGES=languages, ORG_INVITATIONS_REDIRECT_URLS=urls) == []


def test_e019_no_database_to_keep_outcomes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    no_database(monkeypatch)
    assert ids() == ["E019"]


def test_the_outcomes_may_be_kept_in_another_database(monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere:
        def db_for_write(self, model: Any, **hints: Any) -> str:
            return "elsewhere"

    found = {
        "default": SimpleNamespace(settings_dict={**SQLITE, "ENGINE": "django.db.backends.dummy"}),
        "elsewhere": SimpleNamespace(settings_dict=SQLITE),
    }
    monkeypatch.setattr(checks, "connections", found)
    assert ids() == ["E019"]
    monkeypatch.setattr(router, "routers", [Elsewhere()])
    assert ids() == []


class Parting:
    """A router that keeps the two tables apart, in one way or another."""

    def __init__(self, **ways: Any) -> None:
        self.ways = ways

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return str(self.ways.get(model.__name__, "default"))

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return self.ways.get("migrate")

    def allow_relation(self, *objects: Any, **hints: Any) -> bool | None:
        return self.ways.get("relation")


def part_tables(patch: pytest.MonkeyPatch, **ways: Any) -> None:
    found = {name: SimpleNamespace(settings_dict=SQLITE) for name in ("default", "other")}
    patch.setattr(checks, "connections", found)
    patch.setattr(router, "routers", [Parting(**(ways or {"migrate": False}))])


def commit_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(connections["default"].settings_dict, "AUTOCOMMIT", False)


def wrap_in_transactions(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)


@pytest.mark.parametrize(
    "ways",
    [
        *({name: "other"} for name in ("BatchItem", "CallSlot", "Heartbeat", "Draft")),
        {"migrate": False},
        {"relation": False},
    ],
)
def test_e020_a_router_that_parts_what_belongs_together(
    ways: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    part_tables(monkeypatch, **ways)
    assert ids() == ["E020"]
    monkeypatch.setattr(router, "routers", [Parting()])
    assert ids() == []


def test_a_router_to_a_database_that_there_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router, "routers", [Parting(Batch="lost", BatchItem="lost")])
    assert ids() == ["E019"]


def test_e021_a_database_that_commits_nothing_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    commit_nothing(monkeypatch)
    assert ids() == ["E021"]


def test_e022_a_view_inside_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    wrap_in_transactions(monkeypatch)
    assert ids() == []  # the app's own views are not
    assert ids(ROOT_URLCONF=inside) == ["E022"]


class inside:  # a URLconf
    mounted = InviteView.as_view()
    mounted._non_atomic_requests = {"replica"}  # type: ignore[attr-defined]
    urlpatterns = [path("invite/", mounted), path("invitations/", include("tests.urls"))]


class hidden:  # a URLconf with classes that no other process can find
    class Service(InvitationService):
        """Is not at the top of a module."""

    class Policy(GrantPolicy):
        """Is, by its name, but cannot be made without more."""

        def __init__(self, more: str) -> None:
            """Want something."""

    Service.__qualname__ = "Service"
    pages = type("Pages", (), {"service_class": Service, "grant_policy_class": Policy})
    urlpatterns = [path("invitations/", include(get_urls(pages)))]


hidden_policy = hidden.Policy
hidden_policy.__qualname__ = "hidden_policy"


@pytest.mark.django_db  # as above
def test_e030_classes_that_no_worker_would_find() -> None:
    assert ids(ROOT_URLCONF=hidden) == []  # nothing is left to workers
    on = {"ORG_INVITATIONS_BACKGROUND": True}
    assert ids(**on) == []
    # Once for each class, not for each of the pages.
    assert ids(ROOT_URLCONF=hidden, **on) == ["E030", "E030"]
    with override_settings(ROOT_URLCONF=hidden, **on):
        service, policy = (str(message) for message in checks.check_mounts())
    assert "tests.test_checks.Service cannot be imported by that name" in service
    assert "tests.test_checks.hidden_policy needs arguments" in policy


def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where ``DATABASES`` is empty: Django then puts a dummy into it."""
    found = connections["default"].settings_dict
    monkeypatch.setitem(found, "ENGINE", "django.db.backends.dummy")


def test_e023_a_party_that_browsers_spell_otherwise(subtests: pytest.Subtests) -> None:
    for party, origin in [
        ("https://app.test/", "https://app.test"),
        ("https://app.test//", "https://app.test"),
        ("https://app.test/x?y#z", "https://app.test"),
        ("https://APP.test", "https://app.test"),
        ("HTTPS://app.test", "https://app.test"),
        (" https://app.test ", "https://app.test"),
        ("https://app.test:443", "https://app.test"),
        ("http://app.test:80/", "http://app.test"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("https://ada:secret@app.test", "https://app.test"),
    ]:
        with subtests.test(party=party, origin=origin):
            wrong = {"CLERK_AUTHORIZED_PARTIES": ["https://a.test", party]}
            with override_settings(**wrong):
                (message,) = found()
            assert message.id == "org_invitations.E023"
            assert f"Write '{origin}'" in str(message.hint)
            assert ids(CLERK_AUTHORIZED_PARTIES=[origin]) == []
            assert ids(**wrong, ORG_INVITATIONS_IDENTITY=len) == []


# --- On deployment -------------------------------------------------------------------------


def test_w004_any_origin_is_accepted() -> None:
    assert ids_on_deployment() == ["W004"]
    assert ids() == []
    assert ids_on_deployment(ORG_INVITATIONS_IDENTITY=len) == []


def test_w005_a_party_that_is_no_origin(subtests: pytest.Subtests) -> None:
    for party in ["app.test", "https://", "http://[::1", "https://a:port", 5]:
        with subtests.test(party=party):
            assert ids_on_deployment(CLERK_AUTHORIZED_PARTIES=["https://a.test", party]) == ["W005"]


# --- All of them ---------------------------------------------------------------------------

BROKEN: list[dict[str, Any]] = [
    {"CLERK_JWT_KEY": SECRET},
    {"ORG_INVITATIONS_HANDSHAKE_PATHS": ["people/"]},
    {"MIDDLEWARE": ["org_invitations.middleware.ClerkSessionMiddleware"]},
    {"CLERK_SECRET_KEY": ""},
    {"CLERK_PUBLISHABLE_KEY": ""},
    {"TEMPLATES": []},
    {"CLERK_SECRET_KEY": SECRET.replace("sk_", "xx_")},
    {"CLERK_SECRET_KEY": SECRET, "CLERK_PUBLISHABLE_KEY": SECRET},
    {"CLERK_SECRET_KEY": SECRET},
    {"CLERK_SECRET_KEY": SECRET, "CLERK_PUBLISHABLE_KEY": LIVE, "DEBUG": True},
    *({setting: f"http://{SECRET}@clerk.test/{SECRET}"} for setting in URLS.values()),
    {"INSTALLED_APPS": ["org_invitations"], "MIDDLEWARE": []},
    {"ORG_INVITATIONS_PAGE_SIZE": SECRET},
    {"ORG_INVITATIONS_LANGUAGES": [SECRET]},
    {"ORG_INVITATIONS_REDIRECT_URLS": [(f"http://{SECRET}@clerk.test/{SECRET}", SECRET)]},
    {"ORG_INVITATIONS_IDENTITY": SECRET},
    {"ORG_INVITATIONS_GRANT_POLICY": SECRET},
    {"ORG_INVITATIONS_CACHE_ALIAS": "nowhere"},
    {"CLERK_AUTHORIZED_PARTIES": [SECRET]},
    {"CLERK_AUTHORIZED_PARTIES": [f"https://{SECRET}@app.test/{SECRET}"]},
    {"CLERK_AUTHORIZED_PARTIES": []},
    {"ORG_INVITATIONS_REQUEST_SECONDS": 1},
    {"ORG_INVITATIONS_MARK_INVITATIONS": SECRET},
    {"ORG_INVITATIONS_JOIN_URL": f"http://{SECRET}@app.test/"},
    {"ORG_INVITATIONS_JOIN_WAYS": [SECRET]},
    {"CLERK_SIGN_UP_URL": f"http://{SECRET}@app.test/"},
    {"ORG_INVITATIONS_JOIN_URL": f"https://app.test/{SECRET}/"},
    {"ORG_INVITATIONS_BACKGROUND": SECRET},
]


@pytest.mark.django_db  # as above
def test_every_id_has_a_hint_and_no_message_tells_a_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = set()
    no_database(monkeypatch)
    for settings in BROKEN:
        with override_settings(**settings):
            for message in found(deploy=True):
                seen.add(str(message.id))
                assert message.hint
                assert "N0b0dy" not in f"{message} {message!r}"
    monkeypatch.undo()
    for broken in (part_tables, commit_nothing, wrap_in_transactions):
        with pytest.MonkeyPatch.context() as patch, override_settings(ROOT_URLCONF=inside):
            broken(patch)
            for message in found():
                seen.add(str(message.id))
                assert message.hint
    with monkeypatch.context() as patch, override_settings(ORG_INVITATIONS_BACKGROUND=True):
        patch.setattr(checks, "is_missed", lambda instance: True)
        [message] = checks.check_worker(databases=["default"])
        seen.add(str(message.id))
        assert message.hint
        with override_settings(ROOT_URLCONF=hidden):
            for message in checks.check_mounts():
                seen.add(str(message.id))
                assert message.hint
    # Whatever id the module has is among them, so none is forgotten here.
    source = Path(checks.__file__).read_text()
    assert seen == set(re.findall(r"org_invitations\.[EW]\d{3}", source))


@pytest.mark.django_db  # as above
def test_nothing_is_asked_of_the_network(
    subtests: pytest.Subtests, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a check used the network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    for settings in BROKEN:
        with subtests.test(settings=settings), override_settings(**settings):
            found(deploy=True)


@pytest.mark.django_db  # From 6.1 Django asks the database whether it has JSON fields.
def test_manage_py_check_runs_them() -> None:
    call_command("check")
    with override_settings(CLERK_SECRET_KEY="hello"), pytest.raises(SystemCheckError) as caught:
        call_command("check")
    assert "org_invitations.E002" in str(caught.value)
    with override_settings(CLERK_SECRET_KEY="hello"), pytest.raises(SystemCheckError):
        call_command("check", "--tag", "org_invitations")


@pytest.mark.django_db
def test_a_build_without_keys_is_not_stopped() -> None:
    with override_settings(CLERK_SECRET_KEY="", CLERK_PUBLISHABLE_KEY=""):
        call_command("check")
        with pytest.raises(SystemCheckError):
            call_command("check", deploy=True)
