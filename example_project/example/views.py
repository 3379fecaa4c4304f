"""The pages of the example site that are not the app's."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def home(request: HttpRequest) -> HttpResponse:
    """Greet whoever is signed in and point to the invitations."""
    return render(request, "example/home.html")
