"""Numbers in attributes are for machines: ``<meter max="5,000">`` was a full bar."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.utils import formats, timezone

from org_invitations.emulator import Emulator
from org_invitations.models import Batch, BatchItem
from org_invitations.testing import SignIn

from .views.inviting import filled

HOME = "/invitations/"

#: What people read, in their language.
READ = {"aria-label", "placeholder", "title", "alt"}

#: How a number looks here that Django has put into somebody's language.
MARKED = re.compile(r"⟦(.*?)⟧")


class Attributes(HTMLParser):
    """Finds the attributes with a number in them that is written for people."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {
            f"<{tag} {name}={value!r}>"
            for name, value in attrs
            if name not in READ and MARKED.search(value or "")
        }


@pytest.fixture
def _marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mark what Django localizes in templates, whatever its size: a test has no thousands."""

    def localize(value: Any, use_l10n: bool | None = None) -> Any:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return f"⟦{value}⟧" if is_number else formats.localize(value, use_l10n)

    monkeypatch.setattr("django.template.base.localize", localize)


def _batch(clerk: Emulator, *, at_work: bool) -> str:
    """Write down something with three addresses; returns where it is shown."""
    batch = Batch.objects.create(
        organization_id=clerk.organization("acme").id,
        user_id=clerk.user("ada@acme.test").id,
        instance="clerk.emulator.test",
        action="invite",
        in_background=not at_work,
    )
    leased = {"leased_by": "me", "leased_until": timezone.now() + timedelta(minutes=2)}
    for number in range(3):
        BatchItem.objects.create(
            batch=batch,
            number=number,
            line=number,
            email_address=f"p{number}@example.com",
            **(leased if at_work else {}),
        )
    return f"{HOME}outcomes/{batch.pk}/{'' if at_work else 'progress/'}"


@pytest.fixture
def pages(
    client: Client, clerk_emulator: Emulator, clerk_sign_in: SignIn, settings: Any
) -> dict[str, str]:
    """What Ada is shown, by what it is."""
    clerk_sign_in(client, "ada@acme.test", organization="acme")
    rows = clerk_emulator.invitations("acme", "pending")
    organization = rows[0].organization_id
    some = {"selected": [row.id for row in rows[:2]], "all": "on", "organization": organization}
    addresses = {"email_addresses": "a@example.com\nnobody\nmax@acme.test", "role": "org:member"}
    listed = client.get(f"{HOME}?page=2&size=10")
    checked = client.post(f"{HOME}invite/", filled(listed) | addresses)
    answers = {
        "list": listed,
        "check": checked,
        "outcome": client.post(f"{HOME}invite/", filled(checked), follow=True),
        "refused": client.post(f"{HOME}invite/", {"email_addresses": "x"}),
        "at work": client.get(_batch(clerk_emulator, at_work=True)),
    }
    for action in ("revoke", "resend"):
        answers[f"{action} of many"] = client.post(f"{HOME}selected/", {**some, "action": action})
    for name in ("resend", "change", "revoke", "link"):
        answers[name] = client.get(f"{HOME}{rows[0].id}/{name}/")
    settings.ORG_INVITATIONS_BACKGROUND = True
    answers["progress"] = client.get(_batch(clerk_emulator, at_work=False))
    answers["list while workers work"] = client.get(HOME)
    statuses = {name: answer.status_code for name, answer in answers.items()}
    assert statuses == dict.fromkeys(answers, 200) | {"refused": 422}
    return {name: answer.text for name, answer in answers.items()}


@pytest.mark.usefixtures("_marked")
def test_no_number_in_an_attribute_is_localized(
    pages: dict[str, str], subtests: pytest.Subtests
) -> None:
    assert MARKED.search(pages["list"])  # what is read is marked
    for name, text in pages.items():
        with subtests.test(page=name):
            parser = Attributes()
            parser.feed(text)
            assert parser.found == set()
