"""The failures that are known and not mended yet. The list only ever gets shorter.

A line of ``known.txt`` is a kind of failure, an action and a kind of fault. What is on it does not
fail a run, what is not does; and a run that has met an action with a kind of fault and found
nothing names what can be taken off.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .play import Result

PATH: Final = Path(__file__).with_name("known.txt")
_SEPARATOR: Final = " | "


@dataclass(frozen=True, order=True)
class Known:
    """One line."""

    failure: str
    action: str
    fault: str

    def __str__(self) -> str:
        return _SEPARATOR.join((self.failure, self.action, self.fault))

    @classmethod
    def parse(cls, line: str) -> Known:
        failure, action, fault = line.split(_SEPARATOR)
        return cls(failure, action, fault)


def load(path: Path = PATH) -> list[Known]:
    """The list, in the order in which it is written."""
    return [Known.parse(line) for line in path.read_text().splitlines() if line.strip()]


def save(entries: Iterable[Known], path: Path = PATH) -> None:
    """Write the list: sorted, each once."""
    path.write_text("".join(f"{entry}\n" for entry in sorted(set(entries))))


def of(result: Result) -> set[Known]:
    """The lines that would make a result a known one."""
    cell = result.cell
    return {Known(failure.kind, cell.action, cell.kind) for failure in result.failures}


def gone(entries: Iterable[Known], results: Iterable[Result]) -> list[Known]:
    """Of a list, what was looked for often enough and did not occur: each pair was met."""
    played, found = set(), set()
    for result in results:
        played.add((result.cell.action, result.cell.kind))
        found |= of(result)
    return [e for e in entries if (e.action, e.fault) in played and e not in found]
