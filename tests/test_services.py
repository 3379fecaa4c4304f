"""The use cases, played against the emulator: seeing, inviting, revoking, and remembering."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.dispatch import Signal

from org_invitations.clerk import InvitationStatus, OrganizationAPI
from org_invitations.clerk import exceptions as exc
from org_invitations.clients import get_client
from org_invitations.concurrency import Outcome
from org_invitations.emulator import Emulator, EmulatorServer
from org_invitations.models import Batch, BatchItem
from org_invitations.roles import GrantPolicy
from org_invitations.services import (
    InvitationPage,
    InvitationQuery,
    InvitationService,
    NotMember,
    NotPermitted,
    OutcomeUnknown,
    RoleNotGranted,
    find_organization_id,
    get_manageable_organizations,
)
from org_invitations.services.batches.revoke import GROUP_SIZE
from org_invitations.signals import invitation_created, invitation_revoked
from tests.gates import Gate, gate, impatient, rounds
from tests.leases import let_time_pass

ADA, MAX, MIA, BO, NORA = (
    "ada@acme.test",
    "max@acme.test",
    "mia@acme.test",
    "bo@both.test",
    "nora@nowhere.test",
)
NEW = "new@example.com"

CREATE = "/v1/organizations/*/invitations"
REVOKE = "/v1/organizations/*/invitations/*/revoke"
LIST = "/v1/organizations/*/invitations"
ONE = "/v1/organizations/*/invitations/orginv_*"


def make_service(
    emulator: Emulator, user: str = ADA, organization: str = "acme"
) -> InvitationService:
    return InvitationService(
        get_client(),
        organization_id=emulator.organization(organization).id,
        user_id=emulator.user(user).id,
    )


def asked(emulator: Emulator) -> list[str]:
    """What Clerk was asked since the last time, ids left out."""
    acme = emulator.organization("acme").id
    calls = [
        f"{call.method} {call.path.removeprefix('/v1').replace(acme, 'ACME')}"
        for call in emulator.requests
    ]
    emulator.clear_requests()
    return calls


@pytest.fixture
def emulator(clerk_emulator: Emulator) -> Emulator:
    return clerk_emulator


@pytest.fixture
def service(emulator: Emulator) -> InvitationService:
    return make_service(emulator)


@pytest.fixture
def ready(service: InvitationService, emulator: Emulator) -> InvitationService:
    """A service that has just checked, as a view's has before it writes."""
    service.open(fresh=True)
    emulator.clear_requests()
    return service


# --- What a page needs ---------------------------------------------------------------------


def test_opening_the_page_brings_all_that_it_shows(
    service: InvitationService, emulator: Emulator
) -> None:
    snapshot = service.open(query=InvitationQuery())
    assert snapshot.organization.name == "Acme"
    assert snapshot.membership.role == "org:admin"
    assert [role.key for role in snapshot.roles.roles] == [
        "org:admin",
        "org:member",
        "org:people_manager",
        "org:billing",
    ]
    assert snapshot.roles.default_role == "org:member"
    assert not snapshot.roles.locked
    assert snapshot.page is not None
    assert len(snapshot.page.invitations) == 25
    assert all(invitation.is_pending for invitation in snapshot.page.invitations)
    assert snapshot.page.total_count == len(emulator.invitations("acme", "pending"))
    assert (snapshot.roles_error, snapshot.page_error, snapshot.invitation) == (None, None, None)


def test_with_nothing_remembered_there_are_six_calls(
    service: InvitationService, emulator: Emulator
) -> None:
    service.open(query=InvitationQuery())
    calls = asked(emulator)
    assert sorted(calls) == [
        "GET /instance/organization_settings",
        "GET /organization_roles",
        "GET /organizations/ACME",
        "GET /organizations/ACME/invitations",
        "GET /organizations/ACME/memberships",
        "GET /role_sets/role_set%3Adefault",
    ]
    assert calls[-1].startswith("GET /role_sets/")  # it needs what the others bring


def test_with_everything_remembered_the_list_is_one_call_and_the_seats_another(
    service: InvitationService, emulator: Emulator
) -> None:
    first = service.open(query=InvitationQuery())
    asked(emulator)
    second = make_service(emulator).open(query=InvitationQuery())
    assert sorted(asked(emulator)) == [
        "GET /organizations/ACME",
        "GET /organizations/ACME/invitations",
    ]
    assert second == first


def test_without_a_limit_of_seats_there_is_exactly_one_call(
    service: InvitationService, emulator: Emulator
) -> None:
    emulator.configure(organizations={"acme": {"max_allowed_memberships": 0}})
    first = service.open(query=InvitationQuery())
    asked(emulator)
    second = make_service(emulator).open(query=InvitationQuery())
    assert asked(emulator) == ["GET /organizations/ACME/invitations"]
    assert second == first


def test_without_a_list_the_warm_page_asks_nothing_at_all(
    service: InvitationService, emulator: Emulator
) -> None:
    service.open()
    asked(emulator)
    assert service.open().page is None
    assert asked(emulator) == []


def test_before_a_write_the_membership_alone_is_asked_for_again(
    service: InvitationService, emulator: Emulator
) -> None:
    service.open()
    asked(emulator)
    service.open(fresh=True)
    assert asked(emulator) == ["GET /organizations/ACME/memberships"]


def test_one_invitation_comes_in_the_same_round(
    service: InvitationService, emulator: Emulator
) -> None:
    service.open()
    asked(emulator)
    wanted = emulator.invitations("acme", "accepted")[0]
    snapshot = service.open(invitation_id=wanted.id)
    assert snapshot.invitation is not None
    assert snapshot.invitation.email_address == wanted.email_address
    assert asked(emulator) == [f"GET /organizations/ACME/invitations/{wanted.id}"]


def test_an_invitation_of_another_organization_is_not_found(
    service: InvitationService, emulator: Emulator
) -> None:
    other = emulator.invitations("globex")[0]
    with pytest.raises(exc.InvitationNotFound):
        service.open(invitation_id=other.id)
    service.open()
    assert service.find_invitation(other.id) is None


def test_an_invitation_is_found_or_not_without_any_fuss(
    service: InvitationService, emulator: Emulator
) -> None:
    wanted = emulator.invitations("acme")[0]
    service.open()
    found = service.find_invitation(wanted.id)
    assert found is not None
    assert found.id == wanted.id
    emulator.fault("GET", ONE, status=500)
    assert service.find_invitation(wanted.id) is None


# --- Rounds --------------------------------------------------------------------------------


def test_no_more_than_two_rounds_follow_each_other_cold_and_one_warm(
    emulator: Emulator, service: InvitationService
) -> None:
    with rounds(emulator, 5, 1):
        service.open(query=InvitationQuery())
    with rounds(emulator, 2):
        service.open(query=InvitationQuery())
    with rounds(emulator, 3):
        service.open(query=InvitationQuery(), fresh=True)
    with rounds(emulator):
        service.open()


def test_a_page_beyond_the_end_costs_no_third_round(
    emulator: Emulator, service: InvitationService
) -> None:
    with rounds(emulator, 5, 1):
        service.open(query=InvitationQuery(page=99))


# --- Who may -------------------------------------------------------------------------------


@pytest.mark.parametrize("user", [ADA, MIA, BO])
def test_who_may_manage_the_members_may_see_the_page(emulator: Emulator, user: str) -> None:
    assert make_service(emulator, user).open(query=InvitationQuery()).page is not None


