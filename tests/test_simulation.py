"""What sending in the background promises, in hours that take seconds."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

import pytest

from org_invitations.emulator import Emulator

from .sending_simulation import Figures, Simulation, get_sizes

WORKERS = 3

#: Set by ``benchmarks.sending``, which runs the whole.
SEED = os.environ.get("SENDING_SEED", "")
RESERVED = int(os.environ.get("SENDING_RESERVED", "10"))
ORGANIZATIONS = int(os.environ.get("SENDING_ORGANIZATIONS", "300"))
ADDRESSES = int(os.environ.get("SENDING_ADDRESSES", "10000"))
TROUBLE = float(os.environ.get("SENDING_TROUBLE", "1"))
HOURS = float(os.environ.get("SENDING_HOURS", "8"))


def simulate(emulator: Emulator, settings: Any, patch: pytest.MonkeyPatch, **order: Any) -> Figures:
    settings.ORG_INVITATIONS_BACKGROUND = True
    figures = Simulation(emulator, patch, **order).run()
    print(*(f"{name}: {value}" for name, value in asdict(figures).items()), sep="\n")  # noqa: T201
    assert (figures.doubled, figures.lost) == (0, 0)
    # Each worker may have a call under way when the first is refused.
    assert figures.refused_calls <= WORKERS
    return figures


@pytest.mark.exhaustive
@pytest.mark.django_db(transaction=True)
def test_nothing_is_doubled_or_lost_whoever_is_killed_or_stopped(
    clerk_emulator: Emulator, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = get_sizes(1, 15, 450)
    often = {"kill": 0.01, "stop": 0.001, "fault": 0.05}
    figures = simulate(
        clerk_emulator, settings, monkeypatch, seed=1, sizes=sizes, hours=0.5, **often
    )
    assert figures.kills
    assert figures.stops


@pytest.mark.django_db(transaction=True)
def test_no_small_one_waits_for_long_while_there_are_workers(
    clerk_emulator: Emulator, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [300, *[5] * 6]
    never = {"kill": 0.0, "stop": 0.0, "fault": 0.0}
    figures = simulate(
        clerk_emulator, settings, monkeypatch, seed=1, sizes=sizes, hours=0.3, **never
    )
    assert 0 < figures.longest_wait_of_small <= 120


@pytest.mark.skipif(not SEED, reason="python -m benchmarks.sending runs it, for minutes")
@pytest.mark.django_db(transaction=True)
def test_ten_thousand_of_three_hundred_organizations(
    clerk_emulator: Emulator, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ORG_INVITATIONS_RESERVED_PERCENT = RESERVED
    figures = simulate(
        clerk_emulator,
        settings,
        monkeypatch,
        seed=int(SEED),
        sizes=get_sizes(int(SEED), ORGANIZATIONS, ADDRESSES),
        hours=HOURS,
        is_spent=True,
        kill=0.002 * TROUBLE,
        stop=0.0005 * TROUBLE,
        fault=0.01 * TROUBLE,
        per_hour=750 if RESERVED == 0 else 675,
    )
    assert figures.share >= 0.99
    assert figures.longest_wait_of_small <= 120
    assert figures.eta_error <= 0.2
