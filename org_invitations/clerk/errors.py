"""From an error answer of Clerk's to the exception that says what it means.

Sources: Clerk's catalogue of API errors and its OpenAPI description 2026-05-12. Where Clerk's
documents leave open which of several codes an endpoint sends, all of them are here: what a
non-admin ``inviter_user_id`` gives, what an unknown role gives, and which of two codes a
second invitation of one address gives.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from . import exceptions as exc

_BY_CODE: Final[Mapping[str, type[exc.APIError]]] = {
    # Creating
    "duplicate_record": exc.DuplicateInvitation,
    "organization_invitation_not_unique": exc.DuplicateInvitation,
    "already_a_member_in_organization": exc.AlreadyMember,
    "organization_membership_quota_exceeded": exc.QuotaExceeded,
    "quota_exceeded": exc.QuotaExceeded,
    "insufficient_seats": exc.QuotaExceeded,
    "not_allowed_access": exc.AddressNotAllowed,
    "exclusive_organization_membership": exc.ExclusiveMembership,
    "invitations_not_supported": exc.InvitationsNotSupported,
    "invitations_not_supported_in_organization": exc.InvitationsNotSupported,
    "organization_not_enabled_in_instance": exc.InvitationsNotSupported,
    "dev_monthly_email_limit_exceeded": exc.DevelopmentLimit,
    "bulk_size_exceeded": exc.InvalidRequest,
    "role_migration_in_progress": exc.RoleMigrationInProgress,
    "resource_locked": exc.ResourceLocked,
    # Parameters
    "form_param_format_invalid": exc.InvalidParameter,
    "form_param_missing": exc.InvalidParameter,
    "form_param_nil": exc.InvalidParameter,
    "form_param_type_invalid": exc.InvalidParameter,
    "form_param_unknown": exc.InvalidParameter,
    "form_param_value_invalid": exc.InvalidParameter,
    "form_param_value_too_large": exc.InvalidParameter,
    "form_param_exceeds_allowed_size": exc.InvalidParameter,
    "form_param_max_length_exceeded": exc.InvalidParameter,
    "form_param_array_size_exceeded": exc.InvalidParameter,
    "form_param_duplicate": exc.InvalidParameter,
    "invalid_redirect_url": exc.InvalidParameter,
    "prohibited_redirect_url": exc.InvalidParameter,
    "redirect_url_domain_mismatch": exc.InvalidParameter,
    "request_body_invalid": exc.InvalidRequest,
    "malformed_request_parameters": exc.InvalidRequest,
    "request_body_too_large": exc.InvalidRequest,
    "unsupported_content_type": exc.InvalidRequest,
    # Who may
    "missing_organization_permission": exc.PermissionDenied,
    "not_a_member_in_organization": exc.PermissionDenied,
    "not_an_admin_in_organization": exc.PermissionDenied,
    # What is there
    "organization_not_found_or_unauthorized": exc.OrganizationNotFound,
    "organization_invitation_to_deleted_organization": exc.OrganizationNotFound,
    "organization_invitation_not_found": exc.InvitationNotFound,
    "organization_invitation_not_pending": exc.InvitationNotPending,
    "organization_invitation_already_accepted": exc.InvitationNotPending,
    "organization_invitation_revoked_code": exc.InvitationNotPending,
    "invitation_already_revoked": exc.InvitationNotPending,
    "resource_not_found": exc.NotFound,
    # The site
    "clerk_key_invalid": exc.Unauthorized,
    "authentication_invalid": exc.Unauthorized,
    "authorization_header_format_invalid": exc.Unauthorized,
    "authorization_invalid": exc.Unauthorized,
    "authorization_missing_scopes": exc.Unauthorized,
    "api_version_invalid": exc.Unauthorized,
    "operation_deprecated": exc.Unauthorized,
    # Clerk
    "too_many_requests": exc.RateLimited,
    "internal_clerk_error": exc.ServiceUnavailable,
    "service_unavailable": exc.ServiceUnavailable,
    "gateway_timeout": exc.ServiceUnavailable,
}

_BY_STATUS: Final[Mapping[int, type[exc.APIError]]] = {
    400: exc.InvalidRequest,
    401: exc.Unauthorized,
    404: exc.NotFound,
    422: exc.InvalidRequest,
    429: exc.RateLimited,
}


def error_from_response(
    status: int,
    body: Any,
    *,
    retry_after: str | None = None,
    date: str | None = None,
    ray: str | None = None,
) -> exc.ClerkError:
    """Return the exception for an error answer.

    :param status: the HTTP status, 400 or above.
    :param body: the decoded JSON body, or None where it was not JSON.
    :param retry_after: the ``Retry-After`` header: whole seconds, as Clerk sends it, or a date, as
        something in between may. Anything else is ignored.
    :param date: the ``Date`` header, from which a date is counted; this machine's clock without it.
    :param ray: the ``cf-ray`` header, the trace id where the body has none.
    """
    errors = _details(body)
    trace_id = _trace_id(body, ray)
    if status == 429:
        return exc.RateLimited(
            retry_after=_seconds(retry_after, date), status=status, errors=errors, trace_id=trace_id
        )
    if status == 408:  # whoever gave up waiting, the request may have arrived all the same
        return exc.Timeout("a time-out", status=status, errors=errors, trace_id=trace_id)
    if status >= 500:
        return exc.ServiceUnavailable(status=status, errors=errors, trace_id=trace_id)
    if not errors and status in (404, 400, 422):
        # Clerk always explains these; something else answered, such as a wrong address or proxy.
        return exc.InvalidResponse(
            "an error without Clerk's explanation", status=status, trace_id=trace_id
        )
    kind = _kind(status, errors[0] if errors else None)
    return kind(status=status, errors=errors, trace_id=trace_id)


def _kind(status: int, detail: exc.ErrorDetail | None) -> type[exc.APIError]:
    code = detail.code if detail else ""
    kind = _BY_CODE.get(code) or _BY_STATUS.get(status, exc.UnexpectedError)
    if detail is None:
        return kind
    if kind is exc.RateLimited:  # the code without the status: nothing says how long to wait
        return exc.RateLimited
    text = f"{detail.message} {detail.long_message}".lower()
    if kind is exc.InvalidParameter:
        if detail.param_name == "role":
            return exc.RoleNotFound  # the 422 variant of "Organization role not found"
        if code == "form_param_format_invalid" and (
            detail.param_name == "email_address" or "email_addresses" in detail.meta
        ):
            return exc.InvalidEmailAddress
    if code == "resource_not_found":
        if detail.param_name == "role" or _ROLE.search(text):
            return exc.RoleNotFound
        if "no user was found" in text or detail.param_name in _ACTING_USER:
            return exc.PermissionDenied
        if "organization not found" in text:
            return exc.OrganizationNotFound
    return kind


_ACTING_USER: Final = ("inviter_user_id", "requesting_user_id")

# As a word: the texts also quote ids, and those are random letters.
_ROLE: Final = re.compile(r"\brole\b")


def _details(body: Any) -> tuple[exc.ErrorDetail, ...]:
    entries = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        return ()
    return tuple(_detail(entry) for entry in entries if isinstance(entry, dict))


def _detail(entry: Mapping[str, Any]) -> exc.ErrorDetail:
    meta = entry.get("meta")
    return exc.ErrorDetail(
        code=_text(entry.get("code")),
        message=_text(entry.get("message")),
        long_message=_text(entry.get("long_message")),
        meta=meta if isinstance(meta, dict) else {},
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _trace_id(body: Any, ray: str | None) -> str:
    value = body.get("clerk_trace_id") if isinstance(body, dict) else None
    return _text(value) or (ray or "")


def _seconds(value: str | None, date: str | None) -> int | None:
    """Read a ``Retry-After`` (RFC 9110, 10.2.3), however long it is; the exception bounds it."""
    text = (value or "").strip(" \t")
    if re.fullmatch(r"[0-9]+", text):
        # Python refuses to read thousands of digits as a number, and no wait is that long.
        return int(text) if len(text) < 10 else exc.MAX_RETRY_AFTER
    moment = _moment(text)
    if moment is None:
        return None
    return math.ceil((moment - (_moment(date or "") or datetime.now(UTC))).total_seconds())


def _moment(text: str) -> datetime | None:
    """Read a date of HTTP's; None where it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None
