"""What is asked: each probe makes a few calls and says what it saw, in words that can be compared.

No address, id, ticket or link is in what it says. ``settles`` are entries of
``org_invitations/emulator/unknowns.py``, word for word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import jwt

from .api import SITE, Answer, Clerk, claims_of

MARK: Final = "0123456789abcdef0123456789abcdef"


@dataclass
class World:
    """What a trial works on: an organization of its own, and three people."""

    clerk: Clerk
    organization: str
    #: Manages the members; is a plain one; has an account and belongs to nothing.
    admin: str
    member: str
    guest: str
    #: The addresses of the last two.
    member_address: str
    guest_address: str

    @property
    def path(self) -> str:
        return f"/organizations/{self.organization}/invitations"

    def invite(self, address: str = "", **fields: Any) -> Answer:
        """Invite somebody, by default a new one; no mail goes out."""
        body = {
            "email_address": address or new_address(),
            "role": "org:member",
            "inviter_user_id": self.admin,
            "notify": False,
            **fields,
        }
        return self.clerk.call("POST", self.path, body)

    def invite_many(self, *addresses: str) -> Answer:
        body = [
            {
                "email_address": address,
                "role": "org:member",
                "inviter_user_id": self.admin,
                "notify": False,
            }
            for address in addresses
        ]
        return self.clerk.call("POST", f"{self.path}/bulk", body)

    def status(self, answer: Answer) -> str:
        """The status of an invitation that was made, as it is now."""
        found = self.clerk.call("GET", f"{self.path}/{answer.body['id']}")
        return str((found.body or {}).get("status", found.told))

    def revoke(self, answer: Answer, **body: Any) -> Answer:
        return self.clerk.call("POST", f"{self.path}/{answer.body['id']}/revoke", body)


def new_address() -> str:
    """An address of nobody's; Clerk sends no mail to those with ``+clerk_test``."""
    return f"trial.{uuid4().hex[:12]}+clerk_test@example.com"


@dataclass(frozen=True)
class Probe:
    name: str
    run: Callable[[World], str]
    settles: tuple[str, ...] = field(default=())


PROBES: list[Probe] = []


def probe(name: str, *settles: str) -> Callable[[Callable[[World], str]], Callable[[World], str]]:
    def register(run: Callable[[World], str]) -> Callable[[World], str]:
        PROBES.append(Probe(name, run, settles))
        return run

    return register


# --- Inviting ------------------------------------------------------------------------------------


@probe(
    "a second invitation of an address",
    "Which code a single create gives for an address with a pending invitation",
)
def duplicate(world: World) -> str:
    address = new_address()
    world.invite(address)
    return world.invite(address).told


@probe(
    "the address in another case",
    "Whether e-mail addresses are compared case-insensitively",
)
def other_case(world: World) -> str:
    address = new_address()
    world.invite(address)
    return "the same" if world.invite(address.upper()).status >= 400 else "another"


@probe(
    "ten of which one is invited already",
    "Which code a bulk create gives for that",
    "Whether a bulk create is all or nothing",
)
def bulk_duplicate(world: World) -> str:
    taken, other = new_address(), new_address()
    world.invite(taken)
    answer = world.invite_many(taken, other)
    listed = world.clerk.call("GET", world.path, email_address=other, limit=1)
    made = bool((listed.body or {}).get("data"))
    return f"{answer.told}; the other one {'was' if made else 'was not'} made"


@probe(
    "a malformed address among several",
    "What a bulk create says of malformed addresses",
)
def bulk_malformed(world: World) -> str:
    return world.invite_many("nobody", new_address()).told


@probe("an address twice in one call", "What an address twice in one bulk create gives")
def bulk_twice(world: World) -> str:
    address = new_address()
    return world.invite_many(address, address).told


@probe(
    "eleven in one call, and none",
    "What more than 10 invitations in a bulk create give, and none at all",
)
def bulk_sizes(world: World) -> str:
    many = world.invite_many(*(new_address() for _ in range(11)))
    return f"{many.told}; {world.invite_many().told}"


