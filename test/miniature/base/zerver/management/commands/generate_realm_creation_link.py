import secrets

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Prints an address at which an organization could be made."

    def handle(self, *args, **options):
        print(f"https://{settings.EXTERNAL_HOST}/new/{secrets.token_hex(12)}")
