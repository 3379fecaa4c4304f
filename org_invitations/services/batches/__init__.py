"""What was set out to be done, and what became of it.

``store`` keeps it, ``reconcile`` finds out what became of a write whose answer was lost.
"""

from __future__ import annotations

from .store import (
    STALE_AFTER,
    UNCLEAR,
    KeyReused,
    LeaseLost,
    NotSaved,
    cancel,
    claim,
    claim_half,
    find_batch,
    find_begun,
    find_done_since,
    find_taken,
    forget_old_batches,
    get_items,
    get_mark,
    get_or_create,
    is_at_work,
    is_over,
    record,
    refuse,
    release,
    save_found,
    save_progress,
    stale_after,
    state_after,
)

__all__ = [
    "STALE_AFTER",
    "UNCLEAR",
    "KeyReused",
    "LeaseLost",
    "NotSaved",
    "cancel",
    "claim",
    "claim_half",
    "find_batch",
    "find_begun",
    "find_done_since",
    "find_taken",
    "forget_old_batches",
    "get_items",
    "get_mark",
    "get_or_create",
    "is_at_work",
    "is_over",
    "record",
    "refuse",
    "release",
    "save_found",
    "save_progress",
    "stale_after",
    "state_after",
]
