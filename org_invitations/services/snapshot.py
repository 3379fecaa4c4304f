"""Who may, and what they see: what is asked of Clerk, in how few rounds, what is remembered."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from ..caching import InstanceCache
from ..clerk import (
    ClerkClient,
    ClerkError,
    InstanceAPI,
    Invitation,
    Membership,
    Organization,
    OrganizationAPI,
    Role,
    RoleSet,
)
from ..clerk.exceptions import NotFound, OrganizationNotFound, PermissionDenied
from ..concurrency import Outcome, gather
from ..conf import MAX_MEMBERSHIP_CACHE_SECONDS, conf
from ..roles import (
    AssignableRoles,
    assignable_roles,
    get_grant_policy,
    may_manage_members,
    role_set_key,
)
from .exceptions import NotMember, NotPermitted
from .joining.links import LinkingAPI
from .limits import Seats
from .listing import STATUSES, InvitationPage, InvitationQuery, Listing, fetch_listing


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a page about an organization's invitations shows, for a person who may see it."""

    organization: Organization
    membership: Membership
    roles: AssignableRoles
    #: Why ``roles`` is empty, where Clerk would not say.
    roles_error: ClerkError | None = None
    page: InvitationPage | None = None
    page_error: ClerkError | None = None
    #: None where there is no limit to them, or it is not known how many are used.
    seats: Seats | None = None
    invitation: Invitation | None = None


#: How long a check made for a write covers the write, and those that follow in the same request.
_CHECK_SECONDS: Final = 10.0

#: How long a no is remembered for reading: enough for reloads, too short to keep anybody out.
_REFUSED_SECONDS: Final = 5
#: For how many organizations at once.
_MAX_REFUSALS: Final = 20

#: How long it is remembered that an organization has too many invitations for one call.
_LARGE_SECONDS: Final = 600


