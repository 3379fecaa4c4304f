"""What a site may override, overridden: with the examples of the documentation where it has one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.test import Client
from django.urls import include, path, set_urlconf

import org_invitations
from org_invitations.clients import get_client
from org_invitations.emulator import Emulator
from org_invitations.forms import InviteForm, RoleField
from org_invitations.identity import get_identity
from org_invitations.services import InvitationService
from org_invitations.testing import SignIn
from org_invitations.urls import get_urls
from org_invitations.wording import Wording

from .documents import block, blocks, section
from .views.conftest import html_of, pending
from .views.inviting import filled

pytestmark = pytest.mark.usefixtures("ten_a_page")

PAGE = "/invitations/"
INVITE = "/invitations/invite/"
NEW = {"email_addresses": "new@example.com", "role": "org:member"}
FORM = {"HX-Request": "true", "HX-Target": "org-invitations-form"}
LIST = {"HX-Request": "true", "HX-Target": "org-invitations-list"}

Site = Callable[..., None]


@pytest.fixture
def site(tmp_path: Path, settings: Any) -> Site:
    """A function that gives the site templates of its own, by name."""
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]

    def write(**templates: str) -> None:
        for name, source in templates.items():
            file = tmp_path / f"{name.replace('__', '/')}.html"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source)

    return write


@pytest.fixture
def ada(client: Client, clerk_emulator: Emulator, clerk_sign_in: SignIn) -> Client:
    """A browser with Ada before it, who administers Acme."""
    clerk_sign_in(client, "ada@acme.test", organization="acme")
    return client


@pytest.fixture
def mount(settings: Any) -> Callable[..., None]:
    """A function that mounts the pages with attributes of the site's own."""

    def pages(own: type | None = None, **attributes: Any) -> None:
        own = own or type("OwnPages", (), attributes)
        use_urls(settings, path("invitations/", include(get_urls(own))))

    return pages


def use_urls(settings: Any, *patterns: Any) -> None:
    """Make these the URLs of the site."""
    module = ModuleType("tests_templates_urls")
    module.urlpatterns = list(patterns)  # type: ignore[attr-defined]
    settings.ROOT_URLCONF = module
    set_urlconf(None)


def run(example: str, **given: Any) -> dict[str, Any]:
    """Run an example of the documentation, given what it names, and return what it defines."""
    found: dict[str, Any] = {"__name__": "example", **given}
    exec(example, found)
    return found


# --- Layout --------------------------------------------------------------------------------------

SITE_BASE = """{% load django_htmx %}<!doctype html>
<html lang="en"><head><title>{% block title %}{% endblock %} - Harbour</title>
{% htmx_script %}{% block head %}{% endblock %}</head>
<body><nav>Harbour</nav>{% block main %}{% endblock %}</body></html>"""


def test_a_base_of_the_sites_own_takes_three_lines(ada: Client, site: Site) -> None:
    mapping = block("docs/templates.md", "## Your own layout", "django")
    assert len(mapping.strip().splitlines()) == 3
    site(base=SITE_BASE, org_invitations__base=mapping)
    page = ada.get(PAGE)
    html = page.text
    assert "<nav>Harbour</nav>" in html
    assert "<title>Pending invitations – Acme - Harbour</title>" in html_of(page)
    assert html.count("org_invitations.css") == html.count("org_invitations.js") == 1
    assert 'id="org-invitations-form"' in html
    assert 'id="org-invitations-list"' in html
    for url in ("/invitations/organizations/nowhere/", "/invitations/organizations/globex/"):
        answer = ada.get(url)
        assert answer.status_code in (403, 404)
        assert "<nav>Harbour</nav>" in answer.text


def test_a_base_with_a_block_called_content_needs_no_line_for_it(ada: Client, site: Site) -> None:
    mapping = block("docs/templates.md", "## Your own layout", "django")
    site(
        base=SITE_BASE.replace("block main", "block content"),
        org_invitations__base="\n".join(mapping.strip().splitlines()[:-1]),
    )
    assert 'id="org-invitations-form"' in ada.get(PAGE).text


def test_the_head_that_the_documentation_shows_is_the_apps_own() -> None:
    head = blocks(section("docs/templates.md", "## Your own layout"), "django")[1]
    meta = re.search(r"<meta name=\"htmx-config\".*", head)
    base = Path(__file__).parents[1] / "org_invitations/templates/org_invitations/base.html"
    assert meta is not None
    assert meta[0] in base.read_text()
    assert "{% htmx_script %}" in base.read_text()


