"""What joining asks of Clerk: the exact requests, and what their answers become."""

from __future__ import annotations

import json
from typing import Any

import pytest
import responses

from org_invitations.clerk import ClerkClient
from org_invitations.clerk import exceptions as exc
from org_invitations.clerk.joining import JoiningAPI, OwnInvitation, PeopleAPI, User
from tests.clerk.test_resources import INVITATION, MEMBERSHIP
from tests.contract.spec import Spec

API = "https://api.clerk.com/v1"
REVOKED = INVITATION | {"status": "revoked", "url": None}


@pytest.fixture
def client() -> ClerkClient:
    return ClerkClient("sk_test_x")


@pytest.fixture
def api(client: ClerkClient) -> JoiningAPI:
    return JoiningAPI(client, INVITATION["organization_id"])


def address(text: Any, status: Any = "verified", id_: str = "idn_1") -> dict[str, Any]:
    return {"id": id_, "email_address": text, "verification": {"status": status}}


def user(*rows: Any, **more: Any) -> User:
    return User.parse({"id": "user_1", "email_addresses": list(rows), **more})


def test_only_what_clerk_calls_verified_is_theirs(subtests: pytest.Subtests) -> None:
    found = user(address("Max@Acme.test"), address("m@b.co", "unverified"))
    assert found.owns("max@acme.TEST")
    assert set(found.verified) == {"max@acme.test"}
    assert set(found.unverified) == {"m@b.co"}
    for row in (
        address("m@b.co", "expired"),
        address("m@b.co", None),
        address("m@b.co", True),
        address("m@b.co") | {"verification": None},
        address("m@b.co") | {"verification": "verified"},
        {"email_address": "m@b.co"},
        address(None),
        address(""),
        None,
        "m@b.co",
    ):
        with subtests.test(row=row):
            assert not user(row).owns("m@b.co")
            assert not user(row).owns("")
    assert not User.parse({"id": "user_1", "email_addresses": "m@b.co"}).owns("m@b.co")
    # One that is verified once is not unverified as well.
    assert user(address("a@b.co", "unverified"), address("A@b.co")).unverified == frozenset()


def test_who_may_not_use_the_account_is_barred() -> None:
    assert not user().is_barred
    for name in ("banned", "locked", "deprovisioned"):
        assert user(**{name: True}).is_barred


def test_the_first_address_names_the_person() -> None:
    rows = address("a@b.co", id_="idn_a"), address("b@b.co", id_="idn_b")
    assert user(*rows).email_address == "a@b.co"
    assert user(*rows, primary_email_address_id="idn_b").email_address == "b@b.co"
    assert "b.co" not in repr(user(*rows))


@pytest.mark.parametrize("body", [None, [], {}, {"id": 1}])
def test_a_user_without_an_id_is_none(body: Any) -> None:
    with pytest.raises(exc.InvalidResponse):
        User.parse(body)


def test_ones_own_invitations_have_their_organization_and_no_link(client: ClerkClient) -> None:
    org = {"id": "org_x", "name": "X", "slug": "x"}
    rows = [INVITATION | {"public_organization_data": org}, INVITATION, {"id": None}]
    with responses.RequestsMock() as http:
        http.get(
            f"{API}/users/user_1/organization_invitations?status=pending&limit=500",
            json={"data": rows, "total_count": 3},
        )
        page = PeopleAPI(client).get_invitations("user_1", status="pending")
    first, second = page.data
    assert (first.organization.name, first.invitation.organization_id) == ("X", "org_x")
    assert second.organization.id == INVITATION["organization_id"]
    assert (first.invitation.url, second.invitation.url) == ("", "")
    with pytest.raises(exc.InvalidResponse):
        OwnInvitation.parse(INVITATION | {"organization_id": None})


def test_a_session_is_ended_once(client: ClerkClient) -> None:
    with responses.RequestsMock() as http:
        call = http.post(f"{API}/sessions/sess_1/revoke", json={"object": "session"})
        PeopleAPI(client).revoke_session("sess_1")
    assert call.call_count == 1


def test_an_invitation_is_taken_back_in_nobodys_name(api: JoiningAPI) -> None:
    path = f"/organizations/{api.organization_id}/invitations/{REVOKED['id']}/revoke"
    with responses.RequestsMock() as http:
        http.post(f"{API}{path}", json=REVOKED)
        revoked = api.withdraw(REVOKED["id"])
        [call] = http.calls
        assert json.loads(call.request.body or "") == {}
    assert (revoked.id, revoked.is_revoked, api.has_written) == (REVOKED["id"], True, True)
    spec = Spec.load()
    assert spec is None or spec.check_body("POST", path, {}) == []


def test_only_the_answer_to_this_very_revocation_counts(
    api: JoiningAPI, subtests: pytest.Subtests
) -> None:
    """It is what makes a membership, so anything else is no answer."""
    url = f"{API}/organizations/{api.organization_id}/invitations/{REVOKED['id']}/revoke"
    body: Any
    for body in (
        REVOKED | {"id": "orginv_other"},
        REVOKED | {"status": "pending"},
        REVOKED | {"status": "accepted"},
        {},
        [],
    ):
        with subtests.test(body=body), responses.RequestsMock() as http:
            http.post(url, json=body)
            with pytest.raises(exc.InvalidResponse) as caught:
                api.withdraw(REVOKED["id"])
            assert caught.value.may_have_happened


def test_a_refusal_says_what_is_missing(api: JoiningAPI) -> None:
    url = f"{API}/organizations/{api.organization_id}/invitations/{REVOKED['id']}/revoke"
    for code, kind in (
        ("organization_invitation_not_pending", exc.InvitationNotPending),
        ("resource_not_found", exc.InvitationNotFound),
    ):
        with responses.RequestsMock() as http:
            http.post(url, json={"errors": [{"code": code, "message": ""}]}, status=404)
            with pytest.raises(kind):
                api.withdraw(REVOKED["id"])


def test_a_member_is_added_with_role_and_metadata(api: JoiningAPI) -> None:
    path = f"/organizations/{api.organization_id}/memberships"
    with responses.RequestsMock() as http:
        http.post(f"{API}{path}", json=MEMBERSHIP)
        api.add_member("user_1", "org:x", public_metadata={"a": 1}, private_metadata={})
        [call] = http.calls
        sent = json.loads(call.request.body or "")
    assert sent == {
        "user_id": "user_1",
        "role": "org:x",
        "public_metadata": {"a": 1},
        "private_metadata": {},
    }
    spec = Spec.load()
    assert spec is None or spec.check_body("POST", path, sent) == []
