"""Hear what a Souk shop says, and tell it something, from a program that is not part of it.

    pip install -r requirements.txt
    python souk_events.py listen --count 1          # orders that are confirmed
    python souk_events.py count 85123A 42           # units counted in the warehouse

Souk's services publish CloudEvents over NATS when they run in processes of their own; the document
docs/asyncapi.json lists them all. NATS is found at $SOUK_EVENTS, or nats://127.0.0.1:4222.
"""

import argparse
import asyncio
import json
import os
import uuid

import nats
from cloudevents.core.bindings import http
from cloudevents.core.v1.event import CloudEvent
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError


def read(message):
    """The CloudEvent in a NATS message: structured mode, the same JSON as over HTTP."""
    return http.from_structured_event(http.HTTPMessage(message.headers or {}, message.data))


async def subscribe(jetstream, kind, durable):
    """A subscription that goes on where the last program of the same name stopped."""
    service = kind.split(".")[0]
    while True:
        try:
            return await jetstream.pull_subscribe(
                f"souk.{service}.*.{kind}",  # all partitions
                durable=durable,
                stream=f"souk_{service}",
                config=ConsumerConfig(deliver_policy=DeliverPolicy.ALL, ack_wait=30),
            )
        except NotFoundError:  # the service has not published anything yet
            await asyncio.sleep(0.2)


async def listen(connection, kind, durable, count):
    """Prints events as lines of JSON. They come at least once: repeats have the same id."""
    subscription = await subscribe(connection.jetstream(), kind, durable)
    print("listening", flush=True)
    heard = 0
    while count is None or heard < count:
        try:
            messages = await subscription.fetch(10, timeout=5)
        except NatsTimeout:
            continue
        for message in messages:
            event = read(message)
            line = {
                "id": event.get_id(),
                "type": event.get_type(),
                "stream": event.get_subject(),
                "position": int(event.get_extension("position")),
                "data": event.get_data(),
            }
            print(json.dumps(line), flush=True)
            await message.ack()
            heard += 1


async def count(connection, sku, units, location, event_id):
    """Tells inventory how many units were counted. Sent twice with one id, it counts once."""
    event = CloudEvent(
        attributes={
            "id": event_id or str(uuid.uuid4()),
            "source": "/examples/python",
            "type": "inventory.stock.counted.v1",
            "datacontenttype": "application/json",
        },
        data={"sku": sku, "counted": units, "location": location},
    )
    message = http.to_structured_event(event)
    # The answer says that the event is kept until inventory has it.
    kept = await connection.jetstream().publish("souk.inbound.inventory", message.body)
    print(json.dumps({"id": event.get_id(), "sequence": kept.seq}), flush=True)


async def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    hear = commands.add_parser("listen", help="print events")
    hear.add_argument("--type", default="orders.order.confirmed.v1")
    hear.add_argument("--durable", default="python-example")
    hear.add_argument("--count", type=int, help="stop after so many")
    tell = commands.add_parser("count", help="say how many units there are")
    tell.add_argument("sku")
    tell.add_argument("units", type=int)
    tell.add_argument("--location", default="loc_main")
    tell.add_argument("--id", help="the event's id; a new one unless given")
    arguments = parser.parse_args()

    # In the environment, so that a password is not in the list of processes.
    server = os.environ.get("SOUK_EVENTS", "nats://127.0.0.1:4222")
    connection = await nats.connect(server)
    try:
        if arguments.command == "listen":
            await listen(connection, arguments.type, arguments.durable, arguments.count)
        else:
            await count(
                connection, arguments.sku, arguments.units, arguments.location, arguments.id
            )
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
