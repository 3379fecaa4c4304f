"""How much the tests notice: break the app in many small ways, and count what no test objects to.

``make mutants SEED=1 NUMBER=100`` draws as many mutants of ``AREAS`` by that seed (a longer
draw with the same seed begins with the same mutants), runs for each the tests that concern its
module, and prints what survived and the share that was found, with its 95 % interval. Nothing in
the checkout is touched: all of it happens in a copy. With ``REPORT=file`` each outcome is written
down at once, and what is in there already is not run again: a run that was stopped goes on.

mutmut makes the mutants; it does not run them. It mutates neither a module's constants nor a
property, and it rewrites every function into a dispatcher, which the tests that read the source
object to. Cosmic Ray starts Python, Django and the collection of all tests for each mutant anew.
Here a process that has imported the libraries forks for each one.
"""

from __future__ import annotations

import argparse
import difflib
import json
import math
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
APP: Final = "org_invitations"

AREAS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "services/joining/**/*.py",
        (
            *("clerk/test_joining", "views/test_join", "views/test_join_links", "views/test_mine"),
            *("views/test_join_attacks", "views/test_join_faults"),
        ),
    ),
    (
        "services/**/*.py",
        (
            *("test_services", "test_listing", "test_screening", "test_sending", "test_replacing"),
            *("test_batches", "test_reconcile", "test_models", "test_ledger"),
            "test_sending_over_http",
            *("views/test_invite_many", "views/test_selection", "views/test_resend"),
            *("views/test_did_it_happen", "views/test_outcome", "views/test_list"),
        ),
    ),
    (
        "addresses/**/*.py",
        (
            *("addresses/test_parser", "addresses/test_tables", "addresses/test_headings"),
            *("addresses/test_typos", "addresses/test_writer", "addresses/test_contacts"),
            *("addresses/test_notes", "addresses/test_encodings", "addresses/test_workbooks"),
            "views/test_exports",
        ),
    ),
    (
        "clerk/**/*.py",
        (
            *("clerk/session/test_cases", "clerk/session/test_handshake"),
            *("clerk/session/test_tokens", "clerk/session/test_keys"),
            *("clerk/session/test_claims", "clerk/session/test_cookies", "test_middleware"),
        ),
    ),
)
"""What is mutated, and the tests that concern it, by the first pattern that a module fits: what
decides who is asked for what, what an address is, and who is let in."""

#: Of ``clerk/`` only what sessions are made of.
SESSIONS: Final = ("authenticate", "handshake", "tokens", "keys", "claims", "cookies")

#: What the tests import anyway: once for all mutants. Nothing of the app, nothing of the tests.
LIBRARIES: Final = (
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.db.migrations.executor",
    "django.template.defaulttags",
    "django.test",
    "django.views.generic",
    "jsonschema",
    "jwt",
    "requests",
    "responses",
)

#: Seconds of computing, and of the clock, after which the tests of a mutant are taken to hang.
COMPUTING: Final = 150
WAITING: Final = 3_600

QUIET: Final = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist")


@dataclass(frozen=True)
class Mutant:
    """One small change: its ``file`` from the root, its ``line``, and its ``number`` in there."""

    file: str
    line: int
    number: int


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: killed (by which test), timed out, or survived."""

    mutant: Mutant
    result: str
    by: str
    diff: str
    seconds: float


# --- Making mutants ------------------------------------------------------------------------------


def mutations_of(code: str) -> tuple[Any, list[tuple[int, Any]]]:
    """Return the module as libcst has it, and of each mutation its line and itself."""
    import libcst as cst
    from libcst.metadata import MetadataWrapper, PositionProvider
    from mutmut.mutation.file_mutation import MutationVisitor
    from mutmut.mutation.mutators import mutation_operators
    from mutmut.mutation.pragma_handling import IgnoredCode

    class Visitor(MutationVisitor):  # type: ignore[misc,unused-ignore]
        """mutmut's own, which leaves out decorated functions only because of its dispatchers."""

        def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
            if isinstance(node, cst.FunctionDef):
                return False
            return bool(super()._skip_node_and_children(node))

    wrapper = MetadataWrapper(cst.parse_module(code))
    visitor = Visitor(mutation_operators, IgnoredCode(set(), set(), set()))
    module = wrapper.visit(visitor)
    positions = wrapper.resolve(PositionProvider)
    return module, [(positions[one.original_node].start.line, one) for one in visitor.mutations]


