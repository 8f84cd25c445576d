"""WebSocket on a bare socket: the handshake by hand, any frame, valid or not, and every byte that comes back."""

import base64
import hashlib
import json
import os
import socket
import struct
import typing

import certificates
from broker import SecurePort, scaled

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
MASK = b"\x37\xfa\x21\x3d"
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Frame(typing.NamedTuple):
    opcode: int
    payload: bytes = b""
    fin: bool = True
    reserved: int = 0


class Response(typing.NamedTuple):
    """An HTTP response; the headers' names are in lower case."""
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


class Ended(Exception):
    """The other end closed or cut the connection where more was awaited."""


def masked(payload, mask):
    key = (mask * (len(payload) // 4 + 1))[:len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(len(payload), "big")


def frame(opcode, payload=b"", *, fin=True, reserved=0, mask=MASK, length=None, form=None):
    """The bytes of a frame. `mask=None` leaves it bare, `length` claims another length than the payload's, `form` (7, 16
    or 64) forces the width of the length field."""
    payload = payload.encode() if isinstance(payload, str) else bytes(payload)
    length = len(payload) if length is None else length
    form = form or (7 if length < 126 else 16 if length < 65536 else 64)
    mask_bit = 0x80 if mask else 0
    head = bytes([fin << 7 | reserved << 4 | opcode, mask_bit | {7: length, 16: 126, 64: 127}[form]])
    head += {7: b"", 16: struct.pack("!H", length & 0xFFFF), 64: struct.pack("!Q", length)}[form]
    return head + (mask + masked(payload, mask) if mask else payload)


def fragments(opcode, *parts, fin=True):
    """A message's frames, one for each part. `fin=False` leaves the message open."""
    last = len(parts) - 1
    return [frame(CONTINUATION if n else opcode, part, fin=fin and n == last) for n, part in enumerate(parts)]


def close_payload(code, reason=""):
    return struct.pack("!H", code) + (reason.encode() if isinstance(reason, str) else reason)


def upgrade(path, *, method="GET", version="HTTP/1.1", without=(), **headers):
    """The bytes of an upgrade request. Keywords set a header (`Sec_WebSocket_Version="12"`), `without` leaves some out."""
    fields = {"Host": "127.0.0.1", "Upgrade": "websocket", "Connection": "Upgrade",
              "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), "Sec-WebSocket-Version": "13",
              **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"{name}: {value}\r\n" for name, value in fields.items() if name not in without]
    return f"{method} {path} {version}\r\n{''.join(lines)}\r\n".encode()


class Wire:
    """One connection to a broker, to a TCP port or the path of a Unix-domain socket. Every wait has a deadline. `tls` is
    the context to speak TLS with; a port that takes TLS gets it by itself, but for `tls=False`. `session` is one of TLS's to
    resume."""

    def __init__(self, port, host="127.0.0.1", source=None, tls=None, name=None, session=None):
        if isinstance(port, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(scaled(10))
            self.socket.connect(port)
        else:
            self.socket = socket.create_connection((host, int(port)), timeout=scaled(10),
                                                   source_address=source and (source, 0))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is None and isinstance(port, SecurePort):
            tls = certificates.client_context()
        if tls:
            # What ends without TLS's own goodbye is an error.
            self.socket = tls.wrap_socket(self.socket, server_hostname=name or host, suppress_ragged_eofs=False,
                                          session=session)
        self.unread = b""

    @classmethod
    def open(cls, port, path, host="127.0.0.1", tls=None, name=None, **headers):
        """A connection that has been upgraded to a WebSocket."""
        wire = cls(port, host, tls=tls, name=name)
        request = upgrade(path, **headers)
        wire.send(request)
        response = wire.read_response()
        if response.status != 101:
            raise AssertionError(f"refused with {response.status}: {response.body!r}")
        key = request.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0].decode()
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        if response.headers.get("sec-websocket-accept") != accept:
            raise AssertionError("the handshake's accept key is wrong")
        return wire

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *pieces):
        self.socket.sendall(b"".join(pieces))

    def send_frame(self, opcode, payload=b"", **shape):
        self.send(frame(opcode, payload, **shape))

    def _more(self):
        try:
            got = self.socket.recv(1 << 16)
        except TimeoutError:
            raise AssertionError("nothing came in time") from None
        except ConnectionError as error:
            raise Ended(str(error)) from None
        if not got:
            raise Ended("end of stream")
        self.unread += got

    def read(self, size):
        while len(self.unread) < size:
            self._more()
        taken, self.unread = self.unread[:size], self.unread[size:]
        return taken

    def read_response(self):
        while b"\r\n\r\n" not in self.unread:
            self._more()
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return Response(int(status.split()[1]), headers, self.read(int(headers.get("content-length", 0))))

    def read_frame(self):
        """The next frame of the broker's, which must not be masked and must have the shortest length field."""
        first, second = self.read(2)
        assert not second & 0x80, "a server's frame is masked"
        length = second & 0x7F
        if length == 126:
            length, = struct.unpack("!H", self.read(2))
            assert length >= 126, "a length field is longer than it has to be"
        elif length == 127:
            length, = struct.unpack("!Q", self.read(8))
            assert length >= 65536, "a length field is longer than it has to be"
        return Frame(first & 0x0F, self.read(length), bool(first & 0x80), first >> 4 & 0x7)

    def read_message(self):
        """The next whole message as (opcode, payload), put together from its fragments."""
        opcode, parts, fin = None, [], False
        while not fin:
            got = self.read_frame()
            expected = (TEXT, BINARY) if opcode is None else (CONTINUATION,)
            assert got.opcode in expected, f"expected a message, got {got}"
            opcode = got.opcode if opcode is None else opcode
            parts.append(got.payload)
            fin = got.fin
        return opcode, b"".join(parts)

    def read_close(self):
        """The broker's close frame as (code, reason), code 0 if it has none. Pings before it are passed over."""
        got = self.read_frame()
        while got.opcode == PING:
            got = self.read_frame()
        assert got.opcode == CLOSE, f"expected a close frame, got {got}"
        code = struct.unpack("!H", got.payload[:2])[0] if got.payload else 0
        return code, got.payload[2:].decode()

    def read_end(self):
        """Asserts that the broker ends the TCP connection and sends nothing more before."""
        try:
            rest = self.read(1)
        except Ended:
            return
        raise AssertionError(f"expected the end of the stream, got {rest + self.unread!r}")

    def close(self, code=1000, reason=""):
        """A whole closing handshake that this side begins; returns the broker's code and reason."""
        self.send_frame(CLOSE, close_payload(code, reason))
        answer = self.read_close()
        self.read_end()
        return answer

    def cut(self):
        """Resets the TCP connection without a word."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
