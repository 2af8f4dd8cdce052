"""Reads outcomes of chakra-bridge by the SDK of CloudEvents, and prints each as one line of JSON: URL, queue, how many."""

import json
import sys

import pika
from cloudevents.core.bindings.amqp import AMQPMessage, from_binary
from cloudevents.core.formats.json import JSONFormat


def text(value):
    """Clients of AMQP 0-9-1 hand long strings over as text or as bytes."""
    return value.decode() if isinstance(value, bytes) else value


url, queue, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
for method, properties, body in channel.consume(queue, inactivity_timeout=30):
    if method is None:
        sys.exit("nothing came for 30 s")
    headers = {name: text(value) for name, value in (properties.headers or {}).items()}
    message = AMQPMessage({"content-type": properties.content_type}, headers, body)
    event = from_binary(message, JSONFormat())
    print(json.dumps({
        "id": event.get_id(),
        "source": event.get_source(),
        "type": event.get_type(),
        "subject": event.get_subject(),
        "time": event.get_time().isoformat(),
        "data": event.get_data(),
    }))
    channel.basic_ack(method.delivery_tag)
    count -= 1
    if count == 0:
        break
channel.cancel()
connection.close()
