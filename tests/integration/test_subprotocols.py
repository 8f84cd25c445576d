"""Subprotocols of the application's: which one is agreed on, and who learns of it."""

import unittest

from case import BrokerCase
from wire import Wire, upgrade


class SubprotocolTest(BrokerCase):
    options = ("--subprotocols=chat,mqtt,v1.chat", "--extensions=audit")

    def agreed(self, path, offered=None, *more):
        """What a peer that offers these agrees on; it stays connected."""
        headers = {} if offered is None else {"Sec_WebSocket_Protocol": offered}
        request = upgrade(path, **headers)
        for value in more:
            request = request.replace(b"\r\n\r\n", f"\r\nSec-WebSocket-Protocol: {value}\r\n\r\n".encode())
        wire = self.enterContext(Wire(self.broker.port))
        wire.send(request)
        response = wire.read_response()
        self.assertEqual(response.status, 101, response.body)
        self.last = wire
        return response.headers.get("sec-websocket-protocol")

    def test_the_clients_first_match_is_agreed_on(self):
        for number, (offered, expected) in enumerate([
                ("chat", "chat"), ("mqtt, chat", "mqtt"), ("soap,v1.chat,mqtt", "v1.chat"), ("soap", None), ("Chat", None),
                ("", None), (",,chat", "chat"), (None, None)]):
            with self.subTest(offered):
                self.assertEqual(self.agreed(f"/client/{number}", offered), expected)

    def test_an_offer_may_be_spread_over_several_headers(self):
        self.assertEqual(self.agreed("/client/k", "soap", "mqtt", "chat"), "mqtt")

    def test_a_pair_never_has_two(self):
        for first, second in (("client", "worker"), ("worker", "client")):
            with self.subTest(first=first):
                self.assertEqual(self.agreed(f"/{first}/{first}", "mqtt, chat"), "mqtt")
                self.assertEqual(self.agreed(f"/{second}/{first}", "chat, mqtt"), "mqtt")

    def test_one_that_cannot_have_its_peers_has_none(self):
        for key, offered in (("a", "chat"), ("b", None), ("c", "soap")):
            with self.subTest(offered):
                self.assertEqual(self.agreed(f"/client/{key}", "mqtt"), "mqtt")
                client = self.last
                self.assertIsNone(self.agreed(f"/worker/{key}", offered))
                self.assert_relays(client, self.last)

    def test_one_without_leaves_the_other_free(self):
        self.assertIsNone(self.agreed("/client/k"))
        client = self.last
        self.assertEqual(self.agreed("/worker/k", "chat"), "chat")
        self.assert_relays(client, self.last)

    def test_log_and_extensions_have_it(self):
        self.agreed("/client/k", "chat")
        self.await_log("audit connected id=1 role=client key=k")
        self.assertIn("subprotocol=chat subject=\"\" connections=1", self.broker.errors())
        self.last.close()
        self.await_log("disconnected id=1 role=client key=k")
        self.assertRegex(self.broker.errors(), r"info disconnected id=1 .* subprotocol=chat subject=\"\" reason=closed_by_peer")


if __name__ == "__main__":
    unittest.main()
