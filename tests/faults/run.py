"""A run: processes with a world each, which play the tickets until the time is over."""

from __future__ import annotations

import json
import multiprocessing
import queue
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import known
from .failures import Failure
from .play import Cell, Result
from .sample import Ticket, tickets

#: Seconds that a process may take longer than it was given, for the cell that it is at.
_GRACE = 120.0


@dataclass
class Run:
    """What a run has played."""

    seed: int
    results: list[Result] = field(default_factory=list)
    #: The tickets that were dealt with, also those that became no cell.
    played: set[str] = field(default_factory=set)
    seconds: float = 0.0
    #: What went wrong before anything did: an action that fails without a fault.
    rehearsals: list[Result] = field(default_factory=list)


def play(
    seed: int,
    seconds: float,
    processes: int,
    *,
    state: Path | None = None,
    cells: int | None = None,
    only: str = "",
    tell: Callable[[Result], None] = lambda _result: None,
) -> Run:
    """Play for so many seconds.

    :param state: where what was played is kept, and gone on from.
    :param cells: stop after the first so many of the sample.
    :param only: what the names of the actions begin with.
    """
    run = Run(seed)
    if state is not None and state.exists():
        _resume(run, state)
    context = multiprocessing.get_context("spawn")
    answers: Any = context.Queue()
    started = time.monotonic()
    workers = [
        context.Process(
            target=_work,
            args=(answers, seed, seconds, number, processes, frozenset(run.played), cells, only),
            daemon=True,
        )
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    kept = state.open("a") if state is not None else None
    try:
        for ticket, result in _listen(answers, workers, started + seconds + _GRACE):
            if ticket:
                run.played.add(ticket)
            if kept is not None and ticket:
                line = {"ticket": ticket, "result": result.as_dict() if result else None}
                kept.write(json.dumps(line) + "\n")
                kept.flush()
            if result is None:
                continue
            (run.results if ticket else run.rehearsals).append(result)
            tell(result)
    finally:
        if kept is not None:
            kept.close()
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
    run.seconds += time.monotonic() - started
    return run


def play_again(report: Path, tell: Callable[[Result], None] = lambda _result: None) -> Run:
    """Play the cells that failed in a report again, in this process."""
    from .play import Stage
    from .world import World

    data = json.loads(report.read_text())
    run, started = Run(data["seed"]), time.monotonic()
    entries = set(known.load())
    world = World()
    try:
        stage = Stage(world)
        for row in data["failed"]:
            result = _play_cell(stage, Result.from_dict(row).cell, entries)
            run.results.append(result)
            run.played.add(f"- | {result.cell.action} | {result.cell.kind}")
            tell(result)
    finally:
        world.close()
    run.seconds = time.monotonic() - started
    return run


def _resume(run: Run, state: Path) -> None:
    for text in state.read_text().splitlines():
        line = json.loads(text)
        run.played.add(line["ticket"])
        if line["result"] is not None:
            run.results.append(Result.from_dict(line["result"]))


def _listen(answers: Any, workers: list[Any], until: float) -> Iterator[tuple[str, Result | None]]:
    while time.monotonic() < until:
        try:
            message = answers.get(timeout=0.5)
        except queue.Empty:
            if not any(worker.is_alive() for worker in workers):
                return
            continue
        if message is None:
            continue
        ticket, data = message
        yield ticket, Result.from_dict(data) if data is not None else None


def _work(
    answers: Any,
    seed: int,
    seconds: float,
    number: int,
    processes: int,
    played: frozenset[str],
    cells: int | None,
    only: str,
) -> None:
    from .play import Stage
    from .sample import draw
    from .world import World

    until = time.monotonic() + seconds
    world = World()
    try:
        stage = Stage(world)
        entries = set(known.load())
        for index, ticket in enumerate(tickets(seed, only)):
            if time.monotonic() >= until or index == cells:
                break
            if index % processes != number or ticket.name in played:
                continue
            play_ticket(answers.put, stage, ticket, seed, entries, draw)
    finally:
        world.close()


def play_ticket(
    put: Callable[[Any], None],
    stage: Any,
    ticket: Ticket,
    seed: int,
    entries: set[known.Known],
    draw: Callable[..., Cell | None],
) -> None:
    """Play what a ticket stands for; a failure that is not known must happen twice to count."""
    seen = len(stage.rehearsed)
    try:
        cell = draw(stage, ticket, seed)
    except LookupError:
        broken = Result(Cell(ticket.action, "", ""), broken=traceback.format_exc(limit=-4))
        put(("", broken.as_dict()))
        return
    for result in stage.rehearsed[seen:]:
        if result.failures or result.broken:
            put(("", result.as_dict()))
    if cell is None:
        put((ticket.name, None))
        return
    put((ticket.name, _play_cell(stage, cell, entries).as_dict()))


def _play_cell(stage: Any, cell: Cell, entries: set[known.Known]) -> Result:
    result: Result = stage.play(cell)
    if known.of(result) - entries or result.broken:
        result = confirm(result, stage.play(cell))
    return result


def confirm(first: Result, second: Result) -> Result:
    """What of a result holds when it is played again: the rest was the machine's fault."""
    kinds = {failure.kind for failure in second.failures}
    failures: list[Failure] = [f for f in first.failures if f.kind in kinds]
    broken = first.broken if first.broken and second.broken else ""
    return Result(first.cell, failures, broken, first.seconds + second.seconds)
