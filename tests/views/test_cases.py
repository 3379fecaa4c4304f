"""Real files and pastes, by what the page offers for them.

The files and what each should give are beside the project, in ``../shared/cases``; where they are
missing these tests are skipped, but never in CI. Below, what each of them gives on the page: who
could be invited by the next press, what is refused, and what is said or asked.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from org_invitations.emulator import Emulator

from .conftest import Browser, text_of
from .inviting import a_file, as_it_opens, filled, posts, seats
from .test_check import CHECK, PLACE

CASES = Path(__file__).parents[3] / "shared" / "cases"


@dataclass(frozen=True)
class Case:
    #: Whom the page would invite, with the name of the role where it is not the form's.
    invited: tuple[str, ...]
    #: What is refused, by its text, each once.
    refused: tuple[str, ...] = ()
    #: Addresses that one press takes in place of what is refused.
    offered: tuple[str, ...] = ()
    #: Words that must be on the page.
    says: tuple[str, ...] = ()
    #: What the answers to a question are.
    asked: tuple[str, ...] = ()


MEMBERS = {
    "b03-linkedin-connections.csv": Case(
        ("arjun@example.com", "rahul@example.com"),
        ("Priya, Sharma, Stripe, Inc., Technical Recruiter, 12 Mar 2024",),
        says=("No address in this row.", "Rows 1 to 2: no table of people."),
    ),
    "b05-clerk-users-export.csv": Case(("ada@example.com", "bo@example.com")),
    "b07-mailchimp.csv": Case(("mail@example.com",)),
    "b09-entra-download-users.csv": Case(
        (
            "ann.lee@example.com",
            "svc@example.onmicrosoft.com",
            "bob@example.com",
            "cy@outlook.com",
        )
    ),
    "b10-bom-no-header.csv": Case(
        ("user01@example.com", "user02@example.com", "user03@example.com")
    ),
    "b11-header-blanks.csv": Case(("johndoe@example.com", "janedoe@example.com")),
    "b12-no-titles.csv": Case(("john.doe@example.com", "anna.smith@example.com")),
    "b13-uz-semicolon.csv": Case(("nodira@example.com", "aziz@example.com")),
    "b14-school-roster.csv": Case(
        (), asked=("Only “Student Email”", "Only “Parent Email”", "All of them")
    ),
    "b15-thunderbird-de.csv": Case(("juergen@example.com", "ana@example.com")),
    "b17-role-is-job-title.csv": Case(
        ("ana@example.com", "bo@example.com"),
        says=("Nothing in the column “Role” is a role", "“Engineer”, “Sales Manager”"),
    ),
    "b18-role-keys.csv": Case(
        (
            "ana@example.com Admin",
            "cy@example.com",
            "di@example.com",
            "ed@example.com",
        ),
        ("bo@example.com", "fi@example.com"),
        says=("no role “basic_member”", "Invite the 2 without such a role as Member"),
    ),
    "b20-title-rows.csv": Case(
        ("ana@example.com", "bo@example.com"), says=("Rows 1 to 2: no table of people.",)
    ),
    "b21-merged-and-total.csv": Case(
        ("ana@example.com", "bo@example.com", "cy@example.com"), ("Total, 3",)
    ),
    "b23-google-form.csv": Case(("student1@example.edu",), says=("Not used", "“Parent Email”")),
    "b24-google-workspace-full.csv": Case(("ana@example.com",), says=("“Manager Email”",)),
    "b25-eventbrite.csv": Case(
        ("Rosa@example.com", "sam@example.com"), ("rosa@example.com",), says=("Typed twice",)
    ),
    "b27-russian-excel-cp1251.csv": Case(("ivan@example.com", "anna@example.com")),
    "b30-polish-cp1250.csv": Case(("lukasz@example.com",)),
    "b31-utf16le-no-bom.csv": Case(("ana@example.com",)),
    "b32-name-parts-commas.txt": Case(("js@example.com", "tanaka@example.com")),
    "b33-key-value.txt": Case(("ana@example.com", "bo@example.com")),
    "b34-mailman-roster.txt": Case(
        (),
        ("ana at example.com", "bo at example.org", "* cy at example.co.uk"),
        ("ana@example.com", "bo@example.org", "cy@example.co.uk"),
        says=("Use all 3 suggestions",),
    ),
    "b35-slack-markdown-links.txt": Case(("ana@example.com", "bo@example.com")),
    "b36-ics-attendees.ics": Case(("ana@example.com",)),
    "b37-vcard.vcf": Case(("ana@example.com",)),
    "b39-linkedin-800-rows.csv": Case(
        tuple(f"ana{number}@example.com" for number in range(0, 800, 10)),
        says=("720 to fix. 80 will be sent.",),
    ),
    "b41-russian-heading.csv": Case(("ivan@example.com Admin", "anna@example.com")),
}

#: Texts that people would paste as well as upload.
PASTED = (
    *("b10-bom-no-header.csv", "b12-no-titles.csv", "b20-title-rows.csv", "b14-school-roster.csv"),
    *("b17-role-is-job-title.csv", "b41-russian-heading.csv"),
    *(name for name in MEMBERS if not name.endswith(".csv")),
)


@pytest.fixture(scope="module")
def cases() -> Path:
    """The folder of the cases."""
    if not CASES.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{CASES} is missing")
        pytest.skip(f"{CASES} is not there: the cases are kept beside the project")
    return CASES


def assert_offers(response: Any, case: Case) -> None:
    assert response.status_code in (200, 422), text_of(response)
    review = response.context["review"]
    assert review is not None, text_of(response)
    found = tuple(
        item.entry.email_address + ("" if item.role.key == "org:member" else f" {item.role.name}")
        for item in review.preview.sendable
    )
    assert found == case.invited
    refused = [item.entry.text for item in review.preview.refused]
    if case.refused:
        assert refused == list(case.refused)
    words = text_of(response)
    for said in case.says:
        assert said in words
    for address in case.offered:
        assert f":{address}" in response.text  # the button that takes it
    answers = review.question.answers if review.question else ()
    assert tuple(answer.label for answer in answers) == case.asked


def test_every_case_is_here(cases: Path) -> None:
    files = {path.name for path in cases.iterdir() if path.suffix != ".md"}
    assert files == set(MEMBERS)


@pytest.fixture
def patient(clerk: Emulator) -> Emulator:
    """Clerk, with seats for everybody, and asked as often as it takes."""
    clerk.configure(rate_limits=False)
    seats(clerk, 1000)
    return clerk


def test_a_real_file_offers_what_its_owner_means(
    ada: Browser, patient: Emulator, cases: Path, subtests: pytest.Subtests
) -> None:
    form = as_it_opens(ada)
    for name, case in MEMBERS.items():
        with subtests.test(name=name):
            file = a_file((cases / name).read_bytes(), name)
            checked = ada.post(CHECK, form | {"file": file})
            assert_offers(checked, case)
            # What is in the field now, without the file, is the same list, and no longer than the
            # people.
            typed = filled(checked)
            again = ada.post(CHECK, typed, target=PLACE)
            before, after = checked.context["review"], again.context["review"]
            assert after.digest == before.digest
            assert bool(after.question) == bool(before.question)
            assert " at example" not in typed["email_addresses"] or "mailman" in name
    assert posts(patient) == []


def test_what_is_pasted_offers_the_same(
    ada: Browser, patient: Emulator, cases: Path, subtests: pytest.Subtests
) -> None:
    form = as_it_opens(ada)
    for name in PASTED:
        with subtests.test(name=name):
            text = (cases / name).read_text("utf-8")
            checked = ada.post(CHECK, form | {"email_addresses": text}, target=PLACE)
            assert_offers(checked, MEMBERS[name])


def test_with_htmx_a_file_offers_the_same(ada: Browser, patient: Emulator, cases: Path) -> None:
    for name in ("b14-school-roster.csv", "b39-linkedin-800-rows.csv"):
        file = a_file((cases / name).read_bytes(), name)
        data = {"email_addresses": "", "role": "org:member", "file": file}
        assert_offers(ada.post(CHECK, data, target=PLACE), MEMBERS[name])