def test_a_block_of_a_page_can_be_filled_by_extending_the_page_itself(
    ada: Client, site: Site
) -> None:
    site(
        org_invitations__invitation_list="""{% extends "org_invitations/invitation_list.html" %}
        {% block org_invitations_heading %}<h1>Crew of {{ organization.name }}</h1>{% endblock %}"""
    )
    html = ada.get(PAGE).text
    assert "<h1>Crew of Acme</h1>" in html
    assert 'id="org-invitations-form"' in html


# --- Rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, LIST])
def test_only_the_buttons_of_a_row(ada: Client, site: Site, headers: dict[str, str]) -> None:
    example = block("docs/templates.md", "### The buttons of a row", "django")
    site(org_invitations__partials__row=example)
    html = ada.get(PAGE, headers=headers).text
    assert html.count(">Look up</a>") == 10
    assert html.count("?q=philip") == 0
    # Those that are seen are in the menu, too, which holds all of them on narrow screens.
    for action, count in {"revoke": 10, "resend": 20, "link": 20, "change": 10}.items():
        assert len(re.findall(rf'href="/invitations/\w+/{action}/"', html)) == count
    assert html.count('role="rowheader"') == 10


@pytest.mark.parametrize("headers", [{}, LIST])
def test_another_row(
    ada: Client, clerk_emulator: Emulator, site: Site, headers: dict[str, str]
) -> None:
    site(org_invitations__partials__row=block("docs/templates.md", "### The whole row", "django"))
    html = ada.get(PAGE, headers=headers).text
    newest = clerk_emulator.invitations("acme", "pending")[-1]
    assert f'<tr id="org-invitation-{newest.id}">' in html
    assert 'role="rowheader"' not in html
    assert html.count(">Revoke</a>") == 10
    # It is the same row that comes with the form's answer.
    answer = ada.post(INVITE, NEW, headers=FORM)
    assert "<td>new@example.com</td>" in answer.text
    # And its link, without htmx, asks on a page.
    link = re.search(rf'href="([^"]*{newest.id}/revoke/)"', html)
    assert link is not None
    assert "Revoke this invitation?" in ada.get(link[1]).text


def test_a_row_for_one_view_only_and_the_first_that_exists(
    ada: Client, site: Site, mount: Callable[..., None]
) -> None:
    site(people__row='<tr id="{{ row.dom_id }}"><td>{{ invitation.email_address }}!</td></tr>')
    mount(row_template_name=["people/nothing.html", "people/row.html"])
    assert ada.get(PAGE).text.count("!</td></tr>") == 10


# --- The form ------------------------------------------------------------------------------------


def test_another_form_works_in_every_way(ada: Client, clerk_emulator: Emulator, site: Site) -> None:
    site(org_invitations__partials__form=block("docs/templates.md", "### The form", "django"))
    html = ada.get(PAGE).text
    form = html[html.index('<section id="org-invitations-form"') :].partition("</section>")[0]
    assert form.count("csrfmiddlewaretoken") == 1
    assert "<button>Invite</button>" in form
    refused = ada.post(INVITE, {**NEW, "email_addresses": "nobody"}, headers=FORM)
    assert refused.status_code == 422
    assert "\nnobody</textarea>" in refused.text
    assert "“nobody” is not an email address" in refused.text
    assert ada.post(INVITE, NEW, headers=FORM).status_code == 200
    assert "new@example.com" in pending(clerk_emulator)


@pytest.mark.parametrize("headers", [{}, FORM])
def test_another_form_takes_many_and_sends_no_two_of_them(
    ada: Client, clerk_emulator: Emulator, site: Site, headers: dict[str, str]
) -> None:
    site(org_invitations__partials__form=block("docs/templates.md", "### The form", "django"))
    many = filled(ada.get(PAGE)) | {"email_addresses": "a@example.com, b@example.com, nobody"}
    checked = ada.post(INVITE, many, headers=headers)
    assert "a@example.com" not in pending(clerk_emulator)
    assert ">Send 2 invitations</button>" in checked.text
    for _ in range(2):
        ada.post(INVITE, filled(checked), headers=headers)
        new = pending(clerk_emulator)
        assert (new.count("a@example.com"), new.count("b@example.com")) == (1, 1)


