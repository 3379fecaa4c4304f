"""The emulator's clock: the real one plus an offset, so that nobody has to wait for anything."""

from __future__ import annotations

import time


class Clock:
    """Seconds since the epoch, which can be moved and stopped."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._frozen_at: float | None = None

    def now(self) -> float:
        """The time in seconds (JWT claims and ``__client_uat`` use whole ones)."""
        if self._frozen_at is not None:
            return self._frozen_at
        return time.time() + self._offset

    def now_ms(self) -> int:
        """The time in milliseconds, the unit of every ``*_at`` field of the Backend API."""
        return int(self.now() * 1000)

    @property
    def frozen(self) -> bool:
        return self._frozen_at is not None

    def advance(self, seconds: float) -> None:
        """Moves the clock; a negative number moves it back."""
        self.set(self.now() + seconds)

    def set(self, epoch_seconds: float) -> None:
        if self._frozen_at is not None:
            self._frozen_at = float(epoch_seconds)
        self._offset = epoch_seconds - time.time()

    def freeze(self) -> None:
        self._frozen_at = self.now()

    def thaw(self) -> None:
        if self._frozen_at is not None:
            moment, self._frozen_at = self._frozen_at, None
            self.set(moment)

    def reset(self) -> None:
        self._offset = 0.0
        self._frozen_at = None
