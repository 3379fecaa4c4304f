"""Exports and pastes of many programs, by what the page offers for them.

The texts and what each should give are in ``tests/corpus/exports.py``, a table of a few lines each.
"""

from __future__ import annotations

from typing import Any

import pytest

from org_invitations.emulator import Emulator
from org_invitations.services.preview import PreviewStatus
from tests.corpus import exports
from tests.corpus.exports import EXPORTS, Export

from .conftest import Browser, text_of
from .inviting import a_file, as_it_opens, filled, posts, seats
from .test_check import CHECK, PLACE

#: The lists of the table; each is gone through by one person in one sitting.
SITTINGS = {
    name: getattr(exports, name.upper())
    for name in (
        *("microsoft", "address_books", "services", "records", "calendars", "lists"),
        "workbooks",
    )
}


def ways_of(export: Export) -> tuple[str, ...]:
    return export.ways if isinstance(export.content, str) else ("file",)


def sent(export: Export, way: str) -> dict[str, Any]:
    if way == "paste":
        return {"email_addresses": export.content}
    return {"email_addresses": "", "file": a_file(export.as_bytes, "people.csv")}


def shown(response: Any) -> tuple[list[str], list[str], list[str], list[str]]:
    """Who would be invited, once told that it is meant; what is refused, offered, and asked."""
    review = response.context["review"]
    if review is None:
        return [], [], [], []
    invited, refused = [], []
    for item in review.preview.items:
        if item.sendable or item.status is PreviewStatus.MISTYPED:
            role = "" if item.role.key == "org:member" else f" {item.role.name}"
            invited.append(item.entry.email_address + role)
        else:
            refused.append(item.entry.text)
    offered = [offer for item in review.preview.refused for offer in item.entry.offers]
    answers = review.question.answers[:-1] if review.question else ()
    asked = [answer.label.removeprefix("Only “").removesuffix("”") for answer in answers]
    return invited, refused, offered, asked


def assert_offers(checked: Any, export: Export, way: str) -> None:
    which = f"{export.name} ({way})"
    invited, refused, offered, asked = shown(checked)
    assert invited == export.lines(""), which
    assert sorted(refused) == sorted(export.lines("-")), which
    assert {*export.lines("+")} <= {*offered}, which
    assert asked == [name.strip() for line in export.lines("?") for name in line.split("|")], which
    assert_says(checked, export, way)


def assert_says(checked: Any, export: Export, way: str) -> None:
    for said in export.lines("!"):
        assert said in text_of(checked), f"{export.name} ({way})"


@pytest.fixture
def patient(clerk: Emulator) -> Emulator:
    """Clerk, with seats for everybody, and asked as often as a table takes."""
    clerk.configure(rate_limits=False)
    seats(clerk, 1000)
    return clerk


def test_the_table_is_worth_the_name() -> None:
    assert len(EXPORTS) >= 100
    assert len({export.name for export in EXPORTS}) == len(EXPORTS)
    assert sum(map(len, SITTINGS.values())) == len(EXPORTS)


@pytest.mark.parametrize("way", ["file", "paste"])
@pytest.mark.parametrize("sitting", SITTINGS)
def test_an_export_offers_what_its_owner_means(
    ada: Browser, patient: Emulator, sitting: str, way: str
) -> None:
    form = as_it_opens(ada)
    for export in SITTINGS[sitting]:
        if way in ways_of(export):
            checked = ada.post(CHECK, form | sent(export, way), target=PLACE)
            assert_offers(checked, export, way)
    assert posts(patient) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("sitting", SITTINGS)
def test_what_is_in_the_field_then_says_the_same_again(
    ada: Browser, patient: Emulator, sitting: str
) -> None:
    """And so is what was said of the file."""
    form = as_it_opens(ada)
    for export in SITTINGS[sitting]:
        for way in ways_of(export):
            checked = ada.post(CHECK, form | sent(export, way))
            assert_says(checked, export, way)
            if checked.context["review"] is None:
                continue
            again = ada.post(CHECK, filled(checked), target=PLACE)
            before, after = checked.context["review"], again.context["review"]
            assert after.digest == before.digest, f"{export.name} ({way})"
            assert shown(again)[0] == shown(checked)[0], f"{export.name} ({way})"
            assert shown(again)[3] == shown(checked)[3], f"{export.name} ({way})"
            assert_says(again, export, way)
    assert posts(patient) == []
