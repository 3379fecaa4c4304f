"""The same calls to a development instance and to the emulator, and what differs.

Everything is made in an organization of the trial's own, with people of its own, and deleted in the
end, whatever happens. No mail goes out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import requests

from org_invitations.emulator.unknowns import OPEN_QUESTIONS

from .api import Answer, Clerk
from .probes import PROBES, Probe, World

#: What a trial costs at most: a development instance takes 250 single and 50 bulk invitations an
#: hour, and 100 calls in ten seconds.
MAX_CALLS: Final = 120
MAX_INVITATIONS: Final = 40


class CannotBegin(Exception):
    """Nothing could be tried: the key is not one, or the organization could not be made."""


@dataclass(frozen=True)
class Result:
    """What both said to one probe."""

    probe: Probe
    live: str
    emulator: str

    @property
    def is_same(self) -> bool:
        return self.live == self.emulator


def check_key(key: str) -> None:
    """Take keys of development instances only.

    :raises CannotBegin: it is another one.
    """
    if not key.startswith("sk_test_"):
        raise CannotBegin(
            "CLERK_LIVE_SECRET_KEY must be the key of a development instance (sk_test_…): a trial "
            "makes people and organizations, and must never touch real ones."
        )


@contextmanager
def world_of(clerk: Clerk) -> Iterator[World]:
    """Make what a trial works on, and delete it in the end.

    :raises CannotBegin: it could not be made.
    """
    undo: list[str] = []
    try:
        addresses = [f"trial.{uuid4().hex[:12]}+clerk_test@example.com" for _ in range(3)]
        people = []
        for address in addresses:
            body = {
                "email_address": [address],
                "first_name": "Trial",
                "skip_password_requirement": True,
            }
            people.append(_made(clerk.call("POST", "/users", body), "a user"))
            undo.append(f"/users/{people[-1]}")
        admin, member, guest = people
        body = {
            "name": f"Trial of django-org-invitations {uuid4().hex[:6]}",
            "created_by": admin,
            "max_allowed_memberships": 0,
        }
        organization = _made(clerk.call("POST", "/organizations", body), "an organization")
        undo.append(f"/organizations/{organization}")
        joined = {"user_id": member, "role": "org:member"}
        path = f"/organizations/{organization}/memberships"
        _made(clerk.call("POST", path, joined), "a membership")
        yield World(clerk, organization, admin, member, guest, addresses[1], addresses[2])
    finally:
        for path in reversed(undo):
            try:
                gone = clerk.call("DELETE", path)
            except requests.RequestException:
                gone = Answer(0)
            if gone.status not in (200, 404):
                print(f"Could not delete {path}: delete it in the Dashboard.")


def _made(answer: Answer, what: str) -> str:
    found = answer.body.get("id") if isinstance(answer.body, dict) else None
    if answer.status != 200 or not isinstance(found, str):
        raise CannotBegin(f"Clerk did not make {what}: {answer.told}")
    return found


def ask(world: World) -> list[str]:
    """Run all probes, one after the other; one that breaks says so and stops no other."""
    said = []
    for probe in PROBES:
        try:
            said.append(probe.run(world))
        except (requests.RequestException, AttributeError, LookupError, TypeError) as error:
            # Its text may hold what an answer held.
            said.append(f"broke: {type(error).__name__}")
    return said


def compare(live: Clerk, emulator: Clerk) -> list[Result]:
    """Ask both the same.

    :raises CannotBegin: one of them could not be asked at all.
    """
    with world_of(live) as there, world_of(emulator) as here:
        said = zip(PROBES, ask(there), ask(here), strict=True)
        return [Result(probe, there_said, here_said) for probe, there_said, here_said in said]


def report(results: list[Result], calls: int) -> str:
    """Write what was found, as Markdown."""
    different = [result for result in results if not result.is_same]
    lines = [
        "# A trial of Clerk",
        "",
        f"{len(results)} questions, {calls} calls, {len(different)} differences.",
        "",
        "| | what was tried | Clerk | emulator |",
        "|---|---|---|---|",
    ]
    for result in results:
        sign = "same" if result.is_same else "**differs**"
        lines.append(f"| {sign} | {result.probe.name} | {result.live} | {result.emulator} |")
    lines += ["", "## What this settles", ""]
    settings = {question: setting for question, _, setting in OPEN_QUESTIONS}
    for result in results:
        for question in result.probe.settles:
            how = "as the emulator has it" if result.is_same else f"otherwise: {result.live}"
            setting = settings[question]
            option = f" (`{setting}`)" if setting and not result.is_same else ""
            lines.append(f"- {question}: {how}{option}.")
    asked = {question for result in results for question in result.probe.settles}
    lines += ["", "## What stays open", ""]
    lines += [f"- {question}" for question, _, _ in OPEN_QUESTIONS if question not in asked]
    return "\n".join(lines) + "\n"


def plan() -> str:
    """Say what a trial would do."""
    lines = [
        "No trial: CLERK_LIVE_SECRET_KEY is not set. With the secret key of a development instance",
        "(sk_test_…, Clerk Dashboard, API keys; organizations must be enabled) this would",
        "",
        "- make three people and an organization there, and delete them in the end,",
        f"- make at most {MAX_CALLS} calls, well inside of its limits, and send no mail,",
        "- ask the emulator the same, and write every difference to live.md.",
        "",
        "What it would try:",
        "",
        *(f"- {probe.name}" for probe in PROBES),
    ]
    return "\n".join(lines)
