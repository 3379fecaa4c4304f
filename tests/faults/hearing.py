"""What the rules of the judge go by: a scene that was played, and the claims that were heard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from . import claims
from .browser import Answer
from .claims import Claim
from .pages import Page
from .scene import Said, Scene, Wish

#: Faults that let Clerk say of an invitation what is not so; nobody can know better than Clerk.
_SPOILS: Final = ("wrong types", "null", "missing", "unknown", "texts")


_OUTCOME: Final = re.compile(r"/outcomes/([0-9a-f-]{36})/")


@dataclass(frozen=True)
class Usual:
    """How an action goes when nothing goes wrong."""

    calls: int
    #: Of the slowest answer.
    seconds: float


class Hearing:
    """A scene with what was heard in it."""

    def __init__(
        self, scene: Scene, usual: Usual, shows: Callable[[Page], bool] | None = None
    ) -> None:
        self.scene = scene
        self.usual = usual
        self.shows = shows
        #: Each answer with its claims, in order.
        self.heard: list[tuple[Said, list[Claim]]] = [
            (said, claims.read(said.answer)) for said in scene.said
        ]
        self.is_spoilt = scene.fault is not None and scene.fault.kind in _SPOILS

    @property
    def answers(self) -> Iterator[tuple[Said, Answer]]:
        """Every answer, redirects included, with what it belongs to."""
        for said in self.scene.said:
            for answer in said.answer.chain:
                yield said, answer

    @property
    def has_fallen_over(self) -> bool:
        return any(answer.status == 500 for _, answer in self.answers)

    def is_about(self, claim: Claim, wish: Wish) -> bool:
        """Whether a claim is about a wish."""
        return not claim.address or claim.address == wish.address

    def window(self, said: Said) -> tuple[int, int]:
        """From when until when a call was made that an answer tells of.

        An outcome tells of its own batch, whenever that was begun; the rest of what was done.
        """
        found = _OUTCOME.search(said.answer.url)
        if found is None or not self.is_outcome(said):
            return self.scene.begin, said.until
        since, until = self.batch_window(found[1])
        return since, min(until, said.until)

    def is_outcome(self, said: Said) -> bool:
        """Whether an answer is the outcome of a batch that there is."""
        found = _OUTCOME.search(said.answer.url)
        return found is not None and found[1] in self.scene.batches

    def batch_window(self, batch_id: str) -> tuple[int, int]:
        """From when until when calls were made for a batch: until the next one is begun."""
        since = self.scene.batches.get(batch_id, 0)
        later = [moment for moment in self.scene.batches.values() if moment > since]
        return since, min(later, default=self.scene.world.moment())

    def role(self, invitation_id: str) -> str:
        row = self.scene.world.clerk.state.invitations.get(invitation_id)
        return row.role if row is not None else ""

    def status(self, invitation_id: str) -> str:
        """The status at the end."""
        return self.scene.statuses().get(invitation_id, "gone")

    def is_strangers(self, invitation_id: str) -> bool:
        return any(s.invitation_id == invitation_id for s in self.scene.strangers)


def short(url: str) -> str:
    """A URL without its ids, so that the same failure has the same text."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", re.sub(r"orginv_\w+", "…", url))[:80]


def waits_for_a_reload(said: Said) -> bool:
    """Whether the browser is at an outcome that cannot be shown now, and says so."""
    answer = said.answer
    is_later = answer.status >= 400 or "At work…" in answer.page.text
    return bool(answer.before) and "/outcomes/" in answer.url and is_later
