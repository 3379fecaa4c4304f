"""The secret key, tokens and the links of invitations are told to nobody but Clerk.

Not in a log line at any level and of any library, not in an exception, and not in the variables
of its traceback, which error reporters print.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from org_invitations.clerk import (
    ClerkClient,
    ClerkError,
    Invitation,
    InvitationRequest,
    OrganizationAPI,
)
from org_invitations.clients import get_client
from org_invitations.emulator import SECRET_KEY, Emulator, EmulatorServer
from org_invitations.services import InvitationQuery, InvitationService, OutcomeUnknown
from tests.clerk.test_client import CHUNKED, Server, drop, http, unused_port

# Globals on purpose: what is tested are the variables of frames, and ours must not hold them.
KEY = "sk_test_N0b0dyMayS33This"
TICKET = "tick3t0fAnInvitati0n"
NONCE = "n0nce0fAHandshake"
WHOM = "whom@invited.test"
TICKETS = "ticket_"  # how those of the emulator begin
LINK = f"https://clerk.test/v1/tickets/accept?ticket={TICKET}".encode()
ROW = b'{"id": "orginv_1", "status": "pending", "url": "' + LINK + b'"}'
NO_ID = b'{"id": null, "status": "pending", "url": "' + LINK + b'"}'


def told(error: BaseException) -> str:
    """All that a reporter could print of an exception: text, chain, and every variable."""
    whole = "".join(
        traceback.TracebackException.from_exception(error, capture_locals=True).format()
    )
    return f"{whole}\n{error!r}\n{error}\n{error.args!r}\n{vars(error)!r}"


class Everything(logging.Handler):
    """Keeps every record, whoever logs it."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = logging.Formatter("%(levelname)s %(name)s %(message)s").format(record)
        self.lines.append(f"{text} {record.args!r}")


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "requests", "org_invitations", "django"):
        caplog.set_level(logging.DEBUG, logger=name)
    handler = Everything()

    def keep(record: logging.LogRecord) -> bool:
        handler.emit(record)
        return True

    caplog.handler.addFilter(keep)
    return handler.lines


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


ANSWERS: dict[str, Any] = {
    "refused": http(b'{"errors": [{"code": "x", "long_message": "%b"}]}' % LINK, status="403 No"),
    "not found": http(b'{"errors": [{"code": "resource_not_found"}]}', status="404 No"),
    "bad key": http(b'{"errors": [{"code": "clerk_key_invalid"}]}', status="401 No"),
    "a fault": http(b"{}", status="500 Fault"),
    "a gateway's fault": http(ROW, status="502 Fault"),
    "the limit": http(b"{}", "Retry-After: 5", status="429 No"),
    "a redirect": http(b"", f"Location: https://x.test/?t={TICKET}", status="302 Go"),
    "html": http(b"<a href='" + LINK + b"'>", content_type="text/html"),
    "half of it": http(ROW[:-2]),
    "cut off": http(ROW[:-2], "Connection: close", length=len(ROW)),
    "a chunk that never ends": CHUNKED + b"fff\r\n" + ROW,
    "no id": http(NO_ID),
    "a list with a row without an id": http(b'{"data": [' + ROW + b", " + NO_ID + b"]}"),
    "a list with a row that is none": http(b'{"data": [' + ROW + b", 5]}"),
    "too large": http(ROW + b" " * (9 * 1024 * 1024)),
    "not packed": http(ROW, "Content-Encoding: gzip"),
    "no http": b"SSH-2.0-OpenSSH_9\r\n\r\n",
    "dropped": drop,
}

CALLS: dict[str, Callable[[ClerkClient], Any]] = {
    "list": lambda client: OrganizationAPI(client, "org_1").get_invitations(),
    "create": lambda client: OrganizationAPI(client, "org_1").invite_member(
        InvitationRequest(WHOM, "org:member", "user_1")
    ),
    "find": lambda client: OrganizationAPI(client, "org_1").get_invitations(email_address=WHOM),
    "revoke": lambda client: OrganizationAPI(client, "org_1").revoke(
        "orginv_1", requesting_user_id="user_1"
    ),
}


@pytest.mark.usefixtures("no_proxy", "no_pause")
def test_no_failure_tells_a_secret(subtests: pytest.Subtests, logged: list[str]) -> None:
    for call, answer in product(CALLS, ANSWERS):
        with subtests.test(call=call, answer=answer):
            logged.clear()
            failed = ""
            with Server(ANSWERS[answer]) as server:
                client = ClerkClient(KEY, api_url=server.url, connect_timeout=0.1, read_timeout=0.1)
                try:
                    CALLS[call](client)
                except ClerkError as error:
                    failed = told(error)
            lines = "\n".join(logged)
            assert "/v1/" in lines  # something was logged at all
            for text in (failed, lines):
                assert KEY not in text
                assert "N0b0dy" not in text
                assert TICKET not in text
            assert WHOM not in lines


