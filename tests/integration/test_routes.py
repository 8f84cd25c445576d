"""Routes of the config file: each has its paths, its keys and its limits, and nothing of the others'."""

import json
import pathlib
import tempfile
import unittest

from broker import Broker, milliseconds, run_tandem
from case import NO_PINGS, BrokerCase
from wire import BINARY, TEXT, Wire, upgrade

ROUTES = f"""
subprotocols = ["chat"]
max-message-size = "64 KiB"

[route.chat]
client-path = "/chat/{{key}}"
worker-path = "/chat/{{key}}/worker"
max-message-size = 100

[route.files]
client-path = "/files/{{key}}"
worker-path = "/files/{{key}}/w"
subprotocols = ["v1.files", "v2.files"]
on-conflict = "replace"
on-peer-loss = "wait"
compression {{ mode = "on" }}

[route.brief]
client-path = "/brief/{{key}}"
worker-path = "/brief-worker/{{key}}"
pair-timeout = {milliseconds(0.2)}
pending-bytes = 0
"""


class RoutesTest(BrokerCase):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="tandem-test-"))
        config = pathlib.Path(folder) / "routes.conf"
        config.write_text(ROUTES, encoding="utf-8")
        self.broker = self.enterContext(Broker(*NO_PINGS, f"--config-file={config}"))

    def test_each_has_its_paths(self):
        for client, worker in (("/chat/a", "/chat/a/worker"), ("/files/a", "/files/a/w"), ("/brief/a", "/brief-worker/a")):
            with self.subTest(client):
                self.assert_relays(self.open(client), self.open(worker))

    def test_a_key_belongs_to_its_route(self):
        chat, files = self.open("/chat/k"), self.open("/files/k")
        chat_worker, files_worker = self.open("/chat/k/worker"), self.open("/files/k/w")
        chat.send_frame(TEXT, b"chat")
        files.send_frame(TEXT, b"files")
        self.assertEqual(chat_worker.read_message(), (TEXT, b"chat"))
        self.assertEqual(files_worker.read_message(), (TEXT, b"files"))

    def test_the_global_paths_are_gone(self):
        for path in ("/client/k", "/worker/k"):
            response = self.assert_refused(upgrade(path), 404, "unknown_route")
            self.assertIn("/chat/{key}", response.json()["detail"])
            self.assertIn("/brief-worker/{key}", response.json()["detail"])

    def test_each_has_its_limit_of_a_message(self):
        for paths, most in ((("/chat/k", "/chat/k/worker"), 100), (("/files/k", "/files/k/w"), 64 << 10)):
            with self.subTest(paths):
                client, worker = map(self.open, paths)
                client.send_frame(BINARY, bytes(most))
                self.assertEqual(worker.read_message(), (BINARY, bytes(most)))
                client.send_frame(BINARY, bytes(most + 1))
                self.assertEqual(client.read_close()[0], 1009)

    def test_each_has_its_policies(self):
        self.open("/chat/k")
        self.assert_refused(upgrade("/chat/k"), 409, "key_taken")
        first = self.open("/files/k")
        worker = self.open("/files/k/w")
        self.assert_relays(first, worker)
        second = self.open("/files/k")
        self.assertEqual(first.read_close()[0], 4000)
        self.assert_relays(second, worker)

    def test_each_has_its_timeout(self):
        stays = self.open("/chat/k")
        goes = self.open("/brief/k")
        self.assertEqual(goes.read_close()[0], 4100)
        self.assert_relays(stays, self.open("/chat/k/worker"))

    def test_each_has_its_subprotocols(self):
        for path, agreed in (("/chat/k", "chat"), ("/files/k", "v2.files"), ("/brief/k", "chat")):
            with self.subTest(path):
                self.assertEqual(self.answer(path, "Sec_WebSocket_Protocol", "v2.files, chat")["sec-websocket-protocol"],
                                 agreed)

    def test_each_has_its_compression(self):
        offer = "permessage-deflate"
        self.assertNotIn("sec-websocket-extensions", self.answer("/chat/k", "Sec_WebSocket_Extensions", offer))
        # One that waits for the next peer keeps no context.
        self.assertEqual(self.answer("/files/k", "Sec_WebSocket_Extensions", offer)["sec-websocket-extensions"],
                         f"{offer}; server_no_context_takeover; client_no_context_takeover")

    def answer(self, path, name, value):
        """The headers of the answer to one that offers this."""
        wire = self.enterContext(Wire(self.broker.port))
        wire.send(upgrade(path, **{name: value}))
        response = wire.read_response()
        self.assertEqual(response.status, 101)
        return response.headers

    def test_a_browser_is_shown_all(self):
        page = self.request(upgrade("/", without=("Upgrade",), Accept="text/html")).body.decode()
        for path in ("/chat/{key}", "/files/{key}/w", "/brief/{key}"):
            self.assertIn(f"<code>{path}</code>", page)


PARAMETERS = """
[route.pool]
client-path = "/pool/{key}"
worker-path = "/pool/{key}/worker"
mode = "pool"
max-capacity = 64
select = "sticky"
sticky-by = "query:user"
priority-by = "query:level"

[route.shared]
client-path = "/shared/{key}"
worker-path = "/shared/{key}/worker"
mode = "shared"

[route.plain]
open-headers = ["Origin", "X-None"]
"""


