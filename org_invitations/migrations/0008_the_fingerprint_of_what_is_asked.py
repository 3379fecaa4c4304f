from django.db import migrations, models


class Migration(migrations.Migration):
    """The name in Python alone: the column stays as it is."""

    dependencies = [
        ("org_invitations", "0007_whose_joining_it_is"),
    ]

    operations = [
        migrations.AlterField(
            model_name="batch",
            name="digest",
            field=models.CharField(db_column="digest", max_length=64),
        ),
        migrations.RenameField(
            model_name="batch",
            old_name="digest",
            new_name="fingerprint",
        ),
    ]
