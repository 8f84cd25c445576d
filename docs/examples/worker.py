#!/usr/bin/env python3
"""A worker that serves many clients over one connection: worker.py [URL]

It speaks tandem.v1 and answers every message with the same text in capitals; put your own work into serve(). On SIGTERM
it takes no new clients, and ends when the last one has gone. Needs python3-websockets.
"""

import asyncio
import json
import signal
import struct
import sys

import websockets

URL = "ws://localhost:8080/worker/demo"
SLOTS = 64
# What the broker may send on each channel before we have worked on it, in bytes. A message counts its payload and 40.
WINDOW = 65536
OVERHEAD = 40

OPEN, TEXT, BINARY, CLOSE, CREDIT, CAPACITY, DRAIN, EVENT = range(1, 9)
HEAD = struct.Struct(">B3xI")


async def serve(channel):
    """What is done for one client, from its coming to its going."""
    async for data in channel:
        await channel.send(data.upper())


class Channel:
    """One client."""

    def __init__(self, socket, number, about):
        self.socket, self.number, self.about = socket, number, about
        self.credit = about["credit"]
        self.more_credit = asyncio.Event()
        self.incoming = asyncio.Queue()
        self.done = 0

    async def __aiter__(self):
        while (data := await self.incoming.get()) is not None:
            yield data
            # It is worked on: the broker may send as much again.
            self.done += len(data.encode() if isinstance(data, str) else data) + OVERHEAD
            if self.done >= WINDOW // 4:
                await self.tell(CREDIT, self.done.to_bytes(4, "big"))
                self.done = 0

    async def send(self, data):
        """Waits while the client is too slow: others go on meanwhile."""
        while self.credit <= 0:
            self.more_credit.clear()
            await self.more_credit.wait()
        kind, payload = (TEXT, data.encode()) if isinstance(data, str) else (BINARY, bytes(data))
        self.credit -= len(payload) + OVERHEAD
        await self.tell(kind, payload)

    async def close(self, code=1000, reason=""):
        await self.tell(CLOSE, code.to_bytes(2, "big") + reason.encode())

    async def tell(self, kind, payload=b""):
        await self.socket.send(HEAD.pack(kind, self.number) + payload)


async def take(socket, channels, message):
    """Gives one message of the broker's to whom it is for."""
    kind, number = HEAD.unpack_from(message)
    payload = message[HEAD.size:]
    if kind == EVENT:
        print("event", payload.decode(), flush=True)
    elif kind == OPEN:
        channel = channels[number] = Channel(socket, number, json.loads(payload))
        channel.task = asyncio.create_task(serve(channel))
    elif number not in channels:
        pass  # The client has gone already.
    elif kind in (TEXT, BINARY):
        channels[number].incoming.put_nowait(payload.decode() if kind == TEXT else payload)
    elif kind == CREDIT:
        channels[number].credit += int.from_bytes(payload, "big")
        channels[number].more_credit.set()
    elif kind == CLOSE:
        channels.pop(number).task.cancel()


async def work(url):
    """One connection, until it is closed: its close code."""
    separator = "&" if "?" in url else "?"
    async with websockets.connect(f"{url}{separator}capacity={SLOTS}&credit={WINDOW}", subprotocols=["tandem.v1"],
                                  max_size=None) as socket:
        drain = socket.send(HEAD.pack(DRAIN, 0))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: asyncio.ensure_future(drain))
        print("connected", flush=True)
        channels = {}
        try:
            async for message in socket:
                await take(socket, channels, message)
        except websockets.ConnectionClosed:
            pass
        finally:
            for channel in channels.values():
                channel.task.cancel()
        print("closed", socket.close_code, socket.close_reason, flush=True)
        return socket.close_code


def is_final(code):
    """Whether it makes no sense to come again: we have drained, or the broker doesn't want us."""
    return code == 1000 or code in (1002, 1003, 1007, 1008) or 4000 <= code < 4100


async def main(url):
    delay = 0
    while True:
        try:
            code = await work(url)
            if is_final(code):
                return 0 if code == 1000 else 1
            # 4200 to 4299: come again at once. Anything else: later, and later each time.
            delay = 0 if 4200 <= code < 4300 else min(30, delay * 2 + 0.5)
        except websockets.InvalidStatusCode as refused:
            print("refused", refused.status_code, flush=True)
            if refused.status_code not in (408, 429, 500, 503):
                return 1
            delay = min(30, delay * 2 + 0.5)
        except (OSError, websockets.InvalidHandshake, asyncio.TimeoutError) as error:
            print("not connected:", error, flush=True)
            delay = min(30, delay * 2 + 0.5)
        await asyncio.sleep(delay)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else URL)))
