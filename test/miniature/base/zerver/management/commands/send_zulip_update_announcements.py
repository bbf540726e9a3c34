from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Tells organizations what is new, which nothing ever is."

    def add_arguments(self, parser):
        parser.add_argument("--skip-delay", action="store_true")

    def handle(self, *args, **options):
        pass
