"""A site of a few threads in a process of its own, for the benchmarks that load it.

It has the app's pages, and one that has nothing to do with Clerk. ``python -m benchmarks.site``
serves it: on the port, and with the settings, that come as JSON on its standard input.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

THREADS = 8
ROOT = Path(__file__).parent.parent


class Site:
    """The site, as long as the context lasts."""

    def __init__(self, settings: dict[str, Any]) -> None:
        with TCPServer(("127.0.0.1", 0), object) as taken:  # type: ignore[arg-type]
            self.port: int = taken.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.site"], stdin=subprocess.PIPE, cwd=ROOT
        )
        assert self._process.stdin is not None
        order = {"port": self.port, "settings": self._settings}
        self._process.stdin.write(json.dumps(order).encode())
        self._process.stdin.close()
        until = time.monotonic() + 60
        while True:
            try:
                self.get("/plain/")
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
            else:
                return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self._process is not None
        return self._process.pid

    def request(
        self, method: str, path: str, headers: dict[str, str], body: str = ""
    ) -> tuple[int, str, float]:
        """Send a request; return its status, its text, and the seconds it took."""
        started = time.monotonic()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            connection.request(method, path, body=body or None, headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        return answer.status, text, time.monotonic() - started

    def get(self, path: str, cookies: dict[str, str] | None = None) -> tuple[int, str, float]:
        """Load a page."""
        return self.request("GET", path, {"Accept": "text/html", **_cookie(cookies)})

    def post(self, path: str, cookies: dict[str, str], body: str) -> tuple[int, str, float]:
        """Send a form."""
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request("POST", path, {**form, **_cookie(cookies)}, body)


def _cookie(cookies: dict[str, str] | None) -> dict[str, str]:
    pairs = (cookies or {}).items()
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in pairs)} if pairs else {}


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: only the figures are of interest."""


class _Server(WSGIServer):
    """As common servers have it: so many threads, and who finds none waits in a queue."""

    request_queue_size = 1024

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.threads = ThreadPoolExecutor(THREADS)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.threads.submit(self.answer, request, client_address)

    def answer(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except OSError:
            pass  # who asked has gone
        finally:
            self.shutdown_request(request)


def serve() -> None:
    """Serve the site until the process is killed."""
    order = json.load(sys.stdin)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.conf import settings

    with tempfile.TemporaryDirectory() as folder:
        settings.DATABASES["default"]["NAME"] = f"{folder}/site.sqlite3"
        settings.ROOT_URLCONF = "benchmarks.site_urls"
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Csrf" not in name]
        settings.LOGGING_CONFIG = None
        logging.disable()
        for name, value in order["settings"].items():
            setattr(settings, name, value)
        django.setup()
        from django.core.handlers.wsgi import WSGIHandler
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        server = _Server(("127.0.0.1", order["port"]), _Handler)
        server.set_app(WSGIHandler())
        server.serve_forever()


if __name__ == "__main__":
    serve()