@pytest.mark.parametrize("user", [MAX, NORA, "gus@globex.test", "tomasz.wrona@acme.test"])
def test_who_may_not_sees_nothing(emulator: Emulator, user: str) -> None:
    with pytest.raises(NotPermitted):
        make_service(emulator, user).open(query=InvitationQuery())


def test_a_manager_of_two_organizations_is_judged_in_each_of_them(emulator: Emulator) -> None:
    globex = make_service(emulator, BO, "globex").open()
    assert globex.organization.name == "Globex"
    assert [role.key for role in globex.roles.roles] == ["org:admin", "org:member", "org:guest"]
    assert globex.roles.default_role == "org:guest"


@pytest.mark.parametrize("flag", ["banned", "deprovisioned"])
def test_who_is_banned_or_deprovisioned_may_not(
    emulator: Emulator, service: InvitationService, flag: str
) -> None:
    emulator.configure(users={ADA: {flag: True}})
    with pytest.raises(NotPermitted):
        service.open()


def permissions(emulator: Emulator, user: str, granted: list[str]) -> None:
    emulator.configure(memberships=[{"organization": "acme", "user": user, "permissions": granted}])


def test_a_membership_without_permissions_is_judged_by_the_role(emulator: Emulator) -> None:
    permissions(emulator, ADA, [])
    permissions(emulator, MAX, [])
    assert make_service(emulator, ADA).open().membership.permissions == frozenset()
    with pytest.raises(NotPermitted):
        make_service(emulator, MAX).open()


def test_permissions_of_the_membership_outweigh_the_role(emulator: Emulator) -> None:
    permissions(emulator, ADA, ["org:sys_memberships:read"])
    permissions(emulator, MAX, ["org:sys_memberships:manage"])
    with pytest.raises(NotPermitted):
        make_service(emulator, ADA).open()
    make_service(emulator, MAX).open()


def test_who_has_lost_the_permission_is_refused_before_a_write_and_from_then_on(
    emulator: Emulator, service: InvitationService
) -> None:
    service.open()
    permissions(emulator, ADA, ["org:x:y"])
    service.open()  # remembered, for a minute at most
    with pytest.raises(NotPermitted):
        service.open(fresh=True)
    with pytest.raises(NotPermitted):
        service.open()


@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"status": 429}, {"status": 403}, {"drop": "after"}, {"garbage": "html"}],
    ids=str,
)
def test_where_the_membership_cannot_be_had_nothing_is_shown(
    emulator: Emulator, service: InvitationService, fault: dict[str, Any]
) -> None:
    emulator.fault("GET", "*/memberships", times=None, **fault)
    with pytest.raises(exc.ClerkError):
        service.open(query=InvitationQuery())


def test_where_the_roles_decide_and_cannot_be_had_nothing_is_shown(
    emulator: Emulator, service: InvitationService
) -> None:
    permissions(emulator, ADA, [])
    emulator.fault("GET", "/v1/organization_roles", status=500)
    with pytest.raises(exc.ServiceUnavailable):
        service.open(query=InvitationQuery())


def test_an_answer_with_other_peoples_memberships_grants_nothing(emulator: Emulator) -> None:
    service = make_service(emulator, MAX)
    acme = emulator.organization("acme").id
    row = {
        "id": "orgmem_x",
        "role": "org:admin",
        "permissions": ["org:sys_memberships:manage"],
        "organization": {"id": acme},
        "public_user_data": {"user_id": emulator.user(ADA).id},
    }
    body = {"data": [row], "total_count": 1}
    emulator.fault("GET", "*/memberships", status=200, body=body)
    with pytest.raises(NotPermitted):
        service.open()


def test_an_organization_that_is_gone_cannot_be_opened(
    emulator: Emulator, service: InvitationService
) -> None:
    emulator.configure(organizations={"acme": {"deleted": True}})
    with pytest.raises(exc.NotFound):
        service.open(query=InvitationQuery())


def test_an_organization_that_went_while_it_was_remembered_cannot_be_opened_either(
    emulator: Emulator, service: InvitationService
) -> None:
    service.open(query=InvitationQuery())
    emulator.configure(organizations={"acme": {"deleted": True}})
    for _ in range(2):
        with pytest.raises(exc.NotFound):
            service.open(query=InvitationQuery())


def test_a_refusal_is_remembered_for_seconds_and_never_for_a_write(emulator: Emulator) -> None:
    with pytest.raises(NotPermitted):
        make_service(emulator, MAX).open(query=InvitationQuery())
    emulator.clear_requests()
    with pytest.raises(NotPermitted):
        make_service(emulator, MAX).open(query=InvitationQuery())
    assert emulator.requests == []  # whoever may not, and reloads, costs the others nothing
    permissions(emulator, MAX, ["org:sys_memberships:manage"])
    make_service(emulator, MAX).open(fresh=True)


@pytest.mark.parametrize("who", ["gus@globex.test", "nora@nowhere.test"])
def test_who_does_not_belong_to_the_organization_is_told_apart(
    emulator: Emulator, who: str
) -> None:
    for _ in ("asked", "remembered"):
        with pytest.raises(NotMember):
            make_service(emulator, who).open()
    with pytest.raises(NotPermitted) as caught:
        make_service(emulator, MAX).open()
    assert type(caught.value) is NotPermitted


def test_nothing_is_read_without_having_been_let_in(emulator: Emulator) -> None:
    row = emulator.invitations("acme")[0]
    service = make_service(emulator, MAX)
    for read in (
        lambda: service.find_invitation(row.id),
        lambda: service.get_pending(row.email_address),
    ):
        with pytest.raises(NotPermitted):
            read()
    assert emulator.requests == []


def test_roles_that_decide_are_asked_afresh_before_a_write(emulator: Emulator) -> None:
    permissions(emulator, ADA, [])
    service = make_service(emulator)
    service.open()
    emulator.clear_requests()
    service.open(fresh=True)
    assert sorted(call.path.rsplit("/", 1)[-1] for call in emulator.requests) == [
        "memberships",
        "organization_roles",
    ]


def test_who_revokes_asks_for_no_roles(emulator: Emulator) -> None:
    row = emulator.invitations("acme", "pending")[0]
    make_service(emulator).revoke(row.id)
    assert {call.path.rsplit("/", 1)[-1] for call in emulator.requests} == {
        emulator.organization("acme").id,
        "memberships",
        "revoke",
    }


def test_a_lock_does_not_outlive_the_migration(emulator: Emulator) -> None:
    emulator.configure(role_migrations={"role_set:default": True})
    assert make_service(emulator).open().roles.locked
    emulator.configure(role_migrations={"role_set:default": False})
    assert not make_service(emulator).open().roles.locked


# --- What can fail without taking the page along -------------------------------------------


@pytest.mark.parametrize(
    "path", ["/v1/role_sets/*", "/v1/instance/organization_settings", "/v1/organization_roles"]
)
def test_a_fault_with_the_roles_leaves_the_list(
    emulator: Emulator, service: InvitationService, path: str
) -> None:
    if path == "/v1/instance/organization_settings":
        emulator.configure(organizations={"acme": {"role_set_key": None}})
    emulator.fault("GET", path, status=500, times=None)
    snapshot = service.open(query=InvitationQuery())
    assert snapshot.page is not None
    assert snapshot.roles.roles == ()
    assert isinstance(snapshot.roles_error, exc.ServiceUnavailable)
    with pytest.raises(exc.ServiceUnavailable):
        service.get_roles()


