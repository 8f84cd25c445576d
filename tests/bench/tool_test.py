#!/usr/bin/env python3
"""tool_test.py FOLDER: tests tandem-bench, as built in FOLDER, against relays that are right and some that aren't."""

import json
import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = "."


class Relay:
    """A relay process, for the length of a with block."""

    def __init__(self, *command):
        self.command = command

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        self.port = re.search(r"127\.0\.0\.1:(\d+)", self.process.stdout.readline()).group(1)
        self.pid = self.process.pid
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def limit_relay():
    return Relay(os.path.join(BUILD, "limit_relay"), "0")


def faulty_relay(fault):
    return Relay(sys.executable, os.path.join(HERE, "relays", "faulty_relay.py"), fault)


def bench(*arguments):
    command = [os.path.join(BUILD, "tandem-bench"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def load(relay, *arguments):
    """A run against `relay`: its exit code and its JSON object."""
    urls = [f"--{role}-url=ws://127.0.0.1:{relay.port}/{role}/{{id}}" for role in ("client", "worker")]
    done = bench(*urls, "--json", *arguments)
    if done.stderr:
        raise AssertionError(done.stderr)
    return done.returncode, json.loads(done.stdout)


class RightRelay(unittest.TestCase):
    def check(self, relay, *arguments):
        code, result = load(relay, *arguments)
        self.assertEqual((code, result["faults"]["kinds"]), (0, {}), arguments)
        return result

    def test_every_message_is_counted_at_both_ends(self):
        with limit_relay() as relay:
            for in_flight in ("1", "16", "64"):
                result = self.check(relay, "--verify", "--messages=5000", "--pairs=7", "--in-flight", in_flight)
                self.assertEqual(result["measured"]["messages_at_workers"], 5000)
                self.assertEqual(result["measured"]["messages_at_clients"], 5000)
                self.assertEqual(result["measured"]["payload_bytes"], 2 * 5000 * 128)
                self.assertEqual(result["latency_us"]["count"], 5000)

    def test_sizes_text_and_fragments(self):
        with limit_relay() as relay:
            for form in ([], ["--text"], ["--fragment=1000"], ["--text", "--fragment=77", "--client-first"]):
                for size in ("1-1000000", "0,1,125,126,65535,65536,200000"):
                    self.check(relay, "--verify", f"--size={size}", "--messages=200", "--pairs=4", "--in-flight=4",
                               *form)

    def test_an_unusual_form_is_no_fault(self):
        with faulty_relay("none") as relay:
            result = self.check(relay, "--verify", "--text", "--size=0,1,2,5000", "--messages=200", "--pairs=3")
            self.assertEqual(result["pings"]["total"], 400)

    def test_threads(self):
        with limit_relay() as relay:
            result = self.check(relay, "--verify", "--messages=3001", "--pairs=9", "--threads=3")
            self.assertEqual(result["measured"]["messages_at_clients"], 3001)

    def test_open_loop_keeps_to_its_rate(self):
        with limit_relay() as relay:
            for form in ([], ["--poisson"], ["--threads=2"]):
                result = self.check(relay, "--verify", "--rate=2000", "--duration=1", "--pairs=10", *form)
                self.assertAlmostEqual(result["latency_us"]["count"], 2000 * result["measured"]["seconds"], delta=250)

    def test_one_way_with_a_slow_worker(self):
        with limit_relay() as relay:
            result = self.check(relay, "--verify", "--one-way", "--worker-read-rate=2000000", "--size=10000",
                                "--duration=0.5", "--pairs=2")
            # Two workers, and half as much again for what an uneven clock lets through.
            self.assertLess(result["measured"]["payload_bytes"], 1.5 * 2 * 2_000_000 * result["measured"]["seconds"])
            self.assertEqual(result["measured"]["messages_at_clients"], 0)

    def test_total_bytes(self):
        with limit_relay() as relay:
            result = self.check(relay, "--verify", "--one-way", "--total-bytes=1000000", "--size=1000", "--pairs=5")
            self.assertEqual(result["measured"]["payload_bytes"], 1_000_000)

    def test_idle_connections(self):
        with limit_relay() as relay:
            result = self.check(relay, "--idle=200", "--duration=0.2", f"--pid={relay.pid}")
            self.assertEqual(result["connections"]["opened"], 200)
            self.assertIn("bytes_per_connection", result["relay"])

    def test_connect_rounds(self):
        with limit_relay() as relay:
            result = self.check(relay, "--verify", "--connect-rounds=200", "--pairs=10", "--threads=2")
            self.assertEqual(result["rounds"]["done"], 200)
            self.assertEqual(result["connections"]["opened"], 400)

    def test_a_process_is_measured(self):
        with limit_relay() as relay:
            result = self.check(relay, f"--pid={relay.pid}", "--duration=0.5", "--warm-up=0.1", "--in-flight=16")
            self.assertGreater(result["relay"]["cpu_us_per_forwarded_message"], 0)
            self.assertGreater(result["relay"]["rss_bytes"], 0)


class FaultyRelay(unittest.TestCase):
    """Each fault is found, under its own name."""

    def check(self, fault, *kinds, perhaps=(), arguments=()):
        with faulty_relay(fault) as relay:
            code, result = load(relay, "--verify", "--messages=60", "--pairs=1", "--in-flight=4", "--stall-timeout=0.5",
                                *arguments)
        self.assertEqual(code, 1)
        self.assertEqual(set(result["faults"]["kinds"]) - set(perhaps), set(kinds), result["faults"])
        return result["faults"]["kinds"]

    def test_content(self):
        for fault in ("corrupt-first", "corrupt-last", "truncate", "extend"):
            self.assertEqual(self.check(fault, "corrupt")["corrupt"]["count"], 1)
        self.assertEqual(self.check("opcode", "opcode")["opcode"]["count"], 1)

    def test_order(self):
        self.check("swap", "order")
        self.check("duplicate", "duplicate")

    def test_loss(self):
        faults = self.check("drop", "order", "lost", "stalled")
        self.assertEqual(faults["order"]["count"], 1)

    def test_a_message_that_comes_back_to_its_sender(self):
        with faulty_relay("mirror") as relay:
            code, result = load(relay, "--verify", "--messages=8", "--pairs=1", "--stall-timeout=0.5")
        self.assertEqual(code, 1)
        self.assertIn("corrupt", result["faults"]["kinds"])

    def test_protocol(self):
        # The relay may, or may not, close the other side before the run is over.
        for fault in ("reserved-bit", "masked"):
            self.check(fault, "protocol", perhaps=["ended", "lost"])

    def test_a_close_is_reported_with_code_and_reason(self):
        faults = self.check("close", "ended", "lost")
        self.assertIn("closed by the relay with 4101: too slow", faults["ended"]["first"][0])

    def test_a_relay_that_dies(self):
        self.check("die", "ended", "lost")

    def test_a_relay_that_stands_still(self):
        self.check("silent", "stalled", "lost")

    def test_a_refused_handshake_is_quoted(self):
        faults = self.check("refuse", "connect")
        self.assertIn('HTTP/1.1 503 Service Unavailable: {"error": "full"}', faults["connect"]["first"][0])
        faults = self.check("accept", "connect")
        self.assertIn("Sec-WebSocket-Accept", faults["connect"]["first"][0])

    def test_a_handshake_without_an_answer(self):
        faults = self.check("mute", "connect", arguments=["--connect-timeout=0.5"])
        self.assertIn("took too long", faults["connect"]["first"][0])

    def test_nobody_listens(self):
        with limit_relay() as relay:
            port = relay.port
        done = bench(f"--client-url=ws://127.0.0.1:{port}/c/{{id}}", f"--worker-url=ws://127.0.0.1:{port}/w/{{id}}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Connection refused", done.stdout)


class Usage(unittest.TestCase):
    def test_wrong_usage_is_explained(self):
        for arguments, text in (
            (["--speed=9"], "there is no option --speed"),
            (["--pairs"], "--pairs needs a value"),
            (["--pairs=0"], "must be a whole number from 1"),
            (["--rate=5", "--in-flight=2"], "exclude each other"),
            (["--client-url=http://127.0.0.1/"], "ws://"),
            (["--pid=999999999"], "there is no process"),
        ):
            done = bench(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertIn(text, done.stderr)

    def test_help(self):
        done = bench("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("--in-flight", done.stdout)


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main()
