"""A peer on Python's Tornado; see __init__.py. It can't send fragments."""

import asyncio
import contextlib

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClosedError, websocket_connect

from lines import LARGEST, message_fields, message_of, say, serve


class Connection:
    def __init__(self, number):
        self.number = number

    async def open(self, url, compress, ca, echo):
        self.socket = await websocket_connect(HTTPRequest(url, ca_certs=ca), max_message_size=LARGEST,
                                              compression_options={} if compress else None)
        # Tornado's client drops pongs; the method is where its servers would get them.
        self.socket.on_pong = lambda payload: say("pong", self.number, text=payload.decode())
        agreed = self.socket.headers.get("Sec-WebSocket-Extensions", "")
        say("open", self.number, compressed="permessage-deflate" in agreed)
        self.reading = asyncio.create_task(self.read(echo))

    async def read(self, echo):
        while (message := await self.socket.read_message()) is not None:
            say("message", self.number, **message_fields(message))
            if echo:
                # What came before a close is still to be reported when nothing can be sent any more.
                with contextlib.suppress(WebSocketClosedError):
                    await self.socket.write_message(message, binary=isinstance(message, bytes))
        code = self.socket.close_code
        say("close", self.number, code=1005 if code is None else code, reason=self.socket.close_reason or "")

    async def send(self, **fields):
        message = message_of(fields)
        await self.socket.write_message(message, binary=isinstance(message, bytes))

    async def ping(self, text):
        self.socket.ping(text.encode())

    async def close(self, code, reason):
        self.socket.close(code, reason)


asyncio.run(serve(Connection))
