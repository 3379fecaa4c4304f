"""The publishable key names the instance, its Frontend API and the suffix of its cookies."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from org_invitations.clerk.session.publishable_key import (
    InvalidPublishableKey,
    cookie_suffix,
    parse_publishable_key,
)


@pytest.mark.parametrize(
    ("key", "suffix"),
    [
        ("pk_test_Y2xlcmsuY2xlcmsuZGV2JA", "QvfNY2dr"),
        ("pk_live_Y2xlcmsuY2xlcmsuZGV2JA", "1Z8AzTQD"),
        ("pk_test_ZW5vdWdoLWFscGFjYS04Mi5jbGVyay5hY2NvdW50cy5sY2xjbGVyay5jb20k", "jtYvyt_H"),
    ],
)
def test_the_suffix_is_the_one_of_clerks_own_vectors(key: str, suffix: str) -> None:
    assert cookie_suffix(key) == parse_publishable_key(key).cookie_suffix == suffix


def test_the_prefix_says_which_kind_of_instance_it_is() -> None:
    development = parse_publishable_key("pk_test_Y2xlcmsuY2xlcmsuZGV2JA")
    production = parse_publishable_key("pk_live_Y2xlcmsuY2xlcmsuZGV2JA==")
    assert (development.instance_type, development.is_development) == ("development", True)
    assert (production.instance_type, production.is_development) == ("production", False)
    assert development.frontend_api == production.frontend_api == "clerk.clerk.dev"


def test_the_key_is_hashed_as_configured_padding_and_all() -> None:
    assert cookie_suffix("pk_live_Y2xlcmsuY2xlcmsuZGV2JA==") != cookie_suffix(
        "pk_live_Y2xlcmsuY2xlcmsuZGV2JA"
    )


def test_anything_else_is_refused(subtests: pytest.Subtests) -> None:
    for key in [
        "",
        "pk_test_",
        "sk_test_Y2xlcmsuY2xlcmsuZGV2JA",
        "pk_prod_Y2xlcmsuY2xlcmsuZGV2JA",
        "pk_test_Y2xlcmsu_Y2xlcmsuZGV2JA",
        "pk_test_Y2xlcmsuY2xlcmsuZGV2",  # no dollar
        "pk_test_bG9jYWxob3N0JA",  # no dot
        "pk_test_YS5iJCQ",  # two dollars
        "pk_test_!!!!",
        "pk_test_/////w",
    ]:
        with subtests.test(key=key), pytest.raises(InvalidPublishableKey):
            parse_publishable_key(key)


@settings(deadline=None, max_examples=200)
@given(st.text())
def test_no_text_makes_it_fail_otherwise(text: str) -> None:
    for key in (text, f"pk_test_{text}"):
        with suppress(InvalidPublishableKey):
            parse_publishable_key(key)
