"""Back-pressure, memory and time under load: what a pair may cost, and what it may do to others."""

import os
import pathlib
import struct
import subprocess
import threading
import time

from broker import BINARY, SCALE, milliseconds, scaled
from case import BrokerCase
from wire import BINARY as BINARY_FRAME, CLOSE, CONTINUATION, TEXT, frame

# Sanitizers keep freed memory for a while and slow everything down: the same flows, but smaller, and no look at memory.
SANITIZED = SCALE > 1
MIB = 1 << 20
LARGE = 64 * MIB if SANITIZED else 1024 * MIB
FLOOD = 64 * MIB if SANITIZED else 1024 * MIB
WINDOW = 256 << 10
BENCH = pathlib.Path(BINARY).with_name("tandem-bench")
NO_MASK = b"\0\0\0\0"


class Counter:
    """Reads frames from a raw socket and checks a payload of known bytes, without holding it."""

    def __init__(self, wire, pattern):
        self.wire = wire
        self.pattern = memoryview(pattern * 2)
        self.period = len(pattern)
        self.received = 0
        self.messages = 0
        self.buffer = bytearray(MIB)
        wire.socket.settimeout(scaled(60))

    def read_message(self, pace=lambda: None):
        """The size of the next message, whose bytes are checked as they come."""
        size, fin = 0, False
        while not fin:
            first, second = self.wire.read(2)
            length = second & 0x7F
            if length == 126:
                length, = struct.unpack("!H", self.wire.read(2))
            elif length == 127:
                length, = struct.unpack("!Q", self.wire.read(8))
            assert first & 0x0F != CLOSE, "closed in the middle"
            fin = bool(first & 0x80)
            self._read_payload(length, pace)
            size += length
        self.messages += 1
        return size

    def _read_payload(self, length, pace):
        while length > 0:
            pace()
            if self.wire.unread:
                got, self.wire.unread = self.wire.unread[:length], self.wire.unread[length:]
            else:
                n = self.wire.socket.recv_into(self.buffer, min(length, MIB))
                assert n > 0, "ended in the middle"
                got = memoryview(self.buffer)[:n]
            self._check(got)
            length -= len(got)

    def _check(self, got):
        done = 0
        while done < len(got):
            at = (self.received + done) % self.period
            piece = min(len(got) - done, self.period)
            assert got[done:done + piece] == self.pattern[at:at + piece], "a byte has changed"
            done += piece
        self.received += len(got)


class Sender(threading.Thread):
    """Sends from a thread of its own, since the broker may stop reading at any time."""

    def __init__(self, wire, pieces):
        super().__init__(daemon=True)
        self.wire, self.pieces, self.error = wire, pieces, None
        wire.socket.settimeout(scaled(120))

    def run(self):
        try:
            for piece in self.pieces:
                self.wire.socket.sendall(piece)
        except OSError as error:
            self.error = error


PATTERN = os.urandom(MIB)


