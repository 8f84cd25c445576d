"""Framed workers that serve many clients at once."""

import select
import unittest

from framed import CAPACITY, CREDIT, DRAIN, END, EVENT, MESSAGE_BINARY, MESSAGE_TEXT, OPEN, WEIGHT, message
from test_framed import FramedCase
from wire import BINARY, TEXT, close_payload


class HostCase(FramedCase):
    options = ("--mode=pool",)

    def served(self, worker, key="gpu", **how):
        """A raw client, and the channel that the worker has for it."""
        client = self.open(f"/client/{key}", **how)
        return client, worker.read(OPEN).channel


class HostTest(HostCase):
    def test_many_clients_over_one_connection(self):
        for as_json in (False, True):
            with self.subTest(json=as_json):
                key = f"k{as_json}"
                worker = self.framed(f"/worker/{key}?capacity=64", as_json=as_json)
                clients = dict(reversed(self.served(worker, key)) for _ in range(64))
                self.assertEqual(sorted(clients), list(range(1, 65)))
                for number, client in clients.items():
                    client.send_frame(TEXT, f"from {number}")
                for _ in clients:
                    got = worker.read(MESSAGE_TEXT)
                    self.assertEqual(got.payload.decode(), f"from {got.channel}")
                    worker.send(MESSAGE_BINARY, got.channel, f"to {got.channel}".encode())
                for number, client in clients.items():
                    self.assertEqual(client.read_message(), (BINARY, f"to {number}".encode()))

    def test_a_client_that_leaves_ends_its_channel_alone(self):
        worker = self.framed("/worker/gpu?capacity=2")
        (first, one), (second, two) = self.served(worker), self.served(worker)
        first.send_frame(TEXT, "last words")
        first.close(1000, "bye")
        self.assertEqual(worker.read(MESSAGE_TEXT).payload, b"last words")
        self.assertEqual(worker.read(END)[1:], (one, (1000, "bye")))
        # Late, and dropped.
        worker.send(MESSAGE_TEXT, one, "too late")
        worker.send(MESSAGE_TEXT, two, "in time")
        self.assertEqual(second.read_message(), (TEXT, b"in time"))
        third, number = self.served(worker)
        self.assertEqual(number, 3)
        worker.send(MESSAGE_TEXT, 3, "hello")
        self.assertEqual(third.read_message(), (TEXT, b"hello"))

    def test_a_channel_that_the_worker_closes(self):
        worker = self.framed("/worker/gpu?capacity=2")
        (first, one), (second, two) = self.served(worker), self.served(worker)
        worker.send(END, one, (4001, "done"))
        self.assertEqual(first.read_close(), (4001, "done"))
        worker.send(MESSAGE_TEXT, two, "still here")
        self.assertEqual(second.read_message(), (TEXT, b"still here"))

    def test_a_lost_worker_is_told_to_all_its_clients(self):
        for name, leave in (("cut", lambda x: x.wire.cut()), ("closed", lambda x: x.wire.send_frame(0x8, close_payload(1000))),
                            ("at fault", lambda x: x.wire.send_frame(BINARY, b"short"))):
            with self.subTest(name):
                key = name.replace(" ", "-")
                worker = self.framed(f"/worker/{key}?capacity=10")
                clients = [self.served(worker, key)[0] for _ in range(10)]
                leave(worker)
                for client in clients:
                    code, reason = client.read_close()
                    self.assertEqual(code, 4200, reason)

    def test_capacity_changes(self):
        worker = self.framed("/worker/gpu?capacity=1")
        self.served(worker)
        waiting = self.open("/client/gpu")
        worker.send(CAPACITY, 0, 2)
        number = worker.read(OPEN).channel
        worker.send(MESSAGE_TEXT, number, "your turn")
        self.assertEqual(waiting.read_message(), (TEXT, b"your turn"))

    def test_drain(self):
        worker, other = self.framed("/worker/gpu?capacity=5"), self.framed("/worker/gpu?capacity=5")
        clients = [self.open("/client/gpu") for _ in range(2)]
        number = worker.read(OPEN).channel
        other.read(OPEN)
        worker.send(DRAIN, 0)
        # It is read in its turn: once its answer is there, the drain was, too.
        worker.send(MESSAGE_TEXT, number, "drained")
        self.assertIn((TEXT, b"drained"), [self.first_message_of(clients)])
        for _ in range(2):
            self.open("/client/gpu")
            other.read(OPEN)
        worker.send(END, number, (1000, ""))
        self.assertEqual(worker.read_close()[0], 1000)

    def first_message_of(self, clients):
        """From whichever client has one first."""
        ready, _, _ = select.select([x.socket for x in clients], [], [], 10)
        return next(x for x in clients if x.socket is ready[0]).read_message()

    def test_a_client_that_reads_nothing_holds_up_no_other(self):
        worker = self.framed("/worker/gpu?capacity=2")
        _slow = self.open("/client/gpu")
        opened = worker.read(OPEN)
        lively, two = self.served(worker)
        credit, payload = opened.payload["credit"], b"x" * 20_000
        for n in range(200):
            # As much as there is credit for; the rest waits here, and not in the broker.
            while credit > 0:
                worker.send(MESSAGE_BINARY, opened.channel, payload)
                credit -= len(payload) + WEIGHT
            lively.send_frame(TEXT, str(n))
            got = worker.read_any()
            while got.type == CREDIT:
                credit += got.payload if got.channel == opened.channel else 0
                got = worker.read_any()
            self.assertEqual(got, (MESSAGE_TEXT, two, str(n).encode()))
            worker.send(MESSAGE_TEXT, two, str(n))
            self.assertEqual(lively.read_message(), (TEXT, str(n).encode()))
        self.assertLessEqual(credit, 0)

    def test_a_worker_that_sends_beyond_its_credit_loses_nothing(self):
        worker = self.framed("/worker/gpu?capacity=1")
        client, number = self.served(worker)
        # Far more than its credit and less than the kernel's buffers hold.
        bodies = [str(n).encode() * 1000 for n in range(300)]
        worker.send(MESSAGE_TEXT, number, "first")
        worker.wire.send(*(message(MESSAGE_BINARY, number, body) for body in bodies))
        self.assertEqual(client.read_message(), (TEXT, b"first"))
        for body in bodies:
            self.assertEqual(client.read_message(), (BINARY, body))

    def test_a_worker_is_sent_no_more_than_its_credit(self):
        worker = self.framed("/worker/gpu?capacity=2&credit=1000")
        (flood, one), (quiet, two) = self.served(worker), self.served(worker)
        for n in range(20):
            flood.send_frame(BINARY, b"%02d" % n * 50)
        # Eight messages of a weight of 140 each: the last one begins with what is left.
        for n in range(8):
            self.assertEqual(worker.read(MESSAGE_BINARY)[1:], (one, b"%02d" % n * 50))
        quiet.send_frame(TEXT, "q")
        self.assertEqual(worker.read_any(), (MESSAGE_TEXT, two, b"q"))
        worker.send(CREDIT, one, 121)
        self.assertEqual(worker.read(MESSAGE_BINARY)[1:], (one, b"08" * 50))
        quiet.send_frame(TEXT, "q")
        self.assertEqual(worker.read_any(), (MESSAGE_TEXT, two, b"q"))
        worker.send(CREDIT, one, 100_000)
        for n in range(9, 20):
            self.assertEqual(worker.read(MESSAGE_BINARY)[1:], (one, b"%02d" % n * 50))

    def test_messages_of_one_channel_keep_their_order(self):
        worker = self.framed("/worker/gpu?capacity=4")
        clients = [self.served(worker) for _ in range(4)]
        for n in range(500):
            for client, _ in clients:
                client.send_frame(TEXT, str(n))
        seen = {number: 0 for _, number in clients}
        for _ in range(2000):
            got = worker.read(MESSAGE_TEXT)
            self.assertEqual(int(got.payload), seen[got.channel])
            seen[got.channel] += 1
        worker.wire.send(*(message(MESSAGE_TEXT, number, str(n)) for n in range(500) for _, number in clients))
        for client, _ in clients:
            for n in range(500):
                self.assertEqual(client.read_message(), (TEXT, str(n).encode()))

    def test_the_log_names_the_host_of_a_channel(self):
        worker = self.framed("/worker/gpu?capacity=1")
        client, _ = self.served(worker)
        client.close()
        self.await_log(f"host={worker.welcome['connection']}")

    def test_shutdown(self):
        worker = self.framed("/worker/gpu?capacity=2")
        client, _ = self.served(worker)
        self.broker.signal()
        self.assertEqual(client.read_close()[0], 1001)
        got = worker.read_any()
        while got.type != EVENT:
            got = worker.read_any()
        self.assertEqual(got.payload, {"event": "draining", "grace": 0})
        self.assertEqual(worker.read_close()[0], 1001)
        self.assertEqual(self.broker.wait(), 0)


class SharedTest(HostCase):
    options = ("--mode=shared",)

    def test_many_clients_one_worker(self):
        worker = self.framed("/worker/room?capacity=10")
        clients = [self.served(worker, "room") for _ in range(10)]
        for client, number in clients:
            worker.send(MESSAGE_TEXT, number, "welcome")
            self.assertEqual(client.read_message(), (TEXT, b"welcome"))


if __name__ == "__main__":
    unittest.main()
