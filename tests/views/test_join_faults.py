"""Joining by the server where Clerk does not answer, or somebody else is at it meanwhile.

Whatever happens, there is no membership that no pending invitation stood for, and nobody is left
without one and without being told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.cache import cache
from django.db import Error as DatabaseFault
from django.utils import timezone

from org_invitations.clerk.joining import JoiningAPI
from org_invitations.clients import forget_clients
from org_invitations.emulator import Emulator
from org_invitations.models import CallSlot, Joining
from org_invitations.services.joining import rows
from org_invitations.services.joining.rows import FINISHABLE
from org_invitations.signals import invitation_accepted, invitation_revoked
from org_invitations.wording import Wording
from tests.views.conftest import Browser, text_of
from tests.views.joining import (
    JOIN_URL,
    NORA,
    Invitee,
    invite,
    is_member,
    joinings,
    page_of,
    state_of,
)

REVOKE = "*/invitations/*/revoke"
MEMBERS = "*/memberships"


pytestmark = pytest.mark.usefixtures("joining")


@pytest.fixture
def invitee(invitee: Invitee) -> Invitee:
    invitee.clerk.configure(rate_limits=False)
    invitee.sign_in(NORA)
    return invitee


def settle(clerk: Emulator, row: Any) -> None:
    """Let what is late take effect, then hold the outcome against what may never be."""
    clerk.finish_late()
    if is_member(clerk):
        assert row.state in ("revoked", "accepted")


# --- A lost answer at each call ------------------------------------------------------------------

FAULTS: list[tuple[str, str, dict[str, Any], str]] = [
    # what is told at once; "" for joined
    ("revoke, never arrived", REVOKE, {"drop": "before"}, ""),
    ("revoke, refused twice", REVOKE, {"status": 503, "times": 2}, "Join:unknown"),
    ("revoke, done and unheard of", REVOKE, {"drop": "after"}, "Join:half-done"),
    ("revoke, an answer that is none", REVOKE, {"garbage": "html"}, "Join:half-done"),
    ("revoke, limited", REVOKE, {"status": 429}, "Join:later"),
    ("revoke, late", REVOKE, {"late": True}, ""),
    ("member, never arrived", MEMBERS, {"drop": "before"}, ""),
    ("member, done and unheard of", MEMBERS, {"drop": "after"}, ""),
    ("member, refused twice", MEMBERS, {"status": 503, "times": 2}, "Join:again"),
    ("member, limited", MEMBERS, {"status": 429}, "Join:again"),
    ("member, late twice", MEMBERS, {"late": True, "times": 2}, "Join:again"),
    ("member, an answer that is none", MEMBERS, {"garbage": "html"}, ""),
]


def test_a_lost_answer_leaves_nobody_between(
    invitee: Invitee, clerk: Emulator, subtests: pytest.Subtests, no_pause: None
) -> None:
    for name, path, fault, told in FAULTS:
        with subtests.test(fault=name):
            address_free(clerk)
            row = invite(clerk, inviter="ada@acme.test")
            page = invitee.open(page_of(row))
            assert state_of(page) == "join"
            clerk.fault("POST", path, **fault)
            answer = invitee.press(page, "join")
            said = answer.context_data["problem"]
            if not told:
                assert state_of(answer) == "joined", said
                assert is_member(clerk)
            else:
                assert said == Wording().say(told, organization="Acme")
            settle(clerk, row)
            clerk.faults.clear()
            # Whoever presses again gets there, unless nobody can know who revoked it.
            again = invitee.open(page_of(row))
            if told == "Join:half-done":
                assert (state_of(again), is_member(clerk)) == ("gone", False)
                assert "could not be finished" in text_of(again)
            else:
                if state_of(again) == "join":
                    again = invitee.press(again, "join")
                assert state_of(again) == "joined", again.context_data["problem"]
                assert is_member(clerk)
            settle(clerk, row)


def address_free(clerk: Emulator) -> None:
    """Take back what a case before has left."""
    nora = clerk.user(NORA).id
    clerk.state.memberships = [m for m in clerk.state.memberships if m.user_id != nora]
    for row in clerk.invitations("acme", "pending"):
        if row.email_address == NORA:
            row.state = "revoked"


def test_nothing_is_begun_where_clerk_cannot_be_asked_before(
    invitee: Invitee, clerk: Emulator, subtests: pytest.Subtests, no_pause: None
) -> None:
    row = invite(clerk)
    page = invitee.open(page_of(row))
    for path in ("*/organization_roles", "*/organization_settings", "*/role_sets/*"):
        with subtests.test(path=path):
            clerk.fault("GET", path, status=500)
            answer = invitee.press(page, "join")
            assert answer.status_code == 409
            assert "nothing was changed" in answer.context_data["problem"]
    clerk.fault("GET", "*/users/*", times=None, status=500)
    assert invitee.press(page, "join").status_code == 503
    assert (row.state, joinings()) == ("pending", [])


def test_what_is_not_known_of_declining_is_not_called_nothing(
    invitee: Invitee, clerk: Emulator, no_pause: None
) -> None:
    row = invite(clerk)
    page = invitee.open(page_of(row))
    clerk.fault("POST", REVOKE, late=True)
    answer = invitee.press(page, "decline")
    assert answer.context_data["problem"] == Wording().say("Join:unknown")
    assert "holds until" not in text_of(answer)
    clerk.finish_late()
    assert row.state == "revoked"


def test_a_membership_that_cannot_be_looked_up_is_not_called_missing(
    invitee: Invitee, clerk: Emulator, no_pause: None
) -> None:
    row = invite(clerk)
    page = invitee.open(page_of(row))
    clerk.fault("POST", MEMBERS, drop="after")
    clerk.fault("GET", "*/organizations/*/memberships", status=500, times=None)
    answer = invitee.press(page, "join")
    assert is_member(clerk)
    assert answer.context_data["problem"] == Wording().say("Join:unknown")
    assert "not finished" not in text_of(answer)
    clerk.faults.clear()
    forget_clients()
    assert state_of(invitee.press(page, "join")) == "joined"


def test_a_member_is_one_whom_clerk_shows(invitee: Invitee, clerk: Emulator) -> None:
    row = invite(clerk)
    body = {"errors": [{"code": "already_a_member_in_organization", "message": "x"}]}
    clerk.fault("POST", MEMBERS, status=400, body=body, times=2)
    answer = invitee.press(invitee.open(page_of(row)), "join")
    assert (state_of(answer), is_member(clerk)) == ("join", False)
    assert "is not finished" in text_of(answer)
    assert answer.context_data["is_begun"]
    assert "holds until" not in text_of(answer)
    assert answer.context_data["accept_url"] == ""
    assert state_of(invitee.press(answer, "join")) == "joined"


def test_what_clerk_has_refused_is_not_begun(invitee: Invitee, clerk: Emulator) -> None:
    row = invite(clerk)
    clerk.fault("POST", REVOKE, status=429)
    answer = invitee.press(invitee.open(page_of(row)), "join")
    assert answer.context_data["problem"] == Wording().say("Join:later")
    for page in (answer, invitee.open(page_of(row))):
        assert (page.context_data["is_begun"], bool(page.context_data["accept_url"])) == (
            False,
            True,
        )


# --- A crash -------------------------------------------------------------------------------------


class Died(BaseException):
    """The process ends here."""


@contextmanager
def crash(monkeypatch: pytest.MonkeyPatch, method: str) -> Iterator[None]:
    """Let the process die where this would be sent."""

    def die(*args: Any, **kwargs: Any) -> Any:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(JoiningAPI, method, die)
        with pytest.raises(Died):
            yield


def test_what_was_begun_is_finished_after_a_crash(
    invitee: Invitee, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = invite(clerk, role="org:billing", private_metadata={"cost": 1})
    page = invitee.open(page_of(row))
    with crash(monkeypatch, "add_member"):
        invitee.press(page, "join")
    assert (row.state, joinings()) == ("revoked", [("revoked", "server")])
    busy = invitee.press(page, "join")
    assert "being done at the moment" in busy.context_data["problem"]
    Joining.objects.update(worked_at=None)  # long ago
    page = invitee.open(page_of(row))
    assert (state_of(page), page.context_data["is_begun"]) == ("join", True)
    assert state_of(invitee.press(page, "join")) == "joined"
    member = clerk.state.membership(row.organization_id, clerk.user(NORA).id)
    assert member is not None
    assert (member.role, member.private_metadata) == ("org:billing", {"cost": 1})


def test_before_the_revocation_it_begins_anew(
    invitee: Invitee, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = invite(clerk)
    page = invitee.open(page_of(row))
    with crash(monkeypatch, "withdraw"):
        invitee.press(page, "join")
    assert (row.state, joinings()) == ("pending", [("begun", "server")])
    Joining.objects.update(worked_at=None)
    assert state_of(invitee.press(invitee.open(page_of(row)), "join")) == "joined"


def test_a_revocation_of_which_nobody_heard_makes_no_member(
    invitee: Invitee, ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be ours, or a manager's: nobody knows. Both sides are told."""
    row = invite(clerk)
    page = invitee.open(page_of(row))
    with crash(monkeypatch, "withdraw"):
        invitee.press(page, "join")
    row.state = "revoked"
    Joining.objects.update(worked_at=None)
    page = invitee.open(page_of(row))
    assert state_of(page) == "gone"
    assert "could not be finished" in text_of(page)
    invitee.press(page, "join")
    assert not is_member(clerk)
    listed = ada.get("/invitations/?status=revoked")
    assert "needs a new invitation" in text_of(listed)


