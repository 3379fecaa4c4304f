"""What is said of an error is so: whether anything was done, and whether anybody wanted it done."""

from __future__ import annotations

import json
import re
from itertools import product
from typing import Any
from uuid import uuid4

import pytest

from org_invitations.clerk import exceptions as exc
from org_invitations.emulator import Emulator
from org_invitations.wording import Stage, Wording

from .conftest import LIST, Browser, text_of

LISTED = "org-invitations-list"
FORM = "org-invitations-form"
DIALOG = "org-invitations-dialog"
CHECK = "org-invitations-check"

#: What nobody may say who does not know it.
NOTHING_DONE = re.compile(r"nothing was (changed|done|sent|revoked)", re.IGNORECASE)

FAULTS: dict[str, dict[str, Any]] = {
    "401": {"status": 401, "body": json.dumps({"errors": [{"code": "clerk_key_invalid"}]})},
    "403": {"status": 403, "body": json.dumps({"errors": [{"code": "invented"}]})},
    "429": {"status": 429, "headers": {"Retry-After": "9"}, "body": "{}"},
    "429 without a time": {"status": 429, "body": "{}"},
    "500": {"status": 500},
    "503": {"status": 503},
    "dropped": {"drop": "before"},
    "not Clerk's": {"garbage": "html"},
}


#: An answer of Clerk's, one that says when, and none.
SOME = ("403", "429", "dropped")


