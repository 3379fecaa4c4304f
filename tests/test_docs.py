"""The documentation says what is so: each of its lists is held against the code."""

from __future__ import annotations

import ast
import gzip
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.template import engines
from django.test import Client, override_settings

import org_invitations
from org_invitations import checks, concurrency, views
from org_invitations import conf as conf_module
from org_invitations.addresses import Refusal, parse_text
from org_invitations.clerk import exceptions
from org_invitations.clients import get_client
from org_invitations.conf import Conf
from org_invitations.emulator import Emulator
from org_invitations.models import Batch, BatchItem
from org_invitations.services import InvitationService
from org_invitations.services.preview import PreviewItem
from org_invitations.testing import SignIn
from org_invitations.views.preview import PreviewPresenter, fingerprint_of
from org_invitations.wording import Wording
from tests.documents import ROOT, blocks, section, text
from tools import hooks

APP = ROOT / "org_invitations"
TEMPLATES = sorted((APP / "templates").rglob("*.html"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
DOCUMENTS += sorted((ROOT / "docs").glob("*.md"))

LISTED = "org-invitations-list"
FORM = "org-invitations-form"
DIALOG = "org-invitations-dialog"
CHECK = "org-invitations-check"
PROGRESS = "org-invitations-progress"
OUTCOME = "org-invitations-outcome"


def first_cells(document: str) -> list[str]:
    """The first cells of all rows of all tables, in backticks or not."""
    return [
        line.split("|")[1].strip()
        for line in document.splitlines()
        if line.startswith("|") and not line.startswith(("|---", "| |"))
    ]


def code_in(cells: list[str]) -> set[str]:
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def named(document: Path) -> str:
    return str(document.relative_to(ROOT))


# --- All documents -------------------------------------------------------------------------------


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _links(document: Path) -> Iterator[tuple[Path, str]]:
    prose = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            yield (document.parent / path if path else document).resolve(), anchor


def test_links_lead_somewhere(subtests: pytest.Subtests) -> None:
    for document in DOCUMENTS:
        with subtests.test(document=document.name):
            for path, anchor in _links(document):
                assert path.exists(), f"{document.name} links to {path}"
                assert not anchor or anchor in _anchors(path), f"{document.name} links to #{anchor}"


def test_examples_in_python_can_be_parsed(subtests: pytest.Subtests) -> None:
    for document in DOCUMENTS:
        with subtests.test(document=document.name):
            for example in blocks(document.read_text(), "python"):
                ast.parse(example)


def test_examples_of_templates_can_be_parsed(subtests: pytest.Subtests, settings: Any) -> None:
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "crispy_forms", "crispy_bootstrap5"]
    for document in DOCUMENTS:
        with subtests.test(document=document.name):
            for example in blocks(document.read_text(), "django"):
                engines["django"].from_string(example)


def test_what_is_imported_in_examples_exists(subtests: pytest.Subtests) -> None:
    for document in DOCUMENTS:
        with subtests.test(document=document.name):
            for example in blocks(document.read_text(), "python"):
                for node in ast.walk(ast.parse(example)):
                    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                        "org_inv"
                    ):
                        names = ", ".join(alias.name for alias in node.names)
                        exec(f"from {node.module} import {names}", {})


def test_no_document_knows_the_machine_it_was_written_on(subtests: pytest.Subtests) -> None:
    for document in DOCUMENTS:
        with subtests.test(document=document.name):
            words = document.read_text()
            assert not re.search(r"/(work|home|root|tmp|Users)/", words)
            if document.name != "CONTRIBUTING.md":
                assert "../shared" not in words


# --- README and changelog ------------------------------------------------------------------------


def test_every_document_can_be_reached_from_the_readme() -> None:
    linked = {path for path, _ in _links(ROOT / "README.md")}
    assert set(DOCUMENTS) - {ROOT / "README.md"} <= linked


