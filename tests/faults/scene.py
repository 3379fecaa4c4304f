"""One action as it is played: who does what, when the fault strikes, and what was answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from org_invitations.emulator import RecordedCall

from .browser import Answer, Browser, Changes
from .calls import Slot
from .faults import Fault
from .pages import Form
from .world import ACME, ADA, World

LIST = "/invitations/"
JOIN = "/join/"
FORM_TARGET = "org-invitations-form"
LIST_TARGET = "org-invitations-list"
DIALOG_TARGET = "org-invitations-dialog"
CHECK_TARGET = "org-invitations-check"

ROLES = {
    "org:admin": "Admin",
    "org:member": "Member",
    "org:people_manager": "People manager",
    "org:billing": "Billing",
}


@dataclass(frozen=True)
class Wish:
    """What the person wants of one address."""

    #: "invite", "resend" (also to change, and to finish), "cancel" (what was to be sent), "revoke",
    #: "leave", "check", "see"; of the invited "join", "decline", "ask" and, where they only look,
    #: "look".
    kind: str
    address: str
    role: str = "org:member"
    mail: bool = True
    #: The invitation that it is about, if there is one.
    target: str = ""

    @property
    def sends(self) -> bool:
        return self.kind in ("invite", "resend", "cancel")


@dataclass
class Said:
    """An answer, and what was so when it was given."""

    answer: Answer
    #: Moments before the request and after it, as ``World.moment`` has them.
    since: int
    until: int
    #: Who had a pending invitation then: ids by address.
    pending: dict[str, list[str]]
    members: set[str]
    status: dict[str, str]
    #: Whether the fault was still there.
    under_fault: bool
    #: Where htmx was going to put it; empty without htmx.
    target: str = ""
    #: Whether the person was told it after the fault: a later look, or a later step.
    is_look: bool = False


@dataclass(frozen=True)
class Stranger:
    """An invitation that somebody else made, without this site."""

    invitation_id: str
    address: str
    moment: int


class Scene:
    """One action, played once in a world."""

    def __init__(
        self,
        world: World,
        *,
        fault: Fault | None = None,
        slot: Slot | None = None,
        htmx: bool = False,
    ) -> None:
        self.world = world
        self.fault = fault
        self.slot = slot
        self.htmx = htmx
        self.wishes: list[Wish] = []
        #: What was typed, ticked and chosen: names of fields and their values.
        self.typed: dict[str, list[str]] = {}
        self.said: list[Said] = []
        self.strangers: list[Stranger] = []
        #: When each batch was begun: before the request in which it appeared.
        self.batches: dict[str, int] = {}
        #: From when until when workers took a turn.
        self.turns: list[tuple[int, int]] = []
        #: Moments: when the fault was armed, and when it was taken away.
        self.begin = 0
        self.end = 0
        self._armed = False
        self.browsers: list[Browser] = []
        self.ada = self.browser()
        #: Of somebody who is invited: their browser, and the path of their invitation's page.
        self.invited = self.ada
        self.page = ""

    def browser(self, user: str = ADA, **order: object) -> Browser:
        browser = self.world.browser(user, **order)
        self.browsers.append(browser)
        return browser

    def close(self) -> None:
        for browser in self.browsers:
            browser.close()

    # --- Playing --------------------------------------------------------------------------------

    @contextmanager
    def strike(self) -> Iterator[None]:
        """Arm the fault for what is done inside."""
        self._note_batches(0)
        self.begin = self.world.moment()
        self.world.logs.clear()
        self.world.arm(self.fault, self.slot)
        self._armed = True
        try:
            yield
        finally:
            self._armed = False
            self.world.disarm()
            self.end = self.world.moment()

    def ask(
        self, request: Callable[[], Answer], *, target: str | None = None, is_look: bool = False
    ) -> Answer:
        """Make a request whose answer counts: what it says is held against what is so."""
        since = self.world.moment()
        answer = request()
        self._note_batches(since)
        self.said.append(
            Said(
                answer,
                since,
                self.world.moment(),
                self.pending(),
                self.members(),
                self.statuses(),
                under_fault=self._armed,
                target=target or "",
                is_look=is_look,
            )
        )
        return answer

    def _note_batches(self, moment: int) -> None:
        for item in self.world.items():
            self.batches.setdefault(item.batch_id, moment)

    def get(self, path: str, target: str = "", *, browser: Browser | None = None) -> Answer:
        """Look at a page under the fault; with htmx into a target, if the action uses it."""
        chosen = target if self.htmx and target else None
        return self.ask(lambda: (browser or self.ada).get(path, target=chosen), target=chosen)

    def submit(
        self, form: Form, changes: Changes | None = None, target: str = "", *, path: str = ""
    ) -> Answer:
        """Send a form under the fault."""
        chosen = target if self.htmx and target else None
        return self.ask(
            lambda: self.ada.submit(form, changes, path=path, target=chosen), target=chosen
        )

    def work(self) -> None:
        """Let a worker take a turn."""
        since = self.world.moment()
        self.world.work()
        self.turns.append((since, self.world.moment()))

    def open(self, path: str = LIST) -> Answer:
        """Open a page before anything goes wrong; its answer is not judged."""
        answer = self.ada.get(path)
        if answer.status != 200:
            raise LookupError(f"{path} answered {answer.status} while nothing was wrong")
        return answer

    def type(self, **fields: str | list[str]) -> Changes:
        """Fill in a form; what is typed is remembered, for it must not get lost."""
        for name, value in fields.items():
            self.typed[name] = [value] if isinstance(value, str) else list(value)
        return dict(fields)

    def somebody_else_invites(self, address: str, role: str) -> None:
        """Let another administrator invite, in Clerk itself."""
        moment = self.world.moment()
        with self.world.clerk.lock:
            if self.pending().get(address):
                return
            row = self.world.clerk.add_invitation(ACME, address, role=role, inviter="bo@both.test")
        self.strangers.append(Stranger(row.id, address, moment))

    # --- What is so -----------------------------------------------------------------------------

    def pending(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for row in self.world.clerk.invitations(ACME, "pending"):
            found.setdefault(row.email_address.casefold(), []).append(row.id)
        return found

    def statuses(self) -> dict[str, str]:
        now = self.world.clerk.clock.now_ms()
        return {row.id: row.status(now) for row in self.world.clerk.invitations(ACME)}

    def members(self) -> set[str]:
        clerk = self.world.clerk
        with clerk.lock:
            organization = clerk.organization(ACME).id
            return {
                clerk.state.users[row.user_id].email_address.casefold()
                for row in clerk.state.members_of(organization)
            }

    def calls(self, since: int | None = None, until: int | None = None) -> list[RecordedCall]:
        """The calls of the site from when the fault was armed, or between two moments."""
        start = self.begin if since is None else since
        calls = list(self.world.clerk.recorder.calls)[start:until]
        return [call for call in calls if call.api == "bapi"]

    def made(self, address: str, since: int | None = None, until: int | None = None) -> list[str]:
        """The ids of the invitations that calls between two moments made for an address."""
        wanted = address.casefold()
        return [i for i in self.made_by_anybody(since, until) if self.address_of(i) == wanted]

    def made_by_anybody(self, since: int | None = None, until: int | None = None) -> list[str]:
        """The ids of all invitations that calls between two moments made."""
        return [one for call in self.calls(since, until) for one in call.made]

    def revoked(self, since: int | None = None, until: int | None = None) -> list[str]:
        """The ids of the invitations that calls between two moments revoked."""
        return [
            call.path.split("/")[-2]
            for call in self.calls(since, until)
            if call.path.endswith("/revoke") and call.took_effect
        ]

    def joined(self, address: str, since: int | None = None, until: int | None = None) -> bool:
        """Whether a call between two moments made somebody a member."""
        user_id = self.world.clerk.user(address).id
        return any(
            call.method == "POST"
            and call.path.endswith("/memberships")
            and call.took_effect
            and isinstance(call.body, dict)
            and call.body.get("user_id") == user_id
            for call in self.calls(since, until)
        )

    def roles(self, address: str) -> list[str]:
        """The roles of somebody's memberships; more than one would be a fault."""
        clerk = self.world.clerk
        with clerk.lock:
            rows = clerk.state.members_of(clerk.organization(ACME).id)
            user_id = clerk.user(address).id
            return [row.role for row in rows if row.user_id == user_id]

    def look_as_invited(self) -> None:
        """Let the person look at the page once more; in a new browser, as time has passed."""
        nora = self.browser(self.wishes[0].address, organization=None)
        self.ask(lambda: nora.get(self.page), is_look=True)

    def has_mail(self, invitation_id: str) -> bool:
        return invitation_id in self.world.clerk.state.mails

    def address_of(self, invitation_id: str) -> str:
        row = self.world.clerk.state.invitations.get(invitation_id)
        return row.email_address.casefold() if row is not None else ""

    def invitation_of(self, address: str, status: str = "pending") -> str:
        """The id of the newest invitation of an address in a status."""
        rows = self.world.clerk.invitations(ACME, status)
        found = [row.id for row in rows if row.email_address.casefold() == address]
        return found[-1]
