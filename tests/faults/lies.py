"""Seeded lies: small patches of the app that the judge must notice, or it is worth nothing.

Each is applied to a copy of the app, and the cells that were just played are played again with it,
in the same order, until one fails in a way in which it did not fail before. A lie that is not found
fails the run, and so does one whose anchor is not in the code exactly once: then the code has moved
and the anchor has to follow.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import org_invitations

from . import failures
from .play import Result

#: The repository: what is not the app comes from here.
ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Edit:
    """One replacement in one file of the app."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Lie:
    """What is made untrue, where, and as what it must be found."""

    name: str
    edits: tuple[Edit, ...]
    #: The kinds of failure of which one must be found.
    finds: tuple[str, ...]
    #: What the names of the actions that can show it begin with; empty for all.
    actions: tuple[str, ...] = ()


LIES: Final = (
    Lie(
        "an older invitation is claimed as the one just sent",
        (
            Edit(
                "services/batches/reconcile.py",
                "return Match.OURS if row.mark == self.mark else Match.OTHER",
                "return Match.OURS",
            ),
            Edit(
                "services/batches/reconcile.py",
                "return Match.OTHER  # Clerk tells metadata",
                "return Match.OURS  # Clerk tells metadata",
            ),
        ),
        (failures.OLDER, failures.STRANGER, failures.UNTRUE),
        ("invite", "retry"),
    ),
    Lie(
        "an error is swallowed",
        (
            Edit(
                "views/invite.py",
                "            organization=snapshot.organization.name,\n        )\n"
                "        return self.form_invalid(snapshot, form, problem)",
                "            organization=snapshot.organization.name,\n        )\n"
                "        return self.form_invalid(snapshot, form)",
            ),
        ),
        (failures.WORDLESS,),
        ("invite one",),
    ),
    Lie(
        "an invitation is sent again after a lost answer",
        (
            Edit(
                "services/batches/resend.py",
                "        lost = error\n",
                "        return api.invite_member(request)\n",
            ),
            Edit(
                "services/batches/invite.py",
                "            return self._after_error(call, error)\n",
                "            made = self._post(call)\n",
            ),
        ),
        (failures.TWICE,),
        ("invite one", "resend", "change", "finish"),
    ),
    Lie(
        "what was typed is lost where Clerk refuses",
        (
            Edit(
                "views/invite.py",
                "            form.add_problem(problem.message, problem.field)\n",
                "            form.add_problem(problem.message, problem.field)\n"
                "            form.data = form.data.copy()\n"
                '            form.data["email_addresses"] = ""\n',
            ),
        ),
        (failures.TYPED,),
        ("invite one",),
    ),
    Lie(
        "a link is written into the log",
        (
            Edit(
                "clerk/client.py",
                'logger.debug("%s /v1/%s: %s in %d ms", method, route, status, _since(started))',
                'logger.debug("%s /v1/%s: %s %s", method, route, status, body)',
            ),
        ),
        (failures.LEAK,),
    ),
    Lie(
        "an item is done without anything being sent",
        (
            Edit(
                "services/batches/invite.py",
                "            reason = Reason.of_error(error, absent=absent)\n",
                "            reason, state = Reason.of_error(error, absent=absent), State.DONE\n",
            ),
        ),
        (failures.UNTRUE, failures.OLDER),
        ("invite many", "retry"),
    ),
    Lie(
        "a refusal is shown as sent",
        (
            Edit(
                "views/outcome_presenter.py",
                "if item.state == State.DONE],",
                "if item.state in (State.DONE, State.FAILED)],",
            ),
        ),
        (failures.UNTRUE, failures.OLDER, failures.STRANGER),
        ("invite many", "retry", "resend many", "revoke many"),
    ),
    Lie(
        "a retry ignores the deadline",
        (
            Edit("clerk/client.py", "        total=2,\n", "        total=9,\n"),
            Edit("clerk/client.py", "if isinstance(error, ReadTimeoutError) or (", "if ("),
            Edit("clerk/client.py", "if get_deadline().left() < self.seconds and", "if False and"),
        ),
        (failures.DEADLINE, failures.BUDGET),
        ("list", "check", "export", "copy link", "chooser", "keys", "resend: the", "revoke: the"),
    ),
    Lie(
        "nothing was changed, it says, after it was",
        (
            Edit(
                "services/batches/revoke.py",
                "    if found.is_revoked:\n        return found\n",
                "    if found.is_revoked:\n        raise lost\n",
            ),
        ),
        (failures.UNTRUE, failures.STUCK, failures.ABANDONED, failures.UNSAID),
        ("revoke", "resend", "change"),
    ),
    Lie(
        "an item is never reconciled",
        (
            Edit(
                "services/batches/reconcile.py",
                "_SETTLERS[Batch.Action(items[0].batch.action)](api, items)",
                "_SETTLERS[Batch.Action(items[0].batch.action)](api, [])",
            ),
        ),
        (failures.STUCK,),
        ("invite", "revoke many", "retry", "outcome", "resend", "change"),
    ),
    Lie(
        "a person is called uninvited while Clerk may still be at work",
        (
            Edit(
                "services/batches/reconcile.py",
                "    elif not is_over(item):\n        record(item, State.UNSETTLED",
                "    elif False:\n        record(item, State.UNSETTLED",
            ),
        ),
        (failures.UNINVITED,),
        ("resend", "change", "finish"),
    ),
    Lie(
        "somebody has joined, it says, where Clerk did not let them",
        (
            Edit(
                "services/joining/joins.py",
                "                        return\n                except ClerkError:\n"
                '                    raise Stopped("Join:unknown") from None',
                "                        return\n                except ClerkError:\n"
                "                    return",
            ),
            Edit(
                "services/joining/joins.py",
                "if api.get_membership(user_id) is not None:",
                "if api.get_membership(user_id) is not None or True:",
            ),
        ),
        (failures.UNTRUE,),
        ("joining: press Join",),
    ),
    Lie(
        "nothing was changed, it says, of an invitation that may be declined yet",
        (
            Edit(
                "services/joining/joins.py",
                'raise Stopped("Join:unknown")  # it may come yet',
                'raise Stopped("Join:later")',
            ),
        ),
        (failures.UNTRUE,),
        ("joining: decline",),
    ),
    Lie(
        "a person is left uninvited after half a resend",
        (
            Edit(
                "services/batches/resend.py",
                "self._settle(item, State.HALF_DONE, error=error)",
                "self._settle(item, State.FAILED, error=error)",
            ),
        ),
        (failures.ABANDONED,),
        ("resend", "change"),
    ),
)


