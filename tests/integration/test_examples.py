"""The examples of the documentation, as a user runs them."""

import os
import queue
import signal
import subprocess
import threading
import unittest

from broker import ROOT, Broker, scaled
from case import NO_PINGS, BrokerCase
from wire import TEXT, Wire

EXAMPLES = ROOT / "docs/examples"
# Debian's node-ws, also for a node that isn't Debian's.
SURROUNDINGS = {**os.environ, "NODE_PATH": "/usr/share/nodejs"}
COMMANDS = {"worker.py": ["/usr/bin/python3", EXAMPLES / "worker.py"], "worker.mjs": ["node", EXAMPLES / "worker.mjs"]}


class Example:
    """A running example, for the length of a with block."""

    def __init__(self, name, url):
        self.process = subprocess.Popen([*COMMANDS[name], url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, text=True, env=SURROUNDINGS)
        self.lines = queue.Queue()
        threading.Thread(target=self.collect, daemon=True).start()

    def collect(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def await_line(self, words):
        """Reads on until a line begins with `words`."""
        said = []
        try:
            while not (said and said[-1].startswith(words)):
                said.append(self.lines.get(timeout=scaled(20)))
        except queue.Empty:
            raise AssertionError(f"no line that begins with {words!r}, but {said}") from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class WorkerTest(BrokerCase):
    options = ("--mode=pool",)

    def start(self, name):
        example = self.enterContext(Example(name, self.broker.url("/worker/k")))
        example.await_line("connected")
        return example

    def test_many_clients_at_once(self):
        for name in COMMANDS:
            with self.subTest(name), Example(name, self.broker.url(f"/worker/{name}")) as example:
                example.await_line("connected")
                clients = [self.open(f"/client/{name}") for _ in range(50)]
                for round_ in range(20):
                    for number, client in enumerate(clients):
                        client.send_frame(TEXT, f"message {round_} of {number}")
                for round_ in range(20):
                    for number, client in enumerate(clients):
                        self.assertEqual(client.read_message(), (TEXT, f"MESSAGE {round_} OF {number}".encode()))

    def test_more_than_all_windows_hold(self):
        for name in COMMANDS:
            with self.subTest(name), Example(name, self.broker.url(f"/worker/{name}")) as example:
                example.await_line("connected")
                client = self.open(f"/client/{name}")
                texts = [f"{n:06} {'x' * 5000}" for n in range(1000)]
                sender = threading.Thread(target=lambda: [client.send_frame(TEXT, text) for text in texts])
                sender.start()
                for text in texts:
                    self.assertEqual(client.read_message(), (TEXT, text.upper().encode()))
                sender.join()

    def test_drains_on_sigterm(self):
        for name in COMMANDS:
            with self.subTest(name), Example(name, self.broker.url(f"/worker/{name}")) as example:
                example.await_line("connected")
                client = self.open(f"/client/{name}")
                client.send_frame(TEXT, "before")
                self.assertEqual(client.read_message(), (TEXT, b"BEFORE"))
                example.process.send_signal(signal.SIGTERM)
                client.send_frame(TEXT, "meanwhile")
                self.assertEqual(client.read_message(), (TEXT, b"MEANWHILE"))
                client.close()
                self.assertEqual(example.process.wait(scaled(20)), 0)


class ReconnectTest(unittest.TestCase):
    def test_comes_again_after_a_restart(self):
        for name in COMMANDS:
            with self.subTest(name):
                with Broker(*NO_PINGS, "--mode=pool") as broker:
                    port = broker.port
                    example = self.enterContext(Example(name, broker.url("/worker/k")))
                    example.await_line("connected")
                example.await_line("closed 1001")
                with Broker(*NO_PINGS, "--mode=pool", listen=(f"127.0.0.1:{port}",)) as broker:
                    example.await_line("connected")
                    with Wire.open(broker.port, "/client/k") as client:
                        client.send_frame(TEXT, "again")
                        self.assertEqual(client.read_message(), (TEXT, b"AGAIN"))

    def test_stays_away_where_it_is_not_wanted(self):
        for name in COMMANDS:
            with self.subTest(name), Broker(*NO_PINGS, "--mode=pool") as broker:
                with Example(name, broker.url("/nowhere/k")) as example:
                    example.await_line("refused 404")
                    self.assertEqual(example.process.wait(scaled(20)), 1)


if __name__ == "__main__":
    unittest.main()
