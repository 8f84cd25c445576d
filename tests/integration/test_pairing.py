"""Who is bound to whom, and what the other side learns when one goes."""

import time
import unittest

from broker import milliseconds, scaled
from case import BrokerCase
from wire import BINARY, CLOSE, TEXT, close_payload, frame

MEBIBYTE = 1 << 20


class ClosePolicyTest(BrokerCase):
    """on-peer-loss=close, the default."""

    def test_a_clean_close_passes_its_code_on(self):
        for role in ("client", "worker"):
            with self.subTest(role):
                client, worker = self.pair(role)
                goes, stays = (client, worker) if role == "client" else (worker, client)
                self.assertEqual(goes.close(4567, "enough"), (4567, "enough"))
                self.assertEqual(stays.read_close(), (4567, "enough"))
                stays.send_frame(CLOSE, close_payload(4567))
                stays.read_end()

    def test_a_peer_that_vanished(self):
        for role in ("client", "worker"):
            with self.subTest(role), self.within(5):
                client, worker = self.pair(role)
                goes, stays = (client, worker) if role == "client" else (worker, client)
                goes.cut()
                code, reason = stays.read_close()
                self.assertEqual(code, 4200)
                self.assertTrue(reason)

    def test_the_end_of_a_stream_without_a_close_frame(self):
        client, worker = self.pair()
        client.socket.close()
        self.assertEqual(worker.read_close()[0], 4200)

    def test_what_a_vanished_peer_sent_still_arrives(self):
        client, worker = self.pair()
        client.send_frame(TEXT, "last words")
        client.socket.close()
        self.assertEqual(worker.read_message(), (TEXT, b"last words"))
        self.assertEqual(worker.read_close()[0], 4200)

    def test_early_messages_of_a_client_that_closed_before_its_worker_came(self):
        self.open("/client/gone").close()
        worker, client = self.open("/worker/gone"), self.open("/client/gone")
        self.assert_relays(client, worker)

    def test_more_early_messages_than_are_kept_wait_in_the_sender(self):
        client = self.open("/client/much")
        # Beyond pending-bytes the broker stops reading; the rest waits in the kernel's buffers.
        messages = [bytes([n]) * 2048 for n in range(100)]
        for message in messages:
            client.send_frame(BINARY, message)
        worker = self.open("/worker/much")
        for message in messages:
            self.assertEqual(worker.read_message(), (BINARY, message))

    def test_a_key_is_used_again_and_again(self):
        for _ in range(20):
            client, worker = self.pair("again")
            client.close()
            self.assertEqual(worker.read_close()[0], 1000)
            worker.send_frame(CLOSE, close_payload(1000))
            worker.read_end()

    def test_nothing_is_left_of_connections_that_ended(self):
        self.pair("first")[0].close()
        before = self.broker.fds()
        for number in range(50):
            client, worker = self.pair(f"pair-{number}")
            client.close()
            worker.read_close()
            worker.send_frame(CLOSE, close_payload(1000))
            worker.read_end()
            client.socket.close()
            worker.socket.close()
        self.assertLessEqual(self.broker.fds(), before + 2)


