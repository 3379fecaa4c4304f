"""The tree of what can go wrong: what each error knows, tells and keeps to itself."""

from __future__ import annotations

import copy
import pickle
import re

import pytest
from django.core.exceptions import ImproperlyConfigured

from org_invitations.clerk import exceptions as exc
from org_invitations.clerk.exceptions import ErrorDetail


def all_kinds(kind: type[exc.ClerkError] = exc.ClerkError) -> list[type[exc.ClerkError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in all_kinds(child))]


def drawn_tree() -> list[tuple[int, str]]:
    lines = re.findall(r"(?m)^    ([│├└─ ]*)([A-Z]\w+)(?: |$)", exc.__doc__ or "")
    return [(len(branches) // 4, name) for branches, name in lines]


def test_the_docstring_draws_the_tree_as_it_is() -> None:
    parents: dict[int, str] = {}
    for depth, name in drawn_tree():
        kind = getattr(exc, name)
        if depth:
            assert kind.__mro__[1].__name__ == parents[depth - 1], name
        parents[depth] = name
    assert sorted(name for _, name in drawn_tree()) == sorted(k.__name__ for k in all_kinds())


def test_what_may_have_happened_all_the_same() -> None:
    assert {kind.__name__ for kind in all_kinds() if kind.may_have_happened} == {
        "ConnectionBroken",
        "Timeout",
        "InvalidResponse",
        "ServiceUnavailable",
    }


def test_whoever_stands_before_clerk_may_give_up_before_clerk_does(
    subtests: pytest.Subtests,
) -> None:
    for status in [502, 503, 504, 520, 522, 524, 530]:
        with subtests.test(status=status):
            assert exc.ServiceUnavailable(status=status).may_be_under_way


def test_who_says_a_fault_has_come_to_an_end_with_it(subtests: pytest.Subtests) -> None:
    for status in [500, 501, 505, 519, 531]:
        with subtests.test(status=status):
            assert not exc.ServiceUnavailable(status=status).may_be_under_way


def kinds_that(attribute: str) -> set[str]:
    return {kind.__name__ for kind in all_kinds() if getattr(kind, attribute)}


def test_what_says_the_same_when_it_is_tried_again() -> None:
    assert kinds_that("is_final") == {
        "InvalidRequest",
        "InvalidParameter",
        "InvalidEmailAddress",
        "DuplicateInvitation",
        "AlreadyMember",
        "AddressNotAllowed",
        "QuotaExceeded",
        "ExclusiveMembership",
        "PermissionDenied",
        "NotFound",
        "InvalidIdentifier",
        "OrganizationNotFound",
        "InvitationNotFound",
        "RoleNotFound",
        "InvitationNotPending",
        "InvitationsNotSupported",
        "UnexpectedError",
    }


def test_what_concerns_the_rest_as_well() -> None:
    assert kinds_that("concerns_all") == {
        "ConnectionFailed",
        "DeadlineExceeded",
        "CircuitOpen",
        "BulkheadFull",
        "PermissionDenied",
        "InvalidIdentifier",
        "OrganizationNotFound",
        "RoleMigrationInProgress",
        "ResourceLocked",
        "InvitationsNotSupported",
        "DevelopmentLimit",
        "RateLimited",
        "Unauthorized",
    }


def test_whom_no_other_entry_helps() -> None:
    assert {kind.__name__ for kind in all_kinds()} - kinds_that("is_correctable") == {
        "DuplicateInvitation",
        "AlreadyMember",
        "ExclusiveMembership",
    }


def test_what_may_have_happened_is_never_final(subtests: pytest.Subtests) -> None:
    for kind in all_kinds():
        with subtests.test(kind=kind):
            assert not (kind.may_have_happened and kind.is_final)


def test_an_error_is_found_by_its_name_and_nothing_else_is() -> None:
    assert all(exc.find_kind(kind.__name__) is kind for kind in all_kinds())
    assert [exc.find_kind(name) for name in ("", "half-done", "ErrorDetail", "ClassVar")] == (
        [None] * 4
    )


def test_a_site_without_a_key_is_no_fault_of_clerks() -> None:
    assert not issubclass(ImproperlyConfigured, exc.ClerkError)


def test_the_text_names_status_code_parameter_and_trace() -> None:
    detail = ErrorDetail(code="form_param_nil", meta={"param_name": "role"})
    error = exc.InvalidParameter(status=422, errors=(detail,), trace_id="t1")
    assert str(error) == (
        "InvalidParameter, status 422, code form_param_nil, parameter role, trace t1"
    )
    assert error.args == (str(error),)
    assert str(exc.ConnectionFailed("NewConnectionError")) == "NewConnectionError"


def test_neither_text_nor_repr_holds_an_address_or_clerks_own_words() -> None:
    detail = ErrorDetail(
        code="duplicate_record",
        message="eve@example.com",
        long_message="eve@example.com is invited",
        meta={"email_addresses": ["eve@example.com"]},
    )
    error = exc.DuplicateInvitation(status=400, errors=(detail,))
    assert "eve@" not in f"{error} {error!r} {error.args} {detail!r}"


def test_clerks_own_words_are_there_for_who_asks() -> None:
    detail = ErrorDetail(code="x", message="short", long_message="long")
    assert exc.APIError(errors=(detail,)).long_message == "long"
    assert exc.APIError(errors=(ErrorDetail(code="x", message="short"),)).long_message == "short"
    assert exc.APIError().long_message == ""


def test_the_addresses_that_clerk_names_are_collected_once_each() -> None:
    error = exc.APIError(
        errors=(
            ErrorDetail(code="a", meta={"email_addresses": ["a@x", "b@x", None, 5]}),
            ErrorDetail(code="b", meta={"identifiers": ["b@x", "c@x"], "email_addresses": "d@x"}),
        )
    )
    assert error.email_addresses == ("a@x", "b@x", "c@x")


def test_an_error_without_an_explanation_has_empty_parts() -> None:
    error = exc.ClerkError()
    assert (error.code, error.param_name, error.meta, error.email_addresses) == ("", "", {}, ())
    assert (error.status, error.trace_id) == (None, "")


def test_a_parameter_that_is_no_text_is_none(subtests: pytest.Subtests) -> None:
    for value in [None, 5, ["role"], {"a": 1}]:
        with subtests.test(value=value):
            assert ErrorDetail(code="x", meta={"param_name": value}).param_name == ""


def test_an_error_survives_being_copied_and_pickled(subtests: pytest.Subtests) -> None:
    for kind in all_kinds():
        with subtests.test(kind=kind):
            detail = ErrorDetail(code="c", meta={"param_name": "p"})
            error = kind("why", status=400, errors=(detail,), trace_id="t")
            for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
                assert type(twin) is kind
                assert (str(twin), twin.status, twin.errors) == (str(error), 400, (detail,))


def test_the_limit_knows_the_seconds() -> None:
    assert exc.RateLimited(retry_after=7, status=429).retry_after == 7
    assert exc.RateLimited().retry_after is None
    assert exc.RateLimited(retry_after=999_999_999).retry_after == exc.MAX_RETRY_AFTER == 3600
