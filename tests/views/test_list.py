"""The page with the invitations."""

from __future__ import annotations

import re
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.test import override_settings

from org_invitations.emulator import Emulator

from .conftest import LIST, Browser, calls, html_of, pending, text_of
from .inviting import as_it_opens, filled


def test_the_newest_pending_invitations_are_shown_with_all_that_the_guide_shows(
    ada: Browser, clerk: Emulator
) -> None:
    response = ada.get()
    assert response.status_code == 200
    rows = clerk.invitations("acme", "pending")
    newest = max(rows, key=lambda row: (row.created_at, row.sequence))
    text = text_of(response)
    for heading in ("Email", "Role", "Invited by", "Invited", "Expires", "Actions"):
        assert heading in text
    assert newest.email_address in text
    assert "Acme" in text
    assert f"1–10 of {len(rows)}" in text
    assert len(re.findall(r'<tr id="org-invitation-orginv_\w+"', response.text)) == 10
    assert f"/invitations/{newest.id}/revoke/" in response.text


def test_the_form_is_as_others_take_it_to_be(ada: Browser) -> None:
    form = filled(ada.get())
    assert len(form.pop("csrfmiddlewaretoken")) == 64
    others = as_it_opens(ada)
    assert UUID(form.pop("batch")) != UUID(others.pop("batch"))
    assert form == others


def test_invitations_that_are_not_pending_are_not_listed(ada: Browser, clerk: Emulator) -> None:
    shown = "".join(ada.get(f"{LIST}?page={page}").text for page in range(1, 5))
    for row in clerk.invitations("acme"):
        is_pending = row.status(clerk.clock.now_ms()) == "pending"
        assert (f'id="org-invitation-{row.id}"' in shown) is is_pending


def test_another_organizations_invitations_are_never_listed(ada: Browser, clerk: Emulator) -> None:
    text = "".join(ada.get(f"{LIST}?page={page}").text for page in range(1, 5))
    for row in clerk.invitations("globex"):
        assert row.id not in text


def test_the_pages_lead_to_each_other_and_the_ends_are_disabled(ada: Browser) -> None:
    first, second, last = ada.get(), ada.get(f"{LIST}?page=2"), ada.get(f"{LIST}?page=4")
    assert 'href="/invitations/?page=2"' in first.text
    disabled = 'id="org-invitations-{}" class="org-invitations-button" role="link" aria-disabled'
    assert disabled.format("previous") in html_of(first)
    assert 'rel="prev" href="/invitations/"' in html_of(second)
    assert 'href="/invitations/?page=3"' in second.text
    assert disabled.format("next") in html_of(last)
    assert first.context["page"].total_count == 34
    assert "31–34 of 34" in text_of(last)


def test_a_page_number_that_is_none_shows_the_first_page(ada: Browser) -> None:
    for page in ("", "0", "-1", "x", "1e3", "²", "99999999999999999999", "1.5"):
        response = ada.get(f"{LIST}?{urlencode({'page': page})}", target="org-invitations-list")
        assert response.status_code == 200, page
        assert response.context["page"].number == 1, page


def test_a_page_beyond_the_end_shows_the_last_one(ada: Browser) -> None:
    response = ada.get(f"{LIST}?page=999999999")
    assert response.status_code == 200
    assert response.context["page"].number == 4


@override_settings(ORG_INVITATIONS_PAGE_SIZE=25)
def test_the_page_size_is_a_setting(ada: Browser) -> None:
    assert len(ada.get().context["rows"]) == 25


def test_an_empty_list_says_what_to_do(sign_in, clerk: Emulator) -> None:
    for row in clerk.invitations("globex", "pending"):
        row.state = "revoked"
    text = text_of(sign_in("gus@globex.test").get())
    assert "No pending invitations" in text
    assert "you see here who is still to answer" in text


def test_an_invitation_without_expiry_inviter_or_name_is_shown(
    ada: Browser, clerk: Emulator
) -> None:
    clerk.add_invitation("acme", "bare@example.com", expires_in_days=None, inviter=None)
    text = text_of(ada.get())
    assert "bare@example.com" in text
    assert "never" in text


