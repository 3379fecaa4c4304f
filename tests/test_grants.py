"""Who may give which role: the rule, a rule of the site's own, and every way round it.

The matrix at the end holds what Clerk was sent, and what it stored, against a formula that reads
the emulator's own data and shares no code with the app.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import permutations, product
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings

from org_invitations.clerk import ClerkError, Membership, Organization, PublicUserData, Role
from org_invitations.clients import get_client
from org_invitations.emulator import Emulator
from org_invitations.emulator.seed_data import PERMISSIONS, ROLE_SETS, ROLES
from org_invitations.forms import InviteForm
from org_invitations.roles import MANAGE_MEMBERS, AssignableRoles, GrantPolicy, get_grant_policy
from org_invitations.services import InvitationService, NotPermitted, RoleNotGranted
from org_invitations.testing import SignIn

PAGE = "/invitations/"
INVITE = "/invitations/invite/"
HTMX = {"HX-Request": "true", "HX-Target": "org-invitations-form"}

# --- The rule ------------------------------------------------------------------------------

MANAGER = Role("org:manager", "Manager", permissions=frozenset({MANAGE_MEMBERS, "org:x"}))
MEMBER = Role("org:member", "Member", permissions=frozenset({"org:x"}))
GUEST = Role("org:guest", "Guest", permissions=frozenset())
MYSTERY = Role("org:mystery", "Mystery")
EVERY = (MANAGER, MEMBER, GUEST, MYSTERY)


def membership(*permissions: str, role: str = "org:manager") -> Membership:
    return Membership(
        id="orgmem_1",
        role=role,
        role_name=role,
        permissions=frozenset(permissions),
        organization=Organization("org_1", "Acme"),
        user=PublicUserData("user_1"),
    )


def granted(
    who: Membership, instance: tuple[Role, ...] = EVERY, *, default: str = "", **order: Any
) -> AssignableRoles:
    roles = AssignableRoles(roles=EVERY, default_role=default, **order)
    return GrantPolicy().restrict(roles, who, instance)


def keys(roles: tuple[Role, ...]) -> list[str]:
    return [role.key for role in roles]


def test_a_person_grants_the_roles_whose_permissions_are_among_their_own() -> None:
    found = granted(membership(MANAGE_MEMBERS, "org:x", "org:y"))
    assert keys(found.roles) == ["org:manager", "org:member", "org:guest"]
    assert keys(found.not_grantable) == ["org:mystery"]
    found = granted(membership(MANAGE_MEMBERS))
    assert keys(found.roles) == ["org:guest"]
    assert keys(found.not_grantable) == ["org:manager", "org:member", "org:mystery"]


def test_a_role_whose_permissions_are_unknown_is_granted_by_nobody() -> None:
    everything = membership(MANAGE_MEMBERS, *(key for key, _, _ in PERMISSIONS))
    assert "org:mystery" not in granted(everything)


def test_the_persons_own_role_is_not_exempt() -> None:
    assert "org:manager" not in granted(membership(MANAGE_MEMBERS, role="org:manager"))


def test_who_has_no_permissions_listed_has_those_of_their_role() -> None:
    assert keys(granted(membership(role="org:member")).roles) == ["org:member", "org:guest"]
    for unknown in ("org:mystery", "org:gone"):
        assert keys(granted(membership(role=unknown)).roles) == ["org:guest"]
    assert keys(granted(membership(), instance=()).roles) == ["org:guest"]


def test_what_is_preselected_is_granted() -> None:
    somebody, nobody = membership(MANAGE_MEMBERS, "org:x"), membership(MANAGE_MEMBERS)
    assert granted(somebody, default="org:member").default_role == "org:member"
    assert granted(somebody, default="org:mystery").default_role == ""
    assert granted(nobody, default="org:member").default_role == "org:guest"  # the only one


def test_the_roles_that_may_manage_members_want_a_second_thought() -> None:
    assert granted(membership(MANAGE_MEMBERS, "org:x")).elevated == {"org:manager"}
    assert granted(membership("org:x")).elevated == frozenset()
    assert GrantPolicy().needs_confirmation(MYSTERY)


def test_a_migration_stays_one() -> None:
    assert granted(membership(MANAGE_MEMBERS), locked=True).locked


# --- A rule of the site's own --------------------------------------------------------------


class OnlyGuests(GrantPolicy):
    """Nobody gives anything but the weakest role."""

    def may_grant(self, role: Role, *, membership: Membership, permissions: frozenset[str]) -> bool:
        return role.key == "org:guest"


class Anything(GrantPolicy):
    """Not to be copied: it grants what nobody knows."""

    def may_grant(self, role: Role, *, membership: Membership, permissions: frozenset[str]) -> bool:
        return True


class NeverAsks(GrantPolicy):
    """Does without the tick."""

    def needs_confirmation(self, role: Role) -> bool:
        return False


@pytest.mark.parametrize("value", ["", None])
def test_without_a_setting_it_is_the_apps_own(value: Any) -> None:
    with override_settings(ORG_INVITATIONS_GRANT_POLICY=value):
        assert type(get_grant_policy()) is GrantPolicy


@pytest.mark.parametrize("value", [f"{__name__}.OnlyGuests", OnlyGuests])
def test_a_site_names_its_class_or_gives_it(value: Any) -> None:
    with override_settings(ORG_INVITATIONS_GRANT_POLICY=value):
        assert type(get_grant_policy()) is OnlyGuests


@pytest.mark.parametrize(
    "value",
    [
        *("nonsense", "no.such.Rule", f"{__name__}.Nothing", f"{__name__}.EVERY", "builtins.dict"),
        *(dict, OnlyGuests(), print, 0, False, []),
    ],
    ids=lambda value: repr(value).partition(" at 0x")[0],
)
def test_what_is_no_rule_is_refused_and_replaced_by_none(
    value: Any, clerk_emulator: Emulator
) -> None:
    with override_settings(ORG_INVITATIONS_GRANT_POLICY=value):
        with pytest.raises(ImproperlyConfigured, match="ORG_INVITATIONS_GRANT_POLICY"):
            get_grant_policy()
        with pytest.raises(ImproperlyConfigured):
            InvitationService(get_client(), organization_id="org_1", user_id="user_1")


def service_of(clerk: Emulator, user: str = "ada@acme.test") -> InvitationService:
    return InvitationService(
        get_client(),
        organization_id=clerk.organization("acme").id,
        user_id=clerk.user(user).id,
    )


@override_settings(ORG_INVITATIONS_GRANT_POLICY=f"{__name__}.OnlyGuests")
def test_a_sites_rule_holds_everywhere(
    clerk_emulator: Emulator, client: Client, clerk_sign_in: SignIn
) -> None:
    clerk_emulator.configure(organizations={"acme": {"role_set_key": "role_set:crew"}})
    clerk_sign_in(client, "ada@acme.test", organization="acme")
    assert offered(client.get(PAGE).text) == {"org:guest"}
    assert keys(service_of(clerk_emulator).get_roles().roles) == ["org:guest"]
    with pytest.raises(RoleNotGranted):
        service_of(clerk_emulator).invite_member("a@example.com", "org:member")
    answer = client.post(INVITE, {"email_addresses": "a@example.com", "role": "org:member"})
    assert answer.status_code == 422
    assert sent(clerk_emulator) == []
    client.post(INVITE, {"email_addresses": "a@example.com", "role": "org:guest"})
    assert sent(clerk_emulator) == [("a@example.com", "org:guest")]


@override_settings(ORG_INVITATIONS_GRANT_POLICY=Anything)
def test_a_sites_rule_cannot_grant_what_the_organization_does_not_have(
    clerk_emulator: Emulator,
) -> None:
    roles = service_of(clerk_emulator).get_roles()
    assert "org:auditor" not in roles
    with pytest.raises(RoleNotGranted):
        service_of(clerk_emulator).invite_member("a@example.com", "org:auditor")


@override_settings(ORG_INVITATIONS_GRANT_POLICY=Anything)
def test_a_sites_rule_lets_in_nobody_else(clerk_emulator: Emulator) -> None:
    with pytest.raises(NotPermitted):
        service_of(clerk_emulator, "max@acme.test").get_roles()


@override_settings(ORG_INVITATIONS_GRANT_POLICY=NeverAsks)
def test_a_site_may_do_without_the_tick(
    clerk_emulator: Emulator, client: Client, clerk_sign_in: SignIn
) -> None:
    clerk_sign_in(client, "ada@acme.test", organization="acme")
    assert "confirm_elevated" not in client.get(PAGE).text
    client.post(INVITE, {"email_addresses": "a@example.com", "role": "org:admin"})
    assert sent(clerk_emulator) == [("a@example.com", "org:admin")]


# --- The tick ------------------------------------------------------------------------------

OFFER = AssignableRoles(
    roles=(MANAGER, MEMBER),
    default_role="org:member",
    elevated=frozenset({"org:manager"}),
    not_grantable=(MYSTERY,),
)


def form(offer: AssignableRoles = OFFER, **data: str) -> InviteForm:
    return InviteForm({"email_addresses": "a@example.com", **data}, roles=offer)


def test_a_role_that_may_manage_members_is_not_given_without_the_tick() -> None:
    refused = form(role="org:manager")
    assert not refused.is_valid()
    assert refused.errors.keys() == {"confirm_elevated"}
    assert "The role Manager may manage members" in refused.errors["confirm_elevated"][0]
    assert form(role="org:manager", confirm_elevated="on").is_valid()


@pytest.mark.parametrize("nothing", ["", "false", "False", "0"])
def test_a_box_that_is_not_ticked_is_not_ticked(nothing: str) -> None:
    refused = form(role="org:manager", confirm_elevated=nothing)
    # "0" is what Django takes for a tick, as any other text is.
    assert refused.is_valid() is (nothing == "0")


def test_for_another_role_the_tick_makes_no_difference() -> None:
    assert form(role="org:member").is_valid()
    assert form(role="org:member", confirm_elevated="on").is_valid()


def test_the_box_names_the_roles_it_is_for() -> None:
    assert str(form().fields["confirm_elevated"].help_text) == "Needed for: Manager"


@pytest.mark.parametrize("offer", [AssignableRoles(), AssignableRoles(roles=(MEMBER,))])
def test_where_nothing_needs_the_tick_there_is_no_box(offer: AssignableRoles) -> None:
    assert "confirm_elevated" not in form(offer).fields
    assert "confirm_elevated" not in form(offer).as_p()


def test_a_site_may_leave_the_box_out_of_its_form() -> None:
    class Plain(InviteForm):
        confirm_elevated = None  # type: ignore[assignment]  # how Django takes a field out

    data = {"email_addresses": "a@example.com", "role": "org:manager"}
    assert Plain(data, roles=OFFER).is_valid()


def test_another_kind_of_role_field_needs_the_tick_as_well() -> None:
    from django import forms

    class Typed(InviteForm):
        role = forms.CharField()  # type: ignore[assignment]

    data = {"email_addresses": "a@example.com", "role": "org:manager"}
    assert Typed(data, roles=OFFER).errors.keys() == {"confirm_elevated"}
    assert Typed(data | {"confirm_elevated": "on"}, roles=OFFER).is_valid()


@pytest.mark.parametrize(
    ("role", "words"),
    [("org:mystery", "because it may do more than you may"), ("org:gone", "any more")],
)
def test_after_a_refused_role_nothing_is_preselected(role: str, words: str) -> None:
    # Else the browser would show the first one, and a tick made for another would send it.
    refused = form(role=role, confirm_elevated="on")
    assert refused.errors.keys() == {"role"}
    assert words in refused.errors["role"][0]
    html = str(refused["role"])
    assert html.index('value=""') < html.index("org:manager")
    assert "selected" not in html.partition("org:manager")[2]


def test_who_can_give_nothing_is_told_and_sends_nothing() -> None:
    nothing = AssignableRoles(not_grantable=(MANAGER, MEMBER))
    refused = form(nothing, role="org:member")
    assert refused.errors.as_data()["role"][0].code == "not_grantable"
    assert " disabled" in str(refused["role"])
    assert "Ask an administrator" in str(InviteForm(roles=nothing).fields["role"].help_text)


def test_the_session_that_ended_loses_no_tick(client: Client, clerk_emulator: Emulator) -> None:
    data = {"email_addresses": "a@example.com", "role": "org:admin", "confirm_elevated": "on"}
    answer = client.post(INVITE, data)
    assert answer.status_code == 401
    assert re.search(r'name="confirm_elevated"[^>]* checked', answer.text)


# --- Every way round it --------------------------------------------------------------------

CALLER = "max@acme.test"
ROLE_PERMISSIONS = {key: frozenset(permissions) for key, _, _, permissions, _ in ROLES}
SET_ROLES: dict[str | None, frozenset[str]] = {key: frozenset(r) for key, _, _, r, *_ in ROLE_SETS}
SET_ROLES[None] = frozenset(ROLE_PERMISSIONS)
EVERYTHING = [key for key, _, _ in PERMISSIONS]


@dataclass(frozen=True)
class Caller:
    """Somebody's role, and the permissions that Clerk lists with the membership, if it does."""

    role: str
    listed: tuple[str, ...] | None = field(default=None)

    def __str__(self) -> str:
        if self.listed is None:
            return self.role
        return f"{self.role} with {len(self.listed)}: {' '.join(self.listed)}"

    @property
    def known_to_clerk(self) -> bool:
        """The emulator takes an empty list at its word, and refuses whom the app must judge."""
        return self.listed != ()

    @property
    def may(self) -> frozenset[str]:
        return frozenset(self.listed or ROLE_PERMISSIONS[self.role])


