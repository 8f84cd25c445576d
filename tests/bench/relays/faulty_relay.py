#!/usr/bin/env python3
"""faulty_relay.py FAULT [PORT]: a relay that does one thing wrong, to show that tandem-bench finds it out.

It does it with the tenth message that it forwards in a pair, or where that makes no sense at the beginning. PORT 0,
or none: any free port. Standard library only.
"""

import asyncio
import base64
import hashlib
import os
import re
import struct
import sys

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9
FAULTY_MESSAGE = 10


def frame(opcode, payload, fin=True):
    size = len(payload)
    if size < 126:
        length = struct.pack("!B", size)
    elif size < 65536:
        length = struct.pack("!BH", 126, size)
    else:
        length = struct.pack("!BQ", 127, size)
    return bytes([(0x80 if fin else 0) | opcode]) + length + payload


async def read_frame(reader):
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack("!H", await reader.readexactly(2))
    elif size == 127:
        (size,) = struct.unpack("!Q", await reader.readexactly(8))
    mask = await reader.readexactly(4)
    payload = await reader.readexactly(size)
    repeated = (mask * (size // 4 + 1))[:size]
    plain = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return first & 0xF, plain.to_bytes(size, "big")


def flipped(payload, at):
    return payload[:at] + bytes([payload[at] ^ 0x20]) + payload[at + 1 :]


class Pair:
    """What a pair's two connections share."""

    def __init__(self):
        self.writers = {}
        self.count = 0
        self.held = None

    def bytes_for(self, fault, sender, opcode, payload):
        """What is sent to the sender's peer on account of a message."""
        self.count += 1
        right = frame(opcode, payload)
        if fault == "none":
            # Right, but in an unusual form: pings in between, and a frame for each third of a message.
            third = len(payload) // 3
            return (
                frame(opcode, payload[:third], fin=False)
                + frame(PING, b"here?")
                + frame(0, payload[third : 2 * third], fin=False)
                + frame(0, payload[2 * third :])
            )
        if fault == "mirror":
            self.writers[sender].write(right)
            return b""
        if self.held is not None:
            held, self.held = self.held, None
            return right + held
        if self.count != FAULTY_MESSAGE:
            return right
        if fault == "swap":
            self.held = right
        if fault == "die":
            os._exit(1)
        return {
            "drop": b"",
            "swap": b"",
            "duplicate": right + right,
            "corrupt-first": frame(opcode, flipped(payload, 0)),
            "corrupt-last": frame(opcode, flipped(payload, len(payload) - 1)),
            "truncate": frame(opcode, payload[:-1]),
            "extend": frame(opcode, payload + b"x"),
            "opcode": frame(BINARY if opcode == TEXT else TEXT, payload),
            "reserved-bit": bytes([right[0] | 0x40]) + right[1:],
            "masked": bytes([right[0], right[1] | 0x80]) + right[2:],
            "close": frame(CLOSE, struct.pack("!H", 4101) + b"too slow"),
        }.get(fault, right)


class Relay:
    def __init__(self, fault):
        self.fault = fault
        self.pairs = {}

    async def serve(self, reader, writer):
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            role, key = re.match(rb"GET /(client|worker)/(\S+)", request).groups()
            if self.fault == "mute":
                await reader.read()
                return
            writer.write(self.answer(request))
            if self.fault == "refuse":
                return
            pair = self.pairs.setdefault(key, Pair())
            pair.writers[role] = writer
            await self.forward(pair, role, reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def answer(self, request):
        if self.fault == "refuse":
            body = b'{"error": "full"}'
            return b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", request).group(1)
        if self.fault == "accept":
            key += b"x"
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        return (
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\n"
            b"sec-websocket-accept: %s\r\n\r\n" % accept
        )

    async def forward(self, pair, role, reader):
        peer = b"worker" if role == b"client" else b"client"
        while True:
            opcode, payload = await read_frame(reader)
            if opcode == CLOSE:
                pair.writers[role].write(frame(CLOSE, payload))
                return
            if opcode in (TEXT, BINARY) and self.fault != "silent":
                to = pair.writers[peer]
                to.write(pair.bytes_for(self.fault, role, opcode, payload))
                await to.drain()


async def main():
    relay = Relay(sys.argv[1])
    server = await asyncio.start_server(relay.serve, "127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(f"listening 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
