"""A peer on Python's websockets; see __init__.py."""

import asyncio
import contextlib

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from lines import LARGEST, message_fields, message_of, say, serve, tls_context


class Connection:
    def __init__(self, number):
        self.number = number

    async def open(self, url, compress, ca, echo):
        self.echo = echo
        extensions = [ClientPerMessageDeflateFactory(**compress)] if isinstance(compress, dict) else None
        self.socket = await websockets.connect(url, compression="deflate" if compress is True else None,
                                               extensions=extensions, max_size=LARGEST, ping_interval=None,
                                               ssl=tls_context(ca))
        say("open", self.number, compressed=bool(self.socket.extensions))
        self.reading = asyncio.create_task(self.read())

    async def read(self):
        try:
            async for message in self.socket:
                say("message", self.number, **message_fields(message))
                if self.echo:
                    # What came before a close is still to be reported when nothing can be sent any more.
                    with contextlib.suppress(websockets.ConnectionClosed):
                        await self.socket.send(message)
        except websockets.ConnectionClosed:
            pass
        await self.socket.wait_closed()
        say("close", self.number, code=self.socket.close_code, reason=self.socket.close_reason)

    async def send(self, **message):
        await self.socket.send(message_of(message))

    async def fragments(self, parts):
        await self.socket.send([message_of(part) for part in parts])

    async def ping(self, text):
        await (await self.socket.ping(text))
        say("pong", self.number, text=text)

    async def close(self, code, reason):
        await self.socket.close(code, reason)


asyncio.run(serve(Connection))