CALLERS = list(
    dict.fromkeys(
        [
            *(Caller(role) for role in ROLE_PERMISSIONS),
            *(Caller(role, ()) for role in ROLE_PERMISSIONS),
            # Of a role's permissions all but one, and one more than another's.
            *(
                Caller("org:admin", tuple(key for key in EVERYTHING if key != without))
                for without in EVERYTHING
            ),
            *(
                Caller("org:member", (MANAGE_MEMBERS, *sorted(permissions - {MANAGE_MEMBERS})))
                for permissions in ROLE_PERMISSIONS.values()
            ),
            *(
                Caller("org:admin", tuple(sorted(ROLE_PERMISSIONS[role])))
                for role in ("org:member",)
            ),
            Caller("org:guest", (MANAGE_MEMBERS,)),
            Caller("org:admin", ("org:invented:manage",)),
            Caller("org:guest", tuple(EVERYTHING)),
        ]
    )
)


def expected(caller: Caller, role: str, role_set: str | None) -> bool:
    """The formula: whether the caller may give the role."""
    return (
        "org:sys_memberships:manage" in caller.may
        and role in SET_ROLES[role_set]
        and all(permission in caller.may for permission in ROLE_PERMISSIONS[role])
    )


def elevated(role: str) -> bool:
    return "org:sys_memberships:manage" in ROLE_PERMISSIONS[role]


