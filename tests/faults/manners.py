"""What holds for any answer: no crash, in time, with words, nothing lost, nothing leaked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .browser import Answer
from .claims import CAPTIONS, Claim, What
from .failures import BUDGET, DEADLINE, ERROR, FORGED, LEAK, TYPED, WORDLESS, Failure
from .hearing import Hearing, short, waits_for_a_reload
from .scene import DIALOG_TARGET, FORM_TARGET
from .settings import HURRIED
from .world import secrets_in

#: A request may take this much of its time and of its usual time, since Django takes some, too, and
#: since a busy machine is no fault of the app's.
_OF_ITS_TIME: Final = 1.4
_OF_ITS_USUAL_TIME: Final = 3

#: Nothing can be done any more with what was chosen: no right, nobody there, done already.
_OVER: Final = (403, 404, 409)

#: What the tables of an outcome are called; those of a check are called otherwise.
_OF_OUTCOMES: Final = CAPTIONS.keys() - {"Will be sent"}

#: Something came about, so what was typed need not be there any more.
_CAME_ABOUT: Final = {What.SENT, What.SILENT, What.REVOKED, What.UNINVITED, What.HALF}


def errors(hearing: Hearing) -> Iterator[Failure]:
    """No answer is a bare 500."""
    for _, answer in hearing.answers:
        if answer.status == 500:
            yield Failure(ERROR, f"{answer.method} {short(answer.url)}: {_why(hearing)}")


def _why(hearing: Hearing) -> str:
    lines = [line for name, line in hearing.scene.world.logs.lines if name == "django.request"]
    return lines[0].strip().splitlines()[-1][:200] if lines else "nothing is logged"


def seconds(hearing: Hearing) -> Iterator[Failure]:
    """No request takes longer than it may, where time is the matter."""
    fault = hearing.scene.fault
    if fault is None or not fault.takes_time:
        return
    limit = _OF_ITS_TIME * HURRIED["ORG_INVITATIONS_REQUEST_SECONDS"]
    limit += _OF_ITS_USUAL_TIME * hearing.usual.seconds
    for said, answer in hearing.answers:
        if said.under_fault and answer.seconds > limit:
            took = f"{answer.seconds:.1f} s, at most {limit:.1f} s"
            yield Failure(DEADLINE, f"{answer.method} {short(answer.url)}: {took}")


def budget(hearing: Hearing) -> Iterator[Failure]:
    """A fault makes the app ask more, but not without end."""
    usual = hearing.usual.calls
    count = len(hearing.scene.calls(hearing.scene.begin, hearing.scene.end))
    # Each is asked up to three times, and looked up; and of many each may have to go alone.
    if count > 3 * usual + 8 + 4 * len(hearing.scene.wishes):
        yield Failure(BUDGET, f"{count} calls, usually {usual}")


def words(hearing: Hearing) -> Iterator[Failure]:
    """Who does not get what they asked for is told why, in a place where they can read it."""
    for said, claims in hearing.heard:
        answer = said.answer
        if said.is_look or answer.status == 500 or not answer.is_html:
            continue
        page = answer.page
        where = f"{answer.status} at {short(answer.url)}"
        # A dialog that there is nothing left to ask in says so in its heading.
        says = page.notices or claims or "org-invitations-dialog-title" in page.ids
        if answer.status >= 400 and not says:
            yield Failure(WORDLESS, f"{where}, without a word")
        elif answer.status >= 400 and said.target and not answer.before and not answer.is_fragment:
            yield Failure(WORDLESS, f"{where}, and htmx will not show it")
        elif said.under_fault and answer.status == 200 and not (page.notices or claims):
            if hearing.shows is None or hearing.shows(page):
                continue
            yield Failure(WORDLESS, f"{where}, neither what was asked for nor why")


# --- What was typed -----------------------------------------------------------------------------


def typed(hearing: Hearing) -> Iterator[Failure]:
    """What was typed is there, unless it came about or its form is still on the page."""
    struck = [(s, c) for s, c in hearing.heard if s.under_fault and s.answer.is_html]
    if not hearing.scene.typed or not struck or struck[0][0].answer.status == 500:
        return
    said, claims = struck[0]
    answer = said.answer
    if (
        waits_for_a_reload(said)
        or _came_about(answer, claims)
        or (said.target and _leaves_the_form(answer, said.target))
    ):
        return
    fields: dict[str, set[str]] = {}
    for control in answer.page.controls:
        if control.is_sent or control.kind == "textarea":
            fields.setdefault(control.name, set()).add(_plain(control.value))
    # Where nothing can be read any more the outcome is the answer to the form itself.
    is_outcome = "/outcomes/" in answer.url or any(
        row.caption in _OF_OUTCOMES for row in answer.page.rows
    )
    for name, values in hearing.scene.typed.items():
        # What cannot be sent again can still be copied; on an outcome it is in the rows.
        there = fields.get(name, set()) | fields.get("", set())
        if is_outcome:
            there = there | set(_plain(answer.page.text).split())
        for value in values:
            if name != "email_addresses" and (is_outcome or answer.status in _OVER):
                continue  # it is written down, or there is nothing left to choose
            whole = _plain(value)
            if whole not in there and not (is_outcome and set(whole.split()) <= there):
                where = f"{answer.status} at {short(answer.url)}"
                yield Failure(TYPED, f"{name} {value[:60]!r} is gone, {where}")


def _came_about(answer: Answer, claims: list[Claim]) -> bool:
    if "org-invitations-progress" in answer.page.ids:
        return True  # it is left to workers, and kept
    goes_on = bool(answer.before) and "/outcomes/" not in answer.url and answer.status == 200
    return bool({claim.what for claim in claims} & _CAME_ABOUT) or goes_on


def _leaves_the_form(answer: Answer, target: str) -> bool:
    """Whether an answer to htmx goes elsewhere than to where the form is."""
    if answer.before:
        return False
    place = (answer.header("hx-retarget") or target).lstrip("#")
    if place == DIALOG_TARGET:
        # The dialog's form is in it; that of the page is not.
        return target == FORM_TARGET
    # The list comes with a message of what was done, and whatever is left to do.
    return place != FORM_TARGET


def _plain(text: str) -> str:
    return re.sub(r"[\s,;]+", " ", text).strip().casefold()


# --- What leaks ---------------------------------------------------------------------------------


def leaks(hearing: Hearing) -> Iterator[Failure]:
    """No link, key, token or address where it does not belong."""
    for _, answer in hearing.answers:
        yield from _leaks_of(answer)
    world = hearing.scene.world
    for name in sorted(secrets_in(world.stored())):
        yield Failure(LEAK, f"a {name} is in the database")
    for logger, line in world.logs.lines:
        for name in sorted(secrets_in(line)):
            yield Failure(LEAK, f"a {name} is in the log of {logger}")
    for wish in hearing.scene.wishes:
        for logger, line in world.logs.lines:
            if wish.address in line.casefold() and not logger.startswith("django"):
                yield Failure(LEAK, f"an address is in the log of {logger}")


def _leaks_of(answer: Answer) -> Iterator[Failure]:
    where = short(answer.url)
    may = {"link"} if answer.url.partition("?")[0].endswith("/link/") else set()
    for name in sorted(secrets_in(answer.body) - may):
        yield Failure(LEAK, f"a {name} is on the page {where}")
    for name in sorted(secrets_in("\n".join(_public_headers(answer)))):
        yield Failure(LEAK, f"a {name} is in a header of {where}")


def _public_headers(answer: Answer) -> Iterator[str]:
    for name, value in answer.headers:
        # An expired token goes to Clerk itself with a handshake, as in Clerk's SDK.
        if name.lower() != "set-cookie" and "/v1/client/handshake?" not in value:
            yield value


def forged(hearing: Hearing) -> Iterator[Failure]:
    """A line of the log is one line, whatever Clerk says."""
    for line in hearing.scene.world.logs.forged[:1]:
        yield Failure(FORGED, repr(line[:100]))
