"""What was set out to be done, and what became of it.

``store`` keeps it, ``reconcile`` finds out what became of a write whose answer was lost.
"""

from __future__ import annotations

from .store import (
    STALE_AFTER,
    UNCLEAR,
    BatchTaken,
    NotSaved,
    begin_batch,
    find_batch,
    find_begun,
    find_done_since,
    find_taken,
    forget_old_batches,
    get_items,
    get_mark,
    is_at_work,
    is_over,
    log_not_saved,
    mark,
    refuse,
    save_found,
    settle_item,
    stale_after,
    state_after,
    stop_batch,
    take_up,
)

__all__ = [
    "STALE_AFTER",
    "UNCLEAR",
    "BatchTaken",
    "NotSaved",
    "begin_batch",
    "find_batch",
    "find_begun",
    "find_done_since",
    "find_taken",
    "forget_old_batches",
    "get_items",
    "get_mark",
    "is_at_work",
    "is_over",
    "log_not_saved",
    "mark",
    "refuse",
    "save_found",
    "settle_item",
    "stale_after",
    "state_after",
    "stop_batch",
    "take_up",
]
