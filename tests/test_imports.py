"""The floors of the house: an import only ever points down, and nothing goes round."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import org_invitations

ROOT = Path(org_invitations.__file__).parent
APP = "org_invitations"

FLOORS: list[set[str]] = [
    {"clerk"},
    {
        "conf",
        "signals",
        "converters",
        "csv",
        "embedding",
        "models",
        "migrations",
        "pages",
    },
    {"caching", "concurrency", "roles", "addresses"},
    {"clients"},
    {"services"},
    {"engines"},
    {"checks", "tasks"},
    {"apps", "middleware", "wording", "identity", "forms", "htmx"},
    {"views"},
    {"urls", "join_urls", "templatetags", "management"},
]
"""From the ground up. A module may import from the floors below its own, and nothing else."""

APART = {"emulator", "testing"}
"""What stands beside the house: a Clerk to test against, and the fixtures that set it up."""


def name_of(file: Path) -> str:
    parts = [APP, *file.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in sorted(ROOT.rglob("*.py"))}


@cache
def imports_of(name: str) -> frozenset[str]:
    """All that a module imports, wherever in it, as absolute names of modules."""
    file = MODULES[name]
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                found.add(whole if whole in MODULES else base)
    return frozenset(found)


def own_imports(name: str) -> set[str]:
    """Modules of the app that a module imports. Its bare package is what every import runs."""
    return {other for other in imports_of(name) if other.startswith(f"{APP}.") and other in MODULES}


def top(name: str) -> str:
    return name.removeprefix(f"{APP}.").partition(".")[0]


def packages(name: str) -> set[str]:
    return {other.partition(".")[0] for other in imports_of(name)}


def floor(name: str) -> int:
    return next(number for number, names in enumerate(FLOORS) if top(name) in names)


IN_THE_HOUSE = [name for name in MODULES if name != APP and top(name) not in APART]


def test_the_imports_are_read_as_python_reads_them() -> None:
    assert f"{APP}.clerk.exceptions" in imports_of(f"{APP}.clerk.client")
    assert f"{APP}.clerk" in imports_of(f"{APP}.services.snapshot")
    assert f"{APP}.services.snapshot" in imports_of(f"{APP}.services")
    assert f"{APP}.clients" in imports_of(f"{APP}.middleware")  # inside a function
    assert f"{APP}.htmx" in imports_of(f"{APP}.views.list")
    assert "requests" in imports_of(f"{APP}.clerk.client")
    assert len(IN_THE_HOUSE) > 30


def test_every_module_has_its_place() -> None:
    placed = set().union(*FLOORS, APART)
    assert {top(name) for name in MODULES if name != APP} == placed


def test_an_import_only_ever_points_down(subtests: pytest.Subtests) -> None:
    for name in IN_THE_HOUSE:
        with subtests.test(name=name):
            for other in own_imports(name):
                if top(other) != top(name):
                    assert top(other) not in APART, f"{name} imports {other}"
                    assert floor(other) < floor(name), f"{name} imports {other}"


def test_nothing_goes_round() -> None:
    # Not even among the modules of one floor.
    TopologicalSorter({name: own_imports(name) - {name} for name in IN_THE_HOUSE}).prepare()


def test_clerk_knows_neither_django_nor_the_rest_of_the_app(subtests: pytest.Subtests) -> None:
    for name in [name for name in MODULES if top(name) == "clerk"]:
        with subtests.test(name=name):
            assert not packages(name) & {"django", "django_htmx", "asgiref"}
            assert {top(other) for other in own_imports(name)} <= {"clerk"}


def test_clerk_can_be_imported_without_django() -> None:
    code = (
        "import sys; sys.modules['django'] = None; import org_invitations.clerk, "
        "org_invitations.clerk.session.authenticate, org_invitations.clerk.session.keys"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT.parent)


def test_only_conf_reads_the_settings() -> None:
    readers = {
        name
        for name in IN_THE_HOUSE
        if any(other.startswith("django.conf") for other in imports_of(name))
    }
    assert readers == {f"{APP}.conf"}


def test_only_the_client_speaks_http() -> None:
    speakers = {
        name
        for name in IN_THE_HOUSE
        if packages(name) & {"requests", "urllib3", "httpx", "socket"}
        or any(other in ("http.client", "urllib.request") for other in imports_of(name))
    }
    assert speakers == {f"{APP}.clerk.client"}


def test_the_package_itself_imports_nothing() -> None:
    assert imports_of(APP) == frozenset()


def test_the_emulator_and_the_app_share_no_code() -> None:
    for name in MODULES:
        if top(name) == "emulator":
            assert {top(other) for other in own_imports(name)} <= {"emulator"}, name
        elif name != f"{APP}.testing":
            assert "emulator" not in {top(other) for other in own_imports(name)}, name
    # Beside the emulator, the fixtures know only how to make a process forget, and which cache
    # it is that must.
    allowed = {"emulator", "caching", "clients", "conf"}
    assert {top(other) for other in own_imports(f"{APP}.testing")} == allowed


def test_the_emulator_needs_neither_django_nor_a_library_that_speaks_http(
    subtests: pytest.Subtests,
) -> None:
    for name in [name for name in MODULES if top(name) == "emulator"]:
        with subtests.test(name=name):
            assert not packages(name) & {"django", "requests", "urllib3", "responses"}