def test_the_settings_are_not_missed_where_the_organization_names_its_role_set(
    emulator: Emulator, service: InvitationService
) -> None:
    emulator.fault("GET", "/v1/instance/organization_settings", status=500, times=None)
    snapshot = service.open()
    assert snapshot.roles_error is None
    assert "org:member" in snapshot.roles


def test_without_the_permissions_of_the_roles_none_can_be_granted(
    emulator: Emulator, service: InvitationService
) -> None:
    emulator.fault("GET", "/v1/organization_roles", status=500, times=None)
    with pytest.raises(exc.ServiceUnavailable):
        service.invite_member(NEW, "org:member")
    assert service.remembered_roles() is None
    emulator.faults.clear()
    assert service.invite_member(NEW, "org:member").role == "org:member"  # it asks once more


def test_a_fault_with_the_list_leaves_the_form(
    emulator: Emulator, service: InvitationService
) -> None:
    emulator.fault("GET", LIST, status=500)
    snapshot = service.open(query=InvitationQuery())
    assert snapshot.page is None
    assert isinstance(snapshot.page_error, exc.ServiceUnavailable)
    assert "org:member" in snapshot.roles


def test_what_failed_is_not_remembered_and_what_did_not_is(
    emulator: Emulator, service: InvitationService
) -> None:
    emulator.fault("GET", "/v1/role_sets/*", status=500)
    assert service.open().roles_error is not None
    asked(emulator)
    assert service.open().roles_error is None
    assert asked(emulator) == ["GET /role_sets/role_set%3Adefault"]


# --- Roles ---------------------------------------------------------------------------------


def test_the_roles_alone_for_a_form_of_the_sites_own(service: InvitationService) -> None:
    assert service.get_roles().default_role == "org:member"


def test_the_remembered_roles_cost_no_question(
    emulator: Emulator, service: InvitationService
) -> None:
    assert service.remembered_roles() is None
    roles = service.open().roles
    asked(emulator)
    assert service.remembered_roles() == roles
    assert make_service(emulator, MAX).remembered_roles() is None  # not who may
    service.cache.delete(f"role_set:{service.organization_id}")
    assert service.remembered_roles() is None
    assert asked(emulator) == []


def test_an_organization_without_a_role_set_has_the_initial_one(
    emulator: Emulator, service: InvitationService
) -> None:
    emulator.configure(
        organizations={"acme": {"role_set_key": None}}, initial_role_set_key="role_set:crew"
    )
    roles = service.open().roles
    assert [role.key for role in roles.roles] == ["org:admin", "org:member", "org:guest"]
    assert roles.default_role == "org:guest"


def test_an_instance_without_role_sets_lets_every_role_be_assigned(
    emulator: Emulator, service: InvitationService
) -> None:
    emulator.configure(organizations={"acme": {"role_set_key": None}}, initial_role_set_key=None)
    roles = service.open().roles
    assert "org:auditor" in roles
    assert len(roles.roles) == 6
    assert roles.default_role == "org:member"  # the older setting of the instance


@pytest.mark.parametrize(("concerns", "locked"), [(True, True), ("acme", True), ("globex", False)])
def test_a_running_migration_locks_the_roles(
    emulator: Emulator, service: InvitationService, concerns: Any, locked: bool
) -> None:
    emulator.configure(role_migrations={"role_set:default": concerns})
    assert service.open().roles.locked is locked


def test_the_permissions_of_the_assignable_roles_are_known(service: InvitationService) -> None:
    admin = service.open().roles.get("org:admin")
    assert admin is not None
    assert admin.permissions is not None
    assert "org:sys_memberships:manage" in admin.permissions


def test_another_role_set_is_seen_although_the_old_one_is_remembered(
    emulator: Emulator, service: InvitationService
) -> None:
    service.open()
    emulator.configure(organizations={"acme": {"role_set_key": "role_set:crew"}})
    service.cache.delete(f"organization:{service.organization_id}")  # its time is over
    assert "org:guest" in service.open().roles


# --- What is remembered --------------------------------------------------------------------


@pytest.fixture
def lives(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, float]]:
    """What goes into the cache, and for how long."""
    found: list[tuple[Any, float]] = []
    real = LocMemCache.set

    def spy(self: Any, key: str, value: Any, timeout: Any = None, version: Any = None) -> None:
        found.append((value, timeout))
        real(self, key, value, timeout, version)

    monkeypatch.setattr(LocMemCache, "set", spy)
    return found


def test_memberships_and_roles_live_for_their_own_times(
    emulator: Emulator, service: InvitationService, settings: Any, lives: list[tuple[Any, float]]
) -> None:
    settings.ORG_INVITATIONS_MEMBERSHIP_CACHE_SECONDS = 20
    settings.ORG_INVITATIONS_ROLES_CACHE_SECONDS = 40
    service.open(query=InvitationQuery())
    assert {type(value).__name__: seconds for value, seconds in lives} == {
        "Membership": 20,
        "Organization": 40,
        "RoleSet": 40,
        "tuple": 40,
        "OrganizationSettings": 40,
    }


def test_what_a_role_may_do_is_never_older_than_a_minute(
    service: InvitationService, settings: Any, lives: list[tuple[Any, float]]
) -> None:
    settings.ORG_INVITATIONS_ROLES_CACHE_SECONDS = 86_400
    service.open()
    assert {type(value).__name__: seconds for value, seconds in lives} == {
        "Membership": 60,
        "Organization": 86_400,
        "RoleSet": 86_400,
        "tuple": 60,  # the roles of the instance, with their permissions
        "OrganizationSettings": 86_400,
    }


def test_by_default_nothing_lives_longer_than_a_minute(
    service: InvitationService, lives: list[tuple[Any, float]]
) -> None:
    service.open(query=InvitationQuery())
    assert {seconds for _, seconds in lives} == {60}


def test_with_a_life_of_zero_nothing_is_remembered(
    emulator: Emulator, service: InvitationService, settings: Any
) -> None:
    settings.ORG_INVITATIONS_MEMBERSHIP_CACHE_SECONDS = 0
    settings.ORG_INVITATIONS_ROLES_CACHE_SECONDS = 0
    for _ in range(2):
        service.open(query=InvitationQuery())
        assert len(asked(emulator)) == 6


def test_invitations_are_never_remembered(
    emulator: Emulator, service: InvitationService, lives: list[tuple[Any, float]]
) -> None:
    wanted = emulator.invitations("acme")[0]
    service.open(query=InvitationQuery(), invitation_id=wanted.id)
    service.invite_member(NEW, "org:member")
    assert NEW not in repr(lives)
    assert "orginv_" not in repr(lives)
    emulator.add_invitation("acme", "later@example.com")
    page = service.open(query=InvitationQuery()).page
    assert page is not None
    assert page.invitations[0].email_address == "later@example.com"


def test_what_one_person_may_is_not_remembered_for_another(emulator: Emulator) -> None:
    make_service(emulator, ADA).open()
    with pytest.raises(NotPermitted):
        make_service(emulator, MAX).open()


