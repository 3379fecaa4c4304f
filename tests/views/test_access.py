"""Who may, and for which organization."""

from __future__ import annotations

from itertools import product
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client, override_settings

from org_invitations.caching import InstanceCache
from org_invitations.emulator import Emulator
from org_invitations.identity import get_sign_in_url

from .conftest import INVITE, LIST, Browser, pending, text_of
from .inviting import press, type_in

TARGETS = [None, "org-invitations-form", "org-invitations-list", "org-invitations-dialog"]


def nothing_shown(response, clerk: Emulator) -> None:
    for organization in ("acme", "globex"):
        for row in clerk.invitations(organization):
            assert row.email_address not in response.text
            assert row.id not in response.text
    assert 'name="email_addresses"' not in response.text


# --- Nobody ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "?page=2", "invite/", "orginv_x/revoke/"])
def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(
    clerk: Emulator, client: Client, path: str
) -> None:
    response = client.get(f"{LIST}{path}")
    assert response.status_code == 303
    back = quote(f"http://testserver{LIST}{path}", safe="")
    assert response["Location"] == f"{clerk.base_url}/sign-in?redirect_url={back}"
    assert clerk.requests == []


def test_nobody_is_sent_round_for_what_signing_in_does_not_mend(
    ada: Browser, settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CLERK_AUTHORIZED_PARTIES = ["https://elsewhere.example.com"]
    response = ada.get()
    assert response.status_code == 503
    assert "its configuration needs attention" in text_of(response)
    assert "token-invalid-authorized-parties" in caplog.text


def test_what_a_handshake_left_in_the_url_is_not_handed_to_the_sign_in_page(
    clerk: Emulator,
) -> None:
    here = "https://app.example.com/invitations/?page=2&__clerk_handshake_nonce=n1"
    url = get_sign_in_url(f"{here}&__clerk_db_jwt=d1&__clerk_handshake=h1") or ""
    assert url.endswith("redirect_url=https%3A%2F%2Fapp.example.com%2Finvitations%2F%3Fpage%3D2")


@override_settings(CLERK_SIGN_IN_URL="", CLERK_PUBLISHABLE_KEY="pk_live_Y2xlcmsuZXhhbXBsZS5jb20k")
def test_without_a_setting_the_account_portal_signs_in(clerk: Emulator, client: Client) -> None:
    response = client.get(LIST)
    assert response["Location"].startswith("https://accounts.example.com/sign-in?redirect_url=")


# --- Members who may not ------------------------------------------------------------------------


def test_a_member_without_the_permission_sees_neither_list_nor_form(
    sign_in, clerk: Emulator
) -> None:
    max_ = sign_in("max@acme.test", "acme")
    for target in TARGETS:
        response = max_.get(target=target)
        assert response.status_code == 403, target
        nothing_shown(response, clerk)
        assert "Only people who manage the members" in text_of(response)


@pytest.mark.parametrize("who", ["max@acme.test", "gus@globex.test", "nora@nowhere.test"])
def test_a_hand_made_post_gets_403_and_changes_nothing(sign_in, clerk: Emulator, who: str) -> None:
    acme = clerk.organization("acme").id
    row = clerk.invitations("acme", "pending")[0]
    before = pending(clerk)
    browser: Browser = sign_in(who)
    base = f"{LIST}organizations/{acme}/"
    role = {"role": "org:member", "confirm_elevated": "on"}
    chosen = {"selected": row.id, "confirmed": "1", "batch": str(uuid4())}
    for target, (url, data) in product(
        TARGETS,
        (
            (f"{base}invite/", {"email_addresses": "new@example.com", **role}),
            (f"{base}invite/", {"email_addresses": "new@example.com b@example.com", **role}),
            (
                f"{base}check/",
                {"email_addresses": f"{row.email_address.upper()} b@example.com", **role},
            ),
            (f"{base}{row.id}/revoke/", {}),
            (f"{base}{row.id}/resend/", role),
            (f"{base}{row.id}/resend/", {"finish": "1"}),
            (f"{base}{row.id}/change/", role),
            (f"{base}selected/", {"action": "revoke", **chosen}),
            (f"{base}selected/", {"action": "resend", **chosen}),
        ),
    ):
        response = browser.post(url, data, target=target)
        # Who does not belong to the organization is not even told that there is one.
        assert response.status_code == (403 if who == "max@acme.test" else 404)
        nothing_shown(response, clerk)
    assert pending(clerk) == before
    assert not any(call.method == "POST" for call in clerk.requests)


def test_nobody_else_reads_a_link_an_outcome_or_a_file(
    ada: Browser, sign_in, clerk: Emulator
) -> None:
    acme = clerk.organization("acme").id
    row = clerk.invitations("acme", "pending")[0]
    outcome = press(ada, type_in(ada, "a@example.com nobody"))["Location"].removeprefix(LIST)
    assert outcome.startswith("outcomes/")
    paths = (
        "export/",
        f"{row.id}/revoke/",
        f"{row.id}/resend/",
        f"{row.id}/change/",
        f"{row.id}/link/",
        outcome,
        f"{outcome}?format=csv",
    )
    for who in ("max@acme.test", "gus@globex.test", "nora@nowhere.test"):
        browser: Browser = sign_in(who)
        for number, path in enumerate(paths):
            for target in TARGETS[number % 2 :: 2]:
                response = browser.get(f"{LIST}organizations/{acme}/{path}", target=target)
                assert response.status_code == (403 if who == "max@acme.test" else 404), path
                assert "a@example.com" not in response.text
                assert "ticket=" not in response.text
                nothing_shown(response, clerk)


def test_the_custom_role_that_manages_members_may(sign_in, clerk: Emulator) -> None:
    mia: Browser = sign_in("mia@acme.test", "acme")
    assert mia.get().status_code == 200
    # A member may see bills, and Mia may not: that role is not hers to give.
    assert mia.htmx_invite("new@example.com").status_code == 422
    assert pending(clerk).count("new@example.com") == 0
    given = mia.htmx_invite("new@example.com", "org:people_manager", confirm_elevated="on")
    assert given.status_code == 200
    assert "new@example.com" in pending(clerk)


def test_the_permission_is_asked_afresh_before_a_write(ada: Browser, clerk: Emulator) -> None:
    row = clerk.invitations("acme", "pending")[0]
    ada.warm()
    clerk.configure(
        memberships=[{"organization": "acme", "user": "ada@acme.test", "role": "org:member"}]
    )
    assert ada.htmx_invite("new@example.com").status_code == 403
    assert ada.post(f"{LIST}{row.id}/revoke/").status_code == 403
    assert "new@example.com" not in pending(clerk)
    assert row.email_address in pending(clerk)
    # What the write learned holds for reading, too.
    assert ada.get().status_code == 403


@pytest.mark.parametrize("flag", ["banned", "deprovisioned"])
def test_a_banned_or_deprovisioned_member_may_not(ada: Browser, clerk: Emulator, flag: str) -> None:
    clerk.configure(memberships=[{"organization": "acme", "user": "ada@acme.test", flag: True}])
    assert ada.get().status_code == 403


def test_a_removed_member_may_not(ada: Browser, clerk: Emulator) -> None:
    clerk.configure(
        memberships=[{"organization": "acme", "user": "ada@acme.test", "removed": True}]
    )
    assert ada.get().status_code == 403


def test_where_the_permission_cannot_be_asked_the_answer_is_no(
    ada: Browser, clerk: Emulator
) -> None:
    clerk.fault("GET", "*/memberships", times=None, status=500)
    response = ada.get()
    assert response.status_code == 503
    nothing_shown(response, clerk)


# --- Which organization ------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["revoke", "resend", "change", "link"])
def test_an_invitation_of_another_organization_is_not_found_by_any_way(
    ada: Browser, clerk: Emulator, action: str
) -> None:
    """By id in the path; by organization in the path, the query, a field, a header or a cookie."""
    clerk.configure(rate_limits=False)
    globex = clerk.organization("globex").id
    row = clerk.invitations("globex", "pending")[0]
    before = pending(clerk, "globex")
    ada.client.cookies["organization_id"] = globex
    ways = [
        f"{LIST}{row.id}/{action}/",
        f"{LIST}{row.id}/{action}/?organization_id={globex}&organization=globex",
        f"{LIST}organizations/{globex}/{row.id}/{action}/",
        f"{LIST}organizations/globex/{row.id}/{action}/",
        f"/teams/{globex}/invitations/{row.id}/{action}/",
        f"/teams/globex/invitations/{row.id}/{action}/",
        f"/teams/..%2F{globex}/invitations/{row.id}/{action}/",
    ]
    fields = {"organization_id": globex, "invitation_id": row.id, "role": "org:member"}
    for number, url in enumerate(ways):
        for target in TARGETS[number % 2 :: 2]:
            for response in (
                ada.get(url, target=target),
                ada.post(url, fields, target=target, Organization_Id=globex),
            ):
                assert row.email_address not in response.text
                assert "ticket=" not in response.text
                if response.status_code == 405:
                    assert action == "link"  # there is nothing to send to it
                    continue
                if response.status_code == 200:  # the list, of which it never was a part
                    assert target in ("org-invitations-list", "org-invitations-dialog")
                    assert response["HX-Retarget"] == "#org-invitations-list"
                    assert response.context["organization"].name == "Acme"
                    assert "There is no such invitation in Acme" in text_of(response)
                    continue
                assert response.status_code == 404, url
    assert pending(clerk, "globex") == before
    for url in (f"{LIST}organizations/{globex}/", f"{LIST}organizations/globex/"):
        response = ada.get(url)
        assert response.status_code == 404
        assert text_of(response) == text_of(ada.get(f"{LIST}organizations/nowhere/"))
        nothing_shown(response, clerk)
    # And a forged field does not move an invitation to another organization.
    ada.post(INVITE, {"email_addresses": "new@example.com", "role": "org:member", **fields})
    assert "new@example.com" in pending(clerk, "acme")
    assert pending(clerk, "globex") == before


def test_the_active_organization_decides_where_the_url_names_none(sign_in, clerk: Emulator) -> None:
    for organization, name in (("acme", "Acme"), ("globex", "Globex")):
        response = sign_in("bo@both.test", organization).get()
        assert response.context["organization"].name == name


@pytest.mark.parametrize("prefix", ["/invitations/organizations/{}/", "/teams/{}/invitations/"])
@pytest.mark.parametrize("by", ["id", "slug"])
def test_the_url_may_name_the_organization_by_id_or_slug(
    sign_in, clerk: Emulator, prefix: str, by: str
) -> None:
    bo: Browser = sign_in("bo@both.test", "acme")
    name = clerk.organization("globex").id if by == "id" else "globex"
    base = prefix.format(name)
    page = bo.get(base)
    assert page.context["organization"].name == "Globex"
    assert f'action="{base}invite/"' in page.text
    response = bo.post(
        f"{base}invite/", {"email_addresses": "new@example.com", "role": "org:member"}
    )
    assert (response.status_code, response["Location"]) == (303, base)
    assert "new@example.com" in pending(clerk, "globex")


def test_an_organization_that_does_not_exist_is_not_found(ada: Browser) -> None:
    assert ada.get(f"{LIST}organizations/nowhere/").status_code == 404
    assert ada.get(f"{LIST}organizations/org_nowhere/").status_code == 404


@pytest.mark.parametrize("real", ["globex", "id"])
def test_what_is_made_up_costs_what_somebody_elses_costs(
    ada: Browser, clerk: Emulator, real: str
) -> None:
    name, made_up = real, "nowhere"
    if real == "id":
        name, made_up = clerk.organization("globex").id, "org_nowhere"
    asked = []
    for one in (name, made_up):
        cache.clear()
        clerk.clear_requests()
        for _ in range(3):  # as often as one likes
            assert ada.get(f"{LIST}organizations/{one}/").status_code == 404
        asked.append([(call.method, call.path.replace(one, "x")) for call in clerk.requests])
    assert sorted(asked[0]) == sorted(asked[1])


def test_many_that_are_made_up_take_one_entry_of_the_cache(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada.warm()
    assert ada.get().status_code == 200
    warm = len(clerk.requests)
    kept: set[str] = set()
    write = InstanceCache.set

    def noted(entries: InstanceCache, name: str, value: Any, seconds: int) -> None:
        kept.add(name)
        assert len(repr(value)) < 20_000
        write(entries, name, value, seconds)

    monkeypatch.setattr(InstanceCache, "set", noted)
    for number in range(12):
        for name in (f"org_nowhere{number}", f"nowhere{number}"):
            assert ada.get(f"{LIST}organizations/{name}/").status_code == 404
    assert len(kept - {"instance_roles", "settings"}) == 2
    clerk.clear_requests()
    assert ada.get().status_code == 200
    assert len(clerk.requests) == warm


# --- Another tab ---------------------------------------------------------------------------


@pytest.fixture
def bo(sign_in, clerk: Emulator) -> Browser:
    """Bo, who opened Acme's page and has switched to Globex in another tab since."""
    browser: Browser = sign_in("bo@both.test", "globex")
    return browser


@pytest.mark.parametrize("way", ["header", "field"])
def test_a_page_made_for_another_organization_does_nothing_and_says_so(
    bo: Browser, clerk: Emulator, way: str
) -> None:
    acme = clerk.organization("acme").id
    headers = {"Org_Invitations_Organization": acme} if way == "header" else {}
    data = {"email_addresses": "new@example.com", "role": "org:member"}
    if way == "field":
        data["organization"] = acme
    response = bo.post(INVITE, data, target="org-invitations-form", **headers)
    assert response.status_code == 409
    assert response["HX-Retarget"] == "#org-invitations-alert"  # the form stays as it is
    assert "You have switched to another organization" in text_of(response)
    for organization in ("acme", "globex"):
        assert "new@example.com" not in pending(clerk, organization)
    row = clerk.invitations("globex", "pending")[0]
    response = bo.post(f"{LIST}{row.id}/revoke/", data, **headers)
    assert response.status_code == 409
    assert row.email_address in pending(clerk, "globex")


def test_without_htmx_the_form_comes_back_for_the_organization_that_is_active_now(
    bo: Browser, clerk: Emulator
) -> None:
    data = {"email_addresses": "new@example.com", "role": "org:admin"}
    response = bo.post(INVITE, {**data, "organization": clerk.organization("acme").id})
    assert response.status_code == 409
    words = text_of(response)
    assert "You have switched to Globex since this page was opened" in words
    assert "\nnew@example.com</textarea>" in response.text
    assert "new@example.com" not in pending(clerk, "globex")
    again = {**data, "organization": response.context["organization_id"], "confirm_elevated": "on"}
    assert bo.post(INVITE, again).status_code == 303
    assert "new@example.com" in pending(clerk, "globex")


def test_a_page_whose_url_names_the_organization_is_not_affected(
    bo: Browser, clerk: Emulator
) -> None:
    acme = clerk.organization("acme").id
    url = f"{LIST}organizations/{acme}/invite/"
    data = {"email_addresses": "new@example.com", "role": "org:member", "organization": acme}
    assert bo.post(url, data).status_code == 303
    assert "new@example.com" in pending(clerk, "acme")


# --- No organization ---------------------------------------------------------------------------


def test_who_manages_several_organizations_chooses(sign_in, clerk: Emulator) -> None:
    response = sign_in("bo@both.test", active=None).get()
    assert response.status_code == 200
    words = text_of(response)
    assert "Choose an organization" in words
    assert words.index("Acme") < words.index("Globex")
    for name in ("acme", "globex"):
        url = f"{LIST}organizations/{clerk.organization(name).id}/"
        assert f'href="{url}"' in response.text


def test_who_manages_one_organization_is_taken_there(sign_in, clerk: Emulator) -> None:
    response = sign_in("mia@acme.test", active=None).get()
    assert response.status_code == 303
    assert response["Location"] == f"{LIST}organizations/{clerk.organization('acme').id}/"


@pytest.mark.parametrize("who", ["nora@nowhere.test", "max@acme.test"])
def test_who_manages_none_is_told(sign_in, clerk: Emulator, who: str) -> None:
    response = sign_in(who, active=None).get()
    assert response.status_code == 403
    assert "You do not manage the members of any organization" in text_of(response)
    nothing_shown(response, clerk)


def test_a_post_without_an_organization_sends_nothing(sign_in, clerk: Emulator) -> None:
    response = sign_in("bo@both.test", active=None).invite("new@example.com")
    assert response.status_code == 403
    assert "Nothing was sent" in text_of(response)
    assert not any(call.method == "POST" for call in clerk.requests)


@pytest.mark.parametrize("active", ["acme", None])
def test_the_session_of_a_deleted_user_opens_nothing(
    sign_in, clerk: Emulator, active: str | None
) -> None:
    ada: Browser = sign_in("ada@acme.test", active=active)
    clerk.configure(users={"ada@acme.test": {"deleted": True}})
    response = ada.get()
    assert response.status_code == 403
    nothing_shown(response, clerk)


def test_an_organization_deleted_while_the_page_is_open_is_told(
    ada: Browser, clerk: Emulator
) -> None:
    row = clerk.invitations("acme", "pending")[0]
    ada.warm()
    clerk.configure(organizations={"acme": {"deleted": True}})
    for response in (
        ada.invite("new@example.com"),
        ada.post(f"{LIST}{row.id}/revoke/"),
        ada.get(f"{LIST}{row.id}/revoke/"),
    ):
        assert response.status_code == 404
        assert "no longer exists" in text_of(response)
