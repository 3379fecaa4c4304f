"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from org_invitations.clients import forget_clients
from org_invitations.middleware import forget_keys

pytest_plugins = ["org_invitations.testing"]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """Let no test see what another one cached."""
    cache.clear()
    yield
    cache.clear()
    forget_clients()
    forget_keys()
