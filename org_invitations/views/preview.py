"""What would become of each address, as it is shown before anything is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, ngettext

from ..addresses import Entry, Note, NoteKind, Reading, write_notes
from ..forms import ALL, InviteForm
from ..services.preview import Preview, PreviewItem, PreviewStatus
from ..services.reasons import Reason
from ..wording import Wording

#: How many of each kind are shown one by one. A page of ten thousand rows helps nobody.
MAX_SHOWN = 200
#: And how many of them before the rest is folded.
MAX_OPEN = 20

#: How many addresses are offered in place of one row.
MAX_OFFERS = 5


@dataclass(frozen=True, slots=True)
class Press:
    """Something that a press of a button changes in the list: ``name`` and ``value`` are sent."""

    name: str
    value: str
    #: What the button says.
    label: str


@dataclass(frozen=True, slots=True)
class PreviewQuestion:
    """Which of several columns to use, with a button for each answer."""

    text: str
    answers: tuple[Press, ...]


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One piece of what was typed, and what would become of it, in words."""

    previewed: PreviewItem
    #: Empty for what can be invited without more to say.
    text: str
    #: The pending invitation's page to send it again, where there is one.
    resend_url: str = ""
    #: Whether its role is one that needs a confirmation.
    is_elevated: bool = False
    #: The addresses that can be taken in place of it.
    offers: tuple[Press, ...] = ()


@dataclass(frozen=True, slots=True)
class PreviewReport:
    """The check, ready for its template."""

    preview: Preview
    #: What cannot be sent, or not in this request, first; then what can.
    refused: tuple[PreviewRow, ...]
    sendable: tuple[PreviewRow, ...]
    #: What can be sent, too, but nobody knows whether it is a member's or invited already.
    unknown: tuple[PreviewRow, ...]
    #: Those of each that are seen at once, and the others, on request.
    open_refused: tuple[PreviewRow, ...]
    folded_refused: tuple[PreviewRow, ...]
    open_sendable: tuple[PreviewRow, ...]
    folded_sendable: tuple[PreviewRow, ...]
    open_unknown: tuple[PreviewRow, ...]
    folded_unknown: tuple[PreviewRow, ...]
    #: How many rows of each are not shown.
    more_refused: int
    more_sendable: int
    more_unknown: int
    #: "7 can be invited." and "2 cannot." as sentences of their own.
    sentences: tuple[str, ...]
    #: What the button says.
    button: str
    #: Sent with the form: that this is what was read before.
    digest: str
    #: Whether its heading is to have the focus.
    focus: bool = False
    #: Why it is not complete.
    problem: str = ""
    #: What is said once of the whole text or file.
    notes: tuple[str, ...] = ()
    #: The same, for the next check of this list: sent with the form.
    written_notes: str = ""
    #: What is asked about it; None where nothing is.
    question: PreviewQuestion | None = None
    #: What can be changed for many rows by one press.
    presses: tuple[Press, ...] = ()