def test_what_clerk_sends_is_escaped(ada: Browser, clerk: Emulator) -> None:
    clerk.add_invitation("acme", '"<script>alert(1)</script>"@example.com')
    clerk.configure(organizations={"acme": {"name": "<b>Acme</b>"}})
    html = ada.get().text
    assert "<script>alert" not in html
    assert "<b>Acme" not in html
    assert "&lt;b&gt;Acme" in html


def test_dates_are_in_the_readers_language_and_the_sites_time_zone(
    ada: Browser, clerk: Emulator
) -> None:
    row = clerk.add_invitation("acme", "late@example.com")
    row.created_at = 1_798_671_600_000  # 2026-12-30 23:00 UTC, the 31st in Berlin
    with override_settings(TIME_ZONE="Europe/Berlin"):
        html = ada.get(Accept_Language="de").text
    assert '<time datetime="2026-12-31T00:00:00+01:00">31. Dezember 2026</time>' in html
    assert '<html lang="de"' in html


@pytest.mark.parametrize("days", [1, 2, 7, 14, 30])
def test_the_period_that_was_chosen_is_shown(ada: Browser, clerk: Emulator, days: int) -> None:
    clerk.add_invitation("acme", "new@example.com", expires_in_days=days, created_ago=90)
    row = re.search(r"new@example.com.*?in (\d+ days?)\b", text_of(ada.get()))
    assert row is not None
    assert row[1] == f"{days} day{'s' if days > 1 else ''}"


@pytest.mark.parametrize("use_tz", [True, False])
def test_a_site_without_time_zones_shows_the_list_too(
    ada: Browser, clerk: Emulator, use_tz: bool
) -> None:
    clerk.add_invitation("acme", "twice@example.com", inviter="mia@acme.test")
    with override_settings(USE_TZ=use_tz, TIME_ZONE="Europe/Berlin"):
        assert "in 30 days" in text_of(ada.get())
        assert "was invited on" in text_of(ada.htmx_invite("twice@example.com"))


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
def test_odd_ids_and_times_of_clerks_break_no_page(
    ada: Browser, clerk: Emulator, zone: str
) -> None:
    row = clerk.add_invitation("acme", "edge@example.com")
    row.created_at, row.expires_at = -62_135_596_800_000, 253_402_300_799_000
    row.id = "orginv_not.one"
    clerk.state.invitations[row.id] = row
    with override_settings(TIME_ZONE=zone):
        response = ada.get(f"{LIST}?page=4")
    assert response.status_code == 200
    assert "edge@example.com" in response.text
    assert "orginv_not.one/revoke" not in response.text


def test_the_warm_page_asks_clerk_twice_and_once_where_seats_are_unlimited(
    ada: Browser, clerk: Emulator
) -> None:
    ada.warm()
    ada.get()
    acme = clerk.organization("acme").id
    assert sorted(calls(clerk)) == ["GET invitations", f"GET {acme}"]
    clerk.configure(organizations={"acme": {"max_allowed_memberships": 0}})
    ada.warm()
    ada.get()
    assert calls(clerk) == ["GET invitations"]


def test_the_list_is_never_remembered(ada: Browser, clerk: Emulator) -> None:
    ada.warm()
    clerk.add_invitation("acme", "just.now@example.com")
    assert "just.now@example.com" in ada.get().text


def test_the_answer_is_private_and_varies_with_what_htmx_asks_for(ada: Browser) -> None:
    response = ada.get()
    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]
    for header in ("HX-Request", "HX-Target", "HX-History-Restore-Request", "Cookie"):
        assert header in response["Vary"]


# --- htmx ------------------------------------------------------------------------------------