def test_a_first_revocation_that_arrives_before_the_second_is_nobodys(
    invitee: Invitee, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = invite(clerk)
    page = invitee.open(page_of(row))
    clerk.fault("POST", REVOKE, late=True)
    look = JoiningAPI.get_invitation

    def look_and_then(api: JoiningAPI, invitation_id: str) -> Any:
        found = look(api, invitation_id)
        clerk.finish_late()
        return found

    monkeypatch.setattr(JoiningAPI, "get_invitation", look_and_then)
    answer = invitee.press(page, "join")
    assert (row.state, is_member(clerk)) == ("revoked", False)
    assert "could not be added" in answer.context_data["problem"]
    assert joinings() == [("half-done", "server")]


def test_a_database_that_fails_after_the_revocation_stops_nobody(
    invitee: Invitee, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = invite(clerk)
    page = invitee.open(page_of(row))
    save = rows.save

    def fail(joining: Joining, state: str, *args: Any, **kwargs: Any) -> None:
        if state == Joining.State.REVOKED:
            raise DatabaseFault("no")
        save(joining, state, *args, **kwargs)

    monkeypatch.setattr(rows, "save", fail)
    assert state_of(invitee.press(page, "join")) == "joined"
    assert is_member(clerk)


def test_private_metadata_that_clerk_does_not_tell_is_not_lost(
    invitee: Invitee, clerk: Emulator
) -> None:
    row = invite(clerk, private_metadata={"cost": 1})
    page = invitee.open(page_of(row))
    clerk.configure(private_metadata_told=False)
    told = invitee.press(page, "join").context_data["problem"]
    assert told == Wording().say("Join:clerk")
    assert (row.state, joinings()) == ("pending", [])


# --- Whom it is taken from again -----------------------------------------------------------------


def leave_half(invitee: Invitee, clerk: Emulator, row: Any) -> Any:
    """Press, and let the invitation be revoked and the membership be missing; the page then."""
    clerk.fault("POST", MEMBERS, status=429, times=None)
    invitee.press(invitee.open(page_of(row)), "join")
    clerk.faults.clear()
    forget_clients()
    assert (row.state, joinings()) == ("revoked", [("revoked", "server")])
    page = invitee.open(page_of(row))
    assert state_of(page) == "join"
    return page


def test_what_was_begun_is_not_finished_later_than_that(
    invitee: Invitee, clerk: Emulator, no_pause: None
) -> None:
    row = invite(clerk)
    page = leave_half(invitee, clerk, row)
    Joining.objects.update(created_at=timezone.now() - FINISHABLE)
    late = invitee.open(page_of(row))
    assert state_of(late) == "gone"
    assert "could not be finished" in text_of(late)
    assert state_of(invitee.press(page, "join")) == "gone"
    assert (is_member(clerk), joinings()) == (False, [("half-done", "server")])


def test_nor_after_the_invitation_would_have_expired(
    invitee: Invitee, clerk: Emulator, no_pause: None
) -> None:
    row = invite(clerk, expires_in_days=1)
    leave_half(invitee, clerk, row)
    row.expires_at -= 2 * 86400 * 1000
    assert state_of(invitee.open(page_of(row))) == "gone"


def test_who_was_removed_is_not_a_member_again(
    invitee: Invitee, clerk: Emulator, no_pause: None
) -> None:
    row = invite(clerk, role="org:admin")
    page = leave_half(invitee, clerk, row)
    clerk.add_member("acme", NORA)  # by hand
    assert state_of(invitee.open(page_of(row))) == "joined"
    address_free(clerk)
    cache.clear()  # or one that is down: it opens nothing
    assert state_of(invitee.open(page_of(row))) == "gone"
    invitee.press(page, "join")
    assert not is_member(clerk)


def test_what_was_begun_is_finished_only_as_it_might_be_begun(
    invitee: Invitee, clerk: Emulator, settings: Any, no_pause: None
) -> None:
    settings.ORG_INVITATIONS_JOIN_CHECKS_INVITER = True
    row = invite(clerk, inviter="ada@acme.test")
    page = leave_half(invitee, clerk, row)
    clerk.fault("GET", "*/organization_roles", status=500, times=None)
    told = invitee.press(page, "join").context_data["problem"]
    assert told == Wording().say("Join:again", organization="Acme")
    clerk.faults.clear()
    forget_clients()
    clerk.configure(
        memberships=[{"organization": "acme", "user": "ada@acme.test", "role": "org:member"}]
    )
    told = invitee.press(page, "join").context_data["problem"]
    assert told == Wording().say("Join:half-done", organization="Acme")
    assert (is_member(clerk), joinings()) == (False, [("half-done", "server")])


def test_a_member_by_another_way_has_not_joined_by_what_was_lost(
    invitee: Invitee, clerk: Emulator, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    heard: list[Any] = []

    def listen(**kwargs: Any) -> None:
        heard.append(kwargs)

    invitation_accepted.connect(listen)
    row = invite(clerk)
    page = invitee.open(page_of(row))
    at_the_revocation(clerk, monkeypatch, lambda: setattr(row, "state", "revoked"))
    invitee.press(page, "join")
    clerk.add_member("acme", NORA)
    for state in ("lost", "half-done"):
        with subtests.test(state=state):
            Joining.objects.update(state=state)
            page = invitee.open(page_of(row))
            assert state_of(page) == "joined"
            invitee.press(page, "continue")
            assert (joinings(), heard) == ([("lost", "server")], [])
    invitation_accepted.disconnect(listen)


def test_what_was_begun_can_be_declined(
    invitee: Invitee, ada: Browser, clerk: Emulator, no_pause: None
) -> None:
    heard: list[str] = []

    def listen(**kwargs: Any) -> None:
        heard.append(kwargs["invitation"].id)

    invitation_revoked.connect(listen)
    row = invite(clerk)
    page = leave_half(invitee, clerk, row)
    answer = invitee.press(page, "decline")
    invitation_revoked.disconnect(listen)
    assert "You have declined it" in text_of(answer)
    assert (heard, joinings(), is_member(clerk)) == ([row.id], [("lost", "server")], False)
    assert state_of(invitee.open(page_of(row))) == "gone"
    assert state_of(invitee.press(page, "join")) == "gone"
    assert "needs a new invitation" not in text_of(ada.get("/invitations/?status=revoked"))


def test_what_is_being_joined_cannot_be_declined_meanwhile(
    invitee: Invitee, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = invite(clerk)
    page = invitee.open(page_of(row))
    answers: list[Any] = []
    for name in ("withdraw", "add_member"):
        method = getattr(JoiningAPI, name)

        def declined(api: JoiningAPI, *args: Any, _method: Any = method, **kwargs: Any) -> Any:
            answers.append(invitee.press(page, "decline"))
            return _method(api, *args, **kwargs)

        monkeypatch.setattr(JoiningAPI, name, declined)
    assert state_of(invitee.press(page, "join")) == "joined"
    for said in answers:
        assert "being done at the moment" in said.context_data["problem"]
    assert (len(answers), is_member(clerk)) == (2, True)


# --- Somebody else, at the same moment -----------------------------------------------------------


def at_the_revocation(clerk: Emulator, monkeypatch: pytest.MonkeyPatch, happens: Any) -> None:
    """Let something happen just before our revocation gets to Clerk."""
    withdraw = JoiningAPI.withdraw

    def late(api: JoiningAPI, invitation_id: str) -> Any:
        monkeypatch.setattr(JoiningAPI, "withdraw", withdraw)
        happens()
        return withdraw(api, invitation_id)

    monkeypatch.setattr(JoiningAPI, "withdraw", late)


def test_a_managers_revocation_wins(
    invitee: Invitee, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = invite(clerk)
    page = invitee.open(page_of(row))
    at_the_revocation(clerk, monkeypatch, lambda: setattr(row, "state", "revoked"))
    answer = invitee.press(page, "join")
    assert state_of(answer) == "gone"
    assert not is_member(clerk)
    assert joinings() == [("lost", "server")]


def test_clerks_own_acceptance_wins(
    invitee: Invitee, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = invite(clerk, role="org:billing")
    page = invitee.open(page_of(row))

    def accept() -> None:
        clerk.add_member(row.organization_id, NORA, row.role)
        row.state = "accepted"

    at_the_revocation(clerk, monkeypatch, accept)
    assert state_of(invitee.press(page, "join")) == "joined"
    assert row.state == "accepted"
    assert len([m for m in clerk.state.memberships if m.user_id == clerk.user(NORA).id]) == 1
    assert joinings() == [("done", "clerk")]


def test_of_two_joins_at_once_one_goes_on(
    invitee: Invitee, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = invite(clerk)
    page = invitee.open(page_of(row))
    answers: list[Any] = []
    at_the_revocation(clerk, monkeypatch, lambda: answers.append(invitee.press(page, "join")))
    answer = invitee.press(page, "join")
    assert state_of(answer) == "joined", answer.context_data["problem"]
    assert "being done at the moment" in answers[0].context_data["problem"]
    assert len([m for m in clerk.state.memberships if m.user_id == clerk.user(NORA).id]) == 1


# --- Where the membership cannot be made ---------------------------------------------------------


def refuse_members(clerk: Emulator, code: str) -> None:
    clerk.fault("POST", MEMBERS, status=403, body={"errors": [{"code": code, "message": code}]})


def test_what_stands_in_the_way_is_found_out_before(
    invitee: Invitee, clerk: Emulator, settings: Any, subtests: pytest.Subtests
) -> None:
    row = invite(clerk, inviter="ada@acme.test", role="org:billing")
    page = invitee.open(page_of(row))
    settings.ORG_INVITATIONS_JOIN_CHECKS_INVITER = True
    ada = {"organization": "acme", "user": "ada@acme.test"}
    for words, change, back in (
        (
            "no seat left",
            {"organizations": {"acme": {"max_allowed_memberships": 10}}},
            {"organizations": {"acme": {"max_allowed_memberships": 0}}},
        ),
        (
            "no longer gives the role",
            {"organizations": {"acme": {"role_set_key": "role_set:crew"}}},
            {"organizations": {"acme": {"role_set_key": "role_set:default"}}},
        ),
        (
            "may not invite people",
            {"memberships": [{**ada, "role": "org:member"}]},
            {"memberships": [{**ada, "role": "org:admin"}]},
        ),
    ):
        with subtests.test(words=words):
            clerk.configure(**change)
            answer = invitee.press(page, "join")
            assert words in answer.context_data["problem"]
            assert (row.state, joinings()) == ("pending", [])
            clerk.configure(**back)
    assert state_of(invitee.press(page, "join")) == "joined"


def test_a_refusal_after_that_makes_the_invitation_again(invitee: Invitee, clerk: Emulator) -> None:
    row = invite(
        clerk,
        inviter="ada@acme.test",
        role="org:billing",
        expires_in_days=7,
        private_metadata={"cost": 1},
    )
    page = invitee.open(page_of(row))
    mails = len(clerk.state.mails)
    refuse_members(clerk, "organization_membership_quota_exceeded")
    answer = invitee.press(page, "join")
    assert "Your invitation stands" in answer.context_data["problem"]
    assert state_of(answer) == "join"
    [new] = [one for one in clerk.invitations("acme", "pending") if one.email_address == NORA]
    assert (new.role, new.private_metadata, new.inviter_id) == (
        row.role,
        row.private_metadata,
        row.inviter_id,
    )
    assert (new.redirect_url or "").startswith(JOIN_URL)
    assert len(clerk.state.mails) == mails
    # It counts for Clerk's hourly limit like any other.
    assert CallSlot.objects.exclude(called_at=None).count() == 1
    assert joinings() == [("restored", "server")]
    assert state_of(invitee.press(answer, "join")) == "joined"


def test_it_holds_no_longer_than_the_old_one_had_to_live(
    invitee: Invitee, clerk: Emulator, subtests: pytest.Subtests
) -> None:
    for age, days in ((0.5, 6), (2, 4), (6.9, 1)):
        with subtests.test(age=age):
            address_free(clerk)
            made_ago = int(age * 86400)
            row = invite(clerk, inviter="ada@acme.test", expires_in_days=7, created_ago=made_ago)
            page = invitee.open(page_of(row))
            refuse_members(clerk, "organization_membership_quota_exceeded")
            invitee.press(page, "join")
            [new] = [
                one for one in clerk.invitations("acme", "pending") if one.email_address == NORA
            ]
            assert new.id != row.id
            assert round(((new.expires_at or 0) - clerk.clock.now_ms()) / 86400_000) == days


def test_or_both_sides_are_told(invitee: Invitee, ada: Browser, clerk: Emulator) -> None:
    row = invite(clerk)  # by nobody who could be named again
    page = invitee.open(page_of(row))
    refuse_members(clerk, "organization_membership_quota_exceeded")
    answer = invitee.press(page, "join")
    assert "could not be added" in answer.context_data["problem"]
    assert joinings() == [("half-done", "server")]
    listed = ada.get("/invitations/?status=revoked")
    assert "needs a new invitation" in text_of(listed)
    assert f"/{row.id}/resend/" in listed.text
    # A new invitation answers it.
    ada.invite(NORA)
    assert "needs a new invitation" not in text_of(ada.get("/invitations/?status=revoked"))
    assert state_of(invitee.press(invitee.open(page_of(row)), "join")) == "joined"
