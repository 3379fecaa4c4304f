"""One HTTP call to Clerk's Backend API, done right. The only importer of ``requests``.

Every request carries the secret key, the version header and both time-outs. A GET is tried
again, briefly and with jitter, after a connection error or 502, 503, 504. Anything else is sent
once: Clerk has no idempotency key. A 429 is never waited for here, it becomes an exception
with the seconds. Redirects are not followed, cookies are not kept, and an answer that is not
Clerk's becomes an exception as well. No call goes on beyond the deadline that holds, and none is
sent for which too little time is left (:mod:`org_invitations.clerk.deadline`). While Clerk hangs,
calls fail at once: :mod:`org_invitations.clerk.breaker`, :mod:`org_invitations.clerk.bulkhead`.
"""

from __future__ import annotations

import logging
import re
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry
from urllib3.util.timeout import Timeout as TimeoutOfCall

from .. import __version__
from .breaker import Attempt, Breaker
from .bulkhead import Bulkhead
from .deadline import get_deadline
from .errors import error_from_response
from .exceptions import (
    BulkheadFull,
    CircuitOpen,
    ClerkError,
    ConnectionBroken,
    ConnectionFailed,
    DeadlineExceeded,
    InvalidIdentifier,
    InvalidResponse,
    Timeout,
)
from .text import decode_json

logger = logging.getLogger("org_invitations.clerk")

#: The version this client was written against. Clerk does not document what a request without
#: the header gets, so it is always sent.
API_VERSION: Final = "2026-05-12"

#: 500 invitations with 8 KB of public and of private metadata each are 8.5 MB; nothing this app
#: asks for is larger.
MAX_RESPONSE_BYTES: Final = 16 * 1024 * 1024

#: Connections kept open: as many as the threads of a busy process use at once.
POOL_SIZE: Final = 50

_RETRIED_STATUSES: Final = (502, 503, 504)
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_:\-]{0,254}")
_CHUNK_BYTES: Final = 65_536

#: Between two tries of a GET (seconds).
_LONGEST_PAUSE: Final = 1

#: The queries that are nobody's business: a handshake's nonce, and whom somebody invites.
_PRIVATE_QUERY: Final = re.compile(r"([?&](?:nonce|email_address)=)[^&\s]*")
_URLLIB3_LOGGERS: Final = ("urllib3.connectionpool", "urllib3.util.retry")

#: What requests raises before it has opened any connection.
_NEVER_SENT: Final = (
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
)


