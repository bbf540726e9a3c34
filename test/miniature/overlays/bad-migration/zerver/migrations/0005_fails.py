import os

from django.db import migrations


def fail(apps, schema_editor):
    if not os.path.exists("/etc/zulip/mended"):
        raise ValueError("this migration fails until /etc/zulip/mended is there")


class Migration(migrations.Migration):
    dependencies = [("zerver", "0004_prepared")]
    operations = [
        migrations.RunSQL("CREATE TABLE zerver_half (id integer)", "DROP TABLE zerver_half"),
        migrations.RunPython(fail, migrations.RunPython.noop),
    ]