def offered(html: str) -> set[str]:
    form = "".join(re.findall(r'<select name="role".*?</select>', html, re.DOTALL))
    return set(re.findall(r'<option value="(org:[^"]+)"', form))  # the list's own has all


def sent(clerk: Emulator) -> list[tuple[str, str]]:
    """What Clerk was asked to create."""
    return [
        (call.body["email_address"], call.body["role"])
        for call in clerk.requests
        if call.method == "POST" and call.path.endswith("/invitations")
    ]


class Stage:
    """The organization, the caller in it, and the two ways in."""

    def __init__(self, clerk: Emulator, client: Client) -> None:
        self.clerk = clerk
        self.client = client
        self.attempts = 0

    def be(self, caller: Caller) -> None:
        listed = None if caller.listed is None else list(caller.listed)
        who = {"organization": "acme", "user": CALLER, "role": caller.role, "permissions": listed}
        self.clerk.configure(memberships=[who])

    def have(self, role_set: str | None) -> None:
        self.clerk.configure(
            organizations={"acme": {"role_set_key": role_set}}, initial_role_set_key=None
        )

    def start(self, caller: Caller, role_set: str | None) -> None:
        """A site that remembers nothing."""
        self.clerk.faults.clear()
        cache.clear()
        self.be(caller)
        self.have(role_set)

    def address(self) -> str:
        self.attempts += 1
        return f"attempt{self.attempts}@example.com"

    def post(self, role: str, *, htmx: bool = False, tick: bool = True) -> None:
        data = {"email_addresses": self.address(), "role": role}
        data |= {"confirm_elevated": "on"} if tick else {}
        self.client.post(INVITE, data, headers=HTMX if htmx else {})

    def call(self, role: str, service: InvitationService | None = None) -> None:
        try:
            (service or service_of(self.clerk, CALLER)).invite_member(self.address(), role)
        except (NotPermitted, ClerkError):
            return


