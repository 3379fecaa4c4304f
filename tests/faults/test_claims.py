"""What the judge hears: each phrase is one of the app's own, and claims what it says."""

from __future__ import annotations

import re
from pathlib import Path

import org_invitations

from .browser import Answer
from .claims import BESIDE, CAPTIONS, MAX_NOTICE, PHRASES, STATES, What, read, read_notice

_CATALOGUE = Path(org_invitations.__file__).parent / "locale/de/LC_MESSAGES/django.po"


def _texts() -> list[str]:
    """The app's sentences in English, as somebody would read them."""
    found = re.findall(
        r'^msgid(?:_plural)? ((?:".*"\n)+)', _CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE
    )
    texts = []
    for quoted in found:
        text = "".join(re.findall(r'"(.*)"', quoted)).replace('\\"', '"')
        text = text.replace("%(email_address)s", "new@example.com").replace("%(role)s", "Member")
        texts.append(re.sub(r"<[^>]+>", "", text))
    return texts


TEXTS = _texts()


def test_the_app_still_says_so() -> None:
    patterns = [pattern for pattern, _ in (*PHRASES, *BESIDE)]
    unheard = [p for p in patterns if not any(re.search(p, text) for text in TEXTS)]
    assert unheard == []
    assert set(CAPTIONS) - set(TEXTS) == set()


def test_every_state_of_an_item_is_understood() -> None:
    from org_invitations.models import BatchItem

    assert set(STATES) == set(BatchItem.State.values)


def test_a_message_names_whom_it_is_about_and_as_what() -> None:
    [claim] = read_notice("Invitation sent to New@Example.com as People manager. Copy link")
    assert (claim.what, claim.address, claim.role) == (
        What.SENT,
        "new@example.com",
        "People manager",
    )


def test_a_message_may_claim_more_than_one_thing() -> None:
    claims = read_notice(
        "Invitation to a@example.com revoked. Its link no longer works. Nothing was changed."
    )
    assert [claim.what for claim in claims] == [What.REVOKED, What.NOTHING]


def test_a_message_of_sixty_thousand_letters_costs_no_more_than_its_beginning() -> None:
    assert read_notice("A" * MAX_NOTICE + "Nothing was changed") == []


def _answer(body: str, *, status: int = 200, kind: str = "text/html") -> Answer:
    return Answer("POST", "/invitations/", status, [("Content-Type", kind)], body, 0.0)


def test_a_refusal_without_a_known_phrase_says_that_nothing_came_of_it() -> None:
    body = '<div role="alert">It was a rainy day.</div>'
    assert [c.what for c in read(_answer(body, status=422))] == [What.NOTHING]
    assert read(_answer(body)) == []


def test_an_outcome_says_of_each_address_what_became_of_it() -> None:
    body = """
        <table><caption>Not sent <span>1</span></caption><tbody>
        <tr><th>a@example.com</th><td>Already invited on Nov. 3.</td></tr></tbody></table>
        <table><caption>Sent <span>1</span></caption><tbody>
        <tr><th>b@example.com</th><td>Member</td></tr></tbody></table>"""
    assert [(c.what, c.address) for c in read(_answer(body))] == [
        (What.NOT_MADE, "a@example.com"),
        (What.BEFORE, "a@example.com"),
        (What.MADE, "b@example.com"),
    ]


def test_a_file_says_the_same() -> None:
    body = "Email,Role,Line,Result,Reason\na@example.com,x,1,done,\nb@example.com,x,2,unsettled,\n"
    claims = read(_answer(body, kind="text/csv; charset=utf-8"))
    assert [(c.what, c.address) for c in claims] == [
        (What.MADE, "a@example.com"),
        (What.UNKNOWN, "b@example.com"),
    ]
