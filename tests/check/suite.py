"""Builds a preset and runs every test against it: suite.py PRESET

The unit tests and the fuzz seeds run by ctest, the integration tests against the broker of that build. Ends with a line
`N passed, N failed`, which counts test cases; what could not be built or run counts as one failure.
"""

import os
import platform
import re
import subprocess
import sys

from tree import ROOT

# How much longer than usual a test's deadlines are under a sanitizer.
SCALE = {"dev": 1, "release": 1, "asan": 3, "tsan": 6}

SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": f"suppressions={ROOT}/tests/support/tsan.supp:second_deadlock_stack=1",
}


def run(command, env):
    """Runs a command with its output passed on as it comes; returns its exit code and the output."""
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace")
    lines = []
    for line in process.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        lines.append(line)
    return process.wait(), "".join(lines)


def counted(command, env, pattern):
    """Runs a command whose output names its failed and other test cases by `pattern`; returns (passed, failed)."""
    code, output = run(command, env)
    found = None
    for found in re.finditer(pattern, output):
        pass
    if found is None:
        return 0, 1
    failed = int(found["failed"])
    passed = int(found["passed"] if "passed" in found.groupdict() else found["total"])
    if "total" in found.groupdict():
        passed -= failed
    # A runner that fails beyond what it counted must not pass for a good run.
    return passed, failed if failed or code == 0 else 1


def without_randomised_addresses():
    """A prefix for commands under ThreadSanitizer, whose runtime can't map its shadow when the kernel randomises
    addresses by more than 28 bits."""
    try:
        with open("/proc/sys/vm/mmap_rnd_bits", encoding="ascii") as bits:
            return ["setarch", platform.machine(), "-R"] if int(bits.read()) > 28 else []
    except OSError:
        return []


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in SCALE:
        sys.exit(f"usage: suite.py {'|'.join(SCALE)}")
    preset = sys.argv[1]
    env = {**os.environ, **SANITIZER_OPTIONS,
           "TANDEM_BINARY": str(ROOT / "build" / preset / "tandem"),
           "TANDEM_TEST_SCALE": os.environ.get("TANDEM_TEST_SCALE", str(SCALE[preset]))}
    prefix = without_randomised_addresses() if preset == "tsan" else []

    for build in (["cmake", "--preset", preset, "--log-level=WARNING"],
                  [*prefix, "cmake", "--build", "--preset", preset]):
        if run(build, env)[0] != 0:
            print("0 passed, 1 failed")
            return 1

    ctest = [*prefix, "ctest", "--test-dir", f"build/{preset}", "--output-on-failure", "--no-tests=error",
             "--parallel", str(os.cpu_count())]
    integration = [*prefix, "/usr/bin/python3", "tests/integration/run.py"]
    suites = [counted(ctest, env, r"tests passed, (?P<failed>\d+) tests? failed out of (?P<total>\d+)"),
              counted(integration, env, r"(?m)^(?P<passed>\d+) passed, (?P<failed>\d+) failed$")]
    passed, failed = (sum(column) for column in zip(*suites))
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
