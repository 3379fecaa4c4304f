"""What the managers' list says of who joined or asks, and when it is not so any more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from org_invitations.clerk.joining import JoiningAPI
from org_invitations.clients import forget_clients
from org_invitations.emulator import Emulator
from org_invitations.models import InvitationAsk, Joining
from org_invitations.signals import invitation_accepted, invitation_created, invitation_revoked
from org_invitations.testing import SignIn
from tests.views.conftest import Browser
from tests.views.joining import NORA, Invitee, invite, is_member, page_of, state_of

pytestmark = pytest.mark.usefixtures("joining")


@pytest.fixture
def invitee(invitee: Invitee) -> Invitee:
    invitee.clerk.configure(rate_limits=False)
    invitee.sign_in(NORA)
    return invitee


def mark_of(ada: Browser, row: Any) -> str:
    for status in ("revoked", "expired", "pending"):
        for found in ada.get(f"/invitations/?status={status}").context_data["rows"]:
            if found.invitation.id == row.id:
                return str(found.mark)
    raise LookupError(row.id)


def ask_for_another(invitee: Invitee, clerk: Emulator) -> Any:
    row = invite(clerk, expires_in_days=1, created_ago=2 * 86400)
    invitee.press(invitee.open(page_of(row)), "ask")
    return row


def leave_half(invitee: Invitee, clerk: Emulator, row: Any) -> None:
    clerk.fault("POST", "*/memberships", status=429, times=None)
    invitee.press(invitee.open(page_of(row)), "join")
    clerk.faults.clear()
    forget_clients()


def test_who_asked_long_ago_does_not_ask_any_more(
    invitee: Invitee, ada: Browser, clerk: Emulator, settings: Any
) -> None:
    row = ask_for_another(invitee, clerk)
    assert mark_of(ada, row) == "asks"
    days = timedelta(days=30)
    InvitationAsk.objects.update(created_at=timezone.now() - days)
    assert mark_of(ada, row) == ""


def test_who_has_joined_by_another_does_not_ask_any_more(
    invitee: Invitee, ada: Browser, clerk: Emulator, subtests: pytest.Subtests
) -> None:
    for way in ("server", "clerk"):
        with subtests.test(way=way):
            old = ask_for_another(invitee, clerk)
            # Made at Clerk, of which nothing is heard here.
            new = invite(clerk)
            if way == "clerk":
                clerk.add_member("acme", NORA)
                new.state = "accepted"
            page = invitee.open(page_of(new))
            invitee.press(page, "join" if way == "server" else "continue")
            assert is_member(clerk)
            assert mark_of(ada, old) == ""
            clerk.state.memberships.pop()


def test_who_is_joining_right_now_is_not_called_unable_to(
    invitee: Invitee, ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = invite(clerk)
    marks: list[str] = []
    add_member = JoiningAPI.add_member

    def slow(api: JoiningAPI, *args: Any, **kwargs: Any) -> Any:
        marks.append(mark_of(ada, row))
        return add_member(api, *args, **kwargs)

    monkeypatch.setattr(JoiningAPI, "add_member", slow)
    assert state_of(invitee.press(invitee.open(page_of(row)), "join")) == "joined"
    assert marks == [""]
    assert mark_of(ada, row) == "joined"


def test_a_member_who_was_seen_needs_no_new_invitation(
    invitee: Invitee, ada: Browser, clerk: Emulator, no_pause: None
) -> None:
    row = invite(clerk)
    leave_half(invitee, clerk, row)
    assert mark_of(ada, row) == "half-joined"
    clerk.add_member("acme", NORA)
    assert state_of(invitee.open(page_of(row))) == "joined"
    assert mark_of(ada, row) == ""


def test_a_manager_who_revokes_knows_that(invitee: Invitee, ada: Browser, clerk: Emulator) -> None:
    row = invite(clerk)
    clerk.fault("POST", "*/revoke", status=503, times=2)
    invitee.press(invitee.open(page_of(row)), "join")
    assert Joining.objects.get().state == "begun"
    assert ada.post(f"/invitations/{row.id}/revoke/").status_code == 303
    assert mark_of(ada, row) == ""
    assert state_of(invitee.press(invitee.open(page_of(row)), "join")) == "gone"
    assert not is_member(clerk)


def test_what_is_made_again_is_told_to_the_site(invitee: Invitee, clerk: Emulator) -> None:
    ask_for_another(invitee, clerk)
    row = invite(clerk, inviter="ada@acme.test")
    heard: list[tuple[str, str, str]] = []
    listeners = []
    for signal, name in (
        (invitation_revoked, "revoked"),
        (invitation_created, "created"),
        (invitation_accepted, "accepted"),
    ):

        def listen(_name: str = name, **kwargs: Any) -> None:
            invitation = kwargs["invitation"]
            heard.append((_name, invitation.id, kwargs["user_id"]))
            assert invitation.url == ""

        listeners.append(listen)
        signal.connect(listen)
    clerk.fault(
        "POST",
        "*/memberships",
        status=403,
        body={"errors": [{"code": "organization_membership_quota_exceeded", "message": "x"}]},
    )
    page = invitee.press(invitee.open(page_of(row)), "join")
    new = page.context_data["invitation_id"]
    nora = clerk.user(NORA).id
    assert heard == [("revoked", row.id, nora), ("created", new, nora)]
    # That answers what was asked for, too.
    assert not InvitationAsk.objects.exists()


def test_only_who_joined_by_it_asks_for_another_after_that(
    invitee: Invitee, ada: Browser, clerk: Emulator, clerk_sign_in: SignIn
) -> None:
    row = invite(clerk)
    invitee.press(invitee.open(page_of(row)), "join")
    stranger = Invitee(clerk, clerk_sign_in)
    stranger.press(stranger.open(page_of(row)), "ask")
    assert mark_of(ada, row) == "joined"
    clerk.state.memberships.pop()
    invitee.press(invitee.open(page_of(row)), "ask")
    assert mark_of(ada, row) == "asks"
    assert f"/{row.id}/resend/" in ada.get("/invitations/?status=revoked").text


def test_a_membership_that_is_of_another_time_is_not_by_what_was_begun(
    invitee: Invitee, clerk: Emulator, subtests: pytest.Subtests
) -> None:
    """Nobody knows who has revoked it, and somebody has added the person at another time."""
    heard: list[str] = []

    def listen(**kwargs: Any) -> None:
        heard.append(kwargs["invitation"].id)

    invitation_accepted.connect(listen)
    for name, ago, is_ours in (("long before", 3600, False), ("meanwhile", -10, True)):
        with subtests.test(name=name):
            heard.clear()
            forget_clients()  # who know of the faults before
            row = invite(clerk)
            clerk.fault("POST", "*/revoke", status=503, times=2)
            invitee.press(invitee.open(page_of(row)), "join")
            row.state = "revoked"
            clerk.add_member("acme", NORA)
            clerk.state.memberships[-1].created_at -= ago * 1000
            invitee.press(invitee.open(page_of(row)), "continue")
            kept = Joining.objects.get(invitation_id=row.id)
            assert (kept.state, heard) == (("done", [row.id]) if is_ours else ("lost", []))
            clerk.state.memberships.pop()
    invitation_accepted.disconnect(listen)
