"""What holds for a view before any of it runs, and what must be said in words if it does not.

Django answers a form that is too large, that cannot be read or that lacks its token before the
view, with a page of its own on which everything typed is lost. So these views are left out of that,
and do the same here: nothing of a view runs unless its form can be read and comes from this site.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.core.exceptions import (
    BadRequest,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.module_loading import import_string

from ..conf import conf

#: The largest request that is read at all, in bytes. What is larger than a form may be, and no
#: larger than this, is read and gets a better answer.
MAX_REQUEST_BYTES: Final = 10_000_000

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def outside_transactions(view: View) -> View:
    """Keep a view out of the transactions of ``ATOMIC_REQUESTS``, of whichever database.

    No transaction waits for Clerk. And what is written down before a call to Clerk must be there
    even if the process dies in it.
    """
    for alias in connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    return view


def read_form(request: HttpRequest) -> str:
    """Read what was posted; return the name of what is wrong with it, empty where nothing is.

    ``request.POST`` can be used afterwards in any case: it has what could be read.

    :returns: ``large``, ``many`` or ``broken``.
    """
    in_url = ""
    try:
        len(request.GET)
    except TooManyFieldsSent:
        request.GET = QueryDict()
        in_url = "many"
    if request.method != "POST":
        return in_url
    posted: Any = QueryDict()
    try:
        if _length(request) > MAX_REQUEST_BYTES:
            raise RequestDataTooBig  # nothing of it is read
        len(request.POST)
        return in_url
    except RequestDataTooBig:
        problem = "large"
    except TooManyFieldsSent:
        problem, posted = "many", _first_fields(request)
    except TooManyFilesSent:
        problem = "many"
    except (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError):
        problem = "broken"
    request.POST = posted
    return problem


def check_token(request: HttpRequest, args: Any, kwargs: Any) -> HttpResponseBase | None:
    """Check that a form comes from this site; return the site's answer if it does not.

    It is checked by the site's own middleware, if it has one, else by Django's.
    """
    middleware = _csrf_middleware()(lambda request: HttpResponse())
    middleware.process_request(request)
    return middleware.process_view(request, _view, args, kwargs)


def comes_from_here(request: HttpRequest) -> bool:
    """Whether the browser itself says that a page of this site has sent the request.

    No page can set these headers, so nobody else's form is ever shown again as one's own.
    """
    here = f"{request.scheme}://{request.get_host()}"
    fetched = request.headers.get("Sec-Fetch-Site", "same-origin")
    return request.headers.get("Origin") == here and fetched == "same-origin"


def _view(request: HttpRequest) -> HttpResponseBase:
    """Stand for a view that is not exempt."""
    return HttpResponse()


def _csrf_middleware() -> type[CsrfViewMiddleware]:
    for path in conf.MIDDLEWARE:
        found = import_string(path)
        if isinstance(found, type) and issubclass(found, CsrfViewMiddleware):
            return found
    return CsrfViewMiddleware


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _first_fields(request: HttpRequest) -> QueryDict:
    """Return as many fields as a form may have, where the whole body is there to look into."""
    if request.content_type != "application/x-www-form-urlencoded":
        return QueryDict()  # one in parts is read as it arrives, and not a second time
    limit = conf.DATA_UPLOAD_MAX_NUMBER_FIELDS or 0
    try:
        fields = request.body.split(b"&", limit)[:limit]
    except (SuspiciousOperation, OSError):
        return QueryDict()
    return QueryDict(b"&".join(fields))
