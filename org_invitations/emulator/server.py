"""The emulator behind a socket."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from .core import Emulator
from .wire import ConnectionDropped, EmulatorRequest, EmulatorResponse, json_response

REACHED_AS_LOCALHOST = ("127.0.0.1", "localhost", "0.0.0.0")  # noqa: S104
MAX_BODY = 2 * 1024 * 1024

#: So long (seconds) a server that is to refuse waits for clients to take what they asked for.
PATIENCE = 5.0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "ClerkEmulator"
    sys_version = ""
    disable_nagle_algorithm = True
    server: _HTTPServer

    def answer(self) -> None:
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if length < 0 or length > MAX_BODY or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self._send(json_response({"error": "unreadable body"}, 413))
            return
        self.server.begin_call(self.connection)
        try:
            self._handle(length)
        finally:
            if self.server.end_call(self.connection):
                self.close_connection = True

    def _handle(self, length: int) -> None:
        request = EmulatorRequest(
            method=self.command,
            url=f"http://{self.headers.get('Host', 'localhost')}{self.path}",
            headers=dict(self.headers.items()),
            body=self.rfile.read(length),
        )
        try:
            answer = self.server.emulator.handle(request)
        except ConnectionDropped:
            self.server.say(f"{request.method} {request.path} -> dropped")
            self._drop()
            return
        self.server.say(f"{request.method} {request.path} -> {answer.status}")
        if self.server.count_answer():
            self.close_connection = True
        self._send(answer)

    do_GET = do_POST = do_DELETE = do_PATCH = do_PUT = do_HEAD = do_OPTIONS = answer  # noqa: N815

    def _send(self, answer: EmulatorResponse) -> None:
        length = len(answer.body) if answer.content_length is None else answer.content_length
        lies = answer.content_length is not None and answer.stream is None
        try:
            phrase = HTTPStatus(answer.status).phrase
        except ValueError:
            phrase = ""
        head = [f"HTTP/1.1 {answer.status} {phrase}", f"Date: {self.date_time_string()}"]
        named = {name.lower() for name, _ in answer.headers}
        head += [f"{name}: {value}" for name, value in answer.headers]
        if "content-length" not in named:
            head.append(f"Content-Length: {length}")
        if lies or self.close_connection:
            self.close_connection = True
            head.append("Connection: close")
        body = b"" if self.command == "HEAD" else answer.body
        if answer.stream is None:
            self.server.begin_last_send(self.connection)
        # One send for head and body: two would make the client's delayed ACK cost 40 ms.
        self.wfile.write("\r\n".join([*head, "", ""]).encode("utf-8") + body)
        if answer.stream is not None and self.command != "HEAD":
            for chunk in answer.stream():
                self.wfile.write(chunk)

    def _drop(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: ``_HTTPServer.say`` tells what there is to tell."""


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], emulator: Emulator, *, verbose: bool) -> None:
        self.emulator = emulator
        self.verbose = verbose
        self.connections: set[socket.socket] = set()
        self.busy: set[socket.socket] = set()
        #: Of the busy ones, those whose client may have its answer by now.
        self.answering: set[socket.socket] = set()
        #: After so many more answers nobody listens here any more; ``None``: never.
        self.answers_left: int | None = None
        self.is_refusing = False
        self.connections_lock = threading.Lock()
        self._answered = threading.Condition(self.connections_lock)
        super().__init__(address, _Handler)

    def say(self, line: str) -> None:
        if self.verbose:
            print(line, flush=True)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self.connections_lock:
            self.connections.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self.connections_lock:
                self.connections.discard(request)

    def count_answer(self) -> bool:
        """Counts an answer that is about to go out; tells whether its connection ends with it."""
        with self.connections_lock:
            if self.answers_left is not None:
                self.answers_left -= 1
            refuse_now = self.answers_left == 0
            if refuse_now:
                self.answers_left = None
        if refuse_now:
            self.refuse()
        return self.is_refusing

    def begin_call(self, connection: socket.socket) -> None:
        with self.connections_lock:
            self.busy.add(connection)

    def begin_last_send(self, connection: socket.socket) -> None:
        """What goes out now may be had by the client before this thread is on again."""
        with self.connections_lock:
            self.answering.add(connection)

    def end_call(self, connection: socket.socket) -> bool:
        """Notes that a call is answered; tells whether its connection ends with it."""
        with self.connections_lock:
            self.busy.discard(connection)
            self.answering.discard(connection)
            self._answered.notify_all()
            return self.is_refusing

    def refuse(self) -> None:
        """Listens no more: who tries to connect is refused. Calls that are here are answered.

        Who has an answer finds no connection of it any more.
        """
        self.is_refusing = True
        self.shutdown()
        self.server_close()
        with self.connections_lock:
            self._answered.wait_for(lambda: not self.answering, timeout=PATIENCE)
            for connection in self.connections - self.busy:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that went away in the middle is nobody's fault here.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def close_connections(self) -> None:
        """Ends what clients keep open, or they would go on talking to a stopped server."""
        with self.connections_lock:
            for connection in self.connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class EmulatorServer:
    """Serves an emulator over HTTP, in a thread, while the context lasts.

    ``port`` 0 takes any free one. The emulator's ``base_url`` becomes ``url``.
    """

    def __init__(
        self,
        emulator: Emulator | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        verbose: bool = False,
    ) -> None:
        self.emulator = emulator or Emulator()
        self._server = _HTTPServer((host, port), self.emulator, verbose=verbose)
        self.port: int = self._server.server_address[1]
        self._address = (host, self.port)
        # "localhost" for the browser's sake: its cookies are shared with a site on localhost.
        name = "localhost" if host in REACHED_AS_LOCALHOST else host
        self.url = f"http://{name}:{self.port}"
        self.emulator.base_url = self.url
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="clerk-emulator",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            if not self._server.is_refusing:
                self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()
        self._server.close_connections()

    def serve_forever(self) -> None:
        self._server.serve_forever()

    def refuse(self, *, after: int = 0) -> None:
        """Refuse connections, at once or when so many more calls have been answered."""
        if after:
            self._server.answers_left = after
        elif not self._server.is_refusing:
            self._server.refuse()

    def listen(self) -> None:
        """Take connections again, on the same port."""
        if not self._server.is_refusing:
            self._server.answers_left = None
            return
        if self._thread is not None:
            self._thread.join()
        self._server.close_connections()
        self._server = _HTTPServer(self._address, self.emulator, verbose=self._server.verbose)
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
