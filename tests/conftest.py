"""What all tests share."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.template import Context, Template
from django.test.signals import template_rendered
from django.utils import timezone, translation
from django.utils.safestring import SafeString
from hypothesis import HealthCheck, settings

from org_invitations.caching import forget_failures
from org_invitations.clients import forget_clients
from org_invitations.middleware import forget_keys

from . import sampling

if TYPE_CHECKING:  # pytest wants to be the first to import a plugin
    from org_invitations.testing import SignIn

pytest_plugins = ["org_invitations.testing"]

# A slow machine is no fault of what is tested.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("tests"), max_examples=20)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tests"))


#: Who asks for one of these has a site before them, and with it a database.
SITE = {"client", "async_client", "clerk_emulator", "clerk_emulator_server", "clerk_sign_in"}


def _choices(item: pytest.Function) -> tuple[tuple[int, ...], ...]:
    """What a test was given, by everything that it is parametrized with, by itself or together."""
    given = {name: id(value) for name, value in item.callspec.params.items()}
    together = [
        re.findall(r"\w+", names) if isinstance(names := mark.args[0], str) else names
        for mark in item.iter_markers("parametrize")
    ]
    choices = [tuple(given.pop(name, 0) for name in names) for names in together]
    return (*choices, *((value,) for value in given.values()))


def _mark_combinations(items: list[pytest.Item]) -> None:
    """Mark as exhaustive all combinations of parameters but so many that each has had its turn."""
    combined: dict[Any, dict[tuple[tuple[int, ...], ...], pytest.Item]] = {}
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            combined.setdefault(item.obj, {})[_choices(item)] = item
    for of_one in combined.values():
        columns = [list(dict.fromkeys(column)) for column in zip(*of_one, strict=True)]
        turns = range(max(map(len, columns)))
        taken = {tuple(column[turn % len(column)] for column in columns) for turn in turns}
        for choices in of_one.keys() - taken:
            of_one[choices].add_marker("exhaustive")


@pytest.hookimpl(tryfirst=True)  # before what is exhaustive is left out
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say beforehand who needs the database: pytest-django makes none that nobody asked for."""
    config.hook.pytest_deselected(items=sampling.draw(items))
    _mark_combinations(items)
    for item in items:
        names = getattr(item, "fixturenames", [])
        if "chromium" in names:
            names.append("transactional_db")
        elif not SITE.isdisjoint(names):
            names.append("db")


@pytest.fixture(autouse=True)
def _cell(request: pytest.FixtureRequest) -> None:
    """Note which cell of which table a sampled test is."""
    marker = request.node.get_closest_marker("sampled")
    if marker:
        cell = (marker.args[0], sampling.row_of(request.node), sampling.column_of(request.node))
        request.node.user_properties.append(("cell", (*cell, "ok")))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell what came of all that is sampled."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    reports += terminalreporter.getreports("error")
    if sampling.FULL:
        for line in sampling.tables(reports):
            terminalreporter.write_line(line)


def pytest_collection_finish() -> None:
    """Look for garbage less often, and not among what stays: a tenth of the time is saved."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(autouse=True, scope="session")
def _whole_pages(django_test_environment: None) -> Iterator[None]:
    """Let ``response.context`` tell of pages alone.

    Django tells of each template in a page as well, fifty of them, with a copy of its context.
    """

    def render(template: Template, context: Context) -> SafeString:
        if context.template is template:
            template_rendered.send(sender=template, template=template, context=context)
        return template.nodelist.render(context)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "_render", render)
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Let the emulated instance have what a site's database has from its first call on.

    Each test would make its three hundred rows anew, a tenth of the time of all.
    """
    from org_invitations.emulator.keys import FRONTEND_API
    from org_invitations.models import CallSlot
    from org_invitations.services.limits import LIMITS

    before = timezone.now() - timedelta(seconds=1)
    with django_db_blocker.unblock():
        CallSlot.objects.bulk_create(
            CallSlot(instance=FRONTEND_API, limit=limit, number=number, free_at=before)
            for limit, calls in LIMITS.items()
            for number in range(calls)
        )


@pytest.fixture(autouse=True)
def _database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test with a site use the database; others say so. What is written is gone after it."""
    if "chromium" in request.fixturenames:
        # Threads serve the site, and see only what has been committed. And Playwright's event
        # loop runs in this thread, in which Django would refuse to work.
        monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        request.getfixturevalue("transactional_db")
    elif not SITE.isdisjoint(request.fixturenames):
        request.getfixturevalue("db")


@pytest.fixture
def clerk_sign_in(clerk_sign_in: SignIn) -> SignIn:
    """Sign people in for an hour: the minute of a token is over where a machine is busy."""

    def sign_in(client: Any, user: str, **order: Any) -> dict[str, str]:
        if "issued_ago" not in order:
            order = {"lifetime": 3600} | order
        return clerk_sign_in(client, user, **order)

    return sign_in


@pytest.fixture
def ten_a_page(settings: Any) -> None:
    """Let the 34 that Acme has invited be four pages, for what is tested of pages."""
    settings.ORG_INVITATIONS_PAGE_SIZE = 10


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let urllib3 try again at once."""
    monkeypatch.setattr("urllib3.util.retry.Retry.sleep", lambda *_: None)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """Let no test see what another one cached."""
    cache.clear()
    forget_failures()
    yield
    cache.clear()
    forget_clients()
    forget_keys()
    translation.deactivate()  # Django leaves the language of the last request behind
