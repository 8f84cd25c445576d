"""Whose connection it is, by the word of a proxy that is trusted: the PROXY protocol and X-Forwarded-For."""

import re
import socket
import struct
import tempfile
import unittest

from case import BrokerCase
from wire import TEXT, Ended, Wire, upgrade

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v1(client, port=4711):
    family = "TCP6" if ":" in client else "TCP4"
    own = "::1" if ":" in client else "127.0.0.1"
    return f"PROXY {family} {client} {own} {port} 8080\r\n".encode()


def v2(client, port=4711, *, command=1, rest=b""):
    family = socket.AF_INET6 if ":" in client else socket.AF_INET
    own = "::1" if ":" in client else "127.0.0.1"
    block = (socket.inet_pton(family, client) + socket.inet_pton(family, own) + struct.pack("!HH", port, 8080) + rest)
    kind = 0x21 if family == socket.AF_INET6 else 0x11
    return SIGNATURE + bytes([0x20 | command, kind]) + struct.pack("!H", len(block)) + block


class ProxyCase(BrokerCase):
    def connect(self, *pieces, port=None):
        """A connection that is upgraded once these bytes were sent."""
        wire = self.enterContext(Wire(port or self.broker.port))
        wire.send(*pieces)
        response = wire.read_response()
        self.assertEqual(response.status, 101, response.body)
        return wire

    def assert_cut(self, *pieces, port=None):
        """The broker closes without an answer."""
        with Wire(port or self.broker.port) as wire:
            try:
                wire.send(*pieces)
                got = wire.read(1)
            except (Ended, ConnectionError):
                return
            self.fail(f"answered with {got + wire.unread!r}")


class ProxyProtocolTest(ProxyCase):
    listen = ("127.0.0.1:0?proxy-protocol",)
    options = ("--trusted-proxies=127.0.0.1", "--log-level=debug")

    def test_the_client_is_whom_the_header_names(self):
        for number, (header, remote) in enumerate([
                (v1("192.0.2.1"), "192.0.2.1:4711"), (v1("2001:db8::1"), "[2001:db8::1]:4711"),
                (v2("192.0.2.2"), "192.0.2.2:4711"), (v2("2001:db8::2", 1), "[2001:db8::2]:1"),
                (v2("192.0.2.3", rest=b"\x04\0\x03abc"), "192.0.2.3:4711")]):
            with self.subTest(header):
                self.connect(header, upgrade(f"/client/{number}"))
                self.await_log(f"connected id={number + 1} role=client key={number} remote={remote} ")

    def test_a_header_without_an_address_leaves_the_proxys_own(self):
        for number, header in enumerate([b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN any thing\r\n", v2("192.0.2.1", command=0),
                                         SIGNATURE + b"\x20\0\0\0", SIGNATURE + b"\x21\0\0\0"]):
            with self.subTest(header):
                self.connect(header, upgrade(f"/client/{number}"))
                self.await_log(f"connected id={number + 1} role=client key={number} remote=127.0.0.1:")

    def test_a_header_in_pieces(self):
        for header in (v1("192.0.2.1"), v2("192.0.2.1", rest=bytes(300))):
            with self.subTest(header):
                wire = self.enterContext(Wire(self.broker.port))
                for at in range(len(header)):
                    wire.send(header[at:at + 1])
                wire.send(upgrade(f"/client/{len(header)}"))
                self.assertEqual(wire.read_response().status, 101)

    def test_frames_right_behind_header_and_handshake_are_not_lost(self):
        worker = self.connect(v1("192.0.2.1"), upgrade("/worker/k"))
        self.connect(v2("192.0.2.2"), upgrade("/client/k"), b"\x81\x82\0\0\0\0hi")
        self.assertEqual(worker.read_message(), (TEXT, b"hi"))

    def test_what_is_no_header_is_closed_without_an_answer(self):
        for header in (b"", b"PROXY TCP4 1.2.3.4\r\n", b"PROXY TCP4 1.2.3.4 1.2.3.4 99999 1\r\n", b"PROXY " + b"x" * 200,
                       b"PROXY UNKNOWN\n", SIGNATURE + b"\x31\x11\0\x0c" + bytes(12), SIGNATURE + b"\x21\x11\0\x01x",
                       SIGNATURE + b"\x21\x11\xff\xff"):
            with self.subTest(header):
                self.assert_cut(header, upgrade("/client/k"))
        self.await_log("reason=bad_proxy_header status=0")
        self.connect(v1("192.0.2.1"), upgrade("/client/k"))

    def test_refusals_are_counted(self):
        self.assert_cut(upgrade("/client/k"))
        self.await_log("reason=bad_proxy_header")
        self.broker.stop()
        self.assertIn("refusals total=1 bad_proxy_header=1", self.broker.errors())

    def test_refusals_name_the_client(self):
        with Wire(self.broker.port) as wire:
            wire.send(v1("192.0.2.9"), upgrade("/nowhere"))
            self.assertEqual(wire.read_response().status, 404)
        self.await_log("refused remote=192.0.2.9:4711 reason=unknown_route")


