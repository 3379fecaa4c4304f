"""Which organization it is about: by its slug, or to be chosen by the person."""

from __future__ import annotations

import time
from typing import Final

from ..caching import InstanceCache
from ..clerk import ClerkClient, InstanceAPI, Membership, Page, Role
from ..clerk.exceptions import NotFound, OrganizationNotFound, PermissionDenied
from ..concurrency import gather
from ..conf import conf
from ..roles import may_manage_members

#: A slug that is not among those remembered is looked for anew, this seldom (seconds).
_UNKNOWN_SECONDS: Final = 5


def find_organization_id(client: ClerkClient, slug: str, user_id: str) -> str:
    """Return the id of the organization with this slug, among those that a user belongs to.

    It says nothing about what the user may do there: :meth:`.InvitationService.open` does. A slug
    that nobody has costs as much as somebody else's, which is one call, and however many are made
    up, one entry is remembered for a user.

    :raises OrganizationNotFound: the user belongs to none with this slug.
    :raises ClerkError: the user's organizations could not be had.
    """
    cache = InstanceCache()
    name = _slugs_of(user_id)
    known: tuple[float, dict[str, str]] | None = cache.get_many([name]).get(name)
    now = time.time()
    if known is None or (slug not in known[1] and now - known[0] >= _UNKNOWN_SECONDS):
        known = (now, _get_slugs(client, user_id))
        cache.set(name, known, max(conf.MEMBERSHIP_CACHE_SECONDS, _UNKNOWN_SECONDS))
    if slug not in known[1]:
        raise OrganizationNotFound("no such slug among the user's organizations", status=404)
    return known[1][slug]


def forget_organizations(user_id: str) -> None:
    """Ask Clerk which organizations a user belongs to again, whatever is remembered."""
    InstanceCache().delete(_slugs_of(user_id))


def _slugs_of(user_id: str) -> str:
    return f"slugs:{user_id}"


def _get_slugs(client: ClerkClient, user_id: str) -> dict[str, str]:
    try:
        memberships = InstanceAPI(client).get_organization_memberships(user_id)
    except (NotFound, PermissionDenied):
        return {}  # Clerk does not know the user (any more)
    organizations = (membership.organization for membership in memberships.data)
    return {found.slug: found.id for found in organizations if found.slug}


def get_manageable_organizations(client: ClerkClient, user_id: str) -> tuple[Membership, ...]:
    """Return the memberships of a user in which they may manage members, by name.

    It is an offer to choose from; :meth:`.InvitationService.open` checks what is chosen.
    """
    instance = InstanceAPI(client)
    found = gather(
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
