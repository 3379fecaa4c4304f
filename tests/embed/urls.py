"""The site's pages: what is in each, and the app at another place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.urls import include, path
from django.views.decorators.cache import cache_page, never_cache
from django.views.decorators.csrf import ensure_csrf_cookie


def _loaded(part: str, query: str = "") -> str:
    url = f'{{% url "org_invitations:embed" part="{part}" %}}{query}'
    return f'<div hx-get="{url}" hx-trigger="load"></div>'


#: What each page has in it, besides what is around all of them.
PAGES = {
    "page": "{% org_invitations %}",
    "list": "{% org_invitations_list %}",
    "expired": '{% org_invitations_list status="expired" %}',
    "form": "{% org_invitations_form %}",
    "several": (
        "<p>{% org_invitations_pending_count %} at Acme</p>"
        "{% org_invitations_form %}{% org_invitations_list %}"
    ),
    "columns": (
        '<div class="row"><div class="col-md-4">{% org_invitations_form %}</div>'
        '<div class="col-md-8">{% org_invitations_list %}</div></div>'
    ),
    "parts": "{% org_invitations_form %}{% org_invitations_list %}",
    # The form's dialog asks what is asked of the list.
    "two": (
        '{% org_invitations_form organization="globex" %}'
        '{% org_invitations_list organization="acme" %}'
    ),
    "counts": (
        '{% org_invitations_pending_count organization="acme" %}, '
        '{% org_invitations_pending_count organization="globex" %}'
    ),
    "count": "<p>Now {% org_invitations_pending_count %}.</p>",
    "roles": (
        '<form><label for="id_new_role">New role</label>'
        '{% org_invitations_role_select "new_role" value="org:billing" %}</form>'
    ),
    "team": '{% org_invitations_form namespace="teams" team="São Paulo" %}',
    "mine": "<p>{% org_invitations_my_count %} for me</p>",
    "unknown": "{% org_invitations_form organization=customer.clerk_id %}",
    "twice": "{% org_invitations %}{% org_invitations_list %}",
    "globex": '{% org_invitations organization="globex" %}',
    "acme": '{% org_invitations organization="acme" namespace="elsewhere" %}',
    "htmx": _loaded("page"),
    "htmx-several": (
        f"<p>{_loaded('pending-count')}</p>{_loaded('form')}{_loaded('list', '?bare=1')}"
        f"<form><label for='id_new_role'>New role</label>"
        f"{_loaded('role-select', '?name=new_role&value=org:billing')}</form>"
    ),
}

AROUND = """<!doctype html>
{% load django_htmx org_invitations %}
<html lang="en">
  <head>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="htmx-config" content='{"includeIndicatorStyles":false,"allowEval":false}'>
    <title>Harbour</title>
    HTMX
  </head>
  <body><main class="container"><h1>Harbour</h1>PART</main></body>
</html>
"""

#: What a site says for all of its page, and htmx lets whatever is within inherit.
FOR_ALL = """<div hx-boost="true" hx-target="#nowhere" hx-swap="delete" hx-push-url="/pushed/"
    hx-select="#nothing" hx-select-oob="#neither" hx-confirm="Really?" hx-include="#nowhere"
    hx-params="none" hx-indicator="#nowhere" hx-sync="this:drop" hx-disabled-elt="#nowhere"
    hx-encoding="multipart/form-data" hx-vals='{"status": "revoked", "role": "org:admin"}'>"""


#: The same for htmx 4, where each says that it is to be inherited.
FOR_ALL_IN_4 = re.sub(r"(hx-[a-z-]+)=", r"\1:inherited=", FOR_ALL).replace(
    "hx-disabled-elt", "hx-disable"
)

#: htmx 4 as the tests of browsers have it: see ``tests/browser/ways.py``.
HTMX_4 = '{% load static %}<script src="{% static "htmx/htmx-4.0.1.min.js" %}" defer></script>'


def page(request: HttpRequest, name: str) -> HttpResponse:
    """Show one of them."""
    return HttpResponse(_template(AROUND.replace("PART", PAGES[name])).render({}, request))


def page_in_4(request: HttpRequest, name: str) -> HttpResponse:
    """Show one of them with htmx 4."""
    around = AROUND.replace("HTMX", HTMX_4).replace("PART", PAGES[name])
    return HttpResponse(_template(around).render({}, request))


def inheriting(request: HttpRequest, name: str) -> HttpResponse:
    """Show one within what all of the page is to inherit."""
    around = AROUND.replace("PART", f"{FOR_ALL}{PAGES[name]}</div>")
    return HttpResponse(_template(around).render({}, request))


def inheriting_in_4(request: HttpRequest, name: str) -> HttpResponse:
    """Show one within what all of the page is to inherit, as htmx 4 has it."""
    around = AROUND.replace("HTMX", HTMX_4).replace("PART", f"{FOR_ALL_IN_4}{PAGES[name]}</div>")
    return HttpResponse(_template(around).render({}, request))


def inheriting_all_in_4(request: HttpRequest, name: str) -> HttpResponse:
    """Show one where htmx 4 lets everything be inherited, as it was with htmx 2."""
    around = AROUND.replace("HTMX", HTMX_4).replace("PART", f"{FOR_ALL}{PAGES[name]}</div>")
    around = around.replace("content='{", 'content=\'{"implicitInheritance":true,')
    return HttpResponse(_template(around).render({}, request))


def inheriting_nothing(request: HttpRequest, name: str) -> HttpResponse:
    """Show one where htmx lets nothing be inherited."""
    around = AROUND.replace("content='{", 'content=\'{"disableInheritance":true,')
    return HttpResponse(_template(around.replace("PART", PAGES[name])).render({}, request))


class Composed:
    """A request as Django REST framework wraps it: not one of Django's, with all that it has."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


def composed(request: HttpRequest, name: str) -> HttpResponse:
    """Show one as a renderer of Django REST framework's does."""
    template = _template(AROUND.replace("PART", PAGES[name]))
    return HttpResponse(template.render({}, Composed(request)))


@never_cache
@ensure_csrf_cookie
def streamed(request: HttpRequest, name: str) -> StreamingHttpResponse:
    """Send one as docs/embedding.md says that it is streamed."""

    def chunks() -> Iterator[str]:
        yield _template(AROUND.replace("PART", PAGES[name])).render({}, request)

    return StreamingHttpResponse(chunks())


def _template(source: str) -> Any:
    return engines["django"].from_string(source.replace("HTMX", "{% htmx_script %}"))


urlpatterns = [
    path("invitations/", include("org_invitations.urls")),
    path("elsewhere/", include("org_invitations.urls", namespace="elsewhere")),
    path("harbour/<str:name>/", page),
    path("inheriting/<str:name>/", inheriting),
    path("inheriting-nothing/<str:name>/", inheriting_nothing),
    path("in-4/<str:name>/", page_in_4),
    path("inheriting-in-4/<str:name>/", inheriting_in_4),
    path("inheriting-all-in-4/<str:name>/", inheriting_all_in_4),
    path("composed/<str:name>/", composed),
    path("streamed/<str:name>/", streamed),
    path("cached/<str:name>/", cache_page(600)(page)),
    path("teams/<str:team>/", include("org_invitations.urls", namespace="teams")),
    path("join/", include("org_invitations.join_urls")),
]
