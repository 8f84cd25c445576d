"""Runs the real broker for a test: `with Broker("--pair-timeout=200ms") as broker: ...`"""

import os
import pathlib
import queue
import re
import signal
import subprocess
import tempfile
import threading

import certificates

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(os.environ.get("TANDEM_BINARY", ROOT / "build/dev/tandem"))

# Deadlines are multiplied by this where everything is slower, as under a sanitizer.
SCALE = float(os.environ.get("TANDEM_TEST_SCALE", "1"))

SANITIZER_REPORT = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:")
READY = re.compile(r"listening on (?:unix:(?P<path>/\S+)|(?P<tls>wss://)?\S+:(?P<port>\d+))$")
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGESIZE")


def scaled(seconds):
    """A deadline or interval of so many seconds on a plain build."""
    return seconds * SCALE


def milliseconds(seconds):
    """A scaled duration, as the broker's options take it."""
    return f"{round(scaled(seconds) * 1000)}ms"


class SecurePort(int):
    """A port that takes TLS."""


class Broker:
    """A running broker. If it listens for TLS, it has a certificate of the tests', unless its options name another. Leaving the context stops it by SIGTERM and asserts that it ends by itself with exit code 0 and
    without a sanitizer's report, unless the test has already seen to its end by `wait`."""

    # Those that serve the running test, for the runner to show what they said when it fails.
    started = []

    def __init__(self, *arguments, listen=("127.0.0.1:0",), cwd=None, binary=BINARY):
        self.folder = None if cwd else tempfile.TemporaryDirectory(prefix="tandem-test-")
        self.cwd = cwd or self.folder.name
        if any(address.startswith("wss://") for address in listen) and not any("--tls.cert" in x for x in arguments):
            shown = certificates.server()
            arguments = (f"--tls.certificates={shown.certificate}", f"--tls.private-keys={shown.key}", *arguments)
        self.command = [str(binary), *(f"--listen={address}" for address in listen), *arguments]
        self.expected = max(len(listen), 1)
        self.process = None
        self.ports = []
        self.stdout = []
        # For appending: the broker shares the file's position, and reading moves that.
        self._errors = tempfile.TemporaryFile(mode="a+", encoding="utf-8", errors="replace")
        self._lines = queue.Queue()

    def __enter__(self):
        Broker.started.append(self)
        self.process = subprocess.Popen(self.command, cwd=self.cwd, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self._errors, text=True)
        threading.Thread(target=self._collect, daemon=True).start()
        try:
            while len(self.ports) < self.expected:
                self._await_ready_line()
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(self, kind, error, trace):
        try:
            if kind is None and self.process.returncode is None:
                self.stop()
        finally:
            self._discard()

    def _collect(self):
        for line in self.process.stdout:
            self.stdout.append(line.rstrip("\n"))
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def _await_ready_line(self):
        try:
            line = self._lines.get(timeout=scaled(10))
        except queue.Empty:
            raise AssertionError("the broker did not get ready in time") from None
        if line is None:
            raise AssertionError(f"the broker ended at its start with exit code {self.process.wait()}")
        if ready := READY.search(line):
            self.ports.append(ready["path"] or (SecurePort if ready["tls"] else int)(ready["port"]))

    def _discard(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.folder:
            self.folder.cleanup()

    @property
    def port(self):
        """The port of the first listener; the path of its socket if it is a Unix-domain one."""
        return self.ports[0]

    @property
    def pid(self):
        return self.process.pid

    def url(self, path):
        scheme = "wss" if isinstance(self.port, SecurePort) else "ws"
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, seconds=15):
        """Waits for the broker's end, kills it if it hangs, and returns its exit code. Fails if it hung or if a sanitizer
        had something to report."""
        try:
            code = self.process.wait(scaled(seconds))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the broker hung: it had not ended {scaled(seconds)} s later") from None
        if SANITIZER_REPORT.search(self.errors()):
            raise AssertionError("a sanitizer reported a fault of the broker")
        return code

    def stop(self):
        """Ends the broker as an operator would and asserts that it ends well."""
        self.signal()
        code = self.wait()
        if code != 0:
            raise AssertionError(f"the broker ended with exit code {code}")

    def errors(self):
        """What it has written to stderr."""
        self._errors.seek(0)
        return self._errors.read()

    def _stat(self):
        # The second field, the name, is in parentheses and may hold blanks.
        return pathlib.Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()

    def rss(self):
        """Resident memory in bytes."""
        return int(pathlib.Path(f"/proc/{self.pid}/statm").read_text(encoding="utf-8").split()[1]) * PAGE

    def fds(self):
        """Open descriptors."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def cpu(self):
        """Processor time used so far, in seconds."""
        user, system = self._stat()[11:13]
        return (int(user) + int(system)) / CLOCK_TICKS

    def voluntary_switches(self):
        """How often its threads went to sleep so far, in all."""
        total = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            status = pathlib.Path(f"/proc/{self.pid}/task/{task}/status").read_text(encoding="utf-8")
            total += int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.MULTILINE)[1])
        return total


def run_tandem(*arguments, cwd=None, seconds=20):
    """Runs the broker's program to its end, as for --help; returns what subprocess.run does."""
    return subprocess.run([BINARY, *arguments], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=scaled(seconds), check=False)
