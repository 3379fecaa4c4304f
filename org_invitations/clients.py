"""The Clerk client that the settings describe, one per process."""

from __future__ import annotations

import os
import threading
from typing import Final

from django.core.exceptions import ImproperlyConfigured

from .clerk import ClerkClient
from .clerk.session.publishable_key import InvalidPublishableKey, parse_publishable_key
from .concurrency import get_bulkhead
from .conf import conf

_Key = tuple[str, str, float, float, int]

_clients: Final[dict[_Key, ClerkClient]] = {}
_lock = threading.Lock()


def get_client() -> ClerkClient:
    """Return the client for the settings as they are now.

    It is shared by all threads of the process, with its pool of connections.

    :raises ImproperlyConfigured: there is no ``CLERK_SECRET_KEY``.
    """
    if not conf.CLERK_SECRET_KEY:
        raise ImproperlyConfigured(
            "org_invitations needs CLERK_SECRET_KEY: set it to the secret key of your Clerk "
            "instance (Clerk Dashboard, API keys)."
        )
    key = (
        conf.CLERK_SECRET_KEY,
        conf.CLERK_API_URL,
        conf.CONNECT_TIMEOUT,
        conf.READ_TIMEOUT,
        conf.MAX_WAITING,
    )
    with _lock:
        client = _clients.get(key)
        if client is None:
            # Settings change in tests only, so what was built for others is not kept.
            forget_clients(locked=True)
            client = _clients[key] = ClerkClient(
                key[0],
                api_url=key[1],
                connect_timeout=key[2],
                read_timeout=key[3],
                bulkhead=get_bulkhead(),
            )
    return client


def get_instance() -> str:
    """Return the host of the Frontend API, by which an instance of Clerk's is known for good.

    Keys rotate, this does not. Empty where there is no publishable key that names it.
    """
    try:
        return parse_publishable_key(conf.CLERK_PUBLISHABLE_KEY).frontend_api
    except InvalidPublishableKey:
        return ""


def forget_clients(*, locked: bool = False) -> None:
    """Drop the clients, with what they know of Clerk's state, and close their connections."""
    if not locked:
        with _lock:
            forget_clients(locked=True)
        return
    for client in _clients.values():
        client.close()
    _clients.clear()


def _after_fork() -> None:
    # Two processes must never share one socket; the lock may have been held while forking.
    global _lock
    _lock = threading.Lock()
    _clients.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