@pytest.fixture(
    params=[
        pytest.param(fault, id=name, marks=() if name in SOME else pytest.mark.exhaustive)
        for name, fault in FAULTS.items()
    ]
)
def fault(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What goes wrong, as the emulator is told it."""
    return dict(request.param)


# --- Something was read --------------------------------------------------------------------------


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("target", "name"),
    # A fragment says the same as the page: of one answer of Clerk's, and of none.
    [*product([None], FAULTS), *product([LISTED, DIALOG], ["403", "dropped"])],
)
def test_a_get_never_says_that_nothing_was_done(
    ada: Browser, clerk: Emulator, target: str | None, name: str
) -> None:
    fault = FAULTS[name]
    clerk.configure(rate_limits=False)
    row = clerk.invitations("acme", "pending")[0]
    batch = str(uuid4())
    chosen = {"action": "revoke", "selected": [row.id], "batch": batch, "confirmed": "1"}
    ada.post(f"{LIST}selected/", chosen)
    other = clerk.invitations("acme", "pending")[0]
    for broken in ("*/invitations", "*/memberships", "*/invitations/*", "/v1/*"):
        ada.warm()
        clerk.fault("GET", broken, times=None, **fault)
        for path in (
            "",
            "?status=revoked",
            "export/",
            f"{other.id}/revoke/",
            f"{other.id}/resend/",
            f"{other.id}/change/",
            f"{other.id}/link/",
            f"outcomes/{batch}/",
            "organizations/globex/",
        ):
            words = text_of(ada.get(f"{LIST}{path}", target=target))
            assert not NOTHING_DONE.search(words), (broken, path, words)
        clerk.faults.clear()


def test_neither_does_a_check_or_a_question(
    ada: Browser, clerk: Emulator, fault: dict[str, Any]
) -> None:
    clerk.configure(rate_limits=False)
    row = clerk.invitations("acme", "pending")[0]
    typed = {"email_addresses": "a@example.com b@example.com", "role": "org:member"}
    for broken in ("*/invitations", "*/memberships", "/v1/*"):
        clerk.fault("GET", broken, times=None, **fault)
        for target in (None, CHECK):
            words = text_of(ada.post(f"{LIST}check/", typed, target=target))
            assert not NOTHING_DONE.search(words), (broken, words)
        asked = {"action": "revoke", "selected": [row.id]}
        words = text_of(ada.post(f"{LIST}selected/", asked))
        assert not NOTHING_DONE.search(words), (broken, words)
        clerk.faults.clear()


# --- Something was done before -------------------------------------------------------------------


def test_after_a_write_the_list_that_is_missing_does_not_deny_it(
    ada: Browser, clerk: Emulator, fault: dict[str, Any]
) -> None:
    clerk.configure(rate_limits=False)
    row, other = clerk.invitations("acme", "pending")[:2]
    again = {"role": "org:admin", "confirm_elevated": "on"}
    for done, post in (
        ("Its link no longer works.", lambda: ada.post(f"{LIST}{row.id}/revoke/", target=LISTED)),
        ("Invitation sent to", lambda: ada.htmx_invite("new@example.com")),
        (
            "New invitation sent to",
            lambda: ada.post(f"{LIST}{other.id}/resend/", again, target=LISTED),
        ),
    ):
        clerk.fault("GET", "*/invitations", times=None, **fault)
        response = post()
        words = text_of(response)
        assert response.status_code == 200
        assert done in words
        assert response.context["list_problem"] is not None
        assert not NOTHING_DONE.search(words), words
        clerk.faults.clear()


def test_neither_does_the_page_after_it(
    ada: Browser, clerk: Emulator, fault: dict[str, Any]
) -> None:
    row = clerk.invitations("acme", "pending")[0]
    url = ada.post(f"{LIST}{row.id}/revoke/")["Location"]
    clerk.fault("GET", "*/invitations", times=None, **fault)
    words = text_of(ada.get(url))
    assert "revoked. Its link no longer works." in words
    assert not NOTHING_DONE.search(words), words


def test_rights_that_are_lost_after_a_write_deny_nothing_that_was_done(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from org_invitations.services import InvitationService, NotPermitted

    def lose(*_args: Any, **_options: Any) -> Any:
        raise NotPermitted

    monkeypatch.setattr(InvitationService, "with_list", lose)
    response = ada.htmx_invite("new@example.com")
    assert response.status_code == 403
    assert "You may no longer manage the members" in text_of(response)
    assert not NOTHING_DONE.search(text_of(response))
    # And before one it is said: that is what whoever pressed the button wants to know.
    monkeypatch.setattr(InvitationService, "open", lose)
    assert NOTHING_DONE.search(text_of(ada.htmx_invite("b@example.com")))


# --- Nothing was begun ---------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [{"status": 503}, {"garbage": "html"}], ids=["503", "html"])
def test_what_was_not_begun_is_not_said_to_have_been_made_sure_of(
    ada: Browser, clerk: Emulator, fault: dict[str, Any]
) -> None:
    row = clerk.invitations("acme", "pending")[0]
    clerk.fault("GET", "/v1/*", times=None, **fault)
    chosen = {"action": "revoke", "selected": [row.id], "batch": str(uuid4()), "confirmed": "1"}
    for path, data in (
        ("invite/", {"email_addresses": "new@example.com", "role": "org:member"}),
        (f"{row.id}/revoke/", {}),
        (f"{row.id}/resend/", {"role": "org:member"}),
        ("selected/", chosen),
    ):
        words = text_of(ada.post(f"{LIST}{path}", data))
        assert "Clerk did not answer properly, so nothing was done. Try again." in words, path
        assert "made sure" not in words, path


def test_the_stages_differ_in_what_they_say_was_done() -> None:
    wording = Wording()
    values = {"organization": "Acme", "email_address": "a@example.com"}
    for kind in vars(exc).values():
        if not (isinstance(kind, type) and issubclass(kind, exc.ClerkError)):
            continue
        if kind in (exc.DevelopmentLimit, exc.InvitationNotPending):
            continue  # of writes alone
        said = wording.for_error(kind(), Stage.READING, **values).message
        assert not NOTHING_DONE.search(said), kind
        said = wording.for_error(kind(), Stage.BEFORE, **values).message
        assert "made sure" not in said, kind


# --- Nobody knows --------------------------------------------------------------------------------


def test_a_revocation_of_which_nobody_knows_is_not_headed_as_one_that_failed(
    ada: Browser, clerk: Emulator
) -> None:
    row = clerk.invitations("acme", "pending")[0]
    clerk.fault("POST", "*/revoke", drop="after")
    clerk.fault("GET", "*/invitations/*", times=None, status=503)
    words = text_of(ada.post(f"{LIST}{row.id}/revoke/"))
    assert "we do not know whether the invitation was revoked" in words
    assert "It is not known whether the invitation was revoked" in words
    assert "The invitation was not revoked" not in words
