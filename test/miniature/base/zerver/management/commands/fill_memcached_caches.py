from django.core.management.base import BaseCommand

from zerver.cache import fill


class Command(BaseCommand):
    help = "Fills memcached with what is asked for most."

    def add_arguments(self, parser):
        parser.add_argument("--automated", action="store_true")

    def handle(self, *args, **options):
        fill()
