"""The list in all its states: every one is a URL, and no URL fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape
from itertools import product
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import override_settings
from django.urls import include, path
from django.views.generic.base import View

from org_invitations import urls as org_invitations_urls
from org_invitations.emulator import Emulator

from .conftest import LIST, Browser, calls, html_of, text_of

TARGET = "org-invitations-list"
STATUSES = ("pending", "expired", "accepted", "revoked")
SORTS = ("address", "invited", "expires", "role", "inviter")
COLUMNS = {name: f"org-invitations-sort-{name}" for name in SORTS}


@pytest.fixture(autouse=True)
def _patient(clerk: Emulator) -> None:
    """Let Clerk answer as often as these tests ask."""
    clerk.configure(rate_limits={"requests": 100_000})


def links(html: str) -> dict[str, str]:
    """The links of the list by their ids."""
    found = {}
    for tag in re.findall(r"<a\b[^>]*>", html):
        names = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "href" in names and "id" in names:
            found[names["id"]] = unescape(names["href"])
    return found


def shown(response: Any) -> list[str]:
    return [row.invitation.email_address for row in response.context["rows"]]


# --- Every state is a URL -------------------------------------------------------------------


@pytest.mark.exhaustive
@pytest.mark.parametrize("status", STATUSES)
def test_every_state_of_the_list_is_a_url(ada: Browser, status: str) -> None:
    """4 statuses, 5 sorts in 2 directions; every other one with a search or on another page."""
    ada.warm()
    for number, (sort, direction) in enumerate(product(SORTS, ("", "-"))):
        search, page = ("", "e")[number % 2], (1, 2, 2, 1)[number % 4]
        params = {"status": status, "sort": f"{direction}{sort}", "q": search, "page": page}
        response = ada.get(f"{LIST}?{urlencode(params)}")
        assert response.status_code == 200
        found = response.context["page"]
        assert (found.query.status, found.query.sort) == (status, f"{direction}{sort}")
        assert found.query.search == search
        assert found.number == min(page, found.num_pages)
        assert {row.invitation.status for row in response.context["rows"]} <= {status}
        assert response.text.count("aria-sort=") == 1
        assert response.text.count('aria-current="page"') == 1 + (found.num_pages > 1)
        # The same URL again, as htmx asks for it, is the same list.
        again = ada.get(response.context["list_url"], target=TARGET)
        assert shown(again) == shown(response)


def test_every_link_of_the_list_leads_to_the_state_it_names(ada: Browser) -> None:
    page = ada.get(f"{LIST}?status=revoked&q=e&sort=role&size=25")
    found = links(page.text)
    assert found["org-invitations-tab-pending"] == f"{LIST}?q=e&sort=role&size=25"
    assert found["org-invitations-tab-expired"] == f"{LIST}?status=expired&q=e&sort=role&size=25"
    assert found[COLUMNS["role"]] == f"{LIST}?status=revoked&q=e&sort=-role&size=25"
    assert found[COLUMNS["address"]] == f"{LIST}?status=revoked&q=e&sort=address&size=25"
    assert found[COLUMNS["invited"]] == f"{LIST}?status=revoked&q=e&size=25"
    assert found["org-invitations-search-clear"] == f"{LIST}?status=revoked&sort=role&size=25"
    first = links(ada.get().text)
    assert first["org-invitations-size-25"] == f"{LIST}?size=25"
    assert first["org-invitations-page-2"] == f"{LIST}?page=2"
    assert first["org-invitations-page-1"] == LIST


def test_a_link_of_the_list_asks_htmx_for_where_it_leads(ada: Browser) -> None:
    html = ada.get(f"{LIST}?q=e&page=2").text
    # Tabs, columns and pages are boosted: their URL is in href alone.
    boosted = re.findall(rf"<a\b[^>]*hx-target=\"#{TARGET}\"[^>]*>", html)
    boosted = [tag for tag in boosted if "hx-get" not in tag]
    assert len(boosted) >= 4 + 5 + 2
    for tag in boosted:
        assert 'href="' in tag
        assert 'hx-boost="true"' in tag
        assert 'hx-push-url="true"' in tag
        assert 'hx-swap="outerHTML show:none"' in tag
    for tag in re.findall(r"<a\b[^>]*hx-get[^>]*>", html):
        names = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        assert names["href"] == names["hx-get"]


ODD = ["", "x", "0", "-1", "1e9", "9" * 99, "\0", "\u202e", "%", "'\"><b>", "ü", "²", "null", "[]"]


@pytest.mark.exhaustive
def test_a_wrong_filter_never_fails(
    ada: Browser, clerk: Emulator, subtests: pytest.Subtests
) -> None:
    clerk.configure(rate_limits=False)
    ada.warm()
    for number, (name, value) in enumerate(product(("status", "sort", "page", "size", "q"), ODD)):
        queries: list[dict[str, Any]]
        queries = [{name: value}, {name: [value, "2"]}, {f"{name}[]": value}]
        query = queries[number % 3]
        with subtests.test(query=query):
            target = TARGET if number % 5 else None  # the page around it is the same
            response = ada.get(f"{LIST}?{urlencode(query, doseq=True)}", target=target)
            assert response.status_code == 200
            assert "<b>" not in response.text


def test_five_hundred_invitations_are_listed_with_two_calls(ada: Browser, clerk: Emulator) -> None:
    for number in range(500 - len(clerk.invitations("acme"))):
        clerk.add_invitation("acme", f"{number:03}@filled.example", notify=False)
    ada.warm()
    for query in ("", "?status=revoked", "?q=northwind&sort=role", "?page=47", "?size=100"):
        assert ada.get(f"{LIST}{query}").status_code == 200
        assert len(calls(clerk)) == 2
        clerk.clear_requests()


def test_the_counts_on_the_tabs_are_clerks(ada: Browser, clerk: Emulator) -> None:
    for status in STATUSES:
        response = ada.get(f"{LIST}?status={status}&q=nobody-at-all", target=TARGET)
        counts = {tab.status: tab.count for tab in response.context["tabs"]}
        assert counts == {name: len(clerk.invitations("acme", name)) for name in STATUSES}
        assert [tab.status for tab in response.context["tabs"] if tab.is_current] == [status]


# --- What it shows --------------------------------------------------------------------------


def test_who_invited_is_shown_and_who_did_not_is_not_known(ada: Browser, clerk: Emulator) -> None:
    clerk.add_invitation("acme", "one@example.com", inviter="mia@acme.test")
    clerk.add_invitation("acme", "two@example.com", inviter=None)
    html = ada.get().text
    assert "<bdi>Mia Tanaka</bdi>" in html
    assert "not known" in html


def test_each_status_has_its_heading_and_its_last_date(ada: Browser, clerk: Emulator) -> None:
    for status, heading, label in (
        ("pending", "Pending invitations", "Expires"),
        ("expired", "Expired invitations", "Expired"),
        ("accepted", "Accepted invitations", "Accepted"),
        ("revoked", "Revoked invitations", "Revoked"),
    ):
        response = ada.get(f"{LIST}?status={status}", target=TARGET)
        words = text_of(response).replace("\xa0", " ")
        assert heading in words
        assert f'data-label="{label}"' in response.text
        if status == "expired":
            assert re.search(r"\d+ (days?|weeks?|months?) ago", words)
        if status in ("accepted", "revoked"):
            newest = max(clerk.invitations("acme", status), key=lambda row: row.created_at)
            moment = response.context["rows"][0].invitation.updated_at
            assert moment.timestamp() * 1000 == newest.updated_at
            assert f'<time datetime="{moment:%Y-%m-%dT%H:%M}' in response.text


def test_the_direction_is_told_in_words_and_by_shape(ada: Browser) -> None:
    html = ada.get(f"{LIST}?sort=role").text
    assert 'aria-sort="ascending"' in html
    assert "▲" in html
    assert "sorted in ascending order; turn round" in html
    html = ada.get(f"{LIST}?sort=-role").text
    assert 'aria-sort="descending"' in html
    assert "▼" in html


def test_each_empty_list_says_what_would_be_there(ada: Browser, clerk: Emulator) -> None:
    clerk.state.invitations.clear()
    for status, words in (
        ("pending", "No pending invitations"),
        ("expired", "No invitation has expired"),
        ("accepted", "Nobody has accepted an invitation yet"),
        ("revoked", "No invitation has been revoked"),
    ):
        response = ada.get(f"{LIST}?status={status}", target=TARGET)
        assert words in text_of(response)
        assert f"There are no {status} invitations." in text_of(response)
        assert "export/" not in response.text
        assert 'type="search"' not in response.text


def test_the_list_of_one_role_is_a_state_like_others(ada: Browser, clerk: Emulator) -> None:
    clerk.add_invitation("acme", "gone@x.org", role="org:admin", state="revoked")
    whole = ada.get(LIST)
    options = re.findall(r'<option value="(org:\w+)">', html_of(whole).partition("<table")[0])
    there = {row.role for row in clerk.invitations("acme", "pending")}
    assert {*options[-len(there) :]} == there
    page = ada.get(f"{LIST}?role=org:billing", target=TARGET)
    rows = [row.invitation.role for row in page.context["rows"]]
    assert {*rows} == {"org:billing"}
    assert '<option value="org:billing" selected>Billing</option>' in page.text
    assert f"{len(rows)} of 34 invitations match." in text_of(page)
    assert links(page.text)["org-invitations-tab-expired"].endswith(
        "?status=expired&role=org%3Abilling"
    )
    assert links(page.text)["org-invitations-search-clear"] == LIST
    assert page.context["export_url"].endswith("?role=org%3Abilling")
    none = text_of(ada.get(f"{LIST}?role=org:nothing"))
    assert "Nobody here has this role" in none
    assert "Show all 34" in none


def test_a_search_without_a_match_has_a_way_out(ada: Browser) -> None:
    response = ada.get(f"{LIST}?q=nobody-at-all&sort=role", target=TARGET)
    text = text_of(response)
    assert "Nothing here matches “nobody-at-all”" in text
    assert "0 of 34 invitations match." in text
    assert "Show all 34" in text
    assert f'href="{LIST}?sort=role"' in response.text


def test_the_search_is_announced_and_kept(ada: Browser) -> None:
    response = ada.get(f"{LIST}?q=northwind&sort=role&status=pending", target=TARGET)
    found = len(response.context["rows"])
    assert f"{found} of 34 invitations match." in text_of(response)
    assert 'name="q" value="northwind"' in html_of(response)
    assert '<input type="hidden" name="sort" value="role">' in response.text
    assert 'name="page"' not in response.text


@pytest.mark.parametrize(
    "typing",
    [{"HX-Trigger": "org-invitations-search"}, {"HX-Source": "input#org-invitations-search"}],
    ids=["htmx 2", "htmx 4"],
)
def test_who_types_keeps_the_box_and_one_entry_in_the_history(
    ada: Browser, typing: dict[str, str]
) -> None:
    typing = typing | {"HX-Current-URL": "http://testserver" + LIST}
    first = ada.get(f"{LIST}?q=no", target=TARGET, **typing)
    assert 'hx-preserve="true"' in first.text
    assert first["HX-Push-Url"] == f"{LIST}?q=no"
    typing["HX-Current-URL"] += "?q=no"
    second = ada.get(f"{LIST}?q=north&page=", target=TARGET, **typing)
    assert second["HX-Replace-Url"] == f"{LIST}?q=north"
    link = ada.get(f"{LIST}?q=north", target=TARGET)
    assert "hx-preserve" not in link.text  # whoever follows a link sees what it leads to
    assert "HX-Push-Url" not in link


def test_the_address_bar_says_what_is_shown(ada: Browser) -> None:
    response = ada.get(f"{LIST}?page=99&q=&sort=-invited", target=TARGET)
    assert response["HX-Push-Url"] == f"{LIST}?page=4"


# --- Seats ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "pending", "words"),
    [
        (50, 34, "44 of 50 seats, 34 pending"),
        (50, 1, "11 of 50 seats, 1 pending"),
        (50, 0, "10 of 50 seats"),
        (0, 34, None),
    ],
)
def test_the_seats_are_told(
    ada: Browser, clerk: Emulator, limit: int, pending: int, words: str | None
) -> None:
    for row in clerk.invitations("acme", "pending")[pending:]:
        row.state = "revoked"
    clerk.configure(organizations={"acme": {"max_allowed_memberships": limit}})
    response = ada.get(f"{LIST}?status=accepted")
    if words is None:
        assert "seats," not in text_of(response)
        assert "<meter" not in response.text
    else:
        assert words in text_of(response)
        used = 10 + pending
        assert f'<meter min="0" max="{limit}" value="{used}" aria-labelledby=' in html_of(response)


# --- Too many -----------------------------------------------------------------------------------


@pytest.fixture
def crowded(ada: Browser, clerk: Emulator) -> Browser:
    """Ada, with 1 234 pending invitations."""
    for number in range(1200):
        clerk.add_invitation("acme", f"{number:04}@filled.example", notify=False)
    return ada


def test_what_cannot_be_done_with_so_many_is_told(crowded: Browser) -> None:
    for query, words in (
        ("q=northwind", "There are too many invitations to search in; all of them are shown."),
        ("q=0007@filled.example", "only this whole address was looked for"),
        ("role=org:member", "There are too many invitations to choose those of one role"),
        ("sort=role", "There are too many invitations to sort them like this"),
    ):
        response = crowded.get(f"{LIST}?{query}", target=TARGET)
        assert words in text_of(response)
        assert response.text.count("aria-sort=") == 1
        assert response.context["page"].counts["pending"] == 1234


def test_every_page_of_so_many_can_be_seen(crowded: Browser) -> None:
    last = crowded.get(f"{LIST}?size=100&page=13")
    assert "1201–1234 of 1234" in text_of(last)
    assert shown(last)[-1] == "sofia.petrova@northwind.example"
    assert crowded.get(f"{LIST}?size=100&page=99").context["page"].number == 13
    first = crowded.get(f"{LIST}?sort=address")
    assert shown(first)[0] == "0000@filled.example"


# --- Actions, where the site has them -----------------------------------------------------------


class Stub(View):
    def get(self, request: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponse("ok")


def _with_everything() -> ModuleType:
    module = ModuleType("urls_with_everything")
    one = "<clerk_invitation_id:invitation_id>"
    stubs = [
        path(f"{one}/{name}/", Stub.as_view(), name=name) for name in ("resend", "change", "link")
    ]
    stubs.append(path("selection/", Stub.as_view(), name="selection"))
    known = [
        pattern
        for pattern in org_invitations_urls.urlpatterns
        if pattern.name not in ("resend", "change", "link", "selection")
    ]
    module.urlpatterns = [  # type: ignore[attr-defined]
        path("invitations/", include(([*known, *stubs], "org_invitations")))
    ]
    return module


@pytest.fixture
def everything() -> Iterator[None]:
    """A site with all actions."""
    with override_settings(ROOT_URLCONF=_with_everything()):
        yield


def _only_the_list() -> ModuleType:
    module = ModuleType("urls_with_little")
    known = [
        pattern
        for pattern in org_invitations_urls.urlpatterns
        if pattern.name in ("list", "invite", "session")
    ]
    module.urlpatterns = [path("invitations/", include((known, "org_invitations")))]  # type: ignore[attr-defined]
    return module


def actions(response: Any) -> set[str]:
    return set(re.findall(r'<a [^>]*href="/invitations/orginv_[^"/]+/(\w+)/', response.text))


@pytest.mark.usefixtures("everything")
def test_the_actions_fit_the_status(ada: Browser) -> None:
    for status, expected in {
        "pending": {"resend", "change", "link", "revoke"},
        "expired": {"resend"},
        "accepted": set(),
        "revoked": {"resend"},
    }.items():
        assert actions(ada.get(f"{LIST}?status={status}", target=TARGET)) == expected, status


def test_a_site_without_the_actions_shows_none(ada: Browser) -> None:
    with override_settings(ROOT_URLCONF=_only_the_list()):
        response = ada.get()
    assert actions(response) == set()
    assert "org-invitations-selection" not in response.text
    assert "Export as CSV" not in response.text
    assert len(response.context["rows"]) == 10


@pytest.mark.usefixtures("everything")
def test_every_action_names_the_person_and_brings_the_state_along(ada: Browser) -> None:
    response = ada.get(f"{LIST}?q=northwind&sort=address")
    row = response.context["rows"][0]
    address = row.invitation.email_address
    for what, words in {
        "resend": f"Resend: {address}",
        "link": f"Copy link: {address}",
        "change": f"More: {address} Resend Copy link Change role or expiry",
        "revoke": "Change role or expiry Revoke…",
    }.items():
        url = f"{LIST}{row.invitation.id}/{what}/?q=northwind&sort=address"
        assert f'href="{escape(url)}"' in response.text
        assert words in text_of(response)


@pytest.mark.usefixtures("everything")
def test_many_can_be_chosen_where_something_can_be_done_with_them(ada: Browser) -> None:
    for status, buttons in {
        "pending": ["resend", "revoke"],
        "expired": ["resend"],
        "accepted": [],
        "revoked": ["resend"],
    }.items():
        response = ada.get(f"{LIST}?status={status}", target=TARGET)
        html = html_of(response)
        assert re.findall(r'name="action" value="(\w+)"', html) == buttons
        boxes = re.findall(r'name="selected" value="(\w+)"', html)
        assert boxes == [row.invitation.id for row in response.context["rows"] if buttons]
        assert ("<legend" in html.partition("<table")[0].rpartition("<form")[2]) is bool(buttons)
        more = response.context["page"].total_count > 10
        assert ('name="all" value="on"' in html) is (more and bool(buttons))


@pytest.mark.usefixtures("everything")
def test_all_that_match_are_counted(ada: Browser) -> None:
    assert "All 34 on all pages" in text_of(ada.get())
    response = ada.get(f"{LIST}?q=e")
    assert f"All {response.context['page'].total_count} that match" in text_of(response)
    assert 'name="state" value="q=e"' in response.text
    assert "Select all 10 on this page" in response.text
    assert 'name="all"' not in ada.get(f"{LIST}?size=50").text


@pytest.mark.usefixtures("everything")
def test_all_is_not_offered_where_nobody_knows_which(crowded: Browser) -> None:
    assert 'name="all"' in crowded.get().text
    assert 'name="all"' not in crowded.get(f"{LIST}?q=northwind").text
    assert 'name="all"' not in crowded.get(f"{LIST}?role=org:member").text


@pytest.mark.usefixtures("everything")
def test_a_revocation_offers_the_way_back(ada: Browser, clerk: Emulator) -> None:
    one, other = (clerk.add_invitation("acme", f"{n}@x.org", role="org:billing") for n in "ab")
    way = f"{LIST}{one.id}/resend/?q=x"
    response = ada.post(f"{LIST}{one.id}/revoke/", {"state": "q=x"}, target=TARGET)
    assert f'href="{way}" hx-get="{way}"' in html_of(response)
    assert (
        "Invitation to a@x.org revoked. Its link no longer works. Invite again as Billing"
        in text_of(response)
    )
    response = ada.post(f"{LIST}{other.id}/revoke/", {"state": "q=x"})
    [message] = get_messages(response.wsgi_request)
    assert f'<a href="{LIST}{other.id}/resend/?q=x">Invite again as Billing</a>' in str(message)
    assert 'resend/?q=x">Invite again' in ada.get().text


@pytest.mark.usefixtures("everything")
def test_nothing_in_the_way_back_is_taken_for_html(ada: Browser, clerk: Emulator) -> None:
    row = clerk.add_invitation("acme", '"<b>x</b>"@example.com')
    ada.post(f"{LIST}{row.id}/revoke/")
    html = ada.get().text
    assert "<b>x" not in html
    assert "&lt;b&gt;x" in html


def test_what_expires_soon_can_be_seen_alone(ada: Browser, clerk: Emulator) -> None:
    for days in (1, 2, 9):
        clerk.add_invitation("acme", f"in{days}@example.com", expires_in_days=days)
    page = ada.get()
    said = re.search(r"(\d+) expire within 3 days", text_of(page))
    assert said is not None
    soon = ada.get(page.context["search"]["soon_url"])
    found = {row.invitation.email_address for row in soon.context["rows"]}
    assert len(found) == int(said[1])
    assert {"in1@example.com", "in2@example.com"} <= found
    assert "in9@example.com" not in found
    assert all(row.is_soon for row in soon.context["rows"])
    assert f"{said[1]} of 37 invitations match." in text_of(soon)
    # What is searched for then is searched for in these; another tab shows all of its own.
    assert ("soon", "1") in soon.context["search"]["fields"]
    assert all("soon" not in tab.url for tab in soon.context["tabs"])
    assert "soon" not in soon.context["search"]["clear_url"]
