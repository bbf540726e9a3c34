from django.core.management.base import BaseCommand

from zerver.models import Realm


class Command(BaseCommand):
    help = "Lists the organizations."

    def handle(self, *args, **options):
        for realm in Realm.objects.order_by("id"):
            print(f"{realm.id}\t{realm.string_id}\t{realm.name}")
