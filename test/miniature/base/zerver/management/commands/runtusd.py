import os

from django.core.management.base import BaseCommand

from zerver.process import announce


class Command(BaseCommand):
    help = "Runs the server of resumable uploads, which nothing here uses."

    def add_arguments(self, parser):
        parser.add_argument("where", metavar="ADDRESS:PORT")

    def handle(self, *args, **options):
        announce("tusd")
        os.execlp("tusd", "tusd")
