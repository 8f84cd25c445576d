"""What tandem adds to RFC 6455 on the wire: limits, the handshake's rest, what the other side sees of frames.

What the RFC says, section by section, is in conformance/.
"""

import unittest

from case import BrokerCase
from wire import (BINARY, CLOSE, CONTINUATION, MASK, PING, PONG, TEXT, Frame, Wire, close_payload, fragments, frame, masked,
                  upgrade)


class ViolationTest(BrokerCase):
    options = ("--max-message-size=1000",)

    def assert_refused(self, broken, code, roles=("client", "worker")):
        """The sender of `broken` is closed with `code` and a reason; its peer gets the message before, and learns."""
        for number, role in enumerate(roles):
            client, worker = self.pair(f"key-{number}")
            culprit, victim = (client, worker) if role == "client" else (worker, client)
            culprit.send(frame(TEXT, "before"), broken)
            self.assertEqual(victim.read_message(), (TEXT, b"before"))
            got, reason = culprit.read_close()
            self.assertEqual(got, code, f"reason: {reason}")
            self.assertTrue(reason)
            culprit.send_frame(CLOSE, close_payload(code))
            culprit.read_end()
            while (last := victim.read_frame()).opcode != CLOSE:
                # Fragments of the broken message may have been under way; nothing of what was wrong.
                self.assertIn(last.opcode, (TEXT, BINARY, CONTINUATION))
            self.assertEqual(last.payload[:2], close_payload(4200))

    def test_a_message_larger_than_the_limit(self):
        self.assert_refused(frame(BINARY, b"x" * 1001), 1009)

    def test_a_message_larger_than_the_limit_in_fragments(self):
        parts = [b"x" * 500, b"x" * 500, b"x"]
        self.assert_refused(b"".join(fragments(TEXT, *parts)), 1009, roles=("client",))

    def test_a_length_beyond_the_limit_is_refused_before_its_payload_comes(self):
        client = self.open("/client/early")
        client.send(frame(BINARY, b"", length=1 << 62))
        self.assertEqual(client.read_close()[0], 1009)

    def test_a_message_of_just_the_limit(self):
        client, worker = self.pair()
        client.send_frame(BINARY, b"x" * 1000)
        self.assertEqual(worker.read_message(), (BINARY, b"x" * 1000))

    def test_what_follows_a_violation_is_ignored(self):
        client, worker = self.pair()
        client.send(frame(3), frame(TEXT, "after"))
        self.assertEqual(client.read_close()[0], 1002)
        self.assertEqual(worker.read_close()[0], 4200)

    def test_a_violation_leaves_other_pairs_alone(self):
        bystanders = self.pair("bystanders")
        self.assert_refused(frame(7), 1002)
        self.assert_relays(*bystanders)


class FrameTest(BrokerCase):
    def test_frames_in_the_segment_of_the_handshake(self):
        worker = self.open("/worker/eager")
        with Wire(self.broker.port) as client:
            client.send(upgrade("/client/eager"), frame(TEXT, "early"), frame(PING, "p"))
            self.assertEqual(client.read_response().status, 101)
            self.assertEqual(client.read_frame(), Frame(PONG, b"p"))
            self.assertEqual(worker.read_message(), (TEXT, b"early"))

    def test_a_message_and_a_close_in_the_segment_of_the_handshake(self):
        # The client has gone before it is told of its worker.
        for number in range(20):
            worker = self.open(f"/worker/{number}")
            with Wire(self.broker.port) as client:
                client.send(upgrade(f"/client/{number}"), frame(TEXT, "all that I had to say"),
                            frame(CLOSE, close_payload(1000, "bye")))
                self.assertEqual(client.read_response().status, 101)
                self.assertEqual(client.read_close(), (1000, "bye"))
            self.assertEqual(worker.read_message(), (TEXT, b"all that I had to say"))
            self.assertEqual(worker.read_close(), (1000, "bye"))

    def test_a_message_passes_on_before_it_is_whole(self):
        client, worker = self.pair()
        client.send_frame(TEXT, "first half, ", fin=False)
        self.assertEqual(worker.read_frame(), Frame(TEXT, b"first half, ", fin=False))
        client.send_frame(CONTINUATION, "second half")
        self.assertEqual(worker.read_frame(), Frame(CONTINUATION, b"second half"))


class ControlFrameTest(BrokerCase):
    def test_a_ping_never_reaches_the_peer(self):
        client, worker = self.pair()
        client.send(frame(PING, "mine"), frame(TEXT, "yours"))
        self.assertEqual(worker.read_frame(), Frame(TEXT, b"yours"))
        self.assertEqual(client.read_frame(), Frame(PONG, b"mine"))

    def test_a_masked_frame_shows_nothing_of_its_mask(self):
        client, worker = self.pair()
        client.send_frame(TEXT, "plain")
        self.assertEqual(worker.read(7), b"\x81\x05plain")
        self.assertNotEqual(masked(b"plain", MASK), b"plain")


if __name__ == "__main__":
    unittest.main()
