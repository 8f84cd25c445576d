"""What is refused before the upgrade is refused in HTTP: a status, and a JSON body that says why."""

import contextlib
import unittest

from broker import milliseconds
from case import BrokerCase
from wire import PING, PONG, TEXT, Ended, Frame, Wire, frame, upgrade


class RefusalTest(BrokerCase):
    def test_a_key_that_is_none(self):
        for path in ("/client/", "/client/%zz", "/client/%4", "/worker/a%", "/client/%ff", "/client/%00", "/client/a%0ab",
                     "/client/" + "k" * 256):
            with self.subTest(path):
                self.assert_refused(upgrade(path), 400, "bad_request")

    def test_a_target_that_climbs(self):
        for path in ("/client/../k", "/client/..", "/./client/k", "/client/%2e%2e", "/client/.%2E/k", "/%2e%2e/client/k",
                     "/client/..%2fworker%2fk", "/client/a%2F..", "/client/..%5Ck", "/client/a\\..\\b", "/a/..?/client/k"):
            with self.subTest(path):
                response = self.assert_refused(upgrade(path), 400, "bad_request")
                self.assertIn("dots", response.json()["detail"])

    def test_a_key_may_hold_a_slash(self):
        client, worker = self.open("/client/a%2Fb"), self.open("/worker/a%2fb")
        self.assert_relays(client, worker)

    def test_a_target_in_absolute_form(self):
        client, worker = self.open("http://elsewhere.example/client/k?x"), self.open("ws://127.0.0.1:1/worker/k")
        self.assert_relays(client, worker)
        self.assert_refused(upgrade("http://host/nowhere"), 404, "unknown_route")
        for target in ("*", "host:80", "ftp://host/client/k", "http:///client/k", "http://me@host/client/k",
                       "http://host/client/%2e%2e"):
            with self.subTest(target):
                self.assert_refused(upgrade(target), 400, "bad_request")

    def test_a_missing_or_malformed_websocket_key(self):
        self.assert_refused(upgrade("/client/k", without=["Sec-WebSocket-Key"]), 400, "bad_request")
        for key in ("", "short", "not base64 but 24 chars.", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="):
            with self.subTest(key):
                self.assert_refused(upgrade("/client/k", Sec_WebSocket_Key=key), 400, "bad_request")

    def test_no_such_route(self):
        for path in ("/", "/clients/k", "/client", "/client/a/b", "/worker/a/", "/CLIENT/k"):
            with self.subTest(path):
                self.assert_refused(upgrade(path), 404, "unknown_route")

    def test_another_method(self):
        for method in ("POST", "PUT", "DELETE"):
            with self.subTest(method):
                response = self.assert_refused(upgrade("/client/k", method=method, Content_Length="0"), 400, "bad_method")
                self.assertEqual(response.headers["allow"], "GET")

    def test_a_key_that_is_taken(self):
        for role in ("client", "worker"):
            with self.subTest(role):
                holder = self.open(f"/{role}/taken")
                self.assert_refused(upgrade(f"/{role}/taken"), 409, "key_taken")
                # The holder is none the worse for it.
                holder.send_frame(PING, b"still here")
                self.assertEqual(holder.read_frame(), Frame(PONG, b"still here"))

    def test_a_key_is_free_again_once_its_holder_went(self):
        self.open("/client/free").close()
        self.open("/client/free")

    def test_a_key_is_the_same_however_it_is_escaped(self):
        self.open("/client/caf%C3%A9")
        self.assert_refused(upgrade("/client/c%61f%c3%a9"), 409, "key_taken")

    def test_not_a_websocket(self):
        for without in (["Upgrade"], ["Connection"], ["Upgrade", "Connection"]):
            with self.subTest(without=without):
                response = self.assert_refused(upgrade("/client/k", without=without), 426, "not_a_websocket")
                self.assertEqual(response.headers["upgrade"].lower(), "websocket")
        self.assert_refused(upgrade("/client/k", Upgrade="h2c"), 426, "not_a_websocket")
        # One who doesn't know what this is doesn't know its routes either.
        self.assert_refused(upgrade("/", without=["Upgrade", "Connection"]), 426, "not_a_websocket")

    def test_a_browser_is_told_what_this_is(self):
        response = self.request(upgrade("/", without=["Upgrade", "Connection"], Accept="text/html,*/*;q=0.8"))
        self.assertEqual(response.status, 426)
        self.assertTrue(response.headers["content-type"].startswith("text/html"))
        self.assertIn(b"This is tandem", response.body)
        self.assertIn(b"/client/{key}", response.body)
        # Whoever fails as a WebSocket, or is at the wrong path, is a program: it gets JSON.
        self.assert_refused(upgrade("/nowhere", Accept="text/html"), 404, "unknown_route")

    def test_another_version_of_websocket(self):
        for version in ("12", "8", "14", "x", ""):
            with self.subTest(version):
                response = self.assert_refused(upgrade("/client/k", Sec_WebSocket_Version=version), 426, "bad_version")
                self.assertEqual(response.headers["sec-websocket-version"], "13")
        self.assert_refused(upgrade("/client/k", without=["Sec-WebSocket-Version"]), 426, "bad_version")

    def test_what_is_not_http(self):
        for garbage in (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", b"garbage\r\n\r\n", b"\0" * 64 + b"\r\n\r\n",
                        b"GET /client/k\r\n\r\n", b"GET /client/k HTTP/1.1\r\nno colon here\r\n\r\n"):
            with self.subTest(garbage):
                try:
                    self.assertEqual(self.request(garbage).status, 400)
                except Ended as fault:
                    self.fail(f"hung up without a word: {fault}")

    def test_other_versions_of_http(self):
        self.assert_refused(upgrade("/client/k", version="HTTP/1.0"), 400, "bad_request")
        for version in ("HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3", "http/1.1", "HTTP/1.1 "):
            with self.subTest(version):
                self.assert_refused(upgrade("/client/k", version=version), 400, "bad_request")
        self.assert_refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "bad_request")

    def test_heads_that_servers_take_in_different_ways(self):
        good = upgrade("/client/k")
        host = b"Host: 127.0.0.1\r\n"
        self.assertIn(host, good)
        for name, instead in {
                "two hosts": host + host, "no host": b"", "a list of hosts": b"Host: a, b\r\n", "a user": b"Host: a@b\r\n",
                "a length": host + b"Content-Length: 5\r\n", "two lengths": host + b"Content-Length: 0\r\n" * 2,
                "a length in words": host + b"Content-Length: none\r\n", "a sum": host + b"Content-Length: +0\r\n",
                "chunks": host + b"Transfer-Encoding: chunked\r\n", "identity": host + b"Transfer-Encoding: identity\r\n",
                "hidden chunks": host + b"Transfer-Encoding: xchunked\r\n",
                "a length and chunks": host + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
                "chunks and a length": host + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                "a blank before the colon": host + b"Transfer-Encoding : chunked\r\n",
                "a name of two words": host + b"Transfer Encoding: chunked\r\n",
                "two versions": host + b"Sec-WebSocket-Version: 13\r\n",
                "two keys": host + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"}.items():
            with self.subTest(name):
                response = self.assert_refused(good.replace(host, instead, 1), 400, "bad_request")
                self.assertNotIn("k already", response.json()["detail"])

    def test_a_second_request_behind_one_that_was_refused_is_not_answered(self):
        with Wire(self.broker.port) as wire:
            wire.send(upgrade("/nowhere"), upgrade("/client/k"))
            self.assertEqual(wire.read_response().status, 404)
            wire.read_end()

    def test_a_second_request_behind_the_upgrade_is_no_request(self):
        with Wire(self.broker.port) as wire:
            wire.send(upgrade("/client/k"), upgrade("/client/other"))
            self.assertEqual(wire.read_response().status, 101)
            self.assertEqual(wire.read_close()[0], 1002)
        self.open("/client/other")

    def test_frames_right_behind_the_handshake_are_not_lost(self):
        worker = self.open("/worker/k")
        for cut in (0, 1, 7, 10_000):
            with self.subTest(cut), Wire(self.broker.port) as client:
                frames = b"".join(frame(TEXT, f"{n}") for n in range(2000))
                client.send(upgrade("/client/k"), frames[:cut])
                client.send(frames[cut:])
                self.assertEqual(client.read_response().status, 101)
                for n in range(2000):
                    self.assertEqual(worker.read_message(), (TEXT, b"%d" % n))
                client.close()
            self.assertEqual(worker.read_close()[0], 1000)
            worker = self.open("/worker/k")

    def test_lists_may_be_spread_over_several_headers(self):
        request = upgrade("/client/k").replace(b"Upgrade: websocket\r\n", b"Upgrade: h2c\r\nUpgrade: WebSocket\r\n")
        with Wire(self.broker.port) as wire:
            wire.send(request.replace(b"Connection: Upgrade\r\n", b"Connection: keep-alive\r\nConnection: upgrade\r\n"))
            self.assertEqual(wire.read_response().status, 101)

    def test_names_and_values_of_headers_are_read_as_http_has_them(self):
        with Wire(self.broker.port) as wire:
            wire.send(upgrade("/client/k", Upgrade="WebSocket", Connection="keep-alive, upgrade"))
            self.assertEqual(wire.read_response().status, 101)

    def test_a_subprotocol_that_tandem_does_not_speak_is_not_agreed_on(self):
        with Wire(self.broker.port) as wire:
            wire.send(upgrade("/client/k", Sec_WebSocket_Protocol="chat, superchat"))
            response = wire.read_response()
            self.assertEqual(response.status, 101)
            self.assertNotIn("sec-websocket-protocol", response.headers)

    def test_a_query_is_no_part_of_the_key(self):
        client, worker = self.open("/client/q?token=1&x=%20"), self.open("/worker/q")
        self.assert_relays(client, worker)

    def test_lines_that_parsers_end_in_different_ways(self):
        for head in (b"GET /client/k HTTP/1.1\nHost: x\n\n", b"GET /client/k HTTP/1.1\r\nHost: x\rX: y\r\n\r\n",
                     b"GET /client/k HTTP/1.1\r\nHost: x\r\nA: b\n\r\n", b"GET /client/k HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
                     b"GET /client/k HTTP/1.1\r\n Host: x\r\n\r\n", b"GET /client/k HTTP/1.1\r\nHost: x\0\r\n\r\n",
                     b"GET /client/\x1b HTTP/1.1\r\nHost: x\r\n\r\n"):
            with self.subTest(head):
                self.assert_refused(head, 400, "bad_request")

    def test_a_head_that_can_not_end_well_is_refused_before_its_end(self):
        self.assert_refused(b"GET /client/k HTTP/1.1\n", 400, "bad_request")

    def test_a_head_with_too_many_fields(self):
        self.assert_refused(upgrade("/client/k").replace(b"\r\n\r\n", b"\r\nX: y" * 96 + b"\r\n\r\n"), 431, "head_too_large")
        with Wire(self.broker.port) as wire:
            wire.send(upgrade("/client/k").replace(b"\r\n\r\n", b"\r\nX: y" * 95 + b"\r\n\r\n"))
            self.assertEqual(wire.read_response().status, 101)

    def test_a_head_that_is_too_long(self):
        with Wire(self.broker.port) as wire:
            try:
                wire.send(b"GET /client/k HTTP/1.1\r\n", *(b"X-Filler-%d: %s\r\n" % (n, b"x" * 1000) for n in range(256)))
            except ConnectionError:
                # It need not read all of it.
                pass
            self.assertEqual(wire.read_response().status, 431)

    def test_garbage_leaves_the_broker_well(self):
        client, worker = self.pair()
        for garbage in (b"\r\n\r\n", b"GET", b"\xff" * 4096, b"GET / HTTP/9.9\r\n\r\n"):
            with Wire(self.broker.port) as wire:
                wire.send(garbage)
                wire.cut()
        self.assert_relays(client, worker)


# The test needs a descriptor for each as well.
SLOW = 2000


class SlowHeadTest(BrokerCase):
    def setUp(self):
        self.options = (f"--handshake-timeout={milliseconds(0.2)}",)
        super().setUp()

    def test_a_head_that_never_ends(self):
        with self.within(5), Wire(self.broker.port) as wire:
            wire.send(b"GET /client/k HTTP/1.1\r\nHost: x\r\n")
            self.assertEqual(wire.read_response().status, 408)
            wire.read_end()

    def test_a_connection_that_says_nothing(self):
        with self.within(5), Wire(self.broker.port) as wire, self.assertRaises(Ended):
            while True:
                wire.read(1)

    def test_the_deadline_ends_with_the_handshake(self):
        client, worker = self.pair()
        # What takes longer than the deadline is the other connection's wait for its own.
        with Wire(self.broker.port) as wire:
            wire.send(b"GET")
            self.assertEqual(wire.read_response().status, 408)
        self.assert_relays(client, worker)

    def test_thousands_of_slow_heads_keep_nobody_out(self):
        fds = self.broker.fds()
        slow = [self.enterContext(Wire(self.broker.port)) for _ in range(SLOW)]
        for wire in slow:
            wire.send(b"GET /client/slow HTTP/1.1\r\nHost: x\r\nX: ")
        with self.within(1):
            client, worker = self.pair("fresh")
        for wire in slow:
            # Each byte comes in time, the end of the head never does.
            with contextlib.suppress(OSError):
                wire.send(b"x")
        for wire in slow:
            self.assertEqual(wire.read_response().status, 408)
            wire.socket.close()
        self.assert_relays(client, worker)
        client.close()
        worker.read_close()
        worker.socket.close()
        self.await_that(lambda: self.broker.fds() <= fds, "the descriptors to be free again")


if __name__ == "__main__":
    unittest.main()
