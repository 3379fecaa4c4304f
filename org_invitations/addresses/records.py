"""Tables that are no rows of cells: HTML, JSON, blocks of ``key: value``, columns set by blanks.

What comes out is a grid with the keys as its heading, so that it is read as any table. Each pattern
stops at the next bracket or line, and none looks back: the cost grows with the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from typing import Any, Final

from .entries import MAX_ROWS, TooManyRows
from .grids import MAX_COLUMNS, Grid, Row
from .headings import read_heading
from .parser import NEWLINE

_CELL: Final = re.compile(r"<t[dh]\b", re.IGNORECASE)
_TAG: Final = re.compile(r"<(/?[a-z][a-z0-9]*)\b([^<>]*)>|<[^<>]*>", re.IGNORECASE)
_HREF: Final = re.compile(r"href\s*=\s*[\"']?(mailto:[^\"'\s>]+)", re.IGNORECASE)
_PAIR: Final = re.compile(r"[ \t]*(?:- )?[\"']?([^\W_][\w .()/-]{0,40}?)[\"']?[ \t]*:[ \t]+(\S.*)?")
_RULE: Final = re.compile(r"[ \t]*-+(?:[ \t]+-+)+[ \t]*")

#: So deep in an object of JSON is looked.
_DEPTH: Final = 4

_Record = Mapping[str, str]


def read_records(text: str) -> Grid | None:
    """Return the records of a text as rows, or None where it has none that name an address.

    :raises TooManyRows: there are more than ``MAX_ROWS``.
    """
    start = text.lstrip()[:1]
    if start in ("[", "{"):
        return _as_grid(_read_json(text))
    if start == "<" and _CELL.search(text):
        return Grid(list(_read_html(text)), "\t", is_named=True)
    return _read_columns(text) or _as_grid(_read_pairs(text))


def _as_grid(records: Iterable[tuple[int, _Record]]) -> Grid | None:
    """Return records, each with its line or its place, below a heading of all their keys."""
    keys: dict[str, int] = {}
    rows: list[Row] = []
    for line, record in records:
        for key in record:
            if len(keys) < MAX_COLUMNS:
                keys.setdefault(key, len(keys))
        cells = [""] * len(keys)
        for key, value in record.items():
            if key in keys:
                cells[keys[key]] = value
        rows.append(Row(line, cells))
        if len(rows) > MAX_ROWS:
            raise TooManyRows(MAX_ROWS)
    if not rows or not any(read_heading(key).rank is not None for key in keys):
        return None
    heading = Row(rows[0].line, list(keys))
    for row in rows:
        row.cells.extend([""] * (len(keys) - len(row.cells)))
    return Grid([heading, *rows], "\t", is_named=True)


# --- JSON ---------------------------------------------------------------------------------------


def _read_json(text: str) -> Iterator[tuple[int, _Record]]:
    """Yield the objects of a list, wherever it stands, or one of each line."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = []
        for line in NEWLINE.split(text):
            try:
                found += [json.loads(line)] if line.strip() else []
            except (ValueError, RecursionError):
                return
    if isinstance(found, dict):
        lists = [value for value in found.values() if isinstance(value, list) and value]
        found = next((value for value in lists if isinstance(value[0], dict)), [found])
    for number, item in enumerate(found if isinstance(found, list) else [], 1):
        if not isinstance(item, dict):
            return
        yield number, dict(_flat(item, ""))


def _flat(item: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in item.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and prefix.count(".") < _DEPTH:
            yield from _flat(value, f"{name}.")
        elif isinstance(value, list):
            yield name, "; ".join(part for part in value if isinstance(part, str))
            for number, part in enumerate(value):
                if isinstance(part, dict) and prefix.count(".") < _DEPTH:
                    yield from _flat(part, f"{name}.{number}.")
        elif isinstance(value, str):
            yield name, value
        elif value is not None:
            yield name, json.dumps(value)


# --- HTML ---------------------------------------------------------------------------------------


def _read_html(text: str) -> Iterator[Row]:
    """Yield the rows of all tables; a link that writes a mail stands for a cell without one."""
    cells: list[str] = []
    parts: list[str] | None = None
    link, at, line, first = "", 0, 1, 1

    def close() -> None:
        if parts is not None:
            cell = " ".join(unescape("".join(parts)).split())
            cells.append(cell if "@" in cell or not link else unescape(link))

    for tag in _TAG.finditer(text):
        if parts is not None:
            parts.append(text[at : tag.start()])
        line += text.count("\n", at, tag.end())
        at = tag.end()
        name = (tag[1] or "").lower()
        if name in ("td", "th", "/td", "/th", "tr", "/tr", "/table"):
            close()
            parts = [] if name in ("td", "th") else None
            link = ""
        elif name == "br" and parts is not None:
            parts.append("\n")
        elif name == "a" and (href := _HREF.search(tag[2] or "")):
            link = href[1]
        if name in ("tr", "/tr", "/table"):
            if any(cells):
                yield Row(first, cells)
            cells, first = [], line


# --- Lines --------------------------------------------------------------------------------------


def _read_pairs(text: str) -> Iterator[tuple[int, _Record]]:
    """Yield blocks of ``key: value``, of which each begins with the same key."""
    record: dict[str, str] = {}
    records: list[tuple[int, _Record]] = []
    first = ""
    for number, line in enumerate(NEWLINE.split(text), 1):
        if not line.strip():
            continue
        pair = _PAIR.fullmatch(line)
        if pair is None:
            return  # it is a text, after all
        key = pair[1].strip()
        if key == (first := first or key):
            record = {}
            records.append((number, record))
        value = (pair[2] or "").strip().strip("\"',")
        record[key] = f"{record[key]}; {value}" if record.get(key) else value
    if len(records) > 1:
        yield from records


def _read_columns(text: str) -> Grid | None:
    """Return what a program has set below each other with blanks, as PowerShell does."""
    lines = NEWLINE.split(text)
    at = next((number for number, line in enumerate(lines[:20]) if _RULE.fullmatch(line)), 0)
    if not at:
        return None
    starts = [found.start() for found in re.finditer(r"-+", lines[at])]
    if len(starts) > MAX_COLUMNS:
        return None
    ends = [*starts[1:], None]

    def cut(line: str) -> list[str]:
        return [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]

    if not any(read_heading(cell).rank is not None for cell in cut(lines[at - 1])):
        return None
    rows: list[Row] = []
    for number, line in enumerate(lines, 1):
        # Where a name is longer than its column, nobody can tell where the next one begins.
        if any(line[start - 1 : start].strip() for start in starts[1:]):
            return None
        if line.strip() and number != at + 1:
            rows.append(Row(number, cut(line)))
        if len(rows) > MAX_ROWS + 100:
            raise TooManyRows(MAX_ROWS)
    return Grid(rows, "\t", is_named=True)