class SlowProxyTest(ProxyCase):
    listen = ("127.0.0.1:0?proxy-protocol",)
    options = ("--trusted-proxies=127.0.0.0/8", "--handshake-timeout=200ms")

    def test_a_header_that_never_ends(self):
        for begun in (b"", b"PROXY TCP4", SIGNATURE + b"\x21"):
            with self.subTest(begun), self.within(5):
                self.assert_cut(begun)


class UntrustedProxyTest(ProxyCase):
    listen = ("127.0.0.1:0?proxy-protocol", "127.0.0.1:0")
    options = ("--trusted-proxies=10.0.0.0/8,unix",)

    def test_a_header_is_not_taken_from_just_anybody(self):
        self.assert_cut(v1("192.0.2.1"), upgrade("/client/k"))
        self.await_log("reason=untrusted_proxy status=0")

    def test_nor_is_a_forwarded_address(self):
        self.connect(upgrade("/client/k", X_Forwarded_For="192.0.2.1"), port=self.broker.ports[1]).close()
        self.await_log("disconnected")
        self.assertIsNone(re.search(r"remote=192\.0\.2\.1", self.broker.errors()))

    def test_without_the_option_a_header_is_no_http(self):
        with Wire(self.broker.ports[1]) as wire:
            wire.send(v1("192.0.2.1"), upgrade("/client/k"))
            self.assertEqual(wire.read_response().status, 400)


class ProxyLimitTest(ProxyCase):
    listen = ("127.0.0.1:0?proxy-protocol",)
    options = ("--trusted-proxies=127.0.0.1", "--max-connections-per-ip=2")

    def test_clients_are_counted_by_their_own_address(self):
        for n in range(2):
            self.connect(v1("192.0.2.1"), upgrade(f"/client/{n}"))
        with Wire(self.broker.port) as wire:
            wire.send(v1("192.0.2.1"), upgrade("/client/2"))
            response = wire.read_response()
            self.assertEqual((response.status, response.json()["error"]), (429, "too_many_from_address"))
        for n in range(3, 9):
            self.connect(v2(f"192.0.2.{n}"), upgrade(f"/client/{n}"))


class ForwardedForTest(ProxyCase):
    options = ("--trusted-proxies=127.0.0.1,10.0.0.0/8,unix", "--max-connections-per-ip=2", "--accept-rate-per-ip=1000",
               "--log-level=debug")

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="tandem-test-"))
        self.listen = ("127.0.0.1:0", f"unix:{folder}/tandem.sock")
        super().setUp()

    def test_the_client_is_the_rightmost_whom_nobody_trusts(self):
        for number, (value, remote) in enumerate([
                ("192.0.2.1", "192.0.2.1"), ("203.0.113.1, 192.0.2.2, 10.1.1.1", "192.0.2.2"),
                ("2001:db8::1", "2001:db8::1"), ("[2001:db8:1::2]:80", "2001:db8:1::2"), ("192.0.2.4:1234", "192.0.2.4")]):
            with self.subTest(value):
                self.connect(upgrade(f"/client/{number}", X_Forwarded_For=value))
                self.await_log(f"connected id={number + 1} role=client key={number} remote={remote} ")

    def test_by_a_unix_socket(self):
        self.connect(upgrade("/client/a", X_Forwarded_For="192.0.2.1"), port=self.broker.ports[1])
        self.await_log("remote=192.0.2.1 ")
        self.connect(upgrade("/client/b"), port=self.broker.ports[1])
        self.await_log("key=b remote=unix ")

    def test_several_headers_are_one_list(self):
        request = upgrade("/client/k").replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n")
        self.connect(request)
        self.await_log("remote=192.0.2.1 ")

    def test_clients_are_counted_by_their_own_address(self):
        for n in range(2):
            self.connect(upgrade(f"/client/{n}", X_Forwarded_For="192.0.2.1"))
        response = self.request(upgrade("/client/2", X_Forwarded_For="192.0.2.1"))
        self.assertEqual((response.status, response.json()["error"]), (429, "too_many_from_address"))
        self.connect(upgrade("/client/2", X_Forwarded_For="192.0.2.2"))


if __name__ == "__main__":
    unittest.main()