@probe("a member", "How the refusal of somebody who is a member names them")
def invited_member(world: World) -> str:
    answer = world.invite(world.member_address)
    said = f"{answer.error.get('message', '')} {answer.error.get('long_message', '')}"
    by = "the address" if world.member_address in said else "no address"
    return f"{answer.told}; names {by}{', and the id' if world.member in said else ''}"


@probe(
    "a role that there is not",
    "What a role outside of the organization's role set gives",
)
def unknown_role(world: World) -> str:
    return world.invite(role="org:no_such_role").told


@probe(
    "an inviter who may not, and a stranger",
    "Which code an inviter_user_id without the right gets",
)
def weak_inviter(world: World) -> str:
    weak = world.invite(inviter_user_id=world.member)
    return f"{weak.told}; {world.invite(inviter_user_id=world.guest).told}"


@probe("a bad redirect_url", "What a bad redirect_url in an invitation gives")
def bad_redirect(world: World) -> str:
    return world.invite(redirect_url="nowhere").told


@probe(
    "the metadata mark",
    "Whether an invitation's private_metadata, which is optional, is in the answers",
)
def metadata(world: World) -> str:
    made = world.invite(private_metadata={"org_invitations": MARK})
    got = world.clerk.call("GET", f"{world.path}/{made.body['id']}")
    listed = world.clerk.call("GET", world.path, limit=1)
    rows = (listed.body or {}).get("data") or [{}]
    answers = {"made": made.body, "got": got.body, "listed": rows[0], "revoked": None}
    answers["revoked"] = world.revoke(made).body
    kept = [
        name
        for name, body in answers.items()
        if ((body or {}).get("private_metadata") or {}).get("org_invitations") == MARK
    ]
    return f"told when {', '.join(kept) or 'never'}"


@probe("where the link is told", "Whether url is in lists, and after the invitation is settled")
def urls(world: World) -> str:
    made = world.invite()
    listed = world.clerk.call("GET", world.path, limit=1)
    rows = (listed.body or {}).get("data") or [{}]
    revoked = world.revoke(made)
    found = {"made": made.body, "listed": rows[0], "revoked": revoked.body}
    return f"told when {', '.join(n for n, b in found.items() if (b or {}).get('url')) or 'never'}"


@probe(
    "two statuses in one parameter",
    "Whether several values of status are repeated or separated by commas",
)
def statuses(world: World) -> str:
    return world.clerk.call("GET", world.path, status="pending,revoked").told


# --- Revoking, and joining by the server ---------------------------------------------------------


@probe("revoking in nobody's name, then again")
def revoking(world: World) -> str:
    made = world.invite()
    first = world.revoke(made)
    return f"{first.told} {(first.body or {}).get('status', '')}; {world.revoke(made).told}"


@probe("adding a person whose invitation was revoked, then again")
def adding(world: World) -> str:
    revoked = world.revoke(world.invite(world.guest_address, private_metadata={"a": 1}))
    body = {
        "user_id": world.guest,
        "role": (revoked.body or {}).get("role", ""),
        "private_metadata": {"a": 1},
    }
    path = f"/organizations/{world.organization}/memberships"
    first = world.clerk.call("POST", path, body)
    kept = (first.body or {}).get("private_metadata") == {"a": 1}
    again = world.clerk.call("POST", path, body)
    world.clerk.call("DELETE", f"{path}/{world.guest}")
    return f"{first.told}, metadata {'kept' if kept else 'not kept'}; {again.told}"


# --- The link ------------------------------------------------------------------------------------


def _ticket(answer: Answer) -> str:
    return parse_qs(urlsplit((answer.body or {}).get("url") or "").query).get("ticket", [""])[0]


