"""Parts of the page in pages of a site's own: tests/embed is such a site."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from html import unescape
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.template import Context, Template, TemplateSyntaxError
from django.test import Client
from django.urls import clear_script_prefix, set_script_prefix

from org_invitations.clients import get_client
from org_invitations.emulator import Emulator, EmulatorRequest
from org_invitations.services import InvitationService
from org_invitations.testing import SignIn
from org_invitations.views import EmbedView

from .conftest import Browser, calls, pending, text_of
from .joining import GUS, JOIN_URL, NORA, Invitee, invite

PAGE = "/harbour/page/"
COUNT = "/invitations/embed/pending-count/"


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.embed.urls"


def url_of(part: str) -> str:
    return f"/invitations/embed/{part}/"


# --- What is in a page ---------------------------------------------------------------------------


def test_each_part_is_in_a_page_of_the_sites(ada: Browser, subtests: pytest.Subtests) -> None:
    for name, has_form, has_list in (
        ("page", 1, 1),
        ("list", 0, 1),
        ("form", 1, 0),
        ("several", 1, 1),
        ("acme", 1, 1),
    ):
        with subtests.test(name):
            answer = ada.get(f"/harbour/{name}/")
            assert answer.status_code == 200
            assert "<h1>Harbour</h1>" in answer.text
            assert answer.text.count('id="org-invitations-form"') == has_form
            assert answer.text.count('id="org-invitations-list"') == has_list
            # Regions and dialog are there once, however many parts there are.
            for one in ("status", "alert", "dialog", "regions"):
                assert answer.text.count(f'id="org-invitations-{one}"') == 1
            ids = re.findall(r'\bid="([^"]+)"', answer.text)
            assert len(ids) == len(set(ids))


def test_what_is_rendered_is_kept_nowhere(ada: Browser) -> None:
    for name in ("page", "count", "roles", "mine"):
        for path in ("harbour", "cached", "composed", "streamed"):
            kept = ada.get(f"/{path}/{name}/")["Cache-Control"]
            assert "private" in kept
            assert "no-store" in kept
            assert "max-age=600" not in kept


def test_what_a_prefix_captures_is_quoted_once(ada: Browser) -> None:
    assert 'action="/teams/S%C3%A3o%20Paulo/invite/"' in ada.get("/harbour/team/").text


def test_below_a_script_name_a_part_has_the_paths_of_its_own(
    ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(EmbedView, "get_wording", lambda self: seen.append(self.request))
    set_script_prefix("/site/")  # as the handler of a real server does, and the test client not
    try:
        with suppress(AttributeError):  # there are no sentences
            ada.client.get("/harbour/team/", SCRIPT_NAME="/site")
    finally:
        clear_script_prefix()
    [request] = seen
    assert request.path == "/site/teams/São Paulo/embed/form/"
    assert request.path_info == "/teams/São Paulo/embed/form/"


def test_an_organization_that_is_empty_is_not_the_active_one(ada: Browser) -> None:
    assert "org-invitations-form" not in ada.get("/harbour/unknown/").text


def test_the_sites_own_cache_does_not_keep_it_either(ada: Browser, sign_in: Any) -> None:
    for name in ("page", "count"):
        assert "34" in ada.get(f"/cached/{name}/").text
        assert "34" not in text_of(sign_in("max@acme.test", "acme").get(f"/cached/{name}/"))


def test_a_request_that_is_wrapped_is_that_of_django(ada: Browser) -> None:
    """As TemplateHTMLRenderer of Django REST framework puts it into the context."""
    page = ada.get("/composed/page/").text
    assert 'id="org-invitations-list"' in page
    assert 'name="host" value="/composed/page/"' in page
    assert "34 pending" in ada.get("/composed/count/").text


def test_what_is_no_request_at_all_is_refused() -> None:
    template = Template("{% load org_invitations %}{% org_invitations %}")
    with pytest.raises(ImproperlyConfigured, match="need the request"):
        template.render(Context({"request": object()}))


def test_a_page_that_is_streamed_has_forms_that_can_be_sent(ada: Browser) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies.update(ada.client.cookies)
    page = client.get("/streamed/page/").getvalue().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    new = {"email_addresses": "new@example.com", "role": "org:member"}
    sent = client.post("/invitations/invite/", new | {"csrfmiddlewaretoken": token[1]})
    assert sent.status_code == 303


def test_the_list_begins_with_the_status_that_the_tag_names(ada: Browser) -> None:
    assert "Expired invitations" in text_of(ada.get("/harbour/expired/"))


def test_a_mount_of_its_own_is_used(ada: Browser) -> None:
    answer = ada.get("/harbour/acme/")
    assert 'action="/elsewhere/organizations/acme/invite/"' in answer.text
    assert "/invitations/organizations" not in answer.text


def test_the_same_elements_are_not_twice_on_a_page(ada: Browser) -> None:
    with pytest.raises(TemplateSyntaxError, match="has the elements of 'list' already"):
        ada.get("/harbour/twice/")


def test_a_site_without_the_page_is_told(ada: Browser, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.team.urls"
    from tests.embed import urls

    urls.urlpatterns, kept = [urls.urlpatterns[2]], urls.urlpatterns
    try:
        settings.ROOT_URLCONF = "tests.embed.urls"
        with pytest.raises(ImproperlyConfigured, match="need the page 'embed'"):
            ada.get(PAGE)
    finally:
        urls.urlpatterns = kept


def test_the_token_of_the_forms_is_that_of_the_cookie(ada: Browser) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies.update(ada.client.cookies)
    page = client.get(PAGE)
    assert "csrftoken" in page.cookies
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token is not None
    new = {"email_addresses": "new@example.com", "role": "org:member", "host": PAGE}
    sent = client.post("/invitations/invite/", new | {"csrfmiddlewaretoken": token[1]})
    assert (sent.status_code, sent["Location"]) == (303, PAGE)


# --- Who sees what -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "organization"),
    [("max@acme.test", "acme"), ("gus@globex.test", "globex"), ("nora@nowhere.test", None)],
)
def test_nothing_is_shown_to_who_may_not(
    sign_in: Any, clerk: Emulator, who: str, organization: str | None, subtests: pytest.Subtests
) -> None:
    browser = sign_in(who, organization) if organization else sign_in(who, active=None)
    wanted = {"max@acme.test": "page"}.get(who, "acme")
    for name in (wanted, "list", "form", "several", "count", "roles"):
        if name != wanted and organization == "globex":
            continue  # of Globex he sees what he may
        with subtests.test(name):
            answer = browser.get(f"/harbour/{name}/")
            assert answer.status_code == 200
            for row in clerk.invitations("acme"):
                assert row.email_address not in answer.text
            assert 'name="email_addresses"' not in answer.text
            assert "pending" not in text_of(answer)
            assert "org:billing" not in answer.text


def test_the_url_of_a_part_says_the_same_as_the_page(sign_in: Any) -> None:
    max_ = sign_in("max@acme.test", "acme")
    for part in ("page", "list", "form"):
        answer = max_.get(url_of(part), target="anything")
        assert answer.status_code == 403 or "Only people who manage" in text_of(answer)
    assert max_.get(COUNT, target="anything").text == ""


def test_signed_out_there_is_a_way_in_and_back(client: Client, clerk: Emulator) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{PAGE}?tab=people"}
    answer = client.get(url_of("page"), headers=headers)
    assert answer.status_code == 401
    assert "You are signed out." in text_of(answer)
    assert "redirect_url=http%3A%2F%2Ftestserver%2Fharbour%2Fpage%2F%3Ftab%3Dpeople" in answer.text
    assert text_of(client.get("/harbour/count/")).endswith("Now .")
    assert clerk.requests == []


def test_an_expired_minute_brings_the_part_by_htmx(sign_in: Any) -> None:
    old = sign_in("ada@acme.test", "acme", lifetime=60, issued_ago=3600)
    for cookie in [name for name in old.client.cookies if name.startswith("__refresh")]:
        del old.client.cookies[cookie]
    answer = old.get(PAGE)
    assert 'hx-get="/invitations/embed/page/"' in answer.text
    assert 'src="/invitations/session/"' in answer.text
    fragment = old.get(url_of("page"), target="anything")
    assert fragment.status_code == 401
    assert fragment["Org-Invitations-Renew"] == "/invitations/session/"
    assert "hx-get" not in fragment.text  # or it would be asked for without end
    assert 'hx-get="/invitations/embed/pending-count/"' in old.get("/harbour/count/").text


def test_what_is_wrong_is_said_once_on_a_page(sign_in: Any) -> None:
    text = text_of(sign_in("max@acme.test", "acme").get("/harbour/several/"))
    assert text.count("Only people who manage the members") == 1


def test_what_the_parts_share_is_there_where_the_first_one_is_not(
    ada: Browser, clerk: Emulator
) -> None:
    clerk.fault("GET", "*/memberships", status=400)  # once: the first part's
    page = ada.get("/harbour/parts/").text
    assert 'name="email_addresses"' not in page
    assert 'id="org-invitations-list"' in page
    for one in ("status", "alert", "dialog", "regions"):
        assert page.count(f'id="org-invitations-{one}"') == 1


# --- Two organizations ---------------------------------------------------------------------------


def test_a_question_is_about_the_organization_of_its_part(sign_in: Any, clerk: Emulator) -> None:
    bo = sign_in("bo@both.test", "globex")
    page = bo.get("/harbour/two/").text
    headers = [json.loads(unescape(found)) for found in re.findall(r'hx-headers="([^"]+)"', page)]
    globex, acme = (clerk.organization(name).id for name in ("globex", "acme"))
    assert [one["Org-Invitations-Organization"] for one in headers] == [globex, acme]
    row = re.search(r'href="([^"]+/revoke/[^"]*)"', page)
    assert row is not None
    question = bo.get(unescape(row[1]), target="org-invitations-dialog", **headers[1])
    asked = re.search(r'<form[^>]+hx-headers="([^"]+)"', question.text)
    assert asked is not None
    # It stands in the dialog, which is the other part's, and would be sent with what that one says.
    assert json.loads(unescape(asked[1])) == headers[1]
    assert text_of(bo.get("/harbour/counts/")).endswith("34 pending, 6 pending")


# --- How many are pending ------------------------------------------------------------------------


def test_the_number_costs_nothing_once_it_is_known(ada: Browser, clerk: Emulator) -> None:
    total = len(pending(clerk))
    assert f"Now {total} pending." in text_of(ada.get("/harbour/count/"))
    assert len(clerk.requests) <= 3
    clerk.clear_requests()
    assert f"Now {total} pending." in text_of(ada.get("/harbour/count/"))
    assert calls(clerk) == []


def test_the_number_is_that_after_an_invitation(ada: Browser, clerk: Emulator) -> None:
    total = len(pending(clerk))
    ada.get("/harbour/count/")
    ada.htmx_invite("new@example.com")
    assert f"Now {total + 1} pending." in text_of(ada.get("/harbour/count/"))


@pytest.mark.parametrize(("who", "action"), [(NORA, "join"), (GUS, "decline")])
def test_the_number_is_that_after_somebody_has_joined_or_declined(
    ada: Browser, clerk: Emulator, clerk_sign_in: SignIn, settings: Any, who: str, action: str
) -> None:
    settings.ORG_INVITATIONS_JOIN_URL = JOIN_URL
    row = invite(clerk, who)
    total = len(pending(clerk))
    assert f"Now {total} pending." in text_of(ada.get("/harbour/count/"))
    invitee = Invitee(clerk, clerk_sign_in)
    invitee.sign_in(who)
    invitee.press(invitee.follow(row), action)
    assert row.state != "pending"
    assert f"Now {total - 1} pending." in text_of(ada.get("/harbour/count/"))


def test_the_number_is_that_after_a_sites_own_code_has_invited(
    ada: Browser, clerk: Emulator
) -> None:
    total = len(pending(clerk))
    ada.get("/harbour/count/")
    acme, who = clerk.organization("acme").id, clerk.user("ada@acme.test").id
    service = InvitationService(get_client(), organization_id=acme, user_id=who)
    row = service.invite_member("new@example.com", role="org:member")
    assert f"Now {total + 1} pending." in text_of(ada.get("/harbour/count/"))
    service.revoke(row.id)
    assert f"Now {total} pending." in text_of(ada.get("/harbour/count/"))


def test_without_an_answer_there_is_no_number(ada: Browser, clerk: Emulator) -> None:
    clerk.fault("GET", "*/memberships", times=None, status=500)
    assert text_of(ada.get("/harbour/several/")).count("could not be loaded") == 1
    assert text_of(ada.get("/harbour/count/")).endswith("Now .")


# --- The roles -----------------------------------------------------------------------------------


def test_the_roles_are_those_that_the_person_may_give(sign_in: Any, ada: Browser) -> None:
    select = ada.get("/harbour/roles/").text
    assert 'name="new_role"' in select
    assert '<option value="org:billing" selected' in select
    assert 'value="org:admin"' in select
    mia = sign_in("mia@acme.test", "acme").get("/harbour/roles/").text
    assert 'name="new_role"' in mia
    assert 'value="org:admin"' not in mia


@pytest.mark.parametrize("name", ['x" onclick="y', "", "<b>"])
def test_a_name_that_is_none_makes_no_field(ada: Browser, name: str) -> None:
    answer = ada.client.get(url_of("role-select"), {"name": name}, headers={"HX-Request": "true"})
    assert "onclick=" not in answer.text
    assert "<b>" not in answer.text


# --- What comes of it ----------------------------------------------------------------------------

PART = {"Org-Invitations-Part": "list", "Org-Invitations-Host": PAGE}


def test_the_address_bar_is_left_alone(ada: Browser) -> None:
    for path in ("", "?status=expired", "?page=2&sort=address", "?q=a"):
        answer = ada.get(f"/invitations/{path}", target="org-invitations-list", **PART)
        assert answer["HX-Push-Url"] == "false"
        assert "HX-Replace-Url" not in answer
    form = PART | {"Org-Invitations-Part": "form"}
    new = {"email_addresses": "new@example.com", "role": "org:member"}
    sent = ada.post("/invitations/invite/", new, target="org-invitations-form", **form)
    assert sent["HX-Push-Url"] == "false"
    assert "HX-Replace-Url" not in sent
    assert sent["HX-Trigger"] == '{"org-invitations:form-changed": {}}'
    assert 'id="org-invitations-list"' not in sent.text  # it may not be there


def test_on_the_way_to_another_page_it_knows_which_it_is_on(ada: Browser) -> None:
    for header in ("HX-Boosted", "HX-History-Restore-Request"):
        left = {"HX-Request": "true", header: "true", "HX-Current-URL": "http://testserver/home/"}
        answer = ada.client.get("/harbour/form/", headers=left)
        assert 'name="host" value="/harbour/form/"' in answer.text


def test_without_javascript_it_comes_back_to_the_page(ada: Browser, clerk: Emulator) -> None:
    row = re.search(r'href="([^"]+/revoke/[^"]*)"', ada.get(PAGE).text)
    assert row is not None
    question = ada.get(row[1].replace("&amp;", "&"))
    assert f'name="host" value="{PAGE}"' in question.text
    assert f'<a class="org-invitations-button" href="{PAGE}" autofocus>' in question.text
    done = ada.post(row[1].partition("?")[0], {"host": PAGE})
    assert (done.status_code, done["Location"]) == (303, PAGE)
    page = text_of(ada.get(PAGE))
    assert "revoked. Its link no longer works." in page


def test_without_javascript_the_list_knows_the_way_back(ada: Browser) -> None:
    page = ada.get(PAGE).text
    for name in ("tab-expired", "sort-address", "next", "size-25"):
        found = re.search(rf'id="org-invitations-{name}"[^>]*?href="([^"]+)"', page)
        assert found is not None
        there = ada.get(unescape(found[1]))
        assert f'<a href="{PAGE}">' in there.text
        assert (
            there.text.count(f'name="host" value="{PAGE}"') >= 3
        )  # to invite, to choose, to search
        further = re.search(r'id="org-invitations-tab-accepted"[^>]*?href="([^"]+)"', there.text)
        assert further is not None
        assert "host=%2Fharbour%2Fpage%2F" in further[1]
    assert "host=" not in re.findall(r'id="org-invitations-export"[^>]*?href="([^"]+)"', page)[0]
    assert f'<a href="{PAGE}">' not in ada.get("/invitations/").text


@pytest.mark.parametrize("with_htmx", [True, False])
def test_the_outcome_of_many_knows_the_way_back(
    ada: Browser, clerk: Emulator, with_htmx: bool
) -> None:
    rows = [row.id for row in clerk.invitations("acme", "pending")[:2]]
    chosen = {"action": "revoke", "selected": rows, "host": PAGE}
    question = ada.post("/invitations/selected/", chosen)
    assert f'name="host" value="{PAGE}"' in question.text
    batch = re.search(r'name="batch" value="([^"]+)"', question.text)
    assert batch is not None
    sent = chosen | {"confirmed": "1", "batch": batch[1]}
    headers = PART if with_htmx else {}
    target = "org-invitations-dialog" if with_htmx else None
    done = ada.post("/invitations/selected/", sent, target=target, **headers)
    outcome = ada.get(done["HX-Redirect" if with_htmx else "Location"])
    assert "2 revoked" in text_of(outcome)
    assert f'<a href="{PAGE}">All invitations</a>' in outcome.text


@pytest.mark.parametrize(
    "host",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "harbour/page/",
        "/\nevil",
        "/" + "x" * 3000,
    ],
)
def test_it_goes_nowhere_but_to_a_page_of_this_site(
    ada: Browser, clerk: Emulator, host: str
) -> None:
    row = clerk.invitations("acme", "pending")[0]
    done = ada.post(f"/invitations/{row.id}/revoke/", {"host": host})
    assert (done.status_code, done["Location"]) == (303, "/invitations/")
    question = ada.client.get(f"/invitations/{pending_id(clerk)}/revoke/", {"host": host})
    assert 'name="host"' not in question.text


def pending_id(clerk: Emulator) -> str:
    return str(clerk.invitations("acme", "pending")[0].id)


def test_what_was_refused_comes_back_with_the_way_home(ada: Browser) -> None:
    typed = {"email_addresses": "nobody", "role": "org:member", "host": PAGE}
    refused = ada.post("/invitations/invite/", typed)
    assert refused.status_code == 422
    assert f'name="host" value="{PAGE}"' in refused.text


# --- Its URL -------------------------------------------------------------------------------------


def test_who_opens_the_url_of_a_part_comes_to_the_page(ada: Browser) -> None:
    answer = ada.get(url_of("list"))
    assert (answer.status_code, answer["Location"]) == (303, "/invitations/")
    assert ada.get(url_of("nothing")).status_code == 404


def test_a_redirect_of_htmx_keeps_what_else_it_says(
    client: Client, clerk: Emulator, settings: Any
) -> None:
    settings.ORG_INVITATIONS_JOIN_URL = JOIN_URL
    row = invite(clerk)
    url = clerk.handle(EmulatorRequest("GET", clerk.accept_url(row.ticket))).header("location")
    assert url is not None
    plain, boosted = Client().get(url), client.get(url, headers={"HX-Request": "true"})
    assert boosted["HX-Redirect"] == plain["Location"]
    assert boosted.cookies.keys() == plain.cookies.keys() != set()
    assert boosted["Referrer-Policy"] == plain["Referrer-Policy"]


def test_by_htmx_it_knows_the_page_it_goes_into(ada: Browser) -> None:
    headers = {"HX-Current-URL": "http://testserver/harbour/htmx/?a=1"}
    answer = ada.get(url_of("page"), target="anything", **headers)
    assert 'name="host" value="/harbour/htmx/?a=1"' in answer.text
    assert "no-store" in answer["Cache-Control"]
    bare = ada.get(f"{url_of('list')}?bare=1", target="anything", **headers)
    assert 'id="org-invitations-dialog"' not in bare.text