def test_htmx_gets_the_list_alone_where_the_list_is_its_target(ada: Browser) -> None:
    response = ada.get(f"{LIST}?page=2", target="org-invitations-list")
    assert response.status_code == 200
    assert response["Org-Invitations-Fragment"] == "org-invitations-list"
    assert "<html" not in response.text
    assert response.text.count('id="org-invitations-list"') == 1
    assert 'id="org-invitations-form"' not in response.text
    assert 'id="org-invitations-status" hx-swap-oob="innerHTML"' in response.text
    assert "Showing 11 to 20 of 34 pending invitations." in response.text


def test_htmx_4_names_the_target_with_its_tag(ada: Browser) -> None:
    response = ada.get(target="section#org-invitations-list")
    assert "<html" not in response.text


@pytest.mark.parametrize(
    "headers",
    [
        {"HX-Request": "true"},
        {"HX-Request": "true", "HX-Target": "main"},
        {"HX-Request": "true", "HX-Boosted": "true", "HX-Target": "main"},
        {
            "HX-Request": "true",
            "HX-Target": "org-invitations-list",
            "HX-History-Restore-Request": "true",
        },
        {"HX-Target": "org-invitations-list"},
    ],
)
def test_every_other_request_gets_the_whole_page(ada: Browser, headers: dict[str, str]) -> None:
    response = ada.client.get(LIST, headers=headers)
    assert "<html" in response.text
    assert "Org-Invitations-Fragment" not in response


# --- When Clerk is in trouble --------------------------------------------------------------------


def test_an_outage_of_the_list_leaves_the_form_and_says_so(ada: Browser, clerk: Emulator) -> None:
    ada.warm()
    clerk.fault("GET", "*/invitations", times=None, status=503)
    response = ada.get()
    assert response.status_code == 200
    assert "The invitations could not be loaded" in text_of(response)
    assert 'name="email_addresses"' in response.text


def test_htmx_keeps_its_rows_during_an_outage(ada: Browser, clerk: Emulator) -> None:
    ada.warm()
    clerk.fault("GET", "*/invitations", times=None, status=503)
    response = ada.get(f"{LIST}?page=2", target="org-invitations-list")
    assert response.status_code == 503
    assert response["HX-Retarget"] == "#org-invitations-alert"
    assert response["Org-Invitations-Fragment"] == "org-invitations-alert"
    assert "could not be loaded" in response.text
    assert "<table" not in response.text


def test_a_rate_limit_says_when_to_try_again(ada: Browser, clerk: Emulator) -> None:
    ada.warm()
    clerk.configure(rate_limits={"requests": 0})
    response = ada.get(target="org-invitations-list")
    assert response.status_code == 503
    assert 0 < int(response["Retry-After"]) <= 10
    assert "second" in text_of(response)


def test_without_the_membership_nothing_is_shown(ada: Browser, clerk: Emulator) -> None:
    clerk.fault("GET", "*/memberships", times=None, status=500)
    response = ada.get()
    assert response.status_code == 503
    assert "could not be loaded" in text_of(response)
    for address in pending(clerk):
        assert address not in response.text


def test_without_roles_the_list_is_shown_and_the_form_says_why_it_cannot_be_used(
    ada: Browser, clerk: Emulator
) -> None:
    clerk.fault("GET", "/v1/role_sets/*", times=None, status=500)
    response = ada.get()
    assert response.status_code == 200
    assert "The roles could not be loaded" in text_of(response)
    assert len(response.context["rows"]) == 10


def test_during_a_role_migration_the_select_is_locked_with_an_explanation(
    ada: Browser, clerk: Emulator
) -> None:
    clerk.configure(role_migrations={"role_set:default": True})
    response = ada.get()
    assert response.context["form"].fields["role"].disabled
    assert "Roles are being changed in this organization" in text_of(response)


def test_an_organization_that_has_just_been_deleted_is_not_found(
    ada: Browser, clerk: Emulator
) -> None:
    ada.warm()
    clerk.configure(organizations={"acme": {"deleted": True}})
    for _ in ("remembered", "forgotten"):
        response = ada.get()
        assert response.status_code == 404
        assert "no longer exists" in text_of(response)