class ClerkClient:
    """The Backend API of one Clerk instance. Safe to share between threads.

    The pool is urllib3's, which is made for threads; what is not safe about a
    ``requests.Session`` is its cookie jar, and that is closed here.
    """

    def __init__(
        self,
        secret_key: str,
        *,
        api_url: str = "https://api.clerk.com",
        connect_timeout: float = 2.0,
        read_timeout: float = 6.0,
        bulkhead: Bulkhead | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        """Build a client.

        :param secret_key: ``sk_test_…`` or ``sk_live_…``.
        :param api_url: the Backend API without ``/v1``.
        :param connect_timeout: seconds to connect.
        :param read_timeout: seconds for each wait for data, and for the answer as a whole.
        :param bulkhead: the places of the process to wait in; without one any number may wait.
        :param breaker: one of its own unless given.
        """
        self.api_url = api_url.rstrip("/")
        self.connect_timeout = connect_timeout
        self.read_timeout = read_timeout
        self.bulkhead = bulkhead
        self.breaker = breaker or Breaker()
        self._auth = _BearerAuth(secret_key)
        self._http = self.create_session()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.api_url}>"

    def create_session(self) -> requests.Session:
        """Return the ``requests.Session`` to use: the hook for proxies, certificates, tracing."""
        for name in _URLLIB3_LOGGERS:
            logging.getLogger(name).addFilter(_hide_private_queries)  # the same one only once
        session = requests.Session()
        session.headers.update(
            {
                "Accept": "application/json",
                "Clerk-API-Version": API_VERSION,
                "User-Agent": f"django-org-invitations/{__version__}",
            }
        )
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(
            pool_connections=4,
            pool_maxsize=POOL_SIZE,
            max_retries=_retry_policy(self.connect_timeout + self.read_timeout),
        )
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def get(self, *path: str, params: Mapping[str, Any] | None = None) -> Any:
        """GET ``/v1/<path…>`` and return the decoded JSON.

        :param path: the segments of the path; each is validated and quoted.
        :param params: the query; None values are left out, sequences are repeated.
        :raises ClerkError: whatever went wrong.
        """
        return self._request("GET", path, params=params)

    def post(self, *path: str, json: Any = None, params: Mapping[str, Any] | None = None) -> Any:
        """POST ``json`` to ``/v1/<path…>``, once, and return the decoded JSON.

        Under a deadline it is not sent where it could not have half of its time-out: it would only
        be cut off, and nobody would know what became of it.

        :raises ClerkError: whatever went wrong; ``may_have_happened`` tells whether Clerk may
            have carried it out all the same.
        """
        return self._request("POST", path, params=params, json=json, is_write=True)

    # --- Time ---------------------------------------------------------------------------

    def has_time(self, writes: int = 1, *, after: float = 0.0) -> bool:
        """Whether the deadline that holds leaves time enough for so many writes in a row.

        Each with its full time-out, and after the last one some to find out what became of it.

        :param after: seconds to be spent before.
        """
        deadline = get_deadline()
        needed = after + writes * self._get_full_timeout(is_write=True) + deadline.reserve
        return deadline.left() >= needed

    def require_time(self, writes: int = 1) -> None:
        """Raise unless :meth:`has_time`.

        :raises DeadlineExceeded: there is too little.
        """
        if not self.has_time(writes):
            raise DeadlineExceeded("too little time is left")

    def _get_full_timeout(self, *, is_write: bool) -> float:
        """Return the seconds that a call may take, where the time does not run out."""
        seconds = self.connect_timeout + self.read_timeout
        return min(seconds, get_deadline().longest_write) if is_write else seconds

    def _get_timeout(self, *, is_write: bool) -> float:
        """Return the seconds that a call may take now.

        :raises DeadlineExceeded: too few are left to send it at all.
        """
        deadline = get_deadline()
        full, left = self._get_full_timeout(is_write=is_write), deadline.left()
        if is_write:
            left -= deadline.reserve
        if left <= (full / 2 if is_write else 0):
            raise DeadlineExceeded("too little time is left")
        return min(full, left)

    # --- What session handling asks of the Backend API ----------------------------------

    def get_jwks(self) -> dict[str, Any]:
        """Return the instance's JSON Web Key Set (``GET /v1/jwks``, not rate-limited)."""
        body = self.get("jwks")
        if not isinstance(body, dict):
            raise InvalidResponse("no key set in the answer")
        return body

    def refresh_session(
        self, session_id: str, body: Mapping[str, Any], *, suffixed_cookies: bool
    ) -> list[str]:
        """Trade a refresh token for cookies (``POST /v1/sessions/{id}/refresh``).

        :returns: the ``Set-Cookie`` strings to pass on.
        """
        answer = self._request(
            "POST",
            ("sessions", session_id, "refresh"),
            json=dict(body),
            params={"suffixed_cookies": "true" if suffixed_cookies else "false"},
        )
        return _strings(answer, "cookies")

    def get_handshake_payload(self, nonce: str) -> list[str]:
        """Return the ``Set-Cookie`` strings of a handshake.

        ``GET /v1/clients/handshake_payload`` is what Clerk's own SDK calls; the OpenAPI
        description lists the path without a description.
        """
        return _strings(
            self.get("clients", "handshake_payload", params={"nonce": nonce}), "directives"
        )

    # --- One call -----------------------------------------------------------------------

    def _request(
        self,
        method: str,
        path: Sequence[str],
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        is_write: bool = False,
    ) -> Any:
        route = "/".join(quote_segment(segment) for segment in path)
        query = (params or {}).items()
        started = time.monotonic()
        concerned = path[1] if path[0] == "organizations" and len(path) > 1 else ""
        try:
            with self._let_through("write" if is_write else "read", concerned) as attempt:
                timeout = self._get_timeout(is_write=is_write)
                with self._learning(attempt, timeout):
                    status, body = self._send(
                        method,
                        f"{self.api_url}/v1/{route}",
                        params={name: value for name, value in query if value is not None},
                        json=json,
                        timeout=timeout,
                    )
        except ClerkError as error:
            _log(error, method, route, started)
            # The frames below hold the bodies of request and answer, with whatever secrets
            # and links are in them; error reporters print variables.
            raise error.with_traceback(None) from None
        logger.debug("%s /v1/%s: %s in %d ms", method, route, status, _since(started))
        return body

    @contextmanager
    def _let_through(self, kind: str, concerned: str) -> Iterator[Attempt]:
        """Let a call through if Clerk is likely to answer it, and there is a place to wait in.

        :raises CircuitOpen: it is not likely.
        :raises BulkheadFull: there is none.
        """
        place = self.bulkhead.place() if self.bulkhead is not None else nullcontext()
        with self.breaker.attempt(kind, concerned) as attempt, place:
            yield attempt

    @contextmanager
    def _learning(self, attempt: Attempt, timeout: float) -> Iterator[None]:
        """Note what a call tells about the way to Clerk; one that was cut short tells nothing."""
        try:
            yield
        except ConnectionFailed:
            attempt.failed(is_general=True)
            raise
        except Timeout:
            if timeout >= self.connect_timeout + self.read_timeout:
                attempt.failed(is_general=False)
            raise
        except ConnectionBroken:
            raise
        except ClerkError:
            self._note_answer(attempt)  # whatever it was
            raise
        self._note_answer(attempt)

    def _note_answer(self, attempt: Attempt) -> None:
        attempt.answered()
        if self.bulkhead is not None:
            self.bulkhead.note_answer()

    def _send(
        self, method: str, url: str, *, params: Mapping[str, Any], json: Any, timeout: float
    ) -> tuple[int, Any]:
        until = time.monotonic() + timeout
        # Here "from None" is a rule, not a habit: the frames of requests and urllib3 hold the
        # Authorization header in their variables, and error reporters print those.
        try:
            response = self._http.request(
                method,
                url,
                params=params,
                json=json,
                auth=self._auth,
                timeout=TimeoutOfCall(  # type: ignore[arg-type]  # requests takes urllib3's, too
                    total=timeout,
                    connect=min(self.connect_timeout, timeout),
                    read=min(self.read_timeout, timeout),
                ),
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as error:
            raise _transport_error(error) from None
        except ValueError:  # http.client refuses a header, and its text quotes the key
            raise ConnectionFailed("the request could not be built") from None
        try:
            with response:
                return response.status_code, self._read(response, until)
        except (requests.RequestException, HTTPError) as error:
            raise _transport_error(error) from None

    def _read(self, response: requests.Response, until: float) -> Any:
        status = response.status_code
        if 300 <= status < 400:
            raise InvalidResponse("a redirect", status=status, trace_id=_ray(response))
        content = _content(response, until)
        is_json = response.headers.get("Content-Type", "").partition(";")[0].strip().lower() == (
            "application/json"
        )
        body: Any = None
        if is_json:
            try:
                body = decode_json(content)
            except (ValueError, RecursionError):
                if status < 400:
                    raise InvalidResponse("not the JSON it claims to be", status=status) from None
        elif status < 400:
            raise InvalidResponse("not JSON", status=status)
        if status >= 400:
            raise error_from_response(
                status,
                body,
                retry_after=response.headers.get("Retry-After"),
                date=response.headers.get("Date"),
                ray=_ray(response),
            )
        return body


class _BearerAuth(AuthBase):
    """Sets the header. An ``auth`` object also keeps a ``.netrc`` entry from replacing the key."""

    def __init__(self, secret_key: str) -> None:
        self.__secret_key = secret_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.__secret_key}"
        return request

    def __repr__(self) -> str:
        return "<the secret key>"


