"""How far workers have got with something, in words: what is done, what waits, until when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext, ngettext

from ..clerk import exceptions as exc
from ..models import Batch, BatchItem
from ..services.batches.counts import Counts
from ..services.batches.outlook import Outlook
from ..services.batches.store import as_aware
from ..wording import Wording, describe_seconds
from .outcome_presenter import is_left

State = BatchItem.State

#: Of what keeps something from going on there is a sentence for these, the most telling first.
_TROUBLES: Final = (
    exc.Unauthorized,
    exc.DevelopmentLimit,
    exc.RoleMigrationInProgress,
    exc.ConnectionFailed,
    exc.TransportError,
)

#: How exactly a moment is told: so much of the time until then, and what it is rounded up to.
_STEPS: Final = (
    (timedelta(minutes=15), timedelta(minutes=1)),
    (timedelta(hours=3), timedelta(minutes=5)),
    (timedelta.max, timedelta(minutes=15)),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """How many had the same fate."""

    #: ``done``, ``to-fix``, ``settled``, ``unknown`` or ``waiting``.
    name: str
    count: int
    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it has got."""

    #: ``running``, ``paused`` (somebody wants that) or ``stopped`` (by itself).
    state: str
    #: How many of how many, in a sentence.
    text: str
    #: How many are dealt with, whatever became of them, of how many.
    finished: int
    total: int
    figures: tuple[Figure, ...]
    #: How many are left: they wait, or are being sent.
    left: int
    #: When it will be done, or that this is not known; empty where it does not go on.
    end: str = ""
    #: Its place among what waits; empty where nothing is before it.
    place: str = ""
    #: What keeps it from going on, and what can be done about that.
    problems: tuple[str, ...] = ()

    @property
    def percent(self) -> int:
        """How much of it is dealt with, rounded down: all of it is a hundred, and no less."""
        return self.finished * 100 // self.total if self.total else 0

    @property
    def is_running(self) -> bool:
        """Whether nobody and nothing has stopped it, so that it is worth looking at again."""
        return self.state == "running"

    @property
    def goes_on(self) -> bool:
        """Whether nothing is known to be in its way."""
        return self.is_running and not self.problems

    @property
    def to_fix(self) -> int:
        """How many were not done, and may be once something is put right."""
        return next((figure.count for figure in self.figures if figure.name == "to-fix"), 0)


