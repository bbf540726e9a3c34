import os

from django.conf import settings
from django.core.management.base import BaseCommand

from zerver.models import Message

WORDS = "apples bridges clouds dinners elephants forests gardens harbors islands jugglers kites lanterns".split()


class Command(BaseCommand):
    help = "Adds messages and uploads, the same ones each time."

    def add_arguments(self, parser):
        parser.add_argument("--messages", type=int, default=0)
        parser.add_argument("--uploads", type=int, default=0, help="files of 10 kB")

    def handle(self, *args, **options):
        texts = (f"number {n}: {WORDS[n % 12]} and {WORDS[n // 12 % 12]} " * 8 for n in range(options["messages"]))
        rows = (Message(subject=f"topic {len(t)}", content=t, rendered_content=f"<p>{t}</p>") for t in texts)
        Message.objects.bulk_create(rows, batch_size=1000)
        folder = os.path.join(settings.LOCAL_UPLOADS_DIR, "files/populated")
        os.makedirs(folder, exist_ok=True)
        for n in range(options["uploads"]):
            with open(os.path.join(folder, f"{n}.txt"), "w", encoding="utf-8") as file:
                file.write(f"{n:09}\n" * 1000)