def mutate(code: str, number: int) -> str:
    """Return the code with one mutation in it."""
    module, mutations = mutations_of(code)
    _, mutation = mutations[number]
    return str(module.deep_replace(mutation.original_node, mutation.mutated_node).code)


def modules(root: Path) -> dict[str, tuple[str, ...]]:
    """Return every module that is mutated, with the tests that concern it.

    Those that speak of it most often come first: there most mutants are found.
    """
    found: dict[str, tuple[str, ...]] = {}
    for pattern, names in AREAS:
        paths = [path for place in sorted((root / APP).glob(pattern)) for path in _sources(place)]
        if pattern.startswith("clerk"):
            paths = [path for path in paths if path.stem in SESSIONS]
        tests = [f"tests/{name}.py" for name in names]
        gone = [name for name in tests if not (root / name).exists()]
        if not paths or gone:
            sys.exit(f"tools/mutants.py: there is no {pattern}, or no {gone}, any more: see AREAS.")
        texts = {name: (root / name).read_text() for name in tests}
        for path in paths:
            stem = path.parent.name if path.stem == "__init__" else path.stem
            ordered = sorted(tests, key=lambda name: -texts[name].count(stem))
            found.setdefault(str(path.relative_to(root)), tuple(ordered))
    return found


def _sources(place: Path) -> list[Path]:
    return [place] if place.suffix == ".py" else sorted(place.rglob("*.py"))


def all_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of every module, in the order of the source."""
    for file in sorted(modules(root)):
        _, mutations = mutations_of((root / file).read_text())
        for number, (line, _) in enumerate(mutations):
            yield Mutant(file, line, number)


# --- Running them --------------------------------------------------------------------------------


class _First:
    """Notes the first test that fails."""

    def __init__(self, note: Path) -> None:
        self.note = note

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and not self.note.exists():
            self.note.write_text(report.nodeid)


def _pytest(arguments: list[str], *plugins: Any) -> int:
    import pytest

    ignored = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
    return int(pytest.main([*QUIET, *ignored, *arguments], plugins=list(plugins)))


def _fork(copy: Path, run: Callable[[], int]) -> int | None:
    """Run something in a process of its own inside the copy; None where it did not end."""
    child = os.fork()
    if not child:
        code = 70
        try:
            os.setpgid(0, 0)
            resource.setrlimit(resource.RLIMIT_CPU, (COMPUTING, COMPUTING + 5))
            log = os.open(str(copy / ".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.chdir(copy)
            sys.path.insert(0, str(copy))
            code = run()
        finally:
            os._exit(code)
    patience = time.monotonic() + WAITING
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return None if code in (-signal.SIGXCPU, -signal.SIGKILL) else code
        if time.monotonic() > patience:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.02)


def difference(code: str, mutated: str) -> str:
    """Return the lines that a mutation takes out and puts in."""
    lines = difflib.unified_diff(
        code.splitlines(keepends=True), mutated.splitlines(keepends=True), n=0
    )
    return "".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def judge(copy: Path, mutant: Mutant, tests: tuple[str, ...]) -> Outcome:
    """Apply a mutant, run what concerns it, and take it back."""
    path = copy / mutant.file
    code = path.read_text()
    mutated = mutate(code, mutant.number)
    diff = difference(code, mutated)
    began = time.monotonic()
    before = path.stat()
    path.write_text(mutated)
    # Python takes a file for unchanged whose second and size are.
    os.utime(path, (before.st_atime, before.st_mtime + 2 + mutant.number))
    try:
        result, by = _find(copy, tests)
    finally:
        path.write_text(code)
        os.utime(path, (before.st_atime, before.st_mtime))
    return Outcome(mutant, result, by, diff, round(time.monotonic() - began, 1))


def _find(copy: Path, tests: tuple[str, ...]) -> tuple[str, str]:
    """Run the first file, and if nothing fails there the others; tell what came of it."""
    note = copy / ".killer"
    note.unlink(missing_ok=True)
    for files in filter(None, (tests[:1], tests[1:])):

        def run(files: tuple[str, ...] = files) -> int:
            return _pytest(["-x", *files], _First(note))

        code = _fork(copy, run)
        if code is None:
            return "timed out", ""
        if code:  # what cannot even be imported fails before any test
            return "killed", note.read_text() if note.exists() else "importing"
    return "survived", ""


def written(report: Path | None) -> dict[Mutant, Outcome]:
    """Return the outcomes of a run that was stopped, as its report has them."""
    outcomes = {}
    if report and report.exists():
        for line in report.read_text().splitlines():
            fields = json.loads(line)
            mutant = Mutant(**fields.pop("mutant"))
            outcomes[mutant] = Outcome(mutant, **fields)
    return outcomes


def is_of(copy: Path, outcome: Outcome) -> bool:
    """Tell whether an outcome is of the code as it is now: its file may have changed since."""
    code = (copy / outcome.mutant.file).read_text()
    return outcome.diff == difference(code, mutate(code, outcome.mutant.number))


def require_green(copy: Path, tests: dict[str, tuple[str, ...]]) -> None:
    """Exit where a test fails without any mutant: it would kill all of them."""
    for files in sorted({tuple(sorted(names)) for names in tests.values()}):
        result, by = _find(copy, files)
        if result != "survived":
            sys.exit(f"tools/mutants.py: nothing is mutated, and yet: {result} {by}")


def wilson(found: int, number: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, as Wilson has it."""
    z = 1.959964
    share = found / number
    middle = share + z * z / (2 * number)
    width = z * math.sqrt(share * (1 - share) / number + z * z / (4 * number * number))
    scale = 1 + z * z / number
    return (middle - width) / scale, (middle + width) / scale