def test_what_was_learned_with_one_key_is_not_believed_with_another(
    emulator: Emulator, service: InvitationService, settings: Any
) -> None:
    service.open()
    settings.CLERK_SECRET_KEY = "sk_test_of_somebody_else"
    with pytest.raises(exc.Unauthorized):
        make_service(emulator).open()


# --- Pages ---------------------------------------------------------------------------------


def addresses(page: InvitationPage | None) -> list[str]:
    assert page is not None
    return [invitation.email_address for invitation in page.invitations]


def test_the_pages_together_hold_every_pending_invitation_newest_first(
    emulator: Emulator, service: InvitationService
) -> None:
    rows = emulator.invitations("acme", "pending")
    seen = [
        name
        for n in range(1, 5)
        for name in addresses(service.open(query=InvitationQuery(page=n, size=10)).page)
    ]
    assert seen == [row.email_address for row in reversed(rows)]
    assert len(seen) == 34


@pytest.mark.parametrize(("size", "pages"), [(1, 34), (10, 4), (17, 2), (34, 1), (500, 1)])
def test_the_size_of_a_page_is_the_sites_choice(
    service: InvitationService, settings: Any, size: int, pages: int
) -> None:
    settings.ORG_INVITATIONS_PAGE_SIZE = size
    page = service.open(query=InvitationQuery()).page
    assert page is not None
    assert (len(page.invitations), page.size, page.num_pages) == (min(size, 34), size, pages)


@pytest.mark.parametrize("number", [5, 99, 10**30])
def test_a_number_beyond_the_end_means_the_last_page(
    service: InvitationService, number: int
) -> None:
    page = service.open(query=InvitationQuery(page=number, size=10)).page
    assert page is not None
    assert page.number == page.num_pages == 4
    assert len(page.invitations) == 4


@pytest.mark.parametrize("number", [0, -1, -(10**30)])
def test_a_number_before_the_beginning_means_the_first_page(
    service: InvitationService, number: int
) -> None:
    page = service.open(query=InvitationQuery(page=number)).page
    assert page is not None
    assert page.number == 1


def test_an_organization_without_invitations_has_one_empty_page(
    emulator: Emulator, service: InvitationService
) -> None:
    emulator.state.invitations.clear()
    page = service.open(query=InvitationQuery(page=3)).page
    assert page is not None
    assert (page.number, page.num_pages, page.total_count, page.invitations) == (1, 1, 0, ())
    assert (page.start_index, page.end_index) == (0, 0)
    assert not page.has_next
    assert not page.has_previous


@pytest.mark.parametrize(
    ("number", "start", "end", "before", "after"),
    [(1, 1, 10, False, True), (2, 11, 20, True, True), (4, 31, 34, True, False)],
)
def test_a_page_knows_where_it_is(
    service: InvitationService, number: int, start: int, end: int, before: bool, after: bool
) -> None:
    page = service.open(query=InvitationQuery(page=number, size=10)).page
    assert page is not None
    assert (page.start_index, page.end_index) == (start, end)
    assert (page.has_previous, page.has_next) == (before, after)
    assert (page.previous_number, page.next_number) == (number - 1, number + 1)


def test_after_a_change_the_page_is_fetched_again_in_the_same_workspace(
    emulator: Emulator, service: InvitationService
) -> None:
    snapshot = service.open()
    service.invite_member(NEW, "org:member")
    asked(emulator)
    after = service.with_list(snapshot, InvitationQuery())
    assert addresses(after.page)[0] == NEW
    assert (after.organization.id, after.roles) == (snapshot.organization.id, snapshot.roles)
    assert sorted(asked(emulator)) == [
        "GET /organizations/ACME",
        "GET /organizations/ACME/invitations",
    ]


def test_where_the_only_row_of_the_last_page_went_the_page_before_is_shown(
    emulator: Emulator, service: InvitationService, settings: Any
) -> None:
    settings.ORG_INVITATIONS_PAGE_SIZE = 33
    snapshot = service.open(query=InvitationQuery(page=2))
    [last] = addresses(snapshot.page)
    service.revoke(snapshot.page.invitations[0].id)  # type: ignore[union-attr]
    after = service.with_list(snapshot, InvitationQuery(page=2)).page
    assert after is not None
    assert (after.number, after.num_pages) == (1, 1)
    assert last not in addresses(after)


def test_a_page_that_cannot_be_fetched_again_is_an_error_in_the_workspace(
    emulator: Emulator, service: InvitationService
) -> None:
    snapshot = service.open(query=InvitationQuery())
    emulator.fault("GET", LIST, status=500)
    after = service.with_list(snapshot, InvitationQuery())
    assert after.page is None
    assert isinstance(after.page_error, exc.ServiceUnavailable)
    assert service.with_list(after, InvitationQuery()).page_error is None


# --- Inviting ------------------------------------------------------------------------------


class Listener:
    """Collects what a signal says."""

    def __init__(self, signal: Signal) -> None:
        self.signal = signal
        self.heard: list[dict[str, Any]] = []

    def __call__(self, **said: Any) -> None:
        self.heard.append(said)


@pytest.fixture
def created() -> Iterator[list[dict[str, Any]]]:
    listener = Listener(invitation_created)
    invitation_created.connect(listener)
    yield listener.heard
    invitation_created.disconnect(listener)


@pytest.fixture
def revoked() -> Iterator[list[dict[str, Any]]]:
    listener = Listener(invitation_revoked)
    invitation_revoked.connect(listener)
    yield listener.heard
    invitation_revoked.disconnect(listener)


def pending(emulator: Emulator, address: str = NEW) -> int:
    return sum(
        row.email_address.casefold() == address.casefold()
        for row in emulator.invitations("acme", "pending")
    )


def test_inviting_somebody(
    emulator: Emulator, ready: InvitationService, created: list[dict[str, Any]]
) -> None:
    invitation = ready.invite_member(NEW, "org:billing")
    assert (invitation.email_address, invitation.role) == (NEW, "org:billing")
    assert invitation.status is InvitationStatus.PENDING
    assert invitation.inviter_id == ready.user_id
    [call] = emulator.requests
    assert {**call.body, "private_metadata": {}} == {
        "email_address": NEW,
        "role": "org:billing",
        "inviter_user_id": ready.user_id,
        "private_metadata": {},
    }
    assert list(call.body["private_metadata"]) == ["org_invitations"]
    [said] = created
    assert said == {
        "signal": invitation_created,
        "sender": InvitationService,
        "invitation": invitation,
        "organization_id": ready.organization_id,
        "user_id": ready.user_id,
    }


def test_the_sites_own_wishes_go_along(
    emulator: Emulator, ready: InvitationService, settings: Any
) -> None:
    settings.ORG_INVITATIONS_REDIRECT_URL = "https://app.test/welcome"
    settings.ORG_INVITATIONS_EXPIRES_IN_DAYS = 7
    ready.invite_member(NEW, "org:member")
    body = emulator.requests[0].body
    assert (body["redirect_url"], body["expires_in_days"]) == ("https://app.test/welcome", 7)