class PreviewPresenter:
    """Puts what would become of each address into words and buttons. It asks nobody."""

    def __init__(self, wording: Wording, find_url: Callable[..., str], limit: int) -> None:
        """Prepare.

        :param find_url: tells the URL of a view by its name and arguments; empty where the site
            has no such view.
        :param limit: how many invitations go in one request.
        """
        self.wording = wording
        self.find_url = find_url
        self.limit = limit

    def describe(self, previewed: PreviewItem) -> str:
        """Return what would become of a piece; empty where there is nothing to say."""
        reason = Reason.of_preview(previewed)
        if reason.name:
            values = {**reason.params, "text": previewed.entry.text}
            return str(self.wording.for_item(reason.name, values))
        if previewed.entry.suggestion:
            return gettext("Did you mean %(suggestion)s?") % {
                "suggestion": previewed.entry.suggestion
            }
        return ""

    def get_report(
        self, preview: Preview, form: InviteForm | None = None, *, focus: bool = False
    ) -> PreviewReport:
        """Return what the template shows.

        :param form: where the entries come from; without it nothing can be pressed.
        :param focus: whether the heading is to have the focus.
        """
        elevated = {role.key for role in preview.elevated}
        number = {id(item): place for place, item in enumerate(preview.items)}
        # Whatever can be mended comes first, and whoever may have been mistyped: the rest needs no
        # look, least of all a row that has no address.
        mendable = sorted(
            preview.refused,
            key=lambda item: (not item.entry.suggestion, item.status is PreviewStatus.NO_ADDRESS),
        )
        doubtful = sorted(preview.sendable, key=lambda item: not item.entry.suggestion)
        known = [item for item in doubtful if item.is_known]
        unknown = [item for item in doubtful if not item.is_known]

        def rows(items: Sequence[PreviewItem], elevated: Collection[str]) -> tuple[PreviewRow, ...]:
            return tuple(self._row(item, number[id(item)], elevated) for item in items[:MAX_SHOWN])

        shown_refused, shown_known = rows(mendable, ()), rows(known, elevated)
        shown_unknown = rows(unknown, elevated)
        question = self._question(form.reading) if form is not None else None
        return PreviewReport(
            preview=preview,
            refused=shown_refused,
            sendable=shown_known,
            unknown=shown_unknown,
            open_refused=shown_refused[:MAX_OPEN],
            folded_refused=shown_refused[MAX_OPEN:],
            open_sendable=shown_known[:MAX_OPEN],
            folded_sendable=shown_known[MAX_OPEN:],
            open_unknown=shown_unknown[:MAX_OPEN],
            folded_unknown=shown_unknown[MAX_OPEN:],
            more_refused=len(mendable) - len(shown_refused),
            more_sendable=len(known) - len(shown_known),
            more_unknown=len(unknown) - len(shown_unknown),
            sentences=(self.wording.say("Question:first"),)
            if question
            else tuple(self._sentences(preview)),
            button=self._button(len(preview.sendable)),
            digest=fingerprint_of(item.entry for item in preview.items),
            focus=focus,
            problem="" if preview.error is None else self.wording.say("Check:incomplete"),
            notes=tuple(self._notes(preview, form)) if form is not None else (),
            written_notes=write_notes(form.reading) if form is not None else "",
            question=question,
            presses=tuple(self._presses(preview, form)) if form is not None else (),
        )

    def _button(self, count: int) -> str:
        if not count:
            return gettext("Check again")
        text = ngettext("Send %(count)d invitation", "Send %(count)d invitations", count)
        return text % {"count": count}

    def _row(self, previewed: PreviewItem, number: int, elevated: Collection[str]) -> PreviewRow:
        url = ""
        if previewed.invitation is not None:
            url = self.find_url("resend", invitation_id=previewed.invitation.id)
        is_elevated = previewed.role is not None and previewed.role.key in elevated
        offers = tuple(
            Press("use", f"{number}:{offer}", gettext("Use %(address)s") % {"address": offer})
            for offer in previewed.entry.offers[:MAX_OFFERS]
        )
        return PreviewRow(previewed, self.describe(previewed), url, is_elevated, offers)

    def _sentences(self, preview: Preview) -> Iterable[str]:
        counts = preview.counts
        later = counts[PreviewStatus.LATER]
        unknown = sum(not item.is_known for item in preview.sendable)
        count = counts[PreviewStatus.NEW] - unknown
        if count or not unknown:
            yield ngettext("%(count)d can be invited.", "%(count)d can be invited.", count) % {
                "count": count
            }
        if unknown:
            yield ngettext(
                "It is not known whether %(count)d can be invited.",
                "It is not known whether %(count)d can be invited.",
                unknown,
            ) % {"count": unknown}
        if refused := len(preview.refused) - later:
            yield ngettext(
                "%(count)d cannot be invited.", "%(count)d cannot be invited.", refused
            ) % {"count": refused}
        if later:
            yield ngettext(
                "%(count)d more must wait for the next step: %(limit)d go at a time.",
                "%(count)d more must wait for the next step: %(limit)d go at a time.",
                later,
            ) % {"count": later, "limit": self.limit}
        if preview.seats is not None and counts[PreviewStatus.NO_SEAT]:
            left = preview.seats.left or 0
            if left:
                yield ngettext(
                    "Only %(count)d seat is left.", "Only %(count)d seats are left.", left
                ) % {"count": left}
            else:
                yield gettext("No seat is left.")

    def _notes(self, preview: Preview, form: InviteForm) -> Iterable[str]:
        """Yield what is said once of a whole text or file."""
        for note in form.reading.notes:
            yield self._describe_note(note)
        if preview.counts[PreviewStatus.ROLE_UNKNOWN]:
            names = ", ".join(role.name for role in form.offered_roles.roles)
            yield self.wording.say("Note:roles-unknown", names=names)

    def _describe_note(self, note: Note) -> str:
        """Return what is said of something that concerns many lines."""
        values: dict[str, Any] = {
            "first": note.first_line,
            "last": note.last_line,
            "names": ", ".join(f"“{name}”" for name in note.names),
        }
        case = ""
        if note.kind is NoteKind.NO_ROLES:
            values["column"], values["names"] = (
                note.names[0],
                ", ".join(f"“{name}”" for name in note.names[1:]),
            )
        elif note.kind is NoteKind.ENCODING:
            values["text"] = note.names[0]
        elif note.kind in (NoteKind.NOT_PEOPLE, NoteKind.REPEATED):
            case = ":one" if note.first_line == note.last_line else ""
            if note.kind is NoteKind.NOT_PEOPLE and note.names:
                case += ":named"
        return self.wording.say(f"Note:{note.kind}{case}", **values)

    def _question(self, reading: Reading) -> PreviewQuestion | None:
        """Return which of several columns is asked about, with a button for each answer."""
        question = reading.question
        if question is None:
            return None
        names = ", ".join(
            gettext("“%(column)s” (%(count)d)") % {"column": column, "count": count}
            for column, count in zip(question.columns, question.counts, strict=True)
        )
        text = self.wording.say("Question:columns", names=names)
        answers = [
            Press("column", str(number), gettext("Only “%(column)s”") % {"column": column})
            for number, column in enumerate(question.columns)
        ]
        answers.append(Press("column", ALL, gettext("All of them")))
        return PreviewQuestion(text, tuple(answers))

    def _presses(self, preview: Preview, form: InviteForm) -> Iterable[Press]:
        """Yield what can be changed for many rows at once."""
        offers = sum(
            bool(item.entry.suggestion and not item.entry.alternatives) for item in preview.items
        )
        if offers > 1:
            label = ngettext(
                "Use %(count)d suggestion", "Use all %(count)d suggestions", offers
            ) % {"count": offers}
            yield Press("use", ALL, label)
        unknown = preview.counts[PreviewStatus.ROLE_UNKNOWN]
        role = form.offered_roles.get(str(form["role"].value() or ""))
        if unknown and role is not None:
            label = ngettext(
                "Invite the %(count)d without such a role as %(role)s",
                "Invite the %(count)d without such a role as %(role)s",
                unknown,
            ) % {"count": unknown, "role": role.name}
            yield Press("roles", "chosen", label)


def fingerprint_of(entries: Iterable[Entry]) -> str:
    """Return what tells apart two lists of addresses, in short."""
    what = "\n".join(f"{entry.email_address}\t{entry.role}\t{entry.refusal}" for entry in entries)
    return hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()[:32]
