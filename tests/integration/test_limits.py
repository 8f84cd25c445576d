"""Limits: who comes beyond one is refused by its name, who is in goes on, and a place is free again once one has gone."""

import contextlib
import time
import unittest

from broker import milliseconds, scaled
from case import BrokerCase
from wire import BINARY, CLOSE, PING, PONG, TEXT, Ended, Frame, Wire, close_payload, frame, upgrade


class ConnectionCapTest(BrokerCase):
    options = ("--max-connections=4",)
    listen = ("127.0.0.1:0", "127.0.0.1:0?max-connections=1")

    def test_the_broker_has_so_many_places(self):
        pairs = [self.pair("a"), self.pair("b")]
        response = self.assert_refused(upgrade("/client/c"), 503, "full")
        self.assertIn("4 connections", response.json()["detail"])
        for client, worker in pairs:
            self.assert_relays(client, worker)
        pairs[0][0].close()
        pairs[0][1].read_close()
        pairs[0][1].socket.close()
        self.await_that(self.has_room, "a place")

    def has_room(self):
        with Wire(self.broker.port) as wire:
            wire.send(upgrade("/client/next"))
            return wire.read_response().status == 101

    def test_a_listener_has_so_many_places(self):
        first, second = self.broker.ports
        holder = self.enterContext(Wire.open(second, "/client/k"))
        response = self.assert_refused(upgrade("/worker/k"), 503, "full", port=second)
        self.assertIn("by this listener", response.json()["detail"])
        worker = self.enterContext(Wire.open(first, "/worker/k"))
        self.assert_relays(holder, worker)

    def test_what_is_refused_takes_no_place(self):
        holder = self.open("/client/k")
        for _ in range(10):
            self.assert_refused(upgrade("/client/k"), 409, "key_taken")
        self.pair("a")
        holder.send_frame(PING, b"still here")
        self.assertEqual(holder.read_frame(), Frame(PONG, b"still here"))


class AddressCapTest(BrokerCase):
    options = ("--max-connections-per-ip=2", "--close-timeout=100ms")

    def test_an_address_has_so_many_places(self):
        client, worker = self.pair()
        response = self.assert_refused(upgrade("/client/next"), 429, "too_many_from_address")
        self.assertIn("from this address", response.json()["detail"])
        with Wire(self.broker.port, source="127.0.0.2") as other:
            other.send(upgrade("/client/other"))
            self.assertEqual(other.read_response().status, 101)
        self.assert_relays(client, worker)
        # The refusals are counted.
        self.broker.stop()
        self.assertIn("refusals total=1 too_many_from_address=1", self.broker.errors())


class AcceptRateTest(BrokerCase):
    options = ("--accept-rate-per-ip=3", "--rate-burst=10min", "--accept-rate=1800")

    def test_an_address_that_comes_too_fast(self):
        # All that may come in ten minutes may come at once: more is too fast, however slow the test is.
        for _ in range(1800):
            with Wire(self.broker.port) as wire:
                wire.socket.shutdown(1)
        response = self.assert_refused_soon()
        self.assertIn("from this address", response.json()["detail"])
        with Wire(self.broker.port, source="127.0.0.2") as other:
            other.send(upgrade("/client/other"))
            self.assertEqual(other.read_response().status, 101)

    def assert_refused_soon(self):
        """The rate gives a few tokens while the test runs."""
        for _ in range(200):
            response = self.request(upgrade("/nowhere"))
            if response.status == 429:
                self.assertEqual(response.json()["error"], "too_fast")
                self.assertEqual(response.headers["retry-after"], "1")
                return response
            self.assertEqual(response.status, 404)
        self.fail("nobody was ever too fast")


