"""TLS: who is shown which certificate, who is let in, and that all else is as it is without."""

import os
import pathlib
import shutil
import signal
import socket
import ssl
import tempfile
import unittest

import certificates
import test_flow
import test_wire
from broker import Broker, milliseconds, scaled
from case import NO_PINGS, BrokerCase
from wire import BINARY, CLOSE, PING, PONG, TEXT, Ended, Frame, Wire, close_payload, frame, upgrade

SECURE = ("wss://127.0.0.1:0",)
TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def common_name(wire):
    """Whose certificate the broker showed."""
    return dict(field for names in wire.socket.getpeercert()["subject"] for field in names)["commonName"]


class SecureCase(BrokerCase):
    listen = SECURE

    def assert_shut_out(self, tls, name=None):
        """The handshake fails, or what follows does: with TLS 1.3 a client has finished before it is judged."""
        with self.assertRaises((ssl.SSLError, ConnectionError, Ended)):
            with Wire.open(self.broker.port, "/client/shut-out", tls=tls, name=name):
                pass


class HandshakeTest(SecureCase):
    listen = ("wss://127.0.0.1:0", "127.0.0.1:0")
    options = (f"--handshake-timeout={milliseconds(1)}",)

    def test_both_versions_relay(self):
        for version in (TLS12, TLS13):
            with self.subTest(version):
                tls = certificates.client_context(version=version)
                client, worker = self.pair(str(version), tls=tls)
                self.assertEqual(client.socket.version(), version.name.replace("_", "."))
                for size in (0, 1, 125, 16384, 16385, 100_000, 3_000_000):
                    client.send_frame(BINARY, bytes(size))
                    self.assertEqual(worker.read_message(), (BINARY, bytes(size)))

    def test_a_pair_may_be_half_in_clear(self):
        client = self.open("/client/k")
        worker = self.enterContext(Wire.open(self.broker.ports[1], "/worker/k"))
        self.assert_relays(client, worker)

    def test_older_versions_and_weak_ciphers_are_refused(self):
        old = certificates.client_context()
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version, old.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, ssl.TLSVersion.TLSv1_1
        self.assert_shut_out(old)
        self.await_log('reason=tls_failed status=0 detail="TLS: unsupported protocol"')
        weak = certificates.client_context(version=TLS12)
        weak.set_ciphers("AES128-SHA:ECDHE-ECDSA-AES128-SHA")
        self.assert_shut_out(weak)
        self.await_log('reason=tls_failed status=0 detail="TLS: no shared cipher"')

    def test_http_1_1_is_agreed_on(self):
        both = certificates.client_context()
        both.set_alpn_protocols(["h2", "http/1.1"])
        self.assertEqual(self.open("/client/k", tls=both).socket.selected_alpn_protocol(), "http/1.1")
        other = certificates.client_context()
        other.set_alpn_protocols(["h2"])
        self.assert_shut_out(other)

    def test_a_session_is_resumed(self):
        for version in (TLS12, TLS13):
            with self.subTest(version):
                tls = certificates.client_context(version=version)
                first, _ = self.pair(f"{version}-first", tls=tls)
                # By now the ticket has come.
                with Wire(self.broker.port, tls=tls, session=first.socket.session) as again:
                    self.assertTrue(again.socket.session_reused)

    def test_a_request_in_clear_is_told(self):
        with Wire(self.broker.port, tls=False) as wire:
            wire.send(upgrade("/client/k"))
            response = wire.read_response()
            self.assertEqual(response.status, 400)
            self.assertIn("TLS", response.json()["detail"])
            wire.read_end()

    def test_tls_where_there_is_none_is_told(self):
        with Wire(self.broker.ports[1]) as wire:
            wire.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            response = wire.read_response()
            self.assertEqual(response.status, 400)
            self.assertIn("TLS", response.json()["detail"])

    def test_a_refusal_comes_over_tls(self):
        self.assert_refused(upgrade("/nowhere/k"), 404, "unknown_route")
        self.assert_refused(upgrade("/client/k", method="POST"), 400, "bad_method")

    def test_what_is_not_tls_is_cut(self):
        for garbage in (b"\x16\x03\x01\x00\x05hello", b"\x00" * 100, os.urandom(5000), b"\x16\x03\x03\xff\xff" + bytes(70000)):
            with Wire(self.broker.port, tls=False) as wire:
                # It may have hung up already.
                try:
                    wire.send(garbage)
                    while True:
                        wire.read(1)
                except (ConnectionError, Ended):
                    pass
        self.pair()

    def test_a_handshake_that_stops_is_given_up(self):
        for begun in (b"", b"\x16\x03\x01\x02", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            with self.subTest(begun), self.within(5), Wire(self.broker.port, tls=False) as wire:
                wire.send(begun)
                with self.assertRaises(Ended):
                    while True:
                        wire.read(1)
        self.pair()

    def test_bytes_behind_the_request_are_not_lost(self):
        worker = self.open("/worker/k")
        for rest in (b"", frame(TEXT, "x" * 3000), frame(BINARY, bytes(30000))):
            client = self.enterContext(Wire(self.broker.port))
            # One record, as far as it goes.
            client.send(upgrade("/client/k"), frame(TEXT, "early"), rest)
            self.assertEqual(client.read_response().status, 101)
            self.assertEqual(worker.read_message(), (TEXT, b"early"))
            if rest:
                worker.read_message()
            client.close()
            self.assertEqual(worker.read_close()[0], 1000)
            worker = self.open("/worker/k")


class EndTest(SecureCase):
    listen = ("wss://127.0.0.1:0", "127.0.0.1:0")

    def test_both_ends_say_that_nothing_follows(self):
        client, worker = self.pair()
        # Wire takes an end without a close_notify for an error.
        self.assertEqual(client.close(1000, "done"), (1000, "done"))
        self.assertEqual(worker.read_close(), (1000, "done"))
        worker.send_frame(CLOSE, close_payload(1000))
        worker.read_end()

    def test_the_closing_alert_of_a_peer_is_not_answered_by_a_reset(self):
        """After its close frame a peer has one thing more to send (RFC 8446, section 6.1)."""
        with Wire.open(self.broker.port, "/client/k", tls=certificates.client_context()) as wire:
            wire.send_frame(CLOSE, close_payload(1000))
            self.assertEqual(wire.read_frame().opcode, CLOSE)
            below = wire.socket.unwrap()
            below.settimeout(scaled(10))
            self.assertEqual(below.recv(1), b"")
            below.shutdown(socket.SHUT_WR)

    def test_a_close_frame_is_answered_though_the_end_of_tls_comes_along(self):
        bare = self.enterContext(Wire(self.broker.port, tls=False))
        got, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = certificates.client_context().wrap_bio(got, sent, server_hostname="127.0.0.1")

        def heard(step):
            """What `step` returns once it has read enough."""
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    bare.send(sent.read())
                    bare._more()
                    got.write(bare.read(len(bare.unread)))

        heard(tls.do_handshake)
        tls.write(upgrade("/client/k"))
        self.assertIn(b" 101 ", heard(lambda: tls.read(4096)))
        tls.write(frame(CLOSE, close_payload(1000)))
        with self.assertRaises(ssl.SSLWantReadError):
            tls.unwrap()
        bare.send(sent.read())
        # OpenSSL reads no more after its own goodbye, so this counts bytes: a close frame of 4 and an alert of 2, in
        # records with 22 bytes around them.
        answer = bare.read(26 + 24)
        self.assertEqual(answer[:3], b"\x17\x03\x03")
        bare.read_end()

    def test_an_end_of_tls_alone_is_a_loss(self):
        client, worker = self.pair()
        client.send_frame(TEXT, "last")
        client.socket.settimeout(scaled(10))
        client.socket.unwrap()
        self.assertEqual(worker.read_message(), (TEXT, b"last"))
        self.assertEqual(worker.read_close()[0], 4200)

    def test_a_broken_record_ends_the_connection(self):
        for version in (TLS12, TLS13):
            with self.subTest(version):
                client, worker = self.pair(str(version), tls=certificates.client_context(version=version))
                client.send_frame(TEXT, "before")
                self.assertEqual(worker.read_message(), (TEXT, b"before"))
                with socket.socket(fileno=os.dup(client.socket.fileno())) as bare:
                    bare.sendall(b"\x17\x03\x03\x00\x30" + bytes(48))
                with self.assertRaisesRegex(ssl.SSLError, "(?i)bad.record.mac"):
                    client.read(1)
                self.assertEqual(worker.read_close()[0], 4200)
                self.await_log("reason=vanished")


class NamesTest(unittest.TestCase):
    """Several certificates on one listener."""

    def setUp(self):
        self.main = certificates.server()
        self.other = certificates.authority().sign("other", "DNS:other.test", "DNS:*.wild.test")
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="tandem-test-")))

    def broker(self, *pairs, listen=SECURE, options=()):
        return self.enterContext(Broker(*NO_PINGS, f"--tls.certificates={','.join(x.certificate for x in pairs)}",
                                        f"--tls.private-keys={','.join(x.key for x in pairs)}", *options, listen=listen))

    def shown(self, broker, name):
        tls = certificates.client_context()
        tls.check_hostname = False
        with Wire.open(broker.port, "/client/k", tls=tls, name=name) as wire:
            found = common_name(wire)
            wire.close()
            return found

    def test_the_name_chooses(self):
        broker = self.broker(self.main, self.other)
        for name, expected in (("localhost", "localhost"), ("other.test", "other"), ("a.wild.test", "other"),
                               ("a.b.wild.test", "localhost"), ("unknown.test", "localhost"), ("127.0.0.1", "localhost")):
            with self.subTest(name):
                self.assertEqual(self.shown(broker, name), expected)

    def test_a_key_may_be_in_the_certificate_s_file(self):
        both = self.folder / "both.pem"
        both.write_text(pathlib.Path(self.main.certificate).read_text() + pathlib.Path(self.main.key).read_text())
        broker = self.enterContext(Broker(f"--tls.certificates={both}", listen=SECURE))
        self.assertEqual(self.shown(broker, "localhost"), "localhost")

    def copy(self, pair, to="live"):
        for source, suffix in zip(pair, ("pem", "key")):
            shutil.copy(source, self.folder / f"{to}.{suffix}")
        return certificates.Certificate(str(self.folder / f"{to}.pem"), str(self.folder / f"{to}.key"))

    def await_log(self, broker, words, count=1):
        BrokerCase.await_that(self, lambda: broker.errors().count(words) >= count, f"the log to say {words}")

    def test_certificates_are_loaded_anew(self):
        live = self.copy(self.main)
        broker = self.broker(live)
        client, worker = (self.enterContext(Wire.open(broker.port, f"/{role}/stays")) for role in ("client", "worker"))
        self.assertEqual(self.shown(broker, "localhost"), "localhost")

        self.copy(certificates.authority().sign("renewed", "DNS:localhost", "IP:127.0.0.1"))
        broker.signal(signal.SIGHUP)
        self.await_log(broker, "reloaded certificates")
        self.assertEqual(self.shown(broker, "localhost"), "renewed")

        (self.folder / "live.pem").write_text("no certificate")
        broker.signal(signal.SIGHUP)
        self.await_log(broker, f"keeping the certificates as they are: {live.certificate} is no certificate in PEM")
        self.assertEqual(self.shown(broker, "localhost"), "renewed")
        # All the while:
        BrokerCase.assert_relays(self, client, worker)

    def test_what_helps_nobody_is_warned_of(self):
        expired = certificates.authority().sign("expired", "DNS:localhost", days=0)
        broker = self.broker(self.main, expired, listen=("127.0.0.1:0",))
        self.await_log(broker, f"info certificate file={self.main.certificate} subject=")
        self.await_log(broker, f"warning certificate file={expired.certificate} subject=")
        self.await_log(broker, " expired=")
        self.await_log(broker, "warning tls.certificates are of no use: no listener begins with wss://")

    def test_sighup_without_certificates_does_nothing(self):
        with Broker(*NO_PINGS) as broker:
            broker.signal(signal.SIGHUP)
            self.await_log(broker, "reloaded certificates")
            Wire.open(broker.port, "/client/k").socket.close()


