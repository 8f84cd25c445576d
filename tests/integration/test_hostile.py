"""Peers that mean harm. After each group of them the broker serves a fresh pair within a second, its descriptors are
back where they were, and so is its memory.

Memory is the broker's resident set. It has to be back within SLACK of what it was when the broker had served a first
pair: after the very first crowd and after all of them. What may stay of a crowd of 10,000 half-open connections are
Asio's records of their descriptors (2 MiB), and of any crowd what isn't worth giving back (net/tide.hpp). Up to 3.4 MiB
were measured.
"""

import contextlib
import errno
import functools
import itertools
import random
import resource
import select
import socket
import ssl
import time
import unittest
import zlib

import certificates
from broker import Broker, SCALE, milliseconds, scaled
from case import NO_PINGS
from wire import BINARY, TEXT, Ended, Wire, fragments, frame, upgrade

from conformance import test_closing, test_control, test_framing, test_text

MIB = 1 << 20
SLACK = 6 * MIB
# What a connection may cost that has said nothing yet.
HALF_OPEN_COST = 3500
# Sanitizers keep freed memory on purpose and make all slow: smaller crowds, and no look at memory.
SANITIZED = SCALE > 1
HALF_OPEN = 1000 if SANITIZED else 10_000
SLOW = 200 if SANITIZED else 1000
UNREAD = 10 if SANITIZED else 50
GARBAGE = 100 if SANITIZED else 500
# Short enough to wait for, long enough for a crowd to form.
HANDSHAKE_TIMEOUT = 3
STALL_TIMEOUT = 2
CLOSE_TIMEOUT = 0.5

BAD_REQUESTS = {
    "no HTTP": b"garbage\r\n\r\n",
    "a TLS hello": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(500),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/1.0": upgrade("/client/k", version="HTTP/1.0"),
    "no version": b"GET /client/k\r\n\r\n",
    "POST": upgrade("/client/k", method="POST"),
    "a body": upgrade("/client/k", Content_Length="5") + b"hello",
    "chunks": upgrade("/client/k", Transfer_Encoding="chunked") + b"5\r\nhello\r\n0\r\n\r\n",
    "no upgrade": upgrade("/client/k", without=["Upgrade"]),
    "no key": upgrade("/client/k", without=["Sec-WebSocket-Key"]),
    "a short key": upgrade("/client/k", Sec_WebSocket_Key="short"),
    "an old version": upgrade("/client/k", Sec_WebSocket_Version="8"),
    "no host": upgrade("/client/k", without=["Host"]),
    "no route": upgrade("/elsewhere/k"),
    "a traversal": upgrade("/client/../../etc/passwd"),
    "a control character": upgrade("/client/%00"),
    "half an escape": upgrade("/client/%f"),
    "a long key": upgrade("/client/" + "k" * 4000),
    "a long line": upgrade("/client/" + "k" * 100_000),
    "many headers": upgrade("/client/k", **{f"X-{n}": "x" for n in range(2000)}),
    "a long header": upgrade("/client/k", Cookie="x" * 100_000),
    "a folded header": upgrade("/client/k")[:-2] + b" folded\r\n\r\n",
    "a header without a colon": upgrade("/client/k")[:-2] + b"colon\r\n\r\n",
    "a NUL in a header": upgrade("/client/k", X="a\0b"),
    "bare line feeds": upgrade("/client/k").replace(b"\r\n", b"\n"),
    "empty lines alone": b"\r\n" * 1000,
    "half a head": upgrade("/client/k")[:-20],
}


def broken_sequences():
    """Bytes behind a handshake for which the connection fails: every case of the conformance table that does."""
    for table in (test_framing.unmasked_cases, test_framing.reserved_bit_cases, test_framing.opcode_cases,
                  test_framing.order_cases, test_framing.length_cases, test_control.fragmented_control_cases,
                  test_text.whole_cases, test_closing.code_cases, test_closing.broken_cases):
        for case in table():
            if case.fails is not None:
                yield case.name, b"".join(step for step in case.send if isinstance(step, bytes)), case.fails


