from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("zerver", "0003_draft")]
    operations = [migrations.RunSQL("CREATE TABLE zerver_prepared (id integer)", "DROP TABLE zerver_prepared")]
