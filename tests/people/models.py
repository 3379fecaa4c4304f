"""A user model as docs/identity.md shows it."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A Django user that knows who they are at Clerk."""

    clerk_id = models.CharField(max_length=64, blank=True, default="")
