"""Tickets of Clerk's in a browser: out of the URL by one redirect, into a cookie for ten minutes.

There is one for each value, so a link that somebody else has sent takes nobody's place; and one
that is held is never replaced. It goes to Clerk's own pages, and to no page, log or table.
"""

from __future__ import annotations

import hashlib
from typing import Final

from django.http import HttpRequest, HttpResponseBase

from ..services.joining.links import JoinValue, read_ticket

#: What Clerk adds to the URL that a link leads to.
TICKET: Final = "__clerk_ticket"
STATUS: Final = "__clerk_status"

#: What a link says of the invited address.
STATUSES: Final = ("sign_in", "sign_up", "complete")

_SECONDS: Final = 600
_PREFIX: Final = "org_invitations_ticket_"

#: Whoever opens more links than this at once signs in without a ticket.
_MAX_HELD: Final = 3


class HeldTicket:
    """A ticket that a browser holds for a value."""

    __slots__ = ("hint", "status", "text")

    def __init__(self, text: str, status: str, hint: JoinValue) -> None:
        """Keep what the cookie says."""
        self.text = text
        #: ``sign_in``, ``sign_up`` or ``complete``; a hint.
        self.status = status
        #: Which invitation it says it is for; a hint.
        self.hint = hint

    def __repr__(self) -> str:
        return "<a ticket>"


def hold(request: HttpRequest, response: HttpResponseBase, value: str) -> None:
    """Let the browser hold the ticket of the request's URL, unless it holds one for the value."""
    ticket, status = request.GET.get(TICKET, ""), request.GET.get(STATUS, "")
    name = _get_name(request, value)
    held = [cookie for cookie in request.COOKIES if _PREFIX in cookie]
    if not ticket or name in held or len(held) >= _MAX_HELD or read_ticket(ticket) is None:
        return
    status = status if status in STATUSES else ""
    # Without a domain, and where the prefix is understood nobody else can set it either.
    response.set_cookie(
        name,
        f"{status}~{ticket}",
        max_age=_SECONDS,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )


def get_held(request: HttpRequest, value: str) -> HeldTicket | None:
    """Return the ticket that the browser holds for a value."""
    status, _, text = request.COOKIES.get(_get_name(request, value), "").partition("~")
    hint = read_ticket(text)
    return HeldTicket(text, status if status in STATUSES else "", hint) if hint else None


def drop(request: HttpRequest, response: HttpResponseBase, value: str) -> None:
    """Let the browser forget its ticket for a value."""
    name = _get_name(request, value)
    if name in request.COOKIES:
        # As it was set: a cookie with this prefix that is not Secure would not even be deleted.
        response.set_cookie(
            name, "", max_age=0, secure=request.is_secure(), httponly=True, samesite="Lax"
        )


def _get_name(request: HttpRequest, value: str) -> str:
    digest = hashlib.sha256(value.encode()).hexdigest()[:16]
    prefix = "__Host-" if request.is_secure() else ""
    return f"{prefix}{_PREFIX}{digest}"
