"""What a client sends is what its worker receives, and back, whatever libraries the two are written with.

One matrix: each kind of peer (peers/__init__.py) is a client once in each column, and the workers are the other kinds in
turns. A column says how the two connect. To add a column or a kind, add a line to COLUMNS, or to KINDS there.
"""

import threading
import typing
import unittest

import certificates
from broker import Broker
from case import NO_PINGS
from peers import KINDS, Program

MEBIBYTE = 1 << 20


class End(typing.NamedTuple):
    """One side of a pair: its kind of peer, and what it offers of compression (see peers/__init__.py)."""
    kind: str
    compress: bool | dict = False


class Column(typing.NamedTuple):
    """Options of the broker, whether the peers compress, and where it listens."""
    options: tuple = ()
    compress: bool = False
    listen: tuple = ("127.0.0.1:0",)


SECURE = ("wss://127.0.0.1:0",)
COLUMNS = {
    "Ws": Column(),
    "WsSpread": Column(options=("--scheduler.max-threads=4", "--scheduler.placement=spread")),
    "WsCompressed": Column(options=("--compression.mode=on",), compress=True),
    "Wss": Column(listen=SECURE),
    "WssCompressed": Column(options=("--compression.mode=on",), compress=True, listen=SECURE),
}


class Relay:
    """The tests that every pair passes: `client` and `worker` are its ends. One broker serves them all."""

    options = ()
    listen = ()

    @classmethod
    def setUpClass(cls):
        cls.broker = cls.enterClassContext(Broker(*NO_PINGS, *cls.options, listen=cls.listen))
        cls.ca = certificates.authority().certificate if cls.listen == SECURE else None

    def open(self, role, key):
        end = getattr(self, role)
        peer = Program.of(end.kind).open(self.broker.url(f"/{role}/{key}"), compress=end.compress, ca=self.ca)
        self.assertEqual(peer.compressed, bool(end.compress) and KINDS[end.kind].compresses)
        return peer

    def pair(self, name=""):
        key = f"{self._testMethodName}{name}"
        return self.open("client", key), self.open("worker", key)

    def assert_arrives(self, sender, receiver, messages):
        """All messages arrive as they were sent, in order; sending doesn't wait for that."""
        sending = threading.Thread(target=lambda: [sender.send(message) for message in messages])
        sending.start()
        received = receiver.receive_many(len(messages))
        sending.join()
        # Not assertEqual: its report of a difference takes minutes for large messages.
        self.assertTrue(received == messages, f"got {len(received)} other messages than were sent")

    def assert_relays(self, client, worker, messages):
        self.assert_arrives(client, worker, messages)
        self.assert_arrives(worker, client, messages)

    def test_text_binary_and_empty(self):
        self.assert_relays(*self.pair(), ["text", b"binary", "", b"", "\0", b"\0\xff", "text again"])

    def test_unicode(self):
        self.assert_relays(*self.pair(), ["grüße", "日本語", "🦆" * 1000, "\u0000\uffff\U0010ffff"])

    def test_every_length_of_the_length_field(self):
        self.assert_relays(*self.pair(), [b"x" * n for n in (1, 124, 125, 126, 127, 65535, 65536)])

    def test_a_mebibyte(self):
        self.assert_relays(*self.pair(), [bytes(range(256)) * (MEBIBYTE // 256), "é" * (MEBIBYTE // 2)])

    def test_fragments(self):
        client, worker = self.pair()
        for sender, receiver, kind in ((client, worker, self.client.kind), (worker, client, self.worker.kind)):
            if not KINDS[kind].fragments:
                continue
            for parts in (("one ", "twö ", "", "three"), ("long " * 1000, "", "🦆" * 1000),
                          (b"\0" * 70000, b"", b"\1" * 70000)):
                sender.send_fragments(*parts)
                self.assertTrue(receiver.receive() == parts[0][:0].join(parts), "another message than was sent")

    def test_a_thousand_messages_in_order(self):
        self.assert_relays(*self.pair(), [f"message {n}" for n in range(1000)])

    def test_a_hundred_messages_both_ways_at_once(self):
        client, worker = self.pair()
        there, back = ([f"{way} {n} " * (n + 1) for n in range(100)] for way in ("there", "back"))
        for n in range(100):
            client.send(there[n])
            worker.send(back[n])
        self.assertEqual(worker.receive_many(100), there)
        self.assertEqual(client.receive_many(100), back)

    def test_worker_comes_first(self):
        worker = self.open("worker", "first")
        self.assert_relays(self.open("client", "first"), worker, ["hello"])

    def test_messages_before_the_peer_came_are_kept(self):
        client = self.open("client", "early")
        early = [f"early {n}" for n in range(50)]
        for message in early:
            client.send(message)
        worker = self.open("worker", "early")
        self.assertEqual(worker.receive_many(len(early)), early)
        self.assert_relays(client, worker, ["and now live"])

    def test_keys_are_apart(self):
        pairs = [self.pair(f"-{name}") for name in ("one", "two", "caf%C3%A9", "a.b-c_d~e")]
        for number, (client, worker) in enumerate(pairs):
            client.send(f"for worker {number}")
            worker.send(f"for client {number}")
        for number, (client, worker) in enumerate(pairs):
            self.assertEqual((worker.receive(), client.receive()), (f"for worker {number}", f"for client {number}"))

    def test_pings_are_answered_with_and_without_a_peer(self):
        client = self.open("client", "ping")
        if KINDS[self.client.kind].pings:
            client.ping("alone")
        worker = self.open("worker", "ping")
        for peer, kind in ((client, self.client.kind), (worker, self.worker.kind)):
            if KINDS[kind].pings:
                peer.ping("paired")

    def test_the_client_closes(self):
        client, worker = self.pair()
        client.send("last words")
        self.assertEqual(worker.receive(), "last words")
        client.close(4321, "that is äll")
        self.assertEqual(worker.closed(), (4321, "that is äll"))
        self.assertEqual(client.closed()[0], 4321)

    def test_the_worker_closes(self):
        client, worker = self.pair()
        # Until something has passed, the worker may come and go before the client is known.
        worker.send("last words")
        self.assertEqual(client.receive(), "last words")
        worker.close(3000, "done")
        self.assertEqual(client.closed(), (3000, "done"))
        self.assertEqual(worker.closed()[0], 3000)

    def test_what_came_before_the_close_arrives_before_it(self):
        client, worker = self.pair()
        messages = [f"{n} " * 100 for n in range(500)]
        for message in messages:
            client.send(message)
        client.close(1000, "bye")
        self.assertEqual(worker.rest(), (messages, (1000, "bye")))


def add_classes():
    kinds = list(KINDS)
    for turn, (name, column) in enumerate(COLUMNS.items(), 1):
        for number, client in enumerate(kinds):
            worker = kinds[(number + turn) % len(kinds)]
            title = "".join(word.capitalize() for word in f"{client}-to-{worker}-over".split("-")) + name
            globals()[title] = type(title, (Relay, unittest.TestCase),
                                    {"client": End(client, column.compress), "worker": End(worker, column.compress),
                                     "options": column.options, "listen": column.listen, "__module__": __name__})


add_classes()

if __name__ == "__main__":
    unittest.main()
