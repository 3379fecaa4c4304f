"""The mark of an invitation: by it a write is known again whose answer was lost.

Clerk has no idempotency key, but it keeps the private metadata of an invitation and gives it back.
So each invitation carries an opaque id of what it was made for, under a key beside the site's own.
On acceptance Clerk copies the metadata to the membership, where the mark means nothing any more:
:func:`without_mark` takes it off.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

#: The key of ours in ``private_metadata``.
KEY: Final = "org_invitations"

#: What metadata may take at Clerk, in bytes of JSON. Its documents do not say whether that is for
#: public and private metadata each; together is on the safe side.
MAX_METADATA_BYTES: Final = 8 * 1024

_MARK: Final = re.compile(r"[0-9a-f]{32}")


def get_mark(private_metadata: Mapping[str, Any]) -> str:
    """Return the mark in the private metadata of an invitation or a membership; empty without."""
    value = private_metadata.get(KEY)
    return value if isinstance(value, str) and _MARK.fullmatch(value) else ""


def without_mark(private_metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return private metadata as the site made it."""
    marked = bool(get_mark(private_metadata))
    return {name: value for name, value in private_metadata.items() if not marked or name != KEY}


def add_mark(
    private_metadata: Mapping[str, Any] | None,
    mark: str,
    *,
    public_metadata: Mapping[str, Any] | None = None,
) -> Mapping[str, Any] | None:
    """Return private metadata with a mark, or as it was where there is no mark or no room for it.

    :param mark: 32 hexadecimal digits; empty for none.
    """
    private = private_metadata or {}
    if not mark or KEY in private:  # what a site keeps under the key is the site's
        return private_metadata
    marked = {**private, KEY: mark}
    size = sum(len(json.dumps(each, default=str)) for each in (marked, public_metadata or {}))
    return marked if size <= MAX_METADATA_BYTES else private_metadata