def test_the_settings_of_the_readme_pass_all_checks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings, urls = blocks(text("README.md"), "python")
    for name, value in Emulator().environment().items():
        monkeypatch.setenv(name, value)
    call_command("startproject", "mysite", str(tmp_path))
    site = tmp_path / "mysite" / "settings.py"
    found: dict[str, Any] = {"__file__": str(site)}
    exec(site.read_text() + settings, found)
    names = ("INSTALLED_APPS", "MIDDLEWARE", "TEMPLATES")
    wanted = {name: found[name] for name in found if name in names or name.startswith("CLERK_")}
    wanted["INSTALLED_APPS"].append("tests.people")  # whose users Django has by now
    with override_settings(**wanted):
        for check in vars(checks).values():
            if getattr(check, "tags", None):
                assert check() == []
    found = {"urlpatterns": []}
    exec(urls, found)
    assert len(found["urlpatterns"]) == 1


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_the_commands_of_make_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    commands = set(re.findall(r"(?:^|`)make ([a-z-]+)", text(name), re.MULTILINE))
    assert {"demo", "test"} <= commands
    assert commands <= targets
    for variable in re.findall(r" ([A-Z_]+)=", " ".join(re.findall(r"`make [^`]*`", text(name)))):
        assert re.search(rf"^{variable} \?=", text("Makefile"), re.MULTILINE), variable


def test_all_commands_are_explained_to_contributors() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    assert targets == set(re.findall(r"\| `make ([a-z-]+)` \|", text("CONTRIBUTING.md")))


def test_the_people_of_the_demo_are_there() -> None:
    emulator = Emulator()
    people = re.findall(r"`([a-z]+@[a-z.]+test)`", section("README.md", "## Try it"))
    assert len(people) == 6
    for address in people:
        emulator.user(address)


def test_the_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## \[([^\]]+)\]", text("CHANGELOG.md"), re.MULTILINE)
    assert headings[:2] == ["Unreleased", org_invitations.__version__]


def test_the_requirements_are_those_of_the_package() -> None:
    project = tomllib.loads(text("pyproject.toml"))["project"]
    readme = text("README.md")
    assert f"Python {project['requires-python'].removeprefix('>=')} or newer" in readme
    for classifier in project["classifiers"]:
        if classifier.startswith("Framework :: Django :: "):
            assert classifier.rpartition(" ")[2] in section("README.md", "## Requirements")


# --- Settings ------------------------------------------------------------------------------------

DJANGOS_OWN = {
    "DEBUG",
    "INSTALLED_APPS",
    "MIDDLEWARE",
    "CACHES",
    "CSRF_FAILURE_VIEW",
    "DATA_UPLOAD_MAX_NUMBER_FIELDS",
    "SECRET_KEYS",
}
PROPERTIES = [
    name for name, value in vars(Conf).items() if isinstance(value, property) and name.isupper()
]
SETTINGS = {
    name: name if name.startswith("CLERK_") else f"ORG_INVITATIONS_{name}"
    for name in PROPERTIES
    if name not in DJANGOS_OWN
}


def _setting_rows() -> dict[str, list[str]]:
    rows = {}
    for line in text("docs/settings.md").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        name = cells[0].strip("`")
        if len(cells) == 4 and name.startswith(("CLERK_", "ORG_INVITATIONS_")):
            rows[name] = cells
    return rows


def test_every_setting_is_documented_and_no_other() -> None:
    assert set(_setting_rows()) == set(SETTINGS.values())


def test_the_default_of_a_setting_is_as_documented(
    subtests: pytest.Subtests, settings: Any
) -> None:
    for name, setting in SETTINGS.items():
        with subtests.test(name=name):
            if hasattr(settings, setting):
                delattr(settings, setting)
            default = _setting_rows()[setting][2]
            written = re.match(r"`([^`]+)`", default)
            value = getattr(conf_module.conf, name)
            if written is None:
                assert (default, value) == ("none: required", "")
            else:
                documented = ast.literal_eval(written[1])
                assert (list(value) if isinstance(value, tuple) else value) == documented