class WaitPolicyTest(BrokerCase):
    options = ("--on-peer-loss=wait",)

    def test_the_other_side_stays_and_pairs_with_the_next(self):
        for role in ("client", "worker"):
            for end in ("close", "cut"):
                with self.subTest(role, end=end):
                    key = f"{role}-{end}"
                    client, worker = self.pair(key)
                    goes, stays = (client, worker) if role == "client" else (worker, client)
                    getattr(goes, end)()
                    comes = self._comes(f"/{role}/{key}")
                    self.assert_relays(comes, stays)

    def test_what_the_other_side_sends_meanwhile_is_for_the_next(self):
        for role in ("client", "worker"):
            with self.subTest(role):
                client, worker = self.pair(role)
                goes, stays = (client, worker) if role == "client" else (worker, client)
                goes.close()
                stays.send_frame(TEXT, "to whoever comes next")
                self.assertEqual(self._comes(f"/{role}/{role}").read_message(), (TEXT, b"to whoever comes next"))

    def _comes(self, path):
        """A connection whose predecessor may still hold the key, for the blink that it takes the broker to see it go."""
        deadline = time.monotonic() + scaled(5)
        while True:
            try:
                return self.open(path)
            except AssertionError:
                if time.monotonic() > deadline:
                    raise

    def test_a_message_cut_short_is_not_joined_to_the_next_peers(self):
        client, worker = self.pair()
        client.send_frame(TEXT, "half a mess", fin=False)
        self.assertFalse(worker.read_frame().fin)
        client.cut()
        # A message that can't be ended can't be followed by another one: the worker has to go as well.
        self.assertEqual(worker.read_close()[0], 4200)


class WaitTimeoutTest(BrokerCase):
    def setUp(self):
        self.options = ("--on-peer-loss=wait", f"--pair-timeout={milliseconds(0.3)}")
        super().setUp()

    def test_no_peer_came_in_time(self):
        for role in ("client", "worker"):
            with self.subTest(role), self.within(5):
                waiting = self.open(f"/{role}/alone")
                code, reason = waiting.read_close()
                self.assertEqual(code, 4100)
                self.assertTrue(reason)
                waiting.send_frame(CLOSE, close_payload(4100))
                waiting.read_end()

    def test_no_new_peer_came_in_time(self):
        client, worker = self.pair()
        client.close()
        with self.within(5):
            self.assertEqual(worker.read_close()[0], 4100)

    def test_the_timeout_ends_with_the_wait(self):
        client, worker = self.pair()
        # Another one's timeout, which began later, is the measure.
        self.assertEqual(self.open("/client/clock").read_close()[0], 4100)
        self.assert_relays(client, worker)


class ReplacePolicyTest(BrokerCase):
    options = ("--on-conflict=replace", "--on-peer-loss=wait")

    def test_the_older_one_is_closed(self):
        for role in ("client", "worker"):
            with self.subTest(role):
                older, newer = self.open(f"/{role}/{role}"), self.open(f"/{role}/{role}")
                code, reason = older.read_close()
                self.assertEqual(code, 4000)
                self.assertTrue(reason)
                other = self.open(f"/{'worker' if role == 'client' else 'client'}/{role}")
                self.assert_relays(newer, other)

    def test_a_replaced_client_leaves_its_worker_to_the_newer_one(self):
        older, worker = self.pair()
        newer = self.open("/client/k")
        self.assertEqual(older.read_close()[0], 4000)
        self.assert_relays(newer, worker)


class SlowReaderTest(BrokerCase):
    """Back-pressure: a slow reader slows its own sender, and only it, and costs a bounded amount of memory."""

    options = ("--stall-timeout=1h",)

    def test_a_reader_that_stands_still(self):
        client, worker = self.pair("slow")
        others = self.pair("others")
        before = self.broker.rss()
        message = b"x" * 65536
        sent = self._send_until_blocked(client, message)
        self.assertLess(self.broker.rss() - before, 8 * MEBIBYTE)
        self.assert_relays(*others)
        for _ in range(sent):
            self.assertEqual(worker.read_message(), (BINARY, message))

    def _send_until_blocked(self, wire, message):
        """Sends until the broker takes no more for a while; returns how many messages."""
        wire.socket.settimeout(scaled(0.5))
        sent, rest = 0, b""
        data = frame(BINARY, message)
        try:
            while sent * len(message) < 256 * MEBIBYTE:
                rest = data
                while rest:
                    rest = rest[wire.socket.send(rest):]
                sent += 1
        except TimeoutError:
            pass
        self.assertLess(sent * len(message), 256 * MEBIBYTE, "nothing slowed the sender")
        wire.socket.settimeout(scaled(10))
        return sent


if __name__ == "__main__":
    unittest.main()
