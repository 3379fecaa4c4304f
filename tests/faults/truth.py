"""What was said, held against what is so.

A claim that something was done needs a call that did it, before it was said. A claim that it was
not is wrong where a call that was out by then has done it, at once or late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from org_invitations.emulator import RecordedCall

from .calls import name_of
from .claims import Claim, What
from .failures import ABANDONED, DEAF, OLDER, STRANGER, TWICE, UNINVITED, UNSAID, UNTRUE, Failure
from .hearing import Hearing, short, waits_for_a_reload
from .scene import ROLES, Said, Wish

#: What must be heard of a wish when nothing goes wrong.
_HEARD: Final = {
    "invite": {What.SENT, What.SILENT, What.MADE, What.BEFORE, What.MEMBER},
    "resend": {What.SENT, What.SILENT, What.MADE},
    "cancel": {What.NOT_MADE},
    "revoke": {What.REVOKED},
    "leave": {What.UNINVITED},
    "check": {What.ABLE, What.BEFORE, What.MEMBER},
    "join": {What.MEMBER},
    "decline": {What.REVOKED},
    "ask": {What.ASKED},
}

#: Where these name nobody whom the person has named, it was Clerk's answer that did.
_OF_WRITES: Final = {What.SENT, What.SILENT, What.REVOKED}

#: With any of these the person knows of an invitation that was made, or that nobody knows.
_KNOWS: Final = {What.SENT, What.SILENT, What.MADE, What.PARTLY, What.UNKNOWN, What.STANDS}

#: What those wish who are invited.
OF_INVITED: Final = ("join", "decline", "ask", "look")

#: Who wishes that an invitation be revoked, and no more than that.
_REVOKES: Final = ("revoke", "decline")

#: With any of these it is said that it was not made: then it is untrue, and not unsaid.
_DENIES: Final = {What.NOT_MADE, What.NOTHING, What.BEFORE, What.UNINVITED, What.HALF}


def deaf(hearing: Hearing) -> Iterator[Failure]:
    """Where nothing went wrong, what came about was heard: else no lie would be, either."""
    if hearing.scene.fault is not None:
        return
    for wish in hearing.scene.wishes:
        heard = {c.what for _, claims in hearing.heard for c in claims if _names(c, wish)}
        if wish.kind in _HEARD and not heard & _HEARD[wish.kind]:
            yield Failure(DEAF, f"{wish.kind} {wish.address}: heard {sorted(heard)}")


def _names(claim: Claim, wish: Wish) -> bool:
    """Whether a claim is of a wish; to who is invited the pages say "you"."""
    return claim.address == (wish.address if wish.kind not in OF_INVITED else "")


# --- Each claim ---------------------------------------------------------------------------------


def untrue(hearing: Hearing) -> Iterator[Failure]:
    """Nothing is claimed that is not so."""
    for said, claims in hearing.heard:
        for claim in claims:
            for wish in _about(hearing, claim):
                for failure in _CHECKS[claim.what](hearing, said, claim, wish):
                    yield Failure(failure.kind, f"“{claim.words[:160]}”: {failure.text}")


def _about(hearing: Hearing, claim: Claim) -> list[Wish]:
    wishes = hearing.scene.wishes
    named = [wish for wish in wishes if hearing.is_about(claim, wish)]
    if named or claim.what not in _OF_WRITES or len(wishes) != 1:
        return named
    return wishes  # Clerk's answer named somebody else: it is about whom it was asked about


def _since(hearing: Hearing, said: Said) -> int:
    """From when on what was done counts, for a claim that something was not done by this.

    An outcome tells of its batch, any other answer of its own request.
    """
    return hearing.window(said)[0] if hearing.is_outcome(said) else said.since


def _is_made(hearing: Hearing, said: Said, claim: Claim, wish: Wish) -> Iterator[Failure]:
    if not wish.sends:
        return
    scene, address = hearing.scene, wish.address
    made = scene.made(address, *hearing.window(said))
    if not made:
        there = said.pending.get(address, [])
        kind = UNTRUE
        if there:
            strangers = all(hearing.is_strangers(one) for one in there)
            kind = STRANGER if strangers else OLDER
        yield Failure(kind, f"nothing was sent to {address}")
    elif claim.what is What.SENT and not any(scene.has_mail(one) for one in made):
        yield Failure(UNTRUE, f"no mail went to {address}")
    elif claim.role and not hearing.is_spoilt:
        roles = {hearing.role(one) for one in made}
        if claim.role not in {ROLES.get(role, role) for role in roles}:
            yield Failure(UNTRUE, f"Clerk has {', '.join(roles)}")


def _is_revoked(hearing: Hearing, said: Said, claim: Claim, wish: Wish) -> Iterator[Failure]:
    if wish.kind in _REVOKES and hearing.status(wish.target) != "revoked":
        yield Failure(UNTRUE, f"it is {hearing.status(wish.target)}")


def _is_not_made(hearing: Hearing, said: Said, claim: Claim, wish: Wish) -> Iterator[Failure]:
    if wish.sends and hearing.scene.made(wish.address, *hearing.window(said)):
        kind = UNINVITED if wish.kind == "resend" else UNTRUE
        yield Failure(kind, f"{wish.address} is invited by it")


def _is_not_revoked(hearing: Hearing, said: Said, claim: Claim, wish: Wish) -> Iterator[Failure]:
    if wish.target in hearing.scene.revoked(_since(hearing, said), said.until):
        yield Failure(UNTRUE, "it was revoked by it")


def _is_nothing(hearing: Hearing, said: Said, claim: Claim, wish: Wish) -> Iterator[Failure]:
    since = _since(hearing, said)
    if wish.sends and hearing.scene.made(wish.address, since, said.until):
        yield Failure(UNTRUE, f"{wish.address} is invited by it")
    elif wish.kind == "join" and hearing.scene.joined(wish.address, since, said.until):
        yield Failure(UNTRUE, f"{wish.address} is a member by it")
    elif wish.target in hearing.scene.revoked(since, said.until):
        yield Failure(UNTRUE, "the invitation was revoked by it")


def _is_uninvited(hearing: Hearing, said: Said, claim: Claim, wish: Wish) -> Iterator[Failure]:
    made = hearing.scene.made(wish.address, *hearing.window(said))
    is_told = claim.what is What.HALF and "another invitation" in claim.words
    if wish.kind in OF_INVITED and wish.address in said.members:
        yield Failure(UNTRUE, f"{wish.address} is a member")
    if said.pending.get(wish.address) and not is_told:
        yield Failure(UNINVITED, f"{wish.address} is invited")
    elif not set(made) <= set(hearing.scene.revoked(hearing.scene.begin)):
        yield Failure(UNINVITED, f"{wish.address} is invited a moment later")


def _is_before(hearing: Hearing, said: Said, claim: Claim, wish: Wish) -> Iterator[Failure]:
    if hearing.is_spoilt:
        return
    there = set(said.pending.get(wish.address, ()))
    made = set(hearing.scene.made(wish.address, *hearing.window(said)))
    if not there:
        yield Failure(UNTRUE, f"{wish.address} has none")
    elif wish.sends and there <= made:
        yield Failure(UNSAID, "it is the one that was just made")


def _is_member(hearing: Hearing, said: Said, claim: Claim, wish: Wish) -> Iterator[Failure]:
    if wish.address not in said.members and not hearing.is_spoilt:
        yield Failure(UNTRUE, f"{wish.address} is no member")


def _is_gone(hearing: Hearing, said: Said, claim: Claim, wish: Wish) -> Iterator[Failure]:
    if said.status.get(wish.target) == "pending" and not hearing.is_spoilt:
        yield Failure(UNTRUE, "it is pending")


def _is_able(hearing: Hearing, said: Said, claim: Claim, wish: Wish) -> Iterator[Failure]:
    if wish.kind != "check" or hearing.is_spoilt:
        return
    if said.pending.get(wish.address) or wish.address in said.members:
        yield Failure(UNTRUE, f"{wish.address} cannot be invited")


def _stands(hearing: Hearing, said: Said, claim: Claim, wish: Wish) -> Iterator[Failure]:
    if not said.pending.get(wish.address) and not hearing.is_spoilt:
        yield Failure(UNTRUE, f"{wish.address} has none")


def _has_none(hearing: Hearing, said: Said, claim: Claim, wish: Wish) -> Iterator[Failure]:
    if said.pending.get(wish.address) and not hearing.is_spoilt:
        yield Failure(UNTRUE, f"{wish.address} is invited")


def _is_begun(hearing: Hearing, said: Said, claim: Claim, wish: Wish) -> Iterator[Failure]:
    if wish.address in said.members:
        yield Failure(UNTRUE, f"{wish.address} is a member")


def _is_asked(hearing: Hearing, said: Said, claim: Claim, wish: Wish) -> Iterator[Failure]:
    is_asked = wish.target in hearing.scene.world.asks()
    if wish.kind == "ask" and not is_asked and not hearing.is_spoilt:
        yield Failure(UNTRUE, "nobody can see it")


def _is_partly(hearing: Hearing, said: Said, claim: Claim, wish: Wish) -> Iterator[Failure]:
    yield from ()  # what was done and what was not is in the rows


def _is_unknown(hearing: Hearing, said: Said, claim: Claim, wish: Wish) -> Iterator[Failure]:
    yield from ()  # nobody can be wrong by not knowing; that it stays so is another rule's matter


_CHECKS: Final[Mapping[What, Callable[[Hearing, Said, Claim, Wish], Iterator[Failure]]]] = {
    What.SENT: _is_made,
    What.SILENT: _is_made,
    What.MADE: _is_made,
    What.REVOKED: _is_revoked,
    What.NOT_MADE: _is_not_made,
    What.NOT_REVOKED: _is_not_revoked,
    What.NOTHING: _is_nothing,
    What.UNINVITED: _is_uninvited,
    What.HALF: _is_uninvited,
    What.BEFORE: _is_before,
    What.MEMBER: _is_member,
    What.GONE: _is_gone,
    What.ABLE: _is_able,
    What.STANDS: _stands,
    What.NONE: _has_none,
    What.BEGUN: _is_begun,
    What.ASKED: _is_asked,
    What.UNKNOWN: _is_unknown,
    What.PARTLY: _is_partly,
}


def files(hearing: Hearing) -> Iterator[Failure]:
    """A file that is handed out is whole."""
    if hearing.is_spoilt:
        return
    for said in hearing.scene.said:
        answer = said.answer
        is_file = (answer.header("content-type") or "").startswith("text/csv")
        if is_file and answer.status == 200 and "/export/" in answer.url:
            count = sum(len(ids) for ids in said.pending.values())
            rows = len([line for line in answer.body.splitlines() if line.strip()]) - 1
            if rows != count:
                yield Failure(UNTRUE, f"the file has {rows} of {count} rows")


# --- What was done ------------------------------------------------------------------------------


def unsaid(hearing: Hearing) -> Iterator[Failure]:
    """What the action did is said, or it is said that nobody knows."""
    if hearing.has_fallen_over or any(waits_for_a_reload(s) for s in hearing.scene.said):
        return
    scene = hearing.scene
    told = [c for said, claims in hearing.heard if not said.is_look for c in claims]
    for wish in scene.wishes:
        heard = {claim.what for claim in told if wish in _about(hearing, claim)}
        if hearing.is_spoilt:
            heard |= _of_strangers(hearing, told)
        if scene.made(wish.address, scene.begin, scene.end) and not heard & (_KNOWS | _DENIES):
            yield Failure(UNSAID, f"{wish.address} was invited, and nothing is said of it")
        if wish.kind == "join":
            yield from _unsaid_joining(hearing, wish, heard)
        elif wish.target and wish.target in scene.revoked(scene.begin, scene.end):
            yield from _unsaid_revocation(hearing, wish, heard)


def _of_strangers(hearing: Hearing, told: list[Claim]) -> set[What]:
    """What was said of people whom only Clerk's answer has brought up."""
    known = {"", *(wish.address for wish in hearing.scene.wishes)}
    return {claim.what for claim in told if claim.address not in known}


