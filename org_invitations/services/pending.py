"""How many invitations of an organization are pending: it may stand on every page of a site."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from ..caching import InstanceCache
from ..clerk import InvitationStatus, OrganizationAPI

#: So long the number is remembered (seconds).
_COUNT_SECONDS: Final = 60

_Given = ParamSpec("_Given")
_Returned = TypeVar("_Returned")


class _HasAPI(Protocol):
    api: OrganizationAPI


_Service = TypeVar("_Service", bound=_HasAPI)


def count_pending(api: OrganizationAPI) -> int:
    """Return how many there are; remembered for a minute, unless something here changes it.

    Whoever asks makes sure before that the person may know.

    :raises ClerkError: Clerk could not be asked.
    """

    def ask() -> int:
        return api.get_invitations(status=[InvitationStatus.PENDING], limit=1).total_count

    return InstanceCache().remember(_name(api.organization_id), ask, _COUNT_SECONDS)


def forget_pending(organization_id: str) -> None:
    """Count them anew: something was done that may have changed it."""
    InstanceCache().forget(_name(organization_id))


def changes_pending(
    method: Callable[Concatenate[_Service, _Given], _Returned],
) -> Callable[Concatenate[_Service, _Given], _Returned]:
    """Let the number be counted anew after a method that has sent something to Clerk.

    Once, however much it sends: a cache that hangs costs its time-out each time.
    """

    @wraps(method)
    def changing(service: _Service, /, *args: Any, **kwargs: Any) -> _Returned:
        try:
            return method(service, *args, **kwargs)
        finally:
            if service.api.has_written:
                forget_pending(service.api.organization_id)

    return changing


def _name(organization_id: str) -> str:
    return f"pending:{organization_id}"
