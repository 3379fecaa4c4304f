"""The site's pages: what is in each, and the app at another place."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path
from django.views.decorators.cache import cache_page

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
    "htmx": (
        '<div hx-get="{% url "org_invitations:embed" part="page" %}" hx-trigger="load"></div>'
    ),
}

AROUND = """<!doctype html>
{% load django_htmx org_invitations %}
<html lang="en">
  <head>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="htmx-config" content='{"includeIndicatorStyles":false,"allowEval":false}'>
    <title>Harbour</title>
    {% htmx_script %}
    {% include "org_invitations/assets.html" %}
  </head>
  <body><main class="container"><h1>Harbour</h1>PART</main></body>
</html>
"""


def page(request: HttpRequest, name: str) -> HttpResponse:
    """Show one of them."""
    template: Any = engines["django"].from_string(AROUND.replace("PART", PAGES[name]))
    return HttpResponse(template.render({}, request))


urlpatterns = [
    path("invitations/", include("org_invitations.urls")),
    path("elsewhere/", include("org_invitations.urls", namespace="elsewhere")),
    path("harbour/<str:name>/", page),
    path("cached/<str:name>/", cache_page(600)(page)),
    path("teams/<str:team>/", include("org_invitations.urls", namespace="teams")),
    path("join/", include("org_invitations.join_urls")),
]
