"""htmx 2 and htmx 4, and the ways in which they come onto the app's pages.

htmx 2 is that of django-htmx. htmx 4 is in ``htmx/``, as npm has it (``htmx.org`` 4.0.1,
``dist/htmx.min.js``, 0BSD): no package of Python's has the final one, and the tests of a fresh
checkout need no network.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

HERE: Final = Path(__file__).with_name("htmx")

SCRIPTS: Final = {
    "htmx 2": "django_htmx/htmx-2.min.js",
    "htmx 4": "htmx/htmx-4.0.1.min.js",
}

#: The app's own base with the other htmx, as docs/templates.md has it.
OWN: Final = """{% extends "org_invitations/base.html" %}{% load static %}
{% block org_invitations_htmx %}<script src="{% static "SCRIPT" %}" defer></script>{% endblock %}"""

#: A site's layout, with its own htmx and nothing of the settings that the app's base has for it.
LAYOUT: Final = """<!doctype html>
{% load i18n static %}{% get_current_language as language %}{% get_current_language_bidi as rtl %}
<html lang="{{ language }}" dir="{% if rtl %}rtl{% else %}ltr{% endif %}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="htmx-config" content='{"includeIndicatorStyles":false}'>
    <title>{% block title %}Elsewhere{% endblock %}</title>
    <script src="{% static "SCRIPT" %}" defer></script>
  </head>
  <body BOOST>
    <nav><a href="/invitations/">Invitations</a> <a href="/elsewhere/">Elsewhere</a></nav>
    <main>{% block main %}<h1>Elsewhere</h1>{% endblock %}</main>
  </body>
</html>"""

MAPPED: Final = """{% extends "layout.html" %}
{% block title %}{% block org_invitations_title %}{% endblock %}{% endblock %}
{% block main %}{% block content %}{% endblock %}{% endblock %}"""

#: Each as that version has it for all that is within.
BOOST: Final = {"htmx 2": 'hx-boost="true"', "htmx 4": 'hx-boost:inherited="true"'}

#: The app's own base; a site's; a site's that boosts all links; the same, come to by such a link.
PAGES: Final = ("own", "site", "boosted", "arrived")


@dataclass(frozen=True)
class Way:
    """A version of htmx, and how it comes to the page and people do."""

    htmx: str = "htmx 2"
    page: str = "own"

    def __str__(self) -> str:
        return f"{self.htmx.replace(' ', '')}-{self.page}"

    def install(self, settings: Any) -> None:
        """Let the site be one with this htmx."""
        if self == Way():
            return
        settings.STATICFILES_DIRS = [("htmx", str(HERE))]
        settings.ROOT_URLCONF = "tests.browser.ways"
        boost = BOOST[self.htmx] if self.page in ("boosted", "arrived") else ""
        templates = {
            "layout.html": LAYOUT.replace("BOOST", boost),
            "org_invitations/base.html": OWN if self.page == "own" else MAPPED,
        }
        script = SCRIPTS[self.htmx]
        loaded = {name: source.replace("SCRIPT", script) for name, source in templates.items()}
        [templating] = settings.TEMPLATES
        loaders = [
            ("django.template.loaders.locmem.Loader", loaded),
            "django.template.loaders.app_directories.Loader",
        ]
        options = {**templating["OPTIONS"], "loaders": loaders}
        settings.TEMPLATES = [{**templating, "APP_DIRS": False, "OPTIONS": options}]


WAYS: Final = [Way(htmx, page) for htmx in SCRIPTS for page in PAGES]


def elsewhere(request: HttpRequest) -> HttpResponse:
    """Show another page of the site's, without anything of the app's."""
    return HttpResponse(engines["django"].get_template("layout.html").render({}, request))


urlpatterns = [path("", include("tests.urls")), path("elsewhere/", elsewhere)]
