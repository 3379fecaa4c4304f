"""The trial of a live instance, with a second emulator in the place of Clerk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from org_invitations.emulator import PRODUCTION_SECRET_KEY, SECRET_KEY, EmulatorServer
from org_invitations.emulator.unknowns import OPEN_QUESTIONS
from tools.live.__main__ import main
from tools.live.probes import PROBES
from tools.live.trial import MAX_CALLS, MAX_INVITATIONS


@pytest.fixture
def clerk() -> Iterator[EmulatorServer]:
    """What stands in the place of Clerk."""
    with EmulatorServer() as server:
        yield server


@pytest.fixture
def environment(clerk: EmulatorServer, tmp_path: Path) -> dict[str, str]:
    return {
        "CLERK_LIVE_SECRET_KEY": SECRET_KEY,
        "CLERK_LIVE_API_URL": clerk.url,
        "LIVE_REPORT": str(tmp_path / "live.md"),
    }


def rows_of(environment: dict[str, str]) -> dict[str, list[str]]:
    """The table of the report, by what was tried."""
    rows = {}
    for line in Path(environment["LIVE_REPORT"]).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0] in ("same", "**differs**"):
            rows[cells[1]] = cells
    return rows


def test_an_instance_that_is_as_the_emulator_differs_in_nothing(
    environment: dict[str, str], clerk: EmulatorServer, capsys: Any
) -> None:
    before = snapshot(clerk)
    assert main(environment, pause=0) == 0
    rows = rows_of(environment)
    assert set(rows) == {probe.name for probe in PROBES}
    assert {row[0] for row in rows.values()} == {"same"}
    assert not any("broke" in cell for row in rows.values() for cell in row)
    # It cleans up after itself, sends no mail, and stays well inside of the limits.
    assert snapshot(clerk) == before
    calls = clerk.emulator.requests
    assert len(calls) <= MAX_CALLS
    assert sum(len(call.made) for call in calls) <= MAX_INVITATIONS
    printed = capsys.readouterr().out
    assert SECRET_KEY not in printed
    for row in clerk.emulator.state.invitations.values():
        assert row.ticket not in printed
        assert row.email_address not in printed


def snapshot(clerk: EmulatorServer) -> tuple[set[str], set[str], int]:
    state = clerk.emulator.state
    return set(state.users), set(state.organizations), len(state.mails)


OTHER: dict[str, tuple[dict[str, Any], str]] = {
    "a second invitation of an address": (
        {"single_duplicate_code": "duplicate_record"},
        "duplicate_record",
    ),
    "ten of which one is invited already": ({"bulk_atomic": False}, "was made"),
    "a malformed address among several": ({"bulk_format_meta": "param_name"}, "meta: param_name"),
    "a member": ({"member_error_names": "user_id"}, "and the id"),
    "a role that there is not": ({"role_error": "form_param_value_invalid"}, "422"),
    "an inviter who may not, and a stranger": (
        {"inviter_error": "not_an_admin_in_organization"},
        "not_an_admin_in_organization",
    ),
    "the metadata mark": ({"private_metadata_told": False}, "never"),
    "the ticket": ({"ticket_verifiable": True}, "; verified"),
    "the link of somebody new, opened as a scanner does": (
        {"redirect_query_lost": ["sign_up"]},
        "query lost",
    ),
    "the link of somebody with an account, opened as a scanner does": (
        {"ticket_accepts": "link"},
        "accepted afterwards",
    ),
    "signing in with the ticket, and the session token of a handshake": (
        {"handshake_azp": False, "ticket_activates_organization": False},
        "without azp, organization not active",
    ),
}


def test_what_an_instance_does_otherwise_is_reported_and_settled(
    environment: dict[str, str], clerk: EmulatorServer
) -> None:
    for changes, _ in OTHER.values():
        clerk.emulator.configure(**changes)
    assert main(environment, pause=0) == 0
    rows = rows_of(environment)
    different = {name for name, row in rows.items() if row[0] != "same"}
    assert different >= set(OTHER)
    for name, (_, words) in OTHER.items():
        assert words in rows[name][2], rows[name]
        assert words not in rows[name][3], rows[name]
    settled = Path(environment["LIVE_REPORT"]).read_text()
    assert "`bulk_atomic`" in settled
    assert "`handshake_azp`" in settled


def test_what_it_settles_is_what_is_open() -> None:
    questions = {question for question, _, _ in OPEN_QUESTIONS}
    for probe in PROBES:
        assert set(probe.settles) <= questions, probe.name


def test_without_a_key_it_says_what_it_would_do(capsys: Any, tmp_path: Path) -> None:
    assert main({"LIVE_REPORT": str(tmp_path / "live.md")}) == 0
    printed = capsys.readouterr().out
    for probe in PROBES:
        assert probe.name in printed
    assert not (tmp_path / "live.md").exists()


def test_real_people_are_never_touched(
    environment: dict[str, str], clerk: EmulatorServer, capsys: Any
) -> None:
    for key in (PRODUCTION_SECRET_KEY, "pk_test_x"):
        assert main(environment | {"CLERK_LIVE_SECRET_KEY": key}) == 2
        assert key not in capsys.readouterr().out
    assert clerk.emulator.requests == []


def test_what_was_made_is_deleted_where_it_goes_no_further(
    environment: dict[str, str], clerk: EmulatorServer, capsys: Any
) -> None:
    before = snapshot(clerk)
    clerk.emulator.fault("POST", "/v1/organizations", status=403)
    assert main(environment, pause=0) == 2
    assert "did not make an organization: 403" in capsys.readouterr().out
    assert snapshot(clerk) == before
    clerk.emulator.fault("POST", "*/invitations*", times=None, drop="before")
    assert main(environment, pause=0) == 0
    assert "broke: ConnectionError" in capsys.readouterr().out
    assert snapshot(clerk) == before


def test_an_instance_that_is_not_there_is_said(environment: dict[str, str], capsys: Any) -> None:
    assert main(environment | {"CLERK_LIVE_API_URL": "http://localhost:9"}, pause=0) == 2
    assert "could not be reached" in capsys.readouterr().out
