"""What counts of a run, what is known of it, and how it is told."""

from __future__ import annotations

import json
from pathlib import Path

from . import known, report
from .failures import ERROR, TWICE, UNTRUE, Failure
from .play import Cell, Result
from .run import Run, _resume, confirm

CELL = Cell("resend", "reset after", "create 1", htmx=True)
GOOD = Result(Cell("resend", "reset before", "create 1"))
BAD = Result(CELL, [Failure(UNTRUE, "“sent”: it was not"), Failure(TWICE, "two invitations")])
ENTRY = known.Known(UNTRUE, "resend", "reset after")


def _run(*results: Result) -> Run:
    run = Run(7, list(results), seconds=3.0)
    run.played = {f"0 | {r.cell.action} | {r.cell.kind}" for r in results}
    return run


def test_a_failure_that_is_listed_is_known_and_any_other_is_new() -> None:
    assert known.of(BAD) == {ENTRY, known.Known(TWICE, "resend", "reset after")}
    assert report.is_new(BAD, {ENTRY})
    assert not report.is_new(BAD, known.of(BAD))
    assert not report.is_new(GOOD, set())


def test_what_could_not_be_played_is_new() -> None:
    assert report.is_new(Result(CELL, broken="Traceback"), set())


def test_a_known_failure_is_gone_where_its_pair_was_met_without_it() -> None:
    elsewhere = known.Known(UNTRUE, "resend", "late")
    assert known.gone([ENTRY, elsewhere], [Result(CELL)]) == [ENTRY]
    assert known.gone([ENTRY, elsewhere], [Result(CELL), BAD]) == []


def test_a_list_is_written_sorted_and_read_again(tmp_path: Path) -> None:
    entries = [known.Known("b", "x", "y"), known.Known("a", "x", "y"), known.Known("b", "x", "y")]
    known.save(entries, tmp_path / "known.txt")
    assert known.load(tmp_path / "known.txt") == sorted(set(entries))


def test_only_what_happens_twice_is_the_apps_fault() -> None:
    once = Result(CELL, [Failure(UNTRUE, "in other words"), Failure(ERROR, "a crash")])
    assert [failure.kind for failure in confirm(BAD, once).failures] == [UNTRUE]
    assert confirm(Result(CELL, broken="Traceback"), GOOD).broken == ""


def test_a_report_tells_how_much_what_and_how_to_see_it() -> None:
    text = report.as_text(_run(GOOD, BAD), [ENTRY])
    assert text.startswith("2 cells in 3 s, seed 7")
    assert "1 cells failed" in text
    assert "New: 1\n  sent twice | resend | reset after\n      two invitations" in text
    assert "--cell resend 'create 1' 'reset after' --htmx" in text
    assert "not found again" not in text


def test_a_report_names_what_can_be_taken_off_the_list() -> None:
    text = report.as_text(_run(Result(CELL)), [ENTRY])
    assert f"Known, met and not found again: 1\n  {ENTRY}" in text


def test_a_report_for_programs_has_every_cell_that_failed(tmp_path: Path) -> None:
    report.write(_run(GOOD, BAD), [], tmp_path / "report")
    data = json.loads((tmp_path / "report.json").read_text())
    assert (data["cells"], data["failures"]) == (2, {UNTRUE: 1, TWICE: 1})
    assert [Result.from_dict(row) for row in data["failed"]] == [BAD]
    assert (tmp_path / "report.txt").exists()


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    lines = [
        {"ticket": "0 | resend | late", "result": BAD.as_dict()},
        {"ticket": "0 | chooser | late", "result": None},
    ]
    state = tmp_path / "state.jsonl"
    state.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run = Run(7)
    _resume(run, state)
    assert run.played == {"0 | resend | late", "0 | chooser | late"}
    assert run.results == [BAD]
