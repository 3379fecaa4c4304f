"""The use cases: see a page of invitations, invite somebody, revoke an invitation.

One :class:`InvitationService` serves one person in one organization. It decides what is asked
of Clerk, in how few rounds, and what may be remembered; it knows nothing of requests and HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.dispatch import Signal

from .caching import InstanceCache
from .clerk import (
    ClerkClient,
    ClerkError,
    InstanceAPI,
    Invitation,
    InvitationRequest,
    InvitationStatus,
    Membership,
    Organization,
    OrganizationAPI,
    Page,
    Role,
    RoleSet,
)
from .clerk.exceptions import (
    DuplicateInvitation,
    InvitationNotPending,
    NotFound,
    PermissionDenied,
)
from .concurrency import Outcome, run_together
from .conf import conf
from .roles import AssignableRoles, assignable_roles, may_manage_members, role_set_key
from .signals import invitation_created, invitation_revoked

#: Clocks differ: an invitation this much older than our request is still taken for ours.
_CLOCK_TOLERANCE: Final = timedelta(minutes=2)

#: No organization has more pages; a larger number in the URL means the last page.
_MAX_PAGE_NUMBER: Final = 100_000


class NotPermitted(Exception):
    """The person may not manage the members of the organization, as far as is known."""


class Unsettled(Exception):
    """A write may or may not have happened, and Clerk could not be asked which.

    ``error`` is what the write ended with.
    """

    def __init__(self, error: ClerkError) -> None:
        self.error = error
        super().__init__(str(error))


@dataclass(frozen=True, slots=True)
class InvitationPage:
    """One page of a list of invitations."""

    invitations: tuple[Invitation, ...]
    #: The page's number, from 1.
    number: int
    #: How many invitations a page holds.
    size: int
    total_count: int

    @property
    def num_pages(self) -> int:
        """How many pages there are; an empty list has one."""
        return max(-(-self.total_count // self.size), 1)

    @property
    def has_previous(self) -> bool:
        """Whether there is a page before this one."""
        return self.number > 1

    @property
    def has_next(self) -> bool:
        """Whether there is a page after this one."""
        return self.number < self.num_pages

    @property
    def previous_number(self) -> int:
        """The number of the page before."""
        return self.number - 1

    @property
    def next_number(self) -> int:
        """The number of the page after."""
        return self.number + 1

    @property
    def start_index(self) -> int:
        """The position of the first invitation on the page, from 1; 0 on an empty list."""
        return (self.number - 1) * self.size + 1 if self.invitations else 0

    @property
    def end_index(self) -> int:
        """The position of the last invitation on the page."""
        return (self.number - 1) * self.size + len(self.invitations)


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a page about an organization's invitations shows, for a person who may see it."""

    organization: Organization
    membership: Membership
    roles: AssignableRoles
    #: Why ``roles`` is empty, where Clerk would not say.
    roles_error: ClerkError | None = None
    page: InvitationPage | None = None
    page_error: ClerkError | None = None
    invitation: Invitation | None = None