class ProgressPresenter:
    """Puts into words how far workers have got with a batch. It asks nobody."""

    def __init__(self, batch: Batch, counts: Counts, wording: Wording) -> None:
        """Prepare.

        :param counts: how many of it are where.
        """
        self.batch = batch
        self.counts = counts
        self.wording = wording
        self.revokes = batch.action == Batch.Action.REVOKE
        self.is_silent = batch.options.get("notify") is False

    def get_progress(self, outlook: Outlook | None = None) -> Progress:
        """Return how far it has got.

        :param outlook: what lies before it; None where that is of no concern.
        """
        counts = self.counts
        state = self._get_state()
        goes_on = state == "running" and outlook is not None
        return Progress(
            state=state,
            text=self._describe(state),
            finished=counts.finished,
            total=counts.total,
            figures=tuple(figure for figure in self._figures() if figure.count),
            left=counts.left,
            end=self._describe_end(outlook) if goes_on and outlook else "",
            place=self._describe_place(outlook) if goes_on and outlook else "",
            problems=tuple(self._problems(state, outlook)),
        )

    def get_title(self) -> str:
        """Return what is being done, with how many."""
        if self.is_silent and not self.revokes:
            text = ngettext(
                "Inviting %(count)d person without an email",
                "Inviting %(count)d people without an email",
                self.counts.total,
            )
            return text % {"count": self.counts.total}
        texts = {
            Batch.Action.INVITE: ngettext(
                "Sending %(count)d invitation", "Sending %(count)d invitations", self.counts.total
            ),
            Batch.Action.RESEND: ngettext(
                "Sending %(count)d invitation again",
                "Sending %(count)d invitations again",
                self.counts.total,
            ),
            Batch.Action.REVOKE: ngettext(
                "Revoking %(count)d invitation",
                "Revoking %(count)d invitations",
                self.counts.total,
            ),
        }
        return texts[Batch.Action(self.batch.action)] % {"count": self.counts.total}

    # --- Its parts --------------------------------------------------------------------------

    def _get_state(self) -> str:
        if self.batch.paused_at is None:
            return "running"
        return "paused" if self.batch.paused_by else "stopped"

    def _describe(self, state: str) -> str:
        done, total = self.counts.of(State.DONE), self.counts.total
        if self.revokes:
            text = ngettext("%(done)d of %(total)d revoked", "%(done)d of %(total)d revoked", total)
        elif self.is_silent:
            text = ngettext("%(done)d of %(total)d invited", "%(done)d of %(total)d invited", total)
        else:
            text = ngettext("%(done)d of %(total)d sent", "%(done)d of %(total)d sent", total)
        text %= {"done": done, "total": total}
        if state == "paused":
            return gettext("Paused: %(text)s") % {"text": text}
        return gettext("Stopped: %(text)s") % {"text": text} if state == "stopped" else text

    def _figures(self) -> Iterable[Figure]:
        counts = self.counts
        not_done = [
            part
            for part in counts.parts
            if part.state in (State.REFUSED, State.FAILED, State.HALF_DONE)
        ]
        settled = sum(
            part.count
            for part in not_done
            if part.state == State.REFUSED
            and not is_left(BatchItem(state=part.state, reason=part.reason))
        )
        busy = sum(part.left for part in not_done)
        unknown = counts.of(State.UNSETTLED, State.UNDER_WAY) - sum(
            part.left for part in counts.parts if part.state == State.UNDER_WAY
        )
        done = gettext("invited") if self.is_silent else gettext("sent")
        if self.revokes:
            done = gettext("revoked")
        to_fix = sum(part.count for part in not_done) - settled - busy
        yield Figure("done", counts.of(State.DONE), done)
        yield Figure("waiting", counts.left, gettext("waiting"))
        yield Figure("to-fix", to_fix, gettext("to fix"))
        yield Figure("settled", settled, gettext("needed nothing"))
        yield Figure("unknown", unknown, gettext("not known yet"))

    def _describe_end(self, outlook: Outlook) -> str:
        if self.counts.is_last:
            return gettext("The last ones are being worked on.")
        if outlook.done_at is None:
            return gettext("When it will be done is not known yet.")
        now = datetime.now(UTC)
        first, latest = outlook.done_at, outlook.latest_at
        when = describe_moment(round_up(first, now), now)
        if latest is None:
            return gettext("Done at %(when)s at the earliest.") % {"when": when}
        if is_noticeable(first, latest, now):
            values = {
                "first": describe_time(round_up(first, now), now),
                "last": describe_time(round_up(latest, now), now),
                "zone": describe_zone(),
            }
            return gettext("Done between %(first)s and %(last)s (%(zone)s).") % values
        seconds = max(int((first - now).total_seconds()), 0)
        if seconds < 60:
            return gettext("Done in less than a minute.")
        values = {"wait": describe_wait(seconds), "when": when}
        return gettext("About %(wait)s left, done about %(when)s.") % values

    def _describe_place(self, outlook: Outlook) -> str:
        if not outlook.ahead:
            return ""
        text = ngettext(
            "%(count)d other list on this site has its turn before or in between.",
            "%(count)d other lists on this site have their turn before or in between.",
            outlook.ahead,
        )
        return text % {"count": outlook.ahead}

    def _problems(self, state: str, outlook: Outlook | None) -> Iterable[str]:
        if state == "stopped":
            yield self._say_stopped(self.batch.paused_because)
            return
        if state == "paused" or outlook is None:
            return
        if outlook.is_missed:
            yield self.wording.say("Progress:missed")
            return
        trouble = self._find_trouble()
        if trouble:
            yield self.wording.say(f"Progress:{trouble}")
        elif outlook.limited_until is not None:
            now = datetime.now(UTC)
            when = describe_moment(round_up(outlook.limited_until, now), now)
            yield self.wording.say("Progress:limited", when=when)
        elif exc.RateLimited.__name__ in self.counts.reasons() and outlook.done_at is None:
            yield self.wording.say("Progress:RateLimited")
        elif (moment := self.batch.not_before) and as_aware(moment) > datetime.now(UTC):
            now = datetime.now(UTC)
            when = describe_moment(round_up(as_aware(moment), now), now)
            yield self.wording.say("Progress:later", when=when)

    def _find_trouble(self) -> str:
        """Return the name of what keeps some from having been done; empty where that is nothing.

        That the time of a worker's turn was over is nothing to speak of.
        """
        kinds = [exc.find_kind(reason) for reason in self.counts.reasons()]
        met = [kind for kind in kinds if kind and not issubclass(kind, exc.DeadlineExceeded)]
        for trouble in _TROUBLES:
            if any(issubclass(kind, trouble) for kind in met):
                return trouble.__name__
        return (
            "TransportError"
            if any(issubclass(kind, exc.ServiceUnavailable) for kind in met)
            else ""
        )

    def _say_stopped(self, because: str) -> str:
        name = f"Stopped:{because}"
        return self.wording.say(name if name in self.wording.messages else "Stopped:other")


