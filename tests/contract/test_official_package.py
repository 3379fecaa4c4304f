"""The emulator under Clerk's own Python package, over a socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from clerk_backend_api import Clerk, models
from clerk_backend_api.security.types import (
    AuthenticateRequestOptions,
    TokenVerificationError,
    VerifyTokenOptions,
)
from clerk_backend_api.security.verifytoken import verify_token

from org_invitations.emulator import ISSUER, JWT_KEY, SECRET_KEY, EmulatorServer

SITE = "http://localhost:8000/"


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer() as running:
        yield running


@pytest.fixture
def clerk(server: EmulatorServer) -> Iterator[Clerk]:
    with (
        httpx.Client(trust_env=False) as client,
        Clerk(bearer_auth=SECRET_KEY, server_url=f"{server.url}/v1", client=client) as api,
    ):
        yield api


@pytest.fixture
def acme(server: EmulatorServer) -> str:
    return server.emulator.organization("acme").id


def test_organizations(clerk: Clerk, acme: str) -> None:
    found = clerk.organizations.get(organization_id="acme", include_members_count=True)
    assert (found.id, found.name, found.members_count) == (acme, "Acme", 10)
    listed = clerk.organizations.list(limit=1, order_by="name")
    assert (listed.total_count, listed.data[0].slug) == (2, "acme")


def test_inviting_listing_and_revoking(clerk: Clerk, server: EmulatorServer, acme: str) -> None:
    ada = server.emulator.user("ada@acme.test").id
    made = clerk.organization_invitations.create(
        organization_id=acme,
        email_address="new@example.com",
        role="org:member",
        inviter_user_id=ada,
        expires_in_days=3,
    )
    assert (made.status, made.inviter_id, made.role_name) == ("pending", ada, "Member")
    found = clerk.organization_invitations.get(organization_id=acme, invitation_id=made.id)
    assert found.email_address == "new@example.com"
    listed = clerk.organization_invitations.list(
        organization_id=acme,
        status=models.ListOrganizationInvitationsQueryParamStatus.PENDING,
        limit=1,
        offset=0,
    )
    assert (listed.total_count, listed.data[0].id) == (35, made.id)
    revoked = clerk.organization_invitations.revoke(
        organization_id=acme, invitation_id=made.id, requesting_user_id=ada
    )
    assert revoked.status == "revoked"


def _bulk_item(address: str, role: str) -> models.CreateOrganizationInvitationBulkRequestBody:
    return models.CreateOrganizationInvitationBulkRequestBody(email_address=address, role=role)


def test_inviting_in_bulk(clerk: Clerk, acme: str) -> None:
    made = clerk.organization_invitations.bulk_create(
        organization_id=acme,
        request_body=[
            _bulk_item("a@example.com", "org:member"),
            _bulk_item("b@example.com", "org:admin"),
        ],
    )
    assert made.total_count == 2
    assert [row.role for row in made.data] == ["org:member", "org:admin"]


def test_invitations_of_the_whole_instance(clerk: Clerk) -> None:
    listed = clerk.organization_invitations.get_all(limit=500)
    assert listed.total_count == 71


def test_errors_arrive_as_errors(clerk: Clerk, acme: str) -> None:
    with pytest.raises(models.ClerkErrors) as caught:
        clerk.organization_invitations.create(
            organization_id=acme, email_address="max@acme.test", role="org:member"
        )
    assert caught.value.data.errors[0].code == "already_a_member_in_organization"
    with pytest.raises(models.ClerkErrors) as caught:
        clerk.organization_invitations.revoke(organization_id=acme, invitation_id="orginv_none")
    assert caught.value.data.errors[0].code == "resource_not_found"


def test_members(clerk: Clerk, server: EmulatorServer, acme: str) -> None:
    mia = server.emulator.user("mia@acme.test").id
    listed = clerk.organization_memberships.list(organization_id=acme, user_id=[mia])
    assert listed.total_count == 1
    assert "org:sys_memberships:manage" in (listed.data[0].permissions or ())
    nora = server.emulator.user("nora@nowhere.test").id
    added = clerk.organization_memberships.create(
        organization_id=acme, user_id=nora, role="org:member"
    )
    assert added.public_user_data is not None
    assert added.public_user_data.user_id == nora


def test_people(clerk: Clerk, server: EmulatorServer) -> None:
    bo = server.emulator.user("bo@both.test").id
    assert clerk.users.get(user_id=bo).first_name == "Bo"
    assert clerk.users.get_organization_memberships(user_id=bo).total_count == 2
    assert clerk.users.get_organization_invitations(user_id=bo).total_count == 2


def test_roles_and_role_sets(clerk: Clerk) -> None:
    roles = clerk.organization_roles.list(limit=500)
    assert roles.total_count == 6
    role_set = clerk.role_sets.get(role_set_key_or_id="role_set:crew")
    assert isinstance(role_set.default_role, models.DefaultRole)
    assert role_set.default_role.key == "org:guest"
    assert clerk.role_sets.list().total_count == 2


def test_settings(clerk: Clerk) -> None:
    assert clerk.instance_settings.get_organization_settings().enabled is True


@pytest.mark.parametrize("version", [1, 2])
def test_a_minted_token_is_a_session(clerk: Clerk, server: EmulatorServer, version: int) -> None:
    def authenticate(token: str) -> Any:
        cookies = {"Cookie": f"__session={token}"}
        options = AuthenticateRequestOptions(
            jwt_key=JWT_KEY, authorized_parties=["http://localhost:8000"]
        )
        return clerk.authenticate_request(httpx.Request("GET", SITE, headers=cookies), options)

    emulator = server.emulator
    good = emulator.mint_token("bo@both.test", organization="globex", version=version)
    state = authenticate(good)
    assert state.is_signed_in
    assert state.payload["sub"] == emulator.user("bo@both.test").id
    assert not authenticate(emulator.mint_token("bo@both.test", issued_ago=120)).is_signed_in
    assert not authenticate(emulator.mint_token("bo@both.test", azp="http://x.test")).is_signed_in
    assert not authenticate(emulator.mint_token("bo@both.test", key="unknown")).is_signed_in


def test_a_minted_token_verifies_by_the_fetched_keys(server: EmulatorServer) -> None:
    def verify(token: str) -> Any:
        return verify_token(
            token, VerifyTokenOptions(secret_key=SECRET_KEY, api_url=server.url, api_version="v1")
        )

    emulator = server.emulator
    assert verify(emulator.mint_token("ada@acme.test"))["o"]["slg"] == "acme"
    with pytest.raises(TokenVerificationError):
        verify(emulator.mint_token("ada@acme.test", key="unknown"))
    emulator.rotate_keys()
    assert verify(emulator.mint_token("ada@acme.test"))["iss"] == ISSUER