def test_the_token_of_another_form_is_good(
    clerk_emulator: Emulator, clerk_sign_in: SignIn, site: Site
) -> None:
    site(org_invitations__partials__form=block("docs/templates.md", "### The form", "django"))
    strict = Client(enforce_csrf_checks=True)
    clerk_sign_in(strict, "ada@acme.test")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', strict.get(PAGE).text)
    assert token is not None
    assert strict.post(INVITE, NEW).status_code == 403
    assert strict.post(INVITE, {**NEW, "csrfmiddlewaretoken": token[1]}).status_code == 303


def test_one_block_of_the_form(ada: Client, site: Site) -> None:
    site(
        org_invitations__partials__form="""{% extends "org_invitations/partials/form.html" %}
        {% block submit %}<button id="org-invitations-submit">Come aboard</button>{% endblock %}"""
    )
    for html in (ada.get(PAGE).text, ada.post(INVITE, {}, headers=FORM).text):
        assert ">Come aboard</button>" in html
        assert "Send invitation" not in html
        assert 'name="email_addresses"' in html


def test_every_field_in_another_way(ada: Client, site: Site) -> None:
    site(org_invitations__partials__field="<b>{{ field.label }}</b> {{ field }}")
    html = ada.get(PAGE).text
    shown = ["Email addresses", "Role"]
    shown += ["Valid for", "File", "Send no email: I pass the link on myself"]
    shown += ["I mean to give a role that may manage members"]
    assert re.findall(r"<b>(.*?)</b>", html) == shown


def test_a_form_class_with_another_field(
    ada: Client, clerk_emulator: Emulator, mount: Callable[..., None]
) -> None:
    form_class = run(block("docs/views.md", "### A form with another field"))["ColleagueForm"]
    assert issubclass(form_class, InviteForm)
    mount(invite_form_class=form_class)
    assert 'name="agreed"' in ada.get(PAGE).text
    for headers in ({}, FORM):
        refused = ada.post(INVITE, NEW, headers=headers)
        assert refused.status_code == 422
        assert "This field is required." in refused.text
        refused = ada.post(
            INVITE, {**NEW, "email_addresses": "a@elsewhere.test", "agreed": "on"}, headers=headers
        )
        assert refused.status_code == 422
        assert "Only colleagues can be invited here." in refused.text
        assert re.search(r'name="agreed"[^>]* checked', refused.text)
    assert not any(call.method == "POST" for call in clerk_emulator.requests)
    assert ada.post(INVITE, {**NEW, "agreed": "on"}).status_code == 303
    [sent] = [call.body for call in clerk_emulator.requests if call.method == "POST"]
    assert "agreed" not in sent


# --- Words, rules, answers -----------------------------------------------------------------------


def test_other_words(ada: Client, mount: Callable[..., None]) -> None:
    wording = run(block("docs/views.md", "### Other words"))["OurWording"]
    assert issubclass(wording, Wording)
    mount(wording_class=wording)
    refused = ada.post(INVITE, {**NEW, "email_addresses": "max@acme.test"}, headers=FORM)
    assert "max@acme.test is on board already." in refused.text
    refused = ada.post(INVITE, {**NEW, "email_addresses": "liam.murphy@northwind.example"})
    assert "was invited on" in refused.text


def test_a_rule_of_the_sites_own(
    clerk_emulator: Emulator, clerk_sign_in: SignIn, settings: Any
) -> None:
    policy = run(block("docs/views.md", "### Another rule"))["HouseRules"]
    settings.ORG_INVITATIONS_GRANT_POLICY = policy
    given = {
        "ada@acme.test": {"org:admin", "org:member", "org:people_manager", "org:billing"},
        "mia@acme.test": {"org:member"},
    }
    for person, wanted in given.items():
        client = Client()
        clerk_sign_in(client, person, organization="acme")
        form = client.get(PAGE).text.partition('id="org-invitations-list"')[0]
        for role in given["ada@acme.test"]:
            assert (f'value="{role}"' in form) is (role in wanted)
            address = f"{role[4:]}.for.{person}"
            data = {"email_addresses": address, "role": role, "confirm_elevated": "on"}
            answer = client.post(INVITE, data)
            assert answer.status_code == (303 if role in wanted else 422)
            stored = {row.email_address: row.role for row in clerk_emulator.invitations("acme")}
            assert stored.get(address) == (role if role in wanted else None)


def test_a_refused_form_can_have_status_200(ada: Client, mount: Callable[..., None]) -> None:
    mount(invalid_status=200)
    for email_address in ("nobody", "max@acme.test"):
        answer = ada.post(INVITE, {**NEW, "email_addresses": email_address}, headers=FORM)
        assert answer.status_code == 200
        assert f"\n{email_address}</textarea>" in answer.text


