"""Backend API: an organization's invitations."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import errors, shapes
from .bapi_organizations import organization_by_id
from .fields import Fields, check_manager, check_role
from .limits import HOUR
from .params import is_email, many, ordered, page
from .routing import BAPI, Call, Router
from .seats import check_seats
from .state import Invitation, Organization

if TYPE_CHECKING:
    from .core import Emulator

router = Router(BAPI, "/v1")

STATUSES = ("pending", "accepted", "revoked", "expired")
MAX_BULK = 10
MAX_DAYS = 365
DEFAULT_DAYS = 30

_FIELDS = (
    "email_address",
    "role",
    "inviter_user_id",
    "public_metadata",
    "private_metadata",
    "redirect_url",
    "expires_in_days",
    "notify",
)


@dataclass(frozen=True)
class Wish:
    """One invitation as it was asked for."""

    email_address: str
    role: str
    inviter_user_id: str | None
    redirect_url: str | None
    expires_in_days: int
    notify: bool
    public_metadata: dict[str, Any]
    private_metadata: dict[str, Any]


@router.on("POST", "/organizations/{organization_id}/invitations")
def create_invitation(call: Call) -> dict[str, Any]:
    settings = call.emulator.settings
    call.emulator.limit("single", settings.single_invitations_per_hour, HOUR)
    org = organization_by_id(call)
    wish = _wish(call.json_body())
    if not is_email(wish.email_address):
        raise errors.email_format_invalid()
    _check(call.emulator, org, [wish])
    taken = _already_pending(call, org, [wish])
    if taken and settings.single_duplicate_code == "duplicate_record":
        raise errors.duplicate_record(taken)
    if taken:
        raise errors.invitation_not_unique()
    check_seats(call.emulator, org, 1)
    return shapes.invitation(call.emulator, _create(call, org, wish))


@router.on("POST", "/organizations/{organization_id}/invitations/bulk")
def create_invitations(call: Call) -> dict[str, Any]:
    """All of them or, when one is not possible, none; unless ``bulk_atomic`` is off."""
    settings = call.emulator.settings
    call.emulator.limit("bulk", settings.bulk_invitations_per_hour, HOUR)
    org = organization_by_id(call)
    body = call.json_body()
    if not isinstance(body, list) or not body:
        raise errors.request_body_invalid()
    if len(body) > MAX_BULK:
        raise errors.bulk_size_exceeded(MAX_BULK)
    wishes = [_wish(item) for item in body]
    try:
        _check_all(call, org, wishes)
    except errors.ClerkError:
        if not settings.bulk_atomic:
            _create_the_good_ones(call, org, wishes)
        raise
    created = [_create(call, org, wish) for wish in wishes]
    return {
        "data": [shapes.invitation(call.emulator, row) for row in created],
        "total_count": len(created),
    }


def _create_the_good_ones(call: Call, org: Organization, wishes: list[Wish]) -> None:
    for wish in wishes:
        with contextlib.suppress(errors.ClerkError):
            _check_all(call, org, [wish])
            _create(call, org, wish)


def _check_all(call: Call, org: Organization, wishes: list[Wish]) -> None:
    """Raises the error with which a bulk create of these is refused."""
    settings = call.emulator.settings
    malformed = [w.email_address for w in wishes if not is_email(w.email_address)]
    if malformed and settings.bulk_format_meta == "param_name":
        raise errors.email_format_invalid()
    if malformed:
        raise errors.email_formats_invalid(malformed)
    if len({w.email_address.casefold() for w in wishes}) < len(wishes):
        raise errors.email_repeated()
    _check(call.emulator, org, wishes)
    taken = _already_pending(call, org, wishes)
    if taken and settings.bulk_duplicate_code == "duplicate_record":
        raise errors.duplicate_record(taken)
    if taken:
        raise errors.invitation_not_unique()
    check_seats(call.emulator, org, len(wishes))


@router.on("GET", "/organizations/{organization_id}/invitations")
def list_invitations(call: Call) -> dict[str, Any]:
    org = organization_by_id(call)
    address = call.request.argument("email_address")
    rows = [
        row
        for row in with_status(call, call.state.invitations_of(org.id))
        if address is None or row.email_address.casefold() == address.casefold()
    ]
    return page(call, by_order(call, rows), lambda row: shapes.invitation(call.emulator, row))


@router.on("GET", "/organizations/{organization_id}/invitations/{invitation_id}")
def get_invitation(call: Call) -> dict[str, Any]:
    return shapes.invitation(call.emulator, _invitation(call, organization_by_id(call)))


@router.on("POST", "/organizations/{organization_id}/invitations/{invitation_id}/revoke")
def revoke_invitation(call: Call) -> dict[str, Any]:
    org = organization_by_id(call)
    fields = Fields(call.json_body(), ("requesting_user_id",))
    requesting_user_id = fields.optional_string("requesting_user_id")
    if requesting_user_id is not None:
        check_manager(call.emulator, org, requesting_user_id)
    row = _invitation(call, org)
    if row.status(call.now_ms) != "pending":
        raise errors.invitation_not_pending()
    row.state, row.updated_at = "revoked", call.now_ms
    return shapes.invitation(call.emulator, row)


@router.on("GET", "/organization_invitations")
def list_all_invitations(call: Call) -> dict[str, Any]:
    query = (call.request.argument("query") or "").casefold()
    rows = [
        row
        for row in with_status(call, call.state.invitations.values())
        if query in row.email_address.casefold()
    ]
    return page(
        call,
        by_order(call, rows),
        lambda row: shapes.invitation_with_organization(call.emulator, row),
    )


def with_status(call: Call, rows: Iterable[Invitation]) -> list[Invitation]:
    """The rows in one of the statuses asked for; all of them when none was."""
    wanted = many(call, "status")
    for status in wanted:
        if status not in STATUSES:
            raise errors.param_value_invalid(
                "status", f"{status} does not match the allowed values for parameter status."
            )
    return [row for row in rows if not wanted or row.status(call.now_ms) in wanted]


def by_order(call: Call, rows: Iterable[Invitation]) -> list[Invitation]:
    return ordered(
        call,
        sorted(rows, key=lambda row: (row.created_at, row.sequence)),
        {
            "created_at": lambda row: row.created_at,
            "email_address": lambda row: row.email_address.casefold(),
        },
        "-created_at",
    )


def _invitation(call: Call, org: Organization) -> Invitation:
    invitation_id = call.params["invitation_id"]
    row = call.state.invitations.get(invitation_id)
    if row is None or row.organization_id != org.id:
        raise errors.invitation_not_found(invitation_id)
    return row


def _wish(body: Any) -> Wish:
    fields = Fields(body, _FIELDS)
    notify = fields.optional_boolean("notify")
    return Wish(
        email_address=fields.required_string("email_address"),
        role=fields.required_string("role"),
        inviter_user_id=fields.optional_string("inviter_user_id"),
        redirect_url=fields.optional_url("redirect_url"),
        expires_in_days=fields.optional_integer("expires_in_days", 1, MAX_DAYS) or DEFAULT_DAYS,
        notify=True if notify is None else notify,
        public_metadata=fields.metadata("public_metadata"),
        private_metadata=fields.metadata("private_metadata"),
    )


def _check(emulator: Emulator, org: Organization, wishes: list[Wish]) -> None:
    """Inviter, role, allowlist and blocklist, memberships: in this order."""
    state = emulator.state
    for wish in wishes:
        if wish.inviter_user_id is not None:
            check_manager(emulator, org, wish.inviter_user_id)
        check_role(emulator, org, wish.role)
    refused = [w.email_address for w in wishes if _is_blocked(emulator, w.email_address)]
    if refused:
        raise errors.not_allowed_access(refused)
    for wish in wishes:
        user = state.user_by_email(wish.email_address)
        if user is not None and state.membership(org.id, user.id) is not None:
            by_id = emulator.settings.member_error_names == "user_id"
            raise errors.already_a_member(f"User {user.id}" if by_id else wish.email_address)
        exclusive = emulator.settings.exclusive_membership
        if exclusive and user is not None and state.memberships_of(user.id):
            raise errors.exclusive_membership()


def _is_blocked(emulator: Emulator, address: str) -> bool:
    folded = address.casefold()
    names = {folded, folded.rpartition("@")[2]}
    blocked = {entry.casefold() for entry in emulator.settings.blocked_domains}
    allowed = {entry.casefold() for entry in emulator.settings.allowed_domains}
    return bool(names & blocked) or (bool(allowed) and not names & allowed)


def _already_pending(call: Call, org: Organization, wishes: list[Wish]) -> list[str]:
    pending = {
        row.email_address.casefold()
        for row in call.state.invitations_of(org.id)
        if row.status(call.now_ms) == "pending"
    }
    return [w.email_address for w in wishes if w.email_address.casefold() in pending]


def _create(call: Call, org: Organization, wish: Wish) -> Invitation:
    return call.emulator.add_invitation(
        org.id,
        wish.email_address,
        role=wish.role,
        inviter=wish.inviter_user_id,
        expires_in_days=wish.expires_in_days,
        redirect_url=wish.redirect_url,
        public_metadata=wish.public_metadata,
        private_metadata=wish.private_metadata,
        notify=wish.notify,
    )
