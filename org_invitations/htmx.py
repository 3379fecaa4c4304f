"""What htmx asked for, and how to answer it. The only reader of ``HX-*`` headers.

A fragment is sent only where the request's target is that fragment. ``if request.htmx`` would
be wrong: a boosted link, a client-side redirect and a restored history entry are htmx requests
too and need the whole page.

A fragment is marked with the header ``Org-Invitations-Fragment``. The app's script swaps what is
marked whatever its status; htmx 2 alone would throw away every answer that is not a 2xx.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.response import HttpResponseRedirectBase
from django.utils.cache import patch_vary_headers
from django_htmx.http import (
    HttpResponseClientRedirect,
    push_url,
    replace_url,
    reswap,
    retarget,
    trigger_client_event,
)
from django_htmx.middleware import HtmxDetails

FRAGMENT_HEADER: Final = "Org-Invitations-Fragment"

#: The page to load in a frame before the request is sent again.
RENEW_HEADER: Final = "Org-Invitations-Renew"

#: For which organization the page is that sends a request.
ORGANIZATION_HEADER: Final = "Org-Invitations-Organization"

#: The ids of the fragments; the templates' root elements have them.
FORM_ID: Final = "org-invitations-form"
LIST_ID: Final = "org-invitations-list"
DIALOG_ID: Final = "org-invitations-dialog"
ALERT_ID: Final = "org-invitations-alert"
CHECK_ID: Final = "org-invitations-check"
OUTCOME_ID: Final = "org-invitations-outcome"
PROGRESS_ID: Final = "org-invitations-progress"

#: The fragments that a page asks for.
FRAGMENTS: Final = (FORM_ID, LIST_ID, DIALOG_ID, CHECK_ID, OUTCOME_ID, PROGRESS_ID)

#: The id of the box to search in.
SEARCH_ID: Final = "org-invitations-search"

#: The id of what loads the list anew when a form elsewhere on the page has invited somebody.
FOLLOW_ID: Final = "org-invitations-follow"

_MAX_QUERY_LENGTH: Final = 2000

#: What an answer says because it is a redirect.
_OF_REDIRECT: Final = ("Content-Length", "Content-Type", "Location")

#: Every header that decides between page and fragment.
_VARY: Final = ("HX-Request", "HX-Target", "HX-History-Restore-Request")


def get_htmx(request: HttpRequest) -> HtmxDetails:
    """Return the request's htmx details, with or without django-htmx's middleware."""
    htmx = getattr(request, "htmx", None)
    return htmx if isinstance(htmx, HtmxDetails) else HtmxDetails(request)


def get_fragment(request: HttpRequest, *owned: str) -> str | None:
    """Return which of the fragments that a view owns is asked for; None means the whole page.

    htmx 2 sends the target's id (``HX-Target: org-invitations-list``), htmx 4 the tag as well
    (``div#org-invitations-list``).
    """
    htmx = get_htmx(request)
    if not htmx or htmx.history_restore_request:
        return None
    target = (htmx.target or "").rpartition("#")[2]
    return target if target in owned else None


def is_htmx(request: HttpRequest) -> bool:
    """Whether a script of htmx waits for the answer, whichever target it names."""
    htmx = get_htmx(request)
    return bool(htmx) and not htmx.history_restore_request


def get_trigger(request: HttpRequest) -> str:
    """Return the id of the element that made htmx ask, if it has one.

    htmx 2 says it in ``HX-Trigger``, htmx 4 in ``HX-Source`` and with the tag (``form#id``).
    """
    htmx = get_htmx(request)
    return htmx.trigger or (htmx.source or "").rpartition("#")[2]


def get_shown_path(request: HttpRequest) -> str:
    """Return the path and query that the browser shows, where htmx tells it and it is this site."""
    htmx = get_htmx(request)
    return (htmx.current_url_abs_path or "") if htmx else ""


def get_shown_params(request: HttpRequest) -> dict[str, str]:
    """Return the query of the URL that the browser shows, where htmx tells it."""
    shown = urlsplit(get_htmx(request).current_url or "")
    return dict(parse_qsl(shown.query[:_MAX_QUERY_LENGTH]))


def get_organization(request: HttpRequest) -> str:
    """Return the id of the organization that the page was made for, if it says so."""
    return request.headers.get(ORGANIZATION_HEADER, "")


def mark_fragment(response: HttpResponse, fragment: str) -> HttpResponse:
    """Mark an answer as a fragment that may be swapped in whatever its status."""
    response[FRAGMENT_HEADER] = fragment
    return response


def send_elsewhere(response: HttpResponse, fragment: str) -> HttpResponse:
    """Swap the answer into another element than the one the request named."""
    retarget(response, f"#{fragment}")
    reswap(response, "innerHTML")
    push_url(response, False)  # noqa: FBT003 - the rows stay, so the address stays
    return mark_fragment(response, fragment)


def replace_fragment(response: HttpResponse, fragment: str) -> HttpResponse:
    """Swap the answer in for a fragment, whichever target the request named."""
    retarget(response, f"#{fragment}")
    reswap(response, "outerHTML")
    return mark_fragment(response, fragment)


def replace_list(response: HttpResponse, url: str) -> HttpResponse:
    """Swap the answer in for the list, whichever target the request named, and show its URL."""
    return show_url(replace_fragment(response, LIST_ID), url)


def add_url(response: HttpResponse, url: str) -> HttpResponse:
    """Let the address bar say what the page shows now, with a way back to what it showed."""
    push_url(response, url)
    return response


def show_url(response: HttpResponse, url: str) -> HttpResponse:
    """Let the address bar say what the page shows now."""
    replace_url(response, url)
    return response


def leave_address(response: HttpResponseBase) -> None:
    """Let the address bar say what it says, whatever the links and forms of the fragment want."""
    del response["HX-Replace-Url"]
    response["HX-Push-Url"] = "false"


def announce(response: HttpResponseBase, event: str) -> None:
    """Tell the other parts of the page that something has changed: they listen to the event."""
    trigger_client_event(response, event)


def offer_renewal(response: HttpResponse, session_url: str) -> HttpResponse:
    """Name the page that renews the session, if it can be renewed."""
    if session_url:
        response[RENEW_HEADER] = session_url
    return response


def leave_page(redirect: HttpResponseRedirectBase) -> HttpResponse:
    """Make the browser go where a redirect leads. What else the answer says, it still says.

    htmx would follow it by itself, and show the page there in a part of this one.
    """
    response = HttpResponseClientRedirect(redirect.url)
    for name, value in redirect.headers.items():
        if name not in _OF_REDIRECT:
            response.headers[name] = value
    response.cookies = redirect.cookies
    return response


def patch_vary(response: HttpResponseBase) -> None:
    """Tell caches what the choice between page and fragment depends on."""
    patch_vary_headers(response, _VARY)
