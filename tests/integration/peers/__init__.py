"""Clients and workers written with other people's libraries, behind one interface.

A kind of peer is a program that holds any number of connections. It reads operations and writes events, each a line of
JSON that names its connection by the number `id`. In place of DATA stands `"text": "…"` for text, or `"hex": "…"` for
binary.

| operation | fields | |
|---|---|---|
| open | url, compress, ca, echo | Connects. `ca` is a file of certificates to trust, or null |
| send | DATA | Sends a message |
| fragments | parts, a list of DATA | Sends a message in several frames |
| ping | text | Sends a ping |
| close | code, reason | Begins the closing handshake |

| event | fields | |
|---|---|---|
| ready | | The program can be talked to; without an `id` |
| open | compressed | The handshake is done; whether permessage-deflate was agreed on |
| message | DATA | A whole message came |
| pong | text | A pong came |
| close | code, reason | The connection is over; 1005 if there was no code, 1006 if there was no close frame |
| error | message | The operation failed |

`compress` has a peer offer permessage-deflate: false, true for what the library offers by itself, or an object of settings
that only this library knows, for websockets and ws. A browser offers it whatever is said.

Operations of one connection are carried out in their order. The end of its input ends the program. `echo` has a peer
send back each message that it reports, where the kind can. To add a kind, write such a program and add a line to KINDS.
"""

import atexit
import json
import os
import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading
import typing

from broker import BINARY, scaled
from peers.lines import message_fields, message_of

HERE = pathlib.Path(__file__).parent
# Debian's, for which the libraries are.
PYTHON = "/usr/bin/python3"
BUILT = pathlib.Path(BINARY).parent


class Kind(typing.NamedTuple):
    """A program, and what its library can't do: `fragments` are frames of a message that the application chooses."""
    command: tuple
    fragments: bool = True
    pings: bool = True
    compresses: bool = True


KINDS = {
    "websockets": Kind((PYTHON, HERE / "websockets_peer.py")),
    "tornado": Kind((PYTHON, HERE / "tornado_peer.py"), fragments=False),
    "websocket-client": Kind((PYTHON, HERE / "websocket_client_peer.py"), compresses=False),
    "ws": Kind(("node", HERE / "ws_peer.mjs")),
    "gorilla": Kind((BUILT / "gorilla-peer",)),
    "beast": Kind((BUILT / "beast-peer",)),
    "chromium": Kind((PYTHON, HERE / "chromium_peer.py"), fragments=False, pings=False),
}


class Program:
    """A running program of a kind, for as long as the tests run."""

    running = {}

    @classmethod
    def of(cls, name):
        """The one program of that kind; the first call starts it."""
        if name not in cls.running:
            cls.running[name] = cls(name)
        return cls.running[name]

    def __init__(self, name):
        self.kind = KINDS[name]
        command = [str(part) for part in self.kind.command]
        if shutil.which(command[0]) is None:
            raise AssertionError(f"there is no peer of the kind {name}: {command[0]} is missing; build everything, and see "
                                 "tests/install-packages")
        self._errors = tempfile.TemporaryFile(mode="a+", encoding="utf-8", errors="replace")
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
                                         text=True, encoding="utf-8", env=os.environ | {"PYTHONUNBUFFERED": "1"})
        atexit.register(self._stop)
        self._peers = {}
        self._ready = threading.Event()
        self._sending = threading.Lock()
        threading.Thread(target=self._dispatch, daemon=True).start()
        if not self._ready.wait(scaled(30)):
            self._stop()
            raise AssertionError(f"the peer {name} did not get ready: {self.errors()}")

    def errors(self):
        """What it has written to stderr."""
        self._errors.seek(0)
        return self._errors.read()

    def open(self, url, *, compress=False, ca=None, echo=False):
        """A new connection, once its handshake is done."""
        peer = Peer(self, len(self._peers))
        self._peers[peer.number] = peer
        peer.do("open", url=url, compress=compress, ca=ca and str(ca), echo=echo)
        peer.compressed = peer.expect("open")["compressed"]
        return peer

    def do(self, operation):
        line = json.dumps(operation) + "\n"
        with self._sending:
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def _dispatch(self):
        for line in self._process.stdout:
            event = json.loads(line)
            if event["event"] == "ready":
                self._ready.set()
            else:
                self._peers[event["id"]].take(event)
        for peer in list(self._peers.values()):
            peer.take({"event": "gone", "errors": self.errors()})

    def _stop(self):
        try:
            self._process.stdin.close()
            self._process.wait(scaled(5))
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()


class Peer:
    """One connection of a program. Messages are str for text and bytes for binary. Every wait has a deadline."""

    def __init__(self, program, number):
        self.number = number
        self.compressed = None
        self._program = program
        self._events, self._pongs = queue.Queue(), queue.Queue()

    def take(self, event):
        (self._pongs if event["event"] == "pong" else self._events).put(event)

    def do(self, operation, **fields):
        self._program.do({"op": operation, "id": self.number, **fields})

    def _next(self):
        try:
            return self._events.get(timeout=scaled(20))
        except queue.Empty:
            raise AssertionError("nothing came in time") from None

    def expect(self, kind):
        event = self._next()
        assert event["event"] == kind, f"expected {kind}, got {event}"
        return event

    def send(self, message):
        self.do("send", **message_fields(message))

    def send_fragments(self, *parts):
        self.do("fragments", parts=[message_fields(part) for part in parts])

    def receive(self):
        return message_of(self.expect("message"))

    def receive_many(self, count):
        return [self.receive() for _ in range(count)]

    def ping(self, text):
        """Returns once the pong is there."""
        self.do("ping", text=text)
        try:
            pong = self._pongs.get(timeout=scaled(20))["text"]
        except queue.Empty:
            raise AssertionError("no pong came in time") from None
        assert pong == text, f"a pong of {pong!r} for a ping of {text!r}"

    def close(self, code=1000, reason=""):
        """Begins the closing handshake."""
        self.do("close", code=code, reason=reason)

    def closed(self):
        """The end, with no message before it: the close frame's code and reason."""
        event = self.expect("close")
        return event["code"], event["reason"]

    def rest(self):
        """All messages up to the end, and the close frame's code and reason."""
        messages = []
        while (event := self._next())["event"] == "message":
            messages.append(message_of(event))
        assert event["event"] == "close", event
        return messages, (event["code"], event["reason"])
