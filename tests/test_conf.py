"""Every setting: its default, a value, and what becomes of nonsense."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import override_settings
from django.utils.translation import gettext_lazy, override

from org_invitations import conf as conf_module
from org_invitations.conf import Conf, conf

NAN, INF, HUGE = float("nan"), float("inf"), 10**400


def put(setting: str, value: Any) -> override_settings:
    return override_settings(**{setting: value})


def own_name(name: str) -> str:
    """The setting behind a property."""
    clerks = name.startswith("CLERK_") or name in DJANGOS
    return name if clerks else f"ORG_INVITATIONS_{name}"


DJANGOS = (
    "DEBUG",
    "INSTALLED_APPS",
    "MIDDLEWARE",
    "CACHES",
    "CSRF_FAILURE_VIEW",
    "DATA_UPLOAD_MAX_NUMBER_FIELDS",
)
#: What is made of several of Django's own.
MADE = ("SECRET_KEYS",)
PROPERTIES = [name for name, value in vars(Conf).items() if isinstance(value, property)]

DEFAULTS: dict[str, Any] = {
    "CLERK_SECRET_KEY": "",
    "CLERK_PUBLISHABLE_KEY": "",
    "CLERK_JWT_KEY": "",
    "CLERK_API_URL": "https://api.clerk.com",
    "CLERK_PROXY_URL": "",
    "CLERK_SIGN_IN_URL": "",
    "CLERK_SIGN_UP_URL": "",
    "CLERK_AUTHORIZED_PARTIES": (),
    "PAGE_SIZE": 25,
    "CONNECT_TIMEOUT": 2.0,
    "READ_TIMEOUT": 6.0,
    "REQUEST_SECONDS": 25.0,
    "MAX_WAITING": 4,
    "REDIRECT_URL": "",
    "REDIRECT_URLS": (),
    "JOIN_URL": "",
    "JOIN_WAYS": ("link", "script", "server"),
    "JOIN_CHECKS_INVITER": False,
    "LANGUAGES": (),
    "EXPIRES_IN_DAYS": None,
    "ROLES_CACHE_SECONDS": 60,
    "MEMBERSHIP_CACHE_SECONDS": 60,
    "CACHE_ALIAS": "default",
    "KEEP_DAYS": 30,
    "RESERVED_PERCENT": 10,
    "BACKGROUND": False,
    "MARK_INVITATIONS": True,
    "ALLOW_IMPERSONATION": True,
    "HANDSHAKE_PATHS": None,
    "AZP_HANDSHAKE": True,
    "IDENTITY": "",
    "GRANT_POLICY": "",
}


def test_every_setting_of_the_app_has_its_default_here() -> None:
    assert set(DEFAULTS) == set(PROPERTIES) - {*DJANGOS, *MADE}


def test_what_a_site_does_not_set_has_its_default(subtests: pytest.Subtests) -> None:
    for name, default in DEFAULTS.items():
        with subtests.test(name=name), override_settings():
            if hasattr(django_settings, own_name(name)):
                delattr(django_settings, own_name(name))
            assert getattr(conf, name) == default


# --- Texts ---------------------------------------------------------------------------------


def test_a_text_is_taken_without_the_blanks_around_it(subtests: pytest.Subtests) -> None:
    for name in ["CLERK_SECRET_KEY", "CLERK_PUBLISHABLE_KEY", "CLERK_SIGN_IN_URL", "REDIRECT_URL"]:
        with subtests.test(name=name), put(own_name(name), " value\n"):
            assert getattr(conf, name) == "value"


def test_what_is_no_text_counts_as_not_set(subtests: pytest.Subtests) -> None:
    nonsense: Any
    for nonsense in [None, 5, b"bytes", ["x"], object()]:
        for name in [
            name
            for name, value in DEFAULTS.items()
            if value == "" and name not in ("IDENTITY", "GRANT_POLICY")
        ]:
            with subtests.test(nonsense=nonsense, name=name), put(own_name(name), nonsense):
                assert getattr(conf, name) == ""


def test_the_public_key_may_be_written_in_one_line() -> None:
    with put("CLERK_JWT_KEY", "-----BEGIN PUBLIC KEY-----\\nabc\\n-----END PUBLIC KEY-----"):
        assert conf.CLERK_JWT_KEY == "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----"


def test_the_address_of_the_api_is_meant_without_its_version(subtests: pytest.Subtests) -> None:
    for value, meant in [
        ("https://clerk.test", "https://clerk.test"),
        ("https://clerk.test/", "https://clerk.test"),
        ("https://clerk.test/v1", "https://clerk.test"),
        ("https://clerk.test/v1/", "https://clerk.test"),
        ("", "https://api.clerk.com"),
        (None, "https://api.clerk.com"),
        (5, "https://api.clerk.com"),
    ]:
        with subtests.test(value=value, meant=meant), put("CLERK_API_URL", value):
            assert meant == conf.CLERK_API_URL


def test_the_proxy_is_meant_without_the_slash_at_its_end() -> None:
    with put("CLERK_PROXY_URL", "https://app.test/__clerk/"):
        assert conf.CLERK_PROXY_URL == "https://app.test/__clerk"


@pytest.mark.parametrize(("value", "meant"), [("redis", "redis"), ("", "default"), (5, "default")])
def test_the_cache_has_a_name(value: Any, meant: str) -> None:
    with put("ORG_INVITATIONS_CACHE_ALIAS", value):
        assert meant == conf.CACHE_ALIAS


# --- Lists of texts ------------------------------------------------------------------------


def test_a_list_may_be_a_tuple_or_a_single_text(subtests: pytest.Subtests) -> None:
    for value, meant in [
        (["https://a.test", "https://b.test"], ("https://a.test", "https://b.test")),
        (("https://a.test",), ("https://a.test",)),
        ("https://a.test", ("https://a.test",)),
    ]:
        for name in ["CLERK_AUTHORIZED_PARTIES", "HANDSHAKE_PATHS"]:
            with subtests.test(name=name, value=value, meant=meant), put(own_name(name), value):
                assert getattr(conf, name) == meant


def test_nonsense_does_not_open_the_site_to_every_party(subtests: pytest.Subtests) -> None:
    for nonsense in [5, [None], ["", 5], object(), [["https://a.test"]]]:
        with subtests.test(nonsense=nonsense):
            with put("CLERK_AUTHORIZED_PARTIES", nonsense):
                parties = conf.CLERK_AUTHORIZED_PARTIES
            assert parties  # an empty one would let every origin in
            assert all(isinstance(party, str) for party in parties)
            assert "https://a.test" not in parties


@pytest.mark.parametrize("value", [["https://a.test/"], "https://a.test/", ["https://a.test//"]])
def test_a_slash_after_a_party_is_left_out(value: Any) -> None:
    with put("CLERK_AUTHORIZED_PARTIES", value):
        assert conf.CLERK_AUTHORIZED_PARTIES == ("https://a.test",)


def test_a_slash_alone_is_a_party_that_nobody_is() -> None:
    with put("CLERK_AUTHORIZED_PARTIES", ["/"]):
        assert conf.CLERK_AUTHORIZED_PARTIES == ("/",)


@pytest.mark.parametrize(
    ("value", "meant"), [(False, False), (True, True), (None, True), (0, True), ("no", True)]
)
def test_a_handshake_for_a_token_without_azp_is_switched_off_by_false(
    value: Any, *, meant: bool
) -> None:
    with put("ORG_INVITATIONS_AZP_HANDSHAKE", value):
        assert conf.AZP_HANDSHAKE is meant


def test_no_parties_are_no_parties(subtests: pytest.Subtests) -> None:
    cases: list[Any] = [None, "", [], ()]
    for nothing in cases:
        with subtests.test(nothing=nothing), put("CLERK_AUTHORIZED_PARTIES", nothing):
            assert conf.CLERK_AUTHORIZED_PARTIES == ()


def test_an_empty_list_of_paths_is_not_the_same_as_none() -> None:
    with put("ORG_INVITATIONS_HANDSHAKE_PATHS", []):
        assert list(conf.HANDSHAKE_PATHS or ["none"]) == ["none"]
        assert conf.HANDSHAKE_PATHS is not None
    with put("ORG_INVITATIONS_HANDSHAKE_PATHS", 5):
        assert list(conf.HANDSHAKE_PATHS or ()) == ["5"]


# --- Choices -------------------------------------------------------------------------------


def test_choices_are_pairs_in_the_order_in_which_they_are_written(
    subtests: pytest.Subtests,
) -> None:
    for name in ["LANGUAGES", "REDIRECT_URLS"]:
        for value, meant in [
            ([("de", "German")], (("de", "German"),)),
            ((["de", "German"], ("fr", "French")), (("de", "German"), ("fr", "French"))),
            # What is no pair is left out; a check says so.
            ([("de", "German"), "fr", ("it",), None], (("de", "German"),)),
            ("de", ()),
            (5, ()),
            (None, ()),
            ([], ()),
        ]:
            with subtests.test(name=name, value=value), put(own_name(name), value):
                assert getattr(conf, name) == meant


def test_the_name_of_a_choice_is_translated_when_it_is_shown() -> None:
    with put("ORG_INVITATIONS_LANGUAGES", [("de", gettext_lazy("Role"))]):
        [(_, name)] = conf.LANGUAGES
        with override("de"):
            assert str(name) == "Rolle"
        with override("en"):
            assert str(name) == "Role"


# --- Numbers -------------------------------------------------------------------------------


def test_a_number_is_kept_within_its_bounds(subtests: pytest.Subtests) -> None:
    for name, value, used in [
        ("PAGE_SIZE", 25, 25),
        ("PAGE_SIZE", 0, 1),
        ("PAGE_SIZE", -5, 1),
        ("PAGE_SIZE", 501, 500),
        ("EXPIRES_IN_DAYS", 7, 7),
        ("EXPIRES_IN_DAYS", 0, 1),
        ("EXPIRES_IN_DAYS", 366, 365),
        ("ROLES_CACHE_SECONDS", 300, 300),
        ("ROLES_CACHE_SECONDS", 0, 0),
        ("ROLES_CACHE_SECONDS", -1, 0),
        ("ROLES_CACHE_SECONDS", 100_000, 86_400),
        ("MEMBERSHIP_CACHE_SECONDS", 10, 10),
        ("MEMBERSHIP_CACHE_SECONDS", 0, 0),
        ("MEMBERSHIP_CACHE_SECONDS", -1, 0),
        ("MEMBERSHIP_CACHE_SECONDS", 61, 60),
        ("KEEP_DAYS", 7, 7),
        ("KEEP_DAYS", 0, 1),
        ("KEEP_DAYS", -1, 1),
        ("KEEP_DAYS", 366, 365),
        ("RESERVED_PERCENT", 0, 0),
        ("RESERVED_PERCENT", -1, 0),
        ("RESERVED_PERCENT", 91, 90),
        ("CONNECT_TIMEOUT", 1, 1.0),
        ("CONNECT_TIMEOUT", 0.5, 0.5),
        ("CONNECT_TIMEOUT", 0, 0.01),
        ("CONNECT_TIMEOUT", -1, 0.01),
        ("CONNECT_TIMEOUT", 1_000, 60.0),
        ("READ_TIMEOUT", 2, 2.0),
        ("READ_TIMEOUT", 0, 0.01),
        ("READ_TIMEOUT", -0.5, 0.01),
        ("READ_TIMEOUT", 1_000, 120.0),
        ("MAX_WAITING", 8, 8),
        ("MAX_WAITING", 0, 1),
        ("MAX_WAITING", 5_000, 1_000),
        ("REQUEST_SECONDS", 55, 55.0),
        ("REQUEST_SECONDS", 0, 1.0),
        ("REQUEST_SECONDS", 3_600, 600.0),
    ]:
        with subtests.test(name=name):
            with put(own_name(name), value):
                found = getattr(conf, name)
            assert found == used
            assert type(found) is type(used)


def test_what_is_no_number_means_the_default(subtests: pytest.Subtests) -> None:
    nonsense: Any
    for nonsense in ["10", None, True, [], b"1", 1j]:
        for name in [
            "PAGE_SIZE",
            "ROLES_CACHE_SECONDS",
            "MEMBERSHIP_CACHE_SECONDS",
            "KEEP_DAYS",
            "RESERVED_PERCENT",
            "CONNECT_TIMEOUT",
            "READ_TIMEOUT",
            "REQUEST_SECONDS",
            "MAX_WAITING",
        ]:
            with subtests.test(nonsense=nonsense, name=name), put(own_name(name), nonsense):
                assert getattr(conf, name) == DEFAULTS[name]


def test_a_time_out_that_no_socket_takes_means_the_default(subtests: pytest.Subtests) -> None:
    for name in ["CONNECT_TIMEOUT", "READ_TIMEOUT", "REQUEST_SECONDS"]:
        for nonsense in [NAN, INF, -INF, HUGE]:
            with subtests.test(nonsense=nonsense, name=name), put(own_name(name), nonsense):
                assert getattr(conf, name) == DEFAULTS[name]


@pytest.mark.parametrize("nonsense", ["10", True, 1.5])
def test_an_expiry_that_is_no_number_of_days_is_clerks_own(nonsense: Any) -> None:
    with put("ORG_INVITATIONS_EXPIRES_IN_DAYS", nonsense):
        assert conf.EXPIRES_IN_DAYS == 30


# --- The rest ------------------------------------------------------------------------------


def test_who_asks_may_be_told_by_a_callable_or_its_name() -> None:
    for value in ("mysite.identity", len):
        with put("ORG_INVITATIONS_IDENTITY", value):
            assert value == conf.IDENTITY
    with put("ORG_INVITATIONS_IDENTITY", None):
        assert conf.IDENTITY == ""


def test_the_rule_of_granting_is_passed_on_as_it_is_written(subtests: pytest.Subtests) -> None:
    for value in ["mysite.grants.Ours", int, 0, False, []]:
        with subtests.test(value=value):
            # A mistake must be seen as one, and not taken for "not set".
            with put("ORG_INVITATIONS_GRANT_POLICY", value):
                assert conf.GRANT_POLICY is value
            with put("ORG_INVITATIONS_GRANT_POLICY", None):
                assert conf.GRANT_POLICY == ""


def test_invitations_carry_a_mark_unless_the_site_says_no(subtests: pytest.Subtests) -> None:
    for value, used in [(True, True), (False, False), (None, True), ("no", True), (0, True)]:
        with subtests.test(value=value, used=used), put("ORG_INVITATIONS_MARK_INVITATIONS", value):
            assert conf.MARK_INVITATIONS is used


def test_who_acts_as_somebody_gets_in_only_where_the_site_says_so(
    subtests: pytest.Subtests,
) -> None:
    for value, used in [(True, True), (False, False), (None, True), ("no", False), (0, False)]:
        with (
            subtests.test(value=value, used=used),
            put("ORG_INVITATIONS_ALLOW_IMPERSONATION", value),
        ):
            assert conf.ALLOW_IMPERSONATION is used


def test_djangos_own_settings_are_read_as_they_are_now(subtests: pytest.Subtests) -> None:
    for name in DJANGOS:
        with subtests.test(name=name):
            new: Any = {
                "DEBUG": True,
                "CACHES": {"default": {}},
                "CSRF_FAILURE_VIEW": "site.views.forged",
                "DATA_UPLOAD_MAX_NUMBER_FIELDS": 7,
            }.get(name, ["django.contrib.messages"])
            with put(name, new):
                found = getattr(conf, name)
            assert found == (tuple(new) if isinstance(new, list) else new)


def test_the_checks_see_a_setting_as_the_site_wrote_it() -> None:
    with put("ORG_INVITATIONS_PAGE_SIZE", "ten"):
        assert conf.get_raw("ORG_INVITATIONS_PAGE_SIZE") == "ten"
    assert conf.get_raw("ORG_INVITATIONS_NO_SUCH_THING") is None


def test_the_keys_are_djangos_the_present_one_first() -> None:
    with put("SECRET_KEY", "new"), put("SECRET_KEY_FALLBACKS", ["old"]):
        assert list(conf.SECRET_KEYS) == ["new", "old"]


def test_every_setting_is_documented_with_its_default() -> None:
    for name in set(PROPERTIES) - {*DJANGOS, *MADE}:
        text = getattr(Conf, name).__doc__ or ""
        assert "Default: " in text, name
        if not name.startswith("CLERK_"):
            assert f"``ORG_INVITATIONS_{name}``" in text


def test_nothing_is_read_while_the_module_is_imported() -> None:
    tree = ast.parse(Path(conf_module.__file__).read_text())
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.ImportFrom)):
            continue
        names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
        assert "settings" not in names
