"""Who may, and what they see: what is asked of Clerk, in how few rounds, what is remembered."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
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
from ..concurrency import Outcome, run_together
from ..conf import MAX_MEMBERSHIP_CACHE_SECONDS, conf
from ..roles import (
    AssignableRoles,
    assignable_roles,
    get_grant_policy,
    may_manage_members,
    role_set_key,
)
from .listing import MAX_FOUND, Listing, fetch_all, fetch_listing
from .query import STATUSES, InvitationQuery
from .seats import Seats
from .workspace import NotMember, NotPermitted, Workspace

#: How long a check made for a write covers the write, and those that follow in the same request.
_CHECK_SECONDS: Final = 10.0

#: How long a no is remembered for reading: enough for reloads, too short to keep anybody out.
_REFUSED_SECONDS: Final = 5
#: For how many organizations at once.
_MAX_REFUSALS: Final = 20

#: How long it is remembered that an organization has too many invitations for one call.
_LARGE_SECONDS: Final = 600


class WorkspaceReader:
    """Opens the invitations of one organization for one person, if they may see them."""

    #: Who really sits there, where somebody acts as the person; it is kept with what is begun.
    actor_id: str = ""

    def __init__(self, client: ClerkClient, *, organization_id: str, user_id: str) -> None:
        self.organization_id = organization_id
        self.user_id = user_id
        self.api = OrganizationAPI(client, organization_id)
        self.instance = InstanceAPI(client)
        self.cache = InstanceCache()
        self.policy = get_grant_policy()
        self._checked: tuple[float, Workspace] | None = None
        self._has_roles = False
        self._is_open = False
        #: Whether the person turned out, in the midst of a batch, to manage the members no more.
        self.was_denied = False

    def open(
        self,
        *,
        query: InvitationQuery | None = None,
        invitation_id: str | None = None,
        afresh: bool = False,
        roles: bool = True,
        seats: bool = False,
    ) -> Workspace:
        """Check the permission and return what a page needs, in as few rounds as can be.

        With nothing remembered two rounds of calls follow each other (the second for the role
        set, whose key the first brings); with everything remembered there is one.

        :param query: also return this page of the list of invitations, and the seats.
        :param invitation_id: also return this invitation.
        :param afresh: ask Clerk for the membership whatever is remembered: before a write.
        :param roles: False leaves the roles out: whoever revokes needs none.
        :param seats: also return the seats, counted anew, where the organization has a limit.
        :raises NotMember: the person does not belong to the organization.
        :raises NotPermitted: the person may not manage members here.
        :raises ClerkError: the permission, the organization or the invitation could not be had.
            A page of invitations or roles that could not be had is in the result instead.
        """
        if afresh:
            self._checked = None  # whatever comes of this check, the one before is history
        started = time.monotonic()
        known = self._get_known(afresh=afresh)
        fresh = self._first_round(
            known, query, invitation_id, roles=roles, seats=seats or query is not None
        )
        membership, instance_roles = self._check_permission(fresh, known, afresh=afresh)
        organization: Organization = fresh["organization"].get()
        granted = self._second_round(fresh, organization, roles=roles)
        if granted.value is not None:
            granted = Outcome(value=self.policy.restrict(granted.value, membership, instance_roles))
        listed = fresh.get("list", Outcome())
        if isinstance(listed.error, NotFound):
            # Only the organization itself can be missing there: it went while it was remembered.
            self.cache.delete(self._names["membership"])
            raise listed.error
        self._remember(fresh, known)
        workspace = Workspace(
            organization=organization,
            membership=membership,
            roles=granted.value or AssignableRoles(),
            roles_error=granted.error,
            invitation=fresh["invitation"].get() if invitation_id is not None else None,
        )
        if query is not None:
            workspace = self._with_listed(workspace, listed, known)
        if fresh.get("counted", Outcome()).value is not None:
            workspace = self._with_seats(workspace)
        self._is_open = True
        if afresh:
            self._checked = (started, workspace)
            self._has_roles = roles
        return workspace

    def _check_afresh(self, *, with_roles: bool = False) -> Workspace:
        """Return a workspace whose permission Clerk has confirmed just now.

        :param with_roles: a check that could not tell the roles will not do.
        """
        if self._checked is not None:
            moment, workspace = self._checked
            usable = not with_roles or (workspace.roles_error is None and self._has_roles)
            if usable and time.monotonic() - moment < _CHECK_SECONDS:
                return workspace
        return self.open(afresh=True, roles=with_roles)

    def _ask_again(self, *, with_roles: bool = True) -> AssignableRoles:
        """Return what the person may grant, asked anew: for what goes on for a while.

        :raises PermissionDenied: they may not manage members any more.
        :raises ClerkError: that, or the roles, could not be had.
        """
        try:
            workspace = self.open(afresh=True, roles=with_roles)
        except NotPermitted:
            self.was_denied = True
            raise PermissionDenied("not any more") from None
        if with_roles and workspace.roles_error is not None:
            raise workspace.roles_error
        return workspace.roles

    def _check_denial(self) -> None:
        """Find out what it means that Clerk itself has denied the person something in a batch.

        It knows better than what was remembered. Who really may not any more may not see what
        became of the batch either.
        """
        if not self.was_denied:
            self.forget_membership()
            with suppress(ClerkError):
                self._ask_again(with_roles=False)

    @property
    def has_written(self) -> bool:
        """Whether this service has sent anything to Clerk that would change something."""
        return self.api.has_written

    def _require_open(self) -> None:
        if not self._is_open:
            raise NotPermitted

    def forget_membership(self) -> None:
        """Ask Clerk about the person again, whatever is remembered."""
        self._checked = None
        self._is_open = False
        self.cache.delete(self._names["membership"])

    def with_list(self, workspace: Workspace, query: InvitationQuery) -> Workspace:
        """Return the workspace with this page of the list, and the seats, as they are now.

        Where there are fewer pages it is the last one: the only row of a page may have gone.
        """
        known = self.cache.get_many([self._names["large"]])
        calls: dict[str, Callable[[], Any]] = {"list": self._list_call(query, known)}
        if workspace.organization.max_allowed_memberships:
            calls["counted"] = self._get_counted
        found = run_together(calls)
        counted: Organization | None = found.get("counted", Outcome()).value
        workspace = replace(workspace, organization=counted or workspace.organization, seats=None)
        workspace = self._with_listed(workspace, found["list"], known)
        return self._with_seats(workspace) if counted else workspace

    def find_all(self, query: InvitationQuery, limit: int = MAX_FOUND) -> tuple[Invitation, ...]:
        """Return all invitations that a query asks for, of all pages, in its order.

        Up to 500 of a status take one call, 10 000 take 20.

        :param limit: how many may match.
        :raises NotPermitted: :meth:`open` has not let the person in.
        :raises TooManyInvitations: more match, or there are more than 10 000 of the status.
        :raises ClerkError: not all of them could be had.
        """
        self._require_open()
        return fetch_all(self.api, query, limit)

    def find_invitation(self, invitation_id: str) -> Invitation | None:
        """Return an invitation of this organization, or None where it cannot be had.

        :raises NotPermitted: :meth:`open` has not let the person in.
        """
        self._require_open()
        try:
            return self.api.get_invitation(invitation_id)
        except ClerkError:
            return None

    def get_roles(self) -> AssignableRoles:
        """Return the roles the person may grant here, for a form of the site's own.

        :raises NotPermitted: the person may not manage members here.
        :raises ClerkError: the roles could not be had.
        """
        workspace = self.open()
        if workspace.roles_error is not None:
            raise workspace.roles_error
        return workspace.roles

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
        fresh = run_together(calls)
        for what, name in names.items():
            if name in known:
                fresh[what] = Outcome(value=known[name])
        counted = fresh.get("counted")
        if counted is not None and (counted.value is not None or "organization" not in fresh):
            fresh["organization"] = counted
        return fresh

    def _check_permission(
        self, fresh: dict[str, Outcome], known: dict[str, Any], *, afresh: bool
    ) -> tuple[Membership, tuple[Role, ...]]:
        """Return the membership of a person who may, and the instance's roles where they are."""
        names = self._names
        try:
            membership: Membership | None = fresh["membership"].get()
        except OrganizationNotFound:
            self._remember_refusal(known, "gone")
            raise
        if membership is not None and not membership.permissions:
            # Then the roles decide: without them, no; and before a write, not remembered ones.
            if "instance_roles" not in fresh or (afresh and names["instance_roles"] in known):
                fresh.update(run_together({"instance_roles": self.instance.get_roles}))
            fresh["instance_roles"].get()
        instance_roles: tuple[Role, ...] = fresh.get("instance_roles", Outcome()).value or ()
        if membership is None or not may_manage_members(membership, instance_roles):
            self.forget_membership()
            # Whoever may not reloads all the same, and Clerk's limit is shared by all tenants.
            fresh["membership"] = Outcome()
            self._remember(fresh, known)
            refused = "outsider" if membership is None else "member"
            self._remember_refusal(known, refused)
            raise NotMember if membership is None else NotPermitted
        return membership, instance_roles

    def _second_round(
        self, fresh: dict[str, Outcome], organization: Organization, *, roles: bool
    ) -> Outcome:
        """Fetch what the first round showed to be needed; return the roles."""
        calls: dict[str, Callable[[], Any]] = {}
        settings = fresh["settings"].value if roles else None
        key = role_set_key(organization, settings)
        role_set: RoleSet | None = fresh.get("role_set", Outcome()).value
        if roles and key is not None and (role_set is None or role_set.key != key):
            calls["role_set"] = lambda: self.instance.get_role_set(key)
        fresh.update(run_together(calls))
        if not roles:
            return Outcome()

        # Without the instance's roles nobody knows what a role may do, so none can be granted.
        needed = ["instance_roles"]
        needed += ["settings"] if organization.role_set_key is None else []
        needed += ["role_set"] if key is not None else []
        for what in needed:
            if (error := fresh[what].error) is not None:
                return Outcome(error=error)
        found = fresh["role_set"].value if key is not None else None
        return Outcome(
            value=assignable_roles(
                self.organization_id, found, fresh["instance_roles"].value, settings
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

    def _with_listed(
        self, workspace: Workspace, listed: Outcome, known: dict[str, Any]
    ) -> Workspace:
        """Return the workspace with the list, or with the reason why there is none."""
        if listed.error is not None:
            return replace(workspace, page=None, page_error=listed.error)
        listing: Listing = listed.value
        name = self._names["large"]
        if listing.large is not None:
            large = tuple(str(status) for status in STATUSES if status in listing.large)
            if known.get(name) != large:
                self.cache.set(name, large, _LARGE_SECONDS)
        elif name in known:
            self.cache.delete(name)
        return replace(workspace, page=listing.page, page_error=None)

    def _with_seats(self, workspace: Workspace) -> Workspace:
        """Return the workspace with its seats; the list knows best how many are pending."""
        pending = workspace.page.counts.get(STATUSES[0]) if workspace.page else None
        return replace(workspace, seats=Seats.count(workspace.organization, pending))

    # --- What is asked and remembered -----------------------------------------------------

    def _get_known(self, *, afresh: bool) -> dict[str, Any]:
        known = self.cache.get_many(self._names.values())
        if afresh:
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

    def _remember(self, fresh: dict[str, Outcome], known: dict[str, Any]) -> None:
        lives = {
            "membership": conf.MEMBERSHIP_CACHE_SECONDS,
            # What a role may do decides who may grant it, so that, too, is never old.
            "instance_roles": min(conf.ROLES_CACHE_SECONDS, MAX_MEMBERSHIP_CACHE_SECONDS),
        }
        role_set: RoleSet | None = fresh.get("role_set", Outcome()).value
        if role_set is not None and role_set.migrating:
            lives["role_set"] = 0  # the lock must not outlive the migration
        for what, name in self._names.items():
            outcome = fresh.get(what)
            if outcome is None or outcome.value is None or known.get(name) is outcome.value:
                continue
            self.cache.set(name, outcome.value, lives.get(what, conf.ROLES_CACHE_SECONDS))
