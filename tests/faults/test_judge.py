"""The judge's rules, each shown to find what it is for and to leave alone what is right.

Nobody serves anything here: an emulator without a socket has the calls that a site would have made,
and the answers and items are what the test says that they are.
"""

from __future__ import annotations

import contextlib
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from org_invitations.emulator import ConnectionDropped, Emulator, EmulatorRequest

from . import failures as kind
from .browser import Answer
from .faults import table
from .hearing import Usual
from .judge import judge
from .scene import Scene, Wish
from .world import Item, Joined, Logs, World

X = "x@example.com"
SENT = f"Invitation sent to {X} as Member."
RESENT = f"New invitation sent to {X} as Member. An older link no longer works."
HALF = f"The invitation to {X} was revoked, but the new one could not be sent."
BATCH = "11111111-1111-4111-8111-111111111111"
RESET = next(fault for fault in table() if fault.name == "reset before")


class Played:
    """A scene as it might have been played."""

    def __init__(self) -> None:
        self.clerk = Emulator()
        self.rows: list[Item] = []
        self.joinings: list[Joined] = []
        self.asks: set[str] = set()
        self.logs = Logs()
        world = SimpleNamespace(
            clerk=self.clerk,
            logs=self.logs,
            items=lambda: self.rows,
            joinings=lambda: self.joinings,
            asks=lambda: self.asks,
            moment=lambda: len(self.clerk.recorder.calls),
            stored=lambda: repr(self.rows),
            arm=lambda *_order: None,
            disarm=lambda: None,
            browser=lambda *_user, **_order: SimpleNamespace(close=lambda: None),
        )
        self.scene = Scene(cast("World", world), fault=RESET)
        self.organization = self.clerk.organization("acme").id
        self.ada = self.clerk.user("ada@acme.test").id

    # --- What the site asks of Clerk

    def post(self, path: str, body: Any) -> None:
        url = f"{self.clerk.base_url}/v1/organizations/{self.organization}/invitations{path}"
        headers = {
            "Authorization": f"Bearer {self.clerk.secret_key}",
            "Content-Type": "application/json",
        }
        with contextlib.suppress(ConnectionDropped):
            self.clerk.handle(EmulatorRequest("POST", url, headers, json.dumps(body).encode()))

    def create(self, *, notify: bool = True, role: str = "org:member") -> None:
        self.post("", {"email_address": X, "role": role, "notify": notify})

    def revoke(self, invitation_id: str) -> None:
        self.post(f"/{invitation_id}/revoke", {"requesting_user_id": self.ada})

    def add_member(self) -> None:
        path = f"/v1/organizations/{self.organization}/memberships"
        body = {"user_id": self.clerk.user(X).id, "role": "org:member"}
        headers = {
            "Authorization": f"Bearer {self.clerk.secret_key}",
            "Content-Type": "application/json",
        }
        request = EmulatorRequest(
            "POST", f"{self.clerk.base_url}{path}", headers, json.dumps(body).encode()
        )
        with contextlib.suppress(ConnectionDropped):
            self.clerk.handle(request)

    def invited_before(self) -> str:
        return self.clerk.add_invitation("acme", X, created_ago=90_000).id

    # --- What is said and written down

    def answer(
        self,
        words: str = "",
        *calls: Any,
        status: int = 200,
        html: str = "",
        is_look: bool = False,
        url: str = "/invitations/invite/",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Let the site make some calls, then say something."""

        def request() -> Answer:
            for call in calls:
                call()
            body = f'<div role="alert">{words}</div>{html}'
            pairs = [("Content-Type", "text/html"), *headers]
            return Answer("POST", url, status, pairs, body, 0.0)

        if is_look:
            self.scene.ask(request, is_look=True)
            return
        with self.scene.strike():
            self.scene.ask(request)

    def item(self, state: str, invitation_id: str = "", **more: Any) -> None:
        known = {
            "batch_id": BATCH,
            "action": "invite",
            "options": {},
            "number": len(self.rows),
            "text": X,
            "email_address": X,
            "role": "org:member",
            "reason": "",
            "params": {},
            "replaces_id": "",
        }
        self.rows.append(Item(**{**known, "state": state, "invitation_id": invitation_id, **more}))

    @property
    def made(self) -> str:
        return self.clerk.invitations("acme")[-1].id

    def kinds(self, calls: int = 3) -> set[str]:
        return {failure.kind for failure in judge(self.scene, Usual(calls, 0.1))}


@pytest.fixture
def played() -> Played:
    return Played()


def invites(played: Played) -> Played:
    played.scene.wishes.append(Wish("invite", X))
    return played


def resends(played: Played, old: str) -> Played:
    played.scene.wishes.append(Wish("resend", X, target=old))
    return played


def joins(played: Played, wished: str = "join") -> str:
    """Somebody is invited, and wishes to join or to decline; the id of the invitation."""
    played.clerk.add_user(X, "Xenia", "West")
    invitation_id = played.invited_before()
    played.scene.wishes.append(Wish(wished, X, target=invitation_id))
    return invitation_id


JOINED = "You have joined Acme"


# --- Joining ------------------------------------------------------------------------------------


def test_who_has_joined_has_used_the_invitation_up(played: Played) -> None:
    old = joins(played)
    played.answer(JOINED, lambda: played.revoke(old), played.add_member)
    assert played.kinds() == set()


def test_nobody_is_a_member_beside_an_invitation_that_stands(played: Played) -> None:
    joins(played)
    played.answer(JOINED, played.add_member)
    assert played.kinds() == {kind.UNTRUE}


def test_who_has_not_joined_is_not_told_so(played: Played) -> None:
    joins(played)
    played.answer(JOINED)
    assert played.kinds() == {kind.UNTRUE}


def test_who_has_joined_is_told_so(played: Played) -> None:
    old = joins(played)
    played.answer("Welcome.", lambda: played.revoke(old), played.add_member)
    assert played.kinds() == {kind.UNSAID}


def test_nobody_loses_an_invitation_for_nothing_without_a_word(played: Played) -> None:
    old = joins(played)
    played.answer("Try again later.", lambda: played.revoke(old))
    assert played.kinds() == {kind.ABANDONED, kind.STUCK}
    played.scene.said.clear()
    played.answer("Joining has begun and is not finished.")
    played.joinings.append(Joined(old, "revoked", "", is_open=True))
    assert played.kinds() == set()


def test_what_is_done_is_a_membership(played: Played) -> None:
    old = joins(played)
    played.answer("Your invitation stands.")
    played.joinings.append(Joined(old, "done", "", is_open=False))
    assert played.kinds() == {kind.UNTRUE}


def test_what_is_declined_is_revoked(played: Played) -> None:
    old = joins(played, "decline")
    declined = "You have declined it. Its link does not work any more."
    played.answer(declined)
    assert played.kinds() == {kind.UNTRUE}
    played.revoke(old)
    assert played.kinds() == set()


def test_who_asks_is_seen_to_ask(played: Played) -> None:
    old = joins(played, "ask")
    played.answer("The people who manage the members see now that you ask for a new one.")
    assert played.kinds() == {kind.UNTRUE}
    played.asks.add(old)
    assert played.kinds() == set()


def test_what_the_invited_person_has_is_what_is_said(played: Played) -> None:
    joins(played, "look")
    played.answer("You are not invited to any organization at the moment.")
    assert played.kinds() == {kind.UNTRUE}
    played.scene.said.clear()
    played.answer("The invitation holds until May 1.")
    assert played.kinds() == set()


# --- Inviting -----------------------------------------------------------------------------------


def test_what_was_sent_may_be_said(played: Played) -> None:
    invites(played).answer(SENT, played.create)
    played.item("done", played.made)
    assert played.kinds() == set()


def test_what_was_not_sent_may_not(played: Played) -> None:
    invites(played).answer(SENT)
    assert played.kinds() == {kind.UNTRUE}


def test_an_older_invitation_is_not_what_was_sent(played: Played) -> None:
    old = played.invited_before()
    invites(played).answer(SENT)
    played.item("done", old)
    assert played.kinds() == {kind.OLDER}


def test_two_items_have_not_made_one_invitation(played: Played) -> None:
    invites(played).answer(SENT, played.create)
    played.item("done", played.made)
    played.item("done", played.made)
    assert played.kinds() == {kind.OLDER}


def test_somebody_elses_invitation_is_not_what_was_sent_either(played: Played) -> None:
    played.scene.somebody_else_invites(X, "org:billing")
    invites(played).answer(SENT)
    assert played.kinds() == {kind.STRANGER}


def test_a_mail_is_said_only_where_one_went(played: Played) -> None:
    invites(played).answer(SENT, lambda: played.create(notify=False))
    assert played.kinds() == {kind.UNTRUE}


def test_the_role_that_is_said_is_the_one_that_was_given(played: Played) -> None:
    invites(played).answer(SENT, lambda: played.create(role="org:billing"))
    assert played.kinds() == {kind.UNTRUE}


def test_nothing_was_changed_is_wrong_where_something_was(played: Played) -> None:
    invites(played).answer("Nothing was changed.", played.create, status=503)
    assert played.kinds() == {kind.UNTRUE}


def test_nothing_was_changed_is_wrong_where_something_will_be(played: Played) -> None:
    played.clerk.fault("POST", late=True)
    invites(played).answer("Nothing was changed.", played.create, status=503)
    assert played.kinds() == set()
    played.clerk.finish_late()
    assert played.kinds() == {kind.UNTRUE}


def test_a_refusal_in_other_words_says_that_nothing_came_of_it(played: Played) -> None:
    invites(played).answer("It was a rainy day.", played.create, status=422)
    assert played.kinds() == {kind.UNTRUE}


def test_who_does_not_know_is_not_wrong(played: Played) -> None:
    words = "Clerk did not answer, so we do not know whether it went out."
    invites(played).answer(words, played.create, status=503)
    assert played.kinds() == set()


def test_what_was_done_without_a_word_is_unsaid(played: Played) -> None:
    invites(played).answer("", played.create)
    assert played.kinds() == {kind.UNSAID}


def test_invited_before_is_wrong_where_nobody_is(played: Played) -> None:
    invites(played).answer(f"{X} already has a pending invitation.", status=422)
    assert played.kinds() == {kind.UNTRUE}


def test_invited_before_is_not_what_was_just_made(played: Played) -> None:
    invites(played).answer(f"{X} already has a pending invitation.", played.create, status=422)
    assert played.kinds() == {kind.UNSAID}


def test_who_is_called_a_member_is_one(played: Played) -> None:
    invites(played).answer(f"{X} is already a member of Acme.", status=422)
    assert played.kinds() == {kind.UNTRUE}


def test_asking_again_while_the_first_may_have_worked_is_sending_twice(played: Played) -> None:
    played.clerk.fault("POST", drop="after")
    invites(played).answer(SENT, played.create, played.create)
    assert played.kinds() == {kind.TWICE}


def test_asking_again_after_a_refusal_is_not(played: Played) -> None:
    played.clerk.fault("POST", status=429)
    invites(played).answer(SENT, played.create, played.create)
    assert played.kinds() == set()


# --- Sending again ------------------------------------------------------------------------------


def test_a_resend_that_worked_is_right(played: Played) -> None:
    old = played.invited_before()
    resends(played, old).answer(RESENT, lambda: played.revoke(old), played.create)
    played.item("done", played.made, action="resend", replaces_id=old)
    assert played.kinds() == set()


def test_half_of_it_that_is_said_is_right(played: Played) -> None:
    old = played.invited_before()
    resends(played, old).answer(HALF, lambda: played.revoke(old))
    played.item("half-done", action="resend", replaces_id=old)
    assert played.kinds() == set()


def test_half_of_it_that_is_not_said_leaves_somebody_uninvited(played: Played) -> None:
    old = played.invited_before()
    resends(played, old).answer(
        f"{X} already has a pending invitation.", lambda: played.revoke(old), status=422
    )
    played.item("refused", action="resend", replaces_id=old, reason="DuplicateInvitation")
    assert played.kinds() == {kind.ABANDONED, kind.UNTRUE}


def test_who_is_called_uninvited_is_not_invited_a_moment_later(played: Played) -> None:
    old = played.invited_before()
    played.clerk.fault("POST", "*/invitations", late=True)
    resends(played, old).answer(HALF, lambda: played.revoke(old), played.create)
    assert played.kinds() == set()
    played.clerk.finish_late()
    played.item("refused", action="resend", replaces_id=old, reason="half-done")
    assert played.kinds() == {kind.UNINVITED, kind.STUCK}


def test_somebody_elses_invitation_does_not_end_it(played: Played) -> None:
    old = played.invited_before()
    resends(played, old).answer(HALF, lambda: played.revoke(old))
    played.scene.somebody_else_invites(X, "org:billing")
    played.item("done", played.made, action="resend", replaces_id=old)
    assert played.kinds() == {kind.STRANGER}


# --- Revoking -----------------------------------------------------------------------------------


def test_what_is_called_revoked_is(played: Played) -> None:
    old = played.invited_before()
    played.scene.wishes.append(Wish("revoke", X, target=old))
    words = f"Invitation to {X} revoked. Its link no longer works."
    played.answer(words)
    assert played.kinds() == {kind.UNTRUE}
    played.revoke(old)
    assert played.kinds() == set()


def test_what_is_called_no_longer_pending_is_not_pending(played: Played) -> None:
    old = played.invited_before()
    played.scene.wishes.append(Wish("revoke", X, target=old))
    played.answer("This invitation is no longer pending.", status=409)
    assert played.kinds() == {kind.UNTRUE}


# --- What is written down -----------------------------------------------------------------------


@pytest.mark.parametrize("state", ["unsettled", "under-way"])
def test_an_item_does_not_stay_unknown(played: Played, state: str) -> None:
    invites(played).answer("We do not know whether it went out.", status=503)
    played.item(state)
    assert played.kinds() == {kind.STUCK}


def test_an_item_may_stay_unknown_where_clerk_tells_nothing_to_know_it_by(played: Played) -> None:
    played.invited_before()
    invites(played).answer("There is an invitation, but nothing tells whether it is this one.")
    played.item("unsettled", reason="unclear")
    assert played.kinds() == set()


@pytest.mark.parametrize("state", ["refused", "failed", "waiting"])
def test_an_item_that_was_sent_does_not_stay_refused(played: Played, state: str) -> None:
    invites(played).answer("We do not know whether it went out.", played.create, status=503)
    played.item(state)
    assert played.kinds() == {kind.STUCK}


def test_an_item_is_done_with_an_invitation_that_there_is(played: Played) -> None:
    invites(played).answer(SENT, played.create)
    played.item("done", "orginv_nowhere")
    assert played.kinds() == {kind.UNTRUE}


def test_an_item_of_a_revocation_tells_the_status(played: Played) -> None:
    old = played.invited_before()
    played.scene.wishes.append(Wish("revoke", X, target=old))
    played.answer("At work…")
    played.item("done", old, action="revoke")
    assert played.kinds() == {kind.UNTRUE}


# --- Manners ------------------------------------------------------------------------------------


def test_a_bare_error_is_one(played: Played) -> None:
    played.answer(status=500)
    assert played.kinds() == {kind.ERROR}


def test_a_refusal_has_words(played: Played) -> None:
    played.answer(status=503)
    assert played.kinds() == {kind.WORDLESS}


def test_a_request_takes_no_longer_than_it_may(played: Played) -> None:
    played.answer("Told.")
    played.scene.said[0].answer.seconds = 60.0
    assert played.kinds() == set()
    played.scene.fault = next(fault for fault in table() if fault.takes_time)
    assert played.kinds() == {kind.DEADLINE}


def test_calls_have_an_end(played: Played) -> None:
    played.answer("Told.", *[lambda: played.post("", {})] * 30)
    assert played.kinds(calls=3) == {kind.BUDGET}
    assert played.kinds(calls=10) == set()


def test_what_was_typed_is_on_the_page(played: Played) -> None:
    played.scene.type(email_addresses=X, role="org:billing")
    kept = (
        f'<form><textarea name="email_addresses">{X}</textarea>'
        '<select name="role"><option value="org:billing" selected></select></form>'
    )
    played.answer("No.", status=503, html=kept)
    assert played.kinds() == set()
    played.scene.said.clear()
    played.answer("No.", status=503, html=kept.replace("org:billing", "org:member"))
    assert played.kinds() == {kind.TYPED}


def test_an_address_in_a_message_is_not_one_that_can_be_sent_again(played: Played) -> None:
    played.scene.type(email_addresses=X)
    played.answer(f"No: {X}.", status=422, html='<textarea name="email_addresses"></textarea>')
    assert played.kinds() == {kind.TYPED}
    played.scene.said.clear()
    played.answer("No.", status=403, html=f"<textarea readonly>{X}</textarea>")
    assert played.kinds() == set()


def test_a_link_is_on_no_page_but_its_own(played: Played) -> None:
    ticket = played.clerk.invitations("acme", "pending")[0].ticket
    played.answer("Told.", html=ticket, url="/invitations/orginv_2x/link/")
    assert played.kinds() == set()
    played.answer("Told.", html=ticket)
    assert played.kinds() == {kind.LEAK}


def test_no_key_token_or_address_is_in_a_log_or_a_header(played: Played) -> None:
    token = played.clerk.mint_token("ada@acme.test")
    for name, line in (
        ("urllib3", f"Bearer {played.clerk.secret_key}"),
        ("org_invitations", f"cookie {token}"),
        ("org_invitations", f"sent to {X}"),
    ):
        fresh = invites(Played())
        fresh.answer("At work…")
        fresh.logs.lines.append((name, line))
        assert fresh.kinds() == {kind.LEAK}
    played.answer("Told.", headers=(("Location", f"/x?token={token}"),))
    assert played.kinds() == {kind.LEAK}


def test_a_session_goes_where_sessions_go(played: Played) -> None:
    token = played.clerk.mint_token("ada@acme.test")
    there = f"https://clerk.example/v1/client/handshake?__session={token}"
    played.answer("Told.", headers=(("Location", there), ("Set-Cookie", f"__session={token}")))
    assert played.kinds() == set()


def test_a_line_of_the_log_is_one_line(played: Played) -> None:
    played.answer("Told.")
    played.logs.forged.append("one\ntwo")
    assert played.kinds() == {kind.FORGED}


def test_the_judge_hears_what_went_well(played: Played) -> None:
    played.scene.fault = None
    invites(played).answer("Hooray, it flew away.", played.create)
    assert kind.DEAF in played.kinds()
