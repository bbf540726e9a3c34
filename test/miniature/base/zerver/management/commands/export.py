import json
import tarfile
import tempfile

from django.core.management.base import BaseCommand
from django.core.serializers import serialize

from zerver.models import Message, UserProfile


class Command(BaseCommand):
    help = "Writes users and messages into an archive; prints its path."

    def handle(self, *args, **options):
        archive = tempfile.NamedTemporaryFile(prefix="zulip-export-", suffix=".tar.gz", delete=False).name
        with tempfile.NamedTemporaryFile("w") as file, tarfile.open(archive, "w:gz") as tar:
            json.dump({model.__name__: serialize("json", model.objects.all()) for model in (UserProfile, Message)}, file)
            file.flush()
            tar.add(file.name, "zulip-export/realm.json")
        print(archive)
