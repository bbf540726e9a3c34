import threading

from django.core.management.base import BaseCommand

from zerver.process import Stopped, announce
from zerver.worker import Worker


class Command(BaseCommand):
    help = "Works off one queue, or several in one process."

    def add_arguments(self, parser):
        parser.add_argument("--queue_name")
        parser.add_argument("--worker_num", type=int)
        parser.add_argument("--multi_threaded", nargs="+", metavar="QUEUE")

    def handle(self, *args, **options):
        queue, number = options["queue_name"], options["worker_num"]
        # A shard of the notifications has a queue of its own; other processes of one name share theirs.
        if number is not None and queue == "missedmessage_mobile_notifications":
            queue = f"{queue}_shard{number}"
        queues = options["multi_threaded"] or [queue]
        announce("process_queue " + " ".join(queues))
        stopped = Stopped()
        threads = [threading.Thread(target=Worker(name, stopped).run) for name in queues]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