def test_the_bounds_of_the_numbers_are_as_documented() -> None:
    rows = _setting_rows()
    for setting, low, high in (
        ("PAGE_SIZE", 1, conf_module.MAX_PAGE_SIZE),
        ("EXPIRES_IN_DAYS", 1, conf_module.MAX_EXPIRES_IN_DAYS),
        ("KEEP_DAYS", 1, conf_module.MAX_KEEP_DAYS),
        ("RESERVED_PERCENT", 0, conf_module.MAX_RESERVED_PERCENT),
        ("ROLES_CACHE_SECONDS", 0, conf_module.MAX_ROLES_CACHE_SECONDS),
        ("MEMBERSHIP_CACHE_SECONDS", 0, conf_module.MAX_MEMBERSHIP_CACHE_SECONDS),
        ("CONNECT_TIMEOUT", 0.01, conf_module.MAX_CONNECT_TIMEOUT),
        ("READ_TIMEOUT", 0.01, conf_module.MAX_READ_TIMEOUT),
        ("REQUEST_SECONDS", 1, conf_module.MAX_REQUEST_SECONDS),
        ("MAX_WAITING", 1, conf_module.MAX_MAX_WAITING),
    ):
        assert rows[f"ORG_INVITATIONS_{setting}"][1].endswith(f"{low} to {high:g}")


def test_every_check_is_documented_and_no_other() -> None:
    ids = re.findall(r"org_invitations\.[EW]\d{3}", (APP / "checks.py").read_text())
    assert len(ids) == len(set(ids))
    assert {cell for cell in code_in(first_cells(text("docs/settings.md"))) if "." in cell} == set(
        ids
    )


# --- Templates -----------------------------------------------------------------------------------

CONTRACT = "docs/templates.md"


def _name(template: Path) -> str:
    return str(template.relative_to(APP / "templates"))


def _template_rows() -> dict[str, str]:
    """The rows of the tables of templates, by the template's name."""
    rows = {}
    for line in text(CONTRACT).splitlines():
        found = re.match(r"\| `(org_invitations/[\w/]+\.html)` \|", line)
        if found:
            rows[found[1]] = line
    return rows


def test_every_template_is_documented_and_no_other() -> None:
    assert set(_template_rows()) == {_name(template) for template in TEMPLATES}


def test_the_blocks_of_a_template_are_documented(subtests: pytest.Subtests) -> None:
    for template in TEMPLATES:
        with subtests.test(template=_name(template)):
            row = _template_rows()[_name(template)].split("|")
            source = template.read_text()
            found = set(re.findall(r"{% block (\w+) %}", source))
            documented = set(re.findall(r"`(\w+)`", row[-2])) if len(row) == 5 else set()
            assert documented == found


def test_the_ids_that_hold_fragments_are_documented(subtests: pytest.Subtests) -> None:
    for template in TEMPLATES:
        with subtests.test(template=_name(template)):
            words = text(CONTRACT)
            for name in re.findall(r'\bid="(org-invitations?-[a-z]+)"', template.read_text()):
                if name not in ("org-invitations-submit", "org-invitations-previous"):
                    assert f"`{name}`" in words or name in (
                        "org-invitations-next",
                        "org-invitations-summary",
                    )


def test_the_colours_are_documented() -> None:
    stylesheet = (APP / "static/org_invitations/org_invitations.css").read_text()
    used = set(re.findall(r"--oi-[a-z\d-]+", stylesheet))
    assert {name for name in code_in(first_cells(text(CONTRACT))) if name[:2] == "--"} == used


@pytest.mark.parametrize(
    ("name", "file"), [("CSS", "org_invitations.css"), ("JavaScript", "org_invitations.js")]
)
def test_the_sizes_are_as_claimed(name: str, file: str) -> None:
    claimed = re.search(rf"([\d.]+) KiB of {name}", text("README.md"))
    assert claimed is not None
    content = (APP / "static/org_invitations" / file).read_bytes()
    assert len(gzip.compress(content, 9)) / 1024 == pytest.approx(float(claimed[1]), abs=0.1)


