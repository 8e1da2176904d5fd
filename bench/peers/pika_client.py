"""pika_client.py publish|consume URI NAME COUNT BYTES: publishes to the fanout exchange NAME, or consumes the queue NAME with automatic
acknowledgement, at full speed."""
import sys

import pika

what, uri, name, count, size = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
connection = pika.BlockingConnection(pika.URLParameters(uri))
channel = connection.channel()
if what == "publish":
    body = b"b" * size
    for _ in range(count):
        channel.basic_publish(name, "", body)
else:
    left = count
    for _ in channel.consume(name, auto_ack=True):
        left -= 1
        if left == 0:
            break
connection.close()
