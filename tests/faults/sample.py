"""Which cells are played, and in which order: by a seed, and every pair once before any twice."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from . import faults
from .play import Cell, Stage
from .registry import get_actions


@dataclass(frozen=True)
class Ticket:
    """An action and a kind of fault, in a round; each ticket becomes one cell."""

    round: int
    action: str
    kind: str

    @property
    def name(self) -> str:
        return f"{self.round} | {self.action} | {self.kind}"


def tickets(seed: int, only: str = "") -> Iterator[Ticket]:
    """All pairs in an order of the seed's, then all in another one, without an end.

    :param only: what the names of the actions begin with; else all are played.
    """
    names = [
        action.name
        for action in get_actions()
        if action.name.startswith(only.removeprefix("!")) is not only.startswith("!")
    ]
    if not names:
        raise LookupError(f"no action begins with {only!r}")
    number = 0
    while True:
        pairs = [(name, kind) for name in names for kind in faults.kinds()]
        random.Random(f"{seed}/{number}").shuffle(pairs)
        for action, kind in pairs:
            yield Ticket(number, action, kind)
        number += 1


def count_pairs() -> int:
    """How many tickets a round has."""
    return len(get_actions()) * len(faults.kinds())


def draw(stage: Stage, ticket: Ticket, seed: int) -> Cell | None:
    """The cell of a ticket: the same for the same seed. None where the two do not meet."""
    rng = random.Random(f"{seed}/{ticket.name}")
    return stage.choose(stage.actions[ticket.action], ticket.kind, rng)
