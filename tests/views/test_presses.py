"""What the check offers is one press, with htmx and without: slips, columns, roles."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest

from org_invitations.emulator import Emulator
from tests.addresses.test_workbooks import workbook

from .conftest import INVITE, Browser, html_of, text_of
from .inviting import (
    DONE,
    a_file,
    filled,
    items_of,
    many,
    posts,
    press,
    review_of,
    seats,
    states_of,
)
from .test_check import CHECK, PLACE

ROSTER = (
    "Name,Student email,Parent email,Role\n"
    "Noah,noah@example.com,p1@example.com,Billing\n"
    "Ana,,p2@example.com,\n"
    "Eve,eve@example.com,,Member\n"
)


@pytest.fixture(params=[None, PLACE], ids=["page", "htmx"])
def target(request: pytest.FixtureRequest) -> Any:
    """Without JavaScript, and with htmx."""
    return request.param


def check(
    ada: Browser, email_addresses: str = "", *, target: str | None = None, **more: Any
) -> Any:
    """Fill in the form on the page and have it checked."""
    form = filled(ada.get()) | {"email_addresses": email_addresses, "role": "org:member"} | more
    return ada.post(CHECK, form, target=target)


def buttons_of(response: Any) -> dict[str, tuple[str, str]]:
    """The buttons of the check by what they say: what each sends."""
    found = re.findall(
        r'<button type="submit" name="(\w+)" value="([^"]*)"[^>]*?'
        r'formaction="([^"]*)"(.*?)</button>',
        html_of(response),
    )
    assert all(action == CHECK for _, _, action, _ in found)
    return {
        re.sub("<[^>]*>", "", rest.partition(">")[2]).strip(): (name, value)
        for name, value, _, rest in found
    }


def fields_of(response: Any, before: dict[str, str]) -> dict[str, str]:
    """The form as it is filled in after an answer: a fragment brings the fields that changed."""
    if "<html" in response.text:
        return filled(response)
    fields = dict(before)
    if typed := re.search(r"<textarea[^>]*>(.*?)</textarea>", response.text, re.DOTALL):
        import html

        fields["email_addresses"] = html.unescape(typed[1]).removeprefix("\n")
    for name in ("reviewed", "as_typed"):
        if seen := re.search(rf'name="{name}" value="([^"]+)"', response.text):
            fields[name] = seen[1]
    return fields


def press_button(
    ada: Browser, response: Any, label: str, before: dict[str, str], *, target: str | None
) -> Any:
    name, value = buttons_of(response)[label]
    return ada.post(CHECK, fields_of(response, before) | {name: value}, target=target)


FORM = {"role": "org:member"}


def test_a_suggestion_is_taken_by_one_press(ada: Browser, target: str | None) -> None:
    text = {"email_addresses": "one@gmial.com, two at example.com; nobody"}
    checked = check(ada, **text, target=target)
    assert "Use one@gmail.com" in buttons_of(checked)
    taken = press_button(ada, checked, "Use two@example.com", FORM | text, target=target)
    words = text_of(taken)
    assert "2 to fix. 1 will be sent." in words
    assert fields_of(taken, FORM)["email_addresses"].splitlines() == [
        "one@gmial.com",
        "two@example.com",
        "nobody",
    ]
    # The button that had the focus is gone: the next one has it.
    assert re.search(r'value="0:one@gmail.com"[^>]* autofocus', taken.text)


def test_all_suggestions_are_taken_by_one_press(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    text = {"email_addresses": "one@gmial.com\ntwo at example.com\nsix@newco,example"}
    checked = check(ada, **text, target=target)
    taken = press_button(ada, checked, "Use all 3 suggestions", FORM | text, target=target)
    assert "3 will be sent." in text_of(taken)
    form = filled(ada.get()) | fields_of(taken, FORM)
    sent = ada.post(INVITE, form)
    assert set(states_of(sent)) == {"one@gmail.com", "two@example.com", "six@newco.example"}
    assert set(states_of(sent).values()) == {DONE}


def test_what_is_taken_and_was_there_before_is_typed_twice(ada: Browser) -> None:
    checked = check(ada, "one@gmail.com, one@gmial.com")
    taken = press_button(ada, checked, "Use one@gmail.com", FORM, target=None)
    assert "1 will be sent. 1 needs nothing." in text_of(taken)
    assert "Typed twice" in text_of(taken)


def test_a_text_that_has_changed_since_takes_it_where_it_is_offered(ada: Browser) -> None:
    checked = check(ada, "one@example.com, two@gmial.com, nobody")
    name, value = buttons_of(checked)["Use two@gmail.com"]
    form = filled(checked) | {"email_addresses": "nobody, two@gmial.com"}
    taken = ada.post(CHECK, form | {name: value})
    assert filled(taken)["email_addresses"].split() == ["nobody", "two@gmail.com"]
    for odd in ("", "7", "x:y@example.com", "1:", "99999999999:two@gmail.com:", ":", "-1:nobody"):
        again = ada.post(CHECK, form | {"use": odd})
        assert again.status_code == 200
        assert filled(again)["email_addresses"] == "nobody, two@gmial.com"


def test_a_single_address_that_is_none_is_offered_too(ada: Browser, clerk: Emulator) -> None:
    asked = ada.post(INVITE, filled(ada.get()) | {"email_addresses": "one at example.com"} | FORM)
    assert asked.status_code == 422
    taken = press_button(ada, asked, "Use one@example.com", FORM, target=None)
    assert "Send invitation" in text_of(taken)
    assert press(ada, taken).status_code == 303
    assert len(posts(clerk)) == 1


def test_several_addresses_in_a_row_are_offered_each(ada: Browser, target: str | None) -> None:
    csv = "Name,Email,Other,More\nAna,,ana@example.com,ana2@example.com\nBo,bo@example.com,,\n"
    checked = check(ada, file=a_file(csv), target=target)
    assert "several elsewhere in it: which is meant?" in text_of(checked)
    assert {"Use ana@example.com", "Use ana2@example.com"} <= set(buttons_of(checked))
    taken = press_button(ada, checked, "Use ana2@example.com", FORM, target=target)
    assert fields_of(taken, FORM)["email_addresses"].split() == [
        "ana2@example.com",
        "bo@example.com",
    ]


def test_a_slip_is_kept_or_a_piece_left_out_by_one_press(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    text = {"email_addresses": "one@gmial.com\ntwo@example.com\nnobody"}
    checked = check(ada, **text, target=target)
    kept = press_button(ada, checked, "Keep as typed: one@gmial.com", FORM | text, target=target)
    assert "1 to fix. 2 will be sent." in text_of(kept)
    form = FORM | fields_of(kept, FORM | text)
    left = press_button(ada, kept, "Leave out: nobody", form, target=target)
    assert "2 will be sent." in text_of(left)
    typed = fields_of(left, form)
    assert typed["email_addresses"].split() == ["one@gmial.com", "two@example.com"]
    sent = ada.post(INVITE, filled(ada.get()) | typed)
    assert states_of(sent) == {"one@gmial.com": DONE, "two@example.com": DONE}


def test_the_last_piece_can_be_left_out_too(ada: Browser, target: str | None) -> None:
    text = {"email_addresses": "one two@three@four"}
    checked = check(ada, **text, target=target)
    form = FORM | text
    while labels := [label for label in buttons_of(checked) if label.startswith("Leave out")]:
        checked = press_button(ada, checked, labels[0], form, target=target)
        form = FORM | fields_of(checked, form)
    assert form["email_addresses"] == ""


# --- Whom to invite ------------------------------------------------------------------------------


def test_nobody_is_invited_before_it_is_said_which_column_is_meant(
    ada: Browser, clerk: Emulator, target: str | None
) -> None:
    checked = check(ada, file=a_file(ROSTER), target=target)
    words = text_of(checked)
    assert "“Student email” (2), “Parent email” (2)" in words
    assert "can be invited" not in words
    form = filled(ada.get()) | FORM | fields_of(checked, FORM)
    response = ada.post(INVITE, form)
    assert "Whom do you want to invite?" in text_of(response)
    assert posts(clerk) == []
    assert filled(response)["email_addresses"] == form["email_addresses"].replace("\n", "\r\n") or (
        filled(response)["email_addresses"] == form["email_addresses"]
    )


@pytest.mark.parametrize(
    ("answer", "roles"),
    [
        ("Only “Student email”", {"noah@example.com": "billing", "eve@example.com": "member"}),
        ("Only “Parent email”", {"p1@example.com": "billing", "p2@example.com": "member"}),
        (
            "All of them",
            {
                "noah@example.com": "billing",
                "p1@example.com": "billing",
                "p2@example.com": "member",
                "eve@example.com": "member",
            },
        ),
    ],
)
def test_a_column_is_chosen_by_one_press(
    ada: Browser, clerk: Emulator, target: str | None, answer: str, roles: dict[str, str]
) -> None:
    checked = check(ada, file=a_file(ROSTER), target=target)
    chosen = press_button(ada, checked, answer, FORM, target=target)
    assert f"{len(roles)} will be sent." in text_of(chosen)
    assert not any(name == "column" for name, _ in buttons_of(chosen).values())
    sent = ada.post(INVITE, filled(ada.get()) | FORM | fields_of(chosen, FORM))
    done = [item for item in items_of(sent) if item.state == DONE]
    assert {item.email_address: item.role.removeprefix("org:") for item in done} == roles


def test_what_was_typed_beside_the_file_is_kept_whatever_is_chosen(ada: Browser) -> None:
    checked = check(ada, "zoe@example.com", file=a_file(ROSTER))
    chosen = press_button(ada, checked, "Only “Student email”", FORM, target=None)
    sendable = chosen.context["review"].preview.sendable
    assert [item.entry.email_address for item in sendable] == [
        "zoe@example.com",
        "noah@example.com",
        "eve@example.com",
    ]


@pytest.mark.parametrize("odd", ["", "9", "-1", "x", "99999999999999"])
def test_an_odd_answer_changes_nothing(ada: Browser, odd: str) -> None:
    checked = check(ada, file=a_file(ROSTER))
    again = ada.post(CHECK, filled(checked) | {"column": odd})
    assert again.context["review"].question is not None


# --- As what -------------------------------------------------------------------------------------


def test_roles_that_do_not_exist_give_way_to_the_forms_by_one_press(
    ada: Browser, target: str | None
) -> None:
    csv = "Email,Role\none@example.com,Billing\ntwo@example.com,Pirate\nsix@example.com,Cook\n"
    checked = check(ada, file=a_file(csv), target=target)
    words = text_of(checked)
    assert "2 to fix. 1 will be sent." in words
    assert "Write one that does (" in words
    label = "Invite the 2 without such a role as Member"
    changed = press_button(ada, checked, label, FORM, target=target)
    assert "3 will be sent." in text_of(changed)
    assert fields_of(changed, FORM)["email_addresses"].splitlines() == [
        "Email\tRole",
        "one@example.com\tBilling",
        "two@example.com",
        "six@example.com",
    ]


def test_a_column_of_roles_that_has_none_is_left_alone_and_named(ada: Browser) -> None:
    csv = "Email,Role\none@example.com,Organizer\ntwo@example.com,owner\n"
    checked = review_of(check(ada, file=a_file(csv)))
    assert "2 will be sent." in text_of(checked)
    assert "Nothing in the column “Role” is a role of this organization (“Organizer”, “owner”)" in (
        text_of(checked)
    )
    roles = {item.role.key for item in checked.context["review"].preview.sendable}
    assert roles == {"org:member"}


def test_a_role_may_be_written_in_the_readers_language(ada: Browser, settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"
    csv = "E-Mail;Rolle\none@example.com;Mitglied\ntwo@example.com;administrator\n"
    checked = review_of(check(ada, file=a_file(csv), confirm_elevated="on"))
    sendable = checked.context["review"].preview.sendable
    assert [item.role.key for item in sendable] == ["org:member", "org:admin"]


# --- Thousands -----------------------------------------------------------------------------------


def test_ten_thousand_rows_are_checked_and_stay_a_page(ada: Browser, clerk: Emulator) -> None:
    seats(clerk, 20_000)
    rows = "".join(
        f"Person {number},person{number}@example.com,{'x' * 40},note {number}\n"
        for number in range(10_000)
    )
    checked = check(ada, file=a_file(f"Name,Email,Street,Notes\n{rows}"))
    assert checked.status_code == 200
    text = filled(checked)["email_addresses"]
    assert len(text.split()) == 10_000
    assert len(checked.text) - len(text) < 400_000  # the rows that are shown, and no more
    assert "100 will be sent." in text_of(checked)
    assert "9900 more must wait" in text_of(checked)


def test_one_row_more_is_told(ada: Browser) -> None:
    rows = "".join(f"person{number}@example.com\n" for number in range(10_001))
    for more in ({"file": a_file(f"Email\n{rows}")}, {"email_addresses": rows}):
        response = check(ada, **more)
        assert response.status_code == 422
        assert "Send it in several parts." in text_of(response)


def test_a_long_list_is_folded(ada: Browser, clerk: Emulator) -> None:
    seats(clerk, 1000)
    checked = check(ada, "\n".join([*many(60), *(f"nobody {n}" for n in range(30))]))
    assert "40 more" in text_of(checked)
    assert "10 more" in text_of(checked)
    assert checked.text.count('<details class="org-invitations-fold">') == 2


# --- Workbooks -----------------------------------------------------------------------------------


def test_a_workbook_is_checked_as_any_file(ada: Browser, target: str | None) -> None:
    content = workbook(
        [["Members"], [], ["Name", "Email", "Role"], ["One", "one@example.com", "Billing"]]
    )
    checked = check(ada, file=a_file(content, "people.xlsx"), target=target)
    words = text_of(checked)
    assert "1 will be sent." in words
    assert "Row 1: no table of people." in words
    assert fields_of(checked, FORM)["email_addresses"].splitlines() == [
        "Email\tRole",
        "one@example.com\tBilling",
    ]


def test_without_the_library_people_are_told_what_to_do(
    ada: Browser, monkeypatch: pytest.MonkeyPatch, target: str | None
) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    content = workbook([["Email"], ["one@example.com"]])
    told = check(ada, "two@example.com", file=a_file(content, "people.xlsx"), target=target)
    assert "save the sheet as “CSV UTF-8” and choose that file" in text_of(told)
    assert ("two@example.com" in told.text) is (target is None)  # else it is left as it is
