"""What an answer says, as claims that can be held against what is so.

The pages say it in sentences, so these are read, by the phrases that carry the meaning. A phrase
that the app does not use any more makes the judge deaf, so ``test_claims.py`` holds each against
the app's own texts, and an action without any fault must be heard to have worked.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .browser import Answer


class What(StrEnum):
    """What is claimed of an address; or, without one, of everything that was wished."""

    #: It was invited by this, and a mail went out; the same without a mail; either of the two.
    SENT = "sent"
    SILENT = "invited without a mail"
    MADE = "invited"
    #: Its invitation is revoked.
    REVOKED = "revoked"
    #: It was not invited by this, and will not be.
    NOT_MADE = "not sent"
    #: Its invitation was not revoked by this.
    NOT_REVOKED = "not revoked"
    #: Nothing at all was changed by this.
    NOTHING = "nothing was changed"
    #: Some of it was done, and that is said elsewhere of each.
    PARTLY = "partly done"
    #: It has no invitation now.
    UNINVITED = "not invited"
    #: The old invitation was revoked and the new one not made; another one is named if there is.
    HALF = "half done"
    #: It has a pending invitation, which is not made by this.
    BEFORE = "invited before"
    #: It belongs to a member.
    MEMBER = "a member"
    #: Its invitation is not pending any more.
    GONE = "no longer pending"
    #: Nobody knows; or it is being worked at.
    UNKNOWN = "not known"
    #: It can be invited.
    ABLE = "can be invited"
    #: Of who is invited: an invitation of theirs stands; or they have none.
    STANDS = "has an invitation"
    NONE = "has no invitation"
    #: The invitation is revoked by us, and the membership is missing.
    BEGUN = "joining has begun"
    #: Managers see that they ask for a new invitation.
    ASKED = "asks for a new one"


@dataclass(frozen=True)
class Claim:
    """One claim, and the words that make it."""

    what: What
    #: As ``casefold`` has it; empty: all that was wished.
    address: str
    words: str
    #: The role's name, where it is said.
    role: str = ""


_ADDRESS: Final = r"(?P<address>[^\s@]{1,320}@\S{1,320}?)"

#: Whom Clerk's answer to a write names, whatever that is.
_ANYBODY: Final = r"(?P<address>.{0,320}?)"

#: Clerk may name somebody with sixty thousand letters.
MAX_NOTICE: Final = 2_000

#: Phrases and what they claim. Several may be in one notice.
PHRASES: Final[tuple[tuple[str, What], ...]] = (
    (rf"[Ii]nvitation sent to {_ANYBODY} ?as (?P<role>.+?)\.", What.SENT),
    (rf"{_ANYBODY} is invited (?:anew )?as (?P<role>.+?)\. No email was sent", What.SILENT),
    (rf"Invitation to {_ANYBODY} revoked\. Its link no longer works", What.REVOKED),
    (r"Done before that", What.PARTLY),
    (rf"invitation to {_ADDRESS} was revoked, but the new one could not be sent", What.HALF),
    (rf"{_ADDRESS} is not invited any more", What.UNINVITED),
    (rf"{_ADDRESS} stays uninvited", What.UNINVITED),
    (rf"known yet whether {_ADDRESS} has a new invitation", What.UNKNOWN),
    (rf"{_ADDRESS} keeps the other invitation", What.BEFORE),
    (rf"has sent {_ADDRESS} another invitation meanwhile", What.BEFORE),
    (rf"{_ADDRESS} already has a pending invitation", What.BEFORE),
    (rf"{_ADDRESS} was invited on ", What.BEFORE),
    (rf"{_ADDRESS} is already a member of", What.MEMBER),
    (rf"{_ADDRESS} has accepted the invitation", What.MEMBER),
    (r"do not know whether", What.UNKNOWN),
    (r"may still appear", What.UNKNOWN),
    (r"may change in a moment", What.UNKNOWN),
    (r"is just being sent", What.UNKNOWN),
    (r"is just being revoked", What.UNKNOWN),
    (r"nothing tells whether", What.UNKNOWN),
    (r"not known yet whether", What.UNKNOWN),
    (r"[Nn]othing was changed", What.NOTHING),
    (r"[Nn]othing was done", What.NOTHING),
    (r"[Nn]othing was sent", What.NOT_MADE),
    (r"Nothing was revoked", What.NOT_REVOKED),
    (r"no longer pending", What.GONE),
    (r"was already revoked", What.GONE),
    (r"There is no such invitation", What.GONE),
    # What is said to those who are invited.
    (r"You have joined ", What.MEMBER),
    (r"You belong to ", What.MEMBER),
    (r"You have declined it\. Its link does not work any more", What.REVOKED),
    (r"This invitation is no longer valid", What.GONE),
    (r"The invitation holds until", What.STANDS),
    (r"Your invitation stands", What.STANDS),
    (r"your invitation stands", What.STANDS),
    (r"You are not invited to any organization", What.NONE),
    (r"Joining was begun\. Press the button to finish it", What.UNKNOWN),
    (r"Joining has begun and is not finished", What.BEGUN),
    (r"if joining has begun, it goes on there", What.UNKNOWN),
    (r"do not know how it stands", What.UNKNOWN),
    (r"This is being done at the moment", What.UNKNOWN),
    (r"while you were joining, and you could not be added", What.HALF),
    (r"Joining was begun and could not be finished", What.HALF),
    (r"see now that you ask for a new one", What.ASKED),
)

#: What the captions of tables claim of the addresses in their rows.
CAPTIONS: Final = {
    "Sent": What.MADE,
    "Revoked": What.REVOKED,
    "Not sent": What.NOT_MADE,
    "Not revoked": What.NOT_REVOKED,
    "Not known yet": What.UNKNOWN,
    "Waiting": What.NOT_MADE,
    "Needed nothing": What.NOT_MADE,
    "Will be sent": What.ABLE,
}
#: Of what is to be put right, an outcome claims that it was not sent; a check claims nothing.
_TO_FIX: Final = "To fix"
#: In a check, those of which no more is claimed than what stands beside them.
_REFUSED: Final = (_TO_FIX, "Need nothing")

#: What stands beside an address and says more than the caption does.
BESIDE: Final = (
    (r"revoked, but the new one could not be sent", What.HALF),
    (r"Already invited", What.BEFORE),
    (r"sent another invitation meanwhile", What.BEFORE),
    (r"Already a member", What.MEMBER),
    (r"[Nn]o longer pending", What.GONE),
    (r"Was revoked already", What.GONE),
    (r"There is no such invitation", What.GONE),
)

#: What a file says of each, by the state that is in it.
STATES: Final = {
    "done": What.MADE,
    "waiting": What.NOT_MADE,
    "refused": What.NOT_MADE,
    "failed": What.NOT_MADE,
    "unsettled": What.UNKNOWN,
    "under-way": What.UNKNOWN,
    "half-done": What.HALF,
}


def read(answer: Answer) -> list[Claim]:
    """All claims of an answer."""
    if (answer.header("content-type") or "").startswith("text/csv"):
        return _read_file(answer.body)
    page = answer.page
    claims = [claim for notice in page.notices for claim in read_notice(notice)]
    for row in page.rows:
        caption = row.caption
        if caption == _TO_FIX and "/outcomes/" in answer.url:
            caption = "Not sent"
        if row.cells and (caption in CAPTIONS or caption in _REFUSED):
            claims += _read_row(caption, row.cells[0], " ".join(row.cells[1:]))
    if page.text and "At work…" in page.text:
        claims.append(Claim(What.UNKNOWN, "", "At work…"))
    if answer.status >= 400 and answer.method == "POST" and not claims and page.notices:
        # A form that is refused says that nothing came of it, whatever its words. A page that
        # cannot be shown, as that to which a form has led, says nothing of that.
        claims.append(Claim(What.NOTHING, "", page.notices[0][:200]))
    return claims


def read_notice(text: str) -> list[Claim]:
    """The claims of a message; a long one is read as far as sentences of ours go."""
    text = text[:MAX_NOTICE]
    claims = []
    for pattern, what in PHRASES:
        for match in re.finditer(pattern, text):
            named = match.groupdict()
            address = (named.get("address") or "").casefold()
            claims.append(Claim(what, address, text[:300], named.get("role") or ""))
    return claims


def _read_row(caption: str, name: str, beside: str) -> list[Claim]:
    address = name.casefold()
    words = f"{caption}: {name}: {beside}"[:300]
    closer = [what for pattern, what in BESIDE if re.search(pattern, beside)]
    if caption in _REFUSED:
        return [Claim(what, address, words) for what in closer]
    if CAPTIONS[caption] in (What.NOT_MADE, What.NOT_REVOKED) and closer:
        # What was refused as invited before was not sent, either.
        first = CAPTIONS[caption]
        return [Claim(what, address, words) for what in dict.fromkeys((first, *closer))]
    return [Claim(CAPTIONS[caption], address, words)]


def _read_file(text: str) -> list[Claim]:
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    if not rows or "Result" not in rows[0]:
        return []
    where = rows[0].index("Result")
    return [
        Claim(STATES[row[where]], row[0].casefold(), " ".join(row))
        for row in rows[1:]
        if row[where] in STATES
    ]
