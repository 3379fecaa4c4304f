"""The tools beside the app: how a browser is had, and what the mutants are drawn from."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools import browser, mutants

NOISE = (
    "Downloading 170 MiB\nError: getaddrinfo ENOTFOUND cdn.example\n    at internal/process:12\n"
)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that were tried; none of them works, and each says much."""
    tried: list[str] = []

    def run(command: Any, **how: Any) -> subprocess.CompletedProcess[str]:
        assert how["stdout"] == subprocess.PIPE
        tried.append(" ".join(command[-2:]))
        return subprocess.CompletedProcess(command, 1, stdout=NOISE)

    monkeypatch.setattr("tools.browser.subprocess.run", run)
    monkeypatch.setattr(
        "tools.browser.shutil.which", lambda name: f"/bin/{name}" if name == "apk" else None
    )
    return tried


def test_where_there_is_a_browser_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str],
    commands: list[str],
) -> None:  # fmt: skip
    there = tmp_path / "chromium"
    there.touch()
    monkeypatch.setenv("CHROMIUM", str(there))
    assert browser.main() == 0
    assert (capfd.readouterr().out, commands) == ("", [])


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_what_cannot_be_had_is_told_in_a_line_each(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], commands: list[str],
    ci: str, code: int,
) -> None:  # fmt: skip
    monkeypatch.setenv("CHROMIUM", "/no/such/browser")
    monkeypatch.setenv("CI", ci)
    assert browser.main() == code
    assert commands == ["install chromium", "add chromium"]
    out, err = capfd.readouterr()
    assert err == ""
    assert out.count("Error: getaddrinfo ENOTFOUND cdn.example\n") == 2
    assert "Downloading" not in out
    assert "Set CHROMIUM to the path of one" in out


def test_whatever_is_mutated_has_tests_that_concern_it() -> None:
    found = mutants.modules(mutants.ROOT)
    services = {
        str(path.relative_to(mutants.ROOT))
        for path in mutants.ROOT.glob("org_invitations/services/**/*.py")
    }
    assert services <= found.keys()
    assert all(found.values())


def test_a_test_that_fails_anyhow_kills_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = {"a.py": ("tests/test_a.py",), "b.py": ("tests/test_b.py", "tests/test_a.py")}
    asked: list[tuple[str, ...]] = []

    def find(_copy: Path, files: tuple[str, ...]) -> tuple[str, str]:
        asked.append(files)
        return ("killed", "test_it") if "tests/test_b.py" in files else ("survived", "")

    monkeypatch.setattr(mutants, "_find", find)
    with pytest.raises(SystemExit, match="nothing is mutated, and yet: killed test_it"):
        mutants.require_green(tmp_path, found)
    assert asked == [("tests/test_a.py",), ("tests/test_a.py", "tests/test_b.py")]


def outcome(by: str, diff: str) -> str:
    mutant = {"file": "org_invitations/roles.py", "line": 1, "number": 0}
    told = {"mutant": mutant, "result": "killed", "by": by, "diff": diff, "seconds": 1.0}
    return json.dumps(told) + "\n"


def test_a_run_goes_on_with_what_is_written_and_still_so(tmp_path: Path) -> None:
    report = tmp_path / "report"
    assert mutants.written(report) == {}
    report.write_text(outcome("test_a", "-a\n+b\n") + outcome("test_b", "-a\n+b\n"))
    [known] = mutants.written(report).values()
    assert (known.by, known.mutant.file) == ("test_b", "org_invitations/roles.py")
    assert mutants.difference("a\nc\n", "b\nc\n") == known.diff


def test_a_draw_says_how_sure_it_is() -> None:
    low, high = mutants.wilson(360, 400)
    assert (round(low, 3), round(high, 3)) == (0.867, 0.926)
