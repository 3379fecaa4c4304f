"""The judge: what was said, what is on the page, what the database says, what Clerk has.

Clerk's emulator knows which call made which invitation, whatever was answered, so it says what is
so. Everything else is held against that: each claim of each answer (``truth``), each item in the
database once there was time to find out (``records``), and what holds for any answer (``manners``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import manners, records, truth
from .failures import Failure
from .hearing import Hearing, Usual
from .pages import Page
from .scene import Scene

Rule = Callable[[Hearing], Iterator[Failure]]

RULES: tuple[Rule, ...] = (
    manners.errors,
    manners.seconds,
    manners.budget,
    manners.words,
    manners.typed,
    manners.leaks,
    manners.forged,
    truth.twice,
    truth.untrue,
    truth.unsaid,
    truth.files,
    truth.deaf,
    records.items,
    records.joinings,
)


def judge(scene: Scene, usual: Usual, shows: Callable[[Page], bool] | None = None) -> list[Failure]:
    """Return what is wrong with a scene that has been played to its end, each thing once.

    :param shows: whether a page shows what was asked for, where nothing is wished but to see it.
    """
    hearing = Hearing(scene, usual, shows)
    return list(dict.fromkeys(failure for rule in RULES for failure in rule(hearing)))
