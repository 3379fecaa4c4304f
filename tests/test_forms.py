"""The form to invite people: what it takes, what it refuses, and what it keeps."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.test import override_settings
from django.utils.datastructures import MultiValueDict
from django.utils.translation import override

from org_invitations.addresses import MAX_FILE_BYTES, Refusal, parse_file, parse_text
from org_invitations.clerk import Role
from org_invitations.forms import (
    CLERKS_EXPIRES_IN_DAYS,
    MAX_TEXT,
    USUAL_DAYS,
    ExpiryField,
    InviteForm,
    RoleField,
)
from org_invitations.roles import AssignableRoles

MEMBER = Role(key="org:member", name="Member")
ADMIN = Role(key="org:admin", name="Admin")
BOSS = Role(key="org:boss", name="Boss")
ROLES = AssignableRoles(
    roles=(MEMBER, ADMIN),
    default_role="org:member",
    elevated=frozenset({"org:admin"}),
    not_grantable=(BOSS,),
)
HARMLESS = AssignableRoles(roles=(MEMBER,), default_role="org:member")


def form(
    text: str = "ana@example.com",
    role: str = "org:member",
    *,
    file: str | bytes | None = None,
    roles: AssignableRoles = ROLES,
    **more: Any,
) -> InviteForm:
    """A form that has been sent and checked."""
    data = {"email_addresses": text, "role": role} | more
    files = None
    if file is not None:
        content = file.encode() if isinstance(file, str) else file
        files = MultiValueDict({"file": [SimpleUploadedFile("people.csv", content)]})
    sent = InviteForm(data, files, roles=roles)
    sent.is_valid()
    return sent


def errors(sent: InviteForm) -> dict[str, list[str]]:
    return {name: [str(error) for error in found] for name, found in sent.errors.items()}


# --- Whom ----------------------------------------------------------------------------------------


def test_one_address_or_many_become_entries() -> None:
    assert [e.email_address for e in form("ana@example.com").entries] == ["ana@example.com"]
    sent = form("Ana <ana@example.com>; bo@example.com\nnobody, ana@example.com")
    assert sent.is_valid()  # what is no address is told by the check, not by the form
    assert [(e.email_address, e.refusal) for e in sent.entries] == [
        ("ana@example.com", None),
        ("bo@example.com", None),
        ("", Refusal.NOT_AN_ADDRESS),
        ("ana@example.com", Refusal.TWICE),
    ]


def test_nothing_is_a_mistake(subtests: pytest.Subtests) -> None:
    for text in ["", "  ", "\n\n", ",;", "\u200b"]:
        with subtests.test(text=text):
            assert errors(form(text)) == {
                "email_addresses": ["Enter the email address of the person to invite."]
            }


def test_lines_are_counted_as_they_were_typed() -> None:
    # White space at the ends is the parser's business: stripped, these would be lines 1 and 2.
    assert [entry.line for entry in form("\n\nana@example.com\nbo@example.com").entries] == [3, 4]
    # A pasted column may begin with an empty cell.
    assert form("\tana@example.com\n\tbo@example.com").entries[0].line == 1


def test_more_text_than_a_file_may_hold_is_refused_and_never_cut_off() -> None:
    assert "maxlength" not in str(InviteForm(roles=ROLES)["email_addresses"])
    sent = form("a@example.com " + "x" * MAX_TEXT)
    assert errors(sent) == {
        "email_addresses": ["This is too much for one form. Send it in several parts."]
    }


# --- Files ---------------------------------------------------------------------------------------


def test_a_file_comes_after_the_text() -> None:
    sent = form("zoe@example.com", file="Email,Role\nana@example.com,Admin\n")
    assert [(e.email_address, e.role) for e in sent.entries] == [
        ("zoe@example.com", ""),
        ("ana@example.com", "Admin"),
    ]


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (b"x" * (MAX_FILE_BYTES + 1), "The file is larger than 5 MB. Send it in several parts."),
        (
            b"PK\x03\x04\x00\x00",
            (
                "This file cannot be read: it is neither text nor an Excel workbook (.xlsx), or it "
                "is damaged or protected. In a spreadsheet, save it as CSV and try again."
            ),
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_a_mistake_of_the_file(file: bytes, message: str) -> None:
    assert errors(form("", file=file)) == {"file": [message]}
    assert errors(form("ana@example.com", file=file)) == {"file": [message]}


def test_an_empty_file_is_like_no_file() -> None:
    assert form("ana@example.com", file=b"").is_valid()
    assert errors(form("", file=b"")).keys() == {"email_addresses"}


def test_what_came_in_a_file_is_put_into_the_text_and_means_the_same(
    subtests: pytest.Subtests,
) -> None:
    for text, file in [
        ("", "Email,Role\nana@example.com,Admin\nbo@example.com,\n"),
        ("zoe@example.com, nobody", "Name;Email\nAna;ana@example.com\nBo;bo@example.com\n"),
        ("ana@example.com", "Email\nana@example.com\nnobody at home\n"),
        ("", '"Doe, Ana",ana@example.com\n"Roe, Bo",bo@example.com\n'),
    ]:
        with subtests.test(text=text, file=file):
            sent = form(text, file=file)
            sent.retype()
            typed = sent["email_addresses"].value()
            found = [(e.email_address, e.role) for e in parse_text(typed)]
            assert found == [(e.email_address, e.role) for e in sent.entries]
            # Sent again without the file it is the same list; once more changes nothing.
            again = form(typed)
            again.retype()
            assert again["email_addresses"].value() == typed
            assert sent["role"].value() == "org:member"


def test_without_a_file_the_text_stays_as_it_was_typed() -> None:
    text = '  "Doe, Ana" <ana@example.com> ;\n\n bo@example.com '
    sent = form(text)
    sent.retype()
    assert sent["email_addresses"].value() == text


# --- As what -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "message"),
    [
        ("", "Choose a role."),
        ("org:gone", "This role cannot be assigned here any more. Choose another one."),
        (
            "org:boss",
            "You cannot give this role, because it may do more than you may. Choose another one.",
        ),
    ],
)
def test_a_role_must_be_one_of_those_on_offer(role: str, message: str) -> None:
    sent = form(role=role)
    assert errors(sent) == {"role": [message]}
    assert sent["role"].value() == role  # as it was chosen


def test_no_role_need_be_chosen_where_every_address_has_its_own() -> None:
    table = "Email\tRole\nana@example.com\tAdmin\nbo@example.com\tMember\nnobody\t\n"
    assert form(table, role="").is_valid()
    assert errors(form(table.replace("Member", ""), role="")).keys() == {"role"}
    # A role that was chosen and does not exist is a mistake all the same.
    assert errors(form(table, role="org:gone")).keys() == {"role"}


def test_a_role_of_weight_needs_the_tick() -> None:
    [(field, [message])] = errors(form(role="org:admin")).items()
    assert field == "confirm_elevated"
    assert message == (
        "The role Admin may manage members: invite and remove people, and give them roles. "
        "Tick the box if that is what you want."
    )
    assert form(role="org:admin", confirm_elevated="on").is_valid()
    assert form(role="org:member").is_valid()


def test_where_each_has_a_role_of_its_own_the_chosen_one_needs_no_tick() -> None:
    table = "Email\tRole\nana@example.com\tMember\nbo@example.com\tMember\n"
    assert form(table, role="org:admin").is_valid()


def test_the_tick_can_be_asked_for_once_the_roles_of_a_file_are_known() -> None:
    sent = form()
    assert sent.ask_for_confirmation(MEMBER) is False
    assert sent.ask_for_confirmation(ADMIN) is True
    assert errors(sent).keys() == {"confirm_elevated"}
    assert form(confirm_elevated="on").ask_for_confirmation(ADMIN) is False


def test_the_tick_is_there_only_where_it_can_be_needed() -> None:
    assert "confirm_elevated" not in InviteForm(roles=HARMLESS).fields
    tick = InviteForm(roles=ROLES).fields["confirm_elevated"]
    assert str(tick.help_text) == "Needed for: Admin"


def test_while_roles_are_locked_what_was_chosen_stays_to_be_seen() -> None:
    locked = AssignableRoles(roles=(MEMBER, ADMIN), default_role="org:member", locked=True)
    sent = form(role="org:admin", roles=locked)
    assert errors(sent).keys() == {"role"}
    assert sent["role"].value() == "org:admin"
    assert 'value="org:admin" selected' in str(sent["role"])


def test_without_any_roles_nothing_can_be_sent() -> None:
    for roles in (AssignableRoles(), AssignableRoles(not_grantable=(BOSS,))):
        assert errors(form(roles=roles)).keys() == {"role"}


def test_the_roles_that_a_person_cannot_give_are_named_with_the_reason() -> None:
    not_grantable = replace(HARMLESS, not_grantable=(BOSS, ADMIN))
    select = InviteForm(roles=not_grantable).fields["role"]
    said = "Not on offer, because they may do more than you may: Boss, Admin"
    assert str(select.help_text) == said
    assert InviteForm(roles=HARMLESS).fields["role"].help_text == ""
    field = RoleField(roles=not_grantable, help_text="Choose with care.")
    assert field.help_text == "Choose with care."
    field.roles = replace(not_grantable, locked=True)
    assert str(field.help_text).startswith("Roles are being changed")
    field.roles = not_grantable
    assert field.help_text == "Choose with care."


# --- For how long --------------------------------------------------------------------------------


def test_the_usual_periods_say_until_when_they_are() -> None:
    field = ExpiryField()
    field.offer()
    choices = dict(field.widget.choices)
    assert tuple(choices) == USUAL_DAYS
    assert re.fullmatch(r"1 day, until \w+\.? \d+, \d{4}", str(choices[1]))
    year = int(str(choices[365])[-4:])
    assert year in (datetime.now(UTC).year + 1, datetime.now(UTC).year + 2)
    assert field.initial == CLERKS_EXPIRES_IN_DAYS == 30


def test_a_period_is_said_in_the_readers_language() -> None:
    with override("de"):
        field = ExpiryField()
        field.offer()
        month = dict(field.widget.choices)[1]
    with override("en"):
        assert month != _one_day()


def _one_day() -> str:
    field = ExpiryField()
    field.offer()
    return str(dict(field.widget.choices)[1])


def test_any_number_of_days_within_clerks_bounds_is_taken_and_offered(
    subtests: pytest.Subtests,
) -> None:
    cases: list[Any] = [1, 5, 365, "12"]
    for days in cases:
        with subtests.test(days=days):
            sent = form(expires_in_days=days)
            assert sent.is_valid()
            assert sent.cleaned_data["expires_in_days"] == int(days)
            assert f'<option value="{days}" selected>' in str(sent["expires_in_days"])


def test_any_other_is_a_mistake(subtests: pytest.Subtests) -> None:
    for days in ["0", "366", "-3", "soon", "2.5", "9" * 400]:
        with subtests.test(days=days):
            sent = form(expires_in_days=days)
            assert errors(sent).keys() == {"expires_in_days"}
            str(sent["expires_in_days"])


@override_settings(ORG_INVITATIONS_EXPIRES_IN_DAYS=10)
def test_the_sites_usual_period_is_offered_and_preselected() -> None:
    field = InviteForm(roles=ROLES)["expires_in_days"]
    assert field.value() == 10
    assert '<option value="10" selected>10 days, until' in str(field)


def test_without_the_field_the_form_can_be_sent() -> None:
    sent = form()  # a hand-made form, or one of an older page
    assert sent.is_valid()
    assert sent.cleaned_data["expires_in_days"] is None


# --- Options -------------------------------------------------------------------------------------


def test_languages_and_places_are_asked_for_only_where_there_is_a_choice() -> None:
    assert {"language", "redirect_url"}.isdisjoint(InviteForm(roles=ROLES).fields)
    with override_settings(
        ORG_INVITATIONS_LANGUAGES=[("de", "Deutsch")],
        ORG_INVITATIONS_REDIRECT_URLS=[("https://app.test/", "The app")],
    ):
        fresh = InviteForm(roles=ROLES)
        assert [name for name in fresh.fields if name in ("language", "redirect_url")] == [
            "language",
            "redirect_url",
        ]
        assert '<option value="" selected>As usual</option>' in str(fresh["language"])
        assert '<option value="https://app.test/">The app</option>' in str(fresh["redirect_url"])
        sent = form(language="de", redirect_url="https://app.test/")
        assert sent.cleaned_data["language"] == "de"
        assert sent.cleaned_data["redirect_url"] == "https://app.test/"
        assert errors(form(language="fr")).keys() == {"language"}
        assert errors(form(redirect_url="https://evil.test/")).keys() == {"redirect_url"}


def test_options_are_apart_and_closed_until_one_of_them_is_chosen_or_wrong() -> None:
    fresh = InviteForm(roles=ROLES)
    assert [field.name for field in fresh.main_fields] == ["email_addresses", "role"]
    assert fresh.confirmation is not None
    assert fresh.confirmation.name == "confirm_elevated"
    assert [field.name for field in fresh.options] == ["expires_in_days", "file", "no_email"]
    assert not fresh.has_chosen_options
    assert not form(expires_in_days="30").has_chosen_options
    chosen: list[dict[str, Any]] = [
        {"expires_in_days": "7"},
        {"no_email": "on"},
        {"expires_in_days": "x"},
    ]
    for option in chosen:
        assert form(**option).has_chosen_options
    assert form("", file=b"PK\x03\x04\x00").has_chosen_options
    assert InviteForm(roles=ROLES, initial={"no_email": True}).has_chosen_options
    assert InviteForm(roles=ROLES, initial={"expires_in_days": 12}).has_chosen_options


class Ours(InviteForm):
    """A site's form, without some of the fields and with one of its own."""

    option_fields = (*InviteForm.option_fields, "team")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("file", "expires_in_days", "confirm_elevated", "no_email"):
            self.fields.pop(name, None)