class ClientCertificateTest(SecureCase):
    """The second listener asks for a certificate and needs none, the third asks for none."""

    listen = ("wss://127.0.0.1:0", "wss://127.0.0.1:0?client-certificates=optional",
              "wss://127.0.0.1:0?client-certificates=off")

    @classmethod
    def setUpClass(cls):
        authority = certificates.authority("the operator")
        cls.known = certificates.client_context(authority.sign("worker-7", subject="/O=Fleet \"A\"/CN=worker-7"))
        cls.stranger = certificates.client_context(certificates.authority("a stranger").sign("worker-7"))
        cls.options = (f"--tls.client-ca={authority.certificate}", "--tls.client-certificates=required")

    def test_one_with_a_certificate_gets_in_and_is_known_by_it(self):
        for version in (TLS12, TLS13):
            with self.subTest(version):
                self.known.minimum_version = self.known.maximum_version = version
                self.pair(str(version), tls=self.known)[0].close()
                self.await_log(f'key={version} remote=')
                self.await_log(r'subject="CN=worker-7,O=Fleet \\\"A\\\""')

    def test_one_without_is_shut_out(self):
        for version in (TLS12, TLS13):
            self.assert_shut_out(certificates.client_context(version=version))
        self.await_log('reason=tls_failed status=0 detail="TLS: peer did not return a certificate"')

    def test_a_stranger_is_shut_out_wherever_certificates_are_asked_for(self):
        for port in self.broker.ports[:2]:
            with self.assertRaises((ssl.SSLError, ConnectionError, Ended)):
                Wire.open(port, "/client/k", tls=self.stranger)
        self.await_log("TLS: certificate verify failed (unable to get local issuer certificate)")

    def test_a_chain_that_is_far_too_long_is_refused(self):
        names = [f"DNS:{number:060}.test" for number in range(600)]
        huge = certificates.authority("the operator").sign("huge", *names)
        self.assert_shut_out(certificates.client_context(huge))
        self.await_log('reason=tls_failed status=0 detail="TLS: excessive message size"')

    def test_each_listener_has_its_own_rule(self):
        with Wire.open(self.broker.ports[1], "/client/k", tls=certificates.client_context()) as nobody:
            nobody.close()
        with Wire.open(self.broker.ports[1], "/client/known", tls=self.known) as somebody:
            somebody.close()
        self.await_log('subject="CN=worker-7')
        with Wire.open(self.broker.ports[2], "/client/stranger", tls=self.stranger) as unasked:
            unasked.close()
        self.await_log('key=stranger remote=')

    def test_a_certificate_counts_in_a_resumed_session_too(self):
        tls = self.known
        first, _ = self.pair("first", tls=tls)
        with Wire(self.broker.port, tls=tls, session=first.socket.session) as again:
            again.send(upgrade("/client/again"))
            self.assertEqual(again.read_response().status, 101)
            self.assertTrue(again.socket.session_reused)
            again.close()
        self.await_that(lambda: self.subject_of("again") == self.subject_of_first(first), "the same subject")

    def test_a_session_is_not_resumed_where_more_is_demanded_than_where_it_began(self):
        required, optional, off = self.broker.ports
        for version in (TLS12, TLS13):
            nobody = certificates.client_context(version=version)
            for begun, asked in ((off, required), (optional, required), (off, optional)):
                with self.subTest(version, begun=begun, asked=asked):
                    first = self.enterContext(Wire.open(begun, "/client/k", tls=nobody))
                    first.close()
                    try:
                        with Wire(asked, tls=nobody, session=first.socket.session) as again:
                            self.assertFalse(again.socket.session_reused)
                    except (ssl.SSLError, ConnectionError):
                        self.assertEqual(asked, required)

    def subject_of(self, key):
        line = next((line for line in self.broker.errors().splitlines() if f"key={key} " in line), "")
        return line.partition(" subject=")[2].partition(" reason=")[0]

    def subject_of_first(self, first):
        if not self.subject_of("first"):
            first.close()
        return r'"CN=worker-7,O=Fleet \\\"A\\\""'