@pytest.mark.parametrize(
    ("address", "role", "kind", "looked"),
    [
        ("sofia.petrova@northwind.example", "org:member", exc.DuplicateInvitation, "invitations"),
        ("SOFIA.Petrova@northwind.example", "org:member", exc.DuplicateInvitation, "invitations"),
        (MAX, "org:member", exc.AlreadyMember, "memberships"),
        ("nonsense", "org:member", exc.InvalidEmailAddress, ""),
    ],
)
def test_a_refusal_is_passed_on_and_nobody_is_told(
    emulator: Emulator,
    ready: InvitationService,
    created: list[dict[str, Any]],
    address: str,
    role: str,
    kind: type[exc.ClerkError],
    looked: str,
) -> None:
    with pytest.raises(kind):
        ready.invite_member(address, role)
    assert created == []
    # What a refusal says is there is looked up; anything else leaves nothing to ask.
    looks = [(call.method, call.path.rsplit("/", 1)[-1]) for call in emulator.requests[1:]]
    assert looks == ([("GET", looked)] if looked else [])


def test_the_limit_is_passed_on_with_its_seconds(
    emulator: Emulator, ready: InvitationService
) -> None:
    emulator.fault("POST", CREATE, status=429, headers={"Retry-After": "17"}, body={})
    with pytest.raises(exc.RateLimited) as caught:
        ready.invite_member(NEW, "org:member")
    assert caught.value.retry_after == 17
    assert len(emulator.requests) == 1


def test_a_failing_listener_breaks_nothing(
    emulator: Emulator,
    service: InvitationService,
    created: list[dict[str, Any]],
    revoked: list[dict[str, Any]],
) -> None:
    def fail(**said: Any) -> None:
        raise ZeroDivisionError

    for signal in (invitation_created, invitation_revoked):
        signal.connect(fail)
    try:
        invitation = service.invite_member(NEW, "org:member")
        assert service.revoke(invitation.id).is_revoked
    finally:
        for signal in (invitation_created, invitation_revoked):
            signal.disconnect(fail)
    assert len(created) == len(revoked) == 1


# --- Checked at the moment of writing ------------------------------------------------------


def write(service: InvitationService, emulator: Emulator, what: str) -> None:
    if what == "invite":
        service.invite_member(NEW, "org:member")
    else:
        service.revoke(emulator.invitations("acme", "pending")[0].id)


@pytest.mark.parametrize("what", ["invite", "revoke"])
def test_a_write_checks_by_itself(
    emulator: Emulator, service: InvitationService, what: str
) -> None:
    service.open(query=InvitationQuery())
    asked(emulator)
    write(service, emulator, what)
    check, sent = asked(emulator)
    assert check == "GET /organizations/ACME/memberships"
    assert sent.startswith("POST ")


@pytest.mark.parametrize("what", ["invite", "revoke"])
def test_a_check_just_before_covers_the_write(
    emulator: Emulator, ready: InvitationService, what: str
) -> None:
    write(ready, emulator, what)
    [sent] = asked(emulator)
    assert sent.startswith("POST ")


@pytest.mark.parametrize("what", ["invite", "revoke"])
def test_an_older_check_does_not(
    emulator: Emulator, ready: InvitationService, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    permissions(emulator, ADA, ["org:x:y"])
    later = time.monotonic() + 10
    monkeypatch.setattr("org_invitations.services.snapshot.time.monotonic", lambda: later)
    with pytest.raises(NotPermitted):
        write(ready, emulator, what)
    assert [call.method for call in emulator.requests] == ["GET"]


@pytest.mark.parametrize("what", ["invite", "revoke"])
def test_a_check_that_said_no_ends_the_one_before(
    emulator: Emulator, ready: InvitationService, what: str
) -> None:
    permissions(emulator, ADA, ["org:x:y"])
    for _ in range(2):
        with pytest.raises(NotPermitted):
            ready.open(fresh=True)
        with pytest.raises(NotPermitted):
            write(ready, emulator, what)
    assert {call.method for call in emulator.requests} == {"GET"}


@pytest.mark.parametrize("what", ["invite", "revoke"])
def test_a_check_that_failed_ends_the_one_before(
    emulator: Emulator, ready: InvitationService, what: str
) -> None:
    emulator.fault("GET", "*/memberships", times=None, status=500)
    with pytest.raises(exc.ServiceUnavailable):
        ready.open(fresh=True)
    with pytest.raises(exc.ServiceUnavailable):
        write(ready, emulator, what)
    assert {call.method for call in emulator.requests} == {"GET"}


def test_revoking_needs_no_roles(emulator: Emulator, service: InvitationService) -> None:
    emulator.fault("GET", "/v1/role_sets/*", times=None, status=500)
    write(service, emulator, "revoke")


@pytest.mark.parametrize("role", ["org:auditor", "org:nonsense", ""])
def test_a_role_that_the_organization_does_not_have_is_never_sent(
    emulator: Emulator, ready: InvitationService, created: list[dict[str, Any]], role: str
) -> None:
    with pytest.raises(RoleNotGranted):
        ready.invite_member(NEW, role)
    assert asked(emulator) == []
    assert created == []


# --- A lost answer to an invitation --------------------------------------------------------

LOST: list[dict[str, Any]] = [
    {"drop": "after"},
    {"garbage": "html"},
    {"garbage": "empty"},
    {"garbage": "invalid-json"},
    {"garbage": "wrong-json"},
    {"garbage": "truncated"},
    {"status": 500, "write": True},
    {"status": 502, "write": True},
    {"status": 504, "write": True},
    {"status": 302, "write": True, "headers": {"Location": "https://elsewhere.test/"}},
    {"delay": 30},
]
LOST_IDS = ["-".join(map(str, (k for kv in fault.items() for k in kv))) for fault in LOST]


@pytest.mark.parametrize("fault", LOST, ids=LOST_IDS)
def test_an_invitation_whose_answer_was_lost_is_found_and_counts_as_success(
    emulator: Emulator,
    ready: InvitationService,
    created: list[dict[str, Any]],
    fault: dict[str, Any],
) -> None:
    emulator.fault("POST", CREATE, **fault)
    invitation = ready.invite_member("New+Tag@Example.com", "org:member")
    assert invitation.id == emulator.invitations("acme")[-1].id
    assert [said["invitation"] for said in created] == [invitation]
    assert [call.method for call in emulator.requests] == ["POST", "GET"]  # sent once
    assert emulator.requests[1].query == [
        ("email_address", "New+Tag@Example.com"),
        ("order_by", "-created_at"),
        ("limit", "100"),
        ("offset", "0"),
    ]


@pytest.mark.parametrize(
    "fault", [{"drop": "before"}, {"status": 503}, {"delay": 30, "write": False}], ids=str
)
def test_what_may_still_be_under_way_is_not_said_to_be_undone(
    emulator: Emulator, fault: dict[str, Any]
) -> None:
    row = emulator.invitations("acme", "pending")[0]
    service = make_service(emulator)
    service.open(fresh=True)
    emulator.fault("POST", "*", times=2, **fault)
    for write in (
        lambda: service.invite_member(NEW, "org:member"),
        lambda: service.revoke(row.id),
    ):
        with pytest.raises(OutcomeUnknown) as caught:
            write()
        assert caught.value.absent


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 500}, exc.ServiceUnavailable),
        ({"garbage": "html", "write": False}, exc.InvalidResponse),
    ],
    ids=str,
)
def test_an_invitation_that_was_not_created_ends_with_the_original_error(
    emulator: Emulator,
    service: InvitationService,
    created: list[dict[str, Any]],
    fault: dict[str, Any],
    kind: type[exc.ClerkError],
) -> None:
    emulator.fault("POST", CREATE, **fault)
    with pytest.raises(kind):
        service.invite_member(NEW, "org:member")
    assert pending(emulator) == 0
    assert created == []


