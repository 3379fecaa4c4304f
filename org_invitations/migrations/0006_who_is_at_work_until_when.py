from datetime import timedelta
from typing import Any

from django.db import migrations, models
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce

#: For so long Clerk was taken to be at work on a call, where calls take the usual time.
STALE_AFTER = timedelta(seconds=150)

DOUBTFUL = ("under-way", "unsettled")


def note_doubts(apps: Any, schema_editor: Any) -> None:
    """Of what nobody knows, the doubt ends as long after the batch has moved as it did before.

    Whoever is at work on something at this moment is gone once the new version runs.
    """
    alias = schema_editor.connection.alias
    batches = apps.get_model("org_invitations", "Batch").objects.using(alias)
    items = apps.get_model("org_invitations", "BatchItem").objects.using(alias)
    moved = batches.filter(pk=OuterRef("batch_id")).values(at=Coalesce("worked_at", "created_at"))
    doubtful = items.filter(state__in=DOUBTFUL)
    doubtful.update(leased_until=Subquery(moved))
    doubtful.update(leased_until=F("leased_until") + STALE_AFTER)


class Migration(migrations.Migration):
    dependencies = [
        ("org_invitations", "0005_what_was_joined_and_asked_for"),
    ]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="instance",
            field=models.CharField(blank=True, default="", max_length=255),
        ),
        migrations.AddField(
            model_name="batchitem",
            name="leased_by",
            field=models.CharField(blank=True, db_index=True, default="", max_length=32),
        ),
        migrations.AddField(
            model_name="batchitem",
            name="leased_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(note_doubts, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField(model_name="batch", name="is_running"),
    ]
