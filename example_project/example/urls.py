"""The URLs of the example site."""

from __future__ import annotations

from django.urls import include, path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("invitations/", include("org_invitations.urls")),
    # Where the links of invitations lead: ORG_INVITATIONS_JOIN_URL says so.
    path("join/", include("org_invitations.join_urls")),
]
