"""From an error answer of Clerk's to the exception that says what it means."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from org_invitations.clerk import exceptions as exc
from org_invitations.clerk.errors import _BY_CODE, error_from_response

CATALOGUE: list[tuple[int, str, dict[str, Any] | None, type[exc.ClerkError]]] = [
    # Creating one or many
    (400, "duplicate_record", {"email_addresses": ["a@b.c"]}, exc.DuplicateInvitation),
    (400, "organization_invitation_not_unique", None, exc.DuplicateInvitation),
    (400, "already_a_member_in_organization", None, exc.AlreadyMember),
    (403, "organization_membership_quota_exceeded", None, exc.QuotaExceeded),
    (403, "quota_exceeded", None, exc.QuotaExceeded),
    (402, "insufficient_seats", {"seats_quantity": 7}, exc.QuotaExceeded),
    (403, "not_allowed_access", {"identifiers": ["a@b.c"]}, exc.AddressNotAllowed),
    (422, "exclusive_organization_membership", None, exc.ExclusiveMembership),
    (400, "invitations_not_supported", None, exc.InvitationsNotSupported),
    (403, "invitations_not_supported_in_organization", None, exc.InvitationsNotSupported),
    (403, "organization_not_enabled_in_instance", None, exc.InvitationsNotSupported),
    (400, "dev_monthly_email_limit_exceeded", None, exc.DevelopmentLimit),
    (400, "bulk_size_exceeded", None, exc.InvalidRequest),
    (409, "role_migration_in_progress", None, exc.RoleMigrationInProgress),
    (409, "resource_locked", None, exc.ResourceLocked),
    # Parameters
    (422, "form_param_format_invalid", {"param_name": "email_address"}, exc.InvalidEmailAddress),
    (422, "form_param_format_invalid", {"email_addresses": ["x"]}, exc.InvalidEmailAddress),
    (422, "form_param_format_invalid", {"param_name": "redirect_url"}, exc.InvalidParameter),
    (422, "form_param_missing", {"param_name": "role"}, exc.RoleNotFound),
    (422, "form_param_missing", {"param_name": "email_address"}, exc.InvalidParameter),
    (422, "form_param_nil", {"param_name": "email_address"}, exc.InvalidParameter),
    (422, "form_param_type_invalid", {"param_name": "notify"}, exc.InvalidParameter),
    (422, "form_param_unknown", {"param_name": "x"}, exc.InvalidParameter),
    (422, "form_param_value_invalid", {"param_name": "limit"}, exc.InvalidParameter),
    (422, "form_param_value_invalid", {"param_name": "role"}, exc.RoleNotFound),
    (422, "form_param_value_too_large", {"param_name": "expires_in_days"}, exc.InvalidParameter),
    (422, "form_param_exceeds_allowed_size", {"param_name": "x"}, exc.InvalidParameter),
    (422, "form_param_max_length_exceeded", {"param_name": "x"}, exc.InvalidParameter),
    (422, "form_param_array_size_exceeded", {"param_name": "x"}, exc.InvalidParameter),
    (422, "form_param_duplicate", {"param_name": "x"}, exc.InvalidParameter),
    (422, "invalid_redirect_url", None, exc.InvalidParameter),
    (422, "prohibited_redirect_url", None, exc.InvalidParameter),
    (422, "redirect_url_domain_mismatch", None, exc.InvalidParameter),
    # Who may
    (403, "missing_organization_permission", {"permissions": ["x"]}, exc.PermissionDenied),
    (403, "not_a_member_in_organization", None, exc.PermissionDenied),
    (403, "not_an_admin_in_organization", None, exc.PermissionDenied),
    # What is there
    (404, "organization_not_found_or_unauthorized", None, exc.OrganizationNotFound),
    (400, "organization_invitation_to_deleted_organization", None, exc.OrganizationNotFound),
    (404, "organization_invitation_not_found", None, exc.InvitationNotFound),
    (404, "organization_invitation_not_pending", None, exc.InvitationNotPending),
    (400, "organization_invitation_already_accepted", None, exc.InvitationNotPending),
    (400, "organization_invitation_revoked_code", None, exc.InvitationNotPending),
    (404, "resource_not_found", None, exc.NotFound),
    # Any call
    (401, "clerk_key_invalid", None, exc.Unauthorized),
    (401, "authentication_invalid", None, exc.Unauthorized),
    (401, "authorization_header_format_invalid", None, exc.Unauthorized),
    (403, "authorization_invalid", None, exc.Unauthorized),
    (403, "authorization_missing_scopes", None, exc.Unauthorized),
    (400, "api_version_invalid", None, exc.Unauthorized),
    (410, "operation_deprecated", None, exc.Unauthorized),
    (400, "request_body_invalid", None, exc.InvalidRequest),
    (400, "malformed_request_parameters", None, exc.InvalidRequest),
    (413, "request_body_too_large", None, exc.InvalidRequest),
    (415, "unsupported_content_type", None, exc.InvalidRequest),
    (429, "too_many_requests", None, exc.RateLimited),
    (500, "internal_clerk_error", None, exc.ServiceUnavailable),
    (503, "service_unavailable", None, exc.ServiceUnavailable),
    (504, "gateway_timeout", None, exc.ServiceUnavailable),
]


def body(code: str = "x", meta: Any = None, long_message: str = "") -> dict[str, Any]:
    entry: dict[str, Any] = {"code": code, "message": "m", "long_message": long_message}
    if meta is not None:
        entry["meta"] = meta
    return {"errors": [entry], "clerk_trace_id": "trace1"}


def test_every_code_of_the_catalogue_has_its_exception_and_loses_nothing(
    subtests: pytest.Subtests,
) -> None:
    for status, code, meta, kind in CATALOGUE:
        with subtests.test(status=status, code=code):
            error = error_from_response(status, body(code, meta), ray="ray1")
            assert type(error) is kind
            assert (error.status, error.code, error.meta, error.trace_id) == (
                status,
                code,
                meta or {},
                "trace1",
            )
            assert error.may_have_happened is (status >= 500)


def test_the_catalogue_above_is_the_modules_own() -> None:
    # "invitation_already_revoked" is of the application's invitations; harmless here.
    assert set(_BY_CODE) - {code for _, code, _, _ in CATALOGUE} == {"invitation_already_revoked"}


def test_resource_not_found_tells_in_words_what_was_not_found(subtests: pytest.Subtests) -> None:
    for long_message, meta, kind in [
        ("Organization role not found", {"param_name": "role"}, exc.RoleNotFound),
        ("Organization role not found", None, exc.RoleNotFound),
        ("Given organization not found.", None, exc.OrganizationNotFound),
        ("No user was found with id user_1.", None, exc.PermissionDenied),
        ("not found", {"param_name": "inviter_user_id"}, exc.PermissionDenied),
        ("not found", {"param_name": "requesting_user_id"}, exc.PermissionDenied),
        ("No user was found with id user_2aRolEx.", None, exc.PermissionDenied),
        ("No invitation was found with id orginv_2roLeX.", None, exc.NotFound),
        ("No invitation found with id orginv_1.", None, exc.NotFound),
    ]:
        with subtests.test(long_message=long_message, meta=meta, kind=kind):
            assert (
                type(error_from_response(404, body("resource_not_found", meta, long_message)))
                is kind
            )


def test_a_code_of_tomorrow_is_judged_by_its_status(subtests: pytest.Subtests) -> None:
    for status, kind in [
        (400, exc.InvalidRequest),
        (401, exc.Unauthorized),
        (403, exc.UnexpectedError),
        (404, exc.NotFound),
        (409, exc.UnexpectedError),
        (418, exc.UnexpectedError),
        (422, exc.InvalidRequest),
        (429, exc.RateLimited),
        (500, exc.ServiceUnavailable),
        (599, exc.ServiceUnavailable),
    ]:
        with subtests.test(status=status, kind=kind):
            error = error_from_response(status, body("invented_tomorrow"))
            assert type(error) is kind
            assert error.code == "invented_tomorrow"


def test_where_clerk_would_have_explained_a_bare_status_is_somebody_elses(
    subtests: pytest.Subtests,
) -> None:
    for status in [400, 404, 422]:
        nothing: Any
        for nothing in [None, [], {}, {"errors": []}, {"errors": None}, "x"]:
            with subtests.test(status=status, nothing=nothing):
                error = error_from_response(status, nothing, ray="ray1")
                assert type(error) is exc.InvalidResponse
                assert (error.status, error.trace_id) == (status, "ray1")


def test_a_status_that_speaks_for_itself_wins_over_the_code() -> None:
    assert type(error_from_response(429, body("duplicate_record"))) is exc.RateLimited
    assert type(error_from_response(500, body("duplicate_record"))) is exc.ServiceUnavailable


def test_the_code_of_the_limit_without_its_status_is_the_limit_too() -> None:
    error = error_from_response(403, body("too_many_requests"))
    assert isinstance(error, exc.RateLimited)
    assert error.retry_after is None


def test_retry_after_is_believed_up_to_an_hour(subtests: pytest.Subtests) -> None:
    for header, seconds in [
        ("0", 1),
        ("30", 30),
        (" 3 ", 3),
        ("3600", 3600),
        ("3601", 3600),
        ("999999999", 3600),
        ("9" * 5_000, 3600),
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("5, 10", None),
        ("٣", None),
        ("²", None),
    ]:
        with subtests.test(header=header, seconds=seconds):
            error = error_from_response(429, body("too_many_requests"), retry_after=header)
            assert isinstance(error, exc.RateLimited)
            assert error.retry_after == seconds


def test_a_date_is_counted_from_the_answers_own(subtests: pytest.Subtests) -> None:
    for header, seconds in [
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30),
        ("Wednesday, 21-Oct-26 07:28:30 GMT", 30),
        ("Wed, 21 Oct 2026 07:00:00 GMT", 1),
        ("Wed, 21 Oct 2076 07:28:30 GMT", 3600),
        ("Wed, 99 Oct 2026 07:28:30 GMT", None),
        ("21 Oct 2026", None),
        ("Wed, 21 Oct 2026 07:28:30", None),
    ]:
        with subtests.test(header=header, seconds=seconds):
            error = error_from_response(
                429, None, retry_after=header, date="Wed, 21 Oct 2026 07:28:00 GMT"
            )
            assert isinstance(error, exc.RateLimited)
            assert error.retry_after == seconds


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_without_that_a_date_is_counted_from_this_machines_clock(date: str | None) -> None:
    past = error_from_response(429, None, retry_after="Wed, 21 Oct 2015 07:28:00 GMT", date=date)
    assert isinstance(past, exc.RateLimited)
    assert past.retry_after == 1


def test_the_trace_is_the_bodys_else_cloudflares_else_none() -> None:
    assert error_from_response(500, {"clerk_trace_id": "t"}, ray="r").trace_id == "t"
    assert error_from_response(500, {"clerk_trace_id": None}, ray="r").trace_id == "r"
    assert error_from_response(500, {"clerk_trace_id": 5}, ray="r").trace_id == "r"
    assert error_from_response(500, None).trace_id == ""


def test_all_entries_are_kept_and_the_first_decides() -> None:
    first, second = body("duplicate_record")["errors"], body("resource_locked")["errors"]
    error = error_from_response(400, {"errors": [*first, "nonsense", *second]})
    assert type(error) is exc.DuplicateInvitation
    assert [entry.code for entry in error.errors] == ["duplicate_record", "resource_locked"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
entries = st.fixed_dictionaries(
    {},
    optional={
        "code": json_values | st.sampled_from(sorted(_BY_CODE)),
        "message": json_values,
        "long_message": json_values,
        "meta": json_values | st.fixed_dictionaries({"param_name": json_values}),
    },
)


@given(
    st.integers(400, 599),
    json_values | st.fixed_dictionaries({"errors": st.lists(entries | json_values, max_size=3)}),
    st.none() | st.text(),
)
def test_whatever_the_answer_is_it_becomes_one_of_our_errors(
    status: int, answer: Any, header: str | None
) -> None:
    error = error_from_response(status, answer, retry_after=header)
    assert isinstance(error, exc.ClerkError)
    assert str(error)
    assert isinstance(error.email_addresses, tuple)


def test_a_time_out_of_somebody_between_may_have_happened() -> None:
    error = error_from_response(408, {"errors": [{"code": "x"}]})
    assert isinstance(error, exc.Timeout)
    assert error.may_be_under_way