class SnapshotReader:
    """Reads what Clerk has of one organization, for one person, if they may see it."""

    def __init__(self, client: ClerkClient, *, organization_id: str, user_id: str) -> None:
        self.organization_id = organization_id
        self.user_id = user_id
        self.api: OrganizationAPI = LinkingAPI(client, organization_id)
        self.instance = InstanceAPI(client)
        self.cache = InstanceCache()
        self.policy = get_grant_policy()
        self._checked: tuple[float, Snapshot] | None = None
        self._has_roles = False
        self._is_open = False
        #: Whether the person turned out, in the midst of a batch, to manage the members no more.
        self.was_denied = False

    def open(
        self,
        *,
        query: InvitationQuery | None = None,
        invitation_id: str | None = None,
        fresh: bool = False,
        roles: bool = True,
        seats: bool = False,
    ) -> Snapshot:
        """Check the permission and return what a page needs, in as few rounds as can be.

        With nothing remembered two rounds of calls follow each other (the second for the role
        set, whose key the first brings); with everything remembered there is one.

        :param query: also return this page of the list of invitations, and the seats.
        :param invitation_id: also return this invitation.
        :param fresh: ask Clerk for the membership whatever is remembered: before a write.
        :param roles: False leaves the roles out: whoever revokes needs none.
        :param seats: also return the seats, counted anew, where the organization has a limit.
        :raises NotMember: the person does not belong to the organization.
        :raises NotPermitted: the person may not manage members here.
        :raises ClerkError: the permission, the organization or the invitation could not be had.
            A page of invitations or roles that could not be had is in the result instead.
        """
        if fresh:
            self._checked = None  # whatever comes of this check, the one before is history
        started = time.monotonic()
        known = self._get_known(fresh=fresh)
        answers = self._first_round(
            known, query, invitation_id, roles=roles, seats=seats or query is not None
        )
        membership, instance_roles = self._check_permission(answers, known, fresh=fresh)
        organization: Organization = answers["organization"].get()
        granted = self._second_round(answers, organization, roles=roles)
        if granted.value is not None:
            granted = Outcome(value=self.policy.restrict(granted.value, membership, instance_roles))
        listed = answers.get("list", Outcome())
        if isinstance(listed.error, NotFound):
            # Only the organization itself can be missing there: it went while it was remembered.
            self.cache.delete(self._names["membership"])
            raise listed.error
        self._remember(answers, known)
        snapshot = Snapshot(
            organization=organization,
            membership=membership,
            roles=granted.value or AssignableRoles(),
            roles_error=granted.error,
            invitation=answers["invitation"].get() if invitation_id is not None else None,
        )
        if query is not None:
            snapshot = self._with_listed(snapshot, listed, known)
        if answers.get("counted", Outcome()).value is not None:
            snapshot = self._with_seats(snapshot)
        self._is_open = True
        if fresh:
            self._checked = (started, snapshot)
            self._has_roles = roles
        return snapshot

    def check(self, *, with_roles: bool = False, seats: bool = False) -> Snapshot:
        """Return a snapshot whose permission Clerk has confirmed just now.

        :param with_roles: a check that could not tell the roles will not do.
        :param seats: also count the seats, where it has to be asked for anew.
        """
        if self._checked is not None:
            moment, snapshot = self._checked
            usable = not with_roles or (snapshot.roles_error is None and self._has_roles)
            if usable and time.monotonic() - moment < _CHECK_SECONDS:
                return snapshot
        return self.open(fresh=True, roles=with_roles, seats=seats)

    def check_again(self, *, with_roles: bool = True) -> AssignableRoles:
        """Return what the person may grant, asked anew: for what goes on for a while.

        :raises PermissionDenied: they may not manage members any more.
        :raises ClerkError: that, or the roles, could not be had.
        """
        try:
            snapshot = self.open(fresh=True, roles=with_roles)
        except NotPermitted:
            self.was_denied = True
            raise PermissionDenied("not any more") from None
        if with_roles and snapshot.roles_error is not None:
            raise snapshot.roles_error
        return snapshot.roles

    def check_denial(self) -> None:
        """Find out what it means that Clerk itself has denied the person something in a batch.

        It knows better than what was remembered. Who really may not any more may not see what
        became of the batch either.
        """
        if not self.was_denied:
            self.forget_membership()
            with suppress(ClerkError):
                self.check_again(with_roles=False)

    def require_open(self) -> None:
        if not self._is_open:
            raise NotPermitted

    def forget_membership(self) -> None:
        """Ask Clerk about the person again, whatever is remembered."""
        self._checked = None
        self._is_open = False
        self.cache.delete(self._names["membership"])

    def with_list(self, snapshot: Snapshot, query: InvitationQuery) -> Snapshot:
        """Return the snapshot with this page of the list, and the seats, as they are now.

        Where there are fewer pages it is the last one: the only row of a page may have gone.
        """
        known = self.cache.get_many([self._names["large"]])
        calls: dict[str, Callable[[], Any]] = {"list": self._list_call(query, known)}
        if snapshot.organization.max_allowed_memberships:
            calls["counted"] = self._get_counted
        found = gather(calls)
        counted: Organization | None = found.get("counted", Outcome()).value
        snapshot = replace(snapshot, organization=counted or snapshot.organization, seats=None)
        snapshot = self._with_listed(snapshot, found["list"], known)
        return self._with_seats(snapshot) if counted else snapshot

    def get_roles(self) -> AssignableRoles:
        """Return the roles the person may grant here, for a form of the site's own.

        :raises NotPermitted: the person may not manage members here.
        :raises ClerkError: the roles could not be had.
        """
        snapshot = self.open()
        if snapshot.roles_error is not None:
            raise snapshot.roles_error
        return snapshot.roles

    def remembered_roles(self) -> AssignableRoles | None:
        """Return the roles without asking Clerk: for a form that could not be sent just now.

        None unless the person was found to manage members within the last minute.
        """
        names = self._names
        known = self.cache.get_many(names.values())
        found = {what: known.get(name) for what, name in names.items()}
        instance_roles: tuple[Role, ...] | None = found["instance_roles"]
        membership: Membership | None = found["membership"]
        role_set: RoleSet | None = found["role_set"]
        if membership is None or role_set is None or instance_roles is None:
            return None
        if not may_manage_members(membership, instance_roles):
            return None
        roles = assignable_roles(self.organization_id, role_set, instance_roles, found["settings"])
        return self.policy.restrict(roles, membership, instance_roles)

    # --- The rounds ---------------------------------------------------------------------------

    def _first_round(
        self,
        known: dict[str, Any],
        query: InvitationQuery | None,
        invitation_id: str | None,
        *,
        roles: bool,
        seats: bool,
    ) -> dict[str, Outcome]:
        """Fetch at the same time whatever is needed and not known; return all of it."""
        names = self._names
        if (refused := self._find_refusal(known)) is not None:
            if refused == "gone":
                raise OrganizationNotFound("as found out a moment ago", status=404)
            raise NotMember if refused == "outsider" else NotPermitted
        calls = {
            what: call
            for what, call in self._calls.items()
            if names[what] not in known and (roles or what in ("membership", "organization"))
        }
        if seats:
            remembered: Organization | None = known.get(names["organization"])
            if calls.pop("organization", None) or (
                remembered is not None and remembered.max_allowed_memberships
            ):
                calls["counted"] = self._get_counted
        if query is not None:
            calls["list"] = self._list_call(query, known)
        if invitation_id is not None:
            calls["invitation"] = lambda: self.api.get_invitation(invitation_id)
        answers = gather(calls)
        for what, name in names.items():
            if name in known:
                answers[what] = Outcome(value=known[name])
        counted = answers.get("counted")
        if counted is not None and (counted.value is not None or "organization" not in answers):
            answers["organization"] = counted
        return answers

    def _check_permission(
        self, answers: dict[str, Outcome], known: dict[str, Any], *, fresh: bool
    ) -> tuple[Membership, tuple[Role, ...]]:
        """Return the membership of a person who may, and the instance's roles where they are."""
        names = self._names
        try:
            membership: Membership | None = answers["membership"].get()
        except OrganizationNotFound:
            self._remember_refusal(known, "gone")
            raise
        if membership is not None and not membership.permissions:
            # Then the roles decide: without them, no; and before a write, not remembered ones.
            if "instance_roles" not in answers or (fresh and names["instance_roles"] in known):
                answers.update(gather({"instance_roles": self.instance.get_roles}))
            answers["instance_roles"].get()
        instance_roles: tuple[Role, ...] = answers.get("instance_roles", Outcome()).value or ()
        if membership is None or not may_manage_members(membership, instance_roles):
            self.forget_membership()
            # Whoever may not reloads all the same, and Clerk's limit is shared by all tenants.
            answers["membership"] = Outcome()
            self._remember(answers, known)
            refused = "outsider" if membership is None else "member"
            self._remember_refusal(known, refused)
            raise NotMember if membership is None else NotPermitted
        return membership, instance_roles

    def _second_round(
        self, answers: dict[str, Outcome], organization: Organization, *, roles: bool
    ) -> Outcome:
        """Fetch what the first round showed to be needed; return the roles."""
        calls: dict[str, Callable[[], Any]] = {}
        settings = answers["settings"].value if roles else None
        key = role_set_key(organization, settings)
        role_set: RoleSet | None = answers.get("role_set", Outcome()).value
        if roles and key is not None and (role_set is None or role_set.key != key):
            calls["role_set"] = lambda: self.instance.get_role_set(key)
        answers.update(gather(calls))
        if not roles:
            return Outcome()

        # Without the instance's roles nobody knows what a role may do, so none can be granted.
        needed = ["instance_roles"]
        needed += ["settings"] if organization.role_set_key is None else []
        needed += ["role_set"] if key is not None else []
        for what in needed:
            if (error := answers[what].error) is not None:
                return Outcome(error=error)
        found = answers["role_set"].value if key is not None else None
        return Outcome(
            value=assignable_roles(
                self.organization_id, found, answers["instance_roles"].value, settings
            )
        )

    # --- What was refused a moment ago ------------------------------------------------------

    def _find_refusal(self, known: dict[str, Any]) -> str | None:
        refusals: dict[str, tuple[float, str]] = known.get(self._names["refused"]) or {}
        moment, refused = refusals.get(self.organization_id, (0.0, ""))
        return refused if time.time() - moment < _REFUSED_SECONDS else None

    def _remember_refusal(self, known: dict[str, Any], refused: str) -> None:
        """Remember a no: one entry for a person, however many organizations they make up."""
        now = time.time()
        refusals: dict[str, tuple[float, str]] = known.get(self._names["refused"]) or {}
        refusals = {name: one for name, one in refusals.items() if now - one[0] < _REFUSED_SECONDS}
        refusals[self.organization_id] = (now, refused)
        newest = dict(list(refusals.items())[-_MAX_REFUSALS:])
        self.cache.set(self._names["refused"], newest, _REFUSED_SECONDS)

    # --- The list and the seats -------------------------------------------------------------

    def _list_call(self, query: InvitationQuery, known: dict[str, Any]) -> Callable[[], Listing]:
        remembered: tuple[str, ...] | None = known.get(self._names["large"])
        large = None
        if remembered is not None:
            large = [status for status in STATUSES if status in remembered]
        return lambda: fetch_listing(self.api, query, large)

    def _get_counted(self) -> Organization:
        return self.api.get(include_members_count=True)

    def _with_listed(self, snapshot: Snapshot, listed: Outcome, known: dict[str, Any]) -> Snapshot:
        """Return the snapshot with the list, or with the reason why there is none."""
        if listed.error is not None:
            return replace(snapshot, page=None, page_error=listed.error)
        listing: Listing = listed.value
        name = self._names["large"]
        if listing.large is not None:
            large = tuple(str(status) for status in STATUSES if status in listing.large)
            if known.get(name) != large:
                self.cache.set(name, large, _LARGE_SECONDS)
        elif name in known:
            self.cache.delete(name)
        return replace(snapshot, page=listing.page, page_error=None)

    def _with_seats(self, snapshot: Snapshot) -> Snapshot:
        """Return the snapshot with its seats; the list knows best how many are pending."""
        pending = snapshot.page.counts.get(STATUSES[0]) if snapshot.page else None
        return replace(snapshot, seats=Seats.count(snapshot.organization, pending))

    # --- What is asked and remembered -----------------------------------------------------

    def _get_known(self, *, fresh: bool) -> dict[str, Any]:
        known = self.cache.get_many(self._names.values())
        if fresh:
            known.pop(self._names["membership"], None)
            known.pop(self._names["refused"], None)
        return known

    @property
    def _names(self) -> dict[str, str]:
        """What is remembered, and under which name."""
        organization_id = self.organization_id
        return {
            "membership": f"membership:{organization_id}:{self.user_id}",
            "organization": f"organization:{organization_id}",
            "role_set": f"role_set:{organization_id}",
            "instance_roles": "instance_roles",
            "settings": "settings",
            "refused": f"refused:{self.user_id}",
            "large": f"large:{organization_id}",
        }

    @property
    def _calls(self) -> dict[str, Callable[[], Any]]:
        return {
            "membership": lambda: self.api.get_membership(self.user_id),
            "organization": self.api.get,
            "instance_roles": self.instance.get_roles,
            "settings": self.instance.get_organization_settings,
        }

    def _remember(self, answers: dict[str, Outcome], known: dict[str, Any]) -> None:
        lives = {
            "membership": conf.MEMBERSHIP_CACHE_SECONDS,
            # What a role may do decides who may grant it, so that, too, is never old.
            "instance_roles": min(conf.ROLES_CACHE_SECONDS, MAX_MEMBERSHIP_CACHE_SECONDS),
        }
        role_set: RoleSet | None = answers.get("role_set", Outcome()).value
        if role_set is not None and role_set.migrating:
            lives["role_set"] = 0  # the lock must not outlive the migration
        for what, name in self._names.items():
            outcome = answers.get(what)
            if outcome is None or outcome.value is None or known.get(name) is outcome.value:
                continue
            self.cache.set(name, outcome.value, lives.get(what, conf.ROLES_CACHE_SECONDS))
