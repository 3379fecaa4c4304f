"""What is larger than CI: a part of it, drawn by a seed, and with ``FULL`` all of it, as tables.

A test that is marked ``sampled("Journeys")`` is parametrized by more than one thing. By itself
each value of the first one is tried once, with values of the others that ``SEED`` draws; ``make
full`` tries all combinations and prints what came of each.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest

FULL = bool(os.environ.get("FULL"))
SEED = os.environ.get("SEED", "1")

Cell = tuple[str, str, str, str]


def draw(items: list[pytest.Item]) -> list[pytest.Item]:
    """Take out of the tests those that are sampled and not drawn; return them."""
    if FULL:
        return []
    by_row: dict[tuple[Any, str], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("sampled") and isinstance(item, pytest.Function):
            by_row[item.obj, row_of(item)].append(item)
    left_out: set[pytest.Item] = set()
    for (test, row), of_row in by_row.items():
        of_row.sort(key=lambda item: item.nodeid)
        drawn = random.Random(f"{SEED} {test.__name__} {row}").choice(of_row)
        left_out |= set(of_row) - {drawn}
    items[:] = [item for item in items if item not in left_out]
    return list(left_out)


def row_of(item: pytest.Function) -> str:
    """Return the value of what a sampled test is parametrized by first, as its id has it."""
    return item.name.partition("[")[2].rstrip("]").split("-", 1)[0]


def column_of(item: pytest.Function) -> str:
    """Return the values of the others."""
    return item.name.partition("[")[2].rstrip("]").partition("-")[2]


def tables(reports: Iterable[Any]) -> list[str]:
    """Return the tables that the reports of tests have cells of, as lines of Markdown."""
    found: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for report in reports:
        for name, value in getattr(report, "user_properties", []):
            if name == "cell":
                table, row, column, text = value
                found[table][row][column] = "FAILED" if report.failed else text
    lines: list[str] = []
    for table, rows in sorted(found.items()):
        columns = sorted({column for row in rows.values() for column in row})
        lines += [
            "",
            f"### {table}",
            "",
            f"| | {' | '.join(columns)} |",
            "|---" * (len(columns) + 1) + "|",
        ]
        for row, cells in sorted(rows.items()):
            lines.append(f"| {row} | {' | '.join(cells.get(c, '') for c in columns)} |")
    return lines