class HandshakeCapTest(BrokerCase):
    options = ("--max-handshakes=50",)

    def test_the_slowest_has_to_go_and_nobody_is_kept_out(self):
        slow = [self.enterContext(Wire(self.broker.port)) for _ in range(50)]
        for wire in slow:
            wire.send(b"GET /client/slow HTTP/1.1\r\n")
        # Each newcomer takes the place of the one that has waited longest.
        client, worker = self.pair()
        for _ in range(30):
            slow.append(self.enterContext(Wire(self.broker.port)))
            slow[-1].send(b"GET /client/slow HTTP/1.1\r\n")
        self.assert_relays(client, worker)
        for wire in slow[:30]:
            response = wire.read_response()
            self.assertEqual((response.status, response.json()["error"]), (503, "overloaded"))
            self.assertIn("retry-after", response.headers)
            with contextlib.suppress(Ended):
                wire.read(1)
        # The youngest can still finish.
        slow[-1].send(upgrade("/client/late").partition(b"\r\n")[2])
        self.assertEqual(slow[-1].read_response().status, 101)


class BufferedBytesTest(BrokerCase):
    options = ("--max-buffered-bytes=1MiB", "--relay-window=4MiB", "--pending-bytes=4MiB", "--scheduler.max-threads=1",
               "--stall-timeout=1h")

    def test_above_the_limit_pairs_go_on_and_others_do_not(self):
        client, worker = self.pair()
        waiting = self.open("/client/waiting")
        # Fills the kernel's buffers and then the broker's: the worker doesn't read.
        client.socket.settimeout(scaled(0.5))
        sent = 0
        message = frame(BINARY, bytes(64 << 10))
        with contextlib.suppress(TimeoutError):
            while True:
                client.socket.sendall(message)
                sent += 1
        self.assert_refused(upgrade("/client/next"), 503, "overloaded")
        waiting.send_frame(BINARY, bytes(1000))
        code, reason = waiting.read_close()
        self.assertEqual(code, 1013)
        self.assertTrue(reason)
        # What is paired goes on, and as it drains there is room again.
        for _ in range(sent):
            self.assertEqual(len(worker.read_message()[1]), 64 << 10)
        self.await_that(lambda: self.status_of("/client/next") == 101, "room")

    def status_of(self, path):
        with Wire(self.broker.port) as wire:
            wire.send(upgrade(path))
            return wire.read_response().status


class RateCase(BrokerCase):
    def flood(self, count, payload):
        """Has a client send so many messages at once; returns the seconds until the worker has them all."""
        client, worker = self.pair()
        began = time.monotonic()
        client.send(b"".join(frame(BINARY, payload) for _ in range(count)))
        for _ in range(count):
            self.assertEqual(worker.read_message(), (BINARY, payload))
        return time.monotonic() - began, client, worker


class MessageRateTest(RateCase):
    options = ("--message-rate=200", "--rate-burst=100ms")

    def test_messages_that_come_too_fast_are_slowed_down_and_none_is_lost(self):
        took, client, worker = self.flood(200, b"x")
        # Two hundred at two hundred a second, of which some come at once.
        self.assertGreater(took, 0.5)
        self.assertLess(took, scaled(5))
        client.send_frame(CLOSE, close_payload(1000, "done"))
        self.assertEqual(worker.read_close(), (1000, "done"))

    def test_one_that_keeps_to_the_rate_is_not_slowed_down(self):
        client, worker = self.pair()
        with self.within(1):
            for _ in range(5):
                self.assert_relays(client, worker)


class ByteRateTest(RateCase):
    options = ("--byte-rate=1MiB", "--rate-burst=100ms")

    def test_bytes_that_come_too_fast_are_slowed_down(self):
        took, _, _ = self.flood(16, bytes(64 << 10))
        self.assertGreater(took, 0.6)
        self.assertLess(took, scaled(6))


class RateAndHeartbeatTest(RateCase):
    def setUp(self):
        self.options = ("--message-rate=50", "--rate-burst=100ms", f"--heartbeat.client-interval={milliseconds(0.1)}",
                        f"--heartbeat.timeout={milliseconds(0.2)}")
        super().setUp()

    def test_one_that_is_slowed_down_is_not_taken_for_dead(self):
        client, worker = self.pair()
        client.send(b"".join(frame(TEXT, b"x") for _ in range(100)))
        for _ in range(100):
            self.assertEqual(worker.read_message(), (TEXT, b"x"))


if __name__ == "__main__":
    unittest.main()
