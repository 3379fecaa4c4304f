"""Tickets of Clerk's in a browser: out of the URL by one redirect, into a cookie for ten minutes.

There is one for each value, so a link that somebody else has sent takes nobody's place; and one
that is held is never replaced. It goes to Clerk's own pages, and to no page, log or table.
"""

from __future__ import annotations

import hashlib
import re
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

#: So many characters they have together: many servers refuse a request with more than 8 KB of
#: cookies, and those of a session take their part of it.
_MAX_TOTAL: Final = 3000

#: Where a request keeps what :func:`take_out` has found.
_TAKEN: Final = "_org_invitations_tickets"
_PAIR: Final = re.compile(rf"(?:__Host-)?{_PREFIX}\w*=[^;]*(?:;\s*)?", re.ASCII)


class _Taken:
    """The tickets of a request; a report of a fault shows no more of it than its name."""

    __slots__ = ("cookies", "text")

    def __init__(self) -> None:
        self.text = ""
        self.cookies: dict[str, str] = {}

    def __repr__(self) -> str:
        return "<tickets>"


def take_out(request: HttpRequest) -> None:
    """Take the tickets out of the query and the cookies of a request, for these functions alone.

    What reports a fault to a site's developers shows both.
    """
    if hasattr(request, _TAKEN):
        return
    taken = _Taken()
    taken.cookies = {name: text for name, text in request.COOKIES.items() if _PREFIX in name}
    for name in taken.cookies:
        del request.COOKIES[name]
    if "HTTP_COOKIE" in request.META:
        request.META["HTTP_COOKIE"] = _PAIR.sub("", request.META["HTTP_COOKIE"])
    if TICKET in request.GET:
        query = request.GET.copy()
        taken.text = query.get(TICKET, "")
        del query[TICKET]
        request.GET = query  # type: ignore[assignment]
        request.META["QUERY_STRING"] = query.urlencode()
    request.__dict__.pop("headers", None)  # made of the above, and kept
    setattr(request, _TAKEN, taken)


def _get_taken(request: HttpRequest) -> _Taken:
    take_out(request)
    taken: _Taken = getattr(request, _TAKEN)
    return taken


def read(request: HttpRequest) -> JoinValue | None:
    """Return what the ticket in the URL of a request says it is for; a hint."""
    return read_ticket(_get_taken(request).text)


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
    taken, status = _get_taken(request), request.GET.get(STATUS, "")
    name, held = _get_name(request, value), taken.cookies
    if name in held or len(held) >= _MAX_HELD or read_ticket(taken.text) is None:
        return
    if sum(map(len, held.values())) + len(taken.text) > _MAX_TOTAL:
        return
    status = status if status in STATUSES else ""
    # Without a domain, and where the prefix is understood nobody else can set it either.
    response.set_cookie(
        name,
        f"{status}~{taken.text}",
        max_age=_SECONDS,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )


def get_held(request: HttpRequest, value: str) -> HeldTicket | None:
    """Return the ticket that the browser holds for a value."""
    status, _, text = _get_taken(request).cookies.get(_get_name(request, value), "").partition("~")
    hint = read_ticket(text)
    return HeldTicket(text, status if status in STATUSES else "", hint) if hint else None


def drop(request: HttpRequest, response: HttpResponseBase, value: str) -> None:
    """Let the browser forget its ticket for a value."""
    name = _get_name(request, value)
    if name in _get_taken(request).cookies:
        # As it was set: a cookie with this prefix that is not Secure would not even be deleted.
        response.set_cookie(
            name, "", max_age=0, secure=request.is_secure(), httponly=True, samesite="Lax"
        )


def _get_name(request: HttpRequest, value: str) -> str:
    digest = hashlib.sha256(value.encode()).hexdigest()[:16]
    prefix = "__Host-" if request.is_secure() else ""
    return f"{prefix}{_PREFIX}{digest}"
