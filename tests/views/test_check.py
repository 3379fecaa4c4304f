"""The check by itself: what would become of each address, and nobody is invited."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from org_invitations.emulator import Emulator
from org_invitations.models import Batch

from .conftest import INVITE, LIST, Browser, calls, html_of, text_of
from .inviting import (
    a_file,
    as_it_opens,
    filled,
    forget,
    many,
    posts,
    press,
    review_of,
    seats,
    states_of,
)

CHECK = "/invitations/check/"
PLACE = "org-invitations-check"


def check(ada: Browser, text: str = "", *, htmx: bool = True, **more: Any) -> Any:
    data = {"email_addresses": text, "role": "org:member"} | more
    return ada.post(CHECK, data, target=PLACE if htmx else None)


def check_first(ada: Browser, text: str = "", **more: Any) -> Any:
    """Fill in the form on the page and press "Check first"."""
    form = as_it_opens(ada) | {"email_addresses": text, "role": "org:member"} | more
    return ada.post(CHECK, form)


# --- As it is typed ------------------------------------------------------------------------------


def test_as_somebody_types_the_check_comes_as_a_fragment(ada: Browser, clerk: Emulator) -> None:
    response = check(ada, "one@example.com max@acme.test")
    assert response.status_code == 200
    assert response["Org-Invitations-Fragment"] == PLACE
    html, words = html_of(response), text_of(response)
    assert "<html" not in html
    assert "<form" not in html
    assert "1 will be sent. 1 needs nothing." in words
    assert "Already a member (Member)." in words
    # What is announced, and what the button says, are swapped in beside it.
    assert re.search(r'<p id="org-invitations-check-summary" hx-swap-oob="innerHTML">1 will', html)
    assert re.search(r'id="org-invitations-submit-label"[^>]*>Send 1 invitation<', html)
    assert posts(clerk) == []
    assert Batch.objects.count() == 0


def test_what_was_checked_as_it_was_typed_goes_with_one_press(
    ada: Browser, clerk: Emulator
) -> None:
    form = as_it_opens(ada)
    form["email_addresses"] = " ".join(many(2))
    found = re.search(r'name="reviewed" value="(\w+)"', check(ada, form["email_addresses"]).text)
    assert found is not None
    sent = ada.post(INVITE, form | {"reviewed": found[1]})
    assert set(states_of(sent).values()) == {"done"}


def test_what_is_typed_after_the_check_is_not_sent_unseen(ada: Browser, clerk: Emulator) -> None:
    found = re.search(r'name="reviewed" value="(\w+)"', check(ada, " ".join(many(2))).text)
    assert found is not None
    ada.invite(" ".join(many(3)), reviewed=found[1])
    assert posts(clerk) == []


def test_nobody_is_bothered_while_the_first_address_is_half_typed(ada: Browser) -> None:
    for text in ("", " ", "n", "new@", "new@example"):
        response = check(ada, text)
        assert response.status_code == 200
        assert "Check before sending" not in response.text
        assert "is not an email address" not in response.text
        assert "Send invitation<" in html_of(response)


@pytest.mark.parametrize("text", ["", "n", "new@example", "nobody; at home", "a@b@c d@"])
def test_without_an_address_nothing_is_asked_of_clerk(
    ada: Browser, clerk: Emulator, text: str
) -> None:
    ada.warm()
    check(ada, text)
    assert calls(clerk) == []


@pytest.mark.parametrize("count", [1, 2, 100])
def test_up_to_a_hundred_cost_three_calls(ada: Browser, clerk: Emulator, count: int) -> None:
    ada.warm()
    check(ada, "\n".join(many(count)))
    acme = clerk.organization("acme").id
    assert sorted(calls(clerk)) == ["GET invitations", "GET memberships", f"GET {acme}"]


def test_the_check_speaks_of_the_role_that_is_chosen_at_the_moment(ada: Browser) -> None:
    assert "Billing" in text_of(check(ada, " ".join(many(2)), role="org:billing"))
    # Without one it still tells who cannot be invited at all.
    words = text_of(check(ada, "one@example.com max@acme.test", role=""))
    assert "1 will be sent. 1 needs nothing." in words


def test_the_seats_are_counted(ada: Browser, clerk: Emulator) -> None:
    seats(clerk, 1)
    words = text_of(check(ada, " ".join(many(3))))
    assert "2 to fix. 1 will be sent. Only 1 seat is left." in words


def test_a_file_is_checked_and_put_into_the_field(ada: Browser, clerk: Emulator) -> None:
    response = check(ada, "zero@example.com", file=a_file("Email,Role\none@example.com,Billing\n"))
    html = response.text
    assert "2 will be sent." in text_of(response)
    # Both fields are swapped: the text with what was in the file, the file without it.
    typed = re.search(
        r"<textarea[^>]*hx-swap-oob=\"outerHTML\"[^>]*>(.*?)</textarea>", html, re.DOTALL
    )
    assert typed is not None
    assert "zero@example.com" in typed[1]
    assert "one@example.com\tBilling" in typed[1]
    assert re.search(r'<input type="file"[^>]*hx-swap-oob="outerHTML"', html)
    # And the next check, which is of text alone, finds the same.
    again = check(ada, typed[1].strip())
    digests = [re.findall(r'name="reviewed" value="(\w+)"', r.text) for r in (response, again)]
    assert digests[0] == digests[1] != []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04" + bytes(range(256)) * 40, "This file cannot be read"),
        (b"a@example.com\n" * 10_001, "There are more than 10,000 rows"),
        (b"a@example.com\n" * 400_000, "The file is larger than 5 MB."),
    ],
)
@pytest.mark.parametrize("htmx", [True, False])
def test_a_file_that_cannot_be_used_is_told(
    ada: Browser, content: bytes, words: str, htmx: bool
) -> None:
    response = check(ada, "one@example.com", file=a_file(content), htmx=htmx)
    assert response.status_code == (200 if htmx else 422)
    assert words in text_of(response)
    # The text is left as it is, or comes back.
    assert ("one@example.com" in response.text) is not htmx


# --- On request, without JavaScript --------------------------------------------------------------


def test_without_javascript_it_is_a_step_of_its_own(ada: Browser, clerk: Emulator) -> None:
    text = "one@example.com\nmax@acme.test\nnobody at home"
    checked = review_of(check_first(ada, text, role="org:billing", expires_in_days="7"))
    assert "<html" in checked.text
    assert "1 to fix. 1 will be sent. 1 needs nothing." in text_of(checked)
    # The heading has the focus, and nothing is called a mistake.
    assert re.search(r'<h3 id="org-invitations-check-title"[^>]* autofocus', html_of(checked))
    assert "Nothing was sent" not in checked.text
    assert 'id="org-invitations-list"' in checked.text
    back = filled(checked)
    assert back["email_addresses"] == text.replace("\n", "\r\n")
    assert (back["role"], back["expires_in_days"]) == ("org:billing", "7")
    assert posts(clerk) == []
    sent = press(ada, checked)
    assert states_of(sent)["one@example.com"] == "done"


def test_a_single_address_can_be_checked_too(ada: Browser, clerk: Emulator) -> None:
    checked = review_of(check_first(ada, "one@example.com"))
    assert "Send invitation" in text_of(checked)
    assert press(ada, checked)["Location"] == LIST


def test_without_a_role_or_tick_the_check_is_no_mistake_yet(ada: Browser) -> None:
    for role in ("", "org:admin"):
        checked = review_of(check_first(ada, "one@example.com two@example.com", role=role))
        assert not checked.context["form"].errors


def test_an_empty_field_is_told(ada: Browser) -> None:
    response = check_first(ada, "")
    assert response.status_code == 422
    assert "Enter the email address of the person to invite." in text_of(response)
    assert response.context["review"] is None


def test_the_check_of_the_organization_in_the_url_is_of_that_one(sign_in: Any) -> None:
    bo = sign_in("bo@both.test", "acme")
    url = "/invitations/organizations/globex/check/"
    data = {"email_addresses": "gus@globex.test max@acme.test", "role": "org:member"}
    words = text_of(bo.post(url, data, target=PLACE))
    assert "1 will be sent. 1 needs nothing." in words


# --- Who may, and what if Clerk is not there -----------------------------------------------------


@pytest.mark.parametrize("htmx", [True, False])
def test_who_may_not_manage_members_learns_nothing(sign_in: Any, htmx: bool) -> None:
    response = check(sign_in("max@acme.test"), "one@example.com mia@acme.test", htmx=htmx)
    assert response.status_code == 403
    assert "member (" not in response.text
    assert "can be invited" not in response.text


def test_a_check_without_csrf_token_is_refused(clerk: Emulator, clerk_sign_in: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    clerk_sign_in(client, "ada@acme.test")
    data = {"email_addresses": "one@example.com", "role": "org:member"}
    assert client.post(CHECK, data).status_code == 403


def test_when_the_session_has_ended_the_check_renews_it(sign_in: Any, clerk: Emulator) -> None:
    ada = sign_in("ada@acme.test", issued_ago=90)
    response = check(ada, "one@example.com two@example.com")
    assert response.status_code == 401
    assert response["Org-Invitations-Renew"].endswith("/session/")
    assert calls(clerk) == []


def test_when_the_session_has_ended_the_form_comes_back_with_all_that_was_typed(
    sign_in: Any, clerk: Emulator
) -> None:
    ada = sign_in("ada@acme.test", issued_ago=90)
    response = check(
        ada, "one@example.com two@example.com", htmx=False, role="org:billing", no_email="on"
    )
    assert response.status_code == 401
    assert "nothing is lost" in text_of(response)
    back = filled(response)
    assert back["email_addresses"] == "one@example.com two@example.com"
    assert (back["role"], back["no_email"]) == ("org:billing", "on")


def test_a_check_for_another_organization_is_not_made(sign_in: Any, clerk: Emulator) -> None:
    bo = sign_in("bo@both.test", "globex")
    acme = clerk.organization("acme").id
    text = "one@example.com two@example.com"
    response = check(bo, text, organization=acme)
    assert response.status_code == 409
    assert "can be invited" not in text_of(response)
    page = check(bo, text, organization=acme, htmx=False)
    assert page.status_code == 409
    assert "You have switched to Globex" in text_of(page)
    assert filled(page)["email_addresses"] == text
    assert filled(page)["organization"] == clerk.organization("globex").id


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ({"drop": "before"}, 503, "because Clerk did not answer"),
        ({"status": 500}, 503, "because Clerk did not answer"),
        ({"status": 429, "headers": {"Retry-After": "9"}, "body": "{}"}, 429, "in 9 seconds"),
        ({"status": 429, "body": "{}"}, 429, "in a while"),
        ({"status": 401}, 503, "its configuration needs attention"),
        ({"status": 403}, 503, "Clerk refused that (403)"),
    ],
)
def test_a_check_that_could_not_be_made_says_so_in_the_place_of_the_one_before(
    ada: Browser, clerk: Emulator, fault: dict[str, Any], status: int, words: str
) -> None:
    forget()
    clerk.fault(None, "/v1/*", times=None, **fault)
    response = check(ada, "one@example.com two@example.com")
    assert response.status_code == status
    # Swapped in by the script whatever its status, so that nothing of another check stays.
    assert response["Org-Invitations-Fragment"] == PLACE
    assert "HX-Retarget" not in response
    said = text_of(response)
    assert words in said
    summary = response.text.partition('id="org-invitations-check-summary"')[2]
    assert words in summary.partition("</p>")[0]  # and announced
    assert "2 will be sent" not in said
    assert 'name="reviewed"' not in response.text


def test_when_clerk_cannot_be_reached_who_asked_for_the_check_is_told(
    ada: Browser, clerk: Emulator
) -> None:
    form = as_it_opens(ada) | {"email_addresses": " ".join(many(2)), "role": "org:billing"}
    forget()
    clerk.fault(None, "/v1/*", times=None, drop="before")
    response = ada.post(CHECK, form)
    assert response.status_code == 503
    back = filled(response)
    assert (back["email_addresses"], back["role"]) == (" ".join(many(2)), "org:billing")


@pytest.mark.parametrize("htmx", [True, False])
def test_what_could_not_be_asked_is_said_to_be_unknown(
    ada: Browser, clerk: Emulator, htmx: bool
) -> None:
    ada.warm()
    clerk.fault("GET", "*/memberships", status=500)
    response = check(ada, "one@example.com max@acme.test", htmx=htmx)
    assert response.status_code == 200
    words = text_of(response)
    assert "Clerk could not be asked about all of these" in words
    assert "It is not known whether 2 can be invited." in words
    assert "Not known whether they can be invited" in words
    assert "2 will be sent. " not in words.replace("whether 2 can be invited. ", "")
    assert "Will be sent" not in words


def test_what_is_known_all_the_same_is_not_said_to_be_unknown(
    ada: Browser, clerk: Emulator
) -> None:
    ada.warm()
    row = clerk.invitations("acme", "pending")[0]
    clerk.fault("GET", "*/memberships", status=500)
    words = text_of(check(ada, f"one@example.com {row.email_address} nobody"))
    assert "It is not known whether 1 can be invited." in words
    assert "1 to fix." in words
    assert "1 needs nothing." in words


def test_where_a_site_leaves_the_check_out_the_form_does_without(
    ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    from org_invitations.views import InvitationListView

    find_url = InvitationListView._find_url
    monkeypatch.setattr(
        InvitationListView,
        "_find_url",
        lambda view, name, **kwargs: "" if name == "check" else find_url(view, name, **kwargs),
    )
    html = ada.get().text
    assert "Check first" not in html
    assert "/check/" not in html
