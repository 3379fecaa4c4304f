"""What a site gets when it installs the built package."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
APP = ROOT / "org_invitations"

PROBE = """
import json, sys
from pathlib import Path
import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=[
        "django.contrib.messages", "django.contrib.staticfiles", "django_htmx", "org_invitations"
    ],
    MIDDLEWARE=[
        "django.contrib.messages.middleware.MessageMiddleware",
        "org_invitations.middleware.ClerkSessionMiddleware",
    ],
    ROOT_URLCONF="org_invitations.urls",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    SECRET_KEY="x",
    STATIC_URL="static/",
    CLERK_SECRET_KEY="sk_test_x",
    CLERK_PUBLISHABLE_KEY="pk_test_Y2xlcmsuZXhhbXBsZS50ZXN0JA",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
)
django.setup()
from django.contrib.staticfiles import finders
from django.core.checks import run_checks
from django.core.management import call_command
from django.template.loader import get_template
from django.utils.translation import gettext, override

wanted = json.loads(sys.stdin.read())
for name in wanted["templates"]:
    get_template(name)
missing = [name for name in wanted["static"] if finders.find(name) is None]
untranslated = []
for language in wanted["languages"]:
    with override(language):
        if gettext("Send invitation") == "Send invitation":
            untranslated.append(language)
import org_invitations
import org_invitations.emulator
from org_invitations.models import Batch

call_command("migrate", verbosity=0)
print(json.dumps({
    "missing": missing,
    "untranslated": untranslated,
    "batches": Batch.objects.count(),
    "typed": (Path(org_invitations.__file__).parent / "py.typed").exists(),
    "place": org_invitations.__file__,
    "problems": [str(problem) for problem in run_checks(tags=["org_invitations"])],
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a source distribution as a package index would get it.

    Once for all processes that run the tests: a build writes to the folder of the project.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # each has a folder of its own in there
        shared = shared.parent
    folder = shared / "dist"
    with (shared / "dist.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not list(folder.glob("*.whl")):
            run(sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT))
    [path] = folder.glob("*.whl")
    return path


def run(*command: str, stdin: str = "") -> str:
    # Without the variables of a coverage run or an activated environment.
    env = {k: v for k, v in os.environ.items() if not k.startswith(("COV", "PYTHON", "VIRTUAL"))}
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, env=env, cwd="/", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def below(folder: str, *endings: str) -> list[str]:
    root = APP / folder
    return sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and (not endings or path.suffix in endings)
    )


def test_the_wheel_holds_every_file_of_the_app_and_nothing_else(wheel: Path) -> None:
    kept = {".py", ".html", ".css", ".js", ".po", ".mo", ".typed", ".svg"}
    source = {
        path.relative_to(ROOT).as_posix()
        for path in APP.rglob("*")
        if path.is_file() and (path.suffix in kept or path.name == "py.typed")
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == source


def test_every_translation_is_compiled() -> None:
    for po in APP.glob("locale/*/LC_MESSAGES/*.po"):
        assert po.with_suffix(".mo").exists(), f"{po} is not compiled: make messages"


def test_installed_into_an_empty_environment_it_works(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "env"
    run(sys.executable, "-m", "venv", str(environment))
    python = str(environment / "bin" / "python")
    run(python, "-m", "pip", "install", "--quiet", str(wheel))
    wanted = {
        "templates": [name for name in below("templates") if name.endswith(".html")],
        "static": below("static"),
        "languages": [path.name for path in (APP / "locale").glob("*") if path.is_dir()],
    }
    assert len(wanted["templates"]) > 10
    found = json.loads(run(python, "-W", "error", "-c", PROBE, stdin=json.dumps(wanted)))
    assert found["place"].startswith(str(environment))
    assert found["missing"] == []
    assert found["untranslated"] == []
    assert found["typed"] is True
    assert found["problems"] == []
    assert found["batches"] == 0
