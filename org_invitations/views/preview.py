"""What would become of each address, as it is shown before anything is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

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

#: What parts the words of an address.
_BETWEEN_WORDS: Final = " \t@.,;<>()"


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
    #: What was typed, or the address, in three parts; the second is what is wrong in it, or empty.
    marked: tuple[str, str, str]
    #: Why it would not be sent; empty where there is nothing to say.
    text: str = ""
    #: The line it is on, where there are several; else 0.
    line: int = 0
    #: What it would be invited as, where that is another role than the form's; or empty.
    role_name: str = ""
    #: The pending invitation's page to send it again, where there is one.
    resend_url: str = ""
    #: Its page to change the role or the expiry.
    change_url: str = ""
    #: Whether its role is one that needs a confirmation.
    is_elevated: bool = False
    #: Whether the first of its offers is to have the focus.
    has_focus: bool = False
    #: The addresses that can be taken in place of it.
    offers: tuple[Press, ...] = ()
    #: What leaves it as it was typed, or takes it out of the list; None where that is no choice.
    keep: Press | None = None
    leave: Press | None = None


@dataclass(frozen=True, slots=True)
class PreviewSection:
    """Those with the same fate."""

    #: ``to-fix``, ``sent``, ``unknown`` (would be sent, but nobody knows whether they are members
    #: or invited), ``later`` or ``settled``, which need nothing.
    name: str
    caption: str
    #: Whether there is no more to say of each than its role, where that is another than most have.
    is_list: bool
    #: What most would be invited as; empty where that is not said.
    role_name: str
    #: How many there are, with those that are not shown.
    count: int
    #: Those that are seen at once, and the others, on request.
    rows: tuple[PreviewRow, ...]
    folded: tuple[PreviewRow, ...] = ()
    #: What unfolds these.
    fold: str = ""
    #: How many are not shown.
    more: int = 0
    #: What can be changed for many of them by one press.
    presses: tuple[Press, ...] = ()


@dataclass(frozen=True, slots=True)
class PreviewReport:
    """The check, ready for its template."""

    preview: Preview
    #: What is to be done first; then what will be sent; then what needs nothing.
    sections: tuple[PreviewSection, ...]
    #: "4 to fix." and "5 will be sent." as sentences of their own.
    sentences: tuple[str, ...]
    #: What the button says.
    button: str
    #: What is said beside it; or empty.
    hint: str
    #: Sent with the form: that this is what was read before.
    digest: str
    #: Whether its heading is to have the focus.
    has_focus: bool = False
    #: The only address there is, where it looks like a slip: shown without a table.
    slip: PreviewRow | None = None
    #: Why it is not complete.
    problem: str = ""
    #: What is said once of the whole text or file.
    notes: tuple[str, ...] = ()
    #: The same, for the next check of this list: sent with the form.
    written_notes: str = ""
    #: What somebody has said to be meant as it was typed: sent with the form.
    as_typed: str = ""
    #: What is asked about it; None where nothing is.
    question: PreviewQuestion | None = None


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
        if not reason.name or previewed.status is PreviewStatus.REFUSED:
            return ""
        values = {**reason.params, "text": previewed.entry.text}
        return str(self.wording.for_item(reason.name, values))

    def get_report(
        self,
        preview: Preview,
        form: InviteForm | None = None,
        *,
        focus: bool = False,
        is_pressed: bool = False,
    ) -> PreviewReport:
        """Return what the template shows.

        :param form: where the entries come from; without it nothing can be pressed.
        :param focus: whether it is to have the focus: its heading, or the suggestion for the only
            address there is.
        :param is_pressed: whether one of its buttons was: then the next suggestion has the focus.
        """
        question = self._question(form.reading) if form is not None else None
        sections = tuple(self._sections(preview, form))
        is_single = len(preview.items) == 1
        slip = sections[0].rows[0] if is_single and sections[0].rows[0].offers else None
        sentences = (self.wording.say("Question:first"),) if question else ()
        as_typed = sorted(form.as_typed) if form is not None else ()
        if focus and (slip or is_pressed) and sections and sections[0].rows[0].offers:
            focus = False
            first = replace(sections[0].rows[0], has_focus=True)
            slip = first if slip else None
            rows = (first, *sections[0].rows[1:])
            sections = (replace(sections[0], rows=rows), *sections[1:])
        return PreviewReport(
            preview=preview,
            sections=() if is_single and (slip or preview.sendable) else sections,
            slip=slip,
            sentences=sentences or tuple(self._sentences(preview)),
            button=self._button(preview),
            hint=self._hint(preview),
            digest=fingerprint_of(item.entry for item in preview.items),
            has_focus=focus,
            problem="" if preview.error is None else self.wording.say("Check:incomplete"),
            notes=tuple(self._notes(preview, form)) if form is not None else (),
            written_notes=write_notes(form.reading) if form is not None else "",
            as_typed=" ".join(as_typed),
            question=question,
        )

    def get_rest(self, preview: Preview, form: InviteForm, texts: Sequence[str]) -> PreviewReport:
        """Return what is to be put right in what an outcome has left; the rest is not shown.

        :param texts: of each item, why it was not sent.
        """
        report = self.get_report(preview, form)
        sections = tuple(
            section for section in self._sections(preview, form, texts) if section.name == "to-fix"
        )
        return replace(report, sections=sections, slip=None, sentences=(), hint="")

    def _sections(
        self, preview: Preview, form: InviteForm | None, texts: Sequence[str] = ()
    ) -> Iterable[PreviewSection]:
        """Yield what there is to say of which of them: what is to be done comes first."""
        number = {id(item): place for place, item in enumerate(preview.items)}
        elevated = {role.key for role in preview.elevated}
        is_one_line = len({item.entry.line for item in preview.items}) < 2
        usual = str(form["role"].value() or "") if form is not None else ""
        role = form.offered_roles.get(usual) if form is not None else None
        later = [item for item in preview.items if item.status is PreviewStatus.LATER]
        captions = {
            "to-fix": gettext("To fix"),
            "sent": gettext("Will be sent"),
            "unknown": gettext("Not known whether they can be invited"),
            "later": gettext("In the next step"),
            "settled": gettext("Need nothing"),
        }
        parts: dict[str, Sequence[PreviewItem]] = {
            # Of what can be mended by a press before the rest; last a row that has no address.
            "to-fix": sorted(
                preview.to_fix,
                key=lambda item: (
                    not item.entry.suggestion,
                    item.status is PreviewStatus.NO_ADDRESS,
                ),
            ),
            "sent": [item for item in preview.sendable if item.is_known],
            "unknown": [item for item in preview.sendable if not item.is_known],
            "later": later,
            "settled": preview.settled,
        }
        for name, items in parts.items():
            rows = tuple(
                self._row(
                    item,
                    number[id(item)],
                    text=texts[number[id(item)]] if texts else "",
                    is_elevated=item.role is not None and item.role.key in elevated,
                    is_one_line=is_one_line,
                    usual=usual,
                )
                for item in items[:MAX_SHOWN]
            )
            if not rows:
                continue
            is_first = name == "to-fix" and form is not None
            yield PreviewSection(
                name=name,
                caption=captions[name],
                is_list=name in ("sent", "unknown"),
                role_name=role.name if name == "sent" and role is not None else "",
                count=len(items),
                rows=rows[:MAX_OPEN],
                folded=rows[MAX_OPEN:],
                fold=self._fold(len(rows) - MAX_OPEN),
                more=len(items) - len(rows),
                presses=tuple(self._presses(preview, form)) if is_first and form else (),
            )

    def _fold(self, count: int) -> str:
        return ngettext("%(count)d more", "%(count)d more", count) % {"count": count}

    def _button(self, preview: Preview) -> str:
        count = len(preview.sendable)
        if len(preview.items) == 1 and (count or preview.items[0].entry.offers):
            return gettext("Send invitation")
        if not count:
            return gettext("Check again")
        text = ngettext("Send %(count)d invitation", "Send %(count)d invitations", count)
        return text % {"count": count}

    def _hint(self, preview: Preview) -> str:
        """Return what becomes of those that are not sent by the button."""
        count = len(preview.to_fix)
        if not (count and preview.sendable):
            return ""
        text = ngettext("The one to fix is kept.", "The %(count)d to fix are kept.", count)
        return text % {"count": count}

    def _row(
        self,
        previewed: PreviewItem,
        number: int,
        *,
        text: str,
        is_elevated: bool,
        is_one_line: bool,
        usual: str,
    ) -> PreviewRow:
        entry, role, invitation = previewed.entry, previewed.role, previewed.invitation
        is_to_fix = previewed.is_to_fix
        text = text or self.describe(previewed)
        if previewed.status is PreviewStatus.NOT_AN_ADDRESS:
            # What is not one is in the same row, and what was meant is on a button.
            text = self.wording.say("Check:not-an-address")
        mistyped = previewed.status is PreviewStatus.MISTYPED
        keep = leave = None
        if mistyped:
            keep = Press("keep", entry.email_address, gettext("Keep as typed"))
        if is_to_fix:
            leave = Press("leave", f"{number}:{entry.text}", gettext("Leave out"))
        return PreviewRow(
            previewed=previewed,
            marked=_mark(entry) if is_to_fix else ("", "", ""),
            text=text,
            line=0 if is_one_line else entry.line,
            role_name=role.name if role is not None and role.key != usual else "",
            resend_url=self.find_url("resend", invitation_id=invitation.id) if invitation else "",
            change_url=self.find_url("change", invitation_id=invitation.id) if invitation else "",
            is_elevated=is_elevated,
            offers=tuple(
                Press("use", f"{number}:{offer}", gettext("Use %(address)s") % {"address": offer})
                for offer in entry.offers[:MAX_OFFERS]
            )
            if is_to_fix
            else (),
            keep=keep,
            leave=leave,
        )

    def _sentences(self, preview: Preview) -> Iterable[str]:
        """Yield how many of each there are: what is to be done comes first."""
        counts = preview.counts
        only = preview.items[0] if len(preview.items) == 1 else None
        if only is not None and only.is_to_fix and only.entry.suggestion:
            # It is said before anybody presses, as it is shown.
            yield gettext("Did you mean %(suggestion)s?") % {"suggestion": only.entry.suggestion}
            return
        if fix := len(preview.to_fix):
            yield ngettext("%(count)d to fix.", "%(count)d to fix.", fix) % {"count": fix}
        unknown = sum(not item.is_known for item in preview.sendable)
        if count := counts[PreviewStatus.NEW] - unknown:
            text = ngettext("%(count)d will be sent.", "%(count)d will be sent.", count)
            yield text % {"count": count}
        elif not unknown:
            yield gettext("Nobody to invite.")
        if unknown:
            yield ngettext(
                "It is not known whether %(count)d can be invited.",
                "It is not known whether %(count)d can be invited.",
                unknown,
            ) % {"count": unknown}
        if later := counts[PreviewStatus.LATER]:
            yield ngettext(
                "%(count)d more must wait for the next step: %(limit)d go at a time.",
                "%(count)d more must wait for the next step: %(limit)d go at a time.",
                later,
            ) % {"count": later, "limit": self.limit}
        if settled := len(preview.settled):
            text = ngettext("%(count)d needs nothing.", "%(count)d need nothing.", settled)
            yield text % {"count": settled}
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
            bool(item.entry.suggestion and not item.entry.alternatives) for item in preview.to_fix
        )
        if offers > 1:
            label = (
                gettext("Use both suggestions")
                if offers == 2
                else ngettext("Use %(count)d suggestion", "Use all %(count)d suggestions", offers)
                % {"count": offers}
            )
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


def _common(one: str, other: str) -> int:
    """Return with how many equal letters two texts begin."""
    pairs = enumerate(zip(one, other, strict=False))
    unlike = (place for place, (a, b) in pairs if a != b)
    return next(unlike, min(len(one), len(other)))


def _mark(entry: Entry) -> tuple[str, str, str]:
    """Return what was typed in three parts: the second is where it differs from what was meant.

    Of letters the whole word is marked: one letter is easily overlooked.
    """
    text, meant = entry.text, entry.suggestion
    if not meant:
        return text, "", ""
    start = _common(text, meant)
    rest = min(len(text), len(meant)) - start
    end = min(_common(text[::-1], meant[::-1]), rest)
    stop = len(text) - end
    if not any(letter in _BETWEEN_WORDS for letter in text[start:stop]):
        while start and text[start - 1] not in _BETWEEN_WORDS:
            start -= 1
        while stop < len(text) and text[stop] not in _BETWEEN_WORDS:
            stop += 1
    return text[:start], text[start:stop], text[stop:]


def fingerprint_of(entries: Iterable[Entry]) -> str:
    """Return what tells apart two lists of addresses, in short."""
    what = "\n".join(f"{entry.email_address}\t{entry.role}\t{entry.refusal}" for entry in entries)
    return hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()[:32]
