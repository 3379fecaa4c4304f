"""What begins a turn of a worker: when it is told that something waits, and what it does then.

How they work with real brokers and real processes is in ``tests/workers``.
"""

from __future__ import annotations

import json
import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, transaction
from django.utils import timezone

from org_invitations.emulator import Emulator
from org_invitations.models import Batch, BatchItem, Heartbeat
from org_invitations.services.batches.background import MAX_TRIES, has_work
from org_invitations.services.batches.heartbeat import SILENCE, is_missed, plan_turn
from org_invitations.services.batches.store import LATER, UNCLEAR
from org_invitations.services.batches.tick import tick
from tests.documents import block, blocks, section
from tests.gates import WATCHDOG
from tests.servers import need_package

from .test_background import begin, pending, states
from .test_command import COMMAND
from .test_services import make_service

State = BatchItem.State

pytestmark = pytest.mark.django_db


@pytest.fixture
def begun(settings: Any) -> list[str]:
    """Each turn that the site's engine was told to begin."""
    told: list[str] = []
    settings.ORG_INVITATIONS_BACKGROUND = lambda: told.append("a turn")
    return told


# --- When ----------------------------------------------------------------------------------------


def test_a_turn_is_begun_once_the_rows_are_there(
    clerk_emulator: Emulator, begun: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        batch = begin(make_service(clerk_emulator), 11)
        assert batch.items.count() == 11
        assert begun == []
    assert begun == ["a turn"]


def test_of_what_goes_at_once_and_of_what_comes_twice_no_worker_is_told(
    clerk_emulator: Emulator, begun: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    service = make_service(clerk_emulator)
    wish: dict[str, Any] = {"key": None, "options": {}}
    few = [BatchItem(email_address="p@example.com", role="org:member")]
    with django_capture_on_commit_callbacks(execute=True):
        service.begin(Batch.Action.INVITE, few, **wish)
    assert begun == []
    batch = begin(service, 11)
    wish = {"key": batch.pk, "options": batch.options}
    again = [
        BatchItem(email_address=item.email_address, role=item.role) for item in batch.items.all()
    ]
    with django_capture_on_commit_callbacks(execute=True):
        assert service.begin(Batch.Action.INVITE, again, **wish) == (batch, False)
    assert begun == []


def test_who_lets_a_batch_go_on_begins_a_turn(
    clerk_emulator: Emulator, begun: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    service = make_service(clerk_emulator)
    batch = begin(service, 11)
    snapshot = service.open(fresh=True)
    service.pause(snapshot, batch)
    with django_capture_on_commit_callbacks(execute=True):
        service.unpause(snapshot, batch)
    assert begun == ["a turn"]


def _fail() -> None:
    raise ConnectionError("no broker")


@pytest.mark.parametrize("start", [_fail, f"{__name__}._fail", "mysite.nothing"])
def test_where_no_worker_can_be_told_it_is_logged_and_the_rows_wait(
    clerk_emulator: Emulator,
    settings: Any,
    start: str | Callable[[], None],
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Any,
) -> None:
    settings.ORG_INVITATIONS_BACKGROUND = start
    with django_capture_on_commit_callbacks(execute=True):
        batch = begin(make_service(clerk_emulator), 11)
    assert states(batch) == {State.WAITING: 11}
    assert "No worker could be told" in caplog.text
    assert "person0@example.com" not in caplog.text


def test_any_other_queue_does_it_as_the_document_says(
    clerk_emulator: Emulator,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    jobs: list[Callable[[], None]] = []
    queues: Any = ModuleType("mysite.queues")
    queues.queue = SimpleNamespace(enqueue=jobs.append)
    monkeypatch.setitem(sys.modules, "mysite", ModuleType("mysite"))
    monkeypatch.setitem(sys.modules, "mysite.queues", queues)
    turns: Any = ModuleType("mysite.turns")
    monkeypatch.setitem(sys.modules, "mysite.turns", turns)
    file, of_settings = blocks(section("docs/workers.md", "## Another queue"), "python")
    exec(file, vars(turns))
    named: dict[str, str] = {}
    exec(of_settings, named)
    settings.ORG_INVITATIONS_BACKGROUND = named["ORG_INVITATIONS_BACKGROUND"]
    with django_capture_on_commit_callbacks(execute=True):
        batch = begin(make_service(clerk_emulator), 11)
    [job] = jobs
    job()
    assert states(batch) == {State.DONE: 11}


def test_cron_calls_a_command_that_is_there(
    clerk_emulator: Emulator, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ORG_INVITATIONS_BACKGROUND = True
    monkeypatch.setattr(f"{COMMAND}.close_old_connections", lambda: None)
    batch = begin(make_service(clerk_emulator), 11)
    line = block("docs/workers.md", "## Cron", "crontab")
    call_command(*line.partition("manage.py")[2].split(), stdout=StringIO())
    assert states(batch) == {State.DONE: 11}


# --- Celery --------------------------------------------------------------------------------------


@pytest.fixture
def celery(clerk_emulator: Emulator, settings: Any) -> Iterator[Any]:
    """An application of Celery's whose messages go nowhere but into memory."""
    need_package("celery")
    from celery import Celery

    settings.ORG_INVITATIONS_BACKGROUND = "org_invitations.engines.celery.start"
    app = Celery("tests", broker="memory://", set_as_current=False)
    app.set_current()
    yield app
    app.close()


def test_celery_finds_the_task_by_the_name_of_its_module(celery: Any) -> None:
    celery.autodiscover_tasks(["org_invitations"], force=True)
    assert "org_invitations.send" in celery.tasks


def test_a_task_of_celerys_is_one_turn(celery: Any, clerk_emulator: Emulator) -> None:
    from org_invitations.engines.celery import send

    before = pending(clerk_emulator)
    batch = begin(make_service(clerk_emulator), 12)
    assert send.apply().get() is None
    assert states(batch) == {State.DONE: 12}
    assert sum((pending(clerk_emulator) - before).values()) == 12


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [
        ({}, 50),
        ({"task_time_limit": 300}, 50),
        ({"task_time_limit": 40}, 35),
        ({"task_time_limit": 60, "task_soft_time_limit": 45}, 40),
    ],
)
def test_a_turn_ends_before_celery_ends_the_task(
    celery: Any, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int], seconds: float
) -> None:
    from org_invitations.engines import celery as engine

    turns: list[float] = []
    monkeypatch.setattr(engine, "tick", turns.append)
    celery.conf.update(limits)
    engine.send.apply()
    assert turns == [seconds]


def test_a_time_limit_that_is_too_short_for_a_turn_is_told(
    celery: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from org_invitations.engines import celery as engine

    monkeypatch.setattr(engine, "tick", pytest.fail)
    celery.conf.task_time_limit = 29
    engine.send.apply()
    [record] = [one for one in caplog.records if one.name == "org_invitations"]
    assert record.levelno == logging.ERROR
    assert "leaves 24 seconds for a turn, and one takes more than 24" in record.getMessage()


@pytest.mark.parametrize("kind", ["redis://", "amqp://"])
def test_a_broker_that_hangs_up_is_asked_once_more_and_given_up(celery: Any, kind: str) -> None:
    from kombu.exceptions import OperationalError

    from org_invitations.engines.celery import start

    with hanging_up() as (port, calls):
        celery.conf.broker_url = f"{kind}127.0.0.1:{port}"
        with pytest.raises(OperationalError):
            start()
        assert len(calls) == 2  # by itself Celery tries three times, for six seconds


@contextmanager
def hanging_up() -> Iterator[tuple[int, list[str]]]:
    """A server that takes every call and ends it at once: its port, and who has called."""
    calls: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                connection, _ = server.accept()
                with connection:
                    if calls[-1:] == ["over"]:
                        return
                    calls.append("a call")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = server.getsockname()[1]
        yield port, calls
        calls.append("over")
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join(WATCHDOG)


def test_a_message_says_nothing_but_that_a_turn_is_to_begin_and_expires(
    celery: Any, clerk_emulator: Emulator, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        begin(make_service(clerk_emulator), 11)
    with celery.connection_for_read() as connection:
        queue = connection.SimpleQueue("celery")
        message = queue.get(block=False)
        queue.close()
    args, kwargs, _ = json.loads(message.body)
    assert (args, kwargs) == ([], {})
    assert message.headers["task"] == "org_invitations.send"
    assert message.headers["expires"]
    sent = f"{message.body} {message.headers} {message.properties}"
    for secret in ("@example.com", "sk_test", "org_", "user_"):
        assert secret not in sent.replace("org_invitations", ""), secret


# --- django.tasks --------------------------------------------------------------------------------


@pytest.fixture
def tasks(clerk_emulator: Emulator, settings: Any) -> Any:
    """What keeps the tasks that are put into the queue, and runs none of them."""
    settings.ORG_INVITATIONS_BACKGROUND = "org_invitations.engines.django_tasks.start"
    package = need_package("django.tasks", "django_tasks")
    settings.TASKS = {"default": {"BACKEND": f"{package.__name__}.backends.dummy.DummyBackend"}}
    return package.default_task_backend


def take(tasks: Any) -> list[Any]:
    """The tasks that are in the queue by now, which is empty after that."""
    found = list(tasks.results)
    tasks.results.clear()
    return found


def do(result: Any) -> None:
    """Do a task, as a worker would."""
    result.task.call(type("Context", (), {"task_result": result}))


def test_a_task_is_put_into_the_queue_without_arguments(
    tasks: Any, clerk_emulator: Emulator, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        begin(make_service(clerk_emulator), 11)
    [result] = take(tasks)
    assert (result.args, result.kwargs) == ([], {})
    assert result.task.module_path == "org_invitations.engines.django_tasks.send"
    assert result.task.run_after is None


def test_the_next_turn_is_in_the_queue_before_anything_is_sent(
    tasks: Any, clerk_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from org_invitations.engines import django_tasks as engine

    engine.start()
    batch = begin(make_service(clerk_emulator), 11)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "tick", _die)
        with pytest.raises(SystemExit):
            do(take(tasks)[0])  # and is there for ever
    [following] = take(tasks)
    assert timedelta(0) < following.task.run_after - timezone.now() <= timedelta(seconds=60)
    do(following)
    assert states(batch) == {State.DONE: 11}


def _die(seconds: float) -> None:
    raise SystemExit


def test_however_many_turns_are_begun_one_follows_and_none_where_nothing_is_left(
    tasks: Any, clerk_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from org_invitations.engines import django_tasks as engine

    batch = begin(make_service(clerk_emulator), 11)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "tick", lambda seconds: None)
        for _ in range(5):
            engine.start()
        for result in take(tasks):
            do(result)
        [following] = take(tasks)
        Heartbeat.objects.update(next_turn_at=timezone.now())  # its time has come
        do(following)
        [following] = take(tasks)
        Heartbeat.objects.update(next_turn_at=timezone.now())
    do(following)
    assert states(batch) == {State.DONE: 11}
    [following] = take(tasks)
    do(following)
    assert take(tasks) == []


def test_the_planned_turn_plans_the_next_one_also_where_it_comes_early(
    tasks: Any, clerk_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from org_invitations.engines import django_tasks as engine

    begin(make_service(clerk_emulator), 11)
    monkeypatch.setattr(engine, "tick", lambda seconds: None)
    engine.start()
    do(take(tasks)[0])
    [planned] = take(tasks)
    engine.start()
    do(take(tasks)[0])
    assert take(tasks) == []  # whoever presses meanwhile plans none
    do(planned)  # by the database's clock it is a minute early
    [following] = take(tasks)
    do(planned)  # as a queue does whose worker has died
    assert take(tasks) == []
    do(following)
    assert len(take(tasks)) == 1


@pytest.mark.parametrize("fails", ["has_work", "plan_turn"])
def test_where_the_database_fails_a_turn_follows_as_long_as_the_queue_takes_it(
    tasks: Any, clerk_emulator: Emulator, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    from org_invitations.engines import django_tasks as engine

    def fail(*args: Any) -> Any:
        raise OperationalError("the database is away")

    engine.start()
    batch = begin(make_service(clerk_emulator), 11)
    with monkeypatch.context() as patch:
        patch.setattr(engine, fails, fail)
        with pytest.raises(OperationalError):
            do(take(tasks)[0])
    [following] = take(tasks)
    assert following.task.run_after is not None
    do(following)
    assert states(batch) == {State.DONE: 11}


def test_the_turn_that_follows_is_in_the_queue_of_the_one_before(
    tasks: Any, clerk_emulator: Emulator, settings: Any
) -> None:
    queues = {"QUEUES": ["default", "invitations"]}
    settings.TASKS = {"default": settings.TASKS["default"] | queues}
    document = section("docs/django-tasks.md", "## How one turn follows another")
    turns: dict[str, Any] = {}
    exec(blocks(document, "python")[0], turns)
    begin(make_service(clerk_emulator), 11)
    turns["start"]()
    [first] = take(tasks)
    do(first)
    [following] = take(tasks)
    assert first.task.queue_name == following.task.queue_name == "invitations"


def test_a_backend_that_works_in_the_request_is_refused_and_a_check_says_so(
    tasks: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from django.core.checks import run_checks

    from org_invitations.services.batches.engine import start_turn

    backend = settings.TASKS["default"]["BACKEND"].replace("dummy.Dummy", "immediate.Immediate")
    assert "org_invitations.E029" not in [one.id for one in run_checks()]
    settings.TASKS = {"default": {"BACKEND": backend}}
    [found] = [one for one in run_checks() if one.id == "org_invitations.E029"]
    assert "django-tasks-db" in found.msg
    start_turn()
    assert "django-tasks-db" in caplog.text


# --- Whether there is anything to do -------------------------------------------------------------


def test_there_is_work_as_long_as_a_worker_may_have_to_look(
    clerk_emulator: Emulator, settings: Any
) -> None:
    settings.ORG_INVITATIONS_BACKGROUND = True
    service = make_service(clerk_emulator)
    batch = begin(service, 1)
    left = BatchItem.objects.filter(batch=batch)
    for values, expected in (
        ({"state": State.WAITING, "retry_at": timezone.now() + timedelta(hours=1)}, True),
        ({"state": State.UNDER_WAY}, True),
        ({"state": State.UNSETTLED}, True),
        ({"state": State.UNSETTLED, "reason": UNCLEAR}, False),
        ({"state": State.HALF_DONE, "reason": ""}, True),
        ({"state": State.HALF_DONE, "reason": "RateLimited"}, True),
        ({"state": State.HALF_DONE, "reason": "RoleNotFound"}, False),
        ({"state": State.HALF_DONE, "reason": "", "tries": MAX_TRIES}, False),
        ({"state": State.WAITING, "reason": LATER}, False),
        ({"state": State.DONE, "reason": ""}, False),
    ):
        left.update(**values)
        assert has_work(batch.instance) is expected, values
        # Nobody is missed where nobody could do anything, and the other way round.
        Batch.objects.update(created_at=timezone.now() - SILENCE - timedelta(seconds=1))
        assert is_missed(batch.instance) is expected, values
    left.update(state=State.WAITING)
    assert not has_work("clerk.other.example")
    Batch.objects.update(paused_at=timezone.now())
    assert not has_work(batch.instance)
    left.update(state=State.UNDER_WAY)
    assert has_work(batch.instance)  # what became of it is found out all the same


def test_what_was_paused_for_long_has_not_waited_for_workers(
    clerk_emulator: Emulator, settings: Any
) -> None:
    settings.ORG_INVITATIONS_BACKGROUND = True
    service = make_service(clerk_emulator)
    batch = begin(service, 11)
    snapshot = service.open(fresh=True)
    service.pause(snapshot, batch)
    Batch.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert not is_missed(batch.instance)
    service.unpause(snapshot, batch)
    assert not is_missed(batch.instance)
    Batch.objects.update(not_before=timezone.now() - SILENCE - timedelta(seconds=1))
    assert is_missed(batch.instance)
    tick()
    assert states(batch) == {State.DONE: 11}


def test_of_two_who_plan_a_turn_one_does() -> None:
    minute = timedelta(seconds=60)
    assert plan_turn("clerk.a.example", minute)
    assert not plan_turn("clerk.a.example", minute)
    assert plan_turn("clerk.b.example", minute)
    Heartbeat.objects.filter(instance="clerk.a.example").update(next_turn_at=timezone.now())
    assert plan_turn("clerk.a.example", minute)
    with transaction.atomic():
        assert not plan_turn("clerk.a.example", minute)
