"""RFC 6455 on the wire, byte by byte: what a broken peer gets, and that its peer gets all that came before."""

import unittest

from case import BrokerCase
from wire import (BINARY, CLOSE, CONTINUATION, MASK, PING, PONG, TEXT, Frame, Wire, close_payload, frame, masked, upgrade)

# What breaks the protocol, by the name of the rule in section 5 that it breaks.
PROTOCOL_ERRORS = {
    "a frame that is not masked": frame(TEXT, "hi", mask=None),
    "a control frame that is not masked": frame(PING, "hi", mask=None),
    "reserved bit 1": frame(TEXT, "hi", reserved=4),
    "reserved bit 2": frame(TEXT, "hi", reserved=2),
    "reserved bit 3": frame(TEXT, "hi", reserved=1),
    "a reserved bit on a ping": frame(PING, reserved=4),
    **{f"the reserved opcode {opcode}": frame(opcode, "hi") for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "a fragmented ping": frame(PING, "hi", fin=False),
    "a fragmented close": frame(CLOSE, close_payload(1000), fin=False),
    "a ping of 126 bytes": frame(PING, "x" * 126),
    "a close of 126 bytes": frame(CLOSE, close_payload(1000, "x" * 124)),
    "a continuation of nothing": frame(CONTINUATION, "hi"),
    "a continuation after the message's end":
        frame(TEXT, "a", fin=False) + frame(CONTINUATION, "b") + frame(CONTINUATION, "c"),
    "a new text inside a message": frame(TEXT, "a", fin=False) + frame(TEXT, "b"),
    "a new binary inside a message": frame(BINARY, "a", fin=False) + frame(BINARY, "b", fin=False),
    "a length of 16 bits where 7 do": frame(TEXT, "hi", form=16),
    "a length of 64 bits where 16 do": frame(TEXT, "x" * 200, form=64),
    "a length with its highest bit set": frame(BINARY, "x", length=1 << 63, form=64),
    "a close of one byte": frame(CLOSE, b"\x03"),
    **{f"the close code {code}": frame(CLOSE, close_payload(code))
       for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)},
}

INVALID_UTF8 = {
    "a byte that never stands in UTF-8": [b"\xff"],
    "a stray continuation byte": [b"a\x80"],
    "an overlong form": [b"\xc0\xaf"],
    "a surrogate": [b"\xed\xa0\x80"],
    "beyond the last code point": [b"\xf4\x90\x80\x80"],
    "a sequence cut by the message's end": ["grü".encode()[:-1]],
    "a sequence cut by another character": [b"\xc3", b"("],
    "a sequence cut by the last fragment's end": [b"a", b"\xe2\x82"],
    "a sequence cut by an empty last fragment": [b"\xe2\x82", b""],
}

VALID_CLOSE_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)


