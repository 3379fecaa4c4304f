"""The check before sending, as it is shown: what would become of each address."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext, ngettext

from .. import htmx
from ..addresses import Entry, Note, NoteKind, Reading, parse_text, write_notes
from ..clerk import ClerkError
from ..clerk import exceptions as exc
from ..forms import ALL, InviteForm
from ..services import Workspace
from ..services.reasons import Reason
from ..services.screening import Screened, Screening, Verdict
from ..wording import Problem, Stage
from .organization import SeeOther
from .typed import TypedFormMixin

#: How many of each kind are shown one by one. A page of ten thousand rows helps nobody.
MAX_SHOWN = 200
#: And how many of them before the rest is folded.
MAX_OPEN = 20

#: How many addresses are offered in place of one row.
MAX_OFFERS = 5

#: So many characters are looked through for an address; in more of them there will be one.
MAX_LOOKED_AT = 1000


@dataclass(frozen=True, slots=True)
class Press:
    """Something that a press of a button changes in the list: ``name`` and ``value`` are sent."""

    name: str
    value: str
    #: What the button says.
    label: str


@dataclass(frozen=True, slots=True)
class ReviewQuestion:
    """Which of several columns to use, with a button for each answer."""

    text: str
    answers: tuple[Press, ...]


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One piece of what was typed, and what would become of it, in words."""

    screened: Screened
    #: Empty for what can be invited without more to say.
    text: str
    #: The pending invitation's page to send it again, where there is one.
    resend_url: str = ""
    #: Whether its role is one that needs a confirmation.
    is_elevated: bool = False
    #: The addresses that can be taken in place of it.
    offers: tuple[Press, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """The check, ready for its template."""

    screening: Screening
    #: What cannot be sent, or not in this request, first; then what can.
    refused: tuple[ReviewRow, ...]
    sendable: tuple[ReviewRow, ...]
    #: What can be sent, too, but nobody knows whether it is a member's or invited already.
    unknown: tuple[ReviewRow, ...]
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
    question: ReviewQuestion | None = None
    #: What can be changed for many rows by one press.
    presses: tuple[Press, ...] = ()

    @property
    def open_refused(self) -> tuple[ReviewRow, ...]:
        """Those of the refused that are seen at once."""
        return self.refused[:MAX_OPEN]

    @property
    def folded_refused(self) -> tuple[ReviewRow, ...]:
        """The others, on request."""
        return self.refused[MAX_OPEN:]

    @property
    def open_sendable(self) -> tuple[ReviewRow, ...]:
        """Those that would be invited that are seen at once."""
        return self.sendable[:MAX_OPEN]

    @property
    def folded_sendable(self) -> tuple[ReviewRow, ...]:
        """The others, on request."""
        return self.sendable[MAX_OPEN:]

    @property
    def open_unknown(self) -> tuple[ReviewRow, ...]:
        """Those of whom nobody knows that are seen at once."""
        return self.unknown[:MAX_OPEN]

    @property
    def folded_unknown(self) -> tuple[ReviewRow, ...]:
        """The others, on request."""
        return self.unknown[MAX_OPEN:]


class ReviewMixin(TypedFormMixin):
    """Shows what would become of each address."""

    def may_be_many(self) -> bool:
        """Whether more than one address may have been sent, by a look from afar."""
        typed = self.request.POST.get("email_addresses", "").strip()
        is_long = typed.count("@") > 1 or any(mark in typed for mark in " ,;\t\r\n")
        return bool(self.request.FILES) or is_long

    def has_addresses(self) -> bool:
        """Whether there is anything that Clerk can be asked about, by a closer look."""
        typed = self.request.POST.get("email_addresses", "")
        if self.request.FILES or len(typed) > MAX_LOOKED_AT:
            return True
        return any(entry.refusal is None for entry in parse_text(typed))

    def is_reviewed(self, form: InviteForm) -> bool:
        """Whether the person has seen the check of exactly these addresses."""
        return self.request.POST.get("reviewed", "") == digest_of(form.entries)

    def screen(self, workspace: Workspace, form: InviteForm) -> Screening:
        """Return what would become of each address in a form that was checked.

        Of the roles only those that the form offers: it may offer fewer than the person can give.
        """
        roles = form.offered_roles
        offered = replace(workspace, roles=roles) if workspace.roles.roles else workspace
        return self.service.screen(offered, form.entries, str(form.cleaned_data.get("role", "")))

    def describe_entry(self, entry: Entry) -> str:
        """Return why a piece is not going to be invited; empty where nothing is wrong with it."""
        return self.describe_screened(Screened.refused(entry)) if entry.refusal else ""

    def describe_screened(self, screened: Screened) -> str:
        """Return what would become of a piece; empty where there is nothing to say."""
        reason = Reason.of_screened(screened)
        if reason.name:
            values = {**reason.params, "text": screened.entry.text}
            return str(self.wording.for_item(reason.name, values))
        if screened.entry.suggestion:
            return gettext("Did you mean %(suggestion)s?") % {
                "suggestion": screened.entry.suggestion
            }
        return ""

    def _describe_notes(self, reading: Reading) -> list[str]:
        """Return what is said once of a whole text or file."""
        return [self._describe_note(note) for note in reading.notes]

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

    def _get_notes(self, screening: Screening, form: InviteForm) -> list[str]:
        notes = self._describe_notes(form.reading)
        if screening.counts[Verdict.ROLE_UNKNOWN]:
            names = ", ".join(role.name for role in form.offered_roles.roles)
            notes.append(self.wording.say("Note:roles-unknown", names=names))
        return notes

    def _get_question(self, reading: Reading) -> ReviewQuestion | None:
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
        return ReviewQuestion(text, tuple(answers))

    def _get_presses(self, screening: Screening, form: InviteForm) -> list[Press]:
        """Return what can be changed for many rows at once."""
        presses = []
        offers = sum(
            bool(item.entry.suggestion and not item.entry.alternatives) for item in screening.items
        )
        if offers > 1:
            label = ngettext(
                "Use %(count)d suggestion", "Use all %(count)d suggestions", offers
            ) % {"count": offers}
            presses.append(Press("use", ALL, label))
        unknown = screening.counts[Verdict.ROLE_UNKNOWN]
        role = form.offered_roles.get(str(form["role"].value() or ""))
        if unknown and role is not None:
            label = ngettext(
                "Invite the %(count)d without such a role as %(role)s",
                "Invite the %(count)d without such a role as %(role)s",
                unknown,
            ) % {"count": unknown, "role": role.name}
            presses.append(Press("roles", "chosen", label))
        return presses

    def get_review(
        self, screening: Screening, form: InviteForm | None = None, *, focus: bool = False
    ) -> Review:
        """Return what the template shows.

        :param form: where the entries come from; without it nothing can be pressed.
        """
        elevated = {role.key for role in screening.elevated}
        number = {id(item): place for place, item in enumerate(screening.items)}
        # Whatever can be mended comes first, and whoever may have been mistyped: the rest needs no
        # look, least of all a row that has no address.
        mendable = sorted(
            screening.refused,
            key=lambda item: (not item.entry.suggestion, item.verdict is Verdict.NO_ADDRESS),
        )
        doubtful = sorted(screening.sendable, key=lambda item: not item.entry.suggestion)
        refused = [self._row(item, number[id(item)]) for item in mendable[:MAX_SHOWN]]
        known = [item for item in doubtful if item.is_known]
        unknown = [item for item in doubtful if not item.is_known]
        count = len(screening.sendable)
        button = gettext("Check again")
        if count:
            button = ngettext("Send %(count)d invitation", "Send %(count)d invitations", count) % {
                "count": count
            }
        question = self._get_question(form.reading) if form is not None else None
        problem = ""
        if screening.error is not None:
            problem = self.wording.say("Check:incomplete")
        return Review(
            screening=screening,
            refused=tuple(refused),
            sendable=tuple(
                self._row(item, number[id(item)], elevated) for item in known[:MAX_SHOWN]
            ),
            unknown=tuple(
                self._row(item, number[id(item)], elevated) for item in unknown[:MAX_SHOWN]
            ),
            more_refused=len(screening.refused) - len(refused),
            more_sendable=max(len(known) - MAX_SHOWN, 0),
            more_unknown=max(len(unknown) - MAX_SHOWN, 0),
            sentences=(self.wording.say("Question:first"),)
            if question
            else tuple(self._sentences(screening)),
            button=button,
            digest=digest_of(item.entry for item in screening.items),
            focus=focus,
            problem=problem,
            notes=tuple(self._get_notes(screening, form)) if form is not None else (),
            written_notes=write_notes(form.reading) if form is not None else "",
            question=question,
            presses=tuple(self._get_presses(screening, form)) if form is not None else (),
        )

    def _row(self, screened: Screened, number: int, elevated: Collection[str] = ()) -> ReviewRow:
        url = ""
        if screened.invitation is not None:
            url = self.find_url("resend", invitation_id=screened.invitation.id)
        is_elevated = screened.role is not None and screened.role.key in elevated
        offers = tuple(
            Press("use", f"{number}:{offer}", gettext("Use %(address)s") % {"address": offer})
            for offer in screened.entry.offers[:MAX_OFFERS]
        )
        return ReviewRow(screened, self.describe_screened(screened), url, is_elevated, offers)

    def _sentences(self, screening: Screening) -> Iterable[str]:
        counts = screening.counts
        later = counts[Verdict.LATER]
        unknown = sum(not item.is_known for item in screening.sendable)
        count = counts[Verdict.NEW] - unknown
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
        if refused := len(screening.refused) - later:
            yield ngettext(
                "%(count)d cannot be invited.", "%(count)d cannot be invited.", refused
            ) % {"count": refused}
        if later:
            yield ngettext(
                "%(count)d more must wait for the next step: %(limit)d go at a time.",
                "%(count)d more must wait for the next step: %(limit)d go at a time.",
                later,
            ) % {"count": later, "limit": self.service.max_invitations}
        if screening.seats is not None and counts[Verdict.NO_SEAT]:
            left = screening.seats.left or 0
            if left:
                yield ngettext(
                    "Only %(count)d seat is left.", "Only %(count)d seats are left.", left
                ) % {"count": left}
            else:
                yield gettext("No seat is left.")


class CheckView(ReviewMixin):
    """Check what was typed without inviting anybody: as it is typed, or on request."""

    http_method_names = ["get", "post", "options"]

    check_template_name = "org_invitations/answers/check.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Go to the page with the form: somebody reloaded the answer to a POST."""
        return SeeOther(self.get_url("list"))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Say what would become of each address."""
        wants_check = htmx.get_fragment(request, htmx.CHECK_ID) is not None
        try:
            workspace = self.service.open(seats=self.has_addresses())
        except exc.NotFound:
            raise
        except ClerkError as error:
            return self.check_failed(error)
        form = self.get_form(workspace.roles, request.POST, request.FILES)
        form.is_valid()
        is_pressed = self._press(form)
        form.retype()
        screening = None
        if form.entries or form.reading.question is not None:
            screening = self.screen(workspace, form)
        if wants_check:
            return self.show_check(screening, form, focus=is_pressed)
        # It is not being sent, so what is missing for that is no mistake yet.
        checked = ("email_addresses", "file")
        kept = {name: form.errors[name] for name in checked if name in form.errors}
        form.errors.clear()
        form.errors.update(kept)
        review = self.get_review(screening, form, focus=True) if screening is not None else None
        return self.show_form(
            workspace,
            form,
            status=self.invalid_status if form.errors else 200,
            focus_errors=bool(form.errors),
            review=review,
        )

    def _press(self, form: InviteForm) -> bool:
        """Change the list as the button says that was pressed; tell whether there was one."""
        posted = self.request.POST
        if "use" in posted:
            form.take(posted["use"])
        elif "column" in posted:
            form.choose_column(posted["column"])
        elif "roles" in posted:
            form.use_chosen_role()
        else:
            return False
        return True

    def get_stage(self) -> Stage:
        """Return that nothing was to be done: a check only finds out."""
        return Stage.READING

    def check_failed(self, error: ClerkError) -> HttpResponse:
        """Say that the addresses could not be checked, and forget what an earlier check said."""
        problem = self.wording.for_reading(error, "Check")
        if isinstance(error, exc.RateLimited):
            problem = replace(problem, status=HTTPStatus.TOO_MANY_REQUESTS)
        if htmx.get_fragment(self.request, htmx.CHECK_ID) is None:
            return self.show_typed(problem)
        response = self.show_check(None, problem=problem)
        return self.with_retry_after(response, problem)

    def show_check(
        self,
        screening: Screening | None,
        form: InviteForm | None = None,
        problem: Problem | None = None,
        *,
        focus: bool = False,
    ) -> HttpResponse:
        """Return the check alone, to be shown below the field; or why it could not be made."""
        if screening is not None and len(screening.items) == 1 and not screening.sendable:
            item = screening.items[0]
            is_typing = form is not None and not form.files and not form.is_retyped
            if item.entry.refusal is not None and not item.entry.offers and is_typing:
                screening = None  # somebody is still typing the first address
        review = None
        if screening is not None:
            review = self.get_review(screening, form, focus=focus)
        context: dict[str, Any] = {
            "review": review,
            "check_problem": problem.message if problem is not None else "",
            "file_errors": form.errors.get("file", []) if form is not None else [],
            "retyped": self._retype(form) if form is not None and form.is_retyped else [],
            "urls": self.get_urls(),
        }
        status = problem.status if problem is not None else HTTPStatus.OK
        response: HttpResponse = self.render(self.check_template_name, context, status=status)
        return htmx.mark_fragment(response, htmx.CHECK_ID)

    def _retype(self, form: InviteForm) -> list[str]:
        """Return the fields anew: what was in the file is in the text now, so the file is gone."""
        swap: dict[str, str | bool] = {"hx-swap-oob": "outerHTML"}
        names = ("email_addresses", "file")
        return [form[name].as_widget(attrs=swap) for name in names if name in form.fields]


def digest_of(entries: Iterable[Entry]) -> str:
    """Return what tells apart two lists of addresses, in short."""
    what = "\n".join(f"{entry.email_address}\t{entry.role}\t{entry.refusal}" for entry in entries)
    return hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()[:32]
