"""The program's face: its options, its config file, and what a mistake in either gets."""

import os
import pathlib
import re
import signal
import stat
import tempfile
import unittest

from broker import Broker, run_tandem
from wire import TEXT, Wire

LOCAL = "--listen=127.0.0.1:0"


class ProgramTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="tandem-test-")))

    def tandem(self, *arguments):
        return run_tandem(*arguments, cwd=self.folder)

    def write(self, text, name="tandem.conf"):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def dumped(self, *arguments):
        done = self.tandem(*arguments, "--dump-config")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def assert_refused(self, *arguments, names):
        """Ends with an error and says all of `names` on stderr, each in one line."""
        done = self.tandem(*arguments)
        self.assertNotEqual(done.returncode, 0)
        for name in names:
            self.assertIn(name, done.stderr)
        self.assertNotIn("listening on", done.stdout)
        return done.stderr


class OptionsTest(ProgramTest):
    def test_help_names_every_option(self):
        done = self.tandem("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        section, options = "", []
        for line in self.dumped().splitlines():
            if header := re.match(r"\[([\w-]+)\]", line):
                section = "" if header[1] == "global" else header[1] + "."
            elif setting := re.match(r"\s*([a-z][\w-]*)\s*=", line):
                options.append(section + setting[1])
        self.assertGreater(len(options), 15)
        for option in [*options, "help", "version", "config-file", "check-config", "dump-config"]:
            self.assertRegex(done.stdout, rf"--{re.escape(option)}(?![\w.-])")

    def test_version(self):
        done = self.tandem("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"\b\d+\.\d+\.\d+\b")

    def test_an_unknown_option(self):
        self.assert_refused("--pair-timeot=5s", names=["pair-timeot", "pair-timeout"])

    def test_a_value_of_another_kind(self):
        self.assert_refused("--pair-timeout=soon", names=["--pair-timeout", "soon"])

    def test_a_value_out_of_range(self):
        self.assert_refused("--handshake-timeout=1ms", names=["--handshake-timeout", "100ms"])

    def test_an_address_that_is_none(self):
        for address in ("nonsense", "127.0.0.1:70000", "127.0.0.1:-1", ":::"):
            with self.subTest(address):
                self.assert_refused(f"--listen={address}", names=["--listen"])

    def test_words_without_an_option(self):
        self.assert_refused("serve", names=["serve"])


class ConfigFileTest(ProgramTest):
    def test_check_config_of_a_good_file(self):
        path = self.write("; a comment\npair-timeout = 2min\n\n[heartbeat]\ntimeout = 7s\n")
        done = self.tandem(f"--config-file={path}", "--check-config")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_check_config_names_file_and_line(self):
        path = self.write("pair-timeout = 2min\n\nhandshake-timeot = 5s\n", name="broken.conf")
        said = self.assert_refused(f"--config-file={path}", "--check-config",
                                   names=["broken.conf:3:", "handshake-timeot", "handshake-timeout"])
        self.assertNotIn("pair-timeout", said)

    def test_every_mistake_is_named_at_once(self):
        self.write("pair-timeout = soon\nlisten = 5\n[heartbeet]\ntimeout = 1s\n[heartbeat]\ntimeout = 1ms\n")
        self.assert_refused("--check-config", names=["tandem.conf:1:", "tandem.conf:2:", "tandem.conf:3:",
                                                     "heartbeat", "tandem.conf:6:"])

    def test_a_file_that_does_not_parse(self):
        self.write("pair-timeout = = 5s\n")
        self.assert_refused("--check-config", names=["tandem.conf:1:"])

    def test_a_broken_file_starts_nothing(self):
        self.write("no-such-option = 1\n")
        self.assert_refused(LOCAL, names=["tandem.conf:1:", "no-such-option"])

    def test_a_file_that_is_not_there(self):
        self.assert_refused("--config-file=missing.conf", names=["missing.conf"])

    def test_the_command_line_wins_over_the_file(self):
        self.write("pair-timeout = 2min\nclose-timeout = 3s\n")
        dumped = self.dumped("--pair-timeout=9s")
        self.assertRegex(dumped, r"(?m)^\s*pair-timeout\s*=\s*9s$")
        self.assertRegex(dumped, r"(?m)^\s*close-timeout\s*=\s*3s$")

    def test_dump_config_comes_back_as_it_went(self):
        dumped = self.dumped("--listen=127.0.0.1:1234", "--pair-timeout=1234ms", "--pending-bytes=3KiB",
                             "--on-conflict=replace", "--heartbeat.timeout=90s", "--scheduler.placement=spread",
                             "--client-path=/ws/{key}/c")
        self.write(dumped)
        self.assertEqual(self.dumped(), dumped)
        for value in ("127.0.0.1:1234", "1234ms", "3", "replace", "90s", "spread", "/ws/{key}/c"):
            self.assertIn(value, dumped)

    def test_the_file_of_the_working_folder_is_used(self):
        self.write('listen = ["127.0.0.1:0"]\nclient-path = "/in/{key}"\n')
        with Broker(listen=(), cwd=self.folder) as broker:
            Wire.open(broker.port, "/in/k").socket.close()


class ListenTest(unittest.TestCase):
    def test_each_address_gets_a_line_with_its_real_port(self):
        with Broker(listen=("127.0.0.1:0", "[::1]:0", "127.0.0.1:0")) as broker:
            self.assertEqual(len(set(broker.ports)), 3)
            self.assertEqual([line.rpartition(":")[0] for line in broker.stdout],
                             ["listening on 127.0.0.1", "listening on [::1]", "listening on 127.0.0.1"])
            for port, host in zip(broker.ports, ("127.0.0.1", "::1", "127.0.0.1")):
                with Wire(port, host):
                    pass

    def test_a_port_in_use(self):
        with Broker() as broker:
            done = run_tandem(f"--listen=127.0.0.1:{broker.port}")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(f"127.0.0.1:{broker.port}", done.stderr)
            self.assertIn("in use", done.stderr)

    def test_the_port_is_free_again_at_once(self):
        with Broker() as broker:
            port = broker.port
            client = Wire.open(port, "/client/k")
            broker.signal()
            client.close(1001)
            self.assertEqual(broker.wait(), 0)
        with Broker(listen=(f"127.0.0.1:{port}",)) as again:
            self.assertEqual(again.port, port)


class UnixSocketTest(unittest.TestCase):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="tandem-test-"))
        self.path = f"{folder}/tandem.sock"

    def listener(self, options=""):
        return f"unix:{self.path}{options}"

    def test_it_relays_like_any_other_listener(self):
        with Broker(listen=(self.listener(), "127.0.0.1:0")) as broker:
            with Wire.open(broker.ports[0], "/client/k") as client, Wire.open(broker.ports[1], "/worker/k") as worker:
                client.send_frame(TEXT, b"from a socket's file")
                self.assertEqual(worker.read_message(), (TEXT, b"from a socket's file"))
                worker.close(1000, "done")
                self.assertEqual(client.read_close(), (1000, "done"))

    def test_the_file_has_the_mode_that_was_asked_for_and_goes_with_the_broker(self):
        for options, mode in (("", 0o660), ("?mode=600", 0o600)):
            with self.subTest(options), Broker(listen=(self.listener(options),)):
                self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), mode)
            self.assertFalse(os.path.exists(self.path))

    def test_the_file_of_a_killed_broker_is_taken_over(self):
        with Broker(listen=(self.listener(),)) as broker:
            broker.signal(signal.SIGKILL)
            broker.wait()
        self.assertTrue(os.path.exists(self.path))
        with Broker(listen=(self.listener(),)) as broker:
            Wire.open(broker.port, "/client/k").socket.close()

    def test_a_socket_in_use_is_left_alone(self):
        with Broker(listen=(self.listener(),)) as broker:
            done = run_tandem(f"--listen={self.listener()}")
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"unix:{self.path}: Address already in use", done.stderr)
            Wire.open(broker.port, "/client/k").socket.close()

    def test_a_file_that_is_no_socket_is_left_alone(self):
        pathlib.Path(self.path).write_text("precious", encoding="utf-8")
        done = run_tandem(f"--listen={self.listener()}")
        self.assertEqual(done.returncode, 1)
        self.assertIn(self.path, done.stderr)
        self.assertEqual(pathlib.Path(self.path).read_text(encoding="utf-8"), "precious")


if __name__ == "__main__":
    unittest.main()
