"""Tickets of Clerk's in a browser: out of the URL by one redirect, into a cookie for ten minutes.

There is one for each invitation that a ticket says it is for, beside the others of the same link:
one that somebody else has put into it takes nobody's place. Where there are too many, the oldest
goes, so that what somebody has opened last works. They go to Clerk's own pages, and to no page, log
or table.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from django.http import HttpRequest, HttpResponseBase

from ..conf import conf
from ..services.joining.links import JoinValue, read_ticket

#: What Clerk adds to the URL that a link leads to.
TICKET: Final = "__clerk_ticket"
STATUS: Final = "__clerk_status"

#: What a link says of the invited address.
STATUSES: Final = ("sign_in", "sign_up", "complete")

_SECONDS: Final = 600
_PREFIX: Final = "org_invitations_ticket_"

#: Of more links than this that are opened one after another the first are forgotten.
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
    """Let the browser hold the ticket of the request's URL, if need be instead of the oldest."""
    taken, status = _get_taken(request), request.GET.get(STATUS, "")
    hint = read_ticket(taken.text)
    if hint is None:
        return
    name = _get_name(request, value, hint.invitation_id)
    # Browsers send the oldest first.
    others = [pair for pair in taken.cookies.items() if pair[0] != name]
    while len(others) >= _MAX_HELD or (
        sum(len(text) for _, text in others) + len(taken.text) > _MAX_TOTAL
    ):
        set_cookie(request, response, others.pop(0)[0], "", 0)
    status = status if status in STATUSES else ""
    set_cookie(request, response, name, f"{status}~{taken.text}", _SECONDS)


def get_held(request: HttpRequest, value: str) -> Mapping[str, HeldTicket]:
    """Return the tickets that the browser holds for a value, by what invitation they are for."""
    held = {}
    for name, cookie in _get_taken(request).cookies.items():
        status, _, text = cookie.partition("~")
        hint = read_ticket(text)
        if hint is not None and name == _get_name(request, value, hint.invitation_id):
            status = status if status in STATUSES else ""
            held[hint.invitation_id] = HeldTicket(text, status, hint)
    return held


def drop(request: HttpRequest, response: HttpResponseBase, value: str) -> None:
    """Let the browser forget its tickets for a value."""
    for name in _get_taken(request).cookies:
        if name.startswith(_get_name(request, value)):
            set_cookie(request, response, name, "", 0)


# --- Cookies -------------------------------------------------------------------------------------


def get_cookie_name(request: HttpRequest, name: str) -> str:
    """Return what a cookie of these pages is called; over https it is of this host alone."""
    return f"__Host-{name}" if _is_secure(request) else name


def set_cookie(
    request: HttpRequest, response: HttpResponseBase, name: str, text: str, seconds: int
) -> None:
    """Let the browser hold a cookie of these pages; for no seconds, forget it."""
    # Without a domain, and where the prefix is understood nobody else can set it either. Also to
    # forget it: one with this prefix that is not Secure would not even be deleted.
    response.set_cookie(
        name,
        text,
        max_age=seconds,
        secure=_is_secure(request),
        httponly=True,
        samesite="Lax",
    )


def _is_secure(request: HttpRequest) -> bool:
    """Whether browsers come by https: a proxy that ends TLS may not tell the site so."""
    return request.is_secure() or conf.JOIN_URL.startswith("https:")


def _get_name(request: HttpRequest, value: str, invitation_id: str = "") -> str:
    name = f"{_PREFIX}{_digest(value)}_{_digest(invitation_id) if invitation_id else ''}"
    return get_cookie_name(request, name)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
