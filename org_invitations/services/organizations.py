"""Which organization it is about: by its slug, or to be chosen by the person."""

from __future__ import annotations

from typing import Final

from ..caching import InstanceCache
from ..clerk import ClerkClient, InstanceAPI, Membership, OrganizationAPI, Page, Role
from ..clerk.exceptions import NotFound, OrganizationNotFound, PermissionDenied
from ..concurrency import run_together
from ..conf import conf
from ..roles import may_manage_members

#: How long it is remembered that there is no such slug.
_UNKNOWN_SECONDS: Final = 5


def find_organization_id(client: ClerkClient, slug: str) -> str:
    """Return the id of the organization with this slug.

    It says nothing about who may see it: :meth:`.InvitationService.open` does.

    :raises OrganizationNotFound: there is none.
    """
    cache = InstanceCache()
    name = f"slug:{slug}"
    known = cache.get_many([name]).get(name)
    if known == "":
        raise OrganizationNotFound("no such slug, as found out a moment ago", status=404)
    if isinstance(known, str):
        return known
    try:
        organization_id = OrganizationAPI(client, slug).get().id
    except OrganizationNotFound:
        cache.set(name, "", _UNKNOWN_SECONDS)  # anybody can make up slugs
        raise
    cache.set(name, organization_id, conf.ROLES_CACHE_SECONDS)
    return organization_id


def get_manageable_organizations(client: ClerkClient, user_id: str) -> tuple[Membership, ...]:
    """Return the memberships of a user in which they may manage members, by name.

    It is an offer to choose from; :meth:`.InvitationService.open` checks what is chosen.
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
