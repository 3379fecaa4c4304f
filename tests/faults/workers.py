"""What is left to workers: the fault strikes them, or the page that somebody looks at meanwhile.

Whatever goes wrong, they go on once it is over, and nothing waits in the end. A turn is a thread of
its own, as a worker is a process of its own: the database fails for it as for a request.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings

from .actions import INVITED
from .pages import Form, Page
from .registry import action
from .scene import DIALOG_TARGET, FORM_TARGET, LIST, Scene, Wish
from .world import ACME

#: One more than a request does by itself.
MANY: Final = tuple(f"person{number}@fabrikam.example" for number in range(11))

#: So many turns are enough for whatever was begun, and so much time is between two (seconds).
_TURNS: Final = 12
_BETWEEN: Final = 900.0


def _has_progress(page: Page) -> bool:
    return "org-invitations-progress" in page.ids or bool(page.rows)


def _check(scene: Scene) -> tuple[Form, dict[str, str]]:
    """Let many addresses be checked, as it is asked before they are left to workers."""
    settings.ORG_INVITATIONS_BACKGROUND = True
    form = scene.open().page.form("invite/")
    typed = {"email_addresses": "\n".join(MANY), "role": "org:member"}
    answer = scene.ada.submit(form, dict(typed))
    scene.wishes += [Wish("invite", address) for address in MANY]
    return answer.page.form("invite/"), typed


def _leave(scene: Scene) -> str:
    """Leave many addresses to workers; returns the path of their outcome."""
    form, typed = _check(scene)
    scene.ada.submit(form, dict(typed))
    return _path(scene)


def _path(scene: Scene) -> str:
    [batch_id] = {item.batch_id for item in scene.world.items()}
    return f"{LIST}outcomes/{batch_id}/"


def _finish(scene: Scene) -> None:
    """Let workers go on until all of it is over, as time passes, and look at what came of it."""
    scene.world.clerk.finish_late()
    for _ in range(_TURNS):
        scene.work()
        scene.world.age(_BETWEEN)
        if not any(item.is_open for item in scene.world.items()):
            break
    for batch_id in {item.batch_id: None for item in scene.world.items()}:
        ada = scene.browser()  # the session of the other one may be over by now
        path = f"{LIST}outcomes/{batch_id}/"
        scene.get(path, browser=ada)


@action("workers: leave many to them", shows=_has_progress)
def leave_many(scene: Scene) -> None:
    form, typed = _check(scene)
    with scene.strike():
        scene.submit(form, scene.type(**typed), FORM_TARGET)
    _finish(scene)


@action("workers: invite many", htmx=False)
def invite_many(scene: Scene) -> None:
    _leave(scene)
    with scene.strike():
        scene.work()
    _finish(scene)


@action("workers: invite many, one of whom is invited", htmx=False)
def invite_mixed(scene: Scene) -> None:
    _leave(scene)
    scene.somebody_else_invites(MANY[3], "org:billing")
    with scene.strike():
        scene.work()
    _finish(scene)


def _select(scene: Scene, what: str) -> list[str]:
    """Leave to workers to send many again or to revoke them; returns their ids."""
    settings.ORG_INVITATIONS_BACKGROUND = True
    clerk = scene.world.clerk
    added = [clerk.add_invitation(ACME, address).id for address in MANY[1:]]
    ids = [scene.invitation_of(INVITED), *added]
    form = scene.open().page.form("selected/")
    asked = scene.ada.submit(form, {"selected": list(ids), "action": what})
    scene.ada.submit(asked.page.form("selected/"))
    return ids


@action("workers: revoke many", htmx=False)
def revoke_many(scene: Scene) -> None:
    ids = _select(scene, "revoke")
    scene.wishes += [Wish("revoke", scene.address_of(i), target=i) for i in ids]
    with scene.strike():
        scene.work()
    _finish(scene)


@action("workers: resend many", htmx=False)
def resend_many(scene: Scene) -> None:
    ids = _select(scene, "resend")
    scene.wishes += [Wish("resend", scene.address_of(i), target=i) for i in ids]
    with scene.strike():
        scene.work()
    _finish(scene)


@action("workers: how far they are", shows=_has_progress)
def see_progress(scene: Scene) -> None:
    path = _leave(scene)
    with scene.strike():
        scene.get(f"{path}progress/")
    _finish(scene)


def _press(scene: Scene, button: str) -> None:
    path = _leave(scene)
    form = scene.open(f"{path}progress/").page.form("progress/")
    with scene.strike():
        scene.submit(form, {button: "1"})
    scene.world.age(_BETWEEN)  # what somebody may do is remembered for a minute
    form = scene.open(f"{path}progress/").page.form("progress/")
    if any(control.name == "continue" for control in form.controls):
        scene.ada.submit(form, {"continue": "1"})
    _finish(scene)


@action("workers: pause, then continue", shows=_has_progress)
def pause(scene: Scene) -> None:
    _press(scene, "pause")


@action("workers: cancel the rest")
def cancel(scene: Scene) -> None:
    path = _leave(scene)
    form = scene.open(f"{path}cancel/").page.form("cancel/")
    scene.wishes = [Wish("cancel", address) for address in MANY]
    with scene.strike():
        scene.submit(form, None, DIALOG_TARGET)
    _finish(scene)