@pytest.fixture
def stage(clerk_emulator: Emulator, client: Client, clerk_sign_in: SignIn) -> Stage:
    clerk_emulator.configure(
        rate_limits=False, organizations={"acme": {"max_allowed_memberships": 0}}
    )
    clerk_sign_in(client, CALLER, organization="acme")
    return Stage(clerk_emulator, client)


BOSS = Caller("org:admin")

# A way takes the caller, the role and the set to the attempt. Each starts with nothing remembered.


def by_service(stage: Stage, caller: Caller, role: str, role_set: str | None) -> None:
    stage.start(caller, role_set)
    stage.call(role)


def by_post(stage: Stage, caller: Caller, role: str, role_set: str | None) -> None:
    stage.start(caller, role_set)
    stage.post(role)


def by_htmx(stage: Stage, caller: Caller, role: str, role_set: str | None) -> None:
    stage.start(caller, role_set)
    stage.post(role, htmx=True)


def by_post_without_tick(stage: Stage, caller: Caller, role: str, role_set: str | None) -> None:
    stage.start(caller, role_set)
    stage.post(role, tick=False)


def by_htmx_without_tick(stage: Stage, caller: Caller, role: str, role_set: str | None) -> None:
    stage.start(caller, role_set)
    stage.post(role, htmx=True, tick=False)