class OnlyTls13Test(SecureCase):
    options = ("--tls.min-version=1.3",)

    def test_tls_1_2_is_refused(self):
        self.assert_shut_out(certificates.client_context(version=TLS12))
        self.pair()


# -- what holds without TLS ---------------------------------------------------


class ViolationOverTlsTest(test_wire.ViolationTest):
    listen = SECURE


class ControlFrameOverTlsTest(test_wire.ControlFrameTest):
    listen = SECURE


class LargeMessageOverTlsTest(test_flow.TooLargeTest):
    listen = SECURE


class SlowWorkerOverTlsTest(test_flow.SlowWorkerTest):
    listen = SECURE


class StallOverTlsTest(test_flow.StallTest):
    listen = SECURE

    def test_a_worker_that_stands_still_is_given_up(self):
        """The close frame isn't read: Python's TLS can't be read and written by two threads at once."""
        client, _ = self.pair()
        sender = test_flow.Sender(client, (frame(BINARY, bytes(1 << 20)) for _ in range(64)))
        sender.start()
        self.await_log("reason=stalled")
        self.await_log("reason=peer_lost code=4200")
        # The broker hangs up after close-timeout.
        sender.join(scaled(10))
        self.assertFalse(sender.is_alive())
        client.socket.close()
        # Its key is free again.
        self.pair()


class PingFloodTest(SecureCase):
    def test_one_who_pings_but_does_not_read_takes_no_memory(self):
        client, worker = self.pair()
        before = self.broker.rss()
        client.socket.setblocking(False)
        ping = frame(PING, bytes(125)) * 500
        sent = 0
        try:
            while sent < 64 << 20:
                sent += client.socket.send(ping)
        except (ssl.SSLWantWriteError, BlockingIOError):
            pass
        self.assertLess(sent, 64 << 20)
        self.assertLess(self.broker.rss() - before, 8 << 20)
        self.assert_relays(*self.pair("other"))
        worker.send_frame(TEXT, "still there")
        client.socket.settimeout(scaled(10))
        while (got := client.read_frame()).opcode == PONG:
            pass
        self.assertEqual(got, Frame(TEXT, b"still there"))


if __name__ == "__main__":
    unittest.main()
