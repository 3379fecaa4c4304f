"""Clerk's errors, each with its status, code and wording.

Shape: ``{"errors": [{"code", "message", "long_message", "meta"?}], "clerk_trace_id"}`` (schemas
ClerkErrors and ClerkError of the API description). Codes and wording come from Clerk's public
error catalogue, the fixtures of its own packages and its documentation.
"""

from __future__ import annotations

from typing import Any


class ClerkError(Exception):
    """An answer that is not a success."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        long_message: str | None = None,
        *,
        meta: dict[str, Any] | None = None,
        headers: list[tuple[str, str]] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.message = message
        self.long_message = message if long_message is None else long_message
        self.meta = meta
        self.headers = headers or []

    def as_dict(self) -> dict[str, Any]:
        error: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "long_message": self.long_message,
        }
        if self.meta is not None:
            error["meta"] = self.meta
        return error


def param_error(
    code: str, message: str, long_message: str, param_name: str, status: int = 422
) -> ClerkError:
    return ClerkError(status, code, message, long_message, meta={"param_name": param_name})


def param_missing(name: str) -> ClerkError:
    return param_error("form_param_missing", "is missing", f"{name} must be included.", name)


def param_nil(name: str) -> ClerkError:
    long_message = f"{name.replace('_', ' ').capitalize()} is required."
    return param_error("form_param_nil", "is missing or empty", long_message, name)


def param_type_invalid(name: str, expected: str) -> ClerkError:
    return param_error(
        "form_param_type_invalid", "is invalid", f"`{name}` must be {expected}.", name
    )


def param_value_invalid(name: str, long_message: str | None = None) -> ClerkError:
    return param_error(
        "form_param_value_invalid", "is invalid", long_message or f"{name} is invalid", name
    )


def param_too_large(name: str, maximum: int) -> ClerkError:
    return param_error(
        "form_param_value_too_large",
        "is too large",
        f"{name} must be less than or equal to {maximum}.",
        name,
    )


def param_unknown(name: str) -> ClerkError:
    return param_error(
        "form_param_unknown",
        "is unknown",
        f"{name} is not a valid parameter for this request.",
        name,
    )


def email_format_invalid() -> ClerkError:
    return param_error(
        "form_param_format_invalid",
        "is invalid",
        "email_address must be a valid email address.",
        "email_address",
    )


def email_formats_invalid(addresses: list[str]) -> ClerkError:
    return ClerkError(
        422,
        "form_param_format_invalid",
        "is invalid",
        "email_address must be a valid email address.",
        meta={"email_addresses": addresses},
    )


def email_repeated() -> ClerkError:
    return param_error(
        "form_param_duplicate",
        "is duplicated",
        "email_address is included more than once.",
        "email_address",
    )


def resource_not_found(long_message: str, param_name: str | None = None) -> ClerkError:
    meta = {"param_name": param_name} if param_name else None
    return ClerkError(404, "resource_not_found", "not found", long_message, meta=meta)


def organization_not_found() -> ClerkError:
    return resource_not_found("Given organization not found.")


def user_not_found(user_id: str) -> ClerkError:
    return resource_not_found(f"No user was found with id {user_id}.")


def invitation_not_found(invitation_id: str) -> ClerkError:
    return resource_not_found(f"No invitation found with id {invitation_id}.")


def role_not_found() -> ClerkError:
    return resource_not_found("Organization role not found", "role")


def role_value_invalid(role: str) -> ClerkError:
    return param_value_invalid(
        "role", f"{role} does not match the allowed values for parameter role."
    )


def invitation_not_pending() -> ClerkError:
    return ClerkError(
        404,
        "organization_invitation_not_pending",
        "not pending",
        'The organization invitation is not in the "pending" status.',
    )


def duplicate_record(addresses: list[str]) -> ClerkError:
    return ClerkError(
        400,
        "duplicate_record",
        "duplicate invitation",
        "There are already pending invitations for the following email addresses: "
        + ", ".join(addresses),
        meta={"email_addresses": addresses},
    )


def invitation_not_unique() -> ClerkError:
    return ClerkError(
        400,
        "organization_invitation_not_unique",
        "duplicate invitation",
        "Organizations cannot have duplicate pending invitations for an email address.",
    )


def already_a_member(who: str) -> ClerkError:
    return ClerkError(
        400,
        "already_a_member_in_organization",
        "already a member",
        f"{who} is already a member of the organization.",
    )


def exclusive_membership() -> ClerkError:
    return ClerkError(
        422,
        "exclusive_organization_membership",
        "exclusive organization membership",
        "The user belongs to another organization and cannot be a member of a second one.",
    )


def not_a_member() -> ClerkError:
    return ClerkError(
        403,
        "not_a_member_in_organization",
        "not a member",
        "The user is not a member of the organization.",
    )


def missing_permission(permission: str) -> ClerkError:
    return ClerkError(
        403,
        "missing_organization_permission",
        "missing permission",
        "The user does not have the permissions this action needs in the organization.",
        meta={"permissions": [permission]},
    )


def not_an_admin() -> ClerkError:
    return ClerkError(
        403,
        "not_an_admin_in_organization",
        "not an administrator",
        "Current user is not an administrator in the organization. "
        "Only administrators can perform this action.",
    )


def not_allowed_access(addresses: list[str]) -> ClerkError:
    verb = "is" if len(addresses) == 1 else "are"
    return ClerkError(
        403,
        "not_allowed_access",
        "Access not allowed.",
        f"{', '.join(addresses)} {verb} not allowed to access this application.",
        meta={"identifiers": addresses},
    )


def membership_quota_exceeded(limit: int) -> ClerkError:
    return ClerkError(
        403,
        "organization_membership_quota_exceeded",
        "organization membership quota exceeded",
        f"You have reached your limit of {limit} organization memberships, "
        "including outstanding invitations.",
    )


def insufficient_seats(needed: int) -> ClerkError:
    return ClerkError(
        402,
        "insufficient_seats",
        "Insufficient seats",
        "You have reached the seat limit for your current plan.",
        meta={"seats_quantity": needed},
    )


def role_migration_in_progress() -> ClerkError:
    return ClerkError(
        409,
        "role_migration_in_progress",
        "role migration in progress",
        "Roles cannot be changed while a role set migration is in progress. Please try later.",
    )


def bulk_size_exceeded(maximum: int) -> ClerkError:
    return ClerkError(
        400,
        "bulk_size_exceeded",
        "bulk size exceeded",
        f"At most {maximum} invitations can be created at once.",
    )


def too_many_requests(retry_after: int) -> ClerkError:
    """``retry_after`` in whole seconds, also sent as the ``Retry-After`` header."""
    return ClerkError(
        429,
        "too_many_requests",
        "Too many requests",
        "Too many requests, retry later",
        headers=[("Retry-After", str(retry_after))],
    )


def authentication_missing() -> ClerkError:
    return ClerkError(
        401,
        "authentication_invalid",
        "Invalid authentication",
        "Unable to authenticate the request, you need to supply an active session",
    )


def authorization_format_invalid() -> ClerkError:
    return ClerkError(
        401,
        "authorization_header_format_invalid",
        "Invalid Authorization header format",
        'Invalid Authorization header format. Must be "Bearer <YOUR_API_KEY>"',
    )


def secret_key_invalid() -> ClerkError:
    return ClerkError(
        401,
        "clerk_key_invalid",
        "The provided Clerk Secret Key is invalid. "
        "Make sure that your Clerk Secret Key is correct.",
    )


def api_version_invalid(long_message: str) -> ClerkError:
    return ClerkError(400, "api_version_invalid", "API version invalid", long_message)


def request_body_invalid() -> ClerkError:
    return ClerkError(
        400,
        "request_body_invalid",
        "Request body invalid",
        "The request body is invalid. Please consult the API documentation for more information.",
    )


def content_type_unsupported(content_type: str) -> ClerkError:
    return ClerkError(
        415,
        "unsupported_content_type",
        "Content-Type is unsupported",
        f"Content-Type {content_type!r} is not supported. Use application/json.",
    )


def method_not_allowed(allowed: list[str]) -> ClerkError:
    return ClerkError(
        405,
        "method_not_allowed",
        "Method not allowed",
        "This method is not allowed for this path.",
        headers=[("Allow", ", ".join(allowed))],
    )


def param_value_invalid_400(name: str) -> ClerkError:
    """For the refresh of a session, where the API description knows 400 and 401, but no 422."""
    return param_error(
        "form_param_value_invalid", "is invalid", f"{name} is invalid", name, status=400
    )
