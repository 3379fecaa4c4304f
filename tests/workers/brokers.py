"""What lies in a broker: made for these tests, and gone after them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers import get_address


@contextmanager
def of_its_own(server: str, name: str) -> Iterator[dict[str, str]]:
    """Let nothing that a site of this name puts into a broker stay there.

    :returns: what its environment has besides.
    """
    if server == "redis":
        with _redis_prefix(name):
            yield {}
    elif server == "rabbitmq":
        with _rabbitmq_vhost(name) as vhost:
            yield {"WORKERS_VHOST": vhost}
    else:
        yield {}


@contextmanager
def _redis_prefix(name: str) -> Iterator[None]:
    """Whatever begins with a prefix is deleted."""
    from redis import Redis

    host, port = get_address("redis")
    try:
        yield
    finally:
        with Redis(host, port) as redis:
            keys = list(redis.scan_iter(f"{name}*"))
            if keys:
                redis.delete(*keys)


@contextmanager
def _rabbitmq_vhost(name: str) -> Iterator[str]:
    """A virtual host of its own, where ``rabbitmqctl`` may make one; else the queue goes."""
    made = _rabbitmqctl("add_vhost", name)
    try:
        if made:
            _rabbitmqctl("set_permissions", "-p", name, "guest", ".*", ".*", ".*")
        yield name if made else "/"
    finally:
        if made:
            _rabbitmqctl("delete_vhost", name)
        else:
            _delete_queue(name)


def _rabbitmqctl(*words: str) -> bool:
    if shutil.which("rabbitmqctl") is None:
        return False
    done = subprocess.run(["rabbitmqctl", *words], capture_output=True, check=False)
    return done.returncode == 0


def _delete_queue(name: str) -> None:
    from kombu.connection import Connection

    host, port = get_address("rabbitmq")
    with Connection(f"amqp://{host}:{port}//") as broker, broker.channel() as channel:
        channel.queue_delete(name)
        channel.exchange_delete(name)
