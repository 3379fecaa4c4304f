"""Exports and pastes of many programs, by what the page offers for them.

The texts and what each should give are in ``tests/corpus/exports.py``, a table of a few lines each.
"""

from __future__ import annotations

from typing import Any

import pytest

from org_invitations.emulator import Emulator
from tests.corpus.exports import EXPORTS, Export

from .conftest import Browser, text_of
from .inviting import a_file, filled, posts, seats
from .test_check import CHECK

TRIED = [
    pytest.param(export, way, id=f"{export.name} ({way})")
    for export in EXPORTS
    for way in (export.ways if isinstance(export.content, str) else ("file",))
]


def sent(export: Export, way: str) -> dict[str, Any]:
    if way == "paste":
        return {"email_addresses": export.content}
    return {"email_addresses": "", "file": a_file(export.as_bytes, "people.csv")}


def shown(response: Any) -> tuple[list[str], list[str], list[str], list[str]]:
    """Who would be invited, what is refused, what is offered, and what is asked."""
    review = response.context["review"]
    if review is None:
        return [], [], [], []
    invited = [
        item.entry.email_address + ("" if item.role.key == "org:member" else f" {item.role.name}")
        for item in review.preview.sendable
    ]
    refused = [item.entry.text for item in review.preview.refused]
    offered = [offer for item in review.preview.refused for offer in item.entry.offers]
    answers = review.question.answers[:-1] if review.question else ()
    asked = [answer.label.removeprefix("Only “").removesuffix("”") for answer in answers]
    return invited, refused, offered, asked


def test_the_table_is_worth_the_name() -> None:
    assert len(EXPORTS) >= 100
    assert len({export.name for export in EXPORTS}) == len(EXPORTS)


@pytest.mark.parametrize(("export", "way"), TRIED)
def test_an_export_offers_what_its_owner_means(
    ada: Browser, clerk: Emulator, export: Export, way: str
) -> None:
    seats(clerk, 1000)
    form = filled(ada.get()) | {"role": "org:member"}
    checked = ada.post(CHECK, form | sent(export, way))
    invited, refused, offered, asked = shown(checked)
    assert invited == export.lines("")
    assert sorted(refused) == sorted(export.lines("-"))
    assert {*export.lines("+")} <= {*offered}
    assert asked == [name.strip() for line in export.lines("?") for name in line.split("|")]
    for said in export.lines("!"):
        assert said in text_of(checked)
    assert posts(clerk) == []
    if checked.context["review"] is None:
        return
    # What is in the field now says the same again, and so is what was said of the file.
    again = ada.post(CHECK, filled(checked))
    assert again.context["review"].digest == checked.context["review"].digest
    assert shown(again)[0] == invited
    assert shown(again)[3] == asked
    for said in export.lines("!"):
        assert said in text_of(again)
