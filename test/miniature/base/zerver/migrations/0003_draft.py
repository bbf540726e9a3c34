from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("zerver", "0002_full_text_search")]
    operations = [
        migrations.CreateModel(
            name="Draft",
            fields=[("id", models.AutoField(primary_key=True, serialize=False)), ("content", models.TextField())],
        ),
    ]
