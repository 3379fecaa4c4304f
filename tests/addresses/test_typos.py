"""Did you mean gmail.com?"""

from __future__ import annotations

import pytest

from org_invitations.addresses.typos import one_slip, suggest_for_address, suggest_for_text
from tests.corpus.providers import PROVIDERS


def test_a_slip_of_the_finger_is_noticed(subtests: pytest.Subtests) -> None:
    for typed, meant in [
        ("gmial.com", "gmail.com"),
        ("gamil.com", "gmail.com"),
        ("gmal.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("gmaik.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.cmo", "gmail.com"),
        ("gmail.comm", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmail.cm", "gmail.com"),
        ("gmail.om", "gmail.com"),
        ("gmial.con", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("hotmal.fr", "hotmail.fr"),
        ("hotmai.co.uk", "hotmail.co.uk"),
        ("yaho.com", "yahoo.com"),
        ("yahooo.de", "yahoo.de"),
        ("outlok.com", "outlook.com"),
        ("outloook.com", "outlook.com"),
        ("iclod.com", "icloud.com"),
        ("t-onlin.de", "t-online.de"),
        ("protonmial.ch", "protonmail.ch"),
        ("comcas.net", "comcast.net"),
        ("acme.con", "acme.com"),
        ("acme.nett", "acme.net"),
        ("acme.ogr", "acme.org"),
        ("mail.acme.con", "mail.acme.com"),
    ]:
        with subtests.test(typed=typed):
            assert suggest_for_address(f"Ana+Tag@{typed}") == f"Ana+Tag@{meant}"


def test_a_real_provider_is_no_slip(subtests: pytest.Subtests) -> None:
    for domain in PROVIDERS:
        with subtests.test(domain=domain):
            assert suggest_for_address(f"ana@{domain}") == ""


def test_the_list_of_real_providers_is_worth_the_name() -> None:
    assert len(PROVIDERS) > 600


def test_a_sign_before_an_address_is_noticed(subtests: pytest.Subtests) -> None:
    for typed in ["-ana@x.org", "=ana@x.org", "+ana@x.org", "//ana@x.org"]:
        with subtests.test(typed=typed):
            assert suggest_for_address(typed) == "ana@x.org"


def test_nothing_is_left_of_an_address_made_of_signs() -> None:
    assert suggest_for_address("+@x.org") == ""


def test_what_is_no_address_may_be_meant_as_one(subtests: pytest.Subtests) -> None:
    for typed, meant in [
        ("ana@acme,com", "ana@acme.com"),
        ("ana at x.org", "ana@x.org"),
        ("ana (at) x.org", "ana@x.org"),
        ("ana[at]x.org", "ana@x.org"),
        ("ana @ x.org", "ana@x.org"),
        ("ana at x dot org", "ana@x.org"),
        ("ana[at]x[dot]org", "ana@x.org"),
        ("ana@x..org", "ana@x.org"),
        ("ana@.x.org", "ana@x.org"),
        ("ana@gmail", "ana@gmail.com"),
        ("ana@gmailcom", "ana@gmail.com"),
        ("ana@gmial", "ana@gmail.com"),
        ("ana@t-online", "ana@t-online.de"),
        ("ana@x.org👍", "ana@x.org"),
        ('=HYPERLINK("mailto:ana@x.org"', "ana@x.org"),
        ("ａｎａ＠ｘ．ｏｒｇ", "ana@x.org"),
    ]:
        with subtests.test(typed=typed):
            assert meant in suggest_for_text(typed)


def test_where_nothing_can_be_guessed_nothing_is(subtests: pytest.Subtests) -> None:
    for typed in ["müller@x.org", "mü-ller@x.org", "a@b@c", "ana", "", "a" * 999]:
        with subtests.test(typed=typed):
            # A guess may be no address itself, as the first one's: "müller@x.org" in lower case.
            assert set(suggest_for_text(typed)) <= {typed}


def test_one_slip(subtests: pytest.Subtests) -> None:
    for typed, meant, one in [
        ("gmial", "gmail", True),
        ("gmai", "gmail", True),
        ("gmaill", "gmail", True),
        ("gmaol", "gmail", True),
        ("gmail", "gmail", False),
        ("gail", "gmail", True),
        ("mgail", "gmail", False),
        ("tmail", "gmail", False),
        ("gmlia", "gmail", False),
        ("gma", "gmail", False),
        ("", "gmail", False),
    ]:
        with subtests.test(typed=typed):
            assert one_slip(typed, meant) is one