def text_in_fragments(*parts):
    last = len(parts) - 1
    return b"".join(frame(CONTINUATION if n else TEXT, part, fin=n == last) for n, part in enumerate(parts))


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

    def test_protocol_errors(self):
        for name, broken in PROTOCOL_ERRORS.items():
            with self.subTest(name):
                self.assert_refused(broken, 1002, roles=("client",))

    def test_protocol_error_of_a_worker(self):
        self.assert_refused(frame(TEXT, "hi", mask=None), 1002, roles=("worker",))

    def test_invalid_utf8(self):
        for name, parts in INVALID_UTF8.items():
            with self.subTest(name):
                self.assert_refused(text_in_fragments(*parts), 1007, roles=("client",))

    def test_invalid_utf8_in_a_close_reason(self):
        self.assert_refused(frame(CLOSE, close_payload(1000, b"\xff")), 1007)

    def test_invalid_utf8_ends_the_connection_before_the_message_is_whole(self):
        client = self.open("/client/early")
        client.send(frame(TEXT, b"\xff" * 10, length=900))
        self.assertEqual(client.read_close()[0], 1007)

    def test_a_message_larger_than_the_limit(self):
        self.assert_refused(frame(BINARY, b"x" * 1001), 1009)

    def test_a_message_larger_than_the_limit_in_fragments(self):
        parts = [b"x" * 500, b"x" * 500, b"x"]
        self.assert_refused(text_in_fragments(*parts), 1009, roles=("client",))

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
    def test_a_frame_that_comes_byte_by_byte(self):
        client, worker = self.pair()
        for byte in frame(TEXT, "x" * 130) + frame(PING, "p"):
            client.send(bytes([byte]))
        self.assertEqual(worker.read_message(), (TEXT, b"x" * 130))
        self.assertEqual(client.read_frame(), Frame(PONG, b"p"))

    def test_many_frames_in_one_segment(self):
        client, worker = self.pair()
        client.send(*(frame(TEXT, str(n)) for n in range(500)))
        self.assertEqual([worker.read_message() for _ in range(500)], [(TEXT, b"%d" % n) for n in range(500)])

    def test_frames_in_the_segment_of_the_handshake(self):
        worker = self.open("/worker/eager")
        with Wire(self.broker.port) as client:
            client.send(upgrade("/client/eager"), frame(TEXT, "early"), frame(PING, "p"))
            self.assertEqual(client.read_response().status, 101)
            self.assertEqual(client.read_frame(), Frame(PONG, b"p"))
            self.assertEqual(worker.read_message(), (TEXT, b"early"))

    def test_lengths_around_each_form_of_the_length_field(self):
        client, worker = self.pair()
        for length in (0, 1, 125, 126, 127, 65535, 65536, 65537):
            client.send_frame(BINARY, b"x" * length)
            self.assertEqual(worker.read_message(), (BINARY, b"x" * length))

    def test_a_mask_of_zeros_and_one_of_ones(self):
        client, worker = self.pair()
        for mask in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\xff\0\1"):
            client.send_frame(BINARY, bytes(range(256)), mask=mask)
            self.assertEqual(worker.read_message(), (BINARY, bytes(range(256))))

    def test_a_code_point_split_between_fragments(self):
        client, worker = self.pair()
        duck = "🦆".encode()
        client.send(text_in_fragments(*(duck[n:n + 1] for n in range(4))))
        self.assertEqual(worker.read_message(), (TEXT, duck))

    def test_empty_fragments(self):
        client, worker = self.pair()
        client.send(text_in_fragments("", "", "a", "", ""), frame(BINARY))
        self.assertEqual(worker.read_message(), (TEXT, b"a"))
        self.assertEqual(worker.read_message(), (BINARY, b""))

    def test_a_message_passes_on_before_it_is_whole(self):
        client, worker = self.pair()
        client.send_frame(TEXT, "first half, ", fin=False)
        self.assertEqual(worker.read_frame(), Frame(TEXT, b"first half, ", fin=False))
        client.send_frame(CONTINUATION, "second half")
        self.assertEqual(worker.read_frame(), Frame(CONTINUATION, b"second half"))


class ControlFrameTest(BrokerCase):
    def test_a_ping_is_answered_with_its_payload(self):
        client = self.open("/client/ping")
        for payload in (b"", b"a", bytes(range(125))):
            client.send_frame(PING, payload)
            self.assertEqual(client.read_frame(), Frame(PONG, payload))

    def test_a_ping_never_reaches_the_peer(self):
        client, worker = self.pair()
        client.send(frame(PING, "mine"), frame(TEXT, "yours"))
        self.assertEqual(worker.read_frame(), Frame(TEXT, b"yours"))
        self.assertEqual(client.read_frame(), Frame(PONG, b"mine"))

    def test_a_ping_between_fragments(self):
        client, worker = self.pair()
        client.send(frame(TEXT, "a", fin=False), frame(PING, "p"), frame(CONTINUATION, "b"))
        self.assertEqual(client.read_frame(), Frame(PONG, b"p"))
        self.assertEqual(worker.read_message(), (TEXT, b"ab"))

    def test_a_pong_that_nobody_asked_for(self):
        client, worker = self.pair()
        client.send(frame(PONG, "why not"), frame(PONG), frame(TEXT, "hi"))
        self.assertEqual(worker.read_frame(), Frame(TEXT, b"hi"))

    def test_valid_close_codes_are_echoed_and_passed_on(self):
        for code in VALID_CLOSE_CODES:
            with self.subTest(code=code):
                client, worker = self.pair(f"close-{code}")
                self.assertEqual(client.close(code, "why")[0], code)
                self.assertEqual(worker.read_close(), (code, "why"))

    def test_a_close_without_a_code(self):
        client, worker = self.pair()
        client.send_frame(CLOSE)
        self.assertEqual(client.read_frame(), Frame(CLOSE))
        client.read_end()
        self.assertEqual(worker.read_frame(), Frame(CLOSE))

    def test_the_longest_reason(self):
        client, worker = self.pair()
        client.send_frame(CLOSE, close_payload(4999, "x" * 123))
        self.assertEqual(worker.read_close(), (4999, "x" * 123))

    def test_what_follows_a_close_is_ignored(self):
        client, worker = self.pair()
        client.send(frame(CLOSE, close_payload(1000)), frame(TEXT, "too late"))
        self.assertEqual(worker.read_frame(), Frame(CLOSE, close_payload(1000)))

    def test_a_masked_frame_shows_nothing_of_its_mask(self):
        client, worker = self.pair()
        client.send_frame(TEXT, "plain")
        self.assertEqual(worker.read(7), b"\x81\x05plain")
        self.assertNotEqual(masked(b"plain", MASK), b"plain")


if __name__ == "__main__":
    unittest.main()
