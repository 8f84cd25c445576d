"""Clients and workers on the libraries that people use, behind one interface.

A peer is opened by `await Kind.open(url)`. `send` and `receive` take and give str for text and bytes for binary, `ping`
returns when the pong is there, `close` begins the closing handshake, `closed` waits for its end and gives what the other
end said as (code, reason). All of them are under the deadline of the test.
"""

import asyncio
import base64
import json
import pathlib

import tornado.websocket
import websockets

WS_PEER = pathlib.Path(__file__).with_name("ws_peer.mjs")
LARGEST = 64 << 20


class WebsocketsPeer:
    """Python's websockets."""

    # What it offers of extensions.
    extensions = ()

    @classmethod
    async def open(cls, url):
        self = cls()
        self.socket = await websockets.connect(url, compression=None, extensions=cls.extensions, max_size=LARGEST,
                                               ping_interval=None)
        return self

    async def send(self, message):
        await self.socket.send(message)

    async def send_fragments(self, *fragments):
        await self.socket.send(fragments)

    async def receive(self):
        return await self.socket.recv()

    async def ping(self, text):
        await (await self.socket.ping(text))

    async def close(self, code=1000, reason=""):
        await self.socket.close(code, reason)

    async def closed(self):
        await self.socket.wait_closed()
        return self.socket.close_code, self.socket.close_reason

    async def release(self):
        self.socket.transport.abort()
        await self.socket.wait_closed()


class TornadoPeer:
    """Python's Tornado."""

    # None: it offers no compression.
    compression = None

    @classmethod
    async def open(cls, url):
        self = cls()
        self.pongs = asyncio.Queue()
        self.socket = await tornado.websocket.websocket_connect(url, max_message_size=LARGEST,
                                                               compression_options=cls.compression)
        # Tornado's client drops pongs; the method is where its servers would get them.
        self.socket.on_pong = self.pongs.put_nowait
        return self

    async def send(self, message):
        await self.socket.write_message(message, binary=isinstance(message, bytes))

    async def receive(self):
        message = await self.socket.read_message()
        assert message is not None, f"closed with {self.socket.close_code} {self.socket.close_reason}"
        return message

    async def ping(self, text):
        self.socket.ping(text.encode())
        while await self.pongs.get() != text.encode():
            pass

    async def close(self, code=1000, reason=""):
        self.socket.close(code, reason)

    async def closed(self):
        while await self.socket.read_message() is not None:
            pass
        return self.socket.close_code, self.socket.close_reason or ""

    async def release(self):
        self.socket.close()


class NpmPeer:
    """Node's ws, in a process of its own."""

    # "true": it offers compression by its defaults. Other JSON is what its option perMessageDeflate takes.
    compression = "false"

    @classmethod
    async def open(cls, url):
        self = cls()
        # A message comes as one line of JSON.
        self.process = await asyncio.create_subprocess_exec(
            "node", WS_PEER, url, cls.compression, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            limit=2 * LARGEST)
        assert (opened := await self._event())["event"] == "open", opened
        return self

    async def _event(self):
        return json.loads(await self.process.stdout.readline() or '{"event": "gone"}')

    async def _await(self, kind):
        event = await self._event()
        assert event["event"] == kind, event
        return event

    async def _do(self, operation, **arguments):
        self.process.stdin.write(json.dumps({"op": operation, **arguments}).encode() + b"\n")
        await self.process.stdin.drain()

    async def send(self, message, fin=True):
        if isinstance(message, str):
            await self._do("send", text=message, fin=fin)
        else:
            await self._do("send", base64=base64.b64encode(message).decode(), fin=fin)

    async def send_fragments(self, *fragments):
        for fragment in fragments[:-1]:
            await self.send(fragment, fin=False)
        await self.send(fragments[-1])

    async def receive(self):
        event = await self._await("message")
        return event["text"] if "text" in event else base64.b64decode(event["base64"])

    async def ping(self, text):
        await self._do("ping", text=text)
        assert (await self._await("pong"))["text"] == text

    async def close(self, code=1000, reason=""):
        await self._do("close", code=code, reason=reason)

    async def closed(self):
        event = await self._await("close")
        return event["code"], event["reason"]

    async def release(self):
        if self.process.returncode is None:
            self.process.kill()
        # Reads what is left, too: the process isn't over before its pipes are.
        await self.process.communicate()