_answers: list[Any] = []


@pytest.fixture
def answers(client: Client, clerk_emulator: Emulator, clerk_sign_in: SignIn) -> list[Any]:
    """One answer of each kind that the views give, asked for once."""
    if not _answers:
        _answers.extend(ask_for_everything(client, clerk_emulator, clerk_sign_in))
    return _answers


def ask_for_everything(client: Client, clerk: Emulator, clerk_sign_in: SignIn) -> list[Any]:
    """Ask in turn for all that the views can answer, as a person's browser does."""
    clerk.configure(rate_limits=False)
    clerk_sign_in(client, "ada@acme.test", organization="acme")
    rows = [row.id for row in clerk.invitations("acme", "pending")]
    new = {"email_addresses": "new@example.com", "role": "org:member"}
    base = "/invitations/"
    found = []
    for target in (None, LISTED, FORM, DIALOG):
        headers = {"HX-Request": "true", "HX-Target": target} if target else {}
        row = rows.pop()
        found += [
            client.get(base, headers=headers),
            client.post(f"{base}invite/", new, headers=headers),
            client.post(f"{base}invite/", {}, headers=headers),
            client.get(f"{base}{row}/revoke/", headers=headers),
            client.post(f"{base}{row}/revoke/", headers=headers),
            client.post(f"{base}{row}/revoke/", headers=headers),
            client.get(f"{base}orginv_nothing/revoke/", headers=headers),
            client.get(f"{base}{row}/resend/", headers=headers),
            client.get(f"{base}{rows[0]}/change/", headers=headers),
            client.post(f"{base}{rows[0]}/change/", {"role": "none"}, headers=headers),
            client.get(f"{base}orginv_nothing/resend/", headers=headers),
            client.get(f"{base}{rows[0]}/link/", headers=headers),
            client.get(f"{base}{row}/link/", headers=headers),
        ]
        many = {"action": "revoke", "selected": rows[1:3]}
        asked = client.post(f"{base}selected/", many, headers=headers)
        found += [asked, client.post(f"{base}selected/", {}, headers=headers)]
        confirmed = many | {"confirmed": "1", "batch": str(asked.context["batch_id"])}
        client.post(f"{base}selected/", confirmed)
        found.append(client.get(f"{base}outcomes/{confirmed['batch']}/", headers=headers))
        del rows[1:3]
        found += _ask_for_progress(client, clerk, target)
        clerk.fault("GET", "*/invitations", status=503, times=None)
        found.append(client.get(base, headers=headers))
        found.append(client.post(f"{base}selected/", many, headers=headers))
        clerk.faults.clear()
        clerk.fault(None, "/v1/*", times=None, drop="before")
        found.append(client.post(f"{base}invite/", new, headers=headers))
        clerk.faults.clear()
        new["email_addresses"] = f"new-{target}@example.com"
        clerk_sign_in(client, "ada@acme.test", organization="acme", issued_ago=90)
        found += [
            client.post(f"{base}invite/", new, headers=headers),
            client.post(f"{base}{rows[0]}/revoke/", headers=headers),
        ]
        clerk_sign_in(client, "ada@acme.test", organization="acme")
    found.append(client.get(f"{base}session/"))
    found.append(client.get(f"{base}organizations/org_nothing/"))
    clerk_sign_in(client, "bo@both.test", organization=None)
    found.append(client.get(base))
    return [answer for answer in found if getattr(answer, "context_data", None)]


