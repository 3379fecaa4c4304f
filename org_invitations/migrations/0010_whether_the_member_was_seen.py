from django.db import migrations, models


class Migration(migrations.Migration):
    """Whether a membership was there while joining was half done, and what somebody has begun."""

    dependencies = [
        ("org_invitations", "0009_calls_are_counted_in_rows"),
    ]

    operations = [
        migrations.AddField(
            model_name="joining",
            name="member_seen_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="joining",
            index=models.Index(fields=["user_id", "state"], name="oi_joining_whose"),
        ),
    ]
