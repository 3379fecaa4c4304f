"""Clerk's rate limits: per instance, by the emulator's clock.

1000 requests in 10 s for a production instance and 100 for a development one, 250 single and 50
bulk invitation requests an hour (Clerk's documentation, "System limits"; JWKS is exempt there).
"""

from __future__ import annotations

import math
from collections import deque

from . import errors

SHORT_WINDOW = 10.0
"""Seconds in which the limit on all requests counts."""

HOUR = 3600.0


class RateLimiter:
    """Counts requests in sliding windows. A refused request does not count."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[float]] = {}

    def hit(self, name: str, limit: int, window: float, now: float) -> None:
        """Counts one request at ``now`` (seconds), or raises the 429 with its Retry-After."""
        seen = self._seen.setdefault(name, deque())
        while seen and seen[0] <= now - window:
            seen.popleft()
        if len(seen) >= limit:
            oldest = seen[-limit] if limit else now
            raise errors.too_many_requests(max(1, math.ceil(oldest + window - now)))
        seen.append(now)

    def clear(self) -> None:
        self._seen.clear()