@dataclass(frozen=True)
class PreviewStatus:
    """Whether a lie was found: after how many cells of the sample, and how many seconds."""

    lie: Lie
    found: bool
    cells: int
    seconds: float
    #: The cell, and what is wrong with it.
    cell: str = ""
    failure: str = ""

    def __str__(self) -> str:
        when = f"cell {self.cells}, {self.seconds:.1f} s"
        if not self.found:
            return f"NOT FOUND  {self.lie.name} ({when})"
        return f"found      {self.lie.name} ({when}): {self.failure} | {self.cell}"


class AnchorMoved(Exception):
    """What a lie replaces is not in the code exactly once."""


def apply(lie: Lie, app: Path) -> None:
    """Patch a copy of the app.

    :raises AnchorMoved: the code has changed, and the lie has to follow it.
    """
    for edit in lie.edits:
        path = app / edit.file
        text = path.read_text() if path.exists() else ""
        if text.count(edit.old) != 1:
            raise AnchorMoved(f"{lie.name}: {edit.file} has {text.count(edit.old)} × {edit.old!r}")
        path.write_text(text.replace(edit.old, edit.new))


def find_all(results: Sequence[Result], seconds: float, processes: int) -> list[PreviewStatus]:
    """Try every lie on the cells that were played, some lies at the same time.

    :param seconds: how long one lie is looked for at most.
    """
    with ThreadPoolExecutor(processes) as pool:
        return list(pool.map(lambda lie: find(lie, results, seconds), LIES))


def find(lie: Lie, results: Sequence[Result], seconds: float) -> PreviewStatus:
    """Look for one lie, in a process that has the patched copy."""
    with tempfile.TemporaryDirectory(prefix="org-invitations-lie-") as folder:
        app = Path(folder) / "org_invitations"
        source = Path(org_invitations.__file__).parent
        shutil.copytree(source, app, ignore=shutil.ignore_patterns("__pycache__"))
        apply(lie, app)
        order = {
            "app": str(app),
            "seconds": seconds,
            "finds": lie.finds,
            "cells": [
                (number, result.as_dict())
                for number, result in enumerate(results, 1)
                if not lie.actions or result.cell.action.startswith(lie.actions)
            ],
        }
        started = time.monotonic()
        # "-P": the copy comes before the repository, which is where this is started.
        answer = subprocess.run(
            [sys.executable, "-P", "-m", "tests.faults.lies"],
            input=json.dumps(order),
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join((folder, str(ROOT)))},
            timeout=seconds + 180,
            check=False,
        )
    if answer.returncode:
        return PreviewStatus(
            lie,
            found=False,
            cells=0,
            seconds=time.monotonic() - started,
            failure=answer.stderr[-2000:],
        )
    told = json.loads(answer.stdout.splitlines()[-1])
    return PreviewStatus(lie, seconds=time.monotonic() - started, **told)


def look(order: dict[str, Any]) -> dict[str, Any]:
    """Play cells against the patched app until one shows the lie."""
    if Path(org_invitations.__file__).parent != Path(order["app"]):
        raise RuntimeError(f"this is not the copy: {org_invitations.__file__}")
    from .play import Stage
    from .world import World

    until = time.monotonic() + order["seconds"]
    world, number = World(), 0
    try:
        stage = Stage(world)
        for number, data in order["cells"]:
            if time.monotonic() > until:
                break
            honest = Result.from_dict(data)
            before = {failure.kind for failure in honest.failures}
            result = stage.play(honest.cell)
            # What goes wrong even without a fault counts, too: it is found all the sooner.
            found = [*stage.rehearsed[-1].failures, *result.failures]
            new = [f for f in found if f.kind in order["finds"] and f.kind not in before]
            if new:
                text = f"{new[0].kind}: {new[0].text}"
                return {"found": True, "cells": number, "cell": honest.cell.name, "failure": text}
        return {"found": False, "cells": number}
    finally:
        world.close()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(look(json.load(sys.stdin))))
