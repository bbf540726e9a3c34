"""What the programs that send what was scheduled have in common."""

import time

from django.core.management.base import BaseCommand
from django.db import Error, close_old_connections
from django.utils.timezone import now

from zerver.process import Stopped, announce


class Deliver(BaseCommand):
    """Sends nothing: what is due is told and removed."""

    def handle(self, *args, **options):
        announce(self.name)
        stopped = Stopped()
        while not stopped:
            close_old_connections()
            try:
                for each in self.scheduled.objects.filter(scheduled_timestamp__lte=now()):
                    print(f"{self.name}: {each.content}", flush=True)
                    each.delete()
            except Error as error:
                print(f"{self.name}: waiting for the database: {str(error).strip()}", flush=True)
            time.sleep(1)
