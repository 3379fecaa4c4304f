"""What a site lets begin a turn of a worker: an engine of its own, told that something waits.

The rows say what is to be done, so nothing depends on this: a worker that comes by itself finds
them. It is told nothing but that there is something: no address, key or link goes to a broker.
"""

from __future__ import annotations

import logging

from django.utils.module_loading import import_string

from ...conf import conf

logger = logging.getLogger("org_invitations")


def start_turn() -> None:
    """Let a worker look at once, where ``ORG_INVITATIONS_BACKGROUND`` says how.

    To be called once the rows are there. Raises nothing: whatever goes wrong is told to the log,
    and the rows wait for the next turn.
    """
    start = conf.BACKGROUND
    if isinstance(start, bool):
        return
    try:
        if isinstance(start, str):
            start = import_string(start)
        start()
    except Exception:  # of a broker, or of a function of the site's own
        logger.exception("No worker could be told that something is left to it; it waits.")
