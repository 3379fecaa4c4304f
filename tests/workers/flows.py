"""What holds with any engine; run by ``test_workers`` in a process for each of them."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.db import connection

from org_invitations.emulator import Emulator, EmulatorServer
from org_invitations.models import Batch, BatchItem
from tests.gates import WATCHDOG
from tests.ledger import allow_many
from tests.test_services import BO, make_service
from tests.views.conftest import Browser, ada
from tests.views.inviting import many, press, review_of, type_in

from .processes import Process, Site, get_commands, running, write_files
from .watch import CHECK, CREATE, Held, Watch

__all__ = ["ada"]  # a fixture

ENGINE = os.environ["WORKERS_ENGINE"]
NAME = os.environ["WORKERS_NAME"]
IS_CELERY = ENGINE.startswith("celery")

#: What is held back of whom: an answer to what has taken effect, a call that never does, or the
#: question before it. Each engine has its own, and together they have all.
HELD = {
    "celery-redis": (True, CHECK),
    "celery-rabbitmq": (False, CREATE),
    "django-tasks-db": (True, CREATE),
    "django-ox": (False, CHECK),
    "loop": (True, CHECK) if connection.vendor == "mysql" else (False, CREATE),
}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clerk(clerk_emulator_server: EmulatorServer) -> Emulator:
    allow_many(clerk_emulator_server.emulator)
    return clerk_emulator_server.emulator


@pytest.fixture(autouse=True)
def _mysite(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The site's application of Celery's, as the document has it."""
    if not IS_CELERY:
        yield
        return
    write_files("docs/celery.md", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "mysite"]:
        del sys.modules[name]
    from mysite import celery_app  # type: ignore[import-not-found]

    celery_app.set_current()
    yield
    celery_app.close()


@pytest.fixture
def site(clerk: Emulator, tmp_path: Path) -> Iterator[Site]:
    with running(tmp_path, clerk.environment()) as found:
        yield found


def wait_until(is_so: Callable[[], bool], site: Site) -> None:
    """Wait for what workers do; a watchdog tells what they have said instead."""
    until = time.monotonic() + 2 * WATCHDOG
    while not is_so():
        assert time.monotonic() < until, site.get_logs()
        time.sleep(0.1)


def begin(clerk: Emulator, count: int, user: str, organization: str) -> list[str]:
    addresses = [f"{organization}{number}@example.com" for number in range(count)]
    items = [BatchItem(email_address=address, role="org:member") for address in addresses]
    make_service(clerk, user, organization).begin(Batch.Action.INVITE, items, key=None, options={})
    return addresses


def test_one_worker_is_killed_and_one_stopped_and_each_is_invited_once(
    clerk: Emulator, site: Site
) -> None:
    takes_effect, what = HELD[ENGINE]
    killed, stopped = Held(CREATE, takes_effect), Held(what, takes_effect=True)
    watch = Watch(clerk, killed, stopped)
    worker, others = get_commands(ENGINE)
    wanted = begin(clerk, 24, "ada@acme.test", "acme") + begin(clerk, 21, BO, "globex")
    processes = {}
    for _ in range(2):
        process = site.start(worker)
        processes[process.group] = process
    for other in others:  # what calls for turns
        site.start(other)
    for held, end in ((killed, Process.kill), (stopped, Process.stop)):
        group = held.wait()
        assert group, site.get_logs()
        end(processes[group])
        held.opened.set()  # the answer lies there when the one that was stopped wakes

    site.start(worker)
    left = BatchItem.objects.exclude(state=BatchItem.State.DONE)
    wait_until(lambda: not left.exists(), site)

    made = watch.creates[stopped.group]
    processes[stopped.group].wake()
    for process in site.processes:
        process.end()
    assert watch.creates[stopped.group] == made == (1 if what == CREATE else 0)

    rows = [row for row in clerk.state.invitations.values() if row.email_address in wanted]
    assert Counter(row.email_address for row in rows) == Counter(wanted)  # none twice, none lost
    assert Counter(mail.to for mail in clerk.state.mails.values() if mail.to in wanted) == (
        Counter(wanted)
    )
    items = list(BatchItem.objects.all())
    assert {item.invitation_id: item.email_address for item in items} == {
        row.id: row.email_address for row in rows
    }
    assert not BatchItem.objects.exclude(leased_by="").exists()
    assert not Batch.objects.filter(finished_at=None).exists()
    if ENGINE == "django-tasks-db":
        # What the killed one was at is there for ever, and nothing has waited for it.
        assert [row for row in _read_queue() if '"status": "RUNNING"' in row]


@pytest.mark.skipif(ENGINE == "loop", reason="a loop is told nothing")
def test_what_is_in_the_queue_names_nobody_and_opens_nothing(ada: Browser, clerk: Emulator) -> None:
    addresses = many(11)
    press(ada, review_of(type_in(ada, " ".join(addresses))))
    assert BatchItem.objects.count() == 11
    [said] = _read_queue()
    batch = Batch.objects.get()
    secrets = [clerk.secret_key, str(batch.pk), batch.organization_id, batch.user_id, "://"]
    for secret in (*addresses, *secrets):
        assert secret not in said


def _read_queue() -> list[str]:
    """All that is known of the tasks that lie in the queue."""
    if IS_CELERY:
        return [_read_message()]
    name = {"django-tasks-db": "DBTaskResult", "django-ox": "OxTask"}[ENGINE]
    # By the module: an app may have another label than its name.
    model = getattr(import_module(f"{ENGINE.replace('-', '_')}.models"), name)
    return [json.dumps(row, default=str) for row in model.objects.values()]


def _read_message() -> str:
    from mysite import celery_app

    with celery_app.connection_for_read() as broker:
        queue = broker.SimpleQueue(NAME)
        message = queue.get(timeout=WATCHDOG)
        message.ack()
        queue.close()
    args, kwargs, _ = json.loads(message.body)
    assert (args, kwargs) == ([], {})
    assert message.headers["expires"]
    return f"{message.body} {message.headers} {message.properties}"
