"""Peers that speak tandem.v1 or tandem.json.v1, on a bare socket."""

import base64
import json
import struct
import typing

from wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Wire, close_payload, frame

OPEN, MESSAGE_TEXT, MESSAGE_BINARY, END, CREDIT, CAPACITY, DRAIN, EVENT = range(1, 9)

# What a message weighs in credit besides its payload.
WEIGHT = 40


class Message(typing.NamedTuple):
    """A message, whichever subprotocol it came in. What is JSON in tandem.v1 is parsed; a close's payload is (code, reason), a credit's or a capacity's its number."""
    type: int
    channel: int
    payload: object = b""


def head(kind, channel):
    return struct.pack("!B3xI", kind, channel)


def message(kind, channel, payload=b""):
    """The bytes of a whole WebSocket message of tandem.v1."""
    return frame(BINARY, head(kind, channel) + (payload.encode() if isinstance(payload, str) else payload))


class Framed:
    """A peer that speaks tandem.v1, unless it is told to speak JSON. It has been welcomed."""

    def __init__(self, port, path, as_json=False, **headers):
        self.json = as_json
        self.wire = Wire.open(port, path, Sec_WebSocket_Protocol="tandem.json.v1" if as_json else "tandem.v1", **headers)
        self.welcome = self.read(EVENT).payload
        assert self.welcome["event"] == "welcome", self.welcome

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.socket.close()

    # -- sending
    def send(self, kind, channel, payload=b""):
        self.wire.send(self.encode(kind, channel, payload))

    def encode(self, kind, channel, payload=b""):
        if not self.json:
            if kind == END:
                payload = close_payload(*payload) if payload else b""
            elif kind in (CREDIT, CAPACITY):
                payload = struct.pack("!I", payload)
            return message(kind, channel, payload)
        fields = {MESSAGE_TEXT: lambda: {"type": "message", "text": payload if isinstance(payload, str) else payload.decode()},
                  MESSAGE_BINARY: lambda: {"type": "message", "base64": base64.b64encode(payload).decode()},
                  END: lambda: {"type": "close", **({"code": payload[0], "reason": payload[1]} if payload else {})},
                  CREDIT: lambda: {"type": "credit", "bytes": payload},
                  CAPACITY: lambda: {"type": "capacity", "slots": payload},
                  DRAIN: lambda: {"type": "drain"}}[kind]()
        if channel:
            fields["channel"] = channel
        return frame(TEXT, json.dumps(fields))

    # -- receiving
    def read_any(self):
        """The next message. Pings are answered."""
        opcode, payload = self._read_whole()
        if self.json:
            assert opcode == TEXT, opcode
            return self._from_json(json.loads(payload))
        assert opcode == BINARY, opcode
        assert payload[1:4] == b"\0\0\0", payload[:8]
        kind, channel = struct.unpack("!B3xI", payload[:8])
        payload = payload[8:]
        if kind in (OPEN, EVENT):
            payload = json.loads(payload)
        elif kind == END:
            payload = (struct.unpack("!H", payload[:2])[0], payload[2:].decode()) if payload else (0, "")
        elif kind == CREDIT:
            payload, = struct.unpack("!I", payload)
        return Message(kind, channel, payload)

    def _read_whole(self):
        """As Wire.read_message, but with pings in between."""
        opcode, parts = None, []
        while True:
            got = self.wire.read_frame()
            if got.opcode == PING:
                self.wire.send_frame(PONG, got.payload)
                continue
            assert got.opcode == (CONTINUATION if parts else got.opcode) and got.opcode in (TEXT, BINARY, CONTINUATION), got
            opcode = opcode or got.opcode
            parts.append(got.payload)
            if got.fin:
                return opcode, b"".join(parts)

    @staticmethod
    def _from_json(fields):
        kind, channel = fields.pop("type"), fields.pop("channel", 0)
        if kind == "message":
            if "text" in fields:
                return Message(MESSAGE_TEXT, channel, fields["text"].encode())
            return Message(MESSAGE_BINARY, channel, base64.b64decode(fields["base64"], validate=True))
        if kind == "close":
            return Message(END, channel, (fields.get("code", 0), fields.get("reason", "")))
        if kind == "credit":
            return Message(CREDIT, channel, fields["bytes"])
        return Message({"open": OPEN, "event": EVENT}[kind], channel, fields)

    def read(self, kind, *, passing=(CREDIT,)):
        """The next message, which has to be of that type, but for those that are passed over."""
        got = self.read_any()
        while got.type in passing and got.type != kind:
            got = self.read_any()
        assert got.type == kind, f"expected type {kind}, got {got}"
        return got

    def read_close(self):
        """The broker's close frame as (code, reason). Credit before it is passed over."""
        while True:
            got = self.wire.read_frame()
            if got.opcode == CLOSE:
                return (struct.unpack("!H", got.payload[:2])[0] if got.payload else 0), got.payload[2:].decode()
            is_credit = got.payload.startswith(b'{"type":"credit"' if self.json else bytes([CREDIT]))
            assert got.opcode == PING or is_credit, f"expected a close frame, got {got}"
