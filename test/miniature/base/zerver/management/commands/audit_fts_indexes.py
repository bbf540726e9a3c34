from django.core.management.base import BaseCommand
from django.db import connection


class Command(BaseCommand):
    help = "Has every message indexed anew whose index differs from what it would be today."

    def add_arguments(self, parser):
        parser.add_argument("--automated", action="store_true")

    def handle(self, *args, **options):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO fts_update_log (message_id) SELECT id FROM zerver_message WHERE search_tsvector"
                " IS DISTINCT FROM to_tsvector('zulip.english_us_search', subject || rendered_content)"
            )
            print(f"{cursor.rowcount} messages are indexed anew")
            cursor.execute("NOTIFY fts_update_log")