def _unsaid_joining(hearing: Hearing, wish: Wish, heard: set[What]) -> Iterator[Failure]:
    """Who was made a member knows, and so does who has lost the invitation for nothing."""
    scene = hearing.scene
    knows = {What.MEMBER, What.BEGUN, What.UNKNOWN, What.HALF}
    if scene.joined(wish.address, scene.begin, scene.end) and not heard & (knows | _DENIES):
        yield Failure(UNSAID, f"{wish.address} is a member, and nothing is said of it")
    is_revoked = wish.target in scene.revoked(scene.begin, scene.end)
    has_any = scene.pending().get(wish.address) or wish.address in scene.members()
    if is_revoked and not has_any and not heard & (knows | _DENIES):
        yield Failure(ABANDONED, f"{wish.address} has neither an invitation nor a membership")


def _unsaid_revocation(hearing: Hearing, wish: Wish, heard: set[What]) -> Iterator[Failure]:
    if wish.kind in _REVOKES:
        if not heard & {What.REVOKED, What.GONE, What.UNKNOWN, What.NOTHING, What.NOT_REVOKED}:
            yield Failure(UNSAID, f"{wish.address} was revoked, and nothing is said of it")
    elif wish.kind == "resend" and not hearing.scene.pending().get(wish.address):
        if heard & {What.UNINVITED, What.HALF, What.UNKNOWN}:
            return
        yield Failure(ABANDONED, f"{wish.address} was revoked and not invited anew")