def by_post_of_an_old_page(stage: Stage, caller: Caller, role: str, role_set: str | None) -> None:
    stage.start(BOSS, role_set)
    assert offered(stage.client.get(PAGE).text) == SET_ROLES[role_set]
    stage.be(caller)
    stage.post(role)


def by_htmx_of_an_old_page(stage: Stage, caller: Caller, role: str, role_set: str | None) -> None:
    stage.start(BOSS, role_set)
    assert offered(stage.client.get(PAGE).text) == SET_ROLES[role_set]
    stage.be(caller)
    stage.post(role, htmx=True)


def by_service_opened_before(stage: Stage, caller: Caller, role: str, role_set: str | None) -> None:
    stage.start(BOSS, role_set)
    service = service_of(stage.clerk, CALLER)
    assert role in service.get_roles() or role not in SET_ROLES[role_set]
    stage.be(caller)
    stage.call(role, service)


def by_post_while_the_roles_fail(
    stage: Stage, caller: Caller, role: str, role_set: str | None
) -> None:
    stage.start(BOSS, role_set)
    stage.client.get(PAGE)  # so they are remembered
    stage.be(caller)
    stage.clerk.fault("GET", "/v1/organization_roles", status=500, times=None)
    stage.post(role)


WAYS: list[Callable[[Stage, Caller, str, str | None], None]] = [
    by_service,
    by_post,
    by_htmx,
    by_post_without_tick,
    by_htmx_without_tick,
    by_post_of_an_old_page,
    by_htmx_of_an_old_page,
    by_service_opened_before,
    by_post_while_the_roles_fail,
]
PLACES = list(product(ROLE_PERMISSIONS, SET_ROLES))
#: The service with every caller; pages and posts, which take longer, with each role's own
#: permissions, with none, and with every third of the rest.
FEWER = [caller for number, caller in enumerate(CALLERS) if number < 12 or number % 3 == 0]


def some_places(number: int) -> list[tuple[str, str | None]]:
    """Three of all places; with the callers that come after one another it is all of them."""
    return [PLACES[(number + step * 11) % len(PLACES)] for step in range(3)]


def settle(stage: Stage, caller: Caller, role: str, *, may: bool) -> None:
    """Hold the attempt just made against what should come of it: sent, and stored, or neither."""
    address = f"attempt{stage.attempts}@example.com"
    wanted = [(address, role)] if may else []
    assert sent(stage.clerk) == wanted
    stored = [(row.email_address, row.role) for row in stage.clerk.invitations("acme")]
    assert [row for row in stored if row[0] == address] == (wanted if caller.known_to_clerk else [])
    stage.clerk.clear_requests()


@pytest.mark.exhaustive
def test_nobody_gives_what_they_do_not_have(stage: Stage, subtests: pytest.Subtests) -> None:
    for caller in CALLERS:
        with subtests.test(caller=str(caller)):
            for role, role_set in PLACES:
                by_service(stage, caller, role, role_set)
                settle(stage, caller, role, may=expected(caller, role, role_set))


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", WAYS[1:])
def test_no_way_leads_round_that(
    stage: Stage,
    subtests: pytest.Subtests,
    way: Callable[[Stage, Caller, str, str | None], None],
) -> None:
    ticked = "without_tick" not in way.__name__
    for number, caller in enumerate(FEWER):
        for role, role_set in some_places(number)[WAYS.index(way) % 2 :: 2]:
            with subtests.test(caller=str(caller), role=role, role_set=role_set):
                way(stage, caller, role, role_set)
                may = expected(caller, role, role_set) and (ticked or not elevated(role))
                if way is by_post_while_the_roles_fail and not caller.known_to_clerk:
                    # Their role decides what they may, and before a write it is asked afresh.
                    may = False
                settle(stage, caller, role, may=may)


