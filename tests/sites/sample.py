"""What a typed site writes: held against mypy and pyright where the wheel is installed."""

from __future__ import annotations

from typing import assert_type

from django.http import HttpRequest, HttpResponse
from django.views import View

from org_invitations.clerk.session.lazy import ClerkSession
from org_invitations.clients import get_client
from org_invitations.identity import Identity, get_identity
from org_invitations.middleware import ClerkHttpRequest, renews_session
from org_invitations.roles import GrantPolicy
from org_invitations.services import InvitationService
from org_invitations.testing import SignIn
from org_invitations.views import InvitationListView, InviteView
from org_invitations.wording import Wording


class OurWording(Wording):
    messages = Wording.messages | {"AlreadyMember": "%(email_address)s is on board already."}
    statuses = Wording.statuses | {}


class OurService(InvitationService):
    """Another one."""


class Invite(InviteView):
    wording_class = OurWording
    service_class = OurService


class People(InvitationListView):
    template_name = "people/list.html"


class OurRule(GrantPolicy):
    """Another one."""


@renews_session
def people(request: ClerkHttpRequest) -> HttpResponse:
    assert_type(request.clerk, ClerkSession)
    assert_type(request.clerk.user_id, str | None)
    assert_type(request.clerk.is_signed_in, bool)
    return HttpResponse(request.clerk.user_id or "nobody")


async def quick(request: ClerkHttpRequest) -> HttpResponse:
    clerk = await request.aclerk()
    return HttpResponse(assert_type(clerk.organization_id, str | None) or "none")


class Team(View):
    def get(self, request: ClerkHttpRequest) -> HttpResponse:
        return HttpResponse(request.clerk.organization_slug or "none")


def service_of(request: HttpRequest) -> InvitationService | None:
    identity = assert_type(get_identity(request), Identity | None)
    if identity is None or identity.organization_id is None:
        return None
    return OurService(
        get_client(), organization_id=identity.organization_id, user_id=identity.user_id
    )


def sign_in(clerk_sign_in: SignIn) -> None:
    from django.test import Client

    assert_type(clerk_sign_in(Client(), "ada@acme.test", organization="acme"), dict[str, str])
