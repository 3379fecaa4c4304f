"""The value in the link of an invitation: it names an invitation, and authorizes nothing.

That of a link which the app has made is signed, so nobody makes one up, and lives as long as an
invitation may (365 days) and a key of ``SECRET_KEY_FALLBACKS`` does. Whoever has one sees what
Clerk says now, and no more than the invited person may see. An address is in it as a keyed hash
only.

Where the invitation's id is known instead, from a ticket or from Clerk, the ids are the value, and
nothing is signed: a stranger may have said them.
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

from django.core import signing
from django.utils.crypto import salted_hmac

from ...clerk import Invitation, InvitationRequest, OrganizationAPI
from ...conf import conf

_SALT: Final = "org_invitations.joining"
_ADDRESS: Final = "org_invitations.joining.address"

# Twice as long as Clerk's are, and short enough for every value to be a path of ours.
_ORGANIZATION: Final = re.compile(r"org_[A-Za-z0-9]{1,60}")
_INVITATION: Final = re.compile(r"orginv_[A-Za-z0-9]{1,60}")
_IDS: Final = re.compile(rf"({_ORGANIZATION.pattern})\.({_INVITATION.pattern})")
#: Clerk's have about 1000 characters, with a link of ours in them.
_MAX_TICKET: Final = 1500


@dataclass(frozen=True, slots=True)
class JoinValue:
    """What a value names."""

    #: ``org_…``
    organization_id: str
    #: A keyed hash of the address; empty where the invitation's id is known instead.
    address_digest: str = ""
    #: ``orginv_…``; empty in a link, which is made before the invitation is. Nobody vouches for it.
    invitation_id: str = ""
    #: Which of the site's own pages is next: see :func:`find_target`.
    target: str = ""
    #: What makes two invitations of one address differ.
    nonce: str = ""

    def dumps(self) -> str:
        """Return the value as it is in a URL."""
        if self.invitation_id:
            return f"{self.organization_id}.{self.invitation_id}"
        parts = [self.organization_id, self.address_digest, self.target, self.nonce]
        return signing.dumps(parts, salt=_SALT)

    def names(self, invitation: Invitation) -> bool:
        """Whether an invitation of the organization may be meant: by its id, or by its address."""
        if self.invitation_id:
            return invitation.id == self.invitation_id
        return self.names_address(invitation.email_address)

    def names_address(self, email_address: str) -> bool:
        """Whether it is the value of a link to this address."""
        digests = get_digests(self.organization_id, email_address)
        return any(hmac.compare_digest(self.address_digest, digest) for digest in digests)


def loads(text: str) -> JoinValue | None:
    """Read a value; None where it is neither one that this site has signed nor ids."""
    if ids := _IDS.fullmatch(text):
        return JoinValue(ids[1], invitation_id=ids[2])
    try:
        parts = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        return None
    except (ValueError, UnicodeError):  # signed, and no JSON: not by this version
        return None
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        return None
    if len(parts) == 5:  # the links of 0.2.0 have a place for the invitation's id
        del parts[2]
    if len(parts) != 4:
        return None
    organization_id, address_digest, target, nonce = parts
    return JoinValue(organization_id, address_digest, target=target, nonce=nonce)


def get_digests(organization_id: str, email_address: str) -> Iterable[str]:
    """Yield the keyed hash of an address in an organization, by the present key and by old ones."""
    whom = f"{organization_id}\n{email_address.casefold()}"
    for key in conf.SECRET_KEYS:
        yield salted_hmac(_ADDRESS, whom, secret=key, algorithm="sha256").hexdigest()[:32]


def get_digest(organization_id: str, email_address: str) -> str:
    """Return the keyed hash of an address in an organization."""
    return next(iter(get_digests(organization_id, email_address)))


# --- Where one goes on to ------------------------------------------------------------------------


def _get_targets() -> Sequence[str]:
    return [url for url, _ in conf.REDIRECT_URLS] + ([conf.REDIRECT_URL] * bool(conf.REDIRECT_URL))


def _name_of(url: str) -> str:
    return salted_hmac(_SALT, url, secret="target", algorithm="sha256").hexdigest()[:8]  # noqa: S106


def find_target(value: JoinValue | None) -> str:
    """Return where to go on: one of the site's own ``REDIRECT_URLS``, else its ``REDIRECT_URL``.

    The value names it only, so nobody is led anywhere else. Empty where the site has neither.
    """
    known = {_name_of(url): url for url in _get_targets()}
    return known.get(value.target if value else "", conf.REDIRECT_URL)


# --- The links of what the app sends -------------------------------------------------------------


def leads_here() -> bool:
    """Whether the invitations that are made from now on lead to the pages for joining."""
    return bool(conf.JOIN_URL) and "link" in conf.JOIN_WAYS


def make_link(organization_id: str, email_address: str, redirect_url: str | None) -> str | None:
    """Return the ``redirect_url`` to give Clerk: the pages for joining, or what was chosen.

    :param redirect_url: where the person is to end up. One that is not among the settings is left
        as it is, since nobody could be led there later: a program has chosen it.
    """
    if not leads_here() or (redirect_url and redirect_url not in _get_targets()):
        return redirect_url
    value = JoinValue(
        organization_id,
        address_digest=get_digest(organization_id, email_address),
        target=_name_of(redirect_url) if redirect_url else "",
        nonce=uuid4().hex[:12],
    )
    return get_page_url(value.dumps())


def get_page_url(value: str) -> str:
    """Return the absolute URL of a value's page; its origin is a setting, never a header."""
    return f"{conf.JOIN_URL}{value}/"


class LinkingAPI(OrganizationAPI):
    """The Backend API of an organization; whoever it invites is led to the pages for joining."""

    def invite_member(self, request: InvitationRequest) -> Invitation:
        """Invite one person."""
        return super().invite_member(self._lead(request))

    def invite_members(self, requests: Sequence[InvitationRequest]) -> tuple[Invitation, ...]:
        """Invite one to ten people in one call."""
        return super().invite_members([self._lead(request) for request in requests])

    def _lead(self, request: InvitationRequest) -> InvitationRequest:
        link = make_link(self.organization_id, request.email_address, request.redirect_url)
        return replace(request, redirect_url=link)


# --- Tickets -------------------------------------------------------------------------------------


def read_ticket(ticket: str) -> JoinValue | None:
    """Return what a ticket of Clerk's says it is for, or None.

    Whether Clerk has made it nobody can tell here, so it is a hint for the look, and no proof: the
    claims ``oid``, ``sid`` and ``st`` of its body.
    """
    parts = ticket.split(".")
    if len(parts) != 3 or len(ticket) > _MAX_TICKET:
        return None
    try:
        body = parts[1].encode("ascii")
        claims: Any = json.loads(urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
    except (ValueError, RecursionError):
        return None
    if not isinstance(claims, dict) or claims.get("st") != "organization_invitation":
        return None
    organization_id, invitation_id = claims.get("oid"), claims.get("sid")
    if not isinstance(organization_id, str) or not isinstance(invitation_id, str):
        return None
    if not _ORGANIZATION.fullmatch(organization_id) or not _INVITATION.fullmatch(invitation_id):
        return None
    return JoinValue(organization_id, invitation_id=invitation_id)
