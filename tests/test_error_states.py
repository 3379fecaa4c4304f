"""An error means the same, whichever way it came: for the item, for the rest, for a retry."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from org_invitations.clerk import OrganizationAPI
from org_invitations.clerk import exceptions as exc
from org_invitations.emulator import Emulator
from org_invitations.models import Batch, BatchItem
from org_invitations.views.outcome_presenter import is_left

from .clerk.test_exceptions import all_kinds
from .views.conftest import LIST, Browser, ada, clerk
from .views.inviting import press, review_of, type_in

__all__ = ["ada", "clerk"]  # fixtures

State = BatchItem.State

KINDS = all_kinds()


def invite_one(ada: Browser, clerk: Emulator) -> None:
    type_in(ada, "one@example.com")


def invite_many(ada: Browser, clerk: Emulator) -> None:
    press(ada, review_of(type_in(ada, "one@example.com two@example.com")))


def resend_one(ada: Browser, clerk: Emulator) -> None:
    [row] = expired(clerk, "one@example.com")
    data = {"role": "org:member", "batch": str(uuid4())}
    ada.post(f"{LIST}{row}/resend/", data)


def resend_many(ada: Browser, clerk: Emulator) -> None:
    ids = expired(clerk, "one@example.com", "two@example.com")
    data = {"action": "resend", "selected": ids, "confirmed": "1", "batch": str(uuid4())}
    ada.post(f"{LIST}selected/", data)


def expired(clerk: Emulator, *addresses: str) -> list[str]:
    """Invitations that have expired: nothing is revoked for a new one."""
    rows = [clerk.add_invitation("acme", address) for address in addresses]
    for row in rows:
        row.expires_at = row.created_at - 1
        row.created_at -= 86_400_000 * 30
    return [row.id for row in rows]


WAYS = {
    "one": invite_one,
    "many": invite_many,
    "resend": resend_one,
    "many resent": resend_many,
}


def refuse_with(kind: type[exc.ClerkError], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Clerk answer every invitation with this error, and make none."""

    def answer(*_: Any) -> Any:
        raise kind()

    monkeypatch.setattr(OrganizationAPI, "invite_member", answer)
    monkeypatch.setattr(OrganizationAPI, "invite_members", answer)


#: What Clerk shows not to be so, since nobody here is a member or invited.
CONTRARY: dict[type[exc.ClerkError], type[exc.ClerkError]] = {
    exc.DuplicateInvitation: exc.InvitationNotShown,
    exc.AlreadyMember: exc.MemberNotShown,
}


def expected(kind: type[exc.ClerkError], way: str) -> str:
    if kind().may_be_under_way:
        return State.UNSETTLED
    if issubclass(kind, (exc.RateLimited, exc.DeadlineExceeded)):
        # One alone is tried again from its form: nothing goes on with it by itself.
        return State.FAILED if way in ("one", "resend") else State.WAITING
    return State.REFUSED if kind.is_final else State.FAILED


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_same_error_is_the_same_state_whichever_way_it_came(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch,
    kind: type[exc.ClerkError], way: str,
) -> None:  # fmt: skip
    refuse_with(kind, monkeypatch)
    WAYS[way](ada, clerk)
    kind = CONTRARY.get(kind, kind)
    first, *rest = BatchItem.objects.order_by("number")
    assert (first.state, first.reason) == (expected(kind, way), kind.__name__)
    may_help = first.state in (State.WAITING, State.FAILED)
    assert is_left(first) is (may_help or (kind.is_final and kind.is_correctable))
    # What trying again may help with is offered, what it cannot help with is not.
    outcome = ada.get(f"{LIST}outcomes/{first.batch_id}/")
    if outcome.status_code != 200:  # whoever lost the right sees no outcome either
        assert kind in (exc.OrganizationNotFound, exc.PermissionDenied)
        return
    if first.batch.action == Batch.Action.RESEND:
        offered = first.replaces_id in outcome.context["outcome"].retry_ids
        assert offered is (first.state == State.FAILED)
    else:
        form = outcome.context["form"]
        offered = form is not None and "one@example.com" in form["email_addresses"].value()
        assert offered is is_left(first)
    # What concerns all is not tried with the others, and each of them says why.
    if rest and kind.concerns_all:
        together = first.batch.action == Batch.Action.INVITE  # in the same call
        state = State.WAITING if kind.is_transient and not together else expected(kind, way)
        assert [item.state for item in rest] == [state]
