"""Somebody acts as another person: Clerk's impersonation."""

from __future__ import annotations

import logging
from typing import Any
from uuid import uuid4

import pytest

from org_invitations.emulator import Emulator
from org_invitations.models import Batch

from .conftest import LIST, Browser, pending, text_of
from .inviting import many, press, review_of, type_in

ACTOR = {"act": {"sub": "user_support"}}


@pytest.fixture
def support(sign_in: Any) -> Browser:
    """Support staff, who act as Ada."""
    browser: Browser = sign_in("ada@acme.test", "acme", claims=ACTOR)
    return browser


def test_who_really_sat_there_is_kept_and_shown(support: Browser, clerk: Emulator) -> None:
    sent = press(support, review_of(type_in(support, " ".join(many(2)))))
    assert Batch.objects.get().actor_id == "user_support"
    assert Batch.objects.get().user_id == clerk.user("ada@acme.test").id
    assert "one of user_support, who acted as you" in text_of(support.get(sent["Location"]))


def test_of_one_too(support: Browser) -> None:
    assert support.invite("new@example.com").status_code == 303
    assert Batch.objects.get().actor_id == "user_support"


def test_of_a_resend_and_of_a_selection_too(support: Browser, clerk: Emulator) -> None:
    first, second = clerk.invitations("acme", "pending")[:2]
    url = f"{LIST}{first.id}/resend/"
    batch = support.get(url).context["batch_id"]
    answer = {"role": first.role, "batch": batch, "seen": "pending", "confirm_elevated": "on"}
    assert support.post(url, answer).status_code == 303
    asked = support.post(f"{LIST}selected/", {"action": "revoke", "selected": [second.id]})
    question = {"action": "revoke", "selected": [second.id], "confirmed": "1"}
    support.post(f"{LIST}selected/", question | {"batch": asked.context["batch_id"]})
    assert [batch.actor_id for batch in Batch.objects.all()] == ["user_support"] * 2


def test_of_what_the_person_began_and_somebody_else_goes_on_with_too(
    ada: Browser, sign_in: Any, clerk: Emulator
) -> None:
    rows = clerk.invitations("acme", "pending")[:2]
    batch = str(uuid4())
    clerk.fault("POST", "*/revoke", times=None, status=429)
    question = {"action": "revoke", "selected": [row.id for row in rows], "confirmed": "1"}
    ada.post(f"{LIST}selected/", question | {"batch": batch})
    assert Batch.objects.get().actor_id == ""
    clerk.faults.clear()
    support = sign_in("ada@acme.test", "acme", claims=ACTOR)
    sent = support.post(f"{LIST}selected/", {"continue": "1", "batch": batch})
    assert Batch.objects.get().actor_id == "user_support"
    assert "one of user_support, who acted as you" in text_of(ada.get(sent["Location"]))


def test_a_revocation_which_keeps_nothing_is_logged(
    support: Browser, clerk: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="org_invitations")
    row = clerk.invitations("acme", "pending")[0]
    assert support.post(f"{LIST}{row.id}/revoke/").status_code == 303
    ada, acme = clerk.user("ada@acme.test").id, clerk.organization("acme").id
    assert f"user_support acts as {ada} in {acme}." in caplog.messages


def test_who_sits_there_as_themselves_is_nobodys_actor(ada: Browser) -> None:
    sent = press(ada, review_of(type_in(ada, " ".join(many(2)))))
    assert Batch.objects.get().actor_id == ""
    assert "acted as you" not in text_of(ada.get(sent["Location"]))


@pytest.mark.parametrize("act", [{}, {"sub": ""}, {"sub": 7}, {"sub": "x" * 300}])
def test_an_actor_without_a_usable_name_is_one_all_the_same(sign_in: Any, act: Any) -> None:
    browser: Browser = sign_in("ada@acme.test", "acme", claims={"act": act})
    browser.invite("new@example.com")
    assert Batch.objects.get().actor_id in ("unknown", "x" * 255)


@pytest.mark.parametrize("path", ["", "invite/", "check/", "selected/", "export/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_site_may_refuse_them(
    support: Browser, clerk: Emulator, settings: Any, path: str, method: str
) -> None:
    settings.ORG_INVITATIONS_ALLOW_IMPERSONATION = False
    before = pending(clerk)
    data = {"email_addresses": "new@example.com", "role": "org:member"}
    response = (
        support.post(f"{LIST}{path}", data) if method == "post" else support.get(f"{LIST}{path}")
    )
    assert response.status_code == 403
    assert "Your session acts as somebody else" in text_of(response)
    assert pending(clerk) == before
    assert clerk.requests == []


def test_who_is_refused_like_that_may_come_as_themselves(ada: Browser, settings: Any) -> None:
    settings.ORG_INVITATIONS_ALLOW_IMPERSONATION = False
    assert ada.get().status_code == 200
