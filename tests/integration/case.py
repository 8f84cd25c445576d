"""The base of the integration tests: a broker per test, and peers that are closed with it."""

import contextlib
import time
import unittest

from broker import BINARY, Broker, scaled
from wire import TEXT, Wire


# A ping may come at any moment, and most tests say exactly what the broker sends.
NO_PINGS = ("--heartbeat.client-interval=0", "--heartbeat.worker-interval=0")


class BrokerCase(unittest.TestCase):
    """Each test has a broker of its own, the class's `binary` with its `options`, listening at `listen`. It pings only if
    they say so."""

    binary = BINARY
    options = ()
    listen = ("127.0.0.1:0",)

    def setUp(self):
        self.broker = self.enterContext(Broker(*NO_PINGS, *self.options, listen=self.listen, binary=self.binary))

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

    def request(self, *pieces, port=None):
        """Sends bytes to a connection of their own; returns the response, after which the broker hangs up."""
        with Wire(port or self.broker.port) as wire:
            wire.send(*pieces)
            response = wire.read_response()
            wire.read_end()
            return response

    def assert_refused(self, request, status, error, port=None):
        """The request is refused with this status, and a JSON body with this error and a detail."""
        response = self.request(request, port=port)
        self.assertEqual(response.status, status, response.body)
        self.assertEqual(response.headers["content-type"], "application/json")
        body = response.json()
        self.assertEqual(set(body), {"error", "detail"})
        self.assertEqual(body["error"], error)
        self.assertTrue(body["detail"])
        # RFC 6585, section 4, and RFC 9110, section 15.6.4.
        self.assertEqual("retry-after" in response.headers, status in (429, 503))
        return response

    def await_log(self, words):
        """The log is written by a thread of its own, somewhat later."""
        self.await_that(lambda: words in self.broker.errors(), f"the log to say {words}")

    def await_that(self, holds, what):
        deadline = time.monotonic() + scaled(10)
        while not holds():
            self.assertLess(time.monotonic(), deadline, f"waited in vain for {what}")
            time.sleep(0.01)

    @contextlib.contextmanager
    def within(self, seconds):
        """The block takes no longer than so many seconds on a plain build."""
        start = time.monotonic()
        yield
        self.assertLess(time.monotonic() - start, scaled(seconds))
