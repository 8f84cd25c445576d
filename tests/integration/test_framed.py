"""Framed connections with one peer: clients of any mode, and workers of exclusive routes."""

import struct
import unittest

from case import BrokerCase
from framed import (CAPACITY, CREDIT, DRAIN, END, EVENT, MESSAGE_BINARY, MESSAGE_TEXT, OPEN, Framed, head, message)
from wire import BINARY, CLOSE, CONTINUATION, TEXT, close_payload, frame, fragments


class FramedCase(BrokerCase):
    def framed(self, path, **how):
        return self.enterContext(Framed(self.broker.port, path, **how))


class FramedPairTest(FramedCase):
    def test_framed_client_raw_worker(self):
        for as_json in (False, True):
            with self.subTest(json=as_json):
                key = f"k{as_json}"
                client = self.framed(f"/client/{key}", as_json=as_json)
                self.assertGreater(client.welcome["credit"], 0)
                worker = self.open(f"/worker/{key}")
                opened = client.read(OPEN)
                self.assertEqual((opened.channel, opened.payload["key"]), (1, key))
                self.assertGreater(opened.payload["worker"], 0)
                for kind, opcode, payload in ((MESSAGE_TEXT, TEXT, "caf\u00e9".encode()), (MESSAGE_BINARY, BINARY, b"\0\xff"),
                                              (MESSAGE_TEXT, TEXT, b""), (MESSAGE_BINARY, BINARY, b"")):
                    client.send(kind, 1, payload)
                    self.assertEqual(worker.read_message(), (opcode, payload))
                    worker.send_frame(opcode, payload)
                    self.assertEqual(client.read_any()[:3], (kind, 1, payload))
                worker.send_frame(0x8, close_payload(4321, "why not"))
                self.assertEqual(client.read(END).payload, (4321, "why not"))
                self.assertEqual(client.read_close(), (4321, "why not"))

    def test_raw_client_framed_worker(self):
        for as_json in (False, True):
            with self.subTest(json=as_json):
                key = f"k{as_json}"
                worker = self.framed(f"/worker/{key}", as_json=as_json)
                client = self.open(f"/client/{key}?user=eva")
                opened = worker.read(OPEN)
                self.assertEqual(opened.channel, 1)
                self.assertEqual({name: opened.payload[name] for name in ("key", "path", "query", "headers", "subprotocols")},
                                 {"key": key, "path": f"/client/{key}", "query": "user=eva", "headers": {}, "subprotocols": []})
                self.assertTrue(opened.payload["remote"].startswith("127.0.0.1:"))
                client.send_frame(TEXT, "question")
                self.assertEqual(worker.read(MESSAGE_TEXT).payload, b"question")
                worker.send(MESSAGE_BINARY, 1, b"answer")
                self.assertEqual(client.read_message(), (BINARY, b"answer"))
                # The channel's close is the connection's.
                worker.send(END, 1, (4001, "done"))
                self.assertEqual(client.read_close(), (4001, "done"))
                self.assertEqual(worker.read_close(), (4001, "done"))

    def test_both_framed(self):
        client, worker = self.framed("/client/k"), self.framed("/worker/k", as_json=True)
        client.read(OPEN)
        worker.read(OPEN)
        client.send(MESSAGE_TEXT, 1, "a")
        self.assertEqual(worker.read(MESSAGE_TEXT).payload, b"a")
        worker.send(MESSAGE_TEXT, 1, "b")
        self.assertEqual(client.read(MESSAGE_TEXT).payload, b"b")
        client.wire.cut()
        self.assertEqual(worker.read(END).payload, (4200, "the peer was lost: vanished"))
        self.assertEqual(worker.read_close(), (4200, "the peer was lost: vanished"))

    def test_early_messages(self):
        client = self.framed("/client/k")
        client.send(MESSAGE_TEXT, 1, "early")
        worker = self.open("/worker/k")
        self.assertEqual(worker.read_message(), (TEXT, b"early"))

    def test_messages_in_any_fragments(self):
        worker, client = self.framed("/worker/k"), self.open("/client/k")
        worker.read(OPEN)
        payload = bytes(range(256)) * 1500
        client.send(*fragments(BINARY, payload[:10], payload[10:200_000], payload[200_000:]))
        self.assertEqual(worker.read(MESSAGE_BINARY).payload, payload)
        whole = head(MESSAGE_BINARY, 1) + payload
        worker.wire.send(*fragments(BINARY, whole[:3], whole[3:9], whole[9:300_000], whole[300_000:]))
        self.assertEqual(client.read_message(), (BINARY, payload))

    def test_more_than_a_window_each_way(self):
        worker, client = self.framed("/worker/k"), self.open("/client/k")
        credit = worker.read(OPEN).payload["credit"]
        for n in range(200):
            client.send_frame(BINARY, struct.pack("!I", n) * 5000)
        for n in range(200):
            self.assertEqual(worker.read(MESSAGE_BINARY).payload, struct.pack("!I", n) * 5000)
        for n in range(200):
            while credit <= 0:
                credit += worker.read(CREDIT).payload
            worker.send(MESSAGE_BINARY, 1, struct.pack("!I", n) * 5000)
            credit -= 20_040
            self.assertEqual(client.read_message(), (BINARY, struct.pack("!I", n) * 5000))