def group(attack):
    """A test of a group of peers that leaves nothing behind."""
    @functools.wraps(attack)
    def test(self):
        attack(self)
        self.serve_a_pair()
        self.await_level(self.broker.fds, self.fds, "descriptors")
        if not SANITIZED:
            self.await_level(self.broker.rss, self.rss + SLACK, "bytes")
    return test


class HostileTest(unittest.TestCase):
    options = (f"--handshake-timeout={milliseconds(HANDSHAKE_TIMEOUT)}", f"--stall-timeout={milliseconds(STALL_TIMEOUT)}",
               f"--close-timeout={milliseconds(CLOSE_TIMEOUT)}", "--max-message-size=4MiB", "--compression.mode=on",
               "--log-level=warning", "--scheduler.max-threads=2")

    @classmethod
    def setUpClass(cls):
        cls.raise_limit()
        cls.broker = cls.enterClassContext(Broker(*NO_PINGS, *cls.options, listen=("127.0.0.1:0", "wss://127.0.0.1:0")))
        cls.plain, cls.secure = cls.broker.ports
        cls.numbers = itertools.count()
        # What is made once is there before anything is counted.
        cls.serve_a_pair()
        cls.serve_a_pair(cls.secure)
        cls.fds = cls.broker.fds()
        cls.rss = cls.broker.rss()

    @classmethod
    def raise_limit(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        needed = HALF_OPEN + 1000
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise AssertionError(f"these tests need {needed} descriptors, and the hard limit is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
        cls.addClassCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    @classmethod
    def key(cls):
        """One that nobody had before: an earlier holder may still be on its way out."""
        return f"key-{next(cls.numbers)}"

    @classmethod
    def open(cls, role, key=None, port=None, **headers):
        return Wire.open(port or cls.plain, f"/{role}/{key or cls.key()}", **headers)

    @classmethod
    def serve_a_pair(cls, port=None):
        began, key = time.monotonic(), cls.key()
        with cls.open("client", key, port) as client, cls.open("worker", key, port) as worker:
            for sender, receiver in ((client, worker), (worker, client)):
                sender.send_frame(TEXT, "are you well?")
                assert receiver.read_message() == (TEXT, b"are you well?")
            client.close()
        assert time.monotonic() - began < scaled(1), "a fresh pair was not served within a second"

    def await_level(self, measure, wanted, unit):
        deadline = time.monotonic() + scaled(10)
        while (now := measure()) > wanted:
            self.assertLess(time.monotonic(), deadline, f"{now - wanted} {unit} too many")
            time.sleep(0.01)

    @contextlib.contextmanager
    def crowd(self, count, port=None):
        """So many TCP connections, from so many addresses of the loopback network that ports don't run short."""
        with contextlib.ExitStack() as all_of_them:
            yield [all_of_them.enter_context(self.connect(f"127.0.{n // 250 % 250}.{n % 250 + 2}", port or self.plain))
                   for n in range(count)]

    @staticmethod
    def connect(source, port):
        one = socket.socket()
        one.settimeout(scaled(10))
        one.bind((source, 0))
        one.connect(("127.0.0.1", int(port)))
        return one

    def await_ends(self, crowd):
        """Every connection is ended by the broker, whatever it says before."""
        poll, left = select.poll(), {one.fileno(): one for one in crowd}
        for one in crowd:
            one.setblocking(False)
            poll.register(one, select.POLLIN)
        deadline = time.monotonic() + scaled(HANDSHAKE_TIMEOUT + 10)
        while left:
            self.assertLess(time.monotonic(), deadline, f"{len(left)} connections were not ended")
            for number, _ in poll.poll(100):
                if self.has_ended(left[number]):
                    poll.unregister(number)
                    del left[number]

    @staticmethod
    def has_ended(one):
        try:
            return one.recv(65536) == b""
        except BlockingIOError:
            return False
        except ConnectionError:
            return True

    def send_all(self, wire, data):
        """Sends as much as the broker takes, which may have hung up before."""
        with contextlib.suppress(ConnectionError):
            wire.send(data)

    # -- before the upgrade ---------------------------------------------------------------------------------------------

    @group
    def test_bad_upgrades(self):
        for _ in range(5):
            for name, request in BAD_REQUESTS.items():
                with self.subTest(name), Wire(self.broker.port) as wire:
                    self.send_all(wire, request)
                    wire.socket.shutdown(socket.SHUT_WR)
                    with contextlib.suppress(Ended):
                        self.assertNotEqual(wire.read_response().status, 101)

    @group
    def test_garbage(self):
        noise = random.Random(6455)
        for number in range(GARBAGE):
            with Wire(self.broker.port) as wire:
                self.send_all(wire, noise.randbytes(noise.choice((1, 10, 100, 5000, 50_000))))
                if number % 2:
                    wire.cut()

    @group
    def test_half_open_connections(self):
        before = self.broker.rss()
        with self.crowd(HALF_OPEN) as crowd:
            self.serve_a_pair()
            self.assertGreaterEqual(self.broker.fds(), HALF_OPEN)
            if not SANITIZED:
                self.assertLess(self.broker.rss() - before, HALF_OPEN * HALF_OPEN_COST)
            # A part of them resets, the others are to be found by the deadline.
            for one in crowd[::3]:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                one.close()
            self.await_ends([one for n, one in enumerate(crowd) if n % 3])

    @group
    def test_slowloris(self):
        head = upgrade("/client/slow")
        with self.crowd(SLOW) as crowd:
            began, at = time.monotonic(), 0
            # A byte now and then: a head that never ends is what is tested, so its pace is timed.
            while time.monotonic() - began < scaled(HANDSHAKE_TIMEOUT) * 0.8:
                for one in crowd:
                    with contextlib.suppress(ConnectionError):
                        one.send(head[at:at + 1])
                at += 1
                self.serve_a_pair()
                time.sleep(0.1)
            self.await_ends(crowd)

    # -- behind the upgrade ---------------------------------------------------------------------------------------------

    @group
    def test_broken_frames(self):
        """As fast as they can be sent, and nobody reads what the broker has to say but for some."""
        for number, (name, data, code) in enumerate(broken_sequences()):
            with self.subTest(name), self.open("client") as wire:
                self.send_all(wire, data)
                if number % 4 == 0:
                    self.assertEqual(self.close_code(wire), code)
                elif number % 4 == 1:
                    wire.cut()

    @staticmethod
    def close_code(wire):
        while (got := wire.read_frame()).opcode != 8:
            pass
        return int.from_bytes(got.payload[:2], "big")

    @group
    def test_invalid_text_at_each_split_before_a_worker(self):
        bad = b"\xf4\x90\x80\x80"
        for at in range(len(bad) + 1):
            key = self.key()
            with self.open("worker", key) as worker, self.open("client", key) as client:
                client.send(*fragments(TEXT, bad[:at], bad[at:]))
                self.assertEqual(self.close_code(client), 1007)
                self.assertEqual(self.close_code(worker), 4200)

    @group
    def test_random_frames(self):
        noise = random.Random(7692)
        for number in range(GARBAGE):
            with self.open(noise.choice(("client", "worker"))) as wire:
                for _ in range(noise.randrange(1, 20)):
                    self.send_all(wire, frame(noise.randrange(16), noise.randbytes(noise.choice((0, 1, 5, 125, 126, 3000))),
                                              fin=noise.random() < 0.7, reserved=noise.choice((0, 0, 0, 4, 1))))
                if number % 2:
                    wire.cut()

    @group
    def test_frames_that_are_announced_and_never_come(self):
        with contextlib.ExitStack() as wires:
            for _ in range(UNREAD * 4):
                wires.enter_context(self.open("client")).send(frame(BINARY, b"x", length=4 * MIB))

    @group
    def test_compression_bombs(self):
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = frame(BINARY, (deflate.compress(bytes(64 * MIB)) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4], reserved=4)
        for _ in range(5):
            key = self.key()
            with self.open("client", key, Sec_WebSocket_Extensions="permessage-deflate") as client, \
                    self.open("worker", key) as worker:
                client.send(bomb)
                self.assertEqual(self.close_code(worker), 4200)
                self.assertEqual(self.close_code(client), 1009)

    @group
    def test_peers_that_never_read(self):
        self.never_read(self.plain)

    def never_read(self, port):
        """Each is sent more than its pair may hold, and is ended when it has stood still for too long."""
        with contextlib.ExitStack() as wires:
            before = self.broker.rss()
            pairs = [[wires.enter_context(self.open(role, key, port)) for role in ("client", "worker")]
                     for key in (self.key() for _ in range(UNREAD))]
            self.send_until_full([client for client, _ in pairs])
            if not SANITIZED:
                # Twice the window of 256 KiB for each.
                self.assertLess(self.broker.rss() - before, UNREAD * MIB // 2 + SLACK)
            self.serve_a_pair()
            for client, _ in pairs:
                client.socket.settimeout(scaled(10))
                self.assertEqual(self.close_code(client), 4200)

    @staticmethod
    def send_until_full(wires):
        """Sends until the broker has taken nothing of anybody's for a while."""
        data, poll, open_ones = frame(BINARY, bytes(MIB)), select.poll(), {}
        for wire in wires:
            wire.socket.setblocking(False)
            poll.register(wire.socket, select.POLLOUT)
            open_ones[wire.socket.fileno()] = wire.socket
        while ready := poll.poll(scaled(STALL_TIMEOUT) * 100):
            for number, _ in ready:
                try:
                    open_ones[number].send(data)
                except (BlockingIOError, ssl.SSLWantWriteError):
                    pass
                except ConnectionError:
                    poll.unregister(number)

    @group
    def test_pings_by_one_who_never_reads(self):
        with contextlib.ExitStack() as wires:
            for _ in range(UNREAD):
                wire = wires.enter_context(self.open("client"))
                wire.socket.setblocking(False)
                pings = frame(9, bytes(125)) * 100
                try:
                    for _ in range(1000):
                        wire.socket.send(pings)
                except OSError as error:
                    self.assertIn(error.errno, (errno.EAGAIN, errno.EPIPE, errno.ECONNRESET))

    @group
    def test_connections_that_come_and_go(self):
        for number in range(GARBAGE):
            wire = self.open("client")
            if number % 3 == 0:
                wire.send(frame(BINARY, bytes(1000))[:500])
            wire.cut()

    # -- over TLS -------------------------------------------------------------------------------------------------------

    @staticmethod
    def hello():
        """A client's first message."""
        out = ssl.MemoryBIO()
        with contextlib.suppress(ssl.SSLWantReadError):
            certificates.client_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost").do_handshake()
        return out.read()

    @group
    def test_handshakes_of_tls_that_stop(self):
        hello = self.hello()
        parts = (hello[:1], hello[:100], hello, b"\x16\x03\x01\x40\x00\x01\x01\xff\xff" + bytes(5000))
        with self.crowd(SLOW, self.secure) as crowd:
            for number, one in enumerate(crowd):
                with contextlib.suppress(ConnectionError):
                    one.sendall(parts[number % len(parts)])
            self.serve_a_pair()
            self.serve_a_pair(self.secure)
            self.await_ends(crowd)

    @group
    def test_garbage_at_tls_and_within(self):
        noise = random.Random(8446)
        hello = self.hello()
        for number in range(GARBAGE):
            if number % 2:
                with Wire(self.secure, tls=False) as wire:
                    spoilt = bytearray(hello)
                    for _ in range(noise.randrange(1, 20)):
                        spoilt[noise.randrange(len(spoilt))] = noise.randrange(256)
                    self.send_all(wire, bytes(spoilt) + noise.randbytes(noise.choice((0, 100, 50_000))))
                    if number % 4 == 1:
                        wire.cut()
            else:
                with self.open(noise.choice(("client", "worker")), port=self.secure) as wire:
                    self.send_all(wire, noise.randbytes(noise.choice((1, 100, 5000, 50_000))))

    @group
    def test_peers_that_never_read_over_tls(self):
        self.never_read(self.secure)


if __name__ == "__main__":
    unittest.main()
