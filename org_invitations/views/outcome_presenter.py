"""The outcome of a batch in words: what became of each, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext, ngettext

from ..clerk.exceptions import find_kind
from ..models import Batch, BatchItem
from ..services.batches.background import is_left_to_workers
from ..services.batches.counts import is_for_workers
from ..services.batches.reconcile import OTHER_INVITATION
from ..services.batches.store import DOUBTFUL, UNCLEAR, as_aware
from ..services.preview import SETTLED
from ..wording import Wording, describe_seconds

State = BatchItem.State

#: Why nobody knows what became of something that was under way when the database failed.
UNSAVED: Final = "unsaved"

_NOT_DONE: Final = (State.REFUSED, State.FAILED, State.HALF_DONE)

#: Why something was refused of which there is nothing to do: it is as it was wanted, or once more.
_SETTLED: Final = frozenset(
    {*map(str, SETTLED), "AlreadyMember", "DuplicateInvitation", "chosen-twice"}
)


def is_settled(item: BatchItem) -> bool:
    """Whether nothing was done because there was nothing to do."""
    if item.state != State.REFUSED:
        return False
    if item.reason == "InvitationNotPending":
        # Whoever has accepted needs no other; and no longer pending is what revoking is for.
        is_revoked = item.batch.action == Batch.Action.REVOKE
        return item.params.get("status") in (
            ("revoked", "expired") if is_revoked else ("accepted",)
        )
    return item.reason in _SETTLED


def is_left(item: BatchItem) -> bool:
    """Whether doing it once more, perhaps corrected, may help."""
    # What nobody knows is not sent again before somebody does.
    if item.state in (State.WAITING, State.FAILED):
        return True
    if item.state != State.REFUSED or item.reason in _SETTLED:
        return False
    kind = find_kind(item.reason)
    return kind is None or kind.is_correctable


def is_to_fix(item: BatchItem) -> bool:
    """Whether an invitation was refused that can be sent once something has been put right."""
    is_invitation = item.batch.action == Batch.Action.INVITE
    return is_invitation and item.state == State.REFUSED and is_left(item)


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """One item, and what became of it."""

    item: BatchItem
    #: The address, or what was typed in its place; empty where nothing is known of it.
    name: str
    #: Why, in words; empty where there is nothing to say.
    text: str
    #: What can be done about it: a link, and what it says; empty where nothing can.
    action_url: str = ""
    action_text: str = ""
    #: Where the role or the expiry of the invitation that is in the way can be changed.
    change_url: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeSection:
    """The items that had the same fate."""

    #: ``to-fix``, ``not-done``, ``unknown``, ``waiting``, ``done``, ``since`` (when it was tried
    #: again) or ``settled``, which needed nothing.
    name: str
    caption: str
    rows: tuple[OutcomeRow, ...]

    @property
    def is_list(self) -> bool:
        """Whether there is no more to say of each than its role."""
        return self.name == "done" and not any(row.text or row.action_url for row in self.rows)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch."""

    #: How many had which fate, each said by itself: "7 sent", "3 to fix", "4 needed nothing".
    sentences: tuple[str, ...]
    #: What is to be done first, what needed nothing last; without those that nothing is in.
    sections: tuple[OutcomeSection, ...]
    #: Why some wait, and until when; empty where none does.
    waiting: str
    #: How many are dealt with, of how many.
    finished: int
    total: int
    #: The ids of the invitations that can be tried again with another press.
    retry_ids: tuple[str, ...]
    #: How many wait.
    waiting_count: int
    #: The ids of the invitations that were revoked, whose people can be invited again.
    again_ids: tuple[str, ...] = ()
    #: The numbers of the items that were done when they were tried again.
    since: frozenset[int] = frozenset()

    @property
    def has_details(self) -> bool:
        """Whether there is anything besides what is to be put right."""
        return any(section.name != "to-fix" for section in self.sections)