class _Retry(Retry):
    """urllib3's policy, less three things.

    A GET that ran into the read time-out is not repeated: who waited six seconds for a page
    should not wait eighteen. A fault of TLS repeats no POST: urllib3 counts it as "other" and
    would send again, but it may also strike when the request is already with Clerk. And nothing
    is repeated that might go on beyond the deadline.
    """

    #: What a call may take, with the pause before it.
    seconds: float = 0.0

    def new(self, **kw: Any) -> Self:
        policy = super().new(**kw)
        policy.seconds = self.seconds
        return policy

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        if isinstance(error, ReadTimeoutError) or (isinstance(error, SSLError) and method != "GET"):
            raise error
        if get_deadline().left() < self.seconds and _pool is not None:
            raise MaxRetryError(_pool, url or "", error)
        return super().increment(method, url, response, error, _pool, _stacktrace)


def _retry_policy(seconds: float) -> Retry:
    policy = _Retry(
        total=2,
        status_forcelist=_RETRIED_STATUSES,
        allowed_methods=("GET",),
        backoff_factor=0.1,
        backoff_jitter=0.1,
        backoff_max=_LONGEST_PAUSE,
        # With it, urllib3 would sleep through a 429 for as long as the header says.
        respect_retry_after_header=False,
        raise_on_status=False,
    )
    policy.seconds = seconds + _LONGEST_PAUSE
    return policy


