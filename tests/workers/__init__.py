"""Workers as a site runs them: processes of real engines, on real databases, with real brokers."""

from __future__ import annotations
