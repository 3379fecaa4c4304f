"""Inviting out of a file, each with their role."""

from __future__ import annotations

from typing import Any

import pytest

from org_invitations.emulator import Emulator
from org_invitations.models import Batch
from tests.leases import is_leased

from .conftest import INVITE, Browser, calls, text_of
from .inviting import (
    BULK,
    DONE,
    FORM,
    REFUSED,
    a_file,
    filled,
    forget,
    items_of,
    lose_rights,
    many,
    posts,
    press,
    review_of,
    sent_bodies,
    states_of,
    type_in,
)


@pytest.fixture(params=[None, FORM], ids=["page", "htmx"])
def target(request: pytest.FixtureRequest) -> Any:
    """Without JavaScript, and with htmx."""
    return request.param


# --- Roles ---------------------------------------------------------------------------------------

ROLES = """Name,Email,Role
One,one@example.com,Billing
Two,two@example.com,
Three,three@example.com,org:admin
"""


def test_a_file_gives_each_their_role_and_the_others_get_the_chosen_one(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    checked = review_of(type_in(ada, file=a_file(ROLES), confirm_elevated="on", target=target))
    sent = press(ada, checked, target=target)
    assert {item.email_address: item.role for item in items_of(sent)} == {
        "one@example.com": "org:billing",
        "two@example.com": "org:member",
        "three@example.com": "org:admin",
    }
    assert {body["email_address"]: body["role"] for body in sent_bodies(clerk)} == {
        "one@example.com": "org:billing",
        "two@example.com": "org:member",
        "three@example.com": "org:admin",
    }


def test_a_role_of_weight_in_a_file_needs_the_tick(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    asked = type_in(ada, file=a_file(ROLES), target=target)
    assert asked.status_code == 422
    assert "The role Admin may manage members" in text_of(asked)
    # The check is there already: with the tick it can go.
    sent = press(ada, asked, target=target, confirm_elevated="on")
    assert set(states_of(sent).values()) == {DONE}


@pytest.mark.parametrize("row", ["x@example.com,Pirate", "x@example.com,org:pirate"])
def test_a_role_that_does_not_exist_is_refused_by_its_name(
    ada: Browser, clerk: Emulator, row: str
) -> None:
    checked = review_of(type_in(ada, file=a_file(f"Email,Role\none@example.com,Member\n{row}\n")))
    assert "This organization has no role “" in text_of(checked)
    sent = press(ada, checked)
    assert states_of(sent) == {"one@example.com": DONE, "x@example.com": REFUSED}


def test_a_role_that_one_may_not_give_is_refused_by_its_name(sign_in: Any, clerk: Emulator) -> None:
    mia = sign_in("mia@acme.test")
    csv = "Email,Role\none@example.com,People manager\ntwo@example.com,Admin\n"
    form = filled(mia.get()) | {"role": "org:people_manager", "confirm_elevated": "on"}
    checked = review_of(mia.post(INVITE, form | {"file": a_file(csv)}))
    assert "You cannot give the role Admin" in text_of(checked)
    sent = press(mia, checked)
    assert states_of(sent) == {"one@example.com": DONE, "two@example.com": REFUSED}
    assert "org:admin" not in {body["role"] for body in sent_bodies(clerk)}


def test_where_the_file_tells_every_role_none_need_be_chosen(ada: Browser, clerk: Emulator) -> None:
    csv = "Email,Role\none@example.com,Member\ntwo@example.com,Billing\n"
    checked = review_of(type_in(ada, file=a_file(csv), role=""))
    assert set(states_of(press(ada, checked, role="")).values()) == {DONE}


def test_a_role_must_be_chosen_where_the_list_does_not_tell_it(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    response = type_in(ada, "one@example.com two@example.com", role="", target=target)
    assert response.status_code == 422
    assert "Choose a role." in text_of(response)
    sent = press(ada, response, role="org:member", target=target)
    assert set(states_of(sent).values()) == {DONE}


def test_a_single_row_with_a_role_of_its_own_is_checked_too(ada: Browser, clerk: Emulator) -> None:
    checked = review_of(type_in(ada, file=a_file("Email,Role\none@example.com,Billing\n")))
    assert states_of(press(ada, checked)) == {"one@example.com": DONE}
    assert sent_bodies(clerk)[0]["role"] == "org:billing"


def test_while_roles_are_being_changed_nothing_is_sent_and_nothing_lost(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    checked = review_of(type_in(ada, " ".join(many(3)), target=target))
    clerk.configure(role_migrations={"role_set:default": True})
    forget()
    response = press(ada, checked, target=target)
    assert response.status_code == 422
    assert "Roles are being changed" in text_of(response)
    assert filled(response)["email_addresses"] == " ".join(many(3))
    assert posts(clerk) == []


def test_a_role_that_is_taken_away_between_check_and_send_is_not_given(
    ada: Browser, clerk: Emulator
) -> None:
    checked = review_of(type_in(ada, " ".join(many(2)), role="org:billing"))
    who = {"organization": "acme", "user": "ada@acme.test"}
    kept = ["org:sys_memberships:manage", "org:sys_memberships:read", "org:reports:read"]
    clerk.configure(memberships=[who | {"permissions": kept}])
    response = press(ada, checked)
    assert response.status_code == 422
    assert "it may do more than you may" in text_of(response)
    assert posts(clerk) == []


def test_a_role_that_is_taken_away_in_the_very_moment_is_not_given(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = review_of(type_in(ada, " ".join(many(2)), role="org:billing"))
    kept = ["org:sys_memberships:manage", "org:sys_memberships:read", "org:reports:read"]
    lose_rights(clerk, monkeypatch, kept)
    response = press(ada, checked)
    assert set(states_of(response).values()) == {REFUSED}
    assert {item.reason for item in items_of(response)} == {"role-not-granted"}
    assert posts(clerk) == []


def test_who_may_no_longer_invite_is_told_and_nothing_is_sent(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    checked = review_of(type_in(ada, " ".join(many(3)), target=target))
    who = {"organization": "acme", "user": "ada@acme.test", "role": "org:member"}
    clerk.configure(memberships=[who])
    response = press(ada, checked, target=target)
    assert response.status_code == 403
    assert "You may no longer manage the members of this organization" in text_of(response)
    if target is None:  # with htmx the form stays where it is
        for address in many(3):
            assert address in text_of(response)
    assert posts(clerk) == []


@pytest.mark.parametrize("count", [1, 3])
def test_rights_that_go_in_the_very_moment_leave_nothing_waiting(
    ada: Browser, clerk: Emulator, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    text = " ".join(many(count))
    checked = review_of(type_in(ada, text)) if count > 1 else ada.get()
    lose_rights(clerk, monkeypatch, ["org:reports:read"])
    response = press(ada, checked, email_addresses=text, role="org:member")
    assert response.status_code == 403
    assert posts(clerk) == []
    [batch] = Batch.objects.all()
    assert not is_leased()
    assert {(item.state, item.reason) for item in batch.items.all()} == {
        (REFUSED, "PermissionDenied")
    }


def test_rights_that_go_between_two_calls_stop_the_rest(ada: Browser, clerk: Emulator) -> None:
    checked = review_of(type_in(ada, " ".join(many(25))))
    clerk.fault("POST", BULK)  # lets one pass
    denied = {"errors": [{"code": "missing_organization_permission", "message": "no"}]}
    clerk.fault("POST", BULK, status=403, body=denied)
    clerk.clear_requests()
    sent = press(ada, checked)
    assert list(states_of(sent).values()) == [DONE] * 10 + [REFUSED] * 15
    assert {item.reason for item in items_of(sent)[10:]} == {"PermissionDenied"}
    # What was remembered of the person does not count any more: it is asked anew.
    asked = calls(clerk)
    assert "GET memberships" in asked[asked.index("POST bulk", asked.index("POST bulk") + 1) :]


# --- Files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        "Email,Role\none@example.com,Billing\ntwo@example.com,Member\n",
        "Email\tRole\r\none@example.com\tBilling\r\ntwo@example.com\tMember\r\n",
        "E-Mail;Rolle\none@example.com;billing\ntwo@example.com;member\n",
        b"\xef\xbb\xbfEmail,Role\none@example.com,Billing\ntwo@example.com,Member\n",
        "Email,Role\none@example.com,Billing\ntwo@example.com,Member\n".encode("utf-16"),
    ],
)
def test_csv_and_tsv_are_read_and_put_into_the_field(
    ada: Browser, clerk: Emulator, content: Any, target: str | None
) -> None:
    checked = review_of(type_in(ada, file=a_file(content), target=target))
    typed = filled(checked)["email_addresses"]
    assert "one@example.com" in typed  # a file cannot be sent a second time, a text can
    assert "two@example.com" in typed
    sent = press(ada, checked, target=target)
    assert {item.email_address: item.role for item in items_of(sent)} == {
        "one@example.com": "org:billing",
        "two@example.com": "org:member",
    }


def test_text_and_file_go_together_and_what_is_in_both_goes_once(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    csv = "Email\none@example.com\ntwo@example.com\n"
    checked = review_of(
        type_in(ada, "zero@example.com\nONE@example.com", file=a_file(csv), target=target)
    )
    assert "3 will be sent. 1 needs nothing." in text_of(checked)
    assert "Typed twice" in text_of(checked)
    sent = press(ada, checked, target=target)
    assert [(item.email_address.lower(), item.state) for item in items_of(sent)] == [
        ("zero@example.com", DONE),
        ("one@example.com", DONE),
        ("one@example.com", REFUSED),
        ("two@example.com", DONE),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04" + bytes(range(256)) * 40, "This file cannot be read"),
        (b"a@example.com\n" * 10_001, "There are more than 10,000 rows"),
        (b"a@example.com\n" * 400_000, "The file is larger than 5 MB."),
        (b"", "Enter the email address"),
        (b" \n,,,\n", "Enter the email address"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_and_what_was_typed_stays(
    ada: Browser, clerk: Emulator, content: bytes, words: str, target: str | None
) -> None:
    response = type_in(ada, file=a_file(content), role="org:billing", target=target)
    assert response.status_code == 422
    assert words in text_of(response)
    assert filled(response)["role"] == "org:billing"
    assert posts(clerk) == []


def test_a_file_that_cannot_be_used_does_not_let_the_text_go_alone(
    ada: Browser, clerk: Emulator
) -> None:
    text = "one@example.com two@example.com"
    response = type_in(ada, text, file=a_file(b"PK\x03\x04\x00\x01"))
    assert response.status_code == 422
    assert filled(response)["email_addresses"] == text
    assert "This file cannot be read" in text_of(response)


def test_what_a_file_says_in_place_of_a_role_may_be_long(ada: Browser, clerk: Emulator) -> None:
    long = "very " * 200 + "long"
    checked = review_of(
        type_in(ada, file=a_file(f"Email,Role\none@example.com,Member\nb@example.com,{long}\n"))
    )
    sent = press(ada, checked)
    for item in items_of(sent):
        item.clean_fields(
            exclude={"batch", "params", "retry_at", "leased_until"}
        )  # as long as the columns are


def test_too_much_text_is_told_and_comes_back(ada: Browser, clerk: Emulator) -> None:
    text = "x" * 2_000_001 + " a@example.com"
    response = type_in(ada, text)
    assert response.status_code == 422
    assert "This is too much for one form." in text_of(response)
    assert filled(response)["email_addresses"] == text


@pytest.mark.parametrize("case", ["signed out", "switched"])
def test_what_came_with_a_file_comes_back_where_it_could_not_be_sent(
    sign_in: Any, clerk: Emulator, case: str
) -> None:
    acme = clerk.organization("acme").id
    if case == "switched":
        bo, status = sign_in("bo@both.test", "globex"), 409
    else:
        bo, status = sign_in("bo@both.test", "acme", issued_ago=90), 401
    data = {
        "organization": acme,
        "email_addresses": "zero@example.com",
        "role": "org:admin",
        "confirm_elevated": "on",
        "expires_in_days": "7",
        "no_email": "on",
        "file": a_file("Email,Role\none@example.com,Admin\n"),
    }
    response = bo.post(INVITE, data)
    assert response.status_code == status
    back = filled(response)
    assert "zero@example.com" in back["email_addresses"]
    if case == "switched":
        assert "one@example.com\tAdmin" in back["email_addresses"]
    else:  # nobody's file is read
        assert back["email_addresses"] == "zero@example.com"
        assert "Only the file has to be chosen once more." in text_of(response)
    kept = ("role", "confirm_elevated", "expires_in_days", "no_email")
    assert [back[name] for name in kept] == ["org:admin", "on", "7", "on"]
    assert posts(clerk) == []
