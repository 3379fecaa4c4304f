"""The actions of those who are invited: everything that they can do on the pages for joining.

As in ``actions``: each lets the fault strike one thing that the person does. No script runs here,
so it is the server that joins.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from django.conf import settings

from .browser import Answer
from .pages import Page
from .registry import action
from .scene import JOIN, Scene, Wish
from .world import ACME, ADA

NORA: Final = "nora@nowhere.test"
ROLE: Final = "org:billing"
_DAY: Final = 86_400


def _shows_join(page: Page) -> bool:
    return page.state == "join"


def _shows_sign_in(page: Page) -> bool:
    return page.state == "sign-in"


def _has_list(page: Page) -> bool:
    return any("/invitation/" in form.action for form in page.forms)


def _is_going_on(page: Page) -> bool:
    return any(link for link in page.links if link.endswith("/") or "redirect_url" in link)


def _invite(scene: Scene, kind: str, *, is_expired: bool = False) -> None:
    """Invite somebody by a link that leads to the pages for joining; what they wish."""
    settings.ORG_INVITATIONS_JOIN_URL = f"{scene.world.site}{JOIN}"
    from org_invitations.services.joining.links import make_link

    clerk = scene.world.clerk
    link = make_link(clerk.organization(ACME).id, NORA, None) or ""
    row = clerk.add_invitation(
        ACME,
        NORA,
        role=ROLE,
        inviter=ADA,
        redirect_url=link,
        private_metadata={"cost": 1},
        expires_in_days=1 if is_expired else 30,
        created_ago=2 * _DAY if is_expired else 0,
    )
    scene.page = link.removeprefix(scene.world.site)
    scene.invited = scene.browser(NORA, organization=None)
    scene.wishes.append(Wish(kind, NORA, role=ROLE, target=row.id))


def _press(scene: Scene, page: Answer, button: str) -> Answer:
    """Press a button of the page; where it is not there, nothing happens."""
    path = page.url.partition("?")[0]
    for form in page.page.forms:
        named = [c for c in form.controls if c.name == "action"]
        if any(c.value == button for c in named):
            data, to = form.data({"action": button}), form.action or path
            return scene.ask(partial(scene.invited.post, to, data))
    return page


@contextmanager
def _on_the_page(scene: Scene, kind: str, *, is_expired: bool = False) -> Iterator[Answer]:
    """Open the page before anything goes wrong, and let the fault strike what is done then."""
    _invite(scene, kind, is_expired=is_expired)
    page = scene.invited.get(scene.page)
    if page.page.state != ("gone" if is_expired else "join"):
        raise LookupError(f"{page.page.state!r} while nothing was wrong")
    with scene.strike():
        yield page


@action("joining: the page", htmx=False, shows=_shows_join)
def see_page(scene: Scene) -> None:
    _invite(scene, "look")
    with scene.strike():
        scene.ask(lambda: scene.invited.get(scene.page))


@action("joining: the page, signed out", htmx=False, shows=_shows_sign_in)
def see_page_signed_out(scene: Scene) -> None:
    _invite(scene, "look")
    scene.invited.cookies.clear()
    with scene.strike():
        scene.ask(lambda: scene.invited.get(scene.page))


@action("joining: press Join", htmx=False)
def join(scene: Scene) -> None:
    with _on_the_page(scene, "join") as page:
        _press(scene, page, "join")


@action("joining: press Join, then again", htmx=False)
def join_twice(scene: Scene) -> None:
    join(scene)
    again = scene.ask(lambda: scene.invited.get(scene.page))
    _press(scene, again, "join")


@action("joining: press Join, then finish from my invitations", htmx=False)
def finish_from_mine(scene: Scene) -> None:
    join(scene)
    mine = scene.ask(lambda: scene.invited.get(f"{JOIN}mine/"))
    _press(scene, mine, "join")


@action("joining: press Join, then decline", htmx=False)
def join_then_decline(scene: Scene) -> None:
    join(scene)
    again = scene.ask(lambda: scene.invited.get(scene.page))
    if _press(scene, again, "decline") is not again:
        scene.wishes = [Wish("decline", NORA, role=ROLE, target=scene.wishes[0].target)]


@action("joining: decline", htmx=False)
def decline(scene: Scene) -> None:
    with _on_the_page(scene, "decline") as page:
        _press(scene, page, "decline")


@action("joining: ask for a new one", htmx=False)
def ask(scene: Scene) -> None:
    with _on_the_page(scene, "ask", is_expired=True) as page:
        _press(scene, page, "ask")


@action("joining: my invitations", htmx=False, shows=_has_list)
def see_mine(scene: Scene) -> None:
    _invite(scene, "look")
    with scene.strike():
        scene.ask(lambda: scene.invited.get(f"{JOIN}mine/"))


@action("joining: switch the account", htmx=False, shows=_is_going_on)
def switch(scene: Scene) -> None:
    _invite(scene, "look")
    scene.invited = scene.browser("gus@globex.test", organization=None)
    page = scene.invited.get(scene.page)
    with scene.strike():
        _press(scene, page, "switch")


@action("joining: go on as a member", htmx=False, shows=_is_going_on)
def go_on(scene: Scene) -> None:
    _invite(scene, "look")
    scene.world.clerk.add_member(ACME, NORA, ROLE)
    with scene.world.clerk.lock:
        scene.world.clerk.state.invitations[scene.wishes[0].target].state = "accepted"
    page = scene.invited.get(scene.page)
    with scene.strike():
        _press(scene, page, "continue")
