"""What sites change, changed: a site for each section of docs/overriding.md, made of its lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.shortcuts import render
from django.test import Client
from django.urls import include, path, set_urlconf

from org_invitations.emulator import Emulator
from org_invitations.testing import SignIn
from org_invitations.urls import get_urls

from .documents import blocks, section, text
from .views.conftest import html_of, pending

DOCUMENT = "docs/overriding.md"
pytestmark = pytest.mark.usefixtures("ten_a_page")

TEAM = "/team/"
INVITE = "/team/invite/"
NEW = {"email_addresses": "new@example.com", "role": "org:member"}
LIST = {"HX-Request": "true", "HX-Target": "org-invitations-list"}
FORM = {"HX-Request": "true", "HX-Target": "org-invitations-form"}

PAGE = "{% load org_invitations %}{% org_invitations_form %}{% org_invitations_list %}"

BASE = """<html lang="en"><head><title>{% block title %}{% endblock %} - Harbour</title>
{% block head %}{% endblock %}</head>
<body><nav>Harbour</nav>{% block content %}{% endblock %}</body></html>"""


class Project:
    """A site that has done what one section says."""

    def __init__(self, heading: str, folder: Path, settings: Any) -> None:
        """Write its files; run what is Python."""
        self.lines = 0
        found: dict[str, Any] = {"__name__": "team.pages", "INSTALLED_APPS": []}
        self._write(folder / "base.html", BASE)
        self._write(folder / "page.html", PAGE)
        told = section(DOCUMENT, f"## {heading}")
        for source in blocks(told, "django"):
            place = re.match(r"{# templates/(\S+) #}\n", source)
            assert place is not None
            self._write(folder / place[1], source)
            self._count(source)
        for source in blocks(told, "python"):
            exec(source, found)
            self._count(source)
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, *found.pop("INSTALLED_APPS")]
        for name in ("CRISPY_TEMPLATE_PACK", "CRISPY_ALLOWED_TEMPLATE_PACKS"):
            if name in found:
                setattr(settings, name, found[name])
        settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(folder)]}]
        urls = ModuleType("overriding_urls")
        urls.urlpatterns = [  # type: ignore[attr-defined]
            path("team/", include(get_urls(found.get("TeamPages")))),
            path("page/", lambda request: render(request, "page.html")),
        ]
        settings.ROOT_URLCONF = urls
        set_urlconf(None)

    def _write(self, file: Path, source: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)

    def _count(self, source: str) -> None:
        """Count the lines without imports, comments and empty ones."""
        lines = [line.strip() for line in source.splitlines()]
        self.lines += sum(
            not line.startswith(("#", "{#", "import ", "from ")) for line in lines if line
        )


# --- What is to be seen of each ------------------------------------------------------------------


def layout(ada: Client, clerk: Emulator) -> None:
    for url in (TEAM, f"{TEAM}{clerk.invitations('acme', 'pending')[0].id}/revoke/"):
        page = ada.get(url).text
        assert "<nav>Harbour</nav>" in page
        assert page.count("org_invitations.css") == 1
    assert "Pending invitations – Acme - Harbour</title>" in html_of(ada.get(TEAM))


def row(ada: Client, clerk: Emulator) -> None:
    for headers in ({}, LIST):
        assert ada.get(TEAM, headers=headers).text.count(", in ") == 10
    assert '<th scope="row" role="rowheader">new@example.com</th>' in (
        ada.post(INVITE, NEW, headers=FORM).text
    )


def action(ada: Client, clerk: Emulator) -> None:
    for headers in ({}, LIST):
        page = ada.get(TEAM, headers=headers).text
        assert page.count(">Look up</a>") == 10
        assert len(re.findall(r"/revoke/", page)) == 10


def column(ada: Client, clerk: Emulator) -> None:
    clerk.add_invitation("acme", "a@example.com", public_metadata={"team": "Dockers"})
    for headers in ({}, LIST):
        page = ada.get(TEAM, headers=headers)
        assert page.text.count('<th scope="col" role="columnheader">Team</th>') == 1
        assert page.text.count('<td role="cell" data-label="Team">') == 10
        assert '<td role="cell" data-label="Team">Dockers</td>' in page.text


def crispy(ada: Client, clerk: Emulator) -> None:
    page = ada.get(TEAM).text
    assert re.search(r'<select[^>]* class="[^"]*form-select', page)
    assert re.search(r'<textarea[^>]* class="[^"]*form-control', page)
    assert "org-invitations-field-confirm_elevated" in page
    refused = ada.post(INVITE, NEW | {"email_addresses": "nobody"}, headers=FORM).text
    assert "is-invalid" in refused
    assert ada.post(INVITE, NEW, headers=FORM).status_code == 200


def sentence(ada: Client, clerk: Emulator) -> None:
    refused = ada.post(INVITE, NEW | {"email_addresses": "max@acme.test"}, headers=FORM)
    assert "max@acme.test is on board already." in refused.text


def view(ada: Client, clerk: Emulator) -> None:
    ada.cookies.clear()
    ada.cookies.load(clerk.session_cookies("max@acme.test", organization="acme", lifetime=3600))
    assert ada.get(TEAM)["Location"] == "/team/ask/"
    for answer in (ada.get(TEAM, headers=LIST), ada.post(INVITE, NEW, headers=FORM)):
        assert (answer.status_code, answer["HX-Redirect"]) == (200, "/team/ask/")
    # In a page of the site's, which nobody is taken away from.
    for answer in (ada.get("/page/"), ada.get(f"{TEAM}embed/page/", headers=LIST)):
        assert answer.status_code == 200
        assert "HX-Redirect" not in answer
        assert answer.text.count('href="/team/ask/"') == 1
    assert ada.get(f"{TEAM}embed/pending-count/", headers=LIST).text == ""


def service(ada: Client, clerk: Emulator) -> None:
    ada.post(INVITE, NEW)
    [*_, sent] = [call.body for call in clerk.requests if call.method == "POST"]
    assert sent["public_metadata"]["team"] == "Harbour"


def form(ada: Client, clerk: Emulator) -> None:
    assert 'name="agreed"' in ada.get(TEAM).text
    assert ada.post(INVITE, NEW).status_code == 422
    assert ada.post(INVITE, NEW | {"agreed": "on"}).status_code == 303
    assert "new@example.com" in pending(clerk)


def rule(ada: Client, clerk: Emulator) -> None:
    form = ada.get(TEAM).text.partition('id="org-invitations-list"')[0]
    assert 'value="org:member"' in form
    assert 'value="org:admin"' not in form
    assert (
        ada.post(INVITE, NEW | {"role": "org:admin", "confirm_elevated": "on"}).status_code == 422
    )


CHECKS: dict[str, Callable[[Client, Emulator], None]] = {
    "The layout": layout,
    "A row": row,
    "An action": action,
    "An additional column": column,
    "The look of the form": crispy,
    "A sentence": sentence,
    "The view": view,
    "The service": service,
    "The form": form,
    "The rule of grants": rule,
}


@pytest.mark.parametrize("heading", CHECKS)
def test_what_a_section_says_does_what_it_says(
    heading: str,
    client: Client,
    clerk_emulator: Emulator,
    clerk_sign_in: SignIn,
    tmp_path: Path,
    settings: Any,
) -> None:
    project = Project(heading, tmp_path, settings)
    clerk_sign_in(client, "ada@acme.test", organization="acme")
    CHECKS[heading](client, clerk_emulator)
    counted = re.search(rf"\| \[{heading}\]\(.*\| (\d+) \|", text(DOCUMENT), re.IGNORECASE)
    assert counted is not None
    assert int(counted[1]) == project.lines


def test_every_section_is_tried() -> None:
    assert set(re.findall(r"^## (.+)$", text(DOCUMENT), re.MULTILINE)) == set(CHECKS)
