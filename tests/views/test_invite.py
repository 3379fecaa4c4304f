"""Inviting somebody."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client, override_settings

from org_invitations.clerk import InvitationStatus
from org_invitations.clerk.marks import get_mark
from org_invitations.emulator import Emulator
from org_invitations.forms import InviteForm
from org_invitations.models import Batch, BatchItem
from org_invitations.services import InvitationQuery, InvitationService

from .conftest import INVITE, LIST, Browser, calls, html_of, pending, text_of
from .inviting import filled, lose_rights


def test_without_htmx_the_answer_is_a_redirect_to_the_list_with_a_message(
    ada: Browser, clerk: Emulator
) -> None:
    response = ada.invite("new@example.com")
    assert response.status_code == 303
    assert response["Location"] == LIST
    assert "new@example.com" in pending(clerk)
    assert [str(message) for message in get_messages(response.wsgi_request)] == [
        "Invitation sent to new@example.com as Member."
    ]
    page = ada.get()
    assert "Invitation sent to new@example.com as Member." in text_of(page)
    assert "new@example.com" in page.text


def test_with_htmx_the_form_is_cleared_and_the_list_comes_along(
    ada: Browser, clerk: Emulator
) -> None:
    response = ada.htmx_invite("new@example.com")
    assert response.status_code == 200
    assert response["Org-Invitations-Fragment"] == "org-invitations-form"
    html = response.text
    assert "<html" not in html
    assert 'id="org-invitations-list"' in html
    assert 'hx-swap-oob="outerHTML"' in html
    assert response["HX-Replace-Url"] == LIST
    assert "new@example.com" in html
    assert "\nnew@example.com</textarea>" not in html
    assert "Invitation sent to new@example.com as Member." in html
    assert "new@example.com" in pending(clerk)
    # Nothing is left over that would pop up on the next page.
    assert "Invitation sent" not in ada.get().text


def test_the_invitation_names_its_inviter_and_the_sites_wishes(
    ada: Browser, clerk: Emulator
) -> None:
    with override_settings(
        ORG_INVITATIONS_REDIRECT_URL="https://app.example.com/welcome",
        ORG_INVITATIONS_EXPIRES_IN_DAYS=7,
    ):
        ada.invite("new@example.com", "org:billing")
    sent = next(call.body for call in clerk.requests if call.method == "POST")
    assert get_mark(sent.pop("private_metadata"))
    assert sent == {
        "email_address": "new@example.com",
        "role": "org:billing",
        "inviter_user_id": clerk.user("ada@acme.test").id,
        "redirect_url": "https://app.example.com/welcome",
        "expires_in_days": 7,
    }


def test_a_site_may_add_what_clerk_is_to_know_of_an_invitation(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_options = InviteForm.get_options
    chosen = {"notify": False, "expires_in_days": 3, "team": "dock"}

    def get_metadata(service: InvitationService, batch: Batch, item: BatchItem) -> dict[str, Any]:
        return {"public_metadata": {"team": batch.options["team"], "who": item.email_address}}

    monkeypatch.setattr(InviteForm, "get_options", lambda form: get_options(form) | chosen)
    monkeypatch.setattr(InvitationService, "get_metadata", get_metadata)
    ada.invite("new@example.com")
    sent = next(call.body for call in clerk.requests if call.method == "POST")
    assert (sent["notify"], sent["expires_in_days"]) == (False, 3)
    assert sent["public_metadata"] == {"team": "dock", "who": "new@example.com"}


@pytest.mark.parametrize("htmx", [True, False])
def test_where_a_sites_metadata_fail_it_is_not_sent_and_what_was_typed_comes_back(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch, htmx: bool
) -> None:
    def get_metadata(*_: Any) -> dict[str, Any]:
        raise LookupError("no such team")

    monkeypatch.setattr(InvitationService, "get_metadata", get_metadata)
    response = (ada.htmx_invite if htmx else ada.invite)("new@example.com")
    assert response.status_code == 503
    assert "new@example.com: This site could not put together what goes" in text_of(response)
    assert filled(response)["email_addresses"] == "new@example.com"
    assert BatchItem.objects.get().state == "failed"
    assert "new@example.com" not in pending(clerk)


@pytest.mark.parametrize("htmx", [True, False])
def test_an_invitation_costs_two_calls_and_the_list_after_it_two(
    ada: Browser, clerk: Emulator, htmx: bool
) -> None:
    ada.warm()
    if htmx:
        ada.htmx_invite("new@example.com")
    else:
        ada.invite("new@example.com")
        ada.get()
    acme = clerk.organization("acme").id
    asked = calls(clerk)
    assert asked[:2] == ["GET memberships", "POST invitations"]
    # Acme's seats are limited, so they are counted anew with the list, at the same time.
    assert sorted(asked[2:]) == ["GET invitations", f"GET {acme}"]


def test_the_page_with_the_form_open_has_a_url(ada: Browser) -> None:
    assert '<details class="org-invitations-invite" data-open' in html_of(ada.get(LIST))
    page = ada.get(f"{INVITE}?status=expired&page=2")
    assert page.status_code == 200
    assert '<details class="org-invitations-invite" open' in html_of(page)
    assert page.context["page"].query == InvitationQuery(InvitationStatus.EXPIRED, page=2)
    # A check that is reloaded leads there.
    response = ada.get("/invitations/check/")
    assert (response.status_code, response["Location"]) == (303, INVITE)


def test_sending_twice_invites_once(ada: Browser, clerk: Emulator) -> None:
    ada.htmx_invite("new@example.com")
    response = ada.htmx_invite("new@example.com")
    assert response.status_code == 422
    assert pending(clerk).count("new@example.com") == 1


@pytest.mark.parametrize("with_middleware", [True, False])
def test_a_post_without_csrf_token_changes_nothing(
    clerk: Emulator, clerk_sign_in, settings, with_middleware: bool
) -> None:
    settings.MIDDLEWARE = [
        name for name in settings.MIDDLEWARE if with_middleware or "csrf" not in name
    ]
    client = Client(enforce_csrf_checks=True)
    clerk_sign_in(client, "ada@acme.test")
    response = client.post(INVITE, {"email_addresses": "new@example.com", "role": "org:member"})
    assert response.status_code == 403
    assert "new@example.com" not in pending(clerk)


def test_the_domain_goes_out_in_small_letters(ada: Browser, clerk: Emulator) -> None:
    ada.invite("Ana.Silva@EXAMPLE.com")
    assert "Ana.Silva@example.com" in pending(clerk)


# --- Input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("htmx", [True, False])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"email_addresses": "", "role": "org:member"}, "Enter the email address"),
        ({"email_addresses": "not an address", "role": "org:member"}, "is not an email address"),
        ({"email_addresses": "a@example.com", "role": ""}, "Choose a role"),
        ({"email_addresses": "a@example.com"}, "Choose a role"),
        ({"email_addresses": "a@example.com", "role": "org:nonsense"}, "cannot be assigned here"),
        # A role of the instance that Acme's role set does not have.
        ({"email_addresses": "a@example.com", "role": "org:auditor"}, "cannot be assigned here"),
    ],
)
def test_invalid_input_comes_back_with_the_reason_and_all_that_was_typed(
    ada: Browser, clerk: Emulator, data: dict[str, str], message: str, htmx: bool
) -> None:
    response = ada.post(INVITE, data, target="org-invitations-form" if htmx else None)
    assert response.status_code == 422
    assert message in text_of(response)
    assert f"\n{data['email_addresses']}</textarea>" in response.text
    assert ("<html" in response.text) is not htmx
    assert 'role="alert"' in response.text
    assert not any(call.method == "POST" for call in clerk.requests)


def test_the_field_in_error_is_tied_to_its_message(ada: Browser) -> None:
    html = ada.htmx_invite("nobody").text
    assert 'aria-invalid="true"' in html
    name = "id_org_invitations_email_addresses"
    assert f'aria-describedby="{name}_helptext {name}_error"' in html
    assert 'id="id_org_invitations_email_addresses_error"' in html
    assert 'href="#id_org_invitations_email_addresses"' in html


# --- Refusals of Clerk's -------------------------------------------------------------------------


def refused(browser: Browser, address: str, role: str = "org:member") -> str:
    """Try to invite; return the words of the refusal, with what was typed made sure of."""
    response = browser.htmx_invite(address, role)
    assert response.status_code == 422, text_of(response)
    assert f"\n{address}</textarea>" in response.text
    assert f'<option value="{role}" selected' in response.text
    return text_of(response)


@pytest.mark.parametrize("code", ["duplicate_record", "organization_invitation_not_unique"])
def test_an_address_invited_before_is_told_with_when_and_by_whom(
    ada: Browser, clerk: Emulator, code: str
) -> None:
    clerk.configure(single_duplicate_code=code)
    clerk.add_invitation("acme", "twice@example.com", inviter="mia@acme.test", role="org:billing")
    words = refused(ada, "Twice@example.com")
    assert "twice@example.com was invited on" in words
    assert "by Mia" in words
    assert "as Billing" in words


def test_an_address_invited_before_is_told_where_nothing_more_can_be_asked(
    ada: Browser, clerk: Emulator
) -> None:
    clerk.add_invitation("acme", "twice@example.com", inviter="mia@acme.test")
    clerk.fault("GET", "*/invitations", status=500)
    words = refused(ada, "twice@example.com")
    assert "twice@example.com already has a pending invitation." in words


def test_a_member_is_told_to_be_one(ada: Browser) -> None:
    assert "max@acme.test is already a member of Acme." in refused(ada, "max@acme.test")


def test_a_blocked_address_is_told(ada: Browser, clerk: Emulator) -> None:
    clerk.configure(blocked_domains=["blocked.example"])
    assert "does not accept the address a@blocked.example" in refused(ada, "a@blocked.example")


@pytest.mark.parametrize("error", ["organization_membership_quota_exceeded", "insufficient_seats"])
def test_a_full_organization_is_told(ada: Browser, clerk: Emulator, error: str) -> None:
    clerk.configure(quota_error=error, organizations={"acme": {"max_allowed_memberships": 5}})
    assert "Acme has no seat left" in refused(ada, "new@example.com")


@pytest.mark.parametrize("error", ["resource_not_found", "form_param_value_invalid"])
def test_a_role_that_has_just_gone_is_told_beside_the_role(
    ada: Browser, clerk: Emulator, error: str
) -> None:
    ada.warm()  # the site remembers a role set that Clerk changes a moment later
    clerk.configure(role_error=error, organizations={"acme": {"role_set_key": "role_set:crew"}})
    response = ada.htmx_invite("new@example.com", "org:people_manager", confirm_elevated="on")
    assert response.status_code == 422
    assert [call.method for call in clerk.requests].count("POST") == 1  # it is Clerk that refuses
    assert response.context["form"].errors.keys() == {"role"}
    assert "\nnew@example.com</textarea>" in response.text


def test_a_migration_that_has_just_begun_is_told(ada: Browser, clerk: Emulator) -> None:
    ada.warm()
    clerk.configure(role_migrations={"role_set:default": True})
    assert "Roles are being changed in Acme" in refused(ada, "new@example.com")


def test_an_unknown_refusal_is_shown_in_clerks_words_and_escaped(
    ada: Browser, clerk: Emulator
) -> None:
    clerk.fault(
        "POST",
        "*/invitations",
        status=422,
        body={"errors": [{"code": "brand_new", "message": "m", "long_message": "<i>Because</i>"}]},
    )
    response = ada.htmx_invite("new@example.com")
    assert response.status_code == 422
    assert "Clerk refused this: &lt;i&gt;Because&lt;/i&gt;" in response.text


@pytest.mark.parametrize("htmx", [True, False])
def test_the_hourly_limit_says_when_to_try_again(ada: Browser, clerk: Emulator, htmx: bool) -> None:
    clerk.configure(rate_limits={"single": 0})
    response = ada.invite("new@example.com", target="org-invitations-form" if htmx else None)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "Try again in" in text_of(response)
    assert "\nnew@example.com</textarea>" in response.text


@pytest.mark.parametrize("htmx", [True, False])
@pytest.mark.parametrize(
    ("left", "status", "words"),
    [
        (["org:sys_memberships:manage"], 422, "it may do more than you may"),
        (["org:reports:read"], 403, "You may no longer manage the members"),
    ],
)
def test_rights_that_went_while_the_form_was_checked_are_noticed(
    ada: Browser,
    clerk: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    left: list[str],
    status: int,
    words: str,
    htmx: bool,
) -> None:
    ada.warm()
    lose_rights(clerk, monkeypatch, left)
    response = ada.invite("new@example.com", target="org-invitations-form" if htmx else None)
    assert response.status_code == status
    assert words in text_of(response)
    assert not any(call.method == "POST" for call in clerk.requests)


# --- Faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "invited"),
    [
        ({"drop": "after"}, True),
        ({"drop": "before"}, False),
        ({"status": 500}, False),
        ({"status": 502, "body": "<html>Bad gateway</html>"}, False),
        ({"status": 500, "write": True}, True),
        ({"garbage": "truncated"}, True),
        ({"garbage": "html"}, True),
        ({"garbage": "empty"}, True),
    ],
)
def test_a_lost_answer_is_settled_by_asking(
    ada: Browser, clerk: Emulator, fault: dict[str, object], invited: bool
) -> None:
    clerk.fault("POST", "*/invitations", **fault)
    response = ada.htmx_invite("new@example.com")
    assert ("new@example.com" in pending(clerk)) is invited
    if invited:
        assert response.status_code == 200
        assert "Invitation sent to new@example.com" in text_of(response)
    else:
        assert response.status_code == 503
        sure = fault.get("status") == 500  # Clerk has finished, and shows nothing
        words = "We made sure that nothing was changed" if sure else "it may still appear"
        assert words in text_of(response)
        assert "\nnew@example.com</textarea>" in response.text
    assert [call.method for call in clerk.requests].count("POST") == 1


def test_an_answer_that_comes_too_late_is_settled_by_asking(ada: Browser, clerk: Emulator) -> None:
    clerk.fault("POST", "*/invitations", delay=60)
    response = ada.htmx_invite("new@example.com")
    assert response.status_code == 200
    assert "Invitation sent" in text_of(response)


def test_where_nobody_can_tell_it_says_so_and_that_trying_again_is_safe(
    ada: Browser, clerk: Emulator
) -> None:
    ada.warm()
    clerk.fault("POST", "*/invitations", drop="after")
    clerk.fault("GET", "*/invitations", times=None, drop="before")
    response = ada.htmx_invite("new@example.com")
    assert response.status_code == 503
    assert f'href="{LIST}outcomes/{BatchItem.objects.get().batch_id}/"' in response.text
    words = text_of(response)
    assert "we do not know whether the invitation to new@example.com went out" in words
    assert "Trying again is safe" in words
    assert "\nnew@example.com</textarea>" in response.text


@pytest.mark.parametrize("htmx", [True, False])
@pytest.mark.parametrize("warm", [True, False])
def test_when_nothing_can_be_asked_all_that_was_typed_comes_back(
    ada: Browser, clerk: Emulator, htmx: bool, warm: bool
) -> None:
    if warm:
        ada.warm()
    clerk.fault(None, "/v1/*", times=None, drop="before")
    response = ada.invite(
        "new@example.com", "org:billing", target="org-invitations-form" if htmx else None
    )
    assert response.status_code == 503
    assert "\nnew@example.com</textarea>" in response.text
    assert '<option value="org:billing" selected' in response.text
    assert ("<html" in response.text) is not htmx


def test_where_the_roles_cannot_be_had_nothing_is_sent_or_lost(
    ada: Browser, clerk: Emulator
) -> None:
    clerk.fault("GET", "/v1/role_sets/*", times=None, status=500)
    response = ada.htmx_invite("new@example.com", "org:billing")
    assert response.status_code == 503
    assert "The roles could not be loaded" in text_of(response)
    assert "\nnew@example.com</textarea>" in response.text
    assert '<option value="org:billing" selected' in response.text
    assert "new@example.com" not in pending(clerk)


def test_the_list_may_fail_after_the_invitation_went_out(ada: Browser, clerk: Emulator) -> None:
    ada.warm()
    clerk.fault("GET", "*/invitations", times=None, status=503)
    response = ada.htmx_invite("new@example.com")
    assert response.status_code == 200
    words = text_of(response)
    assert "Invitation sent to new@example.com" in words
    assert "The invitations could not be loaded" in words
