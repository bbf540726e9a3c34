from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import migrations, models


def first_people(apps, schema_editor):
    realm = apps.get_model("zerver", "Realm").objects.create(string_id="", name="Small Zulip")
    apps.get_model("zerver", "UserProfile").objects.create(realm=realm, delivery_email="iago@zulip.com")


def identity():
    return ("id", models.AutoField(primary_key=True, serialize=False))


def scheduled(name):
    fields = [identity(), ("scheduled_timestamp", models.DateTimeField()), ("content", models.TextField())]
    return migrations.CreateModel(name=name, fields=fields)


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Realm",
            fields=[
                identity(),
                ("string_id", models.CharField(max_length=40, unique=True)),
                ("name", models.CharField(max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name="UserProfile",
            fields=[
                identity(),
                ("realm", models.ForeignKey(on_delete=models.deletion.CASCADE, to="zerver.Realm")),
                ("delivery_email", models.EmailField(max_length=254, unique=True)),
                ("role", models.IntegerField(default=400)),
            ],
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                identity(),
                ("subject", models.CharField(max_length=60)),
                ("content", models.TextField()),
                ("rendered_content", models.TextField()),
                ("date_sent", models.DateTimeField(auto_now_add=True)),
                ("is_processed", models.BooleanField(default=False)),
                ("search_tsvector", SearchVectorField(null=True)),
            ],
        ),
        migrations.AddIndex("Message", GinIndex(fields=["search_tsvector"], name="zerver_message_search", fastupdate=False)),
        scheduled("ScheduledEmail"),
        scheduled("ScheduledMessage"),
        migrations.RunPython(first_people, migrations.RunPython.noop),
    ]
