#!/usr/bin/env python3
"""Counts what a forwarded message takes of the broker, in instructions, and compares with the stored figures.

Builds `replay` (replay.cpp) as a release, runs it under callgrind and divides what each case took, without the kernel's
part, by its messages. Fails if one takes more than 5 % above its figure in instructions.json. If one takes as much less,
it says so, so that the gain is stored and not lost again: instructions.py --store.

Counts don't depend on what else the machine does, nor on its CPU: the C library is told to use what every CPU of its
kind has. They do depend on the compiler, so figures of another one aren't compared.
"""

import argparse
import glob
import json
import os
import platform
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build", "release")
STORED = os.path.join(HERE, "instructions.json")
MARGIN = 0.05
# Its copies and comparisons are then those for SSE2, whatever CPU valgrind shows it.
TUNABLES = "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX_Fast_Unaligned_Load,-BMI2,-ERMS,-FSRM,-SSSE3,-SSE4_1,-SSE4_2"


class Failed(Exception):
    """The counting didn't come about."""


def run(command, **how):
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **how)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def build():
    run(["cmake", "--preset", "release", "--log-level=WARNING"])
    run(["cmake", "--build", "--preset", "release", "--target", "replay"])


def dumps(out):
    """{case: (instructions, file)} of the dumps that callgrind left."""
    found = {}
    for path in glob.glob(f"{out}.*"):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        case = re.search(r"^desc: Trigger: Client Request: (\S+)$", text, re.MULTILINE)
        total = re.search(r"^totals: (\d+)$", text, re.MULTILINE)
        if case and total:
            found[case.group(1)] = int(total.group(1)), path
    return found


def count():
    """What was compiled by what, {case: instructions per message}, {case: callgrind's file}."""
    if shutil.which("valgrind") is None:
        raise Failed("valgrind is missing; tests/install-packages test installs it")
    out = os.path.join(BUILD, "replay.callgrind")
    for old in glob.glob(f"{out}*"):
        os.remove(old)
    # Nothing of this environment: it moves the stack.
    said = run(["valgrind", "--tool=callgrind", "--quiet", "--collect-atstart=no", f"--callgrind-out-file={out}",
                os.path.join(BUILD, "replay")],
               env={"PATH": os.environ["PATH"], "GLIBC_TUNABLES": TUNABLES}, timeout=600)
    compiler, *rest = said.splitlines()
    found = dumps(out)
    per_message = {}
    for case, messages in (line.split() for line in rest):
        if found.get(case, (0,))[0] == 0:
            raise Failed(f"callgrind counted nothing for {case}")
        per_message[case] = round(found[case][0] / int(messages), 1)
    return f"{compiler.removeprefix('compiler ')} {platform.machine()}", per_message, {case: path for case, (_, path) in found.items()}


def compare(now, stored, files):
    """Prints the table; returns how many cases take too much."""
    print(f"{'instructions per message':26}{'stored':>10}{'now':>10}{'change':>10}")
    worse, better = [], []
    for case in sorted({*now, *stored}, key=list({**now, **stored}).index):
        if case not in now or case not in stored:
            worse.append(case)
            print(f"{case:26}{stored.get(case, '-'):>10}{now.get(case, '-'):>10}")
            continue
        change = now[case] / stored[case] - 1
        print(f"{case:26}{stored[case]:>10.1f}{now[case]:>10.1f}{100 * change:>+9.1f}%")
        if abs(change) > MARGIN:
            (worse if change > 0 else better).append(case)
    store = "python3 tests/bench/instructions.py --store"
    if worse:
        print(f"\nmore than {MARGIN:.0%} above its figure, or without one: {', '.join(worse)}")
        print("where the instructions go: " + " ".join(["callgrind_annotate", *(os.path.relpath(files[case], ROOT)
                                                                          for case in worse[:1] if case in files)]))
        print(f"if it is worth that, store the new figures: {store}")
    if better:
        print(f"NOTE {', '.join(better)} got cheaper by more than {MARGIN:.0%}: store the new figures, so that a loss "
              f"shows: {store}")
    return len(worse)


def main():
    parser = argparse.ArgumentParser(description="Counts the instructions of a forwarded message.")
    parser.add_argument("--store", action="store_true", help="make the new figures the stored ones")
    options = parser.parse_args()
    try:
        build()
        compiler, now, files = count()
    except (Failed, subprocess.TimeoutExpired) as error:
        print(error)
        return 1
    if options.store:
        with open(STORED, "w", encoding="utf-8") as file:
            json.dump({"compiler": compiler, "instructions_per_message": now}, file, indent=2)
            file.write("\n")
        print(f"stored in {os.path.relpath(STORED)}: {now}")
        return 0
    with open(STORED, encoding="utf-8") as file:
        stored = json.load(file)
    if compiler != stored["compiler"]:
        print(f"NOTE instructions aren't compared: the figures are those of {stored['compiler']}, this is {compiler}")
        return 0
    return 1 if compare(now, stored["instructions_per_message"], files) else 0


if __name__ == "__main__":
    sys.exit(main())