@pytest.mark.usefixtures("no_proxy", "no_pause")
@pytest.mark.parametrize("call", CALLS)
def test_no_failure_to_connect_tells_a_secret(call: str, logged: list[str]) -> None:
    client = ClerkClient(KEY, api_url=f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(ClerkError) as caught:
        CALLS[call](client)
    lines = "\n".join(logged)
    assert "urllib3" in lines  # it warns of every new try, with the URL
    assert KEY not in told(caught.value)
    assert KEY not in lines
    assert WHOM not in lines


@pytest.mark.parametrize("key", [f"{KEY}\r\nX: 1", f"{KEY}\N{BULLET}"])
def test_a_key_that_fits_no_header_is_not_told_either(key: str, logged: list[str]) -> None:
    with Server() as server:
        client = ClerkClient(key, api_url=server.url)
        del key
        with pytest.raises(ClerkError) as caught:
            client.get("jwks")
    assert server.requests == []
    assert KEY not in told(caught.value)
    assert KEY not in "\n".join(logged)


@pytest.mark.usefixtures("no_proxy", "no_pause")
@pytest.mark.parametrize("answer", ["bad key", "dropped", "a gateway's fault", "html"])
def test_the_nonce_of_a_handshake_is_in_no_log_line_and_no_text(
    answer: str, logged: list[str]
) -> None:
    with Server(ANSWERS[answer]) as server, pytest.raises(ClerkError) as caught:
        ClerkClient(KEY, api_url=server.url).get_handshake_payload(NONCE)
    assert b"nonce=" + NONCE.encode() in server.requests[0]
    assert "handshake_payload?nonce=***" in "\n".join(logged)  # urllib3 would have told it
    assert NONCE not in "\n".join(logged)
    assert NONCE not in f"{caught.value} {caught.value!r}"


def test_other_peoples_log_lines_are_left_alone(logged: list[str]) -> None:
    ClerkClient(KEY)
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).debug("GET %s %s", "/v1/x?limit=5&q=nonce", 200)
        logging.getLogger(name).debug("no arguments")
        logging.getLogger(name).debug("a mapping %(a)s", {"a": "b"})
    assert sum("/v1/x?limit=5&q=nonce 200" in line for line in logged) == 2
    assert sum("no arguments" in line for line in logged) == 2


def test_the_filter_is_attached_only_once() -> None:
    for _ in range(3):
        ClerkClient(KEY)
    assert len(logging.getLogger("urllib3.connectionpool").filters) == 1


def test_no_repr_tells_the_key(settings: Any) -> None:
    settings.CLERK_SECRET_KEY = KEY
    client = get_client()
    service = InvitationService(client, organization_id="org_1", user_id="user_1")
    things = [client, client._auth, client._http, service, service.api, service.reader]
    things.append(service.cache)
    for thing in things:
        assert KEY not in repr(thing)
    assert "https://" in repr(client)
    # The name of the attribute is mangled, so that a reporter's list of them is no help either.
    assert KEY not in repr(list(vars(client).values()))


def test_the_link_of_an_invitation_is_in_no_repr(clerk_emulator: Emulator) -> None:
    service = _service(clerk_emulator)
    snapshot = service.open(query=InvitationQuery())
    assert snapshot.page is not None
    links = [invitation.url for invitation in snapshot.page.invitations]
    assert all("ticket=" in link for link in links)  # they are there for who asks
    assert "ticket" not in repr(snapshot)
    assert isinstance(snapshot.page.invitations[0], Invitation)


def _service(emulator: Emulator) -> InvitationService:
    return InvitationService(
        get_client(),
        organization_id=emulator.organization("acme").id,
        user_id=emulator.user("ada@acme.test").id,
    )


@pytest.mark.usefixtures("no_proxy")
def test_a_whole_day_of_use_logs_no_secret(
    clerk_emulator_server: EmulatorServer, logged: list[str]
) -> None:
    emulator = clerk_emulator_server.emulator
    service = _service(emulator)
    service.open(query=InvitationQuery())
    service.revoke(service.invite_member(WHOM, "org:member").id)
    emulator.fault("POST", "*/invitations", drop="after")
    assert service.invite_member(WHOM, "org:member")  # settled by asking for the address
    emulator.fault("POST", "*/invitations", drop="after")
    emulator.fault("GET", "*/invitations", status=500)
    with pytest.raises(OutcomeUnknown) as caught:
        service.invite_member("second@invited.test", "org:member")
    lines = "\n".join(logged)
    assert "org_invitations.clerk" in lines
    assert "email_address=***" in lines
    assert TICKETS not in lines
    assert SECRET_KEY not in lines
    assert WHOM not in lines
    assert WHOM.replace("@", "%40") not in lines
    assert SECRET_KEY not in told(caught.value)
    assert TICKETS not in told(caught.value)


@pytest.mark.usefixtures("no_proxy")
def test_what_is_logged_says_what_was_asked_and_how_it_ended(logged: list[str]) -> None:
    with Server(http(b'{"keys": []}'), ANSWERS["not found"], ANSWERS["bad key"], drop) as server:
        client = ClerkClient(KEY, api_url=server.url)
        client.get_jwks()
        for _ in range(3):
            with pytest.raises(ClerkError):
                client.post("x")
    mine = [line for line in logged if " org_invitations.clerk " in line]
    assert [line.partition(" ")[0] for line in mine] == ["DEBUG", "INFO", "WARNING", "WARNING"]
    assert "GET /v1/jwks: 200 in" in mine[0]
    assert "POST /v1/x: NotFound (NotFound, status 404, code resource_not_found) in" in mine[1]
