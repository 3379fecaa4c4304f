"""Many addresses that were checked and are not sent yet: kept, so that nothing typed is lost.

Ten thousand addresses are too many to go to and fro with each answer, and a session may end before
they are sent. So they are in a row, for whoever has typed them alone, and for a day.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from django.db.models import QuerySet

from ..clients import get_instance
from ..models import Batch, Draft
from .database import get_now

#: A draft is kept for so long, and not longer.
KEPT: Final = timedelta(days=1)


def keep_draft(
    key: UUID | None,
    *,
    organization_id: str,
    user_id: str,
    text: str,
    count: int,
    fields: Mapping[str, Sequence[str]],
) -> UUID:
    """Keep what was typed, and return the draft's id. Old ones of anybody's go.

    The same form with the same content is one draft. What was sent from it has its id, and then
    there is nothing to be kept.

    :param key: comes with the form.
    """
    forget_old_drafts()
    whose = {
        "instance": get_instance(),
        "organization_id": organization_id,
        "user_id": user_id,
    }
    kept = _get_values(text, count, fields)
    content = json.dumps([whose, kept], sort_keys=True)
    draft_id = uuid5(key or uuid4(), hashlib.sha256(content.encode()).hexdigest())
    if not Batch.objects.filter(pk=draft_id).exists():
        Draft.objects.filter(**whose).update_or_create(
            pk=draft_id, defaults=whose | kept | {"created_at": get_now()}
        )
    return draft_id


def change_draft(
    draft: Draft, *, text: str, count: int, fields: Mapping[str, Sequence[str]]
) -> bool:
    """Keep a draft as it was changed; tell whether it was still as it had been read.

    It is one statement, and the number of rows decides: what was sent, discarded or changed in
    another tab since is left alone.
    """
    as_read = Draft.objects.filter(pk=draft.pk, created_at=draft.created_at)
    return bool(as_read.update(**_get_values(text, count, fields), created_at=get_now()))


def _get_values(text: str, count: int, fields: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    kept = {name: list(values) for name, values in fields.items()}
    return {"text": text, "count": count, "fields": kept}


def find_drafts(organization_id: str, user_id: str) -> QuerySet[Draft]:
    """Return what somebody has checked here and not sent, newest first."""
    return Draft.objects.filter(
        instance=get_instance(),
        organization_id=organization_id,
        user_id=user_id,
        created_at__gt=get_now() - KEPT,
    ).order_by("-created_at")


def forget_old_drafts() -> None:
    """Delete what was kept for a day; raises Django's errors."""
    Draft.objects.filter(created_at__lte=get_now() - KEPT).delete()
