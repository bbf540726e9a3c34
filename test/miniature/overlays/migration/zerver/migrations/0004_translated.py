from django.db import migrations, models


class Migration(migrations.Migration):
    """Earlier releases can't write a message any more: the database has no default for the column."""

    dependencies = [("zerver", "0003_draft")]
    operations = [migrations.AddField("Message", "is_translated", models.BooleanField(default=False))]
