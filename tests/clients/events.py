"""PyPI's python-socketio, told what to do; orders and what happens are those of events.mjs."""

import asyncio
import json
import sys

import socketio

client = None


def say(**what):
    print(json.dumps(what), flush=True)


def new_client():
    made = socketio.AsyncClient(reconnection_delay=0.05, reconnection_delay_max=0.2)

    @made.event
    async def connect():
        say(connected=made.transport())

    @made.event
    async def connect_error(data):
        say(refused=data.get("message") if isinstance(data, dict) else str(data))

    @made.event
    async def disconnect(reason):
        if made is client:
            say(disconnected=reason)

    @made.on("*")
    async def anything(event, *values):
        say(event=event, values=values)
        return values

    return made


async def opened(order):
    global client
    before, client = client, new_client()
    if before:
        await before.disconnect()
    try:
        await client.connect(
            order["url"],
            transports=order.get("transports"),
            auth=order.get("auth"),
            headers=order.get("extraHeaders", {}),
        )
    except socketio.exceptions.ConnectionError:
        pass  # `connect_error` has said it.


async def emit(values, callback=None):
    name, *values = values
    await client.emit(name, tuple(values), callback=callback)


ORDERS = {
    "open": opened,
    "emit": emit,
    "ask": lambda values: emit(values, lambda *answer: say(answer=answer)),
    "close": lambda _: client.disconnect(),
}


async def main():
    while line := await asyncio.to_thread(sys.stdin.readline):
        ((order, value),) = json.loads(line).items()
        await ORDERS[order](value)
    await client.disconnect()


asyncio.run(main())
