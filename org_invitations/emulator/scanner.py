"""A mail scanner: it opens every link of the mailbox, as programs do before people read a mail."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .wire import ConnectionDropped, EmulatorRequest

if TYPE_CHECKING:
    from .core import Emulator

MAX_LINKS = 500
"""So many links are opened at most, those of the newest mails."""


@dataclass(frozen=True)
class Opened:
    """One link that was opened. ``location`` is where it led to, and holds a ticket.

    ``status`` is ``None`` where a fault let the connection end.
    """

    invitation_id: str
    method: str
    status: int | None
    location: str | None = field(repr=False)


def scan_mailbox(emulator: Emulator, to: str = "") -> list[Opened]:
    """Opens the link of each mail to an address that contains ``to``, by HEAD and then by GET.

    It has no cookies, as a scanner has none, and follows nothing: what it is led to is told.
    """
    mails = [m for m in emulator.state.mails.values() if to.casefold() in m.to.casefold()]
    mails.sort(key=lambda mail: mail.sent_at)
    opened = []
    for mail in mails[-MAX_LINKS:]:
        for method in ("HEAD", "GET"):
            link = EmulatorRequest(method, emulator.accept_url(mail.ticket))
            try:
                answer = emulator.handle(link)
            except ConnectionDropped:
                opened.append(Opened(mail.id, method, None, None))
            else:
                opened.append(Opened(mail.id, method, answer.status, answer.header("location")))
    return opened
