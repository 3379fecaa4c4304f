"""A cache that is down."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.base import BaseCache


class BrokenCache(BaseCache):
    """Raises on everything, as a server that is not there."""

    #: How often anything was tried.
    tried = 0

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def _fail(self, *_args: Any, **_options: Any) -> Any:
        type(self).tried += 1
        raise ConnectionError("no route to the cache")

    add = get = set = touch = delete = clear = _fail
    get_many = set_many = delete_many = has_key = incr = decr = _fail
