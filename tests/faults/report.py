"""What a run found, as a table to read and as JSON."""

from __future__ import annotations

import json
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from . import known
from .failures import KINDS
from .faults import kinds, table
from .play import Result
from .run import Run
from .sample import count_pairs

#: So many examples of each line are shown.
_EXAMPLES = 1


def is_new(result: Result, entries: set[known.Known]) -> bool:
    """Whether a result has a failure that is not known, or could not be played."""
    return bool(known.of(result) - entries) or bool(result.broken)


def as_text(run: Run, entries: Iterable[known.Known]) -> str:
    """The table: how much was played, what failed by kind, and what is new with an example."""
    listed = set(entries)
    lines = [*_head(run), "", *_by_kind(run, listed), ""]
    new = _lines(run.results, lambda line: line not in listed)
    if new:
        lines += [f"New: {len(new)}", *_examples(new), ""]
    lines += _broken(run)
    left = known.gone(sorted(listed), run.results)
    if left:
        lines += [f"Known, met and not found again: {len(left)}", *(f"  {e}" for e in left), ""]
    return "\n".join(lines)


def as_dict(run: Run, entries: Iterable[known.Known]) -> dict[str, Any]:
    """The same, and every cell that failed."""
    listed = set(entries)
    return {
        "seed": run.seed,
        "seconds": round(run.seconds, 1),
        "cells": len(run.results),
        "pairs": {"played": len(_pairs(run)), "all": count_pairs()},
        "faults": len(table()),
        "failures": dict(_count(run.results)),
        "new": [str(line) for line in sorted(_lines(run.results, lambda x: x not in listed))],
        "gone": [str(entry) for entry in known.gone(sorted(listed), run.results)],
        "failed": [r.as_dict() for r in run.results if r.failures or r.broken],
        "rehearsals": [r.as_dict() for r in run.rehearsals],
    }


def write(run: Run, entries: Iterable[known.Known], path: Path) -> None:
    """Write both beside each other: ``path`` with the endings ``.txt`` and ``.json``."""
    listed = list(entries)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".txt").write_text(as_text(run, listed) + "\n", errors="backslashreplace")
    path.with_suffix(".json").write_text(json.dumps(as_dict(run, listed), indent=1) + "\n")


def _head(run: Run) -> list[str]:
    pairs = len(_pairs(run))
    failed = sum(1 for result in run.results if result.failures)
    return [
        f"{len(run.results)} cells in {run.seconds:.0f} s, seed {run.seed}",
        f"{pairs} of {count_pairs()} pairs of an action and a kind of fault met",
        f"{len(table())} faults of {len(kinds())} kinds",
        f"{failed} cells failed",
    ]


def _pairs(run: Run) -> set[str]:
    return {ticket.partition(" | ")[2] for ticket in run.played}


def _count(results: Iterable[Result]) -> Counter[str]:
    return Counter(kind for r in results for kind in {f.kind for f in r.failures})


def _by_kind(run: Run, listed: set[known.Known]) -> list[str]:
    cells = _count(run.results)
    lines = Counter(line.failure for line in _lines(run.results, lambda _line: True))
    new = Counter(line.failure for line in _lines(run.results, lambda line: line not in listed))
    width = max(len(kind) for kind in KINDS)
    rows = [f"{'failure':{width}}  cells  pairs    new"]
    rows += [
        f"{kind:{width}}  {cells[kind]:5}  {lines[kind]:5}  {new[kind]:5}"
        for kind in KINDS
        if cells[kind]
    ]
    return rows


def _lines(results: Iterable[Result], wanted: Any) -> dict[known.Known, list[Result]]:
    found: dict[known.Known, list[Result]] = defaultdict(list)
    for result in results:
        for line in known.of(result):
            if wanted(line):
                found[line].append(result)
    return found


def _examples(found: dict[known.Known, list[Result]]) -> list[str]:
    rows = []
    for line in sorted(found):
        rows.append(f"  {line}")
        for result in found[line][:_EXAMPLES]:
            text = next(f.text for f in result.failures if f.kind == line.failure)
            rows += [f"      {text}", f"      {replay(result)}"]
    return rows


def replay(result: Result) -> str:
    """The command that plays a cell again and shows all of it."""
    cell = result.cell
    words = ["python", "-m", "tests.faults", "--cell", cell.action, cell.slot, cell.fault]
    return shlex.join(words) + (" --htmx" if cell.htmx else "")


def _broken(run: Run) -> list[str]:
    rows = []
    for result in [*run.results, *run.rehearsals]:
        if result.broken:
            rows += [f"Could not be played: {result.cell.name}", result.broken]
    for result in run.rehearsals:
        for failure in result.failures:
            rows.append(f"Without any fault: {result.cell.action}: {failure.kind}: {failure.text}")
    return rows