@pytest.mark.parametrize(
    "before",
    [
        {"created_ago": 3600, "inviter": ADA},
        {"created_ago": 0, "inviter": MIA},
        {"created_ago": 0, "inviter": ADA, "role": "org:admin"},
    ],
    ids=["an older one", "of another inviter", "for another role"],
)
def test_an_invitation_found_that_is_not_ours_is_a_duplicate(
    emulator: Emulator,
    service: InvitationService,
    created: list[dict[str, Any]],
    before: dict[str, Any],
) -> None:
    emulator.add_invitation("acme", NEW, **before)
    emulator.fault("POST", CREATE, status=502)
    with pytest.raises(exc.DuplicateInvitation):
        service.invite_member(NEW, "org:member")
    assert created == []


def test_an_invitation_of_another_address_is_not_taken_for_ours(
    emulator: Emulator, service: InvitationService
) -> None:
    emulator.fault("POST", CREATE, drop="before")
    other = {
        "id": "orginv_x",
        "email_address": "somebody@else.test",
        "role": "org:member",
        "status": "pending",
        "inviter_id": service.user_id,
    }
    emulator.fault("GET", LIST, status=200, body={"data": [other], "total_count": 1})
    with pytest.raises(OutcomeUnknown):
        service.invite_member(NEW, "org:member")


def test_clocks_may_differ_by_a_minute(emulator: Emulator, service: InvitationService) -> None:
    emulator.clock.advance(-60)
    emulator.fault("POST", CREATE, drop="after")
    assert service.invite_member(NEW, "org:member").email_address == NEW


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"drop": "after"}, {"status": 429}, {"garbage": "html"}], ids=str
)
def test_where_the_question_fails_too_nobody_knows(
    emulator: Emulator,
    service: InvitationService,
    created: list[dict[str, Any]],
    fault: dict[str, Any],
) -> None:
    emulator.fault("POST", CREATE, drop="after")
    emulator.fault("GET", LIST, times=None, **fault)
    with pytest.raises(OutcomeUnknown) as caught:
        service.invite_member(NEW, "org:member")
    assert isinstance(caught.value.error, exc.ConnectionBroken)
    assert not isinstance(caught.value, exc.ClerkError)
    assert created == []


def test_a_connection_that_never_came_about_leaves_nothing_to_ask(
    settings: Any, created: list[dict[str, Any]]
) -> None:
    settings.CLERK_API_URL = "http://nowhere.invalid"
    service = InvitationService(get_client(), organization_id="org_1", user_id="user_1")
    with pytest.raises(exc.ConnectionFailed):
        service.invite_member(NEW, "org:member")
    assert created == []


# --- The same over a real socket -----------------------------------------------------------


@pytest.fixture
def opened(clerk_emulator_server: EmulatorServer) -> InvitationService:
    service = make_service(clerk_emulator_server.emulator)
    service.open(fresh=True)
    clerk_emulator_server.emulator.clear_requests()
    return service


@pytest.fixture
def late(clerk_emulator_server: EmulatorServer, opened: InvitationService) -> Iterator[Gate]:
    """A gate at which the service loses patience; with all other calls it has plenty."""
    with gate(clerk_emulator_server.emulator) as closed, impatient(opened.api.client):
        yield closed


def test_an_invitation_whose_answer_came_too_late_is_found(
    opened: InvitationService, late: Gate, clerk_emulator_server: EmulatorServer
) -> None:
    emulator = clerk_emulator_server.emulator
    emulator.fault("POST", CREATE, delay=1)
    assert opened.invite_member(NEW, "org:member").email_address == NEW
    assert [call.method for call in emulator.requests] == ["POST", "GET"]
    assert pending(emulator) == 1


@pytest.mark.parametrize(("drop", "found"), [("after", True), ("before", False)])
def test_an_invitation_whose_connection_broke_is_found_or_was_not_created(
    opened: InvitationService, clerk_emulator_server: EmulatorServer, drop: str, found: bool
) -> None:
    emulator = clerk_emulator_server.emulator
    emulator.fault("POST", CREATE, drop=drop)
    if found:
        assert opened.invite_member(NEW, "org:member").email_address == NEW
    else:
        with pytest.raises(OutcomeUnknown) as caught:
            opened.invite_member(NEW, "org:member")
        assert isinstance(caught.value.error, exc.ConnectionBroken)
        assert caught.value.absent
    assert [call.method for call in emulator.requests] == ["POST", "GET"]
    assert pending(emulator) == int(found)


def test_an_invitation_that_clerk_is_still_at_work_on_is_not_said_to_be_undone(
    opened: InvitationService, late: Gate, clerk_emulator_server: EmulatorServer
) -> None:
    emulator = clerk_emulator_server.emulator
    emulator.fault("POST", CREATE, hold=1)
    with pytest.raises(OutcomeUnknown) as caught:
        opened.invite_member(NEW, "org:member")
    assert caught.value.absent
    assert pending(emulator) == 0
    late.open()
    assert pending(emulator) == 1  # it came after all


@pytest.mark.parametrize("garbage", ["truncated", "huge"])
def test_an_invitation_whose_answer_is_garbage_is_found(
    opened: InvitationService, clerk_emulator_server: EmulatorServer, garbage: str
) -> None:
    emulator = clerk_emulator_server.emulator
    emulator.fault("POST", CREATE, garbage=garbage)
    assert opened.invite_member(NEW, "org:member").email_address == NEW
    assert pending(emulator) == 1


def test_a_revocation_whose_answer_came_too_late_is_found(
    opened: InvitationService, late: Gate, clerk_emulator_server: EmulatorServer
) -> None:
    emulator = clerk_emulator_server.emulator
    row = emulator.invitations("acme", "pending")[0]
    emulator.fault("POST", REVOKE, delay=1)
    assert opened.revoke(row.id).is_revoked
    assert [call.method for call in emulator.requests] == ["POST", "GET"]


# --- Revoking ------------------------------------------------------------------------------


def test_revoking_an_invitation(
    emulator: Emulator, ready: InvitationService, revoked: list[dict[str, Any]]
) -> None:
    row = emulator.invitations("acme", "pending")[0]
    invitation = ready.revoke(row.id)
    assert (invitation.id, invitation.status) == (row.id, InvitationStatus.REVOKED)
    [call] = emulator.requests
    assert call.body == {"requesting_user_id": ready.user_id}
    [said] = revoked
    assert said == {
        "signal": invitation_revoked,
        "sender": InvitationService,
        "invitation": invitation,
        "organization_id": ready.organization_id,
        "user_id": ready.user_id,
    }


@pytest.mark.parametrize("state", ["accepted", "revoked", "expired"])
def test_what_is_no_longer_pending_cannot_be_revoked(
    emulator: Emulator, service: InvitationService, revoked: list[dict[str, Any]], state: str
) -> None:
    row = emulator.invitations("acme", state)[0]
    with pytest.raises(exc.InvitationNotPending):
        service.revoke(row.id)
    assert revoked == []