class LargeMessageTest(BrokerCase):
    options = ("--max-message-size=1GiB", "--scheduler.max-threads=1")

    def cross(self, pieces):
        client, worker = self.pair()
        self.warm_up(client, worker)
        before = self.broker.rss()
        sender = Sender(client, pieces)
        sender.start()
        counter = Counter(worker, PATTERN)
        highest = 0

        def watch():
            nonlocal highest
            highest = max(highest, self.broker.rss())

        self.assertEqual(counter.read_message(watch), LARGE)
        sender.join(scaled(60))
        self.assertIsNone(sender.error)
        if not SANITIZED:
            # Two windows are its bound; what the allocator keeps beside them is allowed for.
            self.assertLess(highest - before, 2 * WINDOW + MIB)

    def warm_up(self, client, worker):
        for _ in range(16):
            client.send_frame(BINARY_FRAME, bytes(MIB), mask=NO_MASK)
            self.assertEqual(len(worker.read_message()[1]), MIB)

    def test_one_frame(self):
        head = frame(BINARY_FRAME, b"", length=LARGE, form=64, mask=NO_MASK)
        self.cross([head, *(PATTERN for _ in range(LARGE // MIB))])

    def test_ten_thousand_fragments(self):
        count = 10_000
        sizes = [LARGE // count + (1 if i < LARGE % count else 0) for i in range(count)]

        def pieces():
            sent, twice = 0, PATTERN + PATTERN
            for i, size in enumerate(sizes):
                at = sent % MIB
                body = twice[at:at + size]
                yield self.fragment(i, count, body)
                sent += size

        self.cross(pieces())

    @staticmethod
    def fragment(i, count, body):
        head = frame(BINARY_FRAME if i == 0 else CONTINUATION, b"", fin=i == count - 1, length=len(body),
                     form=64 if len(body) > 65535 else 16, mask=NO_MASK)
        return head + body


class TooLargeTest(BrokerCase):
    options = ("--max-message-size=1MiB",)

    def test_a_frame_that_claims_too_much_is_refused_at_its_head(self):
        client, worker = self.pair()
        client.send(frame(BINARY_FRAME, b"", length=1 << 30, form=64))
        code, reason = client.read_close()
        self.assertEqual(code, 1009)
        self.assertIn("max-message-size", reason)
        self.assertEqual(worker.read_close()[0], 4200)

    def test_fragments_that_grow_too_large_are_refused(self):
        client, _ = self.pair()
        client.send(frame(BINARY_FRAME, bytes(MIB), fin=False), frame(CONTINUATION, b"x"))
        self.assertEqual(client.read_close()[0], 1009)


class SlowWorkerTest(BrokerCase):
    options = ("--scheduler.max-threads=1",)

    def test_a_slow_worker_slows_its_client_alone_and_loses_nothing(self):
        client, worker = self.pair("slow")
        bystanders = self.pair("bystanders")
        size = 64 << 10
        count = FLOOD // size
        body = PATTERN[:size]
        message = frame(BINARY_FRAME, b"", length=size, form=64, mask=NO_MASK) + body
        before = self.broker.rss()
        sender = Sender(client, (message for _ in range(count)))
        sender.start()
        counter = Counter(worker, body)
        # 100 kB a second for three seconds: the reader's pace is what is tested, so it is timed.
        start = time.monotonic()

        def slowly():
            ahead = counter.received / 100_000 - (time.monotonic() - start)
            time.sleep(max(ahead, 0))

        highest = 0
        while counter.received < 300_000:
            self.assertEqual(counter.read_message(slowly), size)
            self.assert_relays(*bystanders)
            highest = max(highest, self.broker.rss())
        self.assertTrue(sender.is_alive(), "the client was not slowed down")
        if not SANITIZED:
            self.assertLess(highest - before, 2 * WINDOW + MIB)
        while counter.messages < count:
            self.assertEqual(counter.read_message(), size)
        sender.join(scaled(60))
        self.assertIsNone(sender.error)


class SleeperTest(BrokerCase):
    """An extension that blocks in a handler, on the broker that is built with it."""

    options = ("--extensions=sleeper", "--drain-timeout=100ms")
    binary = pathlib.Path(BINARY).with_name("tandem-sleeper")

    def setUp(self):
        if not self.binary.exists():
            self.fail(f"there is no {self.binary}: build the target tandem-sleeper")
        super().setUp()

    def test_a_sleeping_extension_delays_no_message(self):
        # The extension sleeps ten seconds for each connection, from its first one on.
        client, worker = self.pair()
        with self.within(5):
            for number in range(500):
                client.send_frame(TEXT, str(number))
                self.assertEqual(worker.read_message(), (TEXT, b"%d" % number))
            # New pairs come about meanwhile, too.
            for number in range(20):
                self.pair(f"later-{number}")


class LoadTest(BrokerCase):
    """The load tool against the broker, small: every byte is checked, and what it holds is given back."""

    options = ("--scheduler.max-threads=4", "--scheduler.placement=spread")

    def bench(self, *arguments):
        urls = [f"--{side}-url={self.broker.url(f'/{side}/{{id}}')}" for side in ("client", "worker")]
        done = subprocess.run([BENCH, *urls, *arguments], capture_output=True, text=True, timeout=scaled(60), check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_byte_arrives_in_order(self):
        for in_flight in (1, 16, 64):
            with self.subTest(in_flight):
                self.bench("--verify", "--pairs=21", f"--in-flight={in_flight}", "--size=128", "--messages=21000")
        self.bench("--verify", "--pairs=7", "--in-flight=4", "--size=1,125,126,65535,65536,1000000", "--messages=210")
        self.bench("--verify", "--text", "--pairs=7", "--in-flight=4", "--size=1-10000", "--fragment=1000",
                   "--messages=700")

    def test_rounds_of_connecting_leave_nothing_behind(self):
        rounds = 500 if SANITIZED else 5000
        self.bench(f"--connect-rounds={rounds}", "--pairs=20")
        self.await_descriptors(self.broker.fds())
        fds, rss = self.broker.fds(), self.broker.rss()
        self.bench(f"--connect-rounds={rounds}", "--pairs=20")
        self.await_descriptors(fds)
        if not SANITIZED:
            self.assertLess(self.broker.rss() - rss, MIB)

    def await_descriptors(self, wanted):
        deadline = time.monotonic() + scaled(10)
        while self.broker.fds() > wanted:
            self.assertLess(time.monotonic(), deadline, "descriptors were left open")
            time.sleep(0.01)


class StallTest(BrokerCase):
    options = (f"--stall-timeout={milliseconds(0.3)}", "--close-timeout=300ms")

    def test_a_worker_that_stands_still_is_given_up(self):
        client, _ = self.pair()
        body = bytes(MIB)
        sender = Sender(client, (frame(BINARY_FRAME, body, mask=NO_MASK) for _ in range(64)))
        with self.within(10):
            sender.start()
            code, reason = client.read_close()
        self.assertEqual(code, 4200)
        self.assertIn("stalled", reason)
        self.await_log("reason=stalled")
        # Its descriptor must not become another connection's while the sender still uses it.
        sender.join(scaled(10))
        client.socket.close()
        # Its key is free again.
        self.pair()

    def test_a_worker_that_reads_now_and_then_is_kept(self):
        client, worker = self.pair()
        body = bytes(MIB)
        sender = Sender(client, (frame(BINARY_FRAME, body, mask=NO_MASK) for _ in range(32)))
        sender.start()
        for _ in range(32):
            # A third of the timeout: standing still is what is tested.
            time.sleep(scaled(0.1))
            self.assertEqual(len(worker.read_message()[1]), MIB)
        sender.join(scaled(10))
        self.assert_relays(client, worker)
