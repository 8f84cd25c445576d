"""The whole gate, as `make check` runs it: gate.py [--skip=STEP]...

Every step runs, whatever became of the ones before it, and prints `PASS name (seconds)` or `FAIL name (seconds)`; what a
step had to say is shown when it fails, and its lines that begin with NOTE always are. The last line, `N passed,
N failed`, counts a step as one, a suite as its test cases.
"""

import argparse
import re
import subprocess
import sys
import time

from tree import ROOT, files

PYTHON = "/usr/bin/python3"
TALLY = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)


def check(name):
    return [PYTHON, f"tests/check/{name}.py"]


def clang_format():
    return ["clang-format-14", "--dry-run", "-Werror", *map(str, files("*.cpp", "*.hpp"))]


# In the order in which a fault is most cheaply found. A step is a command line, or what returns one. `test` builds the
# preset dev with warnings as errors; `tidy`, `headers` and `docs` use that build.
# `instructions` builds what it counts as a release.
STEPS = {
    "format": clang_format,
    "includes": check("includes"),
    "sizes": check("sizes"),
    "test": [*check("suite"), "dev"],
    "docs": check("docs"),
    "headers": check("headers"),
    "tidy": check("tidy"),
    "instructions": [PYTHON, "tests/bench/instructions.py"],
    "asan": [*check("suite"), "asan"],
    "tsan": [*check("suite"), "tsan"],
}


def tally(step, output, code):
    """(passed, failed) of a step: its own count if it ends with one, else itself."""
    counts = TALLY.findall(output)
    if step in ("test", "asan", "tsan") and counts:
        passed, failed = map(int, counts[-1])
        return passed, failed if failed or code == 0 else 1
    return (1, 0) if code == 0 else (0, 1)


def run(step):
    command = STEPS[step]
    start = time.monotonic()
    done = subprocess.run(command() if callable(command) else command, cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    counts = tally(step, done.stdout, done.returncode)
    if counts[1]:
        print(done.stdout, end="")
    else:
        print("".join(re.findall(r"^NOTE .*\n", done.stdout, re.MULTILINE)), end="")
    print(f"{'FAIL' if counts[1] else 'PASS'} {step} ({time.monotonic() - start:.0f} s)", flush=True)
    return counts


def main():
    parser = argparse.ArgumentParser(description="Runs the whole gate.")
    parser.add_argument("--skip", action="append", default=[], choices=STEPS, help="leave this step out")
    skipped = parser.parse_args().skip
    passed, failed = (sum(column) for column in zip(*(run(step) for step in STEPS if step not in skipped)))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
