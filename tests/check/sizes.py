"""Checks that no source file has grown beyond one subject: 450 lines."""

import sys

from tree import ROOT, files

LIMIT = 450

# The files that may be longer, each with its reason.
LONGER = {}


def main():
    faults = 0
    for path in files("*.cpp", "*.hpp", "*.py", "*.js", "*.mjs", "*.sh"):
        with open(ROOT / path, "rb") as lines:
            count = sum(1 for _ in lines)
        if count > LIMIT and str(path) not in LONGER:
            faults += 1
            print(f"{path} has {count} lines; past {LIMIT} it has more than one subject, or a reason in {__file__}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
