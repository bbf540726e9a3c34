from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Whether the settings are whole."

    def handle(self, *args, **options):
        call_command("check")