def quote_segment(segment: str) -> str:
    """Return one path segment, validated and quoted.

    :raises InvalidIdentifier: where it cannot be an id, a slug or a key of Clerk's.
    """
    if not isinstance(segment, str) or not _IDENTIFIER.fullmatch(segment):
        raise InvalidIdentifier("not an identifier")
    return quote(segment, safe="")


def _content(response: requests.Response, until: float) -> bytes:
    """Read the body, no larger than :data:`MAX_RESPONSE_BYTES` and no longer than ``until``."""
    content = bytearray()
    # Not iter_content: it waits until a whole piece is there, and no clock is seen meanwhile.
    while chunk := _next_chunk(response, until):
        content += chunk
        if len(content) > MAX_RESPONSE_BYTES:
            raise InvalidResponse("too large", status=response.status_code)
        if time.monotonic() > until:
            raise Timeout("the answer trickled in for too long")
    return bytes(content)


def _next_chunk(response: requests.Response, until: float) -> bytes:
    """Return what comes next of the body, and wait for it no longer than ``until``."""
    connection = getattr(response.raw, "connection", None)
    sock = getattr(connection, "sock", None)  # none any more once all of it is here
    if sock is not None:
        sock.settimeout(max(until - time.monotonic(), 0.001))
    chunk: bytes = response.raw.read1(_CHUNK_BYTES, decode_content=True)
    return chunk


def _transport_error(error: Exception) -> ClerkError:
    """Say whether the request can have arrived, from what requests and urllib3 report."""
    name = type(error).__name__
    if isinstance(error, (requests.ConnectTimeout, *_NEVER_SENT)):
        return ConnectionFailed(name)
    if isinstance(error, requests.Timeout):
        return Timeout(name)
    reason: Any = error
    if isinstance(error, requests.RequestException):
        inner = error.args[0] if error.args else None
        reason = getattr(inner, "reason", inner)
    if isinstance(reason, ReadTimeoutError):
        return Timeout(type(reason).__name__)
    if isinstance(reason, DecodeError):
        return InvalidResponse(name)
    if _is_before_sending(reason):
        return ConnectionFailed(type(reason).__name__)
    return ConnectionBroken(name)


def _is_before_sending(reason: Any) -> bool:
    if isinstance(reason, SSLError):
        # Other faults of TLS may strike at any time; a bad certificate ends the handshake.
        return bool(reason.args) and isinstance(reason.args[0], ssl.SSLCertVerificationError)
    return isinstance(reason, (NewConnectionError, ConnectTimeoutError, ProxyError))


def _ray(response: requests.Response) -> str:
    """Return Cloudflare's id of the request: the trace id where the body has none."""
    return response.headers.get("cf-ray") or ""


def _hide_private_queries(record: logging.LogRecord) -> bool:
    """Black out, in urllib3's own log lines, what our queries hold."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            _PRIVATE_QUERY.sub(r"\1***", arg) if isinstance(arg, str) else arg
            for arg in record.args
        )
    return True


def _strings(answer: Any, key: str) -> list[str]:
    values = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InvalidResponse(f"no {key} in the answer")
    return values


def _log(error: ClerkError, method: str, route: str, started: float) -> None:
    # A refusal is Clerk's everyday answer; what stops the site is worth a warning.
    level = logging.INFO if error.status and error.status < 500 else logging.WARNING
    if isinstance(error, (BulkheadFull, CircuitOpen)):
        level = logging.INFO  # why was worth a warning, and there may be very many of these
    if error.status in (401, 403, 429):
        level = logging.WARNING
    kind = type(error).__name__
    logger.log(level, "%s /v1/%s: %s (%s) in %d ms", method, route, kind, error, _since(started))


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