# --- Moments ------------------------------------------------------------------------------------


def round_up(moment: datetime, now: datetime) -> datetime:
    """Return a moment to come, and no more exactly than it can be known: if near, to the minute."""
    step = _get_step(moment, now)
    start = datetime(2000, 1, 1, tzinfo=UTC)
    return start + -(-(moment - start) // step) * step


def _get_step(moment: datetime, now: datetime) -> timedelta:
    return next(step for limit, step in _STEPS if moment - now <= limit)


def is_noticeable(first: datetime, latest: datetime, now: datetime) -> bool:
    """Whether two moments to come differ by more than a tenth of the time, and than is told."""
    return latest - first > max((latest - now) / 10, _get_step(latest, now))


def describe_moment(moment: datetime, now: datetime) -> str:
    """Return a time with its day, unless that is today, and with the time zone that it is told in.

    ``14:10 on Thursday (Helsinki)``
    """
    local = moment.astimezone(timezone.get_current_timezone())
    values = {"time": time_format(local, "TIME_FORMAT"), "zone": describe_zone()}
    if day := _describe_day(local, now):
        return gettext("%(time)s on %(day)s (%(zone)s)") % {**values, "day": day}
    return gettext("%(time)s (%(zone)s)") % values


def describe_time(moment: datetime, now: datetime) -> str:
    """Return a time with its day, unless that is today, where the zone is told with another one.

    ``14:10 on Thursday``
    """
    local = moment.astimezone(timezone.get_current_timezone())
    time = time_format(local, "TIME_FORMAT")
    day = _describe_day(local, now)
    return gettext("%(time)s on %(day)s") % {"time": time, "day": day} if day else time


def _describe_day(local: datetime, now: datetime) -> str:
    """Return a day by its name, if it is within a week; empty where it is today."""
    days = (local.date() - now.astimezone(local.tzinfo).date()).days
    return date_format(local, "l" if days < 7 else "DATE_FORMAT") if days else ""


def describe_zone() -> str:
    """Return the name of the current time zone as people say it: ``Helsinki``, ``UTC``."""
    name = timezone.get_current_timezone_name()
    return name.rpartition("/")[2].replace("_", " ")


def describe_wait(seconds: int) -> str:
    """Return how long something takes, in words: in hours from two of them on."""
    if seconds < 2 * 3600:
        return describe_seconds(seconds)
    hours = round(seconds / 3600)
    return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
