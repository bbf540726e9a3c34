"""Works off one queue, and tells monitoring how it goes."""

import json
import os
import time

import pika
from django.conf import settings
from django.db import close_old_connections

from zerver.models import Message
from zerver.process import about
from zerver.queue import connect, open_channel

# How often a worker that has nothing to do looks whether it is to end, and writes its statistics.
TURN_S = 1
PAUSE_S = 2


def handle(event):
    """Every queue has the same events: a message whose text is to be marked as seen, or nothing to do at all."""
    if event.get("fail"):
        raise ValueError(f"told to fail: {event}")
    if "message_id" in event:
        Message.objects.filter(id=event["message_id"]).update(is_processed=True)


class Worker:
    def __init__(self, queue, stopped):
        self.queue = queue
        self.stopped = stopped
        self.durations = []
        self.consumed = 0
        self.emptied = None

    def run(self):
        """Until the process is told to end; waits for a broker that is away."""
        self.write_stats()
        told = None
        while not self.stopped:
            try:
                self.consume()
                told = None
            except (pika.exceptions.AMQPError, OSError) as error:
                if repr(error) != told:
                    told = repr(error)
                    print(f"{self.queue}: waiting for RabbitMQ: {told}", flush=True)
                time.sleep(PAUSE_S)

    def consume(self):
        connection = connect()
        channel = open_channel(connection, self.queue)
        channel.basic_qos(prefetch_count=1)
        for method, _properties, body in channel.consume(self.queue, inactivity_timeout=TURN_S):
            if method is None:
                self.consumed = 0
                self.emptied = time.time()
            else:
                self.work(body.decode())
                channel.basic_ack(method.delivery_tag)
            self.write_stats()
            if self.stopped:
                break
        connection.close()

    def work(self, text):
        begun = time.time()
        close_old_connections()
        try:
            handle(json.loads(text))
        except Exception as error:
            with open(f"{settings.QUEUE_ERROR_DIR}/{self.queue}.errors", "a", encoding="utf-8") as file:
                file.write(f"{time.asctime()}\t{json.dumps([text, str(error)])}\n")
        self.consumed += 1
        self.durations = [*self.durations[-49:], time.time() - begun]
        print(f"{self.queue}: {settings.ZULIP_VERSION} has done {text}", flush=True)

    def write_stats(self):
        stats = {
            **about(self.queue),
            "update_time": time.time(),
            "recent_average_consume_time": sum(self.durations) / len(self.durations) if self.durations else None,
            "queue_last_emptied_timestamp": self.emptied,
            "consumed_since_last_emptied": self.consumed,
        }
        path = f"{settings.QUEUE_STATS_DIR}/{self.queue}.stats"
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(stats, file)
        os.rename(path + ".new", path)
