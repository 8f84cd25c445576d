"""Pings at the interval, an end to those that don't answer, and life in whatever else they send."""

import time
import unittest

from broker import milliseconds, scaled
from case import BrokerCase
from wire import CLOSE, PING, PONG, TEXT, Frame, close_payload

INTERVAL = 0.1
TIMEOUT = 0.3


class HeartbeatCase(BrokerCase):
    def setUp(self):
        self.options = (f"--heartbeat.client-interval={milliseconds(INTERVAL)}",
                        f"--heartbeat.worker-interval={milliseconds(INTERVAL)}",
                        f"--heartbeat.timeout={milliseconds(TIMEOUT)}")
        super().setUp()

    def answer(self, wire, pings):
        """Answers so many pings; returns when each came."""
        times = []
        while len(times) < pings:
            got = wire.read_frame()
            self.assertEqual(got.opcode, PING)
            times.append(time.monotonic())
            wire.send_frame(PONG, got.payload)
        return times


class LivingTest(HeartbeatCase):
    def test_pings_come_at_the_interval(self):
        for role in ("client", "worker"):
            with self.subTest(role):
                times = self.answer(self.open(f"/{role}/{role}"), 11)
                mean = (times[-1] - times[0]) / (len(times) - 1)
                self.assertGreater(mean, scaled(INTERVAL) * 0.5)
                self.assertLess(mean, scaled(INTERVAL) * 2)

    def test_one_that_answers_lives(self):
        client = self.open("/client/k")
        lifetime = self.answer(client, 12)
        self.assertGreater(lifetime[-1] - lifetime[0], scaled(TIMEOUT) * 2)
        self.assertEqual(client.close(), (1000, ""))

    def test_one_that_sends_data_lives_without_answering(self):
        client, worker = self.open("/client/k"), self.open("/worker/k")
        pings = sent = 0
        # As many pings as would have been its end three times over.
        while pings < 3 * (TIMEOUT / INTERVAL + 1):
            if client.read_frame().opcode == PING:
                pings += 1
                client.send_frame(TEXT, str(sent))
                sent += 1
                worker.send_frame(PONG)
        client.close()

    def test_a_ping_of_its_own_is_a_sign_of_life(self):
        client = self.open("/client/k")
        pings = 0
        while pings < 12:
            got = client.read_frame()
            if got.opcode == PING:
                pings += 1
                client.send_frame(PING, b"are you there?")
            else:
                self.assertEqual(got, Frame(PONG, b"are you there?"))
        client.send_frame(CLOSE, close_payload(1000))
        while client.read_frame().opcode != CLOSE:
            pass


class SilentTest(HeartbeatCase):
    def test_one_that_is_silent_is_ended_and_its_peer_learns_it(self):
        for role in ("client", "worker"):
            with self.subTest(role), self.within(5):
                client, worker = self.open(f"/client/{role}"), self.open(f"/worker/{role}")
                silent, other = (client, worker) if role == "client" else (worker, client)
                began = time.monotonic()
                while (got := other.read_frame()).opcode == PING:
                    other.send_frame(PONG, got.payload)
                self.assertGreater(time.monotonic() - began, scaled(TIMEOUT) * 0.9)
                self.assertEqual((got.opcode, got.payload[:2]), (CLOSE, close_payload(4200)))
                code, reason = silent.read_close()
                self.assertEqual(code, 4201)
                self.assertTrue(reason)

    def test_one_that_is_silent_is_cut_if_it_does_not_close(self):
        silent = self.open("/client/k")
        self.assertEqual(silent.read_close()[0], 4201)
        with self.within(8):
            silent.read_end()

    def test_one_that_answers_is_not_ended_with_the_silent_one(self):
        silent, alive = self.open("/client/silent"), self.open("/client/alive")
        self.answer(alive, 10)
        self.assertEqual(silent.read_close()[0], 4201)
        self.answer(alive, 2)


class NoPingTest(BrokerCase):
    options = ("--heartbeat.client-interval=0", "--heartbeat.worker-interval=50ms")

    def test_an_interval_of_zero_means_no_pings(self):
        client, worker = self.open("/client/k"), self.open("/worker/k")
        for _ in range(5):
            self.assertEqual(worker.read_frame().opcode, PING)
            worker.send_frame(PONG)
        # The worker's pings are the clock: a client's would have come by now, and ahead of this.
        worker.send_frame(TEXT, "first")
        self.assertEqual(client.read_frame().opcode, TEXT)


if __name__ == "__main__":
    unittest.main()