def test_an_invitation_of_another_organization_cannot_be_revoked(
    emulator: Emulator, service: InvitationService
) -> None:
    row = emulator.invitations("globex", "pending")[0]
    with pytest.raises(exc.InvitationNotFound):
        service.revoke(row.id)
    assert row in emulator.invitations("globex", "pending")


@pytest.mark.parametrize("fault", LOST, ids=LOST_IDS)
def test_a_revocation_whose_answer_was_lost_is_found_and_counts_as_success(
    emulator: Emulator,
    ready: InvitationService,
    revoked: list[dict[str, Any]],
    fault: dict[str, Any],
) -> None:
    row = emulator.invitations("acme", "pending")[0]
    emulator.fault("POST", REVOKE, **fault)
    assert ready.revoke(row.id).is_revoked
    assert len(revoked) == 1
    assert [call.method for call in emulator.requests] == ["POST", "GET"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 500}, exc.ServiceUnavailable),
        ({"garbage": "html", "write": False}, exc.InvalidResponse),
    ],
    ids=str,
)
def test_a_revocation_that_did_not_happen_ends_with_the_original_error(
    emulator: Emulator,
    service: InvitationService,
    revoked: list[dict[str, Any]],
    fault: dict[str, Any],
    kind: type[exc.ClerkError],
) -> None:
    row = emulator.invitations("acme", "pending")[0]
    emulator.fault("POST", REVOKE, **fault)
    with pytest.raises(kind):
        service.revoke(row.id)
    assert revoked == []
    assert row in emulator.invitations("acme", "pending")


@pytest.mark.parametrize("state", ["accepted", "expired"])
def test_a_lost_answer_about_what_is_no_longer_pending_says_so(
    emulator: Emulator, service: InvitationService, revoked: list[dict[str, Any]], state: str
) -> None:
    row = emulator.invitations("acme", state)[0]
    emulator.fault("POST", REVOKE, drop="before")
    with pytest.raises(exc.InvitationNotPending):
        service.revoke(row.id)
    assert revoked == []


def test_where_the_question_about_a_revocation_fails_nobody_knows(
    emulator: Emulator, service: InvitationService, revoked: list[dict[str, Any]]
) -> None:
    row = emulator.invitations("acme", "pending")[0]
    emulator.fault("POST", REVOKE, drop="after")
    emulator.fault("GET", ONE, status=500)
    with pytest.raises(OutcomeUnknown) as caught:
        service.revoke(row.id)
    assert isinstance(caught.value.error, exc.ConnectionBroken)
    assert revoked == []


# --- From a slug to an id ------------------------------------------------------------------


def test_a_slug_becomes_the_id_and_is_remembered(emulator: Emulator) -> None:
    acme, ada = emulator.organization("acme").id, emulator.user("ada@acme.test").id
    assert find_organization_id(get_client(), "acme", ada) == acme
    assert find_organization_id(get_client(), "acme", ada) == acme
    assert len(emulator.requests) == 1


@pytest.mark.parametrize(
    "slug", ["nobody", "..", "a b", "x" * 300, "acme/invitations", "", "globex"]
)
def test_a_slug_of_no_organization_of_theirs_costs_the_same_whose_ever_it_is(
    emulator: Emulator, slug: str
) -> None:
    ada = emulator.user("ada@acme.test").id
    for _ in range(3):
        with pytest.raises(exc.OrganizationNotFound):
            find_organization_id(get_client(), slug, ada)
    assert [call.path for call in emulator.requests] == [
        f"/v1/users/{ada}/organization_memberships"
    ]


def test_a_user_that_clerk_does_not_know_has_no_slug(emulator: Emulator) -> None:
    with pytest.raises(exc.OrganizationNotFound):
        find_organization_id(get_client(), "acme", "user_nobody")


