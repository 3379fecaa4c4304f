"""The database that all processes share: which one it is, and what time it is there.

The clocks of several machines differ, and who works on what until when is agreed upon between them.
So whatever one process writes for another to compare is by the one clock that all of them can ask.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.db import connections, router
from django.utils import timezone

from ..models import Batch

#: How each kind of database tells the time, as seconds since 1970; never that at which a
#: transaction began.
_CLOCKS: Final = {
    "postgresql": "SELECT EXTRACT(EPOCH FROM CLOCK_TIMESTAMP())",
    "mysql": "SELECT UNIX_TIMESTAMP(SYSDATE(6))",  # MariaDB, too
}


def get_alias() -> str:
    """Return the alias of the database that batches are kept in."""
    return router.db_for_write(Batch)


def get_now() -> datetime:
    """Return the moment by the clock of that database, aware or naive as Django's own.

    It is one small query; SQLite has no clock but this machine's, and is not asked.
    """
    connection = connections[get_alias()]
    query = _CLOCKS.get(connection.vendor)
    if query is None:
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(query)
        (seconds,) = cursor.fetchone()
    moment = datetime.fromtimestamp(float(seconds), UTC)
    return timezone.make_naive(moment) if timezone.is_naive(timezone.now()) else moment
