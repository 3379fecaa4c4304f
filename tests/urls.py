"""The URLs of the tests' site."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("invitations/", include("org_invitations.urls")),
    path("join/", include("org_invitations.join_urls")),
    path(
        "teams/<str:organization_id>/invitations/",
        include("org_invitations.urls", namespace="teams"),
    ),
]
