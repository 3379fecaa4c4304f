"""Many addresses that were checked and are not sent yet: kept, so that nothing typed is lost.

Ten thousand addresses are too many to go to and fro with each answer, and a session may end before
they are sent. So they are in a row, for whoever has typed them alone, and for a day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from django.db.models import QuerySet

from ..clients import get_instance
from ..models import Draft
from .database import get_now

#: A draft is kept for so long, and not longer.
KEPT: Final = timedelta(days=1)


def keep_draft(
    draft_id: UUID | None,
    *,
    organization_id: str,
    user_id: str,
    text: str,
    count: int,
    fields: Mapping[str, Sequence[str]],
) -> Draft:
    """Keep what was typed; the same id keeps it in the same draft. Old ones of anybody's go.

    :param draft_id: comes with the form; where it is somebody else's, it is another one.
    """
    forget_old_drafts()
    draft_id = draft_id or uuid4()
    others = Draft.objects.filter(pk=draft_id)
    if others.exclude(organization_id=organization_id, user_id=user_id).exists():
        draft_id = uuid4()
    draft, _ = Draft.objects.update_or_create(
        pk=draft_id,
        defaults={
            "instance": get_instance(),
            "organization_id": organization_id,
            "user_id": user_id,
            "text": text,
            "count": count,
            "fields": {name: list(values) for name, values in fields.items()},
            "created_at": get_now(),
        },
    )
    return draft


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