def _ask_for_progress(client: Client, clerk: Emulator, target: str | None) -> list[Any]:
    """Ask for what there is where workers do something."""
    headers = {"HX-Request": "true", "HX-Target": target} if target else {}
    with override_settings(ORG_INVITATIONS_BACKGROUND=True):
        service = InvitationService(
            get_client(),
            organization_id=clerk.organization("acme").id,
            user_id=clerk.user("ada@acme.test").id,
        )
        items = [BatchItem(email_address=f"{number}@x.example") for number in range(11)]
        batch, _ = service.begin(Batch.Action.INVITE, items, key=None, options={})
        service.open()
        url = f"/invitations/outcomes/{batch.pk}/"
        figures = {"HX-Request": "true", "HX-Target": PROGRESS}
        card = {"HX-Request": "true", "HX-Target": OUTCOME}
        draft_id = service.keep_draft(None, "a@x.example b@x.example", 2, {"role": ["org:member"]})
        return [
            client.get(f"/invitations/drafts/{draft_id}/", headers=headers),
            client.get("/invitations/", headers=headers),
            client.get(f"{url}progress/", headers=headers),
            client.get(f"{url}progress/?state=running", headers=figures),
            client.post(f"{url}progress/", {"pause": "1"}, headers=card),
            client.get(f"{url}cancel/", headers=headers),
        ]


def test_the_context_is_as_documented(answers: list[Any]) -> None:
    given = {name for answer in answers for name in answer.context_data}
    tables = section(CONTRACT, "## Context").partition("### Within other templates")[0]
    documented = code_in(first_cells(tables))
    assert given - documented == set(), "in a context and not documented"
    assert documented - given == {"row"}, "documented and in no context"  # the loop's


def test_what_is_always_there_is_always_there(answers: list[Any]) -> None:
    table = section(CONTRACT, "### Of the page and of every fragment")
    always = set(re.findall(r"^\| `(\w+)` \|.*\| always", table, re.MULTILINE))
    assert {"form", "urls", "view", "rows"} <= always
    for answer in answers:
        if "form" in answer.context_data:
            assert always <= set(answer.context_data)


def test_the_attributes_of_what_is_in_the_context_exist(answers: list[Any]) -> None:
    tables = section(CONTRACT, "## Context")
    page = next(answer.context_data for answer in answers if answer.context_data.get("rows"))
    values = page | {"row": page["rows"][0], "invitation": page["rows"][0].invitation}
    for name in ("organization", "membership", "page", "row", "invitation"):
        line = next(
            line for line in tables.splitlines() if line.startswith(f"| `{name}` |") and ":" in line
        )
        kind, _, listed = line.split("|")[2].partition(":")
        assert type(values[name]).__name__ in kind
        attributes = re.findall(r"`(\w+)`", listed)
        assert attributes
        for attribute in attributes:
            assert hasattr(values[name], attribute), f"{name}.{attribute}"


# --- Views, service, errors ----------------------------------------------------------------------


def test_the_hooks_are_printed_as_the_source_has_them() -> None:
    assert text("docs/hooks.md") == hooks.get_page(), "python -m tools.hooks > docs/hooks.md"


def test_every_public_view_is_among_the_hooks() -> None:
    assert set(hooks.get_hooks()) == set(views.__all__)


def test_every_hook_is_there_and_says_what_it_is_for(subtests: pytest.Subtests) -> None:
    for kind, names in hooks.get_hooks().items():
        for name in names:
            with subtests.test(kind=kind, name=name):
                value = getattr(getattr(views, kind), name)
                assert not callable(value) or isinstance(value, type) or value.__doc__
    assert "|  |" not in text("docs/hooks.md"), "an attribute without a comment"


def test_the_attributes_that_the_seam_names_are_hooks() -> None:
    known = {name for names in hooks.get_hooks().values() for name in names}
    named = code_in(first_cells(section("docs/views.md", "## One class for all pages")))
    assert {name for name in named if "…" not in name} <= known


def test_the_methods_of_the_service_are_documented() -> None:
    from org_invitations.services import InvitationService

    documented = set(re.findall(r"^\| `(\w+)\(", text("docs/service.md"), re.MULTILINE))
    assert documented == {
        name
        for kind in InvitationService.__mro__[:-1]
        for name, value in vars(kind).items()
        if callable(value) and not name.startswith("_")
    }