def test_more_in_the_context(ada: Client, site: Site, mount: Callable[..., None]) -> None:
    site(
        org_invitations__invitation_list="""{% extends "org_invitations/invitation_list.html" %}
        {% block org_invitations_heading %}<h1>{{ motto }}</h1>{% endblock %}"""
    )
    example = blocks(section("docs/views.md", "## One class for all pages"), "python")[1]
    mount(run(example)["TeamPages"])
    assert "<h1>Ahoy</h1>" in ada.get(PAGE).text


def test_the_pages_of_the_documentation_work(
    ada: Client, clerk_emulator: Emulator, settings: Any, site: Site
) -> None:
    example = block("docs/views.md", "## One class for all pages")
    form = run(block("docs/views.md", "### A form with another field"))["ColleagueForm"]
    found: dict[str, Any] = {
        "TeamInviteForm": form,
        "TeamWording": Wording,
        "TeamService": InvitationService,
        "__name__": "example",
    }
    exec(re.sub(r"^from \.\w+ import .*\n", "", example, flags=re.MULTILINE), found)
    site(team__list="<p>{{ rows|length }} of them</p>")
    use_urls(settings, *found["urlpatterns"])
    page = ada.get("/team/").text
    assert 'name="agreed"' in page
    assert "<p>10 of them</p>" in page
    new = NEW | {"agreed": "on"}
    assert ada.post("/team/invite/", new).status_code == 303
    example = blocks(section("docs/views.md", "### A form with another field"), "python")[1]
    pages = run(example, ColleagueForm=form)["TeamPages"]
    use_urls(settings, path("team/", include(get_urls(pages))))
    new["email_addresses"] = "newer@example.com"
    assert ada.post("/team/invite/", new).status_code == 303
    [*_, sent] = [call.body for call in clerk_emulator.requests if call.method == "POST"]
    assert sent["public_metadata"]["agreed"] is True


# --- The role select in a form of the site's own -------------------------------------------------


class NoteForm(forms.Form):
    """A form that has nothing to do with invitations."""

    note = forms.CharField()
    role = RoleField(label="New role", initial="org:billing")


def note(request: HttpRequest) -> HttpResponse:
    identity = get_identity(request)
    assert identity is not None
    assert identity.organization_id is not None
    service = InvitationService(
        get_client(), organization_id=identity.organization_id, user_id=identity.user_id
    )
    form = NoteForm(request.POST or None)
    form.fields["role"].roles = service.get_roles()  # type: ignore[attr-defined]
    if form.is_valid():
        return HttpResponse(f"chose {form.cleaned_data['role']}")
    return HttpResponse(form.as_p())


def test_the_role_select_in_a_form_of_the_sites_own(ada: Client, settings: Any) -> None:
    use_urls(settings, path("note/", note))
    html = ada.get("/note/").text
    assert "New role:" in html
    assert '<option value="org:billing" selected>Billing</option>' in html
    assert 'value="org:people_manager"' in html
    assert 'value="org:auditor"' not in html  # in no role set
    assert ada.post("/note/", {"note": "x", "role": "org:member"}).text == "chose org:member"
    refused = ada.post("/note/", {"note": "x", "role": "org:auditor"}).text
    assert "cannot be assigned here" in refused


def test_the_role_select_of_the_documentation(ada: Client, settings: Any, site: Site) -> None:
    found = run(block("docs/views.md", "### The role select in a form of yours"))
    site(people__handover="{{ form }}")
    use_urls(settings, path("handover/", found["handover"]))
    html = ada.get("/handover/").text
    assert '<option value="org:member" selected>Member</option>' in html


def test_while_roles_are_migrated_the_select_is_locked(
    ada: Client, clerk_emulator: Emulator, settings: Any
) -> None:
    clerk_emulator.configure(role_migrations={"role_set:default": True})
    use_urls(settings, path("note/", note))
    html = ada.get("/note/").text
    assert re.search(r"<select[^>]* disabled", html)
    assert "Roles are being changed" in html
    assert "chose" not in ada.post("/note/", {"note": "x", "role": "org:member"}).text


# --- Other sites ---------------------------------------------------------------------------------