def compile_once(folder: Path) -> None:
    """Keep what is compiled, for all mutants: five seconds of ten are saved.

    A mutated file is another one, by its time, and so is compiled anew.
    """
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(folder)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def make_copy(folder: Path) -> Path:
    """Copy what git knows of the checkout, with what lies beside it within reach."""
    copy = folder / "copy"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    if (ROOT.parent / "shared").exists():
        (folder / "shared").symlink_to(ROOT.parent / "shared")
    return copy


def main() -> int:
    """Draw mutants, run them, and report."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--number", type=int, default=100)
    options.add_argument(
        "--report",
        type=Path,
        help="a file for the outcomes, as JSON lines; one that is there is gone on with",
    )
    chosen = options.parse_args()
    for library in LIBRARIES:
        __import__(library)

    with tempfile.TemporaryDirectory() as name:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(Path(name) / "hypothesis")
        compile_once(Path(name) / "compiled")
        copy = make_copy(Path(name))
        tests = modules(copy)
        require_green(copy, tests)
        mutants = list(all_mutants(copy))
        print(f"{len(mutants)} mutants of {len(tests)} modules", flush=True)
        random.Random(chosen.seed).shuffle(mutants)  # noqa: S311 - no secret
        before = written(chosen.report)
        outcomes = []
        for mutant in mutants[: chosen.number]:
            outcome = before.get(mutant)
            if outcome is None or not is_of(copy, outcome):
                outcome = judge(copy, mutant, tests[mutant.file])
                if chosen.report:
                    with chosen.report.open("a") as report:
                        report.write(json.dumps(asdict(outcome)) + "\n")
            outcomes.append(outcome)
            line = f"{mutant.file}:{mutant.line} #{mutant.number}"
            print(f"{len(outcomes)} {outcome.result} {line} ({outcome.seconds} s) {outcome.by}")
            if outcome.result == "survived":
                print(outcome.diff)
            sys.stdout.flush()
    found = sum(outcome.result in ("killed", "timed out") for outcome in outcomes)
    low, high = wilson(found, len(outcomes))
    print(
        f"seed {chosen.seed}: {found} of {len(outcomes)} found, {found / len(outcomes):.1%}"
        f" (95 %: {low:.1%} to {high:.1%})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