def test_the_number_of_calls_is_as_documented(
    client: Client, clerk_emulator: Emulator, clerk_sign_in: SignIn
) -> None:
    clerk_sign_in(client, "ada@acme.test", organization="acme")
    row, other = clerk_emulator.invitations("acme", "pending")[:2]
    form = {"HX-Request": "true", "HX-Target": FORM}
    listed = {"HX-Request": "true", "HX-Target": LISTED}
    new = {"email_addresses": "new@example.com", "role": "org:member"}
    addresses = "\n".join(f"person{number}@example.com" for number in range(34))
    many = {"email_addresses": addresses, "role": "org:member"}
    reviewed = fingerprint_of(parse_text(addresses))
    steps = {
        "the page, nothing remembered": lambda: client.get("/invitations/"),
        "the page, everything remembered": lambda: client.get("/invitations/"),
        "the question before revoking, remembered": lambda: client.get(
            f"/invitations/{row.id}/revoke/"
        ),
        "an invitation, with the list after it": lambda: client.post(
            "/invitations/invite/", new, headers=form
        ),
        "the check of up to 100 addresses, remembered": lambda: client.post(
            "/invitations/check/", many, headers={"HX-Request": "true", "HX-Target": CHECK}
        ),
        "sending 34 that were checked": lambda: client.post(
            "/invitations/invite/", many | {"reviewed": reviewed}, headers=form
        ),
        "a revocation, with the list after it": lambda: client.post(
            f"/invitations/{row.id}/revoke/", headers=listed
        ),
        "sending one again, with the list after it": lambda: client.post(
            f"/invitations/{other.id}/resend/",
            {"role": other.role, "confirm_elevated": "on"},
            headers=listed,
        ),
    }
    table = section("docs/service.md", "## How much is asked of Clerk")
    measured = {}
    for name, step in steps.items():
        clerk_emulator.clear_requests()
        assert step().status_code == 200
        measured[name] = len(clerk_emulator.requests)
    # Acme's seats are limited.
    rows = re.findall(
        r"^\| ([^|]+) \| (\d+)(?:, and (\d) for the seats[^|]*)? \|", table, re.MULTILINE
    )
    documented = {name: int(number) + int(seats or 0) for name, number, seats in rows}
    # There are not as many invitations here; tests/test_listing.py counts those calls.
    del documented["the page of an organization with more than 500 invitations, remembered"]
    assert documented == measured


def test_what_the_errors_mean_is_as_the_table_says() -> None:
    columns = ("may_have_happened", "is_final", "concerns_all")
    head = "| | `may_have_happened` | `is_final` | `concerns_all` |\n"
    table = section("docs/errors.md", "## The tree").split(head)[1]
    said: dict[str, tuple[bool, ...]] = {}
    for names, *cells in re.findall(r"^\|(.*?)\|(.*?)\|(.*?)\|(.*?)\|$", table, re.MULTILINE)[1:]:
        meaning = tuple(cell.strip() == "yes" for cell in cells)
        said |= dict.fromkeys(re.findall(r"`([A-Z]\w+)`", names) or ["others"], meaning)
    roots = (exceptions.ClerkError, exceptions.TransportError, exceptions.APIError)
    for kind in vars(exceptions).values():
        is_error = isinstance(kind, type) and issubclass(kind, exceptions.ClerkError)
        if not is_error or kind in roots:
            continue
        is_so = tuple(bool(getattr(kind, name)) for name in columns)
        assert said.get(kind.__name__, said["others"]) == is_so, kind.__name__


def test_the_readme_says_of_the_calls_what_the_table_does() -> None:
    table = section("docs/service.md", "## How much is asked of Clerk")
    readme = text("README.md")
    words = {"1": "one call", "3": "three"}
    for name in (
        "the page, everything remembered",
        "an invitation, with the list after it",
        "a revocation, with the list after it",
    ):
        row = re.search(rf"^\| {name} \| (\d), and 1 for the seats", table, re.MULTILINE)
        assert row is not None, name
        assert f"costs {words[row[1]]}" in readme
    assert "Where seats are limited, it is one more." in readme


