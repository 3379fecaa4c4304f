"""What holds for a view before any of it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import connections, transaction
from django.http import HttpResponseBase

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def outside_transactions(view: View) -> View:
    """Keep a view out of the transactions of ``ATOMIC_REQUESTS``, of whichever database.

    No transaction waits for Clerk. And what is written down before a call to Clerk must be there
    even if the process dies in it.
    """
    for alias in connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    return view
