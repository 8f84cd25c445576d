"""A peer on Python's websocket-client, with a thread or two for each connection; see __init__.py. It can't compress."""

import contextlib
import json
import queue
import struct
import sys
import threading

from websocket import ABNF, WebSocketConnectionClosedException, create_connection

from lines import message_fields, message_of, say

# Threads write events, each a line that must not be torn.
saying = threading.Lock()


def tell(*arguments, **fields):
    with saying:
        say(*arguments, **fields)


class Connection:
    def __init__(self, number):
        self.number = number
        self.operations = queue.Queue()
        threading.Thread(target=self.carry_out, daemon=True).start()

    def carry_out(self):
        while True:
            operation = self.operations.get()
            try:
                getattr(self, operation.pop("op"))(**operation)
            except Exception as error:  # Whatever went wrong is the test's to judge.
                tell("error", self.number, message=f"{type(error).__name__}: {error}")

    def open(self, url, compress, ca, echo):
        self.socket = create_connection(url, enable_multithread=True, sslopt={"ca_certs": ca} if ca else None)
        tell("open", self.number, compressed=False)
        threading.Thread(target=self.read, args=(echo,), daemon=True).start()

    def read(self, echo):
        code, reason = 1006, ""
        try:
            while (got := self.socket.recv_data(control_frame=True))[0] != ABNF.OPCODE_CLOSE:
                self.take(*got, echo)
            code = struct.unpack("!H", got[1][:2])[0] if got[1] else 1005
            reason = got[1][2:].decode()
        except (OSError, WebSocketConnectionClosedException):
            pass
        self.socket.shutdown()
        tell("close", self.number, code=code, reason=reason)

    def take(self, opcode, payload, echo):
        if opcode == ABNF.OPCODE_PONG:
            tell("pong", self.number, text=payload.decode())
        elif opcode in (ABNF.OPCODE_TEXT, ABNF.OPCODE_BINARY):
            message = payload.decode() if opcode == ABNF.OPCODE_TEXT else payload
            tell("message", self.number, **message_fields(message))
            if echo:
                # What came before a close is still to be reported when nothing can be sent any more.
                with contextlib.suppress(OSError, WebSocketConnectionClosedException):
                    self.socket.send(message, opcode)

    @staticmethod
    def encoded(fields):
        message = message_of(fields)
        return (ABNF.OPCODE_TEXT, message.encode()) if isinstance(message, str) else (ABNF.OPCODE_BINARY, message)

    def send(self, **fields):
        opcode, payload = self.encoded(fields)
        self.socket.send(payload, opcode)

    def fragments(self, parts):
        for number, part in enumerate(parts):
            opcode, payload = self.encoded(part)
            last = number == len(parts) - 1
            self.socket.send_frame(ABNF.create_frame(payload, opcode if number == 0 else ABNF.OPCODE_CONT, int(last)))

    def ping(self, text):
        self.socket.ping(text)

    def close(self, code, reason):
        self.socket.send_close(code, reason.encode())


connections = {}
tell("ready")
for line in sys.stdin:
    fields = json.loads(line)
    number = fields.pop("id")
    if fields["op"] == "open":
        connections[number] = Connection(number)
    connections[number].operations.put(fields)
