"""``python -m tests.faults``: see ``--help``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from . import known, lies, report, run
from .claims import read
from .play import Cell, Result, Stage

FOLDER = Path("build/faults")


def main() -> int:
    """Play, report, and return the exit status: 1 where there is a failure that is not known."""
    options = _options().parse_args()
    if options.cell:
        return show(Cell(options.cell[0], options.cell[2], options.cell[1], options.htmx))
    entries = known.load()
    FOLDER.mkdir(parents=True, exist_ok=True)
    tell = _tell if options.verbose else lambda _result: None
    if options.again:
        done = run.play_again(options.again, tell)
    else:
        state = FOLDER / f"seed-{options.seed}.jsonl"
        if not options.resume:
            state.unlink(missing_ok=True)
        done = run.play(
            options.seed,
            options.seconds,
            options.processes,
            state=state,
            cells=options.cells,
            only=options.only,
            tell=tell,
        )
    if options.write_known:
        known.save([*entries, *(line for r in done.results for line in known.of(r))])
    report.write(done, entries, options.report)
    print(report.as_text(done, entries))
    print(f"{options.report.with_suffix('.txt')}, {options.report.with_suffix('.json')}")
    status = _status(done, set(entries), strict=options.strict)
    if options.lies:
        verdicts = lies.find_all(done.results, options.lies, options.processes)
        text = "\n".join(map(str, verdicts))
        options.report.with_suffix(".lies.txt").write_text(text + "\n")
        print(f"\n{text}")
        status = status or int(not all(verdict.found for verdict in verdicts))
    return status


def _status(done: run.Run, entries: set[known.Known], *, strict: bool) -> int:
    failed = any(report.is_new(result, entries) for result in done.results)
    failed = failed or bool(done.rehearsals) or not done.results
    return int(failed or (strict and bool(known.gone(entries, done.results))))


def _tell(result: Result) -> None:
    kinds = ", ".join(sorted({f.kind for f in result.failures})) or "-"
    print(f"{result.seconds:5.2f} {result.cell.name}: {kinds}", flush=True)


def show(cell: Cell) -> int:
    """Play one cell and show everything about it."""
    from .world import World

    world = World()
    try:
        stage = Stage(world)
        result, scene = stage.play_scene(cell)
        print(cell.name, "\n\nCalls:")
        for call in scene.calls():
            print(f"  {call.method} {call.path} -> {call.status}, made {call.made}")
        print("\nAnswers:")
        for said in scene.said:
            answer = said.answer
            look = "later: " if said.is_look else ""
            print(
                f"  {look}{answer.method} {answer.url} -> {answer.status}, {answer.seconds:.2f} s"
            )
            for notice in answer.page.notices:
                print(f"      says {notice[:300]!r}")
            for claim in read(answer):
                print(f"      claims {claim.what}: {claim.address or 'all'}")
        print("\nDatabase:")
        for item in world.items():
            print(
                f"  {item.action} {item.email_address}: "
                f"{item.state} {item.reason} {item.invitation_id}"
            )
        for row in world.joinings():
            print(f"  joining: {row.state} {row.reason}")
        print("\nLog:")
        for name, line in world.logs.lines:
            if name.startswith(("org_invitations", "django.request")):
                print(f"  {line[:2000]}")
        print("\nFailures:")
        for failure in result.failures:
            print(f"  {failure.kind}: {failure.text}")
        print(result.broken)
        return int(bool(result.failures or result.broken))
    finally:
        world.close()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description="Play actions of the app against faults of Clerk, and judge what was said.",
    )
    add = parser.add_argument
    add("--seconds", type=float, default=180, help="how long to play (default: 180)")
    add("--seed", type=int, default=1, help="which sample (default: 1)")
    add("--processes", type=int, default=os.cpu_count() or 1, help="default: all cores")
    add("--cells", type=int, help="stop after the first so many of the sample")
    add("--resume", action="store_true", help="go on where the last run of this seed stopped")
    add("--again", type=Path, metavar="REPORT", help="play what failed in a report (JSON) again")
    add("--strict", action="store_true", help="fail for known failures that are gone, too")
    add("--report", type=Path, default=FOLDER / "report", help="where to write the report")
    add("--lies", type=float, default=0, metavar="SECONDS", help="then look for each lie so long")
    add("--write-known", action="store_true", help="add what was found to the list of the known")
    add("--verbose", action="store_true", help="a line for each cell")
    add("--cell", nargs=3, metavar=("ACTION", "SLOT", "FAULT"), help="play one and show all of it")
    add("--htmx", action="store_true", help="with --cell: with htmx")
    add(
        "--only",
        default="",
        metavar="BEGINNING",
        help="only actions whose names begin so; with ! before it, the others",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
