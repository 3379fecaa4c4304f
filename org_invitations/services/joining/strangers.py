"""How often strangers to an invitation have Clerk asked: each, all by one link, and all together.

Clerk's limit is for the whole instance, so whoever could use it up would do so for everybody. A
network that is told apart uses up its own share before that of the others.
"""

from __future__ import annotations

import time
from ipaddress import IPv6Address, ip_address
from typing import Final

from ...caching import InstanceCache
from ...clerk.exceptions import RateLimited
from .links import JoinValue

#: So often a minute: by one network, for one invitation; and for all that only tickets name. And by
#: somebody who is signed in, for all that are not theirs.
MAX_OF_A_CLIENT: Final = 30
#: By all with the link of one invitation.
MAX_OF_A_LINK: Final = 120
#: By all with tickets that come without a link of ours, which anybody can make up.
MAX_OF_TICKETS: Final = 300

_MINUTE: Final = 60

#: Of an address of IPv6 the first so many bits are a network of one customer's.
_NETWORK: Final = 64


def count(value: JoinValue, address: str) -> None:
    """Count one look of somebody who is not signed in.

    :param address: from where, as the site knows it; see :func:`get_network`.
    :raises RateLimited: there were too many within the minute; Clerk is not asked.
    """
    # Whatever only tickets name is one of many that anybody can make up.
    whom = value.address_digest or "tickets"
    network = get_network(address)
    if network:
        # First: whoever is over their own share uses up nobody else's.
        _count(f"strangers:{whom}:{network}", MAX_OF_A_CLIENT)
    _count(f"strangers:{whom}", MAX_OF_A_LINK if value.address_digest else MAX_OF_TICKETS)


def count_person(user_id: str) -> None:
    """Count one look of somebody who is signed in at an invitation that is not theirs.

    :raises RateLimited: there were too many within the minute; Clerk is not asked.
    """
    _count(f"strangers:{user_id}", MAX_OF_A_CLIENT)


def get_network(address: str) -> str:
    """Return the network of a client; empty for an address that is not of the public internet.

    That is a proxy's: all people would share it.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped  # as a server that listens on both calls it
    if not found.is_global:
        return ""
    if isinstance(found, IPv6Address):
        return f"{int(found) >> (128 - _NETWORK):x}"
    return str(found)


def _count(name: str, most: int) -> None:
    now, cache = time.time(), InstanceCache()
    since, number = cache.get_many([name]).get(name) or (now, 0)
    if now - since >= _MINUTE:
        since, number = now, 0
    if number >= most:
        raise RateLimited("too many looks of strangers", retry_after=_MINUTE)
    cache.set(name, (since, number + 1), _MINUTE)
