"""The broker ends when it is told to, tells everyone, and never hangs."""

import signal
import unittest

from broker import Broker, scaled
from case import BrokerCase
from wire import CLOSE, PING, TEXT, Ended, Wire, close_payload, upgrade


class ShutdownTest(BrokerCase):
    options = ("--drain-timeout=1h", "--close-timeout=5min")

    def assert_told(self, *wires):
        """Each is closed with 1001 and a reason, and then hung up on."""
        for wire in wires:
            code, reason = wire.read_close()
            self.assertEqual(code, 1001)
            self.assertTrue(reason)
            wire.send_frame(CLOSE, close_payload(1001))
            wire.read_end()
            wire.socket.close()

    def test_without_connections(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), self.within(5), Broker() as broker:
                broker.signal(number)
                self.assertEqual(broker.wait(), 0)

    def test_everyone_is_told(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), Broker(*self.options) as broker:
                client, worker, waiting = (self.enterContext(Wire.open(broker.port, path))
                                           for path in ("/client/k", "/worker/k", "/client/waits"))
                broker.signal(number)
                self.assert_told(client, worker, waiting)
                self.assertEqual(broker.wait(), 0)

    def test_what_is_under_way_arrives_before_the_end(self):
        client, worker = self.pair()
        for number in range(1000):
            client.send_frame(TEXT, str(number))
        self.assertEqual(worker.read_message(), (TEXT, b"0"))
        # The broker has read all that was sent before this ping.
        client.send_frame(PING)
        client.read_frame()
        self.broker.signal()
        for number in range(1, 1000):
            self.assertEqual(worker.read_message(), (TEXT, b"%d" % number))
        self.assert_told(worker, client)
        self.assertEqual(self.broker.wait(), 0)

    def test_no_new_connection_is_taken(self):
        waiting = self.open("/client/k")
        self.broker.signal()
        self.assertEqual(waiting.read_close()[0], 1001)
        # Not answered yet, so the broker is still there; but its port isn't, or it refuses.
        try:
            with Wire(self.broker.port) as late:
                late.send(upgrade("/client/late"))
                self.assertEqual(late.read_response().status, 503)
        except (OSError, Ended):
            pass
        waiting.send_frame(CLOSE, close_payload(1001))
        waiting.read_end()
        waiting.socket.close()
        self.assertEqual(self.broker.wait(), 0)

    def test_an_unfinished_handshake_does_not_hold_it_up(self):
        with Wire(self.broker.port), Wire(self.broker.port) as half, self.within(5):
            half.send(b"GET /client/k HTTP/1.1\r\n")
            # Both have been accepted once a later one has been served.
            self.open("/client/k").close()
            self.broker.stop()

    def test_a_second_signal_ends_it_at_once(self):
        never_answers = self.open("/client/k")
        self.broker.signal()
        self.assertEqual(never_answers.read_close()[0], 1001)
        self.assertIsNone(self.broker.process.poll())
        with self.within(5):
            self.broker.signal()
            self.broker.wait()


class DeadlineTest(BrokerCase):
    options = ("--drain-timeout=300ms", "--close-timeout=300ms")

    def test_a_peer_that_never_answers_does_not_hold_it_up(self):
        self.open("/client/k")
        with self.within(5):
            self.broker.stop()

    def test_a_peer_that_reads_nothing_does_not_hold_it_up(self):
        client, _ = self.pair()
        client.socket.settimeout(scaled(0.3))
        with self.assertRaises(TimeoutError):
            while True:
                client.send_frame(TEXT, "x" * 65000)
        with self.within(5):
            self.broker.stop()

    def test_connections_that_ended_before_leave_nothing_to_wait_for(self):
        for number in range(20):
            client, worker = self.pair(str(number))
            client.cut()
            worker.cut()
        with self.within(5):
            self.broker.stop()


if __name__ == "__main__":
    unittest.main()