def test_a_slug_that_is_new_is_found_after_a_moment(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = emulator.user("ada@acme.test").id
    assert find_organization_id(get_client(), "acme", ada)
    emulator.organization("acme").slug = "acme-new"
    with pytest.raises(exc.OrganizationNotFound):
        find_organization_id(get_client(), "acme-new", ada)
    monkeypatch.setattr("org_invitations.services.organizations._UNKNOWN_SECONDS", 0)
    assert find_organization_id(get_client(), "acme-new", ada)


# --- Where somebody may manage -------------------------------------------------------------


def manageable(emulator: Emulator, user: str) -> list[str]:
    found = get_manageable_organizations(get_client(), emulator.user(user).id)
    return [membership.organization.name for membership in found]


@pytest.mark.parametrize(
    ("user", "names"),
    [(BO, ["Acme", "Globex"]), (ADA, ["Acme"]), (MIA, ["Acme"]), (MAX, []), (NORA, [])],
)
def test_the_organizations_to_choose_from_are_those_one_may_manage_by_name(
    emulator: Emulator, user: str, names: list[str]
) -> None:
    assert manageable(emulator, user) == names


def test_without_permissions_in_the_memberships_the_roles_decide_here_too(
    emulator: Emulator,
) -> None:
    permissions(emulator, ADA, [])
    permissions(emulator, MAX, [])
    assert manageable(emulator, ADA) == ["Acme"]
    assert manageable(emulator, MAX) == []


def test_who_is_banned_has_nothing_to_choose_from(emulator: Emulator) -> None:
    emulator.configure(users={BO: {"banned": True}})
    assert manageable(emulator, BO) == []


def test_where_the_memberships_cannot_be_had_there_is_nothing_to_choose_from(
    emulator: Emulator,
) -> None:
    emulator.fault("GET", "*/organization_memberships", status=500)
    with pytest.raises(exc.ServiceUnavailable):
        manageable(emulator, BO)


# --- Batches -------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [True, False])
def test_a_batch_is_gone_on_with_by_any_process_with_what_is_in_its_rows(
    emulator: Emulator, at_once: bool
) -> None:
    class Harbour(InvitationService):
        def get_metadata(self, batch: Batch, item: BatchItem) -> dict[str, Any]:
            return {"public_metadata": {"team": batch.options["team"], "for": item.text}}

    items = [
        BatchItem(text=f"{name}!", email_address=f"{name}@example.com", role="org:member")
        for name in ("a", "b")
    ]
    options = {"expires_in_days": 3, "language": "fr", "team": "dock", "notify": False}
    batch, created = make_service(emulator).begin(
        "invite", items, key=None, options=options, at_once=at_once
    )
    assert created
    if at_once:  # then the first is taken to be at work, as long as it may be
        service = make_service(emulator)
        assert {item.state for item in service.resume(batch)} == {"waiting"}
        let_time_pass()
    made = Harbour(
        get_client(), organization_id=batch.organization_id, user_id=batch.user_id
    ).resume(Batch.objects.get())
    assert {item.state for item in made} == {"done"}
    for item in made:
        row = emulator.state.invitations[item.invitation_id]
        wanted = {"team": "dock", "for": item.text, "language": "fr"}
        assert row.public_metadata == wanted
        assert row.expires_at is not None
        assert round((row.expires_at - row.created_at) / 86_400_000) == 3


@pytest.mark.parametrize("ends", ["denied", "silent", "locked out"])
def test_a_run_that_may_not_begin_says_so_in_the_items(emulator: Emulator, ends: str) -> None:
    service = make_service(emulator, MAX if ends == "denied" else ADA)
    items = [BatchItem(email_address="a@example.com", role="org:member")]
    batch, _ = service.begin("invite", items, key=None, options={})
    if ends == "denied":
        with pytest.raises(NotPermitted):
            service.run(batch)
        state, reason = "refused", "PermissionDenied"
    elif ends == "silent":
        emulator.fault("GET", "/v1/*", times=None, status=500)
        [item] = service.run(batch)
        assert isinstance(item.error, exc.ServiceUnavailable)
        state, reason = "waiting", "ServiceUnavailable"
    else:
        emulator.fault("GET", "/v1/*", times=None, status=401)
        [item] = service.run(batch)
        assert isinstance(item.error, exc.Unauthorized)
        state, reason = "failed", "Unauthorized"
    item = BatchItem.objects.get()
    assert (item.state, item.reason, item.leased_by) == (state, reason, "")
    assert not [call for call in asked(emulator) if call.startswith("POST")]


def test_who_was_stopped_past_the_lease_and_woken_sends_nothing_that_another_one_has_sent(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.configure(rate_limits=False, organizations={"acme": {"max_allowed_memberships": 0}})
    addresses = [f"person{number}@example.com" for number in range(25)]
    items = [BatchItem(email_address=address, role="org:member") for address in addresses]
    service = make_service(emulator)
    batch, _ = service.begin("invite", items, key=None, options={})
    invite_members = OrganizationAPI.invite_members
    others: list[BatchItem] = []

    def stop_for_long(api: OrganizationAPI, requests: Any) -> Any:
        made = invite_members(api, requests)
        if not others:
            let_time_pass()
            others.append(BatchItem())
            others[:] = make_service(emulator).resume(Batch.objects.get())
        return made

    monkeypatch.setattr(OrganizationAPI, "invite_members", stop_for_long)
    mails = len(emulator.state.mails)
    items = service.run(batch)
    assert {item.state for item in (*others, *items)} == {"done"}
    found = list(BatchItem.objects.all())
    assert {(item.state, item.leased_by) for item in found} == {("done", "")}
    assert len({item.invitation_id for item in found}) == 25
    assert len(emulator.state.mails) == mails + 25


def test_a_batch_of_somebody_elses_is_not_touched(emulator: Emulator, settings: Any) -> None:
    service = make_service(emulator)
    row = emulator.invitations("acme", "pending")[0]
    items = [BatchItem(invitation_id=row.id)]
    batch, _ = service.begin("revoke", items, key=None, options={}, at_once=False)
    others = {
        "another person": make_service(emulator, MIA),
        "another organization": make_service(emulator, ADA, "globex"),
        "another instance": make_service(emulator),
    }
    for name, other in others.items():
        if name == "another instance":
            key = b64encode(b"clerk.example.com$").decode()
            settings.CLERK_PUBLISHABLE_KEY = f"pk_live_{key}"
            assert other.find_batch(batch.pk) is None, name
        for touch in (
            other.run,
            other.resume,
            other.reconcile,
            partial(other.cancel, items=items),
        ):
            with pytest.raises(ValueError, match="not of this person"):
                touch(batch)
    assert asked(emulator) == []
    assert BatchItem.objects.get().state == "waiting"


def test_who_may_no_longer_does_not_go_on_even_with_what_is_over(emulator: Emulator) -> None:
    service = make_service(emulator)
    row = emulator.invitations("acme", "pending")[0]
    items = [BatchItem(invitation_id=row.id)]
    batch, _ = service.begin("revoke", items, key=None, options={})
    [item] = service.run(batch)
    assert item.state == "done"
    permissions(emulator, ADA, ["org:x:y"])
    with pytest.raises(NotPermitted):
        make_service(emulator).resume(batch)


def test_who_is_told_to_have_no_right_has_nothing_done_whatever_clerk_says_next(
    emulator: Emulator,
) -> None:
    service = make_service(emulator)
    items = [BatchItem(email_address="a@example.com", role="org:member")]
    batch, _ = service.begin("invite", items, key=None, options={}, at_once=False)
    emulator.fault("GET", "*/memberships", replace={"data": []})  # and the next answer has her
    with pytest.raises(NotPermitted):
        service.resume(batch)
    item = BatchItem.objects.get()
    assert (item.state, item.reason, item.leased_by) == ("refused", "PermissionDenied", "")
    assert not [call for call in asked(emulator) if call.startswith("POST")]


def test_where_no_place_to_wait_for_clerk_is_free_nothing_is_revoked(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = emulator.invitations("acme", "pending")[: GROUP_SIZE + 1]
    full = Outcome(error=exc.BulkheadFull("too many"))
    monkeypatch.setattr(
        "org_invitations.services.batches.revoke.gather",
        lambda calls: dict.fromkeys(calls, full),
    )
    service = make_service(emulator)
    items = [BatchItem(invitation_id=row.id) for row in rows]
    batch, _ = service.begin("revoke", items, key=None, options={})
    states = [item.state for item in service.run(batch)]
    assert states == ["failed"] * GROUP_SIZE + ["waiting"]
    kept = BatchItem.objects.order_by("number")
    assert [item.state for item in kept] == states
    assert {item.reason for item in kept} == {"BulkheadFull"}


def test_what_a_sites_metadata_fail_for_is_not_sent_and_the_others_go(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(InvitationService):
        def get_metadata(self, batch: Batch, item: BatchItem) -> dict[str, Any]:
            if item.email_address == "b@example.com":
                raise LookupError("no such team")
            return {}

    service = make_service(emulator)
    broken = Broken(get_client(), organization_id=service.organization_id, user_id=service.user_id)
    items = [BatchItem(email_address=f"{name}@example.com", role="org:member") for name in "abc"]
    batch, _ = broken.begin("invite", items, key=None, options={})
    broken.run(batch)
    kept = list(BatchItem.objects.values_list("state", "reason", "leased_by"))
    assert kept == [("done", "", ""), ("failed", "no-metadata", ""), ("done", "", "")]
    [record] = [record for record in caplog.records if record.exc_info]
    assert record.exc_info is not None
    assert record.exc_info[0] is LookupError
    assert "@" not in record.getMessage()


def test_a_rule_that_fails_leaves_what_it_was_asked_for_to_be_gone_on_with(
    emulator: Emulator,
) -> None:
    class Broken(GrantPolicy):
        def may_grant(self, *args: Any, **kwargs: Any) -> bool:
            raise LookupError("no such team")

    service = make_service(emulator)
    broken = make_service(emulator)
    broken.policy = Broken()
    items = [BatchItem(email_address="a@example.com", role="org:member")]
    batch, _ = broken.begin("invite", items, key=None, options={})
    with pytest.raises(LookupError):
        broken.run(batch)
    assert BatchItem.objects.get().state == "waiting"
    assert {item.state for item in service.resume(batch)} == {"done"}


def test_a_revocation_that_is_found_later_has_a_name_and_a_role(emulator: Emulator) -> None:
    row = emulator.invitations("acme", "pending")[0]
    service = make_service(emulator)
    items = [BatchItem(invitation_id=row.id)]
    batch, _ = service.begin("revoke", items, key=None, options={})
    emulator.fault("POST", REVOKE, drop="after")
    emulator.fault("GET", ONE, status=500)
    [item] = service.run(batch)
    assert item.state == "unsettled"
    let_time_pass()
    service.open()
    [item] = service.reconcile(batch)
    assert (item.state, item.email_address, item.role) == ("done", row.email_address, row.role)
    assert item.role_name
