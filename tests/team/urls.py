"""The URLs of the site: one line for each mount."""

from __future__ import annotations

from django.urls import include, path

from org_invitations.urls import get_urls

from .pages import CrewPages, TeamPages

urlpatterns = [
    path("team/", include(get_urls(TeamPages))),
    path("crew/", include(get_urls(CrewPages, without=["export"]), namespace="crew")),
]