def test_the_number_of_threads_is_as_documented() -> None:
    documented = re.search(r"in at most (\d+) threads", text("docs/service.md"))
    assert documented is not None
    assert int(documented[1]) == concurrency.MAX_WORKERS


def test_of_whatever_the_parser_refuses_it_is_said_why() -> None:
    presenter = PreviewPresenter(Wording(), lambda name, **kwargs: "", limit=100)
    entries = parse_text(f"a@example.com a@example.com nobody {'x' * 400}@example.com")
    entries += parse_text("Name\tEmail\tx\tx\nAna\t\t\t\nBo\t\tb@example.com\tc@example.com")
    assert {entry.refusal for entry in entries} == {None, *Refusal}
    for entry in entries:
        if entry.refusal is not None:
            assert presenter.describe(PreviewItem.refused(entry))


def test_every_exception_outside_of_the_tree_is_documented() -> None:
    from org_invitations import services
    from org_invitations.services.batches import store

    words = section("docs/errors.md", "## The tree")
    for module in (services, store):
        for name, value in vars(module).items():
            is_ours = getattr(value, "__module__", "").startswith(services.__name__)
            if is_ours and isinstance(value, type) and issubclass(value, Exception):
                assert f"`{name}`" in words, name


def test_every_error_is_documented() -> None:
    tree = section("docs/errors.md", "## The tree")
    kinds = [
        name
        for name, value in vars(exceptions).items()
        if isinstance(value, type) and issubclass(value, exceptions.ClerkError)
    ]
    for name in kinds:
        assert re.search(rf"\b{name}\b", tree), name
    for name in re.findall(r"[├└]── (\w+)", tree):
        assert name in kinds


def test_every_sentence_is_documented_and_no_other() -> None:
    assert code_in(first_cells(section("docs/errors.md", "## What people are told"))) == set(
        Wording.messages
    )


def test_the_statuses_and_fields_of_refusals_are_as_documented() -> None:
    wording = Wording()
    table = section("docs/errors.md", "## What people are told")
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        name = cells[0].strip("`").split("`")[0].partition(":")[0]
        kind = getattr(exceptions, name, None)
        if kind is None:
            continue
        values = {"email_address": "a@example.com", "organization": "Acme"}
        problem = wording.for_writing(kind(), **values)
        assert cells[1].startswith(str(int(problem.status))), name
        place = {"email_addresses": "address", "role": "role", None: cells[2]}[problem.field]
        assert cells[2] == place, name
        if problem.field is None:
            assert place in ("top", "page")


# --- The emulator --------------------------------------------------------------------------------


def test_what_can_be_ordered_of_the_emulator_can_be_ordered() -> None:
    emulator = Emulator()
    orders = blocks(section("docs/testing.md", "## Ordering things"), "python")[0]
    orders, _, _ = orders.partition("assert ")
    exec(orders, {"emulator": emulator})
    assert len(emulator.faults.orders) == 7


def test_who_is_there_is_there() -> None:
    emulator = Emulator()
    table = section("docs/testing.md", "## Who is there")
    for name, people, number in re.findall(
        r"^\| `(\w+)`, \w+ \| (.+) \| (\d+) \|$", table, re.MULTILINE
    ):
        assert len(emulator.invitations(name, "pending")) == int(number)
        for address in re.findall(r"`([^`]+@[^`]+)`", people):
            emulator.user(address)
    for role in re.findall(r"`(org:\w+)`", table):
        assert role in emulator.state.roles


def test_the_paths_of_the_emulators_control_exist() -> None:
    from org_invitations.emulator.control import _HANDLERS

    documented = set()
    for verbs, path in re.findall(
        r"^\| `(.+?) (/_emulator/\w+)` \|", text("docs/testing.md"), re.MULTILINE
    ):
        documented |= {(verb.strip("` "), path) for verb in verbs.split(",")}
    assert documented == set(_HANDLERS)