@pytest.mark.exhaustive
@pytest.mark.parametrize("caller", CALLERS, ids=str)
def test_nobody_is_offered_what_they_cannot_give(stage: Stage, caller: Caller) -> None:
    for role_set in SET_ROLES:
        stage.start(caller, role_set)
        answer = stage.client.get(PAGE)
        wanted = {role for role in ROLE_PERMISSIONS if expected(caller, role, role_set)}
        assert answer.status_code == (200 if MANAGE_MEMBERS in caller.may else 403)
        assert offered(answer.text) == wanted
        asks = any(map(elevated, wanted))
        assert ('name="confirm_elevated"' in answer.text) is asks
        if answer.status_code == 200:
            roles = service_of(stage.clerk, CALLER).get_roles()
            assert set(keys(roles.roles)) == wanted
            assert roles.elevated == {role for role in wanted if elevated(role)}


@pytest.mark.exhaustive
@pytest.mark.parametrize("caller", [Caller("org:admin"), Caller("org:people_manager")], ids=str)
def test_a_set_that_changed_meanwhile_opens_nothing(stage: Stage, caller: Caller) -> None:
    for role, (before, after) in product(ROLE_PERMISSIONS, permutations(SET_ROLES, 2)):
        stage.start(caller, before)
        stage.client.get(PAGE)
        stage.have(after)
        stage.post(role)
        # The app goes by what it remembers, and Clerk by what is: it takes both of them.
        tried = expected(caller, role, before)
        address = f"attempt{stage.attempts}@example.com"
        assert sent(stage.clerk) == ([(address, role)] if tried else [])
        happens = tried and role in SET_ROLES[after] and caller.known_to_clerk
        stored = [
            row.role for row in stage.clerk.invitations("acme") if row.email_address == address
        ]
        assert stored == ([role] if happens else [])
        stage.clerk.clear_requests()


@pytest.mark.exhaustive
@pytest.mark.parametrize("fault", [{"status": 500}, {"garbage": "html"}], ids=str)
def test_without_the_roles_permissions_nothing_is_given(
    stage: Stage, subtests: pytest.Subtests, fault: dict[str, Any]
) -> None:
    for number, caller in enumerate(FEWER):
        with subtests.test(caller=str(caller)):
            for role, role_set in some_places(number):
                for attempt in (stage.post, stage.call):
                    stage.start(caller, role_set)
                    stage.clerk.fault("GET", "/v1/organization_roles", times=None, **fault)
                    attempt(role)
                    settle(stage, caller, role, may=False)


@pytest.mark.parametrize("way", ["post", "call"])
@override_settings(ORG_INVITATIONS_ROLES_CACHE_SECONDS=86_400)
def test_a_role_that_has_grown_is_noticed_within_a_minute(
    stage: Stage, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = Caller("org:people_manager", (MANAGE_MEMBERS, *ROLE_PERMISSIONS["org:billing"]))
    stage.start(caller, "role_set:default")
    stage.client.get(PAGE)
    getattr(stage, way)("org:billing")
    settle(stage, caller, "org:billing", may=True)

    roles = stage.clerk.state.roles
    roles["org:billing"] = replace(roles["org:billing"], permissions=tuple(EVERYTHING))
    later = time.time() + 61
    monkeypatch.setattr("django.core.cache.backends.locmem.time.time", lambda: later)
    monkeypatch.setattr("django.core.cache.backends.base.time.time", lambda: later)
    getattr(stage, way)("org:billing")
    settle(stage, caller, "org:billing", may=False)


def test_the_matrix_is_worth_the_name() -> None:
    assert len(set(map(str, CALLERS))) == len(CALLERS) > 25
    tried = [(caller, place) for i, caller in enumerate(FEWER) for place in some_places(i)]
    assert {place for _, place in tried} == set(PLACES)
    assert 0.15 < sum(expected(caller, *place) for caller, place in tried) / len(tried) < 0.6
    allowed = sum(expected(caller, role, key) for caller in CALLERS for role, key in PLACES)
    assert 0.2 < allowed / (len(CALLERS) * len(PLACES)) < 0.6  # both answers are well tried
