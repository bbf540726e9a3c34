"""RabbitMQ, as the application and its workers use it."""

import json

import pika
from django.conf import settings

_channel = None


def connect():
    login = pika.PlainCredentials(settings.RABBITMQ_USERNAME, settings.RABBITMQ_PASSWORD)
    where = pika.ConnectionParameters(
        settings.RABBITMQ_HOST, virtual_host=settings.RABBITMQ_VHOST, credentials=login, heartbeat=0
    )
    return pika.BlockingConnection(where)


def open_channel(connection, queue):
    channel = connection.channel()
    channel.queue_declare(queue, durable=True)
    return channel


def publish(queue, event):
    """Puts an event into a queue, over a connection that is kept; once more where it was lost meanwhile."""
    global _channel
    try:
        _publish(queue, event)
    except pika.exceptions.AMQPError:
        _channel = None
        _publish(queue, event)


def _publish(queue, event):
    global _channel
    if _channel is None:
        _channel = connect().channel()
        _channel.confirm_delivery()
    _channel.queue_declare(queue, durable=True)
    _channel.basic_publish("", queue, json.dumps(event).encode(), pika.BasicProperties(delivery_mode=2))