def twice(hearing: Hearing) -> Iterator[Failure]:
    """Nobody is sent to twice, nor asked for a second time while the first may have worked."""
    scene = hearing.scene
    for wish in scene.wishes:
        made = scene.made(wish.address, scene.begin)
        if wish.sends and len(made) > 1:
            yield Failure(TWICE, f"{len(made)} invitations to {wish.address}")
    for since, until in [*((said.since, said.until) for said in scene.said), *scene.turns]:
        out: set[str] = set()
        for call in scene.calls(since, until):
            targets = _targets(call)
            # Who joins makes sure by asking again: revoking and adding twice does no harm.
            is_harmless = all(wish.kind in OF_INVITED for wish in scene.wishes)
            for target in () if is_harmless else targets & out:
                name = name_of(call.method, call.path)
                yield Failure(TWICE, f"{name} is asked for twice: {short(target)}")
            if not _is_refused(call):
                out |= targets


def _targets(call: RecordedCall) -> set[str]:
    """What a write is about: addresses, or the invitation that is revoked."""
    name = name_of(call.method, call.path)
    if name == "revoke":
        return {call.path}
    if name not in ("create", "bulk"):
        return set()
    bodies = call.body if isinstance(call.body, list) else [call.body]
    return {str(b.get("email_address", "")).casefold() for b in bodies if isinstance(b, dict)}


def _is_refused(call: RecordedCall) -> bool:
    """Whether Clerk said no, for certain."""
    return call.status is not None and 400 <= call.status < 500 and call.status != 408
