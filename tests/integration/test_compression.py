"""permessage-deflate (RFC 7692): what is agreed on, what passes as it is, and what is recoded for the other side."""

import os
import unittest
import uuid
import zlib

from broker import Broker, SCALE
from case import BrokerCase
from peers import Program
from test_relay import End, Relay
from wire import BINARY, CONTINUATION, PING, PONG, TEXT, Wire, frame, upgrade

MIB = 1 << 20
RSV1 = 4
ON = "--compression.mode=on"
OFFER = "permessage-deflate; client_max_window_bits"
# RFC 7692, section 7.2.3.1.
HELLO = bytes.fromhex("f248cdc9c90700")


class Deflater:
    """Compresses messages as a peer does."""

    def __init__(self, bits=12):
        self.stream = zlib.compressobj(9, zlib.DEFLATED, -bits)

    def __call__(self, payload):
        return (self.stream.compress(payload) + self.stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


class Inflater:
    def __init__(self, bits=15):
        self.stream = zlib.decompressobj(-bits)

    def __call__(self, payload):
        return self.stream.decompress(payload + b"\x00\x00\xff\xff")


class NegotiationTest(unittest.TestCase):
    def answer(self, broker, *offers, port=None):
        """The answer's Sec-WebSocket-Extensions, or None."""
        with Wire(port or broker.port) as wire:
            lines = "".join(f"Sec-WebSocket-Extensions: {offer}\r\n" for offer in offers)
            # A key of its own: the last one may still be taken.
            wire.send(upgrade(f"/client/{uuid.uuid4()}")[:-2] + lines.encode() + b"\r\n")
            response = wire.read_response()
            self.assertEqual(response.status, 101)
            return response.headers.get("sec-websocket-extensions")

    def test_it_is_off_unless_it_is_turned_on(self):
        with Broker() as broker:
            self.assertIsNone(self.answer(broker, "permessage-deflate"))

    def test_it_may_be_on_for_a_listener_alone(self):
        with Broker(listen=("127.0.0.1:0?compression=on", "127.0.0.1:0")) as broker:
            self.assertEqual(self.answer(broker, "permessage-deflate"), "permessage-deflate")
            self.assertIsNone(self.answer(broker, "permessage-deflate", port=broker.ports[1]))

    def test_it_may_be_off_for_a_listener_alone(self):
        with Broker(ON, listen=("127.0.0.1:0?compression=off", "127.0.0.1:0")) as broker:
            self.assertIsNone(self.answer(broker, "permessage-deflate"))
            self.assertEqual(self.answer(broker, "permessage-deflate", port=broker.ports[1]), "permessage-deflate")

    def test_the_first_offer_that_can_be_accepted_is(self):
        with Broker(ON) as broker:
            for offers, expected in (
                    ((OFFER,), "permessage-deflate; client_max_window_bits=12"),
                    (("foo", "permessage-deflate; x", "permessage-deflate; server_max_window_bits=10"),
                     "permessage-deflate; server_max_window_bits=10"),
                    (("permessage-deflate; server_max_window_bits=8, permessage-deflate",), "permessage-deflate"),
                    (("permessage-deflate; server_max_window_bits=8",), None),
                    (("permessage-deflate; client_no_context_takeover",),
                     "permessage-deflate; client_no_context_takeover"),
                    ((), None)):
                with self.subTest(offers=offers):
                    self.assertEqual(self.answer(broker, *offers), expected)

    def test_one_that_waits_for_another_peer_keeps_no_context(self):
        with Broker(ON, "--on-peer-loss=wait") as broker:
            self.assertEqual(self.answer(broker, "permessage-deflate"),
                             "permessage-deflate; server_no_context_takeover; client_no_context_takeover")

    def test_what_is_no_list_of_extensions_is_refused(self):
        with Broker(ON) as broker, Wire(broker.port) as wire:
            wire.send(upgrade("/client/k", Sec_WebSocket_Extensions="permessage-deflate; ="))
            response = wire.read_response()
            self.assertEqual((response.status, response.json()["error"]), (400, "bad_request"))


class WireTest(BrokerCase):
    """What passes over the wire, frame by frame."""

    options = (ON, "--max-message-size=4MiB")

    def open(self, path, offer=OFFER):
        return super().open(path, **({"Sec_WebSocket_Extensions": offer} if offer else {}))

    def pair(self, client=OFFER, worker=OFFER):
        return self.open("/client/k", client), self.open("/worker/k", worker)

    def test_what_the_other_side_can_read_passes_as_it_is(self):
        client, worker = self.pair()
        # No DEFLATE at all: nobody looks at it.
        client.send_frame(TEXT, b"\xff\xff\xff", reserved=RSV1)
        got = worker.read_frame()
        self.assertEqual((got.opcode, got.payload, got.fin, got.reserved), (TEXT, b"\xff\xff\xff", True, RSV1))

    def test_fragments_and_pings_pass(self):
        client, worker = self.pair()
        client.send_frame(TEXT, HELLO[:3], fin=False, reserved=RSV1)
        client.send_frame(PING, b"between")
        client.send_frame(CONTINUATION, HELLO[3:])
        client.send_frame(TEXT, b"plain")
        self.assertEqual(client.read_frame().opcode, PONG)
        frames = [worker.read_frame() for _ in range(3)]
        self.assertEqual([(x.opcode, x.payload, x.fin, x.reserved) for x in frames],
                         [(TEXT, HELLO[:3], False, RSV1), (CONTINUATION, HELLO[3:], True, 0),
                          (TEXT, b"plain", True, 0)])

    def test_the_bit_without_an_agreement_is_a_fault(self):
        client, _ = self.pair(client=None)
        client.send_frame(TEXT, HELLO, reserved=RSV1)
        self.assertEqual(client.read_close()[0], 1002)

    def test_the_bit_elsewhere_is_a_fault(self):
        for number, bad in enumerate((frame(PING, b"", reserved=RSV1), frame(TEXT, b"", reserved=2),
                                      frame(TEXT, HELLO[:3], fin=False, reserved=RSV1)
                                      + frame(CONTINUATION, HELLO[3:], reserved=RSV1))):
            with self.subTest(number), self.open(f"/client/{number}") as client:
                client.send(bad)
                self.assertEqual(client.read_close()[0], 1002)

    def test_it_is_inflated_for_a_side_that_takes_nothing_compressed(self):
        client, worker = self.pair(worker=None)
        deflate = Deflater()
        for text in (b"one", b"two", b"", b"x" * MIB, b"one"):
            client.send_frame(TEXT, deflate(text), reserved=RSV1)
            self.assertEqual(worker.read_message(), (TEXT, text))

    def test_it_is_deflated_for_a_side_that_takes_it(self):
        client, worker = self.pair(worker=None)
        inflate = Inflater()
        for text in (b"many words " * 100, b"x" * MIB, b"many words " * 100):
            worker.send_frame(TEXT, text)
            first = client.read_frame()
            self.assertEqual((first.opcode, first.reserved), (TEXT, RSV1))
            payload, fin = first.payload, first.fin
            while not fin:
                more = client.read_frame()
                self.assertEqual((more.opcode, more.reserved), (CONTINUATION, 0))
                payload, fin = payload + more.payload, more.fin
            self.assertLess(len(payload), len(text) // 5)
            self.assertEqual(inflate(payload), text)
        worker.send_frame(TEXT, b"not worth it")
        self.assertEqual(client.read_frame().reserved, 0)

    def test_early_messages_are_kept_as_they_are_until_the_peer_comes(self):
        client = self.open("/client/k")
        deflate = Deflater()
        for text in (b"early", b"early, too"):
            client.send_frame(TEXT, deflate(text), reserved=RSV1)
        worker = self.open("/worker/k", None)
        self.assertEqual([worker.read_message() for _ in range(2)], [(TEXT, b"early"), (TEXT, b"early, too")])

    def test_a_fault_ends_its_sender_behind_the_messages_before_it(self):
        for number, (payload, code) in enumerate(((b"\xff\xff\xff", 1007), (Deflater()(b"bad \xff"), 1007),
                                                  (Deflater()(b"x" * (4 * MIB + 1)), 1009))):
            with self.subTest(number), \
                    self.open(f"/client/{number}", "permessage-deflate; client_no_context_takeover") as client, \
                    self.open(f"/worker/{number}", None) as worker:
                client.send(frame(TEXT, Deflater()(b"before"), reserved=RSV1), frame(TEXT, payload, reserved=RSV1))
                self.assertEqual(worker.read_message(), (TEXT, b"before"))
                self.drain(worker)
                self.assertEqual(client.read_close()[0], code)

    def test_all_that_was_inflated_comes_before_the_end(self):
        client, worker = self.pair(worker=None)
        # More than a window of it, and the client is gone before the worker reads.
        client.send_frame(BINARY, Deflater()(bytes(3 * MIB)), reserved=RSV1)
        self.assertEqual(client.close(3001, "done")[0], 3001)
        self.assertEqual(worker.read_message(), (BINARY, bytes(3 * MIB)))
        self.assertEqual(worker.read_close(), (3001, "done"))

    def test_bombs_cost_no_more_than_any_message(self):
        bomb = frame(BINARY, Deflater(15)(bytes(256 * MIB)), reserved=RSV1)
        self.assertLess(len(bomb), 256 * MIB // 900)
        self.pair()
        before = self.broker.rss()
        for number in range(20):
            with self.open(f"/client/{number}", "permessage-deflate") as client, \
                    self.open(f"/worker/{number}", None) as worker:
                client.send(bomb)
                self.drain(worker)
                self.assertEqual(client.read_close()[0], 1009)
        if SCALE == 1:
            self.assertLess(self.broker.rss() - before, 4 * MIB)

    def drain(self, worker):
        """Reads until the broker closes, without holding it."""
        size = 0
        while (got := worker.read_frame()).opcode in (TEXT, BINARY, CONTINUATION):
            size += len(got.payload)
        self.assertLessEqual(size, 4 * MIB)

    def test_bombs_that_nobody_reads_are_held_to_the_window(self):
        bomb = frame(BINARY, Deflater(15)(bytes(4 * MIB)), reserved=RSV1)
        self.pair()
        before = self.broker.rss()
        ends = [(self.open(f"/client/{number}", "permessage-deflate"), self.open(f"/worker/{number}", None))
                for number in range(10)]
        for client, _ in ends:
            client.send(bomb * 10)
        for client, worker in ends:
            for _ in range(10):
                self.assertEqual(worker.read_message(), (BINARY, bytes(4 * MIB)))
        if SCALE == 1:
            self.assertLess(self.broker.rss() - before, 10 * 2 * (256 << 10) + 4 * MIB)


# Libraries by their own settings, and with some of the test's.
WEBSOCKETS, WS, TORNADO = (End(kind, True) for kind in ("websockets", "ws", "tornado"))
# One that nobody else can write to without recoding.
NARROW = End("websockets", {"server_max_window_bits": 9, "client_max_window_bits": 9, "client_no_context_takeover": True,
                            "server_no_context_takeover": True})
# Compresses every message, each by itself.
WS_EACH = End("ws", {"threshold": 0, "clientNoContextTakeover": True, "serverNoContextTakeover": True})


class WsToWebsocketsTest(Relay, unittest.TestCase):
    """Both compress, and everything passes as it is."""
    options = (ON,)
    client, worker = WS, WEBSOCKETS


class WebsocketsToWsTest(Relay, unittest.TestCase):
    options = (ON,)
    client, worker = WEBSOCKETS, WS_EACH


class TornadoToWebsocketsTest(Relay, unittest.TestCase):
    """Tornado asks for no window, so what it sends is too wide for the other."""
    options = (ON,)
    client, worker = TORNADO, WEBSOCKETS


class ClientAloneTest(Relay, unittest.TestCase):
    options = (ON,)
    client, worker = WS, End("websockets")


class WorkerAloneTest(Relay, unittest.TestCase):
    options = (ON,)
    client, worker = End("tornado"), WEBSOCKETS


class DifferentWindowsTest(Relay, unittest.TestCase):
    options = (ON,)
    client, worker = WS, NARROW


class NarrowToNarrowTest(Relay, unittest.TestCase):
    options = (ON,)
    client, worker = NARROW, NARROW


class SpreadTest(Relay, unittest.TestCase):
    """Recoding between two network workers, with a window of 32 KiB."""
    options = (ON, "--scheduler.max-threads=4", "--scheduler.placement=spread", "--relay-window=32KiB")
    client, worker = WEBSOCKETS, End("tornado")


class WideTest(Relay, unittest.TestCase):
    options = (ON, "--compression.max-window-bits=15", "--compression.level=9", "--compression.memory-level=9",
               "--compression.threshold=0")
    client, worker = WS, WS


class WaitTest(BrokerCase):
    """A connection that waits meets one peer after another, each with its own agreement."""

    options = (ON, "--on-peer-loss=wait")

    def open(self, end, path):
        return Program.of(end.kind).open(self.broker.url(path), compress=end.compress)

    def test_peers_that_differ_come_one_after_the_other(self):
        client = self.open(WS, "/client/k")
        text = "the same words again and again " * 100
        for end in (WEBSOCKETS, End("websockets"), NARROW, WS_EACH, TORNADO, WEBSOCKETS):
            client.send("early " + text)
            worker = self.open(end, "/worker/k")
            self.assertEqual(worker.receive(), "early " + text)
            messages = [text, os.urandom(5000), "", text]
            for sender, receiver in ((client, worker), (worker, client)):
                for message in messages:
                    sender.send(message)
                self.assertEqual(receiver.receive_many(len(messages)), messages)
            worker.close()
            worker.closed()


if __name__ == "__main__":
    unittest.main()
