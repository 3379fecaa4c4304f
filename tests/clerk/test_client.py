"""One HTTP call to Clerk: what goes out, what comes back, and all that can go wrong between."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import pytest
import requests
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from responses import matchers
from responses.registries import OrderedRegistry

from org_invitations import __version__
from org_invitations.clerk import API_VERSION, ClerkClient
from org_invitations.clerk import client as client_module
from org_invitations.clerk.breaker import COOL_DOWN, THRESHOLD, Breaker
from org_invitations.clerk.bulkhead import PATIENCE, Bulkhead
from org_invitations.clerk.client import MAX_RESPONSE_BYTES, quote_segment
from org_invitations.clerk.deadline import Deadline
from org_invitations.clerk.exceptions import (
    CircuitOpen,
    ClerkError,
    ConnectionBroken,
    ConnectionFailed,
    DeadlineExceeded,
    InvalidIdentifier,
    InvalidResponse,
    NotFound,
    RateLimited,
    ServiceUnavailable,
    Timeout,
    Unauthorized,
)
from tests.gates import WATCHDOG

SECRET = "sk_test_T0pS3cret"
API = "https://api.clerk.com/v1"


def make_client(url: str = "https://api.clerk.com", **rest: Any) -> ClerkClient:
    return ClerkClient(SECRET, api_url=url, **rest)


@pytest.fixture
def clerk() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield mock


@pytest.fixture
def ordered() -> Iterator[responses.RequestsMock]:
    """Answers in the order they were given, each of them once."""
    with responses.RequestsMock(registry=OrderedRegistry) as mock:
        yield mock


# --- A server that does what no library would ----------------------------------------------

Answer = bytes | Callable[[socket.socket], bytes | None]


def http(
    body: bytes = b"{}",
    *headers: str,
    status: str = "200 OK",
    content_type: str = "application/json",
    length: int | None = None,
) -> bytes:
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {size}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def drop(connection: socket.socket) -> None:
    """Ends the connection without a word."""


class Server:
    """Gives the answers in turn, the last one for ever. None in place of one closes."""

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.answers = list(answers) or [http()]
        self.tls = tls
        self.accepted = 0
        self.requests: list[bytes] = []
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=100)
        self._socket.settimeout(0.05)
        self._open: list[socket.socket] = []
        self._stopped = False
        self.port = self._socket.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while not self._stopped:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                continue
            self.accepted += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        connection: socket.socket = raw
        with contextlib.suppress(OSError):
            if self.tls:
                connection = self.tls.wrap_socket(raw, server_side=True)
            while request := self._read(connection):
                with self._lock:
                    self.requests.append(request)
                    answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                content = answer(connection) if callable(answer) else answer
                if content is None:
                    break
                connection.sendall(content)
                if b"connection: close" in content.lower():
                    break
        for one in (connection, raw):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    @staticmethod
    def _read(connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65_536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                while len(body) < int(line.partition(b":")[2]):
                    body += connection.recv(65_536)
        return head + b"\r\n\r\n" + body

    def close_connections(self) -> None:
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # where it can, this wakes who accepts
        self._socket.close()
        self.close_connections()
        self._thread.join(2)


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


# --- What goes out -------------------------------------------------------------------------


def test_every_call_names_the_version_the_product_and_carries_the_key(
    clerk: responses.RequestsMock,
) -> None:
    clerk.get(f"{API}/jwks", json={"keys": []})
    clerk.post(f"{API}/organizations", json={})
    client = make_client()
    client.get("jwks")
    client.post("organizations", json={"name": "Acme"})
    assert API_VERSION == "2026-05-12"
    for call in clerk.calls:
        headers = call.request.headers
        assert headers["Clerk-API-Version"] == "2026-05-12"
        assert headers["User-Agent"] == f"django-org-invitations/{__version__}"
        assert headers["Accept"] == "application/json"
        assert headers["Authorization"] == f"Bearer {SECRET}"
    assert clerk.calls[1].request.headers["Content-Type"] == "application/json"
    assert json.loads(clerk.calls[1].request.body or "") == {"name": "Acme"}


def test_the_key_is_in_the_authorization_header_and_nowhere_else() -> None:
    with Server() as server:
        make_client(server.url).get("organizations", "org_1", params={"limit": 1})
    [request] = server.requests
    assert request.count(SECRET.encode()) == 1
    assert f"\r\nAuthorization: Bearer {SECRET}\r\n".encode() in request


def test_a_netrc_entry_for_the_host_does_not_replace_the_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clerk: responses.RequestsMock
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.clerk.com login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert requests.utils.get_netrc_auth(API) == ("somebody", "else")  # it would be found
    clerk.get(f"{API}/jwks", json={})
    make_client().get("jwks")
    assert clerk.calls[0].request.headers["Authorization"] == f"Bearer {SECRET}"


def test_cookies_that_the_server_sets_are_not_sent_back() -> None:
    with Server(http(b"{}", "Set-Cookie: __cf_bm=abc; Path=/", "Set-Cookie: a=b")) as server:
        client = make_client(server.url)
        client.get("jwks")
        client.get("jwks")
    assert len(server.requests) == 2
    assert all(b"\r\ncookie:" not in request.lower() for request in server.requests)


def test_none_is_left_out_of_a_query_and_a_list_is_repeated(clerk: responses.RequestsMock) -> None:
    clerk.get(f"{API}/things", json={})
    make_client().get("things", params={"a": None, "status": ["pending", "expired"], "b": 0})
    query = urlsplit(clerk.calls[0].request.url or "").query
    assert query == "status=pending&status=expired&b=0"


def test_a_plus_in_a_query_is_sent_as_percent_2b(clerk: responses.RequestsMock) -> None:
    clerk.get(f"{API}/things", json={})
    make_client().get("things", params={"order_by": "+created_at", "email_address": "a+b@c.d"})
    query = urlsplit(clerk.calls[0].request.url or "").query
    assert query == "order_by=%2Bcreated_at&email_address=a%2Bb%40c.d"


def test_both_time_outs_are_always_set(clerk: responses.RequestsMock) -> None:
    clerk.get(f"{API}/x", json={})
    clerk.post(f"{API}/x", json={})
    client = make_client(connect_timeout=1.5, read_timeout=2.5)
    client.get("x")
    client.post("x")
    sent: list[Any] = [call.request for call in clerk.calls]
    timeouts = [request.req_kwargs["timeout"] for request in sent]
    assert [(t.connect_timeout, t.read_timeout, t.total) for t in timeouts] == [(1.5, 2.5, 4.0)] * 2


def test_the_time_outs_have_defaults() -> None:
    assert (make_client().connect_timeout, make_client().read_timeout) == (2.0, 6.0)


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(http(b'{"via": "proxy"}')) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert make_client("http://clerk.test").get("jwks") == {"via": "proxy"}
    assert proxy.requests[0].startswith(b"GET http://clerk.test/v1/jwks HTTP/1.1\r\n")


@pytest.mark.usefixtures("no_pause")
def test_a_proxy_that_is_not_there_means_that_clerk_was_not_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(ConnectionFailed):
        make_client("http://clerk.test").post("x", json={})


# --- Ids in paths --------------------------------------------------------------------------


@given(st.text() | st.text(alphabet="./%\\?#&;:@ \t\r\n\0aZ0-_", min_size=1))
def test_no_text_can_leave_its_segment_of_the_path(text: str) -> None:
    try:
        quoted = quote_segment(text)
    except InvalidIdentifier:
        return
    url = (
        requests.Request("GET", f"https://api.clerk.com/v1/organizations/{quoted}/x").prepare().url
    )
    parts = urlsplit(url or "")
    assert parts.path.split("/") == ["", "v1", "organizations", quoted, "x"]
    assert (parts.query, parts.fragment, parts.netloc) == ("", "", "api.clerk.com")
    assert unquote(quoted) == text


def test_what_cannot_be_an_id_is_never_sent(
    subtests: pytest.Subtests, clerk: responses.RequestsMock
) -> None:
    for bad in [
        *("", ".", "..", "%2e%2e", "a/b", "a%2Fb", "a?b", "a#b", "a\\b"),
        *("a b", "a\n", "é", "-a", "a" * 256),
    ]:
        with subtests.test(bad=bad):
            with pytest.raises(InvalidIdentifier) as caught:
                make_client().get("organizations", bad)
            assert isinstance(caught.value, NotFound)
            assert not caught.value.may_have_happened
            assert len(clerk.calls) == 0


def test_what_is_not_even_a_text_is_never_sent(clerk: responses.RequestsMock) -> None:
    with pytest.raises(InvalidIdentifier):
        make_client().get("organizations", None)  # type: ignore[arg-type]


def test_a_colon_is_quoted() -> None:
    with Server() as server:
        make_client(server.url).get("role_sets", "role_set:default")
    assert server.requests[0].startswith(b"GET /v1/role_sets/role_set%3Adefault HTTP/1.1\r\n")


# --- One pool for all threads --------------------------------------------------------------


def test_calls_that_follow_each_other_share_one_connection() -> None:
    with Server() as server:
        client = make_client(server.url)
        for _ in range(5):
            client.get("jwks")
        client.post("x", json={})
    assert (len(server.requests), server.accepted) == (6, 1)


def test_a_refusal_leaves_the_connection_usable() -> None:
    body = b'{"errors": [{"code": "resource_not_found"}]}'
    with Server(http(body, status="404 Not Found"), http()) as server:
        client = make_client(server.url)
        with pytest.raises(NotFound):
            client.get("x")
        client.get("x")
    assert server.accepted == 1


def test_thirty_threads_share_the_client() -> None:
    def echo(connection: socket.socket) -> bytes:
        time.sleep(0.005)
        return http(b'{"ok": true}')

    with Server(echo) as server:
        client = make_client(server.url)
        with ThreadPoolExecutor(30) as pool:
            answers = list(pool.map(lambda _: client.get("jwks"), range(300)))
        kept = server.accepted
        client.get("jwks")
    assert answers == [{"ok": True}] * 300
    assert len(server.requests) == 301
    assert server.accepted == kept <= 100  # not 300: they are used again


def test_closing_the_client_closes_its_connections() -> None:
    with Server() as server:
        client = make_client(server.url)
        client.get("jwks")
        client.close()
        client.get("jwks")
    assert server.accepted == 2


def test_a_connection_that_clerk_closed_meanwhile_is_replaced_even_for_a_post() -> None:
    with Server() as server:
        client = make_client(server.url)
        client.get("jwks")
        server.close_connections()
        time.sleep(0.05)
        client.post("x", json={"n": 1})
    assert (len(server.requests), server.accepted) == (2, 2)


# --- Trying again --------------------------------------------------------------------------


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_get_is_tried_again_after_a_fault_of_the_gateway(
    ordered: responses.RequestsMock, status: int
) -> None:
    ordered.get(f"{API}/jwks", status=status)
    ordered.get(f"{API}/jwks", status=status)
    ordered.get(f"{API}/jwks", json={"keys": []})
    assert make_client().get("jwks") == {"keys": []}


def test_a_get_is_tried_three_times_and_no_more(clerk: responses.RequestsMock) -> None:
    clerk.get(f"{API}/jwks", status=503)
    with pytest.raises(ServiceUnavailable) as caught:
        make_client().get("jwks")
    assert caught.value.status == 503
    assert len(clerk.calls) == 3


def test_the_waits_between_the_tries_are_short_and_differ() -> None:
    policy: Any = make_client()._http.get_adapter(API).max_retries  # type: ignore[attr-defined]
    again = policy.increment("GET", "/", error=ConnectionResetError())
    again = again.increment("GET", "/", error=ConnectionResetError())
    waits = {again.get_backoff_time() for _ in range(20)}
    assert len(waits) > 1
    assert max(waits) < 0.5
    assert policy.backoff_max <= 1


@pytest.mark.parametrize("status", [400, 401, 404, 409, 429, 500])
def test_other_answers_are_taken_as_they_are(clerk: responses.RequestsMock, status: int) -> None:
    clerk.get(f"{API}/jwks", status=status, json={"errors": [{"code": "x"}]})
    with pytest.raises(ClerkError):
        make_client().get("jwks")
    assert len(clerk.calls) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_post_is_sent_once_whatever_clerk_answers(
    clerk: responses.RequestsMock, status: int
) -> None:
    clerk.post(f"{API}/x", status=status)
    with pytest.raises(ServiceUnavailable) as caught:
        make_client().post("x", json={})
    assert caught.value.may_have_happened
    assert len(clerk.calls) == 1


@pytest.mark.usefixtures("no_pause")
def test_a_get_is_tried_again_when_the_connection_breaks() -> None:
    with Server(drop, drop, http(b'{"ok": 1}')) as server:
        assert make_client(server.url).get("jwks") == {"ok": 1}
    assert len(server.requests) == 3


@pytest.mark.usefixtures("no_pause")
def test_a_get_whose_connection_keeps_breaking_is_given_up() -> None:
    with Server(drop) as server, pytest.raises(ConnectionBroken):
        make_client(server.url).get("jwks")
    assert len(server.requests) == 3


def test_a_post_whose_connection_breaks_is_not_sent_again() -> None:
    with Server(drop) as server, pytest.raises(ConnectionBroken) as caught:
        make_client(server.url).post("x", json={"n": 1})
    assert caught.value.may_have_happened
    assert len(server.requests) == 1


def test_a_refused_connection_is_tried_again_even_for_a_post_for_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, tries = socket.socket.connect, []

    def connect(self: socket.socket, address: Any) -> None:
        tries.append(address)
        if len(tries) == 1:
            raise ConnectionRefusedError
        real(self, address)

    with Server() as server:
        monkeypatch.setattr(socket.socket, "connect", connect)
        make_client(server.url).post("x", json={})
        assert len(server.requests) == 1
    assert len(tries) == 2


@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_listening_means_that_nothing_was_done(method: str) -> None:
    client = make_client(f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(ConnectionFailed) as caught:
        getattr(client, method)("x")
    assert not caught.value.may_have_happened


@pytest.mark.usefixtures("no_pause")
def test_an_unknown_host_means_that_nothing_was_done() -> None:
    with pytest.raises(ConnectionFailed):
        make_client("http://nowhere.invalid").post("x")


@pytest.mark.usefixtures("no_pause")
def test_a_connect_time_out_means_that_nothing_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(self: socket.socket, address: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(ConnectionFailed):
        make_client("http://127.0.0.1:9").post("x")


def test_a_senseless_address_of_the_api_means_that_nothing_was_done(
    subtests: pytest.Subtests,
) -> None:
    for url in ["api.clerk.com", "ftp://api.clerk.com", "https://", "http://[::1"]:
        with subtests.test(url=url):
            with pytest.raises(ConnectionFailed) as caught:
                make_client(url).post("x", json={})
            assert not caught.value.may_have_happened


@pytest.mark.parametrize("key", ["sk_test_a\r\nX-Evil: 1", "sk_test_\N{HORIZONTAL ELLIPSIS}"])
def test_a_key_that_fits_no_header_is_not_sent_and_not_told(key: str) -> None:
    with Server() as server, pytest.raises(ConnectionFailed) as caught:
        ClerkClient(key, api_url=server.url).post("x", json={})
    assert server.requests == []
    assert "sk_test_" not in str(caught.value)


# --- Time ----------------------------------------------------------------------------------


def hang(connection: socket.socket) -> None:
    """Keeps still until the client hangs up."""
    connection.settimeout(WATCHDOG)
    connection.recv(1)


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_read_time_out_is_not_followed_by_another_try(method: str) -> None:
    with Server(hang) as server, pytest.raises(Timeout) as caught:
        getattr(make_client(server.url, read_timeout=0.1), method)("x")
    assert caught.value.may_have_happened
    assert len(server.requests) == 1


def trickle(head: bytes, piece: bytes) -> Callable[[socket.socket], bytes | None]:
    """Never silent for long, never done: until the client hangs up."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            time.sleep(0.001)

    return answer


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (http(b"", length=1_000_000), b" "),
        (
            CHUNKED,
            b"1\r\n \r\n",
        ),
    ],
    ids=["with a length", "in chunks"],
)
def test_an_answer_that_trickles_in_is_not_waited_for(
    head: bytes, piece: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = itertools.count()  # a second goes by with each look at the clock
    monkeypatch.setattr(client_module, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    with Server(trickle(head, piece)) as server, pytest.raises(Timeout) as caught:
        make_client(server.url, connect_timeout=3, read_timeout=10).get("x")
    assert caught.value.may_have_happened
    assert 13 < next(seconds) < 20


def test_an_answer_that_stops_in_the_middle_is_a_time_out() -> None:
    def answer(connection: socket.socket) -> bytes:
        connection.sendall(http(b'{"data": [', length=500))
        hang(connection)
        return b""

    with Server(answer) as server, pytest.raises(Timeout):
        make_client(server.url, connect_timeout=0.1, read_timeout=0.1).get("x")


# --- The deadline -----------------------------------------------------------------------------


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def timeouts(clerk: responses.RequestsMock) -> list[Any]:
    """The times that the last call was given: to connect, to read, in all."""
    request: Any = clerk.calls[-1].request
    timeout = request.req_kwargs["timeout"]
    return [timeout.connect_timeout, timeout.read_timeout, timeout.total]


@pytest.mark.parametrize(
    ("passed", "method", "given"),
    [
        (0, "get", [2, 6, 8]),
        (17, "get", [2, 6, 8]),
        (18, "get", [2, 6, 7]),
        (22, "get", [2, 3, 3]),
        (24.5, "get", [0.5, 0.5, 0.5]),
        (0, "post", [2, 6, 8]),
        (14, "post", [2, 6, 8]),
        (17, "post", [2, 5, 5]),  # three seconds are kept to find out what became of it
    ],
)
def test_a_call_takes_what_is_left_at_most(
    clerk: responses.RequestsMock, clock: Clock, passed: float, method: str, given: list[float]
) -> None:
    clerk.add(method.upper(), f"{API}/x", json={})
    with Deadline(25, clock=clock):
        clock.now = passed
        getattr(make_client(), method)("x")
    if method == "post":
        given = [min(seconds, 21.875 - passed) for seconds in given]
    assert timeouts(clerk) == given


@pytest.mark.parametrize(("passed", "method"), [(25, "get"), (40, "get"), (18, "post")])
def test_what_there_is_no_time_for_is_not_sent(clock: Clock, passed: float, method: str) -> None:
    with Server(http()) as server, Deadline(25, clock=clock):
        clock.now = passed
        with pytest.raises(DeadlineExceeded) as caught:
            getattr(make_client(server.url), method)("x")
    assert isinstance(caught.value, ConnectionFailed)
    assert not caught.value.may_have_happened
    assert server.requests == []


def test_a_write_gets_a_third_of_the_time_at_most(
    clerk: responses.RequestsMock, clock: Clock
) -> None:
    clerk.post(f"{API}/x", json={})
    with Deadline(6, clock=clock):
        make_client().post("x")
    assert timeouts(clerk) == [2, 2, 2]


@pytest.mark.parametrize(
    ("passed", "writes", "after", "fits"),
    [
        (0, 2, 0, True),
        (5.875, 2, 0, True),
        (5.9, 2, 0, False),
        (13.875, 1, 0, True),
        (13.9, 1, 0, False),
        (0, 1, 13, True),
        (0, 1, 14, False),
    ],
)
def test_whether_writes_fit_is_known_before_the_first(
    clock: Clock, passed: float, writes: int, after: float, fits: bool
) -> None:
    client = make_client()
    assert client.has_time(1000, after=1e9)  # without a deadline
    with Deadline(25, clock=clock):
        clock.now = passed
        assert client.has_time(writes, after=after) is fits
        if after == 0 and not fits:
            with pytest.raises(DeadlineExceeded):
                client.require_time(writes)


@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize(("passed", "tries"), [(0, 3), (15.9, 3), (16.1, 1)])
@pytest.mark.parametrize("answer", ["502 Bad Gateway", "nothing"])
def test_a_get_is_repeated_only_where_it_cannot_go_on_too_long(
    clock: Clock, passed: float, tries: int, answer: str
) -> None:
    failing = http(status=answer) if answer != "nothing" else drop
    with Server(*[failing] * 3) as server, Deadline(25, clock=clock):
        clock.now = passed
        with pytest.raises(ClerkError):
            make_client(server.url).get("x")
    assert len(server.requests) == tries


def test_a_body_that_stops_is_not_waited_for_beyond_the_end() -> None:
    """Each piece might take its six seconds, but not all of them together.

    Had it been waited for, its end would be an incomplete answer, and no time-out.
    """

    def answer(connection: socket.socket) -> bytes:
        connection.sendall(http(b'{"data": [', length=500))
        time.sleep(4)  # less than the six, and far more than the 0.3 it has
        return b""

    with Server(answer) as server, Deadline(0.3), pytest.raises(Timeout):
        make_client(server.url).get("x")


# --- While Clerk hangs ------------------------------------------------------------------------


def let_fail(client: ClerkClient, *path: str, times: int = 1, method: str = "get") -> list[str]:
    """Call some times; return the names of the errors."""
    errors = []
    for _ in range(times):
        with pytest.raises(ClerkError) as caught:
            getattr(client, method)(*path)
        errors.append(type(caught.value).__name__)
    return errors


def test_after_a_few_time_outs_in_a_row_clerk_is_not_asked() -> None:
    with Server(hang) as server:
        client = make_client(server.url, read_timeout=0.05, connect_timeout=1)
        errors = let_fail(client, "jwks", times=THRESHOLD + 3)
        # Nor is it where a handshake or a session is to be had: all of that is one host.
        for call in (client.get_jwks, lambda: client.get_handshake_payload("made-up")):
            with pytest.raises(CircuitOpen):
                call()
    assert errors == ["Timeout"] * THRESHOLD + ["CircuitOpen"] * 3
    assert len(server.requests) == THRESHOLD


def test_what_is_slow_to_write_may_still_be_read() -> None:
    with Server(*[hang] * THRESHOLD, http()) as server:
        client = make_client(server.url, read_timeout=0.05, connect_timeout=1)
        let_fail(client, "x", times=THRESHOLD, method="post")
        assert let_fail(client, "x", method="post") == ["CircuitOpen"]
        assert client.get("x") == {}
        assert let_fail(client, "x", method="post") == ["CircuitOpen"]


@pytest.mark.usefixtures("no_pause")
def test_connections_that_are_refused_count_as_well() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = make_client(f"http://127.0.0.1:{unused.getsockname()[1]}")
        errors = let_fail(client, "organizations", "org_1", times=THRESHOLD)
        assert errors == ["ConnectionFailed"] * THRESHOLD
        assert let_fail(client, "organizations", "org_2") == ["CircuitOpen"]


def test_no_answer_of_clerks_whatever_it_says_opens_the_circuit(subtests: pytest.Subtests) -> None:
    for answer in [
        *(f"{status} X" for status in (400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504)),
        "302 X",
        "not json",
        "dropped",
    ]:
        with subtests.test(answer=answer):
            body: Answer = http(b"{}", status=answer)
            if answer == "not json":
                body = http(b"<html>", content_type="text/html")
            if answer == "dropped":
                body = drop
            with Server(body) as server:
                client = make_client(server.url)
                errors = let_fail(
                    client, "organizations", "org_1", times=THRESHOLD + 2, method="post"
                )
            assert "CircuitOpen" not in errors
            assert len(server.requests) == THRESHOLD + 2


def test_an_answer_that_says_no_ends_the_row_too() -> None:
    late, no = hang, http(b"{}", status="404 X")
    with Server(*[late] * (THRESHOLD - 1), no, late) as server:
        client = make_client(server.url, read_timeout=0.05, connect_timeout=1)
        errors = let_fail(client, "x", times=THRESHOLD * 2 - 1)
    assert "CircuitOpen" not in errors


def test_one_organization_that_takes_too_long_keeps_no_other_from_asking() -> None:
    with Server(*[hang] * THRESHOLD, http()) as server:
        client = make_client(server.url, read_timeout=0.05, connect_timeout=1)
        let_fail(client, "organizations", "org_slow", "invitations", times=THRESHOLD)
        assert let_fail(client, "organizations", "org_slow") == ["CircuitOpen"]
        assert client.get("organizations", "org_other") == {}


@pytest.mark.usefixtures("no_pause")
def test_what_was_cut_short_says_nothing_about_clerk() -> None:
    with Server(hang) as server:
        client = make_client(server.url)
        for _ in range(THRESHOLD + 1):
            with Deadline(0.05):
                assert let_fail(client, "x") == ["Timeout"]
    assert len(server.requests) == THRESHOLD + 1


@pytest.mark.usefixtures("no_pause")
def test_once_clerk_answers_again_so_does_the_app(clock: Clock) -> None:
    with Server(*[hang] * (THRESHOLD + 1), http()) as server:
        breaker = Breaker(clock=clock)
        client = make_client(server.url, read_timeout=0.05, connect_timeout=1, breaker=breaker)
        let_fail(client, "x", times=THRESHOLD)
        assert let_fail(client, "x") == ["CircuitOpen"]
        clock.now += COOL_DOWN
        assert let_fail(client, "x", times=2) == ["Timeout", "CircuitOpen"]
        clock.now += COOL_DOWN
        assert [client.get("x"), client.get("x")] == [{}, {}]


def test_who_finds_no_place_to_wait_in_sends_nothing(clock: Clock) -> None:
    bulkhead = Bulkhead(1, clock=clock)
    asking, told = threading.Event(), threading.Event()

    def answer(connection: socket.socket) -> bytes:
        asking.set()
        told.wait(10)
        return http()

    with Server(answer) as server, ThreadPoolExecutor(1) as pool:
        client = make_client(server.url, bulkhead=bulkhead)
        first = pool.submit(client.get, "x")
        assert asking.wait(10)
        clock.now += PATIENCE
        assert let_fail(client, "x", times=THRESHOLD + 1) == ["BulkheadFull"] * (THRESHOLD + 1)
        assert let_fail(client, "x", method="post") == ["BulkheadFull"]
        told.set()
        assert first.result(10) == {}
        assert len(server.requests) == 1
        assert client.get("x") == {}  # and none of this opened the circuit


# --- 429 -----------------------------------------------------------------------------------


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been slept between two tries."""
    seconds: list[float] = []
    clock = SimpleNamespace(sleep=seconds.append, time=time.time)
    monkeypatch.setattr("urllib3.util.retry.time", clock)
    return seconds


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_429_is_never_slept_through(method: str, slept: list[float]) -> None:
    body = b'{"errors": [{"code": "too_many_requests"}], "clerk_trace_id": "t1"}'
    answer = http(body, "Retry-After: 30", status="429 Too Many Requests")
    with Server(answer) as server, pytest.raises(RateLimited) as caught:
        getattr(make_client(server.url), method.lower())("x")
    assert (caught.value.retry_after, caught.value.trace_id) == (30, "t1")
    assert not caught.value.may_have_happened
    assert len(server.requests) == 1
    assert slept == []


def test_a_503_that_names_a_wait_is_not_slept_through_either(slept: list[float]) -> None:
    answer = http(b"", "Retry-After: 30", status="503 Unavailable")
    with Server(answer, http()) as server:
        assert make_client(server.url).get("x") == {}
    assert len(server.requests) == 2
    assert sum(slept) < 1


# --- Answers that are not Clerk's ----------------------------------------------------------


def test_what_is_not_clerks_answer_is_an_invalid_response(subtests: pytest.Subtests) -> None:
    for answer in [
        http(b"<h1>Welcome</h1>", content_type="text/html"),
        http(b'{"id": 1}', content_type="text/plain"),
        http(b'{"data": [{"id": '),
        http(b""),
        http(b"\xff\xfe{}"),
        http(b"[" * 100_000),
        http(b"1" * 5_000),
        http(b"", "Location: https://evil.test/", status="302 Found"),
        http(b"", status="304 Not Modified"),
        http(b"not gzip", "Content-Encoding: gzip"),
        http(b"<h1>Not found</h1>", status="404 Not Found", content_type="text/html"),
        http(b"{}", status="422 Unprocessable"),
    ]:
        with subtests.test(answer=answer):
            with Server(answer) as server, pytest.raises(InvalidResponse) as caught:
                make_client(server.url).post("x", json={})
            assert caught.value.may_have_happened
            assert len(server.requests) == 1


def test_a_redirect_is_not_followed_and_its_trace_is_kept() -> None:
    with Server() as other:
        answer = http(b"", f"Location: {other.url}/", "cf-ray: ray1", status="307 Temporary")
        with Server(answer) as server, pytest.raises(InvalidResponse) as caught:
            make_client(server.url).get("x")
    assert other.accepted == 0
    assert (caught.value.status, caught.value.trace_id) == (307, "ray1")


def test_an_answer_that_is_cut_off_is_a_broken_connection() -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(http(b'{"data": []', length=500))

    with Server(answer) as server, pytest.raises(ConnectionBroken) as caught:
        make_client(server.url).post("x")
    assert caught.value.may_have_happened


def test_a_chunk_that_is_cut_off_is_a_broken_connection() -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(CHUNKED + b"ff\r\n{}")

    with Server(answer) as server, pytest.raises(ConnectionBroken):
        make_client(server.url).get("x")


def test_garbage_instead_of_http_is_a_broken_connection() -> None:
    with Server(b"SSH-2.0-OpenSSH_9\r\n\r\n") as server, pytest.raises(ConnectionBroken):
        make_client(server.url).post("x")


@pytest.mark.parametrize("packed", [False, True])
def test_fifty_megabytes_are_not_read(packed: bool) -> None:
    sent = 0
    big = b" " * (50 * 1024 * 1024)
    if packed:
        body = gzip.compress(big, 1)
        head = http(b"", "Content-Encoding: gzip", length=len(body))
    else:
        body, head = big, http(b"", length=len(big))

    def answer(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(head)
        for start in range(0, len(body), 65_536):
            connection.sendall(body[start : start + 65_536])
            sent += 65_536

    with Server(answer) as server, pytest.raises(InvalidResponse, match="too large"):
        make_client(server.url).get("x")
    assert packed or sent < 30 * 1024 * 1024


def test_a_large_list_of_invitations_still_fits() -> None:
    body = json.dumps({"data": "x" * (5 * 1024 * 1024)}).encode()
    assert len(body) < MAX_RESPONSE_BYTES
    with Server(http(body)) as server:
        assert len(make_client(server.url).get("x")["data"]) == 5 * 1024 * 1024


@pytest.mark.parametrize("chunked", [False, True])
def test_a_packed_answer_is_unpacked(chunked: bool) -> None:
    body = gzip.compress(b'{"keys": [1]}')
    answer = http(body, "Content-Encoding: gzip")
    if chunked:
        head = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        answer = head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    with Server(answer) as server:
        client = make_client(server.url)
        assert [client.get("jwks"), client.get("jwks")] == [{"keys": [1]}] * 2
    assert server.accepted == 1


def test_the_type_of_an_answer_may_name_a_charset(clerk: responses.RequestsMock) -> None:
    clerk.get(f"{API}/x", body=b"[1]", content_type="Application/JSON; charset=utf-8")
    assert make_client().get("x") == [1]


def test_a_page_of_html_with_an_error_status_keeps_its_status_and_ray(
    clerk: responses.RequestsMock,
) -> None:
    clerk.post(
        f"{API}/x", status=500, body="<h1>", content_type="text/html", headers={"cf-ray": "r"}
    )
    with pytest.raises(ServiceUnavailable) as caught:
        make_client().post("x")
    assert (caught.value.status, caught.value.trace_id, caught.value.code) == (500, "r", "")


def test_a_401_without_a_body_is_still_about_the_key(clerk: responses.RequestsMock) -> None:
    clerk.get(f"{API}/x", status=401, body="", content_type="text/plain")
    with pytest.raises(Unauthorized):
        make_client().get("x")


# --- TLS -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that only its own file vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    import ipaddress

    alternatives = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(alternatives, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "cert.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(pem))
    return file


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_that_nobody_vouches_for_means_that_nothing_was_sent(
    tls: ssl.SSLContext,
) -> None:
    with Server(tls=tls) as server, pytest.raises(ConnectionFailed) as caught:
        make_client(server.url).post("x", json={})
    assert server.requests == []
    assert not caught.value.may_have_happened


def test_a_fault_of_tls_after_a_post_was_sent_does_not_send_it_again(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))

    def noise(connection: socket.socket) -> None:
        with socket.socket(fileno=connection.detach()) as plain:
            plain.sendall(b"this is no TLS record at all")
            hang(plain)

    with Server(noise, tls=tls) as server, pytest.raises(ConnectionBroken) as caught:
        make_client(server.url).post("x", json={})
    assert len(server.requests) == 1
    assert caught.value.may_have_happened


def test_a_fault_of_tls_in_the_middle_of_an_answer_is_a_broken_connection(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))

    def noise(connection: socket.socket) -> None:
        connection.sendall(http(b'{"id": ', length=500))
        with socket.socket(fileno=connection.detach()) as plain:
            plain.sendall(b"this is no TLS record at all")
            hang(plain)

    with Server(noise, tls=tls) as server, pytest.raises(ConnectionBroken) as caught:
        make_client(server.url).post("x", json={})
    assert caught.value.may_have_happened


# --- What session handling asks ------------------------------------------------------------


def test_the_key_set(clerk: responses.RequestsMock) -> None:
    clerk.get(f"{API}/jwks", json={"keys": [{"kid": "ins_1"}]})
    assert make_client().get_jwks() == {"keys": [{"kid": "ins_1"}]}


def test_a_key_set_that_is_none(clerk: responses.RequestsMock) -> None:
    clerk.get(f"{API}/jwks", json=[])
    with pytest.raises(InvalidResponse):
        make_client().get_jwks()


@pytest.mark.parametrize(("suffixed", "sent"), [(True, "true"), (False, "false")])
def test_refreshing_a_session(clerk: responses.RequestsMock, suffixed: bool, sent: str) -> None:
    body = {"format": "cookie", "expired_token": "old", "refresh_token": "r"}
    clerk.post(
        f"{API}/sessions/sess_1/refresh",
        json={"object": "cookies", "cookies": ["__session=new; Path=/"]},
        match=[
            matchers.query_param_matcher({"suffixed_cookies": sent}),
            matchers.json_params_matcher(body),
        ],
    )
    cookies = make_client().refresh_session("sess_1", body, suffixed_cookies=suffixed)
    assert cookies == ["__session=new; Path=/"]


def test_the_payload_of_a_handshake(clerk: responses.RequestsMock) -> None:
    clerk.get(
        f"{API}/clients/handshake_payload",
        json={"directives": ["a=1", "b=2"]},
        match=[matchers.query_param_matcher({"nonce": "n&1"})],
    )
    assert make_client().get_handshake_payload("n&1") == ["a=1", "b=2"]


@pytest.mark.parametrize("body", [{}, [], None, {"directives": None}, {"directives": ["a", 1]}])
def test_a_payload_that_is_none(clerk: responses.RequestsMock, body: Any) -> None:
    clerk.get(f"{API}/clients/handshake_payload", json=body)
    with pytest.raises(InvalidResponse):
        make_client().get_handshake_payload("n")


def test_the_session_can_be_replaced_by_a_site(clerk: responses.RequestsMock) -> None:
    class Traced(ClerkClient):
        def create_session(self) -> requests.Session:
            session = super().create_session()
            session.headers["X-Trace"] = "1"
            return session

    clerk.get(f"{API}/x", json={})
    Traced(SECRET).get("x")
    assert clerk.calls[0].request.headers["X-Trace"] == "1"
    assert clerk.calls[0].request.headers["Clerk-API-Version"] == "2026-05-12"


@pytest.mark.parametrize("url", ["https://api.clerk.com/", "https://api.clerk.com"])
def test_a_slash_after_the_address_of_the_api_does_no_harm(
    url: str, clerk: responses.RequestsMock
) -> None:
    clerk.get(f"{API}/jwks", json={})
    make_client(url).get("jwks")
