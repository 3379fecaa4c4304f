"""The URLs of the site that the benchmarks load."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from benchmarks import barest


def plain(request: HttpRequest) -> HttpResponse:
    """Answer without anything of Clerk's."""
    return HttpResponse("plain")


urlpatterns = [
    path("plain/", plain),
    *barest.urlpatterns,
    path("invitations/", include("org_invitations.urls")),
]