class OutcomePresenter:
    """Puts the outcome of a batch into words."""

    def __init__(
        self,
        batch: Batch,
        wording: Wording,
        find_url: Callable[[str, str], str],
        since: Mapping[int, str] | None = None,
        *,
        is_own: bool = True,
    ) -> None:
        """Prepare.

        :param find_url: tells where something is done with an invitation, by the name of the URL
            and the invitation's id; empty where it cannot be.
        :param since: of what a later try has done, by the number of the item: the URL of its
            outcome.
        :param is_own: whether the reader has begun it.
        """
        self.since = since or {}
        self.is_own = is_own
        self.batch = batch
        self.wording = wording
        self.find_url = find_url
        self.revokes = batch.action == Batch.Action.REVOKE
        self.is_silent = batch.options.get("notify") is False

    def get_outcome(self, items: Sequence[BatchItem]) -> Outcome:
        """Return the outcome."""
        left = [item for item in items if item.number not in self.since]
        not_done = [item for item in left if item.state in _NOT_DONE]
        to_fix = [item for item in not_done if is_to_fix(item)]
        settled = [item for item in not_done if is_settled(item)]
        parts = {
            "to-fix": to_fix,
            "not-done": [item for item in not_done if item not in to_fix and item not in settled],
            "unknown": [item for item in left if item.state in DOUBTFUL],
            "waiting": [item for item in left if item.state == State.WAITING],
            "done": [item for item in left if item.state == State.DONE],
            "since": [item for item in items if item.number in self.since],
            "settled": settled,
        }
        counts = {name: len(part) for name, part in parts.items()}
        return Outcome(
            sentences=tuple(self._sentences(counts)),
            sections=tuple(
                OutcomeSection(name, self._caption(name), tuple(map(self._row, part)))
                for name, part in parts.items()
                if part
            ),
            waiting=self._describe_waiting(parts["waiting"]),
            finished=len(items) - counts["unknown"] - counts["waiting"],
            total=len(items),
            retry_ids=tuple(self._retry_ids(parts["not-done"])),
            waiting_count=counts["waiting"],
            again_ids=tuple(item.invitation_id for item in parts["done"]) if self.revokes else (),
            since=frozenset(self.since),
        )

    # --- One ------------------------------------------------------------------------------------

    def _row(self, item: BatchItem) -> OutcomeRow:
        """Return what became of an item, and what can be done about it."""
        name = item.email_address or item.text
        url, text = self._action(item)
        change_url = ""
        if self._is_in_the_way(item):
            change_url = self.find_url("change", item.params.get("invitation_id", ""))
        return OutcomeRow(item, name, self.describe(item), url, text if url else "", change_url)

    def describe(self, item: BatchItem) -> str:
        """Return why an item is as it is, in a sentence."""
        if item.number in self.since:
            return gettext("Not at first, but when it was tried again.")
        values = {"text": item.text, **item.params}
        if item.state in DOUBTFUL and item.reason not in (UNCLEAR, UNSAVED):
            return self.wording.for_item("unsettled", {})
        if item.state == State.WAITING:
            values["status"] = item.state
        elif not self.is_own and f"Item:{item.reason}:other" in self.wording.messages:
            values["status"] = "other"
        if item.state != State.HALF_DONE or item.reason == OTHER_INVITATION:
            return self.wording.for_item(item.reason, values)
        why = self.wording.for_item(item.reason, values | {"status": item.state})
        return self.wording.for_item("half-done", {"why": why})

    def _action(self, item: BatchItem) -> tuple[str, str]:
        """Return where something can be done about an item, and what."""
        if item.number in self.since:
            return self.since[item.number], gettext("See what became of that")
        if item.state == State.DONE:
            if self.revokes:
                return self.find_url("resend", item.invitation_id), gettext("Invite again")
            if self.is_silent:
                return self.find_url("link", item.invitation_id), gettext("Copy link")
            return "", ""
        if item.state == State.HALF_DONE and item.reason != OTHER_INVITATION:
            url = self.find_url("resend", item.replaces_id)
            # So that this outcome tells of it.
            return url and f"{url}?retry_of={self.batch.pk}", gettext("Send it now")
        if self._is_in_the_way(item):
            # Another invitation of the address is in the way, or may be: it can be sent again.
            return self.find_url("resend", item.params.get("invitation_id", "")), gettext("Resend")
        if item.reason == "InvitationNotPending" and item.params.get("status") != "accepted":
            return self.find_url("resend", item.invitation_id), gettext("Invite again")
        return "", ""

    def _is_in_the_way(self, item: BatchItem) -> bool:
        """Whether another invitation of the address is in the way, or may be."""
        is_other = item.state in _NOT_DONE or item.reason == UNCLEAR
        is_over = item.number in self.since or item.state == State.DONE
        return is_other and not is_over and item.params.get("status") == "pending"

    def _retry_ids(self, items: Iterable[BatchItem]) -> Iterable[str]:
        if self.batch.action == Batch.Action.INVITE:
            return
        for item in items:
            if item.state == State.FAILED:
                yield item.invitation_id if self.revokes else item.replaces_id

    # --- All ------------------------------------------------------------------------------------

    def _sentences(self, counts: dict[str, int]) -> Iterable[str]:
        """Yield how many had which fate: what was done first, what needed nothing last."""
        if not any(counts[name] for name in ("done", "since", "waiting", "unknown")):
            yield gettext("Nothing was revoked") if self.revokes else gettext("Nothing was sent")
        elif counts["waiting"] == sum(counts.values()):
            yield (
                gettext("Nothing was revoked yet")
                if self.revokes
                else gettext("Nothing was sent yet")
            )
        for name in ("done", "since", "to-fix", "not-done", "unknown", "waiting", "settled"):
            if counts[name]:
                yield self._count(name, counts[name])

    def _count(self, name: str, count: int) -> str:
        """Return how many had a fate."""
        texts = {
            "to-fix": ngettext("%(count)d to fix", "%(count)d to fix", count),
            "unknown": ngettext("%(count)d not known yet", "%(count)d not known yet", count),
            "waiting": ngettext("%(count)d waiting", "%(count)d waiting", count),
            "settled": ngettext("%(count)d needed nothing", "%(count)d needed nothing", count),
        }
        if self.revokes:
            texts |= {
                "done": ngettext("%(count)d revoked", "%(count)d revoked", count),
                "since": ngettext("%(count)d revoked since", "%(count)d revoked since", count),
                "not-done": ngettext("%(count)d not revoked", "%(count)d not revoked", count),
            }
        else:
            texts |= {
                "done": ngettext("%(count)d sent", "%(count)d sent", count),
                "since": ngettext("%(count)d sent since", "%(count)d sent since", count),
                "not-done": ngettext("%(count)d not sent", "%(count)d not sent", count),
            }
        if self.is_silent and not self.revokes:
            texts["done"] = ngettext(
                "%(count)d invited without an email", "%(count)d invited without an email", count
            )
        return texts[name] % {"count": count}

    def _caption(self, name: str) -> str:
        captions = {
            "to-fix": gettext("To fix"),
            "not-done": gettext("Not revoked") if self.revokes else gettext("Not sent"),
            "unknown": gettext("Not known yet"),
            "waiting": gettext("Waiting"),
            "since": gettext("Revoked since") if self.revokes else gettext("Sent since"),
            "done": gettext("Revoked") if self.revokes else gettext("Sent"),
            "settled": gettext("Needed nothing"),
        }
        return captions[name]

    def _describe_waiting(self, items: Sequence[BatchItem]) -> str:
        if not items:
            return ""
        if is_left_to_workers(self.batch) and any(is_for_workers(item) for item in items):
            return self.wording.say("Outcome:background")
        now = datetime.now(UTC)
        moments = [as_aware(item.retry_at) for item in items if item.retry_at is not None]
        last = max(moments, default=now)
        if any(item.reason == "RateLimited" and item.retry_at is None for item in items):
            return self.wording.say("Item:RateLimited")  # Clerk did not say until when
        if last <= now:
            return self.wording.say("Outcome:waiting")
        seconds = int((last - now).total_seconds()) + 1
        local = last.astimezone(timezone.get_current_timezone())
        return self.wording.say(
            "Outcome:limited",
            time=time_format(local, "TIME_FORMAT"),
            wait=describe_seconds(seconds),
        )
