"""Playing one cell: an action, a fault, where it strikes; and what time brings after it."""

from __future__ import annotations

import random
import time
import traceback
from dataclasses import dataclass, field
from typing import Any

from . import faults
from .calls import Slot, choose_slot, name_of, slots_of
from .failures import Failure
from .faults import Fault
from .hearing import Usual
from .judge import judge
from .registry import Action, get_actions
from .scene import LIST, Scene
from .world import World

#: Seconds after which Clerk has done whatever it was going to do, and the app may know so.
LATER = 900.0

#: What does not move by itself.
_DOUBTFUL = ("unsettled", "under-way", "half-done")


@dataclass(frozen=True)
class Cell:
    """What is played: the same cell is the same every time."""

    action: str
    fault: str
    slot: str
    htmx: bool = False

    @property
    def name(self) -> str:
        return f"{self.action}{' (htmx)' if self.htmx else ''} | {self.slot} | {self.fault}"

    @property
    def kind(self) -> str:
        """The kind of its fault; empty where nothing goes wrong."""
        return next((row.kind for row in faults.table() if row.name == self.fault), "")


@dataclass
class Result:
    """What became of a cell."""

    cell: Cell
    failures: list[Failure] = field(default_factory=list)
    #: Why it could not be played, if it could not.
    broken: str = ""
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        cell = self.cell
        return {
            "action": cell.action,
            "htmx": cell.htmx,
            "slot": cell.slot,
            "fault": cell.fault,
            "kind": cell.kind,
            "failures": [[failure.kind, failure.text] for failure in self.failures],
            "broken": self.broken,
            "seconds": round(self.seconds, 3),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Result:
        cell = Cell(data["action"], data["fault"], data["slot"], data["htmx"])
        failures = [Failure(kind, text) for kind, text in data["failures"]]
        return cls(cell, failures, data["broken"], data["seconds"])


@dataclass(frozen=True)
class Rehearsal:
    """How an action goes when nothing goes wrong, and where a fault can strike it."""

    usual: Usual
    slots: tuple[Slot, ...]
    #: The names of its calls, in order.
    calls: tuple[str, ...]


class Stage:
    """Plays cells in one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.actions = {action.name: action for action in get_actions()}
        self._rehearsals: dict[tuple[str, bool], Rehearsal] = {}
        #: What became of each action without a fault, in the order in which they were rehearsed.
        self.rehearsed: list[Result] = []

    def rehearse(self, name: str, *, htmx: bool = False) -> Rehearsal:
        """Play an action without any fault; once, where the machine lets it."""
        known = self._rehearsals.get((name, htmx))
        if known is not None:
            return known
        for last in (False, False, False, False, True):
            # On a machine that is busy enough even a good Clerk answers too late now and then.
            try:
                rehearsal, failures = self._rehearse(self.actions[name], htmx=htmx)
            except LookupError:
                if last:
                    raise
                continue
            if not failures or last:
                break
        self.rehearsed.append(Result(Cell(name, "", "", htmx), failures))
        self._rehearsals[name, htmx] = rehearsal
        return rehearsal

    def _rehearse(self, action: Action, *, htmx: bool) -> tuple[Rehearsal, list[Failure]]:
        self.world.reset()
        scene = Scene(self.world, htmx=htmx)
        try:
            action.play(scene)
            look_later(scene)
            calls = scene.calls(scene.begin, scene.end)
            seconds = max(a.seconds for said in scene.said for a in said.answer.chain)
            # The first page of a process takes longest, and is nobody's usual time.
            usual = Usual(len(calls), min(seconds, 0.3))
            names = tuple(name_of(call.method, call.path) for call in calls)
            rehearsal = Rehearsal(usual, tuple(slots_of(calls)), names)
            return rehearsal, judge(scene, usual, action.shows)
        finally:
            scene.close()

    def choose(self, action: Action, kind: str, rng: random.Random) -> Cell | None:
        """Choose a cell for an action and a kind of fault; None where they do not meet."""
        htmx = action.htmx and rng.random() < 0.5
        rehearsal = self.rehearse(action.name, htmx=htmx)
        rows = [fault for fault in faults.table() if fault.kind == kind]
        rng.shuffle(rows)
        for fault in rows:
            slot = choose_slot(rng, fault, rehearsal.slots, rehearsal.calls)
            if slot is not None:
                return Cell(action.name, fault.name, str(slot), htmx)
        return None

    def play(self, cell: Cell) -> Result:
        """Play a cell and judge it."""
        result, _ = self.play_scene(cell)
        return result

    def play_scene(self, cell: Cell) -> tuple[Result, Scene]:
        """Play a cell, judge it, and return what was played as well."""
        action = self.actions[cell.action]
        fault: Fault = next(row for row in faults.table() if row.name == cell.fault)
        usual = self.rehearse(cell.action, htmx=cell.htmx).usual
        started = time.monotonic()
        self.world.reset()
        scene = Scene(self.world, fault=fault, slot=Slot.parse(cell.slot), htmx=cell.htmx)
        result = Result(cell)
        try:
            action.play(scene)
            look_later(scene)
            result.failures = judge(scene, usual, action.shows)
        except Exception:  # noqa: BLE001 - whatever it is, it is reported
            result.broken = traceback.format_exc(limit=-4)
        finally:
            scene.close()
            self.world.disarm()
        result.seconds = time.monotonic() - started
        return result, scene


def look_later(scene: Scene) -> None:
    """Look again: at once, when what was late has been done, and when time enough has passed."""
    world = scene.world
    is_late = bool(world.clerk.late)
    if not is_late and not _is_doubtful(scene):
        return
    _look(scene)
    if is_late:
        world.clerk.finish_late()
        _look(scene)
    world.age(LATER)
    _look(scene)


def _is_doubtful(scene: Scene) -> bool:
    items, joinings = scene.world.items(), scene.world.joinings()
    return any(item.state in _DOUBTFUL for item in items) or any(row.is_open for row in joinings)


def _look(scene: Scene) -> None:
    if scene.page:
        scene.look_as_invited()
        return
    # A browser of its own: the session of the other one may be over by now.
    ada = scene.browser()
    for batch_id in scene.batches:
        scene.ask(lambda path=f"{LIST}outcomes/{batch_id}/": ada.get(path), is_look=True)  # type: ignore[misc]
    scene.ask(lambda: ada.get(LIST), is_look=True)