def without(settings: Any, *words: str) -> None:
    """Take apps, middleware and context processors away."""

    def keep(name: str) -> bool:
        return not any(word in name for word in words)

    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if keep(app)]
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if keep(name)]
    engine = settings.TEMPLATES[0]
    processors = [name for name in engine["OPTIONS"]["context_processors"] if keep(name)]
    options = {**engine["OPTIONS"], "context_processors": processors}
    settings.TEMPLATES = [{**engine, "OPTIONS": options}]


@pytest.mark.parametrize("word", ["messages", "locale", "django_htmx.middleware", "csrf"])
def test_without_what_many_sites_have(ada: Client, settings: Any, word: str) -> None:
    without(settings, word)
    assert ada.get(PAGE).status_code == 200
    assert ada.post(INVITE, NEW).status_code == 303
    answer = ada.post(INVITE, NEW, headers=FORM)
    assert answer.status_code == 422
    assert "<html" not in answer.text
    html = ada.get(PAGE).text
    assert "new@example.com" in html
    assert '<html lang="en" dir="ltr">' in html


class SetUser:
    """Gives Django's LoginRequiredMiddleware somebody to ask, as the documentation advises."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        signed_in = request.clerk.is_signed_in  # type: ignore[attr-defined]
        request.user = SimpleNamespace(is_authenticated=signed_in)  # type: ignore[assignment]
        return self.get_response(request)


class Gate:
    """A site's own: nobody gets in who is not signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.clerk.is_signed_in:  # type: ignore[attr-defined]
            return redirect("/welcome/")
        return self.get_response(request)


@pytest.mark.parametrize(
    "added",
    [
        ["tests.test_templates.SetUser", "django.contrib.auth.middleware.LoginRequiredMiddleware"],
        ["tests.test_templates.Gate"],
    ],
    ids=["login required", "a gate of the site's own"],
)
def test_under_foreign_middleware(
    client: Client, clerk_emulator: Emulator, clerk_sign_in: SignIn, settings: Any, added: list[str]
) -> None:
    settings.MIDDLEWARE = [*django_settings.MIDDLEWARE, *added]
    # The views are exempt from Django's middleware; a gate of the site's own comes first.
    assert client.get(PAGE).status_code == (302 if "Gate" in added[-1] else 303)
    clerk_sign_in(client, "ada@acme.test", organization="acme")
    assert client.get(PAGE).status_code == 200
    assert client.get(PAGE, headers=LIST).status_code == 200
    assert client.post(INVITE, NEW, headers=FORM).status_code == 200
    row = clerk_emulator.invitations("acme", "pending")[0]
    assert client.get(f"{PAGE}{row.id}/revoke/").status_code == 200
    assert client.post(f"{PAGE}{row.id}/revoke/").status_code == 303
    assert row.status(clerk_emulator.clock.now_ms()) == "revoked"


def test_no_page_inherits_what_the_sites_page_says_to_htmx(subtests: pytest.Subtests) -> None:
    templates = Path(org_invitations.__file__).parent / "templates"
    roots = 0
    for file in sorted(templates.rglob("*.html")):
        with subtests.test(file=file.name):
            for tag in re.findall(r"<[^>]*\sdata-org-invitations\b[^>]*>", file.read_text()):
                roots += 1
                assert '{% include "org_invitations/partials/no_inheritance.html" %}' in tag
    assert roots >= 10


def test_what_htmx_acts_on_says_all_of_it_itself(subtests: pytest.Subtests) -> None:
    """htmx 4 inherits nothing of what is above an element, and htmx 2 can be told not to."""
    package = Path(org_invitations.__file__).parent
    example = package.parent / "example_project"
    asking = 0
    for file in sorted([*package.rglob("*.html"), *example.rglob("*.html")]):
        source = re.sub(r"\{#.*?#\}", "", file.read_text(), flags=re.DOTALL)
        tags = re.findall(r"<\w(?:\{%.*?%\}|\{\{.*?\}\}|[^>])*>", source, flags=re.DOTALL)
        for tag in tags:
            if not re.search(r'\shx-(get|post|boost="true")', tag):
                assert not re.search(r"\shx-(target|swap|push-url|include|encoding|trigger)=", tag)
                continue
            asking += 1
            with subtests.test(file=file.name, tag=tag[:60]):
                assert "hx-target=" in tag
                assert "hx-swap=" in tag
                # htmx pushes what is boosted, unless it is told.
                assert "hx-boost=" not in tag or "hx-push-url=" in tag
                assert ":inherited" not in tag
    assert asking > 20
