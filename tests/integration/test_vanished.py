"""A peer whose machine vanishes: no FIN, no RST, nothing. It lives in a network namespace whose only link goes down."""

import contextlib
import ctypes
import os
import subprocess
import threading
import unittest

from broker import milliseconds, scaled
from case import BrokerCase
from wire import BINARY, PING, PONG, TEXT, Ended, Wire, frame

CLONE_NEWNET = 0x40000000
# Of the network that is set aside for tests between machines (RFC 2544).
HERE, THERE = "198.18.77.1", "198.18.77.2"


def ip(*arguments):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


class OtherMachine:
    """A network namespace that is linked to this one, until its link is cut."""

    def __init__(self):
        self.name = f"tandem-{os.getpid()}"
        self.link, self.other_link = f"tdm{os.getpid()}a", f"tdm{os.getpid()}b"

    def __enter__(self):
        try:
            ip("netns", "add", self.name)
            ip("link", "add", self.link, "type", "veth", "peer", "name", self.other_link, "netns", self.name)
            ip("address", "add", f"{HERE}/30", "dev", self.link)
            ip("link", "set", self.link, "up")
            ip("-n", self.name, "address", "add", f"{THERE}/30", "dev", self.other_link)
            ip("-n", self.name, "link", "set", self.other_link, "up")
        except (OSError, FileNotFoundError):
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            ip("link", "delete", self.link)
        with contextlib.suppress(OSError):
            ip("netns", "delete", self.name)

    def open(self, port, path):
        """A WebSocket from there. A socket stays in the namespace of the thread that made it."""
        result = []

        def connect():
            with open(f"/run/netns/{self.name}", "rb") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            result.append(Wire.open(port, path, host=HERE))

        thread = threading.Thread(target=connect)
        thread.start()
        thread.join()
        return result[0]

    def vanish(self):
        ip("-n", self.name, "link", "set", self.other_link, "down")


class VanishedCase(BrokerCase):
    listen = (f"{HERE}:0",)

    def setUp(self):
        try:
            self.machine = self.enterContext(OtherMachine())
        except OSError as error:
            self.skipTest(f"no network namespace can be made here: {error}")
        super().setUp()

    def pair_with_vanished(self):
        """A client that is gone without a word, and its worker."""
        client = self.machine.open(self.broker.port, "/client/k")
        self.addCleanup(client.socket.close)
        worker = self.enterContext(Wire.open(self.broker.port, "/worker/k", host=HERE))
        self.assert_relays(client, worker)
        self.machine.vanish()
        return worker

    def assert_told(self, worker, reason):
        """The pair's other side is told, and by which name."""
        worker.socket.settimeout(scaled(20))
        code, text = worker.read_close()
        self.assertEqual(code, 4200)
        self.assertIn(reason, text)
        self.await_log(f"reason={reason}")


class HeartbeatFindsItTest(VanishedCase):
    options = (f"--heartbeat.client-interval={milliseconds(0.1)}", f"--heartbeat.timeout={milliseconds(0.3)}",
               "--close-timeout=100ms", "--drain-timeout=100ms")

    def pair_with_vanished(self):
        client = self.machine.open(self.broker.port, "/client/k")
        self.addCleanup(client.socket.close)
        worker = self.enterContext(Wire.open(self.broker.port, "/worker/k", host=HERE))
        worker.send_frame(TEXT, b"hello")
        while (got := client.read_frame()).opcode == PING:
            client.send_frame(PONG, got.payload)
        self.machine.vanish()
        return worker

    def test_by_a_ping_that_is_not_answered(self):
        self.assert_told(self.pair_with_vanished(), "heartbeat_missed")


class KernelFindsItTest(VanishedCase):
    # TCP's user timeout is a quarter and a second more than the stall timeout; without it, it would be a quarter of an
    # hour or so.
    options = ("--stall-timeout=1s", "--close-timeout=100ms", "--drain-timeout=100ms")

    def test_by_bytes_that_are_never_acknowledged(self):
        worker = self.pair_with_vanished()
        worker.send_frame(TEXT, b"is anybody there?")
        self.assert_told(worker, "vanished")


class StallFindsItTest(VanishedCase):
    options = ("--stall-timeout=1s", "--close-timeout=100ms", "--drain-timeout=100ms")

    def test_by_bytes_that_wait(self):
        worker = self.pair_with_vanished()
        worker.socket.settimeout(scaled(0.5))
        # More than all buffers on the way hold.
        with contextlib.suppress(TimeoutError, ConnectionError, Ended):
            for _ in range(1024):
                worker.socket.sendall(frame(BINARY, bytes(64 << 10), mask=b"\0\0\0\0"))
        self.assert_told(worker, "stalled")


if __name__ == "__main__":
    unittest.main()
