"""What the database says of each address, once there was time enough to find out."""

from __future__ import annotations

from collections.abc import Iterator

from .failures import ABANDONED, OLDER, STRANGER, STUCK, UNTRUE, Failure
from .hearing import Hearing
from .world import Item

#: Why it stays so where an invitation is there and nothing tells from when.
_UNCLEAR = "unclear"

#: Nobody knows; which is no answer for good.
_OPEN = ("unsettled", "under-way")


def items(hearing: Hearing) -> Iterator[Failure]:
    """Each item says what became of it, and no two of them claim the same invitation."""
    owners: dict[str, Item] = {}
    everything = hearing.scene.world.items()
    for item in everything:
        if item.action == "revoke":
            yield from _revocation(hearing, item)
            continue
        if item.state == "done" and item.invitation_id:
            if item.invitation_id in owners:
                yield Failure(OLDER, f"two items are done for one invitation: {_label(item)}")
            owners[item.invitation_id] = item
        yield from _invitation(hearing, item, everything)


def joinings(hearing: Hearing) -> Iterator[Failure]:
    """A member has used up the invitation, once and as what it was for; nobody is forgotten."""
    scene = hearing.scene
    for wish in scene.wishes:
        if wish.kind not in ("join", "decline"):
            continue
        roles, status = scene.roles(wish.address), hearing.status(wish.target)
        rows = [row for row in scene.world.joinings() if row.invitation_id == wish.target]
        states = ", ".join(row.state for row in rows) or "not there"
        if len(roles) > 1:
            yield Failure(UNTRUE, f"{wish.address} has {len(roles)} memberships")
        if roles and wish.target not in scene.revoked(scene.begin):
            yield Failure(UNTRUE, f"{wish.address} is a member, and the invitation is {status}")
        if roles and roles != [wish.role] and not hearing.is_spoilt:
            yield Failure(UNTRUE, f"{wish.address} is a member as {roles[0]}, not as {wish.role}")
        if any(row.state == "done" for row in rows) and not roles and not hearing.is_spoilt:
            yield Failure(UNTRUE, f"joining is done, and {wish.address} is no member")
        # Managers see in the list what is open, and the person has been told.
        has_any = bool(roles) or wish.address in scene.pending() or any(r.is_open for r in rows)
        if wish.kind == "join" and not has_any:
            yield Failure(STUCK, f"{wish.address} has nothing, and joining is {states}")


def _label(item: Item) -> str:
    why = f" ({item.reason})" if item.reason else ""
    return f"{item.action} item of {item.email_address} is {item.state}{why}"


def _made(hearing: Hearing, item: Item) -> list[str]:
    """What calls since the batch was begun have made for the item's address."""
    scene, window = hearing.scene, hearing.batch_window(item.batch_id)
    if hearing.is_spoilt and item.invitation_id in scene.made_by_anybody(*window):
        return [item.invitation_id]  # Clerk's answer named somebody else, and that was believed
    return scene.made(item.email_address, *window) if item.email_address else []


def _invitation(hearing: Hearing, item: Item, everything: list[Item]) -> Iterator[Failure]:
    made = _made(hearing, item)
    if item.state == "done":
        yield from _done(hearing, item, made)
    elif item.state == "unsettled" and item.reason == _UNCLEAR and _is_pending(hearing, item):
        return  # Clerk tells nothing by which it could be known, and that is said
    elif item.in_background and item.state == "waiting":
        yield Failure(STUCK, f"{_label(item)}: no worker goes on with it")
    elif item.state in _OPEN:
        so = "it was made" if made else "it was not made"
        yield Failure(STUCK, f"{_label(item)}: {so}")
    elif made and not _belongs_elsewhere(item, everything):
        yield Failure(STUCK, f"{_label(item)}: the person is invited by it")
    elif item.action == "resend" and item.state != "half-done":
        yield from _not_resent(hearing, item)


def _is_pending(hearing: Hearing, item: Item) -> bool:
    return item.email_address.casefold() in hearing.scene.pending()


def _done(hearing: Hearing, item: Item, made: list[str]) -> Iterator[Failure]:
    label, found = _label(item), item.invitation_id
    if found not in hearing.scene.statuses():
        if not hearing.is_spoilt:
            yield Failure(UNTRUE, f"{label}: there is no such invitation")
    elif hearing.is_strangers(found):
        text = f"somebody else made that, as {hearing.role(found)} instead of {item.role}"
        yield Failure(STRANGER, f"{label}: {text}")
    elif found not in made:
        yield Failure(OLDER, f"{label}: that invitation is an older one")
    elif hearing.role(found) != item.role:
        yield Failure(UNTRUE, f"{label} as {item.role}: Clerk has {hearing.role(found)}")


def _belongs_elsewhere(item: Item, everything: list[Item]) -> bool:
    """Whether another item of the same address is done: what was made is its."""
    address = item.email_address.casefold()
    return any(
        other.state == "done" and other.email_address.casefold() == address
        for other in everything
        if (other.batch_id, other.number) != (item.batch_id, item.number)
    )


def _not_resent(hearing: Hearing, item: Item) -> Iterator[Failure]:
    """What was revoked for it and not made anew is half done, or was left on purpose."""
    since = hearing.scene.batches.get(item.batch_id, 0)
    if item.reason == "half-done" or item.replaces_id not in hearing.scene.revoked(since):
        return
    if not hearing.scene.pending().get(item.email_address.casefold()):
        yield Failure(ABANDONED, f"{_label(item)}: it was revoked for it, and nothing is pending")


def _revocation(hearing: Hearing, item: Item) -> Iterator[Failure]:
    status = hearing.status(item.invitation_id)
    since = hearing.scene.batches.get(item.batch_id, 0)
    if item.state == "done":
        if status != "revoked":
            yield Failure(UNTRUE, f"{_label(item)}: it is {status}")
    elif item.state in _OPEN or (item.in_background and item.state == "waiting"):
        yield Failure(STUCK, f"{_label(item)}: it is {status}")
    elif item.invitation_id in hearing.scene.revoked(since):
        yield Failure(STUCK, f"{_label(item)}: it was revoked by it")
