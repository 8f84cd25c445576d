"""Runs the integration tests against the broker that TANDEM_BINARY names (build/dev/tandem): run.py [-v] [PATTERN]...

A pattern selects tests whose name contains it, as `test_wire` or `WireTest.test_ping`. Ends with `N passed, N failed`.
"""

import argparse
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from broker import BINARY, Broker  # noqa: E402


class Result(unittest.TextTestResult):
    """Shows with a failure what the test's brokers said, and with each test how long it took."""

    def startTest(self, test):
        # One that a class or a module started goes on.
        Broker.started[:] = [broker for broker in Broker.started if broker.process.poll() is None]
        self.began = time.monotonic()
        super().startTest(test)

    def _with_brokers(self, text):
        said = [f"stderr of {' '.join(broker.command)}:\n{broker.errors()}" for broker in Broker.started
                if broker.errors()]
        return "\n".join([text, *said])

    def _exc_info_to_string(self, err, test):
        return self._with_brokers(super()._exc_info_to_string(err, test))

    def addSuccess(self, test):
        unittest.TestResult.addSuccess(self, test)
        if self.showAll:
            self.stream.writeln(f"ok ({time.monotonic() - self.began:.2f} s)")


def main():
    parser = argparse.ArgumentParser(description="Runs the integration tests.")
    parser.add_argument("-v", "--verbose", action="store_true", help="name each test and its time")
    parser.add_argument("patterns", nargs="*", help="run the tests whose name contains one of these")
    arguments = parser.parse_args()
    if not os.access(BINARY, os.X_OK):
        print(f"there is no broker at {BINARY}: build it, or name it by TANDEM_BINARY", file=sys.stderr)
        print("0 passed, 1 failed")
        return 1

    loader = unittest.TestLoader()
    if arguments.patterns:
        loader.testNamePatterns = [f"*{pattern}*" for pattern in arguments.patterns]
    suite = loader.discover(HERE, pattern="test_*.py", top_level_dir=HERE)
    runner = unittest.TextTestRunner(resultclass=Result, verbosity=2 if arguments.verbose else 1, stream=sys.stdout)
    result = runner.run(suite)
    # A test may fail in several of its parts, and again as it is cleaned up.
    failures = {getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors}
    failed = len(failures) if result.testsRun else 1
    print(f"{max(result.testsRun - len(result.skipped) - failed, 0)} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