class InvitationService:
    """The invitations of one organization, as one person may handle them."""

    def __init__(self, client: ClerkClient, *, organization_id: str, user_id: str) -> None:
        self.organization_id = organization_id
        self.user_id = user_id
        self.api = OrganizationAPI(client, organization_id)
        self.instance = InstanceAPI(client)
        self.cache = InstanceCache()

    # --- Seeing ---------------------------------------------------------------------------

    def open(
        self,
        *,
        page: int | None = None,
        invitation_id: str | None = None,
        afresh: bool = False,
    ) -> Workspace:
        """Check the permission and return what a page needs, in as few rounds as can be.

        With nothing remembered two rounds of calls follow each other (the second for the role
        set, whose key the first brings); with everything remembered there is one.

        :param page: also return this page of pending invitations.
        :param invitation_id: also return this invitation.
        :param afresh: ask Clerk for the membership whatever is remembered: before a write.
        :raises NotPermitted: the person may not manage members here.
        :raises ClerkError: the permission, the organization or the invitation could not be had.
            A page of invitations or roles that could not be had is in the result instead.
        """
        names = self._names
        known = self.cache.get_many(names.values())
        if afresh:
            known.pop(names["membership"], None)
        calls = {what: call for what, call in self._calls.items() if names[what] not in known}
        size = conf.PAGE_SIZE
        if page is not None:
            number = min(max(page, 1), _MAX_PAGE_NUMBER)
            calls["page"] = lambda: self._fetch(number, size)
        if invitation_id is not None:
            calls["invitation"] = lambda: self.api.get_invitation(invitation_id)
        fresh = run_together(calls)
        for what, name in names.items():
            if name in known:
                fresh[what] = Outcome(value=known[name])

        membership: Membership | None = fresh["membership"].get()
        instance_roles: tuple[Role, ...] = fresh["instance_roles"].value or ()
        if membership is not None and not membership.permissions:
            instance_roles = fresh["instance_roles"].get()  # they decide: without them, no
        if membership is None or not may_manage_members(membership, instance_roles):
            self.cache.delete(names["membership"])
            raise NotPermitted
        organization: Organization = fresh["organization"].get()
        roles = self._second_round(fresh, organization)
        listed = fresh.get("page", Outcome())
        if isinstance(listed.error, NotFound):
            # Only the organization itself can be missing there: it went while it was remembered.
            self.cache.delete(names["membership"])
            raise listed.error
        self._remember(fresh, known)
        return Workspace(
            organization=organization,
            membership=membership,
            roles=roles.value or AssignableRoles(),
            roles_error=roles.error,
            page=listed.value,
            page_error=listed.error,
            invitation=fresh["invitation"].get() if invitation_id is not None else None,
        )

    def with_page(self, workspace: Workspace, number: int) -> Workspace:
        """Return the workspace with this page of pending invitations as they are now.

        Where there are fewer pages it is the last one: the only row of a page may have gone.
        """
        size = conf.PAGE_SIZE
        try:
            page = self._fetch(min(max(number, 1), _MAX_PAGE_NUMBER), size)
            if page.number > page.num_pages:
                page = self._fetch(page.num_pages, size)
        except ClerkError as error:
            return replace(workspace, page=None, page_error=error)
        return replace(workspace, page=page, page_error=None)

    def find_invitation(self, invitation_id: str) -> Invitation | None:
        """Return an invitation of this organization, or None where it cannot be had."""
        try:
            return self.api.get_invitation(invitation_id)
        except ClerkError:
            return None

    def get_roles(self) -> AssignableRoles:
        """Return the roles the organization may assign, for a form of the site's own.

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
        instance_roles = found["instance_roles"] or ()
        if not may_manage_members(found["membership"], instance_roles):
            return None
        role_set: RoleSet | None = found["role_set"]
        if role_set is None:
            return None
        return assignable_roles(self.organization_id, role_set, instance_roles, found["settings"])

    # --- Inviting -------------------------------------------------------------------------

    def invite_member(
        self,
        email_address: str,
        role: str,
        *,
        redirect_url: str | None = None,
        expires_in_days: int | None = None,
        notify: bool | None = None,
        public_metadata: Mapping[str, Any] | None = None,
        private_metadata: Mapping[str, Any] | None = None,
    ) -> Invitation:
        """Invite an address. Call :meth:`open` with ``afresh=True`` first: it checks who may.

        :param redirect_url: where its link leads in the end; the setting's unless given.
        :param expires_in_days: 1 to 365; the setting's unless given.
        :param notify: False sends no e-mail.
        :param public_metadata: passed on to the membership, as ``private_metadata`` is.
        :returns: the invitation, also where Clerk's answer was lost but it was created.
        :raises ClerkError: it was not created. After a lost answer, that has been made sure.
        :raises Unsettled: the answer was lost, and so was that to the question what happened.
        """
        request = InvitationRequest(
            email_address=email_address,
            role=role,
            inviter_user_id=self.user_id,
            redirect_url=redirect_url or conf.REDIRECT_URL or None,
            expires_in_days=expires_in_days or conf.EXPIRES_IN_DAYS,
            notify=notify,
            public_metadata=public_metadata,
            private_metadata=private_metadata,
        )
        invitation = self._create(request)
        self._announce(invitation_created, invitation)
        return invitation

    def _create(self, request: InvitationRequest) -> Invitation:
        started = datetime.now(UTC)
        email_address = request.email_address
        try:
            return self.api.invite_member(request)
        except ClerkError as error:
            if not error.may_have_happened:
                raise
            lost = error
        try:
            found = self.get_pending(email_address)
        except ClerkError:
            raise Unsettled(lost) from None
        if found is None:
            raise lost
        if self._is_ours(found, request, started):
            return found
        raise DuplicateInvitation("invited before", trace_id=lost.trace_id)

    def get_pending(self, email_address: str) -> Invitation | None:
        """Return the pending invitation of an address, if there is one."""
        page = self.api.get_invitations(email_address=email_address)
        wanted = email_address.casefold()
        return next(
            (
                invitation
                for invitation in page.data
                if invitation.is_pending and invitation.email_address.casefold() == wanted
            ),
            None,
        )

    def _is_ours(self, found: Invitation, request: InvitationRequest, started: datetime) -> bool:
        recent = found.created_at is None or found.created_at >= started - _CLOCK_TOLERANCE
        return recent and found.role == request.role and found.inviter_id in ("", self.user_id)

    # --- Revoking -------------------------------------------------------------------------

    def revoke(self, invitation_id: str) -> Invitation:
        """Revoke an invitation. Call :meth:`open` with ``afresh=True`` first.

        :returns: the revoked invitation, also where Clerk's answer was lost but it was revoked.
        :raises InvitationNotPending: it was accepted, revoked or has expired meanwhile.
        :raises ClerkError: it was not revoked.
        :raises Unsettled: nobody knows.
        """
        invitation = self._revoke(invitation_id)
        self._announce(invitation_revoked, invitation)
        return invitation

    def _revoke(self, invitation_id: str) -> Invitation:
        try:
            return self.api.revoke(invitation_id, requesting_user_id=self.user_id)
        except ClerkError as error:
            if not error.may_have_happened:
                raise
            lost = error
        try:
            found = self.api.get_invitation(invitation_id)
        except ClerkError:
            raise Unsettled(lost) from None
        if found.is_revoked:
            return found
        if not found.is_pending:
            raise InvitationNotPending("no longer pending", trace_id=lost.trace_id)
        raise lost

    def _announce(self, signal: Signal, invitation: Invitation) -> None:
        signal.send_robust(
            sender=type(self),
            invitation=invitation,
            organization_id=self.organization_id,
            user_id=self.user_id,
        )

    # --- What is asked and remembered -------------------------------------------------------

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
        }

    @property
    def _calls(self) -> dict[str, Callable[[], Any]]:
        return {
            "membership": lambda: self.api.get_membership(self.user_id),
            "organization": self.api.get,
            "instance_roles": self.instance.get_roles,
            "settings": self.instance.get_organization_settings,
        }

    def _fetch(self, number: int, size: int) -> InvitationPage:
        found: Page[Invitation] = self.api.get_invitations(
            status=(InvitationStatus.PENDING,), limit=size, offset=(number - 1) * size
        )
        return InvitationPage(
            invitations=found.data, number=number, size=size, total_count=found.total_count
        )

    def _second_round(self, fresh: dict[str, Outcome], organization: Organization) -> Outcome:
        """Fetch what the first round showed to be needed; return the roles."""
        calls: dict[str, Callable[[], Any]] = {}
        settings = fresh["settings"]
        key: str | None = None
        role_set = fresh.get("role_set", Outcome()).value
        if organization.role_set_key is None and settings.error is not None:
            roles_error: ClerkError | None = settings.error
        else:
            roles_error = None
            key = role_set_key(organization, settings.value)
            if key is not None and (role_set is None or role_set.key != key):
                calls["role_set"] = lambda: self.instance.get_role_set(key)
        page: InvitationPage | None = fresh.get("page", Outcome()).value
        if page is not None and page.number > page.num_pages:
            last = page.num_pages
            calls["page"] = lambda: self._fetch(last, page.size)
        fresh.update(run_together(calls))

        if roles_error is not None:
            return Outcome(error=roles_error)
        role_set_outcome = fresh.get("role_set", Outcome()) if key is not None else Outcome()
        if role_set_outcome.error is not None:
            return Outcome(error=role_set_outcome.error)
        if key is None and fresh["instance_roles"].error is not None:
            return Outcome(error=fresh["instance_roles"].error)
        found: RoleSet | None = role_set_outcome.value
        return Outcome(
            value=assignable_roles(
                self.organization_id, found, fresh["instance_roles"].value or (), settings.value
            )
        )

    def _remember(self, fresh: dict[str, Outcome], known: dict[str, Any]) -> None:
        for what, name in self._names.items():
            outcome = fresh.get(what)
            if outcome is None or outcome.value is None or known.get(name) is outcome.value:
                continue
            if what == "membership":
                seconds = conf.MEMBERSHIP_CACHE_SECONDS
            else:
                seconds = conf.ROLES_CACHE_SECONDS
            self.cache.set(name, outcome.value, seconds)


def find_organization_id(client: ClerkClient, slug: str) -> str:
    """Return the id of the organization with this slug.

    It says nothing about who may see it: :meth:`InvitationService.open` does.

    :raises OrganizationNotFound: there is none.
    """
    cache = InstanceCache()
    name = f"slug:{slug}"
    known = cache.get_many([name]).get(name)
    if isinstance(known, str):
        return known
    organization_id = OrganizationAPI(client, slug).get().id
    cache.set(name, organization_id, conf.ROLES_CACHE_SECONDS)
    return organization_id


def get_manageable_organizations(client: ClerkClient, user_id: str) -> tuple[Membership, ...]:
    """Return the memberships of a user in which they may manage members, by name.

    It is an offer to choose from; :meth:`InvitationService.open` checks what is chosen.
    """
    instance = InstanceAPI(client)
    found = run_together(
        {
            "memberships": lambda: instance.get_organization_memberships(user_id),
            "instance_roles": instance.get_roles,
        }
    )
    if isinstance(found["memberships"].error, (NotFound, PermissionDenied)):
        return ()  # Clerk does not know the user (any more)
    memberships: Page[Membership] = found["memberships"].get()
    instance_roles: tuple[Role, ...] = found["instance_roles"].value or ()
    manageable = (m for m in memberships.data if may_manage_members(m, instance_roles))
    return tuple(sorted(manageable, key=lambda m: m.organization.name.casefold()))
