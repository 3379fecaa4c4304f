"""Both versions of Clerk's claims say who is signed in, and where."""

from __future__ import annotations

from typing import Any

import pytest

from org_invitations.clerk.session.claims import SessionClaims, read_claims


def permissions(fea: str, per: str, fpm: str) -> tuple[str, ...] | None:
    organization = {"id": "org_1", "per": per, "fpm": fpm}
    return read_claims(
        {"sub": "user_1", "v": 2, "fea": fea, "o": organization}
    ).organization_permissions


def test_permissions_are_unfolded_from_the_masks(subtests: pytest.Subtests) -> None:
    for fea, per, fpm, expected in [
        # The example of Clerk's guide.
        (
            "o:dashboard,o:teams",
            "manage,read",
            "3,2",
            ("org:dashboard:manage", "org:dashboard:read", "org:teams:read"),
        ),
        ("u:mine,o:teams", "manage,read", "2", ("org:teams:read",)),
        ("ou:both, uo:others ,u:mine", "read", "1,1", ("org:both:read", "org:others:read")),
        ("o:a,o:b", "read", "1", ("org:a:read",)),
        ("o:a", "manage, read", " 2 ", ("org:a:read",)),
        ("o:a", "read", "x", ()),
        ("o:a", "read", "-1", ()),
        ("o:a", "read", "٣", ()),
        ("o:a", "read", "9" * 5000, ()),
        ("", "read", "1", ()),
        ("o:a", "", "1", ()),
        ("o:a", "read", "", ()),
    ]:
        with subtests.test(fea=fea):
            assert permissions(fea, per, fpm) == expected


def test_a_mask_may_be_wider_than_53_bits() -> None:
    names = ",".join(f"p{index}" for index in range(70))
    assert permissions("o:a", names, str(1 << 69)) == ("org:a:p69",)


@pytest.mark.parametrize(
    "change", [{"fea": "teams"}, {"fea": 1}, {"o": {"id": "org_1", "per": 1, "fpm": "1"}}]
)
def test_what_clerk_cannot_read_is_an_error(change: dict[str, Any]) -> None:
    good = {"sub": "user_1", "v": 2, "fea": "o:a", "o": {"id": "org_1", "per": "a", "fpm": "1"}}
    with pytest.raises(ValueError, match=r"claim|feature"):
        read_claims({**good, **change})


def test_version_1_says_it_in_plain_words() -> None:
    session = read_claims(
        {
            "sub": "user_1",
            "sid": "sess_1",
            "org_id": "org_1",
            "org_slug": "acme",
            "org_role": "org:admin",
            "org_permissions": ["org:teams:read"],
        }
    )
    assert session.organization_id == "org_1"
    assert session.organization_role == "org:admin"
    assert session.organization_permissions == ("org:teams:read",)
    assert session.session_status is None


def test_no_active_organization_is_not_an_organization_without_permissions() -> None:
    assert read_claims({"sub": "user_1", "v": 2}).organization_permissions is None
    assert read_claims({"sub": "user_1"}).organization_permissions is None
    assert read_claims({"sub": "u", "v": 2, "o": {"id": "o"}}).organization_permissions == ()


def test_the_role_of_version_2_gets_its_prefix_back() -> None:
    session = read_claims({"sub": "user_1", "v": 2, "o": {"id": "org_1", "rol": "people_ops"}})
    assert session.organization_role == "org:people_ops"


def test_the_actor_is_who_impersonates() -> None:
    session = read_claims({"sub": "user_1", "act": {"sub": "user_9"}})
    assert session.actor == {"sub": "user_9"}


def test_claims_cannot_be_changed() -> None:
    session = read_claims({"sub": "user_1"})
    with pytest.raises(TypeError):
        session.claims["sub"] = "user_2"  # type: ignore[index]


def test_has_wants_everything_that_is_asked_for_and_takes_names_without_prefix() -> None:
    session = SessionClaims(
        "user_1",
        organization_id="org_1",
        organization_role="org:admin",
        organization_permissions=("org:teams:read",),
    )
    assert session.has(role="admin")
    assert session.has(role="org:admin", permission="teams:read")
    assert not session.has(role="admin", permission="teams:manage")
    assert not session.has(role="member", permission="teams:read")
    assert not session.has()
    assert not SessionClaims("user_1", organization_role="org:admin").has(role="admin")