@probe(
    "the ticket",
    "Whether the instance's published keys verify a ticket",
    "What the ticket of an invitation that never expires says",
)
def ticket(world: World) -> str:
    token = _ticket(world.invite())
    header, claims = claims_of(token)
    keys = world.clerk.call("GET", "/jwks").body or {}
    verified = False
    for key in keys.get("keys", []):
        try:
            options = {"verify_exp": False, "verify_aud": False}
            jwt.decode(token, jwt.PyJWK(key).key, algorithms=["RS256"], options=options)  # type: ignore[arg-type]
        except jwt.PyJWTError:
            continue
        verified = True
    known = "with kid" if "kid" in header else "without kid"
    return (
        f"{known}, claims {' '.join(sorted(claims)) or 'unreadable'}; "
        f"{'verified' if verified else 'not verified'} by the published keys"
    )


def _followed(world: World, address: str) -> str:
    made = world.invite(address, redirect_url=f"{SITE}/join/?ours=1")
    url = (made.body or {}).get("url") or ""
    head = world.clerk.open("HEAD", url)
    got = world.clerk.open("GET", url)
    kept = "kept" if got.query.get("ours") == "1" else "lost"
    return (
        f"HEAD {head.status}; GET {got.status} {got.query.get('__clerk_status', 'no status')}, our "
        f"query {kept}; {world.status(made)} afterwards"
    )


@probe(
    "the link of somebody new, opened as a scanner does",
    "Whether the query of a redirect_url is kept, with each of the three statuses",
    "What a HEAD for a ticket's link gives",
)
def link_of_new(world: World) -> str:
    return _followed(world, new_address())


@probe(
    "the link of somebody with an account, opened as a scanner does",
    "When the membership is made for somebody who is not signed in",
    "Whether the query of a redirect_url is kept, with each of the three statuses",
)
def link_of_known(world: World) -> str:
    return _followed(world, world.guest_address)


@probe("the link of a revoked invitation")
def link_of_revoked(world: World) -> str:
    made = world.invite()
    world.revoke(made)
    return world.clerk.open("GET", (made.body or {}).get("url") or "").told


# --- A session, begun with a ticket --------------------------------------------------------------


@probe(
    "signing in with the ticket, and the session token of a handshake",
    "Whether the session token of a handshake names the site (azp)",
    "Whether accepting makes the organization the active one",
    "What the link of an accepted invitation gives",
)
def session(world: World) -> str:
    _free_guest(world)
    made = world.invite(world.guest_address)
    url = (made.body or {}).get("url") or ""
    base = "{0.scheme}://{0.netloc}/v1".format(urlsplit(url))
    browser = (world.clerk.post_form(f"{base}/dev_browser", {}).body or {}).get("id", "")
    form = {"strategy": "ticket", "ticket": _ticket(made)}
    signed_in = world.clerk.post_form(
        f"{base}/client/sign_ins", form, __clerk_db_jwt=browser, __clerk_api_version="2026-05-12"
    )
    handshake = world.clerk.open(
        "GET",
        f"{base}/client/handshake",
        redirect_url=f"{SITE}/",
        format="token",
        __clerk_db_jwt=browser,
        __clerk_api_version="2026-05-12",
    )
    _, payload = claims_of(handshake.query.get("__clerk_handshake", ""))
    token = ""
    for line in payload.get("handshake") or []:
        if line.startswith("__session="):
            token = line.partition(";")[0].partition("=")[2]
    _, claims = claims_of(token)
    active = (claims.get("o") or {}).get("id") or claims.get("org_id")
    return (
        f"sign-in {signed_in.told}, invitation {world.status(made)}; token "
        f"{'with' if 'azp' in claims else 'without' if claims else 'none, so no'} azp, "
        f"organization {'active' if active == world.organization else 'not active'}; "
        f"link again {world.clerk.open('GET', url).told}"
    )


def _free_guest(world: World) -> None:
    """Let nothing of the probes before be in the way."""
    path = f"/organizations/{world.organization}"
    world.clerk.call("DELETE", f"{path}/memberships/{world.guest}")
    rows = world.clerk.call("GET", world.path, status="pending", limit=500).body or {}
    for row in rows.get("data", []):
        if row.get("email_address") == world.guest_address:
            world.clerk.call("POST", f"{world.path}/{row['id']}/revoke", {})
