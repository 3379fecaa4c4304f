"""Parts of the page within pages of a site's own: what a request says of that, and is told of it.

A part says with each request of htmx which one it is, and in which page of the site's it stands; a
form says the latter in a field, for browsers without JavaScript.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

#: Which part asks: one of :data:`PARTS`.
PART_HEADER: Final = "Org-Invitations-Part"
#: In which page it stands: a path of this site.
HOST_HEADER: Final = "Org-Invitations-Host"
#: The same in a form and in the URL of a question.
HOST_FIELD: Final = "host"

#: What can be put into a page, and which elements with ids of their own each has.
PARTS: Final[dict[str, frozenset[str]]] = {
    "page": frozenset({"form", "list"}),
    "list": frozenset({"list"}),
    "form": frozenset({"form"}),
    "role-select": frozenset(),
    "pending-count": frozenset(),
}

_MAX_HOST_LENGTH: Final = 2000
_MARK: Final = "_org_invitations_parts"


def get_part(request: HttpRequest) -> str:
    """Return which part in a page of the site's has sent a request; empty for the app's own."""
    part = request.headers.get(PART_HEADER, "")
    return part if part in PARTS else ""


def get_host(request: HttpRequest) -> str:
    """Return the page of the site's that a request comes from, or empty.

    Anybody can write a URL or a form, so it is checked: it is a path of this site and nothing else.
    """
    return check_host(
        request.headers.get(HOST_HEADER, "")
        or request.POST.get(HOST_FIELD, "")
        or request.GET.get(HOST_FIELD, "")
    )


def check_host(url: str) -> str:
    """Return a URL if it is a path of this site, else nothing."""
    is_path = url.startswith("/") and len(url) <= _MAX_HOST_LENGTH and url.isprintable()
    return url if is_path and url_has_allowed_host_and_scheme(url, allowed_hosts=None) else ""


def with_host(url: str, host: str) -> str:
    """Return the URL of a page of the app's, from which one comes back to the site's."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode({HOST_FIELD: host})}"


def is_free(request: HttpRequest, part: str) -> bool:
    """Whether a page has none of the elements of a part yet."""
    taken: set[str] = request.__dict__.get(_MARK, set())
    return taken.isdisjoint(PARTS[part])


def keep_nowhere(request: HttpRequest) -> set[str]:
    """Note that what a page of the site's shows is one person's, so that nobody keeps its answer.

    :returns: the elements that the page has, to add to.
    """
    # cache_page looks at the answer before any middleware can say that it is private. This is how
    # Django's cache is told that an answer is none for it: django/middleware/cache.py.
    request.__dict__["_cache_update_cache"] = False
    taken: set[str] = request.__dict__.setdefault(_MARK, set())
    return taken


def claim(request: HttpRequest, part: str) -> bool:
    """Note that a page of the site's has a part, and let nobody keep its answer.

    :returns: whether it is the first one with elements of its own: that one brings the regions and
        the dialog, which all share.
    """
    taken = keep_nowhere(request)
    is_first = taken.isdisjoint({"form", "list"})
    taken |= PARTS[part]
    return is_first and bool(PARTS[part])


def say_once(request: HttpRequest, message: str) -> bool:
    """Whether no part of a page has said a sentence yet; the next one need not say it again."""
    taken: set[str] = request.__dict__.setdefault(_MARK, set())
    is_new = f"said: {message}" not in taken
    taken.add(f"said: {message}")
    return is_new


def has_parts(request: HttpRequest) -> bool:
    """Whether the page that answers a request has parts of the app in it."""
    return _MARK in request.__dict__