class LargestMessageTest(FramedCase):
    options = ("--max-message-size=100000",)

    def test_the_limit_is_the_payloads(self):
        for as_json in (False, True):
            with self.subTest(json=as_json):
                key = f"k{as_json}"
                worker, client = self.framed(f"/worker/{key}", as_json=as_json), self.open(f"/client/{key}")
                worker.read(OPEN)
                for kind, opcode in ((MESSAGE_TEXT, TEXT), (MESSAGE_BINARY, BINARY)):
                    client.send_frame(opcode, b"\x01" * 100_000)
                    self.assertEqual(worker.read(kind).payload, b"\x01" * 100_000)
                    worker.send(kind, 1, b"\x01" * 100_000)
                    self.assertEqual(client.read_message(), (opcode, b"\x01" * 100_000))
                worker.send(MESSAGE_BINARY, 1, b"\x01" * 100_001)
                self.assertEqual(worker.read_close()[0], 1009)


class StayingTest(FramedCase):
    options = ("--on-peer-loss=wait",)

    def test_a_client_is_told_of_its_workers(self):
        client = self.framed("/client/k")
        for text in ("one", "two"):
            worker = self.open("/worker/k")
            client.read(OPEN)
            worker.send_frame(TEXT, text)
            self.assertEqual(client.read(MESSAGE_TEXT).payload, text.encode())
            worker.close()
            self.assertEqual(client.read(EVENT).payload, {"event": "peer-lost", "rematching": False})


class FaultTest(FramedCase):
    def test_what_is_malformed_ends_the_connection(self):
        ok = message(MESSAGE_TEXT, 1, "fine")
        for name, pieces, code in (
                ("a text frame", frame(TEXT, head(MESSAGE_TEXT, 1) + b"x"), 1002),
                ("shorter than a head", frame(BINARY, b"\2\0\0"), 1002),
                ("an empty message", frame(BINARY), 1002),
                ("an unknown type", message(9, 1), 1002),
                ("type 0", message(0, 1), 1002),
                ("a reserved byte", frame(BINARY, b"\2\0\1\0\0\0\0\1x"), 1002),
                ("data on channel 0", message(MESSAGE_TEXT, 0, "x"), 1002),
                ("a channel that never was", message(MESSAGE_TEXT, 2, "x"), 1002),
                ("a close of none", message(END, 7), 1002),
                ("a credit for none", message(CREDIT, 7, b"\0\0\0\1"), 1002),
                ("an open", message(OPEN, 1, "{}"), 1002),
                ("an event", message(EVENT, 0, "{}"), 1002),
                ("a capacity", message(CAPACITY, 0, b"\0\0\0\1"), 1002),
                ("a drain", message(DRAIN, 0), 1002),
                ("a short credit", message(CREDIT, 1, b"\0\0\1"), 1002),
                ("half a close code", message(END, 1, b"\3"), 1002),
                ("a close code that isn't one", message(END, 1, close_payload(1006)), 1002),
                ("a reason that isn't UTF-8", message(END, 1, close_payload(1000, b"\xff")), 1007),
                ("text that isn't UTF-8", message(MESSAGE_TEXT, 1, b"\xff"), 1007),
                ("text cut in a character", frame(BINARY, head(MESSAGE_TEXT, 1) + b"\xe2", fin=False) + frame(CONTINUATION, b"x"), 1007),
        ):
            with self.subTest(name):
                key = name.replace(" ", "-")
                client, worker = self.framed(f"/client/{key}"), self.open(f"/worker/{key}")
                client.read(OPEN)
                client.wire.send(ok, pieces, ok)
                got, reason = client.read_close()
                self.assertEqual(got, code, reason)
                self.assertTrue(reason)
                # What came before it is delivered, what comes behind it isn't.
                self.assertEqual(worker.read_message(), (TEXT, b"fine"))
                got = worker.read_frame()
                # The valid beginning of a text may be on its way already.
                if not got.fin:
                    got = worker.read_frame()
                self.assertEqual((got.opcode, got.payload[:2]), (CLOSE, struct.pack("!H", 4200)))

    def test_what_is_malformed_in_json(self):
        for text, code in (("", 1002), ("{", 1002), ("[]", 1002), ('{"type":"nothing"}', 1002), ('{"type":"message","channel":1}', 1002),
                           ('{"type":"message","channel":9,"text":""}', 1002), ('{"type":"message","channel":1,"base64":"?"}', 1002),
                           ('{"type":"drain"}', 1002), ('{"type":"message","channel":1,"text":"\\ud800"}', 1002)):
            with self.subTest(text):
                client = self.framed(f"/client/j{abs(hash(text))}", as_json=True)
                client.wire.send_frame(TEXT, text)
                self.assertEqual(client.read_close()[0], code)
        client = self.framed("/client/binary", as_json=True)
        client.wire.send_frame(BINARY, b"{}")
        self.assertEqual(client.read_close()[0], 1002)


if __name__ == "__main__":
    unittest.main()
