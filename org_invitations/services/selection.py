"""Invitations that somebody chose from a list: what became of them since, and what can be done.

The ids come from a form, so anything may be among them. They are looked up in the organization's
own invitations; whatever is not there is gone, and nothing is ever done with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from ..clerk import MAX_LIMIT, Invitation, InvitationStatus, OrganizationAPI
from ..clerk import exceptions as exc
from ..concurrency import gather
from ..converters import InvitationIdConverter
from ..models import Batch
from .directory import look_up
from .exceptions import TooManyInvitations
from .listing import STATUSES
from .preview import PreviewStatus
from .reasons import Reason
from .snapshot import Snapshot

#: How many can be dealt with in one go.
MAX_SELECTED: Final = 500

#: How many are asked for one by one, where the lists that were read do not have them. More are
#: looked for in further pages: anybody can make up ids, and Clerk's limit is shared by all tenants.
_MAX_SINGLE: Final = 40

_ID: Final = re.compile(InvitationIdConverter.regex)


@dataclass(frozen=True, slots=True)
class SelectedInvitation:
    """One of the invitations that were selected."""

    invitation_id: str
    #: None where this organization has none of this id (any more).
    invitation: Invitation | None = None
    #: Why nothing can be done with it; without a name where something can.
    reason: Reason = field(default_factory=Reason)

    @property
    def is_possible(self) -> bool:
        """Whether it can be done, as far as is known."""
        return not self.reason.name


def find_selected(
    api: OrganizationAPI, ids: Iterable[str], status: InvitationStatus = STATUSES[0]
) -> tuple[SelectedInvitation, ...]:
    """Return what the organization has of these ids, in their order, each once.

    Up to 500 of a list that has no more cost one call.

    :param status: of the list that they were selected from: most still have it.
    :raises TooManyInvitations: there are more than :data:`MAX_SELECTED`.
    :raises ClerkError: not all of them could be asked for.
    """
    unique = list(dict.fromkeys(ids))
    if len(unique) > MAX_SELECTED:
        raise TooManyInvitations(len(unique))
    wanted = {invitation_id for invitation_id in unique if _ID.fullmatch(invitation_id)}
    found: dict[str, Invitation] = {}
    missing = set(wanted)
    others = [other for other in STATUSES if other is not status]
    for number, statuses in enumerate(([status], others)):
        offset, total = 0, 1
        # One call tells of most; another one only where asking one by one would take more.
        while offset < total and len(missing) > (_MAX_SINGLE if number or offset else 0):
            page = api.get_invitations(
                status=statuses, order_by="-created_at", limit=MAX_LIMIT, offset=offset
            )
            found |= {row.id: replace(row, url="") for row in page.data if row.id in missing}
            missing -= found.keys()
            offset, total = offset + MAX_LIMIT, page.total_count
    if len(missing) <= _MAX_SINGLE:  # otherwise all there is has been read, and they are not in it
        found |= _find_one_by_one(api, missing)
    return tuple(
        SelectedInvitation(invitation_id, found.get(invitation_id)) for invitation_id in unique
    )


def _find_one_by_one(api: OrganizationAPI, ids: Iterable[str]) -> dict[str, Invitation]:
    outcomes = gather(
        {invitation_id: partial(api.get_invitation, invitation_id) for invitation_id in ids}
    )
    found: dict[str, Invitation] = {}
    for invitation_id, outcome in outcomes.items():
        if isinstance(outcome.error, exc.NotFound) and not isinstance(
            outcome.error, exc.OrganizationNotFound
        ):
            continue
        found[invitation_id] = replace(outcome.get(), url="")
    return found


def evaluate(
    api: OrganizationAPI, snapshot: Snapshot, action: str, selected: Iterable[SelectedInvitation]
) -> tuple[SelectedInvitation, ...]:
    """Tell of each whether the action is possible, and if not, why. It changes nothing.

    :param snapshot: with the roles, and with the seats, where invitations are to be sent.
    """
    evaluated = [_evaluate(one, snapshot, action) for one in selected]
    if action == Batch.Action.RESEND:
        evaluated = _refuse_twice(evaluated)
        evaluated = _refuse_present(api, evaluated)
        evaluated = _count_seats(snapshot, evaluated)
    return tuple(evaluated)


def _evaluate(one: SelectedInvitation, snapshot: Snapshot, action: str) -> SelectedInvitation:
    invitation = one.invitation
    if invitation is None:
        return replace(one, reason=Reason(exc.InvitationNotFound.__name__))
    if action == Batch.Action.REVOKE:
        if invitation.is_pending:
            return one
        return replace(one, reason=_not_pending(invitation))
    if not (invitation.is_pending or invitation.is_expired or invitation.is_revoked):
        return replace(one, reason=_not_pending(invitation))
    if snapshot.roles_error is None and invitation.role not in snapshot.roles:
        not_grantable = {role.key for role in snapshot.roles.not_grantable}
        if invitation.role in not_grantable:
            params = {"role": invitation.role_name}
            return replace(one, reason=Reason(str(PreviewStatus.ROLE_NOT_GRANTED), params))
        params = {"wanted_role": invitation.role_name}
        return replace(one, reason=Reason(str(PreviewStatus.ROLE_UNKNOWN), params))
    return one


def _not_pending(invitation: Invitation) -> Reason:
    return Reason(exc.InvitationNotPending.__name__, {"status": str(invitation.status)})


def _refuse_twice(selected: Sequence[SelectedInvitation]) -> list[SelectedInvitation]:
    """Of several invitations of one address, leave the newest; a pending one before all others."""

    def rank(one: SelectedInvitation) -> tuple[bool, float]:
        invitation = one.invitation
        created = invitation.created_at if invitation else None
        is_pending = invitation is not None and invitation.is_pending
        return is_pending, created.timestamp() if created else 0.0

    best: dict[str, SelectedInvitation] = {}
    for one in selected:
        if one.is_possible and one.invitation is not None:
            address = one.invitation.email_address.casefold()
            if address not in best or rank(one) > rank(best[address]):
                best[address] = one
    kept = {one.invitation_id for one in best.values()}
    return [
        replace(one, reason=Reason("chosen-twice"))
        if one.is_possible and one.invitation_id not in kept
        else one
        for one in selected
    ]


def _refuse_present(
    api: OrganizationAPI, selected: Sequence[SelectedInvitation]
) -> list[SelectedInvitation]:
    """Refuse whoever is a member by now, or has another invitation that is pending."""
    ended = [one for one in selected if one.is_possible and not _is_pending(one)]
    directory = look_up(api, [_address(one) for one in ended])
    evaluated = []
    for one in selected:
        reason = None
        if one.is_possible and not _is_pending(one):
            membership = directory.memberships.get(_address(one))
            pending = directory.invitations.get(_address(one))
            if membership is not None:
                reason = Reason(str(PreviewStatus.MEMBER), _known({"role": membership.role_name}))
            elif pending is not None:
                reason = Reason.of_error(exc.DuplicateInvitation(), pending)
        evaluated.append(replace(one, reason=reason) if reason else one)
    return evaluated


def _count_seats(
    snapshot: Snapshot, selected: Sequence[SelectedInvitation]
) -> list[SelectedInvitation]:
    """Refuse those that no seat is left for; a pending one gives its own to the new one."""
    seats = snapshot.seats
    if seats is None or not seats.limit:
        return list(selected)
    left = seats.limit - seats.used  # below 0 where there are more people than seats by now
    evaluated = []
    for one in selected:
        needed = 0 if _is_pending(one) else 1
        if one.is_possible and left < needed:
            evaluated.append(replace(one, reason=Reason(str(PreviewStatus.NO_SEAT))))
            continue
        left -= needed if one.is_possible else 0
        evaluated.append(one)
    return evaluated


def _is_pending(one: SelectedInvitation) -> bool:
    return one.invitation is not None and one.invitation.is_pending


def _address(one: SelectedInvitation) -> str:
    return one.invitation.email_address.casefold() if one.invitation is not None else ""


def _known(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value not in ("", None)}
