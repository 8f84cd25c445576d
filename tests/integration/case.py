"""The base of the integration tests: a broker per test, and peers that are closed with it."""

import contextlib
import time
import unittest

from broker import BINARY, Broker, scaled
from wire import TEXT, Wire


# A ping may come at any moment, and most tests say exactly what the broker sends.
NO_PINGS = ("--heartbeat.client-interval=0", "--heartbeat.worker-interval=0")


class BrokerCase(unittest.TestCase):
    """Each test has a broker of its own, the class's `binary` with its `options`. It pings only if they say so."""

    binary = BINARY
    options = ()

    def setUp(self):
        self.broker = self.enterContext(Broker(*NO_PINGS, *self.options, binary=self.binary))

    def open(self, path, **headers):
        """A bare WebSocket to the test's broker."""
        return self.enterContext(Wire.open(self.broker.port, path, **headers))

    def pair(self, key="k", **headers):
        """A client and its worker, bound to each other."""
        client, worker = self.open(f"/client/{key}", **headers), self.open(f"/worker/{key}", **headers)
        self.assert_relays(client, worker)
        return client, worker

    def assert_relays(self, client, worker):
        """A message goes from each to the other."""
        for sender, receiver, text in ((client, worker, b"to the worker"), (worker, client, b"to the client")):
            sender.send_frame(TEXT, text)
            self.assertEqual(receiver.read_message(), (TEXT, text))

    @contextlib.contextmanager
    def within(self, seconds):
        """The block takes no longer than so many seconds on a plain build."""
        start = time.monotonic()
        yield
        self.assertLess(time.monotonic() - start, scaled(seconds))
