"""What can be done in one organization: the exact requests, and what their answers become."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from org_invitations.clerk import (
    BULK_SIZE,
    ClerkClient,
    InstanceAPI,
    InvitationRequest,
    InvitationStatus,
    OrganizationAPI,
)
from org_invitations.clerk import exceptions as exc
from tests.clerk.test_resources import (
    INVITATION,
    MEMBERSHIP,
    ORGANIZATION,
    ROLE,
    ROLE_SET,
    SETTINGS,
    USER,
)

API = "https://api.clerk.com/v1"

BARE = InvitationRequest("new@example.com", "org:member", "user_1")
FULL = InvitationRequest(
    email_address="new+tag@example.com",
    role="org:admin",
    inviter_user_id="user_1",
    redirect_url="https://app.test/welcome",
    expires_in_days=7,
    notify=False,
    public_metadata={"team": 1},
    private_metadata={},
)
BARE_JSON = {
    "email_address": "new@example.com",
    "role": "org:member",
    "inviter_user_id": "user_1",
}
FULL_JSON = {
    "email_address": "new+tag@example.com",
    "role": "org:admin",
    "inviter_user_id": "user_1",
    "redirect_url": "https://app.test/welcome",
    "expires_in_days": 7,
    "notify": False,
    "public_metadata": {"team": 1},
    "private_metadata": {},
}


def page(*rows: Any, total: int | None = None) -> dict[str, Any]:
    return {"data": list(rows), "total_count": len(rows) if total is None else total}


class APIs:
    def __init__(self) -> None:
        client = ClerkClient("sk_test_x")
        self.organization = OrganizationAPI(client, "org_1")
        self.instance = InstanceAPI(client)


@pytest.fixture
def api() -> APIs:
    return APIs()


@pytest.fixture
def clerk() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


Call = Callable[[APIs], Any]

REQUESTS: list[tuple[str, Call, str, str, list[tuple[str, str]], Any, Any]] = [
    (
        "an organization",
        lambda api: api.organization.get(),
        "GET",
        "/organizations/org_1",
        [],
        None,
        ORGANIZATION,
    ),
    (
        "an organization with the number of members",
        lambda api: api.organization.get(include_members_count=True),
        "GET",
        "/organizations/org_1",
        [("include_members_count", "true")],
        None,
        ORGANIZATION,
    ),
    (
        "the membership of one user",
        lambda api: api.organization.get_membership("user_1"),
        "GET",
        "/organizations/org_1/memberships",
        [("user_id", "user_1"), ("limit", "2"), ("offset", "0")],
        None,
        page(MEMBERSHIP),
    ),
    (
        "the memberships of some addresses",
        lambda api: api.organization.get_memberships(email_address=["a+b@x.y", "c@x.y"]),
        "GET",
        "/organizations/org_1/memberships",
        [
            ("email_address", "a+b@x.y"),
            ("email_address", "c@x.y"),
            ("limit", "500"),
            ("offset", "0"),
        ],
        None,
        page(),
    ),
    (
        "the pending invitations",
        lambda api: api.organization.get_invitations(),
        "GET",
        "/organizations/org_1/invitations",
        [("status", "pending"), ("limit", "10"), ("offset", "0")],
        None,
        page(INVITATION),
    ),
    (
        "invitations of some statuses in some order",
        lambda api: api.organization.get_invitations(
            status=(InvitationStatus.ACCEPTED, InvitationStatus.EXPIRED),
            email_address="a@b.c",
            order_by="+created_at",
            limit=500,
            offset=20,
        ),
        "GET",
        "/organizations/org_1/invitations",
        [
            ("status", "accepted"),
            ("status", "expired"),
            ("email_address", "a@b.c"),
            ("order_by", "+created_at"),
            ("limit", "500"),
            ("offset", "20"),
        ],
        None,
        page(),
    ),
    (
        "invitations of any status",
        lambda api: api.organization.get_invitations(status=None),
        "GET",
        "/organizations/org_1/invitations",
        [("limit", "10"), ("offset", "0")],
        None,
        page(),
    ),
    (
        "one invitation",
        lambda api: api.organization.get_invitation("orginv_1"),
        "GET",
        "/organizations/org_1/invitations/orginv_1",
        [],
        None,
        INVITATION,
    ),
    (
        "inviting, with nothing chosen",
        lambda api: api.organization.invite_member(BARE),
        "POST",
        "/organizations/org_1/invitations",
        [],
        BARE_JSON,
        INVITATION,
    ),
    (
        "inviting, with everything chosen",
        lambda api: api.organization.invite_member(FULL),
        "POST",
        "/organizations/org_1/invitations",
        [],
        FULL_JSON,
        INVITATION,
    ),
    (
        "inviting several: a JSON array",
        lambda api: api.organization.invite_members([BARE, FULL]),
        "POST",
        "/organizations/org_1/invitations/bulk",
        [],
        [BARE_JSON, FULL_JSON],
        page(INVITATION, INVITATION),
    ),
    (
        "revoking",
        lambda api: api.organization.revoke("orginv_1", requesting_user_id="user_1"),
        "POST",
        "/organizations/org_1/invitations/orginv_1/revoke",
        [],
        {"requesting_user_id": "user_1"},
        {**INVITATION, "status": "revoked"},
    ),
    (
        "all roles of the instance",
        lambda api: api.instance.get_roles(),
        "GET",
        "/organization_roles",
        [("limit", "500"), ("order_by", "+created_at")],
        None,
        page(ROLE),
    ),
    (
        "a role set, its key quoted",
        lambda api: api.instance.get_role_set("role_set:default"),
        "GET",
        "/role_sets/role_set%3Adefault",
        [],
        None,
        ROLE_SET,
    ),
    (
        "the settings of the instance",
        lambda api: api.instance.get_organization_settings(),
        "GET",
        "/instance/organization_settings",
        [],
        None,
        SETTINGS,
    ),
    (
        "where a user belongs to",
        lambda api: api.instance.get_organization_memberships("user_1"),
        "GET",
        "/users/user_1/organization_memberships",
        [("limit", "500")],
        None,
        page(MEMBERSHIP),
    ),
]


@pytest.mark.parametrize(
    ("call", "method", "path", "query", "body", "answer"),
    [case[1:] for case in REQUESTS],
    ids=[case[0] for case in REQUESTS],
)
def test_the_request_is_exactly_this(
    api: APIs,
    clerk: responses.RequestsMock,
    call: Call,
    method: str,
    path: str,
    query: list[tuple[str, str]],
    body: Any,
    answer: Any,
) -> None:
    clerk.add(method, f"{API}{path}", json=answer)
    call(api)
    [made] = clerk.calls
    parts = urlsplit(made.request.url or "")
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{API}{path}"
    assert parse_qsl(parts.query, keep_blank_values=True) == query
    assert "+" not in parts.query
    if body is None:
        assert made.request.body is None
    else:
        assert json.loads(made.request.body or "") == body
        assert made.request.headers["Content-Type"] == "application/json"


# --- Memberships ---------------------------------------------------------------------------


def membership(**changes: Any) -> dict[str, Any]:
    return {**MEMBERSHIP, **changes}


@pytest.mark.parametrize(
    "answer",
    [
        page(),
        page(MEMBERSHIP, MEMBERSHIP),
        page(MEMBERSHIP, membership(id="orgmem_2", public_user_data={**USER, "user_id": "user_2"})),
        page(membership(public_user_data={**USER, "user_id": "user_2"})),
        page(membership(public_user_data={**USER, "user_id": "USER_1"})),
        page(membership(public_user_data=None)),
        page(membership(organization={**ORGANIZATION, "id": "org_2"})),
    ],
    ids=[
        "nobody",
        "twice",
        "and somebody else",
        "somebody else",
        "almost the same",
        "no user",
        "another organization",
    ],
)
def test_a_membership_counts_only_if_clerk_names_exactly_this_one(
    api: APIs, clerk: responses.RequestsMock, answer: Any
) -> None:
    clerk.get(f"{API}/organizations/org_1/memberships", json=answer)
    assert api.organization.get_membership("user_1") is None


def test_the_membership_itself(api: APIs, clerk: responses.RequestsMock) -> None:
    clerk.get(f"{API}/organizations/org_1/memberships", json=page(MEMBERSHIP))
    found = api.organization.get_membership("user_1")
    assert found is not None
    assert found.id == "orgmem_1"


# --- Many at once --------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 11])
def test_only_one_to_ten_go_into_one_call(
    api: APIs, clerk: responses.RequestsMock, number: int
) -> None:
    assert BULK_SIZE == 10
    with pytest.raises(ValueError, match="1 to 10"):
        api.organization.invite_members([BARE] * number)
    assert len(clerk.calls) == 0


def test_several_invitations_come_back_in_a_page(api: APIs, clerk: responses.RequestsMock) -> None:
    rows = [{**INVITATION, "id": f"orginv_{n}"} for n in range(10)]
    clerk.post(f"{API}/organizations/org_1/invitations/bulk", json=page(*rows))
    found = api.organization.invite_members([BARE] * 10)
    assert [invitation.id for invitation in found] == [row["id"] for row in rows]


# --- What is missing -----------------------------------------------------------------------


def missing(code: str, long_message: str = "") -> dict[str, Any]:
    entry = {"code": code, "message": "not found", "long_message": long_message}
    return {"errors": [entry], "clerk_trace_id": "t1"}


NOT_THERE = missing("resource_not_found", "not found")

WHAT_IS_MISSING: list[tuple[str, Call, str, str, dict[str, Any], type[exc.ClerkError]]] = [
    (
        "organization",
        lambda api: api.organization.get(),
        "GET",
        "/organizations/org_1",
        NOT_THERE,
        exc.OrganizationNotFound,
    ),
    (
        "invitation",
        lambda api: api.organization.get_invitation("orginv_1"),
        "GET",
        "/organizations/org_1/invitations/orginv_1",
        NOT_THERE,
        exc.InvitationNotFound,
    ),
    (
        "invitation of an organization that is missing",
        lambda api: api.organization.get_invitation("orginv_1"),
        "GET",
        "/organizations/org_1/invitations/orginv_1",
        missing("resource_not_found", "Given organization not found."),
        exc.OrganizationNotFound,
    ),
    (
        "invitation to revoke",
        lambda api: api.organization.revoke("orginv_1", requesting_user_id="u"),
        "POST",
        "/organizations/org_1/invitations/orginv_1/revoke",
        NOT_THERE,
        exc.InvitationNotFound,
    ),
    (
        "pending invitation to revoke",
        lambda api: api.organization.revoke("orginv_1", requesting_user_id="u"),
        "POST",
        "/organizations/org_1/invitations/orginv_1/revoke",
        missing("organization_invitation_not_pending"),
        exc.InvitationNotPending,
    ),
    (
        "role set",
        lambda api: api.instance.get_role_set("role_set:x"),
        "GET",
        "/role_sets/role_set%3Ax",
        missing("resource_not_found", "Role set not found."),
        exc.NotFound,
    ),
]


@pytest.mark.parametrize(
    ("call", "method", "path", "answer", "kind"),
    [case[1:] for case in WHAT_IS_MISSING],
    ids=[case[0] for case in WHAT_IS_MISSING],
)
def test_what_is_missing_is_said_as_exactly_as_the_caller_knows(
    api: APIs,
    clerk: responses.RequestsMock,
    call: Call,
    method: str,
    path: str,
    answer: dict[str, Any],
    kind: type[exc.ClerkError],
) -> None:
    clerk.add(method, f"{API}{path}", json=answer, status=404)
    with pytest.raises(exc.ClerkError) as caught:
        call(api)
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.trace_id) == (404, "t1")
    assert caught.value.code == answer["errors"][0]["code"]


@pytest.mark.parametrize("bad", ["../org_2", "", "a/b", "orginv_1?x=1"])
def test_an_id_that_no_object_can_have_is_missing_without_a_question(
    clerk: responses.RequestsMock, bad: str
) -> None:
    client = ClerkClient("sk_test_x")
    with pytest.raises(exc.InvitationNotFound):
        OrganizationAPI(client, "org_1").get_invitation(bad)
    with pytest.raises(exc.InvitationNotFound):
        OrganizationAPI(client, "org_1").revoke(bad, requesting_user_id="user_1")
    with pytest.raises(exc.OrganizationNotFound):
        OrganizationAPI(client, bad).get()
    assert len(clerk.calls) == 0


def test_a_success_that_holds_no_invitation_is_an_invalid_response(
    api: APIs, clerk: responses.RequestsMock
) -> None:
    clerk.post(f"{API}/organizations/org_1/invitations", json={"object": "something else"})
    with pytest.raises(exc.InvalidResponse) as caught:
        api.organization.invite_member(BARE)
    assert caught.value.may_have_happened


def test_metadata_is_in_no_repr() -> None:
    request = InvitationRequest(
        "a@b.c", "r", "u", public_metadata={"k": "p1"}, private_metadata={"k": "p2"}
    )
    assert "p1" not in repr(request)
    assert "p2" not in repr(request)
