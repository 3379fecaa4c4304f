"""Wherever a site mounts the app, the pages lead to each other."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import include, path

from org_invitations.emulator import Emulator

from .conftest import Browser

urlpatterns = [
    path("fixed/", include("org_invitations.urls", namespace="fixed"), {"organization_id": "acme"}),
    path("dark/", include("org_invitations.urls", namespace="dark"), {"theme": "dark"}),
    path(
        "<slug:tenant>/<str:organization_id>/invitations/",
        include("org_invitations.urls", namespace="tenant"),
    ),
    path(
        "outer/",
        include(([path("inner/", include("org_invitations.urls"))], "outer"), namespace="outer"),
    ),
]

MOUNTS = [
    "/fixed/",
    "/fixed/organizations/acme/",
    "/fixed/organizations/globex/",
    "/dark/",
    "/dark/organizations/acme/",
    "/west/acme/invitations/",
    "/outer/inner/",
]


@pytest.mark.parametrize("base", MOUNTS)
def test_all_links_stay_where_the_page_is(
    sign_in: Any, clerk: Emulator, settings: Any, base: str
) -> None:
    settings.ROOT_URLCONF = __name__
    bo: Browser = sign_in("bo@both.test", "acme")
    page = bo.get(base)
    assert page.status_code == 200
    links = set(re.findall(r'(?:href|action)="(/[^"?]*)', page.text))
    links = {link for link in links if not link.startswith("/static/")}
    assert len(links) > 5
    for link in links:
        assert re.fullmatch(rf"{base}(\w+/){{0,2}}", link), link


@pytest.mark.parametrize("base", MOUNTS)
def test_an_invitation_is_sent_and_revoked_there(
    sign_in: Any, clerk: Emulator, settings: Any, base: str
) -> None:
    settings.ROOT_URLCONF = __name__
    bo: Browser = sign_in("bo@both.test", "acme")
    name = "globex" if "globex" in base else "acme"
    sent = bo.post(f"{base}invite/", {"email_addresses": "new@example.com", "role": "org:member"})
    assert (sent.status_code, sent["Location"]) == (303, base)
    row = clerk.invitations(name, "pending")[-1]
    assert row.email_address == "new@example.com"
    revoked = bo.post(f"{base}{row.id}/revoke/")
    assert (revoked.status_code, revoked["Location"].partition("?")[0]) == (303, base)
    assert row.state == "revoked"