def test_a_site_may_leave_fields_out() -> None:
    sent = Ours({"email_addresses": "ana@example.com", "role": "org:member"}, roles=ROLES)
    assert sent.is_valid()
    assert sent.options == []
    sent.retype()
    # The tick is gone, and with it the question: the site has decided.
    assert Ours({"email_addresses": "a@example.com", "role": "org:admin"}, roles=ROLES).is_valid()


# --- Refusals of Clerk's, and how it looks -------------------------------------------------------


def test_a_problem_is_shown_beside_its_field_or_above_all() -> None:
    for field in ("email_addresses", "role"):
        sent = form()
        sent.add_problem("No.", field)
        assert errors(sent) == {field: ["No."]}
    for other in (None, "expires_in_days", "nothing"):
        sent = form()
        sent.add_problem("No.", other)
        assert errors(sent) == {"__all__": ["No."]}


def test_other_peoples_addresses_are_nobodys_autofill() -> None:
    html = str(InviteForm(roles=ROLES)["email_addresses"])
    for attribute in ('autocomplete="off"', 'spellcheck="false"', "data-1p-ignore", 'dir="auto"'):
        assert attribute in html
    assert "placeholder" not in html


def test_every_field_has_a_visible_label_and_its_hint_and_mistake_are_tied_to_it() -> None:
    with override_settings(
        ORG_INVITATIONS_LANGUAGES=[("de", "Deutsch")],
        ORG_INVITATIONS_REDIRECT_URLS=[("https://app.test/", "The app")],
    ):
        sent = form("", role="", expires_in_days="x", language="xx", redirect_url="x", file=b"PK")
    for field in sent:
        html = render_to_string("org_invitations/partials/field.html", {"field": field})
        assert f'<label for="{field.id_for_label}">{field.label}</label>' in html
        described = re.search(r'aria-describedby="([^"]+)"', html)
        wanted = [
            *([f"{field.auto_id}_helptext"] if field.help_text else []),
            *([f"{field.auto_id}_error"] if field.errors else []),
        ]
        assert (described[1].split() if described else []) == wanted
        for name in wanted:
            assert f'id="{name}"' in html


