"""The URLs of all pages, with what a site changes in them: tests/team is such a site."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import include, path, reverse, set_urlconf

from org_invitations import join_urls
from org_invitations.emulator import Emulator
from org_invitations.testing import SignIn
from org_invitations.urls import get_urls, urlpatterns
from org_invitations.views import InviteView

from .team.pages import TeamForm, TeamPages, TeamPolicy, TeamResendForm, TeamService, TeamWording
from .test_templates import use_urls
from .views.conftest import pending
from .views.joining import invite, value_of

TEAM = "/team/"
CREW = "/crew/"
FORM = {"HX-Request": "true", "HX-Target": "org-invitations-form"}
DIALOG = {"HX-Request": "true", "HX-Target": "org-invitations-dialog"}
CHECK = {"HX-Request": "true", "HX-Target": "org-invitations-check"}
LISTED = {"HX-Request": "true", "HX-Target": "org-invitations-list"}


@pytest.fixture
def ada(client: Client, clerk_emulator: Emulator, clerk_sign_in: SignIn, settings: Any) -> Client:
    """A browser with Ada before it, on the site of tests/team."""
    templates = str(Path(__file__).parent / "team/templates")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [templates]}]
    settings.ROOT_URLCONF = "tests.team.urls"
    set_urlconf(None)
    clerk_sign_in(client, "ada@acme.test", organization="acme")
    return client


def first(clerk: Emulator, status: str = "pending") -> str:
    return str(clerk.invitations("acme", status)[0].id)


# --- What a site changes, on every page ---------------------------------------------------------


def test_the_urls_of_a_site_drop_none(ada: Client) -> None:
    own, _ = get_urls(TeamPages)
    assert [(str(one.pattern), one.name) for one in own] == [
        (str(one.pattern), one.name) for one in urlpatterns
    ]
    assert reverse("org_invitations:list") == TEAM
    assert reverse("crew:list", kwargs={"organization_id": "acme"}) == "/crew/organizations/acme/"


def test_every_view_is_the_sites() -> None:
    for one in get_urls(TeamPages)[0]:
        view: Any = one.callback.view_class  # type: ignore[attr-defined]
        assert issubclass(view, TeamPages), one.name
        assert (view.wording_class, view.list_template_name) == (TeamWording, "team/list.html")
        assert view.service_class is TeamService
        assert view.grant_policy_class is TeamPolicy


@pytest.mark.parametrize("base", [TEAM, "/team/organizations/acme/"])
def test_the_page_and_the_list_alone(ada: Client, clerk_emulator: Emulator, base: str) -> None:
    page = ada.get(base)
    assert type(page.context["form"]) is TeamForm
    assert 'name="agreed"' in page.text
    assert "Harbour: " in page.text
    assert f'href="{base}{page.context["rows"][0].invitation.id}/revoke/"' in page.text
    assert 'value="org:admin"' not in page.text  # the rule
    alone = ada.get(base, headers=LISTED).text
    assert '<section id="org-invitations-list">Harbour: ' in alone
    assert "<html" not in alone


def test_the_form_that_invites(ada: Client, clerk_emulator: Emulator) -> None:
    new = {"email_addresses": "new@example.com", "role": "org:member"}
    answer = ada.post(f"{TEAM}invite/", new, headers=FORM)
    assert answer.status_code == 200
    assert 'name="agreed"' in answer.text
    assert "Harbour: " in answer.text
    refused = ada.post(f"{TEAM}invite/", new | {"email_addresses": "max@acme.test"}, headers=FORM)
    assert "max@acme.test is on board already." in refused.text
    admin = {"email_addresses": "boss@example.com", "role": "org:admin", "confirm_elevated": "on"}
    assert ada.post(f"{TEAM}invite/", admin).status_code == 422
    assert "boss@example.com" not in pending(clerk_emulator)


def test_the_check_and_the_outcome_of_many(ada: Client) -> None:
    addresses = "ada@acme.test " + " ".join(f"person{number}@example.com" for number in range(4))
    many = {"email_addresses": addresses, "role": "org:member"}
    checked = ada.post(f"{TEAM}check/", many, headers=CHECK)
    assert "That is you." in checked.text
    assert "3 will be sent." in checked.text
    page = ada.post(f"{TEAM}invite/", many)
    assert type(page.context["form"]) is TeamForm
    reviewed = many | {"reviewed": page.context["review"].digest}
    sent = ada.post(f"{TEAM}invite/", reviewed | {"batch": str(page.context["batch_id"])})
    outcome = ada.get(sent["Location"])
    assert sent["Location"].startswith(f"{TEAM}outcomes/")
    assert "3 sent" in outcome.text
    assert "That is you." in outcome.text
    assert 'name="agreed"' in outcome.text
    assert outcome.context["team"] == "Harbour"


def test_an_outcome_of_which_nothing_is_known(ada: Client) -> None:
    answer = ada.get(f"{TEAM}outcomes/6e5a35a0-7a3f-4a0e-9d0f-1f3d6c6f2f11/")
    assert "Nothing is known of that." in answer.text
    assert answer.context["team"] == "Harbour"


@pytest.mark.parametrize("headers", [{}, DIALOG])
@pytest.mark.parametrize("name", ["resend", "change"])
def test_the_questions_before_sending_again(
    ada: Client, clerk_emulator: Emulator, name: str, headers: dict[str, str]
) -> None:
    asked = ada.get(f"{TEAM}{first(clerk_emulator)}/{name}/", headers=headers)
    assert type(asked.context["resend_form"]) is TeamResendForm
    assert 'name="reason"' in asked.text
    assert 'value="org:admin"' not in asked.text
    assert ("Change this invitation" in asked.text) is (name == "change")
    assert asked.context["team"] == "Harbour"


def test_the_other_questions(ada: Client, clerk_emulator: Emulator) -> None:
    one = first(clerk_emulator)
    link = ada.get(f"{TEAM}{first(clerk_emulator, 'accepted')}/link/")
    assert "They are on board already." in link.text
    revoke = ada.get(f"{TEAM}{one}/revoke/")
    many = ada.post(f"{TEAM}selected/", {"action": "revoke", "selected": [one]})
    for answer in (link, revoke, many):
        assert answer.context["team"] == "Harbour"
    assert f'action="{TEAM}selected/"' in many.text
    done = ada.post(f"{TEAM}{one}/revoke/", headers=LISTED)
    assert "Harbour: " in done.text


def test_the_file_and_the_frame(ada: Client) -> None:
    assert ada.get(f"{TEAM}export/")["Content-Type"] == "text/csv; charset=utf-8"
    assert "You are signed in again." in ada.get(f"{TEAM}session/").text


def test_the_choice_of_an_organization(ada: Client, clerk_sign_in: SignIn) -> None:
    clerk_sign_in(ada, "bo@both.test", organization=None)
    choice = ada.get(TEAM)
    assert f'href="{TEAM}organizations/' in choice.text
    assert choice.context["team"] == "Harbour"


def test_two_mounts_of_one_site_differ(ada: Client) -> None:
    page = ada.get(CREW)
    assert 'name="agreed"' not in page.text
    assert 'value="org:admin"' in page.text
    assert re.search(rf'href="{CREW}orginv_\w+/revoke/"', page.text)
    assert "/team/" not in page.text
    new = {"email_addresses": "max@acme.test", "role": "org:member"}
    assert "max@acme.test is crew." in ada.post(f"{CREW}invite/", new, headers=FORM).text
    assert "is on board" in ada.post(f"{TEAM}invite/", new, headers=FORM).text


def test_what_a_site_does_without_is_not_offered(ada: Client) -> None:
    assert "Export as CSV" not in ada.get(CREW).text
    assert ada.get(f"{CREW}export/").status_code == 404


# --- What a site may get wrong ------------------------------------------------------------------


def test_a_name_that_no_page_knows_is_told() -> None:
    class Slip:
        wordng_class = TeamWording

    with pytest.raises(ImproperlyConfigured, match=r"Slip\.wordng_class .* mean wording_class\?"):
        get_urls(Slip)


def test_a_name_that_is_like_none_is_told() -> None:
    class Slip:
        def zzz(self) -> None: ...

    with pytest.raises(ImproperlyConfigured, match=r"no attribute or method of any page\. What"):
        get_urls(Slip)


@pytest.mark.parametrize("pages", [TeamPages(), InviteView])
def test_anything_but_a_plain_class_is_told(pages: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="give a plain class"):
        get_urls(pages)


@pytest.mark.parametrize("name", ["get", "post", "http_method_names", "as_view"])
def test_what_is_each_views_own_is_no_sites_to_give(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"Slip\.{name} is no attribute"):
        get_urls(type("Slip", (), {name: lambda self: None}))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("service_class", "InvitationService"),
        ("invite_form_class", "InviteForm"),
        ("grant_policy_class", "GrantPolicy"),
    ],
)
@pytest.mark.parametrize("value", [TeamWording, "a text"])
def test_a_class_that_cannot_take_the_place_is_told(name: str, wanted: str, value: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"Slip\.{name} must be .*\.{wanted}\."):
        get_urls(type("Slip", (), {name: value}))


def test_what_a_site_needs_for_itself_begins_with_an_underscore() -> None:
    class Own:
        _motto = "Ahoy"

        def get_filename(self, organization: Any, query: Any) -> str:
            return self._motto

    assert len(get_urls(Own)[0]) == len(urlpatterns)


@pytest.mark.parametrize(
    ("name", "problem"), [("list", "needed by the others"), ("lnk", "no page of the app")]
)
def test_what_no_site_can_do_without(name: str, problem: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=problem):
        get_urls(without=[name])


# --- The pages for joining -----------------------------------------------------------------------


def test_the_pages_for_joining_take_one_class_as_well(
    settings: Any, clerk_emulator: Emulator, client: Client, tmp_path: Path
) -> None:
    class Common:
        wording_class = TeamWording

        def get_context_data(self, **context: Any) -> dict[str, Any]:
            known: dict[str, Any] = super().get_context_data(**context)  # type: ignore[misc]
            wording = type(self.wording).__name__  # type: ignore[attr-defined]
            return known | {"motto": "Ahoy", "wording": wording}

    class Welcome(Common):
        join_template_name = "welcome.html"

    class Team(Common):
        grant_policy_class = None

    (tmp_path / "welcome.html").write_text("{{ motto }}: {{ state }}, {{ wording }}")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]
    settings.ORG_INVITATIONS_JOIN_URL = "http://testserver/welcome/"
    urls = (("welcome/", join_urls.get_urls(Welcome)), ("team/", get_urls(Team)))
    use_urls(settings, *(path(prefix, include(there)) for prefix, there in urls))
    row = invite(clerk_emulator)
    page = client.get(f"/welcome/{value_of(row)}/invitation/")
    assert page.content.decode() == "Ahoy: sign-in, TeamWording"


@pytest.mark.parametrize("name", ["person", "post", "handle_clerk_error", "list_template_name"])
def test_what_is_done_on_them_is_no_sites_to_change(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"Slip\.{name} is no attribute"):
        join_urls.get_urls(type("Slip", (), {name: "x"}))
