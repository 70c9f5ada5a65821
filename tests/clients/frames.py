"""PyPI's websockets, told what to do: orders come as JSON lines, what happens goes out as JSON lines.

{"open": {"url", "headers"}}, {"send": value}, {"text": "…"}, {"close": true}
"""

import asyncio
import json
import sys

import websockets


def say(**what):
    print(json.dumps(what), flush=True)


async def orders():
    while line := await asyncio.to_thread(sys.stdin.readline):
        ((order, value),) = json.loads(line).items()
        yield order, value


async def listen(socket):
    try:
        async for frame in socket:
            try:
                say(heard=json.loads(frame))
            except ValueError:
                say(text=frame)
    except websockets.ConnectionClosedError:
        pass
    say(closed=socket.close_code, reason=socket.close_reason)


async def main():
    socket = None
    async for order, value in orders():
        if order == "open":
            try:
                socket = await websockets.connect(value["url"], additional_headers=value.get("headers"), proxy=None)
            except websockets.InvalidStatus as refusal:
                say(refused=refusal.response.status_code)
                continue
            say(opened=True)
            listening = asyncio.create_task(listen(socket))
        elif order == "close":
            await socket.close()
        else:
            await socket.send(json.dumps(value) if order == "send" else value)


asyncio.run(main())
