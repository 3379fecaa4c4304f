"""A site's own users, each with their Clerk id."""

from __future__ import annotations

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """The app."""

    name = "tests.people"
    default_auto_field = "django.db.models.BigAutoField"