def test_two_forms_with_a_prefix_fit_on_a_page() -> None:
    data = {
        "a-email_addresses": "",
        "a-role": "org:member",
        "b-email_addresses": "bo@example.com",
        "b-role": "org:admin",
    }
    files = MultiValueDict({"a-file": [SimpleUploadedFile("x.csv", b"Email\nana@example.com\n")]})
    first = InviteForm(data, files, roles=ROLES, prefix="a")
    assert first.is_valid()
    first.retype()
    assert first["email_addresses"].value() == "ana@example.com"
    second = InviteForm(data, files, roles=ROLES, prefix="b")
    assert errors(second).keys() == {"confirm_elevated"}


def test_more_pieces_than_anybody_reads_are_refused_and_stay_in_the_field() -> None:
    text = "a," * 10_001
    form = InviteForm({"email_addresses": text, "role": "org:member"}, roles=ROLES)
    assert not form.is_valid()
    assert "too much for one form" in str(form.errors["email_addresses"])
    assert form["email_addresses"].value() == text


def test_a_long_role_in_a_file_is_not_repeated_for_each_address_at_its_length() -> None:
    row = " ".join(f"a{number}@example.com" for number in range(100))
    entries = parse_file(f"Email,Role\n{row},{'x' * 5000}\n".encode())
    assert len(entries) == 100
    assert {len(entry.role) for entry in entries} == {255}
