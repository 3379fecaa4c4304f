from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('org_invitations', '0012_when_the_next_turn_begins'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='batchitem',
            index=models.Index(fields=['batch', 'state'], name='oi_item_state'),
        ),
    ]