class ParameterTest(BrokerCase):
    """What a request may ask for beyond its path."""

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="tandem-test-"))
        config = pathlib.Path(folder) / "parameters.conf"
        config.write_text(PARAMETERS, encoding="utf-8")
        self.broker = self.enterContext(Broker(*NO_PINGS, f"--config-file={config}"))

    def test_what_cannot_be_is_refused(self):
        for path, detail in (
                ("/pool/k/worker?capacity=65", "the query's capacity isn't a whole number from 1 to 64"),
                ("/pool/k/worker?capacity=0", "the query's capacity isn't a whole number from 1 to 64"),
                ("/pool/k/worker?capacity=2", "a worker with a capacity has to offer the subprotocol"),
                ("/pool/k/worker?id=", "the query's id is empty"),
                ("/pool/k/worker?id=%0a", "the query's id has a control character"),
                ("/pool/k?level=1001", "the query's level isn't a whole number from -1000 to 1000"),
                ("/pool/k?user=%", "the query's user has a percent sign without two hexadecimal digits"),
                ("/shared/k/worker", "it has to offer the subprotocol tandem.v1 or tandem.json.v1")):
            with self.subTest(path):
                response = self.assert_refused(upgrade(path), 400, "bad_request")
                self.assertIn(detail, response.json()["detail"])

    def test_a_framed_worker_is_told_who_its_client_is(self):
        worker = self.open("/worker/k?credit=1000", Sec_WebSocket_Protocol="tandem.json.v1")
        client = self.open("/client/k?token=%20x", Origin="https://a.example", X_Other="hidden")
        opened = self.read_json(worker, "open")
        self.assertEqual((opened["channel"], opened["key"], opened["path"], opened["query"]),
                         (1, "k", "/client/k", "token=%20x"))
        self.assertEqual(opened["headers"], {"origin": "https://a.example"})
        client.send_frame(TEXT, b"hello")
        self.assertEqual(self.read_json(worker, "message"), {"type": "message", "channel": 1, "text": "hello"})
        worker.send_frame(TEXT, json.dumps({"type": "message", "channel": 1, "text": "welcome"}))
        self.assertEqual(client.read_message(), (TEXT, b"welcome"))

    def read_json(self, wire, kind):
        """The next framed message of that type."""
        while True:
            opcode, text = wire.read_message()
            self.assertEqual(opcode, TEXT)
            if (message := json.loads(text))["type"] == kind:
                return message

    def test_a_framed_peer_compresses_nothing(self):
        with Broker(*NO_PINGS, "--compression.mode=on") as broker, Wire(broker.port) as wire:
            wire.send(upgrade("/client/k", Sec_WebSocket_Protocol="chat, tandem.v1",
                              Sec_WebSocket_Extensions="permessage-deflate"))
            response = wire.read_response()
            self.assertEqual((response.status, response.headers["sec-websocket-protocol"]), (101, "tandem.v1"))
            self.assertNotIn("sec-websocket-extensions", response.headers)

    def test_elsewhere_they_are_the_applications_own(self):
        client = self.open("/client/k?capacity=many&level=high&id=%FF&credit=x")
        self.assert_relays(client, self.open("/worker/k?capacity=many&id=&credit=x"))


class ListenerTest(unittest.TestCase):
    def test_a_routes_compression_goes_before_the_listeners(self):
        with tempfile.TemporaryDirectory(prefix="tandem-test-") as folder:
            config = pathlib.Path(folder) / "tandem.conf"
            config.write_text('[route.a]\ncompression { mode = "off" }\n[route.b]\nclient-path = "/b/{key}"\n'
                              'worker-path = "/b/{key}/w"\n', encoding="utf-8")
            with Broker(listen=("127.0.0.1:0?compression=on",), cwd=folder) as broker:
                self.assertEqual(self.extensions(broker, "/client/k"), None)
                self.assertEqual(self.extensions(broker, "/b/k"), "permessage-deflate")

    def extensions(self, broker, path):
        with Wire(broker.port) as wire:
            wire.send(upgrade(path, Sec_WebSocket_Extensions="permessage-deflate"))
            return wire.read_response().headers.get("sec-websocket-extensions")


class CheckTest(unittest.TestCase):
    def test_paths_that_overlap_are_refused_with_both_names(self):
        with tempfile.TemporaryDirectory(prefix="tandem-test-") as folder:
            (pathlib.Path(folder) / "tandem.conf").write_text(
                '[route.a]\nclient-path = "/{key}/x"\nworker-path = "/a/{key}/w"\n\n'
                '[route.b]\nclient-path = "/b/{key}"\nworker-path = "/b/{key}/w"\n', encoding="utf-8")
            done = run_tandem("--check-config", cwd=folder)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr, 'tandem: tandem.conf:6: route.b.client-path: /b/x would fit both "/b/{key}" and '
                                          'route.a.client-path, which is "/{key}/x" (line 2)\n')

    def test_a_dump_has_the_routes(self):
        with tempfile.TemporaryDirectory(prefix="tandem-test-") as folder:
            (pathlib.Path(folder) / "tandem.conf").write_text(ROUTES, encoding="utf-8")
            dumped = run_tandem("--dump-config", "--stall-timeout=7s", cwd=folder)
            self.assertEqual((dumped.returncode, dumped.stderr), (0, ""))
            self.assertEqual(dumped.stdout.count("stall-timeout = 7s"), 4)
            again = pathlib.Path(folder) / "again.conf"
            again.write_text(dumped.stdout, encoding="utf-8")
            self.assertEqual(run_tandem("--dump-config", f"--config-file={again}", cwd=folder).stdout, dumped.stdout)


if __name__ == "__main__":
    unittest.main()
